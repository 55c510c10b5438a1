//! A request as one SQL statement over a lake, with every value a constant.

use super::cursor::{Cursor, Position};
use super::entity;
use super::filter::Filter;
use super::quote::{identifier, literal, query_part};
use super::references::{Home, implied_homes, is_single_valued, tells_home};
use super::request::Request;
use super::sort::{Sort, SortKey, is_clinical_start};
use crate::index::query::{Argument, Comparison, Leaf, Query, Test};
use crate::index::split::clauses;
use crate::index::time::{self, Interval};
use crate::model::TypeId;
use std::cell::Cell;

/// Where a statement reads.
#[derive(Clone, Copy)]
pub struct Place<'a> {
    pub lake: &'a str,
    /// The past moment, in microseconds since 2000-01-01 UTC; none for what is there now.
    pub as_of: Option<i64>,
}

/// Columns of a page before those that it is ordered by.
pub const PAGE_COLUMNS: i32 = 5;

impl Request {
    /// Rows `type, id, version, last_updated, resource` in the order asked for, one more than the page holds.
    /// What else the order depends on follows as further columns: see [`Request::extra_columns`].
    pub fn page(&self, place: Place) -> String {
        let writer = Writer::new(place);
        let order = self.order();
        // where a page is filled in the order of an index, one clause is the least work for a row
        let row = Row { whole: !self.fenced && order.first().is_some_and(|sort| sort.by.has_index()), ..writer.row(&self.types) };
        let mut conditions = self.conditions(&writer, &row);
        if let ([ty], Some(SortKey::Id)) = (self.types.as_slice(), order.first().map(|sort| &sort.by)) {
            // with the type, the primary key gives the order
            writer.add_type(&mut conditions, &row, *ty);
        }
        if let Some(cursor) = &self.cursor {
            conditions.push(self.after(&row, &order, cursor));
        }
        let columns: Vec<String> = self.extra_columns().iter().map(|by| format!(", {}", self.key(&row, by, false))).collect();
        let by: Vec<String> = order.iter().map(|sort| self.ordered(&row, sort)).collect();
        let mut found = format!("{}{}", writer.source(&self.types, &row), filter(&conditions));
        if self.fenced {
            // OFFSET 0 keeps the planner from walking the index of the order
            found = format!("(SELECT * FROM {found} OFFSET 0) {}", row.alias);
        }
        format!("SELECT {}{} FROM {found} ORDER BY {} LIMIT {}", row.columns(), columns.concat(), by.join(", "), self.count + 1)
    }

    /// All matching rows, in no order.
    pub fn rows(&self, place: Place) -> String {
        self.select(place, None)
    }

    /// The number of matching rows.
    pub fn number(&self, place: Place) -> String {
        self.select(place, Some("count(*)"))
    }

    fn select(&self, place: Place, what: Option<&str>) -> String {
        let writer = Writer::new(place);
        let row = writer.row(&self.types);
        let conditions = self.conditions(&writer, &row);
        let columns = row.columns();
        format!("SELECT {} FROM {}{}", what.unwrap_or(&columns), writer.source(&self.types, &row), filter(&conditions))
    }

    fn conditions(&self, writer: &Writer, row: &Row) -> Vec<String> {
        let mut conditions = writer.conditions(row, if self.types.is_empty() { &self.present } else { &self.types }, &self.filter);
        if let (Some(Sort { by: SortKey::Occurred, .. }), [ty], None) = (self.sort.first(), self.types.as_slice(), writer.place.as_of) {
            conditions.extend(clinical_bounds(*ty, &self.filter).into_iter().map(|bound| format!("{}.{bound}", row.alias)));
        }
        conditions
    }

    /// The count of matching rows by the index alone, where that decides which rows match.
    pub fn index_count(&self, place: Place) -> Option<String> {
        let ([ty], Filter::Row(arguments), None) = (self.types.as_slice(), &self.filter, place.as_of) else { return None };
        let query = |arguments: &[Argument]| literal(&row_search(Some(*ty), "!", arguments));
        let clauses: Vec<String> = clauses(*ty, arguments).iter().map(|clause| query(clause)).collect();
        // One clause would only repeat the query; without it the function is called as in 0.1.0, so that a new library counts
        // before ALTER EXTENSION too.
        let parts = if clauses.len() > 1 { format!(", ARRAY[{}]::fhir.query[]", clauses.join(", ")) } else { String::new() };
        Some(format!(
            "SELECT fhir.index_count({}::pg_catalog.regclass, {}::fhir.query{parts})",
            literal(&Writer::new(place).table(Some(*ty))),
            query(arguments)
        ))
    }

