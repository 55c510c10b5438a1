//! What a request leaves to other rows: chains with few hits become ids, lists and terminology become what they stand for.
//! Runs with the rights of the caller and under the caller's snapshot.

use super::criteria::{Catalog, argument};
use super::custom::{self, CustomParameter};
use super::filter::Filter;
use super::list;
use super::present::present;
use super::request::{Handling, Request, Setting};
use super::quote::literal;
use super::references::implied_homes;
use super::statement::{Place, row_search};
use crate::index::extract::HOME;
use crate::index::query::{self, Argument, QueryError, escape, shown, split_unescaped, unescape};
use crate::json;
use crate::model::{self, ParameterType, TypeId};
use crate::pg::access;
use crate::pg::error::{Error, INVALID_PARAMETER};
use crate::pg::spi::Spi;
use crate::pg::time;
use crate::terminology::{self, Coding, Direction};
use std::cell::OnceCell;

/// Codes that are asked for together and their bytes: less than a query may have, for it may ask more.
const PORTION: usize = query::MAX_LEAVES / 5 * 4;
const PORTION_BYTES: usize = query::MAX_TEXT / 2;

/// Values in portions that a query can ask for.
fn portions(values: &[String]) -> Vec<&[String]> {
    let (mut portions, mut from, mut bytes) = (Vec::new(), 0, 0);
    for (at, value) in values.iter().enumerate() {
        if at > from && (at - from >= PORTION || bytes + value.len() >= PORTION_BYTES) {
            portions.push(&values[from..at]);
            (from, bytes) = (at, 0);
        }
        bytes += value.len() + 1;
    }
    portions.push(&values[from..]);
    portions
}

/// A chain with no more hits than this is asked as a list of ids, which the index of keys serves; with more, as a join.
const FEW: u64 = 500;

/// Reads a request against a lake and resolves it, so that it can be written as a statement.
pub fn request(spi: &Spi, place: Place, text: &str, handling: Handling) -> Result<Request, Error> {
    if !access::has_table(place.lake, "resource") {
        return Err(Error::new("3F000", format!("there is no lake \"{}\"", place.lake)).hint("SELECT * FROM fhir.lakes() lists them; fhir.create_lake() makes one"));
    }
    let mut stored = Stored { place, failed: None };
    let read = Request::parse(text, Setting { now: time::now(), handling, catalog: &mut stored });
    if let Some(error) = stored.failed {
        return Err(error);
    }
    let mut request = read?;
    let resolver = Resolver { spi, place, present: OnceCell::new() };
    if request.types.is_empty() && place.as_of.is_none() {
        request.present = resolver.types_present()?.to_vec();
    }
    let filter = std::mem::replace(&mut request.filter, Filter::EVERYTHING);
    request.filter = resolver.filter(&request.types, filter)?.simplify();
    Ok(request)
}

/// Decides whether a page of the request is found first and put in order then, or walked in its order until it is full.
///
/// Of one condition the planner knows how many rows have it. Of several it guesses, and where it guesses too many, it walks the
/// index of the order through the whole table for a page that never fills. A row costs about the same either way, so with `expected`
/// matches of `rows` finding wins while expected² < page · rows.
pub fn fence(spi: &Spi, place: Place, request: &mut Request) -> Result<(), Error> {
    let ([ty], None) = (request.types.as_slice(), place.as_of) else { return Ok(()) };
    let arguments = match &request.filter {
        Filter::Row(arguments) => arguments,
        Filter::All(parts) => match parts.first() {
            Some(Filter::Row(arguments)) => arguments,
            _ => return Ok(()),
        },
        _ => return Ok(()),
    };
    let by_index = request.order().first().is_some_and(|sort| sort.by.has_index());
    let is_composite = |argument: &Argument| model::search_parameter(*ty, &argument.name).is_some_and(|p| p.ty == ParameterType::Composite);
    let is_guess = arguments.len() > 1 || arguments.iter().any(is_composite);
    if !by_index || !is_guess || arguments.iter().any(|argument| implied_homes(*ty, argument).is_some()) {
        return Ok(());
    }
    let table = literal(&format!("{}.{}", access::quoted(place.lake), access::quoted(&ty.name().to_lowercase())));
    let query = literal(&row_search(Some(*ty), "!", arguments));
    spi.query(&format!(
        "SELECT fhir.index_estimate(c.oid, {query}::fhir.query), c.reltuples::bigint FROM pg_catalog.pg_class c WHERE c.oid OPERATOR(pg_catalog.=) {table}::pg_catalog.regclass"
    ))?;
    if let (Some(expected), Some(rows)) = (spi.cell(0, 1), spi.cell(0, 2)) {
        let (expected, rows) = (expected.value() as i64 as f64, (rows.value() as i64).max(0) as f64);
        request.fenced = expected * expected < (request.count + 1) as f64 * rows;
    }
    Ok(())
}

