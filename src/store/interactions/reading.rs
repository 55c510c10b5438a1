//! read and vread. <https://hl7.org/fhir/R4/http.html#read>

use super::{GONE, NOT_FOUND, Stored, tables};
use crate::model::TypeId;
use crate::pg::error::Error;
use crate::pg::spi::{Arg, Spi};
use crate::search::quote::literal;
use crate::store::stamp;

/// The current version of a resource; FH404 if there is none, FH410 if it was deleted.
pub fn read(spi: &Spi, lake: &str, ty: &str, id: &str) -> Result<Stored, Error> {
    let ty = stamp::resource_type(ty)?;
    let query = tables::read(lake, ty, |table| {
        format!(
            "SELECT r.version, r.last_updated, r.resource FROM {table} AS r \
             WHERE r.type OPERATOR(pg_catalog.=) $1 AND r.id OPERATOR(pg_catalog.=) $2"
        )
    })?;
    spi.select(&query, &[Arg::Text(ty.name()), Arg::Text(id)])?;
    match (spi.number(0, 1), spi.number(0, 2), spi.container(0, 3)) {
        (Some(version), Some(last_updated), Some(resource)) => {
            Ok(Stored { id: id.to_owned(), version, last_updated, resource: resource.to_vec() })
        }
        _ => Err(missing(spi, lake, ty, id)?),
    }
}

/// A version of a resource, current or superseded; FH404 if there is none, FH410 if it is a deletion.
pub fn vread(spi: &Spi, lake: &str, ty: &str, id: &str, version: i64) -> Result<Stored, Error> {
    let ty = stamp::resource_type(ty)?;
    let args = [Arg::Text(ty.name()), Arg::Text(id), Arg::Int(version)];
    let query = |table: &str| {
        format!(
            "SELECT r.id, r.version, r.last_updated, r.resource FROM {table} AS r WHERE r.type OPERATOR(pg_catalog.=) $1 \
             AND r.id OPERATOR(pg_catalog.=) $2 AND r.version OPERATOR(pg_catalog.=) $3"
        )
    };
    spi.select(&query(&tables::of_type(lake, ty)?), &args)?;
    if let Some(found) = stored(spi, 0) {
        return Ok(found);
    }
    let superseded = spi.select(&query(&tables::history(lake)), &args)?;
    if let Some(found) = stored(spi, 0) {
        return Ok(found);
    }
    let (name, id) = (ty.name(), shown(id));
    Err(match superseded {
        0 => Error::new(NOT_FOUND, format!("{name}/{id} has no version {version}")).hint(versions_of(ty, &id)),
        _ => Error::new(GONE, format!("{name}/{id} was deleted with version {version}")),
    })
}

/// A row of `id, version, last_updated, resource`; `None` if there is no such row, or no resource in it.
pub(super) fn stored(spi: &Spi, row: usize) -> Option<Stored> {
    Some(Stored {
        id: spi.text(row, 1)?.to_owned(),
        version: spi.number(row, 2)?,
        last_updated: spi.number(row, 3)?,
        resource: spi.container(row, 4)?.to_vec(),
    })
}

/// What to say of a resource that is not there. Who may not read history learns no more than that there is nothing.
pub(super) fn missing(spi: &Spi, lake: &str, ty: TypeId, id: &str) -> Result<Error, Error> {
    let history = tables::history(lake);
    spi.query(&format!("SELECT pg_catalog.has_table_privilege({}, 'SELECT')", literal(&history)))?;
    let mut deleted = false;
    if spi.is_true(0, 1) {
        let last = format!(
            "SELECT h.resource IS NULL FROM {history} AS h WHERE h.type OPERATOR(pg_catalog.=) $1 \
             AND h.id OPERATOR(pg_catalog.=) $2 ORDER BY h.version DESC LIMIT 1"
        );
        spi.select(&last, &[Arg::Text(ty.name()), Arg::Text(id)])?;
        deleted = spi.is_true(0, 1);
    }
    let (name, id) = (ty.name(), shown(id));
    Ok(if deleted {
        Error::new(GONE, format!("{name}/{id} was deleted")).hint(versions_of(ty, &id))
    } else {
        Error::new(NOT_FOUND, format!("there is no {name}/{id}"))
    })
}

fn versions_of(ty: TypeId, id: &str) -> String {
    format!("SELECT * FROM fhir.history({}, {})", literal(ty.name()), literal(id))
}

/// As much of an id that the client sent as an error may repeat.
pub(super) fn shown(id: &str) -> String {
    id.chars().take(64).map(|c| if c.is_control() { ' ' } else { c }).collect()
}
