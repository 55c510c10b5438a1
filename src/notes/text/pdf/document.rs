//! The objects of a file. They are found by their heads (`12 0 obj`), the last of each number counts: tables of cross-references are
//! often wrong, and need not be trusted so.

use std::cell::Cell;
use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::rc::Rc;

use super::budget::{Budget, Stop};
use super::filter::{MAX_FILTERS, unpack};
use super::object::{Dict, Lexer, Object};

/// Where an object stands.
#[derive(Clone, Copy, Debug)]
enum Place {
    File(usize),
    /// in an object stream, by its place among those that were unpacked
    Within(usize, usize),
}

pub struct Document<'a> {
    bytes: &'a [u8],
    pub budget: &'a Budget<'a>,
    places: HashMap<u32, Place>,
    /// unpacked object streams
    streams: Vec<Vec<u8>>,
    /// from here on no stream has an end
    endless: Cell<usize>,
}

/// A page, with the resources that it has or inherits.
#[derive(Debug)]
pub struct Page {
    pub dict: Dict,
    pub resources: Option<Rc<Object>>,
}

/// A stream that is not unpacked yet.
pub struct Stream {
    pub dict: Dict,
    range: Range<usize>,
}

/// Objects of a document.
const MAX_OBJECTS: usize = 1_000_000;
/// References that lead to references.
const MAX_HOPS: usize = 16;
/// Levels of the tree of pages.
const MAX_LEVELS: usize = 64;

