//! Enriched resources: what was there, what is added, and whether it is FHIR.

use super::*;
use crate::json::Limits;
use crate::nlp::entity::{Assertion, Attribute, AttributeKind, Certainty, ConceptRef, Kind, Origin};
use crate::nlp::lexicon::{Compiler, source::Record};
use crate::nlp::Category;
use crate::validate::{Level, World, check};
use std::ops::ControlFlow;

fn lexicon() -> Lexicon {
    let mut compiler = Compiler::new();
    compiler
        .add_text("C\thttp://hl7.org/fhir/sid/icd-10-cm\tI10\tMEDICAL_CONDITION\tDX_NAME\tEssential (primary) hypertension\nT\tsynonym\t-\thypertension\n")
        .expect("records");
    for name in ["context", "sections"] {
        compiler.add(Record::List { name, text: "" }).expect("a list");
    }
    Lexicon::open(compiler.finish("test-1").expect("an image").leak()).expect("a lexicon")
}

fn parse(text: &str) -> Vec<u8> {
    json::parse(text.as_bytes(), &Limits::default()).expect("JSON")
}

fn json_of(bytes: &[u8]) -> serde_json::Value {
    serde_json::from_str(&json::root(bytes).expect("a container").to_json()).expect("JSON")
}

/// "hypertension" in a text, with an attribute and a code.
fn finding(text: &str, certainty: Certainty) -> Entity {
    let begin = text.find("hypertension").expect("the word");
    Entity {
        category: Category::MedicalCondition,
        kind: Kind::Diagnosis,
        begin,
        end: begin + 12,
        tokens: 0..1,
        sentence: 0,
        section: "assessment",
        origin: Origin::Term,
        score: 0.9,
        assertion: Assertion { certainty, ..Assertion::default() },
        value: None,
        attributes: vec![Attribute { kind: AttributeKind::Acuity, begin: 0, end: 4, value: None, score: 0.8, relation_score: 0.7 }],
        concepts: vec![ConceptRef { concept: 0, score: 0.85 }],
    }
}

/// The resource with a finding in its first text.
fn enriched(resource: &[u8], form: Form, certainty: Certainty) -> Vec<u8> {
    let lexicon = lexicon();
    let node = json::root(resource).expect("a container");
    let texts = texts(node, &|| false).expect("texts");
    let readings: Vec<_> = texts.into_iter().map(|text| Reading { found: vec![finding(&text.text, certainty)], text, is_cut: false }).collect();
    let tree = match form {
        Form::Fhirlake => tree::tree(&readings, &lexicon, &|| false),
        Form::HealthLake => healthlake::tree(&readings, &lexicon, &|| false),
    }
    .expect("nobody interrupts");
    with_extension(node.as_object().expect("an object"), form.url(), Some(&tree)).expect("JSON").expect("a change")
}

fn issues(bytes: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    let _ = check(json::root(bytes).expect("a container"), Level::Invariants, &World::default(), &mut |issue| {
        found.push(format!("{issue:?}"));
        ControlFlow::Continue(())
    });
    found
}

const CONDITION: &str = r#"{"resourceType":"Condition","id":"a","subject":{"reference":"Patient/1"},"onsetAge":{"value":1.10,"unit":"a","system":"http://unitsofmeasure.org","code":"a"},
    "extension":[{"url":"http://example.org/other","valueDecimal":2.500}],"note":[{"text":"é mild hypertension"}]}"#;

#[test]
fn what_was_there_stays_byte_for_byte() {
    let before = parse(CONDITION);
    for form in [Form::Fhirlake, Form::HealthLake] {
        let after = enriched(&before, form, Certainty::Positive);
        assert_eq!(issues(&after), issues(&before));
        let (mut was, mut is) = (json_of(&before), json_of(&after));
        let other = is["extension"][0].clone();
        assert_eq!(other, was["extension"][0]);
        was.as_object_mut().expect("an object").remove("extension");
        is.as_object_mut().expect("an object").remove("extension");
        assert_eq!(was.to_string(), is.to_string());
        // once more, it is the same
        assert_eq!(enriched(&after, form, Certainty::Positive), after);
        // and without a tree it is what it was
        let object = json::root(&after).and_then(Node::as_object).expect("an object");
        assert_eq!(with_extension(object, form.url(), None).expect("JSON").expect("a change"), before);
    }
}

