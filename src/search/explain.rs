//! How a search will be answered: what was understood, what each condition costs in the index, the statement, its plan, and
//! which index would help.

use super::filter::Filter;
use super::quote::{identifier, literal};
use super::request::{Handling, Request};
use super::resolve;
use super::sort::SortKey;
use super::statement::{Place, row_search};
use crate::index::query::{Argument, Query};
use crate::index::scan::Scan;
use crate::model::TypeId;
use crate::pg::error::Error;
use crate::pg::spi::Spi;

/// Lines for people to read, each under the heading that it belongs to.
pub fn explain(spi: &Spi, place: Place, text: &str, handling: Handling) -> Result<Vec<(&'static str, String)>, Error> {
    let mut request = resolve::request(spi, place, text, handling)?;
    resolve::fence(spi, place, &mut request)?;
    let mut lines = vec![("understood", request.understood.clone())];
    lines.extend(request.ignored.iter().map(|(name, reason)| ("ignored", format!("{name}: {reason}"))));
    let parts = match &request.filter {
        Filter::All(parts) => parts.as_slice(),
        other => std::slice::from_ref(other),
    };
    for part in parts {
        match (part, request.types.as_slice()) {
            (Filter::Row(arguments), [ty]) => {
                for argument in arguments {
                    lines.push(("condition", condition(spi, place, *ty, std::slice::from_ref(argument))?));
                }
                if arguments.len() > 1 {
                    lines.push(("condition", format!("together: {}", condition(spi, place, *ty, arguments)?)));
                }
            }
            (part, _) => lines.push(("condition", described(part))),
        }
    }
    let statement = request.page(place);
    lines.push(("statement", statement.clone()));
    let rows = spi.explain(&statement, "TEXT")?;
    lines.extend((0..rows).filter_map(|row| spi.text(row, 1)).map(|line| ("plan", line.to_owned())));
    advise(spi, place, &request, &mut lines)?;
    Ok(lines)
}

/// The keys that a search of the index looks up, and about how many rows have them.
fn condition(spi: &Spi, place: Place, ty: TypeId, arguments: &[Argument]) -> Result<String, Error> {
    let query = row_search(Some(ty), "!", arguments);
    let Ok(parsed) = Query::parse(&query) else { return Ok(query) };
    let scan = Scan::of(&parsed);
    let keys = scan.groups.iter().flat_map(|group| &group.keys);
    let (mut all, mut exact, mut partial) = (0, 0, 0);
    for key in keys {
        all += 1;
        exact += usize::from(key.exact);
        partial += usize::from(key.partial);
    }
    let keys = match (all, scan.recheck || exact < all, partial) {
        (0, ..) => "no keys: every row is tested".to_owned(),
        (_, false, 0) => format!("{all} exact keys"),
        (_, true, 0) => format!("{all} keys, {exact} exact, the rest is tested in the row"),
        (_, again, _) => format!("{all} keys, {partial} of them prefixes{}", if again { ", tested in the row" } else { "" }),
    };
    let table = literal(&format!("{}.{}", identifier(place.lake), identifier(&ty.name().to_lowercase())));
    let query_text = literal(&query);
    spi.query(&format!("SELECT fhir.index_estimate({table}::pg_catalog.regclass, {query_text}::fhir.query)"))?;
    let rows = match spi.cell(0, 1) {
        Some(rows) => format!("about {} rows", rows.value() as i64),
        None => "how many rows may not be told".to_owned(),
    };
    let shown: String = query.split_once('?').map_or(query.as_str(), |(_, rest)| rest).chars().take(200).collect();
    Ok(format!("{shown}: {keys}; {rows}"))
}

