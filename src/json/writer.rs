//! Trees to container bytes.

use super::error::{INVALID_BYTES, JsonError, LIMIT_EXCEEDED, NUMBER_OUT_OF_RANGE};
use super::layout::{self as jb, Open, length_word, pad};
use super::number::Number;
use super::reader::{Node, key_order};
use super::scan::append;
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
            let mut container = Open::begin(&mut out, jb::ARRAY | jb::SCALAR | 1, 1);
            let (kind, length) = value(scalar, MAX_DEPTH, &mut out)?;
            container.entry(&mut out, kind, length)?;
        }
    }
    Ok(out)
}

/// Appends a value; gives the type of its entry, and its length with the padding.
fn value(item: &Item<'_>, depth: usize, out: &mut Vec<u8>) -> Result<(u32, usize), JsonError> {
    let before = out.len();
    let kind = match item {
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
    };
    Ok((kind, out.len() - before))
}

fn string(text: &str, out: &mut Vec<u8>) -> Result<u32, JsonError> {
    if text.len() > jb::LENGTH_MASK as usize {
        return Err(JsonError::too_large(0, "string", jb::LENGTH_MASK as usize));
    }
    if memchr::memchr(0, text.as_bytes()).is_some() {
        return Err(JsonError::new(INVALID_BYTES, 0, "a string cannot hold a zero byte"));
    }
    append(out, text.as_bytes())?;
    Ok(jb::STRING)
}

fn number(datum: &[u8], out: &mut Vec<u8>) -> Result<u32, JsonError> {
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
fn verbatim(container: &[u8], out: &mut Vec<u8>) -> Result<u32, JsonError> {
    reserve(out, container.len() + 3)?;
    pad(out);
    out.extend_from_slice(container);
    Ok(jb::CONTAINER)
}

fn array(items: &[Item<'_>], depth: usize, out: &mut Vec<u8>) -> Result<u32, JsonError> {
    let depth = depth.checked_sub(1).ok_or_else(|| JsonError::too_deep(0, MAX_DEPTH))?;
    let mut container = begin(jb::ARRAY, items.len(), items.len(), out)?;
    for item in items {
        let (kind, length) = value(item, depth, out)?;
        container.entry(out, kind, length)?;
    }
    container.end(out)?;
    Ok(jb::CONTAINER)
}

fn object(members: &[(Cow<'_, str>, Item<'_>)], depth: usize, out: &mut Vec<u8>) -> Result<u32, JsonError> {
    let depth = depth.checked_sub(1).ok_or_else(|| JsonError::too_deep(0, MAX_DEPTH))?;
    let mut sorted = Vec::new();
    sorted.try_reserve_exact(members.len()).map_err(|_| JsonError::out_of_memory())?;
    sorted.extend(members.iter().enumerate());
    // The last of equal keys comes first, and is the one that is kept.
    sorted.sort_unstable_by(|(i, (a, _)), (j, (b, _))| key_order(a.as_bytes(), b.as_bytes()).then(j.cmp(i)));
    sorted.dedup_by(|(_, (later, _)), (_, (kept, _))| later == kept);
    let mut container = begin(jb::OBJECT, sorted.len(), 2 * sorted.len(), out)?;
    for (_, (key, _)) in &sorted {
        let kind = string(key, out)?;
        container.entry(out, kind, key.len())?;
    }
    for (_, (_, item)) in &sorted {
        let (kind, length) = value(item, depth, out)?;
        container.entry(out, kind, length)?;
    }
    container.end(out)?;
    Ok(jb::CONTAINER)
}

fn begin(kind: u32, count: usize, slots: usize, out: &mut Vec<u8>) -> Result<Open, JsonError> {
    if slots > jb::COUNT_MASK as usize {
        return Err(JsonError::new(LIMIT_EXCEEDED, 0, format!("more than {} values in json", jb::COUNT_MASK)));
    }
    reserve(out, 4 * slots + 8)?;
    Ok(Open::begin(out, kind | count as u32, slots as u32))
}

fn reserve(out: &mut Vec<u8>, more: usize) -> Result<(), JsonError> {
    out.try_reserve(more).map_err(|_| JsonError::out_of_memory())
}
