//! Blocks of whole lines from a stream, so that a thread can take many lines at once and memory stays bounded.

use std::io::{self, Read};
use std::sync::atomic::{AtomicBool, Ordering};

/// Bytes that are read before a block is cut behind its last whole line.
const BLOCK: usize = 256 * 1024;

/// Bytes of a line beyond the bound that are kept.
const KEPT: usize = 16 * 1024;

/// Some lines.
#[derive(Debug, PartialEq, Eq)]
pub struct Block {
    /// Bytes of the stream before it.
    pub offset: u64,
    pub bytes: Vec<u8>,
    /// It is the beginning of one line that is longer than the bound; the rest was skipped.
    pub is_cut: bool,
    /// Bytes of the stream it stands for, with the ends of its lines.
    pub length: u64,
}

/// Cuts a stream.
pub struct Blocks<R> {
    source: R,
    max_line: usize,
    /// What was read behind the last whole line.
    rest: Vec<u8>,
    offset: u64,
}

impl<R: Read> Blocks<R> {
    pub fn new(source: R, max_line: usize) -> Blocks<R> {
        Blocks { source, max_line, rest: Vec::new(), offset: 0 }
    }

    /// The next block; none at the end of the stream. An error of kind `Interrupted` where `stop` was set meanwhile.
    pub fn next_block(&mut self, stop: &AtomicBool) -> io::Result<Option<Block>> {
        let mut bytes = std::mem::take(&mut self.rest);
        loop {
            let ended = !self.fill(&mut bytes, stop)?;
            if let Some(end) = memchr::memrchr(b'\n', &bytes) {
                self.rest = bytes.split_off(end + 1);
                return Ok(Some(self.whole(bytes)));
            }
            if bytes.len() > self.max_line {
                let length = bytes.len() as u64 + if ended { 0 } else { self.skip_line(stop)? };
                bytes.truncate(KEPT.min(self.max_line));
                bytes.shrink_to_fit();
                return Ok(Some(self.block(bytes, true, length)));
            }
            if ended {
                return Ok((!bytes.is_empty()).then(|| self.whole(bytes)));
            }
        }
    }

    fn whole(&mut self, bytes: Vec<u8>) -> Block {
        let length = bytes.len() as u64;
        self.block(bytes, false, length)
    }

    fn block(&mut self, bytes: Vec<u8>, is_cut: bool, length: u64) -> Block {
        let block = Block { offset: self.offset, bytes, is_cut, length };
        self.offset += length;
        block
    }

    /// Reads to the end of a line; how many bytes that were.
    fn skip_line(&mut self, stop: &AtomicBool) -> io::Result<u64> {
        let mut skipped = 0;
        let mut bytes = Vec::new();
        loop {
            bytes.clear();
            let ended = !self.fill(&mut bytes, stop)?;
            if let Some(end) = memchr::memchr(b'\n', &bytes) {
                self.rest = bytes.split_off(end + 1);
                return Ok(skipped + bytes.len() as u64);
            }
            skipped += bytes.len() as u64;
            if ended {
                return Ok(skipped);
            }
        }
    }

    /// Reads a block's worth behind what is there; false at the end of the stream.
    fn fill(&mut self, bytes: &mut Vec<u8>, stop: &AtomicBool) -> io::Result<bool> {
        let wanted = (bytes.len() + BLOCK / 4).max(BLOCK);
        bytes.try_reserve(wanted - bytes.len()).map_err(|_| io::Error::from(io::ErrorKind::OutOfMemory))?;
        while bytes.len() < wanted {
            if stop.load(Ordering::Relaxed) {
                return Err(io::ErrorKind::Interrupted.into());
            }
            let room = (wanted - bytes.len()) as u64;
            if self.source.by_ref().take(room).read_to_end(bytes)? as u64 != room {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives a few bytes at a time, so that every boundary is everywhere.
    struct Drops<'a>(&'a [u8]);

    impl Read for Drops<'_> {
        fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
            let n = to.len().min(3).min(self.0.len());
            to[..n].copy_from_slice(&self.0[..n]);
            self.0 = &self.0[n..];
            Ok(n)
        }
    }

    fn all(text: &[u8], max: usize) -> Vec<Block> {
        let mut blocks = Blocks::new(Drops(text), max);
        let stop = AtomicBool::new(false);
        std::iter::from_fn(|| blocks.next_block(&stop).unwrap()).collect()
    }

    #[test]
    fn blocks_are_whole_lines_and_nothing_is_lost() {
        let line = format!("{}\n", "x".repeat(999));
        let text = line.repeat(3000) + "end";
        let blocks = all(text.as_bytes(), 10_000);
        assert!(blocks.len() > 5);
        let mut offset = 0;
        for (i, block) in blocks.iter().enumerate() {
            assert_eq!((block.offset, block.length, block.is_cut), (offset, block.bytes.len() as u64, false));
            assert!(i + 1 == blocks.len() || block.bytes.ends_with(b"\n"));
            offset += block.length;
        }
        assert_eq!(blocks.iter().flat_map(|block| block.bytes.clone()).collect::<Vec<u8>>(), text.as_bytes());
    }

    #[test]
    fn a_line_beyond_the_bound_is_cut_and_the_next_is_read() {
        let long = "y".repeat(3_000_000);
        for (text, after) in [(format!("a\n{long}\nb\n"), "b\n"), (format!("a\n{long}"), "")] {
            let blocks = all(text.as_bytes(), 1_000_000);
            assert_eq!(blocks[0].bytes, b"a\n");
            assert!(blocks[1].is_cut && blocks[1].bytes.len() == KEPT);
            assert_eq!((blocks[1].offset, blocks[1].length), (2, text.len() as u64 - 2 - after.len() as u64));
            assert_eq!(blocks.get(2).map(|block| block.bytes.as_slice()).unwrap_or_default(), after.as_bytes());
        }
    }

    #[test]
    fn nothing_has_no_blocks_and_a_reader_that_must_stop_does() {
        assert!(all(b"", 10).is_empty());
        let mut blocks = Blocks::new(Drops(b"x"), 10);
        assert_eq!(blocks.next_block(&AtomicBool::new(true)).unwrap_err().kind(), io::ErrorKind::Interrupted);
    }
}
