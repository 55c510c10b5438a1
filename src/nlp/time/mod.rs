//! Dates, times, durations, frequencies, and what they belong to.
//!
//! Values are in ISO 8601 as precise as the text: `2010-02-03`, `2010-02`, `2010`, `2010-W05`, `08:30`, `P3W`; from–to is
//! `2005/2010` and `P2D/P3D`; an age is the length of a life, `P40Y`; how often is `BID`, `Q6H`, `3/WK`. What counts from
//! the day of the note has a value only if that day is known; the nearest such day is meant, the last one of a weekday.

mod clock;
mod date;
mod duration;
mod relate;
mod relative;
#[cfg(test)]
mod tests;
mod value;
mod words;

pub use relate::relate;
pub use words::cue_of;

use std::ops::Range;

use super::cover::{ATTRIBUTE, Cover};
use super::entity::{Category, Entity, Kind, Origin};
use super::note::Note;
use super::token::Class;
use words::{Cue, Reader, Unit};

/// A time that was found.
#[derive(Clone, Debug, PartialEq)]
struct Found {
    /// tokens from–to
    begin: u32,
    end: u32,
    kind: Kind,
    value: Option<String>,
}

/// Adds the times of a note to `entities`.
///
/// What a medication or a result has as its attribute (a dose, its frequency, a value) is no time of its own, unless a date has more. A condition, drug
/// or test that lies wholly within a time ("fall 2019") goes; one that a time would cut ("24-hour urine") stays, without the time.
pub fn find(note: &Note<'_>, entities: &mut Vec<Entity>) {
    let mut reader = Reader::new(note, Cover::new(note, entities));
    let mut times = Vec::new();
    let mut wider: Vec<Range<u32>> = Vec::new();
    let mut at = 0;
    while (at as usize) < note.tokens.len() {
        let found = match note.tokens.get(at as usize) {
            Some(token) if token.class == Class::Number => numeric(&reader, at),
            Some(token) if token.known.time != 0 => word(&reader, at),
            _ => None, // most words, marks
        };
        let Some(found) = found.filter(|f| f.end > at && f.end as usize <= note.tokens.len()) else {
            at += 1;
            continue;
        };
        at = found.end;
        let tokens = found.begin..found.end;
        if reader.cover.cuts(&tokens) {
            continue;
        }
        if reader.cover.any(tokens.clone(), ATTRIBUTE) {
            // the "Thursday" of "last Thursday" is not how often
            if found.kind != Kind::Date || !reader.cover.exceeds_attributes(&tokens) {
                continue;
            }
            wider.push(tokens.clone());
        }
        reader.cover.take(tokens.clone());
        let mut entity = Entity::new(note, Category::TimeExpression, found.kind, tokens, Origin::Pattern);
        entity.value = found.value;
        times.push(entity);
    }
    reader.cover.remove_taken(entities, |_| false);
    if !wider.is_empty() {
        for attributes in entities.iter_mut().map(|e| &mut e.attributes) {
            attributes.retain(|a| {
                let tokens = note.tokens_in(a.begin, a.end);
                let place = wider.partition_point(|w| w.end <= tokens.start);
                wider.get(place).is_none_or(|w| w.start > tokens.start || tokens.end > w.end)
            });
        }
    }
    entities.append(&mut times);
}

fn numeric(r: &Reader, at: u32) -> Option<Found> {
    date::numeric(r, at)
        .or_else(|| clock::at(r, at))
        .or_else(|| date::day_month(r, at))
        .or_else(|| duration::counted(r, at))
        .or_else(|| date::year(r, at))
}

fn word(r: &Reader, at: u32) -> Option<Found> {
    match r.cue(at) {
        Cue::Nothing => None,
        Cue::Month(number, sure) => date::month(r, at, number, sure),
        Cue::Weekday(number, sure) => relative::weekday(r, at, number, sure),
        Cue::Weekdays | Cue::Schedule => schedule(r, at),
        Cue::Count(_) | Cue::Tens(_) | Cue::Vague | Cue::Couple | Cue::Half | Cue::Article => duration::counted(r, at),
        Cue::Ordinal(number) => ordinal(r, at, number),
        Cue::Past | Cue::Last | Cue::Next | Cue::This => relative::determined(r, at),
        Cue::Relative(days) => relative::day(r, at, days),
        Cue::Tonight => relative::day(r, at, 0),
        Cue::Part => clock::part(r, at),
        Cue::Oclock(hour) => clock::named(r, at, hour),
        Cue::Portion | Cue::Season => date::portion(r, at),
        Cue::Quarter(number) => date::quarter(r, at, number).or_else(|| duration::coded_q(r, at)),
        Cue::Every => duration::every(r, at),
        Cue::Once => duration::several(r, at, 1),
        Cue::Twice => duration::several(r, at, 2),
        Cue::Thrice => duration::several(r, at, 3),
        Cue::Adverb(unit) => duration::adverb(r, at, unit),
        Cue::Often(value) => Some(Found { begin: at, end: at + 1, kind: Kind::Frequency, value: Some(value.to_owned()) }),
        Cue::X => duration::after_x(r, at),
        Cue::Age => relative::age(r, at),
        Cue::Pod | Cue::Post | Cue::DayOf | Cue::Unit(Unit::Day | Unit::Week) => relative::day_of(r, at),
        Cue::Coded => coded(r, at),
        _ => None,
    }
}

/// "second of February", "third quarter of 2021".
fn ordinal(r: &Reader, at: u32, number: u8) -> Option<Found> {
    if r.note.is(at + 1, "quarter") && number <= 4 {
        return date::quarter(r, at, number);
    }
    date::day_month(r, at)
}

/// "MWF" and "Mondays" say how often.
fn schedule(r: &Reader, at: u32) -> Option<Found> {
    let is_plain = r.cue(at) == Cue::Weekdays || r.case(at) == super::token::Case::Upper;
    is_plain.then_some(Found { begin: at, end: at + 1, kind: Kind::Frequency, value: None })
}

/// Words with digits: q6h, x3d, POD2.
fn coded(r: &Reader, at: u32) -> Option<Found> {
    let word = r.note.word(at);
    match word.as_bytes().first().map(u8::to_ascii_lowercase) {
        Some(b'q') => duration::coded_q(r, at),
        Some(b'x') => duration::coded_x(r, at),
        Some(b'p') if word.len() <= 6 && word.get(..3).is_some_and(|p| p.eq_ignore_ascii_case("pod")) => relative::day_of(r, at),
        _ => None,
    }
}
