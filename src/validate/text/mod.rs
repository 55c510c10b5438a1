//! Rules that the text of the specification states and that no constraint of a definition expresses. They need the resource alone,
//! so they belong to the level of the invariants.
//!
//! The walk goes only where a rule waits: from each type along the elements that lead to one.

mod attachment;
mod bundle;
mod definitions;
#[cfg(test)]
mod tests;

use super::issue::{Issue, Severity};
use super::place::{At, clip, each};
use super::structure::MAX_DEPTH;
use crate::json::{Node, Object};
use crate::model::{CANONICAL, EXTENSION, Field, Kind, RESOURCE, TYPES, TypeId, type_named};
use crate::path::reference;
use std::ops::ControlFlow;
use std::sync::LazyLock;

type Flow = ControlFlow<()>;
const GO_ON: Flow = ControlFlow::Continue(());

/// What [`Issue::rule`] says here.
const RULE: &str = "text";

/// Asks these rules of `resource` and of the resources in it, and hands each issue to `issues`, which may stop the walk.
pub fn text(resource: Node<'_>, issues: &mut dyn FnMut(Issue) -> Flow) -> Flow {
    let mut walk = Walk { issues };
    walk.resource(resource, &At { parent: None, name: "", index: None }, 0)
}

/// What is asked of an object of one type.
type Judge = fn(&mut Walk, Object<'_>, &At) -> Flow;

/// The types that the specification gives such rules, each in its own page.
const JUDGES: &[(&str, Judge)] = &[
    ("Attachment", attachment::size),
    ("Bundle", bundle::bundle),
    ("CapabilityStatement.rest.resource.searchParam", definitions::capability),
    ("CodeSystem", definitions::code_system),
    ("SearchParameter", definitions::search_parameter),
];

/// What waits in the values of one type, and below them.
#[derive(Default)]
struct Ways {
    judge: Option<Judge>,
    absolute: Vec<&'static Field>,
    /// Properties that lead to more.
    on: Vec<&'static Field>,
}

static WAYS: LazyLock<Vec<Ways>> = LazyLock::new(|| {
    let mut ways: Vec<Ways> = TYPES
        .iter()
        .map(|ty| Ways {
            judge: JUDGES.iter().find(|(name, _)| *name == ty.name).map(|(_, judge)| *judge),
            absolute: ty.fields.iter().filter(|field| ty.elements.get(usize::from(field.element)).is_some_and(|e| e.is_absolute)).collect(),
            on: Vec::new(),
        })
        .collect();
    // Extensions may hold anything, so they would lead everywhere; what they hold is for their definitions to say.
    let leads = |field: &Field, waits: &[bool]| field.ty == RESOURCE || field.ty != EXTENSION && waits.get(usize::from(field.ty.0)) == Some(&true);
    let mut waits: Vec<bool> = ways.iter().map(|way| way.judge.is_some() || !way.absolute.is_empty()).collect();
    loop {
        let more: Vec<usize> = TYPES
            .iter()
            .enumerate()
            .filter(|(number, ty)| matches!(ty.kind, Kind::Backbone | Kind::Complex) && !waits[*number] && ty.fields.iter().any(|field| leads(field, &waits)))
            .map(|(number, _)| number)
            .collect();
        if more.is_empty() {
            break;
        }
        more.into_iter().for_each(|number| waits[number] = true);
    }
    for (ty, way) in TYPES.iter().zip(&mut ways) {
        way.on = ty.fields.iter().filter(|field| leads(field, &waits)).collect();
    }
    ways
});

struct Walk<'w> {
    issues: &'w mut dyn FnMut(Issue) -> Flow,
}

impl Walk<'_> {
    #[cold]
    fn error(&mut self, code: &'static str, at: &At, details: String) -> Flow {
        (self.issues)(Issue { severity: Severity::Error, code, expression: at.expression(), details, rule: RULE.into(), profile: None })
    }

    fn resource(&mut self, node: Node<'_>, at: &At, depth: usize) -> Flow {
        let (Some(object), Some(ty)) = (node.as_object(), type_of(node)) else { return GO_ON };
        let root = At { parent: None, name: ty.name(), index: None };
        self.object(object, ty, if at.parent.is_none() { &root } else { at }, depth)
    }

    fn object(&mut self, object: Object<'_>, ty: TypeId, at: &At, depth: usize) -> Flow {
        let (Some(ways), Some(elements)) = (WAYS.get(usize::from(ty.0)).filter(|_| depth < MAX_DEPTH), Some(ty.get().elements)) else { return GO_ON };
        if let Some(judge) = ways.judge {
            judge(self, object, at)?;
        }
        let name = |field: &Field| elements.get(usize::from(field.element)).map_or(field.name, |element| element.name);
        for field in &ways.absolute {
            let Some(value) = object.get(field.name) else { continue };
            let at = At { parent: Some(at), name: name(field), index: None };
            each(value, &at, |item, at| match item.as_str() {
                Some(url) if !is_absolute(url, field.ty) => self.error("value", at, format!("\"{}\" is no absolute address", clip(url))),
                _ => GO_ON,
            })?;
        }
        for field in &ways.on {
            let Some(value) = object.get(field.name) else { continue };
            let at = At { parent: Some(at), name: name(field), index: None };
            each(value, &at, |item, at| match item {
                item if field.ty == RESOURCE => self.resource(item, at, depth + 1),
                Node::Object(item) => self.object(item, field.ty, at, depth + 1),
                _ => GO_ON,
            })?;
        }
        GO_ON
    }
}

/// A canonical may also be the `#id` of a contained resource: <https://hl7.org/fhir/R4/references.html#canonical>.
fn is_absolute(url: &str, ty: TypeId) -> bool {
    reference::has_scheme(url) || ty == CANONICAL && url.starts_with('#')
}

fn type_of(resource: Node<'_>) -> Option<TypeId> {
    resource.get("resourceType").and_then(Node::as_str).and_then(type_named)
}

fn string<'a>(object: Object<'a>, name: &str) -> Option<&'a str> {
    object.get(name).and_then(Node::as_str)
}
