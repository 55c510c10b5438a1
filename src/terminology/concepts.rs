//! The concepts of a code system as the rows that a lake keeps of them.

use super::code_system::CodeSystem;
use super::closure::Closure;
use super::error::DefinitionError;
use crate::json::{self, Item};

/// One concept.
pub struct Row {
    /// Its number in a walk down the hierarchy, from 0.
    pub place: i32,
    /// What it is found by; see [`CodeSystem::key`].
    pub key: String,
    pub code: String,
    pub display: Option<String>,
    pub definition: Option<String>,
    pub is_abstract: bool,
    pub is_inactive: bool,
    /// The places of what it is directly below.
    pub parents: Vec<i32>,
    /// Ranges of places that it subsumes, the first and last of each; none where that is only itself.
    pub below: Vec<i32>,
    /// The containers of `CodeSystem.concept.property` and `.designation`.
    pub properties: Option<Vec<u8>>,
    pub designations: Option<Vec<u8>>,
}

/// The concepts of a stored code system, in the order of their places.
pub fn rows(container: &[u8]) -> Result<Vec<Row>, DefinitionError> {
    let mut nodes = Vec::new();
    let Some(system) = CodeSystem::read_each(container, &mut |_, node| nodes.push(node)) else { return Ok(Vec::new()) };
    // a part of what was stored is small enough to be stored
    let part = |at: usize, key: &str| nodes.get(at).and_then(|node| node.get(key)).and_then(|part| json::write(&Item::Node(part)).ok());
    rows_of(&system, |at| (part(at, "property"), part(at, "designation")))
}

/// The concepts of a system, in the order of their places; `listed` gives properties and designations of each.
pub fn rows_of(system: &CodeSystem, mut listed: impl FnMut(usize) -> (Option<Vec<u8>>, Option<Vec<u8>>)) -> Result<Vec<Row>, DefinitionError> {
    let tangled = || DefinitionError::TooTangled { system: system.url().to_owned() };
    let closure = Closure::of(system).ok_or_else(tangled)?;
    let mut rows: Vec<Row> = system
        .concepts()
        .enumerate()
        .map(|(at, concept)| {
            let place = closure.places[at];
            let (properties, designations) = listed(at);
            let below: Vec<i32> = match &*closure.below[at] {
                [(first, last)] if first == last => Vec::new(),
                ranges => ranges.iter().flat_map(|(first, last)| [*first, *last]).collect(),
            };
            Row {
                place,
                key: system.key(concept.code()).into_owned(),
                code: concept.code().to_owned(),
                display: concept.display().map(str::to_owned),
                definition: concept.definition().map(str::to_owned),
                is_abstract: system.is_abstract(concept),
                is_inactive: system.is_inactive(concept),
                parents: system.near(at as u32, super::Direction::Above).iter().map(|parent| closure.places[*parent as usize]).collect(),
                below,
                properties,
                designations,
            }
        })
        .collect();
    rows.sort_unstable_by_key(|row| row.place);
    Ok(rows)
}
