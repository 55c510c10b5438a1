//! Why a patch is refused.

use crate::json::JsonError;
use crate::path::PathError;
use std::fmt;

/// No patch, whatever it is applied to.
const MALFORMED: &str = "22023";
/// A patch that this document cannot take; HTTP's 422.
const NOT_APPLICABLE: &str = "FH422";
const LIMIT_EXCEEDED: &str = "54000";
const TOO_DEEP: &str = "54001";

/// A refusal with its SQLSTATE. Of the message only what the caller sent is data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatchError {
    pub sqlstate: &'static str,
    /// Lower case, no full stop.
    pub message: String,
    pub hint: Option<String>,
}

impl PatchError {
    fn new(sqlstate: &'static str, message: impl Into<String>) -> PatchError {
        PatchError { sqlstate, message: message.into(), hint: None }
    }

    #[cold]
    pub(super) fn malformed(message: impl Into<String>) -> PatchError {
        PatchError::new(MALFORMED, message)
    }

    #[cold]
    pub(super) fn not_applicable(message: impl Into<String>) -> PatchError {
        PatchError::new(NOT_APPLICABLE, message)
    }

    #[cold]
    pub(super) fn too_large() -> PatchError {
        let megabytes = super::MAX_BYTES >> 20;
        PatchError::new(LIMIT_EXCEEDED, format!("document exceeds the {megabytes} MiB that a patch may read or make"))
            .hint("replace the resource as a whole: fhir.update")
    }

    #[cold]
    pub(super) fn too_much_work() -> PatchError {
        PatchError::new(LIMIT_EXCEEDED, "the patch moves more of the document than is allowed")
            .hint("apply it in several parts, or replace the resource as a whole: fhir.update")
    }

    #[cold]
    pub(super) fn too_many_operations(count: usize) -> PatchError {
        PatchError::new(LIMIT_EXCEEDED, format!("a patch of {count} operations exceeds the maximum of {}", super::MAX_OPERATIONS))
    }

    #[cold]
    pub(super) fn too_deep() -> PatchError {
        PatchError::new(TOO_DEEP, format!("document is nested deeper than {} levels", super::tree::MAX_DEPTH))
    }

    /// Whether a bound on size or work was met.
    pub(super) fn is_limit(&self) -> bool {
        self.sqlstate == LIMIT_EXCEEDED
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> PatchError {
        self.hint = Some(hint.into());
        self
    }

    /// The same, saying which operation it was: `number` of `count`, from 1.
    pub(super) fn of_operation(mut self, number: usize, count: usize, name: &str, path: &str) -> PatchError {
        let name = if name.is_empty() { String::new() } else { format!(", {}", excerpt(name)) };
        let path = if path.is_empty() && name.is_empty() { String::new() } else { format!(" \"{}\"", excerpt(path)) };
        self.message = format!("operation {number} of {count}{name}{path}: {}", self.message);
        self
    }
}

/// As much of what the client sent as an error may repeat.
pub(super) fn excerpt(text: &str) -> String {
    let mut short: String = text.chars().take(200).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

impl From<JsonError> for PatchError {
    fn from(error: JsonError) -> PatchError {
        PatchError::new(error.sqlstate, error.message)
    }
}

impl From<PathError> for PatchError {
    fn from(error: PathError) -> PatchError {
        PatchError::malformed(match error {
            PathError::Unsupported { at, what } => format!("{what} is not supported in the path of a patch, at offset {at}"),
            PathError::UnknownElement { at, name, of } => format!("unknown element \"{}\" of {of} at offset {at}", excerpt(&name)),
            PathError::UnknownType { at, name } => format!("unknown type \"{}\" at offset {at}", excerpt(&name)),
            other => other.to_string(),
        })
    }
}

impl fmt::Display for PatchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for PatchError {}
