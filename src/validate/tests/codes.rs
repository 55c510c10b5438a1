//! Codes that their system does not have.

use super::*;
use crate::path::eval::NoServices;
use crate::terminology::Checker;
use crate::terminology::tests::Shelf;

const SYSTEMS: &[&str] = &[
    r#"{"resourceType":"CodeSystem","id":"c","url":"urn:complete","version":"1","status":"active","content":"complete","concept":[
        {"code":"a","display":"First One","designation":[{"language":"de","value":"Erstes"}],"concept":[{"code":"b"}]},{"code":"NNxxx"}]}"#,
    r#"{"resourceType":"CodeSystem","id":"i","url":"urn:loose","status":"active","content":"complete","caseSensitive":false,"concept":[{"code":"Up"}]}"#,
    r#"{"resourceType":"CodeSystem","id":"f","url":"urn:part","status":"active","content":"fragment","concept":[{"code":"a"}]}"#,
    r#"{"resourceType":"CodeSystem","id":"e","url":"urn:empty","status":"active","content":"complete"}"#,
    r#"{"resourceType":"CodeSystem","id":"s","url":"urn:more","status":"active","content":"supplement","supplements":"urn:complete","concept":[{"code":"a"}]}"#,
    r#"{"resourceType":"ValueSet","id":"v","url":"urn:set","status":"active","compose":{"include":[{"system":"urn:complete","concept":[{"code":"a"}]}]}}"#,
];

/// Severity, rule and place of what is said at the level of the bindings, without bindings.
fn found(text: &str) -> Vec<String> {
    let bytes = json::parse(text.as_bytes(), &Limits::default()).unwrap();
    let terminology = Checker::new(Shelf::of(SYSTEMS.iter().copied()));
    let world = World { terminology: Some(&terminology), services: &NoServices, profiles: None };
    let mut found = Vec::new();
    check(json::root(&bytes).unwrap(), Level::Bindings, &world, &mut |issue| {
        if !["binding", "dom-6"].contains(&&*issue.rule) {
            found.push(format!("{} {} {}", issue.severity.code(), issue.rule, issue.expression));
        }
        std::ops::ControlFlow::Continue(())
    });
    found
}

