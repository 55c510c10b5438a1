//! Why a line is rejected.

use crate::json::{self, Node};
use crate::store::Refusal;
use std::borrow::Cow;

/// Characters of a rejected line that are kept.
const KEPT: usize = 4000;

/// A line that holds no resource.
#[derive(Debug, PartialEq, Eq)]
pub struct Rejected {
    /// Where in the resource, as `fhir.issues` names it.
    pub expression: Option<String>,
    pub reason: String,
    pub text: String,
    /// The SQLSTATE that the load fails with where it stops for this.
    pub sqlstate: Cow<'static, str>,
}

/// A line of which only the beginning was read.
pub fn too_long(start: &[u8], max: usize) -> Rejected {
    Rejected { expression: None, reason: format!("line is longer than {max} bytes"), text: kept(start), sqlstate: "54000".into() }
}

/// A document of which the end is missing.
pub fn broken(start: &[u8]) -> Rejected {
    refused(start, "the document breaks off")
}

/// A line that holds nothing to store.
pub fn refused(text: &[u8], reason: &str) -> Rejected {
    Rejected { expression: None, reason: reason.to_owned(), text: kept(text), sqlstate: "22023".into() }
}

/// A line that is refused.
pub fn rejected(text: &[u8], refusal: &Refusal) -> Rejected {
    let reason = match refusal {
        Refusal::Json(error) => format!("{} at byte {} of the line", error.message, error.offset),
        other => other.listed().unwrap_or_else(|| other.to_string()),
    };
    Rejected { expression: refusal.expression().map(str::to_owned), reason, text: kept(text), sqlstate: refusal.sqlstate().into() }
}

/// A resource that is not what is demanded of it.
pub fn invalid(resource: &[u8], refusal: &Refusal) -> Rejected {
    let text = json::root(resource).map(|resource: Node| resource.to_json()).unwrap_or_default();
    rejected(text.as_bytes(), refusal)
}

/// A resource that could be read and not be written.
pub fn unwritten(resource: &[u8], reason: String, sqlstate: impl Into<Cow<'static, str>>) -> Rejected {
    let text = json::root(resource).map(|resource: Node| resource.to_json()).unwrap_or_default();
    Rejected { expression: None, reason, text: kept(text.as_bytes()), sqlstate: sqlstate.into() }
}

/// The beginning of a line as text that the server can hold.
fn kept(text: &[u8]) -> String {
    let start = &text[..text.len().min(KEPT * 4)];
    String::from_utf8_lossy(start).chars().take(KEPT).map(|c| if c == '\0' { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_of_a_line_is_text() {
        assert_eq!(kept(b"a\0\xFF"), "a\u{FFFD}\u{FFFD}");
        assert_eq!(kept(&[b'x'; 100_000]).len(), KEPT);
    }
}
