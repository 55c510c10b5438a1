//! `fhir.read_lexicon`: files and queries as rows of the lexicon.

use super::columns::{self, COLUMNS};
use super::{Defaults, Row, What, obo, rf2, rrf};
use crate::json::{self, Node};
use crate::load::files;
use crate::nlp::lexicon::{shipped, source};
use crate::nlp::{Category, Kind};
use crate::pg::access;
use crate::pg::error::{self, Error};
use crate::pg::function::{Call, Value};
use crate::pg::rows::Rows;
use crate::pg::spi::connected;
use crate::pg::time::check_for_interrupts;
use crate::sql_function;
use crate::terminology::formats::FormatError;
use crate::terminology::formats::delimited::Records;
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

// (format, location, system, category, type) → rows: system, code, category, type, display, term, term_type, is_case_sensitive, is_stop,
// target_system, target_code; of the form `records` and of what is shipped also the lists: list and line in place of system and code
sql_function!(fhir_read_lexicon, read);

/// Rows of a query that are read at a time.
const STEP: usize = 1000;
const BUFFER: usize = 256 * 1024;
/// Bytes of a file of records.
const MAX_RECORDS: u64 = 1 << 30;

fn read(call: &Call) -> Result<Value, Error> {
    let (format, location) = (call.text(0)?, call.text(1)?);
    let unknown = |what: &str| Error::new(error::INVALID_PARAMETER, format!("there is no such {what}"));
    let defaults = Defaults {
        system: call.text(2)?,
        category: Category::from_name(call.text(3)?).ok_or_else(|| unknown("category"))?,
        kind: Kind::from_name(call.text(4)?).ok_or_else(|| unknown("type"))?,
    };
    let mut rows = call.rows()?;
    let mut count = 0u32;
    let mut each = |row: Row<'_>| {
        count = count.wrapping_add(1);
        if count.is_multiple_of(4096) {
            check_for_interrupts();
        }
        add(&mut rows, row);
    };
    match format {
        "query" => query(location, defaults, &mut each)?,
        "shipped" => {
            let texts = shipped::records().map_err(|_| Error::new(error::INTERNAL, "the lexicon that is shipped cannot be unpacked"))?;
            for text in &texts {
                records(text, &mut rows)?;
            }
            for (name, text) in shipped::LISTS {
                lines(name, text, &mut rows);
            }
        }
        _ => {
            if !access::may_read_server_files() {
                return Err(Error::new(error::INSUFFICIENT_PRIVILEGE, "permission denied to read a file of the server")
                    .hint("it takes the privileges of role pg_read_server_files; a query needs none of them"));
            }
            let path = Path::new(location);
            if !path.is_absolute() {
                return Err(Error::new(error::INVALID_PARAMETER, "path of a lexicon must be absolute"));
            }
            match format {
                "csv" => delimited(opened(path)?, ',', defaults, &mut each)?,
                "tsv" => delimited(opened(path)?, '\t', defaults, &mut each)?,
                "obo" => obo::read(opened(path)?, defaults, &mut each)?,
                "rxnorm" => rrf::read(opened(&within(path, |name| name == "RXNCONSO.RRF")?)?, &mut each)?,
                "snomed" => {
                    let file = within(path, |name| name.starts_with("sct2_Description_Snapshot") && name.ends_with(".txt"))?;
                    rf2::read(|| opened(&file), &mut each)?;
                }
                "records" => {
                    let mut text = String::new();
                    opened(path)?.take(MAX_RECORDS).read_to_string(&mut text).map_err(FormatError::from)?;
                    records(&text, &mut rows)?;
                }
                _ => {
                    return Err(Error::new(error::INVALID_PARAMETER, "there is no such format")
                        .hint("it is csv, tsv, obo, rxnorm, snomed, records, query or shipped"));
                }
            }
        }
    }
    Ok(Value::Null)
}

fn add(rows: &mut Rows, Row { system, code, category, kind, display, what }: Row<'_>) {
    let head = [system.into(), code.into(), category.name().into(), kind.name().into(), display.into()];
    let rest: [Value; 7] = match what {
        What::Term { text, kind, case_sensitive, research, stop } => {
            let kind = source::TermKind::ALL.iter().find(|(known, _)| *known == kind).map(|(_, name)| *name);
            [text.into(), kind.into(), case_sensitive.into(), stop.into(), research.into(), Value::Null, Value::Null]
        }
        What::Mapping { system, code } => [Value::Null, Value::Null, Value::Null, Value::Null, Value::Null, system.into(), code.into()],
    };
    rows.add(head.into_iter().chain(rest));
}

