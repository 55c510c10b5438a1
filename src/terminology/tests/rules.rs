//! The rules of composition, of filters and of hierarchies. <https://hl7.org/fhir/R4/valueset.html#compositions>

use super::*;
use error::Held;

/// metal ⊃ (iron ⊃ steel, lead), glass; metal is abstract, glass inactive, alloy a second parent of steel.
pub const METALS: &str = r#"{"resourceType":"CodeSystem","url":"urn:m","version":"1","content":"complete","hierarchyMeaning":"is-a",
    "property":[{"code":"abs","uri":"http://hl7.org/fhir/concept-properties#notSelectable","type":"boolean"},{"code":"symbol","type":"string"},
                {"code":"z","type":"integer"},{"code":"use","type":"Coding"},{"code":"up","uri":"http://hl7.org/fhir/concept-properties#parent","type":"code"}],
    "concept":[
      {"code":"metal","property":[{"code":"abs","valueBoolean":true}],"concept":[
        {"code":"iron","display":"Iron","property":[{"code":"symbol","valueString":"Fe"},{"code":"z","valueInteger":26}],"concept":[{"code":"steel"}]},
        {"code":"lead","display":"Lead","property":[{"code":"symbol","valueString":"Pb"},{"code":"z","valueInteger":82},{"code":"use","valueCoding":{"code":"roof"}}]}]},
      {"code":"glass","property":[{"code":"inactive","valueBoolean":true}]},
      {"code":"alloy","property":[{"code":"child","valueCode":"steel"}]},
      {"code":"brass","property":[{"code":"up","valueCode":"alloy"}]}]}"#;

pub fn value_set(url: &str, compose: &str) -> String {
    format!(r#"{{"resourceType":"ValueSet","url":"{url}","compose":{compose}}}"#)
}

/// The expansion of a set with this composition, beside the metals and `others`.
fn composed(compose: &str, others: &[&str]) -> Result<String, DefinitionError> {
    let set = value_set("urn:vs", compose);
    expanded("urn:vs", [METALS, &set].into_iter().chain(others.iter().copied()))
}

fn expanded<'a>(url: &str, texts: impl IntoIterator<Item = &'a str>) -> Result<String, DefinitionError> {
    match expand(&mut Shelf::of(texts), url, &Limits::default()) {
        Ok(members) => Ok(shown(&members).join(" ").replace("urn:m|", "")),
        Err(TermError::Definition(error)) => Err(error),
        Err(TermError::Source(never)) => match never {},
    }
}

