//! A ViewDefinition as SQL.
//!
//! What gives one row for each resource is a column of its own in SQL, so that the planner leaves out what nobody asks for. Only what
//! multiplies rows goes through `fhir.view_rows`.

use super::constant::in_first_row;
use super::definition::{Column, Definition, Each, Path, Select};
use super::error::ViewError;
use super::kind::ColumnType;
use super::rows::{Rows, compile};
use crate::path::eval::{Static, System};
use crate::path::scalar::Scalar;
use crate::search::quote::{identifier, literal};
use std::fmt::Write;

/// A definition that was checked, and its SQL.
#[derive(Debug)]
pub struct Statement {
    /// The SELECT.
    pub sql: String,
    pub columns: Vec<ViewColumn>,
}

/// A column of the view.
#[derive(Debug)]
pub struct ViewColumn {
    pub name: String,
    /// As SQL names it: `text`, `date[]`.
    pub ty: String,
    pub description: Option<String>,
}

/// Columns in front of those of the view where its rows are stored, as they are called in table `stored` of the lake. No column of a
/// ViewDefinition begins so.
const OF_RESOURCE: [&str; 6] = ["compartment", "type", "id", "version", "last_updated", "xid"];

/// As [`statement`], each row with what tells of which version of which resource it is.
pub fn stored_statement(definition: &Definition, lake: &str) -> Result<Statement, ViewError> {
    with(&OF_RESOURCE, definition, lake)
}

/// The SELECT of a view over a lake, with typed columns.
pub fn statement(definition: &Definition, lake: &str) -> Result<Statement, ViewError> {
    with(&[], definition, lake)
}

fn with(of_resource: &[&str], definition: &Definition, lake: &str) -> Result<Statement, ViewError> {
    let focus = Static::Fhir(definition.resource);
    let rows = Rows::compile(&definition.selects, focus)?;
    let mut flat = Vec::new();
    let mut multiplying = Vec::new();
    sort_out(&definition.selects, &mut flat, &mut multiplying);
    let mut columns = Vec::new();
    let mut shown: Vec<String> = of_resource.iter().map(|column| format!("r.{column} AS _{column}")).collect();
    let mut of_rows = Vec::new();
    for (column, made) in definition.columns().into_iter().zip(rows.columns()) {
        let ty = sql_type(made.ty, column.collection);
        let name = identifier(&column.name);
        if flat.iter().any(|flat| std::ptr::eq(*flat, column)) {
            shown.push(format!("{} AS {name}", expression(column, made.ty, focus)?));
        } else {
            shown.push(format!("f.{name}"));
            of_rows.push(format!("{name} {ty}"));
        }
        columns.push(ViewColumn { name: column.name.clone(), ty, description: column.description.clone() });
    }
    let mut sql = format!("SELECT {}\nFROM {}", shown.join(",\n    "), from(definition, lake));
    if !multiplying.is_empty() {
        let _ = write!(sql, "\nCROSS JOIN LATERAL {}", row_source(definition, &multiplying, &of_rows));
    }
    sql.push_str(&condition(definition, focus)?);
    Ok(Statement { sql, columns })
}

/// The SELECT that gives rows as JSON, with every value as it stands in the resource.
pub fn json_statement(definition: &Definition, lake: &str) -> Result<String, ViewError> {
    let focus = Static::Fhir(definition.resource);
    let rows = Rows::compile(&definition.selects, focus)?;
    let of_rows: Vec<String> = rows.columns().iter().map(|column| format!("{} jsonb", identifier(&column.name))).collect();
    let selects: Vec<&Select> = definition.selects.iter().collect();
    let source = row_source(definition, &selects, &of_rows);
    let condition = condition(definition, focus)?;
    Ok(format!("SELECT pg_catalog.row_to_json(f.*)\nFROM {}\nCROSS JOIN LATERAL {source}{condition}", from(definition, lake)))
}

fn from(definition: &Definition, lake: &str) -> String {
    format!("{}.{} r", identifier(lake), identifier(&definition.resource.name().to_lowercase()))
}

fn row_source(definition: &Definition, selects: &[&Select], of_rows: &[String]) -> String {
    let mut json = format!("{{\"resource\": {}, \"select\": ", quoted(definition.resource.name()));
    write_selects(selects.iter().copied(), &mut json);
    json.push('}');
    format!("fhir.view_rows(r.resource, {}::pg_catalog.jsonb) AS f({})", literal(&json), of_rows.join(", "))
}

/// The columns that have one value for each resource, and the selects that multiply rows.
fn sort_out<'d>(selects: &'d [Select], flat: &mut Vec<&'d Column>, multiplying: &mut Vec<&'d Select>) {
    for select in selects {
        if select.each.is_none() && select.unions.is_empty() {
            flat.extend(&select.columns);
            sort_out(&select.selects, flat, multiplying);
        } else {
            multiplying.push(select);
        }
    }
}

fn sql_type(ty: ColumnType, collection: bool) -> String {
    match (ty.scalar, collection) {
        // a JSON array is a value of that type by itself
        (Scalar::Json, _) | (_, false) => ty.scalar.sql().to_owned(),
        (scalar, true) => format!("{}[]", scalar.sql()),
    }
}

