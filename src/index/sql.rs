//! `fhir.keys`, `fhir.query` and the operator `|=` in SQL.

use super::decimal::{Bound, Decimal, Span};
use super::keys::{Keys, Value as Held};
use super::matches::Matcher;
use super::query::{ErrorKind, Query, QueryError};
use super::time::{self, Interval};
use super::values::Parameter;
use crate::json;
use crate::model;
use crate::pg::arrays;
use crate::pg::error::{Error, INVALID_PARAMETER};
use crate::pg::function::{Call, Value};
use crate::sql_function;
use std::fmt::Write;

impl From<QueryError> for Error {
    fn from(error: QueryError) -> Error {
        let sqlstate = match error.kind {
            ErrorKind::Invalid | ErrorKind::Unknown => INVALID_PARAMETER,
            ErrorKind::NotRowLocal | ErrorKind::NotSupported => "0A000",
            ErrorKind::TooLarge => "54000",
        };
        let report = Error::new(sqlstate, error.message);
        match error.hint {
            Some(hint) => report.hint(hint),
            None => report,
        }
    }
}

// An untyped literal makes `fhir.keys('{…}')` a cast to the type instead of a call of the function, so a resource as JSON is
// taken here too.
sql_function!(fhir_keys_in, |call| {
    let text = call.cstring(0)?;
    if text.trim_start().starts_with('{') {
        return match json::parse(text.as_bytes(), &json::Limits::default()) {
            Ok(container) => Ok(Value::varlena(&keys(&container))),
            Err(error) => Err(malformed().detail(error.to_string())),
        };
    }
    checked(&unhex(text).ok_or_else(malformed)?)
});
sql_function!(fhir_keys_recv, |call| checked(call.message(0)?));
sql_function!(fhir_keys_send, |call| Ok(Value::varlena(call.bytes(0)?)));
sql_function!(fhir_keys_out, |call| {
    let body = call.bytes(0)?;
    let mut text = String::with_capacity(2 * body.len() + 2);
    text.push_str("\\x");
    for byte in body {
        let _ = write!(text, "{byte:02x}");
    }
    Ok(Value::cstring(&text))
});

fn checked(body: &[u8]) -> Result<Value, Error> {
    if Keys::is_valid(body) { Ok(Value::varlena(body)) } else { Err(malformed()) }
}

fn malformed() -> Error {
    Error::new("22P02", "invalid input for type fhir.keys").hint("keys are made by fhir.keys(resource)")
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.strip_prefix("\\x")?.as_bytes();
    let digit = |b: u8| (b as char).to_digit(16).map(|d| d as u8);
    digits.len().is_multiple_of(2).then(|| digits.chunks_exact(2).map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?)).collect())?
}

sql_function!(fhir_query_in, |call| query(call.cstring(0)?));
sql_function!(fhir_query_from_text, |call| query(call.text(0)?));
sql_function!(fhir_query_out, |call| Ok(Value::cstring(call.text(0)?)));

fn query(text: &str) -> Result<Value, Error> {
    Query::parse(text)?;
    Ok(Value::varlena(text.as_bytes()))
}

// The clinical start; -infinity is the same number in a timestamptz.
sql_function!(fhir_occurred, |call| {
    let start = json::root(call.jsonb(0)?).map_or(time::OPEN_LOW, |resource| super::stamp(resource).occurred);
    Ok(Value::Int(start))
});
sql_function!(fhir_keys, |call| Ok(Value::varlena(&keys(call.jsonb(0)?))));

fn keys(container: &[u8]) -> Vec<u8> {
    match json::root(container) {
        Some(resource) => super::stamp(resource).keys,
        None => super::keys::Writer::new("").finish(),
    }
}

sql_function!(fhir_matches, |call| {
    let query = call.remembered_of(1, |text| Query::parse(text).ok().map(Matcher::new))?;
    let matched = match (query, Keys::read(call.bytes(0)?)) {
        (Some(query), Some(keys)) => query.matches(keys),
        _ => false,
    };
    Ok(matched.into())
});

