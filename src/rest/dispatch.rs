//! Each interaction, done on a lake with the rights of the caller.

use super::answer::{Answer, Refused};
use super::request::{Asked, Interaction, Scope};
use super::{bundle, capability, links, operations};
use crate::json::{self, Node};
use crate::model::{self, TypeId};
use crate::pg::access;
use crate::pg::error::{Error, INVALID_PARAMETER};
use crate::pg::snapshot::View;
use crate::pg::spi::{Arg, Spi, connected};
use crate::pg::time;
use crate::search::criteria::Standard;
use crate::search::project::{self, Shape};
use crate::search::quote::query_part;
use crate::search::request::{Handling, Request, Setting};
use crate::search::run;
use crate::search::statement::Place;
use crate::store::interactions::patch_kind::PatchKind;
use crate::store::interactions::patching::{self, Patch};
use crate::store::interactions::precondition::IfMatch;
use crate::store::interactions::{Outcome, Stored, Written, history, reading, writing};
use crate::store::time::{instant, read_http_date};
use crate::validate::{self, Issue, Level, Severity, outcome};
use std::borrow::Cow;

/// What comes along with a request.
#[derive(Clone, Copy, Default)]
pub struct Conditions<'a> {
    pub if_match: Option<&'a str>,
    pub if_none_match: Option<&'a str>,
    pub if_none_exist: Option<&'a str>,
    /// A date of HTTP, or an instant.
    pub if_modified_since: Option<&'a str>,
    pub prefer: Option<&'a str>,
    pub content_type: Option<&'a str>,
}

/// What of a written resource the answer shows. <https://hl7.org/fhir/R4/http.html#ops>
#[derive(Clone, Copy, PartialEq, Eq)]
enum Return {
    Representation,
    Minimal,
    Outcome,
}

impl Conditions<'_> {
    fn returned(&self) -> Return {
        match self.preference("return") {
            Some("minimal") => Return::Minimal,
            Some("OperationOutcome") => Return::Outcome,
            _ => Return::Representation,
        }
    }

    /// Without a preference searches are strict: what is not understood is an error.
    fn handling(&self) -> Handling {
        if self.preference("handling") == Some("lenient") { Handling::Lenient } else { Handling::Strict }
    }

    fn preference(&self, name: &str) -> Option<&str> {
        let parts = self.prefer.unwrap_or_default().split([',', ';']);
        parts.filter_map(|part| part.trim().split_once('=')).find(|(key, _)| *key == name).map(|(_, value)| value.trim_matches('"'))
    }
}

/// Does what is asked; `body` is the container of the resource that came along.
pub fn answer(lake: &str, asked: &Asked, with: &Conditions, body: Option<&[u8]>) -> Result<Answer, Error> {
    match &asked.interaction {
        Interaction::Capabilities => Ok(Answer::new(200).body(capability::statement(&instant(time::now()), &asked.base)?)),
        Interaction::Read(ty, id) => {
            let stored = afresh(|spi| reading::read(spi, lake, ty.name(), id))?;
            shown(asked, with, *ty, stored)
        }
        Interaction::VRead(ty, id, version) => {
            let stored = afresh(|spi| reading::vread(spi, lake, ty.name(), id, *version))?;
            shown(asked, with, *ty, stored)
        }
        Interaction::Create(ty) => {
            let resource = resource(body, *ty)?;
            // who means a conditional create must not get an unconditional one
            if let Some(name) = asked.criterion() {
                let message = format!("a create has no criteria, such as {name}");
                return Err(Error::new(INVALID_PARAMETER, message).hint("a conditional create names them in If-None-Exist"));
            }
            written(*ty, with, connected(|spi| writing::create(spi, lake, resource, with.if_none_exist))?)
        }
        Interaction::Update(ty, id) => {
            let resource = resource(body, *ty)?;
            match json::root(resource).and_then(|node| node.get("id")).and_then(Node::as_str) {
                Some(own) if own == id => {}
                Some(_) => return Err(Error::new(INVALID_PARAMETER, "the id of the resource is not that of the address")),
                None => return Err(Error::new(INVALID_PARAMETER, "the resource has no id").hint("an update carries the id of its address")),
            }
            let if_match = if_match(with)?;
            written(*ty, with, connected(|spi| writing::update(spi, lake, resource, if_match))?)
        }
        Interaction::UpdateWhere(ty) => {
            let (resource, if_match) = (resource(body, *ty)?, if_match(with)?);
            written(*ty, with, connected(|spi| writing::update_where(spi, lake, resource, &asked.query, if_match))?)
        }
        Interaction::Delete(ty, id) => {
            let if_match = if_match(with)?;
            connected(|spi| writing::delete(spi, lake, ty.name(), id, if_match))?;
            Ok(Answer::new(204))
        }
        Interaction::DeleteWhere(ty) => {
            connected(|spi| writing::delete_where(spi, lake, ty.name(), &asked.query, false))?;
            Ok(Answer::new(204))
        }
        Interaction::Patch(ty, id) => {
            let (content, kind, if_match) = patch(body, with)?;
            let patch = Patch { content: &content, kind };
            written(*ty, with, connected(|spi| patching::patch(spi, lake, ty.name(), id, patch, if_match))?)
        }
        Interaction::PatchWhere(ty) => {
            let (content, kind, if_match) = patch(body, with)?;
            let patch = Patch { content: &content, kind };
            written(*ty, with, connected(|spi| patching::patch_where(spi, lake, ty.name(), &asked.query, patch, if_match))?)
        }
        Interaction::Search(path) => {
            let text = asked.with_query(path);
            let found = afresh(|spi| run::search(spi, Place { lake, as_of: None }, &text, with.handling()))?;
            Ok(Answer::new(200).body(links::absolute(found, &asked.base)?))
        }
        Interaction::History(path) => {
            let text = asked.with_query(path);
            let found = afresh(|spi| history::bundle(spi, lake, &text))?;
            Ok(Answer::new(200).body(links::absolute(found, &asked.base)?))
        }
        Interaction::Bundle => {
            let node = body.and_then(json::root).ok_or_else(|| Error::new(INVALID_PARAMETER, "no Bundle came along"))?;
            Ok(Answer::new(200).body(bundle::run::process(lake, node, with)?))
        }
        Interaction::Operation(scope, name) => operation(lake, asked, scope, name, body),
    }
}

