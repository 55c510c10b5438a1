//! Rows as the versions that they say they are: the newest of a resource is current, the others are history.

use super::line;
use super::write::{Batch, Effect};
use crate::pg::arrays::{jsonb_array, text_array};
use crate::pg::error::Error;
use crate::pg::snapshot::View;
use crate::pg::spi::{Arg, Spi};
use crate::store::accepted::{self, As};
use crate::store::stamp;
use pgrx::pg_sys;
use std::collections::{BTreeMap, HashMap};

/// What the lake has of an id.
#[derive(Default)]
struct Known {
    current: Option<(i64, Vec<u8>)>,
    /// Superseded versions and tombstones.
    history: Vec<i64>,
}

impl Known {
    fn last(&self) -> i64 {
        let current = self.current.as_ref().map(|(version, _)| *version);
        current.into_iter().chain(self.history.iter().copied()).max().unwrap_or(0)
    }
}

/// Where a row goes.
#[derive(Default)]
struct Plan {
    current: Vec<usize>,
    history: Vec<usize>,
    effect: Effect,
}

/// Writes some rows of a batch; several may be versions of one resource, in any order. A version that is there is compared, and
/// rejected where it differs. History is written with the caller's rights.
pub fn write(sql: &Spi, lake: &str, batch: &Batch, which: &[usize], dry_run: bool) -> Result<Effect, Error> {
    let mut by_id: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for at in which {
        by_id.entry(&batch.rows[*at].id).or_default().push(*at);
    }
    let known = known(sql, lake, batch, by_id.keys().copied().collect())?;
    let mut plan = Plan::default();
    for (id, rows) in &mut by_id {
        // Of rows with the same version the first counts.
        rows.sort_by_key(|at| batch.rows[*at].version.number);
        let none = Known::default();
        place(sql, lake, batch, rows, known.get(*id).unwrap_or(&none), &mut plan)?;
    }
    plan.effect.loaded = plan.current.iter().chain(&plan.history).copied().collect();
    if !dry_run {
        write_history(sql, lake, batch, &plan.history)?;
        write_current(sql, batch, &plan.current)?;
        let mut touched: Vec<&str> = plan.effect.loaded.iter().map(|at| batch.rows[*at].id.as_str()).collect();
        touched.sort_unstable();
        touched.dedup();
        set_ends(sql, lake, batch, &touched)?;
    }
    Ok(plan.effect)
}

/// Decides about the rows of one id, which are in the order of their versions.
fn place(sql: &Spi, lake: &str, batch: &Batch, rows: &[usize], known: &Known, plan: &mut Plan) -> Result<(), Error> {
    let last = known.last();
    let mut newest: Option<usize> = None;
    let mut before: Option<usize> = None;
    for &at in rows {
        let row = &batch.rows[at];
        let number = row.version.number;
        let twin = match before.filter(|before| batch.rows[*before].version.number == number) {
            Some(before) => Some(batch.rows[before].resource.clone()),
            None => match &known.current {
                Some((version, resource)) if *version == number => Some(resource.clone()),
                _ if known.history.contains(&number) => Some(superseded(sql, lake, batch, &row.id, number)?),
                _ => None,
            },
        };
        match twin {
            Some(twin) if stamp::is_same(&twin, &row.resource) => {}
            Some(_) => {
                let reason = format!("version {number} of {}/{} is there already and differs", row.ty.name(), row.id);
                plan.effect.rejected.push((at, line::unwritten(&row.resource, reason, "23505")));
            }
            None => {
                before = Some(at);
                if number > last {
                    plan.history.extend(newest.replace(at));
                } else {
                    plan.history.push(at);
                }
            }
        }
    }
    plan.current.extend(newest);
    Ok(())
}

fn known(sql: &Spi, lake: &str, batch: &Batch, ids: Vec<&str>) -> Result<HashMap<String, Known>, Error> {
    let (ty, ids) = (Arg::Text(batch.ty.name()), Arg::Datum(pg_sys::TEXTARRAYOID, text_array(&ids)));
    let condition = "r.type OPERATOR(pg_catalog.=) $1 AND r.id OPERATOR(pg_catalog.=) ANY ($2)";
    sql.afresh(View::OfTransaction, |sql| {
        let mut known: HashMap<String, Known> = HashMap::new();
        let count = sql.select(&format!("SELECT r.id, r.version, r.resource FROM {} AS r WHERE {condition}", batch.table), &[ty, ids])?;
        for row in 0..count {
            if let (Some(id), Some(version), Some(resource)) = (sql.text(row, 1), sql.number(row, 2), sql.container(row, 3)) {
                known.entry(id.to_owned()).or_default().current = Some((version, resource.to_vec()));
            }
        }
        let count = sql.select(&format!("SELECT r.id, r.version FROM {lake}.history AS r WHERE {condition}"), &[ty, ids])?;
        for row in 0..count {
            if let (Some(id), Some(version)) = (sql.text(row, 1), sql.number(row, 2)) {
                known.entry(id.to_owned()).or_default().history.push(version);
            }
        }
        Ok(known)
    })
}

