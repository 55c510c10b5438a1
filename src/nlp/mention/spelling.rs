//! Misspelled drugs: "Zirtec", "hydrochlorothyazide". One change (a letter more, less or another, or two that changed places), two
//! in long words; the first letter is right. Only words that the lexicon does not know, written where drugs are written.

use std::sync::OnceLock;

use super::super::entity::Category;
use super::super::known::NEAR_DRUG;
use super::super::section::Role;
use super::super::token::{self, Case, Class, Token};
use super::Finder;
use super::meaning::{Meaning, meaning};

/// Names of drugs, for comparison. They are read when the first unknown word is met.
#[derive(Debug, Default)]
pub struct Names {
    list: &'static str,
    read: OnceLock<Read>,
}

/// The names by first letter and length: a word is compared with few of them.
#[derive(Debug)]
struct Read {
    names: Vec<Name>,
    /// where the names of a first letter and a length begin
    begins: Vec<u32>,
}

#[derive(Debug)]
struct Name {
    letters: u32,
    second: u8,
    name: &'static str,
}

const SHORTEST: usize = 6;
const LONGEST: usize = 24;
/// From this length on two changes are allowed.
const LONG: usize = 9;

/// Endings of ordinary words.
const ENDINGS: [&str; 8] = ["ing", "ed", "ly", "tion", "ment", "ness", "able", "ism"];

impl Names {
    /// A list of names in their order, one a line.
    pub fn new(list: &'static str) -> Names {
        Names { list, read: OnceLock::new() }
    }

    fn read(&self) -> &Read {
        self.read.get_or_init(|| {
            let place = |name: &str| bucket(name.as_bytes()[0], name.len());
            let known = self.list.lines().filter(|n| n.starts_with(|c: char| c.is_ascii_lowercase()) && n.len() <= LONGEST);
            let mut names: Vec<Name> = known.map(|name| Name { name, letters: letters(name), second: name.as_bytes().get(1).copied().unwrap_or(0) }).collect();
            names.sort_by_key(|n| (place(n.name), n.name));
            let begins = (0..=bucket(b'z', LONGEST) + 1).map(|b| names.partition_point(|n| place(n.name) < b) as u32).collect();
            Read { names, begins }
        })
    }

    /// Names of a length with the first letter of a word, in their order.
    fn of_length(&self, word: &str, length: usize) -> &[Name] {
        let Read { names, begins } = self.read();
        let Some(first) = word.bytes().next().filter(u8::is_ascii_lowercase) else { return &[] };
        let at = |length: usize| begins.get(bucket(first, length)).map_or(0, |at| *at as usize);
        names.get(at(length.min(LONGEST + 1))..at((length + 1).min(LONGEST + 1))).unwrap_or(&[])
    }

    /// Whether a word that nobody knows, with its normal form, is a name but for one change.
    pub fn is_near(&self, word: &str, form: &[u8]) -> bool {
        let fits = (SHORTEST - 1..=LONGEST).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_alphabetic());
        fits && std::str::from_utf8(form).is_ok_and(|form| self.one_off(form).is_some())
    }

    /// A name that is a word but for one change; the first two letters are right.
    fn one_off(&self, word: &str) -> Option<&'static str> {
        let second = *word.as_bytes().get(1)?;
        let mask = letters(word);
        (word.len() - 1..=word.len() + 1)
            .flat_map(|length| {
                let names = self.of_length(word, length);
                let from = names.partition_point(|n| n.second < second);
                names.get(from..).unwrap_or(&[]).iter().take_while(|n| n.second == second)
            })
            .find(|n| differ_little(n.letters ^ mask, 1) && is_one_off(word.as_bytes(), n.name.as_bytes()))
            .map(|n| n.name)
    }

    /// The name that a word is nearest to; the first letter is right.
    fn nearest(&self, word: &str, most: usize) -> Option<&'static str> {
        let mut best: Option<(usize, &'static str)> = None;
        let mut several = false;
        let mask = letters(word);
        let lengths = word.len().saturating_sub(most)..=word.len() + most;
        for name in lengths.flat_map(|length| self.of_length(word, length)).filter(|n| differ_little(n.letters ^ mask, most)) {
            let limit = best.map_or(most, |(d, _)| d);
            let distance = distance(word.as_bytes(), name.name.as_bytes());
            if distance > limit || distance > 1 && name.name.len() < LONG {
                continue;
            }
            several = best.is_some_and(|(d, _)| d == distance);
            best = Some((distance, name.name));
        }
        best.filter(|(distance, _)| !(several && *distance > 1)).map(|(_, name)| name)
    }
}

