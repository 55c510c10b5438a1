//! The GIN operator class of `fhir.keys`: what an index of it stores, and how a query is answered from it.
//! <https://www.postgresql.org/docs/15/gin-extensibility.html>

use crate::index::scan::Scan;
use crate::index::{Keys, Query};
use crate::pg::function::{Call, Value};
use crate::pg::error::Error;
use crate::pg::jsonb;
use crate::sql_function;
use pgrx::pg_sys;
use std::ffi::c_void;

const FALSE: pg_sys::GinTernaryValue = pg_sys::GIN_FALSE as pg_sys::GinTernaryValue;
const TRUE: pg_sys::GinTernaryValue = pg_sys::GIN_TRUE as pg_sys::GinTernaryValue;
const MAYBE: pg_sys::GinTernaryValue = pg_sys::GIN_MAYBE as pg_sys::GinTernaryValue;

/// What `triconsistent` must know of a scan, beside the keys found. GIN hands it back through the first key's extra data.
#[repr(C)]
struct ScanShape {
    groups: u32,
    recheck: bool,
    /// For each key: its group, and whether having it decides the group.
    keys: [(u32, bool); 0],
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
        let shape = pg_sys::palloc(size_of::<ScanShape>() + total * size_of::<(u32, bool)>()) as *mut ScanShape;
        (*shape).groups = scan.groups.len() as u32;
        (*shape).recheck = scan.recheck;
        let shapes = (&raw mut (*shape).keys).cast::<(u32, bool)>();
        let mut datums = Vec::with_capacity(total);
        let mut partial = Vec::with_capacity(total);
        for (number, group) in scan.groups.iter().enumerate() {
            for key in &group.keys {
                shapes.add(datums.len()).write((number as u32, key.exact));
                datums.push(jsonb::varlena(&key.bytes));
                partial.push(key.partial);
            }
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
            let shapes = std::slice::from_raw_parts((&raw const (*shape).keys).cast::<(u32, bool)>(), count);
            decide(std::slice::from_raw_parts(check, count), shapes, (*shape).recheck)
        };
        Ok(Value::Datum(pg_sys::Datum::from(answer as u8)))
    }
}

/// Keys of a group stand together: a group holds as much as its best key does, the whole as its worst group.
fn decide(check: &[pg_sys::GinTernaryValue], shapes: &[(u32, bool)], recheck: bool) -> pg_sys::GinTernaryValue {
    let mut answer = if recheck { MAYBE } else { TRUE };
    let mut at = 0;
    while at < shapes.len() {
        let group = shapes[at].0;
        let mut best = FALSE;
        while let Some(&(g, exact)) = shapes.get(at).filter(|s| s.0 == group) {
            debug_assert_eq!(g, group);
            match check[at] {
                TRUE if exact => best = TRUE,
                TRUE | MAYBE if best == FALSE => best = MAYBE,
                _ => {}
            }
            at += 1;
        }
        match best {
            FALSE => return FALSE,
            MAYBE => answer = MAYBE,
            _ => {}
        }
    }
    answer
}

/// `comparePartial(bytea, bytea, smallint, internal) → integer`: 0 while the key begins with the prefix.
fn compare_partial(call: &Call) -> Result<Value, Error> {
    // SAFETY: both are non-null key datums.
    let (prefix, key) = unsafe { (jsonb::bytes(raw(call, 0)), jsonb::bytes(raw(call, 1))) };
    Ok(Value::Int(i64::from(!key.starts_with(prefix))))
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
