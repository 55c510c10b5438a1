//! Processing a Bundle on a lake.
//!
//! A transaction knows the ids of all that it creates before it writes anything, so that its resources may point at each other
//! in any direction. Each resource is written by itself, and its memory is given back then.

use super::entries::{Entry, Kind, absolute, entries, in_order};
use crate::store::links::{Link, rewritten, visit};
use crate::index;
use crate::index::keys::Keys;
use crate::index::query::Query;
use crate::json::{self, Item, Node};
use crate::model::TypeId;
use crate::path::reference::{self, Target};
use crate::pg::error::{Error, INTERNAL, INVALID_PARAMETER};
use crate::pg::memory::Scratch;
use crate::pg::spi::connected;
use crate::pg::subtransaction::subtransaction;
use crate::pg::time::{self, check_for_interrupts};
use crate::rest::answer::{Answer, Refused, failure, status_line};
use crate::rest::dispatch::{self, Conditions};
use crate::rest::request::{Interaction, Method};
use crate::store::accepted::NewId;
use crate::store::interactions::precondition::{IfMatch, entity_tag};
use crate::store::interactions::{Outcome, Stored, Written, conditional, tables, writing};
use crate::store::time::{instant, uuid};
use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};

/// Processes a Bundle of type batch or transaction; the Bundle of answers, in the order of the requests.
pub fn process(lake: &str, bundle: Node, with: &Conditions) -> Result<Vec<u8>, Error> {
    let (kind, entries) = entries(bundle)?;
    let answers = match kind {
        Kind::Batch => batch(lake, entries, with)?,
        Kind::Transaction => {
            let mut good = Vec::with_capacity(entries.len());
            for (at, entry) in entries.into_iter().enumerate() {
                good.push(entry.map_err(|refused| Error::from(refused).in_entry(at))?);
            }
            transaction(lake, good, with)?
        }
    };
    response(kind, &answers)
}

/// Each entry by itself: one that fails takes nothing with it.
fn batch(lake: &str, entries: Vec<Result<Entry, Refused>>, with: &Conditions) -> Result<Vec<Answer>, Error> {
    let scratch = Scratch::new(c"fhirlake batch");
    let mut answers = Vec::with_capacity(entries.len());
    for entry in entries {
        check_for_interrupts();
        let _entered = scratch.enter();
        answers.push(match entry {
            Err(refused) => refused.answer(),
            Ok(entry) => {
                let resource = entry.resource.map(|node| json::write(&Item::Node(node))).transpose()?;
                match subtransaction(|| dispatch::settled(lake, &entry.asked, &conditions(&entry, with), resource.as_deref()))? {
                    Ok(answer) => answer,
                    Err(told) => failure(&told.sqlstate, told.by_constraint, &told.message, told.detail.as_deref(), told.hint.as_deref(), entry.asked.method, entry.resource),
                }
            }
        });
    }
    Ok(answers)
}

fn conditions<'a>(entry: &Entry<'a>, with: &Conditions<'a>) -> Conditions<'a> {
    Conditions {
        if_match: entry.header("ifMatch"),
        if_none_match: entry.header("ifNoneMatch"),
        if_none_exist: entry.header("ifNoneExist"),
        if_modified_since: entry.header("ifModifiedSince"),
        // what is written is not sent back unless asked for
        prefer: with.prefer.or(Some("return=minimal")),
        content_type: None,
    }
}

/// What an entry that writes a whole resource will do.
enum Plan {
    /// `is_ours`: the id was made here, not by the client.
    Create { id: String, is_ours: bool },
    Over { id: String, version: Option<IfMatch> },
    /// A conditional create that finds its resource.
    Found(Stored),
}

impl Plan {
    fn id(&self) -> &str {
        match self {
            Plan::Create { id, .. } | Plan::Over { id, .. } => id,
            Plan::Found(stored) => &stored.id,
        }
    }
}

