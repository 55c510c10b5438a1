//! Whether a resource's keys satisfy a query: the truth behind every index hit, decided on the values in full precision.

use super::decimal::{Bound, Span};
use super::keys::{Entry, Keys, Target, Value};
use super::query::{Comparison, Condition, Leaf, Query, Range, Test, Unit};
use super::text::{fold, normalise};
use super::time::Interval;
use super::ucum;
use crate::model::ParameterKey;
use crate::path::reference;
use std::collections::{HashMap, HashSet};

impl Query {
    /// True if all conditions hold for the resource that the keys were made from.
    pub fn matches(&self, keys: Keys) -> bool {
        self.resource_type.is_none_or(|ty| ty.name() == keys.resource_type) && self.conditions.iter().all(|c| c.matches(keys))
    }
}

/// A query that many rows are asked: long lists of codes or references are looked up instead of walked.
pub struct Matcher {
    query: Query,
    /// For each condition that has a long list.
    lists: Vec<Option<List>>,
}

/// From so many alternatives on a list is looked up.
const LONG: usize = 9;

#[derive(Default)]
struct List {
    values: Vec<(ParameterKey, Values)>,
    /// The alternatives that are neither codes nor references, by their numbers.
    others: Vec<usize>,
}

#[derive(Default)]
struct Values {
    codes: HashSet<String>,
    /// By code, the systems that it is searched in.
    coded: HashMap<String, Vec<Option<String>>>,
    references: HashSet<String>,
}

impl Matcher {
    pub fn new(query: Query) -> Matcher {
        let lists = query.conditions.iter().map(|condition| (condition.any_of.len() >= LONG).then(|| List::of(&condition.any_of))).collect();
        Matcher { query, lists }
    }

    /// What [`Query::matches`] says.
    pub fn matches(&self, keys: Keys) -> bool {
        self.query.resource_type.is_none_or(|ty| ty.name() == keys.resource_type)
            && self.query.conditions.iter().zip(&self.lists).all(|(condition, list)| match list {
                None => condition.matches(keys),
                Some(list) => (list.has(keys) || list.others.iter().any(|at| condition.any_of[*at].matches(keys))) != condition.negated,
            })
    }
}

impl List {
    fn of(any_of: &[Leaf]) -> List {
        let mut list = List::default();
        for (number, leaf) in any_of.iter().enumerate() {
            let Leaf::One { parameter, test } = leaf else {
                list.others.push(number);
                continue;
            };
            // few parameters share a name
            let at = list.values.iter().position(|(p, _)| p == parameter).unwrap_or_else(|| {
                list.values.push((*parameter, Values::default()));
                list.values.len() - 1
            });
            let values = &mut list.values[at].1;
            match test {
                Test::Code(code) => drop(values.codes.insert(code.clone())),
                Test::CodeAndSystem { code, system } => values.coded.entry(code.clone()).or_default().push(system.clone()),
                Test::Reference { target, version: None } => drop(values.references.insert(target.clone())),
                _ => list.others.push(number),
            }
        }
        list
    }

    fn has(&self, keys: Keys) -> bool {
        self.values.iter().any(|(parameter, values)| keys.of(*parameter).any(|entry| values.have(&entry.value)))
    }
}

impl Values {
    fn have(&self, value: &Value) -> bool {
        let coded = |code: &str, fits: &dyn Fn(Option<&str>) -> bool| {
            self.codes.contains(code) || self.coded.get(code).is_some_and(|systems| systems.iter().any(|system| fits(system.as_deref())))
        };
        match value {
            Value::Token { system, code } => coded(code, &|searched| searched == *system),
            Value::Code { system, code } => coded(code, &|searched| searched.is_none_or(|searched| searched == *system)),
            Value::Reference(reference) => Target::read(reference).is_some_and(|target| self.references.contains(target.unversioned)),
            _ => false,
        }
    }
}

impl Condition {
    fn matches(&self, keys: Keys) -> bool {
        self.any_of.iter().any(|leaf| leaf.matches(keys)) != self.negated
    }
}

