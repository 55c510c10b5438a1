//! What stands where something was taken out of a text: `[**2012-3-4**]`, `**NAME[ZZZ]`, `[NAME]`, `<NAME>`.

use super::Found;
use super::words::Reader;
use crate::nlp::entity::Kind;
use crate::nlp::token::Class;

/// So many tokens a placeholder has at most.
const LONGEST: u32 = 24;

/// What the words of a placeholder say of what was there.
fn kind_of(label: &str) -> Option<Kind> {
    const KINDS: [(&str, Kind); 38] = [
        ("age", Kind::Age),
        ("name", Kind::Name),
        ("initial", Kind::Name),
        ("patient", Kind::Name),
        ("doctor", Kind::Name),
        ("phone", Kind::PhoneOrFax),
        ("fax", Kind::PhoneOrFax),
        ("pager", Kind::PhoneOrFax),
        ("telephone", Kind::PhoneOrFax),
        ("email", Kind::Email),
        ("e-mail", Kind::Email),
        ("web", Kind::Url),
        ("url", Kind::Url),
        ("mrn", Kind::Id),
        ("medical record", Kind::Id),
        ("id", Kind::Id),
        ("ssn", Kind::Id),
        ("social security", Kind::Id),
        ("number", Kind::Id),
        ("device", Kind::Id),
        ("account", Kind::Id),
        ("numeric", Kind::Id),
        ("street", Kind::Address),
        ("address", Kind::Address),
        ("zip", Kind::Address),
        ("hospital", Kind::Address),
        ("place", Kind::Address),
        ("institution", Kind::Address),
        ("location", Kind::Address),
        ("city", Kind::Address),
        ("state", Kind::Address),
        ("country", Kind::Address),
        ("university", Kind::Address),
        ("ward", Kind::Address),
        ("date", Kind::PhiDate),
        ("month", Kind::PhiDate),
        ("year", Kind::PhiDate),
        ("day", Kind::PhiDate),
    ];
    let label = label.get(..label.len().min(60)).unwrap_or("").to_ascii_lowercase();
    let words: Vec<&str> = label.split(|c: char| !c.is_ascii_alphabetic()).filter(|w| !w.is_empty()).collect();
    let has = |word: &str| {
        if word.contains(' ') || word.contains('-') { label.contains(word) } else { words.iter().any(|w| *w == word || w.strip_prefix(word).is_some_and(|rest| matches!(rest, "s" | "es" | "name"))) }
    };
    if words.iter().any(|w| matches!(*w, "firstname" | "lastname" | "surname")) {
        return Some(Kind::Name);
    }
    KINDS.iter().find(|(word, _)| has(word)).map(|(_, kind)| *kind)
}

fn is_star(r: &Reader, at: u32) -> bool {
    r.note.word(at) == "*"
}

/// `[** … **]`, seen at the bracket; the stars are taken whole.
pub fn starred(r: &Reader, at: u32) -> Option<Found> {
    let found = |end: u32, kind: Kind, value: Option<String>| Some(Found { begin: at, end, kind, value });
    if !(is_star(r, at + 1) && is_star(r, at + 2)) {
        return plain(r, at);
    }
    let mut end = at + 3;
    while end < at + LONGEST && !(is_star(r, end) && is_star(r, end + 1) && r.is_mark(end + 2, b']')) {
        if r.class(end) == Class::Line && r.class(end + 1) == Class::Line {
            return None;
        }
        end += 1;
    }
    if end >= at + LONGEST || end == at + 3 {
        return None;
    }
    let inner = r.note.words(at + 3..end);
    let digits = inner.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'-' | b'/' | b' '));
    let value = if digits { complete_date(inner) } else { None };
    found(end + 3, if digits { Kind::PhiDate } else { kind_of(inner)? }, value)
}

/// 2012-3-4 as a date.
fn complete_date(text: &str) -> Option<String> {
    let mut parts = text.trim().split('-').map(|part| part.parse::<u32>().ok());
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    chrono::NaiveDate::from_ymd_opt(year as i32, month, day).filter(|_| year > 999 && year < 10_000).map(|date| date.to_string())
}

/// `[NAME]`, `<DATE>`, `[Patient Name]`: one to three words in capitals or title case.
fn plain(r: &Reader, at: u32) -> Option<Found> {
    let close = if r.is_mark(at, b'<') { b'>' } else { b']' };
    let mut end = at + 1;
    while end < at + 6 && !r.is_mark(end, close) {
        let fits = r.class(end) == Class::Word && r.is_capital(end) || r.class(end) == Class::Number && end > at + 1 || r.note.word(end) == "_" || r.is_mark(end, b'-');
        if !fits {
            return None;
        }
        end += 1;
    }
    if end == at + 1 || !r.is_mark(end, close) {
        return None;
    }
    let words = r.note.words(at + 1..end);
    // "[Patient]" may be a speaker, and "<2 years>" is none
    let shouted = words.bytes().all(|b| !b.is_ascii_lowercase());
    let kind = kind_of(words).filter(|_| shouted || words.contains(' '))?;
    Some(Found { begin: at, end: end + 1, kind, value: None })
}

/// `**NAME[ZZZ]`, `**AGE[in 60s]`, `**PHONE`, seen at its first star.
pub fn labelled(r: &Reader, at: u32) -> Option<Found> {
    if !is_star(r, at + 1) || r.is_mark(at.wrapping_sub(1), b'[') || r.class(at + 2) != Class::Word || !r.is_glued(at + 2) || r.note.word(at + 2).bytes().any(|b| b.is_ascii_lowercase()) {
        return None;
    }
    let mut end = at + 3;
    while r.is_mark(end, b'-') && r.is_glued(end) && r.is_glued(end + 1) && r.class(end + 1) == Class::Word && end < at + 8 {
        end += 2;
    }
    let kind = kind_of(r.note.words(at + 2..end))?;
    if r.is_mark(end, b'[') && r.is_glued(end) {
        let close = (end + 1..end + LONGEST).find(|&t| r.is_mark(t, b']') || r.class(t) == Class::Line)?;
        if r.is_mark(close, b']') {
            end = close + 1;
        }
    }
    Some(Found { begin: at, end, kind, value: None })
}
