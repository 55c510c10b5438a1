//! Concepts of a part where the whole has none: "acute myocardial infarction" is a myocardial infarction, "tobramycin sulfate" a
//! tobramycin. Texts about research are indexed by such systems; a note's finding keeps to what its own words say.

use super::super::entity::{Category, ConceptRef};
use super::super::lexicon::Match;
use super::Finder;
use super::meaning::Meaning;

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
        for part in parts {
            let Some(of) = self.meaning_of(&part).filter(|of| of.category == meaning.category) else { continue };
            let system = |c: &ConceptRef| self.image.system_number(c.concept);
            let known: Vec<u32> = meaning.concepts.iter().map(system).collect();
            let new = of.concepts.into_iter().filter(|c| !known.contains(&system(c)));
            let room = MOST.saturating_sub(meaning.concepts.len());
            meaning.concepts.extend(new.take(room).map(|c| ConceptRef { concept: c.concept, score: c.score * WORTH }));
        }
    }

    /// Whether a part is long enough to say what the whole is: not the "L" of "L-arginine".
    fn is_long(&self, part: &Match) -> bool {
        self.note.words(part.begin..part.end).len() > 3
    }
}
