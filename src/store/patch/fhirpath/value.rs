//! The value that an operation brings, as an element of the right type.
//!
//! "The type of the value must be correct for the place at which it will be added/inserted": a choice takes the property of that
//! type. Where a part has parts instead of a value, they are the elements of what is made.

use super::super::error::{PatchError, excerpt};
use super::place::{fields, is_primitive, repeats, type_list};
use crate::json::{Array, Item, Node, Object};
use crate::model::{ELEMENT, Field, Kind, RESOURCE, STRING, TypeId, XHTML, is_a, type_named};
use crate::store::stamp;
use std::borrow::Cow;
use std::sync::LazyLock;

/// Levels of parts within parts.
const MAX_PARTS: usize = 100;

/// One element: the property it stands in, its value, and for a primitive what stands in `_property`.
pub struct Element<'a> {
    pub field: &'static Field,
    pub value: Option<Item<'a>>,
    pub beside: Option<Item<'a>>,
}

/// What a part holds.
enum Content<'a> {
    Value { ty: TypeId, value: Option<Node<'a>>, beside: Option<Node<'a>> },
    Resource(Node<'a>),
    Parts(Array<'a>),
}

/// The element `name` of `owner` with what the part holds.
pub fn element<'a>(owner: TypeId, name: &str, part: Object<'a>) -> Result<Element<'a>, PatchError> {
    element_at(owner, name, part, MAX_PARTS)
}

fn element_at<'a>(owner: TypeId, name: &str, part: Object<'a>, depth: usize) -> Result<Element<'a>, PatchError> {
    let fields = fields(owner, name);
    let Some(first) = fields.first().copied() else {
        return Err(PatchError::malformed(format!("{} has no element \"{}\"", owner.name(), excerpt(name))));
    };
    let wrong = |given: &str| {
        PatchError::malformed(format!("the value is of the type {given}, where {}.{} takes {}", owner.name(), excerpt(name), type_list(&fields)))
    };
    match content(part)? {
        Content::Value { ty, value, beside } => {
            let field = fields.iter().copied().find(|field| field.ty == ty);
            let field = field.or_else(|| fields.iter().copied().find(|field| fits(ty, field.ty))).ok_or_else(|| wrong(ty.name()))?;
            let is_right = |node: &Node| matches!(node, Node::Object(_)) != is_primitive(ty) && !matches!(node, Node::Array(_) | Node::Null);
            if !value.iter().all(is_right) || !beside.iter().all(|node| matches!(node, Node::Object(_))) {
                return Err(PatchError::malformed(format!("the value is not as JSON has a {}", ty.name())));
            }
            Ok(Element { field, value: value.map(Item::Node), beside: beside.map(Item::Node) })
        }
        Content::Resource(resource) => {
            let name = resource.get("resourceType").and_then(Node::as_str).ok_or_else(|| PatchError::malformed("part \"resource\" is not a FHIR resource"))?;
            let ty = stamp::resource_type(name).map_err(|refusal| PatchError::malformed(refusal.to_string()))?;
            let field = fields.iter().copied().find(|field| is_a(field.ty, RESOURCE) && is_a(ty, field.ty)).ok_or_else(|| wrong(ty.name()))?;
            Ok(Element { field, value: Some(Item::Node(resource)), beside: None })
        }
        Content::Parts(parts) => {
            if fields.len() > 1 {
                return Err(PatchError::malformed(format!("{}.{} is a choice of types, which a value of parts leaves open", owner.name(), excerpt(name)))
                    .hint(format!("name it by its type, as {}", first.name)));
            }
            if is_primitive(first.ty) {
                return Ok(Element { field: first, value: None, beside: Some(of_parts(ELEMENT, parts, depth)?) });
            }
            if first.ty.get().is_abstract {
                return Err(PatchError::malformed("a resource is given as \"resource\", not by parts"));
            }
            Ok(Element { field: first, value: Some(of_parts(first.ty, parts, depth)?), beside: None })
        }
    }
}

