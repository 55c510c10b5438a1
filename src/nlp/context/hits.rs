//! What stands in a sentence that says how its entities are meant.

use super::rules::{Effect, Rules};
use crate::nlp::note::Note;
use crate::nlp::phrases::{NONE, Word};
use crate::nlp::token::Class;

/// A phrase of the rules, or a mark that parts pieces of a sentence.
#[derive(Clone, Copy, Debug)]
pub struct Hit<'a> {
    /// tokens of the note
    pub begin: u32,
    pub end: u32,
    pub what: What<'a>,
    /// its last word is a verb such as "was"
    pub verb: bool,
    /// the dimensions in which it does anything, as bits
    pub dimensions: u8,
}

#[derive(Clone, Copy, Debug)]
pub enum What<'a> {
    /// numbers of rules
    Phrase(&'a [u32]),
    Mark(u8),
}

/// Hits of one sentence.
#[derive(Default)]
pub struct Hits<'a> {
    pub list: Vec<Hit<'a>>,
    /// first token of the sentence part whose words these are
    begin: u32,
    words: Vec<Word>,
}

impl<'a> Hits<'a> {
    /// Finds those at tokens `begin..end` of a note.
    pub fn gather(&mut self, note: &Note<'a>, rules: &'a Rules, begin: u32, end: u32) {
        self.list.clear();
        self.words.clear();
        self.begin = begin;
        let Some(tokens) = note.tokens.get(begin as usize..end as usize) else { return };
        self.words.extend(tokens.iter().map(|t| t.known.context));
        // "+cough -fever": a minus is a negation where a plus stands so
        let plus = tokens.windows(2).any(|pair| pair[0].is_mark(b'+') && !pair[1].spaced && pair[1].class == Class::Word);
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            let place = begin + at as u32;
            if token.is_mark(b'-') && !(plus && is_minus(tokens, at)) {
                if token.spaced && tokens.get(at + 1).is_none_or(|t| t.spaced) {
                    self.list.push(mark(place, b'-'));
                }
                at += 1;
                continue;
            }
            if token.known.context != NONE
                && rules.phrases.begins(token.known.context)
                && let Some(found) = rules.phrases.longest_at(tokens, &self.words, at, tokens.len())
            {
                let last = self.words.get(found.end - 1).copied().unwrap_or(NONE);
                self.list.push(Hit {
                    begin: place,
                    end: begin + found.end as u32,
                    what: What::Phrase(found.values),
                    verb: rules.verbs.contains(&last),
                    dimensions: rules.dimensions(found.values),
                });
                at = found.end;
                continue;
            }
            if token.class == Class::Mark && matches!(token.mark, b',' | b';' | b':' | b'(' | b')' | b'|' | b'?') {
                self.list.push(mark(place, token.mark));
            }
            at += 1;
        }
    }

    /// Whether nothing but commas, conjunctions and articles stands at tokens `begin..end`, and at least one of them.
    pub fn joins(&self, rules: &Rules, begin: u32, end: u32) -> bool {
        begin < end
            && begin >= self.begin
            && self.words.get((begin - self.begin) as usize..(end - self.begin) as usize).is_some_and(|words| words.iter().all(|w| rules.joints.contains(w)))
    }

    /// Takes out what lies within an entity, such as "history" of "history of falls", and gives it to `taken`.
    pub fn leave(&mut self, covered: impl Fn(u32, u32) -> bool, mut taken: impl FnMut(&Hit<'a>)) {
        self.list.retain(|hit| {
            let out = matches!(hit.what, What::Phrase(_)) && covered(hit.begin, hit.end);
            if out {
                taken(hit);
            }
            !out
        });
    }
}

fn mark(place: u32, mark: u8) -> Hit<'static> {
    Hit { begin: place, end: place + 1, what: What::Mark(mark), verb: false, dimensions: 0 }
}

/// A minus that is directly before a word and behind a space.
fn is_minus(tokens: &[crate::nlp::token::Token], at: usize) -> bool {
    (at == 0 || tokens[at].spaced) && tokens.get(at + 1).is_some_and(|t| !t.spaced && t.class == Class::Word)
}

/// The rules of a hit.
pub fn effects<'r>(rules: &'r Rules, hit: &Hit<'r>) -> impl Iterator<Item = &'r super::rules::Rule> {
    let numbers = match hit.what {
        What::Phrase(numbers) => numbers,
        What::Mark(_) => &[],
    };
    numbers.iter().filter_map(|&number| rules.get(number))
}

/// Whether a hit has an effect.
pub fn has(rules: &Rules, hit: &Hit<'_>, effect: impl Fn(Effect) -> bool) -> bool {
    effects(rules, hit).any(|rule| effect(rule.effect))
}
