//! Definitions out of a lake, read as the caller, and the functions over them.

use super::{Coding, Direction, Limits, Member, Source, TermError};
use crate::pg::access;
use crate::pg::error::{self, Error};
use crate::pg::function::{Call, Value};
use crate::pg::spi::{Arg, Spi, connected};
use crate::sql_function;
use std::fmt::Write;

// A row for each code; a row without a code stands for a whole system.
sql_function!(fhir_expand, |call| {
    let members = expand(call.text(1)?, call.text(0)?)?;
    let mut rows = call.rows()?;
    for member in members {
        match member {
            Member::Code(coding) => rows.add([coding.system.into(), coding.code.into()]),
            Member::WholeSystem(system) => rows.add([system.into()]),
        }
    }
    Ok(Value::Null)
});
sql_function!(fhir_subsumed, |call| codes(call, Direction::Below));
sql_function!(fhir_subsuming, |call| codes(call, Direction::Above));

fn codes(call: &Call, direction: Direction) -> Result<Value, Error> {
    let found = related(call.text(2)?, Some(call.text(0)?), call.text(1)?, direction)?;
    let mut rows = call.rows()?;
    for coding in found {
        rows.add([coding.code.into()]);
    }
    Ok(Value::Null)
}

/// What a value set of a lake holds; `url` is canonical, with or without `|version`, or `ValueSet/id`.
pub fn expand(lake: &str, url: &str) -> Result<Vec<Member>, Error> {
    connected(|sql| Ok(super::expand(&mut Lake::new(sql, lake)?, url, &Limits::default())?))
}

/// The code and what it subsumes or what subsumes it, by the code systems of a lake.
pub fn related(lake: &str, system: Option<&str>, code: &str, direction: Direction) -> Result<Vec<Coding>, Error> {
    connected(|sql| Ok(super::related(&mut Lake::new(sql, lake)?, system, code, direction, &Limits::default())?))
}

impl From<TermError<Error>> for Error {
    fn from(error: TermError<Error>) -> Error {
        let error = match error {
            TermError::Source(error) => return error,
            TermError::Definition(error) => error,
        };
        let report = Error::new(error.sqlstate(), error.to_string());
        match error.hint() {
            Some(hint) => report.hint(hint),
            None => report,
        }
    }
}

/// The definitions that a lake stores.
struct Lake<'a> {
    sql: &'a Spi,
    /// Quoted.
    name: String,
}

const VALUE_SET: &str = "ValueSet";
const CODE_SYSTEM: &str = "CodeSystem";

impl<'a> Lake<'a> {
    fn new(sql: &'a Spi, lake: &str) -> Result<Lake<'a>, Error> {
        if !access::has_table(lake, &VALUE_SET.to_lowercase()) {
            return Err(Error::new(error::UNDEFINED_TABLE, format!("there is no lake \"{lake}\""))
                .hint("SELECT fhir.create_lake() makes one, fhir.lakes() lists them, SET fhir.lake chooses one"));
        }
        Ok(Lake { sql, name: access::quoted(lake) })
    }

    /// Of several with one url the highest version, of several with one version the latest written.
    fn definition(&self, ty: &str, url: &str, version: Option<&str>) -> Result<Option<Vec<u8>>, Error> {
        if url.is_empty() {
            return Ok(None); // as a search it would be malformed
        }
        let versioned = if version.is_some() { "AND d.resource OPERATOR(pg_catalog.->>) 'version' OPERATOR(pg_catalog.=) $3" } else { "" };
        let select = format!(
            "SELECT d.resource FROM {}.{} d WHERE d.search OPERATOR(fhir.|=) $1::fhir.query \
             AND d.resource OPERATOR(pg_catalog.->>) 'url' OPERATOR(pg_catalog.=) $2 {versioned} \
             ORDER BY d.resource OPERATOR(pg_catalog.->>) 'version' COLLATE \"C\" DESC NULLS LAST, d.last_updated DESC LIMIT 1",
            self.name,
            access::quoted(&ty.to_lowercase()),
        );
        let search = format!("{ty}?url={}", argument(url));
        let mut args = vec![Arg::Text(&search), Arg::Text(url)];
        args.extend(version.map(Arg::Text));
        self.sql.jsonb(&select, &args)
    }
}

impl Source for Lake<'_> {
    type Error = Error;

    fn value_set(&mut self, url: &str, version: Option<&str>) -> Result<Option<Vec<u8>>, Error> {
        self.definition(VALUE_SET, url, version)
    }

    fn value_set_by_id(&mut self, id: &str) -> Result<Option<Vec<u8>>, Error> {
        let table = access::quoted(&VALUE_SET.to_lowercase());
        let select = format!(
            "SELECT d.resource FROM {}.{table} d WHERE d.type OPERATOR(pg_catalog.=) '{VALUE_SET}' AND d.id OPERATOR(pg_catalog.=) $1",
            self.name
        );
        self.sql.jsonb(&select, &[Arg::Text(id)])
    }

    fn code_system(&mut self, url: &str, version: Option<&str>) -> Result<Option<Vec<u8>>, Error> {
        self.definition(CODE_SYSTEM, url, version)
    }
}

/// A value of a search that stands for exactly this text.
fn argument(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, ',' | '|' | '$' | '\\') {
            out.push_str("%5C");
        }
        for byte in c.encode_utf8(&mut [0; 4]).bytes() {
            if byte.is_ascii_alphanumeric() {
                out.push(byte as char);
            } else {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    out
}
