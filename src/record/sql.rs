//! The patient's record in SQL. Everything reads with the rights of the caller.

use super::ask::{self, Ask, AskError};
use super::everything::{self, Entry, Place, Said};
use super::picture::{self, Frame, Line, Record};
use super::timeline::{self, Holdings, names, versions};
use super::{event, references};
use crate::index::extract::HOME;
use crate::index::time::{FIRST, LAST, OPEN_HIGH, OPEN_LOW, instant_text};
use crate::json;
use crate::model::{self, TypeId};
use crate::pg::access;
use crate::pg::arrays::{text_array, texts};
use crate::pg::error::{self, Error};
use crate::pg::function::{Call, Value};
use crate::pg::jsonb;
use crate::pg::memory::Scratch;
use crate::pg::spi::{self, Arg, Spi};
use crate::pg::time::check_for_interrupts;
use crate::search::quote::{identifier, literal};
use crate::sql_function;
use pgrx::pg_sys;
use std::collections::HashMap;

sql_function!(fhir_event, one_event);
sql_function!(fhir_until, |call| Ok(json::root(call.jsonb(0)?).map_or(OPEN_HIGH, event::until).into()));
sql_function!(fhir_references, |call| {
    let mut rows = call.rows()?;
    for (ty, id) in json::root(call.jsonb(0)?).map(references::references).unwrap_or_default() {
        rows.add([ty.name().into(), id.into()]);
    }
    Ok(Value::Null)
});
sql_function!(fhir_references_at, |call| {
    let path = call.text(1)?;
    let found = json::root(call.jsonb(0)?).map(|resource| references::references_at(resource, path)).transpose();
    let found = found.map_err(|error| Error::new(error::INVALID_PARAMETER, format!("that is no path to references: {error}")))?;
    let mut rows = call.rows()?;
    for (ty, id) in found.unwrap_or_default() {
        rows.add([ty.name().into(), id.into()]);
    }
    Ok(Value::Null)
});
// (patient, from, to, types, newest_first, count, lake, as_of, findings)
sql_function!(fhir_timeline_sql, |call| {
    let lake = lake(call, 6)?;
    let asked = asked(call)?.of(moment(call, 7));
    let count = limit(call, 5)?;
    let wants_findings = call.count() <= 8 || call.bool(8)?;
    let holdings = spi::connected(|spi| {
        let holdings = holdings(spi, lake, &asked)?;
        let findings = if wants_findings { noted(spi, lake, &holdings.types)? } else { Vec::new() };
        Ok(Holdings { findings, ..holdings })
    })?;
    Ok(timeline::statement(lake, &asked, &holdings, call.bool(4)?, count).into())
});
// (patient, from, to, types, width, rows, lake, as_of, entries)
sql_function!(fhir_timeline_svg, svg);
// (patient, start, end, since, types, count, cursor, lake, as_of)
sql_function!(fhir_everything, bundle);
// (patient, start, end, since, types, lake, as_of)
sql_function!(fhir_everything_rows, rows);

impl From<AskError> for Error {
    fn from(error: AskError) -> Error {
        Error::new(error::INVALID_PARAMETER, error.message).hint(error.hint)
    }
}

fn one_event(call: &Call) -> Result<Value, Error> {
    let mut rows = call.rows()?;
    if let Some(event) = json::root(call.jsonb(0)?).and_then(event) {
        let text = |text: Option<std::borrow::Cow<str>>| Value::from(text.map(std::borrow::Cow::into_owned));
        rows.add([
            event.precision.map(event::Precision::name).into(),
            event.ended.into(),
            event.until.into(),
            event.system.into(),
            text(event.code),
            text(event.display),
            event.value.into(),
            event.unit.into(),
            text(event.status),
            event.refers.map(|(ty, _)| ty.name()).into(),
            event.refers.map(|(_, id)| id).into(),
        ]);
    }
    Ok(Value::Null)
}

/// The lake that an argument names.
fn lake(call: &Call, index: usize) -> Result<&str, Error> {
    let lake = call.text(index)?;
    if !access::has_table(lake, "resource") {
        return Err(Error::new(error::UNDEFINED_TABLE, format!("there is no lake \"{lake}\""))
            .hint("SELECT fhir.create_lake() makes one, fhir.lakes() lists them, SET fhir.lake chooses one"));
    }
    Ok(lake)
}

/// The first arguments of all: patient, from, to; types are the fourth.
fn asked(call: &Call) -> Result<Ask, Error> {
    asked_with(call, 3)
}

