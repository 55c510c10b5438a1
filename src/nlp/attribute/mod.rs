//! Laterality, severity, acuity and body sites of conditions and procedures.

mod words;

#[cfg(test)]
mod tests;

use super::entity::{Attribute, AttributeKind, Category, Entity, Kind, Origin};
use super::note::Note;
use super::token::Class;
use words::{Modifier, modifier};

pub use words::may_begin;

/// What can be told of: tokens and the number of the entity.
#[derive(Clone, Copy)]
struct Target {
    begin: u32,
    end: u32,
    number: u32,
    anatomy: bool,
}

/// How many tokens a word may stand from what it tells of.
const REACH: u32 = 6;

/// Adds what it finds to `entities`.
pub fn find(note: &Note<'_>, entities: &mut Vec<Entity>) {
    let mut targets: Vec<Target> = entities
        .iter()
        .enumerate()
        .filter(|(_, e)| match e.category {
            Category::MedicalCondition | Category::Anatomy => true,
            Category::TestTreatmentProcedure => e.kind == Kind::ProcedureName || e.attributes.is_empty(),
            _ => false,
        })
        .map(|(number, e)| Target { begin: e.tokens.start, end: e.tokens.end, number: number as u32, anatomy: e.category == Category::Anatomy })
        .collect();
    if targets.is_empty() {
        return;
    }
    targets.sort_unstable_by_key(|t| (t.begin, std::cmp::Reverse(t.end)));
    let sites = sites(note, entities, &targets);
    let mut found: Vec<(u32, Attribute)> = Vec::new();
    for &(condition, anatomy, relation) in &sites {
        if let Some(site) = entities.get(anatomy as usize) {
            found.push((condition, attribute(AttributeKind::BodySite, site.begin, site.end, None, relation)));
        }
    }
    let mut at = 0;
    let mut next = 0;
    while (at as usize) < note.tokens.len() {
        let Some(modifier) = modifier(note, at) else {
            at += 1;
            continue;
        };
        at = modifier.end.max(at + 1);
        while targets.get(next).is_some_and(|t| t.end <= modifier.begin) {
            next += 1;
        }
        let Some((target, relation)) = owner(note, &targets, next, &modifier, entities) else { continue };
        let made = || {
            attribute(modifier.kind, note.begin(modifier.begin), note.end(modifier.end), Some(modifier.value.clone()), relation)
        };
        found.push((target.number, made()));
        // the side of a site is the side of what is there
        if target.anatomy && modifier.kind == AttributeKind::Laterality {
            for site in sites.iter().filter(|s| s.1 == target.number) {
                found.push((site.0, made()));
            }
        }
    }
    for (number, attribute) in found {
        if let Some(entity) = entities.get_mut(number as usize)
            && !entity.attributes.iter().any(|a| a.kind == attribute.kind && a.begin < attribute.end && attribute.begin < a.end)
        {
            entity.attributes.push(attribute);
        }
    }
}

fn attribute(kind: AttributeKind, begin: usize, end: usize, value: Option<String>, relation: f32) -> Attribute {
    Attribute { kind, begin, end, value, score: 0.9, relation_score: relation }
}

/// Whether the tokens between a modifier and its target are only words that go on with it.
fn joined(note: &Note<'_>, from: u32, to: u32, more: bool) -> bool {
    (from..to).all(|t| match note.class(t) {
        Some(Class::Word) => {
            modifier(note, t).is_some()
                || ["of", "the", "to", "onset", "and", "or", "upper", "lower", "sided", "side", "lateral", "medial", "distal", "proximal", "anterior", "posterior", "type"]
                    .iter()
                    .any(|w| note.is(t, w))
                || (more && note.word(t).bytes().all(|b| b.is_ascii_lowercase()) && !["with", "without", "but", "no", "not", "was", "is"].iter().any(|w| note.is(t, w)))
        }
        Some(Class::Mark) => note.mark(t, b'-') || note.mark(t, b'/') || (note.mark(t, b',') && modifier(note, t + 1).is_some()),
        _ => false,
    })
}

