//! FHIRPath. Text goes to an [`ast::Expr`] (the whole grammar), and the subset that search parameters use is compiled
//! once per resource type into JSON branches, which [`select`] follows over the reader without allocating.
//!
//! Specification: FHIRPath N1 (<http://hl7.org/fhirpath/N1/>) and <https://hl7.org/fhir/R4/fhirpath.html>.

pub mod ast;
pub mod branches;
pub mod compare;
pub mod eval;
pub mod lexer;
pub mod parse;
pub mod places;
pub mod reference;
pub mod scalar;
pub mod select;
#[cfg(feature = "pg")]
pub mod sql;

pub use branches::{Branch, Compiled, Condition, Literal, Step, compile, compile_condition, criteria};
pub use parse::parse;

use std::fmt;

#[cfg(test)]
mod tests;

/// Why an expression was refused. Positions are byte offsets into the expression.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PathError {
    /// The text is longer than [`parse::MAX_LENGTH`].
    TooLong,
    /// The tree would be higher than [`parse::MAX_DEPTH`].
    TooDeep { at: usize },
    /// It would follow more paths than can be compiled.
    TooBroad { at: usize },
    /// The text is not FHIRPath.
    Syntax { at: usize, problem: String },
    UnknownType { at: usize, name: String },
    UnknownElement { at: usize, name: String, of: &'static str },
    /// FHIRPath, but not of the subset that can be compiled for search.
    Unsupported { at: usize, what: String },
}

impl PathError {
    /// Where in the expression, as a byte offset.
    pub fn position(&self) -> usize {
        match self {
            PathError::TooLong => parse::MAX_LENGTH,
            PathError::TooDeep { at }
            | PathError::TooBroad { at }
            | PathError::Syntax { at, .. }
            | PathError::UnknownType { at, .. }
            | PathError::UnknownElement { at, .. }
            | PathError::Unsupported { at, .. } => *at,
        }
    }
}

impl PathError {
    /// What can be done about it.
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            PathError::TooLong | PathError::TooDeep { .. } | PathError::TooBroad { .. } => "split the expression",
            PathError::UnknownElement { .. } => "a choice is named without its type: value, not valueQuantity",
            PathError::UnknownType { .. } => "types are those of FHIR R4, such as Patient or code, and of System, such as System.String",
            PathError::Syntax { .. } | PathError::Unsupported { .. } => return None,
        })
    }
}

impl fmt::Display for PathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PathError::TooLong => write!(f, "expression is longer than {} bytes", parse::MAX_LENGTH),
            PathError::TooDeep { at } => {
                write!(f, "expression is nested too deep at offset {at}")
            }
            PathError::TooBroad { at } => write!(f, "expression leads too many ways at offset {at}"),
            PathError::Syntax { at, problem } => write!(f, "{problem} at offset {at}"),
            PathError::UnknownType { at, name } => write!(f, "unknown type \"{name}\" at offset {at}"),
            PathError::UnknownElement { at, name, of } => {
                write!(f, "unknown element \"{name}\" of {of} at offset {at}")
            }
            PathError::Unsupported { at, what } => write!(f, "{what} is not supported in a search, at offset {at}"),
        }
    }
}

impl std::error::Error for PathError {}
