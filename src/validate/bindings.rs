//! Whether the codes of an element are those that its binding allows: <https://hl7.org/fhir/R4/terminologies.html#strength>.

use super::issue::{Issue, Severity};
use super::place::{At, clip};
use crate::json::Node;
use crate::model::{Binding, CODEABLE_CONCEPT, Strength, TypeId, is_a};
use crate::terminology::{Membership, Terminology};

/// What is wrong with a coded value. What the terminology does not know gives a warning, never an error.
pub fn judge(binding: &Binding, value: Node<'_>, ty: TypeId, terminology: &dyn Terminology, at: &At) -> Option<Issue> {
    let codes: Vec<Code> = codes(value, ty).collect();
    let issue = |severity, code, details| {
        Some(Issue { severity, code, expression: at.expression(), details, rule: "binding".into(), profile: None })
    };
    if let Some(max) = binding.max
        && let Found::Outside = found(max, &codes, terminology)
    {
        return issue(Severity::Error, "code-invalid", outside(max, &codes, ty));
    }
    let severity = match binding.strength {
        Strength::Required => Severity::Error,
        Strength::Extensible => Severity::Warning,
        Strength::Preferred | Strength::Example => return None,
    };
    match found(binding.value_set, &codes, terminology) {
        Found::Inside => None,
        Found::Outside => issue(severity, "code-invalid", outside(binding.value_set, &codes, ty)),
        Found::Unknown(why) => issue(Severity::Warning, "not-found", format!("the codes were not checked: {why}")),
    }
}

/// A code as it stands in a resource.
struct Code<'a> {
    system: Option<&'a str>,
    version: Option<&'a str>,
    code: &'a str,
}

fn codes<'a>(value: Node<'a>, ty: TypeId) -> impl Iterator<Item = Code<'a>> {
    let codings = if is_a(ty, CODEABLE_CONCEPT) { value.get("coding") } else { Some(value) };
    codings.into_iter().flat_map(Node::items).filter_map(|coding| match coding {
        Node::String(code) => Some(Code { system: None, version: None, code }),
        _ => {
            let text = |name| coding.get(name).and_then(Node::as_str);
            Some(Code { system: text("system"), version: text("version"), code: text("code")? })
        }
    })
}

enum Found {
    Inside,
    Outside,
    Unknown(String),
}

/// One of several codings is enough; without a code there is nothing to judge.
fn found(value_set: &str, codes: &[Code], terminology: &dyn Terminology) -> Found {
    let mut result = if codes.is_empty() { Found::Inside } else { Found::Outside };
    for code in codes {
        match terminology.contains(value_set, code.system, code.version, code.code) {
            Ok(Membership::Member) => return Found::Inside,
            Ok(Membership::NotMember) => {}
            Ok(Membership::Unknown(why)) => result = Found::Unknown(why),
            Err(why) => result = Found::Unknown(why.to_string()),
        }
    }
    result
}

fn outside(value_set: &str, codes: &[Code], ty: TypeId) -> String {
    match codes {
        [only] if !is_a(ty, CODEABLE_CONCEPT) => format!("\"{}\" is not in the value set {value_set}", clip(only.code)),
        _ => format!("no coding is in the value set {value_set}"),
    }
}
