//! Search requests in SQL: the statements they become, and the links of their pages.

use super::request::{CURSOR, Request};
use crate::pg::error::Error;
use crate::pg::function::{Call, Value};
use crate::sql_function;

sql_function!(fhir_search_sql, |call| Ok(request(call)?.page(call.text(1)?).into()));
sql_function!(fhir_search_rows_sql, |call| Ok(request(call)?.rows(call.text(1)?).into()));
sql_function!(fhir_search_total_sql, |call| Ok(request(call)?.total(call.text(1)?).into()));

// The parts of a request that make a Bundle: self link, page size, whether to count, whether to count only.
sql_function!(fhir_search_plan, |call| {
    let request = request(call)?;
    let mut rows = call.rows()?;
    rows.add([
        Value::from(request.understood.as_str()),
        Value::Int(request.count as i64),
        Value::Bool(request.total),
        Value::Bool(request.only_total),
    ]);
    Ok(Value::Null)
});

// The link to the page behind a row.
sql_function!(fhir_search_next, |call| {
    let (understood, last_updated, id) = (call.text(0)?, call.int(1)?, call.text(2)?);
    let separator = if understood.contains('?') { '&' } else { '?' };
    Ok(format!("{understood}{separator}{CURSOR}={last_updated}~{id}").into())
});

fn request(call: &Call) -> Result<Request, Error> {
    Ok(Request::parse(call.text(0)?)?)
}
