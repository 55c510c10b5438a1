//! Several that share a word: "hepatitis B and C", "breast and ovarian cancer".

use super::super::lexicon::Match;
use super::Finder;
use super::meaning::Meaning;

impl Finder<'_, '_, '_> {
    pub(super) fn joined(&mut self, _at: u32, _found: &Match, _meaning: &Meaning) -> Option<u32> {
        None
    }
}
