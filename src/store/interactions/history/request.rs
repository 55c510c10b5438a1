//! A request for history, taken apart: `Patient/1/_history?_since=…`.

use crate::index::query::{self, ErrorKind, MAX_TEXT, QueryError, shown};
use crate::index::time::{self, Interval};
use crate::model::{self, TypeId};
use crate::search::list::Member;
use crate::search::quote::query_part;
use crate::search::request::{CURSOR, DEFAULT_COUNT, MAX_COUNT};

/// Whose versions.
#[derive(Clone, Debug, PartialEq)]
pub enum Scope {
    Instance(TypeId, String),
    Type(TypeId),
    System,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    pub scope: Scope,
    /// Only versions made at this moment or later.
    pub since: Option<i64>,
    /// Only versions that were current at some moment of this time.
    pub at: Option<Interval>,
    /// Only what is in these Lists, by their ids.
    pub lists: Vec<String>,
    /// What is in them, once they have been read: a version, or all versions of a resource.
    pub members: Option<Vec<Member>>,
    /// The versions on a page; with 0 only their number is asked for.
    pub count: u64,
    /// Where the page before ended.
    pub cursor: Option<Cursor>,
    /// What was understood, without the cursor: the start of every link.
    pub understood: String,
}

/// The place of a version in the order of history: latest first, then by type and id. Nothing has two versions of one time.
#[derive(Clone, Debug, PartialEq)]
pub struct Cursor {
    pub last_updated: i64,
    pub ty: String,
    pub id: String,
}

impl Cursor {
    pub fn write(&self) -> String {
        format!("{}~{}~{}", self.last_updated, self.ty, self.id)
    }

    pub fn read(text: &str) -> Result<Cursor, QueryError> {
        let read = || {
            let mut parts = text.split('~');
            let (last_updated, ty, id) = (parts.next()?.parse().ok()?, parts.next()?, parts.next()?);
            let is_known = model::type_named(ty).is_some_and(|ty| ty.is_concrete_resource());
            (is_known && is_id(id) && parts.next().is_none()).then(|| Cursor { last_updated, ty: ty.to_owned(), id: id.to_owned() })
        };
        match read() {
            Some(cursor) => Ok(cursor),
            None => invalid(format!("\"{}\" is no cursor of a history", shown(text)), "take it from a link or row of the page before"),
        }
    }
}

impl Request {
    /// The first page of all versions.
    pub fn of(scope: Scope) -> Request {
        let understood = match &scope {
            Scope::Instance(ty, id) => format!("{}/{id}/_history", ty.name()),
            Scope::Type(ty) => format!("{}/_history", ty.name()),
            Scope::System => "_history".to_owned(),
        };
        Request { scope, since: None, at: None, lists: Vec::new(), members: None, count: DEFAULT_COUNT, cursor: None, understood }
    }

    /// Reads `[Type/[id/]]_history[?_since=…&_at=…&_count=…]`.
    pub fn parse(text: &str) -> Result<Request, QueryError> {
        if text.len() > MAX_TEXT {
            return refuse(ErrorKind::TooLarge, format!("path is longer than {MAX_TEXT} bytes"), "");
        }
        let text = text.trim();
        let (path, arguments) = text.split_once('?').unwrap_or((text, ""));
        let path = path.strip_prefix('/').unwrap_or(path);
        let path = path.strip_suffix('/').unwrap_or(path);
        let scope = match path.split('/').collect::<Vec<_>>()[..] {
            ["_history"] => Scope::System,
            [ty, "_history"] => Scope::Type(resource_type(ty)?),
            [ty, id, "_history"] if is_id(id) => Scope::Instance(resource_type(ty)?, id.to_owned()),
            _ => return invalid(format!("\"{}\" is no path of a history", shown(path)), "write Type/id/_history, Type/_history or _history"),
        };
        let mut request = Request::of(scope);
        let mut understood: Vec<String> = Vec::new();
        for part in arguments.split('&').filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            let (name, value) = (query::decode(name)?, query::decode(value)?);
            if name == CURSOR {
                request.cursor = Some(Cursor::read(&value)?);
                continue;
            }
            request.argument(&name, &value)?;
            understood.push(format!("{}={}", query_part(&name), query_part(&value)));
        }
        if !understood.is_empty() {
            request.understood = format!("{}?{}", request.understood, understood.join("&"));
        }
        Ok(request)
    }

    fn argument(&mut self, name: &str, value: &str) -> Result<(), QueryError> {
        let moment = || match time::parse(value) {
            Some(moment) => Ok(moment),
            None => invalid(format!("\"{}\" is no date for {name}", shown(value)), "write YYYY, YYYY-MM, YYYY-MM-DD or YYYY-MM-DDThh:mm:ss[.sss]Z"),
        };
        match name {
            "_since" => self.since = Some(moment()?.low),
            "_at" => self.at = Some(moment()?),
            "_count" => match value.parse() {
                Ok(count) if count <= MAX_COUNT => self.count = count,
                _ => return invalid("_count takes a whole number up to 10000", "follow the next links for more"),
            },
            // how the answer is written is for who sends it
            "_format" | "_pretty" => {}
            "_list" if !self.lists.is_empty() => return invalid("_list stands there twice", "name several Lists with commas: _list=a,b"),
            "_list" if value.split(',').all(|list| is_id(list.strip_prefix("List/").unwrap_or(list)) || list.starts_with('$')) => {
                self.lists = value.split(',').map(str::to_owned).collect();
            }
            "_list" => return invalid(format!("\"{}\" is no id of a List", shown(value)), "_list=id"),
            _ => {
                let message = format!("unknown parameter \"{}\" of a history", shown(name));
                return refuse(ErrorKind::Unknown, message, "there are _since, _at, _list and _count");
            }
        }
        Ok(())
    }
}

