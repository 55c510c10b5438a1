//! The stamp: from the resource as it was submitted to the resource as it is stored.
//!
//! Sets [`Resource.id`](https://hl7.org/fhir/R4/resource.html#id) where the client gave none, and `meta.versionId` and
//! `meta.lastUpdated` always; the rest of the resource, and of its `meta`, keeps its bytes.

use super::time::{instant, is_uuid_before, uuid};
use crate::json::{self, Item, JsonError, Node, Object};
use crate::model::{self, TypeId};
use crate::path::eval::Services;
use crate::validate::{Issue, Level, World, check};
use std::borrow::Cow;
use std::fmt;
use std::ops::ControlFlow;

/// How many issues an error lists; `fhir.issues` has all.
const LISTED: usize = 5;

/// A resource as a client submitted it: an object, of a known concrete type, its id well formed where it has one.
#[derive(Clone, Copy)]
pub struct Submitted<'a> {
    pub node: Node<'a>,
    object: Object<'a>,
    pub ty: TypeId,
    pub id: Option<&'a str>,
}

/// What names a version of a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Version {
    pub number: i64,
    /// Microseconds since 2000-01-01 UTC.
    pub last_updated: i64,
}

impl Version {
    /// The version after `previous`, `now`. Times of versions grow even where the clock does not.
    pub fn after(previous: Option<Version>, now: i64) -> Version {
        match previous {
            None => Version { number: 1, last_updated: now },
            Some(previous) => {
                Version { number: previous.number + 1, last_updated: now.max(previous.last_updated.saturating_add(1)) }
            }
        }
    }

    /// The HTTP method of the interaction that made this version of a resource: the first one under an id that the server
    /// chose was a create, every other an update. <https://hl7.org/fhir/R4/http.html#history>
    pub fn method(self, id: &str) -> &'static str {
        if self.number == 1 && is_uuid_before(id, self.last_updated) { "POST" } else { "PUT" }
    }
}

