//! The triggers of a lake, and what the SQL functions of the store need from the server.

use super::interactions::tables;
use super::stamp::{self, Refusal, Submitted, Version};
use super::stamped::Stamped;
use super::accepted::{self, As};
use super::membership;
use crate::model::{self, TypeId};
use crate::path::sql::Server;
use crate::pg::access::{self, AsOwner};
use crate::pg::error::{self, Error};
use crate::pg::function::{Call, Value};
use crate::pg::invalidation;
use crate::pg::jsonb::varlena;
use crate::pg::settings::{self, Validation};
use crate::pg::spi::{self, Arg, Spi};
use crate::pg::time;
use crate::pg::trigger::{Event, Row, Trigger};
use crate::sql_function;
use crate::validate::Level;
use pgrx::pg_sys;
use pgrx::pg_sys::Oid;
use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};

sql_function!(fhir_stamp, stamp);
sql_function!(fhir_keep, keep);
sql_function!(fhir_refuse_truncate, refuse_truncate);
sql_function!(fhir_same_resource, |call| Ok(stamp::is_same(call.jsonb(0)?, call.jsonb(1)?).into()));
sql_function!(fhir_table_of, |call| Ok(table_of(call.text(0)?)?.into()));
sql_function!(fhir_table_of_resource, |call| {
    Ok(table_of(Submitted::read(call.jsonb(0)?, None)?.ty.name())?.into())
});
sql_function!(fhir_current_lake, |_| Ok(settings::lake().into()));
sql_function!(fhir_library_version, |_| Ok(env!("CARGO_PKG_VERSION").into()));
sql_function!(fhir_resource_types, resource_types);
sql_function!(fhir_assert_valid, |call| {
    if call.datum(0).is_none() {
        return Ok(Value::Null);
    }
    let expected = call.optional_text(1)?.map(stamp::resource_type).transpose()?;
    Submitted::read(call.jsonb(0)?, expected)?.validated(Level::Structure, &Server)?;
    Ok(true.into())
});

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Error {
        let mut error = Error::new(refusal.sqlstate(), refusal.to_string());
        if let Some(detail) = refusal.detail() {
            error = error.detail(detail);
        }
        if let Some(hint) = refusal.hint() {
            error = error.hint(hint);
        }
        error
    }
}

/// What a trigger needs to know of the table it fires on.
#[derive(Clone, Copy)]
struct Site {
    compartment: i32,
    ty: i32,
    id: i32,
    version: i32,
    last_updated: i32,
    xid: i32,
    occurred: i32,
    resource: i32,
    search: i32,
    /// The type whose table this is; `None` for a table of several.
    holds: Option<TypeId>,
    history: Oid,
    membership: Oid,
}

/// What is known of tables, and as of which [`invalidation::generation`].
#[derive(Default)]
struct Sites {
    generation: u64,
    known: HashMap<Oid, Site>,
}

thread_local! {
    static SITES: RefCell<Sites> = RefCell::default();
}

impl Site {
    /// As [`Site::read`], kept for as long as no table changes.
    fn of(trigger: &Trigger) -> Result<Site, Error> {
        let (table, generation) = (trigger.table(), invalidation::generation());
        let known = SITES.with_borrow_mut(|sites| {
            if sites.generation != generation {
                *sites = Sites { generation, known: HashMap::new() };
            }
            sites.known.get(&table).copied()
        });
        if let Some(site) = known {
            return Ok(site);
        }
        let site = Site::read(trigger)?;
        SITES.with_borrow_mut(|sites| {
            // while it was read something may have changed: then it is read again the next time
            if sites.generation == generation && invalidation::generation() == generation {
                sites.known.insert(table, site);
            }
        });
        Ok(site)
    }

