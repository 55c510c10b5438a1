use super::*;
use crate::json;
use crate::model::Kind;
use crate::path::eval::{Program, Scope};
use std::collections::BTreeSet;

fn all() -> Vec<View> {
    let mut views = Vec::new();
    for resource in model::resource_types() {
        views.push(view(resource.name(), None).unwrap());
        views.extend(side_views(resource).iter().map(|element| made(resource.name(), Some(element))));
    }
    views
}

fn made(ty: &str, element: Option<&str>) -> View {
    view(ty, element).unwrap_or_else(|e| panic!("{ty} {element:?}: {e}"))
}

fn columns(select: &Select) -> Vec<&Column> {
    select.columns.iter().chain(select.inner.iter().flat_map(columns)).collect()
}

fn names(view: &View) -> Vec<&str> {
    columns(&view.select).iter().map(|column| column.name.as_str()).collect()
}

/// The type that a path of elements leads to.
fn type_at(mut ty: TypeId, path: &str) -> TypeId {
    for name in path.split('.') {
        assert!(!name.is_empty(), "{path}");
        if let Some(of) = name.strip_prefix("ofType(") {
            ty = model::type_named(of.trim_end_matches(')')).unwrap();
            continue;
        }
        let (number, element) = ty.get().elements.iter().enumerate().find(|(_, element)| element.name == name).unwrap_or_else(|| panic!("{} has no {name}", ty.name()));
        if !element.is_choice {
            ty = ty.get().fields.iter().find(|field| usize::from(field.element) == number).unwrap().ty;
        }
    }
    ty
}

/// Every path compiles for the type of what it starts from, so that a wrong name in one cannot hide.
fn compiles(view: &View, select: &Select, ty: TypeId) {
    let ty = match &select.rows {
        Rows::Same => ty,
        Rows::Each(path) => type_at(ty, path),
        Rows::Repeat(paths) => {
            let inner = type_at(ty, &paths[0]);
            for back in &paths[1..] {
                assert_eq!(type_at(inner, back), inner, "{} {back}", view.name);
            }
            // a path that is its own way back
            assert!(paths.len() > 1 || type_at(inner, paths[0].rsplit('.').next().unwrap()) == inner, "{} {paths:?}", view.name);
            inner
        }
    };
    for column in &select.columns {
        let of = if ty.get().kind == Kind::Primitive { None } else { Some(ty) };
        if let Err(error) = Program::compile(&column.path, of) {
            panic!("{}.{}: {error}: {}", view.name, column.name, column.path);
        }
        assert_eq!(column.ty.get().kind, Kind::Primitive, "{}.{}", view.name, column.name);
        assert!(!column.description.is_empty(), "{}.{}", view.name, column.name);
    }
    select.inner.iter().for_each(|inner| compiles(view, inner, ty));
}

#[test]
fn every_path_of_every_view_compiles_for_its_type() {
    for view in all() {
        compiles(&view, &view.select, view.resource);
    }
}

#[test]
fn no_name_occurs_twice_or_needs_quotes() {
    let mut views = BTreeSet::new();
    views.extend(analysts("lake").iter().map(|view| view.name.to_owned()));
    views.insert("relationships".to_owned());
    for view in all() {
        assert!(views.insert(view.name.clone()), "{}", view.name);
        let mut seen = BTreeSet::new();
        for name in names(&view) {
            assert!(seen.insert(name), "{}.{name}", view.name);
            assert!(!super::names::is_reserved(name), "{}.{name}", view.name);
        }
        for name in seen.into_iter().chain([view.name.as_str()]) {
            let plain = name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
            assert!(plain && name.starts_with(|c: char| c.is_ascii_lowercase()) && name.len() <= super::names::MAX_BYTES, "{}.{name}", view.name);
        }
    }
}

#[test]
fn a_view_can_be_looked_through() {
    let open_choices = ["task_input", "task_output", "structure_map", "parameters_parameter"];
    for view in all().iter().filter(|view| !open_choices.iter().any(|open| view.name.starts_with(open))) {
        let count = names(view).len();
        assert!((1..=100).contains(&count), "{} has {count} columns", view.name);
    }
    let count = names(&made("Observation", None)).len();
    assert!((40..=75).contains(&count), "{count}");
}

