use super::*;
use crate::search::criteria::{Standard, argument};
use crate::search::request::{Handling, Request, Setting};
use crate::search::statement::Place;

const LAKE: Place = Place { lake: "lake", as_of: None };

fn request(text: &str) -> Result<Request> {
    Request::parse(text, Setting { now: 0, handling: Handling::Strict, catalog: &mut Standard })
}

fn condition(text: &str) -> String {
    let sql = request(text).unwrap_or_else(|error| panic!("{text}: {error:?}")).rows(LAKE);
    sql.split_once(" WHERE ").map(|(_, condition)| condition.to_owned()).unwrap_or_default()
}

/// The tests of each finding that the search asks for.
fn findings(text: &str) -> Vec<String> {
    let sql = condition(text);
    let found = sql.split("EXISTS (SELECT FROM \"lake\".\"entity\" ").skip(1);
    found.chain(sql.split("EXISTS (SELECT FROM \"lake\".entity ").skip(1)).map(|part| part.split_once("'current' AND ").map_or(String::new(), |(_, rest)| rest.split(')').collect::<Vec<_>>().join(")"))).collect()
}

#[test]
fn parameters_of_a_request_speak_of_one_finding() {
    let sql = condition("DocumentReference?entity-code=http://hl7.org/fhir/sid/icd-10-cm|I10&entity-certainty=positive&status=current&entity-score=ge0.5&entity-score=lt0.9");
    assert_eq!(sql.matches("EXISTS (").count(), 1, "{sql}");
    for part in [
        "r.search OPERATOR(fhir.|=) 'DocumentReference!?status=current'::fhir.query AND EXISTS (SELECT FROM \"lake\".entity r1 WHERE",
        "r1.type OPERATOR(pg_catalog.=) r.type AND r1.id OPERATOR(pg_catalog.=) r.id AND r1.version OPERATOR(pg_catalog.=) r.version",
        "r1.status OPERATOR(pg_catalog.=) 'current'",
        "r1.search OPERATOR(fhir.|=) '$token=http://hl7.org/fhir/sid/icd-10-cm|I10'::fhir.query",
        "r1.certainty OPERATOR(pg_catalog.=) 'positive'",
        "r1.score OPERATOR(pg_catalog.>=) '0.5'::pg_catalog.float4",
        "r1.score OPERATOR(pg_catalog.<) '0.9'::pg_catalog.float4",
        "AND r.type OPERATOR(pg_catalog.=) 'DocumentReference'",
    ] {
        assert!(sql.contains(part), "{part}: {sql}");
    }
}

#[test]
fn a_name_that_comes_again_begins_another_finding() {
    let found = findings("DocumentReference?entity-code=a&entity-certainty=positive&entity-code=b&entity-certainty=negative");
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].contains("token=a") && found[0].contains("'positive'") && found[1].contains("token=b") && found[1].contains("'negative'"), "{found:?}");
}

#[test]
fn not_is_of_the_same_finding_or_of_all() {
    let sql = condition("DocumentReference?entity-code=a&entity-certainty:not=negative,possible");
    assert!(sql.contains("NOT (r1.certainty OPERATOR(pg_catalog.=) ANY (ARRAY['negative', 'possible']))"), "{sql}");
    assert!(!sql.contains("NOT EXISTS"), "{sql}");
    let sql = condition("DocumentReference?entity-code:not=a");
    assert!(sql.contains("NOT EXISTS (") && sql.contains("'$token=a'"), "{sql}");
    let sql = condition("DocumentReference?entity-code:not=a&entity-certainty:not=negative");
    assert_eq!(sql.matches("NOT EXISTS (").count(), 2, "{sql}");
    assert!(condition("DocumentReference?entity-code:missing=true").contains("NOT (EXISTS ("));
    assert!(condition("DocumentReference?entity-code:missing=false").starts_with("EXISTS ("));
}

#[test]
fn values_of_one_finding_can_stand_together() {
    let found = findings("Patient?_has:DocumentReference:subject:entity-code-certainty=http://hl7.org/fhir/sid/icd-10-cm|I10$positive");
    assert_eq!(found.len(), 1);
    assert!(found[0].contains("icd-10-cm|I10'") && found[0].contains("'positive'"), "{found:?}");
    // they are closed to other arguments
    assert_eq!(findings("DocumentReference?entity-code-certainty=a$positive&entity-score=ge0.5").len(), 2);
}

