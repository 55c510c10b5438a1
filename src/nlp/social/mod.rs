//! Habits and circumstances: tobacco, alcohol, drugs, allergies that are denied, gender, race, employment, housing.
//!
//! For the step of context, which runs later: what is set here on `assertion` is what the words of the habit themselves say
//! ("never smoker", "nonsmoker", "former smoker", "Tobacco: none", "NKDA", "quit 2005"). Negation and history that stand
//! farther off ("denies tobacco or alcohol", "no drug use") are left to it; it must not set a negative or past entity of this
//! step back to positive or current.

mod allergy;
mod habit;
mod living;
mod person;
#[cfg(test)]
mod tests;
mod words;

use super::cover::{ATTRIBUTE, Cover};
use super::entity::{Attribute, AttributeKind, Category, Certainty, Entity, Kind, Origin};
use super::note::Note;
use super::token::Class;
use habit::{Amount, Habit};
use words::{Cue, Reader};

pub use words::cue_of;

/// So many tokens an amount may stand from its habit.
const REACH: u32 = 20;

/// Adds habits and circumstances to `entities`.
///
/// A substance that is a habit here ("drinks alcohol") was a drug before: it becomes one entity, a habit, with its concepts. A longer
/// condition ("alcohol withdrawal") stays as it is.
pub fn find(note: &Note<'_>, entities: &mut Vec<Entity>) {
    let mut r = Reader::new(note, Cover::new(note, entities));
    let mut new: Vec<Entity> = Vec::new();
    let mut habits: Vec<Habit> = Vec::new();
    let mut amounts: Vec<Amount> = Vec::new();
    let mut at = 0;
    while let Some(token) = note.tokens.get(at as usize) {
        if token.known.social == 0 && token.class != Class::Number {
            at += 1; // most words, marks
            continue;
        }
        at = at_token(&r, at, &mut new, &mut habits, &mut amounts).max(at + 1);
    }
    weave(&r, habits, amounts, &mut new);
    new.retain(|e| !r.cover.cuts(&e.tokens));
    for entity in &new {
        r.cover.take(entity.tokens.clone());
        for amount in entity.attributes.iter().filter(|a| a.kind == AttributeKind::Amount) {
            r.cover.take(note.tokens_in(amount.begin, amount.end));
        }
    }
    keep_concepts(entities, &mut new);
    r.cover.remove_taken(entities, |_| false);
    entities.append(&mut new);
}

fn entity(note: &Note<'_>, kind: Kind, begin: u32, end: u32) -> Entity {
    let end = end.min(note.tokens.len() as u32);
    Entity::new(note, Category::BehavioralEnvironmentalSocial, kind, begin..end, Origin::Pattern)
}

/// Looks at one token; the token to go on with.
fn at_token(r: &Reader, at: u32, new: &mut Vec<Entity>, habits: &mut Vec<Habit>, amounts: &mut Vec<Amount>) -> u32 {
    let note = r.note;
    if r.class(at) != Class::Word && r.class(at) != Class::Number {
        return at;
    }
    if (r.class(at) == Class::Number || matches!(r.cue(at), Cue::Number | Cue::Half | Cue::Couple | Cue::Article))
        && let Some(amount) = habit::amount(r, at)
        && !r.cover.any(amount.begin..amount.end, ATTRIBUTE)
    {
        let end = amount.end;
        amounts.push(amount);
        return end;
    }
    let spanned = |new: &mut Vec<Entity>, span: Option<(u32, u32, Kind)>| {
        span.map_or(at, |(begin, end, kind)| {
            new.push(entity(note, kind, begin, end));
            end
        })
    };
    match r.cue(at) {
        Cue::Nothing => at,
        Cue::Homeless | Cue::Housed => spanned(new, living::housed(r, at)),
        Cue::Idle => spanned(new, living::idle(r, at)),
        Cue::Lives => spanned(new, living::lives(r, at)),
        Cue::Works | Cue::Employed | Cue::Unemployed | Cue::Retired => spanned(new, living::works(r, at)),
        Cue::Nka | Cue::Allergies => allergy::denied(r, at).map_or(at, |(begin, end)| {
            let mut denied = entity(note, Kind::Allergies, begin, end);
            denied.assertion.certainty = Certainty::Negative;
            new.push(denied);
            end
        }),
        Cue::Male | Cue::Female | Cue::Letter | Cue::OldSex => person::sex(r, at).map_or(at, |p| people(note, p, new)),
        Cue::Race | Cue::Colour | Cue::RaceFirst => person::race(r, at).map_or(at, |p| people(note, p, new)),
        _ => habit::named(r, at).map_or(at, |habit| {
            let end = habit.end;
            habits.push(habit);
            end
        }),
    }
}

