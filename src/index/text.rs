//! The forms in which strings are compared: without case and accents, and mostly without punctuation.
//!
//! <https://hl7.org/fhir/R4/search.html#string>: string search ignores case, accents, punctuation and repeated space, and matches
//! from the start.

use std::borrow::Cow;
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// Folded, without punctuation, and with one space where several stand or other white space; but a text of nothing else stays
/// as it is folded, lest it be found by everything. Borrows where the text is that already.
pub fn normalise(text: &str) -> Cow<'_, str> {
    let (mut plain, mut after_space) = (true, true);
    for b in text.bytes() {
        plain &= matches!(b, b'a'..=b'z' | b'0'..=b'9') || b == b' ' && !after_space;
        after_space = b == b' ';
    }
    if plain && !after_space {
        return Cow::Borrowed(text);
    }
    let folded = fold(text);
    let mut out = String::with_capacity(folded.len());
    for c in folded.chars().filter(|c| !is_punctuation(*c)) {
        match c.is_whitespace() {
            true if out.is_empty() || out.ends_with(' ') => {}
            true => out.push(' '),
            false => out.push(c),
        }
    }
    out.truncate(out.trim_end().len());
    if out.is_empty() { folded } else { Cow::Owned(out) }
}

/// The letters of Unicode's general category P that are met in Latin, Greek, Cyrillic and East Asian texts.
fn is_punctuation(c: char) -> bool {
    match c {
        '$' | '+' | '<' | '=' | '>' | '^' | '`' | '|' | '~' => false,
        '¡' | '§' | '«' | '¶' | '·' | '»' | '¿' | '\u{37e}' | '\u{387}' | '\u{58a}' | '・' => true,
        '\u{2010}'..='\u{2027}' | '\u{2030}'..='\u{2043}' | '\u{3001}'..='\u{3003}' | '\u{3008}'..='\u{3011}' | '\u{3014}'..='\u{301f}' => true,
        c => c.is_ascii_punctuation(),
    }
}

/// Decomposed (NFKD), marks dropped, in lower case. Borrows where the text is that already.
pub fn fold(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|b| b.is_ascii() && !b.is_ascii_uppercase()) {
        return Cow::Borrowed(text);
    }
    if text.is_ascii() {
        return Cow::Owned(text.to_ascii_lowercase());
    }
    let mut out = String::with_capacity(text.len());
    for c in text.nfkd().filter(|&c| !is_combining_mark(c)) {
        match c {
            'ß' | 'ẞ' => out.push_str("ss"),
            'ς' => out.push('σ'),
            c => out.extend(c.to_lowercase()),
        }
    }
    Cow::Owned(out)
}

/// The longest start of `text` that is at most `limit` bytes and ends between characters.
pub fn prefix(text: &str, limit: usize) -> &str {
    if text.len() <= limit {
        return text;
    }
    let mut end = limit;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_and_accents_do_not_count() {
        assert_eq!(fold("José MÜLLER-Straße"), "jose muller-strasse");
        assert_eq!(normalise("ＡＢＣ ﬁ"), "abc fi");
        assert_eq!(normalise("Ὀδυσσεύς"), normalise("ὈΔΥΣΣΕΎΣ"));
        assert!(matches!(normalise("plain"), Cow::Borrowed(_)));
    }

    #[test]
    fn punctuation_and_repeated_space_do_not_count() {
        for (text, normal) in [
            ("O'Brien", "obrien"),
            ("O\u{2019}BRIEN", "obrien"),
            ("  Main\tSt. ,  12 ", "main st 12"),
            ("a - b", "a b"),
            ("a  b", "a b"),
            ("a b ", "a b"),
            ("1+1=2 $5", "1+1=2 $5"),
            ("", ""),
            ("-", "-"),
            (" . ", " . "),
            ("\u{301}", ""),
        ] {
            assert_eq!(normalise(text), normal, "{text:?}");
        }
        assert!(matches!(normalise("two words 1"), Cow::Borrowed(_)));
    }

    #[test]
    fn a_prefix_ends_between_characters() {
        assert_eq!(prefix("aé", 2), "a");
        assert_eq!(prefix("aé", 3), "aé");
    }
}
