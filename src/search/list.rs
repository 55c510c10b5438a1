//! The items of a List, for `_list`. <https://hl7.org/fhir/R4/search.html#list>

use crate::json::Node;
use crate::model::TypeId;
use crate::path::reference::{self, Target};

/// A resource of this server that is in a List.
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    pub ty: TypeId,
    pub id: String,
    /// Where the item names one version of it.
    pub version: Option<String>,
}

/// The items of a List that are not marked as deleted, in its order.
pub fn members(list: Node) -> Vec<Member> {
    let items = list.get("entry").into_iter().flat_map(Node::items).filter_map(|entry| {
        let is_deleted = entry.get("deleted").and_then(Node::as_bool) == Some(true);
        let text = entry.get("item")?.get("reference").and_then(Node::as_str).filter(|_| !is_deleted)?;
        match reference::target(text) {
            Target::Literal { base: "", ty, id, version } => Some(Member { ty, id: id.to_owned(), version: version.map(str::to_owned) }),
            _ => None,
        }
    });
    items.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;

    #[test]
    fn items_are_resources_or_versions_of_this_server() {
        let text = r##"{"resourceType":"List","entry":[{"item":{"reference":"Patient/a"}},{"item":{"reference":"Patient/b/_history/2"}},
            {"deleted":true,"item":{"reference":"Patient/c"}},{"item":{"reference":"http://x.org/Patient/d"}},{"item":{"reference":"#e"}},{"item":{"display":"f"}},{}]}"##;
        let container = json::parse(text.as_bytes(), &json::Limits::default()).unwrap();
        let found = members(json::root(&container).unwrap());
        let shown: Vec<String> = found.iter().map(|m| format!("{}/{} {:?}", m.ty.name(), m.id, m.version)).collect();
        assert_eq!(shown, ["Patient/a None", "Patient/b Some(\"2\")"]);
    }
}