fn people(note: &Note<'_>, person: person::Person, new: &mut Vec<Entity>) -> u32 {
    let mut found = entity(note, person.kind, person.begin, person.end);
    found.value = person.value.map(str::to_owned);
    if person.last_letter {
        found.begin = found.end - 1;
    }
    new.push(found);
    person.end
}

/// Makes entities of habits, with the amounts that stand near; an amount without a habit is one itself ("1 ppd").
fn weave(r: &Reader, habits: Vec<Habit>, amounts: Vec<Amount>, new: &mut Vec<Entity>) {
    let note = r.note;
    let first = new.len();
    for habit in habits {
        // "drinks wine", "drinks multiple shots of alcohol": one habit
        let verb = |e: &Entity| matches!(r.cue(e.tokens.start), Cue::Drink | Cue::Drank | Cue::Smoke | Cue::Smoked);
        if let Some(last) = new[first..].last_mut()
            && last.kind == habit.kind
            && last.tokens.end + if verb(last) { 6 } else { 2 } > habit.begin
            && last.sentence == note.sentence_of(habit.begin)
            && (last.tokens.end..habit.begin).all(|t| matches!(r.class(t), Class::Word | Class::Number) && !r.is(t, "or") && !r.is(t, "and"))
            && last.assertion.temporality == habit.temporality
        {
            let wider = entity(note, habit.kind, last.tokens.start, habit.end);
            (last.end, last.tokens) = (wider.end, wider.tokens);
            continue;
        }
        let mut found = entity(note, habit.kind, habit.begin, habit.end);
        found.assertion.certainty = habit.certainty;
        found.assertion.temporality = habit.temporality;
        if let Some((begin, end)) = habit::vaguely(r, &habit) {
            attach(note, &mut found, AttributeKind::Frequency, begin, end, 0.9);
        }
        new.push(found);
    }
    let named = new.len();
    for amount in amounts {
        let sentence = note.sentence_of(amount.begin);
        let middle = first + new[first..named].partition_point(|e| e.tokens.start < amount.begin);
        let near = middle.saturating_sub(4).max(first)..(middle + 4).min(named);
        let gap = |e: &Entity| if e.tokens.start < amount.begin { amount.begin.saturating_sub(e.tokens.end) } else { e.tokens.start.saturating_sub(amount.end) };
        let owner = near.filter(|&n| new[n].kind == amount.kind && new[n].sentence == sentence && gap(&new[n]) <= REACH).min_by_key(|&n| gap(&new[n]));
        let owner = match owner {
            Some(owner) => owner,
            None => {
                // alone: another amount before it has it, "1 ppd, 20 pack years"
                match new.last() {
                    Some(last) if new.len() > named && last.kind == amount.kind && last.sentence == sentence => new.len() - 1,
                    _ => {
                        new.push(entity(note, amount.kind, amount.begin, amount.end));
                        new.len() - 1
                    }
                }
            }
        };
        let score = 0.95 - 0.02 * gap(&new[owner]) as f32;
        attach(note, &mut new[owner], AttributeKind::Amount, amount.begin, amount.end, score);
        if let Some((begin, end)) = amount.often {
            attach(note, &mut new[owner], AttributeKind::Frequency, begin, end, score);
        }
    }
}

fn attach(note: &Note<'_>, owner: &mut Entity, kind: AttributeKind, begin: u32, end: u32, relation_score: f32) {
    let (Some(first), Some(last)) = (note.tokens.get(begin as usize), end.checked_sub(1).and_then(|e| note.tokens.get(e as usize))) else { return };
    let (begin, end) = (first.begin as usize, last.end as usize);
    if owner.attributes.iter().any(|a| a.begin < end && begin < a.end) {
        return;
    }
    owner.attributes.push(Attribute { kind, begin, end, value: None, score: 1.0, relation_score });
}

/// Gives habits the concepts of the substances and conditions that they replace.
fn keep_concepts(entities: &[Entity], new: &mut [Entity]) {
    new.sort_by_key(|e| e.begin);
    for old in entities.iter().filter(|e| !e.concepts.is_empty()) {
        let place = new.partition_point(|e| e.end < old.end);
        if let Some(habit) = new.get_mut(place)
            && habit.begin <= old.begin
            && old.end <= habit.end
            && matches!(habit.kind, Kind::AlcoholConsumption | Kind::TobaccoUse | Kind::RecreationalDrugUse)
        {
            habit.concepts.extend_from_slice(&old.concepts);
        }
    }
}
