//! What the steps know of a word by itself. It is looked up once for each token, and kept for when the word comes again: notes say much
//! in few words.

use std::sync::Mutex;

use super::lexicon::Lexicon;
use super::phrases::Word;
use super::token::{self, Case, Class, LONGEST, Token, UNKNOWN};
use super::{attribute, medication, mention, phi, result, social, time};

/// What the steps know of a word. A number of 0 is nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// its number in the phrases of context
    pub context: Word,
    /// its number in the headings
    pub heading: Word,
    /// its place among the words of prescriptions
    pub sense: u16,
    /// its place among the first words of tests
    pub test: u16,
    /// its cue of the times
    pub time: u8,
    /// its cue of what identifies persons
    pub phi: u8,
    /// its cue of habits and circumstances
    pub social: u8,
    /// bits of [`mention::Words`](super::mention::Words)
    pub flags: u8,
    /// bits of this module
    pub bits: u8,
}

/// A term of the lexicon may begin with it.
pub const BEGINS_TERM: u8 = 1;
/// An attribute of a condition or a body part may begin with it.
pub const MODIFIES: u8 = 2;
/// It may stand before a test and tell its result.
pub const RESULT: u8 = 4;
/// It is an English word that is also an acronym or a name.
pub const ENGLISH: u8 = 8;
/// It is written small and is no word of the lexicon, and the name of a drug is one change from it.
pub const NEAR_DRUG: u8 = 16;
/// Letters with digits.
pub const DIGITS: u8 = 32;

impl Known {
    pub fn has(self, bits: u8) -> bool {
        self.bits & bits != 0
    }
}

/// What is read of a token by its letters.
#[derive(Clone, Copy, Debug)]
pub struct Reading {
    pub case: Case,
    pub id: u32,
    pub known: Known,
}

impl Reading {
    pub const NOTHING: Reading =
        Reading { case: Case::Lower, id: UNKNOWN, known: Known { context: 0, heading: 0, sense: 0, test: 0, time: 0, phi: 0, social: 0, flags: 0, bits: 0 } };
}

/// The letters of a word, with zeros behind.
type Key = [u64; 3];

/// Words that are kept, each in one of two places that its letters have: what comes later takes the place of the older.
const PLACES: usize = 1 << BITS;
const BITS: u32 = 13;

/// Words that were read, the newer of two first.
#[derive(Debug, Default)]
pub struct Memory(Mutex<Vec<[(Key, Reading); 2]>>);

impl Lexicon {
    /// Cuts `text[from..to]` into tokens with all that is known of them.
    pub fn tokens(&self, text: &str, from: usize, to: usize, out: &mut Vec<Token>) {
        let mut form = Vec::with_capacity(LONGEST * 2);
        let Ok(mut memory) = self.memory.0.try_lock() else {
            // another thread has it
            return token::cut(text, from, to, out, |begin, end, class| self.read(&text[begin..end], class, &mut form));
        };
        memory.resize(PLACES / 2, [([0; 3], Reading::NOTHING); 2]);
        token::cut(text, from, to, out, |begin, end, class| {
            let place = key(text.as_bytes(), begin, end).and_then(|key| Some((key, memory.get_mut(place(key))?)));
            match place {
                Some((key, [(known, reading), _] | [_, (known, reading)])) if *known == key => *reading,
                Some((key, [new, old])) => {
                    *old = *new;
                    *new = (key, self.read(&text[begin..end], class, &mut form));
                    new.1
                }
                None => self.read(&text[begin..end], class, &mut form),
            }
        });
    }

    /// Looks a token up in all tables.
    #[cold]
    fn read(&self, piece: &str, class: Class, form: &mut Vec<u8>) -> Reading {
        let (case, id) = token::looked_up(piece, class, form, |form| if form.is_empty() { UNKNOWN } else { self.image.word(form) });
        let mark = if class == Class::Mark { token::mark_of(piece) } else { 0 };
        let token = Token { begin: 0, end: piece.len() as u32, class, case, mark, spaced: false, id, known: Known::default() };
        let mut known = Known {
            context: self.rules.phrases.word(piece, &token),
            heading: self.headings.phrases.word(piece, &token),
            flags: self.words.flags(id),
            bits: if id != UNKNOWN && self.image.root(id) != 0 { BEGINS_TERM } else { 0 },
            ..Known::default()
        };
        if class == Class::Word {
            known.sense = medication::place(piece);
            known.test = self.tests.place(piece);
            known.time = time::cue_of(piece, &token);
            known.phi = phi::cue_of(piece, &token);
            known.social = social::cue_of(piece, &token);
            known.bits |= if mention::is_english(piece) { ENGLISH } else { 0 }
                | if id == UNKNOWN && case == Case::Lower && self.words.spelling.is_near(piece, form) { NEAR_DRUG } else { 0 }
                | if piece.bytes().any(|b| b.is_ascii_digit()) { DIGITS } else { 0 };
            known.bits |= if attribute::may_begin(piece) { MODIFIES } else { 0 } | if result::is_said_before(piece) { RESULT } else { 0 };
        }
        Reading { case, id, known }
    }
}

/// Bytes of a key.
const LENGTH: usize = size_of::<Key>();

/// For each length the bytes that count.
static MASKS: [Key; LENGTH + 1] = {
    let mut masks = [[0; 3]; LENGTH + 1];
    let mut length = 0;
    while length <= LENGTH {
        let mut byte = 0;
        while byte < length {
            masks[length][byte / 8] |= 0xff << (byte % 8 * 8);
            byte += 1;
        }
        length += 1;
    }
    masks
};

/// The letters of `bytes[begin..end]`; nothing for what is longer than a key.
#[inline]
fn key(bytes: &[u8], begin: usize, end: usize) -> Option<Key> {
    let length = end - begin;
    let mut key = [0; 3];
    if length > LENGTH || bytes.get(begin).is_none_or(|first| *first == 0) {
        return None;
    }
    if let Some(all) = bytes.get(begin..begin + LENGTH) {
        let masks = MASKS.get(length)?;
        for ((part, eight), mask) in key.iter_mut().zip(all.as_chunks::<8>().0).zip(masks) {
            *part = u64::from_le_bytes(*eight) & mask;
        }
    } else {
        let mut letters = [0; LENGTH];
        letters.get_mut(..length)?.copy_from_slice(bytes.get(begin..end)?);
        for (part, eight) in key.iter_mut().zip(letters.as_chunks::<8>().0) {
            *part = u64::from_le_bytes(*eight);
        }
    }
    Some(key)
}

#[inline]
fn place([a, b, c]: Key) -> usize {
    let mixed = a ^ b.wrapping_mul(0xff51_afd7_ed55_8ccd) ^ c.wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    (mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (65 - BITS)) as usize
}

#[cfg(test)]
mod tests {
    use crate::nlp::testing::{LEXICON, soups};

    #[test]
    fn a_word_is_the_same_from_memory() {
        let words = ["fever", "Fever", "q6h", "10", "2010", "left", "elevated", "o'clock", "naïve", "-", "–", "hydrochlorothiazide-like", "electroencephalographically", "\0", "\n", "x"];
        soups(&words, |text| {
            let (mut first, mut again, mut alone) = (Vec::new(), Vec::new(), Vec::new());
            LEXICON.tokens(text, 0, text.len(), &mut first);
            LEXICON.tokens(text, 0, text.len(), &mut again);
            // while the memory is taken nothing is kept
            let _taken = LEXICON.memory.0.try_lock();
            LEXICON.tokens(text, 0, text.len(), &mut alone);
            assert_eq!(first, again);
            assert_eq!(first, alone);
        });
    }
}
