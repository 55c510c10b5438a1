//! create, update and delete, plain and conditional. <https://hl7.org/fhir/R4/http.html#create>

use super::precondition::IfMatch;
use super::reading::{shown, stored};
use super::{CONFLICT, Outcome, PRECONDITION_FAILED, Stored, Written, conditional, criteria, tables};
use crate::json::{self, Item};
use crate::model::TypeId;
use crate::pg::error::{Error, INVALID_PARAMETER};
use crate::pg::snapshot::View;
use crate::pg::spi::{Arg, Spi};
use crate::store::stamp::{self, Submitted};
use std::borrow::Cow;

const RETURNING: &str = "RETURNING r.id, r.version, r.last_updated, r.resource";
/// `$1` is the type, `$2` the id.
pub(super) const THIS: &str = "r.type OPERATOR(pg_catalog.=) $1 AND r.id OPERATOR(pg_catalog.=) $2";

/// Stores a new resource under an id of the server; an id that it has is ignored, as the specification wants it.
///
/// With `if_none_exist`, search criteria, only if nothing meets them: the one resource that does is returned as it is, and
/// FH412 raised for several.
pub fn create(spi: &Spi, lake: &str, resource: &[u8], if_none_exist: Option<&str>) -> Result<Written, Error> {
    let submitted = Submitted::read(resource, None)?;
    let table = tables::of_type(lake, submitted.ty)?;
    if let Some(criteria) = if_none_exist
        && let Some(stored) = conditional::one(spi, lake, submitted.ty, criteria)?
    {
        return Ok(Written { stored, outcome: Outcome::Found });
    }
    insert(spi, &table, &without_id(&submitted, resource)?)
}

/// Stores a resource under the id that it has: as a new version or, where there is none, a new resource.
///
/// With `if_match`, only over that version: FH412 where the current one is another, or there is none.
pub fn update(spi: &Spi, lake: &str, resource: &[u8], if_match: Option<IfMatch>) -> Result<Written, Error> {
    let submitted = Submitted::read(resource, None)?;
    let Some(id) = submitted.id else {
        return Err(Error::new(INVALID_PARAMETER, "the resource has no id").hint("fhir.create assigns one."));
    };
    let table = tables::of_type(lake, submitted.ty)?;
    if let Some(stored) = replace(spi, &table, submitted.ty, id, resource, if_match)? {
        return Ok(Written { stored, outcome: Outcome::Updated });
    }
    if let Some(if_match) = if_match {
        return Err(mismatch(spi, &table, submitted.ty, id, if_match)?);
    }
    // Another writer may come first even now; then this is the version after his.
    let upsert = format!(
        "INSERT INTO {table} AS r (resource) VALUES ($1) \
         ON CONFLICT (type, id) DO UPDATE SET resource = EXCLUDED.resource {RETURNING}, r.xmax OPERATOR(pg_catalog.=) '0'::pg_catalog.xid"
    );
    spi.run(&upsert, &[Arg::Jsonb(resource)])?;
    let outcome = if spi.is_true(0, 5) { Outcome::Created } else { Outcome::Updated };
    Ok(Written { stored: stored(spi, 0).ok_or_else(dropped)?, outcome })
}

