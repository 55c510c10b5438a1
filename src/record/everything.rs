//! [`Patient/$everything`](https://hl7.org/fhir/R4/operation-patient-everything.html): the statements that read a record page by
//! page, the places where pages begin, and the Bundle.
//!
//! First come the resources of the patient's compartment, one type after the other, each in the order of its index; then the
//! resources outside that they point at, by type and id. A page goes on behind the last row of the page before, whatever is
//! written in between.

use super::ask::{Ask, AskError};
use super::timeline::{Past, names, source, versions};
use crate::index::time::{OPEN_HIGH, OPEN_LOW};
use crate::json::{self, Item, JsonError, Node};
use crate::model::TypeId;
use crate::path::reference::{is_id, resource_type};
use crate::search::quote::{identifier, literal, query_part};
use std::borrow::Cow;

/// Where a page ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Place {
    /// Behind this resource of the compartment.
    Inside { ty: TypeId, occurred: i64, id: String },
    /// Behind this resource outside of it.
    Outside { ty: TypeId, id: String },
}

impl Place {
    /// Reads what [`Place::write`] wrote, or a link that ends with it.
    pub fn read(text: &str) -> Result<Place, AskError> {
        let cursor = text.rsplit_once("_cursor=").map_or(text, |(_, cursor)| cursor);
        let parts: Vec<&str> = cursor.split('~').collect();
        let id = |id: &str| is_id(id).then(|| id.to_owned());
        let place = match parts.as_slice() {
            [ty, occurred, at] => match (resource_type(ty), occurred.parse(), id(at)) {
                (Some(ty), Ok(occurred), Some(id)) => Some(Place::Inside { ty, occurred, id }),
                _ => None,
            },
            [ty, at] => resource_type(ty).zip(id(at)).map(|(ty, id)| Place::Outside { ty, id }),
            _ => None,
        };
        place.ok_or_else(|| AskError {
            message: "that is no cursor of a patient's record".into(),
            hint: "take it from the next link of the page before".into(),
        })
    }

    pub fn write(&self) -> String {
        match self {
            Place::Inside { ty, occurred, id } => format!("{}~{occurred}~{id}", ty.name()),
            Place::Outside { ty, id } => format!("{}~{id}", ty.name()),
        }
    }
}

/// Rows of one type of the compartment, as `id, version, last_updated, occurred, resource`.
///
/// Parameters: `$1` compartment, `$2` first moment that does not count any more, `$3` first moment that counts, `$4` last update
/// that counts, `$5` and `$6` the moment and id that the page begins behind, `$7` how many, and of the past `$8` the moment.
pub fn inside(lake: &str, ty: TypeId, is_shared: bool, has_start: bool, is_past: bool) -> String {
    let (order, types) = ("r.occurred DESC, r.id", [ty]);
    let past = is_past.then_some(Past { at: "$8", focus: "$1", types: &types });
    let source = source(&identifier(lake), &identifier(&ty.name().to_lowercase()), &types[..usize::from(is_shared)], order, past.as_ref());
    format!(
        "SELECT r.id, r.version, r.last_updated, r.occurred, r.resource FROM {source} r WHERE r.compartment OPERATOR(pg_catalog.=) $1 \
         AND r.type OPERATOR(pg_catalog.=) {} AND r.occurred OPERATOR(pg_catalog.<) $2 AND r.occurred OPERATOR(pg_catalog.<=) $5 \
         AND (r.occurred OPERATOR(pg_catalog.<) $5 OR r.id OPERATOR(pg_catalog.>) $6) \
         AND r.last_updated OPERATOR(pg_catalog.>=) $4 AND {}{} ORDER BY {order} LIMIT $7",
        literal(ty.name()),
        reaches(has_start),
        current(past.as_ref())
    )
}

fn current(past: Option<&Past>) -> String {
    past.map(|past| format!(" AND {}", past.condition())).unwrap_or_default()
}

/// Whether a resource reaches into the time that counts; without a clinical date it always does.
fn reaches(has_start: bool) -> &'static str {
    if has_start {
        "(r.occurred OPERATOR(pg_catalog.>=) $3 OR fhir.until(r.resource) OPERATOR(pg_catalog.>) $3)"
    } else {
        "true"
    }
}

