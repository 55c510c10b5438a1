//! The interactions as functions of schema `fhir`, on the current lake.

use super::history::{self, Cursor, Request};
use super::patch_kind::{NAMES, PatchKind};
use super::patching::{self, Patch};
use super::precondition::IfMatch;
use super::{reading, writing};
use crate::index::time::Interval;
use crate::pg::error::{Error, INVALID_PARAMETER};
use crate::pg::function::{Call, Value};
use crate::pg::memory::Scratch;
use crate::pg::settings;
use crate::pg::spi::connected;
use crate::pg::time::check_for_interrupts;
use crate::sql_function;

sql_function!(fhir_read, |call| {
    let (ty, id) = (call.text(0)?, call.text(1)?);
    Ok(Value::Jsonb(connected(|spi| reading::read(spi, &settings::lake(), ty, id))?.resource))
});
sql_function!(fhir_vread, |call| {
    let (ty, id, version) = (call.text(0)?, call.text(1)?, call.int(2)?);
    Ok(Value::Jsonb(connected(|spi| reading::vread(spi, &settings::lake(), ty, id, version))?.resource))
});
sql_function!(fhir_create, |call| {
    if is_null(call, 1) {
        return Ok(Value::Null);
    }
    let (resource, condition) = (call.jsonb(0)?, call.optional_text(1)?);
    Ok(Value::Jsonb(connected(|spi| writing::create(spi, &settings::lake(), resource, condition))?.stored.resource))
});
sql_function!(fhir_update, |call| {
    if is_null(call, 1) {
        return Ok(Value::Null);
    }
    let (resource, if_match, condition) = (call.jsonb(0)?, if_match(call, 1)?, call.optional_text(2)?);
    let written = connected(|spi| match condition {
        Some(condition) => writing::update_where(spi, &settings::lake(), resource, condition, if_match),
        None => writing::update(spi, &settings::lake(), resource, if_match),
    })?;
    Ok(Value::Jsonb(written.stored.resource))
});
sql_function!(fhir_delete, |call| {
    if is_null(call, 2) {
        return Ok(Value::Null);
    }
    let (ty, id, if_match) = (call.text(0)?, call.text(1)?, if_match(call, 2)?);
    Ok(connected(|spi| writing::delete(spi, &settings::lake(), ty, id, if_match))?.into())
});
sql_function!(fhir_delete_where, |call| {
    let (search, multiple) = (call.text(0)?, call.bool(1)?);
    let (ty, criteria) = typed(search)?;
    Ok(connected(|spi| writing::delete_where(spi, &settings::lake(), ty, criteria, multiple))?.into())
});

// (type, id, patch, if_match, kind)
sql_function!(fhir_patch, |call| {
    if is_null(call, 3) {
        return Ok(Value::Null);
    }
    let (ty, id, patch, if_match) = (call.text(0)?, call.text(1)?, patch(call, 2, 4)?, if_match(call, 3)?);
    let written = connected(|spi| patching::patch(spi, &settings::lake(), ty, id, patch, if_match))?;
    Ok(Value::Jsonb(written.stored.resource))
});
// (search, patch, if_match, kind)
sql_function!(fhir_patch_where, |call| {
    if is_null(call, 2) {
        return Ok(Value::Null);
    }
    let ((ty, criteria), patch, if_match) = (typed(call.text(0)?)?, patch(call, 1, 3)?, if_match(call, 2)?);
    let written = connected(|spi| patching::patch_where(spi, &settings::lake(), ty, criteria, patch, if_match))?;
    Ok(Value::Jsonb(written.stored.resource))
});

sql_function!(fhir_history, history);
sql_function!(fhir_history_bundle, |call| {
    let path = call.text(0)?;
    Ok(Value::Jsonb(connected(|spi| history::bundle(spi, &settings::lake(), path))?))
});

/// Versions that are read at once where no count is given.
const PAGE: u64 = 1000;

/// (type, id, since, at, until, count, after), each of which may be NULL.
fn history(call: &Call) -> Result<Value, Error> {
    let lake = settings::lake();
    let moment = |at: usize| call.datum(at).map(|datum| datum.value() as i64);
    let mut request = Request::of(history::run::scope(call.optional_text(0)?, call.optional_text(1)?)?);
    request.since = moment(2);
    request.at = match (moment(3), moment(4)) {
        (None, None) => None,
        (Some(at), None) => Some(Interval { low: at, high: at.saturating_add(1) }),
        (at, until) => Some(Interval { low: at.unwrap_or(i64::MIN), high: until.unwrap_or(i64::MAX) }),
    };
    request.cursor = call.optional_text(6)?.map(Cursor::read).transpose()?;
    let mut wanted = match call.datum(5).map(|datum| datum.value() as i64) {
        None => u64::MAX,
        Some(count) => u64::try_from(count).map_err(|_| Error::new(INVALID_PARAMETER, "count must not be negative"))?,
    };
    let mut rows = call.rows()?;
    let scratch = Scratch::new(c"fhirlake history");
    while wanted > 0 {
        check_for_interrupts();
        let _entered = scratch.enter();
        request.count = wanted.min(PAGE);
        let (entries, next) = connected(|spi| history::page(spi, &lake, &request))?;
        wanted -= entries.len() as u64;
        for entry in entries {
            let cursor = entry.cursor().write();
            rows.add([
                Value::Text(entry.ty),
                Value::Text(entry.id),
                Value::Int(entry.version),
                Value::Int(entry.last_updated),
                Value::Text(entry.method),
                entry.resource.map_or(Value::Null, Value::Jsonb),
                Value::Text(cursor),
            ]);
        }
        match next {
            Some(next) => request.cursor = Some(next),
            None => break,
        }
    }
    Ok(Value::Null)
}

/// Whether one of the first arguments, those without a default, is NULL: then so is the result, as of a strict function.
fn is_null(call: &Call, required: usize) -> bool {
    (0..required).any(|at| call.datum(at).is_none())
}

/// The type and the criteria of a condition that stands alone.
fn typed(search: &str) -> Result<(&str, &str), Error> {
    search.trim().split_once('?').ok_or_else(|| {
        Error::new(INVALID_PARAMETER, "a condition that stands alone names a type").hint("write Type?parameter=value")
    })
}

fn patch(call: &Call, content: usize, kind: usize) -> Result<Patch<'_>, Error> {
    let kind = match call.optional_text(kind)? {
        None => None,
        Some(name) => match PatchKind::named(name) {
            Some(kind) => Some(kind),
            None => return Err(Error::new(INVALID_PARAMETER, "unknown kind of patch").hint(format!("it is {NAMES}"))),
        },
    };
    Ok(Patch { content: call.jsonb(content)?, kind })
}

fn if_match(call: &Call, at: usize) -> Result<Option<IfMatch>, Error> {
    let Some(text) = call.optional_text(at)? else { return Ok(None) };
    match IfMatch::parse(text) {
        Some(if_match) => Ok(Some(if_match)),
        None => Err(Error::new(INVALID_PARAMETER, "if_match is no version").hint("it is a version number such as 3, an entity tag such as W/\"3\", or *")),
    }
}
