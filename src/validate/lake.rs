//! Validation against what a lake holds: its profiles, value sets and code systems.

use super::level::{Level, World, check};
use super::profile::{Context, Definitions, Profile, Support, must_support};
use super::{Issue, Issues, Severity};
use crate::json::{self, Node};
use crate::path::eval::Services;
use crate::path::sql::Server;
use crate::pg::access;
use crate::pg::error::{self, Error};
use crate::pg::spi::connected;
use crate::terminology::lake::sql::{Made, OfLake, with};
use crate::terminology::{Membership, Terminology};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

type Flow = ControlFlow<()>;

const STRUCTURE_DEFINITION: &str = "StructureDefinition";

/// Definitions based on each other that are followed.
const MAX_DEPTH: u32 = super::profile::MAX_BASES as u32;

/// What is wrong with a resource at a level, with the rights of the current user; `profiles` beside those that it names itself.
pub fn issues_of(lake: &str, resource: Node<'_>, level: Level, profiles: &[String]) -> Result<Vec<Issue>, Error> {
    let mut found = Issues::default();
    let _ = judge(lake, resource, level, profiles, &mut |issue| found.take(issue))?;
    Ok(found.into_list())
}

/// The errors of a resource at a level, as [`issues_of`] finds them: no more than `most`.
pub fn refused(lake: &str, resource: Node<'_>, level: Level, profiles: &[String], most: usize) -> Result<Vec<Issue>, Error> {
    let mut errors = Vec::new();
    let flow = judge(lake, resource, level, profiles, &mut |issue| {
        if issue.severity.is_error() {
            errors.push(issue);
        }
        if errors.len() < most { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    if flow.is_break() && errors.is_empty() {
        return Err(Error::new(error::INTERNAL, "validation ended before its end"));
    }
    Ok(errors)
}

/// As [`check`]; interrupts unwind.
fn judge(lake: &str, resource: Node<'_>, level: Level, profiles: &[String], issues: &mut dyn FnMut(Issue) -> Flow) -> Result<Flow, Error> {
    if level.is_immutable() {
        return Ok(check(resource, level, &World::asking(&Server), issues));
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
    let context = standards.context();
    let world = World { terminology: Some(&standards.terminology), services: &standards, profiles: Some((&context, &more)) };
    let mut flow = check(resource, level, &world, issues);
    if let Some(error) = standards.failure.take() {
        return Err(error);
    }
    for (profile, problem) in standards.unusable.take() {
        let place = resource.get("resourceType").and_then(Node::as_str).unwrap_or_default().to_owned();
        let details = format!("the profile {profile} cannot be used, so it was not checked: {problem}");
        let issue = Issue { severity: Severity::Warning, code: "not-supported", expression: place, details, rule: "structure".into(), profile: None };
        if flow.is_continue() {
            flow = issues(issue);
        }
    }
    Ok(flow)
}

/// How often a resource has each element that a profile says must be supported.
pub fn supported(lake: &str, resource: Option<Node<'_>>, profile: &str) -> Result<Vec<Support>, Error> {
    let standards = Standards::new(lake);
    let profile = standards.demanded(profile)?;
    let context = standards.context();
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
    /// Profiles that nobody can check with, each with the reason.
    unusable: RefCell<BTreeMap<String, String>>,
}

/// What became of a definition: it, or why it is of no use.
type Compilation = Result<Arc<Profile>, String>;

impl<'l> Standards<'l> {
    fn new(lake: &'l str) -> Standards<'l> {
        Standards {
            lake,
            terminology: OfLake::new(lake),
            depth: Cell::new(0),
            failure: RefCell::new(None),
            unusable: RefCell::new(BTreeMap::new()),
        }
    }

    fn context(&self) -> Context<'_> {
        let mut context = Context::new(self);
        context.terminology = Some(&self.terminology);
        context.services = Some(self);
        context
    }

    /// A profile that must be there, as somebody asks for it by name.
    fn demanded(&self, canonical: &str) -> Result<Arc<Profile>, Error> {
        let (url, version) = canonical.split_once('|').map_or((canonical, None), |(url, version)| (url, Some(version)));
        match self.profile(url, version)? {
            Some(Ok(profile)) => Ok(profile),
            Some(Err(problem)) => Err(Error::new(error::INVALID_PARAMETER, format!("profile {canonical} cannot be used: {problem}"))),
            None => Err(Error::new(error::INVALID_PARAMETER, format!("the lake has no profile {canonical}"))
                .hint("fhir.load_package loads the profiles of a package; a StructureDefinition may be written like any resource")),
        }
    }

    fn profile(&self, url: &str, version: Option<&str>) -> Result<Option<Compilation>, Error> {
        let key = version.map_or_else(|| url.to_owned(), |version| format!("{url}|{version}"));
        if let Some(known) = connected(|sql| with(sql, self.lake, |lake, _| Ok(lake.profile(&key))))? {
            return Ok(known.and_then(|made| made.downcast::<Compilation>().ok()).map(|made| (*made).clone()));
        }
        if self.depth.get() >= MAX_DEPTH {
            return Ok(None);
        }
        let container = connected(|sql| with(sql, self.lake, |lake, _| lake.definition(STRUCTURE_DEFINITION, url, version)))?;
        self.depth.set(self.depth.get() + 1);
        let compiled = container.as_deref().and_then(json::root).map(|definition| Profile::compile(definition, self));
        self.depth.set(self.depth.get() - 1);
        let compiled = compiled.map(|compiled| compiled.map(Arc::new).map_err(|problem| problem.to_string()));
        connected(|sql| {
            with(sql, self.lake, |lake, _| {
                lake.keep_profile(key, compiled.clone().map(|compiled| Arc::new(compiled) as Made));
                Ok(())
            })
        })?;
        Ok(compiled)
    }
}

impl Definitions for Standards<'_> {
    fn structure(&self, url: &str, version: Option<&str>) -> Option<Arc<Profile>> {
        if self.failure.borrow().is_some() {
            return None;
        }
        match self.profile(url, version) {
            Ok(Some(Ok(profile))) => Some(profile),
            Ok(Some(Err(problem))) => {
                self.unusable.borrow_mut().insert(url.to_owned(), problem);
                None
            }
            Ok(None) => None,
            Err(error) => {
                self.failure.replace(Some(error));
                None
            }
        }
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
        Server.now()
    }

    fn go_on(&self) -> bool {
        Server.go_on()
    }
}
