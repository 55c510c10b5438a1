//! Constraints of profiles, and the FHIRPath of extension definitions: <https://hl7.org/fhir/R4/conformance-rules.html#constraints>.

use super::extension::ExtensionContext;
use super::inside::Host;
use super::rule::Rule;
use super::walk::{At, Flow, GO_ON, Item, Walk};
use super::{Context, Profile, check};
use crate::json::{Node, Object};
use crate::model::{EXTENSION, Kind, TypeId};
use crate::path::eval::{EvaluationError, Item as PathItem, Limits, Problem, Program, Scope, Services};
use crate::terminology::Membership;
use crate::validate::Severity;
use std::cell::Cell;
use std::ops::ControlFlow;

/// Steps of one evaluation. Those of the published profiles take some tens.
const STEPS: u64 = 2_000_000;
/// `conformsTo()` within `conformsTo()`.
const MAX_HOPS: u8 = 4;

/// An expression and what became of it.
#[derive(Debug)]
pub(super) struct Expression(Result<Program, Box<str>>);

impl Expression {
    /// Compiles the expression for elements of the type, where it is known.
    pub fn new(text: &str, ty: Option<TypeId>) -> Expression {
        Expression(Program::compile_lenient(text, ty).map_err(|error| error.to_string().into()))
    }
}

/// What constraints may ask: profiles and value sets of the check itself, all else of those who asked for the check.
struct World<'a, 'c> {
    context: &'c Context<'a>,
    /// Steps of the check so far.
    spent: Cell<u64>,
}

impl Services for World<'_, '_> {
    fn resolve(&self, reference: &str) -> Option<Node<'_>> {
        self.context.services.and_then(|services| services.resolve(reference))
    }

    fn member_of(&self, value_set: &str, system: Option<&str>, code: &str) -> Option<bool> {
        match self.context.terminology?.contains(value_set, system, None, code) {
            Ok(Membership::Member) => Some(true),
            Ok(Membership::NotMember) => Some(false),
            _ => None,
        }
    }

    fn subsumes(&self, system: &str, general: &str, special: &str) -> Option<bool> {
        self.context.services?.subsumes(system, general, special)
    }

    fn conforms_to(&self, node: Node<'_>, profile: &str) -> Option<bool> {
        if self.context.hops >= MAX_HOPS {
            return None;
        }
        let (url, version) = super::parts(profile);
        let profile = self.context.definitions.structure(url, version)?;
        let mut holds = true;
        // What the node refers to outside of itself is out of sight here.
        let context = Context { root: None, at: None, hops: self.context.hops + 1, spent: Some(&self.spent), ..*self.context };
        let flow = check(&profile, node, &context, &mut |issue| {
            holds &= !issue.severity.is_error();
            if holds { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        });
        if holds && flow.is_break() { None } else { Some(holds) }
    }

    fn now(&self) -> i64 {
        match self.context.services {
            Some(services) => services.now(),
            None => crate::path::eval::NoServices.now(),
        }
    }

    fn go_on(&self) -> bool {
        self.context.services.is_none_or(|services| services.go_on())
    }
}

