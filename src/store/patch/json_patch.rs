//! RFC 6902 and RFC 7396 through the crate `json-patch`.
//!
//! The crate applies one operation at a time, so that each is checked first for what it would make. `test` is done here,
//! because the crate compares the text of numbers.

use super::error::{PatchError, excerpt};
use super::tree::{self, Budget, MAX_DEPTH};
use super::MAX_OPERATIONS;
use crate::json::Node;
use json_patch::jsonptr::PointerBuf;
use json_patch::{AddOperation, CopyOperation, MoveOperation, PatchErrorKind, PatchOperation, RemoveOperation, ReplaceOperation};
use serde_json::Value;

/// The container of the document after all operations.
pub fn apply(document: Node<'_>, patch: Node<'_>, pause: &mut dyn FnMut()) -> Result<Vec<u8>, PatchError> {
    let operations = patch.as_array().ok_or_else(|| {
        PatchError::malformed("a JSON Patch is an array of operations")
            .hint("a JSON object is a merge patch, and a Parameters resource a FHIRPath Patch: fhir.merge_patch, fhir.fhirpath_patch")
    })?;
    let count = operations.len();
    if count > MAX_OPERATIONS {
        return Err(PatchError::too_many_operations(count));
    }
    let mut document = tree::tree(document, &mut Budget::default())?;
    // what the operations add counts on its own, also where another takes it away again
    let mut budget = Budget::default();
    for (i, operation) in operations.iter().enumerate() {
        pause();
        step(&mut document, operation, &mut budget).map_err(|error| {
            let member = |name| operation.get(name).and_then(Node::as_str).unwrap_or_default();
            error.of_operation(i + 1, count, member("op"), member("path"))
        })?;
    }
    tree::container(&document)
}

/// The container of the document after a merge.
pub fn merge(document: Node<'_>, patch: Node<'_>) -> Result<Vec<u8>, PatchError> {
    let mut document = tree::tree(document, &mut Budget::default())?;
    let patch = tree::tree(patch, &mut Budget::default())?;
    json_patch::merge(&mut document, &patch);
    tree::container(&document)
}

fn step(document: &mut Value, operation: Node<'_>, budget: &mut Budget) -> Result<(), PatchError> {
    let Some(object) = operation.as_object() else { return Err(PatchError::malformed("an operation is a JSON object")) };
    let name = match object.get("op") {
        Some(Node::String(name)) => name,
        Some(_) => return Err(PatchError::malformed("\"op\" is not a string")),
        None => return Err(PatchError::malformed("\"op\" is missing")),
    };
    let pointer = |member: &str| match object.get(member) {
        Some(Node::String(text)) => PointerBuf::parse(text.to_owned()).map_err(|_| {
            PatchError::malformed(format!("\"{member}\" is not a JSON Pointer: \"{}\"", excerpt(text)))
                .hint("a pointer is empty or begins with /; ~0 stands for ~ and ~1 for /")
        }),
        Some(_) => Err(PatchError::malformed(format!("\"{member}\" is not a string"))),
        None => Err(PatchError::malformed(format!("\"{member}\" is missing"))),
    };
    let value = || object.get("value").ok_or_else(|| PatchError::malformed("\"value\" is missing"));
    let path = match name {
        "add" | "remove" | "replace" | "move" | "copy" | "test" => pointer("path")?,
        _ => return Err(PatchError::malformed("unknown operation").hint("\"op\" is add, remove, replace, move, copy or test")),
    };
    shifts(document, &path, budget)?;
    let operation = match name {
        "test" => return test(document, &path, value()?, budget),
        "remove" => PatchOperation::Remove(RemoveOperation { path }),
        "add" | "replace" => {
            let value = tree::tree(value()?, budget)?;
            fits(&path, &value, budget)?;
            match name {
                "add" => PatchOperation::Add(AddOperation { path, value }),
                _ => PatchOperation::Replace(ReplaceOperation { path, value }),
            }
        }
        _ => {
            let from = pointer("from")?;
            shifts(document, &from, budget)?;
            if let Some(source) = document.pointer(from.as_str()) {
                fits(&path, source, budget)?;
                if name == "copy" {
                    tree::charge(source, budget)?;
                }
            }
            match name {
                "copy" => PatchOperation::Copy(CopyOperation { from, path }),
                _ => PatchOperation::Move(MoveOperation { from, path }),
            }
        }
    };
    // Without the crate's way back: after an error the document is thrown away.
    json_patch::patch_unsafe(document, std::slice::from_ref(&operation)).map_err(|error| match error.kind {
        PatchErrorKind::CannotMoveInsideItself => PatchError::not_applicable("a value cannot move into itself"),
        PatchErrorKind::InvalidFromPointer => PatchError::not_applicable(match &operation {
            PatchOperation::Move(MoveOperation { from, .. }) | PatchOperation::Copy(CopyOperation { from, .. }) => {
                format!("there is nothing at \"{}\"", excerpt(from.as_str()))
            }
            _ => "there is nothing at \"from\"".to_owned(),
        }),
        _ => match operation {
            PatchOperation::Remove(_) | PatchOperation::Replace(_) => nothing(),
            _ => PatchError::not_applicable("there is no such place to put the value")
                .hint("objects and arrays on the way must be there, and an index may be at most one past the end"),
        },
    })
}

fn nothing() -> PatchError {
    PatchError::not_applicable("there is nothing at this path")
}

fn test(document: &Value, path: &PointerBuf, expected: Node<'_>, budget: &mut Budget) -> Result<(), PatchError> {
    let found = document.pointer(path.as_str()).ok_or_else(nothing)?;
    if tree::equals(found, expected, budget)? {
        return Ok(());
    }
    Err(PatchError::not_applicable("the value at this path is another one"))
}

/// Counts the items of an array that an operation at this path may have to move aside.
fn shifts(document: &Value, path: &PointerBuf, budget: &mut Budget) -> Result<(), PatchError> {
    let Some((parent, _)) = path.split_back() else { return Ok(()) };
    match document.pointer(parent.as_str()) {
        Some(Value::Array(items)) => budget.work(items.len()),
        _ => Ok(()),
    }
}

/// Whether a value at this path leaves the document within its depth.
fn fits(path: &PointerBuf, value: &Value, budget: &mut Budget) -> Result<(), PatchError> {
    let levels = tree::levels(value, budget)?;
    if path.as_str().matches('/').count() + levels > MAX_DEPTH {
        return Err(PatchError::too_deep());
    }
    Ok(())
}
