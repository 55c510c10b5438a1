//! What the stored resources of a type are like: which elements occur, how often, with which values.
//!
//! One walk over each resource, in place, into a tree of the paths that were met. The tree is bounded, and so is what is kept for
//! each of its places, so that memory does not depend on the number of resources or on what is in them.

mod distinct;
mod propose;
#[cfg(feature = "pg")]
mod sql;
#[cfg(test)]
mod tests;
mod values;

pub use propose::{Asked, ProposeError, propose};
pub use values::Summary;

use crate::json::{Node, Object};
use crate::model::{ELEMENT, EXTENSION, Kind, REFERENCE, RESOURCE, TypeId};
use crate::path::reference::{resource_type, type_in};
use std::borrow::Cow;
use std::collections::HashMap;
use values::Values;

/// Places that are told apart.
pub const MAX_PLACES: usize = 4_000;

/// Levels below the resource that are walked.
pub const MAX_DEPTH: usize = 64;

/// The longest name of a property, and url of an extension, that makes a place of its own.
const MAX_NAME: usize = 256;

/// The paths that were met in resources of one type.
pub struct Profile {
    /// The first is the resource itself; each stands behind the one that it is in.
    places: Vec<Place>,
    left_out: u64,
    resources: u64,
}

/// Index into the places of a profile.
type At = usize;

/// One path.
struct Place {
    within: At,
    step: Step,
    /// None where the definitions do not have it.
    ty: Option<TypeId>,
    /// By property.
    children: HashMap<Box<str>, At>,
    /// The same elements by what tells them apart: extensions by url, resources by type.
    parts: HashMap<Box<str>, At>,
    resources: u64,
    occurrences: u64,
    most: u64,
    /// In the resource of that number.
    here: (u64, u64),
    values: Option<Box<Values>>,
}

/// How a place lies in the one that it is within.
enum Step {
    Resource,
    /// A property of the JSON.
    Property(Box<str>),
    /// `extension` with that url.
    Url(Box<str>),
    /// A contained resource of that type.
    Type(TypeId),
}

/// What is told of a path.
#[derive(Debug, PartialEq)]
pub struct Row {
    /// As stored, without indexes: `valueQuantity.value`.
    pub path: String,
    /// In FHIRPath: `value.ofType(Quantity).value`. None for what the definitions do not have.
    pub expression: Option<String>,
    /// Its FHIR type.
    pub ty: Option<&'static str>,
    /// In how many resources it is.
    pub resources: u64,
    /// How often it is in all of them.
    pub occurrences: u64,
    /// How often it is in the one that has most.
    pub most: u64,
    /// Of what has values itself.
    pub values: Option<Summary>,
}

impl Profile {
    /// Of resources of that type.
    pub fn new(ty: TypeId) -> Profile {
        Profile { places: vec![Place::new(0, Step::Resource, Some(ty))], left_out: 0, resources: 0 }
    }

    /// How many there were.
    pub fn resources(&self) -> u64 {
        self.resources
    }

    /// How many elements and values were in places beyond the bounds.
    pub fn left_out(&self) -> u64 {
        self.left_out
    }

    /// Walks a resource.
    pub fn add(&mut self, resource: Node<'_>) {
        let Some(object) = resource.as_object() else { return };
        self.resources += 1;
        self.count(0);
        self.members(0, object, MAX_DEPTH);
    }

    fn members(&mut self, at: At, object: Object<'_>, depth: usize) {
        // what the path says already
        let told = match self.places[at].step {
            Step::Resource | Step::Type(_) => "resourceType",
            Step::Url(_) => "url",
            Step::Property(_) => "",
        };
        for (key, value) in object.iter().filter(|(key, _)| *key != told) {
            match self.child(at, key) {
                Some(child) if depth > 0 => self.value(child, value, depth - 1),
                _ => self.left_out += 1,
            }
        }
    }

