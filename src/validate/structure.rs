//! The one walk over a resource that checks its structure. On valid input it allocates nothing.

use super::issue::{Issue, Severity};
use super::place::{At, clip};
use super::shape::{Content, Elements, Rule, Shape};
use crate::json::{Array, Node, Object};
use crate::model::{CODEABLE_CONCEPT, CODING, DOMAIN_RESOURCE, EXTENSION, REFERENCE, TypeId, ValueSetId, is_a, value_set};
use crate::path::eval::Services;
use crate::path::reference::{self, Target};
use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::HashMap;
use std::ops::ControlFlow;

/// Deepest nesting of JSON objects. The specification sets no limit; the deepest of its examples has 16.
pub const MAX_DEPTH: usize = 256;

/// What [`Issue::rule`] says here.
const RULE: Cow<'static, str> = Cow::Borrowed("structure");

type Flow = ControlFlow<()>;
const GO_ON: Flow = ControlFlow::Continue(());

/// Contained resources of which an id is looked for one by one.
const FEW: usize = 16;

/// Objects between two questions whether to go on.
pub(super) const ROUND: u32 = 4096;

/// Checks the structure of `resource` and hands each issue to `issues`, which may stop the walk; so may `services`. It breaks where the
/// walk did not reach its end.
pub fn structure(resource: Node<'_>, services: &dyn Services, issues: &mut dyn FnMut(Issue) -> ControlFlow<()>) -> ControlFlow<()> {
    let mut walk = Walk { issues, services, objects: 0 };
    let at = At { parent: None, name: "", index: None };
    walk.resource(resource, None, &at, 0)
}

/// What a Reference says about its target, caught while its properties are walked.
struct Pointer<'a> {
    text: Option<&'a str>,
    ty: Option<&'a str>,
}

impl<'a> Pointer<'a> {
    fn take(&mut self, property: &str, value: Node<'a>) {
        match property {
            "reference" => self.text = value.as_str(),
            "type" => self.ty = value.as_str(),
            _ => {}
        }
    }
}

/// The resource that contained resources and `#id` references belong to.
struct Container<'a> {
    resource: Object<'a>,
    ty: TypeId,
    /// Where there are many contained resources: the type of each by its id, made when the first is looked for.
    contained: OnceCell<HashMap<&'a str, Option<TypeId>>>,
}

#[derive(Clone, Copy)]
struct Scope<'c, 'a> {
    container: &'c Container<'a>,
    /// Below a contained resource.
    is_contained: bool,
    depth: usize,
}

impl Scope<'_, '_> {
    fn deeper(self) -> Self {
        Scope { depth: self.depth + 1, ..self }
    }
}

struct Walk<'s> {
    issues: &'s mut dyn FnMut(Issue) -> Flow,
    services: &'s dyn Services,
    objects: u32,
}

