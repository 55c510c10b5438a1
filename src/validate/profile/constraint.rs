//! Constraints of profiles.

use super::Profile;
use super::inside::Host;
use super::rule::Rule;
use super::walk::{At, Flow, GO_ON, Item, Walk};
use crate::json::Object;

impl<'a> Walk<'a, '_> {
    pub fn constraints(&mut self, _profile: &Profile, _rule: &Rule, _item: Item<'a>, _at: &At) -> Flow {
        GO_ON
    }

    pub fn context_invariants(&mut self, _definition: &Profile, _extension: Object<'a>, _host: &Host<'a, '_>, _at: &At) -> Flow {
        GO_ON
    }

    pub fn selects(&mut self, _expression: &str, _host: &Host<'a, '_>) -> bool {
        true
    }
}
