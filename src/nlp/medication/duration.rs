//! How long: "for 10 days", "x 7 days", "x3d", "a 7-day course", "for two weeks", "indefinitely".

use super::piece::Piece;
use super::vocabulary::{Span, sense, sense_at};
use crate::nlp::entity::AttributeKind;
use crate::nlp::note::Note;
use crate::nlp::number::number;
use crate::nlp::token::Class;

/// Words between "for" and the number.
fn lead(note: &Note<'_>, mut at: u32) -> u32 {
    for _ in 0..4 {
        let word = note.word(at);
        let leads = ["the", "next", "another", "a", "total", "of", "at", "least", "up", "to", "about", "approximately", "additional", "full"];
        if note.class(at) != Some(Class::Word) || !leads.iter().any(|l| l.eq_ignore_ascii_case(word)) {
            break;
        }
        // "a week"
        if sense_at(note, at + 1).span.is_some() && (note.is(at, "a") || note.is(at, "another")) {
            break;
        }
        at += 1;
    }
    at
}

/// "10 days" at a token: what it measures and where it ends.
pub fn measure(note: &Note<'_>, at: u32) -> Option<(String, Span, u32)> {
    let count = number(note, at);
    let mut next = match count {
        Some(n) => n.end,
        None if note.is(at, "a") || note.is(at, "an") || note.is(at, "another") => at + 1,
        None => return None,
    };
    if note.mark(next, b'-') && note.glued(next) && note.glued(next + 1) {
        next += 1;
    }
    if note.is(next, "more") || note.is(next, "additional") || note.is(next, "full") {
        next += 1;
    }
    let span = sense_at(note, next).span?;
    Some((count.map_or_else(|| "1".to_owned(), |n| n.show()), span, next + 1))
}

fn iso(count: &str, span: Span) -> String {
    match count.split_once('-') {
        Some((low, high)) => format!("{}/{}", span.iso(low), span.iso(high)),
        None => span.iso(count),
    }
}

/// Whether what follows says that it is no duration: "3 days ago", "2 weeks later", "24 hours after".
fn elsewhere(note: &Note<'_>, at: u32) -> bool {
    ["ago", "later", "prior", "before", "earlier", "old", "after", "history"].iter().any(|w| note.is(at, w))
}

/// The duration that begins at a token; `follows` says that a frequency or a dose stands right before it.
pub fn duration(note: &Note<'_>, at: u32, follows: bool) -> Option<Piece> {
    let word = note.word(at);
    let made = |first, begin, last, value| {
        let mut piece = Piece::new(note, AttributeKind::Duration, first, last, value);
        piece.begin = note.begin(begin);
        Some(piece)
    };
    let led = ["for", "x", "times", "over", "during", "×"].iter().any(|w| w.eq_ignore_ascii_case(word)) || note.mark(at, b'x');
    if led {
        if note.is(at, "for") && (note.is(at + 1, "life") || note.is(at + 1, "lifetime")) {
            return made(at, at + 1, at + 2, "lifelong".to_owned());
        }
        let begin = lead(note, at + 1);
        let (count, span, mut end) = measure(note, begin)?;
        if elsewhere(note, end) || note.is(begin.saturating_sub(1), "past") || note.is(begin.saturating_sub(1), "last") {
            return None;
        }
        // a run time: "over 30 minutes"; a course has days
        let value = iso(&count, span);
        if note.is(end, "course") {
            end += 1;
            return made(at, begin, end - 1, value);
        }
        return made(at, begin, end, value);
    }
    // x7d, x10days: one word
    if let Some(rest) = word.strip_prefix(['x', 'X'])
        && rest.as_bytes().first().is_some_and(u8::is_ascii_digit)
    {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (count, unit) = rest.split_at(digits);
        if count.len() > 3 {
            return None;
        }
        let (span, end) = match unit {
            "" => (sense_at(note, at + 1).span?, at + 2),
            _ => (sense(unit).span?, at + 1),
        };
        let mut piece = Piece::new(note, AttributeKind::Duration, at, end, span.iso(count));
        piece.begin = note.begin(at) + 1;
        return Some(piece);
    }
    if ["indefinitely", "lifelong", "indefinite"].iter().any(|w| w.eq_ignore_ascii_case(word)) {
        return made(at, at, at + 1, "lifelong".to_owned());
    }
    // a 7-day course, 10 days of; or 10 days right behind a frequency
    let (count, span, end) = measure(note, at)?;
    if note.is(at, "a") || note.is(at, "an") || note.is(at, "another") {
        return None;
    }
    let course = ["course", "supply", "taper", "trial", "total", "of"].iter().any(|w| note.is(end, w))
        || (["course"].iter().any(|w| note.is(end + 1, w)) && note.class(end) == Some(Class::Word));
    if course && !note.is(end, "supply") && !matches!(span, Span::Second | Span::Minute) {
        return made(at, at, end, iso(&count, span));
    }
    let days = matches!(span, Span::Day | Span::Week | Span::Month) && !note.is(end.saturating_sub(1), "d");
    (follows && days && !elsewhere(note, end)).then(|| made(at, at, end, iso(&count, span))).flatten()
}
