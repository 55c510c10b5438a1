//! What search parameters compile to, and what following it finds.

use super::branches::{Leniency, compile_noting};
use super::*;
use crate::json::{self, Limits, Node};
use crate::model::{self, TypeId, resource_types, search_parameters, type_named};
use std::collections::BTreeMap;

fn ty(name: &str) -> TypeId {
    type_named(name).unwrap()
}

/// The paths of an expression, `a.b[0].c: Type`.
fn paths(expression: &str, root: &str) -> Vec<String> {
    let Compiled::Values(branches) = compile(expression, ty(root)).unwrap() else { panic!("a condition") };
    branches.iter().map(path).collect()
}

fn path(branch: &Branch) -> String {
    let mut out = String::new();
    for step in &branch.steps {
        match step {
            Step::Field { name, .. } => out.push_str(&format!(".{name}")),
            Step::Index(n) => out.push_str(&format!("[{n}]")),
            Step::Where(_) => out.push('?'),
        }
    }
    format!("{}: {}", out.trim_start_matches('.'), branch.ty.name())
}

fn found(expression: &str, resource: &str) -> Vec<(String, &'static str, u16)> {
    let bytes = json::parse(resource.as_bytes(), &Limits::default()).unwrap();
    let root = json::root(&bytes).unwrap();
    let root_type = root.get("resourceType").and_then(Node::as_str).unwrap();
    let mut found = Vec::new();
    compile(expression, ty(root_type)).unwrap().for_each(root, &mut |node, ty, element| {
        found.push((node.to_json(), ty.name(), element));
    });
    found
}

#[test]
fn a_union_keeps_the_paths_of_its_type() {
    let union = "Patient.name.given | Practitioner.name.given | Resource.id | DomainResource.text.status";
    assert_eq!(paths(union, "Patient"), ["name.given: string", "id: id", "text.status: code"]);
    assert_eq!(paths(union, "Bundle"), ["id: id"]);
    assert_eq!(paths("Patient.name | Patient.name", "Patient"), ["name: HumanName"]);
}

#[test]
fn choices_become_one_branch_for_each_type() {
    assert_eq!(paths("Patient.deceased", "Patient"), ["deceasedBoolean: boolean", "deceasedDateTime: dateTime"]);
    for cast in ["(Patient.deceased as dateTime)", "Patient.deceased.as(dateTime)", "Patient.deceased.ofType(FHIR.dateTime)", "deceased as DateTime"] {
        assert_eq!(paths(cast, "Patient"), ["deceasedDateTime: dateTime"], "{cast}");
    }
    assert!(paths("Patient.deceased as Quantity", "Patient").is_empty());
    assert!(paths("Patient.gender as string", "Patient").is_empty());
    assert_eq!(paths("value.as(Quantity) | value.as(Range)", "Observation.component"), ["valueQuantity: Quantity", "valueRange: Range"]);
}

#[test]
fn an_extension_is_searched_by_its_value() {
    let paths = paths("Patient.extension('http://x')", "Patient");
    assert!(paths.contains(&"extension?.valueString: string".to_owned()), "{paths:?}");
    assert!(paths.iter().all(|p| p.starts_with("extension?.value")), "{paths:?}");
    let patient = r#"{"resourceType":"Patient","extension":[{"url":"http://y","valueCode":"no"},{"url":"http://x","valueCode":"yes"}]}"#;
    assert_eq!(found("Patient.extension('http://x')", patient), [("\"yes\"".to_owned(), "code", 0)]);
    assert_eq!(found("Patient.extension.where(url='http://x').value", patient).len(), 1);
    assert_eq!(found("Patient.hasExtension('http://x')", patient), [("true".to_owned(), "boolean", 0)]);
}

