//! A request as one SQL statement over a lake, with every value a constant.

use super::quote::{identifier, literal};
use super::request::{Cursor, Request, Sort, SortKey};
use crate::index::query::Comparison;
use crate::index::time::{self, Interval};
use crate::model::TypeId;

impl Request {
    /// Rows `type, id, version, last_updated, resource` in the order asked for, one more than the page holds.
    pub fn page(&self, lake: &str) -> String {
        let mut conditions = self.conditions();
        if let Some(cursor) = &self.cursor {
            conditions.push(after(&self.order(), cursor));
        }
        let order: Vec<String> = self.order().iter().map(|s| format!("{}{}", column(s.by), if s.descending { " DESC" } else { "" })).collect();
        format!(
            "SELECT type, id, version, last_updated, resource FROM {}{} ORDER BY {} LIMIT {}",
            self.table(lake),
            filter(&conditions),
            order.join(", "),
            self.count + 1,
        )
    }

    /// All matching rows, in no order.
    pub fn rows(&self, lake: &str) -> String {
        format!("SELECT type, id, version, last_updated, resource FROM {}{}", self.table(lake), filter(&self.conditions()))
    }

    /// The number of matching rows.
    pub fn total(&self, lake: &str) -> String {
        format!("SELECT count(*) FROM {}{}", self.table(lake), filter(&self.conditions()))
    }

    fn table(&self, lake: &str) -> String {
        let table = self.resource_type.map_or("resource".to_owned(), |ty: TypeId| ty.name().to_lowercase());
        format!("{}.{}", identifier(lake), identifier(&table))
    }

    fn conditions(&self) -> Vec<String> {
        let mut all = Vec::new();
        if !self.row_search.is_empty() {
            all.push(format!("search OPERATOR(fhir.|=) {}::fhir.query", literal(&self.row_search)));
        }
        if let Some(ty) = self.resource_type {
            // with the type, the primary key serves `_id`
            all.push(format!("type = {}", literal(ty.name())));
        }
        for ids in &self.ids {
            let ids: Vec<String> = ids.iter().map(|id| literal(id)).collect();
            all.push(format!("id IN ({})", ids.join(", ")));
        }
        for alternatives in &self.last_updated {
            let alternatives: Vec<String> = alternatives.iter().map(|(c, i)| moment(*c, *i)).collect();
            all.push(format!("({})", alternatives.join(" OR ")));
        }
        all
    }
}

fn filter(conditions: &[String]) -> String {
    if conditions.is_empty() { String::new() } else { format!(" WHERE {}", conditions.join(" AND ")) }
}

fn column(key: SortKey) -> &'static str {
    match key {
        SortKey::Id => "id",
        SortKey::LastUpdated => "last_updated",
    }
}

fn timestamp(at: i64) -> String {
    format!("'{}'::timestamptz", time::shown(at))
}

/// `last_updated` is an instant, so the prefixes come down to its place before, in or behind the interval searched.
fn moment(comparison: Comparison, searched: Interval) -> String {
    let (low, high) = (timestamp(searched.low), timestamp(searched.high));
    match comparison {
        Comparison::Eq | Comparison::Ap => format!("last_updated >= {low} AND last_updated < {high}"),
        Comparison::Ne => format!("(last_updated < {low} OR last_updated >= {high})"),
        Comparison::Gt | Comparison::Sa => format!("last_updated >= {high}"),
        Comparison::Ge => format!("last_updated >= {low}"),
        Comparison::Lt | Comparison::Eb => format!("last_updated < {low}"),
        Comparison::Le => format!("last_updated < {high}"),
    }
}

/// What comes behind the last row of the page before.
fn after(order: &[Sort], cursor: &Cursor) -> String {
    let value = |key| match key {
        SortKey::Id => literal(&cursor.id),
        SortKey::LastUpdated => timestamp(cursor.last_updated),
    };
    let mut alternatives = Vec::new();
    for (at, sort) in order.iter().enumerate() {
        let mut parts: Vec<String> = order[..at].iter().map(|s| format!("{} = {}", column(s.by), value(s.by))).collect();
        parts.push(format!("{} {} {}", column(sort.by), if sort.descending { "<" } else { ">" }, value(sort.by)));
        alternatives.push(parts.join(" AND "));
    }
    // the first key alone bounds the scan of its index; the rest decides among equals
    let bound = order.first().map(|s| format!("{} {}= {}", column(s.by), if s.descending { "<" } else { ">" }, value(s.by)));
    format!("{} AND ({})", bound.unwrap_or_else(|| "true".into()), alternatives.join(" OR "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_becomes_one_statement_with_constants() {
        let request = Request::parse("Patient?name=O'Brien&_id=x&_count=2&_sort=-_lastUpdated&_cursor=0~p1").unwrap();
        assert_eq!(
            request.page("my\"lake"),
            "SELECT type, id, version, last_updated, resource FROM \"my\"\"lake\".\"patient\" WHERE \
             search OPERATOR(fhir.|=) 'Patient?name=O%27Brien'::fhir.query AND type = 'Patient' AND id IN ('x') AND \
             last_updated <= '2000-01-01'::timestamptz AND (last_updated < '2000-01-01'::timestamptz OR \
             last_updated = '2000-01-01'::timestamptz AND id > 'p1') ORDER BY last_updated DESC, id LIMIT 3"
        );
        assert_eq!(Request::parse("").unwrap().total("lake"), "SELECT count(*) FROM \"lake\".\"resource\"");
    }
}
