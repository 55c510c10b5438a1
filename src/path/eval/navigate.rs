//! From an item to its members, children and descendants.

use super::code::{Member, Place};
use super::error::{Flow, Problem, Stop};
use super::item::{Beside, Element, Item, actual, underscored};
use super::run::{Emit, Run};
use crate::json::{Node, Object};
use crate::model::{self, Kind, TypeId, type_named};
use std::borrow::Cow;

impl<'a> Run<'a, '_> {
    /// The members of that name.
    #[inline]
    pub fn member(&self, item: &Item<'a>, member: &'a Member, emit: Emit<'_, 'a>) -> Flow {
        match item {
            Item::Element(element) => match element.node {
                Node::Object(object) if element.is_untyped() => self.untyped_member(object, &member.name, emit),
                Node::Object(object) => match member.place(element.ty) {
                    Place::Field(field) => self.property(object, field.name, field.ty, emit),
                    Place::Choice(number) => self.choice(object, element.ty, number, &member.name, emit),
                    Place::Missing if &*member.name == "resourceType" => match object.get("resourceType") {
                        Some(Node::String(text)) => emit(Item::String(Cow::Borrowed(text))),
                        _ => Ok(()),
                    },
                    Place::Missing => Ok(()),
                },
                _ => self.member_of_primitive(element, &member.name, emit),
            },
            Item::Quantity(quantity) => match &*member.name {
                "value" => emit(Item::Decimal(quantity.value)),
                "unit" | "code" => emit(Item::String(Cow::Owned(quantity.unit.text().to_owned()))),
                _ => Ok(()),
            },
            Item::Type(name) => match &*member.name {
                "namespace" => emit(Item::String(Cow::Borrowed(name.namespace))),
                "name" => emit(Item::String(Cow::Borrowed(name.name))),
                _ => Ok(()),
            },
            _ => Ok(()),
        }
    }

    fn member_of_primitive(&self, element: &Element<'a>, name: &str, emit: Emit<'_, 'a>) -> Flow {
        match name {
            "value" if element.is_primitive() => element.system_value().map_or(Ok(()), emit),
            "extension" => match element.sibling().and_then(|s| s.get("extension")) {
                Some(node) => self.values(node, model::EXTENSION, None, emit),
                None => Ok(()),
            },
            "id" => match element.sibling().and_then(|s| s.get("id")) {
                Some(node @ Node::String(_)) => emit(Item::Element(Element { node, ty: model::STRING, beside: Beside::Nothing })),
                _ => Ok(()),
            },
            _ => Ok(()),
        }
    }

    /// What stands in a property.
    #[inline]
    fn property(&self, object: Object<'a>, name: &'a str, ty: TypeId, emit: Emit<'_, 'a>) -> Flow {
        let is_primitive = ty.get().kind == Kind::Primitive;
        match object.get(name) {
            Some(node) => self.values(node, ty, is_primitive.then_some((object, name)), emit),
            None if is_primitive => self.only_extended(object, name, ty, emit),
            None => Ok(()),
        }
    }

    /// A property's items. `place` is where a primitive stands.
    #[inline]
    fn values(&self, node: Node<'a>, ty: TypeId, place: Option<(Object<'a>, &'a str)>, emit: Emit<'_, 'a>) -> Flow {
        let beside = |index| place.map_or(Beside::Nothing, |(parent, name)| Beside::In { parent, name, index });
        match node {
            Node::Array(array) => {
                for (index, node) in array.iter().enumerate() {
                    self.step()?;
                    let element = Element { node, ty: actual(node, ty), beside: beside(Some(index as u32)) };
                    // the null that holds the place of a primitive with extensions only
                    if !(node.is_null() && element.sibling().is_none()) {
                        emit(Item::Element(element))?;
                    }
                }
                Ok(())
            }
            Node::Null => match place {
                Some((object, name)) => self.only_extended(object, name, ty, emit),
                None => Ok(()),
            },
            node => {
                self.step()?;
                emit(Item::Element(Element { node, ty: actual(node, ty), beside: beside(None) }))
            }
        }
    }

    /// Primitives without a value.
    #[cold]
    fn only_extended(&self, object: Object<'a>, name: &str, ty: TypeId, emit: Emit<'_, 'a>) -> Flow {
        let Some(node) = underscored(object, name) else { return Ok(()) };
        for sibling in node.items().filter_map(Node::as_object) {
            self.step()?;
            emit(Item::Element(Element { node: Node::Null, ty, beside: Beside::Known(sibling) }))?;
        }
        Ok(())
    }

    /// `value[x]`: the property of those that the element can appear as.
    fn choice(&self, object: Object<'a>, ty: TypeId, number: u16, name: &str, emit: Emit<'_, 'a>) -> Flow {
        let definition = ty.get();
        let chosen = |key: &str| definition.field(key).filter(|field| field.element == number);
        let begins = |key: &[u8]| match key.strip_prefix(b"_") {
            Some(key) => key.starts_with(name.as_bytes()),
            None => key.len() > name.len() && key.starts_with(name.as_bytes()),
        };
        for (key, node) in object.having(begins) {
            if let Some(field) = chosen(key) {
                self.values(node, field.ty, (field.ty.get().kind == Kind::Primitive).then_some((object, key)), emit)?;
            } else if let Some(key) = key.strip_prefix('_')
                && let Some(field) = chosen(key)
                && object.get(key).is_none()
            {
                self.only_extended(object, key, field.ty, emit)?;
            }
        }
        Ok(())
    }

    /// A member of JSON of which the definitions say nothing; `value` finds `valueQuantity` too.
    fn untyped_member(&self, object: Object<'a>, name: &str, emit: Emit<'_, 'a>) -> Flow {
        if let Some(node) = object.get(name) {
            if name == "extension" {
                return self.values(node, model::EXTENSION, None, emit);
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
                self.values(node, ty, None, emit)?;
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
        let definition = element.ty.get();
        for (key, node) in object.iter() {
            self.step()?;
            if let Some(field) = definition.field(key) {
                self.values(node, field.ty, (field.ty.get().kind == Kind::Primitive).then_some((object, key)), emit)?;
            } else if let Some(key) = key.strip_prefix('_')
                && let Some(field) = definition.field(key)
                && object.get(key).is_none()
            {
                self.only_extended(object, key, field.ty, emit)?;
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
            if node.get("url").and_then(Node::as_str) == Some(url) {
                emit(Item::Element(Element { node, ty: model::EXTENSION, beside: Beside::Nothing }))?;
            }
        }
        Ok(())
    }
}

/// `String` to `string`: how a primitive type is named.
fn uncapitalised(name: &str) -> String {
    let mut chars = name.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}
