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

/// The content types that say which kind a patch is, as the CapabilityStatement and the header `Accept-Patch` list them.
pub const CONTENT_TYPES: [&str; 3] = ["application/json-patch+json", "application/merge-patch+json", "application/fhir+json"];

/// Resources in JSON, also as earlier versions of FHIR called them: a patch of such a type is a Parameters resource.
const RESOURCES: [&str; 3] = ["application/fhir+json", "application/json+fhir", "application/json"];

/// What is said to who sends a patch of another type, or of the type of resources what is no Parameters resource.
pub fn not_taken(content_type: &str) -> String {
    let shown: String = content_type.chars().take(64).collect();
    format!(
        "the server takes no such patch as {shown}: a JSON Patch comes as application/json-patch+json, a merge patch as \
         application/merge-patch+json, a FHIRPath Patch (Parameters) as application/fhir+json"
    )
}

impl PatchKind {
    /// The kind that a content type names, with or without parameters behind it; without one the kind that the patch looks like.
    /// The error is of status 415. <https://hl7.org/fhir/R4/http.html#patch>
    pub fn of_content(content_type: Option<&str>, patch: &[u8]) -> Result<Option<PatchKind>, String> {
        let Some(content_type) = content_type.map(str::trim).filter(|text| !text.is_empty()) else { return Ok(PatchKind::of(patch)) };
        let name = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match name.as_str() {
            "application/json-patch+json" => Ok(Some(PatchKind::Json)),
            "application/merge-patch+json" => Ok(Some(PatchKind::Merge)),
            name if RESOURCES.contains(&name) && PatchKind::of(patch) == Some(PatchKind::FhirPath) => Ok(Some(PatchKind::FhirPath)),
            _ => Err(not_taken(content_type)),
        }
    }

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

    /// The resource after the patch. `pause` is called before each operation: there a server may look whether it shall go on.
    pub fn apply(self, resource: &[u8], patch: &[u8], pause: &mut dyn FnMut()) -> Result<Vec<u8>, PatchError> {
        match self {
            PatchKind::Json => patch::json_patch_pausing(resource, patch, pause),
            // one pass, and no operations
            PatchKind::Merge => patch::merge_patch(resource, patch),
            PatchKind::FhirPath => patch::fhirpath_patch_pausing(resource, patch, pause),
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
    fn a_content_type_names_the_kind_and_others_are_refused() {
        let kind = |name: &str, text: &str| PatchKind::of_content(Some(name), &json::parse(text.as_bytes(), &json::Limits::default()).unwrap());
        let parameters = r#"{"resourceType":"Parameters"}"#;
        assert_eq!(kind("application/json-patch+json; charset=utf-8", "[]"), Ok(Some(PatchKind::Json)));
        assert_eq!(kind("Application/Merge-Patch+JSON", "{}"), Ok(Some(PatchKind::Merge)));
        assert_eq!(kind("application/merge-patch+json", parameters), Ok(Some(PatchKind::Merge)));
        for name in ["application/fhir+json;fhirVersion=4.0", "application/json", "application/json+fhir"] {
            assert_eq!(kind(name, parameters), Ok(Some(PatchKind::FhirPath)));
            assert!(kind(name, "[]").unwrap_err().contains("application/json-patch+json"), "{name}");
            assert!(kind(name, r#"{"active":true}"#).is_err(), "{name}");
        }
        for name in ["application/xml-patch+xml", "text/json", "application/json-patch+jsonx", "application/vnd.x+json", "x"] {
            assert!(kind(name, "[]").is_err() && kind(name, parameters).is_err(), "{name}");
        }
        assert_eq!(kind("", "[]"), Ok(Some(PatchKind::Json)));
        assert_eq!(PatchKind::of_content(None, &json::parse(b"{}", &json::Limits::default()).unwrap()), Ok(Some(PatchKind::Merge)));
    }

    #[test]
    fn a_patch_pauses_at_each_operation() {
        let container = |text: &str| json::parse(text.as_bytes(), &json::Limits::default()).unwrap();
        let resource = container(r#"{"resourceType":"Patient","active":true}"#);
        let pauses = |kind: PatchKind, patch: &str| {
            let mut pauses = 0;
            kind.apply(&resource, &container(patch), &mut || pauses += 1).unwrap();
            pauses
        };
        let test = r#"{"op":"test","path":"/active","value":true}"#;
        assert_eq!(pauses(PatchKind::Json, &format!("[{test},{test},{test}]")), 3);
        let replace = r#"{"name":"operation","part":[{"name":"type","valueCode":"replace"},{"name":"path","valueString":"Patient.active"},{"name":"value","valueBoolean":false}]}"#;
        assert!(pauses(PatchKind::FhirPath, &format!(r#"{{"resourceType":"Parameters","parameter":[{replace},{replace}]}}"#)) >= 2);
    }

    #[test]
    fn every_kind_has_a_name() {
        let names: Vec<&str> = NAMES.split(", ").flat_map(|part| part.split(" or ")).collect();
        assert_eq!(names.len(), 3);
        assert!(names.iter().all(|name| PatchKind::named(name).is_some()));
        assert_eq!(PatchKind::named("xml"), None);
    }
}
