//! The triggers that check references, and what points where, read from the index.

use super::{Deletions, Moment, Reference, Turn, literal, parameters, unindexed};
use crate::index::key;
use crate::json;
use crate::model::{self, SearchParameter, TypeId};
use crate::path::reference::is_id;
use crate::pg::access::{self, AsOwner};
use crate::pg::arrays::{text_array, texts};
use crate::pg::entries::Entries;
use crate::pg::error::{self, Error};
use crate::pg::function::{Call, Value};
use crate::pg::jsonb::varlena;
use crate::pg::plans::Lookups;
use crate::pg::spi::{self, Arg, Spi};
use crate::pg::time::{check_for_interrupts, transaction};
use crate::pg::transaction::{before_commit, is_outermost, savepoint};
use crate::pg::trigger::{Event, Row, Trigger};
use crate::sql_function;
use crate::store::stamp;
use pgrx::pg_sys;
use pgrx::pg_sys::Oid;
use std::cell::RefCell;
use std::collections::{BTreeSet, HashSet};
use std::rc::Rc;

sql_function!(fhir_check_references, check);
sql_function!(fhir_note_deletion, note);
sql_function!(fhir_unindexed_references, |call| {
    let targets = json::root(call.jsonb(0)?).map(|resource| unindexed_of(resource, call)).transpose()?.unwrap_or_default();
    let targets: Vec<&str> = targets.iter().map(String::as_str).collect();
    Ok(Value::Datum(text_array(&targets)))
});
sql_function!(fhir_literal_references, |call| {
    let mut rows = call.rows()?;
    for reference in json::root(call.jsonb(0)?).map(literal).unwrap_or_default() {
        rows.add([reference.path.into(), reference.ty.name().into(), reference.id.into()]);
    }
    Ok(Value::Null)
});
// (targets, lake, type)
sql_function!(fhir_referring, referring);
// (type, lake)
sql_function!(fhir_referenced, referenced);

fn unindexed_of(resource: json::Node, call: &Call) -> Result<BTreeSet<String>, Error> {
    Ok(unindexed(resource, call.bytes(1)?))
}

// The triggers -----------------------------------------------------------------------------------------------------------

/// What happens to a reference that leads nowhere.
#[derive(Clone, Copy, PartialEq)]
enum Mode {
    Warn,
    Enforce,
}

/// The columns of the table that fired.
#[derive(Clone, Copy)]
struct Site {
    ty: i32,
    id: i32,
    version: i32,
    xid: i32,
    resource: i32,
}

impl Site {
    fn of(trigger: &Trigger) -> Result<Site, Error> {
        Ok(Site {
            ty: trigger.column("type", pg_sys::TEXTOID)?,
            id: trigger.column("id", pg_sys::TEXTOID)?,
            version: trigger.column("version", pg_sys::INT8OID)?,
            xid: trigger.column("xid", pg_sys::XID8OID)?,
            resource: trigger.column("resource", pg_sys::JSONBOID)?,
        })
    }

    /// Type and id of a row.
    fn key<'a>(&self, row: &Row<'a>) -> Result<(TypeId, &'a str), Error> {
        let (Some(ty), Some(id)) = (row.text(self.ty), row.text(self.id)) else {
            return Err(Error::new(error::NULL_NOT_ALLOWED, "a resource without type or id"));
        };
        Ok((stamp::resource_type(ty)?, id))
    }
}

/// The lake of the table that fired.
struct Lake {
    schema: Oid,
    /// Quoted.
    name: String,
}

/// Constraint trigger AFTER INSERT OR UPDATE OR DELETE, each row, deferrable. The user's rights do not matter: as for a foreign
/// key, the owner of the table asks, and no policy hides anything from that question.
fn check(call: &Call) -> Result<Value, Error> {
    let trigger = call.trigger()?;
    if trigger.is_before || !trigger.is_row {
        return Err(Error::new(error::WRONG_TRIGGER, "fhir.check_references() is a constraint trigger AFTER INSERT OR UPDATE OR DELETE FOR EACH ROW"));
    }
    let mode = match trigger.argument().as_deref() {
        Some("warn") => Mode::Warn,
        Some("enforce") => Mode::Enforce,
        _ => return Err(Error::new(error::WRONG_TRIGGER, "fhir.check_references() takes warn or enforce").hint("fhir.set_integrity makes this trigger")),
    };
    let site = call.kept(|| Site::of(&trigger))?;
    let name = access::schema_name(trigger.schema()).ok_or_else(|| Error::new(error::INTERNAL, "a table without a schema fired a trigger"))?;
    let lake = Lake { schema: trigger.schema(), name: access::quoted(&name) };
    let history = access::table(lake.schema, c"history").unwrap_or(Oid::INVALID);
    let _owner = AsOwner::for_check(trigger.table(), history)?;
    match trigger.event {
        Event::Insert | Event::Update => written(&trigger, &site, &lake, mode)?,
        Event::Delete => deleted(&trigger, &site, &lake, mode)?,
        Event::Truncate => {}
    }
    Ok(trigger.done())
}

