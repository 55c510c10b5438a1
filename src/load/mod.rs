//! Many resources into the store.
//!
//! Files ([`files`]) are one sequence of chunks of whole lines ([`source`], [`blocks`]). Threads ([`pipeline`]) turn each chunk into
//! rows that are ready to be stored and reasons why others are not ([`work`], [`line`]). All that is pure, and no thread ever calls the
//! server; `sql.rs` takes the results in order, in the backend's own thread, and `write.rs` writes them in batches.

pub mod blocks;
pub mod copy;
pub mod files;
pub mod line;
pub mod pipeline;
pub mod source;
pub mod work;

#[cfg(feature = "pg")]
mod sql;
#[cfg(feature = "pg")]
mod write;
