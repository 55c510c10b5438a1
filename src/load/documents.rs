//! Documents of JSON, laid out in any way, cut into resources while they are read: one after the other, or in an array, or the
//! entries of a Bundle. So a Bundle of any size is never in memory.
//!
//! Whether a document is a Bundle may stand behind its entries, and an entry may refer to a later one: so a file is read twice, first
//! for a [`Survey`].

use super::balance::{Balance, string};
use super::bundle::Links;
use std::io::{self, Read};
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};

const BUFFER: usize = 64 * 1024;
/// Bytes of items that are handed on together.
const BLOCK: usize = 256 * 1024;
/// Bytes of a piece beyond the bound that are kept.
const KEPT: usize = 16 * 1024;
/// The longest name of a member that means something here.
const NAME: usize = 64;

/// What a piece of a document is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece {
    Resource,
    /// An entry of a Bundle.
    Entry,
    /// Its beginning; it is longer than the bound.
    Cut,
    /// Its beginning; the document ends before it does.
    Broken,
}

/// Pieces of a file that follow each other.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Pieces {
    pub bytes: Vec<u8>,
    pub items: Vec<Item>,
    /// Bytes of the file that they stand for.
    pub length: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    pub piece: Piece,
    pub range: Range<usize>,
    /// Bytes of the file before it.
    pub offset: u64,
}

/// What there is to know of a file before its pieces are taken.
#[derive(Default)]
pub struct Survey {
    /// For each document whether its entries are loaded in its place.
    are_bundles: Vec<bool>,
    pub links: Links,
}

/// The types of Bundle that mean something as a whole: what they hold is not loaded by itself.
/// <https://hl7.org/fhir/R4/valueset-bundle-type.html>
const WHOLE: [&str; 2] = ["document", "message"];

impl Survey {
    /// Reads all documents of a stream. `before` counts the bytes of the load before this file: new ids are made of it.
    pub fn of(source: impl Read, max_item: usize, before: u64, stop: &AtomicBool) -> io::Result<Survey> {
        let mut stream = Stream::new(source);
        let mut survey = Survey::default();
        while let Some(byte) = stream.next_document(stop)? {
            if byte != b'{' {
                stream.value(None, max_item, stop)?;
                survey.are_bundles.push(false);
                continue;
            }
            let (mut resource_type, mut bundle_type) = (None, None);
            stream.step();
            while let Some(name) = stream.next_member(stop)? {
                if name == b"entry" && stream.peek(stop)? == Some(b'[') {
                    stream.step();
                    let mut entry = Vec::new();
                    while let Some(offset) = stream.next_item(stop)? {
                        entry.clear();
                        if stream.value(Some(&mut entry), max_item, stop)? == Ended::Whole {
                            survey.links.add(&entry, before + offset);
                        }
                    }
                    continue;
                }
                let mut value = Vec::new();
                stream.value(Some(&mut value), NAME, stop)?;
                match name.as_slice() {
                    b"resourceType" => resource_type = string(&value, NAME),
                    b"type" => bundle_type = string(&value, NAME),
                    _ => {}
                }
            }
            let is_bundle = resource_type.as_deref() == Some("Bundle") && !bundle_type.is_some_and(|ty| WHOLE.contains(&ty.as_str()));
            survey.are_bundles.push(is_bundle);
        }
        Ok(survey)
    }
}

/// Cuts the documents of a stream.
pub struct Documents<R> {
    stream: Stream<R>,
    max_item: usize,
    are_bundles: std::vec::IntoIter<bool>,
    at: At,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    /// Between documents.
    Outside,
    /// Among the members of a Bundle.
    Members,
    Entries,
    End,
}

impl<R: Read> Documents<R> {
    /// `survey` is of the same stream; its links are for whoever works on the pieces.
    pub fn new(source: R, survey: &mut Survey, max_item: usize) -> Documents<R> {
        let are_bundles = std::mem::take(&mut survey.are_bundles).into_iter();
        Documents { stream: Stream::new(source), max_item, are_bundles, at: At::Outside }
    }

