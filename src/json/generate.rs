//! JSON texts from a seed, for tests: the same seed gives the same text everywhere.
//!
//! They lean to what the format finds hard: counts around the offset stride, keys that collide or differ in the last
//! byte, escapes, all the shapes of numbers, paddings, scalars at the root, long chains of levels.

use std::fmt::Write;

/// A text that the server accepts.
pub fn document(seed: u64) -> String {
    let mut source = Source::new(seed);
    let mut text = String::new();
    source.space(&mut text);
    source.budget = match source.below(100) {
        0 => 3_000,
        1..=9 => 400,
        10..=59 => 80,
        _ => 15,
    };
    source.loose = source.below(3) == 0;
    if source.below(50) == 0 {
        source.chain(&mut text);
    } else {
        source.value(0, &mut text);
    }
    source.space(&mut text);
    text
}

/// A document with a few bytes changed, dropped or repeated: mostly not JSON, at times not UTF-8.
pub fn damaged(seed: u64) -> Vec<u8> {
    let mut source = Source::new(seed ^ 0xDA3A_6ED0);
    let mut text = document(seed).into_bytes();
    for _ in 0..=source.below(3) {
        let at = source.below(text.len().max(1));
        let end = (at + source.below(6)).min(text.len());
        match source.below(6) {
            0 => drop(text.drain(at.min(end)..end)),
            1 => text.truncate(at),
            2 if at < text.len() => text[at] ^= 1 << source.below(8),
            3 if at < text.len() => text[at] = source.next() as u8,
            4 => {
                let again = text[at.min(end)..end].to_vec();
                text.splice(end..end, again);
            }
            _ => {
                let piece = source.pick(PIECES);
                text.splice(at.min(end)..at.min(end), piece.bytes());
            }
        }
    }
    text
}

const PIECES: &[&str] = &[
    "\"",
    "\\",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\\u0000",
    "\\ud800",
    "\\udc00",
    "\\ud83d\\ude00",
    "\u{1}",
    "\n",
    "\0",
    "-",
    "01",
    ".",
    "e5",
    "e400000",
    "e-20000",
    "1e1073741823",
    "NaN",
    "nul",
    "true",
    "\u{feff}",
    "\u{7f}",
    "é",
    "//",
    "'",
];

const NAMES: &[&str] = &[
    "",
    "a",
    "b",
    "aa",
    "ab",
    "ba",
    "id",
    "é",
    "日本",
    "\u{1F600}",
    "key",
    "kez",
    "value",
    "values",
    "zzzzzzzz",
    "\"",
    "\\",
    "a\nb",
    "with space",
    "\u{7f}",
    "0",
    "00",
    "resource",
    "resourcf",
    "abcdefghijklmnopqrstuvwxyzabcdef",
];

const CHARACTERS: &[char] = &[
    'a',
    'Z',
    '0',
    ' ',
    '"',
    '\\',
    '/',
    '\n',
    '\r',
    '\t',
    '\u{8}',
    '\u{c}',
    '\u{1}',
    '\u{1f}',
    '\u{7f}',
    'é',
    'ß',
    'Ω',
    '日',
    '\u{2028}',
    '\u{d7ff}',
    '\u{e000}',
    '\u{ffff}',
    '\u{10000}',
    '\u{1F600}',
    '\u{10ffff}',
    '<',
    '&',
];

/// SplitMix64.
struct Source {
    state: u64,
    /// How many more values may be begun.
    budget: usize,
    /// White space between tokens.
    loose: bool,
}

