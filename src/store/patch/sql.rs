//! `fhir.json_patch`, `fhir.merge_patch`, `fhir.fhirpath_patch` and `fhir.diff` in SQL.

use super::PatchError;
use crate::pg::error::Error;
use crate::pg::function::Value;
use crate::pg::time::check_for_interrupts;
use crate::sql_function;

sql_function!(fhir_json_patch, |call| Ok(Value::Jsonb(super::json_patch_pausing(call.jsonb(0)?, call.jsonb(1)?, &mut check_for_interrupts)?)));
sql_function!(fhir_merge_patch, |call| Ok(Value::Jsonb(super::merge_patch(call.jsonb(0)?, call.jsonb(1)?)?)));
sql_function!(fhir_fhirpath_patch, |call| Ok(Value::Jsonb(super::fhirpath_patch_pausing(call.jsonb(0)?, call.jsonb(1)?, &mut check_for_interrupts)?)));
sql_function!(fhir_diff, |call| Ok(Value::Jsonb(super::diff(call.jsonb(0)?, call.jsonb(1)?)?)));

impl From<PatchError> for Error {
    fn from(error: PatchError) -> Error {
        let report = Error::new(error.sqlstate, error.message);
        match error.hint {
            Some(hint) => report.hint(hint),
            None => report,
        }
    }
}
