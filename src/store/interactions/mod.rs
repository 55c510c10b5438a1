//! The interactions of the RESTful API, <https://hl7.org/fhir/R4/http.html>, on a lake.
//!
//! Each takes a connection and the name of a lake and works with the rights of the caller. All writes go through the triggers
//! of the tables, like a user's own INSERT, UPDATE and DELETE. `precondition.rs`, `criteria.rs`, `patch_kind.rs` and the
//! request, the statement and the Bundle in `history/` are pure; `reading.rs`, `writing.rs`, `patching.rs`, `conditional.rs`
//! and `history/run.rs` ask the lake; `sql.rs` binds them to the functions of schema `fhir`.
//!
//! Who handles many resources in one call opens a connection for each, so that its memory goes with it.
//!
//! SQLSTATEs of their own: FH404 there is no such resource or version, FH410 it was deleted, FH412 a precondition failed,
//! FH409 another writer came first, FH422 a patch does not apply to the resource. 40001 where the isolation level of the transaction does not let a writer go on.

pub mod criteria;
pub mod history;
pub mod patch_kind;
pub mod precondition;

#[cfg(feature = "pg")]
pub mod conditional;
#[cfg(feature = "pg")]
pub mod patching;
#[cfg(feature = "pg")]
pub mod reading;
#[cfg(feature = "pg")]
mod sql;
#[cfg(feature = "pg")]
pub(crate) mod tables;
#[cfg(feature = "pg")]
pub mod writing;

#[cfg(feature = "pg")]
pub use conditional::found;
#[cfg(feature = "pg")]
pub use patching::{patch, patch_where};
#[cfg(feature = "pg")]
pub use reading::{read, vread};
#[cfg(feature = "pg")]
pub use writing::{create, delete, delete_where, update, update_where};

/// There is no such resource, or no such version of it.
pub const NOT_FOUND: &str = "FH404";
/// The resource was deleted.
pub const GONE: &str = "FH410";
/// Another writer came first.
pub const CONFLICT: &str = "FH409";
/// `if_match` names another version, or a condition has several matches.
pub const PRECONDITION_FAILED: &str = "FH412";

/// A resource as it is stored.
#[derive(Clone, Debug, PartialEq)]
pub struct Stored {
    pub id: String,
    pub version: i64,
    /// Microseconds since 2000-01-01 UTC.
    pub last_updated: i64,
    /// The container of the resource.
    pub resource: Vec<u8>,
}

/// What became of a write.
#[derive(Clone, Debug, PartialEq)]
pub struct Written {
    pub stored: Stored,
    pub outcome: Outcome,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A resource where there was none: 201 in HTTP.
    Created,
    /// A new version; or the same, where nothing changed: 200 in HTTP.
    Updated,
    /// The one match of a conditional create, which is left as it is: 200 in HTTP.
    Found,
}
