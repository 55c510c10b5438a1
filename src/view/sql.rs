//! Flat views in SQL.

use super::definition::Definition;
use super::error::ViewError;
use super::rows::{Cell, RowError, Rows};
use super::statement::{Statement, json_statement, statement, stored_statement};
use crate::json::{self, Node};
use crate::path::eval::{Item, Limits, Scope, Static};
use crate::path::scalar::Scalar;
use crate::path::sql::{Server, array, oid, shown};
use crate::pg::access;
use crate::pg::error::{self, Error};
use crate::pg::function::{Call, Value};
use crate::pg::settings;
use crate::sql_function;
use pgrx::pg_sys::{self, Oid};
use std::ops::ControlFlow;

// (view, lake, as_json, stored)
sql_function!(fhir_view_sql, |call| {
    let definition = definition(call, 0)?;
    let lake = call.text(1)?;
    if !access::has_table(lake, "resource") {
        return Err(Error::new(error::UNDEFINED_TABLE, format!("there is no lake \"{lake}\""))
            .hint("SELECT fhir.create_lake() makes one, fhir.lakes() lists them, SET fhir.lake chooses one"));
    }
    Ok(match (call.bool(2)?, call.bool(3)?) {
        (true, _) => json_statement(&definition, lake)?,
        (false, true) => stored_statement(&definition, lake)?.sql,
        (false, false) => statement(&definition, lake)?.sql,
    }
    .into())
});
// (view)
sql_function!(fhir_view_columns, |call| {
    let Statement { columns, .. } = statement(&definition(call, 0)?, "lake")?;
    let mut rows = call.rows()?;
    for (number, column) in (1i64..).zip(columns) {
        rows.add([number.into(), column.name.into(), column.ty.into(), column.description.into()]);
    }
    Ok(Value::Null)
});
// (resource, selects)
sql_function!(fhir_view_rows, view_rows);

impl From<ViewError> for Error {
    fn from(error: ViewError) -> Error {
        let report = Error::new(error::INVALID_PARAMETER, error.to_string());
        error.hint.into_iter().fold(report, Error::hint)
    }
}

impl From<RowError> for Error {
    fn from(RowError { at, error }: RowError) -> Error {
        let report = Error::new(error.sqlstate(), format!("{at}: {error}"));
        error.hint().into_iter().fold(report, Error::hint)
    }
}

fn definition(call: &Call, index: usize) -> Result<Definition, ViewError> {
    match call.jsonb(index) {
        Ok(container) => Definition::read(json::root(container).unwrap_or(Node::Null)),
        Err(_) => Err(ViewError::new("ViewDefinition", "must not be null")),
    }
}

/// The rows of the selects that are an argument.
fn compiled(call: &Call, index: usize) -> Result<Rows, ViewError> {
    let definition = definition(call, index)?;
    Rows::compile(&definition.selects, Static::Fhir(definition.resource))
}

/// How a column of the result is made.
#[derive(Clone, Copy)]
struct Target {
    scalar: Scalar,
    is_array: bool,
}

impl Target {
    fn of(ty: Oid) -> Option<Target> {
        const SCALARS: [Scalar; 9] = [
            Scalar::Text,
            Scalar::Json,
            Scalar::Boolean,
            Scalar::Integer,
            Scalar::Bigint,
            Scalar::Numeric,
            Scalar::Date,
            Scalar::Timestamp,
            Scalar::Time,
        ];
        let find = |ty: Oid| SCALARS.into_iter().find(|scalar| oid(*scalar) == ty);
        if let Some(scalar) = find(ty) {
            return Some(Target { scalar, is_array: false });
        }
        // SAFETY: a look-up in the catalogue of types.
        let element = unsafe { pg_sys::get_element_type(ty) };
        find(element).map(|scalar| Target { scalar, is_array: true })
    }

    fn value(self, cell: &Cell<'_>) -> Result<Value, Error> {
        match (cell, self) {
            (Cell::One(None), _) => Ok(Value::Null),
            (Cell::One(Some(item)), Target { scalar, is_array: false }) => shown(item, scalar),
            (Cell::One(Some(item)), Target { scalar, is_array: true }) => array([item], scalar),
            (Cell::Many(items), Target { scalar, is_array: true }) => array(items, scalar),
            (Cell::Many(items), Target { is_array: false, .. }) => {
                let all = json::Item::Array(items.iter().map(Item::to_json).collect());
                Ok(Value::Jsonb(json::write(&all)?))
            }
        }
    }
}

fn view_rows(call: &Call) -> Result<Value, Error> {
    let selects = call.bytes(1)?;
    let compiled = call.remembered(selects, || compiled(call, 1)).as_ref().map_err(|error| Error::from(error.clone()))?;
    let mut rows = call.rows()?;
    let types = rows.types();
    if types.len() != compiled.columns().len() {
        return Err(Error::new("42804", format!("the selects give {} columns, not {}", compiled.columns().len(), types.len())));
    }
    let mut targets = Vec::with_capacity(types.len());
    for (ty, column) in types.into_iter().zip(compiled.columns()) {
        match Target::of(ty) {
            Some(target) if target.is_array || !column.collection || target.scalar == Scalar::Json => targets.push(target),
            _ => return Err(Error::new("42804", format!("column \"{}\" cannot be shown as that type", column.name))),
        }
    }
    let Some(node) = json::root(call.document(0)?) else { return Ok(Value::Null) };
    let limits = Limits { steps: settings::path_steps(), ..Limits::default() };
    let scope = Scope { resource: node, root: node, constants: &[], services: &Server, limits };
    let mut outcome = Ok(());
    compiled.each(Item::any(node), &scope, &mut |cells| {
        match targets.iter().zip(cells).map(|(target, cell)| target.value(cell)).collect::<Result<Vec<_>, _>>() {
            Ok(values) => {
                rows.add(values);
                ControlFlow::Continue(())
            }
            Err(error) => {
                outcome = Err(error);
                ControlFlow::Break(())
            }
        }
    })?;
    outcome.map(|()| Value::Null)
}
