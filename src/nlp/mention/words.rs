//! Words that the rules know: heads, body parts, modifiers.

use super::super::lexicon::Image;
use super::super::token::UNKNOWN;

/// A general word that names a condition together with a body part or a cause: injury, dysfunction.
pub const HEAD: u8 = 1;
/// An adjective of a body part: hepatic.
pub const SITE: u8 = 2;
/// Belongs to a condition that it stands before: acute.
pub const MODIFIER: u8 = 4;

/// Words by their ids.
#[derive(Debug, Default)]
pub struct Words {
    /// slots of id + 1 and flags
    slots: Vec<(u32, u8)>,
    pub spelling: super::spelling::Names,
}

impl Words {
    /// Reads the list `words`: word, tab, its classes with spaces between.
    pub fn new(image: &Image) -> Words {
        let list = image.list("words");
        let mut known: Vec<(u32, u8)> = Vec::new();
        let mut form = Vec::new();
        for line in list.lines().filter(|l| !l.starts_with('#')) {
            let Some((word, classes)) = line.split_once('\t') else { continue };
            super::super::token::normal(word, &mut form);
            let id = image.word(&form);
            if id == UNKNOWN {
                continue;
            }
            let flags = classes.split(' ').fold(0, |flags, class| {
                flags
                    | match class {
                        "head" => HEAD,
                        "site" => SITE,
                        "modifier" => MODIFIER,
                        _ => 0,
                    }
            });
            known.push((id, flags));
        }
        let size = (known.len() * 2).next_power_of_two().max(2);
        let mut slots = vec![(0, 0); size];
        for (id, flags) in known {
            let mut slot = place(id, size);
            while slots[slot].0 != 0 && slots[slot].0 != id + 1 {
                slot = (slot + 1) & (size - 1);
            }
            slots[slot] = (id + 1, slots[slot].1 | flags);
        }
        Words { slots, spelling: super::spelling::Names::new(image.list("drug-names")) }
    }

    /// The classes of a word.
    #[inline]
    pub fn flags(&self, id: u32) -> u8 {
        if id == UNKNOWN {
            return 0;
        }
        let size = self.slots.len();
        let mut slot = place(id, size);
        while let Some(&(known, flags)) = self.slots.get(slot)
            && known != 0
        {
            if known == id + 1 {
                return flags;
            }
            slot = (slot + 1) & (size - 1);
        }
        0
    }
}

fn place(id: u32, size: usize) -> usize {
    (id.wrapping_mul(0x9e37_79b9) >> 7) as usize & (size - 1)
}
