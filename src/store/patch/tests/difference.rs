//! The difference of two documents, applied to the first, gives the second.

use super::*;
use crate::json::{Item, write};
use std::borrow::Cow;
use std::io::Read;

fn difference(from: &str, to: &str) -> String {
    let (a, b) = (container(from), container(to));
    let patch = diff(&a, &b).unwrap();
    assert_eq!(patch, diff(&a, &b).unwrap());
    assert_leads(&a, &b, &patch);
    text(&patch)
}

fn assert_leads(from: &[u8], to: &[u8], patch: &[u8]) {
    // not through json_patch, which lets type and id be
    let after = super::super::json_patch::apply(json::root(from).unwrap(), json::root(patch).unwrap(), &mut || ());
    match after {
        Ok(after) => assert_eq!(text(&after), text(to), "{}", text(patch)),
        Err(error) => panic!("{error}: {} to {} by {}", text(from), text(to), text(patch)),
    }
}

#[test]
fn the_difference_is_what_differs() {
    for (from, to, patch) in [
        (r#"{"a":1}"#, r#"{"a":1}"#, "[]"),
        (r#"{"a":1,"b":2}"#, r#"{"a":3,"c":4}"#, r#"[{"op":"replace","path":"/a","value":3},{"op":"remove","path":"/b"},{"op":"add","path":"/c","value":4}]"#),
        // a decimal of another precision is another value
        (r#"{"a":1.0}"#, r#"{"a":1.00}"#, r#"[{"op":"replace","path":"/a","value":1.00}]"#),
        (r#"{"a":1}"#, r#"{"a":"1"}"#, r#"[{"op":"replace","path":"/a","value":"1"}]"#),
        (r#"{"a":[1]}"#, r#"{"a":{"0":1}}"#, r#"[{"op":"replace","path":"/a","value":{"0":1}}]"#),
        (r#"{"a~/":1}"#, r#"{"a~/":2}"#, r#"[{"op":"replace","path":"/a~0~1","value":2}]"#),
        (r#"{"":1}"#, r#"{"":2}"#, r#"[{"op":"replace","path":"/","value":2}]"#),
        ("1", "2", r#"[{"op":"replace","path":"","value":2}]"#),
        (r#"{"a":null}"#, r#"{}"#, r#"[{"op":"remove","path":"/a"}]"#),
        ("{}", r#"{"a":null}"#, r#"[{"op":"add","path":"/a","value":null}]"#),
    ] {
        assert_eq!(difference(from, to), same(patch), "{from} {to}");
    }
}

#[test]
fn items_that_stay_are_not_touched() {
    for (from, to, patch) in [
        ("[1,2,3]", "[0,1,2,3]", r#"[{"op":"add","path":"/0","value":0}]"#),
        ("[1,2,3]", "[1,2,3,4,5]", r#"[{"op":"add","path":"/3","value":4},{"op":"add","path":"/4","value":5}]"#),
        ("[1,2,3,4]", "[1,4]", r#"[{"op":"remove","path":"/1"},{"op":"remove","path":"/1"}]"#),
        ("[1,2,3]", "[2,3,4]", r#"[{"op":"remove","path":"/0"},{"op":"add","path":"/2","value":4}]"#),
        (r#"[{"k":1,"v":"a"},{"k":2}]"#, r#"[{"k":0},{"k":1,"v":"b"},{"k":2}]"#, r#"[{"op":"replace","path":"/0/k","value":0},{"op":"remove","path":"/0/v"},{"op":"add","path":"/1","value":{"k":1,"v":"b"}}]"#),
        (r#"[{"k":1,"v":"a"},{"k":2}]"#, r#"[{"k":1,"v":"b"},{"k":2}]"#, r#"[{"op":"replace","path":"/0/v","value":"b"}]"#),
        ("[1,2]", "[]", r#"[{"op":"remove","path":"/0"},{"op":"remove","path":"/0"}]"#),
    ] {
        assert_eq!(difference(from, to), same(patch), "{from} {to}");
    }
}

#[test]
fn a_difference_of_more_than_a_patch_may_have_replaces_the_whole() {
    let numbers = |offset: usize| {
        let members: Vec<String> = (0..=MAX_OPERATIONS).map(|i| format!("\"k{i}\":{}", i + offset)).collect();
        format!("{{{}}}", members.join(","))
    };
    let (from, to) = (container(&numbers(0)), container(&numbers(1)));
    let patch = diff(&from, &to).unwrap();
    assert!(text(&patch).starts_with(r#"[{"op": "replace", "path": "", "value": {"k0""#));
    assert_leads(&from, &to, &patch);
}

#[test]
fn a_long_key_is_not_repeated_without_end() {
    let key = "k".repeat(1 << 20);
    let numbers = |offset: usize| format!(r#"{{"{key}":[{}]}}"#, (0..1_000).map(|i| (i + offset).to_string()).collect::<Vec<_>>().join(","));
    let (from, to) = (container(&numbers(0)), container(&numbers(5_000)));
    let patch = diff(&from, &to).unwrap();
    assert!(patch.len() < 2 << 20);
    assert_leads(&from, &to, &patch);
}

#[test]
fn generated_documents_lead_to_each_other() {
    for seed in 0..200 {
        let (a, b) = (json::generate::document(seed), json::generate::document(seed + 1_000));
        let (Ok(a), Ok(b)) = (parse(a.as_bytes(), &Limits::default()), parse(b.as_bytes(), &Limits::default())) else { continue };
        match diff(&a, &b) {
            Ok(patch) => assert_leads(&a, &b, &patch),
            Err(error) => assert!(["54000", "54001"].contains(&error.sqlstate), "{seed}: {error}"),
        }
    }
}

/// xorshift: the same changes everywhere.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end.max(1) as u64) as usize
    }
}

fn mutated<'a>(node: Node<'a>, dice: &mut Dice) -> Item<'a> {
    const RARE: usize = 25;
    match node {
        Node::Object(object) => {
            let mut members: Vec<(Cow<str>, Item)> = Vec::new();
            for (key, value) in object.iter() {
                match dice.below(RARE) {
                    0 => {}
                    1 => members.push((Cow::Owned(format!("{key}~/")), mutated(value, dice))),
                    _ => members.push((Cow::Borrowed(key), mutated(value, dice))),
                }
            }
            Item::Object(members)
        }
        Node::Array(array) => {
            let mut items: Vec<Item> = Vec::new();
            for item in array.iter() {
                match dice.below(RARE) {
                    0 => {}
                    1 => items.extend([mutated(item, dice), Item::Node(item)]),
                    2 => items.extend([Item::Null, Item::Node(item)]),
                    3 if !items.is_empty() => items.insert(dice.below(items.len()), Item::Node(item)),
                    _ => items.push(mutated(item, dice)),
                }
            }
            Item::Array(items)
        }
        _ if dice.below(RARE) == 0 => Item::String(Cow::Borrowed("changed")),
        scalar => Item::Node(scalar),
    }
}

#[test]
fn the_examples_of_the_specification_lead_to_changed_ones() {
    let folder = std::env::var("FHIRLAKE_DATA").unwrap_or_else(|_| "../shared/data".to_owned());
    let Ok(file) = std::fs::File::open(format!("{folder}/r4/r4-examples.ndjson.gz")) else {
        println!("skipped: no examples of the specification in {folder}");
        return;
    };
    let mut lines = String::new();
    flate2::read::MultiGzDecoder::new(file).read_to_string(&mut lines).unwrap();
    let mut dice = Dice(0x9E37_79B9_7F4A_7C15);
    let (mut pairs, mut bytes, mut whole) = (0, 0, 0);
    for line in lines.lines() {
        let from = container(line);
        for _ in 0..3 {
            let to = write(&mutated(json::root(&from).unwrap(), &mut dice)).unwrap();
            let patch = diff(&from, &to).unwrap();
            assert_leads(&from, &to, &patch);
            (pairs, bytes, whole) = (pairs + 1, bytes + patch.len(), whole + to.len());
        }
    }
    println!("{pairs} pairs: {bytes} bytes of patches for {whole} bytes of documents");
    assert!(pairs > 2_000);
}
