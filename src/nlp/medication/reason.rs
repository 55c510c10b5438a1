//! What a drug is given for: "for pain", "prn wheezing", "pneumonia treated with ceftriaxone".

use super::scan::Drug;
use super::vocabulary::{Role, dotted, sense_at};
use crate::nlp::entity::{Attribute, AttributeKind, Category, Entity};
use crate::nlp::note::Note;
use crate::nlp::token::Class;

/// What is treated and is perhaps no condition of the lexicon.
const REASONS: &[&str] = &[
    "pain", "sleep", "anxiety", "nausea", "vomiting", "fever", "fevers", "insomnia", "wheezing", "wheeze", "itching", "itch", "agitation", "cough",
    "constipation", "diarrhea", "headache", "headaches", "heartburn", "congestion", "spasm", "spasms", "cramps", "dyspnea", "sob", "rash", "allergies",
    "hypertension", "infection", "prophylaxis", "sedation", "anticoagulation", "indigestion", "bloating", "gas", "dizziness", "hiccups",
];

/// Words before the reason that are no part of it.
fn before(note: &Note<'_>, at: u32) -> bool {
    [
        "the", "a", "his", "her", "their", "any", "acute", "chronic", "suspected", "presumed", "possible", "severe", "mild", "moderate", "breakthrough",
        "treatment", "management", "control", "relief", "of", "for", "recent", "new", "known", "presumptive", "likely", "persistent",
    ]
    .iter()
    .any(|w| note.is(at, w))
}

/// The condition among `conditions` (tokens, entity; by begin) that begins at a token.
fn condition(conditions: &[(u32, u32, u32)], at: u32) -> Option<&(u32, u32, u32)> {
    let first = conditions.partition_point(|c| c.0 < at);
    conditions.get(first).filter(|c| c.0 == at)
}

fn attribute(begin: usize, end: usize, score: f32, relation: f32) -> Attribute {
    Attribute { kind: AttributeKind::Reason, begin, end, value: None, score, relation_score: relation }
}

/// The reasons that stand behind a drug, up to the token `to`.
pub fn behind(note: &Note<'_>, drug: &Drug, to: u32, conditions: &[(u32, u32, u32)], entities: &[Entity], out: &mut Vec<Attribute>) {
    let to = to.min(drug.end + 40);
    let mut at = drug.end;
    while at < to {
        if sense_at(note, at).role != Role::Reason {
            at += 1;
            continue;
        }
        if note.is(at, "p")
            && let Some(dots) = dotted(note, at)
            && dots.word() == "prn"
        {
            at = dots.end - 1;
        }
        let needed = note.is(at, "prn") || note.mark(at, b'.') && note.is(at - 1, "n") || (note.is(at, "needed") && note.is(at.wrapping_sub(1), "as"));
        let lead = needed || note.is(at, "for") || note.is(at, "treat") || note.is(at, "indication") || note.is(at, "treating");
        at += 1;
        if !lead {
            continue;
        }
        let mut next = at;
        if note.mark(next, b':') || (needed && note.mark(next, b'(')) {
            next += 1;
        }
        if needed && note.is(next, "for") {
            next += 1;
        }
        let from = next;
        for _ in 0..4 {
            if let Some(&(begin, end, number)) = condition(conditions, next)
                && begin < to
            {
                let Some(entity) = entities.get(number as usize) else { break };
                out.push(attribute(entity.begin, entity.end, 0.9, 0.9));
                at = end;
                // "for nausea and vomiting", "for pain or fever"
                let mut more = end;
                while note.mark(more, b'/') || note.mark(more, b',') || note.is(more, "and") || note.is(more, "or") {
                    let Some(&(_, end, number)) = condition(conditions, more + 1) else { break };
                    let Some(entity) = entities.get(number as usize) else { break };
                    if !needed && note.mark(more, b',') {
                        break;
                    }
                    out.push(attribute(entity.begin, entity.end, 0.85, 0.85));
                    more = end;
                    at = end;
                }
                break;
            }
            let word = note.word(next);
            if REASONS.iter().any(|r| r.eq_ignore_ascii_case(word)) {
                out.push(attribute(note.begin(next), note.end(next + 1), 0.85, 0.85));
                at = next + 1;
                break;
            }
            if !before(note, next) {
                // what is written behind "prn" is the reason, whatever it is
                if needed && next == from && !(note.is(at - 1, "needed") && next == at) && note.class(next) == Some(Class::Word) {
                    let mut end = next;
                    while end < to && end < next + 4 && note.class(end) == Some(Class::Word) {
                        let sense = sense_at(note, end);
                        if sense.frequency.is_some() || sense.unit.is_some() || sense.route.is_some() || sense.filler && end == next {
                            break;
                        }
                        end += 1;
                    }
                    if end > next && end < next + 4 {
                        out.push(attribute(note.begin(next), note.end(end), 0.65, 0.8));
                        at = end;
                    }
                }
                break;
            }
            next += 1;
        }
    }
}

/// The condition that is said to be treated with a drug: "pneumonia treated with ceftriaxone".
pub fn before_drug(note: &Note<'_>, drug: &Drug, from: u32, conditions: &[(u32, u32, u32)], entities: &[Entity]) -> Option<Attribute> {
    let with = drug.begin.checked_sub(1)?;
    let with = if note.is(with, "oral") || note.is(with, "iv") { with.checked_sub(1)? } else { with };
    if !(note.is(with, "with") || note.is(with, "on")) {
        return None;
    }
    let verb = with.checked_sub(1)?;
    if !["treated", "managed", "controlled"].iter().any(|w| note.is(verb, w)) {
        return None;
    }
    let last = conditions.partition_point(|c| c.1 <= verb).checked_sub(1)?;
    let &(begin, end, number) = conditions.get(last)?;
    let entity = entities.get(number as usize)?;
    (begin >= from && verb - end <= 5).then(|| attribute(entity.begin, entity.end, 0.85, 0.8))
}

/// The conditions of a note: tokens and numbers of the entities, by begin.
pub fn conditions(entities: &[Entity]) -> Vec<(u32, u32, u32)> {
    let mut out: Vec<(u32, u32, u32)> = entities
        .iter()
        .enumerate()
        .filter(|(_, e)| e.category == Category::MedicalCondition)
        .map(|(number, e)| (e.tokens.start, e.tokens.end, number as u32))
        .collect();
    out.sort_unstable_by_key(|c| (c.0, std::cmp::Reverse(c.1)));
    out
}
