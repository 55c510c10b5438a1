//! Modifiers, and forms of values that only some parameters take.

use super::spec::{check, observation};
use crate::index::query::{ErrorKind, Query};

fn refused(text: &str) -> ErrorKind {
    Query::parse(text).map_or_else(|error| error.kind, |_| panic!("{text} is taken"))
}

#[test]
fn names_are_found_by_their_sound() {
    let patient = r#"{"resourceType":"Patient","name":[{"family":"Ashcraft-Gutiérrez","given":["Robert"]},{"text":"Jón 한국어"}]}"#;
    check(patient, &[
        ("Patient?phonetic=Rupert", true),
        ("phonetic=ashcroft", true),
        ("phonetic=gutteres", true),
        ("phonetic=John", true),
        ("phonetic=한국어", true),
        ("phonetic=Smith", false),
        ("phonetic=Smith,Rupert", true),
        ("phonetic=Rupert&phonetic=Ashcroft", true),
        ("phonetic:missing=false", true),
        ("name=rupert", false),
    ]);
    check(r#"{"resourceType":"Organization","name":"Health Level Seven"}"#, &[("Organization?phonetic=Helth", true), ("phonetic=savvan", true), ("phonetic=six", false)]);
    assert_eq!(refused("Patient?phonetic:exact=a"), ErrorKind::Invalid);
    assert_eq!(refused("Patient?phonetic=--"), ErrorKind::Invalid);
    assert_eq!(refused("Patient?phonetic=John+Smith"), ErrorKind::Invalid);
}

#[test]
fn whole_texts_of_names_and_addresses_are_searched_too() {
    let patient = r#"{"resourceType":"Patient","name":[{"use":"official","text":"Dr. Eve Everywoman","suffix":["PhD"],"period":{"start":"2000"}}],
        "address":[{"use":"home","text":"137 Nowhere Street, Erewhon","district":"Madison","postalCode":"9132"}]}"#;
    check(patient, &[
        ("name=dr eve every", true),
        ("name=phd", true),
        ("name=official", false),
        ("name:exact=Dr. Eve Everywoman", true),
        ("name:exact=Dr Eve Everywoman", false),
        ("name:contains=everywoman", true),
        ("address=137 nowhere street erewhon", true),
        ("address=madison", true),
        ("address=9132", true),
        ("address=home", false),
        ("family=eve", false),
        ("address-postalcode=913", true),
    ]);
}

#[test]
fn text_is_that_of_a_display() {
    let subject = observation(r#""subject":{"reference":"Patient/1","display":"Émile Smith"},"performer":[{"display":"Dr. House"}]"#);
    check(&subject, &[
        ("Observation?subject:text=emile", true),
        ("subject:text=smith", false),
        ("performer:text=dr house", true),
        ("patient:text=emile", true),
        ("subject=Patient/1", true),
        ("subject:missing=false", true),
        ("performer:missing=false", true),
        ("encounter:text=a", false),
    ]);
    // an identifier that says what it is, but not its value
    check(r#"{"resourceType":"RelatedPerson","identifier":[{"use":"official","type":{"text":"BSN"}}]}"#, &[
        ("RelatedPerson?identifier:text=BSN", true),
        ("identifier:missing=false", true),
        ("identifier=BSN", false),
    ]);
    assert_eq!(refused("Observation?subject:text-advanced=a"), ErrorKind::NotSupported);
    assert_eq!(refused("Observation?code:text-advanced=a"), ErrorKind::NotSupported);
    assert_eq!(refused("Patient?name:text=a"), ErrorKind::NotSupported);
}

#[test]
fn code_text_is_the_start_of_a_code() {
    let patient = r#"{"resourceType":"Patient","communication":[{"language":{"coding":[{"system":"urn:ietf:bcp:47","code":"en-AU"}]}}],"gender":"female"}"#;
    check(patient, &[("Patient?language:code-text=EN", true), ("language:code-text=en-au", true), ("language:code-text=au", false), ("language=en", false), ("gender:code-text=fem", true)]);
    assert_eq!(refused("Patient?name:code-text=a"), ErrorKind::Invalid);
}

