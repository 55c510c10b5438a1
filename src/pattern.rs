//! Regular expressions that strangers wrote: how large they are, and what a search with them may take.
//!
//! The engine's time is linear in the text, but with a factor that is the size of the expression: `(a|b)*a(a|b){2000}` looks at
//! thousands of places for each byte. One search cannot be interrupted, so its price is told before it begins.

use regex::{Regex, RegexBuilder};

/// Bytes of all compiled expressions that belong together.
pub const MAX_TOGETHER: usize = 8 << 20;

/// The least that one counts.
const LEAST: usize = 16 << 10;

/// Bytes times places that one search may look at: about three seconds at worst.
pub const MAX_WORK: u64 = 100_000_000;

/// Up to so many places the engine remembers all combinations, and takes about as long as two for each byte.
const FEW: u64 = 10;
const OF_FEW: u64 = 2;

/// What costs one step.
const WORK_OF_STEP: u64 = 16;

/// Where in its states an engine can be, at least so many bytes of the compiled form for each.
const BYTES_OF_PLACE: u64 = 24;

/// Why there is no regular expression.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refused {
    TooLarge,
    /// It is none, or cannot be matched in linear time.
    Wrong,
}

/// A compiled regular expression. `.` matches line ends, too.
#[derive(Clone, Debug)]
pub struct Matcher {
    regex: Regex,
    weight: Weight,
    size: usize,
}

impl Matcher {
    /// Compiles what takes up to `most` bytes; where `is_whole`, for matching whole texts only.
    ///
    /// # Errors
    /// Why it cannot be used.
    pub fn new(text: &str, is_whole: bool, most: usize) -> Result<Matcher, Refused> {
        let weight = Weight::of(text);
        let anchored;
        let pattern = if is_whole {
            // what closes a group that it did not open would stand beside the anchors
            if weight == Weight::Unbalanced {
                return Err(Refused::Wrong);
            }
            anchored = format!("^(?:{text})$");
            &anchored
        } else {
            text
        };
        let (regex, size) = sized(pattern, most)?;
        Ok(Matcher { weight: weight.or_of_size(size), regex, size })
    }

    pub fn regex(&self) -> &Regex {
        &self.regex
    }

    /// About how many bytes it takes.
    pub fn size(&self) -> usize {
        self.size
    }

    /// The steps of a search in a text of so many bytes; `None` where that would take too long.
    pub fn steps(&self, length: usize) -> Option<u64> {
        self.weight.steps(length)
    }
}

/// The regular expression with about how many bytes it takes: each compilation ends where it exceeds its bound, so that trying small
/// ones first costs no more than twice the time.
fn sized(pattern: &str, most: usize) -> Result<(Regex, usize), Refused> {
    let mut size = LEAST;
    while size <= most {
        let memory = size.saturating_mul(16).min(4 << 20);
        match RegexBuilder::new(pattern).size_limit(size).dfa_size_limit(memory).dot_matches_new_line(true).build() {
            Ok(regex) => return Ok((regex, size)),
            Err(regex::Error::CompiledTooBig(_)) => size *= 2,
            Err(_) => return Err(Refused::Wrong),
        }
    }
    Err(Refused::TooLarge)
}

/// How many places of a regular expression a search may be at after each byte.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Weight {
    /// All, and those that can be reached however long the text is: all where a match may begin anywhere, else what is repeated without
    /// a bound, and all behind it.
    Places { all: u64, open: u64 },
    /// It closes a group that it did not open.
    Unbalanced,
    /// Written in the mode in which blanks and comments do not count, so that nothing is told without a full parser.
    Unknown,
}

/// One level of brackets.
#[derive(Default)]
struct Level {
    all: u64,
    last: u64,
}

