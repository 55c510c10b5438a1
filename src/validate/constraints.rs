//! The second walk: what must hold between elements (<https://hl7.org/fhir/R4/conformance-rules.html#constraints>), and which codes
//! may stand where (<https://hl7.org/fhir/R4/terminologies.html#strength>).

use super::bindings;
use super::issue::{Issue, Severity};
use super::level::World;
use super::place::{At, each};
use super::rules::{self, Constraint, ElementRules, Rules, is_coded};
use super::shape::{Content, Rule};
use super::structure::{MAX_DEPTH, ROUND};
use crate::json::{Node, Object};
use crate::model::{DOMAIN_RESOURCE, ELEMENT, TypeId, is_a};
use crate::path::eval::{EvaluationError, Item, Problem, Scope};
use crate::path::reference;
use std::ops::ControlFlow;

type Flow = ControlFlow<()>;
const GO_ON: Flow = ControlFlow::Continue(());

/// Asks the invariants of `resource`, with terminology the bindings too, and hands each issue to `issues`, which may stop the walk.
/// What is malformed is passed over: the structure level tells of it.
pub fn constraints(resource: Node<'_>, world: &World, issues: &mut dyn FnMut(Issue) -> Flow) -> Flow {
    let mut walk = Walk { world, issues, objects: 0 };
    walk.resource(resource, None, &At { parent: None, name: "", index: None }, 0)
}

struct Walk<'w> {
    world: &'w World<'w>,
    issues: &'w mut dyn FnMut(Issue) -> Flow,
    objects: u32,
}

/// The resources that an expression can name.
#[derive(Clone, Copy)]
struct Around<'a> {
    resource: Node<'a>,
    root: Node<'a>,
}

impl Walk<'_> {
    fn tell(&mut self, issue: Issue) -> Flow {
        (self.issues)(issue)
    }

    /// A resource: with `container` a contained one.
    fn resource(&mut self, node: Node<'_>, container: Option<Node<'_>>, at: &At, depth: usize) -> Flow {
        let name = node.get("resourceType").and_then(Node::as_str);
        let (Some(object), Some(ty)) = (node.as_object(), name.and_then(reference::resource_type)) else { return GO_ON };
        let root = At { parent: None, name: ty.name(), index: None };
        let at = if at.parent.is_none() { &root } else { at };
        self.object(object, ty, Around { resource: node, root: container.unwrap_or(node) }, at, depth)
    }

    fn object(&mut self, object: Object<'_>, ty: TypeId, around: Around<'_>, at: &At, depth: usize) -> Flow {
        if depth >= MAX_DEPTH {
            return GO_ON;
        }
        self.objects += 1;
        if self.objects == ROUND {
            self.objects = 0;
            if !self.world.services.go_on() {
                return ControlFlow::Break(());
            }
        }
        let (shape, rules) = rules::of(ty);
        if !rules.constraints.is_empty() {
            self.ask(&rules.constraints, Item::element(Node::Object(object), ty, None), around, at)?;
        }
        for (key, value) in object.iter() {
            if let Some(rule) = shape.rule(key) {
                let Some(asked) = rules.elements.get(usize::from(rule.field.element)).filter(|asked| asked.is_asked) else { continue };
                let at = At { parent: Some(at), name: rule.element, index: None };
                self.property(object, rule, asked, value, ty, around, &at, depth)?;
            } else if let Some(rule) = key.strip_prefix('_').and_then(|key| shape.rule(key))
                && rule.sibling_type().is_some()
            {
                let at = At { parent: Some(at), name: rule.element, index: None };
                each(value, &at, |item, at| match item {
                    Node::Object(item) => self.object(item, ELEMENT, around, at, depth + 1),
                    _ => GO_ON,
                })?;
            }
        }
        GO_ON
    }

    #[allow(clippy::too_many_arguments)]
    fn property(
        &mut self,
        object: Object<'_>,
        rule: &Rule,
        asked: &'static ElementRules,
        value: Node<'_>,
        parent: TypeId,
        around: Around<'_>,
        at: &At,
        depth: usize,
    ) -> Flow {
        let siblings = match rule.content {
            Content::Primitive(_) if !asked.constraints.is_empty() => object.get(&rule.sibling),
            _ => None,
        };
        each(value, at, |item, at| {
            if !asked.constraints.is_empty() && !item.is_null() {
                let sibling = match (siblings, at.index) {
                    (Some(Node::Array(siblings)), Some(index)) => siblings.get(index),
                    (sibling, _) => sibling,
                };
                self.ask(&asked.constraints, Item::element(item, rule.field.ty, sibling.and_then(Node::as_object)), around, at)?;
            }
            if let Some(terminology) = self.world.terminology.filter(|_| is_coded(rule.field.ty)) {
                for binding in [asked.binding, Rules::of(rule.field.ty).binding].into_iter().flatten() {
                    if let Some(issue) = bindings::judge(binding, item, rule.field.ty, terminology, at) {
                        self.tell(issue)?;
                    }
                }
            }
            match (rule.content, item) {
                (Content::Complex(ty), Node::Object(item)) => self.object(item, ty, around, at, depth + 1),
                // of the elements that hold a resource only `contained` stands on DomainResource itself
                (Content::Resource, item) if is_a(parent, DOMAIN_RESOURCE) => self.resource(item, Some(around.root), at, depth + 1),
                (Content::Resource, item) => self.resource(item, None, at, depth + 1),
                _ => GO_ON,
            }
        })
    }

    fn ask<'a>(&mut self, constraints: &'static [Constraint], focus: Item<'a>, around: Around<'a>, at: &At) -> Flow {
        let scope = Scope { root: around.root, services: self.world.services, ..Scope::of(around.resource) };
        let mut last = None;
        for Constraint { invariant, program, is_as_before } in constraints {
            let truth = match last.take().filter(|_| *is_as_before) {
                Some(known) => known,
                None => program.truth(focus.clone(), &scope),
            };
            let (severity, code, details) = match last.insert(truth) {
                // "evaluates to true": what is empty has nothing to be wrong about
                Ok(Some(true) | None) => continue,
                Ok(Some(false)) if invariant.is_error => (Severity::Error, "invariant", invariant.human.to_owned()),
                Ok(Some(false)) => (Severity::Warning, "invariant", invariant.human.to_owned()),
                Err(EvaluationError { problem: Problem::Interrupted, .. }) => return ControlFlow::Break(()),
                Err(error) => {
                    let code = if error.sqlstate() == "54000" { "too-costly" } else { "processing" };
                    (Severity::Warning, code, format!("the invariant was not decided: {error}"))
                }
            };
            self.tell(Issue { severity, code, expression: at.expression(), details, rule: invariant.key.into(), profile: None })?;
        }
        GO_ON
    }
}