    fn value(&mut self, at: At, value: Node<'_>, depth: usize) {
        match value {
            Node::Array(array) => {
                for item in array.iter() {
                    match item {
                        Node::Array(_) if depth == 0 => self.left_out += 1,
                        item => self.value(at, item, depth.saturating_sub(1)),
                    }
                }
            }
            // holds the place of a primitive that has extensions only
            Node::Null => {}
            Node::Object(object) => {
                self.count(at);
                match self.part(at, object) {
                    Some(Some(part)) => {
                        self.count(part);
                        self.members(part, object, depth);
                    }
                    Some(None) => self.left_out += 1,
                    None => self.members(at, object, depth),
                }
            }
            scalar => {
                self.count(at);
                let is_reference = self.is_reference(at);
                let place = &mut self.places[at];
                let values = place.values.get_or_insert_default();
                values.add(scalar, place.ty);
                if let (true, Node::String(text)) = (is_reference, scalar) {
                    values.add_target(text);
                }
            }
        }
    }

    /// Whether a place is `Reference.reference`.
    fn is_reference(&self, at: At) -> bool {
        let place = &self.places[at];
        matches!(&place.step, Step::Property(name) if &**name == "reference") && self.places[place.within].ty == Some(REFERENCE)
    }

    fn count(&mut self, at: At) {
        let number = self.resources;
        let place = &mut self.places[at];
        place.occurrences += 1;
        if place.here.0 != number {
            place.here = (number, 0);
            place.resources += 1;
        }
        place.here.1 += 1;
        place.most = place.most.max(place.here.1);
    }

    /// The place of a property; none where there is no room for it.
    fn child(&mut self, at: At, key: &str) -> Option<At> {
        let place = &self.places[at];
        if let Some(child) = place.children.get(key) {
            return Some(*child);
        }
        let ty = place.ty.and_then(|ty| match key.strip_prefix('_') {
            Some(primitive) => ty.get().field(primitive).filter(|field| field.ty.get().kind == Kind::Primitive).map(|_| ELEMENT),
            None => type_in(ty, key),
        });
        let child = self.make(at, key, Step::Property(key.into()), ty)?;
        self.places[at].children.insert(key.into(), child);
        Some(child)
    }

    /// Where the members of an object count that are told apart by more than their property. The inner `None` stands for one that there
    /// is no room for.
    fn part(&mut self, at: At, object: Object<'_>) -> Option<Option<At>> {
        let place = &self.places[at];
        let (name, ty) = match place.ty? {
            EXTENSION => (object.get("url")?.as_str()?, Some(EXTENSION)),
            RESOURCE => {
                let name = object.get("resourceType")?.as_str()?;
                (name, Some(resource_type(name)?))
            }
            _ => return None,
        };
        if let Some(part) = place.parts.get(name) {
            return Some(Some(*part));
        }
        let step = match ty {
            Some(ty) if ty != EXTENSION => Step::Type(ty),
            _ => Step::Url(name.into()),
        };
        let Some(part) = self.make(at, name, step, ty) else { return Some(None) };
        self.places[at].parts.insert(name.into(), part);
        Some(Some(part))
    }

    fn make(&mut self, within: At, name: &str, step: Step, ty: Option<TypeId>) -> Option<At> {
        if self.places.len() >= MAX_PLACES || name.len() > MAX_NAME {
            return None;
        }
        self.places.push(Place::new(within, step, ty));
        Some(self.places.len() - 1)
    }

    /// A row for each path, the resource itself first, each before what is in it, in the order of the definitions.
    pub fn rows(&self) -> Vec<Row> {
        let mut rows = Vec::new();
        // what is still to be told, the next one last
        let mut open = vec![0];
        while let Some(at) = open.pop() {
            rows.push(self.row(at));
            open.extend(self.inside(at).into_iter().rev());
        }
        rows
    }

    /// The places within one, in the order of the definitions.
    fn inside(&self, at: At) -> Vec<At> {
        let place = &self.places[at];
        let mut inside: Vec<At> = place.children.values().chain(place.parts.values()).copied().collect();
        inside.sort_by_cached_key(|child| self.order(at, *child));
        inside
    }

    /// Parts before members, members as the definitions have them, then what they do not have.
    fn order(&self, at: At, child: At) -> (u16, String, bool) {
        match &self.places[child].step {
            Step::Resource => (0, String::new(), false),
            Step::Url(url) => (0, url.to_string(), false),
            Step::Type(ty) => (0, ty.name().to_owned(), false),
            Step::Property(key) => {
                let name = key.strip_prefix('_').unwrap_or(key);
                let field = self.places[at].ty.and_then(|ty| ty.get().field(name));
                (field.map_or(u16::MAX, |field| field.element + 1), name.to_owned(), name.len() < key.len())
            }
        }
    }

