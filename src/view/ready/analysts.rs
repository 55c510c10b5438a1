//! Views that analysts always build, as templates in SQL.
//!
//! A template is one query. The comment in front of it describes the view, and the comment behind `AS name,` that column. `{lake}` stands
//! for the schema of the lake, other words in braces for [`PARTS`]. Views are made with `pg_catalog` alone in the search path.

use super::patient::patient;
use crate::model::{self, TypeId};

/// Name, template, and the columns that identify a row.
const TEMPLATES: &[(&str, &str, &[&str])] = &[
    ("patient_summary", include_str!("analysts/patient_summary.sql"), &["patient_id"]),
    ("encounter_stay", include_str!("analysts/encounter_stay.sql"), &["encounter_id"]),
    ("condition_prevalence", include_str!("analysts/condition_prevalence.sql"), &[]),
    ("lab_result", include_str!("analysts/lab_result.sql"), &["observation_id", "component_number"]),
    ("medication_active", include_str!("analysts/medication_active.sql"), &["type", "id"]),
    ("immunization_status", include_str!("analysts/immunization_status.sql"), &[]),
    ("timeline", include_str!("analysts/timeline.sql"), &["type", "id"]),
    ("note_entity", include_str!("analysts/note_entity.sql"), &["type", "id", "number"]),
];

/// What stands in several places.
const PARTS: &[(&str, &str)] = &[
    (
        "{request_is_active}",
        "fhir.path_text(r.resource, 'status') = 'active'
            AND fhir.path_text(r.resource, 'intent') IN ('order', 'original-order', 'reflex-order', 'filler-order', 'instance-order')
            AND fhir.path_boolean(r.resource, 'doNotPerform.exists($this = true).not()')
            AND coalesce({request_end} >= CURRENT_TIMESTAMP, true)",
    ),
    (
        "{statement_is_active}",
        "fhir.path_text(r.resource, 'status') = 'active'
            AND coalesce({statement_end} >= CURRENT_TIMESTAMP, true)
            AND coalesce({statement_start} <= CURRENT_TIMESTAMP, true)",
    ),
    // the latest end of all dosages, if each has one. A duration counts from the end of the day of the order; those of dosages that follow one
    // another (sequence) are added up
    (
        "{request_end}",
        "CASE WHEN fhir.path_boolean(r.resource, 'dosageInstruction.exists()
                and dosageInstruction.all(timing.repeat.bounds.ofType(Period).end.exists() or (timing.repeat.bounds{hours}.exists() and %resource.authoredOn.exists()))')
            THEN (SELECT greatest(d.last, CASE WHEN d.in_sequence THEN greatest(d.last, d.ordered) ELSE d.ordered END + d.hours * interval '1 hour')
                FROM (SELECT
                    (SELECT max(x) FROM unnest(fhir.path_timestamps(r.resource, 'dosageInstruction.timing.repeat.bounds.ofType(Period).end{last_moment}')) x) AS last,
                    fhir.path_timestamp(r.resource, 'authoredOn{last_moment}') AS ordered,
                    fhir.path_boolean(r.resource, 'dosageInstruction.sequence.distinct().count() > 1') AS in_sequence,
                    (SELECT CASE WHEN fhir.path_boolean(r.resource, 'dosageInstruction.sequence.distinct().count() > 1') THEN sum(x) ELSE max(x) END
                        FROM unnest(fhir.path_numbers(r.resource, 'dosageInstruction.timing.repeat.bounds{hours}')) x)::float8 AS hours) d) END",
    ),
    ("{statement_start}", "fhir.path_timestamp(r.resource, '(effective.ofType(dateTime) | effective.ofType(Period).start).first()')"),
    ("{statement_end}", "fhir.path_timestamp(r.resource, 'effective.ofType(Period).end{last_moment}')"),
    // a length of time in hours, if it can be told, and is no more than a hundred years; months and years are the longest that there are
    (
        "{hours}",
        ".select(ofType(Duration) | ofType(Range).high).where(comparator.empty()).select(value * iif(code = ''h'', 1.0, iif(code = ''d'', 24.0, iif(code = ''wk'', 168.0, iif(code = ''mo'', 744.0, iif(code = ''a'', 8784.0, iif(code = ''min'', 0.0167, iif(code = ''s'', 0.0003)))))))).where($this >= 0 and $this < 876000)",
    ),
    // where only the day, month or year is known, its last moment in UTC
    ("{last_moment}", ".select(iif(toString().length() > 10, $this, (highBoundary().toString().substring(0, 23) & ''Z'').toDateTime()))"),
    (
        "{drug}",
        "fhir.path_text(r.resource, '(medication.ofType(CodeableConcept) | medication.ofType(Reference).resolve().ofType(Medication).code).coding.first().code') AS code,
        fhir.path_text(r.resource, '(medication.ofType(CodeableConcept) | medication.ofType(Reference).resolve().ofType(Medication).code).select((text | coding.first().display).first())') AS display,
        fhir.path_text(r.resource, '(medication.ofType(CodeableConcept) | medication.ofType(Reference).resolve().ofType(Medication).code).coding.first().system') AS system,
        fhir.path_text(r.resource, 'medication.ofType(Reference).getReferenceKey(Medication)') AS medication_id,
        fhir.path_text(r.resource, 'medication.ofType(Reference).display') AS referred,
        fhir.path_text(r.resource, 'reasonCode.first().coding.first().code') AS reason,
        fhir.path_text(r.resource, 'reasonCode.first().select((coding.first().display | text).first())') AS reason_display",
    ),
];

