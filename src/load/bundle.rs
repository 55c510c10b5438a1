//! Entries of a Bundle as data: the id of each resource, and what links between them become.
//! <https://hl7.org/fhir/R4/bundle.html#references>

use super::balance::{member, string};
use super::work::Ids;
use crate::model::TypeId;
use crate::path::reference::{is_id, resource_type};
use crate::store::time::uuid;
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

/// The longest URL that is looked at.
const URL: usize = 2048;
const UUID: &str = "urn:uuid:";

/// What an entry says, its resource unread.
pub struct Entry<'a> {
    pub full_url: Option<String>,
    pub resource: Option<&'a [u8]>,
    /// The method and URL of its request.
    pub request: Option<(String, String)>,
    /// It is a message about a search, no result of it.
    pub is_outcome: bool,
}

impl<'a> Entry<'a> {
    pub fn read(text: &'a [u8]) -> Entry<'a> {
        let url = |value: &[u8]| string(value, URL);
        let request = member(text, "request").and_then(|request| {
            Some((member(request, "method").and_then(url)?, member(request, "url").and_then(url).unwrap_or_default()))
        });
        let mode = member(text, "search").and_then(|search| member(search, "mode")).and_then(url);
        Entry {
            full_url: member(text, "fullUrl").and_then(url).filter(|url| !url.is_empty()),
            resource: member(text, "resource").filter(|resource| resource.starts_with(b"{")),
            request,
            is_outcome: mode.as_deref() == Some("outcome"),
        }
    }

    /// The id for its resource, of that type, where the resource has none: the one that its addresses show.
    pub fn id(&self, ty: TypeId) -> Option<String> {
        let of_type = |url: &str| {
            let (rest, id) = url.rsplit_once('/')?;
            let name = rest.rsplit_once('/').map_or(rest, |(_, name)| name);
            (name == ty.name() && is_id(id)).then(|| id.to_owned())
        };
        let by_url = self.full_url.as_deref().and_then(|url| match url.strip_prefix(UUID) {
            Some(uuid) => is_uuid(uuid).then(|| uuid.to_ascii_lowercase()),
            None => of_type(url),
        });
        by_url.or_else(|| self.request.as_ref().filter(|(method, _)| method == "PUT").and_then(|(_, url)| of_type(url)))
    }

    /// The resource that it deletes.
    pub fn deletes(&self) -> Option<(TypeId, String)> {
        let (_, url) = self.request.as_ref().filter(|(method, _)| method == "DELETE")?;
        let (name, id) = url.split_once('/')?;
        Some((resource_type(name)?, id.to_owned())).filter(|(_, id)| is_id(id))
    }
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36 && is_id(text)
}

/// Where the addresses of the entries of a file lead.
#[derive(Default)]
pub struct Links {
    /// Two keys that nobody can guess, so that no two addresses are taken for one.
    hashers: (RandomState, RandomState),
    targets: HashMap<u128, (TypeId, Id)>,
}

/// An id in as little memory as there may be a million of them.
enum Id {
    /// The last so many bytes of the address.
    Tail(u8),
    Text(Box<str>),
    /// A new one, made of its place.
    New(u64),
}

impl Links {
    /// An entry, that many bytes behind the beginning of the load.
    pub fn add(&mut self, entry: &[u8], place: u64) {
        let entry = Entry::read(entry);
        let (Some(url), Some(resource)) = (&entry.full_url, entry.resource) else { return };
        let Some(ty) = member(resource, "resourceType").and_then(|name| string(name, 64)).and_then(|name| resource_type(&name)) else { return };
        let own = member(resource, "id").and_then(|id| string(id, 64)).filter(|id| is_id(id));
        let id = match own.or_else(|| entry.id(ty)) {
            Some(id) if url.ends_with(&id) => Id::Tail(id.len() as u8),
            Some(id) => Id::Text(id.into()),
            None => Id::New(place),
        };
        self.targets.insert(self.hash(url), (ty, id));
    }

