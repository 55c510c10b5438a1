//! Single values out of keys: where a reference points, and what a resource is sorted by.

use super::decimal::{Bound, Span};
use super::keys::{Keys, Target, Value};
use super::text::{self, normalise};
use super::time::{self, Interval};
use crate::model::{self, ParameterKey, ParameterType};
use std::collections::HashSet;

/// A search parameter by its code. A type of resource gives values to at most one of the keys that the code has, so that
/// the keys of a row tell by themselves which is meant.
pub struct Parameter(Vec<ParameterKey>);

impl Parameter {
    /// Without any key where no search parameter has that code.
    pub fn named(code: &str) -> Parameter {
        Parameter(model::keys_of_code(code).filter(|(_, ty)| *ty != ParameterType::Composite).map(|(key, _)| key).collect())
    }

    fn values<'a>(&self, keys: Keys<'a>) -> impl Iterator<Item = Value<'a>> {
        self.0.iter().flat_map(move |key| keys.of(*key)).map(|entry| entry.value)
    }

    /// The ids of the resources of that type to which the parameter's relative references point, each once.
    pub fn ids<'a>(&self, keys: Keys<'a>, ty: &str) -> impl Iterator<Item = &'a str> {
        let mut found: HashSet<&str> = HashSet::new();
        self.values(keys).filter_map(move |value| {
            let Value::Reference(reference) = value else { return None };
            let (target, id) = Target::read(reference)?.local()?;
            // a reference to the same resource may stand there with and without a version
            (target == ty && found.insert(id)).then_some(id)
        })
    }

    /// Bytes that compare as the resources are sorted by this parameter: those of its lowest value, or for `descending` of
    /// its highest. `None` where it has no value. <https://hl7.org/fhir/R4/search.html#sort>
    pub fn sort_key(&self, keys: Keys, descending: bool) -> Option<Vec<u8>> {
        let found = self.values(keys).filter_map(|value| sortable(&value));
        if descending { found.max() } else { found.min() }
    }
}

/// Sort keys are cut here: what is alike so far is sorted by id.
pub const MAX_SORT_KEY: usize = 256;

/// A period or a range is sorted by its start, and by its end where it has no start.
fn sortable(value: &Value) -> Option<Vec<u8>> {
    let mut key = match value {
        Value::Present | Value::Display(_) | Value::OfType { .. } | Value::Identifier { .. } | Value::Part(_) | Value::Position(_) => return None,
        // the code and no more: a system is an address, and says nothing of order
        Value::Token { system, code } => coded(code, *system),
        Value::Code { system, code } => coded(code, Some(system)),
        Value::String(text) | Value::Sound(text) => normalise(text).as_bytes().to_vec(),
        Value::Reference(text) | Value::Uri(text) => text.as_bytes().to_vec(),
        Value::Date(interval) => instant(*interval)?,
        Value::Number(span) | Value::Quantity { span, .. } => start(*span)?.to_vec(),
    };
    key.truncate(MAX_SORT_KEY);
    Some(key)
}

fn coded(code: &str, system: Option<&str>) -> Vec<u8> {
    let code = text::prefix(code, MAX_SORT_KEY);
    [code.as_bytes(), &[0], system.unwrap_or_default().as_bytes()].concat()
}

fn instant(interval: Interval) -> Option<Vec<u8>> {
    let at = match (interval.low, interval.last()) {
        (time::OPEN_LOW, time::OPEN_HIGH) => return None,
        (time::OPEN_LOW, end) => end,
        (start, _) => start,
    };
    Some((at ^ i64::MIN).to_be_bytes().to_vec())
}

