//! Which tokens of a note entities stand on, so that a step can tell in one look whether it would cut into another's finding.

use std::ops::Range;

use super::entity::{Category, Entity};
use super::note::Note;

/// A set of bits for each token.
pub struct Cover {
    bits: Vec<u8>,
    taken: bool,
}

pub const CONDITION: u8 = 1;
pub const MEDICATION: u8 = 2;
/// a test, treatment or procedure
pub const TEST: u8 = 4;
/// an entity of another category
pub const OTHER: u8 = 8;
/// an attribute of an entity: a dose, a value
pub const ATTRIBUTE: u8 = 16;
/// a condition, medication, test or anatomy goes on from the token before
const JOINED: u8 = 32;
const TAKEN: u8 = 64;
/// an attribute goes on from the token before
const ATTRIBUTE_JOINED: u8 = 128;

fn is_mention(category: Category) -> bool {
    matches!(category, Category::MedicalCondition | Category::Medication | Category::TestTreatmentProcedure | Category::Anatomy)
}

impl Cover {
    pub fn new(note: &Note<'_>, entities: &[Entity]) -> Cover {
        let mut cover = Cover { bits: vec![0; note.tokens.len()], taken: false };
        for entity in entities {
            let bit = match entity.category {
                Category::MedicalCondition => CONDITION,
                Category::Medication => MEDICATION,
                Category::TestTreatmentProcedure => TEST,
                _ => OTHER,
            };
            cover.set(entity.tokens.clone(), bit);
            if is_mention(entity.category) {
                cover.set(entity.tokens.start + 1..entity.tokens.end, JOINED);
            }
            for attribute in &entity.attributes {
                let tokens = note.tokens_in(attribute.begin, attribute.end);
                cover.set(tokens.start + 1..tokens.end, ATTRIBUTE_JOINED);
                cover.set(tokens, ATTRIBUTE);
            }
        }
        cover
    }

    fn set(&mut self, tokens: Range<u32>, bit: u8) {
        let end = (tokens.end as usize).min(self.bits.len());
        for bits in self.bits.get_mut(tokens.start as usize..end).unwrap_or_default() {
            *bits |= bit;
        }
    }

    /// Whether something of these bits stands on a token.
    pub fn has(&self, token: u32, bits: u8) -> bool {
        self.bits.get(token as usize).is_some_and(|b| b & bits != 0)
    }

    /// Whether something of these bits stands on one of the tokens.
    pub fn any(&self, mut tokens: Range<u32>, bits: u8) -> bool {
        tokens.any(|token| self.has(token, bits))
    }

    /// Whether a condition, medication, test or anatomy begins before or ends behind the tokens, of which it has some.
    pub fn cuts(&self, tokens: &Range<u32>) -> bool {
        self.has(tokens.start, JOINED) || self.has(tokens.end, JOINED)
    }

    /// Whether all attributes on these tokens are shorter than they are and within them.
    pub fn exceeds_attributes(&self, tokens: &Range<u32>) -> bool {
        let cuts = self.has(tokens.start, ATTRIBUTE_JOINED) || self.has(tokens.end, ATTRIBUTE_JOINED);
        !cuts && tokens.clone().any(|token| !self.has(token, ATTRIBUTE))
    }

    /// What stands wholly within these tokens is to go: they are something else.
    pub fn take(&mut self, tokens: Range<u32>) {
        self.taken |= self.any(tokens.clone(), CONDITION | MEDICATION | TEST | OTHER);
        self.set(tokens, TAKEN);
    }

    /// Takes away the conditions, medications, tests and anatomy that stand on tokens that were taken, and all that `also` says.
    pub fn remove_taken(&self, entities: &mut Vec<Entity>, also: impl Fn(&Entity) -> bool) {
        if self.taken {
            entities.retain(|e| !((is_mention(e.category) || also(e)) && e.tokens.clone().all(|token| self.has(token, TAKEN))));
        }
    }
}
