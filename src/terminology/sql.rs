//! The functions over the definitions of a lake.

use super::lake::sql as lake;
use super::code_system::CodeSystem;
use super::lake::sql::Lake;
use super::page::{Entry, Page, Wanted, page};
use super::value_set::text;
use super::membership::Cache;
use super::{Below, Coding, Direction, Limits, Member, Source, TermError, expansion, verdict};
use crate::json;
use crate::pg::error::{self, Error};
use crate::pg::function::{Call, Value};
use crate::pg::spi::connected;
use crate::sql_function;
use std::collections::HashMap;
use std::rc::Rc;

sql_function!(fhir_expand, rows_of_expansion);
sql_function!(fhir_expand_value_set, expand_value_set);
sql_function!(fhir_validate_code, validate_code);
sql_function!(fhir_subsumes, |call| {
    if (0..3).any(|at| call.datum(at).is_none()) {
        return Ok(Value::Null);
    }
    let (system, a, b, version) = (call.text(0)?, call.text(1)?, call.text(2)?, call.optional_text(3)?);
    let found = connected(|sql| lake::with(sql, call.text(4)?, |lake, _| super::subsumes(lake, system, version, a, b)))?;
    Ok(found.into())
});
sql_function!(fhir_subsumed, |call| codes(call, Direction::Below));
sql_function!(fhir_subsuming, |call| codes(call, Direction::Above));

fn codes(call: &Call, direction: Direction) -> Result<Value, Error> {
    let found = related(call.text(2)?, Some(call.text(0)?), call.text(1)?, direction)?;
    let mut rows = call.rows()?;
    for coding in found {
        rows.add([coding.code.into()]);
    }
    Ok(Value::Null)
}

/// Codes that an expansion for a caller may have; a search has its own limit.
const MAX_CODES: usize = 1_000_000;

fn wanted<'c>(call: &'c Call, from: usize) -> Result<Wanted<'c>, Error> {
    let number = |at: usize, what: &str| match call.datum(at) {
        None => Ok(None),
        Some(datum) => match usize::try_from(datum.value() as i32) {
            Ok(number) => Ok(Some(number)),
            Err(_) => Err(Error::new(error::INVALID_PARAMETER, format!("{what} must not be negative"))),
        },
    };
    Ok(Wanted {
        filter: call.optional_text(from)?,
        offset: number(from + 1, "offset")?.unwrap_or(0),
        count: number(from + 2, "count")?,
        active_only: call.datum(from + 3).is_some() && call.bool(from + 3)?,
    })
}

/// The page, and the designations of its codes where they are wanted.
fn paged(lake: &mut Lake, given: Option<&[u8]>, url: &str, wanted: &Wanted, designations: bool) -> Result<(Page, Designations), Error> {
    let limits = Limits { codes: MAX_CODES, ..Limits::default() };
    let page = match given {
        Some(container) => page(&mut Given { lake: &mut *lake, container, url }, url, wanted, &limits)?,
        None => page(lake, url, wanted, &limits)?,
    };
    let mut found = Designations::new();
    if designations {
        let mut by_system: HashMap<&str, Vec<&str>> = HashMap::new();
        for entry in &page.entries {
            if let Some(id) = &entry.code_system {
                by_system.entry(id).or_default().push(&entry.coding.code);
            }
        }
        for (id, codes) in by_system {
            for (code, container) in lake.designations(id, &codes)? {
                found.insert((id.to_owned(), code), container);
            }
        }
    }
    Ok((page, found))
}

/// By id of the code system and code.
type Designations = HashMap<(String, String), Vec<u8>>;

fn designations_of<'d>(found: &'d Designations, entry: &Entry) -> Option<&'d Vec<u8>> {
    found.get(&(entry.code_system.clone()?, entry.coding.code.clone()))
}

/// (value set, lake, filter, offset, count, active only, designations) → system, code, display, is_inactive, designations. A row without a
/// code stands for a whole system; those come last, on the last page.
fn rows_of_expansion(call: &Call) -> Result<Value, Error> {
    if call.datum(0).is_none() {
        call.rows()?;
        return Ok(Value::Null);
    }
    let (url, name, wanted) = (call.text(0)?, call.text(1)?, wanted(call, 2)?);
    let with_designations = call.datum(6).is_some() && call.bool(6)?;
    let (page, designations) = connected(|sql| lake::with(sql, name, |lake, _| paged(lake, None, url, &wanted, with_designations)))?;
    let is_last = wanted.offset.saturating_add(page.entries.len()) >= page.total && wanted.count != Some(0);
    let mut rows = call.rows()?;
    for entry in page.entries {
        let designations = designations_of(&designations, &entry).cloned().map_or(Value::Null, Value::Jsonb);
        rows.add([entry.coding.system.into(), entry.coding.code.into(), entry.display.into(), Value::Bool(entry.is_inactive), designations]);
    }
    for system in page.wholes.into_iter().filter(|_| is_last) {
        rows.add([system.into()]);
    }
    Ok(Value::Null)
}

