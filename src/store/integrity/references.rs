//! The references of a resource that name another one of the same server, and where they stand.

use crate::index::Keys;
use crate::index::derived;
use crate::index::keys::{Target as Key, Value};
use crate::index::known::Known;
use crate::json::Node;
use crate::model::{self, ParameterType, SearchParameter, TypeId};
use crate::path::reference::{self, Target};
use crate::path::{self, Compiled};
use std::collections::BTreeSet;
use std::fmt::Write;

/// Levels that are followed; the store takes no deeper resource.
const MAX_DEPTH: usize = 1_000;

/// The element of a resource that holds others which share its references; any other resource inside a resource (an entry of a
/// Bundle, a parameter) resolves its references by rules of its own. <https://hl7.org/fhir/R4/references.html#contained>
const CONTAINED: &str = "contained";

/// A literal, relative reference `Type/id`, with or without a version.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Reference<'a> {
    pub ty: TypeId,
    pub id: &'a str,
    /// Where it stands, such as `Observation.performer[1]`.
    pub path: String,
}

impl Reference<'_> {
    /// `Type/id`.
    pub fn target(&self) -> String {
        format!("{}/{}", self.ty.name(), self.id)
    }
}

/// All references of a resource of the form `Type/id`, in the order of its elements. Left out are contained resources (`#id`),
/// logical references (an identifier alone), other servers' addresses, `urn:` and conditional references.
pub fn literal(resource: Node<'_>) -> Vec<Reference<'_>> {
    let mut found = Vec::new();
    let mut path = resource.get("resourceType").and_then(Node::as_str).unwrap_or_default().to_owned();
    inside(resource, model::RESOURCE, MAX_DEPTH, &mut path, &mut found);
    found
}

fn inside<'a>(node: Node<'a>, ty: TypeId, depth: usize, path: &mut String, found: &mut Vec<Reference<'a>>) {
    let Some(object) = node.as_object() else { return };
    if depth == 0 {
        return;
    }
    let Some(ty) = reference::type_of(&object, ty) else { return };
    if ty == model::REFERENCE
        && let Some(text) = object.get("reference").and_then(Node::as_str)
        && let Target::Literal { base: "", ty, id, .. } = reference::target(text)
    {
        found.push(Reference { ty, id, path: path.clone() });
    }
    for (name, value) in object.iter() {
        let holds = reference::type_in(ty, name);
        let name = name.strip_prefix('_').unwrap_or(name);
        let Some(holds) = holds.filter(|holds| *holds != model::RESOURCE || name == CONTAINED) else { continue };
        let length = path.len();
        let is_list = value.as_array().is_some();
        for (number, item) in value.items().enumerate() {
            if item.as_object().is_none() {
                continue;
            }
            // writing to a String cannot fail
            let _ = if is_list { write!(path, ".{name}[{number}]") } else { write!(path, ".{name}") };
            inside(item, holds, depth - 1, path, found);
            path.truncate(length);
        }
    }
}

/// The parameters of a type whose keys in the index tell references: not those that others hold, nor canonicals.
pub fn parameters(ty: TypeId) -> &'static [&'static SearchParameter] {
    static KNOWN: Known<TypeId, &[&SearchParameter]> = Known::new();
    KNOWN.of(ty, || {
        let held = derived::of_type(ty);
        let tells = |p: &&SearchParameter| {
            p.ty == ParameterType::Reference
                && !held.is_some_and(|held| held.contains_key(&p.key))
                && matches!(path::compile(p.expression, ty), Ok(Compiled::Values(branches)) if branches.iter().any(|b| b.ty == model::REFERENCE))
        };
        model::search_parameters(ty).filter(tells).collect::<Vec<_>>().leak()
    })
}

/// Those targets of the resource's references that its keys in the index do not tell, each once: elements without a search
/// parameter, and extensions.
pub fn unindexed(resource: Node<'_>, keys: &[u8]) -> BTreeSet<String> {
    let all = literal(resource);
    if all.is_empty() {
        return BTreeSet::new();
    }
    let told: BTreeSet<(&str, &str)> = match (Keys::read(keys), resource.get("resourceType").and_then(Node::as_str).and_then(reference::resource_type)) {
        (Some(keys), Some(ty)) => parameters(ty).iter().flat_map(|p| keys.of(p.key)).filter_map(|entry| local(entry.value)).collect(),
        _ => BTreeSet::new(),
    };
    all.iter().filter(|r| !told.contains(&(r.ty.name(), r.id))).map(Reference::target).collect()
}

