//! The part of a resource that `_summary` or `_elements` asks for.
//! <https://hl7.org/fhir/R4/search.html#summary>, <https://hl7.org/fhir/R4/search.html#elements>

use crate::json::{self, Item, JsonError, Node, Object};
use crate::model::{BACKBONE_ELEMENT, CODING, DOMAIN_RESOURCE, Element, Field, Kind, META, NARRATIVE, TYPES, Type, TypeId, is_a, resource_types, type_named};
use std::borrow::Cow;
use std::sync::LazyLock;

/// How much of each resource an answer carries.
#[derive(Debug, PartialEq, Clone, Default)]
pub enum Shape {
    /// `_summary=false`
    #[default]
    Whole,
    /// `_summary=true`: what the definitions mark as summary, at every level.
    Summary,
    /// `_summary=text`: text, id, meta and the mandatory elements.
    Text,
    /// `_summary=data`: everything but text.
    Data,
    /// `_elements`: these, and id, meta, mandatory and modifier elements. `name`, or `Patient.name` for that type only.
    Elements(Vec<String>),
}

/// What marks an incomplete resource, so that nobody writes it back as a whole one.
pub const TAG_SYSTEM: &str = "http://terminology.hl7.org/CodeSystem/v3-ObservationValue";
pub const TAG_CODE: &str = "SUBSETTED";

/// Levels that the summary follows. What lies deeper is copied whole, so that no stored resource makes a search fail.
const MAX_DEPTH: usize = 200;

type Members<'a> = Vec<(Cow<'a, str>, Item<'a>)>;

/// The container of what the shape leaves of a resource, tagged as incomplete unless that is all of it.
/// What is not an object stays as it is; of a resource whose type is unknown stays what every resource has.
pub fn project(resource: Node<'_>, shape: &Shape) -> Result<Vec<u8>, JsonError> {
    let Node::Object(object) = resource else { return json::write(&Item::Node(resource)) };
    let ty = type_of(object).unwrap_or(DOMAIN_RESOURCE);
    let mut members = match shape {
        Shape::Whole => return json::write(&Item::Node(resource)),
        Shape::Elements(names) if !names.iter().any(|name| concerns(name, ty)) && !names.is_empty() => {
            return json::write(&Item::Node(resource));
        }
        Shape::Summary => summary(object, ty, MAX_DEPTH),
        Shape::Data => copied(object, |key| field(ty, key).is_none_or(|f| f.ty != NARRATIVE)),
        Shape::Text => copied(object, |key| {
            let wanted = |f: &'static Field| f.ty == NARRATIVE || is_always_kept(element_of(ty.get(), f));
            key == "resourceType" || field(ty, key).is_some_and(wanted)
        }),
        Shape::Elements(names) => copied(object, |key| {
            let wanted = |f: &'static Field| {
                let element = element_of(ty.get(), f);
                is_always_kept(element) || element.is_modifier || names.iter().any(|name| is_named(name, ty, element, key))
            };
            key == "resourceType" || field(ty, key).is_some_and(wanted)
        }),
    };
    mark(object, shape, &mut members);
    json::write(&Item::Object(members))
}

/// The shape of an `_elements` list; else the elements that there are, where it names others.
/// For the abstract `Resource`, what any type has.
pub fn elements(ty: TypeId, list: &str) -> Result<Shape, Vec<String>> {
    let (shape, unknown) = known_elements(ty, list);
    if unknown.is_empty() { Ok(shape) } else { Err(ty.get().elements.iter().map(|e| e.name.to_owned()).collect()) }
}

/// The shape of what an `_elements` list names and the type has, and what else it names. An empty list asks for nothing.
pub fn known_elements(ty: TypeId, list: &str) -> (Shape, Vec<String>) {
    let (mut known, mut unknown, mut names_some) = (Vec::new(), Vec::new(), false);
    for name in list.split(',').map(str::trim).filter(|name| !name.is_empty()) {
        names_some = true;
        // no element, but clients name what they need of the JSON; it is always there
        if name == "resourceType" {
            continue;
        }
        match base_name(ty, name) {
            Some(base) => known.push(base),
            None => unknown.push(name.to_owned()),
        }
    }
    known.sort_unstable();
    known.dedup();
    let shape = if names_some { Shape::Elements(known) } else { Shape::Whole };
    (shape, unknown)
}

/// The name of an element as [`Shape::Elements`] holds it, from any way to spell it.
fn base_name(ty: TypeId, name: &str) -> Option<String> {
    let Some((owner, rest)) = name.split_once('.') else {
        let found = if ty.get().is_abstract { resource_types().find_map(|t| spelled(t, name)) } else { spelled(ty, name) };
        return found.map(|e| e.name.to_owned());
    };
    let owner = type_named(owner).filter(|t| t.get().kind == Kind::Resource)?;
    let found = spelled(owner, rest)?;
    Some(if is_a(ty, owner) { found.name.to_owned() } else { format!("{}.{}", owner.name(), found.name) })
}

/// The element that `value`, `value[x]` or `valueQuantity` stands for.
fn spelled(ty: TypeId, name: &str) -> Option<&'static Element> {
    let t = ty.get();
    let plain = name.strip_suffix("[x]").unwrap_or(name);
    t.elements.iter().find(|e| e.name == plain && (e.is_choice || plain == name)).or_else(|| t.field(name).map(|f| element_of(t, f)))
}