#[test]
fn the_tree_says_all() {
    let after = json_of(&enriched(&parse(CONDITION), Form::Fhirlake, Certainty::Negative));
    let expected = serde_json::json!({"url": FINDINGS, "extension": [
        {"url": "engine", "valueString": tree::ENGINE},
        {"url": "lexicon", "valueString": "test-1"},
        {"url": "text", "extension": [
            {"url": "path", "valueString": "note[0].text"},
            {"url": "finding", "extension": [
                {"url": "category", "valueCode": "MEDICAL_CONDITION"},
                {"url": "type", "valueCode": "DX_NAME"},
                {"url": "text", "valueString": "hypertension"},
                {"url": "begin", "valueUnsignedInt": 7},
                {"url": "end", "valueUnsignedInt": 19},
                {"url": "section", "valueString": "assessment"},
                {"url": "score", "valueDecimal": 0.9},
                {"url": "certainty", "valueCode": "negative"},
                {"url": "temporality", "valueCode": "current"},
                {"url": "subject", "valueCode": "patient"},
                {"url": "conditionality", "valueCode": "unconditional"},
                {"url": "attribute", "extension": [
                    {"url": "type", "valueCode": "ACUITY"},
                    {"url": "text", "valueString": "é m"},
                    {"url": "begin", "valueUnsignedInt": 0},
                    {"url": "end", "valueUnsignedInt": 3},
                    {"url": "score", "valueDecimal": 0.8},
                    {"url": "relationScore", "valueDecimal": 0.7}]},
                {"url": "concept", "extension": [
                    {"url": "coding", "valueCoding": {"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "I10", "display": "Essential (primary) hypertension"}},
                    {"url": "score", "valueDecimal": 0.85}]}]}]}]});
    assert_eq!(after["extension"][1], expected);
}

#[test]
fn the_healthlake_form_codes_only_what_is_so() {
    let coded = |certainty| {
        let after = json_of(&enriched(&parse(CONDITION), Form::HealthLake, certainty));
        after["extension"][1]["extension"].as_array().expect("groups").clone()
    };
    let groups = coded(Certainty::Positive);
    assert_eq!(groups[0]["url"], "http://healthlake.amazonaws.com/aws-cm/infer-icd10/");
    let entity = &groups[0]["extension"][1];
    assert_eq!(entity["url"], "http://healthlake.amazonaws.com/aws-cm/infer-icd10/aws-cm-icd10-entity");
    assert_eq!(entity["extension"][1]["valueString"], "hypertension");
    assert_eq!(entity["extension"][5]["extension"][0]["extension"][0]["valueString"], "I10");
    assert_eq!(groups.last().expect("a message")["url"], "http://healthlake.amazonaws.com/aws-cm/message/");
    assert!(groups.iter().any(|g| g["url"] == "http://healthlake.amazonaws.com/aws-cm/status/" && g["valueString"] == "SUCCESS"));
    assert!(!coded(Certainty::Negative).iter().any(|g| g["url"] == "http://healthlake.amazonaws.com/aws-cm/infer-icd10/"));
}

#[test]
fn what_has_no_text_or_no_extensions_is_left() {
    let lexicon = lexicon();
    for text in [
        r#"{"resourceType":"Patient","id":"a"}"#,
        r#"{"resourceType":"Binary","contentType":"text/plain","data":"aGVsbG8="}"#,
        r#"{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"DiagnosticReport","conclusion":"normal"}}]}"#,
        r#"{"resourceType":"Patent"}"#,
        "[1]",
        "7",
    ] {
        let bytes = parse(text);
        let node = json::root(&bytes).expect("a container");
        assert!(enrich(node, Form::Fhirlake, &Wanted::default(), &lexicon, &|| false).expect("enriched").is_none(), "{text}");
    }
}

#[test]
fn a_resource_that_lost_its_text_loses_its_findings() {
    let bytes = parse(&format!(r#"{{"resourceType":"Patient","extension":[{{"url":"{FINDINGS}","extension":[]}}]}}"#));
    let after = enrich(json::root(&bytes).expect("a container"), Form::Fhirlake, &Wanted::default(), &lexicon(), &|| false);
    assert_eq!(after.expect("enriched").map(|b| json_of(&b).to_string()).as_deref(), Some(r#"{"resourceType":"Patient"}"#));
}
