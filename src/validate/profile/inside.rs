//! The resources within a resource, and its extensions: walks by the base definitions.

use super::Profile;
use super::walk::{At, Flow, GO_ON, Item, Walk};
use crate::json::{Node, Object};
use crate::model::{EXTENSION, Kind, RESOURCE, TYPES, TypeId, is_a};
use crate::path::reference::resource_type;
use crate::validate::shape::{Content, Shape};
use crate::validate::{MAX_DEPTH, Severity};
use std::sync::{Arc, LazyLock};

/// A resource within another one.
#[derive(Clone, Debug)]
pub struct Within<'a> {
    pub resource: Node<'a>,
    /// `Bundle.entry[0].resource.contained[1]`; the type of the resource for the outermost.
    pub expression: String,
}

/// A resource and all those within it: contained ones, and those of a Bundle or of Parameters.
pub fn resources(resource: Node<'_>) -> Vec<Within<'_>> {
    let mut found = Vec::new();
    if let Some(ty) = resource.get("resourceType").and_then(Node::as_str).and_then(resource_type) {
        found.push(Within { resource, expression: ty.name().to_owned() });
        gather(resource, ty, ty.name(), 0, &mut found);
    }
    found
}

fn gather<'a>(node: Node<'a>, ty: TypeId, at: &str, depth: usize, found: &mut Vec<Within<'a>>) {
    if depth >= MAX_DEPTH {
        return;
    }
    for field in ty.get().fields.iter().filter(|field| field.ty == RESOURCE || holds_resources(field.ty)) {
        let Some(value) = node.get(field.name) else { continue };
        let repeats = matches!(value, Node::Array(_));
        for (i, item) in value.items().enumerate() {
            let expression = if repeats { format!("{at}.{}[{i}]", field.name) } else { format!("{at}.{}", field.name) };
            let ty = if field.ty == RESOURCE { item.get("resourceType").and_then(Node::as_str).and_then(resource_type) } else { Some(field.ty) };
            let Some(ty) = ty else { continue };
            if field.ty == RESOURCE {
                found.push(Within { resource: item, expression: expression.clone() });
            }
            gather(item, ty, &expression, depth + 1, found);
        }
    }
}

/// Whether values of a type can have resources in them, other than by being resources.
fn holds_resources(ty: TypeId) -> bool {
    static HOLDERS: LazyLock<Vec<bool>> = LazyLock::new(|| {
        let mut holders = vec![false; TYPES.len()];
        loop {
            let mut changed = false;
            for (i, ty) in TYPES.iter().enumerate().filter(|(_, ty)| matches!(ty.kind, Kind::Backbone | Kind::Complex)) {
                let holds = ty.fields.iter().any(|field| field.ty == RESOURCE || holders.get(usize::from(field.ty.0)) == Some(&true));
                if holds && let Some(known) = holders.get_mut(i).filter(|known| !**known) {
                    *known = true;
                    changed = true;
                }
            }
            if !changed {
                return holders;
            }
        }
    });
    HOLDERS.get(usize::from(ty.0)) == Some(&true)
}

/// An element that may have extensions, with those around it.
pub(super) struct Host<'a, 'p> {
    pub parent: Option<&'p Host<'a, 'p>>,
    /// The names of the element and of its JSON property.
    pub name: &'p str,
    pub property: &'p str,
    pub ty: TypeId,
    pub value: Option<Node<'a>>,
    pub sibling: Option<Object<'a>>,
    /// Of an extension.
    pub url: Option<&'a str>,
}

/// What is to be done with each resource.
#[derive(Clone, Copy)]
struct Todo {
    profiles: bool,
}

/// A resource with all within it: what each says in `meta.profile`, `more` for the outermost, and all extensions.
pub(super) fn all<'a>(walk: &mut Walk<'a, '_>, resource: Node<'a>, more: &[Arc<Profile>], at: &At) -> Flow {
    let item = Item::resource(resource);
    for profile in more {
        walk.conform(profile, item, at)?;
    }
    walk.nested(resource, Todo { profiles: true }, at, 0)
}

/// The extensions of a resource and of all within it.
pub(super) fn extensions_of<'a>(walk: &mut Walk<'a, '_>, resource: Node<'a>, at: &At) -> Flow {
    walk.nested(resource, Todo { profiles: false }, at, 0)
}