/// A view, its query, and what its comments say.
#[derive(Debug)]
pub struct Analyst {
    pub name: &'static str,
    pub description: String,
    pub query: String,
    /// Name and comment.
    pub columns: Vec<(&'static str, &'static str)>,
    /// The columns that identify a row.
    pub key: &'static [&'static str],
}

/// All of them, for the lake in the schema of that name, quoted where it must be.
pub fn analysts(lake: &str) -> Vec<Analyst> {
    TEMPLATES.iter().map(|(name, template, key)| analyst(name, template, key, lake)).collect()
}

fn analyst(name: &'static str, template: &'static str, key: &'static [&'static str], lake: &str) -> Analyst {
    let said: Vec<&str> = template.lines().map_while(|line| line.strip_prefix("-- ")).collect();
    let query: Vec<&str> = template.lines().skip(said.len()).collect();
    let columns = query.iter().filter_map(|line| column(line)).collect();
    let query = PARTS.iter().fold(query.join("\n"), |query, (part, text)| query.replace(part, text));
    // the lake comes last, so that nothing in its name is taken for a part
    let query = query.replace("{patient_types}", &patient_types()).replace("{lake}", lake);
    Analyst { name, description: said.join(" "), query, columns, key }
}

/// The types whose resources belong to patients, other than patients themselves.
fn patient_types() -> String {
    let belongs = |ty: &TypeId| Some(*ty) != patient() && model::compartment_rules(*ty).any(|rule| Some(rule.compartment) == patient());
    let types: Vec<String> = model::resource_types().filter(belongs).map(|ty| format!("'{}'", ty.name())).collect();
    types.join(", ")
}

/// Of `… AS name, -- comment`.
fn column(line: &'static str) -> Option<(&'static str, &'static str)> {
    let (before, comment) = line.split_once(" -- ")?;
    let (_, name) = before.trim_end_matches(',').rsplit_once(" AS ")?;
    Some((name.trim_matches('"'), comment))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::path::eval::Program;

    #[test]
    fn templates_describe_themselves() {
        for view in analysts("\"my lake\"") {
            assert!(view.description.ends_with('.') && view.description.len() > 60, "{}", view.name);
            assert!(!view.query.contains(['{']) || view.query.contains("'{"), "{}", view.name);
            assert!(view.query.contains("FROM \"my lake\"."), "{}", view.name);
            assert!(view.columns.len() > 7, "{}: {:?}", view.name, view.columns);
            assert!(view.key.iter().all(|key| view.columns.iter().any(|(name, _)| name == key)), "{}: {:?}", view.name, view.key);
            for (name, comment) in view.columns {
                assert!(name.chars().all(|c| c.is_ascii_lowercase() || c == '_' || c.is_ascii_digit()) && !comment.is_empty(), "{}.{name}", view.name);
            }
        }
    }

    /// Every FHIRPath of the templates is one, and asks for elements that there are.
    #[test]
    fn every_path_of_a_template_compiles() {
        let mut count = 0;
        for view in analysts("lake") {
            let mut rest = view.query.as_str();
            while let Some(at) = rest.find(".resource, '") {
                let from = &rest[at + ".resource, '".len()..];
                let mut end = from.find('\'').unwrap();
                while from[end + 1..].starts_with('\'') {
                    end += 2 + from[end + 2..].find('\'').unwrap();
                }
                let path = from[..end].replace("''", "'");
                if let Err(error) = Program::compile(&path, None) {
                    panic!("{}: {error}: {path}", view.name);
                }
                count += 1;
                rest = &from[end..];
            }
        }
        assert!(count > 80, "{count}");
    }
}
