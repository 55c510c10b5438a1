//! Why a value set cannot be expanded.

use std::fmt;

/// `E` is what the source fails with.
#[derive(Debug, PartialEq)]
pub enum TermError<E> {
    Source(E),
    Definition(DefinitionError),
}

/// What is wrong with a definition, or with what it takes to expand it.
#[derive(Debug, PartialEq)]
pub enum DefinitionError {
    /// Nothing is known under that url.
    UnknownValueSet { url: String },
    /// It takes more than the list of its codes to tell what is in it, and the system is not there in full.
    UnknownSystem { value_set: String, system: String, held: Held },
    /// It stores a part of its expansion and no definition.
    Incomplete { value_set: String },
    Circular { value_set: String },
    TooDeep { value_set: String, depth: usize },
    TooLarge { of: String, codes: usize },
    TooCostly { steps: usize },
    /// Its hierarchy joins too many branches to be kept.
    TooTangled { system: String },
    UnsupportedFilter { value_set: String, property: String, op: String },
    /// Its definition breaks a rule of the specification.
    Invalid { value_set: String, reason: String },
}

/// How much of a code system the source holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    Nothing,
    /// It is there, with a content other than `complete`.
    Part,
}

impl DefinitionError {
    pub fn sqlstate(&self) -> &'static str {
        match self {
            DefinitionError::UnknownValueSet { .. }
            | DefinitionError::UnknownSystem { .. }
            | DefinitionError::Incomplete { .. }
            | DefinitionError::Circular { .. }
            | DefinitionError::Invalid { .. } => "22023",
            DefinitionError::TooDeep { .. } | DefinitionError::TooLarge { .. } | DefinitionError::TooCostly { .. } | DefinitionError::TooTangled { .. } => {
                "54000"
            },
            DefinitionError::UnsupportedFilter { .. } => "0A000",
        }
    }

    /// What the caller can do about it.
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            DefinitionError::Circular { .. }
            | DefinitionError::TooDeep { .. }
            | DefinitionError::TooTangled { .. }
            | DefinitionError::Invalid { .. } => return None,
            DefinitionError::UnknownValueSet { .. } => "load it with fhir.create or fhir.load",
            DefinitionError::UnknownSystem { .. } => {
                "load the whole code system with fhir.create or fhir.load, or store the value set with its expansion"
            }
            DefinitionError::Incomplete { .. } => "store the value set with a whole expansion, or with what composes it",
            DefinitionError::TooLarge { .. } => "search for a part of it, or for the system with system|",
            DefinitionError::TooCostly { .. } | DefinitionError::UnsupportedFilter { .. } => "store the value set with its expansion",
        })
    }
}

impl<E> From<DefinitionError> for TermError<E> {
    fn from(error: DefinitionError) -> TermError<E> {
        TermError::Definition(error)
    }
}

impl fmt::Display for DefinitionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DefinitionError::UnknownValueSet { url } => write!(f, "value set {url} is not in the lake"),
            DefinitionError::UnknownSystem { value_set, system, held: Held::Nothing } => {
                write!(f, "value set {value_set} selects among the codes of {system}, which is not in the lake")
            }
            DefinitionError::UnknownSystem { value_set, system, held: Held::Part } => {
                write!(f, "value set {value_set} selects among the codes of {system}, of which the lake has only a part")
            }
            DefinitionError::Incomplete { value_set } => write!(f, "value set {value_set} has only a part of its expansion"),
            DefinitionError::Circular { value_set } => write!(f, "value set {value_set} includes itself"),
            DefinitionError::TooDeep { value_set, depth } => write!(f, "value set {value_set} is nested deeper than {depth} value sets"),
            DefinitionError::TooLarge { of, codes } => write!(f, "{of} stands for more than {codes} codes"),
            DefinitionError::TooCostly { steps } => write!(f, "expanding the value set takes more than {steps} steps"),
            DefinitionError::TooTangled { system } => write!(f, "the hierarchy of code system {system} is too tangled"),
            DefinitionError::UnsupportedFilter { value_set, property, op } => {
                write!(f, "value set {value_set} has a filter that is not supported: {property} {op}")
            }
            DefinitionError::Invalid { value_set, reason } => write!(f, "value set {value_set} {reason}"),
        }
    }
}

impl std::error::Error for DefinitionError {}
