//! `fhir.narrative` and `fhir.content` in SQL.

use super::{content, narrative};
use crate::json;
use crate::sql_function;

sql_function!(fhir_narrative, |call| Ok(json::root(call.jsonb(0)?).map(narrative).unwrap_or_default().into()));
sql_function!(fhir_content, |call| Ok(json::root(call.jsonb(0)?).map(content).unwrap_or_default().into()));
