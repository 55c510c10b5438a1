//! A walk over the bytes of a `jsonb` container, in place.
//!
//! Safe on arbitrary bytes: every access is checked, what is not well-formed reads as absent, and the values that an
//! iteration gives do not overlap, so that a whole walk is bounded by the input. A nested container is at least eight
//! bytes shorter than the one around it, but there is no other bound on levels: whoever recurses must count them.

use super::layout::{self as jb, aligned, stated_length, word};
use super::number::Number;
use std::cmp::Ordering;

/// The value that a container holds; a scalar is unwrapped. `None` when the bytes are not a container.
pub fn root(container: &[u8]) -> Option<Node<'_>> {
    match Container::new(container)? {
        (container, jb::ARRAY) if word(container.bytes, 0)? & jb::SCALAR != 0 => {
            if container.count != 1 {
                return None;
            }
            match Array(container).get(0)? {
                Node::Array(_) | Node::Object(_) => None,
                scalar => Some(scalar),
            }
        }
        (container, jb::ARRAY) => Some(Node::Array(Array(container))),
        (container, _) => Some(Node::Object(Object(container))),
    }
}

/// One JSON value.
#[derive(Clone, Copy)]
pub enum Node<'a> {
    Null,
    Bool(bool),
    Number(Number<'a>),
    String(&'a str),
    Array(Array<'a>),
    Object(Object<'a>),
}

impl<'a> Node<'a> {
    /// The text, where this is a string.
    #[inline]
    pub fn as_str(self) -> Option<&'a str> {
        if let Node::String(text) = self { Some(text) } else { None }
    }

    /// The value, where this is `true` or `false`.
    pub fn as_bool(self) -> Option<bool> {
        if let Node::Bool(value) = self { Some(value) } else { None }
    }

    /// The number, where this is one.
    pub fn as_number(self) -> Option<Number<'a>> {
        if let Node::Number(number) = self { Some(number) } else { None }
    }

    /// The array, where this is one.
    pub fn as_array(self) -> Option<Array<'a>> {
        if let Node::Array(array) = self { Some(array) } else { None }
    }

    /// The object, where this is one.
    #[inline]
    pub fn as_object(self) -> Option<Object<'a>> {
        if let Node::Object(object) = self { Some(object) } else { None }
    }

    /// Whether this is `null`.
    pub fn is_null(self) -> bool {
        matches!(self, Node::Null)
    }

    /// The value under a key, where this is an object that has it.
    #[inline]
    pub fn get(self, key: &str) -> Option<Node<'a>> {
        self.as_object()?.get(key)
    }

    /// An array's items, or the node itself once.
    #[inline]
    pub fn items(self) -> Items<'a> {
        match self {
            Node::Array(array) => Items(One::Many(array.iter())),
            node => Items(One::Single(Some(node))),
        }
    }

    /// A nested value between two offsets of a container's data.
    #[inline]
    fn new(data: &'a [u8], span: Span) -> Option<Node<'a>> {
        Some(match span.kind {
            jb::STRING => Node::String(text(data.get(span.start..span.end)?)?),
            jb::NUMBER => {
                let datum = data.get(aligned(span.start)..span.end)?;
                let length = stated_length(word(datum, 0)?)?;
                Node::Number(Number::new(datum.get(4..length)?)?)
            }
            jb::FALSE => Node::Bool(false),
            jb::TRUE => Node::Bool(true),
            jb::NULL => Node::Null,
            jb::CONTAINER => match Container::new(data.get(aligned(span.start)..span.end)?)? {
                (container, jb::ARRAY) => Node::Array(Array(container)),
                (container, _) => Node::Object(Object(container)),
            },
            _ => return None,
        })
    }
}

impl std::fmt::Debug for Node<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.write_json(f)
    }
}

/// What [`Node::items`] gives.
#[derive(Clone)]
pub struct Items<'a>(One<'a>);

#[derive(Clone)]
enum One<'a> {
    Single(Option<Node<'a>>),
    Many(ArrayIter<'a>),
}

impl<'a> Iterator for Items<'a> {
    type Item = Node<'a>;

    #[inline]
    fn next(&mut self) -> Option<Node<'a>> {
        match &mut self.0 {
            One::Single(node) => node.take(),
            One::Many(items) => items.next(),
        }
    }
}

/// An array in a container.
#[derive(Clone, Copy)]
pub struct Array<'a>(Container<'a>);

impl<'a> Array<'a> {
    /// How many items.
    pub fn len(&self) -> usize {
        self.0.count()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.count() == 0
    }

