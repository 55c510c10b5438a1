//! How resources of a type refer to the patient that they are about.

use crate::index::extract::HOME;
use crate::model::{self, Kind, ParameterType, SearchParameter, TypeId};

/// The type whose compartment is meant by "patient".
pub fn patient() -> Option<TypeId> {
    model::type_named(HOME)
}

/// The FHIRPath from a resource to its reference to a patient, without the type in front: of the search parameter `patient`, which
/// every type that is about patients has; else of a parameter of the compartment that is one element which does not repeat.
pub fn way_to_patient(ty: TypeId) -> Option<String> {
    if Some(ty) == patient() {
        return None;
    }
    if let Some(parameter) = model::search_parameter(ty, "patient").filter(|p| reaches_patients(p)) {
        return way(ty, parameter);
    }
    let rule = model::compartment_rules(ty).find(|rule| Some(rule.compartment) == patient())?;
    let parameters = rule.parameters.iter().filter_map(|code| model::search_parameter(ty, code));
    parameters.filter(|p| reaches_patients(p)).filter_map(|p| way(ty, p)).find(|way| {
        ty.get().elements.iter().any(|element| element.name == way && element.max == 1)
    })
}

fn reaches_patients(parameter: &SearchParameter) -> bool {
    parameter.ty == ParameterType::Reference && (parameter.targets.is_empty() || patient().is_some_and(|patient| parameter.targets.contains(&patient)))
}

/// The part of a published expression that is about the type.
fn way(ty: TypeId, parameter: &SearchParameter) -> Option<String> {
    let start = format!("{}.", ty.name());
    let ways: Vec<&str> = parameter
        .expression
        .split('|')
        .filter_map(|part| part.trim().strip_prefix(&start))
        .map(|part| part.strip_suffix(".where(resolve() is Patient)").unwrap_or(part))
        .collect();
    match ways.as_slice() {
        [] => None,
        [way] => Some((*way).to_owned()),
        ways => Some(format!("({})", ways.join(" | "))),
    }
}

/// Whether a way may lead to several references.
pub fn may_repeat(ty: TypeId, way: &str) -> bool {
    let mut current = ty;
    for name in way.split('.') {
        let Some((number, element)) = current.get().elements.iter().enumerate().find(|(_, element)| element.name == name) else { return true };
        if element.max != 1 {
            return true;
        }
        match current.get().fields.iter().find(|field| usize::from(field.element) == number) {
            Some(field) if field.ty.get().kind != Kind::Primitive => current = field.ty,
            _ => return true,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn way_of(name: &str) -> Option<String> {
        way_to_patient(model::type_named(name).unwrap())
    }

    #[test]
    fn each_type_refers_to_its_patient_in_its_own_way() {
        for (ty, expected) in [
            ("Observation", "subject"),
            ("AllergyIntolerance", "patient"),
            ("Coverage", "beneficiary"),
            ("Appointment", "participant.actor"),
            ("AuditEvent", "(agent.who | entity.what)"),
            ("AdverseEvent", "subject"),
            ("Device", "patient"),
        ] {
            assert_eq!(way_of(ty).as_deref(), Some(expected), "{ty}");
        }
        // a group is about many patients, and none of them is first
        for ty in ["Patient", "Group", "Organization", "ValueSet"] {
            assert_eq!(way_of(ty), None, "{ty}");
        }
    }

    #[test]
    fn a_way_through_something_that_repeats_may_repeat() {
        for (ty, expected) in [("Observation", false), ("Coverage", false), ("Appointment", true), ("Account", true), ("AuditEvent", true)] {
            assert_eq!(may_repeat(model::type_named(ty).unwrap(), &way_of(ty).unwrap()), expected, "{ty}");
        }
    }
}
