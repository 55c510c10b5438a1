//! The functions over the definitions of a lake.

use super::lake::sql as lake;
use super::{Coding, Direction, Limits, Member, TermError};
use crate::pg::error::Error;
use crate::pg::function::{Call, Value};
use crate::pg::spi::connected;
use crate::sql_function;

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
    connected(|sql| lake::with(sql, lake, |lake, _| Ok(super::expand(lake, url, &Limits::default())?)))
}

/// The code and what it subsumes or what subsumes it, by the code systems of a lake.
pub fn related(lake: &str, system: Option<&str>, code: &str, direction: Direction) -> Result<Vec<Coding>, Error> {
    connected(|sql| lake::with(sql, lake, |lake, _| Ok(super::related(lake, system, code, direction, &Limits::default())?)))
}

impl From<TermError<Error>> for Error {
    fn from(error: TermError<Error>) -> Error {
        match error {
            TermError::Source(error) => error,
            TermError::Definition(error) => error.into(),
        }
    }
}
