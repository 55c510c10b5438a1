//! The text that the server prints for a `jsonb`: `", "` and `": "` between, keys in their stored order.

use super::error::JsonError;
use super::reader::{ArrayIter, Node, ObjectIter};
use std::fmt::{self, Write};

/// A container whose members are being printed.
enum Level<'a> {
    Array(ArrayIter<'a>),
    Object(ObjectIter<'a>),
}

impl Node<'_> {
    /// The server's text. A number of few bytes can print as many digits (`1e100000`): use
    /// [`Node::to_json_within`] on documents from outside.
    pub fn to_json(&self) -> String {
        let mut out = String::new();
        // Writing to a string does not fail.
        let _ = self.write_json(&mut out);
        out
    }

    /// The server's text, unless it is longer than `max_bytes` or there is no memory for it.
    pub fn to_json_within(&self, max_bytes: usize) -> Result<String, JsonError> {
        let mut out = Bounded { text: String::new(), max_bytes, error: None };
        match self.write_json(&mut out) {
            Ok(()) => Ok(out.text),
            Err(fmt::Error) => Err(*out.error.unwrap_or_else(JsonError::out_of_memory)),
        }
    }

    /// The server's text, piece by piece. Does not recurse.
    pub fn write_json(&self, out: &mut dyn Write) -> fmt::Result {
        let mut open: Vec<Level<'_>> = Vec::new();
        let mut node = *self;
        loop {
            match node {
                Node::Null => out.write_str("null")?,
                Node::Bool(value) => out.write_str(if value { "true" } else { "false" })?,
                Node::Number(number) => write!(out, "{number}")?,
                Node::String(text) => write_string(text, out)?,
                Node::Array(array) => {
                    out.write_str("[")?;
                    open.push(Level::Array(array.iter()));
                }
                Node::Object(object) => {
                    out.write_str("{")?;
                    open.push(Level::Object(object.iter()));
                }
            }
            let mut is_first = matches!(node, Node::Array(_) | Node::Object(_));
            node = loop {
                let separator = if is_first { "" } else { ", " };
                match open.last_mut() {
                    None => return Ok(()),
                    Some(Level::Array(items)) => {
                        if let Some(item) = items.next() {
                            out.write_str(separator)?;
                            break item;
                        }
                        out.write_str("]")?;
                    }
                    Some(Level::Object(members)) => {
                        if let Some((key, value)) = members.next() {
                            out.write_str(separator)?;
                            write_string(key, out)?;
                            out.write_str(": ")?;
                            break value;
                        }
                        out.write_str("}")?;
                    }
                }
                open.pop();
                is_first = false;
            };
        }
    }
}

/// A string literal, escaped as the server does: only what JSON demands.
pub fn write_string(text: &str, out: &mut dyn Write) -> fmt::Result {
    out.write_str("\"")?;
    let mut plain = 0;
    for (at, byte) in text.bytes().enumerate() {
        if byte >= b' ' && byte != b'"' && byte != b'\\' {
            continue;
        }
        out.write_str(text.get(plain..at).unwrap_or_default())?;
        plain = at + 1;
        match byte {
            b'"' => out.write_str("\\\"")?,
            b'\\' => out.write_str("\\\\")?,
            b'\n' => out.write_str("\\n")?,
            b'\r' => out.write_str("\\r")?,
            b'\t' => out.write_str("\\t")?,
            0x08 => out.write_str("\\b")?,
            0x0C => out.write_str("\\f")?,
            control => write!(out, "\\u{control:04x}")?,
        }
    }
    out.write_str(text.get(plain..).unwrap_or_default())?;
    out.write_str("\"")
}

struct Bounded {
    text: String,
    max_bytes: usize,
    error: Option<Box<JsonError>>,
}

impl Write for Bounded {
    fn write_str(&mut self, piece: &str) -> fmt::Result {
        if self.max_bytes - self.text.len() < piece.len() {
            self.error = Some(JsonError::too_large(0, "json text", self.max_bytes));
            return Err(fmt::Error);
        }
        self.text.try_reserve(piece.len()).map_err(|_| fmt::Error)?;
        self.text.push_str(piece);
        Ok(())
    }
}
