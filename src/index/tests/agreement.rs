//! For tens of thousands of queries: what the index finds, rechecked, is what matches.

use super::super::keys::{Keys, Value};
use super::super::matches::Matcher;
use super::super::scan::Scan;
use super::corpus;
use super::posting::Index;
use super::queries::{self, Asked};
use super::{Numbers, parse};
use crate::model;
use std::collections::{BTreeMap, HashMap, HashSet};

/// How often the scan was right, by the kind of the query.
#[derive(Default)]
struct Score {
    queries: usize,
    matched: usize,
    possible: usize,
    rechecked: usize,
}

struct Judge {
    index: Index,
    scores: BTreeMap<&'static str, Score>,
    asked: usize,
    wrong: Vec<String>,
}

impl Judge {
    fn new(documents: Vec<Vec<u8>>) -> Judge {
        Judge { index: Index::new(documents), scores: BTreeMap::new(), asked: 0, wrong: Vec::new() }
    }

    fn shown(&self, n: usize) -> String {
        let keys = self.index.keys(n);
        format!("{} {n}: {:?}", keys.resource_type, keys.entries().map(|e| e.value).take(30).collect::<Vec<_>>())
    }

    /// Asks the query; `source` is the document that it was made from.
    fn ask(&mut self, kind: &'static str, text: &str, source: Option<(usize, bool)>) {
        let query = parse(text);
        let matching = self.index.matching_at_once(&query);
        if self.asked.is_multiple_of(40) {
            assert!(matching == self.index.matching(&query), "{text}");
            let matcher = Matcher::new(parse(text));
            let same = (0..self.index.documents.len()).all(|n| matcher.matches(self.index.keys(n)) == matching.has(n));
            assert!(same, "{text}");
        }
        self.asked += 1;
        let scan = Scan::of(&query);
        let found = self.index.scan(&scan);
        if let Some(n) = matching.beyond(&found.possible) {
            self.wrong.push(format!("{text} misses {}\n  {query:?}\n  {scan:?}", self.shown(n)));
        }
        if let Some(n) = found.certain.beyond(&matching) {
            self.wrong.push(format!("{text} is sure of {}\n  {query:?}\n  {scan:?}", self.shown(n)));
        }
        if scan.groups.iter().any(|g| g.keys.is_empty()) && matching.len() > 0 {
            self.wrong.push(format!("{text} has an empty group and matches"));
        }
        if let ([condition], [group]) = (query.conditions.as_slice(), scan.excluded.as_slice())
            && condition.negated
        {
            // what is left must not be in the group for sure
            let excluded = self.index.with_group(group);
            if let Some(n) = (0..self.index.documents.len()).find(|n| excluded.certain.has(*n) && matching.has(*n)) {
                self.wrong.push(format!("{text} excludes {}", self.shown(n)));
            }
        }
        if let Some((n, expected)) = source
            && matching.has(n) != expected
        {
            self.wrong.push(format!("{text} should{} match {}", if expected { "" } else { " not" }, self.shown(n)));
        }
        let negated = query.conditions.iter().all(|c| c.negated);
        let score = self.scores.entry(if negated { "negated" } else { kind }).or_default();
        score.queries += 1;
        score.matched += matching.len();
        score.possible += found.possible.len();
        score.rechecked += found.possible.len() - found.certain.len();
    }

    fn verdict(self, least: usize) {
        for (kind, s) in &self.scores {
            println!("{kind:12} {:6} queries, {:8} matches, {:8} candidates, {:8} rechecked", s.queries, s.matched, s.possible, s.rechecked);
        }
        let queries: usize = self.scores.values().map(|s| s.queries).sum();
        println!("{queries} queries over {} resources", self.index.documents.len());
        assert!(self.wrong.is_empty(), "{} wrong:\n{}", self.wrong.len(), self.wrong[..self.wrong.len().min(12)].join("\n"));
        assert!(queries >= least, "{queries} queries");
    }
}

