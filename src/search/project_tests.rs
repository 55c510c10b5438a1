//! What each shape leaves of a resource: by hand, and on the specification's examples against its own definitions.

use super::*;
use crate::json::{Limits, parse, root};
use std::collections::BTreeMap;
use std::io::Read;

fn ty(name: &str) -> TypeId {
    type_named(name).unwrap()
}

fn shaped(text: &str, shape: &Shape) -> String {
    let bytes = parse(text.as_bytes(), &Limits::default()).unwrap();
    let shaped = project(root(&bytes).unwrap(), shape).unwrap();
    root(&shaped).unwrap().to_json()
}

fn same(text: &str) -> String {
    root(&parse(text.as_bytes(), &Limits::default()).unwrap()).unwrap().to_json()
}

const TAG: &str = r#"{"system":"http://terminology.hl7.org/CodeSystem/v3-ObservationValue","code":"SUBSETTED","display":"subsetted"}"#;

fn check(text: &str, shape: &Shape, expected: &str) {
    assert_eq!(shaped(text, shape), same(&expected.replace("TAG", TAG)), "{shape:?}");
}

const OBSERVATION: &str = r#"{"resourceType":"Observation","id":"o","language":"en","implicitRules":"http://r",
    "meta":{"id":"m","versionId":"3","tag":[{"code":"x","extension":[{"url":"http://e"}]}]},
    "text":{"status":"generated","div":"<div>a</div>"},"extension":[{"url":"http://e","valueCode":"a"}],
    "modifierExtension":[{"url":"http://m","valueBoolean":true}],"status":"final","_status":{"id":"s"},
    "code":{"id":"c","text":"T","coding":[{"code":"1","userSelected":true,"id":"x"}]},"issued":"2020-01-01T00:00:00Z",
    "valueQuantity":{"value":1.50,"extension":[{"url":"http://e"}]},"note":[{"text":"n"}],"interpretation":[{"text":"i"}],
    "component":[{"id":"k","code":{"text":"C"},"valueString":"v","interpretation":[{"text":"j"}]}],"unknown":1}"#;

#[test]
fn a_summary_is_a_summary_at_every_level() {
    check(
        OBSERVATION,
        &Shape::Summary,
        r#"{"resourceType":"Observation","id":"o","implicitRules":"http://r","meta":{"versionId":"3","tag":[{"code":"x"},TAG]},
        "modifierExtension":[{"url":"http://m","valueBoolean":true}],"status":"final","_status":{"id":"s"},
        "code":{"text":"T","coding":[{"code":"1","userSelected":true}]},"issued":"2020-01-01T00:00:00Z",
        "valueQuantity":{"value":1.50},"component":[{"code":{"text":"C"},"valueString":"v"}]}"#,
    );
}

