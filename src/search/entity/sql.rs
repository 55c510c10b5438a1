//! The keys and codes of findings in SQL.

use crate::json;
use crate::pg::arrays::text_array;
use crate::pg::function::Value;
use crate::sql_function;

sql_function!(fhir_entity_keys, |call| {
    let concepts = json::root(call.jsonb(1)?);
    Ok(Value::varlena(&super::keys(call.text(0)?, concepts.unwrap_or(json::Node::Null))))
});
sql_function!(fhir_entity_codes, |call| {
    let codes = json::root(call.jsonb(0)?).map(super::codes).unwrap_or_default();
    Ok(Value::Datum(text_array(&codes.iter().map(String::as_str).collect::<Vec<_>>())))
});
