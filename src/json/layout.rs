//! The bytes of a `jsonb` container, as `utils/jsonb.h` fixes them.
//!
//! ```text
//! container = header, one entry per slot, data          all words are native-endian u32
//! header    = count | what it is                        an array has `count` slots, an object 2 × count: keys, then values
//! entry     = type | HAS_OFF? | length, or with HAS_OFF the end offset within data
//! data      = what the entries describe, in order; numbers and containers start on a multiple of four,
//!             and the padding before one counts into its length
//! ```

use super::error::{JsonError, LIMIT_EXCEEDED};

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
const OFFSET_STRIDE: u32 = 32;

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

/// A container while its slots are being written.
#[derive(Clone, Copy)]
pub struct Open {
    /// Before the padding: the padding counts into the length.
    base: usize,
    entries: usize,
    slot: u32,
    total: u32,
}

impl Open {
    /// Writes the header and leaves room for the entries.
    pub fn begin(out: &mut Vec<u8>, header: u32, slots: u32) -> Open {
        let base = out.len();
        pad(out);
        out.extend_from_slice(&header.to_ne_bytes());
        let entries = out.len();
        out.resize(entries + 4 * slots as usize, 0);
        Open { base, entries, slot: 0, total: 0 }
    }

    /// Fills the next entry: `kind` with the `length` bytes that were just written, padding included.
    #[inline]
    pub fn entry(&mut self, out: &mut [u8], kind: u32, length: usize) -> Result<(), JsonError> {
        let total = self.total as usize + length;
        if total > LENGTH_MASK as usize {
            return Err(too_large());
        }
        self.total = total as u32;
        let field = if self.slot.is_multiple_of(OFFSET_STRIDE) { HAS_OFFSET | self.total } else { length as u32 };
        let at = self.entries + 4 * self.slot as usize;
        if let Some(entry) = out.get_mut(at..at + 4) {
            entry.copy_from_slice(&(kind | field).to_ne_bytes());
        }
        self.slot += 1;
        Ok(())
    }

    /// The length of the whole container, for the entry in its parent.
    pub fn end(self, out: &[u8]) -> Result<usize, JsonError> {
        let length = out.len() - self.base;
        if length > LENGTH_MASK as usize { Err(too_large()) } else { Ok(length) }
    }
}

fn too_large() -> JsonError {
    let message = format!("total size of jsonb elements exceeds the maximum of {LENGTH_MASK} bytes");
    JsonError::new(LIMIT_EXCEEDED, 0, message)
}
