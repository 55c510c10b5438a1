//! Batches and transactions. <https://hl7.org/fhir/R4/http.html#transaction>
//!
//! `entries.rs` reads the requests of a Bundle and puts them in order, [`crate::store::links`] replaces links between its resources:
//! both pure. `run.rs` processes them.

pub mod entries;

#[cfg(feature = "pg")]
pub mod run;
