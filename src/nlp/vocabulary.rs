//! A small fixed set of words with what they mean, looked up by their letters whatever their case.
//!
//! For words that a site hardly ever changes: months, units, titles. What it may want to extend is a list of the lexicon.

use super::token::{Class, Token};

/// Words of up to 16 ASCII characters.
pub struct Vocabulary<T> {
    slots: Box<[(u128, Option<T>)]>,
    /// a bit for each key among 64 a word or more: most words are in no set, and this says so at once and stays in the cache
    filter: Box<[u32]>,
    shift: u32,
}

/// Sets the bit that tells capitals from small letters in each byte; digits and the apostrophe have it set.
const SMALL: u128 = 0x2020_2020_2020_2020_2020_2020_2020_2020;

/// The letters of a word as a number; 0 for what is no word or is longer than 16 bytes.
#[inline]
pub fn key(text: &str, token: &Token) -> u128 {
    let (begin, length) = (token.begin as usize, (token.end - token.begin) as usize);
    if token.class != Class::Word || length > 16 || length == 0 {
        return 0;
    }
    let bytes = text.as_bytes();
    let letters = match bytes.get(begin..begin + 16).and_then(|b| b.try_into().ok()) {
        Some(all) => u128::from_le_bytes(all),
        None => return bytes.get(begin..begin + length).map_or(0, key_of),
    };
    let mask = u128::MAX >> (128 - 8 * length);
    (letters | SMALL) & mask
}

/// The same for a word by itself, of at most 16 bytes.
pub fn key_of(word: &[u8]) -> u128 {
    let mut letters = [0; 16];
    for (to, from) in letters.iter_mut().zip(word) {
        *to = from | 0x20;
    }
    u128::from_le_bytes(letters)
}

#[inline]
fn hash(key: u128) -> u64 {
    let mixed = (key as u64) ^ ((key >> 64) as u64).wrapping_mul(0xff51_afd7_ed55_8ccd);
    mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

impl<T: Copy> Vocabulary<T> {
    /// Of words that stand in no order; of one that is there twice the first counts.
    pub fn new(words: impl IntoIterator<Item = (&'static str, T)>) -> Vocabulary<T> {
        let words: Vec<(&str, T)> = words.into_iter().collect();
        let size = (words.len().max(4) * 2).next_power_of_two();
        let shift = 64 - size.trailing_zeros();
        let mut slots = vec![(0, None); size].into_boxed_slice();
        let mut filter = vec![0; size].into_boxed_slice();
        for (word, meaning) in words {
            let key = key_of(word.as_bytes());
            let hash = hash(key);
            let mut at = (hash >> shift) as usize;
            while slots[at].1.is_some() && slots[at].0 != key {
                at = (at + 1) & (size - 1);
            }
            if slots[at].1.is_none() {
                slots[at] = (key, Some(meaning));
                filter[(hash >> shift) as usize] |= 1 << ((hash >> 20) & 31);
            }
        }
        Vocabulary { slots, filter, shift }
    }

    /// What the word means that has this key.
    #[inline]
    pub fn get(&self, key: u128) -> Option<T> {
        if key == 0 {
            return None;
        }
        let hash = hash(key);
        let mut at = (hash >> self.shift) as usize;
        if self.filter.get(at)? & (1 << ((hash >> 20) & 31)) == 0 {
            return None;
        }
        loop {
            match self.slots.get(at)? {
                (_, None) => return None,
                (there, meaning) if *there == key => return *meaning,
                _ => at = (at + 1) & (self.slots.len() - 1),
            }
        }
    }

    /// What a token means.
    #[inline]
    pub fn of(&self, text: &str, token: &Token) -> Option<T> {
        self.get(key(text, token))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nlp::token::{UNKNOWN, tokens};

    #[test]
    fn finds_its_words_and_no_others() {
        let all = Vocabulary::new([("march", 3), ("may", 5), ("electronically", 7), ("abcdefghijklmnop", 9)]);
        let text = "MAY march Mayo abcdefghijklmnopq ABCDEFGHIJKLMNOP électronically électro 5 , Electronically may";
        let mut out = Vec::new();
        tokens(text, 0, text.len(), &mut out, |_| UNKNOWN);
        let found: Vec<Option<i32>> = out.iter().map(|t| all.of(text, t)).collect();
        assert_eq!(found, [Some(5), Some(3), None, None, Some(9), None, None, None, None, Some(7), Some(5)]);
    }
}
