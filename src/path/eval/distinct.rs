//! Items without those that are equal to one before.

use super::compare::{Meter, equal};
use super::error::Stop;
use super::item::Item;
use super::quantity::{Quantity, Unit};
use super::value::Value;
use crate::json::Node;
use crate::json::number::Number;
use rust_decimal::Decimal;
use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher, RandomState};

/// Up to so many are compared one by one.
const FEW: usize = 12;
/// Levels of a document that are hashed; what lies below does not tell.
const MAX_DEPTH: usize = 1_000;

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

    /// Each comparison costs a step, and so does each part of an item that is hashed.
    pub fn contains(&self, item: &Item<'_>, meter: Meter<'_>) -> Result<bool, Stop> {
        match &self.places {
            None => is_among(self.items.iter(), item, meter),
            Some((state, places)) => self.is_at(places, hash(state, item, meter)?, item, meter),
        }
    }

    fn is_at(&self, places: &HashMap<u64, Vec<u32>>, hash: u64, item: &Item<'_>, meter: Meter<'_>) -> Result<bool, Stop> {
        let Some(same) = places.get(&hash) else { return Ok(false) };
        is_among(same.iter().filter_map(|place| self.items.get(*place as usize)), item, meter)
    }

    /// Whether it is new. The steps are those of [`Self::contains`].
    pub fn insert(&mut self, item: &Item<'a>, meter: Meter<'_>) -> Result<bool, Stop> {
        let place = self.items.len() as u32;
        match &mut self.places {
            None => {
                if is_among(self.items.iter(), item, meter)? {
                    return Ok(false);
                }
                self.items.push(item.clone());
                if self.items.len() > FEW {
                    let state = RandomState::new();
                    let mut places: HashMap<u64, Vec<u32>> = HashMap::new();
                    for (place, item) in self.items.iter().enumerate() {
                        places.entry(hash(&state, item, meter)?).or_default().push(place as u32);
                    }
                    self.places = Some((state, places));
                }
            }
            Some((state, places)) => {
                let same = places.entry(hash(state, item, meter)?).or_default();
                if is_among(same.iter().filter_map(|place| self.items.get(*place as usize)), item, meter)? {
                    return Ok(false);
                }
                same.push(place);
                self.items.push(item.clone());
            }
        }
        Ok(true)
    }
}

fn is_among<'i, 'a: 'i>(mut known: impl Iterator<Item = &'i Item<'a>>, item: &Item<'_>, meter: Meter<'_>) -> Result<bool, Stop> {
    for known in &mut known {
        meter(1)?;
        if equal(known, item, meter)? == Some(true) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Equal for equal items, and but for rare cases for them only.
fn hash(state: &RandomState, item: &Item<'_>, meter: Meter<'_>) -> Result<u64, Stop> {
    let mut hasher = state.build_hasher();
    match item.value() {
        Value::String(text) => text_into(&mut hasher, text, meter)?,
        Value::Boolean(value) => hasher.write_u8(value.into()),
        Value::Integer(value) => amount_into(&mut hasher, Decimal::from(value)),
        Value::Decimal(value) => amount_into(&mut hasher, value),
        Value::Large(number) => number_into(&mut hasher, number),
        Value::Date(moment) | Value::DateTime(moment) | Value::Time(moment) => {
            let (precision, is_zoned, nanos) = moment.identity();
            hasher.write_u8(2 + precision as u8);
            hasher.write_u8(is_zoned.into());
            hasher.write_i128(nanos);
        }
        Value::Quantity(quantity) => quantity_into(&mut hasher, &quantity),
        Value::Nothing => match item {
            Item::Element(element) => match element.node {
                Node::Null => match element.sibling() {
                    Some(sibling) => node_into(&mut hasher, Node::Object(sibling), 0, meter)?,
                    None => hasher.write_u8(0),
                },
                node => node_into(&mut hasher, node, 0, meter)?,
            },
            Item::Type(name) => hasher.write(name.name.as_bytes()),
            _ => {}
        },
    }
    Ok(hasher.finish())
}

fn text_into(hasher: &mut impl Hasher, text: &str, meter: Meter<'_>) -> Result<(), Stop> {
    meter(text.len() as u64 / 256)?;
    hasher.write(text.as_bytes());
    Ok(())
}

/// As a quantity without a unit, to which a number may be equal.
fn amount_into(hasher: &mut impl Hasher, value: Decimal) {
    hasher.write(&Quantity { value, unit: Unit::one() }.rounded().serialize());
}

fn number_into(hasher: &mut impl Hasher, number: Number<'_>) {
    let value = number.as_scaled().and_then(|(value, scale)| Decimal::try_from_i128_with_scale(value, scale).ok());
    if let Some(value) = value {
        return amount_into(hasher, value);
    }
    let text = number.to_decimal_string();
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    match Decimal::from_str_exact(text) {
        Ok(value) => amount_into(hasher, value),
        Err(_) => hasher.write(text.as_bytes()),
    }
}

fn quantity_into(hasher: &mut impl Hasher, quantity: &Quantity<'_>) {
    if let Some(measure) = quantity.unit.measure() {
        // a number has none
        if measure != "1" {
            hasher.write(measure.as_bytes());
        }
    } else {
        hasher.write(quantity.unit.text().as_bytes());
    }
    hasher.write(&quantity.rounded().serialize());
}

/// All parts, with their order, as [`equal`] compares them.
fn node_into(hasher: &mut impl Hasher, node: Node<'_>, depth: usize, meter: Meter<'_>) -> Result<(), Stop> {
    meter(1)?;
    if depth > MAX_DEPTH {
        return Ok(());
    }
    match node {
        Node::Null => hasher.write_u8(6),
        Node::Bool(value) => hasher.write_u8(7 + u8::from(value)),
        Node::String(text) => {
            hasher.write_u8(9);
            text_into(hasher, text, meter)?;
        }
        Node::Number(number) => number_into(hasher, number),
        Node::Array(array) => {
            hasher.write_usize(array.len());
            for item in array.iter() {
                node_into(hasher, item, depth + 1, meter)?;
            }
        }
        Node::Object(object) => {
            hasher.write_usize(object.len());
            for (key, item) in object.iter() {
                hasher.write(key.as_bytes());
                node_into(hasher, item, depth + 1, meter)?;
            }
        }
    }
    Ok(())
}
