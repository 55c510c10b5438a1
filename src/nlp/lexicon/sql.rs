//! The active lexicon of the database, and what a DBA does with lexicons.
//!
//! A compiled lexicon is a value in `fhir.lexicon`; the one that is shipped is compiled when it is first needed. Each server keeps
//! what it has used as a file named by checksum, which all backends map.

use std::cell::RefCell;
use std::io;
use std::path::PathBuf;

use super::source::Record;
use super::{CompileError, Compiler, FormatError, Lexicon, shipped};
use crate::pg::access;
use crate::pg::error::{self, Error};
use crate::pg::function::Value;
use crate::pg::invalidation;
use crate::pg::mapped;
use crate::pg::spi::{Arg, Spi, connected};
use crate::sql_function;
use pgrx::pg_sys::Oid;

thread_local! {
    static KNOWN: RefCell<Known> = const { RefCell::new(Known { opened: Vec::new(), active: None }) };
}

/// What this session knows of lexicons.
struct Known {
    /// by checksum; they stay as long as the session
    opened: Vec<(u64, &'static Lexicon)>,
    /// the active one, as of a generation of the table
    active: Option<((Oid, u64), &'static Lexicon)>,
}

/// The active lexicon of this database: that of `fhir.lexicon` which is active, or else the one that is shipped.
pub fn active() -> Result<&'static Lexicon, Error> {
    let Some(table) = access::table_named("fhir", "lexicon") else { return shipped_lexicon() };
    let age = (table, invalidation::generation_of(table));
    if let Some((known, lexicon)) = KNOWN.with_borrow(|known| known.active)
        && known == age
    {
        return Ok(lexicon);
    }
    let lexicon = connected(|sql| {
        let found = sql.select("SELECT l.version, l.checksum FROM fhir.lexicon l WHERE l.is_active", &[])?;
        if found == 0 {
            return shipped_lexicon();
        }
        let version = sql.text(0, 1).unwrap_or_default().to_owned();
        let checksum = sql.number(0, 2).unwrap_or_default() as u64;
        stored(sql, &version, checksum)
    })?;
    KNOWN.with_borrow_mut(|known| known.active = Some((age, lexicon)));
    Ok(lexicon)
}

fn opened(checksum: u64) -> Option<&'static Lexicon> {
    KNOWN.with_borrow(|known| known.opened.iter().find(|(sum, _)| *sum == checksum).map(|(_, lexicon)| *lexicon))
}

/// Opens the file of a lexicon, which `make` makes where it is missing or damaged.
fn open(key: u64, make: impl FnOnce() -> Result<Vec<u8>, Error>) -> Result<&'static Lexicon, Error> {
    if let Some(lexicon) = opened(key) {
        return Ok(lexicon);
    }
    let path = path(key);
    let lexicon = match read(&path) {
        Ok(lexicon) => lexicon,
        Err(_) => {
            mapped::write(&path, &make()?).map_err(|e| unwritable(&path, &e))?;
            read(&path)?
        }
    };
    let lexicon: &'static Lexicon = Box::leak(Box::new(lexicon));
    KNOWN.with_borrow_mut(|known| known.opened.push((key, lexicon)));
    Ok(lexicon)
}

fn path(key: u64) -> PathBuf {
    mapped::folder().join(format!("lexicon-{}-{key:016x}", super::image::FORMAT))
}

fn read(path: &std::path::Path) -> Result<Lexicon, Error> {
    let bytes = mapped::map(path).map_err(|e| Error::new(error::IO_ERROR, format!("could not read \"{}\": {e}", path.display())))?;
    let lexicon = Lexicon::open(bytes)?;
    lexicon.image.verify()?;
    Ok(lexicon)
}

fn unwritable(path: &std::path::Path, error: &io::Error) -> Error {
    let sqlstate = if error.kind() == io::ErrorKind::StorageFull { error::DISK_FULL } else { error::IO_ERROR };
    Error::new(sqlstate, format!("could not write \"{}\": {error}", path.display()))
        .hint("the server keeps a compiled lexicon there, of about 40 MB, which all its backends share")
}

/// The lexicon that comes with the library.
fn shipped_lexicon() -> Result<&'static Lexicon, Error> {
    open(shipped::checksum(), || Ok(shipped::compile()?))
}

/// A lexicon of the table `fhir.lexicon`.
fn stored(sql: &Spi, version: &str, checksum: u64) -> Result<&'static Lexicon, Error> {
    open(checksum, || {
        sql.select("SELECT l.image FROM fhir.lexicon l WHERE l.version OPERATOR(pg_catalog.=) $1", &[Arg::Text(version)])?;
        // SAFETY: a column of type bytea; it stays until the connection closes.
        let image = sql.cell(0, 1).map(|datum| unsafe { crate::pg::jsonb::bytes(datum) }.to_vec());
        image.ok_or_else(|| Error::new(error::NOT_IN_STATE, format!("the compiled value of lexicon \"{version}\" is not there")))
    })
}

