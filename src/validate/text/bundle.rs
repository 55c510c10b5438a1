//! What the entries of a Bundle say of each other: <https://hl7.org/fhir/R4/bundle.html>.

use super::{Flow, GO_ON, Walk, each, string, type_of};
use crate::json::{Node, Object};
use crate::model::{EXTENSION, REFERENCE, TypeId};
use crate::path::reference::{self, Target};
use crate::validate::place::{At, clip};
use crate::validate::shape::{Content, Shape};
use crate::validate::structure::MAX_DEPTH;
use std::collections::HashMap;

/// What the resources of a document are listed by, but which documents it replaces need not be in it.
const OTHER_DOCUMENTS: &str = "relatesTo";
/// What a message is about.
const FOCUS: &str = "focus";

/// The versions of entries by their address.
type Versions<'a> = HashMap<&'a str, Vec<Option<&'a str>>>;

pub fn bundle(walk: &mut Walk, bundle: Object<'_>, at: &At) -> Flow {
    let Some(entries) = bundle.get("entry").and_then(Node::as_array) else { return GO_ON };
    let kind = string(bundle, "type").unwrap_or_default();
    for (i, entry) in entries.iter().enumerate() {
        let Some(entry) = entry.as_object() else { continue };
        let at = At { parent: Some(at), name: "entry", index: Some(i) };
        address(walk, entry, &at)?;
        if kind == "searchset" {
            hit(walk, entry, &at)?;
        }
    }
    let Some(first) = entries.iter().next().and_then(Node::as_object).filter(|_| matches!(kind, "document" | "message")) else { return GO_ON };
    let Some((object, ty)) = first.get("resource").and_then(|resource| Some((resource.as_object()?, type_of(resource)?))) else { return GO_ON };
    let mut versions = Versions::new();
    for entry in entries.iter().filter_map(Node::as_object) {
        let version = entry.get("resource").and_then(|resource| resource.get("meta")?.get("versionId")?.as_str());
        if let Some(url) = string(entry, "fullUrl") {
            versions.entry(url).or_default().push(version);
        }
    }
    let base = string(first, "fullUrl").and_then(|url| match reference::target(url) {
        Target::Literal { base, .. } if !base.is_empty() => Some(base),
        _ => None,
    });
    let entry = At { parent: Some(at), name: "entry", index: Some(0) };
    let at = At { parent: Some(&entry), name: "resource", index: None };
    let mut links = Links { walk, versions: &versions, base };
    if kind == "document" {
        // "any resource referenced directly in the Composition": https://hl7.org/fhir/R4/documents.html#content
        return links.all(object, ty, &at, 0);
    }
    // "always included in the bundle": https://hl7.org/fhir/R4/messageheader-definitions.html#MessageHeader.focus
    let Some(focus) = object.get(FOCUS) else { return GO_ON };
    each(focus, &At { parent: Some(&at), name: FOCUS, index: None }, |item, at| match item {
        Node::Object(item) => links.one(item, at),
        _ => GO_ON,
    })
}

/// "The fullUrl SHALL NOT disagree with the id in the resource": <https://hl7.org/fhir/R4/bundle-definitions.html#Bundle.entry.fullUrl>.
fn address(walk: &mut Walk, entry: Object<'_>, at: &At) -> Flow {
    let (Some(url), Some(resource)) = (string(entry, "fullUrl"), entry.get("resource")) else { return GO_ON };
    let Target::Literal { base, ty, id, .. } = reference::target(url) else { return GO_ON };
    if base.is_empty() {
        return GO_ON;
    }
    let is_other = type_of(resource).is_some_and(|own| own != ty) || resource.get("id").and_then(Node::as_str).is_some_and(|own| own != id);
    if !is_other {
        return GO_ON;
    }
    let at = At { parent: Some(at), name: "fullUrl", index: None };
    walk.error("value", &at, format!("ends with {}/{}, which is not the type and id of the resource", ty.name(), clip(id)))
}

/// What a search found has an id, as all that is stored (<https://hl7.org/fhir/R4/resource.html#id>), and an outcome is one
/// (<https://hl7.org/fhir/R4/valueset-search-entry-mode.html>).
fn hit(walk: &mut Walk, entry: Object<'_>, at: &At) -> Flow {
    let (Some(mode), Some(resource)) = (entry.get("search").and_then(|search| search.get("mode")?.as_str()), entry.get("resource")) else { return GO_ON };
    let at = At { parent: Some(at), name: "resource", index: None };
    match mode {
        "match" | "include" if resource.get("id").is_none() => walk.error("required", &at, "what a search finds must have an id".to_owned()),
        "outcome" if type_of(resource).is_some_and(|ty| ty.name() != "OperationOutcome") => {
            walk.error("value", &at, "what tells about the search itself must be an OperationOutcome".to_owned())
        }
        _ => GO_ON,
    }
}

struct Links<'l, 'w, 'a> {
    walk: &'l mut Walk<'w>,
    versions: &'l Versions<'a>,
    /// What relative references of the first entry are relative to, if its address shows that.
    base: Option<&'a str>,
}

impl Links<'_, '_, '_> {
    /// The references of an object, but those in extensions and contained resources.
    fn all(&mut self, object: Object<'_>, ty: TypeId, at: &At, depth: usize) -> Flow {
        if depth >= MAX_DEPTH {
            return GO_ON;
        }
        if ty == REFERENCE {
            return self.one(object, at);
        }
        let shape = Shape::of(ty);
        for (key, value) in object.iter() {
            let Some(rule) = shape.rule(key) else { continue };
            let Content::Complex(inner) = rule.content else { continue };
            if inner == EXTENSION || depth == 0 && rule.element == OTHER_DOCUMENTS {
                continue;
            }
            each(value, &At { parent: Some(at), name: rule.element, index: None }, |item, at| match item {
                Node::Object(item) => self.all(item, inner, at, depth + 1),
                _ => GO_ON,
            })?;
        }
        GO_ON
    }

    /// A reference that must lead to an entry: <https://hl7.org/fhir/R4/bundle.html#references>.
    fn one(&mut self, reference: Object<'_>, at: &At) -> Flow {
        let Some(text) = string(reference, "reference").filter(|text| !text.starts_with('#')) else { return GO_ON };
        let (url, version) = text.split_once("/_history/").map_or((text, None), |(url, version)| (url, Some(version)));
        let versions = match (reference::has_scheme(url), self.base) {
            (true, _) => self.versions.get(url),
            (false, Some(base)) => self.versions.get(format!("{base}/{url}").as_str()),
            (false, None) => None,
        };
        let is_there = versions.is_some_and(|found| version.is_none() || found.contains(&version));
        if is_there {
            return GO_ON;
        }
        let details = match (reference::has_scheme(url), self.base) {
            (false, None) => format!("\"{}\" is relative to nothing, as the fullUrl of this entry shows no server", clip(text)),
            _ => format!("\"{}\" is not in the Bundle", clip(text)),
        };
        self.walk.error("not-found", at, details)
    }
}
