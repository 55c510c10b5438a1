//! Conditions built from a body part and a general word: "left ankle pain", "hepatic injury".

use super::super::entity::{Category, Kind, Origin};
use super::super::lexicon::Output;
use super::super::token::{Class, Token};
use super::meaning::{Meaning, meaning};
use super::words::{HEAD, MODIFIER, SITE};
use super::{Finder, case};

/// So many parts may stand before the word that they belong to.
const PARTS: usize = 4;

impl Finder<'_, '_, '_> {
    /// A condition whose general word stands at `at` and is no term by itself.
    pub(super) fn composed(&mut self, at: u32, token: &Token) -> Option<u32> {
        if self.words.flags(token.id) & HEAD == 0 {
            return None;
        }
        let begin = self.extended(at, SITE);
        if begin == at {
            return None;
        }
        let begin = self.extended(begin, SITE | MODIFIER);
        let meaning = self.with_noun(begin, at + 1).unwrap_or(Meaning {
            category: Category::MedicalCondition,
            kind: Kind::Diagnosis,
            concepts: Vec::new(),
            abbreviation: false,
        });
        self.push(begin, at + 1, meaning, Origin::Composed);
        Some(at + 1)
    }

    /// A condition of the lexicon with what stands before it: gives where it begins, and what it means then.
    pub(super) fn with_parts(&mut self, begin: u32, end: u32, of: Meaning) -> (u32, Meaning, bool) {
        let from = self.extended(begin, SITE | MODIFIER);
        if from == begin {
            return (begin, of, false);
        }
        let better = self.with_noun(from, end);
        let changed = better.is_some();
        let mut meaning = better.unwrap_or(of);
        if !changed && let Some(mut of_site) = self.of_site_disease(from, end).filter(|_| self.note.research) {
            of_site.concepts.append(&mut meaning.concepts);
            meaning.concepts = of_site.concepts;
        }
        if !changed {
            for concept in &mut meaning.concepts {
                concept.score *= 0.7;
            }
        }
        (from, meaning, true)
    }

    /// Where body parts and words of some classes begin that stand right before a token; takes body parts out of what was found.
    fn extended(&mut self, at: u32, classes: u8) -> u32 {
        let mut begin = at;
        for _ in 0..PARTS {
            let Some(before) = begin.checked_sub(1) else { break };
            let hyphen = self.token(before).is_some_and(|t| t.is_mark(b'-') && !t.spaced);
            let last = if hyphen { before.saturating_sub(1) } else { before };
            let Some(token) = self.token(last) else { break };
            if token.class != Class::Word {
                break;
            }
            let covered = self.out.last().filter(|e| e.tokens.end == last + 1);
            if let Some(entity) = covered {
                if entity.category != Category::Anatomy {
                    break;
                }
                begin = entity.tokens.start;
                self.out.pop();
            } else if self.out.last().is_none_or(|e| e.tokens.end <= last) && self.words.flags(token.id) & classes != 0 {
                begin = last;
            } else {
                break;
            }
        }
        begin
    }

    /// What "liver injury" means for "hepatic injury".
    fn with_noun(&self, begin: u32, end: u32) -> Option<Meaning> {
        let mut node = 0;
        let mut first = true;
        for at in begin..end {
            let token = self.token(at)?;
            if token.class != Class::Word {
                continue;
            }
            let id = self.words.noun(token.id).unwrap_or(token.id);
            node = self.step(node, first, id)?;
            first = false;
        }
        meaning(self.image, self.outputs(node)).filter(|m| m.category == Category::MedicalCondition)
    }

    /// One word further in the lexicon.
    pub(super) fn step(&self, node: u32, first: bool, id: u32) -> Option<u32> {
        if id == super::UNKNOWN {
            return None;
        }
        let next = if first { self.image.root(id) } else { self.image.child(node, id) };
        (next != 0).then_some(next)
    }

    /// What the words of a node may mean in this text, however they are written.
    pub(super) fn outputs(&self, node: u32) -> impl Iterator<Item = Output> {
        let research = self.note.research;
        self.image.outputs(node).filter(move |o| !o.case_sensitive && (research || !o.research))
    }

    /// The meaning of a condition by its words.
    pub(super) fn condition(&self, ids: impl Iterator<Item = u32>) -> Option<Meaning> {
        let mut node = 0;
        for (n, id) in ids.enumerate() {
            node = self.step(node, n == 0, id)?;
        }
        let found = meaning(self.image, self.outputs(node))?;
        (found.category == Category::MedicalCondition).then_some(found)
    }

    /// Whether words are written without regard to case around a token.
    #[allow(dead_code)]
    pub(super) fn in_capitals(&self, at: u32) -> bool {
        case::capitals(self.note, at)
    }
}