    /// The item at a place, counted from 0.
    pub fn get(&self, index: usize) -> Option<Node<'a>> {
        Node::new(self.0.data(), self.0.span(index)?)
    }

    /// In order. Ends early where the bytes are not well-formed.
    pub fn iter(&self) -> ArrayIter<'a> {
        ArrayIter { data: self.0.data(), spans: self.0.keys() }
    }

    /// The whole container.
    pub(super) fn bytes(&self) -> &'a [u8] {
        self.0.bytes
    }

    /// Where it lies in memory, which no other container that is alive shares.
    pub fn address(&self) -> usize {
        self.0.bytes.as_ptr() as usize
    }
}

/// What [`Array::iter`] gives.
#[derive(Clone)]
pub struct ArrayIter<'a> {
    data: &'a [u8],
    spans: Spans<'a>,
}

impl<'a> Iterator for ArrayIter<'a> {
    type Item = Node<'a>;

    #[inline]
    fn next(&mut self) -> Option<Node<'a>> {
        Node::new(self.data, self.spans.next()?)
    }
}

/// Pairs of which a key is looked for one by one.
const MANY: usize = 48;

/// An object in a container. Its keys are unique and sorted by length, then by bytes.
#[derive(Clone, Copy)]
pub struct Object<'a>(Container<'a>);

impl<'a> Object<'a> {
    /// How many pairs of key and value.
    pub fn len(&self) -> usize {
        self.0.count()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.count() == 0
    }

    /// The value under a key.
    #[inline]
    pub fn get(&self, key: &str) -> Option<Node<'a>> {
        self.value(self.find(key)?)
    }

    /// The bytes of the string under a key, for who compares them only: that they are UTF-8 is not seen to.
    #[inline]
    pub fn text(&self, key: &str) -> Option<&'a [u8]> {
        let span = self.0.span(self.0.count() + self.find(key)?)?;
        if span.kind == jb::STRING { self.0.data().get(span.start..span.end) } else { None }
    }

    /// The value under a key with `_` before it: what FHIR has beside a primitive.
    #[inline]
    pub fn beside(&self, key: &str) -> Option<Node<'a>> {
        if self.0.count() > MANY {
            return self.get(&format!("_{key}"));
        }
        self.value(self.find_by(key.len() + 1, |found| matches!(found, [b'_', found @ ..] if is_same(found, key.as_bytes())))?)
    }

    /// The place of a key.
    #[inline]
    fn find(&self, key: &str) -> Option<usize> {
        if self.0.count() > MANY {
            return self.find_of_many(key);
        }
        self.find_by(key.len(), |found| is_same(found, key.as_bytes()))
    }

    /// The place of the key of that length that passes a test.
    #[inline(always)]
    fn find_by(&self, length: usize, is_it: impl Fn(&[u8]) -> bool) -> Option<usize> {
        // Keys are sorted by length, which their entries tell: of most, no byte is looked at.
        let data = self.0.data();
        for (index, span) in self.0.keys().enumerate() {
            let found = span.end - span.start;
            if found >= length {
                if found > length {
                    return None;
                }
                if is_it(data.get(span.start..span.end)?) {
                    return Some(index);
                }
            }
        }
        None
    }

    /// The value of the pair at a place in key order.
    #[inline]
    fn value(&self, index: usize) -> Option<Node<'a>> {
        Node::new(self.0.data(), self.0.span(self.0.count() + index)?)
    }

    /// The pairs whose keys have more than that many bytes and pass a test of them, in key order. Values of others are not looked at.
    #[inline]
    pub fn having(&self, length: usize, mut test: impl FnMut(&[u8]) -> bool) -> impl Iterator<Item = (&'a [u8], Node<'a>)> {
        let object = *self;
        let data = self.0.data();
        self.0.keys().enumerate().filter(move |(_, span)| span.end - span.start > length).filter_map(move |(index, span)| {
            let key = data.get(span.start..span.end).filter(|key| test(key))?;
            Some((key, object.value(index)?))
        })
    }

    /// The search is binary.
    fn find_of_many(&self, key: &str) -> Option<usize> {
        let (mut low, mut high) = (0, self.0.count());
        let data = self.0.data();
        while low < high {
            let middle = low + (high - low) / 2;
            let span = self.0.span(middle)?;
            match key_order(data.get(span.start..span.end)?, key.as_bytes()) {
                Ordering::Less => low = middle + 1,
                Ordering::Greater => high = middle,
                Ordering::Equal => return Some(middle),
            }
        }
        None
    }

    /// Where it lies in memory: what tells it from any other object of the same document.
    pub fn address(&self) -> usize {
        self.0.bytes.as_ptr().addr()
    }

    /// As [`Self::iter`], for who compares keys only: that they are UTF-8 is not seen to.
    #[inline]
    pub fn pairs(&self) -> impl Iterator<Item = (&'a [u8], Node<'a>)> + use<'a> {
        let ObjectIter { data, keys, values } = self.iter();
        keys.zip(values).map_while(move |(key, value)| Some((data.get(key.start..key.end)?, Node::new(data, value)?)))
    }

    /// Whether the bytes of any key pass a test.
    #[inline]
    pub fn any_key(&self, mut test: impl FnMut(&[u8]) -> bool) -> bool {
        let data = self.0.data();
        self.0.keys().any(|key| data.get(key.start..key.end).is_some_and(&mut test))
    }

    /// In key order. Ends early where the bytes are not well-formed.
    pub fn iter(&self) -> ObjectIter<'a> {
        let count = self.0.count();
        ObjectIter { data: self.0.data(), keys: self.0.keys(), values: self.0.spans(count, 2 * count) }
    }

    /// The whole container.
    pub(super) fn bytes(&self) -> &'a [u8] {
        self.0.bytes
    }
}