/// The value of one column of the resource `r`.
fn expression(column: &Column, ty: ColumnType, focus: Static) -> Result<String, ViewError> {
    let text = in_first_row(&column.path.text).map_err(|error| ViewError::of_path(&column.path.at, &error))?;
    let path = Path { text, at: column.path.at.clone() };
    let program = compile(&path, focus)?;
    let text = path.text;
    match (text.trim(), ty.scalar, column.collection) {
        ("id" | "getResourceKey()", Scalar::Text, false) => return Ok("r.id".to_owned()),
        ("meta.lastUpdated", Scalar::Timestamp, false) => return Ok("r.last_updated".to_owned()),
        ("meta.versionId", Scalar::Text, false) => return Ok("r.version::pg_catalog.text".to_owned()),
        _ => {}
    }
    let path = if column.collection || program.is_single() { text } else { format!("({text}).single()") };
    // what asks the time is not immutable, and says so by its third argument
    let variables = if program.needs_clock() { ", '{}'" } else { "" };
    let call = |function: &str| format!("fhir.{function}(r.resource, {}{variables})", literal(&path));
    Ok(match (ty.scalar, column.collection) {
        (Scalar::Boolean, false) => call("path_boolean"),
        (Scalar::Integer, false) => call("path_integer"),
        (Scalar::Bigint, false) => format!("{}::pg_catalog.int8", call("path_number")),
        (Scalar::Numeric, false) => call("path_number"),
        (Scalar::Date, false) => call("path_date"),
        (Scalar::Timestamp, false) => call("path_timestamp"),
        (Scalar::Time, false) => call("path_time"),
        (Scalar::Text, false) => call("path_text"),
        (Scalar::Json, false) => call("path_json"),
        (Scalar::Boolean, true) => call("path_booleans"),
        (Scalar::Integer, true) => call("path_integers"),
        (Scalar::Bigint, true) => format!("{}::pg_catalog.int8[]", call("path_numbers")),
        (Scalar::Numeric, true) => call("path_numbers"),
        (Scalar::Date, true) => call("path_dates"),
        (Scalar::Timestamp, true) => call("path_timestamps"),
        (Scalar::Time, true) => call("path_times"),
        (Scalar::Text, true) => call("path_texts"),
        (Scalar::Json, true) => call("path_array"),
    })
}

/// The WHERE of the view; conditions must be true, nothing is not.
fn condition(definition: &Definition, focus: Static) -> Result<String, ViewError> {
    let mut conditions = Vec::new();
    for path in &definition.wheres {
        let program = compile(path, focus)?;
        if !program.gives().may_be(System::Boolean) {
            return Err(ViewError::new(&path.at, "what the path gives is no boolean").hint("compare it with something, or ask whether it exists()"));
        }
        let text = in_first_row(&path.text).map_err(|error| ViewError::of_path(&path.at, &error))?;
        let variables = if program.needs_clock() { ", '{}'" } else { "" };
        conditions.push(format!("fhir.path_boolean(r.resource, {}{variables})", literal(&text)));
    }
    Ok(if conditions.is_empty() { String::new() } else { format!("\nWHERE {}", conditions.join("\n  AND ")) })
}

/// What `fhir.view_rows` needs of selects, as JSON.
fn write_selects<'s>(selects: impl Iterator<Item = &'s Select>, out: &mut String) {
    write_list(selects, out, |select, out| {
        let mut members = Vec::new();
        match &select.each {
            None => {}
            Some(Each::ForEach(path)) => members.push(format!("\"forEach\": {}", quoted(&path.text))),
            Some(Each::ForEachOrNull(path)) => members.push(format!("\"forEachOrNull\": {}", quoted(&path.text))),
            Some(Each::Repeat(paths)) => {
                let paths: Vec<String> = paths.iter().map(|path: &Path| quoted(&path.text)).collect();
                members.push(format!("\"repeat\": [{}]", paths.join(", ")));
            }
        }
        if !select.columns.is_empty() {
            let mut columns = String::from("\"column\": ");
            write_list(select.columns.iter(), &mut columns, write_column);
            members.push(columns);
        }
        for (name, selects) in [("select", &select.selects), ("unionAll", &select.unions)] {
            if !selects.is_empty() {
                let mut list = format!("\"{name}\": ");
                write_selects(selects.iter(), &mut list);
                members.push(list);
            }
        }
        out.push('{');
        out.push_str(&members.join(", "));
        out.push('}');
    });
}

fn write_column(column: &Column, out: &mut String) {
    // types stand in the list of columns; text, as anything can be shown as text
    let _ = write!(out, "{{\"name\": {}, \"path\": {}, \"type\": \"string\"", quoted(&column.name), quoted(&column.path.text));
    if column.collection {
        out.push_str(", \"collection\": true");
    }
    out.push('}');
}

fn write_list<T>(items: impl Iterator<Item = T>, out: &mut String, write: impl Fn(T, &mut String)) {
    out.push('[');
    for (number, item) in items.enumerate() {
        if number > 0 {
            out.push_str(", ");
        }
        write(item, out);
    }
    out.push(']');
}

/// A JSON string.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
