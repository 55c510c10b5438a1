//! The resources of this server that a resource points at, wherever in it: elements of type Reference, and the addresses of
//! attachments. Which properties those are is told by the definitions, so that no text that only looks like one counts.

use crate::json::Node;
use crate::model::{self, TypeId};
use crate::path::reference::{self, Target};
use std::collections::BTreeSet;

/// Levels that are followed; the store takes no deeper resource.
const MAX_DEPTH: usize = 1_000;

/// What `resource` points at by relative references, each once.
pub fn references(resource: Node<'_>) -> BTreeSet<(TypeId, &'_ str)> {
    let mut found = BTreeSet::new();
    inside(resource, model::RESOURCE, MAX_DEPTH, &mut found);
    found
}

fn inside<'a>(node: Node<'a>, ty: TypeId, depth: usize, found: &mut BTreeSet<(TypeId, &'a str)>) {
    let Some(object) = node.as_object() else { return };
    if depth == 0 {
        return;
    }
    let Some(ty) = reference::type_of(&object, ty) else { return };
    let address = match ty {
        model::REFERENCE => object.get("reference"),
        model::ATTACHMENT => object.get("url"),
        _ => None,
    };
    if let Some(Target::Literal { base: "", ty, id, .. }) = address.and_then(Node::as_str).map(reference::target) {
        found.insert((ty, id));
    }
    for (name, value) in object.iter() {
        let holds = if name.starts_with('_') { Some(model::ELEMENT) } else { ty.get().field(name).map(|field| field.ty) };
        if let Some(holds) = holds {
            for item in value.items() {
                inside(item, holds, depth - 1, found);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;

    #[test]
    fn references_are_found_wherever_they_stand() {
        let text = r##"{"resourceType":"Encounter","id":"e","text":{"status":"generated","div":"<div>Patient/no</div>"},
            "identifier":[{"assigner":{"reference":"Organization/assigner"}}],
            "subject":{"reference":"Patient/p/_history/2","display":"Practitioner/no"},
            "participant":[{"individual":{"reference":"Practitioner/a"}},{"individual":{"reference":"Practitioner/a"}},{"individual":{"reference":"#c"}}],
            "extension":[{"url":"http://x","valueReference":{"reference":"Device/d"}}],
            "_status":{"extension":[{"url":"http://x","valueReference":{"reference":"Basic/b"}}]},
            "contained":[{"resourceType":"Practitioner","id":"c","photo":[{"url":"Binary/photo"}]},{"resourceType":"PractitionerRole","id":"r","organization":{"reference":"Organization/inner"}}],
            "serviceProvider":{"reference":"http://elsewhere.org/fhir/Organization/no"},
            "basedOn":[{"reference":"urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0"},{"identifier":{"value":"Patient/no"}},{"reference":7}],
            "unknown":{"reference":"Patient/no"}}"##;
        let container = json::parse(text.as_bytes(), &json::Limits::default()).unwrap();
        let found = references(json::root(&container).unwrap());
        let found: Vec<String> = found.into_iter().map(|(ty, id)| format!("{}/{id}", ty.name())).collect();
        assert_eq!(found, ["Basic/b", "Binary/photo", "Device/d", "Organization/assigner", "Organization/inner", "Patient/p", "Practitioner/a"]);
    }

    #[test]
    fn depth_is_bounded() {
        let deep = format!("{}1{}", r#"{"resourceType":"Basic","extension":["#.to_owned() + &r#"{"extension":["#.repeat(400), "]}".repeat(400) + "]}");
        let container = json::parse(deep.as_bytes(), &json::Limits::default()).unwrap();
        assert!(references(json::root(&container).unwrap()).is_empty());
    }
}
