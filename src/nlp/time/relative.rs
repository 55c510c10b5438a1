//! Times that count from the note or an event: "yesterday", "last Tuesday", "the past 6 months", "this morning", "POD #2", "at age 40".

use chrono::{Datelike, Days, NaiveDate};

use super::Found;
use super::duration;
use super::value::{self, Calendar};
use super::words::{Cue, Reader, Unit};
use crate::nlp::entity::Kind;
use crate::nlp::token::{Case, Class};

fn date(begin: u32, end: u32, value: Option<String>) -> Option<Found> {
    Some(Found { begin, end, kind: Kind::Date, value })
}

fn days_from(date: Option<NaiveDate>, days: i64) -> Option<String> {
    let days_from = |date: NaiveDate| {
        let by = Days::new(days.unsigned_abs());
        if days < 0 { date.checked_sub_days(by) } else { date.checked_add_days(by) }
    };
    date.and_then(days_from).map(|day| Calendar::from(day).to_string())
}

/// "yesterday", "today", "tomorrow", "tonight", with the part of the day.
pub fn day(r: &Reader, at: u32, days: i8) -> Option<Found> {
    let end = if matches!(r.cue(at + 1), Cue::Part | Cue::Half24(_)) { at + 2 } else { at + 1 };
    date(at, end, days_from(r.note.date, days.into()))
}

/// The days from the note's day to a day of the week: the last one, today included, or the next one.
fn to_weekday(written: NaiveDate, weekday: u8, ahead: bool) -> i64 {
    let back = (i64::from(written.weekday().num_days_from_monday()) - i64::from(weekday)).rem_euclid(7);
    if ahead { 7 - back } else { -back }
}

/// A day of the week by itself, or with "on" or "since": the last one, or the next one where something is planned.
pub fn weekday(r: &Reader, at: u32, number: u8, sure: bool) -> Option<Found> {
    let before = r.cue_before(at);
    let led = matches!(before, Cue::On | Cue::Since | Cue::Preposition | Cue::Past | Cue::Last | Cue::Next | Cue::This | Cue::To);
    if !(sure && r.case(at) != Case::Lower || led && (sure || r.case(at) == Case::Title)) {
        return None;
    }
    let mut end = at + 1;
    if matches!(r.cue(end), Cue::Part) {
        end += 1;
    }
    let from = at.saturating_sub(8);
    let sentence = r.note.sentence_of(at);
    let ahead = (from..at).rev().take_while(|&t| r.note.sentence_of(t) == sentence).any(|t| matches!(r.cue(t), Cue::Ahead | Cue::Next));
    date(at, end, days_from(r.note.date, r.note.date.map_or(0, |written| to_weekday(written, number, ahead))))
}

/// "last Tuesday", "next month", "this morning", "the past 6 months", "last 2-3 weeks".
pub fn determined(r: &Reader, at: u32) -> Option<Found> {
    let which = r.cue(at);
    let mut behind = r.next(at);
    if matches!(which, Cue::Past | Cue::Last | Cue::Next) {
        // a length of time up to now
        if !matches!(r.cue(behind), Cue::Article | Cue::Half)
            && let Some(quantity) = duration::quantity(r, behind)
            && let Some((unit, end)) = duration::unit(r, if r.class(quantity.end) == Class::Line { r.next(quantity.end - 1) } else { quantity.end })
        {
            let value = if quantity.vague { None } else { value::duration(quantity.low, quantity.high, unit) };
            return Some(Found { begin: at, end, kind: Kind::Duration, value });
        }
        if which == Cue::Past && r.note.is(behind, "medical") {
            return None;
        }
    }
    let sign = match which {
        Cue::Past | Cue::Last => -1,
        Cue::Next => 1,
        _ => 0,
    };
    if which == Cue::This && r.note.is(behind, "past") {
        behind = r.next(behind);
    }
    let written = r.note.date;
    match r.cue(behind) {
        Cue::Weekday(number, _) => {
            let days = written.map(|written| match which {
                Cue::Next => to_weekday(written, number, true),
                Cue::This if !r.note.is(behind - 1, "past") => {
                    let back = to_weekday(written, number, false);
                    if back < -3 { back + 7 } else { back }
                }
                // "last Monday" on a Monday is a week ago
                _ => match to_weekday(written, number, false) {
                    0 => -7,
                    back => back,
                },
            });
            let end = if r.cue(behind + 1) == Cue::Part { behind + 2 } else { behind + 1 };
            date(at, end, days.and_then(|days| days_from(written, days)))
        }
        Cue::Unit(unit) => {
            // "over the past year": a length of time; "last year": a year
            let led = r.cue_before(at) == Cue::The && which != Cue::This || which == Cue::Past;
            if led && which != Cue::Next {
                return if which == Cue::This { None } else { Some(Found { begin: at, end: behind + 1, kind: Kind::Duration, value: value::duration(1.0, None, unit) }) };
            }
            let value = written.and_then(|written| match unit {
                Unit::Week => written.checked_add_signed(chrono::Duration::days(7 * sign)).map(value::week),
                Unit::Month => value::shifted(written, sign as f64, unit).map(|d| d.to_string()),
                Unit::Year => Some(Calendar::year(written.year() + sign as i32).to_string()),
                Unit::Day => days_from(Some(written), sign),
                _ => None,
            });
            if matches!(unit, Unit::Second | Unit::Minute) || which == Cue::This && matches!(unit, Unit::Hour | Unit::Day) {
                return None;
            }
            date(at, behind + 1, value)
        }
        Cue::Part | Cue::Half24(_) => {
            // last night was yesterday, this morning is today
            if which == Cue::Past {
                return None;
            }
            date(at, behind + 1, days_from(written, sign))
        }
        Cue::Season if which != Cue::Past && r.case(at) != Case::Upper && !r.note.is(behind, "fall") => date(at, behind + 1, None),
        Cue::Month(number, sure) if sure || r.case(behind) != Case::Lower => {
            if let Some(found) = super::date::month(r, behind, number, sure).filter(|f| f.end > behind + 1) {
                return Some(found);
            }
            let value = written.map(|written| {
                let passed = u32::from(number) < written.month() || (u32::from(number) == written.month() && which == Cue::This);
                let year = match which {
                    Cue::Next if passed => written.year() + 1,
                    Cue::Next | Cue::This => written.year(),
                    _ if passed => written.year(),
                    _ => written.year() - 1,
                };
                Calendar::month(year, number.into()).to_string()
            });
            date(at, behind + 1, value)
        }
        _ => None,
    }
}

