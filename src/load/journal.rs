//! The books of a load: a row of `load` for each file, one of `load_error` for each line that is told of, and what the caller gets.

use super::line::Rejected;
use super::options::{OnError, Options};
use super::write::{Origin, Outcomes};
use crate::pg::error::{self, Error};
use crate::pg::function::Value;
use crate::pg::spi::{Arg, connected};
use pgrx::pg_sys;
use std::path::PathBuf;
use std::time::Instant;

/// Rejected lines that an error tells of.
const TOLD: usize = 5;

/// What a file has come to.
struct File {
    name: String,
    /// Its number in `load`; none before it begins.
    number: Option<i64>,
    started: Option<Instant>,
    seconds: f64,
    bytes: u64,
    /// Lines or entries so far.
    lines: u64,
    loaded: i64,
    unchanged: i64,
    rejected: i64,
    deleted: i64,
    unresolved: i64,
    /// `None` where nobody counted.
    dangling: Option<i64>,
}

pub struct Journal {
    /// Quoted.
    lake: String,
    options: Options,
    files: Vec<File>,
    current: Option<usize>,
    rejected: u64,
    first: Vec<String>,
}

impl Journal {
    pub fn new(lake: String, options: Options, paths: impl IntoIterator<Item = PathBuf>) -> Journal {
        let file = |path: PathBuf| File {
            name: path.to_string_lossy().replace('\0', ""),
            number: None,
            started: None,
            seconds: 0.0,
            bytes: 0,
            lines: 0,
            loaded: 0,
            unchanged: 0,
            rejected: 0,
            deleted: 0,
            unresolved: 0,
            dangling: (options.count_dangling && !options.dry_run).then_some(0),
        };
        Journal { lake, options, files: paths.into_iter().map(file).collect(), current: None, rejected: 0, first: Vec::new() }
    }

    /// More of a file has been read.
    pub fn read(&mut self, at: usize, bytes: u64) -> Result<(), Error> {
        if self.current != Some(at) {
            self.stop_clock();
            self.current = Some(at);
            let statement = format!("INSERT INTO {}.load (file, dry_run) VALUES ($1, $2) RETURNING id", self.lake);
            let Some(file) = self.files.get_mut(at) else { return Ok(()) };
            let dry_run = Arg::Datum(pg_sys::BOOLOID, pg_sys::Datum::from(self.options.dry_run));
            file.number = connected(|sql| sql.int(&statement, &[Arg::Text(&file.name), dry_run], false))?;
            file.started = Some(Instant::now());
        }
        if let Some(file) = self.files.get_mut(at) {
            file.bytes += bytes;
        }
        Ok(())
    }

    /// Lines of that file before the chunk that comes in.
    pub fn lines(&self, at: usize) -> u64 {
        self.files.get(at).map_or(0, |file| file.lines)
    }

    pub fn add_lines(&mut self, at: usize, lines: u64) {
        if let Some(file) = self.files.get_mut(at) {
            file.lines += lines;
        }
    }

    /// Takes what became of rows.
    pub fn take(&mut self, outcomes: Outcomes) -> Result<(), Error> {
        for (at, written) in outcomes.written {
            if let Some(file) = self.files.get_mut(at) {
                file.loaded += written.loaded;
                file.unchanged += written.unchanged;
                file.deleted += written.deleted;
            }
        }
        outcomes.rejected.iter().try_for_each(|(origin, rejected)| self.reject(*origin, rejected))
    }

    /// A line that is not loaded. The error that ends the load, where this line is one too many.
    pub fn reject(&mut self, origin: Origin, rejected: &Rejected) -> Result<(), Error> {
        self.rejected += 1;
        if self.first.len() < TOLD {
            self.first.push(self.told(origin, &rejected.reason));
        }
        if let Some(file) = self.files.get_mut(origin.file) {
            file.rejected += 1;
        }
        let is_too_many = self.options.max_errors.is_some_and(|max| self.rejected > max);
        if self.options.on_error == OnError::Stop || is_too_many {
            return Err(self.failure(origin, rejected));
        }
        self.write(origin, rejected, false)
    }

    /// A resource that is loaded with a reference that could not be resolved.
    pub fn unresolved(&mut self, origin: Origin, told: &Rejected) -> Result<(), Error> {
        if let Some(file) = self.files.get_mut(origin.file) {
            file.unresolved += 1;
        }
        self.write(origin, told, true)
    }

    /// References that lead nowhere, by the file that has the first of them; `None` where they are too many to count.
    pub fn dangling(&mut self, counts: Option<Vec<(usize, i64)>>) {
        match counts {
            None => self.files.iter_mut().for_each(|file| file.dangling = None),
            Some(counts) => {
                for (at, count) in counts {
                    if let Some(file) = self.files.get_mut(at) {
                        file.dangling = Some(count);
                    }
                }
            }
        }
    }

