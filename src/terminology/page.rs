//! A page of a value set with the names of its codes. <https://hl7.org/fhir/R4/valueset-operation-expand.html>

use super::code_system::CodeSystem;
use super::value_set::{Names, expand_named};
use super::{Coding, Limits, Member, Source, TermError};
use std::collections::HashMap;
use std::rc::Rc;

/// Of a page with more codes of one system, the whole system is read.
const MANY: usize = 500;

/// What is asked of an expansion.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wanted<'a> {
    /// Words of which each is to be in the code or in its name, in any case.
    pub filter: Option<&'a str>,
    pub offset: usize,
    /// No end where it is not said.
    pub count: Option<usize>,
    pub active_only: bool,
}

pub struct Page {
    /// How many there are, of all pages.
    pub total: usize,
    pub entries: Vec<Entry>,
    /// Systems that are in the set with all their codes, which are not listed. They are not among the entries.
    pub wholes: Vec<String>,
}

/// One code.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    pub coding: Coding,
    pub display: Option<String>,
    pub is_inactive: bool,
    /// Of the code system, where the source has it.
    pub code_system: Option<String>,
}

/// A page of what a value set holds, in the order of systems and codes.
pub fn page<S: Source>(source: &mut S, url: &str, wanted: &Wanted, limits: &Limits) -> Result<Page, TermError<S::Error>> {
    let (members, names) = expand_named(source, url, limits)?;
    let mut codings = Vec::with_capacity(members.len());
    let mut wholes = Vec::new();
    for member in members {
        match member {
            Member::Code(coding) => codings.push(coding),
            Member::WholeSystem(system) => wholes.push(system),
        }
    }
    let words: Vec<String> = wanted.filter.unwrap_or_default().split_whitespace().map(str::to_lowercase).collect();
    let on_page = |length: usize| {
        let from = wanted.offset.min(length);
        from..wanted.count.map_or(length, |count| from.saturating_add(count).min(length))
    };
    if words.is_empty() && !wanted.active_only {
        let (total, range) = (codings.len(), on_page(codings.len()));
        let entries = named(source, codings.drain(range).collect(), &names)?;
        return Ok(Page { total, entries, wholes });
    }
    let mut entries = named(source, codings, &names)?;
    entries.retain(|entry| {
        let (code, display) = (entry.coding.code.to_lowercase(), entry.display.as_deref().unwrap_or_default().to_lowercase());
        !(wanted.active_only && entry.is_inactive) && words.iter().all(|word| code.contains(word.as_str()) || display.contains(word.as_str()))
    });
    let (total, range) = (entries.len(), on_page(entries.len()));
    Ok(Page { total, entries: entries.drain(range).collect(), wholes })
}

fn named<S: Source>(source: &mut S, codings: Vec<Coding>, names: &Names) -> Result<Vec<Entry>, TermError<S::Error>> {
    let mut of_system: HashMap<String, Vec<&str>> = HashMap::new();
    for coding in &codings {
        if let Some(system) = &coding.system {
            match of_system.get_mut(system) {
                Some(codes) => codes.push(&coding.code),
                None => {
                    of_system.insert(system.clone(), vec![&coding.code]);
                }
            }
        }
    }
    let mut systems: HashMap<String, Rc<CodeSystem>> = HashMap::new();
    for (url, codes) in of_system {
        let Some(known) = source.code_system(&url, names.version(&url)).map_err(TermError::Source)? else { continue };
        let known = match known.apart() {
            Some(_) if codes.len() > MANY => source.whole(&known),
            Some(_) => source.part(&known, &codes),
            None => Ok(known),
        };
        systems.insert(url, known.map_err(TermError::Source)?);
    }
    Ok(codings
        .into_iter()
        .map(|coding| {
            let known = coding.system.as_ref().and_then(|system| systems.get(system));
            let concept = known.and_then(|system| Some((system, system.concept(system.find(&coding.code)?))));
            let own = names.display(&coding).map(str::to_owned);
            Entry {
                display: own.or_else(|| concept.and_then(|(_, concept)| concept.display().map(str::to_owned))),
                is_inactive: concept.is_some_and(|(system, concept)| system.is_inactive(concept)),
                code_system: known.map(|system| system.id().to_owned()).filter(|id| !id.is_empty()),
                coding,
            }
        })
        .collect())
}
