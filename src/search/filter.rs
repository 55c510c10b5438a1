//! What a search asks of a row, as a tree.
//!
//! Everything that the row's own keys decide is one [`Filter::Row`]; around it stands what needs columns, other rows,
//! terminology or the text of the resource.

use super::entity;
use crate::index::query::{Argument, Comparison};
use crate::index::time::Interval;
use crate::model::TypeId;

#[derive(Debug, PartialEq, Clone)]
pub enum Filter {
    /// All of them; everything, if there are none.
    All(Vec<Filter>),
    /// At least one of them; nothing, if there are none.
    Any(Vec<Filter>),
    Not(Box<Filter>),
    /// Decided by the row's keys: arguments of `|=`, all of which must hold.
    Row(Vec<Argument>),
    /// The row's id is one of these.
    Id(Vec<String>),
    /// `last_updated` meets one of these.
    LastUpdated(Vec<(Comparison, Interval)>),
    /// The row's home compartment is this.
    Home(String),
    /// The row is of one of these types.
    Types(Vec<TypeId>),
    /// The row's reference parameter points at a resource of type `target` that meets `inner`.
    Chain { parameter: String, target: TypeId, inner: Box<Filter> },
    /// A resource of type `ty` points at the row, which is of type `here`, by its reference parameter and meets `inner`.
    Has { here: TypeId, ty: TypeId, parameter: String, inner: Box<Filter> },
    /// A token parameter with one of the modifiers `in`, `not-in`, `above`, `below`: terminology decides which codes.
    Codes(Argument),
    /// The row is an item of this List.
    Member { list: String },
    /// Words of the narrative (`_text`) or of all text (`_content`).
    Text { narrative_only: bool, words: String },
    /// A FHIRPath expression holds for the resource.
    Path(String),
    /// A search parameter that is stored in the lake: its definition as `fhir.keys_of` reads it, and what its values must be.
    Custom { definition: String, argument: Argument },
    /// A resource contained in the row is of this type and meets these arguments of `|=`.
    Contained { ty: TypeId, arguments: Vec<Argument> },
    /// A current finding in the row's text passes these tests; with `open`, other arguments may say more of the same finding.
    Finding { tests: Vec<entity::Test>, open: bool },
}

impl Filter {
    pub const EVERYTHING: Filter = Filter::All(Vec::new());
    pub const NOTHING: Filter = Filter::Any(Vec::new());

    /// Flattens what is nested without need, and puts all that one `|=` can answer into one.
    pub fn simplify(self) -> Filter {
        match self {
            Filter::All(parts) => {
                let (mut flat, mut row): (Vec<Filter>, Vec<Argument>) = (Vec::new(), Vec::new());
                let mut findings: Vec<Vec<entity::Test>> = Vec::new();
                for part in parts {
                    match part.simplify() {
                        Filter::All(inner) => {
                            for part in inner {
                                match part {
                                    Filter::Row(arguments) => row.extend(arguments),
                                    Filter::Finding { tests, open: true } => entity::join(&mut findings, tests),
                                    other => flat.push(other),
                                }
                            }
                        }
                        Filter::Row(arguments) => row.extend(arguments),
                        Filter::Finding { tests, open: true } => entity::join(&mut findings, tests),
                        other if other == Filter::NOTHING => return Filter::NOTHING,
                        other => flat.push(other),
                    }
                }
                flat.extend(findings.into_iter().map(|tests| Filter::Finding { tests, open: true }));
                if !row.is_empty() {
                    flat.insert(0, Filter::Row(row));
                }
                if flat.len() == 1 { flat.remove(0) } else { Filter::All(flat) }
            }
            Filter::Any(parts) => {
                let mut flat = Vec::new();
                for part in parts {
                    match part.simplify() {
                        Filter::Any(inner) => flat.extend(inner),
                        other if other == Filter::EVERYTHING => return Filter::EVERYTHING,
                        other => flat.push(other),
                    }
                }
                flat.dedup();
                if flat.len() == 1 { flat.remove(0) } else { Filter::Any(flat) }
            }
            Filter::Not(part) => match part.simplify() {
                Filter::Not(inner) => *inner,
                part if part == Filter::NOTHING => Filter::EVERYTHING,
                part if part == Filter::EVERYTHING => Filter::NOTHING,
                part => Filter::Not(Box::new(part)),
            },
            Filter::Row(arguments) if arguments.is_empty() => Filter::EVERYTHING,
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str) -> Filter {
        Filter::Row(vec![Argument { name: name.into(), modifier: None, value: "x".into() }])
    }

    #[test]
    fn what_the_keys_decide_becomes_one_condition() {
        let ids = Filter::Id(vec!["a".into()]);
        let filter = Filter::All(vec![row("a"), Filter::All(vec![ids.clone(), row("b")]), Filter::EVERYTHING]).simplify();
        let Filter::All(parts) = filter else { panic!("{filter:?}") };
        assert!(matches!(&parts[0], Filter::Row(arguments) if arguments.len() == 2));
        assert_eq!(parts[1], ids);
        assert_eq!(parts.len(), 2);
    }

    #[test]
    fn constants_fold() {
        assert_eq!(Filter::All(vec![row("a"), Filter::NOTHING]).simplify(), Filter::NOTHING);
        assert_eq!(Filter::Any(vec![row("a"), Filter::EVERYTHING]).simplify(), Filter::EVERYTHING);
        assert_eq!(Filter::Not(Box::new(Filter::NOTHING)).simplify(), Filter::EVERYTHING);
        assert_eq!(Filter::Any(vec![row("a")]).simplify(), row("a"));
    }
}
