//! Text → tokens, and the normal form of words by which a text and the lexicon meet.
//!
//! A word ends where letters and digits end; "25mg" is a number and a word, "B12" is one word; "Crohn's" is one word.
//! The normal form has no case, no accents, one spelling (British → American), no plural and no possessive.

use unicode_normalization::UnicodeNormalization;

use super::known::{Known, Reading};

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Class {
    /// letters, perhaps with digits behind: fever, B12, Crohn's
    Word,
    /// digits, perhaps with one `.` or `,` between: 5, 5.2, 1,000
    Number,
    /// one character that is neither letter, digit nor white space
    Mark,
    /// an end of line: `\n`, `\r\n` or `\r`
    Line,
}

/// How a word is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Case {
    Lower,
    /// Fever
    Title,
    /// FEVER, B12
    Upper,
    /// mRNA, HbA1c
    Mixed,
}

/// A token; offsets are bytes of the whole text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    pub begin: u32,
    pub end: u32,
    pub class: Class,
    pub case: Case,
    /// the mark if it is ASCII or has an ASCII twin (dashes, quotation marks), else 0
    pub mark: u8,
    /// white space, but no end of line, stands before it
    pub spaced: bool,
    /// number of the normal form in the lexicon's vocabulary; [`UNKNOWN`] where it has none
    pub id: u32,
    /// what the steps know of it
    pub known: Known,
}

/// The id of a word that the lexicon does not have.
pub const UNKNOWN: u32 = u32::MAX;

/// Longest word that is looked up; a longer run of letters is a token without an id.
pub const LONGEST: usize = 96;

impl Token {
    pub fn is_mark(&self, mark: u8) -> bool {
        self.class == Class::Mark && self.mark == mark
    }
}

/// The last boundary of characters that is not behind `at`.
pub fn boundary(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// Cuts `text[from..to]` into tokens, whose ids are what `id` says of their normal form. Of what else is known of them they have nothing:
/// [`Lexicon::tokens`](super::Lexicon::tokens) tells it.
pub fn tokens(text: &str, from: usize, to: usize, out: &mut Vec<Token>, mut id: impl FnMut(&[u8]) -> u32) {
    let mut form = Vec::with_capacity(LONGEST * 2);
    cut(text, from, to, out, |begin, end, class| {
        let (case, id) = looked_up(&text[begin..end], class, &mut form, &mut id);
        Reading { case, id, ..Reading::NOTHING }
    });
}

/// How a piece of text is written, and what `id` says of its normal form.
pub fn looked_up(piece: &str, class: Class, form: &mut Vec<u8>, mut id: impl FnMut(&[u8]) -> u32) -> (Case, u32) {
    let short = piece.len() <= LONGEST;
    match class {
        Class::Word if short => {
            normal(piece, form);
            (case_of(piece), id(form))
        }
        Class::Word => (case_of(piece), UNKNOWN),
        Class::Number | Class::Mark if short => (Case::Lower, id(piece.as_bytes())),
        Class::Number | Class::Mark | Class::Line => (Case::Lower, UNKNOWN),
    }
}

/// Cuts `text[from..to]` into tokens; `read` tells of a piece, by its begin and end, what its letters tell.
pub fn cut(text: &str, from: usize, to: usize, out: &mut Vec<Token>, mut read: impl FnMut(usize, usize, Class) -> Reading) {
    let bytes = text.as_bytes();
    let mut at = from;
    let mut spaced = false;
    // a token and the space before it are rarely shorter
    out.reserve((to - from) / 4 + 1);
    while at < to {
        let byte = bytes[at];
        let begin = at;
        let class = match byte {
            b' ' | b'\t' | 0x0b | 0x0c => {
                spaced = true;
                at += 1;
                continue;
            }
            b'\n' => {
                at += 1;
                Class::Line
            }
            b'\r' => {
                at += if at + 1 < to && bytes[at + 1] == b'\n' { 2 } else { 1 };
                Class::Line
            }
            b'0'..=b'9' => {
                at = number(bytes, at, to);
                Class::Number
            }
            b'a'..=b'z' | b'A'..=b'Z' => {
                at = word(text, at, to);
                Class::Word
            }
            0..=0x7f => {
                at += 1;
                Class::Mark
            }
            _ => {
                let Some(c) = text[at..to].chars().next() else { break };
                if c.is_whitespace() {
                    spaced = true;
                    at += c.len_utf8();
                    continue;
                }
                if is_invisible(c) {
                    at += c.len_utf8();
                    continue;
                }
                if c.is_alphabetic() {
                    at = word(text, at, to);
                    Class::Word
                } else if c.is_numeric() {
                    at += c.len_utf8();
                    Class::Number
                } else {
                    at += c.len_utf8();
                    Class::Mark
                }
            }
        };
        let Reading { case, id, known } = if class == Class::Line { Reading::NOTHING } else { read(begin, at, class) };
        out.push(Token {
            begin: begin as u32,
            end: at as u32,
            class,
            case,
            mark: match class {
                Class::Mark if byte < 0x80 => byte,
                Class::Mark => mark_of(&text[begin..at]),
                _ => 0,
            },
            spaced,
            id,
            known,
        });
        spaced = false;
    }
}

/// The end of the number that begins at `at`: digits, with `.` or `,` only between digits.
fn number(bytes: &[u8], mut at: usize, to: usize) -> usize {
    while at < to {
        match bytes[at] {
            b'0'..=b'9' => at += 1,
            b'.' | b',' if at + 1 < to && bytes[at + 1].is_ascii_digit() => at += 2,
            _ => break,
        }
    }
    at
}

/// The end of the word that begins at `at`: letters and digits, and an apostrophe between letters.
fn word(text: &str, mut at: usize, to: usize) -> usize {
    let bytes = text.as_bytes();
    while at < to {
        match bytes[at] {
            byte if ALPHANUMERIC[byte as usize] => at += 1,
            b'\'' if at + 1 < to && bytes[at + 1].is_ascii_alphabetic() => at += 2,
            0..=0x7f => break,
            _ => {
                let Some(c) = text[at..to].chars().next() else { break };
                let length = c.len_utf8();
                let joins = c == '\u{2019}' && at + length < to && bytes[at + length].is_ascii_alphabetic();
                if !(c.is_alphanumeric() || is_combining(c) || is_invisible(c) || joins) {
                    break;
                }
                at += length;
            }
        }
    }
    at
}

static ALPHANUMERIC: [bool; 256] = {
    let mut is = [false; 256];
    let mut byte = 0;
    while byte < 128 {
        is[byte] = (byte as u8).is_ascii_alphanumeric();
        byte += 1;
    }
    is
};

/// Characters that are not seen: a word goes on over them.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{feff}')
}

