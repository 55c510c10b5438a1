//! The body of a `fhir.keys` value: what a resource can be found by.
//!
//! It holds *values* in full precision, grouped by search parameter; the *keys* that go into the GIN index are a pure
//! function of them ([`Keys::for_each_key`]). So the index stays small, and every recheck is decided here, never in the resource.
//!
//! ```text
//! body    := version:u8  type:text  entry*            entries sorted by parameter
//! entry   := length:varint  parameter:u16le  tag:u8  element:varint  fields      length counts what follows it
//! text    := length:varint  utf8
//! system  := 0 | 1 number:u16le | 2 text              none | a well-known code system | any other
//! bound   := 0 | 1 decimal | 2 decimal                infinite | open | closed; decimal is text of sortable bytes
//! ```

use super::derived;
pub use super::key::{End, INFINITE, KeyBuffer, MAX_PREFIX, among, is_addresses, is_containing, is_cut, start_of_addresses};
use super::reads::Reads;
use super::{decimal, decimal::Bound, decimal::Span, near, near::Position, text, time, time::Interval, ucum};
use crate::model::{self, ParameterKey, ParameterType};
use std::ops::Range;
use std::sync::LazyLock;

/// Version of this format. Another number on disk is read by the reader of that number, never guessed.
pub const VERSION: u8 = 1;

