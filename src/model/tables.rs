//! The generated tables and the look-ups over them.

use super::*;

include!(concat!(env!("OUT_DIR"), "/model.rs"));
// model.rs holds:
//   pub static TYPES: &[Type];                        sorted by name
//   pub static VALUE_SETS: &[ValueSet];               sorted by url
//   pub static SEARCH_PARAMETERS: &[SearchParameter]; sorted by code, then url
//   pub static PARAMETER_KEYS: &[(&str, ParameterType)];   indexed by ParameterKey
//   pub static SYSTEMS: &[&str];                      code systems that keys abbreviate, indexed by number
//   pub static COMPARTMENTS: &[CompartmentRule];
//   pub static INVARIANTS: &[Invariant];
//   static PARAMETERS_OF: &[(TypeId, &[u16])];        per concrete resource type: indices into SEARCH_PARAMETERS, sorted by code
//   static OCCURRED: &[(TypeId, &[&str])];            per resource type: JSON-free element paths in order of preference
//   pub const RESOURCE: TypeId; DOMAIN_RESOURCE, EXTENSION, REFERENCE, ...

/// The type of that name, exact case.
pub fn type_named(name: &str) -> Option<TypeId> {
    TYPES.binary_search_by(|t| t.name.cmp(name)).ok().map(|i| TypeId(i as u16))
}
