//! Lengths of time and what is counted in them: "2-3 days", "a couple of weeks", "3 weeks ago", "x 3 days", "in 2 weeks".

use super::Found;
use super::value;
use super::words::{Cue, Reader, Unit};
use crate::nlp::entity::Kind;
use crate::nlp::token::{Case, Class};

/// A number in a text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quantity {
    pub low: f64,
    pub high: Option<f64>,
    /// "few": there is no number
    pub vague: bool,
    /// the token behind
    pub end: u32,
}

fn exactly(low: f64, end: u32) -> Option<Quantity> {
    Some(Quantity { low, high: None, vague: false, end })
}

/// One number, in digits or in words: 3, 1.5, 1/2, 1 1/2, twenty-five. The number and the token behind.
fn number(r: &Reader, at: u32) -> Option<(f64, u32)> {
    match r.cue(at) {
        Cue::Count(n) => return Some((n.into(), at + 1)),
        Cue::Tens(n) => {
            let unit = if r.is_mark(at + 1, b'-') { at + 2 } else { at + 1 };
            return Some(match r.cue(unit) {
                Cue::Count(one) if one < 10 => (f64::from(n) + f64::from(one), unit + 1),
                _ => (n.into(), at + 1),
            });
        }
        _ => {}
    }
    if r.class(at) != Class::Number {
        return None;
    }
    let text = r.note.word(at);
    if text.len() > 7 || !text.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
        return None;
    }
    let whole: f64 = text.parse().ok()?;
    let fraction = |at: u32| {
        let ((top, _), (bottom, _)) = (r.whole(at)?, r.whole(at + 2)?);
        let is_fraction = r.is_mark(at + 1, b'/') && r.is_glued(at + 1) && r.is_glued(at + 2) && top < bottom && (2..=4).contains(&bottom);
        is_fraction.then(|| f64::from(top) / f64::from(bottom))
    };
    if let Some(part) = fraction(at) {
        return Some((part, at + 3));
    }
    if let Some(part) = fraction(at + 1)
        && whole.fract() == 0.0
    {
        return Some((whole + part, at + 4));
    }
    Some((whole, at + 1))
}

/// A number or a range of them, or what stands for one: "a couple of", "several", "half an".
pub fn quantity(r: &Reader, at: u32) -> Option<Quantity> {
    match r.cue(at) {
        Cue::Vague => return Some(Quantity { low: 0.0, high: None, vague: true, end: at + 1 }),
        Cue::Couple => return exactly(2.0, if r.cue(at + 1) == Cue::Of { at + 2 } else { at + 1 }),
        Cue::Half => return exactly(0.5, if r.cue(at + 1) == Cue::Article { at + 2 } else { at + 1 }),
        Cue::Article => {
            return match r.cue(at + 1) {
                Cue::Vague | Cue::Couple => quantity(r, at + 1),
                Cue::Half if r.cue(at + 2) != Cue::Unit(Unit::Hour) || r.is_mark(at + 2, b'-') => None,
                Cue::Unit(_) | Cue::Half => exactly(if r.cue(at + 1) == Cue::Half { 0.5 } else { 1.0 }, if r.cue(at + 1) == Cue::Half { at + 2 } else { at + 1 }),
                _ => None,
            };
        }
        _ => {}
    }
    let (low, end) = number(r, at)?;
    // "2 (two) weeks", "two (2) weeks"
    if r.is_mark(end, b'(') && r.is_mark(end + 2, b')') && number(r, end + 1).is_some_and(|(again, _)| again == low) {
        return exactly(low, end + 3);
    }
    if r.cue(end) == Cue::And && r.cue(end + 1) == Cue::Article && r.cue(end + 2) == Cue::Half {
        return exactly(low + 0.5, end + 3);
    }
    let between = r.is_mark(end, b'-') || r.cue(end) == Cue::To;
    if between
        && let Some((high, end)) = number(r, end + 1)
        && high > low
    {
        return Some(Quantity { low, high: Some(high), vague: false, end });
    }
    exactly(low, end)
}

