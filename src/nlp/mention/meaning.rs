//! Which of its meanings a term has: one category, and its concepts, best first.

use super::super::entity::{Category, ConceptRef, Kind};
use super::super::lexicon::{Image, Match, Output};
use super::super::lexicon::source::TermKind;
use super::super::section::Role;
use super::super::token::{Case, Class};
use super::{Finder, case};

#[derive(Clone, Debug, PartialEq)]
pub struct Meaning {
    pub category: Category,
    pub kind: Kind,
    pub concepts: Vec<ConceptRef>,
    /// an abbreviation says it
    pub abbreviation: bool,
}

/// So many codes of one system.
const CODES: usize = 5;

impl Finder<'_, '_, '_> {
    /// What a term means, if it may stand as the text writes it.
    pub(super) fn meaning_of(&self, found: &Match) -> Option<Meaning> {
        if case::is_english(self.note, found) {
            return None;
        }
        // the code name of a substance has a capital: "at 250" is none
        let lower = self.token(found.begin).is_some_and(|t| t.case == Case::Lower);
        let allowed = |o: &Output| !(if self.note.research { o.not_in_research || o.research && lower && o.term == TermKind::Abbreviation } else { o.research }) && case::allows(self.note, found, o);
        let first = meaning(self.image, self.image.outputs(found.node).filter(allowed))?;
        if first.category != Category::Medication || self.note.research {
            return Some(first);
        }
        // sodium, creatinine, iron: a drug or a test
        let is_test = |o: &Output| self.image.category(o.concept).0 == Category::TestTreatmentProcedure;
        if !self.image.outputs(found.node).filter(allowed).any(|o| is_test(&o)) || self.is_given(found, first.kind) {
            return Some(first);
        }
        meaning(self.image, self.image.outputs(found.node).filter(|o| allowed(o) && is_test(o)))
    }

    /// Whether something that is a drug and a test is a drug here: it stands in a list of drugs, or a dose follows.
    fn is_given(&self, found: &Match, kind: Kind) -> bool {
        let section = self.note.section(self.note.sentence_of(found.begin));
        if matches!(section.role, Role::Medications | Role::Allergies) {
            return true;
        }
        if matches!(section.role, Role::Results | Role::Vitals) {
            return false;
        }
        // "25 mg", but not "25 mg/dL"
        let mut at = found.end;
        while self.token(at).is_some_and(|t| t.is_mark(b':') || t.is_mark(b'=') || t.is_mark(b'<') || t.is_mark(b'>')) {
            at += 1;
        }
        if self.token(at).is_some_and(|t| t.class == Class::Number) {
            let unit = self.note.word(at + 1);
            let per = self.token(at + 2).is_some_and(|t| t.is_mark(b'/'));
            return !per && ["mg", "mcg", "g", "gm", "units", "unit", "tablet", "tablets", "tab", "tabs", "iu"].iter().any(|u| unit.eq_ignore_ascii_case(u));
        }
        if at > found.end {
            return false;
        }
        matches!(kind, Kind::BrandName)
            || kind == Kind::GenericName && !["level", "levels", "is", "was", "normal"].iter().any(|w| self.note.is(found.end, w))
    }
}

/// How good a meaning is by the type of its term.
fn worth(term: TermKind) -> f32 {
    match term {
        TermKind::Preferred => 0.95,
        TermKind::Synonym | TermKind::Brand => 0.85,
        TermKind::Abbreviation => 0.8,
        TermKind::Related => 0.4,
    }
}

/// Of several categories the one that is asked for most.
fn order(category: Category) -> u8 {
    match category {
        Category::MedicalCondition => 0,
        Category::Medication => 1,
        Category::TestTreatmentProcedure => 2,
        Category::BehavioralEnvironmentalSocial => 3,
        Category::Anatomy => 4,
        _ => 5,
    }
}

/// One meaning of many: the category of the best kind of term, and its concepts.
pub fn meaning(image: &Image, outputs: impl Iterator<Item = Output>) -> Option<Meaning> {
    let mut all: [(u32, TermKind, Category, Kind); 24] = [(0, TermKind::Related, Category::Anatomy, Kind::SystemOrganSite); 24];
    let mut count = 0;
    for output in outputs {
        let Some(place) = all.get_mut(count) else { break };
        let (category, kind) = image.category(output.concept);
        *place = (output.concept, output.term, category, kind);
        count += 1;
    }
    let all = all.get_mut(..count)?;
    let category = all.iter().map(|(_, _, category, _)| *category).min_by_key(|c| order(*c))?;
    if count > 1 {
        all.sort_unstable_by_key(|(concept, term, _, _)| (*term as u8, *concept));
    }
    let mut meaning = Meaning { category, kind: Kind::Diagnosis, concepts: Vec::with_capacity(count * 2), abbreviation: true };
    let mut kind = None;
    for (concept, term, _, k) in all.iter().filter(|(_, _, c, _)| *c == category) {
        kind = Some(kind.map_or(*k, |known: Kind| better(known, *k)));
        meaning.abbreviation &= *term == TermKind::Abbreviation;
        meaning.concepts.push(ConceptRef { concept: *concept, score: worth(*term) });
    }
    meaning.kind = kind?;
    let direct = meaning.concepts.len();
    for at in 0..direct {
        let Some(of) = meaning.concepts.get(at).copied() else { break };
        for target in image.mapped(of.concept).take(8) {
            if image.category(target).0 == category {
                meaning.concepts.push(ConceptRef { concept: target, score: of.score * 0.9 });
            }
        }
    }
    if meaning.concepts.len() > 1 {
        tidy(image, &mut meaning.concepts);
    }
    Some(meaning)
}

/// A drug that has a name is a drug; a symptom that is also a diagnosis is a symptom.
fn better(a: Kind, b: Kind) -> Kind {
    match (a, b) {
        (Kind::Substance, Kind::GenericName | Kind::BrandName) | (Kind::Diagnosis, Kind::Symptom | Kind::Sign) => b,
        (Kind::BrandName, Kind::GenericName) => b,
        _ => a,
    }
}

/// Each concept once, and no more than some of one system.
fn tidy(image: &Image, concepts: &mut Vec<ConceptRef>) {
    let mut kept = 0;
    for at in 0..concepts.len() {
        let Some(next) = concepts.get(at).copied() else { break };
        let before = concepts.get(..kept).unwrap_or(&[]);
        if before.iter().any(|c| c.concept == next.concept) {
            continue;
        }
        let system = image.system_number(next.concept);
        if before.iter().filter(|c| image.system_number(c.concept) == system).count() >= CODES {
            continue;
        }
        concepts.swap(kept, at);
        kept += 1;
    }
    concepts.truncate(kept);
}
