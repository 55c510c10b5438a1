//! `fhir.export`: the current lake into files of the server.
//!
//! 1. The horizon is read before the snapshot, so that the manifest names an instant from which the next export misses nothing.
//! 2. Each type is read through a cursor, its rows go to other threads in batches and come back as text, in order.
//! 3. When all files are complete they get their names, the manifest last. An error before that leaves nothing.

use super::error::ExportError;
use super::file::{self, FileError, Outgoing};
use super::folder::{DELETED, Folder, MANIFEST};
use super::lines::{self, LinesError};
use super::manifest::{self, Listed, Manifest};
use super::members::{self, Members};
use super::query::sql::{Source, put_row};
use super::request::{self, Compression, Format, RequestError, Subjects, suffix};
use super::sink::Sink;
use super::statement::{self, PARAMETERS, Scope};
use super::stream::{Lines, Rows, Threads};
use super::table::{Cell, Field, Kind, TableError};
use crate::index::time::{OPEN_HIGH, OPEN_LOW, instant_text};
use crate::json;
use crate::model::{self, TypeId};
use crate::pg::access;
use crate::pg::arrays::{text_array, texts};
use crate::pg::error::{self, Error};
use crate::pg::function::{Call, Value};
use crate::pg::memory::Scratch;
use crate::pg::output::Output;
use crate::pg::progress::CopyProgress;
use crate::pg::snapshot::{self, View};
use crate::pg::spi::{self, Arg, Spi};
use crate::pg::time::{check_for_interrupts, now, random};
use crate::pg::{exit, running, settings, threads as pg_threads};
use crate::search::quote::literal;
use crate::sql_function;
use pgrx::pg_sys;
use pgrx::pg_sys::Oid;
use std::collections::HashSet;

// (directory, types, since, of, format, compression, history, after, overwrite)
sql_function!(fhir_export, export);
// (types, since, of, history, after)
sql_function!(fhir_export_sql, statement);

/// Rows fetched in one step.
pub const STEP: usize = 500;
/// Threads at most: more than these wait for the reading.
const THREADS: usize = 8;

impl From<RequestError> for Error {
    fn from(error: RequestError) -> Error {
        Error::new(error::INVALID_PARAMETER, error.message).hint(error.hint)
    }
}

impl From<FileError> for Error {
    fn from(error: FileError) -> Error {
        let message = error.to_string();
        let io = |error: &std::io::Error| match error.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => (error::DISK_FULL, "free room there, or export with compression"),
            std::io::ErrorKind::PermissionDenied => (error::INSUFFICIENT_PRIVILEGE, "the user that the server runs as must be able to write there"),
            _ => (error::IO_ERROR, "the folder is one on the database server, seen by the user that the server runs as"),
        };
        match error {
            FileError::Relative => Error::new(error::INVALID_PARAMETER, message).hint("name a folder on the database server, such as /data/export"),
            FileError::NoFolder(_) => Error::new(error::UNDEFINED_FILE, message)
                .hint("make it on the database server, with an owner that lets the user that the server runs as write to it"),
            FileError::NotAFolder(_) => Error::new("42809", message),
            FileError::Exists(_) => {
                Error::new(error::DUPLICATE_FILE, message).hint("choose another place, or replace what is there with overwrite => true")
            }
            FileError::Io { error, .. } => {
                let (sqlstate, hint) = io(&error);
                Error::new(sqlstate, message).hint(hint)
            }
        }
    }
}

impl From<ExportError> for Error {
    fn from(error: ExportError) -> Error {
        match error {
            ExportError::Request(error) => error.into(),
            ExportError::File(error) => error.into(),
            ExportError::Lines(LinesError::Memory) | ExportError::Table(TableError::Memory) => {
                Error::new(error::OUT_OF_MEMORY, "no memory for the text of resources, or it is longer than 1 GB")
            }
            ExportError::Lines(LinesError::Broken) | ExportError::Table(TableError::Broken) => {
                Error::new("XX001", "a stored document is not well-formed")
            }
            ExportError::Table(TableError::NoColumns) => Error::new(error::INVALID_PARAMETER, "the query has no columns"),
            ExportError::Table(TableError::TwoColumns(name)) => {
                Error::new("42701", format!("two columns of the query are named \"{name}\"")).hint("give each a name of its own with AS")
            }
            ExportError::Table(TableError::File(error)) => error.into(),
            ExportError::Lines(LinesError::Packing(reason)) | ExportError::Table(TableError::Parquet(reason)) => {
                Error::new(error::INTERNAL, format!("could not write the file: {reason}"))
            }
            ExportError::Thread => Error::new(error::INTERNAL, "a thread of the export failed"),
        }
    }
}

