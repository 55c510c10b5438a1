//! `fhir.read_concepts`: files and queries as rows of concepts.

use super::{Drafts, FormatError, delimited, object, order, rrf};
use crate::json;
use crate::load::files;
use crate::pg::access;
use crate::pg::error::{self, Error};
use crate::pg::function::{Call, Value};
use crate::pg::spi::connected;
use crate::sql_function;
use crate::terminology::keep;
use std::io::{BufRead, BufReader};
use std::path::Path;

sql_function!(fhir_read_concepts, read);

/// Rows of a query that are read at a time.
const STEP: usize = 1000;
const BUFFER: usize = 256 * 1024;

impl From<FormatError> for Error {
    fn from(error: FormatError) -> Error {
        let sqlstate = match &error {
            FormatError::Line { .. } | FormatError::Whole(_) => error::BAD_COPY_FORMAT,
            FormatError::Unreadable { error, .. } if error.kind() == std::io::ErrorKind::NotFound => error::UNDEFINED_FILE,
            FormatError::Unreadable { .. } => error::IO_ERROR,
            FormatError::Definition(error) => error.sqlstate(),
            FormatError::Json(error) => error.sqlstate,
        };
        Error::new(sqlstate, error.to_string())
    }
}

/// (code system without concepts, source, format) → rows of `fhir.concepts`
fn read(call: &Call) -> Result<Value, Error> {
    let (head, source, format) = (call.jsonb(0)?, call.text(1)?, call.text(2)?);
    let mut drafts = Drafts::default();
    if format == "query" {
        query(source, &mut drafts)?;
    } else {
        if !access::may_read_server_files() {
            return Err(Error::new(error::INSUFFICIENT_PRIVILEGE, "permission denied to read a file of the server")
                .hint("it takes the privileges of role pg_read_server_files; a query needs none of them"));
        }
        if !Path::new(source).is_absolute() {
            return Err(Error::new(error::INVALID_PARAMETER, "path of a code system must be absolute"));
        }
        match format {
            "csv" => delimited::read(opened(source)?, ',', &mut drafts)?,
            "tsv" => delimited::read(opened(source)?, '\t', &mut drafts)?,
            "icd-10-cm" => order::read(opened(source)?, &mut drafts)?,
            "rxnorm" => {
                let file = |name: &str| format!("{}/{name}", source.trim_end_matches('/'));
                rrf::read_concepts(opened(&file("RXNCONSO.RRF"))?, &mut drafts).map_err(|error| error.within("RXNCONSO.RRF"))?;
                rrf::read_relations(opened(&file("RXNREL.RRF"))?, &mut drafts).map_err(|error| error.within("RXNREL.RRF"))?;
            }
            _ => {
                return Err(Error::new(error::INVALID_PARAMETER, format!("format \"{}\" is not known", super::shown(format)))
                    .hint("it is csv, tsv, icd-10-cm, rxnorm or query"));
            }
        }
    }
    if drafts.list().is_empty() {
        return Err(Error::new(error::BAD_COPY_FORMAT, "there are no concepts in it"));
    }
    keep::sql::add(call, drafts.rows(head)?)
}

fn opened(path: &str) -> Result<impl BufRead, FormatError> {
    let file = files::open(Path::new(path), &Default::default()).map_err(|error| FormatError::Whole(error.to_string()))?;
    Ok(BufReader::with_capacity(BUFFER, file))
}

fn query(text: &str, drafts: &mut Drafts) -> Result<(), Error> {
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
                if let Some(row) = sql.container(row, 1).and_then(json::root) {
                    object::read(row, number, drafts)?;
                }
            }
        }
    })
}
