//! The values of a resource that a rule of the model governs, and how they are reached.

use fhirlake::model::{self, Field, Kind, TypeId, type_named};
use serde_json::Value;

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Key {
    Name(String),
    Item(usize),
}

/// One value.
#[derive(Clone)]
pub struct Place {
    pub keys: Vec<Key>,
    /// The type that holds it; for a resource itself its own.
    pub parent: TypeId,
    /// `None` for the resource itself.
    pub field: Option<&'static Field>,
    pub ty: TypeId,
    /// Items of the array that holds it, when one does.
    pub items: Option<usize>,
}

impl Place {
    pub fn is(&self, ty: &str) -> bool {
        self.ty.name() == ty
    }

    /// `Period.start`, `Patient.contact`.
    pub fn path(&self) -> String {
        self.field.map_or(self.ty.name().to_owned(), |field| format!("{}.{}", self.parent.name(), field.name))
    }

    pub fn primitive(&self) -> Option<&'static str> {
        Some(self.ty.get()).filter(|ty| ty.kind == Kind::Primitive).map(|ty| ty.name)
    }

    /// The property that it is the value of, or an item of.
    pub fn name(&self) -> Option<&'static str> {
        self.field.map(|field| field.name)
    }

    /// The object around it.
    pub fn around<'v>(&self, root: &'v mut Value) -> Option<&'v mut serde_json::Map<String, Value>> {
        let last = self.keys.iter().rposition(|key| matches!(key, Key::Name(_)))?;
        at(root, &self.keys[..last])?.as_object_mut()
    }

    pub fn value<'v>(&self, root: &'v mut Value) -> Option<&'v mut Value> {
        at(root, &self.keys)
    }

    pub fn text(&self) -> String {
        let mut text = String::new();
        for key in &self.keys {
            match key {
                Key::Name(name) if text.is_empty() => text.push_str(name),
                Key::Name(name) => text.push_str(&format!(".{name}")),
                Key::Item(item) => text.push_str(&format!("[{item}]")),
            }
        }
        text
    }
}

pub fn at<'v>(root: &'v mut Value, keys: &[Key]) -> Option<&'v mut Value> {
    keys.iter().try_fold(root, |value, key| match key {
        Key::Name(name) => value.get_mut(name.as_str()),
        Key::Item(item) => value.get_mut(*item),
    })
}

/// Every value that stands where the model says, the resource itself first.
pub fn places(resource: &Value) -> Vec<Place> {
    let mut found = Vec::new();
    walk(resource, None, &[], &mut found);
    found
}

fn resource_type(value: &Value) -> Option<TypeId> {
    type_named(value.get("resourceType")?.as_str()?)
}

fn walk(value: &Value, ty: Option<TypeId>, keys: &[Key], found: &mut Vec<Place>) {
    let Some(object) = value.as_object() else { return };
    let Some(ty) = ty.or_else(|| resource_type(value)) else { return };
    if keys.is_empty() {
        found.push(Place { keys: Vec::new(), parent: ty, field: None, ty, items: None });
    }
    for (name, value) in object {
        let Some(field) = ty.get().field(name) else { continue };
        let keys = [keys, &[Key::Name(name.clone())]].concat();
        let mut visit = |value: &Value, keys: Vec<Key>, items| {
            if value.is_null() {
                return;
            }
            let is_resource = field.ty.get().kind == Kind::Resource;
            let inner = if is_resource { resource_type(value) } else { Some(field.ty) };
            let Some(inner) = inner else { return };
            found.push(Place { keys: keys.clone(), parent: ty, field: Some(field), ty: inner, items });
            walk(value, Some(inner), &keys, found);
        };
        match value {
            Value::Array(array) => {
                for (i, item) in array.iter().enumerate() {
                    visit(item, [keys.clone(), vec![Key::Item(i)]].concat(), Some(array.len()));
                }
            }
            value => visit(value, keys, None),
        }
    }
}

/// Resource types that a reference of this field may not point at.
pub fn wrong_target(field: &Field) -> Option<TypeId> {
    model::resource_types().find(|ty| !field.targets.iter().any(|target| model::is_a(*ty, *target)))
}