/// A version that history has; nothing for a tombstone.
fn superseded(sql: &Spi, lake: &str, batch: &Batch, id: &str, version: i64) -> Result<Vec<u8>, Error> {
    let select = format!(
        "SELECT h.resource FROM {lake}.history AS h WHERE h.type OPERATOR(pg_catalog.=) $1 AND h.id OPERATOR(pg_catalog.=) $2 \
         AND h.version OPERATOR(pg_catalog.=) $3"
    );
    sql.afresh(View::OfTransaction, |sql| {
        Ok(sql.jsonb(&select, &[Arg::Text(batch.ty.name()), Arg::Text(id), Arg::Int(version)])?.unwrap_or_default())
    })
}

fn write_current(sql: &Spi, batch: &Batch, which: &[usize]) -> Result<(), Error> {
    if which.is_empty() {
        return Ok(());
    }
    let insert = format!(
        "INSERT INTO {} AS r (resource) SELECT u.resource FROM pg_catalog.unnest($1) AS u (resource) \
         ON CONFLICT (type, id) DO UPDATE SET resource = EXCLUDED.resource",
        batch.table
    );
    let _accepted = accepted::Batch::begin(&batch.rows, As::Version);
    let resources = jsonb_array(which.iter().map(|at| batch.rows[*at].resource.as_slice()));
    sql.run(&insert, &[Arg::Datum(pg_sys::JSONBARRAYOID, resources)]).map(drop)
}

fn write_history(sql: &Spi, lake: &str, batch: &Batch, which: &[usize]) -> Result<(), Error> {
    if which.is_empty() {
        return Ok(());
    }
    // When the next version began is set when all are there.
    let insert = format!(
        "INSERT INTO {lake}.history (compartment, type, id, version, last_updated, superseded, xid, method, resource) \
         SELECT u.compartment, $4, u.resource OPERATOR(pg_catalog.->>) 'id', v.version, v.last_updated, v.last_updated, \
         pg_catalog.pg_current_xact_id(), u.method, u.resource \
         FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2), pg_catalog.unnest($3)) AS u (resource, compartment, method) \
         CROSS JOIN LATERAL (SELECT \
         (u.resource OPERATOR(pg_catalog.->) 'meta' OPERATOR(pg_catalog.->>) 'versionId')::pg_catalog.int8 AS version, \
         (u.resource OPERATOR(pg_catalog.->) 'meta' OPERATOR(pg_catalog.->>) 'lastUpdated')::pg_catalog.timestamptz AS last_updated) AS v"
    );
    let resources = jsonb_array(which.iter().map(|at| batch.rows[*at].resource.as_slice()));
    let homes: Vec<&str> = which.iter().map(|at| batch.rows[*at].home.as_str()).collect();
    let methods: Vec<&str> = which.iter().map(|at| batch.rows[*at].version.method(&batch.rows[*at].id)).collect();
    let args = [
        Arg::Datum(pg_sys::JSONBARRAYOID, resources),
        Arg::Datum(pg_sys::TEXTARRAYOID, text_array(&homes)),
        Arg::Datum(pg_sys::TEXTARRAYOID, text_array(&methods)),
        Arg::Text(batch.ty.name()),
    ];
    sql.run(&insert, &args).map(drop)
}

/// A version was superseded when the next one began.
fn set_ends(sql: &Spi, lake: &str, batch: &Batch, ids: &[&str]) -> Result<(), Error> {
    if ids.is_empty() {
        return Ok(());
    }
    let condition = "r.type OPERATOR(pg_catalog.=) $1 AND r.id OPERATOR(pg_catalog.=) ANY ($2)";
    let update = format!(
        "UPDATE {lake}.history AS h SET superseded = n.next FROM ( \
         SELECT v.id, v.version, pg_catalog.lead(v.last_updated) OVER (PARTITION BY v.id ORDER BY v.version) AS next FROM ( \
         SELECT r.id, r.version, r.last_updated FROM {lake}.history AS r WHERE {condition} \
         UNION ALL SELECT r.id, r.version, r.last_updated FROM {} AS r WHERE {condition}) AS v) AS n \
         WHERE h.type OPERATOR(pg_catalog.=) $1 AND h.id OPERATOR(pg_catalog.=) n.id AND h.version OPERATOR(pg_catalog.=) n.version \
         AND h.resource IS NOT NULL AND n.next IS NOT NULL AND h.superseded OPERATOR(pg_catalog.<>) n.next",
        batch.table
    );
    sql.run(&update, &[Arg::Text(batch.ty.name()), Arg::Datum(pg_sys::TEXTARRAYOID, text_array(ids))]).map(drop)
}
