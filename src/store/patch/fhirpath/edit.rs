//! One change of a resource: the container is written anew along the way to the change, and all else is copied as it is.
//!
//! No change leaves an empty object or array behind, which FHIR's JSON does not have: the element that held it goes too.
//! A list of primitives and the list of their ids and extensions stay equally long.

use super::super::error::PatchError;
use super::place::{Link, Place, is_primitive, repeats};
use super::value::Element;
use crate::json::{self, Item, Node, Object};
use crate::model::{Field, TypeId};
use std::borrow::Cow;

/// What happens to the elements of one object. Indexes were checked before.
pub enum Change<'a> {
    /// Sets an element that may stand once; adds to the end of one that may repeat.
    Append(Element<'a>),
    Insert { at: usize, element: Element<'a> },
    /// The new element may be of another type, where the element is a choice.
    Replace { link: Link, element: Element<'a> },
    Remove(Link),
    Move { field: &'static Field, from: usize, to: usize },
}

/// The container of the resource after the change of the object at `holder`.
pub fn edit<'a>(root: Object<'a>, holder: &Place, change: Change<'a>) -> Result<Vec<u8>, PatchError> {
    let members = rebuilt(Some(root), &holder.links, holder.object_type(), change);
    Ok(json::write(&Item::Object(members.0))?)
}

/// The members of an object after the change further down. As deep as the path is long.
fn rebuilt<'a>(object: Option<Object<'a>>, links: &[Link], ty: TypeId, change: Change<'a>) -> Members<'a> {
    let mut members = Members::of(object);
    match links.split_first() {
        None => members.change(ty, change),
        Some((link, rest)) => {
            let inner = rebuilt(object.and_then(|object| link.object(object)), rest, ty, change);
            members.put_inner(link, inner);
        }
    }
    members
}

/// The members of an object that is being made.
struct Members<'a>(Vec<(Cow<'a, str>, Item<'a>)>);

impl<'a> Members<'a> {
    fn of(object: Option<Object<'a>>) -> Members<'a> {
        Members(object.into_iter().flat_map(|object| object.iter()).map(|(key, value)| (Cow::Borrowed(key), Item::Node(value))).collect())
    }

    fn take(&mut self, key: &str) -> Option<Item<'a>> {
        let at = self.0.iter().position(|(name, _)| name == key)?;
        Some(self.0.swap_remove(at).1)
    }

    fn put(&mut self, key: impl Into<Cow<'a, str>>, item: Item<'a>) {
        self.0.push((key.into(), item));
    }

    fn change(&mut self, owner: TypeId, change: Change<'a>) {
        match change {
            Change::Append(element) if repeats(owner, element.field) => {
                let field = element.field;
                self.with_list(field, |list| list.insert(list.values.len(), element));
            }
            Change::Append(element) => self.set(element),
            Change::Insert { at, element } => {
                let field = element.field;
                self.with_list(field, |list| list.insert(at, element));
            }
            Change::Replace { link, element } => match link.index {
                Some(index) => self.with_list(link.field, |list| {
                    list.remove(index);
                    list.insert(index, element);
                }),
                None => {
                    self.clear(link.field);
                    self.set(element);
                }
            },
            Change::Remove(link) => match link.index {
                Some(index) => self.with_list(link.field, |list| list.remove(index)),
                None => self.clear(link.field),
            },
            Change::Move { field, from, to } => self.with_list(field, |list| list.shift(from, to)),
        }
    }

    fn clear(&mut self, field: &'static Field) {
        self.take(field.name);
        if is_primitive(field.ty) {
            self.take(&format!("_{}", field.name));
        }
    }

    fn set(&mut self, element: Element<'a>) {
        if let Some(value) = element.value {
            self.put(element.field.name, value);
        }
        if let Some(beside) = element.beside {
            self.put(format!("_{}", element.field.name), beside);
        }
    }

    /// Puts the object of an element back, or takes the element away where nothing is left of it.
    fn put_inner(&mut self, link: &Link, inner: Members<'a>) {
        let item = if inner.0.is_empty() { None } else { Some(Item::Object(inner.0)) };
        let is_beside = is_primitive(link.ty);
        match link.index {
            Some(index) => self.with_list(link.field, |list| {
                let items = if is_beside { &mut list.beside } else { &mut list.values };
                if let Some(place) = items.get_mut(index) {
                    *place = item.unwrap_or(Item::Null);
                }
                if list.is_empty_at(index) {
                    list.remove(index);
                }
            }),
            None => {
                let name = if is_beside { Cow::Owned(link.sibling()) } else { Cow::Borrowed(link.field.name) };
                self.take(&name);
                if let Some(item) = item {
                    self.put(name, item);
                }
            }
        }
    }

    fn with_list(&mut self, field: &'static Field, change: impl FnOnce(&mut List<'a>)) {
        let sibling = format!("_{}", field.name);
        let mut list = List { values: items(self.take(field.name)), beside: Vec::new() };
        if is_primitive(field.ty) {
            list.beside = items(self.take(&sibling));
        }
        let len = list.values.len().max(list.beside.len());
        list.values.resize(len, Item::Null);
        list.beside.resize(len, Item::Null);
        change(&mut list);
        if !list.values.iter().all(is_null) {
            self.put(field.name, Item::Array(list.values));
        }
        if !list.beside.iter().all(is_null) {
            self.put(sibling, Item::Array(list.beside));
        }
    }
}

/// The items of an element that repeats; for primitives with what stands beside each. Both are equally long.
struct List<'a> {
    values: Vec<Item<'a>>,
    beside: Vec<Item<'a>>,
}

impl<'a> List<'a> {
    fn insert(&mut self, at: usize, element: Element<'a>) {
        let at = at.min(self.values.len());
        self.values.insert(at, element.value.unwrap_or(Item::Null));
        self.beside.insert(at, element.beside.unwrap_or(Item::Null));
    }

    fn remove(&mut self, at: usize) {
        if at < self.values.len() {
            self.values.remove(at);
            self.beside.remove(at);
        }
    }

    fn shift(&mut self, from: usize, to: usize) {
        if from < self.values.len() && to < self.values.len() {
            let (value, beside) = (self.values.remove(from), self.beside.remove(from));
            self.values.insert(to, value);
            self.beside.insert(to, beside);
        }
    }

    fn is_empty_at(&self, at: usize) -> bool {
        self.values.get(at).is_none_or(is_null) && self.beside.get(at).is_none_or(is_null)
    }
}

fn items(item: Option<Item<'_>>) -> Vec<Item<'_>> {
    match item {
        Some(Item::Node(Node::Array(array))) => array.iter().map(Item::Node).collect(),
        Some(Item::Array(items)) => items,
        _ => Vec::new(),
    }
}

fn is_null(item: &Item<'_>) -> bool {
    matches!(item, Item::Null | Item::Node(Node::Null))
}
