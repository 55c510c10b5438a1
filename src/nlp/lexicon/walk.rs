//! The terms of a lexicon in a text.

use super::image::Image;
use crate::nlp::token::{Class, Token, UNKNOWN};

/// A term that stands at some tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Match {
    /// where [`Image::outputs`] has its meanings
    pub node: u32,
    /// tokens from–to
    pub begin: u32,
    pub end: u32,
}

/// What may stand between two words of a term though the term does not name it: a hyphen, a slash, one end of line.
pub fn is_joint(token: &Token) -> bool {
    match token.class {
        Class::Line => true,
        Class::Mark => matches!(token.mark, b'-' | b'/'),
        _ => false,
    }
}

impl Image {
    /// Tells `each` all terms that begin with the token at `at`, shortest first, whatever their meanings ask of case.
    pub fn terms_at(&self, tokens: &[Token], at: u32, mut each: impl FnMut(Match)) {
        let Some(first) = tokens.get(at as usize) else { return };
        if first.id == UNKNOWN {
            return;
        }
        let mut node = self.root(first.id);
        let mut next = at + 1;
        while node != 0 {
            if self.ends(node) {
                each(Match { node, begin: at, end: next });
            }
            // joints: not two ends of line
            let mut joints = 0;
            while let Some(token) = tokens.get(next as usize)
                && is_joint(token)
                && joints < 2
            {
                joints += 1;
                next += 1;
            }
            let Some(token) = tokens.get(next as usize) else { return };
            if token.id == UNKNOWN || is_joint(token) {
                return;
            }
            node = self.child(node, token.id);
            next += 1;
        }
    }

    /// The longest of the terms that begin with the token at `at`.
    pub fn longest_at(&self, tokens: &[Token], at: u32) -> Option<Match> {
        let mut longest = None;
        self.terms_at(tokens, at, |m| longest = Some(m));
        longest
    }
}
