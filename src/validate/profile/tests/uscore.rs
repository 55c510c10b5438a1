//! US Core Patient, as it is published.

use super::packages::{package, profiles};
use super::*;

/// What is wrong with a patient by US Core 6.1.0: the expression, the code of the issue, its rule and a piece of the details.
fn wrong(change: impl Fn(&mut serde_json::Value), expected: &[(&str, &str, &str, &str)]) {
    let Some(package) = package("uscore/us_core_610.tgz") else { return };
    let all = profiles(&[package]);
    let library = all.library();
    let (_, bytes) = package.of("/example/").find(|(file, _)| *file == "Patient-example.json").unwrap();
    let mut patient: serde_json::Value = serde_json::from_str(&format!("{:?}", json::root(bytes).unwrap())).unwrap();
    change(&mut patient);
    let bytes = stored(&patient.to_string());
    let root = json::root(&bytes).unwrap();
    let found = errors(gather(|sink| level(root, &[], &Context::new(&library), sink)));
    let right = found.len() == expected.len()
        && found.iter().zip(expected).all(|(i, (at, code, rule, piece))| i.expression == *at && i.code == *code && i.rule == *rule && i.details.contains(piece));
    assert!(right, "expected {expected:?}\nfound {found:#?}");
}

#[test]
fn the_published_example_conforms() {
    wrong(|_| {}, &[]);
}

#[test]
fn what_us_core_makes_mandatory_must_be_there() {
    wrong(|p| { p.as_object_mut().unwrap().remove("identifier"); }, &[("Patient", "required", "Patient.identifier", "\"identifier\" is missing")]);
    wrong(|p| { p["identifier"][0].as_object_mut().unwrap().remove("system"); }, &[("Patient.identifier[0]", "required", "Patient.identifier.system", "system")]);
    wrong(|p| { p.as_object_mut().unwrap().remove("gender"); }, &[("Patient", "required", "Patient.gender", "gender")]);
}

#[test]
fn extensions_are_checked_by_their_definitions() {
    let race = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-race";
    let at = |p: &serde_json::Value| p["extension"].as_array().unwrap().iter().position(|e| e["url"] == race).unwrap();
    wrong(
        |p| { let i = at(p); let copy = p["extension"][i].clone(); p["extension"].as_array_mut().unwrap().push(copy); },
        &[("Patient", "structure", "Patient.extension:race", "has 2 items where 1 are allowed")],
    );
    wrong(
        |p| { let i = at(p); p["extension"][i]["extension"].as_array_mut().unwrap().retain(|e| e["url"] != "text"); },
        &[("Patient.extension[0]", "required", "Extension.extension:text", "is missing")],
    );
    wrong(
        |p| { let i = at(p); p["extension"][i]["extension"][0]["url"] = "nonsense".into(); },
        &[("Patient.extension[0].extension[0]", "extension", "extension", "has no part \"nonsense\"")],
    );
    wrong(
        |p| { let i = at(p); let copy = p["extension"][i].clone(); p["name"][0]["extension"] = serde_json::json!([copy]); },
        &[("Patient.name[0].extension[0]", "extension", "extension", "may not stand here, only on")],
    );
    wrong(
        |p| { let i = at(p); p["extension"][i]["extension"][0] = serde_json::json!({"url": "ombCategory", "valueString": "x"}); },
        &[("Patient.extension[0].extension[0].value", "structure", "Extension.extension:ombCategory.value[x]", "may not be of type string, only of Coding")],
    );
}
