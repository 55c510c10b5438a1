//! How much is asked of a resource, and what it is asked against.

use super::codes::codes;
use super::constraints::constraints;
use super::issue::{Issue, Severity};
use super::profile::{self, Profile};
use super::structure::structure;
use super::text::text;
use crate::json::Node;
use crate::path::eval::{NoServices, Services};
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

impl<'w> World<'w> {
    /// The resource alone, and those who wait for the result.
    pub fn asking(services: &'w dyn Services) -> World<'w> {
        World { terminology: None, services, profiles: None }
    }
}

impl Default for World<'_> {
    /// The resource alone.
    fn default() -> Self {
        World::asking(&NoServices)
    }
}

/// Hands each issue of `resource` to `issues`, which may stop. It breaks where `resource` was not looked at to its end: nobody can say
/// then that it is valid, unless an issue tells why.
pub fn check(resource: Node<'_>, level: Level, world: &World, issues: &mut dyn FnMut(Issue) -> ControlFlow<()>) -> ControlFlow<()> {
    let mut unreadable = false;
    structure(resource, world.services, &mut |issue| {
        unreadable |= issue.severity == Severity::Fatal;
        issues(issue)
    })?;
    if unreadable || level == Level::Structure {
        return ControlFlow::Continue(());
    }
    text(resource, issues)?;
    constraints(resource, world, issues)?;
    if let Some(terminology) = world.terminology {
        codes(resource, terminology, issues)?;
    }
    match world.profiles {
        Some((context, more)) => profile::level(resource, more, context, issues),
        None => ControlFlow::Continue(()),
    }
}
