//! Text to container bytes in two passes: the first reads the text once into flat lists of slots, the second writes each byte
//! of the container once. No tree, no recursion, and a [`Parser`] keeps its memory from one document to the next.
//!
//! The bytes equal those that the server's `jsonb` input makes; what it refuses is refused with its SQLSTATE.

use super::error::{Fallible, INVALID_BYTES, INVALID_TEXT, JsonError, LIMIT_EXCEEDED};
use super::layout::{self as jb, Entries, aligned, length_word, pad};
use super::number;
use super::scan::{self, append, reserve, skip_space, unexpected_end};
use std::cmp::Ordering;

/// What a text may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Levels of arrays and objects.
    pub max_depth: usize,
    /// Length of the text; never more than [`MAX_TEXT`].
    pub max_bytes: usize,
}

impl Default for Limits {
    /// 1,000 levels, and 256 MiB: the size of the largest `jsonb`.
    fn default() -> Limits {
        Limits { max_depth: 1_000, max_bytes: jb::LENGTH_MASK as usize }
    }
}

/// The server's own bound on a text.
pub const MAX_TEXT: usize = 0x3FFF_FFFF;

/// The container of a JSON text.
pub fn parse(text: &[u8], limits: &Limits) -> Result<Vec<u8>, JsonError> {
    let mut out = Vec::new();
    Parser::new(*limits).parse_into(text, &mut out)?;
    Ok(out)
}

/// Parses one text after the other in the same memory.
pub struct Parser {
    limits: Limits,
    /// The values of the containers still open, those of an object as key, value, key, value. At last the root alone.
    pending: Vec<Slot>,
    open: Vec<OpenContainer>,
    /// The containers that are complete, inner before outer: each its header, then its slots in stored order.
    finished: Vec<Slot>,
    /// Number datums, and strings that had escapes.
    scratch: Vec<u8>,
    writing: Vec<Writing>,
}

/// A value or key, small because there are many.
#[derive(Clone, Copy)]
struct Slot {
    /// A type with the length in bytes, padding excluded; in a finished container the word that is stored.
    entry: u32,
    /// String: where in the text, or with [`SCRATCH`] in the scratch. Number: where in the scratch.
    /// Container: where its header stands in the finished ones.
    at: u32,
}

const SCRATCH: u32 = 0x8000_0000;

impl Slot {
    #[inline]
    fn kind(self) -> u32 {
        self.entry & jb::TYPE_MASK
    }

    #[inline]
    fn length(self) -> usize {
        (self.entry & jb::LENGTH_MASK) as usize
    }

    #[inline]
    fn bytes<'a>(self, length: usize, text: &'a [u8], scratch: &'a [u8]) -> &'a [u8] {
        self.source(text, scratch).get(..length).unwrap_or_default()
    }

    /// From the value's first byte on.
    #[inline]
    fn source<'a>(self, text: &'a [u8], scratch: &'a [u8]) -> &'a [u8] {
        let source = if self.at & SCRATCH != 0 { scratch } else { text };
        source.get((self.at & !SCRATCH) as usize..).unwrap_or_default()
    }
}

struct OpenContainer {
    first: usize,
    is_object: bool,
}

/// A container that is being written: its slots to come, and where its data begins.
struct Writing {
    next: usize,
    end: usize,
    data: usize,
}

/// Parsers that outlive a large document give its memory back.
const KEPT_SLOTS: usize = 1 << 16;
const KEPT_BYTES: usize = 1 << 20;

impl Parser {
    /// Takes no memory until the first text.
    pub fn new(limits: Limits) -> Parser {
        Parser {
            limits,
            pending: Vec::new(),
            open: Vec::new(),
            finished: Vec::new(),
            scratch: Vec::new(),
            writing: Vec::new(),
        }
    }

    /// Replaces the contents of `out` by the container of `text`. After an error `out` is empty.
    pub fn parse_into(&mut self, text: &[u8], out: &mut Vec<u8>) -> Result<(), JsonError> {
        out.clear();
        let max_bytes = self.limits.max_bytes.min(MAX_TEXT);
        if text.len() > max_bytes {
            return Err(*JsonError::too_large(max_bytes, "json text", max_bytes));
        }
        if let Err(error) = std::str::from_utf8(text) {
            return Err(*JsonError::new(INVALID_BYTES, error.valid_up_to(), "invalid byte sequence for encoding UTF8"));
        }
        self.pending.clear();
        self.open.clear();
        self.finished.clear();
        self.scratch.clear();
        let result = self.read(text).and_then(|()| self.write(text, out));
        self.pending.shrink_to(KEPT_SLOTS);
        self.finished.shrink_to(KEPT_SLOTS);
        self.scratch.shrink_to(KEPT_BYTES);
        // A zero byte is an error wherever it stands; the server sees it before the rest.
        result.map_err(|error| match memchr::memchr(0, text) {
            Some(at) => *JsonError::new(INVALID_BYTES, at, "invalid byte sequence for encoding UTF8: 0x00"),
            None => *error,
        })
    }

