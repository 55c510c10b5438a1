//! What is wrong with a ViewDefinition, and where in it.

use crate::path::PathError;
use std::fmt;

/// A definition that cannot be used.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ViewError {
    /// Where in the definition: `ViewDefinition.select[0].column[1].path`.
    pub at: String,
    pub problem: String,
    pub hint: Option<&'static str>,
}

impl ViewError {
    pub fn new(at: &str, problem: impl Into<String>) -> ViewError {
        ViewError { at: at.to_owned(), problem: problem.into(), hint: None }
    }

    pub fn hint(self, hint: &'static str) -> ViewError {
        ViewError { hint: Some(hint), ..self }
    }

    pub fn of_path(at: &str, error: &PathError) -> ViewError {
        ViewError { at: at.to_owned(), problem: error.to_string(), hint: error.hint() }
    }
}

impl fmt::Display for ViewError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.at, self.problem)
    }
}

impl std::error::Error for ViewError {}
