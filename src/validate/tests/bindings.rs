//! Which codes may stand where, by a terminology that knows one value set of each kind.

use super::*;
use crate::path::eval::NoServices;
use crate::terminology::{Failure, Membership, Terminology};

/// Knows that every set has the code `in` of any system, but nothing of sets whose name ends in `marital-status`.
struct Known;

impl Terminology for Known {
    fn contains(&self, value_set: &str, _: Option<&str>, _: Option<&str>, code: &str) -> Result<Membership, Failure> {
        Ok(match code {
            _ if value_set.ends_with("marital-status") => Membership::Unknown("no such set".into()),
            "in" => Membership::Member,
            _ => Membership::NotMember,
        })
    }

    fn has_code(&self, _: &str, _: Option<&str>, _: &str) -> Result<Membership, Failure> {
        Ok(Membership::Member)
    }

    fn display(&self, _: &str, _: Option<&str>, _: &str) -> Result<Option<String>, Failure> {
        Ok(None)
    }
}

fn found(text: &str) -> Vec<(Severity, &'static str, String)> {
    let bytes = json::parse(text.as_bytes(), &Limits::default()).unwrap();
    let world = World { terminology: Some(&Known), services: &NoServices, profiles: None };
    let mut found = Vec::new();
    let _ = check(json::root(&bytes).unwrap(), Level::Bindings, &world, &mut |issue| {
        if issue.rule == "binding" {
            found.push((issue.severity, issue.code, issue.expression));
        }
        std::ops::ControlFlow::Continue(())
    });
    found
}

fn says(text: &str, expected: &[(Severity, &str, &str)]) {
    let found = found(text);
    let shown: Vec<(Severity, &str, &str)> = found.iter().map(|(severity, code, at)| (*severity, *code, at.as_str())).collect();
    assert_eq!(shown, expected, "{text}");
}

fn patient(more: &str) -> String {
    format!(r#"{{"resourceType":"Patient",{more}}}"#)
}

fn observation(more: &str) -> String {
    format!(r#"{{"resourceType":"Observation","status":"final","code":{{"text":"x"}},{more}}}"#)
}

#[test]
fn an_extensible_binding_warns_and_what_is_not_known_does_too() {
    let reason = |codes: &str| observation(&format!(r#""dataAbsentReason":{{"coding":[{codes}]}}"#));
    says(&reason(r#"{"code":"in"}"#), &[]);
    says(&reason(r#"{"code":"out"}"#), &[(Severity::Warning, "code-invalid", "Observation.dataAbsentReason")]);
    // one of several is enough, and a text alone is nothing to judge
    says(&reason(r#"{"code":"out"},{"code":"in"}"#), &[]);
    says(&observation(r#""dataAbsentReason":{"text":"x"}"#), &[]);
    says(&patient(r#""maritalStatus":{"coding":[{"code":"in"}]}"#), &[(Severity::Warning, "not-found", "Patient.maritalStatus")]);
}

#[test]
fn a_required_binding_and_a_maximum_are_errors() {
    says(&patient(r#""photo":[{"contentType":"in"},{"contentType":"out"}]"#), &[(Severity::Error, "code-invalid", "Patient.photo[1].contentType")]);
    // a preferred binding with a maximum value set
    says(&patient(r#""language":"out""#), &[(Severity::Error, "code-invalid", "Patient.language")]);
    says(&patient(r#""communication":[{"language":{"coding":[{"code":"out"}]}}]"#), &[(Severity::Error, "code-invalid", "Patient.communication[0].language")]);
}

#[test]
fn what_a_type_is_bound_to_holds_for_its_own_values_alone() {
    // of the types that an extension may have, Age has units of its own
    says(&patient(r#""extension":[{"url":"http://x","valueCoding":{"code":"out"}}]"#), &[]);
    says(
        &patient(r#""extension":[{"url":"http://x","valueAge":{"value":1,"code":"out"}}]"#),
        &[(Severity::Error, "code-invalid", "Patient.extension[0].value")],
    );
    says(&patient(r#""extension":[{"url":"http://x","valueAge":{"value":1,"code":"in"}}]"#), &[]);
}
