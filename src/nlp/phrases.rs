//! A small set of phrases (triggers, headings) and where they stand in tokens.
//!
//! Phrases meet a text word by word, so that two spaces or the end of a wrapped line between words are no matter. Case and
//! apostrophes are none either; a plural is. In a phrase `#` stands for any number and `####` for a year.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use super::token::{self, Class, Token};

/// Number of a word of some phrase. Below 128 it is an ASCII mark.
pub type Word = u16;

/// A word that no phrase has.
pub const NONE: Word = 0;
/// Any number.
pub const NUMBER: Word = 128;
/// A number from 1900 to 2099.
pub const YEAR: Word = 129;
const FIRST: usize = 256;

/// Bytes of the longest word of a phrase. Longer words are in no phrase.
const LONGEST: usize = 24;
type Key = [u64; LONGEST / 8];

/// Tokens of a phrase, at most.
const MOST: usize = 16;

/// The phrases, each with the numbers that were given with it.
#[derive(Debug, Default)]
pub struct Phrases {
    /// slots of words: a part of the hash, and the number
    slots: Vec<(u16, Word)>,
    /// the bytes of each word
    keys: Vec<Key>,
    /// slots of `node << 16 | word` → node
    edges: Vec<(u64, u32)>,
    /// node of each word that begins a phrase, else 0
    roots: Vec<u32>,
    nodes: Vec<Node>,
    values: Vec<u32>,
    /// words that may stand within a phrase though it does not have them
    fillers: Vec<bool>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Node {
    /// its numbers in `values`
    begin: u32,
    end: u32,
    /// a bit for each word that goes on from here, and perhaps for others
    next: u64,
}

/// A phrase at some tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found<'a> {
    /// the token behind its last
    pub end: usize,
    pub values: &'a [u32],
}

/// Hashes numbers quickly: all lists are read whenever a process opens a lexicon.
#[derive(Default)]
struct Quick(u64);

impl Hasher for Quick {
    fn finish(&self) -> u64 {
        self.0 ^ self.0 >> 32
    }

    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            self.write_u64(chunk.iter().rev().fold(0, |n, &b| n << 8 | u64::from(b)));
        }
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = (self.0.rotate_left(5) ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    fn write_usize(&mut self, number: usize) {
        self.write_u64(number as u64);
    }
}

type Quickly = BuildHasherDefault<Quick>;

/// Gathers phrases.
#[derive(Default)]
pub struct Builder {
    words: HashMap<Key, Word, Quickly>,
    /// `node << 16 | word` → node
    edges: HashMap<u64, u32, Quickly>,
    outputs: Vec<(u32, u32)>,
    fillers: Vec<Word>,
    nodes: u32,
}

impl Builder {
    fn word(&mut self, text: &str, token: &Token) -> Option<Word> {
        match fixed(text, token) {
            Some(NONE) => {}
            Some(word) => return Some(word),
            None => return None,
        }
        self.keyed(key(piece(text, token))?)
    }

    fn keyed(&mut self, key: Key) -> Option<Word> {
        let next = FIRST + self.words.len();
        Some(*self.words.entry(key).or_insert(Word::try_from(next).ok()?))
    }

    fn words(&mut self, phrase: &str) -> Option<Vec<Word>> {
        // most are plain words, which need no cutting into tokens
        if phrase.bytes().all(|b| b.is_ascii_lowercase() || b == b' ') {
            let words: Option<Vec<Word>> = phrase.split(' ').filter(|w| !w.is_empty()).map(|word| self.keyed(key(word)?)).collect();
            return words.filter(|w| !w.is_empty() && w.len() <= MOST);
        }
        let mut tokens = Vec::new();
        token::tokens(phrase, 0, phrase.len(), &mut tokens, |_| token::UNKNOWN);
        let mut words = Vec::new();
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            let hashes = tokens[at..].iter().take_while(|t| t.is_mark(b'#')).count();
            if hashes > 0 {
                words.push(if hashes >= 4 { YEAR } else { NUMBER });
                at += hashes;
                continue;
            }
            words.push(self.word(phrase, token)?);
            at += 1;
        }
        (!words.is_empty() && words.len() <= MOST).then_some(words)
    }

    /// Adds a phrase; it may be there already with other numbers. What cannot be a phrase is left out.
    pub fn add(&mut self, phrase: &str, value: u32) {
        let Some(words) = self.words(phrase) else { return };
        let mut node = 0;
        for word in words {
            let next = self.nodes + 1;
            node = *self.edges.entry(u64::from(node) << 16 | u64::from(word)).or_insert(next);
            self.nodes = self.nodes.max(node);
        }
        self.outputs.push((node, value));
    }

    /// A word that may stand within phrases.
    pub fn filler(&mut self, word: &str) {
        if let Some([word]) = self.words(word).as_deref() {
            self.fillers.push(*word);
        }
    }

    /// The number of a word, which is made known if it was not.
    pub fn known(&mut self, word: &str) -> Option<Word> {
        self.words(word)?.first().copied()
    }

    pub fn finish(mut self) -> Phrases {
        let mut phrases = Phrases::default();
        let words = FIRST + self.words.len();
        phrases.slots = vec![(0, NONE); (self.words.len() * 2).next_power_of_two().max(2)];
        phrases.keys = vec![[0; LONGEST / 8]; self.words.len()];
        let mask = phrases.slots.len() - 1;
        for (key, word) in self.words {
            let hash = hash(&key);
            let mut slot = hash as usize & mask;
            while phrases.slots[slot].1 != NONE {
                slot = (slot + 1) & mask;
            }
            phrases.slots[slot] = ((hash >> 48) as u16, word);
            phrases.keys[word as usize - FIRST] = key;
        }
        phrases.roots = vec![0; words];
        phrases.edges = vec![(0, 0); (self.edges.len() * 2).next_power_of_two().max(2)];
        let mask = phrases.edges.len() - 1;
        phrases.nodes = vec![Node::default(); self.nodes as usize + 1];
        for (key, child) in self.edges {
            phrases.nodes[(key >> 16) as usize].next |= 1 << (key & 63);
            if key >> 16 == 0 {
                phrases.roots[key as usize] = child;
                continue;
            }
            let mut slot = mix(key) as usize & mask;
            while phrases.edges[slot].1 != 0 {
                slot = (slot + 1) & mask;
            }
            phrases.edges[slot] = (key, child);
        }
        self.outputs.sort_by_key(|(node, _)| *node);
        self.outputs.dedup();
        for (node, value) in self.outputs {
            let place = &mut phrases.nodes[node as usize];
            if place.begin == place.end {
                place.begin = phrases.values.len() as u32;
            }
            phrases.values.push(value);
            place.end = phrases.values.len() as u32;
        }
        phrases.fillers = vec![false; words];
        for word in self.fillers {
            phrases.fillers[word as usize] = true;
        }
        phrases
    }
}

