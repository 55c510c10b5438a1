//! Profiles of small lakes, and the views that they propose.

use super::*;
use crate::json::{Item, Limits, parse, root, write};
use crate::model::type_named;
use crate::path::eval::{self, Program, Scope};

fn with<T>(json: &str, read: impl FnOnce(Node<'_>) -> T) -> T {
    let bytes = parse(json.as_bytes(), &Limits::default()).unwrap();
    read(root(&bytes).unwrap())
}

fn profile(ty: &str, resources: &[&str]) -> Profile {
    let mut profile = Profile::new(type_named(ty).unwrap());
    resources.iter().for_each(|resource| with(resource, |node| profile.add(node)));
    profile
}

fn row(profile: &Profile, path: &str) -> Row {
    let mut rows = profile.rows();
    let at = rows.iter().position(|row| row.path == path).unwrap_or_else(|| panic!("no {path} in {:?}", rows.iter().map(|row| &row.path).collect::<Vec<_>>()));
    rows.swap_remove(at)
}

const OBSERVATIONS: [&str; 3] = [
    r#"{"resourceType":"Observation","id":"1","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"8480-6","display":"Systolic"},{"code":"x"}]},
        "subject":{"reference":"Patient/1"},"valueQuantity":{"value":120,"unit":"mmHg"},"effectiveDateTime":"2020-01-02"}"#,
    r#"{"resourceType":"Observation","id":"2","status":"final","code":{"text":"pressure"},"subject":{"reference":"Patient/2","display":"Eve"},
        "component":[{"code":{"coding":[{"code":"a"}]},"valueQuantity":{"value":1.5}},{"code":{"coding":[{"code":"b"}]},"valueString":"high"}],
        "effectiveDateTime":"2019"}"#,
    r#"{"resourceType":"Observation","id":"3","status":"amended","code":{"coding":[{"system":"http://loinc.org","code":"8480-6"}]},
        "subject":{"reference":"Group/1"},"valueString":"ok","surprise":{"x":1}}"#,
];

#[test]
fn a_path_tells_how_often_it_is_there() {
    let profile = profile("Observation", &OBSERVATIONS);
    let code = row(&profile, "code.coding.code");
    assert_eq!((code.expression.as_deref(), code.ty), (Some("code.coding.code"), Some("code")));
    assert_eq!((code.resources, code.occurrences, code.most), (2, 3, 2));
    let values = code.values.unwrap();
    assert_eq!((values.distinct, values.is_exact, values.examples), (2, true, vec!["8480-6".to_owned(), "x".to_owned()]));
    let whole = row(&profile, "Observation");
    assert_eq!((whole.resources, whole.most, whole.values), (3, 1, None));
    assert_eq!(row(&profile, "component").ty, Some("BackboneElement"));
}

#[test]
fn a_choice_is_told_as_stored_and_in_fhirpath() {
    let profile = profile("Observation", &OBSERVATIONS);
    let value = row(&profile, "component.valueQuantity.value");
    assert_eq!((value.expression.as_deref(), value.ty), (Some("component.value.ofType(Quantity).value"), Some("decimal")));
    let effective = row(&profile, "effectiveDateTime").values.unwrap();
    assert_eq!((effective.smallest.as_deref(), effective.largest.as_deref()), (Some("2019"), Some("2020-01-02")));
}

#[test]
fn what_the_definitions_do_not_have_has_no_type() {
    let profile = profile("Observation", &OBSERVATIONS);
    for path in ["surprise", "surprise.x"] {
        let row = row(&profile, path);
        assert_eq!((row.expression, row.ty, row.resources), (None, None, 1));
    }
}

#[test]
fn rows_stand_in_the_order_of_the_definitions() {
    let paths: Vec<String> = profile("Observation", &OBSERVATIONS).rows().into_iter().map(|row| row.path).filter(|path| !path.contains('.')).collect();
    assert_eq!(paths, ["Observation", "id", "status", "code", "subject", "effectiveDateTime", "valueQuantity", "valueString", "component", "surprise"]);
}

const PATIENT: &str = r#"{"resourceType":"Patient","id":"1","active":true,
    "text":{"status":"generated","div":"<div>x</div>"},
    "extension":[
        {"url":"http://hl7.org/fhir/us/core/StructureDefinition/us-core-race","extension":[
            {"url":"ombCategory","valueCoding":{"code":"2106-3","display":"White"}},{"url":"text","valueString":"White"}]},
        {"url":"http://x/it's","valueCode":"F"}],
    "contained":[{"resourceType":"Organization","id":"o","name":"Clinic"}],
    "name":[{"use":"official","family":"Solo","given":["Han","H."]}],
    "identifier":[{"system":"http://mrn","value":"7"}],
    "birthDate":"1970-01-01","_birthDate":{"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/patient-birthTime","valueDateTime":"1970-01-01T10:00:00Z"}]},
    "_gender":{"id":"g"},
    "maritalStatus":{"coding":[{"system":"http://m","code":"M","display":"Married"}],"text":"M"},
    "generalPractitioner":[{"reference":"Practitioner/1"},{"reference":"Organization/1"}]}"#;

