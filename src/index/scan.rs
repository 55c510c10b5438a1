//! A query as a search of the GIN index: groups of exact keys, of which each group must have one.
//!
//! Ranges become a short list of buckets, never a partial match: a partial match reads its whole range before anything
//! is intersected. Only prefixes of strings and uris are partial.

use super::compartment::Member;
use super::decimal;
use super::keys::{self, End, INFINITE, KeyBuffer, MAX_PREFIX};
use super::query::{Comparison, Condition, Leaf, Query, Range, Test, Unit};
use super::reads::Reads;
use super::text::{self, normalise};
use super::time::{self, Interval, OPEN_HIGH, OPEN_LOW};
use crate::model::{self, ParameterKey, ParameterType};

/// A resource matches if it has a key of every group; exactly so, unless a key or the whole scan says that it must be rechecked.
#[derive(Debug, PartialEq, Default)]
pub struct Scan {
    pub groups: Vec<Group>,
    /// Keys of negated conditions: no part of the scan, but they tell how much is left.
    pub excluded: Vec<Group>,
    /// Some condition has no keys: what the groups find must still be tested.
    pub recheck: bool,
    /// Keys in all groups.
    size: usize,
}

/// A scan has no more keys than this; conditions beyond are left to the recheck.
pub const MAX_KEYS: usize = 100_000;

#[derive(Debug, PartialEq, Default)]
pub struct Group {
    pub keys: Vec<ScanKey>,
    /// Only resources with one searched type are in this group: the type's own key.
    pub is_type: bool,
}

#[derive(Debug, PartialEq, Clone)]
pub struct ScanKey {
    pub bytes: Vec<u8>,
    /// All keys that begin with these bytes.
    pub partial: bool,
    /// Whether having the key decides the condition.
    pub exact: bool,
}

/// A prefix this short names too many keys to read them all where another group narrows the search.
const BROAD_PREFIX: usize = 2;

impl Scan {
    pub fn of(query: &Query) -> Scan {
        let mut scan = Scan::default();
        for condition in &query.conditions {
            scan.add(condition);
        }
        if let Some(ty) = query.resource_type {
            let bytes = KeyBuffer::default().of_type(ty.name()).to_vec();
            scan.groups.push(Group { keys: vec![ScanKey { bytes, partial: false, exact: true }], is_type: true });
        }
        scan.drop_broad_prefixes();
        scan
    }

    fn add(&mut self, condition: &Condition) {
        if condition.negated {
            self.recheck = true;
            let mut positive = Scan { size: self.size, ..Scan::default() };
            positive.add_any(&condition.any_of);
            if let [_] = positive.groups.as_slice() {
                self.size = positive.size;
                self.excluded.append(&mut positive.groups);
            }
            return;
        }
        self.add_any(&condition.any_of);
    }

    fn add_any(&mut self, any_of: &[Leaf]) {
        let mut builder = Builder::default();
        let [leaf] = any_of else {
            let all = any_of.iter().all(|leaf| {
                let found = match leaf {
                    Leaf::One { parameter, test } => builder.keys_of(*parameter, test),
                    // the first component speaks for the tuple, and the recheck for the rest
                    Leaf::Together(components) => components.first().is_some_and(|c| builder.lossy(&c.tests)),
                    Leaf::Member(member) => builder.member(member),
                };
                found && builder.is_bounded()
            });
            return self.push(all, builder);
        };
        match leaf {
            Leaf::One { parameter, test } => {
                let found = builder.keys_of(*parameter, test);
                if let Test::Quantity(_, _, unit) = test {
                    self.add_unit(*parameter, unit);
                }
                self.push(found, builder);
            }
            Leaf::Member(member) => {
                let found = builder.member(member);
                self.push(found, builder);
            }
            Leaf::Together(components) => {
                self.recheck = true;
                for component in components {
                    let mut builder = Builder::default();
                    let found = builder.lossy(&component.tests);
                    self.push(found, builder);
                }
            }
        }
    }

