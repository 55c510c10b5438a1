//! `fhir.load`: files into the current lake.
//!
//! 1. Lines are read, parsed and validated one by one; a bad one goes to `load_error` and the load goes on.
//! 2. Good ones collect in a batch by table, in the server's array form.
//! 3. A full batch is one INSERT for each table, through the same triggers as every write, which know the bytes as validated.
//!    An id that is in the batch already sends it off first, so that a later line supersedes an earlier one.

use super::files::{self, FilesError};
use super::line::{self, Rejected};
use super::lines::{Line, Lines, MAX_LINE, Place};
use crate::json::Limits;
use crate::model::TypeId;
use crate::pg::access;
use crate::pg::arrays::jsonb_array;
use crate::pg::error::{self, Error};
use crate::pg::function::{Call, Value};
use crate::pg::memory::Scratch;
use crate::pg::settings::{self, Validation};
use crate::pg::spi::{Arg, Spi, connected};
use crate::pg::time::check_for_interrupts;
use crate::sql_function;
use crate::store::accepted;
use crate::store::table_of;
use pgrx::pg_sys;
use std::collections::{BTreeMap, HashSet};
use std::path::Path;

/// Lines and bytes in a batch, whichever comes first.
const BATCH_LINES: usize = 2000;
const BATCH_BYTES: usize = 8 * 1024 * 1024;

sql_function!(fhir_load, load);

impl From<FilesError> for Error {
    fn from(error: FilesError) -> Error {
        let message = error.to_string();
        match error {
            FilesError::Relative => Error::new(error::INVALID_PARAMETER, message)
                .hint("name a file, a folder or a pattern such as /data/*.ndjson on the database server"),
            FilesError::BadPattern(_) => Error::new(error::INVALID_PARAMETER, message),
            FilesError::None => Error::new(error::UNDEFINED_FILE, message)
                .hint("the path is one on the database server, seen by the user that the server runs as"),
            FilesError::Unreadable { .. } => Error::new(error::IO_ERROR, message)
                .hint("the user that the server runs as must be able to read it"),
        }
    }
}

fn load(call: &Call) -> Result<Value, Error> {
    if !access::may_read_server_files() {
        return Err(Error::new(error::INSUFFICIENT_PRIVILEGE, "permission denied to load files of the server")
            .detail("this takes a superuser or a member of pg_read_server_files")
            .hint("GRANT pg_read_server_files TO …, or send resources by INSERT or COPY"));
    }
    let lake = access::quoted(&existing_lake()?);
    let files = files::find(call.text(0)?)?;
    let mut rows = call.rows()?;
    for file in files {
        let count = load_file(&file, &lake)?;
        rows.add([
            file.to_string_lossy().into_owned().into(),
            count.loaded.into(),
            count.unchanged.into(),
            count.rejected.into(),
        ]);
    }
    Ok(Value::Null)
}

/// A lake has a table for every type, so any will show it.
fn existing_lake() -> Result<String, Error> {
    if let Some(ty) = crate::model::resource_types().next() {
        table_of(ty.name())?;
    }
    Ok(settings::lake())
}

#[derive(Clone, Copy, Default)]
struct Count {
    loaded: i64,
    unchanged: i64,
    rejected: i64,
}

/// One file on its way in.
struct Load<'a> {
    lake: &'a str,
    file: String,
    number: i64,
    count: Count,
    batch: Batch,
    scratch: Scratch,
}

#[derive(Default)]
struct Batch {
    tables: BTreeMap<TypeId, Table>,
    rejected: Vec<(Place, Rejected)>,
    lines: usize,
    bytes: usize,
}

#[derive(Default)]
struct Table {
    containers: Vec<Vec<u8>>,
    ids: HashSet<String>,
}

