//! `fhir.load`: files into the current lake, in one transaction.
//!
//! 1. Threads read, parse, validate and stamp; their results come in the order of the lines.
//! 2. Rows collect in batches by table; deletions and rejected lines take their turn.
//! 3. Resources whose references are searches come last, when what these find is there.
//! 4. References that lead nowhere are counted, and the books are closed.

use super::aside::Aside;
use super::files::{self, FilesError, Input};
use super::journal::Journal;
use super::options::{self, Conflict, Format, OnError, OptionError, Options};
use super::pipeline::{Next, Pipeline, PipelineError};
use super::source::Source;
use super::targets::Targets;
use super::work::{Done, Ids, Outcome, Work};
use super::write::{Origin, Writer};
use crate::model;
use crate::pg::access;
use crate::pg::error::{self, Error};
use crate::pg::function::{Call, Value};
use crate::pg::progress::CopyProgress;
use crate::pg::settings::{self, Validation};
use crate::pg::threads;
use crate::pg::time::{self, check_for_interrupts};
use crate::sql_function;
use crate::store::table_of;
use crate::validate::Level;
use pgrx::pg_sys;
use std::sync::Arc;
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
            FilesError::Manifest { .. } => Error::new(error::INVALID_PARAMETER, message)
                .hint("download the files, and let the url of each be its name beside the manifest; or load the folder of the files"),
            FilesError::NoFile(_) => Error::new(error::WRONG_OBJECT_TYPE, message).hint("a load reads files, folders and patterns of files"),
            FilesError::Unreadable { .. } => Error::new(error::IO_ERROR, message)
                .hint("the user that the server runs as must be able to read it"),
        }
    }
}

