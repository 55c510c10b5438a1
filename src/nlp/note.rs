//! A part of a text with its tokens and sentences: what every step reads.

use super::lexicon::Lexicon;
use super::section::{Heading, Role};
use super::sentence::Sentence;
use super::token::Token;

/// A part of a text that is read at once: all of it unless it is long.
#[derive(Clone, Copy)]
pub struct Note<'a> {
    /// the whole text; all offsets count from its begin
    pub text: &'a str,
    pub tokens: &'a [Token],
    pub sentences: &'a [Sentence],
    pub lexicon: &'a Lexicon,
    /// when the note was written, for "yesterday" and dates without a year
    pub date: Option<chrono::NaiveDate>,
    /// the text is about research, not about a patient
    pub research: bool,
}

impl<'a> Note<'a> {
    /// The text of a token.
    pub fn word(&self, token: u32) -> &'a str {
        self.tokens.get(token as usize).and_then(|t| self.text.get(t.begin as usize..t.end as usize)).unwrap_or("")
    }

    /// Whether a token is this word, whatever its case. `word` is in lower case.
    #[inline]
    pub fn is(&self, token: u32, word: &str) -> bool {
        let Some(token) = self.tokens.get(token as usize) else { return word.is_empty() };
        let bytes = token.begin as usize..token.end as usize;
        bytes.len() == word.len() && self.text.as_bytes().get(bytes).is_some_and(|bytes| bytes.eq_ignore_ascii_case(word.as_bytes()))
    }

    /// The text from the begin of one token to the end of another.
    pub fn words(&self, tokens: std::ops::Range<u32>) -> &'a str {
        if tokens.is_empty() {
            return "";
        }
        let begin = self.tokens.get(tokens.start as usize).map_or(0, |t| t.begin as usize);
        let end = self.tokens.get(tokens.end as usize - 1).map_or(0, |t| t.end as usize);
        self.text.get(begin..end).unwrap_or("")
    }

    /// The tokens that stand within some bytes of the text.
    pub fn tokens_in(&self, begin: usize, end: usize) -> std::ops::Range<u32> {
        let from = self.tokens.partition_point(|t| (t.end as usize) <= begin);
        let to = from + self.tokens.get(from..).map_or(0, |rest| rest.partition_point(|t| (t.begin as usize) < end));
        from as u32..to as u32
    }

    /// The number of the sentence that has a token.
    pub fn sentence_of(&self, token: u32) -> u32 {
        self.sentences.partition_point(|s| s.tokens.end <= token) as u32
    }

    /// The section that a sentence stands in.
    pub fn section(&self, sentence: u32) -> Heading {
        let section = self.sentences.get(sentence as usize).map_or(0, |s| s.section);
        self.lexicon.headings.get(section).unwrap_or(Heading { name: "", role: Role::Other })
    }
}