/// The search parameters that are stored in the lake.
struct Stored<'a> {
    place: Place<'a>,
    /// An error that is none of the request.
    failed: Option<Error>,
}

impl Catalog for Stored<'_> {
    fn parameter(&mut self, ty: TypeId, code: &str) -> Result<Option<CustomParameter>, QueryError> {
        Ok(custom::sql::lookup(self.place.lake, ty, code).unwrap_or_else(|error| {
            self.failed = Some(error);
            None
        }))
    }
}

struct Resolver<'a> {
    spi: &'a Spi,
    place: Place<'a>,
    /// The types that the lake has resources of, once somebody has asked.
    present: OnceCell<Vec<TypeId>>,
}

/// A coding as a search writes it.
fn coded(coding: Coding) -> String {
    match coding.system {
        Some(system) => format!("{}|{}", escape(&system), escape(&coding.code)),
        None => escape(&coding.code),
    }
}

/// The types of which the lake has resources: naming them spares the planner the others.
pub fn types_present(spi: &Spi, place: Place) -> Result<Vec<TypeId>, Error> {
    let parent = format!("{}.resource", access::quoted(place.lake));
    let sql = format!(
        "SELECT c.relname::text FROM pg_catalog.pg_inherits i JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) i.inhrelid \
         WHERE i.inhparent OPERATOR(pg_catalog.=) {}::pg_catalog.regclass AND pg_catalog.pg_relation_size(c.oid) OPERATOR(pg_catalog.>) 0",
        literal(&parent)
    );
    let mut types = Vec::new();
    for row in 0..spi.query(&sql)? {
        let name = spi.text(row, 1).unwrap_or_default();
        types.extend(model::resource_types().find(|ty| ty.name().eq_ignore_ascii_case(name)));
    }
    types.sort();
    Ok(types)
}

/// The items of the List of that id, or `List/id`.
pub fn members(spi: &Spi, place: Place, list: &str) -> Result<Vec<list::Member>, Error> {
    let id = list.strip_prefix("List/").unwrap_or(list);
    let Some(ty) = model::type_named("List") else { return Ok(Vec::new()) };
    if id.starts_with('$') {
        return Err(Error::new("0A000", format!("functional list \"{}\" is not supported", shown(id))).hint("name the id of a List in the lake"));
    }
    let found = Request::of(ty, Filter::Id(vec![id.to_owned()]));
    let sql = format!("SELECT f.resource FROM ({}) f", found.rows(place));
    if spi.query(&sql)? == 0 {
        return Err(Error::new("22023", format!("there is no List/{}", shown(id))));
    }
    Ok(spi.container(0, 1).and_then(json::root).map(list::members).unwrap_or_default())
}

