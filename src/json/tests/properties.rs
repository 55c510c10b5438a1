//! What must hold of every document, tried on generated ones.

use super::super::generate::{damaged, document};
use super::*;

/// Bytes to change in a valid container: enough to reach every field.
fn corrupt(bytes: &mut [u8], seed: u64) {
    let mut state = seed;
    for _ in 0..1 + seed % 4 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let at = (state >> 33) as usize % bytes.len().max(1);
        if let Some(byte) = bytes.get_mut(at) {
            *byte ^= (state >> 24) as u8 | 1;
        }
    }
}

/// Every value once, and those of arrays and objects also by place and by key.
fn walk(node: Node<'_>, levels: usize, visits: &mut usize) {
    *visits += 1;
    match node {
        Node::Null | Node::Bool(_) | Node::String(_) => {}
        Node::Number(number) => {
            assert!(number.to_string().len() < 150_000);
            number.as_i64();
        }
        _ if levels == 0 => {}
        Node::Array(array) => {
            for (at, item) in array.iter().enumerate().take(5_000) {
                assert!(array.get(at).is_some());
                walk(item, levels - 1, visits);
            }
        }
        Node::Object(object) => {
            for (key, value) in object.iter().take(5_000) {
                object.get(key);
                walk(value, levels - 1, visits);
            }
        }
    }
}

#[test]
fn reading_and_writing_again_gives_the_same_bytes() {
    for seed in 0..300 {
        let text = document(seed);
        let bytes = bytes_of(&text);
        let node = root(&bytes).expect("container");
        assert_eq!(write(&item(node)).as_ref(), Ok(&bytes), "seed {seed}");
    }
}

#[test]
fn printing_and_parsing_again_gives_the_same_bytes() {
    for seed in 0..300 {
        let bytes = bytes_of(&document(seed));
        let printed = root(&bytes).expect("container").to_json();
        assert_eq!(bytes_of(&printed), bytes, "seed {seed}");
    }
}

#[test]
fn every_member_is_found_by_its_key() {
    fn check(node: Node<'_>) {
        match node {
            Node::Array(array) => {
                assert_eq!(array.iter().count(), array.len());
                array.iter().for_each(check);
            }
            Node::Object(object) => {
                assert_eq!(object.iter().count(), object.len());
                for (key, value) in object.iter() {
                    assert_eq!(object.get(key).map(|value| value.to_json()), Some(value.to_json()));
                    check(value);
                }
            }
            _ => {}
        }
    }
    for seed in 0..150 {
        // Comparing by text is quadratic in the depth.
        let bytes = bytes_of(&document(seed));
        if bytes.len() < 20_000 {
            check(root(&bytes).expect("container"));
        }
    }
}

#[test]
fn damaged_texts_are_refused_or_are_texts() {
    let mut refused = 0;
    for seed in 0..1_500 {
        match super::super::parse(&damaged(seed), &Limits::default()) {
            Ok(bytes) => assert_eq!(bytes_of(&root(&bytes).expect("container").to_json()), bytes, "seed {seed}"),
            Err(error) => {
                assert!(["22P02", "22P05", "22021", "22003"].contains(&error.sqlstate), "seed {seed}: {error}");
                refused += 1;
            }
        }
    }
    assert!(refused > 750);
}

#[test]
fn corrupt_containers_do_no_harm() {
    for seed in 0..1_500 {
        let mut bytes = bytes_of(&document(seed % 500));
        corrupt(&mut bytes, seed);
        if let Some(node) = root(&bytes) {
            let mut visits = 0;
            walk(node, 600, &mut visits);
            assert!(visits <= bytes.len(), "seed {seed}");
        }
    }
}

#[test]
fn the_generator_reaches_what_it_is_for() {
    let (mut deep, mut wide, mut equal_keys, mut scalars) = (0, 0, 0, 0);
    for seed in 0..2_000 {
        let text = document(seed);
        let bytes = bytes_of(&text);
        match root(&bytes).expect("container") {
            Node::Array(array) => wide += usize::from(array.len() > 32),
            Node::Object(object) => {
                wide += usize::from(object.len() > 16);
                equal_keys += usize::from(text.matches("\"a\"").count() > 1);
            }
            _ => scalars += 1,
        }
        deep += usize::from(text.contains("[0,[0,") || text.contains(r#"{"a":{"a":"#));
    }
    assert!(deep > 10 && wide > 50 && equal_keys > 5 && scalars > 100, "{deep} {wide} {equal_keys} {scalars}");
}
