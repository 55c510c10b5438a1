//! The rules of the specification on small definitions, hostile ones, and the value sets that HL7 published.

mod closure;
mod hostile;
mod membership;
mod package;
mod rules;

use super::*;
use crate::json;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::convert::Infallible;

/// Definitions in memory.
#[derive(Default)]
pub struct Shelf {
    value_sets: HashMap<String, Vec<(Option<String>, Vec<u8>)>>,
    code_systems: HashMap<String, Vec<(Option<String>, Vec<u8>)>>,
    by_id: HashMap<String, Vec<u8>>,
}

impl Shelf {
    /// Resources, one a line or one an item.
    pub fn of<'a>(texts: impl IntoIterator<Item = &'a str>) -> Shelf {
        let mut shelf = Shelf::default();
        for text in texts {
            shelf.add(json::parse(text.as_bytes(), &json::Limits::default()).unwrap_or_else(|error| panic!("{text}: {error}")));
        }
        shelf
    }

    fn add(&mut self, container: Vec<u8>) {
        let root = json::root(&container).unwrap();
        let text = |key: &str| root.get(key).and_then(json::Node::as_str).map(str::to_owned);
        let (url, version, id) = (text("url"), text("version"), text("id"));
        let is_set = text("resourceType").as_deref() == Some("ValueSet");
        if let Some(id) = id.filter(|_| is_set) {
            self.by_id.insert(id, container.clone());
        }
        let map = if is_set { &mut self.value_sets } else { &mut self.code_systems };
        map.entry(url.unwrap_or_default()).or_default().push((version, container));
    }

    fn find(map: &HashMap<String, Vec<(Option<String>, Vec<u8>)>>, url: &str, version: Option<&str>) -> Option<Vec<u8>> {
        let fits = |(held, _): &&(Option<String>, Vec<u8>)| version.is_none() || held.as_deref() == version;
        map.get(url)?.iter().filter(fits).max_by_key(|(held, _)| held.clone()).map(|(_, container)| container.clone())
    }
}

impl Source for Shelf {
    type Error = Infallible;

    fn value_set(&mut self, url: &str, version: Option<&str>) -> Result<Option<Vec<u8>>, Infallible> {
        Ok(Shelf::find(&self.value_sets, url, version))
    }

    fn value_set_by_id(&mut self, id: &str) -> Result<Option<Vec<u8>>, Infallible> {
        Ok(self.by_id.get(id).cloned())
    }

    fn code_system(&mut self, url: &str, version: Option<&str>) -> Result<Option<Rc<CodeSystem>>, Infallible> {
        Ok(Shelf::find(&self.code_systems, url, version).and_then(|container| CodeSystem::read(&container)).map(Rc::new))
    }
}

/// Members as `system|code` and `system|`; `|code` where no system is said.
fn shown(members: &[Member]) -> Vec<String> {
    let text = |member: &Member| match member {
        Member::Code(Coding { system, code }) => format!("{}|{code}", system.as_deref().unwrap_or("")),
        Member::WholeSystem(system) => format!("{system}|"),
    };
    members.iter().map(text).collect()
}
