//! What matches by the words of <https://hl7.org/fhir/R4/search.html>, case by case.

use super::super::scan::Scan;
use super::posting::Index;
use super::{keys_of, parse};

/// Each query with whether the resource matches it; the index must find no less, and be sure of no more.
pub fn check(resource: &str, cases: &[(&str, bool)]) {
    let index = Index::new(vec![keys_of(resource)]);
    for (text, expected) in cases {
        let query = parse(text);
        assert_eq!(query.matches(index.keys(0)), *expected, "{text} on {resource}: {:?}", index.keys(0).entries().collect::<Vec<_>>());
        let found = index.scan(&Scan::of(&query));
        assert!(found.possible.has(0) || !expected, "{text} is not found: {resource}");
        assert!(!found.certain.has(0) || *expected, "{text} is found for sure: {resource}");
    }
}

pub fn observation(element: &str) -> String {
    format!(r#"{{"resourceType":"Observation",{element}}}"#)
}

/// One comparison of a date after the other: `eq ne gt lt ge le sa eb`, as `+` and `-`.
pub fn dates(element: &str, cases: &[(&str, &str)]) {
    for (searched, outcomes) in cases {
        let comparisons = ["eq", "ne", "gt", "lt", "ge", "le", "sa", "eb"];
        let outcomes: Vec<char> = outcomes.chars().filter(|c| *c != ' ').collect();
        assert_eq!(outcomes.len(), comparisons.len());
        for (comparison, outcome) in comparisons.into_iter().zip(&outcomes) {
            check(&observation(element), &[(&format!("Observation?date={comparison}{searched}"), *outcome == '+')]);
        }
        // no prefix is eq
        check(&observation(element), &[(&format!("date={searched}"), outcomes[0] == '+')]);
    }
}

#[test]
fn dates_are_intervals_of_their_precision() {
    //                                      eq ne gt lt  ge le sa eb
    dates(r#""effectiveDateTime":"2013-01-14""#, &[
        ("2013", "+--- ++--"),
        ("2013-01", "+--- ++--"),
        ("2013-01-14", "+--- ++--"),
        ("2013-01-15", "-+-+ -+-+"),
        ("2013-01-13", "-++- +-+-"),
        ("2012", "-++- +-+-"),
        ("2014-01", "-+-+ -+-+"),
        // the day includes a part before and a part after that minute
        ("2013-01-14T10:00Z", "-+++ ++--"),
        ("2013-01-14T00:00Z", "-++- +---"),
        ("2013-01-14T23:59Z", "-+-+ -+--"),
    ]);
    dates(r#""effectiveDateTime":"2013-01""#, &[
        ("2013", "+--- ++--"),
        ("2013-01", "+--- ++--"),
        ("2013-01-01", "-++- +---"),
        ("2013-01-31", "-+-+ -+--"),
        ("2013-01-14", "-+++ ++--"),
        ("2012-12-31", "-++- +-+-"),
        ("2013-02-01", "-+-+ -+-+"),
    ]);
    dates(r#""effectiveDateTime":"2013""#, &[("2013", "+--- ++--"), ("2013-06", "-+++ ++--"), ("2012", "-++- +-+-"), ("2014", "-+-+ -+-+")]);
    dates(r#""effectiveInstant":"2013-01-14T10:00:00.5Z""#, &[
        ("2013-01-14", "+--- ++--"),
        ("2013-01-14T10:00Z", "+--- ++--"),
        ("2013-01-14T10:00:00Z", "+--- ++--"),
        ("2013-01-14T10:00:00.5Z", "+--- ++--"),
        ("2013-01-14T10:00:00.50Z", "-++- +---"),
        ("2013-01-14T10:00:00.6Z", "-+-+ -+-+"),
        ("2013-01-14T10:00:00.4Z", "-++- +-+-"),
        ("2013-01-14T09:59Z", "-++- +-+-"),
        ("2013-01-14T10:01Z", "-+-+ -+-+"),
    ]);
}

