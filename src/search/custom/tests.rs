use super::*;
use crate::index::Keys;

fn node(text: &str) -> Vec<u8> {
    json::parse(text.as_bytes(), &json::Limits::default()).unwrap()
}

fn parameter(text: &str) -> Result<CustomParameter> {
    let container = node(text);
    CustomParameter::read(json::root(&container).unwrap(), &mut |url| Ok((url == "http://x.org/own").then_some(ParameterType::Token)))
}

fn argument(text: &str) -> Argument {
    crate::index::query::arguments(text).unwrap().1.remove(0)
}

/// Whether a resource satisfies an argument on a parameter of its type.
fn finds(parameter: &CustomParameter, resource: &str, text: &str) -> bool {
    let resource = node(resource);
    let resource = json::root(&resource).unwrap();
    let ty = resource.get("resourceType").and_then(Node::as_str).and_then(model::type_named).unwrap();
    let definition = node(&parameter.definition(ty).unwrap());
    let body = Reader::read(json::root(&definition).unwrap()).unwrap().keys(resource);
    assert!(Keys::is_valid(&body));
    let query = Query::from_arguments(None, &[parameter.argument(&argument(text)).unwrap()]).unwrap();
    query.matches(Keys::read(&body).unwrap())
}

#[test]
fn each_type_is_found_by_its_forms() {
    let patient = r#"{"resourceType":"Patient","id":"p","gender":"male","multipleBirthInteger":2,"maritalStatus":{"coding":[{"system":"http://m","code":"M"}],"text":"Wed"},
        "extension":[{"url":"http://x.org/when","valueDateTime":"2020-05-01"},{"url":"http://x.org/word","valueString":"Élan"},
            {"url":"http://x.org/weight","valueQuantity":{"value":70.5,"system":"http://unitsofmeasure.org","code":"kg","unit":"kg"}},
            {"url":"http://x.org/ref","valueReference":{"reference":"Organization/o"}},{"url":"http://x.org/uri","valueUri":"http://a/b"}]}"#;
    for (ty, expression, yes, no) in [
        ("token", "Patient.maritalStatus", "x=http://m|M", "x=http://m|S"),
        ("token", "Patient.maritalStatus", "x=M,S", "x:not=M"),
        ("token", "Patient.maritalStatus", "x:text=wed", "x:missing=true"),
        ("token", "Patient.gender", "x=http://hl7.org/fhir/administrative-gender|male", "x=MALE"),
        ("token", "Patient.deceased.exists()", "x=false", "x=true"),
        ("token", "Patient.extension('http://x.org/word').value", "x=ELAN", "x=elan2"),
        ("string", "Patient.extension('http://x.org/word').value", "x=ela", "x:exact=Elan"),
        ("string", "Patient.extension('http://x.org/word').value", "x:contains=LAN", "x=lan"),
        ("date", "Patient.extension('http://x.org/when')", "x=ge2020-05", "x=lt2020-05-01"),
        ("date", "Patient.extension('http://x.org/when').value.as(dateTime)", "x=2020", "x=2021"),
        ("number", "Patient.multipleBirth.as(integer)", "x=2", "x=gt2"),
        ("quantity", "Patient.extension('http://x.org/weight').value", "x=gt70|http://unitsofmeasure.org|kg", "x=70.5||g"),
        ("reference", "Patient.extension('http://x.org/ref').value", "x=Organization/o", "x=Organization/p"),
        ("reference", "Patient.extension('http://x.org/ref').value", "x=o", "x=q"),
        ("uri", "Patient.extension('http://x.org/uri').value", "x=http://a/b", "x=http://a"),
        ("uri", "Patient.extension('http://x.org/uri').value", "x:below=http://a", "x:below=http://b"),
    ] {
        let p = parameter(&format!(
            r#"{{"resourceType":"SearchParameter","code":"x","type":"{ty}","base":["Patient"],"expression":"{expression}","target":["Organization"]}}"#
        ));
        let p = p.unwrap();
        assert!(finds(&p, patient, yes), "{ty} {expression} {yes}");
        assert!(!finds(&p, patient, no), "{ty} {expression} {no}");
        assert!(!finds(&p, r#"{"resourceType":"Patient"}"#, yes) || expression.contains("exists"), "{ty} {expression}");
    }
}

#[test]
fn values_of_a_composite_come_from_one_element() {
    let p = parameter(
        r#"{"resourceType":"SearchParameter","code":"c","type":"composite","base":["Observation"],"expression":"Observation.component",
            "component":[{"definition":"http://x.org/own","expression":"code"},
                         {"definition":"http://hl7.org/fhir/SearchParameter/Observation-value-quantity","expression":"value.as(Quantity)"}]}"#,
    )
    .unwrap();
    let pressure = r#"{"resourceType":"Observation","component":[
        {"code":{"coding":[{"system":"l","code":"s"}]},"valueQuantity":{"value":120}},
        {"code":{"coding":[{"system":"l","code":"d"}]},"valueQuantity":{"value":80}}]}"#;
    assert!(finds(&p, pressure, "c=l|s$gt100"));
    assert!(finds(&p, pressure, "c=d$lt100"));
    assert!(!finds(&p, pressure, "c=d$gt100"));
    assert!(finds(&p, pressure, "c=d$gt100,s$120"));
    for bad in ["c=d", "c=d$x", "c:exact=d$1"] {
        assert!(p.argument(&argument(bad)).is_err(), "{bad}");
    }
}