    /// All matching rows, as a statement whose only parameter is the query, which comes with it: so its plan can be kept. None where
    /// the keys alone do not decide, or several clauses should. For conditions that few rows meet.
    pub fn lookup(&self, place: Place) -> Option<(String, String)> {
        let ([ty], Filter::Row(arguments), None) = (self.types.as_slice(), &self.filter, place.as_of) else { return None };
        if clauses(*ty, arguments).len() != 1 {
            return None;
        }
        let writer = Writer::new(place);
        let row = Row { alias: "r".to_owned(), ty: Some(*ty), whole: true };
        let statement =
            format!("SELECT {} FROM {} r WHERE r.search OPERATOR(fhir.|=) $1::fhir.query", row.columns(), writer.table(Some(*ty)));
        Some((statement, row_search(Some(*ty), "!", arguments)))
    }

    /// What a page returns behind its fixed columns, in this order.
    pub fn extra_columns(&self) -> Vec<SortKey> {
        let mut extra: Vec<SortKey> = self.order().into_iter().map(|sort| sort.by).filter(|by| !matches!(by, SortKey::Type | SortKey::Id | SortKey::LastUpdated)).collect();
        if self.scored().is_some() && !extra.contains(&SortKey::Score) {
            extra.push(SortKey::Score);
        }
        extra
    }

    fn key(&self, row: &Row, by: &SortKey, descending: bool) -> String {
        let alias = &row.alias;
        match by {
            SortKey::Type => format!("{alias}.type"),
            SortKey::Id => format!("{alias}.id"),
            SortKey::LastUpdated => format!("{alias}.last_updated"),
            SortKey::Occurred => format!("{alias}.occurred"),
            SortKey::Parameter(code) => {
                let descending = descending || self.sort.iter().any(|sort| sort.descending && sort.by == *by);
                format!("fhir.sort_key({alias}.search, {}, {descending})", literal(code))
            }
            SortKey::Score => match self.scored() {
                Some((words, narrative_only)) => format!("pg_catalog.ts_rank({}, {})", vector(row, narrative_only), words_query(words)),
                None => "0::real".to_owned(),
            },
        }
    }

    fn ordered(&self, row: &Row, sort: &Sort) -> String {
        let nulls = match (&sort.by, sort.descending) {
            (SortKey::Parameter(_), true) => " NULLS LAST",
            _ => "", // ascending they are the last anyhow
        };
        format!("{}{}{nulls}", self.key(row, &sort.by, sort.descending), if sort.descending { " DESC" } else { "" })
    }

    /// What comes behind the last row of the page before.
    fn after(&self, row: &Row, order: &[Sort], cursor: &Cursor) -> String {
        let parts: Vec<(String, &Sort, &Position)> = order.iter().zip(&cursor.0).map(|(sort, at)| (self.key(row, &sort.by, sort.descending), sort, at)).collect();
        let mut alternatives = Vec::new();
        for (at, (key, sort, position)) in parts.iter().enumerate() {
            let mut all: Vec<String> = parts[..at].iter().map(|(key, _, position)| same(key, position)).collect();
            match behind(key, sort, position) {
                Some(behind) => all.push(behind),
                None => continue, // nothing comes behind those without a value
            }
            alternatives.push(all.join(" AND "));
        }
        let decided = if alternatives.len() == 1 { alternatives.concat() } else { format!("({})", alternatives.join(" OR ")) };
        // the first key alone bounds the scan of its index; the rest decides among equals
        match parts.as_slice() {
            [(key, sort, position), _, ..] if !matches!(position, Position::Key(_)) => {
                format!("{key} OPERATOR(pg_catalog.{}=) {} AND {decided}", if sort.descending { "<" } else { ">" }, shown(position))
            }
            _ if decided == "()" => "false".to_owned(),
            _ => decided,
        }
    }
}

fn shown(position: &Position) -> String {
    match position {
        Position::Text(text) => literal(text),
        Position::Time(at) => timestamp(*at),
        Position::Score(score) => format!("'{score}'::real"),
        Position::Key(None) => "NULL::pg_catalog.bytea".to_owned(),
        Position::Key(Some(bytes)) => format!("'\\x{}'::pg_catalog.bytea", bytes.iter().map(|b| format!("{b:02x}")).collect::<String>()),
    }
}

