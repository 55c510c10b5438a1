//! Validation as SQL functions.

use super::{Severity, is_valid, issues};
use crate::json;
use crate::pg::error::Error;
use crate::pg::function::{Call, Value};
use crate::sql_function;

sql_function!(fhir_is_valid, |call| Ok(json::root(call.jsonb(0)?).is_some_and(is_valid).into()));
sql_function!(fhir_is_valid_of, |call| {
    let Some(node) = json::root(call.jsonb(0)?) else { return Ok(false.into()) };
    let is_of_type = node.get("resourceType").and_then(json::Node::as_str) == Some(call.text(1)?);
    Ok((is_of_type && is_valid(node)).into())
});
sql_function!(fhir_issues, list);

fn list(call: &Call) -> Result<Value, Error> {
    let mut rows = call.rows()?;
    for issue in json::root(call.jsonb(0)?).map(issues).unwrap_or_default() {
        let severity = match issue.severity {
            Severity::Fatal => "fatal",
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Information => "information",
        };
        rows.add([severity.into(), issue.code.into(), issue.expression.into(), issue.details.into()]);
    }
    Ok(Value::Null)
}