fn observation(coding: &str) -> String {
    format!(r#"{{"resourceType":"Observation","status":"final","code":{{"coding":[{coding}]}}}}"#)
}

#[test]
fn a_complete_system_has_all_its_codes() {
    for (coding, expected) in [
        (r#"{"system":"urn:complete","code":"a"}"#, ""),
        (r#"{"system":"urn:complete","code":"b"}"#, ""),
        (r#"{"system":"urn:complete","code":"A"}"#, "error code Observation.code.coding[0].code"),
        (r#"{"system":"urn:complete","code":"c"}"#, "error code Observation.code.coding[0].code"),
        (r#"{"system":"urn:complete","version":"1","code":"c"}"#, "error code Observation.code.coding[0].code"),
        (r#"{"system":"urn:complete","code":"NNFIN"}"#, ""),
        (r#"{"system":"urn:loose","code":"UP"}"#, ""),
        // nobody knows
        (r#"{"system":"urn:complete","version":"2","code":"c"}"#, ""),
        (r#"{"system":"urn:part","code":"c"}"#, ""),
        (r#"{"system":"urn:empty","code":"c"}"#, ""),
        (r#"{"system":"urn:nowhere","code":"c"}"#, ""),
        (r#"{"code":"c"}"#, ""),
        // rules make the codes
        (r#"{"system":"http://snomed.info/sct","code":"276885007"}"#, ""),
        (r#"{"system":"http://snomed.info/sct","code":"276885007x"}"#, "error code Observation.code.coding[0].code"),
        // what is no system
        (r#"{"system":"urn:more","code":"a"}"#, "error code Observation.code.coding[0].system"),
        (r#"{"system":"urn:set","code":"a"}"#, "error code Observation.code.coding[0].system"),
        (r#"{"system":"complete","code":"a"}"#, "error code Observation.code.coding[0].system"),
    ] {
        assert_eq!(found(&observation(coding)).join(";"), expected, "{coding}");
    }
}

#[test]
fn another_display_is_a_warning() {
    for (display, is_other) in [("First One", false), ("first  one", false), ("Erstes", false), ("Second", true)] {
        let coding = format!(r#"{{"system":"urn:complete","code":"a","display":"{display}"}}"#);
        let expected: &[&str] = if is_other { &["warning display Observation.code.coding[0].display"] } else { &[] };
        assert_eq!(found(&observation(&coding)), expected, "{display}");
    }
    // the system does not say
    assert_eq!(found(&observation(r#"{"system":"urn:complete","code":"b","display":"x"}"#)), [""; 0]);
}

#[test]
fn codes_are_looked_at_wherever_they_stand() {
    let bad = r#"{"system":"urn:complete","code":"c"}"#;
    for (text, at) in [
        (format!(r#"{{"resourceType":"Observation","status":"final","code":{{"text":"x"}},"valueQuantity":{{"value":1,"system":"urn:complete","code":"c"}}}}"#), "Observation.value.code"),
        (format!(r#"{{"resourceType":"Patient","meta":{{"tag":[{bad}]}}}}"#), "Patient.meta.tag[0].code"),
        (format!(r#"{{"resourceType":"Patient","extension":[{{"url":"urn:x","valueCoding":{bad}}}]}}"#), "Patient.extension[0].value.code"),
        (format!(r#"{{"resourceType":"Patient","_birthDate":{{"extension":[{{"url":"urn:x","valueCoding":{bad}}}]}}}}"#), "Patient.birthDate.extension[0].value.code"),
        (format!(r##"{{"resourceType":"Patient","contained":[{{"resourceType":"Organization","id":"o","name":"x","type":[{{"coding":[{bad}]}}]}}],"managingOrganization":{{"reference":"#o"}}}}"##), "Patient.contained[0].type[0].coding[0].code"),
        (format!(r#"{{"resourceType":"Bundle","type":"collection","entry":[{{"resource":{{"resourceType":"Patient","meta":{{"tag":[{bad}]}}}}}}]}}"#), "Bundle.entry[0].resource.meta.tag[0].code"),
    ] {
        assert_eq!(found(&text), [format!("error code {at}")], "{text}");
    }
}

#[test]
fn definitions_name_codes_that_there_are() {
    let set = |include: &str| format!(r#"{{"resourceType":"ValueSet","status":"active","name":"X","compose":{{"include":[{{"system":"urn:complete",{include}}}]}}}}"#);
    assert_eq!(found(&set(r#""concept":[{"code":"a"},{"code":"b"}]"#)), [""; 0]);
    assert_eq!(found(&set(r#""concept":[{"code":"a"},{"code":"c"}]"#)), ["error code ValueSet.compose.include[0].concept[1].code"]);
    assert_eq!(found(&set(r#""filter":[{"property":"concept","op":"is-a","value":"a"}]"#)), [""; 0]);
    assert_eq!(found(&set(r#""filter":[{"property":"concept","op":"is-a","value":"c"}]"#)), ["error code ValueSet.compose.include[0].filter[0].value"]);
    assert_eq!(found(&set(r#""filter":[{"property":"other","op":"=","value":"c"}]"#)), [""; 0]);

    let map = |source: &str, target: &str| {
        format!(
            r#"{{"resourceType":"ConceptMap","status":"active","name":"X","sourceUri":"urn:set","group":[{{"source":"urn:complete","target":"urn:loose",
            "element":[{{"code":"{source}","target":[{{"code":"{target}","equivalence":"equal"}}]}}]}}]}}"#
        )
    };
    assert_eq!(found(&map("a", "Up")), [""; 0]);
    assert_eq!(found(&map("a", "Down")), ["error code ConceptMap.group[0].element[0].target[0].code"]);
    // there is such a code, but not in the set that is mapped
    assert_eq!(found(&map("b", "Up")), ["error code ConceptMap.group[0].element[0].code"]);
}