impl Weight {
    /// Counts letters, classes and the like as often as they are repeated. The text must be a regular expression; of what is none, this
    /// tells something.
    pub fn of(text: &str) -> Weight {
        let (mut levels, mut this) = (Vec::new(), Level::default());
        let mut rest = text;
        let (mut alternates, mut has_lines) = (false, false);
        // once there is a repetition without a bound
        let mut open = None;
        while let Some(c) = rest.chars().next() {
            rest = &rest[c.len_utf8()..];
            let (mut atom, mut is_new) = (1, true);
            match c {
                '\\' => rest = behind_escape(rest),
                '[' => rest = behind_class(rest),
                '(' => {
                    if let Some(flagged) = rest.strip_prefix('?') {
                        let end = flagged.find([':', ')', '>']).unwrap_or(flagged.len());
                        let (flags, behind) = flagged.split_at(end);
                        rest = behind;
                        if !flags.contains('<') {
                            if flags.contains('x') {
                                return Weight::Unknown;
                            }
                            has_lines |= flags.contains('m');
                        }
                        // flags alone open no group
                        if let Some(behind) = rest.strip_prefix(')') {
                            rest = behind;
                            continue;
                        }
                        rest = rest.get(1..).unwrap_or("");
                    }
                    levels.push(std::mem::take(&mut this));
                    continue;
                }
                ')' => {
                    let Some(outer) = levels.pop() else { return Weight::Unbalanced };
                    atom = std::mem::replace(&mut this, outer).all.max(1);
                    is_new = false;
                }
                '|' => {
                    alternates |= levels.is_empty();
                    this.last = 0;
                    continue;
                }
                '*' | '+' => {
                    open = Some(this.last.saturating_add(open.unwrap_or(0)));
                    continue;
                }
                '?' => continue,
                '{' => {
                    let (count, bounded, behind) = repetition(rest);
                    rest = behind;
                    let more = this.last.saturating_mul(count.saturating_sub(1));
                    this.all = this.all.saturating_add(more);
                    this.last = this.last.saturating_add(more);
                    open = match open {
                        Some(open) if bounded => Some(more.saturating_add(open)),
                        None if bounded => None,
                        open => Some(this.last.saturating_add(open.unwrap_or(0))),
                    };
                    continue;
                }
                _ => {}
            }
            this.all = this.all.saturating_add(atom);
            this.last = atom;
            if is_new {
                open = open.map(|open| open.saturating_add(1));
            }
        }
        while let Some(outer) = levels.pop() {
            this.all = this.all.saturating_add(outer.all);
        }
        let is_anchored = text.strip_prefix('^').is_some_and(|rest| !rest.starts_with(['?', '{'])) && !alternates && !has_lines;
        let all = this.all.max(1);
        Weight::Places { all, open: if is_anchored { open.unwrap_or(0).min(all) } else { all } }
    }

    /// All places.
    pub fn places(&self) -> u64 {
        match self {
            Weight::Places { all, .. } => *all,
            _ => u64::MAX,
        }
    }

    /// What is at least as heavy as both.
    pub fn or_heavier(self, other: Weight) -> Weight {
        self.joined(other, u64::max)
    }

    /// As heavy as both together.
    pub fn and(self, other: Weight) -> Weight {
        self.joined(other, u64::saturating_add)
    }

    fn joined(self, other: Weight, join: fn(u64, u64) -> u64) -> Weight {
        match (self, other) {
            (Weight::Places { all, open }, Weight::Places { all: b, open: c }) => Weight::Places { all: join(all, b), open: join(open, c) },
            (Weight::Places { .. }, _) => other,
            _ => self,
        }
    }

    /// Itself, or where it is not known, that of whatever takes so many bytes.
    pub fn or_of_size(self, size: usize) -> Weight {
        match self {
            Weight::Places { .. } => self,
            _ => {
                let all = size as u64 / BYTES_OF_PLACE;
                Weight::Places { all, open: all }
            }
        }
    }

    /// The steps of a search in a text of so many bytes; `None` where that would take too long.
    pub fn steps(&self, length: usize) -> Option<u64> {
        let length = length as u64;
        let work = match *self {
            Weight::Places { all, open } => {
                // what is not open is left behind after as many letters as there are places
                let closed = if open < all { length.min(all.saturating_mul(4)).saturating_mul(all) } else { 0 };
                closed.saturating_add(length.saturating_mul(if open <= FEW { open.min(OF_FEW) } else { open }))
            }
            _ => length,
        };
        (work <= MAX_WORK).then_some(work / WORK_OF_STEP + length / 64)
    }
}

/// What stands behind `\p{Letter}`, `\x{10FFFF}`, `\b{start}`, `\d`, where the backslash is gone.
fn behind_escape(rest: &str) -> &str {
    let Some(letter) = rest.chars().next() else { return "" };
    let behind = &rest[letter.len_utf8()..];
    match (letter, behind.strip_prefix('{')) {
        ('p' | 'P' | 'x' | 'u' | 'U' | 'b', Some(name)) => name.split_once('}').map_or("", |(_, behind)| behind),
        ('p' | 'P', None) => behind.chars().next().map_or("", |name| &behind[name.len_utf8()..]),
        _ => behind,
    }
}

