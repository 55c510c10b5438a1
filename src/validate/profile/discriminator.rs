//! What tells the slices of an element apart: <https://hl7.org/fhir/R4/profiling.html#discriminator>.

use super::element::{Discriminator, DiscriminatorKind, Strength, TypeRef};
use super::tree::Tree;
use super::value::Value;
use super::{core_type, unversioned};
use crate::json::{Array, Node};
use crate::model::{EXTENSION, TypeId, type_named};
use crate::path::ast::{Expr, ExprKind, Invocation, Literal, TypeOperator};

/// A step of the restricted FHIRPath of discriminators.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// An element, choices without their type.
    Field(Box<str>),
    /// `extension('url')`
    Extension(Box<str>),
    /// `resolve()`
    Resolve,
    /// `ofType(T)`
    OfType(TypeId),
}

/// What one discriminator asks of an item, for one slice.
#[derive(Debug)]
pub struct Test {
    pub steps: Box<[Step]>,
    pub expect: Expect,
}

/// What must be found where the steps lead.
#[derive(Debug)]
pub enum Expect {
    /// This text, such as the url of an extension.
    Text(Box<str>),
    Fixed(Value),
    /// Any of these patterns.
    Pattern(Box<[Value]>),
    /// A code of a value set.
    Member(Box<str>),
    Exists(bool),
    Types(Box<[TypeId]>),
    /// One of these profiles or types holds.
    Profiles(Box<[Box<str>]>),
    /// The type of one of these profiles.
    TypesOf(Box<[Box<str>]>),
    /// What one of these profiles asks for at the end of these steps.
    Through { profiles: Box<[Box<str>]>, kind: DiscriminatorKind, steps: Box<[Step]> },
    /// The rules of that element of the slice hold: by its place in the tree, which the compiler turns into a rule.
    Conforms(usize),
}

/// The steps of a discriminator's path; `None` where it is more than the specification allows.
pub fn steps(path: &str) -> Option<Vec<Step>> {
    let mut steps = Vec::new();
    let expression = crate::path::parse(path).ok()?;
    let mut at = &expression;
    // The last step is the outermost of the tree.
    loop {
        let (step, before) = step(at)?;
        steps.extend(step);
        match before {
            Some(before) => at = before,
            None => break,
        }
    }
    steps.reverse();
    Some(steps)
}

fn step(expression: &Expr) -> Option<(Option<Step>, Option<&Expr>)> {
    match &expression.kind {
        ExprKind::Invoke { of, what } => {
            let step = match what {
                Invocation::This => None,
                Invocation::Member(name) => Some(Step::Field(name.as_str().into())),
                Invocation::Function { name, arguments } => Some(match (name.as_str(), arguments.as_slice()) {
                    ("resolve", []) => Step::Resolve,
                    ("extension", [Expr { kind: ExprKind::Literal(Literal::String(url)), .. }]) => Step::Extension(url.as_str().into()),
                    ("ofType" | "as", [ty]) => Step::OfType(type_named(&ty.as_type_specifier()?.name)?),
                    _ => return None,
                }),
                _ => return None,
            };
            Some((step, of.as_deref()))
        }
        ExprKind::Type { operator: TypeOperator::As, of, specifier } => Some((Some(Step::OfType(type_named(&specifier.name)?)), Some(of))),
        _ => None,
    }
}

/// The test that a discriminator makes for a slice; `None` where the slice says nothing that could be tested.
pub fn test(discriminator: &Discriminator, steps: &[Step], slice: &Tree) -> Option<Test> {
    let (expect, used) = expectation(discriminator.kind, steps, slice)?;
    Some(Test { steps: steps.get(..used)?.into(), expect })
}

/// What the elements of `tree` ask for at the end of `steps`, and how many of the steps are to be gone for it.
pub fn expectation(kind: DiscriminatorKind, steps: &[Step], tree: &Tree) -> Option<(Expect, usize)> {
    let mut node = tree;
    // The element before it, and how many steps lead there.
    let mut before = None;
    // A value of an element on the way, which says what its parts are.
    let mut value = None;
    let mut reached = true;
    for (done, step) in steps.iter().enumerate() {
        if kind == DiscriminatorKind::Value && let Some(whole) = node.element.fixed.as_ref().or(node.element.pattern.as_ref()) {
            value = Some((whole, steps.get(done..)?));
        }
        let next = match step {
            Step::Field(name) => node.child(name),
            Step::Extension(url) => node.child("extension").and_then(|e| e.slices.iter().find(|slice| extension_url(slice).as_deref() == Some(url))),
            Step::OfType(ty) => Some(node.slices.iter().find(|slice| only_type(slice) == Some(*ty)).unwrap_or(node)),
            Step::Resolve => None,
        };
        before = Some((node, done));
        match next {
            Some(next) => node = next,
            None => {
                reached = false;
                break;
            }
        }
    }
    if reached && (kind != DiscriminatorKind::Value || says_something(node)) {
        return Some((here(kind, node)?, steps.len()));
    }
    if let Some(parts) = value.and_then(|(whole, rest)| project(whole.node(), rest)) {
        return Some((Expect::Pattern(parts), steps.len()));
    }
    if let Some((node, done)) = before
        && let Some(found) = elsewhere(kind, steps, node, done)
    {
        return Some(found);
    }
    if reached { Some((here(kind, node)?, steps.len())) } else { None }
}

