//! What the definitions say that the values of a search parameter can be, as far as the keys of the index depend on it.

use crate::model::{self, ParameterKey, ParameterType, TypeId, ValueSetId};
use crate::path::{self, Branch, Compiled, Step};
use std::sync::OnceLock;

/// Over all resource types that have the parameter.
#[derive(Default)]
pub struct Reads {
    /// Nothing but identifiers, whose values are nearly unique: they need no key together with their systems.
    pub only_identifiers: bool,
    /// The bindings that give codes their systems: such codes need no key together with them.
    bindings: Vec<ValueSetId>,
    /// Defined here, unlike the parameters that users store.
    pub is_defined: bool,
}

impl Reads {
    /// What the parameter reads; worked out once in the life of the process.
    pub fn of(parameter: ParameterKey) -> &'static Reads {
        static ALL: OnceLock<Vec<OnceLock<Reads>>> = OnceLock::new();
        static NOTHING: Reads = Reads { only_identifiers: false, bindings: Vec::new(), is_defined: false };
        let all = ALL.get_or_init(|| model::PARAMETER_KEYS.iter().map(|_| OnceLock::new()).collect());
        all.get(usize::from(parameter.0)).map_or(&NOTHING, |one| one.get_or_init(|| Reads::find(parameter)))
    }

    fn find(parameter: ParameterKey) -> Reads {
        let mut reads = Reads::default();
        let Some((code, ParameterType::Token)) = model::known_parameter_key(parameter) else { return reads };
        let mut only_identifiers = true;
        let first = model::SEARCH_PARAMETERS.partition_point(|p| p.code < code);
        for definition in model::SEARCH_PARAMETERS[first..].iter().take_while(|p| p.code == code).filter(|p| p.key == parameter) {
            reads.is_defined = true;
            for base in definition.bases {
                let Ok(Compiled::Values(branches)) = path::compile(definition.expression, *base) else {
                    only_identifiers = false;
                    continue;
                };
                for branch in branches {
                    only_identifiers &= branch.ty == model::IDENTIFIER;
                    if let Some(set) = binding(*base, &branch).filter(|set| !reads.bindings.contains(set)) {
                        reads.bindings.push(set);
                    }
                }
            }
        }
        reads.only_identifiers = only_identifiers && reads.is_defined;
        reads
    }

    /// Whether a code of that system may stand in a resource as the bare code that its binding gives the system.
    pub fn implies(&self, system: &str, code: &str) -> bool {
        self.bindings.iter().any(|set| model::value_set(*set).system_of(code) == Some(system))
    }

    /// Whether any bare code has that system.
    pub fn implies_system(&self, system: &str) -> bool {
        self.bindings.iter().any(|set| model::value_set(*set).codes.iter().any(|(of, _)| *of == system))
    }
}

/// The required binding of the element that a branch ends in.
pub fn binding(root: TypeId, branch: &Branch) -> Option<ValueSetId> {
    let mut holder = root;
    let mut required = None;
    for step in &branch.steps {
        if let Step::Field { name, ty } = step {
            required = holder.get().field(name).and_then(|field| field.required);
            holder = *ty;
        }
    }
    required
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(code: &str) -> &'static Reads {
        Reads::of(model::keys_of_code(code).find(|(_, ty)| *ty == ParameterType::Token).unwrap().0)
    }

    #[test]
    fn identifiers_and_bound_codes_are_told_from_the_definitions() {
        assert!(of("identifier").only_identifiers);
        assert!(!of("code").only_identifiers && !of("status").only_identifiers);
        assert!(of("status").implies("http://hl7.org/fhir/observation-status", "final"));
        assert!(of("status").implies_system("http://hl7.org/fhir/observation-status"));
        assert!(!of("code").implies("http://loinc.org", "8480-6") && !of("code").implies_system("http://loinc.org"));
        assert!(of("gender").implies("http://hl7.org/fhir/administrative-gender", "male"));
    }
}