    /// The next pieces; none at the end. An error of kind `Interrupted` where `stop` was set meanwhile.
    pub fn next_pieces(&mut self, stop: &AtomicBool) -> io::Result<Option<Pieces>> {
        let start = self.stream.offset();
        let mut pieces = Pieces::default();
        while self.at != At::End && pieces.bytes.len() < BLOCK {
            self.step(&mut pieces, stop)?;
        }
        pieces.length = self.stream.offset() - start;
        Ok((pieces.length > 0 || !pieces.items.is_empty()).then_some(pieces))
    }

    fn step(&mut self, pieces: &mut Pieces, stop: &AtomicBool) -> io::Result<()> {
        let stream = &mut self.stream;
        match self.at {
            At::Outside => match stream.next_document(stop)? {
                None => self.at = At::End,
                Some(b'{') if self.are_bundles.next() == Some(true) => {
                    stream.step();
                    self.at = At::Members;
                }
                Some(_) => self.take(Piece::Resource, pieces, stop)?,
            },
            At::Members => match stream.next_member(stop)? {
                Some(name) if name == b"entry" && stream.peek(stop)? == Some(b'[') => {
                    stream.step();
                    self.at = At::Entries;
                }
                Some(_) => {
                    if stream.value(None, self.max_item, stop)? == Ended::Broken {
                        self.broken(pieces);
                    }
                }
                None if stream.has_ended => self.broken(pieces),
                None => self.at = At::Outside,
            },
            At::Entries => match stream.next_item(stop)? {
                Some(_) => self.take(Piece::Entry, pieces, stop)?,
                None if stream.has_ended => self.broken(pieces),
                None => self.at = At::Members,
            },
            At::End => {}
        }
        Ok(())
    }

    fn take(&mut self, piece: Piece, pieces: &mut Pieces, stop: &AtomicBool) -> io::Result<()> {
        let (start, offset) = (pieces.bytes.len(), self.stream.offset());
        let ended = self.stream.value(Some(&mut pieces.bytes), self.max_item, stop)?;
        let piece = match ended {
            Ended::Whole => piece,
            Ended::Cut => Piece::Cut,
            Ended::Broken => {
                self.at = At::End;
                Piece::Broken
            }
        };
        if ended != Ended::Whole {
            pieces.bytes.truncate(start + KEPT);
        }
        pieces.items.push(Item { piece, range: start..pieces.bytes.len(), offset });
        Ok(())
    }

    /// A Bundle that breaks off between its entries.
    fn broken(&mut self, pieces: &mut Pieces) {
        let at = pieces.bytes.len();
        pieces.items.push(Item { piece: Piece::Broken, range: at..at, offset: self.stream.offset() });
        self.at = At::End;
    }
}

/// How a value ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ended {
    Whole,
    /// It is longer than what was to be taken.
    Cut,
    /// The stream ended first.
    Broken,
}

struct Stream<R> {
    source: R,
    buffer: Vec<u8>,
    at: usize,
    /// Bytes before the buffer.
    before: u64,
    has_ended: bool,
}

impl<R: Read> Stream<R> {
    fn new(source: R) -> Stream<R> {
        Stream { source, buffer: Vec::new(), at: 0, before: 0, has_ended: false }
    }

    fn offset(&self) -> u64 {
        self.before + self.at as u64
    }

    /// What is left of the buffer, filled again where nothing is; empty at the end.
    fn rest(&mut self, stop: &AtomicBool) -> io::Result<&[u8]> {
        if self.at >= self.buffer.len() && !self.has_ended {
            if stop.load(Ordering::Relaxed) {
                return Err(io::ErrorKind::Interrupted.into());
            }
            self.before += self.buffer.len() as u64;
            self.at = 0;
            self.buffer.clear();
            self.source.by_ref().take(BUFFER as u64).read_to_end(&mut self.buffer)?;
            self.has_ended = self.buffer.is_empty();
            if self.before == 0 && self.buffer.starts_with(b"\xEF\xBB\xBF") {
                self.at = 3;
            }
        }
        Ok(&self.buffer[self.at..])
    }

