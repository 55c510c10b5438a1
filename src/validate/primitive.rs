//! The formats of primitives: <https://hl7.org/fhir/R4/datatypes.html#primitive>.
//!
//! Each check reads its text once. Where the published regular expression says less than the prose (real calendar
//! dates, sizes), the prose is checked as well.

use crate::json::{Node, Number};
use crate::path::reference::is_id;

/// The primitive types of R4.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Primitive {
    Boolean,
    Integer,
    UnsignedInt,
    PositiveInt,
    Decimal,
    String,
    Markdown,
    Uri,
    Url,
    Canonical,
    Oid,
    Uuid,
    Id,
    Code,
    Base64Binary,
    Date,
    DateTime,
    Instant,
    Time,
    Xhtml,
}

/// What is wrong with a value, ready to be read by a person.
pub type Problem = &'static str;

impl Primitive {
    /// The type of that name.
    pub fn named(name: &str) -> Option<Primitive> {
        use Primitive::*;
        Some(match name {
            "boolean" => Boolean,
            "integer" => Integer,
            "unsignedInt" => UnsignedInt,
            "positiveInt" => PositiveInt,
            "decimal" => Decimal,
            "string" => String,
            "markdown" => Markdown,
            "uri" => Uri,
            "url" => Url,
            "canonical" => Canonical,
            "oid" => Oid,
            "uuid" => Uuid,
            "id" => Id,
            "code" => Code,
            "base64Binary" => Base64Binary,
            "date" => Date,
            "dateTime" => DateTime,
            "instant" => Instant,
            "time" => Time,
            "xhtml" => Xhtml,
            _ => return None,
        })
    }

    /// Checks the JSON type and the format.
    pub fn check(self, value: Node<'_>) -> Result<(), Problem> {
        use Primitive::*;
        match (self, value) {
            (Boolean, Node::Bool(_)) | (Decimal, Node::Number(_)) => Ok(()),
            (Boolean, _) => Err("not a JSON boolean"),
            (Integer, Node::Number(n)) => integer(n, i64::from(i32::MIN), "not a whole number of 32 bits"),
            (UnsignedInt, Node::Number(n)) => integer(n, 0, "not a whole number from 0 to 2147483647"),
            (PositiveInt, Node::Number(n)) => integer(n, 1, "not a whole number from 1 to 2147483647"),
            (Decimal | Integer | UnsignedInt | PositiveInt, _) => Err("not a JSON number"),
            (_, Node::String(text)) => self.check_text(text),
            _ => Err("not a JSON string"),
        }
    }

    fn check_text(self, text: &str) -> Result<(), Problem> {
        use Primitive::*;
        if text.is_empty() {
            return Err("an empty string is not a value");
        }
        let bytes = text.as_bytes();
        let (right, problem) = match self {
            String | Markdown => (fits(text), "longer than 1048576 characters"),
            Uri => (!has_space(bytes), "not a uri: it has white space"),
            Url => (!has_space(bytes), "not a url: it has white space"),
            Canonical => (!has_space(bytes), "not a canonical: it has white space"),
            Oid => (is_oid(text), "not an oid such as urn:oid:1.2.3"),
            Uuid => (is_uuid(text), "not a uuid such as urn:uuid:c757873d-ec9a-4326-a141-556f43239520"),
            Id => (is_id(text), "not an id: 1 to 64 letters, digits, dots and hyphens"),
            Code => (is_code(bytes), "not a code: it has white space at an end, or more than one in a row"),
            Base64Binary => (is_base64(bytes), "not base64"),
            Date => (is_date(bytes), "not a date: YYYY, YYYY-MM or YYYY-MM-DD"),
            DateTime => (is_date_time(bytes), "not a dateTime: YYYY, YYYY-MM, YYYY-MM-DD or YYYY-MM-DDThh:mm:ss+zz:zz"),
            Instant => (is_instant(bytes), "not an instant: YYYY-MM-DDThh:mm:ss.sss+zz:zz"),
            Time => (time(bytes) == Some(&[]), "not a time: hh:mm:ss"),
            Xhtml => (is_div(text), "not xhtml: a <div> in the namespace http://www.w3.org/1999/xhtml"),
            Boolean | Integer | UnsignedInt | PositiveInt | Decimal => (false, "not a JSON string"),
        };
        if right { Ok(()) } else { Err(problem) }
    }
}

