//! Abbreviations that a text defines: "deep vein thrombosis (DVT)" and "DVT (deep vein thrombosis)".
//!
//! The letters of the short form stand in the long form in their order, the first at the begin of a word (after Schwartz and
//! Hearst, 2003). From its definition on the short form means what the long form means; where that is nothing in the lexicon, it
//! means nothing.

use std::collections::HashMap;

use super::super::entity::{Category, Entity, Origin};
use super::super::token::{Class, Token};
use super::Finder;
use super::meaning::Meaning;

/// Short forms and their meanings.
#[derive(Clone, Debug, Default)]
pub struct Defined {
    forms: HashMap<Box<str>, Option<Meaning>>,
    /// a bit for each first byte (of 64)
    first: u64,
}

/// A text may define so many.
const MOST: usize = 10_000;
const LONGEST_SHORT_FORM: usize = 10;

impl Defined {
    fn define(&mut self, short: &str, meaning: Option<Meaning>) {
        if self.forms.len() < MOST {
            self.first |= bit(short);
            self.forms.insert(short.into(), meaning);
        }
    }
}

fn bit(text: &str) -> u64 {
    1 << (text.as_bytes().first().copied().unwrap_or(0) & 63)
}

/// "SF (long form": the parts of a definition that ends at a bracket.
#[derive(Clone, Copy, Debug)]
pub struct Turned {
    short: (u32, u32),
    open: u32,
    close: u32,
}

impl Finder<'_, '_, '_> {
    /// The short form that stands at a token: where it ends, and what it means.
    pub(super) fn defined_at(&self, at: u32) -> Option<(u32, Option<Meaning>)> {
        let token = self.token(at)?;
        if self.defined.forms.is_empty() || self.defined.first & bit(self.note.word(at)) == 0 {
            return None;
        }
        let mut best = None;
        let mut end = at + 1;
        for _ in 0..5 {
            let text = self.note.words(at..end);
            if text.len() > LONGEST_SHORT_FORM + 1 {
                break;
            }
            let plural = || text.strip_suffix('s').and_then(|t| self.defined.forms.get(t));
            if let Some(meaning) = self.defined.forms.get(text).or_else(plural) {
                best = Some((end, meaning));
            }
            if self.token(end).is_none_or(|next| next.spaced || next.class == Class::Line) {
                break;
            }
            end += 1;
        }
        let _ = token;
        best.map(|(end, meaning)| (end, meaning.clone()))
    }

    /// A bracket opens: is it "long form (SF" or "SF (long form"?
    pub(super) fn open(&mut self, at: u32) {
        let mut close = at + 1;
        while let Some(token) = self.token(close)
            && close - at < 14
        {
            if matches!(token.mark, b')' | b']') {
                break;
            }
            close += 1;
        }
        let Some(last) = self.token(close) else { return };
        let closed = matches!(last.mark, b')' | b']');
        // what else stands in the brackets does not matter: "(SF; 5 mg)"
        let mut end = at + 1;
        while end < close && !self.token(end).is_some_and(|t| matches!(t.mark, b';' | b',' | b'=')) {
            end += 1;
        }
        let inside = self.note.words(at + 1..end);
        // "(AOR = 2.7)" tells a figure, whatever stands before it
        let figure = self.note.research && self.token(end).is_some_and(|t| t.is_mark(b'='));
        if is_short(inside)
            && !figure
            && let Some(begin) = self.long_before(at, inside)
        {
            let meaning = self.meaning_between(begin, at);
            self.defined.define(inside, meaning);
            return;
        }
        if closed && at > 0 && close - at > 2 {
            let mut begin = at - 1;
            while begin > 0 && at - begin < 4 && self.token(begin).is_some_and(|t| !t.spaced) {
                begin -= 1;
            }
            let short = self.note.words(begin..at);
            if is_short(short) && short.bytes().filter(u8::is_ascii_uppercase).count() > 1 {
                let long = self.note.words(at + 1..close);
                if align(short, long) == Some(0) {
                    self.turned = Some(Turned { short: (begin, at), open: at, close });
                }
            }
        }
    }

    /// A bracket closes: what stood in it may be the long form of what stood before it.
    pub(super) fn close(&mut self, at: u32) {
        let Some(turned) = self.turned.take() else { return };
        if turned.close != at {
            return;
        }
        let meaning = self.meaning_between(turned.open + 1, at);
        self.defined.define(self.note.words(turned.short.0..turned.short.1), meaning.clone());
        let (begin, end) = turned.short;
        let from = self.out.len().saturating_sub(6);
        let mut kept = self.out.split_off(from);
        kept.retain(|e: &Entity| e.tokens.end <= begin || e.tokens.start >= end);
        self.out.append(&mut kept);
        if let Some(meaning) = meaning {
            self.push(begin, end, meaning, Origin::Defined);
        }
    }

    /// Where the long form of a short form begins, if it stands before a bracket.
    fn long_before(&self, open: u32, short: &str) -> Option<u32> {
        let letters = short.bytes().filter(u8::is_ascii_alphanumeric).count();
        let most = (letters + 5).min(letters * 2);
        let (mut begin, mut words) = (open, 0);
        while begin > 0 && words < most && open - begin < 40 {
            let token = self.token(begin - 1)?;
            if token.class == Class::Line || matches!(token.mark, b'.' | b';' | b'(' | b')' | b':') {
                break;
            }
            begin -= 1;
            words += usize::from(token.class == Class::Word);
        }
        if let Some(entity) = self.out.last().filter(|e| e.tokens.end == open && e.category == Category::MedicalCondition)
            && self.has_initials(entity.tokens.clone(), short)
        {
            return Some(entity.tokens.start);
        }
        let long = self.note.words(begin..open);
        let at = align(short, long)? + self.token(begin)?.begin as usize;
        // the token that begins there
        (begin..open).find(|t| self.token(*t).is_some_and(|t| t.begin as usize <= at && at < t.end as usize))
    }

    /// Whether the letters of a short form are the first letters of the words, in whatever order: "myotonic dystrophy (DM)".
    fn has_initials(&self, words: std::ops::Range<u32>, short: &str) -> bool {
        let mut initials: Vec<u8> = words
            .filter(|t| self.token(*t).is_some_and(|t| t.class == Class::Word))
            .filter_map(|t| self.note.word(t).bytes().next().map(|b| b.to_ascii_uppercase()))
            .collect();
        let mut letters = short.as_bytes().to_vec();
        initials.sort_unstable();
        letters.sort_unstable();
        letters.len() > 1 && initials == letters
    }

    /// What the entity means that ends where a long form ends.
    fn meaning_between(&self, begin: u32, end: u32) -> Option<Meaning> {
        let entity = self.out.last().filter(|e| e.tokens.end == end)?;
        // the long form of a chemical is all of it, "serum creatinine" is none; a disease may have words before it
        if self.note.research && entity.category == Category::Medication && entity.tokens.start > begin {
            return None;
        }
        // "changes in mental status (MS)": the short form is the status
        if self.note.research && entity.category == Category::MedicalCondition && entity.tokens.start < begin {
            let words = (begin..end).filter_map(|t| self.token(t)).filter(|t| t.class == Class::Word).map(|t| t.id);
            self.condition(words)?;
        }
        Some(Meaning { category: entity.category, kind: entity.kind, concepts: entity.concepts.clone(), abbreviation: true })
    }
}

