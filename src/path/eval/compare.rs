//! Equality, equivalence and order: <http://hl7.org/fhirpath/N1/#equality>, <http://hl7.org/fhirpath/N1/#comparison>.

use super::error::{Flow, Stop};
use super::item::Item;
use super::quantity::{Quantity, Unit, equivalent as decimals_equivalent};
use super::value::Value;
use crate::json::Node;
use crate::json::number::Number;
use crate::path::compare::decimals;
use rust_decimal::Decimal;
use std::cmp::Ordering;

/// Levels of a document that are compared.
const MAX_DEPTH: usize = 1_100;

/// Counts the steps that a comparison takes, and ends it where they are used up.
pub(super) type Meter<'m> = &'m dyn Fn(u64) -> Flow;

/// For what has no parts.
pub(super) fn unmetered(_: u64) -> Flow {
    Ok(())
}

/// Why two values are in no order.
pub(super) enum NoOrder {
    /// One is too vague, or has no value.
    Unknown,
    /// They are of different kinds.
    Mismatch,
}

/// Whether two items are equal; `None` where that is not known.
pub(super) fn equal(a: &Item<'_>, b: &Item<'_>, meter: Meter<'_>) -> Result<Option<bool>, Stop> {
    if let (Some(a), Some(b)) = (plain_text(a), plain_text(b)) {
        return Ok(Some(a == b));
    }
    Ok(match (a.value(), b.value()) {
        (Value::Nothing, Value::Nothing) => match (a, b) {
            (Item::Element(a), Item::Element(b)) => Some(match (a.node, b.node) {
                (Node::Null, Node::Null) => match (a.sibling(), b.sibling()) {
                    (Some(a), Some(b)) => same(Node::Object(a), Node::Object(b), 0, meter)?,
                    (a, b) => a.is_none() == b.is_none(),
                },
                (a, b) => same(a, b, 0, meter)?,
            }),
            (Item::Type(a), Item::Type(b)) => Some(a == b),
            _ => Some(false),
        },
        (Value::Nothing, _) | (_, Value::Nothing) => Some(false),
        (a, b) => equal_values(&a, &b),
    })
}

/// The text of an item that can be compared as it stands: of no date or time.
#[inline]
fn plain_text<'i>(item: &'i Item<'_>) -> Option<&'i str> {
    match item {
        Item::String(text) => Some(text),
        Item::Element(element) => match element.node {
            Node::String(text) if !is_moment(element.ty) => Some(text),
            _ => None,
        },
        _ => None,
    }
}

pub(super) fn is_moment(ty: crate::model::TypeId) -> bool {
    use crate::model::{DATE, DATE_TIME, INSTANT, TIME};
    ty == DATE || ty == DATE_TIME || ty == INSTANT || ty == TIME
}

pub(super) fn equal_values(a: &Value<'_>, b: &Value<'_>) -> Option<bool> {
    Some(match (a, b) {
        (Value::Boolean(a), Value::Boolean(b)) => a == b,
        (Value::String(a), Value::String(b)) => a == b,
        (Value::Quantity(a), Value::Quantity(b)) => return a.order(b).map(Ordering::is_eq).or(if a.unit.is_comparable(&b.unit) {
            None
        } else if is_calendar(&a.unit) && is_calendar(&b.unit) {
            // years of the calendar against those of UCUM
            None
        } else {
            Some(false)
        }),
        (Value::Date(a) | Value::DateTime(a), Value::Date(b) | Value::DateTime(b)) | (Value::Time(a), Value::Time(b)) => {
            return a.order(b).map(Ordering::is_eq);
        }
        (a, b) => match order_numbers(a, b) {
            Some(order) => order.is_eq(),
            None => false,
        },
    })
}

fn is_calendar(unit: &Unit<'_>) -> bool {
    matches!(unit, Unit::Calendar(_)) || matches!(unit, Unit::Ucum(code) if matches!(&**code, "a" | "mo" | "wk" | "d" | "h" | "min" | "s" | "ms"))
}