impl<'a> Submitted<'a> {
    /// Reads a container; `expected` is the type that the table holds.
    pub fn read(container: &'a [u8], expected: Option<TypeId>) -> Result<Submitted<'a>, Refusal> {
        let node = json::root(container).ok_or(Refusal::NotAnObject)?;
        let object = node.as_object().ok_or(Refusal::NotAnObject)?;
        let name = object.get("resourceType").and_then(Node::as_str).ok_or(Refusal::NoType)?;
        let ty = resource_type(name)?;
        if let Some(expected) = expected.filter(|expected| *expected != ty) {
            return Err(Refusal::WrongType { expected: expected.name(), found: ty.name() });
        }
        let id = match object.get("id") {
            None => None,
            Some(Node::String(id)) if is_id(id) => Some(id),
            Some(Node::String(id)) => return Err(Refusal::BadId(Some(excerpt(id)))),
            Some(_) => return Err(Refusal::BadId(None)),
        };
        Ok(Submitted { node, object, ty, id })
    }

    /// Refuses what is not valid at a level that depends on the resource alone. `services` may end the check; what was not looked at to its
    /// end is refused.
    pub fn validated(&self, level: Level, services: &dyn Services) -> Result<(), Refusal> {
        let mut issues = Vec::new();
        let flow = check(self.node, level, &World::asking(services), &mut |issue: Issue| {
            if issue.severity.is_error() {
                issues.push(issue);
            }
            if issues.len() > LISTED { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        if flow.is_continue() && issues.is_empty() { Ok(()) } else { Err(Refusal::Invalid { ty: self.ty.name(), issues }) }
    }

    /// The container to store: this resource with that id and version.
    pub fn stored(&self, id: &str, version: Version) -> Result<Vec<u8>, Refusal> {
        let mut properties: Vec<(Cow<str>, Item)> = Vec::with_capacity(self.object.len() + 2);
        properties.extend(
            self.object.iter().filter(|(key, _)| *key != "id" && *key != "meta").map(|(key, value)| (Cow::Borrowed(key), Item::Node(value))),
        );
        let mut meta: Vec<(Cow<str>, Item)> = vec![
            (Cow::Borrowed("versionId"), Item::String(Cow::Owned(version.number.to_string()))),
            (Cow::Borrowed("lastUpdated"), Item::String(Cow::Owned(instant(version.last_updated)))),
        ];
        if let Some(given) = self.object.get("meta").and_then(Node::as_object) {
            meta.extend(
                given
                    .iter()
                    .filter(|(key, _)| !matches!(*key, "versionId" | "lastUpdated" | "_versionId" | "_lastUpdated"))
                    .map(|(key, value)| (Cow::Borrowed(key), Item::Node(value))),
            );
        }
        properties.push((Cow::Borrowed("id"), Item::String(Cow::Borrowed(id))));
        properties.push((Cow::Borrowed("meta"), Item::Object(meta)));
        Ok(json::write(&Item::Object(properties))?)
    }

    /// The id to store on INSERT: the client's, else a new one.
    pub fn id_or_new(&self, now: i64, random: [u8; 8]) -> Cow<'a, str> {
        self.id.map_or_else(|| Cow::Owned(uuid(now, random)), Cow::Borrowed)
    }

    /// The version that its `meta` names: the first one where that says nothing, and of `now` where it has no time.
    pub fn own_version(&self, now: i64) -> Result<Version, Refusal> {
        let of_meta = |name: &str| self.object.get("meta").and_then(|meta| meta.get(name)).and_then(Node::as_str);
        let number = match of_meta("versionId") {
            None => 1,
            Some(text) => text.parse().ok().filter(|number| *number > 0).ok_or_else(|| Refusal::BadVersion(excerpt(text)))?,
        };
        let last_updated = of_meta("lastUpdated").and_then(crate::index::time::parse).map_or(now, |time| time.low);
        Ok(Version { number, last_updated })
    }

    /// The id to store on UPDATE: the old one, which the client may leave out but not change.
    pub fn id_of_update(&self, old: &'a str) -> Result<&'a str, Refusal> {
        match self.id {
            Some(id) if id != old => Err(Refusal::IdChanged { old: excerpt(old), new: excerpt(id) }),
            _ => Ok(old),
        }
    }
}

/// The concrete resource type of that name.
pub fn resource_type(name: &str) -> Result<TypeId, Refusal> {
    let concrete = |ty: &TypeId| ty.get().kind == model::Kind::Resource && !ty.get().is_abstract;
    model::type_named(name).filter(concrete).ok_or_else(|| Refusal::UnknownType {
        name: excerpt(name),
        meant: model::resource_types().map(TypeId::name).find(|known| known.eq_ignore_ascii_case(name)),
    })
}

/// Whether two stored containers hold the same resource but for id, `meta.versionId` and `meta.lastUpdated`.
pub fn is_same(stored: &[u8], other: &[u8]) -> bool {
    const NONE: Version = Version { number: 0, last_updated: 0 };
    let plain = |container| Submitted::read(container, None).and_then(|resource| resource.stored("", NONE));
    matches!((plain(stored), plain(other)), (Ok(a), Ok(b)) if a == b)
}

/// Whether a text is of the type [`id`](https://hl7.org/fhir/R4/datatypes.html#id).
pub fn is_id(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-' || c == b'.')
}

/// As much of a name or id that the client sent as an error may repeat.
fn excerpt(text: &str) -> String {
    shortened(text, 64)
}

/// Where and what, however deep in the resource and however long.
fn listing(issue: &Issue) -> String {
    format!("{}: {}", shortened(&issue.expression, 200), shortened(&issue.details, 500))
}

fn shortened(text: &str, characters: usize) -> String {
    let mut short: String = text.chars().take(characters).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

/// Why a resource is not stored.
#[derive(Debug)]
pub enum Refusal {
    NotAnObject,
    NoType,
    UnknownType { name: String, meant: Option<&'static str> },
    WrongType { expected: &'static str, found: &'static str },
    BadId(Option<String>),
    IdChanged { old: String, new: String },
    /// No number.
    BadVersion(String),
    Invalid { ty: &'static str, issues: Vec<Issue> },
    Json(JsonError),
}

impl From<JsonError> for Refusal {
    fn from(error: JsonError) -> Refusal {
        Refusal::Json(error)
    }
}

impl Refusal {
    /// Structure is a check constraint like any other to a client; what is no resource at all is a wrong parameter.
    pub fn sqlstate(&self) -> &'static str {
        match self {
            Refusal::Invalid { .. } | Refusal::WrongType { .. } => "23514",
            Refusal::Json(error) => error.sqlstate,
            _ => "22023",
        }
    }

    /// Where in the resource, as `fhir.issues` names it.
    pub fn expression(&self) -> Option<&str> {
        match self {
            Refusal::Invalid { issues, .. } => issues.first().map(|issue| issue.expression.as_str()),
            _ => None,
        }
    }

    /// The first few issues, a line each.
    pub fn listed(&self) -> Option<String> {
        let Refusal::Invalid { issues, .. } = self else { return None };
        let mut lines: Vec<String> =
            issues.iter().take(LISTED).map(listing).collect();
        if issues.len() > LISTED {
            lines.push("…".to_owned());
        }
        Some(lines.join("\n"))
    }

    /// The issues, where there are more than the one that the message names.
    pub fn detail(&self) -> Option<String> {
        self.listed().filter(|lines| lines.contains('\n'))
    }

    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Refusal::NotAnObject | Refusal::NoType => "a resource is a JSON object with a resourceType".to_owned(),
            Refusal::UnknownType { meant: Some(meant), .. } => format!("did you mean {meant}?"),
            Refusal::UnknownType { meant: None, .. } => "SELECT fhir.resource_types() lists the types of FHIR R4".to_owned(),
            Refusal::WrongType { found, .. } => format!("table {} of the lake is the one for it", found.to_lowercase()),
            Refusal::BadId(_) => "an id has 1 to 64 letters, digits, '-' or '.'".to_owned(),
            Refusal::BadVersion(_) => "versions of a lake are numbers from 1; where those of a file are not kept, the lake counts its own".to_owned(),
            Refusal::IdChanged { .. } => "insert it as a new resource and delete the old one".to_owned(),
            Refusal::Invalid { .. } => "SELECT * FROM fhir.issues(resource) lists everything that is wrong".to_owned(),
            Refusal::Json(_) => return None,
        })
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::NotAnObject => write!(f, "not a FHIR resource: not a JSON object"),
            Refusal::NoType => write!(f, "not a FHIR resource: no resourceType"),
            Refusal::UnknownType { name, .. } => write!(f, "\"{name}\" is not a FHIR R4 resource type"),
            Refusal::WrongType { expected, found } => write!(f, "resource is of type {found}, not {expected}"),
            Refusal::BadId(Some(id)) => write!(f, "\"{id}\" is not a FHIR id"),
            Refusal::BadId(None) => write!(f, "id of a resource is not a string"),
            Refusal::IdChanged { old, new } => write!(f, "id of a resource cannot change from \"{old}\" to \"{new}\""),
            Refusal::BadVersion(version) => write!(f, "versionId \"{version}\" of a resource is not a number"),
            Refusal::Invalid { ty, issues } => match issues.first() {
                Some(issue) => write!(f, "invalid {ty}: {}", listing(issue)),
                None => write!(f, "invalid {ty}"),
            },
            Refusal::Json(error) => write!(f, "{}", error.message),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn container(text: &str) -> Vec<u8> {
        json::parse(text.as_bytes(), &json::Limits::default()).unwrap()
    }

    fn stored(text: &str, id: &str, version: Version) -> String {
        let container = container(text);
        let stored = Submitted::read(&container, None).unwrap().stored(id, version).unwrap();
        json::root(&stored).unwrap().to_json()
    }

    fn refused(text: &str) -> String {
        Submitted::read(&container(text), None).err().map(|refusal| refusal.to_string()).unwrap_or_default()
    }

    const SECOND: Version = Version { number: 2, last_updated: 0 };

    #[test]
    fn id_and_version_are_set_and_all_else_is_kept() {
        assert_eq!(
            stored(r#"{"resourceType":"Observation","valueDecimal":1.10,"meta":{"versionId":"9","lastUpdated":"x","tag":[{"code":"t"}]}}"#, "o", SECOND),
            r#"{"id": "o", "meta": {"tag": [{"code": "t"}], "versionId": "2", "lastUpdated": "2000-01-01T00:00:00.000000Z"}, "resourceType": "Observation", "valueDecimal": 1.10}"#
        );
    }

    #[test]
    fn stamping_what_is_stored_gives_the_same_bytes() {
        let first = {
            let container = container(r#"{"resourceType":"Patient","id":"p","active":true}"#);
            Submitted::read(&container, None).unwrap().stored("p", SECOND).unwrap()
        };
        let again = Submitted::read(&first, None).unwrap().stored("p", SECOND).unwrap();
        assert_eq!(first, again);
        assert!(is_same(&first, &container(r#"{"active":true,"resourceType":"Patient"}"#)));
        assert!(!is_same(&first, &container(r#"{"active":false,"resourceType":"Patient"}"#)));
        assert!(!is_same(&first, &container("[]")));
    }

    #[test]
    fn meta_that_is_no_object_is_replaced() {
        assert!(stored(r#"{"resourceType":"Patient","meta":[1]}"#, "p", SECOND).contains(r#""meta": {"versionId": "2""#));
    }

    #[test]
    fn what_is_no_resource_is_refused() {
        for text in ["7", "[]", "null", r#""Patient""#] {
            assert_eq!(refused(text), "not a FHIR resource: not a JSON object");
        }
        assert_eq!(refused("{}"), "not a FHIR resource: no resourceType");
        assert_eq!(refused(r#"{"resourceType":"Resource"}"#), "\"Resource\" is not a FHIR R4 resource type");
        assert_eq!(refused(r#"{"resourceType":"Patient","id":"a b"}"#), "\"a b\" is not a FHIR id");
        assert_eq!(refused(r#"{"resourceType":"Patient","id":null}"#), "id of a resource is not a string");
        assert_eq!(resource_type("medicationrequest").unwrap_err().hint().unwrap(), "did you mean MedicationRequest?");
    }

    #[test]
    fn an_update_keeps_the_id() {
        let with = container(r#"{"resourceType":"Patient","id":"p"}"#);
        let without = container(r#"{"resourceType":"Patient"}"#);
        assert_eq!(Submitted::read(&with, None).unwrap().id_of_update("p").unwrap(), "p");
        assert_eq!(Submitted::read(&without, None).unwrap().id_of_update("p").unwrap(), "p");
        assert!(Submitted::read(&with, None).unwrap().id_of_update("q").is_err());
    }

    #[test]
    fn a_resource_knows_its_own_version() {
        let own = |meta: &str| {
            let container = container(&format!(r#"{{"resourceType":"Patient","meta":{meta}}}"#));
            Submitted::read(&container, None).unwrap().own_version(9).map(|version| (version.number, version.last_updated))
        };
        assert_eq!(own(r#"{"versionId":"3","lastUpdated":"2000-01-01T00:00:01.000002Z"}"#).unwrap(), (3, 1_000_002));
        assert_eq!(own(r#"{"versionId":"3","lastUpdated":"2000-01-01T02:00:00+02:00"}"#).unwrap(), (3, 0));
        assert_eq!(own("{}").unwrap(), (1, 9));
        for bad in ["0", "-1", "a", "1.0", "99999999999999999999"] {
            assert!(matches!(own(&format!(r#"{{"versionId":"{bad}"}}"#)), Err(Refusal::BadVersion(_))));
        }
    }

    #[test]
    fn times_of_versions_grow_where_the_clock_does_not() {
        assert_eq!(Version::after(None, 5), Version { number: 1, last_updated: 5 });
        assert_eq!(Version::after(Some(Version { number: 3, last_updated: 9 }), 5), Version { number: 4, last_updated: 10 });
    }

    #[test]
    fn only_the_first_version_under_an_id_of_the_server_was_posted() {
        let first = Version::after(None, 800_000_000_000_000);
        let own = uuid(first.last_updated, [7; 8]);
        assert_eq!(first.method(&own), "POST");
        assert_eq!(Version::after(Some(first), first.last_updated + 9).method(&own), "PUT");
        assert_eq!(first.method("p1"), "PUT");
        assert_eq!(Version::after(None, 900_000_000_000_000).method(&own), "PUT");
    }

    #[test]
    fn a_refusal_repeats_only_the_beginning_of_what_was_sent() {
        let long = format!(r#"{{"resourceType":"{}"}}"#, "ü".repeat(10_000));
        assert!(refused(&long).len() < 200);
    }
}
