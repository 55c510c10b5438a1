//! Search requests in SQL: the statements they become, and the Bundles they give.

use super::request::{Handling, Request};
use super::statement::Place;
use super::{explain, resolve, run};
use crate::pg::error::{Error, INVALID_PARAMETER};
use crate::pg::function::{Call, Value};
use crate::pg::spi;
use crate::sql_function;

// All take (search text, lake text, handling text, as_of timestamptz).
sql_function!(fhir_search, |call| {
    let (place, handling) = asked(call)?;
    let text = call.text(0)?;
    Ok(Value::Jsonb(spi::connected(|spi| run::search(spi, place, text, handling))?))
});
sql_function!(fhir_count, |call| {
    let (place, handling) = asked(call)?;
    let text = call.text(0)?;
    Ok(spi::connected(|spi| run::number(spi, place, &resolve::request(spi, place, text, handling)?))?.into())
});
sql_function!(fhir_explain_search, |call| {
    let (place, handling) = asked(call)?;
    let text = call.text(0)?;
    let lines = spi::connected(|spi| explain::explain(spi, place, text, handling))?;
    let mut rows = call.rows()?;
    for (part, line) in lines {
        rows.add([Value::from(part), Value::from(line)]);
    }
    Ok(Value::Null)
});
sql_function!(fhir_search_sql, |call| {
    let (place, handling) = asked(call)?;
    let text = call.text(0)?;
    let page = |spi: &spi::Spi| {
        let mut request = resolve::request(spi, place, text, handling)?;
        resolve::fence(spi, place, &mut request)?;
        Ok(request.page(place))
    };
    Ok(spi::connected(page)?.into())
});
sql_function!(fhir_search_rows_sql, |call| statement(call, Request::rows));
sql_function!(fhir_search_total_sql, |call| statement(call, Request::number));

fn statement(call: &Call, write: fn(&Request, Place) -> String) -> Result<Value, Error> {
    let (place, handling) = asked(call)?;
    let text = call.text(0)?;
    Ok(spi::connected(|spi| Ok(write(&resolve::request(spi, place, text, handling)?, place)))?.into())
}

fn asked(call: &Call) -> Result<(Place<'_>, Handling), Error> {
    let handling = match call.optional_text(2)?.unwrap_or("strict") {
        "strict" => Handling::Strict,
        "lenient" => Handling::Lenient,
        _ => return Err(Error::new(INVALID_PARAMETER, "handling is strict or lenient").hint("lenient ignores search parameters that are not known, and says so in the answer")),
    };
    let as_of = call.datum(3).map(|datum| datum.value() as i64);
    Ok((Place { lake: call.text(1)?, as_of }, handling))
}