/// Stores a resource over the one that meets the criteria, or as a new one where none does; FH412 for several.
/// <https://hl7.org/fhir/R4/http.html#cond-update>
pub fn update_where(spi: &Spi, lake: &str, resource: &[u8], criteria: &str, if_match: Option<IfMatch>) -> Result<Written, Error> {
    let submitted = Submitted::read(resource, None)?;
    let (ty, table) = (submitted.ty, tables::of_type(lake, submitted.ty)?);
    let Some(found) = conditional::one(spi, lake, ty, criteria)? else {
        if if_match.is_some() {
            return Err(Error::new(PRECONDITION_FAILED, format!("no {} meets the condition, so none has the version of if_match", ty.name())));
        }
        let Some(id) = submitted.id else { return insert(spi, &table, resource) };
        let insert = format!("INSERT INTO {table} AS r (resource) VALUES ($1) ON CONFLICT (type, id) DO NOTHING {RETURNING}");
        return match spi.run(&insert, &[Arg::Jsonb(resource)])? {
            0 => Err(Error::new(CONFLICT, format!("{}/{} exists and does not meet the condition", ty.name(), shown(id)))
                .hint("leave the id out, or update it by its id")),
            _ => Ok(Written { stored: stored(spi, 0).ok_or_else(dropped)?, outcome: Outcome::Created }),
        };
    };
    if let Some(id) = submitted.id.filter(|id| *id != found.id) {
        return Err(Error::new(INVALID_PARAMETER, format!("the condition matches another resource than {}/{}", ty.name(), shown(id)))
            .hint("leave the id out, or update it by its id"));
    }
    if let Some(if_match) = if_match.filter(|if_match| !if_match.allows(found.version)) {
        return Err(mismatch(spi, &table, ty, &found.id, if_match)?);
    }
    // The version that met the condition, and no later one.
    match replace(spi, &table, ty, &found.id, resource, Some(IfMatch::Version(found.version)))? {
        Some(stored) => Ok(Written { stored, outcome: Outcome::Updated }),
        None => Err(lost_race(ty, &found.id)),
    }
}

/// Deletes a resource; false if there was none. With `if_match`, only that version: FH412 where the current one is another,
/// or there is none. <https://hl7.org/fhir/R4/http.html#delete>
pub fn delete(spi: &Spi, lake: &str, ty: &str, id: &str, if_match: Option<IfMatch>) -> Result<bool, Error> {
    let ty = stamp::resource_type(ty)?;
    let table = tables::of_type(lake, ty)?;
    if remove(spi, &table, ty, id, if_match)? {
        return Ok(true);
    }
    match if_match {
        Some(if_match) => Err(mismatch(spi, &table, ty, id, if_match)?),
        None => Ok(false),
    }
}

/// Deletes what meets the criteria; the number of resources. FH412 for several, unless `multiple`.
/// <https://hl7.org/fhir/R4/http.html#2.42.0.7.1>
pub fn delete_where(spi: &Spi, lake: &str, ty: &str, criteria: &str, multiple: bool) -> Result<i64, Error> {
    let ty = stamp::resource_type(ty)?;
    let table = tables::of_type(lake, ty)?;
    if !multiple {
        let Some(found) = conditional::one(spi, lake, ty, criteria)? else { return Ok(0) };
        return match remove(spi, &table, ty, &found.id, Some(IfMatch::Version(found.version)))? {
            true => Ok(1),
            false => Err(lost_race(ty, &found.id)),
        };
    }
    let search = criteria::search(ty, criteria)?;
    // The versions that met the condition, and no later ones: what changes meanwhile may not meet it any more.
    let rows = spi.afresh(View::OfTransaction, |spi| conditional::rows(spi, lake, &search))?;
    let delete = format!(
        "WITH found AS MATERIALIZED (SELECT f.id, f.version FROM ({rows}) AS f), \
         deleted AS (DELETE FROM {table} AS r USING found AS f WHERE r.type OPERATOR(pg_catalog.=) '{}' \
         AND r.id OPERATOR(pg_catalog.=) f.id AND r.version OPERATOR(pg_catalog.=) f.version RETURNING 1) \
         SELECT (SELECT pg_catalog.count(*) FROM found), (SELECT pg_catalog.count(*) FROM deleted)",
        ty.name()
    );
    spi.write(&delete)?;
    let (found, deleted) = (spi.number(0, 1).unwrap_or(0), spi.number(0, 2).unwrap_or(0));
    if deleted < found {
        return Err(Error::new(CONFLICT, "a resource that meets the condition was changed at the same time").hint("try again"));
    }
    Ok(deleted)
}

