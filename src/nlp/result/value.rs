//! Values of results: 5.2, <0.01, 35-40, 120/80, 1:80, 5'10", 2+, positive, within normal limits.

use std::sync::LazyLock;

use super::list::Shape;
use crate::nlp::note::Note;
use crate::nlp::number::digits;
use crate::nlp::token::Class;
use crate::nlp::words::Words;

/// A value at some tokens.
#[derive(Clone, Debug, PartialEq)]
pub struct Value {
    pub begin: u32,
    pub end: u32,
    pub text: String,
    /// none for a word
    pub number: Option<f64>,
    /// it has two parts: 120/80
    pub parts: bool,
}

/// How far a word is taken for a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    /// positive, negative: behind any test
    Sure,
    /// high, low, stable: behind "was" or a colon, or a flag
    Told,
    /// clear, small: behind a colon only
    Listed,
}

const WORDS: &[(&str, &str, Word)] = {
    use Word::*;
    &[
        ("positive", "positive", Sure), ("pos", "positive", Sure), ("negative", "negative", Sure), ("neg", "negative", Sure), ("trace", "trace", Sure),
        ("normal", "normal", Sure), ("nl", "normal", Sure), ("wnl", "normal", Sure), ("abnormal", "abnormal", Sure), ("unremarkable", "normal", Sure),
        ("elevated", "elevated", Sure), ("reactive", "reactive", Sure), ("nonreactive", "nonreactive", Sure), ("detected", "detected", Sure),
        ("undetectable", "not detected", Sure), ("undetected", "not detected", Sure), ("indeterminate", "indeterminate", Sure), ("equivocal", "equivocal", Sure),
        ("borderline", "borderline", Told), ("high", "high", Told), ("low", "low", Told), ("increased", "elevated", Told), ("decreased", "low", Told),
        ("supratherapeutic", "high", Sure), ("subtherapeutic", "low", Sure), ("therapeutic", "normal", Told), ("stable", "stable", Told), ("pending", "pending", Told),
        ("clear", "clear", Listed), ("small", "small", Listed), ("moderate", "moderate", Listed), ("large", "large", Listed), ("few", "few", Listed),
        ("many", "many", Listed), ("rare", "rare", Listed), ("none", "none", Listed), ("numerous", "numerous", Listed), ("occasional", "occasional", Listed),
        ("present", "present", Listed), ("absent", "absent", Listed), ("cloudy", "cloudy", Listed), ("yellow", "yellow", Listed), ("afebrile", "afebrile", Listed),
    ]
};