    fn read(trigger: &Trigger) -> Result<Site, Error> {
        let other = |name: &std::ffi::CStr| {
            access::table(trigger.schema(), name).ok_or_else(|| {
                let name = name.to_string_lossy();
                Error::new(error::UNDEFINED_TABLE, format!("the lake has no table \"{name}\""))
                    .hint("the tables of a lake stay in one schema; fhir.create_lake makes them all")
            })
        };
        let name = trigger.table_name();
        let keys = access::own_type(c"keys").ok_or_else(|| Error::new(error::INTERNAL, "type fhir.keys is missing"))?;
        Ok(Site {
            compartment: trigger.column("compartment", pg_sys::TEXTOID)?,
            ty: trigger.column("type", pg_sys::TEXTOID)?,
            id: trigger.column("id", pg_sys::TEXTOID)?,
            version: trigger.column("version", pg_sys::INT8OID)?,
            last_updated: trigger.column("last_updated", pg_sys::TIMESTAMPTZOID)?,
            xid: trigger.column("xid", pg_sys::XID8OID)?,
            occurred: trigger.column("occurred", pg_sys::TIMESTAMPTZOID)?,
            resource: trigger.column("resource", pg_sys::JSONBOID)?,
            search: trigger.column("search", keys)?,
            holds: model::resource_types().find(|ty| ty.name().eq_ignore_ascii_case(&name)),
            history: other(c"history")?,
            membership: other(c"membership")?,
        })
    }

    fn resource<'a>(&self, row: Row<'a>) -> Result<&'a [u8], Error> {
        row.jsonb(self.resource).ok_or_else(|| Error::new(error::NULL_NOT_ALLOWED, "column \"resource\" must not be null"))
    }

    fn id<'a>(&self, row: Row<'a>) -> Result<&'a str, Error> {
        row.text(self.id).ok_or_else(|| Error::new(error::NULL_NOT_ALLOWED, "column \"id\" must not be null"))
    }

    fn version(&self, row: Row) -> Version {
        Version { number: row.int(self.version).unwrap_or(0), last_updated: row.int(self.last_updated).unwrap_or(i64::MIN) }
    }
}

/// BEFORE INSERT OR UPDATE, each row: everything but `resource` is computed, whatever the user wrote there.
///
/// It writes nothing itself, so that `ON CONFLICT`, which may drop the row again, stays safe.
fn stamp(call: &Call) -> Result<Value, Error> {
    let trigger = call.trigger()?;
    let (true, true, Some(new)) = (trigger.is_before, trigger.is_row, trigger.new()) else {
        return Err(Error::new(error::WRONG_TRIGGER, "fhir.stamp() is a trigger BEFORE INSERT OR UPDATE FOR EACH ROW"));
    };
    let site = Site::of(&trigger)?;
    let container = site.resource(new)?;
    let submitted = Submitted::read(container, site.holds)?;
    match trigger.old() {
        None => {
            if let Some(row) = accepted::row_of(container)
                && (row.how == As::Version || last_version(&trigger, &site, row.ty, &row.id)?.is_none())
            {
                return Ok(accept_as_is(&trigger, &site, new, &row));
            }
            validate(&submitted, container)?;
            let now = time::now();
            let random = time::random().ok_or_else(|| Error::new(error::INTERNAL, "no random numbers for an id"))?;
            let id = submitted.id_or_new(now, random);
            // Only an id that the client chose can have been used before.
            let previous = match submitted.id {
                Some(id) if !accepted::is_new(id) => last_version(&trigger, &site, submitted.ty, id)?,
                _ => None,
            };
            let version = Version::after(previous, now);
            Ok(accept(&trigger, &site, new, time::transaction(), submitted.stamped(&id, version)?))
        }
        Some(old) => {
            let id = submitted.id_of_update(site.id(old)?)?;
            let before = site.version(old);
            let accepted = accepted::row_of(container);
            if let Some(row) = accepted.as_ref().filter(|row| row.how == As::Version) {
                return Ok(accept_as_is(&trigger, &site, new, row));
            }
            let stored = submitted.stored(id, before)?;
            if accepted.is_none_or(|row| row.how != As::NextVersion) && stored == site.resource(old)? {
                // Nothing changed: no version. The row goes through all the same, so that the client sees it counted and
                // returned; and it gets its keys anew, which is how they are rebuilt after an upgrade.
                let xid = old.int(site.xid).unwrap_or(0) as u64;
                return Ok(accept(&trigger, &site, new, xid, submitted.stamped(id, before)?));
            }
            validate(&submitted, container)?;
            let version = Version::after(Some(before), time::now());
            Ok(accept(&trigger, &site, new, time::transaction(), submitted.stamped(id, version)?))
        }
    }
}

fn validate(submitted: &Submitted, container: &[u8]) -> Result<(), Error> {
    if settings::validation() == Validation::structure && accepted::row_of(container).is_none() {
        submitted.validated(Level::Structure, &Server)?;
    }
    Ok(())
}