fn asked_with(call: &Call, types: usize) -> Result<Ask, Error> {
    // SAFETY: the SQL declaration says that this argument is a text[]; it lives as long as the call.
    let types = call.datum(types).map(|types| unsafe { texts(types) });
    if types.as_ref().is_some_and(Vec::is_empty) {
        return Err(Error::new(error::INVALID_PARAMETER, "the list of types is empty").hint("leave it out for all types"));
    }
    Ok(Ask::read(call.text(0)?, call.optional_text(1)?, call.optional_text(2)?, types.into_iter().flatten())?)
}

/// An argument of type timestamptz.
fn moment(call: &Call, index: usize) -> Option<i64> {
    call.datum(index).map(|at| at.value() as i64)
}

fn limit(call: &Call, index: usize) -> Result<Option<i64>, Error> {
    match call.datum(index).map(|count| i64::from(count.value() as i32)) {
        Some(count) if count < 1 => Err(Error::new(error::INVALID_PARAMETER, "count is less than 1").hint("leave it out for all")),
        count => Ok(count),
    }
}

/// What the lake has that may belong to the patient, or tell what that is about.
fn holdings(spi: &Spi, lake: &str, ask: &Ask) -> Result<Holdings, Error> {
    let mut types = ask.members();
    types.extend(timeline::tellers(&types));
    Ok(Holdings { types: present(spi, lake, ask.as_of, &types)?, shared: shared(spi, lake, ask)?, findings: Vec::new() })
}

/// Those of the types whose notes were read, as far as the user may see what was found.
fn noted(spi: &Spi, lake: &str, types: &[TypeId]) -> Result<Vec<TypeId>, Error> {
    let readable = |name| access::table_named(lake, name).is_some_and(|table| !access::is_empty(table) && access::may_read(table));
    if !readable("entity_run") || !readable("entity") {
        return Ok(Vec::new());
    }
    let sql = format!(
        "SELECT t FROM pg_catalog.unnest({}) t WHERE EXISTS (SELECT FROM {}.entity_run n WHERE n.type OPERATOR(pg_catalog.=) t)",
        names(types),
        identifier(lake)
    );
    let rows = spi.query(&sql)?;
    Ok((0..rows).filter_map(|row| spi.text(row, 1).and_then(model::type_named)).collect())
}

/// Those of the types that the lake has anything of; of the past also what it had, as far as the caller may see.
fn present(spi: &Spi, lake: &str, as_of: Option<i64>, types: &[TypeId]) -> Result<Vec<TypeId>, Error> {
    let mut had = Vec::new();
    if as_of.is_some() {
        let sql = format!(
            "SELECT t FROM pg_catalog.unnest({}) t WHERE EXISTS (SELECT FROM {}.history h WHERE h.type OPERATOR(pg_catalog.=) t)",
            names(types),
            identifier(lake)
        );
        let rows = spi.query(&sql)?;
        had.extend((0..rows).filter_map(|row| spi.text(row, 1).and_then(model::type_named)));
    }
    let has_rows = |ty: &TypeId| access::table_named(lake, &ty.name().to_lowercase()).is_some_and(|table| !access::is_empty(table));
    Ok(types.iter().copied().filter(|ty| had.contains(ty) || has_rows(ty)).collect())
}

/// Types of the resources of others that belong to this patient as well.
fn shared(spi: &Spi, lake: &str, ask: &Ask) -> Result<Vec<TypeId>, Error> {
    let lake = identifier(lake);
    let sql = format!("SELECT m.type FROM {lake}.membership m WHERE m.compartment OPERATOR(pg_catalog.=) $1 GROUP BY 1");
    let rows = spi.select(&sql, &[Arg::Text(&ask.focus)])?;
    Ok((0..rows).filter_map(|row| spi.text(row, 1).and_then(model::type_named)).collect())
}