fn integer(number: Number<'_>, least: i64, problem: Problem) -> Result<(), Problem> {
    match number.as_i64() {
        Some(n) if n >= least && n <= i64::from(i32::MAX) && number.scale() == 0 => Ok(()),
        _ => Err(problem),
    }
}

/// "Strings SHALL NOT exceed 1MB (1024*1024 characters) in size."
fn fits(text: &str) -> bool {
    const MOST: usize = 1024 * 1024;
    text.len() <= MOST || text.chars().count() <= MOST
}

fn is_space(byte: u8) -> bool {
    byte == b' ' || byte.wrapping_sub(b'\t') < 5
}

/// Reads to the end in any case: without a way out the loop takes many bytes at once.
fn has_space(bytes: &[u8]) -> bool {
    bytes.iter().fold(false, |found, b| found | is_space(*b))
}

/// `[^\s]+(\s[^\s]+)*`
fn is_code(bytes: &[u8]) -> bool {
    if !has_space(bytes) {
        return true;
    }
    let mut after_space = true;
    for &byte in bytes {
        let space = is_space(byte);
        if space && after_space {
            return false;
        }
        after_space = space;
    }
    !after_space
}

/// `urn:oid:[0-2](\.(0|[1-9][0-9]*))+`
fn is_oid(text: &str) -> bool {
    let Some(oid) = text.strip_prefix("urn:oid:") else { return false };
    let Some((root, arcs)) = oid.split_once('.') else { return false };
    matches!(root, "0" | "1" | "2")
        && arcs.split('.').all(|arc| arc == "0" || (!arc.is_empty() && !arc.starts_with('0') && arc.bytes().all(|b| b.is_ascii_digit())))
}

/// `urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`
fn is_uuid(text: &str) -> bool {
    let Some(uuid) = text.strip_prefix("urn:uuid:") else { return false };
    uuid.len() == 36
        && uuid.bytes().enumerate().all(|(i, b)| match i {
            8 | 13 | 18 | 23 => b == b'-',
            _ => matches!(b, b'0'..=b'9' | b'a'..=b'f'),
        })
}

/// `(\s*([0-9a-zA-Z\+/=]){4}\s*)+`, with `=` at the end only.
fn is_base64(bytes: &[u8]) -> bool {
    let (mut digits, mut padding) = (0usize, 0usize);
    // images and documents are long, and nearly all of one is digits
    for block in bytes.chunks(16) {
        if padding == 0 && block.iter().fold(true, |all, b| all & is_base64_digit(*b)) {
            digits += block.len();
            continue;
        }
        for &byte in block {
            if padding == 0 && is_base64_digit(byte) {
                digits += 1;
            } else if byte == b'=' {
                padding += 1;
            } else if !is_space(byte) || (digits + padding) % 4 != 0 {
                return false;
            }
        }
    }
    digits > 0 && padding <= 2 && (digits + padding) % 4 == 0
}

#[inline]
fn is_base64_digit(byte: u8) -> bool {
    ((byte | 0x20).wrapping_sub(b'a') < 26) | (byte.wrapping_sub(b'0') < 10) | (byte == b'+') | (byte == b'/')
}

fn two(a: u8, b: u8) -> Option<u8> {
    (a.is_ascii_digit() && b.is_ascii_digit()).then(|| (a - b'0') * 10 + (b - b'0'))
}

/// The year at the front, from 0001, and the rest.
fn year(bytes: &[u8]) -> Option<(u16, &[u8])> {
    let [a, b, c, d, rest @ ..] = bytes else { return None };
    let year = u16::from(two(*a, *b)?) * 100 + u16::from(two(*c, *d)?);
    (year > 0).then_some((year, rest))
}

