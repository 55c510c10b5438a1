//! Between `jsonb` and the tree that the crate `json-patch` works on, within bounds.
//!
//! Recursion is in plain loops, where a level takes little of the stack, and never deeper than [`MAX_DEPTH`].
//!
//! A tree is made value by value, not by serde: with `arbitrary_precision` that would read an object with a certain key as a
//! number.

use super::error::PatchError;
use crate::json::{self, Item, Node, number};
use crate::path::compare::decimals;
use serde_json::{Map, Value};
use std::borrow::Cow;

/// Levels of arrays and objects: no valid resource has more, with an array in each of the objects that validation follows.
pub const MAX_DEPTH: usize = 512;

/// What a patch may still use.
pub struct Budget {
    /// Of memory, in bytes: about what a tree takes.
    memory: usize,
    /// Values that may still be looked at or moved.
    work: usize,
}

impl Default for Budget {
    fn default() -> Budget {
        Budget { memory: super::MAX_BYTES, work: 200_000_000 }
    }
}

impl Budget {
    fn take(&mut self, bytes: usize) -> Result<(), PatchError> {
        self.memory = self.memory.checked_sub(bytes).ok_or_else(PatchError::too_large)?;
        self.work(1)
    }

    /// Counts values that are looked at or moved.
    pub fn work(&mut self, values: usize) -> Result<(), PatchError> {
        self.work = self.work.checked_sub(values).ok_or_else(PatchError::too_much_work)?;
        Ok(())
    }
}

/// Of a value in an array or on its own, and of one in an object with its key.
const VALUE: usize = 32;
const MEMBER: usize = 64;

/// The tree of a value, charged to the budget before it is made.
pub fn tree(node: Node<'_>, budget: &mut Budget) -> Result<Value, PatchError> {
    tree_at(node, MAX_DEPTH, budget)
}

fn tree_at(node: Node<'_>, depth: usize, budget: &mut Budget) -> Result<Value, PatchError> {
    budget.take(VALUE)?;
    let inner = || depth.checked_sub(1).ok_or_else(PatchError::too_deep);
    Ok(match node {
        Node::Null => Value::Null,
        Node::Bool(value) => Value::Bool(value),
        Node::String(text) => {
            budget.take(text.len())?;
            Value::String(text.to_owned())
        }
        Node::Number(number) => {
            let text = number.to_decimal_string();
            budget.take(text.len())?;
            Value::Number(text.parse().map_err(|_| PatchError::malformed("not a number of JSON"))?)
        }
        Node::Array(array) => {
            let depth = inner()?;
            let mut items = Vec::new();
            for item in array.iter() {
                items.push(tree_at(item, depth, budget)?);
            }
            Value::Array(items)
        }
        Node::Object(object) => {
            let depth = inner()?;
            let mut members = Map::new();
            for (key, value) in object.iter() {
                budget.take(MEMBER + key.len())?;
                members.insert(key.to_owned(), tree_at(value, depth, budget)?);
            }
            Value::Object(members)
        }
    })
}

/// The container of a tree.
pub fn container(tree: &Value) -> Result<Vec<u8>, PatchError> {
    Ok(json::write(&item(tree, MAX_DEPTH)?)?)
}

fn item(tree: &Value, depth: usize) -> Result<Item<'_>, PatchError> {
    let inner = || depth.checked_sub(1).ok_or_else(PatchError::too_deep);
    Ok(match tree {
        Value::Null => Item::Null,
        Value::Bool(value) => Item::Bool(*value),
        Value::String(text) => Item::String(Cow::Borrowed(text)),
        Value::Number(number) => {
            let encoded = number::encode(number.as_str()).ok_or_else(|| PatchError::malformed("not a number of JSON"))?;
            Item::Number(Cow::Owned(encoded?))
        }
        Value::Array(items) => {
            let depth = inner()?;
            let mut made = Vec::with_capacity(items.len());
            for value in items {
                made.push(item(value, depth)?);
            }
            Item::Array(made)
        }
        Value::Object(members) => {
            let depth = inner()?;
            let mut made = Vec::with_capacity(members.len());
            for (key, value) in members {
                made.push((Cow::Borrowed(key.as_str()), item(value, depth)?));
            }
            Item::Object(made)
        }
    })
}

