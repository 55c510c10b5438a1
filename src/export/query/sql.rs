//! `fhir.export_query`: what a query of the caller gives, into a file of the server; and cells of any type for files of rows.

use super::{date, precision, timestamp};
use crate::export::error::ExportError;
use crate::export::file::{self, FileError, Outgoing};
use crate::export::request::{Compression, Format};
use crate::export::sql::{STEP, allowed, mark, threads};
use crate::export::stream::Rows;
use crate::export::table::{Cell, Field, Kind, MAX_PRECISION};
use crate::pg::arrays::ElementType;
use crate::pg::cursor::{Column, base};
use crate::pg::error::{self, Error};
use crate::pg::function::{Call, Value};
use crate::pg::jsonb;
use crate::pg::memory::Scratch;
use crate::pg::output::Output;
use crate::pg::snapshot::View;
use crate::pg::spi::{self, Arg, Spi};
use crate::pg::time::check_for_interrupts;
use crate::sql_function;
use pgrx::pg_sys;
use pgrx::pg_sys::{Datum, Oid};
use std::path::Path;

// (query, path, compression, overwrite)
sql_function!(fhir_export_query, export_query);

/// A column of the file, and how its cells are read.
pub struct Source {
    pub field: Field,
    /// Of the query, from 1.
    column: i32,
    way: Way,
    elements: Option<ElementType>,
}

/// How a value of the server becomes one of the file.
#[derive(Clone, Copy)]
enum Way {
    Value,
    Bytes,
    Container,
    Fixed16,
    Text,
    Output(Output),
}

impl Source {
    /// What a column of a query becomes: numbers, times, bytes and JSON what they are, arrays lists of these, everything else text.
    pub fn of(column: &Column, number: i32) -> Result<Source, Error> {
        let elements = ElementType::of(column.ty);
        let (ty, modifier) = elements.map_or((column.ty, column.modifier), |elements| base(elements.ty, column.modifier));
        let kind = kind(ty, modifier);
        let way = match (kind, ty) {
            (Kind::Json, _) => Way::Container,
            (Kind::Bytes, _) => Way::Bytes,
            (Kind::Uuid, _) => Way::Fixed16,
            (Kind::Text, pg_sys::TEXTOID | pg_sys::VARCHAROID) => Way::Text,
            (Kind::Text | Kind::Decimal { .. }, ty) => Way::Output(Output::of(ty)?),
            _ => Way::Value,
        };
        let field = Field { name: column.name.clone(), kind, is_list: elements.is_some() };
        Ok(Source { field, column: number, way, elements })
    }

    /// The columns of the statements of resources, the resource itself last.
    pub fn of_resources() -> Vec<Source> {
        let source = |name: &str, kind, column, way| {
            let field = Field { name: name.to_owned(), kind, is_list: false };
            Source { field, column, way, elements: None }
        };
        vec![
            source("id", Kind::Text, 2, Way::Text),
            source("version", Kind::Int64, 3, Way::Value),
            source("last_updated", Kind::Timestamp { zone: true }, 4, Way::Value),
            source("compartment", Kind::Text, 5, Way::Text),
            source("resource", Kind::Json, 1, Way::Container),
        ]
    }

    /// Puts the cell of a row into its column.
    fn put(&self, sql: &Spi, row: usize, rows: &mut Rows, to: usize) -> Result<(), Error> {
        let Some(datum) = sql.cell(row, self.column) else { return Ok(()) };
        let put = match self.elements {
            None => match self.cell(datum)? {
                Some(cell) => rows.row().put(to, cell),
                None => Ok(()),
            },
            Some(elements) => {
                // SAFETY: the column holds arrays of these; the memory of a row is that of its step.
                let elements = unsafe { elements.elements(datum) };
                let cells: Vec<Option<Cell>> = elements
                    .into_iter()
                    .map(|element| element.map_or(Ok(None), |datum| self.cell(datum)))
                    .collect::<Result<_, Error>>()?;
                rows.row().put_list(to, cells.into_iter())
            }
        };
        Ok(put.map_err(ExportError::from)?)
    }

    /// A value as the file has it. Infinite dates, and numbers that are none, become NULL.
    fn cell<'a>(&self, datum: Datum) -> Result<Option<Cell<'a>>, Error> {
        let value = datum.value();
        // SAFETY: the way was chosen by the type of the column; what a value points at stays until the next step.
        let cell = unsafe {
            match (self.way, self.field.kind) {
                (Way::Container, _) => Some(Cell::Bytes(jsonb::container(datum))),
                (Way::Bytes, _) => Some(Cell::Bytes(jsonb::bytes(datum))),
                (Way::Fixed16, _) => Some(Cell::Bytes(std::slice::from_raw_parts(datum.cast_mut_ptr::<u8>(), 16))),
                (Way::Text, _) => Some(Cell::Text(jsonb::text(datum))),
                (Way::Output(output), _) => Some(Cell::Text(output.text(datum)?)),
                (Way::Value, Kind::Bool) => Some(Cell::Bool(value as u8 != 0)),
                (Way::Value, Kind::Int16) => Some(Cell::Int(i64::from(value as i16))),
                (Way::Value, Kind::Int32) => Some(Cell::Int(i64::from(value as i32))),
                (Way::Value, Kind::Float) => Some(Cell::Float(f32::from_bits(value as u32))),
                (Way::Value, Kind::Double) => Some(Cell::Double(f64::from_bits(value as u64))),
                (Way::Value, Kind::Date) => date(value as i32).map(Cell::Int),
                (Way::Value, Kind::Timestamp { .. }) => timestamp(value as i64).map(Cell::Int),
                (Way::Value, _) => Some(Cell::Int(value as i64)),
            }
        };
        Ok(cell)
    }
}