/// The answers in the order of the entries; any failure is one of the whole.
fn transaction(lake: &str, entries: Vec<Entry>, with: &Conditions) -> Result<Vec<Answer>, Error> {
    let count = entries.len();
    let entries = in_order(entries)?;
    let scratch = Scratch::new(c"fhirlake transaction");
    let mut answers: Vec<Answer> = (0..count).map(|_| Answer::default()).collect();
    let (deletions, others): (Vec<Entry>, Vec<Entry>) = entries.into_iter().partition(|entry| entry.asked.method == Method::Delete);
    for entry in &deletions {
        answers[entry.at] = plain(lake, entry, None, with)?;
    }
    let mut plans: HashMap<usize, Plan> = HashMap::new();
    let mut links: HashMap<String, String> = HashMap::new();
    for entry in &others {
        let _entered = scratch.enter();
        let Some((ty, plan)) = plan(lake, entry).map_err(|error| error.in_entry(entry.at))? else { continue };
        if let Some(url) = entry.full_url {
            links.insert(url.to_owned(), format!("{}/{}", ty.name(), plan.id()));
        }
        plans.insert(entry.at, plan);
    }
    resolve_conditions(lake, &others, &plans, &mut links, &scratch)?;
    for entry in &others {
        check_for_interrupts();
        let _entered = scratch.enter();
        let resource = entry.resource.map(|node| {
            let mut with = |link: Link, text: &str| match (link, text.split_once('#')) {
                (Link::Reference, None) => links.get(absolute(entry.full_url, text).as_ref()).or_else(|| links.get(text)).cloned(),
                _ => links.get(text).cloned(),
            };
            let id = plans.get(&entry.at).map(Plan::id);
            Ok::<_, Error>(rewritten(node, id, &mut with)?)
        });
        let resource = resource.transpose()?;
        answers[entry.at] = match plans.remove(&entry.at) {
            Some(plan) => write(lake, entry, plan, resource.as_deref().unwrap_or_default(), with).map_err(|error| error.in_entry(entry.at))?,
            None => plain(lake, entry, resource.as_deref(), with)?,
        };
    }
    Ok(answers)
}

/// An entry that is done like a request of its own.
fn plain(lake: &str, entry: &Entry, resource: Option<&[u8]>, with: &Conditions) -> Result<Answer, Error> {
    dispatch::answer(lake, &entry.asked, &conditions(entry, with), resource).map_err(|error| error.in_entry(entry.at))
}

fn plan(lake: &str, entry: &Entry) -> Result<Option<(TypeId, Plan)>, Error> {
    let matched = |ty: TypeId, criteria: &str| connected(|spi| conditional::one(spi, lake, ty, criteria));
    let own = entry.resource.and_then(|resource| resource.get("id")).and_then(Node::as_str);
    let if_match = match entry.header("ifMatch") {
        Some(text) => Some(IfMatch::parse(text).ok_or_else(|| Error::new(INVALID_PARAMETER, "ifMatch is no version"))?),
        None => None,
    };
    Ok(match &entry.asked.interaction {
        Interaction::Create(ty) => {
            let found = entry.header("ifNoneExist").map(|criteria| matched(*ty, criteria)).transpose()?.flatten();
            Some((*ty, found.map_or_else(|| Ok(Plan::Create { id: new_id()?, is_ours: true }), |found| Ok::<_, Error>(Plan::Found(found)))?))
        }
        Interaction::Update(ty, id) => {
            if own.is_some_and(|own| own != id) {
                return Err(Error::new(INVALID_PARAMETER, "the id of the resource is not that of the address"));
            }
            Some((*ty, Plan::Over { id: id.clone(), version: if_match }))
        }
        Interaction::UpdateWhere(ty) => {
            let plan = match matched(*ty, &entry.asked.query)? {
                Some(found) => {
                    if own.is_some_and(|own| own != found.id && !own.starts_with("urn:")) {
                        return Err(Error::new(INVALID_PARAMETER, "the condition matches another resource than the id names"));
                    }
                    // the version that met the condition, and no later one
                    if if_match.is_some_and(|wanted| !wanted.allows(found.version)) {
                        return Err(Error::new("FH412", "the resource that meets the condition has another version"));
                    }
                    Plan::Over { id: found.id, version: Some(IfMatch::Version(found.version)) }
                }
                None if if_match.is_some() => return Err(Error::new("FH412", "no resource meets the condition")),
                None => Plan::Create { id: own.map_or_else(new_id, |own| Ok(own.to_owned()))?, is_ours: own.is_none() },
            };
            Some((*ty, plan))
        }
        _ => None,
    })
}

fn new_id() -> Result<String, Error> {
    let random = time::random().ok_or_else(|| Error::new(INTERNAL, "no random numbers for an id"))?;
    Ok(uuid(time::now(), random))
}