/// Whatever a written resource points at must be there, and stay until this transaction ends.
fn written(trigger: &Trigger, site: &Site, lake: &Lake, mode: Mode) -> Result<(), Error> {
    let Some(new) = trigger.new() else { return Ok(()) };
    let mut references = new.jsonb(site.resource).and_then(json::root).map(literal).unwrap_or_default();
    if references.is_empty() {
        return Ok(());
    }
    // What an earlier transaction's version said was checked then, unless it was written while nobody asked.
    if let Some(old) = trigger.old().filter(|old| old.int(site.xid).is_none_or(|xid| xid as u64 != transaction())) {
        let before = old.jsonb(site.resource).and_then(json::root).map(literal).unwrap_or_default();
        let before: BTreeSet<(TypeId, &str)> = before.iter().map(|r| (r.ty, r.id)).collect();
        references.retain(|r| !before.contains(&(r.ty, r.id)));
    }
    let (ty, id) = site.key(&new)?;
    spi::connected(|sql| {
        let mut missing: Vec<&Reference> = Vec::new();
        for reference in &references {
            if !missing.iter().any(|m| (m.ty, m.id) == (reference.ty, reference.id)) && !is_there(sql, lake, mode, reference.ty, reference.id)? {
                missing.push(reference);
            }
        }
        // A version that is superseded or gone by now is not what the transaction leaves: the last one is asked itself.
        let Some(first) = missing.first() else { return Ok(()) };
        if version_of(sql, lake, ty, id)? != new.int(site.version) {
            return Ok(());
        }
        match mode {
            Mode::Enforce => Err(Error::new(
                error::FOREIGN_KEY_VIOLATION,
                format!("{}/{id} refers to {}, which does not exist", ty.name(), first.target()),
            )
            .detail(missing.iter().take(LISTED).map(|m| format!("{} is {}", m.path, m.target())).collect::<Vec<_>>().join("\n"))
            .hint("write what is referred to in the same transaction, in any order")),
            Mode::Warn => {
                missing.iter().for_each(|m| warn(format!("{} of {}/{id} is {}", m.path, ty.name(), m.target())));
                Ok(())
            }
        }
    })
}

thread_local! {
    static DELETIONS: RefCell<Deletions> = RefCell::default();
}

fn moment() -> Moment {
    Moment { transaction: transaction(), savepoint: savepoint() }
}

/// Trigger BEFORE DELETE, each row: so that the first check of a statement knows all that it deletes.
fn note(call: &Call) -> Result<Value, Error> {
    let trigger = call.trigger()?;
    let (true, true, Some(old)) = (trigger.is_before, trigger.is_row, trigger.old().filter(|_| trigger.event == Event::Delete)) else {
        return Err(Error::new(error::WRONG_TRIGGER, "fhir.note_deletion() is a trigger BEFORE DELETE FOR EACH ROW"));
    };
    let (ty, id) = call.kept(|| Site::of(&trigger))?.key(&old)?;
    DELETIONS.with_borrow_mut(|deletions| deletions.note(moment(), trigger.schema().to_u32(), ty, id));
    Ok(trigger.unchanged(old))
}

/// Deletions that are asked about together.
const TOGETHER: usize = 200;

/// Rows that are read when many are asked about together: where there are as many, each is asked about alone.
const MANY: usize = 100;

