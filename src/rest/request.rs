//! What a method and an address ask for. <https://hl7.org/fhir/R4/http.html#summary>

use super::answer::Refused;
use super::operations::Operation;
use crate::index::query::decode;
use crate::model::{TypeId, resource_types};
use crate::path::reference::{is_id, resource_type};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Method {
    Get,
    Head,
    Post,
    Put,
    Patch,
    Delete,
}

impl Method {
    const ALL: [(&'static str, Method); 6] = [
        ("GET", Method::Get),
        ("HEAD", Method::Head),
        ("POST", Method::Post),
        ("PUT", Method::Put),
        ("PATCH", Method::Patch),
        ("DELETE", Method::Delete),
    ];

    pub fn named(name: &str) -> Option<Method> {
        Method::ALL.into_iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, method)| method)
    }

    pub fn reads(self) -> bool {
        matches!(self, Method::Get | Method::Head)
    }
}

/// The header `Allow` of an answer 405 to a request: the methods that its address takes, of reading ones only where the server may not
/// write now. <https://www.rfc-editor.org/rfc/rfc9110#name-allow>
pub fn allow(method: &str, url: &str) -> String {
    let asked = Method::named(method);
    let has = |name: &str, method: Method| match Asked::parse(name, url) {
        Err(refused) => refused.status != 405 && refused.status != 404,
        Ok(one) => match &one.interaction {
            // such an operation is called by POST only
            Interaction::Operation(scope, name) => !(method.reads() && Operation::named(name, scope).is_some_and(|operation| operation.changes)),
            _ => true,
        },
    };
    let all: Vec<(&str, Method)> = Method::ALL.into_iter().filter(|(name, method)| has(name, *method)).collect();
    // what was refused although the address takes it was refused for what it does: to write, or to store what it makes
    let refused = asked.filter(|asked| all.iter().any(|(_, method)| method == asked));
    let left = all.into_iter().filter(|(_, method)| refused.is_none_or(|refused| method.reads() != refused.reads()));
    left.map(|(name, _)| name).collect::<Vec<_>>().join(", ")
}

