//! The GIN operator class of `fhir.keys`: what an index of it stores, and how a query is answered from it.
//! <https://www.postgresql.org/docs/15/gin-extensibility.html>

use crate::index::keys::among;
use crate::index::scan::Scan;
use crate::index::{Keys, Query};
use crate::pg::function::{Call, Value};
use crate::pg::error::Error;
use crate::pg::jsonb;
use crate::sql_function;
use pgrx::pg_sys;
use std::cmp::Ordering;
use std::ffi::c_void;

const FALSE: pg_sys::GinTernaryValue = pg_sys::GIN_FALSE as pg_sys::GinTernaryValue;
const TRUE: pg_sys::GinTernaryValue = pg_sys::GIN_TRUE as pg_sys::GinTernaryValue;
const MAYBE: pg_sys::GinTernaryValue = pg_sys::GIN_MAYBE as pg_sys::GinTernaryValue;

/// What `triconsistent` must know of a scan, beside the keys found. GIN hands it back through the first key's extra data.
#[repr(C)]
struct ScanShape {
    groups: u32,
    recheck: bool,
    /// For each group, the number of the key behind its last; then for each key a byte, 1 if having it decides the group.
    ends: [u32; 0],
}

/// `extractValue(fhir.keys, internal, internal) → internal`
fn extract_value(call: &Call) -> Result<Value, Error> {
    // SAFETY: GIN calls with a non-null datum of the indexed type and a pointer to the count; what is returned is palloc'd
    // in the context that GIN resets.
    unsafe {
        let body = jsonb::bytes(raw(call, 0));
        let count: *mut i32 = raw(call, 1).cast_mut_ptr();
        let mut datums: Vec<pg_sys::Datum> = Vec::new();
        if let Some(keys) = Keys::read(body) {
            keys.for_each_key(&mut |key| datums.push(jsonb::varlena(key)));
        }
        *count = datums.len() as i32;
        Ok(Value::Datum(pg_sys::Datum::from(palloc_slice(&datums))))
    }
}

/// `extractQuery(fhir.keys, internal, smallint, internal, internal, internal, internal) → internal`; the datum is a `fhir.query`.
fn extract_query(call: &Call) -> Result<Value, Error> {
    // SAFETY: the arguments are those of the GIN extractQuery protocol; all that outlives the call is palloc'd.
    unsafe {
        let text = std::str::from_utf8(jsonb::bytes(raw(call, 0))).unwrap_or_default();
        let count: *mut i32 = raw(call, 1).cast_mut_ptr();
        let partial_out: *mut *mut bool = raw(call, 3).cast_mut_ptr();
        let extra_out: *mut *mut *mut c_void = raw(call, 4).cast_mut_ptr();
        let mode: *mut i32 = raw(call, 6).cast_mut_ptr();
        *count = 0;
        let scan = match Query::parse(text) {
            Ok(query) => Scan::of(&query),
            // the input function has read it before, so this is a text of another version: nothing matches
            Err(_) => return Ok(nothing()),
        };
        if scan.groups.is_empty() {
            *mode = pg_sys::GIN_SEARCH_MODE_ALL as i32;
            return Ok(nothing());
        }
        if scan.groups.iter().any(|g| g.keys.is_empty()) {
            return Ok(nothing()); // a condition that nothing can meet
        }
        let total: usize = scan.groups.iter().map(|g| g.keys.len()).sum();
        let groups = scan.groups.len();
        let shape = pg_sys::palloc(size_of::<ScanShape>() + groups * size_of::<u32>() + total) as *mut ScanShape;
        (*shape).groups = groups as u32;
        (*shape).recheck = scan.recheck;
        let ends = (&raw mut (*shape).ends).cast::<u32>();
        let exact = ends.add(groups).cast::<u8>();
        let mut datums = Vec::with_capacity(total);
        let mut partial = Vec::with_capacity(total);
        for (number, group) in scan.groups.iter().enumerate() {
            for key in &group.keys {
                exact.add(datums.len()).write(u8::from(key.exact));
                datums.push(jsonb::varlena(&key.bytes));
                partial.push(key.partial);
            }
            ends.add(number).write(datums.len() as u32);
        }
        *count = total as i32;
        *partial_out = palloc_slice(&partial);
        *extra_out = palloc_slice(&vec![shape as *mut c_void; total]);
        Ok(Value::Datum(pg_sys::Datum::from(palloc_slice(&datums))))
    }
}

