//! Several that share a word: "hepatitis B and C", "breast and ovarian cancer". They are one finding with the concepts of each.

use super::super::entity::{Category, Origin};
use super::super::lexicon::Match;
use super::super::token::Class;
use super::Finder;
use super::meaning::Meaning;
use super::words::{CONJUNCTION, HEAD, SITE};

impl Finder<'_, '_, '_> {
    /// "hepatitis B and C": the last word is short, and another short one follows.
    pub(super) fn joined(&mut self, found: &Match, meaning: &Meaning) -> Option<u32> {
        if meaning.category != Category::MedicalCondition || found.end - found.begin < 2 {
            return None;
        }
        let last = self.token(found.end - 1)?;
        if last.end - last.begin > 2 || !self.is_conjunction(found.end) {
            return None;
        }
        let other = self.token(found.end + 1)?;
        if other.end - other.begin > 2 || !matches!(other.class, Class::Word | Class::Number) {
            return None;
        }
        let ids = (found.begin..found.end - 1).chain([found.end + 1]).filter_map(|t| self.token(t));
        let also = self.condition(ids.filter(|t| t.class != Class::Mark).map(|t| t.id))?;
        let end = found.end + 2;
        self.push(found.begin, end, both(meaning.clone(), also), Origin::Coordination);
        Some(end)
    }

    /// "breast and ovarian cancer": gives where the first begins, and what both mean.
    pub(super) fn shared(&mut self, begin: u32, end: u32, meaning: Meaning) -> (u32, Meaning, bool) {
        let no = |meaning| (begin, meaning, false);
        if meaning.category != Category::MedicalCondition || end - begin < 2 {
            return no(meaning);
        }
        let mut at = begin;
        // "and/or", ",", "and", "/"
        let mut joints = 0;
        while at > 0
            && joints < 3
            && (self.is_conjunction(at - 1) || self.token(at - 1).is_some_and(|t| matches!(t.mark, b'/' | b',')))
        {
            at -= 1;
            joints += 1;
        }
        if at == begin {
            return no(meaning);
        }
        if at > 0 && self.token(at - 1).is_some_and(|t| t.is_mark(b'-')) {
            at -= 1;
        }
        let Some(first) = at.checked_sub(1) else { return no(meaning) };
        let Some(word) = self.token(first).copied().filter(|t| t.class == Class::Word) else { return no(meaning) };
        let Some(head) = self.token(end - 1).copied() else { return no(meaning) };
        let covered = self.out.last().filter(|e| e.tokens.end > first);
        let site = covered.map_or(self.words.flags(word.id) & SITE != 0, |e| e.category == Category::Anatomy && e.tokens.end == first + 1);
        let from = covered.map_or(first, |e| e.tokens.start);
        if covered.is_some() && !site {
            return no(meaning);
        }
        let ids = (from..=first).filter_map(|t| self.token(t)).filter(|t| t.class == Class::Word).map(|t| t.id).chain([head.id]);
        let also = self.condition(ids);
        if also.is_none() && !(site && self.words.flags(head.id) & HEAD != 0) {
            return no(meaning);
        }
        if covered.is_some() {
            self.out.pop();
        }
        let meaning = match also {
            Some(also) => both(also, meaning),
            None => meaning,
        };
        (from, meaning, true)
    }

    pub(super) fn is_conjunction(&self, at: u32) -> bool {
        self.token(at).is_some_and(|t| self.words.flags(t.id) & CONJUNCTION != 0)
    }
}

/// The concepts of both.
fn both(mut first: Meaning, second: Meaning) -> Meaning {
    for concept in second.concepts {
        if !first.concepts.iter().any(|c| c.concept == concept.concept) {
            first.concepts.push(concept);
        }
    }
    first
}
