//! The form in which strings are compared: without case and accents.
//!
//! <https://hl7.org/fhir/R4/search.html#string>: string search ignores case and accents and matches from the start.

use std::borrow::Cow;
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// Decomposed (NFKD), marks dropped, folded to lower case. Borrows where the text is that already.
pub fn normalise(text: &str) -> Cow<'_, str> {
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
        assert_eq!(normalise("José MÜLLER-Straße"), "jose muller-strasse");
        assert_eq!(normalise("ＡＢＣ ﬁ"), "abc fi");
        assert_eq!(normalise("Ὀδυσσεύς"), normalise("ὈΔΥΣΣΕΎΣ"));
        assert!(matches!(normalise("plain"), Cow::Borrowed(_)));
    }

    #[test]
    fn a_prefix_ends_between_characters() {
        assert_eq!(prefix("aé", 2), "a");
        assert_eq!(prefix("aé", 3), "aé");
    }
}