/// Nothing may point at what is gone.
///
/// A writer who refers to it has locked it, or finds it gone. So whatever refers to it is committed, or of this transaction, from the
/// moment on at which it could be deleted, and any later look finds it: also one that many deletions share.
fn deleted(trigger: &Trigger, site: &Site, lake: &Lake, mode: Mode) -> Result<(), Error> {
    FOUND.with_borrow_mut(|found| found.targets.clear());
    let Some(old) = trigger.old() else { return Ok(()) };
    let (ty, id) = site.key(&old)?;
    let (now, schema) = (moment(), lake.schema.to_u32());
    let Turn::Ask(batch) = DELETIONS.with_borrow_mut(|deletions| deletions.turn(now, schema, ty, id, TOGETHER)) else { return Ok(()) };
    let _plans = Lookups::begin();
    spi::connected(|sql| {
        if batch.len() > 1 {
            let (own, others): (Vec<Gone>, Vec<Gone>) = unreferred(sql, lake, batch)?.into_iter().partition(|(t, i)| *t == ty && **i == *id);
            DELETIONS.with_borrow_mut(|deletions| deletions.found_unreferred(now, schema, others.into_iter()));
            if !own.is_empty() {
                return Ok(());
            }
        }
        no_longer_referred(sql, lake, mode, ty, id)
    })
}

type Gone = (TypeId, Rc<str>);

/// Those of many that are gone and that nothing refers to; it may leave some out.
fn unreferred(sql: &Spi, lake: &Lake, mut batch: Vec<Gone>) -> Result<Vec<Gone>, Error> {
    // before anything else: what refers to it is looked for when it is gone
    let types: BTreeSet<TypeId> = batch.iter().map(|(ty, _)| *ty).collect();
    for ty in types {
        let ids: Vec<&str> = batch.iter().filter(|(t, _)| *t == ty).map(|(_, id)| &**id).collect();
        let query = format!(
            "SELECT version, id FROM {} WHERE type OPERATOR(pg_catalog.=) $1 AND id OPERATOR(pg_catalog.=) ANY ($2)",
            table(&lake.name, ty)
        );
        sql.int_as_of_now(&query, &[Arg::Text(ty.name()), Arg::Datum(pg_sys::TEXTARRAYOID, text_array(&ids))])?;
        let there: HashSet<String> = (0..).map_while(|row| sql.text(row, 2).map(str::to_owned)).collect();
        batch.retain(|(t, id)| *t != ty || !there.contains(&**id));
    }
    let targets: Vec<String> = batch.iter().map(|(ty, id)| format!("{}/{id}", ty.name())).collect();
    let mut asked: Vec<&str> = targets.iter().map(String::as_str).collect();
    for holder in types_in(lake.schema) {
        if asked.is_empty() {
            break;
        }
        let found = holders(sql, lake, holder, &asked, As::Check(Some(MANY as i64)))?;
        if found.len() >= MANY {
            return Ok(Vec::new());
        }
        asked.retain(|target| !found.iter().any(|f| f.target == *target));
    }
    let asked: HashSet<&str> = asked.into_iter().collect();
    Ok(batch.into_iter().zip(&targets).filter(|(_, target)| asked.contains(target.as_str())).map(|(gone, _)| gone).collect())
}

fn no_longer_referred(sql: &Spi, lake: &Lake, mode: Mode, ty: TypeId, id: &str) -> Result<(), Error> {
    if version_of(sql, lake, ty, id)?.is_some() {
        return Ok(()); // written again since
    }
    let target = format!("{}/{id}", ty.name());
    for holder in types_in(lake.schema) {
        let targets = [target.as_str()];
        let mut found = holders(sql, lake, holder, &targets, As::Check(Some(LISTED as i64)))?;
        if found.is_empty() {
            continue;
        }
        // Where none of the first few stands its second look, one behind them may.
        found.retain(|f| f.is_reference);
        if found.is_empty() {
            found = holders(sql, lake, holder, &targets, As::Check(None))?;
            found.retain(|f| f.is_reference);
        }
        let Some(first) = found.first() else { continue };
        match mode {
            // As for a foreign key, no more is told than where: who deletes may not be allowed to see what points here.
            Mode::Enforce => {
                let message = format!("{target} is still referred to from type {}", holder.name());
                return Err(Error::new(error::FOREIGN_KEY_VIOLATION, message)
                    .detail(format!("at {}", first.path))
                    .hint(format!("SELECT * FROM fhir.referring('{{{target}}}') lists what you may see of it")));
            }
            Mode::Warn => warn(format!("{} is {target}, deleted", first.path)),
        }
    }
    Ok(())
}

