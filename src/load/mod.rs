//! Many resources into the store.
//!
//! Files ([`files`], [`manifest`]) are one sequence of chunks ([`source`]): whole lines ([`blocks`]), or pieces of documents and Bundles
//! ([`documents`], [`balance`]). Threads ([`pipeline`]) turn each chunk into rows that are ready to be stored and reasons why others are
//! not ([`work`], [`bundle`], [`line`]), as the [`options`] say. All that is pure, and no thread ever calls the server.
//!
//! `sql.rs` takes the results in order, in the backend's own thread; `write.rs`, `current.rs` and `versions.rs` write them in batches,
//! `aside.rs` resolves references that are searches, `targets.rs` counts those that lead nowhere, and `journal.rs` keeps the books. [`copy`]
//! takes the lines that a client sends.

pub mod balance;
pub mod blocks;
pub mod bundle;
pub mod copy;
pub mod documents;
pub mod files;
pub mod line;
pub mod manifest;
pub mod options;
pub mod package;
pub mod pipeline;
pub mod source;
pub mod work;

#[cfg(feature = "pg")]
mod aside;
#[cfg(feature = "pg")]
mod current;
#[cfg(feature = "pg")]
mod journal;
#[cfg(feature = "pg")]
mod sql;
#[cfg(feature = "pg")]
mod targets;
#[cfg(feature = "pg")]
mod versions;
#[cfg(feature = "pg")]
mod write;
