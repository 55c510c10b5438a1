//! Whose record, of which time, and of which types.

use crate::index::extract::HOME;
use crate::index::time::{self, LAST, OPEN_HIGH, OPEN_LOW};
use crate::model::{self, TypeId};
use crate::path::reference::{is_id, resource_type};
use std::fmt;

/// What a caller wants to see of a patient's record.
#[derive(Debug, PartialEq, Clone)]
pub struct Ask {
    /// The compartment, `Patient/id`.
    pub focus: String,
    /// What happened before this does not count; [`OPEN_LOW`] for no bound.
    pub from: i64,
    /// What began here or later does not count; [`OPEN_HIGH`] for no bound.
    pub to: i64,
    /// Only these; empty for all.
    pub types: Vec<TypeId>,
    /// The past moment whose record it is, in microseconds since 2000-01-01 UTC; none for what is there now.
    pub as_of: Option<i64>,
}

/// Why a request cannot be understood.
#[derive(Debug, PartialEq)]
pub struct AskError {
    pub message: String,
    pub hint: String,
}

impl fmt::Display for AskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for AskError {}

fn wrong<T>(message: String, hint: &str) -> Result<T, AskError> {
    Err(AskError { message, hint: hint.to_owned() })
}

/// At most forty characters of what the caller sent.
fn excerpt(text: &str) -> String {
    let mut out: String = text.chars().take(40).collect();
    if out.len() < text.len() {
        out.push('…');
    }
    out
}

impl Ask {
    /// `patient` is an id, with or without its type before it; `from` and `to` are FHIR dates of any precision, and `to` reaches to
    /// the end of its own.
    pub fn read<'t>(patient: &str, from: Option<&str>, to: Option<&str>, types: impl Iterator<Item = &'t str>) -> Result<Ask, AskError> {
        let id = patient.strip_prefix(HOME).and_then(|rest| rest.strip_prefix('/')).unwrap_or(patient);
        if !is_id(id) {
            return wrong(format!("\"{}\" is not the id of a patient", excerpt(patient)), "write the id, or Patient/id");
        }
        let date = |text: Option<&str>| match text {
            None => Ok(None),
            Some(text) => match time::parse(text) {
                Some(interval) => Ok(Some(interval)),
                None => wrong(format!("\"{}\" is not a date", excerpt(text)), "write it as FHIR does: 2015, 2015-03, 2015-03-14 or 2015-03-14T10:00:00Z"),
            },
        };
        let (from, to) = (date(from)?, date(to)?);
        let mut wanted = Vec::new();
        for name in types {
            match resource_type(name) {
                Some(ty) => wanted.push(ty),
                None => return wrong(format!("\"{}\" is not a FHIR R4 resource type", excerpt(name)), "SELECT fhir.resource_types() lists them"),
            }
        }
        wanted.sort();
        wanted.dedup();
        Ok(Ask {
            focus: format!("{HOME}/{id}"),
            from: from.map_or(OPEN_LOW, |at| at.low),
            to: to.map_or(OPEN_HIGH, |at| at.high),
            types: wanted,
            as_of: None,
        })
    }

    /// The same of a past moment. What is to come is taken for what is there now.
    pub fn of(self, moment: Option<i64>) -> Ask {
        Ask { as_of: moment.filter(|at| *at <= LAST), ..self }
    }

    /// The id of the patient.
    pub fn id(&self) -> &str {
        self.focus.split_once('/').map_or("", |(_, id)| id)
    }

    /// Whether resources of that type are asked for.
    pub fn wants(&self, ty: TypeId) -> bool {
        self.types.is_empty() || self.types.contains(&ty)
    }

    /// The types asked for that can belong to the patient: the patient's own first, the others by name.
    pub fn members(&self) -> Vec<TypeId> {
        members().into_iter().filter(|ty| self.wants(*ty)).collect()
    }
}

/// The types that can belong to a patient: <https://hl7.org/fhir/R4/compartmentdefinition-patient.html>.
pub fn members() -> Vec<TypeId> {
    let rules = |ty: &TypeId| model::compartment_rules(*ty).any(|rule| rule.compartment.name() == HOME);
    let mut found: Vec<TypeId> = model::resource_types().filter(rules).collect();
    found.sort_by_key(|ty| ty.name() != HOME);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whose_record_and_of_which_time() {
        let ask = Ask::read("Patient/a-1.b", Some("2015"), Some("2015-03"), ["Observation", "Encounter", "Observation"].into_iter()).unwrap();
        assert_eq!((ask.focus.as_str(), ask.id()), ("Patient/a-1.b", "a-1.b"));
        assert_eq!((time::shown(ask.from), time::shown(ask.to)), ("2015-01-01".into(), "2015-04-01".into()));
        assert_eq!(ask.types.iter().map(|ty| ty.name()).collect::<Vec<_>>(), ["Encounter", "Observation"]);
        let all = Ask::read("x", None, None, std::iter::empty()).unwrap();
        assert_eq!((all.focus.as_str(), all.from, all.to), ("Patient/x", OPEN_LOW, OPEN_HIGH));
        assert_eq!(all.members().first().map(|ty| ty.name()), Some("Patient"));
        assert_eq!(all.members().len(), 66);
        assert_eq!((all.clone().of(Some(7)).as_of, all.clone().of(Some(OPEN_HIGH)).as_of, all.of(None).as_of), (Some(7), None, None));
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        let read = |patient, from| Ask::read(patient, from, None, std::iter::empty()).map_err(|e| e.message);
        for patient in ["", "Patient/", "Group/1", "a b", "x'y", "Patient/Patient/1"] {
            assert!(read(patient, None).is_err(), "{patient}");
        }
        assert_eq!(read("x", Some("yesterday")), Err("\"yesterday\" is not a date".into()));
        assert!(Ask::read("x", None, None, ["HumanName"].into_iter()).is_err());
        assert!(read("x", Some(&"9".repeat(100))).unwrap_err().ends_with("9…\" is not a date"));
    }
}
