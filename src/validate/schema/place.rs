//! From a JSON Pointer to the expression by which FHIR calls the same place.

use crate::json::Node;
use crate::model::{Kind, TypeId, type_named};

/// `Patient.name[0].given[1]` for `/name/0/given/1`; `value` where the property is `valueQuantity`.
pub(super) fn expression(root: Node<'_>, pointer: &str) -> String {
    let mut at = Some(root);
    let mut ty = resource_type(root);
    let mut out = ty.map_or(String::new(), |ty| ty.name().to_owned());
    for segment in pointer.split('/').skip(1) {
        if let Some(Node::Array(array)) = at {
            out.push_str(&format!("[{segment}]"));
            at = segment.parse().ok().and_then(|index| array.get(index));
        } else {
            let name = segment.replace("~1", "/").replace("~0", "~");
            let field = ty.and_then(|ty| Some((ty, ty.get().field(&name).or_else(|| ty.get().field(name.strip_prefix('_')?))?)));
            if !out.is_empty() {
                out.push('.');
            }
            out.push_str(field.map_or(&name, |(ty, field)| ty.get().elements[usize::from(field.element)].name));
            at = at.and_then(|node| node.get(&name));
            ty = field.map(|(_, field)| field.ty);
        }
        if ty.is_some_and(|ty| ty.get().kind == Kind::Resource) {
            ty = at.filter(|node| node.as_object().is_some()).map_or(ty, resource_type);
        }
    }
    out
}

fn resource_type(node: Node<'_>) -> Option<TypeId> {
    type_named(node.get("resourceType")?.as_str()?).filter(|ty| ty.is_concrete_resource())
}