/// An object of that type from its elements.
fn of_parts<'a>(ty: TypeId, parts: Array<'a>, depth: usize) -> Result<Item<'a>, PatchError> {
    let depth = depth.checked_sub(1).ok_or_else(|| PatchError::malformed(format!("parts are nested deeper than {MAX_PARTS} levels")))?;
    let mut made: Vec<Element<'a>> = Vec::new();
    for part in parts.iter() {
        let part = part.as_object().ok_or_else(|| PatchError::malformed("a part is not a JSON object"))?;
        let name = part.get("name").and_then(Node::as_str).ok_or_else(|| PatchError::malformed("a part has no name"))?;
        let element = element_at(ty, name, part, depth)?;
        if !repeats(ty, element.field) && made.iter().any(|other| other.field.element == element.field.element) {
            return Err(PatchError::malformed(format!("{}.{} is given twice, and may not repeat", ty.name(), excerpt(name))));
        }
        made.push(element);
    }
    if made.is_empty() {
        return Err(PatchError::malformed(format!("no parts are given for {}", ty.name())));
    }
    // in the order in which they are first named; sorting is stable
    made.sort_by_key(|element| element.field.name);
    let mut members: Vec<(Cow<'a, str>, Item<'a>)> = Vec::new();
    let mut made = made.into_iter().peekable();
    while let Some(element) = made.next() {
        let field = element.field;
        let (mut values, mut beside) = (vec![element.value], vec![element.beside]);
        while let Some(next) = made.next_if(|next| std::ptr::eq(next.field, field)) {
            values.push(next.value);
            beside.push(next.beside);
        }
        put(&mut members, Cow::Borrowed(field.name), values, repeats(ty, field));
        put(&mut members, Cow::Owned(format!("_{}", field.name)), beside, repeats(ty, field));
    }
    Ok(Item::Object(members))
}

/// Adds a property, unless none of the items is there.
fn put<'a>(members: &mut Vec<(Cow<'a, str>, Item<'a>)>, name: Cow<'a, str>, mut items: Vec<Option<Item<'a>>>, repeats: bool) {
    if items.iter().all(Option::is_none) {
        return;
    }
    let item = if repeats {
        Item::Array(items.into_iter().map(|item| item.unwrap_or(Item::Null)).collect())
    } else {
        items.pop().flatten().unwrap_or(Item::Null)
    };
    members.push((name, item));
}

fn content<'a>(part: Object<'a>) -> Result<Content<'a>, PatchError> {
    static PARAMETER: LazyLock<Option<TypeId>> = LazyLock::new(|| type_named("Parameters.parameter"));
    let mut found: Option<Content<'a>> = None;
    let mut value_name: Option<&str> = None;
    for (key, node) in part.iter() {
        let name = key.strip_prefix('_').unwrap_or(key);
        let next = match key {
            "name" | "id" | "extension" | "modifierExtension" => continue,
            "resource" => Content::Resource(node),
            "part" => Content::Parts(node.as_array().ok_or_else(|| PatchError::malformed("\"part\" is not an array"))?),
            _ => {
                let field = PARAMETER.and_then(|parameter| parameter.get().field(name)).filter(|_| name.starts_with("value"));
                let field = field.ok_or_else(|| PatchError::malformed(format!("unknown property \"{}\" of a part", excerpt(key))))?;
                let is_beside = key.len() != name.len();
                if is_beside && !is_primitive(field.ty) {
                    return Err(PatchError::malformed(format!("unknown property \"{}\" of a part", excerpt(key))));
                }
                if value_name == Some(field.name) {
                    // the other half of a primitive
                    if let Some(Content::Value { value, beside, .. }) = &mut found {
                        *(if is_beside { beside } else { value }) = Some(node);
                    }
                    continue;
                }
                value_name = Some(field.name);
                if is_beside {
                    Content::Value { ty: field.ty, value: None, beside: Some(node) }
                } else {
                    Content::Value { ty: field.ty, value: Some(node), beside: None }
                }
            }
        };
        if found.replace(next).is_some() {
            return Err(PatchError::malformed("a part has more than one value"));
        }
    }
    found.ok_or_else(|| PatchError::malformed("a part has no value"))
}

/// Whether a value of the first type may stand where the second is declared, when it is not the very same. Types of one family of
/// primitives may stand for each other (a `code` given as `string`): what the type demands of its text, validation asks.
fn fits(given: TypeId, declared: TypeId) -> bool {
    let primitive = |ty: TypeId| ty.get().kind == Kind::Primitive;
    is_a(given, declared) || (primitive(given) && primitive(declared) && (is_a(declared, given) || family(given) == family(declared)))
        // there is no valueXhtml
        || (given == STRING && declared == XHTML)
}

/// The primitive type that a primitive type at last derives from.
fn family(mut ty: TypeId) -> TypeId {
    while let Some(base) = ty.get().base.filter(|base| is_primitive(*base)) {
        ty = base;
    }
    ty
}
