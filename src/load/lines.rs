//! Lines of bounded length from a stream of any.

use std::io::{self, BufRead};

/// The longest line that is read. A resource may hold attachments, but a datum may not pass 1 GB and a batch is in memory.
pub const MAX_LINE: usize = 64 * 1024 * 1024;

/// Reads a stream line by line.
pub struct Lines<R> {
    source: R,
    max: usize,
    buffer: Vec<u8>,
    number: u64,
    offset: u64,
}

/// Where a line stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// From 1.
    pub number: u64,
    /// Bytes before it.
    pub offset: u64,
}

#[derive(Debug, PartialEq, Eq)]
pub enum Line<'a> {
    Text(&'a [u8]),
    /// Its beginning; the rest was skipped.
    TooLong(&'a [u8]),
}

impl<R: BufRead> Lines<R> {
    pub fn new(source: R, max: usize) -> Lines<R> {
        Lines { source, max, buffer: Vec::new(), number: 0, offset: 0 }
    }

    /// The next line that is not blank, without its end.
    pub fn next_line(&mut self) -> io::Result<Option<(Place, Line<'_>)>> {
        loop {
            let place = Place { number: self.number + 1, offset: self.offset };
            self.buffer.clear();
            let (mut read_any, mut too_long) = (false, false);
            loop {
                let chunk = match self.source.fill_buf() {
                    Ok(chunk) => chunk,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                    Err(error) => return Err(error),
                };
                if chunk.is_empty() {
                    break;
                }
                read_any = true;
                let end = chunk.iter().position(|byte| *byte == b'\n');
                let taken = end.unwrap_or(chunk.len());
                let room = self.max - self.buffer.len();
                too_long |= taken > room;
                self.buffer.try_reserve(taken.min(room)).map_err(|_| io::Error::from(io::ErrorKind::OutOfMemory))?;
                self.buffer.extend_from_slice(&chunk[..taken.min(room)]);
                let consumed = taken + usize::from(end.is_some());
                self.source.consume(consumed);
                self.offset += consumed as u64;
                if end.is_some() {
                    break;
                }
            }
            if !read_any {
                return Ok(None);
            }
            self.number += 1;
            if !too_long && self.trimmed().is_empty() {
                continue;
            }
            let line = if too_long { Line::TooLong(&self.buffer) } else { Line::Text(self.trimmed()) };
            return Ok(Some((place, line)));
        }
    }

    /// Without the byte order mark of a first line and without white space around.
    fn trimmed(&self) -> &[u8] {
        let text = if self.number == 1 { self.buffer.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&self.buffer) } else { &self.buffer };
        text.trim_ascii()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &[u8], max: usize) -> Vec<(u64, u64, String)> {
        // A buffer of three bytes puts every boundary everywhere.
        let mut lines = Lines::new(std::io::BufReader::with_capacity(3, text), max);
        let mut found = Vec::new();
        while let Some((place, line)) = lines.next_line().unwrap() {
            let text = match line {
                Line::Text(text) => String::from_utf8_lossy(text).into_owned(),
                Line::TooLong(text) => format!("{}…", String::from_utf8_lossy(text)),
            };
            found.push((place.number, place.offset, text));
        }
        found
    }

    #[test]
    fn lines_know_their_number_and_their_byte() {
        let found = all(b"\xEF\xBB\xBFone\r\n\n  \ntwo\nthree", 100);
        assert_eq!(found, [(1, 0, "one".into()), (4, 12, "two".into()), (5, 16, "three".into())]);
    }

    #[test]
    fn a_line_beyond_the_bound_is_skipped_and_the_next_is_read() {
        assert_eq!(all(b"12345\n123456789\n12", 5), [(1, 0, "12345".into()), (2, 6, "12345…".into()), (3, 16, "12".into())]);
    }
}
