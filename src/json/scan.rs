//! The tokens of a JSON text (RFC 8259 sections 6 and 7).

use super::error::{Fallible, INVALID_TEXT, JsonError, UNTRANSLATABLE};
use super::number::Token;

const LOW_BITS: u64 = 0x0101_0101_0101_0101;
const HIGH_BITS: u64 = 0x8080_8080_8080_8080;

/// The first byte from `at` on that is not white space.
#[inline]
pub fn skip_space(text: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\n' | b'\r' | b'\t') = text.get(at) {
        at += 1;
    }
    at
}

/// The first byte from `at` on that ends a plain run in a string: a quote, a backslash or a control character.
#[inline]
pub fn plain_run(text: &[u8], mut at: usize) -> usize {
    // Eight bytes at a time; in each lane the high bit tells. A borrow can only reach lanes above a true hit.
    while let Some(lanes) = text.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
        let lanes = u64::from_le_bytes(*lanes);
        let quote = lanes ^ (LOW_BITS * b'"' as u64);
        let backslash = lanes ^ (LOW_BITS * b'\\' as u64);
        let hits = (quote.wrapping_sub(LOW_BITS) & !quote)
            | (backslash.wrapping_sub(LOW_BITS) & !backslash)
            | (lanes.wrapping_sub(LOW_BITS * 0x20) & !lanes);
        let hits = hits & HIGH_BITS;
        if hits != 0 {
            return at + hits.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    while text.get(at).is_some_and(|byte| *byte >= 0x20 && *byte != b'"' && *byte != b'\\') {
        at += 1;
    }
    at
}

/// Unescapes a string from `at`, up to its closing quote; gives the place behind that. The text must be UTF-8.
pub fn escaped_string(text: &[u8], mut at: usize, out: &mut Vec<u8>) -> Fallible<usize> {
    loop {
        let end = plain_run(text, at);
        append(out, text.get(at..end).unwrap_or_default())?;
        at = end;
        match text.get(at) {
            Some(b'"') => return Ok(at + 1),
            Some(b'\\') => at = escape(text, at, out)?,
            Some(_) => return Err(control_character(at)),
            None => return Err(unexpected_end(at)),
        }
    }
}

/// One escape sequence; a surrogate pair is one.
fn escape(text: &[u8], at: usize, out: &mut Vec<u8>) -> Fallible<usize> {
    let byte = match text.get(at + 1) {
        Some(byte @ (b'"' | b'\\' | b'/')) => *byte,
        Some(b'b') => 0x08,
        Some(b'f') => 0x0C,
        Some(b'n') => b'\n',
        Some(b'r') => b'\r',
        Some(b't') => b'\t',
        Some(b'u') => return unicode_escape(text, at, out),
        Some(_) => return Err(JsonError::new(INVALID_TEXT, at, "invalid escape sequence in string")),
        None => return Err(unexpected_end(at + 1)),
    };
    append(out, &[byte])?;
    Ok(at + 2)
}

fn unicode_escape(text: &[u8], at: usize, out: &mut Vec<u8>) -> Fallible<usize> {
    let lone = || JsonError::new(INVALID_TEXT, at, "unicode surrogate without its pair in string");
    let unit = code_unit(text, at)?;
    let (code, end) = match unit {
        0 => return Err(JsonError::new(UNTRANSLATABLE, at, "\\u0000 cannot be converted to text")),
        0xD800..=0xDBFF => {
            if text.get(at + 6..at + 8) != Some(b"\\u") {
                return Err(lone());
            }
            let low = code_unit(text, at + 6)?;
            if !(0xDC00..=0xDFFF).contains(&low) {
                return Err(lone());
            }
            (0x1_0000 + ((unit - 0xD800) << 10) + (low - 0xDC00), at + 12)
        }
        unit => (unit, at + 6),
    };
    let character = char::from_u32(code).ok_or_else(lone)?;
    append(out, character.encode_utf8(&mut [0; 4]).as_bytes())?;
    Ok(end)
}

/// The four hex digits behind `\u`.
fn code_unit(text: &[u8], at: usize) -> Fallible<u32> {
    let mut unit = 0;
    for digit in at + 2..at + 6 {
        let value = match text.get(digit) {
            Some(byte @ b'0'..=b'9') => byte - b'0',
            Some(byte @ b'a'..=b'f') => byte - b'a' + 10,
            Some(byte @ b'A'..=b'F') => byte - b'A' + 10,
            Some(_) => return Err(JsonError::new(INVALID_TEXT, digit, "\\u must be followed by four hex digits")),
            None => return Err(unexpected_end(digit)),
        };
        unit = unit << 4 | u32::from(value);
    }
    Ok(unit)
}

/// A number from `at`, which holds a digit or a minus.
pub fn number(text: &[u8], start: usize) -> Fallible<Token<'_>> {
    let negative = text.get(start) == Some(&b'-');
    let first = start + usize::from(negative);
    let mut end = digits(text, first)?;
    let whole = text.get(first..end).unwrap_or_default();
    if whole.len() > 1 && whole.first() == Some(&b'0') {
        return Err(JsonError::new(INVALID_TEXT, first, "a number cannot begin with a zero and more digits"));
    }
    let mut fraction: &[u8] = &[];
    if text.get(end) == Some(&b'.') {
        let first = end + 1;
        end = digits(text, first)?;
        fraction = text.get(first..end).unwrap_or_default();
    }
    let mut exponent: &[u8] = &[];
    if let Some(b'e' | b'E') = text.get(end) {
        let first = end + 1;
        let sign = matches!(text.get(first), Some(b'+' | b'-'));
        end = digits(text, first + usize::from(sign))?;
        exponent = text.get(first..end).unwrap_or_default();
    }
    Ok(Token { negative, whole, fraction, exponent, start, end })
}

