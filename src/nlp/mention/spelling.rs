//! Misspelled drugs: "Zirtec", "hydrochlorothyazide". One change (a letter more, less or another, or two that changed places), two
//! in long words; the first letter is right. Only words that the lexicon does not know, written where drugs are written.

use std::sync::OnceLock;

use super::super::entity::Category;
use super::super::section::Role;
use super::super::token::{self, Case, Class, Token};
use super::Finder;
use super::meaning::{Meaning, meaning};

/// Names of drugs, for comparison. They are read when the first unknown word is met.
#[derive(Debug, Default)]
pub struct Names {
    list: &'static str,
    read: OnceLock<Vec<Name>>,
}

#[derive(Debug)]
struct Name {
    name: &'static str,
    letters: u32,
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

    /// The name that a word is nearest to.
    fn nearest(&self, word: &str, most: usize) -> Option<&'static str> {
        let names = self.read.get_or_init(|| self.list.lines().map(|name| Name { name, letters: letters(name) }).collect());
        let first = word.get(..1)?;
        let from = names.partition_point(|n| n.name < first);
        let mask = letters(word);
        let mut best: Option<(usize, &'static str)> = None;
        let mut several = false;
        for name in names.get(from..)?.iter().take_while(|n| n.name.starts_with(first)) {
            let limit = best.map_or(most, |(d, _)| d);
            if name.name.len().abs_diff(word.len()) > limit || (name.letters ^ mask).count_ones() as usize > 2 * limit {
                continue;
            }
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
        if self.research && (text.len() < LONG || word.case != Case::Lower) {
            return None;
        }
        let mut form = Vec::with_capacity(LONGEST);
        token::normal(text, &mut form);
        let form = std::str::from_utf8(&form).ok()?;
        let most = if form.len() < LONG || self.research || !drugs && form.len() < LONG + 1 { 1 } else { 2 };
        let name = self.words.spelling.nearest(form, most)?;
        if ENDINGS.iter().any(|e| form.ends_with(e) && !name.ends_with(e)) {
            return None;
        }
        let node = self.image.root(self.image.word(name.as_bytes()));
        let mut meaning = meaning(self.image, self.image.outputs(node)).filter(|m| m.category == Category::Medication)?;
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
    }
}
