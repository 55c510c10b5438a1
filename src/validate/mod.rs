//! Validation: a resource goes in, issues come out. This level is the structure that the base definitions give
//! (<https://hl7.org/fhir/R4/validation.html>): known properties, cardinality, the JSON form, primitive formats, choices,
//! reference targets and required codes. Invariants and profiles build on it.

mod bindings;
mod codes;
mod constraints;
mod issue;
#[cfg(feature = "pg")]
mod lake;
mod level;
mod outcome;
mod place;
pub mod primitive;
pub mod profile;
mod rules;
pub mod schema;
mod shape;
#[cfg(feature = "pg")]
mod sql;
mod structure;
mod text;

pub use issue::{Issue, Issues, MAX_ISSUES, Severity, is_valid, issues};
#[cfg(feature = "pg")]
pub use lake::{issues_of, refused};
pub use level::{Level, World, check};
pub use outcome::{outcome, validation};
pub use structure::{MAX_DEPTH, structure};

#[cfg(test)]
mod tests;