#[test]
fn a_composite_can_reach_back_to_the_resource() {
    let p = parameter(
        r#"{"resourceType":"SearchParameter","code":"c","type":"composite","base":["Observation"],"expression":"Observation.component",
            "component":[{"definition":"http://x.org/own","expression":"%resource.status"},{"definition":"http://x.org/own","expression":"code"}]}"#,
    )
    .unwrap();
    let text = r#"{"resourceType":"Observation","status":"final","component":[{"code":{"coding":[{"code":"s"}]}}]}"#;
    assert!(finds(&p, text, "c=final$s"));
    assert!(!finds(&p, text, "c=s$final"));
}

#[test]
fn what_cannot_be_used_says_why() {
    for (body, what) in [
        (r#""type":"special","expression":"Patient.id""#, "special"),
        (r#""type":"token""#, "no expression"),
        (r#""type":"composite","expression":"Patient.name""#, "0 components"),
        (r#""type":"composite","expression":"Patient.name","component":[{"definition":"http://none","expression":"x"}]"#, "http://none"),
    ] {
        let error = parameter(&format!(r#"{{"resourceType":"SearchParameter","code":"x","base":["Patient"],{body}}}"#)).unwrap_err();
        assert!(error.message.contains(what), "{}", error.message);
    }
    for expression in ["Patient.nothing", "Patient.name.", "Patient.name.replace('a','b')", "'a'"] {
        let text = format!(r#"{{"resourceType":"SearchParameter","code":"x","base":["Patient"],"type":"token","expression":"{expression}"}}"#);
        let error = parameter(&text).unwrap().definition(model::type_named("Patient").unwrap()).unwrap_err();
        assert!(error.message.contains("\"x\"") && error.message.contains("at offset"), "{}", error.message);
    }
    let p = parameter(r#"{"resourceType":"SearchParameter","code":"x","base":["Patient"],"type":"date","expression":"Patient.birthDate"}"#).unwrap();
    let error = p.argument(&argument("x=yesterday")).unwrap_err();
    assert!(error.message.contains("\"x\"") && !error.message.contains('$'), "{}", error.message);
}

#[test]
fn bases_stand_for_what_derives_from_them() {
    let p = parameter(r#"{"resourceType":"SearchParameter","code":"x","base":["DomainResource"],"type":"token","expression":"DomainResource.extension('http://x.org/t').value"}"#).unwrap();
    assert!(p.concrete_bases().count() > 140);
    assert!(finds(&p, r#"{"resourceType":"Device","extension":[{"url":"http://x.org/t","valueCode":"a"}]}"#, "x=a"));
}