impl<'a> Walk<'a, '_> {
    fn nested(&mut self, resource: Node<'a>, todo: Todo, at: &At, depth: usize) -> Flow {
        let item = Item::resource(resource);
        let (Some(object), false) = (item.fields(), item.ty == RESOURCE) else { return GO_ON };
        if todo.profiles {
            self.claimed(item, object, at)?;
        }
        let name = item.ty.name();
        let host = Host { parent: None, name, property: name, ty: item.ty, value: Some(resource), sibling: None, url: None };
        self.elements(object, item.ty, &host, None, todo, at, depth)
    }

    /// What a resource itself says that it conforms to.
    fn claimed(&mut self, item: Item<'a>, object: Object<'a>, at: &At) -> Flow {
        let Some(claims) = object.get("meta").and_then(|meta| meta.get("profile")).and_then(Node::as_array) else { return GO_ON };
        for (i, canonical) in claims.iter().enumerate() {
            let Some(canonical) = canonical.as_str() else { continue };
            if let Some(ty) = super::core_type(canonical) {
                if !is_a(item.ty, ty) {
                    self.tell(Severity::Error, "structure", at, "structure", None, format!("claims to be a {}", ty.name()))?;
                }
                continue;
            }
            match self.profile(canonical) {
                Some(profile) => self.conform(&profile, item, at)?,
                None => {
                    let meta = At { parent: Some(at), name: "meta", index: None };
                    let here = At { parent: Some(&meta), name: "profile", index: Some(i) };
                    let details = format!("the profile {} is not known, so it was not checked", canonical.chars().take(256).collect::<String>());
                    self.tell(Severity::Warning, "not-found", &here, "structure", None, details)?;
                }
            }
        }
        GO_ON
    }

    /// All elements of an object; `definition` is that of the extension that it is.
    #[allow(clippy::too_many_arguments)]
    fn elements(&mut self, object: Object<'a>, ty: TypeId, host: &Host<'a, '_>, definition: Option<&Profile>, todo: Todo, at: &At, depth: usize) -> Flow {
        if depth >= MAX_DEPTH {
            return self.tell(Severity::Fatal, "too-costly", at, "structure", None, format!("nested deeper than {MAX_DEPTH} levels"));
        }
        let shape = Shape::of(ty);
        for (key, value) in object.iter() {
            let (property, beside) = key.strip_prefix('_').map_or((key, false), |name| (name, true));
            let Some(rule) = shape.rule(property) else { continue };
            let inner = match rule.content {
                Content::Primitive(_) if beside => rule.field.ty,
                Content::Primitive(_) => continue,
                Content::Complex(ty) => ty,
                Content::Resource => {
                    let place = self.place;
                    for (i, item) in value.items().enumerate() {
                        let at = At { parent: Some(at), name: rule.element, index: rule.repeats.then_some(i) };
                        let around = place.within(object, ty, Some(item));
                        self.place = around;
                        if let Some(resource) = item.as_object() {
                            self.place.resource = resource;
                        }
                        self.nested(item, todo, &at, depth + 1)?;
                    }
                    self.place = place;
                    continue;
                }
            };
            let is_extension = inner == EXTENSION && rule.element != "value";
            let values = if beside { object.get(property) } else { None };
            for (i, item) in value.items().enumerate() {
                let Some(fields) = item.as_object() else { continue };
                let at = At { parent: Some(at), name: rule.element, index: rule.repeats.then_some(i) };
                let mut known = None;
                if is_extension {
                    known = match self.extension(fields, rule.element == "modifierExtension", host, definition, &at) {
                        Ok(known) => known,
                        Err(flow) => return flow,
                    };
                }
                let value = if beside { values.and_then(|values| values.items().nth(i)) } else { Some(item) };
                let inside = Host {
                    parent: Some(host),
                    name: rule.element,
                    property: rule.name,
                    ty: inner,
                    value,
                    sibling: beside.then_some(fields),
                    url: if inner == EXTENSION { fields.get("url").and_then(Node::as_str) } else { None },
                };
                let ty = if beside { crate::model::ELEMENT } else { inner };
                self.elements(fields, ty, &inside, known.as_deref(), todo, &at, depth + 1)?;
            }
        }
        GO_ON
    }
}
