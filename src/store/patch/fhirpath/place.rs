//! From a path to the places of the elements it leads to.
//!
//! A patch needs to know where an element is and not only what it holds, so paths are followed here step by step. What stands in
//! `where` is a condition as in search, compiled by [`crate::path`].

use super::super::error::{PatchError, excerpt};
use super::value::Element;
use crate::json::{Node, Object};
use crate::model::{ELEMENT, Field, Kind, TypeId, is_a, type_named};
use crate::path::PathError;
use crate::path::ast::{Expr, ExprKind, Invocation, Literal, TypeSpecifier};
use crate::path::{Condition, criteria};

/// One step down: an element of an object, which of its items where it may repeat, and its type.
#[derive(Clone, Copy, Debug)]
pub struct Link {
    pub field: &'static Field,
    pub index: Option<usize>,
    /// The type of what is there: for a contained resource its own.
    pub ty: TypeId,
}

/// An element of a resource by the way that leads to it; without links the resource itself.
#[derive(Clone, Debug)]
pub struct Place {
    /// The type of the resource.
    root: TypeId,
    pub links: Vec<Link>,
}

/// The list that `insert` and `move` work on. It need not be there.
pub struct Collection {
    pub holder: Place,
    pub field: &'static Field,
    pub len: usize,
}

/// The resource that is patched.
#[derive(Clone, Copy)]
pub struct Resource<'a> {
    pub root: Object<'a>,
    pub ty: TypeId,
}

/// What a path leads to: places, and the types that elements there can have, also where there are none.
struct Focus {
    places: Vec<Place>,
    types: Vec<TypeId>,
}

pub fn is_primitive(ty: TypeId) -> bool {
    ty.get().kind == Kind::Primitive
}

/// Whether the element of a field may repeat: its property is an array then.
pub fn repeats(owner: TypeId, field: &Field) -> bool {
    owner.get().elements.get(usize::from(field.element)).is_some_and(|element| element.max > 1)
}

/// The properties of an element by its name: one for each type of a choice. `valueQuantity` and `value[x]` are understood too.
pub fn fields(owner: TypeId, name: &str) -> Vec<&'static Field> {
    let ty = owner.get();
    let element = name.strip_suffix("[x]").unwrap_or(name);
    match ty.elements.iter().position(|e| e.name == element) {
        Some(number) => ty.fields.iter().filter(|field| usize::from(field.element) == number).collect(),
        None => ty.field(name).into_iter().collect(),
    }
}

impl Link {
    /// `value` for `valueQuantity`.
    pub fn element(&self, owner: TypeId) -> &'static str {
        owner.get().elements.get(usize::from(self.field.element)).map_or(self.field.name, |element| element.name)
    }

    pub fn sibling(&self) -> String {
        format!("_{}", self.field.name)
    }

    /// The object with the elements of this element: for a primitive that of its id and extensions.
    /// <https://hl7.org/fhir/R4/json.html#primitive>
    pub fn object<'a>(&self, holder: Object<'a>) -> Option<Object<'a>> {
        let value = if is_primitive(self.ty) { holder.get(&self.sibling()) } else { holder.get(self.field.name) }?;
        match self.index {
            Some(index) => value.as_array()?.get(index)?.as_object(),
            None => value.as_object(),
        }
    }
}

impl Place {
    pub fn ty(&self) -> TypeId {
        self.links.last().map_or(self.root, |link| link.ty)
    }

    /// The type whose elements the object at this place has.
    pub fn object_type(&self) -> TypeId {
        if is_primitive(self.ty()) { ELEMENT } else { self.ty() }
    }

    /// The place of the object that holds this element, and the last step.
    pub fn split(mut self) -> Result<(Place, Link), PatchError> {
        let link = self.links.pop().ok_or_else(|| PatchError::malformed("the path leads to the resource itself, which a patch cannot replace or delete"))?;
        Ok((self, link))
    }
}

// The recursion of these is bounded by the height of the tree, which the parser bounds.
impl<'a> Resource<'a> {
    /// The places that a path leads to, in order.
    pub fn places(&self, path: &Expr) -> Result<Vec<Place>, PatchError> {
        Ok(self.focus(path)?.places)
    }

