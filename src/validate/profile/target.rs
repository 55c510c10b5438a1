//! What references point at: <https://hl7.org/fhir/R4/references.html>, <https://hl7.org/fhir/R4/bundle.html#references>.

use super::rule::{Rule, Target};
use super::walk::{At, Flow, GO_ON, Item, Walk};
use super::{Context, Profile};
use crate::json::{Node, Object};
use crate::model::{self, REFERENCE, TypeId, is_a};
use crate::path::reference::{self, resource_type};
use crate::validate::Severity;
use std::collections::HashMap;

/// Where a resource stands, for what it refers to.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    /// The resource itself: `%resource`.
    pub resource: Object<'a>,
    /// The one that contains it, or itself.
    pub container: Object<'a>,
    pub is_contained: bool,
    /// The Bundle around it, and its address there.
    pub bundle: Option<Object<'a>>,
    full_url: Option<&'a str>,
}

impl<'a> Place<'a> {
    /// The place of a resource for itself; `None` for what is no object.
    pub fn outermost(resource: Node<'a>, context: &Context<'a>) -> Option<Place<'a>> {
        let resource = resource.as_object()?;
        let mut place = Place { resource, container: resource, is_contained: false, bundle: None, full_url: None };
        // In a larger one: the same place as on the way there.
        if let Some(root) = context.root.and_then(Node::as_object).filter(|root| root.address() != resource.address()) {
            place.container = root;
            let entries = root.get("entry").and_then(Node::as_array);
            let entry = entries.into_iter().flat_map(|entries| entries.iter()).filter_map(Node::as_object).find(|entry| {
                let inner = entry.get("resource").and_then(Node::as_object);
                inner.is_some_and(|inner| {
                    let contained = inner.get("contained").and_then(Node::as_array);
                    inner.address() == resource.address()
                        || contained.into_iter().flat_map(|c| c.iter()).filter_map(Node::as_object).any(|c| c.address() == resource.address())
                })
            });
            if let Some(entry) = entry {
                place.bundle = Some(root);
                place.full_url = entry.get("fullUrl").and_then(Node::as_str);
                place.container = entry.get("resource").and_then(Node::as_object).unwrap_or(resource);
            }
            place.is_contained = place.container.address() != resource.address();
        }
        Some(place)
    }

    /// The place of resources in an object of the type `ty`, before it is known which of them.
    pub fn within(self, object: Object<'a>, ty: TypeId, value: Option<Node<'a>>) -> Place<'a> {
        if is_a(ty, model::DOMAIN_RESOURCE) {
            return Place { is_contained: true, container: self.resource, ..self };
        }
        let resource = value.and_then(Node::as_object).unwrap_or(self.resource);
        let is_bundle = self.resource.get("entry").is_some();
        let bundle = if is_bundle { Some(self.resource) } else { None };
        Place { resource, container: resource, is_contained: false, bundle, full_url: object.get("fullUrl").and_then(Node::as_str) }
    }

    /// The place of the resource around this one, or the same.
    pub fn around(self) -> Place<'a> {
        match (self.is_contained, self.bundle) {
            (true, _) => Place { resource: self.container, is_contained: false, ..self },
            (false, Some(bundle)) => Place { resource: bundle, container: bundle, is_contained: false, bundle: None, full_url: None },
            (false, None) => self,
        }
    }

    fn of_entry(bundle: Object<'a>, resource: Object<'a>, full_url: Option<&'a str>) -> Place<'a> {
        Place { resource, container: resource, is_contained: false, bundle: Some(bundle), full_url }
    }
}