fn write(lake: &str, entry: &Entry, plan: Plan, resource: &[u8], with: &Conditions) -> Result<Answer, Error> {
    let (Interaction::Create(ty) | Interaction::Update(ty, _) | Interaction::UpdateWhere(ty)) = &entry.asked.interaction else {
        return Err(Error::new(INTERNAL, "an entry without a type is planned"));
    };
    let is_of_type = json::root(resource).and_then(|node| node.get("resourceType")).and_then(Node::as_str) == Some(ty.name());
    if !is_of_type {
        return Err(Error::new(INVALID_PARAMETER, format!("the resource is not of type {}", ty.name())));
    }
    let done = match plan {
        Plan::Found(stored) => Written { stored, outcome: Outcome::Found },
        Plan::Create { id, is_ours } => {
            let _new = is_ours.then(|| NewId::of(&id));
            let table = tables::of_type(lake, *ty)?;
            connected(|spi| writing::insert(spi, &table, resource))?
        }
        Plan::Over { version, .. } => connected(|spi| writing::update(spi, lake, resource, version))?,
    };
    dispatch::written(*ty, &conditions(entry, with), done)
}

/// Finds what conditional references mean: one resource of the lake, or else one of the transaction's own.
/// <https://hl7.org/fhir/R4/http.html#trules>
fn resolve_conditions(lake: &str, entries: &[Entry], plans: &HashMap<usize, Plan>, links: &mut HashMap<String, String>, scratch: &Scratch) -> Result<(), Error> {
    let mut wanted: BTreeSet<String> = BTreeSet::new();
    let mut place: HashMap<String, usize> = HashMap::new();
    for entry in entries {
        if let Some(resource) = entry.resource {
            visit(resource, &mut |link, text| {
                if link == Link::Reference && matches!(reference::target(text), Target::Conditional(_)) && wanted.insert(text.to_owned()) {
                    place.insert(text.to_owned(), entry.at);
                }
            });
        }
    }
    for text in wanted {
        check_for_interrupts();
        let _entered = scratch.enter();
        let at = place.get(&text).copied().unwrap_or_default();
        let Target::Conditional(ty) = reference::target(&text) else { continue };
        let criteria = text.split_once('?').map_or("", |(_, criteria)| criteria);
        let found = connected(|spi| conditional::one(spi, lake, ty, criteria)).map_err(|error| error.in_entry(at))?;
        let id = match found {
            Some(stored) => stored.id,
            None => match own_matches(&text, ty, entries, plans).as_slice() {
                [one] => one.clone(),
                [] => return Err(Error::new("23503", "a conditional reference matches nothing").in_entry(at)),
                _ => return Err(Error::new("FH412", "a conditional reference matches several resources of the transaction").in_entry(at)),
            },
        };
        links.insert(text, format!("{}/{id}", ty.name()));
    }
    Ok(())
}

/// The ids of the resources of the transaction that meet a condition.
fn own_matches(text: &str, ty: TypeId, entries: &[Entry], plans: &HashMap<usize, Plan>) -> Vec<String> {
    let Ok(query) = Query::parse(text) else { return Vec::new() };
    let of_type = entries.iter().filter_map(|entry| Some((entry.resource?, plans.get(&entry.at)?)));
    of_type
        .filter(|(resource, _)| resource.get("resourceType").and_then(Node::as_str) == Some(ty.name()))
        .filter(|(resource, _)| Keys::read(&index::stamp(*resource).keys).is_some_and(|keys| query.matches(keys)))
        .map(|(_, plan)| plan.id().to_owned())
        .collect()
}

/// <https://hl7.org/fhir/R4/http.html#transaction-response>
fn response(kind: Kind, answers: &[Answer]) -> Result<Vec<u8>, Error> {
    let text = |text: String| Item::String(Cow::Owned(text));
    let entries = answers.iter().map(|answer| {
        let mut response: Vec<(Cow<str>, Item)> = vec![("status".into(), text(status_line(answer.status)))];
        response.extend(answer.location.clone().map(|location| ("location".into(), text(location))));
        response.extend(answer.version.map(|version| ("etag".into(), text(entity_tag(version)))));
        response.extend(answer.modified.map(|at| ("lastModified".into(), text(instant(at)))));
        let mut members: Vec<(Cow<str>, Item)> = Vec::new();
        if let Some(node) = answer.body.as_deref().and_then(json::root) {
            let is_outcome = node.get("resourceType").and_then(Node::as_str) == Some("OperationOutcome");
            if is_outcome { response.push(("outcome".into(), Item::Node(node))) } else { members.push(("resource".into(), Item::Node(node))) }
        }
        members.push(("response".into(), Item::Object(response)));
        Item::Object(members)
    });
    let ty = match kind {
        Kind::Batch => "batch-response",
        Kind::Transaction => "transaction-response",
    };
    let mut members: Vec<(Cow<str>, Item)> = vec![("resourceType".into(), text("Bundle".to_owned())), ("type".into(), text(ty.to_owned()))];
    let entries: Vec<Item> = entries.collect();
    if !entries.is_empty() {
        members.push(("entry".into(), Item::Array(entries)));
    }
    Ok(json::write(&Item::Object(members))?)
}
