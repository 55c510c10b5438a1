//! FHIRPath as SQL functions.
//!
//! What takes two arguments is IMMUTABLE, so that indexes can stand on it, and refuses to ask the time; with variables it is STABLE.

use super::PathError;
use super::eval::{EvaluationError, Item, Limits, Program, Scope, Services};
use crate::json::{self, Node};
use crate::pg::error::{Error, INVALID_PARAMETER};
use crate::pg::function::{Call, Value};
use crate::pg::{settings, time};
use crate::sql_function;

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
sql_function!(fhir_path_boolean, |call| with(call, |program, focus, scope| Ok(program.truth(focus, scope)?.into())));
sql_function!(fhir_path_text, |call| first(call, |item| Ok(item.to_text().into())));
sql_function!(fhir_path_number, |call| first(call, |item| Ok(item.to_number().map_or(Value::Null, |datum| Value::varlena(&datum)))));
sql_function!(fhir_path_date, |call| first(call, |item| Ok(item.to_days().map(i64::from).into())));
sql_function!(fhir_path_timestamp, |call| first(call, |item| Ok(item.to_microseconds().into())));

fn container(item: &Item<'_>) -> Result<Value, Error> {
    Ok(Value::Jsonb(item.to_container()?))
}

/// What the first item is; null where there is none.
fn first(call: &Call, f: impl FnOnce(&Item<'_>) -> Result<Value, Error>) -> Result<Value, Error> {
    with(call, |program, focus, scope| {
        let mut first = None;
        program.for_each(focus, scope, &mut |item| {
            first = Some(item);
            false
        })?;
        first.map_or(Ok(Value::Null), |item| f(&item))
    })
}

fn each<'c>(call: &'c Call, f: &mut dyn FnMut(Item<'c>) -> bool) -> Result<(), Error> {
    with(call, |program, focus, scope| {
        program.for_each(focus, scope, f)?;
        Ok(Value::Null)
    })
    .map(drop)
}

/// Compiles once for this place of the query; resource, expression and perhaps variables are the arguments.
fn with<'c>(call: &'c Call, f: impl FnOnce(&'c Program, Item<'c>, &Scope<'c, '_>) -> Result<Value, Error>) -> Result<Value, Error> {
    let text = call.text(1)?;
    let program = call.remembered(text.as_bytes(), || Program::compile(text, None)).as_ref().map_err(|error| Error::from(error.clone()))?;
    let variables = if call.count() > 2 { json::root(call.jsonb(2)?) } else { None };
    if program.needs_clock() && call.count() < 3 {
        return Err(Error::new("0A000", "an expression that asks the time is not immutable")
            .hint("give variables as the third argument, '{}' where there are none"));
    }
    let Some(node) = json::root(call.jsonb(0)?) else { return Ok(Value::Null) };
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
    f(program, Item::any(node), &scope)
}
