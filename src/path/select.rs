//! Following compiled branches through a resource, without allocating.

use super::branches::{Branch, Compiled, Condition, Literal, Step};
use super::compare::{Atom, Operand, Relation, decimals};
use super::reference::{self, Target};
use crate::json::Node;
use crate::model::{BOOLEAN, Kind, TypeId, USAGE_CONTEXT, is_a, type_named};
use std::ops::ControlFlow;

/// Most indexes (`[0]`) in one branch.
pub const MAX_INDEXES: usize = 4;

impl Compiled {
    /// Calls `f` with each value in `resource`, its static type and the number of the element it belongs to: values of one
    /// composite must come from one element. The number is 0, except under a first-level array of backbone
    /// elements (or of UsageContext, which composites also use), where it is the position in that array plus one.
    ///
    /// A boolean expression gives its result, unless that is empty.
    pub fn for_each<'a>(&self, resource: Node<'a>, f: &mut dyn FnMut(Node<'a>, TypeId, u16)) {
        match self {
            Compiled::Values(branches) => branches.iter().for_each(|b| b.for_each(resource, f)),
            Compiled::Truth(condition) => {
                if let Some(truth) = condition.holds(resource, resource) {
                    f(Node::Bool(truth), BOOLEAN, 0);
                }
            }
        }
    }
}

impl Branch {
    /// As [`Compiled::for_each`], for this branch.
    pub fn for_each<'a>(&self, resource: Node<'a>, f: &mut dyn FnMut(Node<'a>, TypeId, u16)) {
        let mut emit = |node, element| {
            f(node, self.ty, element);
            ControlFlow::Continue(())
        };
        let _ = Walk::new(resource, &mut emit).first_step(&self.steps, resource);
    }

    /// Whether it leads to anything from `node`, which lies in `resource`.
    fn any<'a>(&self, node: Node<'a>, resource: Node<'a>) -> bool {
        Walk::new(resource, &mut |_, _| ControlFlow::Break(())).step(&self.steps, node, 0, 0).is_break()
    }
}

type Emit<'a, 'e> = &'e mut dyn FnMut(Node<'a>, u16) -> ControlFlow<()>;

struct Walk<'a, 'e> {
    resource: Node<'a>,
    emit: Emit<'a, 'e>,
    /// How many nodes have come by each index step of the branch.
    passed: [usize; MAX_INDEXES],
}

impl<'a, 'e> Walk<'a, 'e> {
    fn new(resource: Node<'a>, emit: Emit<'a, 'e>) -> Self {
        Walk { resource, emit, passed: [0; MAX_INDEXES] }
    }

    /// The step from the resource itself, which is where elements are numbered.
    fn first_step(&mut self, steps: &[Step], node: Node<'a>) -> ControlFlow<()> {
        if let [Step::Field { name, ty }, rest @ ..] = steps
            && (ty.get().kind == Kind::Backbone || *ty == USAGE_CONTEXT)
            && let Some(Node::Array(array)) = node.get(name)
        {
            for (i, item) in array.iter().enumerate() {
                self.step(rest, item, u16::try_from(i + 1).unwrap_or(u16::MAX), 0)?;
            }
            return ControlFlow::Continue(());
        }
        self.step(steps, node, 0, 0)
    }

    /// Recursion is as deep as the branch has steps. `indexes` counts the index steps already behind.
    fn step(&mut self, steps: &[Step], node: Node<'a>, element: u16, indexes: usize) -> ControlFlow<()> {
        let Some((step, rest)) = steps.split_first() else {
            // The `null` that stands in an array for a primitive with extensions only.
            return if matches!(node, Node::Null) { ControlFlow::Continue(()) } else { (self.emit)(node, element) };
        };
        match step {
            Step::Field { name, .. } => {
                if let Some(value) = node.get(name) {
                    for item in value.items() {
                        self.step(rest, item, element, indexes)?;
                    }
                }
                ControlFlow::Continue(())
            }
            Step::Index(wanted) => {
                let Some(passed) = self.passed.get_mut(indexes) else { return ControlFlow::Continue(()) };
                let position = *passed;
                *passed += 1;
                if position == *wanted { self.step(rest, node, element, indexes + 1) } else { ControlFlow::Continue(()) }
            }
            Step::Where(condition) if condition.holds(node, self.resource) == Some(true) => self.step(rest, node, element, indexes),
            Step::Where(_) => ControlFlow::Continue(()),
        }
    }
}

