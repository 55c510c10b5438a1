//! Slices: which items belong to which, and how many there are (<https://hl7.org/fhir/R4/profiling.html#slicing>).

use super::discriminator::{Expect, Step, expectation};
use super::element::Rules;
use super::rule::{Rule, Slice, Slicing};
use super::value;
use super::walk::{At, Flow, Found, GO_ON, Item, Tally, Walk};
use super::{Profile, core_type};
use crate::json::Node;
use crate::model::{EXTENSION, Field, Kind, is_a};
use crate::terminology::Membership;
use crate::validate::Severity;
use std::ops::ControlFlow;

/// No slice.
const NONE: u32 = u32::MAX;
/// Profiles that one discriminator leads through.
const MAX_HOPS: usize = 8;

type Answer = ControlFlow<(), bool>;

impl<'a> Walk<'a, '_> {
    /// Sorts the items of an element, or with `of` those of a slice of it, into slices and checks each with the rules of its slice.
    pub fn slices(&mut self, profile: &Profile, rule: &Rule, slicing: &Slicing, found: Found<'a>, of: Option<(usize, u32)>, at: &At) -> Flow {
        if let Some(problem) = &slicing.problem {
            return self.tell(Severity::Warning, "not-supported", at, &rule.id, Some(profile), format!("the slices of {} were not checked: {problem}", rule.id));
        }
        let (assigned, counts) = (self.assigned.len(), self.counts.len());
        self.counts.resize(counts + slicing.slices.len(), Tally::default());
        let mut last = 0;
        let mut unmatched = false;
        for (n, (index, item)) in found.items().enumerate() {
            if of.is_some_and(|(base, slice)| self.assigned.get(base + n) != Some(&slice)) {
                self.assigned.push(NONE);
                continue;
            }
            let here = At { parent: Some(at), name: &rule.name, index };
            let slice = self.slice_of(profile, rule, slicing, item, Some(counts), &here)?;
            self.assigned.push(slice.map_or(NONE, |i| i as u32));
            let Some((i, slice)) = slice.and_then(|i| Some((i, slicing.slices.get(i)?))) else {
                unmatched = true;
                let unsure = self.counts.get(counts..).unwrap_or_default().iter().any(|tally| tally.unsure);
                if slicing.rules == Rules::Closed && !unsure {
                    let details = format!("belongs to no slice of {}, and no others are allowed", rule.id);
                    self.tell(Severity::Error, "structure", &here, &rule.id, Some(profile), details)?;
                }
                continue;
            };
            if let Some(tally) = self.counts.get_mut(counts + i) {
                tally.count += 1;
            }
            if unmatched && slicing.rules == Rules::OpenAtEnd {
                let details = format!("belongs to the slice {}, but stands behind items of no slice", slice.name);
                self.tell(Severity::Error, "structure", &here, &rule.id, Some(profile), details)?;
            }
            if slicing.ordered && i < last {
                let details = format!("belongs to the slice {}, but stands behind items of later slices", slice.name);
                self.tell(Severity::Error, "structure", &here, &rule.id, Some(profile), details)?;
            }
            last = last.max(i);
            self.item(profile, slice.rule, item, &here)?;
        }
        for (i, slice) in slicing.slices.iter().enumerate() {
            let Some(rule) = profile.rules.get(slice.rule) else { continue };
            let Tally { count, unsure } = self.counts.get(counts + i).copied().unwrap_or_default();
            if unsure && count < rule.min {
                let details = format!("nobody can tell which items belong to {}: their codes or value sets are not known", rule.id);
                self.tell(Severity::Warning, "not-found", at, &rule.id, Some(profile), details)?;
            } else {
                self.count(profile, rule, count as usize, at)?;
            }
            if let Some(inner) = &rule.slicing
                && (count > 0 || inner.slices.iter().any(|slice| profile.rules.get(slice.rule).is_some_and(|rule| rule.min > 0)))
            {
                self.slices(profile, rule, inner, found, Some((assigned, i as u32)), at)?;
            }
        }
        self.assigned.truncate(assigned);
        self.counts.truncate(counts);
        GO_ON
    }

    /// The slice that an item belongs to. What cannot be told is noted in the tallies from `tallies` on.
    #[allow(clippy::too_many_arguments)]
    pub fn slice_of(&mut self, profile: &Profile, rule: &Rule, slicing: &Slicing, item: Item<'a>, tallies: Option<usize>, at: &At) -> ControlFlow<(), Option<usize>> {
        let mut found: Option<usize> = None;
        for (i, slice) in slicing.slices.iter().enumerate() {
            if slice.is_default || found.is_some() && slice.tests.is_empty() {
                continue;
            }
            self.step(at)?;
            self.unsure = false;
            if !self.belongs(profile, slice, item, at)? {
                if let Some(tally) = tallies.filter(|_| self.unsure).and_then(|first| self.counts.get_mut(first + i)) {
                    tally.unsure = true;
                }
                continue;
            }
            match found.and_then(|i| slicing.slices.get(i)) {
                None => found = Some(i),
                Some(first) => {
                    let details = format!("belongs to more than one slice: {}, {}", first.name, slice.name);
                    self.tell(Severity::Error, "structure", at, &rule.id, Some(profile), details)?;
                    break;
                }
            }
        }
        ControlFlow::Continue(found.or_else(|| slicing.slices.iter().position(|slice| slice.is_default)))
    }

    /// Whether an item belongs to a slice.
    fn belongs(&mut self, profile: &Profile, slice: &Slice, item: Item<'a>, at: &At) -> Answer {
        if slice.tests.is_empty() {
            let is_told = profile.rules.get(slice.rule).is_some_and(|rule| rule.is_active);
            return if is_told { self.probe(|walk| walk.item(profile, slice.rule, item, at)) } else { ControlFlow::Continue(false) };
        }
        for test in &slice.tests {
            if !self.meets(profile, &test.steps, &test.expect, item, at, 0)? {
                return ControlFlow::Continue(false);
            }
        }
        ControlFlow::Continue(true)
    }

    /// Whether what stands at the end of `steps` is as expected; of several values one is enough.
    fn meets(&mut self, profile: &Profile, steps: &[Step], expect: &Expect, item: Item<'a>, at: &At, hops: usize) -> Answer {
        if let Expect::Exists(wanted) = expect {
            let mut exists = false;
            self.select(item, steps, &mut |_, _| {
                exists = true;
                ControlFlow::Continue(true)
            })?;
            return ControlFlow::Continue(exists == *wanted);
        }
        self.select(item, steps, &mut |walk, item| walk.is_expected(profile, expect, item, at, hops))
    }

    fn is_expected(&mut self, profile: &Profile, expect: &Expect, item: Item<'a>, at: &At, hops: usize) -> Answer {
        self.step(at)?;
        ControlFlow::Continue(match expect {
            Expect::Exists(wanted) => *wanted,
            Expect::Text(text) => item.value.and_then(Node::as_str) == Some(text),
            Expect::Fixed(value) => item.value.is_some_and(|node| value::equal(value.node(), node)),
            Expect::Pattern(values) => item.value.is_some_and(|node| values.iter().any(|value| value::matches(value.node(), node))),
            Expect::Types(types) => types.iter().any(|ty| is_a(item.ty, *ty)),
            Expect::Member(value_set) => match self.membership(value_set, item) {
                Some(membership) => membership == Membership::Member,
                None => {
                    self.unsure = true;
                    false
                }
            },
            Expect::Conforms(rule) => self.probe(|walk| walk.item(profile, *rule, item, at))?,
            Expect::TypesOf(profiles) => profiles.iter().any(|url| {
                let ty = core_type(url).or_else(|| self.profile(url).map(|profile| profile.ty));
                ty.is_some_and(|ty| is_a(item.ty, ty))
            }),
            Expect::Profiles(profiles) => {
                for url in profiles {
                    let holds = match core_type(url) {
                        Some(ty) => is_a(item.ty, ty),
                        None => match self.profile(url) {
                            Some(other) if item.fields().is_some() => self.probe(|walk| walk.conform(&other, item, at))?,
                            _ => false,
                        },
                    };
                    if holds {
                        return ControlFlow::Continue(true);
                    }
                }
                false
            }
            Expect::Through { profiles, kind, steps } => {
                for url in profiles.iter().filter(|_| hops < MAX_HOPS) {
                    let Some(other) = self.profile(url).filter(|other| is_a(item.ty, other.ty)) else { continue };
                    let Some((expect, used)) = expectation(*kind, steps, &other.tree) else { continue };
                    // Rules of a place in a tree are known to the compiler alone: there the whole profile decides.
                    let holds = match expect {
                        Expect::Conforms(_) => self.probe(|walk| walk.conform(&other, item, at))?,
                        expect => self.meets(&other, steps.get(..used).unwrap_or_default(), &expect, item, at, hops + 1)?,
                    };
                    if holds {
                        return ControlFlow::Continue(true);
                    }
                }
                false
            }
        })
    }

    /// Hands what stands at the end of `steps` to `test` until that says yes.
    pub fn select(&mut self, item: Item<'a>, steps: &[Step], test: &mut dyn FnMut(&mut Self, Item<'a>) -> Answer) -> Answer {
        let Some((step, rest)) = steps.split_first() else { return test(self, item) };
        match step {
            Step::Field(name) => {
                let Some(object) = item.fields() else { return ControlFlow::Continue(false) };
                let ty = item.fields_type().get();
                // A choice may stand under several names.
                let direct = ty.field(name).filter(|field| ty.elements.get(usize::from(field.element)).is_some_and(|element| !element.is_choice));
                let all: &[Field] = if direct.is_some() { &[] } else { ty.fields };
                let choices = all.iter().filter(|field| ty.elements.get(usize::from(field.element)).is_some_and(|element| element.name == &**name));
                for field in direct.into_iter().chain(choices) {
                    let value = object.get(field.name);
                    let beside = field.ty.get().kind == Kind::Primitive && (value.is_none() || !rest.is_empty() || matches!(value, Some(Node::Array(_))));
                    let sibling = if beside { object.get(&format!("_{}", field.name)) } else { None };
                    for (_, item) in (Found { value, sibling, ty: field.ty }).items() {
                        if self.select(item, rest, test)? {
                            return ControlFlow::Continue(true);
                        }
                    }
                }
                ControlFlow::Continue(false)
            }
            Step::Extension(url) => {
                let extensions = item.fields().and_then(|object| object.get("extension")).into_iter().flat_map(Node::items);
                for extension in extensions {
                    if extension.get("url").and_then(Node::as_str) == Some(url)
                        && self.select(Item { value: Some(extension), sibling: None, ty: EXTENSION }, rest, test)?
                    {
                        return ControlFlow::Continue(true);
                    }
                }
                ControlFlow::Continue(false)
            }
            Step::OfType(ty) if is_a(item.ty, *ty) => self.select(item, rest, test),
            Step::OfType(_) => ControlFlow::Continue(false),
            Step::Resolve => match self.resolved(item) {
                Some((target, place)) => {
                    let before = std::mem::replace(&mut self.place, place);
                    let answer = self.select(target, rest, test);
                    self.place = before;
                    answer
                }
                None => ControlFlow::Continue(false),
            },
        }
    }
}
