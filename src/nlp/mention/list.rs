//! Findings that clinicians write as a list of letters: "denies n/v/cp/sob", "no m/r/g". Each is a finding of its own.

use super::super::entity::{Category, Origin};
use super::super::lexicon::Match;
use super::super::token::{self, Class};
use super::Finder;
use super::meaning::{Meaning, meaning};

/// Parts of lists of symptoms that are no abbreviations by themselves, and what they stand for.
const PARTS: &[(&str, &str)] = &[
    ("c", "chills"),
    ("cp", "chest pain"),
    ("d", "diarrhea"),
    ("doe", "dyspnea on exertion"),
    ("f", "fever"),
    ("ha", "headache"),
    ("n", "nausea"),
    ("ns", "night sweats"),
    ("sob", "shortness of breath"),
    ("v", "vomiting"),
];

/// Between the expansions of a short form that stands for several findings.
const BETWEEN: &str = "; ";

/// So many letters a list may have.
const MOST: usize = 16;
const LONGEST: u32 = 4;

impl Finder<'_, '_, '_> {
    /// A list of letters with slashes between that begins at a token: gives the token behind it.
    pub(super) fn slashed(&mut self, at: u32) -> Option<u32> {
        let slash = |t: u32| self.token(t).is_some_and(|t| t.is_mark(b'/') && !t.spaced);
        if !slash(at + 1) || at > 0 && slash(at) {
            return None;
        }
        let is_part = |t: u32| self.token(t).is_some_and(|t| t.class == Class::Word && t.end - t.begin <= LONGEST);
        let mut parts = vec![at];
        while parts.len() < MOST
            && let Some(&last) = parts.last()
            && slash(last + 1)
            && is_part(last + 2)
            && self.token(last + 2).is_some_and(|t| !t.spaced)
        {
            parts.push(last + 2);
        }
        if !is_part(at) || parts.len() < 2 {
            return None;
        }
        let mut found: Vec<(u32, Meaning)> = Vec::new();
        let mut sure = false;
        while let Some(&part) = parts.get(found.len()) {
            match self.sequence(part, &parts) {
                Some(several) => {
                    found.extend(several);
                    sure = true;
                }
                None => {
                    sure |= self.note.word(part).len() > 1;
                    found.push((part, self.part(part)?));
                }
            }
        }
        // "d/c" is no list, nor is "n/c/d": single letters tell nothing by themselves
        if !sure {
            return None;
        }
        let end = parts.last()? + 1;
        for (part, meaning) in found {
            self.push(part, part + 1, meaning, Origin::Abbreviation);
        }
        Some(end)
    }

    /// The findings of the longest short form with slashes that begins at a part.
    fn sequence(&self, part: u32, parts: &[u32]) -> Option<Vec<(u32, Meaning)>> {
        let mut longest = None;
        self.image.terms_at(self.note.tokens, part, |m| {
            if m.end - m.begin > 1 && parts.contains(&(m.end - 1)) && self.meaning_of(&m).is_some() {
                longest = Some(m);
            }
        });
        let found = longest?;
        let meanings = self.expansions(&self.meaning_of(&found)?)?;
        let places: Vec<u32> = parts.iter().copied().filter(|p| (found.begin..found.end).contains(p)).collect();
        (places.len() == meanings.len()).then(|| places.into_iter().zip(meanings).collect())
    }

    /// What one part of a list stands for.
    fn part(&self, at: u32) -> Option<Meaning> {
        let word = self.note.word(at);
        let (_, long) = PARTS.iter().find(|(part, _)| word.eq_ignore_ascii_case(part))?;
        self.named(long)
    }

    /// The findings of a short form that stands for several: "nausea; vomiting; diarrhea".
    fn expansions(&self, meaning: &Meaning) -> Option<Vec<Meaning>> {
        let [only] = meaning.concepts.as_slice() else { return None };
        let display = self.image.concept(only.concept).display;
        if !display.contains(BETWEEN) {
            return None;
        }
        display.split(BETWEEN).map(|part| self.named(part)).collect()
    }

    /// The meaning of a term.
    fn named(&self, term: &str) -> Option<Meaning> {
        let mut node = 0;
        let mut form = Vec::new();
        for (n, word) in term.split([' ', '-']).enumerate() {
            token::normal(word, &mut form);
            node = self.step(node, n == 0, self.image.word(&form))?;
        }
        let mut meaning = meaning(self.image, self.outputs(node))?;
        meaning.abbreviation = true;
        Some(meaning)
    }

    /// A short form without slashes that stands for several findings, which are one entity with the concepts of each.
    pub(super) fn spelled_out(&self, found: &Match, meaning: Meaning) -> Meaning {
        if !meaning.abbreviation || found.end - found.begin > 1 && meaning.category != Category::MedicalCondition {
            return meaning;
        }
        let Some(all) = self.expansions(&meaning) else { return meaning };
        let mut all = all.into_iter();
        let Some(mut first) = all.next() else { return meaning };
        for next in all {
            first.concepts.extend(next.concepts);
        }
        Meaning { concepts: first.concepts, ..meaning }
    }
}
