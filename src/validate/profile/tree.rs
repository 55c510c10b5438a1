//! The elements of a definition as a tree of names and slices.
//!
//! Where an element belongs is told by its id (`Observation.component:systolic.code`); where ids are missing or do not fit, by path, name of the
//! slice and order, as <https://hl7.org/fhir/R4/elementdefinition.html#path> says.

use super::ProfileError;
use super::element::{DiscriminatorKind, Element, Rules, TypeRef};
use crate::model::{ELEMENT, Field, Kind, TypeId};

/// Most elements of one definition. The largest of US Core has about 300.
pub const MAX_ELEMENTS: usize = 20_000;
/// Longest path, and most names of slices within each other.
const MAX_DEPTH: usize = 48;

/// An element with what stands below it.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    /// Without `[x]`: `value` for `Observation.value[x]`.
    pub name: Box<str>,
    pub element: Element,
    pub children: Vec<Tree>,
    pub slices: Vec<Tree>,
    /// A slice of a choice by the short name of its type: `valueQuantity`.
    pub is_short: bool,
}

/// One step of a place: the name of an element, and of a slice of it.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Step {
    name: String,
    slice: Option<String>,
}

impl Tree {
    /// The tree of elements of a definition of that type.
    pub fn new(elements: Vec<Element>, root: TypeId) -> Result<Tree, ProfileError> {
        if elements.len() > MAX_ELEMENTS {
            return Err(ProfileError::TooLarge { what: "elements", most: MAX_ELEMENTS });
        }
        let mut tree = Tree { name: root.name().into(), ..Tree::default() };
        let mut before: Vec<Step> = Vec::new();
        for element in elements {
            let place = place(&element, &before)?;
            let (Some(first), Some(below)) = (place.first(), place.get(1..)) else { continue };
            if first.name != root.name() {
                return Err(ProfileError::Malformed(format!("the element {} is not one of {}", element.path, root.name())));
            }
            tree.insert(below, element, root)?;
            before = place;
        }
        Ok(tree)
    }

    /// The child of that name.
    pub fn child(&self, name: &str) -> Option<&Tree> {
        self.children.iter().find(|child| &*child.name == name)
    }

    /// Takes over a differential that was made for what `self` describes.
    ///
    /// # Errors
    /// When more elements come of it than a definition may have: each new slice begins as a copy of the element.
    pub fn overlay(&mut self, over: Tree) -> Result<(), ProfileError> {
        let mut room = MAX_ELEMENTS.saturating_sub(self.size());
        self.overlay_within(over, &mut room)
    }

    fn overlay_within(&mut self, over: Tree, room: &mut usize) -> Result<(), ProfileError> {
        self.element.overlay(over.element);
        for child in over.children {
            match self.children.iter_mut().find(|c| c.name == child.name) {
                Some(known) => known.overlay_within(child, room)?,
                None => {
                    take(room, 1)?;
                    let element = Element { id: child.element.id.clone(), path: child.element.path.clone(), ..Element::default() };
                    let mut new = Tree { name: child.name.clone(), element, ..Tree::default() };
                    new.overlay_within(child, room)?;
                    self.children.push(new);
                }
            }
        }
        for slice in over.slices {
            let at = match self.slices.iter().position(|s| s.element.slice_name == slice.element.slice_name) {
                Some(at) => at,
                None => {
                    // A slice begins with what is said of all.
                    take(room, 1 + self.children.iter().map(Tree::size).sum::<usize>())?;
                    let element = Element {
                        id: slice.element.id.clone(),
                        path: slice.element.path.clone(),
                        slice_name: slice.element.slice_name.clone(),
                        min: Some(0),
                        slicing: None,
                        ..self.element.clone()
                    };
                    self.slices.push(Tree { name: self.name.clone(), element, children: self.children.clone(), slices: Vec::new(), is_short: slice.is_short });
                    self.slices.len() - 1
                }
            };
            self.slices.get_mut(at).ok_or(ProfileError::Internal)?.overlay_within(slice, room)?;
        }
        Ok(())
    }

    /// How many elements there are.
    fn size(&self) -> usize {
        1 + self.children.iter().chain(&self.slices).map(Tree::size).sum::<usize>()
    }

