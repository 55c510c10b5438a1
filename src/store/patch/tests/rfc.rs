//! RFC 6902 (JSON Patch), its sections 4 and 5, and RFC 7396 (merge patch), section 2.

use super::*;

#[test]
fn each_operation_does_what_its_section_says() {
    for (document, patch, expected) in [
        // 4.1: a member is added or replaced, an item inserted, "-" is the end
        (r#"{"a":1}"#, r#"[{"op":"add","path":"/b","value":[]}]"#, r#"{"a":1,"b":[]}"#),
        (r#"{"a":1}"#, r#"[{"op":"add","path":"/a","value":null}]"#, r#"{"a":null}"#),
        (r#"{"a":[1,2]}"#, r#"[{"op":"add","path":"/a/1","value":9}]"#, r#"{"a":[1,9,2]}"#),
        (r#"{"a":[1,2]}"#, r#"[{"op":"add","path":"/a/2","value":9}]"#, r#"{"a":[1,2,9]}"#),
        (r#"{"a":[1,2]}"#, r#"[{"op":"add","path":"/a/-","value":[9]}]"#, r#"{"a":[1,2,[9]]}"#),
        (r#"{"a":1}"#, r#"[{"op":"add","path":"","value":{"b":2}}]"#, r#"{"b":2}"#),
        // 4.2
        (r#"{"a":1,"b":2}"#, r#"[{"op":"remove","path":"/a"}]"#, r#"{"b":2}"#),
        (r#"[1,2,3]"#, r#"[{"op":"remove","path":"/1"}]"#, r#"[1,3]"#),
        // 4.3
        (r#"{"a":{"b":1}}"#, r#"[{"op":"replace","path":"/a","value":"x"}]"#, r#"{"a":"x"}"#),
        // 4.4: from is removed first
        (r#"{"a":[1,2,3]}"#, r#"[{"op":"move","from":"/a/0","path":"/a/2"}]"#, r#"{"a":[2,3,1]}"#),
        (r#"{"a":{"b":1},"c":{}}"#, r#"[{"op":"move","from":"/a/b","path":"/c/d"}]"#, r#"{"a":{},"c":{"d":1}}"#),
        (r#"{"a":1}"#, r#"[{"op":"move","from":"/a","path":"/a"}]"#, r#"{"a":1}"#),
        // 4.5
        (r#"{"a":{"b":1}}"#, r#"[{"op":"copy","from":"/a","path":"/c"}]"#, r#"{"a":{"b":1},"c":{"b":1}}"#),
        // 4.6
        (r#"{"a":[{"b":null}]}"#, r#"[{"op":"test","path":"/a","value":[{"b":null}]}]"#, r#"{"a":[{"b":null}]}"#),
        // 4: members that an operation does not know are ignored; 5: one after the other
        (r#"{}"#, r#"[{"op":"add","path":"/a","value":1,"why":7},{"op":"copy","from":"/a","path":"/b"},{"op":"remove","path":"/a"}]"#, r#"{"b":1}"#),
        (r#"{"a":1}"#, "[]", r#"{"a":1}"#),
        // RFC 6901 section 3: ~1 before ~0, and the empty key
        (r#"{"~1":1,"/":2}"#, r#"[{"op":"test","path":"/~01","value":1},{"op":"remove","path":"/~1"}]"#, r#"{"~1":1}"#),
        (r#"{"":{"":1}}"#, r#"[{"op":"replace","path":"//","value":2}]"#, r#"{"":{"":2}}"#),
    ] {
        assert_eq!(patched(document, patch), same(expected), "{patch}");
    }
}

#[test]
fn what_does_not_apply_is_told_by_its_number_and_path() {
    let document = r#"{"a":{"b":[1,2]},"c":"x"}"#;
    for (patch, message) in [
        (r#"[{"op":"add","path":"/x/y","value":1}]"#, r#"operation 1 of 1, add "/x/y": there is no such place to put the value"#),
        (r#"[{"op":"add","path":"/c/y","value":1}]"#, r#"operation 1 of 1, add "/c/y": there is no such place to put the value"#),
        (r#"[{"op":"add","path":"/a/b/3","value":1}]"#, r#"operation 1 of 1, add "/a/b/3": there is no such place to put the value"#),
        (r#"[{"op":"test","path":"/c","value":"x"},{"op":"remove","path":"/a/c"}]"#, r#"operation 2 of 2, remove "/a/c": there is nothing at this path"#),
        (r#"[{"op":"remove","path":"/a/b/-"}]"#, r#"operation 1 of 1, remove "/a/b/-": there is nothing at this path"#),
        (r#"[{"op":"replace","path":"/d","value":1}]"#, r#"operation 1 of 1, replace "/d": there is nothing at this path"#),
        (r#"[{"op":"test","path":"/d","value":null}]"#, r#"operation 1 of 1, test "/d": there is nothing at this path"#),
        (r#"[{"op":"test","path":"/c","value":"y"}]"#, r#"operation 1 of 1, test "/c": the value at this path is another one"#),
        (r#"[{"op":"test","path":"/a/b/0","value":"1"}]"#, r#"operation 1 of 1, test "/a/b/0": the value at this path is another one"#),
        (r#"[{"op":"move","from":"/d","path":"/e"}]"#, r#"operation 1 of 1, move "/e": there is nothing at "/d""#),
        (r#"[{"op":"copy","from":"/a/b/2","path":"/e"}]"#, r#"operation 1 of 1, copy "/e": there is nothing at "/a/b/2""#),
        (r#"[{"op":"move","from":"/a","path":"/a/b/0"}]"#, r#"operation 1 of 1, move "/a/b/0": a value cannot move into itself"#),
    ] {
        assert_eq!(refused(document, patch), ("FH422", message.to_owned()), "{patch}");
    }
}

#[test]
fn what_is_no_patch_is_told_so() {
    for (patch, message) in [
        ("{}", "a JSON Patch is an array of operations"),
        ("null", "a JSON Patch is an array of operations"),
        ("[7]", "operation 1 of 1: an operation is a JSON object"),
        (r#"[{"path":"/a"}]"#, r#"operation 1 of 1 "/a": "op" is missing"#),
        (r#"[{"op":1,"path":"/a"}]"#, r#"operation 1 of 1 "/a": "op" is not a string"#),
        (r#"[{"op":"Add","path":"/a","value":1}]"#, r#"operation 1 of 1, Add "/a": unknown operation"#),
        (r#"[{"op":"add","value":1}]"#, r#"operation 1 of 1, add "": "path" is missing"#),
        (r#"[{"op":"add","path":["a"],"value":1}]"#, r#"operation 1 of 1, add "": "path" is not a string"#),
        (r#"[{"op":"add","path":"a","value":1}]"#, r#"operation 1 of 1, add "a": "path" is not a JSON Pointer: "a""#),
        (r#"[{"op":"add","path":"/~2","value":1}]"#, r#"operation 1 of 1, add "/~2": "path" is not a JSON Pointer: "/~2""#),
        (r#"[{"op":"remove","path":"/a~"}]"#, r#"operation 1 of 1, remove "/a~": "path" is not a JSON Pointer: "/a~""#),
        (r#"[{"op":"add","path":"/a"}]"#, r#"operation 1 of 1, add "/a": "value" is missing"#),
        (r#"[{"op":"test","path":"/a"}]"#, r#"operation 1 of 1, test "/a": "value" is missing"#),
        (r#"[{"op":"copy","path":"/b"}]"#, r#"operation 1 of 1, copy "/b": "from" is missing"#),
        (r#"[{"op":"move","path":"/b","from":"a"}]"#, r#"operation 1 of 1, move "/b": "from" is not a JSON Pointer: "a""#),
    ] {
        assert_eq!(refused(r#"{"a":1}"#, patch), ("22023", message.to_owned()), "{patch}");
    }
}

#[test]
fn numbers_keep_their_digits_and_are_compared_by_value() {
    let document = r#"{"a":1.10,"b":123456789012345678901234567890.12345678901234567890,"c":-0.00,"d":1e3}"#;
    assert_eq!(patched(document, r#"[{"op":"add","path":"/e","value":5.500}]"#), same(&document.replace('}', r#","e":5.500}"#)));
    assert_eq!(patched(document, r#"[{"op":"copy","from":"/a","path":"/d"}]"#), same(&document.replace("1e3", "1.10")));
    // RFC 6902 section 4.6: "numbers: are considered equal if their values are numerically equal"
    for (path, value) in [("/a", "1.1"), ("/a", "1.100"), ("/a", "11e-1"), ("/c", "0"), ("/d", "1000.0")] {
        patched(document, &format!(r#"[{{"op":"test","path":"{path}","value":{value}}}]"#));
    }
    patched(r#"{"a":{"b":[1.0]}}"#, r#"[{"op":"test","path":"","value":{"a":{"b":[1]}}}]"#);
    for value in ["1.11", "-1.1", "\"1.10\"", "[1.10]"] {
        assert_eq!(refused(document, &format!(r#"[{{"op":"test","path":"/a","value":{value}}}]"#)).0, "FH422");
    }
    assert_eq!(merged(document, r#"{"a":null,"e":2.50}"#), same(&document.replace(r#""a":1.10,"#, "").replace('}', r#","e":2.50}"#)));
}

#[test]
fn a_merge_sets_members_and_removes_those_that_are_null() {
    // RFC 7396, appendix A says what each of these shapes means
    for (document, patch, expected) in [
        (r#"{"a":"b"}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#),
        (r#"{"a":"b"}"#, r#"{"b":"c"}"#, r#"{"a":"b","b":"c"}"#),
        (r#"{"a":"b","b":"c"}"#, r#"{"a":null}"#, r#"{"b":"c"}"#),
        (r#"{"a":["b"]}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#),
        (r#"{"a":"c"}"#, r#"{"a":["b",null]}"#, r#"{"a":["b",null]}"#),
        (r#"{"a":{"b":"c","d":1}}"#, r#"{"a":{"b":"d","c":null}}"#, r#"{"a":{"b":"d","d":1}}"#),
        (r#"{"a":[{"b":"c"}]}"#, r#"{"a":[1]}"#, r#"{"a":[1]}"#),
        (r#"{"e":null}"#, r#"{"a":1}"#, r#"{"e":null,"a":1}"#),
        ("[1,2]", r#"{"a":"b","c":null}"#, r#"{"a":"b"}"#),
        ("{}", r#"{"a":{"bb":{"ccc":null}}}"#, r#"{"a":{"bb":{}}}"#),
        (r#"{"a":"b"}"#, r#"["c"]"#, r#"["c"]"#),
        (r#"{"a":"b"}"#, "null", "null"),
        (r#"{"a":"b"}"#, "{}", r#"{"a":"b"}"#),
    ] {
        assert_eq!(merged(document, patch), same(expected), "{patch}");
    }
}

#[test]
fn type_and_id_of_a_resource_stay() {
    let resource = r#"{"resourceType":"Patient","id":"p","active":true}"#;
    let by_json = |patch: &str| refused(resource, patch);
    let ty = ("22023", "a patch cannot change the type of a resource".to_owned());
    let id = ("22023", "a patch cannot change the id of a resource".to_owned());
    for patch in [
        r#"[{"op":"replace","path":"/resourceType","value":"Group"}]"#,
        r#"[{"op":"remove","path":"/resourceType"}]"#,
        r#"[{"op":"move","from":"/resourceType","path":"/x"}]"#,
        r#"[{"op":"replace","path":"","value":{"id":"p"}}]"#,
        r#"[{"op":"replace","path":"","value":[]}]"#,
    ] {
        assert_eq!(by_json(patch), ty, "{patch}");
    }
    for patch in [
        r#"[{"op":"replace","path":"/id","value":"q"}]"#,
        r#"[{"op":"remove","path":"/id"}]"#,
        r#"[{"op":"add","path":"","value":{"resourceType":"Patient","id":"q"}}]"#,
    ] {
        assert_eq!(by_json(patch), id, "{patch}");
    }
    let by_merge = |patch: &str| {
        let error = merge_patch(&container(resource), &container(patch)).unwrap_err();
        assert!(error.hint.is_some());
        (error.sqlstate, error.message)
    };
    assert_eq!(by_merge(r#"{"resourceType":"Group"}"#), ty);
    assert_eq!(by_merge("7"), ty);
    assert_eq!(by_merge(r#"{"id":null}"#), id);
    // to set what is there changes nothing, and on the way it may be anything
    assert_eq!(merged(resource, r#"{"resourceType":"Patient","id":"p"}"#), same(resource));
    assert_eq!(patched(resource, r#"[{"op":"remove","path":"/id"},{"op":"add","path":"/id","value":"p"}]"#), same(resource));
    // what is no resource has neither
    assert_eq!(patched(r#"{"id":1}"#, r#"[{"op":"replace","path":"/id","value":2}]"#), r#"{"id": 2}"#);
}
