//! From a stored value to a compiled schema.

use super::chains;
use super::error::SchemaError;
use super::patterns::{self, MAX_PATTERN, Prices};
use super::stored::Stored;
use super::value::value;
use crate::json::Node;
use jsonschema::error::ValidationErrorKind;
use jsonschema::{PatternOptions, ValidationError, Validator};
use serde_json::Value;
use std::thread;

/// Levels of arrays and objects in a schema. The official one of FHIR R4 has 8.
const MAX_DEPTH: usize = 128;

/// Values in a schema. The official one of FHIR R4 has some 100,000.
const MAX_VALUES: usize = 250_000;

/// Values of a schema that needs no stack of its own.
const FEW: usize = 1000;

/// The crate compiles by recursion, over `MAX_DEPTH` levels of eight schemas that refer to one another, and clears away by recursion over
/// all that do. It is only reserved: what is not needed takes no memory.
const STACK: usize = 256 * 1024 * 1024;

/// With whether it is large, and what its patterns take.
pub(super) fn compile(schema: Node<'_>) -> Result<(Validator<Stored>, bool, Prices), SchemaError> {
    if !matches!(schema, Node::Object(_) | Node::Bool(_)) {
        return Err(SchemaError::new("a JSON Schema is an object, true or false"));
    }
    let mut left = MAX_VALUES;
    if !count(schema, MAX_DEPTH, &mut left) {
        return Err(SchemaError::new(format!("a JSON Schema may have {MAX_VALUES} values on {MAX_DEPTH} levels, and this one has more")));
    }
    let tree = value(schema, MAX_DEPTH).ok_or_else(|| SchemaError::new("the JSON Schema is nested too deep"))?;
    chains::check(&tree)?;
    let prices = patterns::prices(&tree)?;
    Ok((on_a_stack_of_its_own(|| build(&tree))?, left < MAX_VALUES - FEW, prices))
}

fn count(node: Node<'_>, depth: usize, left: &mut usize) -> bool {
    let Some(rest) = left.checked_sub(1) else { return false };
    *left = rest;
    let within = depth.checked_sub(1);
    match node {
        Node::Array(array) => within.is_some_and(|depth| array.iter().all(|item| count(item, depth, left))),
        Node::Object(object) => within.is_some_and(|depth| object.iter().all(|(_, item)| count(item, depth, left))),
        _ => true,
    }
}

/// Signals must be blocked meanwhile where they mean something to the thread that waits.
pub(super) fn on_a_stack_of_its_own<T: Send>(work: impl FnOnce() -> Result<T, SchemaError> + Send) -> Result<T, SchemaError> {
    thread::scope(|scope| {
        let thread = thread::Builder::new()
            .stack_size(STACK)
            .spawn_scoped(scope, work)
            .map_err(|error| SchemaError::new(format!("could not start a thread to compile the JSON Schema: {error}")))?;
        thread.join().unwrap_or_else(|_| Err(SchemaError::new("the JSON Schema could not be compiled")))
    })
}

fn build(tree: &Value) -> Result<Validator<Stored>, SchemaError> {
    jsonschema::options_for::<Stored>()
        .offline()
        .with_pattern_options(PatternOptions::regex().size_limit(MAX_PATTERN).dfa_size_limit(MAX_PATTERN))
        // later drafts leave it to the user whether a format is a rule or a remark; who writes one into a check means the rule
        .should_validate_formats(true)
        .build(tree)
        .map_err(|error| told(&error))
}

fn told(error: &ValidationError<'_>) -> SchemaError {
    let place = error.instance_path().as_str();
    match error.kind() {
        ValidationErrorKind::Referencing(_) => SchemaError::new(format!("the JSON Schema refers to what is not in it: {}", clip(&error.to_string())))
            .at(place)
            .hint("other documents are not fetched; put what they define into \"definitions\" or \"$defs\" of this one"),
        ValidationErrorKind::Format { format } if format == "regex" => {
            SchemaError::new(format!("a pattern of the JSON Schema cannot be used: {}", clip(&error.to_string())))
                .at(place)
                .hint("patterns run on an engine without look-around and back-references, whose time is linear")
        }
        _ => SchemaError::new(format!("not a JSON Schema: {}", clip(&error.to_string()))).at(place),
    }
}

/// At most 300 characters.
pub(super) fn clip(text: &str) -> String {
    match text.char_indices().nth(300) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