impl Resolver<'_> {
    fn types_present(&self) -> Result<&[TypeId], Error> {
        if let Some(types) = self.present.get() {
            return Ok(types);
        }
        let types = types_present(self.spi, self.place)?;
        Ok(self.present.get_or_init(|| types))
    }

    fn filter(&self, types: &[TypeId], filter: Filter) -> Result<Filter, Error> {
        Ok(match filter {
            Filter::All(parts) => Filter::All(parts.into_iter().map(|part| self.filter(types, part)).collect::<Result<_, Error>>()?),
            Filter::Any(parts) => {
                // which targets there are is asked where that spares more questions than it costs
                if self.place.as_of.is_none() && parts.iter().filter(|part| matches!(part, Filter::Chain { .. })).count() > 2 {
                    self.types_present()?;
                }
                Filter::Any(parts.into_iter().map(|part| self.filter(types, part)).collect::<Result<_, Error>>()?)
            }
            Filter::Not(part) => Filter::Not(Box::new(self.filter(types, *part)?)),
            Filter::Chain { parameter, target, inner } => self.chain(parameter, target, *inner)?,
            Filter::Has { here, ty, parameter, inner } => {
                let inner = Box::new(self.filter(&[ty], *inner)?.simplify());
                if *inner == Filter::NOTHING { Filter::NOTHING } else { Filter::Has { here, ty, parameter, inner } }
            }
            Filter::Member { list } => self.members(types, &list)?,
            Filter::Codes(argument) => self.codes(types, argument)?,
            Filter::Row(arguments) => self.row(arguments)?,
            Filter::Finding { tests, open } => {
                self.has_findings()?;
                Filter::Finding { tests, open }
            }
            other => other,
        })
    }

    fn chain(&self, parameter: String, target: TypeId, inner: Filter) -> Result<Filter, Error> {
        if self.present.get().is_some_and(|types| !types.contains(&target)) {
            return Ok(Filter::NOTHING);
        }
        let inner = self.filter(&[target], inner)?.simplify();
        if inner == Filter::NOTHING {
            return Ok(Filter::NOTHING);
        }
        let found = Request::of(target, inner);
        let sql = format!("SELECT f.id FROM ({} LIMIT {}) f", found.rows(self.place), FEW + 1);
        let count = self.spi.query(&sql)?;
        if count as u64 > FEW {
            return Ok(Filter::Chain { parameter, target, inner: Box::new(found.filter) });
        }
        if count == 0 {
            return Ok(Filter::NOTHING);
        }
        let ids: Vec<&str> = (0..count).filter_map(|row| self.spi.text(row, 1)).collect();
        Ok(Filter::Row(vec![argument(&format!("{parameter}:{}", target.name()), &ids.join(","))]))
    }

    /// The items of a List that are of these types. <https://hl7.org/fhir/R4/search.html#list>
    fn members(&self, types: &[TypeId], list: &str) -> Result<Filter, Error> {
        let mut by_type: Vec<(TypeId, Vec<String>)> = Vec::new();
        for list::Member { ty, id, .. } in members(self.spi, self.place, list)? {
            if types.is_empty() || types.contains(&ty) {
                match by_type.iter_mut().find(|(known, _)| *known == ty) {
                    Some((_, ids)) => ids.push(id),
                    None => by_type.push((ty, vec![id])),
                }
            }
        }
        let single = types.len() == 1;
        Ok(Filter::Any(
            by_type
                .into_iter()
                .map(|(ty, ids)| if single { Filter::Id(ids) } else { Filter::All(vec![Filter::Types(vec![ty]), Filter::Id(ids)]) })
                .collect(),
        ))
    }

    /// The codes that a value set holds, or that a code subsumes or is subsumed by.
    fn codes(&self, types: &[TypeId], argument: Argument) -> Result<Filter, Error> {
        let lake = self.place.lake;
        let mut values: Vec<String> = Vec::new();
        for alternative in split_unescaped(&argument.value, ',') {
            let direction = match argument.modifier.as_deref() {
                Some("below") => Direction::Below,
                Some("above") => Direction::Above,
                _ => {
                    let members = terminology::sql::expand(lake, &unescape(alternative))?;
                    values.extend(members.into_iter().map(|member| match member {
                        terminology::Member::Code(coding) => coded(coding),
                        terminology::Member::WholeSystem(system) => format!("{}|", escape(&system)),
                    }));
                    continue;
                }
            };
            let parts = split_unescaped(alternative, '|');
            let (system, code) = match parts.as_slice() {
                [code] => (None, unescape(code)),
                [system, code] => (Some(unescape(system)), unescape(code)),
                _ => return Err(Error::new(INVALID_PARAMETER, format!("\"{}\" is no code", shown(alternative))).hint("write system|code")),
            };
            values.extend(terminology::sql::related(lake, system.as_deref(), &code, direction)?.into_iter().map(coded));
        }
        let negated = argument.modifier.as_deref() == Some("not-in");
        let values = present(self.place, types, &argument.name, values)?;
        if values.is_empty() {
            return Ok(if negated { Filter::EVERYTHING } else { Filter::NOTHING });
        }
        // One query has so many alternatives and is so long; of more than that, several are asked.
        let row = |values: &[String], modifier: Option<&str>| {
            Filter::Row(vec![Argument { name: argument.name.clone(), modifier: modifier.map(str::to_owned), value: values.join(",") }])
        };
        let portions = portions(&values);
        if let [only] = portions.as_slice() {
            return Ok(row(only, negated.then_some("not")));
        }
        let any = Filter::Any(portions.into_iter().map(|values| row(values, None)).collect());
        Ok(if negated { Filter::Not(Box::new(any)) } else { any })
    }

    /// Whether the lake keeps findings as they are searched.
    fn has_findings(&self) -> Result<(), Error> {
        if access::has_table(self.place.lake, "entity_run") {
            return Ok(());
        }
        let message = format!("lake \"{}\" was made by an older version and keeps no findings of notes", self.place.lake);
        Err(Error::new("55000", message).hint("ALTER EXTENSION fhirlake UPDATE, then SELECT fhir.upgrade_lake() adds what is missing"))
    }

    /// A patient's compartment is the index of records, where no other resource has it as its second.
    fn row(&self, arguments: Vec<Argument>) -> Result<Filter, Error> {
        let home = arguments.iter().find(|a| a.name == "_compartment" && a.value.strip_prefix(HOME).is_some_and(|rest| rest.starts_with('/')));
        let home = home.map(|a| a.value.clone()).filter(|_| self.place.as_of.is_none());
        let row = Filter::Row(arguments);
        let Some(home) = home else { return Ok(row) };
        let membership = format!("{}.membership", access::quoted(self.place.lake));
        let sql = format!(
            "SELECT pg_catalog.row_security_active({}::pg_catalog.regclass) OR EXISTS (SELECT FROM {membership} m WHERE m.compartment OPERATOR(pg_catalog.=) {})",
            literal(&membership),
            literal(&home)
        );
        self.spi.query(&sql)?;
        let others = self.spi.cell(0, 1).is_none_or(|datum| datum.value() as u8 != 0);
        Ok(if others { row } else { Filter::All(vec![row, Filter::Home(home)]) })
    }
}