/// What is wrong with the token behind a number, if anything: the server reads that one before it converts the number.
#[cold]
pub fn error_behind_number(text: &[u8], end: usize) -> Option<Box<JsonError>> {
    let is_word =
        |at: usize| text.get(at).is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_' || *byte >= 0x80);
    let invalid = |at| JsonError::new(INVALID_TEXT, at, "invalid token");
    if is_word(end) {
        return Some(invalid(end));
    }
    let at = skip_space(text, end);
    let end = match text.get(at)? {
        b'{' | b'}' | b'[' | b']' | b',' | b':' => return None,
        b'"' => return escaped_string(text, at + 1, &mut Vec::new()).err(),
        b'-' | b'0'..=b'9' => match number(text, at) {
            Ok(token) => token.end,
            Err(error) => return Some(error),
        },
        _ => {
            let length = text.get(at..)?.iter().zip(at..).take_while(|(_, at)| is_word(*at)).count();
            match text.get(at..at + length)? {
                b"true" | b"false" | b"null" => return None,
                _ => return Some(invalid(at)),
            }
        }
    };
    is_word(end).then(|| invalid(end))
}

/// The end of at least one digit.
fn digits(text: &[u8], start: usize) -> Fallible<usize> {
    let mut at = start;
    while text.get(at).is_some_and(u8::is_ascii_digit) {
        at += 1;
    }
    match text.get(at) {
        _ if at > start => Ok(at),
        Some(_) => Err(JsonError::new(INVALID_TEXT, at, "expected a digit")),
        None => Err(unexpected_end(at)),
    }
}

#[inline]
pub fn append(out: &mut Vec<u8>, bytes: &[u8]) -> Fallible<()> {
    reserve(out, bytes.len())?;
    out.extend_from_slice(bytes);
    Ok(())
}

#[inline]
pub fn reserve<T>(list: &mut Vec<T>, more: usize) -> Fallible<()> {
    if list.capacity() - list.len() < more { grow(list, more) } else { Ok(()) }
}

#[cold]
fn grow<T>(list: &mut Vec<T>, more: usize) -> Fallible<()> {
    list.try_reserve(more).map_err(|_| JsonError::out_of_memory())
}

#[cold]
pub fn unexpected_end(at: usize) -> Box<JsonError> {
    JsonError::new(INVALID_TEXT, at, "the json text ends too early")
}

#[cold]
pub fn control_character(at: usize) -> Box<JsonError> {
    JsonError::new(INVALID_TEXT, at, "a control character in a string must be escaped")
}