/// A unit at a token, perhaps with a hyphen before. The unit and the token behind.
pub fn unit(r: &Reader, at: u32) -> Option<(Unit, u32)> {
    let hyphen = r.is_mark(at, b'-') && r.is_glued(at + 1);
    let at = if hyphen { at + 1 } else { at };
    match r.cue(at) {
        // "BP 124/71 HR 70"
        Cue::Unit(_) if r.case(at) == Case::Upper && r.note.is(at, "hr") && (r.class(at + 1) == Class::Number || r.is_mark(at + 1, b':')) => None,
        Cue::Unit(unit) => Some((unit, at + 1)),
        // "5w" may be a ward
        Cue::Letter(Unit::Week) if r.cue(at + 1) != Cue::Ago && !matches!(r.cue_before(at.saturating_sub(1)), Cue::For | Cue::X | Cue::Past | Cue::Last) => None,
        Cue::Letter(unit) if r.is_glued(at) && !hyphen && r.case(at) == Case::Lower => Some((unit, at + 1)),
        _ => None,
    }
}

/// What begins with a number and is counted in units of time.
pub fn counted(r: &Reader, at: u32) -> Option<Found> {
    if r.is_glued(at) && [b'/', b'+', b':', b'.'].iter().any(|&mark| r.is_mark_before(at, mark)) {
        return None;
    }
    // "40.8 ± 12.1 years", "40.8 +/- 12.1 years", "kg-1 min-1" of a paper
    let before = at.checked_sub(1).map_or("", |t| r.note.word(t));
    let minus = r.is_mark_before(at, b'-') && at >= 2;
    if before == "±" || minus && (r.is_mark(at - 2, b'/') || r.is_glued(at) && r.class(at - 2) == Class::Word && r.is_glued(at - 1)) {
        return None;
    }
    if let Some(found) = gestation(r, at) {
        return Some(found);
    }
    let quantity = quantity(r, at)?;
    let mut wrap = quantity.end;
    if r.class(wrap) == Class::Line && wrap > 0 {
        wrap = r.next(wrap - 1);
    }
    if let Some(found) = times(r, at, quantity) {
        return Some(found);
    }
    // "5 more days", "3 full weeks"
    if ["more", "full", "whole", "consecutive", "additional", "straight", "solid"].iter().any(|w| r.note.is(wrap, w)) {
        wrap += 1;
    }
    // "3 nights": a duration by nights
    if r.cue(wrap) == Cue::Part && r.note.word(wrap).len() == 6 && r.note.is(wrap, "nights") {
        let value = if quantity.vague { None } else { value::duration(quantity.low, quantity.high, Unit::Day) };
        return Some(Found { begin: at, end: wrap + 1, kind: Kind::Duration, value });
    }
    let (unit, end) = unit(r, wrap)?;
    let article = r.cue(at) == Cue::Article && r.cue(at + 1) != Cue::Vague && r.cue(at + 1) != Cue::Couple && r.cue(at + 1) != Cue::Half;
    behind(r, at, quantity, unit, end, article)
}

/// "25+1 weeks", "38 2/7 weeks": weeks and days of a pregnancy.
fn gestation(r: &Reader, at: u32) -> Option<Found> {
    let (weeks, _) = r.whole(at).filter(|&(weeks, digits)| digits == 2 && weeks < 45)?;
    // 32w4d
    if let [b'w' | b'W', days @ b'0'..=b'6', b'd' | b'D'] = r.note.word(at + 1).as_bytes()
        && r.is_glued(at + 1)
    {
        return Some(Found { begin: at, end: at + 2, kind: Kind::Duration, value: Some(format!("P{}D", weeks * 7 + u32::from(days - b'0'))) });
    }
    let (days, behind) = if r.is_mark(at + 1, b'+') && r.is_glued(at + 1) {
        (r.whole(at + 2)?.0, at + 3)
    } else if r.is_mark(at + 2, b'/') && r.whole(at + 3) == Some((7, 1)) {
        (r.whole(at + 1)?.0, at + 4)
    } else {
        return None;
    };
    // the sevenths may stand behind the plus: 25+1/7
    let behind = if r.is_mark(behind, b'/') && r.whole(behind + 1) == Some((7, 1)) { behind + 2 } else { behind };
    let (Unit::Week, end) = unit(r, behind)? else { return None };
    (days < 7).then(|| Found { begin: at, end, kind: Kind::Duration, value: Some(format!("P{}D", weeks * 7 + days)) })
}

