//! Reading in place, and reading what is not a container.

use super::*;

const DOCUMENT: &str =
    r#"{"name":[{"family":"Ng","given":["A","B"]},{"family":"Öz"}],"active":true,"size":1.10,"none":null}"#;

#[test]
fn values_are_found_by_key_and_place() {
    let bytes = bytes_of(DOCUMENT);
    let node = root(&bytes).expect("object");
    assert_eq!(node.get("active").and_then(Node::as_bool), Some(true));
    assert_eq!(node.get("size").and_then(Node::as_number).map(|size| size.to_string()), Some("1.10".into()));
    assert!(node.get("none").is_some_and(Node::is_null));
    assert!(node.get("nam").is_none() && node.get("names").is_none() && node.get("").is_none());
    let names = node.get("name").and_then(Node::as_array).expect("array");
    assert_eq!((names.len(), names.is_empty()), (2, false));
    assert_eq!(names.get(1).and_then(|name| name.get("family")).and_then(Node::as_str), Some("Öz"));
    assert!(names.get(2).is_none() && names.get(usize::MAX).is_none());
    let keys: Vec<&str> = node.as_object().expect("object").iter().map(|(key, _)| key).collect();
    assert_eq!(keys, ["name", "none", "size", "active"]);
    assert!(Node::Null.get("a").is_none());
}

#[test]
fn items_are_those_of_an_array_or_the_value_itself() {
    let bytes = bytes_of(r#"{"many":["a","b"],"one":"c"}"#);
    let node = root(&bytes).expect("object");
    let strings = |key| node.get(key).into_iter().flat_map(Node::items).filter_map(Node::as_str).collect::<Vec<_>>();
    assert_eq!(strings("many"), ["a", "b"]);
    assert_eq!(strings("one"), ["c"]);
    assert_eq!(node.items().count(), 1);
}

#[test]
fn every_key_of_a_large_object_is_found() {
    for count in [1, 2, 15, 31, 32, 33, 63, 64, 65, 500] {
        let members: Vec<String> = (0..count).map(|at| format!(r#""k{at}":[{at},"{at}"]"#)).collect();
        let bytes = bytes_of(&format!("{{{}}}", members.join(",")));
        let object = root(&bytes).and_then(Node::as_object).expect("object");
        assert_eq!((object.len(), object.iter().count()), (count, count));
        for at in 0..count {
            let value = object.get(&format!("k{at}")).map(|value| value.to_json());
            assert_eq!(value, Some(format!(r#"[{at}, "{at}"]"#)));
        }
    }
}

#[test]
fn items_by_place_equal_items_in_order() {
    let bytes = bytes_of(&format!("[{}]", ["1", r#""ab""#, "[]", "{}", "null", "1.5"].repeat(40).join(",")));
    let array = root(&bytes).and_then(Node::as_array).expect("array");
    for (at, item) in array.iter().enumerate() {
        assert_eq!(array.get(at).map(|node| node.to_json()), Some(item.to_json()), "{at}");
    }
}

#[test]
fn scalars_are_unwrapped() {
    for text in ["1", "\"x\"", "true", "null"] {
        assert_eq!(printed(text), text);
    }
    // An array of one is not a scalar.
    assert_eq!(printed("[1]"), "[1]");
}

#[test]
fn text_is_the_servers() {
    let text = r#"{"a":[1,-2.50,"x\"\\\/\u0001\u007f\n\u00e9"],"b":{},"c":[],"d":null}"#;
    let want = "{\"a\": [1, -2.50, \"x\\\"\\\\/\\u0001\u{7f}\\né\"], \"b\": {}, \"c\": [], \"d\": null}";
    assert_eq!(printed(text), want);
    let bytes = bytes_of(text);
    let node = root(&bytes).expect("object");
    assert_eq!(node.to_json_within(want.len()).as_deref(), Ok(want));
    assert_eq!(node.to_json_within(want.len() - 1).map_err(|error| error.sqlstate), Err("54000"));
    assert_eq!(format!("{node:?}"), want);
}

#[test]
fn few_bytes_that_print_as_many_are_bounded() {
    let bytes = bytes_of(&format!("[{}]", vec!["1e131071"; 1000].join(",")));
    assert!(root(&bytes).expect("array").to_json_within(1 << 20).is_err());
}

#[test]
fn other_bytes_are_no_container() {
    let word = |word: u32| word.to_ne_bytes().to_vec();
    let bytes = |words: &[u32]| words.iter().flat_map(|word| word.to_ne_bytes()).collect::<Vec<u8>>();
    assert!(root(&[]).is_none());
    assert!(root(&[0, 0, 0]).is_none());
    assert!(root(&word(0)).is_none());
    assert!(root(&word(0x6000_0000)).is_none());
    assert!(root(&word(0x4000_0001)).is_none(), "an entry is missing");
    assert!(root(&word(0x4FFF_FFFF)).is_none());
    assert!(root(&word(0x2FFF_FFFF)).is_none());
    assert!(root(&bytes(&[0x5000_0002, 0x4000_0000, 0x4000_0000])).is_none(), "two scalars at the root");
    assert!(root(&bytes(&[0x5000_0001, 0x5000_0004, 0x4000_0000])).is_none(), "a container as a scalar");
}

#[test]
fn broken_entries_read_as_absent() {
    let bytes = |words: &[u32]| words.iter().flat_map(|word| word.to_ne_bytes()).collect::<Vec<u8>>();
    let items = |words: &[u32]| {
        let bytes = bytes(words);
        root(&bytes).and_then(Node::as_array).map(|array| (array.iter().count(), array.get(array.len() - 1).is_some()))
    };
    // A string beyond the end, of a type that does not exist, and an offset that goes back.
    assert_eq!(items(&[0x4000_0001, 0x0000_0009, 0]), Some((0, false)));
    assert_eq!(items(&[0x4000_0001, 0x7000_0000]), Some((0, false)));
    assert_eq!(items(&[0x4000_0002, 0x8000_0004, 0x8000_0002, 0]), Some((1, false)));
    // A number whose length word is wrong, or compressed.
    assert_eq!(items(&[0x4000_0001, 0x1000_0008, 100 << 2, 0x8000]), Some((0, false)));
    assert_eq!(items(&[0x4000_0001, 0x1000_0008, 0x22, 0x8000]), Some((0, false)));
    // A string that is not UTF-8.
    assert_eq!(items(&[0x4000_0001, 0x0000_0001, 0xFFFF_FFFF]), Some((0, false)));
}

#[test]
fn offsets_are_read_from_the_entry_not_assumed() {
    // Each entry has its offset, or none has but the first.
    let all = [0x4000_0003u32, 0x8000_0001, 0x8000_0002, 0x8000_0003, u32::from_ne_bytes(*b"abc\0")];
    let first = [0x4000_0003u32, 0x8000_0001, 0x0000_0001, 0x0000_0001, u32::from_ne_bytes(*b"abc\0")];
    for words in [all, first] {
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_ne_bytes()).collect();
        let array = root(&bytes).and_then(Node::as_array).expect("array");
        assert_eq!(array.iter().filter_map(Node::as_str).collect::<Vec<_>>(), ["a", "b", "c"]);
        assert_eq!(array.get(2).and_then(Node::as_str), Some("c"));
    }
}
