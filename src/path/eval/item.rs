//! What an expression works on: elements of a document in place, and values of the System types.

use super::moment::Moment;
use super::quantity::Quantity;
use crate::json::{Node, Object};
use crate::model::{self, Field, Kind, RESOURCE, TypeId, is_a};
use crate::path::reference::resource_type;
use rust_decimal::Decimal;
use std::borrow::Cow;

/// One item of a collection.
#[derive(Clone, Debug)]
pub enum Item<'a> {
    /// Part of a document, with its FHIR type.
    Element(Element<'a>),
    Boolean(bool),
    Integer(i64),
    Decimal(Decimal),
    String(Cow<'a, str>),
    Date(Moment),
    DateTime(Moment),
    Time(Moment),
    Quantity(Quantity<'a>),
    /// What `type()` gives.
    Type(TypeName),
}

/// A type with its namespace: `FHIR.Patient`, `System.String`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TypeName {
    pub namespace: &'static str,
    pub name: &'static str,
}

/// The types that FHIRPath itself defines.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum System {
    Any,
    Boolean,
    Integer,
    Decimal,
    String,
    Date,
    DateTime,
    Time,
    Quantity,
}

impl System {
    pub fn named(name: &str) -> Option<System> {
        use System::*;
        [Any, Boolean, Integer, Decimal, String, Date, DateTime, Time, Quantity].into_iter().find(|system| system.name() == name)
    }

    pub fn name(self) -> &'static str {
        match self {
            System::Any => "Any",
            System::Boolean => "Boolean",
            System::Integer => "Integer",
            System::Decimal => "Decimal",
            System::String => "String",
            System::Date => "Date",
            System::DateTime => "DateTime",
            System::Time => "Time",
            System::Quantity => "Quantity",
        }
    }

    /// The System type whose values an element of a FHIR type stands for: <https://hl7.org/fhir/R4/fhirpath.html#types>.
    pub fn of(ty: TypeId) -> Option<System> {
        Some(match ty {
            model::BOOLEAN => System::Boolean,
            model::INTEGER | model::POSITIVE_INT | model::UNSIGNED_INT => System::Integer,
            model::DECIMAL => System::Decimal,
            model::DATE => System::Date,
            model::DATE_TIME | model::INSTANT => System::DateTime,
            model::TIME => System::Time,
            model::QUANTITY | model::AGE | model::COUNT | model::DISTANCE | model::DURATION => System::Quantity,
            _ if ty.get().kind == Kind::Primitive => System::String,
            _ => return None,
        })
    }
}

/// Part of a document.
#[derive(Clone, Copy)]
pub struct Element<'a> {
    pub(super) node: Node<'a>,
    pub(super) ty: TypeId,
    pub(super) beside: Beside<'a>,
}

/// Where the `_name` object of a primitive is found.
#[derive(Clone, Copy)]
pub(super) enum Beside<'a> {
    Nothing,
    Known(Object<'a>),
    /// Under `_name` of the parent, in an array at a place.
    In { parent: Object<'a>, field: &'static Field, index: Option<u32> },
}

impl std::fmt::Debug for Element<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{:?}", self.ty.name(), self.node)
    }
}

impl<'a> Element<'a> {
    /// The JSON value. Null for a primitive that has extensions only, and for a resource of which no more than its type is known.
    pub fn node(&self) -> Node<'a> {
        self.node
    }

    #[inline]
    pub fn ty(&self) -> TypeId {
        self.ty
    }

    /// The id and extensions of a primitive.
    pub fn sibling(&self) -> Option<Object<'a>> {
        match self.beside {
            Beside::Nothing => None,
            Beside::Known(object) => Some(object),
            Beside::In { parent, field, index } => match (parent.beside(field.name)?, index) {
                (Node::Object(object), None) => Some(object),
                (Node::Array(array), Some(index)) => array.get(index as usize)?.as_object(),
                _ => None,
            },
        }
    }

    #[inline]
    pub(super) fn is_primitive(&self) -> bool {
        self.ty.get().kind == Kind::Primitive
    }

    /// Whether the definitions say nothing of its content, so that its JSON properties are all there is.
    #[inline]
    pub(super) fn is_untyped(&self) -> bool {
        self.ty == model::ELEMENT
    }
}

impl<'a> Item<'a> {
    /// A whole resource; `None` where it does not say of which type of R4 it is.
    #[inline]
    pub fn resource(node: Node<'a>) -> Option<Item<'a>> {
        let ty = resource_type(node.as_object()?.text("resourceType")?)?;
        Some(Item::Element(Element { node, ty, beside: Beside::Nothing }))
    }

    /// A whole resource, or any other JSON, of which nothing is known then.
    pub fn any(node: Node<'a>) -> Item<'a> {
        Item::resource(node).unwrap_or_else(|| Item::untyped(node))
    }

    /// JSON of which the definitions say nothing.
    pub(super) fn untyped(node: Node<'a>) -> Item<'a> {
        let ty = match node {
            Node::Bool(_) => model::BOOLEAN,
            Node::Number(number) if number.scale() == 0 => model::INTEGER,
            Node::Number(_) => model::DECIMAL,
            Node::String(_) => model::STRING,
            _ => model::ELEMENT,
        };
        Item::Element(Element { node, ty, beside: Beside::Nothing })
    }

    /// An element of a known type, with the `_name` object that stands beside it where it is a primitive.
    pub fn element(node: Node<'a>, ty: TypeId, sibling: Option<Object<'a>>) -> Item<'a> {
        Item::Element(Element { node, ty: actual(node, ty), beside: sibling.map_or(Beside::Nothing, Beside::Known) })
    }

    /// The element, where this is one.
    pub fn as_element(&self) -> Option<&Element<'a>> {
        if let Item::Element(element) = self { Some(element) } else { None }
    }

    /// The JSON value, where this is an element.
    pub fn node(&self) -> Option<Node<'a>> {
        self.as_element().map(Element::node)
    }

