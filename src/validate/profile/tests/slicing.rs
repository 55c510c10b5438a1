//! Slices: <https://hl7.org/fhir/R4/profiling.html#slicing>.

use super::*;

/// `"slicing":{…}`
fn sliced(kind: &str, path: &str, rules: &str) -> String {
    format!(r#""slicing":{{"discriminator":[{{"type":"{kind}","path":"{path}"}}],"rules":"{rules}"}}"#)
}

fn identifiers(values: &[&str]) -> String {
    let items: Vec<String> = values.iter().map(|v| v.split_once('|').unwrap()).map(|(system, value)| format!(r#"{{"system":"{system}","value":"{value}"}}"#)).collect();
    format!(r#"{{"resourceType":"Patient","identifier":[{}]}}"#, items.join(","))
}

fn by_system(slicing: &str) -> World {
    World::of(&[&lines(
        "p",
        "Patient",
        &format!(
            r#"Patient.identifier {{{slicing}}}
            Patient.identifier:a {{"min":1,"max":"2"}}
            Patient.identifier:a.system {{"fixedUri":"a"}}
            Patient.identifier:a.value {{"maxLength":1}}
            Patient.identifier:b {{"max":"1"}}
            Patient.identifier:b.system {{"fixedUri":"b"}}"#
        ),
    )])
}

#[test]
fn a_slice_has_its_own_cardinality_and_rules() {
    let world = by_system(&sliced("value", "system", "open"));
    world.right("p", &identifiers(&["a|1", "x|y", "a|2", "b|3"]));
    world.wrong("p", &identifiers(&["b|1"]), &[("e", "Patient", "required", "Patient.identifier:a the element")]);
    world.wrong("p", r#"{"resourceType":"Patient"}"#, &[("e", "Patient", "required", "Patient.identifier:a the element")]);
    world.wrong("p", &identifiers(&["a|1", "a|2", "a|3"]), &[("e", "Patient", "structure", "3 items where 2 are allowed (Patient.identifier:a)")]);
    world.wrong("p", &identifiers(&["a|1", "b|2", "b|3"]), &[("e", "Patient", "structure", "(Patient.identifier:b)")]);
    world.wrong("p", &identifiers(&["b|11", "a|11"]), &[("e", "Patient.identifier[1].value", "too-long", "Patient.identifier:a.value")]);
}

#[test]
fn closed_slices_allow_no_others() {
    let world = by_system(&sliced("value", "system", "closed"));
    world.right("p", &identifiers(&["b|1", "a|1"]));
    world.wrong("p", &identifiers(&["a|1", "c|1"]), &[("e", "Patient.identifier[1]", "structure", "belongs to no slice")]);
}

#[test]
fn others_may_come_only_at_the_end() {
    let world = by_system(&sliced("value", "system", "openAtEnd"));
    world.right("p", &identifiers(&["b|1", "a|1", "c|1"]));
    world.wrong("p", &identifiers(&["a|1", "c|1", "b|1"]), &[("e", "Patient.identifier[2]", "structure", "slice b, but stands behind items of no slice")]);
}

#[test]
fn ordered_slices_come_in_order() {
    let world = by_system(&sliced("value", "system", "open").replace(r#""rules""#, r#""ordered":true,"rules""#));
    world.right("p", &identifiers(&["a|1", "c|1", "a|1", "b|1"]));
    world.wrong("p", &identifiers(&["a|1", "b|1", "a|1"]), &[("e", "Patient.identifier[2]", "structure", "slice a, but stands behind items of later slices")]);
}

#[test]
fn a_pattern_or_required_binding_tells_slices_apart_too() {
    let mut world = World::of(&[&lines(
        "p",
        "Observation",
        &format!(
            r#"Observation.category {{{}}}
            Observation.category:a {{"max":"1","patternCodeableConcept":{{"coding":[{{"system":"s","code":"a"}}]}}}}
            Observation.category:set {{"min":1,"binding":{{"strength":"required","valueSet":"http://v/b"}}}}"#,
            sliced("pattern", "$this", "open")
        ),
    )]);
    let with = |codes: &[&str]| {
        let items: Vec<String> = codes.iter().map(|code| format!(r#"{{"coding":[{{"system":"s","code":"{code}"}}]}}"#)).collect();
        format!(r#"{{"resourceType":"Observation","status":"final","code":{{"text":"x"}},"category":[{}]}}"#, items.join(","))
    };
    // Without a terminology nobody knows what is in the second slice.
    world.wrong("p", &with(&["a"]), &[("w", "Observation", "not-found", "nobody can tell which items belong")]);
    world.terminology = Some(Codes(vec![("http://v/b", vec!["s|b", "s|c"])]));
    world.right("p", &with(&["a", "c", "x"]));
    world.wrong("p", &with(&["a", "a", "b"]), &[("e", "Observation", "structure", "(Observation.category:a)")]);
    world.wrong("p", &with(&["a"]), &[("e", "Observation", "required", "Observation.category:set")]);
}

#[test]
fn a_part_of_a_pattern_is_a_value() {
    // The element that the path leads to says nothing itself, but the pattern above it does.
    let world = World::of(&[&lines(
        "p",
        "Observation",
        &format!(
            r#"Observation.component {{{}}}
            Observation.component:a {{"max":"1"}}
            Observation.component:a.code {{"patternCodeableConcept":{{"coding":[{{"system":"s","code":"a"}}]}}}}"#,
            sliced("value", "code.coding.code", "open")
        ),
    )]);
    let with = |codes: &[&str]| {
        let items: Vec<String> = codes.iter().map(|code| format!(r#"{{"code":{{"coding":[{{"system":"s","code":"{code}"}}]}}}}"#)).collect();
        format!(r#"{{"resourceType":"Observation","status":"final","code":{{"text":"x"}},"component":[{}]}}"#, items.join(","))
    };
    world.right("p", &with(&["a", "b", "b"]));
    world.wrong("p", &with(&["a", "a"]), &[("e", "Observation", "structure", "(Observation.component:a)")]);
}

#[test]
fn presence_tells_slices_apart() {
    let world = World::of(&[&lines(
        "p",
        "Patient",
        &format!(
            r#"Patient.telecom {{{}}}
            Patient.telecom:ranked {{"max":"1"}}
            Patient.telecom:ranked.rank {{"min":1}}
            Patient.telecom:other {{"max":"1"}}
            Patient.telecom:other.rank {{"max":"0"}}"#,
            sliced("exists", "rank", "closed")
        ),
    )]);
    let patient = |items: &str| format!(r#"{{"resourceType":"Patient","telecom":[{items}]}}"#);
    let (ranked, other) = (r#"{"value":"1","rank":1}"#, r#"{"value":"1"}"#);
    world.right("p", &patient(&format!("{ranked},{other}")));
    world.wrong("p", &patient(&format!("{ranked},{ranked}")), &[("e", "Patient", "structure", "(Patient.telecom:ranked)")]);
    world.wrong("p", &patient(&format!("{other},{other}")), &[("e", "Patient", "structure", "(Patient.telecom:other)")]);
}

#[test]
fn types_tell_slices_apart() {
    let of = |elements: &str| World::of(&[&lines("p", "Observation", elements)]);
    let observation = |more: &str| format!(r#"{{"resourceType":"Observation","status":"final","code":{{"text":"x"}},{more}}}"#);
    let spelled = format!(
        r#"Observation.value[x] {{{}}}
        Observation.value[x]:valueQuantity {{"type":[{{"code":"Quantity"}}]}}
        Observation.value[x]:valueQuantity.unit {{"min":1}}"#,
        sliced("type", "$this", "open")
    );
    let short = r#"Observation.valueQuantity.unit {"min":1}"#;
    for elements in [&spelled, short] {
        let world = of(elements);
        world.right("p", &observation(r#""valueQuantity":{"value":1,"unit":"mg"}"#));
        world.right("p", &observation(r#""valueString":"x""#));
        let found = world.issues(&["p"], &observation(r#""valueQuantity":{"value":1}"#));
        assert!(matches!(found.as_slice(), [issue] if issue.expression == "Observation.value" && issue.code == "required"), "{found:#?}");
    }
    // What must be there leaves no room for another type.
    let world = of(r#"Observation.valueQuantity {"min":1}"#);
    world.wrong("p", &observation(r#""valueString":"x""#), &[("e", "Observation.value", "structure", "may not be of type string, only of Quantity")]);
    world.wrong("p", &observation(r#""issued":"2000-01-01T00:00:00Z""#), &[("e", "Observation", "required", "\"value\"")]);
}

#[test]
fn profiles_tell_slices_apart() {
    let world = World::of(&[
        &lines("m", "Patient", r#"Patient.gender {"min":1,"fixedCode":"male"}"#),
        &lines("f", "Patient", r#"Patient.gender {"min":1,"fixedCode":"female"}"#),
        &lines(
            "b",
            "Bundle",
            &format!(
                r#"Bundle.entry {{{}}}
                Bundle.entry:m {{"max":"1"}}
                Bundle.entry:m.resource {{"type":[{{"code":"Patient","profile":["http://x/m"]}}]}}
                Bundle.entry:f {{"min":1}}
                Bundle.entry:f.resource {{"type":[{{"code":"Patient","profile":["http://x/f"]}}]}}"#,
                sliced("profile", "resource", "open")
            ),
        ),
    ]);
    let bundle = |genders: &[&str]| {
        let entries: Vec<String> = genders.iter().map(|g| format!(r#"{{"resource":{{"resourceType":"Patient","gender":"{g}"}}}}"#)).collect();
        format!(r#"{{"resourceType":"Bundle","type":"collection","entry":[{}]}}"#, entries.join(","))
    };
    world.right("b", &bundle(&["female", "male", "other", "other"]));
    world.wrong("b", &bundle(&["male", "other"]), &[("e", "Bundle", "required", "Bundle.entry:f")]);
    world.wrong("b", &bundle(&["female", "male", "male"]), &[("e", "Bundle", "structure", "(Bundle.entry:m)")]);
}

#[test]
fn paths_go_through_extensions_types_and_references() {
    let url = "http://e/kind";
    let world = World::of(&[
        &lines(
            "ext",
            "Patient",
            &format!(
                r#"Patient.name {{{}}}
                Patient.name:a {{"max":"1"}}
                Patient.name:a.extension:kind {{"type":[{{"code":"Extension","profile":["{url}"]}}]}}
                Patient.name:a.extension:kind.value[x] {{"fixedCode":"a"}}"#,
                sliced("value", &format!("extension('{url}').value"), "open")
            ),
        ),
        &lines("org", "Organization", r#"Organization.active {"min":1,"fixedBoolean":true}"#),
        &lines(
            "type",
            "Patient",
            &format!(
                r#"Patient.generalPractitioner {{{}}}
                Patient.generalPractitioner:org {{"max":"1","type":[{{"code":"Reference","targetProfile":["http://hl7.org/fhir/StructureDefinition/Organization"]}}]}}"#,
                sliced("type", "resolve()", "open")
            ),
        ),
        &lines(
            "through",
            "Patient",
            &format!(
                r#"Patient.generalPractitioner {{{}}}
                Patient.generalPractitioner:org {{"max":"1","type":[{{"code":"Reference","targetProfile":["http://x/org"]}}]}}"#,
                sliced("value", "$this.resolve().active", "open")
            ),
        ),
    ]);
    let name = |kind: &str| format!(r#"{{"text":"x","extension":[{{"url":"{url}","valueCode":"{kind}"}}]}}"#);
    let names = |kinds: &[&str]| format!(r#"{{"resourceType":"Patient","name":[{}]}}"#, kinds.iter().map(|k| name(k)).collect::<Vec<_>>().join(","));
    let count = |profile: &str, text: &str| errors(world.issues(&[profile], text)).len();
    assert_eq!(count("ext", &names(&["a", "b", "b"])), 0);
    assert_eq!(count("ext", &names(&["a", "b", "a"])), 1);
    let practitioners = |references: &[&str]| {
        let items: Vec<String> = references.iter().map(|r| format!(r#"{{"reference":"{r}"}}"#)).collect();
        format!(
            r#"{{"resourceType":"Patient","contained":[{{"resourceType":"Organization","id":"yes","active":true}},{{"resourceType":"Organization","id":"no","active":false}}],
                "generalPractitioner":[{}]}}"#,
            items.join(",")
        )
    };
    world.right("type", &practitioners(&["Organization/1", "Practitioner/1", "Practitioner/2"]));
    world.wrong("type", &practitioners(&["Organization/1", "#no"]), &[("e", "Patient", "structure", "(Patient.generalPractitioner:org)")]);
    world.right("through", &practitioners(&["#yes", "#no", "#no"]));
    world.wrong("through", &practitioners(&["#yes", "#yes"]), &[("e", "Patient", "structure", "(Patient.generalPractitioner:org)")]);
}

#[test]
fn slices_may_be_sliced_again() {
    let world = World::of(&[&lines(
        "p",
        "Patient",
        &format!(
            r#"Patient.identifier {{{}}}
            Patient.identifier:a {{"max":"3",{}}}
            Patient.identifier:a.system {{"fixedUri":"a"}}
            Patient.identifier:a/old {{"max":"1"}}
            Patient.identifier:a/old.use {{"fixedCode":"old"}}"#,
            sliced("value", "system", "open"),
            sliced("value", "use", "open"),
        ),
    )]);
    let patient = |uses: &[&str]| {
        let items: Vec<String> = uses.iter().map(|u| format!(r#"{{"system":"{}","use":"{}"}}"#, &u[..1], &u[1..])).collect();
        format!(r#"{{"resourceType":"Patient","identifier":[{}]}}"#, items.join(","))
    };
    world.right("p", &patient(&["aold", "ausual", "ausual", "bold", "bold"]));
    world.wrong("p", &patient(&["aold", "bold", "aold"]), &[("e", "Patient", "structure", "(Patient.identifier:a/old)")]);
    world.wrong("p", &patient(&["ausual", "ausual", "ausual", "ausual"]), &[("e", "Patient", "structure", "(Patient.identifier:a)")]);
}

#[test]
fn an_item_belongs_to_one_slice() {
    let world = World::of(&[&lines(
        "p",
        "Patient",
        &format!(
            r#"Patient.identifier {{{}}}
            Patient.identifier:a {{"patternIdentifier":{{"system":"a"}}}}
            Patient.identifier:b {{"patternIdentifier":{{"value":"1"}}}}
            Patient.identifier:@default {{"max":"1"}}"#,
            sliced("value", "$this", "closed")
        ),
    )]);
    world.wrong("p", &identifiers(&["a|1"]), &[("e", "Patient.identifier[0]", "structure", "more than one slice: a, b")]);
    // What no other slice takes is the default.
    world.right("p", &identifiers(&["a|2", "b|1", "c|2"]));
    world.wrong("p", &identifiers(&["c|2", "c|3"]), &[("e", "Patient", "structure", "(Patient.identifier:@default)")]);
}

#[test]
fn without_a_discriminator_the_rules_of_the_slices_tell() {
    let world = World::of(&[&lines(
        "p",
        "Patient",
        r#"Patient.identifier {"slicing":{"rules":"closed"}}
        Patient.identifier:a {"max":"1"}
        Patient.identifier:a.system {"fixedUri":"a"}
        Patient.identifier:b {}
        Patient.identifier:b.value {"maxLength":1}"#,
    )]);
    world.right("p", &identifiers(&["a|12", "b|1"]));
    world.wrong("p", &identifiers(&["a|12", "a|12"]), &[("e", "Patient", "structure", "(Patient.identifier:a)")]);
    world.wrong("p", &identifiers(&["b|12"]), &[("e", "Patient.identifier[0]", "structure", "belongs to no slice")]);
}

#[test]
fn a_discriminator_that_is_no_simple_path_is_told() {
    let world = World::of(&[&lines(
        "p",
        "Patient",
        &format!(r#"Patient.identifier {{{}}}
            Patient.identifier:a {{"min":1}}"#, sliced("value", "where(a = b)", "open")),
    )]);
    world.wrong("p", &identifiers(&["a|1"]), &[("w", "Patient", "not-supported", "is not a simple path")]);
}
