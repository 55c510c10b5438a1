//! The generated tables and the look-ups over them.

use super::*;
use std::sync::LazyLock;

include!(concat!(env!("OUT_DIR"), "/model.rs"));
// model.rs holds, written by build/model.rs:
//   pub static TYPES: &[Type];                        sorted by name
//   pub static VALUE_SETS: &[ValueSet];               sorted by url
//   pub static SEARCH_PARAMETERS: &[SearchParameter]; sorted by code, then url
//   pub static PARAMETER_KEYS: &[(&str, ParameterType)];   indexed by ParameterKey
//   pub static SYSTEMS: &[&str];                      code systems that keys abbreviate, indexed by number
//   pub static COMPARTMENTS: &[CompartmentRule];      sorted by type, then compartment
//   pub static INVARIANTS: &[Invariant];              sorted by path, then key
//   static BINDINGS: &[Binding];                      sorted by path
//   static KEYS_BY_CODE, PARAMETERS_BY_URL: &[u16];   numbers in the order of what they are named after
//   static PARAMETERS_OF: &[&[u16]];                  per type: indices into SEARCH_PARAMETERS, sorted by code
//   static OCCURRED: &[&[&str]];                      per type: element paths in order of preference
//   static HEADLINES: &[Headline];                    per type
//   pub static PANELS: &[&[(&str, &str)]];            systems and codes of components that are read in this order
//   pub static LANES: &[Lane];                        from top to bottom
//   static VIEW_COLUMNS, VIEW_EXTENSIONS: &[&[ViewColumn]];   per type
//   pub const RESOURCE: TypeId; DOMAIN_RESOURCE, EXTENSION, REFERENCE, …: every datatype and abstract resource

/// The type of that name, exact case.
pub fn type_named(name: &str) -> Option<TypeId> {
    TYPES.binary_search_by(|t| t.name.cmp(name)).ok().map(|i| TypeId(i as u16))
}

/// Whether `ty` is `base` or derives from it.
pub fn is_a(ty: TypeId, base: TypeId) -> bool {
    let mut current = Some(ty);
    while let Some(id) = current {
        if id == base {
            return true;
        }
        current = id.get().base;
    }
    false
}

/// The concrete resource types, in the order of their names.
pub fn resource_types() -> impl Iterator<Item = TypeId> {
    (0..TYPES.len()).map(|i| TypeId(i as u16)).filter(|id| id.is_concrete_resource())
}

/// The search parameters of a resource type, its own and those of its bases, in the order of their codes.
pub fn search_parameters(ty: TypeId) -> impl Iterator<Item = &'static SearchParameter> {
    parameters_of(ty).iter().filter_map(|i| SEARCH_PARAMETERS.get(usize::from(*i)))
}

/// The search parameter that a resource type, or one of its bases, defines under that code.
pub fn search_parameter(ty: TypeId, code: &str) -> Option<&'static SearchParameter> {
    let indices = parameters_of(ty);
    let found = indices.binary_search_by(|i| SEARCH_PARAMETERS[usize::from(*i)].code.cmp(code)).ok()?;
    SEARCH_PARAMETERS.get(usize::from(indices[found]))
}

/// The search parameter with that url, as a composite names its components.
pub fn search_parameter_by_url(url: &str) -> Option<&'static SearchParameter> {
    let found = PARAMETERS_BY_URL.binary_search_by(|i| SEARCH_PARAMETERS[usize::from(*i)].url.cmp(url)).ok()?;
    SEARCH_PARAMETERS.get(usize::from(PARAMETERS_BY_URL[found]))
}

fn parameters_of(ty: TypeId) -> &'static [u16] {
    PARAMETERS_OF.get(usize::from(ty.0)).copied().unwrap_or_default()
}

/// Code and type of a key; `None` for a number that this version does not know.
pub fn known_parameter_key(key: ParameterKey) -> Option<(&'static str, ParameterType)> {
    PARAMETER_KEYS.get(usize::from(key.0)).copied()
}

/// Code and type of a key of this version's registry.
pub fn parameter_key(key: ParameterKey) -> (&'static str, ParameterType) {
    PARAMETER_KEYS[usize::from(key.0)]
}

/// The keys of one code: one for each type that the parameters of that code have.
pub fn keys_of_code(code: &str) -> impl Iterator<Item = (ParameterKey, ParameterType)> {
    let first = KEYS_BY_CODE.partition_point(|i| PARAMETER_KEYS[usize::from(*i)].0 < code);
    let count = KEYS_BY_CODE[first..].partition_point(|i| PARAMETER_KEYS[usize::from(*i)].0 == code);
    KEYS_BY_CODE[first..first + count].iter().map(|i| (ParameterKey(*i), PARAMETER_KEYS[usize::from(*i)].1))
}

