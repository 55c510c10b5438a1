//! Where the pieces of a file go: to the file, or through zstd, which packs all of them as one.

use super::file::{FileError, Outgoing};
use super::request::Compression;
use std::io::Write;
use zstd::stream::write::Encoder;

pub enum Sink {
    Plain(Outgoing),
    /// One frame for the whole file: some readers end at the first.
    Zstd(Box<Encoder<'static, Outgoing>>),
}

/// Of zstd: its own default.
const LEVEL: i32 = 3;

impl Sink {
    /// Gzip packs its pieces itself.
    pub fn new(outgoing: Outgoing, compression: Compression) -> Result<Sink, FileError> {
        if compression != Compression::Zstd {
            return Ok(Sink::Plain(outgoing));
        }
        let path = outgoing.path().to_owned();
        let failed = |error| FileError::Io { doing: "pack", path, error };
        let mut encoder = Encoder::new(outgoing, LEVEL).map_err(failed)?;
        let path = encoder.get_ref().path().to_owned();
        encoder.include_checksum(true).map_err(|error| FileError::Io { doing: "pack", path, error })?;
        Ok(Sink::Zstd(Box::new(encoder)))
    }

    pub fn put(&mut self, bytes: &[u8]) -> Result<(), FileError> {
        match self {
            Sink::Plain(outgoing) => outgoing.put(bytes),
            Sink::Zstd(encoder) => match encoder.write_all(bytes) {
                Ok(()) => Ok(()),
                Err(error) => Err(FileError::Io { doing: "write to", path: encoder.get_ref().path().to_owned(), error }),
            },
        }
    }

    /// The file, complete and on disk, still under its temporary name.
    pub fn finish(self) -> Result<Outgoing, FileError> {
        let mut outgoing = match self {
            Sink::Plain(outgoing) => outgoing,
            Sink::Zstd(encoder) => {
                let path = encoder.get_ref().path().to_owned();
                encoder.finish().map_err(|error| FileError::Io { doing: "write to", path, error })?
            }
        };
        outgoing.sync()?;
        Ok(outgoing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zstd_makes_one_frame_of_all_pieces() {
        let folder = std::env::temp_dir().join(format!("fhirlake-export-sink-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let mut sink = Sink::new(Outgoing::create(folder.join("a"), "1").unwrap(), Compression::Zstd).unwrap();
        let piece = "a line of text\n".repeat(20_000);
        for _ in 0..5 {
            sink.put(piece.as_bytes()).unwrap();
        }
        sink.finish().unwrap().publish().unwrap();
        let packed = std::fs::read(folder.join("a")).unwrap();
        let mut decoder = zstd::stream::read::Decoder::new(packed.as_slice()).unwrap().single_frame();
        let mut text = String::new();
        std::io::Read::read_to_string(&mut decoder, &mut text).unwrap();
        assert_eq!(text, piece.repeat(5));
        std::fs::remove_dir_all(folder).unwrap();
    }
}
