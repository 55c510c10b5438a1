//! The links of a resource that a transaction replaces: references, elements of type uri, url, oid and uuid, and the addresses in
//! its narrative. <https://hl7.org/fhir/R4/http.html#trules>
//!
//! Where they stand is told by the definitions, so that no text that only looks like one is touched. A canonical is none of them.

use crate::json::{self, Item, JsonError, Node};
use crate::model::{self, TypeId};
use crate::path::reference::{type_in, type_of};
use std::borrow::Cow;
use std::sync::LazyLock;

/// Levels that are followed; the store takes no deeper resource.
const MAX_DEPTH: usize = 900;

/// The element that holds resources which share the references of their container.
const CONTAINED: &str = "contained";

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Link {
    /// `Reference.reference`
    Reference,
    Address,
}

/// What stands in place of links, asked for each with its text.
pub trait Replace {
    fn replace(&mut self, link: Link, text: &str) -> Option<String>;
}

impl<F: FnMut(Link, &str) -> Option<String>> Replace for F {
    fn replace(&mut self, link: Link, text: &str) -> Option<String> {
        self(link, text)
    }
}

/// The resource with its links replaced; none where there is nothing to replace.
pub fn replaced(resource: Node, with: &mut dyn Replace) -> Option<Result<Vec<u8>, JsonError>> {
    inside(resource, model::RESOURCE, MAX_DEPTH, with).map(|item| json::write(&item))
}

/// Shows the text of every reference of the resource and what it contains; not of resources inside a Bundle or Parameters, which
/// resolve theirs by rules of their own.
pub fn references<'a>(resource: Node<'a>, see: &mut dyn FnMut(&'a str)) {
    see_inside(resource, model::RESOURCE, MAX_DEPTH, see);
}

fn see_inside<'a>(node: Node<'a>, ty: TypeId, depth: usize, see: &mut dyn FnMut(&'a str)) {
    let Some(object) = node.as_object().filter(|_| depth > 0) else { return };
    let Some(ty) = type_of(&object, ty) else { return };
    for (name, value) in object.iter() {
        match value {
            Node::String(text) if ty == model::REFERENCE && name == "reference" => see(text),
            Node::Object(_) | Node::Array(_) => {}
            _ => continue,
        }
        // beside a primitive stands what extends it
        let holds = if name.starts_with('_') { Some(model::ELEMENT) } else { ty.get().field(name).map(|field| field.ty) };
        let Some(holds) = holds.filter(|holds| *holds != model::RESOURCE || name == CONTAINED) else { continue };
        value.items().for_each(|item| see_inside(item, holds, depth - 1, see));
    }
}

/// The resource with its links replaced and that id.
pub fn rewritten(resource: Node, id: Option<&str>, with: &mut dyn Replace) -> Result<Vec<u8>, JsonError> {
    let item = inside(resource, model::RESOURCE, MAX_DEPTH, with).unwrap_or(Item::Node(resource));
    let item = match (id, item) {
        (None, item) => item,
        (Some(id), Item::Object(mut members)) => {
            members.push(("id".into(), Item::String(Cow::Owned(id.to_owned()))));
            Item::Object(members)
        }
        (Some(id), _) => {
            let mut members: Vec<(Cow<str>, Item)> =
                resource.as_object().into_iter().flat_map(|object| object.iter()).map(|(key, value)| (Cow::Borrowed(key), Item::Node(value))).collect();
            members.push(("id".into(), Item::String(Cow::Owned(id.to_owned()))));
            Item::Object(members)
        }
    };
    json::write(&item)
}

/// Shows every link of the resource.
pub fn visit(resource: Node, see: &mut dyn FnMut(Link, &str)) {
    inside(resource, model::RESOURCE, MAX_DEPTH, &mut |link, text: &str| {
        see(link, text);
        None
    });
}

