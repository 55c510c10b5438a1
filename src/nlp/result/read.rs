//! What stands behind the name of a test: its values, unit, flag and reference range.

use std::sync::LazyLock;

use super::list::{Shape, Test};
use super::unit::unit;
use super::value::{Value, Word, number_value, word_value};
use crate::nlp::medication::{is_prescription, sense_at};
use crate::nlp::note::Note;
use crate::nlp::token::{Case, Class};
use crate::nlp::words::Words;

/// A result at some tokens.
#[derive(Debug, Default)]
pub struct Found {
    pub values: Vec<Value>,
    /// tokens and UCUM
    pub units: Vec<(u32, u32, &'static str)>,
    pub flags: Vec<(u32, u32, &'static str)>,
    pub range: Option<(u32, u32, String)>,
    pub end: u32,
    /// words between the name and the value
    pub gap: u32,
    /// something such as ":" or "was" stands before the value
    pub told: bool,
}

const FILL: &[&str] = &[
    "level", "levels", "count", "value", "values", "result", "results", "reading", "readings", "of", "was", "is", "were", "are", "at", "to", "be", "been", "has", "had",
    "came", "back", "returned", "as", "measured", "noted", "found", "remains", "remained", "up", "down", "from", "today", "now", "yesterday", "initially", "initial",
    "currently", "current", "this", "morning", "on", "admission", "presentation", "the", "a", "approximately", "about", "around", "in", "last", "most", "recent", "fasting",
    "random", "mildly", "slightly", "markedly", "moderately", "significantly", "also", "again", "peak", "peaked", "trended", "improved", "rose", "dropped", "fell",
    "estimated", "only", "still", "then", "climbed", "increasing", "decreasing", "rising", "serum", "test", "showed", "shows", "arrival", "discharge", "oral", "orally", "roughly",
    "overnight", "repeat", "reported", "done", "s",
];

const TOLD: &[&str] = &["was", "is", "were", "are", "of", "at", "remains", "remained", "returned", "back", "to", "showed", "shows", "in", "from"];

static FILLS: LazyLock<Words<bool>> =
    LazyLock::new(|| FILL.iter().map(|word| (*word, false)).chain(TOLD.iter().map(|word| (*word, true))).collect());

static FLAGS: LazyLock<Words<&'static str>> = LazyLock::new(|| {
    [
        ("high", "H"),
        ("elevated", "H"),
        ("low", "L"),
        ("critical", "AA"),
        ("panic", "AA"),
        ("abnormal", "A"),
        ("normal", "N"),
        ("nl", "N"),
        ("wnl", "N"),
    ]
    .into_iter()
    .collect()
});

fn any(note: &Note<'_>, at: u32, words: &[&str]) -> bool {
    let word = note.word(at);
    word.len() <= 13 && words.iter().any(|w| w.eq_ignore_ascii_case(word))
}

/// A flag: (H), H, *, high.
fn flag(note: &Note<'_>, at: u32) -> Option<(u32, &'static str)> {
    let name = match note.word(at) {
        "H" => "H",
        "L" => "L",
        "HH" => "HH",
        "LL" => "LL",
        "A" => "A",
        "N" if note.mark(at + 1, b')') => "N",
        "↑" | "⬆" => "H",
        "↓" | "⬇" => "L",
        word => FLAGS.get(word)?,
    };
    // "L shoulder", "H pylori", "normal sinus": no flags
    let single = note.word(at).len() <= 2;
    let goes_on = note.class(at + 1) == Some(Class::Word)
        && note.tokens.get(at as usize + 1).is_some_and(|t| t.case == Case::Lower)
        && !any(note, at + 1, &["and", "with", "on", "today", "but", "for", "per", "in"]);
    if goes_on && (single || note.tokens.get(at as usize + 1).is_some_and(|t| t.spaced)) {
        return None;
    }
    Some((at + 1, name))
}

/// A range of two numbers or a bound, not followed by what makes it something else.
fn range(note: &Note<'_>, at: u32, bound: bool) -> Option<(u32, String)> {
    let value = number_value(note, at, Some(Shape::Lab))?;
    let twofold = value.text.contains('-') && !value.text.starts_with('-') && !value.text.ends_with('s');
    let bounded = bound && value.text.starts_with(['<', '>']);
    (twofold || bounded).then_some((value.end, value.text))
}