impl From<OptionError> for Error {
    fn from(error: OptionError) -> Error {
        Error::new(error::INVALID_PARAMETER, error.to_string()).hint(error.hint())
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

/// `fhir.load(path, validation, on_error, max_errors, dry_run, conflict, keep_versions, format, resolve_references, check_references)`
fn load(call: &Call) -> Result<Value, Error> {
    may_read_files()?;
    let (path, options, level) = (call.text(0)?, asked(call)?, level(call.optional_text(1)?)?);
    let table = existing_lake()?;
    let inputs: Arc<[Input]> = files::find(path)?.into();
    let mut size = 0;
    for input in inputs.iter() {
        size += files::size(&input.path)?;
    }
    let seed = time::random().map(u64::from_be_bytes).ok_or_else(|| Error::new(error::INTERNAL, "no random numbers for ids"))?;
    let work = Work {
        level: level.map(|level| level.min(Level::Invariants)),
        keeps_versions: options.keep_versions,
        resolves: options.resolve && !options.dry_run,
        sees_targets: options.count_dangling,
        max_line: MAX_LINE,
        ids: Ids::new(time::now(), seed),
    };
    let source = Source::new(inputs.clone(), options.format, MAX_LINE);
    let mut load = Load::new(options, &inputs, level.filter(|level| !level.is_immutable()))?;
    let progress = CopyProgress::start(table, size);
    let mut pipeline = threads::with_signals_blocked(|| Pipeline::start(source, work, settings::load_workers()))??;
    loop {
        check_for_interrupts();
        match pipeline.next(PATIENCE)? {
            Next::NotYet => {}
            Next::Done(done) => {
                let read = done.read;
                load.take(done)?;
                let (stored, rejected) = load.journal.so_far();
                progress.update(read, stored, rejected);
            }
            Next::End => break,
        }
    }
    drop(pipeline);
    let mut rows = call.rows()?;
    load.finish()?.into_iter().for_each(|row| rows.add(row));
    Ok(Value::Null)
}

pub(super) fn may_read_files() -> Result<(), Error> {
    if access::may_read_server_files() {
        return Ok(());
    }
    Err(Error::new(error::INSUFFICIENT_PRIVILEGE, "permission denied to load files of the server")
        .detail("this takes a superuser or a member of pg_read_server_files")
        .hint("GRANT pg_read_server_files TO …, or send resources by INSERT or COPY"))
}

fn asked(call: &Call) -> Result<Options, Error> {
    let flag = |at: usize, default: bool| if call.datum(at).is_some() { call.bool(at) } else { Ok(default) };
    Ok(Options {
        on_error: call.optional_text(2)?.map_or(Ok(OnError::Reject), OnError::named)?,
        max_errors: if call.datum(3).is_some() { Some(options::max_errors(call.int(3)?)?) } else { None },
        dry_run: flag(4, false)?,
        conflict: call.optional_text(5)?.map_or(Ok(Conflict::Upsert), Conflict::named)?,
        keep_versions: flag(6, false)?,
        format: call.optional_text(7)?.map_or(Ok(Format::Auto), Format::named)?,
        resolve: flag(8, true)?,
        count_dangling: flag(9, true)?,
    })
}

/// How far lines are validated; without a word about it as the setting says.
fn level(name: Option<&str>) -> Result<Option<Level>, Error> {
    match name {
        None => Ok((settings::validation() == Validation::structure).then_some(Level::Structure)),
        Some("off") => Ok(None),
        Some(name) => Level::named(name).map(Some).ok_or_else(|| {
            let shown: String = name.chars().take(64).collect();
            Error::new(error::INVALID_PARAMETER, format!("validation of a load cannot be \"{shown}\""))
                .hint("it is off, structure, invariants, bindings or profile")
        }),
    }
}

/// The table of all resources of the current lake, which has what a load writes.
pub(super) fn existing_lake() -> Result<pg_sys::Oid, Error> {
    // A lake has a table for every type, so any will show it.
    if let Some(ty) = model::resource_types().next() {
        table_of(ty.name())?;
    }
    let lake = settings::lake();
    let table = |name| access::table_named(&lake, name).ok_or_else(|| Error::new(error::UNDEFINED_TABLE, format!("the lake has no table \"{name}\"")));
    if !access::has_column(table("load_error")?, c"is_loaded") {
        return Err(Error::new(error::NOT_IN_STATE, format!("lake \"{lake}\" was made by an older version"))
            .hint("ALTER EXTENSION fhirlake UPDATE, then SELECT fhir.upgrade_lake() adds what is missing"));
    }
    table("resource")
}

/// A load under way.
struct Load {
    options: Options,
    writer: Writer,
    journal: Journal,
    aside: Aside,
    targets: Targets,
}

impl Load {
    /// `level` is what the threads cannot check, for it asks the lake.
    fn new(options: Options, inputs: &[Input], level: Option<Level>) -> Result<Load, Error> {
        let lake = settings::lake();
        let paths = inputs.iter().map(|input| input.path.clone());
        Ok(Load {
            options,
            journal: Journal::new(access::quoted(&lake), options, paths),
            writer: Writer::new(lake, options, level)?,
            aside: Aside::new(),
            targets: Targets::new(),
        })
    }

    fn take(&mut self, done: Done) -> Result<(), Error> {
        let file = done.file;
        self.journal.read(file, done.bytes)?;
        let before = self.journal.lines(file);
        for (place, outcome) in done.outcomes {
            let origin = Origin { file, line: before + place.line + 1, offset: place.offset };
            match outcome {
                Outcome::Row(row) if row.is_conditional => self.aside.add(&row.stamped, origin)?,
                Outcome::Row(row) => self.writer.add(row.stamped, origin)?,
                Outcome::Deletion(ty, id) => self.writer.delete(ty, &id, origin)?,
                Outcome::Rejected(rejected) => self.journal.reject(origin, &rejected)?,
            }
        }
        self.journal.add_lines(file, done.lines);
        if self.options.count_dangling {
            self.targets.add(file, done.targets)?;
        }
        self.journal.take(self.writer.take_outcomes())
    }

    /// Writes what is left; gives the rows of the result.
    fn finish(mut self) -> Result<Vec<Vec<Value>>, Error> {
        self.writer.flush()?;
        self.journal.take(self.writer.take_outcomes())?;
        self.writer.complete()?;
        self.aside.resolve(&mut self.writer, &mut self.journal)?;
        self.writer.complete()?;
        if self.options.count_dangling && !self.options.dry_run {
            self.journal.dangling(self.targets.missing()?);
        }
        self.journal.close()
    }
}
