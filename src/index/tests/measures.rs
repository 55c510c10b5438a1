//! Quantities across units, and places within a distance.

use super::spec::{check, observation};

const UCUM: &str = "http://unitsofmeasure.org";

fn quantity(value: &str, code: &str) -> String {
    observation(&format!(r#""valueQuantity":{{"value":{value},"system":"{UCUM}","code":"{code}"}}"#))
}

/// Searches of `value-quantity` with the system of UCUM.
fn measured(resource: &str, cases: &[(&str, &str, bool)]) {
    for (number, code, expected) in cases {
        check(resource, &[(&format!("Observation?value-quantity={number}|{UCUM}|{code}"), *expected)]);
    }
}

#[test]
fn an_amount_is_found_in_any_unit_that_converts() {
    // the examples of https://hl7.org/fhir/R4/search.html#quantity
    measured(&quantity("0.0054", "g"), &[
        ("5.4", "mg", true),
        ("5.40e-3", "g", true),
        ("le5.4", "mg", true),
        ("lt5.4", "mg", false),
        ("ge5.4", "mg", true),
        ("gt5.4", "mg", false),
        ("sa5.4", "mg", false),
        ("ne5.4", "mg", false),
        ("ap5.9", "mg", true),
        ("ap6.1", "mg", false),
        ("5400", "ug", true),
        ("5.4", "g", false),
        ("5.4", "mL", false),
        ("ne5.4", "mL", false),
    ]);
    measured(&quantity("23", "mm/h"), &[("0.023", "m/h", true), ("6.4e-6", "m/s", true), ("6.4e-6", "m", false)]);
    measured(&quantity("98.6", "[degF]"), &[("37", "Cel", true), ("37.0", "Cel", true), ("ge37", "Cel", true), ("gt37", "Cel", false), ("310.15", "K", true), ("lt37.0001", "Cel", true)]);
    measured(&quantity("-40", "Cel"), &[("-40", "[degF]", true), ("lt0", "Cel", true), ("lt-41", "[degF]", false), ("gt-41", "[degF]", true)]);
    measured(&quantity("72", "/min"), &[("72", "{beats}/min", true), ("1.2", "Hz", true), ("le1.2", "/s", true)]);
    measured(&quantity("120", "mm[Hg]"), &[("120", "mm[Hg]", true), ("ge12", "cm[Hg]", true), ("16.0", "kPa", true), ("17", "kPa", false)]);
}

#[test]
fn the_range_of_a_number_is_that_of_its_own_unit() {
    // 5.40 g is ±0.005 g, that is ±5 mg
    measured(&quantity("5404", "mg"), &[("5.40", "g", true), ("5.400", "g", false), ("5.4", "g", true), ("5", "g", true)]);
    measured(&quantity("5395", "mg"), &[("5.40", "g", true), ("5.39", "g", false)]);
    measured(&quantity("5405", "mg"), &[("5.40", "g", false), ("5.41", "g", true)]);
    // exact at the edge also where the factor has no end: 1/60
    measured(&quantity("90", "/min"), &[("2", "/s", true), ("1", "/s", false), ("1.5", "/s", true)]);
    // 0 has no precision of its own in other units
    measured(&quantity("0", "kg"), &[("0", "g", true), ("ge0", "mg", true), ("lt0", "mg", false)]);
}

#[test]
fn what_has_no_common_measure_is_compared_as_it_stands() {
    measured(&quantity("7.4", "[pH]"), &[("7.4", "[pH]", true), ("7.4", "1", false)]);
    measured(&quantity("3", "{score}"), &[("3", "{score}", true), ("3", "1", false), ("3", "{other}", false)]);
    measured(&quantity("3", "nonsense"), &[("3", "nonsense", true), ("3", "g", false)]);
    measured(&quantity("50", "%"), &[("0.50", "1", true), ("50", "1", false)]);
    measured(&quantity("1", "[iU]/L"), &[("0.001", "[iU]/mL", true), ("1", "[arb'U]/L", false)]);
    // without the system of UCUM a unit is a word
    let other = observation(r#""valueQuantity":{"value":1,"unit":"g","system":"http://other","code":"g"}"#);
    measured(&other, &[("1", "g", false), ("1000", "mg", false)]);
    check(&other, &[("value-quantity=1||g", true), ("value-quantity=1000||mg", false), ("value-quantity=1|http://other|g", true)]);
    // and without a unit only the number counts, as it was written
    check(&quantity("0.0054", "g"), &[("value-quantity=0.0054", true), ("value-quantity=5.4", false), ("value-quantity=5.4||mg", false), ("value-quantity=ne5", true)]);
}

#[test]
fn ranges_and_composites_convert_too() {
    let below = observation(&format!(r#""code":{{"coding":[{{"code":"a"}}]}},"valueQuantity":{{"value":5,"comparator":"<","system":"{UCUM}","code":"mg"}}"#));
    measured(&below, &[("lt0.005", "g", true), ("ge0.005", "g", false), ("gt0.004", "g", true), ("eb0.005", "g", true), ("lt-1", "kg", true)]);
    check(&below, &[
        (&format!("code-value-quantity=a$lt0.005|{UCUM}|g"), true),
        (&format!("code-value-quantity=a$ge0.005|{UCUM}|g"), false),
        (&format!("code-value-quantity=b$lt0.005|{UCUM}|g"), false),
        (&format!("code-value-quantity=a$lt0.005|{UCUM}|L"), false),
    ]);
    let two = format!(
        r#"{{"resourceType":"Observation","component":[{{"code":{{"coding":[{{"code":"a"}}]}},"valueQuantity":{{"value":1,"system":"{UCUM}","code":"g"}}}},
        {{"code":{{"coding":[{{"code":"b"}}]}},"valueQuantity":{{"value":2,"system":"{UCUM}","code":"kg"}}}}]}}"#
    );
    check(&two, &[
        (&format!("component-code-value-quantity=a$1000|{UCUM}|mg"), true),
        (&format!("component-code-value-quantity=a$2000|{UCUM}|g"), false),
        (&format!("component-code-value-quantity=b$2000|{UCUM}|g"), true),
        (&format!("component-value-quantity=2000|{UCUM}|g"), true),
        (&format!("component-value-quantity=1000|{UCUM}|g"), false),
    ]);
}

#[test]
fn places_are_near_within_a_distance() {
    // Ann Arbor, as in https://hl7.org/fhir/R4/location.html#positional, where latitude comes first
    let place = r#"{"resourceType":"Location","position":{"longitude":-83.69471,"latitude":42.2565}}"#;
    check(place, &[
        ("Location?near=42.256500|-83.694810|11.20|km", true),
        ("near=42.256500|-83.694810|11.20|km", true),
        ("near=42.256500|-83.694810|11.20", true),
        ("near=42.256500|-83.694810", true),
        ("near=42.256500|-83.694810||", true),
        ("near=42.256500|-83.694810|5|m", false),
        ("near=42.256500|-83.694810|9|m", true),
        ("near=42.2565|-84.694710|82|km", false),
        ("near=42.2565|-84.694710|83|km", true),
        ("near=42.2565|-84.694710|51|[mi_us]", false),
        ("near=42.2565|-84.694710|52|mi_us", true),
        ("near=42.2565|-84.694710|52|[mi_i]", true),
        ("near=42.2565|-84.694710|52|mi", true),
        ("near=42.2565|-84.694710|8.3e4|m", true),
        ("near=-83.694810|42.256500|11.20|km", false), // the specification's example has them the other way about
        ("near=0|0|1|km,42.2|-83.7|10|km", true),
        ("near=0|0|20100|km", true),
        ("near:missing=false", true),
    ]);
    check(r#"{"resourceType":"Location"}"#, &[("near=0|0|20100|km", false), ("near:missing=true", true)]);
    let pacific = r#"{"resourceType":"Location","position":{"longitude":179.99,"latitude":-17}}"#;
    check(pacific, &[("near=-17|-179.99|3|km", true), ("near=-17|-179.99|2|km", false), ("near=-90|0|8118|km", true), ("near=-90|0|8000|km", false)]);
}

#[test]
fn what_is_no_place_is_refused_with_a_hint() {
    use crate::index::query::{ErrorKind, Query};
    for bad in ["1", "a|b", "91|0", "0|181", "1|2|-1", "1|2|x", "1|2|1|kg", "1|2|1|parsec-ish", "1|2|3|km|4", "1|2||km", "nan|0", "inf|0", "1|2|1e999", "||"] {
        let error = Query::parse(&format!("Location?near={bad}")).unwrap_err();
        assert!(error.kind == ErrorKind::Invalid && error.hint.is_some(), "{bad} {error:?}");
    }
    assert_eq!(Query::parse("Location?near:exact=1|2").unwrap_err().kind, ErrorKind::Invalid);
}
