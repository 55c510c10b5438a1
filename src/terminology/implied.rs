//! Value sets that exist without anybody storing them.

use super::members::Members;
use crate::model;

/// The version of FHIR whose value sets are compiled in.
const VERSION: &str = "4.0.1";

/// The value sets that R4 binds elements to with strength required, and those that a system implies of all its codes:
/// <https://hl7.org/fhir/R4/snomedct.html#implicit>, <https://hl7.org/fhir/R4/loinc.html#implicit>.
pub fn value_set(url: &str, version: Option<&str>) -> Option<Members> {
    if let Some(system) = url.strip_suffix("?fhir_vs") {
        // an edition of SNOMED CT is a version of its system
        let system = if system.starts_with("http://snomed.info/sct/") { "http://snomed.info/sct" } else { system };
        return (!system.is_empty()).then(|| Members::whole(system));
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