impl From<FormatError> for Error {
    fn from(error: FormatError) -> Error {
        let (message, hint) = match error {
            FormatError::NotALexicon => ("this is no compiled lexicon".to_owned(), "fhir.compile_lexicon makes one"),
            FormatError::Format(format) => {
                (format!("the lexicon was compiled by another version of the library (format {format})"), "SELECT fhir.compile_lexicon() makes it anew")
            }
            FormatError::Bounds | FormatError::Checksum => ("the compiled lexicon is damaged".to_owned(), "SELECT fhir.compile_lexicon() makes it anew"),
        };
        Error::new(error::NOT_IN_STATE, message).hint(hint)
    }
}

impl From<CompileError> for Error {
    fn from(error: CompileError) -> Error {
        match error {
            CompileError::Line(line) => Error::new(error::BAD_COPY_FORMAT, format!("line {} of the lexicon {}", line.line, line.reason)),
            CompileError::NoConcept => Error::new(error::BAD_COPY_FORMAT, "a term or a mapping of the lexicon stands before any concept"),
            CompileError::Unreadable => Error::new(error::INTERNAL, "the lexicon that is shipped cannot be unpacked"),
            CompileError::TooLarge => Error::new("54000", "the lexicon is too large").hint("4 GB of terms and 65,535 code systems are what one can have"),
        }
    }
}

// () → text
sql_function!(fhir_lexicon_version, |_call| Ok(Value::from(active()?.version())));
// () → text
sql_function!(fhir_shipped_lexicon_version, |_call| Ok(Value::from(shipped::VERSION)));
// () → rows: name, version, licence, url
sql_function!(fhir_lexicon_sources, |call| {
    let sources = active()?.image.sources();
    let mut rows = call.rows()?;
    for line in sources.lines() {
        rows.add(line.split('\t').map(Value::from));
    }
    Ok(Value::Null)
});
// () → rows: list, place, line
sql_function!(fhir_lexicon_lists, |call| {
    let image = &active()?.image;
    let mut rows = call.rows()?;
    for name in image.lists() {
        for (place, line) in (1i64..).zip(image.list(name).lines()) {
            rows.add([name.into(), Value::Int(place), line.into()]);
        }
    }
    Ok(Value::Null)
});
// (version, with_shipped) → bytea: all records of the tables as one value
sql_function!(fhir_lexicon_image, |call| {
    let (version, with_shipped) = (call.text(0)?, call.bool(1)?);
    let mut compiler = Compiler::new();
    if with_shipped {
        shipped::add(&mut compiler)?;
    }
    connected(|sql| from_tables(sql, &mut compiler))?;
    let image = compiler.finish(version)?;
    Ok(Value::Datum(crate::pg::jsonb::varlena(&image)))
});
// (image) → bigint: the checksum that its header names, after it was compared
sql_function!(fhir_lexicon_checksum, |call| {
    let bytes = call.bytes(0)?;
    Ok(Value::Int(super::image::checked(bytes)? as i64))
});
// trigger: tells all sessions that the active lexicon may be another one
sql_function!(fhir_lexicon_changed, |call| {
    let trigger = call.trigger()?;
    invalidation::tell(trigger.table());
    Ok(trigger.done())
});

/// Adds the rows of the tables in the order of their sources.
fn from_tables(sql: &Spi, compiler: &mut Compiler) -> Result<(), Error> {
    const STEP: usize = 2000;
    // One text record a row: what a file of records would have.
    const RECORDS: &str = "SELECT r.record FROM fhir.lexicon_record r ORDER BY r.source, r.system, r.code, r.part, r.record";
    let cursor = sql.open(RECORDS, &[])?;
    let mut text = String::new();
    loop {
        crate::pg::time::check_for_interrupts();
        let count = cursor.fetch(sql, STEP)?;
        if count == 0 {
            cursor.close()?;
            break;
        }
        for row in 0..count {
            text.push_str(sql.text(row, 1).unwrap_or_default());
            text.push('\n');
        }
        if text.len() > 1 << 26 {
            // a part ends where a concept begins
            let end = text.rfind("\nC\t").map_or(text.len(), |at| at + 1);
            let rest = text.split_off(end);
            compiler.add_text(&text)?;
            text = rest;
        }
    }
    compiler.add_text(&text)?;
    let lists = sql.select("SELECT l.list, pg_catalog.string_agg(l.line, E'\\n' ORDER BY l.source, l.place) FROM fhir.lexicon_line l GROUP BY l.list ORDER BY l.list", &[])?;
    for row in 0..lists {
        let (name, lines) = (sql.text(row, 1).unwrap_or_default(), sql.text(row, 2).unwrap_or_default());
        compiler.add(Record::List { name, text: &format!("{lines}\n") })?;
    }
    Ok(())
}
