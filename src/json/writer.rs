//! Trees to container bytes.

use super::error::{Fallible, INVALID_BYTES, JsonError, LIMIT_EXCEEDED, NUMBER_OUT_OF_RANGE};
use super::layout::{self as jb, Entries, length_word, pad};
use super::number::{Number, Short};
use super::reader::{Node, key_order};
use super::scan::{append, reserve};
use std::borrow::Cow;

/// A JSON value that is being made, or a piece of another document.
#[derive(Clone, Debug)]
pub enum Item<'a> {
    Null,
    Bool(bool),
    /// A `numeric` datum without its length word: see [`super::number::encode`].
    Number(Cow<'a, [u8]>),
    String(Cow<'a, str>),
    Array(Vec<Item<'a>>),
    /// In any order; of equal keys the last wins.
    Object(Vec<(Cow<'a, str>, Item<'a>)>),
    /// Copied as it is, however deep.
    Node(Node<'a>),
}

/// Levels of [`Item`]s that [`write`] follows.
pub const MAX_DEPTH: usize = 1_000;

/// The container of a tree.
pub fn write(item: &Item<'_>) -> Result<Vec<u8>, JsonError> {
    let mut out = Vec::new();
    match item {
        Item::Array(_) | Item::Object(_) | Item::Node(Node::Array(_) | Node::Object(_)) => {
            value(item, MAX_DEPTH, &mut out)?;
        }
        scalar => {
            let mut container = Open::begin(jb::ARRAY | jb::SCALAR, 1, 1, &mut out)?;
            container.add(scalar, MAX_DEPTH, &mut out)?;
            container.end()?;
        }
    }
    Ok(out)
}

/// Appends a value with its padding; gives the type of its entry.
fn value(item: &Item<'_>, depth: usize, out: &mut Vec<u8>) -> Fallible<u32> {
    Ok(match item {
        Item::Null | Item::Node(Node::Null) => jb::NULL,
        Item::Bool(true) | Item::Node(Node::Bool(true)) => jb::TRUE,
        Item::Bool(false) | Item::Node(Node::Bool(false)) => jb::FALSE,
        Item::String(text) => string(text, out)?,
        Item::Node(Node::String(text)) => string(text, out)?,
        Item::Number(datum) => number(datum, out)?,
        Item::Node(Node::Number(datum)) => number(datum.bytes(), out)?,
        Item::Array(items) => array(items, depth, out)?,
        Item::Object(members) => object(members, depth, out)?,
        Item::Node(Node::Array(array)) => verbatim(array.bytes(), out)?,
        Item::Node(Node::Object(object)) => verbatim(object.bytes(), out)?,
    })
}

fn string(text: &str, out: &mut Vec<u8>) -> Fallible<u32> {
    if text.len() > jb::LENGTH_MASK as usize {
        return Err(JsonError::too_large(0, "string", jb::LENGTH_MASK as usize));
    }
    if memchr::memchr(0, text.as_bytes()).is_some() {
        return Err(JsonError::new(INVALID_BYTES, 0, "a string cannot hold a zero byte"));
    }
    append(out, text.as_bytes())?;
    Ok(jb::STRING)
}

fn number(datum: &[u8], out: &mut Vec<u8>) -> Fallible<u32> {
    if Number::new(datum).is_none() || datum.len() > jb::LENGTH_MASK as usize - 8 {
        return Err(JsonError::new(NUMBER_OUT_OF_RANGE, 0, "not a numeric value"));
    }
    reserve(out, datum.len() + 8)?;
    pad(out);
    out.extend_from_slice(&length_word(datum.len() as u32 + 4).to_ne_bytes());
    out.extend_from_slice(datum);
    Ok(jb::NUMBER)
}

/// A container lies on a multiple of four wherever it goes, so its bytes need no change.
fn verbatim(container: &[u8], out: &mut Vec<u8>) -> Fallible<u32> {
    reserve(out, container.len() + 3)?;
    pad(out);
    out.extend_from_slice(container);
    Ok(jb::CONTAINER)
}

fn array(items: &[Item<'_>], depth: usize, out: &mut Vec<u8>) -> Fallible<u32> {
    let depth = depth.checked_sub(1).ok_or_else(|| JsonError::too_deep(0, MAX_DEPTH))?;
    let mut container = Open::begin(jb::ARRAY, items.len(), items.len(), out)?;
    for item in items {
        container.add(item, depth, out)?;
    }
    container.end()
}

fn object(members: &[(Cow<'_, str>, Item<'_>)], depth: usize, out: &mut Vec<u8>) -> Fallible<u32> {
    let depth = depth.checked_sub(1).ok_or_else(|| JsonError::too_deep(0, MAX_DEPTH))?;
    let mut sorted = Vec::new();
    reserve(&mut sorted, members.len())?;
    sorted.extend(members.iter().enumerate());
    // The last of equal keys comes first, and is the one that is kept.
    sorted.sort_unstable_by(|(i, (a, _)), (j, (b, _))| key_order(a.as_bytes(), b.as_bytes()).then(j.cmp(i)));
    sorted.dedup_by(|(_, (later, _)), (_, (kept, _))| later == kept);
    let mut container = Open::begin(jb::OBJECT, sorted.len(), 2 * sorted.len(), out)?;
    for (_, (key, _)) in &sorted {
        string(key, out)?;
        container.fill(jb::STRING, out);
    }
    for (_, (_, item)) in &sorted {
        container.add(item, depth, out)?;
    }
    container.end()
}

/// Appends an object whose keys stand in the server's order (by length, then by bytes), each once; `value` appends that of the key at a place and
/// tells its type. For what is made often, this and [`compose_array`] need no tree.
pub fn compose_object<const N: usize>(keys: [&'static str; N], out: &mut Vec<u8>, mut value: impl FnMut(usize, &mut Vec<u8>) -> Fallible<u32>) -> Fallible<u32> {
    debug_assert!(keys.windows(2).all(|two| key_order(two[0].as_bytes(), two[1].as_bytes()).is_lt()));
    reserve(out, 8 * N + 8)?;
    pad(out);
    out.extend_from_slice(&(jb::OBJECT | N as u32).to_ne_bytes());
    let entry = out.len();
    // a key and a value each
    out.extend_from_slice([[0; 8]; N].as_flattened());
    let mut container = Open { entry, data: out.len(), entries: Entries::default() };
    for key in keys {
        append(out, key.as_bytes())?;
        container.fill(jb::STRING, out);
    }
    for place in 0..N {
        let kind = value(place, out)?;
        container.fill(kind, out);
    }
    container.end()
}

/// Appends an array of `count` values; `value` appends that at a place and tells its type.
pub fn compose_array(count: usize, out: &mut Vec<u8>, mut value: impl FnMut(usize, &mut Vec<u8>) -> Fallible<u32>) -> Fallible<u32> {
    let mut container = Open::begin(jb::ARRAY, count, count, out)?;
    for place in 0..count {
        let kind = value(place, out)?;
        container.fill(kind, out);
    }
    container.end()
}

/// Appends a whole number, as [`compose_object`] wants it.
pub fn compose_whole(value: u32, out: &mut Vec<u8>) -> Fallible<u32> {
    compose_number(super::number::whole(value), out)
}

/// Appends a number of ten-thousandths, at most 10,000 of them, as [`compose_object`] wants it.
pub fn compose_fraction(ten_thousandths: u16, out: &mut Vec<u8>) -> Fallible<u32> {
    compose_number(super::number::fraction(ten_thousandths), out)
}

fn compose_number(datum: Short, out: &mut Vec<u8>) -> Fallible<u32> {
    reserve(out, datum.bytes().len() + 8)?;
    pad(out);
    out.extend_from_slice(&length_word(datum.bytes().len() as u32 + 4).to_ne_bytes());
    out.extend_from_slice(datum.bytes());
    Ok(jb::NUMBER)
}

/// Appends a string of the program, which has no zero byte, as [`compose_object`] wants it.
pub fn compose_name(name: &'static str, out: &mut Vec<u8>) -> Fallible<u32> {
    append(out, name.as_bytes())?;
    Ok(jb::STRING)
}

/// Appends a string, as [`compose_object`] wants it.
pub fn compose_string(text: &str, out: &mut Vec<u8>) -> Fallible<u32> {
    string(text, out)
}

/// A container while its slots are being written.
struct Open {
    /// Where the next entry stands, and where the data begins.
    entry: usize,
    data: usize,
    entries: Entries,
}

impl Open {
    /// Writes the header and leaves room for the entries.
    fn begin(kind: u32, count: usize, slots: usize, out: &mut Vec<u8>) -> Fallible<Open> {
        if slots > jb::COUNT_MASK as usize {
            return Err(JsonError::new(LIMIT_EXCEEDED, 0, format!("more than {} values in json", jb::COUNT_MASK)));
        }
        reserve(out, 4 * slots + 8)?;
        pad(out);
        out.extend_from_slice(&(kind | count as u32).to_ne_bytes());
        let entry = out.len();
        out.resize(entry + 4 * slots, 0);
        Ok(Open { entry, data: out.len(), entries: Entries::default() })
    }

    fn add(&mut self, item: &Item<'_>, depth: usize, out: &mut Vec<u8>) -> Fallible<()> {
        let kind = value(item, depth, out)?;
        self.fill(kind, out);
        Ok(())
    }

    /// The entry of what was just written.
    fn fill(&mut self, kind: u32, out: &mut [u8]) {
        let length = out.len() - self.data - self.entries.total();
        let word = self.entries.add(kind, length);
        if let Some(entry) = out.get_mut(self.entry..self.entry + 4) {
            entry.copy_from_slice(&word.to_ne_bytes());
        }
        self.entry += 4;
    }

    fn end(self) -> Fallible<u32> {
        self.entries.end()?;
        Ok(jb::CONTAINER)
    }
}
