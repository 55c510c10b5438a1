//! How often: BID, q4-6h prn, every other day, 2x/day, at bedtime, on Mondays, x1.

use std::sync::LazyLock;

use super::piece::Piece;
use super::route::phrase;
use super::vocabulary::{Span, capitals, dotted, sense as table, sense_at};
use crate::nlp::entity::AttributeKind;
use crate::nlp::note::Note;
use crate::nlp::number::{Number, number};
use crate::nlp::token::Class;
use crate::nlp::words::Words;

type Phrase = (&'static [&'static str], &'static str);

/// Phrases that are frequencies by themselves.
const PHRASES: &[Phrase] = &[
    (&["at", "bedtime"], "QHS"),
    (&["before", "bed"], "QHS"),
    (&["before", "bedtime"], "QHS"),
    (&["at", "night"], "QHS"),
    (&["at", "hs"], "QHS"),
    (&["at", "noon"], "NOON"),
    (&["at", "lunch"], "LUNCH"),
    (&["at", "breakfast"], "BREAKFAST"),
    (&["at", "dinner"], "DINNER"),
    (&["in", "the", "morning"], "QAM"),
    (&["in", "the", "mornings"], "QAM"),
    (&["in", "the", "am"], "QAM"),
    (&["in", "am"], "QAM"),
    (&["in", "the", "evening"], "QPM"),
    (&["in", "the", "afternoon"], "AFTERNOON"),
    (&["in", "the", "pm"], "QPM"),
    (&["in", "pm"], "QPM"),
    (&["before", "meals"], "AC"),
    (&["before", "each", "meal"], "AC"),
    (&["before", "breakfast"], "AC BREAKFAST"),
    (&["before", "dinner"], "AC DINNER"),
    (&["after", "meals"], "PC"),
    (&["with", "meals"], "WITH MEALS"),
    (&["with", "each", "meal"], "WITH MEALS"),
    (&["w", "meals"], "WITH MEALS"),
    (&["with", "food"], "WITH MEALS"),
    (&["with", "breakfast"], "BREAKFAST"),
    (&["with", "lunch"], "LUNCH"),
    (&["with", "dinner"], "DINNER"),
    (&["with", "supper"], "DINNER"),
    (&["on", "an", "empty", "stomach"], "EMPTY STOMACH"),
    (&["on", "empty", "stomach"], "EMPTY STOMACH"),
    (&["as", "needed"], "PRN"),
    (&["as", "required"], "PRN"),
    (&["when", "needed"], "PRN"),
    (&["if", "needed"], "PRN"),
    (&["per", "day"], "QD"),
    (&["a", "day"], "QD"),
    (&["per", "week"], "QWK"),
    (&["a", "week"], "QWK"),
    (&["once", "daily"], "QD"),
    (&["once", "nightly"], "QHS"),
    (&["twice", "daily"], "BID"),
    (&["thrice", "daily"], "TID"),
    (&["once", "weekly"], "QWK"),
    (&["twice", "weekly"], "2X/WK"),
    (&["once", "monthly"], "QMO"),
    (&["one", "time"], "ONCE"),
    (&["single", "dose"], "ONCE"),
    (&["alternate", "days"], "QOD"),
    (&["on", "alternate", "days"], "QOD"),
    (&["other", "days"], "OTHER DAYS"),
    (&["all", "other", "days"], "OTHER DAYS"),
    (&["on", "other", "days"], "OTHER DAYS"),
    (&["on", "all", "other", "days"], "OTHER DAYS"),
    (&["around", "the", "clock"], "CONTINUOUS"),
];

/// The phrases by their first word, in their order.
static BY_WORD: LazyLock<Words<Vec<&'static Phrase>>> = LazyLock::new(|| {
    let mut words: Words<Vec<&'static Phrase>> = Words::default();
    for phrase in PHRASES {
        if let Some(list) = phrase.0.first().and_then(|first| words.entry(first, Vec::new)) {
            list.push(phrase);
        }
    }
    words
});

/// One frequency without its neighbours: where it ends, and its name.
struct Atom {
    end: u32,
    value: String,
    /// it is one by itself, not only behind another: "a day", "with food"
    sure: bool,
}

fn atom(end: u32, value: impl Into<String>) -> Option<Atom> {
    Some(Atom { end, value: value.into(), sure: true })
}

/// `Q6H`, and `QD` for `Q1D`.
fn each(count: &str, span: Span) -> String {
    match (count, span) {
        ("1", Span::Day) => "QD".to_owned(),
        ("2", Span::Day) => "QOD".to_owned(),
        ("1", Span::Week) => "QWK".to_owned(),
        ("1", Span::Month) => "QMO".to_owned(),
        ("1", Span::Year) => "QYR".to_owned(),
        _ => format!("Q{count}{}", span.short()),
    }
}