fn start(span: Span<'_>) -> Option<&'_ [u8]> {
    let bytes = |bound| match bound {
        Bound::Infinite => None,
        Bound::Open(bytes) | Bound::Closed(bytes) => Some(bytes),
    };
    bytes(span.low).or(bytes(span.high))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::tests::keys_of;

    fn sorted(parameter: &str, descending: bool, resources: &[&str]) -> Vec<usize> {
        let parameter = Parameter::named(parameter);
        let keys: Vec<_> = resources.iter().map(|r| parameter.sort_key(Keys::read(&keys_of(r)).unwrap(), descending)).collect();
        let mut order: Vec<usize> = (0..keys.len()).filter(|n| keys[*n].is_some()).collect();
        order.sort_by_key(|n| keys[*n].clone());
        if descending {
            order.reverse();
        }
        order
    }

    #[test]
    fn dates_are_sorted_by_their_start_and_else_their_end() {
        let encounters = [
            r#"{"resourceType":"Encounter","period":{"start":"2001-05-01","end":"2009"}}"#,
            r#"{"resourceType":"Encounter","period":{"start":"1969-05-01T10:00:00+02:00"}}"#,
            r#"{"resourceType":"Encounter","period":{"end":"1990"}}"#,
            r#"{"resourceType":"Encounter"}"#,
            r#"{"resourceType":"Encounter","period":{"start":"2002"}}"#,
        ];
        assert_eq!(sorted("date", false, &encounters), [1, 2, 0, 4]);
        assert_eq!(sorted("date", true, &encounters), [4, 0, 2, 1]);
    }

    #[test]
    fn the_lowest_value_counts_upwards_and_the_highest_downwards() {
        let patients = [
            r#"{"resourceType":"Patient","name":[{"given":["Bea","Zoe"]}]}"#,
            r#"{"resourceType":"Patient","name":[{"given":["Émile"]}]}"#,
            r#"{"resourceType":"Patient","name":[{"given":["ada","carl"]}]}"#,
        ];
        assert_eq!(sorted("given", false, &patients), [2, 0, 1]);
        assert_eq!(sorted("given", true, &patients), [0, 1, 2]);
    }

    #[test]
    fn numbers_are_sorted_as_numbers_and_codes_as_text() {
        let of = |value: &str| format!(r#"{{"resourceType":"Observation","valueQuantity":{{"value":{value},"unit":"mg"}},"status":"final"}}"#);
        let observations: Vec<String> = ["9.5", "-2", "10", "-10", "0", "1e-3", "100.0"].iter().map(|v| of(v)).collect();
        let observations: Vec<&str> = observations.iter().map(String::as_str).collect();
        assert_eq!(sorted("value-quantity", false, &observations), [3, 1, 4, 5, 0, 2, 6]);
        let status = |s: &str| keys_of(&format!(r#"{{"resourceType":"Observation","status":"{s}"}}"#));
        let key = |body: &[u8]| Parameter::named("status").sort_key(Keys::read(body).unwrap(), false);
        assert!(key(&status("amended")) < key(&status("final")));
        assert_eq!(key(&status("final")), Some(b"final\0http://hl7.org/fhir/observation-status".to_vec()));
    }

    #[test]
    fn a_sort_key_is_bounded_and_an_unknown_parameter_has_none() {
        let long = keys_of(&format!(r#"{{"resourceType":"Patient","name":[{{"family":"{}"}}]}}"#, "é".repeat(2000)));
        let keys = Keys::read(&long).unwrap();
        assert_eq!(Parameter::named("family").sort_key(keys, false).map(|k| k.len()), Some(MAX_SORT_KEY));
        assert_eq!(Parameter::named("nonsense").sort_key(keys, false), None);
        assert_eq!(Parameter::named("code-value-quantity").sort_key(keys, false), None);
    }

    #[test]
    fn ids_are_those_of_relative_references_to_the_type() {
        let body = keys_of(
            r#"{"resourceType":"Observation","subject":{"reference":"Patient/a/_history/3"},
                "performer":[{"reference":"Practitioner/b"},{"reference":"Patient/c"},{"reference":"http://x.org/Patient/d"},{"reference":"Patient/c/_history/1"},{"display":"e"}]}"#,
        );
        let keys = Keys::read(&body).unwrap();
        let ids = |parameter: &str, ty: &str| Parameter::named(parameter).ids(keys, ty).collect::<Vec<_>>();
        assert_eq!(ids("subject", "Patient"), ["a"]);
        assert_eq!(ids("patient", "Patient"), ["a"]);
        assert_eq!(ids("performer", "Patient"), ["c"]);
        assert_eq!(ids("performer", "Practitioner"), ["b"]);
        assert_eq!(ids("performer", "Group"), Vec::<&str>::new());
        assert_eq!(ids("status", "Patient"), Vec::<&str>::new());
    }
}