    fn row(&self, at: At) -> Row {
        let place = &self.places[at];
        Row {
            path: self.path(at),
            expression: self.expression(at),
            ty: place.ty.map(type_name),
            resources: place.resources,
            occurrences: place.occurrences,
            most: place.most,
            values: place.values.as_ref().map(|values| values.summary()),
        }
    }

    /// From the resource to a place, without the resource.
    fn way(&self, at: At) -> Vec<At> {
        let mut way = Vec::new();
        let mut at = at;
        while at > 0 {
            way.push(at);
            at = self.places[at].within;
        }
        way.reverse();
        way
    }

    /// As stored; that of the resource is its type.
    fn path(&self, at: At) -> String {
        let mut path = String::new();
        for at in self.way(at) {
            match &self.places[at].step {
                Step::Resource => {}
                Step::Property(key) => {
                    path.push_str(if path.is_empty() { "" } else { "." });
                    path.push_str(key);
                }
                Step::Url(url) => path.push_str(&format!("('{url}')")),
                Step::Type(ty) => path.push_str(&format!(".ofType({})", ty.name())),
            }
        }
        if path.is_empty() { self.places[0].ty.map(type_name).unwrap_or_default().to_owned() } else { path }
    }

    /// In FHIRPath.
    fn expression(&self, at: At) -> Option<String> {
        let mut expression = String::new();
        for at in self.way(at) {
            self.places[at].ty?;
            let step = self.in_fhirpath(at);
            expression.push_str(if expression.is_empty() || step.starts_with('(') { "" } else { "." });
            expression.push_str(&step);
        }
        Some(if expression.is_empty() { self.path(at) } else { expression })
    }

    /// The last step to a place, in FHIRPath.
    fn in_fhirpath(&self, at: At) -> Cow<'_, str> {
        let place = &self.places[at];
        let key = match &place.step {
            Step::Resource => return "".into(),
            Step::Url(url) => return format!("('{}')", url.replace('\\', "\\\\").replace('\'', "\\'")).into(),
            Step::Type(ty) => return format!("ofType({})", ty.name()).into(),
            Step::Property(key) => key.strip_prefix('_').unwrap_or(key),
        };
        let field = self.places[place.within].ty.and_then(|ty| Some((ty, ty.get().field(key)?)));
        match field.and_then(|(ty, field)| Some((ty.get().elements.get(usize::from(field.element))?, field))) {
            Some((element, field)) if element.is_choice => format!("{}.ofType({})", element.name, field.ty.name()).into(),
            // words of the language itself
            _ if matches!(key, "div" | "mod" | "and" | "or" | "xor" | "implies" | "true" | "false") => format!("`{key}`").into(),
            _ => key.into(),
        }
    }

    /// Whether the definitions let it stand there more than once.
    fn repeats(&self, at: At) -> bool {
        let place = &self.places[at];
        match &place.step {
            Step::Resource => false,
            Step::Url(_) | Step::Type(_) => true,
            Step::Property(key) => {
                let ty = self.places[place.within].ty.map(TypeId::get);
                let element = ty.and_then(|ty| ty.elements.get(usize::from(ty.field(key.strip_prefix('_').unwrap_or(key))?.element)));
                element.is_some_and(|element| element.max > 1)
            }
        }
    }
}

impl Place {
    fn new(within: At, step: Step, ty: Option<TypeId>) -> Place {
        Place {
            within,
            step,
            ty,
            children: HashMap::new(),
            parts: HashMap::new(),
            resources: 0,
            occurrences: 0,
            most: 0,
            here: (0, 0),
            values: None,
        }
    }
}

/// The name of a type; that of a nested element is what it derives from.
fn type_name(ty: TypeId) -> &'static str {
    match ty.get().kind {
        Kind::Backbone => ty.get().base.map_or("BackboneElement", TypeId::name),
        _ => ty.name(),
    }
}
