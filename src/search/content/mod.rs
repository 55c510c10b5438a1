//! The words of a resource, for `_text` and `_content`. <https://hl7.org/fhir/R4/search.html#content>
//!
//! Text for `to_tsvector`: cut where a `tsvector` could not hold it, and without words that it would leave out.

mod lines;
#[cfg(feature = "pg")]
mod sql;
#[cfg(test)]
mod tests;
pub(crate) mod xhtml;

use crate::json::{Node, Object};
use crate::model::{self, BASE64_BINARY, CANONICAL, ELEMENT, ID, INSTANT, Kind, OID, REFERENCE, RESOURCE, TypeId, URI, URL, UUID, XHTML};
use lines::Lines;

/// The most bytes that either function gives.
pub const MAX_BYTES: usize = 1 << 20;

/// Levels that are read; what lies deeper has no words.
const MAX_DEPTH: usize = 500;

/// The narrative as plain text on one line: without tags, entities decoded, spaces collapsed. Empty where there is none.
pub fn narrative(resource: Node<'_>) -> String {
    let mut lines = Lines::default();
    let div = resource.get("text").and_then(|text| text.get("div"));
    if let Some(div) = div.and_then(Node::as_str) {
        lines.add(&xhtml::text(div, MAX_BYTES));
    }
    lines.finish()
}

/// All text of a resource, also of contained ones: one line for each string, in stored order. Markup is stripped; left out are
/// binary data, ids, urls and instants.
pub fn content(resource: Node<'_>) -> String {
    let mut lines = Lines::default();
    walk(resource, Some(RESOURCE), MAX_DEPTH, &mut lines);
    lines.finish()
}

/// Adds the strings of a value; of all of it where its type is not known.
fn walk(node: Node<'_>, ty: Option<TypeId>, depth: usize, lines: &mut Lines) {
    if lines.is_full() {
        return;
    }
    match node {
        Node::String(text) if ty == Some(XHTML) => lines.add(&xhtml::text(text, MAX_BYTES)),
        Node::String(text) if ty.is_none_or(is_text) => lines.add(text),
        Node::Array(array) if depth > 0 => array.iter().for_each(|item| walk(item, ty, depth - 1, lines)),
        Node::Object(members) if depth > 0 => object(members, ty, depth - 1, lines),
        _ => {}
    }
}

fn object(object: Object<'_>, ty: Option<TypeId>, depth: usize, lines: &mut Lines) {
    let named = object.get("resourceType").and_then(Node::as_str).and_then(model::type_named);
    let ty = if ty.is_some_and(|ty| ty.get().kind == Kind::Resource) { named.or(ty) } else { ty };
    for (key, value) in object.iter() {
        if matches!(key, "id" | "resourceType") || (ty == Some(REFERENCE) && key == "reference") {
            continue;
        }
        let field = |name: &str| ty.and_then(|ty| ty.get().field(name));
        let of_value = match key.strip_prefix('_') {
            Some(primitive) if field(primitive).is_some() => Some(ELEMENT),
            _ => field(key).map(|field| field.ty),
        };
        walk(value, of_value, depth, lines);
    }
}

/// Whether strings of that type say something in words or codes.
fn is_text(ty: TypeId) -> bool {
    ![BASE64_BINARY, CANONICAL, ID, INSTANT, OID, URI, URL, UUID].contains(&ty)
}