impl<'a> Document<'a> {
    /// Finds all objects.
    pub fn open(bytes: &'a [u8], budget: &'a Budget<'a>) -> Result<Document<'a>, Stop> {
        let mut document = Document { bytes, budget, places: HashMap::new(), streams: Vec::new(), endless: Cell::new(usize::MAX) };
        budget.work(bytes.len())?;
        for at in memchr::memmem::find_iter(bytes, b"obj") {
            if document.places.len() >= MAX_OBJECTS {
                return Err(Stop::Limit);
            }
            if let Some(number) = head_before(bytes, at) {
                document.places.insert(number, Place::File(at + 3));
            }
        }
        document.unpack_objects()?;
        Ok(document)
    }

    /// The objects in object streams: section 7.5.7.
    fn unpack_objects(&mut self) -> Result<(), Stop> {
        let mut places: Vec<(u32, usize)> = self.places.iter().filter_map(|(number, place)| if let Place::File(at) = place { Some((*number, *at)) } else { None }).collect();
        places.sort_by_key(|(_, at)| *at);
        let mut found = HashMap::new();
        for at in memchr::memmem::find_iter(self.bytes, b"/ObjStm") {
            let Some((number, start)) = places.partition_point(|(_, place)| *place <= at).checked_sub(1).and_then(|place| places.get(place)) else { continue };
            let Some(stream) = self.stream(*number)? else { continue };
            let (Some(first), Some(count)) = (self.whole(&stream.dict, "First")?, self.whole(&stream.dict, "N")?) else { continue };
            let Some(unpacked) = self.unpacked(&stream)? else { continue };
            let mut lexer = Lexer::new(&unpacked, 0);
            for _ in 0..count {
                if found.len() >= MAX_OBJECTS {
                    return Err(Stop::Limit);
                }
                if lexer.at >= first {
                    break;
                }
                let (Some(number), Some(offset)) = (lexer.object().and_then(|o| o.integer()), lexer.object().and_then(|o| o.integer())) else { break };
                if let (Ok(number), Some(place)) = (u32::try_from(number), first.checked_add(offset)) {
                    // what stands later in the file is newer
                    let is_newer = !matches!(self.places.get(&number), Some(Place::File(at)) if at > start);
                    if is_newer {
                        found.insert(number, Place::Within(self.streams.len(), place));
                    }
                }
            }
            self.streams.push(unpacked);
        }
        self.places.extend(found);
        Ok(())
    }

    pub fn is_encrypted(&self) -> bool {
        memchr::memmem::find_iter(self.bytes, b"/Encrypt").any(|at| {
            let behind = self.bytes.get(at + 8..).unwrap_or_default().trim_ascii_start();
            behind.first().is_some_and(|b| b.is_ascii_digit() || *b == b'<')
        })
    }

    /// The object of a number.
    fn object(&self, number: u32) -> Result<Option<Object>, Stop> {
        let mut lexer = match self.places.get(&number) {
            Some(Place::File(at)) => Lexer::new(self.bytes, *at),
            Some(Place::Within(stream, at)) => Lexer::new(self.streams.get(*stream).map_or(&[], Vec::as_slice), *at),
            None => return Ok(None),
        };
        let before = lexer.at;
        let object = lexer.object();
        self.budget.work(lexer.at.saturating_sub(before) + 64)?;
        Ok(object)
    }

    /// What an object is in the end, where it is a reference.
    pub fn resolve(&self, object: &Object) -> Result<Option<Object>, Stop> {
        let Object::Reference(number) = object else {
            self.budget.work(16 * object.nodes())?;
            return Ok(Some(object.clone()));
        };
        let mut number = *number;
        for _ in 0..MAX_HOPS {
            match self.object(number)? {
                Some(Object::Reference(next)) => number = next,
                other => return Ok(other),
            }
        }
        Ok(None)
    }

    /// The value under a key, references resolved.
    pub fn get(&self, dict: &Dict, key: &str) -> Result<Option<Object>, Stop> {
        dict.get(key).map_or(Ok(None), |value| self.resolve(value))
    }

    pub fn whole(&self, dict: &Dict, key: &str) -> Result<Option<usize>, Stop> {
        Ok(self.get(dict, key)?.and_then(|o| o.integer()))
    }

    /// The stream of a number.
    pub fn stream(&self, number: u32) -> Result<Option<Stream>, Stop> {
        let Some(Place::File(at)) = self.places.get(&number) else { return Ok(None) };
        let mut lexer = Lexer::new(self.bytes, *at);
        let dict = lexer.object();
        self.budget.work(lexer.at.saturating_sub(*at) + 64)?;
        let (Some(Object::Dict(dict)), true) = (dict, lexer.takes(b"stream")) else { return Ok(None) };
        let mut start = lexer.at;
        if self.bytes.get(start) == Some(&b'\r') {
            start += 1;
        }
        if self.bytes.get(start) == Some(&b'\n') {
            start += 1;
        }
        // the length that it states, if the stream ends there
        let stated = self.whole(&dict, "Length")?.and_then(|length| start.checked_add(length));
        let ends = |end: usize| self.bytes.get(end..).is_some_and(|rest| rest.get(..rest.len().min(16)).unwrap_or_default().trim_ascii_start().starts_with(b"endstream"));
        let end = match stated.filter(|end| ends(*end)) {
            Some(end) => end,
            None if start >= self.endless.get() => self.bytes.len(),
            None => {
                let rest = self.bytes.get(start..).unwrap_or_default();
                let found = memchr::memmem::find(rest, b"endstream");
                self.budget.work(found.unwrap_or(rest.len()))?;
                found.map_or_else(
                    || {
                        self.endless.set(start);
                        self.bytes.len()
                    },
                    |length| start + length,
                )
            }
        };
        Ok(Some(Stream { dict, range: start..end }))
    }

    /// What a stream holds. `None` where that is an image, or cannot be read.
    pub fn unpacked(&self, stream: &Stream) -> Result<Option<Vec<u8>>, Stop> {
        let filters: Vec<Box<[u8]>> = match self.get(&stream.dict, "Filter")? {
            None | Some(Object::Null) => Vec::new(),
            Some(Object::Name(name)) => vec![name],
            Some(Object::Array(items)) => items.iter().filter_map(|item| item.name().map(Into::into)).collect(),
            Some(_) => return Ok(None),
        };
        let raw = self.bytes.get(stream.range.clone()).unwrap_or_default();
        if filters.is_empty() {
            self.budget.unpack(raw.len())?;
            return Ok(Some(raw.to_vec()));
        }
        if filters.len() > MAX_FILTERS {
            return Ok(None);
        }
        let mut unpacked: Option<Vec<u8>> = None;
        for filter in &filters {
            match unpack(filter, unpacked.as_deref().unwrap_or(raw), self.budget)? {
                Some(bytes) => unpacked = Some(bytes),
                None => return Ok(None),
            }
        }
        Ok(unpacked)
    }

    /// The pages in their order: those of the tree, or if that is broken those that there are.
    pub fn pages(&self, most: usize) -> Result<Vec<Page>, Stop> {
        let mut pages = Vec::new();
        if let Some(root) = self.root()?
            && let Some(tree) = root.get("Pages")
        {
            // a stack of what is still to be visited, with the level and what is inherited
            let mut stack = vec![(tree.clone(), 0usize, None::<Rc<Object>>)];
            let mut seen = HashSet::new();
            while let Some((node, level, inherited)) = stack.pop() {
                if pages.len() >= most {
                    break;
                }
                if let Object::Reference(number) = node
                    && !seen.insert(number)
                {
                    continue;
                }
                let Some(Object::Dict(dict)) = self.resolve(&node)? else { continue };
                let resources = dict.get("Resources").cloned().map(Rc::new).or(inherited);
                match self.get(&dict, "Kids")? {
                    Some(Object::Array(kids)) if level < MAX_LEVELS => {
                        self.budget.work(kids.len() * 256)?;
                        for kid in kids.into_iter().rev() {
                            stack.push((kid, level + 1, resources.clone()));
                        }
                    }
                    Some(_) => {}
                    None => pages.push(Page { dict, resources }),
                }
            }
        }
        if pages.is_empty() {
            let mut numbers: Vec<u32> = self.places.keys().copied().collect();
            numbers.sort_unstable();
            for number in numbers {
                if let Some(Object::Dict(dict)) = self.object(number)?
                    && dict.get("Type").and_then(Object::name) == Some(b"Page")
                    && pages.len() < most
                {
                    let resources = dict.get("Resources").cloned().map(Rc::new);
                    pages.push(Page { dict, resources });
                }
            }
        }
        Ok(pages)
    }

    /// The catalogue: the last that is named as the root.
    fn root(&self) -> Result<Option<Dict>, Stop> {
        for at in memchr::memmem::rfind_iter(self.bytes, b"/Root").take(8) {
            if let Some(root @ Object::Reference(_)) = Lexer::new(self.bytes, at + 5).object()
                && let Some(Object::Dict(dict)) = self.resolve(&root)?
                && dict.get("Pages").is_some()
            {
                return Ok(Some(dict));
            }
        }
        Ok(None)
    }
}

/// The number in `12 0 obj`, where the last word begins at `at`.
fn head_before(bytes: &[u8], at: usize) -> Option<u32> {
    let head = bytes.get(at.saturating_sub(24)..at)?;
    let word = |head: &'_ [u8]| -> Option<(usize, u32)> {
        let trimmed = head.trim_ascii_end();
        let digits = trimmed.iter().rev().take_while(|b| b.is_ascii_digit()).count();
        let start = trimmed.len() - digits;
        Some((start, std::str::from_utf8(trimmed.get(start..)?).ok()?.parse().ok()?))
    };
    let (start, _generation) = word(head)?;
    let rest = head.get(..start)?;
    if rest.last().is_none_or(|b| !b.is_ascii_whitespace()) {
        return None;
    }
    Some(word(rest)?.1)
}
