//! Misspelled drugs: "Zirtec", "hydrochlorothyazide".

use super::super::token::Token;
use super::Finder;
use super::meaning::Meaning;

/// Names of drugs, for comparison.
#[derive(Debug, Default)]
pub struct Names {}

impl Names {
    pub fn new(_list: &'static str) -> Names {
        Names {}
    }
}

/// not yet
pub fn drug_names() {}

impl Finder<'_, '_, '_> {
    pub(super) fn misspelled(&self, _at: u32, _token: &Token) -> Option<Meaning> {
        None
    }
}
