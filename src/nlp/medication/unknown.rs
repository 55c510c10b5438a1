//! Drugs that the lexicon does not have: a word with a whole prescription behind it, in a list of medications.

use super::scan::piece_at;
use super::vocabulary::{Measure, sense_at};
use crate::nlp::entity::{AttributeKind, Category, Entity, Kind, Origin};
use crate::nlp::note::Note;
use crate::nlp::section::Role;
use crate::nlp::token::Class;

/// Looks for them in the sentences of lists of medications, and elsewhere where the prescription leaves no doubt.
pub fn find(note: &Note<'_>, entities: &mut Vec<Entity>) {
    within(note, entities);
    let mut known: Vec<(u32, u32)> = Vec::new();
    let mut sorted = false;
    let mut added: Vec<Entity> = Vec::new();
    for (number, sentence) in note.sentences.iter().enumerate() {
        if note.section(number as u32).role != Role::Medications {
            continue;
        }
        if !sorted {
            known = entities.iter().map(|e| (e.tokens.start, e.tokens.end)).collect();
            known.sort_unstable();
            sorted = true;
        }
        let tokens = sentence.tokens.start.max(sentence.heading.end)..sentence.tokens.end;
        let first = known.partition_point(|k| k.0 < tokens.start);
        if let Some(entity) = at_begin(note, tokens, known.get(first).map_or(u32::MAX, |k| k.0)) {
            added.push(entity);
        }
    }
    entities.append(&mut added);
}

/// The name at the begin of an item, if a dose and a route, a frequency or a form follow it.
fn at_begin(note: &Note<'_>, tokens: std::ops::Range<u32>, next_entity: u32) -> Option<Entity> {
    let mut at = tokens.start;
    // a bullet or a number
    for _ in 0..4 {
        let number = note.class(at) == Some(Class::Number) && (note.mark(at + 1, b'.') || note.mark(at + 1, b')'));
        if number || matches!(note.class(at), Some(Class::Mark | Class::Line)) {
            at += 1;
        } else {
            break;
        }
    }
    let begin = at;
    if next_entity <= begin {
        return None; // the lexicon has it
    }
    while at < tokens.end && at < begin + 3 && note.class(at) == Some(Class::Word) && piece_at(note, at, false).is_none() {
        if sense_at(note, at).filler && at == begin {
            return None;
        }
        at += 1;
    }
    let first = note.word(begin);
    if at == begin || at > next_entity || next_entity < at + 1 || first.len() < 4 || !first.bytes().all(|b| b.is_ascii_alphabetic()) {
        return None;
    }
    let end = at;
    let (mut amount, mut more) = (false, false);
    for _ in 0..8 {
        if at >= tokens.end {
            break;
        }
        match piece_at(note, at, true) {
            Some(piece) => {
                match piece.kind {
                    AttributeKind::Strength | AttributeKind::Dosage => amount = true,
                    AttributeKind::Route | AttributeKind::Frequency | AttributeKind::Form => more = true,
                    _ => {}
                }
                at = piece.last.max(at + 1);
            }
            None if matches!(note.class(at), Some(Class::Mark)) => at += 1,
            None => break,
        }
    }
    (amount && more).then(|| {
        let mut entity = Entity::new(note, Category::Medication, Kind::GenericName, begin..end, Origin::Pattern);
        entity.score = 0.6;
        entity
    })
}

/// Words that may stand before the name of a drug in a sentence.
const BEFORE: &[&str] = &[
    "on", "and", "start", "started", "continue", "continued", "with", "of", "take", "takes", "taking", "plus", "or", "increase", "add", "added", "give", "given", "home", "oral",
    "iv", "resume", "prescribed", "received", "for", "meds", "medications",
];

/// Names with a whole prescription right behind them, anywhere: "lisinipril 5 mg daily".
fn within(note: &Note<'_>, entities: &mut Vec<Entity>) {
    let mut known: Option<Vec<(u32, u32)>> = None;
    let mut added: Vec<Entity> = Vec::new();
    for (number, token) in note.tokens.iter().enumerate().skip(1) {
        let at = number as u32;
        if token.class != Class::Number || !matches!(sense_at(note, at + 1).unit, Some((_, Measure::Mass | Measure::Units))) {
            continue;
        }
        let name = at - 1;
        let word = note.word(name);
        let sense = sense_at(note, name);
        if word.len() < 5
            || !word.bytes().all(|b| b.is_ascii_alphabetic())
            || ["ed", "ing", "ly", "al"].iter().any(|e| word.ends_with(e))
            || sense.filler
            || sense.unit.is_some()
            || sense.form.is_some()
            || sense.route.is_some()
            || sense.frequency.is_some()
            || sense.span.is_some()
            || BEFORE.iter().any(|b| b.eq_ignore_ascii_case(word))
        {
            continue;
        }
        let first = name == 0
            || match note.class(name - 1) {
                Some(Class::Line) => true,
                Some(Class::Mark) => [b',', b';', b':', b')', b'.', b'-', b'*', b'+'].iter().any(|m| note.mark(name - 1, *m)),
                Some(Class::Word) => BEFORE.iter().any(|b| note.is(name - 1, b)),
                _ => false,
            };
        if !first {
            continue;
        }
        let Some(amount) = piece_at(note, at, false) else { continue };
        if !matches!(amount.kind, AttributeKind::Strength | AttributeKind::Dosage) {
            continue;
        }
        let Some(next) = piece_at(note, amount.last, true) else { continue };
        if !matches!(next.kind, AttributeKind::Route | AttributeKind::Frequency) {
            continue;
        }
        let known = known.get_or_insert_with(|| {
            let mut known: Vec<(u32, u32)> = entities.iter().map(|e| (e.tokens.start, e.tokens.end)).collect();
            known.sort_unstable();
            known
        });
        let behind = known.partition_point(|k| k.0 <= name);
        if known.iter().take(behind).rev().take(4).any(|k| k.1 > name) {
            continue;
        }
        let mut entity = Entity::new(note, Category::Medication, Kind::GenericName, name..at, Origin::Pattern);
        entity.score = 0.55;
        added.push(entity);
    }
    entities.append(&mut added);
}
