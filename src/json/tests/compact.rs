//! The fast text is the server's without blanks.

use super::super::generate::document;
use super::*;

const MAX: usize = 1 << 20;

fn compacted(text: &str) -> String {
    let bytes = bytes_of(text);
    let mut out = b"before".to_vec();
    compact(&bytes, &mut out, MAX).unwrap();
    String::from_utf8(out).unwrap().strip_prefix("before").unwrap().to_owned()
}

#[test]
fn there_are_no_blanks_but_in_strings() {
    assert_eq!(compacted(r#" { "b" : [ 1.50 , null , true , false , {} , [] ] , "a" : "x y" } "#), r#"{"a":"x y","b":[1.50,null,true,false,{},[]]}"#);
    for scalar in ["1.10", "null", "true", "false", r#""a b""#, "[]", "{}", "-0.5", "1e30"] {
        assert_eq!(compacted(scalar), printed(scalar), "{scalar}");
    }
}

#[test]
fn every_place_in_a_string_is_looked_at() {
    for special in ["\\\"", "\\\\", "\\n", "\\u0001", "\\u001f", "\\b", "\\f", "\\r", "\\t"] {
        for before in 0..20 {
            let text = format!("\"{}{special}{}\"", "é".repeat(before / 3) + &"a".repeat(before), "b".repeat(17 - before / 2));
            assert_eq!(compacted(&text), text);
        }
    }
    // of high bytes none is taken for one that needs an escape
    let text = format!("\"{}\"", (0x20..0x500).filter_map(char::from_u32).filter(|c| !"\"\\".contains(*c)).collect::<String>());
    assert_eq!(compacted(&text), text);
}

#[test]
fn it_reads_back_as_what_it_was() {
    for seed in 0..3000 {
        let text = document(seed);
        let bytes = bytes_of(&text);
        let mut out = Vec::new();
        compact(&bytes, &mut out, MAX).unwrap();
        assert_eq!(super::super::parse(&out, &Limits::default()).unwrap(), bytes, "{text}");
        assert_eq!(out.len(), String::from_utf8(out.clone()).unwrap().len());
    }
}

#[test]
fn bytes_that_are_no_container_are_told() {
    let bytes = bytes_of(r#"{"a": [1, "text", {"b": null}], "c": "more text"}"#);
    let mut out = Vec::new();
    assert!(compact(&[], &mut out, MAX) == Err(Untold::Broken));
    for at in 0..bytes.len() {
        assert!(compact(&bytes[..at], &mut out, MAX) == Err(Untold::Broken), "{at}");
        for bit in 0..8 {
            // wrong bits may give another document, or none, but always an end
            let mut changed = bytes.clone();
            changed[at] ^= 1 << bit;
            let _ = compact(&changed, &mut out, MAX);
        }
    }
}

#[test]
fn digits_without_end_meet_the_bound() {
    let bytes = bytes_of("[1e100000, 1e100000]");
    let mut out = Vec::new();
    assert_eq!(compact(&bytes, &mut out, 150_000), Err(Untold::TooLarge));
    assert!(out.len() <= 150_000);
    out.clear();
    assert_eq!(compact(&bytes, &mut out, 200_100), Ok(()));
}
