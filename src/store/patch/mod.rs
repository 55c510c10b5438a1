//! Patches of a resource, and the difference of two as a patch. <https://hl7.org/fhir/R4/http.html#patch>
//!
//! Takes and gives `jsonb` containers. [`json_patch`] is RFC 6902 and [`merge_patch`] RFC 7396, both through the crate
//! `json-patch` on a tree; [`fhirpath_patch`] is <https://hl7.org/fhir/R4/fhirpatch.html> and edits the container itself;
//! [`diff`] writes the JSON Patch that leads from one document to another.
//!
//! None of them validates what comes out: the server processes it as an update, and that does.

mod diff;
mod error;
mod fhirpath;
mod json_patch;
mod tree;

#[cfg(feature = "pg")]
mod sql;
#[cfg(test)]
mod tests;

pub use error::PatchError;

use crate::json::{self, Node};

/// Most operations in one patch.
pub const MAX_OPERATIONS: usize = 10_000;

/// Most bytes of a document that is patched or comes out, and of what a patch adds to one.
pub const MAX_BYTES: usize = 64 << 20;

/// Applies a JSON Patch (RFC 6902).
///
/// Untouched places keep every digit of their numbers; `test` compares numbers by value, as RFC 6902 section 4.6 demands.
///
/// # Errors
/// `22023` what is no JSON Patch, or changes type or id of a resource; `FH422` an operation that does not apply to this
/// document, such as a `test` that fails; `54000` and `54001` what is too large or too deep.
pub fn json_patch(resource: &[u8], patch: &[u8]) -> Result<Vec<u8>, PatchError> {
    json_patch_pausing(resource, patch, &mut || ())
}

/// The same, calling `pause` before each operation: there a server may look whether it shall go on.
pub fn json_patch_pausing(resource: &[u8], patch: &[u8], pause: &mut dyn FnMut()) -> Result<Vec<u8>, PatchError> {
    let (before, patch) = (document(resource)?, document(patch)?);
    same_resource(before, json_patch::apply(before, patch, pause)?)
}

/// Applies a JSON Merge Patch (RFC 7396): members of objects are replaced, or removed where the patch has `null`; an array is
/// replaced as a whole.
///
/// # Errors
/// `22023` a patch that changes type or id of a resource; `54000` and `54001` what is too large or too deep.
pub fn merge_patch(resource: &[u8], patch: &[u8]) -> Result<Vec<u8>, PatchError> {
    let (before, patch) = (document(resource)?, document(patch)?);
    same_resource(before, json_patch::merge(before, patch)?)
}

/// Applies a FHIRPath Patch, a Parameters resource: <https://hl7.org/fhir/R4/fhirpatch.html>.
///
/// # Errors
/// `22023` what is no such patch, names what the types do not have, gives a value of the wrong type, or changes type or id;
/// `FH422` an operation that does not apply to this resource; `54000` and `54001` what is too large or too deep.
pub fn fhirpath_patch(resource: &[u8], parameters: &[u8]) -> Result<Vec<u8>, PatchError> {
    fhirpath_patch_pausing(resource, parameters, &mut || ())
}

/// The same, calling `pause` before each operation.
pub fn fhirpath_patch_pausing(resource: &[u8], parameters: &[u8], pause: &mut dyn FnMut()) -> Result<Vec<u8>, PatchError> {
    let (before, parameters) = (document(resource)?, document(parameters)?);
    same_resource(before, fhirpath::apply(resource, parameters, pause)?)
}

/// The JSON Patch that leads from one document to the other: applied to `from` it gives `to`, to the last digit.
///
/// The same documents always give the same patch. In arrays what both have in common stays where it is.
///
/// # Errors
/// `54000` and `54001` where a document is too large or too deep.
pub fn diff(from: &[u8], to: &[u8]) -> Result<Vec<u8>, PatchError> {
    diff::diff(document(from)?, document(to)?)
}

fn document(container: &[u8]) -> Result<Node<'_>, PatchError> {
    if container.len() > MAX_BYTES {
        return Err(PatchError::too_large());
    }
    json::root(container).ok_or_else(|| PatchError::malformed("not a jsonb document"))
}

/// "The server SHALL NOT" let a patch reach another resource: type and id are what tell resources apart.
fn same_resource(before: Node<'_>, after: Vec<u8>) -> Result<Vec<u8>, PatchError> {
    if after.len() > MAX_BYTES {
        return Err(PatchError::too_large());
    }
    let Some(ty) = before.get("resourceType") else { return Ok(after) };
    let new = json::root(&after).ok_or_else(|| PatchError::malformed("not a jsonb document"))?;
    let kept = |a: Option<Node>, b: Option<Node>| match (a, b) {
        (None, None) => true,
        (Some(a), Some(b)) => tree::is_same(a, b, &mut tree::Budget::default()) == Ok(true),
        _ => false,
    };
    if !kept(Some(ty), new.get("resourceType")) {
        return Err(PatchError::malformed("a patch cannot change the type of a resource")
            .hint("create a resource of the other type, and delete this one"));
    }
    if !kept(before.get("id"), new.get("id")) {
        return Err(PatchError::malformed("a patch cannot change the id of a resource")
            .hint("create the resource under the other id, and delete this one"));
    }
    Ok(after)
}