/// `triConsistent(internal, smallint, fhir.keys, integer, internal, internal, internal) → "char"`
fn triconsistent(call: &Call) -> Result<Value, Error> {
    // SAFETY: `check` has `count` values, and the extra data are those that extractQuery made for the same scan.
    unsafe {
        let check: *const pg_sys::GinTernaryValue = raw(call, 0).cast_mut_ptr();
        let count = raw(call, 3).value() as i32 as usize;
        let extra: *const *const c_void = raw(call, 4).cast_mut_ptr();
        let answer = if count == 0 || extra.is_null() {
            MAYBE // no keys: the whole index is read, and every row tested
        } else {
            let shape = (*extra).cast::<ScanShape>();
            let groups = (*shape).groups as usize;
            let ends = (&raw const (*shape).ends).cast::<u32>();
            let exact = std::slice::from_raw_parts(ends.add(groups).cast::<u8>(), count);
            decide(std::slice::from_raw_parts(check.cast::<u8>(), count), std::slice::from_raw_parts(ends, groups), exact, (*shape).recheck)
        };
        Ok(Value::Datum(pg_sys::Datum::from(answer as u8)))
    }
}

/// Keys of a group stand together: a group holds as much as its best key does, the whole as its worst group.
///
/// GIN asks as often as there are keys when it begins, so what is false is passed over by whole vectors.
fn decide(check: &[u8], ends: &[u32], exact: &[u8], recheck: bool) -> pg_sys::GinTernaryValue {
    let mut answer = if recheck { MAYBE } else { TRUE };
    let mut start = 0;
    for end in ends {
        let end = (*end as usize).min(check.len());
        let Some((checked, exact)) = check.get(start..end).zip(exact.get(start..end)) else { return MAYBE };
        start = end;
        let mut held = memchr::memchr_iter(TRUE as u8, checked);
        // of those that the row has, few are in one row
        let has = held.next();
        if has.is_some_and(|first| exact[first] != 0 || held.any(|at| exact[at] != 0)) {
            continue;
        }
        if has.is_none() && memchr::memchr(MAYBE as u8, checked).is_none() {
            return FALSE;
        }
        answer = MAYBE;
    }
    answer
}

/// `comparePartial(bytea, bytea, smallint, internal) → integer`: 0 for a key that is asked for, negative before others, positive
/// behind all.
fn compare_partial(call: &Call) -> Result<Value, Error> {
    // SAFETY: both are non-null key datums.
    let (asked, key) = unsafe { (jsonb::bytes(raw(call, 0)), jsonb::bytes(raw(call, 1))) };
    let order: i32 = match among(asked, key) {
        Ordering::Less => -1,
        Ordering::Equal => 0,
        Ordering::Greater => 1,
    };
    Ok(Value::Datum(pg_sys::Datum::from(order)))
}

sql_function!(fhir_gin_extract_value, extract_value);
sql_function!(fhir_gin_extract_query, extract_query);
sql_function!(fhir_gin_triconsistent, triconsistent);
sql_function!(fhir_gin_compare_partial, compare_partial);

/// GIN passes no nulls but in places that are not read.
fn raw(call: &Call, index: usize) -> pg_sys::Datum {
    call.datum(index).unwrap_or(pg_sys::Datum::null())
}

fn nothing() -> Value {
    Value::Datum(pg_sys::Datum::null())
}

/// A copy of the slice in the current memory context; null if it is empty.
fn palloc_slice<T: Copy>(items: &[T]) -> *mut T {
    if items.is_empty() {
        return std::ptr::null_mut();
    }
    // SAFETY: palloc returns that many bytes, aligned for any type, or raises
    unsafe {
        let copy = pg_sys::palloc(size_of_val(items)) as *mut T;
        std::ptr::copy_nonoverlapping(items.as_ptr(), copy, items.len());
        copy
    }
}