fn addresses() -> &'static [TypeId] {
    static TYPES: LazyLock<Vec<TypeId>> = LazyLock::new(|| ["uri", "url", "oid", "uuid"].into_iter().filter_map(model::type_named).collect());
    &TYPES
}

fn narrative() -> Option<TypeId> {
    static XHTML: LazyLock<Option<TypeId>> = LazyLock::new(|| model::type_named("xhtml"));
    *XHTML
}

/// The node with its links replaced; none if there is nothing to replace.
fn inside<'a>(node: Node<'a>, ty: TypeId, depth: usize, with: &mut dyn Replace) -> Option<Item<'a>> {
    if depth == 0 {
        return None;
    }
    match node {
        Node::String(text) if addresses().contains(&ty) => with.replace(Link::Address, text).map(|new| Item::String(Cow::Owned(new))),
        Node::String(text) if narrative() == Some(ty) => in_narrative(text, with).map(|new| Item::String(Cow::Owned(new))),
        Node::Array(array) => {
            let changed: Vec<Option<Item>> = array.iter().map(|item| inside(item, ty, depth - 1, with)).collect();
            if changed.iter().all(Option::is_none) {
                return None;
            }
            Some(Item::Array(changed.into_iter().zip(array.iter()).map(|(changed, old)| changed.unwrap_or(Item::Node(old))).collect()))
        }
        Node::Object(object) => {
            let ty = type_of(&object, ty)?;
            let mut changes: Vec<(&str, Item)> = Vec::new();
            for (name, value) in object.iter() {
                let new = match (ty, name, value) {
                    (model::REFERENCE, "reference", Node::String(text)) => with.replace(Link::Reference, text).map(|new| Item::String(Cow::Owned(new))),
                    _ => type_in(ty, name).and_then(|ty| inside(value, ty, depth - 1, with)),
                };
                changes.extend(new.map(|new| (name, new)));
            }
            if changes.is_empty() {
                return None;
            }
            let kept = object.iter().filter(|(name, _)| !changes.iter().any(|(changed, _)| changed == name));
            let mut members: Vec<(Cow<str>, Item)> = kept.map(|(name, value)| (Cow::Borrowed(name), Item::Node(value))).collect();
            members.extend(changes.into_iter().map(|(name, item)| (Cow::Borrowed(name), item)));
            Some(Item::Object(members))
        }
        _ => None,
    }
}

/// Replaces what `href="…"` and `src="…"` name.
fn in_narrative(text: &str, with: &mut dyn Replace) -> Option<String> {
    let mut out = String::new();
    let mut rest = text;
    let mut changed = false;
    while let Some((before, quote, after)) = next_address(rest) {
        let Some(end) = after.find(quote) else { break };
        out.push_str(before);
        match with.replace(Link::Address, &after[..end]) {
            Some(new) => {
                changed = true;
                // what a server makes of an id needs no escapes in an attribute
                out.push_str(&new);
            }
            None => out.push_str(&after[..end]),
        }
        rest = &after[end..];
    }
    out.push_str(rest);
    changed.then_some(out)
}

