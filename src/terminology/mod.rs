//! What a value set holds, and what a code subsumes.
//!
//! Takes the jsonb containers of value sets and code systems from a [`Source`] and gives lists of codes: for `:in`, `:not-in`,
//! `:above` and `:below` of a search (<https://hl7.org/fhir/R4/search.html#token>), and for `fhir.expand`. Pure, but for `sql.rs`,
//! which finds the definitions in a lake.
//!
//! [`value_set`] composes sets by the rules of <https://hl7.org/fhir/R4/valueset.html#compositions>, [`code_system`] reads concepts and
//! their hierarchy, [`filter`] selects among them, [`members`] holds what is known of a set.

pub mod code_system;
pub mod error;
pub mod filter;
pub mod implied;
pub mod members;
#[cfg(feature = "pg")]
pub mod sql;
#[cfg(test)]
mod tests;
pub mod value_set;

pub use error::{DefinitionError, TermError};
pub use value_set::expand;

use code_system::CodeSystem;

/// Where definitions come from. Each gives the jsonb container of the resource, the newest one where no version is named.
pub trait Source {
    type Error;
    /// By canonical url, without `|version`.
    fn value_set(&mut self, url: &str, version: Option<&str>) -> Result<Option<Vec<u8>>, Self::Error>;
    /// By the id that it is stored under.
    fn value_set_by_id(&mut self, id: &str) -> Result<Option<Vec<u8>>, Self::Error>;
    /// By canonical url, without `|version`.
    fn code_system(&mut self, url: &str, version: Option<&str>) -> Result<Option<Vec<u8>>, Self::Error>;
}

/// A code and the system that it is of; no system where none is said, which stands for any.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Coding {
    pub system: Option<String>,
    pub code: String,
}

/// A part of a value set.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Member {
    Code(Coding),
    /// Every code of a system whose codes the source does not hold, or not all: `system|` in a search.
    WholeSystem(String),
}

/// What an expansion may cost.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Codes of a result.
    pub codes: usize,
    /// Steps: about one for each concept looked at, and for each eight bytes of a definition read.
    pub steps: usize,
    /// Value sets within value sets.
    pub depth: usize,
}

impl Default for Limits {
    /// As many codes as a search may have alternatives.
    fn default() -> Limits {
        Limits { codes: crate::index::query::MAX_LEAVES, steps: 50_000_000, depth: 32 }
    }
}

/// Which way along a hierarchy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// To what the code is subsumed by.
    Above,
    /// To what the code subsumes.
    Below,
}

/// The code and all that it subsumes, or all that subsume it, in the order of the codes; the code alone where its system is not
/// known or not named.
pub fn related<S: Source>(
    source: &mut S,
    system: Option<&str>,
    code: &str,
    direction: Direction,
    limits: &Limits,
) -> Result<Vec<Coding>, TermError<S::Error>> {
    let coding = |code: &str| Coding { system: system.map(str::to_owned), code: code.to_owned() };
    let alone = || vec![coding(code)];
    let Some(url) = system.filter(|url| !url.is_empty()) else { return Ok(alone()) };
    let Some(container) = source.code_system(url, None).map_err(TermError::Source)? else { return Ok(alone()) };
    if container.len() / 8 > limits.steps {
        return Err(DefinitionError::TooCostly { steps: limits.steps }.into());
    }
    let Some(known) = CodeSystem::read(&container) else { return Ok(alone()) };
    let Some(start) = known.find(code) else { return Ok(alone()) };
    let mut codes: Vec<&str> = known.related(start, direction).into_iter().map(|at| known.concept(at).code()).collect();
    codes.sort_unstable();
    if codes.len() > limits.codes {
        return Err(DefinitionError::TooLarge { of: code.to_owned(), codes: limits.codes }.into());
    }
    Ok(codes.into_iter().map(coding).collect())
}

/// The code and all that it subsumes. <https://hl7.org/fhir/R4/codesystem.html#subsumption>
pub fn below<S: Source>(source: &mut S, system: Option<&str>, code: &str, limits: &Limits) -> Result<Vec<Coding>, TermError<S::Error>> {
    related(source, system, code, Direction::Below, limits)
}

/// The code and all that subsume it.
pub fn above<S: Source>(source: &mut S, system: Option<&str>, code: &str, limits: &Limits) -> Result<Vec<Coding>, TermError<S::Error>> {
    related(source, system, code, Direction::Above, limits)
}