/// What the columns of a whole view give on a resource.
fn row(view: &View, resource: &str) -> Vec<(String, String)> {
    let container = json::parse(resource.as_bytes(), &json::Limits::default()).unwrap();
    let node = json::root(&container).unwrap();
    let value = |column: &Column| {
        let program = Program::compile(&column.path, Some(view.resource)).unwrap();
        let found = program.evaluate(crate::path::eval::Item::any(node), &Scope::of(node)).unwrap();
        let texts: Vec<String> = found.iter().map(|item| item.to_text().unwrap_or_default().into_owned()).collect();
        assert!(texts.len() < 2, "{}.{}: {texts:?}", view.name, column.name);
        texts.into_iter().next()
    };
    columns(&view.select).into_iter().filter_map(|column| Some((column.name.clone(), value(column)?))).collect()
}

fn says(ty: &str, resource: &str, expected: &[(&str, &str)], absent: &[&str]) {
    let view = made(ty, None);
    let row = row(&view, resource);
    for (name, value) in expected {
        let found = row.iter().find(|(column, _)| column == name).map(|(_, value)| value.as_str());
        assert_eq!(found, Some(*value), "{ty}.{name} of {row:?}");
    }
    for name in absent {
        assert!(names(&view).contains(name), "{ty} has no column {name}");
        assert!(!row.iter().any(|(column, _)| column == name), "{ty}.{name} of {row:?}");
    }
}

#[test]
fn of_several_names_and_addresses_the_one_that_is_meant_is_told() {
    let patient = r#"{"resourceType":"Patient","id":"p","meta":{"versionId":"3","lastUpdated":"2024-01-02T03:04:05Z"},
        "name":[{"use":"nickname","given":["Bob"]},{"use":"official","family":"Stone","given":["Robert","Ray"]}],
        "telecom":[{"system":"email","value":"r@x.org"},{"system":"phone","value":"1"},{"system":"phone","value":"2"}],
        "address":[{"use":"work","city":"Ulm"},{"use":"home","line":["Way 1","Flat 2"],"city":"Bonn","postalCode":"53111"}],
        "generalPractitioner":[{"reference":"Practitioner/g"},{"reference":"Organization/o"}],"deceasedDateTime":"2020-05","multipleBirthInteger":2,
        "extension":[{"url":"http://hl7.org/fhir/us/core/StructureDefinition/us-core-race","extension":[
            {"url":"ombCategory","valueCoding":{"code":"2106-3","display":"White"}},{"url":"text","valueString":"White"}]},
            {"url":"http://hl7.org/fhir/us/core/StructureDefinition/us-core-birthsex","valueCode":"M"}]}"#;
    says(
        "Patient",
        patient,
        &[
            ("id", "p"),
            ("version_id", "3"),
            ("name_family", "Stone"),
            ("name_given", "Robert Ray"),
            ("name_text", "Robert Ray Stone"),
            ("telecom_phone", "1"),
            ("telecom_email", "r@x.org"),
            ("address_line", "Way 1, Flat 2"),
            ("address_city", "Bonn"),
            ("address_postal_code", "53111"),
            ("general_practitioner_id", "g"),
            ("general_practitioner_type", "Practitioner"),
            ("deceased_date_time", "2020-05"),
            ("multiple_birth_integer", "2"),
            ("race", "2106-3"),
            ("race_display", "White"),
            ("birth_sex", "M"),
        ],
        &["deceased_boolean", "address_state", "ethnicity", "photo_url"],
    );
    let nameless = r#"{"resourceType":"Patient","id":"p","name":[{"use":"usual"}]}"#;
    says("Patient", nameless, &[], &["name_family", "name_given", "name_text", "address_line"]);
    says("Patient", r#"{"resourceType":"Patient","id":"p","name":[{"text":"A. B. C."}]}"#, &[("name_text", "A. B. C.")], &["name_family"]);
}

