//! FHIRPath Patch: <https://hl7.org/fhir/R4/fhirpatch.html>.
//!
//! [`operation`] reads the Parameters resource, [`place`] finds the elements that a path leads to, [`value`] makes elements of
//! the right type, and [`edit`] writes the container anew, where all that is not touched keeps its bytes.

mod edit;
mod operation;
mod place;
mod value;

use super::error::PatchError;
use super::{MAX_BYTES, MAX_OPERATIONS};
use crate::json::{self, Node};
use crate::model::TypeId;
use crate::store::stamp;
use edit::Change;
use operation::{Kind, Operation};
use place::{Collection, Place, Resource};

/// How much one patch may go through. Each operation counts the document for each piece of its path, which may hold as many
/// conditions, and a part of it for writing it anew: about two seconds in all.
const MAX_WORK: usize = 256 << 20;
const WRITING: usize = 8;
const PATH_PIECE: usize = 64;

/// The container of the resource after all operations.
pub fn apply(resource: &[u8], parameters: Node<'_>, pause: &mut dyn FnMut()) -> Result<Vec<u8>, PatchError> {
    let operations = operation::list(parameters)?;
    let count = operations.len();
    if count > MAX_OPERATIONS {
        return Err(PatchError::too_many_operations(count));
    }
    let ty = resource_type(resource)?;
    let mut container = resource.to_vec();
    let mut work = 0usize;
    for (i, parameter) in operations.into_iter().enumerate() {
        pause();
        let operation = Operation::read(parameter).map_err(|error| error.of_operation(i + 1, count, "", ""))?;
        let conditions = container.len().saturating_mul(operation.path.len() / PATH_PIECE);
        work = work.saturating_add(conditions.saturating_add(container.len() / WRITING));
        if work > MAX_WORK {
            return Err(PatchError::too_much_work());
        }
        let name = operation.kind.name();
        let after = step(&container, ty, &operation).map_err(|error| error.of_operation(i + 1, count, name, operation.path))?;
        if let Some(after) = after {
            container = after;
        }
        if container.len() > MAX_BYTES {
            return Err(PatchError::too_large());
        }
    }
    Ok(container)
}

fn resource_type(container: &[u8]) -> Result<TypeId, PatchError> {
    let name = json::root(container).and_then(|root| root.get("resourceType")).and_then(Node::as_str);
    let name = name.ok_or_else(|| PatchError::malformed("not a FHIR resource: a FHIRPath Patch needs a resourceType"))?;
    stamp::resource_type(name).map_err(|refusal| PatchError::malformed(refusal.to_string()))
}

/// The container after one operation; `None` where nothing is to be changed.
fn step(container: &[u8], ty: TypeId, operation: &Operation<'_>) -> Result<Option<Vec<u8>>, PatchError> {
    let root = json::root(container).and_then(Node::as_object).ok_or_else(|| PatchError::malformed("not a FHIR resource"))?;
    let resource = Resource { root, ty };
    let path = crate::path::parse(operation.path)?;
    let (holder, change) = match operation.kind {
        Kind::Add => {
            let holder = only(resource.places(&path)?)?;
            let element = value::element(holder.object_type(), operation.name()?, operation.value()?)?;
            resource.check_free(&holder, &element)?;
            (holder, Change::Append(element))
        }
        Kind::Insert => {
            let list = resource.collection(&path)?;
            let at = within(operation.number("index")?, list.len, "index", list.len)?;
            let element = value::element(list.holder.object_type(), list.field.name, operation.value()?)?;
            (list.holder, Change::Insert { at, element })
        }
        Kind::Delete => {
            let Some(place) = none_or_one(resource.places(&path)?)? else { return Ok(None) };
            let (holder, link) = place.split()?;
            (holder, Change::Remove(link))
        }
        Kind::Replace => {
            let (holder, link) = only(resource.places(&path)?)?.split()?;
            let element = value::element(holder.object_type(), link.element(holder.object_type()), operation.value()?)?;
            (holder, Change::Replace { link, element })
        }
        Kind::Move => {
            let Collection { holder, field, len } = resource.collection(&path)?;
            let last = len.checked_sub(1).ok_or_else(|| PatchError::not_applicable("the list is empty"))?;
            let from = within(operation.number("source")?, last, "source", len)?;
            let to = within(operation.number("destination")?, last, "destination", len)?;
            (holder, Change::Move { field, from, to })
        }
    };
    Ok(Some(edit::edit(root, &holder, change)?))
}

/// An index that is at most `last`.
fn within(index: i64, last: usize, name: &str, len: usize) -> Result<usize, PatchError> {
    usize::try_from(index).ok().filter(|index| *index <= last).ok_or_else(|| {
        PatchError::not_applicable(format!("{name} {index} is outside of a list of {len}")).hint("indexes count from 0")
    })
}

fn none_or_one(mut places: Vec<Place>) -> Result<Option<Place>, PatchError> {
    match places.len() {
        0 | 1 => Ok(places.pop()),
        many => Err(PatchError::not_applicable(format!("the path leads to {many} elements, not to one"))
            .hint("choose one of them, as with [0], .first() or .where(use = 'official')")),
    }
}

fn only(places: Vec<Place>) -> Result<Place, PatchError> {
    none_or_one(places)?.ok_or_else(|| PatchError::not_applicable("the path leads to no element of this resource"))
}
