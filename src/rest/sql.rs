//! `fhir.rest`, `fhir.bundle` and `fhir.capability_statement`.

use super::answer::{Answer, Refused, failure};
use super::bundle;
use super::capability;
use super::dispatch::{self, Conditions};
use super::request::{self, Asked, Interaction, Method};
use crate::json::{self, Item, Node};
use crate::pg::error::Error;
use crate::pg::function::{Call, Value};
use crate::pg::settings;
use crate::pg::subtransaction::subtransaction;
use crate::pg::time;
use crate::sql_function;
use crate::store::interactions::patch_kind;
use crate::store::time::instant;
use std::borrow::Cow;

sql_function!(fhir_bundle, |call| {
    let node = json::root(call.jsonb(0)?).unwrap_or(Node::Null);
    let with = Conditions { prefer: call.optional_text(1)?, ..Conditions::default() };
    Ok(Value::Jsonb(bundle::run::process(&settings::lake(), node, &with)?))
});
sql_function!(fhir_capability_statement, |call| Ok(Value::Jsonb(capability::statement(&instant(time::now()), call.text(0)?)?)));
sql_function!(fhir_rest, rest);

/// (method, url, headers jsonb, body text) → status, headers, body
fn rest(call: &Call) -> Result<Value, Error> {
    let headers = Headers::of(if call.datum(2).is_some() { json::root(call.jsonb(2)?) } else { None });
    let (method, url, body) = (call.text(0)?, call.text(1)?, call.optional_text(3)?);
    let (base, answer) = match ask(method, url, &headers, body) {
        Ok(asked) => {
            let answer = answered(&asked, &headers, body)?;
            (asked.base, answer)
        }
        Err(refused) => (String::new(), refused.answer()),
    };
    let mut told = answer.headers(&base);
    let is_patch = Method::named(method) == Some(Method::Patch);
    match answer.status {
        405 => told.push(("Allow", request::allow(method, url))),
        415 if is_patch => told.push(("Accept-Patch", patch_kind::CONTENT_TYPES.join(", "))),
        _ => {}
    }
    let told = told.into_iter().map(|(name, value)| (Cow::Borrowed(name), Item::String(Cow::Owned(value))));
    let told = json::write(&Item::Object(told.collect()))?;
    let body = answer.body.filter(|_| Method::named(method) != Some(Method::Head));
    let mut rows = call.rows()?;
    rows.add([Value::Int(i64::from(answer.status)), Value::Jsonb(told), body.map_or(Value::Null, Value::Jsonb)]);
    Ok(Value::Null)
}

/// What the request asks, if the server can answer in its form. <https://hl7.org/fhir/R4/http.html#mime-type>
fn ask(method: &str, url: &str, headers: &Headers, body: Option<&str>) -> Result<Asked, Refused> {
    let mut asked = Asked::parse(method, url)?;
    let wanted = asked.parameter("_format").or_else(|| headers.get("accept").map(str::to_owned)).unwrap_or_default().to_ascii_lowercase();
    if !wanted.is_empty() && !["json", "*/*", "application/*"].iter().any(|form| wanted.contains(form)) {
        return Err(Refused::new(406, "not-supported", "the server answers in JSON only: Accept: application/fhir+json"));
    }
    let content = headers.get("content-type").unwrap_or_default().to_ascii_lowercase();
    let is_form = content.starts_with("application/x-www-form-urlencoded");
    if is_form || content.is_empty() && matches!(asked.interaction, Interaction::Search(_)) {
        // the parameters of a search may come in the body
        if let (Interaction::Search(_), Some(form)) = (&asked.interaction, body.map(str::trim).filter(|form| !form.is_empty())) {
            asked.query = if asked.query.is_empty() { form.to_owned() } else { format!("{}&{form}", asked.query) };
        }
    } else if asked.method == Method::Post && matches!(asked.interaction, Interaction::Search(_)) && body.is_some_and(|body| !body.trim().is_empty()) {
        // a search that left its criteria out would find everything
        return Err(Refused::new(415, "not-supported", "a search takes its parameters as application/x-www-form-urlencoded"));
    } else if body.is_some() && !content.is_empty() && !content.contains("json") {
        return Err(Refused::new(415, "not-supported", match asked.method {
            Method::Patch => patch_kind::not_taken(&content),
            _ => "the server takes JSON only: Content-Type: application/fhir+json".to_owned(),
        }));
    }
    Ok(asked)
}

fn answered(asked: &Asked, headers: &Headers, body: Option<&str>) -> Result<Answer, Error> {
    let text = body.map(str::trim).filter(|text| !text.is_empty() && !matches!(asked.interaction, Interaction::Search(_)));
    let resource = match text.map(|text| json::parse(text.as_bytes(), &json::Limits::default())).transpose() {
        Ok(resource) => resource,
        Err(error) => return Ok(Refused::new(400, "structure", format!("the body is not well-formed JSON: {} at byte {}", error.message, error.offset)).answer()),
    };
    let with = Conditions {
        if_match: headers.get("if-match"),
        if_none_match: headers.get("if-none-match"),
        if_none_exist: headers.get("if-none-exist"),
        if_modified_since: headers.get("if-modified-since"),
        prefer: headers.get("prefer"),
        content_type: headers.get("content-type"),
    };
    let lake = settings::lake();
    Ok(match subtransaction(|| dispatch::settled(&lake, asked, &with, resource.as_deref()))? {
        Ok(answer) => answer,
        Err(told) => {
            let node = resource.as_deref().and_then(json::root);
            failure(&told.sqlstate, told.by_constraint, &told.message, told.detail.as_deref(), told.hint.as_deref(), asked.method, node)
        }
    })
}

/// The headers of a request; their names count in any case.
struct Headers<'a>(Vec<(String, &'a str)>);

impl<'a> Headers<'a> {
    fn of(node: Option<Node<'a>>) -> Headers<'a> {
        let object = node.and_then(Node::as_object);
        let pairs = object.iter().flat_map(|object| object.iter());
        Headers(pairs.filter_map(|(name, value)| Some((name.to_ascii_lowercase(), value.as_str()?))).collect())
    }

    fn get(&self, name: &str) -> Option<&'a str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| *value)
    }
}
