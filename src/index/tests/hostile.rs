//! Bytes and texts that nobody sends in good faith: read without a panic, in bounded time and memory.
//! `tests/fuzz` hammers the same entries for longer.

use super::super::decimal::Decimal;
use super::super::query::{ErrorKind, MAX_CONDITIONS, MAX_LEAVES, MAX_TEXT};
use super::super::scan::{MAX_KEYS, Scan};
use super::super::text::{fold, normalise, prefix};
use super::super::time;
use super::corpus;
use super::{Keys, Numbers, Query};

fn mutated(numbers: &mut Numbers, bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..=numbers.below(4) {
        let at = numbers.below(bytes.len());
        match numbers.below(6) {
            0 if at < bytes.len() => bytes[at] ^= 1 << numbers.below(8),
            1 if at < bytes.len() => bytes[at] = numbers.next() as u8,
            2 => bytes.truncate(at),
            3 => bytes.insert(at, *numbers.pick(&[0, 1, 0x7f, 0x80, 0xff, b',', b'|', b'$', b'\\', b'%', b'&', b'='])),
            4 if at + 8 <= bytes.len() => bytes[at..at + 8].copy_from_slice(&numbers.pick(&[0u64, u64::MAX, 1 << 63, (1 << 63) - 1]).to_le_bytes()),
            _ => {
                let end = (at + numbers.below(9)).min(bytes.len());
                bytes.drain(at..end);
            }
        }
    }
    bytes
}

/// Reads all that can be read, and gives how many keys there are.
fn exhaust(body: &[u8]) -> usize {
    let valid = Keys::is_valid(body);
    let Some(keys) = Keys::read(body) else {
        assert!(!valid);
        return 0;
    };
    let entries = keys.entries().count();
    assert!(entries <= body.len() / 4, "an entry takes at least four bytes");
    let mut count = 0;
    keys.for_each_key(&mut |key| {
        assert!(key.len() <= 160);
        count += 1;
    });
    assert!(count <= 1 + 20 * entries);
    count
}

#[test]
fn any_bytes_can_be_read_as_keys() {
    let mut numbers = Numbers(7);
    let bodies = corpus::odd();
    let queries = ["date=ge2013", "value-quantity=lt5||mg", "code=x", "name:contains=a", "url:above=http://a/b", "identifier:not=1", "subject=1"].map(super::parse);
    let mut valid = 0;
    for round in 0..30_000 {
        let body = match round % 4 {
            0 => (0..numbers.below(40)).map(|_| numbers.next() as u8).collect(),
            1 => {
                // the version right, and lengths that can be
                let mut body = vec![1, 0];
                (0..numbers.below(60)).for_each(|_| body.push(numbers.below(14) as u8));
                body
            }
            _ => {
                let at = numbers.below(bodies.len());
                mutated(&mut numbers, &bodies[at])
            }
        };
        exhaust(&body);
        if Keys::is_valid(&body) {
            valid += 1;
        }
        if let Some(keys) = Keys::read(&body) {
            let _ = numbers.pick(&queries).matches(keys);
        }
    }
    assert!(valid > 1_000, "{valid}");
}

const TEXTS: [&str; 24] = [
    "Patient?name=a&birthdate=ge1970-01-01T10:00:00.123%2B02:00",
    "Observation?code-value-quantity=http://loinc.org|8480-6$gt5.4|http://unitsofmeasure.org|mg,a$1",
    r"code=a\,b\|c\$d\\,e|f,|g,h|",
    "subject:Patient=1,2&subject=Patient/1,urn:uuid:1,http://x/Patient/1/_history/2",
    "subject:identifier=http://a|b,|c,d",
    "identifier:of-type=a|b|c",
    "name:contains=%C3%A9&family:exact=a+b",
    "url:above=http://a/b/c/d,/&url:below=/,a",
    "value-quantity=ap1e-5||mg,ne-1.5e+3,sa.5,eb5.",
    "probability=gt0.00000000000000000000000000000000000000000000000000000000000000000000000000000000000001",
    "birthdate:missing=true&gender:not=male,female",
    "date=2013-01-14T10:00:60Z,ne2013-02-29,eb9999-12-31T23:59:59.9999999999-14:00,sa0001",
    "_id=a&_lastUpdated=ge2020&_tag=x|y&_profile=http://a&_source=b",
    "",
    "?&&=&",
    "Patient?",
    "Patient?name=",
    "%",
    "a=%00",
    "a=%ff%fe",
    "ü=é&名=前",
    "date=eq\u{1F600}",
    "value-quantity=5|\u{1F600}|\u{301}",
    "relationship=1$replaces&chromosome-variant-coordinate=1$2$3",
];