/// The keys of argument 0 and the parameter of argument 1.
fn parameter<'a>(call: &'a Call) -> Result<(Option<Keys<'a>>, &'a Parameter), Error> {
    let code = call.text(1)?;
    Ok((Keys::read(call.bytes(0)?), call.remembered(code.as_bytes(), || Parameter::named(code))))
}

sql_function!(fhir_reference_id, |call| {
    let (keys, parameter) = parameter(call)?;
    let ty = call.text(2)?;
    Ok(keys.and_then(|keys| parameter.ids(keys, ty).next()).into())
});

sql_function!(fhir_reference_ids, |call| {
    let (keys, parameter) = parameter(call)?;
    let ty = call.text(2)?;
    let ids: Vec<&str> = keys.into_iter().flat_map(|keys| parameter.ids(keys, ty)).collect();
    Ok(Value::Datum(arrays::text_array(&ids)))
});

sql_function!(fhir_sort_key, |call| {
    let (keys, parameter) = parameter(call)?;
    let descending = call.bool(2)?;
    Ok(keys.and_then(|keys| parameter.sort_key(keys, descending)).map_or(Value::Null, |key| Value::varlena(&key)))
});

sql_function!(fhir_show_keys, |call| {
    let mut rows = call.rows()?;
    if let Some(keys) = Keys::read(call.bytes(0)?) {
        for entry in keys.entries() {
            let name = model::known_parameter_key(entry.parameter).map_or("?", |(code, _)| code);
            let (kind, text) = shown(&entry.value);
            rows.add([Value::from(name), Value::from(kind), Value::Int(i64::from(entry.element)), Value::from(text)]);
        }
    }
    Ok(Value::Null)
});

fn shown(value: &Held) -> (&'static str, String) {
    let coded = |system: Option<&str>, code: &str| format!("{}|{code}", system.unwrap_or(""));
    match value {
        Held::Present => ("present", String::new()),
        Held::Token { system, code } => ("token", coded(*system, code)),
        Held::Code { system, code } => ("code", coded(Some(system), code)),
        Held::Display(text) => ("display", (*text).to_owned()),
        Held::OfType { system, code, value } => ("of-type", format!("{}|{value}", coded(*system, code))),
        Held::String(text) => ("string", (*text).to_owned()),
        Held::Reference(reference) => ("reference", (*reference).to_owned()),
        Held::Identifier { system, value } => ("identifier", coded(*system, value)),
        Held::Date(interval) => ("date", date(*interval)),
        Held::Number(span) => ("number", number(*span)),
        Held::Quantity { span, system, code, unit } => {
            let unit = unit.map(|u| format!(" {u}")).unwrap_or_default();
            ("quantity", format!("{} {}{unit}", number(*span), coded(*system, code.unwrap_or(""))))
        }
        Held::Part(text) => ("part", (*text).to_owned()),
        Held::Sound(text) => ("sound", (*text).to_owned()),
        Held::Uri(uri) => ("uri", (*uri).to_owned()),
        Held::Position(position) => ("position", format!("{} {}", position.latitude, position.longitude)),
    }
}

fn date(interval: Interval) -> String {
    let end = |at: i64| match at {
        time::OPEN_LOW | time::OPEN_HIGH => String::new(),
        at => time::shown(at),
    };
    format!("[{},{})", end(interval.low), end(interval.high))
}

fn number(span: Span) -> String {
    let shown = |bytes: &[u8]| Decimal::decode(bytes).map(|d| d.to_string()).unwrap_or_default();
    if let (Bound::Closed(low), Bound::Closed(high)) = (span.low, span.high)
        && low == high
    {
        return shown(low);
    }
    let low = match span.low {
        Bound::Infinite => "(".to_owned(),
        Bound::Open(b) => format!("({}", shown(b)),
        Bound::Closed(b) => format!("[{}", shown(b)),
    };
    match span.high {
        Bound::Infinite => format!("{low},)"),
        Bound::Open(b) => format!("{low},{})", shown(b)),
        Bound::Closed(b) => format!("{low},{}]", shown(b)),
    }
}
