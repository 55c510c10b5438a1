//! Stored search parameters in SQL: finding them, and the keys of resources by them.

use super::{CustomParameter, Reader};
use crate::index::keys::Writer;
use crate::index::reserved;
use crate::json::{self, Node};
use crate::model::{self, ParameterType, TypeId};
use crate::pg::error::{Error, INVALID_PARAMETER};
use crate::pg::function::Value;
use crate::pg::jsonb;
use crate::pg::spi::{self, Arg, Spi};
use crate::search::quote::{identifier, query_part};
use crate::sql_function;

/// The table of a lake that holds them.
const TABLE: &str = "searchparameter";

/// The search parameter of that code for a type of resource that the lake defines for itself; for codes that the specification
/// does not define. Reads as the caller: `None` too where the caller may not read the stored definitions.
///
/// Of several the active one counts, then the one that changed last; retired ones never do.
pub fn lookup(lake: &str, ty: TypeId, code: &str) -> Result<Option<CustomParameter>, Error> {
    let mut bases = vec![ty.name()];
    let mut base = ty.get().base;
    while let Some(id) = base {
        bases.push(id.name());
        base = id.get().base;
    }
    spi::connected(|spi| Ok(stored(spi, lake, &format!("base={}&code={}", bases.join(","), value(code)))?.into_iter().next()))
}

/// A value in a search, where none of its characters may part it.
fn value(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '\\' | ',' | '|' | '$') {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    query_part(&escaped)
}

/// The definitions that a search finds, best first.
fn stored(spi: &Spi, lake: &str, search: &str) -> Result<Vec<CustomParameter>, Error> {
    found(spi, lake, search)?.iter().map(|container| read(spi, lake, container)).collect()
}

fn read(spi: &Spi, lake: &str, container: &[u8]) -> Result<CustomParameter, Error> {
    let Some(resource) = json::root(container) else { return Err(Error::new(INVALID_PARAMETER, "stored search parameter is no object")) };
    let mut failed = None;
    let parameter = CustomParameter::read(resource, &mut |url| match component_type(spi, lake, url) {
        Ok(ty) => Ok(ty),
        Err(error) => {
            failed = Some(error);
            Ok(None)
        }
    });
    match failed {
        Some(error) => Err(error),
        None => Ok(parameter?),
    }
}

/// The type of a stored search parameter that a composite refers to.
fn component_type(spi: &Spi, lake: &str, url: &str) -> Result<Option<ParameterType>, Error> {
    if url.is_empty() {
        return Ok(None);
    }
    let rows = found(spi, lake, &format!("url={}", value(url)))?;
    let node = rows.first().and_then(|container| json::root(container));
    Ok(node.and_then(|node| node.get("type")).and_then(Node::as_str).and_then(reserved::type_named))
}

/// Copies of the resources that a search of stored parameters finds.
fn found(spi: &Spi, lake: &str, search: &str) -> Result<Vec<Vec<u8>>, Error> {
    let table = format!("{}.{TABLE}", identifier(lake));
    let readable = "SELECT pg_catalog.has_table_privilege(pg_catalog.to_regclass($1), 'SELECT')::integer::bigint";
    if spi.int(readable, &[Arg::Text(&table)], true)? != Some(1) {
        return Ok(Vec::new());
    }
    let sql = format!(
        "SELECT 1::bigint, resource::jsonb FROM {table} WHERE search OPERATOR(fhir.|=) fhir.query($1) \
         ORDER BY search OPERATOR(fhir.|=) fhir.query('status=active') DESC, last_updated DESC, id LIMIT 10"
    );
    spi.int(&sql, &[Arg::Text(&format!("{search}&status:not=retired"))], true)?;
    // SAFETY: the second column is a jsonb, which lives until the next statement; it is copied before that.
    let row = |row| spi.cell(row, 2).map(|datum| unsafe { jsonb::container(datum) }.to_vec());
    Ok((0..).map_while(row).collect())
}

sql_function!(fhir_keys_of, |call| {
    let definition = call.jsonb(1)?;
    let reader = call.remembered(definition, || json::root(definition).and_then(|node| Reader::read(node).ok()));
    let body = match (reader, json::root(call.jsonb(0)?)) {
        (Some(reader), Some(resource)) => reader.keys(resource),
        // it never raises, so that row-level security need not hold it back: who makes a definition has checked it
        _ => Writer::new("").finish(),
    };
    Ok(Value::varlena(&body))
});

// The definitions of a stored search parameter: type, code, definition, one for each type that it applies to.
sql_function!(fhir_search_parameter_definitions, |call| {
    let (name, lake) = (call.text(0)?, call.text(1)?);
    let mut rows = call.rows()?;
    let parameters = spi::connected(|spi| {
        let by = if name.contains(':') { "url" } else { "code" };
        stored(spi, lake, &format!("{by}={}", value(name)))
    })?;
    if parameters.is_empty() {
        return Err(Error::new("42704", "there is no such stored search parameter")
            .hint("store a SearchParameter with that code or url whose status is not retired, in the lake that is named"));
    }
    let mut seen = Vec::new();
    for parameter in parameters {
        for ty in parameter.concrete_bases() {
            if model::search_parameter(ty, &parameter.code).is_some() {
                let message = format!("search parameter \"{}\" of {} is defined by the specification", parameter.code, ty.name());
                return Err(Error::new(INVALID_PARAMETER, message).hint("give the stored one a code of its own"));
            }
            if seen.contains(&(ty, parameter.code.clone())) {
                continue; // hidden by a better one
            }
            let definition = json::parse(parameter.definition(ty)?.as_bytes(), &json::Limits::default())?;
            rows.add([Value::from(ty.name()), Value::from(parameter.code.as_str()), Value::Jsonb(definition)]);
            seen.push((ty, parameter.code.clone()));
        }
    }
    Ok(Value::Null)
});
