//! The facts of FHIR R4 as static tables, generated from `fhir-schemas/` by `build.rs`, and look-ups over them.

mod fields;
mod tables;
pub use tables::*;

/// Index into [`TYPES`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct TypeId(pub u16);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// `string`, `date`, `decimal`, …: a JSON scalar, with an optional `_name` sibling.
    Primitive,
    /// `HumanName`, `Quantity`, `Extension`, …
    Complex,
    /// The anonymous type of a nested element, named by its path: `Patient.contact`.
    Backbone,
    /// `Patient`, …; also the abstract `Resource` and `DomainResource`.
    Resource,
}

/// One FHIR type.
#[derive(Debug)]
pub struct Type {
    pub name: &'static str,
    pub kind: Kind,
    pub is_abstract: bool,
    pub base: Option<TypeId>,
    /// Inherited and own elements in the order of the definition. Empty for primitives.
    pub elements: &'static [Element],
    /// The JSON properties that the elements can appear as (one for each type of a choice), sorted by name.
    /// The `_name` siblings of primitives are not listed.
    pub fields: &'static [Field],
    /// The regular expression that the definition gives for a primitive (unanchored, as published).
    pub pattern: Option<&'static str>,
    /// What HL7 says of it in a line; empty for backbones, whose elements say it.
    pub short: &'static str,
}

/// One element of a type.
#[derive(Debug)]
pub struct Element {
    /// Without `[x]`: `value` for `value[x]`.
    pub name: &'static str,
    pub is_choice: bool,
    pub min: u16,
    /// `u16::MAX` stands for `*`.
    pub max: u16,
    /// Part of the summary of what it stands in: <https://hl7.org/fhir/R4/elementdefinition-definitions.html#ElementDefinition.isSummary>
    pub is_summary: bool,
    /// Whether it can change what other elements mean: <https://hl7.org/fhir/R4/conformance-rules.html#isModifier>
    pub is_modifier: bool,
    /// An address that the definition calls absolute, so that it says the same wherever it stands.
    pub is_absolute: bool,
    /// What HL7 says of it in a line.
    pub short: &'static str,
}

/// One JSON property of a type.
#[derive(Debug)]
pub struct Field {
    /// `valueQuantity`, `name`, …
    pub name: &'static str,
    /// Index into the elements of the same type.
    pub element: u16,
    /// `Resource` where any resource may stand.
    pub ty: TypeId,
    /// For `Reference` and `canonical`: the resource types allowed; empty where any is.
    pub targets: &'static [TypeId],
    /// The value set of a required binding whose codes are all known.
    pub required: Option<ValueSetId>,
}

/// Index into [`VALUE_SETS`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ValueSetId(pub u16);

/// A value set that some element is bound to with strength `required`.
#[derive(Debug)]
pub struct ValueSet {
    pub url: &'static str,
    /// `(system, code)`, sorted by code, then system.
    pub codes: &'static [(&'static str, &'static str)],
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum ParameterType {
    Number,
    Date,
    String,
    Token,
    Reference,
    Composite,
    Quantity,
    Uri,
    Special,
}

/// What the keys of one parameter are filed under: its code and type, the same for every resource type that has it.
/// The number is on disk, so `fhir-schemas/parameter-keys.tsv` only ever grows.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ParameterKey(pub u16);

/// One R4 search parameter.
#[derive(Debug)]
pub struct SearchParameter {
    pub url: &'static str,
    pub code: &'static str,
    pub ty: ParameterType,
    pub key: ParameterKey,
    /// The types it is defined on; `Resource` and `DomainResource` stand for all that derive from them.
    pub bases: &'static [TypeId],
    /// The published FHIRPath expression over all bases, empty where there is none.
    pub expression: &'static str,
    /// For references: the resource types that it may point at; empty where any.
    pub targets: &'static [TypeId],
    /// For composites: the url of each component's definition and its expression.
    pub components: &'static [(&'static str, &'static str)],
}

/// How resources of `ty` belong to the compartment of `compartment`.
#[derive(Debug)]
pub struct CompartmentRule {
    pub compartment: TypeId,
    pub ty: TypeId,
    /// Codes of the reference parameters of `ty` that link it; `{def}` where the resource itself is the focus.
    pub parameters: &'static [&'static str],
}

