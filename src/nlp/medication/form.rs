//! Forms: tablet, "Tablet, Chewable", "capsule, delayed release", "extended-release tablets".

use super::piece::Piece;
use super::route::phrase;
use super::vocabulary::sense_at;
use crate::nlp::entity::AttributeKind;
use crate::nlp::note::Note;

/// What may stand before or behind a form and belongs to it.
const QUALITIES: &[&[&str]] = &[
    &["chewable"],
    &["effervescent"],
    &["dispersible"],
    &["enteric", "coated"],
    &["extended", "release"],
    &["delayed", "release"],
    &["sustained", "release"],
    &["immediate", "release"],
    &["controlled", "release"],
    &["orally", "disintegrating"],
    &["rapid", "dissolve"],
    &["metered", "dose"],
];

fn quality(note: &Note<'_>, at: u32) -> Option<u32> {
    if !matches!(note.word(at).as_bytes().first().map(|b| b | 0x20), Some(b'c' | b'e' | b'd' | b's' | b'i' | b'o' | b'r' | b'm')) {
        return None;
    }
    QUALITIES.iter().find_map(|words| phrase(note, at, words))
}

/// The form that begins at a token.
pub fn form(note: &Note<'_>, at: u32) -> Option<Piece> {
    let noun = match quality(note, at) {
        Some(end) => end,
        None => at,
    };
    let (name, mut end) = match sense_at(note, noun).form {
        Some(name) => (name, noun + 1),
        // "chewable" alone is a form; "extended release" alone is part of a name
        None if noun > at && note.is(at, "chewable") => ("chewable tablet", noun),
        None => return None,
    };
    // tablet(s)
    if note.mark(end, b'(') && note.glued(end) && note.is(end + 1, "s") && note.mark(end + 2, b')') {
        end += 3;
    }
    let behind = if note.mark(end, b',') { end + 1 } else { end };
    if let Some(after) = quality(note, behind) {
        end = after;
        // "extended release 24 hr"
        if note.word(end) == "24" && (note.is(end + 1, "hr") || note.is(end + 1, "hour")) {
            end += 2;
        }
    }
    Some(Piece::new(note, AttributeKind::Form, at, end, name.to_owned()))
}

/// The words that begin a quality.
pub fn beginnings() -> impl Iterator<Item = &'static &'static str> {
    QUALITIES.iter().filter_map(|words| words.first())
}