/// Which resources the caller asks for.
struct Asked {
    lake: String,
    types: Option<Vec<TypeId>>,
    since: Option<i64>,
    subjects: Subjects,
    history: bool,
    after: Option<pg_sys::Datum>,
}

/// As what.
struct Packed {
    format: Format,
    compression: Compression,
}

impl Asked {
    /// The arguments that both functions have, by their numbers: types, since, of, history, after.
    fn read(call: &Call, [types, since, of, history, after]: [usize; 5]) -> Result<Asked, Error> {
        // SAFETY: the SQL declaration says that this argument is a text[]; it lives as long as the call.
        let names = call.datum(types).map(|types| unsafe { texts(types) });
        let since = call.datum(since).map(|since| since.value() as i64).filter(|since| *since != OPEN_LOW);
        if since == Some(OPEN_HIGH) {
            return Err(Error::new(error::INVALID_PARAMETER, "nothing changed since infinity"));
        }
        let lake = settings::lake();
        if !access::has_table(&lake, "resource") {
            return Err(Error::new(error::UNDEFINED_TABLE, format!("there is no lake \"{lake}\""))
                .hint("SELECT fhir.create_lake() makes one, fhir.lakes() lists them, SET fhir.lake chooses one"));
        }
        Ok(Asked {
            lake,
            types: names.map(|names| request::types(Some(names))).transpose()?,
            since,
            subjects: Subjects::read(call.optional_text(of)?)?,
            history: call.bool(history)?,
            after: call.datum(after),
        })
    }

    /// For statements that we run.
    fn scope(&self) -> Scope<'_> {
        let [since, after, compartments] = PARAMETERS.map(str::to_owned);
        Scope { lake: &self.lake, subjects: &self.subjects, since: self.since.map(|_| since), after: self.after.map(|_| after), compartments }
    }

    /// The types asked for.
    fn types(&self) -> Vec<TypeId> {
        let all = || model::resource_types().collect();
        self.types.clone().unwrap_or_else(all)
    }

    /// The statements that give the resources of a type, none if there are none, and the table that holds them.
    fn statements(&self, scope: &Scope, ty: TypeId) -> (Option<Oid>, Vec<String>) {
        let table = access::table_named(&self.lake, &ty.name().to_lowercase());
        let mut statements = Vec::new();
        if table.is_some_and(|table| !access::is_empty(table)) {
            statements.push(scope.current(ty));
        }
        if self.history {
            statements.push(scope.superseded(ty));
        }
        (table, statements)
    }

    /// The patients that were named, and those of the groups.
    fn patients(&self, sql: &Spi) -> Result<Vec<String>, Error> {
        let Subjects::Named { patients, groups } = &self.subjects else { return Ok(Vec::new()) };
        let statement = self.scope().groups();
        let (mut found, mut seen) = (patients.clone(), HashSet::new());
        let mut level: Vec<String> = groups.clone();
        for depth in 0.. {
            level.retain(|id| seen.insert(id.clone()));
            if level.is_empty() {
                break;
            }
            if depth == members::DEPTH {
                return Err(Error::new("54001", format!("groups inside groups are deeper than {}", members::DEPTH)));
            }
            let ids: Vec<&str> = level.iter().map(String::as_str).collect();
            let count = sql.select(&statement, &[Arg::Datum(pg_sys::TEXTARRAYOID, text_array(&ids))])?;
            if depth == 0 && count < level.len() {
                let there: HashSet<&str> = (0..count).filter_map(|row| sql.text(row, 1)).collect();
                let missing = level.iter().find(|id| !there.contains(id.as_str())).map_or("", String::as_str);
                return Err(Error::new("FH404", format!("there is no {}/{missing}", request::GROUP)));
            }
            let mut next = Vec::new();
            for row in 0..count {
                let Some(group) = sql.container(row, 2).and_then(json::root) else { continue };
                let Members { patients, groups } = members::members(group, now());
                found.extend(patients);
                next.extend(groups);
            }
            level = next;
        }
        found.sort();
        found.dedup();
        Ok(found)
    }
}

