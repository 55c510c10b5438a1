//! `_compartment=Patient/1`: whether a resource belongs to a compartment, told by its reference parameters.
//!
//! <https://hl7.org/fhir/R4/compartmentdefinition.html>. Which parameters of which types link to a compartment is data.

use super::keys::{Keys, Target, Value};
use super::query::{Argument, Condition, Leaf, QueryError, Result, invalid, shown, split_unescaped, unescape};
use crate::model::{self, ParameterKey, ParameterType, TypeId};
use std::sync::LazyLock;

/// The resources that belong to one compartment.
#[derive(Debug, PartialEq)]
pub struct Member {
    /// The focus, as `Type/id`.
    pub focus: String,
    pub compartment: TypeId,
    id: String,
    /// Only resources of one type are searched.
    pub is_typed: bool,
    /// Ordered by type; only the searched type where there is one.
    pub rules: Vec<Rule>,
}

/// How the resources of one type belong to it.
#[derive(Debug, PartialEq)]
pub struct Rule {
    pub ty: TypeId,
    pub links: Vec<ParameterKey>,
    /// The focus itself is of this type.
    pub is_focus: bool,
}

impl Member {
    fn new(resource_type: Option<TypeId>, compartment: TypeId, id: &str) -> Member {
        let types = resource_type.map_or_else(|| model::resource_types().collect(), |ty| vec![ty]);
        let rules = types.into_iter().filter_map(|ty| {
            let codes = model::compartment_rules(ty).find(|rule| rule.compartment == compartment)?.parameters;
            let links = codes.iter().filter_map(|code| model::search_parameter(ty, code)).filter(|p| p.ty == ParameterType::Reference);
            let rule = Rule { ty, links: links.map(|p| p.key).collect(), is_focus: ty == compartment };
            (rule.is_focus || !rule.links.is_empty()).then_some(rule)
        });
        Member { focus: format!("{}/{id}", compartment.name()), compartment, id: id.to_owned(), is_typed: resource_type.is_some(), rules: rules.collect() }
    }

    pub fn matches(&self, keys: Keys) -> bool {
        let rule = match self.rules.as_slice() {
            [only] => Some(only).filter(|rule| rule.ty.name() == keys.resource_type),
            rules => model::type_named(keys.resource_type).and_then(|ty| rules.binary_search_by_key(&ty, |rule| rule.ty).ok()).map(|i| &rules[i]),
        };
        let Some(rule) = rule else { return false };
        let points = |value| matches!(value, Value::Reference(r) if Target::read(r).is_some_and(|t| t.unversioned == self.focus));
        rule.links.iter().any(|link| keys.of(*link).any(|entry| points(entry.value))) || rule.is_focus && self.is_id_of(keys)
    }

    fn is_id_of(&self, keys: Keys) -> bool {
        static ID: LazyLock<Option<ParameterKey>> = LazyLock::new(|| model::keys_of_code("_id").next().map(|(key, _)| key));
        ID.is_some_and(|id| keys.of(id).any(|entry| matches!(entry.value, Value::Token { code, .. } if code == self.id)))
    }
}

pub fn condition(resource_type: Option<TypeId>, argument: &Argument) -> Result<Condition> {
    if let Some(modifier) = &argument.modifier {
        return invalid(format!("modifier :{} does not apply to _compartment", shown(modifier)), "");
    }
    let member = |value| {
        let value = unescape(value);
        let focus = value.split_once('/').filter(|(_, id)| !id.is_empty() && !id.contains('/'));
        match focus.and_then(|(ty, id)| Some((model::type_named(ty).filter(|ty| has_compartment(*ty))?, id))) {
            Some((ty, id)) => Ok(Leaf::Member(Member::new(resource_type, ty, id))),
            None => invalid(format!("\"{}\" is no compartment", shown(&value)), "write Type/id, where the type has a compartment definition: Patient/1"),
        }
    };
    let any_of = split_unescaped(&argument.value, ',').into_iter().map(member).collect::<std::result::Result<_, QueryError>>()?;
    Ok(Condition { negated: false, any_of })
}

fn has_compartment(ty: TypeId) -> bool {
    model::COMPARTMENTS.iter().any(|rule| rule.compartment == ty)
}

#[cfg(test)]
mod tests {
    use super::super::Query;
    use super::super::scan::Scan;
    use super::*;
    use crate::index::tests::keys_of;

    const OBSERVATION: &str = r#"{"resourceType":"Observation","id":"o","subject":{"reference":"Patient/1/_history/2"},"focus":[{"reference":"Patient/9"}],
        "encounter":{"reference":"Encounter/2"},"performer":[{"reference":"Practitioner/3"},{"reference":"Patient/4"}]}"#;

    fn matches(query: &str, resource: &str) -> bool {
        Query::parse(query).unwrap().matches(Keys::read(&keys_of(resource)).unwrap())
    }

    #[test]
    fn the_parameters_of_the_definition_link_and_no_others() {
        for ty in ["Observation?", ""] {
            for (focus, belongs) in
                [("Patient/1", true), ("Patient/4", true), ("Patient/9", false), ("Encounter/2", true), ("Practitioner/3", true), ("Practitioner/1", false), ("Patient/5,Patient/4", true)]
            {
                assert_eq!(matches(&format!("{ty}_compartment={focus}"), OBSERVATION), belongs, "{ty} {focus}");
            }
        }
        assert!(!matches("Encounter?_compartment=Patient/1", OBSERVATION));
        // the definition of the compartment leaves the type out
        assert!(!matches("_compartment=Patient/1", r#"{"resourceType":"Organization","id":"1"}"#));
    }

    #[test]
    fn the_focus_belongs_to_its_own_compartment() {
        for ty in ["Patient?", ""] {
            assert!(matches(&format!("{ty}_compartment=Patient/1"), r#"{"resourceType":"Patient","id":"1"}"#));
            assert!(matches(&format!("{ty}_compartment=Patient/1"), r#"{"resourceType":"Patient","id":"2","link":[{"other":{"reference":"Patient/1"},"type":"refer"}]}"#));
            assert!(!matches(&format!("{ty}_compartment=Patient/1"), r#"{"resourceType":"Patient","id":"2"}"#));
        }
        assert!(!matches("_compartment=Patient/1", r#"{"resourceType":"Encounter","id":"1"}"#));
    }

    #[test]
    fn of_one_type_the_keys_decide() {
        let scan = |text: &str| Scan::of(&Query::parse(text).unwrap());
        let typed = scan("Observation?_compartment=Patient/1");
        assert!(!typed.recheck && typed.groups[0].keys.len() == 2 && typed.groups[0].keys.iter().all(|k| k.exact));
        assert!(scan("Organization?_compartment=Patient/1").groups[0].keys.is_empty());
        assert!(scan("_compartment=Patient/1").groups[0].keys.iter().all(|k| !k.exact));
    }

    #[test]
    fn what_has_no_compartment_is_refused() {
        for text in ["_compartment=Organization/1", "_compartment=Patient", "_compartment=Patient/", "_compartment=Patient/1/2", "_compartment=x", "_compartment:not=Patient/1"] {
            assert!(Query::parse(text).is_err(), "{text}");
        }
    }
}
