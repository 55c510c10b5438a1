//! One search as several clauses, each a `|=` of its own, so that GIN leaps between them.
//!
//! For one clause GIN walks the rows of every key that is rarer than the rarest condition as a whole. A range has many keys of
//! few rows each: beside a single code it costs all their rows times all keys. Of several clauses GIN asks the next only about
//! the rows that the one before leaves.

use super::query::{Argument, Query, split_unescaped};
use super::scan::Scan;
use crate::model::{self, TypeId};

/// A condition with no more keys than this narrows the ones with more.
const FEW: usize = 4;

/// The arguments in clauses, all of which must hold: first what has few keys, together, then each condition with many. One clause
/// where there is nothing to leap between.
pub fn clauses(ty: TypeId, arguments: &[Argument]) -> Vec<Vec<Argument>> {
    // bounds of one parameter belong together: they may be one range
    let mut conditions: Vec<Vec<Argument>> = Vec::new();
    for argument in arguments {
        match conditions.iter_mut().find(|known| known[0].name == argument.name) {
            Some(known) => known.push(argument.clone()),
            None => conditions.push(vec![argument.clone()]),
        }
    }
    let mut narrow: Vec<Argument> = Vec::new();
    let mut narrows = false;
    let mut wide: Vec<(usize, Vec<Argument>)> = Vec::new();
    for condition in conditions {
        match most_keys(ty, &condition) {
            Some(keys) if keys > FEW => {
                let implied = implied(ty, &condition);
                narrows |= !implied.is_empty();
                narrow.extend(implied);
                wide.push((keys, condition));
            }
            keys => {
                narrows |= keys.is_some();
                narrow.extend(condition);
            }
        }
    }
    if wide.is_empty() || !narrows && wide.len() == 1 {
        return vec![arguments.to_vec()];
    }
    wide.sort_by_key(|(keys, _)| *keys);
    let mut clauses: Vec<Vec<Argument>> = wide.into_iter().map(|(_, condition)| condition).collect();
    if narrows {
        clauses.insert(0, narrow);
    } else {
        // without a key of its own it would be a scan of everything
        clauses[0].extend(narrow);
    }
    clauses
}

/// How many keys the condition has at most in a group; none if it has no group.
fn most_keys(ty: TypeId, condition: &[Argument]) -> Option<usize> {
    let query = Query { resource_type: None, ..Query::from_arguments(Some(ty), condition).ok()? };
    Scan::of(&query).groups.iter().map(|group| group.keys.len()).max()
}

/// What a composite with one value says of the parameters that it is made of, as far as that has few keys.
fn implied(ty: TypeId, condition: &[Argument]) -> Vec<Argument> {
    let [Argument { name, modifier: None, value }] = condition else { return Vec::new() };
    let Some(composite) = model::search_parameter(ty, name).filter(|_| split_unescaped(value, ',').len() == 1) else { return Vec::new() };
    let parts = split_unescaped(value, '$');
    let component = |((url, _), part): (&(&str, &str), &str)| {
        let defined = model::search_parameter_by_url(url)?;
        let own = model::search_parameter(ty, defined.code).filter(|own| own.key == defined.key)?;
        let argument = Argument { name: own.code.to_owned(), modifier: None, value: part.to_owned() };
        most_keys(ty, std::slice::from_ref(&argument)).filter(|keys| *keys <= FEW)?;
        Some(argument)
    };
    composite.components.iter().zip(parts).filter_map(component).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(ty: &str, text: &str) -> Vec<String> {
        let argument = |part: &str| {
            let (name, value) = part.split_once('=').unwrap();
            let (name, modifier) = name.split_once(':').map_or((name, None), |(name, modifier)| (name, Some(modifier.to_owned())));
            Argument { name: name.to_owned(), modifier, value: value.to_owned() }
        };
        let arguments: Vec<Argument> = text.split('&').map(argument).collect();
        let shown = |clause: &Vec<Argument>| clause.iter().map(|a| a.name.as_str()).collect::<Vec<_>>().join("&");
        clauses(model::type_named(ty).unwrap(), &arguments).iter().map(shown).collect()
    }

    #[test]
    fn what_has_few_keys_narrows_what_has_many() {
        assert_eq!(split("Observation", "value-quantity=gt110&code=a&status=final"), ["code&status", "value-quantity"]);
        assert_eq!(split("Observation", "date=ge2015-01-03&code=a&date=lt2016-02-01"), ["code", "date&date"]);
        assert_eq!(split("Observation", "code=a&category=b"), ["code&category"]);
        assert_eq!(split("Observation", "value-quantity=gt110"), ["value-quantity"]);
    }

    #[test]
    fn what_has_no_keys_never_stands_alone() {
        assert_eq!(split("Observation", "value-quantity=gt110&category:not=b"), ["value-quantity&category"]);
        assert_eq!(split("Observation", "value-quantity=gt110&category:not=b&code=a"), ["category&code", "value-quantity"]);
        assert_eq!(split("Observation", "category:not=b"), ["category"]);
    }

    #[test]
    fn a_composite_is_narrowed_by_its_code() {
        assert_eq!(split("Observation", "code-value-quantity=http://loinc.org|2339-0$gt110"), ["code", "code-value-quantity"]);
        assert_eq!(split("Observation", "component-code-value-quantity=8480-6$gt110"), ["component-code", "component-code-value-quantity"]);
        assert_eq!(split("Observation", "code-value-quantity=a$gt110,b$lt3"), ["code-value-quantity"]);
    }
}
