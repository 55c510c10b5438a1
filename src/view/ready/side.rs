//! Side views: a row for each value of an element that repeats.

use super::columns::{Flat, is_own};
use super::names::{fitting, joined};
use super::{Key, Outer, ReadyError, Rows, Select, View, name_of};
use crate::model::{self, Element, Field, Kind, TypeId};

/// How deep elements are nested in those side views that are made without being asked for.
const MAX_DEPTH: usize = 8;

/// One element on the way to the rows.
struct Step {
    element: &'static Element,
    field: &'static Field,
}

impl Step {
    fn path(&self) -> String {
        match self.element.is_choice {
            true => format!("{}.ofType({})", self.element.name, self.field.ty.name()),
            false => self.element.name.to_owned(),
        }
    }

    fn repeats(&self) -> bool {
        self.element.max != 1
    }
}

/// The elements of a resource type that have side views, as [`super::view`] takes them: nested elements that repeat, and
/// datatypes that repeat in the resource itself.
pub fn side_views(resource: TypeId) -> Vec<String> {
    let mut found = Vec::new();
    for field in resource.get().fields {
        let repeats = resource.get().elements.get(usize::from(field.element)).is_some_and(|element| element.max != 1 && is_own(resource, element));
        if field.ty.get().kind == Kind::Complex && repeats && side_view(resource, field.name).is_ok() {
            found.push(field.name.to_owned());
        }
    }
    nested(resource, "", &mut Vec::new(), &mut found);
    found
}

fn nested(ty: TypeId, at: &str, around: &mut Vec<TypeId>, found: &mut Vec<String>) {
    for field in ty.get().fields.iter().filter(|field| field.ty.get().kind == Kind::Backbone) {
        if around.contains(&field.ty) {
            continue;
        }
        let path = if at.is_empty() { field.name.to_owned() } else { format!("{at}.{}", field.name) };
        let repeats = ty.get().elements.get(usize::from(field.element)).is_some_and(|element| element.max != 1);
        if repeats || !ways_back(field.ty, around).is_empty() {
            found.push(path.clone());
        }
        if around.len() < MAX_DEPTH {
            around.push(field.ty);
            nested(field.ty, &path, around, found);
            around.pop();
        }
    }
}

/// The paths from values of a nested element to values of the same, other than by way of what is around.
pub fn ways_back(ty: TypeId, around: &[TypeId]) -> Vec<String> {
    let mut found = Vec::new();
    back(ty, ty, "", &mut around.to_vec(), &mut found);
    found
}

fn back(goal: TypeId, ty: TypeId, at: &str, around: &mut Vec<TypeId>, found: &mut Vec<String>) {
    for field in ty.get().fields.iter().filter(|field| field.ty.get().kind == Kind::Backbone) {
        let path = if at.is_empty() { field.name.to_owned() } else { format!("{at}.{}", field.name) };
        if field.ty == goal {
            found.push(path);
        } else if !around.contains(&field.ty) && around.len() < MAX_DEPTH {
            around.push(field.ty);
            back(goal, field.ty, &path, around, found);
            around.pop();
        }
    }
}

pub fn side_view(resource: TypeId, element: &str) -> Result<View, ReadyError> {
    let steps = steps(resource, element)?;
    let whole = format!("{}.{element}", resource.name());
    let Some(last) = steps.last() else { return Err(ReadyError::NoRows { element: whole }) };
    let names: Vec<&str> = std::iter::once(resource.name()).chain(steps.iter().map(|step| step.field.name)).collect();

    let mut flat = Flat::of(resource);
    let id = format!("{}_id", name_of(resource));
    flat.add(&id, "getResourceKey()", model::ID, format!("id of the {}", resource.name()), Some(Key::Row));
    flat.patient();
    let mut levels = vec![Select { rows: Rows::Same, columns: std::mem::take(&mut flat.columns), inner: Vec::new() }];

    let mut path = String::new();
    let mut around = Vec::new();
    // what the levels are called, and how many columns their keys have
    let mut called: Vec<Outer> = Vec::new();
    for (step, depth) in steps.iter().zip(2..) {
        path = if path.is_empty() { step.path() } else { format!("{path}.{}", step.path()) };
        let ways_back = if step.field.ty.get().kind == Kind::Backbone { ways_back(step.field.ty, &around) } else { Vec::new() };
        if step.field.ty.get().kind == Kind::Backbone {
            around.push(step.field.ty);
        }
        if !step.repeats() && ways_back.is_empty() {
            continue;
        }
        let start = std::mem::take(&mut path);
        let rows = match ways_back.is_empty() {
            true => Rows::Each(start),
            false => {
                let others = ways_back.into_iter().filter(|way| *way != start);
                Rows::Repeat(std::iter::once(start.clone()).chain(others).collect())
            }
        };
        flat = flat.row_of(step.field.name, &around);
        let number = joined(&[step.field.name, "number"]);
        flat.add(&number, "%rowIndex + 1", model::INTEGER, format!("Counts {} from 1", step.field.name), Some(Key::Row));
        levels.push(Select { rows, columns: std::mem::take(&mut flat.columns), inner: Vec::new() });
        called.push(Outer { name: fitting(joined(names.get(..depth).unwrap_or_default())), key: called.len() + 2 });
    }
    if levels.len() < 2 {
        return Err(ReadyError::NoRows { element: whole });
    }
    // the element itself need not repeat, only something on the way to it
    if !path.is_empty() {
        levels.push(Select { rows: Rows::Each(path), columns: Vec::new(), inner: Vec::new() });
    } else {
        called.pop();
    }
    match last.field.ty.get().kind {
        Kind::Primitive => flat.primitive_row(last.field.ty, last.field.name, last.element.short),
        Kind::Complex => flat.datatype_row(last.field, last.field.name, last.element.short),
        Kind::Backbone => flat.elements(last.field.ty),
        Kind::Resource => {}
    }
    // what there is only to be nested further has rows as well
    if flat.columns.is_empty() && last.field.ty.get().kind != Kind::Backbone {
        return Err(ReadyError::NoColumns { element: whole });
    }
    if let Some(level) = levels.last_mut() {
        level.columns.append(&mut flat.columns);
    }
    let mut levels = levels.into_iter().rev();
    let mut select = levels.next().ok_or(ReadyError::NoRows { element: whole.clone() })?;
    for mut outer in levels {
        outer.inner.push(select);
        select = outer;
    }
    let description = format!("{}: one row for each {whole}", last.element.short);
    Ok(View { name: fitting(joined(&names)), description, resource, select, outer: called.pop() })
}

/// An element path, as JSON names its parts.
fn steps(resource: TypeId, path: &str) -> Result<Vec<Step>, ReadyError> {
    let mut ty = resource;
    let mut steps = Vec::new();
    for name in path.split('.') {
        let found = ty.get().field(name).and_then(|field| Some(Step { element: ty.get().elements.get(usize::from(field.element))?, field }));
        let step = found.ok_or_else(|| ReadyError::NoElement { of: ty.name().to_owned(), name: name.to_owned() })?;
        ty = step.field.ty;
        steps.push(step);
    }
    Ok(steps)
}
