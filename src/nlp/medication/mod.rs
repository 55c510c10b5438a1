//! Doses, routes, frequencies and the like of medications.
//!
//! Each kind of part has its file, which reads it at a token; [`scan`] goes over a sentence with its continued lines and
//! gathers them, [`link`] gives each to its drug, [`reason`] finds what a drug is given for, [`unknown`] drugs that the
//! lexicon does not have.

mod amount;
mod duration;
mod form;
mod frequency;
mod link;
mod piece;
mod reason;
mod route;
mod scan;
mod unknown;
mod vocabulary;

#[cfg(test)]
mod tests;

use super::entity::{Attribute, AttributeKind, Category, Entity};
use super::note::Note;
use scan::Drug;

pub use vocabulary::{Span, place, sense_at};

/// Whether a unit, a route or a frequency stands at a token, as behind the dose of a drug.
pub fn is_prescription(note: &Note<'_>, at: u32) -> bool {
    scan::piece_at(note, at, true).is_some()
}

/// Adds what it finds to `entities`.
pub fn find(note: &Note<'_>, entities: &mut Vec<Entity>) {
    unknown::find(note, entities);
    let drugs = drugs(note, entities);
    if drugs.is_empty() {
        return;
    }
    let taken = taken(note, entities);
    let is_taken = |at: u32| {
        let first = taken.partition_point(|t| t.1 <= at);
        taken.get(first).filter(|t| t.0 <= at).map(|t| t.1)
    };
    let conditions = reason::conditions(entities);
    let mut found: Vec<(u32, Attribute)> = Vec::new();
    let mut reasons: Vec<Attribute> = Vec::new();
    let mut number = 0;
    let mut done = 0;
    while let Some(first) = drugs.get(number) {
        let sentence = note.sentence_of(first.begin);
        let begin = note.sentences.get(sentence as usize).map_or(0, |s| s.tokens.start);
        let from = begin.max(done).max(first.begin.saturating_sub(scan::BEFORE)).min(first.begin);
        let mut to = scan::extent(note, sentence).max(first.end);
        let behind = drugs.partition_point(|d| d.begin < to);
        let unit = drugs.get(number..behind).unwrap_or(&[]);
        if let Some(last) = unit.last() {
            to = to.min(last.end + scan::BEHIND).max(last.end);
        }
        let events = scan::events(note, unit, number as u32, from, to, is_taken);
        let owners = link::owners(&events);
        let mut strengths: Vec<u32> = Vec::new();
        for (event, owner) in events.into_iter().zip(owners) {
            let (Some(piece), Some((drug, relation))) = (event.piece, owner) else { continue };
            let mut kind = piece.kind;
            if kind == AttributeKind::Strength {
                // "25 mg tablet, take 50 mg": the second is how much at once
                if strengths.contains(&drug) && event.take {
                    kind = AttributeKind::Dosage;
                }
                strengths.push(drug);
            }
            let Some(target) = drugs.get(drug as usize) else { continue };
            // "fentanyl patch 25 mcg/hr": how strong the patch is
            let patch = |t: u32| note.is(t, "patch") || note.is(t, "transdermal");
            if kind == AttributeKind::Rate && (target.begin..piece.first.min(target.end + 6)).any(patch) {
                kind = AttributeKind::Strength;
            }
            let attribute =
                Attribute { kind, begin: piece.begin, end: piece.end, value: piece.value, score: piece.score, relation_score: relation };
            for &entity in &target.entities {
                found.push((entity, attribute.clone()));
            }
        }
        for (n, drug) in unit.iter().enumerate() {
            let end = unit.get(n + 1).map_or(to, |next| next.begin);
            reasons.clear();
            reason::behind(note, drug, end, &conditions, entities, &mut reasons);
            let before = if n == 0 { begin } else { unit.get(n - 1).map_or(begin, |d| d.end) };
            reasons.extend(reason::before_drug(note, drug, before, &conditions, entities));
            for &entity in &drug.entities {
                found.extend(reasons.iter().map(|r| (entity, r.clone())));
            }
        }
        done = to;
        number = behind.max(number + 1);
    }
    for (entity, attribute) in found {
        if let Some(entity) = entities.get_mut(entity as usize)
            && !(attribute.begin < entity.end && entity.begin < attribute.end)
        {
            entity.attributes.push(attribute);
        }
    }
}

/// The drugs of a note by begin; those that are one prescription together.
fn drugs(note: &Note<'_>, entities: &[Entity]) -> Vec<Drug> {
    let mut out: Vec<Drug> = entities
        .iter()
        .enumerate()
        .filter(|(_, e)| e.category == Category::Medication && !e.tokens.is_empty())
        .map(|(number, e)| Drug { entities: vec![number as u32], begin: e.tokens.start, end: e.tokens.end })
        .collect();
    out.sort_by_key(|d| (d.begin, std::cmp::Reverse(d.end)));
    let mut merged: Vec<Drug> = Vec::with_capacity(out.len());
    for drug in out {
        let Some(last) = merged.last_mut() else {
            merged.push(drug);
            continue;
        };
        if drug.begin < last.end {
            continue; // within another
        }
        let joint = last.end;
        // hydrocodone/APAP
        if drug.begin == joint + 1 && (note.mark(joint, b'/') || (note.mark(joint, b'-') && note.glued(joint) && note.glued(joint + 1))) {
            last.entities.extend(&drug.entities);
            last.end = drug.end;
            continue;
        }
        // acetaminophen (Tylenol): the name in parentheses is the same drug, what follows is told of the first
        if drug.begin == joint + 1 && note.mark(joint, b'(') && note.mark(drug.end, b')') {
            last.end = drug.end + 1;
            continue;
        }
        merged.push(drug);
    }
    merged
}

/// The tokens of tests with their results: no doses stand there.
fn taken(note: &Note<'_>, entities: &[Entity]) -> Vec<(u32, u32)> {
    let mut out: Vec<(u32, u32)> = entities
        .iter()
        .filter(|e| e.category == Category::TestTreatmentProcedure && !e.attributes.is_empty())
        .map(|e| {
            let end = e.attributes.iter().map(|a| a.end).max().unwrap_or(e.end).max(e.end);
            let last = e.tokens.end + note.tokens.get(e.tokens.end as usize..).unwrap_or(&[]).partition_point(|t| (t.begin as usize) < end) as u32;
            (e.tokens.start, last)
        })
        .collect();
    out.sort_unstable();
    // so that their ends rise too
    let mut end = 0;
    out.retain_mut(|t| {
        let keep = t.1 > end;
        t.0 = t.0.max(end);
        end = end.max(t.1);
        keep
    });
    out
}
