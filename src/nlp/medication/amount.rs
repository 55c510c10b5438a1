//! How much: "25 mg", "40-80 mg", "5/325", "250 mg/5 mL", "2 tablets", "12 units/kg/hr", "125 mL/hr", "1%".

use super::piece::Piece;
use super::vocabulary::{Measure, Span, sense_at};
use crate::nlp::entity::AttributeKind;
use crate::nlp::note::Note;
use crate::nlp::number::{Number, number};
use crate::nlp::token::{Case, Class};

/// What stands below a stroke.
struct Below {
    end: u32,
    name: String,
    /// per unit of time: a rate, or per day
    span: Option<Span>,
    /// per body weight
    body: bool,
}

/// "/kg/hr", "/5 mL", " per mL", "/day" behind a unit.
fn below(note: &Note<'_>, at: u32) -> Option<Below> {
    let mut found = Below { end: at, name: String::new(), span: None, body: false };
    for _ in 0..3 {
        let mut next = found.end;
        if note.mark(next, b'/') || note.is(next, "per") {
            next += 1;
        } else {
            break;
        }
        let mut count = String::new();
        if note.class(next) == Some(Class::Number) {
            count = format!("{} ", note.word(next));
            next += 1;
        }
        let sense = sense_at(note, next);
        let word = note.word(next);
        if let Some(span) = sense.span.filter(|_| !matches!(word, "m" | "M")) {
            let name = match span {
                Span::Hour => "h",
                Span::Minute => "min",
                Span::Second => "s",
                Span::Day => "d",
                Span::Week => "wk",
                Span::Month => "mo",
                Span::Year => "a",
            };
            found.span = Some(if count == "24 " { Span::Day } else { span });
            found.name.push_str(&format!("/{count}{name}"));
        } else if let Some((name, measure)) = sense.unit {
            found.body |= measure == Measure::Body;
            found.name.push_str(&format!("/{count}{name}"));
        } else {
            break;
        }
        found.end = next + 1;
    }
    (found.end > at).then_some(found)
}

/// The unit at a token.
fn unit(note: &Note<'_>, at: u32, glued: bool) -> Option<(u32, &'static str, Measure)> {
    if note.mark(at, b'%') {
        return Some((at + 1, "%", Measure::Percent));
    }
    if note.is(at, "million") && note.is(at + 1, "units") {
        return Some((at + 2, "million units", Measure::Units));
    }
    let word = note.word(at);
    let (name, measure) = sense_at(note, at).unit?;
    // letters that mean something else when they stand alone: "4 L" is litres, "2 g" grams; "4 u" hardly units
    if word.len() == 1 && !glued && !matches!(word, "g" | "G" | "L" | "l" | "U") {
        return None;
    }
    if measure == Measure::Count && note.is(at, "act") {
        return None;
    }
    Some((at + 1, name, measure))
}

/// The amount that begins at a token.
pub fn amount(note: &Note<'_>, at: u32) -> Option<Piece> {
    if at > 0 && note.glued(at) && (note.mark(at - 1, b'#') || note.mark(at - 1, b'/') || note.mark(at - 1, b':')) {
        return None;
    }
    let n = number(note, at)?;
    if note.class(at) == Some(Class::Number) && note.mark(n.end, b':') {
        return None; // a time, an item
    }
    if let Some(piece) = combined(note, &n) {
        return Some(piece);
    }
    let mut next = n.end;
    if note.mark(next, b'-') && note.glued(next) && note.glued(next + 1) {
        next += 1; // 25-mg
    }
    let (mut end, name, measure) = unit(note, next, note.glued(next))?;
    let mut name = name.to_owned();
    let mut low = n.show();
    // 5 mg-10 mg, 1 tab to 2 tabs
    if n.high.is_none()
        && (note.mark(end, b'-') || note.is(end, "to"))
        && let Some(m) = number(note, end + 1)
        && m.low > n.low
        && m.high.is_none()
        && let Some((after, same, _)) = unit(note, m.end, note.glued(m.end))
        && same == name
        && measure != Measure::Percent
        && note.mark(end, b'-')
    {
        low = format!("{low}-{}", m.show());
        end = after;
    }
    // tablet(s), puff(s)
    if note.mark(end, b'(') && note.glued(end) && note.is(end + 1, "s") && note.mark(end + 2, b')') {
        end += 3;
    }
    let mut kind = match measure {
        Measure::Mass | Measure::Percent => AttributeKind::Strength,
        Measure::Units | Measure::Volume | Measure::Count => AttributeKind::Dosage,
        Measure::Body => return None,
    };
    if name == "L/min" {
        kind = AttributeKind::Rate;
    }
    if matches!(measure, Measure::Mass | Measure::Units | Measure::Volume)
        && let Some(below) = below(note, end)
    {
        kind = match below.span {
            Some(Span::Hour | Span::Minute | Span::Second) => AttributeKind::Rate,
            Some(_) => AttributeKind::Dosage,
            None if below.body => AttributeKind::Dosage,
            None => AttributeKind::Strength,
        };
        // "1 tab/day": the frequency is read by itself
        name.push_str(&below.name);
        end = below.end;
    }
    let mut piece = Piece::new(note, kind, at, end, format!("{low} {name}"));
    if measure == Measure::Percent {
        piece.value = Some(format!("{low}%"));
        piece.score = 0.85;
    }
    if n.word && n.low < 1.0 && measure == Measure::Mass {
        piece.score = 0.7;
    }
    Some(piece)
}

