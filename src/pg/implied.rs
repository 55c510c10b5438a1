//! Conditions on columns of views, which reach the indexes: what `implied.c` asks of [`crate::view::implied`], and SQL functions that
//! stand in the plans it makes.

use crate::model::{TypeId, type_named};
use crate::pg::error::{Error, INVALID_PARAMETER};
use crate::pg::function::{Call, Value};
use crate::pg::{jsonb, settings};
use crate::sql_function;
use crate::view::implied::{self, Bound, Comparison, Function, Moment};
use pgrx::pg_sys;
use pgrx::pg_sys::{Datum, Oid};
use std::ffi::{CStr, c_char, c_int};

unsafe extern "C-unwind" {
    fn fhirlake_imply();
    fn fhirlake_no_estimate(request: *mut pg_sys::Node) -> *mut pg_sys::Node;
}

/// Called once, when the library is loaded.
pub fn install() {
    // SAFETY: it sets a variable of the server.
    unsafe { fhirlake_imply() };
}

/// What a text of C says; none where it is not in our encoding.
unsafe fn text<'a>(text: *const c_char) -> Option<&'a str> {
    // SAFETY: zero-ended, as the caller promises
    unsafe { CStr::from_ptr(text) }.to_str().ok()
}

/// A search as a datum of `fhir.query`; null where there is none that can be read.
fn query(search: Option<String>) -> Datum {
    search.filter(|search| implied::is_readable(search)).map_or(Datum::null(), |search| jsonb::varlena(search.as_bytes()))
}

/// The arguments that the functions below have in common.
unsafe fn column(ty: *const c_char, function: *const c_char, expression: *const c_char) -> Option<(TypeId, Function, &'static str)> {
    // SAFETY: zero-ended texts that live as long as the call
    unsafe { Some((type_named(text(ty)?)?, Function::named(text(function)?)?, text(expression)?)) }
}

#[unsafe(no_mangle)]
#[pgrx::pg_guard]
extern "C-unwind" fn fhirlake_pushdown() -> bool {
    settings::pushdown()
}

/// 1 where the column can be searched for as a text, 2 for a date, else 0.
#[unsafe(no_mangle)]
#[pgrx::pg_guard]
unsafe extern "C-unwind" fn fhirlake_column(ty: *const c_char, function: *const c_char, expression: *const c_char) -> c_int {
    // SAFETY: the arguments are zero-ended
    let Some((ty, function, expression)) = (unsafe { column(ty, function, expression) }) else { return 0 };
    implied::known_column(ty, function, expression).map_or(0, |column| if column.takes_texts() { 1 } else { 2 })
}

#[unsafe(no_mangle)]
#[pgrx::pg_guard]
unsafe extern "C-unwind" fn fhirlake_implied_texts(ty: *const c_char, expression: *const c_char, count: c_int, values: *const *const c_char) -> Datum {
    // SAFETY: the texts are zero-ended, and there are as many as the caller says
    let (found, values) = unsafe {
        let values: Option<Vec<&str>> = (0..count as usize).map(|n| text(*values.add(n))).collect();
        (column(ty, c"path_text".as_ptr(), expression), values)
    };
    let (Some((ty, function, expression)), Some(values)) = (found, values) else { return Datum::null() };
    query(implied::known_column(ty, function, expression).and_then(|column| column.any_of(values)))
}

#[unsafe(no_mangle)]
#[pgrx::pg_guard]
unsafe extern "C-unwind" fn fhirlake_implied_range(
    ty: *const c_char,
    function: *const c_char,
    expression: *const c_char,
    low: *const i64,
    high: *const i64,
) -> Datum {
    // SAFETY: the texts are zero-ended; the numbers are there or null
    let (found, low, high) = unsafe { (column(ty, function, expression), low.as_ref().copied(), high.as_ref().copied()) };
    let Some((ty, function, expression)) = found else { return Datum::null() };
    query(implied::known_column(ty, function, expression).and_then(|column| column.between(function, low, high)))
}

#[unsafe(no_mangle)]
#[pgrx::pg_guard]
unsafe extern "C-unwind" fn fhirlake_implied_condition(ty: *const c_char, expression: *const c_char, number: c_int) -> Datum {
    // SAFETY: the texts are zero-ended
    let (Some(ty), Some(expression)) = (unsafe { (text(ty).and_then(type_named), text(expression)) }) else { return Datum::null() };
    let readable = implied::conditions(ty, expression).into_iter().filter(|search| implied::is_readable(search));
    query(readable.into_iter().nth(number as usize))
}

