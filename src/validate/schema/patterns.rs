//! What the patterns of a schema take: of memory all together, and of time for each text that they are matched with.
//!
//! The crate compiles and matches them where we cannot count, so both are reckoned beforehand, for any text from the heaviest of them.

use super::compile::clip;
use super::error::SchemaError;
use crate::pattern::{MAX_TOGETHER, Matcher, Refused, Weight};
use serde_json::Value;
use std::collections::HashSet;

/// One pattern, compiled: about what the regex crate itself takes for too big.
pub(super) const MAX_PATTERN: usize = 2 << 20;

/// Bytes for each place of a pattern that the crate knows how to rewrite for the engine, and we do not.
const BYTES_OF_PLACE: u64 = 32 << 10;

/// What a check reckons with.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(super) struct Prices {
    /// The heaviest pattern of texts.
    pub texts: Option<Weight>,
    /// All patterns of names of properties together, as each name may be matched with each.
    pub names: Option<Weight>,
}

struct Patterns<'s> {
    known: HashSet<&'s str>,
    left: usize,
    prices: Prices,
}

/// The prices of a schema.
///
/// # Errors
/// Patterns that are too large, alone or together.
pub(super) fn prices(schema: &Value) -> Result<Prices, SchemaError> {
    let mut patterns = Patterns { known: HashSet::new(), left: MAX_TOGETHER, prices: Prices::default() };
    patterns.collect(schema, &mut String::new())?;
    Ok(patterns.prices)
}

impl<'s> Patterns<'s> {
    /// Takes every object for a schema. The depth is that of the schema, which is bounded.
    fn collect(&mut self, value: &'s Value, place: &mut String) -> Result<(), SchemaError> {
        let length = place.len();
        match value {
            Value::Array(items) => {
                for (number, item) in items.iter().enumerate() {
                    place.push_str(&format!("/{number}"));
                    self.collect(item, place)?;
                    place.truncate(length);
                }
            }
            Value::Object(members) => {
                for (key, inner) in members {
                    place.push('/');
                    place.push_str(&key.replace('~', "~0").replace('/', "~1"));
                    match (key.as_str(), inner) {
                        ("pattern", Value::String(text)) => {
                            let weight = self.take(text, place)?;
                            self.prices.texts = Some(self.prices.texts.map_or(weight, |known| known.or_heavier(weight)));
                        }
                        ("patternProperties", Value::Object(inner)) => {
                            for text in inner.keys() {
                                let weight = self.take(text, place)?;
                                self.prices.names = Some(self.prices.names.map_or(weight, |known| known.and(weight)));
                            }
                        }
                        _ => {}
                    }
                    self.collect(inner, place)?;
                    place.truncate(length);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn take(&mut self, text: &'s str, place: &str) -> Result<Weight, SchemaError> {
        let pattern = for_engine(text);
        let weight = Weight::of(&pattern);
        if !self.known.insert(text) {
            return Ok(weight.or_of_size(MAX_PATTERN));
        }
        let refused = |message: String| SchemaError::new(message).at(place).hint("repeat less, or use classes such as [a-z] instead of those of Unicode");
        let size = match Matcher::new(&pattern, false, MAX_PATTERN) {
            Ok(matcher) => matcher.size(),
            Err(Refused::TooLarge) => {
                let most = MAX_PATTERN >> 20;
                return Err(refused(format!("a pattern of the JSON Schema takes more than {most} MB when it is compiled: {}", clip(text))));
            }
            // the crate says what is wrong, if it finds so, too
            Err(Refused::Wrong) => weight.places().saturating_mul(BYTES_OF_PLACE).min(MAX_PATTERN as u64) as usize,
        };
        match self.left.checked_sub(size) {
            Some(left) => self.left = left,
            None => {
                let most = MAX_TOGETHER >> 20;
                return Err(refused(format!("the patterns of the JSON Schema take more than {most} MB together when they are compiled")));
            }
        }
        Ok(weight.or_of_size(size))
    }
}

/// The pattern as the engine reads it, for which brackets within classes, and `\d` and `\w`, mean something else than for ECMAScript.
fn for_engine(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len());
    let mut letters = pattern.chars().peekable();
    let mut is_class = false;
    while let Some(c) = letters.next() {
        match c {
            '\\' => match letters.next() {
                Some('d') => out.push_str("[0-9]"),
                Some('D') => out.push_str("[^0-9]"),
                Some('w') => out.push_str("[A-Za-z0-9_]"),
                Some('W') => out.push_str("[^A-Za-z0-9_]"),
                Some('c') if letters.next_if(char::is_ascii_alphabetic).is_some() => out.push_str("\\x01"),
                Some(other) => out.extend(['\\', other]),
                None => out.push('\\'),
            },
            '[' if !is_class => {
                is_class = true;
                out.push('[');
            }
            ']' => {
                is_class = false;
                out.push(']');
            }
            '[' => out.push_str("\\["),
            '&' | '~' if is_class => out.extend(['\\', c]),
            '-' if is_class && (out.ends_with('-') || letters.peek() == Some(&'-')) => out.push_str("\\-"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_read_as_those_of_ecmascript() {
        for (pattern, expected) in [
            (r"^\d{3}[\w-]\W\D$", "^[0-9]{3}[[A-Za-z0-9_]-][^A-Za-z0-9_][^0-9]$"),
            (r"[[](a|b)", r"[\[](a|b)"),
            (r"[a&&b~~c]&&", r"[a\&\&b\~\~c]&&"),
            (r"\\d\[\]\/", r"\\d\[\]\/"),
            (r"\cA", r"\x01"),
        ] {
            assert_eq!(for_engine(pattern), expected);
            assert!(Matcher::new(expected, false, MAX_PATTERN).is_ok(), "{expected}");
        }
    }
}
