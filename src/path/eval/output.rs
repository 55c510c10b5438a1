//! Items as JSON and as text.

use super::convert;
use super::item::{Element, Item, System};
use super::moment::{Moment, Precision};
use super::quantity::{Quantity, Unit};
use super::value::Value;
use crate::json::number::encode;
use crate::json::{self, JsonError, Node};
use crate::model::TypeId;
use std::borrow::Cow;

/// The system of UCUM codes in FHIR.
const UCUM: &str = "http://unitsofmeasure.org";

/// Whether the values of the type are texts in JSON.
fn is_text(ty: TypeId) -> bool {
    matches!(System::of(ty), Some(System::String | System::Date | System::DateTime | System::Time))
}

impl<'a> Item<'a> {
    /// As JSON: an element as it stands in the document, a date as its text, a quantity as FHIR has it.
    pub fn to_json(&self) -> json::Item<'_> {
        let text = |text: String| json::Item::String(Cow::Owned(text));
        let number = |text: String| match encode(&text) {
            Some(Ok(datum)) => json::Item::Number(Cow::Owned(datum)),
            _ => json::Item::Null,
        };
        match self {
            Item::Element(element) => json::Item::Node(element.node()),
            Item::Boolean(value) => json::Item::Bool(*value),
            Item::Integer(value) => number(value.to_string()),
            Item::Decimal(value) => number(value.to_string()),
            Item::String(text) => json::Item::String(Cow::Borrowed(text)),
            Item::Date(moment) | Item::DateTime(moment) | Item::Time(moment) => text(moment.to_string()),
            Item::Quantity(Quantity { value, unit }) => {
                let mut members = vec![(Cow::Borrowed("value"), number(value.to_string()))];
                let member = |name, text: &str| (Cow::Borrowed(name), json::Item::String(Cow::Owned(text.to_owned())));
                members.push(member("unit", unit.text()));
                if let Unit::Ucum(code) = unit {
                    members.push(member("code", code));
                    members.push(member("system", UCUM));
                }
                json::Item::Object(members)
            }
            Item::Type(name) => json::Item::Object(
                [("namespace", name.namespace), ("name", name.name)]
                    .map(|(key, text)| (Cow::Borrowed(key), json::Item::String(Cow::Borrowed(text))))
                    .into(),
            ),
        }
    }

    /// The bytes of a container that holds it.
    pub fn to_container(&self) -> Result<Vec<u8>, JsonError> {
        json::write(&self.to_json())
    }

    /// As `toString()`, and what has parts as JSON; `None` for a primitive without a value, or with a number or boolean where its type
    /// has a text.
    pub fn to_text(&self) -> Option<Cow<'_, str>> {
        match self {
            Item::Element(Element { node: Node::Null, .. }) => None,
            Item::Element(Element { node: Node::Number(_) | Node::Bool(_), ty, .. }) if is_text(*ty) => None,
            Item::Element(Element { node: node @ (Node::Object(_) | Node::Array(_)), .. }) => Some(Cow::Owned(format!("{node:?}"))),
            Item::Type(name) => Some(Cow::Owned(format!("{}.{}", name.namespace, name.name))),
            item => convert::to_text(item.borrowed()),
        }
    }

    /// The number as the server stores it, without its length word; `None` for what is no number. Every digit is kept.
    pub fn to_number(&self) -> Option<Vec<u8>> {
        if let Item::Element(element) = self {
            return element.number().map(|number| number.bytes().to_vec());
        }
        match self.value() {
            Value::Integer(value) => encode(&value.to_string())?.ok(),
            Value::Decimal(value) => encode(&value.to_string())?.ok(),
            Value::Quantity(quantity) => encode(&quantity.value.to_string())?.ok(),
            _ => None,
        }
    }

    /// Days since 2000-01-01, of a date or date-time; of one that is known to the month or year, its first day.
    pub fn to_days(&self) -> Option<i32> {
        self.moment()?.days()
    }

    /// Microseconds since 2000-01-01 UTC of the first instant of a date or date-time. Without a zone it is read as UTC.
    pub fn to_microseconds(&self) -> Option<i64> {
        self.moment()?.microseconds()
    }

    /// The date or date-time; of a document one that FHIR can write, which ends neither in `T` nor with the hour.
    fn moment(&self) -> Option<Moment> {
        let (Value::Date(moment) | Value::DateTime(moment)) = self.value() else { return None };
        let is_cut = moment.precision == Precision::Hour || self.text().is_some_and(|text| text.ends_with('T'));
        (!is_cut || self.as_element().is_none()).then_some(moment)
    }

    /// Microseconds since midnight, of a time.
    pub fn to_time_of_day(&self) -> Option<i64> {
        match self.value() {
            Value::Time(moment) => moment.time_of_day(),
            _ => None,
        }
    }

    /// A whole number.
    pub fn to_integer(&self) -> Option<i64> {
        match self.value() {
            Value::Integer(value) => Some(value),
            _ => None,
        }
    }

    /// A boolean.
    pub fn to_boolean(&self) -> Option<bool> {
        match self.value() {
            Value::Boolean(value) => Some(value),
            _ => None,
        }
    }
}