/// References and resources that one message lists.
const LISTED: usize = 5;

/// The version that is current now, whatever the transaction's snapshot.
fn version_of(sql: &Spi, lake: &Lake, ty: TypeId, id: &str) -> Result<Option<i64>, Error> {
    let query = format!(
        "SELECT version FROM {} WHERE type OPERATOR(pg_catalog.=) $1 AND id OPERATOR(pg_catalog.=) $2",
        table(&lake.name, ty)
    );
    sql.int_as_of_now(&query, &[Arg::Text(ty.name()), Arg::Text(id)])
}

/// Targets that this transaction has seen and, where it enforces, locked.
#[derive(Default)]
struct Found {
    transaction: u64,
    targets: HashSet<(Oid, TypeId, String)>,
}

/// Beyond these they are looked up again.
const MAX_FOUND: usize = 100_000;

thread_local! {
    static FOUND: RefCell<Found> = RefCell::default();
}

/// Whether a resource is there. Where it must stay, it is locked as the server's foreign keys lock: it can be changed, not deleted.
fn is_there(sql: &Spi, lake: &Lake, mode: Mode, ty: TypeId, id: &str) -> Result<bool, Error> {
    // What is locked inside a savepoint is free again after ROLLBACK TO.
    let lasts = is_outermost();
    let key = (lake.schema, ty, id.to_owned());
    if lasts {
        let known = FOUND.with_borrow_mut(|found| {
            if found.transaction != transaction() {
                *found = Found { transaction: transaction(), targets: HashSet::new() };
            }
            found.targets.contains(&key)
        });
        if known {
            return Ok(true);
        }
    }
    let lock = if mode == Mode::Enforce { " FOR KEY SHARE" } else { "" };
    let query = format!(
        "SELECT 1::pg_catalog.int8 FROM {} WHERE type OPERATOR(pg_catalog.=) $1 AND id OPERATOR(pg_catalog.=) $2{lock}",
        table(&lake.name, ty)
    );
    let there = sql.int_as_of_now(&query, &[Arg::Text(ty.name()), Arg::Text(id)])?.is_some();
    if there && lasts {
        FOUND.with_borrow_mut(|found| {
            if found.targets.len() < MAX_FOUND {
                found.targets.insert(key);
            }
        });
    }
    Ok(there)
}

/// What this transaction will be warned of.
#[derive(Default)]
struct Warnings {
    transaction: u64,
    count: u64,
    first: Vec<String>,
}

thread_local! {
    static WARNINGS: RefCell<Warnings> = RefCell::default();
}

/// One warning for the whole transaction, when it commits.
fn warn(line: String) {
    let is_first = WARNINGS.with_borrow_mut(|warnings| {
        let is_first = warnings.transaction != transaction();
        if is_first {
            *warnings = Warnings { transaction: transaction(), ..Warnings::default() };
        }
        warnings.count += 1;
        if warnings.first.len() < LISTED {
            warnings.first.push(line);
        }
        is_first
    });
    if is_first {
        before_commit(|| {
            let Warnings { count, first, .. } = WARNINGS.take();
            let more = if count > first.len() as u64 { "; …" } else { "" };
            let what = if count == 1 { "reference leads" } else { "references lead" };
            error::warning(&format!("{count} {what} nowhere: {}{more}", first.join("; ")));
        });
    }
}

// From the index ---------------------------------------------------------------------------------------------------------

fn table(lake: &str, ty: TypeId) -> String {
    format!("{lake}.{}", access::quoted(&ty.name().to_lowercase()))
}

/// The types that a lake has rows of, or had since VACUUM.
fn types_in(schema: Oid) -> impl Iterator<Item = TypeId> {
    model::resource_types().filter(move |ty| {
        let name = std::ffi::CString::new(ty.name().to_lowercase()).ok();
        name.and_then(|name| access::table(schema, &name)).is_some_and(|table| !access::is_empty(table))
    })
}

/// Who asks what points where.
#[derive(Clone, Copy)]
enum As {
    /// The caller, in the snapshot of the statement.
    Caller,
    /// The owner, who must know of all that is committed now; so many rows are enough.
    Check(Option<i64>),
}