/// Whether a name of [`Shape::Elements`] is about resources of that type.
fn concerns(name: &str, ty: TypeId) -> bool {
    name.split_once('.').is_none_or(|(owner, _)| type_named(owner).is_some_and(|owner| is_a(ty, owner)))
}

fn is_named(name: &str, ty: TypeId, element: &Element, key: &str) -> bool {
    let plain = match name.split_once('.') {
        Some((_, rest)) if concerns(name, ty) => rest,
        Some(_) => return false,
        None => name,
    };
    plain.strip_suffix("[x]").unwrap_or(plain) == element.name || plain == key.strip_prefix('_').unwrap_or(key)
}

fn type_of(object: Object<'_>) -> Option<TypeId> {
    object.get("resourceType").and_then(Node::as_str).and_then(type_named).filter(|ty| ty.is_concrete_resource())
}

/// The field of a JSON property; `_birthDate` belongs to `birthDate`.
fn field(ty: TypeId, key: &str) -> Option<&'static Field> {
    let t = ty.get();
    t.field(key).or_else(|| t.field(key.strip_prefix('_')?))
}

fn element_of(t: &'static Type, field: &Field) -> &'static Element {
    &t.elements[usize::from(field.element)]
}

fn is_always_kept(element: &Element) -> bool {
    element.min > 0 || matches!(element.name, "id" | "meta")
}

/// The members with the right keys, as they are.
fn copied<'a>(object: Object<'a>, keep: impl Fn(&str) -> bool) -> Members<'a> {
    object.iter().filter(|(key, _)| keep(key)).map(|(key, value)| (Cow::Borrowed(key), Item::Node(value))).collect()
}

/// The summary of an object. Modifiers stay, also where R4 does not mark them (`modifierExtension` of resources): without them
/// the rest could mean the opposite.
fn summary<'a>(object: Object<'a>, ty: TypeId, depth: usize) -> Members<'a> {
    let t = ty.get();
    let mut members = Vec::new();
    for (key, value) in object.iter() {
        if t.kind == Kind::Resource && key == "resourceType" {
            members.push((Cow::Borrowed(key), Item::Node(value)));
        }
        let Some(field) = field(ty, key) else { continue };
        let element = element_of(t, field);
        if !element.is_summary && !element.is_modifier {
            continue;
        }
        let kept = if key.starts_with('_') { Some(Item::Node(value)) } else { summary_of(value, field.ty, depth) };
        // what holds nothing but an extension is kept where something has to stand
        if let Some(item) = kept.or((element.min > 0).then_some(Item::Node(value))) {
            members.push((Cow::Borrowed(key), item));
        }
    }
    members
}

/// The summary of a value, if it has one.
fn summary_of<'a>(value: Node<'a>, ty: TypeId, depth: usize) -> Option<Item<'a>> {
    let Some(below) = depth.checked_sub(1) else { return Some(Item::Node(value)) };
    match value {
        Node::Object(_) | Node::Array(_) if !HAS_SUMMARY[usize::from(ty.0)] => Some(Item::Node(value)),
        Node::Object(object) => {
            let ty = if ty.get().kind == Kind::Resource { type_of(object).unwrap_or(ty) } else { ty };
            Some(summary(object, ty, below)).filter(|members| !members.is_empty()).map(Item::Object)
        }
        Node::Array(array) => {
            let items: Vec<Item> = array.iter().filter_map(|item| summary_of(item, ty, below)).collect();
            (!items.is_empty()).then_some(Item::Array(items))
        }
        scalar => Some(Item::Node(scalar)),
    }
}

/// Per type, whether elements of its own are marked as summary. Where none is (`Extension`), the element that has the type
/// is in the summary as a whole.
static HAS_SUMMARY: LazyLock<Vec<bool>> = LazyLock::new(|| {
    let inherited = BACKBONE_ELEMENT.get().elements;
    let own = |e: &Element| e.is_summary && !inherited.iter().any(|i| i.name == e.name);
    TYPES.iter().map(|t| t.elements.iter().any(own)).collect()
});

/// Adds the tag to meta.
fn mark<'a>(object: Object<'a>, shape: &Shape, members: &mut Members<'a>) {
    let given = object.get("meta").and_then(Node::as_object);
    let mut meta = match given {
        Some(meta) if *shape == Shape::Summary => summary(meta, META, MAX_DEPTH),
        Some(meta) => copied(meta, |_| true),
        None => Vec::new(),
    };
    let mut tags: Vec<Item> = Vec::new();
    for tag in given.and_then(|meta| meta.get("tag")).and_then(Node::as_array).iter().flat_map(|tags| tags.iter()) {
        let is = |key, text| tag.get(key).and_then(Node::as_str) == Some(text);
        if is("system", TAG_SYSTEM) && is("code", TAG_CODE) {
            return;
        }
        tags.extend(if *shape == Shape::Summary { summary_of(tag, CODING, MAX_DEPTH) } else { Some(Item::Node(tag)) });
    }
    let coding = [("system", TAG_SYSTEM), ("code", TAG_CODE), ("display", "subsetted")];
    tags.push(Item::Object(coding.map(|(key, text)| (Cow::Borrowed(key), Item::String(Cow::Borrowed(text)))).into()));
    // of equal keys the last one counts
    meta.push((Cow::Borrowed("tag"), Item::Array(tags)));
    members.push((Cow::Borrowed("meta"), Item::Object(meta)));
}

#[cfg(test)]
#[path = "project_tests.rs"]
mod tests;
