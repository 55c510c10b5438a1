//! What definitions say of others, and of themselves.

use super::{Flow, GO_ON, Walk, each, string};
use crate::json::{Node, Object};
use crate::model::{self, is_a, type_named};
use crate::validate::place::{At, clip};
use crate::validate::structure::MAX_DEPTH;
use std::collections::HashMap;

/// A SearchParameter "must be consistent with the definition from which it is defined":
/// <https://hl7.org/fhir/R4/searchparameter-definitions.html#SearchParameter.derivedFrom>.
pub fn search_parameter(walk: &mut Walk, parameter: Object<'_>, at: &At) -> Flow {
    let Some(origin) = string(parameter, "derivedFrom").and_then(known_parameter) else { return GO_ON };
    if let Some(ty) = string(parameter, "type").filter(|ty| *ty != origin.ty.code()) {
        let at = At { parent: Some(at), name: "type", index: None };
        walk.error("value", &at, format!("is {}, but the parameter that it derives from is {}", clip(ty), origin.ty.code()))?;
    }
    let Some(bases) = parameter.get("base") else { return GO_ON };
    each(bases, &At { parent: Some(at), name: "base", index: None }, |base, at| {
        let Some(ty) = base.as_str().and_then(type_named) else { return GO_ON };
        if origin.bases.iter().any(|base| is_a(ty, *base)) {
            return GO_ON;
        }
        walk.error("value", at, format!("the parameter that it derives from is not for {}", ty.name()))
    })
}

/// The type of a parameter is that of its definition:
/// <https://hl7.org/fhir/R4/capabilitystatement-definitions.html#CapabilityStatement.rest.resource.searchParam.definition>.
pub fn capability(walk: &mut Walk, parameter: Object<'_>, at: &At) -> Flow {
    let Some(definition) = string(parameter, "definition").and_then(known_parameter) else { return GO_ON };
    let Some(ty) = string(parameter, "type").filter(|ty| *ty != definition.ty.code()) else { return GO_ON };
    let at = At { parent: Some(at), name: "type", index: None };
    walk.error("value", &at, format!("is {}, but the definition says {}", clip(ty), definition.ty.code()))
}

/// A search parameter of R4 by its canonical url.
fn known_parameter(canonical: &str) -> Option<&'static model::SearchParameter> {
    model::search_parameter_by_url(canonical.split_once('|').map_or(canonical, |(url, _)| url))
}

/// <https://hl7.org/fhir/R4/codesystem.html#properties>, <https://hl7.org/fhir/R4/codesystem.html#supplements>
pub fn code_system(walk: &mut Walk, system: Object<'_>, at: &At) -> Flow {
    if system.get("supplements").is_some() && string(system, "content").is_some_and(|content| content != "supplement") {
        let at = At { parent: Some(at), name: "content", index: None };
        walk.error("value", &at, "what supplements another code system must say so".to_owned())?;
    }
    let mut declared = HashMap::new();
    if let Some(properties) = system.get("property") {
        each(properties, &At { parent: Some(at), name: "property", index: None }, |property, at| {
            let text = |name: &str| property.get(name).and_then(Node::as_str);
            let Some((code, ty)) = text("code").zip(text("type")) else { return GO_ON };
            match declared.insert(code, ty) {
                Some(_) => walk.error("duplicate", at, format!("the property \"{}\" is declared twice", clip(code))),
                None => GO_ON,
            }
        })?;
    }
    match system.get("concept") {
        Some(concepts) if !declared.is_empty() => values(walk, concepts, &declared, at, 0),
        _ => GO_ON,
    }
}

/// Values of properties are of the type that is declared.
fn values(walk: &mut Walk, concepts: Node<'_>, declared: &HashMap<&str, &str>, at: &At, depth: usize) -> Flow {
    if depth >= MAX_DEPTH {
        return GO_ON;
    }
    each(concepts, &At { parent: Some(at), name: "concept", index: None }, |concept, at| {
        if let Some(properties) = concept.get("property") {
            each(properties, &At { parent: Some(at), name: "property", index: None }, |property, at| {
                let Some(property) = property.as_object() else { return GO_ON };
                let Some((code, ty)) = string(property, "code").and_then(|code| Some((code, *declared.get(code)?))) else { return GO_ON };
                let Some(given) = property.iter().find_map(|(key, _)| key.strip_prefix("value")) else { return GO_ON };
                if given.eq_ignore_ascii_case(ty) {
                    return GO_ON;
                }
                walk.error("value", at, format!("the property \"{}\" is declared as {}, not as {}", clip(code), clip(ty), clip(given)))
            })?;
        }
        match concept.get("concept") {
            Some(concepts) => values(walk, concepts, declared, at, depth + 1),
            None => GO_ON,
        }
    })
}
