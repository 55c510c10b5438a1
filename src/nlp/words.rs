//! Tables of words that are part of the program: looked up by a token's letters, whatever their case, without an allocation.

/// Words → what they mean. A word of more than [`LONGEST`] bytes is in no table.
pub struct Words<V> {
    /// `number of the entry + 1`; 0 is an empty slot
    slots: Vec<u16>,
    entries: Vec<(Box<str>, V)>,
    /// for each first letter the lengths that there are: most words of a text are in no table
    lengths: [u64; 32],
}

/// Longest word of a table in bytes.
pub const LONGEST: usize = 32;

impl<V> Default for Words<V> {
    fn default() -> Self {
        Words { slots: vec![0; 2], entries: Vec::new(), lengths: [0; 32] }
    }
}

impl<V> Words<V> {
    /// Finds a word, whatever its case.
    #[inline]
    pub fn get(&self, word: &str) -> Option<&V> {
        self.at(self.place(word))
    }

    /// What [`Words::place`] found.
    #[inline]
    pub fn at(&self, place: u16) -> Option<&V> {
        self.entries.get(usize::from(place).checked_sub(1)?).map(|(_, value)| value)
    }

    /// The place of a word, whatever its case; 0 if it is in no place.
    pub fn place(&self, word: &str) -> u16 {
        self.find(word).unwrap_or(0)
    }

    #[inline]
    fn find(&self, word: &str) -> Option<u16> {
        let first = *word.as_bytes().first()?;
        if word.len() > LONGEST || self.lengths[first as usize & 31] & 1 << word.len() == 0 {
            return None;
        }
        let mask = self.slots.len() - 1;
        let mut slot = hash(word) as usize & mask;
        loop {
            let number = *self.slots.get(slot)?;
            let (known, _) = self.entries.get(usize::from(number).checked_sub(1)?)?;
            if known.eq_ignore_ascii_case(word) {
                return Some(number);
            }
            slot = (slot + 1) & mask;
        }
    }

    /// The value of a word, which `make` makes if there is none. Words that are too long, and those after 60,000, are left out.
    pub fn entry(&mut self, word: &str, make: impl FnOnce() -> V) -> Option<&mut V> {
        let first = *word.as_bytes().first()?;
        if word.len() > LONGEST || self.entries.len() > 60_000 {
            return None;
        }
        self.lengths[first as usize & 31] |= 1 << word.len();
        if (self.entries.len() + 1) * 2 > self.slots.len() {
            self.slots = vec![0; (self.slots.len() * 4).max(64)];
            for number in 0..self.entries.len() {
                let slot = self.free(&self.entries[number].0);
                self.slots[slot] = number as u16 + 1;
            }
        }
        let mask = self.slots.len() - 1;
        let mut slot = hash(word) as usize & mask;
        while self.slots[slot] != 0 {
            let number = self.slots[slot] as usize - 1;
            if self.entries[number].0.eq_ignore_ascii_case(word) {
                return self.entries.get_mut(number).map(|(_, value)| value);
            }
            slot = (slot + 1) & mask;
        }
        self.entries.push((word.into(), make()));
        self.slots[slot] = self.entries.len() as u16;
        self.entries.last_mut().map(|(_, value)| value)
    }

    fn free(&self, word: &str) -> usize {
        let mask = self.slots.len() - 1;
        let mut slot = hash(word) as usize & mask;
        while self.slots[slot] != 0 {
            slot = (slot + 1) & mask;
        }
        slot
    }
}

impl<V: Copy> FromIterator<(&'static str, V)> for Words<V> {
    fn from_iter<T: IntoIterator<Item = (&'static str, V)>>(entries: T) -> Self {
        let mut words = Words::default();
        for (word, value) in entries {
            if let Some(known) = words.entry(word, || value) {
                *known = value;
            }
        }
        words
    }
}

/// A hash of a word in small letters. Letters differ in one bit alone; other characters may meet, which costs a comparison.
#[inline]
fn hash(word: &str) -> u64 {
    let (eights, rest) = word.as_bytes().as_chunks::<8>();
    let mut hash = eights.iter().fold(0, |hash, eight| mix(hash, u64::from_le_bytes(*eight)));
    if !rest.is_empty() {
        hash = mix(hash, rest.iter().fold(0, |all, byte| all << 8 | u64::from(*byte)));
    }
    hash ^ (hash >> 32)
}

#[inline]
fn mix(hash: u64, letters: u64) -> u64 {
    (hash.rotate_left(23) ^ (letters | 0x2020_2020_2020_2020)).wrapping_mul(0x517c_c1b7_2722_0a95)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_words() {
        let mut words = Words::default();
        for number in 0..5_000u32 {
            words.entry(&format!("w{number}"), || number);
        }
        for number in 0..5_000u32 {
            assert_eq!(words.get(&format!("W{number}")), Some(&number));
        }
        assert_eq!(words.get("w5000"), None);
        assert_eq!(words.get(""), None);
        assert_eq!(words.get(&"x".repeat(99)), None);
        let empty: Words<u8> = Words::default();
        assert_eq!(empty.get("x"), None);
    }
}
