//! How much is asked of a resource, and what it is asked against.

use super::codes::codes;
use super::constraints::constraints;
use super::issue::{Issue, Severity};
use super::profile::{self, Profile};
use super::structure::structure;
use super::text::text;
use crate::json::Node;
use crate::path::eval::Services;
use crate::terminology::Terminology;
use std::ops::ControlFlow;
use std::sync::Arc;

/// Each level asks what the ones before it ask.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Level {
    /// Elements, cardinality, formats, reference targets, and required codes that FHIR itself defines.
    Structure,
    /// The constraints of R4, by FHIRPath, and rules of its text that no constraint expresses.
    Invariants,
    /// Required and extensible bindings, and whether systems have the codes, by the terminology of a lake.
    Bindings,
    /// The profiles that the resource claims, or that are asked for.
    Profile,
}

impl Level {
    pub const ALL: [Level; 4] = [Level::Structure, Level::Invariants, Level::Bindings, Level::Profile];

    pub fn name(self) -> &'static str {
        match self {
            Level::Structure => "structure",
            Level::Invariants => "invariants",
            Level::Bindings => "bindings",
            Level::Profile => "profile",
        }
    }

    pub fn named(name: &str) -> Option<Level> {
        Level::ALL.into_iter().find(|level| level.name() == name)
    }

    /// Whether the answer depends on the resource alone.
    pub fn is_immutable(self) -> bool {
        self <= Level::Invariants
    }
}

/// What a resource is checked against beside the definitions of R4.
pub struct World<'w> {
    /// `None` below [`Level::Bindings`].
    pub terminology: Option<&'w dyn Terminology>,
    pub services: &'w dyn Services,
    /// What profiles are checked with, and those that the resource must conform to beside its own; `None` below [`Level::Profile`].
    pub profiles: Option<(&'w profile::Context<'w>, &'w [Arc<Profile>])>,
}

impl Default for World<'_> {
    /// The resource alone.
    fn default() -> Self {
        struct Nothing;
        impl Services for Nothing {}
        World { terminology: None, services: &Nothing, profiles: None }
    }
}

/// Hands each issue of `resource` to `issues`, which may stop.
pub fn check(resource: Node<'_>, level: Level, world: &World, issues: &mut dyn FnMut(Issue) -> ControlFlow<()>) {
    let mut unreadable = false;
    let mut stopped = false;
    structure(resource, &mut |issue| {
        unreadable |= issue.severity == Severity::Fatal;
        let flow = issues(issue);
        stopped |= flow.is_break();
        flow
    });
    if stopped || unreadable || level == Level::Structure {
        return;
    }
    if text(resource, issues).is_break() || constraints(resource, world, issues).is_break() {
        return;
    }
    if let Some(terminology) = world.terminology
        && codes(resource, terminology, issues).is_break()
    {
        return;
    }
    if let Some((context, more)) = world.profiles {
        profile::level(resource, more, context, issues);
    }
}
