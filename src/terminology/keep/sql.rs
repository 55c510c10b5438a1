//! `fhir.concepts`, and the triggers that keep its rows and tell other sessions of new definitions.

use crate::json;
use crate::pg::access::{self, AsOwner};
use crate::pg::arrays::int_array;
use crate::pg::error::{self, Error};
use crate::pg::function::{Call, Value};
use crate::pg::invalidation;
use crate::pg::memory::Scratch;
use crate::pg::spi::{Arg, Spi, connected};
use crate::pg::trigger::{Row, Trigger};
use crate::sql_function;
use crate::terminology::concepts;
use crate::terminology::error::DefinitionError;
use pgrx::pg_sys;

sql_function!(fhir_concepts, |call| {
    let found = concepts::rows(call.jsonb(0)?)?;
    add(call, found)
});
sql_function!(fhir_keep_terms, keep);

impl From<DefinitionError> for Error {
    fn from(error: DefinitionError) -> Error {
        let report = Error::new(error.sqlstate(), error.to_string());
        match error.hint() {
            Some(hint) => report.hint(hint),
            None => report,
        }
    }
}

/// The rows as those of `fhir.concepts`.
pub fn add(call: &Call, found: Vec<concepts::Row>) -> Result<Value, Error> {
    let mut rows = call.rows()?;
    let scratch = Scratch::new(c"fhirlake concepts");
    for row in found {
        let _memory = scratch.enter();
        rows.add([
            Value::Int(i64::from(row.place)),
            Value::Text(row.key),
            Value::Text(row.code),
            row.display.into(),
            row.definition.into(),
            Value::Bool(row.is_abstract),
            Value::Bool(row.is_inactive),
            Value::Datum(int_array(&row.parents)),
            if row.below.is_empty() { Value::Null } else { Value::Datum(int_array(&row.below)) },
            row.properties.map_or(Value::Null, Value::Jsonb),
            row.designations.map_or(Value::Null, Value::Jsonb),
        ]);
    }
    Ok(Value::Null)
}

/// The name of the table of concepts.
pub const TABLE: &std::ffi::CStr = c"concept";

/// AFTER INSERT OR UPDATE OR DELETE of code systems (with the argument `concepts`), value sets and concept maps, each row; and of the
/// table of concepts, each statement.
///
/// The concepts of a resource that lists none are left as they are: such ones are loaded beside it.
fn keep(call: &Call) -> Result<Value, Error> {
    let trigger = call.trigger()?;
    if trigger.is_before || trigger.is_instead {
        return Err(Error::new(error::WRONG_TRIGGER, "fhir.keep_terms() is a trigger AFTER INSERT OR UPDATE OR DELETE"));
    }
    let Some(table) = access::table(trigger.schema(), TABLE) else { return Ok(trigger.done()) };
    if trigger.is_row && trigger.argument().as_deref() == Some("concepts") {
        write(&trigger, table)?;
    }
    invalidation::tell(table);
    Ok(trigger.done())
}

fn write(trigger: &Trigger, table: pg_sys::Oid) -> Result<(), Error> {
    let (id, resource) = (trigger.column("id", pg_sys::TEXTOID)?, trigger.column("resource", pg_sys::JSONBOID)?);
    let container = |row: Option<Row<'_>>| row.and_then(|row| row.datum(resource)).map(|datum| Arg::Datum(pg_sys::JSONBOID, datum));
    let lists = |row: Option<Row>| row.and_then(|row| row.jsonb(resource)).and_then(json::root).is_some_and(|root| root.get("concept").is_some());
    let (old, new) = (trigger.old(), trigger.new());
    let Some(key) = new.or(old).and_then(|row| row.text(id)) else { return Ok(()) };
    let (before, after) = (lists(old), lists(new));
    if before && after && old.and_then(|row| row.jsonb(resource)) == new.and_then(|row| row.jsonb(resource)) {
        return Ok(());
    }
    let schema = access::schema_name(trigger.schema()).map(|name| access::quoted(&name));
    let schema = schema.ok_or_else(|| Error::new(error::INTERNAL, "a table without a schema fired a trigger"))?;
    let _owner = AsOwner::of(trigger.table(), table)?;
    connected(|sql| {
        // one that lists none now, and did, or is gone
        if old.is_some() && (before || after || new.is_none()) {
            sql.run(&format!("DELETE FROM {schema}.concept WHERE code_system OPERATOR(pg_catalog.=) $1"), &[Arg::Text(key)])?;
        }
        match container(new).filter(|_| after) {
            Some(resource) => insert(sql, &schema, key, resource),
            None => Ok(()),
        }
    })
}

fn insert(sql: &Spi, schema: &str, key: &str, resource: Arg) -> Result<(), Error> {
    let insert = format!("INSERT INTO {schema}.concept SELECT $1, c.* FROM fhir.concepts($2) c");
    sql.run(&insert, &[Arg::Text(key), resource]).map(|_| ())
}
