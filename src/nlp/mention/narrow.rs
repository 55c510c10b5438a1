//! Terms that are wider than what a text about research tells: a part of them is the finding.

use super::super::entity::Category;
use super::super::lexicon::Match;
use super::super::token::Class;
use super::Finder;
use super::meaning::Meaning;
use super::words::ROLE;

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
}
