//! patch, plain and conditional: the row is locked from reading to writing. <https://hl7.org/fhir/R4/http.html#patch>

use super::patch_kind::{NAMES, PatchKind};
use super::precondition::IfMatch;
use super::reading::missing;
use super::writing::{THIS, dropped, lost_race, mismatch, replace};
use super::{NOT_FOUND, Outcome, Written, conditional, tables};
use crate::model::TypeId;
use crate::pg::error::{Error, INVALID_PARAMETER};
use crate::pg::snapshot::View;
use crate::pg::spi::{Arg, Spi};
use crate::pg::time::check_for_interrupts;
use crate::store::stamp;

/// A patch and how it is to be applied.
#[derive(Clone, Copy)]
pub struct Patch<'a> {
    /// The container of the patch.
    pub content: &'a [u8],
    /// What it looks like, where the client does not say.
    pub kind: Option<PatchKind>,
}

impl Patch<'_> {
    fn apply(self, resource: &[u8]) -> Result<Vec<u8>, Error> {
        let kind = self.kind.or_else(|| PatchKind::of(self.content));
        let kind = kind.ok_or_else(|| Error::new(INVALID_PARAMETER, "a patch is an array or an object").hint(format!("it is a {NAMES}")))?;
        Ok(kind.apply(resource, self.content, &mut check_for_interrupts)?)
    }
}

/// Stores what a patch makes of a resource; FH404 or FH410 if there is none. With `if_match`, only of that version: FH412
/// where the current one is another, or there is none.
pub fn patch(spi: &Spi, lake: &str, ty: &str, id: &str, patch: Patch, if_match: Option<IfMatch>) -> Result<Written, Error> {
    let ty = stamp::resource_type(ty)?;
    let table = tables::of_type(lake, ty)?;
    match (locked(spi, &table, ty, id)?, if_match) {
        (Some((version, resource)), if_match) => {
            if let Some(if_match) = if_match.filter(|if_match| !if_match.allows(version)) {
                return Err(mismatch(spi, &table, ty, id, if_match)?);
            }
            store(spi, &table, ty, id, &patch.apply(&resource)?)
        }
        (None, Some(if_match)) => Err(mismatch(spi, &table, ty, id, if_match)?),
        // The lock may have waited for a deletion that the caller's statement does not see.
        (None, None) => Err(spi.afresh(View::OfTransaction, |spi| missing(spi, lake, ty, id))?),
    }
}

/// Stores what a patch makes of the one resource that meets the criteria; FH404 for none, FH412 for several.
pub fn patch_where(spi: &Spi, lake: &str, ty: &str, criteria: &str, patch: Patch, if_match: Option<IfMatch>) -> Result<Written, Error> {
    let ty = stamp::resource_type(ty)?;
    let table = tables::of_type(lake, ty)?;
    let Some(found) = conditional::one(spi, lake, ty, criteria)? else {
        return Err(Error::new(NOT_FOUND, format!("no {} meets the condition", ty.name())));
    };
    if let Some(if_match) = if_match.filter(|if_match| !if_match.allows(found.version)) {
        return Err(mismatch(spi, &table, ty, &found.id, if_match)?);
    }
    match locked(spi, &table, ty, &found.id)? {
        // The version that met the condition, and no later one.
        Some((version, resource)) if version == found.version => store(spi, &table, ty, &found.id, &patch.apply(&resource)?),
        _ => Err(lost_race(ty, &found.id)),
    }
}

/// Version and resource as they are when nobody else can change them any more, until the transaction ends.
fn locked(spi: &Spi, table: &str, ty: TypeId, id: &str) -> Result<Option<(i64, Vec<u8>)>, Error> {
    let lock = format!("SELECT r.version, r.resource FROM {table} AS r WHERE {THIS} FOR UPDATE");
    spi.run(&lock, &[Arg::Text(ty.name()), Arg::Text(id)])?;
    Ok(spi.number(0, 1).zip(spi.container(0, 2).map(<[u8]>::to_vec)))
}

fn store(spi: &Spi, table: &str, ty: TypeId, id: &str, resource: &[u8]) -> Result<Written, Error> {
    let stored = replace(spi, table, ty, id, resource, None)?.ok_or_else(dropped)?;
    Ok(Written { stored, outcome: Outcome::Updated })
}
