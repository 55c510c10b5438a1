//! One line: the resource in it, or why it is rejected.

use crate::json::{self, Limits};
use crate::store::{Refusal, Submitted};

/// Characters of a rejected line that are kept.
const KEPT: usize = 4000;

/// A line that holds a resource.
pub struct Accepted {
    pub container: Vec<u8>,
    pub ty: crate::model::TypeId,
    pub id: Option<String>,
}

/// A line that does not.
#[derive(Debug, PartialEq, Eq)]
pub struct Rejected {
    /// Where in the resource, as `fhir.issues` names it.
    pub expression: Option<String>,
    pub reason: String,
    pub text: String,
}

/// Reads a line; it is parsed once, here.
pub fn read(text: &[u8], limits: &Limits, validated: bool) -> Result<Accepted, Rejected> {
    let container = json::parse(text, limits).map_err(|error| rejected(text, &Refusal::Json(error)))?;
    let (ty, id) = {
        let submitted = Submitted::read(&container, None).map_err(|refusal| rejected(text, &refusal))?;
        if validated {
            submitted.validated().map_err(|refusal| rejected(text, &refusal))?;
        }
        (submitted.ty, submitted.id.map(str::to_owned))
    };
    Ok(Accepted { container, ty, id })
}

/// A line of which only the beginning was read.
pub fn too_long(start: &[u8], max: usize) -> Rejected {
    Rejected { expression: None, reason: format!("line is longer than {max} bytes"), text: kept(start) }
}

fn rejected(text: &[u8], refusal: &Refusal) -> Rejected {
    let reason = match refusal {
        Refusal::Json(error) => format!("{} at byte {} of the line", error.message, error.offset),
        other => other.listed().unwrap_or_else(|| other.to_string()),
    };
    Rejected { expression: refusal.expression().map(str::to_owned), reason, text: kept(text) }
}

/// The beginning of a line as text that the server can hold.
fn kept(text: &[u8]) -> String {
    let start = &text[..text.len().min(KEPT * 4)];
    String::from_utf8_lossy(start).chars().take(KEPT).map(|c| if c == '\0' { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(text: &[u8]) -> String {
        read(text, &Limits::default(), true).err().map(|rejected| rejected.reason).unwrap_or_default()
    }

    #[test]
    fn a_rejected_line_says_why() {
        assert!(reason(br#"{"resourceType":"Patient""#).contains("at byte"));
        assert!(reason(br#"{"resourceType":"Nobody"}"#).contains("Nobody"));
        assert!(reason(br#"[1]"#).contains("not a JSON object"));
        assert!(reason(br#"{"resourceType":"Patient","gender":"none"}"#).contains("Patient.gender"));
    }

    #[test]
    fn a_good_line_gives_its_type_and_id() {
        let accepted = read(br#"{"resourceType":"Patient","id":"p1"}"#, &Limits::default(), true).ok().unwrap();
        assert_eq!((accepted.ty.name(), accepted.id.as_deref()), ("Patient", Some("p1")));
    }

    #[test]
    fn what_is_kept_of_a_line_is_text() {
        assert_eq!(kept(b"a\0\xFF"), "a\u{FFFD}\u{FFFD}");
        assert_eq!(kept(&[b'x'; 100_000]).len(), KEPT);
    }
}
