//! A page of codes as a ValueSet. <https://hl7.org/fhir/R4/valueset.html#expansion>

use super::page::{Entry, Page, Wanted};
use crate::json::{self, Item, JsonError, Node, number};
use std::borrow::Cow;

/// What of a definition its expansion keeps: not how it is composed.
const KEPT: &[&str] = &["id", "url", "identifier", "version", "name", "title", "status", "experimental", "date", "publisher", "immutable", "copyright"];

/// Tells that not all codes are listed. <http://hl7.org/fhir/StructureDefinition/valueset-unclosed>
const UNCLOSED: &str = "http://hl7.org/fhir/StructureDefinition/valueset-unclosed";

/// A ValueSet with the page as its expansion, made at that instant. `stored` is its definition, where there is one.
pub fn resource<'d>(
    stored: Option<&[u8]>,
    url: &str,
    page: &Page,
    wanted: &Wanted,
    instant: &str,
    designations: impl Fn(&Entry) -> Option<&'d [u8]>,
) -> Result<Vec<u8>, JsonError> {
    let root = stored.and_then(json::root);
    let mut members: Members = vec![("resourceType".into(), text("ValueSet"))];
    for key in KEPT {
        members.extend(root.and_then(|root| root.get(key)).map(|value| (Cow::Borrowed(*key), Item::Node(value))));
    }
    if root.is_none() {
        members.extend([("url".into(), text(url)), ("status".into(), text("active"))]);
    }
    let mut expansion: Members = Vec::new();
    if !page.wholes.is_empty() {
        expansion.push(("extension".into(), Item::Array(vec![object([("url", text(UNCLOSED)), ("valueBoolean", Item::Bool(true))])])));
    }
    expansion.extend([("timestamp".into(), text(instant)), ("total".into(), count(page.total)?)]);
    let mut parameters = Vec::new();
    if wanted.count.is_some() || wanted.offset > 0 {
        expansion.push(("offset".into(), count(wanted.offset)?));
        parameters.push(object([("name", text("offset")), ("valueInteger", count(wanted.offset)?)]));
    }
    if let Some(limit) = wanted.count {
        parameters.push(object([("name", text("count")), ("valueInteger", count(limit)?)]));
    }
    if let Some(filter) = wanted.filter {
        parameters.push(object([("name", text("filter")), ("valueString", text(filter))]));
    }
    if wanted.active_only {
        parameters.push(object([("name", text("activeOnly")), ("valueBoolean", Item::Bool(true))]));
    }
    if !parameters.is_empty() {
        expansion.push(("parameter".into(), Item::Array(parameters)));
    }
    let mut contains = Vec::with_capacity(page.entries.len());
    for entry in &page.entries {
        let mut members: Members = Vec::new();
        members.extend(entry.coding.system.as_deref().map(|system| ("system".into(), text(system))));
        if entry.is_inactive {
            members.push(("inactive".into(), Item::Bool(true)));
        }
        members.push(("code".into(), text(&entry.coding.code)));
        members.extend(entry.display.as_deref().map(|display| ("display".into(), text(display))));
        members.extend(designations(entry).and_then(json::root).map(|list: Node| ("designation".into(), Item::Node(list))));
        contains.push(Item::Object(members));
    }
    if !contains.is_empty() {
        expansion.push(("contains".into(), Item::Array(contains)));
    }
    members.push(("expansion".into(), Item::Object(expansion)));
    json::write(&Item::Object(members))
}

type Members<'a> = Vec<(Cow<'a, str>, Item<'a>)>;

fn object<'a, const N: usize>(members: [(&'static str, Item<'a>); N]) -> Item<'a> {
    Item::Object(members.into_iter().map(|(name, item)| (Cow::Borrowed(name), item)).collect())
}

fn text(text: &str) -> Item<'_> {
    Item::String(Cow::Borrowed(text))
}

fn count<'a>(value: usize) -> Result<Item<'a>, JsonError> {
    // the digits of a whole number are one
    number::encode(&value.to_string()).unwrap_or(Ok(Vec::new())).map(|bytes| Item::Number(Cow::Owned(bytes)))
}
