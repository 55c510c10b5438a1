//! Chemicals in texts about research. What is measured, abused or not tolerated there is named as a chemical all the same, and
//! substances have code names that no terminology knows.

use std::ops::Range;

use super::super::entity::{Category, Entity};
use super::super::lexicon::Match;
use super::super::note::Note;
use super::super::token::Class;
use super::{Finder, case};
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
            Category::Medication => self.names_role(found) || self.is_led(found),
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
            Category::MedicalCondition if found.end - found.begin > 1 => self.is_several(found) || self.is_drawn(found),
            _ => false,
        }
    }

    /// Whether a term names several conditions: "nausea and vomiting", "panic disorder with agoraphobia".
    fn is_several(&self, found: &Match) -> bool {
        let Some(joint) = (found.begin + 1..found.end - 1).find(|t| ["and", "with", "or"].iter().any(|w| self.note.is(*t, w))) else { return false };
        self.whole(found.begin, joint) && self.whole(joint + 1, found.end)
    }

    /// Whether some tokens are a term of a condition.
    fn whole(&self, begin: u32, end: u32) -> bool {
        let mut is = false;
        self.image.terms_at(self.note.tokens, begin, |m| {
            is |= m.end == end && self.meaning_of(&m).is_some_and(|m| m.category == Category::MedicalCondition);
        });
        is
    }

    /// Whether a term is wider than the condition in it: by what brought it about ("heparin-induced thrombocytopenia"), or by a
    /// word that only says that it is there ("seizure activity").
    fn is_drawn(&self, found: &Match) -> bool {
        const ENDS: &[&str] = &["activity", "episode", "episodes", "test", "tests", "features"];
        const BEGINS: &[&str] = &["persistent", "recurrent", "prolonged", "transient", "generalized", "massive", "mild", "severe", "drug"];
        let last = found.end - 1;
        if ENDS.iter().any(|w| self.note.is(last, w)) && self.whole(found.begin, last) {
            return true;
        }
        let rest = (found.begin + 1..found.end).find(|t| self.note.is(*t, "induced")).map(|t| t + 1);
        let rest = rest.or_else(|| BEGINS.iter().any(|w| self.note.is(found.begin, w)).then_some(found.begin + 1));
        rest.is_some_and(|rest| self.whole(rest, found.end))
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

    /// Whether a term begins with a word that is none of a chemical's: "a dopamine agonist", "subcutaneous heparin".
    fn is_led(&self, found: &Match) -> bool {
        const LEADS: &[&str] = &["a", "subcutaneous", "sublingual", "systemic", "topical", "intravenous", "combined", "unfractionated", "serum", "plasma", "neuroactive"];
        found.end - found.begin > 1
            && self.token(found.begin + 1).is_some_and(|t| t.spaced)
            && LEADS.iter().any(|lead| self.note.word(found.begin) == *lead)
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
        let known = note.lexicon.tests.at(note, at).is_some() || self.defined_at(at).is_some() || case::is_word(word);
        // "BP 140/90", "CD 100 mg": what is measured, not a name
        let measured = self.token(next + 1).is_some_and(|t| matches!(t.mark, b'/' | b'%'));
        let digits = note.word(next);
        // "June 2003"
        let dated = word.bytes().any(|b| b.is_ascii_lowercase()) && !hyphen && (letters > 3 || digits.len() == 4);
        (!known && !measured && !dated && number.class == Class::Number && is_number(digits)).then_some(next + 1)
    }
}

/// Pieces of systematic names that stand before others; other words end with them, too: "dichloro".
const PIECES: &[&str] = &[
    "yl", "oxy", "nitro", "chloro", "bromo", "iodo", "fluoro", "amino", "imino", "cyano", "oxo", "thio", "benzo", "hydro", "aza", "oxa", "sulfo", "phospho",
    "alpha", "beta", "gamma", "delta", "omega", "epsilon", "kappa", "cis", "trans", "threo", "erythro", "tert", "sec", "des", "bis", "tris", "rac", "ene", "ylidene", "methano",
];

impl Finder<'_, '_, '_> {
    /// Where a chemical's name begins whose last part stands at a token: "N-[4-(5-nitro-2-furyl)-2-thiazolyl]-formamide".
    /// All that is written without a space before it is of the name, if it is made of positions and of parts of names.
    pub(super) fn name_begin(&self, at: u32) -> u32 {
        if !self.note.research {
            return at;
        }
        let mut begin = at;
        let mut first = at;
        let mut open = 0i32;
        while begin > 0 && at - begin < 60 && self.token(begin).is_some_and(|t| !t.spaced) {
            let Some(before) = self.token(begin - 1) else { break };
            match before.class {
                Class::Mark if matches!(before.mark, b'-' | b',' | b'\'' | b'+') => {}
                Class::Mark if matches!(before.mark, b')' | b']') => open += 1,
                Class::Mark if matches!(before.mark, b'(' | b'[') => {
                    open -= 1;
                    if open < 0 {
                        break;
                    }
                }
                Class::Number => {}
                Class::Word if self.is_piece(self.note.word(begin - 1)) => {}
                _ => break,
            }
            begin -= 1;
            // a name begins with no comma, and at no open bracket's inside
            if open == 0 && !matches!(before.mark, b'-' | b',' | b'\'' | b'+') {
                first = begin;
            }
        }
        // "5 mg/2-chloro…": what is joined otherwise is not of it; "(S)-" alone is, "2," is not
        let whole = begin == 0 || self.token(begin).is_some_and(|t| t.spaced) || self.token(begin - 1).is_some_and(|t| matches!(t.mark, b'(' | b'[' | b'/' | b'-'));
        if whole && first < at { first } else { at }
    }

    fn is_piece(&self, word: &str) -> bool {
        let mut lower = [0u8; 24];
        let Some(form) = lower.get_mut(..word.len()) else { return false };
        form.copy_from_slice(word.as_bytes());
        form.make_ascii_lowercase();
        word.len() < 3 || PIECES.iter().any(|piece| form.ends_with(piece.as_bytes())) || word.starts_with(|c: char| c.is_ascii_digit())
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
