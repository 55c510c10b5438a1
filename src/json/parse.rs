//! Text to container bytes in two passes: the first reads the text once into flat lists of slots, the second writes each byte
//! of the container once. No tree, no recursion, and a [`Parser`] keeps its memory from one document to the next.
//!
//! The bytes equal those that the server's `jsonb` input makes; what it refuses is refused with its SQLSTATE.

use super::error::{INVALID_BYTES, INVALID_TEXT, JsonError, LIMIT_EXCEEDED};
use super::layout::{self as jb, Open, length_word, pad};
use super::number;
use super::scan::{self, append, skip_space, unexpected_end};
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
    /// The slots of the containers still open, those of an object as key, value, key, value.
    pending: Vec<Slot>,
    open: Vec<OpenContainer>,
    /// The slots of the finished containers in stored order, each container's together.
    finished: Vec<Slot>,
    /// Number datums, and strings that had escapes.
    scratch: Vec<u8>,
    writing: Vec<Writing>,
}

/// A value or key, small because there are many.
#[derive(Clone, Copy)]
struct Slot {
    /// An entry's type, and the length in bytes; for a container the count of its slots.
    entry: u32,
    /// String: where in the text, or with [`ELSEWHERE`] in the scratch. Number: where in the scratch.
    /// Container: where in the finished slots; [`ELSEWHERE`] marks an object.
    at: u32,
}

const ELSEWHERE: u32 = 0x8000_0000;

impl Slot {
    fn length(self) -> usize {
        (self.entry & jb::LENGTH_MASK) as usize
    }

    fn position(self) -> usize {
        (self.at & !ELSEWHERE) as usize
    }

    fn bytes<'a>(self, text: &'a [u8], scratch: &'a [u8]) -> &'a [u8] {
        let source = if self.at & ELSEWHERE != 0 { scratch } else { text };
        source.get(self.position()..self.position() + self.length()).unwrap_or_default()
    }
}

struct OpenContainer {
    first: usize,
    is_object: bool,
}

struct Writing {
    container: Open,
    next: usize,
    end: usize,
}

/// Parsers that outlive a large document give its memory back.
const KEPT_SLOTS: usize = 1 << 16;
const KEPT_BYTES: usize = 1 << 20;

impl Parser {
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

    /// Replaces the contents of `out` by the container of `text`. After an error `out` holds nothing of use.
    pub fn parse_into(&mut self, text: &[u8], out: &mut Vec<u8>) -> Result<(), JsonError> {
        let max_bytes = self.limits.max_bytes.min(MAX_TEXT);
        if text.len() > max_bytes {
            return Err(JsonError::too_large(max_bytes, "json text", max_bytes));
        }
        if let Err(error) = std::str::from_utf8(text) {
            return Err(JsonError::new(INVALID_BYTES, error.valid_up_to(), "invalid byte sequence for encoding UTF8"));
        }
        self.pending.clear();
        self.open.clear();
        self.finished.clear();
        self.scratch.clear();
        self.writing.clear();
        out.clear();
        let result = self.read(text).and_then(|root| self.write(root, text, out));
        self.pending.shrink_to(KEPT_SLOTS);
        self.finished.shrink_to(KEPT_SLOTS);
        self.scratch.shrink_to(KEPT_BYTES);
        // A zero byte is an error wherever it stands; the server sees it before the rest.
        result.map_err(|error| match memchr::memchr(0, text) {
            Some(at) => JsonError::new(INVALID_BYTES, at, "invalid byte sequence for encoding UTF8: 0x00"),
            None => error,
        })
    }