fn times(count: &str, span: Span) -> String {
    match (count, span) {
        ("1", Span::Day) => "QD".to_owned(),
        ("2", Span::Day) => "BID".to_owned(),
        ("3", Span::Day) => "TID".to_owned(),
        ("4", Span::Day) => "QID".to_owned(),
        ("1", Span::Week) => "QWK".to_owned(),
        ("1", Span::Month) => "QMO".to_owned(),
        ("1", Span::Hour) => "Q1H".to_owned(),
        _ => format!("{count}X/{}", span.short()),
    }
}

/// q6h, q12, q4-6h, q 8 hours, q.d., qAM, q other day: what stands behind the `q`.
fn every_latin(note: &Note<'_>, at: u32) -> Option<Atom> {
    let word = note.word(at);
    let rest = word.get(1..)?;
    if rest.is_empty() {
        // q 6 h, q. 6 h, q am, q other day, q week, q MWF, q-6-h
        let mut next = at + 1;
        if (note.mark(next, b'.') || note.mark(next, b'-')) && !note.mark(next + 1, b'.') {
            next += 1;
        }
        if note.is(next, "other") && note.is(next + 1, "day") {
            return atom(next + 2, "QOD");
        }
        if let Some(n) = number(note, next) {
            let mut unit = n.end;
            if (note.mark(unit, b'.') || note.mark(unit, b'-')) && note.class(unit + 1) == Some(Class::Word) {
                unit += 1;
            }
            let span = sense_at(note, unit).span?;
            return atom(unit + 1, each(&n.show(), span));
        }
        let sense = sense_at(note, next);
        let name = match note.word(next).to_ascii_lowercase().as_str() {
            "am" | "morning" => "QAM",
            "pm" | "evening" => "QPM",
            "hs" | "bedtime" | "night" => "QHS",
            "day" | "d" | "daily" => "QD",
            "week" | "wk" | "weekly" => "QWK",
            "month" | "monthly" => "QMO",
            "hour" | "hr" | "h" => "Q1H",
            "shift" => "QSHIFT",
            "meal" | "ac" => "AC",
            "mwf" => "MO,WE,FR",
            _ if sense.weekday > 0 => return weekdays(note, next),
            _ => return None,
        };
        return atom(next + 1, name);
    }
    // q6h, q12, q4
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    if digits == 0 || digits > 3 {
        return None;
    }
    let (count, unit) = rest.split_at(digits);
    let count = count.trim_start_matches('0');
    let mut end = at + 1;
    // q4-6h, q4h-6h, q4 to 6 hours
    if (note.mark(end, b'-') || note.is(end, "to") || note.mark(end, b'/'))
        && note.class(end + 1) == Some(Class::Number)
        && note.word(end + 1).len() <= 3
        && (unit.is_empty() || table(unit).span.is_some())
    {
        let high = note.word(end + 1);
        let span = sense_at(note, end + 2).span;
        if let Some(span) = span {
            return atom(end + 3, format!("Q{count}-{high}{}", span.short()));
        }
        if note.mark(end, b'-') && note.glued(end) {
            return atom(end + 2, format!("Q{count}-{high}H"));
        }
    }
    let span = if unit.is_empty() {
        match sense_at(note, end).span {
            Some(span) => {
                end += 1;
                span
            }
            // "q6" is hours
            None => Span::Hour,
        }
    } else {
        table(unit).span?
    };
    atom(end, each(count, span))
}

/// Mon, Wed and Fri; Mon-Fri; T/Th/Sat.
fn weekdays(note: &Note<'_>, at: u32) -> Option<Atom> {
    const NAMES: [&str; 8] = ["", "MO", "TU", "WE", "TH", "FR", "SA", "SU"];
    let mut days = 0u8;
    let (mut next, mut end, mut before) = (at, at, 0u8);
    for _ in 0..7 {
        let day = match sense_at(note, next).weekday {
            0 => match note.word(next) {
                "M" => 1,
                "T" | "Tu" => 2,
                "W" => 3,
                "Th" | "TH" => 4,
                "F" => 5,
                "Sa" => 6,
                "Su" => 7,
                _ => break,
            },
            day => day,
        };
        if before > 0 && before < day {
            (before..day).for_each(|d| days |= 1 << d);
        }
        before = 0;
        days |= 1 << day;
        end = next + 1;
        next = end;
        if note.mark(next, b'.') && note.word(next - 1).len() <= 4 && sense_at(note, next + 1).weekday > 0 {
            next += 1;
        }
        let joined = note.mark(next, b',') || note.mark(next, b'/') || note.mark(next, b'&') || note.is(next, "and");
        let through = note.mark(next, b'-') || note.is(next, "through") || note.is(next, "to");
        if !(joined || through) {
            break;
        }
        if through {
            before = day;
        }
        next += 1;
        if joined && note.is(next, "and") {
            next += 1;
        }
    }
    if days == 0 || (end == at + 1 && sense_at(note, at).weekday == 0) {
        return None;
    }
    let names: Vec<&str> = (1..8).filter(|d| days & 1 << d != 0).filter_map(|d| NAMES.get(d).copied()).collect();
    atom(end, names.join(","))
}

