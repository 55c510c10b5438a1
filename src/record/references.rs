//! The resources of this server that a resource points at, wherever in it: elements of type Reference, and the addresses of
//! attachments. Which properties those are is told by the definitions, so that no text that only looks like one counts.

use crate::json::Node;
use crate::model::{self, TypeId};
use crate::path::reference::{self, Target};
use crate::path::{self, PathError};
use std::collections::BTreeSet;

/// Levels that are followed; the store takes no deeper resource.
const MAX_DEPTH: usize = 1_000;

/// What `resource` points at by relative references, each once.
pub fn references(resource: Node<'_>) -> BTreeSet<(TypeId, &'_ str)> {
    let mut found = BTreeSet::new();
    inside(resource, model::RESOURCE, MAX_DEPTH, &mut found);
    found
}

/// What the elements of type Reference that a FHIRPath expression leads to point at by relative references, in their order, each once;
/// the expression begins at the resource, with or without its type.
///
/// # Errors
/// What is no FHIRPath, or goes beyond what searches support.
pub fn references_at<'a>(resource: Node<'a>, path: &str) -> Result<Vec<(TypeId, &'a str)>, PathError> {
    let mut found: Vec<(TypeId, &str)> = Vec::new();
    let Some(ty) = resource.get("resourceType").and_then(Node::as_str).and_then(reference::resource_type) else { return Ok(found) };
    let begins = path.trim_start().split(['.', '[']).next().unwrap_or_default().trim();
    let whole = if model::type_named(begins).is_some() { path.to_owned() } else { format!("{}.{path}", ty.name()) };
    let mut seen = BTreeSet::new();
    path::compile(&whole, ty)?.for_each(resource, &mut |node, ty, _| {
        let text = node.get("reference").and_then(Node::as_str).filter(|_| ty == model::REFERENCE);
        if let Some(Target::Literal { base: "", ty, id, .. }) = text.map(reference::target)
            && seen.insert((ty, id))
        {
            found.push((ty, id));
        }
    });
    Ok(found)
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
        if let Some(holds) = reference::type_in(ty, name) {
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
    fn an_expression_leads_to_some_of_them() {
        let text = r##"{"resourceType":"Composition","subject":{"reference":"Patient/p"},"author":[{"reference":"Practitioner/a"},{"reference":"Device/d"},{"reference":"Practitioner/a"},{"display":"x"},{"reference":"#c"}],
            "section":[{"entry":[{"reference":"List/l"}],"section":[{"entry":[{"reference":"List/inner"}]}]}]}"##;
        let container = json::parse(text.as_bytes(), &json::Limits::default()).unwrap();
        let at = |path: &str| {
            let found = references_at(json::root(&container).unwrap(), path).map_err(|error| error.to_string())?;
            Ok::<_, String>(found.into_iter().map(|(ty, id)| format!("{}/{id}", ty.name())).collect::<Vec<_>>())
        };
        assert_eq!(at("Composition.section.entry").unwrap(), ["List/l"]);
        assert_eq!(at("section.section.entry").unwrap(), ["List/inner"]);
        assert_eq!(at("author").unwrap(), ["Practitioner/a", "Device/d"]);
        assert_eq!(at("subject | Composition.author").unwrap_or_default().len() % 3, 0);
        assert!(at("title").unwrap().is_empty() && at("Patient.link.other").unwrap_or_default().is_empty());
        for nonsense in ["", "nonsense", "section.", "subject.resolve().x", "'"] {
            assert!(at(nonsense).is_err(), "{nonsense}");
        }
    }

    #[test]
    fn depth_is_bounded() {
        let deep = format!("{}1{}", r#"{"resourceType":"Basic","extension":["#.to_owned() + &r#"{"extension":["#.repeat(400), "]}".repeat(400) + "]}");
        let container = json::parse(deep.as_bytes(), &json::Limits::default()).unwrap();
        assert!(references(json::root(&container).unwrap()).is_empty());
    }
}
