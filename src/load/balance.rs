//! Where a JSON value ends, without reading what it says: for cutting large documents into pieces that are then parsed.

/// Follows the text of one value.
#[derive(Clone, Copy, Debug, Default)]
pub struct Balance {
    depth: usize,
    in_string: bool,
    is_escaped: bool,
    /// A number, `true`, `false` or `null`.
    in_word: bool,
}

/// What a byte means outside strings.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Other,
    Quote,
    Open,
    Close,
    /// What no number, `true`, `false` or `null` holds.
    Between,
}

const CLASSES: [Class; 256] = {
    let mut classes = [Class::Other; 256];
    classes[b'"' as usize] = Class::Quote;
    classes[b'{' as usize] = Class::Open;
    classes[b'[' as usize] = Class::Open;
    classes[b'}' as usize] = Class::Close;
    classes[b']' as usize] = Class::Close;
    let between = [b' ', b'\t', b'\r', b'\n', b',', b':'];
    let mut i = 0;
    while i < between.len() {
        classes[between[i] as usize] = Class::Between;
        i += 1;
    }
    classes
};

impl Balance {
    /// Goes on with the next piece of the text; how many of its bytes belong to the value, if it ends in it. The first byte of the
    /// first piece is the first of the value.
    pub fn feed(&mut self, text: &[u8]) -> Option<usize> {
        let mut at = 0;
        while let Some(&byte) = text.get(at) {
            if self.in_string {
                if self.is_escaped {
                    self.is_escaped = false;
                    at += 1;
                    continue;
                }
                at += memchr::memchr2(b'"', b'\\', &text[at..])? + 1;
                if text[at - 1] == b'\\' {
                    self.is_escaped = true;
                    continue;
                }
                self.in_string = false;
                if self.depth == 0 {
                    return Some(at);
                }
                continue;
            }
            match CLASSES[usize::from(byte)] {
                Class::Other if self.depth == 0 => self.in_word = true,
                Class::Other => {}
                _ if self.in_word => return Some(at),
                Class::Between if self.depth == 0 => return Some(at),
                Class::Between => {}
                Class::Quote => self.in_string = true,
                Class::Open => self.depth += 1,
                Class::Close => {
                    if self.depth <= 1 {
                        // one that closes nothing is a value of no bytes, which the parser refuses
                        let own = usize::from(self.depth == 1);
                        self.depth = 0;
                        return Some(at + own);
                    }
                    self.depth -= 1;
                }
            }
            at += 1;
        }
        None
    }

    /// Whether the end of the text ends the value too: so with a number.
    pub fn ends_with_text(&self) -> bool {
        self.in_word
    }
}

/// The members of an object: name, as it stands in the text, and value. None where the text is none.
pub fn members(text: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let mut rest = text.trim_ascii().strip_prefix(b"{").unwrap_or_default();
    std::iter::from_fn(move || {
        rest = skip(rest, b',');
        let name = value(&mut rest).filter(|name| name.starts_with(b"\""))?;
        rest = skip(rest, b':');
        let value = value(&mut rest)?;
        Some((name.get(1..name.len().saturating_sub(1)).unwrap_or_default(), value))
    })
}

/// The items of an array; none where the text is none.
pub fn items(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = text.trim_ascii().strip_prefix(b"[").unwrap_or_default();
    std::iter::from_fn(move || {
        rest = skip(rest, b',');
        value(&mut rest)
    })
}

/// The value of that member.
pub fn member<'a>(text: &'a [u8], name: &str) -> Option<&'a [u8]> {
    members(text).find(|(known, _)| *known == name.as_bytes()).map(|(_, value)| value)
}

/// The text of a string that is not longer than `max`.
pub fn string(value: &[u8], max: usize) -> Option<String> {
    let inside = value.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    if inside.len() > max {
        return None;
    }
    if !inside.contains(&b'\\') {
        return std::str::from_utf8(inside).ok().map(str::to_owned);
    }
    serde_json::from_slice(value).ok()
}

fn skip(text: &[u8], separator: u8) -> &[u8] {
    let text = text.trim_ascii_start();
    text.strip_prefix(&[separator]).unwrap_or(text).trim_ascii_start()
}

fn value<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let mut balance = Balance::default();
    let end = balance.feed(rest).or_else(|| balance.ends_with_text().then_some(rest.len())).filter(|end| *end > 0)?;
    let (value, behind) = rest.split_at(end);
    *rest = behind;
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_ends_where_it_ends_however_it_is_cut() {
        for (text, end) in [
            (r#"{"a":"}\"]\\"}]"#, 14),
            (r#"[{"a":[1,2]}],"#, 13),
            (r#""x\"y",7"#, 6),
            ("12.5e3 ,", 6),
            ("null}", 4),
            ("{} {}", 2),
        ] {
            for piece in 1..4 {
                let mut balance = Balance::default();
                let mut found = None;
                for (i, bytes) in text.as_bytes().chunks(piece).enumerate() {
                    if let Some(end) = balance.feed(bytes) {
                        found = Some(i * piece + end);
                        break;
                    }
                }
                assert_eq!(found, Some(end), "{text}");
            }
        }
        for open in ["{", r#"{"a":"}"#, r#"["\""#, r#""a\"#] {
            let mut balance = Balance::default();
            assert_eq!((balance.feed(open.as_bytes()), balance.ends_with_text()), (None, false), "{open}");
        }
    }

    #[test]
    fn members_and_items_are_found_without_a_parser() {
        let text = br#" { "a" : 1 , "b":{"c":[1,{"d":"}"}]}, "e":"x\u0041" } "#;
        let found: Vec<(&str, &str)> = members(text).map(|(n, v)| (std::str::from_utf8(n).unwrap(), std::str::from_utf8(v).unwrap())).collect();
        assert_eq!(found, [("a", "1"), ("b", r#"{"c":[1,{"d":"}"}]}"#), ("e", r#""x\u0041""#)]);
        assert_eq!(string(member(text, "e").unwrap(), 100).as_deref(), Some("xA"));
        assert_eq!(string(member(text, "e").unwrap(), 3), None);
        assert_eq!(items(b"[1, {\"a\":[]} ,\"x\"]").count(), 3);
    }

    #[test]
    fn what_is_broken_ends_and_does_not_loop() {
        for text in ["", "{", "}", "]", "{]", r#"{"a"}"#, r#"{"a":}"#, "{:::", "{,,,}", "[[[[", "[}", r#"{"a":1 "b":2}"#, "{7:7}", "[,]", "\"", "{\"a\":\"", "\u{1}"] {
            assert!(members(text.as_bytes()).count() < 10 && items(text.as_bytes()).count() < 10, "{text}");
        }
    }

    #[test]
    fn damaged_documents_end() {
        for seed in 0..2000 {
            let text = crate::json::generate::damaged(seed);
            assert!(members(&text).take(text.len() + 1).count() <= text.len());
            assert!(items(&text).take(text.len() + 1).count() <= text.len());
        }
    }
}
