//! Texts and the bytes or the refusals that the server gives for them.

use super::super::layout::{Entries, STRING, word};
use super::*;

#[test]
#[cfg(target_endian = "little")]
fn bytes_equal_the_servers() {
    for (text, bytes) in [
        ("1.10", "010000500a0000902800000000810100e803"),
        (r#"{"b":1,"a":2,"b":3}"#, "0200002001000080010000000a000010080000106162000020000000008002002000000000800300"),
        (
            r#"[null,true,"ab",1.5,[]]"#,
            "05000040000000c000000030020000000c000010060000506162000028000000808001008813000000000040",
        ),
        ("-12345.678", "010000500c0000903000000081a1010029097c1a"),
        ("1e-16383", "010000500a00009028000000ff3f00f00a00"),
        (r#""x""#, "010000500100008078"),
        (
            r#"{"a":{"b":[]},"cc":"é"}"#,
            "0200002001000080020000001500005002000000616363000100002001000080070000506200000000000040c3a9",
        ),
        ("[]", "00000040"),
        ("{}", "00000020"),
        ("null", "01000050000000c0"),
    ] {
        assert_eq!(hex(&bytes_of(text)), bytes, "{text}");
    }
}

#[test]
fn every_32nd_entry_stores_an_offset() {
    let bytes = bytes_of(&format!("[{}]", vec![r#""ab""#; 70].join(",")));
    for slot in 0..70 {
        let entry = word(&bytes, 4 + 4 * slot).expect("entry");
        let want = if slot % 32 == 0 { 0x8000_0000 | (2 * (slot as u32 + 1)) } else { 2 };
        assert_eq!(entry, want, "slot {slot}");
    }
    // In an object the values go on counting where the keys stop.
    let members: Vec<String> = (10..30).map(|at| format!(r#""{at}":"x""#)).collect();
    let bytes = bytes_of(&format!("{{{}}}", members.join(",")));
    assert_eq!(word(&bytes, 4 + 4 * 32), Some(0x8000_0000 | (2 * 20 + 13)));
    assert_eq!(word(&bytes, 4 + 4 * 20), Some(1));
}

#[test]
fn keys_are_sorted_by_length_then_bytes_and_the_last_of_equals_wins() {
    assert_eq!(printed(r#"{"bb":1,"a":2,"ab":3,"":4}"#), r#"{"": 4, "a": 2, "ab": 3, "bb": 1}"#);
    assert_eq!(printed(r#"{"é":1,"zz":2,"a":3}"#), r#"{"a": 3, "zz": 2, "é": 1}"#);
    assert_eq!(printed(r#"{"b":1,"a":2,"b":3}"#), r#"{"a": 2, "b": 3}"#);
    assert_eq!(printed(r#"{"a":1,"\u0061":2}"#), r#"{"a": 2}"#);
    assert_eq!(printed(r#"{"\u0061":1,"a":2}"#), r#"{"a": 2}"#);
    assert_eq!(printed(r#"{"a":1,"\u0061":2,"a":3,"\u0061":4}"#), r#"{"a": 4}"#);
    assert_eq!(printed(r#"{"a":{"x":[1]},"a":null}"#), r#"{"a": null}"#);
}

#[test]
fn equal_keys_of_a_large_object_keep_the_last() {
    let members: Vec<String> =
        (0..1000).map(|at| format!(r#""{}{}":{at}"#, if at % 2 == 0 { "\\u006b" } else { "k" }, at % 7)).collect();
    let printed = printed(&format!("{{{}}}", members.join(",")));
    assert_eq!(printed, r#"{"k0": 994, "k1": 995, "k2": 996, "k3": 997, "k4": 998, "k5": 999, "k6": 993}"#);
}

#[test]
fn escapes_and_surrogate_pairs() {
    for (text, want) in [
        (r#""\b\f\n\r\t\"\\\/""#, "\u{8}\u{c}\n\r\t\"\\/"),
        (r#""\u00e9\u00E9é""#, "ééé"),
        (r#""\ud83d\ude00""#, "\u{1F600}"),
        (r#""\uffff\u0001\u007f""#, "\u{ffff}\u{1}\u{7f}"),
        ("\"\u{7f}\u{feff}\"", "\u{7f}\u{feff}"),
    ] {
        let bytes = bytes_of(text);
        assert_eq!(root(&bytes).and_then(|node| node.as_str()), Some(want), "{text}");
    }
}

#[test]
fn what_is_not_json_is_22p02() {
    for text in [
        "",
        "  ",
        "{",
        "[",
        "]",
        "}",
        ",",
        ":",
        "1 2",
        "{} {}",
        "[1,]",
        "[,1]",
        "[1 2]",
        "[1}",
        "{,}",
        r#"{"a":1,}"#,
        r#"{"a"}"#,
        r#"{"a":}"#,
        "{a:1}",
        "{1:1}",
        r#"{"a" 1}"#,
        r#"{"a":1 "b":2}"#,
        r#"{"a":1]"#,
        r#"{"a""#,
        r#"{"a":"#,
        r#"{"a":1"#,
        "[1",
        "[1,",
        "True",
        "nul",
        "nulll",
        "truefalse",
        "// c\n1",
        "/* */1",
        "\u{b}1",
        "\u{c}1",
        "\u{a0}1",
        "[1,2]x",
        "'a'",
        "\u{feff}1",
        "01",
        "-01",
        "1.",
        ".5",
        "-",
        "+1",
        "1e",
        "1e+",
        "1.e5",
        "0x10",
        "NaN",
        "Infinity",
        "1a",
        "1_0",
        "00",
        r#""abc"#,
        "\"\t\"",
        "\"\n\"",
        "\"\u{1}\"",
        "\"\u{1f}\"",
        r#""\x41""#,
        r#""\"#,
        r#""\u"#,
        r#""\u12""#,
        r#""\u12G4""#,
    ] {
        assert_eq!(refusal(text).sqlstate, "22P02", "{text:?}");
    }
}

#[test]
fn lone_surrogates_are_22p02() {
    for text in [
        r#""\ud800""#,
        r#""\udc00""#,
        r#""\ude00\ud83d""#,
        r#""\ud83dx""#,
        r#""\ud83d\n""#,
        r#""\ud83d\u0041""#,
        r#""\ud83d\ud83d\ude00""#,
        r#""\uD83D\u0000""#,
    ] {
        assert_eq!(refusal(text).sqlstate, "22P02", "{text}");
    }
}

#[test]
fn an_escaped_zero_is_22p05() {
    assert_eq!(refusal(r#""\u0000""#).sqlstate, "22P05");
    assert_eq!(refusal(r#"{"a\u0000":1}"#).sqlstate, "22P05");
    assert_eq!(refusal(r#"{"a":["b","x\u0000"]}"#).offset, 12);
}

#[test]
fn what_is_not_utf8_is_22021() {
    let texts: [&[u8]; 10] = [
        b"\"\xff\"",
        b"\xff",
        b"\"\xc0\x80\"",
        b"\"\xed\xa0\x80\"",
        b"\"\xf4\x90\x80\x80\"",
        b"\"\xe2\x82\"",
        b"\0",
        b"\"\0\"",
        b"[1]\0",
        b"{\"a\":1\0",
    ];
    for text in texts {
        assert_eq!(refusal(text).sqlstate, "22021", "{text:?}");
    }
    assert_eq!(refusal(b"[1,\"a\xff\"]").offset, 5);
}

#[test]
fn a_number_out_of_range_is_22003_once_the_next_token_is_read() {
    assert_eq!(refusal("[1e400000]").sqlstate, "22003");
    assert_eq!(refusal(r#"{"a":1e-20000,"b":}"#).sqlstate, "22003");
    assert_eq!(refusal(r#"[1e400000"\u0000"]"#).sqlstate, "22P05");
    assert_eq!(refusal("[1e400000x]").sqlstate, "22P02");
    assert_eq!(refusal("[1e400000 @]").sqlstate, "22P02");
}

#[test]
fn depth_is_bounded() {
    let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    assert_eq!(bytes_of(&nested(1000)).len(), 4 + 999 * 8);
    assert_eq!(refusal(nested(1001)).sqlstate, "54001");
    assert_eq!(refusal("[".repeat(1_000_000)).sqlstate, "54001");
    assert_eq!(refusal("{\"a\":".repeat(1_000_000)).sqlstate, "54001");
    let limits = Limits { max_depth: 100_000, ..Limits::default() };
    assert_eq!(super::super::parse(nested(100_000).as_bytes(), &limits).map(|bytes| bytes.len()), Ok(4 + 99_999 * 8));
}

#[test]
fn size_is_bounded() {
    let limits = Limits { max_bytes: 3, ..Limits::default() };
    assert!(super::super::parse(b"123", &limits).is_ok());
    assert_eq!(super::super::parse(b"1234", &limits).map_err(|error| error.sqlstate), Err("54000"));
}

/// The server takes `["…"]` with a string of 268,435,447 bytes and refuses one more: header and entry count too.
#[test]
fn containers_end_at_256_mib() {
    let array_of = |length: usize| {
        let mut entries = Entries::default();
        entries.add(STRING, length);
        entries.end().map_err(|error| error.sqlstate)
    };
    assert_eq!(array_of(268_435_447), Ok(268_435_455));
    assert_eq!(array_of(268_435_448), Err("54000"));
    assert_eq!(array_of(268_435_456), Err("54000"));
    let mut entries = Entries::default();
    entries.add(STRING, 200_000_000);
    entries.add(STRING, 100_000_000);
    entries.add(STRING, usize::MAX);
    assert!(entries.end().is_err());
}

#[test]
fn a_parser_is_as_good_after_an_error_as_before() {
    let mut parser = Parser::new(Limits::default());
    let mut out = Vec::new();
    assert!(parser.parse_into(br#"{"a":[1,{"b":"#, &mut out).is_err());
    assert!(parser.parse_into(br#"{"a":[1,"\n"]}"#, &mut out).is_ok());
    assert_eq!(out, bytes_of(r#"{"a":[1,"\n"]}"#));
}
