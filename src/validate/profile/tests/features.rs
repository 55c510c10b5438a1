//! Cardinality, values, types, bindings and constraints.

use super::*;

const OBSERVATION: &str = r#""resourceType":"Observation","status":"final","code":{"text":"x"}"#;

fn observation(more: &str) -> String {
    format!("{{{OBSERVATION},{more}}}")
}

#[test]
fn cardinality_is_what_the_profile_makes_of_it() {
    let world = World::of(&[&lines("p", "Patient", r#"
        Patient.name {"min":1,"max":"2"}
        Patient.name.family {"min":1}
        Patient.photo {"max":"0"}
        Patient.birthDate {"min":1}"#)]);
    let patient = |more: &str| format!(r#"{{"resourceType":"Patient",{more}}}"#);
    let family = r#"{"family":"a"}"#;
    world.right("p", &patient(&format!(r#""birthDate":"1970","name":[{family},{family}]"#)));
    world.wrong("p", &patient(r#""birthDate":"1970""#), &[("e", "Patient", "required", "Patient.name the element \"name\" is missing")]);
    world.wrong("p", &patient(&format!(r#""birthDate":"1970","name":[{family},{family},{family}]"#)), &[("e", "Patient", "structure", "3 items where 2 are allowed")]);
    world.wrong("p", &patient(r#""birthDate":"1970","name":[{"text":"a"}]"#), &[("e", "Patient.name[0]", "required", "Patient.name.family")]);
    world.wrong("p", &patient(&format!(r#""birthDate":"1970","name":[{family}],"photo":[{{"title":"x"}}]"#)), &[("e", "Patient", "structure", "\"photo\" is not allowed")]);
    // A primitive with nothing but an extension is there.
    let absent = r#"{"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/data-absent-reason","valueCode":"unknown"}]}"#;
    let found = world.issues(&["p"], &patient(&format!(r#""_birthDate":{absent},"name":[{{"_family":{absent}}}]"#)));
    assert!(errors(found.clone()).is_empty(), "{found:#?}");
}

#[test]
fn a_fixed_value_is_exact_and_a_pattern_a_part() {
    let world = World::of(&[&lines("p", "Observation", r#"
        Observation.status {"fixedCode":"final"}
        Observation.code {"patternCodeableConcept":{"coding":[{"system":"s","code":"c"}]}}
        Observation.bodySite {"fixedCodeableConcept":{"text":"arm"}}"#)]);
    let with = |status: &str, code: &str, site: &str| format!(r#"{{"resourceType":"Observation","status":"{status}","code":{code},"bodySite":{site}}}"#);
    let (code, site) = (r#"{"coding":[{"system":"o","code":"c"},{"system":"s","code":"c","display":"x"}],"text":"y"}"#, r#"{"text":"arm"}"#);
    world.right("p", &with("final", code, site));
    world.wrong("p", &with("amended", code, site), &[("e", "Observation.status", "value", "must be exactly \"final\"")]);
    world.wrong("p", &with("final", r#"{"coding":[{"system":"s"},{"code":"c"}]}"#, site), &[("e", "Observation.code", "value", "must have all of")]);
    world.wrong("p", &with("final", code, r#"{"text":"arm","id":"a"}"#), &[("e", "Observation.bodySite", "value", "must be exactly")]);
}

#[test]
fn bounds_and_lengths_hold() {
    let world = World::of(&[&lines("p", "Observation", r#"
        Observation.issued {"minValueInstant":"2000-01-01T00:00:00Z"}
        Observation.value[x] {"minValueQuantity":{"value":1.5,"code":"mg"},"maxValueQuantity":{"value":10,"code":"mg"}}
        Observation.note.text {"maxLength":3}"#)]);
    let value = |value: &str| observation(&format!(r#""valueQuantity":{{"value":{value},"code":"mg"}}"#));
    world.right("p", &value("1.50"));
    world.right("p", &value("10.0"));
    world.wrong("p", &value("1.49"), &[("e", "Observation.value", "value", "must be at least")]);
    world.wrong("p", &value("10.01"), &[("e", "Observation.value", "value", "must be at most")]);
    world.right("p", &observation(r#""issued":"2000-01-01T01:00:00+01:00""#));
    world.wrong("p", &observation(r#""issued":"1999-12-31T23:59:59Z""#), &[("e", "Observation.issued", "value", "at least")]);
    // in whatever units they are; a bound that does not convert cannot be told
    let world_of_units = World::of(&[&lines("p", "Observation", r#"Observation.value[x] {"minValueQuantity":{"value":1,"system":"http://unitsofmeasure.org","code":"kg"}}"#)]);
    let mass = |value: &str, code: &str| observation(&format!(r#""valueQuantity":{{"value":{value},"system":"http://unitsofmeasure.org","code":"{code}"}}"#));
    world_of_units.right("p", &mass("1000", "g"));
    world_of_units.wrong("p", &mass("999", "g"), &[("e", "Observation.value", "value", "must be at least")]);
    world_of_units.right("p", &mass("1", "m"));
    world.right("p", &observation(r#""note":[{"text":"äöü"}]"#));
    world.wrong("p", &observation(r#""note":[{"text":"abcd"}]"#), &[("e", "Observation.note[0].text", "too-long", "longer than 3")]);
}

#[test]
fn fewer_types_may_be_allowed() {
    let world = World::of(&[
        &lines("p", "Observation", r#"Observation.value[x] {"type":[{"code":"Quantity"},{"code":"string"}]}"#),
        &lines("b", "Bundle", r#"Bundle.entry.resource {"type":[{"code":"Patient"}]}"#),
    ]);
    world.right("p", &observation(r#""valueQuantity":{"value":1}"#));
    world.right("p", &observation(r#""valueString":"x""#));
    world.wrong("p", &observation(r#""valueBoolean":true"#), &[("e", "Observation.value", "structure", "may not be of type boolean, only of Quantity, string")]);
    let bundle = |ty: &str| format!(r#"{{"resourceType":"Bundle","type":"collection","entry":[{{"resource":{{"resourceType":"{ty}"}}}}]}}"#);
    world.right("b", &bundle("Patient"));
    world.wrong("b", &bundle("Person"), &[("e", "Bundle.entry[0].resource", "structure", "may not be of type Person")]);
}

#[test]
fn a_value_conforms_to_one_of_the_profiles_of_its_type() {
    let world = World::of(&[
        &lines("name1", "HumanName", r#"HumanName.family {"min":1}"#),
        &lines("name2", "HumanName", r#"HumanName.text {"min":1}"#),
        &lines("one", "Patient", r#"Patient.name {"type":[{"code":"HumanName","profile":["http://x/name1"]}]}"#),
        &lines("two", "Patient", r#"Patient.name {"type":[{"code":"HumanName","profile":["http://x/name1","http://x/name2"]}]}"#),
        &lines("none", "Patient", r#"Patient.name {"type":[{"code":"HumanName","profile":["http://x/nothing"]}]}"#),
    ]);
    let patient = |name: &str| format!(r#"{{"resourceType":"Patient","name":[{name}]}}"#);
    world.right("one", &patient(r#"{"family":"a"}"#));
    world.wrong("one", &patient(r#"{"text":"a"}"#), &[("e", "Patient.name[0]", "required", "HumanName.family")]);
    world.right("two", &patient(r#"{"text":"a"}"#));
    world.wrong("two", &patient(r#"{"use":"old"}"#), &[("e", "Patient.name[0]", "structure", "conforms to none of http://x/name1, http://x/name2 (Patient.name[0]: the element \"text\"")]);
    world.wrong("none", &patient(r#"{"use":"old"}"#), &[("w", "Patient.name[0]", "not-found", "http://x/nothing is not known")]);
}

#[test]
fn a_simple_quantity_has_no_comparator() {
    let profile = r#"Observation.value[x] {"type":[{"code":"Quantity","profile":["http://hl7.org/fhir/StructureDefinition/SimpleQuantity"]}]}"#;
    let world = World::of(&[&lines("p", "Observation", profile)]);
    world.right("p", &observation(r#""valueQuantity":{"value":1}"#));
    world.wrong("p", &observation(r#""valueQuantity":{"value":1,"comparator":"<"}"#), &[("e", "Observation.value", "structure", "\"comparator\" is not allowed")]);
}

#[test]
fn bindings_are_as_strong_as_they_say() {
    let codes = || Codes(vec![("http://v/a", vec!["s|1", "s|2"]), ("http://v/max", vec!["s|1", "s|2", "t|3"])]);
    let bound = |strength: &str, set: &str, max: &str| {
        let extension = r#""extension":[{"url":"http://hl7.org/fhir/StructureDefinition/elementdefinition-maxValueSet","valueCanonical":"http://v/max"}],"#;
        let max = if max.is_empty() { "" } else { extension };
        lines("p", "Observation", &format!(r#"Observation.method {{"binding":{{{max}"strength":"{strength}","valueSet":"{set}"}}}}"#))
    };
    let method = |concept: &str| observation(&format!(r#""method":{concept}"#));
    let coding = |codings: &str| method(&format!(r#"{{"coding":[{codings}]}}"#));
    let (first, other, third) = (r#"{"system":"s","code":"1"}"#, r#"{"system":"o","code":"1"}"#, r#"{"system":"t","code":"3"}"#);
    let mut world = World::of(&[&bound("required", "http://v/a", "")]);
    world.terminology = Some(codes());
    world.right("p", &coding(&format!("{other},{first}")));
    world.wrong("p", &coding(other), &[("e", "Observation.method", "code-invalid", "no coding is in the value set http://v/a")]);
    world.wrong("p", &method(r#"{"text":"x"}"#), &[("e", "Observation.method", "code-invalid", "has no code")]);
    let mut world = World::of(&[&bound("extensible", "http://v/a", "max")]);
    world.terminology = Some(codes());
    world.right("p", &coding(first));
    world.wrong("p", &coding(third), &[("w", "Observation.method", "code-invalid", "no coding is in the value set http://v/a")]);
    world.wrong("p", &coding(other), &[
        ("e", "Observation.method", "code-invalid", "no coding is in the value set http://v/max"),
        ("w", "Observation.method", "code-invalid", "no coding is in the value set http://v/a"),
    ]);
    let mut world = World::of(&[&bound("required", "http://v/unknown", "")]);
    world.right("p", &coding(other));
    world.terminology = Some(codes());
    world.wrong("p", &coding(other), &[("w", "Observation.method", "not-found", "http://v/unknown is not known")]);
    let mut world = World::of(&[&bound("preferred", "http://v/a", "")]);
    world.terminology = Some(codes());
    world.right("p", &coding(other));
}

#[test]
fn constraints_of_the_profile_are_evaluated() {
    let constraint = |key: &str, severity: &str, expression: &str| format!(r#"{{"key":"{key}","severity":"{severity}","human":"says {key}","expression":"{expression}"}}"#);
    let world = World::of(&[&lines(
        "p",
        "Patient",
        &format!(
            r#"Patient {{"constraint":[{},{}]}}
            Patient.name {{"constraint":[{}]}}
            Patient.birthDate {{"constraint":[{}]}}"#,
            constraint("p-1", "error", "name.exists() or telecom.exists()"),
            constraint("p-2", "warning", "gender.exists()"),
            constraint("p-3", "error", "family.exists() implies given.exists()"),
            constraint("p-4", "error", "$this < @2000"),
        ),
    )]);
    let patient = |more: &str| format!(r#"{{"resourceType":"Patient",{more}}}"#);
    world.right("p", &patient(r#""gender":"male","birthDate":"1970","name":[{"family":"a","given":["b"]}]"#));
    world.wrong("p", &patient(r#""gender":"male""#), &[("e", "Patient", "invariant", "p-1 p-1: says p-1")]);
    world.wrong("p", &patient(r#""telecom":[{"value":"1"}]"#), &[("w", "Patient", "invariant", "p-2")]);
    world.wrong("p", &patient(r#""gender":"male","name":[{"text":"x"},{"family":"a"}]"#), &[("e", "Patient.name[1]", "invariant", "p-3")]);
    world.wrong("p", &patient(r#""gender":"male","name":[{"text":"x"}],"birthDate":"2001""#), &[("e", "Patient.birthDate", "invariant", "p-4")]);
}

#[test]
fn constraints_know_the_resource_around() {
    let names = |context: &str, resource: &str| {
        format!(r#"{{"constraint":[{{"key":"k","severity":"error","human":"x","expression":"%context.type().name = '{context}' and %resource.type().name = '{resource}' and %rootResource.type().name = 'Patient'"}}]}}"#)
    };
    let world = World::of(&[&lines(
        "p",
        "Patient",
        &format!(
            "Patient.contained {}\nPatient.generalPractitioner {}",
            names("Practitioner", "Patient").replace(r#"{"constraint""#, r#"{"type":[{"code":"Practitioner"}],"constraint""#),
            names("Reference", "Patient")
        ),
    )]);
    world.right("p", r##"{"resourceType":"Patient","contained":[{"resourceType":"Practitioner","id":"a"}],"generalPractitioner":[{"reference":"#a"}]}"##);
}

#[test]
fn constraints_of_the_base_are_not_repeated() {
    // dom-6 and pat-1 are FHIR's own, which another level checks.
    let constraint = r#"{"constraint":[{"key":"dom-6","severity":"warning","human":"x","expression":"text.exists()","source":"http://hl7.org/fhir/StructureDefinition/DomainResource"}]}"#;
    let world = World::of(&[&lines("p", "Patient", &format!("Patient {constraint}"))]);
    world.right("p", r#"{"resourceType":"Patient"}"#);
}

#[test]
fn a_constraint_that_cannot_be_evaluated_is_no_error() {
    let constraint = r#"{"constraint":[{"key":"k","severity":"error","human":"x","expression":"((("},{"key":"l","severity":"error","human":"x","expression":"conformsTo('http://x/nothing')"}]}"#;
    let world = World::of(&[&lines("p", "Patient", &format!("Patient {constraint}"))]);
    let found = world.issues(&["p"], r#"{"resourceType":"Patient","active":true}"#);
    assert_eq!(found.iter().map(|i| (i.severity, i.code, &*i.rule)).collect::<Vec<_>>(), [
        (Severity::Warning, "not-supported", "k"),
        (Severity::Warning, "not-supported", "l")
    ]);
}

#[test]
fn an_element_repeats_the_rules_of_another() {
    // As snapshots have it: within items stand items.
    let world = World::of(&[&lines("p", "Questionnaire", r##"
        Questionnaire.item.text {"min":1}
        Questionnaire.item.item {"contentReference":"#Questionnaire.item"}
        Questionnaire.item {}"##)]);
    let nested = |text: &str| format!(r#"{{"resourceType":"Questionnaire","status":"draft","item":[{{"linkId":"1","type":"group","text":"a","item":[{{"linkId":"2","type":"group",{text}}}]}}]}}"#);
    world.right("p", &nested(r#""text":"b""#));
    world.wrong("p", &nested(r#""prefix":"b""#), &[("e", "Questionnaire.item[0].item[0]", "required", "Questionnaire.item.text")]);
}

#[test]
fn a_differential_goes_on_from_its_base() {
    let derived = lines("c", "Patient", r#"
        Patient.name {"max":"1"}
        Patient.name.given {"min":1}"#)
    .replace("http://hl7.org/fhir/StructureDefinition/Patient", "http://x/b");
    let world = World::of(&[&lines("b", "Patient", r#"Patient.name {"min":1}"#), &derived]);
    world.right("c", r#"{"resourceType":"Patient","name":[{"given":["a"]}]}"#);
    world.wrong("c", r#"{"resourceType":"Patient"}"#, &[("e", "Patient", "required", "Patient.name")]);
    world.wrong("c", r#"{"resourceType":"Patient","name":[{"text":"a"}]}"#, &[("e", "Patient.name[0]", "required", "Patient.name.given")]);
    world.right("b", r#"{"resourceType":"Patient","name":[{"text":"a"},{"text":"b"}]}"#);
}

#[test]
fn a_profile_is_for_its_type() {
    let world = World::of(&[&lines("p", "Patient", ""), &lines("a", "Patient", "").replace("\"abstract\":false", "\"abstract\":true")]);
    world.wrong("p", r#"{"resourceType":"Person","active":true}"#, &[("e", "Person", "structure", "is for Patient, not for Person")]);
    world.wrong("a", r#"{"resourceType":"Patient","active":true}"#, &[("e", "Patient", "structure", "is abstract")]);
}

#[test]
fn what_is_no_profile_is_refused() {
    let refused = |text: &str| {
        let bytes = stored(text);
        Profile::compile(json::root(&bytes).unwrap(), &Files::default().library()).err()
    };
    let sound = lines("p", "Patient", "Patient.name {}");
    assert_eq!(refused(&sound), None);
    assert_eq!(refused(r#"{"resourceType":"Patient"}"#), Some(ProfileError::NotADefinition));
    assert_eq!(refused(&sound.replace(r#""kind":"resource""#, r#""kind":"logical""#)), Some(ProfileError::Logical));
    assert_eq!(refused(&sound.replace(r#""type":"Patient""#, r#""type":"Patent""#)), Some(ProfileError::UnknownType("Patent".to_owned())));
    assert_eq!(refused(&sound.replace("hl7.org/fhir/StructureDefinition/Patient", "x/nothing")), Some(ProfileError::UnknownBase("http://x/nothing".to_owned())));
    assert_eq!(refused(&lines("p", "Patient", "Patient.nome {}")), Some(ProfileError::UnknownElement { path: "Patient.nome".to_owned() }));
    for text in [r#"Patient.name {"max":"many"}"#, r#"Patient.name {"slicing":{"discriminator":[{"type":"magic","path":"a"}]}}"#] {
        assert!(matches!(refused(&lines("p", "Patient", text)), Some(ProfileError::Malformed(_))), "{text}");
    }
}

#[test]
fn a_bound_of_a_date_may_count_from_now() {
    let world = World::of(&[&lines("p", "Patient", r#"
        Patient.birthDate {"minValueQuantity":{"value":100,"system":"http://unitsofmeasure.org","code":"a"},"maxValueQuantity":{"value":1,"system":"http://unitsofmeasure.org","code":"d"}}"#)]);
    let born = |date: &str| format!(r#"{{"resourceType":"Patient","birthDate":"{date}"}}"#);
    world.right("p", &born("1990-01-01"));
    world.wrong("p", &born("1850-01-01"), &[("e", "Patient.birthDate", "invariant", "more than 100 years before now")]);
    world.wrong("p", &born("2990-01-01"), &[("e", "Patient.birthDate", "invariant", "more than 1 days after now")]);
    world.right("p", r#"{"resourceType":"Patient"}"#);
}

#[test]
fn a_profile_that_is_checked_itself_can_be_used() {
    let world = World::of(&[]);
    let told = |definition: &str| -> Vec<String> { world.issues(&[], definition).iter().map(|issue| format!("{} {}", issue.severity.code(), issue.code)).collect() };
    assert_eq!(told(&lines("q", "Patient", "Patient.name {\"min\":1}")), [""; 0]);
    assert_eq!(told(&lines("q", "Patient", "Patient.nome {\"min\":1}")), ["error structure"]);
    let based = |base: &str| lines("q", "Patient", "").replace("http://hl7.org/fhir/StructureDefinition/Patient", base);
    // what is not known may be right; what is its own base is not
    assert_eq!(told(&based("http://x/other")), ["warning not-found"]);
    assert_eq!(told(&based("http://x/q")), ["error structure"]);
}
