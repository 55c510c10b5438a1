//! Lines of a file, one at a time.

use super::FormatError;
use std::io::BufRead;

/// Longer lines are refused.
const MAX_LINE: u64 = 1 << 20;

pub struct Lines<R> {
    input: R,
    number: u64,
    bytes: Vec<u8>,
}

impl<R: BufRead> Lines<R> {
    pub fn new(input: R) -> Lines<R> {
        Lines { input, number: 0, bytes: Vec::new() }
    }

    /// The next line, without its end, and its number from 1; none behind the last.
    pub fn next_line(&mut self) -> Result<Option<(u64, &str)>, FormatError> {
        self.bytes.clear();
        let mut limited = std::io::Read::take(&mut self.input, MAX_LINE);
        if limited.read_until(b'\n', &mut self.bytes)? == 0 {
            return Ok(None);
        }
        self.number += 1;
        if self.bytes.len() as u64 == MAX_LINE {
            return Err(FormatError::at(self.number, format!("it is longer than {MAX_LINE} bytes")));
        }
        let text = std::str::from_utf8(&self.bytes).map_err(|_| FormatError::at(self.number, "it is not UTF-8"))?;
        let text = text.trim_end_matches(['\n', '\r']);
        Ok(Some((self.number, if self.number == 1 { text.trim_start_matches('\u{FEFF}') } else { text })))
    }
}