/// The `-MM` at the front, and the rest.
fn month(bytes: &[u8]) -> Option<(u8, &[u8])> {
    let [b'-', a, b, rest @ ..] = bytes else { return None };
    two(*a, *b).filter(|m| (1..=12).contains(m)).map(|m| (m, rest))
}

fn day(bytes: &[u8], year: u16, month: u8) -> Option<&[u8]> {
    let [b'-', a, b, rest @ ..] = bytes else { return None };
    let last = match month {
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        _ => 31,
    };
    two(*a, *b).filter(|d| (1..=last).contains(d)).map(|_| rest)
}

/// What follows a date of whatever precision, and whether it goes down to the day.
fn date(bytes: &[u8]) -> Option<(&[u8], bool)> {
    let (y, rest) = year(bytes)?;
    if rest.is_empty() {
        return Some((rest, false));
    }
    let (m, rest) = month(rest)?;
    if rest.is_empty() {
        return Some((rest, false));
    }
    Some((day(rest, y, m)?, true))
}

/// What follows `hh:mm:ss` and a fraction. The published expressions allow the second 60.
fn time(bytes: &[u8]) -> Option<&[u8]> {
    let [h, hh, b':', m, mm, b':', s, ss, rest @ ..] = bytes else { return None };
    if two(*h, *hh)? > 23 || two(*m, *mm)? > 59 || two(*s, *ss)? > 60 {
        return None;
    }
    let [b'.', fraction @ ..] = rest else { return Some(rest) };
    match fraction.iter().position(|b| !b.is_ascii_digit()).unwrap_or(fraction.len()) {
        0 => None,
        digits => fraction.get(digits..),
    }
}

/// `Z|(\+|-)((0[0-9]|1[0-3]):[0-5][0-9]|14:00)`
fn is_zone(bytes: &[u8]) -> bool {
    match bytes {
        [b'Z'] => true,
        [b'+' | b'-', h, hh, b':', m, mm] => match (two(*h, *hh), two(*m, *mm)) {
            (Some(hour), Some(minute)) => hour < 14 && minute < 60 || hour == 14 && minute == 0,
            _ => false,
        },
        _ => false,
    }
}

fn is_date(bytes: &[u8]) -> bool {
    date(bytes).is_some_and(|(rest, _)| rest.is_empty())
}

fn is_date_time(bytes: &[u8]) -> bool {
    match date(bytes) {
        Some(([], _)) => true,
        Some(([b'T', rest @ ..], true)) => time(rest).is_some_and(is_zone),
        _ => false,
    }
}

fn is_instant(bytes: &[u8]) -> bool {
    matches!(date(bytes), Some(([b'T', rest @ ..], true)) if time(rest).is_some_and(is_zone))
}

