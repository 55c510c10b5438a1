//! Tokens → sentences, with their sections and lists.

use std::ops::Range;

use super::lexicon::Lexicon;
use super::token::Token;

/// A sentence, an item of a list, or a line that stands by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sentence {
    pub tokens: Range<u32>,
    /// index into `lexicon.headings`; 0 is "no section"
    pub section: u16,
    /// it is an item of a list, with a bullet or a number before it
    pub item: bool,
    /// it is a heading or begins with one; the tokens of the heading
    pub heading: Range<u32>,
}

/// What goes over from one part of a long text to the next.
#[derive(Clone, Debug, Default)]
pub struct Carry {
    /// the section that the part before ended in
    pub section: u16,
}

/// Cuts tokens into sentences.
pub fn sentences(_text: &str, tokens: &[Token], _lexicon: &Lexicon, carry: &mut Carry) -> Vec<Sentence> {
    let mut out = Vec::new();
    let mut begin = 0;
    for (at, token) in tokens.iter().enumerate() {
        let at = at as u32;
        if token.class == super::token::Class::Line || token.is_mark(b'.') {
            if at > begin {
                out.push(Sentence { tokens: begin..at, section: carry.section, item: false, heading: begin..begin });
            }
            begin = at + 1;
        }
    }
    if (begin as usize) < tokens.len() {
        out.push(Sentence { tokens: begin..tokens.len() as u32, section: carry.section, item: false, heading: begin..begin });
    }
    out
}