/// What the compartment points at outside of it, as `type, id, changed`; `changed` tells whether something that points there was
/// written since `$4`.
///
/// Parameters as in [`inside`], but `$5` and `$6` are the type and id that the page begins behind, `$8` the types wanted, and of the
/// past `$9` the moment.
pub fn outside(lake: &str, members: &[TypeId], shared: &[TypeId], has_start: bool, is_past: bool) -> String {
    let past = is_past.then_some(Past { at: "$9", focus: "$1", types: members });
    let (lake, members) = (identifier(lake), names(members));
    let source = source(&lake, "resource", shared, "r.occurred DESC, r.id", past.as_ref());
    let of = format!("r.compartment OPERATOR(pg_catalog.=) $1 AND r.type OPERATOR(pg_catalog.=) ANY ({members}){}", current(past.as_ref()));
    let record = format!(
        "SELECT r.last_updated, r.resource FROM {source} r WHERE {of} AND r.occurred OPERATOR(pg_catalog.<) $2 AND {}",
        reaches(has_start)
    );
    let belongs = match (is_past, shared) {
        (true, _) => format!("SELECT r.type, r.id FROM {source} r WHERE {of}"),
        (false, []) => format!("SELECT r.type, r.id FROM {lake}.resource r WHERE {of}"),
        (false, _) => format!(
            "SELECT r.type, r.id FROM {lake}.resource r WHERE {of} \
             UNION ALL SELECT m.type, m.id FROM {lake}.membership m WHERE m.compartment OPERATOR(pg_catalog.=) $1"
        ),
    };
    let (ty, id) = ("t.type COLLATE pg_catalog.\"C\"", "t.id COLLATE pg_catalog.\"C\"");
    format!(
        "SELECT {ty} AS type, {id} AS id, pg_catalog.bool_or(r.last_updated OPERATOR(pg_catalog.>=) $4) \
         FROM ({record}) r CROSS JOIN LATERAL fhir.references(r.resource) t \
         WHERE t.type OPERATOR(pg_catalog.=) ANY ($8) \
         AND ({ty} OPERATOR(pg_catalog.>) $5 OR {ty} OPERATOR(pg_catalog.=) $5 AND {id} OPERATOR(pg_catalog.>) $6) \
         AND NOT EXISTS (SELECT FROM ({belongs}) b WHERE b.type OPERATOR(pg_catalog.=) t.type AND b.id OPERATOR(pg_catalog.=) t.id) \
         GROUP BY 1, 2 ORDER BY 1, 2 LIMIT $7"
    )
}

/// Resources of a type by their ids (`$1`), as `id, version, last_updated, resource`, in the order of the ids; of the past as they were
/// at the moment `$2`.
pub fn by_ids(lake: &str, ty: TypeId, is_past: bool) -> String {
    format!(
        "SELECT r.id, r.version, r.last_updated, r.resource FROM {} r WHERE r.type OPERATOR(pg_catalog.=) {} \
         AND r.id OPERATOR(pg_catalog.=) ANY ($1) ORDER BY r.id",
        versions(&identifier(lake), &identifier(&ty.name().to_lowercase()), is_past.then_some("$2")),
        literal(ty.name())
    )
}

/// An entry of the Bundle.
pub struct Entry<'a> {
    pub resource: Node<'a>,
    /// Of the compartment, or what that points at.
    pub is_inside: bool,
}

/// How a caller said it, for the links.
#[derive(Default)]
pub struct Said<'a> {
    pub start: Option<&'a str>,
    pub end: Option<&'a str>,
    pub since: Option<String>,
    pub count: Option<i64>,
    pub cursor: Option<&'a str>,
}