#[test]
fn conditions_select() {
    let patient = r##"{"resourceType":"Patient","deceasedBoolean":false,"multipleBirthInteger":2,
        "telecom":[{"system":"phone","value":"1"},{"system":"email","value":"2"},{"value":"3"}],
        "name":[{"given":["a",null,"b"],"_given":[null,{"id":"x"},null]},{"given":["c"]}],
        "contained":[{"resourceType":"Organization","id":"o"}],
        "generalPractitioner":[{"reference":"Practitioner/1"},{"reference":"http://x.org/Organization/2"},{"reference":"#o"},{"type":"Organization"},{"reference":"urn:uuid:1"}]}"##;
    let texts = |e: &str| found(e, patient).into_iter().map(|f| f.0).collect::<Vec<_>>();
    assert_eq!(texts("Patient.telecom.where(system='phone').value"), ["\"1\""]);
    assert_eq!(texts("Patient.telecom.where(system!='phone').value"), ["\"2\""]);
    assert_eq!(texts("Patient.telecom.where(system.empty()).value"), ["\"3\""]);
    assert_eq!(texts("Patient.telecom.where(system='phone' or system='email').value"), ["\"1\"", "\"2\""]);
    assert_eq!(texts("Patient.telecom.where((system='phone').not()).value"), ["\"2\""]);
    assert_eq!(texts("Patient.name.given"), ["\"a\"", "\"b\"", "\"c\""]);
    assert_eq!(texts("Patient.name[1].given[0]"), ["\"c\""]);
    assert_eq!(texts("Patient.name.given.first()"), ["\"a\""]);
    assert_eq!(texts("Patient.generalPractitioner.where(resolve() is Organization)").len(), 3);
    assert_eq!(texts("Patient.generalPractitioner.where(resolve() is Practitioner)").len(), 1);
    assert_eq!(texts("Patient.contained.ofType(Organization).id"), ["\"o\""]);
    assert_eq!(texts("Patient.deceased.exists() and Patient.deceased != false"), ["false"]);
    assert_eq!(texts("Patient.multipleBirth = 2.0"), ["true"]);
    assert_eq!(texts("Patient.active = true"), [""; 0]);
    let dead = r#"{"resourceType":"Patient","deceasedDateTime":"2020"}"#;
    assert_eq!(found("Patient.deceased.exists() and Patient.deceased != false", dead)[0].0, "true");
    let unknown = r#"{"resourceType":"Patient"}"#;
    assert_eq!(found("Patient.deceased.exists() and Patient.deceased != false", unknown)[0].0, "false");
}

#[test]
fn values_of_one_backbone_element_carry_its_number() {
    let observation = r#"{"resourceType":"Observation","code":{"coding":[{"code":"x"},{"code":"y"}]},
        "component":[{"code":{"text":"a"}},{"code":{"text":"b"}}]}"#;
    let numbers = |e: &str| found(e, observation).into_iter().map(|f| f.2).collect::<Vec<_>>();
    assert_eq!(numbers("Observation.component.code.text"), [1, 2]);
    assert_eq!(numbers("Observation.code.coding.code"), [0, 0]);
}

#[test]
fn what_cannot_be_compiled_says_where() {
    let position = |e: &str| compile(e, ty("Patient")).unwrap_err().position();
    assert_eq!(position("Patient.nme"), 8);
    assert_eq!(position("Patint.name"), 0);
    assert_eq!(position("Patient.name as Nme"), 13);
    assert_eq!(position("Patient.name.repeat(given)"), 13);
    assert_eq!(position("Patient.name |"), 14);
    assert_eq!(position("Patient.birthDate + 1 year"), 20);
    assert!(compile("'x'", ty("Patient")).is_err());
}

#[test]
fn deep_and_long_expressions_are_refused() {
    for (open, close) in [("(", ")"), ("-", ""), ("a[", "]"), ("f(", ")"), ("a.", ""), ("a|", ""), ("1+", "")] {
        let deep = format!("{}a{}", open.repeat(5_000), close.repeat(5_000));
        assert!(matches!(parse(&deep), Err(PathError::TooDeep { .. })), "{open}");
    }
    assert_eq!(parse(&"a".repeat(parse::MAX_LENGTH + 1)), Err(PathError::TooLong));
    let broad = ["name.given"; 254].join("|");
    assert_eq!(paths(&broad, "Patient"), ["name.given: string"]);
    let nested = format!("{}name.given{}", "(".repeat(60), ")".repeat(60));
    assert_eq!(paths(&nested, "Patient"), ["name.given: string"]);
    let nested = format!("{}true{}", "name.exists(".repeat(60), ")".repeat(60));
    assert!(compile(&nested, ty("Patient")).is_err());
    let nested = format!("{}true{}", "item.exists(".repeat(60), ")".repeat(60));
    assert!(matches!(compile(&nested, ty("Questionnaire")), Ok(Compiled::Truth(_))));
}

