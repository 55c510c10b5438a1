//! The bytes of a `jsonb` container, as `utils/jsonb.h` fixes them.
//!
//! ```text
//! container = header, one entry per slot, data          all words are native-endian u32
//! header    = count | what it is                        an array has `count` slots, an object 2 × count: keys, then values
//! entry     = type | HAS_OFF? | length, or with HAS_OFF the end offset within data
//! data      = what the entries describe, in order; numbers and containers start on a multiple of four,
//!             and the padding before one counts into its length
//! ```

use super::error::{Fallible, JsonError, LIMIT_EXCEEDED};

pub const COUNT_MASK: u32 = 0x0FFF_FFFF;
pub const SCALAR: u32 = 0x1000_0000;
pub const OBJECT: u32 = 0x2000_0000;
pub const ARRAY: u32 = 0x4000_0000;

/// Length or end offset of an entry; also the largest size of anything in a container.
pub const LENGTH_MASK: u32 = 0x0FFF_FFFF;
pub const TYPE_MASK: u32 = 0x7000_0000;
pub const HAS_OFFSET: u32 = 0x8000_0000;
pub const STRING: u32 = 0x0000_0000;
pub const NUMBER: u32 = 0x1000_0000;
pub const FALSE: u32 = 0x2000_0000;
pub const TRUE: u32 = 0x3000_0000;
pub const NULL: u32 = 0x4000_0000;
pub const CONTAINER: u32 = 0x5000_0000;

/// Every 32nd entry stores an offset, so that a slot is found in bounded steps while the others compress well.
pub const OFFSET_STRIDE: u32 = 32;

/// The word at `at`, if the slice reaches that far.
#[inline]
pub fn word(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..).and_then(|rest| rest.first_chunk()).map(|word| u32::from_ne_bytes(*word))
}

/// `at` rounded up to the alignment of numbers and containers.
#[inline]
pub fn aligned(at: usize) -> usize {
    (at + 3) & !3
}

/// Pads the buffer to the alignment. The buffer must begin with a container.
#[inline]
pub fn pad(out: &mut Vec<u8>) {
    let padding = aligned(out.len()) - out.len();
    out.extend_from_slice(&[0; 3][..padding]);
}

/// The length word of an uncompressed datum of `length` bytes, the word included.
#[inline]
pub fn length_word(length: u32) -> u32 {
    if cfg!(target_endian = "big") { length & 0x3FFF_FFFF } else { length << 2 }
}

/// The length that such a word states, the word included; `None` for any other kind of datum.
#[inline]
pub fn stated_length(word: u32) -> Option<usize> {
    if cfg!(target_endian = "big") {
        (word & 0xC000_0000 == 0).then_some(word as usize)
    } else {
        (word & 3 == 0).then_some((word >> 2) as usize)
    }
}

/// The entries of a container, one after the other.
#[derive(Clone, Copy, Default)]
pub struct Entries {
    slot: u32,
    total: usize,
}

impl Entries {
    /// The next entry: `kind` with `length` bytes of data, padding included. Holds only if [`Entries::end`] agrees.
    #[inline]
    pub fn add(&mut self, kind: u32, length: usize) -> u32 {
        self.total = self.total.saturating_add(length);
        let field =
            if self.slot.is_multiple_of(OFFSET_STRIDE) { HAS_OFFSET | self.total as u32 } else { length as u32 };
        self.slot += 1;
        kind | field
    }

    /// The data so far.
    #[inline]
    pub fn total(&self) -> usize {
        self.total
    }

    /// The length of the whole container, unless that is too large.
    #[inline]
    pub fn end(&self) -> Fallible<u32> {
        let length = self.total.saturating_add(4 + 4 * self.slot as usize);
        if length > LENGTH_MASK as usize { Err(too_large()) } else { Ok(length as u32) }
    }
}

#[cold]
fn too_large() -> Box<JsonError> {
    let message = format!("total size of jsonb elements exceeds the maximum of {LENGTH_MASK} bytes");
    JsonError::new(LIMIT_EXCEEDED, 0, message)
}
