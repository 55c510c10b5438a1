//! What the values of one element are like: how many different ones, the smallest and largest, a few of them.

use super::distinct::Distinct;
use crate::json::{Node, Number};
use crate::model::{DATE, DATE_TIME, INSTANT, TIME, TypeId};
use crate::path::reference::target;

/// Examples that are kept, and their characters.
pub const EXAMPLES: usize = 5;
pub const MAX_CHARS: usize = 60;

/// The values of one element.
#[derive(Default)]
pub struct Values {
    distinct: Distinct,
    examples: Vec<Box<str>>,
    texts: Option<(Box<str>, Box<str>)>,
    numbers: Option<(Bound, Bound)>,
    /// Types that references point at, and how many of them.
    pub targets: Vec<(TypeId, u64)>,
}

/// A number and its text.
type Bound = (f64, Box<str>);

/// What there is to tell of them.
#[derive(Debug, PartialEq)]
pub struct Summary {
    pub distinct: u64,
    /// Else it is an estimate.
    pub is_exact: bool,
    /// Of numbers, and of what is about time: of that the order is that of the texts.
    pub smallest: Option<String>,
    pub largest: Option<String>,
    /// Of all others the first that were met.
    pub examples: Vec<String>,
}

impl Values {
    /// Adds a scalar, of that type where it is known.
    pub fn add(&mut self, value: Node<'_>, ty: Option<TypeId>) {
        match value {
            Node::String(text) => {
                let is_new = self.distinct.add(text.as_bytes());
                if ty.is_some_and(|ty| [DATE, DATE_TIME, INSTANT, TIME].contains(&ty)) {
                    if is_new || !self.is_within(text) {
                        self.stretch(text);
                    }
                } else if is_new {
                    self.example(text);
                }
            }
            Node::Number(number) => {
                if self.distinct.add(number.bytes()) || !self.holds(number) {
                    self.stretch_numbers(number);
                }
            }
            Node::Bool(value) => {
                let text = if value { "true" } else { "false" };
                if self.distinct.add(text.as_bytes()) {
                    self.example(text);
                }
            }
            Node::Null | Node::Array(_) | Node::Object(_) => {}
        }
    }

    /// Notes what a reference points at.
    pub fn add_target(&mut self, reference: &str) {
        let Some(ty) = target(reference).ty() else { return };
        match self.targets.iter_mut().find(|(known, _)| *known == ty) {
            Some((_, count)) => *count += 1,
            None => self.targets.push((ty, 1)),
        }
    }

    pub fn summary(&self) -> Summary {
        let (distinct, is_exact) = self.distinct.count();
        let numbers = self.numbers.as_ref().map(|((_, low), (_, high))| (low, high));
        let (smallest, largest) = self.texts.as_ref().map(|(low, high)| (low, high)).or(numbers).unzip();
        let examples = self.examples.iter().map(|text| text.to_string()).collect();
        Summary { distinct, is_exact, smallest: smallest.map(|text| text.to_string()), largest: largest.map(|text| text.to_string()), examples }
    }

    fn example(&mut self, text: &str) {
        if self.examples.len() < EXAMPLES {
            self.examples.push(cut(text).into());
        }
    }

    fn is_within(&self, text: &str) -> bool {
        self.texts.as_ref().is_some_and(|(low, high)| **low <= *text && *text <= **high)
    }

    fn stretch(&mut self, text: &str) {
        let text = cut(text);
        match &mut self.texts {
            None => self.texts = Some((text.into(), text.into())),
            Some((low, _)) if *text < **low => *low = text.into(),
            Some((_, high)) if *text > **high => *high = text.into(),
            Some(_) => {}
        }
    }

    fn holds(&self, number: Number<'_>) -> bool {
        let value = approximate(number);
        self.numbers.as_ref().is_some_and(|((low, _), (high, _))| *low <= value && value <= *high)
    }

    fn stretch_numbers(&mut self, number: Number<'_>) {
        let value = approximate(number);
        let bound = || (value, cut(&number.to_decimal_string()).into());
        match &mut self.numbers {
            None => self.numbers = Some((bound(), bound())),
            Some((low, _)) if value < low.0 => *low = bound(),
            Some((_, high)) if value > high.0 => *high = bound(),
            Some(_) => {}
        }
    }
}

/// The number, near enough to tell which is larger.
fn approximate(number: Number<'_>) -> f64 {
    match number.as_scaled() {
        Some((value, scale)) => value as f64 / 10f64.powi(scale as i32),
        None => number.as_f64(),
    }
}

/// The first characters.
fn cut(text: &str) -> &str {
    text.char_indices().nth(MAX_CHARS).and_then(|(end, _)| text.get(..end)).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::{Limits, parse, root};
    use crate::model::{DECIMAL, STRING};

    fn summary(array: &str, ty: TypeId) -> Summary {
        let bytes = parse(array.as_bytes(), &Limits::default()).unwrap();
        let mut values = Values::default();
        root(&bytes).unwrap().items().for_each(|item| values.add(item, Some(ty)));
        values.summary()
    }

    #[test]
    fn numbers_are_ordered_by_value() {
        let summary = summary("[9, 10, -2.50, 1e2, 9]", DECIMAL);
        assert_eq!((summary.distinct, summary.smallest.as_deref(), summary.largest.as_deref()), (4, Some("-2.50"), Some("100")));
        assert!(summary.examples.is_empty());
    }

    #[test]
    fn dates_have_bounds_and_texts_examples() {
        let dates = summary(r#"["2015-03", "2014", "2015-02-01", "2013"]"#, DATE);
        assert_eq!((dates.smallest.as_deref(), dates.largest.as_deref()), (Some("2013"), Some("2015-03")));
        let texts = summary(r#"["b", "a", "b", "c", "d", "e", "f"]"#, STRING);
        assert_eq!((texts.distinct, texts.smallest, texts.examples.join("")), (6, None, "bacde".to_owned()));
    }

    #[test]
    fn long_texts_are_cut_between_characters() {
        let summary = summary(&format!("[\"{}\"]", "é".repeat(1_000)), STRING);
        assert_eq!(summary.examples, ["é".repeat(MAX_CHARS)]);
    }

    #[test]
    fn references_tell_their_types() {
        let mut values = Values::default();
        for reference in ["Patient/1", "http://x/fhir/Patient/2", "Group/1", "urn:uuid:1", "#a"] {
            values.add_target(reference);
        }
        assert_eq!(values.targets.iter().map(|(ty, count)| (ty.name(), *count)).collect::<Vec<_>>(), [("Patient", 2), ("Group", 1)]);
    }
}
