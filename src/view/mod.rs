//! Flat tables: a ViewDefinition of SQL on FHIR v2 in, SQL with typed columns out.
//!
//! `definition` reads it and tells what is wrong where; `statement` writes the SELECT; `rows` makes the rows of what repeats; `implied` tells
//! what a condition on a column says of the keys, so that the planner can use the index.
//! Pure, but for `sql.rs`. <https://sql-on-fhir.org/ig/2.0.0/StructureDefinition-ViewDefinition.html>

mod constant;
pub mod definition;
mod error;
pub mod implied;
mod kind;
pub mod profile;
pub mod ready;
pub mod rows;
#[cfg(feature = "pg")]
mod sql;
pub mod statement;

#[cfg(test)]
mod tests;

pub use constant::quoted;
pub use definition::Definition;
pub use error::ViewError;
pub use kind::ColumnType;