#[test]
fn what_would_grow_without_bound_is_refused() {
    let broad = |text: String| matches!(compile(&text, ty("Patient")), Err(PathError::TooBroad { .. }));
    assert!(broad(format!("extension{}", ".value.extension".repeat(20))));
    assert!(broad(format!("extension.where({}true{})", "value.extension.where(".repeat(20), ").exists()".repeat(20))));
    assert!(broad(format!("name in ({})", ["'a'"; 200].join("|")).replace("name", "extension.value.extension.url")));
    // these do not grow
    assert!(compile(&["active"; 250].join(" xor "), ty("Patient")).is_ok());
    assert!(compile(&["active"; 250].join(" implies "), ty("Patient")).is_ok());
}

/// Parameters of which nothing can be compiled, and why.
const WITHOUT_BRANCHES: &[(&str, &str, &str)] = &[];

#[test]
fn every_search_parameter_compiles_for_every_type() {
    let (mut pairs, mut without) = (0, Vec::new());
    let mut lenient: BTreeMap<String, usize> = BTreeMap::new();
    for root in resource_types() {
        for parameter in search_parameters(root).filter(|p| !p.expression.is_empty()) {
            pairs += 1;
            let mut note = |l: Leniency| {
                let key = match l {
                    Leniency::TypeName { written, meant } => format!("{written} for {meant}: {}", parameter.code),
                    Leniency::ChoiceProperty(name) => format!("{name}: {}", parameter.code),
                    Leniency::AsOnMany(ty) => format!("as({ty}) on many: {}", parameter.code),
                };
                *lenient.entry(key).or_default() += 1;
            };
            match compile_noting(parameter.expression, root, &mut note) {
                Ok(Compiled::Values(branches)) if branches.is_empty() => without.push((root.name(), parameter.code, "no branch".to_owned())),
                Ok(_) => {}
                Err(e) => without.push((root.name(), parameter.code, e.to_string())),
            }
            for (url, expression) in parameter.components {
                pairs += 1;
                let Ok(Compiled::Values(bases)) = compile(parameter.expression, root) else { panic!("{}", parameter.url) };
                let some = bases.iter().any(|base| {
                    let root = if expression.starts_with('%') { root } else { base.ty };
                    matches!(compile_noting(expression, root, &mut note), Ok(Compiled::Values(branches)) if !branches.is_empty())
                });
                if !some {
                    without.push((root.name(), parameter.code, format!("component {expression} ({url})")));
                }
            }
        }
    }
    for (what, times) in &lenient {
        println!("lenient: {what} ({times})");
    }
    let listed: Vec<_> = WITHOUT_BRANCHES.iter().map(|(a, b, c)| (*a, *b, (*c).to_owned())).collect();
    assert_eq!(without, listed);
    assert!(pairs > 2_000, "{pairs}");
    println!("{pairs} pairs of type and parameter compile");
}

/// Parameters for which the definitions publish no expression: the first four are answered by the server as a whole, the last two
/// come from example extensions whose definition leaves the path out.
const WITHOUT_EXPRESSION: [&str; 6] = ["_content", "_filter", "_query", "_text", "age", "birthOrderBoolean"];

#[test]
fn parameters_without_an_expression_are_known() {
    let mut codes: Vec<_> = model::SEARCH_PARAMETERS.iter().filter(|p| p.expression.is_empty()).map(|p| p.code).collect();
    codes.sort();
    codes.dedup();
    assert_eq!(codes, WITHOUT_EXPRESSION);
}

/// The official suite: every expression parses but those that it marks as syntax errors, and two time literals with a zone,
/// which it expects to fail later.
#[test]
fn the_official_suite_parses() {
    let folder = std::env::var("FHIRLAKE_DATA").unwrap_or_else(|_| "../shared/data".to_owned());
    let Ok(text) = std::fs::read(format!("{folder}/fhirpath/fhirpath-r4.json")) else {
        println!("skipped: no FHIRPath suite in {folder}");
        return;
    };
    let bytes = json::parse(&text, &Limits::default()).unwrap();
    let mut count = 0;
    for test in json::root(&bytes).unwrap().items() {
        let expression = test.get("expression").and_then(Node::as_str).unwrap();
        let invalid = test.get("invalid").and_then(Node::as_str);
        let zoned = expression.starts_with("@T14:34:28Z") || expression.starts_with("@T14:34:28+");
        assert_eq!(parse(expression).is_err(), invalid == Some("syntax") || zoned, "{expression}");
        count += 1;
    }
    println!("{count} expressions");
}

