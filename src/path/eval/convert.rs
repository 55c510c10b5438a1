//! Conversion between the System types: <http://hl7.org/fhirpath/N1/#conversion>.

use super::item::{Element, Item};
use super::moment::{Calendar, Moment};
use super::quantity::{Quantity, Unit};
use super::value::Value;
use crate::json::Node;
use rust_decimal::Decimal;
use std::borrow::Cow;

pub(super) fn to_boolean(item: &Item<'_>) -> Option<bool> {
    match item.value() {
        Value::Boolean(value) => Some(value),
        Value::Integer(0) => Some(false),
        Value::Integer(1) => Some(true),
        Value::Decimal(value) if value == Decimal::ZERO => Some(false),
        Value::Decimal(value) if value == Decimal::ONE => Some(true),
        Value::String(text) => {
            let is = |words: [&str; 6]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
            if is(["true", "t", "yes", "y", "1", "1.0"]) {
                Some(true)
            } else if is(["false", "f", "no", "n", "0", "0.0"]) {
                Some(false)
            } else {
                None
            }
        }
        _ => None,
    }
}

pub(super) fn to_integer(item: &Item<'_>) -> Option<i64> {
    match item.value() {
        Value::Integer(value) => Some(value),
        Value::Boolean(value) => Some(value.into()),
        Value::String(text) if is_number(text, false) => text.parse::<i32>().ok().map(i64::from),
        _ => None,
    }
}

/// A number with too many digits stays what it is.
pub(super) fn to_decimal<'a>(item: Item<'a>) -> Option<Item<'a>> {
    let value = match item.value() {
        Value::Integer(value) => Decimal::from(value),
        Value::Decimal(value) => value,
        Value::Boolean(value) => Decimal::from(u8::from(value)),
        Value::String(text) => parse_decimal(text)?,
        Value::Large(_) => return Some(item),
        _ => return None,
    };
    Some(Item::Decimal(value))
}

pub(super) fn to_text<'a>(item: Item<'a>) -> Option<Cow<'a, str>> {
    // A date of a document is told as it stands there.
    if let Item::Element(Element { node: Node::String(text), .. }) = item {
        return Some(Cow::Borrowed(text));
    }
    if let Item::String(text) = item {
        return Some(text);
    }
    Some(Cow::Owned(match item.value() {
        Value::Nothing | Value::String(_) => return None,
        Value::Boolean(value) => value.to_string(),
        Value::Integer(value) => value.to_string(),
        Value::Decimal(value) => value.to_string(),
        Value::Large(number) => number.to_decimal_string(),
        Value::Date(moment) | Value::DateTime(moment) | Value::Time(moment) => moment.to_string(),
        Value::Quantity(quantity) => quantity.to_string(),
    }))
}

pub(super) fn to_date(item: &Item<'_>) -> Option<Moment> {
    match item.value() {
        Value::Date(moment) => Some(moment),
        Value::DateTime(moment) => Some(moment.date_part()),
        Value::String(text) => Moment::date_time(text).map(Moment::date_part),
        _ => None,
    }
}

pub(super) fn to_date_time(item: &Item<'_>) -> Option<Moment> {
    match item.value() {
        Value::Date(moment) | Value::DateTime(moment) => Some(moment),
        Value::String(text) => Moment::date_time(text),
        _ => None,
    }
}

pub(super) fn to_time(item: &Item<'_>) -> Option<Moment> {
    match item.value() {
        Value::Time(moment) => Some(moment),
        Value::String(text) => Moment::time(text),
        _ => None,
    }
}

/// In another unit, where one is named.
pub(super) fn to_quantity<'a>(item: &Item<'a>, unit: Option<&str>) -> Option<Quantity<'a>> {
    let of_one = |value| Quantity { value, unit: Unit::one() };
    let quantity = match item.value() {
        Value::Integer(value) => of_one(Decimal::from(value)),
        Value::Decimal(value) => of_one(value),
        Value::Boolean(value) => of_one(Decimal::from(u8::from(value))),
        Value::Quantity(quantity) => Quantity { value: quantity.value, unit: quantity.unit.into_owned() },
        Value::String(text) => parse_quantity(text)?,
        _ => return None,
    };
    match unit {
        None => Some(quantity),
        Some(code) => {
            let unit = Unit::code(Cow::Owned(code.to_owned()));
            Some(Quantity { value: quantity.converted(&unit)?, unit })
        }
    }
}

/// `[+-]?\d+`, with decimals where they may stand.
fn is_number(text: &str, decimals: bool) -> bool {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (whole, fraction) = match digits.split_once('.') {
        Some((whole, fraction)) if decimals => (whole, fraction),
        Some(_) => return false,
        None => (digits, "0"),
    };
    [whole, fraction].iter().all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()))
}

fn parse_decimal(text: &str) -> Option<Decimal> {
    if !is_number(text, true) {
        return None;
    }
    Decimal::from_str_exact(text.strip_prefix('+').unwrap_or(text)).ok()
}

/// `4`, `4 days`, `4 'mg'`
fn parse_quantity(text: &str) -> Option<Quantity<'static>> {
    let text = text.trim();
    let end = text.find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | '+' | '-'))).unwrap_or(text.len());
    let (number, rest) = text.split_at(end);
    let value = parse_decimal(number)?;
    let rest = rest.trim_start();
    let unit = if rest.is_empty() {
        Unit::one()
    } else if let Some(code) = rest.strip_prefix('\'') {
        let code = code.strip_suffix('\'').filter(|code| !code.is_empty() && !code.contains('\''))?;
        Unit::code(Cow::Owned(code.to_owned()))
    } else {
        Unit::Calendar(Calendar::named(rest)?)
    };
    Some(Quantity { value, unit })
}
