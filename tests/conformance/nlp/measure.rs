//! Counts of what is right, and what stands where.

use std::ops::Range;

/// What was found of what should be.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    /// should be and was found
    pub right: usize,
    /// should be
    pub gold: usize,
    /// was found
    pub found: usize,
}

impl Counts {
    pub fn add(&mut self, right: usize, gold: usize, found: usize) {
        self.right += right;
        self.gold += gold;
        self.found += found;
    }

    pub fn precision(&self) -> f64 {
        ratio(self.right, self.found)
    }

    pub fn recall(&self) -> f64 {
        ratio(self.right, self.gold)
    }

    pub fn f1(&self) -> f64 {
        ratio(2 * self.right, self.gold + self.found)
    }

    /// A line for people.
    pub fn print(&self, name: &str) {
        println!(
            "{name:<44} P {:.4}  R {:.4}  F1 {:.4}   right {} of {}, found {}",
            self.precision(),
            self.recall(),
            self.f1(),
            self.right,
            self.gold,
            self.found
        );
    }
}

/// Of nothing all is right.
pub fn ratio(part: usize, whole: usize) -> f64 {
    if whole == 0 { 1.0 } else { part as f64 / whole as f64 }
}

/// The characters that two spans share.
pub fn shared(a: &Range<usize>, b: &Range<usize>) -> usize {
    a.end.min(b.end).saturating_sub(a.start.max(b.start))
}

/// Pairs of spans that overlap, each span in one pair at most: those that are alike first, then those that share most.
/// `fits` says of a pair whether it may be one.
pub fn pairs(gold: &[Range<usize>], found: &[Range<usize>], fits: impl Fn(usize, usize) -> bool) -> Vec<(usize, usize)> {
    let mut candidates = Vec::new();
    for (g, a) in gold.iter().enumerate() {
        for (f, b) in found.iter().enumerate() {
            if shared(a, b) > 0 && fits(g, f) {
                let apart = a.len() + b.len() - 2 * shared(a, b);
                candidates.push((apart, g, f));
            }
        }
    }
    candidates.sort();
    let (mut gold_used, mut found_used) = (vec![false; gold.len()], vec![false; found.len()]);
    let mut pairs = Vec::new();
    for (_, g, f) in candidates {
        if !gold_used[g] && !found_used[f] {
            (gold_used[g], found_used[f]) = (true, true);
            pairs.push((g, f));
        }
    }
    pairs.sort();
    pairs
}

/// A span with a little of what stands around it, in one line.
pub fn around(text: &str, span: &Range<usize>) -> String {
    let boundary = |at: &usize| text.is_char_boundary(*at);
    let from = (0..=span.start.saturating_sub(50)).rev().find(boundary).unwrap_or_default();
    let to = (span.end + 30..text.len()).find(boundary).unwrap_or(text.len());
    let line = |piece: &str| piece.replace(['\n', '\r', '\t'], " ");
    format!("{}[{}]{}", line(&text[from..span.start]), line(&text[span.clone()]), line(&text[span.end..to]))
}
