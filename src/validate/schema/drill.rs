//! What is told of an error of the crate.
//!
//! That a value matches none of many schemas helps nobody; mostly it is clear which of them was meant, and then its errors are told as well.

use super::compile::clip;
use super::{MAX_MISMATCHES, Mismatch, place};
use crate::json::Node;
use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind;

/// How often an error is looked into.
const MAX_LEVELS: usize = 4;

pub(super) fn tell(error: &ValidationError<'_>, root: Node<'_>, level: usize, told: &mut Vec<Mismatch>) {
    if told.len() >= MAX_MISMATCHES {
        return;
    }
    told.push(Mismatch {
        keyword: error.kind().keyword().to_owned(),
        expression: place::expression(root, error.instance_path().as_str()),
        path: error.instance_path().as_str().to_owned(),
        details: details(error),
        schema_path: error.schema_path().as_str().to_owned(),
    });
    let (ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context }) = error.kind() else { return };
    if level >= MAX_LEVELS {
        return;
    }
    for inner in meant(error, context) {
        tell(inner, root, level + 1, told);
    }
}

/// The errors of the only branch that the value does not contradict in what it says of itself: its type, and its constants.
fn meant<'e>(error: &ValidationError<'_>, branches: &'e [Vec<ValidationError<'static>>]) -> &'e [ValidationError<'static>] {
    let depth = depth(error);
    let contradicts = |inner: &ValidationError<'_>| {
        let down = self::depth(inner).saturating_sub(depth);
        match inner.kind() {
            ValidationErrorKind::Constant { .. } | ValidationErrorKind::Enum { .. } => down <= 1,
            ValidationErrorKind::Type { .. } | ValidationErrorKind::FalseSchema => down == 0,
            _ => false,
        }
    };
    let mut fitting = branches.iter().filter(|branch| !branch.iter().any(contradicts));
    match (fitting.next(), fitting.next()) {
        (Some(branch), None) => branch,
        _ => &[],
    }
}

fn depth(error: &ValidationError<'_>) -> usize {
    error.instance_path().as_str().matches('/').count()
}

/// The message of the crate, which calls the value "value", in our manner.
fn details(error: &ValidationError<'_>) -> String {
    if let ValidationErrorKind::AdditionalItems { limit } = error.kind() {
        return format!("more than {limit} items are not allowed");
    }
    let text = error.masked_with("the value").to_string();
    let mut letters = text.chars();
    clip(&letters.next().map_or(String::new(), |first| first.to_lowercase().chain(letters).collect()))
}