#[test]
fn a_mime_type_is_found_with_its_parameters() {
    let of = |mime: &str| format!(r#"{{"resourceType":"DocumentReference","content":[{{"attachment":{{"contentType":"{mime}"}}}}]}}"#);
    check(&of("text/xml; charset=UTF-8"), &[
        ("DocumentReference?contenttype=text/xml", false),
        ("contenttype:below=text/xml", true),
        ("contenttype:below=text", false),
        ("contenttype:below=text/xm", false),
        ("contenttype:below=text/html,text/xml", true),
    ]);
    check(&of("text/xml"), &[("contenttype:below=text/xml", true), ("contenttype=text/xml", true)]);
    assert_eq!(refused("DocumentReference?type:below=text/xml"), ErrorKind::NotRowLocal);
}

#[test]
fn a_canonical_is_found_by_its_business_version() {
    let of = |canonical: &str| format!(r#"{{"resourceType":"QuestionnaireResponse","questionnaire":"{canonical}"}}"#);
    let below = |canonical: &str, cases: &[(&str, bool)]| {
        let cases: Vec<(String, bool)> = cases.iter().map(|(value, expected)| (format!("QuestionnaireResponse?questionnaire{value}"), *expected)).collect();
        check(&of(canonical), &cases.iter().map(|(q, e)| (q.as_str(), *e)).collect::<Vec<_>>());
    };
    below("http://acme.com/some-profile|1.1", &[
        (":below=http://acme.com/some-profile", true),
        (":below=http://acme.com/some-profile|1", true),
        (":below=http://acme.com/some-profile|1.1", true),
        (":below=http://acme.com/some-profile|1.10", false),
        (":below=http://acme.com/some-profile|2", false),
        (":below=http://acme.com", false),
        (":above=http://acme.com/some-profile|1.1.5", true),
        (":above=http://acme.com/some-profile|1", false),
        (":above=http://acme.com/some-profile", false),
        ("=http://acme.com/some-profile", true),
        ("=http://acme.com/some-profile|1.1", true),
        ("=http://acme.com/some-profile|1", false),
        (":missing=false", true),
    ]);
    below("http://acme.com/some-profile", &[(":below=http://acme.com/some-profile", true), (":below=http://acme.com/some-profile|1", false), (":above=http://acme.com/some-profile|1", true)]);
    // a hierarchy of resources is not told by one of them
    assert_eq!(refused("Procedure?location:below=42"), ErrorKind::NotRowLocal);
    assert_eq!(refused("Procedure?location:above=Location/42"), ErrorKind::NotRowLocal);
}

#[test]
fn a_definition_is_found_by_its_own_address_and_version() {
    let set = r#"{"resourceType":"ValueSet","url":"http://acme.org/fhir/ValueSet/123","version":"4.0.1"}"#;
    check(set, &[
        ("ValueSet?url=http://acme.org/fhir/ValueSet/123|4.0.1", true),
        ("ValueSet?url=http://acme.org/fhir/ValueSet/123|4.0", false),
        ("ValueSet?url=http://acme.org/fhir/ValueSet/12|4.0.1", false),
        ("ValueSet?url=http://x|1,http://acme.org/fhir/ValueSet/123|4.0.1", true),
        ("url=http://acme.org/fhir/ValueSet/123|4.0.1", true),
    ]);
}

#[test]
fn a_type_narrows_a_reference_that_may_have_several() {
    let of = |reference: &str| observation(&format!(r#""performer":[{{"reference":"{reference}"}},{{"reference":"Organization/x"}}]"#));
    check(&of("Practitioner/7"), &[
        ("Observation?performer:Practitioner=7", true),
        ("performer:Practitioner=Practitioner/7", true),
        ("performer:Organization=7", false),
        ("performer:Organization=x", true),
        ("performer:Patient=7", false),
        ("performer=7", true),
        ("performer:Practitioner=7,8", true),
        ("performer:Practitioner=8", false),
    ]);
    check(&of("Practitioner/7/_history/2"), &[("performer:Practitioner=7", true)]);
    assert_eq!(refused("Observation?performer:HumanName=7"), ErrorKind::Invalid);
    assert_eq!(refused("Observation?performer:practitioner=7"), ErrorKind::Invalid);
}

#[test]
fn not_is_about_all_values_of_a_resource() {
    // https://hl7.org/fhir/R4/search.html#token: the negation applies to the set, not each individual entry
    let composition = r#"{"resourceType":"Composition","section":[{"code":{"coding":[{"code":"48765-2"}]}},{"code":{"coding":[{"code":"1"}]}}]}"#;
    check(composition, &[
        ("Composition?section=48765-2", true),
        ("section:not=48765-2", false),
        ("section:not=1", false),
        ("section:not=2", true),
        ("section:not=2,1", false),
        ("section:not=2&section:not=3", true),
        ("section:not=2&section:not=1", false),
        ("category:not=a", true),
    ]);
    for modified in ["birthdate:not=2000", "name:not=a", "general-practitioner:not=Practitioner/1"] {
        assert_eq!(refused(&format!("Patient?{modified}")), ErrorKind::Invalid, "{modified}");
    }
}

#[test]
fn missing_applies_to_every_type_but_composites() {
    let rich = r#"{"resourceType":"Observation","code":{"text":"a"},"subject":{"display":"b"},"effectiveDateTime":"2013","valueQuantity":{"unit":"mg"}}"#;
    let names = ["code", "subject", "date", "value-quantity"];
    for name in names {
        check(rich, &[(&format!("Observation?{name}:missing=false"), true), (&format!("Observation?{name}:missing=true"), false)]);
        check(r#"{"resourceType":"Observation"}"#, &[(&format!("Observation?{name}:missing=false"), false), (&format!("Observation?{name}:missing=true"), true)]);
    }
    check(r#"{"resourceType":"ValueSet","url":"http://x"}"#, &[("url:missing=false", true), ("ValueSet?reference:missing=true", true)]);
    check(r#"{"resourceType":"RiskAssessment"}"#, &[("probability:missing=true", true), ("RiskAssessment?probability:missing=false", false)]);
    assert_eq!(refused("Observation?code-value-quantity:missing=true"), ErrorKind::Invalid);
    assert_eq!(refused("Observation?code:missing=TRUE"), ErrorKind::Invalid);
}

#[test]
fn escapes_stand_in_every_part_of_a_value() {
    let odd = observation(r#""code":{"coding":[{"system":"http://a,b|c$d","code":"x$y,z|\\"}]},"valueQuantity":{"value":5,"system":"urn:u|1,2","code":"a$b"},"subject":{"identifier":{"system":"s|,","value":"v$|"}}"#);
    let (system, code) = (r"http://a\,b\|c\$d", r"x\$y\,z\|\\");
    check(&odd, &[
        (&format!("code={system}|{code}"), true),
        (&format!("code={system}|"), true),
        (&format!("code=nothing,{system}|{code}"), true),
        (&format!("code:not={system}|{code}"), false),
        (r"value-quantity=5|urn:u\|1\,2|a\$b", true),
        (r"value-quantity=5||a\$b", true),
        (r"value-quantity=5|urn:u\|1\,2|", true),
        (r"value-quantity=5|urn:u|", false),
        (&format!(r"code-value-quantity={system}|{code}$5|urn:u\|1\,2|a\$b"), true),
        (&format!(r"code-value-quantity={code}$gt4||a\$b"), true),
        (&format!(r"code-value-quantity={code}$gt5||a\$b"), false),
        (r"subject:identifier=s\|\,|v\$\|", true),
    ]);
    let patient = r#"{"resourceType":"Patient","identifier":[{"type":{"coding":[{"system":"t|","code":"M,R"}]},"value":"1$|2"}],"name":[{"family":"a,b|c\\d$e"}]}"#;
    check(patient, &[(r"identifier:of-type=t\||M\,R|1\$\|2", true), (r"family:exact=a\,b\|c\\d\$e", true), (r"family:exact=a\,b|c\\d$e", true), (r"name:contains=b\|c\\", true)]);
    // a backslash at the end, and before what needs none
    check(patient, &[(r"family:exact=\a\,b\|c\\d\$e", true), (r"family:exact=a\,b\|c\\d\$e\", true)]);
}
