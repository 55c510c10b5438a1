//! Schemas and values: what matches, what is said, and what is refused.

use super::*;
use crate::json::{self, Limits};

fn stored(text: &str) -> Vec<u8> {
    json::parse(text.as_bytes(), &Limits { max_depth: 5000, ..Limits::default() }).unwrap()
}

fn compile(schema: &str) -> Result<Schema, SchemaError> {
    Schema::compile(json::root(&stored(schema)).unwrap())
}

fn go_on() {}

fn matches(schema: &str, value: &str) -> bool {
    let value = stored(value);
    let value = json::root(&value).unwrap();
    let schema = compile(schema).unwrap();
    let answer = schema.matches(value, go_on).unwrap();
    assert_eq!(schema.mismatches(value, go_on).unwrap().is_empty(), answer);
    answer
}

/// Keyword, expression and path of what does not match.
fn told(schema: &str, value: &str) -> Vec<(String, String, String)> {
    let value = stored(value);
    let found = compile(schema).unwrap().mismatches(json::root(&value).unwrap(), go_on).unwrap();
    found.into_iter().map(|m| (m.keyword, m.expression, m.path)).collect()
}

fn owned(rows: &[(&str, &str, &str)]) -> Vec<(String, String, String)> {
    rows.iter().map(|(a, b, c)| ((*a).to_owned(), (*b).to_owned(), (*c).to_owned())).collect()
}

