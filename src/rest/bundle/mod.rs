//! Batches and transactions. <https://hl7.org/fhir/R4/http.html#transaction>
//!
//! `entries.rs` reads the requests of a Bundle and puts them in order, `references.rs` replaces links between its resources: both
//! pure. `run.rs` processes them.

pub mod entries;
pub mod references;

#[cfg(feature = "pg")]
pub mod run;
