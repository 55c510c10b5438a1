//! The patients of a [Group](https://hl7.org/fhir/R4/group.html), and the groups inside it.

use super::request::GROUP;
use crate::index::extract::HOME;
use crate::index::time;
use crate::json::Node;
use crate::path::reference::{self, Target};

/// Groups inside groups that are followed.
pub const DEPTH: usize = 16;

/// Members that belong to the group now.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Members {
    /// As `Patient/id`.
    pub patients: Vec<String>,
    /// Ids of groups.
    pub groups: Vec<String>,
}

/// Who belongs to a group at that time: neither inactive nor of a period that is over. Members of other kinds have no compartment
/// of their own.
pub fn members(group: Node, now: i64) -> Members {
    let mut found = Members::default();
    for member in group.get("member").into_iter().flat_map(Node::items) {
        let is_over = member
            .get("period")
            .and_then(|period| period.get("end"))
            .and_then(Node::as_str)
            .and_then(time::parse)
            .is_some_and(|end| end.last() < now);
        if is_over || member.get("inactive").and_then(Node::as_bool) == Some(true) {
            continue;
        }
        let Some(text) = member.get("entity").and_then(|entity| entity.get("reference")).and_then(Node::as_str) else { continue };
        let Target::Literal { base: "", ty, id, .. } = reference::target(text) else { continue };
        match ty.name() {
            HOME => found.patients.push(format!("{HOME}/{id}")),
            GROUP => found.groups.push(id.to_owned()),
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::{self, Limits};

    #[test]
    fn who_belongs_to_a_group_now() {
        let text = br#"{"resourceType":"Group","member":[
            {"entity":{"reference":"Patient/a"}},
            {"entity":{"reference":"Patient/gone"},"inactive":true},
            {"entity":{"reference":"Patient/past"},"period":{"end":"1999-05-01"}},
            {"entity":{"reference":"Patient/b/_history/2"},"period":{"start":"1999-05-01","end":"2001"}},
            {"entity":{"reference":"Group/g"},"inactive":false},
            {"entity":{"reference":"Device/d"}},
            {"entity":{"reference":"http://elsewhere.org/fhir/Patient/c"}},
            {"entity":{"identifier":{"value":"x"}}}]}"#;
        let group = json::parse(text, &Limits::default()).unwrap();
        let found = members(json::root(&group).unwrap(), 0);
        assert_eq!(found.patients, ["Patient/a", "Patient/b"]);
        assert_eq!(found.groups, ["g"]);
    }
}