    fn step(&mut self) {
        self.at += 1;
    }

    /// The next byte that is none of these.
    fn skip(&mut self, these: &[u8], stop: &AtomicBool) -> io::Result<Option<u8>> {
        loop {
            let rest = self.rest(stop)?;
            match rest.iter().position(|byte| !these.contains(byte)) {
                Some(at) => {
                    let byte = rest[at];
                    self.at += at;
                    return Ok(Some(byte));
                }
                None if rest.is_empty() => return Ok(None),
                None => self.at = self.buffer.len(),
            }
        }
    }

    fn peek(&mut self, stop: &AtomicBool) -> io::Result<Option<u8>> {
        self.skip(b" \t\r\n", stop)
    }

    /// The first byte of the next document, or of the next item of a list of them.
    fn next_document(&mut self, stop: &AtomicBool) -> io::Result<Option<u8>> {
        self.skip(b" \t\r\n,[]", stop)
    }

    /// The name of the next member of an object, with its colon; none behind the last, and where there is no name.
    fn next_member(&mut self, stop: &AtomicBool) -> io::Result<Option<Vec<u8>>> {
        match self.skip(b" \t\r\n,", stop)? {
            Some(b'"') => {
                let mut name = Vec::new();
                if self.value(Some(&mut name), NAME, stop)? == Ended::Broken {
                    return Ok(None);
                }
                self.skip(b" \t\r\n:", stop)?;
                let end = name.len().saturating_sub(1).max(1);
                Ok(Some(name.get(1..end).unwrap_or_default().to_vec()))
            }
            byte => {
                if byte.is_some() {
                    self.step();
                }
                Ok(None)
            }
        }
    }

    /// Where the next item of an array begins; none behind the last.
    fn next_item(&mut self, stop: &AtomicBool) -> io::Result<Option<u64>> {
        match self.skip(b" \t\r\n,", stop)? {
            Some(b']') => {
                self.step();
                Ok(None)
            }
            Some(_) => Ok(Some(self.offset())),
            None => Ok(None),
        }
    }

