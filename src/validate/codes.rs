//! Codes that their system does not have, whatever binds the element: <https://hl7.org/fhir/R4/terminologies.html>. A walk over all
//! codings, and over the codes that definitions of terminology list.
//!
//! What is not known is nothing to be told here: a system that nobody loaded, or of which only a part is there.

use super::issue::{Issue, Severity};
use super::place::{At, clip, each};
use super::shape::{Content, Shape};
use super::structure::MAX_DEPTH;
use crate::json::{Node, Object};
use crate::model::{CODING, ELEMENT, QUANTITY, TypeId, is_a, type_named};
use crate::path::reference;
use crate::terminology::{Finding, Membership, Shown, Terminology};
use std::borrow::Cow;
use std::ops::ControlFlow;

type Flow = ControlFlow<()>;
const GO_ON: Flow = ControlFlow::Continue(());

/// Operators of a filter whose value is a code of the system: <https://hl7.org/fhir/R4/valueset-filter-operator.html>.
const NAMES_CODE: &[&str] = &["is-a", "descendent-of", "is-not-a", "generalizes"];

/// Asks the systems of all codes in `resource`, and hands each issue to `issues`, which may stop the walk.
pub fn codes(resource: Node<'_>, terminology: &dyn Terminology, issues: &mut dyn FnMut(Issue) -> Flow) -> Flow {
    Walk { terminology, issues }.resource(resource, &At { parent: None, name: "", index: None }, 0)
}

struct Walk<'w> {
    terminology: &'w dyn Terminology,
    issues: &'w mut dyn FnMut(Issue) -> Flow,
}

