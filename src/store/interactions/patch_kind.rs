//! The three kinds of patch that R4 names. <https://hl7.org/fhir/R4/http.html#patch>

use crate::json::{self, Node};
use crate::store::patch::{self, PatchError};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PatchKind {
    /// RFC 6902: an array of operations.
    Json,
    /// RFC 7396: an object of what changes.
    Merge,
    /// <https://hl7.org/fhir/R4/fhirpatch.html>: a Parameters resource.
    FhirPath,
}

/// What [`PatchKind::named`] knows.
pub const NAMES: &str = "json-patch, merge-patch or fhirpath-patch";

impl PatchKind {
    pub fn named(name: &str) -> Option<PatchKind> {
        match name {
            "json-patch" => Some(PatchKind::Json),
            "merge-patch" => Some(PatchKind::Merge),
            "fhirpath-patch" => Some(PatchKind::FhirPath),
            _ => None,
        }
    }

    /// The kind that a patch looks like. `None` for what is neither an array nor an object.
    pub fn of(patch: &[u8]) -> Option<PatchKind> {
        match json::root(patch)? {
            Node::Array(_) => Some(PatchKind::Json),
            Node::Object(object) if object.get("resourceType").and_then(Node::as_str) == Some("Parameters") => Some(PatchKind::FhirPath),
            Node::Object(_) => Some(PatchKind::Merge),
            _ => None,
        }
    }

    /// The resource after the patch.
    pub fn apply(self, resource: &[u8], patch: &[u8]) -> Result<Vec<u8>, PatchError> {
        match self {
            PatchKind::Json => patch::json_patch(resource, patch),
            PatchKind::Merge => patch::merge_patch(resource, patch),
            PatchKind::FhirPath => patch::fhirpath_patch(resource, patch),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shape_of_a_patch_tells_its_kind() {
        let kind = |text: &str| PatchKind::of(&json::parse(text.as_bytes(), &json::Limits::default()).unwrap());
        assert_eq!(kind("[]"), Some(PatchKind::Json));
        assert_eq!(kind(r#"{"resourceType":"Parameters"}"#), Some(PatchKind::FhirPath));
        assert_eq!(kind(r#"{"resourceType":"Patient","active":null}"#), Some(PatchKind::Merge));
        assert_eq!(kind("{}"), Some(PatchKind::Merge));
        for scalar in ["1", "null", "\"[]\"", "true"] {
            assert_eq!(kind(scalar), None, "{scalar}");
        }
    }

    #[test]
    fn every_kind_has_a_name() {
        let names: Vec<&str> = NAMES.split(", ").flat_map(|part| part.split(" or ")).collect();
        assert_eq!(names.len(), 3);
        assert!(names.iter().all(|name| PatchKind::named(name).is_some()));
        assert_eq!(PatchKind::named("xml"), None);
    }
}
