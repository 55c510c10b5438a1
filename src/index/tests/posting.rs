//! A GIN index in memory: which of the documents have a key, and what a scan of it finds.

use super::super::keys::among;
use super::super::query::Leaf;
use super::super::scan::{Group, Scan, ScanKey};
use super::{Keys, Query};
use crate::model::{self, ParameterKey};
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::ops::Bound;

/// A set of documents by their numbers.
#[derive(Clone, PartialEq)]
pub struct Set(Vec<u64>);

impl Set {
    pub fn empty(size: usize) -> Set {
        Set(vec![0; size.div_ceil(64)])
    }

    pub fn all(size: usize) -> Set {
        let mut set = Set::empty(size);
        (0..size).for_each(|n| set.insert(n));
        set
    }

    pub fn insert(&mut self, n: usize) {
        self.0[n / 64] |= 1 << (n % 64);
    }

    pub fn has(&self, n: usize) -> bool {
        self.0[n / 64] & 1 << (n % 64) != 0
    }

    pub fn len(&self) -> usize {
        self.0.iter().map(|w| w.count_ones() as usize).sum()
    }

    fn add(&mut self, other: &Set) {
        self.0.iter_mut().zip(&other.0).for_each(|(a, b)| *a |= b);
    }

    fn keep(&mut self, other: &Set) {
        self.0.iter_mut().zip(&other.0).for_each(|(a, b)| *a &= b);
    }

    /// One that is in here but not in the other.
    pub fn beyond(&self, other: &Set) -> Option<usize> {
        (0..self.0.len() * 64).find(|n| self.has(*n) && !other.has(*n))
    }
}

pub struct Index {
    pub documents: Vec<Vec<u8>>,
    postings: BTreeMap<Vec<u8>, Set>,
    with_parameter: BTreeMap<ParameterKey, Set>,
    types: Vec<String>,
}

/// What a scan finds: those that may match, and those of which the keys alone say that they do.
pub struct Found {
    pub possible: Set,
    pub certain: Set,
}

impl Index {
    pub fn new(documents: Vec<Vec<u8>>) -> Index {
        let mut postings: BTreeMap<Vec<u8>, Set> = BTreeMap::new();
        let mut with_parameter: BTreeMap<ParameterKey, Set> = BTreeMap::new();
        let mut types = Vec::new();
        for (n, body) in documents.iter().enumerate() {
            let keys = Keys::read(body).unwrap();
            keys.for_each_key(&mut |key| {
                postings.entry(key.to_vec()).or_insert_with(|| Set::empty(documents.len())).insert(n);
            });
            keys.entries().for_each(|e| with_parameter.entry(e.parameter).or_insert_with(|| Set::empty(documents.len())).insert(n));
            types.push(keys.resource_type.to_owned());
        }
        Index { documents, postings, with_parameter, types }
    }

    pub fn keys(&self, n: usize) -> Keys<'_> {
        Keys::read(&self.documents[n]).unwrap()
    }

    /// What `matches` says of each document.
    pub fn matching(&self, query: &Query) -> Set {
        let mut set = Set::empty(self.documents.len());
        (0..self.documents.len()).filter(|n| query.matches(self.keys(*n))).for_each(|n| set.insert(n));
        set
    }

    /// The same, where only the documents that have one of the parameters are asked: the others meet negated conditions alone.
    pub fn matching_at_once(&self, query: &Query) -> Set {
        let mut relevant = Set::empty(self.documents.len());
        let parameters = query.conditions.iter().flat_map(|c| &c.any_of).flat_map(|leaf| match leaf {
            Leaf::One { parameter, .. } => vec![*parameter],
            Leaf::Member(member) => member.rules.iter().flat_map(|rule| &rule.links).copied().chain(model::keys_of_code("_id").map(|(key, _)| key)).collect(),
            Leaf::Together(parts) => parts.iter().flat_map(|c| c.tests.iter().map(|(p, _)| *p)).collect(),
        });
        for parameter in parameters {
            if let Some(set) = self.with_parameter.get(&parameter) {
                relevant.add(set);
            }
        }
        let others = query.conditions.iter().all(|c| c.negated);
        let mut set = Set::empty(self.documents.len());
        for (n, ty) in self.types.iter().enumerate() {
            let typed = query.resource_type.is_none_or(|t| t.name() == ty);
            if typed && (if relevant.has(n) { query.matches(self.keys(n)) } else { others }) {
                set.insert(n);
            }
        }
        set
    }

    fn with_key(&self, key: &ScanKey, found: &mut Set) {
        if !key.partial {
            if let Some(set) = self.postings.get(&key.bytes) {
                found.add(set);
            }
            return;
        }
        let from = (Bound::Included(key.bytes.as_slice()), Bound::Unbounded);
        for (k, set) in self.postings.range::<[u8], _>(from) {
            match among(&key.bytes, k) {
                Ordering::Equal => found.add(set),
                Ordering::Less => {}
                Ordering::Greater => break,
            }
        }
    }

    /// The documents of a group, and those that it decides.
    pub fn with_group(&self, group: &Group) -> Found {
        let (mut possible, mut certain) = (Set::empty(self.documents.len()), Set::empty(self.documents.len()));
        for key in &group.keys {
            self.with_key(key, &mut possible);
            if key.exact {
                self.with_key(key, &mut certain);
            }
        }
        Found { possible, certain }
    }

    /// What the operator class makes of a scan.
    pub fn scan(&self, scan: &Scan) -> Found {
        let size = self.documents.len();
        if scan.groups.is_empty() {
            return Found { possible: Set::all(size), certain: Set::empty(size) }; // the whole index is read, and every row tested
        }
        let mut found = Found { possible: Set::all(size), certain: Set::all(size) };
        for group in &scan.groups {
            let of_group = self.with_group(group);
            found.possible.keep(&of_group.possible);
            found.certain.keep(&of_group.certain);
        }
        if scan.recheck {
            found.certain = Set::empty(size);
        }
        found
    }
}