/// Stores a new resource under the id that it has, or else one of the server; an error if there is one already.
pub(crate) fn insert(spi: &Spi, table: &str, resource: &[u8]) -> Result<Written, Error> {
    spi.run(&format!("INSERT INTO {table} AS r (resource) VALUES ($1) {RETURNING}"), &[Arg::Jsonb(resource)])?;
    Ok(Written { stored: stored(spi, 0).ok_or_else(dropped)?, outcome: Outcome::Created })
}

/// An UPDATE of the resource with that id, where it has the version; `None` if there is no such row.
pub(super) fn replace(
    spi: &Spi,
    table: &str,
    ty: TypeId,
    id: &str,
    resource: &[u8],
    version: Option<IfMatch>,
) -> Result<Option<Stored>, Error> {
    let update = |more: &str| format!("UPDATE {table} AS r SET resource = $3 WHERE {THIS}{more} {RETURNING}");
    let args = [Arg::Text(ty.name()), Arg::Text(id), Arg::Jsonb(resource)];
    match version {
        Some(IfMatch::Version(version)) => {
            let [a, b, c] = args;
            spi.run(&update(" AND r.version OPERATOR(pg_catalog.=) $4"), &[a, b, c, Arg::Int(version)])?
        }
        _ => spi.run(&update(""), &args)?,
    };
    Ok(stored(spi, 0))
}

fn remove(spi: &Spi, table: &str, ty: TypeId, id: &str, version: Option<IfMatch>) -> Result<bool, Error> {
    let delete = |more: &str| format!("DELETE FROM {table} AS r WHERE {THIS}{more}");
    let args = [Arg::Text(ty.name()), Arg::Text(id)];
    let deleted = match version {
        Some(IfMatch::Version(version)) => {
            let [a, b] = args;
            spi.run(&delete(" AND r.version OPERATOR(pg_catalog.=) $3"), &[a, b, Arg::Int(version)])?
        }
        _ => spi.run(&delete(""), &args)?,
    };
    Ok(deleted > 0)
}

/// Why `if_match` did not allow a write: as far as the caller may see the resource.
pub(super) fn mismatch(spi: &Spi, table: &str, ty: TypeId, id: &str, if_match: IfMatch) -> Result<Error, Error> {
    let current = spi.afresh(View::OfTransaction, |spi| {
        spi.int(&format!("SELECT r.version FROM {table} AS r WHERE {THIS}"), &[Arg::Text(ty.name()), Arg::Text(id)], true)
    })?;
    let (name, id) = (ty.name(), shown(id));
    Ok(match (current, if_match) {
        (Some(current), IfMatch::Version(expected)) => {
            Error::new(PRECONDITION_FAILED, format!("{name}/{id} has version {current}, not {expected}"))
                .hint("read it again and apply the change to what is there now")
        }
        (None, IfMatch::Version(expected)) => {
            Error::new(PRECONDITION_FAILED, format!("there is no {name}/{id}, so it has no version {expected}"))
        }
        (_, IfMatch::Any) => Error::new(PRECONDITION_FAILED, format!("there is no {name}/{id}")),
    })
}

pub(super) fn lost_race(ty: TypeId, id: &str) -> Error {
    Error::new(CONFLICT, format!("{}/{} was changed at the same time", ty.name(), shown(id))).hint("try again")
}

/// A trigger of a user may let a row fall silently.
pub(super) fn dropped() -> Error {
    Error::new("55000", "the resource was not stored").detail("a trigger on the table of its type dropped the row")
}

/// The resource as it comes, but for the id.
fn without_id<'a>(submitted: &Submitted, resource: &'a [u8]) -> Result<Cow<'a, [u8]>, Error> {
    if submitted.id.is_none() {
        return Ok(Cow::Borrowed(resource));
    }
    let members = submitted.node.as_object().into_iter().flat_map(|object| object.iter());
    let rest = members.filter(|(key, _)| *key != "id").map(|(key, value)| (Cow::Borrowed(key), Item::Node(value)));
    Ok(Cow::Owned(json::write(&Item::Object(rest.collect()))?))
}
