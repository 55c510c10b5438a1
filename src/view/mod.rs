//! Flat tables: a ViewDefinition of SQL on FHIR v2 in, SQL out.
//!
//! Pure, but for `sql.rs`. <https://sql-on-fhir.org/ig/2.0.0/StructureDefinition-ViewDefinition.html>

pub mod implied;