/// What stands behind a class, where its first bracket is gone. Classes may hold classes.
fn behind_class(mut rest: &str) -> &str {
    let mut depth = 1u32;
    let mut is_first = true;
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        match c {
            '\\' => rest = behind_escape(rest),
            '^' if is_first => continue,
            // a bracket that stands first is one of the class
            ']' if is_first => {}
            ']' => {
                depth -= 1;
                if depth == 0 {
                    return rest;
                }
            }
            '[' => {
                depth += 1;
                is_first = true;
                continue;
            }
            _ => {}
        }
        is_first = false;
    }
    ""
}

/// How often at most `3}`, `3,}` or `3,5}` repeat, whether that is a bound, and what stands behind.
fn repetition(rest: &str) -> (u64, bool, &str) {
    let Some((counts, behind)) = rest.split_once('}') else { return (1, true, "") };
    let number = |text: &str| text.trim().parse::<u64>().unwrap_or(0);
    match counts.split_once(',') {
        None => (number(counts).max(1), true, behind),
        Some((least, most)) if most.trim().is_empty() => (number(least) + 1, false, behind),
        Some((least, most)) => (number(least).max(number(most)).max(1), true, behind),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weight(text: &str) -> (u64, u64) {
        assert!(Matcher::new(text, false, 4 << 20).is_ok(), "{text}");
        match Weight::of(text) {
            Weight::Places { all, open } => (all, open),
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn places_are_counted_as_often_as_they_are_repeated() {
        for (text, expected) in [
            ("abc", 3),
            ("(a|b)*a(a|b){2000}c", 2 + 1 + 4000 + 1),
            ("a{3}b{2,}c{1,4}d{0}", 3 + 3 + 4 + 1),
            ("((ab){10}){10}", 200),
            ("a{10}{10}", 100),
            (r"\p{L}{5}\pL\x{41}{2}\d\.", 5 + 1 + 2 + 1 + 1),
            ("[a-z]{7}[]a]{2}[^]a]{2}[[:alpha:]&&[a]]{3}[\\]]{2}", 7 + 2 + 2 + 3 + 2),
            ("(?:ab){2}(?<n>c){3}(?P<n2>c){3}(?i)d(?s:e)", 4 + 3 + 3 + 1 + 1),
            ("äö{2}", 3),
            ("(){1000}a??b+?", 1000 + 2),
        ] {
            assert_eq!(weight(text).0, expected, "{text}");
        }
        assert_eq!(Weight::of("a)|(b"), Weight::Unbalanced);
        assert_eq!(Weight::of("(?x)a # )"), Weight::Unknown);
    }

    #[test]
    fn what_is_anchored_and_bounded_is_left_behind() {
        for (text, open) in [
            ("^[a-z]{1,64}$", 0),
            ("^(a|b)$", 0),
            ("^abc*d$", 3),
            ("^ab(cd+e)?f", 3),
            ("^ab(cd)+f", 3),
            ("^a(b*c){3}", 1 + 1 + 4),
            ("^a(bc){2,}", 6),
        ] {
            assert_eq!(weight(text).1, open, "{text}");
        }
        for text in ["[a-z]{1,64}$", "^a|b", "(?m)^a", "^?a", "^{0}a"] {
            let (all, open) = weight(text);
            assert_eq!(all, open, "{text}");
        }
    }

    #[test]
    fn a_search_that_takes_too_long_has_no_price() {
        let matcher = |text| Matcher::new(text, false, 4 << 20).unwrap();
        assert_eq!(matcher("(a|b)*a(a|b){2000}c").steps(1 << 20), None);
        assert!(matcher("(a|b)*a(a|b){2000}c").steps(1_000).is_some_and(|steps| steps > 100_000));
        assert!(matcher(r"^[A-Za-z0-9\-\.]{1,64}$").steps(64 << 20).is_some());
        assert!(matcher(r"\w+@\w+").steps(1 << 20).is_some_and(|steps| steps < 1_000_000));
        assert_eq!(matcher("(?x) (a|b)*a(a|b){2000}c # )").steps(1 << 20), None);
    }

    #[test]
    fn what_is_too_large_is_told_from_what_is_wrong() {
        assert_eq!(Matcher::new(r"^\p{L}{1,200}$", false, 2 << 20).unwrap_err(), Refused::TooLarge);
        assert_eq!(Matcher::new("(?=a)", false, 2 << 20).unwrap_err(), Refused::Wrong);
        assert_eq!(Matcher::new("a)|(?:b", true, 2 << 20).unwrap_err(), Refused::Wrong);
        assert!(Matcher::new("abc", false, MAX_TOGETHER).unwrap().size() < 100_000);
        assert!(Matcher::new(r"^\w{1,40}#", false, MAX_TOGETHER).unwrap().size() > 1 << 20);
    }
}