    fn read(&mut self, text: &[u8]) -> Result<Slot, JsonError> {
        let mut at = skip_space(text, 0);
        loop {
            let (mut value, end) = match text.get(at) {
                Some(b'"') => self.string(text, at)?,
                Some(b'{') => {
                    self.begin(at, true)?;
                    at = skip_space(text, at + 1);
                    if text.get(at) != Some(&b'}') {
                        at = self.key(text, at)?;
                        continue;
                    }
                    (self.end_object(text)?, at + 1)
                }
                Some(b'[') => {
                    self.begin(at, false)?;
                    at = skip_space(text, at + 1);
                    if text.get(at) != Some(&b']') {
                        continue;
                    }
                    (self.end_array()?, at + 1)
                }
                Some(b'-' | b'0'..=b'9') => self.number(text, at)?,
                Some(_) => literal(text, at)?,
                None => return Err(unexpected_end(at)),
            };
            at = skip_space(text, end);
            // Behind a value: the next one, or the end of one or more containers.
            loop {
                let Some(open) = self.open.last() else {
                    return if at == text.len() { Ok(value) } else { Err(unexpected(at, "the end of the text")) };
                };
                push(&mut self.pending, value)?;
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
                    (Some(b'}'), true) => value = self.end_object(text)?,
                    (Some(b']'), false) => value = self.end_array()?,
                    (Some(_), true) => return Err(unexpected(at, "\",\" or \"}\"")),
                    (Some(_), false) => return Err(unexpected(at, "\",\" or \"]\"")),
                    (None, _) => return Err(unexpected_end(at)),
                }
                at = skip_space(text, at + 1);
            }
        }
    }

    fn begin(&mut self, at: usize, is_object: bool) -> Result<(), JsonError> {
        if self.open.len() >= self.limits.max_depth {
            return Err(JsonError::too_deep(at, self.limits.max_depth));
        }
        push(&mut self.open, OpenContainer { first: self.pending.len(), is_object })
    }

    /// A key and its colon; gives the place of the value.
    #[inline]
    fn key(&mut self, text: &[u8], at: usize) -> Result<usize, JsonError> {
        match text.get(at) {
            Some(b'"') => {}
            Some(_) => return Err(unexpected(at, "a key in double quotes")),
            None => return Err(unexpected_end(at)),
        }
        let (key, end) = self.string(text, at)?;
        push(&mut self.pending, key)?;
        let at = skip_space(text, end);
        match text.get(at) {
            Some(b':') => Ok(skip_space(text, at + 1)),
            Some(_) => Err(unexpected(at, "\":\"")),
            None => Err(unexpected_end(at)),
        }
    }

    /// A string from its opening quote on.
    #[inline]
    fn string(&mut self, text: &[u8], at: usize) -> Result<(Slot, usize), JsonError> {
        let start = at + 1;
        let end = scan::plain_run(text, start);
        match text.get(end) {
            Some(b'"') => Ok((Slot { entry: string_entry(end - start, at)?, at: start as u32 }, end + 1)),
            Some(b'\\') => self.escaped_string(text, start),
            Some(_) => Err(scan::control_character(end)),
            None => Err(unexpected_end(end)),
        }
    }

    fn escaped_string(&mut self, text: &[u8], start: usize) -> Result<(Slot, usize), JsonError> {
        // Its place in the text stands before it: see `order`.
        append(&mut self.scratch, &(start as u32).to_ne_bytes())?;
        let first = self.scratch.len();
        let end = scan::escaped_string(text, start, &mut self.scratch)?;
        let entry = string_entry(self.scratch.len() - first, start)?;
        Ok((Slot { entry, at: self.scratch_place(first)? | ELSEWHERE }, end))
    }

    fn number(&mut self, text: &[u8], at: usize) -> Result<(Slot, usize), JsonError> {
        let token = scan::number(text, at)?;
        let first = self.scratch.len();
        // A length word, the longer header, and two bytes for each group of four digits, the outer groups broken.
        let most = 8 + (token.end - at) / 2 + 4;
        self.scratch.try_reserve(most).map_err(|_| JsonError::out_of_memory())?;
        self.scratch.extend_from_slice(&[0; 4]);
        if let Err(error) = number::append(&token, &mut self.scratch) {
            return Err(scan::error_behind_number(text, token.end).unwrap_or(error));
        }
        let length = self.scratch.len() - first;
        if let Some(word) = self.scratch.get_mut(first..first + 4) {
            word.copy_from_slice(&length_word(length as u32).to_ne_bytes());
        }
        Ok((Slot { entry: jb::NUMBER | length as u32, at: self.scratch_place(first)? | ELSEWHERE }, token.end))
    }

    fn scratch_place(&self, first: usize) -> Result<u32, JsonError> {
        if first < ELSEWHERE as usize {
            Ok(first as u32)
        } else {
            Err(JsonError::too_large(0, "memory for a json text", ELSEWHERE as usize))
        }
    }

    fn end_array(&mut self) -> Result<Slot, JsonError> {
        let Some(open) = self.open.pop() else { return Err(unexpected_end(0)) };
        let slots = self.pending.get(open.first..).unwrap_or_default();
        let at = self.finished.len();
        reserve(&mut self.finished, slots.len())?;
        self.finished.extend_from_slice(slots);
        let count = slots.len();
        self.pending.truncate(open.first);
        container_slot(count, at, 0)
    }

    /// Sorts the pairs by key and keeps the last of equal ones.
    fn end_object(&mut self, text: &[u8]) -> Result<Slot, JsonError> {
        let Some(open) = self.open.pop() else { return Err(unexpected_end(0)) };
        let scratch = &self.scratch;
        let slots = self.pending.get_mut(open.first..).unwrap_or_default();
        let (pairs, _) = slots.as_chunks_mut::<2>();
        sort(pairs, text, scratch);
        let mut kept = 0;
        for place in 0..pairs.len() {
            let is_last = pairs.get(place + 1).is_none_or(|next| {
                let (Some([key, _]), [next, _]) = (pairs.get(place), next) else { return true };
                key.entry != next.entry || key.bytes(text, scratch) != next.bytes(text, scratch)
            });
            if is_last {
                pairs.swap(kept, place);
                kept += 1;
            }
        }
        let at = self.finished.len();
        reserve(&mut self.finished, 2 * kept)?;
        let pairs = pairs.get(..kept).unwrap_or_default();
        self.finished.extend(pairs.iter().map(|[key, _]| *key));
        self.finished.extend(pairs.iter().map(|[_, value]| *value));
        self.pending.truncate(open.first);
        container_slot(2 * kept, at, ELSEWHERE)
    }

    fn write(&mut self, root: Slot, text: &[u8], out: &mut Vec<u8>) -> Result<(), JsonError> {
        // Each slot takes an entry and at most three bytes of padding; only containers have a header beside it.
        let most = 8 * (self.finished.len() + 2) + text.len() + self.scratch.len();
        let likely = most.min(8 * (self.finished.len() + 2) + text.len());
        out.try_reserve(likely).map_err(|_| JsonError::out_of_memory())?;
        let mut current = if root.entry & jb::TYPE_MASK == jb::CONTAINER {
            begin(root, out)?
        } else {
            // A scalar stands in an array of one.
            let next = self.finished.len();
            push(&mut self.finished, root)?;
            Writing { container: Open::begin(out, jb::ARRAY | jb::SCALAR | 1, 1), next, end: next + 1 }
        };
        loop {
            let slots = self.finished.get(current.next..current.end).unwrap_or_default();
            let mut nested = None;
            for slot in slots {
                current.next += 1;
                let kind = slot.entry & jb::TYPE_MASK;
                let before = out.len();
                match kind {
                    jb::STRING => append(out, slot.bytes(text, &self.scratch))?,
                    jb::NUMBER => {
                        let datum = slot.bytes(text, &self.scratch);
                        out.try_reserve(datum.len() + 3).map_err(|_| JsonError::out_of_memory())?;
                        pad(out);
                        out.extend_from_slice(datum);
                    }
                    jb::CONTAINER => {
                        nested = Some(*slot);
                        break;
                    }
                    _ => {}
                }
                let length = out.len() - before;
                current.container.entry(out, kind, length)?;
            }
            if let Some(slot) = nested {
                let inner = begin(slot, out)?;
                push(&mut self.writing, std::mem::replace(&mut current, inner))?;
                continue;
            }
            let length = current.container.end(out)?;
            let Some(outer) = self.writing.pop() else { return Ok(()) };
            current = outer;
            current.container.entry(out, jb::CONTAINER, length)?;
        }
    }
}

