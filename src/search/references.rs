//! What the definitions say of reference parameters, so that a statement can use a better index or a better join.

use crate::index::extract::HOME;
use crate::index::known::Known;
use crate::index::query::{Argument, split_unescaped, unescape};
use crate::model::{self, ParameterKey, ParameterType, TypeId};
use crate::path::{self, Branch, Compiled, Condition, Step};

/// The branches of a reference parameter; none for any other.
fn branches(ty: TypeId, code: &str) -> &'static [Branch] {
    static KNOWN: Known<(TypeId, ParameterKey), &[Branch]> = Known::new();
    let Some(parameter) = model::search_parameter(ty, code).filter(|p| p.ty == ParameterType::Reference) else { return &[] };
    KNOWN.of((ty, parameter.key), || match path::compile(parameter.expression, ty) {
        Ok(Compiled::Values(branches)) => branches.leak(),
        _ => &[],
    })
}

/// Whether a resource of the type has at most one value of the reference parameter.
pub fn is_single_valued(ty: TypeId, code: &str) -> bool {
    let branches = branches(ty, code);
    let [branch] = branches else { return false };
    leads_to_one(ty, branch)
}

/// Whether a branch leads to at most one node of a resource.
pub fn leads_to_one(ty: TypeId, branch: &Branch) -> bool {
    fields(ty, branch).all(|(holder, name)| {
        let field = holder.get().field(name);
        field.is_some_and(|field| holder.get().elements[usize::from(field.element)].max == 1)
    })
}

/// The JSON properties that a branch goes through, each with the type that holds it.
fn fields(ty: TypeId, branch: &Branch) -> impl Iterator<Item = (TypeId, &'static str)> {
    let mut holder = ty;
    branch.steps.iter().filter_map(move |step| match step {
        Step::Field { name, ty } => Some((std::mem::replace(&mut holder, *ty), *name)),
        _ => None,
    })
}

/// Whether the parameter reads the one element that decides the home of a resource before any other; with it, whether nothing
/// else can decide it.
fn decides(ty: TypeId, code: &str) -> Option<(TypeId, bool)> {
    let home = model::type_named(HOME)?;
    let rule = model::compartment_rules(ty).find(|rule| rule.compartment == home)?;
    let first = rule.parameters.first()?;
    if ty == home || !is_single_valued(ty, first) {
        return None;
    }
    let (own, deciding) = (branches(ty, code), branches(ty, first));
    let ([own], [deciding]) = (own, deciding) else { return None };
    fields(ty, own).eq(fields(ty, deciding)).then_some((home, rule.parameters.len() == 1))
}

/// How the home compartment tells where a reference leads.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Home {
    /// It is what the reference points at, wherever it is of the type of homes.
    Same,
    /// As above, but where the reference leads elsewhere another one may decide the home.
    SameIfAny,
}

/// Whether the home of resources of the type tells where the reference leads, if to a resource of that target type.
pub fn tells_home(ty: TypeId, code: &str, target: TypeId) -> Option<Home> {
    let (home, alone) = decides(ty, code)?;
    (target == home).then_some(if alone { Home::Same } else { Home::SameIfAny })
}

/// The home compartments that resources of the type can have which meet the argument: where each alternative names one resource
/// that has such a compartment, and the parameter reads the one element that decides the home before any other.
pub fn implied_homes(ty: TypeId, argument: &Argument) -> Option<Vec<String>> {
    if argument.modifier.as_deref().is_some_and(|modifier| modifier != HOME) {
        return None;
    }
    let (home, _) = decides(ty, &argument.name)?;
    let own = branches(ty, &argument.name).first()?;
    let only_home = argument.modifier.is_some()
        || own.steps.iter().any(|step| *step == Step::Where(Condition::Resolves(home)))
        || model::search_parameter(ty, &argument.name).is_some_and(|p| p.targets == [home]);
    let compartment = |alternative: &str| {
        let value = unescape(alternative);
        let id = match value.strip_prefix(HOME).and_then(|rest| rest.strip_prefix('/')) {
            Some(id) => id,
            None if only_home => value.as_str(),
            None => return None,
        };
        let is_id = !id.is_empty() && id.len() <= 64 && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.');
        is_id.then(|| format!("{HOME}/{id}"))
    };
    split_unescaped(&argument.value, ',').into_iter().map(compartment).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::criteria::argument;

    fn ty(name: &str) -> TypeId {
        model::type_named(name).unwrap()
    }

    #[test]
    fn one_subject_and_many_participants() {
        assert!(is_single_valued(ty("Observation"), "subject"));
        assert!(is_single_valued(ty("Observation"), "patient"));
        assert!(!is_single_valued(ty("Observation"), "performer"));
        assert!(!is_single_valued(ty("Encounter"), "participant"));
        assert!(!is_single_valued(ty("Observation"), "code"));
    }

    #[test]
    fn a_patient_implies_the_home_of_a_record() {
        let home = |name: &str, parameter: &str, value: &str| implied_homes(ty(name), &argument(parameter, value)).map(|homes| homes.join(" "));
        assert_eq!(home("Observation", "patient", "x").as_deref(), Some("Patient/x"));
        assert_eq!(home("Observation", "patient", "Patient/x").as_deref(), Some("Patient/x"));
        assert_eq!(home("Observation", "subject", "Patient/x").as_deref(), Some("Patient/x"));
        assert_eq!(home("Observation", "subject:Patient", "x").as_deref(), Some("Patient/x"));
        // a group may be meant
        assert_eq!(home("Observation", "subject", "x"), None);
        assert_eq!(home("Observation", "subject", "Group/x"), None);
        assert_eq!(home("Observation", "performer", "Patient/x"), None);
        assert_eq!(home("Observation", "patient", "a,Patient/b").as_deref(), Some("Patient/a Patient/b"));
        assert_eq!(home("Observation", "subject", "Patient/a,Group/b"), None);
        assert_eq!(home("Observation", "patient:identifier", "a"), None);
        assert_eq!(home("Observation", "encounter", "Encounter/x"), None);
        assert_eq!(home("Patient", "link", "Patient/x"), None);
    }

    #[test]
    fn the_home_tells_where_a_reference_leads() {
        let tells = |name: &str, parameter: &str, target: &str| tells_home(ty(name), parameter, ty(target));
        assert_eq!(tells("Observation", "subject", "Patient"), Some(Home::SameIfAny));
        assert_eq!(tells("Encounter", "patient", "Patient"), Some(Home::Same));
        assert_eq!(tells("Observation", "subject", "Group"), None);
        assert_eq!(tells("Observation", "performer", "Patient"), None);
        assert_eq!(tells("Observation", "encounter", "Encounter"), None);
        assert_eq!(tells("Patient", "link", "Patient"), None);
    }
}
