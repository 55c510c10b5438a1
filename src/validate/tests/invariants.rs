//! What must hold between elements, and what is said where it does not.

use super::*;
use crate::model::INVARIANTS;

fn found(text: &str) -> Vec<(String, String, Severity)> {
    let bytes = json::parse(text.as_bytes(), &Limits::default()).unwrap();
    let mut found = Vec::new();
    let _ = check(json::root(&bytes).unwrap(), Level::Invariants, &World::default(), &mut |issue| {
        if issue.rule != "dom-6" {
            found.push((issue.rule.to_string(), issue.expression, issue.severity));
        }
        std::ops::ControlFlow::Continue(())
    });
    found
}

fn breaks(text: &str, expected: &[(&str, &str)]) {
    let found = found(text);
    let shown: Vec<(&str, &str)> = found.iter().map(|(rule, at, _)| (rule.as_str(), at.as_str())).collect();
    assert_eq!(shown, expected, "{text}");
}

#[test]
fn every_invariant_of_r4_is_compiled() {
    for invariant in INVARIANTS.iter().filter(|i| !i.expression.is_empty()) {
        let compiled = crate::path::eval::Program::compile_lenient(invariant.expression, None);
        assert!(compiled.is_ok(), "{} at {}: {compiled:?}", invariant.key, invariant.path);
    }
    // all but those that the structure level decides, and none twice for one value
    let mut asked = 0;
    for (number, ty) in crate::model::TYPES.iter().enumerate() {
        let rules = super::rules::Rules::of(crate::model::TypeId(number as u16));
        let of = |constraints: &[super::rules::Constraint], path: &str| {
            let mut keys: Vec<&str> = constraints.iter().map(|c| c.invariant.key).collect();
            let own = constraints.iter().filter(|c| c.invariant.path == path).count();
            keys.sort_unstable();
            keys.dedup();
            assert_eq!(keys.len(), constraints.len(), "{path}");
            own
        };
        asked += of(&rules.constraints, ty.name);
        for (element, rules) in ty.elements.iter().zip(&rules.elements) {
            asked += of(&rules.constraints, &format!("{}.{}", ty.name, element.name));
        }
    }
    let judged = INVARIANTS.iter().filter(|i| !["ele-1", "ext-1"].contains(&i.key) && !i.expression.is_empty()).count();
    assert_eq!(asked, judged);
}

#[test]
fn what_does_not_hold_is_told_where_it_stands() {
    breaks(r#"{"resourceType":"Patient"}"#, &[]);
    breaks(r#"{"resourceType":"Patient","contact":[{"name":{"text":"x"}},{"gender":"male"}]}"#, &[("pat-1", "Patient.contact[1]")]);
    breaks(r#"{"resourceType":"Patient","name":[{"period":{"start":"2020-02","end":"2019"}}]}"#, &[("per-1", "Patient.name[0].period")]);
    breaks(r#"{"resourceType":"Patient","name":[{"period":{"start":"2019","end":"2019-02"}}]}"#, &[]);
    breaks(r#"{"resourceType":"Observation","status":"final","code":{"text":"x"},"valueQuantity":{"value":1,"code":"mg"}}"#, &[("qty-3", "Observation.value")]);
    breaks(
        r#"{"resourceType":"Observation","status":"final","code":{"text":"x"},"valueString":"y","dataAbsentReason":{"text":"z"}}"#,
        &[("obs-6", "Observation")],
    );
    breaks(r#"{"resourceType":"Patient","_birthDate":{"extension":[{"url":"http://x","valueQuantity":{"value":1,"code":"m"}}]}}"#, &[("qty-3", "Patient.birthDate.extension[0].value")]);
    breaks(r#"{"resourceType":"Patient","managingOrganization":{"reference":"Organization/1"}}"#, &[]);
}

#[test]
fn contained_resources_and_entries_are_judged_where_they_stand() {
    breaks(
        r##"{"resourceType":"Patient","contained":[{"resourceType":"Organization","id":"o","name":"x","meta":{"versionId":"1"}}],"managingOrganization":{"reference":"#o"}}"##,
        &[("dom-4", "Patient")],
    );
    breaks(r#"{"resourceType":"Patient","contained":[{"resourceType":"Organization","id":"o","name":"x"}]}"#, &[("dom-3", "Patient")]);
    breaks(
        r#"{"resourceType":"Bundle","type":"collection","entry":[{"resource":{"resourceType":"Patient","contact":[{"gender":"male"}]}}]}"#,
        &[("pat-1", "Bundle.entry[0].resource.contact[0]")],
    );
    // a narrative may have no active content
    breaks(
        r#"{"resourceType":"Patient","text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\"><script>x</script></div>"}}"#,
        &[("txt-1", "Patient.text.div"), ("txt-2", "Patient.text.div")],
    );
}

#[test]
fn what_is_broken_in_structure_is_asked_all_the_same() {
    let rules: Vec<String> = found(r#"{"resourceType":"Patient","birthDate":"x","contact":[{"gender":"male"}]}"#).into_iter().map(|f| f.0).collect();
    assert_eq!(rules, ["structure", "pat-1"]);
    assert_eq!(found("[]").len(), 1);
}

/// The specification's examples, where the data folder has them: all are valid, but for those whose narrative is empty and those that break a
/// rule of the text.
#[test]
fn examples_of_the_specification_keep_the_invariants() {
    let Some(data) = std::env::var_os("FHIRLAKE_DATA") else { return };
    let Ok(packed) = std::fs::File::open(std::path::Path::new(&data).join("r4/r4-examples.ndjson.gz")) else { return };
    let mut text = String::new();
    std::io::Read::read_to_string(&mut flate2::read::MultiGzDecoder::new(packed), &mut text).unwrap();
    let (mut errors, mut warnings) = (Vec::new(), 0);
    for line in text.lines() {
        let bytes = json::parse(line.as_bytes(), &Limits::default()).unwrap();
        let root = json::root(&bytes).unwrap();
        let text = |name: &str| root.get(name).and_then(Node::as_str).unwrap_or("?");
        for (rule, _, severity) in found(line).into_iter().filter(|(rule, ..)| rule != "structure") {
            match severity {
                Severity::Warning => warnings += 1,
                _ => errors.push(format!("{}/{} {rule}", text("resourceType"), text("id"))),
            }
        }
    }
    println!("examples: {} resources, {} broken invariants, {warnings} warnings beside dom-6", text.lines().count(), errors.len());
    errors.sort();
    errors.dedup();
    // tests/conformance/example-exceptions.tsv says what is wrong with these
    let text = ["Bundle/10bb101f-a121-4264-a920-67be9cb82c74", "Bundle/3a0707d3-549e-4467-b8b8-5a2ab3800efe", "Bundle/lri-example"].into_iter();
    let text = text.chain(["CapabilityStatement/base", "CapabilityStatement/knowledge-repository", "CapabilityStatement/measure-processor", "CapabilityStatement/terminology-server"]);
    let empty = ["ActivityDefinition/blood-tubes-supply", "ActivityDefinition/heart-valve-replacement", "EventDefinition/example", "Questionnaire/zika-virus-exposure-assessment"];
    let mut expected: Vec<String> = empty.iter().flat_map(|name| ["txt-1", "txt-2"].map(|rule| format!("{name} {rule}"))).collect();
    expected.extend(text.map(|name| format!("{name} text")));
    expected.sort();
    assert_eq!(errors, expected);
}
