//! A search from its text to its Bundle. <https://hl7.org/fhir/R4/bundle.html#searchset>

use super::cursor::{Cursor, Position};
use super::include::Include;
use super::project::{self, Shape};
use super::quote::{identifier, literal, query_part};
use super::request::{CURSOR, Handling, Request, Total};
use super::resolve;
use super::sort::SortKey;
use super::statement::{PAGE_COLUMNS, Place};
use super::{Filter, criteria};
use crate::index::keys::{Keys, Target, Value as Held};
use crate::index::query::Query;
use crate::index::{self};
use crate::json::{self, Item, Node, number};
use crate::model::{self, TypeId};
use crate::pg::error::Error;
use crate::pg::jsonb;
use crate::pg::arrays::text_array;
use crate::pg::spi::{Arg, Spi};
use pgrx::pg_sys;
use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};

/// No more resources than this come along with a page.
const MAX_INCLUDED: usize = 10_000;
/// Rounds of `:iterate`.
const MAX_ROUNDS: usize = 32;

/// A resource that a statement found; its bytes are in the memory of the connection.
struct Found<'s> {
    ty: &'s str,
    id: &'s str,
    resource: Node<'s>,
    score: Option<f32>,
}

/// The Bundle of a search, as a jsonb container.
pub fn search(spi: &Spi, place: Place, text: &str, handling: Handling) -> Result<Vec<u8>, Error> {
    let mut request = resolve::request(spi, place, text, handling)?;
    if !request.only_total {
        resolve::fence(spi, place, &mut request)?;
    }
    let mut entries: Vec<Item> = Vec::new();
    let mut next = None;
    let mut issues: Vec<Issue> = request.ignored.iter().map(|(name, reason)| Issue::warning("not-supported", format!("{name}: {reason}"))).collect();
    let mut found = Vec::new();
    if !request.only_total {
        let rows = spi.query(&request.page(place))?;
        let shown = rows.min(request.count as usize);
        found.reserve(shown);
        found.extend((0..shown).filter_map(|row| read(spi, row, &request)));
        if rows > shown && shown > 0 {
            next = Some(position(spi, shown - 1, &request)?.write());
        }
    }
    for one in &found {
        matched(&request, one, &mut entries)?;
    }
    let mut included = Vec::new();
    if !request.includes.is_empty() {
        let whole = include(spi, place, &request.includes, &found, &mut included)?;
        if !whole {
            issues.push(Issue::warning("incomplete", format!("more than {MAX_INCLUDED} resources would be included; the rest was left out")));
        }
    }
    for one in &included {
        entries.push(entry(shaped(&request, one.resource)?, "include", None));
    }
    if !issues.is_empty() {
        entries.push(entry(outcome(issues), "outcome", None));
    }
    let mut bundle: Vec<(Cow<str>, Item)> = vec![("resourceType".into(), text_item("Bundle")), ("type".into(), text_item("searchset"))];
    if let Some(total) = total(spi, place, &request)? {
        bundle.extend(number_item(&total.to_string()).map(|total| ("total".into(), total)));
    }
    bundle.push(("link".into(), Item::Array(links(&request, next))));
    if !entries.is_empty() {
        bundle.push(("entry".into(), Item::Array(entries)));
    }
    json::write(&Item::Object(bundle)).map_err(too_large)
}

fn too_large(error: json::JsonError) -> Error {
    Error::new("54000", "the Bundle is too large").detail(error.to_string()).hint("ask for a smaller _count")
}

fn text_item(text: impl Into<String>) -> Item<'static> {
    Item::String(Cow::Owned(text.into()))
}

fn number_item(text: &str) -> Option<Item<'static>> {
    number::encode(text)?.ok().map(|datum| Item::Number(Cow::Owned(datum)))
}

fn links(request: &Request, next: Option<String>) -> Vec<Item<'static>> {
    let page = |cursor: &str| {
        let separator = if request.understood.contains('?') { '&' } else { '?' };
        format!("{}{separator}{CURSOR}={}", request.understood, query_part(cursor))
    };
    let link = |relation: &str, url: String| Item::Object(vec![("relation".into(), text_item(relation)), ("url".into(), text_item(url))]);
    let own = request.cursor.as_ref().map_or_else(|| request.understood.clone(), |cursor| page(&cursor.write()));
    let mut links = vec![link("self", own)];
    if request.cursor.is_some() {
        links.push(link("first", request.understood.clone()));
    }
    links.extend(next.map(|cursor| link("next", page(&cursor))));
    links
}

