//! What profiles ask for, feature by feature, and the published ones with their examples.

use super::*;
use crate::json::{self, Limits};
use crate::validate::{Issue, Severity};
use std::collections::HashMap;
use std::ops::ControlFlow;

mod derived;
mod packages;
mod uscore;

/// The definitions of a test.
#[derive(Default)]
struct Files(HashMap<String, Vec<u8>>);

impl Files {
    fn add(&mut self, text: &str) {
        let bytes = stored(text);
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
fn gather(work: impl FnOnce(&mut dyn FnMut(Issue) -> ControlFlow<()>)) -> Vec<Issue> {
    let mut found = Vec::new();
    work(&mut |issue| {
        found.push(issue);
        ControlFlow::Continue(())
    });
    found
}

fn errors(issues: Vec<Issue>) -> Vec<Issue> {
    issues.into_iter().filter(|issue| issue.severity <= Severity::Error).collect()
}