/// What the profiles of an element's types, or of what it refers to, ask for.
fn elsewhere(kind: DiscriminatorKind, steps: &[Step], node: &Tree, done: usize) -> Option<(Expect, usize)> {
    let types = node.element.types.as_deref().unwrap_or_default();
    let rest = steps.get(done..)?;
    if let [Step::Resolve, rest @ ..] = rest {
        let targets: Box<[Box<str>]> = types.iter().flat_map(|ty| ty.targets.iter().cloned()).collect();
        return match (kind, rest) {
            _ if targets.is_empty() => None,
            (DiscriminatorKind::Type, []) => Some((Expect::TypesOf(targets), done + 1)),
            (DiscriminatorKind::Profile, []) => Some((Expect::Profiles(targets), done + 1)),
            _ => Some((Expect::Through { profiles: targets, kind, steps: rest.into() }, done + 1)),
        };
    }
    let profiles: Box<[Box<str>]> = types.iter().flat_map(|ty| ty.profiles.iter().cloned()).collect();
    match (&*profiles, rest) {
        ([], _) => None,
        ([profile], [Step::Field(name)]) if kind == DiscriminatorKind::Value && &**name == "url" && only_type(node) == Some(EXTENSION) => {
            Some((Expect::Text(unversioned(profile).into()), steps.len()))
        }
        _ => Some((Expect::Through { profiles, kind, steps: rest.into() }, done)),
    }
}

/// The url of the extensions that a slice is for.
pub fn extension_url(slice: &Tree) -> Option<Box<str>> {
    if let Some(url) = slice.child("url").and_then(|url| url.element.fixed.as_ref()).and_then(|value| value.node().as_str()) {
        return Some(url.into());
    }
    slice.element.types.as_deref()?.iter().find_map(|ty| ty.profiles.first()).map(|profile| unversioned(profile).into())
}

fn only_type(tree: &Tree) -> Option<TypeId> {
    match tree.element.types.as_deref() {
        Some([TypeRef { code, .. }]) => type_named(code),
        _ => None,
    }
}

fn required(tree: &Tree) -> Option<&str> {
    let binding = tree.element.binding.as_ref().filter(|binding| binding.strength == Strength::Required)?;
    binding.value_set.as_deref()
}

/// Whether an element has a value that can be tested.
fn says_something(tree: &Tree) -> bool {
    let element = &tree.element;
    element.fixed.is_some() || element.pattern.is_some() || required(tree).is_some() || element.types.iter().flatten().any(|ty| !ty.profiles.is_empty())
}

/// What an element itself asks for.
fn here(kind: DiscriminatorKind, tree: &Tree) -> Option<Expect> {
    let element = &tree.element;
    let exists = match (element.min, element.max) {
        (_, Some(0)) => Some(Expect::Exists(false)),
        (Some(1..), _) => Some(Expect::Exists(true)),
        _ => None,
    };
    let types = element.types.as_deref().unwrap_or_default();
    match kind {
        DiscriminatorKind::Exists => exists,
        DiscriminatorKind::Type => {
            let types: Box<[TypeId]> = types.iter().filter_map(|ty| core_type(&ty.code)).collect();
            (!types.is_empty()).then_some(Expect::Types(types))
        }
        DiscriminatorKind::Profile => {
            let profiles: Box<[Box<str>]> = types.iter().flat_map(|ty| ty.profiles.iter().cloned()).collect();
            (!profiles.is_empty()).then_some(Expect::Profiles(profiles))
        }
        DiscriminatorKind::Value => {
            if let Some(value) = &element.fixed {
                return Some(Expect::Fixed(value.clone()));
            }
            if let Some(value) = &element.pattern {
                return Some(Expect::Pattern([value.clone()].into()));
            }
            if let Some(url) = required(tree) {
                return Some(Expect::Member(url.into()));
            }
            // Its own elements may have values: they decide together.
            if tree.children.iter().any(has_value) {
                return Some(Expect::Conforms(std::ptr::from_ref(tree) as usize));
            }
            exists
        }
    }
}

fn has_value(tree: &Tree) -> bool {
    says_something(tree) || tree.children.iter().chain(&tree.slices).any(has_value)
}

/// The parts of a fixed value or pattern at the end of `steps`.
fn project(value: Node<'_>, steps: &[Step]) -> Option<Box<[Value]>> {
    let mut nodes = vec![value];
    for step in steps {
        let Step::Field(name) = step else { return None };
        nodes = nodes
            .into_iter()
            .filter_map(|node| node.get(name))
            .flat_map(|node| match node {
                Node::Array(array) => all(array),
                node => vec![node],
            })
            .collect();
    }
    let values: Box<[Value]> = nodes.into_iter().filter_map(|node| Value::new(node).ok()).collect();
    (!values.is_empty()).then_some(values)
}

fn all(array: Array<'_>) -> Vec<Node<'_>> {
    array.iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_the_restricted_ones() {
        let field = |name: &str| Step::Field(name.into());
        assert_eq!(steps("$this"), Some(vec![]));
        assert_eq!(steps("url"), Some(vec![field("url")]));
        assert_eq!(steps("code.coding.code"), Some(vec![field("code"), field("coding"), field("code")]));
        assert_eq!(steps("$this.resolve().code"), Some(vec![Step::Resolve, field("code")]));
        assert_eq!(steps("extension('http://x').value"), Some(vec![Step::Extension("http://x".into()), field("value")]));
        assert_eq!(steps("value.ofType(Quantity)"), Some(vec![field("value"), Step::OfType(type_named("Quantity").unwrap())]));
        for refused in ["a or b", "where(a = 1)", "a[0]", "1", ""] {
            assert_eq!(steps(refused), None, "{refused}");
        }
    }
}