/// 5/325 mg, 875-125 mg, 5 mg/325 mg, 160/4.5 mcg: the strengths of two or three substances.
fn combined(note: &Note<'_>, n: &Number) -> Option<Piece> {
    if note.class(n.begin)? != Class::Number || (n.end != n.begin + 1 && n.high.is_none()) {
        return None;
    }
    let mut values = vec![note.word(n.begin)];
    let mut next = n.begin + 1;
    let mut name = None;
    let skip = |at: u32, name: &mut Option<&'static str>| match unit(note, at, note.glued(at)) {
        Some((after, unit, Measure::Mass)) => {
            *name = Some(unit);
            after
        }
        _ => at,
    };
    next = skip(next, &mut name);
    let dashed = note.mark(next, b'-');
    while values.len() < 3
        && (note.mark(next, b'/') || (dashed && name.is_none() && note.mark(next, b'-') || note.mark(next, b'-') && name.is_some()))
        && note.class(next + 1) == Some(Class::Number)
        && note.glued(next + 1)
    {
        values.push(note.word(next + 1));
        next = skip(next + 2, &mut name);
    }
    if values.len() < 2 {
        return None;
    }
    // a date, a ratio; with a dash it is a range unless the second is much more or less
    if values.iter().any(|v| v.len() == 4 && (v.starts_with("19") || v.starts_with("20"))) {
        return None;
    }
    let first: f64 = values.first()?.parse().ok()?;
    let second: f64 = values.get(1)?.parse().ok()?;
    if dashed || (name.is_some() && note.mark(n.begin + 1, b'-')) {
        if first < second && second / first < 20.0 {
            return None;
        }
    } else if name.is_none() && first <= 31.0 && second <= 31.0 && values.len() == 3 {
        return None;
    } else if name.is_none() && (second < first && second <= 10.0 && first <= 31.0 || first <= 12.0 && second <= 31.0 && second.fract() == 0.0) {
        return None; // 3/4, 8/10, 12/5: a date or a score
    }
    // "250 mg/5 mL" is one strength
    if sense_at(note, next).unit.is_some_and(|(_, m)| m == Measure::Volume) && name.is_some() {
        return None;
    }
    let mut value = values.join("/");
    let mut score = 0.7;
    if let Some(name) = name {
        value = format!("{value} {name}");
        score = 0.95;
    }
    let mut piece = Piece::new(note, AttributeKind::Strength, n.begin, next, value);
    piece.score = score;
    Some(piece)
}

/// A number without a unit that may be a dose: "Lasix 40", "metoprolol 25 bid".
pub fn bare(note: &Note<'_>, at: u32) -> Option<Piece> {
    if note.class(at) != Some(Class::Number) && !note.mark(at, b'.') {
        return None;
    }
    let n = number(note, at)?;
    let word = note.word(n.begin);
    let year = word.len() == 4 && (word.starts_with("19") || word.starts_with("20"));
    if year || n.low <= 0.0 || n.low > 5000.0 || word.contains(',') && n.low < 1000.0 {
        return None;
    }
    let next = n.end;
    if note.glued(next) && (note.mark(next, b'/') || note.mark(next, b':') || note.mark(next, b'-') || note.mark(next, b'x')) {
        return None;
    }
    let sense = sense_at(note, next);
    if sense.unit.is_some() || sense.span.is_some() || note.mark(next, b'%') || note.is(next, "times") || note.is(next, "x") {
        return None;
    }
    // a word that is no frequency and no route counts something: "Lasix 2 weeks", "aspirin 3 episodes"
    let word = note.tokens.get(next as usize).is_some_and(|t| t.class == Class::Word);
    if word
        && sense.frequency.is_none()
        && sense.route.is_none()
        && sense.form.is_none()
        && !sense.filler
        && !note.tokens.get(next as usize).is_some_and(|t| t.case == Case::Upper)
        && !matches!(note.word(next).as_bytes().first(), Some(b'q' | b'Q'))
        && !["every", "each", "once", "twice", "three", "two", "before", "p", "b", "t"].iter().any(|w| note.is(next, w))
    {
        return None;
    }
    let mut piece = Piece::new(note, AttributeKind::Strength, n.begin, n.end, n.show());
    piece.score = 0.6;
    Some(piece)
}