/// every 6 hours, every other day, each morning, every 4 to 6 hours, every Monday.
fn every(note: &Note<'_>, at: u32) -> Option<Atom> {
    let mut next = at + 1;
    if let Some(n) = number(note, next) {
        let mut unit = n.end;
        if note.mark(unit, b'-') {
            unit += 1;
        }
        let span = sense_at(note, unit).span?;
        return atom(unit + 1, each(&n.show(), span));
    }
    let every = note.is(at, "every");
    let mut count = "1";
    if note.is(next, "other") || note.is(next, "second") && sense_at(note, next + 1).span.is_some() {
        count = "2";
        next += 1;
    } else if note.is(next, "third") {
        count = "3";
        next += 1;
    }
    let name = match note.word(next).to_ascii_lowercase().as_str() {
        "morning" | "am" => "QAM",
        "evening" | "pm" | "afternoon" => "QPM",
        "night" | "bedtime" | "hs" => "QHS",
        "meal" => "WITH MEALS",
        "shift" => "QSHIFT",
        _ => "",
    };
    if !name.is_empty() {
        return if count == "1" { atom(next + 1, name) } else { atom(next + 1, format!("QOD {name}")) };
    }
    let sense = sense_at(note, next);
    if sense.weekday > 0 {
        return weekdays(note, next);
    }
    match sense.span {
        Some(span) if every || count != "1" || matches!(span, Span::Day | Span::Week) => atom(next + 1, each(count, span)),
        _ => None,
    }
}

/// 2 times a day, 3x/day, twice daily, once every 12 hours; `count` is read, `next` is behind it.
fn per(note: &Note<'_>, count: &str, next: u32) -> Option<Atom> {
    let word = note.word(next);
    let by_word = match table(word).frequency {
        Some(("QD", _)) => Some(times(count, Span::Day)),
        Some(("QWK", _)) => Some(times(count, Span::Week)),
        Some(("QMO", _)) => Some(times(count, Span::Month)),
        _ => None,
    };
    if let Some(value) = by_word {
        return atom(next + 1, value);
    }
    if note.is(next, "every") || note.is(next, "each") {
        let inner = every(note, next)?;
        let value = match (inner.value.as_str(), count) {
            ("QD", _) => times(count, Span::Day),
            ("QWK", _) => times(count, Span::Week),
            _ => inner.value,
        };
        return atom(inner.end, value);
    }
    if note.is(next, "a") || note.is(next, "per") || note.is(next, "an") || note.mark(next, b'/') {
        let span = sense_at(note, next + 1).span?;
        return atom(next + 2, times(count, span));
    }
    None
}

