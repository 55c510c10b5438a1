//! Resources with references that are searches, such as `Practitioner?identifier=x|1`: what they find may be loaded later, so these
//! resources wait in a temporary file until all others are stored. <https://hl7.org/fhir/R4/http.html#trules>

use super::line;
use super::write::{Origin, Writer};
use super::{journal::Journal, line::Rejected};
use crate::json;
use crate::path::reference::{self, Target};
use crate::pg::error::{Error, INTERNAL, Told};
use crate::pg::memory::Scratch;
use crate::pg::spi::connected;
use crate::pg::spill::Spill;
use crate::pg::subtransaction::subtransaction;
use crate::pg::time::check_for_interrupts;
use crate::store::interactions::found;
use crate::store::links::{self, Link};
use crate::store::{Stamped, Submitted, Version};
use std::collections::HashMap;

/// Searches whose answer is kept.
const KEPT: usize = 200_000;

/// How long a chain of such references, each in the resource that the one before finds, is followed.
const PASSES: usize = 16;

/// Resources that wait.
pub struct Aside {
    spill: Option<Spill>,
}

/// What a search of a reference found.
type Answers = HashMap<String, Result<String, String>>;

impl Aside {
    pub fn new() -> Aside {
        Aside { spill: None }
    }

    pub fn add(&mut self, row: &Stamped, origin: Origin) -> Result<(), Error> {
        let spill = match &mut self.spill {
            Some(spill) => spill,
            None => self.spill.insert(Spill::new()?),
        };
        spill.write(&record(row, origin))
    }

    /// Resolves and writes them; what is left of each search that does not find exactly one resource is told in the journal. One of
    /// them may refer to another, so the rest is tried again as long as some are resolved.
    pub fn resolve(
        mut self,
        writer: &mut Writer,
        journal: &mut Journal,
    ) -> Result<(), Error> {
        let (scratch, lake) = (Scratch::new(c"fhirlake references"), writer.lake().to_owned());
        let mut passes = 0;
        while let Some(mut waiting) = self.spill.take() {
            let mut answers = Answers::new();
            let (total, mut left) = (waiting.len(), Aside::new());
            pass(&mut waiting, &lake, &scratch, &mut answers, &mut |row, origin, unresolved| match unresolved {
                [] => writer.add(row, origin),
                _ => left.add(&row, origin),
            })?;
            writer.flush()?;
            journal.take(writer.take_outcomes())?;
            writer.complete()?;
            passes += 1;
            if left.spill.as_ref().is_some_and(|left| left.len() == total || passes >= PASSES) {
                // None of them was resolved, or too little: as they are, then.
                let Some(mut rest) = left.spill.take() else { continue };
                pass(&mut rest, &lake, &scratch, &mut answers, &mut |row, origin, unresolved| {
                    let told: Rejected = line::unwritten(&row.resource, unresolved.join("\n"), "22023");
                    journal.unresolved(origin, &told)?;
                    writer.add(row, origin)
                })?;
                writer.flush()?;
                journal.take(writer.take_outcomes())?;
                rest.close()?;
            } else {
                self.spill = left.spill.take();
            }
            waiting.close()?;
        }
        Ok(())
    }
}

/// Gives each waiting resource with what could be resolved, and why the rest could not.
fn pass(
    waiting: &mut Spill,
    lake: &str,
    scratch: &Scratch,
    answers: &mut Answers,
    give: &mut dyn FnMut(Stamped, Origin, &[String]) -> Result<(), Error>,
) -> Result<(), Error> {
    waiting.rewind()?;
    let mut bytes = Vec::new();
    for _ in 0..waiting.len() {
        check_for_interrupts();
        waiting.read(&mut bytes)?;
        let (origin, id, version, container) = parts(&bytes).ok_or_else(|| Error::new(INTERNAL, "could not read a temporary file"))?;
        let mut searches = Vec::new();
        if let Some(resource) = json::root(container) {
            links::references(resource, &mut |text| {
                if matches!(reference::target(text), Target::Conditional(_)) {
                    searches.push(text);
                }
            });
        }
        if answers.len() >= KEPT {
            answers.clear();
        }
        let mut unresolved = Vec::new();
        for search in searches {
            if !answers.contains_key(search) {
                let _memory = scratch.enter();
                answers.insert(search.to_owned(), answer(lake, search)?);
            }
            if let Some(Err(reason)) = answers.get(search) {
                unresolved.push(format!("reference \"{search}\": {reason}"));
            }
        }
        let linked = json::root(container).and_then(|resource| {
            links::replaced(resource, &mut |link: Link, text: &str| {
                if link == Link::Reference { answers.get(text)?.as_ref().ok().cloned() } else { None }
            })
        });
        let linked = linked.transpose()?;
        let submitted = Submitted::read(linked.as_deref().unwrap_or(container), None)?;
        give(submitted.stamped(id, version)?, origin, &unresolved)?;
    }
    Ok(())
}

/// What a reference finds: `Type/id`, or why it does not find one.
fn answer(lake: &str, search: &str) -> Result<Result<String, String>, Error> {
    let Target::Conditional(ty) = reference::target(search) else { return Ok(Err("is no search".to_owned())) };
    let found = subtransaction(|| connected(|sql| found(sql, lake, ty, search)))?;
    Ok(match found {
        Ok(ids) => match ids.as_slice() {
            [id] => Ok(format!("{}/{id}", ty.name())),
            [] => Err("finds no resource".to_owned()),
            _ => Err("finds several resources".to_owned()),
        },
        Err(Told { message, .. }) => Err(message),
    })
}

fn record(row: &Stamped, origin: Origin) -> Vec<u8> {
    let numbers = [origin.file as u64, origin.line, origin.offset, row.version.number as u64, row.version.last_updated as u64, row.id.len() as u64];
    let mut record: Vec<u8> = numbers.iter().flat_map(|number| number.to_ne_bytes()).collect();
    record.extend_from_slice(row.id.as_bytes());
    // a container is read at steps of four bytes
    record.resize(record.len().next_multiple_of(8), 0);
    record.extend_from_slice(&row.resource);
    record
}

fn parts(record: &[u8]) -> Option<(Origin, &str, Version, &[u8])> {
    let number = |at: usize| record.get(at * 8..).and_then(|rest| rest.first_chunk()).map(|bytes| u64::from_ne_bytes(*bytes));
    let origin = Origin { file: number(0)? as usize, line: number(1)?, offset: number(2)? };
    let version = Version { number: number(3)? as i64, last_updated: number(4)? as i64 };
    let end = 48 + number(5)? as usize;
    let id = std::str::from_utf8(record.get(48..end)?).ok()?;
    Some((origin, id, version, record.get(end.next_multiple_of(8)..)?))
}