#[test]
fn the_names_of_healthlake_mean_the_same() {
    for (theirs, part) in [
        ("detectEntities-entity-category=MEDICATION", "category OPERATOR(pg_catalog.=) 'MEDICATION'"),
        ("detectEntities-entity-type=DX_NAME", "kind OPERATOR(pg_catalog.=) 'DX_NAME'"),
        ("detectEntities-entity-text=strep", "'$string=strep'"),
        ("detectEntities-entity-text-score=streptococcal|ge0.6", "score OPERATOR(pg_catalog.>=) '0.6'"),
        ("detectEntities-entity-text-score=streptococcal|0.6", "score OPERATOR(pg_catalog.>=) '0.5"),
        ("infer-icd10cm-entity-text=strep", "category OPERATOR(pg_catalog.=) 'MEDICAL_CONDITION'"),
        ("infer-icd10cm-entity-concept-code=I10", "'$token=http://hl7.org/fhir/sid/icd-10-cm|I10'"),
        ("infer-icd10cm-entity-concept-description=Essential", "'$token:text=Essential'"),
        ("infer-icd10cm-entity-concept-score=ge0.5", "'http://hl7.org/fhir/sid/icd-10-cm' AND"),
        ("infer-rxnorm-entity-text-concept-code=advil|5640", "rxnorm|5640'"),
        ("infer-rxnorm-entity-concept-description-concept-score=ibu|gt0.5", "'$token:text=ibu'"),
    ] {
        let sql = condition(&format!("DocumentReference?{theirs}"));
        assert!(sql.contains(part), "{theirs}: {sql}");
        assert_eq!(sql.matches("EXISTS (SELECT FROM \"lake\"").count(), 1, "{theirs}: {sql}");
    }
}

#[test]
fn what_is_not_understood_is_refused() {
    for text in [
        "DocumentReference?entity-nothing=a",
        "DocumentReference?entity-code=",
        "DocumentReference?entity-score=high",
        "DocumentReference?entity-score:not=1",
        "DocumentReference?entity-text:not=a",
        "DocumentReference?entity-text:text=a",
        "DocumentReference?entity-category:exact=a",
        "DocumentReference?entity-code:missing=maybe",
        "DocumentReference?entity-code-certainty=a",
        "DocumentReference?entity-code-certainty:not=a$b",
        "DocumentReference?detectEntities-entity-text-score=a",
        "DocumentReference?detectEntities-entity-nothing=a",
    ] {
        assert!(request(text).is_err(), "{text}");
    }
    assert!(read(&argument("entity", "x")).unwrap().is_none());
}

#[test]
fn the_parameters_of_the_specification_come_first() {
    // AuditEvent has its own
    assert!(condition("AuditEvent?entity-type=a").contains("fhir.query") && findings("AuditEvent?entity-type=a").is_empty());
    assert_eq!(findings("AuditEvent?entity-code=a").len(), 1);
}

#[test]
fn a_finding_is_found_by_words_codes_and_displays() {
    let container = crate::json::parse(br#"[{"system":"http://s","code":"I10","display":"Essential hypertension","score":0.9},{"code":"x"}]"#, &crate::json::Limits::default()).unwrap();
    let concepts = crate::json::root(&container).unwrap();
    assert_eq!(codes(concepts), ["http://s|I10", "|x"]);
    let body = keys("High blood pressure", concepts);
    let held = crate::index::Keys::read(&body).unwrap();
    for (query, expected) in [
        ("$token=http://s|I10", true),
        ("$token=I10", true),
        ("$token=|x", true),
        ("$token=|I10", false),
        ("$token=http://s|", true),
        ("$token:text=essential", true),
        ("$string=high", true),
        ("$string=blood", false),
        ("$string:contains=BLOOD", true),
        ("$string:exact=high blood pressure", false),
    ] {
        assert_eq!(crate::index::matches::Matcher::new(Query::parse(query).unwrap()).matches(held), expected, "{query}");
    }
}