    /// The list that a path names.
    pub fn collection(&self, path: &Expr) -> Result<Collection, PatchError> {
        let ExprKind::Invoke { of, what: Invocation::Member(name) } = &path.kind else {
            return Err(PatchError::malformed("the path does not end in the name of a list"));
        };
        let holders = match of {
            Some(of) => self.places(of)?,
            None if type_named(name).is_some() => return Err(PatchError::malformed("the path leads to the resource itself, not to a list")),
            None => vec![self.start()],
        };
        let holder = match <[Place; 1]>::try_from(holders) {
            Ok([holder]) => holder,
            Err(holders) if holders.is_empty() => return Err(PatchError::not_applicable("nothing is there that could hold the list")),
            Err(holders) => {
                return Err(PatchError::not_applicable(format!("the path leads to lists in {} elements, not in one", holders.len()))
                    .hint("choose one of them, as with [0] or .first()"));
            }
        };
        let owner = holder.object_type();
        let field = match fields(owner, name).as_slice() {
            [field] if repeats(owner, field) => *field,
            [] => return Err(unknown(path, name, owner)),
            _ => return Err(PatchError::malformed(format!("{}.{name} does not repeat", owner.name())).hint("add and replace set its value")),
        };
        let len = self.items(&holder, field)?.len();
        Ok(Collection { holder, field, len })
    }

    /// Refuses an element that may stand once and is there already.
    pub fn check_free(&self, holder: &Place, element: &Element<'_>) -> Result<(), PatchError> {
        let owner = holder.object_type();
        if repeats(owner, element.field) {
            return Ok(());
        }
        let Some(object) = self.object(&holder.links) else { return Ok(()) };
        for field in owner.get().fields.iter().filter(|field| field.element == element.field.element) {
            if object.get(field.name).is_some() || (is_primitive(field.ty) && object.get(&format!("_{}", field.name)).is_some()) {
                return Err(PatchError::not_applicable(format!("{} is there already, and may not repeat", field.name))
                    .hint("an operation of type replace changes it"));
            }
        }
        Ok(())
    }

    fn start(&self) -> Place {
        Place { root: self.ty, links: Vec::new() }
    }

    fn root(&self) -> Focus {
        Focus { places: vec![self.start()], types: vec![self.ty] }
    }

