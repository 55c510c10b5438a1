//! Terminologies in the forms that they are published in → concepts and terms of the lexicon.
//!
//! [`rrf`] reads RxNorm, [`rf2`] SNOMED CT, [`obo`] ontologies such as HPO, [`columns`] CSV, TSV and rows of a query.

pub mod columns;
pub mod obo;
pub mod rf2;
pub mod rrf;
#[cfg(feature = "pg")]
mod sql;
#[cfg(test)]
mod tests;

use crate::nlp::lexicon::source::TermKind;
use crate::nlp::{Category, Kind};

/// A term of a concept, or a code that the concept is mapped to.
#[derive(Clone, Debug, PartialEq)]
pub struct Row<'a> {
    pub system: &'a str,
    pub code: &'a str,
    pub category: Category,
    pub kind: Kind,
    pub display: &'a str,
    pub what: What<'a>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum What<'a> {
    Term { text: &'a str, kind: TermKind, case_sensitive: bool, research: bool, stop: bool },
    Mapping { system: &'a str, code: &'a str },
}

impl<'a> What<'a> {
    /// A term with the case that its letters ask for: a short one in capitals is an abbreviation, and is taken only as it is written.
    pub fn term(text: &'a str, kind: TermKind) -> What<'a> {
        let case_sensitive = text.len() <= 6 && text.chars().any(char::is_alphabetic) && !text.chars().any(char::is_lowercase);
        What::Term { text, kind, case_sensitive, research: false, stop: false }
    }
}

/// What a terminology does not say of its concepts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Defaults<'a> {
    pub system: &'a str,
    pub category: Category,
    pub kind: Kind,
}