/// A constraint on an element, for the invariants level of validation.
#[derive(Debug)]
pub struct Invariant {
    /// Path of the element that it stands on, `Patient.contact`.
    pub path: &'static str,
    pub key: &'static str,
    /// `true` for severity error, `false` for warning.
    pub is_error: bool,
    pub human: &'static str,
    pub expression: &'static str,
}

/// A binding that the codes in [`VALUE_SETS`] do not decide: an extensible one, one with a maximum value set, or a required one
/// to a system that FHIR does not list. <https://hl7.org/fhir/R4/terminologies.html#strength>
#[derive(Debug)]
pub struct Binding {
    /// Path of the element, or the name of a type all of whose values are bound.
    pub path: &'static str,
    pub strength: Strength,
    pub value_set: &'static str,
    /// The value set that no code may leave, however weak the binding is.
    pub max: Option<&'static str>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Strength {
    Required,
    Extensible,
    Preferred,
    Example,
}

/// Which elements tell what a resource is about: dotted paths without the type name, choices without `[x]` and type, best first.
#[derive(Debug)]
pub struct Headline {
    pub what: &'static [&'static str],
    pub value: &'static [&'static str],
    /// Repeating elements with a code and a value each, into which the value may be split.
    pub parts: &'static [&'static str],
    pub status: &'static [&'static str],
    /// Where it says when it ended, other than by the end of a period.
    pub ended: &'static [&'static str],
}

/// A lane of a drawn record.
#[derive(Debug)]
pub struct Lane {
    pub name: &'static str,
    pub form: LaneForm,
    pub types: &'static [TypeId],
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LaneForm {
    /// All in one line.
    Line,
    /// A line for each code.
    Codes,
    /// A line for each code, with a curve where it has numbers.
    Series,
}

/// A column that a datatype gives in a flat view.
#[derive(Debug)]
pub struct ViewColumn {
    pub form: ViewForm,
    /// What stands behind the name of the element; empty for what the element is called itself.
    pub name: &'static str,
    /// FHIRPath from one value, or with `{}` for all of them.
    pub path: &'static str,
    pub ty: TypeId,
    /// What it is of the element.
    pub words: &'static str,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ViewForm {
    /// Of one value.
    One,
    /// Of one value, also where that is a row of its own.
    Alone,
    /// As [`ViewForm::Alone`], but not of minor elements: below another one in the same row, or of a resource but not of its summary.
    Full,
    /// Of one value of a minor element.
    Brief,
    /// Of one value whose type is one of a choice, or a row of its own.
    Chosen,
    /// Of all values of an element that repeats; without such columns the first value is taken.
    Many,
    /// Not a column: the name that the type has in that of a choice.
    Choice,
}

impl ParameterType {
    /// <https://hl7.org/fhir/R4/valueset-search-param-type.html>
    pub fn code(self) -> &'static str {
        match self {
            ParameterType::Number => "number",
            ParameterType::Date => "date",
            ParameterType::String => "string",
            ParameterType::Token => "token",
            ParameterType::Reference => "reference",
            ParameterType::Composite => "composite",
            ParameterType::Quantity => "quantity",
            ParameterType::Uri => "uri",
            ParameterType::Special => "special",
        }
    }
}

impl TypeId {
    #[inline]
    pub fn get(self) -> &'static Type {
        &TYPES[self.0 as usize]
    }

    pub fn name(self) -> &'static str {
        self.get().name
    }

    /// Which of the fields has that name.
    #[inline]
    pub fn field_number(self, name: &[u8]) -> Option<usize> {
        fields::find(self, name)
    }

    /// As [`Type::field`], sooner.
    #[inline]
    pub fn field(self, name: &[u8]) -> Option<&'static Field> {
        self.get().fields.get(self.field_number(name)?)
    }

    /// A resource type that instances can have.
    pub fn is_concrete_resource(self) -> bool {
        let ty = self.get();
        ty.kind == Kind::Resource && !ty.is_abstract
    }
}

impl Type {
    pub fn field(&self, name: &str) -> Option<&'static Field> {
        let fields: &'static [Field] = self.fields;
        fields.binary_search_by(|f| f.name.cmp(name)).ok().map(|i| &fields[i])
    }
}

#[cfg(test)]
mod tests;
