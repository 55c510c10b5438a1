//! What is valid, and what is said about what is not.

use super::*;
use crate::json::{self, Limits, Node};

mod bindings;
mod codes;
mod invariants;
mod mutations;

fn issues_of(text: &str) -> Vec<Issue> {
    let bytes = json::parse(text.as_bytes(), &Limits::default()).unwrap();
    let root = json::root(&bytes).unwrap();
    let found = issues(root);
    assert_eq!(is_valid(root), found.is_empty(), "{text}");
    found
}

/// What is wrong: the expression, the code of the issue, and a piece of the details.
fn wrong(text: &str, expected: &[(&str, &str, &str)]) {
    let found = issues_of(text);
    let right = found.len() == expected.len()
        && found.iter().zip(expected).all(|(i, (at, code, piece))| i.expression == *at && i.code == *code && i.details.contains(piece));
    assert!(right, "{text}\nexpected {expected:?}\nfound {found:#?}");
}

fn right(text: &str) {
    wrong(text, &[]);
}

#[test]
fn a_resource_says_what_it_is() {
    right(r#"{"resourceType":"Patient"}"#);
    for (text, piece) in [
        ("[]", "JSON object"),
        ("1", "JSON object"),
        ("{}", "resourceType is missing"),
        (r#"{"resourceType":null}"#, "must be a string"),
        (r#"{"resourceType":"Patent"}"#, "unknown resource type"),
        (r#"{"resourceType":"Resource"}"#, "unknown resource type"),
        (r#"{"resourceType":"DomainResource"}"#, "unknown resource type"),
        (r#"{"resourceType":"HumanName"}"#, "unknown resource type"),
    ] {
        wrong(text, &[("", "structure", piece)]);
        let found = issues_of(text);
        assert_eq!(found.first().map(|i| i.severity), Some(Severity::Fatal));
    }
    wrong(r#"{"resourceType":"Patient","name":[{"resourceType":"HumanName"}]}"#, &[("Patient.name[0].resourceType", "structure", "no such property")]);
}

#[test]
fn primitives_and_their_siblings_stay_aligned() {
    let id = r#"{"id":"a"}"#;
    right(&format!(r#"{{"resourceType":"Patient","name":[{{"given":["a",null,"b"],"_given":[null,{id},null]}}]}}"#));
    right(&format!(r#"{{"resourceType":"Patient","_birthDate":{id},"name":[{{"_given":[{id}]}}]}}"#));
    right(&format!(r#"{{"resourceType":"Patient","name":[{{"given":["a"],"_given":[{id}]}}]}}"#));
    wrong(r#"{"resourceType":"Patient","name":[{"given":["a",null]}]}"#, &[("Patient.name[0].given[1]", "structure", "null")]);
    wrong(
        &format!(r#"{{"resourceType":"Patient","name":[{{"given":["a",null],"_given":[{id}]}}]}}"#),
        &[("Patient.name[0].given[1]", "structure", "null"), ("Patient.name[0].given", "structure", "differ in number")],
    );
    wrong(r#"{"resourceType":"Patient","name":[{"given":["a"],"_given":[null,null]}]}"#, &[
        ("Patient.name[0].given", "structure", "differ in number"),
        ("Patient.name[0].given[1]", "structure", "null beside no value"),
    ]);
    wrong(r#"{"resourceType":"Patient","_birthDate":[{"id":"a"}]}"#, &[("Patient.birthDate", "structure", "must be an object")]);
    wrong(r#"{"resourceType":"Patient","_birthDate":{"value":"x"}}"#, &[("Patient.birthDate.value", "structure", "Element has no such property")]);
    wrong(r#"{"resourceType":"Patient","_birthDate":{}}"#, &[("Patient.birthDate", "structure", "empty")]);
    wrong(r#"{"resourceType":"Patient","_name":[{"id":"a"}]}"#, &[("Patient._name", "structure", "no such property")]);
    wrong(r#"{"resourceType":"Patient","name":[null]}"#, &[("Patient.name[0]", "structure", "null")]);
}

#[test]
fn a_choice_has_one_type() {
    right(r#"{"resourceType":"Patient","deceasedBoolean":true,"_deceasedBoolean":{"id":"a"}}"#);
    right(r#"{"resourceType":"Patient","_deceasedBoolean":{"id":"a"}}"#);
    for both in [
        r#""deceasedBoolean":true,"deceasedDateTime":"2020""#,
        r#""deceasedBoolean":true,"_deceasedDateTime":{"id":"a"}"#,
        r#""_deceasedBoolean":{"id":"a"},"_deceasedDateTime":{"id":"a"}"#,
        r#""_deceasedBoolean":{"id":"a"},"deceasedDateTime":"2020""#,
    ] {
        wrong(&format!(r#"{{"resourceType":"Patient",{both}}}"#), &[("Patient.deceased", "structure", "more than one type")]);
    }
    wrong(r#"{"resourceType":"Patient","deceased":true}"#, &[("Patient.deceased", "structure", "no such property")]);
    wrong(r#"{"resourceType":"Patient","deceasedString":"x"}"#, &[("Patient.deceasedString", "structure", "no such property")]);
}

#[test]
fn references_point_at_what_is_allowed() {
    let with = |reference: &str| {
        format!(r##"{{"resourceType":"Patient","contained":[{{"resourceType":"Organization","id":"o"}},{{"resourceType":"Patient","id":"p"}}],
            "managingOrganization":{reference}}}"##)
    };
    let at = "Patient.managingOrganization";
    for allowed in [
        r#"{"reference":"Organization/1"}"#,
        r#"{"reference":"Organization/1/_history/2"}"#,
        r#"{"reference":"http://x.org/fhir/Organization/1"}"#,
        r#"{"reference":"urn:uuid:c757873d-ec9a-4326-a141-556f43239520"}"#,
        r#"{"reference":"http://x.org/anything"}"#,
        r#"{"reference":"Organization?identifier=x"}"#,
        r##"{"reference":"#o"}"##,
        r#"{"type":"Organization","identifier":{"value":"x"}}"#,
        r#"{"display":"x"}"#,
    ] {
        right(&with(allowed));
    }
    wrong(&with(r#"{"reference":"Patient/1"}"#), &[(at, "value", "may not refer to Patient")]);
    wrong(&with(r#"{"reference":"http://x.org/Patient/1"}"#), &[(at, "value", "may not refer to Patient")]);
    wrong(&with(r##"{"reference":"#p"}"##), &[(at, "value", "may not refer to Patient")]);
    wrong(&with(r##"{"reference":"#"}"##), &[(at, "value", "may not refer to Patient")]);
    wrong(&with(r#"{"type":"Patient","display":"x"}"#), &[(at, "value", "may not refer to Patient")]);
    wrong(&with(r##"{"reference":"#x"}"##), &[(at, "not-found", "\"x\"")]);
    wrong(&with(r#"{"reference":"Organization/a b"}"#), &[(at, "value", "not a reference")]);
    wrong(&with(r#"{"reference":"Nothing/1"}"#), &[(at, "value", "not a reference")]);
    wrong(&with(r#"{"reference":"Organization/1","type":"Patient"}"#), &[(at, "value", "different resource types")]);
}

#[test]
fn required_codes_come_from_their_value_set() {
    wrong(r#"{"resourceType":"Patient","gender":"m"}"#, &[("Patient.gender", "code-invalid", "administrative-gender")]);
    let with = |concept: &str| {
        format!(r#"{{"resourceType":"AllergyIntolerance","patient":{{"reference":"Patient/1"}},"clinicalStatus":{concept}}}"#)
    };
    let system = "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical";
    right(&with(&format!(r#"{{"coding":[{{"system":"http://x","code":"y"}},{{"system":"{system}","code":"active"}}]}}"#)));
    right(&with(r#"{"extension":[{"url":"http://x","valueCode":"unknown"}]}"#));
    for concept in [
        format!(r#"{{"coding":[{{"system":"{system}","code":"x"}}]}}"#),
        r#"{"coding":[{"system":"http://x","code":"active"}]}"#.to_owned(),
        r#"{"coding":[{"code":"active"}]}"#.to_owned(),
        r#"{"text":"active"}"#.to_owned(),
    ] {
        wrong(&with(&concept), &[("AllergyIntolerance.clinicalStatus", "code-invalid", "no coding is in the value set")]);
    }
}

#[test]
fn resources_lie_within_resources() {
    right(r#"{"resourceType":"Bundle","type":"collection","entry":[{"resource":{"resourceType":"Patient","gender":"male"}}]}"#);
    wrong(
        r##"{"resourceType":"Bundle","type":"collection","entry":[{"resource":{"resourceType":"Patient","gender":"m","contained":[{"resourceType":"Patient","id":"c"}],
            "link":[{"type":"refer","other":{"reference":"#c"}},{"type":"refer","other":{"reference":"#d"}}]}}]}"##,
        &[("Bundle.entry[0].resource.link[1].other", "not-found", "\"d\""), ("Bundle.entry[0].resource.gender", "code-invalid", "\"m\"")],
    );
    wrong(
        r#"{"resourceType":"Patient","contained":[{"resourceType":"Patient","contained":[{"resourceType":"Patient"}]}]}"#,
        &[("Patient.contained[0].contained[0]", "structure", "may not contain")],
    );
    wrong(r#"{"resourceType":"Patient","contained":[{"id":"a"}]}"#, &[("Patient.contained[0]", "structure", "resourceType is missing")]);
    wrong(
        r#"{"resourceType":"Bundle","type":"collection","entry":[{"resource":{"resourceType":"X"}}]}"#,
        &[("Bundle.entry[0].resource", "structure", "unknown resource type")],
    );
}

#[test]
fn numbers_keep_to_their_type() {
    let with = |n: &str| format!(r#"{{"resourceType":"Patient","multipleBirthInteger":{n}}}"#);
    for allowed in ["0", "-1", "2147483647", "-2147483648"] {
        right(&with(allowed));
    }
    for refused in ["1.0", "1.5", "2147483648", "-2147483649", "1e20", "\"1\""] {
        wrong(&with(refused), &[("Patient.multipleBirth", "value", "")]);
    }
}

#[test]
fn deep_nesting_ends_with_an_issue() {
    let deep = |n: usize| {
        let open = r#"{"linkId":"1","type":"group","item":["#.repeat(n);
        format!(r#"{{"resourceType":"Questionnaire","status":"draft","item":[{open}{{"linkId":"1","type":"group"}}{}]}}"#, "]}".repeat(n))
    };
    right(&deep(MAX_DEPTH - 3));
    let found = issues_of(&deep(400));
    assert_eq!(found.iter().map(|i| (i.severity, i.code)).collect::<Vec<_>>(), [(Severity::Fatal, "too-costly")]);
}

#[test]
fn damaged_bytes_give_an_answer() {
    let text = r##"{"resourceType":"Patient","id":"a","active":true,"birthDate":"1970-01-01","name":[{"given":["a",null],"_given":[null,{"id":"x"}]}],
        "contained":[{"resourceType":"Patient","id":"c"}],"link":[{"type":"refer","other":{"reference":"#c"}}],"multipleBirthInteger":2}"##;
    let bytes = json::parse(text.as_bytes(), &Limits::default()).unwrap();
    let mut random = 1u64;
    for _ in 0..100_000 {
        let mut damaged = bytes.clone();
        for _ in 0..3 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let at = (random >> 33) as usize % damaged.len();
            damaged[at] = (random >> 24) as u8;
        }
        if let Some(root) = json::root(&damaged) {
            assert_eq!(is_valid(root), issues(root).is_empty());
        }
    }
}

#[test]
fn what_is_told_back_is_short() {
    let long = "x".repeat(100_000);
    let found = issues_of(&format!(r#"{{"resourceType":"Patient","gender":"{long}","{long}":1}}"#));
    assert_eq!(found.len(), 2);
    assert!(found.iter().all(|i| i.expression.len() + i.details.len() < 300));
    let many = vec![r#"{"x":1}"#; 5_000].join(",");
    let bytes = json::parse(format!(r#"{{"resourceType":"Patient","name":[{many}]}}"#).as_bytes(), &Limits::default()).unwrap();
    let found = issues(json::root(&bytes).unwrap());
    assert_eq!(found.len(), 1_001);
    assert_eq!(found.last().map(|issue| issue.details.as_str()), Some("what follows 1000 errors is not told"));
}

mod data {
    use super::*;
    use std::io::Read;
    use std::process::Command;

    fn folder() -> String {
        std::env::var("FHIRLAKE_DATA").unwrap_or_else(|_| "../shared/data".to_owned())
    }

    fn check(what: &str, text: &str, least: usize, exceptions: &[(&str, &str)]) {
        let (mut count, mut wrong) = (0, Vec::new());
        for line in text.lines().filter(|l| !l.trim().is_empty()) {
            let bytes = json::parse(line.as_bytes(), &Limits::default()).unwrap();
            let root = json::root(&bytes).unwrap();
            count += 1;
            let name = |n: &str| root.get(n).and_then(Node::as_str).unwrap_or("").to_owned();
            let id = format!("{}/{}", name("resourceType"), name("id"));
            let found = issues(root);
            assert_eq!(is_valid(root), found.is_empty());
            if exceptions.iter().any(|(e, _)| *e == id) {
                assert!(!found.is_empty(), "{id} is listed as an exception, but valid");
            } else {
                wrong.extend(found.into_iter().map(|i| format!("{id}: {i}")));
            }
        }
        assert!(wrong.is_empty(), "{} of {what}:\n{}", wrong.len(), wrong.join("\n"));
        assert!(count >= least, "{what}: {count}");
        println!("{count} resources of {what} are valid, but {} known ones", exceptions.len());
    }

    /// Examples of the specification that break its own rules, and how.
    pub(super) const EXCEPTIONS: &[(&str, &str)] = &[
        ("DeviceMetric/example", "parent is a DeviceDefinition, the definition allows Device"),
        ("DeviceUseStatement/example", "reasonReference is a Procedure, which is not among the five types allowed"),
        ("MedicationRequest/medrx0301", "dispenseRequest.performer is a Practitioner, the definition allows Organization"),
        ("Observation/clinical-gender", "performer is an Encounter, which is not among the six types allowed"),
    ];

    /// The examples, one a line.
    pub(super) fn examples() -> Option<String> {
        let Ok(file) = std::fs::File::open(format!("{}/r4/r4-examples.ndjson.gz", folder())) else {
            println!("skipped: no examples of the specification in {}", folder());
            return None;
        };
        let mut text = String::new();
        flate2::read::MultiGzDecoder::new(file).read_to_string(&mut text).unwrap();
        Some(text)
    }

    #[test]
    fn the_examples_of_the_specification_are_valid() {
        if let Some(text) = examples() {
            check("the specification's examples", &text, 740, EXCEPTIONS);
        }
    }

    /// The output of a program that unpacks `file`.
    fn unpacked(program: &str, arguments: &[&str], file: &str) -> Option<String> {
        let path = format!("{}/data/{file}", folder());
        std::fs::metadata(&path).ok()?;
        let output = Command::new(program).args(arguments).arg(path).output().ok()?;
        output.status.success().then(|| String::from_utf8(output.stdout).unwrap())
    }

    #[test]
    fn synthea_patients_are_valid() {
        match unpacked("xz", &["-dc"], "synthea-100.ndjson.xz") {
            Some(text) => check("synthea-100", &text, 27_861, &[]),
            None => println!("skipped: no synthea-100 in {}, or no xz", folder()),
        }
        match unpacked("tar", &["xzOf"], "small.tgz") {
            Some(text) => check("small", &text, 2_248, &[]),
            None => println!("skipped: no small.tgz in {}, or no tar", folder()),
        }
    }
}
