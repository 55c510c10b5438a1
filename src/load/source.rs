//! All files of a load as one sequence of chunks.

use super::blocks::{Block, Blocks};
use super::bundle::Links;
use super::documents::{Documents, Pieces, Survey};
use super::files::{self, FilesError, Input};
use super::options::Format;
use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// A piece of work for a thread.
pub struct Chunk {
    /// Which file it is of.
    pub file: usize,
    /// Bytes of text in the files before.
    pub before: u64,
    pub content: Content,
    /// Bytes of all files that were read for it and what came before, as they are on the disk.
    pub read: u64,
    /// Its lines are Bundles of deletions.
    pub are_deletions: bool,
}

pub enum Content {
    /// Lines.
    Block(Block),
    /// Pieces of documents, with where their links lead.
    Pieces(Pieces, Arc<Links>),
    /// The file ends here.
    End,
}

impl Content {
    /// Bytes of text that it stands for.
    pub fn length(&self) -> u64 {
        match self {
            Content::Block(block) => block.length,
            Content::Pieces(pieces, _) => pieces.length,
            Content::End => 0,
        }
    }
}

type Stream = Box<dyn Read + Send>;

/// A file that is being read.
enum Open {
    Lines(Blocks<Stream>),
    Documents(Documents<Stream>, Arc<Links>),
}

/// Reads file after file.
pub struct Source {
    inputs: Arc<[Input]>,
    format: Format,
    next: usize,
    before: u64,
    length: u64,
    open: Option<Open>,
    max_line: usize,
    read: Arc<AtomicU64>,
}

impl Source {
    pub fn new(inputs: Arc<[Input]>, format: Format, max_line: usize) -> Source {
        Source { inputs, format, next: 0, before: 0, length: 0, open: None, max_line, read: Arc::default() }
    }

    /// The next chunk; none behind the last file.
    pub fn next_chunk(&mut self, stop: &AtomicBool) -> Result<Option<Chunk>, FilesError> {
        if self.open.is_none() {
            let Some(input) = self.inputs.get(self.next) else { return Ok(None) };
            self.open = Some(self.opened(input, stop)?);
            self.next += 1;
        }
        let (file, inputs) = (self.next - 1, self.inputs.clone());
        let Some(input) = inputs.get(file) else { return Ok(None) };
        let content = self.content(stop).map_err(|error| unreadable(input, error))?;
        let chunk = Chunk { file, before: self.before, content, read: self.read.load(Ordering::Relaxed), are_deletions: input.are_deletions };
        self.length += chunk.content.length();
        if matches!(chunk.content, Content::End) {
            self.open = None;
            self.before += std::mem::take(&mut self.length);
        }
        Ok(Some(chunk))
    }

    fn content(&mut self, stop: &AtomicBool) -> io::Result<Content> {
        Ok(match &mut self.open {
            Some(Open::Lines(blocks)) => blocks.next_block(stop)?.map_or(Content::End, Content::Block),
            Some(Open::Documents(documents, links)) => {
                documents.next_pieces(stop)?.map_or(Content::End, |pieces| Content::Pieces(pieces, links.clone()))
            }
            None => Content::End,
        })
    }

    fn opened(&self, input: &Input, stop: &AtomicBool) -> Result<Open, FilesError> {
        let is_json = match self.format {
            Format::Auto => files::is_json(&input.path),
            Format::Ndjson => false,
            Format::Json => true,
        };
        if !is_json || input.are_deletions {
            return Ok(Open::Lines(Blocks::new(files::open(&input.path, &self.read)?, self.max_line)));
        }
        // The survey reads the whole file; what it reads is not counted twice.
        let mut survey = Survey::of(files::open(&input.path, &Arc::default())?, self.max_line, self.before, stop)
            .map_err(|error| unreadable(input, error))?;
        let documents = Documents::new(files::open(&input.path, &self.read)?, &mut survey, self.max_line);
        Ok(Open::Documents(documents, Arc::new(survey.links)))
    }
}

fn unreadable(input: &Input, error: io::Error) -> FilesError {
    FilesError::Unreadable { path: input.path.clone(), error }
}