#[test]
fn any_text_is_a_search_or_is_refused() {
    let mut numbers = Numbers(11);
    let mut accepted = 0;
    let bodies = corpus::odd();
    for round in 0..40_000 {
        let bytes = if round < TEXTS.len() { TEXTS[round].as_bytes().to_vec() } else { mutated(&mut numbers, TEXTS[round % TEXTS.len()].as_bytes()) };
        let text = String::from_utf8_lossy(&bytes);
        match Query::parse(&text) {
            Ok(query) => {
                accepted += 1;
                let scan = Scan::of(&query);
                assert!(scan.groups.iter().chain(&scan.excluded).map(|g| g.keys.len()).sum::<usize>() < 2_000, "{text}");
                let _ = query.matches(Keys::read(&bodies[numbers.below(bodies.len())]).unwrap());
            }
            Err(error) => {
                assert!(error.message.len() < 400 && !error.message.contains(['\n', '\0']), "{text}: {error:?}");
                assert!(error.message.chars().next().is_none_or(|c| !c.is_uppercase()) && !error.message.ends_with('.'), "{error:?}");
            }
        }
    }
    assert!(accepted > 5_000, "{accepted}");
}

#[test]
fn large_searches_are_refused_or_bounded() {
    let full = |start: &str, part: &str| format!("{start}{}", part.repeat((MAX_TEXT - start.len()) / part.len()));
    for (text, kind) in [
        ("a".repeat(MAX_TEXT + 1), ErrorKind::TooLarge),
        (full("code=", ","), ErrorKind::TooLarge),
        (full("Observation?code=", "a,"), ErrorKind::TooLarge),
        (full("date=", "2013,"), ErrorKind::TooLarge),
        (full("", "code=a&"), ErrorKind::TooLarge),
        (full("subject=", "1,"), ErrorKind::TooLarge),
        (full("", "subject=#/&"), ErrorKind::TooLarge),
        (full("", "&"), ErrorKind::Invalid),
        (full("a", "b"), ErrorKind::Invalid),
        (full("", "%"), ErrorKind::Invalid),
    ] {
        let shown = prefix(&text, 30);
        match Query::parse(&text) {
            Ok(query) => assert!(query.conditions.is_empty() && shown.starts_with('&'), "{shown}"),
            Err(error) => assert_eq!(error.kind, kind, "{shown}"),
        }
    }
    let most = MAX_LEAVES - 1;
    for text in [
        full("code=", r"\"),
        full("code=", r"\,"),
        full("code=", "|"),
        full("name:contains=", "%CC%81"),
        full("name=", "é"),
        full("url:above=", "/"),
        format!("url:above={}/", "/,".repeat(most)),
        full("subject=", "#/"),
        "subject=#/&".repeat(MAX_CONDITIONS),
        format!("code={}a", "a,".repeat(most)),
        format!("date={}2013", "ge2013-03-14,".repeat(most)),
        format!("date={}2013", (0..most).map(|n| format!("ge{}-03-14,", 1000 + n % 9000)).collect::<String>()),
        "birthdate=lt2013-03-14&".repeat(MAX_CONDITIONS),
        "gender:not=male&".repeat(MAX_CONDITIONS),
        format!("value-quantity={}1", "gt5.4||mg,".repeat(most)),
        format!("code-value-quantity={}a$1", "a$gt5.4,".repeat(most)),
    ] {
        let shown = prefix(&text, 30);
        let query = Query::parse(&text).unwrap_or_else(|e| panic!("{shown}: {e:?}"));
        let scan = Scan::of(&query);
        let keys = scan.groups.iter().chain(&scan.excluded).map(|g| g.keys.len()).sum::<usize>();
        assert!(keys <= MAX_KEYS, "{shown}: {keys}");
    }
}

#[test]
fn any_digits_are_a_number_or_are_refused() {
    let mut numbers = Numbers(13);
    let long = |d: &str, n: usize| d.repeat(n);
    let mut texts: Vec<String> = ["0", "-0", "1e30000", "-1e-30000", "9e29999", "1e30001", "1e-30001", "1e99999999999", "0e30000", "0e-30000", ".5", "5.", "+1", "1e+5", "٣", "1e٣", "∞", "NaN"].map(str::to_owned).into();
    for n in [63, 64, 65, 66, 999, 1_000, 1_001, 29_999, 30_000, 30_001] {
        texts.extend([long("9", n), long("0", n), format!("0.{}1", long("0", n)), format!("1{}", long("0", n)), format!("-9.{}", long("9", n)), format!("{}e{n}", long("9", n)), format!(".{}1e-{n}", long("0", n))]);
    }
    let alphabet = ["0", "1", "9", "5", ".", "-", "+", "e", "E", "e29999", "00000", "99999"];
    for _ in 0..20_000 {
        texts.push((0..numbers.below(9)).map(|_| *numbers.pick(&alphabet)).collect());
    }
    let mut encoded: Vec<(f64, Vec<u8>)> = Vec::new();
    for text in &texts {
        let Some(number) = Decimal::parse(text) else { continue };
        let value = number.encode();
        assert_eq!(Decimal::decode(&value).unwrap().encode(), value, "{text}");
        for (low, high) in [number.implied(), number.tenth_around()] {
            assert!(low.encode() <= value && value <= high.encode(), "{text}: {low} {high}");
            let _ = (low.to_string(), high.to_string());
        }
        if let Ok(float) = text.parse::<f64>()
            && float.is_finite()
        {
            encoded.push((float, value));
        }
    }
    // bytes sort as numbers, as far as doubles can tell
    encoded.sort_by(|a, b| a.0.total_cmp(&b.0));
    for pair in encoded.windows(2) {
        assert!(pair[0].0 == pair[1].0 || pair[0].1 < pair[1].1, "{pair:?}");
    }
    assert!(encoded.len() > 2_000, "{}", encoded.len());
}

#[test]
fn any_text_is_a_date_or_is_not() {
    let mut numbers = Numbers(17);
    let seeds = ["2013-01-14T10:00:00.123456789+02:00", "2013-01-14T10:00Z", "2013-01", "9999-12-31T23:59:60.9-14:00", "0001-01-01T00:00:00+14:00"];
    let odd = ["é", "٢", "\u{1F600}", "-", ":", "T", "Z", "+", " ", "9", "0", "."];
    let mut dates = 0;
    for round in 0..40_000 {
        let mut text: Vec<char> = seeds[round % seeds.len()].chars().collect();
        for _ in 0..numbers.below(4) {
            let at = numbers.below(text.len());
            let piece = numbers.pick(&odd).chars().next().unwrap();
            match numbers.below(3) {
                0 => text[at] = piece,
                1 => text.insert(at, piece),
                _ => text.truncate(at),
            }
            if text.is_empty() {
                break;
            }
        }
        let text: String = text.into_iter().collect();
        if let Some(interval) = time::parse(&text) {
            dates += 1;
            assert!(interval.low < interval.high, "{text}");
            let _ = (time::shown(interval.low), time::cover(interval), time::enclosing(interval).unwrap());
        }
    }
    assert!(dates > 5_000, "{dates}");
    for at in [i64::MIN, i64::MIN + 1, -1, 0, 1, i64::MAX - 1, i64::MAX] {
        let _ = time::shown(at);
        for level in 0..time::LEVELS {
            let _ = time::bucket(at, level);
        }
    }
}

#[test]
fn the_normal_form_is_its_own_and_goes_by_characters() {
    let mut numbers = Numbers(19);
    let characters: Vec<char> = (0..0x11_0000).filter_map(char::from_u32).filter(|c| !c.is_ascii_lowercase()).collect();
    for c in characters.iter().copied() {
        let once = normalise(c.encode_utf8(&mut [0; 4])).into_owned();
        assert_eq!(normalise(&once), once, "{c:?}");
        let once = fold(c.encode_utf8(&mut [0; 4])).into_owned();
        assert_eq!(fold(&once), once, "{c:?}");
    }
    for _ in 0..20_000 {
        let word = |numbers: &mut Numbers| (0..numbers.below(6)).map(|_| *numbers.pick(&characters[..0x3_0000])).collect::<String>();
        let (a, b) = (word(&mut numbers), word(&mut numbers));
        let whole = format!("{a}{b}");
        // what makes a search from the start find what begins with it
        assert_eq!(fold(&whole), format!("{}{}", fold(&a), fold(&b)), "{whole:?}");
        let normal = normalise(&whole).into_owned();
        assert_eq!(normalise(&normal), normal, "{whole:?}");
        if normalise(&a).chars().any(char::is_alphanumeric) {
            assert!(normal.starts_with(&*normalise(&a)), "{whole:?}");
        }
        let limit = numbers.below(20);
        assert!(prefix(&whole, limit).len() <= limit && whole.starts_with(prefix(&whole, limit)));
    }
}