/// A value of a search parameter.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Value<'a> {
    /// The element is there but gives nothing to compare.
    Present,
    Token { system: Option<&'a str>, code: &'a str },
    /// A `code` whose system its binding implies: matches with that system and with none.
    Code { system: &'a str, code: &'a str },
    /// Display or text beside a token, for `:text`.
    Display(&'a str),
    /// An identifier with one of its types, for `:of-type`.
    OfType { system: Option<&'a str>, code: &'a str, value: &'a str },
    String(&'a str),
    /// What stands behind the first word of a family name: it is found as a name of its own.
    Part(&'a str),
    /// The sound of a word of a name.
    Sound(&'a str),
    /// `Reference.reference` or a canonical, as it stands.
    Reference(&'a str),
    /// `Reference.identifier`.
    Identifier { system: Option<&'a str>, value: &'a str },
    Date(Interval),
    Number(Span<'a>),
    Quantity { span: Span<'a>, system: Option<&'a str>, code: Option<&'a str>, unit: Option<&'a str> },
    Uri(&'a str),
    /// In degrees.
    Position(Position),
}

/// A value, where it belongs.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Entry<'a> {
    pub parameter: ParameterKey,
    /// 0, or the number from 1 of the repeating part of the resource that holds it: what composites match within.
    pub element: u32,
    pub value: Value<'a>,
}

/// A `fhir.keys` body, read in place. Any bytes are safe to read: what is malformed ends the entries.
#[derive(Clone, Copy)]
pub struct Keys<'a> {
    pub resource_type: &'a str,
    entries: &'a [u8],
}

impl<'a> Keys<'a> {
    pub fn read(body: &'a [u8]) -> Option<Keys<'a>> {
        let mut cursor = Cursor(body);
        if cursor.byte()? != VERSION {
            return None;
        }
        let resource_type = cursor.text()?;
        Some(Keys { resource_type, entries: cursor.0 })
    }

    pub fn entries(self) -> impl Iterator<Item = Entry<'a>> {
        let mut cursor = Cursor(self.entries);
        std::iter::from_fn(move || Entry::read(cursor.block()?))
    }

    /// The entries of one parameter; the others are skipped unread.
    pub fn of(self, parameter: ParameterKey) -> impl Iterator<Item = Entry<'a>> {
        let mut cursor = Cursor(self.entries);
        std::iter::from_fn(move || {
            loop {
                let block = cursor.block()?;
                let found = u16::from_le_bytes([*block.first()?, *block.get(1)?]);
                if found > parameter.0 {
                    return None;
                }
                if found == parameter.0 {
                    return Entry::read(block);
                }
            }
        })
    }

    /// Whether the body is well formed to its last byte.
    pub fn is_valid(body: &[u8]) -> bool {
        let Some(keys) = Keys::read(body) else { return false };
        let mut cursor = Cursor(keys.entries);
        let mut previous = 0;
        while !cursor.0.is_empty() {
            match cursor.block().and_then(Entry::read) {
                Some(entry) if entry.parameter.0 >= previous && entry.is_sound() => previous = entry.parameter.0,
                _ => return false,
            }
        }
        true
    }

    /// Calls `emit` for each key of the index; the same key may come more than once.
    pub fn for_each_key(self, emit: &mut dyn FnMut(&[u8])) {
        let mut key = KeyBuffer::default();
        emit(key.of_type(self.resource_type));
        let derived = model::type_named(self.resource_type).and_then(derived::of_type);
        let (mut present, mut skipped) = (None, None);
        for entry in self.entries() {
            let p = entry.parameter;
            if is_column(p) || skipped == Some(p) {
                continue;
            }
            if derived.is_some_and(|derived| derived.contains_key(&p)) {
                skipped = Some(p);
                continue;
            }
            // a value with ends is found by the buckets of the coarsest level
            if present != Some(p) && !matches!(entry.value, Value::Date(_) | Value::Number(_) | Value::Quantity { .. }) {
                present = Some(p);
                emit(key.presence(p));
            }
            match entry.value {
                Value::Present | Value::Display(_) => {}
                Value::OfType { value, .. } => emit(key.code(p, value)), // as its token does, which may not have found room
                Value::Token { system, code } => {
                    emit(key.code(p, code));
                    if let Some(system) = system {
                        let reads = Reads::of(p);
                        if !reads.only_identifiers {
                            emit(key.code_and_system(p, code, system));
                        }
                        emit(key.system(p, system));
                    }
                }
                Value::Code { system, code } => {
                    emit(key.code(p, code));
                    let reads = Reads::of(p);
                    if !reads.is_defined {
                        emit(key.code_and_system(p, code, system));
                        emit(key.system(p, system));
                    }
                }
                Value::String(s) | Value::Part(s) => emit(key.string(p, &text::normalise(s))),
                Value::Sound(s) => emit(key.sound(p, s)),
                Value::Reference(r) => {
                    if let Some(target) = Target::read(r) {
                        emit(key.reference(p, target.unversioned));
                    }
                }
                Value::Identifier { value, .. } => emit(key.identifier(p, value)),
                Value::Date(interval) => date_keys(&mut key, p, interval, emit),
                Value::Number(span) => number_keys(&mut key, p, None, span, emit),
                Value::Quantity { span, system, code, unit } => {
                    number_keys(&mut key, p, None, span, emit);
                    if let Some(code) = code {
                        emit(key.unit(p, code));
                    }
                    // in UCUM number and unit are searched for together, in base units
                    let measured = ucum::unit(system, code).and_then(|unit| {
                        unit.with_span(span, |span| number_keys(&mut key, p, Some(&unit.measure), span, emit))
                    });
                    if let (None, Some(code)) = (measured, code) {
                        emit(key.unit_and_system(p, code, system));
                    }
                    if let Some(unit) = unit.filter(|u| Some(*u) != code) {
                        emit(key.unit(p, unit));
                    }
                }
                Value::Uri(uri) => emit(key.uri(p, uri)),
                Value::Position(position) => (0..near::GRIDS.len()).for_each(|grid| emit(key.cell(p, grid, near::cell(position, grid)))),
            }
        }
    }
}

/// `_id` and `_lastUpdated` are values without keys: a lake has them as columns with an index of their own.
pub fn is_column(parameter: ParameterKey) -> bool {
    static COLUMNS: LazyLock<[Option<ParameterKey>; 2]> =
        LazyLock::new(|| ["_id", "_lastUpdated"].map(|code| model::keys_of_code(code).next().map(|(key, _)| key)));
    COLUMNS.contains(&Some(parameter))
}

fn date_keys(key: &mut KeyBuffer, p: ParameterKey, interval: Interval, emit: &mut dyn FnMut(&[u8])) {
    let (low, last) = (interval.low, interval.last());
    if low == time::OPEN_LOW {
        emit(key.bucket(p, End::Low, INFINITE, 0));
    }
    if last == time::OPEN_HIGH {
        emit(key.bucket(p, End::High, INFINITE, 0));
    }
    for level in 0..time::LEVELS {
        let a = (low != time::OPEN_LOW).then(|| time::bucket(low, level));
        let b = (last != time::OPEN_HIGH).then(|| time::bucket(last, level));
        both_ends(a, b, &mut |end, number| emit(key.bucket(p, end, level, number)));
    }
}

/// Levels of the buckets of numbers in base units: one fewer, for they are searched beside a code as a rule.
pub const MEASURED_LEVELS: usize = decimal::LEVELS - 1;

/// Of a number, or of an amount of `measure`.
fn number_keys(key: &mut KeyBuffer, p: ParameterKey, measure: Option<&str>, span: Span, emit: &mut dyn FnMut(&[u8])) {
    let end = |b: Bound| match b {
        Bound::Infinite => None,
        Bound::Open(b) | Bound::Closed(b) => Some(b),
    }
    .map(<[u8]>::to_vec);
    let (low, high) = (end(span.low), end(span.high));
    if low.is_none() {
        emit(key.amount(p, measure, End::Low, INFINITE, 0));
    }
    if high.is_none() {
        emit(key.amount(p, measure, End::High, INFINITE, 0));
    }
    let levels = if measure.is_some() { MEASURED_LEVELS } else { decimal::LEVELS };
    for level in 0..levels {
        let a = low.as_deref().and_then(|b| decimal::bucket(b, level));
        let b = high.as_deref().and_then(|b| decimal::bucket(b, level));
        both_ends(a, b, &mut |end, number| emit(key.amount(p, measure, end, level, number)));
    }
}

/// One key where both ends share a bucket, else one for each end.
fn both_ends(a: Option<i32>, b: Option<i32>, put: &mut dyn FnMut(End, i32)) {
    if let (Some(a), true) = (a, a == b) {
        return put(End::Both, a);
    }
    if let Some(a) = a {
        put(End::Low, a);
    }
    if let Some(b) = b {
        put(End::High, b);
    }
}

/// A reference taken apart: `[base/]Type/id[/_history/version]`, or a canonical `url[|version]`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Target<'a> {
    /// Without the version.
    pub unversioned: &'a str,
    pub version: Option<&'a str>,
}

impl<'a> Target<'a> {
    /// `None` for a reference into the resource itself (`#id`) or an empty one.
    pub fn read(reference: &'a str) -> Option<Target<'a>> {
        if reference.is_empty() || reference.starts_with('#') {
            return None;
        }
        // few have a version, and to look for one byte is quick
        let versioned = memchr::memchr2(b'_', b'|', reference.as_bytes()).is_some();
        let split = versioned.then(|| reference.split_once("/_history/").or_else(|| reference.split_once('|'))).flatten();
        Some(match split {
            Some((unversioned, version)) => Target { unversioned, version: Some(version) },
            None => Target { unversioned: reference, version: None },
        })
    }

    /// Type and id, where the reference is relative.
    pub fn local(self) -> Option<(&'a str, &'a str)> {
        let (ty, id) = self.unversioned.split_once('/')?;
        (!ty.is_empty() && !id.is_empty() && !id.contains('/') && model::type_named(ty).is_some()).then_some((ty, id))
    }
}

/// Writes a body. Entries may come in any order.
pub struct Writer {
    resource_type: String,
    /// The entries, one behind the other.
    bytes: Vec<u8>,
    /// Of each its parameter and where it lies.
    entries: Vec<(u16, Range<usize>)>,
}

/// Values beyond this many bytes in all are left out, so that keys stay far below what a field can hold.
const MAX_BODY: usize = 64 << 20;

impl Writer {
    pub fn new(resource_type: &str) -> Writer {
        Writer { resource_type: resource_type.to_owned(), bytes: Vec::with_capacity(512), entries: Vec::with_capacity(32) }
    }

    pub fn push(&mut self, entry: &Entry) {
        let start = self.bytes.len();
        let out = &mut self.bytes;
        out.extend(entry.parameter.0.to_le_bytes());
        out.push(tag(&entry.value));
        varint(out, entry.element as usize);
        match entry.value {
            Value::Present => {}
            Value::Token { system, code } => {
                write_system(out, system);
                write_text(out, code);
            }
            Value::Code { system, code } => {
                write_system(out, Some(system));
                write_text(out, code);
            }
            Value::Display(s) | Value::String(s) | Value::Part(s) | Value::Sound(s) | Value::Reference(s) | Value::Uri(s) => write_text(out, s),
            Value::OfType { system, code, value } => {
                write_system(out, system);
                write_text(out, code);
                write_text(out, value);
            }
            Value::Identifier { system, value } => {
                write_system(out, system);
                write_text(out, value);
            }
            Value::Date(i) => {
                out.extend(i.low.to_le_bytes());
                out.extend(i.high.to_le_bytes());
            }
            Value::Number(span) => {
                write_bound(out, span.low);
                write_bound(out, span.high);
            }
            Value::Position(position) => {
                out.extend(position.latitude.to_le_bytes());
                out.extend(position.longitude.to_le_bytes());
            }
            Value::Quantity { span, system, code, unit } => {
                write_bound(out, span.low);
                write_bound(out, span.high);
                write_system(out, system);
                write_text(out, code.unwrap_or(""));
                write_text(out, unit.unwrap_or(""));
            }
        }
        if out.len() > MAX_BODY {
            return out.truncate(start);
        }
        self.entries.push((entry.parameter.0, start..out.len()));
    }

    pub fn finish(mut self) -> Vec<u8> {
        // the order within a parameter carries no meaning, so what comes twice can stand once
        let bytes = self.bytes.as_slice();
        self.entries.sort_unstable_by(|a, b| a.0.cmp(&b.0).then_with(|| bytes[a.1.clone()].cmp(&bytes[b.1.clone()])));
        self.entries.dedup_by(|a, b| bytes[a.1.clone()] == bytes[b.1.clone()]);
        let mut out = Vec::with_capacity(bytes.len() + 2 * self.entries.len() + 16);
        out.push(VERSION);
        write_text(&mut out, &self.resource_type);
        for (_, entry) in &self.entries {
            varint(&mut out, entry.len());
            out.extend(&bytes[entry.clone()]);
        }
        out
    }
}

fn tag(value: &Value) -> u8 {
    match value {
        Value::Present => 0,
        Value::Token { .. } => 1,
        Value::Code { .. } => 2,
        Value::Display(_) => 3,
        Value::OfType { .. } => 4,
        Value::String(_) => 5,
        Value::Reference(_) => 6,
        Value::Identifier { .. } => 7,
        Value::Date(_) => 8,
        Value::Number(_) => 9,
        Value::Quantity { .. } => 10,
        Value::Uri(_) => 11,
        Value::Position(_) => 12,
        Value::Part(_) => 13,
        Value::Sound(_) => 14,
    }
}

impl<'a> Entry<'a> {
    fn read(block: &'a [u8]) -> Option<Entry<'a>> {
        let mut c = Cursor(block);
        let parameter = ParameterKey(c.u16()?);
        let tag = c.byte()?;
        let element = c.varint()? as u32;
        let value = match tag {
            0 => Value::Present,
            1 => Value::Token { system: c.system()?, code: c.text()? },
            2 => Value::Code { system: c.system()??, code: c.text()? },
            3 => Value::Display(c.text()?),
            4 => Value::OfType { system: c.system()?, code: c.text()?, value: c.text()? },
            5 => Value::String(c.text()?),
            6 => Value::Reference(c.text()?),
            7 => Value::Identifier { system: c.system()?, value: c.text()? },
            8 => Value::Date(Interval { low: c.i64()?, high: c.i64()? }),
            9 => Value::Number(Span { low: c.bound()?, high: c.bound()? }),
            10 => {
                let span = Span { low: c.bound()?, high: c.bound()? };
                let system = c.system()?;
                let filled = |s: &'a str| (!s.is_empty()).then_some(s);
                Value::Quantity { span, system, code: filled(c.text()?), unit: filled(c.text()?) }
            }
            11 => Value::Uri(c.text()?),
            12 => Value::Position(Position { latitude: c.f64()?, longitude: c.f64()? }),
            13 => Value::Part(c.text()?),
            14 => Value::Sound(c.text()?),
            _ => return None,
        };
        c.0.is_empty().then_some(Entry { parameter, element, value })
    }

    /// Whether it is such as extraction makes, so that the value and its keys say the same: of a kind that its parameter has,
    /// no range that ends before it begins, no empty uri, no zero byte, which is what separates the parts of a key.
    fn is_sound(&self) -> bool {
        let ty = model::known_parameter_key(self.parameter).map(|(_, ty)| ty);
        let has = |expected| ty.is_none_or(|ty| ty == expected);
        let clean = |text: &str| !text.contains('\0');
        let cleanly = |text: Option<&str>| text.is_none_or(clean);
        match self.value {
            Value::Present => true,
            Value::Token { system, code } => has(ParameterType::Token) && cleanly(system) && clean(code),
            Value::Code { system, code } => {
                let reads = Reads::of(self.parameter);
                has(ParameterType::Token) && clean(system) && clean(code) && (!reads.is_defined || reads.implies(system, code))
            }
            Value::Display(text) => (has(ParameterType::Token) || has(ParameterType::Reference)) && clean(text),
            Value::OfType { system, code, value } => has(ParameterType::Token) && cleanly(system) && clean(code) && clean(value),
            Value::String(text) | Value::Part(text) | Value::Sound(text) => has(ParameterType::String) && clean(text),
            Value::Reference(text) => has(ParameterType::Reference) && clean(text),
            Value::Identifier { system, value } => has(ParameterType::Reference) && cleanly(system) && clean(value),
            Value::Date(interval) => has(ParameterType::Date) && interval.low < interval.high,
            Value::Number(span) => has(ParameterType::Number) && span.is_sound(),
            Value::Quantity { span, system, code, unit } => {
                has(ParameterType::Quantity) && span.is_sound() && cleanly(system) && cleanly(code) && cleanly(unit)
            }
            Value::Uri(text) => has(ParameterType::Uri) && clean(text) && !text.is_empty(),
            Value::Position(position) => has(ParameterType::Special) && position.is_sound(),
        }
    }
}

struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn take(&mut self, n: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(n)?;
        self.0 = rest;
        Some(head)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take(1).map(|b| b[0])
    }

    fn u16(&mut self) -> Option<u16> {
        self.take(2)?.try_into().ok().map(u16::from_le_bytes)
    }

    fn i64(&mut self) -> Option<i64> {
        self.take(8)?.try_into().ok().map(i64::from_le_bytes)
    }

    fn f64(&mut self) -> Option<f64> {
        self.take(8)?.try_into().ok().map(f64::from_le_bytes)
    }

    fn varint(&mut self) -> Option<usize> {
        let mut n = 0usize;
        for shift in (0..35).step_by(7) {
            let b = self.byte()?;
            n |= usize::from(b & 0x7F) << shift;
            if b < 0x80 {
                return Some(n);
            }
        }
        None
    }

    fn block(&mut self) -> Option<&'a [u8]> {
        let n = self.varint()?;
        self.take(n)
    }

    fn text(&mut self) -> Option<&'a str> {
        std::str::from_utf8(self.block()?).ok()
    }

    fn system(&mut self) -> Option<Option<&'a str>> {
        match self.byte()? {
            0 => Some(None),
            1 => Some(Some(model::system_url(self.u16()?)?)),
            2 => Some(Some(self.text()?)),
            _ => None,
        }
    }

    fn bound(&mut self) -> Option<Bound<'a>> {
        match self.byte()? {
            0 => Some(Bound::Infinite),
            1 => Some(Bound::Open(self.block()?)),
            2 => Some(Bound::Closed(self.block()?)),
            _ => None,
        }
    }
}

fn varint(out: &mut Vec<u8>, mut n: usize) {
    while n >= 0x80 {
        out.push(n as u8 | 0x80);
        n >>= 7;
    }
    out.push(n as u8);
}

fn write_text(out: &mut Vec<u8>, text: &str) {
    varint(out, text.len());
    out.extend(text.as_bytes());
}

fn write_system(out: &mut Vec<u8>, system: Option<&str>) {
    match system {
        None => out.push(0),
        Some(url) => match model::system_number(url) {
            Some(n) => {
                out.push(1);
                out.extend(n.to_le_bytes());
            }
            None => {
                out.push(2);
                write_text(out, url);
            }
        },
    }
}

fn write_bound(out: &mut Vec<u8>, bound: Bound) {
    let (tag, bytes) = match bound {
        Bound::Infinite => return out.push(0),
        Bound::Open(b) => (1, b),
        Bound::Closed(b) => (2, b),
    };
    out.push(tag);
    varint(out, bytes.len());
    out.extend(bytes);
}