/// The number at a token if it may be a value of this test.
fn numeric(note: &Note<'_>, at: u32, test: Option<&Test>, told: bool) -> Option<(Value, Option<(u32, u32, &'static str)>)> {
    let shape = test.map(|t| t.shape);
    if shape == Some(Shape::Study) {
        return None;
    }
    let value = number_value(note, at, shape)?;
    // an item of a list: "1. Aspirin"
    if note.mark(value.end, b'.') && note.class(value.end.wrapping_sub(2)) == Some(Class::Line) {
        return None;
    }
    let units = test.map_or("", |t| t.units);
    let found = unit(note, value.end, units).map(|(end, ucum)| (value.end, end, ucum));
    if let (Some(test), Some(number)) = (test, value.number) {
        // with a unit of its own it is believed: sodium in urine is far from that in blood
        let own = found.is_some_and(|(_, _, ucum)| test.shape == Shape::Lab && test.units.split(',').any(|u| u == ucum));
        let inside = own || (number >= test.low && number <= test.high);
        if !inside || (test.shape == Shape::Pressure && !value.parts && !value.text.contains('s')) {
            return None;
        }
        if test.shape == Shape::Height && !value.parts && found.is_none() {
            return None;
        }
    }
    let next = value.end;
    if found.is_none() {
        let sense = sense_at(note, next);
        let letter = matches!(note.word(next), "L" | "H" | "A" | "S");
        if !letter && (sense.unit.is_some() || sense.span.is_some()) && value.number.is_some() {
            return None;
        }
        if any(note, next, &["times", "x", "episodes", "views", "view", "lead", "cases", "sets", "samples", "st", "nd", "rd", "th"]) && note.class(next) == Some(Class::Word) {
            return None;
        }
        if !letter && sense.frequency.is_some() && is_prescription(note, next) {
            return None;
        }
        if sense.route.is_some() && !any(note, next, &["nc", "im", "oral", "orally", "rectal"]) && is_prescription(note, next) {
            return None;
        }
        let year = value.number.is_some_and(|n| (1950.0..2050.0).contains(&n)) && note.word(at).len() == 4;
        if year && !told && test.is_none_or(|t| t.units.contains("10*3")) {
            return None; // "CABG 2006, WBC 2006"
        }
        if test.is_none() {
            let word = note.class(next) == Some(Class::Word) && !any(note, next, &["on", "and", "with", "today", "from", "in", "which", "H", "L"]);
            if !told || year || word {
                return None;
            }
        }
    }
    Some((value, found))
}

