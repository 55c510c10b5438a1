//! Ready-made views: of a resource type, or of an element of it that repeats, the ViewDefinition that follows from the definitions.
//!
//! A type has one flat view with a row for each resource: what does not repeat lies in it as columns, nested elements with their name
//! in front; of what repeats it has what most people ask for, such as the official name. A *side view* has a row for each of the values
//! that repeat, with the id of the resource and a number.
//!
//! How a datatype lies in columns is data, [`crate::model::view_columns`].

mod analysts;
mod columns;
mod error;
mod keys;
mod names;
mod patient;
mod present;
mod side;
#[cfg(feature = "pg")]
mod sql;
#[cfg(test)]
mod tests;

pub use analysts::{Analyst, analysts};
pub use error::ReadyError;
pub use keys::{Relationship, relationships};
pub use present::view_definition;
pub use side::side_views;

use crate::model::{self, TypeId};
use columns::Flat;

/// A view, as its ViewDefinition describes it.
#[derive(Debug)]
pub struct View {
    pub name: String,
    pub description: String,
    pub resource: TypeId,
    pub select: Select,
    /// Of a side view of something nested: the side view of what is around it.
    pub outer: Option<Outer>,
}

#[derive(Debug)]
pub struct Outer {
    pub name: String,
    /// How many columns its key has; they have the same names in both.
    pub key: usize,
}

/// Columns, and further rows below them.
#[derive(Debug)]
pub struct Select {
    pub rows: Rows,
    pub columns: Vec<Column>,
    pub inner: Vec<Select>,
}

/// What there is a row for.
#[derive(Debug, PartialEq)]
pub enum Rows {
    /// Each value around.
    Same,
    /// Each value that a path leads to.
    Each(String),
    /// Each value that the paths lead to, and again from there.
    Repeat(Vec<String>),
}

#[derive(Debug)]
pub struct Column {
    pub name: String,
    /// FHIRPath from what the row is of.
    pub path: String,
    /// A FHIR primitive type.
    pub ty: TypeId,
    pub description: String,
    pub key: Option<Key>,
}

/// What a column identifies.
#[derive(Debug, Clone, PartialEq)]
pub enum Key {
    /// The row, together with others of that kind. In a side view the first one is the resource.
    Row,
    /// A resource of one of the types; which one is told by the column of that name.
    Resource(Vec<TypeId>, Option<String>),
}

/// The view of a resource type, or the side view of an element of it: `component`, `component.referenceRange`.
///
/// # Errors
/// No such type, no such element, an element that does not repeat.
pub fn view(ty: &str, element: Option<&str>) -> Result<View, ReadyError> {
    let resource = model::type_named(ty).filter(|ty| ty.is_concrete_resource()).ok_or_else(|| ReadyError::NoType { name: ty.to_owned() })?;
    match element {
        None => Ok(whole(resource)),
        Some(element) => side::side_view(resource, element),
    }
}

/// What the view of a resource type is called.
pub fn name_of(resource: TypeId) -> String {
    names::fitting(names::snake(resource.name()))
}

fn whole(resource: TypeId) -> View {
    let mut flat = Flat::of(resource);
    flat.add("id", "getResourceKey()", model::ID, "Identifies the resource among those of its type".into(), Some(Key::Row));
    flat.patient();
    flat.add("version_id", "meta.versionId", model::ID, "Version of the resource".into(), None);
    flat.add("last_updated", "meta.lastUpdated", model::INSTANT, "When this version was stored".into(), None);
    flat.elements(resource);
    flat.extensions();
    View {
        name: name_of(resource),
        description: format!("{}: one row for each {}", resource.get().short, resource.name()),
        resource,
        select: Select { rows: Rows::Same, columns: flat.columns, inner: Vec::new() },
        outer: None,
    }
}
