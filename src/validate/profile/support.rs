//! Which elements that a profile says must be supported a resource has: <https://hl7.org/fhir/R4/conformance-rules.html#mustSupport>.

use super::discriminator::Step;
use super::rule::{Rule, RuleId};
use super::target::Place;
use super::walk::{At, GO_ON, Item, Walk};
use super::{Context, Profile};
use crate::json::Node;
use crate::validate::Issue;
use std::ops::ControlFlow;

/// One element that must be supported.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Support {
    /// The id of the element: `Observation.component:systolic.code`.
    pub element: String,
    /// How often it is there.
    pub count: usize,
    /// How many elements it could stand in: with none of them it can be missing without a fault.
    pub parents: usize,
}

impl Support {
    /// Whether it is there at all.
    pub fn is_present(&self) -> bool {
        self.count > 0
    }
}

/// Each element of `profile` that must be supported, in the order of the definition.
pub fn must_support<'a>(profile: &Profile, resource: Node<'a>, context: &Context<'a>) -> Vec<Support> {
    let mut found = Vec::new();
    let Some(place) = Place::outermost(resource, context) else { return found };
    let mut ignore = |_: Issue| GO_ON;
    let mut walk = Walk::new(context, &mut ignore, place);
    let item = Item::resource(resource);
    let _ = walk.supported(profile, 0, &[item], 1, &mut found);
    found
}

impl<'a> Walk<'a, '_> {
    fn supported(&mut self, profile: &Profile, id: RuleId, items: &[Item<'a>], parents: usize, found: &mut Vec<Support>) -> ControlFlow<()> {
        let Some(rule) = profile.rules.get(id).filter(|rule| rule.is_supported) else { return GO_ON };
        if rule.must_support {
            found.push(Support { element: rule.id.to_string(), count: items.len(), parents });
        }
        for child in &rule.every {
            let Some(below) = profile.rules.get(*child).filter(|rule| rule.is_supported) else { continue };
            let step = [Step::Field(below.name.clone())];
            let mut inner = Vec::new();
            for item in items {
                self.each(*item, &step, &mut inner)?;
            }
            self.supported(profile, *child, &inner, items.len(), found)?;
        }
        self.supported_slices(profile, rule, items, parents, found)
    }

    fn supported_slices(&mut self, profile: &Profile, rule: &Rule, items: &[Item<'a>], parents: usize, found: &mut Vec<Support>) -> ControlFlow<()> {
        let Some(slicing) = &rule.slicing else { return GO_ON };
        let at = At { parent: None, name: &rule.name, index: None };
        let mut of_slice: Vec<Vec<Item<'a>>> = vec![Vec::new(); slicing.slices.len()];
        for item in items {
            let slice = self.slice_of(profile, rule, slicing, *item, None, &at)?;
            if let Some(slice) = slice.and_then(|i| of_slice.get_mut(i)) {
                slice.push(*item);
            }
        }
        for (slice, items) in slicing.slices.iter().zip(of_slice) {
            self.supported(profile, slice.rule, &items, parents, found)?;
        }
        GO_ON
    }

    fn each(&mut self, item: Item<'a>, step: &[Step], found: &mut Vec<Item<'a>>) -> ControlFlow<()> {
        self.select(item, step, &mut |_, item| {
            found.push(item);
            ControlFlow::Continue(false)
        })?;
        GO_ON
    }
}
