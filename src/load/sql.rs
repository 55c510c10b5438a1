//! `fhir.load`: files into the current lake.
//!
//! 1. Threads read, parse, validate and stamp; their results come in the order of the lines.
//! 2. Rows collect in batches by table, which go through the same triggers as every write.
//! 3. A rejected line goes to `load_error`, and the load goes on.

use super::files::{self, FilesError};
use super::line::Rejected;
use super::pipeline::{Next, Pipeline, PipelineError};
use super::source::Source;
use super::work::{Done, Entry, Ids, Work};
use super::write::Writer;
use crate::model;
use crate::pg::access;
use crate::pg::error::{self, Error};
use crate::pg::function::{Call, Value};
use crate::pg::progress::CopyProgress;
use crate::pg::settings::{self, Validation};
use crate::pg::spi::{Arg, connected};
use crate::pg::time::{self, check_for_interrupts};
use crate::pg::threads;
use crate::sql_function;
use crate::store::table_of;
use pgrx::pg_sys;
use std::path::PathBuf;
use std::time::Duration;

/// The longest line that is read. A resource may hold attachments, but a datum may not pass 1 GB and a batch is in memory.
pub const MAX_LINE: usize = 64 * 1024 * 1024;

/// How long the backend waits for threads before it looks whether it is wanted otherwise.
const PATIENCE: Duration = Duration::from_millis(50);

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
            FilesError::NoFile(_) => Error::new(error::WRONG_OBJECT_TYPE, message).hint("a load reads files, folders and patterns of files"),
            FilesError::Unreadable { .. } => Error::new(error::IO_ERROR, message)
                .hint("the user that the server runs as must be able to read it"),
        }
    }
}

impl From<PipelineError> for Error {
    fn from(error: PipelineError) -> Error {
        match error {
            PipelineError::Files(error) => error.into(),
            PipelineError::Thread(error) => Error::new("53000", format!("could not start a thread: {error}"))
                .hint("SET fhir.load_workers = 0 loads without threads"),
            PipelineError::Panic => Error::new(error::INTERNAL, "a thread of the load failed").hint("the server's log tells where"),
        }
    }
}

fn load(call: &Call) -> Result<Value, Error> {
    if !access::may_read_server_files() {
        return Err(Error::new(error::INSUFFICIENT_PRIVILEGE, "permission denied to load files of the server")
            .detail("this takes a superuser or a member of pg_read_server_files")
            .hint("GRANT pg_read_server_files TO …, or send resources by INSERT or COPY"));
    }
    let table = existing_lake()?;
    let files = files::find(call.text(0)?)?;
    let mut size = 0;
    for file in &files {
        size += files::size(file)?;
    }
    let seed = time::random().map(u64::from_be_bytes).ok_or_else(|| Error::new(error::INTERNAL, "no random numbers for ids"))?;
    let work = Work { validated: settings::validation() == Validation::structure, max_line: MAX_LINE, ids: Ids::new(time::now(), seed) };
    let source = Source::new(files.clone(), MAX_LINE);
    let mut load = Load { lake: access::quoted(&settings::lake()), files, writer: Writer::new(&settings::lake()), current: None, reports: Vec::new() };
    let progress = CopyProgress::start(table, size);
    let mut pipeline = threads::with_signals_blocked(|| Pipeline::start(source, work, settings::load_workers()))??;
    loop {
        check_for_interrupts();
        match pipeline.next(PATIENCE)? {
            Next::NotYet => {}
            Next::Done(done) => {
                let read = done.read;
                load.take(done)?;
                let (stored, rejected) = load.so_far();
                progress.update(read, stored, rejected);
            }
            Next::End => break,
        }
    }
    drop(pipeline);
    load.writer.finish()?;
    let mut rows = call.rows()?;
    for report in load.reports {
        rows.add([report.file.into(), report.loaded.into(), report.unchanged.into(), report.rejected.into()]);
    }
    Ok(Value::Null)
}