/// The value set of a required binding.
pub fn value_set(id: ValueSetId) -> &'static ValueSet {
    &VALUE_SETS[usize::from(id.0)]
}

impl ValueSet {
    /// Whether any system of the set has that code.
    pub fn contains(&self, code: &str) -> bool {
        self.codes.binary_search_by(|(_, c)| (*c).cmp(code)).is_ok()
    }

    /// The system of a code of the set.
    pub fn system_of(&self, code: &str) -> Option<&'static str> {
        self.codes.binary_search_by(|(_, c)| (*c).cmp(code)).ok().map(|i| self.codes[i].0)
    }

    /// Whether the set has that code of that system.
    pub fn contains_coding(&self, system: &str, code: &str) -> bool {
        self.codes.binary_search_by(|(s, c)| (*c, *s).cmp(&(code, system))).is_ok()
    }
}

/// The number that stands for a code system in keys.
pub fn system_number(url: &str) -> Option<u16> {
    static TABLE: LazyLock<Vec<u16>> = LazyLock::new(|| {
        let mut table = vec![u16::MAX; (SYSTEMS.len() * 4).next_power_of_two()];
        for (number, url) in SYSTEMS.iter().enumerate() {
            let mut slot = spread(url) & (table.len() - 1);
            while table[slot] != u16::MAX {
                slot = (slot + 1) & (table.len() - 1);
            }
            table[slot] = number as u16;
        }
        table
    });
    let table = TABLE.as_slice();
    let mut slot = spread(url) & (table.len() - 1);
    // it ends: three of four slots are free
    while let Some(system) = SYSTEMS.get(usize::from(table[slot])) {
        if *system == url {
            return Some(table[slot]);
        }
        slot = (slot + 1) & (table.len() - 1);
    }
    None
}

/// Length and last bytes tell urls apart; they mostly begin alike.
fn spread(url: &str) -> usize {
    let bytes = url.as_bytes();
    let last = |n: usize| bytes.len().checked_sub(n).and_then(|at| bytes[at..].first_chunk::<8>()).map_or(0, |b| u64::from_le_bytes(*b));
    let mixed = (last(8) ^ last(14).rotate_left(23) ^ bytes.len() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> 32) as usize
}

/// The code system that a number stands for.
pub fn system_url(number: u16) -> Option<&'static str> {
    SYSTEMS.get(usize::from(number)).copied()
}

/// The compartments that resources of a type can belong to.
pub fn compartment_rules(ty: TypeId) -> impl Iterator<Item = &'static CompartmentRule> {
    let first = COMPARTMENTS.partition_point(|r| r.ty < ty);
    let count = COMPARTMENTS[first..].partition_point(|r| r.ty == ty);
    COMPARTMENTS[first..first + count].iter()
}

/// The constraints defined at a path; those of the bases of its type stand at their paths.
pub fn invariants_at(path: &str) -> impl Iterator<Item = &'static Invariant> {
    let first = INVARIANTS.partition_point(|i| i.path < path);
    let count = INVARIANTS[first..].partition_point(|i| i.path == path);
    INVARIANTS[first..first + count].iter()
}

/// The binding at a path; those that a type inherits stand at the paths of its bases.
pub fn binding_at(path: &str) -> Option<&'static Binding> {
    BINDINGS.binary_search_by(|b| b.path.cmp(path)).ok().map(|i| &BINDINGS[i])
}

/// Where a resource of that type says when it happened, best first: dotted element paths without the type name,
/// choices without `[x]` and type.
pub fn occurred_paths(ty: TypeId) -> &'static [&'static str] {
    OCCURRED.get(usize::from(ty.0)).copied().unwrap_or_default()
}

/// What a line about a resource of that type says besides when.
pub fn headline(ty: TypeId) -> &'static Headline {
    static NONE: Headline = Headline { what: &[], value: &[], parts: &[], status: &[], ended: &[] };
    HEADLINES.get(usize::from(ty.0)).unwrap_or(&NONE)
}

/// The lane of a drawn record that resources of the type stand in; `None` for the last, of all others.
pub fn lane_of(ty: TypeId) -> Option<usize> {
    LANES.iter().position(|lane| lane.types.contains(&ty))
}

/// How values of a datatype lie in columns; what a type does not say, its base does. Empty where it has no place in a flat view.
pub fn view_columns(ty: TypeId) -> &'static [ViewColumn] {
    let mut current = Some(ty);
    while let Some(id) = current {
        match VIEW_COLUMNS.get(usize::from(id.0)) {
            Some(columns) if !columns.is_empty() => return columns,
            _ => current = id.get().base,
        }
    }
    &[]
}

/// The columns that well-known extensions of a resource type have in its flat view.
pub fn view_extensions(ty: TypeId) -> &'static [ViewColumn] {
    VIEW_EXTENSIONS.get(usize::from(ty.0)).copied().unwrap_or_default()
}
