//! JSON Schema as SQL functions.

use super::{Schema, SchemaError, Stopped};
use crate::json;
use crate::pg::error::{Error, INVALID_PARAMETER};
use crate::pg::function::{Call, Value};
use crate::pg::threads::with_signals_blocked;
use crate::pg::time::check_for_interrupts;
use crate::sql_function;

sql_function!(fhir_matches_schema, |call| match (json::root(call.jsonb(0)?), schema(call)?) {
    (Some(value), schema) => Ok(schema.matches(value, check_for_interrupts)?.into()),
    (None, _) => Ok(false.into()),
});
sql_function!(fhir_schema_issues, list);

fn list(call: &Call) -> Result<Value, Error> {
    let mut rows = call.rows()?;
    let Some(value) = json::root(call.jsonb(0)?) else { return Ok(Value::Null) };
    for found in schema(call)?.mismatches(value, check_for_interrupts)? {
        rows.add([found.expression.into(), found.keyword.into(), found.details.into(), found.path.into(), found.schema_path.into()]);
    }
    Ok(Value::Null)
}

/// What is kept where the function is called from.
struct Compiled(Option<Schema>);

impl Drop for Compiled {
    fn drop(&mut self) {
        if let Some(schema) = self.0.take() {
            let _ = with_signals_blocked(|| schema.free());
        }
    }
}

/// The schema in the second argument.
fn schema(call: &Call) -> Result<&Schema, Error> {
    let source = call.jsonb(1)?;
    let kept: &Result<Compiled, SchemaError> = call.remembered(source, || {
        let compile = || json::root(source).map_or_else(|| Err(SchemaError::new("not a JSON Schema")), Schema::compile);
        let made = with_signals_blocked(compile).unwrap_or_else(|_| Err(SchemaError::new("could not start a thread to compile the JSON Schema")));
        made.map(|schema| Compiled(Some(schema)))
    });
    match kept {
        Ok(Compiled(Some(schema))) => Ok(schema),
        Ok(Compiled(None)) => Err(Error::new(INVALID_PARAMETER, "not a JSON Schema")),
        Err(error) => Err(error.clone().into()),
    }
}

impl From<SchemaError> for Error {
    fn from(error: SchemaError) -> Error {
        let mut raised = Error::new(INVALID_PARAMETER, error.message);
        if !error.place.is_empty() {
            raised = raised.detail(format!("at {} of the schema", error.place));
        }
        error.hint.into_iter().fold(raised, Error::hint)
    }
}

impl From<Stopped> for Error {
    fn from(stopped: Stopped) -> Error {
        Error::new("54001", stopped.to_string())
    }
}