    /// Completes the rows of `load`, and gives those of the result.
    pub fn close(mut self) -> Result<Vec<Vec<Value>>, Error> {
        self.stop_clock();
        let update = format!(
            "UPDATE {}.load SET loaded = $2, unchanged = $3, rejected = $4, deleted = $5, unresolved = $6, dangling = $7, bytes = $8, \
             rows_per_second = $9, mb_per_second = $10, finished = pg_catalog.clock_timestamp() WHERE id OPERATOR(pg_catalog.=) $1",
            self.lake
        );
        let float = |value: f64| pg_sys::Datum::from(value.to_bits());
        let mut rows = Vec::new();
        for file in &self.files {
            let Some(number) = file.number else { continue };
            let seconds = file.seconds.max(1e-6);
            let (rate, megabytes) = ((file.loaded + file.unchanged) as f64 / seconds, file.bytes as f64 / 1e6 / seconds);
            let bytes = i64::try_from(file.bytes).unwrap_or(i64::MAX);
            let args = [
                Arg::Int(number),
                Arg::Int(file.loaded),
                Arg::Int(file.unchanged),
                Arg::Int(file.rejected),
                Arg::Int(file.deleted),
                Arg::Int(file.unresolved),
                file.dangling.map_or(Arg::Null(pg_sys::INT8OID), Arg::Int),
                Arg::Int(bytes),
                Arg::Datum(pg_sys::FLOAT8OID, float(rate)),
                Arg::Datum(pg_sys::FLOAT8OID, float(megabytes)),
            ];
            connected(|sql| sql.run(&update, &args))?;
            rows.push(vec![
                file.name.as_str().into(),
                file.loaded.into(),
                file.unchanged.into(),
                file.rejected.into(),
                file.deleted.into(),
                file.unresolved.into(),
                file.dangling.into(),
                bytes.into(),
                Value::Datum(float(file.seconds)),
                Value::Datum(float(rate)),
                Value::Datum(float(megabytes)),
            ]);
        }
        Ok(rows)
    }

    /// Resources stored and lines rejected in all files.
    pub fn so_far(&self) -> (i64, i64) {
        let stored = self.files.iter().map(|file| file.loaded + file.unchanged).sum();
        (stored, i64::try_from(self.rejected).unwrap_or(i64::MAX))
    }

    fn stop_clock(&mut self) {
        if let Some(file) = self.current.and_then(|at| self.files.get_mut(at)) {
            file.seconds = file.started.map_or(0.0, |started| started.elapsed().as_secs_f64());
        }
    }

    fn told(&self, origin: Origin, reason: &str) -> String {
        let name = self.files.get(origin.file).map(|file| file.name.as_str()).unwrap_or_default();
        format!("line {} of \"{name}\": {}", origin.line, reason.lines().next().unwrap_or_default())
    }

    fn failure(&self, origin: Origin, last: &Rejected) -> Error {
        let hint = "nothing of this load is stored; on_error => 'reject' loads what is valid and keeps the rest in load_error";
        if self.options.on_error == OnError::Stop {
            let message = self.first.first().cloned().unwrap_or_default();
            return Error::new(last.sqlstate.clone(), message).detail(format!("at byte {} of the file", origin.offset)).hint(hint);
        }
        let max = self.options.max_errors.unwrap_or(0);
        Error::new(last.sqlstate.clone(), format!("more than {max} lines of the load are rejected"))
            .detail(self.first.join("\n"))
            .hint("nothing of this load is stored; max_errors bounds how many lines may be rejected")
    }

    fn write(&self, origin: Origin, told: &Rejected, is_loaded: bool) -> Result<(), Error> {
        let Some((file, number)) = self.files.get(origin.file).and_then(|file| Some((file, file.number?))) else {
            return Err(Error::new(error::INTERNAL, "a line came before its file"));
        };
        // A Bundle in one line may be told of more than once.
        let insert = format!(
            "INSERT INTO {}.load_error AS e (load, line, byte_offset, file, expression, reason, text, is_loaded) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8) \
             ON CONFLICT (load, line) DO UPDATE SET reason = e.reason OPERATOR(pg_catalog.||) E'\\n' OPERATOR(pg_catalog.||) EXCLUDED.reason",
            self.lake
        );
        let args = [
            Arg::Int(number),
            Arg::Int(i64::try_from(origin.line).unwrap_or(i64::MAX)),
            Arg::Int(i64::try_from(origin.offset).unwrap_or(i64::MAX)),
            Arg::Text(&file.name),
            told.expression.as_deref().map_or(Arg::Null(pg_sys::TEXTOID), Arg::Text),
            Arg::Text(&told.reason),
            Arg::Text(&told.text),
            Arg::Datum(pg_sys::BOOLOID, pg_sys::Datum::from(is_loaded)),
        ];
        connected(|sql| sql.run(&insert, &args)).map(drop)
    }
}
