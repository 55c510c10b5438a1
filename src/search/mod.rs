//! Search requests → SQL over a lake.
//!
//! Takes `Type?parameter=value&_count=…` and gives one SQL statement with constants, so that the planner can look each
//! key up while it plans. Pure, but for what asks the lake: `resolve.rs`,
//! `run.rs` and `sql.rs`, here, in `content` and in `entity`.

pub mod content;
pub mod criteria;
pub mod cursor;
pub mod custom;
pub mod entity;
#[cfg(feature = "pg")]
mod explain;
pub mod expression;
pub mod filter;
pub mod filter_language;
pub mod include;
pub mod list;
#[cfg(feature = "pg")]
mod present;
pub mod project;
pub mod quote;
pub mod references;
pub mod request;
#[cfg(feature = "pg")]
pub mod resolve;
#[cfg(feature = "pg")]
pub mod run;
pub mod sort;
#[cfg(feature = "pg")]
mod sql;
pub mod statement;

pub use filter::Filter;
pub use request::Request;
