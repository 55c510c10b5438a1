//! `_sort`: what an answer is ordered by. <https://hl7.org/fhir/R4/search.html#sort>

use super::criteria::invalid;
use super::references::leads_to_one;
use crate::index::known::Known;
use crate::index::query::{QueryError, shown};
use crate::model::{self, ParameterKey, ParameterType, TypeId};
use crate::path::{self, Compiled};

#[derive(Debug, PartialEq, Clone)]
pub struct Sort {
    pub by: SortKey,
    pub descending: bool,
}

#[derive(Debug, PartialEq, Clone)]
pub enum SortKey {
    Type,
    Id,
    LastUpdated,
    /// The column of the clinical start, which has an index.
    Occurred,
    /// The lowest (descending: the highest) value of a search parameter; those without stand last.
    Parameter(String),
    /// How well the text fits the words searched.
    Score,
}

impl SortKey {
    /// Whether each table of a lake has an index in this order.
    pub fn has_index(&self) -> bool {
        matches!(self, SortKey::Id | SortKey::Occurred | SortKey::LastUpdated)
    }
}

impl Sort {
    /// Reads `[-]parameter`.
    pub fn read(types: &[TypeId], rule: &str) -> Result<Sort, QueryError> {
        let (descending, name) = rule.strip_prefix('-').map_or((false, rule), |name| (true, name));
        let by = match name {
            "_id" => SortKey::Id,
            "_lastUpdated" => SortKey::LastUpdated,
            "_score" => SortKey::Score,
            _ if types.iter().any(|ty| model::search_parameter(*ty, name).is_none()) => {
                let ty = types.iter().find(|ty| model::search_parameter(**ty, name).is_none());
                return invalid(
                    format!("unknown search parameter \"{}\" for {} in _sort", shown(name), ty.map_or("", |ty| ty.name())),
                    "sort by a search parameter of the type, _id or _lastUpdated, each with a minus for descending",
                );
            }
            _ if types.is_empty() && model::keys_of_code(name).next().is_none() => {
                return invalid(format!("unknown search parameter \"{}\" in _sort", shown(name)), "sort by a search parameter, _id or _lastUpdated");
            }
            _ => match types {
                [ty] if is_clinical_start(*ty, name) => SortKey::Occurred,
                _ => SortKey::Parameter(name.to_owned()),
            },
        };
        if let [ty] = types
            && let SortKey::Parameter(code) = &by
            && model::search_parameter(*ty, code).is_some_and(|p| matches!(p.ty, ParameterType::Composite | ParameterType::Special))
        {
            return invalid(format!("search parameter \"{}\" has no order", shown(name)), "");
        }
        // of scores the best come first, and with a minus last
        let descending = descending != (by == SortKey::Score);
        Ok(Sort { by, descending })
    }
}

/// Whether the parameter reads just the element, not repeated, that gives the clinical start before any other.
pub fn is_clinical_start(ty: TypeId, code: &str) -> bool {
    let (Some(parameter), Some(first)) = (model::search_parameter(ty, code), model::occurred_paths(ty).first()) else { return false };
    if parameter.ty != ParameterType::Date {
        return false;
    }
    static KNOWN: Known<(TypeId, ParameterKey), bool> = Known::new();
    KNOWN.of((ty, parameter.key), || reads_start(ty, parameter.expression, first))
}

fn reads_start(ty: TypeId, expression: &str, first: &str) -> bool {
    let branches = |expression: &str| match path::compile(expression, ty) {
        Ok(Compiled::Values(branches)) => branches,
        _ => Vec::new(),
    };
    let (own, start) = (branches(expression), branches(&format!("{}.{first}", ty.name())));
    // a choice may have kinds that are no time, such as onset[x] as a string
    !own.is_empty() && own.iter().all(|branch| start.contains(branch) && leads_to_one(ty, branch))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_that_are_the_clinical_start_sort_by_its_column() {
        let by = |ty: &str, rule: &str| Sort::read(&[model::type_named(ty).unwrap()], rule).map(|s| s.by);
        assert_eq!(by("Observation", "-date"), Ok(SortKey::Occurred));
        assert_eq!(by("Encounter", "date"), Ok(SortKey::Occurred));
        assert_eq!(by("Condition", "-onset-date"), Ok(SortKey::Occurred));
        assert_eq!(by("Condition", "recorded-date"), Ok(SortKey::Parameter("recorded-date".into())));
        assert_eq!(by("Patient", "family"), Ok(SortKey::Parameter("family".into())));
        assert!(by("Patient", "nonsense").is_err());
        assert!(by("Observation", "code-value-quantity").is_err());
    }
}