/// A narrative is a `<div>` in the XHTML namespace: <https://hl7.org/fhir/R4/narrative.html#xhtml>. What the elements inside
/// may be is the matter of the invariants `txt-1` and `txt-2`.
fn is_div(text: &str) -> bool {
    let Some(rest) = text.trim_start().strip_prefix("<div") else { return false };
    let Some((tag, _)) = rest.split_once('>') else { return false };
    let namespace = tag.split_once("xmlns").and_then(|(_, t)| t.trim_start().strip_prefix('=')).map(str::trim_start);
    tag.starts_with(|c: char| c.is_ascii_whitespace())
        && namespace.is_some_and(|n| n.get(1..).is_some_and(|n| n.starts_with("http://www.w3.org/1999/xhtml")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(primitive: Primitive, right: &[&str], wrong: &[&str]) {
        for text in right {
            assert_eq!(primitive.check(Node::String(text)), Ok(()), "{primitive:?} {text:?}");
        }
        for text in wrong {
            assert!(primitive.check(Node::String(text)).is_err(), "{primitive:?} {text:?}");
        }
    }

    #[test]
    fn dates_are_days_of_the_calendar() {
        let wrong = ["", "1970-1", "70", "0000", "1970-13", "1970-00", "1970-02-30", "1900-02-29", "1970-04-31", "1970-01-00", "19700101", "1970-01-01 "];
        all(Primitive::Date, &["1970", "1970-12", "1970-01-31", "2000-02-29", "2024-02-29"], &wrong);
        all(Primitive::Date, &[], &["1970-01-01T00:00:00Z"]);
        all(Primitive::DateTime, &["1970", "1970-12", "1970-01-31", "1970-01-31T23:59:60.123Z", "1970-01-31T00:00:00+14:00"], &wrong);
        all(
            Primitive::DateTime,
            &[],
            &["1970-01T00:00:00Z", "1970-01-31T00:00:00", "1970-01-31T00:00Z", "1970-01-31T24:00:00Z", "1970-01-31T00:00:00+14:01", "1970-01-31T00:00:00.Z", "1970-01-31T00:00:00z", "1970-01-31T"],
        );
        all(Primitive::Instant, &["1970-01-31T00:00:00.123-05:00"], &["1970-01-31", "1970", ""]);
        all(Primitive::Time, &["00:00:00", "23:59:60.5"], &["24:00:00", "00:00", "00:00:00Z", "00:00:00."]);
    }

    #[test]
    fn texts_have_their_forms() {
        all(Primitive::Id, &["a", "A-1.b", &"x".repeat(64)], &["", "a b", "a_b", "ä", &"x".repeat(65)]);
        all(Primitive::Code, &["a", "a b", "a/b"], &["", " a", "a ", "a  b", " "]);
        all(Primitive::Uri, &["urn:x", "http://a/b?c#d", "a"], &["", "a b", "a\n"]);
        all(Primitive::Oid, &["urn:oid:1.2.0.345", "urn:oid:2.16"], &["1.2.3", "urn:oid:3.1", "urn:oid:1", "urn:oid:1.02", "urn:oid:1..2", "urn:oid:1.2."]);
        all(
            Primitive::Uuid,
            &["urn:uuid:c757873d-ec9a-4326-a141-556f43239520"],
            &["c757873d-ec9a-4326-a141-556f43239520", "urn:uuid:C757873D-ec9a-4326-a141-556f43239520", "urn:uuid:c757873d-ec9a-4326-a141-556f4323952"],
        );
        all(Primitive::Base64Binary, &["QUJD", "QUI=", "QQ==", "QUJD\nQUJD"], &["", "QUJ", "QU=D", "Q===", "====", "QU-_", "Q UJD"]);
        let long = "QUJD".repeat(100);
        let wrong = |byte: &str| format!("{long}{byte}{long}");
        all(Primitive::Base64Binary, &[&long, &wrong("\r\n"), &format!("{long}QQ==")], &[&wrong("Q"), &wrong("="), &wrong("QQ=="), &wrong("-"), &wrong("Q\n"), &wrong("\u{e9}QQ")]);
        all(Primitive::String, &[" ", "ä", "a\tb"], &[""]);
        all(
            Primitive::Xhtml,
            &["<div xmlns=\"http://www.w3.org/1999/xhtml\">a</div>", "<div lang='en' xmlns='http://www.w3.org/1999/xhtml'/>"],
            &["", "a", "<div>a</div>", "<p xmlns=\"http://www.w3.org/1999/xhtml\"/>", "<div xmlns=\"http://x\">a</div>", "<div xmlns=", "<divx xmlns=\"http://www.w3.org/1999/xhtml\"/>"],
        );
    }

    #[test]
    fn json_types_are_not_mixed() {
        assert!(Primitive::Boolean.check(Node::String("true")).is_err());
        assert!(Primitive::String.check(Node::Bool(true)).is_err());
        assert!(Primitive::Decimal.check(Node::String("1.0")).is_err());
        assert!(Primitive::Integer.check(Node::Null).is_err());
    }
}