    /// Takes the slice of a choice that has one type left as what it is: the element itself. "If only one type is allowed, the slice and the
    /// element are the same."
    pub fn fold(&mut self) {
        for child in &mut self.children {
            child.fold();
        }
        for slice in &mut self.slices {
            slice.fold();
        }
        let is_choice = self.element.path.ends_with("[x]") || self.slices.iter().any(|slice| slice.is_short);
        let by_type = self.element.slicing.as_ref().is_none_or(|s| s.discriminators.iter().all(|d| d.kind == DiscriminatorKind::Type && &*d.path == "$this"));
        if !is_choice || !by_type {
            return;
        }
        // Where one type must be there, a choice has no room for another.
        if self.element.slicing.is_none()
            && let [slice] = self.slices.as_slice()
            && slice.is_short
            && slice.element.min.is_some_and(|min| min > 0)
        {
            self.element.types = slice.element.types.clone();
        }
        let only = |types: &Option<Box<[TypeRef]>>| match types.as_deref() {
            Some([ty]) => Some(ty.code.clone()),
            _ => None,
        };
        let closed = self.element.slicing.as_ref().is_some_and(|slicing| slicing.rules == Rules::Closed);
        let same = match self.slices.as_slice() {
            [slice] => only(&slice.element.types).is_some_and(|ty| closed || only(&self.element.types).as_ref() == Some(&ty)),
            _ => false,
        };
        if let Some(slice) = self.slices.pop_if(|_| same) {
            let (min, max) = (self.element.min.max(slice.element.min), self.element.max);
            self.element.overlay(slice.element);
            self.element.min = min;
            self.element.max = self.element.max.into_iter().chain(max).min();
            self.element.slicing = None;
            for child in slice.children {
                match self.children.iter_mut().find(|c| c.name == child.name) {
                    Some(known) => known.merge(child),
                    None => self.children.push(child),
                }
            }
        }
    }

    /// As [`Self::overlay`], where both hold already.
    fn merge(&mut self, over: Tree) {
        self.element.overlay(over.element);
        for child in over.children {
            match self.children.iter_mut().find(|c| c.name == child.name) {
                Some(known) => known.merge(child),
                None => self.children.push(child),
            }
        }
        for slice in over.slices {
            match self.slices.iter_mut().find(|s| s.element.slice_name == slice.element.slice_name) {
                Some(known) => known.merge(slice),
                None => self.slices.push(slice),
            }
        }
    }

    fn insert(&mut self, place: &[Step], element: Element, root: TypeId) -> Result<(), ProfileError> {
        let mut node = self;
        let mut types = vec![root];
        for (i, step) in place.iter().enumerate() {
            let last = i + 1 == place.len();
            let mut name = step.name.as_str();
            let mut slice = step.slice.as_deref();
            // `valueQuantity` is short for a slice of `value[x]` by its type: https://hl7.org/fhir/R4/profiling.html#shortcut
            let short = shorthand(&types, name);
            if let Some((field, element)) = short {
                (name, slice) = (element, slice.or(Some(field.name)));
            }
            types = match short {
                Some((field, _)) => vec![field.ty],
                None => fields(&types, name).map(|(_, field)| field.ty).collect(),
            };
            types.sort_unstable();
            types.dedup();
            let at = match node.children.iter().position(|child| &*child.name == name) {
                Some(at) => at,
                None => {
                    let path = format!("{}.{}", node.path_or_name(), step.name).into();
                    node.children.push(Tree { name: name.into(), element: Element { path, ..Element::default() }, ..Tree::default() });
                    node.children.len() - 1
                }
            };
            node = node.children.get_mut(at).ok_or(ProfileError::Internal)?;
            for part in slice.into_iter().flat_map(|slice| slice.split('/')) {
                let at = match node.slices.iter().position(|s| s.element.slice_name.as_deref().is_some_and(|n| local(n) == part)) {
                    Some(at) => at,
                    None => {
                        let types = short.map(|(field, _)| Box::from([TypeRef { code: field.ty.name().into(), profiles: Box::default(), targets: Box::default() }]));
                        let id = format!("{}:{part}", node.element.id).into();
                        let element = Element { path: node.element.path.clone(), id, slice_name: Some(part.into()), types, ..Element::default() };
                        node.slices.push(Tree { name: name.into(), element, is_short: short.is_some(), ..Tree::default() });
                        node.slices.len() - 1
                    }
                };
                node = node.slices.get_mut(at).ok_or(ProfileError::Internal)?;
            }
            if last {
                node.element.id = element.id.clone();
                node.element.path = element.path.clone();
                node.element.overlay(element);
                return Ok(());
            }
        }
        node.element.id = element.id.clone();
        node.element.path = element.path.clone();
        node.element.overlay(element);
        Ok(())
    }