/// (value set, or the resource, lake, filter, offset, count, active only, designations) → a ValueSet with its expansion
fn expand_value_set(call: &Call) -> Result<Value, Error> {
    let given = if call.datum(1).is_some() { Some(call.jsonb(1)?) } else { None };
    let own = given.and_then(json::root).and_then(|root| text(root, "url"));
    let url = match call.optional_text(0)?.or(own) {
        Some(url) => url,
        None if given.is_some() => "given",
        None => return Err(Error::new(error::INVALID_PARAMETER, "no value set is named")),
    };
    let (name, wanted) = (call.text(2)?, wanted(call, 3)?);
    let with_designations = call.datum(7).is_some() && call.bool(7)?;
    let (page, designations, stored) = connected(|sql| {
        lake::with(sql, name, |lake, _| {
            let (page, designations) = paged(lake, given, url, &wanted, with_designations)?;
            let (canonical, version) = super::value_set::split(url);
            let stored = match (given, url.strip_prefix("ValueSet/")) {
                (Some(container), _) => Some(container.to_vec()),
                (None, Some(id)) => lake.value_set_by_id(id)?,
                (None, None) => lake.value_set(canonical, version)?,
            };
            Ok((page, designations, stored))
        })
    })?;
    let instant = crate::store::time::instant(crate::pg::time::now());
    Ok(Value::Jsonb(expansion::resource(stored.as_deref(), url, &page, &wanted, &instant, |entry| designations_of(&designations, entry).map(Vec::as_slice))?))
}

/// (value set or none, resource or none, system, code, display, version, lake) → result, message, display, system
fn validate_code(call: &Call) -> Result<Value, Error> {
    let given = if call.datum(1).is_some() { Some(call.jsonb(1)?) } else { None };
    let own = given.and_then(json::root).and_then(|root| text(root, "url"));
    let value_set = call.optional_text(0)?.or(own).or(given.map(|_| "given"));
    let (system, code, display, version) = (call.optional_text(2)?, call.text(3)?, call.optional_text(4)?, call.optional_text(5)?);
    let limits = Limits::default();
    let verdict = connected(|sql| {
        lake::with(sql, call.text(6)?, |lake, cache| {
            let question = verdict::Question { value_set, system, version, code, display };
            match (given, value_set) {
                // what is given is not to be remembered under its name
                (Some(container), Some(url)) => verdict::verdict(&mut Given { lake, container, url }, &mut Cache::default(), &limits, &question),
                _ => verdict::verdict(lake, cache, &limits, &question),
            }
        })
    })?;
    let Some(verdict) = verdict else {
        return Err(Error::new(error::INVALID_PARAMETER, "neither a value set nor a system is named"));
    };
    let result = verdict.result.map_or(Value::Null, Value::Bool);
    call.rows()?.add([result, verdict.message.into(), verdict.display.into(), verdict.system.into()]);
    Ok(Value::Null)
}

/// A lake, and a value set that came with the call.
struct Given<'g, 'l, 's> {
    lake: &'l mut Lake<'s>,
    container: &'g [u8],
    url: &'g str,
}

impl Source for Given<'_, '_, '_> {
    type Error = Error;

    fn value_set(&mut self, url: &str, version: Option<&str>) -> Result<Option<Vec<u8>>, Error> {
        if url == super::value_set::split(self.url).0 { Ok(Some(self.container.to_vec())) } else { self.lake.value_set(url, version) }
    }

    fn value_set_by_id(&mut self, id: &str) -> Result<Option<Vec<u8>>, Error> {
        self.lake.value_set_by_id(id)
    }

    fn code_system(&mut self, url: &str, version: Option<&str>) -> Result<Option<Rc<CodeSystem>>, Error> {
        self.lake.code_system(url, version)
    }

    fn part(&mut self, system: &Rc<CodeSystem>, codes: &[&str]) -> Result<Rc<CodeSystem>, Error> {
        self.lake.part(system, codes)
    }

    fn whole(&mut self, system: &Rc<CodeSystem>) -> Result<Rc<CodeSystem>, Error> {
        self.lake.whole(system)
    }

    fn below(&mut self, system: &Rc<CodeSystem>, code: &str, limit: usize) -> Result<Option<Vec<Below>>, Error> {
        self.lake.below(system, code, limit)
    }
}

/// Codes that a search may ask for at once: it takes them in portions.
const SEARCH: Limits = Limits { codes: 500_000, steps: 50_000_000, depth: 32 };

/// What a value set of a lake holds; `url` is canonical, with or without `|version`, or `ValueSet/id`.
pub fn expand(lake: &str, url: &str) -> Result<Vec<Member>, Error> {
    connected(|sql| lake::with(sql, lake, |lake, _| Ok(super::expand(lake, url, &SEARCH)?)))
}

/// The code and what it subsumes or what subsumes it, by the code systems of a lake.
pub fn related(lake: &str, system: Option<&str>, code: &str, direction: Direction) -> Result<Vec<Coding>, Error> {
    connected(|sql| lake::with(sql, lake, |lake, _| Ok(super::related(lake, system, code, direction, &SEARCH)?)))
}

impl From<TermError<Error>> for Error {
    fn from(error: TermError<Error>) -> Error {
        match error {
            TermError::Source(error) => error,
            TermError::Definition(error) => error.into(),
        }
    }
}