/// The table of all resources of the current lake.
fn existing_lake() -> Result<pg_sys::Oid, Error> {
    // A lake has a table for every type, so any will show it.
    if let Some(ty) = model::resource_types().next() {
        table_of(ty.name())?;
    }
    access::table_named(&settings::lake(), "resource").ok_or_else(|| Error::new(error::UNDEFINED_TABLE, "the lake has no table \"resource\""))
}

/// What a file has come to.
#[derive(Clone, Default)]
struct Report {
    file: String,
    loaded: i64,
    unchanged: i64,
    rejected: i64,
    bytes: u64,
}

/// A load under way.
struct Load {
    lake: String,
    files: Vec<PathBuf>,
    writer: Writer,
    current: Option<Current>,
    reports: Vec<Report>,
}

/// The file whose lines come in.
struct Current {
    number: i64,
    report: Report,
    lines: u64,
}

impl Load {
    fn take(&mut self, done: Done) -> Result<(), Error> {
        let mut current = match self.current.take() {
            Some(current) => current,
            None => self.begin(done.file)?,
        };
        current.report.bytes += done.bytes;
        for Entry { place, outcome } in done.entries {
            match outcome {
                Ok(row) => self.writer.add(*row)?,
                Err(rejected) => {
                    current.report.rejected += 1;
                    self.reject(&current, current.lines + place.line + 1, place.offset, &rejected)?;
                }
            }
        }
        current.lines += done.lines;
        if done.is_end {
            self.writer.flush()?;
        }
        let written = self.writer.take_written();
        current.report.loaded += written.loaded;
        current.report.unchanged += written.unchanged;
        if done.is_end {
            self.end(current)
        } else {
            self.current = Some(current);
            Ok(())
        }
    }

    fn begin(&self, file: usize) -> Result<Current, Error> {
        let file = self.files.get(file).map(|path| path.to_string_lossy().replace('\0', "")).unwrap_or_default();
        let number = connected(|sql| {
            let insert = format!("INSERT INTO {}.load (file) VALUES ($1) RETURNING id", self.lake);
            sql.int(&insert, &[Arg::Text(&file)], false)
        })?;
        let number = number.ok_or_else(|| Error::new(error::INTERNAL, "a load got no number"))?;
        Ok(Current { number, report: Report { file, ..Report::default() }, lines: 0 })
    }

    fn end(&mut self, current: Current) -> Result<(), Error> {
        let Current { number, report, .. } = current;
        connected(|sql| {
            let update = format!(
                "UPDATE {}.load SET loaded = $2, unchanged = $3, rejected = $4, finished = pg_catalog.clock_timestamp() \
                 WHERE id OPERATOR(pg_catalog.=) $1",
                self.lake
            );
            sql.run(&update, &[number, report.loaded, report.unchanged, report.rejected].map(Arg::Int))
        })?;
        self.reports.push(report);
        Ok(())
    }

    fn reject(&self, current: &Current, line: u64, offset: u64, rejected: &Rejected) -> Result<(), Error> {
        let insert = format!(
            "INSERT INTO {}.load_error (load, line, byte_offset, file, expression, reason, text) VALUES ($1, $2, $3, $4, $5, $6, $7)",
            self.lake
        );
        let args = [
            Arg::Int(current.number),
            Arg::Int(line as i64),
            Arg::Int(offset as i64),
            Arg::Text(&current.report.file),
            rejected.expression.as_deref().map_or(Arg::Null(pg_sys::TEXTOID), Arg::Text),
            Arg::Text(&rejected.reason),
            Arg::Text(&rejected.text),
        ];
        connected(|sql| sql.run(&insert, &args)).map(drop)
    }

    /// Resources stored and lines rejected in all files.
    fn so_far(&self) -> (i64, i64) {
        let reports = self.reports.iter().chain(self.current.as_ref().map(|current| &current.report));
        reports.fold((0, 0), |(stored, rejected), report| (stored + report.loaded + report.unchanged, rejected + report.rejected))
    }
}