    fn read(&mut self, text: &[u8]) -> Fallible<()> {
        let mut at = skip_space(text, 0);
        loop {
            at = match text.get(at) {
                Some(b'"') => self.string(text, at)?,
                Some(b'{') => {
                    self.begin(at, true)?;
                    at = skip_space(text, at + 1);
                    if text.get(at) != Some(&b'}') {
                        at = self.key(text, at)?;
                        continue;
                    }
                    self.end_object(text)?;
                    at + 1
                }
                Some(b'[') => {
                    self.begin(at, false)?;
                    at = skip_space(text, at + 1);
                    if text.get(at) != Some(&b']') {
                        continue;
                    }
                    self.end_array()?;
                    at + 1
                }
                Some(b'-' | b'0'..=b'9') => self.number(text, at)?,
                Some(_) => self.literal(text, at)?,
                None => return Err(unexpected_end(at)),
            };
            // Behind a value: the next one, or the end of one or more containers.
            loop {
                at = skip_space(text, at);
                let Some(open) = self.open.last() else {
                    return if at == text.len() { Ok(()) } else { Err(unexpected(at, "the end of the text")) };
                };
                match (text.get(at), open.is_object) {
                    (Some(b','), true) => {
                        at = skip_space(text, at + 1);
                        at = self.key(text, at)?;
                        break;
                    }
                    (Some(b','), false) => {
                        at = skip_space(text, at + 1);
                        break;
                    }
                    (Some(b'}'), true) => self.end_object(text)?,
                    (Some(b']'), false) => self.end_array()?,
                    (Some(_), true) => return Err(unexpected(at, "\",\" or \"}\"")),
                    (Some(_), false) => return Err(unexpected(at, "\",\" or \"]\"")),
                    (None, _) => return Err(unexpected_end(at)),
                }
                at += 1;
            }
        }
    }

    fn begin(&mut self, at: usize, is_object: bool) -> Fallible<()> {
        if self.open.len() >= self.limits.max_depth {
            return Err(JsonError::too_deep(at, self.limits.max_depth));
        }
        push(&mut self.open, OpenContainer { first: self.pending.len(), is_object })
    }

    /// A key and its colon; gives the place of the value.
    #[inline]
    fn key(&mut self, text: &[u8], at: usize) -> Fallible<usize> {
        match text.get(at) {
            Some(b'"') => {}
            Some(_) => return Err(unexpected(at, "a key in double quotes")),
            None => return Err(unexpected_end(at)),
        }
        let end = self.string(text, at)?;
        let at = skip_space(text, end);
        match text.get(at) {
            Some(b':') => Ok(skip_space(text, at + 1)),
            Some(_) => Err(unexpected(at, "\":\"")),
            None => Err(unexpected_end(at)),
        }
    }

    /// A string from its opening quote on; gives the place behind it, as the other values do.
    #[inline]
    fn string(&mut self, text: &[u8], at: usize) -> Fallible<usize> {
        let start = at + 1;
        let end = scan::plain_run(text, start);
        match text.get(end) {
            Some(b'"') => {
                let entry = string_entry(end - start, at)?;
                push(&mut self.pending, Slot { entry, at: start as u32 })?;
                Ok(end + 1)
            }
            Some(b'\\') => self.escaped_string(text, start),
            Some(_) => Err(scan::control_character(end)),
            None => Err(unexpected_end(end)),
        }
    }

    #[inline(never)]
    fn escaped_string(&mut self, text: &[u8], start: usize) -> Fallible<usize> {
        // Its place in the text stands before it: see `order`.
        append(&mut self.scratch, &(start as u32).to_ne_bytes())?;
        let first = self.scratch.len();
        let end = scan::escaped_string(text, start, &mut self.scratch)?;
        let entry = string_entry(self.scratch.len() - first, start)?;
        push(&mut self.pending, Slot { entry, at: scratch_place(first)? })?;
        Ok(end)
    }

    #[inline(never)]
    fn number(&mut self, text: &[u8], at: usize) -> Fallible<usize> {
        let token = scan::number(text, at)?;
        let first = self.scratch.len();
        // A length word, the longer header, and two bytes for each group of four digits, the outer groups broken.
        reserve(&mut self.scratch, 8 + (token.end - at) / 2 + 4)?;
        self.scratch.extend_from_slice(&[0; 4]);
        if let Err(error) = number::append(&token, &mut self.scratch) {
            return Err(scan::error_behind_number(text, token.end).unwrap_or(error));
        }
        let length = self.scratch.len() - first;
        if let Some(word) = self.scratch.get_mut(first..first + 4) {
            word.copy_from_slice(&length_word(length as u32).to_ne_bytes());
        }
        push(&mut self.pending, Slot { entry: jb::NUMBER | length as u32, at: scratch_place(first)? })?;
        Ok(token.end)
    }

