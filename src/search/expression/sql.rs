//! `fhir.path_holds` in SQL.

use super::Holds;
use crate::json;
use crate::sql_function;

sql_function!(fhir_path_holds, |call| {
    let expression = call.text(1)?;
    let holds = call.remembered(expression.as_bytes(), || Holds::new(expression));
    match json::root(call.jsonb(0)?) {
        Some(resource) => Ok(holds.of(resource)?.into()),
        None => Ok(false.into()),
    }
});
