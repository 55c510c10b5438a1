//! The index as a whole: what is found through keys is what matches.

mod agreement;
mod between;
mod corpus;
mod extraction;
mod format;
mod hostile;
mod measures;
mod modifiers;
mod posting;
mod precision;
mod queries;
mod size;
mod spec;

use super::{Keys, Query, stamp};
use crate::json::{self, Limits};

/// The keys of a resource given as text.
pub fn keys_of(text: &str) -> Vec<u8> {
    let bytes = json::parse(text.as_bytes(), &Limits::default()).unwrap_or_else(|e| panic!("{e:?}: {text}"));
    stamp(json::root(&bytes).unwrap()).keys
}

fn parse(query: &str) -> Query {
    Query::parse(query).unwrap_or_else(|e| panic!("{query}: {e:?}"))
}

/// A stream of numbers that only depends on its seed.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        if n == 0 { 0 } else { (self.next() % n as u64) as usize }
    }

    fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len())]
    }
}