/// Where an object of a document begins and ends in the bytes of the document's container.
pub fn container_at(document: &[u8], object: &Object<'_>) -> Option<(u32, u32)> {
    let start = object.address().checked_sub(document.as_ptr().addr())?;
    let end = start + object.bytes().len();
    if end > document.len() { None } else { Some((u32::try_from(start).ok()?, u32::try_from(end).ok()?)) }
}

/// The object between two offsets that [`container_at`] gave of the same document.
#[inline]
pub fn object_within(document: &[u8], start: u32, end: u32) -> Option<Object<'_>> {
    match Container::new(document.get(start as usize..end as usize)?)? {
        (container, jb::OBJECT) => Some(Object(container)),
        _ => None,
    }
}

/// What [`Object::iter`] gives.
#[derive(Clone)]
pub struct ObjectIter<'a> {
    data: &'a [u8],
    keys: Spans<'a>,
    values: Spans<'a>,
}

impl<'a> Iterator for ObjectIter<'a> {
    type Item = (&'a str, Node<'a>);

    #[inline]
    fn next(&mut self) -> Option<(&'a str, Node<'a>)> {
        let key = self.keys.next().filter(|key| key.kind == jb::STRING)?;
        let value = Node::new(self.data, self.values.next()?)?;
        Some((text(self.data.get(key.start..key.end)?)?, value))
    }
}

/// The text of these bytes, if they are UTF-8. Nearly all text is ASCII, which is told many bytes at a time.
#[inline]
#[allow(unsafe_code)]
fn text(bytes: &[u8]) -> Option<&str> {
    if is_ascii(bytes) {
        // SAFETY: ASCII is UTF-8.
        return Some(unsafe { std::str::from_utf8_unchecked(bytes) });
    }
    std::str::from_utf8(bytes).ok()
}

#[inline]
fn is_ascii(bytes: &[u8]) -> bool {
    const HIGH: u64 = 0x8080_8080_8080_8080;
    if let (Some(head), Some(tail), true) = (bytes.first_chunk(), bytes.last_chunk(), bytes.len() <= 16) {
        return (u64::from_ne_bytes(*head) | u64::from_ne_bytes(*tail)) & HIGH == 0;
    }
    if let (Some(head), Some(tail), true) = (bytes.first_chunk(), bytes.last_chunk(), bytes.len() <= 8) {
        return u64::from(u32::from_ne_bytes(*head) | u32::from_ne_bytes(*tail)) & HIGH == 0;
    }
    bytes.is_ascii()
}

/// The order of keys in an object: by length, then by bytes.
#[inline]
pub fn key_order(a: &[u8], b: &[u8]) -> Ordering {
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

/// Whether two keys of one length are the same: up to sixteen bytes without a call.
#[inline]
fn is_same(a: &[u8], b: &[u8]) -> bool {
    match (a.first_chunk::<8>(), b.first_chunk::<8>(), a.last_chunk::<8>(), b.last_chunk::<8>()) {
        (Some(a_first), Some(b_first), Some(a_last), Some(b_last)) => {
            a_first == b_first && a_last == b_last && (a.len() <= 16 || a == b)
        }
        _ => match (a.first_chunk::<4>(), b.first_chunk::<4>(), a.last_chunk::<4>(), b.last_chunk::<4>()) {
            (Some(a_first), Some(b_first), Some(a_last), Some(b_last)) => a_first == b_first && a_last == b_last,
            _ => a == b,
        },
    }
}

/// A container whose entries are known to lie within its bytes.
#[derive(Clone, Copy)]
pub(super) struct Container<'a> {
    bytes: &'a [u8],
    /// Items, or pairs. Small, as this is copied often.
    count: u32,
    slots: u32,
}

