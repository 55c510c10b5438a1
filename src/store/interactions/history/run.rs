//! Pages of history, read from a lake with the rights and in the snapshot of the caller.

use super::request::{Request, Scope};
use super::{Cursor, Entry, bundle as build};
use crate::model::{self, TypeId};
use crate::pg::error::Error;
use crate::pg::spi::Spi;
use crate::search::resolve;
use crate::search::statement::Place;
use crate::store::interactions::{reading, tables};
use crate::store::stamp::{self, Version};

/// The Bundle of a page, from the path `[Type/[id/]]_history[?…]`; FH404 if there never was such a resource.
pub fn bundle(spi: &Spi, lake: &str, path: &str) -> Result<Vec<u8>, Error> {
    let mut request = Request::parse(path)?;
    check(lake)?;
    let place = Place { lake, as_of: None };
    if !request.lists.is_empty() {
        let mut members = Vec::new();
        for list in &request.lists {
            members.extend(resolve::members(spi, place, list)?);
        }
        request.members = Some(members);
    }
    if request.count == 0 {
        spi.query(&request.number(lake, &present(spi, lake, &request)?))?;
        let total = spi.number(0, 1);
        return Ok(build::bundle(&request, &[], None, total)?);
    }
    let (entries, next) = page(spi, lake, &request)?;
    if let (Scope::Instance(ty, id), true) = (&request.scope, entries.is_empty()) {
        let whole = Request::of(request.scope.clone());
        if spi.query(&whole.rows(lake, &[], 1))? == 0 {
            return Err(reading::missing(spi, lake, *ty, id)?);
        }
    }
    build::bundle(&request, &entries, next, None).map_err(|error| {
        Error::new("54000", "the Bundle is too large").detail(error.to_string()).hint("ask for a smaller _count")
    })
}

/// The versions of a page, the latest first, and where the next one begins.
pub fn page(spi: &Spi, lake: &str, request: &Request) -> Result<(Vec<Entry>, Option<Cursor>), Error> {
    check(lake)?;
    let rows = spi.query(&request.rows(lake, &present(spi, lake, request)?, request.count.saturating_add(1)))?;
    let shown = rows.min(request.count as usize);
    let entries: Vec<Entry> = (0..shown).filter_map(|row| entry(spi, row)).collect();
    let next = entries.last().filter(|_| rows > shown).map(Entry::cursor);
    Ok((entries, next))
}

/// The types whose tables the request has to read, where it names none itself.
fn present(spi: &Spi, lake: &str, request: &Request) -> Result<Vec<TypeId>, Error> {
    if request.scope != Scope::System {
        return Ok(Vec::new());
    }
    let types = resolve::types_present(spi, Place { lake, as_of: None })?;
    let wanted = |ty: &TypeId| request.members.as_ref().is_none_or(|members| members.iter().any(|member| member.ty == *ty));
    Ok(types.into_iter().filter(wanted).collect())
}

fn entry(spi: &Spi, row: usize) -> Option<Entry> {
    let id = spi.text(row, 2)?;
    let version = Version { number: spi.number(row, 3)?, last_updated: spi.number(row, 4)? };
    Some(Entry {
        ty: spi.text(row, 1)?.to_owned(),
        id: id.to_owned(),
        version: version.number,
        last_updated: version.last_updated,
        method: spi.text(row, 5).unwrap_or_else(|| version.method(id)).to_owned(),
        resource: spi.container(row, 6).map(<[u8]>::to_vec),
    })
}

/// A lake has a table for every type, so any will show it.
fn check(lake: &str) -> Result<(), Error> {
    model::resource_types().next().map_or(Ok(()), |ty| tables::of_type(lake, ty).map(|_| ()))
}

/// Whose versions a type and an id name.
pub fn scope(ty: Option<&str>, id: Option<&str>) -> Result<Scope, Error> {
    Ok(match (ty, id) {
        (None, None) => Scope::System,
        (None, Some(_)) => return Err(Error::new("22023", "an id needs its type").hint("fhir.history(type, id)")),
        (Some(ty), None) => Scope::Type(stamp::resource_type(ty)?),
        (Some(ty), Some(id)) => Scope::Instance(stamp::resource_type(ty)?, id.to_owned()),
    })
}