#[test]
fn a_time_without_a_zone_is_utc_and_zones_are_the_same_instant() {
    dates(r#""effectiveDateTime":"2013-01-14T10:00:00+02:00""#, &[
        ("2013-01-14T08:00", "+--- ++--"),
        ("2013-01-14T08:00:00Z", "+--- ++--"),
        ("2013-01-14T10:00:00%2B02:00", "+--- ++--"),
        ("2013-01-14T10:00:00+02:00", "+--- ++--"), // a plus that was not escaped arrives as a space
        ("2013-01-14T03:00:00-05:00", "+--- ++--"),
        ("2013-01-14T10:00:00Z", "-+-+ -+-+"),
    ]);
    dates(r#""effectiveDateTime":"2013-01-14T23:30:00-02:00""#, &[("2013-01-15", "+--- ++--"), ("2013-01-14", "-++- +-+-")]);
}

#[test]
fn a_period_without_an_end_is_open_there() {
    // the examples of the table of prefixes
    dates(r#""effectivePeriod":{"start":"2013-01-21"}"#, &[("2013-03-14", "-+++ ++--"), ("2013-01-21", "-++- +---"), ("2013-01-20", "-++- +-+-"), ("2012", "-++- +-+-")]);
    dates(r#""effectivePeriod":{"start":"2013-03-15"}"#, &[("2013-03-14", "-++- +-+-"), ("2013-03", "-++- +---")]);
    dates(r#""effectivePeriod":{"end":"2013-01-21"}"#, &[("2013-03-14", "-+-+ -+-+"), ("2013-01-21", "-+-+ -+--"), ("2013-01-20", "-+++ ++--"), ("1850", "-+++ ++--")]);
    dates(r#""effectivePeriod":{"start":"2013-01-21","end":"2013-02"}"#, &[
        ("2013", "+--- ++--"),
        ("2013-02", "-+-+ -+--"),
        ("2013-01", "-++- +---"),
        ("2013-01-31", "-+++ ++--"),
        ("2013-03-01", "-+-+ -+-+"),
        ("2013-01-20", "-++- +-+-"),
    ]);
    // neither end, or the end before the start: there, but nothing to compare
    for period in ["{}", r#"{"start":"2013-02","end":"2013-01"}"#, r#"{"extension":[{"url":"http://x"}]}"#] {
        check(&observation(&format!(r#""effectivePeriod":{period}"#)), &[("date=2013", false), ("date=ne2013", false), ("date=ge1900", false), ("date:missing=false", true)]);
    }
}

#[test]
fn of_a_timing_the_outer_limits_count() {
    dates(r#""effectiveTiming":{"event":["2013-01-14","2013-03-14"],"repeat":{"frequency":3}}"#, &[
        ("2013", "+--- ++--"),
        ("2013-01-14", "-++- +---"),
        ("2013-02", "-+++ ++--"),
        ("2013-03-15", "-+-+ -+-+"),
        ("2013-01-13", "-++- +-+-"),
    ]);
    dates(r#""effectiveTiming":{"repeat":{"boundsPeriod":{"start":"2013-02"}}}"#, &[("2013", "-++- +---"), ("2014", "-+++ ++--")]);
}

#[test]
fn approximate_dates_overlap_a_widened_range() {
    let near = "ap2013-03-04T00:00:00Z/2013-03-25T00:00:00Z";
    // the examples of the table of prefixes
    check(&observation(r#""effectiveDateTime":"2013-03-14""#), &[(&format!("date={near}"), true)]);
    check(&observation(r#""effectiveDateTime":"2013-01-21""#), &[(&format!("date={near}"), false)]);
    check(&observation(r#""effectiveDateTime":"2015-06-15""#), &[(&format!("date={near}"), false)]);
    // a range needs only overlap, and not more than touch
    for (period, expected) in [
        (r#"{"start":"2012","end":"2014"}"#, true),
        (r#"{"start":"2013-03-24"}"#, true),
        (r#"{"start":"2013-03-25"}"#, false),
        (r#"{"end":"2013-03-04"}"#, true),
        (r#"{"end":"2013-03-03"}"#, false),
        (r#"{"start":"1999"}"#, true),
        (r#"{"end":"2150"}"#, true),
    ] {
        check(&observation(&format!(r#""effectivePeriod":{period}"#)), &[(&format!("Observation?date={near}"), expected)]);
    }
}

#[test]
fn of_several_dates_one_must_match() {
    let goal = r#"{"resourceType":"Goal","target":[{"dueDate":"2013-01-14"},{"dueDate":"2014"}]}"#;
    check(goal, &[
        ("target-date=2013", true),
        ("target-date=2014", true),
        ("target-date=2015", false),
        ("target-date=ne2013", true), // some value differs
        ("target-date=2012,2014", true),
        ("target-date=gt2013-06&target-date=lt2013-06", true), // each condition may be met by another value
        ("target-date=sa2014", false),
        ("target-date=eb2013", false),
    ]);
}

#[test]
fn numbers_are_as_precise_as_they_are_written() {
    let of = |probability: &str| format!(r#"{{"resourceType":"RiskAssessment","prediction":[{{"probabilityDecimal":{probability}}}]}}"#);
    let check = |value: &str, cases: &[(&str, bool)]| {
        let cases: Vec<(String, bool)> = cases.iter().map(|(q, m)| (format!("RiskAssessment?probability={q}"), *m)).collect();
        let cases: Vec<(&str, bool)> = cases.iter().map(|(q, m)| (q.as_str(), *m)).collect();
        check(&of(value), &cases);
    };
    check("100", &[
        ("100", true),
        ("eq100.00", true),
        ("1e2", true),
        ("ne100", false),
        ("lt100", false),
        ("gt100", false),
        ("le100", true),
        ("ge100", true),
        ("sa100", false),
        ("eb100", false),
        ("99", false),
        ("ap105", true),
        ("ap112", false),
    ]);
    check("100", &[("100.004", false), ("99.5", false), ("lt100.0001", true), ("gt99.9999", true)]);
    check("99.5", &[("100", true), ("100.0", false), ("lt100", true), ("99", false), ("ne100", false)]);
    check("100.5", &[("100", false), ("101", true), ("gt100", true), ("100.5", true), ("ne100", true)]);
    check("100.004", &[("100.00", true), ("100", true), ("100.0", true), ("gt100.00", true)]);
    check("100.005", &[("100.00", false), ("100", true)]);
    check("149", &[("1e2", true), ("ap1.5e2", true)]);
    check("150", &[("1e2", false)]);
    check("0", &[("0", true), ("0.000", true), ("ge0", true), ("gt0", false), ("-0", true), ("ap0", true)]);
    check("-0.4", &[("0", true), ("lt0", true), ("0.0", false)]);
    check("-7", &[("-7", true), ("-7.0", true), ("ap-6.5", true), ("gt-8", true), ("lt-6", true), ("7", false)]);
    check("1.10", &[("1.1", true), ("1.100", true), ("1.11", false)]);
    check("0.0000001", &[("1e-7", true), ("0.0000001", true), ("gt0", true), ("0", true), ("0.000000", true)]);
}

#[test]
fn a_range_of_numbers_is_compared_as_a_whole() {
    let range = r#"{"resourceType":"RiskAssessment","prediction":[{"probabilityRange":{"low":{"value":2},"high":{"value":4}}}]}"#;
    check(range, &[
        ("probability=3", false),
        ("probability=gt3", true),
        ("probability=lt3", true),
        ("probability=gt4", false),
        ("probability=ge4", true),
        ("probability=lt2", false),
        ("probability=le2", true),
        ("probability=sa1", true),
        ("probability=sa2", false),
        ("probability=eb5", true),
        ("probability=eb4", false),
        ("probability=ne3", true),
        ("probability=0e1", true), // [-5, 5)
    ]);
    let open = r#"{"resourceType":"RiskAssessment","prediction":[{"probabilityRange":{"low":{"value":2}}}]}"#;
    check(open, &[("probability=gt1000000", true), ("probability=lt2", false), ("probability=lt2.1", true), ("probability=sa1.9", true), ("probability=eb99", false)]);
}

#[test]
fn a_quantity_matches_by_number_system_and_unit() {
    let of = |quantity: &str| observation(&format!(r#""valueQuantity":{quantity}"#));
    let milligram = of(r#"{"value":5.4,"unit":"milligram","system":"http://unitsofmeasure.org","code":"mg"}"#);
    check(&milligram, &[
        ("value-quantity=5.4|http://unitsofmeasure.org|mg", true),
        ("value-quantity=5.40e0|http://unitsofmeasure.org|mg", true),
        ("value-quantity=5.4||mg", true),
        ("value-quantity=5.4||milligram", true),
        ("value-quantity=5.4", true),
        ("value-quantity=5.4||", true),
        ("value-quantity=5", true), // [4.5, 5.5)
        ("value-quantity=5.4||MG", false),
        ("value-quantity=5.4||g", false),
        ("value-quantity=5.4|http://unitsofmeasure.org|g", false),
        ("value-quantity=5.4|http://other|mg", false),
        ("value-quantity=5.5||mg", false),
        ("value-quantity=le5.4|http://unitsofmeasure.org|mg", true),
        ("value-quantity=lt5.4|http://unitsofmeasure.org|mg", false),
        ("value-quantity=ge5.4||milligram", true),
        ("value-quantity=ap5.9|http://unitsofmeasure.org|mg", true),
        ("value-quantity=ap6.1|http://unitsofmeasure.org|mg", false),
        ("value-quantity=1||mg,5.4||mg", true),
        ("value-quantity=5.4||g,6||mg", false),
    ]);
    check(&of(r#"{"unit":"mg"}"#), &[("value-quantity=0", false), ("value-quantity=ge0", false), ("value-quantity:missing=false", true)]);
    // number and unit of two quantities are no quantity
    let two = r#"{"resourceType":"Observation","component":[{"valueQuantity":{"value":1,"code":"mg"}},{"valueQuantity":{"value":2,"code":"kg"}}]}"#;
    check(two, &[("component-value-quantity=1||mg", true), ("component-value-quantity=1||kg", false), ("component-value-quantity=2||kg", true)]);
}

#[test]
fn the_comparator_of_a_quantity_makes_it_a_range() {
    let of = |comparator: &str| observation(&format!(r#""valueQuantity":{{"value":5,"comparator":"{comparator}"}}"#));
    check(&of("<"), &[
        ("value-quantity=5", false),
        ("value-quantity=lt5", true),
        ("value-quantity=lt-100", true),
        ("value-quantity=gt4.9", true),
        ("value-quantity=gt5", false),
        ("value-quantity=ge5", false),
        ("value-quantity=eb5", true),
        ("value-quantity=le5", true),
        ("value-quantity=ne5", true),
    ]);
    check(&of("<="), &[("value-quantity=ge5", true), ("value-quantity=gt5", false), ("value-quantity=eb5", false), ("value-quantity=eb5.1", true)]);
    check(&of(">"), &[("value-quantity=sa5", true), ("value-quantity=le5", false), ("value-quantity=gt1e9", true), ("value-quantity=lt5.1", true)]);
    check(&of(">="), &[("value-quantity=sa5", false), ("value-quantity=le5", true), ("value-quantity=lt5", false), ("value-quantity=ge5", true)]);
}

#[test]
fn tokens_match_in_their_four_forms() {
    let coded = observation(r#""code":{"coding":[{"system":"http://loinc.org","code":"1-8","display":"Acyclovir"},{"code":"local"}],"text":"My test"}"#);
    check(&coded, &[
        ("code=1-8", true),
        ("code=http://loinc.org|1-8", true),
        ("code=|1-8", false),
        ("code=http://loinc.org|", true),
        ("code=local", true),
        ("code=|local", true),
        ("code=http://loinc.org|local", false),
        ("code=http://snomed.info/sct|", false),
        ("code=1-80", false),
        ("code=1-", false),
        ("code=x,1-8", true),
        ("code=x,y", false),
        ("code:not=1-8", false),
        ("code:not=x", true),
        ("code:not=x,1-8", false), // none of the list
        ("code:not=|1-8", true),
        ("code:text=acyclo", true),
        ("code:text=my%20te", true),
        ("code:text=virus", false),
        ("code:missing=false", true),
        ("code:missing=true", false),
        ("category:missing=true", true),
        ("category:not=laboratory", true), // also where there is none
    ]);
}

#[test]
fn a_code_has_the_system_that_its_binding_implies() {
    let patient = r#"{"resourceType":"Patient","gender":"male","active":true,"telecom":[{"system":"phone","value":"555"}]}"#;
    check(patient, &[
        ("gender=male", true),
        ("gender=http://hl7.org/fhir/administrative-gender|male", true),
        ("gender=http://hl7.org/fhir/administrative-gender|", true),
        ("gender=|male", true),
        ("gender=http://other|male", false),
        ("gender=Male", false),
        ("gender:not=female", true),
        ("gender:not=male", false),
        ("gender:not=http://other|male", true),
        ("active=true", true),
        ("active=false", false),
        ("active:not=true", false),
        ("telecom=555", true),
        ("phone=555", true),
        ("email=555", false),
        ("deceased=false", true),
        ("deceased=true", false),
    ]);
}

#[test]
fn identifiers_match_by_value_system_and_type() {
    let patient = r#"{"resourceType":"Patient","identifier":[
        {"system":"http://a","value":"1","type":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v2-0203","code":"MR"}],"text":"Record"}},{"system":"http://b"}]}"#;
    check(patient, &[
        ("identifier=1", true),
        ("identifier=http://a|1", true),
        ("identifier=http://b|1", false),
        ("identifier=|1", false),
        ("identifier=http://a|", true),
        ("identifier=http://b|", true),
        ("identifier:of-type=http://terminology.hl7.org/CodeSystem/v2-0203|MR|1", true),
        ("identifier:of-type=|MR|1", true),
        ("identifier:of-type=http://other|MR|1", false),
        ("identifier:of-type=http://terminology.hl7.org/CodeSystem/v2-0203|MRT|1", false),
        ("identifier:of-type=http://terminology.hl7.org/CodeSystem/v2-0203|MR|2", false),
        ("identifier:text=rec", true),
    ]);
}

#[test]
fn missing_is_about_values_of_simple_types() {
    // https://hl7.org/fhir/R4/search.html#missing: present with extensions, but without a value, is missing
    let only_extensions = r#"{"resourceType":"Patient","_birthDate":{"extension":[{"url":"http://x","valueCode":"a"}]},"_gender":{"id":"a"},"name":[{"given":[null],"_given":[{"id":"x"}]}]}"#;
    check(only_extensions, &[
        ("birthdate:missing=true", true),
        ("birthdate:missing=false", false),
        ("gender:missing=true", true),
        ("given:missing=true", true),
        ("name:missing=false", true), // the name itself is there
        ("name:missing=true", false),
    ]);
    check(r#"{"resourceType":"Patient"}"#, &[("birthdate:missing=true", true), ("birthdate:missing=false", false), ("name:missing=true", true)]);
    check(r#"{"resourceType":"Patient","birthDate":"2000"}"#, &[("birthdate:missing=true", false), ("birthdate:missing=false", true)]);
}

#[test]
fn strings_match_from_their_start_without_case_and_accents() {
    let patient = r#"{"resourceType":"Patient","name":[{"family":"Carreño Quiñones","given":["Eve","Ann-Marie"],"prefix":["Dr."]}],"address":[{"city":"Zürich","line":["Main St. 1"]}]}"#;
    check(patient, &[
        ("given=eve", true),
        ("given=Eve", true),
        ("given=ev", true),
        ("given=ve", false),
        ("given=evelyn", false),
        ("given:contains=VE", true),
        ("given:exact=Eve", true),
        ("given:exact=eve", false),
        ("given:exact=Ev", false),
        ("family=carreno", true),
        ("family=CARREÑO Q", true),
        ("family=quinones", true), // the parts of a family name count by themselves
        ("family=uinones", false),
        ("family:exact=Quiñones", false),
        ("name=quinon", true),
        ("name=carreno  quinones", true),
        ("family:contains=quinones", true),
        ("family:exact=Carreno Quinones", false),
        ("name=dr", true),
        ("name=Ann-Marie", true),
        ("name=annmarie", true), // punctuation does not count
        ("name=marie", false),
        ("address=main st 1", true),
        ("address=Main%09ST%20%201", true),
        ("address=zurich", true),
        ("address=main", true),
        ("address-city=zu", true),
        ("given=eve,bob", true),
        ("given=eve&given=ann", true),
        ("given=eve&given=bob", false),
    ]);
}

#[test]
fn separators_inside_values_are_escaped() {
    let odd = observation(r#""code":{"coding":[{"system":"http://a|b","code":"c,d$e|f\\g"}]}"#);
    check(&odd, &[(r"code=c\,d\$e\|f\\g", true), (r"code=http://a\|b|c\,d\$e\|f\\g", true), (r"code=http://a\|b|", true), (r"code=c,d", false), ("code=c%5C,d%5C$e%5C%7Cf%5C%5Cg", true)]);
}

#[test]
fn references_match_by_id_type_url_and_identifier() {
    let subject = |reference: &str| observation(&format!(r#""subject":{reference}"#));
    check(&subject(r#"{"reference":"Patient/23"}"#), &[
        ("subject=Patient/23", true),
        ("subject=23", true),
        ("subject:Patient=23", true),
        ("subject:Patient=Patient/23", true),
        ("subject:Group=23", false),
        ("subject=Group/23", false),
        ("subject=Patient/2", false),
        ("subject=http://example.org/fhir/Patient/23", false),
        ("patient=23", true),
        ("patient=Patient/23", true),
        ("subject=Patient/1,Patient/23", true),
        ("subject:missing=false", true),
    ]);
    check(&subject(r#"{"reference":"Group/23"}"#), &[("subject=Group/23", true), ("patient=23", false), ("patient:missing=true", true), ("subject=23", true)]);
    check(&subject(r#"{"reference":"Patient/23/_history/2"}"#), &[("subject=Patient/23", true), ("subject=Patient/23/_history/2", true), ("subject=Patient/23/_history/3", false)]);
    check(&subject(r#"{"reference":"http://example.org/fhir/Patient/23"}"#), &[("subject=http://example.org/fhir/Patient/23", true), ("subject=Patient/24", false)]);
    check(&subject(r#"{"identifier":{"system":"http://a","value":"1"}}"#), &[
        ("subject:identifier=http://a|1", true),
        ("subject:identifier=1", true),
        ("subject:identifier=http://b|1", false),
        ("subject:identifier=|1", false),
        ("subject=1", false),
        ("subject:missing=false", true),
    ]);
    let canonical = r#"{"resourceType":"QuestionnaireResponse","questionnaire":"http://x/Questionnaire/q|1.0"}"#;
    check(canonical, &[
        ("questionnaire=http://x/Questionnaire/q", true),
        ("questionnaire=http://x/Questionnaire/q|1.0", true),
        ("questionnaire=http://x/Questionnaire/q|2.0", false),
        ("questionnaire=http://x/Questionnaire", false),
    ]);
}

#[test]
fn uris_match_whole_or_by_their_segments() {
    let set = r#"{"resourceType":"ValueSet","url":"http://acme.org/fhir/ValueSet/123"}"#;
    check(set, &[
        ("url=http://acme.org/fhir/ValueSet/123", true),
        ("url=http://acme.org/fhir/ValueSet", false),
        ("url=HTTP://acme.org/fhir/ValueSet/123", false), // precise
        ("url:below=http://acme.org/fhir/", true),
        ("url:below=http://acme.org/fhir", true),
        ("url:below=http://acme.org/fh", false),
        ("url:below=http://acme.org/fhir/ValueSet/123", true),
        ("url:above=http://acme.org/fhir/ValueSet/123/_history/5", true),
        ("url:above=http://acme.org/fhir/ValueSet/123", true),
        ("url:above=http://acme.org/fhir/ValueSet/1234", false),
        ("url:above=http://acme.org/fhir", false),
    ]);
    check(r#"{"resourceType":"ValueSet","url":"urn:oid:1.2.3"}"#, &[("url=urn:oid:1.2.3", true), ("url=urn:oid:1.2", false)]);
}

#[test]
fn the_parts_of_a_composite_lie_in_one_element() {
    let pressure = r#"{"resourceType":"Observation","code":{"coding":[{"code":"bp"}]},"valueQuantity":{"value":1},"component":[
        {"code":{"coding":[{"system":"http://loinc.org","code":"8480-6"}]},"valueQuantity":{"value":107,"code":"mm[Hg]"}},
        {"code":{"coding":[{"system":"http://loinc.org","code":"8462-4"}]},"valueQuantity":{"value":60,"code":"mm[Hg]"}}]}"#;
    check(pressure, &[
        ("component-code-value-quantity=http://loinc.org|8480-6$107", true),
        ("component-code-value-quantity=8480-6$lt110||mm[Hg]", true),
        ("component-code-value-quantity=8480-6$lt100", false),
        ("component-code-value-quantity=8480-6$60", false),
        ("component-code-value-quantity=8462-4$60", true),
        ("component-code-value-quantity=8462-4$107,8462-4$60", true),
        ("component-code-value-quantity=bp$1", false),
        ("combo-code-value-quantity=bp$1", true),
        ("combo-code-value-quantity=8480-6$107", true),
        ("combo-code-value-quantity=bp$107", false),
        ("code-value-quantity=bp$1", true),
        ("code-value-quantity=bp$107", false),
        ("code-value-quantity=8480-6$107", false),
    ]);
    let documents = r#"{"resourceType":"DocumentReference","relatesTo":[{"code":"replaces","target":{"reference":"DocumentReference/1"}},{"code":"appends","target":{"reference":"DocumentReference/2"}}]}"#;
    // the parts stand in the order of their definitions: relatesto is the target, relation the code
    check(documents, &[("relationship=DocumentReference/1$replaces", true), ("relationship=DocumentReference/2$replaces", false), ("relationship=2$appends", true)]);
    // a component that is defined from the resource lies outside of the element
    let sequence = r#"{"resourceType":"MolecularSequence","referenceSeq":{"chromosome":{"coding":[{"code":"1"}]},"windowStart":10,"windowEnd":90},"variant":[{"start":20,"end":30},{"start":40,"end":50}]}"#;
    check(sequence, &[
        ("chromosome-variant-coordinate=1$ge20$le30", true),
        ("chromosome-variant-coordinate=1$20$50", false),
        ("chromosome-variant-coordinate=2$20$30", false),
        ("chromosome-window-coordinate=1$10$90", true),
    ]);
}

#[test]
fn the_type_is_a_condition_like_another() {
    let patient = r#"{"resourceType":"Patient","name":[{"family":"a"}]}"#;
    check(patient, &[("Patient", true), ("Patient?family=a", true), ("Practitioner?family=a", false), ("Person", false), ("family=a", true), ("Observation?code:missing=true", false), ("", true)]);
}