#[test]
fn places_are_those_of_fhir() {
    let schema = r#"{"properties":{"name":{"items":{"required":["family"],"properties":{"given":{"items":{"maxLength":3}}}}},
        "deceasedBoolean":{"const":false},"_birthDate":{"required":["id"]},"contained":{"items":{"required":["id"]}},
        "a/b":{"properties":{"0":{"type":"string"}}}}}"#;
    let value = r#"{"resourceType":"Patient","name":[{"family":"x"},{"given":["abc","abcd"]}],"deceasedBoolean":true,"_birthDate":{},
        "contained":[{"resourceType":"Group"}],"a/b":{"0":1}}"#;
    let mut found = told(schema, value);
    found.sort();
    let mut expected = owned(&[
        ("required", "Patient.name[1]", "/name/1"),
        ("maxLength", "Patient.name[1].given[1]", "/name/1/given/1"),
        ("const", "Patient.deceased", "/deceasedBoolean"),
        ("required", "Patient.birthDate", "/_birthDate"),
        ("required", "Patient.contained[0]", "/contained/0"),
        ("type", "Patient.a/b.0", "/a~1b/0"),
    ]);
    expected.sort();
    assert_eq!(found, expected);
    assert_eq!(told(r#"{"items":{"type":"string"}}"#, "[1]"), owned(&[("type", "[0]", "/0")]));
    assert_eq!(told(r#"{"properties":{"a":false}}"#, r#"{"a":1}"#), owned(&[("falseSchema", "a", "/a")]));
}

#[test]
fn messages_hold_no_value() {
    let value = stored(r#"{"name":"secret","more":["secret"]}"#);
    let schema = compile(r#"{"properties":{"name":{"type":"integer","enum":[1,2],"pattern":"^a"},"more":{"uniqueItems":true,"minItems":2,"items":{"format":"date"}}}}"#).unwrap();
    let found = schema.mismatches(json::root(&value).unwrap(), go_on).unwrap();
    assert_eq!(found.len(), 5);
    for mismatch in &found {
        assert!(!mismatch.details.contains("secret"), "{mismatch:?}");
        assert!(mismatch.details.starts_with("the value "), "{mismatch:?}");
    }
    assert_eq!(found.iter().find(|m| m.keyword == "pattern").map(|m| m.schema_path.as_str()), Some("/properties/name/pattern"));
}

#[test]
fn of_many_schemas_the_one_that_was_meant_is_told() {
    let schema = r#"{"oneOf":[{"properties":{"kind":{"const":"a"},"x":{"type":"string"}}},{"properties":{"kind":{"const":"b"},"x":{"type":"integer"}}}]}"#;
    assert_eq!(told(schema, r#"{"kind":"b","x":true}"#), owned(&[("oneOf", "", ""), ("type", "x", "/x")]));
    assert_eq!(told(schema, r#"{"kind":"c","x":true}"#), owned(&[("oneOf", "", "")]));
}

#[test]
fn numbers_keep_their_digits() {
    assert!(matches(r#"{"const":1.0}"#, "1.00"));
    assert!(matches(r#"{"enum":[123456789012345678901234567890.5]}"#, "123456789012345678901234567890.50"));
    assert!(!matches(r#"{"enum":[123456789012345678901234567890.5]}"#, "123456789012345678901234567890.6"));
    assert!(matches(r#"{"maximum":0.1}"#, "0.1"));
    assert!(!matches(r#"{"maximum":0.1}"#, "0.10000000000000000000000000000000000001"));
    assert!(matches(r#"{"type":"integer"}"#, "1.0"));
    assert!(matches(r#"{"type":"integer"}"#, "123456789012345678901234567890"));
    assert!(!matches(r#"{"type":"integer"}"#, "123456789012345678901234567890.5"));
    assert!(!matches(r#"{"$schema":"http://json-schema.org/draft-04/schema#","type":"integer"}"#, "1.0"));
    assert!(matches(r#"{"multipleOf":0.01}"#, "4.35"));
    assert!(!matches(r#"{"uniqueItems":true}"#, r#"[{"a":[1.0]},{"a":[1]},3,4,5]"#));
    assert!(matches(r#"{"uniqueItems":true}"#, r#"[{"a":[1.0]},{"a":[2]}]"#));
}

#[test]
fn all_keywords_read_stored_values() {
    for (schema, right, wrong) in [
        (r#"{"propertyNames":{"pattern":"^[a-z]+$"}}"#, r#"{"a":1}"#, r#"{"A":1}"#),
        (r#"{"patternProperties":{"^a":{"type":"null"}},"additionalProperties":false}"#, r#"{"ab":null}"#, r#"{"b":null}"#),
        (r#"{"dependentRequired":{"a":["b"]}}"#, r#"{"a":1,"b":2}"#, r#"{"a":1}"#),
        (r#"{"if":{"required":["a"]},"then":{"required":["b"]}}"#, r#"{"c":1}"#, r#"{"a":1}"#),
        (r#"{"contains":{"const":{"a":[1,null]}}}"#, r#"[0,{"a":[1,null]}]"#, r#"[{"a":[1]}]"#),
        (r#"{"prefixItems":[{"type":"string"}],"items":false}"#, r#"["a"]"#, r#"["a","b"]"#),
        (r#"{"allOf":[{"properties":{"a":true}}],"unevaluatedProperties":false}"#, r#"{"a":1}"#, r#"{"b":1}"#),
        (r#"{"not":{"type":"string"}}"#, "1", r#""a""#),
        (r#"{"minLength":2,"maxLength":2}"#, r#""äö""#, r#""ä""#),
        (r#"{"format":"date-time"}"#, r#""2020-01-01T00:00:00Z""#, r#""2020-01-01""#),
        (r#"{"$schema":"http://json-schema.org/draft-06/schema#","format":"uri"}"#, r#""http://a/b""#, r#""a b""#),
        (r#"{"minProperties":1,"maxProperties":1}"#, r#"{"a":1}"#, "{}"),
        ("true", "{}", ""),
        ("false", "", "{}"),
    ] {
        assert!(right.is_empty() || matches(schema, right), "{schema} {right}");
        assert!(wrong.is_empty() || !matches(schema, wrong), "{schema} {wrong}");
    }
}

#[test]
fn schemas_that_are_none_say_where() {
    for (schema, place, piece) in [
        ("1", "", "object, true or false"),
        (r#"{"type":"strin"}"#, "/type", "not a JSON Schema"),
        (r#"{"properties":{"a":{"minLength":-1}}}"#, "/properties/a/minLength", "not a JSON Schema"),
        (r#"{"$ref":"http://example.org/other.json"}"#, "", "refers to what is not in it"),
        (r#"{"$ref":"file:///etc/passwd"}"#, "", "refers to what is not in it"),
        (r##"{"$ref":"#/definitions/none"}"##, "", "refers to what is not in it"),
        (r#"{"properties":{"a":{"pattern":"^(?!x)"}}}"#, "", "pattern"),
        (r#"{"pattern":"(a"}"#, "/pattern", "pattern"),
        (r#"{"pattern":"(((a{1000}){1000}){1000}){1000}"}"#, "", "pattern"),
    ] {
        let error = compile(schema).err().unwrap_or_else(|| panic!("{schema} compiled"));
        println!("{schema}: {error:?}");
        assert!(error.message.contains(piece), "{schema}: {error:?}");
        assert!(error.place.contains(place), "{schema}: {error:?}");
    }
}

#[test]
fn patterns_take_linear_time() {
    let value = format!("\"{}!\"", "a".repeat(100_000));
    assert!(!matches(r#"{"pattern":"^(a+)+$"}"#, &value));
}

#[test]
fn schemas_with_cycles_end() {
    assert!(matches(r##"{"$ref":"#"}"##, "1"));
    assert!(matches(r##"{"allOf":[{"$ref":"#"}]}"##, r#"{"a":1}"#));
    assert!(matches(r##"{"$ref":"#/$defs/a","$defs":{"a":{"$ref":"#/$defs/b"},"b":{"$ref":"#/$defs/a"}}}"##, "null"));
    let tree = r##"{"properties":{"next":{"$ref":"#"}},"additionalProperties":false}"##;
    let deep = |levels: usize, end: &str| format!("{}{end}{}", r#"{"next":"#.repeat(levels), "}".repeat(levels));
    assert!(matches(tree, &deep(100, "{}")));
    assert!(!matches(tree, &deep(100, r#"{"x":1}"#)));
    let value = stored(&deep(4000, "{}"));
    let schema = compile(tree).unwrap();
    assert_eq!(schema.matches(json::root(&value).unwrap(), go_on), Err(Stopped::TooDeep));
    assert_eq!(schema.mismatches(json::root(&value).unwrap(), go_on), Err(Stopped::TooDeep));
    assert!(matches(tree, &deep(3, "{}")), "a stopped check leaves nothing behind");
}

/// A chain of definitions: as deep as it is long, whatever the value.
fn chain(links: usize) -> String {
    let links: Vec<String> = (0..links).map(|i| format!(r##""d{i}":{{"allOf":[{{"$ref":"#/$defs/d{}"}}]}}"##, i + 1)).collect();
    format!(r##"{{"$ref":"#/$defs/d0","$defs":{{{},"d{}":{{"type":"object"}}}}}}"##, links.join(","), links.len())
}

#[test]
fn long_chains_of_references_are_refused() {
    assert!(matches(&chain(100), "{}"));
    for schema in [
        chain(1000),
        chain(20_000),
        format!(r#"{{"propertyNames":{}}}"#, chain(1000).replace("#/$defs", "#/propertyNames/$defs")),
        chain(1000).replace(r#""type":"object""#, r##""$ref":"#/$defs/d0""##),
        chain(1000).replace("#/$defs/", "#").replace("{\"allOf", "{\"$anchor\":\"d0\",\"allOf"),
    ] {
        let error = compile(&schema).err().unwrap_or_else(|| panic!("{} compiled", &schema[..200]));
        assert!(error.message.contains("one after the other"), "{error:?}");
    }
}

/// Each definition is used within a value of the one before: fine for any value, and long to clear away.
#[test]
fn long_chains_through_values_are_checked() {
    let links: Vec<String> = (0..5_000).map(|i| format!(r##""d{i}":{{"properties":{{"a":{{"$ref":"#/$defs/d{}"}}}}}}"##, i + 1)).collect();
    let schema = compile(&format!(r##"{{"$ref":"#/$defs/d0","$defs":{{{},"d5000":{{"type":"object"}}}}}}"##, links.join(","))).unwrap();
    let value = stored(r#"{"a":{"a":1}}"#);
    assert_eq!(schema.matches(json::root(&value).unwrap(), go_on), Ok(true));
    schema.free();
}

#[test]
fn deep_schemas_are_refused() {
    let deep = |levels: usize| format!("{}true{}", r#"{"not":"#.repeat(levels), "}".repeat(levels));
    assert!(compile(&deep(100)).is_ok());
    assert!(compile(&deep(200)).err().is_some_and(|e| e.message.contains("levels")));
    assert!(compile(&deep(5000)).is_err());
}

#[test]
fn schemas_that_explode_end() {
    // each level asks for the next one twice
    let levels: Vec<String> = (0..40).map(|i| format!(r##""d{i}":{{"anyOf":[{{"$ref":"#/$defs/d{0}"}},{{"$ref":"#/$defs/d{0}"}}]}}"##, i + 1)).collect();
    let schema = format!(r##"{{"$ref":"#/$defs/d0","$defs":{{{},"d40":{{"type":"string"}}}}}}"##, levels.join(","));
    let value = stored("{}");
    let schema = compile(&schema).unwrap();
    assert_eq!(schema.matches(json::root(&value).unwrap(), go_on), Err(Stopped::TooLong));
    assert_eq!(schema.mismatches(json::root(&value).unwrap(), go_on), Err(Stopped::TooLong));
}

#[test]
fn a_check_can_be_given_up() {
    fn give_up() {
        std::panic::resume_unwind(Box::new("cancelled"));
    }
    let value = stored(&format!("[{}1]", "1,".repeat(100_000)));
    let schema = compile(r#"{"items":{"type":"integer"}}"#).unwrap();
    let given_up = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| schema.matches(json::root(&value).unwrap(), give_up)));
    assert_eq!(given_up.unwrap_err().downcast_ref::<&str>(), Some(&"cancelled"));
    assert_eq!(schema.matches(json::root(&value).unwrap(), go_on), Ok(true));
}

#[test]
fn a_key_that_serde_reads_as_a_number_is_a_key() {
    assert!(!matches(r#"{"type":"number"}"#, r#"{"$serde_json::private::Number":"1"}"#));
    assert!(matches(r#"{"properties":{"$serde_json::private::Number":{"const":"1"}}}"#, r#"{"$serde_json::private::Number":"1"}"#));
}

/// A text of letters in no order.
fn letters(count: u32) -> String {
    (0..count).map(|i| if i.wrapping_mul(2_654_435_761) >> 17 & 1 == 0 { 'a' } else { 'b' }).collect()
}

#[test]
fn patterns_count_what_they_take() {
    let text = letters(200_000);
    let stopped = |schema: &str, value: &str| {
        let value = stored(value);
        let value = json::root(&value).unwrap();
        let schema = compile(schema).unwrap();
        let answer = schema.matches(value, go_on);
        assert_eq!(schema.mismatches(value, go_on).map(|found| found.is_empty()), answer);
        answer
    };
    assert_eq!(stopped(r#"{"properties":{"t":{"pattern":"(a|b)*a(a|b){1500}c"}}}"#, &format!(r#"{{"t":"{text}"}}"#)), Err(Stopped::TooLong));
    assert_eq!(stopped(r#"{"properties":{"t":{"pattern":"[[](a|b)*a(a|b){1500}c"}}}"#, &format!(r#"{{"t":"{text}"}}"#)), Err(Stopped::TooLong));
    assert_eq!(stopped(r#"{"patternProperties":{"(a|b)*a(a|b){1500}c":true}}"#, &format!(r#"{{"{text}":1}}"#)), Err(Stopped::TooLong));
    assert_eq!(stopped(r#"{"propertyNames":{"pattern":"(a|b)*a(a|b){1500}c"}}"#, &format!(r#"{{"{text}":1}}"#)), Err(Stopped::TooLong));
    assert_eq!(stopped(r#"{"pattern":"(a|b)*a(a|b){1500}c"}"#, r#""ab""#), Ok(false));
    // what is usual fits
    assert_eq!(stopped(r#"{"pattern":"^[ab]+$"}"#, &format!("\"{}\"", text.repeat(10))), Ok(true));
    assert_eq!(stopped(r#"{"properties":{"id":{"pattern":"^[A-Za-z0-9\\-\\.]{1,64}$"},"t":{"maxLength":3000000}}}"#, &format!(r#"{{"id":"a","t":"{}"}}"#, text.repeat(10))), Ok(true));
}

#[test]
fn patterns_are_bounded_together() {
    let many = |count: usize| {
        let patterns: Vec<String> = (0..count).map(|i| format!(r#"{{"pattern":"^(\\p{{L}}{{1,25}}{i})"}}"#)).collect();
        compile(&format!(r#"{{"anyOf":[{}]}}"#, patterns.join(",")))
    };
    assert!(many(2).is_ok());
    let error = many(400).err().unwrap();
    assert!(error.message.contains("more than 8 MB together"), "{error:?}");
    assert!(error.place.starts_with("/anyOf/"), "{error:?}");
    let same: Vec<&str> = vec![r#"{"pattern":"^[a-z]{1,64}$"}"#; 5_000];
    assert!(compile(&format!(r#"{{"items":[{}]}}"#, same.join(",")).replace("items", "anyOf")).is_ok(), "the same ones are compiled once");
    let error = compile(r#"{"properties":{"a":{"pattern":"^\\p{L}{1,200}$"}}}"#).err().unwrap();
    assert!(error.message.contains("takes more than 2 MB"), "{error:?}");
    assert_eq!(error.place, "/properties/a/pattern");
}