impl Phrases {
    /// The number of a token's word.
    #[inline]
    pub fn word(&self, text: &str, token: &Token) -> Word {
        match fixed(text, token) {
            Some(NONE) => {}
            Some(word) => return word,
            None => return NONE,
        }
        let (Some(key), false) = (key(piece(text, token)), self.slots.is_empty()) else { return NONE };
        let hash = hash(&key);
        let mask = self.slots.len() - 1;
        let mut slot = hash as usize & mask;
        // at least half of the slots are empty
        loop {
            let (tag, word) = self.slots[slot];
            if word == NONE || tag == (hash >> 48) as u16 && self.keys[word as usize - FIRST] == key {
                return word;
            }
            slot = (slot + 1) & mask;
        }
    }

    fn child(&self, node: u32, word: Word) -> u32 {
        if self.nodes[node as usize].next >> (word & 63) & 1 == 0 {
            return 0;
        }
        let mask = self.edges.len() - 1;
        let key = u64::from(node) << 16 | u64::from(word);
        let mut slot = mix(key) as usize & mask;
        loop {
            let (known, child) = self.edges[slot];
            if child == 0 || known == key {
                return child;
            }
            slot = (slot + 1) & mask;
        }
    }

    fn step(&self, node: u32, word: Word) -> u32 {
        if word == NONE {
            return 0;
        }
        match self.child(node, word) {
            0 if word == YEAR => self.child(node, NUMBER),
            child => child,
        }
    }

    /// Whether a phrase begins with this word.
    #[inline]
    pub fn begins(&self, word: Word) -> bool {
        self.root(word) != 0
    }

    #[inline]
    fn root(&self, word: Word) -> u32 {
        match self.roots.get(word as usize).copied().unwrap_or(0) {
            0 if word == YEAR => self.roots.get(NUMBER as usize).copied().unwrap_or(0),
            root => root,
        }
    }

    /// The longest phrase that begins at token `at` and ends before `to`. `words` are those of `tokens`.
    pub fn longest_at(&self, tokens: &[Token], words: &[Word], at: usize, to: usize) -> Option<Found<'_>> {
        let mut node = self.root(*words.get(at)?);
        let mut next = at + 1;
        let to = to.min(words.len()).min(tokens.len()).min(at + 3 * MOST);
        let mut longest = None;
        let mut fillers = 0;
        while node != 0 {
            let Node { begin, end, .. } = self.nodes[node as usize];
            if begin < end {
                longest = Some(Found { end: next, values: &self.values[begin as usize..end as usize] });
            }
            loop {
                if next >= to {
                    return longest;
                }
                let child = self.step(node, words[next]);
                if child != 0 {
                    node = child;
                    next += 1;
                    break;
                }
                let token = &tokens[next];
                let joint = token.class == Class::Line
                    || token.is_mark(b'-') && !token.spaced && tokens.get(next + 1).is_some_and(|t| !t.spaced && t.class == Class::Word);
                let filler = fillers < 3 && self.fillers.get(words[next] as usize).copied().unwrap_or(false);
                if !joint && !filler {
                    return longest;
                }
                fillers += usize::from(filler);
                next += 1;
            }
        }
        longest
    }
}