fn read<'s>(spi: &'s Spi, row: usize, request: &Request) -> Option<Found<'s>> {
    let score = request.extra_columns().iter().position(|by| *by == SortKey::Score);
    let score = score.and_then(|at| spi.cell(row, PAGE_COLUMNS + 1 + at as i32)).map(|datum| f32::from_bits(datum.value() as u32));
    // SAFETY: the fifth column is the jsonb of the resource
    let container = unsafe { jsonb::container(spi.cell(row, 5)?) };
    Some(Found { ty: spi.text(row, 1)?, id: spi.text(row, 2)?, resource: json::root(container)?, score })
}

/// Where a row of the page stands in its order.
fn position(spi: &Spi, row: usize, request: &Request) -> Result<Cursor, Error> {
    let extra = request.extra_columns();
    let positions = request.order().into_iter().map(|sort| {
        let column = extra.iter().position(|by| *by == sort.by).map_or(0, |at| PAGE_COLUMNS + 1 + at as i32);
        match sort.by {
            SortKey::Type => Position::Text(spi.text(row, 1).unwrap_or_default().to_owned()),
            SortKey::Id => Position::Text(spi.text(row, 2).unwrap_or_default().to_owned()),
            SortKey::LastUpdated => Position::Time(spi.cell(row, 4).map_or(0, |datum| datum.value() as i64)),
            SortKey::Occurred => Position::Time(spi.cell(row, column).map_or(0, |datum| datum.value() as i64)),
            SortKey::Score => Position::Score(spi.cell(row, column).map_or(0.0, |datum| f32::from_bits(datum.value() as u32))),
            // SAFETY: fhir.sort_key returns bytea
            SortKey::Parameter(_) => Position::Key(spi.cell(row, column).map(|datum| unsafe { jsonb::bytes(datum) }.to_vec())),
        }
    });
    Ok(Cursor(positions.collect()))
}

/// Adds the entries of a match: the resource, or what it contains if that was asked for.
fn matched<'s>(request: &Request, found: &Found<'s>, entries: &mut Vec<Item<'s>>) -> Result<(), Error> {
    if request.contained.returned
        && let Some((ty, query)) = contained_query(&request.filter)
    {
        let before = entries.len();
        for inner in found.resource.get("contained").into_iter().flat_map(Node::items) {
            let stamp = index::stamp(inner);
            if Keys::read(&stamp.keys).is_some_and(|keys| keys.resource_type == ty.name() && query.matches(keys)) {
                let id = inner.get("id").and_then(Node::as_str).unwrap_or_default();
                let mut members = vec![("fullUrl".into(), text_item(format!("{}/{}#{id}", found.ty, found.id)))];
                members.extend(members_of(shaped(request, inner)?, "match", found.score));
                entries.push(Item::Object(members));
            }
        }
        if entries.len() > before {
            return Ok(());
        }
    }
    entries.push(entry(shaped(request, found.resource)?, "match", found.score));
    Ok(())
}

fn contained_query(filter: &Filter) -> Option<(TypeId, Query)> {
    match filter {
        Filter::Contained { ty, arguments } => Some((*ty, Query::from_arguments(Some(*ty), arguments).ok()?)),
        Filter::All(parts) | Filter::Any(parts) => parts.iter().find_map(contained_query),
        _ => None,
    }
}

/// The resource as far as it was asked for; what is cut lives in memory of the connection.
fn shaped<'s>(request: &Request, resource: Node<'s>) -> Result<Item<'s>, Error> {
    if request.shape == Shape::Whole {
        return Ok(Item::Node(resource));
    }
    let part = project::project(resource, &request.shape).map_err(too_large)?;
    // SAFETY: a varlena that was just made; the server frees it with the connection
    let part: &'s [u8] = unsafe { jsonb::container(jsonb::varlena(&part)) };
    Ok(json::root(part).map_or(Item::Null, Item::Node))
}

fn entry<'s>(resource: Item<'s>, mode: &'static str, score: Option<f32>) -> Item<'s> {
    Item::Object(members_of(resource, mode, score))
}

