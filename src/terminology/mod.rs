//! What a value set holds, and what a code subsumes.
//!
//! Takes the jsonb containers of value sets and code systems from a [`Source`] and gives lists of codes: for `:in`, `:not-in`,
//! `:above` and `:below` of a search (<https://hl7.org/fhir/R4/search.html#token>), and for `fhir.expand`. Pure, but for `sql.rs`,
//! which finds the definitions in a lake.
//!
//! [`value_set`] composes sets by the rules of <https://hl7.org/fhir/R4/valueset.html#compositions>, [`code_system`] reads concepts and
//! their hierarchy, [`filter`] selects among them, [`members`] holds what is known of a set.

pub mod closure;
pub mod code_system;
pub mod concepts;
pub mod error;
pub mod expansion;
pub mod filter;
pub mod formats;
pub mod grammar;
pub mod implied;
pub mod members;
pub mod membership;
pub mod page;
mod snomed;
pub mod keep;
pub mod lake;
#[cfg(feature = "pg")]
pub mod sql;
#[cfg(test)]
pub(crate) mod tests;
pub mod value_set;
pub mod verdict;

pub use error::{DefinitionError, TermError};
pub use membership::{Checker, Failure, Finding, Membership, Shown, Terminology};
pub use value_set::expand;

use code_system::CodeSystem;
use std::rc::Rc;

/// Where definitions come from. Each gives the jsonb container of the resource, the newest one where no version is named.
pub trait Source {
    type Error;
    /// By canonical url, without `|version`.
    fn value_set(&mut self, url: &str, version: Option<&str>) -> Result<Option<Vec<u8>>, Self::Error>;
    /// By the id that it is stored under.
    fn value_set_by_id(&mut self, id: &str) -> Result<Option<Vec<u8>>, Self::Error>;
    /// By canonical url, without `|version`. One that is kept apart comes without its concepts; see [`CodeSystem::head`].
    fn code_system(&mut self, url: &str, version: Option<&str>) -> Result<Option<Rc<CodeSystem>>, Self::Error>;
    /// Of a system that is kept apart: the concepts of these codes and all that subsume them.
    fn part(&mut self, system: &Rc<CodeSystem>, codes: &[&str]) -> Result<Rc<CodeSystem>, Self::Error> {
        let _ = codes;
        self.whole(system)
    }
    /// A system with all its concepts.
    fn whole(&mut self, system: &Rc<CodeSystem>) -> Result<Rc<CodeSystem>, Self::Error> {
        Ok(system.clone())
    }
    /// Of a system that is kept apart: the code and what it subsumes, in any order; no more than that many and one. `None` where it
    /// has no such code.
    fn below(&mut self, system: &Rc<CodeSystem>, code: &str, limit: usize) -> Result<Option<Vec<Below>>, Self::Error> {
        let whole = self.whole(system)?;
        let Some(start) = whole.find(code) else { return Ok(None) };
        let of = |at: u32| {
            let concept = whole.concept(at);
            Below { code: concept.code().to_owned(), is_abstract: whole.is_abstract(concept), is_inactive: whole.is_inactive(concept) }
        };
        Ok(Some(whole.related(start, Direction::Below).into_iter().take(limit.saturating_add(1)).map(of).collect()))
    }
}

/// A code below another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Below {
    pub code: String,
    pub is_abstract: bool,
    pub is_inactive: bool,
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
    let Some(known) = source.code_system(url, None).map_err(TermError::Source)? else { return Ok(alone()) };
    let mut codes: Vec<String> = match (known.apart(), direction) {
        (Some(_), Direction::Below) => match source.below(&known, code, limits.codes).map_err(TermError::Source)? {
            Some(found) => found.into_iter().map(|below| below.code).collect(),
            None => return Ok(alone()),
        },
        (apart, _) => {
            let known = if apart.is_some() { source.part(&known, &[code]).map_err(TermError::Source)? } else { known };
            let Some(start) = known.find(code) else { return Ok(alone()) };
            known.related(start, direction).into_iter().map(|at| known.concept(at).code().to_owned()).collect()
        }
    };
    codes.sort_unstable();
    if codes.len() > limits.codes {
        return Err(DefinitionError::TooLarge { of: code.to_owned(), codes: limits.codes }.into());
    }
    Ok(codes.iter().map(|code| coding(code)).collect())
}

/// The code and all that it subsumes. <https://hl7.org/fhir/R4/codesystem.html#subsumption>
pub fn below<S: Source>(source: &mut S, system: Option<&str>, code: &str, limits: &Limits) -> Result<Vec<Coding>, TermError<S::Error>> {
    related(source, system, code, Direction::Below, limits)
}

/// The code and all that subsume it.
pub fn above<S: Source>(source: &mut S, system: Option<&str>, code: &str, limits: &Limits) -> Result<Vec<Coding>, TermError<S::Error>> {
    related(source, system, code, Direction::Above, limits)
}

/// How two codes of a system stand to each other: <https://hl7.org/fhir/R4/codesystem-operation-subsumes.html>. `None` where the system or
/// one of the codes is not known.
pub fn subsumes<S: Source>(source: &mut S, system: &str, version: Option<&str>, a: &str, b: &str) -> Result<Option<&'static str>, S::Error> {
    let Some(known) = source.code_system(system, version)? else { return Ok(None) };
    let known = if known.apart().is_some() { source.part(&known, &[a, b])? } else { known };
    let (Some(a), Some(b)) = (known.find(a), known.find(b)) else { return Ok(None) };
    let is_above = |above: u32, below: u32| known.related(below, Direction::Above).contains(&above);
    Ok(Some(match (is_above(a, b), is_above(b, a)) {
        _ if a == b => "equivalent",
        (true, true) => "equivalent",
        (true, false) => "subsumes",
        (false, true) => "subsumed-by",
        (false, false) => "not-subsumed",
    }))
}
