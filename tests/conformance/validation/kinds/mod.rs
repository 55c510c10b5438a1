//! Ways to break one rule of a valid resource.

mod bindings;
mod invariants;
mod profiles;
mod structure;

use crate::places::Place;
use serde_json::Value;

/// The levels of validation; each asks what the ones before it ask.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Level {
    Structure,
    Invariants,
    Bindings,
    Profile,
}

pub struct Kind {
    pub name: &'static str,
    /// Which level has to find it, if none before does.
    pub level: Level,
    /// Places that are worth a try.
    pub on: fn(&Place) -> bool,
    /// Breaks the resource at that place; false where it cannot be broken there.
    pub make: fn(&mut Value, &Place) -> bool,
}

/// What needs no profile.
pub fn all() -> impl Iterator<Item = &'static Kind> {
    structure::KINDS.iter().chain(invariants::KINDS).chain(bindings::KINDS)
}

pub use profiles::broken as broken_profiles;

/// Puts a value in the place of another.
fn replace(root: &mut Value, place: &Place, by: Value) -> bool {
    place.value(root).is_some_and(|value| {
        *value = by;
        true
    })
}

/// Changes the object at a place.
fn within(root: &mut Value, place: &Place, change: impl FnOnce(&mut serde_json::Map<String, Value>) -> bool) -> bool {
    place.value(root).and_then(Value::as_object_mut).is_some_and(change)
}