#[test]
fn text_data_and_elements_take_whole_elements() {
    check(
        OBSERVATION,
        &Shape::Text,
        r#"{"resourceType":"Observation","id":"o","meta":{"id":"m","versionId":"3","tag":[{"code":"x","extension":[{"url":"http://e"}]},TAG]},
        "text":{"status":"generated","div":"<div>a</div>"},"status":"final","_status":{"id":"s"},
        "code":{"id":"c","text":"T","coding":[{"code":"1","userSelected":true,"id":"x"}]}}"#,
    );
    let tagged = OBSERVATION.replace(r#"[{"url":"http://e"}]}]}"#, &format!(r#"[{{"url":"http://e"}}]}},{TAG}]}}"#));
    check(OBSERVATION, &Shape::Data, &tagged.replace(r#""text":{"status":"generated","div":"<div>a</div>"},"#, ""));
    check(
        OBSERVATION,
        &elements(ty("Observation"), "value,Observation.note").unwrap(),
        r#"{"resourceType":"Observation","id":"o","implicitRules":"http://r",
        "meta":{"id":"m","versionId":"3","tag":[{"code":"x","extension":[{"url":"http://e"}]},TAG]},
        "modifierExtension":[{"url":"http://m","valueBoolean":true}],"status":"final","_status":{"id":"s"},
        "code":{"id":"c","text":"T","coding":[{"code":"1","userSelected":true,"id":"x"}]},
        "valueQuantity":{"value":1.50,"extension":[{"url":"http://e"}]},"note":[{"text":"n"}]}"#,
    );
    assert_eq!(shaped(OBSERVATION, &Shape::Whole), same(OBSERVATION));
}

#[test]
fn siblings_of_primitives_follow_their_element() {
    let patient = r#"{"resourceType":"Patient","_birthDate":{"extension":[{"url":"http://e"}]},"name":[{"given":["a",null],"_given":[null,{"id":"g"}]}],"_language":{"id":"l"}}"#;
    check(
        patient,
        &Shape::Summary,
        r#"{"resourceType":"Patient","meta":{"tag":[TAG]},"_birthDate":{"extension":[{"url":"http://e"}]},"name":[{"given":["a",null],"_given":[null,{"id":"g"}]}]}"#,
    );
    check(
        patient,
        &elements(ty("Patient"), "birthDate").unwrap(),
        r#"{"resourceType":"Patient","meta":{"tag":[TAG]},"_birthDate":{"extension":[{"url":"http://e"}]}}"#,
    );
}

#[test]
fn what_has_only_extensions_stays_where_something_has_to_stand() {
    let absent = r#"{"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/data-absent-reason","valueCode":"masked"}]}"#;
    check(
        &format!(r#"{{"resourceType":"Observation","status":"final","code":{absent},"subject":{absent},"category":[{absent}]}}"#),
        &Shape::Summary,
        &format!(r#"{{"resourceType":"Observation","meta":{{"tag":[TAG]}},"status":"final","code":{absent}}}"#),
    );
}

#[test]
fn a_nested_resource_is_summarised_by_its_own_definition() {
    check(
        r#"{"resourceType":"Bundle","type":"collection","entry":[{"resource":{"resourceType":"Patient","id":"p","active":true,"maritalStatus":{"text":"m"}}}]}"#,
        &Shape::Summary,
        r#"{"resourceType":"Bundle","meta":{"tag":[TAG]},"type":"collection","entry":[{"resource":{"resourceType":"Patient","id":"p","active":true}}]}"#,
    );
}

#[test]
fn a_resource_is_marked_once() {
    for meta in [r#""meta":{"tag":[TAG]}"#, r#""meta":{}"#, r#""meta":{"tag":[]}"#, r#""meta":{"tag":"x"}"#, r#""meta":7"#, r#""id":"x""#] {
        let patient = format!(r#"{{"resourceType":"Patient",{},"active":true}}"#, meta.replace("TAG", TAG));
        for shape in [Shape::Summary, Shape::Text, Shape::Data, Shape::Elements(vec!["active".into()])] {
            let found = shaped(&patient, &shape);
            assert_eq!(found.matches("SUBSETTED").count(), 1, "{found}");
            assert_eq!(shaped(&found, &shape), found);
        }
        assert_eq!(shaped(&patient, &Shape::Whole), same(&patient));
    }
}

#[test]
fn elements_are_spelled_in_several_ways() {
    let of = |ty_name: &str, list: &str| elements(ty(ty_name), list);
    let names = |list: &[&str]| Ok(Shape::Elements(list.iter().map(|s| s.to_string()).collect()));
    assert_eq!(of("Patient", " name ,birthDate,,Patient.name"), names(&["birthDate", "name"]));
    for value in ["value", "value[x]", "valueQuantity", "Observation.value", "Observation.value[x]", "Observation.valueQuantity"] {
        assert_eq!(of("Observation", value), names(&["value"]), "{value}");
    }
    assert_eq!(of("Patient", "Observation.status,Resource.language"), names(&["Observation.status", "language"]));
    assert_eq!(of("Resource", "status,Patient.name"), names(&["Patient.name", "status"]));
    assert_eq!(of("Patient", " , "), Ok(Shape::Whole));
    assert_eq!(of("Patient", "id,resourceType"), names(&["id"]));
    assert_eq!(of("Patient", "resourceType"), names(&[]));
    for unknown in ["name.given", "Name", "_name", "name[x]", "HumanName.given", "Patient.", "Patient.status", ".name"] {
        let existing = of("Patient", &format!("name,{unknown}")).unwrap_err();
        assert!(existing.contains(&"birthDate".to_owned()) && existing.contains(&"meta".to_owned()), "{unknown}");
        assert_eq!(known_elements(ty("Patient"), &format!("name,{unknown}")), (names(&["name"]).unwrap(), vec![unknown.to_owned()]));
    }
}

#[test]
fn names_with_a_type_leave_other_types_alone() {
    let shape = elements(ty("Observation"), "Patient.active").unwrap();
    check(r#"{"resourceType":"Patient","active":true,"gender":"male"}"#, &shape, r#"{"resourceType":"Patient","meta":{"tag":[TAG]},"active":true}"#);
    let device = r#"{"resourceType":"Device","lotNumber":"1"}"#;
    check(device, &shape, device);
    check(device, &elements(ty("Device"), "Patient.active,url").unwrap(), r#"{"resourceType":"Device","meta":{"tag":[TAG]}}"#);
}

#[test]
fn what_is_no_resource_makes_no_trouble() {
    for text in ["1", "null", "[]", r#""a""#, r#"[{"resourceType":"Patient"}]"#] {
        assert_eq!(shaped(text, &Shape::Summary), text.replace(':', ": "));
    }
    check(r#"{"resourceType":"Nothing","id":"1","name":"a","text":{"div":"x"}}"#, &Shape::Summary, r#"{"resourceType":"Nothing","id":"1","meta":{"tag":[TAG]}}"#);
    check(r#"{}"#, &Shape::Data, r#"{"meta":{"tag":[TAG]}}"#);
    check(r#"{"resourceType":"Patient","name":[[],[[{"family":"a","id":"b"}]],3,{}]}"#, &Shape::Summary, r#"{"resourceType":"Patient","meta":{"tag":[TAG]},"name":[[[{"family":"a"}]],3]}"#);
}

#[test]
fn what_is_nested_deep_is_copied() {
    let levels = 400;
    let deep = format!("{}{}", r#"{"assigner":{"identifier":"#.repeat(levels), r#"{"value":"v","id":"i"}"#) + &"}}".repeat(levels);
    let text = format!(r#"{{"resourceType":"Patient","identifier":[{deep}]}}"#);
    let found = shaped(&text, &Shape::Summary);
    assert!(found.contains(r#"{"id": "i", "value": "v"}"#));
}

// --- against the definitions ------------------------------------------------------------------------------------------

/// What a StructureDefinition says of an element, by its path.
struct Defined {
    is_summary: bool,
    is_modifier: bool,
    min: bool,
    /// The paths where its content is defined: its own, that of a type, or that of another element.
    contents: Vec<String>,
}

/// The elements of the package's type definitions: parent path → name → definition. Nothing of the tables of this crate.
fn definitions(folder: &str) -> Option<BTreeMap<String, BTreeMap<String, Defined>>> {
    let file = std::fs::File::open(format!("{folder}/r4/hl7.fhir.r4.core.tgz")).ok()?;
    let mut archive = Vec::new();
    flate2::read::GzDecoder::new(file).read_to_end(&mut archive).ok()?;
    let mut all: BTreeMap<String, BTreeMap<String, Defined>> = BTreeMap::new();
    let mut at = 0;
    // tar: a header of 512 bytes with name and octal length, then the file, padded
    while let Some(header) = archive.get(at..at + 512).filter(|h| h[0] != 0) {
        let text = |from: usize, to: usize| String::from_utf8_lossy(&header[from..to]).trim_end_matches(['\0', ' ']).to_owned();
        let length = usize::from_str_radix(&text(124, 136), 8).unwrap();
        let body = &archive[at + 512..at + 512 + length];
        at += 512 + length.next_multiple_of(512);
        if !text(0, 100).starts_with("package/StructureDefinition-") {
            continue;
        }
        let bytes = parse(body, &Limits::default()).unwrap();
        let definition = root(&bytes).unwrap();
        let word = |node: Node<'_>, key: &str| node.get(key).and_then(Node::as_str).unwrap_or_default().to_owned();
        if word(definition, "derivation") == "constraint" || word(definition, "kind") == "logical" {
            continue;
        }
        for element in definition.get("snapshot").unwrap().get("element").unwrap().items() {
            let path = word(element, "path");
            let Some((parent, name)) = path.rsplit_once('.') else { continue };
            let is = |key: &str| element.get(key).and_then(Node::as_bool) == Some(true);
            let mut contents: Vec<String> = element.get("type").iter().flat_map(|t| t.items()).map(|t| word(t, "code")).collect();
            for content in &mut contents {
                if matches!(content.as_str(), "BackboneElement" | "Element") {
                    *content = path.clone();
                }
            }
            let reference = word(element, "contentReference");
            contents.extend(reference.strip_prefix('#').map(str::to_owned));
            let min = element.get("min").and_then(Node::as_number).and_then(|n| n.as_i64()) != Some(0);
            let defined = Defined { is_summary: is("isSummary"), is_modifier: is("isModifier"), min, contents };
            all.entry(parent.to_owned()).or_default().insert(name.to_owned(), defined);
        }
    }
    Some(all)
}

type Definitions = BTreeMap<String, BTreeMap<String, Defined>>;

/// The definition behind a JSON property, and the path of its content.
fn defined<'d>(all: &'d Definitions, path: &str, key: &str) -> Option<(&'d Defined, &'d str)> {
    let key = key.strip_prefix('_').unwrap_or(key);
    let elements = all.get(path)?;
    if let Some(plain) = elements.get(key) {
        return Some((plain, plain.contents.first()?));
    }
    elements.iter().find_map(|(name, choice)| {
        let rest = key.strip_prefix(name.strip_suffix("[x]")?)?;
        let content = choice.contents.iter().find(|c| c[..1].to_uppercase() + &c[1..] == rest)?;
        Some((choice, content.as_str()))
    })
}

/// The summary as JSON text, or nothing.
fn expected(all: &Definitions, node: Node<'_>, path: &str) -> Option<String> {
    match node {
        Node::Array(array) => {
            let items: Vec<String> = array.iter().filter_map(|item| expected(all, item, path)).collect();
            (!items.is_empty()).then(|| format!("[{}]", items.join(",")))
        }
        Node::Object(object) => {
            let resource_type = object.get("resourceType").and_then(Node::as_str);
            let path = resource_type.unwrap_or(path);
            let has_summary = all.get(path)?.iter().any(|(name, e)| e.is_summary && name != "modifierExtension");
            if !has_summary {
                return Some(node.to_json());
            }
            let mut members = Vec::new();
            for (key, value) in object.iter() {
                let kept = match defined(all, path, key) {
                    None if key == "resourceType" => Some(value.to_json()),
                    Some((e, content)) if e.is_summary || e.is_modifier => {
                        let kept = if key.starts_with('_') { Some(value.to_json()) } else { expected(all, value, content) };
                        kept.or(e.min.then(|| value.to_json()))
                    }
                    _ => None,
                };
                members.extend(kept.map(|kept| format!("\"{key}\":{kept}")));
            }
            (!members.is_empty()).then(|| format!("{{{}}}", members.join(",")))
        }
        scalar => Some(scalar.to_json()),
    }
}

fn examples(folder: &str) -> Vec<Vec<u8>> {
    let Ok(file) = std::fs::File::open(format!("{folder}/r4/r4-examples.ndjson.gz")) else { return Vec::new() };
    let mut text = String::new();
    flate2::read::MultiGzDecoder::new(file).read_to_string(&mut text).unwrap();
    text.lines().filter_map(|line| parse(line.as_bytes(), &Limits::default()).ok()).collect()
}

/// Without the tag that says that something is missing.
fn untagged(bytes: &[u8]) -> String {
    let tag = same(TAG);
    let text = root(bytes).unwrap().to_json();
    assert_eq!(text.matches(&tag).count(), 1, "{text}");
    let text = text.replace(&format!(r#""meta": {{"tag": [{tag}]}}, "#), "").replace(&format!(r#"{{"tag": [{tag}], "#), "{");
    text.replace(&format!(r#""tag": [{tag}], "#), "").replace(&format!(r#", "tag": [{tag}]"#), "").replace(&format!(", {tag}"), "")
}

#[test]
fn the_examples_keep_what_the_definitions_say() {
    let folder = std::env::var("FHIRLAKE_DATA").unwrap_or_else(|_| "../shared/data".to_owned());
    let (Some(all), examples) = (definitions(&folder), examples(&folder)) else {
        println!("skipped: no definitions of the specification in {folder}");
        return;
    };
    let (mut whole, mut kept) = (0, 0);
    for bytes in &examples {
        let resource = root(bytes).unwrap();
        let name = resource.get("resourceType").and_then(Node::as_str).unwrap();
        let found = project(resource, &Shape::Summary).unwrap();
        assert_eq!(untagged(&found), same(&expected(&all, resource, name).unwrap()), "{name}");
        (whole, kept) = (whole + bytes.len(), kept + found.len());
        top_level(&all, resource, name);
    }
    println!("{} examples: {kept} of {whole} bytes are summary", examples.len());
}

/// The other shapes take or leave top-level elements.
fn top_level(all: &Definitions, resource: Node<'_>, name: &str) {
    let keys = |bytes: &[u8]| root(bytes).unwrap().as_object().unwrap().iter().map(|(key, _)| key.to_owned()).collect::<Vec<_>>();
    let wanted = |keep: &dyn Fn(&str, &Defined) -> bool| {
        let keep = |key: &str| matches!(key, "resourceType" | "id" | "meta") || defined(all, name, key).is_some_and(|(d, _)| keep(key, d));
        let mut keys: Vec<String> = resource.as_object().unwrap().iter().map(|(key, _)| key.to_owned()).filter(|key| keep(key)).collect();
        if !keys.iter().any(|key| key == "meta") {
            keys.push("meta".to_owned());
        }
        keys.sort_by(|a, b| json::reader::key_order(a.as_bytes(), b.as_bytes()));
        keys
    };
    let found = |shape: &Shape| keys(&project(resource, shape).unwrap());
    assert_eq!(found(&Shape::Text), wanted(&|key, d| key == "text" || d.min), "{name}");
    assert_eq!(found(&Shape::Data), wanted(&|key, _| key != "text"), "{name}");
    for (key, _) in resource.as_object().unwrap().iter().filter(|(key, _)| *key != "resourceType") {
        let shape = elements(ty(name), key.strip_prefix('_').unwrap_or(key)).unwrap();
        let (asked, _) = defined(all, name, key).unwrap();
        assert_eq!(found(&shape), wanted(&|_, d| d.min || d.is_modifier || std::ptr::eq(d, asked)), "{name}.{key}");
    }
}