fn begin(slot: Slot, out: &mut Vec<u8>) -> Result<Writing, JsonError> {
    let slots = slot.length();
    let header =
        if slot.at & ELSEWHERE != 0 { jb::OBJECT | (slots / 2) as u32 } else { jb::ARRAY | slots as u32 };
    out.try_reserve(4 * slots + 8).map_err(|_| JsonError::out_of_memory())?;
    let container = Open::begin(out, header, slots as u32);
    Ok(Writing { container, next: slot.position(), end: slot.position() + slots })
}

fn literal(text: &[u8], at: usize) -> Result<(Slot, usize), JsonError> {
    let rest = text.get(at..).unwrap_or_default();
    let (entry, length) = match rest {
        [b't', b'r', b'u', b'e', ..] => (jb::TRUE, 4),
        [b'f', b'a', b'l', b's', b'e', ..] => (jb::FALSE, 5),
        [b'n', b'u', b'l', b'l', ..] => (jb::NULL, 4),
        _ => return Err(unexpected(at, "a json value")),
    };
    Ok((Slot { entry, at: 0 }, at + length))
}

fn string_entry(length: usize, at: usize) -> Result<u32, JsonError> {
    if length > jb::LENGTH_MASK as usize {
        return Err(JsonError::too_large(at, "string", jb::LENGTH_MASK as usize));
    }
    Ok(jb::STRING | length as u32)
}

