//! Paths that name one place of a document at most: elements one below the other, the first where there may be several.
//!
//! Of such a path no more is needed than the properties on the way, so many of them are found together (`crate::path::places`).

use super::Program;
use super::code::{Code, Function, Kind, Member, Place};
use super::item::{Item, Named};
use crate::model::{self, TypeId, is_a, type_named};

/// One property on the way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Step {
    /// Of the JSON object.
    pub property: &'static str,
    /// Whether an array stands there, of which the first item is meant.
    pub first: bool,
    /// What is found there.
    pub ty: TypeId,
}

/// A path that leads to one place at most.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Plain {
    pub steps: Vec<Step>,
    /// That it asks for the key of a reference, and of which type alone.
    pub key: Option<Option<TypeId>>,
}

impl Program {
    /// The place that it names in a resource of a type; `None` where it asks for more than that.
    pub fn plain(&self, resource: TypeId) -> Option<Plain> {
        let Kind::Call { function: Function::GetReferenceKey, of, arguments } = &self.code.kind else {
            return Some(Plain { steps: finished(&self.code, resource)?, key: None });
        };
        let steps = finished(of, resource)?;
        let of_type = match arguments.iter().map(|argument| &argument.kind).collect::<Vec<_>>().as_slice() {
            [] => None,
            [Kind::Literal(Item::String(name))] => Some(type_named(name)?),
            _ => return None,
        };
        (steps.last()?.ty == model::REFERENCE).then_some(Plain { steps, key: Some(of_type) })
    }
}

/// The last step of a way, and whether several items can stand there.
struct Way {
    steps: Vec<Step>,
    ty: TypeId,
    several: bool,
}

fn finished(code: &Code, resource: TypeId) -> Option<Vec<Step>> {
    let way = way(code, resource)?;
    (!way.several && !way.steps.is_empty()).then_some(way.steps)
}

fn way(code: &Code, resource: TypeId) -> Option<Way> {
    match &code.kind {
        Kind::This => Some(Way { steps: Vec::new(), ty: resource, several: false }),
        Kind::Typed(ty) if is_a(resource, *ty) => Some(Way { steps: Vec::new(), ty: resource, several: false }),
        Kind::Path { of, members } => {
            let mut way = way(of, resource)?;
            members.iter().try_for_each(|member| way.follow(member))?;
            Some(way)
        }
        Kind::OfType { of, named } => {
            let Kind::Path { of, members } = &of.kind else { return None };
            let (choice, before) = members.split_last()?;
            let mut way = way(of, resource)?;
            before.iter().try_for_each(|member| way.follow(member))?;
            if !way.has_places() {
                return None;
            }
            let Place::Choice(number) = choice.place(way.ty) else { return None };
            let (Named::Fhir(named) | Named::Both(named, _)) = *named else { return None };
            let mut fields = way.ty.get().fields.iter().filter(|field| field.element == number && is_a(field.ty, named));
            let (field, None) = (fields.next()?, fields.next()) else { return None };
            (field.ty == named).then_some(())?;
            way.add(field)?;
            Some(way)
        }
        Kind::Call { function: Function::First, of, .. } => first(of, resource),
        Kind::At { of, index } if matches!(index.kind, Kind::Literal(Item::Integer(0))) => first(of, resource),
        Kind::Call { function: Function::Single, of, .. } => way(of, resource).filter(|way| !way.several),
        _ => None,
    }
}

fn first(of: &Code, resource: TypeId) -> Option<Way> {
    let mut way = way(of, resource)?;
    if way.several {
        way.steps.last_mut()?.first = true;
        way.several = false;
    }
    Some(way)
}

impl Way {
    /// Whether one item can stand there, and the definitions say all of what can stand in it.
    fn has_places(&self) -> bool {
        let definition = self.ty.get();
        !self.several && definition.kind != model::Kind::Primitive && !definition.is_abstract && self.ty != model::ELEMENT
    }

    fn follow(&mut self, member: &Member) -> Option<()> {
        if !self.has_places() {
            return None;
        }
        let Place::Field(field) = member.place(self.ty) else { return None };
        self.add(field)
    }

    fn add(&mut self, field: &'static model::Field) -> Option<()> {
        if field.ty == model::RESOURCE || field.ty == model::DOMAIN_RESOURCE {
            return None;
        }
        let element = self.ty.get().elements.get(usize::from(field.element))?;
        self.steps.push(Step { property: field.name, first: false, ty: field.ty });
        self.several = element.max > 1;
        self.ty = field.ty;
        Some(())
    }
}
