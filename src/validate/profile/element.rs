//! An ElementDefinition, as far as it says what instances may be: <https://hl7.org/fhir/R4/elementdefinition.html>.

use super::ProfileError;
use super::value::Value;
use crate::json::{Node, Object};

/// `max` of `*`.
pub const MANY: u32 = u32::MAX;

/// What one ElementDefinition says; `None` and empty where it says nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Element {
    pub id: Box<str>,
    pub path: Box<str>,
    pub slice_name: Option<Box<str>>,
    pub min: Option<u32>,
    pub max: Option<u32>,
    pub types: Option<Box<[TypeRef]>>,
    pub content_reference: Option<Box<str>>,
    pub fixed: Option<Value>,
    pub pattern: Option<Value>,
    pub min_value: Option<Value>,
    pub max_value: Option<Value>,
    pub max_length: Option<u32>,
    pub binding: Option<Binding>,
    pub constraints: Vec<Constraint>,
    pub slicing: Option<Slicing>,
    pub must_support: Option<bool>,
    pub is_modifier: Option<bool>,
}

/// One of the types that an element may have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypeRef {
    pub code: Box<str>,
    /// Profiles, of which the value must conform to one.
    pub profiles: Box<[Box<str>]>,
    /// What a Reference or canonical may point at.
    pub targets: Box<[Box<str>]>,
}