/// The row with everything that is computed.
fn accept(trigger: &Trigger, site: &Site, row: Row, xid: u64, stamped: Stamped) -> Value {
    trigger.accept(
        row,
        vec![
            (site.compartment, Value::Text(stamped.home)),
            (site.ty, stamped.ty.name().into()),
            (site.id, Value::Text(stamped.id)),
            (site.version, stamped.version.number.into()),
            (site.last_updated, stamped.version.last_updated.into()),
            (site.xid, (xid as i64).into()),
            (site.occurred, stamped.occurred.into()),
            (site.resource, Value::Jsonb(stamped.resource)),
            (site.search, Value::Datum(varlena(&stamped.keys))),
        ],
    )
}

/// A row that was made before, with the resource that is in it already.
fn accept_as_is(trigger: &Trigger, site: &Site, row: Row, stamped: &Stamped) -> Value {
    trigger.accept(
        row,
        vec![
            (site.compartment, stamped.home.as_str().into()),
            (site.ty, stamped.ty.name().into()),
            (site.id, stamped.id.as_str().into()),
            (site.version, stamped.version.number.into()),
            (site.last_updated, stamped.version.last_updated.into()),
            (site.xid, (time::transaction() as i64).into()),
            (site.occurred, stamped.occurred.into()),
            (site.search, Value::Datum(varlena(&stamped.keys))),
        ],
    )
}

/// The last version that history has of an id: a tombstone, if the resource is not there now.
fn last_version(trigger: &Trigger, site: &Site, ty: TypeId, id: &str) -> Result<Option<Version>, Error> {
    if access::is_empty(site.history) {
        return Ok(None);
    }
    let schema = schema_of(trigger)?;
    // The writer need not be able to read history.
    let _owner = AsOwner::of(trigger.table(), site.history)?;
    spi::connected(|sql| {
        let query = format!(
            "SELECT version, last_updated FROM {schema}.history WHERE type OPERATOR(pg_catalog.=) $1 \
             AND id OPERATOR(pg_catalog.=) $2 ORDER BY version DESC LIMIT 1"
        );
        // The snapshot of the statement, or under REPEATABLE READ of the transaction, may not have a deletion we waited for.
        let number = sql.int_as_of_now(&query, &[Arg::Text(ty.name()), Arg::Text(id)])?;
        let last_updated = sql.cell(0, 2).map(|datum| datum.value() as i64);
        Ok(number.zip(last_updated).map(|(number, last_updated)| Version { number, last_updated }))
    })
}

/// AFTER INSERT OR UPDATE OR DELETE, each row: history and membership.
fn keep(call: &Call) -> Result<Value, Error> {
    let trigger = call.trigger()?;
    if trigger.is_before || !trigger.is_row {
        return Err(Error::new(error::WRONG_TRIGGER, "fhir.keep() is a trigger AFTER INSERT OR UPDATE OR DELETE FOR EACH ROW"));
    }
    let site = Site::of(&trigger)?;
    match trigger.event {
        Event::Insert => check_first(&trigger, &site)?,
        Event::Update | Event::Delete => write_history(&trigger, &site)?,
        Event::Truncate => {}
    }
    write_membership(&trigger, &site)?;
    Ok(trigger.done())
}

/// The deletion of the same id may have committed between the stamp, which saw no tombstone, and the insertion, which waited
/// for it. Then the version is taken already.
fn check_first(trigger: &Trigger, site: &Site) -> Result<(), Error> {
    let Some(new) = trigger.new() else { return Ok(()) };
    let (id, version) = (site.id(new)?, site.version(new));
    if super::time::is_uuid_of(id, version.last_updated) || accepted::is_new(id) || access::is_empty(site.history) {
        return Ok(()); // the server made this id just now, or nothing was ever deleted
    }
    let Some(ty) = new.text(site.ty) else { return Ok(()) };
    match last_version(trigger, site, stamp::resource_type(ty)?, id)? {
        Some(last) if last.number >= version.number => {
            Err(Error::new(error::SERIALIZATION_FAILURE, format!("{ty}/{id} was deleted at the same time")).hint("try again"))
        }
        _ => Ok(()),
    }
}