/// Up to and with the quote that opens the next address, the quote, and what follows.
fn next_address(text: &str) -> Option<(&str, char, &str)> {
    let starts = [("href=\"", '"'), ("href='", '\''), ("src=\"", '"'), ("src='", '\'')];
    let (at, length, quote) = starts.iter().filter_map(|(start, quote)| text.find(start).map(|at| (at, start.len(), *quote))).min_by_key(|(at, ..)| *at)?;
    Some((&text[..at + length], quote, &text[at + length..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rewrite(text: &str) -> String {
        let container = json::parse(text.as_bytes(), &json::Limits::default()).unwrap();
        let mut with = |link: Link, text: &str| match (link, text) {
            (_, "urn:uuid:1") => Some("Patient/new".to_owned()),
            (Link::Reference, "Practitioner?identifier=x") => Some("Practitioner/known".to_owned()),
            _ => None,
        };
        let new = rewritten(json::root(&container).unwrap(), Some("i"), &mut with).unwrap();
        json::root(&new).unwrap().to_json()
    }

    #[test]
    fn links_are_replaced_where_the_definitions_have_them() {
        assert_eq!(
            rewrite(
                r#"{"resourceType":"Observation","subject":{"reference":"urn:uuid:1"},"performer":[{"reference":"Practitioner?identifier=x"},{"reference":"Practitioner/a"}],
                    "valueString":"urn:uuid:1","identifier":[{"system":"urn:uuid:1","value":"urn:uuid:1"}],"note":[{"text":"urn:uuid:1"}]}"#
            ),
            r#"{"id": "i", "note": [{"text": "urn:uuid:1"}], "subject": {"reference": "Patient/new"}, "performer": [{"reference": "Practitioner/known"}, {"reference": "Practitioner/a"}], "identifier": [{"value": "urn:uuid:1", "system": "Patient/new"}], "valueString": "urn:uuid:1", "resourceType": "Observation"}"#
        );
    }

    #[test]
    fn also_in_contained_resources_extensions_and_the_narrative_but_not_in_canonicals() {
        assert_eq!(
            rewrite(
                r#"{"resourceType":"PlanDefinition","library":["urn:uuid:1"],"contained":[{"resourceType":"Observation","subject":{"reference":"urn:uuid:1"}}],
                    "extension":[{"url":"http://x","valueReference":{"reference":"urn:uuid:1"}}],
                    "text":{"div":"<div><a href=\"urn:uuid:1\">urn:uuid:1</a><img src='urn:uuid:1'/><a href=\"x\"/></div>"}}"#
            ),
            r#"{"id": "i", "text": {"div": "<div><a href=\"Patient/new\">urn:uuid:1</a><img src='Patient/new'/><a href=\"x\"/></div>"}, "library": ["urn:uuid:1"], "contained": [{"subject": {"reference": "Patient/new"}, "resourceType": "Observation"}], "extension": [{"url": "http://x", "valueReference": {"reference": "Patient/new"}}], "resourceType": "PlanDefinition"}"#
        );
    }

    #[test]
    fn references_are_seen_where_the_definitions_have_them() {
        let text = r#"{"resourceType":"Observation","subject":{"reference":"Patient/1"},"valueString":"Patient/2","performer":[{"reference":"Practitioner/3"}],
            "contained":[{"resourceType":"Patient","generalPractitioner":[{"reference":"Practitioner/4"}]}],
            "_status":{"extension":[{"url":"http://x","valueReference":{"reference":"Device?identifier=5"}}]},"nonsense":{"reference":"Patient/6"}}"#;
        let container = json::parse(text.as_bytes(), &json::Limits::default()).unwrap();
        let mut seen = Vec::new();
        references(json::root(&container).unwrap(), &mut |text| seen.push(text));
        seen.sort();
        assert_eq!(seen, ["Device?identifier=5", "Patient/1", "Practitioner/3", "Practitioner/4"]);
        let bundle = r#"{"resourceType":"Bundle","type":"collection","entry":[{"resource":{"resourceType":"Observation","subject":{"reference":"Patient/1"}}}]}"#;
        let container = json::parse(bundle.as_bytes(), &json::Limits::default()).unwrap();
        references(json::root(&container).unwrap(), &mut |text| panic!("{text}"));
        assert!(replaced(json::root(&container).unwrap(), &mut |_: Link, _: &str| None).is_none());
    }

    #[test]
    fn what_has_no_links_stays() {
        assert_eq!(rewrite(r#"{"resourceType":"Patient","active":true,"id":"old"}"#), r#"{"id": "i", "active": true, "resourceType": "Patient"}"#);
        assert_eq!(rewrite(r#"{"resourceType":"Nonsense","subject":{"reference":"urn:uuid:1"}}"#), r#"{"id": "i", "subject": {"reference": "urn:uuid:1"}, "resourceType": "Nonsense"}"#);
    }
}