/// The order of numbers, and of numbers and quantities without a unit.
fn order_numbers(a: &Value<'_>, b: &Value<'_>) -> Option<Ordering> {
    match (a, b) {
        (Value::Integer(a), Value::Integer(b)) => Some(a.cmp(b)),
        (Value::Large(a), Value::Large(b)) => Some(order_large(a, b)),
        (Value::Large(a), b) => Some(decimals(&a.to_decimal_string(), &b.decimal()?.to_string())),
        (a, Value::Large(b)) => Some(decimals(&a.decimal()?.to_string(), &b.to_decimal_string())),
        (Value::Quantity(a), b) => a.order(&Quantity { value: b.decimal()?, unit: Unit::one() }),
        (a, Value::Quantity(b)) => Quantity { value: a.decimal()?, unit: Unit::one() }.order(b),
        (a, b) => Some(a.decimal()?.cmp(&b.decimal()?)),
    }
}

fn order_large(a: &Number<'_>, b: &Number<'_>) -> Ordering {
    decimals(&a.to_decimal_string(), &b.to_decimal_string())
}

impl Value<'_> {
    /// The number, where it is one that can be counted with.
    pub fn decimal(&self) -> Option<Decimal> {
        match self {
            Value::Integer(value) => Some(Decimal::from(*value)),
            Value::Decimal(value) => Some(*value),
            _ => None,
        }
    }
}

impl Item<'_> {
    /// The order of two values, quantities of whatever units; `None` where there is none or it is not known.
    pub fn order(&self, other: &Item<'_>) -> Option<Ordering> {
        order(&self.value(), &other.value()).ok()
    }
}

/// The order of two values.
pub(super) fn order(a: &Value<'_>, b: &Value<'_>) -> Result<Ordering, NoOrder> {
    match (a, b) {
        (Value::String(a), Value::String(b)) => Ok(a.cmp(b)),
        (Value::Date(a) | Value::DateTime(a), Value::Date(b) | Value::DateTime(b)) | (Value::Time(a), Value::Time(b)) => {
            a.order(b).ok_or(NoOrder::Unknown)
        }
        (Value::Quantity(a), Value::Quantity(b)) => a.order(b).ok_or(NoOrder::Unknown),
        (Value::Nothing, _) | (_, Value::Nothing) => Err(NoOrder::Unknown),
        (Value::Quantity(_), Value::Integer(_) | Value::Decimal(_)) | (Value::Integer(_) | Value::Decimal(_), Value::Quantity(_)) => {
            order_numbers(a, b).ok_or(NoOrder::Unknown)
        }
        (a, b) => order_numbers(a, b).ok_or(NoOrder::Mismatch),
    }
}

/// Whether two items mean the same: strings whatever their case and blanks, numbers rounded to the coarser.
pub(super) fn equivalent(a: &Item<'_>, b: &Item<'_>, meter: Meter<'_>) -> Result<bool, Stop> {
    meter(1)?;
    Ok(match (a.value(), b.value()) {
        (Value::String(a), Value::String(b)) => texts_equivalent(a, b, meter)?,
        (Value::Quantity(a), Value::Quantity(b)) => a.is_equivalent(&b),
        (Value::Date(a) | Value::DateTime(a), Value::Date(b) | Value::DateTime(b)) | (Value::Time(a), Value::Time(b)) => a.is_equivalent(&b),
        (Value::Integer(a), Value::Integer(b)) => a == b,
        (Value::Nothing, Value::Nothing) => match (a, b) {
            (Item::Element(a), Item::Element(b)) => match (a.node, b.node) {
                (Node::Null, Node::Null) => equal(&Item::Element(*a), &Item::Element(*b), meter)? == Some(true),
                (a, b) => nodes_equivalent(a, b, 0, meter)?,
            },
            _ => equal(a, b, meter)? == Some(true),
        },
        (a, b) => match (a.decimal(), b.decimal()) {
            (Some(a), Some(b)) => decimals_equivalent(a, b),
            _ => equal_values(&a, &b) == Some(true),
        },
    })
}