/// Queries made from the values of all documents, at most `per_value` for each distinct value and for `values` of each parameter.
fn judge(documents: Vec<Vec<u8>>, values: usize, per_value: usize, least: usize) {
    let mut judge = Judge::new(documents);
    let mut numbers = Numbers(1);
    let mut seen = HashSet::new();
    let mut taken: HashMap<_, usize> = HashMap::new();
    for n in 0..judge.index.documents.len() {
        let body = judge.index.documents[n].clone();
        let keys = Keys::read(&body).unwrap();
        let ty = model::type_named(keys.resource_type);
        let mut asked_here: Vec<Asked> = Vec::new();
        for entry in keys.entries() {
            let known = match ty {
                Some(ty) => model::search_parameters(ty).any(|p| p.key == entry.parameter),
                None => false,
            };
            if !known || !seen.insert((entry.parameter, format!("{:?}", entry.value))) {
                continue;
            }
            let taken = taken.entry((entry.parameter, kind(&entry.value))).or_default();
            if *taken >= values {
                continue;
            }
            *taken += 1;
            let (code, _) = model::parameter_key(entry.parameter);
            let mut asked = queries::of_value(code, &entry.value);
            if keys.of(entry.parameter).count() > 1 {
                // another value of the resource may match
                asked.iter_mut().filter(|a| a.modifier.is_empty() && a.source == Some(false)).for_each(|a| a.source = None);
            }
            while asked.len() > per_value {
                let at = numbers.below(asked.len());
                asked.swap_remove(at);
            }
            for a in &asked {
                let kind = kind(&entry.value);
                judge.ask(kind, &format!("{}?{}", keys.resource_type, a.text()), a.source.map(|s| (n, s)));
                // a name may have other meanings where the type is left out
                if numbers.below(4) == 0 {
                    judge.ask(kind, &a.text(), a.source.filter(|s| *s).map(|s| (n, s)));
                }
            }
            if let Value::Reference(reference) = entry.value
                && ["Patient/", "Encounter/", "Practitioner/", "Device/"].iter().any(|ty| reference.starts_with(ty))
                && !reference.contains(['|', ','])
                && reference.matches('/').count() == 1
                && reference.len() < 80
            {
                judge.ask("compartment", &format!("{}?_compartment={reference}", keys.resource_type), None);
                judge.ask("compartment", &format!("_compartment={reference},Patient/{n}"), None);
            }
            // lists of values of one parameter
            if let [first, ..] = asked.as_slice() {
                let list: Vec<&Asked> = asked.iter().filter(|a| a.modifier == first.modifier && a.modifier != "missing").take(3).collect();
                if list.len() > 1 {
                    let values: Vec<&str> = list.iter().map(|a| a.value.as_str()).collect();
                    let joined = Asked { name: first.name.clone(), modifier: first.modifier, value: values.join(","), source: None };
                    let source = (first.modifier != "not" && list.iter().any(|a| a.source == Some(true))).then_some((n, true));
                    judge.ask("list", &format!("{}?{}", keys.resource_type, joined.text()), source);
                }
            }
            if asked.len() > 2 {
                asked.truncate(2);
            }
            asked_here.append(&mut asked);
        }
        // pairs of conditions on one resource
        for pair in asked_here.windows(2).step_by(2) {
            let source = (pair[0].source == Some(true) && pair[1].source == Some(true)).then_some((n, true));
            let text = format!("{}&{}", pair[0].text(), pair[1].text());
            let typed = numbers.below(2) == 0;
            judge.ask("pair", &if typed { format!("{}?{text}", keys.resource_type) } else { text }, source);
        }
        for composite in ty.into_iter().flat_map(|ty| queries::composites(ty, keys, &mut numbers)) {
            judge.ask("composite", &format!("{}?{}", keys.resource_type, composite.text()), composite.source.map(|s| (n, s)));
        }
    }
    judge.verdict(least);
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Present => "present",
        Value::Token { .. } => "token",
        Value::Code { .. } => "code",
        Value::Display(_) => "display",
        Value::OfType { .. } => "of-type",
        Value::String(_) => "string",
        Value::Reference(_) => "reference",
        Value::Identifier { .. } => "identifier",
        Value::Date(_) => "date",
        Value::Number(_) => "number",
        Value::Quantity { .. } => "quantity",
        Value::Uri(_) => "uri",
        Value::Part(_) => "part",
        Value::Sound(_) => "sound",
        Value::Position(_) => "position",
    }
}

#[test]
fn what_the_index_finds_in_odd_resources_is_what_matches() {
    judge(corpus::odd(), 100, 12, 5_000);
}

#[test]
fn what_the_index_finds_in_the_examples_is_what_matches() {
    let Some(documents) = corpus::examples() else { return };
    judge(documents, 16, 4, 15_000);
}

#[test]
fn long_lists_are_looked_up() {
    let index = Index::new(corpus::odd());
    let many = |value: &dyn Fn(usize) -> String| (0..40).map(value).collect::<Vec<_>>().join(",");
    let codes = many(&|n| format!("c{n}"));
    let texts = [
        format!("Observation?code={codes}"),
        format!("Observation?code:not={codes},1-8"),
        format!("code={codes},http://loinc.org|1-8"),
        format!("Observation?code={codes},|bare,http://a%5C|b|c%5C|d"),
        format!("Observation?status={codes},http://hl7.org/fhir/observation-status|final"),
        format!("status={codes},|draft"),
        format!("Observation?subject={}", many(&|n| format!("Patient/{n}"))),
        format!("Observation?subject={},Patient/1/_history/2", many(&|n| format!("Group/{n}"))),
        format!("subject:identifier={codes},http://a|1%5C|2"),
        format!("Patient?name={codes},jose"),
        format!("Patient?gender={codes}&name={codes},a"),
    ];
    for text in &texts {
        let matcher = Matcher::new(parse(text));
        let matching = index.matching(&parse(text));
        assert!((0..index.documents.len()).all(|n| matcher.matches(index.keys(n)) == matching.has(n)), "{text}");
    }
}
