//! How entities are meant: negated, possible, past, planned, of somebody else, only under a condition.
//!
//! After NegEx (Chapman and others 2001) and ConText (Harkema and others 2009): a phrase has a direction and a scope, which other
//! phrases end. [`rules`] reads the phrases from the lexicon, [`hits`] finds them in a sentence, [`scope`] tells which of them
//! reach an entity, and what stands here puts them together with what the section says.

mod hits;
mod rules;
mod scope;
#[cfg(test)]
mod tests;

pub use rules::Rules;

use super::entity::{Assertion, Category, Certainty, Conditionality, Entity, Kind, Subject, Temporality};
use super::note::Note;
use super::section::Role;
use hits::{Hits, effects};
use rules::{DIMENSIONS, Dimension, Effect, Rule, target};
use scope::{Reached, Reaches, Scope};

/// Sets the assertion of each entity.
pub fn assert(note: &Note<'_>, entities: &mut [Entity]) {
    let rules = &note.lexicon.rules;
    let mut order: Vec<u32> = (0..entities.len() as u32).filter(|&e| target(entities[e as usize].category) != 0).collect();
    order.sort_unstable_by_key(|&e| {
        let entity = &entities[e as usize];
        (entity.sentence, entity.tokens.start, entity.tokens.end)
    });
    let mut hits = Hits::default();
    let mut covered: Vec<(u32, u32)> = Vec::new();
    let mut carried: Option<Reaches> = None;
    let mut from = 0;
    for (number, sentence) in note.sentences.iter().enumerate() {
        let to = from + order[from..].iter().take_while(|&&e| entities[e as usize].sentence as usize == number).count();
        let here = &order[from..to];
        from = to;
        let head = opens_list(note, sentence.tokens.end);
        if carried.is_some() && !goes_on(note, number) {
            carried = None;
        }
        if here.is_empty() && !head {
            continue;
        }
        // the words of a heading speak through its section
        let begin = sentence.heading.end.clamp(sentence.tokens.start, sentence.tokens.end);
        hits.gather(note, rules, begin, sentence.tokens.end);
        cover(&mut covered, entities, here, sentence.tokens.clone());
        let start = sentence.tokens.start;
        // phrases within entities: where they stand, and to which side they reach
        let mut own: Vec<(u32, u32, &Rule)> = Vec::new();
        hits.leave(|begin, end| {
            let (until, length) = covered.get((begin - start) as usize).copied().unwrap_or((0, 0));
            until >= end && length > end - begin
        }, |hit| own.extend(effects(rules, hit).map(|r| (hit.begin, hit.end, r))));
        let role = note.section(number as u32).role;
        let mut previous = None;
        let mut substance = false;
        for (place, &index) in here.iter().enumerate() {
            let next = next_of_kind(entities, &here[place + 1..], entities[index as usize].category);
            let entity = &mut entities[index as usize];
            let scope = Scope {
                note,
                rules,
                hits: &hits,
                begin: entity.tokens.start,
                end: entity.tokens.end,
                sentence: number as u32,
                to: target(entity.category),
                previous,
                next,
            };
            let left = scope.left();
            let right = scope.right();
            previous = Some((entity.tokens.end, scope.to, left));
            let mut reaches = together(left, right);
            for (reach, above) in reaches.iter_mut().zip(carried.iter().flatten()) {
                *reach = reach.or(*above);
            }
            let mut section = role;
            for (begin, end, rule) in &own {
                // "history of falls", "dyspnea on exertion"
                let leads = rule.forward && *begin == entity.tokens.start;
                let ends = rule.backward && *end == entity.tokens.end;
                if (leads || ends)
                    && rule.to & scope.to != 0
                    && let Some(dimension) = rule.effect.dimension()
                {
                    reaches[dimension as usize].get_or_insert(Reached { effect: rule.effect, at: *begin, distance: 0, exact: true });
                    section = Role::Other;
                }
            }
            entity.assertion = assertion(entity.category, &reaches, section);
            let listed = role == Role::Allergies && entity.assertion.temporality != Temporality::Past;
            if !note.research && entity.category == Category::Medication && (reaches[Dimension::Allergy as usize].is_some() || listed) {
                entity.category = Category::BehavioralEnvironmentalSocial;
                entity.kind = Kind::Allergies;
                entity.assertion.temporality = Temporality::Current;
                substance = true;
            } else if substance && role == Role::Allergies && entity.category == Category::MedicalCondition && reaches[Dimension::Temporality as usize].is_none() {
                // what the substance did once
                entity.assertion.temporality = Temporality::Past;
            }
        }
        if head {
            let end = sentence.tokens.end;
            let scope = Scope { note, rules, hits: &hits, begin: end, end, sentence: number as u32, to: 15, previous: None, next: None };
            let left = scope.left();
            carried = left.iter().any(Option::is_some).then_some(left);
        }
    }
}

