//! A query as a search of the GIN index: groups of exact keys, of which each group must have one.
//!
//! Ranges become a short list of buckets, never a partial match: a partial match reads its whole range before anything
//! is intersected. Only prefixes of strings and uris are partial, and what a string contains: all strings of the parameter
//! are looked through.

use super::between::Between;
use super::compartment::Member;
use super::decimal::{self, Bound, Span};
use super::derived;
use super::keys::{self, End, INFINITE, KeyBuffer, MAX_PREFIX};
use super::near;
use super::operand;
use super::query::{self, Argument, Comparison, Condition, Leaf, Meaning, Query, Range, Test, Unit};
use super::reads::Reads;
use super::text::{self, normalise};
use super::time::{self, Interval, OPEN_HIGH, OPEN_LOW};
use crate::model::{self, ParameterKey, ParameterType, TypeId};

/// A resource matches if it has a key of every group; exactly so, unless a key or the whole scan says that it must be rechecked.
#[derive(Debug, PartialEq, Default)]
pub struct Scan {
    pub groups: Vec<Group>,
    /// Keys of negated conditions: no part of the scan, but they tell how much is left.
    pub excluded: Vec<Group>,
    /// Some condition has no keys: what the groups find must still be tested.
    pub recheck: bool,
    resource_type: Option<TypeId>,
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
    /// All keys that begin with these bytes, or that [`keys::among`] takes for others.
    pub partial: bool,
    /// Whether having the key decides the condition.
    pub exact: bool,
}

/// A prefix this short names too many keys to read them all where another group narrows the search.
const BROAD_PREFIX: usize = 2;

impl Scan {
    pub fn of(query: &Query) -> Scan {
        let mut scan = Scan { resource_type: query.parameters_of, ..Scan::default() };
        let ranges = Between::of(query);
        for range in &ranges {
            scan.add_between(range);
        }
        for (number, condition) in query.conditions.iter().enumerate() {
            if !ranges.iter().any(|range| range.conditions.contains(&number)) {
                scan.add(condition);
            }
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
            let mut positive = Scan { size: self.size, resource_type: self.resource_type, ..Scan::default() };
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
        let mut builder = Builder { resource_type: self.resource_type, ..Builder::default() };
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
                    let mut builder = Builder { resource_type: self.resource_type, ..Builder::default() };
                    let found = builder.lossy(&component.tests);
                    self.push(found, builder);
                }
            }
        }
    }

    fn add_between(&mut self, range: &Between) {
        let mut builder = Builder { resource_type: self.resource_type, ..Builder::default() };
        let holders = builder.holders(range.parameter);
        for p in holders.parameters {
            builder.date_between(p, range.outer, range.inner, holders.exact);
        }
        self.push(true, builder);
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
        let mut builder = Builder { resource_type: self.resource_type, ..Builder::default() };
        for p in builder.holders(parameter).parameters {
            let key = &mut builder.buffer;
            let bytes = match unit {
                Unit::Any | Unit::Measured(_) => return,
                Unit::OfSystem(_) => return self.recheck = true,
                Unit::Named(name) => key.unit(p, name),
                Unit::Coded { system, code } => key.unit_and_system(p, code, Some(system)),
            };
            builder.keys.push(ScanKey { bytes: bytes.to_vec(), partial: false, exact: false });
        }
        self.push(true, builder);
        self.recheck = true;
    }

    /// Where another group narrows the search, a short prefix is left to the recheck, and so is what a string contains.
    fn drop_broad_prefixes(&mut self) {
        let broad = |group: &Group| group.keys.iter().any(|k| k.partial && (k.bytes.len() <= 3 + BROAD_PREFIX && !keys::is_addresses(&k.bytes) || keys::is_containing(&k.bytes)));
        if self.groups.iter().any(|g| !g.is_type && !broad(g)) {
            let before = self.groups.len();
            self.groups.retain(|g| !broad(g));
            self.recheck |= self.groups.len() < before;
        }
    }
}

/// Where the values of a parameter have their keys.
struct Holders {
    parameters: Vec<ParameterKey>,
    /// Of their references, those to this type.
    only: Option<TypeId>,
    /// They hold no other values.
    exact: bool,
}

/// Which keys stand for the values of one parameter: of many values, which to look for at all.
pub struct ValueKeys {
    meanings: Vec<Meaning>,
    argument: Argument,
    builder: Builder,
}

impl ValueKeys {
    /// For the parameter as resources of that type have it, without modifier; `None` where they have no such parameter.
    pub fn of(ty: TypeId, name: &str) -> Option<ValueKeys> {
        let meanings = query::meanings(Some(ty), name);
        let argument = Argument { name: name.to_owned(), modifier: None, value: String::new() };
        let builder = Builder { resource_type: Some(ty), ..Builder::default() };
        (!meanings.is_empty()).then_some(ValueKeys { meanings, argument, builder })
    }

