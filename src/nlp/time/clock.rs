//! Times of day: "8:30 am", "0830", "8 p.m.", "at noon", "in the morning".

use super::Found;
use super::words::{Cue, Reader};
use crate::nlp::entity::Kind;
use crate::nlp::token::Class;

fn time(begin: u32, end: u32, value: Option<String>) -> Option<Found> {
    Some(Found { begin, end, kind: Kind::Time, value })
}

/// Hours to add and the token behind: am, PM, a.m., p. m.
fn half(r: &Reader, at: u32) -> Option<(u8, u32)> {
    if let Cue::Half24(hours) = r.cue(at) {
        return Some((hours, at + 1));
    }
    let hours = match r.note.word(at) {
        "a" | "A" => 0,
        "p" | "P" => 12,
        _ => return None,
    };
    // a.m. and 8p
    if r.is_mark(at + 1, b'.') && matches!(r.note.word(at + 2), "m" | "M") {
        return Some((hours, if r.is_mark(at + 3, b'.') && r.is_glued(at + 3) { at + 4 } else { at + 3 }));
    }
    (r.is_glued(at) && !r.is_glued(at + 1)).then_some((hours, at + 1))
}

/// The hour of 24 from one of 12 and its half.
fn of_24(hour: u32, half: u8) -> Option<u32> {
    match (hour, half) {
        (12, half) => Some(u32::from(half)),
        (1..=11, half) => Some(hour + u32::from(half)),
        _ => None,
    }
}

fn led(r: &Reader, at: u32) -> bool {
    matches!(r.cue_before(at), Cue::At | Cue::Preposition | Cue::Since | Cue::To) || r.is_mark_before(at, b'@')
}

/// A time that begins with a number.
pub fn at(r: &Reader, at: u32) -> Option<Found> {
    let (hour, digits) = r.whole(at)?;
    if digits == 4 {
        return military(r, at, hour);
    }
    if digits > 2 || hour > 24 {
        return None;
    }
    if r.is_mark(at + 1, b':') && r.is_glued(at + 1) && r.is_glued(at + 2) {
        let (minute, digits) = r.whole(at + 2)?;
        if digits != 2 || minute > 59 || r.is_mark_before(at, b':') && r.is_glued(at) {
            return None;
        }
        let mut end = at + 3;
        if r.is_mark(end, b':') && r.is_glued(end) && r.whole(end + 1).is_some_and(|(second, digits)| digits == 2 && second < 60) {
            end += 2;
        }
        if r.is_mark(end, b':') && r.is_glued(end) {
            return None;
        }
        if let Some((hours, behind)) = half(r, end) {
            let hour = of_24(hour, hours).unwrap_or(hour);
            return time(at, behind, Some(format!("{hour:02}:{minute:02}")));
        }
        // 1:40 is a dilution
        if hour == 1 && digits_of(r, at) == 1 && !led(r, at) || hour > 23 || r.cue(end) == Cue::Measure {
            return None;
        }
        return time(at, end, Some(format!("{hour:02}:{minute:02}")));
    }
    if let Some((hours, behind)) = half(r, at + 1)
        && let Some(hour) = of_24(hour, hours)
        && !r.is_mark_before(at, b'/')
    {
        // "5 am" is fine, "5 a" must have been glued
        return time(at, behind, Some(format!("{hour:02}:00")));
    }
    if r.cue(at + 1) == Cue::OclockWord {
        return time(at, at + 2, None);
    }
    None
}

fn digits_of(r: &Reader, at: u32) -> usize {
    r.whole(at).map_or(0, |(_, digits)| digits)
}

/// 0830: with "at" before or "hrs" behind.
fn military(r: &Reader, at: u32, number: u32) -> Option<Found> {
    let (hour, minute) = (number / 100, number % 100);
    if hour > 23 || minute > 59 {
        return None;
    }
    let hours = matches!(r.cue(at + 1), Cue::Unit(super::words::Unit::Hour)) || (r.note.word(at + 1) == "h" && r.is_glued(at + 1));
    let leading = r.note.word(at).starts_with('0');
    // years also stand behind "around"
    let at_word = r.cue_before(at) == Cue::At || r.is_mark_before(at, b'@') || (leading && led(r, at));
    // a line of a chart: "0830: given"
    let chart = leading && r.begins_line(at) && (r.is_mark(at + 1, b':') || r.is_mark(at + 1, b'-'));
    if !(hours || at_word || chart) || matches!(r.cue(at + 1), Cue::Measure) || r.is_glued(at + 1) && r.class(at + 1) == Class::Word && !hours {
        return None;
    }
    let end = if hours { at + 2 } else { at + 1 };
    time(at, end, Some(format!("{hour:02}:{minute:02}")))
}

/// "noon", "midnight".
pub fn named(r: &Reader, at: u32, hour: u8) -> Option<Found> {
    let begin = if r.note.is(at.wrapping_sub(1), "12") { at - 1 } else { at };
    time(begin, at + 1, Some(format!("{hour:02}:00")))
}

/// "in the morning", "at night", "at bedtime".
pub fn part(r: &Reader, at: u32) -> Option<Found> {
    let before = at.checked_sub(1)?;
    match r.cue(before) {
        Cue::The if r.cue_before(before) == Cue::In => time(at, at + 1, None),
        Cue::At if r.note.is(at, "night") => time(at, at + 1, None),
        _ => None,
    }
}