/// Where the next entity of a category begins, if it is one of the next few.
fn next_of_kind(entities: &[Entity], behind: &[u32], category: Category) -> Option<u32> {
    behind.iter().take(6).filter_map(|&e| entities.get(e as usize)).find(|e| e.category == category).map(|e| e.tokens.start)
}

/// Whether a sentence ends with a colon, so that lines below it may be its list.
fn opens_list(note: &Note<'_>, end: u32) -> bool {
    end.checked_sub(1).and_then(|last| note.tokens.get(last as usize)).is_some_and(|t| t.is_mark(b':'))
}

/// Whether a sentence belongs to the list that a sentence before it opened: no blank line between, no heading.
fn goes_on(note: &Note<'_>, number: usize) -> bool {
    let (Some(before), Some(sentence)) = (number.checked_sub(1).and_then(|b| note.sentences.get(b)), note.sentences.get(number)) else {
        return false;
    };
    let apart = sentence.tokens.start.saturating_sub(before.tokens.end);
    let opened = opens_list(note, before.tokens.end);
    sentence.heading.is_empty() && apart <= 1 && (sentence.item || opened && sentence.tokens.len() <= 40 || !before.item && sentence.tokens.len() <= 8)
}

/// For each token of a sentence the end and the length of the longest entity of several words over it.
fn cover(covered: &mut Vec<(u32, u32)>, entities: &[Entity], here: &[u32], tokens: std::ops::Range<u32>) {
    covered.clear();
    covered.resize(tokens.len(), (0, 0));
    for &index in here {
        let entity = &entities[index as usize];
        let (begin, end) = (entity.tokens.start, entity.tokens.end.min(tokens.end));
        let length = end.saturating_sub(begin);
        if length < 2 {
            continue;
        }
        for place in covered.iter_mut().take((end - tokens.start) as usize).skip((begin.saturating_sub(tokens.start)) as usize) {
            if place.1 < length {
                *place = (end, length);
            }
        }
    }
}

/// What reaches an entity from both sides.
fn together(left: Reaches, right: Reaches) -> Reaches {
    let mut out = Reaches::default();
    for dimension in 0..DIMENSIONS {
        out[dimension] = match (left[dimension], right[dimension]) {
            (Some(l), Some(r)) => Some(if dimension == Dimension::Certainty as usize {
                let (lc, rc) = (certainty(l.effect), certainty(r.effect));
                match (lc, rc) {
                    _ if l.exact => l,
                    _ if r.exact => r,
                    // "possible pneumonia was ruled out", but "no effusion is seen"
                    (Certainty::Negative, _) => l,
                    (_, Certainty::Positive) => l,
                    (Certainty::Positive, _) => r,
                    _ if rc >= lc => r,
                    _ => l,
                }
            } else if r.distance < l.distance {
                r
            } else {
                l
            }),
            (l, r) => l.or(r),
        };
    }
    out
}

fn certainty(effect: Effect) -> Certainty {
    match effect {
        Effect::Certainty(certainty) => certainty,
        _ => Certainty::Positive,
    }
}

/// The assertion that reaches and a section make.
fn assertion(category: Category, reaches: &Reaches, section: Role) -> Assertion {
    let mut out = Assertion::default();
    let condition = category == Category::MedicalCondition;
    for reached in reaches.iter().flatten() {
        match reached.effect {
            Effect::Certainty(certainty) => out.certainty = certainty,
            Effect::Temporality(temporality) => out.temporality = temporality,
            Effect::Subject(subject) => out.subject = subject,
            Effect::Kin => out.subject = Subject::Family,
            Effect::Condition(condition) => out.conditionality = condition,
            Effect::Allergy | Effect::Telling | Effect::End(_) | Effect::Nothing => {}
        }
    }
    let said = |dimension: Dimension| reaches[dimension as usize].is_some();
    match section {
        Role::PastHistory | Role::SurgicalHistory
            if (condition || category == Category::TestTreatmentProcedure)
                && !said(Dimension::Temporality)
                && matches!(out.certainty, Certainty::Positive | Certainty::Probable)
                && out.subject == Subject::Patient =>
        {
            out.temporality = Temporality::Past;
        }
        Role::FamilyHistory if (condition || category == Category::TestTreatmentProcedure) && !said(Dimension::Subject) => out.subject = Subject::Family,
        Role::Differential if condition && !said(Dimension::Certainty) => out.certainty = Certainty::Possible,
        Role::Instructions if condition && !said(Dimension::Condition) && !said(Dimension::Certainty) && !said(Dimension::Temporality) => {
            out.conditionality = Conditionality::Hypothetical;
        }
        _ => {}
    }
    out
}
