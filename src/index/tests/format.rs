//! The bytes on disk. A change of any of these is a change of the format: give it a new `keys::VERSION`, and keep the reader
//! of the old one, because lakes hold such bytes. (A change of `parameter-keys.tsv` or `systems.tsv` that shows here renumbers
//! what is on disk, and is never right: the two only grow.)

use super::super::keys::VERSION;
use super::{Keys, keys_of};

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// The head of the body, then each entry, on a line of its own.
fn body(resource: &str) -> Vec<String> {
    let body = keys_of(resource);
    let mut rest = &body[2 + usize::from(body[1])..];
    let mut lines = vec![hex(&body[..body.len() - rest.len()])];
    while let [low, ref after @ ..] = *rest {
        let (head, length) = match after {
            [high, ..] if low >= 0x80 => (2, usize::from(low & 0x7f) | usize::from(*high) << 7),
            _ => (1, usize::from(low)),
        };
        let (entry, after) = rest.split_at(head + length);
        lines.push(hex(entry));
        rest = after;
    }
    lines
}

/// Each key of the index on a line, sorted.
fn index_keys(resource: &str) -> Vec<String> {
    let body = keys_of(resource);
    let mut keys = Vec::new();
    Keys::read(&body).unwrap().for_each_key(&mut |key| keys.push(hex(key)));
    keys.sort();
    keys.dedup();
    keys
}

const PATIENT: &str = r#"{"resourceType":"Patient","id":"a","active":true,"gender":"female","birthDate":"1984-02","name":[{"family":"Šmíd","given":["Ö"]}],
    "identifier":[{"system":"http://x","value":"7","type":{"coding":[{"code":"MR"}]}}],"generalPractitioner":[{"reference":"Practitioner/1/_history/2"}],
    "managingOrganization":{"identifier":{"value":"o"}},"maritalStatus":{"text":"?"}}"#;

const OBSERVATION: &str = r#"{"resourceType":"Observation","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"1-8","display":"One"}]},
    "effectivePeriod":{"start":"2013-01-14T10:00:00.5Z"},
    "component":[{"code":{"text":"c"},"valueQuantity":{"value":-12.50,"comparator":"<","unit":"kilo","system":"http://unitsofmeasure.org","code":"kg"}}]}"#;

const OTHERS: &str = r#"{"resourceType":"RiskAssessment","prediction":[{"probabilityDecimal":0.1},{"probabilityRange":{"low":{"value":2},"high":{"value":1e21}}}],
    "identifier":[{"value":"é"}],"condition":{}}"#;

/// A uri, and a key that is cut and hashed.
const LONG: &str = r#"{"resourceType":"ValueSet","url":"http://a/b","identifier":[{"system":"http://x",
    "value":"0123456789abcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghij012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"}]}"#;

const PLACE: &str = r#"{"resourceType":"Location","position":{"latitude":42.25,"longitude":-83.5}}"#;

/// A family name of two parts, and a reference with a display.
const PERSON: &str = r#"{"resourceType":"Person","name":[{"family":"O Hé-Z"}],"managingOrganization":{"display":"Org"}}"#;

