//! Patches that want too much, and places where a careless server would fall over.

use super::*;

fn state(resource: &str, patch: &str) -> &'static str {
    refused(resource, patch).0
}

fn nested(levels: usize) -> String {
    format!("{}1{}", "[".repeat(levels), "]".repeat(levels))
}

#[test]
fn indexes_are_whole_numbers_within_the_array() {
    let document = r#"{"a":[1,2],"b":{"0":1}}"#;
    for index in ["-1", "99999999999999999999", "18446744073709551616", "00", "01", "+1", "1.0", "1e0", " 1", "x", "", "--", "~0"] {
        for operation in [
            format!(r#"{{"op":"add","path":"/a/{index}","value":1}}"#),
            format!(r#"{{"op":"remove","path":"/a/{index}"}}"#),
            format!(r#"{{"op":"replace","path":"/a/{index}","value":1}}"#),
            format!(r#"{{"op":"test","path":"/a/{index}","value":1}}"#),
            format!(r#"{{"op":"move","from":"/a/{index}","path":"/c"}}"#),
            format!(r#"{{"op":"copy","from":"/a/{index}/x","path":"/c"}}"#),
            format!(r#"{{"op":"add","path":"/a/{index}/x","value":1}}"#),
        ] {
            assert_eq!(state(document, &format!("[{operation}]")), "FH422", "{operation}");
        }
    }
    assert_eq!(patched(document, r#"[{"op":"remove","path":"/b/0"}]"#), r#"{"a": [1, 2], "b": {}}"#);
}

#[test]
fn paths_through_scalars_and_beside_primitives_lead_where_they_say() {
    let patient = r#"{"resourceType":"Patient","birthDate":"1970","_birthDate":{"id":"x"},"name":[{"given":["a"],"_given":[null]}]}"#;
    for path in ["/birthDate/0", "/birthDate/id", "/name/given/0", "/name/0/given/0/x", "/_given/0", "/name/0/_given/0/id"] {
        assert_eq!(state(patient, &format!(r#"[{{"op":"add","path":"{path}","value":1}}]"#)), "FH422", "{path}");
    }
    assert_eq!(patched(patient, r#"[{"op":"replace","path":"/_birthDate/id","value":"y"}]"#), same(&patient.replace(r#""x""#, r#""y""#)));
    assert_eq!(patched(patient, r#"[{"op":"replace","path":"/name/0/_given/0","value":{"id":"g"}}]"#), same(&patient.replace("[null]", r#"[{"id":"g"}]"#)));
}

#[test]
fn no_key_is_read_as_anything_but_a_key() {
    // what serde_json uses itself for numbers of any precision
    let document = r#"{"$serde_json::private::Number":"7","a":{"$serde_json::private::Number":"8"},"__proto__":{}}"#;
    assert_eq!(patched(document, r#"[{"op":"add","path":"/b","value":{"$serde_json::private::Number":"9"}}]"#), same(&document.replace(r#""__"#, r#""b":{"$serde_json::private::Number":"9"},"__"#)));
    assert_eq!(merged(document, r#"{"a":{"$serde_json::private::Number":null}}"#), same(&document.replace(r#"{"$serde_json::private::Number":"8"}"#, "{}")));
}

#[test]
fn copies_stop_before_the_document_is_too_large() {
    let text = "x".repeat(1 << 20);
    let document = format!(r#"{{"a":["{text}"]}}"#);
    // each doubles the array
    let patch = format!("[{}]", vec![r#"{"op":"copy","from":"/a","path":"/a/-"}"#; 60].join(","));
    let (state, message) = refused(&document, &patch);
    assert_eq!(state, "54000");
    assert!(message.starts_with("operation 7 of 60, copy \"/a/-\": document exceeds the 64 MiB"), "{message}");
    // also where each copy takes the place of the one before
    let patch = format!("[{}]", vec![r#"{"op":"copy","from":"/a","path":"/b"}"#; 100].join(","));
    assert_eq!(self::state(&document, &patch), "54000");
    // many small values count for what their tree takes
    let zeros = format!(r#"{{"a":[{}]}}"#, vec!["0"; 1 << 20].join(","));
    assert_eq!(self::state(&zeros, r#"[{"op":"copy","from":"/a","path":"/b"},{"op":"copy","from":"/a","path":"/c"}]"#), "54000");
    // a number of few bytes has many digits
    let numbers = format!(r#"{{"a":[{}]}}"#, vec!["1e100000"; 40].join(","));
    let patch = format!("[{}]", vec![r#"{"op":"copy","from":"/a","path":"/b"}"#; 20].join(","));
    assert_eq!(self::state(&numbers, &patch), "54000");
}

#[test]
fn a_patch_does_not_move_a_long_array_without_end() {
    let document = format!("[{}]", vec!["0"; 200_000].join(","));
    let patch = format!("[{}]", vec![r#"{"op":"move","from":"/0","path":"/-"}"#; 2_000].join(","));
    let (state, message) = refused(&document, &patch);
    assert_eq!(state, "54000");
    assert!(message.ends_with("the patch moves more of the document than is allowed"), "{message}");
}

#[test]
fn depth_is_bounded_for_documents_values_and_paths() {
    let deepest = nested(tree::MAX_DEPTH);
    assert_eq!(patched(&deepest, "[]"), same(&deepest));
    assert_eq!(merged(&deepest, &deepest), same(&deepest));
    let deeper = nested(tree::MAX_DEPTH + 1);
    assert_eq!(state(&deeper, "[]"), "54001");
    assert_eq!(merge_patch(&container("{}"), &container(&deeper)).unwrap_err().sqlstate, "54001");
    assert_eq!(diff(&container(&deeper), &container(&deeper.replace('1', "2"))).unwrap_err().sqlstate, "54001");
    assert_eq!(state(r#"{"a":{}}"#, &format!(r#"[{{"op":"add","path":"/a/b","value":{}}}]"#, nested(tree::MAX_DEPTH - 1))), "54001");
    // each puts the document one level deeper into itself
    let patch = format!("[{}]", vec![r#"{"op":"copy","from":"/a","path":"/a/0"}"#; 600].join(","));
    assert!(["54000", "54001"].contains(&state(r#"{"a":[]}"#, &patch)));
    let patch = format!("[{}]", vec![r#"{"op":"add","path":"/b","value":[]},{"op":"move","from":"/a","path":"/b/0"},{"op":"move","from":"/b","path":"/a"}"#; 600].join(","));
    assert_eq!(state(r#"{"a":[]}"#, &patch), "54001");
    let long = "/a".repeat(100_000);
    assert!(["FH422", "54001"].contains(&state(r#"{"a":[]}"#, &format!(r#"[{{"op":"add","path":"{long}","value":1}}]"#))));
    assert!(refused(r#"{"a":[]}"#, &format!(r#"[{{"op":"remove","path":"{long}"}}]"#)).1.len() < 1_000);
}

#[test]
fn the_number_of_operations_is_bounded() {
    let operations = |count: usize| format!("[{}]", vec![r#"{"op":"test","path":"","value":{}}"#; count].join(","));
    assert_eq!(patched("{}", &operations(MAX_OPERATIONS)), "{}");
    assert_eq!(refused("{}", &operations(MAX_OPERATIONS + 1)), ("54000", "a patch of 10001 operations exceeds the maximum of 10000".to_owned()));
    let deletes = vec![r#"{"name":"operation","part":[{"name":"type","valueCode":"delete"},{"name":"path","valueString":"Patient.active"}]}"#; MAX_OPERATIONS + 1].join(",");
    let parameters = container(&format!(r#"{{"resourceType":"Parameters","parameter":[{deletes}]}}"#));
    assert_eq!(fhirpath_patch(&container(r#"{"resourceType":"Patient"}"#), &parameters).unwrap_err().sqlstate, "54000");
}

fn by_path(resource: &str, part: &str) -> Result<String, PatchError> {
    let parameters = format!(r#"{{"resourceType":"Parameters","parameter":[{{"name":"operation","part":[{part}]}}]}}"#);
    fhirpath_patch(&container(resource), &container(&parameters)).map(|after| text(&after))
}

#[test]
fn parts_within_parts_and_paths_are_bounded() {
    let extension = |levels: usize| format!("{}{}", r#"{"name":"extension","part":["#.repeat(levels), r#"{"name":"url","valueUri":"x"}"#) + &"]}".repeat(levels);
    let add = |levels| format!(r#"{{"name":"type","valueCode":"add"}},{{"name":"path","valueString":"Patient"}},{{"name":"name","valueString":"extension"}},{{"name":"value","part":[{}]}}"#, extension(levels));
    assert!(by_path(r#"{"resourceType":"Patient"}"#, &add(90)).is_ok());
    assert_eq!(by_path(r#"{"resourceType":"Patient"}"#, &add(150)).unwrap_err().message.split(": ").last().unwrap(), "parts are nested deeper than 100 levels");
    for path in ["Patient".to_owned() + &".extension".repeat(1_000), "(".repeat(1_000), "Patient.name.where(".repeat(300), "x".repeat(100_000)] {
        let error = by_path(r#"{"resourceType":"Patient"}"#, &format!(r#"{{"name":"type","valueCode":"delete"}},{{"name":"path","valueString":"{path}"}}"#)).unwrap_err();
        assert_eq!(error.sqlstate, "22023");
        assert!(error.message.len() < 2_000, "{}", error.message.len());
    }
}

#[test]
fn conditions_do_not_go_through_a_large_resource_without_end() {
    let resource = |names: usize| container(&format!(r#"{{"resourceType":"Patient","name":[{}]}}"#, vec![r#"{"family":"a"}"#; names].join(",")));
    let path = format!("Patient.name.where(family = '{}')", "b".repeat(60_000));
    let operation = format!(r#"{{"name":"operation","part":[{{"name":"type","valueCode":"delete"}},{{"name":"path","valueString":"{path}"}}]}}"#);
    let parameters = container(&format!(r#"{{"resourceType":"Parameters","parameter":[{}]}}"#, vec![operation; 10].join(",")));
    let mut pauses = 0;
    assert!(fhirpath_patch_pausing(&resource(10), &parameters, &mut || pauses += 1).is_ok());
    assert_eq!(pauses, 10);
    assert_eq!(fhirpath_patch(&resource(20_000), &parameters).unwrap_err().sqlstate, "54000");
}

#[test]
fn a_resource_that_is_not_as_its_type_has_it_is_told_so_or_left_alone() {
    let delete = |path: &str| format!(r#"{{"name":"type","valueCode":"delete"}},{{"name":"path","valueString":"{path}"}}"#);
    for (resource, path) in [
        (r#"{"resourceType":"Patient","name":{"family":"x"}}"#, "Patient.name.family"),
        (r#"{"resourceType":"Patient","name":"x"}"#, "Patient.name"),
        (r#"{"resourceType":"Patient","birthDate":["1970"]}"#, "Patient.birthDate"),
        (r#"{"resourceType":"Patient","name":[{"given":["a"],"_given":{}}]}"#, "Patient.name.given"),
    ] {
        let error = by_path(resource, &delete(path)).unwrap_err();
        assert_eq!(error.sqlstate, "FH422", "{error}");
        assert!(error.message.ends_with("of the resource is not as its type has it"), "{error}");
    }
    for (resource, path) in [
        (r#"{"resourceType":"Patient","name":[7,null,[{"family":"x"}]]}"#, "Patient.name.family"),
        (r#"{"resourceType":"Patient","_birthDate":7}"#, "Patient.birthDate.extension"),
        (r#"{"resourceType":"Patient","contained":[{"resourceType":"Nothing"},7]}"#, "Patient.contained.id"),
        (r#"{"resourceType":"Patient","contained":[{"resourceType":"HumanName","family":"x"}]}"#, "Patient.contained.family"),
    ] {
        assert_eq!(by_path(resource, &delete(path)).unwrap(), same(resource), "{path}");
    }
}

#[test]
fn bytes_that_are_no_document_are_refused() {
    for bytes in [&b""[..], b"\0", b"abcd", &[0xFF; 64]] {
        for refused in [json_patch(bytes, &container("[]")), merge_patch(&container("{}"), bytes), fhirpath_patch(bytes, &container("{}")), diff(bytes, bytes)] {
            assert_eq!(refused.unwrap_err().sqlstate, "22023");
        }
    }
    // every damaged document gives an answer
    let mut source = container(r#"{"resourceType":"Patient","id":"p","name":[{"given":["a","b"],"_given":[null,{"id":"x"}]}],"multipleBirthInteger":2}"#);
    let patch = container(r#"[{"op":"add","path":"/name/0/given/0","value":"z"},{"op":"move","from":"/name","path":"/x"}]"#);
    let parameters = container(r#"{"resourceType":"Parameters","parameter":[{"name":"operation","part":[{"name":"type","valueCode":"delete"},{"name":"path","valueString":"Patient.name.given.where($this = 'a')"}]}]}"#);
    for at in 0..source.len() {
        for bit in 0..8 {
            source[at] ^= 1 << bit;
            let _ = json_patch(&source, &patch);
            let _ = fhirpath_patch(&source, &parameters);
            let _ = diff(&source, &patch).and_then(|patch| json_patch(&source, &patch));
            source[at] ^= 1 << bit;
        }
    }
}
