//! A search request, taken apart: what rows must satisfy, and how the answer is shaped.
//! <https://hl7.org/fhir/R4/search.html#return>

use super::quote::query_part;
use crate::index::query::{self, Argument, Comparison, ErrorKind, Leaf, Query, QueryError, Test};
use crate::index::time::Interval;
use crate::model::TypeId;

#[derive(Debug, PartialEq)]
pub struct Request {
    pub resource_type: Option<TypeId>,
    /// What a row answers from its keys, as text for `|=`; empty if nothing is asked of them.
    pub row_search: String,
    /// Each `_id` argument: one of these.
    pub ids: Vec<Vec<String>>,
    /// Each `_lastUpdated` argument: one of these.
    pub last_updated: Vec<Vec<(Comparison, Interval)>>,
    pub sort: Vec<Sort>,
    pub count: u64,
    pub total: bool,
    /// Only the number of matches is asked for.
    pub only_total: bool,
    /// Where the page before ended.
    pub cursor: Option<Cursor>,
    /// What was understood, without the cursor: the start of every link.
    pub understood: String,
}

#[derive(Debug, PartialEq, Clone, Copy)]
pub struct Sort {
    pub by: SortKey,
    pub descending: bool,
}

#[derive(Debug, PartialEq, Clone, Copy)]
pub enum SortKey {
    Id,
    LastUpdated,
}

/// The last row of a page.
#[derive(Debug, PartialEq, Clone)]
pub struct Cursor {
    /// Microseconds since 2000-01-01 UTC.
    pub last_updated: i64,
    pub id: String,
}

pub const DEFAULT_COUNT: u64 = 20;
pub const MAX_COUNT: u64 = 10_000;
/// The argument that a link to the next page carries.
pub const CURSOR: &str = "_cursor";

type Result<T> = std::result::Result<T, QueryError>;

fn refuse<T>(kind: ErrorKind, message: String, hint: &str) -> Result<T> {
    Err(QueryError { kind, message, hint: (!hint.is_empty()).then(|| hint.to_owned()) })
}

impl Request {
    pub fn parse(text: &str) -> Result<Request> {
        let (resource_type, arguments) = query::arguments(text)?;
        let mut request = Request {
            resource_type,
            row_search: String::new(),
            ids: Vec::new(),
            last_updated: Vec::new(),
            sort: Vec::new(),
            count: DEFAULT_COUNT,
            total: false,
            only_total: false,
            cursor: None,
            understood: String::new(),
        };
        let mut rows: Vec<String> = Vec::new();
        let mut understood: Vec<String> = Vec::new();
        for argument in &arguments {
            let name = match &argument.modifier {
                Some(modifier) => format!("{}:{modifier}", argument.name),
                None => argument.name.clone(),
            };
            let part = format!("{}={}", query_part(&name), query_part(&argument.value));
            if argument.name != CURSOR {
                understood.push(part.clone());
            }
            match argument.name.as_str() {
                name if query::is_result_parameter(name) || name == CURSOR => request.shape(argument)?,
                "_id" | "_lastUpdated" if argument.modifier.is_none() => request.column(argument)?,
                _ => rows.push(part),
            }
        }
        let type_name = resource_type.map_or("", TypeId::name);
        if !rows.is_empty() {
            request.row_search = format!("{type_name}?{}", rows.join("&"));
            Query::parse(&request.row_search)?;
        }
        request.understood = if understood.is_empty() { type_name.to_owned() } else { format!("{type_name}?{}", understood.join("&")) };
        Ok(request)
    }

    /// A condition on a column of the lake.
    fn column(&mut self, argument: &Argument) -> Result<()> {
        let query = Query::from_arguments(self.resource_type, std::slice::from_ref(argument))?;
        let tests = query.conditions.into_iter().flat_map(|c| c.any_of).filter_map(|leaf| match leaf {
            Leaf::One { test, .. } => Some(test),
            Leaf::Together(_) | Leaf::Member(_) => None,
        });
        let (mut ids, mut times) = (Vec::new(), Vec::new());
        for test in tests {
            match test {
                Test::Code(id) => ids.push(id),
                Test::Date(comparison, interval) => times.push((comparison, interval)),
                _ => return refuse(ErrorKind::Invalid, format!("{} takes plain values", argument.name), ""),
            }
        }
        if argument.name == "_id" { self.ids.push(ids) } else { self.last_updated.push(times) }
        Ok(())
    }