impl Condition {
    /// Whether it holds on `node`, which lies in `resource`; `None` is FHIRPath's empty.
    pub fn holds<'a>(&'a self, node: Node<'a>, resource: Node<'a>) -> Option<bool> {
        match self {
            Condition::And(a, b) => match a.holds(node, resource) {
                Some(false) => Some(false),
                a => match (a, b.holds(node, resource)) {
                    (_, Some(false)) => Some(false),
                    (Some(true), Some(true)) => Some(true),
                    _ => None,
                },
            },
            Condition::Or(a, b) => match a.holds(node, resource) {
                Some(true) => Some(true),
                a => match (a, b.holds(node, resource)) {
                    (_, Some(true)) => Some(true),
                    (Some(false), Some(false)) => Some(false),
                    _ => None,
                },
            },
            Condition::Xor(a, b) => Some(a.holds(node, resource)? != b.holds(node, resource)?),
            Condition::Not(c) => c.holds(node, resource).map(|b| !b),
            Condition::Exists(branches) => Some(branches.iter().any(|b| b.any(node, resource))),
            Condition::Equals(branches, literal) => equal(branches, literal, node, resource),
            Condition::NotEquals(branches, literal) => equal(branches, literal, node, resource).map(|b| !b),
            Condition::Compare(a, relation, b) => {
                let (a, b) = (atom(a, node, resource)?, atom(b, node, resource)?);
                match a.order(&b) {
                    Some(order) => Some(relation.holds(order)),
                    // of different kinds: not equal, but in no order
                    None => match relation {
                        Relation::Equal if a.differs(&b) => Some(false),
                        Relation::NotEqual if a.differs(&b) => Some(true),
                        _ => None,
                    },
                }
            }
            Condition::Text(branches, test) => match single(branches, node, resource)? {
                (Node::String(text), _) => Some(test.holds(text)),
                _ => None,
            },
            Condition::Count(branches, relation, wanted) => {
                let mut count = 0u32;
                for branch in branches {
                    let mut emit = |_, _| {
                        count = count.saturating_add(1);
                        ControlFlow::Continue(())
                    };
                    let _ = Walk::new(resource, &mut emit).step(&branch.steps, node, 0, 0);
                }
                Some(relation.holds(count.cmp(wanted)))
            }
            Condition::NotTrue(c) => Some(c.holds(node, resource) != Some(true)),
            Condition::Resolves(ty) => points_at(node, resource).map(|found| is_a(found, *ty)),
            Condition::Is(ty) => Some(node.get("resourceType").and_then(Node::as_str).and_then(type_named).is_some_and(|t| is_a(t, *ty))),
        }
    }
}

/// The one value and its static type; `None` where there is none, or more.
fn single<'a>(branches: &[Branch], node: Node<'a>, resource: Node<'a>) -> Option<(Node<'a>, TypeId)> {
    let (mut first, mut many) = (None, false);
    for branch in branches {
        let mut emit = |found, _| {
            many |= first.is_some();
            first = Some((found, branch.ty));
            if many { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let _ = Walk::new(resource, &mut emit).step(&branch.steps, node, 0, 0);
    }
    first.filter(|_| !many)
}

fn atom<'a>(operand: &'a Operand, node: Node<'a>, resource: Node<'a>) -> Option<Atom<'a>> {
    match operand {
        Operand::Literal(literal) => Some(Atom::of_literal(literal)),
        Operand::Values(branches) => single(branches, node, resource).and_then(|(node, ty)| Atom::of(node, ty)),
    }
}

/// Whether the one value is the literal: empty when there is none, false when there are more.
fn equal(branches: &[Branch], literal: &Literal, node: Node<'_>, resource: Node<'_>) -> Option<bool> {
    let (mut first, mut many) = (None, false);
    for branch in branches {
        let mut emit = |found, _| {
            many |= first.is_some();
            first = Some(is_literal(found, literal));
            if many { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let _ = Walk::new(resource, &mut emit).step(&branch.steps, node, 0, 0);
    }
    first.map(|equal| equal && !many)
}

fn is_literal(node: Node<'_>, literal: &Literal) -> bool {
    match (node, literal) {
        (Node::String(a), Literal::String(b)) => a == b,
        (Node::Bool(a), Literal::Bool(b)) => a == *b,
        (Node::Number(a), Literal::Number(b)) => decimals(&a.to_decimal_string(), b).is_eq(),
        _ => false,
    }
}

/// The type of the resource that a Reference points at: by its literal reference, else by `Reference.type`
/// (<https://hl7.org/fhir/R4/references.html#Reference>).
fn points_at(node: Node<'_>, resource: Node<'_>) -> Option<TypeId> {
    let text = match node {
        Node::String(text) => Some(text),
        _ => node.get("reference").and_then(Node::as_str),
    };
    let by_text = match text.map(reference::target) {
        Some(Target::Contained("")) => resource.get("resourceType").and_then(Node::as_str).and_then(type_named),
        Some(Target::Contained(id)) => resource
            .get("contained")?
            .items()
            .find(|c| c.get("id").and_then(Node::as_str) == Some(id))
            .and_then(|c| c.get("resourceType").and_then(Node::as_str).and_then(type_named)),
        Some(target) => target.ty(),
        None => None,
    };
    by_text.or_else(|| node.get("type").and_then(Node::as_str).and_then(reference::resource_type))
}
