//! Each rule where it is kept and where it is broken.

use crate::json::{self, Limits};
use crate::validate::{Issue, Level, World, check};
use std::ops::ControlFlow;

fn found(text: &str) -> Vec<(String, String)> {
    let bytes = json::parse(text.as_bytes(), &Limits::default()).unwrap();
    let mut found = Vec::new();
    check(json::root(&bytes).unwrap(), Level::Invariants, &World::default(), &mut |issue: Issue| {
        if issue.rule != "dom-6" {
            found.push((issue.rule.to_string(), issue.expression));
        }
        ControlFlow::Continue(())
    });
    found
}

/// Where a rule of the text is broken, and nothing else is.
fn breaks(text: &str, expected: &[&str]) {
    let expected: Vec<(String, String)> = expected.iter().map(|at| ("text".to_owned(), (*at).to_owned())).collect();
    assert_eq!(found(text), expected, "{text}");
}

fn bundle(kind: &str, entries: &str) -> String {
    let more = if kind == "document" { r#""identifier":{"system":"urn:x","value":"1"},"timestamp":"2020-01-01T00:00:00Z","# } else { "" };
    format!(r#"{{"resourceType":"Bundle","type":"{kind}",{more}"entry":[{entries}]}}"#)
}

#[test]
fn a_full_url_is_absolute_and_ends_with_type_and_id() {
    for (url, broken) in [
        ("http://x.org/fhir/Patient/1", false),
        ("urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0", false),
        ("http://x.org/anything/else", false),
        ("Patient/1", true),
        ("http://x.org/fhir/Patient/2", true),
        ("http://x.org/fhir/Person/1", true),
    ] {
        let entry = format!(r#"{{"fullUrl":"{url}","resource":{{"resourceType":"Patient","id":"1"}}}}"#);
        breaks(&bundle("collection", &entry), if broken { &["Bundle.entry[0].fullUrl"] } else { &[] });
    }
    // one that is new has no id that it could differ from
    let new = r#"{"fullUrl":"http://x.org/fhir/Patient/2","resource":{"resourceType":"Patient"},"request":{"method":"POST","url":"Patient"}}"#;
    breaks(&bundle("transaction", new), &[]);
}

#[test]
fn what_a_document_names_is_in_it() {
    let composition = |url: &str, author: &str| {
        format!(
            r##"{{"fullUrl":"{url}","resource":{{"resourceType":"Composition","id":"c","contained":[{{"resourceType":"Practitioner","id":"p"}}],
            "status":"final","type":{{"text":"x"}},"date":"2020","title":"x","author":[{{"reference":"{author}"}},{{"reference":"#p"}},{{"display":"x"}}],
            "relatesTo":[{{"code":"replaces","targetReference":{{"reference":"Composition/old"}}}}],
            "extension":[{{"url":"http://x.org/e","valueReference":{{"reference":"Patient/elsewhere"}}}}]}}}}"##
        )
    };
    let practitioner = r#"{"fullUrl":"http://x.org/Practitioner/1","resource":{"resourceType":"Practitioner","id":"1","meta":{"versionId":"2"}}}"#;
    let urn = r#"{"fullUrl":"urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0","resource":{"resourceType":"Practitioner","id":"1"}}"#;
    let server = "http://x.org/Composition/c";
    for (url, author, entry, broken) in [
        (server, "Practitioner/1", practitioner, false),
        (server, "http://x.org/Practitioner/1", practitioner, false),
        (server, "Practitioner/1/_history/2", practitioner, false),
        (server, "Practitioner/1/_history/3", practitioner, true),
        (server, "Practitioner/2", practitioner, true),
        (server, "http://y.org/Practitioner/1", practitioner, true),
        ("http://y.org/Composition/c", "Practitioner/1", practitioner, true),
        ("urn:uuid:7c3151bd-1cbf-4d64-b04d-cd9187a4c6e0", "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0", urn, false),
        ("urn:uuid:7c3151bd-1cbf-4d64-b04d-cd9187a4c6e0", "Practitioner/1", urn, true),
    ] {
        let text = bundle("document", &format!("{},{entry}", composition(url, author)));
        breaks(&text, if broken { &["Bundle.entry[0].resource.author[0]"] } else { &[] });
    }
}

#[test]
fn what_a_message_is_about_is_in_it() {
    let message = |focus: &str| {
        let header = format!(
            r#"{{"fullUrl":"http://x.org/MessageHeader/m","resource":{{"resourceType":"MessageHeader","id":"m","eventUri":"http://x.org/e",
            "source":{{"endpoint":"http://x.org"}},"sender":{{"reference":"Organization/elsewhere"}},"focus":[{{"reference":"{focus}"}}]}}}}"#
        );
        bundle("message", &format!(r#"{header},{{"fullUrl":"http://x.org/Patient/1","resource":{{"resourceType":"Patient","id":"1"}}}}"#))
    };
    breaks(&message("Patient/1"), &[]);
    breaks(&message("Patient/2"), &["Bundle.entry[0].resource.focus[0]"]);
}