/// A row that the index has for a target.
struct Holder {
    id: String,
    path: String,
    target: String,
    /// Whether it does refer to the target; the index may have it for a canonical, or for a resource inside.
    is_reference: bool,
}

/// What of one type points at any of the targets, by the keys of its reference parameters and, where the lake has it, by the index
/// of what has none. Only hits are read, each once.
fn holders(sql: &Spi, lake: &Lake, ty: TypeId, targets: &[&str], asker: As) -> Result<Vec<Holder>, Error> {
    let query_type = access::own_type(c"query").ok_or_else(|| Error::new(error::INTERNAL, "type fhir.query is missing"))?;
    let mut search = Search { sql, targets: targets.iter().copied().collect(), asker, seen: HashSet::new(), found: Vec::new() };
    let from = format!("SELECT id, resource FROM {} WHERE ", table(&lake.name, ty));
    let list = targets.join(",");
    for parameter in that_tell(lake, ty, targets)? {
        let query = format!("{from} search OPERATOR(fhir.|=) $1 LIMIT $2");
        // a fhir.query is stored as its text
        let asked = format!("{}!?{}={list}", ty.name(), parameter.code);
        search.run(&query, Arg::Datum(query_type, varlena(asked.as_bytes())))?;
    }
    if access::table(lake.schema, c"resource_unindexed_references").is_some() {
        let others = "fhir.unindexed_references(resource, search)";
        let query = format!(
            "{from} {others} OPERATOR(pg_catalog.&&) $1 AND {others} OPERATOR(pg_catalog.<>) '{{}}'::pg_catalog.text[] LIMIT $2"
        );
        search.run(&query, Arg::Datum(pg_sys::TEXTARRAYOID, text_array(targets)))?;
    }
    Ok(search.found)
}

/// The reference parameters of a type under which the index has any target of these types: most types are referred to by few. All,
/// where the user may not know the keys of all rows.
fn that_tell(lake: &Lake, ty: TypeId, targets: &[&str]) -> Result<Vec<&'static SearchParameter>, Error> {
    let all = parameters(ty).to_vec();
    let name = std::ffi::CString::new(ty.name().to_lowercase()).unwrap_or_default();
    let Some(entries) = access::table(lake.schema, &name).map(Entries::try_open).transpose()?.flatten() else { return Ok(all) };
    let types: BTreeSet<TypeId> = targets.iter().filter_map(|target| model::type_named(target.split('/').next()?)).collect();
    let mut tell = Vec::new();
    for parameter in all {
        for target in &types {
            if entries.any(&key::start_of_references_to(parameter.key, *target))? {
                tell.push(parameter);
                break;
            }
        }
    }
    entries.close()?;
    Ok(tell)
}

struct Search<'a> {
    sql: &'a Spi,
    targets: HashSet<&'a str>,
    asker: As,
    /// Ids of rows that were read.
    seen: HashSet<String>,
    found: Vec<Holder>,
}

impl Search<'_> {
    fn run(&mut self, query: &str, asked: Arg) -> Result<(), Error> {
        match self.asker {
            As::Caller => {
                self.sql.select(query, &[asked, Arg::Null(pg_sys::INT8OID)])?;
            }
            As::Check(limit) => {
                self.sql.int_as_of_now(query, &[asked, limit.map_or(Arg::Null(pg_sys::INT8OID), Arg::Int)])?;
            }
        }
        for row in 0.. {
            let (Some(id), Some(container)) = (self.sql.text(row, 1), self.sql.container(row, 2)) else { break };
            check_for_interrupts();
            if !self.seen.insert(id.to_owned()) {
                continue;
            }
            let before = self.found.len();
            for reference in json::root(container).map(literal).unwrap_or_default() {
                let target = reference.target();
                if self.targets.contains(target.as_str()) {
                    self.found.push(Holder { id: id.to_owned(), path: reference.path, target, is_reference: true });
                }
            }
            if self.found.len() == before {
                self.found.push(Holder { id: id.to_owned(), path: String::new(), target: String::new(), is_reference: false });
            }
        }
        Ok(())
    }
}

