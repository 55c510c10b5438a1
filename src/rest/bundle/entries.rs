//! The entries of a Bundle that is to be processed, and their order. <https://hl7.org/fhir/R4/http.html#transaction>

use crate::json::Node;
use crate::rest::answer::Refused;
use crate::rest::request::{Asked, Interaction, Method};
use std::collections::HashMap;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Each entry by itself.
    Batch,
    /// All or nothing.
    Transaction,
}

/// One request of a Bundle.
#[derive(Debug)]
pub struct Entry<'a> {
    /// Its place in the Bundle, from 0.
    pub at: usize,
    pub full_url: Option<&'a str>,
    pub asked: Asked,
    pub resource: Option<Node<'a>>,
    request: Node<'a>,
}

impl<'a> Entry<'a> {
    fn read(at: usize, node: Node<'a>) -> Result<Entry<'a>, Refused> {
        let request = node.get("request").ok_or_else(|| Refused::new(400, "required", "an entry has no request"))?;
        let text = |name| request.get(name).and_then(Node::as_str).ok_or_else(|| Refused::new(400, "required", format!("a request has no {name}")));
        let asked = Asked::parse(text("method")?, text("url")?)?;
        let resource = node.get("resource");
        let wants = matches!(asked.interaction, Interaction::Create(_) | Interaction::Update(..) | Interaction::UpdateWhere(_) | Interaction::Patch(..) | Interaction::PatchWhere(_));
        if wants && resource.is_none() {
            return Err(Refused::new(400, "required", "an entry has no resource to write"));
        }
        if matches!(asked.interaction, Interaction::Bundle) {
            return Err(Refused::new(400, "not-supported", "a Bundle in a Bundle is stored as a resource, with url Bundle, or not at all"));
        }
        Ok(Entry { at, full_url: node.get("fullUrl").and_then(Node::as_str), asked, resource, request })
    }

    /// `ifMatch`, `ifNoneExist` and their like.
    pub fn header(&self, name: &str) -> Option<&'a str> {
        self.request.get(name).and_then(Node::as_str)
    }

    /// The resource that it changes, where there is one: its address or its condition.
    fn identity(&self) -> Option<String> {
        match &self.asked.interaction {
            Interaction::Update(ty, id) | Interaction::Patch(ty, id) | Interaction::Delete(ty, id) => Some(format!("{}/{id}", ty.name())),
            Interaction::UpdateWhere(ty) | Interaction::PatchWhere(ty) | Interaction::DeleteWhere(ty) => Some(format!("{}?{}", ty.name(), self.asked.query)),
            _ => None,
        }
    }

    /// Transactions delete first, then create, then update, and read at last.
    fn rank(&self) -> u8 {
        match self.asked.method {
            Method::Delete => 0,
            Method::Post => 1,
            Method::Put | Method::Patch => 2,
            Method::Get | Method::Head => 3,
        }
    }
}

/// The kind of the Bundle and its entries as they stand; what is no request is told in its place.
pub fn entries(bundle: Node<'_>) -> Result<(Kind, Vec<Result<Entry<'_>, Refused>>), Refused> {
    if bundle.get("resourceType").and_then(Node::as_str) != Some("Bundle") {
        return Err(Refused::new(400, "invalid", "not a Bundle"));
    }
    let kind = match bundle.get("type").and_then(Node::as_str) {
        Some("batch") => Kind::Batch,
        Some("transaction") => Kind::Transaction,
        _ => return Err(Refused::new(400, "invalid", "the type of the Bundle is neither batch nor transaction")),
    };
    let all = bundle.get("entry").and_then(Node::as_array);
    // silence would be taken for success
    if all.is_none() && bundle.get("entry").is_some() {
        return Err(Refused::new(400, "structure", "Bundle.entry is no array"));
    }
    Ok((kind, all.into_iter().flat_map(|all| all.iter()).enumerate().map(|(at, entry)| Entry::read(at, entry)).collect()))
}

/// The entries of a transaction in the order in which they are processed; refused if two of them are about the same resource.
pub fn in_order(mut entries: Vec<Entry>) -> Result<Vec<Entry>, Refused> {
    let mut seen: HashMap<String, usize> = HashMap::new();
    for entry in &entries {
        let Some(identity) = entry.identity() else { continue };
        if let Some(other) = seen.insert(identity, entry.at) {
            return Err(Refused::new(400, "invalid", format!("entries {other} and {} are about the same resource", entry.at)));
        }
    }
    let mut urls: HashMap<&str, usize> = HashMap::new();
    for entry in &entries {
        if let (Some(url), true) = (entry.full_url, entry.resource.is_some())
            && let Some(other) = urls.insert(url, entry.at)
        {
            return Err(Refused::new(400, "invalid", format!("entries {other} and {} have the same fullUrl", entry.at)));
        }
    }
    // two transactions that change the same resources lock them in the same order
    entries.sort_by_cached_key(|entry| (entry.rank(), entry.identity(), entry.at));
    Ok(entries)
}

