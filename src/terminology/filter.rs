//! Filters: which concepts of a code system a value set selects.
//! <https://hl7.org/fhir/R4/valueset-filter-operator.html>

use super::Direction;
use super::code_system::{CodeSystem, Concept};
use crate::json::Node;
use regex::{Regex, RegexBuilder};
use std::collections::HashSet;

/// Bytes of a compiled regular expression, and of what it caches while it runs.
const REGEX_BYTES: usize = 1 << 20;

/// One filter of an include or exclude.
pub struct Filter<'a> {
    pub property: &'a str,
    pub op: &'a str,
    pub value: &'a str,
}

#[derive(Debug, PartialEq)]
pub enum FilterError {
    Unsupported,
    /// What is wrong with it, to be read after "value set x".
    Invalid(String),
}

impl<'a> Filter<'a> {
    /// All three parts are required.
    pub fn read(node: Node<'a>) -> Result<Filter<'a>, FilterError> {
        let part = |key: &str| {
            node.get(key).and_then(Node::as_str).ok_or_else(|| FilterError::Invalid(format!("has a filter without {key}")))
        };
        Ok(Filter { property: part("property")?, op: part("op")?, value: part("value")? })
    }

    /// Whether it selects what a code subsumes and nothing else, and then whether that code too.
    pub fn is_below(&self) -> Option<bool> {
        match (self.property, self.op) {
            ("concept" | "code", "is-a") => Some(true),
            ("concept" | "code", "descendent-of") => Some(false),
            _ => None,
        }
    }

    /// The error where the system does not have the code that the filter names.
    pub fn without_code(&self) -> FilterError {
        FilterError::Invalid(format!("has a filter {} {}, which is not among the codes of the system", self.op, self.value))
    }

    /// One answer for each concept of the system.
    pub fn select(&self, system: &CodeSystem) -> Result<Vec<bool>, FilterError> {
        // An unknown property would choose nothing, and `not-in` everything. A system may also define filters of its own, by name alone.
        if !system.has_property(self.property) {
            return Err(FilterError::Unsupported);
        }
        let chosen = match self.op {
            "is-a" => self.closure(system, Direction::Below, true)?,
            "descendent-of" => self.closure(system, Direction::Below, false)?,
            "is-not-a" => inverted(self.closure(system, Direction::Below, true)?),
            "generalizes" => self.closure(system, Direction::Above, true)?,
            "=" => self.each(system, |value| value == self.value),
            "in" => {
                let wanted = self.list();
                self.each(system, |value| wanted.contains(value))
            }
            "not-in" => {
                let wanted = self.list();
                inverted(self.each(system, |value| wanted.contains(value)))
            }
            "exists" => match self.value {
                "true" => self.each(system, |_| true),
                "false" => inverted(self.each(system, |_| true)),
                _ => return Err(FilterError::Invalid("has a filter exists that is neither true nor false".to_owned())),
            },
            "regex" => {
                let regex = self.regex()?;
                self.each(system, |value| regex.is_match(value))
            }
            _ => return Err(FilterError::Unsupported),
        };
        Ok(chosen)
    }

    /// What the code named by the filter reaches.
    fn closure(&self, system: &CodeSystem, direction: Direction, with_itself: bool) -> Result<Vec<bool>, FilterError> {
        if !matches!(self.property, "concept" | "code") {
            return Err(FilterError::Unsupported);
        }
        let Some(start) = system.find(self.value) else {
            return Err(self.without_code());
        };
        let mut chosen = vec![false; system.len()];
        for at in system.related(start, direction) {
            chosen[at as usize] = true;
        }
        chosen[start as usize] = with_itself;
        Ok(chosen)
    }

    fn each(&self, system: &CodeSystem, test: impl Fn(&str) -> bool) -> Vec<bool> {
        let negative = system.is_false_by_absence(self.property) && self.op != "exists";
        let holds = |concept: &Concept| {
            let mut values = system.values(concept, self.property).peekable();
            if negative && values.peek().is_none() { test("false") } else { values.any(&test) }
        };
        system.concepts().map(holds).collect()
    }

    fn list(&self) -> HashSet<&str> {
        self.value.split(',').map(str::trim).collect()
    }

    /// It must match the whole value, as in XML Schema.
    fn regex(&self) -> Result<Regex, FilterError> {
        let refused = || FilterError::Invalid("has a regular expression that cannot be read".to_owned());
        // by itself, too: a bracket too many would close what is put around it
        let compiled = |text: &str| RegexBuilder::new(text).size_limit(REGEX_BYTES).dfa_size_limit(REGEX_BYTES).nest_limit(50).build();
        compiled(self.value).and_then(|_| compiled(&format!("^(?:{})$", self.value))).map_err(|_| refused())
    }
}

fn inverted(mut chosen: Vec<bool>) -> Vec<bool> {
    for one in &mut chosen {
        *one = !*one;
    }
    chosen
}