#[test]
fn the_bytes_of_a_body_stay() {
    assert_eq!(body(PLACE), ["01084c6f636174696f6e", "140e010c0000000000002045400000000000e054c0"]);
    assert_eq!(body(PERSON), ["0106506572736f6e", "0c0c010500074f2048c3a92d5a", "060c010d00015a", "0a0c010d000548c3a92d5a", "0819010300034f7267", "0939010e000468303030", "0939010e00046f303030", "0939010e00047a303030"]);
    assert_eq!(index_keys(PLACE), ["010e670000840060", "010e6701052a03c5", "010e70", "ffff634c6f636174696f6e"]);
    assert_eq!(index_keys(PERSON), ["010c6e68657a", "010c6e6f2068657a", "010c6e7a", "010c70", "011970", "013970", "01397868303030", "0139786f303030", "0139787a303030", "ffff63506572736f6e"]);
    assert_eq!(VERSION, 1);
    assert_eq!(body(r#"{"resourceType":"Patient"}"#), ["010750617469656e74", "0b85000100000566616c7365"]);
    assert_eq!(body(PATIENT), [
        "010750617469656e74",
        "0702000100000161",
        "0a12000100000474727565",
        "143b000800002079643637feff0000dfc57d39feff",
        "0b85000100000566616c7365",
        "0bb800050006c5a06dc3ad64",
        "0ec10002000140000666656d616c65",
        "1ec50006001950726163746974696f6e65722f312f5f686973746f72792f32",
        "07c600050002c396",
        "10cf0001000208687474703a2f2f780137",
        "0acf00040000024d520137",
        "070c01050002c396",
        "0b0c01050006c5a06dc3ad64",
        "071901070000016f",
        "0939010e00046f303030",
        "0939010e000473353330",
    ]);
    assert_eq!(body(OBSERVATION), [
        "010b4f62736572766174696f6e",
        "0b4e00010001000003312d38",
        "084e000300034f6e65",
        "0b5500010001000003312d38",
        "0855000300034f6e65",
        "06550003010163",
        "195a000a010001077f7ffdefeeebff010300026b67046b696c6f",
        "065d0003010163",
        "1962000a010001077f7ffdefeeebff010300026b67046b696c6f",
        "148100080020c91b7a3b760100ffffffffffffff7f",
        "0dab01020001dc000566696e616c",
    ]);
    assert_eq!(body(OTHERS), [
        "010e5269736b4173736573736d656e74",
        "0466000000",
        "08cf0001000002c3a9",
        "1046010901020481800002020481800002",
        "1046010902020481800103020481801602",
    ]);
    assert_eq!(body(LONG), [
        "010856616c7565536574",
        "ba01cf0001000208687474703a2f2f78aa01303132333435363738396162636465666768696a6162636465666768696a6162636465666768696a6162636465666768696a6162636465666768696a6162636465666768696a6162636465666768696a303132333435363738393031323334353637383930313233343536373839303132333435363738393031323334353637383930313233343536373839303132333435363738393031323334353637383930313233343536373839",
        "0fd3010b000a687474703a2f2f612f62",
    ]);
}

#[test]
fn the_keys_of_the_index_stay() {
    assert_eq!(index_keys(PATIENT), [
        "00126374727565",
        "001270",
        "003b10800013",
        "003b118000c6",
        "003b128007c0",
        "003b13805d01",
        "003b247fe94b",
        "003b347fe967",
        "00856366616c7365",
        "008570",
        "00b86e736d6964",
        "00b870",
        "00c16366656d616c65",
        "00c170",
        "00c570",
        "00c5720201db31",
        "00c66e6f",
        "00c670",
        "00cf6337",
        "00cf70",
        "00cf7902687474703a2f2f78",
        "010c6e6f",
        "010c6e736d6964",
        "010c70",
        "0119696f",
        "011970",
        "013970",
        "0139786f303030",
        "01397873353330",
        "ffff6350617469656e74",
    ]);
    assert_eq!(index_keys(OBSERVATION), [
        "004e63312d38",
        "004e70",
        "004e73312d3800010000",
        "004e79010000",
        "005d70",
        "00622f800000",
        "0062307ffff7",
        "0062317fffb7",
        "0062327ffd2d",
        "0062337fe3c6",
        "0062756b67",
        "0062756b696c6f",
        "0062af80000067",
        "0062b07ffff467",
        "0062b17fff9c67",
        "0062b27ffc1f67",
        "008120800014",
        "0081218000c9",
        "0081228007dd",
        "008123805e5c",
        "00812480129a",
        "00813f800000",
        "01ab6366696e616c",
        "01ab70",
        "ffff634f62736572766174696f6e",
    ]);
    assert_eq!(index_keys(OTHERS), [
        "006670",
        "00cf63c3a9",
        "00cf70",
        "014610800006",
        "014611800036",
        "01461280021c",
        "014613801518",
        "014620800007",
        "014621800040",
        "014622800280",
        "014623801900",
        "014630800010",
        "014631800098",
        "0146328005f9",
        "014633803bc3",
        "ffff635269736b4173736573736d656e74",
    ]);
    assert_eq!(index_keys(LONG), [
        "00cf63303132333435363738396162636465666768696a6162636465666768696a6162636465666768696a6162636465666768696a6162636465666768696a6162636465666768696a6162636465666768696a30313233343536373839303132333435363738393031323334353637383930313233343536373839303132333435363738393031323334353637383930313233343536373879e7779d747e3e26",
        "00cf70",
        "00cf7902687474703a2f2f78",
        "01d370",
        "01d376687474703a2f2f612f62",
        "ffff6356616c7565536574",
    ]);
}

#[test]
fn every_kind_of_value_is_in_the_samples() {
    let mut tags = std::collections::BTreeSet::new();
    for resource in [PATIENT, OBSERVATION, OTHERS, LONG, PLACE, PERSON] {
        let body = keys_of(resource);
        assert!(Keys::is_valid(&body));
        for entry in Keys::read(&body).unwrap().entries() {
            tags.insert(format!("{:?}", std::mem::discriminant(&entry.value)));
        }
    }
    assert_eq!(tags.len(), 15);
}
