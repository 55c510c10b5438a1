//! Scores in a search, as numbers are searched: <https://hl7.org/fhir/R4/search.html#number>

use super::refuse;
use crate::index::query::{QueryError, shown, split_unescaped};

/// A prefix and a plain decimal.
#[derive(Clone, Debug, PartialEq)]
pub struct Bound {
    prefix: &'static str,
    number: f64,
    /// Half a unit of the last place that was written.
    half: f64,
}

const PREFIXES: [&str; 9] = ["eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"];

impl Bound {
    /// The alternatives of a value.
    pub fn read_all(name: &str, value: &str) -> Result<Vec<Bound>, QueryError> {
        split_unescaped(value, ',').into_iter().map(|part| Bound::read(name, part)).collect()
    }

    fn read(name: &str, text: &str) -> Result<Bound, QueryError> {
        let prefix = PREFIXES.into_iter().find(|prefix| text.starts_with(prefix));
        let digits = prefix.map_or(text, |prefix| &text[prefix.len()..]);
        let is_plain = digits.len() <= 20 && digits.bytes().all(|b| b.is_ascii_digit() || b == b'.') && digits.bytes().any(|b| b.is_ascii_digit());
        let Some(number) = digits.parse::<f64>().ok().filter(|_| is_plain) else {
            return refuse(format!("\"{}\" is no score for parameter \"{}\"", shown(text), shown(name)), "write a number from 0 to 1, such as ge0.8");
        };
        let places = digits.split_once('.').map_or(0, |(_, fraction)| fraction.len());
        Ok(Bound { prefix: prefix.unwrap_or("eq"), number, half: 0.5 * 0.1_f64.powi(places as i32) })
    }

    /// What must hold of a `real` in SQL.
    pub fn condition(&self, value: &str) -> String {
        let compare = |operator: &str, number: f64| format!("{value} OPERATOR(pg_catalog.{operator}) '{number}'::pg_catalog.float4");
        let between = |from: f64, to: f64, end: &str| format!("({} AND {})", compare(">=", from), compare(end, to));
        match self.prefix {
            "gt" | "sa" => compare(">", self.number),
            "lt" | "eb" => compare("<", self.number),
            "ge" => compare(">=", self.number),
            "le" => compare("<=", self.number),
            "ne" => format!("NOT {}", between(self.number - self.half, self.number + self.half, "<")),
            "ap" => between(self.number * 0.9, self.number * 1.1, "<="),
            _ => between(self.number - self.half, self.number + self.half, "<"),
        }
    }
}
