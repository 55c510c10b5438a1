//! Functions of strings: <http://hl7.org/fhirpath/N1/#string-manipulation>. Places count characters.

use super::code::{Code, Function};
use super::error::{Flow, Problem, Stop};
use super::item::Item;
use super::run::{Emit, Frame, Run};
use std::borrow::Cow;

impl<'a> Run<'a, '_> {
    #[inline(never)]
    pub fn text_function(&self, function: Function, of: &'a Code, arguments: &'a [Code], at: u32, frame: &Frame<'a, '_>, emit: Emit<'_, 'a>) -> Flow {
        use Function::*;
        let Some(text) = self.text(of, frame)? else { return Ok(()) };
        // what is longer was not made here, but may still be looked at
        match function {
            Length | IndexOf | LastIndexOf | Substring | Trim | Split | ToChars => self.steps(text.len() as u64 / 64)?,
            _ => self.make(text.len(), at)?,
        }
        let argument = |place: usize| arguments.get(place).map_or(Ok(None), |code| self.text(code, frame));
        let made = |text: String| Item::String(Cow::Owned(text));
        let item = match function {
            Length => Item::Integer(length(&text)),
            Upper => made(text.to_uppercase()),
            Lower => made(text.to_lowercase()),
            Trim => Item::String(slice(&text, text.trim())),
            ToChars => {
                return text.char_indices().try_for_each(|(at, c)| {
                    self.step()?;
                    emit(Item::String(slice(&text, &text[at..at + c.len_utf8()])))
                });
            }
            Substring => {
                let Some(start) = arguments.first().map_or(Ok(None), |code| self.integer(code, frame))? else { return Ok(()) };
                let count = match arguments.get(1) {
                    // an empty length is none
                    Some(code) => self.integer(code, frame)?.unwrap_or(i64::MAX),
                    None => i64::MAX,
                };
                match substring(&text, start, count) {
                    Some(part) => Item::String(slice(&text, part)),
                    None => return Ok(()),
                }
            }
            _ => {
                let Some(first) = argument(0)? else { return Ok(()) };
                match function {
                    IndexOf => Item::Integer(text.find(&*first).map_or(-1, |at| length(&text[..at]))),
                    LastIndexOf => Item::Integer(text.rfind(&*first).map_or(-1, |at| length(&text[..at]))),
                    Split if first.is_empty() => {
                        return text.chars().try_for_each(|c| {
                            self.step()?;
                            emit(made(c.into()))
                        });
                    }
                    Split => {
                        return text.split(&*first).try_for_each(|part| {
                            self.step()?;
                            emit(Item::String(slice(&text, part)))
                        });
                    }
                    Replace => {
                        let Some(by) = argument(1)? else { return Ok(()) };
                        let count = text.matches(&*first).count();
                        self.make(by.len().saturating_mul(count).saturating_add(text.len()), at)?;
                        made(text.replace(&*first, &by))
                    }
                    _ => match coded(function, &text, &first) {
                        Ok(Some(text)) => made(text),
                        Ok(None) => return Ok(()),
                        Err(()) => return Err(Stop::new(at, Problem::Other(format!("{}() does not know this format", function.name())))),
                    },
                }
            }
        };
        emit(item)
    }

    /// All strings, one behind the other.
    pub fn join(&self, of: &'a Code, separator: Option<&'a Code>, at: u32, frame: &Frame<'a, '_>, emit: Emit<'_, 'a>) -> Flow {
        let separator = match separator {
            Some(code) => self.text(code, frame)?.unwrap_or_default(),
            None => Cow::Borrowed(""),
        };
        let mut joined: Option<String> = None;
        self.each(of, frame, &mut |item| {
            let Some(text) = self.text_of(item, at)? else { return Ok(()) };
            match &mut joined {
                None => joined = Some(text.into_owned()),
                Some(joined) => {
                    joined.push_str(&separator);
                    joined.push_str(&text);
                    if joined.len() > self.scope.limits.text {
                        return Err(Stop::new(at, Problem::TooLong));
                    }
                    self.steps((separator.len() + text.len()) as u64 / 8)?;
                }
            }
            Ok(())
        })?;
        // the suite of SQL on FHIR has it so: nothing joined is a string without characters
        emit(Item::String(Cow::Owned(joined.unwrap_or_default())))
    }

    /// `&`: strings one behind the other.
    pub fn concatenated(&self, a: Option<Cow<'a, str>>, b: Option<Cow<'a, str>>, at: u32) -> Result<Cow<'a, str>, Stop> {
        Ok(match (a, b) {
            (a, None) => a.unwrap_or_default(),
            (None, Some(b)) => b,
            (Some(a), Some(b)) => {
                self.make(a.len() + b.len(), at)?;
                Cow::Owned(a.into_owned() + &b)
            }
        })
    }
}

/// A part of a text that lives as long as the whole.
fn slice<'a>(whole: &Cow<'a, str>, part: &str) -> Cow<'a, str> {
    match whole {
        Cow::Borrowed(whole) => {
            let start = part.as_ptr() as usize - whole.as_ptr() as usize;
            whole.get(start..start + part.len()).map_or_else(|| Cow::Owned(part.to_owned()), Cow::Borrowed)
        }
        Cow::Owned(_) => Cow::Owned(part.to_owned()),
    }
}

fn length(text: &str) -> i64 {
    text.chars().count() as i64
}

fn substring(text: &str, start: i64, count: i64) -> Option<&str> {
    let start = usize::try_from(start).ok()?;
    let (from, _) = text.char_indices().nth(start)?;
    let rest = &text[from..];
    let count = usize::try_from(count.max(0)).ok()?;
    Some(rest.char_indices().nth(count).map_or(rest, |(to, _)| &rest[..to]))
}