fn same(key: &str, position: &Position) -> String {
    match position {
        Position::Key(None) => format!("{key} IS NULL"),
        other => format!("{key} OPERATOR(pg_catalog.=) {}", shown(other)),
    }
}

fn behind(key: &str, sort: &Sort, position: &Position) -> Option<String> {
    let operator = if sort.descending { "<" } else { ">" };
    match position {
        Position::Key(None) => None,
        Position::Key(Some(_)) => Some(format!("({key} OPERATOR(pg_catalog.{operator}) {} OR {key} IS NULL)", shown(position))),
        other => Some(format!("{key} OPERATOR(pg_catalog.{operator}) {}", shown(other))),
    }
}

/// A row of some table in the statement.
struct Row {
    alias: String,
    /// Where all rows have the same type.
    ty: Option<TypeId>,
    /// Its keys are asked in one clause.
    whole: bool,
}

impl Row {
    fn columns(&self) -> String {
        let alias = &self.alias;
        format!("{alias}.type, {alias}.id, {alias}.version, {alias}.last_updated, {alias}.resource")
    }
}

struct Writer<'a> {
    place: Place<'a>,
    /// Aliases given so far.
    rows: Cell<usize>,
}

impl<'a> Writer<'a> {
    fn new(place: Place<'a>) -> Writer<'a> {
        Writer { place, rows: Cell::new(0) }
    }

    fn row(&self, types: &[TypeId]) -> Row {
        let number = self.rows.get();
        self.rows.set(number + 1);
        let alias = if number == 0 { "r".to_owned() } else { format!("r{number}") };
        Row { alias, ty: if let [ty] = types { Some(*ty) } else { None }, whole: false }
    }

    fn table(&self, ty: Option<TypeId>) -> String {
        format!("{}.{}", identifier(self.place.lake), identifier(&ty.map_or("resource".to_owned(), |ty| ty.name().to_lowercase())))
    }

    /// What stands behind FROM.
    fn source(&self, types: &[TypeId], row: &Row) -> String {
        let Some(at) = self.place.as_of else { return format!("{} {}", self.table(row.ty), row.alias) };
        let at = timestamp(at);
        let of_type = match types {
            [] => String::new(),
            types => format!(" AND h.type OPERATOR(pg_catalog.=) ANY (ARRAY[{}])", names(types)),
        };
        // what is current and was so then, and of what was superseded since, the version of then
        format!(
            "(SELECT c.type, c.id, c.version, c.last_updated, c.occurred, c.resource, c.search FROM {} c WHERE c.last_updated OPERATOR(pg_catalog.<=) {at} \
             UNION ALL SELECT h.type, h.id, h.version, h.last_updated, fhir.occurred(h.resource), h.resource, fhir.keys(h.resource) FROM {}.history h \
             WHERE h.last_updated OPERATOR(pg_catalog.<=) {at} AND h.superseded OPERATOR(pg_catalog.>) {at} AND h.resource IS NOT NULL{of_type}) {}",
            self.table(row.ty),
            identifier(self.place.lake),
            row.alias,
        )
    }

    /// What must hold for the rows of a search, to be joined by AND.
    fn conditions(&self, row: &Row, types: &[TypeId], filter: &Filter) -> Vec<String> {
        let mut all = Vec::new();
        if row.ty.is_none() && !types.is_empty() {
            all.push(format!("{}.type OPERATOR(pg_catalog.=) ANY (ARRAY[{}])", row.alias, names(types)));
        }
        match filter {
            Filter::All(parts) => all.extend(parts.iter().flat_map(|part| self.all_of(row, part))),
            other => all.extend(self.all_of(row, other)),
        }
        if let (Some(ty), true) = (row.ty, asks_for_ids(filter)) {
            self.add_type(&mut all, row, ty); // with the type, the primary key serves ids
        }
        all
    }

    fn add_type(&self, conditions: &mut Vec<String>, row: &Row, ty: TypeId) {
        let condition = format!("{}.type OPERATOR(pg_catalog.=) {}", row.alias, literal(ty.name()));
        if !conditions.contains(&condition) {
            conditions.push(condition);
        }
    }

    /// The condition, with what else it implies that an index can serve.
    fn all_of(&self, row: &Row, filter: &Filter) -> Vec<String> {
        let (Filter::Row(arguments), Some(ty), None) = (filter, row.ty, self.place.as_of) else { return vec![self.condition(row, filter, false)] };
        // The record of one patient lies together in an index of its own, ordered by time.
        let home = match arguments.iter().find_map(|argument| implied_homes(ty, argument)).as_deref() {
            None if row.whole => return vec![satisfies(row, arguments)],
            None => return clauses(ty, arguments).iter().map(|clause| satisfies(row, clause)).collect(),
            Some([home]) => format!("{}.compartment OPERATOR(pg_catalog.=) {}", row.alias, literal(home)),
            Some(homes) => {
                let homes: Vec<String> = homes.iter().map(|home| literal(home)).collect();
                format!("{}.compartment OPERATOR(pg_catalog.=) ANY (ARRAY[{}])", row.alias, homes.join(", "))
            }
        };
        vec![satisfies(row, arguments), home]
    }

    fn condition(&self, row: &Row, filter: &Filter, negated: bool) -> String {
        let alias = &row.alias;
        match filter {
            Filter::All(parts) => self.joined(row, parts, negated, " AND ", "true"),
            Filter::Any(parts) => self.joined(row, parts, negated, " OR ", "false"),
            Filter::Not(part) => format!("NOT ({})", self.condition(row, part, !negated)),
            Filter::Row(arguments) => satisfies(row, arguments),
            Filter::Id(ids) => match ids.as_slice() {
                [id] => format!("{alias}.id OPERATOR(pg_catalog.=) {}", literal(id)),
                ids => format!("{alias}.id OPERATOR(pg_catalog.=) ANY (ARRAY[{}])", ids.iter().map(|id| literal(id)).collect::<Vec<_>>().join(", ")),
            },
            Filter::LastUpdated(alternatives) => {
                let column = format!("{alias}.last_updated");
                let alternatives: Vec<String> = alternatives.iter().map(|(c, i)| moment(&column, *c, *i)).collect();
                format!("({})", alternatives.join(" OR "))
            }
            Filter::Home(home) => format!("{alias}.compartment OPERATOR(pg_catalog.=) {}", literal(home)),
            Filter::Types(types) => format!("{alias}.type OPERATOR(pg_catalog.=) ANY (ARRAY[{}])", names(types)),
            Filter::Chain { parameter, target, inner } => self.chain(row, parameter, *target, inner),
            Filter::Has { here, ty, parameter, inner } => self.has(row, (*here, *ty), parameter, inner, negated),
            Filter::Text { narrative_only, words } => format!("{} OPERATOR(pg_catalog.@@) {}", vector(row, *narrative_only), words_query(words)),
            Filter::Path(expression) => format!("fhir.path_holds({alias}.resource, {})", literal(expression)),
            Filter::Custom { definition, argument } => format!(
                "fhir.keys_of({alias}.resource, {}::jsonb) OPERATOR(fhir.|=) {}::fhir.query",
                literal(definition),
                literal(&row_search(None, "", std::slice::from_ref(argument)))
            ),
            Filter::Contained { ty, arguments } => format!(
                "EXISTS (SELECT FROM pg_catalog.jsonb_array_elements(CASE pg_catalog.jsonb_typeof({alias}.resource -> 'contained') \
                 WHEN 'array' THEN {alias}.resource -> 'contained' ELSE '[]' END) c(contained) WHERE fhir.keys(c.contained) OPERATOR(fhir.|=) {}::fhir.query)",
                literal(&row_search(Some(*ty), "", arguments))
            ),
            Filter::Finding { tests, .. } => self.finding(row, tests),
            // these are resolved before a statement is written; unresolved they find nothing
            Filter::Codes(_) | Filter::Member { .. } => "false".to_owned(),
        }
    }

    fn joined(&self, row: &Row, parts: &[Filter], negated: bool, with: &str, none: &str) -> String {
        match parts {
            [] => none.to_owned(),
            [part] => self.condition(row, part, negated),
            parts => {
                let parts: Vec<String> = parts.iter().map(|part| self.condition(row, part, negated)).collect();
                format!("({})", parts.join(with))
            }
        }
    }

    /// Rows that have a finding which passes the tests, among the current ones of the version that the row is. Where all of them say what
    /// must not be, rows that have no finding of any of those.
    fn finding(&self, row: &Row, tests: &[entity::Test]) -> String {
        if entity::only_negated(tests) {
            let none: Vec<String> = tests.iter().map(|test| format!("NOT {}", self.finding(row, &[entity::affirmed(test)]))).collect();
            return if none.len() == 1 { none.concat() } else { format!("({})", none.join(" AND ")) };
        }
        let (row, found) = (&row.alias, self.row(&[]).alias);
        let mut conditions: Vec<String> = ["type", "id", "version"].iter().map(|column| format!("{found}.{column} OPERATOR(pg_catalog.=) {row}.{column}")).collect();
        conditions.push(format!("{found}.status OPERATOR(pg_catalog.=) 'current'"));
        conditions.extend(entity::conditions(&found, tests));
        format!("EXISTS (SELECT FROM {}.entity {found}{})", identifier(self.place.lake), filter(&conditions))
    }

    /// Rows that point at a resource that meets `inner`.
    fn chain(&self, row: &Row, parameter: &str, target: TypeId, inner: &Filter) -> String {
        let found = self.row(&[target]);
        let mut conditions = self.conditions(&found, &[target], inner);
        let reference = |function: &str| format!("fhir.{function}({}.search, {}, {})", row.alias, literal(parameter), literal(target.name()));
        if let (Some(tells), None) = (row.ty.and_then(|ty| tells_home(ty, parameter, target)), self.place.as_of) {
            let all = format!("{}.compartment OPERATOR(pg_catalog.=) ANY (SELECT {}.compartment FROM {}{})", row.alias, found.alias, self.source(&[target], &found), filter(&conditions));
            return if tells == Home::Same { all } else { format!("({all} AND {} IS NOT NULL)", reference("reference_id")) };
        }
        self.add_type(&mut conditions, &found, target); // with it, the primary key serves the join
        let source = self.source(&[target], &found);
        if row.ty.is_some_and(|ty| is_single_valued(ty, parameter)) {
            return format!(
                "({expression} IS NOT NULL AND {expression} OPERATOR(pg_catalog.=) ANY (SELECT {}.id FROM {source}{}))",
                found.alias,
                filter(&conditions),
                expression = reference("reference_id"),
            );
        }
        conditions.push(format!("{}.id OPERATOR(pg_catalog.=) ANY ({})", found.alias, reference("reference_ids")));
        format!("EXISTS (SELECT FROM {source}{})", filter(&conditions))
    }

    /// Rows that a resource points at that meets `inner`.
    fn has(&self, row: &Row, (here, ty): (TypeId, TypeId), parameter: &str, inner: &Filter, negated: bool) -> String {
        let pointing = self.row(&[ty]);
        let mut conditions = self.conditions(&pointing, &[ty], inner);
        let here_name = literal(here.name());
        let source = self.source(&[ty], &pointing);
        let reference = |function: &str| format!("fhir.{function}({}.search, {}, {here_name})", pointing.alias, literal(parameter));
        if let (Some(tells), true, None) = (tells_home(ty, parameter, here), row.ty == Some(here), self.place.as_of) {
            if tells == Home::SameIfAny {
                conditions.push(format!("{} IS NOT NULL", reference("reference_id")));
            }
            return format!("{}.compartment OPERATOR(pg_catalog.=) ANY (SELECT {}.compartment FROM {source}{})", row.alias, pointing.alias, filter(&conditions));
        }
        if is_single_valued(ty, parameter) {
            if negated {
                conditions.push(format!("{} IS NOT NULL", reference("reference_id"))); // NOT IN takes no null
            }
            return format!("{}.id OPERATOR(pg_catalog.=) ANY (SELECT {} FROM {source}{})", row.alias, reference("reference_id"), filter(&conditions));
        }
        format!("{}.id OPERATOR(pg_catalog.=) ANY (SELECT pg_catalog.unnest({}) FROM {source}{})", row.alias, reference("reference_ids"), filter(&conditions))
    }
}

/// What searches by the clinical date say of the column of the clinical start, which is where a value's interval begins.
fn clinical_bounds(ty: TypeId, filter: &Filter) -> Vec<String> {
    let rows = match filter {
        Filter::All(parts) => parts.as_slice(),
        other => std::slice::from_ref(other),
    };
    let arguments = rows.iter().filter_map(|part| if let Filter::Row(arguments) = part { Some(arguments) } else { None }).flatten();
    let mut bounds = Vec::new();
    for argument in arguments.filter(|argument| argument.modifier.is_none() && is_clinical_start(ty, &argument.name)) {
        let Ok(query) = Query::from_arguments(Some(ty), std::slice::from_ref(argument)) else { continue };
        let [Leaf::One { test: Test::Date(comparison, searched), .. }] = query.conditions.iter().flat_map(|c| &c.any_of).collect::<Vec<_>>()[..] else { continue };
        let (from, to) = match comparison {
            Comparison::Eq => (Some(searched.low), Some(searched.high)),
            Comparison::Sa => (Some(searched.high), None),
            Comparison::Le | Comparison::Ap => (None, Some(searched.high)),
            Comparison::Lt | Comparison::Eb => (None, Some(searched.low)),
            Comparison::Ne | Comparison::Gt | Comparison::Ge => (None, None),
        };
        bounds.extend(from.map(|at| format!("occurred OPERATOR(pg_catalog.>=) {}", timestamp(at))));
        bounds.extend(to.map(|at| format!("occurred OPERATOR(pg_catalog.<) {}", timestamp(at))));
    }
    bounds
}

/// Whether a condition on ids must hold.
fn asks_for_ids(filter: &Filter) -> bool {
    match filter {
        Filter::Id(_) | Filter::Has { .. } | Filter::Finding { .. } => true,
        Filter::All(parts) => parts.iter().any(|part| matches!(part, Filter::Id(_) | Filter::Has { .. } | Filter::Finding { .. })),
        _ => false,
    }
}

fn satisfies(row: &Row, arguments: &[Argument]) -> String {
    // the table holds no other type
    format!("{}.search OPERATOR(fhir.|=) {}::fhir.query", row.alias, literal(&row_search(row.ty, "!", arguments)))
}

/// The text of a search that `|=` reads; `mark` stands behind the type.
pub fn row_search(ty: Option<TypeId>, mark: &str, arguments: &[Argument]) -> String {
    let mut text = ty.map_or(String::new(), |ty| format!("{}{mark}", ty.name()));
    for (at, argument) in arguments.iter().enumerate() {
        text.push(if at == 0 { '?' } else { '&' });
        text.push_str(&query_part(&argument.name));
        if let Some(modifier) = &argument.modifier {
            text.push(':');
            text.push_str(&query_part(modifier));
        }
        text.push('=');
        text.push_str(&query_part(&argument.value));
    }
    text
}

fn vector(row: &Row, narrative_only: bool) -> String {
    let function = if narrative_only { "narrative" } else { "content" };
    format!("pg_catalog.to_tsvector('simple'::pg_catalog.regconfig, fhir.{function}({}.resource))", row.alias)
}

fn words_query(words: &str) -> String {
    format!("pg_catalog.websearch_to_tsquery('simple'::pg_catalog.regconfig, {})", literal(words))
}

fn names(types: &[TypeId]) -> String {
    types.iter().map(|ty| literal(ty.name())).collect::<Vec<_>>().join(", ")
}

fn filter(conditions: &[String]) -> String {
    if conditions.is_empty() { String::new() } else { format!(" WHERE {}", conditions.join(" AND ")) }
}

/// A moment, in microseconds since 2000-01-01 UTC, as an SQL constant. Outside of the years of four digits, where nothing in a lake
/// stands, it is infinity.
pub fn timestamp(at: i64) -> String {
    match at {
        at if at < time::FIRST => "'-infinity'::pg_catalog.timestamptz".to_owned(),
        at if at > time::LAST => "'infinity'::pg_catalog.timestamptz".to_owned(),
        // a date alone would be read in the session's time zone
        at => format!("'{}'::pg_catalog.timestamptz", time::instant_text(at)),
    }
}

/// `last_updated` is an instant, so the prefixes come down to its place before, in or behind the interval searched.
fn moment(column: &str, comparison: Comparison, searched: Interval) -> String {
    let (low, high) = (timestamp(searched.low), timestamp(searched.high));
    match comparison {
        Comparison::Eq | Comparison::Ap => format!("{column} OPERATOR(pg_catalog.>=) {low} AND {column} OPERATOR(pg_catalog.<) {high}"),
        Comparison::Ne => format!("({column} OPERATOR(pg_catalog.<) {low} OR {column} OPERATOR(pg_catalog.>=) {high})"),
        Comparison::Gt | Comparison::Sa => format!("{column} OPERATOR(pg_catalog.>=) {high}"),
        Comparison::Ge => format!("{column} OPERATOR(pg_catalog.>=) {low}"),
        Comparison::Lt | Comparison::Eb => format!("{column} OPERATOR(pg_catalog.<) {low}"),
        Comparison::Le => format!("{column} OPERATOR(pg_catalog.<) {high}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::criteria::Standard;
    use crate::search::request::{Handling, Setting};

    fn request(text: &str) -> Request {
        Request::parse(text, Setting { now: 0, handling: Handling::Strict, catalog: &mut Standard }).unwrap()
    }

    const LAKE: Place = Place { lake: "lake", as_of: None };

    fn condition(text: &str) -> String {
        let sql = request(text).rows(LAKE);
        sql.split_once(" WHERE ").map(|(_, condition)| condition.to_owned()).unwrap_or_default()
    }

    #[test]
    fn a_search_becomes_one_statement_with_constants() {
        let request = request("Patient?name=O'Brien&_id=x&_count=2&_sort=-_lastUpdated&_cursor=0~p1");
        assert_eq!(
            request.page(Place { lake: "my\"lake", as_of: None }),
            "SELECT r.type, r.id, r.version, r.last_updated, r.resource FROM \"my\"\"lake\".\"patient\" r WHERE \
             r.search OPERATOR(fhir.|=) 'Patient!?name=O%27Brien'::fhir.query AND r.id OPERATOR(pg_catalog.=) 'x' AND r.type OPERATOR(pg_catalog.=) 'Patient' AND \
             r.last_updated OPERATOR(pg_catalog.<=) '2000-01-01T00:00:00Z'::pg_catalog.timestamptz AND (r.last_updated OPERATOR(pg_catalog.<) '2000-01-01T00:00:00Z'::pg_catalog.timestamptz OR \
             r.last_updated OPERATOR(pg_catalog.=) '2000-01-01T00:00:00Z'::pg_catalog.timestamptz AND r.id OPERATOR(pg_catalog.>) 'p1') ORDER BY r.last_updated DESC, r.id LIMIT 3"
        );
        assert_eq!(super::Request::number(&self::request(""), LAKE), "SELECT count(*) FROM \"lake\".\"resource\" r");
    }

    #[test]
    fn what_the_keys_decide_is_looked_up_with_the_query_as_a_parameter() {
        let (statement, query) = request("Patient?identifier=a|b&active=true").lookup(LAKE).unwrap();
        assert_eq!(
            statement,
            "SELECT r.type, r.id, r.version, r.last_updated, r.resource FROM \"lake\".\"patient\" r WHERE r.search OPERATOR(fhir.|=) $1::fhir.query"
        );
        assert_eq!(query, "Patient!?identifier=a|b&active=true");
        for more in ["Patient?identifier=a&_id=b", "Observation?subject:Patient.name=a", "Patient?_lastUpdated=2020", "?identifier=a"] {
            assert!(request(more).lookup(LAKE).is_none(), "{more}");
        }
        assert!(request("Patient?identifier=a").lookup(Place { as_of: Some(0), ..LAKE }).is_none());
    }

    #[test]
    fn a_patients_rows_come_from_the_index_of_records() {
        assert_eq!(
            condition("Observation?patient=p1&code=a"),
            "r.search OPERATOR(fhir.|=) 'Observation!?patient=p1&code=a'::fhir.query AND r.compartment OPERATOR(pg_catalog.=) 'Patient/p1'"
        );
    }

    #[test]
    fn an_order_by_the_clinical_start_is_bounded_by_the_dates_searched() {
        let sql = request("Observation?code=a&date=lt2017&_sort=-date").page(LAKE);
        assert!(sql.contains("AND r.occurred OPERATOR(pg_catalog.<) '2017-01-01T00:00:00Z'::pg_catalog.timestamptz ORDER BY r.occurred DESC"), "{sql}");
        // a period may begin before what is searched
        assert!(!request("Observation?date=ge2017&_sort=date").page(LAKE).contains("r.occurred OPERATOR(pg_catalog.>"));
    }

    #[test]
    fn chains_and_their_reverse_are_joins() {
        assert_eq!(
            condition("Observation?encounter:Encounter.status=a"),
            "(fhir.reference_id(r.search, 'encounter', 'Encounter') IS NOT NULL AND fhir.reference_id(r.search, 'encounter', 'Encounter') OPERATOR(pg_catalog.=) ANY \
             (SELECT r1.id FROM \"lake\".\"encounter\" r1 WHERE r1.search OPERATOR(fhir.|=) 'Encounter!?status=a'::fhir.query AND r1.type OPERATOR(pg_catalog.=) 'Encounter'))"
        );
        assert_eq!(
            condition("Encounter?_has:Observation:encounter:code=a"),
            "r.id OPERATOR(pg_catalog.=) ANY (SELECT fhir.reference_id(r1.search, 'encounter', 'Encounter') FROM \"lake\".\"observation\" r1 WHERE \
             r1.search OPERATOR(fhir.|=) 'Observation!?code=a'::fhir.query) AND r.type OPERATOR(pg_catalog.=) 'Encounter'"
        );
        assert!(condition("Encounter?participant:Practitioner.name=a").contains(".id OPERATOR(pg_catalog.=) ANY (fhir.reference_ids(r.search, 'participant', 'Practitioner'))"));
    }

    #[test]
    fn where_a_reference_decides_the_home_the_homes_are_joined() {
        assert_eq!(
            condition("Encounter?patient.gender=male"),
            "r.compartment OPERATOR(pg_catalog.=) ANY (SELECT r1.compartment FROM \"lake\".\"patient\" r1 WHERE r1.search OPERATOR(fhir.|=) 'Patient!?gender=male'::fhir.query)"
        );
        // who performs decides the home where no patient is the subject
        assert_eq!(
            condition("Patient?_has:Observation:patient:code=a"),
            "r.compartment OPERATOR(pg_catalog.=) ANY (SELECT r1.compartment FROM \"lake\".\"observation\" r1 WHERE \
             r1.search OPERATOR(fhir.|=) 'Observation!?code=a'::fhir.query AND fhir.reference_id(r1.search, 'patient', 'Patient') IS NOT NULL) AND r.type OPERATOR(pg_catalog.=) 'Patient'"
        );
    }

    #[test]
    fn an_order_by_values_puts_those_without_last() {
        let request = request("Patient?_sort=family,-birthdate&_count=1&_cursor=61~-~x");
        assert_eq!(
            request.page(LAKE),
            "SELECT r.type, r.id, r.version, r.last_updated, r.resource, fhir.sort_key(r.search, 'family', false), \
             fhir.sort_key(r.search, 'birthdate', true) FROM \"lake\".\"patient\" r WHERE \
             ((fhir.sort_key(r.search, 'family', false) OPERATOR(pg_catalog.>) '\\x61'::pg_catalog.bytea OR fhir.sort_key(r.search, 'family', false) IS NULL) OR \
             fhir.sort_key(r.search, 'family', false) OPERATOR(pg_catalog.=) '\\x61'::pg_catalog.bytea AND fhir.sort_key(r.search, 'birthdate', true) IS NULL AND r.id OPERATOR(pg_catalog.>) 'x') \
             ORDER BY fhir.sort_key(r.search, 'family', false), fhir.sort_key(r.search, 'birthdate', true) DESC NULLS LAST, r.id LIMIT 2"
        );
    }

    #[test]
    fn any_moment_has_a_constant() {
        let constant = |at: i64| timestamp(at).split('\'').nth(1).unwrap().to_owned();
        assert_eq!(constant(0), "2000-01-01T00:00:00Z");
        assert_eq!(constant(time::parse("0001").unwrap().low), "0001-01-01T00:00:00Z");
        assert_eq!(constant(time::parse("9999").unwrap().high - 1), "9999-12-31T23:59:59.999999Z");
        for (at, expected) in [(i64::MIN, "-infinity"), (i64::MIN + 1, "-infinity"), (time::FIRST - 1, "-infinity"), (time::LAST + 1, "infinity"), (i64::MAX, "infinity")] {
            assert_eq!(constant(at), expected, "{at}");
        }
    }

    #[test]
    fn the_past_is_what_was_current_then() {
        let sql = request("Patient?name=a").rows(Place { lake: "lake", as_of: Some(0) });
        assert!(sql.contains("UNION ALL") && sql.contains("h.superseded OPERATOR(pg_catalog.>) '2000-01-01T00:00:00Z'::pg_catalog.timestamptz") && sql.contains("h.type OPERATOR(pg_catalog.=) ANY (ARRAY['Patient'])"), "{sql}");
    }
}
