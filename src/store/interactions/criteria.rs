//! The search criteria of a conditional interaction. <https://hl7.org/fhir/R4/http.html#cond-update>
//!
//! They are stricter than a search: what is not understood would widen them, and then the wrong resource is written.

use crate::index::query::{self, ErrorKind, MAX_TEXT, QueryError, shown};
use crate::model::TypeId;

/// The search `Type?criteria` of a condition, from the text that a client sends: `identifier=…`, `?identifier=…` or
/// `Type?identifier=…`.
///
/// Refused: no criteria at all, criteria without a value, what shapes an answer (`_count`), and another type.
pub fn search(ty: TypeId, text: &str) -> Result<String, QueryError> {
    if text.len() > MAX_TEXT {
        let message = format!("condition is longer than {MAX_TEXT} bytes");
        return Err(QueryError { kind: ErrorKind::TooLarge, message, hint: None });
    }
    let text = text.trim();
    let criteria = match text.split_once('?') {
        Some(("", criteria)) => criteria,
        Some((name, criteria)) if name == ty.name() => criteria,
        Some((name, _)) if !name.contains('=') => {
            return invalid(format!("condition is on \"{}\", not on {}", shown(name), ty.name()), "write the criteria alone: identifier=system|value");
        }
        _ => text,
    };
    let mut any = false;
    for part in criteria.split('&').filter(|part| !part.is_empty()) {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        let name = query::decode(name)?;
        if query::is_result_parameter(name.split(':').next().unwrap_or_default()) {
            return invalid(format!("{} is no criterion", shown(&name)), "a condition holds search criteria only");
        }
        if query::decode(value)?.trim().is_empty() {
            return invalid(format!("criterion \"{}\" has no value", shown(&name)), "write parameter=value");
        }
        any = true;
    }
    if !any {
        return invalid("the condition is empty", "it would match every resource; write criteria such as identifier=system|value");
    }
    Ok(format!("{}?{criteria}", ty.name()))
}

/// What two writers with the same condition, as [`search`] gives it, have in common, however they order and escape it.
pub fn lock_name(lake: &str, search: &str) -> String {
    let (path, criteria) = search.split_once('?').unwrap_or((search, ""));
    let decoded = |part: &str| query::decode(part).unwrap_or_else(|_| part.to_owned());
    let mut parts: Vec<String> = criteria.split('&').filter(|part| !part.is_empty()).map(decoded).collect();
    parts.sort_unstable();
    parts.dedup();
    format!("fhirlake condition {lake} {path}?{}", parts.join("&"))
}

fn invalid<T>(message: impl Into<String>, hint: &str) -> Result<T, QueryError> {
    Err(QueryError { kind: ErrorKind::Invalid, message: message.into(), hint: Some(hint.to_owned()) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model;

    fn patient(text: &str) -> Result<String, String> {
        search(model::type_named("Patient").unwrap(), text).map_err(|error| error.message)
    }

    #[test]
    fn criteria_stand_alone_or_behind_their_type() {
        for text in ["identifier=http://x|1", "?identifier=http://x|1", "Patient?identifier=http://x|1", " identifier=http://x|1 "] {
            assert_eq!(patient(text).as_deref(), Ok("Patient?identifier=http://x|1"));
        }
        assert_eq!(patient("url=http://x?y=z").as_deref(), Ok("Patient?url=http://x?y=z"));
    }

    #[test]
    fn what_would_match_too_much_is_refused() {
        for text in ["", "?", "&", "Patient?", " ", "&&"] {
            assert_eq!(patient(text), Err("the condition is empty".into()), "{text:?}");
        }
        assert_eq!(patient("identifier="), Err("criterion \"identifier\" has no value".into()));
        assert_eq!(patient("identifier=x&name=%20"), Err("criterion \"name\" has no value".into()));
        assert_eq!(patient("identifier"), Err("criterion \"identifier\" has no value".into()));
        assert_eq!(patient("_count=1"), Err("_count is no criterion".into()));
        assert_eq!(patient("identifier=x&_include:iterate=Patient:link"), Err("_include:iterate is no criterion".into()));
        assert_eq!(patient("%5Fsort=name"), Err("_sort is no criterion".into()));
        assert_eq!(patient("Observation?code=x"), Err("condition is on \"Observation\", not on Patient".into()));
        assert!(patient("name=%").is_err());
        assert_eq!(patient(&"a=b&".repeat(MAX_TEXT)), Err("condition is longer than 1048576 bytes".into()));
    }

    #[test]
    fn order_and_escapes_do_not_matter_to_the_lock() {
        let name = lock_name("lake", "Patient?a=1&b=2");
        assert_eq!(name, lock_name("lake", "Patient?b=2&a=1"));
        assert_eq!(name, lock_name("lake", "Patient?&%62=2&a=1&"));
        assert_ne!(name, lock_name("other", "Patient?a=1&b=2"));
        assert_ne!(name, lock_name("lake", "Person?a=1&b=2"));
        assert_ne!(name, lock_name("lake", "Patient?a=1&b=3"));
    }
}
