//! A resource → the same resource with what its texts say in an extension.
//!
//! What was there is copied as it is. [`tree`] writes the findings in our own form, [`healthlake`] in that of Amazon HealthLake.

mod healthlake;
#[cfg(test)]
mod tests;
mod tree;

use std::borrow::Cow;

use crate::json::{self, Item, JsonError, Node, Object};
use crate::model;
use crate::nlp::{Entity, Interrupted, Lexicon};
use crate::notes::finding::{Wanted, member, string};
use crate::notes::text::{Text, texts};

/// URL of the extension in our own form.
pub const FINDINGS: &str = "http://fhirlake.org/fhir/StructureDefinition/findings";

/// Findings that are put into one resource.
pub const MAX_FINDINGS: usize = 100_000;

/// How findings are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Fhirlake,
    HealthLake,
}

impl Form {
    pub fn from_name(name: &str) -> Option<Form> {
        match name {
            "fhirlake" => Some(Form::Fhirlake),
            "healthlake" => Some(Form::HealthLake),
            _ => None,
        }
    }

    /// URL of the extension.
    pub fn url(self) -> &'static str {
        match self {
            Form::Fhirlake => FINDINGS,
            Form::HealthLake => healthlake::URL,
        }
    }
}

/// Why a resource was not enriched.
#[derive(Debug)]
pub enum EnrichError {
    Interrupted,
    Json(JsonError),
}

impl From<Interrupted> for EnrichError {
    fn from(_: Interrupted) -> EnrichError {
        EnrichError::Interrupted
    }
}

impl From<JsonError> for EnrichError {
    fn from(error: JsonError) -> EnrichError {
        EnrichError::Json(error)
    }
}

/// A text with what was found in it.
pub struct Reading<'a> {
    pub text: Text<'a>,
    pub found: Vec<Entity>,
    /// not all that was found is there
    pub is_cut: bool,
}

/// Reads all texts of a resource; of each at most what is wanted, and of all at most [`MAX_FINDINGS`].
pub fn read<'a>(resource: Node<'a>, wanted: &Wanted, lexicon: &Lexicon, interrupted: &dyn Fn() -> bool) -> Result<Vec<Reading<'a>>, Interrupted> {
    let mut room = MAX_FINDINGS;
    texts(resource, interrupted)?
        .into_iter()
        .map(|text| {
            let mut found = Vec::new();
            text.entities(lexicon, interrupted, &mut |part| {
                found.extend(part.drain(..).filter(|entity| wanted.takes(entity)));
                found.len() <= room
            })?;
            let is_cut = found.len() > room;
            found.truncate(room);
            room -= found.len();
            Ok(Reading { text, found, is_cut })
        })
        .collect()
}

/// The resource with its findings, in place of those that it had in the same form; `None` where nothing changes, because it has no text or
/// cannot have extensions.
pub fn enrich(resource: Node<'_>, form: Form, wanted: &Wanted, lexicon: &Lexicon, interrupted: &dyn Fn() -> bool) -> Result<Option<Vec<u8>>, EnrichError> {
    let Node::Object(object) = resource else { return Ok(None) };
    if !can_extend(object) {
        return Ok(None);
    }
    let readings = read(resource, wanted, lexicon, interrupted)?;
    let tree = if readings.is_empty() {
        None
    } else {
        Some(match form {
            Form::Fhirlake => tree::tree(&readings, lexicon, interrupted)?,
            Form::HealthLake => healthlake::tree(&readings, lexicon, interrupted)?,
        })
    };
    with_extension(object, form.url(), tree.as_deref()).map_err(EnrichError::Json)
}

/// Asks now and then, by the number of a finding, whether to stop.
fn ask(number: usize, interrupted: &dyn Fn() -> bool) -> Result<(), Interrupted> {
    if number.is_multiple_of(256) && interrupted() { Err(Interrupted) } else { Ok(()) }
}

/// Whether the definition of its type has extensions: not of Bundle, Binary, Parameters.
fn can_extend(object: Object<'_>) -> bool {
    let ty = object.get("resourceType").and_then(Node::as_str).and_then(model::type_named);
    ty.is_some_and(|ty| ty.is_concrete_resource() && ty.get().field("extension").is_some())
}

/// Replaces the extensions with that URL by one, a container; all else is copied.
fn with_extension(object: Object<'_>, url: &str, tree: Option<&[u8]>) -> Result<Option<Vec<u8>>, JsonError> {
    let is_ours = |node: &Node<'_>| node.get("url").and_then(Node::as_str) == Some(url);
    let before: Vec<Node<'_>> = object.get("extension").map(|e| e.items().collect()).unwrap_or_default();
    if tree.is_none() && !before.iter().any(is_ours) {
        return Ok(None);
    }
    let mut extensions: Vec<Item<'_>> = before.into_iter().filter(|node| !is_ours(node)).map(Item::Node).collect();
    extensions.extend(tree.and_then(json::root).map(Item::Node));
    let mut members: Vec<(Cow<'_, str>, Item<'_>)> =
        object.iter().filter(|(name, _)| *name != "extension").map(|(name, value)| (Cow::Borrowed(name), Item::Node(value))).collect();
    if !extensions.is_empty() {
        members.push(member("extension", Item::Array(extensions)));
    }
    json::write(&Item::Object(members)).map(Some)
}

/// `{"url": …, "valueX": …}`
fn value<'a>(url: &'static str, ty: &'static str, value: Item<'a>) -> Item<'a> {
    Item::Object(vec![member("url", string(url)), member(ty, value)])
}

/// `{"url": …, "extension": […]}`
fn group<'a>(url: &'static str, parts: Vec<Item<'a>>) -> Item<'a> {
    Item::Object(vec![member("url", string(url)), member("extension", Item::Array(parts))])
}

/// An empty value is none in FHIR, nor is one of spaces.
fn text<'a>(url: &'static str, words: Cow<'a, str>) -> Option<Item<'a>> {
    (!words.trim().is_empty()).then(|| value(url, "valueString", Item::String(words)))
}
