//! Items without those that are equal to one before.

use super::compare::equal;
use super::item::Item;
use super::value::Value;
use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher, RandomState};

/// Up to so many are compared one by one.
const FEW: usize = 12;

/// A set of items in the order in which they came.
#[derive(Default)]
pub(super) struct Distinct<'a> {
    items: Vec<Item<'a>>,
    /// From hashes to places, once there are more than a few.
    places: Option<(RandomState, HashMap<u64, Vec<u32>>)>,
}

impl<'a> Distinct<'a> {
    pub fn len(&self) -> usize {
        self.items.len()
    }

    pub fn into_items(self) -> Vec<Item<'a>> {
        self.items
    }

    pub fn contains(&self, item: &Item<'_>) -> bool {
        let is = |place: &u32| self.items.get(*place as usize).is_some_and(|known| equal(known, item) == Some(true));
        match &self.places {
            None => self.items.iter().any(|known| equal(known, item) == Some(true)),
            Some((state, places)) => places.get(&hash(state, item)).is_some_and(|same| same.iter().any(is)),
        }
    }

    /// Whether it is new.
    pub fn insert(&mut self, item: &Item<'a>) -> bool {
        if self.contains(item) {
            return false;
        }
        let place = self.items.len() as u32;
        self.items.push(item.clone());
        match &mut self.places {
            Some((state, places)) => places.entry(hash(state, item)).or_default().push(place),
            None if self.items.len() > FEW => {
                let state = RandomState::new();
                let mut places: HashMap<u64, Vec<u32>> = HashMap::new();
                for (place, item) in self.items.iter().enumerate() {
                    places.entry(hash(&state, item)).or_default().push(place as u32);
                }
                self.places = Some((state, places));
            }
            None => {}
        }
        true
    }

    /// How many comparisons a look-up takes at most.
    pub fn cost(&self) -> u64 {
        if self.places.is_some() { 1 } else { self.items.len() as u64 }
    }
}

/// Equal for equal items.
fn hash(state: &RandomState, item: &Item<'_>) -> u64 {
    let mut hasher = state.build_hasher();
    match item.value() {
        Value::String(text) => hasher.write(text.as_bytes()),
        Value::Boolean(value) => hasher.write_u8(value.into()),
        number @ (Value::Integer(_) | Value::Decimal(_)) => {
            if let Some(value) = number.decimal() {
                hasher.write(&value.normalize().serialize());
            }
        }
        // zone and precision do not tell
        Value::Date(_) | Value::DateTime(_) => hasher.write_u8(2),
        Value::Time(_) => hasher.write_u8(3),
        Value::Quantity(_) => hasher.write_u8(4),
        Value::Large(_) => hasher.write_u8(5),
        Value::Nothing => {
            hasher.write_u8(6);
            if let Some(object) = item.as_element().and_then(|e| e.node.as_object()) {
                hasher.write_usize(object.len());
                if let Some((key, crate::json::Node::String(text))) = object.iter().next() {
                    hasher.write(key.as_bytes());
                    hasher.write(text.as_bytes());
                }
            }
        }
    }
    hasher.finish()
}
