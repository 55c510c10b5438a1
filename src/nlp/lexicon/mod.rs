//! The lexicon: what words mean.
//!
//! [`source`] reads its text form (concepts, terms, mappings and lists of rules), [`compile`] makes a flat value of it,
//! [`image`] reads that value in place, [`walk`] finds the longest terms in a text.

mod compile;
mod hash;
mod image;
pub mod shipped;
pub mod source;
#[cfg(feature = "pg")]
pub mod sql;
mod walk;

pub use compile::{CompileError, Compiler};
pub use image::{Concept, FormatError, Image, Output, checked};
pub use walk::Match;

use super::context::Rules;
use super::known::Memory;
use super::mention::Words;
use super::result::Tests;
use super::section::Headings;

/// A compiled lexicon with what each process makes of its lists when it is opened.
pub struct Lexicon {
    pub image: Image,
    /// triggers of negation, history, family and the like
    pub rules: Rules,
    /// headings of sections
    pub headings: Headings,
    /// analytes and vital signs with their usual units
    pub tests: Tests,
    /// words that the rules of mentions know
    pub words: Words,
    pub(super) memory: Memory,
}

impl Lexicon {
    /// Opens a compiled value. `bytes` is usually a mapped file; nothing of it is copied but the lists of rules.
    pub fn open(bytes: &'static [u8]) -> Result<Lexicon, FormatError> {
        let image = Image::open(bytes)?;
        let rules = Rules::new(image.list("context"));
        let headings = Headings::new(image.list("sections"));
        let tests = Tests::new(image.list("tests"));
        let words = Words::new(&image);
        Ok(Lexicon { image, rules, headings, tests, words, memory: Memory::default() })
    }

    /// The version that the compiled value names, such as `fhirlake-2026.11.2`.
    pub fn version(&self) -> &str {
        self.image.version()
    }
}