/// Whether a text may be a short form.
fn is_short(text: &str) -> bool {
    (2..=LONGEST_SHORT_FORM).contains(&text.len())
        && text.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric())
        && text.bytes().any(|b| b.is_ascii_alphabetic())
        && text.bytes().filter(|&b| b == b' ').count() < 2
        && (text.bytes().any(|b| b.is_ascii_uppercase()) || text.len() < 6 && !text.contains(' '))
}

/// Where the shortest long form of a short form begins that ends where `long` ends.
fn align(short: &str, long: &str) -> Option<usize> {
    let (short, long) = (short.as_bytes(), long.as_bytes());
    if long.len() <= short.len() {
        return None;
    }
    let mut at = long.len();
    for (n, letter) in short.iter().enumerate().rev() {
        if !letter.is_ascii_alphanumeric() {
            continue;
        }
        loop {
            at = at.checked_sub(1)?;
            let fits = long.get(at)?.eq_ignore_ascii_case(letter);
            let starts = n > 0 || at == 0 || long.get(at - 1).is_some_and(|b| !b.is_ascii_alphanumeric());
            if fits && starts {
                break;
            }
        }
    }
    Some(at)
}

#[allow(dead_code)]
fn is_word(token: &Token) -> bool {
    token.class == Class::Word
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_in_order() {
        assert_eq!(align("DVT", "with deep vein thrombosis"), Some(5));
        assert_eq!(align("COPD", "chronic obstructive pulmonary disease"), Some(0));
        assert_eq!(align("5-FU", "and 5-fluorouracil"), Some(4));
        assert_eq!(align("XYZ", "deep vein thrombosis"), None);
    }
}