/// `encode`, `decode`, `escape` and `unescape`. An unknown format is an error, a text that is none of the format gives nothing.
fn coded(function: Function, text: &str, format: &str) -> Result<Option<String>, ()> {
    Ok(match (function, format) {
        (Function::Encode, "hex") => Some(text.bytes().flat_map(|b| [b >> 4, b & 15]).map(|d| char::from_digit(d.into(), 16).unwrap_or('0')).collect()),
        (Function::Encode, "base64") => Some(encode_base64(text.as_bytes(), BASE64)),
        (Function::Encode, "urlbase64") => Some(encode_base64(text.as_bytes(), URL_BASE64)),
        (Function::Decode, "hex") => decode_hex(text).and_then(|bytes| String::from_utf8(bytes).ok()),
        (Function::Decode, "base64") => decode_base64(text, BASE64).and_then(|bytes| String::from_utf8(bytes).ok()),
        (Function::Decode, "urlbase64") => decode_base64(text, URL_BASE64).and_then(|bytes| String::from_utf8(bytes).ok()),
        (Function::Escape, "html") => Some(escape_html(text)),
        (Function::Escape, "json") => Some(escape_json(text)),
        (Function::Unescape, "html") => Some(unescape_html(text)),
        (Function::Unescape, "json") => unescape_json(text),
        _ => return Err(()),
    })
}

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const URL_BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

fn encode_base64(bytes: &[u8], alphabet: &[u8; 64]) -> String {
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let group = chunk.iter().fold(0u32, |group, b| group << 8 | u32::from(*b)) << (8 * (3 - chunk.len()));
        for place in 0..4 {
            match place <= chunk.len() {
                true => out.push(char::from(alphabet[(group >> (18 - 6 * place) & 63) as usize])),
                false => out.push('='),
            }
        }
    }
    out
}

fn decode_base64(text: &str, alphabet: &[u8; 64]) -> Option<Vec<u8>> {
    let digits = text.trim_end_matches('=').as_bytes();
    if digits.len() % 4 == 1 || text.len() - digits.len() > 2 {
        return None;
    }
    let mut out = Vec::with_capacity(digits.len() / 4 * 3 + 2);
    for chunk in digits.chunks(4) {
        let mut group = 0u32;
        for place in 0..4 {
            let value = match chunk.get(place) {
                Some(digit) => alphabet.iter().position(|known| known == digit)? as u32,
                None => 0,
            };
            group = group << 6 | value;
        }
        out.extend_from_slice(&group.to_be_bytes()[1..chunk.len()]);
    }
    Some(out)
}

fn decode_hex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) {
        return None;
    }
    let digit = |byte: u8| char::from(byte).to_digit(16);
    text.as_bytes().chunks(2).map(|pair| Some((digit(pair[0])? << 4 | digit(pair[1])?) as u8)).collect()
}

fn escape_html(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

fn unescape_html(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let Some((entity, after)) = rest[1..].split_once(';') else { break };
        let number = |digits: &str, radix| u32::from_str_radix(digits, radix).ok().and_then(char::from_u32);
        let c = match entity {
            "lt" => Some('<'),
            "gt" => Some('>'),
            "amp" => Some('&'),
            "quot" => Some('"'),
            "apos" => Some('\''),
            "nbsp" => Some('\u{a0}'),
            _ => match (entity.strip_prefix("#x"), entity.strip_prefix('#')) {
                (Some(digits), _) => number(digits, 16),
                (_, Some(digits)) => number(digits, 10),
                _ => None,
            },
        };
        match c {
            Some(c) => {
                out.push(c);
                rest = after;
            }
            None => {
                out.push('&');
                rest = &rest[1..];
            }
        }
    }
    out.push_str(rest);
    out
}

fn escape_json(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default().to_owned()
}

/// A text in which quotes stand free is taken as well.
fn unescape_json(text: &str) -> Option<String> {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    let mut escaped = false;
    for c in text.chars() {
        if c == '"' && !escaped {
            quoted.push('\\');
        }
        escaped = c == '\\' && !escaped;
        quoted.push(c);
    }
    quoted.push('"');
    serde_json::from_str(&quoted).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_is_decoded_again() {
        for text in ["", "a", "ab", "abc", "subjects?_d", "ä💊\n\"\\"] {
            for format in ["hex", "base64", "urlbase64"] {
                let encoded = coded(Function::Encode, text, format).unwrap().unwrap();
                assert_eq!(coded(Function::Decode, &encoded, format).unwrap().unwrap(), text);
            }
            for format in ["html", "json"] {
                let escaped = coded(Function::Escape, text, format).unwrap().unwrap();
                assert_eq!(coded(Function::Unescape, &escaped, format).unwrap().unwrap(), text);
            }
        }
        for (bad, format) in [("a", "base64"), ("a===", "base64"), ("*aaa", "base64"), ("0", "hex"), ("0g", "hex"), ("ff", "hex")] {
            assert_eq!(coded(Function::Decode, bad, format), Ok(None), "{bad}");
        }
        assert_eq!(coded(Function::Encode, "", "rot13"), Err(()));
    }

    #[test]
    fn places_count_characters() {
        assert_eq!(substring("äöü", 1, 1), Some("ö"));
        assert_eq!(substring("äöü", 2, i64::MAX), Some("ü"));
        assert_eq!(substring("äöü", 3, 1), None);
        assert_eq!(substring("äöü", -1, 1), None);
        assert_eq!(substring("äöü", 0, -5), Some(""));
    }
}