/// One frequency at a token. `behind` says that another stands right before it.
fn single(note: &Note<'_>, at: u32, behind: bool) -> Option<Atom> {
    let word = note.word(at);
    match note.class(at)? {
        Class::Number => {
            let n = number(note, at)?;
            return counted(note, &n);
        }
        Class::Mark => {
            if note.mark(at, b'x') && note.word(at + 1) == "1" {
                return atom(at + 2, "ONCE");
            }
            if note.mark(at, b'/') && (note.is(at + 1, "day") || (note.is(at + 1, "d") && note.glued(at + 1))) {
                return atom(at + 2, "QD");
            }
            return None;
        }
        Class::Line => return None,
        Class::Word => {}
    }
    let sense = table(word);
    if let Some((name, strict)) = sense.frequency
        && (!strict || capitals(note, at) && !(behind && matches!(name, "QD")))
    {
        return atom(at + 1, name);
    }
    if sense.weekday > 0 && word.len() > 3 {
        return weekdays(note, at);
    }
    if let Some(dots) = dotted(note, at)
        && let Some((name, _)) = table(dots.word()).frequency
    {
        return atom(dots.end, name);
    }
    if let Some(b'q' | b'Q') = word.as_bytes().first()
        && let Some(found) = every_latin(note, at)
    {
        return Some(found);
    }
    // x1, x 1 dose
    if word.eq_ignore_ascii_case("x1") || (word.eq_ignore_ascii_case("x") && note.word(at + 1) == "1") {
        let end = if word.len() == 2 { at + 1 } else { at + 2 };
        if sense_at(note, end).span.is_some() {
            return None;
        }
        return atom(if note.is(end, "dose") { end + 1 } else { end }, "ONCE");
    }
    if behind && (word.eq_ignore_ascii_case("am") || word.eq_ignore_ascii_case("morning") || word.eq_ignore_ascii_case("breakfast")) {
        return atom(at + 1, "QAM");
    }
    if behind && (word.eq_ignore_ascii_case("pm") || word.eq_ignore_ascii_case("evening") || word.eq_ignore_ascii_case("dinner")) {
        return atom(at + 1, "QPM");
    }
    if word.eq_ignore_ascii_case("x") || word.eq_ignore_ascii_case("times") {
        return None;
    }
    if !sense.begins {
        let n = number(note, at)?;
        return counted(note, &n);
    }
    let mut best: Option<(u32, &str)> = None;
    for (words, name) in BY_WORD.get(word).into_iter().flatten() {
        if let Some(end) = phrase(note, at, words)
            && best.is_none_or(|(known, _)| end > known)
        {
            best = Some((end, name));
        }
    }
    if note.is(at, "w") && note.mark(at + 1, b'/') && (note.is(at + 2, "meals") || note.is(at + 2, "food")) {
        best = Some((at + 3, "WITH MEALS"));
    }
    if let Some((end, name)) = best {
        let sure = !(name == "QD" && note.is(at, "a") || name == "QWK" && note.is(at, "a"));
        if sure || behind {
            return Some(Atom { end, value: name.to_owned(), sure: !matches!(name, "WITH MEALS" | "EMPTY STOMACH") });
        }
        return None;
    }
    let lower = word.to_ascii_lowercase();
    match lower.as_str() {
        "every" | "each" => every(note, at),
        "once" => per(note, "1", at + 1).or_else(|| {
            let ends = !matches!(note.class(at + 1), Some(Class::Word | Class::Number));
            if ends || note.is(at + 1, "for") { atom(at + 1, "ONCE") } else { None }
        }),
        "twice" => per(note, "2", at + 1),
        "thrice" => per(note, "3", at + 1),
        "on" => {
            if sense_at(note, at + 1).weekday > 0 {
                weekdays(note, at + 1)
            } else if note.is(at + 1, "mwf") {
                atom(at + 2, "MO,WE,FR")
            } else {
                None
            }
        }
        _ => {
            let n = number(note, at)?;
            counted(note, &n)
        }
    }
}

/// A count and "times a day": 2 times daily, 2x/day, two times per week.
fn counted(note: &Note<'_>, count: &Number) -> Option<Atom> {
    let at = count.end;
    let next = if note.is(at, "times") || note.is(at, "time") || note.is(at, "x") || note.mark(at, b'x') {
        at + 1
    } else if note.is(at, "xdaily") || note.is(at, "xday") {
        return atom(at + 1, times(&count.show(), Span::Day));
    } else {
        return None; // most numbers
    };
    per(note, &count.show(), next)
}

/// The frequency that begins at a token, with all that tells more of it: "BID (2 times a day) with meals as needed".
pub fn frequency(note: &Note<'_>, at: u32) -> Option<Piece> {
    let first = single(note, at, false)?;
    if !first.sure {
        return None;
    }
    let mut values = vec![first.value];
    let mut end = first.end;
    for _ in 0..5 {
        // between two frequencies: nothing, a comma, "and", a parenthesis
        let mut next = end;
        let open = note.mark(next, b'(');
        if open || note.mark(next, b',') || note.mark(next, b'/') || note.is(next, "and") || note.mark(next, b'-') || note.mark(next, b'&') {
            next += 1;
            if note.is(next, "and") {
                next += 1;
            }
        }
        if note.is(next, "only") {
            next += 1;
        }
        let Some(more) = single(note, next, true) else { break };
        if open && !note.mark(more.end, b')') {
            break;
        }
        end = if open { more.end + 1 } else { more.end };
        if !values.contains(&more.value) {
            values.push(more.value);
        }
    }
    // "once daily at bedtime" is each night, "daily in the morning" each morning
    if values.len() > 1 && values.first().is_some_and(|v| v == "QD") && values.iter().any(|v| matches!(v.as_str(), "QHS" | "QAM" | "QPM")) {
        values.remove(0);
    }
    Some(Piece::new(note, AttributeKind::Frequency, at, end, values.join(" ")))
}