/// FH404 where there is, or then was, no such patient, FH410 where it was deleted. Who may not read history learns no more than that
/// there is none.
fn must_be_there(spi: &Spi, lake: &str, ask: &Ask) -> Result<(), Error> {
    let (lake, home) = (identifier(lake), literal(HOME));
    let of = |row: &str| format!("{row}.type OPERATOR(pg_catalog.=) {home} AND {row}.id OPERATOR(pg_catalog.=) $1");
    let mut args = vec![Arg::Text(ask.id())];
    args.extend(ask.as_of.map(Arg::Time));
    let at = ask.as_of.map(|_| "$2");
    let there = format!("SELECT 1::pg_catalog.int8 FROM {} r WHERE {}", versions(&lake, &identifier(&HOME.to_lowercase()), at), of("r"));
    if spi.int(&there, &args, true)?.is_some() {
        return Ok(());
    }
    let history = format!("{lake}.history");
    let may = format!("SELECT pg_catalog.has_table_privilege({}, 'SELECT')::pg_catalog.int4::pg_catalog.int8", literal(&history));
    if spi.int(&may, &[], true)? == Some(1) {
        let last = format!(
            "SELECT (h.resource IS NULL)::pg_catalog.int4::pg_catalog.int8 FROM {history} h WHERE {}{} ORDER BY h.version DESC LIMIT 1",
            of("h"),
            at.map(|at| format!(" AND h.last_updated OPERATOR(pg_catalog.<=) {at}")).unwrap_or_default()
        );
        if spi.int(&last, &args, true)? == Some(1) {
            return Err(Error::new("FH410", format!("{} was deleted", ask.focus)));
        }
    }
    Err(Error::new("FH404", format!("there {} no {}", if at.is_some() { "was" } else { "is" }, ask.focus)))
}

/// A row of a record; what it borrows is in the memory of the connection.
struct Found<'s> {
    ty: TypeId,
    id: &'s str,
    version: i64,
    last_updated: i64,
    container: &'s [u8],
    place: Place,
}

impl Found<'_> {
    fn is_inside(&self) -> bool {
        matches!(self.place, Place::Inside { .. })
    }
}

/// What a caller wants of `$everything`.
struct Want<'a> {
    lake: &'a str,
    ask: Ask,
    since: i64,
}

/// The rows behind `place`, at most `most`.
fn page<'s>(spi: &'s Spi, want: &Want, place: Option<&Place>, most: usize) -> Result<Vec<Found<'s>>, Error> {
    let shared = shared(spi, want.lake, &want.ask)?;
    let mut found = Vec::new();
    if !matches!(place, Some(Place::Outside { .. })) {
        inside(spi, want, &shared, place, most, &mut found)?;
    }
    if found.len() < most {
        let behind = match place {
            Some(Place::Outside { ty, id }) => (ty.name(), id.as_str()),
            _ => ("", ""),
        };
        outside(spi, want, &shared, behind, most, &mut found)?;
    }
    Ok(found)
}

fn inside<'s>(spi: &'s Spi, want: &Want, shared: &[TypeId], place: Option<&Place>, most: usize, found: &mut Vec<Found<'s>>) -> Result<(), Error> {
    let (mut after, mut begun) = (everything::BEGINNING, true);
    let first = match place {
        Some(Place::Inside { ty, occurred, id }) => {
            (after, begun) = ((*occurred, id.as_str()), false);
            Some(*ty)
        }
        _ => None,
    };
    let members = want.ask.members();
    let present = present(spi, want.lake, want.ask.as_of, &members)?;
    for ty in members {
        begun |= first == Some(ty);
        if !begun || found.len() == most || !present.contains(&ty) {
            continue;
        }
        let (occurred, id) = if first == Some(ty) { after } else { everything::BEGINNING };
        let sql = everything::inside(want.lake, ty, shared.contains(&ty), everything::has_start(&want.ask), want.ask.as_of.is_some());
        let mut args = vec![
            Arg::Text(&want.ask.focus),
            Arg::Time(want.ask.to),
            Arg::Time(want.ask.from),
            Arg::Time(want.since),
            Arg::Time(occurred),
            Arg::Text(id),
            Arg::Int((most - found.len()) as i64),
        ];
        args.extend(want.ask.as_of.map(Arg::Time));
        for row in 0..spi.select(&sql, &args)? {
            let (Some(id), Some(resource)) = (spi.text(row, 1), spi.cell(row, 5)) else { continue };
            // SAFETY: the fifth column is the jsonb of the resource; the rows stay until the connection closes
            let container = unsafe { jsonb::container(resource) };
            let number = |column| spi.cell(row, column).map_or(0, |datum| datum.value() as i64);
            let place = Place::Inside { ty, occurred: number(4), id: id.to_owned() };
            found.push(Found { ty, id, version: number(2), last_updated: number(3), container, place });
        }
    }
    Ok(())
}

