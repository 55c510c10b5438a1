//! What validation says.

use super::structure::structure;
use crate::json::Node;
use crate::path::eval::NoServices;
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
    /// Whether a resource of which this is said is not valid.
    pub fn is_error(self) -> bool {
        self <= Severity::Error
    }

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
    structure(resource, &NoServices, &mut |issue| if issue.severity.is_error() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }).is_continue()
}

/// Most errors, and most warnings, that are gathered for one resource: a resource that is wrong everywhere needs no longer list.
pub const MAX_ISSUES: usize = 1000;

/// All issues of the structure.
pub fn issues(resource: Node<'_>) -> Vec<Issue> {
    let mut found = Issues::default();
    let _ = structure(resource, &NoServices, &mut |issue| found.take(issue));
    found.into_list()
}

/// A list of issues that stays short. Warnings never keep errors out of it.
#[derive(Default)]
pub struct Issues {
    list: Vec<Issue>,
    errors: usize,
    others: usize,
}

impl Issues {
    /// Adds one, and breaks when no more errors are needed.
    pub fn take(&mut self, issue: Issue) -> ControlFlow<()> {
        if issue.severity.is_error() {
            self.errors += 1;
            self.list.push(issue);
        } else {
            self.others += 1;
            if self.others <= MAX_ISSUES {
                self.list.push(issue);
            }
        }
        if self.errors < MAX_ISSUES { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }

    /// The issues in the order in which they were found; the last one tells where some were left out.
    pub fn into_list(mut self) -> Vec<Issue> {
        let note = match (self.errors, self.others) {
            (MAX_ISSUES.., _) => Some(format!("what follows {MAX_ISSUES} errors is not told")),
            (_, others) if others > MAX_ISSUES => Some(format!("{} more warnings are not told", others - MAX_ISSUES)),
            _ => None,
        };
        let place = self.list.first().map(|first| first.expression.split(['.', '[']).next().unwrap_or_default().to_owned());
        self.list.extend(note.map(|details| Issue {
            severity: Severity::Information,
            code: "informational",
            expression: place.unwrap_or_default(),
            details,
            rule: "structure".into(),
            profile: None,
        }));
        self.list
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn issue(severity: Severity) -> Issue {
        Issue { severity, ..Issue::fatal("x") }
    }

    #[test]
    fn warnings_keep_no_error_out() {
        let mut issues = Issues::default();
        for _ in 0..MAX_ISSUES * 3 {
            assert!(issues.take(issue(Severity::Warning)).is_continue());
        }
        assert!(issues.take(issue(Severity::Error)).is_continue());
        let list = issues.into_list();
        assert_eq!(list.len(), MAX_ISSUES + 2);
        assert_eq!(list.iter().filter(|issue| issue.severity.is_error()).count(), 1);
        assert_eq!(list.last().map(|issue| issue.details.as_str()), Some("2000 more warnings are not told"));
    }

    #[test]
    fn errors_end_the_list() {
        let mut issues = Issues::default();
        let taken = (1..).take_while(|_| issues.take(issue(Severity::Fatal)).is_continue()).count();
        assert_eq!(taken, MAX_ISSUES - 1);
        assert_eq!(issues.into_list().len(), MAX_ISSUES + 1);
    }
}