    fn push(&mut self, complete: bool, mut builder: Builder) {
        builder.unite();
        if !complete || self.size + builder.keys.len() > MAX_KEYS {
            self.recheck = true;
            return;
        }
        self.size += builder.keys.len();
        self.groups.push(Group { keys: builder.keys, is_type: false });
    }

    /// Number and unit may belong to two quantities: both groups, and a recheck by the keys of the number.
    fn add_unit(&mut self, parameter: ParameterKey, unit: &Unit) {
        let mut key = KeyBuffer::default();
        let bytes = match unit {
            Unit::Any => return,
            Unit::Named(name) => key.unit(parameter, name),
            Unit::Coded { system, code } => key.unit_and_system(parameter, code, Some(system)),
        };
        self.groups.push(Group { keys: vec![ScanKey { bytes: bytes.to_vec(), partial: false, exact: false }], is_type: false });
        self.recheck = true;
    }

    /// Where another group narrows the search, a short prefix is left to the recheck.
    fn drop_broad_prefixes(&mut self) {
        let broad = |group: &Group| group.keys.iter().any(|k| k.partial && k.bytes.len() <= 3 + BROAD_PREFIX);
        if self.groups.iter().any(|g| !g.is_type && !broad(g)) {
            let before = self.groups.len();
            self.groups.retain(|g| !broad(g));
            self.recheck |= self.groups.len() < before;
        }
    }
}

#[derive(Default)]
struct Builder {
    keys: Vec<ScanKey>,
    buffer: KeyBuffer,
}

impl Builder {
    /// Leaves one of keys that are alike: the one that decides least.
    fn unite(&mut self) {
        self.keys.sort_by(|a, b| a.bytes.cmp(&b.bytes).then(a.exact.cmp(&b.exact)));
        self.keys.dedup_by(|a, b| a.bytes == b.bytes && a.partial == b.partial);
    }

    /// Many of the keys may yet turn out to be alike.
    fn is_bounded(&self) -> bool {
        self.keys.len() <= 4 * MAX_KEYS
    }

    /// Adds the keys of which a matching resource has one; false if the test has none.
    fn keys_of(&mut self, p: ParameterKey, test: &Test) -> bool {
        if keys::is_column(p) {
            return false;
        }
        let mut put = |bytes: &[u8], exact: bool| {
            let exact = exact && !keys::is_cut(bytes);
            self.keys.push(ScanKey { bytes: bytes.to_vec(), partial: false, exact });
        };
        let key = &mut self.buffer;
        match test {
            Test::Present => self.present(p, true),
            Test::Code(code) => put(key.code(p, code), true),
            // a code alone has no further key to say so
            Test::CodeAndSystem { code, system: None } => put(key.code(p, code), false),
            Test::CodeAndSystem { code, system: Some(system) } => {
                let reads = Reads::of(p);
                if !reads.only_identifiers {
                    put(key.code_and_system(p, code, system), true);
                }
                if reads.only_identifiers || reads.implies(system, code) {
                    put(key.code(p, code), false);
                }
            }
            Test::System(system) => {
                put(key.system(p, system), true);
                if Reads::of(p).implies_system(system) {
                    put(key.presence(p), false);
                }
            }
            Test::OfType { value, .. } => put(key.code(p, value), false),
            Test::StringExact(value) => put(key.string(p, &normalise(value)), false),
            Test::StringStart(start) => {
                let cut = text::prefix(start, MAX_PREFIX - 4);
                let exact = cut.len() == start.len();
                let bytes = key.string(p, cut).to_vec();
                self.keys.push(ScanKey { bytes, partial: true, exact });
            }
            Test::Display(_) | Test::StringContains(_) => put(key.presence(p), false),
            Test::Reference { target, version } => match version {
                None => put(key.reference(p, target), true),
                Some(_) => put(key.reference(p, target), false),
            },
            Test::Identifier { system, value } => put(key.identifier(p, value), system.is_none()),
            Test::Uri(uri) => put(key.uri(p, uri), true),
            Test::UriBelow(uri) => {
                let bytes = key.uri(p, text::prefix(uri, MAX_PREFIX - 4)).to_vec();
                self.keys.push(ScanKey { bytes, partial: true, exact: false });
            }
            Test::UriAbove(uri) => {
                // what lies beyond the cut has the same key
                let cut = text::prefix(uri, MAX_PREFIX);
                let ends = cut.char_indices().filter(|(_, c)| *c == '/').flat_map(|(at, _)| [at, at + 1]);
                for end in ends.chain([cut.len()]).filter(|end| *end > 0) {
                    put(key.uri(p, &cut[..end]), false);
                }
            }
            Test::Date(comparison, searched) => self.date(p, *comparison, *searched),
            Test::Number(comparison, range) => self.number(p, *comparison, range, true),
            Test::Quantity(comparison, range, unit) => self.number(p, *comparison, range, *unit == Unit::Any),
        }
        true
    }

