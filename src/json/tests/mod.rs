//! The engine against bytes checked by hand, against what a server of version 15 said, and against itself.

mod compact;
mod number;
mod parse;
mod properties;
mod reader;
mod writer;

use super::*;

/// Container bytes as the server prints them, from a machine of the usual byte order.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bytes_of(text: &str) -> Vec<u8> {
    super::parse(text.as_bytes(), &Limits::default()).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn refusal(text: impl AsRef<[u8]>) -> JsonError {
    let text = text.as_ref();
    match super::parse(text, &Limits::default()) {
        Ok(_) => panic!("accepted: {}", String::from_utf8_lossy(text)),
        Err(error) => error,
    }
}

/// Parses and prints.
fn printed(text: &str) -> String {
    let bytes = bytes_of(text);
    root(&bytes).map(|node| node.to_json()).unwrap_or_default()
}

/// A node taken apart.
fn item(node: Node<'_>) -> Item<'_> {
    match node {
        Node::Null => Item::Null,
        Node::Bool(value) => Item::Bool(value),
        Node::Number(number) => Item::Number(number.bytes().into()),
        Node::String(text) => Item::String(text.into()),
        Node::Array(array) => Item::Array(array.iter().map(item).collect()),
        Node::Object(object) => Item::Object(object.iter().map(|(key, value)| (key.into(), item(value))).collect()),
    }
}