fn resource_type(name: &str) -> Result<TypeId, QueryError> {
    crate::search::criteria::resource_type(name)
}

fn is_id(text: &str) -> bool {
    crate::store::stamp::is_id(text)
}

fn refuse<T>(kind: ErrorKind, message: String, hint: &str) -> Result<T, QueryError> {
    Err(QueryError { kind, message, hint: (!hint.is_empty()).then(|| hint.to_owned()) })
}

fn invalid<T>(message: impl Into<String>, hint: &str) -> Result<T, QueryError> {
    refuse(ErrorKind::Invalid, message.into(), hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patient() -> TypeId {
        model::type_named("Patient").unwrap()
    }

    #[test]
    fn a_path_says_whose_versions() {
        let scope = |text: &str| Request::parse(text).map(|request| request.scope).map_err(|error| error.message);
        assert_eq!(scope("Patient/1/_history"), Ok(Scope::Instance(patient(), "1".into())));
        assert_eq!(scope("/Patient/_history"), Ok(Scope::Type(patient())));
        assert_eq!(scope("_history?_count=3"), Ok(Scope::System));
        for text in ["", "?", "Patient", "Patient/1", "Patient/1/_history/2", "Patient/a b/_history", "//_history", "_history/Patient", "Patient?_history"] {
            assert!(scope(text).is_err(), "{text}");
        }
        assert_eq!(scope("patient/_history"), Err("unknown resource type \"patient\"".into()));
    }

    #[test]
    fn parameters_bound_the_versions() {
        let request = Request::parse("Patient/_history?_since=2000-01-01T00:00:01Z&_at=2000-01-02&_count=7&_format=json").unwrap();
        assert_eq!(request.since, Some(1_000_000));
        assert_eq!(request.at, Some(Interval { low: time::DAY, high: 2 * time::DAY }));
        assert_eq!(request.count, 7);
        assert_eq!(request.understood, "Patient/_history?_since=2000-01-01T00:00:01Z&_at=2000-01-02&_count=7&_format=json");
        assert_eq!(Request::parse(&request.understood), Ok(request));
        assert_eq!(Request::parse("_history?_list=a,List/b").unwrap().lists, ["a", "List/b"]);
        for text in ["_since=soon", "_since=", "_at=x", "_count=-1", "_count=x", "_count=10001", "_list=", "_list=a b", "_list=a&_list=b", "_list=Patient/a", "_sort=x", "name=x", "_cursor=x"] {
            assert!(Request::parse(&format!("_history?{text}")).is_err(), "{text}");
        }
    }

    #[test]
    fn a_cursor_reads_back_as_it_was_written() {
        let cursor = Cursor { last_updated: -7, ty: "Patient".into(), id: "a-1.b".into() };
        assert_eq!(Cursor::read(&cursor.write()), Ok(cursor.clone()));
        let request = Request::parse(&format!("_history?_count=2&_cursor={}", cursor.write())).unwrap();
        assert_eq!(request.cursor, Some(cursor));
        assert_eq!(request.understood, "_history?_count=2");
        for nonsense in ["", "1", "1~Patient", "1~Nothing~x", "x~Patient~x", "1~Patient~x'y", "1~Patient~x~y", "1~Resource~x"] {
            assert!(Cursor::read(nonsense).is_err(), "{nonsense}");
        }
    }
}
