//! history: the versions of a resource, of the resources of a type, or of all. <https://hl7.org/fhir/R4/http.html#history>
//!
//! What is current lies in the tables of the types, what was superseded in the table of history; both are read in the order of
//! their indexes, the latest first. A page ends where it is full, and a [`Cursor`] says where the next one begins.

pub mod bundle;
pub mod request;
#[cfg(feature = "pg")]
pub mod run;
pub mod statement;

pub use request::{Cursor, Request, Scope};
#[cfg(feature = "pg")]
pub use run::{bundle, page};

/// A version, as a row of history.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The resource type.
    pub ty: String,
    pub id: String,
    pub version: i64,
    /// Microseconds since 2000-01-01 UTC.
    pub last_updated: i64,
    /// The HTTP method of the interaction that made this version.
    pub method: String,
    /// The container of the resource; none for a deletion.
    pub resource: Option<Vec<u8>>,
}

impl Entry {
    /// What comes behind this one.
    pub fn cursor(&self) -> Cursor {
        Cursor { last_updated: self.last_updated, ty: self.ty.clone(), id: self.id.clone() }
    }
}