impl<'a> Walk<'a, '_> {
    /// The constraints of an element.
    pub fn constraints(&mut self, profile: &Profile, rule: &Rule, item: Item<'a>, at: &At) -> Flow {
        let place = self.place;
        // A resource as an element of the one around it: that one is `%resource`.
        let is_root = profile.rules.first().is_some_and(|root| std::ptr::eq(root, rule));
        if item.ty.get().kind == Kind::Resource && !is_root {
            self.place = place.around();
        }
        for constraint in &rule.constraints {
            let severity = if constraint.is_error { Severity::Error } else { Severity::Warning };
            let human = format_args!("{}: {}", constraint.key, constraint.human);
            self.holds(profile, &constraint.key, human, severity, &constraint.expression, focus(item), &[], at)?;
        }
        self.place = place;
        GO_ON
    }

    /// What the definition of an extension asks of the element that it stands on.
    pub fn context_invariants(&mut self, definition: &Profile, extension: Object<'a>, host: &Host<'a, '_>, at: &At) -> Flow {
        if definition.context_invariants.is_empty() {
            return GO_ON;
        }
        let Some(element) = host.value.or(host.sibling.map(|_| Node::Null)) else { return GO_ON };
        let constants = [("extension", PathItem::element(Node::Object(extension), EXTENSION, None))];
        for (text, expression) in &definition.context_invariants {
            let human = format_args!("where the extension {} stands, this must hold: {text}", definition.url);
            let focus = PathItem::element(element, host.ty, host.sibling);
            self.holds(definition, "contextInvariant", human, Severity::Error, expression, focus, &constants, at)?;
        }
        GO_ON
    }

    #[allow(clippy::too_many_arguments)]
    fn holds(
        &mut self,
        profile: &Profile,
        key: &str,
        human: std::fmt::Arguments<'_>,
        severity: Severity,
        expression: &Expression,
        focus: PathItem<'_>,
        constants: &[(&str, PathItem<'_>)],
        at: &At,
    ) -> Flow {
        let program = match &expression.0 {
            Ok(program) => program,
            Err(error) => return self.tell(Severity::Warning, "not-supported", at, key, Some(profile), format!("{human} ({error})")),
        };
        let context = self.context;
        let world = World { context, spent: Cell::new(self.steps) };
        let truth = program.truth(focus, &self.scope(constants, &world));
        self.steps = world.spent.get();
        if self.steps > context.steps {
            return self.too_costly(at, format!("more than {} steps", context.steps));
        }
        match truth {
            Ok(Some(true)) => GO_ON,
            Ok(_) => self.tell(severity, "invariant", at, key, Some(profile), human.to_string()),
            Err(EvaluationError { problem: Problem::Interrupted, .. }) => self.stop(),
            Err(error) if matches!(error.problem, Problem::TooManySteps | Problem::TooManyItems) => self.too_costly(at, format!("{human} ({error})")),
            Err(error) => self.tell(Severity::Warning, "not-supported", at, key, Some(profile), format!("{human} ({error})")),
        }
    }

    fn scope<'b, 's>(&self, constants: &'s [(&'s str, PathItem<'b>)], world: &'b World<'_, '_>) -> Scope<'b, 's>
    where
        'a: 'b,
    {
        let place = &self.place;
        let root = if place.is_contained { place.container } else { place.bundle.unwrap_or(place.resource) };
        Scope {
            resource: Node::Object(place.resource),
            root: Node::Object(root),
            constants,
            services: world,
            limits: Limits { steps: STEPS, ..Limits::default() },
        }
    }

    /// Whether an expression over the resource gives the element `host`.
    pub fn selects(&mut self, context: &ExtensionContext, host: &Host<'a, '_>) -> bool {
        let Some(Expression(Ok(program))) = &context.program else { return true };
        let resource = Node::Object(self.place.resource);
        let world = World { context: self.context, spent: Cell::new(self.steps) };
        let scope = self.scope(&[], &world);
        let mut found = false;
        let done = program.for_each(PathItem::resource(resource), &scope, &mut |item| {
            found = item.as_element().is_some_and(|element| is_same(element.node(), element.sibling(), host));
            !found
        });
        // What cannot be told is not held against the extension.
        found || done.is_err()
    }
}

fn focus(item: Item<'_>) -> PathItem<'_> {
    let node = item.value.unwrap_or(Node::Null);
    match item.ty.get().kind {
        Kind::Resource => PathItem::any(node),
        _ => PathItem::element(node, item.ty, item.sibling),
    }
}

/// Whether both lie at the same place in memory.
fn is_same(node: Node<'_>, sibling: Option<Object<'_>>, host: &Host<'_, '_>) -> bool {
    match (node, host.value) {
        (Node::Object(a), Some(Node::Object(b))) => a.address() == b.address(),
        _ => sibling.zip(host.sibling).is_some_and(|(a, b)| a.address() == b.address()),
    }
}