impl<'a> Walk<'a, '_> {
    /// The resource that a Reference or its text points at, where it is in the same document.
    fn found(&mut self, text: &str) -> Option<(Object<'a>, Place<'a>)> {
        let place = self.place;
        if let Some(id) = text.strip_prefix('#') {
            if id.is_empty() {
                return Some((place.container, Place { resource: place.container, is_contained: false, ..place }));
            }
            let contained = place.container.get("contained")?.as_array()?;
            let target = contained.iter().filter_map(Node::as_object).find(|c| c.get("id").and_then(Node::as_str) == Some(id))?;
            return Some((target, Place { resource: target, is_contained: true, ..place }));
        }
        let bundle = place.bundle?;
        let text = text.split_once("/_history/").map_or(text, |(text, _)| text);
        let entries = self.entries.entry(bundle.address()).or_insert_with(|| entries(bundle));
        let target = match reference::target(text) {
            reference::Target::Literal { base: "", ty, id, .. } => {
                let base = place.full_url.and_then(|url| match reference::target(url) {
                    reference::Target::Literal { base, .. } => Some(base),
                    _ => None,
                });
                base.and_then(|base| entries.get(&format!("{base}/{text}"))).or_else(|| entries.get(&format!("{}/{id}", ty.name())))
            }
            _ => entries.get(text),
        };
        target.map(|(url, resource)| (*resource, Place::of_entry(bundle, *resource, *url)))
    }

    /// What `resolve()` gives: the resource with its place, or where only its type is known, an item of that type without a value.
    pub fn resolved(&mut self, item: Item<'a>) -> Option<(Item<'a>, Place<'a>)> {
        let value = item.value?;
        let text = value.as_str().or_else(|| value.get("reference").and_then(Node::as_str));
        if let Some((object, place)) = text.and_then(|text| self.found(text)) {
            return Some((Item::resource(Node::Object(object)), place));
        }
        let ty = text.and_then(|text| reference::target(text).ty()).or_else(|| value.get("type").and_then(Node::as_str).and_then(resource_type))?;
        Some((Item { value: None, sibling: None, ty }, self.place))
    }

    /// What a Reference points at must be one of the targets. Of resources elsewhere only the type is known.
    pub fn reference(&mut self, profile: &Profile, rule: &Rule, targets: &[Target], item: Item<'a>, at: &At) -> Flow {
        if item.ty != REFERENCE {
            return GO_ON;
        }
        let Some((target, place)) = self.resolved(item) else { return GO_ON };
        let mut unknown = false;
        let mut fitting = Vec::new();
        for allowed in targets {
            match allowed.ty {
                Some(ty) if is_a(target.ty, ty) => return GO_ON,
                Some(_) => {}
                None => match self.profile(&allowed.url) {
                    Some(other) if is_a(target.ty, other.ty) => fitting.push(other),
                    Some(_) => {}
                    None => unknown = true,
                },
            }
        }
        if fitting.is_empty() {
            if unknown {
                return GO_ON;
            }
            let names: Vec<_> = targets.iter().map(|target| target.ty.map_or(&*target.url, |ty| ty.name())).collect();
            let details = format!("may not refer to {}, only to {}", target.ty.name(), names.join(", "));
            return self.tell(Severity::Error, "value", at, &rule.id, Some(profile), details);
        }
        if target.value.is_none() {
            return GO_ON;
        }
        let before = std::mem::replace(&mut self.place, place);
        let mut holds = false;
        for other in &fitting {
            let root = At { parent: None, name: target.ty.name(), index: None };
            holds = self.probe(|walk| walk.conform(other, target, &root))?;
            if holds {
                break;
            }
        }
        self.place = before;
        if holds || unknown {
            return GO_ON;
        }
        let names: Vec<_> = fitting.iter().map(|other| &*other.url).collect();
        let details = format!("refers to a resource that does not conform to {} ({})", names.join(" or "), self.cause());
        self.tell(Severity::Error, "structure", at, &rule.id, Some(profile), details)
    }
}

/// The resources of a Bundle by their addresses, and by type and id.
fn entries(bundle: Object<'_>) -> HashMap<String, (Option<&str>, Object<'_>)> {
    let mut found = HashMap::new();
    let entries = bundle.get("entry").and_then(Node::as_array);
    for entry in entries.into_iter().flat_map(|entries| entries.iter()).filter_map(Node::as_object) {
        let Some(resource) = entry.get("resource").and_then(Node::as_object) else { continue };
        let url = entry.get("fullUrl").and_then(Node::as_str);
        if let Some(url) = url {
            found.insert(url.to_owned(), (Some(url), resource));
        }
        let text = |name: &str| resource.get(name).and_then(Node::as_str);
        if let Some((ty, id)) = text("resourceType").zip(text("id")) {
            found.entry(format!("{ty}/{id}")).or_insert((url, resource));
        }
    }
    found
}
