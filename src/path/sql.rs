//! FHIRPath as SQL functions.
//!
//! What takes two arguments is IMMUTABLE, so that indexes can stand on it, and refuses to ask the time; with variables it is STABLE.

use super::PathError;
use super::scalar::Scalar;
use super::eval::{EvaluationError, Item, Limits, Program, Scope, Services};
use crate::json::{self, Node};
use crate::pg::arrays::ElementType;
use crate::pg::error::{Error, INVALID_PARAMETER};
use crate::pg::function::{Call, Ready, Value};
use crate::pg::places::{self, Placed, Site};
use crate::pg::{settings, time};
use crate::{ready_function, sql_function};
use pgrx::pg_sys;
use std::cell::OnceCell;

impl From<PathError> for Error {
    fn from(error: PathError) -> Error {
        let sqlstate = match error {
            PathError::TooLong | PathError::TooDeep { .. } | PathError::TooBroad { .. } => "54000",
            PathError::Syntax { .. } => "42601",
            PathError::UnknownElement { .. } => "42703",
            PathError::UnknownType { .. } => "42704",
            PathError::Unsupported { .. } => "0A000",
        };
        let report = Error::new(sqlstate, error.to_string());
        error.hint().into_iter().fold(report, Error::hint)
    }
}

impl From<EvaluationError> for Error {
    fn from(error: EvaluationError) -> Error {
        let report = Error::new(error.sqlstate(), error.to_string());
        error.hint().into_iter().fold(report, Error::hint)
    }
}

/// The server, as far as an expression may ask it. It asks for interrupts, which unwind.
pub struct Server;

/// 2000-01-01 in microseconds since 1970-01-01.
const EPOCH: i64 = 10_957 * 86_400 * 1_000_000;

impl Services for Server {
    fn now(&self) -> i64 {
        time::of_statement() + EPOCH
    }

    fn go_on(&self) -> bool {
        time::check_for_interrupts();
        true
    }
}

sql_function!(fhir_path, |call| {
    let mut rows = call.rows()?;
    let mut outcome = Ok(());
    each(call, &mut |item| {
        outcome = container(&item).map(|value| rows.add([value]));
        outcome.is_ok()
    })?;
    outcome.map(|()| Value::Null)
});
sql_function!(fhir_path_array, |call| {
    let mut items = Vec::new();
    each(call, &mut |item| {
        items.push(item);
        true
    })?;
    let array = json::Item::Array(items.iter().map(Item::to_json).collect());
    Ok(Value::Jsonb(json::write(&array)?))
});
sql_function!(fhir_path_exists, |call| {
    let mut found = false;
    each(call, &mut |_| {
        found = true;
        false
    })?;
    Ok(found.into())
});
ready_function!(fhir_path_boolean, |info| ready(info, Scalar::Boolean), |call| {
    with(call, Some(Scalar::Boolean), |program, focus, scope| Ok(program.truth(focus, scope)?.into()))
});
ready_function!(fhir_path_text, |info| ready(info, Scalar::Text), |call| first(call, Scalar::Text));
ready_function!(fhir_path_number, |info| ready(info, Scalar::Numeric), |call| first(call, Scalar::Numeric));
ready_function!(fhir_path_integer, |info| ready(info, Scalar::Integer), |call| first(call, Scalar::Integer));
ready_function!(fhir_path_date, |info| ready(info, Scalar::Date), |call| first(call, Scalar::Date));
ready_function!(fhir_path_timestamp, |info| ready(info, Scalar::Timestamp), |call| first(call, Scalar::Timestamp));
ready_function!(fhir_path_time, |info| ready(info, Scalar::Time), |call| first(call, Scalar::Time));
sql_function!(fhir_path_json, |call| first(call, Scalar::Json));
sql_function!(fhir_path_texts, |call| all(call, Scalar::Text));
sql_function!(fhir_path_booleans, |call| all(call, Scalar::Boolean));
sql_function!(fhir_path_numbers, |call| all(call, Scalar::Numeric));
sql_function!(fhir_path_integers, |call| all(call, Scalar::Integer));
sql_function!(fhir_path_dates, |call| all(call, Scalar::Date));
sql_function!(fhir_path_timestamps, |call| all(call, Scalar::Timestamp));
sql_function!(fhir_path_times, |call| all(call, Scalar::Time));

/// The OID of a type.
pub(crate) fn oid(scalar: Scalar) -> pg_sys::Oid {
    match scalar {
        Scalar::Boolean => pg_sys::BOOLOID,
        Scalar::Integer => pg_sys::INT4OID,
        Scalar::Bigint => pg_sys::INT8OID,
        Scalar::Numeric => pg_sys::NUMERICOID,
        Scalar::Date => pg_sys::DATEOID,
        Scalar::Timestamp => pg_sys::TIMESTAMPTZOID,
        Scalar::Time => pg_sys::TIMEOID,
        Scalar::Text => pg_sys::TEXTOID,
        Scalar::Json => pg_sys::JSONBOID,
    }
}

