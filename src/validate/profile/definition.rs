//! A definition that is a resource to be checked itself: whether it can be used (<https://hl7.org/fhir/R4/profiling.html>).

use super::walk::{At, Flow, GO_ON};
use super::{Context, Profile, ProfileError};
use crate::json::Node;
use crate::validate::{Issue, Severity};

/// Compiles `resource` where it is a profile, and tells why that fails. What is only not known is a warning.
pub(super) fn usable(resource: Node<'_>, context: &Context<'_>, at: &At, issues: &mut dyn FnMut(Issue) -> Flow) -> Flow {
    let text = |name: &str| resource.get(name).and_then(Node::as_str);
    // a specialization describes a type, not what resources of a known type must be
    if text("derivation") != Some("constraint") {
        return GO_ON;
    }
    let Err(problem) = Profile::compile(resource, context.definitions) else { return GO_ON };
    let (severity, code) = match &problem {
        ProfileError::NotADefinition | ProfileError::Logical => return GO_ON,
        ProfileError::UnknownBase(base) if Some(base.as_str()) == text("url") => (Severity::Error, "structure"),
        ProfileError::UnknownType(_) | ProfileError::UnknownBase(_) => (Severity::Warning, "not-found"),
        ProfileError::TooLarge { .. } | ProfileError::Internal => (Severity::Warning, "too-costly"),
        ProfileError::Malformed(_) | ProfileError::UnknownElement { .. } => (Severity::Error, "structure"),
    };
    let details = match severity {
        Severity::Error => format!("the definition cannot be used: {problem}"),
        _ => format!("whether the definition can be used was not checked: {problem}"),
    };
    issues(Issue { severity, code, expression: at.expression(), details, rule: "text".into(), profile: None })
}
