//! RTF → text. One pass over the bytes without recursion: groups are a stack of a few bytes each, of bounded height.
//!
//! Own code, as the crates at hand stop at what is not well-formed, or panic. Rich Text Format 1.9.1: control words, destinations,
//! `\'hh` in the code page of the font, `\uN` with its replacement, `\bin`.

use std::collections::HashMap;

use encoding_rs::{Encoding, WINDOWS_1252};

/// What holds within a group.
#[derive(Clone, Copy)]
struct Group {
    /// a destination that is none of the document's text
    is_hidden: bool,
    /// hidden or deleted text
    is_invisible: bool,
    /// within the table of fonts
    is_fonts: bool,
    /// characters behind `\u` that stand for it in older readers
    replacement: u8,
    font: u16,
}

/// Groups in groups that are kept apart; what lies deeper shares the last.
const MAX_GROUPS: usize = 4_096;
const MAX_FONTS: usize = 4_096;

/// Destinations whose text is none of the document's.
const HIDDEN: [&str; 30] = [
    "colortbl", "stylesheet", "info", "pict", "object", "objdata", "themedata", "colorschememapping", "datastore", "latentstyles", "listtable",
    "listoverridetable", "revtbl", "rsidtbl", "generator", "filetbl", "header", "headerl", "headerr", "headerf", "footer", "footerl", "footerr", "footerf",
    "fldinst", "xe", "tc", "bkmkstart", "bkmkend", "nonshppict",
];

struct Reader {
    out: String,
    /// bytes of one code page that are not decoded yet, as characters may have several
    bytes: Vec<u8>,
    /// the first half of a character beyond the basic plane
    surrogate: Option<u16>,
    page: &'static Encoding,
    fonts: HashMap<u16, &'static Encoding>,
    group: Group,
    groups: Vec<Group>,
    /// groups beyond [`MAX_GROUPS`]
    deeper: usize,
    /// characters to leave out behind `\u`
    skip: usize,
}

/// The text, up to about `limit` bytes; `None` where this is no RTF.
pub fn text(bytes: &[u8], limit: usize) -> Option<String> {
    let start = memchr::memmem::find(bytes.get(..1024).unwrap_or(bytes), b"{\\rtf")?;
    let mut rest = bytes.get(start..)?;
    let group = Group { is_hidden: false, is_invisible: false, is_fonts: false, replacement: 1, font: u16::MAX };
    let mut reader = Reader {
        out: String::new(),
        bytes: Vec::new(),
        surrogate: None,
        page: WINDOWS_1252,
        fonts: HashMap::new(),
        group,
        groups: Vec::new(),
        deeper: 0,
        skip: 0,
    };
    while let Some((&byte, behind)) = rest.split_first() {
        if reader.out.len() + reader.bytes.len() > limit {
            break;
        }
        rest = behind;
        match byte {
            b'{' => reader.open(),
            b'}' => {
                reader.close();
                if reader.groups.is_empty() && reader.deeper == 0 {
                    break;
                }
            }
            b'\\' => rest = reader.control(behind),
            b'\r' | b'\n' | 0 => {}
            byte => reader.byte(byte),
        }
    }
    reader.flush();
    Some(super::charset::without_zero(reader.out.into()))
}

impl Reader {
    fn open(&mut self) {
        self.flush();
        self.skip = 0;
        if self.groups.len() < MAX_GROUPS { self.groups.push(self.group) } else { self.deeper += 1 }
    }

    fn close(&mut self) {
        self.flush();
        self.skip = 0;
        if self.deeper > 0 {
            self.deeper -= 1;
        } else if let Some(group) = self.groups.pop() {
            self.group = group;
        }
    }

    fn is_shown(&self) -> bool {
        !self.group.is_hidden && !self.group.is_invisible
    }

    fn byte(&mut self, byte: u8) {
        if self.skip > 0 {
            self.skip -= 1;
        } else if self.is_shown() {
            self.surrogate = None;
            self.bytes.push(byte);
        }
    }

    /// A character that is named, not written.
    fn add(&mut self, c: char) {
        if self.skip > 0 {
            self.skip -= 1;
        } else if self.is_shown() {
            self.flush();
            self.out.push(c);
        }
    }

