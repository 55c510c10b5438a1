//! Ready-made views as SQL functions.

use super::{ReadyError, analysts, relationships, side_views, view, view_definition};
use crate::json;
use crate::model;
use crate::pg::arrays::text_array;
use crate::pg::error::{Error, INVALID_PARAMETER};
use crate::pg::function::Value;
use crate::search::quote::identifier;
use crate::sql_function;

impl From<ReadyError> for Error {
    fn from(error: ReadyError) -> Error {
        Error::new(INVALID_PARAMETER, error.to_string()).hint(error.hint())
    }
}

// (type, element)
sql_function!(fhir_view_definition, |call| {
    let view = view(call.text(0)?, call.optional_text(1)?)?;
    Ok(Value::Jsonb(json::write(&view_definition(&view))?))
});
// (type)
sql_function!(fhir_side_views, |call| {
    let name = call.text(0)?;
    let ty = model::type_named(name).filter(|ty| ty.is_concrete_resource()).ok_or_else(|| ReadyError::NoType { name: name.to_owned() })?;
    let mut rows = call.rows()?;
    for element in side_views(ty) {
        rows.add([element.into()]);
    }
    Ok(Value::Null)
});
// (lake)
sql_function!(fhir_analyst_views, |call| {
    let mut rows = call.rows()?;
    for view in analysts(&identifier(call.text(0)?)) {
        let (names, comments): (Vec<&str>, Vec<&str>) = view.columns.into_iter().unzip();
        rows.add([view.name.into(), view.description.into(), view.query.into(), Value::Datum(text_array(&names)), Value::Datum(text_array(&comments))]);
    }
    Ok(Value::Null)
});
sql_function!(fhir_view_relationships, |call| {
    let mut rows = call.rows()?;
    for found in relationships() {
        let (target, target_column) = found.target.unzip();
        let (tells, holds) = found.only_where.unzip();
        let kind = if found.is_primary { "primary key" } else { "foreign key" };
        rows.add([
            found.view.into(),
            found.column.into(),
            kind.into(),
            i64::from(found.position).into(),
            target.into(),
            target_column.into(),
            tells.into(),
            holds.into(),
        ]);
    }
    Ok(Value::Null)
});