fn local(value: Value<'_>) -> Option<(&str, &str)> {
    let Value::Reference(text) = value else { return None };
    Key::read(text).and_then(Key::local)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{index, json};

    fn container(text: &str) -> Vec<u8> {
        json::parse(text.as_bytes(), &json::Limits::default()).unwrap()
    }

    fn found(text: &str) -> Vec<String> {
        let container = container(text);
        let mut found: Vec<String> = literal(json::root(&container).unwrap()).iter().map(|r| format!("{} {}", r.path, r.target())).collect();
        found.sort();
        found
    }

    fn not_told(text: &str) -> Vec<String> {
        let container = container(text);
        let node = json::root(&container).unwrap();
        unindexed(node, &index::stamp(node).keys).into_iter().collect()
    }

    const ENCOUNTER: &str = r##"{"resourceType":"Encounter","id":"e","text":{"status":"generated","div":"<div>Patient/no</div>"},
        "identifier":[{"assigner":{"reference":"Organization/assigner"}}],
        "subject":{"reference":"Patient/p/_history/2","display":"Practitioner/no"},
        "participant":[{"individual":{"reference":"Practitioner/a"}},{"individual":{"reference":"#c"}}],
        "hospitalization":{"origin":{"reference":"Location/origin"}},
        "extension":[{"url":"http://x","valueReference":{"reference":"Device/d"}}],
        "_status":{"extension":[{"url":"http://x","valueReference":{"reference":"Basic/b"}}]},
        "contained":[{"resourceType":"PractitionerRole","id":"r","organization":{"reference":"Organization/inner"}}],
        "serviceProvider":{"reference":"http://elsewhere.org/fhir/Organization/no"},
        "account":[{"reference":"Account?identifier=x"}],
        "basedOn":[{"reference":"urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0"},{"identifier":{"value":"Patient/no"}},{"reference":7}],
        "unknown":{"reference":"Patient/no"}}"##;

    #[test]
    fn references_are_found_with_their_places() {
        assert_eq!(
            found(ENCOUNTER),
            [
                "Encounter.contained[0].organization Organization/inner",
                "Encounter.extension[0].valueReference Device/d",
                "Encounter.hospitalization.origin Location/origin",
                "Encounter.identifier[0].assigner Organization/assigner",
                "Encounter.participant[0].individual Practitioner/a",
                "Encounter.status.extension[0].valueReference Basic/b",
                "Encounter.subject Patient/p",
            ]
        );
    }

    #[test]
    fn what_stands_in_a_bundle_or_in_parameters_is_not_of_this_server() {
        assert_eq!(
            found(r#"{"resourceType":"Bundle","type":"collection","entry":[{"resource":{"resourceType":"Encounter","subject":{"reference":"Patient/1"}}}]}"#),
            [""; 0]
        );
        assert_eq!(
            found(r#"{"resourceType":"Parameters","parameter":[{"name":"a","valueReference":{"reference":"Patient/1"}},{"name":"b","resource":{"resourceType":"Encounter","subject":{"reference":"Patient/2"}}}]}"#),
            ["Parameters.parameter[0].valueReference Patient/1"]
        );
    }

    #[test]
    fn what_no_parameter_tells_is_left() {
        assert_eq!(not_told(ENCOUNTER), ["Basic/b", "Device/d", "Location/origin", "Organization/assigner", "Organization/inner"]);
        assert_eq!(not_told(r#"{"resourceType":"Observation","subject":{"reference":"Group/g"},"encounter":{"reference":"Encounter/e"}}"#), [""; 0]);
        assert_eq!(not_told("7"), [""; 0]);
    }

    #[test]
    fn a_parameter_of_one_type_does_not_tell_references_to_another() {
        // `patient` of Account looks only at patients, and there is `subject` for all; what no parameter takes is left
        let all: Vec<&str> = parameters(model::type_named("Observation").unwrap()).iter().map(|p| p.code).collect();
        assert!(all.contains(&"subject") && !all.contains(&"patient"), "{all:?}");
        for ty in model::resource_types() {
            assert!(parameters(ty).iter().all(|p| p.ty == ParameterType::Reference), "{}", ty.name());
        }
    }

    #[test]
    fn depth_is_bounded() {
        let deep = format!("{}1{}", r#"{"resourceType":"Basic","extension":["#.to_owned() + &r#"{"extension":["#.repeat(400), "]}".repeat(400) + "]}");
        assert!(literal(json::root(&container(&deep)).unwrap()).is_empty());
    }
}
