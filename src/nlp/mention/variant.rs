//! Another order of the same words: "cancer of the breast" is breast cancer.

use super::super::lexicon::Match;
use super::Finder;
use super::meaning::Meaning;

impl Finder<'_, '_, '_> {
    pub(super) fn of_site(&mut self, _at: u32, _found: &Match, _meaning: &Meaning) -> Option<u32> {
        None
    }
}
