//! Definitions out of a lake.

#[cfg(feature = "pg")]
pub mod sql;