#[test]
fn extensions_are_told_apart_by_url_and_contained_resources_by_type() {
    let profile = profile("Patient", &[PATIENT]);
    for (path, expression, ty) in [
        ("extension('http://x/it's').valueCode", r"extension('http://x/it\'s').value.ofType(code)", "code"),
        (
            "extension('http://hl7.org/fhir/us/core/StructureDefinition/us-core-race').extension('ombCategory').valueCoding.code",
            "extension('http://hl7.org/fhir/us/core/StructureDefinition/us-core-race').extension('ombCategory').value.ofType(Coding).code",
            "code",
        ),
        ("contained.ofType(Organization).name", "contained.ofType(Organization).name", "string"),
        (
            "_birthDate.extension('http://hl7.org/fhir/StructureDefinition/patient-birthTime').valueDateTime",
            "birthDate.extension('http://hl7.org/fhir/StructureDefinition/patient-birthTime').value.ofType(dateTime)",
            "dateTime",
        ),
        ("text.div", "text.`div`", "xhtml"),
    ] {
        let row = row(&profile, path);
        assert_eq!((row.expression.as_deref(), row.ty, row.occurrences), (Some(expression), Some(ty), 1));
    }
    assert_eq!(row(&profile, "extension").occurrences, 2);
}

/// Every expression finds as many as were counted: the engine of FHIRPath and the profile agree.
#[test]
fn expressions_find_what_was_counted() {
    for (ty, resources) in [("Observation", &OBSERVATIONS[..]), ("Patient", &[PATIENT])] {
        let profile = profile(ty, resources);
        for row in profile.rows().iter().filter(|row| !row.path.starts_with('_') && row.path != "gender") {
            let Some(expression) = &row.expression else { continue };
            let program = Program::compile(expression, None).unwrap_or_else(|error| panic!("{expression}: {error}"));
            let count = |node: Node<'_>| program.evaluate(eval::Item::any(node), &Scope::of(node)).unwrap().iter().count();
            let found: usize = resources.iter().map(|resource| with(resource, count)).sum();
            assert_eq!(found as u64, row.occurrences, "{expression}");
        }
    }
}

