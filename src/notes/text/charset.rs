//! Bytes → text, by what the content type says of the character set, or by what the bytes are.

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};

/// MIME type in lower case, and the character set that it names.
pub fn parts(content_type: &str) -> (String, Option<&'static Encoding>) {
    let mut parts = content_type.split(';');
    let mime = parts.next().unwrap_or_default().trim().to_ascii_lowercase();
    let charset = parts.find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        let value = value.trim().trim_matches('"');
        name.trim().eq_ignore_ascii_case("charset").then(|| Encoding::for_label(value.as_bytes())).flatten()
    });
    (mime, charset)
}

/// The text. A byte order mark decides before all else; bytes without any hint that are no UTF-8 are read as Windows-1252.
/// No text of the server holds a zero byte, so it becomes a space.
pub fn text(bytes: &[u8], charset: Option<&'static Encoding>) -> String {
    let (encoding, bytes) = match Encoding::for_bom(bytes) {
        Some((encoding, length)) => (encoding, bytes.get(length..).unwrap_or_default()),
        None => match charset {
            Some(encoding) if encoding != UTF_8 => (encoding, bytes),
            _ if std::str::from_utf8(bytes).is_ok() => (UTF_8, bytes),
            // declared as UTF-8, yet broken: what is wrong in it is replaced if it is little
            Some(_) if is_mostly_utf8(bytes) => (UTF_8, bytes),
            _ => (WINDOWS_1252, bytes),
        },
    };
    let (text, _) = encoding.decode_without_bom_handling(bytes);
    without_zero(text)
}

fn is_mostly_utf8(bytes: &[u8]) -> bool {
    let (mut good, mut bad) = (0usize, 0usize);
    for chunk in bytes.utf8_chunks() {
        good += chunk.valid().bytes().filter(|b| *b >= 0x80).count();
        bad += chunk.invalid().len();
    }
    good > bad
}

pub fn without_zero(text: Cow<'_, str>) -> String {
    if memchr::memchr(0, text.as_bytes()).is_some() { text.replace('\0', " ") } else { text.into_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8], content_type: &str) -> String {
        text(bytes, parts(content_type).1)
    }

    #[test]
    fn by_declaration_mark_or_content() {
        assert_eq!(read(b"caf\xe9", "text/plain; charset=ISO-8859-1"), "café");
        assert_eq!(read(b"caf\xe9", "text/plain"), "café");
        assert_eq!(read("café".as_bytes(), "text/plain"), "café");
        assert_eq!(read("café".as_bytes(), "text/plain;charset=us-ascii"), "cafÃ©");
        assert_eq!(read(b"\xef\xbb\xbfcaf\xc3\xa9", "text/plain; charset=iso-8859-1"), "café");
        assert_eq!(read(b"\xff\xfea\0b\0", "text/plain"), "ab");
        assert_eq!(read(b"\x93\xfa", "text/plain; Charset=\"Shift_JIS\""), "日");
        assert_eq!(read(b"a\0b", "text/plain; charset=utf-8"), "a b");
        assert_eq!(read("æøå\u{20ac}".as_bytes().split_last().unwrap().1, "text/plain; charset=utf-8"), "æøå\u{fffd}");
    }

    #[test]
    fn the_parts_of_a_content_type() {
        assert_eq!(parts("Text/HTML ; charset=utf-8").0, "text/html");
        assert_eq!(parts("").0, "");
        assert_eq!(parts("text/plain; charset=nonsense").1, None);
    }
}
