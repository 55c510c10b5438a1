//! Profiles and proposed views in SQL. Everything reads with the rights of the caller.

use super::{Asked, Profile, ProposeError, propose};
use crate::json;
use crate::model::TypeId;
use crate::path::reference::resource_type;
use crate::pg::access;
use crate::pg::arrays::text_array;
use crate::pg::error::{self, Error};
use crate::pg::function::{Call, Value};
use crate::pg::memory::Scratch;
use crate::pg::spi::{self, Spi};
use crate::pg::time::check_for_interrupts;
use crate::search::quote::identifier;
use crate::sql_function;
use pgrx::pg_sys::Datum;

// (type, sample, lake)
sql_function!(fhir_profile_data, |call| {
    let ty = asked_type(call)?;
    let profile = profile(call, ty, 1, 2)?;
    let mut rows = call.rows()?;
    for row in profile.rows() {
        let values = row.values.as_ref();
        let examples: Vec<&str> = values.map(|values| values.examples.iter().map(String::as_str).collect()).unwrap_or_default();
        rows.add([
            row.path.into(),
            row.expression.into(),
            row.ty.into(),
            number(row.resources),
            real(row.resources as f64 / profile.resources().max(1) as f64),
            number(row.occurrences),
            number(row.most),
            values.map_or(Value::Null, |values| number(values.distinct)),
            values.map(|values| values.is_exact).into(),
            values.and_then(|values| values.smallest.clone()).into(),
            values.and_then(|values| values.largest.clone()).into(),
            if examples.is_empty() { Value::Null } else { Value::Datum(text_array(&examples)) },
        ]);
    }
    if profile.left_out() > 0 {
        error::notice(&format!("{} elements are not in the result, as there are too many different ones, or they are too deep", profile.left_out()));
    }
    Ok(Value::Null)
});
// (type, threshold, for_each, sample, lake)
sql_function!(fhir_propose_view, |call| {
    let ty = asked_type(call)?;
    let threshold = f64::from(call.datum(1).map_or(0.0, |share| f32::from_bits(share.value() as u32)));
    if !(0.0..=1.0).contains(&threshold) {
        return Err(Error::new(error::INVALID_PARAMETER, "the threshold is a share of the resources, from 0 to 1"));
    }
    let asked = Asked { threshold, for_each: call.optional_text(2)? };
    let profile = profile(call, ty, 3, 4)?;
    let view = propose(&profile, &asked).map_err(|error| refused(error, ty, asked.for_each.unwrap_or_default()))?;
    Ok(Value::Jsonb(json::write(&view)?))
});

fn refused(error: ProposeError, ty: TypeId, path: &str) -> Error {
    let message = match error {
        ProposeError::NoSuchPath => format!("no {} that was read has an element \"{path}\"", ty.name()),
        ProposeError::NothingInside => format!("element \"{path}\" of {} has no elements of its own to make columns of", ty.name()),
    };
    Error::new("42703", message).hint(format!("fhir.profile_data('{}') tells the paths", ty.name()))
}

fn asked_type(call: &Call) -> Result<TypeId, Error> {
    let name = call.text(0)?;
    resource_type(name).ok_or_else(|| {
        Error::new(error::INVALID_PARAMETER, format!("there is no resource type \"{name}\"")).hint("SELECT fhir.resource_types() lists the types of FHIR R4")
    })
}

/// Of the resources of a type, or of a sample of them; the arguments of these numbers are its size and the lake.
fn profile(call: &Call, ty: TypeId, sample: usize, lake: usize) -> Result<Profile, Error> {
    /// Rows in one step: resources may be large.
    const STEP: usize = 200;
    let lake = call.text(lake)?;
    let table = ty.name().to_lowercase();
    let Some(relation) = access::table_named(lake, &table) else {
        return Err(Error::new(error::UNDEFINED_TABLE, format!("there is no lake \"{lake}\""))
            .hint("SELECT fhir.create_lake() makes one, fhir.lakes() lists them, SET fhir.lake chooses one"));
    };
    let sample = match call.datum(sample).map(|size| size.value() as i64) {
        Some(size) if size < 1 => return Err(Error::new(error::INVALID_PARAMETER, "sample is less than 1").hint("leave it out for all resources")),
        size => size,
    };
    let mut profile = Profile::new(ty);
    let scratch = Scratch::new(c"fhir profile");
    spi::connected(|spi| {
        let mut statement = format!("SELECT r.resource FROM {}.{} r", identifier(lake), identifier(&table));
        if let Some(size) = sample {
            statement.push_str(&sampled(spi, u32::from(relation), size)?);
        }
        let cursor = spi.open(&statement, &[])?;
        loop {
            check_for_interrupts();
            let rows = cursor.fetch(spi, STEP)?;
            for row in 0..rows {
                let _row = scratch.enter();
                if let Some(resource) = spi.container(row, 1).and_then(json::root) {
                    profile.add(resource);
                }
                check_for_interrupts();
            }
            if rows < STEP {
                break;
            }
        }
        cursor.close()
    })?;
    Ok(profile)
}

/// How a statement reads about so many rows of a table, from pages all over it; the first ones where the server does not know how many
/// there are, or there are hardly more.
fn sampled(spi: &Spi, table: u32, size: i64) -> Result<String, Error> {
    spi.query(&format!("SELECT c.reltuples::pg_catalog.int8 FROM pg_catalog.pg_class c WHERE c.oid OPERATOR(pg_catalog.=) {table}::pg_catalog.oid"))?;
    let rows = spi.number(0, 1).unwrap_or(-1);
    // a little more, as pages are not all alike
    let percent = 110.0 * size as f64 / rows as f64;
    if rows > 0 && percent < 100.0 {
        return Ok(format!(" TABLESAMPLE system ({percent:.6}) REPEATABLE (1) LIMIT {size}"));
    }
    Ok(format!(" LIMIT {size}"))
}

fn number(count: u64) -> Value {
    Value::Int(i64::try_from(count).unwrap_or(i64::MAX))
}

fn real(share: f64) -> Value {
    Value::Datum(Datum::from((share as f32).to_bits() as usize))
}