    fn literal(&mut self, text: &[u8], at: usize) -> Fallible<usize> {
        let (entry, length) = match text.get(at..).unwrap_or_default() {
            [b't', b'r', b'u', b'e', ..] => (jb::TRUE, 4),
            [b'f', b'a', b'l', b's', b'e', ..] => (jb::FALSE, 5),
            [b'n', b'u', b'l', b'l', ..] => (jb::NULL, 4),
            _ => return Err(unexpected(at, "a json value")),
        };
        push(&mut self.pending, Slot { entry, at: 0 })?;
        Ok(at + length)
    }

    fn end_array(&mut self) -> Fallible<()> {
        let Some(open) = self.open.pop() else { return Err(unexpected_end(0)) };
        let slots = self.pending.get(open.first..).unwrap_or_default();
        let array = finish(&mut self.finished, jb::ARRAY, [].iter(), slots.iter())?;
        self.pending.truncate(open.first);
        push(&mut self.pending, array)
    }

    /// Sorts the pairs by key and keeps the last of equal ones.
    fn end_object(&mut self, text: &[u8]) -> Fallible<()> {
        let Some(open) = self.open.pop() else { return Err(unexpected_end(0)) };
        let scratch = &self.scratch;
        let slots = self.pending.get_mut(open.first..).unwrap_or_default();
        let (pairs, _) = slots.as_chunks_mut::<2>();
        let pairs = sort(pairs, text, scratch);
        let (keys, values) = (pairs.iter().map(|[key, _]| key), pairs.iter().map(|[_, value]| value));
        let object = finish(&mut self.finished, jb::OBJECT, keys, values)?;
        self.pending.truncate(open.first);
        push(&mut self.pending, object)
    }

    /// The sizes of all containers are known by now, so this does not fail but for memory.
    fn write(&mut self, text: &[u8], out: &mut Vec<u8>) -> Fallible<()> {
        let Some(mut root) = self.pending.pop() else { return Err(unexpected_end(0)) };
        if root.kind() != jb::CONTAINER {
            // A scalar stands in an array of one.
            root = finish(&mut self.finished, jb::ARRAY | jb::SCALAR, [].iter(), [root].iter())?;
        }
        // Short strings are copied as 16 bytes, of which only theirs stay.
        reserve(out, root.length() + 16)?;
        self.writing.clear();
        reserve(&mut self.writing, self.limits.max_depth.min(root.length() / 8 + 1))?;
        let mut current = begin_writing(&self.finished, root, out);
        loop {
            let mut nested = None;
            for slot in self.finished.get(current.next..current.end).unwrap_or_default() {
                current.next += 1;
                match slot.kind() {
                    jb::STRING => {
                        let length = data_length(*slot, out.len() - current.data);
                        copy(slot.source(text, &self.scratch), length, out);
                    }
                    jb::NUMBER => {
                        let length = data_length(*slot, out.len() - current.data);
                        let padding = aligned(out.len()) - out.len();
                        pad(out);
                        copy(slot.source(text, &self.scratch), length - padding, out);
                    }
                    jb::CONTAINER => {
                        nested = Some(*slot);
                        break;
                    }
                    _ => {}
                }
            }
            if let Some(slot) = nested {
                let inner = begin_writing(&self.finished, slot, out);
                push(&mut self.writing, std::mem::replace(&mut current, inner))?;
            } else if let Some(outer) = self.writing.pop() {
                current = outer;
            } else {
                return Ok(());
            }
        }
    }
}

/// Appends a container to the finished ones, with the words that are stored for it; gives its own slot.
/// Its slots come in two lists because those of an object do: first all keys, then all values.
#[inline]
fn finish<'a>(
    finished: &mut Vec<Slot>,
    header: u32,
    keys: impl ExactSizeIterator<Item = &'a Slot>,
    values: impl ExactSizeIterator<Item = &'a Slot>,
) -> Fallible<Slot> {
    let at = finished.len();
    let slots = keys.len() + values.len();
    if slots > jb::COUNT_MASK as usize || at >= u32::MAX as usize - slots {
        return Err(JsonError::new(LIMIT_EXCEEDED, 0, format!("more than {} values in json", jb::COUNT_MASK)));
    }
    reserve(finished, slots + 1)?;
    finished.push(Slot { entry: header | values.len() as u32, at: slots as u32 });
    let mut entries = Entries::default();
    finished.extend(keys.map(|slot| Slot { entry: entries.add(jb::STRING, slot.length()), at: slot.at }));
    finished.extend(values.map(|slot| {
        let kind = slot.kind();
        let padding = match kind {
            jb::NUMBER | jb::CONTAINER => aligned(entries.total()) - entries.total(),
            _ => 0,
        };
        Slot { entry: entries.add(kind, slot.length() + padding), at: slot.at }
    }));
    Ok(Slot { entry: jb::CONTAINER | entries.end()?, at: at as u32 })
}

