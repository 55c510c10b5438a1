//! Second and later compartments of a resource, read from its keys: they hold every reference that a compartment is defined by.
//! <https://hl7.org/fhir/R4/compartmentdefinition-patient.html>

use crate::index::Keys;
use crate::index::keys::{Target, Value};
use crate::model::{self, TypeId};
use std::collections::BTreeSet;

/// The compartments of a resource beside `home`, its first.
pub fn others(ty: TypeId, keys: &[u8], home: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    // A resource that belongs to no patient is at home with itself, and then in nobody else's compartment.
    let Some((compartment, _)) = home.split_once('/') else { return found };
    let Some(keys) = Keys::read(keys) else { return found };
    for rule in model::compartment_rules(ty).filter(|rule| rule.compartment.name() == compartment) {
        for parameter in rule.parameters.iter().filter_map(|code| model::search_parameter(ty, code)) {
            for entry in keys.of(parameter.key) {
                if let Value::Reference(reference) = entry.value
                    && let Some((target, id)) = Target::read(reference).and_then(Target::local)
                    && target == compartment
                {
                    let other = format!("{target}/{id}");
                    if other != home {
                        found.insert(other);
                    }
                }
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{index, json};

    fn both(text: &str) -> (Vec<String>, Vec<String>) {
        let container = json::parse(text.as_bytes(), &json::Limits::default()).unwrap();
        let node = json::root(&container).unwrap();
        let stamp = index::stamp(node);
        let ty = model::type_named(node.get("resourceType").and_then(json::Node::as_str).unwrap()).unwrap();
        let home = stamp.compartments.first().cloned().unwrap_or_default();
        let mut rest: Vec<String> = stamp.compartments.into_iter().skip(1).collect();
        rest.sort();
        (others(ty, &stamp.keys, &home).into_iter().collect(), rest)
    }

    #[test]
    fn the_keys_know_the_compartments_of_the_stamp() {
        for text in [
            r#"{"resourceType":"Appointment","id":"a","participant":[{"actor":{"reference":"Patient/1"}},{"actor":{"reference":"Patient/2"}},{"actor":{"reference":"Location/1"}}]}"#,
            r#"{"resourceType":"Patient","id":"1","link":[{"other":{"reference":"Patient/2"}}]}"#,
            r#"{"resourceType":"Observation","id":"o","subject":{"reference":"Patient/1"},"performer":[{"reference":"Patient/1"}]}"#,
            r#"{"resourceType":"Location","id":"l"}"#,
        ] {
            let (found, expected) = both(text);
            assert_eq!(found, expected, "{text}");
        }
        assert_eq!(both(r#"{"resourceType":"Patient","id":"1","link":[{"other":{"reference":"Patient/2"}}]}"#).0, ["Patient/2"]);
    }
}
