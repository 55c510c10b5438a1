//! Search parameters whose values are all values of others: they have values in `fhir.keys`, but no keys of their own in the
//! index. `combo-code` of Observation is `code` or `component-code`, `patient` is `subject` where it points at a Patient.
//!
//! What derives from what is part of the format, so it stands in a file; a test tells whether it is what the definitions say.

use crate::model::{self, ParameterKey, TypeId};
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// The parameters whose keys in the index hold the values of another.
#[derive(Debug, PartialEq, Default)]
pub struct Parts {
    pub parameters: Vec<ParameterKey>,
    /// They also hold other values: only references to this type count.
    pub only: Option<TypeId>,
}

struct Table {
    by_type: BTreeMap<TypeId, BTreeMap<ParameterKey, Parts>>,
    /// Over all types.
    by_parameter: BTreeMap<ParameterKey, Vec<ParameterKey>>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let mut table = Table { by_type: BTreeMap::new(), by_parameter: BTreeMap::new() };
    for line in include_str!("../../fhir-schemas/derived-parameters.tsv").lines().skip(1) {
        let mut fields = line.split('\t');
        let mut field = || fields.next().unwrap_or_default();
        let Some(ty) = model::type_named(field()) else { continue };
        let Some(derived) = model::search_parameter(ty, field()) else { continue };
        let parameters: Vec<ParameterKey> = field().split(' ').filter_map(|code| model::search_parameter(ty, code)).map(|p| p.key).collect();
        let all = table.by_parameter.entry(derived.key).or_default();
        all.extend(&parameters);
        all.sort();
        all.dedup();
        table.by_type.entry(ty).or_default().insert(derived.key, Parts { parameters, only: model::type_named(field()) });
    }
    table
});

/// Of one resource type: what has no keys of its own.
pub fn of_type(ty: TypeId) -> Option<&'static BTreeMap<ParameterKey, Parts>> {
    TABLE.by_type.get(&ty)
}

/// The parameters in whose keys the values of this one may be, in some type.
pub fn anywhere(parameter: ParameterKey) -> &'static [ParameterKey] {
    TABLE.by_parameter.get(&parameter).map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::keys::is_column;
    use crate::index::sound::PHONETIC;
    use crate::model::{ParameterType, SearchParameter};
    use crate::path::{self, Branch, Compiled, Condition, Step};
    use std::fmt::Write;

    fn branches(ty: TypeId, parameter: &SearchParameter) -> Vec<Branch> {
        match path::compile(parameter.expression, ty) {
            Ok(Compiled::Values(branches)) => branches,
            _ => Vec::new(),
        }
    }

    /// The lines of one type.
    fn derive(ty: TypeId, out: &mut String) {
        let mut all: Vec<(&SearchParameter, Vec<Branch>)> = model::search_parameters(ty)
            .filter(|p| !matches!(p.ty, ParameterType::Composite | ParameterType::Special) && !is_column(p.key))
            .filter(|p| p.code != PHONETIC) // the same elements, but another kind of value
            .map(|p| (p, branches(ty, p)))
            .filter(|(_, branches)| !branches.is_empty())
            .collect();
        all.sort_by_key(|(p, branches)| (branches.len(), p.code));
        let mut own: Vec<usize> = Vec::new();
        let mut lines: BTreeMap<&str, String> = BTreeMap::new();
        let mut needed: Vec<usize> = Vec::new();
        for (n, (p, wanted)) in all.iter().enumerate() {
            let parts: Vec<usize> = own.iter().copied().filter(|i| all[*i].0.ty == p.ty && all[*i].1.iter().all(|b| wanted.contains(b))).collect();
            if wanted.iter().all(|b| parts.iter().any(|i| all[*i].1.contains(b))) {
                // without those that others hold already
                let mut least: Vec<usize> = Vec::new();
                for i in parts.into_iter().rev() {
                    if !all[i].1.iter().all(|b| least.iter().any(|j| all[*j].1.contains(b))) {
                        least.push(i);
                    }
                }
                least.sort();
                needed.extend(&least);
                let codes: Vec<&str> = least.iter().map(|i| all[*i].0.code).collect();
                lines.insert(p.code, format!("{}\t{}\t{}\t", ty.name(), p.code, codes.join(" ")));
            } else {
                own.push(n);
            }
        }
        for n in own.iter().copied().filter(|n| !needed.contains(n)).collect::<Vec<_>>() {
            let (p, wanted) = &all[n];
            let [Branch { steps, .. }] = wanted.as_slice() else { continue };
            let Some((Step::Where(Condition::Resolves(only)), before)) = steps.split_last() else { continue };
            let holds = |i: &&usize| **i != n && all[**i].0.ty == p.ty && all[**i].1.iter().any(|b| b.steps == before);
            if let Some(whole) = own.iter().find(holds) {
                lines.insert(p.code, format!("{}\t{}\t{}\t{}", ty.name(), p.code, all[*whole].0.code, only.name()));
            }
        }
        lines.values().for_each(|line| writeln!(out, "{line}").unwrap());
    }

    #[test]
    fn the_file_says_what_the_definitions_say() {
        let mut expected = String::new();
        model::resource_types().for_each(|ty| derive(ty, &mut expected));
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/fhir-schemas/derived-parameters.tsv");
        let file = std::fs::read_to_string(path).unwrap();
        let lines: String = file.lines().skip(1).map(|line| format!("{line}\n")).collect();
        if lines != expected {
            let written = std::env::temp_dir().join("derived-parameters.tsv");
            std::fs::write(&written, &expected).unwrap();
            panic!("the definitions say {}", written.display());
        }
    }

    #[test]
    fn parts_have_keys_of_their_own() {
        for (ty, derived) in &TABLE.by_type {
            for (parameter, parts) in derived {
                assert!(!parts.parameters.is_empty(), "{} {parameter:?}", ty.name());
                assert!(parts.parameters.iter().all(|p| !derived.contains_key(p)), "{} {parameter:?}", ty.name());
            }
        }
    }
}