impl Walk<'_> {
    /// Reports; kept out of line, as valid input never comes here.
    #[cold]
    fn tell(&mut self, severity: Severity, code: &'static str, at: &At, details: String) -> Flow {
        (self.issues)(Issue { severity, code, expression: at.expression(), details, rule: RULE, profile: None })
    }

    #[cold]
    fn error(&mut self, code: &'static str, at: &At, details: &str) -> Flow {
        self.tell(Severity::Error, code, at, details.to_owned())
    }

    /// A resource: at the root, in a Bundle or Parameters, or (with `container`) contained.
    fn resource(&mut self, node: Node<'_>, container: Option<&Container<'_>>, at: &At, depth: usize) -> Flow {
        let severity = if at.parent.is_none() { Severity::Fatal } else { Severity::Error };
        let Node::Object(object) = node else {
            return self.tell(severity, "structure", at, "a resource must be a JSON object".to_owned());
        };
        let Some(name) = object.get("resourceType") else {
            return self.tell(severity, "structure", at, "resourceType is missing".to_owned());
        };
        let Some(ty) = name.as_str().and_then(reference::resource_type) else {
            let details = match name.as_str() {
                Some(name) => format!("unknown resource type \"{}\"", clip(name)),
                None => "resourceType must be a string".to_owned(),
            };
            return self.tell(severity, "structure", at, details);
        };
        let root = At { parent: None, name: ty.name(), index: None };
        let at = if at.parent.is_none() { &root } else { at };
        match container {
            Some(container) => self.object(object, ty, &[], Scope { container, is_contained: true, depth }, at),
            None => {
                let container = Container { resource: object, ty, contained: OnceCell::new() };
                self.object(object, ty, &[], Scope { container: &container, is_contained: false, depth }, at)
            }
        }
    }

    /// An object of the type `ty`; a Reference may point at `targets`.
    fn object(&mut self, object: Object<'_>, ty: TypeId, targets: &[TypeId], scope: Scope<'_, '_>, at: &At) -> Flow {
        if scope.depth >= MAX_DEPTH {
            return self.tell(Severity::Fatal, "too-costly", at, format!("nested deeper than {MAX_DEPTH} levels"));
        }
        self.objects += 1;
        if self.objects == ROUND {
            self.objects = 0;
            if !self.services.go_on() {
                return ControlFlow::Break(());
            }
        }
        let shape = Shape::of(ty);
        let mut seen: Elements = 0;
        let mut count = 0usize;
        let mut pointer = Pointer { text: None, ty: None };
        for (key, value) in object.iter() {
            count += 1;
            if let Some(rule) = shape.rule(key) {
                let at = At { parent: Some(at), name: rule.element, index: None };
                if rule.is_choice && seen & rule.bit != 0 {
                    self.error("structure", &at, "more than one type of a choice is given")?;
                }
                seen |= rule.bit;
                if ty == REFERENCE {
                    pointer.take(key, value);
                }
                self.property(object, rule, value, ty, scope, &at)?;
            } else if key == "resourceType" && shape.is_resource {
            } else if let Some((rule, element)) = key.strip_prefix('_').and_then(|k| shape.rule(k)).and_then(|r| Some((r, r.sibling_type()?))) {
                let at = At { parent: Some(at), name: rule.element, index: None };
                if rule.is_choice && seen & rule.bit != 0 && object.get(rule.name).is_none() {
                    self.error("structure", &at, "more than one type of a choice is given")?;
                }
                seen |= rule.bit;
                self.sibling(object, rule, value, element, scope, &at)?;
            } else {
                let at = At { parent: Some(at), name: key, index: None };
                self.tell(Severity::Error, "structure", &at, format!("{} has no such property", ty.name()))?;
            }
        }
        if count == 0 {
            return self.error("structure", at, "an object may not be empty");
        }
        if shape.required & !seen != 0 {
            self.missing(shape, seen, at)?;
        }
        if ty == REFERENCE {
            self.reference(&pointer, targets, scope.container, at)?;
        } else if ty == EXTENSION {
            let both = shape.element("extension") | shape.element("value");
            if (seen & both).count_ones() != 1 {
                self.error("invariant", at, "an extension must have either a value or extensions")?;
            }
        }
        GO_ON
    }

    #[cold]
    fn missing(&mut self, shape: &Shape, seen: Elements, at: &At) -> Flow {
        for (i, element) in shape.ty.get().elements.iter().enumerate() {
            if element.min > 0 && seen & (1 << i) == 0 {
                let choice = if element.is_choice { "[x]" } else { "" };
                self.tell(Severity::Error, "required", at, format!("the element \"{}{choice}\" is missing", element.name))?;
            }
        }
        GO_ON
    }

    fn property(&mut self, object: Object<'_>, rule: &Rule, value: Node<'_>, parent: TypeId, scope: Scope<'_, '_>, at: &At) -> Flow {
        if !rule.repeats {
            if matches!(value, Node::Array(_)) {
                return self.error("structure", at, "may not repeat, so it must not be an array");
            }
            return self.value(rule, value, parent, scope, at);
        }
        let Node::Array(array) = value else {
            return self.error("structure", at, "may repeat, so it must be an array");
        };
        self.length(array, rule, at)?;
        for (i, item) in array.iter().enumerate() {
            let at = At { parent: at.parent, name: at.name, index: Some(i) };
            match item {
                Node::Null if rule.sibling_type().is_some() => {
                    let extended = object.get(&rule.sibling).and_then(Node::as_array).and_then(|s| s.get(i));
                    if !matches!(extended, Some(Node::Object(_))) {
                        self.error("structure", &at, "null has no id or extension that it stands for")?;
                    }
                }
                item => self.value(rule, item, parent, scope, &at)?,
            }
        }
        GO_ON
    }

    fn length(&mut self, array: Array<'_>, rule: &Rule, at: &At) -> Flow {
        if array.is_empty() {
            return self.error("structure", at, "an array may not be empty");
        }
        if rule.max != u16::MAX && array.len() > usize::from(rule.max) {
            return self.tell(Severity::Error, "structure", at, format!("has {} items where {} are allowed", array.len(), rule.max));
        }
        GO_ON
    }

    /// The `_name` beside a primitive: <https://hl7.org/fhir/R4/json.html#primitive>.
    fn sibling(&mut self, object: Object<'_>, rule: &Rule, value: Node<'_>, element: TypeId, scope: Scope<'_, '_>, at: &At) -> Flow {
        if !rule.repeats {
            return match value {
                Node::Object(value) => self.object(value, element, &[], scope.deeper(), at),
                _ => self.error("structure", at, "the id and extensions of a primitive must be an object"),
            };
        }
        let Node::Array(array) = value else {
            return self.error("structure", at, "may repeat, so its ids and extensions must be an array");
        };
        self.length(array, rule, at)?;
        let values = object.get(rule.name).and_then(Node::as_array);
        if values.is_some_and(|v| v.len() != array.len()) {
            self.error("structure", at, "values and their ids and extensions differ in number")?;
        }
        for (i, item) in array.iter().enumerate() {
            let at = At { parent: at.parent, name: at.name, index: Some(i) };
            match item {
                Node::Object(item) => self.object(item, element, &[], scope.deeper(), &at)?,
                Node::Null if values.is_some_and(|v| matches!(v.get(i), Some(v) if !matches!(v, Node::Null))) => {}
                Node::Null => self.error("structure", &at, "null beside no value")?,
                _ => self.error("structure", &at, "the id and extensions of a primitive must be an object")?,
            }
        }
        GO_ON
    }

    /// One value of an element of `parent`.
    fn value(&mut self, rule: &Rule, value: Node<'_>, parent: TypeId, scope: Scope<'_, '_>, at: &At) -> Flow {
        if matches!(value, Node::Null) {
            return self.error("structure", at, "null is not a value");
        }
        match rule.content {
            Content::Primitive(primitive) => {
                if let Err(problem) = primitive.check(value) {
                    return self.error("value", at, problem);
                }
                match (rule.required, value) {
                    (Some(set), Node::String(code)) if !value_set(set).contains(code) => self.not_in_set(set, code, at),
                    _ => GO_ON,
                }
            }
            Content::Complex(ty) => {
                let Node::Object(object) = value else {
                    return self.tell(Severity::Error, "structure", at, format!("{} must be a JSON object", ty.name()));
                };
                self.object(object, ty, rule.field.targets, scope.deeper(), at)?;
                match rule.required {
                    Some(set) if ty == CODING => self.coding(object, set, at),
                    Some(set) if ty == CODEABLE_CONCEPT => self.concept(object, set, at),
                    _ => GO_ON,
                }
            }
            // Of the elements that hold a resource only `contained` stands on DomainResource itself.
            Content::Resource if is_a(parent, DOMAIN_RESOURCE) => {
                if scope.is_contained {
                    return self.error("structure", at, "a contained resource may not contain others");
                }
                self.resource(value, Some(scope.container), at, scope.depth + 1)
            }
            Content::Resource => self.resource(value, None, at, scope.depth + 1),
        }
    }

    #[cold]
    fn not_in_set(&mut self, set: ValueSetId, code: &str, at: &At) -> Flow {
        self.tell(Severity::Error, "code-invalid", at, format!("\"{}\" is not in the value set {}", clip(code), value_set(set).url))
    }

    /// A required binding: the code must come from the value set, and from the right system
    /// (<https://hl7.org/fhir/R4/terminologies.html#required>).
    fn coding(&mut self, coding: Object<'_>, set: ValueSetId, at: &At) -> Flow {
        match coding.get("code").and_then(Node::as_str) {
            Some(code) if !includes(coding, set) => self.not_in_set(set, code, at),
            _ => GO_ON,
        }
    }

    /// "At least one Coding must be from the value set"; a text alone does not do.
    fn concept(&mut self, concept: Object<'_>, set: ValueSetId, at: &At) -> Flow {
        let codings = concept.get("coding").and_then(Node::as_array);
        let found = codings.is_some_and(|c| c.iter().any(|c| c.as_object().is_some_and(|c| includes(c, set))));
        if found || (codings.is_none() && concept.get("text").is_none()) {
            return GO_ON;
        }
        self.tell(Severity::Error, "code-invalid", at, format!("no coding is in the value set {}", value_set(set).url))
    }

    /// <https://hl7.org/fhir/R4/references.html>
    fn reference(&mut self, pointer: &Pointer<'_>, targets: &[TypeId], container: &Container<'_>, at: &At) -> Flow {
        let by_text = match pointer.text.map(reference::target) {
            None => None,
            Some(Target::Malformed) => return self.error("value", at, "not a reference: Type/id, #id or an absolute URL"),
            Some(Target::Contained("")) => Some(container.ty),
            Some(Target::Contained(id)) => match container.contained(id) {
                Some(ty) => ty,
                None => return self.tell(Severity::Error, "not-found", at, format!("no contained resource has the id \"{}\"", clip(id))),
            },
            Some(target) => target.ty(),
        };
        let by_type = pointer.ty.and_then(reference::resource_type);
        if by_text.is_some() && by_type.is_some() && by_text != by_type {
            self.error("value", at, "reference and type name different resource types")?;
        }
        match by_text.or(by_type) {
            Some(ty) if !targets.is_empty() && !targets.iter().any(|target| is_a(ty, *target)) => {
                self.tell(Severity::Error, "value", at, format!("may not refer to {}", ty.name()))
            }
            _ => GO_ON,
        }
    }
}

fn includes(coding: Object<'_>, set: ValueSetId) -> bool {
    let text = |name| coding.get(name).and_then(Node::as_str);
    text("system").zip(text("code")).is_some_and(|(system, code)| value_set(set).contains_coding(system, code))
}

impl<'a> Container<'a> {
    /// Whether there is a contained resource with that id, and of what type.
    fn contained(&self, id: &str) -> Option<Option<TypeId>> {
        let resources = self.resource.get("contained")?.as_array()?;
        if resources.len() <= FEW {
            let mut named = resources.iter().filter_map(named);
            return named.find(|(name, _)| *name == id).map(|(_, resource)| type_of(resource));
        }
        let all = || resources.iter().filter_map(named).map(|(name, resource)| (name, type_of(resource))).collect();
        self.contained.get_or_init(all).get(id).copied()
    }
}

fn named(resource: Node<'_>) -> Option<(&str, Node<'_>)> {
    Some((resource.get("id")?.as_str()?, resource))
}

fn type_of(resource: Node<'_>) -> Option<TypeId> {
    resource.get("resourceType").and_then(Node::as_str).and_then(reference::resource_type)
}