/// Puts the cells of a row of the last step, and ends it; tells its bytes.
pub fn put_row(sql: &Spi, row: usize, sources: &[Source], rows: &mut Rows) -> Result<usize, Error> {
    for (at, source) in sources.iter().enumerate() {
        source.put(sql, row, rows, at)?;
    }
    Ok(rows.end_row()?)
}

fn kind(ty: Oid, modifier: i32) -> Kind {
    match ty {
        pg_sys::BOOLOID => Kind::Bool,
        pg_sys::INT2OID => Kind::Int16,
        pg_sys::INT4OID => Kind::Int32,
        pg_sys::INT8OID => Kind::Int64,
        pg_sys::FLOAT4OID => Kind::Float,
        pg_sys::FLOAT8OID => Kind::Double,
        pg_sys::DATEOID => Kind::Date,
        pg_sys::TIMESTAMPTZOID => Kind::Timestamp { zone: true },
        pg_sys::TIMESTAMPOID => Kind::Timestamp { zone: false },
        pg_sys::TIMEOID => Kind::Time,
        pg_sys::UUIDOID => Kind::Uuid,
        pg_sys::BYTEAOID => Kind::Bytes,
        pg_sys::JSONBOID => Kind::Json,
        pg_sys::NUMERICOID => match precision(modifier) {
            Some((precision, scale)) if (1..=i32::from(MAX_PRECISION)).contains(&precision) && (0..=precision).contains(&scale) => {
                Kind::Decimal { precision: precision as u8, scale: scale as u8 }
            }
            // without bounds no decimal of the file can hold it
            _ => Kind::Text,
        },
        _ => Kind::Text,
    }
}

fn export_query(call: &Call) -> Result<Value, Error> {
    allowed()?;
    let path = Path::new(call.text(1)?);
    let overwrite = call.bool(3)?;
    if !path.is_absolute() {
        return Err(FileError::Relative.into());
    }
    if let Some(folder) = path.parent() {
        file::folder(&folder.to_string_lossy())?;
    }
    if path.is_dir() {
        return Err(Error::new("42809", format!("\"{}\" is a folder", path.display())).hint("name the file, such as /data/view.parquet"));
    }
    if !overwrite && file::exists(path)? {
        return Err(FileError::Exists(path.to_owned()).into());
    }
    let compression = Compression::read(call.optional_text(2)?, Format::Parquet)?;
    let mut result = call.rows()?;
    let scratch = Scratch::new(c"fhirlake export");
    let written = spi::connected(|sql| {
        sql.afresh(View::OfTransaction, |sql| {
            let query = query(sql, call.text(0)?)?;
            let cursor = sql.open(&query, &[])?;
            let columns = cursor.columns();
            let sources = columns.iter().zip(1..).map(|(column, number)| Source::of(column, number)).collect::<Result<Vec<_>, _>>()?;
            let fields: Vec<Field> = sources.iter().map(|source| source.field.clone()).collect();
            let mut rows = Rows::new(Outgoing::create(path.to_owned(), &mark()?)?, &fields, compression, threads())?;
            loop {
                check_for_interrupts();
                let count = cursor.fetch(sql, STEP)?;
                for row in 0..count {
                    let _row = scratch.enter();
                    put_row(sql, row, &sources, &mut rows)?;
                }
                if count < STEP {
                    break;
                }
            }
            cursor.close()?;
            Ok(rows.end()?)
        })
    });
    let (outgoing, count) = written.map_err(explained)?;
    check_for_interrupts();
    let bytes = outgoing.bytes();
    if !overwrite && file::exists(path)? {
        return Err(FileError::Exists(path.to_owned()).into());
    }
    outgoing.publish()?;
    if let Some(folder) = path.parent() {
        file::sync_folder(folder)?;
    }
    result.add([(count as i64).into(), (bytes as i64).into()]);
    Ok(Value::Null)
}

/// What the server says about a query that it does not open, in our words.
fn explained(error: Error) -> Error {
    match error.told().sqlstate.as_str() {
        "42P11" => Error::new("42P11", "that is not one query that gives rows").hint("write one SELECT, VALUES, TABLE or WITH"),
        // "is not allowed in a non-volatile function"
        "0A000" if error.told().message.contains("non-volatile") => {
            Error::new("25006", "a query that is exported must not change anything").hint("make the change first, then export what it has made")
        }
        _ => error,
    }
}

/// The query that a text means: itself, or all of a table or view if it is the name of one.
fn query(sql: &Spi, text: &str) -> Result<String, Error> {
    let text = text.trim();
    let is_name = !text.is_empty() && (text.starts_with('"') || !text.contains(|c: char| c.is_whitespace() || c == ';' || c == '('));
    if !is_name {
        return Ok(text.trim_end_matches(';').to_owned());
    }
    let count = sql.select("SELECT pg_catalog.to_regclass($1)::pg_catalog.text", &[Arg::Text(text)])?;
    match sql.text(0, 1).filter(|_| count == 1) {
        Some(name) => Ok(format!("TABLE {name}")),
        None => Err(Error::new(error::UNDEFINED_TABLE, format!("there is no table or view {text}")).hint("name one, or write a query")),
    }
}
