//! Codes that must come from a value set: <https://hl7.org/fhir/R4/terminologies.html#strength>.

use super::Profile;
use super::element::Strength;
use super::rule::{Binding, Rule};
use super::value::brief;
use super::walk::{At, Flow, GO_ON, Item, Walk};
use crate::json::{Node, Object};
use crate::model::{CODEABLE_CONCEPT, CODING, QUANTITY, is_a};
use crate::terminology::Membership;
use crate::validate::Severity;

/// What the codes of a value are, compared with a value set.
enum Answer {
    /// A code, or one of the codings of a concept, is in it.
    In,
    Out,
    Unknown(String),
    /// There is no code.
    NoCode,
}

impl<'a> Walk<'a, '_> {
    /// A bound value. "Required": a code of the set; of a concept one of the codings. "Extensible": the same, where the set has a code that does,
    /// which only a person can tell: a warning.
    #[allow(clippy::too_many_arguments)]
    pub fn binding(&mut self, profile: &Profile, rule: &Rule, binding: &Binding, item: Item<'a>, at: &At) -> Flow {
        if self.context.terminology.is_none() || item.value.is_none() {
            return GO_ON;
        }
        if let Some(most) = &binding.max_value_set {
            self.bound(profile, rule, most, true, item, at)?;
        }
        if binding.value_set.is_empty() || binding.strength < Strength::Extensible {
            return GO_ON;
        }
        self.bound(profile, rule, &binding.value_set, binding.strength == Strength::Required, item, at)
    }

    fn bound(&mut self, profile: &Profile, rule: &Rule, value_set: &str, required: bool, item: Item<'a>, at: &At) -> Flow {
        let severity = if required { Severity::Error } else { Severity::Warning };
        let details = match self.answer(value_set, item) {
            Answer::In => return GO_ON,
            Answer::Unknown(why) => {
                return self.tell(Severity::Warning, "not-found", at, &rule.id, Some(profile), format!("not checked against the value set {value_set}: {why}"));
            }
            Answer::NoCode if item.ty == CODEABLE_CONCEPT || required && is_a(item.ty, QUANTITY) => format!("has no code, and one of the value set {value_set} is {}", needed(required)),
            Answer::NoCode => return GO_ON,
            Answer::Out if item.ty == CODEABLE_CONCEPT => format!("no coding is in the value set {value_set}, and one is {}", needed(required)),
            Answer::Out => {
                let code = item.value.map(|value| value.get("code").unwrap_or(value));
                format!("{} is not in the value set {value_set}, of which one is {}", code.map(brief).unwrap_or_default(), needed(required))
            }
        };
        self.tell(severity, "code-invalid", at, &rule.id, Some(profile), details)
    }

    /// Whether a value is in a value set; `None` where nobody can tell.
    pub fn membership(&mut self, value_set: &str, item: Item<'a>) -> Option<Membership> {
        match self.answer(value_set, item) {
            Answer::In => Some(Membership::Member),
            Answer::Out | Answer::NoCode => Some(Membership::NotMember),
            Answer::Unknown(_) => None,
        }
    }

    fn answer(&mut self, value_set: &str, item: Item<'a>) -> Answer {
        let (Some(terminology), Some(value)) = (self.context.terminology, item.value) else { return Answer::Unknown("there is no terminology".to_owned()) };
        let ask = |system: Option<&str>, version: Option<&str>, code: &str| match terminology.contains(value_set, system, version, code) {
            Ok(Membership::Member) => Answer::In,
            Ok(Membership::NotMember) => Answer::Out,
            Ok(Membership::Unknown(why)) => Answer::Unknown(why),
            Err(error) => Answer::Unknown(error.to_string()),
        };
        let coding = |object: Object<'_>| {
            let text = |name: &str| object.get(name).and_then(Node::as_str);
            match text("code") {
                Some(code) => ask(Some(text("system").unwrap_or_default()), text("version"), code),
                None => Answer::NoCode,
            }
        };
        match value {
            Node::String(code) => ask(None, None, code),
            Node::Object(object) if item.ty == CODING || is_a(item.ty, QUANTITY) => coding(object),
            Node::Object(object) if item.ty == CODEABLE_CONCEPT => {
                let mut best = Answer::NoCode;
                let codings = object.get("coding").and_then(Node::as_array);
                for answer in codings.into_iter().flat_map(|codings| codings.iter()).filter_map(Node::as_object).map(coding) {
                    match (answer, &best) {
                        (Answer::In, _) => return Answer::In,
                        (Answer::Unknown(why), _) => best = Answer::Unknown(why),
                        (Answer::Out, Answer::NoCode) => best = Answer::Out,
                        _ => {}
                    }
                }
                best
            }
            _ => Answer::NoCode,
        }
    }
}

fn needed(required: bool) -> &'static str {
    if required { "required" } else { "expected, unless none of it does" }
}