    fn shape(&mut self, argument: &Argument) -> Result<()> {
        let value = argument.value.as_str();
        let unsupported = |what: &str| refuse(ErrorKind::NotSupported, format!("{what} is not supported yet"), "leave it out");
        match argument.name.as_str() {
            "_count" => match value.parse::<u64>() {
                Ok(0) => (self.total, self.only_total) = (true, true),
                Ok(count) if count <= MAX_COUNT => self.count = count,
                _ => return refuse(ErrorKind::Invalid, "_count takes a whole number up to 10000".into(), "follow the next links for more"),
            },
            "_total" => match value {
                "none" => {}
                "accurate" => self.total = true,
                _ => return unsupported("that value of _total"),
            },
            "_summary" => match value {
                "false" => {}
                "count" => (self.total, self.only_total) = (true, true),
                _ => return unsupported("that value of _summary"),
            },
            "_format" | "_pretty" => {}
            "_sort" => {
                for rule in value.split(',') {
                    let (descending, name) = rule.strip_prefix('-').map_or((false, rule), |name| (true, name));
                    let by = match name {
                        "_id" => SortKey::Id,
                        "_lastUpdated" => SortKey::LastUpdated,
                        _ => return refuse(ErrorKind::NotSupported, "sorting by that parameter is not supported yet".into(), "sort by _id or _lastUpdated, or use ORDER BY in SQL"),
                    };
                    self.sort.push(Sort { by, descending });
                }
            }
            CURSOR => {
                let parsed = value.split_once('~').and_then(|(at, id)| Some(Cursor { last_updated: at.parse().ok()?, id: id.to_owned() }));
                match parsed {
                    Some(cursor) => self.cursor = Some(cursor),
                    None => return refuse(ErrorKind::Invalid, "that is no cursor of a search".into(), "follow the next link of a searchset as it is"),
                }
            }
            other => return unsupported(other),
        }
        Ok(())
    }

    /// The order of the answer: what was asked for, made total by the id.
    pub fn order(&self) -> Vec<Sort> {
        let mut order = self.sort.clone();
        if let Some(at) = order.iter().position(|s| s.by == SortKey::Id) {
            order.truncate(at + 1);
        } else {
            order.push(Sort { by: SortKey::Id, descending: false });
        }
        order.dedup_by_key(|s| s.by);
        order
    }
}


#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_split_into_keys_columns_and_shape() {
        let request = Request::parse("Patient?name=smith&_id=a,b&_lastUpdated=ge2020&_count=5&_sort=-_lastUpdated&_cursor=7~x").unwrap();
        assert_eq!(request.row_search, "Patient?name=smith");
        assert_eq!(request.ids, [["a", "b"]]);
        assert_eq!(request.last_updated.len(), 1);
        assert_eq!(request.count, 5);
        assert_eq!(request.cursor, Some(Cursor { last_updated: 7, id: "x".into() }));
        assert_eq!(request.understood, "Patient?name=smith&_id=a,b&_lastUpdated=ge2020&_count=5&_sort=-_lastUpdated");
        assert_eq!(request.order().len(), 2);
        assert!(Request::parse("Patient?_include=Patient:organization").is_err());
        assert!(Request::parse("Patient?_count=-1").is_err());
        assert!(Request::parse("Patient?_cursor=nonsense").is_err());
    }

    #[test]
    fn what_was_understood_reads_back_as_the_same_request() {
        let request = Request::parse("Patient?name:exact=O'Br%2Cien%26x\\,y&birthdate=ge1970-01-01T10:00%2B02:00").unwrap();
        assert_eq!(Request::parse(&request.understood).unwrap(), request);
    }
}
