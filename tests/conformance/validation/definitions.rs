//! Profiles, value sets and code systems out of packages and single files, and the levels of validation over them.

use crate::kinds::Level as Asked;
use crate::{data, schema::container};
use fhirlake::json::{self, Node};
use fhirlake::path::eval::Services;
use fhirlake::terminology::code_system::CodeSystem;
use fhirlake::terminology::{Checker, Membership, Source, Terminology};
use fhirlake::validate::profile::{Context, Library, Profile};
use fhirlake::validate::{Issue, Issues, Level, Severity, World, check};
use serde_json::Value;
use std::collections::HashMap;
use std::convert::Infallible;
use std::io::Read;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

/// Version and container of a definition.
type Version = (Option<String>, Rc<Vec<u8>>);

/// Gives the container of a StructureDefinition by url and version.
type Profiles = Box<dyn Fn(&str, Option<&str>) -> Option<Vec<u8>>>;

/// Definitions by type and canonical url: each version, the last one read being the newest.
#[derive(Clone, Default)]
pub struct Definitions {
    known: HashMap<(String, String), Vec<Version>>,
    systems: HashMap<(String, Option<String>), Rc<CodeSystem>>,
}

impl Definitions {
    /// FHIR itself, and packages of the data folder.
    pub fn of(packages: &[&str]) -> Option<Definitions> {
        let mut definitions = Definitions::default();
        for package in packages {
            definitions.package(&data::path(package))?;
        }
        Some(definitions)
    }

    /// All definitions of a package.
    pub fn package(&mut self, path: &Path) -> Option<()> {
        let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(std::fs::File::open(path).ok()?));
        for entry in archive.entries().ok()? {
            let mut entry = entry.ok()?;
            let name = entry.path().ok()?.to_string_lossy().into_owned();
            let parts: Vec<&str> = name.split('/').collect();
            if !matches!(parts.as_slice(), ["package", name] if name.ends_with(".json")) {
                continue;
            }
            let mut text = String::new();
            if entry.read_to_string(&mut text).is_ok()
                && let Ok(value) = serde_json::from_str(&text)
            {
                self.add(&value);
            }
        }
        Some(())
    }

    /// A definition that is to be known; anything else is left out.
    pub fn add(&mut self, value: &Value) {
        let text = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
        let Some((ty, url)) = text("resourceType").zip(text("url")) else { return };
        if !matches!(ty.as_str(), "StructureDefinition" | "ValueSet" | "CodeSystem") {
            return;
        }
        if let Some(bytes) = container(value) {
            self.known.entry((ty, url)).or_default().push((text("version"), Rc::new(bytes)));
        }
    }

    pub fn find(&self, ty: &str, url: &str, version: Option<&str>) -> Option<Rc<Vec<u8>>> {
        let versions = self.known.get(&(ty.to_owned(), url.to_owned()))?;
        let found = version.map_or_else(|| versions.last(), |version| versions.iter().rfind(|(v, _)| v.as_deref() == Some(version)));
        found.map(|(_, bytes)| bytes.clone())
    }

    pub fn value(&self, ty: &str, url: &str) -> Option<Value> {
        let bytes = self.find(ty, url, None)?;
        serde_json::from_str(&json::root(&bytes)?.to_json()).ok()
    }
}

impl Source for Definitions {
    type Error = Infallible;

    fn value_set(&mut self, url: &str, version: Option<&str>) -> Result<Option<Vec<u8>>, Infallible> {
        Ok(self.find("ValueSet", url, version).map(|bytes| bytes.to_vec()))
    }

    fn value_set_by_id(&mut self, _: &str) -> Result<Option<Vec<u8>>, Infallible> {
        Ok(None)
    }

    fn code_system(&mut self, url: &str, version: Option<&str>) -> Result<Option<Rc<CodeSystem>>, Infallible> {
        let key = (url.to_owned(), version.map(str::to_owned));
        if let Some(known) = self.systems.get(&key) {
            return Ok(Some(known.clone()));
        }
        let read = self.find("CodeSystem", url, version).and_then(|bytes| CodeSystem::read(&bytes)).map(Rc::new);
        if let Some(system) = &read {
            self.systems.insert(key, system.clone());
        }
        Ok(read)
    }
}

/// What resources are checked against.
pub struct Standards {
    library: Library<Profiles>,
    terminology: Checker<Definitions>,
}

struct Answers<'s>(&'s Checker<Definitions>);

impl Services for Answers<'_> {
    fn member_of(&self, value_set: &str, system: Option<&str>, code: &str) -> Option<bool> {
        match self.0.contains(value_set, system, None, code) {
            Ok(Membership::Member) => Some(true),
            Ok(Membership::NotMember) => Some(false),
            Ok(Membership::Unknown(_)) | Err(_) => None,
        }
    }
}

impl Standards {
    pub fn new(definitions: Definitions) -> Standards {
        let profiles = definitions.clone();
        let source = move |url: &str, version: Option<&str>| profiles.find("StructureDefinition", url, version).map(|bytes| bytes.to_vec());
        Standards { library: Library::new(Box::new(source)), terminology: Checker::new(definitions) }
    }

    /// A profile by its url, or why there is none.
    pub fn profile(&self, url: &str) -> Result<Arc<Profile>, String> {
        let (url, version) = url.split_once('|').map_or((url, None), |(url, version)| (url, Some(version)));
        match self.library.profile(url, version) {
            Ok(Some(profile)) => Ok(profile),
            Ok(None) => Err(format!("no profile {url}")),
            Err(error) => Err(error.to_string()),
        }
    }

    /// All issues up to a level.
    pub fn issues(&self, resource: Node<'_>, level: Asked, profiles: &[Arc<Profile>]) -> Vec<Issue> {
        let mut found = Issues::default();
        let mut take = |issue| found.take(issue);
        let services = Answers(&self.terminology);
        let mut context = Context::new(&self.library);
        context.terminology = Some(&self.terminology);
        context.services = Some(&services);
        // one that wants no more errors has enough
        let _ = match level {
            Asked::Structure => check(resource, Level::Structure, &World::default(), &mut take),
            Asked::Invariants => check(resource, Level::Invariants, &World::default(), &mut take),
            Asked::Bindings => {
                check(resource, Level::Bindings, &World { terminology: Some(&self.terminology), services: &services, profiles: None }, &mut take)
            }
            Asked::Profile => {
                let world = World { terminology: Some(&self.terminology), services: &services, profiles: Some((&context, profiles)) };
                check(resource, Level::Profile, &world, &mut take)
            }
        };
        found.into_list()
    }

    /// The errors up to a level.
    pub fn errors(&self, resource: Node<'_>, level: Asked, profiles: &[Arc<Profile>]) -> Vec<Issue> {
        let mut found = self.issues(resource, level, profiles);
        found.retain(|issue| issue.severity <= Severity::Error);
        found
    }
}