#[test]
fn places_are_bounded() {
    let mut profile = Profile::new(type_named("Basic").unwrap());
    for number in 0..3 * MAX_PLACES {
        with(&format!(r#"{{"resourceType":"Basic","id":"1","x{number}":"y","extension":[{{"url":"u{number}","valueCode":"c"}}]}}"#), |node| profile.add(node));
    }
    assert_eq!(profile.rows().len(), MAX_PLACES);
    assert!(profile.left_out() > MAX_PLACES as u64);
    let long = format!(r#"{{"resourceType":"Basic","{}":1}}"#, "n".repeat(MAX_NAME + 1));
    let before = profile.left_out();
    with(&long, |node| profile.add(node));
    assert_eq!(profile.left_out(), before + 1);
}

#[test]
fn levels_are_bounded() {
    let deep = format!(r#"{{"resourceType":"Basic","a":{}1{}}}"#, r#"{"a":"#.repeat(500), "}".repeat(500));
    let profile = profile("Basic", &[&deep, &format!(r#"{{"b":{}1{}}}"#, "[".repeat(900), "]".repeat(900))]);
    assert!(profile.rows().len() <= MAX_DEPTH + 3 && profile.left_out() > 0);
}

#[test]
fn what_is_no_object_is_no_resource() {
    let profile = profile("Basic", &["[]", "1", "\"a\"", "null"]);
    assert_eq!((profile.resources(), profile.rows().len()), (0, 1));
}

/// Name, path and type of the columns of each select.
fn columns(view: &Item<'_>) -> Vec<Vec<(String, String, String)>> {
    let bytes = write(view).unwrap();
    let view = root(&bytes).unwrap();
    let text = |node: Node<'_>, key: &str| node.get(key).and_then(Node::as_str).unwrap_or_default().to_owned();
    let select = view.get("select").unwrap();
    select.items().map(|select| select.get("column").unwrap().items().map(|c| (text(c, "name"), text(c, "path"), text(c, "type"))).collect()).collect()
}

fn asked(threshold: f64, for_each: Option<&str>) -> Asked<'_> {
    Asked { threshold, for_each }
}

#[test]
fn a_view_has_the_elements_that_occur() {
    let view = propose(&profile("Observation", &OBSERVATIONS), &asked(0.01, None)).unwrap();
    let lines: Vec<String> = columns(&view)[0].iter().map(|(name, path, ty)| format!("{name} {ty} {path}")).collect();
    assert_eq!(
        lines,
        [
            "id id getResourceKey()",
            "status code status",
            "code code code.coding.first().code",
            "code_display string code.coding.first().display",
            "code_system uri code.coding.first().system",
            "code_text string code.text",
            "subject_patient_id id subject.getReferenceKey(Patient)",
            "subject_group_id id subject.getReferenceKey(Group)",
            "subject_display string subject.display",
            "effective_date_time dateTime effective.ofType(dateTime)",
            "value_quantity decimal value.ofType(Quantity).value",
            "value_quantity_unit string value.ofType(Quantity).unit",
            "value_string string value.ofType(string)",
            "component_code code component.first().code.coding.first().code",
            "component_value_quantity decimal component.first().value.ofType(Quantity).value",
            "component_value_string string component.first().value.ofType(string)",
        ]
    );
}

#[test]
fn what_is_rare_has_no_column() {
    let view = propose(&profile("Observation", &OBSERVATIONS), &asked(0.6, None)).unwrap();
    let names: Vec<String> = columns(&view)[0].iter().map(|(name, ..)| name.clone()).collect();
    assert_eq!(names, ["id", "status", "code", "code_system", "subject_patient_id", "effective_date_time"].map(str::to_owned)[..].to_vec());
}

#[test]
fn a_repeating_element_can_have_rows() {
    let profile = profile("Observation", &OBSERVATIONS);
    let view = propose(&profile, &asked(0.01, Some("component"))).unwrap();
    let columns = columns(&view);
    assert!(columns[0].iter().all(|(_, path, _)| !path.contains("component")));
    let each: Vec<&str> = columns[1].iter().map(|(_, path, _)| path.as_str()).collect();
    assert_eq!(each, ["code.coding.first().code", "value.ofType(Quantity).value", "value.ofType(string)"]);
    assert_eq!(columns[1][0].0, "component_code");
    assert_eq!(propose(&profile, &asked(0.01, Some("nothing"))).unwrap_err(), ProposeError::NoSuchPath);
    assert_eq!(propose(&profile, &asked(0.01, Some("surprise"))).unwrap_err(), ProposeError::NoSuchPath);
    assert_eq!(propose(&profile, &asked(0.01, Some("status"))).unwrap_err(), ProposeError::NothingInside);
}

#[test]
fn names_are_unique_and_short_and_extensions_are_called_by_their_url() {
    let twice = r#"{"resourceType":"Patient","extension":[{"url":"http://a/birth-date","valueDate":"2000"},{"url":"http://b/9lives","valueDate":"2000"},
        {"url":"http://c/??","valueCode":"x"},{"url":"http://d/either","valueCode":"x"},{"url":"http://d/either","valueString":"x"}]}"#;
    let long = format!(r#"{{"extension":[{{"url":"http://x/{0}a","valueCode":"c"}},{{"url":"http://x/{0}b","valueCode":"c"}}]}}"#, "long-".repeat(20));
    let view = propose(&profile("Patient", &[PATIENT, twice, &long]), &asked(0.0, None)).unwrap();
    let columns = &columns(&view)[0];
    let mut names: Vec<&str> = columns.iter().map(|(name, ..)| name.as_str()).collect();
    let path = |name: &str| columns.iter().find(|column| column.0 == name).map_or("", |column| column.1.as_str());
    assert_eq!(
        path("us_core_race_omb_category_display"),
        "extension('http://hl7.org/fhir/us/core/StructureDefinition/us-core-race').first().extension('ombCategory').first().value.ofType(Coding).display"
    );
    assert_eq!(path("name_given"), "name.first().given.first()");
    assert_eq!(path("either_value_code"), "extension('http://d/either').first().value.ofType(code)");
    assert_eq!(path("general_practitioner_organization_id"), "generalPractitioner.first().getReferenceKey(Organization)");
    for name in ["birth_date", "birth_date_2", "n9lives", "birth_date_patient_birth_time", "element"] {
        assert!(names.contains(&name), "{name} of {names:?}");
    }
    assert!(names.iter().all(|name| name.len() <= 63 && name.starts_with(|c: char| c.is_ascii_lowercase())));
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
    for (_, path, _) in columns {
        Program::compile(path, None).unwrap_or_else(|error| panic!("{path}: {error}"));
    }
}
