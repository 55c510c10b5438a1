//! Counting what a search finds in one table, from its GIN index alone where that is exact.
//!
//! GIN has no index-only scans: the executor reads the heap page of every hit, which is most of the time of a count. Here the
//! index is scanned by `count.c`, and only pages that the visibility map does not vouch for are read, and pages with a hit that
//! the keys do not decide.

use super::access;
use super::arrays;
use super::error::Error;
use super::function::{Call, Value};
use super::guard::attempt;
use super::jsonb;
use super::searched::Searched;
use super::selectivity::fraction_in;
use crate::index::Query;
use crate::index::scan::{Scan, ScanKey};
use crate::sql_function;
use pgrx::pg_sys;

unsafe extern "C-unwind" {
    fn fhirlake_count(
        table: pg_sys::Oid,
        query_type: pg_sys::Oid,
        query: pg_sys::Datum,
        nclauses: i32,
        clauses: *mut pg_sys::Datum,
        nkeys: i32,
        keys: *mut pg_sys::Datum,
        exact: *mut bool,
    ) -> i64;
}

sql_function!(fhir_index_count, index_count);
sql_function!(fhir_index_estimate, index_estimate);

/// `fhir.index_count(table regclass, query fhir.query, clauses fhir.query[]) → bigint`: what `SELECT count(*) FROM table WHERE column |= query` gives to
/// this user under the active snapshot, or NULL where the executor must count. Never a wrong number, and no refusal is an error.
///
/// It answers if
/// - the query has conditions that GIN can scan for, and each is decided by keys (`worth_scanning`): no `:not`, no `:missing=true`,
///   no composite, no quantity with a unit;
/// - the table is a plain one, such as a partition of a lake, without children, with the heap access method, and has one valid,
///   unconditional GIN index of `fhir.keys_ops` on one plain column;
/// - the current user has SELECT on that table, and row-level security does not apply to them there: rights on a parent or
///   through a view do not count, and policies of a parent are not looked at, as if the partition were named in the query;
/// - the transaction is not SERIALIZABLE, the process no parallel worker, and `gin_fuzzy_search_limit` not set;
/// - `work_mem` × `hash_mem_multiplier` holds the bitmap: some 70 bytes for each page of the table that has a hit.
fn index_count(call: &Call) -> Result<Value, Error> {
    let text = call.text(1)?;
    let Ok(query) = Query::parse(text) else { return Ok(Value::Null) };
    let scan = Scan::of(&query);
    if !worth_scanning(&scan) {
        return Ok(Value::Null);
    }
    let table = pg_sys::Oid::from(call.int(0)? as u32);
    let Some(query_type) = access::own_type(c"query") else { return Ok(Value::Null) };
    let query = jsonb::varlena(text.as_bytes());
    let (mut keys, mut exact): (Vec<pg_sys::Datum>, Vec<bool>) = match scan.groups.as_slice() {
        [group] if group.keys.iter().all(|key| !key.partial) => group.keys.iter().map(|key| (jsonb::varlena(&key.bytes), key.exact)).unzip(),
        _ => Default::default(),
    };
    // SAFETY: an array of fhir.query, which is stored as text is, and lasts for the call
    let given = call.datum(2).map(|array| unsafe { arrays::texts(array) }).unwrap_or_default();
    // each must have keys to scan for, or GIN reads everything; what rows are rechecked with is the whole query
    let scans = |text: &&str| Query::parse(text).is_ok_and(|query| !Scan::of(&query).groups.is_empty());
    let mut clauses: Vec<pg_sys::Datum> = match given.iter().all(scans) {
        true if !given.is_empty() => given.iter().map(|text| jsonb::varlena(text.as_bytes())).collect(),
        _ => vec![query],
    };
    let (nclauses, clauses) = (clauses.len() as i32, clauses.as_mut_ptr());
    let (count, keys, exact) = (keys.len() as i32, keys.as_mut_ptr(), exact.as_mut_ptr());
    // SAFETY: the datums are fhir.query in the call's memory context; the arrays are as long as said
    let rows = unsafe { attempt(|| fhirlake_count(table, query_type, query, nclauses, clauses, count, keys, exact))? };
    Ok(if rows < 0 { Value::Null } else { Value::Int(rows) })
}

/// `fhir.index_estimate(table regclass, query fhir.query) → bigint`: the planner's estimate of the same count, from a few look-ups
/// in the index; for any query. NULL where the conditions above on table and user do not hold: an estimate from the index would
/// tell of rows that this user may not see.
fn index_estimate(call: &Call) -> Result<Value, Error> {
    let Ok(query) = Query::parse(call.text(1)?) else { return Ok(Value::Null) };
    let table = pg_sys::Oid::from(call.int(0)? as u32);
    let Some(searched) = Searched::open(table)? else { return Ok(Value::Null) };
    let rows = searched.rows;
    // SAFETY: the index is open
    let fraction = unsafe { fraction_in(searched.index, 1, &Scan::of(&query), rows)? };
    searched.close()?;
    Ok(Value::Int((fraction.clamp(0.0, 1.0) * rows).round() as i64))
}

/// Whether the index alone can decide all or nearly all of the rows: every condition has keys, and in each of them some that need
/// no second look.
fn worth_scanning(scan: &Scan) -> bool {
    let decides = |keys: &[ScanKey]| keys.is_empty() || keys.iter().any(|key| key.exact);
    !scan.recheck && scan.groups.iter().any(|group| !group.is_type) && scan.groups.iter().all(|group| decides(&group.keys))
}
