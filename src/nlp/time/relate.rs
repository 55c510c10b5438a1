//! What a time belongs to: the nearest condition, medication, test or habit of its clause, and what is listed with that.

use std::ops::Range;
use std::sync::LazyLock;

use crate::nlp::entity::{Attribute, AttributeKind, Category, Entity, Kind};
use crate::nlp::note::Note;
use crate::nlp::token::Class;
use crate::nlp::vocabulary::Vocabulary;

/// So many neighbours are looked at on either side.
const NEIGHBOURS: usize = 6;
/// Farther than that a time belongs to nothing.
const FARTHEST: u32 = 30;
/// So many things of a list share a time.
const LISTED: usize = 8;

#[derive(Clone, Copy, PartialEq)]
enum Between {
    /// leads from a thing to its time, or the other way: for, on, since, of
    Leads,
    And,
    /// another statement begins: but, however
    Parts,
}

static BETWEEN: LazyLock<Vocabulary<Between>> = LazyLock::new(|| {
    let words = [
        ("for on in since of at during over within history hx from until x diagnosed dx'd dx started began onset last done performed done", Between::Leads),
        ("and or with plus", Between::And),
        ("but however although though while which when then except", Between::Parts),
    ];
    Vocabulary::new(words.into_iter().flat_map(|(words, kind)| words.split(' ').map(move |word| (word, kind))))
});

/// Gives each time to what it tells of.
pub fn relate(note: &Note<'_>, entities: &mut [Entity]) {
    let mut things: Vec<u32> = (0..entities.len() as u32).filter(|&e| has_times(&entities[e as usize])).collect();
    let is_sorted = things.is_sorted_by_key(|&e| entities[e as usize].begin);
    if !is_sorted {
        things.sort_by_key(|&e| entities[e as usize].begin);
    }
    for time in 0..entities.len() {
        if entities[time].category != Category::TimeExpression {
            continue;
        }
        let Some((place, cost)) = owner(note, entities, &things, time) else { continue };
        let score = (0.97 - 0.025 * cost as f32).clamp(0.3, 0.97);
        give(entities, time, things[place] as usize, score);
        for (nth, place) in listed(note, entities, &things, time, place).into_iter().enumerate() {
            give(entities, time, things[place] as usize, (score - 0.1 - 0.05 * nth as f32).max(0.3));
        }
    }
}

fn has_times(entity: &Entity) -> bool {
    use Category::*;
    let habit = matches!(entity.kind, Kind::AlcoholConsumption | Kind::TobaccoUse | Kind::RecreationalDrugUse | Kind::Employment | Kind::LivingStatus);
    matches!(entity.category, MedicalCondition | Medication | TestTreatmentProcedure) || habit
}

fn give(entities: &mut [Entity], time: usize, owner: usize, relation_score: f32) {
    let (begin, end, kind, value, score) = {
        let time = &entities[time];
        (time.begin, time.end, time.kind, time.value.clone(), time.score)
    };
    let owner = &mut entities[owner];
    let habit = owner.category == Category::BehavioralEnvironmentalSocial;
    let kind = match kind {
        Kind::Duration if habit => AttributeKind::Duration,
        Kind::Frequency if habit || owner.category == Category::Medication => AttributeKind::Frequency,
        _ => AttributeKind::Time,
    };
    // the step for habits may have it already
    if habit && owner.attributes.iter().any(|a| a.begin < end && begin < a.end) {
        return;
    }
    owner.attributes.push(Attribute { kind, begin, end, value, score, relation_score });
}

/// The thing that a time belongs to, as its place in `things`, and how far it is.
fn owner(note: &Note<'_>, entities: &[Entity], things: &[u32], time: usize) -> Option<(usize, u32)> {
    let span = &entities[time];
    let middle = things.partition_point(|&e| entities[e as usize].begin < span.begin);
    let before = (middle.saturating_sub(NEIGHBOURS)..middle).rev();
    let behind = middle..(middle + NEIGHBOURS).min(things.len());
    let mut best: Option<(usize, u32)> = None;
    for place in before.chain(behind) {
        let thing = &entities[things[place] as usize];
        if thing.sentence != span.sentence {
            continue;
        }
        let left = thing.begin < span.begin;
        let gap = if left { thing.tokens.end..span.tokens.start } else { span.tokens.end..thing.tokens.start };
        let cost = distance(note, gap, left);
        // an adjective: "2-week history of cough"
        let adjective = !left && note.words(span.tokens.clone()).contains('-') && span.kind == Kind::Duration;
        let cost = if adjective { cost.saturating_sub(3) } else { cost + u32::from(!left) };
        if cost <= FARTHEST && best.is_none_or(|(_, least)| cost < least) {
            best = Some((place, cost));
        }
    }
    best
}

/// How far apart two things are, by what stands between them.
fn distance(note: &Note<'_>, gap: Range<u32>, left: bool) -> u32 {
    if gap.end.saturating_sub(gap.start) > FARTHEST {
        return FARTHEST + 1;
    }
    let mut cost = 0;
    for at in gap {
        let Some(token) = note.tokens.get(at as usize) else { break };
        cost += match token.class {
            Class::Word => match BETWEEN.of(note.text, token) {
                Some(Between::Leads) => 0,
                Some(Between::And) => 3,
                Some(Between::Parts) => 10,
                None => 1,
            },
            Class::Number => 1,
            Class::Line => 2,
            Class::Mark => match token.mark {
                b',' => 3,
                b';' | b'.' => 15,
                b'(' if left => 0,
                b')' if left => 4,
                _ => 1,
            },
        };
    }
    cost
}

/// What is listed with an owner on the side away from the time: "nausea, vomiting and diarrhea for 3 days".
fn listed(note: &Note<'_>, entities: &[Entity], things: &[u32], time: usize, owner: usize) -> Vec<usize> {
    let mut out = Vec::new();
    let first = &entities[things[owner] as usize];
    if first.category != Category::MedicalCondition {
        return out;
    }
    let left = first.begin < entities[time].begin;
    // "HTN, CHF (2010)", "CHF 2010, HTN": only what leads through words is shared
    let gap = if left { first.tokens.end..entities[time].tokens.start } else { entities[time].tokens.end..first.tokens.start };
    let leads = gap.clone().any(|at| note.tokens.get(at as usize).and_then(|t| BETWEEN.of(note.text, t)) == Some(Between::Leads));
    let ago = entities[time].kind == Kind::Duration;
    if !(leads || ago) {
        return out;
    }
    let mut at = owner;
    while out.len() < LISTED {
        let next = if left { at.checked_sub(1) } else { Some(at + 1) };
        let Some((place, next)) = next.and_then(|place| things.get(place).map(|&e| (place, &entities[e as usize]))) else { break };
        let here = &entities[things[at] as usize];
        let gap = if left { next.tokens.end..here.tokens.start } else { here.tokens.end..next.tokens.start };
        let joined = gap.len() <= 3 && !gap.is_empty() && gap.clone().all(|at| is_list_joint(note, at));
        if next.category != first.category || next.sentence != first.sentence || !joined {
            break;
        }
        out.push(place);
        at = place;
    }
    out
}

fn is_list_joint(note: &Note<'_>, at: u32) -> bool {
    note.tokens.get(at as usize).is_some_and(|token| match token.class {
        Class::Word => note.is(at, "and") || note.is(at, "or"),
        Class::Mark => matches!(token.mark, b',' | b'/' | b'&'),
        Class::Line => true,
        Class::Number => false,
    })
}
