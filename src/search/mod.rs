//! Search requests → SQL over a lake.
//!
//! Takes `Type?parameter=value&_count=…` and gives one SQL statement with constants, so that the planner can look each
//! key up while it plans. Pure, but for `sql.rs`.

pub mod criteria;
pub mod cursor;
pub mod filter;
pub mod include;
pub mod quote;
pub mod references;
pub mod request;
pub mod sort;
#[cfg(feature = "pg")]
mod sql;
pub mod statement;

pub use request::Request;
