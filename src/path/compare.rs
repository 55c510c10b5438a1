//! Comparing single values: <http://hl7.org/fhirpath/N1/#equality>, <http://hl7.org/fhirpath/N1/#comparison>.
//!
//! The static type says what a JSON string is: text, a date or a time. What cannot be compared gives nothing, and so do
//! two dates of which one is too vague to decide.

use super::branches::{Branch, Literal};
use crate::json::Node;
use crate::model::{self, TypeId, is_a};
use regex::{Regex, RegexBuilder};
use std::cmp::Ordering;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Relation {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Equal,
    NotEqual,
}

impl Relation {
    pub fn holds(self, order: Ordering) -> bool {
        match self {
            Relation::Less => order.is_lt(),
            Relation::LessOrEqual => order.is_le(),
            Relation::Greater => order.is_gt(),
            Relation::GreaterOrEqual => order.is_ge(),
            Relation::Equal => order.is_eq(),
            Relation::NotEqual => order.is_ne(),
        }
    }

    /// The relation that holds where the sides are changed.
    pub fn turned(self) -> Relation {
        match self {
            Relation::Less => Relation::Greater,
            Relation::LessOrEqual => Relation::GreaterOrEqual,
            Relation::Greater => Relation::Less,
            Relation::GreaterOrEqual => Relation::LessOrEqual,
            same => same,
        }
    }
}

/// One side of a comparison.
#[derive(Clone, PartialEq, Debug)]
pub enum Operand {
    Values(Vec<Branch>),
    Literal(Literal),
}

/// A test of one string.
#[derive(Clone, PartialEq, Debug)]
pub enum TextTest {
    StartsWith(String),
    EndsWith(String),
    Contains(String),
    Matches(Pattern),
}

impl TextTest {
    pub fn holds(&self, text: &str) -> bool {
        match self {
            TextTest::StartsWith(s) => text.starts_with(s.as_str()),
            TextTest::EndsWith(s) => text.ends_with(s.as_str()),
            TextTest::Contains(s) => text.contains(s.as_str()),
            TextTest::Matches(pattern) => pattern.0.is_match(text),
        }
    }
}

/// A regular expression, which needs not cover the whole text.
#[derive(Clone, Debug)]
pub struct Pattern(Regex);

impl Pattern {
    /// `None` if it is none, or compiles to more than a mebibyte. It is matched in linear time.
    pub fn new(text: &str) -> Option<Pattern> {
        RegexBuilder::new(text).size_limit(1 << 20).dfa_size_limit(1 << 20).dot_matches_new_line(true).build().ok().map(Pattern)
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Pattern) -> bool {
        self.0.as_str() == other.0.as_str()
    }
}

