//! Numbers in a text as doses, results and durations write them: 5, 1,000, .5, 1/2, ½, 1 1/2, two, one (1), 1-2, 40 to 80.

use std::sync::LazyLock;

use super::note::Note;
use super::token::Class;
use super::words::Words;

/// A number or a range at some tokens.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Number {
    pub begin: u32,
    /// the token behind it
    pub end: u32,
    pub low: f64,
    pub high: Option<f64>,
    /// it is written with letters
    pub word: bool,
}

impl Number {
    /// How the number is written in normal form: `5`, `0.5`, `40-80`.
    pub fn show(&self) -> String {
        match self.high {
            Some(high) => format!("{}-{}", self.low, high),
            None => self.low.to_string(),
        }
    }
}

static NUMBERS: LazyLock<Words<f64>> = LazyLock::new(|| {
    [
        ("one", 1.0),
        ("two", 2.0),
        ("three", 3.0),
        ("four", 4.0),
        ("five", 5.0),
        ("six", 6.0),
        ("seven", 7.0),
        ("eight", 8.0),
        ("nine", 9.0),
        ("ten", 10.0),
        ("eleven", 11.0),
        ("twelve", 12.0),
        ("fourteen", 14.0),
        ("fifteen", 15.0),
        ("twenty", 20.0),
        ("thirty", 30.0),
        ("forty", 40.0),
        ("fifty", 50.0),
        ("sixty", 60.0),
        ("half", 0.5),
    ]
    .into_iter()
    .collect()
});

/// The value of the digits of a token: `1,000` and `12,5` too.
pub fn digits(word: &str) -> Option<f64> {
    match word {
        "½" => return Some(0.5),
        "¼" => return Some(0.25),
        "¾" => return Some(0.75),
        "⅓" => return Some(0.333),
        "⅔" => return Some(0.667),
        _ => {}
    }
    if word.len() > 20 || !word.is_ascii() {
        return None;
    }
    let Some((front, back)) = word.rsplit_once(',') else { return word.parse().ok() };
    if back.len() >= 3 {
        let mut plain = [0u8; 20];
        let mut length = 0;
        for byte in word.bytes().filter(|b| *b != b',') {
            *plain.get_mut(length)? = byte;
            length += 1;
        }
        return std::str::from_utf8(plain.get(..length)?).ok()?.parse().ok();
    }
    if front.contains([',', '.']) {
        return None;
    }
    Some(front.parse::<f64>().ok()? + back.parse::<f64>().ok()? / 10f64.powi(back.len() as i32))
}

impl Note<'_> {
    /// Whether a token is this mark.
    pub fn mark(&self, token: u32, mark: u8) -> bool {
        self.tokens.get(token as usize).is_some_and(|t| t.is_mark(mark))
    }

    /// What a token is, if there is one.
    pub fn class(&self, token: u32) -> Option<Class> {
        self.tokens.get(token as usize).map(|t| t.class)
    }

    /// Whether white space stands before a token (an end of line counts not).
    pub fn spaced(&self, token: u32) -> bool {
        self.tokens.get(token as usize).is_some_and(|t| t.spaced)
    }

    /// Whether the token follows the one before it without anything between.
    pub fn glued(&self, token: u32) -> bool {
        token > 0
            && matches!((self.tokens.get(token as usize - 1), self.tokens.get(token as usize)),
                (Some(a), Some(b)) if a.end == b.begin && a.class != Class::Line && b.class != Class::Line)
    }

    /// Where a token begins, in bytes; the end of the text if there is none.
    pub fn begin(&self, token: u32) -> usize {
        self.tokens.get(token as usize).map_or(self.text.len(), |t| t.begin as usize)
    }

    /// Where the token before this one ends, in bytes.
    pub fn end(&self, token: u32) -> usize {
        token.checked_sub(1).and_then(|t| self.tokens.get(t as usize)).map_or(0, |t| t.end as usize)
    }
}

/// A number in digits at a token.
fn plain(note: &Note<'_>, at: u32) -> Option<(f64, u32)> {
    match note.class(at)? {
        Class::Number => {
            let value = digits(note.word(at))?;
            // a fraction: 1/2, 3/4; not 5/325, not 1/2/2026
            if note.mark(at + 1, b'/') && note.glued(at + 1) && note.glued(at + 2) && !note.mark(at + 3, b'/') {
                let below = match note.word(at + 2) {
                    "2" => 2.0,
                    "3" => 3.0,
                    "4" => 4.0,
                    _ => 0.0,
                };
                if value >= 1.0 && value < below {
                    return Some(((value / below * 1000.0).round() / 1000.0, at + 3));
                }
            }
            Some((value, at + 1))
        }
        Class::Mark if note.mark(at, b'.') && note.glued(at + 1) && (at == 0 || !note.glued(at)) => {
            if note.class(at + 1)? != Class::Number || note.word(at + 1).contains(['.', ',']) {
                return None;
            }
            let fraction = note.word(at + 1);
            if fraction.len() > 6 {
                return None;
            }
            Some((fraction.parse::<f64>().ok()? / 10f64.powi(fraction.len() as i32), at + 2))
        }
        _ => None,
    }
}

