//! The table of concepts that a lake keeps beside its code systems.

#[cfg(feature = "pg")]
pub mod sql;