/// Whether the caller may write files here.
pub fn allowed() -> Result<(), Error> {
    if !access::may_write_server_files() {
        return Err(Error::new(error::INSUFFICIENT_PRIVILEGE, "permission denied to write files of the server")
            .detail("this takes a superuser or a member of pg_write_server_files")
            .hint("GRANT pg_write_server_files TO …, or let the client write: \\copy (SELECT resource FROM …) TO …"));
    }
    // a session that is terminated drops nothing
    exit::at_exit(file::abandon);
    Ok(())
}

/// What tells our temporary files from those of others.
pub fn mark() -> Result<String, Error> {
    let mark = random().ok_or_else(|| Error::new(error::INTERNAL, "no random numbers for a name"))?;
    Ok(format!("{:016x}", u64::from_be_bytes(mark)))
}

/// One is here, for the reading.
pub fn threads() -> Threads {
    let count = std::thread::available_parallelism().map_or(1, |count| count.get()).saturating_sub(1).clamp(1, THREADS);
    Threads { count, start, alive: check_for_interrupts }
}

/// Without its signals blocked no thread is started; then there are fewer.
fn start(spawn: &mut dyn FnMut()) {
    let _ = pg_threads::with_signals_blocked(spawn);
}

fn export(call: &Call) -> Result<Value, Error> {
    allowed()?;
    let format = Format::read(call.text(4)?)?;
    let packed = Packed { format, compression: Compression::read(call.optional_text(5)?, format)? };
    let asked = Asked::read(call, [1, 2, 3, 6, 7])?;
    let folder = Folder::open(call.text(0)?, mark()?, call.bool(8)?)?;
    let mut rows = call.rows()?;
    // A fixed snapshot was taken when the transaction began, or later.
    let horizon = if snapshot::is_fixed() { running::horizon().min(running::transaction_start()) } else { running::horizon() };
    let scratch = Scratch::new(c"fhirlake export");
    spi::connected(|sql| {
        sql.afresh(View::OfTransaction, |sql| {
            let compartments = asked.patients(sql)?;
            let mut export = Export { sql, asked: &asked, packed, folder, compartments, scratch: &scratch, output: Vec::new(), deleted: Vec::new() };
            export.types()?;
            if asked.since.is_some() || asked.after.is_some() || asked.history {
                export.deletions()?;
            }
            for written in export.publish(horizon)? {
                rows.add([written.path.into(), written.ty.into(), (written.count as i64).into(), (written.bytes as i64).into()]);
            }
            Ok(())
        })
    })?;
    Ok(Value::Null)
}

/// The statement that gives the same resources to a client, with constants.
fn statement(call: &Call) -> Result<Value, Error> {
    let asked = Asked::read(call, [0, 1, 2, 3, 4])?;
    let statement = spi::connected(|sql| {
        let after = match asked.after {
            Some(after) => Some(format!("{}::pg_catalog.pg_snapshot", literal(Output::of(pg_sys::PG_SNAPSHOTOID)?.text(after)?))),
            None => None,
        };
        let scope = Scope {
            since: asked.since.map(statement::moment),
            after,
            compartments: statement::list(&asked.patients(sql)?),
            ..asked.scope()
        };
        let branches: Vec<String> = asked.types().into_iter().flat_map(|ty| asked.statements(&scope, ty).1).collect();
        Ok(match branches.as_slice() {
            [] => "SELECT NULL::pg_catalog.jsonb AS resource WHERE false".to_owned(),
            branches => format!("SELECT e.resource FROM ({}) e", branches.join(" UNION ALL ")),
        })
    })?;
    Ok(statement.into())
}