fn is_combining(c: char) -> bool {
    unicode_normalization::char::is_combining_mark(c)
}

/// A mark as ASCII: dashes and quotation marks have several forms.
pub fn mark_of(piece: &str) -> u8 {
    match piece.chars().next() {
        Some(c) if c.is_ascii() => c as u8,
        Some('\u{2010}'..='\u{2015}' | '\u{2212}') => b'-',
        Some('\u{2018}' | '\u{2019}') => b'\'',
        Some('\u{201c}' | '\u{201d}') => b'"',
        Some('\u{2022}' | '\u{00b7}' | '\u{25cf}' | '\u{25aa}') => b'*',
        Some('\u{2264}') => b'<',
        Some('\u{2265}') => b'>',
        Some('\u{00d7}') => b'x',
        _ => 0,
    }
}

fn case_of(word: &str) -> Case {
    // most words
    if word.bytes().all(|b| b.is_ascii_lowercase()) {
        return Case::Lower;
    }
    let (mut first, mut upper, mut lower) = (None, 0usize, 0usize);
    for c in word.chars().take(LONGEST) {
        if matches!(c, '\'' | '\u{2019}') && upper > 1 {
            break; // "CABG's" is written in capitals
        }
        if c.is_uppercase() {
            upper += 1;
            first.get_or_insert(true);
        } else if c.is_lowercase() {
            lower += 1;
            first.get_or_insert(false);
        }
    }
    match (first, upper, lower) {
        (_, 0, _) => Case::Lower,
        (_, _, 0) => Case::Upper,
        (Some(true), 1, _) => Case::Title,
        _ => Case::Mixed,
    }
}

/// Writes the normal form of a word into `form`.
pub fn normal(word: &str, form: &mut Vec<u8>) {
    form.clear();
    if word.is_ascii() {
        form.extend(word.bytes().map(|b| b.to_ascii_lowercase()));
    } else {
        for c in word.nfkd() {
            if is_combining(c) || is_invisible(c) {
                continue;
            }
            for c in c.to_lowercase() {
                match greek(c) {
                    Some(name) => form.extend_from_slice(name.as_bytes()),
                    None if c == '\u{2019}' => form.push(b'\''),
                    None => {
                        let mut buffer = [0; 4];
                        form.extend_from_slice(c.encode_utf8(&mut buffer).as_bytes());
                    }
                }
            }
        }
    }
    if form.ends_with(b"'s") {
        form.truncate(form.len() - 2);
    }
    if form.contains(&b'\'') {
        form.retain(|&b| b != b'\'');
    }
    american(form);
    singular(form);
}