/// What stands behind a length of time tells what it is.
fn behind(r: &Reader, at: u32, quantity: Quantity, unit: Unit, end: u32, article: bool) -> Option<Found> {
    let after = if r.class(end) == Class::Line { r.next(end - 1) } else { end };
    let found = |end: u32, kind: Kind, value: Option<String>| Some(Found { begin: at, end, kind, value });
    let shifted = |sign: f64| {
        let from = r.note.date.filter(|_| !quantity.vague)?;
        let one = value::shifted(from, sign * quantity.low, unit)?;
        match quantity.high {
            None => Some(one.to_string()),
            Some(high) => {
                let other = value::shifted(from, sign * high, unit)?;
                Some(if sign < 0.0 { format!("{other}/{one}") } else { format!("{one}/{other}") })
            }
        }
    };
    match r.cue(after) {
        Cue::Ago => return found(after + 1, Kind::Date, shifted(-1.0)),
        // an age: the step for persons has it
        Cue::Old => return None,
        Cue::Of if matches!(r.cue(after + 1), Cue::Age) => return None,
        Cue::Prior => {
            let mut end = after + 1;
            // "prior to admission": from when is not known
            if r.cue(end) == Cue::To || r.note.is(after, "before") {
                let mut event = if r.cue(end) == Cue::To { end + 1 } else { end };
                if matches!(r.cue(event), Cue::The | Cue::This) {
                    event += 1;
                }
                if r.cue(event) == Cue::Event {
                    end = event + 1;
                    return found(end, Kind::Date, None);
                }
                if r.cue(end) == Cue::To {
                    return found(end, Kind::Date, None);
                }
                return found(after + 1, Kind::Date, None);
            }
            return found(end, Kind::Date, shifted(-1.0));
        }
        Cue::Pta => return found(after + 1, Kind::Date, None),
        Cue::Later => return found(after + 1, Kind::Date, None),
        Cue::Post if r.is_mark(after + 1, b'-') && r.cue(after + 2) == Cue::Op => return found(after + 3, Kind::Date, None),
        Cue::Post if r.cue(after + 1) == Cue::Op => return found(after + 2, Kind::Date, None),
        Cue::DayOf if !r.note.is(after, "hospital") => return found(after + 1, Kind::Date, None),
        Cue::Preposition | Cue::Post if r.note.is(after, "post") && r.cue(after + 1) == Cue::Event => return found(after + 2, Kind::Date, None),
        _ => {}
    }
    if r.note.is(after, "y") && r.is_mark(after + 1, b'/') || (r.is_mark(after, b'-') && matches!(r.cue(after + 1), Cue::Old)) {
        return None;
    }
    if matches!(unit, Unit::Year) && r.is_mark(after, b'/') && r.note.is(after + 1, "o") || (unit == Unit::Year && matches!(r.note.word(after), "o" | "F" | "M" | "f" | "m")) {
        return None;
    }
    if r.note.is(after, "from") && r.note.is(after + 1, "now") {
        return found(after + 2, Kind::Date, shifted(1.0));
    }
    if r.note.is(after, "after") && r.cue(after + 1) == Cue::Event {
        return found(after + 2, Kind::Date, None);
    }
    let before = r.cue_before(at);
    if before == Cue::In && is_ahead(r, at) {
        return found(end, Kind::Date, shifted(1.0));
    }
    if article && !matches!(before, Cue::For | Cue::In | Cue::Preposition | Cue::X | Cue::Since) {
        return None; // "once a day", "a day with pain"
    }
    // "4 hours" of a rate "per 4 hours" is a frequency with its "every"
    let value = if quantity.vague { None } else { value::duration(quantity.low, quantity.high, unit) };
    found(end, Kind::Duration, value)
}

/// Whether a word of what is planned stands shortly before: "follow up in 2 weeks".
fn is_ahead(r: &Reader, at: u32) -> bool {
    let from = at.saturating_sub(10);
    let sentence = r.note.sentence_of(at);
    (from..at).rev().take_while(|&t| r.note.sentence_of(t) == sentence).any(|t| r.cue(t) == Cue::Ahead || (r.note.is(t, "f") && r.is_mark(t + 1, b'/')))
}

/// "x 3 days", "x3 days", "x3d".
pub fn after_x(r: &Reader, at: u32) -> Option<Found> {
    let quantity = quantity(r, at + 1)?;
    let (unit, end) = unit(r, quantity.end)?;
    if r.cue(end) == Cue::Old {
        return None;
    }
    let value = if quantity.vague { None } else { value::duration(quantity.low, quantity.high, unit) };
    Some(Found { begin: at, end, kind: Kind::Duration, value })
}