impl Source {
    fn new(seed: u64) -> Source {
        Source { state: seed, budget: 0, loose: true }
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.state;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ mixed >> 31
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    fn space(&mut self, text: &mut String) {
        if self.loose {
            for _ in 0..self.below(4) {
                text.push(self.pick(&[' ', '\n', '\r', '\t']));
            }
        }
    }

    fn value(&mut self, depth: usize, text: &mut String) {
        self.budget = self.budget.saturating_sub(1);
        let scalars_only = depth > 12 || self.budget == 0;
        let first = if depth == 0 && self.below(4) > 0 { 8 } else { 0 };
        let end = if scalars_only { 8 } else { 16 };
        match first + self.below(end - first) {
            0 => text.push_str("null"),
            1 => text.push_str(self.pick(&["true", "false"])),
            2..=4 => self.number(text),
            5..=7 => {
                let length = self.string_length();
                self.string(length, text);
            }
            8..=11 => self.array(depth, text),
            _ => self.object(depth, text),
        }
    }

    /// How many members: often around 32 and 64, where entries store offsets.
    fn count(&mut self) -> usize {
        let count = match self.below(12) {
            0 => 0,
            1 => 31 + self.below(3),
            2 => 15 + self.below(3),
            3 => 63 + self.below(3),
            4 => self.below(200),
            _ => 1 + self.below(6),
        };
        count.min(self.budget)
    }

    fn array(&mut self, depth: usize, text: &mut String) {
        text.push('[');
        self.space(text);
        for place in 0..self.count() {
            if place > 0 {
                text.push(',');
                self.space(text);
            }
            self.value(depth + 1, text);
            self.space(text);
        }
        text.push(']');
    }

    fn object(&mut self, depth: usize, text: &mut String) {
        text.push('{');
        self.space(text);
        for place in 0..self.count() {
            if place > 0 {
                text.push(',');
                self.space(text);
            }
            if self.below(3) == 0 {
                let name = self.pick(NAMES);
                self.literal(name, text);
            } else {
                let name = format!("{}{}", self.pick(&["", "k", "name"]), self.below(150));
                self.literal(&name, text);
            }
            self.space(text);
            text.push(':');
            self.space(text);
            self.value(depth + 1, text);
            self.space(text);
        }
        text.push('}');
    }

    /// Levels inside levels.
    fn chain(&mut self, text: &mut String) {
        let levels: Vec<bool> = (0..self.below(500)).map(|_| self.below(2) == 0).collect();
        for is_object in &levels {
            text.push_str(if *is_object { "{\"a\":" } else { "[0," });
        }
        self.value(100, text);
        text.extend(levels.iter().rev().map(|is_object| if *is_object { '}' } else { ']' }));
    }

    fn string_length(&mut self) -> usize {
        match self.below(300) {
            0 => self.below(5_000),
            1..=30 => self.below(100),
            _ => self.below(12),
        }
    }

    fn string(&mut self, length: usize, text: &mut String) {
        let plain = self.below(2) == 0;
        let content: String = (0..length)
            .map(|_| if plain { char::from(b'a' + self.below(26) as u8) } else { self.pick(CHARACTERS) })
            .collect();
        self.literal(&content, text);
    }

    /// Each character plain or escaped; one that must be escaped is.
    fn literal(&mut self, content: &str, text: &mut String) {
        let escapes = self.below(4) == 0;
        text.push('"');
        for character in content.chars() {
            let short = match character {
                '"' => Some('"'),
                '\\' => Some('\\'),
                '/' => Some('/'),
                '\n' => Some('n'),
                '\r' => Some('r'),
                '\t' => Some('t'),
                '\u{8}' => Some('b'),
                '\u{c}' => Some('f'),
                _ => None,
            };
            let must = character < ' ' || matches!(character, '"' | '\\');
            match short {
                Some(short) if must && self.below(4) > 0 || escapes && self.below(2) == 0 => text.extend(['\\', short]),
                _ if must || escapes && self.below(3) == 0 => {
                    for unit in character.encode_utf16(&mut [0; 2]) {
                        let digits = if self.below(2) == 0 { format!("{unit:04x}") } else { format!("{unit:04X}") };
                        text.push_str("\\u");
                        text.push_str(&digits);
                    }
                }
                _ => text.push(character),
            }
        }
        text.push('"');
    }

    fn digits(&mut self, count: usize, text: &mut String) {
        let zeros = self.below(4) == 0;
        text.extend(
            (0..count).map(|_| if zeros && self.below(4) > 0 { '0' } else { char::from(b'0' + self.below(10) as u8) }),
        );
    }

    fn number(&mut self, text: &mut String) {
        if self.below(3) == 0 {
            text.push('-');
        }
        if self.below(3) == 0 {
            text.push('0');
        } else {
            text.push(char::from(b'1' + self.below(9) as u8));
            let more = if self.below(40) == 0 { self.below(600) } else { self.below(12) };
            self.digits(more, text);
        }
        if self.below(2) == 0 {
            text.push('.');
            let decimals = if self.below(40) == 0 { self.below(300) } else { self.below(10) };
            self.digits(1 + decimals, text);
        }
        if self.below(5) == 0 {
            text.push(self.pick(&['e', 'E']));
            text.push_str(self.pick(&["", "+", "-", "0", "+00", "-0"]));
            let exponent = match self.below(30) {
                0 => self.below(10_000),
                1..=5 => self.below(400),
                _ => self.below(20),
            };
            // Writing to a string does not fail.
            let _ = write!(text, "{exponent}");
        }
    }
}