/// Whether two words differ by one letter, or by two that changed places.
fn is_one_off(a: &[u8], b: &[u8]) -> bool {
    let front = a.iter().zip(b).take_while(|(x, y)| x == y).count();
    let (a, b) = (a.get(front..).unwrap_or(&[]), b.get(front..).unwrap_or(&[]));
    let back = a.iter().rev().zip(b.iter().rev()).take_while(|(x, y)| x == y).count();
    let (a, b) = (a.get(..a.len() - back).unwrap_or(&[]), b.get(..b.len() - back).unwrap_or(&[]));
    match (a, b) {
        ([_] | [], [_] | []) => true,
        ([x, y], [v, w]) => x == w && y == v,
        _ => false,
    }
}

/// The number of a first letter and a length; names of the same letter follow each other by length.
fn bucket(first: u8, length: usize) -> usize {
    usize::from(first.wrapping_sub(b'a')) * (LONGEST + 2) + length
}

/// Whether at most two bits for each change are set.
fn differ_little(mut bits: u32, changes: usize) -> bool {
    for _ in 0..2 * changes {
        bits &= bits.wrapping_sub(1);
    }
    bits == 0
}

fn letters(word: &str) -> u32 {
    word.bytes().fold(0, |mask, b| mask | 1 << (b.wrapping_sub(b'a') & 31))
}

/// How many changes make one word of another.
fn distance(a: &[u8], b: &[u8]) -> usize {
    if a.len() > LONGEST || b.len() > LONGEST {
        return usize::MAX;
    }
    let mut rows = [[0usize; LONGEST + 1]; 3];
    for (n, cell) in rows[0].iter_mut().enumerate() {
        *cell = n;
    }
    for i in 1..=a.len() {
        let (now, before, two) = (i % 3, (i - 1) % 3, (i + 1) % 3);
        rows[now][0] = i;
        for j in 1..=b.len() {
            let same = usize::from(a[i - 1] != b[j - 1]);
            let mut least = (rows[before][j] + 1).min(rows[now][j - 1] + 1).min(rows[before][j - 1] + same);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(rows[two][j - 2] + 1);
            }
            rows[now][j] = least;
        }
    }
    rows[a.len() % 3][b.len()]
}

impl Finder<'_, '_, '_> {
    /// The drug that an unknown word means.
    pub(super) fn misspelled(&self, at: u32, word: &Token) -> Option<Meaning> {
        let text = self.note.word(at);
        let drugs = self.about_drugs(at);
        if text.len() < SHORTEST - usize::from(drugs) || text.len() > LONGEST || !text.bytes().all(|b| b.is_ascii_alphabetic()) {
            return None;
        }
        // a name of a person is written so, too
        if !drugs && word.case != Case::Lower {
            return None;
        }
        // what is printed has been read for misspellings; other words of research look like drugs
        if self.note.research {
            return None;
        }
        if !drugs && !word.known.has(NEAR_DRUG) {
            return None; // most words
        }
        let mut form = Vec::with_capacity(LONGEST);
        token::normal(text, &mut form);
        let form = std::str::from_utf8(&form).ok()?;
        let name = if drugs {
            self.words.spelling.nearest(form, if form.len() < LONG { 1 } else { 2 })?
        } else {
            self.words.spelling.one_off(form)?
        };
        if ENDINGS.iter().any(|e| form.ends_with(e) && !name.ends_with(e)) {
            return None;
        }
        let node = self.image.root(self.image.word(name.as_bytes()));
        let mut meaning = meaning(self.image, self.image.outputs(node).filter(|o| !o.research)).filter(|m| m.category == Category::Medication)?;
        for concept in &mut meaning.concepts {
            concept.score *= 0.8;
        }
        Some(meaning)
    }

    /// Whether drugs are written here: a section of medications, or a dose follows.
    fn about_drugs(&self, at: u32) -> bool {
        let section = self.note.section(self.note.sentence_of(at));
        matches!(section.role, Role::Medications | Role::Allergies) || self.token(at + 1).is_some_and(|t| t.class == Class::Number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes() {
        assert_eq!(distance(b"zirtec", b"zyrtec"), 1);
        assert_eq!(distance(b"metropolol", b"metoprolol"), 2);
        assert_eq!(distance(b"lisinipril", b"lisinopril"), 1);
        assert_eq!(distance(b"asprin", b"aspirin"), 1);
        assert_eq!(distance(b"wafrarin", b"warfarin"), 1);
        assert_eq!(distance(b"ab", b"ba"), 1);
    }

    #[test]
    fn the_nearest_name() {
        let names = Names::new("aspirin\nhydralazine\nhydrochlorothiazide\nhydroxyzine\nwarfarin\nzyrtec");
        assert_eq!(names.nearest("zirtec", 1), Some("zyrtec"));
        assert_eq!(names.nearest("hydrochlorothyazide", 2), Some("hydrochlorothiazide"));
        assert_eq!(names.nearest("birtec", 1), None, "the first letter is right");
        assert_eq!(names.nearest("walking", 1), None);
        assert_eq!(names.one_off("asprin"), Some("aspirin"));
        assert_eq!(names.one_off("warfrain"), Some("warfarin"));
        assert_eq!(names.one_off("asparagine"), None);
    }
}