fn lake_named(name: &str) -> Result<Lake, Error> {
    let schema = access::schema_of(name).filter(|_| access::has_table(name, "resource"));
    let schema = schema.ok_or_else(|| {
        Error::new(error::UNDEFINED_TABLE, format!("there is no lake \"{name}\"")).hint("SELECT * FROM fhir.lakes() lists them")
    })?;
    Ok(Lake { schema, name: access::quoted(name) })
}

/// Targets that one search looks for.
const TARGETS: usize = 200;

/// `fhir.referring(targets text[], lake text, type text)`: every reference to one of the targets that the caller may see.
fn referring(call: &Call) -> Result<Value, Error> {
    let mut rows = call.rows()?;
    // SAFETY: the SQL declaration says that this argument is a text[]; it lives as long as the call.
    let asked = call.datum(0).map(|array| unsafe { texts(array) }).unwrap_or_default();
    let lake = lake_named(call.text(1)?)?;
    let only = call.optional_text(2)?.map(stamp::resource_type).transpose()?;
    let mut targets: Vec<&str> = Vec::with_capacity(asked.len());
    for target in asked {
        match target.split_once('/') {
            Some((ty, id)) if is_id(id) => {
                stamp::resource_type(ty)?;
                targets.push(target);
            }
            _ => return Err(Error::new(error::INVALID_PARAMETER, "a target is not of the form Type/id")),
        }
    }
    targets.sort_unstable();
    targets.dedup();
    let _plans = Lookups::begin();
    for ty in types_in(lake.schema).filter(|ty| only.is_none_or(|only| only == *ty)) {
        for some in targets.chunks(TARGETS) {
            let mut found = spi::connected(|sql| holders(sql, &lake, ty, some, As::Caller))?;
            found.retain(|f| f.is_reference);
            found.sort_by(|a, b| (&a.id, &a.path).cmp(&(&b.id, &b.path)));
            for f in found {
                rows.add([ty.name().into(), f.id.into(), f.path.into(), f.target.into()]);
            }
        }
    }
    Ok(Value::Null)
}

/// Of the table of a type, the index of references that no search parameter finds, where the lake has it.
fn index_of_unindexed(lake: &str, table: &str) -> Result<Option<Oid>, Error> {
    let (Some(parent), Some(table)) = (access::table_named(lake, "resource_unindexed_references"), access::table_named(lake, table)) else { return Ok(None) };
    let query = "SELECT i.indexrelid::pg_catalog.int8 FROM pg_catalog.pg_index i \
         JOIN pg_catalog.pg_inherits h ON h.inhrelid OPERATOR(pg_catalog.=) i.indexrelid \
         WHERE i.indrelid OPERATOR(pg_catalog.=) $1::pg_catalog.oid AND h.inhparent OPERATOR(pg_catalog.=) $2::pg_catalog.oid";
    let oid = |oid: Oid| Arg::Int(i64::from(oid.to_u32()));
    Ok(spi::connected(|sql| sql.int(query, &[oid(table), oid(parent)], true))?.map(|found| Oid::from(found as u32)))
}

/// `fhir.referenced(type text, lake text)`: what resources of a type point at by their search parameters, each once, from the tree
/// of the index alone; without a parameter, what none of them finds. What no row points at any more may be among it.
fn referenced(call: &Call) -> Result<Value, Error> {
    let mut rows = call.rows()?;
    let ty = stamp::resource_type(call.text(0)?)?;
    let name = ty.name().to_lowercase();
    let Some(oid) = access::table_named(call.text(1)?, &name) else {
        lake_named(call.text(1)?)?;
        return Ok(Value::Null);
    };
    let entries = Entries::open(oid, &name)?;
    for parameter in parameters(ty) {
        entries.each(&key::start_of_references(parameter.key), &mut |bytes| {
            if let Some((target, id)) = key::referenced(bytes).filter(|(target, id)| target.is_concrete_resource() && is_id(id)) {
                rows.add([parameter.code.into(), target.name().into(), id.into()]);
            }
        })?;
    }
    if let Some(index) = index_of_unindexed(call.text(1)?, &name)? {
        entries.each_of(index, &name, &mut |bytes| {
            let target = std::str::from_utf8(bytes).ok().and_then(|text| text.split_once('/'));
            if let Some((target, id)) = target.filter(|(_, id)| is_id(id)) {
                rows.add([Value::Null, target.into(), id.into()]);
            }
        })?;
    }
    entries.close()?;
    Ok(Value::Null)
}