/// An item as a value of a type of SQL; NULL where it is no such value.
pub(crate) fn shown(item: &Item<'_>, scalar: Scalar) -> Result<Value, Error> {
    Ok(match scalar {
        Scalar::Boolean => item.to_boolean().into(),
        Scalar::Integer => match item.to_integer() {
            Some(value) if i32::try_from(value).is_err() => return Err(Error::new("22003", "integer out of range")),
            value => value.into(),
        },
        Scalar::Bigint => item.to_integer().into(),
        Scalar::Numeric => item.to_number().map_or(Value::Null, |datum| Value::varlena(&datum)),
        Scalar::Date => item.to_days().map(i64::from).into(),
        Scalar::Timestamp => item.to_microseconds().into(),
        Scalar::Time => item.to_time_of_day().into(),
        Scalar::Text => item.to_text().map_or(Value::Null, |text| Value::varlena(text.as_bytes())),
        Scalar::Json => container(item)?,
    })
}

/// Items as an array; those that are no such values are NULL.
pub(crate) fn array<'i, 'a: 'i>(items: impl IntoIterator<Item = &'i Item<'a>>, scalar: Scalar) -> Result<Value, Error> {
    let values = items.into_iter().map(|item| Ok(shown(item, scalar)?.into_datum())).collect::<Result<Vec<_>, Error>>()?;
    // SAFETY: `shown` gives values of that type.
    Ok(Value::Datum(unsafe { ElementType::itself(oid(scalar)).array(values) }))
}

fn container(item: &Item<'_>) -> Result<Value, Error> {
    Ok(Value::Jsonb(item.to_container()?))
}

/// What the first item is; null where there is none.
fn first(call: &Call, scalar: Scalar) -> Result<Value, Error> {
    with(call, Some(scalar).filter(|scalar| *scalar != Scalar::Json), |program, focus, scope| {
        let mut first = None;
        program.for_each(focus, scope, &mut |item| {
            first = Some(item);
            false
        })?;
        first.map_or(Ok(Value::Null), |item| shown(&item, scalar))
    })
}

/// All items as an array.
fn all(call: &Call, scalar: Scalar) -> Result<Value, Error> {
    with(call, None, |program, focus, scope| array(&program.evaluate(focus, scope)?, scalar))
}

fn each<'c>(call: &'c Call, f: &mut dyn FnMut(Item<'c>) -> bool) -> Result<(), Error> {
    with(call, None, |program, focus, scope| {
        program.for_each(focus, scope, f)?;
        Ok(Value::Null)
    })
    .map(drop)
}

/// A program, or why there is none, with the place that it asks for.
type Kept = Placed<Result<Program, PathError>>;

/// # Safety
/// Of the functions of this file that keep [`Kept`].
unsafe fn ready(info: pg_sys::FunctionCallInfo, scalar: Scalar) -> Option<Ready> {
    // SAFETY: by contract.
    unsafe { places::ready::<Result<Program, PathError>>(info, scalar) }
}

/// Compiles once for this place of the query; resource, expression and perhaps variables are the arguments. What is asked is one value of
/// the scalar type, or else whatever `f` makes of it.
fn with<'c>(
    call: &'c Call,
    scalar: Option<Scalar>,
    f: impl FnOnce(&'c Program, Item<'c>, &Scope<'c, '_>) -> Result<Value, Error>,
) -> Result<Value, Error> {
    let placed: &Kept = call.remembered_of(1, |text| Placed { program: Program::compile(text, None), site: OnceCell::new() })?;
    let program = placed.program.as_ref().map_err(|error| Error::from(error.clone()))?;
    let variables = if call.count() > 2 { json::root(call.jsonb(2)?) } else { None };
    if program.needs_clock() && call.count() < 3 {
        return Err(Error::new("0A000", "an expression that asks the time is not immutable")
            .hint("give variables as the third argument, '{}' where there are none"));
    }
    let container = call.document(0)?;
    let Some(node) = json::root(container) else { return Ok(Value::Null) };
    if let Some(scalar) = scalar
        && call.count() == 2
        && let Some(site) = placed.site.get_or_init(|| Site::of(call, program, node))
        // SAFETY: this is such a function, and the answer is copied at once.
        && let Some(answer) = unsafe { call.opened(site, container, scalar).map(|answer| answer.value()) }
    {
        return Ok(answer);
    }
    let mut constants = Vec::new();
    match variables {
        None => {}
        Some(Node::Object(object)) => {
            for (name, node) in object.iter() {
                constants.extend(node.items().map(|node| (name, Item::any(node))));
            }
        }
        Some(_) => return Err(Error::new(INVALID_PARAMETER, "variables must be an object").hint("for instance '{\"limit\": 5}' for %limit")),
    }
    let scope = Scope {
        resource: node,
        root: node,
        constants: &constants,
        services: &Server,
        limits: Limits { steps: settings::path_steps(), ..Limits::default() },
    };
    // in a view there are many expressions
    f(program, Item::any(node), &scope).map_err(|error| match call.text(1) {
        Ok(text) => error.detail(format!("in the expression {text}")),
        Err(_) => error,
    })
}