fn members_of<'s>(resource: Item<'s>, mode: &'static str, score: Option<f32>) -> Vec<(Cow<'s, str>, Item<'s>)> {
    let mut search = vec![(Cow::from("mode"), text_item(mode))];
    search.extend(score.and_then(|score| number_item(&format!("{:.4}", score.clamp(0.0, 1.0)))).map(|score| ("score".into(), score)));
    vec![("resource".into(), resource), ("search".into(), Item::Object(search))]
}

struct Issue {
    code: &'static str,
    diagnostics: String,
}

impl Issue {
    fn warning(code: &'static str, diagnostics: String) -> Issue {
        Issue { code, diagnostics }
    }
}

/// <https://hl7.org/fhir/R4/operationoutcome.html>
fn outcome(issues: Vec<Issue>) -> Item<'static> {
    let issues = issues.into_iter().map(|issue| {
        Item::Object(vec![
            ("severity".into(), text_item("warning")),
            ("code".into(), text_item(issue.code)),
            ("diagnostics".into(), text_item(issue.diagnostics)),
        ])
    });
    Item::Object(vec![("resourceType".into(), text_item("OperationOutcome")), ("issue".into(), Item::Array(issues.collect()))])
}

fn total(spi: &Spi, place: Place, request: &Request) -> Result<Option<i64>, Error> {
    match request.total {
        Total::None => Ok(None),
        Total::Accurate => number(spi, place, request).map(Some),
        Total::Estimate => estimate(spi, place, request).map(Some),
    }
}

/// The number of matching rows: from the index alone where that can tell, else by visiting them.
pub fn number(spi: &Spi, place: Place, request: &Request) -> Result<i64, Error> {
    if let Some(count) = request.index_count(place) {
        spi.query(&count)?;
        if let Some(counted) = spi.cell(0, 1) {
            return Ok(counted.value() as i64);
        }
    }
    spi.query(&request.number(place))?;
    Ok(spi.cell(0, 1).map_or(0, |datum| datum.value() as i64))
}

/// What the planner expects. Never told where a policy hides rows: an estimate that knows them would tell of them.
fn estimate(spi: &Spi, place: Place, request: &Request) -> Result<i64, Error> {
    let table = format!("{}.resource", identifier(place.lake));
    spi.query(&format!("SELECT pg_catalog.row_security_active({}::pg_catalog.regclass)", literal(&table)))?;
    if spi.cell(0, 1).is_none_or(|datum| datum.value() as u8 != 0) {
        return Err(Error::new("42501", "_total=estimate is not available where row-level security applies").hint("use _total=accurate"));
    }
    spi.explain(&request.rows(place), "JSON")?;
    let plan = spi.cell(0, 1).map(|datum| {
        // SAFETY: a json column is a varlena of text
        unsafe { jsonb::text(datum) }
    });
    let container = plan.and_then(|plan| json::parse(plan.as_bytes(), &json::Limits::default()).ok()).unwrap_or_default();
    let rows = json::root(&container).and_then(|plans| plans.items().next()?.get("Plan")?.get("Plan Rows")?.as_number()?.as_i64());
    Ok(rows.unwrap_or(0))
}

