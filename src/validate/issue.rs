//! What validation says.

use super::structure::structure;
use crate::json::Node;
use std::borrow::Cow;
use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;

/// <https://hl7.org/fhir/R4/valueset-issue-severity.html>
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Severity {
    Fatal,
    Error,
    Warning,
    Information,
}

impl Severity {
    /// The FHIR code.
    pub fn code(self) -> &'static str {
        match self {
            Severity::Fatal => "fatal",
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Information => "information",
        }
    }
}

/// One issue of an OperationOutcome: <https://hl7.org/fhir/R4/operationoutcome.html>.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Issue {
    pub severity: Severity,
    /// <https://hl7.org/fhir/R4/valueset-issue-type.html>
    pub code: &'static str,
    /// `Patient.name[0].given[1]`: element names and repetitions, so `value` also where the property is `valueQuantity`.
    pub expression: String,
    pub details: String,
    /// What asked for it: the key of an invariant (`dom-3`), `binding`, the element or slice of a profile, else `structure`.
    pub rule: Cow<'static, str>,
    /// The canonical url of the profile that has the rule; `None` for FHIR itself.
    pub profile: Option<Arc<str>>,
}

impl Issue {
    /// What is not even a resource.
    pub fn fatal(details: &str) -> Issue {
        Issue {
            severity: Severity::Fatal,
            code: "structure",
            expression: String::new(),
            details: details.to_owned(),
            rule: "structure".into(),
            profile: None,
        }
    }
}

impl fmt::Display for Issue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} at {}: {}", self.severity.code(), self.code, self.expression, self.details)
    }
}

/// Whether the structure has no error; it stops at the first one.
pub fn is_valid(resource: Node<'_>) -> bool {
    let mut valid = true;
    structure(resource, &mut |issue| {
        if issue.severity <= Severity::Error {
            valid = false;
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    });
    valid
}

/// Most issues that are gathered for one resource: a resource that is wrong everywhere needs no longer list.
pub const MAX_ISSUES: usize = 1000;

/// All issues of the structure.
pub fn issues(resource: Node<'_>) -> Vec<Issue> {
    let mut found = Vec::new();
    structure(resource, &mut |issue| {
        found.push(issue);
        if found.len() < MAX_ISSUES { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    found
}