fn load_file(path: &Path, lake: &str) -> Result<Count, Error> {
    let source = files::open(path)?;
    let unreadable = |error| Error::from(FilesError::Unreadable { path: path.to_owned(), error });
    let validated = settings::validation() == Validation::structure;
    let limits = Limits { max_bytes: MAX_LINE, ..Limits::default() };

    let file = path.to_string_lossy().replace('\0', "");
    let number = connected(|sql| {
        let insert = format!("INSERT INTO {lake}.load (file) VALUES ($1) RETURNING id");
        sql.int(&insert, &[Arg::Text(&file)], false)
    })?;
    let number = number.ok_or_else(|| Error::new(error::INTERNAL, "a load got no number"))?;
    let mut load =
        Load { lake, file, number, count: Count::default(), batch: Batch::default(), scratch: Scratch::new(c"fhirlake load") };

    let mut lines = Lines::new(source, MAX_LINE);
    while let Some((place, line)) = lines.next_line().map_err(unreadable)? {
        check_for_interrupts();
        let read = match line {
            Line::Text(text) => line::read(text, &limits, validated),
            Line::TooLong(start) => Err(line::too_long(start, MAX_LINE)),
        };
        match read {
            Ok(accepted) => load.add(accepted)?,
            Err(rejected) => load.batch.reject(place, rejected),
        }
        if load.batch.is_full() {
            load.flush()?;
        }
    }
    load.flush()?;
    connected(|sql| {
        let update = format!(
            "UPDATE {lake}.load SET loaded = $2, unchanged = $3, rejected = $4, finished = pg_catalog.clock_timestamp() \
             WHERE id OPERATOR(pg_catalog.=) $1"
        );
        let count = load.count;
        sql.run(&update, &[load.number, count.loaded, count.unchanged, count.rejected].map(Arg::Int))
    })?;
    Ok(load.count)
}

impl Batch {
    fn reject(&mut self, place: Place, rejected: Rejected) {
        self.lines += 1;
        self.bytes += rejected.text.len() + rejected.reason.len();
        self.rejected.push((place, rejected));
    }

    fn is_full(&self) -> bool {
        self.lines >= BATCH_LINES || self.bytes >= BATCH_BYTES
    }
}

impl Load<'_> {
    fn add(&mut self, accepted: line::Accepted) -> Result<(), Error> {
        if let Some(id) = &accepted.id
            && self.batch.tables.get(&accepted.ty).is_some_and(|table| table.ids.contains(id))
        {
            self.flush()?;
        }
        self.batch.lines += 1;
        self.batch.bytes += accepted.container.len();
        let table = self.batch.tables.entry(accepted.ty).or_default();
        table.ids.extend(accepted.id);
        table.containers.push(accepted.container);
        Ok(())
    }

    fn flush(&mut self) -> Result<(), Error> {
        let batch = std::mem::take(&mut self.batch);
        let _memory = self.scratch.enter();
        connected(|sql| {
            for (ty, table) in &batch.tables {
                let written = write(sql, *ty, table)?;
                self.count.loaded += written;
                self.count.unchanged += table.containers.len() as i64 - written;
            }
            for (place, rejected) in &batch.rejected {
                self.write_error(sql, *place, rejected)?;
            }
            self.count.rejected += batch.rejected.len() as i64;
            Ok(())
        })
    }

    fn write_error(&self, sql: &Spi, place: Place, rejected: &Rejected) -> Result<(), Error> {
        let insert = format!(
            "INSERT INTO {}.load_error (load, line, byte_offset, file, expression, reason, text) VALUES ($1, $2, $3, $4, $5, $6, $7)",
            self.lake
        );
        let expression = rejected.expression.as_deref().map_or(Arg::Null(pg_sys::TEXTOID), Arg::Text);
        let args = [
            Arg::Int(self.number),
            Arg::Int(place.number as i64),
            Arg::Int(place.offset as i64),
            Arg::Text(&self.file),
            expression,
            Arg::Text(&rejected.reason),
            Arg::Text(&rejected.text),
        ];
        sql.run(&insert, &args).map(drop)
    }
}

/// Writes the resources of one table; how many of them were new or changed.
fn write(sql: &Spi, ty: TypeId, table: &Table) -> Result<i64, Error> {
    let insert = format!(
        "INSERT INTO {} AS r (resource) SELECT u.resource FROM pg_catalog.unnest($1) AS u (resource) \
         ON CONFLICT (type, id) DO UPDATE SET resource = EXCLUDED.resource \
         WHERE NOT fhir.same_resource(r.resource, EXCLUDED.resource)",
        table_of(ty.name())?
    );
    let valid = accepted::Batch::begin();
    if settings::validation() == Validation::structure {
        for container in &table.containers {
            valid.accept(container);
        }
    }
    let array = jsonb_array(&table.containers);
    Ok(sql.run(&insert, &[Arg::Datum(pg_sys::JSONBARRAYOID, array)])? as i64)
}
