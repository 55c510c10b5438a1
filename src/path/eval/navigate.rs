//! From an item to its members, children and descendants.

use super::code::{Member, Place};
use super::compare::is_moment;
use super::error::{Flow, Problem, Stop};
use super::item::{Beside, Element, Item, actual};
use super::run::{Emit, Run};
use crate::json::{Node, Object};
use crate::model::{self, Field, Kind, TypeId, type_named};
use std::borrow::Cow;

impl<'a> Run<'a, '_> {
    /// What a path of members leads to.
    #[inline]
    pub fn walk(&self, item: &Item<'a>, path: &'a [Member], emit: Emit<'_, 'a>) -> Flow {
        match item {
            Item::Element(element) => self.walk_element(element, path, emit),
            item => self.walk_value(item, path, emit),
        }
    }

    /// From element to element nothing is held or handed on but where the walk stands.
    fn walk_element(&self, element: &Element<'a>, path: &'a [Member], emit: Emit<'_, 'a>) -> Flow {
        let [member, path @ ..] = path else { return emit(Item::Element(*element)) };
        let Node::Object(object) = element.node else { return self.walk_primitive(element, &member.name, path, emit) };
        if element.is_untyped() {
            return self.untyped_member(object, &member.name, &mut |item| self.walk(&item, path, emit));
        }
        self.step()?;
        let mut next = |element: Element<'a>| if path.is_empty() { emit(Item::Element(element)) } else { self.walk_element(&element, path, emit) };
        match member.place(element.ty) {
            Place::Field(field) => self.property(object, element.ty, field, &mut next),
            Place::Choice(number) => self.choice(object, element.ty, number, member, &mut next),
            Place::Missing if &*member.name == "resourceType" => match object.get("resourceType") {
                Some(Node::String(text)) => self.walk(&Item::String(Cow::Borrowed(text)), path, emit),
                _ => Ok(()),
            },
            Place::Missing => Ok(()),
        }
    }

    #[cold]
    fn walk_value(&self, item: &Item<'a>, path: &'a [Member], emit: Emit<'_, 'a>) -> Flow {
        let [member, path @ ..] = path else { return emit(item.clone()) };
        let part = match (item, &*member.name) {
            (Item::Quantity(quantity), "value") => Item::Decimal(quantity.value),
            (Item::Quantity(quantity), "unit" | "code") => Item::String(Cow::Owned(quantity.unit.text().to_owned())),
            (Item::Type(name), "namespace") => Item::String(Cow::Borrowed(name.namespace)),
            (Item::Type(name), "name") => Item::String(Cow::Borrowed(name.name)),
            _ => return Ok(()),
        };
        self.walk(&part, path, emit)
    }

    #[inline(never)]
    fn walk_primitive(&self, element: &Element<'a>, name: &str, path: &'a [Member], emit: Emit<'_, 'a>) -> Flow {
        match name {
            "value" if element.is_primitive() => element.system_value().map_or(Ok(()), |item| self.walk(&item, path, emit)),
            "extension" => match element.sibling().and_then(|s| s.get("extension")) {
                Some(node) => self.values(node, model::EXTENSION, None, &mut |element| self.walk_element(&element, path, emit)),
                None => Ok(()),
            },
            "id" => match element.sibling().and_then(|s| s.get("id")) {
                Some(node @ Node::String(_)) => self.walk_element(&Element { node, ty: model::STRING, beside: Beside::Nothing }, path, emit),
                _ => Ok(()),
            },
            _ => Ok(()),
        }
    }

    /// What stands in a property.
    #[inline]
    fn property(&self, object: Object<'a>, ty: TypeId, field: &'static Field, next: &mut impl FnMut(Element<'a>) -> Flow) -> Flow {
        match object.get(field.name) {
            Some(Node::Array(_)) if !repeats(ty, field) => Ok(()),
            Some(node) => self.values(node, field.ty, place(object, field), next),
            None if is_primitive(field.ty) => self.only_extended(object, field, next),
            None => Ok(()),
        }
    }

    /// A property's items. `place` is where a primitive stands.
    #[inline]
    fn values(&self, node: Node<'a>, ty: TypeId, place: Option<(Object<'a>, &'static Field)>, next: &mut impl FnMut(Element<'a>) -> Flow) -> Flow {
        let beside = |index| place.map_or(Beside::Nothing, |(parent, field)| Beside::In { parent, field, index });
        match node {
            Node::Array(array) => {
                for (index, node) in array.iter().enumerate() {
                    self.step()?;
                    let element = Element { node, ty: actual(node, ty), beside: beside(Some(index as u32)) };
                    // the null that holds the place of a primitive with extensions only
                    if !(node.is_null() && element.sibling().is_none()) {
                        next(element)?;
                    }
                }
                Ok(())
            }
            Node::Null => match place {
                Some((object, field)) => self.only_extended(object, field, next),
                None => Ok(()),
            },
            node => {
                self.step()?;
                next(Element { node, ty: actual(node, ty), beside: beside(None) })
            }
        }
    }

    /// Primitives without a value.
    fn only_extended(&self, object: Object<'a>, field: &'static Field, next: &mut impl FnMut(Element<'a>) -> Flow) -> Flow {
        let Some(node) = object.beside(field.name) else { return Ok(()) };
        for sibling in node.items().filter_map(Node::as_object) {
            self.step()?;
            next(Element { node: Node::Null, ty: field.ty, beside: Beside::Known(sibling) })?;
        }
        Ok(())
    }

    /// `value[x]`: the property of those that the element can appear as.
    fn choice(&self, object: Object<'a>, ty: TypeId, number: u16, member: &Member, next: &mut impl FnMut(Element<'a>) -> Flow) -> Flow {
        let name = member.name.as_bytes();
        let begins = |key: &[u8]| match key {
            [b'_', key @ ..] => key.starts_with(name),
            key => key.first() == name.first() && key.starts_with(name),
        };
        for (key, node) in object.having(name.len(), begins) {
            if let Some(field) = member.chosen(ty, number, key) {
                if matches!(node, Node::Array(_)) && !repeats(ty, field) {
                    continue;
                }
                self.values(node, field.ty, place(object, field), next)?;
            } else if let [b'_', key @ ..] = key
                && let Some(field) = member.chosen(ty, number, key)
                && object.get(field.name).is_none()
            {
                self.only_extended(object, field, next)?;
            }
        }
        Ok(())
    }

    /// A member of JSON of which the definitions say nothing; `value` finds `valueQuantity` too.
    fn untyped_member(&self, object: Object<'a>, name: &str, emit: Emit<'_, 'a>) -> Flow {
        if let Some(node) = object.get(name) {
            if name == "extension" {
                return self.values(node, model::EXTENSION, None, &mut |element| emit(Item::Element(element)));
            }
            for node in node.items().filter(|node| !node.is_null()) {
                self.step()?;
                emit(Item::any(node))?;
            }
            return Ok(());
        }
        for (key, node) in object.iter() {
            self.step()?;
            if let Some(suffix) = key.strip_prefix(name)
                && let Some(ty) = type_named(suffix).or_else(|| type_named(&uncapitalised(suffix)))
            {
                self.values(node, ty, None, &mut |element| emit(Item::Element(element)))?;
            }
        }
        Ok(())
    }

    /// All elements right below.
    pub fn children(&self, item: &Item<'a>, emit: Emit<'_, 'a>) -> Flow {
        let Item::Element(element) = item else { return Ok(()) };
        let Node::Object(object) = element.node else {
            let Some(sibling) = element.sibling() else { return Ok(()) };
            let whole = Element { node: Node::Object(sibling), ty: model::ELEMENT, beside: Beside::Nothing };
            return self.children(&Item::Element(whole), emit);
        };
        if element.is_untyped() {
            for (key, node) in object.iter() {
                if key != "resourceType" {
                    let ty = if key == "extension" { Some(model::EXTENSION) } else { None };
                    for node in node.items().filter(|node| !node.is_null()) {
                        self.step()?;
                        emit(ty.map_or_else(|| Item::any(node), |ty| Item::element(node, ty, None)))?;
                    }
                }
            }
            return Ok(());
        }
        let is_beside = |key: &[u8]| matches!(key, [b'_', ..]);
        let any_beside = object.any_key(is_beside);
        let mut next = |element| emit(Item::Element(element));
        for (key, node) in object.pairs() {
            self.step()?;
            if let Some(field) = element.ty.field(key) {
                self.values(node, field.ty, place(object, field).filter(|_| any_beside), &mut next)?;
            } else if let [b'_', key @ ..] = key
                && let Some(field) = element.ty.field(key)
                && object.get(field.name).is_none()
            {
                self.only_extended(object, field, &mut next)?;
            }
        }
        Ok(())
    }

    /// All elements below, however far.
    pub fn descendants(&self, item: &Item<'a>, at: u32, emit: Emit<'_, 'a>) -> Flow {
        let mut waiting: Vec<Item<'a>> = Vec::new();
        let mut gather = |item: Item<'a>, waiting: &mut Vec<Item<'a>>| {
            let has_parts = match &item {
                Item::Element(element) => matches!(element.node, Node::Object(_)) || element.sibling().is_some(),
                _ => false,
            };
            emit(item.clone())?;
            if has_parts {
                waiting.push(item);
            }
            Ok(())
        };
        self.children(item, &mut |child| gather(child, &mut waiting))?;
        while let Some(next) = waiting.pop() {
            if waiting.len() > self.scope.limits.items {
                return Err(Stop::new(at, Problem::TooManyItems));
            }
            self.children(&next, &mut |child| gather(child, &mut waiting))?;
        }
        Ok(())
    }

    /// The extensions of that url.
    pub fn extensions(&self, item: &Item<'a>, url: &str, emit: Emit<'_, 'a>) -> Flow {
        let Item::Element(element) = item else { return Ok(()) };
        let object = match element.node {
            Node::Object(object) => Some(object),
            _ => element.sibling(),
        };
        let Some(extensions) = object.and_then(|o| o.get("extension")) else { return Ok(()) };
        for node in extensions.items() {
            self.step()?;
            if node.as_object().and_then(|extension| extension.text("url")) == Some(url.as_bytes()) {
                emit(Item::Element(Element { node, ty: model::EXTENSION, beside: Beside::Nothing }))?;
            }
        }
        Ok(())
    }
}

impl<'a> Element<'a> {
    /// The one text that a member is; of a date or time none, as it may be equal to other texts.
    #[inline]
    pub(super) fn text_of(&self, member: &Member) -> Option<&'a [u8]> {
        let Node::Object(object) = self.node else { return None };
        match member.place(self.ty) {
            Place::Field(field) if !self.is_untyped() && !is_moment(field.ty) => object.text(field.name),
            _ => None,
        }
    }
}

/// Whether an array may stand in the property. One that may not is no value, as a number is none where a text belongs.
#[inline]
fn repeats(ty: TypeId, field: &Field) -> bool {
    ty.get().elements.get(usize::from(field.element)).is_none_or(|element| element.max > 1)
}

#[inline]
fn is_primitive(ty: TypeId) -> bool {
    ty.get().kind == Kind::Primitive
}

/// Where a primitive's `_name` object would be looked for.
#[inline]
fn place<'a>(object: Object<'a>, field: &'static Field) -> Option<(Object<'a>, &'static Field)> {
    is_primitive(field.ty).then_some((object, field))
}

/// `String` to `string`: how a primitive type is named.
fn uncapitalised(name: &str) -> String {
    let mut chars = name.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}
