//! Rows as resources are usually loaded: what the lake has not had is new, what differs from what it has is the next version.

use super::line::{self, Rejected};
use super::options::Conflict;
use super::write::{Batch, Effect};
use crate::pg::arrays::{jsonb_array, text_array};
use crate::pg::error::Error;
use crate::pg::snapshot::View;
use crate::pg::spi::{Arg, Spi};
use crate::store::accepted::{self, As};
use pgrx::pg_sys;
use std::collections::{HashMap, HashSet};

/// Writes some rows of a batch, none of which have the same id, through the triggers of the lake.
pub fn write(sql: &Spi, batch: &Batch, which: &[usize], conflict: Conflict) -> Result<Effect, Error> {
    let (which, rejected) = match conflict {
        Conflict::Error => unless_there(sql, batch, which)?,
        _ => (which.to_vec(), Vec::new()),
    };
    let action = match conflict {
        Conflict::Upsert => {
            "ON CONFLICT (type, id) DO UPDATE SET resource = EXCLUDED.resource WHERE NOT fhir.same_resource(r.resource, EXCLUDED.resource)"
        }
        Conflict::Version => "ON CONFLICT (type, id) DO UPDATE SET resource = EXCLUDED.resource",
        Conflict::Skip => "ON CONFLICT (type, id) DO NOTHING",
        Conflict::Error => "",
    };
    let insert = format!(
        "INSERT INTO {} AS r (resource) SELECT u.resource FROM pg_catalog.unnest($1) AS u (resource) {action} RETURNING r.id",
        batch.table
    );
    let _accepted = accepted::Batch::begin(&batch.rows, if conflict == Conflict::Version { As::NextVersion } else { As::Resource });
    let array = jsonb_array(which.iter().map(|at| batch.rows[*at].resource.as_slice()));
    let count = sql.run(&insert, &[Arg::Datum(pg_sys::JSONBARRAYOID, array)])? as usize;
    if count == which.len() {
        return Ok(Effect { loaded: which, rejected });
    }
    let by_id: HashMap<&str, usize> = which.iter().map(|at| (batch.rows[*at].id.as_str(), *at)).collect();
    let loaded = (0..count).filter_map(|row| sql.text(row, 1)).filter_map(|id| by_id.get(id).copied()).collect();
    Ok(Effect { loaded, rejected })
}

/// What [`write`] would do, without doing it.
pub fn compare(sql: &Spi, batch: &Batch, which: &[usize], conflict: Conflict) -> Result<Effect, Error> {
    let (which, rejected) = match conflict {
        Conflict::Error => unless_there(sql, batch, which)?,
        _ => (which.to_vec(), Vec::new()),
    };
    let is_loaded = match conflict {
        Conflict::Upsert => "r.id IS NULL OR NOT fhir.same_resource(r.resource, u.resource)",
        Conflict::Skip => "r.id IS NULL",
        Conflict::Version | Conflict::Error => "true",
    };
    let select = format!(
        "SELECT u.n FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2)) WITH ORDINALITY AS u (resource, id, n) \
         LEFT JOIN {} AS r ON r.type OPERATOR(pg_catalog.=) $3 AND r.id OPERATOR(pg_catalog.=) u.id WHERE {is_loaded}",
        batch.table
    );
    let resources = jsonb_array(which.iter().map(|at| batch.rows[*at].resource.as_slice()));
    let args = [Arg::Datum(pg_sys::JSONBARRAYOID, resources), ids(batch, &which), Arg::Text(batch.ty.name())];
    let count = sql.select(&select, &args)?;
    let loaded = (0..count).filter_map(|row| sql.number(row, 1)).filter_map(|n| which.get((n - 1) as usize).copied()).collect();
    Ok(Effect { loaded, rejected })
}

/// The rows whose id is not there, and the others as rejected.
fn unless_there(sql: &Spi, batch: &Batch, which: &[usize]) -> Result<(Vec<usize>, Vec<(usize, Rejected)>), Error> {
    let select = format!(
        "SELECT r.id FROM {} AS r WHERE r.type OPERATOR(pg_catalog.=) $1 AND r.id OPERATOR(pg_catalog.=) ANY ($2)",
        batch.table
    );
    let there: HashSet<String> = sql.afresh(View::OfTransaction, |sql| {
        let count = sql.select(&select, &[Arg::Text(batch.ty.name()), ids(batch, which)])?;
        Ok((0..count).filter_map(|row| sql.text(row, 1).map(str::to_owned)).collect())
    })?;
    let (old, new): (Vec<usize>, Vec<usize>) = which.iter().partition(|at| there.contains(&batch.rows[**at].id));
    let rejected = old.into_iter().map(|at| {
        let row = &batch.rows[at];
        (at, line::unwritten(&row.resource, format!("{}/{} is there already", row.ty.name(), row.id), "23505"))
    });
    Ok((new, rejected.collect()))
}

fn ids<'a>(batch: &Batch, which: &[usize]) -> Arg<'a> {
    let ids: Vec<&str> = which.iter().map(|at| batch.rows[*at].id.as_str()).collect();
    Arg::Datum(pg_sys::TEXTARRAYOID, text_array(&ids))
}