/// Reads what stands behind a name.
pub fn read(note: &Note<'_>, from: u32, test: Option<&Test>) -> Option<Found> {
    let mut found = Found { end: from, ..Found::default() };
    let mut at = from;
    let mut listed = false;
    let mut lines = 0;
    let mut early: Option<(u32, u32, &'static str)> = None;
    let quality = test.is_none_or(|t| matches!(t.shape, Shape::Quality | Shape::Study | Shape::Lab));
    loop {
        if found.gap > 9 {
            return None;
        }
        let token = note.tokens.get(at as usize)?;
        if let Some((end, name, how)) = word_value(note, at) {
            let goes_on = note.is(end, "at") || note.is(end, "to");
            if goes_on && early.is_none() {
                early = Some((at, end, match name {
                    "elevated" | "high" => "H",
                    "low" => "L",
                    "normal" => "N",
                    _ => "A",
                }));
                at = end;
                found.gap += 1;
                continue;
            }
            let taken = match how {
                Word::Sure => found.gap <= 4,
                Word::Told => found.told || listed || (at == from && note.class(end) != Some(Class::Word) && test.is_some()),
                Word::Listed => listed && quality,
            };
            if !taken || (name == "normal" && any(note, end, &["saline", "sinus", "for", "s1"])) {
                return None;
            }
            // with a number behind: "K: high 5.9", "glucose elevated, 210"
            found.values.push(Value { begin: at, end, text: name.to_owned(), number: None, parts: false });
            found.end = end;
            return Some(found);
        }
        let sure = found.told || listed;
        if let Some((value, unit)) = numeric(note, at, test, sure) {
            found.end = value.end;
            if let Some(unit) = unit {
                found.end = unit.1;
                found.units.push(unit);
            }
            found.values.push(value);
            break;
        }
        match token.class {
            Class::Line => {
                lines += 1;
                if lines > 1 || at == from && !note.class(at + 1).is_some_and(|c| c == Class::Number) {
                    return None;
                }
            }
            Class::Mark => match token.mark {
                b':' | b'=' | b'|' => listed = true,
                b'(' | b')' | b'*' | b'-' | b'_' | b'.' if token.mark != b'.' || note.mark(at + 1, b'.') || note.mark(at.wrapping_sub(1), b'.') => {}
                _ => return None,
            },
            Class::Word => {
                found.told |= *FILLS.get(note.word(at))?;
                found.gap += 1;
            }
            Class::Number => return None,
        }
        at += 1;
        if at > from + 12 {
            return None;
        }
    }
    found.told |= listed;
    found.flags.extend(early);
    behind(note, &mut found, test);
    Some(found)
}

/// What stands behind the first value: unit, flag, range in any order, then further values.
pub fn behind(note: &Note<'_>, found: &mut Found, test: Option<&Test>) {
    let units = test.map_or("", |t| t.units);
    let lab = test.is_none_or(|t| !matches!(t.shape, Shape::Score | Shape::Height | Shape::Acuity | Shape::Study));
    for _ in 0..6 {
        let mut at = found.end;
        let mut closing = 0;
        let mut named = false;
        while note.mark(at, b'|') || (note.mark(at, b'*') && !note.spaced(at + 1)) {
            at += 1;
        }
        if note.mark(at, b'(') || note.mark(at, b'[') {
            closing = if note.mark(at, b'(') { b')' } else { b']' };
            at += 1;
        } else if note.mark(at, b',') && any(note, at + 1, &["ref", "reference", "normal", "high", "low", "elevated"]) {
            at += 1;
        }
        for _ in 0..4 {
            if any(note, at, &["ref", "reference", "normal", "nl", "range", "ranges", "interval", "limits", "rr"]) && range_near(note, at + 1) {
                named = true;
                at += 1;
            } else if named && (note.mark(at, b':') || note.mark(at, b'.')) {
                at += 1;
            } else {
                break;
            }
        }
        if lab
            && found.range.is_none()
            && (named || closing > 0 || note.spaced(at))
            && (named || closing > 0 || !found.values.iter().any(|v| v.text.contains('-')))
            && let Some((end, text)) = range(note, at, named || closing > 0)
        {
            found.range = Some((at, end, text));
            found.end = end;
            let after = unit(note, end, units);
            if let Some((behind, ucum)) = after {
                if found.units.is_empty() {
                    found.units.push((end, behind, ucum));
                }
                found.end = behind;
            }
            close(note, found, closing);
            continue;
        }
        if !named
            && found.flags.is_empty()
            && let Some((end, name)) = flag(note, at)
            && (closing == 0 || note.mark(end, closing))
        {
            found.flags.push((at, end, name));
            found.end = end;
            close(note, found, closing);
            continue;
        }
        if closing == 0
            && found.units.is_empty()
            && found.values.last().is_some_and(|v| v.number.is_some())
            && let Some((end, ucum)) = unit(note, at, units)
        {
            found.units.push((at, end, ucum));
            found.end = end;
            continue;
        }
        break;
    }
    // 1.2 -> 1.8, 0.04, 0.06; 1.8 (from 1.2); from 1.2 to 1.8
    for _ in 0..8 {
        let mut at = found.end;
        let open = note.mark(at, b'(');
        if open {
            at += 1;
        }
        let begin = at;
        let mut list = false;
        while note.mark(at, b'-') && at < begin + 3 {
            at += 1;
        }
        if note.mark(at, b'>') && at > begin || matches!(note.word(at), "→" | "➔" | "➜") {
            at += 1;
        } else if note.is(begin, "to") || note.is(begin, "then") || note.is(begin, "from") {
            at = begin + 1;
        } else if (note.is(begin, "up") || note.is(begin, "down")) && note.is(begin + 1, "from") {
            at = begin + 2;
        } else if note.is(begin, "baseline") && open {
            at = begin + 1;
        } else if note.mark(begin, b',') && !open {
            list = true;
            at = begin + 1;
            if note.is(at, "up") || note.is(at, "down") {
                at += 1;
            }
            if note.is(at, "from") {
                at += 1;
                list = false;
            }
            if note.is(at, "and") || note.is(at, "then") {
                at += 1;
            }
        } else {
            break;
        }
        let Some((value, unit)) = numeric(note, at, test, true) else { break };
        if list {
            let next = unit.map_or(value.end, |u| u.1);
            let ends = note.class(next).is_none_or(|c| c == Class::Line) || [b',', b'.', b';', b')'].iter().any(|m| note.mark(next, *m)) || note.is(next, "and");
            let same = found.values.first().is_some_and(|v| v.text.contains('.') == value.text.contains('.') && v.number.is_some());
            if !ends || !same {
                break;
            }
        }
        found.end = value.end;
        if let Some(unit) = unit {
            found.end = unit.1;
            found.units.push(unit);
        }
        found.values.push(value);
        if open && note.mark(found.end, b')') {
            found.end += 1;
        }
    }
}

/// Whether a range follows within a few tokens, so that "normal" belongs to it.
fn range_near(note: &Note<'_>, at: u32) -> bool {
    (at..at + 4).any(|t| range(note, t, true).is_some())
}

fn close(note: &Note<'_>, found: &mut Found, closing: u8) {
    if closing > 0 && note.mark(found.end, closing) {
        found.end += 1;
    }
}