impl Leaf {
    fn matches(&self, keys: Keys) -> bool {
        match self {
            Leaf::One { parameter, test } => keys.of(*parameter).any(|e| test.matches(&e.value)),
            Leaf::Member(member) => member.matches(keys),
            Leaf::Together(components) => {
                // those that may lie anywhere stand last
                let Some((first, rest)) = components.split_first() else { return false };
                first.tests.iter().any(|(p, test)| {
                    keys.of(*p).filter(|e| test.matches(&e.value)).any(|found| {
                        rest.iter().all(|component| {
                            let belongs = |e: &Entry| component.anywhere || e.element == found.element;
                            component.tests.iter().any(|(p, test)| keys.of(*p).any(|e| belongs(&e) && test.matches(&e.value)))
                        })
                    })
                })
            }
        }
    }
}

impl Test {
    pub fn matches(&self, value: &Value) -> bool {
        match (self, value) {
            (Test::Present, _) => true,
            (Test::Code(a), Value::Token { code, .. } | Value::Code { code, .. }) => a == code,
            (Test::CodeAndSystem { code: a, system: s }, Value::Token { code, system }) => a == code && s.as_deref() == *system,
            (Test::CodeAndSystem { code: a, system: s }, Value::Code { code, system }) => {
                a == code && s.as_deref().is_none_or(|s| s == *system)
            }
            (Test::System(a), Value::Token { system, .. }) => *system == Some(a),
            (Test::System(a), Value::Code { system, .. }) => a == system,
            (Test::CodeStart(a), Value::Token { code, .. } | Value::Code { code, .. }) => fold(code).starts_with(a.as_str()),
            (Test::Mime(a), Value::Token { code, .. } | Value::Code { code, .. }) => is_mime(code, a),
            (Test::Display(a), Value::Display(text)) => normalise(text).starts_with(a.as_str()),
            (Test::OfType { system: s, code: c, value: v }, Value::OfType { system, code, value }) => {
                v == value && c == code && s.as_deref().is_none_or(|s| Some(s) == *system)
            }
            (Test::StringStart(a), Value::String(s)) => normalise(s).starts_with(a.as_str()),
            (Test::StringStart(a), Value::Part(s)) => normalise(s).starts_with(a.as_str()),
            (Test::Sound(a), Value::Sound(sound)) => a == sound,
            (Test::StringExact(a), Value::String(s)) => a == s,
            (Test::StringContains(a), Value::String(s)) => normalise(s).contains(a.as_str()),
            (Test::Reference { target, version }, Value::Reference(reference)) => {
                Target::read(reference).is_some_and(|t| t.unversioned == target && version.as_deref().is_none_or(|v| Some(v) == t.version))
            }
            (Test::ReferenceBelow { target, version }, Value::Reference(reference)) => {
                let of = |found: Option<&str>| version.as_deref().is_none_or(|v| found.is_some_and(|found| is_version_of(found, v)));
                Target::read(reference).is_some_and(|t| t.unversioned == target && of(t.version))
            }
            (Test::ReferenceAbove { target, version }, Value::Reference(reference)) => {
                let of = |found: Option<&str>| found.is_none_or(|found| version.as_deref().is_some_and(|v| is_version_of(v, found)));
                Target::read(reference).is_some_and(|t| t.unversioned == target && of(t.version))
            }
            (Test::ReferenceTo { ty: wanted, id: a }, Value::Reference(reference)) => match reference::target(reference) {
                reference::Target::Literal { ty, id, .. } => a == id && wanted.is_none_or(|wanted| wanted == ty),
                _ => false,
            },
            (Test::Identifier { system: s, value: v }, Value::Identifier { system, value }) => {
                v == value && s.as_ref().is_none_or(|s| s.as_deref() == *system)
            }
            (Test::Date(comparison, searched), Value::Date(target)) => compare_dates(*comparison, *searched, *target),
            (Test::Number(comparison, range), Value::Number(span)) => compare_numbers(*comparison, range, *span),
            (Test::Quantity(comparison, range, Unit::Measured(measure)), Value::Quantity { span, system, code, .. }) => {
                let unit = ucum::unit(*system, *code).filter(|unit| unit.measure == *measure);
                unit.and_then(|unit| unit.with_span(*span, |span| compare_numbers(*comparison, range, span))).unwrap_or(false)
            }
            (Test::Quantity(comparison, range, unit), Value::Quantity { span, system, code, unit: named }) => {
                let fits = match unit {
                    Unit::Any => true,
                    Unit::Named(a) => *code == Some(a) || *named == Some(a),
                    Unit::Coded { system: s, code: c } => *system == Some(s) && *code == Some(c),
                    Unit::OfSystem(s) => *system == Some(s),
                    Unit::Measured(_) => false,
                };
                fits && compare_numbers(*comparison, range, *span)
            }
            (Test::Uri(a), Value::Uri(uri)) => a == uri,
            (Test::UriBelow(a), Value::Uri(uri)) => is_below(uri, a),
            (Test::UriAbove(a), Value::Uri(uri)) => is_below(a, uri),
            (Test::Near { center, metres }, Value::Position(position)) => center.distance(*position) <= *metres,
            (Test::StringIs(a), Value::String(s)) => normalise(s) == a.as_str(),
            (Test::StringEnd(a), Value::String(s)) => normalise(s).ends_with(a.as_str()),
            (Test::StringOrder(comparison, a), Value::String(s)) => normalise(s).trim().chars().next().is_some_and(|first| match comparison {
                Comparison::Gt => first > *a,
                Comparison::Ge => first >= *a,
                Comparison::Lt => first < *a,
                Comparison::Le => first <= *a,
                _ => false,
            }),
            (Test::DateCovers(searched), Value::Date(target)) => target.contains(*searched),
            (Test::DateIfAny(comparison, searched), Value::Date(target)) => compare_dates(*comparison, *searched, *target),
            (Test::DateIfAny(..), Value::Present) => true,
            (Test::Other(tests), value) => {
                let comparable = matches!(
                    value,
                    Value::Token { .. } | Value::Code { .. } | Value::String(_) | Value::Reference(_) | Value::Uri(_)
                );
                comparable && !tests.iter().any(|test| test.matches(value))
            }
            _ => false,
        }
    }
}