    /// Each resource that has the value has one of these keys; `None` where single keys do not tell.
    pub fn of_value(&mut self, value: &str) -> Option<impl Iterator<Item = &[u8]>> {
        self.builder.keys.clear();
        for meaning in &self.meanings {
            for leaf in operand::leaves(meaning, &self.argument, value).ok()? {
                let Leaf::One { parameter, test } = leaf else { return None };
                if !self.builder.keys_of(parameter, &test) {
                    return None;
                }
            }
        }
        let keys = &self.builder.keys;
        (!keys.is_empty() && keys.iter().all(|key| !key.partial)).then(|| keys.iter().map(|key| key.bytes.as_slice()))
    }
}

#[derive(Default)]
struct Builder {
    keys: Vec<ScanKey>,
    buffer: KeyBuffer,
    resource_type: Option<TypeId>,
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
        let holders = self.holders(p);
        // what stands under its own name is certain
        let own = holders.parameters.first() == Some(&p) && self.keys_under(p, test);
        let from = self.keys.len();
        let found = holders.parameters.iter().skip(usize::from(own)).all(|p| self.keys_under(*p, test));
        let pointed = |ty: TypeId, target: &str| target.strip_prefix(ty.name()).and_then(|rest| rest.strip_prefix('/')).is_some_and(|id| !id.contains('/'));
        let exact = match (holders.only, test) {
            (None, _) => holders.exact,
            (Some(ty), Test::Reference { target, .. }) => pointed(ty, target),
            (Some(_), _) => false,
        };
        if !exact {
            self.keys[from..].iter_mut().for_each(|key| key.exact = false);
        }
        found
    }

    /// The parameters under which the keys of this one are.
    fn holders(&self, p: ParameterKey) -> Holders {
        let Some(ty) = self.resource_type else {
            let others = derived::anywhere(p);
            return Holders { parameters: [&[p], others].concat(), only: None, exact: others.is_empty() };
        };
        match derived::of_type(ty).and_then(|derived| derived.get(&p)) {
            Some(parts) => Holders { parameters: parts.parameters.clone(), only: parts.only, exact: true },
            None => Holders { parameters: vec![p], only: None, exact: true },
        }
    }

    fn keys_under(&mut self, p: ParameterKey, test: &Test) -> bool {
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
            Test::Sound(sound) => put(key.sound(p, sound), true),
            Test::ReferenceBelow { target, version } => put(key.reference(p, target), version.is_none()),
            Test::ReferenceAbove { target, .. } => put(key.reference(p, target), false),
            // a part of a name has the same key
            Test::StringIs(value) => put(key.string(p, value), false),
            Test::StringContains(needle) if !needle.is_empty() => {
                let bytes = key.containing(p, needle).to_vec();
                self.keys.push(ScanKey { bytes, partial: true, exact: false });
            }
            Test::Display(_)
            | Test::StringContains(_)
            | Test::StringEnd(_)
            | Test::StringOrder(..)
            | Test::CodeStart(_)
            | Test::Mime(_)
            | Test::DateCovers(_)
            | Test::Other(_) => self.present(p, false),
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
            Test::Near { center, metres } => match near::cover(*center, *metres) {
                Some((grid, cells)) => cells.into_iter().for_each(|cell| put(key.cell(p, grid, cell), false)),
                None => put(key.presence(p), false),
            },
            // those of other servers have keys with their whole address
            Test::ReferenceTo { ty, id } => {
                let mut any = model::resource_types();
                let types: &mut dyn Iterator<Item = TypeId> = match ty {
                    Some(ty) => &mut std::iter::once(*ty),
                    None => &mut any,
                };
                // a key leaves out what a version may not be
                types.for_each(|ty| put(key.reference(p, &format!("{}/{id}", ty.name())), false));
                let bytes = keys::start_of_addresses(p).to_vec();
                self.keys.push(ScanKey { bytes, partial: true, exact: false });
            }
            Test::Date(comparison, searched) => self.date(p, *comparison, *searched),
            Test::DateIfAny(comparison, searched) => {
                put(key.presence(p), true);
                self.date(p, *comparison, *searched);
            }
            Test::Number(comparison, range) => self.number(Numbers { p, measure: None, exact: true }, *comparison, range),
            Test::Quantity(comparison, range, unit) => {
                let measure = if let Unit::Measured(measure) = unit { Some(measure.as_str()) } else { None };
                let exact = measure.is_some() || *unit == Unit::Any;
                self.number(Numbers { p, measure, exact }, *comparison, range)
            }
        }
        true
    }

    /// Of one searched type, the references decide; a parameter may link other types to other compartments.
    fn member(&mut self, member: &Member) -> bool {
        let exact = member.is_typed;
        for rule in &member.rules {
            for link in &rule.links {
                let from = self.keys.len();
                self.keys_of(*link, &Test::Reference { target: member.focus.clone(), version: None });
                self.keys[from..].iter_mut().for_each(|key| key.exact &= exact);
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

    /// Dates that begin before the end of `outer` and end after its begin; those that do either inside `inner` are sure.
    fn date_between(&mut self, p: ParameterKey, outer: Interval, inner: Interval, exact: bool) {
        let (from, to) = (inner.low.clamp(outer.low, outer.high), inner.high.clamp(outer.low, outer.high));
        let sure = from < to;
        let parts = if sure { vec![(outer.low, from, false), (from, to, true), (to, outer.high, false)] } else { vec![(outer.low, outer.high, false)] };
        for (low, high, inside) in parts {
            for b in time::cover(Interval { low, high }) {
                for end in [End::Both, End::Low, End::High] {
                    self.bucket(p, end, b.level, b.number, exact && inside && b.exact);
                }
            }
        }
        // those that reach over all of it begin before it, in another bucket than they end in
        for b in time::cover(Interval { low: OPEN_LOW, high: outer.low }) {
            self.bucket(p, End::Low, b.level, b.number, false);
            if !b.exact {
                self.bucket(p, End::Both, b.level, b.number, false);
            }
        }
        self.bucket(p, End::Low, INFINITE, 0, false);
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

    fn amount(&mut self, of: Numbers, end: End, b: decimal::Bucket, exact: bool) {
        let bytes = self.buffer.amount(of.p, of.measure, end, b.level, b.number).to_vec();
        self.keys.push(ScanKey { exact: exact && b.exact && of.exact && !keys::is_cut(&bytes), bytes, partial: false });
    }

    fn open_end(&mut self, of: Numbers, end: End, exact: bool) {
        self.amount(of, end, decimal::Bucket { level: INFINITE, number: 0, exact }, true);
    }

    /// Numbers of which this end lies in the span.
    fn number_end(&mut self, of: Numbers, end: End, span: Span) {
        for b in of.cover(span) {
            self.amount(of, end, b, true);
            self.amount(of, End::Both, b, true);
        }
        let open = match end {
            End::Low => span.low == Bound::Infinite,
            _ => span.high == Bound::Infinite,
        };
        if open {
            self.open_end(of, end, true);
        }
    }

    fn number(&mut self, of: Numbers, comparison: Comparison, range: &Range) {
        use Bound::*;
        let value = range.value.as_slice();
        match comparison {
            // a number inside has both ends inside; a wider one is told apart by the recheck
            Comparison::Eq => self.number_within(of, range.implied()),
            Comparison::Ne => self.present(of.p, false),
            Comparison::Ap => self.number_near(of, &range.low, &range.high),
            // a target that only touches the value is in the bucket of the value, which is ragged
            Comparison::Gt | Comparison::Ge => self.number_end(of, End::High, Span { low: Open(value), high: Infinite }),
            Comparison::Lt => self.number_end(of, End::Low, Span { low: Infinite, high: Open(value) }),
            Comparison::Le => self.number_end(of, End::Low, Span { low: Infinite, high: Closed(value) }),
            Comparison::Sa => self.number_end(of, End::Low, Span { low: Open(value), high: Infinite }),
            Comparison::Eb => self.number_end(of, End::High, Span { low: Infinite, high: Closed(value) }),
        }
    }

    fn number_within(&mut self, of: Numbers, span: Span) {
        for b in of.cover(span) {
            self.amount(of, End::Both, b, true);
            // a range that begins in this bucket and ends in another
            self.amount(of, End::Low, b, false);
        }
    }

    /// As for dates: the low end inside, or both; or the high end inside or beyond, in another bucket than the low one.
    fn number_near(&mut self, of: Numbers, low: &[u8], high: &[u8]) {
        let near = Span { low: Bound::Closed(low), high: Bound::Closed(high) };
        self.number_end(of, End::Low, near);
        for b in of.cover(near) {
            self.amount(of, End::High, b, true);
        }
        for b in of.cover(Span { low: Bound::Open(high), high: Bound::Infinite }) {
            self.amount(of, End::High, b, false);
        }
        self.open_end(of, End::High, false);
    }
}

/// Whose numbers are searched: those of a parameter, or its amounts of one measure.
#[derive(Clone, Copy)]
struct Numbers<'a> {
    p: ParameterKey,
    measure: Option<&'a str>,
    /// Whether nothing but the number decides.
    exact: bool,
}

impl Numbers<'_> {
    fn cover(&self, span: Span) -> Vec<decimal::Bucket> {
        decimal::cover_with(if self.measure.is_some() { keys::MEASURED_LEVELS } else { decimal::LEVELS }, span)
    }
}