fn container_slot(count: usize, at: usize, mark: u32) -> Result<Slot, JsonError> {
    if count > jb::COUNT_MASK as usize || at >= ELSEWHERE as usize {
        return Err(JsonError::new(LIMIT_EXCEEDED, 0, format!("more than {} values in json", jb::COUNT_MASK)));
    }
    Ok(Slot { entry: jb::CONTAINER | count as u32, at: at as u32 | mark })
}

/// Most objects are small: then the plainest sort is the fastest. The other one takes no memory either.
fn sort(pairs: &mut [[Slot; 2]], text: &[u8], scratch: &[u8]) {
    if pairs.len() > 24 {
        pairs.sort_unstable_by(|[a, _], [b, _]| order(*a, *b, text, scratch));
        return;
    }
    for from in 1..pairs.len() {
        let mut to = from;
        while let Some([[before, _], [key, _]]) = to.checked_sub(1).and_then(|at| pairs.get(at..)?.first_chunk()) {
            if order(*before, *key, text, scratch) != Ordering::Greater {
                break;
            }
            pairs.swap(to - 1, to);
            to -= 1;
        }
    }
}

/// By length, then by bytes; equal keys in the order of the text, so that the last is known.
#[inline]
fn order(a: Slot, b: Slot, text: &[u8], scratch: &[u8]) -> Ordering {
    let place = |slot: Slot| match slot.at & ELSEWHERE {
        0 => slot.at,
        _ => slot.position().checked_sub(4).and_then(|at| jb::word(scratch, at)).unwrap_or_default(),
    };
    a.entry
        .cmp(&b.entry)
        .then_with(|| a.bytes(text, scratch).cmp(b.bytes(text, scratch)))
        .then_with(|| place(a).cmp(&place(b)))
}

#[inline]
fn push<T>(list: &mut Vec<T>, item: T) -> Result<(), JsonError> {
    reserve(list, 1)?;
    list.push(item);
    Ok(())
}

#[inline]
fn reserve<T>(list: &mut Vec<T>, more: usize) -> Result<(), JsonError> {
    list.try_reserve(more).map_err(|_| JsonError::out_of_memory())
}

#[cold]
fn unexpected(at: usize, expected: &str) -> JsonError {
    JsonError::new(INVALID_TEXT, at, format!("expected {expected}"))
}