/// The levels of a tree, which nobody may make deeper than [`MAX_DEPTH`].
pub fn levels(tree: &Value, budget: &mut Budget) -> Result<usize, PatchError> {
    budget.work(1)?;
    let mut deepest = 0;
    match tree {
        Value::Array(items) => {
            for value in items {
                deepest = deepest.max(levels(value, budget)?);
            }
        }
        Value::Object(members) => {
            for value in members.values() {
                deepest = deepest.max(levels(value, budget)?);
            }
        }
        _ => return Ok(0),
    }
    Ok(deepest + 1)
}

/// Charges a copy of a tree to the budget, before it is made.
pub fn charge(tree: &Value, budget: &mut Budget) -> Result<(), PatchError> {
    budget.take(VALUE)?;
    match tree {
        Value::String(text) => budget.take(text.len()),
        Value::Number(number) => budget.take(number.as_str().len()),
        Value::Array(items) => {
            for value in items {
                charge(value, budget)?;
            }
            Ok(())
        }
        Value::Object(members) => {
            for (key, value) in members {
                budget.take(MEMBER + key.len())?;
                charge(value, budget)?;
            }
            Ok(())
        }
        Value::Null | Value::Bool(_) => Ok(()),
    }
}

/// Whether a tree equals a value: RFC 6902 section 4.6, where numbers are equal if their values are.
pub fn equals(tree: &Value, node: Node<'_>, budget: &mut Budget) -> Result<bool, PatchError> {
    budget.work(1)?;
    Ok(match (tree, node) {
        (Value::Null, Node::Null) => true,
        (Value::Bool(a), Node::Bool(b)) => *a == b,
        (Value::String(a), Node::String(b)) => a == b,
        (Value::Number(a), Node::Number(b)) => decimals(a.as_str(), &b.to_decimal_string()).is_eq(),
        (Value::Array(a), Node::Array(b)) => {
            if a.len() != b.len() {
                return Ok(false);
            }
            for (a, b) in a.iter().zip(b.iter()) {
                if !equals(a, b, budget)? {
                    return Ok(false);
                }
            }
            true
        }
        (Value::Object(a), Node::Object(b)) => {
            if a.len() != b.len() {
                return Ok(false);
            }
            for (key, b) in b.iter() {
                match a.get(key) {
                    Some(a) if equals(a, b, budget)? => {}
                    _ => return Ok(false),
                }
            }
            true
        }
        _ => false,
    })
}

/// Whether two values are the same to the last digit of their numbers.
pub fn is_same(a: Node<'_>, b: Node<'_>, budget: &mut Budget) -> Result<bool, PatchError> {
    is_same_at(a, b, MAX_DEPTH, budget)
}

fn is_same_at(a: Node<'_>, b: Node<'_>, depth: usize, budget: &mut Budget) -> Result<bool, PatchError> {
    budget.work(1)?;
    let inner = || depth.checked_sub(1).ok_or_else(PatchError::too_deep);
    Ok(match (a, b) {
        (Node::Null, Node::Null) => true,
        (Node::Bool(a), Node::Bool(b)) => a == b,
        (Node::String(a), Node::String(b)) => a == b,
        (Node::Number(a), Node::Number(b)) => a == b || a.to_decimal_string() == b.to_decimal_string(),
        (Node::Array(a), Node::Array(b)) => {
            let depth = inner()?;
            if a.len() != b.len() {
                return Ok(false);
            }
            for (a, b) in a.iter().zip(b.iter()) {
                if !is_same_at(a, b, depth, budget)? {
                    return Ok(false);
                }
            }
            true
        }
        (Node::Object(a), Node::Object(b)) => {
            let depth = inner()?;
            if a.len() != b.len() {
                return Ok(false);
            }
            // both are in the order of their keys
            for ((key, a), (other, b)) in a.iter().zip(b.iter()) {
                if key != other || !is_same_at(a, b, depth, budget)? {
                    return Ok(false);
                }
            }
            true
        }
        _ => false,
    })
}
