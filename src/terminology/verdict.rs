//! What `$validate-code` says of a code. <https://hl7.org/fhir/R4/valueset-operation-validate-code.html>

use super::membership::{self, Asked, Cache, Membership};
use super::{Limits, Member, Source, TermError, expand};

pub struct Question<'a> {
    /// None to ask the code system.
    pub value_set: Option<&'a str>,
    pub system: Option<&'a str>,
    pub version: Option<&'a str>,
    pub code: &'a str,
    /// How the code was shown.
    pub display: Option<&'a str>,
}

#[derive(Debug, PartialEq)]
pub struct Verdict {
    /// None where it cannot be told.
    pub result: Option<bool>,
    pub message: Option<String>,
    /// How the code should be shown, where it is known.
    pub display: Option<String>,
    pub system: Option<String>,
}

/// The verdict on a code; `None` where neither a value set nor a system is asked.
pub fn verdict<S: Source>(source: &mut S, cache: &mut Cache, limits: &Limits, question: &Question) -> Result<Option<Verdict>, S::Error> {
    let Question { value_set, system, version, code, display } = *question;
    let membership = match (value_set, system) {
        (Some(set), _) => membership::contains(source, cache, limits, set, Asked { system, version, code })?,
        (None, Some(system)) => membership::has_code(source, cache, limits, system, version, code)?,
        (None, None) => return Ok(None),
    };
    let system = match (system, value_set) {
        (None, Some(set)) if membership == Membership::Member => only_system(source, limits, set, code)?,
        (system, _) => system.map(str::to_owned),
    };
    let known = match &system {
        Some(system) => membership::display(source, cache, limits, system, version, code)?,
        None => None,
    };
    let coded = match &system {
        Some(system) => format!("code {code} of {system}"),
        None => format!("code {code}"),
    };
    let (result, message) = match membership {
        Membership::Member => (Some(true), None),
        Membership::NotMember => (Some(false), Some(match value_set {
            Some(set) => format!("{coded} is not in value set {set}"),
            None => format!("{coded} is not in the code system"),
        })),
        Membership::Unknown(why) => (None, Some(why)),
    };
    let is_wrong = result == Some(true) && display.zip(known.as_deref()).is_some_and(|(said, known)| !membership::is_same(said, known));
    Ok(Some(if is_wrong {
        let message = format!("{coded} is shown as \"{}\", not as \"{}\"", known.as_deref().unwrap_or_default(), display.unwrap_or_default());
        Verdict { result: Some(false), message: Some(message), display: known, system }
    } else {
        Verdict { result, message, display: known, system }
    }))
}

/// The system that the code is of, where the set can be listed and has it of one only.
fn only_system<S: Source>(source: &mut S, limits: &Limits, set: &str, code: &str) -> Result<Option<String>, S::Error> {
    let members = match expand(source, set, limits) {
        Ok(members) => members,
        Err(TermError::Source(error)) => return Err(error),
        Err(TermError::Definition(_)) => return Ok(None),
    };
    let mut systems = members.into_iter().filter_map(|member| match member {
        Member::Code(coding) if coding.code == code => coding.system,
        _ => None,
    });
    Ok(systems.next().filter(|_| systems.next().is_none()))
}