/// A file that is complete.
struct Written {
    path: String,
    name: String,
    ty: String,
    count: u64,
    bytes: u64,
}

/// An export at work.
struct Export<'a> {
    sql: &'a Spi,
    asked: &'a Asked,
    packed: Packed,
    folder: Folder,
    /// The patients, if only theirs are wanted.
    compartments: Vec<String>,
    scratch: &'a Scratch,
    output: Vec<Written>,
    deleted: Vec<Written>,
}

impl Export<'_> {
    /// Runs `work` with the parameters of all statements.
    fn with_parameters<T>(&self, work: impl FnOnce(&[Arg; 3]) -> Result<T, Error>) -> Result<T, Error> {
        let compartments: Vec<&str> = self.compartments.iter().map(String::as_str).collect();
        work(&[
            self.asked.since.map_or(Arg::Null(pg_sys::TIMESTAMPTZOID), Arg::Time),
            self.asked.after.map_or(Arg::Null(pg_sys::PG_SNAPSHOTOID), |after| Arg::Datum(pg_sys::PG_SNAPSHOTOID, after)),
            Arg::Datum(pg_sys::TEXTARRAYOID, text_array(&compartments)),
        ])
    }

    /// The resources of all types, and their superseded versions if they are wanted.
    fn types(&mut self) -> Result<(), Error> {
        let scope = self.asked.scope();
        for ty in self.asked.types() {
            let (table, statements) = self.asked.statements(&scope, ty);
            let written = match self.packed.format {
                Format::Ndjson => self.lines(ty, table, &statements)?,
                Format::Parquet => self.rows(ty, table, &statements)?,
            };
            self.output.extend(written);
        }
        Ok(())
    }

    /// A file of lines of what the statements give; none where they give nothing.
    fn lines(&mut self, ty: TypeId, table: Option<Oid>, statements: &[String]) -> Result<Option<Written>, Error> {
        let name = self.name(ty);
        let create = || self.folder.create(&name);
        let mut lines = Lines::new(&create, self.packed.compression, threads());
        self.each(table, statements, |row| {
            let Some(container) = self.sql.container(row, 1) else { return Ok(0) };
            lines.add(container)?;
            Ok(container.len())
        })?;
        let Some((outgoing, count)) = lines.end()? else { return Ok(None) };
        Ok(Some(self.complete(outgoing, name, ty.name(), count)))
    }

    /// A table of what the statements give; none where they give nothing.
    fn rows(&mut self, ty: TypeId, table: Option<Oid>, statements: &[String]) -> Result<Option<Written>, Error> {
        let name = self.name(ty);
        let sources = Source::of_resources();
        let fields: Vec<Field> = sources.iter().map(|source| source.field.clone()).chain([Field { name: "type".into(), kind: Kind::Text, is_list: false }]).collect();
        let mut rows: Option<Rows> = None;
        self.each(table, statements, |row| {
            let rows = match &mut rows {
                Some(rows) => rows,
                empty => empty.insert(Rows::new(self.folder.create(&name)?, &fields, self.packed.compression, threads())?),
            };
            rows.row().put(sources.len(), Cell::Text(ty.name())).map_err(ExportError::from)?;
            put_row(self.sql, row, &sources, rows)
        })?;
        let Some(rows) = rows else { return Ok(None) };
        let (outgoing, count) = rows.end()?;
        Ok(Some(self.complete(outgoing, name, ty.name(), count)))
    }

    /// Does something with each row of the statements, one after the other; what it allocates is freed behind each row. `work`
    /// tells the bytes of the row, for those who watch.
    fn each(&self, table: Option<Oid>, statements: &[String], mut work: impl FnMut(usize) -> Result<usize, Error>) -> Result<(), Error> {
        let progress = table.map(CopyProgress::start_export);
        let (mut count, mut bytes) = (0, 0);
        for statement in statements {
            let cursor = self.with_parameters(|parameters| self.sql.open(statement, parameters))?;
            loop {
                check_for_interrupts();
                let rows = cursor.fetch(self.sql, STEP)?;
                for row in 0..rows {
                    let _row = self.scratch.enter();
                    bytes += work(row)? as u64;
                }
                count += rows as i64;
                if let Some(progress) = &progress {
                    progress.update(bytes, count, 0);
                }
                if rows < STEP {
                    break;
                }
            }
            cursor.close()?;
        }
        Ok(())
    }

    fn name(&self, ty: TypeId) -> String {
        format!("{}{}", ty.name(), suffix(self.packed.format, self.packed.compression))
    }

    fn complete(&mut self, outgoing: Outgoing, name: String, ty: &str, count: u64) -> Written {
        let written = Written { path: outgoing.path().to_string_lossy().into_owned(), name, ty: ty.to_owned(), count, bytes: outgoing.bytes() };
        self.folder.add(outgoing);
        written
    }

    /// A file of Bundles of what was deleted; none where nothing was.
    fn deletions(&mut self) -> Result<(), Error> {
        let scope = self.asked.scope();
        let wanted: HashSet<TypeId> = self.asked.types().into_iter().collect();
        let types = self.with_parameters(|parameters| {
            let count = self.sql.select(&scope.deleted_types(), parameters)?;
            Ok((0..count).filter_map(|row| self.sql.text(row, 1).and_then(model::type_named)).collect::<Vec<_>>())
        })?;
        let name = format!("{DELETED}{}", suffix(Format::Ndjson, self.packed.compression));
        let compression = self.packed.compression;
        let (mut file, mut count) = (None, 0u64);
        for ty in types.into_iter().filter(|ty| wanted.contains(ty)) {
            let cursor = self.with_parameters(|parameters| self.sql.open(&scope.deleted(ty), parameters))?;
            loop {
                check_for_interrupts();
                let rows = cursor.fetch(self.sql, manifest::ENTRIES)?;
                let _memory = self.scratch.enter();
                let ids: Vec<&str> = (0..rows).filter_map(|row| self.sql.text(row, 1)).collect();
                if !ids.is_empty() {
                    let sink = opened(&mut file, &self.folder, &name, compression)?;
                    let line = lines::packed(manifest::deletions(ty.name(), &ids).into_bytes(), compression).map_err(ExportError::from)?;
                    sink.put(&line)?;
                    count += 1;
                }
                if rows < manifest::ENTRIES {
                    break;
                }
            }
            cursor.close()?;
        }
        if let Some(sink) = file {
            let written = self.complete(sink.finish()?, name, "Bundle", count);
            self.deleted.push(written);
        }
        Ok(())
    }

    /// Writes the manifest and gives all files their names.
    fn publish(mut self, horizon: i64) -> Result<Vec<Written>, Error> {
        self.sql.query("SELECT pg_catalog.pg_current_snapshot()::pg_catalog.text")?;
        let snapshot = self.sql.text(0, 1).unwrap_or_default().to_owned();
        let listed = |files: &[Written]| files.iter().map(|file| Listed { ty: file.ty.clone(), name: file.name.clone(), count: file.count }).collect();
        let asked = self.asked;
        let manifest = Manifest {
            transaction_time: instant_text(horizon),
            request: request::url(&asked.subjects, asked.types.as_deref(), asked.since, self.packed.format),
            output: listed(&self.output),
            deleted: listed(&self.deleted),
            snapshot,
        };
        let mut outgoing = self.folder.create(MANIFEST)?;
        outgoing.put(manifest.text().as_bytes())?;
        outgoing.sync()?;
        self.folder.add(outgoing);
        check_for_interrupts();
        self.folder.publish()?;
        self.output.append(&mut self.deleted);
        Ok(self.output)
    }
}

fn opened<'s>(sink: &'s mut Option<Sink>, folder: &Folder, name: &str, compression: Compression) -> Result<&'s mut Sink, Error> {
    match sink {
        Some(sink) => Ok(sink),
        empty => Ok(empty.insert(Sink::new(folder.create(name)?, compression)?)),
    }
}
