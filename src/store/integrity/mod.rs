//! Referential integrity: whether what a resource points at is there, and what points at a resource that goes.
//!
//! Takes the resource of a row and its keys; gives its literal references with their places ([`literal`]), and those of them that
//! no search parameter finds again ([`unindexed`]). `sql.rs` holds the trigger that checks them, and what reads them from the index.
//! <https://hl7.org/fhir/R4/references.html>

mod references;

#[cfg(feature = "pg")]
mod sql;

pub use references::{Reference, literal, parameters, unindexed};