/// The Bundle of a page; `next` is where the page after it begins.
pub fn bundle(ask: &Ask, said: &Said, entries: Vec<Entry>, next: Option<&Place>) -> Result<Vec<u8>, JsonError> {
    let text = |text: String| Item::String(Cow::Owned(text));
    let object = |members: Vec<(&'static str, Item<'static>)>| Item::Object(members.into_iter().map(|(name, item)| (Cow::Borrowed(name), item)).collect());
    let link = |relation: &str, cursor: Option<&str>| object(vec![("relation", text(relation.to_owned())), ("url", text(url(ask, said, cursor)))]);
    let own = said.cursor.map(|cursor| cursor.rsplit_once("_cursor=").map_or(cursor, |(_, cursor)| cursor));
    let mut links = vec![link("self", own)];
    if own.is_some() {
        links.push(link("first", None));
    }
    links.extend(next.map(|next| link("next", Some(&next.write()))));
    let mut members: Vec<(Cow<str>, Item)> = vec![
        ("resourceType".into(), text("Bundle".into())),
        ("type".into(), text("searchset".into())),
        ("link".into(), Item::Array(links)),
    ];
    if !entries.is_empty() {
        let entries = entries.into_iter().map(|entry| {
            let mode = if entry.is_inside { "match" } else { "include" };
            Item::Object(vec![("resource".into(), Item::Node(entry.resource)), ("search".into(), object(vec![("mode", text(mode.into()))]))])
        });
        members.push(("entry".into(), Item::Array(entries.collect())));
    }
    json::write(&Item::Object(members))
}

fn url(ask: &Ask, said: &Said, cursor: Option<&str>) -> String {
    let types: Vec<&str> = ask.types.iter().map(|ty| ty.name()).collect();
    let parameters = [
        ("start", said.start.map(str::to_owned)),
        ("end", said.end.map(str::to_owned)),
        ("_since", said.since.clone()),
        ("_type", (!types.is_empty()).then(|| types.join(","))),
        ("_count", said.count.map(|count| count.to_string())),
        ("_cursor", cursor.map(str::to_owned)),
    ];
    let mut url = format!("{}/$everything", ask.focus);
    for (name, value) in parameters {
        if let Some(value) = value {
            url.push(if url.contains('?') { '&' } else { '?' });
            url.push_str(&format!("{name}={}", query_part(&value)));
        }
    }
    url
}

/// Behind nothing: where the rows of a type begin.
pub const BEGINNING: (i64, &str) = (OPEN_HIGH, "");

/// Whether what happened before some moment does not count.
pub fn has_start(ask: &Ask) -> bool {
    ask.from != OPEN_LOW
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model;

    fn ty(name: &str) -> TypeId {
        model::type_named(name).unwrap()
    }

    #[test]
    fn a_place_reads_back_as_it_was_written() {
        for place in [
            Place::Inside { ty: ty("Observation"), occurred: -7, id: "a-1.b".into() },
            Place::Inside { ty: ty("Patient"), occurred: OPEN_LOW, id: "1".into() },
            Place::Outside { ty: ty("Practitioner"), id: "x".into() },
        ] {
            assert_eq!(Place::read(&place.write()), Ok(place.clone()));
            let link = url(&Ask::read("p", None, None, std::iter::empty()).unwrap(), &Said::default(), Some(&place.write()));
            assert_eq!(Place::read(&link), Ok(place), "{link}");
        }
        for nonsense in ["", "x", "Observation", "Observation~", "Observation~x~y~z", "Observation~1~a b", "Nothing~a", "Observation~a'b"] {
            assert!(Place::read(nonsense).is_err(), "{nonsense}");
        }
    }

    #[test]
    fn a_page_says_how_to_go_on() {
        let ask = Ask::read("p", Some("2015"), None, ["Observation"].into_iter()).unwrap();
        let said = Said { start: Some("2015"), count: Some(1), ..Said::default() };
        let container = json::parse(br#"{"resourceType":"Observation","id":"a"}"#, &json::Limits::default()).unwrap();
        let entry = Entry { resource: json::root(&container).unwrap(), is_inside: true };
        let next = Place::Inside { ty: ty("Observation"), occurred: 7, id: "a".into() };
        let made = bundle(&ask, &said, vec![entry], Some(&next)).unwrap();
        let made = json::root(&made).unwrap().to_json();
        assert!(made.contains(r#""url": "Patient/p/$everything?start=2015&_type=Observation&_count=1""#), "{made}");
        assert!(made.contains(r#"_cursor=Observation~7~a""#), "{made}");
        assert!(made.contains(r#""search": {"mode": "match"}"#), "{made}");
        let empty = bundle(&ask, &said, Vec::new(), None).unwrap();
        assert!(!json::root(&empty).unwrap().to_json().contains("entry"));
    }
}
