//! `If-Match`: the version that a writer has seen. <https://hl7.org/fhir/R4/http.html#concurrency>

/// Which version must be the current one, so that a write may go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IfMatch {
    /// `*`: whichever, but one.
    Any,
    Version(i64),
}

impl IfMatch {
    /// Reads a version number, an entity tag (`W/"3"`, `"3"`) or `*`; `None` for anything else.
    pub fn parse(text: &str) -> Option<IfMatch> {
        let text = text.trim();
        if text == "*" {
            return Some(IfMatch::Any);
        }
        let tag = text.strip_prefix("W/").unwrap_or(text);
        let is_tag = tag.len() >= 2 && tag.starts_with('"') && tag.ends_with('"');
        let number = if is_tag { &tag[1..tag.len() - 1] } else { text };
        let is_number = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
        // A number that no version can have is one that never matches.
        is_number.then(|| IfMatch::Version(number.parse().unwrap_or(i64::MAX)))
    }

    /// Whether that version may be written over.
    pub fn allows(self, version: i64) -> bool {
        match self {
            IfMatch::Any => true,
            IfMatch::Version(expected) => expected == version,
        }
    }
}

/// The entity tag of a version. <https://hl7.org/fhir/R4/http.html#versioning>
pub fn entity_tag(version: i64) -> String {
    format!("W/\"{version}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_number_and_its_entity_tag_mean_the_same() {
        for text in ["3", "W/\"3\"", "\"3\"", " W/\"3\" ", &entity_tag(3)] {
            assert_eq!(IfMatch::parse(text), Some(IfMatch::Version(3)), "{text}");
        }
        assert_eq!(IfMatch::parse("*"), Some(IfMatch::Any));
        assert_eq!(IfMatch::parse("99999999999999999999"), Some(IfMatch::Version(i64::MAX)));
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["", "W/", "W/3", "\"", "W/\"", "W/\"\"", "-1", "+1", "1.0", "one", "W/\"1\", W/\"2\"", "٣"] {
            assert_eq!(IfMatch::parse(text), None, "{text}");
        }
    }
}