/// "3 times a day", "3x/day", "3 x weekly", "2 times per week", "once every 3 weeks".
fn times(r: &Reader, at: u32, quantity: Quantity) -> Option<Found> {
    let x = quantity.end;
    if !matches!(r.cue(x), Cue::Times | Cue::X) || quantity.vague && r.cue(x) == Cue::X {
        return None;
    }
    per(r, at, x + 1, quantity.low, quantity.high, quantity.vague)
}

/// "once", "twice" and what follows: daily, a week, per month.
pub fn several(r: &Reader, at: u32, number: u8) -> Option<Found> {
    per(r, at, at + 1, number.into(), None, false)
}

fn per(r: &Reader, begin: u32, at: u32, low: f64, high: Option<f64>, vague: bool) -> Option<Found> {
    let skip = if r.is_mark(at, b'-') || r.is_mark(at, b'/') { at + 1 } else { at };
    let (unit, end) = match r.cue(skip) {
        Cue::Adverb(unit) => (unit, skip + 1),
        Cue::Often("QHS") => (Unit::Day, skip + 1),
        Cue::Article | Cue::Per => match r.cue(skip + 1) {
            Cue::Unit(unit) => (unit, skip + 2),
            Cue::Part => (Unit::Day, skip + 2),
            _ => return None,
        },
        Cue::Every => {
            let rest = every(r, skip)?;
            let value = if low == 1.0 && high.is_none() && !vague { rest.value } else { None };
            return Some(Found { begin, end: rest.end, kind: Kind::Frequency, value });
        }
        Cue::Unit(unit) if skip > at => (unit, skip + 1),
        Cue::Letter(unit) if skip > at && r.is_glued(skip) => (unit, skip + 1),
        _ => return None,
    };
    let value = if vague { None } else { Some(often(low, high, unit)) };
    Some(Found { begin, end, kind: Kind::Frequency, value })
}

/// The normal form of so many times in a unit.
fn often(low: f64, high: Option<f64>, unit: Unit) -> String {
    match (unit, low, high) {
        (Unit::Day, 1.0, None) => "QD".to_owned(),
        (Unit::Day, 2.0, None) => "BID".to_owned(),
        (Unit::Day, 3.0, None) => "TID".to_owned(),
        (Unit::Day, 4.0, None) => "QID".to_owned(),
        (_, 1.0, None) => format!("Q{}", letter(unit)),
        (_, low, None) => format!("{}/{}", value::number(low), letter(unit)),
        (_, low, Some(high)) => format!("{}-{}/{}", value::number(low), value::number(high), letter(unit)),
    }
}

fn letter(unit: Unit) -> &'static str {
    match unit {
        Unit::Second => "SEC",
        Unit::Minute => "MIN",
        Unit::Hour => "H",
        Unit::Day => "D",
        Unit::Week => "WK",
        Unit::Month => "MO",
        Unit::Year => "Y",
        Unit::Decade => "10Y",
    }
}

/// "daily", "weekly": but not "activities of daily living".
pub fn adverb(r: &Reader, at: u32, unit: Unit) -> Option<Found> {
    if r.note.is(at + 1, "living") || r.note.is(at + 1, "activities") || r.note.is(at + 1, "life") {
        return None;
    }
    let value = if unit == Unit::Day { "QD".to_owned() } else { format!("Q{}", letter(unit)) };
    Some(Found { begin: at, end: at + 1, kind: Kind::Frequency, value: Some(value) })
}

