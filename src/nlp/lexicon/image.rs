//! A compiled lexicon, read in place.
//!
//! All numbers are little endian. A header of [`HEADER`] bytes: magic, number of the format, checksum of what follows it, then
//! offset and length of each section. Each access is checked against the bounds of its section, so a damaged value gives
//! wrong words, but never reads elsewhere.

use super::hash;
use super::source::TermKind;
use crate::nlp::entity::{Category, Kind};

pub const MAGIC: &[u8; 8] = b"FHIRLEX\0";
/// Rises with each change of the layout, of the hashes, or of the normal form of words.
pub const FORMAT: u32 = 2;
pub const HEADER: usize = 8 + 4 + 4 + 8 + SECTIONS * 16;
pub const SECTIONS: usize = 14;

/// The sections, in their order.
#[derive(Clone, Copy)]
pub enum Section {
    Version = 0,
    /// the `S` records
    Sources,
    /// lists: name, tab, length in bytes, line feed, text; and so on
    Lists,
    /// slots of `tag, id + 1`
    Words,
    /// where each word begins in `WordText`, and where the last ends
    WordStarts,
    WordText,
    /// for each word the node that begins with it, or 0
    Roots,
    /// slots of `node, word, child`; child 0 is an empty slot
    Edges,
    /// for each node where its outputs begin, and where the last end
    NodeOutputs,
    /// `concept, info, begin of surface, length of surface`
    Outputs,
    /// records of [`CONCEPT`] bytes
    Concepts,
    Mappings,
    /// system URLs: begin and length in `Text`
    Systems,
    Text,
}

pub const CONCEPT: usize = 28;
pub const CASE_SENSITIVE: u32 = 1 << 8;
/// no finding in texts about research
pub const NOT_IN_RESEARCH: u32 = 1 << 9;
/// a finding only in texts about research
pub const RESEARCH: u32 = 1 << 10;

/// Why bytes are no compiled lexicon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FormatError {
    /// it is something else
    NotALexicon,
    /// another version of the library made it
    Format(u32),
    /// it is cut off, or a section lies outside
    Bounds,
    /// a byte has changed
    Checksum,
}

/// A concept of the lexicon.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Concept {
    /// URL of the code system; empty for a meaning without a code
    pub system: &'static str,
    pub code: &'static str,
    pub display: &'static str,
    pub category: Category,
    pub kind: Kind,
}

/// One meaning of a term.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Output {
    pub concept: u32,
    pub term: TermKind,
    /// the text must be written as `surface` is
    pub case_sensitive: bool,
    /// a finding in notes, but none in texts about research
    pub not_in_research: bool,
    /// a finding in texts about research, but none in notes
    pub research: bool,
    /// the term as the source writes it; empty where that does not matter
    pub surface: &'static str,
}

/// Sections of a compiled lexicon.
#[derive(Clone, Copy)]
pub struct Image {
    sections: [&'static [u8]; SECTIONS],
    word_mask: usize,
    edge_mask: usize,
    bytes: &'static [u8],
}

impl Image {
    /// Checks header and bounds. [`Image::verify`] checks the rest.
    pub fn open(bytes: &'static [u8]) -> Result<Image, FormatError> {
        if bytes.len() < HEADER || &bytes[..8] != MAGIC {
            return Err(FormatError::NotALexicon);
        }
        let format = u32_at(bytes, 2);
        if format != FORMAT {
            return Err(FormatError::Format(format));
        }
        let mut sections: [&'static [u8]; SECTIONS] = [&[]; SECTIONS];
        for (number, section) in sections.iter_mut().enumerate() {
            let at = 3 + number * 2;
            let (begin, length) = (u64_at(bytes, at), u64_at(bytes, at + 1));
            let begin = usize::try_from(begin).map_err(|_| FormatError::Bounds)?;
            let length = usize::try_from(length).map_err(|_| FormatError::Bounds)?;
            let end = begin.checked_add(length).ok_or(FormatError::Bounds)?;
            *section = bytes.get(begin..end).ok_or(FormatError::Bounds)?;
        }
        let slots = |section: Section, size: usize| -> Result<usize, FormatError> {
            let slots = sections[section as usize].len() / size;
            if slots.is_power_of_two() { Ok(slots - 1) } else { Err(FormatError::Bounds) }
        };
        let (word_mask, edge_mask) = (slots(Section::Words, 8)?, slots(Section::Edges, 12)?);
        Ok(Image { word_mask, edge_mask, sections, bytes })
    }

    /// Compares the checksum.
    pub fn verify(&self) -> Result<(), FormatError> {
        if self.checksum() == hash::checksum(&self.bytes[24..]) { Ok(()) } else { Err(FormatError::Checksum) }
    }

    /// The checksum that the header names.
    pub fn checksum(&self) -> u64 {
        u64_at(self.bytes, 2)
    }

    fn section(&self, section: Section) -> &'static [u8] {
        self.sections[section as usize]
    }

