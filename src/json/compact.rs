//! A container as text without blanks, for documents by the million.
//!
//! What [`super::text`] prints but for the blanks, made from the bytes: strings are copied where nothing in them needs an escape, and
//! not checked one by one; who needs text checks the whole of it.

use super::layout::{self as jb, aligned, stated_length, word};
use super::number::Number;
use super::reader::{Container, Span, Spans};
use std::fmt::{self, Write};

/// An array or object whose members are being printed.
struct Level<'a> {
    data: &'a [u8],
    /// None for an array.
    keys: Option<Spans<'a>>,
    values: Spans<'a>,
    is_first: bool,
}

/// Why there is no text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Untold {
    /// The bytes are not well-formed.
    Broken,
    /// It does not fit the bound, or there is no memory for it.
    TooLarge,
}

/// Appends the text of a container, unless `out` becomes longer than `max_bytes`: a number of few bytes can print as many digits.
/// After an error some of the text is appended. Does not recurse.
pub fn compact(container: &[u8], out: &mut Vec<u8>, max_bytes: usize) -> Result<(), Untold> {
    let mut bounded = Bounded { out, max_bytes, is_full: false };
    match appended(container, &mut bounded) {
        Some(()) => Ok(()),
        None if bounded.is_full => Err(Untold::TooLarge),
        None => Err(Untold::Broken),
    }
}

/// Text that grows no further than it may.
struct Bounded<'o> {
    out: &'o mut Vec<u8>,
    max_bytes: usize,
    is_full: bool,
}

impl Bounded<'_> {
    #[inline]
    fn put(&mut self, bytes: &[u8]) -> Option<()> {
        if self.out.len() + bytes.len() > self.max_bytes.min(self.out.capacity()) {
            self.grow(bytes.len())?;
        }
        self.out.extend_from_slice(bytes);
        Some(())
    }

    #[cold]
    fn grow(&mut self, more: usize) -> Option<()> {
        self.is_full = self.out.len().saturating_add(more) > self.max_bytes || self.out.try_reserve(more).is_err();
        (!self.is_full).then_some(())
    }
}

impl fmt::Write for Bounded<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.put(text.as_bytes()).ok_or(fmt::Error)
    }
}

fn appended(container: &[u8], out: &mut Bounded<'_>) -> Option<()> {
    let (whole, kind) = Container::new(container)?;
    let mut open: Vec<Level<'_>> = Vec::with_capacity(16);
    let is_scalar = kind == jb::ARRAY && word(container, 0)? & jb::SCALAR != 0;
    if is_scalar {
        let span = whole.spans(0, 1).next().filter(|span| whole.count() == 1 && span.kind != jb::CONTAINER)?;
        return value(whole.data(), &span, out).map(drop);
    }
    begin(whole, kind, &mut open, out)?;
    while let Some(level) = open.last_mut() {
        let data = level.data;
        let key = level.keys.as_mut().map(Iterator::next);
        let Some(span) = level.values.next() else {
            out.put(if level.keys.is_some() { b"}" } else { b"]" })?;
            open.pop();
            continue;
        };
        if !std::mem::take(&mut level.is_first) {
            out.put(b",")?;
        }
        if let Some(key) = key {
            let key = key?;
            string(data.get(key.start..key.end)?, out)?;
            out.put(b":")?;
        }
        if let Some((inner, kind)) = value(data, &span, out)? {
            begin(inner, kind, &mut open, out)?;
        }
    }
    Some(())
}

fn begin<'a>(container: Container<'a>, kind: u32, open: &mut Vec<Level<'a>>, out: &mut Bounded<'_>) -> Option<()> {
    let count = container.count();
    let (keys, values) = if kind == jb::ARRAY {
        out.put(b"[")?;
        (None, container.spans(0, count))
    } else {
        out.put(b"{")?;
        (Some(container.spans(0, count)), container.spans(count, 2 * count))
    };
    open.push(Level { data: container.data(), keys, values, is_first: true });
    Some(())
}

/// Prints a value that is no container, or gives the container.
#[inline]
fn value<'a>(data: &'a [u8], span: &Span, out: &mut Bounded<'_>) -> Option<Option<(Container<'a>, u32)>> {
    match span.kind {
        jb::STRING => string(data.get(span.start..span.end)?, out)?,
        jb::NUMBER => {
            let datum = data.get(aligned(span.start)..span.end)?;
            let number = Number::new(datum.get(4..stated_length(word(datum, 0)?)?)?)?;
            write!(out, "{number}").ok()?;
        }
        jb::FALSE => out.put(b"false")?,
        jb::TRUE => out.put(b"true")?,
        jb::NULL => out.put(b"null")?,
        jb::CONTAINER => return Some(Some(Container::new(data.get(aligned(span.start)..span.end)?)?)),
        _ => return None,
    }
    Some(None)
}

/// A string literal, escaped as the server does: only what JSON demands.
#[inline]
fn string(text: &[u8], out: &mut Bounded<'_>) -> Option<()> {
    out.put(b"\"")?;
    let mut rest = text;
    loop {
        let (plain, escaped) = rest.split_at(plain(rest));
        out.put(plain)?;
        let Some((byte, behind)) = escaped.split_first() else { break };
        escape(*byte, out)?;
        rest = behind;
    }
    out.put(b"\"")
}

fn escape(byte: u8, out: &mut Bounded<'_>) -> Option<()> {
    let digit = |value: u8| b"0123456789abcdef"[usize::from(value & 15)];
    match byte {
        b'"' => out.put(b"\\\""),
        b'\\' => out.put(b"\\\\"),
        b'\n' => out.put(b"\\n"),
        b'\r' => out.put(b"\\r"),
        b'\t' => out.put(b"\\t"),
        0x08 => out.put(b"\\b"),
        0x0C => out.put(b"\\f"),
        control => out.put(&[b'\\', b'u', b'0', b'0', digit(control >> 4), digit(control)]),
    }
}

/// How many bytes stand before the first that needs an escape; eight are looked at together.
#[inline]
fn plain(text: &[u8]) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    // the high bit of a byte is set where it is zero; of those behind it, perhaps
    let zeros = |word: u64| word.wrapping_sub(ONES) & !word & HIGH;
    let mut at = 0;
    while let Some(chunk) = text.get(at..).and_then(|rest| rest.first_chunk()) {
        let word = u64::from_ne_bytes(*chunk);
        let controls = word.wrapping_sub(ONES * 0x20) & !word & HIGH;
        if controls | zeros(word ^ (ONES * u64::from(b'"'))) | zeros(word ^ (ONES * u64::from(b'\\'))) != 0 {
            break;
        }
        at += 8;
    }
    let rest = text.get(at..).unwrap_or_default();
    at + rest.iter().position(|byte| *byte < b' ' || matches!(byte, b'"' | b'\\')).unwrap_or(rest.len())
}
