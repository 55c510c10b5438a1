//! What a differential means with its base: <https://hl7.org/fhir/R4/profiling.html#snapshot>.

use super::compile::Head;
use super::element::Element;
use super::tree::Tree;
use super::{CORE, Definitions, Profile, ProfileError, core_type, parts, unversioned};
use crate::json::{self, Node};
use std::sync::{Arc, LazyLock};

/// Bases that a definition may have one behind the other, as far as a resolver should follow them.
pub const MAX_BASES: usize = 32;

/// The elements of a definition: those of its snapshot, or of its base with what the differential says.
pub(super) fn tree(definition: Node<'_>, head: &Head<'_>, definitions: &dyn Definitions) -> Result<Tree, ProfileError> {
    match elements(definition, "snapshot")? {
        Some(elements) => {
            let mut tree = Tree::new(elements, head.ty)?;
            tree.fold();
            Ok(tree)
        }
        None => derived(definition, head, definitions),
    }
}

/// The elements of the base with what the differential says. Of a type of FHIR itself nothing needs to be said: rules are only what goes
/// beyond it.
pub(super) fn derived(definition: Node<'_>, head: &Head<'_>, definitions: &dyn Definitions) -> Result<Tree, ProfileError> {
    let differential = Tree::new(elements(definition, "differential")?.unwrap_or_default(), head.ty)?;
    let mut tree = match head.base.filter(|base| core_type(base).is_none()) {
        None => Tree { name: head.ty.name().into(), ..Tree::default() },
        Some(base) => {
            let (url, version) = parts(base);
            if url == head.url {
                return Err(ProfileError::UnknownBase(url.to_owned()));
            }
            let base = definitions.structure(url, version).or_else(|| built_in(url)).ok_or_else(|| ProfileError::UnknownBase(base.to_owned()))?;
            if base.ty != head.ty {
                return Err(ProfileError::Malformed(format!("the base {url} is for {}, not for {}", base.ty.name(), head.ty.name())));
            }
            base.tree.clone()
        }
    };
    tree.element.id = head.ty.name().into();
    tree.element.path = head.ty.name().into();
    tree.overlay(differential)?;
    tree.fold();
    Ok(tree)
}

fn elements(definition: Node<'_>, part: &str) -> Result<Option<Vec<Element>>, ProfileError> {
    let Some(array) = definition.get(part).and_then(|part| part.get("element")).and_then(Node::as_array) else { return Ok(None) };
    if array.is_empty() {
        return Ok(None);
    }
    array.iter().map(Element::read).collect::<Result<_, _>>().map(Some)
}

/// A profile of FHIR itself that its own types refer to.
pub(super) fn built_in(url: &str) -> Option<Arc<Profile>> {
    static SIMPLE_QUANTITY: LazyLock<Option<Arc<Profile>>> = LazyLock::new(|| {
        let text = br#"{"resourceType":"StructureDefinition","url":"http://hl7.org/fhir/StructureDefinition/SimpleQuantity","name":"SimpleQuantity",
            "kind":"complex-type","type":"Quantity","differential":{"element":[{"path":"Quantity"},{"path":"Quantity.comparator","max":"0"}]}}"#;
        let bytes = json::parse(text, &json::Limits::default()).ok()?;
        Profile::compile(json::root(&bytes)?, &Nothing).ok().map(Arc::new)
    });
    match unversioned(url).strip_prefix(CORE)? {
        "SimpleQuantity" => SIMPLE_QUANTITY.clone(),
        _ => None,
    }
}

/// Knows no profile.
struct Nothing;

impl Definitions for Nothing {
    fn structure(&self, _: &str, _: Option<&str>) -> Option<Arc<Profile>> {
        None
    }
}