    fn text(&self, section: Section) -> &'static str {
        std::str::from_utf8(self.section(section)).unwrap_or("")
    }

    fn piece(&self, section: Section, begin: u32, length: u32) -> &'static str {
        let bytes = self.section(section).get(begin as usize..begin as usize + length as usize).unwrap_or(&[]);
        std::str::from_utf8(bytes).unwrap_or("")
    }

    /// The version that was named when it was compiled.
    pub fn version(&self) -> &'static str {
        self.text(Section::Version)
    }

    /// The sources, one a line: name, version, licence, URL, with tabs between.
    pub fn sources(&self) -> &'static str {
        self.text(Section::Sources)
    }

    /// The names of the lists.
    pub fn lists(&self) -> impl Iterator<Item = &'static str> + use<> {
        pieces(self.text(Section::Lists)).map(|(name, _)| name)
    }

    /// A list by its name; empty if there is none.
    pub fn list(&self, name: &str) -> &'static str {
        pieces(self.text(Section::Lists)).find(|(found, _)| *found == name).map_or("", |(_, text)| text)
    }

    /// The id of a word in its normal form.
    pub fn word(&self, form: &[u8]) -> u32 {
        let slots = self.section(Section::Words);
        let hash = hash::word(form);
        let tag = (hash >> 32) as u32;
        let mut slot = hash as usize & self.word_mask;
        for _ in 0..=self.word_mask {
            let id = u32_at(slots, slot * 2 + 1);
            if id == 0 {
                return super::super::token::UNKNOWN;
            }
            if u32_at(slots, slot * 2) == tag && self.word_text(id - 1) == form {
                return id - 1;
            }
            slot = (slot + 1) & self.word_mask;
        }
        super::super::token::UNKNOWN
    }

    /// The normal form of a word by its id.
    pub fn word_text(&self, id: u32) -> &'static [u8] {
        let starts = self.section(Section::WordStarts);
        let (begin, end) = (u32_at(starts, id as usize), u32_at(starts, id as usize + 1));
        self.section(Section::WordText).get(begin as usize..end as usize).unwrap_or(&[])
    }

    /// How many words the vocabulary has.
    pub fn words(&self) -> u32 {
        (self.section(Section::Roots).len() / 4) as u32
    }

    /// The node behind the first word of a term; 0 if no term begins with it.
    #[inline]
    pub fn root(&self, word: u32) -> u32 {
        u32_at(self.section(Section::Roots), word as usize)
    }

    /// The node behind one more word; 0 if no term goes on so.
    #[inline]
    pub fn child(&self, node: u32, word: u32) -> u32 {
        let slots = self.section(Section::Edges);
        let mut slot = hash::edge(node, word) as usize & self.edge_mask;
        for _ in 0..=self.edge_mask {
            let child = u32_at(slots, slot * 3 + 2);
            if child == 0 {
                return 0;
            }
            if u32_at(slots, slot * 3) == node && u32_at(slots, slot * 3 + 1) == word {
                return child;
            }
            slot = (slot + 1) & self.edge_mask;
        }
        0
    }

    /// Whether a term ends at a node.
    #[inline]
    pub fn ends(&self, node: u32) -> bool {
        let starts = self.section(Section::NodeOutputs);
        u32_at(starts, node as usize) != u32_at(starts, node as usize + 1)
    }

    /// The meanings of the term that ends at a node.
    pub fn outputs(&self, node: u32) -> impl Iterator<Item = Output> + use<> {
        let image = *self;
        let starts = self.section(Section::NodeOutputs);
        let (begin, end) = (u32_at(starts, node as usize), u32_at(starts, node as usize + 1));
        let outputs = self.section(Section::Outputs);
        (begin as usize..end as usize).map(move |n| {
            let info = u32_at(outputs, n * 4 + 1);
            Output {
                concept: u32_at(outputs, n * 4),
                term: TermKind::from_number(info as u8),
                case_sensitive: info & CASE_SENSITIVE != 0,
                not_in_research: info & NOT_IN_RESEARCH != 0,
                research: info & RESEARCH != 0,
                surface: if info & CASE_SENSITIVE != 0 { image.piece(Section::Text, u32_at(outputs, n * 4 + 2), u32_at(outputs, n * 4 + 3)) } else { "" },
            }
        })
    }

    pub fn concepts(&self) -> u32 {
        (self.section(Section::Concepts).len() / CONCEPT) as u32
    }

    /// What category and kind a concept has, without its texts.
    pub fn category(&self, concept: u32) -> (Category, Kind) {
        let info = u32_at(self.section(Section::Concepts), concept as usize * 7);
        let category = Category::ALL.get((info & 0xff) as usize).map_or(Category::MedicalCondition, |(c, _)| *c);
        let kind = Kind::ALL.get((info >> 8 & 0xff) as usize).map_or(Kind::Diagnosis, |(k, _)| *k);
        (category, kind)
    }

    /// Which code system a concept is of, as a number.
    pub fn system_number(&self, concept: u32) -> u32 {
        u32_at(self.section(Section::Concepts), concept as usize * 7) >> 16
    }

    pub fn concept(&self, concept: u32) -> Concept {
        let records = self.section(Section::Concepts);
        let at = concept as usize * 7;
        let info = u32_at(records, at);
        let lengths = u32_at(records, at + 2);
        let (category, kind) = self.category(concept);
        let systems = self.section(Section::Systems);
        let system = (info >> 16) as usize;
        Concept {
            system: self.piece(Section::Text, u32_at(systems, system * 2), u32_at(systems, system * 2 + 1)),
            code: self.piece(Section::Text, u32_at(records, at + 1), lengths & 0xff),
            display: self.piece(Section::Text, u32_at(records, at + 3), lengths >> 8),
            category,
            kind,
        }
    }

    /// Concepts of other systems that mean the same as a concept.
    pub fn mapped(&self, concept: u32) -> impl Iterator<Item = u32> + use<> {
        let records = self.section(Section::Concepts);
        let at = concept as usize * 7;
        let (begin, count) = (u32_at(records, at + 4), u32_at(records, at + 5));
        let mappings = self.section(Section::Mappings);
        (0..count.min(64)).map(move |n| u32_at(mappings, begin as usize + n as usize))
    }
}

