//! `date=ge2015&date=lt2016`: two bounds of one date are one range.
//!
//! Each bound alone names half of the calendar. Where a resource has at most one value of the parameter, that value must meet
//! both, and it does so in the few buckets between them.

use super::known::Known;
use super::query::{Comparison, Condition, Leaf, Query, Test};
use super::time::Interval;
use crate::model::{self, ParameterKey, ParameterType, TypeId};
use crate::path::{self, Branch, Compiled, Step};

/// The bounds of one date.
#[derive(Debug, PartialEq)]
pub struct Between {
    pub parameter: ParameterKey,
    /// A value that meets the bounds begins before the end of this and ends after its begin.
    pub outer: Interval,
    /// A value that begins or ends in this meets the bounds.
    pub inner: Interval,
    /// The numbers of the conditions that it stands for.
    pub conditions: Vec<usize>,
}

/// The number of a condition, and what it compares with.
type Bound = (usize, Comparison, Interval);

impl Between {
    /// The dates that a query bounds on both sides, where the rows are known to be valid resources of one type.
    pub fn of(query: &Query) -> Vec<Between> {
        let (Some(ty), None) = (query.parameters_of, query.resource_type) else { return Vec::new() };
        let mut bounds: Vec<(ParameterKey, Vec<Bound>)> = Vec::new();
        for (number, condition) in query.conditions.iter().enumerate() {
            let Some((parameter, comparison, searched)) = bound(condition) else { continue };
            match bounds.iter_mut().find(|(known, _)| *known == parameter) {
                Some((_, all)) => all.push((number, comparison, searched)),
                None => bounds.push((parameter, vec![(number, comparison, searched)])),
            }
        }
        bounds.retain(|(parameter, all)| all.len() > 1 && has_one_value(ty, *parameter));
        bounds.into_iter().filter_map(|(parameter, all)| Between::join(parameter, &all)).collect()
    }

    fn join(parameter: ParameterKey, all: &[Bound]) -> Option<Between> {
        let lower = all.iter().filter(|(_, c, _)| matches!(c, Comparison::Gt | Comparison::Ge));
        let upper = all.iter().filter(|(_, c, _)| matches!(c, Comparison::Lt | Comparison::Le));
        // what lies wholly inside the searched interval meets ge and le too, what only touches it does not
        let begin = |c: &Comparison, s: &Interval| if *c == Comparison::Ge { s.low } else { s.high };
        let end = |c: &Comparison, s: &Interval| if *c == Comparison::Le { s.high } else { s.low };
        let outer = Interval { low: lower.clone().map(|(_, c, s)| begin(c, s)).max()?, high: upper.clone().map(|(_, c, s)| end(c, s)).min()? };
        let inner = Interval { low: lower.map(|(_, _, s)| s.high).max()?, high: upper.map(|(_, _, s)| s.low).min()? };
        // else only a value that reaches over both bounds can meet them
        (outer.low < outer.high).then(|| Between { parameter, outer, inner, conditions: all.iter().map(|(number, ..)| *number).collect() })
    }
}

fn bound(condition: &Condition) -> Option<(ParameterKey, Comparison, Interval)> {
    match condition {
        Condition { negated: false, any_of } => match any_of.as_slice() {
            [Leaf::One { parameter, test: Test::Date(comparison @ (Comparison::Gt | Comparison::Ge | Comparison::Lt | Comparison::Le), searched) }] => {
                Some((*parameter, *comparison, *searched))
            }
            _ => None,
        },
        _ => None,
    }
}

/// Whether a valid resource of the type has at most one value of the date parameter: all ways lead to the same element, or to
/// the forms of one choice.
fn has_one_value(ty: TypeId, parameter: ParameterKey) -> bool {
    static KNOWN: Known<(TypeId, ParameterKey), bool> = Known::new();
    KNOWN.of((ty, parameter), || {
        let definition = model::search_parameters(ty).find(|p| p.key == parameter && p.ty == ParameterType::Date);
        let Some(Ok(Compiled::Values(branches))) = definition.map(|p| path::compile(p.expression, ty)) else { return false };
        let elements: Option<Vec<_>> = branches.iter().map(|branch| single_elements(ty, branch)).collect();
        elements.is_some_and(|elements| !elements.is_empty() && elements.windows(2).all(|two| two[0] == two[1]))
    })
}

/// The elements that a branch goes through, if each occurs once at most.
fn single_elements(ty: TypeId, branch: &Branch) -> Option<Vec<(TypeId, u16)>> {
    let mut holder = ty;
    let mut elements = Vec::new();
    for step in &branch.steps {
        let Step::Field { name, ty } = step else { continue };
        let field = holder.get().field(name)?;
        if holder.get().elements[usize::from(field.element)].max != 1 {
            return None;
        }
        elements.push((holder, field.element));
        holder = *ty;
    }
    Some(elements)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one_value(ty: &str, code: &str) -> bool {
        let ty = model::type_named(ty).unwrap();
        has_one_value(ty, model::search_parameter(ty, code).unwrap().key)
    }

    #[test]
    fn the_forms_of_a_choice_are_one_value() {
        assert!(one_value("Observation", "date"));
        assert!(one_value("Encounter", "date"));
        assert!(one_value("Patient", "birthdate"));
        assert!(one_value("Condition", "onset-date"));
        assert!(!one_value("CarePlan", "activity-date"));
        assert!(!one_value("Encounter", "location-period"));
        assert!(!one_value("Observation", "value-quantity"));
    }

    #[test]
    fn bounds_are_joined_where_the_rows_are_of_one_type() {
        let joined = |text: &str| Between::of(&Query::parse(text).unwrap()).len();
        assert_eq!(joined("Observation!?date=ge2015&date=lt2016"), 1);
        assert_eq!(joined("Observation!?date=ge2015&code=a&date=lt2016&date=gt2014"), 1);
        assert_eq!(joined("Observation!?date=ge2015&date=lt2015"), 0);
        assert_eq!(joined("Observation!?date=ge2015,ge2016&date=lt2017"), 0);
        assert_eq!(joined("Observation!?date=ge2015&date=ge2016"), 0);
        assert_eq!(joined("Observation?date=ge2015&date=lt2016"), 0);
        assert_eq!(joined("date=ge2015&date=lt2016"), 0);
    }
}
