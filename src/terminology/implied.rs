//! Value sets that exist without anybody storing them.

use super::members::Members;
use crate::model;

/// The version of FHIR whose value sets are compiled in.
const VERSION: &str = "4.0.1";

const SNOMED_CT: &str = "http://snomed.info/sct";

/// System and code of the value set of all that a code subsumes. <https://hl7.org/fhir/R4/snomedct.html#implicit>
pub fn is_a(url: &str) -> Option<(&str, &str)> {
    let (system, code) = url.split_once("?fhir_vs=isa/")?;
    Some((without_edition(system), code)).filter(|(system, code)| !system.is_empty() && !code.is_empty())
}

/// An edition of SNOMED CT is a version of its system.
fn without_edition(system: &str) -> &str {
    if system.strip_prefix(SNOMED_CT).is_some_and(|edition| edition.starts_with('/')) { SNOMED_CT } else { system }
}

/// The system that a value set has all codes of: <https://hl7.org/fhir/R4/snomedct.html#implicit>,
/// <https://hl7.org/fhir/R4/loinc.html#implicit>.
pub fn whole(url: &str) -> Option<&str> {
    if let Some(system) = url.strip_suffix("?fhir_vs") {
        return Some(without_edition(system)).filter(|system| !system.is_empty());
    }
    match url {
        "http://loinc.org/vs" | "http://unitsofmeasure.org/vs" => url.strip_suffix("/vs"),
        _ => None,
    }
}

/// A value set that R4 binds elements to with strength required.
pub fn bound(url: &str, version: Option<&str>) -> Option<&'static model::ValueSet> {
    if version.is_some_and(|version| version != VERSION) {
        return None;
    }
    let at = model::VALUE_SETS.binary_search_by(|set| set.url.cmp(url)).ok()?;
    model::VALUE_SETS.get(at)
}

/// The members of a value set that nobody has to store.
pub fn value_set(url: &str, version: Option<&str>) -> Option<Members> {
    if let Some(system) = whole(url) {
        return Some(Members::whole(system));
    }
    let mut members = Members::default();
    for (system, code) in bound(url, version)?.codes {
        members.insert(Some(system), code);
    }
    Some(members)
}