/// The lists, one behind the other.
fn pieces(mut rest: &'static str) -> impl Iterator<Item = (&'static str, &'static str)> {
    std::iter::from_fn(move || {
        let (head, behind) = rest.split_once('\n')?;
        let (name, length) = head.split_once('\t')?;
        let length = length.parse().ok()?;
        let text = behind.get(..length)?;
        rest = behind.get(length..)?;
        Some((name, text))
    })
}

/// The checksum of bytes that may be a compiled lexicon, of any format: it is compared with the bytes.
pub fn checked(bytes: &[u8]) -> Result<u64, FormatError> {
    if bytes.len() < HEADER || &bytes[..8] != MAGIC {
        return Err(FormatError::NotALexicon);
    }
    let named = u64_at(bytes, 2);
    if named == hash::checksum(&bytes[24..]) { Ok(named) } else { Err(FormatError::Checksum) }
}

/// The `index`th number of a section; 0 beyond its end.
#[inline]
fn u32_at(bytes: &[u8], index: usize) -> u32 {
    match bytes.get(index * 4..index * 4 + 4) {
        Some(&[a, b, c, d]) => u32::from_le_bytes([a, b, c, d]),
        _ => 0,
    }
}

fn u64_at(bytes: &[u8], index: usize) -> u64 {
    u64::from(u32_at(bytes, index * 2)) | u64::from(u32_at(bytes, index * 2 + 1)) << 32
}