/// A query that sees what the requests of the same Bundle before it have written.
pub fn afresh<T>(work: impl FnOnce(&Spi) -> Result<T, Error>) -> Result<T, Error> {
    connected(|spi| spi.afresh(View::OfTransaction, work))
}

/// [`answer`], and where the lake enforces integrity, the check of what was written: what is deferred to the end of a transaction
/// would come too late for the answer.
pub fn settled(lake: &str, asked: &Asked, with: &Conditions, body: Option<&[u8]>) -> Result<Answer, Error> {
    let answer = answer(lake, asked, with, body)?;
    if asked.method.reads() {
        return Ok(answer);
    }
    connected(|spi| {
        let lake = access::quoted(lake);
        let parent = format!("{lake}.resource");
        let checks = "SELECT 1::pg_catalog.int8 FROM pg_catalog.pg_trigger t WHERE t.tgrelid OPERATOR(pg_catalog.=) pg_catalog.to_regclass($1) \
                      AND t.tgname OPERATOR(pg_catalog.=) $2::pg_catalog.name";
        if spi.int(checks, &[Arg::Text(&parent), Arg::Text(CHECK)], true)?.is_some() {
            spi.write(&format!("SET CONSTRAINTS {lake}.{CHECK} IMMEDIATE"))?;
            spi.write(&format!("SET CONSTRAINTS {lake}.{CHECK} DEFERRED"))?;
        }
        Ok(())
    })?;
    Ok(answer)
}

/// The constraint trigger that fhir.set_integrity makes.
const CHECK: &str = "zz_references";

fn operation(lake: &str, asked: &Asked, scope: &Scope, name: &str, body: Option<&[u8]>) -> Result<Answer, Error> {
    let parameters = operations::Parameters { asked, body: body.and_then(json::root) };
    if name == "$validate" {
        let Some(resource) = parameters.resource("resource") else {
            return Err(Error::new(INVALID_PARAMETER, "no resource came along to validate"));
        };
        let profiles: Vec<String> = parameters.text("profile").into_iter().collect();
        let mut issues = validate::issues_of(lake, resource, Level::Profile, &profiles)?;
        issues.splice(0..0, of_other_type(scope, resource));
        return Ok(Answer::new(200).body(validate::validation(&issues)));
    }
    operations::run(lake, scope, name, &parameters).and_then(|body| Ok(Answer::new(200).body(links::absolute(body, &asked.base)?)))
}

/// What is wrong where a resource of another type is validated than the address names. <https://hl7.org/fhir/R4/resource-operation-validate.html>
fn of_other_type(scope: &Scope, resource: Node<'_>) -> Option<Issue> {
    let (Scope::Type(ty) | Scope::Instance(ty, _)) = scope else { return None };
    let name = resource.get("resourceType").and_then(Node::as_str).filter(|name| *name != ty.name())?;
    let mut issue = Issue::fatal(&format!("the resource is not of type {}, which the address names", ty.name()));
    issue.severity = Severity::Error;
    issue.code = "invalid";
    issue.expression = if model::type_named(name).is_some() { name.to_owned() } else { String::new() };
    Some(issue)
}

/// The body, where it is a resource of that type.
fn resource(body: Option<&[u8]>, ty: TypeId) -> Result<&[u8], Error> {
    let body = body.ok_or_else(|| Error::new(INVALID_PARAMETER, "no resource came along"))?;
    match json::root(body).and_then(|node| node.get("resourceType")).and_then(Node::as_str) {
        Some(name) if name == ty.name() => Ok(body),
        _ => Err(Error::new(INVALID_PARAMETER, format!("the resource is not of type {}", ty.name())).hint("its resourceType is that of the address")),
    }
}