    /// The FHIR type, where this is an element.
    pub fn ty(&self) -> Option<TypeId> {
        self.as_element().map(Element::ty)
    }

    /// The System type, where this is no element.
    pub fn system(&self) -> Option<System> {
        Some(match self {
            Item::Element(_) | Item::Type(_) => return None,
            Item::Boolean(_) => System::Boolean,
            Item::Integer(_) => System::Integer,
            Item::Decimal(_) => System::Decimal,
            Item::String(_) => System::String,
            Item::Date(_) => System::Date,
            Item::DateTime(_) => System::DateTime,
            Item::Time(_) => System::Time,
            Item::Quantity(_) => System::Quantity,
        })
    }

    /// What `type()` says.
    pub fn type_name(&self) -> TypeName {
        match self {
            Item::Element(element) => TypeName { namespace: "FHIR", name: public_type(element.ty).name() },
            Item::Type(_) => TypeName { namespace: "System", name: "Any" },
            item => TypeName { namespace: "System", name: item.system().unwrap_or(System::Any).name() },
        }
    }
}

/// The type of a node where the definitions have `declared`: where any resource may stand, its own.
#[inline]
pub(super) fn actual(node: Node<'_>, declared: TypeId) -> TypeId {
    if declared == RESOURCE || declared == model::DOMAIN_RESOURCE { told(node, declared) } else { declared }
}

fn told(node: Node<'_>, declared: TypeId) -> TypeId {
    node.as_object().and_then(|object| object.text("resourceType")).and_then(resource_type).unwrap_or(declared)
}

/// What a nested element is to the outside: `BackboneElement`, or `Element` within a datatype.
fn public_type(ty: TypeId) -> TypeId {
    let mut current = ty;
    while current.get().kind == Kind::Backbone {
        match current.get().base {
            Some(base) => current = base,
            None => break,
        }
    }
    current
}

/// A type that an expression names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Named {
    Fhir(TypeId),
    System(System),
    /// `Quantity` alone is both.
    Both(TypeId, System),
    /// `System.Patient`
    None,
}

impl Named {
    /// Whether an item is of the type, or of one that derives from it.
    pub fn has(self, item: &Item<'_>) -> bool {
        match (self, item) {
            (Named::Fhir(ty) | Named::Both(ty, _), Item::Element(element)) => is_a(element.ty, ty),
            (Named::System(System::Any), _) => true,
            (Named::System(system) | Named::Both(_, system), item) => item.system() == Some(system),
            _ => false,
        }
    }

    /// As [`Self::has`], but a primitive must be of the very type: a code is no string here.
    pub fn has_exactly(self, item: &Item<'_>) -> bool {
        match (self, item) {
            (Named::Fhir(ty), Item::Element(element)) if element.is_primitive() => element.ty == ty,
            _ => self.has(item),
        }
    }
}

/// The items that an expression gives, in order.
#[derive(Clone, Debug, Default)]
pub struct Collection<'a>(Items<'a>);

/// One item needs no allocation.
#[derive(Clone, Debug, Default)]
enum Items<'a> {
    #[default]
    None,
    One([Item<'a>; 1]),
    Many(Vec<Item<'a>>),
}

impl<'a> Collection<'a> {
    pub fn new() -> Collection<'a> {
        Collection::default()
    }

    pub fn as_slice(&self) -> &[Item<'a>] {
        match &self.0 {
            Items::None => &[],
            Items::One(one) => one,
            Items::Many(many) => many,
        }
    }

    pub fn iter(&self) -> std::slice::Iter<'_, Item<'a>> {
        self.as_slice().iter()
    }

    pub fn len(&self) -> usize {
        self.as_slice().len()
    }

    pub fn is_empty(&self) -> bool {
        matches!(self.0, Items::None)
    }

    pub fn first(&self) -> Option<&Item<'a>> {
        self.as_slice().first()
    }

    #[inline]
    pub fn push(&mut self, item: Item<'a>) {
        match &mut self.0 {
            Items::None => self.0 = Items::One([item]),
            Items::Many(many) => many.push(item),
            Items::One(_) => self.push_second(item),
        }
    }

    fn push_second(&mut self, item: Item<'a>) {
        let mut many = Vec::with_capacity(4);
        if let Items::One([first]) = std::mem::take(&mut self.0) {
            many.push(first);
        }
        many.push(item);
        self.0 = Items::Many(many);
    }

    pub fn into_vec(self) -> Vec<Item<'a>> {
        match self.0 {
            Items::None => Vec::new(),
            Items::One(one) => Vec::from(one),
            Items::Many(many) => many,
        }
    }
}

impl<'a> From<Vec<Item<'a>>> for Collection<'a> {
    fn from(mut items: Vec<Item<'a>>) -> Collection<'a> {
        Collection(match items.len() {
            0 => Items::None,
            1 => items.pop().map_or(Items::None, |item| Items::One([item])),
            _ => Items::Many(items),
        })
    }
}

impl<'a> IntoIterator for Collection<'a> {
    type Item = Item<'a>;
    type IntoIter = std::vec::IntoIter<Item<'a>>;

    fn into_iter(self) -> Self::IntoIter {
        self.into_vec().into_iter()
    }
}

impl<'c, 'a> IntoIterator for &'c Collection<'a> {
    type Item = &'c Item<'a>;
    type IntoIter = std::slice::Iter<'c, Item<'a>>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