    /// The object at the end of some links.
    fn object(&self, links: &[Link]) -> Option<Object<'a>> {
        links.iter().try_fold(self.root, |holder, link| link.object(holder))
    }

    /// What stands at a place; `null` for a primitive that has no value.
    fn node(&self, place: &Place) -> Option<Node<'a>> {
        let Some((link, holder)) = place.links.split_last() else { return Some(Node::Object(self.root)) };
        let value = self.object(holder)?.get(link.field.name);
        Some(match link.index {
            Some(index) => value.and_then(Node::as_array).and_then(|items| items.get(index)),
            None => value,
        }
        .unwrap_or(Node::Null))
    }

    /// The places of the items of one property.
    fn items(&self, holder: &Place, field: &'static Field) -> Result<Vec<Place>, PatchError> {
        let Some(object) = self.object(&holder.links) else { return Ok(Vec::new()) };
        let value = object.get(field.name);
        let beside = if is_primitive(field.ty) { object.get(&format!("_{}", field.name)) } else { None };
        let wrong = || PatchError::not_applicable(format!("{} of the resource is not as its type has it", field.name)).hint("SELECT * FROM fhir.issues(resource) lists everything that is wrong");
        let place = |index, ty| {
            let mut links = Vec::with_capacity(holder.links.len() + 1);
            links.extend_from_slice(&holder.links);
            links.push(Link { field, index, ty });
            Place { root: holder.root, links }
        };
        if !repeats(holder.object_type(), field) {
            if matches!(value, Some(Node::Array(_))) {
                return Err(wrong());
            }
            return Ok(value.or(beside).map(|value| place(None, type_of(field, value))).into_iter().collect());
        }
        let mut len = 0;
        for list in value.into_iter().chain(beside) {
            len = len.max(list.as_array().ok_or_else(wrong)?.len());
        }
        match value {
            // a contained resource has its own type
            Some(Node::Array(items)) if field.ty.get().is_abstract => {
                Ok(items.iter().enumerate().map(|(i, item)| place(Some(i), type_of(field, item))).collect())
            }
            _ => Ok((0..len).map(|i| place(Some(i), field.ty)).collect()),
        }
    }

    fn focus(&self, expr: &Expr) -> Result<Focus, PatchError> {
        match &expr.kind {
            ExprKind::Constant(name) if matches!(name.as_str(), "resource" | "context") => Ok(self.root()),
            ExprKind::Invoke { of: None, what: Invocation::This } => Ok(self.root()),
            ExprKind::Invoke { of: None, what: Invocation::Member(name) } if name.starts_with(|c: char| c.is_ascii_uppercase()) => {
                let ty = type_named(name).ok_or_else(|| PathError::UnknownType { at: expr.at, name: name.clone() })?;
                if !is_a(self.ty, ty) {
                    return Err(PatchError::not_applicable(format!("the path begins with {name}, but the resource is a {}", self.ty.name())));
                }
                Ok(self.root())
            }
            ExprKind::Invoke { of, what } => {
                let of = match of {
                    Some(of) => self.focus(of)?,
                    None => self.root(),
                };
                match what {
                    Invocation::Member(name) => self.members(expr, of, name),
                    Invocation::Function { name, arguments } => self.function(expr, of, name, arguments),
                    _ => unsupported(expr, "this variable"),
                }
            }
            ExprKind::Index { of, index } => {
                let mut focus = self.focus(of)?;
                let wanted = number(index)?;
                focus.places = focus.places.into_iter().nth(wanted).into_iter().collect();
                Ok(focus)
            }
            ExprKind::Type { operator: crate::path::ast::TypeOperator::As, of, specifier } => {
                let of = self.focus(of)?;
                of_type(expr, of, specifier)
            }
            ExprKind::Binary { operator, .. } => unsupported(expr, &format!("\"{}\"", operator.text())),
            _ => unsupported(expr, "what is no path of elements"),
        }
    }

    /// The element `name` of each place. It is an error when no type can have it.
    fn members(&self, expr: &Expr, of: Focus, name: &str) -> Result<Focus, PatchError> {
        let mut types = Vec::new();
        for ty in &of.types {
            let owner = if is_primitive(*ty) { ELEMENT } else { *ty };
            types.extend(path_fields(owner, name).into_iter().map(|field| field.ty));
        }
        let mut places = Vec::new();
        for place in &of.places {
            for field in path_fields(place.object_type(), name) {
                places.extend(self.items(place, field)?);
            }
        }
        // what an abstract type has depends on the resource that is there
        let known = !types.is_empty() || !places.is_empty() || of.types.iter().any(|ty| ty.get().is_abstract);
        match of.types.first() {
            Some(ty) if !known => {
                let error = unknown(expr, name, *ty);
                Err(match ty.get().field(name) {
                    Some(field) => error.hint(format!("in FHIRPath it is {}", choice_path(*ty, field))),
                    None => error,
                })
            }
            _ => Ok(Focus { places, types }),
        }
    }

    fn function(&self, expr: &Expr, mut of: Focus, name: &str, arguments: &[Expr]) -> Result<Focus, PatchError> {
        match (name, arguments) {
            ("first", []) => of.places.truncate(1),
            ("last", []) => of.places = of.places.pop().into_iter().collect(),
            ("tail", []) => of.places = of.places.into_iter().skip(1).collect(),
            ("skip", [count]) => of.places = of.places.into_iter().skip(number(count)?).collect(),
            ("take", [count]) => of.places.truncate(number(count)?),
            ("single", []) => {
                if of.places.len() > 1 {
                    return Err(PatchError::not_applicable(format!("single() of {} elements", of.places.len())));
                }
            }
            ("where", [criteria]) => return self.filtered(of, criteria),
            ("ofType" | "as", [argument]) => {
                let Some(specifier) = argument.as_type_specifier() else {
                    return unsupported(argument, "anything but a type here");
                };
                return of_type(argument, of, &specifier);
            }
            ("extension", [url]) => {
                let ExprKind::Literal(Literal::String(url)) = &url.kind else { return unsupported(url, "a computed url") };
                let mut found = self.members(expr, of, "extension")?;
                found.places.retain(|place| self.node(place).and_then(|node| node.get("url")).and_then(Node::as_str) == Some(url));
                return Ok(found);
            }
            _ => return unsupported(expr, &format!("{}() with {} arguments", excerpt(name), arguments.len())),
        }
        Ok(of)
    }

    /// The places at which the criteria hold, which are compiled once for each type.
    fn filtered(&self, mut of: Focus, expr: &Expr) -> Result<Focus, PatchError> {
        let mut types: Vec<TypeId> = of.types.iter().copied().filter(|ty| !ty.get().is_abstract).chain(of.places.iter().map(Place::ty)).collect();
        types.sort_unstable();
        types.dedup();
        let mut conditions: Vec<(TypeId, Condition)> = Vec::new();
        let mut refused = None;
        for ty in types {
            match criteria(expr, ty) {
                Ok(condition) => conditions.push((ty, condition)),
                Err(error @ PathError::UnknownElement { .. }) => refused = Some(error),
                Err(error) => return Err(error.into()),
            }
        }
        if let (true, Some(error)) = (conditions.is_empty(), refused) {
            return Err(error.into());
        }
        let holds = |place: &Place| {
            let (_, condition) = conditions.iter().find(|(ty, _)| *ty == place.ty())?;
            condition.holds(self.node(place)?, Node::Object(self.root))
        };
        of.places.retain(|place| holds(place) == Some(true));
        Ok(of)
    }
}