/// A patch as it came, or as an entry of a Bundle carries a JSON Patch: in a Binary. <https://hl7.org/fhir/R4/http.html#patch>
fn patch<'a>(body: Option<&'a [u8]>, with: &Conditions) -> Result<(Cow<'a, [u8]>, Option<PatchKind>, Option<IfMatch>), Error> {
    let body = body.ok_or_else(|| Error::new(INVALID_PARAMETER, "no patch came along"))?;
    let node = json::root(body);
    let text = |name: &str| node.and_then(|node| node.get(name)).and_then(Node::as_str);
    let kind = |content_type: Option<&str>, patch: &[u8]| PatchKind::of_content(content_type, patch).map_err(|message| Error::new("FH415", message));
    let if_match = if_match(with)?;
    match text("data").filter(|_| text("resourceType") == Some("Binary")) {
        None => Ok((Cow::Borrowed(body), kind(with.content_type, body)?, if_match)),
        Some(data) => {
            let decoded = "SELECT pg_catalog.convert_from(pg_catalog.decode($1, 'base64'), 'UTF8')::pg_catalog.jsonb";
            let content = connected(|spi| spi.jsonb(decoded, &[Arg::Text(data)]))?.unwrap_or_default();
            let kind = kind(text("contentType"), &content)?;
            Ok((Cow::Owned(content), kind, if_match))
        }
    }
}

fn if_match(with: &Conditions) -> Result<Option<IfMatch>, Error> {
    let Some(text) = with.if_match else { return Ok(None) };
    match IfMatch::parse(text) {
        Some(version) => Ok(Some(version)),
        None => Err(Error::new(INVALID_PARAMETER, "If-Match is no version").hint("it is an entity tag such as W/\"3\", or *")),
    }
}

/// The answer to a read, shaped as `_summary` and `_elements` say, and 304 for who has it already.
/// <https://hl7.org/fhir/R4/http.html#cread>
fn shown(asked: &Asked, with: &Conditions, ty: TypeId, stored: Stored) -> Result<Answer, Error> {
    let answer = Answer { version: Some(stored.version), modified: Some(stored.last_updated), ..Answer::new(200) };
    let since = with.if_modified_since.and_then(|text| read_http_date(text).or_else(|| crate::index::time::parse(text).map(|at| at.low)));
    let is_known = match (with.if_none_match, since) {
        (Some(tags), _) => tags.split(',').filter_map(IfMatch::parse).any(|tag| tag.allows(stored.version)),
        // dates of HTTP have no fractions
        (None, Some(since)) => stored.last_updated.div_euclid(1_000_000) <= since.div_euclid(1_000_000),
        (None, None) => false,
    };
    if is_known {
        return Ok(Answer { status: 304, ..answer });
    }
    let shape = shape(asked, ty)?;
    let body = match (shape, json::root(&stored.resource)) {
        (Shape::Whole, _) | (_, None) => stored.resource,
        (shape, Some(node)) => project::project(node, &shape)?,
    };
    Ok(answer.body(body))
}

fn shape(asked: &Asked, ty: TypeId) -> Result<Shape, Error> {
    let named = |name: &str| asked.parameter(name).map(|value| format!("{name}={}", query_part(&value)));
    let arguments: Vec<String> = ["_summary", "_elements"].into_iter().filter_map(named).collect();
    if arguments.is_empty() {
        return Ok(Shape::Whole);
    }
    let text = format!("{}?{}", ty.name(), arguments.join("&"));
    Ok(Request::parse(&text, Setting { now: 0, handling: Handling::Strict, catalog: &mut Standard })?.shape)
}

pub fn written(ty: TypeId, with: &Conditions, written: Written) -> Result<Answer, Error> {
    let Written { stored, outcome: what } = written;
    let answer = Answer {
        version: Some(stored.version),
        modified: Some(stored.last_updated),
        location: Some(format!("{}/{}/_history/{}", ty.name(), stored.id, stored.version)),
        ..Answer::new(if what == Outcome::Created { 201 } else { 200 })
    };
    Ok(match with.returned() {
        Return::Minimal => answer,
        Return::Representation => answer.body(stored.resource),
        Return::Outcome => {
            let said = match what {
                Outcome::Created => "created",
                Outcome::Updated => "updated",
                Outcome::Found => "exists already",
            };
            answer.body(outcome([("information", "informational", said, None)]))
        }
    })
}

impl From<Refused> for Error {
    fn from(refused: Refused) -> Error {
        let sqlstate = match refused.status {
            404 => "FH404",
            405 | 501 => "0A000",
            406 => "FH406",
            _ => INVALID_PARAMETER,
        };
        Error::new(sqlstate, refused.diagnostics)
    }
}
