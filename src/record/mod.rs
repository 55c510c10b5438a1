//! The patient's view: the whole record, the record in time order, and a picture of it.
//!
//! `event` turns one resource into one line (when, what, value, status), by the tables of `fhir-schemas/headlines.tsv`;
//! `value` says values in words. `references` lists what a resource points at; `everything` is the operation of that name.
//! `timeline` writes the statement that reads a record in the order of its index. `picture` draws events as SVG.
//! Pure, but for `sql.rs`.

pub mod ask;
pub mod event;
pub mod everything;
pub mod picture;
pub mod references;
pub mod timeline;
pub mod value;
#[cfg(feature = "pg")]
mod sql;

pub use event::{Event, Precision, event};