/// A number in digits or a word, with a half behind it: 1 1/2, one and a half, one (1).
fn single(note: &Note<'_>, at: u32) -> Option<(f64, u32, bool)> {
    if let Some((value, mut end)) = plain(note, at) {
        // 1 1/2, 1-1/2, 1 and 1/2, 1½
        let behind = if note.is(end, "and") || (note.mark(end, b'-') && note.glued(end)) { end + 1 } else { end };
        if let Some((more, after)) = plain(note, behind)
            && more < 1.0
            && value >= 1.0
            && value.fract() == 0.0
            && (after - behind == 3 || !note.word(behind).is_ascii())
        {
            return Some((value + more, after, false));
        }
        if note.is(end, "and") && note.is(end + 1, "half") {
            end += 2;
            return Some((value + 0.5, end, false));
        }
        return Some((value, end, false));
    }
    if note.class(at)? != Class::Word {
        return None;
    }
    let word = note.word(at);
    if word.eq_ignore_ascii_case("a") && note.is(at + 1, "half") {
        return Some((0.5, at + 2, true));
    }
    let &value = NUMBERS.get(word)?;
    let mut end = at + 1;
    // one-half, one and a half, one and one-half
    if note.mark(end, b'-') && note.is(end + 1, "half") {
        return Some((0.5, end + 2, true));
    }
    if note.is(end, "half") && value == 1.0 {
        return Some((0.5, end + 1, true));
    }
    if note.is(end, "and") {
        if note.is(end + 1, "a") && note.is(end + 2, "half") {
            return Some((value + 0.5, end + 3, true));
        }
        if note.is(end + 1, "one") && note.is(end + 2, "half") {
            return Some((value + 0.5, end + 3, true));
        }
        if note.is(end + 1, "one") && note.mark(end + 2, b'-') && note.is(end + 3, "half") {
            return Some((value + 0.5, end + 4, true));
        }
    }
    // one (1)
    if note.mark(end, b'(')
        && let Some((same, after)) = plain(note, end + 1)
        && note.mark(after, b')')
        && (same - value).abs() < 1.0
    {
        end = after + 1;
        return Some((same, end, true));
    }
    Some((value, end, true))
}

/// The number or range that begins at a token.
pub fn number(note: &Note<'_>, at: u32) -> Option<Number> {
    let (low, end, word) = single(note, at)?;
    let alone = Number { begin: at, end, low, high: None, word };
    let behind = if note.mark(end, b'-') || note.is(end, "to") || note.is(end, "or") { end + 1 } else { return Some(alone) };
    match single(note, behind) {
        Some((high, end, _)) if high > low && !(note.mark(end, b'/') && note.mark(end - 2, b'/')) => {
            Some(Number { begin: at, end, low, high: Some(high), word })
        }
        _ => Some(alone),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<(String, String)> {
        let lexicon = crate::nlp::signature_tests::lexicon();
        let mut list = Vec::new();
        lexicon.tokens(text, 0, text.len(), &mut list);
        let note = Note { text, tokens: &list, sentences: &[], lexicon, date: None, research: false };
        number(&note, 0).map(|n| (note.words(n.begin..n.end).to_owned(), n.show()))
    }

    #[test]
    fn numbers() {
        for (text, written, shown) in [
            ("5 mg", "5", "5"),
            ("1,000 mg", "1,000", "1000"),
            ("12,5 mg", "12,5", "12.5"),
            (".5 mg", ".5", "0.5"),
            ("0.25", "0.25", "0.25"),
            ("1/2 tab", "1/2", "0.5"),
            ("½ tab", "½", "0.5"),
            ("1 1/2 tabs", "1 1/2", "1.5"),
            ("1½ tabs", "1½", "1.5"),
            ("1 and 1/2 tabs", "1 and 1/2", "1.5"),
            ("one and a half tabs", "one and a half", "1.5"),
            ("one-half tablet", "one-half", "0.5"),
            ("Two tablets", "Two", "2"),
            ("One (1) Tablet", "One (1)", "1"),
            ("1-2 tabs", "1-2", "1-2"),
            ("40 - 80 mg", "40 - 80", "40-80"),
            ("one to two", "one to two", "1-2"),
            ("1 or 2 puffs", "1 or 2", "1-2"),
            ("7-day course", "7", "7"),
            ("5/325", "5", "5"),
        ] {
            assert_eq!(read(text), Some((written.to_owned(), shown.to_owned())), "{text}");
        }
        for text in ["mg", ". 5", "", "-", "a tablet"] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
