//! What an item is worth to operators and functions: <https://hl7.org/fhir/R4/fhirpath.html#types>.

use super::item::{Element, Item, System};
use super::moment::{Calendar, Moment};
use super::quantity::{Quantity, Unit};
use crate::json::number::Number;
use crate::json::{Node, Object};
use crate::model;
use rust_decimal::Decimal;
use std::borrow::Cow;

/// The system of UCUM codes in FHIR.
const UCUM: &str = "http://unitsofmeasure.org";

/// A value of a System type.
#[derive(Clone, Debug)]
pub(super) enum Value<'i> {
    /// Parts without a value of their own; also a primitive that has none.
    Nothing,
    Boolean(bool),
    Integer(i64),
    Decimal(Decimal),
    /// A number of a document that has too many digits to count with.
    Large(Number<'i>),
    String(&'i str),
    Date(Moment),
    DateTime(Moment),
    Time(Moment),
    Quantity(Quantity<'i>),
}

impl<'a> Item<'a> {
    pub(super) fn value(&self) -> Value<'_> {
        match self {
            Item::Element(element) => element.value(),
            Item::Boolean(value) => Value::Boolean(*value),
            Item::Integer(value) => Value::Integer(*value),
            Item::Decimal(value) => Value::Decimal(*value),
            Item::String(text) => Value::String(text),
            Item::Date(moment) => Value::Date(*moment),
            Item::DateTime(moment) => Value::DateTime(*moment),
            Item::Time(moment) => Value::Time(*moment),
            Item::Quantity(quantity) => Value::Quantity(quantity.borrowed()),
            Item::Type(_) => Value::Nothing,
        }
    }

    /// The text of a string, code, uri, …
    #[inline]
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Item::String(text) => Some(text),
            Item::Element(Element { node: Node::String(text), .. }) => Some(text),
            _ => None,
        }
    }

    /// The text, for as long as the document lives where it is in the document.
    pub(super) fn into_text(self) -> Option<Cow<'a, str>> {
        match self {
            Item::String(text) => Some(text),
            Item::Element(Element { node: Node::String(text), .. }) => Some(Cow::Borrowed(text)),
            _ => None,
        }
    }

    /// A copy that borrows what this holds.
    #[inline]
    pub(super) fn borrowed<'i>(&'i self) -> Item<'i>
    where
        'a: 'i,
    {
        match self {
            Item::String(text) => Item::String(Cow::Borrowed(text)),
            Item::Quantity(quantity) => Item::Quantity(quantity.borrowed()),
            other => other.clone(),
        }
    }

    /// A value that lives on by itself; `None` for an element.
    pub(super) fn into_owned(self) -> Option<Item<'static>> {
        Some(match self {
            Item::Element(_) => return None,
            Item::Boolean(value) => Item::Boolean(value),
            Item::Integer(value) => Item::Integer(value),
            Item::Decimal(value) => Item::Decimal(value),
            Item::String(text) => Item::String(Cow::Owned(text.into_owned())),
            Item::Date(moment) => Item::Date(moment),
            Item::DateTime(moment) => Item::DateTime(moment),
            Item::Time(moment) => Item::Time(moment),
            Item::Quantity(Quantity { value, unit }) => Item::Quantity(Quantity { value, unit: unit.into_owned() }),
            Item::Type(name) => Item::Type(name),
        })
    }

    /// The System value that an element stands for, in a collection of its own.
    pub(super) fn into_system(self) -> Option<Item<'a>> {
        match self {
            Item::Element(element) => element.system_value(),
            Item::Type(_) => None,
            other => Some(other),
        }
    }
}

impl<'a> Quantity<'a> {
    fn borrowed(&self) -> Quantity<'_> {
        let unit = match &self.unit {
            Unit::Calendar(calendar) => Unit::Calendar(*calendar),
            Unit::Ucum(code) => Unit::Ucum(Cow::Borrowed(code)),
            Unit::Text(text) => Unit::Text(Cow::Borrowed(text)),
        };
        Quantity { value: self.value, unit }
    }
}

impl<'a> Element<'a> {
    /// The number as it stands in the document: the element itself, or that of a Quantity which is a certain amount.
    pub(super) fn number(&self) -> Option<Number<'a>> {
        match self.node {
            Node::Number(number) => Some(number),
            Node::Object(object) if System::of(self.ty) == Some(System::Quantity) => amount(object),
            _ => None,
        }
    }

    pub(super) fn value(&self) -> Value<'a> {
        match self.node {
            Node::String(text) => match self.ty {
                model::DATE => Moment::date(text).map_or(Value::String(text), Value::Date),
                model::DATE_TIME | model::INSTANT => Moment::date_time(text).map_or(Value::String(text), Value::DateTime),
                model::TIME => Moment::time(text).map_or(Value::String(text), Value::Time),
                _ => Value::String(text),
            },
            Node::Bool(value) => Value::Boolean(value),
            Node::Number(number) => number_value(number, self.ty == model::DECIMAL),
            Node::Object(object) if System::of(self.ty) == Some(System::Quantity) => quantity(object).map_or(Value::Nothing, Value::Quantity),
            _ => Value::Nothing,
        }
    }

    /// The same as an item.
    pub(super) fn system_value(self) -> Option<Item<'a>> {
        Some(match self.value() {
            Value::Nothing => return None,
            // stays what it is, with all its digits
            Value::Large(_) => Item::Element(self),
            Value::Boolean(value) => Item::Boolean(value),
            Value::Integer(value) => Item::Integer(value),
            Value::Decimal(value) => Item::Decimal(value),
            Value::String(text) => Item::String(Cow::Borrowed(text)),
            Value::Date(moment) => Item::Date(moment),
            Value::DateTime(moment) => Item::DateTime(moment),
            Value::Time(moment) => Item::Time(moment),
            Value::Quantity(quantity) => Item::Quantity(quantity),
        })
    }
}

fn number_value(number: Number<'_>, is_decimal: bool) -> Value<'_> {
    match number.as_scaled() {
        Some((value, 0)) if !is_decimal && i64::try_from(value).is_ok() => Value::Integer(value as i64),
        Some((value, scale)) => Decimal::try_from_i128_with_scale(value, scale).map_or(Value::Large(number), Value::Decimal),
        None => Value::Large(number),
    }
}

/// The number of a FHIR Quantity that is a certain amount, with all its digits.
fn amount(object: Object<'_>) -> Option<Number<'_>> {
    if object.get("comparator").is_some() {
        return None;
    }
    object.get("value")?.as_number()
}

/// A FHIR Quantity as one of FHIRPath; `None` where it has no value, or a comparator, so that it is no certain amount.
fn quantity(object: Object<'_>) -> Option<Quantity<'_>> {
    let value = match number_value(amount(object)?, true) {
        Value::Decimal(value) => value,
        _ => return None,
    };
    let text = |name| object.get(name).and_then(Node::as_str);
    let unit = match (text("system"), text("code"), text("unit")) {
        (Some(UCUM), Some(code), _) => match code {
            "a" => Unit::Calendar(Calendar::Year),
            "mo" => Unit::Calendar(Calendar::Month),
            code => Unit::Ucum(Cow::Borrowed(code)),
        },
        (None, Some(text), _) | (_, None, Some(text)) => Unit::Text(Cow::Borrowed(text)),
        (Some(_), Some(code), _) => Unit::Text(Cow::Borrowed(code)),
        (_, None, None) => Unit::one(),
    };
    Some(Quantity { value, unit })
}
