//! Resources out of the store, as files.
//!
//! Takes what is asked ([`request`]), reads it by a statement for each type ([`statement`]), makes text of it on other threads
//! ([`pool`], [`lines`]), and leaves files ([`file`]) with a manifest ([`manifest`]) as
//! [Bulk Data Access](https://hl7.org/fhir/uv/bulkdata/STU2/export.html) has them. Pure but for `sql.rs`.

pub mod file;
pub mod folder;
pub mod lines;
pub mod manifest;
pub mod members;
pub mod pool;
pub mod request;
pub mod sink;
pub mod statement;

#[cfg(feature = "pg")]
mod sql;
