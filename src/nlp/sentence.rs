//! Tokens → sentences, with their sections and lists.
//!
//! Notes are lists, labels and wrapped lines as much as they are prose. A line ends a sentence unless the next line goes on with
//! it; a full stop ends one unless it belongs to an abbreviation; a heading begins one.

use std::ops::Range;

use super::lexicon::Lexicon;
use super::section::Found;
use super::token::{Case, Class, Token};

/// A sentence, an item of a list, or a line that stands by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sentence {
    /// with the mark that ends it; ends of lines between two sentences are in none
    pub tokens: Range<u32>,
    /// index into `lexicon.headings`; 0 is "no section"
    pub section: u16,
    /// it is an item of a list, with a bullet or a number before it
    pub item: bool,
    /// it is a heading or begins with one; the tokens of the heading with its colon
    pub heading: Range<u32>,
}

/// What goes over from one part of a long text to the next.
#[derive(Clone, Debug, Default)]
pub struct Carry {
    /// the section that the part before ended in
    pub section: u16,
    /// the section that all of the text stands in, where no heading in it says otherwise
    pub around: u16,
}

impl Carry {
    /// At the begin of a text that stands in a section.
    pub fn within(section: u16) -> Carry {
        Carry { section, around: section }
    }
}

/// Longest sentence in tokens: what is longer is cut, so that steps may look over a whole sentence.
const LONGEST: usize = 400;

/// A line, in tokens.
#[derive(Clone, Copy)]
struct Line {
    begin: usize,
    /// without the end of line
    end: usize,
    /// bytes
    width: usize,
}

struct Cutter<'a> {
    text: &'a str,
    tokens: &'a [Token],
    lexicon: &'a Lexicon,
    section: u16,
    around: u16,
    /// begin of the sentence that is open
    begin: Option<usize>,
    item: bool,
    heading: Range<u32>,
    out: Vec<Sentence>,
}

/// Cuts tokens into sentences.
pub fn sentences(text: &str, tokens: &[Token], lexicon: &Lexicon, carry: &mut Carry) -> Vec<Sentence> {
    let mut cutter = Cutter {
        text,
        tokens,
        lexicon,
        section: carry.section,
        around: carry.around,
        begin: None,
        item: false,
        heading: 0..0,
        out: Vec::with_capacity(tokens.len() / 10 + 1),
    };
    cutter.run();
    carry.section = cutter.section;
    cutter.out
}

