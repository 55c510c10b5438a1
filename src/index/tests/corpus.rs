//! Resources to search: the specification's examples, and some with odd values.

use super::super::decimal::{Bound, Decimal, Span};
use super::super::keys::{Entry, Value, Writer};
use super::super::time::{self, Interval};
use super::keys_of;
use crate::model;
use std::io::Read;

/// The examples of the specification, where the folder of official data is at hand.
pub fn examples() -> Option<Vec<Vec<u8>>> {
    Some(example_texts()?.iter().map(|text| keys_of(text)).collect())
}

pub fn example_texts() -> Option<Vec<String>> {
    let folder = std::env::var("FHIRLAKE_DATA").unwrap_or_else(|_| "../shared/data".to_owned());
    let Ok(file) = std::fs::File::open(format!("{folder}/r4/r4-examples.ndjson.gz")) else {
        println!("skipped: no examples of the specification in {folder}");
        return None;
    };
    let mut text = String::new();
    flate2::read::MultiGzDecoder::new(file).read_to_string(&mut text).unwrap();
    Some(text.lines().filter(|l| !l.trim().is_empty()).map(str::to_owned).collect())
}

/// Resources and bare values that test the edges: of time, of numbers, of lengths, of alphabets, of what is half there.
pub fn odd() -> Vec<Vec<u8>> {
    let mut documents: Vec<Vec<u8>> = RESOURCES.iter().map(|r| keys_of(r)).collect();
    let long = |n: usize| "abcdefghij ".repeat(n);
    for n in [8, 9, 10, 14, 40] {
        // about where keys are cut
        let (text, dense) = (long(n), "x/é".repeat(n * 3));
        documents.push(keys_of(&format!(
            r#"{{"resourceType":"Patient","name":[{{"family":"{text}","given":["{dense}"]}}],"identifier":[{{"system":"http://{dense}","value":"{dense}"}}],
                "generalPractitioner":[{{"reference":"http://x/{dense}/Practitioner/1/_history/{n}"}}]}}"#
        )));
        documents.push(keys_of(&format!(r#"{{"resourceType":"ValueSet","url":"http://{dense}","name":"{text}","version":"{dense}"}}"#)));
        documents.push(keys_of(&format!(r#"{{"resourceType":"ValueSet","url":"http://{dense}/{n}","name":"{text}{n}","version":"{dense}{n}"}}"#)));
    }
    for year in ["0001", "0999", "1582", "1799", "1800", "1899", "1900", "1999", "2000", "2099", "2100", "9999"] {
        for rest in ["", "-01", "-12", "-02-28", "-12-31", "-01-01T00:00:00Z", "-12-31T23:59:59.999999+14:00", "-06-30T23:59:60Z"] {
            documents.push(keys_of(&format!(r#"{{"resourceType":"Observation","effectiveDateTime":"{year}{rest}"}}"#)));
        }
        documents.push(keys_of(&format!(r#"{{"resourceType":"Encounter","period":{{"start":"{year}"}}}}"#)));
        documents.push(keys_of(&format!(r#"{{"resourceType":"Encounter","period":{{"end":"{year}-03"}}}}"#)));
        documents.push(keys_of(&format!(r#"{{"resourceType":"Encounter","period":{{"start":"1850-05","end":"{year}-03"}}}}"#)));
    }
    for value in NUMBERS {
        for comparator in ["", "<", "<=", ">=", ">"] {
            documents.push(keys_of(&format!(
                r#"{{"resourceType":"Observation","valueQuantity":{{"value":{value},"comparator":"{comparator}","unit":"mg","system":"http://unitsofmeasure.org","code":"mg"}}}}"#
            )));
        }
        documents.push(keys_of(&format!(r#"{{"resourceType":"RiskAssessment","prediction":[{{"probabilityDecimal":{value}}}]}}"#)));
        for (low, high) in [("-1", value), (value, "7.5"), (value, value)] {
            documents.push(keys_of(&format!(
                r#"{{"resourceType":"Measure","useContext":[{{"valueRange":{{"low":{{"value":{low}}},"high":{{"value":{high},"unit":"a"}}}}}}]}}"#
            )));
        }
    }
    documents.push(written_by_hand());
    documents
}

pub const NUMBERS: [&str; 29] = [
    "0", "0.0", "-0.5", "1", "1.0", "1.5", "-1", "9.99", "9.995", "99.5", "100", "100.00", "-100.4", "1e-3", "1e-12", "1.005e-12", "9e-13", "1e-30", "1e20",
    "9.99e19", "1e21", "-1e25", "1e-6", "9e-7", "1.005e-6", "-1e-7", "9.99e9", "9.995e9", "1e10",
];

/// Values that resources seldom or never give.
fn written_by_hand() -> Vec<u8> {
    let key = |code: &str| model::keys_of_code(code).next().unwrap().0;
    let mut writer = Writer::new("Observation");
    let tiny = Decimal::parse("1e-30000").unwrap().encode();
    let huge = Decimal::parse("-9.9e29999").unwrap().encode();
    let exact = Decimal::parse(&"123456789".repeat(10)).unwrap().encode();
    let mut put = |code: &str, element, value| {
        writer.push(&Entry { parameter: key(code), element, value });
        // what holds all its values
        let whole = ["combo-code", "combo-value-quantity"].into_iter().find(|combo| combo.strip_prefix("combo-") == Some(code));
        let patient = (code == "subject" && matches!(value, Value::Reference(r) if r.starts_with("Patient/"))).then_some("patient");
        whole.into_iter().chain(patient).for_each(|combo| writer.push(&Entry { parameter: key(combo), element, value }));
    };
    for (n, value) in [&tiny, &huge, &exact].into_iter().enumerate() {
        let span = Span { low: Bound::Closed(value), high: Bound::Closed(value) };
        put("value-quantity", n as u32, Value::Quantity { span, system: None, code: None, unit: Some("x") });
        put("value-quantity", n as u32, Value::Quantity { span: Span { low: Bound::Infinite, high: Bound::Open(value) }, system: None, code: None, unit: None });
    }
    put("value-quantity", 70_000, Value::Quantity { span: Span { low: Bound::Infinite, high: Bound::Infinite }, system: None, code: None, unit: None });
    for (low, high) in [(time::OPEN_LOW, time::OPEN_HIGH), (0, 1), (-1, 1), (time::OPEN_LOW + 1, time::OPEN_HIGH - 1), (time::OPEN_LOW, 0)] {
        put("date", 0, Value::Date(Interval { low, high }));
    }
    put("code", 0, Value::Token { system: Some(""), code: "" });
    put("code", 0, Value::Token { system: Some("a|b"), code: "c|d,e$f\\g" });
    put("value-string", 0, Value::String("\u{301}"));
    put("subject", 0, Value::Reference("|only-a-version"));
    put("subject", 0, Value::Reference("a/_history/1|2"));
    put("subject", 0, Value::Reference("Patient/1|2"));
    writer.finish()
}

/// Of each kind of value some that are odd: half there, doubled, of the wrong type, in other alphabets.
pub const RESOURCES: [&str; 47] = [
    r#"{"resourceType":"Location","position":{"latitude":42.256500,"longitude":-83.694810,"altitude":0}}"#,
    r#"{"resourceType":"Location","position":{"latitude":-90,"longitude":180}}"#,
    r#"{"resourceType":"Location","position":{"latitude":0.05,"longitude":-179.95}}"#,
    r#"{"resourceType":"Location","position":{"latitude":1e-7,"longitude":179.999999}}"#,
    r#"{"resourceType":"Location","position":{"latitude":91,"longitude":0}}"#,
    r#"{"resourceType":"Location","position":{"latitude":"42","longitude":0}}"#,
    r#"{"resourceType":"Condition","subject":{"reference":"Patient/1|2"},"asserter":{"reference":"Patient/x/_history/2"},"encounter":{"reference":"http://x.org/Patient/1"}}"#,
    r#"{}"#,
    r#"[]"#,
    r#"{"resourceType":"Patient"}"#,
    r#"{"resourceType":"Unknown","id":"a"}"#,
    r#"{"resourceType":"Patient","id":"a","gender":"male","birthDate":"1970-02-28","active":true,"deceasedBoolean":false}"#,
    r#"{"resourceType":"Patient","gender":"not-a-code","birthDate":"yesterday","active":"true","deceasedDateTime":"2020-02-30"}"#,
    r#"{"resourceType":"Patient","_gender":{"extension":[{"url":"http://x","valueCode":"a"}]},"name":[{"_family":{"id":"a"}}],"maritalStatus":{"extension":[{"url":"http://x"}]}}"#,
    r#"{"resourceType":"Patient","name":[{"family":"José Müller-Straße","given":["Ὀδυσσεύς","ﬁ","ＡＢＣ","İstanbul","한국어","😀 smile"]},{"text":"A,B|C$D\\E&F=G+H%I#J"}]}"#,
    r#"{"resourceType":"Patient","name":[{"family":"É","given":["e\u0301","\u0301","  two  spaces ","\ttab\n"]}],"address":[{"line":["1, Main St."],"city":"Å","state":"","country":null}]}"#,
    r#"{"resourceType":"Patient","name":"not a list","address":{"city":"Oslo","line":"no list"},"telecom":{"system":"phone","value":"+1 (555) 1,2"}}"#,
    r#"{"resourceType":"Patient","identifier":[{"system":"http://a","value":"1"},{"value":"2"},{"system":"http://only-system"},{"system":"http://a","value":""},{}]}"#,
    r#"{"resourceType":"Patient","identifier":[{"type":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v2-0203","code":"MR"},{"code":"X"}],"text":"Record number"},"system":"http://a","value":"a|b"}]}"#,
    r#"{"resourceType":"Patient","telecom":[{"system":"phone","value":"a"},{"system":"email","value":"A@b.c"},{"system":"fax"},{"value":"x"}],"communication":[{"language":{"text":"Deutsch"}}]}"#,
    r#"{"resourceType":"Patient","link":[{"other":{"reference":"Patient/1"}},{"other":{"reference":"Patient/1|2"}},{"other":{"reference":"Patient/1/_history/2"}}]}"#,
    r##"{"resourceType":"Observation","subject":{"reference":"#p"},"contained":[{"resourceType":"Patient","id":"p"}],"focus":[{"reference":""},{"display":"x"}]}"##,
    r#"{"resourceType":"Observation","subject":{"reference":"Patient/1"},"encounter":{"reference":"http://x.org/fhir/Encounter/1"},"performer":[{"reference":"urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0"},{"reference":"Organization/1/_history/3"}]}"#,
    r#"{"resourceType":"Observation","subject":{"identifier":{"system":"http://a","value":"1|2"}},"performer":[{"identifier":{"value":"x,y"}},{"identifier":{"system":"http://b"}}]}"#,
    r#"{"resourceType":"Observation","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"1-8","display":"One"},{"system":"http://loinc.org"},{"code":"bare"},{"display":"only a display"}],"text":"One"}}"#,
    r#"{"resourceType":"Observation","status":"final","code":{"coding":{"system":"http://loinc.org","code":"no list"}},"category":{"text":"vital signs"},"valueCodeableConcept":{"coding":[{"system":"http://snomed.info/sct","code":"1"},{"system":"http://snomed.info/sct","code":"1"}],"text":"x"}}"#,
    r#"{"resourceType":"Observation","code":{"coding":[{"system":"http://a|b","code":"c|d"},{"system":"http://a\\","code":"\\"},{"code":"a,b"},{"code":"$"},{"code":"100%"},{"code":"a b"}]}}"#,
    r#"{"resourceType":"Observation","code":{"coding":[{"code":"c"}]},"valueQuantity":{"unit":"mg"},"component":[{"code":{"coding":[{"code":"c1"}]},"valueQuantity":{"value":1}},{"code":{"coding":[{"code":"c2"}]},"valueQuantity":{"value":2,"code":"kg"}}]}"#,
    r#"{"resourceType":"Observation","code":{"coding":[{"code":"c1"}]},"valueString":"Some Text","component":{"code":{"coding":[{"code":"c2"}]},"valueString":"no list"}}"#,
    r#"{"resourceType":"Observation","effectivePeriod":{"start":"2013-01-21","end":"2012"},"issued":"2013-01-21T10:00:00.123456789Z","valueDateTime":"2013-01"}"#,
    r#"{"resourceType":"Observation","effectivePeriod":{},"valuePeriod":{"start":"2013-01-21T10:00:00+02:00"}}"#,
    r#"{"resourceType":"Observation","effectiveTiming":{"event":["2013-03-14","2013-01-21T10:00Z"],"repeat":{"boundsPeriod":{"start":"2012"}}}}"#,
    r#"{"resourceType":"Observation","effectiveTiming":{"repeat":{"frequency":3,"boundsDuration":{"value":3}}},"effectiveInstant":"2013-01-21T10:00:00Z"}"#,
    r#"{"resourceType":"Observation","valueSampledData":{"origin":{"value":2},"period":1,"dimensions":1,"data":"E"},"valueQuantity":{"value":"5"},"effectiveDateTime":20130114}"#,
    r#"{"resourceType":"Encounter","status":"finished","class":{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"AMB","display":"ambulatory"},"period":{"start":"2013-01-21","end":"2013-01-21"},"length":{"value":140,"unit":"min","system":"http://unitsofmeasure.org","code":"min"}}"#,
    r#"{"resourceType":"Measure","useContext":[{"code":{"code":"age"},"valueRange":{"low":{"value":5},"high":{"value":1}}},{"code":{"code":"x"},"valueRange":{"low":{"value":5,"unit":"a"}}},{"code":{"code":"y"},"valueRange":{}}]}"#,
    r#"{"resourceType":"Claim","total":{"value":10.50,"currency":"USD"},"item":[{"sequence":1,"net":{"value":-3}}],"priority":{"coding":[{"code":"normal"}]}}"#,
    r#"{"resourceType":"Invoice","totalNet":{"value":1,"currency":"EUR"},"totalGross":{"value":1.19}}"#,
    r#"{"resourceType":"ValueSet","url":"http://hl7.org/fhir/ValueSet/a","status":"draft","context":"x","compose":{"include":[{"system":"http://loinc.org"},{"system":"urn:oid:1.2.3"}]}}"#,
    r#"{"resourceType":"ValueSet","url":"/","version":"1,0","name":"","title":"a/b"}"#,
    r#"{"resourceType":"ValueSet","url":"urn:a/","version":"2"}"#,
    r#"{"resourceType":"QuestionnaireResponse","questionnaire":"http://x/Questionnaire/1|1.0","status":"completed","item":[{"linkId":"1"}],"authored":"2013-01-21T10:00:00-14:00"}"#,
    r#"{"resourceType":"MolecularSequence","coordinateSystem":0,"referenceSeq":{"chromosome":{"coding":[{"code":"1"}]},"referenceSeqId":{"coding":[{"code":"NC_1"}]},"windowStart":1,"windowEnd":10},"variant":[{"start":2,"end":3},{"start":20,"end":30}]}"#,
    r#"{"resourceType":"RiskAssessment","prediction":[{"probabilityDecimal":0.1},{"probabilityRange":{"low":{"value":0.2},"high":{"value":0.30}}},{"probabilityRange":{"high":{"value":0.05}}}]}"#,
    r#"{"resourceType":"DocumentReference","relatesTo":[{"code":"replaces","target":{"reference":"DocumentReference/1"}},{"code":"appends","target":{"reference":"DocumentReference/2"}}]}"#,
    r#"{"resourceType":"Bundle","type":"message","entry":[{"resource":{"resourceType":"MessageHeader","id":"m"}},{"resource":{"resourceType":"Patient","id":"p"}}],"timestamp":"2013-01-21T10:00:00Z"}"#,
    r#"{"resourceType":"Goal","target":[{"dueDate":"2013"},{"dueDate":"2014-05-06"}],"startDate":"2012-12","lifecycleStatus":"active"}"#,
];