/// A single value, as far as values can be compared.
#[derive(Clone, Debug)]
pub enum Atom<'a> {
    Text(&'a str),
    Bool(bool),
    Number(String),
    /// A date, with or without a time.
    Moment(&'a str),
    Time(&'a str),
    Quantity { value: String, unit: Option<&'a str> },
}

impl<'a> Atom<'a> {
    /// `None` for what has parts, unless it is a quantity.
    pub fn of(node: Node<'a>, ty: TypeId) -> Option<Atom<'a>> {
        Some(match node {
            Node::Bool(b) => Atom::Bool(b),
            Node::Number(n) => Atom::Number(n.to_decimal_string()),
            Node::String(text) if [model::DATE, model::DATE_TIME, model::INSTANT].contains(&ty) => Atom::Moment(text),
            Node::String(text) if ty == model::TIME => Atom::Time(text),
            Node::String(text) => Atom::Text(text),
            Node::Object(_) if is_a(ty, model::QUANTITY) => Atom::Quantity {
                value: node.get("value")?.as_number()?.to_decimal_string(),
                unit: node.get("code").or_else(|| node.get("unit")).and_then(Node::as_str),
            },
            _ => return None,
        })
    }

    pub fn of_literal(literal: &'a Literal) -> Atom<'a> {
        match literal {
            Literal::String(text) => Atom::Text(text),
            Literal::Bool(b) => Atom::Bool(*b),
            Literal::Number(n) => Atom::Number(n.clone()),
            Literal::Moment(text) => Atom::Moment(text),
            Literal::Time(text) => Atom::Time(text),
            Literal::Quantity { value, unit } => Atom::Quantity { value: value.clone(), unit: Some(unit) },
        }
    }

    /// Whether the two are of different kinds, so that they are not equal. Dates that are too vague are of one kind.
    pub fn differs(&self, other: &Atom) -> bool {
        std::mem::discriminant(self) != std::mem::discriminant(other)
    }

    /// How this stands to the other: `None` if that cannot be said.
    pub fn order(&self, other: &Atom) -> Option<Ordering> {
        match (self, other) {
            (Atom::Text(a), Atom::Text(b)) => Some(a.cmp(b)),
            (Atom::Bool(a), Atom::Bool(b)) => Some(a.cmp(b)),
            (Atom::Number(a), Atom::Number(b)) => Some(decimals(a, b)),
            (Atom::Moment(a), Atom::Moment(b)) => Moment::read(a)?.order(&Moment::read(b)?),
            // a string that is compared with a date is one, by its form
            (Atom::Moment(a), Atom::Text(b)) | (Atom::Text(a), Atom::Moment(b)) => Moment::read(a)?.order(&Moment::read(b)?),
            (Atom::Time(a), Atom::Time(b)) => Moment::time(a)?.order(&Moment::time(b)?),
            (Atom::Quantity { value: a, unit: u }, Atom::Quantity { value: b, unit: v }) if u.unwrap_or("1") == v.unwrap_or("1") => Some(decimals(a, b)),
            _ => None,
        }
    }
}

/// The order of two decimal numbers without exponents.
pub fn decimals(a: &str, b: &str) -> Ordering {
    let parts = |text: &str| {
        let (minus, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let (whole, fraction) = (whole.trim_start_matches('0').to_owned(), fraction.trim_end_matches('0').to_owned());
        // minus zero is zero
        (minus && !(whole.is_empty() && fraction.is_empty()), whole, fraction)
    };
    let ((minus_a, whole_a, fraction_a), (minus_b, whole_b, fraction_b)) = (parts(a), parts(b));
    // without the zeros that do not matter, text order of the fraction is the order of numbers
    let size = whole_a.len().cmp(&whole_b.len()).then_with(|| whole_a.cmp(&whole_b)).then_with(|| fraction_a.cmp(&fraction_b));
    match (minus_a, minus_b) {
        (false, false) => size,
        (true, true) => size.reverse(),
        (minus_a, _) => if minus_a { Ordering::Less } else { Ordering::Greater },
    }
}

/// A date or time of any precision as the interval that it may stand for, in nanoseconds.
struct Moment {
    low: i128,
    /// Not part of it.
    high: i128,
}

const SECOND: i128 = 1_000_000_000;
const DAY: i128 = 86_400 * SECOND;

impl Moment {
    /// `2015`, `2015-02`, `2015-02-04`, `2015-02-04T14:34:28.123+10:00`; without a zone it is UTC, and `T` may end it.
    fn read(text: &str) -> Option<Moment> {
        let (date, time) = text.split_once('T').unwrap_or((text, ""));
        let mut parts = date.split('-').map(|part| part.parse::<u16>().ok().map(i128::from));
        let year = parts.next()??;
        let (month, day) = (parts.next(), parts.next());
        if parts.next().is_some() {
            return None;
        }
        let first = |year, month| days(year, month) * DAY;
        let day = match (month, day) {
            (None, _) => return Some(Moment { low: first(year, 1), high: first(year + 1, 1) }),
            (Some(month), None) => {
                let month = month.filter(|month| (1..=12).contains(month))?;
                return Some(Moment { low: first(year, month), high: first(year, month + 1) });
            }
            (Some(month), Some(day)) => {
                let month = month.filter(|month| (1..=12).contains(month))?;
                first(year, month) + (day.filter(|day| (1..=31).contains(day))? - 1) * DAY
            }
        };
        if time.is_empty() {
            return Some(Moment { low: day, high: day + DAY });
        }
        let (time, offset) = match time.find(['Z', '+', '-']) {
            Some(at) => (&time[..at], zone(&time[at..])?),
            None => (time, 0),
        };
        let clock = Moment::time(time)?;
        Some(Moment { low: day + clock.low - offset, high: day + clock.high - offset })
    }

    /// `14:34:28.123`, with or without a `T` before it.
    fn time(text: &str) -> Option<Moment> {
        let text = text.strip_prefix('T').unwrap_or(text);
        let mut parts = text.split(':');
        let mut low = 0;
        let mut unit = 3600 * SECOND;
        for part in parts.by_ref().take(2) {
            low += part.parse::<u8>().ok().map(i128::from)? * unit;
            unit /= 60;
        }
        // what the last part that was there counts
        let mut width = unit * 60;
        if let Some(seconds) = parts.next() {
            let (whole, fraction) = seconds.split_once('.').unwrap_or((seconds, ""));
            let fraction = fraction.get(..fraction.len().min(9))?;
            let nanoseconds = if fraction.is_empty() { 0 } else { fraction.parse::<u32>().ok().map(i128::from)? * 10i128.pow(9 - fraction.len() as u32) };
            low += whole.parse::<u8>().ok().map(i128::from)? * SECOND + nanoseconds;
            // seconds and their fractions are one precision
            width = 1;
        }
        parts.next().is_none().then_some(Moment { low, high: low + width })
    }

    fn order(&self, other: &Moment) -> Option<Ordering> {
        if self.high <= other.low {
            Some(Ordering::Less)
        } else if self.low >= other.high {
            Some(Ordering::Greater)
        } else if (self.low, self.high) == (other.low, other.high) {
            Some(Ordering::Equal)
        } else {
            None
        }
    }
}

fn zone(text: &str) -> Option<i128> {
    if text == "Z" {
        return Some(0);
    }
    let (hours, minutes) = text.get(1..)?.split_once(':')?;
    let offset = (hours.parse::<u8>().ok().map(i128::from)? * 60 + minutes.parse::<u8>().ok().map(i128::from)?) * 60 * SECOND;
    Some(if text.starts_with('-') { -offset } else { offset })
}

/// Days since the first of March of the year 0 in the Gregorian calendar.
fn days(year: i128, month: i128) -> i128 {
    let (year, month) = (year + (month - 1).div_euclid(12), (month - 1).rem_euclid(12) + 1);
    let year = if month < 3 { year - 1 } else { year };
    let month = (month + 9) % 12;
    year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + (month * 153 + 2) / 5
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_compared_as_numbers() {
        for (a, b, order) in [
            ("1", "1.0", Ordering::Equal),
            ("-0", "0.00", Ordering::Equal),
            ("9", "10", Ordering::Less),
            ("-9", "-10", Ordering::Greater),
            ("1.05", "1.5", Ordering::Less),
            ("-1", "0.1", Ordering::Less),
            ("0.1", "0.09", Ordering::Greater),
            ("123456789012345678901234567890.1", "123456789012345678901234567890.2", Ordering::Less),
        ] {
            assert_eq!(decimals(a, b), order, "{a} {b}");
            assert_eq!(decimals(b, a), order.reverse(), "{b} {a}");
        }
    }

    #[test]
    fn dates_are_compared_as_far_as_their_precision_goes() {
        let order = |a: &str, b: &str| Moment::read(a).unwrap().order(&Moment::read(b).unwrap());
        for (a, b, expected) in [
            ("2015", "2016", Some(Ordering::Less)),
            ("2015-02", "2015-02", Some(Ordering::Equal)),
            ("2015-12-31", "2016-01", Some(Ordering::Less)),
            ("2016-02-29", "2016-03", Some(Ordering::Less)),
            ("2015", "2015-02", None),
            ("2015-02-04", "2015-02-04T10:00:00Z", None),
            ("2015-02-04T10:00:00Z", "2015-02-04T12:00:00+02:00", Some(Ordering::Equal)),
            ("2015-02-04T10:00:00", "2015-02-04T10:00:00.000Z", Some(Ordering::Equal)),
            ("2015-02-04T10:00:00.1Z", "2015-02-04T10:00:00.09Z", Some(Ordering::Greater)),
            ("2015-02-04T10:00Z", "2015-02-04T10:01Z", Some(Ordering::Less)),
            ("2015-02-04T23:30:00-01:00", "2015-02-05", None),
            ("2015-02-04T23:30:00-01:00", "2015-02-04", Some(Ordering::Greater)),
        ] {
            assert_eq!(order(a, b), expected, "{a} {b}");
        }
        for bad in ["", "x", "2015-13", "2015-02-04T", "2015-02-04-05", "2015-02-04T25x", "2015-02-04T10:00:00+x"] {
            assert!(bad == "2015-02-04T" || Moment::read(bad).is_none(), "{bad}");
        }
        assert_eq!(Moment::time("T14:34").unwrap().order(&Moment::time("14:35:00").unwrap()), Some(Ordering::Less));
    }
}
