//! What profiles ask for, feature by feature, and the published ones with their examples.

use super::*;
use crate::json::{self, Limits};
use crate::terminology::{Failure, Membership, Terminology};
use crate::validate::{Issue, Severity};
use std::collections::HashMap;
use std::ops::ControlFlow;

mod derived;
mod features;
mod slicing;
mod extensions;
mod hostile;
mod links;
mod packages;
mod uscore;

/// The definitions of a test.
#[derive(Default)]
struct Files(HashMap<String, Vec<u8>>);

impl Files {
    fn add(&mut self, text: &str) {
        self.add_stored(stored(text));
    }

    fn add_stored(&mut self, bytes: Vec<u8>) {
        let node = json::root(&bytes).unwrap();
        let text = |name: &str| node.get(name).and_then(Node::as_str).map(str::to_owned);
        let url = text("url").unwrap();
        if let Some(version) = text("version") {
            self.0.insert(format!("{url}|{version}"), bytes.clone());
        }
        self.0.insert(url, bytes);
    }

    fn library(&self) -> Library<impl Fn(&str, Option<&str>) -> Option<Vec<u8>> + '_> {
        Library::new(|url: &str, version: Option<&str>| match version {
            Some(version) => self.0.get(&format!("{url}|{version}")).cloned(),
            None => self.0.get(url).cloned(),
        })
    }
}

fn stored(text: &str) -> Vec<u8> {
    json::parse(text.as_bytes(), &Limits::default()).unwrap()
}

/// All issues of a check.
fn gather(work: impl FnOnce(&mut dyn FnMut(Issue) -> ControlFlow<()>) -> ControlFlow<()>) -> Vec<Issue> {
    let mut found = Vec::new();
    let _ = work(&mut |issue| {
        found.push(issue);
        ControlFlow::Continue(())
    });
    found
}

fn errors(issues: Vec<Issue>) -> Vec<Issue> {
    issues.into_iter().filter(|issue| issue.severity <= Severity::Error).collect()
}

/// A profile on `ty` by a differential: `elements` are ElementDefinitions without their brackets, `more` are further properties.
fn profile(name: &str, ty: &str, elements: &str, more: &str) -> String {
    let comma = if elements.is_empty() { "" } else { "," };
    format!(
        r#"{{"resourceType":"StructureDefinition","url":"http://x/{name}","name":"{name}","kind":"resource","abstract":false,"type":"{ty}",
            "baseDefinition":"http://hl7.org/fhir/StructureDefinition/{ty}","derivation":"constraint",{more}
            "differential":{{"element":[{{"id":"{ty}","path":"{ty}"}}{comma}{elements}]}}}}"#
    )
}

/// A profile on `ty` whose elements are written as `path {…}` lines; an id is made of the path, in which slices are told as in ids.
fn lines(name: &str, ty: &str, text: &str) -> String {
    let element = |line: &str| {
        let (id, rest) = line.split_once(' ').unwrap_or((line, "{}"));
        let path: Vec<&str> = id.split('.').map(|part| part.split(':').next().unwrap()).collect();
        let slice = id.rsplit('.').next().unwrap().split_once(':').map_or(String::new(), |(_, slice)| format!(r#""sliceName":"{slice}","#));
        let rest = rest.strip_prefix('{').unwrap_or(rest);
        let comma = if rest == "}" { "" } else { "," };
        format!(r#"{{{slice}"id":"{id}","path":"{}"{comma}{rest}"#, path.join("."))
    };
    let elements: Vec<String> = text.lines().map(str::trim).filter(|line| !line.is_empty()).map(element).collect();
    profile(name, ty, &elements.join(","), "")
}

/// Definitions and what is asked of them.
struct World {
    files: Files,
    terminology: Option<Codes>,
}

/// Value sets as lists of `system|code`.
struct Codes(Vec<(&'static str, Vec<&'static str>)>);

impl Terminology for Codes {
    fn contains(&self, value_set: &str, system: Option<&str>, _: Option<&str>, code: &str) -> Result<Membership, Failure> {
        let Some((_, codes)) = self.0.iter().find(|(url, _)| *url == value_set) else { return Ok(Membership::Unknown(format!("{value_set} is not known"))) };
        let found = codes.iter().any(|c| c.split_once('|').is_some_and(|(s, c)| c == code && system.is_none_or(|system| system == s)));
        Ok(if found { Membership::Member } else { Membership::NotMember })
    }

    fn has_code(&self, _: &str, _: Option<&str>, _: &str) -> Result<Membership, Failure> {
        Ok(Membership::Unknown(String::new()))
    }

    fn display(&self, _: &str, _: Option<&str>, _: &str) -> Result<Option<String>, Failure> {
        Ok(None)
    }
}

/// What is wrong: severity (`e`, `w`), expression, code, and a piece of rule and details.
type Expected<'e> = (&'e str, &'e str, &'e str, &'e str);

impl World {
    fn of(definitions: &[&str]) -> World {
        let mut files = Files::default();
        definitions.iter().for_each(|text| files.add(text));
        World { files, terminology: None }
    }

    fn issues(&self, claims: &[&str], resource: &str) -> Vec<Issue> {
        let library = self.files.library();
        let mut context = Context::new(&library);
        context.terminology = self.terminology.as_ref().map(|codes| codes as &dyn Terminology);
        let profiles: Vec<Arc<Profile>> = claims.iter().map(|name| library.profile(&format!("http://x/{name}"), None).unwrap().unwrap()).collect();
        let bytes = stored(resource);
        gather(|sink| level(json::root(&bytes).unwrap(), &profiles, &context, sink))
    }

    /// Checks `resource` by the whole level, against the profile of that name.
    fn wrong(&self, name: &str, resource: &str, expected: &[Expected]) {
        let claims: &[&str] = if name.is_empty() { &[] } else { &[name] };
        let found = self.issues(claims, resource);
        let severity = |issue: &Issue| match issue.severity {
            Severity::Fatal => "f",
            Severity::Error => "e",
            Severity::Warning => "w",
            Severity::Information => "i",
        };
        let right = found.len() == expected.len()
            && found.iter().zip(expected).all(|(issue, (s, at, code, piece))| {
                severity(issue) == *s && issue.expression == *at && issue.code == *code && format!("{} {}", issue.rule, issue.details).contains(piece)
            });
        assert!(right, "{resource}\nexpected {expected:?}\nfound {found:#?}");
    }

    fn right(&self, name: &str, resource: &str) {
        self.wrong(name, resource, &[]);
    }
}
