//! Values that a definition fixes or gives as a pattern: <https://hl7.org/fhir/R4/elementdefinition-definitions.html#ElementDefinition.fixed_x_>.

use super::ProfileError;
use crate::json::{self, Item, Node, Number};

/// Levels that a comparison follows; what lies deeper counts as different.
const MAX_DEPTH: usize = 64;

/// A JSON value with its own bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct Value(Box<[u8]>);

impl Value {
    /// A copy of `node`.
    pub fn new(node: Node<'_>) -> Result<Value, ProfileError> {
        let bytes = json::write(&Item::Node(node)).map_err(|error| ProfileError::Malformed(error.to_string()))?;
        Ok(Value(bytes.into_boxed_slice()))
    }

    /// The value; `null` where the bytes are damaged.
    pub fn node(&self) -> Node<'_> {
        json::root(&self.0).unwrap_or(Node::Null)
    }
}

impl std::fmt::Debug for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.node().fmt(f)
    }
}

/// Whether both are the same: "exactly the value that SHALL be for this element". Numbers by value, objects in any order of properties.
pub fn equal(a: Node<'_>, b: Node<'_>) -> bool {
    equal_to(a, b, MAX_DEPTH)
}

fn equal_to(a: Node<'_>, b: Node<'_>, depth: usize) -> bool {
    match (a, b) {
        _ if depth == 0 => false,
        (Node::Array(a), Node::Array(b)) => a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| equal_to(a, b, depth - 1)),
        (Node::Object(a), Node::Object(b)) => {
            a.len() == b.len() && a.iter().zip(b.iter()).all(|((k, a), (l, b))| k == l && equal_to(a, b, depth - 1))
        }
        _ => scalar(a, b),
    }
}

/// Whether `value` has all that `pattern` has: objects their properties, arrays "(recursively) at least the items of the pattern", in any order.
pub fn matches(pattern: Node<'_>, value: Node<'_>) -> bool {
    matches_to(pattern, value, MAX_DEPTH)
}

fn matches_to(pattern: Node<'_>, value: Node<'_>, depth: usize) -> bool {
    match (pattern, value) {
        _ if depth == 0 => false,
        (Node::Array(pattern), Node::Array(value)) => pattern.iter().all(|p| value.iter().any(|v| matches_to(p, v, depth - 1))),
        (Node::Object(pattern), Node::Object(value)) => {
            pattern.iter().all(|(key, p)| value.get(key).is_some_and(|v| matches_to(p, v, depth - 1)))
        }
        _ => scalar(pattern, value),
    }
}

fn scalar(a: Node<'_>, b: Node<'_>) -> bool {
    match (a, b) {
        (Node::Null, Node::Null) => true,
        (Node::Bool(a), Node::Bool(b)) => a == b,
        (Node::String(a), Node::String(b)) => a == b,
        (Node::Number(a), Node::Number(b)) => same_number(a, b),
        _ => false,
    }
}

fn same_number(a: Number<'_>, b: Number<'_>) -> bool {
    a == b || crate::path::compare::decimals(&a.to_decimal_string(), &b.to_decimal_string()).is_eq()
}

/// The text of a value for a message, not at any length.
pub fn brief(node: Node<'_>) -> String {
    const MOST: usize = 160;
    let mut text = match node {
        Node::String(text) => format!("\"{}\"", text.chars().take(MOST).collect::<String>()),
        _ => format!("{node:?}"),
    };
    if let Some((end, _)) = text.char_indices().nth(MOST) {
        text.truncate(end);
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Limits;

    fn of(text: &str) -> Vec<u8> {
        json::parse(text.as_bytes(), &Limits::default()).unwrap()
    }

    #[test]
    fn a_fixed_value_is_all_there_is() {
        for (a, b, same) in [
            (r#"{"a":1,"b":[1,2]}"#, r#"{"b":[1,2],"a":1.0}"#, true),
            (r#"{"a":1}"#, r#"{"a":1,"b":2}"#, false),
            (r#"[1,2]"#, r#"[2,1]"#, false),
            (r#""a""#, r#""A""#, false),
            ("1e2", "100.00", true),
            ("true", r#""true""#, false),
        ] {
            assert_eq!(equal(json::root(&of(a)).unwrap(), json::root(&of(b)).unwrap()), same, "{a} {b}");
        }
    }

    #[test]
    fn a_pattern_is_a_part_of_the_value() {
        for (pattern, value, holds) in [
            (r#"{"coding":[{"code":"a"}]}"#, r#"{"coding":[{"code":"b"},{"code":"a","system":"s"}],"text":"x"}"#, true),
            (r#"{"coding":[{"code":"a","system":"s"}]}"#, r#"{"coding":[{"code":"a"},{"system":"s"}]}"#, false),
            (r#"{"coding":[{"code":"a"},{"code":"b"}]}"#, r#"{"coding":[{"code":"b"},{"code":"a"}]}"#, true),
            (r#"{"coding":[{"code":"a"}]}"#, r#"{"text":"a"}"#, false),
        ] {
            assert_eq!(matches(json::root(&of(pattern)).unwrap(), json::root(&of(value)).unwrap()), holds, "{pattern} {value}");
        }
    }
}
