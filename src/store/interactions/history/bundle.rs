//! A page of history as a Bundle. <https://hl7.org/fhir/R4/bundle.html#history>

use super::{Cursor, Entry, Request};
use crate::json::{self, Item, JsonError, number};
use crate::search::quote::query_part;
use crate::search::request::CURSOR;
use crate::store::interactions::precondition::entity_tag;
use crate::store::time::instant;
use std::borrow::Cow;

type Members<'a> = Vec<(Cow<'a, str>, Item<'a>)>;

/// The container of the Bundle; `next` is where the next page begins, `total` the number of versions where it was asked for.
pub fn bundle(request: &Request, entries: &[Entry], next: Option<Cursor>, total: Option<i64>) -> Result<Vec<u8>, JsonError> {
    let mut members: Members = vec![("resourceType".into(), text("Bundle")), ("type".into(), text("history"))];
    if let Some(Ok(total)) = total.and_then(|total| number::encode(&total.to_string())) {
        members.push(("total".into(), Item::Number(Cow::Owned(total))));
    }
    members.push(("link".into(), Item::Array(links(request, next))));
    if !entries.is_empty() {
        members.push(("entry".into(), Item::Array(entries.iter().map(entry).collect())));
    }
    json::write(&Item::Object(members))
}

fn entry(entry: &Entry) -> Item<'_> {
    let url = match entry.method.as_str() {
        "POST" => entry.ty.clone(),
        _ => format!("{}/{}", entry.ty, entry.id),
    };
    let status = match entry.method.as_str() {
        "DELETE" => "204 No Content",
        _ if entry.version == 1 => "201 Created",
        _ => "200 OK",
    };
    let mut members: Members = Vec::with_capacity(3);
    if let Some(resource) = entry.resource.as_deref().and_then(json::root) {
        members.push(("resource".into(), Item::Node(resource)));
    }
    members.push(("request".into(), object([("method", entry.method.as_str().into()), ("url", url.into())])));
    members.push((
        "response".into(),
        object([("status", status.into()), ("etag", entity_tag(entry.version).into()), ("lastModified", instant(entry.last_updated).into())]),
    ));
    Item::Object(members)
}

fn links(request: &Request, next: Option<Cursor>) -> Vec<Item<'static>> {
    let page = |cursor: &Cursor| {
        let separator = if request.understood.contains('?') { '&' } else { '?' };
        format!("{}{separator}{CURSOR}={}", request.understood, query_part(&cursor.write()))
    };
    let link = |relation: &'static str, url: String| object([("relation", relation.into()), ("url", url.into())]);
    let mut links = vec![link("self", request.cursor.as_ref().map_or_else(|| request.understood.clone(), page))];
    if request.cursor.is_some() {
        links.push(link("first", request.understood.clone()));
    }
    links.extend(next.as_ref().map(|cursor| link("next", page(cursor))));
    links
}

fn text(text: &str) -> Item<'_> {
    Item::String(Cow::Borrowed(text))
}

fn object<'a, const N: usize>(members: [(&'static str, Cow<'a, str>); N]) -> Item<'a> {
    Item::Object(members.into_iter().map(|(key, value)| (Cow::Borrowed(key), Item::String(value))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::validate;

    fn version(version: i64, method: &str) -> Entry {
        let resource = format!(r#"{{"resourceType":"Patient","id":"a","meta":{{"versionId":"{version}"}}}}"#);
        let resource = json::parse(resource.as_bytes(), &json::Limits::default()).unwrap();
        let (ty, id, method) = ("Patient".into(), "a".into(), method.into());
        Entry { ty, id, version, last_updated: version, resource: (method != "DELETE").then_some(resource), method }
    }

    #[test]
    fn each_entry_says_what_was_asked_and_answered() {
        let request = Request::parse("Patient/a/_history?_count=3").unwrap();
        let entries = [version(3, "DELETE"), version(2, "PUT"), version(1, "POST")];
        let container = bundle(&request, &entries, Some(entries[2].cursor()), None).unwrap();
        let bundle = json::root(&container).unwrap();
        let shown = |at: usize| {
            let entry = bundle.get("entry").unwrap().as_array().unwrap().get(at).unwrap();
            let text = |a: &str, b: &str| entry.get(a).unwrap().get(b).unwrap().as_str().unwrap().to_owned();
            let parts = [("request", "method"), ("request", "url"), ("response", "status"), ("response", "etag")].map(|(a, b)| text(a, b));
            (parts.join(" "), entry.get("resource").is_some())
        };
        assert_eq!(shown(0), ("DELETE Patient/a 204 No Content W/\"3\"".to_owned(), false));
        assert_eq!(shown(1), ("PUT Patient/a 200 OK W/\"2\"".to_owned(), true));
        assert_eq!(shown(2), ("POST Patient 201 Created W/\"1\"".to_owned(), true));
        let text = bundle.to_json();
        assert!(text.contains(r#""url": "Patient/a/_history?_count=3&_cursor=1~Patient~a", "relation": "next""#), "{text}");
        let mut issues = Vec::new();
        let _ = validate::structure(bundle, &crate::path::eval::NoServices, &mut |issue| {
            issues.push(format!("{}: {}", issue.expression, issue.details));
            std::ops::ControlFlow::Continue(())
        });
        assert_eq!(issues, Vec::<String>::new());
    }

    #[test]
    fn a_page_links_to_the_first_one() {
        let request = Request::parse("_history?_cursor=1~Patient~a").unwrap();
        let container = bundle(&request, &[], None, Some(12)).unwrap();
        let text = json::root(&container).unwrap().to_json();
        assert!(text.contains(r#""total": 12"#) && !text.contains("entry") && !text.contains("next"), "{text}");
        assert!(text.contains(r#"{"url": "_history?_cursor=1~Patient~a", "relation": "self"}, {"url": "_history", "relation": "first"}"#), "{text}");
    }
}