/// Pairs the items of two lists of the same length off, each with the first that means the same.
///
/// Equivalence of numbers is no equivalence relation (1 ~ 1.4 and 1.4 ~ 1.38), so that nothing can be sorted or hashed here.
pub(super) fn paired<T: Copy>(
    a: impl Iterator<Item = T>,
    b: impl Iterator<Item = T>,
    meter: Meter<'_>,
    equivalent: &dyn Fn(T, T) -> Result<bool, Stop>,
) -> Result<bool, Stop> {
    let mut left: Vec<Option<T>> = b.map(Some).collect();
    // all before it are taken, so that lists in the same order take one look each
    let mut first = 0;
    for a in a {
        let mut found = None;
        for (place, b) in left.iter().enumerate().skip(first) {
            meter(1)?;
            if let Some(b) = *b
                && equivalent(a, b)?
            {
                found = Some(place);
                break;
            }
        }
        match found.and_then(|place| left.get_mut(place)) {
            Some(taken) => *taken = None,
            None => return Ok(false),
        }
        while left.get(first).is_some_and(Option::is_none) {
            first += 1;
        }
    }
    Ok(true)
}

fn texts_equivalent(a: &str, b: &str, meter: Meter<'_>) -> Result<bool, Stop> {
    if a == b {
        return Ok(true);
    }
    meter(a.len().min(b.len()) as u64 / 64)?;
    let folded = |text| {
        let text: &str = text;
        let words = text.split_whitespace().enumerate().flat_map(|(i, word)| (i > 0).then_some(' ').into_iter().chain(word.chars()));
        words.flat_map(char::to_lowercase)
    };
    Ok(folded(a).eq(folded(b)))
}

/// Whether two JSON values are the same. Numbers are compared by value, objects by all their members.
fn same(a: Node<'_>, b: Node<'_>, depth: usize, meter: Meter<'_>) -> Result<bool, Stop> {
    meter(1)?;
    if depth > MAX_DEPTH {
        return Ok(false);
    }
    Ok(match (a, b) {
        (Node::Null, Node::Null) => true,
        (Node::Bool(a), Node::Bool(b)) => a == b,
        (Node::String(a), Node::String(b)) => a == b,
        (Node::Number(a), Node::Number(b)) => numbers_same(a, b),
        (Node::Array(a), Node::Array(b)) => {
            if a.len() != b.len() {
                return Ok(false);
            }
            for (a, b) in a.iter().zip(b.iter()) {
                if !same(a, b, depth + 1, meter)? {
                    return Ok(false);
                }
            }
            true
        }
        (Node::Object(a), Node::Object(b)) => {
            if a.len() != b.len() {
                return Ok(false);
            }
            for ((k, a), (l, b)) in a.iter().zip(b.iter()) {
                if k != l || !same(a, b, depth + 1, meter)? {
                    return Ok(false);
                }
            }
            true
        }
        _ => false,
    })
}

fn numbers_same(a: Number<'_>, b: Number<'_>) -> bool {
    a == b
        || match (a.as_scaled(), b.as_scaled()) {
            // with the same digits behind the point the whole numbers tell
            (Some((a, scale)), Some((b, other))) if scale == other => a == b,
            _ => order_large(&a, &b).is_eq(),
        }
}

/// As [`same`], with equivalent strings and in any order.
fn nodes_equivalent(a: Node<'_>, b: Node<'_>, depth: usize, meter: Meter<'_>) -> Result<bool, Stop> {
    meter(1)?;
    if depth > MAX_DEPTH {
        return Ok(false);
    }
    Ok(match (a, b) {
        (Node::String(a), Node::String(b)) => texts_equivalent(a, b, meter)?,
        (Node::Number(a), Node::Number(b)) => {
            let decimal = |n: Number<'_>| n.as_scaled().and_then(|(v, s)| Decimal::try_from_i128_with_scale(v, s).ok());
            match (decimal(a), decimal(b)) {
                (Some(a), Some(b)) => decimals_equivalent(a, b),
                _ => numbers_same(a, b),
            }
        }
        (Node::Array(a), Node::Array(b)) => {
            a.len() == b.len() && paired(a.iter(), b.iter(), meter, &|a, b| nodes_equivalent(a, b, depth + 1, meter))?
        }
        (Node::Object(a), Node::Object(b)) => {
            if a.len() != b.len() {
                return Ok(false);
            }
            for ((k, a), (l, b)) in a.iter().zip(b.iter()) {
                if k != l || !nodes_equivalent(a, b, depth + 1, meter)? {
                    return Ok(false);
                }
            }
            true
        }
        (a, b) => same(a, b, depth, meter)?,
    })
}