#[test]
fn a_choice_has_a_column_for_each_type() {
    let observation = |rest: &str| format!(r#"{{"resourceType":"Observation","id":"o","status":"final",{rest}}}"#);
    says(
        "Observation",
        &observation(
            r#""subject":{"reference":"Patient/p"},"category":[{"coding":[{"system":"c","code":"laboratory"}]}],"code":{"coding":[{"system":"http://loinc.org","code":"1","display":"d"}],"text":"t"},
            "effectiveDateTime":"2020","valueQuantity":{"value":1.50,"unit":"mg","code":"mg","comparator":"<"},"bodySite":{"text":"arm"}"#,
        ),
        &[
            ("patient_id", "p"),
            ("subject_type", "Patient"),
            ("category", "laboratory"),
            ("code", "1"),
            ("code_display", "d"),
            ("code_system", "http://loinc.org"),
            ("code_text", "t"),
            ("effective", "2020"),
            ("value_quantity", "1.50"),
            ("value_quantity_unit", "mg"),
            ("value_quantity_comparator", "<"),
            ("body_site_display", "arm"),
        ],
        &["value_string", "value_code", "effective_end", "encounter_id", "value_date_time"],
    );
    says(
        "Observation",
        &observation(r#""subject":{"reference":"Group/g"},"effectivePeriod":{"start":"2020-01-01","end":"2020-02"},"valueCodeableConcept":{"coding":[{"code":"pos"}]}"#),
        &[("subject_id", "g"), ("subject_type", "Group"), ("effective", "2020-01-01"), ("effective_end", "2020-02"), ("value_code", "pos")],
        &["patient_id", "value_quantity", "value_code_text"],
    );
    says(
        "Condition",
        r#"{"resourceType":"Condition","subject":{"reference":"http://x.org/fhir/Patient/p/_history/2"},"onsetAge":{"value":7,"unit":"a"},"abatementString":"soon"}"#,
        &[("patient_id", "p"), ("onset_age", "7"), ("abatement_string", "soon")],
        &["onset", "abatement"],
    );
}

#[test]
fn what_is_nested_lies_flat_or_in_side_views() {
    says(
        "Encounter",
        r#"{"resourceType":"Encounter","class":{"code":"IMP"},"period":{"start":"2020-01-01T10:00:00Z"},"serviceProvider":{"reference":"Organization/o","display":"O"},
            "hospitalization":{"dischargeDisposition":{"text":"home"},"destination":{"reference":"Location/l"}}}"#,
        &[
            ("class", "IMP"),
            ("period_start", "2020-01-01T10:00:00Z"),
            ("hospitalization_discharge_disposition_display", "home"),
            ("hospitalization_destination_type", "Location"),
            ("service_provider_id", "o"),
        ],
        &["period_end"],
    );
    assert!(!names(&made("Encounter", None)).iter().any(|name| name.starts_with("participant") || name.starts_with("class_history")));
    assert_eq!(names(&made("Encounter", Some("participant")))[..5], ["encounter_id", "patient_id", "participant_number", "type", "type_display"]);
    assert_eq!(names(&made("Patient", Some("name"))), ["patient_id", "name_number", "use", "text", "family", "given", "prefix", "suffix", "period_start", "period_end"]);
    assert_eq!(names(&made("Condition", Some("category"))), ["condition_id", "patient_id", "category_number", "category", "category_display", "category_system", "category_text"]);
    assert_eq!(names(&made("Condition", Some("code.coding")))[2..], ["coding_number", "coding", "coding_display", "coding_system"]);
    assert_eq!(names(&made("Patient", Some("name.given"))), ["patient_id", "name_number", "given_number", "given"]);
    assert_eq!(names(&made("Claim", Some("item.detail")))[..5], ["claim_id", "patient_id", "item_number", "detail_number", "sequence"]);
    assert_eq!(names(&made("MedicationRequest", Some("dosageInstruction.timing")))[2..4], ["dosage_instruction_number", "event"]);
}

#[test]
fn what_holds_itself_repeats() {
    let rows = |ty: &str, element: &str| {
        let view = made(ty, Some(element));
        let mut rows = Vec::new();
        let mut select = &view.select;
        while let Some(inner) = select.inner.first() {
            rows.push(match &inner.rows {
                Rows::Same => String::new(),
                Rows::Each(path) => path.clone(),
                Rows::Repeat(paths) => format!("repeat {}", paths.join(",")),
            });
            select = inner;
        }
        rows.join("; ")
    };
    assert_eq!(rows("QuestionnaireResponse", "item"), "repeat item,answer.item");
    assert_eq!(rows("QuestionnaireResponse", "item.answer"), "repeat item,answer.item; answer");
    assert_eq!(rows("Questionnaire", "item.answerOption"), "repeat item; answerOption");
    assert_eq!(rows("Consent", "provision.actor"), "repeat provision; actor");
    assert_eq!(rows("Encounter", "hospitalization.specialCourtesy"), "hospitalization.specialCourtesy");
    assert_eq!(rows("Observation", "component.referenceRange"), "component; referenceRange");
    assert_eq!(rows("Observation", "valueCodeableConcept.coding"), "value.ofType(CodeableConcept).coding");
}

#[test]
fn what_has_no_rows_is_refused() {
    let error = |ty: &str, element: Option<&str>| view(ty, element).unwrap_err().to_string();
    assert_eq!(error("patient", None), "\"patient\" is no resource type of FHIR R4");
    assert_eq!(error("HumanName", None), "\"HumanName\" is no resource type of FHIR R4");
    assert_eq!(error("DomainResource", None), "\"DomainResource\" is no resource type of FHIR R4");
    assert_eq!(error("Patient", Some("")), "Patient has no element \"\"");
    assert_eq!(error("Patient", Some("name.nothing")), "HumanName has no element \"nothing\"");
    assert_eq!(error("Patient", Some("maritalStatus")), "Patient.maritalStatus does not repeat");
    assert_eq!(error("Patient", Some("contained")), "Patient.contained has nothing that lies in columns");
}

#[test]
fn the_definition_is_that_of_the_specification() {
    let json = |ty: &str, element: Option<&str>| json::root(&json::write(&view_definition(&made(ty, element))).unwrap()).unwrap().to_json();
    let text = json("Observation", Some("referenceRange"));
    for part in [
        r#""resourceType": "ViewDefinition""#,
        r#""name": "observation_reference_range""#,
        r#""resource": "Observation""#,
        r#""forEach": "referenceRange""#,
        r#"{"name": "reference_range_number", "path": "%rowIndex + 1", "type": "integer", "description": "Counts referenceRange from 1"}"#,
        r#"{"name": "low", "path": "low.value", "type": "decimal", "description": "Low Range, if relevant: number"}"#,
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    assert!(json("Questionnaire", Some("item")).contains(r#""repeat": ["item"]"#));
}

#[test]
fn keys_lead_from_view_to_view() {
    let all_views: Vec<View> = all();
    let analysts = analysts("lake");
    let has = |view: &str, column: &str| {
        all_views.iter().any(|v| v.name == view && names(v).contains(&column)) || analysts.iter().any(|v| v.name == view && v.columns.iter().any(|(name, _)| *name == column))
    };
    let found = relationships();
    for key in &found {
        assert!(has(&key.view, &key.column), "{key:?}");
        assert!(key.target.as_ref().is_none_or(|(view, column)| has(view, column)), "{key:?}");
        assert!(key.only_where.as_ref().is_none_or(|(column, ty)| has(&key.view, column) && model::type_named(ty).is_some()), "{key:?}");
    }
    let of = |view: &str| {
        let told = |key: &Relationship| {
            let target = key.target.as_ref().map_or(String::new(), |(view, column)| format!(" {view}.{column}"));
            let only = key.only_where.as_ref().map_or(String::new(), |(column, ty)| format!(" if {column} is {ty}"));
            format!("{}{target}{only}", key.column)
        };
        found.iter().filter(|key| key.view == view).map(told).collect::<Vec<_>>()
    };
    assert_eq!(of("patient")[0], "id");
    assert_eq!(of("patient_contact"), ["patient_id", "contact_number", "patient_id patient.id", "organization_id organization.id"]);
    assert_eq!(
        of("observation_component_reference_range"),
        [
            "observation_id",
            "component_number",
            "reference_range_number",
            "observation_id observation.id",
            "observation_id observation_component.observation_id",
            "component_number observation_component.component_number",
            "patient_id patient.id",
        ]
    );
    let encounter = of("encounter");
    assert!(encounter.contains(&"patient_id patient.id".into()) && encounter.contains(&"subject_id group.id if subject_type is Group".into()), "{encounter:?}");
    assert!(encounter.contains(&"part_of_id encounter.id".into()), "{encounter:?}");
    assert_eq!(of("lab_result"), ["observation_id", "component_number", "observation_id observation.id", "patient_id patient.id", "encounter_id encounter.id"]);
}
