//! How much work a document may cause.

use std::cell::Cell;

/// Why reading ends early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    Limit,
    Interrupted,
}

// Tests have less, as they are not optimised.

/// Bytes that all streams may have when they are unpacked.
const UNPACKED: usize = if cfg!(test) { 16 << 20 } else { 128 << 20 };
/// Bytes that are looked at, beside some times those of the file.
const WORK: usize = if cfg!(test) { 24 << 20 } else { 192 << 20 };
/// Entries of the character maps of all fonts.
const ENTRIES: usize = if cfg!(test) { 200_000 } else { 1_000_000 };
/// Work between two questions whether to go on.
const QUESTION: usize = 1 << 20;

pub struct Budget<'i> {
    unpacked: Cell<usize>,
    work: Cell<usize>,
    asked: Cell<usize>,
    entries: Cell<usize>,
    interrupted: &'i dyn Fn() -> bool,
}

impl<'i> Budget<'i> {
    pub fn new(file: usize, interrupted: &'i dyn Fn() -> bool) -> Budget<'i> {
        let work = WORK + 4 * file;
        Budget { unpacked: Cell::new(UNPACKED), work: Cell::new(work), asked: Cell::new(work), entries: Cell::new(ENTRIES), interrupted }
    }

    /// Takes work; asks now and then whether to go on.
    pub fn work(&self, bytes: usize) -> Result<(), Stop> {
        let left = self.work.get().checked_sub(bytes).ok_or(Stop::Limit)?;
        self.work.set(left);
        if self.asked.get() - left >= QUESTION {
            self.asked.set(left);
            if (self.interrupted)() {
                return Err(Stop::Interrupted);
            }
        }
        Ok(())
    }

    /// Takes bytes of an unpacked stream.
    pub fn unpack(&self, bytes: usize) -> Result<(), Stop> {
        self.unpacked.set(self.unpacked.get().checked_sub(bytes).ok_or(Stop::Limit)?);
        self.work(bytes)
    }

    /// Takes an entry of a character map.
    pub fn entry(&self) -> Result<(), Stop> {
        self.entries.set(self.entries.get().checked_sub(1).ok_or(Stop::Limit)?);
        Ok(())
    }
}