/// What an entry says about its value.
pub(super) struct Span {
    pub(super) kind: u32,
    pub(super) start: usize,
    pub(super) end: usize,
}

impl<'a> Container<'a> {
    /// With its kind: [`jb::ARRAY`] or [`jb::OBJECT`].
    #[inline]
    pub(super) fn new(bytes: &'a [u8]) -> Option<(Container<'a>, u32)> {
        let header = word(bytes, 0)?;
        let count = (header & jb::COUNT_MASK) as usize;
        let kind = header & (jb::ARRAY | jb::OBJECT);
        let slots = match kind {
            jb::ARRAY => count,
            jb::OBJECT => 2 * count,
            _ => return None,
        };
        ((bytes.len() - 4) / 4 >= slots).then_some((Container { bytes, count: count as u32, slots: slots as u32 }, kind))
    }

    #[inline]
    pub(super) fn data(&self) -> &'a [u8] {
        self.bytes.get(4 + 4 * self.slots as usize..).unwrap_or_default()
    }

    #[inline]
    fn entry(&self, slot: usize) -> Option<u32> {
        word(self.bytes, 4 + 4 * slot)
    }

    /// Where the data of a slot begins: the nearest stored offset before it plus the lengths since.
    #[inline]
    fn start(&self, slot: usize) -> Option<usize> {
        let Some(last) = slot.checked_sub(1) else { return Some(0) };
        // Which entries store one is read from the entry: the stride is the server's to change.
        let from = last - last % jb::OFFSET_STRIDE as usize;
        let (mut start, mut offsets) = (0, 0);
        let entries = self.bytes.get(4 + 4 * from..4 + 4 * slot)?.as_chunks::<4>().0;
        for entry in entries.iter().map(|entry| u32::from_ne_bytes(*entry)) {
            start += entry & jb::LENGTH_MASK;
            offsets += entry >> jb::HAS_OFFSET.trailing_zeros();
        }
        if offsets == 1 && self.entry(from)? & jb::HAS_OFFSET != 0 { Some(start as usize) } else { self.start_by_steps(slot) }
    }

    #[cold]
    fn start_by_steps(&self, slot: usize) -> Option<usize> {
        let mut start = 0;
        for before in (0..slot).rev() {
            let entry = self.entry(before)?;
            start += (entry & jb::LENGTH_MASK) as usize;
            if entry & jb::HAS_OFFSET != 0 {
                break;
            }
        }
        Some(start)
    }

    #[inline]
    fn span(&self, slot: usize) -> Option<Span> {
        if slot >= self.slots as usize {
            return None;
        }
        Some(Span::new(self.entry(slot)?, self.start(slot)?))
    }

    /// Items, or pairs.
    #[inline]
    pub(super) fn count(&self) -> usize {
        self.count as usize
    }

    /// Of an object's keys, or an array's items.
    #[inline]
    fn keys(&self) -> Spans<'a> {
        Spans { entries: self.bytes.get(4..4 + 4 * self.count()).unwrap_or_default().as_chunks().0, start: 0 }
    }

    pub(super) fn spans(&self, from: usize, to: usize) -> Spans<'a> {
        let entries = self.bytes.get(4 + 4 * from..4 + 4 * to).unwrap_or_default().as_chunks().0;
        Spans { entries, start: self.start(from).unwrap_or_default() }
    }
}

impl Span {
    #[inline]
    fn new(entry: u32, start: usize) -> Span {
        let field = (entry & jb::LENGTH_MASK) as usize;
        let end = if entry & jb::HAS_OFFSET != 0 { field } else { start + field };
        Span { kind: entry & jb::TYPE_MASK, start, end }
    }
}

/// The spans of consecutive slots. Each begins where the one before ends, so none overlap.
#[derive(Clone)]
pub(super) struct Spans<'a> {
    entries: &'a [[u8; 4]],
    start: usize,
}

impl Iterator for Spans<'_> {
    type Item = Span;

    #[inline]
    fn next(&mut self) -> Option<Span> {
        let (entry, rest) = self.entries.split_first()?;
        let span = Span::new(u32::from_ne_bytes(*entry), self.start);
        if span.end < span.start {
            self.entries = &[];
            return None;
        }
        self.entries = rest;
        self.start = span.end;
        Some(span)
    }
}