/// <https://hl7.org/fhir/R4/terminologies.html#strength>
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Strength {
    Example,
    Preferred,
    Extensible,
    Required,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    pub strength: Strength,
    pub value_set: Option<Box<str>>,
    /// <http://hl7.org/fhir/StructureDefinition/elementdefinition-maxValueSet>
    pub max_value_set: Option<Box<str>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Constraint {
    pub key: Box<str>,
    pub is_error: bool,
    pub human: Box<str>,
    pub expression: Box<str>,
    /// The definition that it comes from.
    pub source: Option<Box<str>>,
}

/// <https://hl7.org/fhir/R4/profiling.html#slicing>
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slicing {
    pub discriminators: Vec<Discriminator>,
    pub rules: Rules,
    pub ordered: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rules {
    Open,
    Closed,
    OpenAtEnd,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Discriminator {
    pub kind: DiscriminatorKind,
    pub path: Box<str>,
}

/// <https://hl7.org/fhir/R4/valueset-discriminator-type.html>; `pattern` means the same as `value`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DiscriminatorKind {
    Value,
    Exists,
    Type,
    Profile,
}

impl Element {
    /// Reads an ElementDefinition.
    pub fn read(node: Node<'_>) -> Result<Element, ProfileError> {
        let Node::Object(object) = node else { return Err(malformed("an element is not an object")) };
        let path = text(object, "path").ok_or_else(|| malformed("an element has no path"))?;
        let mut element = Element {
            id: text(object, "id").unwrap_or_default(),
            slice_name: text(object, "sliceName").filter(|name| !name.is_empty()),
            min: count(object, "min"),
            max: match object.get("max").and_then(Node::as_str) {
                Some("*") => Some(MANY),
                Some(max) => Some(max.parse().map_err(|_| malformed(format!("max of {path} is neither a number nor *")))?),
                None => None,
            },
            types: types(object),
            content_reference: text(object, "contentReference"),
            max_length: count(object, "maxLength"),
            binding: object.get("binding").and_then(Node::as_object).and_then(binding),
            constraints: items(object, "constraint").filter_map(constraint).collect(),
            slicing: object.get("slicing").and_then(Node::as_object).map(|slicing| read_slicing(slicing, &path)).transpose()?,
            must_support: object.get("mustSupport").and_then(Node::as_bool),
            is_modifier: object.get("isModifier").and_then(Node::as_bool),
            ..Element::default()
        };
        element.path = path;
        for (key, value) in object.iter() {
            let choice = |prefix: &str| key.strip_prefix(prefix).is_some_and(|ty| ty.starts_with(|c: char| c.is_ascii_uppercase()));
            let slot = if choice("fixed") {
                &mut element.fixed
            } else if choice("pattern") {
                &mut element.pattern
            } else if choice("minValue") {
                &mut element.min_value
            } else if choice("maxValue") {
                &mut element.max_value
            } else {
                continue;
            };
            element.constraints.extend(relative(key, value));
            *slot = Some(Value::new(value)?);
        }
        Ok(element)
    }

    /// Takes over what a differential says: <https://hl7.org/fhir/R4/profiling.html#snapshot>.
    pub fn overlay(&mut self, over: Element) {
        fn put<T>(slot: &mut Option<T>, value: Option<T>) {
            if value.is_some() {
                *slot = value;
            }
        }
        put(&mut self.min, over.min);
        put(&mut self.max, over.max);
        put(&mut self.types, over.types);
        put(&mut self.content_reference, over.content_reference);
        put(&mut self.fixed, over.fixed);
        put(&mut self.pattern, over.pattern);
        put(&mut self.min_value, over.min_value);
        put(&mut self.max_value, over.max_value);
        put(&mut self.max_length, over.max_length);
        if let Some(mut binding) = over.binding {
            // A differential may change the strength alone.
            if let Some(known) = self.binding.take() {
                binding.value_set = binding.value_set.or(known.value_set);
                binding.max_value_set = binding.max_value_set.or(known.max_value_set);
            }
            self.binding = Some(binding);
        }
        put(&mut self.slicing, over.slicing);
        put(&mut self.must_support, over.must_support);
        put(&mut self.is_modifier, over.is_modifier);
        for constraint in over.constraints {
            match self.constraints.iter_mut().find(|c| c.key == constraint.key) {
                Some(known) => *known = constraint,
                None => self.constraints.push(constraint),
            }
        }
    }
}

fn malformed(problem: impl Into<String>) -> ProfileError {
    ProfileError::Malformed(problem.into())
}

fn text(object: Object<'_>, name: &str) -> Option<Box<str>> {
    object.get(name).and_then(Node::as_str).map(Box::from)
}

fn count(object: Object<'_>, name: &str) -> Option<u32> {
    u32::try_from(object.get(name)?.as_number()?.as_i64()?).ok()
}

fn items<'a>(object: Object<'a>, name: &str) -> impl Iterator<Item = Object<'a>> + use<'a> {
    object.get(name).and_then(Node::as_array).into_iter().flat_map(|array| array.iter()).filter_map(Node::as_object)
}

fn texts(object: Object<'_>, name: &str) -> Box<[Box<str>]> {
    let array = object.get(name).and_then(Node::as_array);
    array.into_iter().flat_map(|array| array.iter()).filter_map(Node::as_str).map(Box::from).collect()
}

/// `None` where nothing is said; also for the types of FHIRPath that `id`, `url` and the values of primitives have.
fn types(object: Object<'_>) -> Option<Box<[TypeRef]>> {
    let types: Box<[TypeRef]> = items(object, "type")
        .filter_map(|ty| Some(TypeRef { code: text(ty, "code")?, profiles: texts(ty, "profile"), targets: texts(ty, "targetProfile") }))
        .collect();
    let system = types.iter().any(|ty| ty.code.starts_with("http://hl7.org/fhirpath/"));
    (!types.is_empty() && !system).then_some(types)
}

fn binding(object: Object<'_>) -> Option<Binding> {
    let strength = match object.get("strength").and_then(Node::as_str)? {
        "required" => Strength::Required,
        "extensible" => Strength::Extensible,
        "preferred" => Strength::Preferred,
        _ => Strength::Example,
    };
    let max = items(object, "extension").find(|extension| {
        extension.get("url").and_then(Node::as_str) == Some("http://hl7.org/fhir/StructureDefinition/elementdefinition-maxValueSet")
    });
    let max = max.and_then(|extension| text(extension, "valueCanonical").or_else(|| text(extension, "valueUri")));
    Some(Binding { strength, value_set: text(object, "valueSet"), max_value_set: max })
}

/// Without an expression there is nothing to evaluate.
/// A bound of a date that counts from now: "the duration value is positive, and is subtracted from the current clock to determine
/// the minimum allowable value", or added for the maximum
/// (<https://hl7.org/fhir/R4/elementdefinition-definitions.html#ElementDefinition.minValue_x_>).
fn relative(key: &str, bound: Node<'_>) -> Option<Constraint> {
    let (key, sign, wrong, word) = match key {
        "minValueQuantity" | "minValueDuration" => ("minValue", '-', '<', "before"),
        "maxValueQuantity" | "maxValueDuration" => ("maxValue", '+', '>', "after"),
        _ => return None,
    };
    let unit = match bound.get("code").and_then(Node::as_str)? {
        "a" => "years",
        "mo" => "months",
        "wk" => "weeks",
        "d" => "days",
        "h" => "hours",
        "min" => "minutes",
        "s" => "seconds",
        _ => return None,
    };
    let Some(Node::Number(value)) = bound.get("value") else { return None };
    let value = value.to_decimal_string();
    let is_date = "($this is date or $this is dateTime or $this is instant)";
    Some(Constraint {
        key: key.into(),
        is_error: true,
        human: format!("may not be more than {value} {unit} {word} now").into(),
        expression: format!("{is_date} implies iif($this {wrong} (now() {sign} {value} {unit}), false, true)").into(),
        source: None,
    })
}

fn constraint(object: Object<'_>) -> Option<Constraint> {
    Some(Constraint {
        key: text(object, "key")?,
        is_error: object.get("severity").and_then(Node::as_str) != Some("warning"),
        human: text(object, "human").unwrap_or_default(),
        expression: text(object, "expression")?,
        source: text(object, "source"),
    })
}

fn read_slicing(object: Object<'_>, path: &str) -> Result<Slicing, ProfileError> {
    let mut discriminators = Vec::new();
    for discriminator in items(object, "discriminator") {
        let kind = match discriminator.get("type").and_then(Node::as_str) {
            Some("value" | "pattern") => DiscriminatorKind::Value,
            Some("exists") => DiscriminatorKind::Exists,
            Some("type") => DiscriminatorKind::Type,
            Some("profile") => DiscriminatorKind::Profile,
            other => return Err(malformed(format!("{path} is sliced by \"{}\"", other.unwrap_or_default()))),
        };
        let path = text(discriminator, "path").ok_or_else(|| malformed(format!("a discriminator of {path} has no path")))?;
        discriminators.push(Discriminator { kind, path });
    }
    let rules = match object.get("rules").and_then(Node::as_str) {
        Some("closed") => Rules::Closed,
        Some("openAtEnd") => Rules::OpenAtEnd,
        _ => Rules::Open,
    };
    Ok(Slicing { discriminators, rules, ordered: object.get("ordered").and_then(Node::as_bool) == Some(true) })
}