/// Whether a version is the other or a part of it, `1.0` of `1`.
fn is_version_of(version: &str, whole: &str) -> bool {
    version.strip_prefix(whole).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '-']))
}

/// <https://hl7.org/fhir/R4/search.html#mimetype>: the type may have parameters behind it.
fn is_mime(code: &str, base: &str) -> bool {
    let found = code.split_once(';').map_or(code, |(found, _)| found.trim_end());
    code == base || found.eq_ignore_ascii_case(base)
}

/// Whether the uri is the other or lies below it, by whole segments.
/// <https://hl7.org/fhir/R4/search.html#uri>
fn is_below(uri: &str, top: &str) -> bool {
    uri.strip_prefix(top).is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || top.ends_with('/'))
}

/// <https://hl7.org/fhir/R4/search.html#prefix>: `searched` is the interval of the search value.
fn compare_dates(comparison: Comparison, searched: Interval, target: Interval) -> bool {
    let above = || target.high > searched.high;
    let below = || target.low < searched.low;
    match comparison {
        Comparison::Eq => searched.contains(target),
        Comparison::Ne => !searched.contains(target),
        Comparison::Gt => above(),
        Comparison::Lt => below(),
        Comparison::Ge => above() || searched.contains(target),
        Comparison::Le => below() || searched.contains(target),
        Comparison::Sa => target.low >= searched.high,
        Comparison::Eb => target.high <= searched.low,
        Comparison::Ap => target.low < searched.high && target.high > searched.low,
    }
}

/// `eq`, `ne` and `ap` take the range that the search value implies, the others the value exactly.
fn compare_numbers(comparison: Comparison, range: &Range, target: Span) -> bool {
    match comparison {
        Comparison::Eq => range.implied().contains(target),
        Comparison::Ne => !range.implied().contains(target),
        Comparison::Gt => target.reaches_above(&range.value),
        Comparison::Lt => target.reaches_below(&range.value),
        Comparison::Ge => target.reaches_above(&range.value) || target.ends_at(&range.value),
        Comparison::Le => target.reaches_below(&range.value) || target.begins_at(&range.value),
        Comparison::Sa => target.is_above(&range.value),
        Comparison::Eb => target.is_below(&range.value),
        Comparison::Ap => target.reaches_above(&range.low) && target.reaches_below(&range.high) || contains_any(range, target),
    }
}

/// Whether the target touches an end of the approximate range.
fn contains_any(range: &Range, target: Span) -> bool {
    let near = Span { low: Bound::Closed(&range.low), high: Bound::Closed(&range.high) };
    near.contains(target)
}
