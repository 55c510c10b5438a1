//! Resources as lines of text, packed.

use super::request::Compression;
use crate::json::{self, Untold};
use flate2::write::GzEncoder;
use std::io::Write;

/// Resources on their way to another thread.
#[derive(Debug)]
pub struct Batch {
    bytes: Vec<u8>,
    ends: Vec<usize>,
    compression: Compression,
}

/// Lines of text, or a piece of a file in which they are packed.
#[derive(Debug)]
pub struct Block {
    pub bytes: Vec<u8>,
    pub resources: u64,
}

/// Why a batch is no text.
#[derive(Debug, PartialEq, Eq)]
pub enum LinesError {
    /// Bytes that are no resource.
    Broken,
    Memory,
    Packing(String),
}

impl From<Untold> for LinesError {
    fn from(untold: Untold) -> LinesError {
        match untold {
            Untold::Broken => LinesError::Broken,
            Untold::TooLarge => LinesError::Memory,
        }
    }
}

/// The text of a batch, or of a resource: no text of the server may be longer.
pub const MAX_TEXT: usize = 0x3FFF_FFFF;

impl Batch {
    pub fn new(compression: Compression) -> Batch {
        Batch { bytes: Vec::new(), ends: Vec::new(), compression }
    }

    /// Bytes of text at which a batch is sent off. Packed pieces are longer, because each begins anew.
    pub fn capacity(&self) -> usize {
        if self.compression == Compression::Gzip { 2 << 20 } else { 512 << 10 }
    }

    /// Adds a container.
    pub fn add(&mut self, container: &[u8]) -> Result<(), LinesError> {
        self.bytes.try_reserve(container.len()).map_err(|_| LinesError::Memory)?;
        self.bytes.extend_from_slice(container);
        self.ends.push(self.bytes.len());
        Ok(())
    }

    pub fn is_full(&self) -> bool {
        self.bytes.len() >= self.capacity()
    }

    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }
}

/// The lines of a batch. Gzip packs each batch by itself: the pieces one after the other are a file of gzip.
pub fn block(batch: Batch) -> Result<Block, LinesError> {
    let mut text = Vec::new();
    text.try_reserve(batch.bytes.len() + batch.bytes.len() / 8).map_err(|_| LinesError::Memory)?;
    let mut start = 0;
    for end in &batch.ends {
        let container = batch.bytes.get(start..*end).ok_or(LinesError::Broken)?;
        start = *end;
        json::compact(container, &mut text, MAX_TEXT)?;
        text.push(b'\n');
    }
    if std::str::from_utf8(&text).is_err() {
        return Err(LinesError::Broken);
    }
    let resources = batch.ends.len() as u64;
    drop(batch.bytes);
    Ok(Block { bytes: packed(text, batch.compression)?, resources })
}

/// A piece of a file of gzip; for other files the text as it is.
pub fn packed(text: Vec<u8>, compression: Compression) -> Result<Vec<u8>, LinesError> {
    if compression != Compression::Gzip {
        return Ok(text);
    }
    let failed = |error: std::io::Error| LinesError::Packing(error.to_string());
    let mut encoder = GzEncoder::new(Vec::with_capacity(text.len() / 6), flate2::Compression::new(LEVEL));
    encoder.write_all(&text).map_err(failed)?;
    encoder.finish().map_err(failed)
}

/// Of gzip: half the time of the usual 6, files a few per cent longer.
const LEVEL: u32 = 4;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Limits;
    use std::io::Read;

    fn batch(compression: Compression, lines: &[&str]) -> Batch {
        let mut batch = Batch::new(compression);
        for line in lines {
            batch.add(&json::parse(line.as_bytes(), &Limits::default()).unwrap()).unwrap();
        }
        batch
    }

    const LINES: [&str; 3] = [r#"{"id":"a","text":"tab\t quote\" é \\ \u0001","resourceType":"Patient"}"#, r#"{"value":[1.10,1e3,true,null,{}]}"#, r#"{"a":[]}"#];

    #[test]
    fn a_resource_is_one_line_without_blanks_and_reads_back_as_it_was() {
        let block = block(batch(Compression::None, &LINES)).unwrap();
        let text = String::from_utf8(block.bytes).unwrap();
        let found: Vec<&str> = text.lines().collect();
        assert_eq!(found[1], r#"{"value":[1.10,1000,true,null,{}]}"#);
        assert_eq!((block.resources, found.len(), text.ends_with('\n')), (3, 3, true));
        for (line, original) in found.iter().zip(LINES) {
            assert_eq!(json::parse(line.as_bytes(), &Limits::default()).unwrap(), json::parse(original.as_bytes(), &Limits::default()).unwrap());
        }
    }

    #[test]
    fn pieces_of_gzip_are_a_file_of_gzip() {
        let plain = block(batch(Compression::None, &LINES)).unwrap().bytes;
        let mut packed = block(batch(Compression::Gzip, &LINES[..1])).unwrap().bytes;
        packed.extend(block(batch(Compression::Gzip, &LINES[1..])).unwrap().bytes);
        let mut found = Vec::new();
        flate2::read::MultiGzDecoder::new(packed.as_slice()).read_to_end(&mut found).unwrap();
        assert_eq!(found, plain);
    }

    #[test]
    fn bytes_that_are_no_resource_are_told() {
        let mut batch = Batch::new(Compression::None);
        batch.add(b"no").unwrap();
        assert_eq!(block(batch).unwrap_err(), LinesError::Broken);
    }
}