    fn path_or_name(&self) -> &str {
        if self.element.path.is_empty() { &self.name } else { &self.element.path }
    }
}

fn take(room: &mut usize, count: usize) -> Result<(), ProfileError> {
    *room = room.checked_sub(count).ok_or(ProfileError::TooLarge { what: "elements", most: MAX_ELEMENTS })?;
    Ok(())
}

/// The last part of the name of a slice within a slice, `a/b`.
fn local(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

/// The fields of elements of that name, each with the type that has it. The value of a primitive has those of Element.
pub fn fields<'t>(types: &'t [TypeId], element: &'t str) -> impl Iterator<Item = (TypeId, &'static Field)> + 't {
    types.iter().map(|ty| if ty.get().kind == Kind::Primitive { ELEMENT } else { *ty }).flat_map(move |ty| {
        let of = ty.get();
        of.fields
            .iter()
            .filter(move |field| of.elements.get(usize::from(field.element)).is_some_and(|e| e.name == element))
            .map(move |field| (ty, field))
    })
}

/// The field of a choice that goes by that name, with the name of its element.
fn shorthand(types: &[TypeId], name: &str) -> Option<(&'static Field, &'static str)> {
    types.iter().find_map(|ty| {
        let field = ty.get().field(name)?;
        let element = ty.get().elements.get(usize::from(field.element)).filter(|element| element.is_choice && element.name != name)?;
        Some((field, element.name))
    })
}

fn place(element: &Element, before: &[Step]) -> Result<Vec<Step>, ProfileError> {
    let names: Vec<&str> = element.path.split('.').collect();
    if names.len() > MAX_DEPTH || element.slice_name.as_deref().is_some_and(|name| name.split('/').count() > MAX_DEPTH) {
        return Err(ProfileError::TooLarge { what: "names in a path", most: MAX_DEPTH });
    }
    if let Some(place) = by_id(element, &names) {
        return Ok(place);
    }
    let mut place: Vec<Step> = Vec::new();
    let mut follows = true;
    for (i, name) in names.iter().enumerate() {
        let name = bare(name).to_owned();
        let slice = if i + 1 == names.len() {
            element.slice_name.as_deref().map(str::to_owned)
        } else {
            let previous = before.get(i).filter(|step| follows && step.name == name);
            follows = previous.is_some();
            previous.and_then(|step| step.slice.clone())
        };
        place.push(Step { name, slice });
    }
    Ok(place)
}

/// The place that an id tells, where it fits the path and the name of the slice.
fn by_id(element: &Element, names: &[&str]) -> Option<Vec<Step>> {
    let parts: Vec<&str> = element.id.split('.').collect();
    if parts.len() != names.len() {
        return None;
    }
    let mut place = Vec::new();
    for (part, name) in parts.iter().zip(names) {
        let (part, slice) = part.split_once(':').map_or((*part, None), |(part, slice)| (part, Some(slice).filter(|s| !s.is_empty())));
        if bare(part) != bare(name) && !(part.ends_with("[x]") && name.starts_with(bare(part))) {
            return None;
        }
        place.push(Step { name: bare(part).to_owned(), slice: slice.map(str::to_owned) });
    }
    let last = place.last()?;
    (element.slice_name.as_deref().is_none_or(|name| last.slice.as_deref().map(local) == Some(local(name))) && (last.slice.is_none() || element.slice_name.is_some()))
        .then_some(place)
}

fn bare(name: &str) -> &str {
    name.strip_suffix("[x]").unwrap_or(name)
}