fn outside<'s>(spi: &'s Spi, want: &Want, shared: &[TypeId], behind: (&str, &str), most: usize, found: &mut Vec<Found<'s>>) -> Result<(), Error> {
    let wanted: Vec<&str> = model::resource_types().filter(|ty| want.ask.wants(*ty)).map(TypeId::name).collect();
    let sql = everything::outside(want.lake, &ask::members(), shared, everything::has_start(&want.ask), want.ask.as_of.is_some());
    let mut behind = (behind.0.to_owned(), behind.1.to_owned());
    loop {
        check_for_interrupts();
        let room = most - found.len();
        let mut args = vec![
            Arg::Text(&want.ask.focus),
            Arg::Time(want.ask.to),
            Arg::Time(want.ask.from),
            Arg::Time(want.since),
            Arg::Text(&behind.0),
            Arg::Text(&behind.1),
            Arg::Int(room as i64),
            Arg::Datum(pg_sys::TEXTARRAYOID, text_array(&wanted)),
        ];
        args.extend(want.ask.as_of.map(Arg::Time));
        let rows = spi.select(&sql, &args)?;
        let mut targets: Vec<(TypeId, Vec<(&'s str, bool)>)> = Vec::new();
        for row in 0..rows {
            let (Some(name), Some(id), Some(changed)) = (spi.text(row, 1), spi.text(row, 2), spi.cell(row, 3)) else { continue };
            let Some(ty) = model::type_named(name) else { continue };
            let changed = changed.value() as u8 != 0;
            behind = (name.to_owned(), id.to_owned());
            match targets.last_mut().filter(|(last, _)| *last == ty) {
                Some((_, ids)) => ids.push((id, changed)),
                None => targets.push((ty, vec![(id, changed)])),
            }
        }
        for (ty, ids) in targets {
            let list: Vec<&str> = ids.iter().map(|(id, _)| *id).collect();
            let mut args = vec![Arg::Datum(pg_sys::TEXTARRAYOID, text_array(&list))];
            args.extend(want.ask.as_of.map(Arg::Time));
            for row in 0..spi.select(&everything::by_ids(want.lake, ty, want.ask.as_of.is_some()), &args)? {
                let (Some(id), Some(resource)) = (spi.text(row, 1), spi.cell(row, 4)) else { continue };
                let number = |column| spi.cell(row, column).map_or(0, |datum| datum.value() as i64);
                let (version, last_updated) = (number(2), number(3));
                // what is new to the record counts as well as what is new itself
                if last_updated < want.since && !ids.iter().any(|(of, changed)| *of == id && *changed) {
                    continue;
                }
                // SAFETY: the fourth column is the jsonb of the resource; the rows stay until the connection closes
                let container = unsafe { jsonb::container(resource) };
                found.push(Found { ty, id, version, last_updated, container, place: Place::Outside { ty, id: id.to_owned() } });
            }
        }
        if rows < room || found.len() == most {
            return Ok(());
        }
    }
}

fn bundle(call: &Call) -> Result<Value, Error> {
    let since = moment(call, 3);
    let ask = asked_with(call, 4)?.of(moment(call, 8));
    let want = Want { lake: lake(call, 7)?, ask, since: since.unwrap_or(OPEN_LOW) };
    let count = limit(call, 5)?;
    let cursor = call.optional_text(6)?;
    let said = Said {
        start: call.optional_text(1)?,
        end: call.optional_text(2)?,
        since: since.filter(|at| (FIRST..=LAST).contains(at)).map(instant_text),
        count,
        cursor,
    };
    let place = cursor.map(Place::read).transpose()?;
    let bundle = spi::connected(|spi| {
        must_be_there(spi, want.lake, &want.ask)?;
        // one more than the page holds tells whether there is another
        let most = count.map_or(i64::MAX as usize, |count| count as usize + 1);
        let mut found = page(spi, &want, place.as_ref(), most)?;
        let next = count.filter(|count| found.len() > *count as usize).and_then(|count| {
            found.truncate(count as usize);
            found.last().map(|last| last.place.clone())
        });
        let entries = found.iter().filter_map(|row| Some(Entry { resource: json::root(row.container)?, is_inside: row.is_inside() })).collect();
        everything::bundle(&want.ask, &said, entries, next.as_ref()).map_err(|error| {
            Error::new("54000", "the Bundle is too large").detail(error.to_string()).hint("ask for pages with count, or use fhir.everything_rows")
        })
    })?;
    Ok(Value::Jsonb(bundle))
}

/// Rows in one step; what they hold is freed between steps.
const STEP: usize = 500;

fn rows(call: &Call) -> Result<Value, Error> {
    let ask = asked_with(call, 4)?.of(moment(call, 6));
    let want = Want { lake: lake(call, 5)?, ask, since: moment(call, 3).unwrap_or(OPEN_LOW) };
    let mut rows = call.rows()?;
    let scratch = Scratch::new(c"fhir everything");
    let mut place: Option<Place> = None;
    loop {
        check_for_interrupts();
        let _step = scratch.enter();
        let (count, last) = spi::connected(|spi| {
            if place.is_none() {
                must_be_there(spi, want.lake, &want.ask)?;
            }
            let found = page(spi, &want, place.as_ref(), STEP)?;
            for row in &found {
                rows.add([
                    row.ty.name().into(),
                    row.id.into(),
                    row.version.into(),
                    row.last_updated.into(),
                    row.is_inside().into(),
                    Value::Jsonb(row.container.to_vec()),
                ]);
            }
            Ok((found.len(), found.last().map(|last| last.place.clone())))
        })?;
        if count < STEP {
            return Ok(Value::Null);
        }
        place = last;
    }
}

/// The record of a patient as a picture.
fn svg(call: &Call) -> Result<Value, Error> {
    let lake = lake(call, 6)?;
    let asked = asked(call)?.of(moment(call, 7));
    let frame = Frame {
        width: bounded(call, 4, "width", picture::WIDTHS)?,
        rows: bounded(call, 5, "rows", picture::ROWS)?,
    };
    let most = bounded(call, 8, "entries", picture::LINES)?;
    let record = spi::connected(|spi| {
        must_be_there(spi, lake, &asked)?;
        let holdings = holdings(spi, lake, &asked)?;
        let mut record = whose(spi, lake, &asked)?;
        let mut counts: HashMap<TypeId, usize> = HashMap::new();
        let cursor = spi.open(&timeline::drawn(lake, &asked, &holdings), &[])?;
        loop {
            check_for_interrupts();
            let rows = cursor.fetch(spi, STEP)?;
            if rows == 0 {
                break;
            }
            for row in 0..rows {
                let Some(ty) = spi.text(row, 4).and_then(model::type_named).filter(|ty| ty.name() != HOME) else { continue };
                let count = counts.entry(ty).or_default();
                *count += 1;
                if *count > most {
                    *record.left_out.entry(ty).or_default() += 1;
                } else {
                    record.lines.push(line(spi, row, ty));
                }
            }
        }
        cursor.close()?;
        record.lines.reverse();
        Ok(record)
    })?;
    Ok(picture::draw(&record, &frame).into())
}

/// A row of [`timeline::drawn`].
fn line(spi: &Spi, row: usize, ty: TypeId) -> Line {
    let text = |column| spi.text(row, column).map(str::to_owned);
    Line {
        ty,
        occurred: spi.number(row, 1).unwrap_or(OPEN_LOW),
        precision: spi.text(row, 2).and_then(event::Precision::named),
        ended: spi.number(row, 3),
        system: text(5),
        code: text(6),
        display: text(7),
        value: text(8),
        unit: text(9),
        status: text(10),
        until: spi.number(row, 13).unwrap_or(OPEN_HIGH),
    }
}

/// What the patient says of itself: the name and the date of birth.
fn whose(spi: &Spi, lake: &str, ask: &Ask) -> Result<Record, Error> {
    let sql = format!(
        "SELECT e.display, e.value FROM {} r CROSS JOIN LATERAL fhir.event(r.resource) e WHERE r.type OPERATOR(pg_catalog.=) {} \
         AND r.id OPERATOR(pg_catalog.=) $1",
        versions(&identifier(lake), &identifier(&HOME.to_lowercase()), ask.as_of.map(|_| "$2")),
        literal(HOME)
    );
    let mut args = vec![Arg::Text(ask.id())];
    args.extend(ask.as_of.map(Arg::Time));
    spi.select(&sql, &args)?;
    let title = spi.text(0, 1).unwrap_or(&ask.focus).to_owned();
    Ok(Record { title, born: spi.text(0, 2).map(str::to_owned), from: ask.from, to: ask.to, ..Record::default() })
}

/// A whole number within its range.
fn bounded<T: TryFrom<i64> + PartialOrd + std::fmt::Display>(call: &Call, index: usize, name: &str, range: std::ops::RangeInclusive<T>) -> Result<T, Error> {
    let number = T::try_from(i64::from(call.int(index)? as i32)).ok().filter(|number| range.contains(number));
    number.ok_or_else(|| Error::new(error::INVALID_PARAMETER, format!("{name} is {} to {}", range.start(), range.end())))
}