/// The kind of a value that a date is compared with, by its type.
fn moment(ty: Oid) -> Option<Moment> {
    match ty {
        pg_sys::DATEOID => Some(Moment::Day),
        pg_sys::TIMESTAMPOID => Some(Moment::Local),
        pg_sys::TIMESTAMPTZOID => Some(Moment::Instant),
        _ => None,
    }
}

/// Writes the bounds that a comparison sets: 1 for the lower, 2 for the upper.
#[unsafe(no_mangle)]
#[pgrx::pg_guard]
unsafe extern "C-unwind" fn fhirlake_bounds(function: *const c_char, ty: Oid, strategy: c_int, value: i64, low: *mut i64, high: *mut i64) -> c_int {
    // SAFETY: the text is zero-ended, and there is room for both bounds
    unsafe {
        let comparison = match strategy as u32 {
            pg_sys::BTLessStrategyNumber => Comparison::Less,
            pg_sys::BTLessEqualStrategyNumber => Comparison::LessOrEqual,
            pg_sys::BTEqualStrategyNumber => Comparison::Equal,
            pg_sys::BTGreaterEqualStrategyNumber => Comparison::GreaterOrEqual,
            pg_sys::BTGreaterStrategyNumber => Comparison::Greater,
            _ => return 0,
        };
        let (Some(function), Some(moment)) = (text(function).and_then(Function::named), moment(ty)) else { return 0 };
        let Bound { low: from, high: to } = implied::bound(function, moment, comparison, value);
        from.inspect(|at| *low = *at);
        to.inspect(|at| *high = *at);
        c_int::from(from.is_some()) + 2 * c_int::from(to.is_some())
    }
}

// --- in SQL -------------------------------------------------------------------------------------------------------------------

// The server loads the library to ask it; that is all it is for, as the hook is set then.
sql_function!(fhir_path_support, |_| Ok(Value::Datum(Datum::null())));

sql_function!(fhir_recheck_support, |call| {
    let Some(request) = call.datum(0) else { return Ok(Value::Datum(Datum::null())) };
    Ok(Value::Datum(Datum::from(answered(request.cast_mut_ptr()))))
});

fn answered(request: *mut pg_sys::Node) -> *mut pg_sys::Node {
    // SAFETY: the planner passes a node
    unsafe { fhirlake_no_estimate(request) }
}

sql_function!(fhir_recheck, |call| Ok(call.datum(0).map_or(Value::Null, Value::Datum)));

sql_function!(fhir_path_query_text, |call| later(call, |column, _, _| call.text(4).map(|value| column.any_of([value]))));
sql_function!(fhir_path_query_date, |call| {
    let day = call.datum(4).map(|datum| datum.value() as i32).filter(|day| *day != i32::MIN && *day != i32::MAX);
    later_moment(call, Moment::Day, day.map(|day| i64::from(day.clamp(-800_000, 3_000_000)) * implied::DAY))
});
sql_function!(fhir_path_query_timestamp, |call| later_moment(call, Moment::Local, finite(call)));
sql_function!(fhir_path_query_timestamptz, |call| later_moment(call, Moment::Instant, finite(call)));

fn finite(call: &Call) -> Option<i64> {
    call.datum(4).map(|datum| datum.value() as i64).filter(|at| *at != i64::MIN && *at != i64::MAX)
}

fn later_moment(call: &Call, moment: Moment, at: Option<i64>) -> Result<Value, Error> {
    later(call, |column, function, comparison| {
        Ok(at.and_then(|at| {
            let Bound { low, high } = implied::bound(function, moment, comparison, at);
            column.between(function, low, high)
        }))
    })
}

/// `(type, function, expression, operator, value) → fhir.query`: what finds all where the comparison holds; everything, where the keys
/// cannot tell.
fn later(call: &Call, search: impl FnOnce(&implied::Column, Function, Comparison) -> Result<Option<String>, Error>) -> Result<Value, Error> {
    let invalid = |what: &str| Error::new(INVALID_PARAMETER, format!("unknown {what}"));
    let ty = type_named(call.text(0)?).filter(|ty| ty.is_concrete_resource()).ok_or_else(|| invalid("resource type"))?;
    let function = Function::named(call.text(1)?).ok_or_else(|| invalid("function"))?;
    let comparison = match call.text(3)? {
        "<" => Comparison::Less,
        "<=" => Comparison::LessOrEqual,
        "=" => Comparison::Equal,
        ">=" => Comparison::GreaterOrEqual,
        ">" => Comparison::Greater,
        _ => return Err(invalid("operator")),
    };
    let found = match implied::known_column(ty, function, call.text(2)?) {
        Some(column) => search(&column, function, comparison)?.filter(|search| implied::is_readable(search)),
        None => None,
    };
    Ok(Value::varlena(found.unwrap_or_default().as_bytes()))
}