/// The superseded version, and a tombstone after a DELETE.
fn write_history(trigger: &Trigger, site: &Site) -> Result<(), Error> {
    let Some(old) = trigger.old() else { return Ok(()) };
    let before = site.version(old);
    let after = match trigger.new() {
        Some(new) => site.version(new),
        None => Version::after(Some(before), time::now()),
    };
    if after.number == before.number {
        return Ok(());
    }
    let (Some(compartment), Some(ty)) = (old.text(site.compartment), old.text(site.ty)) else { return Ok(()) };
    let (id, xid) = (site.id(old)?, old.datum(site.xid));
    let resource = old.datum(site.resource);
    let schema = schema_of(trigger)?;
    let _owner = AsOwner::of(trigger.table(), site.history)?;
    let insert = format!(
        "INSERT INTO {schema}.history (compartment, type, id, version, last_updated, superseded, xid, method, resource) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
    );
    let row = |version: Version, until: i64, xid: Arg<'_>, method: &str, resource: Arg<'_>, sql: &Spi| {
        let args = [
            Arg::Text(compartment),
            Arg::Text(ty),
            Arg::Text(id),
            Arg::Int(version.number),
            Arg::Time(version.last_updated),
            Arg::Time(until),
            xid,
            Arg::Text(method),
            resource,
        ];
        sql.run(&insert, &args)
    };
    spi::connected(|sql| {
        let xid = xid.map_or(Arg::Null(pg_sys::XID8OID), |xid| Arg::Datum(pg_sys::XID8OID, xid));
        let content = resource.map_or(Arg::Null(pg_sys::JSONBOID), |resource| Arg::Datum(pg_sys::JSONBOID, resource));
        let method = before.method(id);
        row(before, after.last_updated, xid, method, content, sql)?;
        if trigger.event == Event::Delete {
            let xid = Arg::Datum(pg_sys::XID8OID, pg_sys::Datum::from(time::transaction()));
            row(after, i64::MAX, xid, "DELETE", Arg::Null(pg_sys::JSONBOID), sql)?;
        }
        Ok(())
    })
}

/// Second and later compartments of the resource.
fn write_membership(trigger: &Trigger, site: &Site) -> Result<(), Error> {
    let others = |row: Option<Row>| -> Option<(BTreeSet<String>, i64)> {
        let row = row?;
        let others = membership::others(model::type_named(row.text(site.ty)?)?, row.bytes(site.search)?, row.text(site.compartment)?);
        (!others.is_empty()).then_some((others, row.int(site.occurred)?))
    };
    let (before, after) = (others(trigger.old()), others(trigger.new()));
    if before == after {
        return Ok(());
    }
    let Some(row) = trigger.new().or(trigger.old()) else { return Ok(()) };
    let (Some(ty), id) = (row.text(site.ty), site.id(row)?) else { return Ok(()) };
    let schema = schema_of(trigger)?;
    let _owner = AsOwner::of(trigger.table(), site.membership)?;
    spi::connected(|sql| {
        if before.is_some() {
            let delete = format!(
                "DELETE FROM {schema}.membership WHERE type OPERATOR(pg_catalog.=) $1 AND id OPERATOR(pg_catalog.=) $2"
            );
            sql.run(&delete, &[Arg::Text(ty), Arg::Text(id)])?;
        }
        if let Some((compartments, occurred)) = after {
            let insert = format!("INSERT INTO {schema}.membership (compartment, occurred, type, id) VALUES ($1, $2, $3, $4)");
            for compartment in &compartments {
                sql.run(&insert, &[Arg::Text(compartment), Arg::Time(occurred), Arg::Text(ty), Arg::Text(id)])?;
            }
        }
        Ok(())
    })
}

/// BEFORE TRUNCATE: it would take resources away without a trace in history.
fn refuse_truncate(call: &Call) -> Result<Value, Error> {
    let table = call.trigger()?.table_name();
    Err(Error::new(error::NOT_IN_STATE, format!("table \"{table}\" of a lake cannot be truncated"))
        .detail("TRUNCATE would leave no history of what it removes")
        .hint("use DELETE, or fhir.drop_lake and fhir.create_lake to begin anew"))
}

fn schema_of(trigger: &Trigger) -> Result<String, Error> {
    access::schema_name(trigger.schema())
        .map(|name| access::quoted(&name))
        .ok_or_else(|| Error::new(error::INTERNAL, "a table without a schema fired a trigger"))
}

/// The table of a resource type in the current lake, qualified and quoted.
pub fn table_of(ty: &str) -> Result<String, Error> {
    tables::of_type(&settings::lake(), stamp::resource_type(ty)?)
}

fn resource_types(call: &Call) -> Result<Value, Error> {
    let mut rows = call.rows()?;
    for ty in model::resource_types() {
        rows.add([ty.name().into()]);
    }
    Ok(Value::Null)
}