/// Lines of a list: its name and the line in place of system and code, no category.
fn lines(name: &str, text: &str, rows: &mut Rows) {
    for line in text.lines() {
        rows.add([name.into(), line.into()]);
    }
}

fn records(text: &str, rows: &mut Rows) -> Result<(), Error> {
    let mut current: Option<(&str, &str, Category, Kind, &str)> = None;
    source::read(text, |record| {
        use source::Record;
        match (record, current) {
            (Record::Concept { system, code, category, kind, display }, _) => current = Some((system, code, category, kind, display)),
            (Record::Term { kind: term, case_sensitive, research, stop, text }, Some((system, code, category, kind, display))) => {
                add(rows, Row { system, code, category, kind, display, what: What::Term { text, kind: term, case_sensitive, research, stop } });
            }
            (Record::Mapping { system: target, code: to }, Some((system, code, category, kind, display))) => {
                add(rows, Row { system, code, category, kind, display, what: What::Mapping { system: target, code: to } });
            }
            (Record::List { name, text }, _) => lines(name, text, rows),
            _ => {}
        }
    })
    .map_err(|bad| Error::new(error::BAD_COPY_FORMAT, format!("line {} {}", bad.line, bad.reason)))
}

fn opened(path: &Path) -> Result<impl BufRead + use<>, FormatError> {
    let file = files::open(path, &Default::default()).map_err(|error| FormatError::Whole(error.to_string()))?;
    Ok(BufReader::with_capacity(BUFFER, file))
}

/// The file itself, or the one of that name in the folder or in a folder of it.
fn within(path: &Path, is_it: impl Fn(&str) -> bool) -> Result<PathBuf, FormatError> {
    const DEPTH: usize = 4;
    fn find(folder: &Path, is_it: &dyn Fn(&str) -> bool, depth: usize) -> std::io::Result<Option<PathBuf>> {
        let mut folders = Vec::new();
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            let kind = entry.file_type()?;
            if kind.is_file() && entry.file_name().to_str().is_some_and(is_it) {
                return Ok(Some(entry.path()));
            }
            if kind.is_dir() && depth > 0 {
                folders.push(entry.path());
            }
        }
        folders.sort();
        for folder in folders {
            if let Some(found) = find(&folder, is_it, depth - 1)? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }
    if path.is_file() {
        return Ok(path.to_owned());
    }
    find(path, &is_it, DEPTH)?.ok_or_else(|| FormatError::Whole("the folder has no file of that format".to_owned()))
}

fn delimited<R: BufRead>(input: R, separator: char, defaults: Defaults<'_>, each: &mut dyn FnMut(Row<'_>)) -> Result<(), Error> {
    let mut records = Records::new(input, separator);
    let Some((line, header)) = records.next_record()? else { return Err(FormatError::Whole("the file is empty".to_owned()).into()) };
    let header: Vec<String> = header.iter().map(|name| name.trim().to_ascii_lowercase()).collect();
    if let Some(other) = header.iter().find(|name| !COLUMNS.contains(&name.as_str())) {
        let name: String = other.chars().take(63).collect();
        return Err(Error::from(FormatError::at(line, format!("column {name:?} is not known"))).hint(format!("columns are {}", COLUMNS.join(", "))));
    }
    while let Some((line, record)) = records.next_record()? {
        if record.iter().all(|value| value.trim().is_empty()) {
            continue;
        }
        let values: HashMap<&str, &str> = header.iter().map(String::as_str).zip(record.iter().map(String::as_str)).collect();
        columns::row(&values, defaults, each).map_err(|reason| FormatError::at(line, reason))?;
    }
    Ok(())
}

fn query(text: &str, defaults: Defaults<'_>, each: &mut dyn FnMut(Row<'_>)) -> Result<(), Error> {
    let text = text.trim().trim_end_matches(';');
    connected(|sql| {
        let cursor = sql.open(&format!("SELECT pg_catalog.to_jsonb(q) FROM ({text}) q"), &[])?;
        let mut number = 0;
        loop {
            let count = cursor.fetch(sql, STEP)?;
            if count == 0 {
                return cursor.close();
            }
            for row in 0..count {
                number += 1;
                let Some(object) = sql.container(row, 1).and_then(json::root).and_then(|node| node.as_object()) else { continue };
                let mut values = HashMap::new();
                for (name, value) in object.iter() {
                    match value {
                        Node::String(text) => values.insert(name, text),
                        Node::Bool(flag) => values.insert(name, if flag { "true" } else { "false" }),
                        _ => None,
                    };
                }
                columns::row(&values, defaults, each).map_err(|reason| FormatError::at(number, reason))?;
            }
        }
    })
}
