//! The stored bytes as the crate reads a value: in place, nothing is copied but the digits of numbers.

use super::budget::{self, Stopped, step, stop};
use super::value::value;
use crate::json::{self, Array, Node, Number, Object};
use jsonschema::JsonType;
use jsonschema::json::{self as crates, Json, JsonNumber, NodeIdentity, cmp, unique};
use serde_json::Value;
use std::borrow::Cow;

/// The representation of values that the crate is told of.
pub struct Stored;

/// One stored value.
#[derive(Clone, Copy)]
pub struct Item<'a>(Node<'a>);

/// A stored number.
#[derive(Clone, Copy)]
pub struct Digits<'a>(Number<'a>);

/// Levels that are compared by `uniqueItems`.
const MAX_DEPTH: usize = 128;

impl Stored {
    /// The value of a node.
    pub fn node(node: Node<'_>) -> Item<'_> {
        Item(node)
    }
}

impl Json for Stored {
    type Node<'a> = Item<'a>;
    type PreparedKey = Box<str>;
    type StringBuffer = ();
    const KEYS_PER_LOOKUP: usize = 2;

    fn prepare_key(key: &str) -> Box<str> {
        key.into()
    }

    fn with_string_node<T>(_: &mut (), string: &str, f: impl FnOnce(Item<'_>) -> T) -> T {
        f(Item(Node::String(string)))
    }
}

impl<'a> crates::Node<'a, Stored> for Item<'a> {
    type Object = Object<'a>;
    type Array = Array<'a>;
    type Number = Digits<'a>;

    fn as_object(&self) -> Option<Object<'a>> {
        step();
        self.0.as_object()
    }

    fn as_array(&self) -> Option<Array<'a>> {
        step();
        self.0.as_array()
    }

    fn as_string(&self) -> Option<Cow<'a, str>> {
        let Some(text) = self.0.as_str() else {
            step();
            return None;
        };
        budget::text(text);
        Some(Cow::Borrowed(text))
    }

    fn as_number(&self) -> Option<Digits<'a>> {
        step();
        self.0.as_number().map(Digits)
    }

    fn as_boolean(&self) -> Option<bool> {
        self.0.as_bool()
    }

    fn is_null(&self) -> bool {
        self.0.is_null()
    }

    fn is_number(&self) -> bool {
        step();
        matches!(self.0, Node::Number(_))
    }

    fn is_string(&self) -> bool {
        step();
        matches!(self.0, Node::String(_))
    }

    fn json_type(&self) -> JsonType {
        step();
        match self.0 {
            Node::Null => JsonType::Null,
            Node::Bool(_) => JsonType::Boolean,
            Node::Number(_) => JsonType::Number,
            Node::String(_) => JsonType::String,
            Node::Array(_) => JsonType::Array,
            Node::Object(_) => JsonType::Object,
        }
    }

    fn equals_value(&self, expected: &Value) -> bool {
        step();
        equal(self.0, expected)
    }

    /// Containers are left out: the crate keeps the value only to put it into messages, and ours have none.
    fn to_value(&self) -> Cow<'a, Value> {
        Cow::Owned(value(self.0, 0).unwrap_or(Value::Null))
    }

    /// The check compares those on its way down, where each container lies within the one before and is at most one scalar.
    fn identity(&self) -> Option<NodeIdentity> {
        step();
        Some(match self.0 {
            Node::Array(array) => NodeIdentity::new(array.address()),
            Node::Object(object) => NodeIdentity::new(object.address()),
            Node::String(text) => NodeIdentity::tagged(text.as_ptr() as usize, 1),
            Node::Number(number) => NodeIdentity::tagged(number.bytes().as_ptr() as usize, 2),
            Node::Null => NodeIdentity::tagged(0, 3),
            Node::Bool(value) => NodeIdentity::tagged(0, 4 + u32::from(value)),
        })
    }
}

/// Recursion ends where the expected value does, whose depth is that of a schema.
fn equal(found: Node<'_>, expected: &Value) -> bool {
    match (found, expected) {
        (Node::Null, Value::Null) => true,
        (Node::Bool(found), Value::Bool(expected)) => found == *expected,
        (Node::String(found), Value::String(expected)) => found == expected,
        (Node::Number(found), Value::Number(_)) => cmp::equal(&number(found), expected),
        (Node::Array(found), Value::Array(expected)) => {
            found.len() == expected.len() && found.iter().zip(expected).all(|(found, expected)| equal(found, expected))
        }
        (Node::Object(found), Value::Object(expected)) => {
            found.len() == expected.len() && expected.iter().all(|(key, expected)| found.get(key).is_some_and(|found| equal(found, expected)))
        }
        _ => false,
    }
}

fn number(number: Number<'_>) -> Value {
    value(Node::Number(number), 0).unwrap_or(Value::Null)
}

impl<'a> crates::Object<'a, Stored> for Object<'a> {
    type Node = Item<'a>;
    type MemberName = &'a str;
    type MembersIter = Members<'a>;

    fn len(&self) -> usize {
        Object::len(self)
    }

    fn get(&self, key: &Box<str>) -> Option<Item<'a>> {
        Object::get(self, key).map(Item)
    }

    fn members(&self) -> Members<'a> {
        Members(self.iter())
    }
}

/// The members of an object.
pub struct Members<'a>(json::reader::ObjectIter<'a>);

impl<'a> Iterator for Members<'a> {
    type Item = (&'a str, Item<'a>);

    fn next(&mut self) -> Option<(&'a str, Item<'a>)> {
        let (key, node) = self.0.next()?;
        budget::name(key);
        Some((key, Item(node)))
    }
}

impl<'a> crates::Array<'a, Stored> for Array<'a> {
    type Node = Item<'a>;
    type ElementsIter = Elements<'a>;

    fn len(&self) -> usize {
        Array::len(self)
    }

    fn elements(&self) -> Elements<'a> {
        Elements(self.iter())
    }

    fn is_unique(&self) -> bool {
        let values: Vec<Value> = self
            .iter()
            .map(|item| {
                step();
                value(item, MAX_DEPTH).unwrap_or_else(|| stop(Stopped::TooDeep))
            })
            .collect();
        unique::is_unique(&values)
    }
}

/// The items of an array.
pub struct Elements<'a>(json::reader::ArrayIter<'a>);

impl<'a> Iterator for Elements<'a> {
    type Item = Item<'a>;

    fn next(&mut self) -> Option<Item<'a>> {
        self.0.next().map(Item)
    }
}

impl JsonNumber for Digits<'_> {
    fn as_u64(&self) -> Option<u64> {
        self.as_i64().and_then(|value| u64::try_from(value).ok())
    }

    fn as_i64(&self) -> Option<i64> {
        self.0.as_i64()
    }

    fn as_f64(&self) -> Option<f64> {
        Some(self.0.as_f64()).filter(|value| value.is_finite())
    }

    fn as_str(&self) -> Cow<'_, str> {
        Cow::Owned(self.0.to_decimal_string())
    }

    fn to_number(&self) -> Cow<'_, serde_json::Number> {
        Cow::Owned(self.0.to_decimal_string().parse().unwrap_or_else(|_| 0.into()))
    }

    fn is_integer(&self) -> bool {
        self.0.as_i64().is_some() || self.0.to_decimal_string().split_once('.').is_none_or(|(_, decimals)| decimals.bytes().all(|d| d == b'0'))
    }

    fn is_written_as_integer(&self) -> bool {
        self.0.scale() == 0
    }
}