/// The number of what is no word of letters: a mark, a number; `NONE` if it is a word, nothing if it is in no phrase.
#[inline]
fn fixed(text: &str, token: &Token) -> Option<Word> {
    match token.class {
        Class::Word => Some(NONE),
        Class::Number => Some(if is_year(piece(text, token)) { YEAR } else { NUMBER }),
        Class::Mark if token.mark != 0 => Some(Word::from(token.mark & 0x7f)),
        Class::Mark => Some(NONE),
        Class::Line => None,
    }
}

fn is_year(number: &str) -> bool {
    number.len() == 4 && (number.starts_with("19") || number.starts_with("20")) && number.bytes().all(|b| b.is_ascii_digit())
}

#[inline]
fn piece<'t>(text: &'t str, token: &Token) -> &'t str {
    text.get(token.begin as usize..token.end as usize).unwrap_or("")
}

/// The bytes of a word in lower case without apostrophes, with spaces behind, if they are few enough.
#[inline]
fn key(word: &str) -> Option<Key> {
    const SPACES: u64 = 0x2020_2020_2020_2020;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    const APOSTROPHES: u64 = 0x2727_2727_2727_2727;
    const ONES: u64 = 0x0101_0101_0101_0101;
    let mut bytes = [0u8; LONGEST];
    let mut key: Key = [SPACES; LONGEST / 8];
    let mut odd = 0;
    if let Some(place) = bytes.get_mut(..word.len()) {
        place.copy_from_slice(word.as_bytes());
        for (part, chunk) in key.iter_mut().zip(bytes.as_chunks::<8>().0) {
            let plain = u64::from_le_bytes(*chunk);
            let apostrophe = plain ^ APOSTROPHES;
            odd |= plain & HIGH | apostrophe.wrapping_sub(ONES) & !apostrophe & HIGH;
            // letters become lower case, digits stay
            *part |= plain;
        }
    } else {
        odd = 1;
    }
    if odd == 0 { Some(key) } else { spelled(word) }
}

/// The same for words with accents or apostrophes.
#[cold]
fn spelled(word: &str) -> Option<Key> {
    if word.len() > LONGEST * 2 {
        return None;
    }
    let mut bytes = [b' '; LONGEST];
    let mut length = 0;
    for c in word.chars().flat_map(char::to_lowercase).filter(|c| !matches!(c, '\'' | '\u{2019}')) {
        let mut buffer = [0; 4];
        for &byte in c.encode_utf8(&mut buffer).as_bytes() {
            *bytes.get_mut(length)? = if byte.is_ascii() { byte | 0x20 } else { byte };
            length += 1;
        }
    }
    let mut key = [0; LONGEST / 8];
    for (part, chunk) in key.iter_mut().zip(bytes.as_chunks::<8>().0) {
        *part = u64::from_le_bytes(*chunk);
    }
    Some(key)
}

#[inline]
fn hash(key: &Key) -> u64 {
    mix(key.iter().fold(0, |n: u64, &part| (n.rotate_left(5) ^ part).wrapping_mul(0x9e37_79b9_7f4a_7c15)))
}

#[inline]
fn mix(key: u64) -> u64 {
    let key = key.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    key ^ key >> 32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(phrases: &Phrases, text: &str) -> Vec<(String, Vec<u32>)> {
        let mut tokens = Vec::new();
        token::tokens(text, 0, text.len(), &mut tokens, |_| token::UNKNOWN);
        let words: Vec<Word> = tokens.iter().map(|t| phrases.word(text, t)).collect();
        let (mut out, mut at) = (Vec::new(), 0);
        while at < tokens.len() {
            match phrases.longest_at(&tokens, &words, at, tokens.len()) {
                Some(found) => {
                    out.push((text[tokens[at].begin as usize..tokens[found.end - 1].end as usize].to_owned(), found.values.to_vec()));
                    at = found.end;
                }
                None => at += 1,
            }
        }
        out
    }

    #[test]
    fn finds_the_longest() {
        let mut builder = Builder::default();
        for (number, phrase) in ["no", "no evidence of", "s/p", "# years ago", "in ####", "doesn't", "(-)", "kein Anhalt für"].iter().enumerate() {
            builder.add(phrase, number as u32);
        }
        builder.add("no", 90);
        builder.filler("definite");
        let phrases = builder.finish();
        let one = |text: &str| find(&phrases, text).into_iter().map(|(_, v)| v).collect::<Vec<_>>();
        assert_eq!(one("No evidence\n of x"), [vec![1]]);
        assert_eq!(one("NO DEFINITE EVIDENCE OF x, no evidence"), [vec![1], vec![0, 90]]);
        assert_eq!(one("s/p and 17 years ago, in 2010, in 30, in 2010 years ago"), [vec![2], vec![3], vec![4], vec![4]]);
        assert_eq!(one("2010 years ago; doesn’t (-) KEIN Anhalt FÜR"), [vec![3], vec![5], vec![6], vec![7]]);
        assert_eq!(one("nothing, none, noevidence of \u{200b} 👩"), [] as [Vec<u32>; 0]);
    }
}
