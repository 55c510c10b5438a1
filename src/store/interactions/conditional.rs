//! What a condition matches, so that two writers with the same condition never both find nothing.
//! <https://hl7.org/fhir/R4/http.html#ccreate>

use super::reading::stored;
use super::{PRECONDITION_FAILED, Stored, criteria};
use crate::model::TypeId;
use crate::pg::error::{Error, SERIALIZATION_FAILURE};
use crate::pg::plans::Lookups;
use crate::pg::snapshot::{self, View};
use crate::pg::spi::{Arg, Spi};
use crate::search::request::Handling;
use crate::search::resolve;
use crate::search::statement::Place;

/// The one resource that meets the criteria; FH412 if several do.
///
/// Until the transaction ends, no other one with the same criteria gets past this. What it did is seen here, as the search
/// begins after the wait. Where the snapshot of the transaction is older than that, 40001.
pub fn one(spi: &Spi, lake: &str, ty: TypeId, criteria: &str) -> Result<Option<Stored>, Error> {
    let search = criteria::search(ty, criteria)?;
    lock(spi, &criteria::lock_name(lake, &search))?;
    let mut found = spi.afresh(View::OfTransaction, |spi| matches(spi, lake, &search))?;
    if found.len() > 1 {
        return Err(several(ty));
    }
    if snapshot::is_fixed() {
        let latest = spi.afresh(View::Latest, |spi| matches(spi, lake, &search))?;
        let version = |found: &[Stored]| found.iter().map(|one| (one.id.clone(), one.version)).collect::<Vec<_>>();
        if version(&latest) != version(&found) {
            return Err(Error::new(SERIALIZATION_FAILURE, "what meets the condition was changed by another transaction").hint("try again"));
        }
    }
    Ok(found.pop())
}

/// Several resources meet a condition that is for one.
pub(super) fn several(ty: TypeId) -> Error {
    Error::new(PRECONDITION_FAILED, format!("the condition matches several resources of type {}", ty.name()))
        .hint("add criteria until it names one")
}

/// Up to two matches: more need not be told apart.
fn matches(spi: &Spi, lake: &str, search: &str) -> Result<Vec<Stored>, Error> {
    let place = Place { lake, as_of: None };
    let request = resolve::request(spi, place, search, Handling::Strict)?;
    let first = |rows: &str| format!("SELECT f.id, f.version, f.last_updated, f.resource FROM ({rows}) AS f LIMIT 2");
    let count = match request.lookup(place) {
        Some((rows, query)) => {
            let _plan = Lookups::begin();
            spi.select(&first(&rows), &[Arg::Text(&query)])?
        }
        None => spi.query(&first(&request.rows(place)))?,
    };
    Ok((0..count).filter_map(|row| stored(spi, row)).collect())
}

/// The statement that finds all resources of a search, whose every parameter must be known.
pub(super) fn rows(spi: &Spi, lake: &str, search: &str) -> Result<String, Error> {
    let place = Place { lake, as_of: None };
    Ok(resolve::request(spi, place, search, Handling::Strict)?.rows(place))
}

fn lock(spi: &Spi, name: &str) -> Result<(), Error> {
    spi.select("SELECT pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended($1, 0))", &[Arg::Text(name)])?;
    Ok(())
}

/// Ids of what meets the criteria, up to two: more need not be told apart. Sees what this command has written.
pub fn found(spi: &Spi, lake: &str, ty: TypeId, criteria: &str) -> Result<Vec<String>, Error> {
    let search = criteria::search(ty, criteria)?;
    let found = spi.afresh(View::OfTransaction, |spi| matches(spi, lake, &search))?;
    Ok(found.into_iter().map(|one| one.id).collect())
}
