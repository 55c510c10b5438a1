//! What a literal reference points at: <https://hl7.org/fhir/R4/references.html#literal>.

use crate::json::{Node, Object};
use crate::model::{ELEMENT, RESOURCE, TypeId, resource_types};
use std::sync::LazyLock;

/// The text of `Reference.reference`, taken apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Target<'a> {
    /// `#id`: a contained resource; `#` alone is the container itself.
    Contained(&'a str),
    /// `Type/id`, with or without a server before it and a version behind it.
    Literal { base: &'a str, ty: TypeId, id: &'a str, version: Option<&'a str> },
    /// `Type?identifier=…`, as entries of a transaction may say.
    Conditional(TypeId),
    /// Any other address: `urn:uuid:…`, or a URL that does not show a type.
    Absolute,
    /// No scheme, and not `Type/id`.
    Malformed,
}

impl Target<'_> {
    /// The type of the resource pointed at, where the text shows it.
    pub fn ty(self) -> Option<TypeId> {
        match self {
            Target::Literal { ty, .. } | Target::Conditional(ty) => Some(ty),
            _ => None,
        }
    }
}

/// Takes a literal reference apart.
pub fn target(reference: &str) -> Target<'_> {
    // Nearly all are `Type/id`.
    if let Some((name, id)) = reference.split_once('/')
        && is_id(id)
        && let Some(ty) = resource_type(name)
    {
        return Target::Literal { base: "", ty, id, version: None };
    }
    if let Some(id) = reference.strip_prefix('#') {
        return Target::Contained(id);
    }
    let absolute = has_scheme(reference);
    if let Some((ty, _)) = reference.split_once('?').filter(|_| !absolute) {
        return resource_type(ty).map_or(Target::Malformed, Target::Conditional);
    }
    let (path, version) = match reference.split_once("/_history/") {
        Some((path, version)) => (path, Some(version)),
        None => (reference, None),
    };
    let (rest, id) = path.rsplit_once('/').unwrap_or(("", path));
    let (base, name) = match rest.rsplit_once('/') {
        Some((base, name)) if absolute => (base, name),
        Some(_) => return Target::Malformed,
        None => ("", rest),
    };
    match resource_type(name) {
        Some(ty) if is_id(id) && version.is_none_or(is_id) && absolute != base.is_empty() => Target::Literal { base, ty, id, version },
        _ if absolute => Target::Absolute,
        _ => Target::Malformed,
    }
}

/// `[A-Za-z0-9\-\.]{1,64}`: <https://hl7.org/fhir/R4/datatypes.html#id>.
pub fn is_id(text: &str) -> bool {
    // Without a way out the loop takes many bytes at once.
    (1..=64).contains(&text.len()) && text.bytes().fold(true, |all, b| all & (b.is_ascii_alphanumeric() | (b == b'-') | (b == b'.')))
}

/// The concrete resource type of that name.
#[inline]
pub fn resource_type(name: impl AsRef<[u8]>) -> Option<TypeId> {
    // Asked for every resource and reference, so not by a search over all types: by length, first and last letters.
    static BUCKETS: LazyLock<[Vec<TypeId>; 256]> = LazyLock::new(|| {
        let mut buckets = [const { Vec::new() }; 256];
        resource_types().for_each(|ty| buckets[bucket(ty.name().as_bytes())].push(ty));
        buckets
    });
    let name = name.as_ref();
    BUCKETS[bucket(name)].iter().copied().find(|ty| ty.name().as_bytes() == name)
}

/// The type of an object that stands where the definitions have `declared`: where any resource may stand, its own, and none if
/// there is no such type.
pub fn type_of(object: &Object, declared: TypeId) -> Option<TypeId> {
    match object.get("resourceType").and_then(Node::as_str) {
        Some(name) if declared == RESOURCE => resource_type(name),
        _ => Some(declared),
    }
}

/// The type of what stands in a property of an object of that type; none for what the definitions do not have. Beside a primitive, with
/// `_` before its name, stands what extends it.
pub fn type_in(ty: TypeId, property: &str) -> Option<TypeId> {
    match property.starts_with('_') {
        true => Some(ELEMENT),
        false => ty.get().field(property).map(|field| field.ty),
    }
}

#[inline]
fn bucket(name: &[u8]) -> usize {
    match name {
        [a, b, .., y, z] => usize::from(a.wrapping_mul(31) ^ b.wrapping_mul(17) ^ y.wrapping_mul(7) ^ z ^ name.len() as u8),
        _ => 0,
    }
}

/// Whether a URI begins with `scheme:` (RFC 3986, 3.1).
pub fn has_scheme(uri: &str) -> bool {
    let Some((scheme, _)) = uri.split_once(':') else { return false };
    scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::type_named;

    #[test]
    fn a_property_has_the_type_of_its_definition() {
        let named = |name| type_named(name).unwrap();
        assert_eq!(type_in(named("Patient"), "name"), type_named("HumanName"));
        assert_eq!(type_in(named("Observation"), "valueQuantity"), type_named("Quantity"));
        assert_eq!(type_in(named("Patient"), "_birthDate"), type_named("Element"));
        assert_eq!(type_in(named("Patient"), "nonsense"), None);
    }

    #[test]
    fn references_are_taken_apart() {
        let patient = type_named("Patient").unwrap();
        let literal = |base, version| Target::Literal { base, ty: patient, id: "a.1", version };
        assert_eq!(target("Patient/a.1"), literal("", None));
        assert_eq!(target("Patient/a.1/_history/2"), literal("", Some("2")));
        assert_eq!(target("http://x.org/fhir/Patient/a.1"), literal("http://x.org/fhir", None));
        assert_eq!(target("Patient?identifier=x|1"), Target::Conditional(patient));
        assert_eq!(target("#p"), Target::Contained("p"));
        assert_eq!(target("urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0"), Target::Absolute);
        assert_eq!(target("http://x.org/fhir/Nothing/a"), Target::Absolute);
        for bad in ["", "Patient", "Patient/", "Patient/a b", "x/Patient/1", "Resource/1", "HumanName/1", "/Patient/1"] {
            assert_eq!(target(bad), Target::Malformed, "{bad}");
        }
    }
}
