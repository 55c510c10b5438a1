//! From references to what they point at: <https://hl7.org/fhir/R4/fhirpath.html#functions> `resolve()`, and the keys of SQL on FHIR.

use super::error::Flow;
use super::item::{Beside, Element, Item};
use super::run::{Emit, Run};
use crate::json::Node;
use crate::model::{Kind, TypeId};
use crate::path::reference::{Target, resource_type, target};
use std::borrow::Cow;

impl<'a> Run<'a, '_> {
    /// The resource that a Reference, uri or canonical points at: contained, an entry of the same Bundle, what the services know,
    /// or no more than its type where the reference tells that.
    pub fn resolve(&self, item: &Item<'a>, emit: Emit<'_, 'a>) -> Flow {
        self.step()?;
        let node = item.node();
        let is_reference = matches!(node, Some(Node::Object(_)));
        let text = match node {
            Some(Node::Object(object)) => object.get("reference").and_then(Node::as_str),
            Some(Node::String(text)) => Some(text),
            _ => item.text(),
        };
        let declared = || node.filter(|_| is_reference).and_then(|n| n.get("type")).and_then(Node::as_str).and_then(resource_type);
        let Some(text) = text else { return Ok(()) };
        let target = target(text);
        if let Target::Contained(id) = target {
            return match self.contained(id) {
                Some(item) => emit(item),
                None => Ok(()),
            };
        }
        if let Some(found) = self.entry(text, target)? {
            return emit(found);
        }
        if let Some(item) = self.scope.services.resolve(text).and_then(Item::resource) {
            return emit(item);
        }
        match target.ty().or_else(declared) {
            Some(ty) => emit(Item::Element(Element { node: Node::Null, ty, beside: Beside::Nothing })),
            None => Ok(()),
        }
    }

    /// What `#id` points at; `#` is the container.
    fn contained(&self, id: &str) -> Option<Item<'a>> {
        [self.scope.resource, self.scope.root].into_iter().find_map(|container| {
            if id.is_empty() {
                return Item::resource(container);
            }
            let is = |node: &Node<'a>| node.get("id").and_then(Node::as_str) == Some(id);
            container.get("contained")?.items().find(is).and_then(Item::resource)
        })
    }

    /// An entry of the Bundle around: by its fullUrl, else by type and id.
    fn entry(&self, text: &str, target: Target<'_>) -> Result<Option<Item<'a>>, super::error::Stop> {
        let Some(entries) = self.scope.root.get("entry") else { return Ok(None) };
        let mut by_id = None;
        for entry in entries.items() {
            self.step()?;
            let Some(resource) = entry.get("resource") else { continue };
            let full = entry.get("fullUrl").and_then(Node::as_str);
            if full == Some(text) {
                return Ok(Item::resource(resource));
            }
            if by_id.is_none()
                && let Target::Literal { base: "", ty, id, .. } = target
                && resource.get("id").and_then(Node::as_str) == Some(id)
                && resource.get("resourceType").and_then(Node::as_str) == Some(ty.name())
            {
                by_id = Item::resource(resource);
            }
        }
        Ok(by_id)
    }

    /// <https://sql-on-fhir.org/ig/2.0.0/functions.html#getresourcekey--keytype>: the id.
    pub fn resource_key(&self, item: &Item<'a>, emit: Emit<'_, 'a>) -> Flow {
        let is_resource = |ty: TypeId| ty.get().kind == Kind::Resource;
        match item.as_element().filter(|e| is_resource(e.ty)).and_then(|e| e.node.get("id")) {
            Some(Node::String(id)) => emit(Item::String(Cow::Borrowed(id))),
            _ => Ok(()),
        }
    }

    /// <https://sql-on-fhir.org/ig/2.0.0/functions.html#getreferencekeyresource-type-specifier--keytype>: the id of what is referred to,
    /// where it is of the type.
    pub fn reference_key(&self, item: &Item<'a>, ty: Option<&str>, emit: Emit<'_, 'a>) -> Flow {
        let Some(Node::String(text)) = item.node().and_then(|n| n.get("reference")) else { return Ok(()) };
        match target(text) {
            Target::Literal { ty: found, id, .. } if ty.is_none_or(|ty| found.name() == ty) => emit(Item::String(Cow::Borrowed(id))),
            _ => Ok(()),
        }
    }
}
