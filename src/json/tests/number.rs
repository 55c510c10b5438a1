//! What goes in as `numeric` comes out as the server prints it.

use super::super::number::encode;
use super::*;

fn datum(text: &str) -> Vec<u8> {
    encode(text).unwrap_or_else(|| panic!("{text}: not a number")).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn shown(text: &str) -> String {
    let datum = datum(text);
    Number::new(&datum).expect(text).to_decimal_string()
}

fn overflows(text: &str) -> bool {
    matches!(encode(text), Some(Err(error)) if error.sqlstate == "22003")
}

#[test]
fn decimals_keep_their_digits() {
    for same in
        ["0", "1", "-1", "1.10", "1.0", "0.000", "100", "10000", "10001", "99999999", "0.0001", "0.00001", "-0.5"]
    {
        assert_eq!(shown(same), same);
    }
    for long in ["123456789012345678901234567890.5", "0.12345678901234567890123456789", "-9223372036854775808"] {
        assert_eq!(shown(long), long);
    }
}

#[test]
fn exponents_move_the_point_as_the_server_does() {
    for (text, want) in [
        ("1e5", "100000"),
        ("1E+5", "100000"),
        ("1e-5", "0.00001"),
        ("1.5e3", "1500"),
        ("1.50e1", "15.0"),
        ("1.50e-1", "0.150"),
        ("0.10e1", "1.0"),
        ("10.0e-1", "1.00"),
        ("0e5", "0"),
        ("0e-5", "0.00000"),
        ("-0", "0"),
        ("-0.00", "0.00"),
        ("1e00000000005", "100000"),
    ] {
        assert_eq!(shown(text), want, "{text}");
    }
}

#[test]
fn headers_and_digits_are_the_servers() {
    // (text, header and digits as u16s)
    let cases: [(&str, &[u16]); 12] = [
        ("0", &[0x8000]),
        ("-0.00", &[0x8100]),
        ("1.10", &[0x8100, 1, 1000]),
        ("-1", &[0xA000, 1]),
        ("10000", &[0x8001, 1]),
        ("0.0001", &[0x8200 | 0x7F, 1]),
        ("-12345.678", &[0xA181, 1, 2345, 6780]),
        ("1e255", &[0x803F, 1000]),
        ("1e256", &[0x0000, 64, 1]),
        ("-1e256", &[0x4000, 64, 1]),
        ("1e-63", &[0x8000 | 63 << 7 | 0x70, 10]),
        ("1e-64", &[64, 0xFFF0, 1]),
    ];
    for (text, words) in cases {
        let want: Vec<u8> = words.iter().flat_map(|word| word.to_ne_bytes()).collect();
        assert_eq!(datum(text), want, "{text}");
    }
}

#[test]
fn the_last_numbers_that_numeric_holds() {
    assert_eq!(shown("1e400").len(), 401);
    assert_eq!(shown("9e131071").len(), 131_072);
    assert!(overflows("1e131072"));
    assert!(overflows("1e400000"));
    assert_eq!(shown("1e-16383").len(), 16_385);
    assert!(overflows("1e-16384"));
    assert_eq!(shown("0e400000"), "0");
    assert_eq!(shown("0e1073741822"), "0");
    assert!(overflows("0e1073741823"));
    assert!(overflows("0e-16384"));
    assert!(overflows("1e99999999999999999999999"));
    assert!(overflows("0e-99999999999999999999999"));
    assert_eq!(shown(&format!("1{}", "0".repeat(131_071))).len(), 131_072);
    assert!(overflows(&format!("1{}", "0".repeat(131_072))));
    assert!(overflows(&format!("0.{}", "1".repeat(16_384))));
}

#[test]
fn only_json_notation_is_a_number() {
    for text in
        ["", "-", "+1", "01", "-01", "1.", ".5", "1e", "1e+", "1.e5", "0x10", "NaN", "Infinity", "1 ", " 1", "1_0"]
    {
        assert!(encode(text).is_none(), "{text:?}");
    }
}

#[test]
fn as_i64_is_exact_or_nothing() {
    for (text, want) in [
        ("0", Some(0)),
        ("-0.0", Some(0)),
        ("42", Some(42)),
        ("42.00", Some(42)),
        ("42.01", None),
        ("0.5", None),
        ("1e4", Some(10_000)),
        ("120000000", Some(120_000_000)),
        ("9223372036854775807", Some(i64::MAX)),
        ("9223372036854775808", None),
        ("-9223372036854775808", Some(i64::MIN)),
        ("-9223372036854775809", None),
        ("1e400", None),
    ] {
        let datum = datum(text);
        assert_eq!(Number::new(&datum).and_then(|number| number.as_i64()), want, "{text}");
    }
}

#[test]
fn as_f64_is_the_nearest_double() {
    for text in ["0", "1.10", "-0.1", "123456789.987654321", "1e308", "1e-300", "0.30000000000000004"] {
        let datum = datum(text);
        assert_eq!(Number::new(&datum).expect(text).as_f64(), text.parse::<f64>().expect(text), "{text}");
    }
    assert_eq!(Number::new(&datum("1e400")).map(|number| number.as_f64()), Some(f64::INFINITY));
}

#[test]
fn scale_is_the_count_of_decimals_shown() {
    for (text, scale) in [("1", 0), ("1.10", 2), ("0.000", 3), ("1e-100", 100)] {
        assert_eq!(Number::new(&datum(text)).map(|number| number.scale()), Some(scale), "{text}");
    }
}

#[test]
fn specials_and_broken_datums_do_no_harm() {
    let number = |word: u16| word.to_ne_bytes();
    assert_eq!(Number::new(&number(0xC000)).expect("NaN").to_string(), "NaN");
    assert_eq!(Number::new(&number(0xD000)).expect("infinity").to_string(), "Infinity");
    assert_eq!(Number::new(&number(0xF000)).expect("infinity").to_string(), "-Infinity");
    assert!(Number::new(&number(0xD000)).expect("infinity").as_i64().is_none());
    for broken in [&[][..], &[1], &[0x80, 0x80, 1], &[0, 0, 1]] {
        assert!(Number::new(broken).is_none(), "{broken:?}");
    }
    // Digits out of range read as the largest, and the length of what is printed stays bounded.
    let wild: Vec<u8> = [0x8001u16, 0xFFFF, 0xFFFF].iter().flat_map(|word| word.to_ne_bytes()).collect();
    assert_eq!(Number::new(&wild).expect("wild").to_string(), "99999999");
}