/// What an operation is called on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Scope {
    System,
    Type(TypeId),
    Instance(TypeId, String),
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Interaction {
    Capabilities,
    Read(TypeId, String),
    VRead(TypeId, String, i64),
    Create(TypeId),
    Update(TypeId, String),
    /// By criteria, as the two below.
    UpdateWhere(TypeId),
    Patch(TypeId, String),
    PatchWhere(TypeId),
    Delete(TypeId, String),
    DeleteWhere(TypeId),
    /// What stands before the `?` of a search.
    Search(String),
    /// What stands before the `?` of a history.
    History(String),
    Bundle,
    Operation(Scope, String),
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Asked {
    pub method: Method,
    /// What stands before the first type, without a slash at its end; empty for a relative address.
    pub base: String,
    pub interaction: Interaction,
    /// Behind the `?`, as it came.
    pub query: String,
}

impl Asked {
    /// Reads `[base/]Type[/id][?query]` and its like; the base is all before the first segment that FHIR gives a meaning.
    pub fn parse(method: &str, url: &str) -> Result<Asked, Refused> {
        let Some(method) = Method::named(method) else {
            return Err(Refused::new(405, "not-supported", "the method is none of GET, HEAD, POST, PUT, PATCH and DELETE"));
        };
        let url = url.split('#').next().unwrap_or_default();
        // the base goes into headers of the answer
        if url.chars().any(char::is_control) {
            return Err(Refused::new(400, "invalid", "the address holds a control character"));
        }
        let (path, query) = url.split_once('?').unwrap_or((url, ""));
        let (host, path) = match path.split_once("://") {
            Some((scheme, rest)) => {
                let end = rest.find('/').unwrap_or(rest.len());
                (&path[..scheme.len() + 3 + end], &rest[end..])
            }
            None => ("", path),
        };
        let mut segments = Vec::new();
        let written: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
        for segment in &written {
            segments.push(decode(segment).map_err(|_| Refused::new(400, "invalid", "the address is not well encoded"))?);
        }
        let means = |segment: &String| resource_type(segment).is_some() || segment.starts_with(['_', '$']) || segment == "metadata";
        let first = segments.iter().position(means).unwrap_or(segments.len());
        if first == segments.len()
            && let Some(last) = segments.iter().find(|segment| segment.starts_with(|c: char| c.is_ascii_uppercase()))
        {
            let shown: String = last.chars().take(64).collect();
            return Err(Refused::new(404, "not-found", format!("\"{shown}\" is not a FHIR R4 resource type")));
        }
        if first == segments.len()
            && let Some(name) = misspelt(&segments, method.reads() && query.is_empty())
        {
            return Err(Refused::new(404, "not-found", format!("\"{}\" is not a FHIR R4 resource type; did you mean {}?", name.0, name.1)));
        }
        let before = written[..first].join("/");
        let base = match (host, before.as_str(), path.starts_with('/')) {
            (host, "", _) => host.to_owned(),
            ("", before, false) => before.to_owned(),
            (host, before, _) => format!("{host}/{before}"),
        };
        let parts: Vec<&str> = segments[first..].iter().map(String::as_str).collect();
        let interaction = interaction(method, &parts)?;
        Ok(Asked { method, base, interaction, query: query.to_owned() })
    }

    /// The search or history as `fhir.search` and `fhir.history_bundle` read it.
    pub fn with_query(&self, path: &str) -> String {
        if self.query.is_empty() { path.to_owned() } else { format!("{path}?{}", self.query) }
    }

    /// The name of the first parameter of the query that is none for all interactions: those begin with `_`.
    pub fn criterion(&self) -> Option<String> {
        let names = self.query.split('&').map(|part| part.split_once('=').map_or(part, |(name, _)| name));
        names.filter(|name| !name.is_empty() && !name.starts_with('_')).map(|name| name.chars().take(64).collect()).next()
    }

    /// The decoded values of a parameter of the query.
    pub fn parameters(&self, name: &str) -> Vec<String> {
        let pairs = self.query.split('&').filter_map(|part| part.split_once('='));
        pairs.filter(|(key, _)| *key == name).filter_map(|(_, value)| decode(value).ok()).collect()
    }

    pub fn parameter(&self, name: &str) -> Option<String> {
        self.parameters(name).into_iter().next()
    }
}

/// A type in other letters, and the type, at the end of an address that would otherwise be a base; with `deep` also before what may be
/// an id: such a request would be about everything.
fn misspelt(segments: &[String], deep: bool) -> Option<(&str, &'static str)> {
    let candidates = segments.iter().rev().take(if deep { 2 } else { 1 });
    candidates.into_iter().find_map(|segment| Some((segment.as_str(), resource_types().find(|ty| ty.name().eq_ignore_ascii_case(segment))?.name())))
}

fn interaction(method: Method, parts: &[&str]) -> Result<Interaction, Refused> {
    use Interaction as I;
    let wrong = || Refused::new(405, "not-supported", "the server has no such interaction with this method");
    let id = |text: &str| match is_id(text) {
        true => Ok(text.to_owned()),
        false => Err(Refused::new(404, "not-found", "what stands in the place of the id is none")),
    };
    let reads = method.reads();
    let (ty, rest) = match parts.split_first() {
        None => {
            return match method {
                Method::Post => Ok(I::Bundle),
                _ if reads => Ok(I::Search(String::new())),
                _ => Err(wrong()),
            };
        }
        Some((&"metadata", [])) if reads => return Ok(I::Capabilities),
        Some((&"_history", [])) if reads => return Ok(I::History("_history".into())),
        Some((&"_search", [])) if reads || method == Method::Post => return Ok(I::Search(String::new())),
        Some((operation, [])) if operation.starts_with('$') && (reads || method == Method::Post) => return Ok(I::Operation(Scope::System, (*operation).to_owned())),
        Some((name, rest)) => match resource_type(name) {
            Some(ty) => (ty, rest),
            None => return Err(wrong()),
        },
    };
    let calls = reads || method == Method::Post;
    let name = ty.name();
    match (rest, method) {
        ([], Method::Post) => Ok(I::Create(ty)),
        ([], Method::Put) => Ok(I::UpdateWhere(ty)),
        ([], Method::Patch) => Ok(I::PatchWhere(ty)),
        ([], Method::Delete) => Ok(I::DeleteWhere(ty)),
        ([] | ["_search"], _) if reads => Ok(I::Search(name.to_owned())),
        (["_search"], Method::Post) => Ok(I::Search(name.to_owned())),
        (["_history"], _) if reads => Ok(I::History(format!("{name}/_history"))),
        ([operation], _) if operation.starts_with('$') && calls => Ok(I::Operation(Scope::Type(ty), (*operation).to_owned())),
        ([one], Method::Put) => Ok(I::Update(ty, id(one)?)),
        ([one], Method::Patch) => Ok(I::Patch(ty, id(one)?)),
        ([one], Method::Delete) => Ok(I::Delete(ty, id(one)?)),
        ([one], _) if reads => Ok(I::Read(ty, id(one)?)),
        ([one, "_history"], _) if reads => Ok(I::History(format!("{name}/{}/_history", id(one)?))),
        ([one, "_history", version], _) if reads => match version.parse() {
            Ok(version) => Ok(I::VRead(ty, id(one)?, version)),
            Err(_) => Err(Refused::new(404, "not-found", "versions are numbers")),
        },
        ([one, operation], _) if operation.starts_with('$') && calls => Ok(I::Operation(Scope::Instance(ty, id(one)?), (*operation).to_owned())),
        ([one, other] | [one, other, "_search"], _) if (*other == "*" || resource_type(other).is_some()) && (reads || method == Method::Post && rest.len() == 3) => {
            Ok(I::Search(format!("{name}/{}/{other}", id(one)?)))
        }
        _ => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(method: &str, url: &str) -> String {
        match Asked::parse(method, url) {
            Ok(asked) => format!("{} | {:?} | {}", asked.base, asked.interaction, asked.query),
            Err(refused) => format!("{} {}", refused.status, refused.code),
        }
    }

    #[test]
    fn every_interaction_of_the_specification_has_its_address() {
        let ty = |name| resource_type(name).unwrap();
        let is = |method: &str, url: &str, wanted: Interaction| assert_eq!(Asked::parse(method, url).map(|a| a.interaction).ok(), Some(wanted), "{method} {url}");
        is("GET", "/Patient/a", Interaction::Read(ty("Patient"), "a".into()));
        is("HEAD", "Patient/a", Interaction::Read(ty("Patient"), "a".into()));
        is("GET", "http://x.org/fhir/r4/Patient/a/_history/3", Interaction::VRead(ty("Patient"), "a".into(), 3));
        is("PUT", "/Patient/a", Interaction::Update(ty("Patient"), "a".into()));
        is("PUT", "/Patient?identifier=x", Interaction::UpdateWhere(ty("Patient")));
        is("PATCH", "/Patient/a", Interaction::Patch(ty("Patient"), "a".into()));
        is("DELETE", "/Patient/a", Interaction::Delete(ty("Patient"), "a".into()));
        is("DELETE", "/Patient?identifier=x", Interaction::DeleteWhere(ty("Patient")));
        is("POST", "/Patient", Interaction::Create(ty("Patient")));
        is("GET", "/Patient?name=x", Interaction::Search("Patient".into()));
        is("POST", "/Patient/_search", Interaction::Search("Patient".into()));
        is("GET", "/Patient/a/Observation?code=x", Interaction::Search("Patient/a/Observation".into()));
        is("GET", "/Patient/a/*", Interaction::Search("Patient/a/*".into()));
        is("GET", "/?_type=Patient", Interaction::Search(String::new()));
        is("GET", "/Patient/a/_history", Interaction::History("Patient/a/_history".into()));
        is("GET", "/Patient/_history", Interaction::History("Patient/_history".into()));
        is("GET", "/_history?_count=2", Interaction::History("_history".into()));
        is("GET", "/metadata", Interaction::Capabilities);
        is("POST", "/", Interaction::Bundle);
        is("POST", "http://x.org/fhir", Interaction::Bundle);
        is("GET", "/Patient/a/$everything", Interaction::Operation(Scope::Instance(ty("Patient"), "a".into()), "$everything".into()));
        is("POST", "/Patient/$validate", Interaction::Operation(Scope::Type(ty("Patient")), "$validate".into()));
    }

    #[test]
    fn the_base_is_what_stands_before() {
        assert_eq!(Asked::parse("GET", "http://x.org:8080/fhir/r4/Patient/a").unwrap().base, "http://x.org:8080/fhir/r4");
        assert_eq!(Asked::parse("GET", "/fhir/Patient").unwrap().base, "/fhir");
        assert_eq!(Asked::parse("GET", "Patient").unwrap().base, "");
        // as it was written: nothing of it can end a header
        assert_eq!(Asked::parse("GET", "/a%20b%0D%0ASet-Cookie:x/Patient/a").unwrap().base, "/a%20b%0D%0ASet-Cookie:x");
        assert_eq!(Asked::parse("GET", "https://x.org/Patient?a=b").unwrap().query, "a=b");
    }

    #[test]
    fn criteria_are_told_from_what_any_request_may_ask() {
        let criterion = |url: &str| Asked::parse("POST", url).unwrap().criterion();
        assert_eq!(criterion("/Patient?_format=json&_pretty=true&"), None);
        assert_eq!(criterion("/Patient?_format=json&identifier=a|b").as_deref(), Some("identifier"));
        assert_eq!(criterion("/Patient?x").as_deref(), Some("x"));
    }

    #[test]
    fn what_is_no_interaction_has_a_status() {
        assert_eq!(asked("GET", "/Patients/1"), "404 not-found");
        // not a base, below which everything is searched
        for url in ["/patient", "/patient/1", "http://x.org/fhir/PATIENT", "/patient?name=x", "/fhir/observation/a-1"] {
            assert_eq!(asked("GET", url), "404 not-found", "{url}");
        }
        assert_eq!(asked("POST", "/patient"), "404 not-found");
        assert_eq!(Asked::parse("POST", "https://x.org/account/fhir").unwrap().base, "https://x.org/account/fhir");
        assert_eq!(Asked::parse("GET", "https://x.org/account/fhir?_type=Patient").unwrap().base, "https://x.org/account/fhir");
        assert_eq!(asked("TRACE", "/Patient/1"), "405 not-supported");
        assert_eq!(asked("POST", "/Patient/1"), "405 not-supported");
        assert_eq!(asked("GET", "/Patient/a b"), "404 not-found");
        assert_eq!(asked("GET", "/Patient/a/_history/x"), "404 not-found");
        assert_eq!(asked("DELETE", "/"), "405 not-supported");
        assert_eq!(asked("GET", "/Patient/%ff"), "400 invalid");
        assert_eq!(asked("GET", "http://x\r\nSet-Cookie: a/Patient/1"), "400 invalid");
        assert_eq!(asked("GET", "/Patient/%0d%0a"), "404 not-found");
        for odd in ["", "?", "://", "http://", "//", "/$", "/_", "/Patient/$", "/Patient//1/", "/metadata/x", "\u{0}"] {
            for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
                asked(method, odd);
            }
        }
    }

    #[test]
    fn what_is_refused_says_what_is_allowed() {
        assert_eq!(allow("POST", "/Patient/1"), "GET, HEAD, PUT, PATCH, DELETE");
        assert_eq!(allow("BREW", "http://x.org/fhir/Patient?name=x"), "GET, HEAD, POST, PUT, PATCH, DELETE");
        assert_eq!(allow("DELETE", "/metadata"), "GET, HEAD");
        assert_eq!(allow("PUT", "/Patient/1/_history/2"), "GET, HEAD");
        assert_eq!(allow("DELETE", "/"), "GET, HEAD, POST");
        assert_eq!(allow("PUT", "/Patient/_search"), "GET, HEAD, POST");
        assert_eq!(allow("DELETE", "/Patient/1/$everything"), "GET, HEAD, POST");
        // what changes something is called by POST; what is to be stored as well
        assert_eq!(allow("GET", "/Patient/1/$meta-add"), "POST");
        assert_eq!(allow("GET", "/Composition/1/$document?persist=true"), "POST");
        // a replica refuses to write
        assert_eq!(allow("PUT", "/Patient/1"), "GET, HEAD");
        assert_eq!(allow("POST", "/Patient"), "GET, HEAD");
        assert_eq!(allow("POST", "/Patient/1/$meta-add"), "");
        assert_eq!(allow("BREW", "/Nonsense/1"), "");
    }
}