#[test]
fn what_a_search_finds_has_an_id() {
    let hit = |mode: &str, resource: &str| bundle("searchset", &format!(r#"{{"fullUrl":"http://x.org/a","search":{{"mode":"{mode}"}},"resource":{resource}}}"#));
    let outcome = r#"{"resourceType":"OperationOutcome","issue":[{"severity":"warning","code":"processing"}]}"#;
    breaks(&hit("match", r#"{"resourceType":"Patient","id":"1"}"#), &[]);
    breaks(&hit("match", r#"{"resourceType":"Patient"}"#), &["Bundle.entry[0].resource"]);
    breaks(&hit("include", r#"{"resourceType":"Patient"}"#), &["Bundle.entry[0].resource"]);
    breaks(&hit("outcome", outcome), &[]);
    breaks(&hit("outcome", r#"{"resourceType":"Patient","id":"1"}"#), &["Bundle.entry[0].resource"]);
}

#[test]
fn an_attachment_is_as_large_as_it_says() {
    // "Hello" is five bytes
    for (size, data, broken) in [("5", "SGVsbG8=", false), ("5", "SGVs bG8=", false), ("6", "SGVsbG8=", true), ("3", "SGVs", false), ("1", "SA==", false), ("2", "SA==", true)] {
        let media = format!(r#"{{"resourceType":"Media","status":"completed","content":{{"contentType":"text/plain","size":{size},"data":"{data}"}}}}"#);
        breaks(&media, if broken { &["Media.content.size"] } else { &[] });
    }
}

#[test]
fn an_address_that_the_definition_calls_absolute_is() {
    let set = |url: &str, system: &str| format!(r#"{{"resourceType":"ValueSet","status":"active","name":"X","url":"{url}","compose":{{"include":[{{"system":"{system}"}}]}}}}"#);
    breaks(&set("http://x.org/v", "http://x.org/s"), &[]);
    breaks(&set("urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0", "urn:oid:1.2.3"), &[]);
    breaks(&set("ValueSet/v", "http://x.org/s"), &["ValueSet.url"]);
    breaks(&set("http://x.org/v", "#s"), &["ValueSet.compose.include[0].system"]);
    // also where one is contained, and where one is in a Bundle
    let inner = set("v", "http://x.org/s").replacen('{', r#"{"id":"v","#, 1);
    breaks(
        &format!(r##"{{"resourceType":"Questionnaire","status":"draft","contained":[{inner}],"item":[{{"linkId":"1","type":"choice","text":"x","answerValueSet":"#v"}}]}}"##),
        &["Questionnaire.contained[0].url"],
    );
    breaks(&bundle("collection", &format!(r#"{{"resource":{inner}}}"#)), &["Bundle.entry[0].resource.url"]);
}

#[test]
fn definitions_agree_with_what_they_derive_from() {
    let parameter = |ty: &str, base: &str| {
        format!(
            r#"{{"resourceType":"SearchParameter","url":"http://x.org/p","name":"X","status":"draft","description":"x","code":"name","base":["{base}"],
            "type":"{ty}","expression":"name","derivedFrom":"http://hl7.org/fhir/SearchParameter/Organization-name"}}"#
        )
    };
    breaks(&parameter("string", "Organization"), &[]);
    breaks(&parameter("token", "Organization"), &["SearchParameter.type"]);
    breaks(&parameter("string", "Patient"), &["SearchParameter.base[0]"]);
    let capability = |ty: &str| {
        format!(
            r#"{{"resourceType":"CapabilityStatement","status":"draft","date":"2020","kind":"requirements","description":"x","fhirVersion":"4.0.1","format":["json"],
            "rest":[{{"mode":"server","resource":[{{"type":"Patient","searchParam":[{{"name":"gender","type":"{ty}","definition":"http://hl7.org/fhir/SearchParameter/individual-gender|4.0.1"}}]}}]}}]}}"#
        )
    };
    breaks(&capability("token"), &[]);
    breaks(&capability("string"), &["CapabilityStatement.rest[0].resource[0].searchParam[0].type"]);
}

#[test]
fn a_code_system_keeps_to_the_properties_that_it_declares() {
    let system = |content: &str, properties: &str, value: &str| {
        format!(
            r#"{{"resourceType":"CodeSystem","status":"draft","name":"X","content":"{content}","property":[{properties}],
            "concept":[{{"code":"a","concept":[{{"code":"b","property":[{{"code":"p",{value}}},{{"code":"parent","valueCode":"a"}}]}}]}}]}}"#
        )
    };
    let declared = r#"{"code":"p","type":"dateTime"}"#;
    breaks(&system("complete", declared, r#""valueDateTime":"2020""#), &[]);
    breaks(&system("complete", declared, r#""valueBoolean":true"#), &["CodeSystem.concept[0].concept[0].property[0]"]);
    breaks(&system("complete", &format!("{declared},{declared}"), r#""valueDateTime":"2020""#), &["CodeSystem.property[1]"]);
    let supplement = |content: &str| system(content, declared, r#""valueDateTime":"2020""#).replacen('{', r#"{"supplements":"http://loinc.org","#, 1);
    breaks(&supplement("supplement"), &[]);
    breaks(&supplement("fragment"), &["CodeSystem.content"]);
}

#[test]
fn depth_is_bounded() {
    let mut text = r#"{"resourceType":"Patient"}"#.to_owned();
    for _ in 0..100 {
        text = format!(r#"{{"resourceType":"Bundle","type":"collection","entry":[{{"resource":{text}}}]}}"#);
    }
    breaks(&text, &[]);
}