    /// Decodes the bytes that were collected.
    fn flush(&mut self) {
        if self.bytes.is_empty() {
            return;
        }
        if self.bytes.is_ascii() {
            self.out.extend(self.bytes.iter().map(|b| char::from(*b)));
        } else {
            let page = self.fonts.get(&self.group.font).copied().unwrap_or(self.page);
            self.out.push_str(&page.decode_without_bom_handling(&self.bytes).0);
        }
        self.bytes.clear();
    }

    /// Reads what follows a backslash; gives what is behind it.
    fn control<'b>(&mut self, rest: &'b [u8]) -> &'b [u8] {
        let Some((&first, behind)) = rest.split_first() else { return rest };
        if !first.is_ascii_alphabetic() {
            match first {
                b'\'' => {
                    let digit = |at: usize| behind.get(at).and_then(|b| char::from(*b).to_digit(16));
                    let (Some(high), Some(low)) = (digit(0), digit(1)) else { return behind };
                    self.byte((high << 4 | low) as u8);
                    return behind.get(2..).unwrap_or_default();
                }
                b'*' => self.group.is_hidden = true,
                b'~' => self.add('\u{a0}'),
                b'_' => self.add('-'),
                b'-' => {}
                b'\r' | b'\n' => self.add('\n'),
                b'\t' => self.add('\t'),
                b'\\' | b'{' | b'}' => self.byte(first),
                _ => {}
            }
            return behind;
        }
        // names have 32 letters at most, numbers ten digits
        let letters = rest.iter().take(32).take_while(|b| b.is_ascii_alphabetic()).count();
        let (name, mut rest) = rest.split_at(letters);
        let negative = rest.first() == Some(&b'-') && rest.get(1).is_some_and(u8::is_ascii_digit);
        if negative {
            rest = rest.get(1..).unwrap_or_default();
        }
        let digits = rest.iter().take(10).take_while(|b| b.is_ascii_digit()).count();
        let (digits, mut rest) = rest.split_at(digits);
        let number = digits.iter().try_fold(0i64, |all, digit| all.checked_mul(10)?.checked_add(i64::from(digit - b'0')));
        let number = number.filter(|_| !digits.is_empty()).map(|n| if negative { -n } else { n });
        if rest.first() == Some(&b' ') {
            rest = rest.get(1..).unwrap_or_default();
        }
        let Ok(name) = std::str::from_utf8(name) else { return rest };
        if name == "bin" {
            let length = usize::try_from(number.unwrap_or(0)).unwrap_or(0);
            return rest.get(length..).unwrap_or_default();
        }
        self.word(name, number);
        rest
    }

    fn word(&mut self, name: &str, number: Option<i64>) {
        let is_on = number != Some(0);
        match name {
            "par" | "line" | "row" | "sect" | "page" | "nestrow" => self.add('\n'),
            "tab" | "cell" | "nestcell" => self.add('\t'),
            "emdash" => self.add('—'),
            "endash" => self.add('–'),
            "bullet" => self.add('•'),
            "lquote" => self.add('‘'),
            "rquote" => self.add('’'),
            "ldblquote" => self.add('“'),
            "rdblquote" => self.add('”'),
            "emspace" | "enspace" | "qmspace" => self.add(' '),
            "u" => self.unicode(number.unwrap_or(0)),
            "uc" => self.group.replacement = number.and_then(|n| u8::try_from(n).ok()).unwrap_or(1),
            "v" | "deleted" => {
                self.flush();
                self.group.is_invisible = is_on;
            }
            "ansicpg" => self.page = number.and_then(page_of).unwrap_or(WINDOWS_1252),
            "mac" => self.page = encoding_rs::MACINTOSH,
            "fonttbl" => {
                self.flush();
                self.group.is_fonts = true;
                self.group.is_hidden = true;
            }
            "f" => {
                self.flush();
                self.group.font = number.and_then(|n| u16::try_from(n).ok()).unwrap_or(u16::MAX);
            }
            "fcharset" if self.group.is_fonts && self.fonts.len() < MAX_FONTS => {
                if let Some(page) = number.and_then(page_of_charset) {
                    self.fonts.insert(self.group.font, page);
                }
            }
            "plain" => {
                self.flush();
                self.group.is_invisible = false;
            }
            name if HIDDEN.contains(&name) => {
                self.flush();
                self.group.is_hidden = true;
            }
            _ => {}
        }
    }

    /// `\uN`: a code unit of UTF-16, above 32767 written as a negative number.
    fn unicode(&mut self, number: i64) {
        let unit = number.rem_euclid(65_536) as u16;
        let first = self.surrogate.take();
        if self.is_shown() {
            self.flush();
            match unit {
                0xd800..=0xdbff => self.surrogate = Some(unit),
                _ => {
                    let units = first.into_iter().chain([unit]);
                    self.out.extend(char::decode_utf16(units).map(|c| c.unwrap_or('\u{fffd}')));
                }
            }
        }
        self.skip = self.group.replacement.into();
    }
}

