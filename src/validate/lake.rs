//! Validation against what a lake holds: its profiles, value sets and code systems.

use super::level::{Level, World, check};
use super::profile::{Context, Definitions, Profile, Support, must_support};
use super::{Issue, MAX_ISSUES};
use crate::json::{self, Node};
use crate::path::eval::Services;
use crate::pg::access;
use crate::pg::error::{self, Error};
use crate::pg::spi::connected;
use crate::pg::time;
use crate::terminology::lake::sql::{Made, OfLake, with};
use crate::terminology::{Membership, Terminology};
use std::cell::{Cell, RefCell};
use std::ops::ControlFlow;
use std::sync::Arc;

/// 2000-01-01 in microseconds since 1970-01-01.
const EPOCH: i64 = 946_684_800_000_000;
const STRUCTURE_DEFINITION: &str = "StructureDefinition";

/// Definitions based on each other that are followed.
const MAX_DEPTH: u32 = super::profile::MAX_BASES as u32;

/// What is wrong with a resource at a level, with the rights of the current user; `profiles` beside those that it names itself.
pub fn issues_of(lake: &str, resource: Node<'_>, level: Level, profiles: &[String]) -> Result<Vec<Issue>, Error> {
    let mut found = Vec::new();
    let mut take = |issue| {
        found.push(issue);
        if found.len() < MAX_ISSUES { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    };
    if level.is_immutable() {
        check(resource, level, &World::default(), &mut take);
        time::check_for_interrupts();
        return Ok(found);
    }
    if access::table_named(lake, &STRUCTURE_DEFINITION.to_lowercase()).is_none() {
        return Err(Error::new(error::UNDEFINED_TABLE, format!("there is no lake \"{lake}\""))
            .hint("SELECT fhir.create_lake() makes one; levels up to invariants need none"));
    }
    let standards = Standards::new(lake);
    let more = match level {
        Level::Profile => profiles.iter().map(|url| standards.demanded(url)).collect::<Result<Vec<_>, Error>>()?,
        _ => Vec::new(),
    };
    let mut context = Context::new(&standards);
    context.terminology = Some(&standards.terminology);
    context.services = Some(&standards);
    let world = World { terminology: Some(&standards.terminology), services: &standards, profiles: Some((&context, &more)) };
    check(resource, level, &world, &mut take);
    time::check_for_interrupts();
    match standards.failure.take() {
        Some(error) => Err(error),
        None => Ok(found),
    }
}

/// How often a resource has each element that a profile says must be supported.
pub fn supported(lake: &str, resource: Option<Node<'_>>, profile: &str) -> Result<Vec<Support>, Error> {
    let standards = Standards::new(lake);
    let profile = standards.demanded(profile)?;
    let mut context = Context::new(&standards);
    context.terminology = Some(&standards.terminology);
    context.services = Some(&standards);
    let found = resource.map(|resource| must_support(&profile, resource, &context)).unwrap_or_default();
    match standards.failure.take() {
        Some(error) => Err(error),
        None => Ok(found),
    }
}

/// What a lake says is right.
struct Standards<'l> {
    lake: &'l str,
    terminology: OfLake,
    depth: Cell<u32>,
    /// The first failure of a query: what asks here cannot be told.
    failure: RefCell<Option<Error>>,
}

impl<'l> Standards<'l> {
    fn new(lake: &'l str) -> Standards<'l> {
        Standards { lake, terminology: OfLake::new(lake), depth: Cell::new(0), failure: RefCell::new(None) }
    }

    /// A profile that must be there, as somebody asks for it by name.
    fn demanded(&self, canonical: &str) -> Result<Arc<Profile>, Error> {
        let (url, version) = canonical.split_once('|').map_or((canonical, None), |(url, version)| (url, Some(version)));
        self.profile(url, version)?.ok_or_else(|| {
            Error::new(error::INVALID_PARAMETER, format!("the lake has no profile {canonical}"))
                .hint("fhir.load_package loads the profiles of a package; a StructureDefinition may be written like any resource")
        })
    }

    fn profile(&self, url: &str, version: Option<&str>) -> Result<Option<Arc<Profile>>, Error> {
        let key = version.map_or_else(|| url.to_owned(), |version| format!("{url}|{version}"));
        if let Some(known) = connected(|sql| with(sql, self.lake, |lake, _| Ok(lake.profile(&key))))? {
            return Ok(known.and_then(|made| made.downcast().ok()));
        }
        if self.depth.get() >= MAX_DEPTH {
            return Ok(None);
        }
        let container = connected(|sql| with(sql, self.lake, |lake, _| lake.definition(STRUCTURE_DEFINITION, url, version)))?;
        self.depth.set(self.depth.get() + 1);
        let compiled = container.as_deref().and_then(json::root).map(|definition| Profile::compile(definition, self));
        self.depth.set(self.depth.get() - 1);
        let profile = match compiled.transpose() {
            Ok(profile) => profile.map(Arc::new),
            Err(problem) => {
                return Err(Error::new(error::INVALID_PARAMETER, format!("profile {key} cannot be used: {problem}")));
            }
        };
        connected(|sql| {
            with(sql, self.lake, |lake, _| {
                lake.keep_profile(key, profile.clone().map(|profile| profile as Made));
                Ok(())
            })
        })?;
        Ok(profile)
    }
}

impl Definitions for Standards<'_> {
    fn structure(&self, url: &str, version: Option<&str>) -> Option<Arc<Profile>> {
        if self.failure.borrow().is_some() {
            return None;
        }
        self.profile(url, version).unwrap_or_else(|error| {
            self.failure.replace(Some(error));
            None
        })
    }
}

impl Services for Standards<'_> {
    fn member_of(&self, value_set: &str, system: Option<&str>, code: &str) -> Option<bool> {
        match self.terminology.contains(value_set, system, None, code) {
            Ok(Membership::Member) => Some(true),
            Ok(Membership::NotMember) => Some(false),
            Ok(Membership::Unknown(_)) | Err(_) => None,
        }
    }

    fn now(&self) -> i64 {
        time::statement() + EPOCH
    }

    fn go_on(&self) -> bool {
        !time::is_interrupted()
    }
}
