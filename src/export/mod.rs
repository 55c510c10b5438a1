//! Resources out of the store, as files.
//!
//! Takes what is asked ([`request`]), reads it by a statement for each type ([`statement`]), makes lines ([`lines`]) or a table
//! ([`table`]) of it on other threads ([`stream`], [`pool`]), and leaves files ([`folder`], [`file`]) with a manifest ([`manifest`]) as
//! [Bulk Data Access](https://hl7.org/fhir/uv/bulkdata/STU2/export.html) has them. [`query`] does the same with any query. Pure but
//! for the files `sql.rs`.

pub mod error;
pub mod file;
pub mod folder;
pub mod lines;
pub mod manifest;
pub mod members;
pub mod pool;
pub mod query;
pub mod request;
pub mod sink;
pub mod statement;
pub mod stream;
pub mod table;

#[cfg(feature = "pg")]
mod sql;
