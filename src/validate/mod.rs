//! Validation: a resource goes in, issues come out. This level is the structure that the base definitions give
//! (<https://hl7.org/fhir/R4/validation.html>): known properties, cardinality, the JSON form, primitive formats, choices,
//! reference targets and required codes. Invariants and profiles build on it.

mod issue;
mod place;
pub mod primitive;
pub mod profile;
mod shape;
#[cfg(feature = "pg")]
mod sql;
mod structure;

pub use issue::{Issue, Severity, is_valid, issues};
pub use structure::{MAX_DEPTH, structure};

#[cfg(test)]
mod tests;