static TABLE: LazyLock<Words<(&'static str, Word)>> = LazyLock::new(|| WORDS.iter().map(|&(word, name, how)| (word, (name, how))).collect());

/// The value that a word is.
pub fn word_value(note: &Note<'_>, at: u32) -> Option<(u32, &'static str, Word)> {
    let word = note.word(at);
    if note.class(at) != Some(Class::Word) {
        return None;
    }
    if word.eq_ignore_ascii_case("within") && (note.is(at + 1, "normal") || note.is(at + 1, "reference")) {
        let last = note.is(at + 2, "limits") || note.is(at + 2, "range") || note.is(at + 2, "limit");
        return last.then_some((at + 3, "normal", Word::Sure));
    }
    if word.eq_ignore_ascii_case("not") && (note.is(at + 1, "detected") || note.is(at + 1, "elevated") || note.is(at + 1, "seen")) {
        return Some((at + 2, if note.is(at + 1, "elevated") { "normal" } else { "not detected" }, Word::Sure));
    }
    if word.eq_ignore_ascii_case("non") && note.mark(at + 1, b'-') && note.is(at + 2, "reactive") {
        return Some((at + 3, "nonreactive", Word::Sure));
    }
    if word.eq_ignore_ascii_case("no") && note.is(at + 1, "growth") {
        return Some((at + 2, "no growth", Word::Sure));
    }
    if word.eq_ignore_ascii_case("none") && (note.is(at + 1, "seen") || note.is(at + 1, "detected")) {
        return Some((at + 2, "none", Word::Sure));
    }
    let &(name, how) = TABLE.get(word)?;
    Some((at + 1, name, how))
}

/// Digits at a token, with a point before them.
fn plain(note: &Note<'_>, at: u32) -> Option<(f64, u32)> {
    if note.class(at) == Some(Class::Number) {
        return Some((digits(note.word(at))?, at + 1));
    }
    if note.mark(at, b'.') && note.glued(at + 1) && note.class(at + 1) == Some(Class::Number) && !note.word(at + 1).contains(['.', ',']) {
        let text = note.word(at + 1);
        return Some((format!("0.{text}").parse().ok()?, at + 2));
    }
    None
}

/// Something like 12/31, 3/4/2020: two or more numbers with strokes.
fn strokes(note: &Note<'_>, at: u32) -> usize {
    let mut count = 0;
    let mut next = at;
    while count < 5 && note.mark(next, b'/') && note.class(next + 1) == Some(Class::Number) {
        count += 1;
        next += 2;
    }
    count
}

/// The number that begins at a token, of a test of this shape.
pub fn number_value(note: &Note<'_>, at: u32, shape: Option<Shape>) -> Option<Value> {
    let mut first = at;
    let mut sign = "";
    // < 0.01, >=60, ~5, less than 5
    if note.mark(first, b'<') || note.mark(first, b'>') {
        let or_equal = matches!(note.word(first), "≤" | "≥") || note.mark(first + 1, b'=');
        sign = match (note.mark(first, b'<'), or_equal) {
            (true, false) => "<",
            (true, true) => "<=",
            (false, false) => ">",
            (false, true) => ">=",
        };
        first += if note.mark(first + 1, b'=') { 2 } else { 1 };
    } else if note.mark(first, b'~') {
        first += 1;
    } else if (note.is(first, "less") || note.is(first, "greater")) && note.is(first + 1, "than") {
        sign = if note.is(first, "less") { "<" } else { ">" };
        first += 2;
    } else if note.mark(first, b'-') && note.glued(first + 1) && (note.spaced(first) || note.mark(first.wrapping_sub(1), b':')) {
        sign = "-";
        first += 1;
    } else if note.mark(first, b'+') && note.glued(first + 1) && matches!(note.word(first + 1), "1" | "2" | "3" | "4") && !note.mark(first + 2, b'.') {
        return Some(Value { begin: at, end: first + 2, text: format!("{}+", note.word(first + 1)), number: None, parts: false });
    }
    let (low, mut end) = plain(note, first)?;
    let low = if sign == "-" { -low } else { low };
    let mut text = format!("{}{low}", if sign == "-" { "" } else { sign });
    let value = |end, text, parts| Some(Value { begin: at, end, text, number: Some(low), parts });
    // 2+
    if note.mark(end, b'+') && note.glued(end) && low <= 4.0 && low.fract() == 0.0 && note.class(end + 1) != Some(Class::Number) {
        return Some(Value { begin: at, end: end + 1, text: format!("{low}+"), number: None, parts: false });
    }
    // 1:80
    if note.mark(end, b':') && note.glued(end) && note.class(end + 1) == Some(Class::Number) && note.glued(end + 1) {
        if low == 1.0 && shape.is_none_or(|s| matches!(s, Shape::Quality | Shape::Lab)) && note.word(end + 1).len() >= 2 {
            text = format!("1:{}", note.word(end + 1));
            return Some(Value { begin: at, end: end + 2, text, number: None, parts: false });
        }
        return None; // a time of day
    }
    let slashed = strokes(note, end);
    if slashed > 0 {
        let second = plain(note, end + 1).map_or(0.0, |p| p.0);
        let twofold = match shape {
            Some(Shape::Pressure) => low > second && second >= 15.0,
            Some(Shape::Pair | Shape::Acuity) => true,
            Some(Shape::Score) => second >= low || second <= 10.0,
            _ => false,
        };
        if !twofold || slashed > 1 {
            // 5/12/2020, 1.2/30: no value
            return None;
        }
        let mut after = end + 2;
        if note.is(after, "s") && note.glued(after) {
            after += 1;
        }
        return value(after, format!("{low}/{second}"), true);
    }
    // 120 over 80, 8 out of 10
    if shape == Some(Shape::Pressure)
        && note.is(end, "over")
        && let Some((second, after)) = plain(note, end + 1)
    {
        return value(after, format!("{low}/{second}"), true);
    }
    if shape == Some(Shape::Score)
        && note.is(end, "out")
        && note.is(end + 1, "of")
        && let Some((second, after)) = plain(note, end + 2)
    {
        return value(after, format!("{low}/{second}"), true);
    }
    // 120/dop; a pressure has two numbers
    // 5'10", 5 ft 10 in
    if shape == Some(Shape::Height) {
        let feet = note.mark(end, b'\'') || note.is(end, "ft") || note.is(end, "feet");
        if feet && low < 9.0 {
            end += 1;
            if let Some((inches, after)) = plain(note, end) {
                end = after;
                text = format!("{low}'{inches}\"");
                if note.mark(end, b'"') || note.is(end, "in") || note.is(end, "inches") {
                    end += 1;
                } else if note.mark(end, b'\'') && note.mark(end + 1, b'\'') {
                    end += 2;
                }
            } else {
                text = format!("{low}'");
            }
            return value(end, text, true);
        }
    }
    // 35-40, 35 - 40, 35 to 40
    if sign.is_empty() && (note.mark(end, b'-') || (note.is(end, "to") && shape != Some(Shape::Study))) && !note.mark(end + 1, b'>') {
        let mut behind = end + 1;
        // 120s-130s
        if note.mark(end, b'-') && note.glued(end) != note.glued(end + 1) {
            behind = u32::MAX;
        }
        if let Some((high, after)) = plain(note, behind)
            && high > low
            && !(note.mark(after, b'-') || note.mark(after, b'/'))
        {
            text = format!("{low}-{high}");
            end = after;
        } else if behind != u32::MAX && plain(note, behind).is_some() && note.glued(end) {
            return None; // a date, a telephone number
        }
    }
    // 80s, 120s-130s
    if note.is(end, "s") && note.glued(end) {
        end += 1;
        text.push('s');
        if note.mark(end, b'-') && note.class(end + 1) == Some(Class::Number) && note.is(end + 2, "s") {
            text.push_str(&format!("-{}s", note.word(end + 1)));
            end += 3;
        }
    }
    value(end, text, false)
}