/// What a modifier tells of: what it stands in, what follows it, or (for what may stand behind) what is before it.
fn owner<'t>(note: &Note<'_>, targets: &'t [Target], next: usize, modifier: &Modifier, entities: &[Entity]) -> Option<(&'t Target, f32)> {
    let sentence = note.sentence_of(modifier.begin);
    let fits = |t: &Target| !t.anatomy || modifier.kind == AttributeKind::Laterality;
    // within: a side always; "acute renal failure" is one name, "severe left ankle pain" was put together
    if let Some(target) = targets.get(next).filter(|t| t.begin <= modifier.begin && modifier.end <= t.end) {
        let composed = entities.get(target.number as usize).is_some_and(|e| e.origin == Origin::Composed);
        return (modifier.kind == AttributeKind::Laterality || composed).then_some((target, 0.95));
    }
    let behind = targets
        .iter()
        .skip(next)
        .take(4)
        .filter(|t| t.begin >= modifier.end && t.begin - modifier.end <= REACH && note.sentence_of(t.begin) == sentence)
        .find(|t| fits(t));
    if let Some(target) = behind {
        let gap = target.begin - modifier.end;
        // another part of the body in between belongs to the same: "severe left knee pain"
        let clear = targets.iter().skip(next).take(4).filter(|t| t.begin >= modifier.end && t.end <= target.begin).all(|t| t.anatomy);
        let near = joined(note, modifier.end, target.begin, gap <= 2) || (clear && gap <= 3 && covered(targets, next, modifier.end, target.begin, note));
        let letter = modifier.end == modifier.begin + 1 && note.word(modifier.begin).len() == 1;
        if near && !(letter && gap > 1) {
            return Some((target, 0.95 - 0.05 * gap as f32));
        }
    }
    let letter = modifier.end == modifier.begin + 1 && note.word(modifier.begin).len() == 1;
    let trailing = match modifier.kind {
        AttributeKind::Laterality => modifier.value == "bilateral" && !note.is(modifier.begin, "both"),
        _ => true,
    };
    if letter || !trailing {
        return None;
    }
    // "pain is sharp", "pain, 8/10", "rash bilaterally"
    let (before, target) = targets.get(..next)?.iter().enumerate().rev().take(4).find(|(_, t)| fits(t))?;
    let _ = before;
    let gap = modifier.begin.checked_sub(target.end)?;
    let told = (target.end..modifier.begin).all(|t| match note.class(t) {
        Some(Class::Word) => {
            modifier_word(note, t)
                || ["is", "was", "described", "as", "being", "and", "the", "rated", "at", "which", "a", "of", "that", "in", "left", "right", "his", "her"]
                    .iter()
                    .any(|w| note.is(t, w))
                || targets.iter().any(|o| o.anatomy && o.begin <= t && t < o.end)
        }
        Some(Class::Mark) => note.mark(t, b',') || note.mark(t, b'(') || note.mark(t, b':') || note.mark(t, b'-'),
        _ => false,
    });
    (gap <= REACH + 2 && told && note.sentence_of(target.begin) == sentence).then_some((target, 0.8 - 0.03 * gap as f32))
}

fn modifier_word(note: &Note<'_>, at: u32) -> bool {
    modifier(note, at).is_some()
}

/// Whether anatomy covers what stands between, but for words that go on.
fn covered(targets: &[Target], next: usize, from: u32, to: u32, note: &Note<'_>) -> bool {
    (from..to).all(|t| targets.iter().skip(next).take(4).any(|o| o.anatomy && o.begin <= t && t < o.end) || joined(note, t, t + 1, false))
}

/// Which condition or procedure is at which part of the body: right before it ("knee pain"), or behind a preposition ("pain in the left knee").
fn sites(note: &Note<'_>, entities: &[Entity], targets: &[Target]) -> Vec<(u32, u32, f32)> {
    let mut out = Vec::new();
    for (n, target) in targets.iter().enumerate() {
        if target.anatomy {
            // knee pain; the anatomy may stand within the condition
            let after = targets.get(n + 1).filter(|t| !t.anatomy && t.begin >= target.end && t.begin - target.end <= 1);
            if let Some(condition) = after
                && (condition.begin == target.end || note.mark(target.end, b'-'))
            {
                out.push((condition.number, target.number, 0.95));
            }
            continue;
        }
        let condition = entities.get(target.number as usize).is_some_and(|e| e.category != Category::TestTreatmentProcedure || e.kind == Kind::ProcedureName);
        if !condition {
            continue;
        }
        // the parts of the body within
        for inner in targets.iter().skip(n + 1).take(3).filter(|t| t.anatomy && t.begin >= target.begin && t.end <= target.end) {
            out.push((target.number, inner.number, 0.95));
        }
        // behind: "in the left knee", "on both arms and legs", "radiating to"
        let mut at = target.end;
        let mut prepositions = 0;
        while at < target.end + REACH {
            if let Some(site) = targets.iter().skip(n + 1).take(6).find(|t| t.begin == at) {
                if !site.anatomy || prepositions == 0 {
                    break;
                }
                out.push((target.number, site.number, 0.9 - 0.03 * (at - target.end) as f32));
                let mut more = site.end;
                while note.is(more, "and") || note.mark(more, b',') || note.mark(more, b'/') || note.is(more, "or") {
                    more += 1;
                    let Some(other) = targets.iter().skip(n + 1).take(8).find(|t| t.begin == more && t.anatomy) else { break };
                    out.push((target.number, other.number, 0.8));
                    more = other.end;
                }
                break;
            }
            if ["in", "on", "of", "over", "at", "to", "involving", "along", "around", "near", "from", "across"].iter().any(|w| note.is(at, w)) {
                prepositions += 1;
            } else if !(note.mark(at, b'-')
                || modifier_word(note, at)
                || ["the", "his", "her", "their", "a", "lower", "upper", "radiating", "localized", "located", "anterior", "posterior", "lateral", "medial", "distal", "proximal"]
                    .iter()
                    .any(|w| note.is(at, w)))
            {
                break;
            }
            at += 1;
        }
    }
    out
}