impl Cutter<'_> {
    fn run(&mut self) {
        let wrap = self.wrap();
        let mut previous: Option<Line> = None;
        // the text of the section began on the line of its heading
        let mut inline = false;
        let mut blank = true;
        let mut at = 0;
        while at < self.tokens.len() {
            let line = self.line(at);
            at = line.end + 1;
            if line.begin == line.end {
                self.close(line.begin);
                previous = None;
                blank = true;
                continue;
            }
            if self.is_rule(line) {
                self.close(line.begin);
                previous = None;
                continue;
            }
            let content = self.marker(line);
            let item = content > line.begin;
            let heading = self.lexicon.headings.at(self.tokens, content, line.end, item);
            if blank
                && heading.is_none()
                && (inline && !item && self.role_is_short() || self.is_unknown_heading(line))
            {
                self.section = self.around;
                inline = false;
            }
            blank = false;
            let joined = heading.is_none()
                && !item
                && self.begin.is_some()
                && previous.is_some_and(|previous| self.goes_on(previous, line, wrap));
            if !joined {
                self.close(line.begin);
                self.open(line.begin, item);
            }
            let mut from = content;
            if let Some(found) = heading {
                self.enter(found);
                inline = found.end < line.end;
                from = found.end;
            }
            self.cut(line, from, &mut inline);
            previous = Some(line);
            if heading.is_some_and(|found| found.end == line.end) {
                self.close(line.end);
                previous = None;
            }
        }
        self.close(self.tokens.len());
    }

    fn open(&mut self, begin: usize, item: bool) {
        self.begin = Some(begin);
        self.item = item;
        self.heading = begin as u32..begin as u32;
    }

    /// Ends the open sentence before token `end`.
    fn close(&mut self, end: usize) {
        let Some(begin) = self.begin.take() else { return };
        let mut end = end;
        while end > begin && self.tokens[end - 1].class == Class::Line {
            end -= 1;
        }
        if end > begin {
            let heading = self.heading.clone();
            self.out.push(Sentence { tokens: begin as u32..end as u32, section: self.section, item: self.item, heading });
        }
    }

    fn enter(&mut self, found: Found) {
        self.heading = found.begin as u32..found.end as u32;
        self.section = found.section(&self.lexicon.headings, self.section);
    }

    fn role_is_short(&self) -> bool {
        self.lexicon.headings.get(self.section).is_some_and(|h| h.role.is_short())
    }

    fn line(&self, begin: usize) -> Line {
        let length = self.tokens[begin..].iter().position(|t| t.class == Class::Line);
        let end = length.map_or(self.tokens.len(), |length| begin + length);
        let width = if end > begin { (self.tokens[end - 1].end - self.tokens[begin].begin) as usize } else { 0 };
        Line { begin, end, width }
    }

    /// The width at which lines of this text are wrapped, if they are.
    fn wrap(&self) -> Option<usize> {
        let mut widest = 0;
        // how many lines of each width, in steps of 8
        let mut counts = [0u32; 18];
        let mut begin = None;
        let mut end = 0;
        let mut add = |begin: Option<u32>, end: u32| {
            if let Some(begin) = begin {
                let width = (end - begin) as usize;
                widest = widest.max(width);
                if let Some(count) = counts.get_mut(width / 8) {
                    *count += 1;
                }
            }
        };
        for token in self.tokens {
            if token.class == Class::Line {
                add(begin.take(), end);
            } else {
                begin.get_or_insert(token.begin);
                end = token.end;
            }
        }
        add(begin, end);
        let near: u32 = counts.iter().take(widest / 8 + 1).skip((widest / 8).saturating_sub(1)).sum();
        ((45..=136).contains(&widest) && near >= 3).then_some(widest)
    }

    /// Whether a line is only a rule: "-----", "* * *".
    fn is_rule(&self, line: Line) -> bool {
        let tokens = &self.tokens[line.begin..line.end];
        tokens.len() >= 3 && tokens.iter().take(64).all(|t| t.class == Class::Mark && matches!(t.mark, b'-' | b'=' | b'*' | b'_' | b'~' | b'+' | b'#'))
    }

    fn word(&self, at: usize) -> &str {
        self.tokens.get(at).and_then(|t| self.text.get(t.begin as usize..t.end as usize)).unwrap_or("")
    }

    fn is_mark(&self, at: usize, mark: u8) -> bool {
        self.tokens.get(at).is_some_and(|t| t.is_mark(mark))
    }

    /// Where the text of a line begins behind its bullet or number.
    fn marker(&self, line: Line) -> usize {
        let begin = line.begin;
        let Some(first) = self.tokens.get(begin) else { return begin };
        let next = self.tokens.get(begin + 1).filter(|_| begin + 1 < line.end);
        let Some(next) = next else { return begin };
        match first.class {
            Class::Mark => match first.mark {
                b'*' | b'-' | b'>' | b'#' if next.class == Class::Word || next.spaced => {
                    // "# 1. Pneumonia", "#1 Pneumonia" need no more: the number is no heading
                    begin + 1
                }
                b'#' if next.class == Class::Number => begin + 2,
                0 if next.spaced && !self.word(begin).starts_with(['☐', '☑', '☒', '✓', '✔', '✗', '✘']) => begin + 1,
                b'(' if next.end - next.begin <= 2 && self.is_mark(begin + 2, b')') && next.class == Class::Number => begin + 3,
                _ => begin,
            },
            Class::Number if first.end - first.begin <= 2 && matches!(next.mark, b'.' | b')') && !next.spaced => begin + 2,
            Class::Word
                if first.end - first.begin == 1
                    && matches!(next.mark, b'.' | b')')
                    && !next.spaced
                    && self.tokens.get(begin + 2).is_some_and(|t| begin + 2 < line.end && t.spaced) =>
            {
                begin + 2
            }
            _ => begin,
        }
    }

    /// A line in capitals of two words or more with a colon behind, and nothing else: a heading that no list has.
    fn is_unknown_heading(&self, line: Line) -> bool {
        let tokens = &self.tokens[line.begin..line.end];
        tokens.len() >= 3
            && tokens.len() <= 12
            && tokens.last().is_some_and(|t| t.is_mark(b':'))
            && tokens.iter().all(|t| t.class != Class::Word || t.case == Case::Upper)
            && tokens.iter().filter(|t| t.class == Class::Word).count() >= 2
    }

    /// Whether a line goes on with the sentence of the line before it.
    fn goes_on(&self, previous: Line, line: Line, wrap: Option<usize>) -> bool {
        let (Some(last), Some(first)) = (self.tokens.get(previous.end - 1), self.tokens.get(line.begin)) else { return false };
        // "Fever: no" has a label of its own
        if (line.begin..line.end.min(line.begin + 4)).any(|at| self.is_mark(at, b':')) {
            return false;
        }
        match last.class {
            Class::Mark => match last.mark {
                b',' | b'(' | b'/' | b'&' => return true,
                b'-' => return !last.spaced,
                b':' | b'|' => return false,
                _ => {}
            },
            // but "no" may be the value of a label
            Class::Word if is_connective(self.word(previous.end - 1)) && !self.is_mark(previous.end.saturating_sub(2), b':') => return true,
            _ => {}
        }
        let next = (first.end - first.begin) as usize;
        let full = wrap.is_some_and(|wide| previous.width + 1 + next > wide);
        match first.class {
            Class::Word if first.case == Case::Lower => {
                // lines that all begin small may be a list; others go on
                let small = self.tokens.get(previous.begin).is_some_and(|t| t.class == Class::Word && t.case == Case::Lower);
                let list = small && self.begin == Some(previous.begin);
                full || previous.width >= if list { wrap.map_or(40, |wide| (wide * 6 / 10).max(25)) } else { 15 }
            }
            Class::Mark if matches!(first.mark, b',' | b')' | b'&') => true,
            Class::Mark if first.mark != b'(' => false,
            _ => full,
        }
    }

    /// Cuts a line at full stops, and before headings within it.
    fn cut(&mut self, line: Line, from: usize, inline: &mut bool) {
        let mut at = from;
        while at < line.end {
            let token = self.tokens[at];
            let Some(begin) = self.begin else {
                self.open(at, false);
                continue;
            };
            if at - begin >= LONGEST {
                self.close(at);
                self.open(at, false);
            }
            if token.class == Class::Mark {
                match token.mark {
                    b'.' => {
                        if let Some(end) = self.stop(at, line.end) {
                            self.close(end);
                            at = end;
                            continue;
                        }
                    }
                    b'!' | b'?' => {
                        if let Some(end) = self.shout(at, line.end) {
                            self.close(end);
                            at = end;
                            continue;
                        }
                    }
                    b':' => {
                        let after = begin.max(self.heading.end as usize);
                        if let Some(found) = self.lexicon.headings.before_colon(self.tokens, after, at) {
                            if found.begin > begin {
                                self.close(found.begin);
                                self.open(found.begin, false);
                            }
                            self.enter(found);
                            *inline = true;
                        }
                    }
                    _ => {}
                }
            }
            at += 1;
        }
    }

    /// Where the sentence ends if the full stop at a token ends one.
    fn stop(&self, at: usize, to: usize) -> Option<usize> {
        let mut end = at + 1;
        // closing marks belong to it
        while end < to && !self.tokens[end].spaced && matches!(self.tokens[end].mark, b'"' | b')' | b']' | b'\'') {
            end += 1;
        }
        let next = (end < to).then(|| self.tokens[end]);
        // "fever...chills": cut behind the last
        if self.is_mark(end, b'.') && end < to {
            return None;
        }
        let before = at.checked_sub(1).filter(|_| !self.tokens[at].spaced).map(|b| (b, self.tokens[b]));
        let Some(next) = next else {
            // at the end of a line "Dr." goes on with the next
            let title = before.is_some_and(|(b, _)| abbreviation(self.word(b)) == Some(Abbreviation::Title));
            return (!title || to == self.tokens.len()).then_some(end);
        };
        let Some((b, before)) = before else { return Some(end) };
        if !next.spaced {
            // "stable.Patient" but not "v6.1", "www.x.org"
            let glued = before.class == Class::Word
                && before.end - before.begin >= 3
                && before.case != Case::Upper
                && next.class == Class::Word
                && next.case == Case::Title;
            return if next.is_mark(b'?') { Some(end + 1) } else { glued.then_some(end) };
        }
        let upper = next.class == Class::Word && next.case != Case::Lower;
        match before.class {
            Class::Word => {
                let word = self.word(b);
                match abbreviation(word) {
                    Some(Abbreviation::Title) => return None,
                    Some(Abbreviation::Other) if !upper => return None,
                    Some(Abbreviation::Before) if next.class == Class::Number => return None,
                    _ => {}
                }
                if before.end - before.begin == 1 {
                    let dotted = b > 0 && self.is_mark(b - 1, b'.') && !before.spaced;
                    if dotted {
                        // "b.i.d.", "p.o.": goes on unless a capital follows that is no abbreviation; "e.g." always does
                        let latin = matches!(word, "g" | "e") && b > 1 && matches!(self.word(b - 2), "e" | "i");
                        return (upper && next.case != Case::Upper && !latin).then_some(end);
                    }
                    // "John B. Smith"
                    let name = before.case == Case::Upper
                        && b > 0
                        && self.tokens[b - 1].class == Class::Word
                        && self.tokens[b - 1].case == Case::Title
                        && next.case == Case::Title
                        && !is_opening(self.word(end));
                    return (!name).then_some(end);
                }
                Some(end)
            }
            _ => Some(end),
        }
    }

    /// The same for `!` and `?`. A question mark before a word is a doubt ("?pneumonia") unless it only parts two pieces.
    fn shout(&self, at: usize, to: usize) -> Option<usize> {
        let end = at + 1;
        let Some(next) = (end < to).then(|| self.tokens[end]) else { return Some(end) };
        let (before, token) = (at.checked_sub(1).map(|b| self.tokens[b]), self.tokens[at]);
        let parts = before.is_some_and(|b| !token.spaced && (b.class == Class::Mark && matches!(b.mark, b':' | b'.' | b')' | b';') || b.class != Class::Mark));
        let doubt = token.is_mark(b'?') && !parts;
        if doubt || (next.class == Class::Mark && !next.spaced) {
            return None;
        }
        Some(end)
    }
}

