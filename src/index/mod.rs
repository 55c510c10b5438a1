//! Resource → keys, and queries over them.
//!
//! Takes a resource in jsonb and gives its [`Stamp`]; takes the text of a search and gives a [`Query`] that a
//! `fhir.keys` value matches or not. Pure, but for `sql.rs`; the operator class is in `pg/gin.rs`.

pub mod approximate;
pub mod between;
pub mod compartment;
pub mod decimal;
pub mod derived;
pub mod extract;
pub mod key;
pub mod keys;
pub mod known;
pub mod matches;
pub mod near;
pub mod operand;
pub mod query;
pub mod reads;
pub mod reserved;
pub mod scan;
pub mod sound;
pub mod split;
#[cfg(feature = "pg")]
mod sql;
pub mod text;
pub mod time;
pub mod ucum;
pub mod values;
#[cfg(test)]
mod tests;

pub use keys::Keys;
pub use query::Query;

use crate::json::Node;
use crate::model;

/// What the store keeps beside a resource.
#[derive(Debug)]
pub struct Stamp {
    /// The body of its `fhir.keys`.
    pub keys: Vec<u8>,
    /// The patients' compartments that it is in, as `Patient/id`; the first is its home.
    pub compartments: Vec<String>,
    /// Its clinical start in microseconds since 2000-01-01 UTC; [`time::OPEN_LOW`] if unknown.
    pub occurred: i64,
}

/// Everything that is computed from a resource when it is stored. Never fails: what is malformed gives no keys.
pub fn stamp(resource: Node) -> Stamp {
    let ty = resource.get("resourceType").and_then(Node::as_str).and_then(model::type_named);
    match ty.filter(|ty| is_resource(*ty)) {
        Some(ty) => extract::plan(ty).stamp(ty, resource),
        None => Stamp { keys: keys::Writer::new("").finish(), compartments: Vec::new(), occurred: time::OPEN_LOW },
    }
}

fn is_resource(ty: model::TypeId) -> bool {
    let ty = ty.get();
    ty.kind == model::Kind::Resource && !ty.is_abstract
}
