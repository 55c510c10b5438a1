//! A stored value as a tree of `serde_json`, with all digits of its numbers.
//!
//! It is made value by value, not by serde: with `arbitrary_precision` that would read an object with a certain key as a number.

use crate::json::Node;
use serde_json::{Map, Value};

/// The tree; `None` where the value has more than `depth` levels of arrays and objects.
pub(super) fn value(node: Node<'_>, depth: usize) -> Option<Value> {
    Some(match node {
        Node::Null => Value::Null,
        Node::Bool(value) => Value::Bool(value),
        Node::String(text) => Value::String(text.to_owned()),
        // jsonb has no number that JSON cannot write
        Node::Number(number) => number.to_decimal_string().parse().map_or(Value::Null, Value::Number),
        Node::Array(array) => {
            let depth = depth.checked_sub(1)?;
            let mut items = Vec::with_capacity(array.len());
            for item in array.iter() {
                items.push(value(item, depth)?);
            }
            Value::Array(items)
        }
        Node::Object(object) => {
            let depth = depth.checked_sub(1)?;
            let mut members = Map::new();
            for (key, item) in object.iter() {
                members.insert(key.to_owned(), value(item, depth)?);
            }
            Value::Object(members)
        }
    })
}
