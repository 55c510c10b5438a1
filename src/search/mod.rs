//! Search requests → SQL over a lake.
//!
//! Takes `Type?parameter=value&_count=…` and gives one SQL statement with constants, so that the planner can look each
//! key up while it plans. Pure, but for `sql.rs`.

pub mod content;
pub mod filter;
pub mod project;
pub mod quote;
pub mod request;
#[cfg(feature = "pg")]
mod sql;
pub mod statement;

pub use request::Request;
