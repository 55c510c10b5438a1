//! Lines of words that `to_tsvector` takes whole.
//!
//! It raises where its result would be larger than a `tsvector` can be, and leaves out words of 2 kB and more with a NOTICE.
//! So long runs without a space are broken, of much punctuation some is dropped, and text is cut where its lexemes could fill a `tsvector`. How many there are is
//! for the server's parser to say; what is counted here is the most that it can make of a run, its dictionary being `simple`.

use super::MAX_BYTES;
use crate::index::text::prefix;
use std::collections::HashSet;

/// A run without a space is broken after so many bytes; so much punctuation is kept between two of them. The server counts all
/// that stands between two words as one, spaces included; words can grow by half when put in lower case.
const MAX_RUN: usize = 600;

/// What the lexemes of a `tsvector` can take: 1 MiB (`MAXSTRPOS`), less two bytes for each of the 16,384 positions that are
/// told apart (`MAXENTRYPOS`).
const MAX_LEXEMES: usize = (1 << 20) - 1 - 2 * (1 << 14);

/// A lexeme's count of positions, its first position, and its padding.
const PER_LEXEME: usize = 6;

/// The most bytes of lexemes for a byte of text.
const MOST: usize = 8;

#[derive(Default)]
pub struct Lines {
    text: String,
    /// Bytes since the last run with a letter or digit.
    blank: usize,
    is_full: bool,
}

impl Lines {
    pub fn is_full(&self) -> bool {
        self.is_full
    }

    /// Adds a line, if it has any words; spaces of all kinds become one space, and so does a zero byte, which no text of the
    /// server may hold.
    pub fn add(&mut self, line: &str) {
        let mut separator = if self.text.is_empty() { "" } else { "\n" };
        for run in line.split(|c: char| c.is_whitespace() || c == '\0').flat_map(pieces) {
            if self.is_full || self.text.len() + run.len() + 1 > MAX_BYTES {
                self.is_full = true;
                return;
            }
            let is_blank = !run.contains(|c: char| c.is_alphabetic() || c.is_ascii_digit());
            self.blank = if is_blank { self.blank + run.len() + 1 } else { 0 };
            if self.blank > MAX_RUN {
                continue;
            }
            self.text.push_str(separator);
            self.text.push_str(run);
            separator = " ";
        }
    }

    /// The text, as far as a `tsvector` can hold it.
    pub fn finish(mut self) -> String {
        let end = fitting(&self.text);
        self.text.truncate(end);
        self.text
    }
}

/// A run in pieces of at most [`MAX_RUN`] bytes, which end between characters.
fn pieces(run: &str) -> impl Iterator<Item = &str> {
    let mut rest = run;
    std::iter::from_fn(move || {
        let piece = prefix(rest, MAX_RUN);
        rest = &rest[piece.len()..];
        (!piece.is_empty()).then_some(piece)
    })
}

/// Where the text has to end.
fn fitting(text: &str) -> usize {
    if text.len() * MOST <= MAX_LEXEMES {
        return text.len();
    }
    let mut seen: HashSet<&str> = HashSet::new();
    let (mut left, mut end) = (MAX_LEXEMES, 0);
    for run in text.split_ascii_whitespace() {
        // What stands around a word is no part of it; counted once, it would be counted again with each other comma.
        let bare = run.trim_matches([',', ';', '(', ')', '"', '!', '?']);
        if seen.insert(bare) {
            match left.checked_sub(most_lexemes(bare)) {
                Some(rest) => left = rest,
                None => return end,
            }
        }
        end = run.as_ptr() as usize - text.as_ptr() as usize + run.len();
    }
    text.len()
}

/// The most bytes that the lexemes of a run can take.
///
/// A run of letters is one word. Elsewhere there are parts on both sides of each other character, and besides them a host, a
/// path or a word with hyphens as a whole.
fn most_lexemes(run: &str) -> usize {
    let mut breaks = 0;
    let mut was_digit = false;
    for c in run.chars() {
        breaks += usize::from(!is_letter(c) || was_digit && !c.is_ascii_digit());
        was_digit = c.is_ascii_digit();
    }
    // two bytes can be three in lower case
    let length = if run.is_ascii() { run.len() } else { run.len() + run.len() / 2 };
    let (whole, lexemes) = if breaks == 0 { (length, 1) } else { (2 * length, 2 * breaks + 1) };
    (whole + PER_LEXEME * lexemes).min(MOST * run.len().max(1))
}

/// What every locale takes for a letter or digit; of others each may end a word.
fn is_letter(c: char) -> bool {
    c.is_ascii_alphanumeric()
        || matches!(c, '\u{C0}'..='\u{24F}' | '\u{386}'..='\u{481}' | '\u{48A}'..='\u{52F}' | '\u{4E00}'..='\u{9FA5}' | '\u{AC00}'..='\u{D7A3}')
            && c.is_alphabetic()
}
