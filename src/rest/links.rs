//! Addresses in a Bundle that goes out over HTTP: with the base that the client asked.

use super::answer::under;
use crate::json::{self, Item, JsonError, Node};
use std::borrow::Cow;

/// The Bundle with links and `fullUrl`s below the base; what is no Bundle, and everything where there is no base, as it is.
/// <https://hl7.org/fhir/R4/bundle.html#bundle-unique>
pub fn absolute(bundle: Vec<u8>, base: &str) -> Result<Vec<u8>, JsonError> {
    let Some(object) = json::root(&bundle).and_then(Node::as_object).filter(|object| !base.is_empty() && object.get("resourceType").and_then(Node::as_str) == Some("Bundle")) else {
        return Ok(bundle);
    };
    let members = object.iter().map(|(name, value)| {
        let item = match name {
            "link" => Item::Array(value.items().map(|link| with_url(link, base)).collect()),
            "entry" => Item::Array(value.items().map(|entry| with_full_url(entry, base)).collect()),
            _ => Item::Node(value),
        };
        (Cow::Borrowed(name), item)
    });
    json::write(&Item::Object(members.collect()))
}

fn members<'a>(node: Node<'a>) -> Vec<(Cow<'a, str>, Item<'a>)> {
    node.as_object().into_iter().flat_map(|object| object.iter()).map(|(name, value)| (Cow::Borrowed(name), Item::Node(value))).collect()
}

fn with_url<'a>(link: Node<'a>, base: &str) -> Item<'a> {
    let mut members = members(link);
    // a criterion may have an address of its own
    let is_relative = |url: &&str| !url.split('?').next().unwrap_or_default().contains("://");
    if let Some(url) = link.get("url").and_then(Node::as_str).filter(is_relative) {
        members.push(("url".into(), Item::String(Cow::Owned(under(base, url)))));
    }
    Item::Object(members)
}

fn with_full_url<'a>(entry: Node<'a>, base: &str) -> Item<'a> {
    let mut members = members(entry);
    let own = entry.get("fullUrl").and_then(Node::as_str).map(str::to_owned);
    let named = || {
        let resource = entry.get("resource")?;
        let (ty, id) = (resource.get("resourceType").and_then(Node::as_str)?, resource.get("id").and_then(Node::as_str)?);
        Some(format!("{ty}/{id}"))
    };
    // a deletion in a history has no resource, but its address
    let asked = || entry.get("request").and_then(|request| request.get("url")).and_then(Node::as_str).map(str::to_owned);
    if let Some(url) = own.or_else(named).or_else(asked).filter(|url| !url.contains(':')) {
        members.push(("fullUrl".into(), Item::String(Cow::Owned(under(base, &url)))));
    }
    Item::Object(members)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bundle_is_addressed_below_the_base() {
        let container = |text: &str| json::parse(text.as_bytes(), &json::Limits::default()).unwrap();
        let text = r#"{"resourceType":"Bundle","link":[{"relation":"next","url":"Patient?_cursor=x"}],"entry":[{"resource":{"resourceType":"Patient","id":"a"}},{"request":{"method":"DELETE","url":"Patient/b"}}]}"#;
        let out = absolute(container(text), "http://x.org/fhir").unwrap();
        assert_eq!(
            json::root(&out).unwrap().to_json(),
            r#"{"link": [{"url": "http://x.org/fhir/Patient?_cursor=x", "relation": "next"}], "entry": [{"fullUrl": "http://x.org/fhir/Patient/a", "resource": {"id": "a", "resourceType": "Patient"}}, {"fullUrl": "http://x.org/fhir/Patient/b", "request": {"url": "Patient/b", "method": "DELETE"}}], "resourceType": "Bundle"}"#
        );
        assert_eq!(absolute(container(text), "").unwrap(), container(text));
        let by_system = absolute(container(r#"{"resourceType":"Bundle","link":[{"relation":"self","url":"Patient?identifier=http://x.org|1"}]}"#), "http://x").unwrap();
        assert_eq!(json::root(&by_system).unwrap().to_json(), r#"{"link": [{"url": "http://x/Patient?identifier=http://x.org|1", "relation": "self"}], "resourceType": "Bundle"}"#);
        let patient = container(r#"{"resourceType":"Patient","id":"a"}"#);
        assert_eq!(absolute(patient.clone(), "http://x").unwrap(), patient);
    }
}