/// What a reference of an entry names: itself, or, where it is relative and the entry has the address of a server, that server's.
/// <https://hl7.org/fhir/R4/bundle.html#references>
pub fn absolute<'r>(full_url: Option<&str>, reference: &'r str) -> std::borrow::Cow<'r, str> {
    if reference.contains(':') {
        return reference.into();
    }
    let base = full_url.filter(|url| url.contains("://")).and_then(|url| url.rsplit_once('/')).and_then(|(url, _)| url.rsplit_once('/'));
    match base {
        Some((base, _)) => format!("{base}/{reference}").into(),
        None => reference.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;

    fn order(text: &str) -> Result<Vec<usize>, String> {
        let container = json::parse(text.as_bytes(), &json::Limits::default()).unwrap();
        let (_, all) = entries(json::root(&container).unwrap()).map_err(|refused| refused.diagnostics)?;
        let all: Vec<Entry> = all.into_iter().collect::<Result<_, _>>().map_err(|refused: Refused| refused.diagnostics)?;
        Ok(in_order(all).map_err(|refused| refused.diagnostics)?.iter().map(|entry| entry.at).collect())
    }

    fn bundle(requests: &[(&str, &str)]) -> String {
        let entry = |(method, url): &(&str, &str)| format!(r#"{{"request":{{"method":"{method}","url":"{url}"}},"resource":{{"resourceType":"Patient"}}}}"#);
        format!(r#"{{"resourceType":"Bundle","type":"transaction","entry":[{}]}}"#, requests.iter().map(entry).collect::<Vec<_>>().join(","))
    }

    #[test]
    fn deletions_come_first_and_reads_last() {
        let text = bundle(&[("GET", "Patient/a"), ("PUT", "Patient/b"), ("POST", "Patient"), ("DELETE", "Patient/c"), ("PATCH", "Patient/d"), ("POST", "Patient")]);
        assert_eq!(order(&text), Ok(vec![3, 2, 5, 1, 4, 0]));
        // whatever the order in which they are sent, resources are locked in one
        assert_eq!(order(&bundle(&[("PUT", "Patient/b"), ("PUT", "Patient/c"), ("PUT", "Patient/a")])), Ok(vec![2, 0, 1]));
    }

    #[test]
    fn one_resource_is_changed_once() {
        assert_eq!(order(&bundle(&[("PUT", "Patient/a"), ("DELETE", "Patient/a")])).unwrap_err(), "entries 0 and 1 are about the same resource");
        assert!(order(&bundle(&[("PUT", "Patient?identifier=a"), ("PUT", "Patient?identifier=a")])).is_err());
        assert!(order(&bundle(&[("GET", "Patient/a"), ("PUT", "Patient/a")])).is_ok());
    }

    #[test]
    fn what_is_no_request_is_refused() {
        for text in [
            r#"{"resourceType":"Patient"}"#,
            r#"{"resourceType":"Bundle","type":"searchset"}"#,
            r#"{"resourceType":"Bundle","type":"transaction","entry":[{}]}"#,
            r#"{"resourceType":"Bundle","type":"transaction","entry":[7]}"#,
            r#"{"resourceType":"Bundle","type":"batch","entry":{"request":{"method":"GET","url":"Patient/a"}}}"#,
            r#"{"resourceType":"Bundle","type":"transaction","entry":[{"request":{"method":"POST","url":"Patient"}}]}"#,
            r#"{"resourceType":"Bundle","type":"transaction","entry":[{"request":{"method":"POST","url":""},"resource":{}}]}"#,
        ] {
            assert!(order(text).is_err(), "{text}");
        }
        assert_eq!(order(r#"{"resourceType":"Bundle","type":"batch"}"#), Ok(vec![]));
    }

    #[test]
    fn relative_references_are_of_the_server_of_their_entry() {
        assert_eq!(absolute(Some("http://x.org/fhir/Patient/a"), "Patient/b"), "http://x.org/fhir/Patient/b");
        assert_eq!(absolute(Some("urn:uuid:1"), "Patient/b"), "Patient/b");
        assert_eq!(absolute(None, "urn:uuid:1"), "urn:uuid:1");
    }
}