    /// Reads a value, and its first `max` bytes into `out`.
    fn value(&mut self, mut out: Option<&mut Vec<u8>>, max: usize, stop: &AtomicBool) -> io::Result<Ended> {
        let mut balance = Balance::default();
        let mut length = 0;
        loop {
            let rest = self.rest(stop)?;
            if rest.is_empty() {
                let whole = balance.ends_with_text() && length > 0;
                return Ok(if !whole { Ended::Broken } else if length > max { Ended::Cut } else { Ended::Whole });
            }
            let end = balance.feed(rest);
            // A byte that can begin no value is taken as one, so that every call gets on.
            let taken = end.unwrap_or(rest.len()).max(usize::from(length == 0));
            if let Some(out) = &mut out {
                let room = max.saturating_sub(length).min(taken);
                out.try_reserve(room).map_err(|_| io::Error::from(io::ErrorKind::OutOfMemory))?;
                out.extend_from_slice(&rest[..room]);
            }
            length += taken;
            self.at += taken;
            if end.is_some() {
                return Ok(if length > max { Ended::Cut } else { Ended::Whole });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GO: AtomicBool = AtomicBool::new(false);

    fn cut(text: &[u8], max: usize) -> Vec<(Piece, u64, String)> {
        let mut survey = Survey::of(text, max, 0, &GO).unwrap();
        let mut documents = Documents::new(text, &mut survey, max);
        let (mut found, mut length) = (Vec::new(), 0);
        while let Some(pieces) = documents.next_pieces(&GO).unwrap() {
            length += pieces.length;
            found.extend(pieces.items.iter().map(|item| (item.piece, item.offset, String::from_utf8_lossy(&pieces.bytes[item.range.clone()]).into_owned())));
        }
        assert_eq!(length, text.len() as u64);
        found
    }

    fn texts(text: &str) -> Vec<(Piece, String)> {
        cut(text.as_bytes(), 1000).into_iter().map(|(piece, _, text)| (piece, text)).collect()
    }

    #[test]
    fn resources_stand_one_after_the_other_or_in_a_list() {
        for text in ["{\"a\":1}\n{\"b\":[]}", "\u{FEFF}{\"a\":1}{\"b\":[]}", "[ {\"a\":1},\n{\"b\":[]} ]\n"] {
            assert_eq!(texts(text), [(Piece::Resource, "{\"a\":1}".into()), (Piece::Resource, "{\"b\":[]}".into())], "{text}");
        }
        assert!(texts(" \n").is_empty());
    }

    #[test]
    fn a_bundle_is_its_entries_wherever_its_type_stands() {
        for text in [
            r#"{"resourceType":"Bundle","type":"collection","entry":[{"fullUrl":"a"},{"b":"]"}],"total":2}"#,
            r#"{"entry" : [ {"fullUrl":"a"} , {"b":"]"} ], "id":"x", "type":"searchset", "resourceType":"Bundle"} "#,
        ] {
            assert_eq!(texts(text), [(Piece::Entry, r#"{"fullUrl":"a"}"#.into()), (Piece::Entry, r#"{"b":"]"}"#.into())]);
        }
        let document = r#"{"resourceType":"Bundle","type":"document","entry":[{"fullUrl":"a"}]}"#;
        assert_eq!(texts(document), [(Piece::Resource, document.into())]);
        let list = r#"{"resourceType":"List","entry":[{"item":{}}]}"#;
        assert_eq!(texts(list), [(Piece::Resource, list.into())]);
        assert!(texts(r#"{"resourceType":"Bundle","type":"collection"}"#).is_empty());
    }

    #[test]
    fn pieces_know_where_they_stand() {
        let found = cut(br#"{"resourceType":"Bundle","entry":[{"a":1}, {"b":2}]} {"c":3}"#, 1000);
        let places: Vec<(u64, &str)> = found.iter().map(|(_, offset, text)| (*offset, text.as_str())).collect();
        assert_eq!(places, [(34, "{\"a\":1}"), (43, "{\"b\":2}"), (53, "{\"c\":3}")]);
    }

    #[test]
    fn what_is_too_long_or_breaks_off_is_told_and_what_follows_is_read() {
        let long = format!(r#"{{"resourceType":"Bundle","entry":[{{"a":"{}"}},{{"b":2}}]}}"#, "x".repeat(100_000));
        let found = cut(long.as_bytes(), 1000);
        assert_eq!((found[0].0, found[0].2.len(), found[1].0), (Piece::Cut, 1000, Piece::Entry));
        for text in [r#"{"resourceType":"Bundle","entry":[{"a":1},{"b":"#, r#"{"resourceType":"Bundle","entry":[{"a":1}"#, r#"{"resourceType":"Bundle","entry":[{"a":1}],"#, r#"{"resourceType":"Bundle","entry":[{"a":1}],"x":{"#] {
            let found = texts(text);
            assert_eq!((found[0].0, found[1].0, found.len()), (Piece::Entry, Piece::Broken, 2), "{text}");
        }
        assert_eq!(texts("{\"a\"")[0].0, Piece::Broken);
    }

    #[test]
    fn what_is_no_document_ends() {
        for text in ["}", "}}", "x", "\"", "7", "{]}", "{:", "{\"a\":}", "[}", "{\"resourceType\":\"Bundle\",\"entry\":[}]}"] {
            cut(text.as_bytes(), 1000);
        }
        for seed in 0..2000 {
            cut(&crate::json::generate::damaged(seed), 1000);
        }
    }
}