/// Writes the header and the entries.
#[inline]
fn begin_writing(finished: &[Slot], container: Slot, out: &mut Vec<u8>) -> Writing {
    let at = container.at as usize;
    let Some(header) = finished.get(at) else { return Writing { next: 0, end: 0, data: 0 } };
    let (next, end) = (at + 1, at + 1 + header.at as usize);
    pad(out);
    for slot in finished.get(at..end).unwrap_or_default() {
        out.extend_from_slice(&slot.entry.to_ne_bytes());
    }
    Writing { next, end, data: out.len() }
}

/// What a stored word says of the length, padding included, of data that begins at `start`.
#[inline]
fn data_length(slot: Slot, start: usize) -> usize {
    if slot.entry & jb::HAS_OFFSET != 0 { slot.length() - start } else { slot.length() }
}

#[inline]
fn copy(source: &[u8], length: usize, out: &mut Vec<u8>) {
    match source.first_chunk::<16>() {
        // A copy of fixed length is two instructions, of any other a call.
        Some(chunk) if length <= 16 => {
            let end = out.len() + length;
            out.extend_from_slice(chunk);
            out.truncate(end);
        }
        _ => out.extend_from_slice(source.get(..length).unwrap_or_default()),
    }
}

#[inline]
fn string_entry(length: usize, at: usize) -> Fallible<u32> {
    if length > jb::LENGTH_MASK as usize {
        return Err(JsonError::too_large(at, "string", jb::LENGTH_MASK as usize));
    }
    Ok(jb::STRING | length as u32)
}

fn scratch_place(first: usize) -> Fallible<u32> {
    if first < SCRATCH as usize {
        Ok(first as u32 | SCRATCH)
    } else {
        Err(JsonError::too_large(0, "memory for a json text", SCRATCH as usize))
    }
}

/// Sorts the pairs and keeps the last of those with equal keys.
fn sort<'a>(pairs: &'a mut [[Slot; 2]], text: &[u8], scratch: &[u8]) -> &'a [[Slot; 2]] {
    let mut has_equal = false;
    let mut compare = |[a, _]: &[Slot; 2], [b, _]: &[Slot; 2]| {
        let order = key_order(*a, *b, text, scratch);
        has_equal |= order == Ordering::Equal;
        order.then_with(|| place(*a, scratch).cmp(&place(*b, scratch)))
    };
    if pairs.len() > 24 {
        // It takes no memory of its own.
        pairs.sort_unstable_by(compare);
    } else {
        // Most objects are small: then the plainest sort is the fastest.
        for from in 1..pairs.len() {
            for to in (1..=from).rev() {
                let Some([before, pair]) = pairs.get_mut(to - 1..).and_then(|rest| rest.first_chunk_mut()) else {
                    break;
                };
                if compare(before, pair) != Ordering::Greater {
                    break;
                }
                std::mem::swap(before, pair);
            }
        }
    }
    if !has_equal {
        return pairs;
    }
    let mut kept = 0;
    for at in 0..pairs.len() {
        let is_last = match pairs.get(at..) {
            Some([[key, _], [next, _], ..]) => key_order(*key, *next, text, scratch) != Ordering::Equal,
            _ => true,
        };
        if is_last {
            pairs.swap(kept, at);
            kept += 1;
        }
    }
    pairs.get(..kept).unwrap_or_default()
}

/// By length, then by bytes.
#[inline]
fn key_order(a: Slot, b: Slot, text: &[u8], scratch: &[u8]) -> Ordering {
    let length = a.length();
    a.entry.cmp(&b.entry).then_with(|| a.bytes(length, text, scratch).cmp(b.bytes(length, text, scratch)))
}

/// Where in the text a key stands, wherever its bytes are.
fn place(key: Slot, scratch: &[u8]) -> u32 {
    match key.at & SCRATCH {
        0 => key.at,
        _ => ((key.at & !SCRATCH) as usize).checked_sub(4).and_then(|at| jb::word(scratch, at)).unwrap_or_default(),
    }
}

#[inline]
fn push<T>(list: &mut Vec<T>, item: T) -> Fallible<()> {
    reserve(list, 1)?;
    list.push(item);
    Ok(())
}

#[cold]
fn unexpected(at: usize, expected: &str) -> Box<JsonError> {
    JsonError::new(INVALID_TEXT, at, format!("expected {expected}"))
}