/// Adds what the includes ask for; false if that was too much.
fn include<'s>(spi: &'s Spi, place: Place, includes: &[Include], matches: &[Found<'s>], included: &mut Vec<Found<'s>>) -> Result<bool, Error> {
    let mut seen: HashSet<(&str, &str)> = matches.iter().map(|found| (found.ty, found.id)).collect();
    // what the round before brought: at first the matches
    let mut from = 0;
    for round in 0..MAX_ROUNDS {
        let frontier: Vec<(&'s str, &'s str, Node<'s>)> = match round {
            0 => matches.iter().map(|found| (found.ty, found.id, found.resource)).collect(),
            _ => included[from..].iter().map(|found| (found.ty, found.id, found.resource)).collect(),
        };
        from = included.len();
        let applies = |include: &&Include| round == 0 || include.iterate;
        let mut wanted: Vec<(TypeId, Filter)> = Vec::new();
        forward(includes.iter().filter(|i| !i.reverse).filter(applies), &frontier, &seen, &mut wanted);
        reverse(includes.iter().filter(|i| i.reverse).filter(applies), &frontier, &mut wanted);
        if wanted.is_empty() {
            break;
        }
        for (ty, filter) in wanted {
            let room = MAX_INCLUDED - included.len();
            let rows = match (&filter, place.as_of) {
                (Filter::Id(ids), None) => by_ids(spi, place, ty, ids)?,
                _ => spi.query(&format!("SELECT f.type, f.id, f.resource FROM ({}) f LIMIT {}", Request::of(ty, filter).rows(place), room + seen.len() + 1))?,
            };
            for row in 0..rows {
                let (Some(ty), Some(id), Some(resource)) = (spi.text(row, 1), spi.text(row, 2), spi.cell(row, 3)) else { continue };
                // SAFETY: the third column is the jsonb of the resource
                let Some(resource) = json::root(unsafe { jsonb::container(resource) }) else { continue };
                if seen.insert((ty, id)) {
                    if included.len() == MAX_INCLUDED {
                        return Ok(false);
                    }
                    included.push(Found { ty, id, resource, score: None });
                }
            }
        }
        if included.len() == from {
            break;
        }
    }
    Ok(true)
}

/// Fetches resources of a type by their ids, with a plan that is kept.
fn by_ids(spi: &Spi, place: Place, ty: TypeId, ids: &[String]) -> Result<usize, Error> {
    let ids: Vec<&str> = ids.iter().take(MAX_INCLUDED + 1).map(String::as_str).collect();
    let table = format!("{}.{}", identifier(place.lake), identifier(&ty.name().to_lowercase()));
    let sql = format!("SELECT r.type, r.id, r.resource FROM {table} r WHERE r.type OPERATOR(pg_catalog.=) {} AND r.id OPERATOR(pg_catalog.=) ANY ($1)", literal(ty.name()));
    spi.select(&sql, &[Arg::Datum(pg_sys::TEXTARRAYOID, text_array(&ids))])
}

/// What the resources point at.
fn forward<'a>(includes: impl Iterator<Item = &'a Include>, frontier: &[(&str, &str, Node)], seen: &HashSet<(&str, &str)>, wanted: &mut Vec<(TypeId, Filter)>) {
    let includes: Vec<&Include> = includes.collect();
    if includes.is_empty() {
        return;
    }
    let mut ids: BTreeMap<TypeId, Vec<String>> = BTreeMap::new();
    for (_, _, resource) in frontier {
        let stamp = index::stamp(*resource);
        let Some(keys) = Keys::read(&stamp.keys) else { continue };
        for entry in keys.entries() {
            let Held::Reference(reference) = entry.value else { continue };
            let Some((target, id)) = Target::read(reference).and_then(Target::local) else { continue };
            let Some(ty) = model::type_named(target) else { continue };
            let followed = includes.iter().any(|i| i.follows(keys.resource_type, entry.parameter) && i.target.is_none_or(|only| only == ty));
            if followed && !seen.contains(&(target, id)) {
                ids.entry(ty).or_default().push(id.to_owned());
            }
        }
    }
    for (ty, mut ids) in ids {
        ids.sort();
        ids.dedup();
        wanted.push((ty, Filter::Id(ids)));
    }
}

/// What points at the resources.
fn reverse<'a>(includes: impl Iterator<Item = &'a Include>, frontier: &[(&str, &str, Node)], wanted: &mut Vec<(TypeId, Filter)>) {
    for include in includes {
        let Some(source) = include.source else { continue };
        let here = |ty: &str| include.target.is_none_or(|only| only.name() == ty);
        let targets: Vec<String> = frontier.iter().filter(|(ty, ..)| here(ty)).map(|(ty, id, _)| format!("{ty}/{id}")).collect();
        let mut types: Vec<TypeId> = frontier.iter().filter_map(|(ty, ..)| model::type_named(ty)).collect();
        types.sort();
        types.dedup();
        let codes = include.codes_pointing_at(&types);
        if targets.is_empty() || codes.is_empty() {
            continue;
        }
        let any = codes.into_iter().map(|code| Filter::Row(vec![criteria::argument(code, &targets.join(","))])).collect();
        wanted.push((source, Filter::Any(any).simplify()));
    }
}