/// "POD #2", "POD2", "post-op day 3", "hospital day #4", "day 3", "DOL 3": days counted from an event.
pub fn day_of(r: &Reader, at: u32) -> Option<Found> {
    let mut behind = at + 1;
    match r.cue(at) {
        Cue::Coded => return date(at, behind, None), // POD2
        Cue::Pod => {}
        Cue::Post => {
            if r.is_mark(behind, b'-') {
                behind += 1;
            }
            if r.cue(behind) != Cue::Op {
                return None;
            }
            behind = day_word(r, behind + 1)?;
        }
        Cue::DayOf => behind = day_word(r, behind)?,
        Cue::Unit(Unit::Day | Unit::Week) => {
            // "day 3", but not "days 3" or "3 day 2"
            if r.note.word(at).ends_with(['s', 'S']) {
                return None;
            }
        }
        _ => return None,
    }
    if r.is_mark(behind, b'#') || r.is_mark(behind, b'-') || r.is_mark(behind, b':') && r.cue(at) == Cue::Pod {
        behind += 1;
    }
    let (day, digits) = match r.cue(behind) {
        Cue::Count(n) => (u32::from(n), 1),
        _ => r.whole(behind)?,
    };
    if digits > 3 || day > 400 || (r.is_mark(behind + 1, b'/') && r.class(behind + 2) != Class::Number) {
        return None;
    }
    // "day 3 of 10", "day 3/7"
    let end = match (r.cue(behind + 1), r.is_mark(behind + 1, b'/')) {
        (Cue::Of, _) | (_, true) if r.whole(behind + 2).is_some() => behind + 3,
        (Cue::OrdinalEnding, _) if r.is_glued(behind + 1) => behind + 2,
        _ => behind + 1,
    };
    date(at, end, None)
}

fn day_word(r: &Reader, at: u32) -> Option<u32> {
    let at = if r.is_mark(at, b'-') { at + 1 } else { at };
    matches!(r.cue(at), Cue::Unit(Unit::Day | Unit::Week | Unit::Month)).then_some(at + 1)
}

/// "at age 40", "at the age of 40": since birth, as a length of time.
pub fn age(r: &Reader, at: u32) -> Option<Found> {
    let mut before = at;
    if r.cue_before(before) == Cue::The {
        before -= 1;
    }
    if !matches!(r.cue_before(before), Cue::At | Cue::Since | Cue::Preposition | Cue::Prior) {
        return None;
    }
    let number = if r.cue(at + 1) == Cue::Of { at + 2 } else { at + 1 };
    let quantity = duration::quantity(r, number).filter(|q| !q.vague && q.low > 0.0 && q.low < 120.0)?;
    let (unit, end) = duration::unit(r, quantity.end).unwrap_or((Unit::Year, quantity.end));
    date(at, end, value::duration(quantity.low, quantity.high, unit))
}
