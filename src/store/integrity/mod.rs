//! Referential integrity: whether what a resource points at is there, and what points at a resource that goes.
//!
//! Takes the resource of a row and its keys; gives its literal references with their places ([`literal`]), and those of them that
//! no search parameter finds again ([`unindexed`]); and keeps book of what a transaction deletes ([`Deletions`]). `sql.rs` holds the
//! triggers that check them, and what reads them from the index.
//! <https://hl7.org/fhir/R4/references.html>

mod deletions;
mod references;

#[cfg(feature = "pg")]
mod sql;

pub use deletions::{Deletions, Moment, Turn};
pub use references::{Reference, literal, parameters, unindexed};
