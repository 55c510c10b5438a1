//! Issues as a resource.

use super::Issue;
use crate::json::{self, Item};
use std::borrow::Cow;

/// An OperationOutcome of issues: severity, type, diagnostics and where. <https://hl7.org/fhir/R4/operationoutcome.html>
pub fn outcome<'a>(issues: impl IntoIterator<Item = (&'a str, &'a str, &'a str, Option<&'a str>)>) -> Vec<u8> {
    let text = |text: &'a str| Item::String(Cow::Borrowed(text));
    let issues = issues.into_iter().map(|(severity, code, diagnostics, expression)| {
        let mut members: Vec<(Cow<str>, Item)> =
            vec![("severity".into(), text(severity)), ("code".into(), text(code)), ("diagnostics".into(), text(diagnostics))];
        members.extend(expression.map(|expression| ("expression".into(), Item::Array(vec![text(expression)]))));
        Item::Object(members)
    });
    let members = vec![("resourceType".into(), text("OperationOutcome")), ("issue".into(), Item::Array(issues.collect()))];
    // what is larger than a jsonb can be is told without its words
    json::write(&Item::Object(members)).or_else(|_| json::write(&Item::Object(Vec::new()))).unwrap_or_default()
}

/// The OperationOutcome of what validation says; of nothing, that all is well.
pub fn validation(issues: &[Issue]) -> Vec<u8> {
    if issues.is_empty() {
        return outcome([("information", "informational", "no issues", None)]);
    }
    outcome(issues.iter().map(|issue| {
        // what is wrong with the whole has no place
        let place = Some(issue.expression.as_str()).filter(|place| !place.is_empty());
        (issue.severity.code(), issue.code, issue.details.as_str(), place)
    }))
}