    /// Of one searched type, the references decide; a parameter may link other types to other compartments.
    fn member(&mut self, member: &Member) -> bool {
        let exact = member.is_typed;
        for rule in &member.rules {
            for link in &rule.links {
                let bytes = self.buffer.reference(*link, &member.focus).to_vec();
                let exact = exact && !keys::is_cut(&bytes);
                self.keys.push(ScanKey { bytes, partial: false, exact });
            }
            if rule.is_focus {
                let bytes = self.buffer.of_type(rule.ty.name()).to_vec(); // an id has no key
                self.keys.push(ScanKey { bytes, partial: false, exact: false });
            }
        }
        true
    }

    fn lossy(&mut self, tests: &[(ParameterKey, Test)]) -> bool {
        let found = tests.iter().all(|(p, test)| self.keys_of(*p, test));
        self.keys.iter_mut().for_each(|k| k.exact = false);
        found
    }

    fn bucket(&mut self, p: ParameterKey, end: End, level: usize, number: i32, exact: bool) {
        let bytes = self.buffer.bucket(p, end, level, number).to_vec();
        self.keys.push(ScanKey { bytes, partial: false, exact });
    }

    /// Any value: a date or a number has its low end in one of the coarsest buckets, or has none.
    fn present(&mut self, p: ParameterKey, exact: bool) {
        let bytes = self.buffer.presence(p).to_vec();
        self.keys.push(ScanKey { bytes, partial: false, exact });
        let level = 0;
        let buckets: Vec<i32> = match model::known_parameter_key(p) {
            Some((_, ParameterType::Date)) => time::coarsest().collect(),
            Some((_, ParameterType::Number | ParameterType::Quantity)) => decimal::coarsest().collect(),
            _ => return,
        };
        for number in buckets {
            self.bucket(p, End::Both, level, number, exact);
            self.bucket(p, End::Low, level, number, exact);
        }
        self.bucket(p, End::Low, INFINITE, 0, exact);
    }

    /// Dates of which this end lies in `[from, to)`.
    fn date_end(&mut self, p: ParameterKey, end: End, from: i64, to: i64, exact: bool) {
        for b in time::cover(Interval { low: from, high: to }) {
            self.bucket(p, end, b.level, b.number, exact && b.exact);
            self.bucket(p, End::Both, b.level, b.number, exact && b.exact);
        }
        if end == End::Low && from == OPEN_LOW || end == End::High && to == OPEN_HIGH {
            self.bucket(p, end, INFINITE, 0, exact);
        }
    }

    /// Dates that lie wholly inside `searched`.
    fn date_within(&mut self, p: ParameterKey, searched: Interval) {
        match time::enclosing(searched) {
            // both ends in one bucket: all of them if the bucket is what was searched, some if it is larger
            Some(b) => self.bucket(p, End::Both, b.level, b.number, b.exact),
            None => self.date_end(p, End::Low, searched.low, searched.high, false),
        }
    }