/// The metals that a filter selects.
fn filtered(property: &str, op: &str, value: &str) -> Result<String, DefinitionError> {
    let part = format!(r#"{{"system":"urn:m","filter":[{{"property":"{property}","op":"{op}","value":"{value}"}}]}}"#);
    composed(&format!(r#"{{"include":[{part}]}}"#), &[])
}

#[test]
fn an_include_takes_a_system_a_list_or_what_value_sets_share() {
    let one = value_set("urn:one", r#"{"include":[{"system":"urn:m","concept":[{"code":"iron"},{"code":"lead"}]},{"system":"urn:n","concept":[{"code":"iron"}]}]}"#);
    let two = value_set("urn:two", r#"{"include":[{"system":"urn:m","concept":[{"code":"lead"},{"code":"glass"}]}]}"#);
    let others = [one.as_str(), two.as_str()];
    let of = |include: &str| composed(&format!(r#"{{"include":[{include}]}}"#), &others).unwrap();
    // abstract codes are not there to be used, but a set may list them
    assert_eq!(of(r#"{"system":"urn:m"}"#), "alloy brass glass iron lead steel");
    assert_eq!(of(r#"{"system":"urn:m","concept":[{"code":"metal"},{"code":"tin"}]}"#), "metal tin");
    assert_eq!(of(r#"{"valueSet":["urn:one"]}"#), "iron lead urn:n|iron");
    assert_eq!(of(r#"{"valueSet":["urn:one","urn:two"]}"#), "lead");
    assert_eq!(of(r#"{"system":"urn:m","valueSet":["urn:one"]}"#), "iron lead");
    assert_eq!(of(r#"{"system":"urn:m","concept":[{"code":"iron"}],"valueSet":["urn:two"]}"#), "");
    assert_eq!(of(r#"{"valueSet":["urn:one"]},{"valueSet":["urn:two"]}"#), "glass iron lead urn:n|iron");
    assert_eq!(of(r#"{"system":"urn:m","version":"1","filter":[{"property":"concept","op":"is-a","value":"iron"}]}"#), "iron steel");
}

#[test]
fn an_exclude_takes_away() {
    let of = |compose: &str| composed(compose, &[]);
    let all = r#""include":[{"system":"urn:m"}]"#;
    assert_eq!(of(&format!(r#"{{{all},"exclude":[{{"system":"urn:m","concept":[{{"code":"lead"}},{{"code":"tin"}}]}}]}}"#)).unwrap(), "alloy brass glass iron steel");
    assert_eq!(of(&format!(r#"{{{all},"exclude":[{{"system":"urn:m"}}]}}"#)).unwrap(), "");
    assert_eq!(of(&format!(r#"{{{all},"exclude":[{{"system":"urn:other","concept":[{{"code":"iron"}}]}}]}}"#)).unwrap(), "alloy brass glass iron lead steel");
}

#[test]
fn a_system_that_is_not_held_in_full_stands_as_a_whole() {
    let fragment = r#"{"resourceType":"CodeSystem","url":"urn:f","content":"fragment","concept":[{"code":"a"}]}"#;
    let of = |compose: &str| composed(compose, &[fragment]);
    assert_eq!(of(r#"{"include":[{"system":"urn:f"},{"system":"urn:none"},{"system":"urn:m","version":"2"}]}"#).unwrap(), "urn:f|  urn:none|");
    let held = |held| DefinitionError::UnknownSystem { value_set: "urn:vs".into(), system: "urn:f".into(), held };
    let error = of(r#"{"include":[{"system":"urn:f","filter":[{"property":"concept","op":"is-a","value":"a"}]}]}"#).unwrap_err();
    assert_eq!(error, held(Held::Part));
    assert_eq!(error.sqlstate(), "22023");
    assert_eq!(of(r#"{"include":[{"system":"urn:f"}],"exclude":[{"system":"urn:f","concept":[{"code":"a"}]}]}"#).unwrap_err(), held(Held::Part));
    // what is listed meets a whole system
    let listed = value_set("urn:l", r#"{"include":[{"system":"urn:f","concept":[{"code":"x"}]}]}"#);
    let both = r#"{"include":[{"system":"urn:f","valueSet":["urn:l"]}],"exclude":[{"system":"urn:none"}]}"#;
    assert_eq!(composed(both, &[fragment, &listed]).unwrap(), "urn:f|x");
}

#[test]
fn filters_select_concepts() {
    let of = |property: &str, op: &str, value: &str| filtered(property, op, value).unwrap();
    assert_eq!(of("concept", "is-a", "metal"), "iron lead steel");
    assert_eq!(of("code", "is-a", "iron"), "iron steel");
    assert_eq!(of("concept", "descendent-of", "iron"), "steel");
    assert_eq!(of("concept", "is-not-a", "iron"), "alloy brass glass lead");
    assert_eq!(of("concept", "generalizes", "steel"), "alloy iron steel");
    assert_eq!(of("concept", "=", "iron"), "iron");
    assert_eq!(of("symbol", "=", "Fe"), "iron");
    assert_eq!(of("z", "=", "82"), "lead");
    assert_eq!(of("use", "=", "roof"), "lead");
    assert_eq!(of("display", "=", "Lead"), "lead");
    assert_eq!(of("inactive", "=", "true"), "glass");
    assert_eq!(of("inactive", "=", "false"), "alloy brass iron lead steel");
    assert_eq!(of("symbol", "in", "Fe, Pb"), "iron lead");
    assert_eq!(of("symbol", "not-in", "Fe,Cu"), "alloy brass glass lead steel");
    assert_eq!(of("code", "in", "iron,tin"), "iron");
    assert_eq!(of("symbol", "exists", "true"), "iron lead");
    assert_eq!(of("symbol", "exists", "false"), "alloy brass glass steel");
    assert_eq!(of("parent", "=", "metal"), "iron lead");
    assert_eq!(of("child", "=", "steel"), "alloy iron");
    assert_eq!(of("parent", "exists", "false"), "alloy glass");
    assert_eq!(of("code", "regex", "[e-r]{4}|bra.*"), "brass iron");
    assert_eq!(of("code", "regex", "l.*"), "lead");
}

#[test]
fn what_a_filter_cannot_say_is_an_error() {
    let state = |property: &str, op: &str, value: &str| filtered(property, op, value).unwrap_err().sqlstate();
    assert_eq!(state("concept", "child-of", "metal"), "0A000");
    assert_eq!(state("symbol", "is-a", "Fe"), "0A000");
    assert_eq!(state("colour", "=", "red"), "0A000");
    assert_eq!(state("colour", "not-in", "red"), "0A000");
    assert_eq!(state("concept", "is-a", "tin"), "22023");
    assert_eq!(state("concept", "is-not-a", "tin"), "22023");
    assert_eq!(state("symbol", "exists", "maybe"), "22023");
    assert_eq!(state("code", "regex", "("), "22023");
    assert_eq!(state("code", "regex", "(?=a)a"), "22023");
    assert_eq!(
        filtered("colour", "=", "red").unwrap_err().to_string(),
        "value set urn:vs has a filter that is not supported: colour ="
    );
}

#[test]
fn inactive_codes_are_there_unless_refused() {
    assert_eq!(composed(r#"{"inactive":false,"include":[{"system":"urn:m"}]}"#, &[]).unwrap(), "alloy brass iron lead steel");
    assert_eq!(composed(r#"{"inactive":false,"include":[{"system":"urn:m","concept":[{"code":"glass"},{"code":"iron"},{"code":"tin"}]}]}"#, &[]).unwrap(), "iron tin");
}

#[test]
fn a_stored_expansion_is_taken_if_it_is_whole() {
    let of = |expansion: &str| {
        let set = format!(r#"{{"resourceType":"ValueSet","url":"urn:vs","expansion":{expansion},"compose":{{"include":[{{"system":"urn:m","concept":[{{"code":"iron"}}]}}]}}}}"#);
        expanded("urn:vs", [METALS, &set]).unwrap()
    };
    let ab = r#""contains":[{"system":"urn:x","code":"a","contains":[{"system":"urn:x","code":"b"},{"display":"group","abstract":true,"contains":[{"code":"c"}]}]},{"system":"urn:x","abstract":true,"code":"d"}]"#;
    assert_eq!(of(&format!("{{{ab}}}")), "|c urn:x|a urn:x|b");
    assert_eq!(of(&format!(r#"{{"total":5,"offset":0,{ab}}}"#)), "|c urn:x|a urn:x|b");
    for partly in [
        r#""total":6,"#,
        r#""offset":1,"#,
        r#""parameter":[{"name":"filter","valueString":"a"}],"#,
        r#""extension":[{"url":"http://hl7.org/fhir/StructureDefinition/valueset-toocostly","valueBoolean":true}],"#,
        r#""extension":[{"url":"http://hl7.org/fhir/StructureDefinition/valueset-unclosed","valueBoolean":true}],"#,
    ] {
        assert_eq!(of(&format!("{{{partly}{ab}}}")), "iron", "{partly}");
    }
    let alone = format!(r#"{{"resourceType":"ValueSet","url":"urn:vs","expansion":{{"total":9,{ab}}}}}"#);
    assert_eq!(expanded("urn:vs", [alone.as_str()]), Err(DefinitionError::Incomplete { value_set: "urn:vs".into() }));
}

#[test]
fn a_value_set_is_named_by_url_version_or_id() {
    let set = |version: &str, code: &str| {
        format!(
            r#"{{"resourceType":"ValueSet","id":"v{version}","url":"urn:v","version":"{version}","compose":{{"include":[{{"system":"urn:m","concept":[{{"code":"{code}"}}]}}]}}}}"#
        )
    };
    let (one, two) = (set("1", "iron"), set("2", "lead"));
    let of = |name: &str| expanded(name, [one.as_str(), two.as_str()]);
    assert_eq!(of("urn:v").unwrap(), "lead");
    assert_eq!(of("urn:v|1").unwrap(), "iron");
    assert_eq!(of("urn:v|").unwrap(), "lead");
    assert_eq!(of("ValueSet/v1").unwrap(), "iron");
    assert_eq!(of("urn:v|3"), Err(DefinitionError::UnknownValueSet { url: "urn:v|3".into() }));
    assert_eq!(of("urn:v|3").unwrap_err().to_string(), "value set urn:v|3 is not in the lake");
    assert_eq!(of("ValueSet/v3"), Err(DefinitionError::UnknownValueSet { url: "ValueSet/v3".into() }));
}

#[test]
fn some_value_sets_are_there_without_being_stored() {
    let of = |name: &str| expanded(name, []);
    assert_eq!(of("http://snomed.info/sct?fhir_vs").unwrap(), "http://snomed.info/sct|");
    assert_eq!(of("http://snomed.info/sct/731000124108?fhir_vs").unwrap(), "http://snomed.info/sct|");
    assert_eq!(of("http://loinc.org/vs").unwrap(), "http://loinc.org|");
    assert!(of("http://hl7.org/fhir/ValueSet/administrative-gender|4.0.1").unwrap().ends_with("administrative-gender|unknown"));
    assert!(of("http://hl7.org/fhir/ValueSet/administrative-gender|3.0.1").is_err());
    let own = value_set("http://hl7.org/fhir/ValueSet/administrative-gender", r#"{"include":[{"system":"urn:m","concept":[{"code":"iron"}]}]}"#);
    assert_eq!(expanded("http://hl7.org/fhir/ValueSet/administrative-gender", [own.as_str()]).unwrap(), "iron");
}

#[test]
fn a_system_implies_the_value_sets_of_its_hierarchy() {
    assert_eq!(expanded("urn:m?fhir_vs=isa/iron", [METALS]).unwrap(), "iron steel");
    let error = expanded("http://snomed.info/sct/900?fhir_vs=isa/73211009", [METALS]).unwrap_err();
    assert!(error.to_string().ends_with("selects among the codes of http://snomed.info/sct, which is not in the lake"), "{error}");
    assert!(matches!(expanded("urn:m?fhir_vs=ecl/x", [METALS]), Err(DefinitionError::UnknownValueSet { .. })));
}

#[test]
fn a_value_set_may_include_one_that_it_contains() {
    let set = |include: &str| {
        format!(
            r##"{{"resourceType":"ValueSet","url":"urn:vs","contained":[
            {{"resourceType":"ValueSet","id":"in","compose":{{"include":[{{"system":"urn:m","concept":[{{"code":"iron"}}]}},{{"valueSet":["#next"]}}]}}}},
            {{"resourceType":"ValueSet","id":"next","compose":{{"include":[{{"system":"urn:m","concept":[{{"code":"lead"}}]}}]}}}},
            {{"resourceType":"ValueSet","id":"round","compose":{{"include":[{{"valueSet":["#round"]}}]}}}}],
            "compose":{{"include":[{{"valueSet":["{include}"]}}]}}}}"##
        )
    };
    let of = |include: &str| expanded("urn:vs", [set(include).as_str()]);
    assert_eq!(of("#in").unwrap(), "iron lead");
    assert_eq!(of("#none"), Err(DefinitionError::UnknownValueSet { url: "urn:vs#none".into() }));
    assert_eq!(of("#round"), Err(DefinitionError::Circular { value_set: "urn:vs#round".into() }));
}

#[test]
fn codes_are_related_by_nesting_and_by_properties() {
    let related = |system: Option<&str>, code: &str, direction| {
        let found = related(&mut Shelf::of([METALS]), system, code, direction, &Limits::default()).unwrap();
        assert!(found.iter().all(|coding| coding.system.as_deref() == system));
        found.into_iter().map(|coding| coding.code).collect::<Vec<_>>().join(" ")
    };
    let m = Some("urn:m");
    // unlike in an expansion, abstract codes are among them: they subsume and are subsumed
    assert_eq!(related(m, "metal", Direction::Below), "iron lead metal steel");
    assert_eq!(related(m, "steel", Direction::Above), "alloy iron metal steel");
    assert_eq!(related(m, "alloy", Direction::Below), "alloy brass steel");
    assert_eq!(related(m, "glass", Direction::Below), "glass");
    assert_eq!(related(m, "tin", Direction::Below), "tin");
    assert_eq!(related(Some("urn:none"), "iron", Direction::Above), "iron");
    assert_eq!(related(None, "iron", Direction::Below), "iron");
    assert_eq!(related(Some(""), "iron", Direction::Below), "iron");
}

#[test]
fn parts_do_not_subsume() {
    let body = r#"{"resourceType":"CodeSystem","url":"urn:b","content":"complete","hierarchyMeaning":"part-of",
        "concept":[{"code":"hand","concept":[{"code":"finger"}]},{"code":"thumb","property":[{"code":"subsumedBy","valueCode":"finger"}]}]}"#;
    let found = |code| below(&mut Shelf::of([body]), Some("urn:b"), code, &Limits::default()).unwrap().len();
    assert_eq!((found("hand"), found("finger")), (1, 2));
}

#[test]
fn case_is_ignored_where_the_system_says_so() {
    let system = r#"{"resourceType":"CodeSystem","url":"urn:c","content":"complete","caseSensitive":false,"concept":[{"code":"Up","concept":[{"code":"Down"}]}]}"#;
    let found = below(&mut Shelf::of([system]), Some("urn:c"), "UP", &Limits::default()).unwrap();
    assert_eq!(found.into_iter().map(|c| c.code).collect::<Vec<_>>(), ["Down", "Up"]);
}
