//! Code systems whose codes are made by rules instead of being listed.

use super::snomed;
use crate::index::ucum;
use regex::Regex;
use std::sync::LazyLock;

/// Languages: <https://hl7.org/fhir/R4/valueset-all-languages.html>
const BCP_47: &str = "urn:ietf:bcp:47";
/// Types of media: <https://hl7.org/fhir/R4/valueset-mimetypes.html>
const BCP_13: &str = "urn:ietf:bcp:13";
/// Concepts and expressions: <https://hl7.org/fhir/R4/snomedct.html>
const SNOMED_CT: &str = "http://snomed.info/sct";

/// Longer texts are not looked at.
const MAX_CODE: usize = 255;

/// RFC 5646, section 2.1, without the grandfathered tags.
static LANGUAGE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        "^(?i)(?:(?:[a-z]{2,3}(?:-[a-z]{3}){0,3}|[a-z]{4}|[a-z]{5,8})(?:-[a-z]{4})?(?:-(?:[a-z]{2}|[0-9]{3}))?\
         (?:-(?:[a-z0-9]{5,8}|[0-9][a-z0-9]{3}))*(?:-[0-9a-wyz](?:-[a-z0-9]{2,8})+)*(?:-x(?:-[a-z0-9]{1,8})+)?|x(?:-[a-z0-9]{1,8})+)$",
    )
    .ok()
});

/// RFC 2045, section 5.1: a type, a subtype, parameters.
static MEDIA: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let token = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
    Regex::new(&format!("^{token}/{token}(?:\\s*;\\s*{token}=(?:{token}|\"[^\"]*\"))*$")).ok()
});

/// Whether the rules of the system make that code; `None` where the system is listed, or where the rules do not settle it.
pub fn makes(system: &str, code: &str) -> Option<bool> {
    if code.is_empty() || code.len() > MAX_CODE {
        return None;
    }
    match system {
        BCP_47 => LANGUAGE.as_ref().map(|regex| regex.is_match(code)),
        // the short names that a CapabilityStatement lists its formats by
        BCP_13 if matches!(code, "xml" | "json" | "ttl") => None,
        BCP_13 => MEDIA.as_ref().map(|regex| regex.is_match(code)),
        // An identifier that could be one is not therefore one.
        SNOMED_CT if !snomed::is_possible(code) => Some(false),
        // What the library does not read may be a unit all the same.
        ucum::SYSTEM => octofhir_ucum::validate(code).is_ok().then_some(true),
        _ => None,
    }
}

/// Whether a code that a system lists is a pattern that another code fits: `NNxxx`, where `xxx` stands for a country,
/// and `Q<integer>H` of <https://hl7.org/fhir/R4/v2/0203/index.html> and <https://hl7.org/fhir/R4/v2/0335/index.html>.
pub fn fits(listed: &str, code: &str) -> bool {
    let of = |placeholder: &str, is_part: fn(&char) -> bool| {
        let Some((before, after)) = listed.split_once(placeholder) else { return false };
        let Some(part) = code.strip_prefix(before).and_then(|rest| rest.strip_suffix(after)) else { return false };
        !part.is_empty() && part.chars().all(|c| is_part(&c))
    };
    of("xxx", char::is_ascii_alphanumeric) || of("<integer>", char::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_media_and_units_have_rules() {
        for (system, code, expected) in [
            (BCP_47, "en", Some(true)),
            (BCP_47, "de-CH-1996", Some(true)),
            (BCP_47, "zh-Hant-TW", Some(true)),
            (BCP_47, "x-own", Some(true)),
            (BCP_47, "english!", Some(false)),
            (BCP_47, "e", Some(false)),
            (BCP_13, "text/plain; charset=utf-8", Some(true)),
            (BCP_13, "application/fhir+json", Some(true)),
            (BCP_13, "text", Some(false)),
            (BCP_13, "json", None),
            (ucum::SYSTEM, "mm[Hg]", Some(true)),
            (ucum::SYSTEM, "10*3/uL", Some(true)),
            (ucum::SYSTEM, "furlongs per fortnight", None),
            ("http://loinc.org", "1-8", None),
            (SNOMED_CT, "73211009", None),
            (SNOMED_CT, "73211008", Some(false)),
        ] {
            assert_eq!(makes(system, code), expected, "{system} {code}");
        }
    }

    #[test]
    fn some_listed_codes_are_patterns() {
        for (listed, code, expected) in [
            ("NNxxx", "NNFIN", true),
            ("NNxxx", "NN", false),
            ("NNxxx", "NN FIN", false),
            ("Q<integer>H", "Q6H", true),
            ("Q<integer>H", "QxH", false),
            ("MR", "MRx", false),
        ] {
            assert_eq!(fits(listed, code), expected, "{listed} {code}");
        }
    }
}
