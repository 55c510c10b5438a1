//! Conditions built from a body part and a general word: "left ankle pain", "hepatic injury".

use super::super::token::Token;
use super::Finder;

impl Finder<'_, '_, '_> {
    /// A condition whose general word stands at `at` and is no term by itself.
    pub(super) fn composed(&mut self, _at: u32, _token: &Token) -> Option<u32> {
        None
    }
}
