//! The list `tests`: analytes, vital signs and studies that have results.

use crate::nlp::note::Note;
use crate::nlp::token::{Case, Class};
use crate::nlp::words::Words;

/// What kind of value a test has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    Lab,
    Vital,
    /// usually a word: positive, trace
    Quality,
    /// only a word: negative, normal
    Study,
    /// 120/80
    Pressure,
    /// two numbers: 8.1/24.3
    Pair,
    Height,
    /// 8/10
    Score,
    /// 97 %
    Saturation,
    /// 20/40
    Acuity,
}

/// A test of the list.
#[derive(Clone, Copy, Debug)]
pub struct Test {
    pub shape: Shape,
    /// lowest and highest plausible value
    pub low: f64,
    pub high: f64,
    /// usual units, parted by commas
    pub units: &'static str,
}

struct Name {
    text: &'static str,
    /// written so only
    exact: bool,
    test: u16,
}

/// The tests by their names.
#[derive(Default)]
pub struct Tests {
    tests: Vec<Test>,
    names: Vec<Name>,
    by_word: Words<Vec<u16>>,
}

/// Names that must be written as they are but for these, which are also written in small letters.
const SMALL: &[&str] = &["na", "k", "cl", "cr", "co2", "hco3", "hb", "gluc", "glu", "phos", "pco2", "po2", "ph", "wt", "ht", "o2", "sats", "tsat", "pulse", "tbili", "o2 sat", "o2sat"];

impl Tests {
    /// Reads the list. Lines that are none are left out.
    pub fn new(list: &'static str) -> Tests {
        let mut out = Tests::default();
        for line in list.lines().filter(|l| !l.starts_with('#')).take(20_000) {
            let mut fields = line.split('\t');
            let (Some(names), Some(kind)) = (fields.next(), fields.next()) else { continue };
            let shape = match kind {
                "lab" => Shape::Lab,
                "vital" => Shape::Vital,
                "quality" => Shape::Quality,
                "study" => Shape::Study,
                "pressure" => Shape::Pressure,
                "pair" => Shape::Pair,
                "height" => Shape::Height,
                "score" => Shape::Score,
                "saturation" => Shape::Saturation,
                "acuity" => Shape::Acuity,
                _ => continue,
            };
            let mut bound = |none: f64| fields.next().and_then(|f| f.parse().ok()).unwrap_or(none);
            let (low, high) = (bound(f64::MIN), bound(f64::MAX));
            let units = fields.next().unwrap_or("");
            let test = out.tests.len() as u16;
            out.tests.push(Test { shape, low, high, units });
            for name in names.split('|') {
                let (text, exact) = name.strip_prefix('=').map_or((name, false), |n| (n, true));
                let first = text.find(|c: char| !c.is_alphanumeric()).map_or(text, |end| &text[..end]);
                let number = out.names.len();
                if number >= usize::from(u16::MAX) {
                    break;
                }
                out.names.push(Name { text, exact, test });
                if let Some(list) = out.by_word.entry(first, Vec::new) {
                    list.push(number as u16);
                }
            }
        }
        out
    }

    /// The place of a word among those that names begin with; 0 if none does.
    pub fn place(&self, word: &str) -> u16 {
        self.by_word.place(word)
    }

    /// The test whose name begins at a token: the token behind it, and the test. The longest name wins.
    #[inline]
    pub fn at(&self, note: &Note<'_>, at: u32) -> Option<(u32, &Test)> {
        let token = note.tokens.get(at as usize)?;
        if token.class == Class::Word && token.known.test == 0 {
            return None; // most words
        }
        self.longest(note, at, if token.class == Class::Word { self.by_word.at(token.known.test) } else { self.by_word.get(note.word(at)) }?)
    }

    fn longest(&self, note: &Note<'_>, at: u32, begun: &[u16]) -> Option<(u32, &Test)> {
        let mut best: Option<(u32, &Test)> = None;
        for &number in begun {
            let Some(name) = self.names.get(number as usize) else { continue };
            if let Some(end) = ends(note, at, name)
                && best.is_none_or(|(known, _)| end > known)
                && let Some(test) = self.tests.get(name.test as usize)
            {
                best = Some((end, test));
            }
        }
        best
    }

    /// The test of a name that is followed by digits without a space: `HR88`.
    pub fn named(&self, word: &str) -> Option<&Test> {
        let names = self.by_word.get(word)?;
        let name = names.iter().filter_map(|n| self.names.get(*n as usize)).find(|n| n.text.eq_ignore_ascii_case(word) && (!n.exact || n.text == word))?;
        self.tests.get(name.test as usize)
    }
}

/// Where a name that stands at a token ends; spaces and hyphens are the same.
fn ends(note: &Note<'_>, at: u32, name: &Name) -> Option<u32> {
    let begin = note.begin(at);
    let text = note.text.as_bytes().get(begin..)?;
    let mut position = 0;
    let mut changed = false;
    let mut capitals = true;
    let mut wanted = name.text.bytes().peekable();
    while let Some(byte) = wanted.next() {
        if matches!(byte, b' ' | b'-') && wanted.peek().is_some() {
            while matches!(text.get(position), Some(b' ' | b'-' | b'\t')) {
                position += 1;
            }
            continue;
        }
        let found = *text.get(position)?;
        if !found.eq_ignore_ascii_case(&byte) {
            return None;
        }
        changed |= found != byte;
        capitals &= !found.is_ascii_lowercase();
        position += 1;
    }
    let stop = (begin + position) as u32;
    let mut last = at as usize;
    while note.tokens.get(last)?.end < stop {
        last += 1;
    }
    if note.tokens.get(last)?.end != stop {
        return None;
    }
    if name.exact && changed {
        let upper = capitals && name.text.len() > 1;
        let small = note.tokens.get(at as usize)?.case == Case::Lower && SMALL.iter().any(|s| s.eq_ignore_ascii_case(name.text));
        if !(upper || small) {
            return None;
        }
    }
    let end = last as u32 + 1;
    // "K+" and "Na+" are also the electrolytes
    if note.mark(end, b'+') && note.glued(end) && name.text.len() <= 2 && note.class(end + 1) != Some(Class::Number) {
        return Some(end + 1);
    }
    Some(end)
}