/// A code page of Windows.
fn page_of(number: i64) -> Option<&'static Encoding> {
    let label = match number {
        932 => "shift_jis".to_owned(),
        936 => "gbk".to_owned(),
        949 => "euc-kr".to_owned(),
        950 => "big5".to_owned(),
        10_000 => "macintosh".to_owned(),
        65_001 => "utf-8".to_owned(),
        874 | 1250..=1258 => format!("windows-{number}"),
        _ => return None,
    };
    Encoding::for_label(label.as_bytes())
}

/// The code page of a font's `\fcharset`.
fn page_of_charset(number: i64) -> Option<&'static Encoding> {
    page_of(match number {
        0 => 1252,
        77 => 10_000,
        128 => 932,
        129 => 949,
        134 => 936,
        136 => 950,
        161 => 1253,
        162 => 1254,
        163 => 1258,
        177 => 1255,
        178 => 1256,
        186 => 1257,
        204 => 1251,
        222 => 874,
        238 => 1250,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(rtf: &str) -> String {
        text(rtf.as_bytes(), usize::MAX).expect("RTF")
    }

    #[test]
    fn a_document() {
        let rtf = r"{\rtf1\ansi\ansicpg1252\deff0{\fonttbl{\f0\fswiss\fcharset0 Arial;}{\f1\fcharset204 Cyr;}}{\colortbl;\red0\green0\blue0;}
{\*\generator X;}{\info{\author Dr. Who}}\viewkind4\uc1\pard\b Assessment:\b0\par
1. Ca\'e9 \{x\} caf\u233?\par
\bullet\tab T\~38 \emdash  high\line end{\v hidden} {\f1 \'c0} \u-10179?\u-8704? {\field{\*\fldinst HYPERLINK x}{\fldrslt link}}}trailing";
        assert_eq!(read(rtf), "Assessment:\n1. Caé {x} café\n•\tT\u{a0}38 — high\nend А 😀 link");
    }

    #[test]
    fn what_is_hidden_stays_hidden() {
        assert_eq!(read(r"{\rtf1{\stylesheet{\s1\v0\plain Heading;}}a{\v b\v0 c}{\deleted d}e}"), "ace");
    }

    #[test]
    fn code_pages_of_several_bytes() {
        assert_eq!(read(r"{\rtf1\ansi\ansicpg932 \'93\'fa}"), "日");
    }

    #[test]
    fn tables_and_binary_data() {
        assert_eq!(read(r"{\rtf1 K\cell 5.2\cell\row Na\cell 140\row{\pict\bin4 }}}}x}after}"), "K\t5.2\t\nNa\t140\nafter");
    }

    #[test]
    fn hostile_input_is_read_in_time() {
        assert_eq!(text(b"hello", 100), None);
        for piece in ["{", "}", "{}", "\\", "\\'", "\\'9", "\\u", "\\u-99999999999999", "\\bin99999999999", "{\\*", "\\f1", "{\\fonttbl\\f1\\fcharset204", "\u{e9}"] {
            let rtf = format!("{{\\rtf1 {}", piece.repeat(1_000_000 / piece.len()));
            text(rtf.as_bytes(), usize::MAX);
        }
        let deep = format!("{{\\rtf1 a{}b{}c}}", "{".repeat(1_000_000), "}".repeat(1_000_000));
        assert_eq!(read(&deep), "abc");
        assert!(text(format!("{{\\rtf1 {}", "a".repeat(10_000)).as_bytes(), 100).is_some_and(|t| t.len() < 200));
    }
}
