//! References, resources within resources, and what must be supported.

use super::*;

fn world() -> World {
    World::of(&[
        &lines("org", "Organization", r#"Organization.name {"min":1}"#),
        &lines("p", "Patient", r#"Patient.managingOrganization {"type":[{"code":"Reference","targetProfile":["http://x/org"]}]}"#),
        &lines("q", "Patient", r#"Patient.generalPractitioner {"type":[{"code":"Reference","targetProfile":["http://hl7.org/fhir/StructureDefinition/Practitioner"]}]}"#),
        &lines("r", "Patient", r#"Patient.managingOrganization {"type":[{"code":"Reference","targetProfile":["http://x/nothing"]}]}"#),
    ])
}

#[test]
fn a_reference_points_at_the_types_that_are_left() {
    let patient = |reference: &str| format!(r#"{{"resourceType":"Patient","generalPractitioner":[{{"reference":"{reference}"}}]}}"#);
    let world = world();
    world.right("q", &patient("Practitioner/1"));
    world.right("q", &patient("http://other/fhir/Practitioner/1"));
    world.right("q", &patient("urn:uuid:c757873d-ec9a-4326-a141-556f43239520"));
    world.wrong("q", &patient("Organization/1"), &[("e", "Patient.generalPractitioner[0]", "value", "may not refer to Organization, only to Practitioner")]);
    let typed = r#"{"resourceType":"Patient","generalPractitioner":[{"type":"Organization","display":"x"}]}"#;
    world.wrong("q", typed, &[("e", "Patient.generalPractitioner[0]", "value", "Organization")]);
}

#[test]
fn a_contained_target_is_checked() {
    let patient = |organization: &str| format!(r##"{{"resourceType":"Patient","contained":[{{"resourceType":"Organization","id":"o",{organization}}}],"managingOrganization":{{"reference":"#o"}}}}"##);
    let world = world();
    world.right("p", &patient(r#""name":"x""#));
    world.wrong("p", &patient(r#""active":true"#), &[("e", "Patient.managingOrganization", "structure", "does not conform to http://x/org (Organization: the element \"name\" is missing")]);
    world.right("r", &patient(r#""active":true"#));
    // Of what is elsewhere only the type is known.
    world.right("p", r#"{"resourceType":"Patient","managingOrganization":{"reference":"Organization/1"}}"#);
}

#[test]
fn a_target_in_the_same_bundle_is_checked() {
    let bundle = |url: &str, reference: &str, organization: &str| {
        format!(
            r#"{{"resourceType":"Bundle","type":"collection","entry":[
                {{"fullUrl":"{url}","resource":{{"resourceType":"Organization","id":"o",{organization}}}}},
                {{"fullUrl":"http://s/fhir/Patient/1","resource":{{"resourceType":"Patient","meta":{{"profile":["http://x/p"]}},"managingOrganization":{{"reference":"{reference}"}}}}}}]}}"#
        )
    };
    let world = world();
    let at = "Bundle.entry[1].resource.managingOrganization";
    for (url, reference) in [("http://s/fhir/Organization/o", "Organization/o"), ("http://s/fhir/Organization/o", "http://s/fhir/Organization/o"), ("urn:uuid:1", "urn:uuid:1"), ("urn:uuid:1", "Organization/o")] {
        world.right("", &bundle(url, reference, r#""name":"x""#));
        world.wrong("", &bundle(url, reference, r#""active":true"#), &[("e", at, "structure", "does not conform to http://x/org")]);
    }
    world.right("", &bundle("http://s/fhir/Organization/o", "Organization/other", r#""active":true"#));
}

#[test]
fn resources_are_checked_by_what_they_claim() {
    let world = world();
    let claim = r#""meta":{"profile":["http://x/org"]}"#;
    let contained = format!(r#"{{"resourceType":"Patient","contained":[{{"resourceType":"Organization",{claim},"id":"o"}}]}}"#);
    world.wrong("", &contained, &[("e", "Patient.contained[0]", "required", "Organization.name")]);
    let bundle = format!(r#"{{"resourceType":"Bundle","type":"collection","entry":[{{"resource":{contained}}},{{"resource":{{"resourceType":"Organization",{claim},"active":true}}}}]}}"#);
    world.wrong("", &bundle, &[
        ("e", "Bundle.entry[0].resource.contained[0]", "required", "Organization.name"),
        ("e", "Bundle.entry[1].resource", "required", "Organization.name"),
    ]);
    world.wrong("", r#"{"resourceType":"Patient","meta":{"profile":["http://x/what","http://hl7.org/fhir/StructureDefinition/Patient"]}}"#, &[
        ("w", "Patient.meta.profile[0]", "not-found", "http://x/what is not known"),
    ]);
    world.wrong("", r#"{"resourceType":"Patient","meta":{"profile":["http://hl7.org/fhir/StructureDefinition/Person"]}}"#, &[("e", "Patient", "structure", "claims to be a Person")]);
}

#[test]
fn all_resources_within_are_listed() {
    let bytes = stored(
        r#"{"resourceType":"Bundle","type":"batch","entry":[{"request":{"method":"GET","url":"x"}},{"resource":{"resourceType":"Parameters","parameter":[
            {"name":"a","part":[{"name":"b","resource":{"resourceType":"Patient","contained":[{"resourceType":"Person"}]}}]}]},"response":{"status":"1","outcome":{"resourceType":"OperationOutcome"}}}]}"#,
    );
    let found: Vec<String> = resources(json::root(&bytes).unwrap()).into_iter().map(|within| within.expression).collect();
    assert_eq!(found, [
        "Bundle",
        "Bundle.entry[1].resource",
        "Bundle.entry[1].resource.parameter[0].part[0].resource",
        "Bundle.entry[1].resource.parameter[0].part[0].resource.contained[0]",
        "Bundle.entry[1].response.outcome",
    ]);
}

#[test]
fn what_must_be_supported_is_counted() {
    let world = World::of(&[&lines(
        "p",
        "Patient",
        r#"Patient.name {"mustSupport":true}
        Patient.name.given {"mustSupport":true}
        Patient.name.family {}
        Patient.birthDate {"mustSupport":true}
        Patient.identifier {"slicing":{"discriminator":[{"type":"value","path":"system"}],"rules":"open"}}
        Patient.identifier:a {"mustSupport":true}
        Patient.identifier:a.system {"fixedUri":"a"}
        Patient.identifier:a.value {"mustSupport":true}"#,
    )]);
    let library = world.files.library();
    let profile = library.profile("http://x/p", None).unwrap().unwrap();
    let bytes = stored(
        r#"{"resourceType":"Patient","name":[{"given":["a","b"]},{"family":"c"}],"_birthDate":{"id":"x"},
            "identifier":[{"system":"a"},{"system":"b","value":"1"},{"system":"a","value":"2"}]}"#,
    );
    let found = must_support(&profile, json::root(&bytes).unwrap(), &Context::new(&library));
    let found: Vec<_> = found.iter().map(|s| (s.element.as_str(), s.count, s.parents)).collect();
    assert_eq!(found, [
        ("Patient.name", 2, 1),
        ("Patient.name.given", 2, 2),
        ("Patient.birthDate", 1, 1),
        ("Patient.identifier:a", 2, 1),
        ("Patient.identifier:a.value", 1, 2),
    ]);
}
