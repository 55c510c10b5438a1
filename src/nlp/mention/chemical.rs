//! Chemicals in texts about research. What is measured, abused or not tolerated there is named as a chemical all the same, and
//! substances have code names that no terminology knows.

use std::ops::Range;

use super::super::entity::{Category, Entity};
use super::super::lexicon::Match;
use super::super::note::Note;
use super::super::token::{Case, Class};
use super::Finder;
use super::meaning::Meaning;
use super::words::ROLE;

/// Digits of a code name: MK-801, BD1063, LY274614.
const DIGITS: std::ops::RangeInclusive<usize> = 3..=7;

impl Finder<'_, '_, '_> {
    /// Whether a term gives way to what stands in it: a chemical named by what it does ("calcium channel blockers") to the
    /// chemical, and a test or treatment ("steroid therapy", "serum phosphate") to the chemical or the condition.
    pub(super) fn gives_way(&self, found: &Match, meaning: &Meaning) -> bool {
        if !self.note.research {
            return false;
        }
        match meaning.category {
            Category::Medication => self.names_role(found),
            Category::TestTreatmentProcedure if found.end - found.begin > 1 => {
                let mut within = false;
                for at in found.begin..found.end {
                    self.image.terms_at(self.note.tokens, at, |m| {
                        let names = |m: Meaning| matches!(m.category, Category::Medication | Category::MedicalCondition);
                        within |= m.end <= found.end && self.meaning_of(&m).is_some_and(names);
                    });
                }
                within
            }
            _ => false,
        }
    }

    /// Whether a term ends with what a substance does, a number or letter behind it not counted: "interleukin 1 receptor type I".
    fn names_role(&self, found: &Match) -> bool {
        let mut last = found.end - 1;
        while last > found.begin && self.token(last).is_some_and(|t| t.end - t.begin < 3 || t.class != Class::Word) {
            last -= 1;
        }
        let is_role = self.token(last).is_some_and(|t| self.words.flags(t.id) & ROLE != 0);
        is_role || ["ase", "ases", "protein", "proteins", "globulin", "globulins"].iter().any(|e| self.note.word(last).ends_with(e))
    }

    /// The code name of a substance: one word of some capitals and digits, or two ("GR 55562", "CP-93129").
    pub(super) fn code_name(&self, at: u32) -> Option<u32> {
        let note = self.note;
        if !note.research || self.token(at)?.class != Class::Word {
            return None;
        }
        let word = note.word(at);
        let letters = word.bytes().take_while(u8::is_ascii_alphabetic).count();
        let (name, rest) = word.split_at_checked(letters)?;
        if !(2..=4).contains(&letters) || !name.bytes().any(|b| b.is_ascii_uppercase()) || !name.starts_with(|c: char| c.is_ascii_uppercase()) {
            return None;
        }
        if !rest.is_empty() {
            return is_number(rest).then_some(at + 1);
        }
        let mut next = at + 1;
        let hyphen = self.token(next).is_some_and(|t| t.is_mark(b'-') && !t.spaced);
        next += u32::from(hyphen);
        let number = self.token(next).filter(|t| t.class == Class::Number && (!hyphen || !t.spaced))?;
        let known = note.lexicon.tests.at(note, at).is_some() || self.defined_at(at).is_some() || self.token(at)?.case == Case::Lower;
        // "BP 140/90", "CD 100 mg": what is measured, not a name
        let measured = self.token(next + 1).is_some_and(|t| matches!(t.mark, b'/' | b'.' | b'%'));
        let digits = note.word(next);
        (!known && !measured && DIGITS.contains(&digits.len()) && number.class == Class::Number && is_number(digits)).then_some(next + 1)
    }
}

/// Some digits, and a letter at most behind them.
fn is_number(text: &str) -> bool {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    DIGITS.contains(&digits) && text.len() - digits <= 1 && text.bytes().skip(digits).all(|b| b.is_ascii_uppercase())
}

/// The chemicals of a text about research; nothing of other texts.
pub fn chemicals(note: &Note<'_>, entities: &[Entity]) -> Vec<Entity> {
    if !note.research {
        return Vec::new();
    }
    entities.iter().filter(|e| e.category == Category::Medication).cloned().collect()
}

/// Puts chemicals back that another step has made a test or a habit of.
pub fn keep(chemicals: Vec<Entity>, entities: &mut Vec<Entity>) {
    if chemicals.is_empty() {
        return;
    }
    let mut lost: Vec<Entity> = Vec::new();
    let mut known: Vec<Range<u32>> = entities.iter().filter(|e| e.category == Category::Medication).map(|e| e.tokens.clone()).collect();
    known.sort_by_key(|k| k.start);
    lost.extend(chemicals.into_iter().filter(|c| !meets(&known, &c.tokens)));
    let taken: Vec<Range<u32>> = lost.iter().map(|l| l.tokens.clone()).collect();
    let other = |e: &Entity| matches!(e.category, Category::TestTreatmentProcedure | Category::BehavioralEnvironmentalSocial);
    entities.retain(|e| !other(e) || !meets(&taken, &e.tokens));
    entities.append(&mut lost);
}

/// Whether one of some ranges, which are in order, has a token of another.
fn meets(ranges: &[Range<u32>], other: &Range<u32>) -> bool {
    let place = ranges.partition_point(|r| r.end <= other.start);
    ranges.get(place).is_some_and(|r| r.start < other.end)
}
