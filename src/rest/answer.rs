//! Answers, and what errors become in HTTP. <https://hl7.org/fhir/R4/http.html#Status-Codes>

use super::request::Method;
use crate::store::interactions::precondition::entity_tag;
use crate::store::time::http_date;
use crate::json::Node;
use crate::validate::{issues, outcome, validation};

/// The answer to one request.
#[derive(Debug, Default, PartialEq)]
pub struct Answer {
    pub status: u16,
    /// The version that was read or written, for the entity tag.
    pub version: Option<i64>,
    /// When it was written, in microseconds since 2000-01-01 UTC.
    pub modified: Option<i64>,
    /// The version's address, without the base.
    pub location: Option<String>,
    /// The container of a resource.
    pub body: Option<Vec<u8>>,
}

impl Answer {
    pub fn new(status: u16) -> Answer {
        Answer { status, ..Answer::default() }
    }

    pub fn body(self, body: Vec<u8>) -> Answer {
        Answer { body: Some(body), ..self }
    }

    /// The headers of an answer over HTTP. <https://hl7.org/fhir/R4/http.html#versions>
    pub fn headers(&self, base: &str) -> Vec<(&'static str, String)> {
        let mut headers = Vec::new();
        headers.extend(self.version.map(|version| ("ETag", entity_tag(version))));
        headers.extend(self.modified.map(|at| ("Last-Modified", http_date(at))));
        if let Some(location) = &self.location {
            headers.push((if self.status == 201 { "Location" } else { "Content-Location" }, under(base, location)));
        }
        if self.body.is_some() {
            headers.push(("Content-Type", "application/fhir+json; charset=utf-8".to_owned()));
        }
        headers
    }
}

/// An address below the base.
pub fn under(base: &str, relative: &str) -> String {
    if base.is_empty() { relative.to_owned() } else { format!("{base}/{relative}") }
}

/// Why a request is refused, before the lake is asked.
#[derive(Debug, PartialEq)]
pub struct Refused {
    pub status: u16,
    /// <https://hl7.org/fhir/R4/valueset-issue-type.html>
    pub code: &'static str,
    pub diagnostics: String,
}

impl Refused {
    pub fn new(status: u16, code: &'static str, diagnostics: impl Into<String>) -> Refused {
        Refused { status, code, diagnostics: diagnostics.into() }
    }

    pub fn answer(self) -> Answer {
        Answer::new(self.status).body(outcome([("error", self.code, self.diagnostics.as_str(), None)]))
    }
}

/// Status line of a response, as entries of a Bundle have it.
pub fn status_line(status: u16) -> String {
    let phrase = match status {
        200 => "OK",
        201 => "Created",
        204 => "No Content",
        304 => "Not Modified",
        400 => "Bad Request",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        409 => "Conflict",
        410 => "Gone",
        412 => "Precondition Failed",
        413 => "Payload Too Large",
        415 => "Unsupported Media Type",
        422 => "Unprocessable Entity",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        503 => "Service Unavailable",
        _ => return status.to_string(),
    };
    format!("{status} {phrase}")
}

/// The status and the issue type of an SQLSTATE.
pub fn status(sqlstate: &str, by_constraint: bool, method: Method) -> (u16, &'static str) {
    match sqlstate {
        "FH404" => (404, "not-found"),
        "FH410" => (410, "deleted"),
        "FH412" => (412, "conflict"),
        "FH409" => (409, "conflict"),
        "FH422" => (422, "processing"),
        "FH406" => (406, "not-supported"),
        "FH415" => (415, "not-supported"),
        // what is no valid resource, against a rule of the lake's own
        "23514" if by_constraint => (422, "business-rule"),
        "23514" => (400, "invalid"),
        "23503" if method == Method::Delete => (409, "conflict"),
        "23503" => (422, "not-found"),
        "23505" => (409, "duplicate"),
        "0A000" => (400, "not-supported"),
        "25006" => (405, "not-supported"),
        "42501" => (403, "forbidden"),
        "42P01" | "3F000" => (404, "not-found"),
        "40001" | "40P01" | "55P03" => (409, "transient"),
        _ => match sqlstate.get(..2).unwrap_or_default() {
            "22" => (400, "value"),
            "23" | "44" | "P0" => (422, "business-rule"),
            "54" => (413, "too-costly"),
            _ => (500, "exception"),
        },
    }
}

/// What an error of the lake is answered with. For a resource that is not valid all is listed that is wrong with it.
pub fn failure(sqlstate: &str, by_constraint: bool, message: &str, detail: Option<&str>, hint: Option<&str>, method: Method, resource: Option<Node>) -> Answer {
    let (status, code) = status(sqlstate, by_constraint, method);
    // a patch is no resource
    if code == "invalid"
        && method != Method::Patch
        && let Some(issues) = resource.map(issues).filter(|issues| !issues.is_empty())
    {
        return Answer::new(status).body(validation(&issues));
    }
    let mut diagnostics = message.to_owned();
    // not the row that a constraint refused, nor advice on what to type in SQL
    let (detail, hint) = (detail.filter(|_| !by_constraint), hint.filter(|hint| !hint.starts_with("SELECT")));
    for more in [detail, hint].into_iter().flatten() {
        diagnostics.push_str("; ");
        diagnostics.push_str(more);
    }
    Answer::new(status).body(outcome([("error", code, diagnostics.as_str(), None)]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;

    #[test]
    fn sqlstates_become_the_statuses_of_the_specification() {
        let status = |sqlstate| status(sqlstate, false, Method::Put);
        assert_eq!(status("FH404"), (404, "not-found"));
        assert_eq!(status("FH410"), (410, "deleted"));
        assert_eq!(status("23514"), (400, "invalid"));
        assert_eq!(super::status("23514", true, Method::Put), (422, "business-rule"));
        assert_eq!(super::status("23503", false, Method::Delete), (409, "conflict"));
        assert_eq!(status("22P02"), (400, "value"));
        assert_eq!(status("XX000"), (500, "exception"));
        assert_eq!(status(""), (500, "exception"));
    }

    #[test]
    fn an_outcome_is_a_valid_resource() {
        let outcome = outcome([("error", "invalid", "a \"b\"", Some("Patient.name[0]")), ("warning", "value", "c", None)]);
        assert!(crate::validate::is_valid(json::root(&outcome).unwrap()));
        assert!(crate::validate::is_valid(json::root(&validation(&[])).unwrap()));
        for text in ["[1]", "{}", "7"] {
            let container = json::parse(text.as_bytes(), &json::Limits::default()).unwrap();
            let node = json::root(&container).unwrap();
            assert!(crate::validate::is_valid(json::root(&validation(&issues(node))).unwrap()), "{text}");
            let of_patch = failure("23514", false, "not valid", None, None, Method::Patch, Some(node));
            assert!(json::root(&of_patch.body.unwrap()).unwrap().to_json().contains("not valid"), "{text}");
        }
    }
}