fn greek(c: char) -> Option<&'static str> {
    Some(match c {
        'α' => "alpha",
        'β' => "beta",
        'γ' => "gamma",
        'δ' => "delta",
        'ε' => "epsilon",
        'κ' => "kappa",
        'λ' => "lambda",
        'μ' => "mu",
        'ω' => "omega",
        'æ' => "ae",
        'œ' => "oe",
        'ß' => "ss",
        'ø' => "o",
        'ł' => "l",
        _ => return None,
    })
}

/// British endings and digraphs become American: anaemia, oedema, tumour, leukaemia, haemorrhage, diarrhoea, fibre, sulphate.
fn american(form: &mut Vec<u8>) {
    if form.len() < 5 {
        return;
    }
    let digraphs = form.windows(2).any(|two| matches!(two, [b'a' | b'o', b'e'] | [b'l', b'p']));
    for (british, american) in [(&b"ae"[..], &b"e"[..]), (b"oe", b"e"), (b"sulph", b"sulf")].into_iter().filter(|_| digraphs) {
        let mut at = 0;
        while let Some(found) = memchr::memmem::find(&form[at..], british) {
            let begin = at + found;
            form.splice(begin..begin + british.len(), american.iter().copied());
            at = begin + 1;
        }
    }
    if form.ends_with(b"our") && form.len() > 5 {
        let end = form.len();
        form.splice(end - 3..end, *b"or");
    } else if form.ends_with(b"ours") && form.len() > 6 {
        let end = form.len();
        form.splice(end - 4..end, *b"ors");
    } else if form.ends_with(b"isation") {
        let at = form.len() - 6;
        form[at] = b'z';
    }
}

/// Takes the plural away. Both a text and the lexicon go through it, so it need not be right, only the same.
fn singular(form: &mut Vec<u8>) {
    let length = form.len();
    if length < 4 || !form.ends_with(b"s") || form[length - 2].is_ascii_digit() {
        return;
    }
    match form[length - 2] {
        b's' | b'u' => {}
        // metastasis, metastases; diagnosis, diagnoses; but "pelvis"
        b'i' => {
            if matches!(form[length - 3], b's' | b'x') {
                form.truncate(length - 2);
            }
        }
        b'e' => {
            if length > 4 && form[length - 3] == b'i' {
                form.truncate(length - 3);
                form.push(b'y');
            } else if matches!(form[length - 3], b's' | b'x') && length > 5 && !form.ends_with(b"sses") {
                form.truncate(length - 2);
            } else if form.ends_with(b"sses") || form.ends_with(b"ches") || form.ends_with(b"shes") || form.ends_with(b"zes") {
                form.truncate(length - 2);
            } else {
                form.truncate(length - 1);
            }
        }
        _ => form.truncate(length - 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(word: &str) -> String {
        let mut out = Vec::new();
        normal(word, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn one_form_for_what_is_one_word() {
        for (a, b) in [
            ("anaemia", "anemia"),
            ("oedema", "edema"),
            ("tumours", "tumor"),
            ("Haemorrhages", "hemorrhage"),
            ("metastases", "metastasis"),
            ("diagnoses", "diagnosis"),
            ("biopsies", "biopsy"),
            ("abscesses", "abscess"),
            ("Crohn's", "Crohn"),
            ("Crohn’s", "crohn"),
            ("Ménière", "meniere"),
            ("β", "beta"),
            ("sulphate", "sulfate"),
            ("seizures", "seizure"),
            ("rashes", "rash"),
        ] {
            assert_eq!(form(a), form(b), "{a} {b}");
        }
        for word in ["virus", "pus", "pelvis", "gas", "ss"] {
            assert!(!form(word).is_empty());
        }
        assert_eq!(form("virus"), "virus");
        assert_eq!(form("illness"), "illness");
    }

    #[test]
    fn cuts() {
        let cut = |text: &str| {
            let mut out = Vec::new();
            tokens(text, 0, text.len(), &mut out, |_| UNKNOWN);
            out.iter().map(|t| text[t.begin as usize..t.end as usize].to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(cut("metoprolol 25mg PO, 1,000.5"), ["metoprolol", "25", "mg", "PO", ",", "1,000.5"]);
        assert_eq!(cut("B12, s/p CABG.\r\nK 5.2."), ["B12", ",", "s", "/", "p", "CABG", ".", "\r\n", "K", "5.2", "."]);
        assert_eq!(cut("Crohn's  émile\u{200b}x 👩‍⚕️!"), ["Crohn's", "émile\u{200b}x", "👩", "⚕", "\u{fe0f}", "!"]);
    }
}
