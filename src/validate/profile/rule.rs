//! What a compiled profile consists of. Only what the base type does not say already is a rule.

use super::constraint::Expression;
use super::discriminator::Test;
use super::element::{Rules, Strength};
use super::value::Value;
use crate::model::TypeId;

/// Index into the rules of a profile.
pub type RuleId = usize;

/// What is asked of the occurrences of one element, or of those of one slice.
#[derive(Debug)]
pub struct Rule {
    /// The id of the element: `Observation.component:systolic`.
    pub id: Box<str>,
    /// The name of the element, without `[x]`.
    pub name: Box<str>,
    pub min: u32,
    pub max: u32,
    /// Where fewer types are allowed than the base type allows.
    pub allowed: Option<Box<[TypeId]>>,
    /// Types with profiles or targets.
    pub types: Box<[TypeRule]>,
    pub fixed: Option<Value>,
    pub pattern: Option<Value>,
    pub min_value: Option<Value>,
    pub max_value: Option<Value>,
    pub max_length: Option<u32>,
    pub binding: Option<Binding>,
    pub constraints: Box<[Invariant]>,
    /// The JSON properties of the children that have rules, in the order of keys of a stored object.
    pub properties: Box<[Property]>,
    /// Children that have rules.
    pub children: Box<[RuleId]>,
    /// All children.
    pub every: Box<[RuleId]>,
    pub slicing: Option<Slicing>,
    /// Another element whose rules hold here too: <https://hl7.org/fhir/R4/elementdefinition-definitions.html#ElementDefinition.contentReference>
    pub also: Option<RuleId>,
    pub must_support: bool,
    /// Whether there is anything to check here or below.
    pub is_active: bool,
    /// Whether an element here or below must be supported.
    pub is_supported: bool,
}

/// A JSON property that a child may stand in.
#[derive(Debug)]
pub struct Property {
    pub name: Box<str>,
    /// Index into the children with rules.
    pub child: u32,
    pub ty: TypeId,
    /// The `_name` beside a primitive.
    pub is_sibling: bool,
}

/// What values of one type must be.
#[derive(Debug)]
pub struct TypeRule {
    pub ty: TypeId,
    /// One of them must hold; empty where none is asked for.
    pub profiles: Box<[Box<str>]>,
    /// Where a Reference or canonical may point; empty where the base says the same.
    pub targets: Box<[Target]>,
}

/// A profile or type that a reference may point at.
#[derive(Debug)]
pub struct Target {
    pub url: Box<str>,
    /// Where the url is that of a type of FHIR itself.
    pub ty: Option<TypeId>,
}

#[derive(Debug)]
pub struct Binding {
    pub strength: Strength,
    pub value_set: Box<str>,
    pub max_value_set: Option<Box<str>>,
}

/// A constraint that the base type does not have.
#[derive(Debug)]
pub struct Invariant {
    pub key: Box<str>,
    pub is_error: bool,
    pub human: Box<str>,
    pub expression: Expression,
}

#[derive(Debug)]
pub struct Slicing {
    pub rules: Rules,
    pub ordered: bool,
    pub slices: Box<[Slice]>,
    /// Why items cannot be told apart.
    pub problem: Option<Box<str>>,
}

#[derive(Debug)]
pub struct Slice {
    pub name: Box<str>,
    pub rule: RuleId,
    /// All must hold for an item to belong to the slice. Without any the rules of the slice themselves decide.
    pub tests: Box<[Test]>,
    /// `@default`: what no other slice has.
    pub is_default: bool,
}