    pub fn is_empty(&self) -> bool {
        self.targets.is_empty()
    }

    /// `Type/id` of what that address leads to.
    pub fn target(&self, url: &str, ids: &Ids) -> Option<String> {
        let (ty, id) = self.targets.get(&self.hash(url))?;
        let id = match id {
            Id::Tail(length) => url.get(url.len() - usize::from(*length)..)?,
            Id::Text(id) => id,
            Id::New(place) => &uuid(ids.now, ids.random(*place)),
        };
        Some(format!("{}/{id}", ty.name()))
    }

    fn hash(&self, url: &str) -> u128 {
        u128::from(self.hashers.0.hash_one(url)) << 64 | u128::from(self.hashers.1.hash_one(url))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::type_named;

    const UUID_A: &str = "0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0";

    #[test]
    fn an_entry_without_an_id_gets_that_of_its_address() {
        let patient = type_named("Patient").unwrap();
        let id = |text: &str| Entry::read(text.as_bytes()).id(patient);
        assert_eq!(id(&format!(r#"{{"fullUrl":"urn:uuid:{}","resource":{{}}}}"#, UUID_A.to_uppercase())).as_deref(), Some(UUID_A));
        assert_eq!(id(r#"{"fullUrl":"http://x.org/fhir/Patient/p1"}"#).as_deref(), Some("p1"));
        assert_eq!(id(r#"{"fullUrl":"http://x.org/fhir/Practitioner/p1"}"#), None);
        assert_eq!(id(r#"{"request":{"method":"PUT","url":"Patient/p2"}}"#).as_deref(), Some("p2"));
        for none in [r#"{"request":{"method":"POST","url":"Patient"}}"#, r#"{"fullUrl":"urn:uuid:1"}"#, r#"{"request":{"method":"PUT","url":"Patient?identifier=1"}}"#, "{"] {
            assert_eq!(id(none), None, "{none}");
        }
    }

    #[test]
    fn addresses_lead_to_what_has_them() {
        let ids = Ids::new(800_000_000_000_000, 5);
        let mut links = Links::default();
        links.add(format!(r#"{{"fullUrl":"urn:uuid:{UUID_A}","resource":{{"resourceType":"Patient"}}}}"#).as_bytes(), 0);
        links.add(br#"{"fullUrl":"urn:uuid:b","resource":{"resourceType":"Patient","id":"own"}}"#, 1);
        links.add(br#"{"fullUrl":"http://x.org/Patient/c","resource":{"resourceType":"Patient","id":"c"}}"#, 2);
        links.add(br#"{"fullUrl":"urn:oid:1.2","resource":{"resourceType":"Group"}}"#, 3);
        links.add(br#"{"fullUrl":"urn:uuid:d","resource":{"resourceType":"Nothing"}}"#, 4);
        links.add(br#"{"fullUrl":7,"resource":[]}"#, 5);
        let target = |url: &str| links.target(url, &ids);
        assert_eq!(target(&format!("urn:uuid:{UUID_A}")), Some(format!("Patient/{UUID_A}")));
        assert_eq!(target("urn:uuid:b").as_deref(), Some("Patient/own"));
        assert_eq!(target("http://x.org/Patient/c").as_deref(), Some("Patient/c"));
        assert_eq!(target("urn:oid:1.2"), Some(format!("Group/{}", uuid(ids.now, ids.random(3)))));
        assert_eq!(target("urn:uuid:d"), None);
    }

    #[test]
    fn a_deletion_names_what_it_deletes() {
        let deletes = |text: &str| Entry::read(text.as_bytes()).deletes().map(|(ty, id)| format!("{}/{id}", ty.name()));
        assert_eq!(deletes(r#"{"request":{"method":"DELETE","url":"Patient/1"}}"#).as_deref(), Some("Patient/1"));
        assert_eq!(deletes(r#"{"request":{"method":"DELETE","url":"Patient?name=x"}}"#), None);
        assert_eq!(deletes(r#"{"request":{"method":"GET","url":"Patient/1"}}"#), None);
    }
}