mod places {
    use crate::json::{self, Limits, Node, parse};
    use crate::model::type_named;
    use crate::path::eval::Program;
    use crate::path::places::{Found, Places};

    /// What is found at each path of an Observation, document after document.
    fn found(paths: &[&str], documents: &[&str]) -> Vec<String> {
        let mut places = Places::default();
        let ty = type_named("Observation").unwrap();
        let asked: Vec<_> = paths.iter().map(|path| places.add(&Program::compile(path, None).unwrap().plain(ty).unwrap()).unwrap()).collect();
        let mut lines = Vec::new();
        for document in documents {
            let document = parse(document.as_bytes(), &Limits::default()).unwrap();
            places.turn(&document);
            let told = asked.iter().map(|place| match places.find(place, &document) {
                Found::Nothing => "-".to_owned(),
                Found::Odd => "odd".to_owned(),
                Found::Node(node) => format!("{node:?}"),
            });
            lines.push(told.collect::<Vec<_>>().join(" "));
        }
        lines
    }

    #[test]
    fn what_several_paths_share_is_found_anew_in_each_document() {
        let paths = ["code.coding.first().code", "code.coding[0].system", "code.text", "value.ofType(Quantity).value"];
        let documents = [
            r#"{"code": {"coding": [{"code": "a", "system": "s"}, {"code": "b"}]}, "valueQuantity": {"value": 1.50}}"#,
            r#"{"code": {"text": "t"}}"#,
            r#"{"code": {"coding": [{"system": "x"}], "text": "u"}, "valueQuantity": {}}"#,
            r#"{"code": [{"text": "t"}], "valueQuantity": 5}"#,
            "{}",
            "[]",
        ];
        let expected =
            [r#""a" "s" - 1.50"#, r#"- - "t" -"#, r#"- "x" "u" -"#, "odd odd odd odd", "- - - -", "odd odd odd odd"];
        assert_eq!(found(&paths, &documents), expected);
    }

    #[test]
    fn only_paths_that_name_one_place_are_plain() {
        let plain = |path: &str| Program::compile(path, None).unwrap().plain(type_named("Observation").unwrap()).is_some();
        for path in ["status", "code.coding.first().code", "Observation.status", "subject.getReferenceKey()", "subject.getReferenceKey(Patient)", "code.coding[0].code",
            "value.ofType(string)", "(status).single()", "component.first().value.ofType(Quantity).value", "category.first()"] {
            assert!(plain(path), "{path}");
        }
        for path in ["code.coding.code", "category.coding.first().code", "value", "code.coding[1].code", "status = 'final'", "Patient.name.first()", "status | id", "contained.first().id",
            "code.coding.where(code = 'x').first().code", "status.extension", "nothing", "performer.getReferenceKey()", "%resource.status", "code.coding.last().code", "$this"] {
            assert!(!plain(path), "{path}");
        }
    }

    #[test]
    fn any_bytes_are_a_document() {
        let mut places = Places::default();
        let place = places.add(&Program::compile("code.coding.first().code", None).unwrap().plain(type_named("Observation").unwrap()).unwrap()).unwrap();
        let document = parse(br#"{"code": {"coding": [{"code": "a"}]}}"#, &Limits::default()).unwrap();
        for cut in 0..document.len() {
            for byte in [0, 0x20, 0x7f, 0xff] {
                let mut broken = document.clone();
                broken[cut] = byte;
                places.turn(&broken);
                assert!(matches!(places.find(&place, &broken), Found::Nothing | Found::Odd | Found::Node(Node::String(_) | Node::Null | Node::Bool(_) | Node::Number(_) | Node::Object(_) | Node::Array(_))));
                places.turn(&document[..cut]);
                places.find(&place, &document[..cut]);
            }
        }
        assert!(json::root(&document).is_some());
    }
}