fn described(filter: &Filter) -> String {
    match filter {
        Filter::All(parts) if parts.is_empty() => "everything".to_owned(),
        Filter::Any(parts) if parts.is_empty() => "nothing can match".to_owned(),
        Filter::All(parts) => format!("all of {} conditions", parts.len()),
        Filter::Any(parts) => format!("any of {} conditions", parts.len()),
        Filter::Not(part) => format!("not: {}", described(part)),
        Filter::Row(arguments) => row_search(None, "", arguments).chars().skip(1).take(200).collect(),
        Filter::Id(ids) => format!("{} ids, by the primary key", ids.len()),
        Filter::LastUpdated(_) => "_lastUpdated, by its index".to_owned(),
        Filter::Home(home) => format!("the record of {home}, by its index"),
        Filter::Types(types) => format!("{} types", types.len()),
        Filter::Chain { parameter, target, .. } => format!("{parameter} points at a {} that matches: a join, as many do", target.name()),
        Filter::Has { ty, parameter, .. } => format!("a {} points here by {parameter} and matches: a join", ty.name()),
        Filter::Codes(argument) => format!("{} by terminology", argument.name),
        Filter::Member { list } => format!("an item of List/{list}"),
        Filter::Text { narrative_only, .. } => format!("words in {}", if *narrative_only { "the narrative" } else { "all text" }),
        Filter::Path(expression) => format!("FHIRPath, on every row that the rest leaves: {expression}"),
        Filter::Custom { argument, .. } => format!("a stored search parameter: {}", row_search(None, "", std::slice::from_ref(argument)).chars().skip(1).take(200).collect::<String>()),
        Filter::Finding { tests, .. } => format!("a finding in the text: {}", super::entity::conditions("e", tests).join(" AND ")),
        Filter::Contained { ty, .. } => format!("a contained {}: every row is read", ty.name()),
    }
}

/// Indexes that would serve what none serves yet.
fn advise(spi: &Spi, place: Place, request: &Request, lines: &mut Vec<(&'static str, String)>) -> Result<(), Error> {
    let [ty] = request.types.as_slice() else { return Ok(()) };
    let table = format!("{}.{}", identifier(place.lake), identifier(&ty.name().to_lowercase()));
    let mut advice: Vec<(String, String)> = Vec::new();
    if let Some(sort) = request.sort.first()
        && let SortKey::Parameter(code) = &sort.by
    {
        let wanted = format!("sort_key(search, {}::text, {})", literal(code), sort.descending);
        let order = if sort.descending { " DESC NULLS LAST" } else { "" };
        advice.push((wanted, format!("CREATE INDEX CONCURRENTLY ON {table} (fhir.sort_key(search, {}, {}){order}, id)", literal(code), sort.descending)));
    }
    let mut parts = vec![&request.filter];
    while let Some(part) = parts.pop() {
        match part {
            Filter::All(inner) | Filter::Any(inner) => parts.extend(inner),
            Filter::Not(inner) => parts.push(inner),
            Filter::Text { narrative_only, .. } => {
                let function = if *narrative_only { "narrative" } else { "content" };
                let command = format!("CREATE INDEX CONCURRENTLY ON {table} USING gin (to_tsvector('simple', fhir.{function}(resource)))");
                advice.push((format!("{function}(resource)"), command));
            }
            Filter::Path(expression) => {
                let command = format!("CREATE INDEX CONCURRENTLY ON {table} (id) WHERE fhir.path_holds(resource, {})", literal(expression));
                advice.push((format!("path_holds(resource, {}::text)", literal(expression)), command));
            }
            Filter::Custom { .. } => advice.push(("keys_of(resource".to_owned(), "SELECT fhir.index_search_parameter('the code of the parameter') \\gexec".to_owned())),
            _ => {}
        }
    }
    for (wanted, command) in advice {
        let table = literal(&table);
        let pattern = literal(&wanted);
        spi.query(&format!(
            "SELECT EXISTS (SELECT FROM pg_catalog.pg_index i WHERE i.indrelid OPERATOR(pg_catalog.=) {table}::pg_catalog.regclass \
             AND pg_catalog.strpos(pg_catalog.pg_get_indexdef(i.indexrelid), {pattern}) OPERATOR(pg_catalog.>) 0)"
        ))?;
        if spi.cell(0, 1).is_some_and(|exists| exists.value() as u8 == 0) {
            lines.push(("would help", command));
        }
    }
    Ok(())
}