    fn date(&mut self, p: ParameterKey, comparison: Comparison, s: Interval) {
        match comparison {
            Comparison::Eq => self.date_within(p, s),
            Comparison::Ne => self.present(p, false),
            // the last instant of the target is at or after the end of what was searched
            Comparison::Gt => self.date_end(p, End::High, s.high, OPEN_HIGH, true),
            Comparison::Lt => self.date_end(p, End::Low, OPEN_LOW, s.low, true),
            Comparison::Ge => {
                self.date_end(p, End::High, s.high, OPEN_HIGH, true);
                self.date_within(p, s);
            }
            Comparison::Le => {
                self.date_end(p, End::Low, OPEN_LOW, s.low, true);
                self.date_within(p, s);
            }
            Comparison::Sa => self.date_end(p, End::Low, s.high, OPEN_HIGH, true),
            Comparison::Eb => self.date_end(p, End::High, OPEN_LOW, s.low, true),
            Comparison::Ap => {
                // the low end inside, or both; or the high end inside or beyond it, in another bucket than the low one
                self.date_end(p, End::Low, s.low, s.high, true);
                for b in time::cover(s) {
                    self.bucket(p, End::High, b.level, b.number, b.exact);
                }
                for b in time::cover(Interval { low: s.high, high: OPEN_HIGH }) {
                    self.bucket(p, End::High, b.level, b.number, false);
                }
                self.bucket(p, End::High, INFINITE, 0, false);
            }
        }
    }

    /// Numbers of which this end lies in the span.
    fn number_end(&mut self, p: ParameterKey, end: End, span: decimal::Span, exact: bool) {
        for b in decimal::cover(span) {
            self.bucket(p, end, b.level, b.number, exact && b.exact);
            self.bucket(p, End::Both, b.level, b.number, exact && b.exact);
        }
        let open = match end {
            End::Low => span.low == decimal::Bound::Infinite,
            _ => span.high == decimal::Bound::Infinite,
        };
        if open {
            self.bucket(p, end, INFINITE, 0, exact);
        }
    }

    fn number(&mut self, p: ParameterKey, comparison: Comparison, range: &Range, exact: bool) {
        use decimal::{Bound::*, Span};
        let value = range.value.as_slice();
        match comparison {
            // a number inside has both ends inside; a wider one is told apart by the recheck
            Comparison::Eq => self.number_within(p, range.implied(), exact),
            Comparison::Ne => self.present(p, false),
            Comparison::Ap => {
                let (low, high) = (range.low.as_slice(), range.high.as_slice());
                let near = Span { low: Closed(low), high: Closed(high) };
                self.number_end(p, End::Low, near, exact);
                for b in decimal::cover(near) {
                    self.bucket(p, End::High, b.level, b.number, exact && b.exact);
                }
                for b in decimal::cover(Span { low: Open(high), high: Infinite }) {
                    self.bucket(p, End::High, b.level, b.number, false);
                }
                self.bucket(p, End::High, INFINITE, 0, false);
            }
            // a target that only touches the value is in the bucket of the value, which is ragged
            Comparison::Gt | Comparison::Ge => self.number_end(p, End::High, Span { low: Open(value), high: Infinite }, exact),
            Comparison::Lt => self.number_end(p, End::Low, Span { low: Infinite, high: Open(value) }, exact),
            Comparison::Le => self.number_end(p, End::Low, Span { low: Infinite, high: Closed(value) }, exact),
            Comparison::Sa => self.number_end(p, End::Low, Span { low: Open(value), high: Infinite }, exact),
            Comparison::Eb => self.number_end(p, End::High, Span { low: Infinite, high: Closed(value) }, exact),
        }
    }

    fn number_within(&mut self, p: ParameterKey, span: decimal::Span, exact: bool) {
        for b in decimal::cover(span) {
            self.bucket(p, End::Both, b.level, b.number, exact && b.exact);
            // a range that begins in this bucket and ends in another
            self.bucket(p, End::Low, b.level, b.number, false);
        }
    }
}