/// A word that does not end a line's thought.
fn is_connective(word: &str) -> bool {
    let mut lower = [0u8; 8];
    let Some(buffer) = lower.get_mut(..word.len()) else { return false };
    buffer.copy_from_slice(word.as_bytes());
    buffer.make_ascii_lowercase();
    matches!(
        &*buffer,
        b"and" | b"or" | b"of" | b"with" | b"without" | b"the" | b"a" | b"an" | b"no" | b"to" | b"for" | b"in" | b"on" | b"at" | b"by" | b"from"
            | b"denies" | b"denied" | b"has" | b"had" | b"have" | b"is" | b"was" | b"are" | b"were" | b"any" | b"but" | b"nor" | b"that" | b"than"
    )
}

/// Words that begin a sentence, so that the letter before them is no initial.
fn is_opening(word: &str) -> bool {
    matches!(word, "He" | "She" | "The" | "Patient" | "Pt" | "They" | "No" | "Denies" | "His" | "Her" | "This" | "There" | "It" | "On" | "In" | "We" | "I" | "Will" | "Has" | "Was" | "Is")
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Abbreviation {
    /// a name follows: Dr.
    Title,
    /// a number follows: No. 5
    Before,
    /// anything may follow
    Other,
}

fn abbreviation(word: &str) -> Option<Abbreviation> {
    let mut lower = [0u8; 6];
    let buffer = lower.get_mut(..word.len())?;
    buffer.copy_from_slice(word.as_bytes());
    buffer.make_ascii_lowercase();
    Some(match &*buffer {
        b"dr" | b"drs" | b"mr" | b"mrs" | b"ms" | b"prof" | b"vs" | b"st" | b"eg" | b"ie" | b"cf" | b"viz" => Abbreviation::Title,
        b"no" | b"nos" | b"fig" | b"figs" | b"vol" | b"ca" | b"grade" | b"tel" | b"ext" => Abbreviation::Before,
        b"approx" | b"etc" | b"pt" | b"pts" | b"dx" | b"hx" | b"tx" | b"rx" | b"sx" | b"fx" | b"wt" | b"ht" | b"temp" | b"resp" | b"abd" | b"neg" | b"pos"
        | b"mg" | b"mcg" | b"ml" | b"kg" | b"cm" | b"mm" | b"hr" | b"hrs" | b"min" | b"mins" | b"sec" | b"wk" | b"wks" | b"mo" | b"mos" | b"yr" | b"yrs"
        | b"lt" | b"rt" | b"bilat" | b"inj" | b"tab" | b"tabs" | b"cap" | b"caps" | b"susp" | b"max" | b"misc" | b"incl" | b"esp" | b"dept" | b"hosp"
        | b"jan" | b"feb" | b"mar" | b"apr" | b"jun" | b"jul" | b"aug" | b"sep" | b"sept" | b"oct" | b"nov" | b"dec" | b"ave" | b"lat" | b"med" | b"inf"
        | b"sup" | b"ant" | b"post" | b"diam" | b"avg" | b"diff" | b"occ" | b"prn" | b"bid" | b"tid" | b"qid" | b"qd" | b"po" => Abbreviation::Other,
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
