//! Concepts of a part where the whole has none: "acute myocardial infarction" is a myocardial infarction, "tobramycin sulfate" a
//! tobramycin. Texts about research are indexed by such systems; a note's finding keeps to what its own words say.

use super::super::entity::{Category, ConceptRef};
use super::super::lexicon::Match;
use super::super::token::Class;
use super::Finder;
use super::meaning::Meaning;
use super::words::HEAD;

/// A broader concept is that much less what the text says.
const WORTH: f32 = 0.5;

/// So many concepts may a finding get of its parts.
const MOST: usize = 8;

impl Finder<'_, '_, '_> {
    /// Adds the concepts of the longest parts whose systems the whole has no concept of. Of a condition the part is its end, of a
    /// chemical any part.
    pub(super) fn broaden(&self, begin: u32, end: u32, meaning: &mut Meaning) {
        if !self.note.research || end - begin < 2 || end - begin > 12 {
            return;
        }
        let condition = meaning.category == Category::MedicalCondition;
        if !condition && meaning.category != Category::Medication {
            return;
        }
        let mut parts: Vec<Match> = Vec::new();
        for at in begin..end {
            self.image.terms_at(self.note.tokens, at, |m| {
                let part = m.end <= end && m.end - m.begin < end - begin && (!condition || m.end == end);
                if part && self.is_long(&m) {
                    parts.push(m);
                }
            });
        }
        parts.sort_by_key(|m| std::cmp::Reverse(m.end - m.begin));
        if condition && let Some(of) = self.of_site_disease(begin, end) {
            self.add_systems(of, meaning);
        }
        for part in parts {
            if let Some(of) = self.meaning_of(&part).filter(|of| of.category == meaning.category) {
                self.add_systems(of, meaning);
            }
        }
    }

    /// Adds the concepts of systems that a meaning has no concept of.
    fn add_systems(&self, of: Meaning, to: &mut Meaning) {
        let system = |c: &ConceptRef| self.image.system_number(c.concept);
        let known: Vec<u32> = to.concepts.iter().map(system).collect();
        let new = of.concepts.into_iter().filter(|c| !known.contains(&system(c)));
        let room = MOST.saturating_sub(to.concepts.len());
        to.concepts.extend(new.take(room).map(|c| ConceptRef { concept: c.concept, score: c.score * WORTH }));
    }

    /// The disease of the body part that a general word is about: "cardiac dysfunction" is a heart disease.
    pub(super) fn of_site_disease(&self, begin: u32, end: u32) -> Option<Meaning> {
        let head = self.token(end - 1)?;
        if self.words.flags(head.id) & HEAD == 0 {
            return None;
        }
        let site = self.token(end - 2).filter(|t| t.class == Class::Word && end - 2 >= begin)?;
        [self.words.noun(site.id), Some(site.id)].into_iter().flatten().find_map(|site| {
            ["disease", "disorder"].iter().find_map(|general| self.condition([site, self.image.word(general.as_bytes())].into_iter()))
        })
    }

    /// Whether a part is long enough to say what the whole is: not the "L" of "L-arginine".
    fn is_long(&self, part: &Match) -> bool {
        self.note.words(part.begin..part.end).len() > 3
    }
}