/// The properties of an element by its name in FHIRPath, where a choice has no type in its name.
fn path_fields(owner: TypeId, name: &str) -> Vec<&'static Field> {
    if owner.get().elements.iter().any(|element| element.name == name) { fields(owner, name) } else { Vec::new() }
}

fn choice_path(owner: TypeId, field: &Field) -> String {
    let element = owner.get().elements.get(usize::from(field.element)).map_or(field.name, |element| element.name);
    format!("{element}.ofType({})", field.ty.name())
}

/// The type of a value: where any resource may stand, that of the resource.
fn type_of(field: &Field, value: Node<'_>) -> TypeId {
    if !field.ty.get().is_abstract {
        return field.ty;
    }
    let named = value.get("resourceType").and_then(Node::as_str).and_then(type_named);
    named.filter(|ty| is_a(*ty, field.ty)).unwrap_or(field.ty)
}

fn of_type(expr: &Expr, mut of: Focus, specifier: &TypeSpecifier) -> Result<Focus, PatchError> {
    let ty = named_type(specifier).ok_or_else(|| PathError::UnknownType { at: expr.at, name: specifier.name.clone() })?;
    let kept = |found: TypeId| found == ty || (ty.get().is_abstract && is_a(found, ty));
    of.places.retain(|place| kept(place.ty()));
    if !of.types.iter().any(|found| kept(*found) || (found.get().is_abstract && is_a(ty, *found))) && !of.types.is_empty() {
        return Err(PatchError::malformed(format!("nothing at this place can be a {}", ty.name())));
    }
    of.types = vec![ty];
    Ok(of)
}

/// A type by its name; System's types are taken for those of FHIR that JSON holds.
fn named_type(specifier: &TypeSpecifier) -> Option<TypeId> {
    if !matches!(specifier.namespace.as_deref(), None | Some("FHIR" | "System")) {
        return None;
    }
    type_named(&specifier.name).or_else(|| {
        let mut lower = specifier.name.clone();
        lower.get_mut(..1)?.make_ascii_lowercase();
        type_named(&lower).filter(|ty| is_primitive(*ty))
    })
}

fn number(expr: &Expr) -> Result<usize, PatchError> {
    match &expr.kind {
        // what is too large for a number is past every end
        ExprKind::Literal(Literal::Number(text)) if text.bytes().all(|digit| digit.is_ascii_digit()) => Ok(text.parse().unwrap_or(usize::MAX)),
        _ => unsupported(expr, "an index that is no whole number"),
    }
}

fn unknown(expr: &Expr, name: &str, owner: TypeId) -> PatchError {
    PathError::UnknownElement { at: expr.at, name: name.to_owned(), of: owner.name() }.into()
}

fn unsupported<T>(expr: &Expr, what: &str) -> Result<T, PatchError> {
    Err(PathError::Unsupported { at: expr.at, what: what.to_owned() }.into())
}

/// The types of some properties, for an error.
pub fn type_list(fields: &[&'static Field]) -> String {
    let names: Vec<&str> = fields.iter().map(|field| field.ty.name()).take(12).collect();
    let more = if fields.len() > names.len() { ", …" } else { "" };
    format!("{}{more}", names.join(", "))
}
