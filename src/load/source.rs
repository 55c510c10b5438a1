//! All files of a load as one sequence of blocks.

use super::blocks::{Block, Blocks};
use super::files::{self, FilesError};
use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// A piece of work for a thread.
pub struct Chunk {
    /// Which file it is of.
    pub file: usize,
    /// Bytes of text in the files before.
    pub before: u64,
    /// `None` at the end of a file.
    pub block: Option<Block>,
    /// Bytes of all files that were read for it and what came before, as they are on the disk.
    pub read: u64,
}

/// Reads file after file.
pub struct Source {
    files: Vec<PathBuf>,
    next: usize,
    before: u64,
    length: u64,
    open: Option<Blocks<Box<dyn Read + Send>>>,
    max_line: usize,
    read: Arc<AtomicU64>,
}

impl Source {
    pub fn new(files: Vec<PathBuf>, max_line: usize) -> Source {
        Source { files, next: 0, before: 0, length: 0, open: None, max_line, read: Arc::default() }
    }

    /// The next chunk; none behind the last file.
    pub fn next_chunk(&mut self, stop: &AtomicBool) -> Result<Option<Chunk>, FilesError> {
        let blocks = match &mut self.open {
            Some(blocks) => blocks,
            None => {
                let Some(path) = self.files.get(self.next) else { return Ok(None) };
                self.next += 1;
                self.open.insert(Blocks::new(files::open(path, &self.read)?, self.max_line))
            }
        };
        let file = self.next - 1;
        let block = blocks.next_block(stop).map_err(|error| FilesError::Unreadable { path: self.files[file].clone(), error })?;
        let before = self.before;
        match &block {
            Some(block) => self.length = block.offset + block.length,
            None => {
                self.open = None;
                self.before += std::mem::take(&mut self.length);
            }
        }
        Ok(Some(Chunk { file, before, block, read: self.read.load(Ordering::Relaxed) }))
    }
}
