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

/// The value sets that R4 binds elements to with strength required, and those that a system implies of all its codes:
/// <https://hl7.org/fhir/R4/snomedct.html#implicit>, <https://hl7.org/fhir/R4/loinc.html#implicit>.
pub fn value_set(url: &str, version: Option<&str>) -> Option<Members> {
    if let Some(system) = url.strip_suffix("?fhir_vs") {
        return (!system.is_empty()).then(|| Members::whole(without_edition(system)));
    }
    if let "http://loinc.org/vs" | "http://unitsofmeasure.org/vs" = url {
        return url.strip_suffix("/vs").map(Members::whole);
    }
    if version.is_some_and(|version| version != VERSION) {
        return None;
    }
    let at = model::VALUE_SETS.binary_search_by(|set| set.url.cmp(url)).ok()?;
    let mut members = Members::default();
    for (system, code) in model::VALUE_SETS.get(at)?.codes {
        members.insert(Some(system), code);
    }
    Some(members)
}