impl Walk<'_> {
    fn tell(&mut self, severity: Severity, code: &'static str, rule: &'static str, at: &At, details: String) -> Flow {
        (self.issues)(Issue { severity, code, expression: at.expression(), details, rule: Cow::Borrowed(rule), profile: None })
    }

    fn error(&mut self, at: &At, details: String) -> Flow {
        self.tell(Severity::Error, "code-invalid", "code", at, details)
    }

    fn resource(&mut self, node: Node<'_>, at: &At, depth: usize) -> Flow {
        let ty = node.get("resourceType").and_then(Node::as_str).and_then(type_named);
        let (Some(object), Some(ty)) = (node.as_object(), ty) else { return GO_ON };
        let root = At { parent: None, name: ty.name(), index: None };
        let at = if at.parent.is_none() { &root } else { at };
        self.object(object, ty, at, depth)?;
        match ty.name() {
            "ConceptMap" => self.mapped(object, at),
            _ => GO_ON,
        }
    }

    fn object(&mut self, object: Object<'_>, ty: TypeId, at: &At, depth: usize) -> Flow {
        if depth >= MAX_DEPTH {
            return GO_ON;
        }
        if ty == CODING || is_a(ty, QUANTITY) {
            self.coding(object, at)?;
        } else if ty.name() == "ValueSet.compose.include" {
            self.included(object, at)?;
        }
        let shape = Shape::of(ty);
        for (key, value) in object.iter() {
            let (name, beside) = key.strip_prefix('_').map_or((key, false), |name| (name, true));
            let Some(rule) = shape.rule(name) else { continue };
            let ty = match rule.content {
                Content::Primitive(_) if beside => ELEMENT,
                Content::Primitive(_) => continue,
                Content::Complex(ty) => ty,
                Content::Resource => {
                    each(value, &At { parent: Some(at), name: rule.element, index: None }, |item, at| self.resource(item, at, depth + 1))?;
                    continue;
                }
            };
            each(value, &At { parent: Some(at), name: rule.element, index: None }, |item, at| match item {
                Node::Object(item) => self.object(item, ty, at, depth + 1),
                _ => GO_ON,
            })?;
        }
        GO_ON
    }

    /// A Coding, or a Quantity: its unit is a code too, but shown as people please.
    fn coding(&mut self, coding: Object<'_>, at: &At) -> Flow {
        let Some(system) = string(coding, "system") else { return GO_ON };
        if !reference::has_scheme(system) {
            let at = At { parent: Some(at), name: "system", index: None };
            return self.error(&at, format!("\"{}\" is no absolute address, so it names no system", clip(system)));
        }
        let Some(code) = string(coding, "code") else { return GO_ON };
        self.code(Shown { system, version: string(coding, "version"), code, display: string(coding, "display") }, at)
    }

    /// The code, system and display stand below `at`.
    fn code(&mut self, shown: Shown<'_>, at: &At) -> Flow {
        let below = |name| At { parent: Some(at), name, index: None };
        match self.terminology.coding(shown) {
            Ok(Finding::Fine) | Err(_) => GO_ON,
            Ok(Finding::NoSuchCode) => self.error(&below("code"), no_such_code(shown.system, shown.code)),
            Ok(Finding::Supplement) => {
                let details = format!("{} only supplements another code system, whose url is to be named", clip_url(shown.system));
                self.error(&below("system"), details)
            }
            Ok(Finding::ValueSet) => self.error(&below("system"), format!("{} is a value set, not a code system", clip_url(shown.system))),
            Ok(Finding::OtherDisplay(own)) => {
                let details = format!("the code \"{}\" is shown as \"{}\" by its system", clip(shown.code), clip_url(&own));
                self.tell(Severity::Warning, "code-invalid", "display", &below("display"), details)
            }
        }
    }

    /// Codes that a value set lists or selects by are codes of the system: <https://hl7.org/fhir/R4/valueset.html#compositions>.
    fn included(&mut self, include: Object<'_>, at: &At) -> Flow {
        let Some(system) = string(include, "system") else { return GO_ON };
        let version = string(include, "version");
        self.listed(include, "concept", "code", system, version, at, |_| true)?;
        let names_code = |filter: Object<'_>| string(filter, "property") == Some("concept") && string(filter, "op").is_some_and(|op| NAMES_CODE.contains(&op));
        self.listed(include, "filter", "value", system, version, at, names_code)
    }

    /// What is mapped is a code of the source, and in the value set that "contains the concepts that are being mapped":
    /// <https://hl7.org/fhir/R4/conceptmap-definitions.html#ConceptMap.source_x_>.
    fn mapped(&mut self, map: Object<'_>, at: &At) -> Flow {
        let value_set = string(map, "sourceCanonical").or_else(|| string(map, "sourceUri"));
        let Some(groups) = map.get("group") else { return GO_ON };
        each(groups, &At { parent: Some(at), name: "group", index: None }, |group, at| {
            let Some(group) = group.as_object() else { return GO_ON };
            let (source, target) = (string(group, "source"), string(group, "target"));
            let (source_version, target_version) = (string(group, "sourceVersion"), string(group, "targetVersion"));
            if let Some(source) = source {
                self.listed(group, "element", "code", source, source_version, at, |_| true)?;
            }
            let Some(elements) = group.get("element") else { return GO_ON };
            each(elements, &At { parent: Some(at), name: "element", index: None }, |element, at| {
                let Some(element) = element.as_object() else { return GO_ON };
                if let (Some(value_set), Some(code)) = (value_set, string(element, "code"))
                    && let Ok(Membership::NotMember) = self.terminology.contains(value_set, source, source_version, code)
                {
                    let at = At { parent: Some(at), name: "code", index: None };
                    self.error(&at, format!("\"{}\" is not in the value set {} that is mapped", clip(code), clip_url(value_set)))?;
                }
                match target {
                    Some(target) => self.listed(element, "target", "code", target, target_version, at, |_| true),
                    None => GO_ON,
                }
            })
        })
    }

    /// The codes of a system in a list of objects, where one is asked for.
    #[allow(clippy::too_many_arguments)]
    fn listed(&mut self, of: Object<'_>, list: &str, name: &str, system: &str, version: Option<&str>, at: &At, asked: impl Fn(Object<'_>) -> bool) -> Flow {
        let Some(items) = of.get(list) else { return GO_ON };
        each(items, &At { parent: Some(at), name: list, index: None }, |item, at| {
            let Some(item) = item.as_object().filter(|item| asked(*item)) else { return GO_ON };
            let Some(code) = string(item, name) else { return GO_ON };
            match self.terminology.coding(Shown { system, version, code, display: None }) {
                Ok(Finding::NoSuchCode) => self.error(&At { parent: Some(at), name, index: None }, no_such_code(system, code)),
                _ => GO_ON,
            }
        })
    }
}

fn no_such_code(system: &str, code: &str) -> String {
    format!("{} has no code \"{}\"", clip_url(system), clip(code))
}

fn clip_url(url: &str) -> &str {
    url.char_indices().nth(256).map_or(url, |(end, _)| &url[..end])
}

fn string<'a>(object: Object<'a>, name: &str) -> Option<&'a str> {
    object.get(name).and_then(Node::as_str)
}
