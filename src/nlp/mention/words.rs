//! Words that the rules know: heads, body parts, modifiers.

use super::super::lexicon::Image;
use super::super::token::{self, UNKNOWN};

/// A general word that names a condition together with a body part or a cause: injury, dysfunction.
pub const HEAD: u8 = 1;
/// An adjective of a body part or a field: hepatic, cognitive.
pub const SITE: u8 = 2;
/// Belongs to a condition that it stands before: familial.
pub const MODIFIER: u8 = 4;
/// And, or.
pub const CONJUNCTION: u8 = 8;
pub const OF: u8 = 16;
/// The, his, her, left: may stand between "of" and a body part.
pub const ARTICLE: u8 = 32;

/// Is frequent in texts about research.
pub const RESEARCH: u8 = 64;
/// Names a substance by what it does: inhibitor, antagonist.
pub const ROLE: u8 = 128;

/// Words of the grammar.
const GRAMMAR: &[(&str, u8)] = &[
    ("and", CONJUNCTION),
    ("or", CONJUNCTION),
    ("of", OF),
    ("the", ARTICLE),
    ("his", ARTICLE),
    ("her", ARTICLE),
    ("their", ARTICLE),
    ("both", ARTICLE),
    ("left", ARTICLE),
    ("right", ARTICLE),
    ("bilateral", ARTICLE),
];

/// Words by their ids.
#[derive(Debug, Default)]
pub struct Words {
    /// slots of id + 1, flags, and the id of a noun
    slots: Vec<(u32, u8, u32)>,
    pub spelling: super::spelling::Names,
}

impl Words {
    /// Reads the list `words`: word, tab, its classes with spaces between, tab, a noun.
    pub fn new(image: &Image) -> Words {
        let mut known: Vec<(u32, u8, u32)> = Vec::new();
        let mut form = Vec::new();
        let mut id = |word: &str| {
            token::normal(word, &mut form);
            image.word(&form)
        };
        for (word, flags) in GRAMMAR {
            known.push((id(word), *flags, UNKNOWN));
        }
        for line in image.list("words").lines().filter(|l| !l.starts_with('#')) {
            let mut fields = line.split('\t');
            let (Some(word), Some(classes)) = (fields.next(), fields.next()) else { continue };
            let flags = classes.split(' ').fold(0, |flags, class| {
                flags
                    | match class {
                        "head" => HEAD,
                        "site" => SITE,
                        "modifier" => MODIFIER,
                        "research" => RESEARCH,
                        "role" => ROLE,
                        _ => 0,
                    }
            });
            let noun = fields.next().filter(|n| !n.is_empty()).map_or(UNKNOWN, &mut id);
            known.push((id(word), flags, noun));
        }
        known.retain(|(id, _, _)| *id != UNKNOWN);
        let size = (known.len() * 2).next_power_of_two().max(2);
        let mut slots = vec![(0, 0, UNKNOWN); size];
        for (id, flags, noun) in known {
            let mut slot = place(id, size);
            while slots[slot].0 != 0 && slots[slot].0 != id + 1 {
                slot = (slot + 1) & (size - 1);
            }
            slots[slot] = (id + 1, slots[slot].1 | flags, noun);
        }
        Words { slots, spelling: super::spelling::Names::new(image.list("drug-names")) }
    }

    #[inline]
    fn get(&self, id: u32) -> Option<(u8, u32)> {
        let size = self.slots.len();
        if id == UNKNOWN || size == 0 {
            return None;
        }
        let mut slot = place(id, size);
        while let Some(&(known, flags, noun)) = self.slots.get(slot)
            && known != 0
        {
            if known == id + 1 {
                return Some((flags, noun));
            }
            slot = (slot + 1) & (size - 1);
        }
        None
    }

    /// The classes of a word.
    #[inline]
    pub fn flags(&self, id: u32) -> u8 {
        self.get(id).map_or(0, |(flags, _)| flags)
    }

    /// The noun of an adjective: liver of hepatic.
    pub fn noun(&self, id: u32) -> Option<u32> {
        self.get(id).map(|(_, noun)| noun).filter(|noun| *noun != UNKNOWN)
    }
}

fn place(id: u32, size: usize) -> usize {
    (id.wrapping_mul(0x9e37_79b9) >> 7) as usize & (size - 1)
}
