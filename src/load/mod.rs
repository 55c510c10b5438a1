//! Many lines into the store.
//!
//! Takes files of NDJSON, plain or gzip, and gives lines within bounds ([`lines`]) and of each line a valid resource or the
//! reason why it is none ([`line`]). Pure; `sql.rs` writes them in batches through the stamp and keeps count.

pub mod copy;
pub mod files;
pub mod line;
pub mod lines;

#[cfg(feature = "pg")]
mod sql;