/// "every 6 hours", "every other day", "every 4-6 hrs", "each morning", "every Monday", "q 8 h", "q week".
pub fn every(r: &Reader, at: u32) -> Option<Found> {
    let found = |end: u32, value: Option<String>| Some(Found { begin: at, end, kind: Kind::Frequency, value });
    let behind = at + 1;
    match r.cue(behind) {
        Cue::Unit(unit) => return found(behind + 1, Some(if unit == Unit::Day { "QD".into() } else { format!("Q{}", letter(unit)) })),
        Cue::Other => {
            let Cue::Unit(unit) = r.cue(behind + 1) else {
                return if r.cue(behind + 1) == Cue::Part { found(behind + 2, Some("QOD".into())) } else { None };
            };
            return found(behind + 2, Some(if unit == Unit::Day { "QOD".into() } else { format!("Q2{}", letter(unit)) }));
        }
        Cue::Part => {
            let part = match r.note.word(behind).as_bytes().first().map(u8::to_ascii_lowercase) {
                Some(b'm') => "QAM",
                Some(b'n') => "QHS",
                _ => "QPM",
            };
            return found(behind + 1, Some(part.into()));
        }
        Cue::Weekday(..) | Cue::Weekdays => return found(behind + 1, Some("QWK".into())),
        Cue::Vague | Cue::Couple => {
            let quantity = quantity(r, behind)?;
            let (_, end) = unit(r, quantity.end)?;
            return found(end, None);
        }
        Cue::Ordinal(2) => return if let Cue::Unit(Unit::Day) = r.cue(behind + 1) { found(behind + 2, Some("QOD".into())) } else { None },
        Cue::Ordinal(n) => {
            let Cue::Unit(unit) = r.cue(behind + 1) else { return None };
            return found(behind + 2, Some(format!("Q{n}{}", letter(unit))));
        }
        _ => {}
    }
    let quantity = quantity(r, behind)?;
    let (unit, end) = match (unit(r, quantity.end), r.cue(quantity.end)) {
        (Some(found), _) => found,
        // "q 8 h"
        (None, Cue::Letter(unit)) if r.case(quantity.end) == Case::Lower => (unit, quantity.end + 1),
        _ => return None,
    };
    found(end, Some(interval(quantity.low, quantity.high, unit)))
}

fn interval(low: f64, high: Option<f64>, unit: Unit) -> String {
    match high {
        Some(high) => format!("Q{}-{}{}", value::number(low), value::number(high), letter(unit)),
        None => format!("Q{}{}", value::number(low), letter(unit)),
    }
}

/// "q6h", "q4-6h", "q8hrs", "q2wks": a word with digits.
pub fn coded_q(r: &Reader, at: u32) -> Option<Found> {
    let rest = r.note.word(at).get(1..)?;
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    if digits == 0 || digits > 2 {
        return None;
    }
    let low: f64 = rest.get(..digits)?.parse().ok()?;
    let letters = rest.get(digits..)?;
    let of = |letters: &str| match letters.to_ascii_lowercase().as_str() {
        "h" | "hr" | "hrs" | "hours" | "hour" | "hs" => Some(Unit::Hour),
        "d" | "day" | "days" => Some(Unit::Day),
        "w" | "wk" | "wks" | "weeks" | "week" => Some(Unit::Week),
        "mo" | "month" | "months" | "mos" => Some(Unit::Month),
        "min" | "mins" | "m" => Some(Unit::Minute),
        _ => None,
    };
    let found = |end: u32, high: Option<f64>, unit: Unit| Some(Found { begin: at, end, kind: Kind::Frequency, value: Some(interval(low, high, unit)) });
    if !letters.is_empty() {
        return of(letters).and_then(|unit| found(at + 1, None, unit));
    }
    // q4-6h, q8 hours, q6-8 hrs
    let (high, end) = if r.is_mark(at + 1, b'-') { r.whole(at + 2).map(|(n, _)| (Some(f64::from(n)), at + 3))? } else { (None, at + 1) };
    let (unit, end) = unit(r, end)?;
    found(end, high, unit)
}

/// "x3d", "x3" with "days" behind: a word with digits.
pub fn coded_x(r: &Reader, at: u32) -> Option<Found> {
    let rest = r.note.word(at).get(1..)?;
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    if digits == 0 || digits > 3 {
        return None;
    }
    let low: f64 = rest.get(..digits)?.parse().ok()?;
    let (unit, end) = match rest.get(digits..)?.to_ascii_lowercase().as_str() {
        "" => {
            let (high, end) = match (r.is_mark(at + 1, b'-'), r.whole(at + 2)) {
                (true, Some((high, _))) => (Some(f64::from(high)), at + 3),
                _ => (None, at + 1),
            };
            let (unit, end) = unit(r, end)?;
            return Some(Found { begin: at, end, kind: Kind::Duration, value: value::duration(low, high, unit) });
        }
        "d" | "days" | "day" => (Unit::Day, at + 1),
        "h" | "hrs" | "hr" | "hours" => (Unit::Hour, at + 1),
        "wk" | "wks" | "w" | "weeks" | "week" => (Unit::Week, at + 1),
        "mo" | "mos" | "months" => (Unit::Month, at + 1),
        "y" | "yr" | "yrs" | "years" => (Unit::Year, at + 1),
        _ => return None,
    };
    Some(Found { begin: at, end, kind: Kind::Duration, value: value::duration(low, None, unit) })
}
