//! Which files a load means, and their bytes.

use flate2::read::MultiGzDecoder;
use std::fmt;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// What a file in a folder ends in to be loaded with it.
const SUFFIXES: [&str; 3] = [".ndjson", ".ndjson.gz", ".ndjson.zst"];
const BUFFER: usize = 256 * 1024;

#[derive(Debug)]
pub enum FilesError {
    Relative,
    BadPattern(String),
    None,
    /// A pipe, a device.
    NoFile(PathBuf),
    Unreadable { path: PathBuf, error: io::Error },
}

impl fmt::Display for FilesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FilesError::Relative => write!(f, "path of a load must be absolute"),
            FilesError::BadPattern(reason) => write!(f, "path of a load is not a valid pattern: {reason}"),
            FilesError::None => write!(f, "no file to load"),
            FilesError::NoFile(path) => write!(f, "\"{}\" is not a regular file", path.display()),
            FilesError::Unreadable { path, error } => write!(f, "could not read \"{}\": {error}", path.display()),
        }
    }
}

/// The files that a path means, in the order of their names: a file, all of a folder, or what matches a pattern
/// (`*`, `?`, `[abc]`, `**` for folders of any depth).
pub fn find(path: &str) -> Result<Vec<PathBuf>, FilesError> {
    if !Path::new(path).is_absolute() {
        return Err(FilesError::Relative);
    }
    // What exists under that very name is meant, whatever its letters mean in a pattern.
    let mut found = Vec::new();
    if Path::new(path).exists() {
        found.push(PathBuf::from(path));
    } else {
        for entry in glob::glob(path).map_err(|error| FilesError::BadPattern(error.to_string()))? {
            found.push(entry.map_err(|error| FilesError::Unreadable { path: error.path().to_owned(), error: error.into() })?);
        }
    }
    let mut files = Vec::new();
    for path in found {
        if path.is_dir() {
            let unreadable = |error| FilesError::Unreadable { path: path.clone(), error };
            for entry in path.read_dir().map_err(unreadable)? {
                let entry = entry.map_err(unreadable)?.path();
                let name = entry.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
                if SUFFIXES.iter().any(|suffix| name.ends_with(suffix)) && entry.is_file() {
                    files.push(entry);
                }
            }
        } else {
            files.push(path);
        }
    }
    if files.is_empty() {
        return Err(FilesError::None);
    }
    files.sort();
    files.dedup();
    Ok(files)
}

/// The bytes of a file, counted.
struct Counted {
    file: io::Take<File>,
    read: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let n = self.file.read(to)?;
        self.read.fetch_add(n as u64, Ordering::Relaxed);
        Ok(n)
    }
}

/// How many bytes a file has.
pub fn size(path: &Path) -> Result<u64, FilesError> {
    let unreadable = |error| FilesError::Unreadable { path: path.to_owned(), error };
    let about = std::fs::metadata(path).map_err(unreadable)?;
    // to open a pipe would wait for who writes into it
    if about.is_file() { Ok(about.len()) } else { Err(FilesError::NoFile(path.to_owned())) }
}

/// The text of a file: unpacked if it begins as gzip or zstd does, whatever its name. Only what the file has now: what another
/// process appends meanwhile is not read. `read` counts the bytes that were read from it.
pub fn open(path: &Path, read: &Arc<AtomicU64>) -> Result<Box<dyn Read + Send>, FilesError> {
    let unreadable = |error| FilesError::Unreadable { path: path.to_owned(), error };
    let size = size(path)?;
    let mut file = File::open(path).map_err(unreadable)?;
    let mut start = Vec::new();
    file.by_ref().take(4).read_to_end(&mut start).map_err(unreadable)?;
    file.rewind().map_err(unreadable)?;
    let file = Counted { file: file.take(size), read: read.clone() };
    Ok(match start.as_slice() {
        [0x1F, 0x8B, ..] => Box::new(MultiGzDecoder::new(BufReader::with_capacity(BUFFER, file))),
        [0x28, 0xB5, 0x2F, 0xFD] => Box::new(zstd::stream::read::Decoder::new(file).map_err(unreadable)?),
        _ => Box::new(file),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("fhirlake-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        folder
    }

    #[test]
    fn a_folder_means_its_ndjson_files_and_a_pattern_what_it_matches() {
        let folder = folder("files");
        for name in ["b.ndjson", "a.ndjson", "c.ndjson.gz", "notes.txt"] {
            std::fs::write(folder.join(name), "").unwrap();
        }
        let names = |path: &str| -> Vec<String> {
            let found = find(path).unwrap();
            found.iter().map(|path| path.file_name().unwrap().to_string_lossy().into_owned()).collect()
        };
        let folder_text = folder.to_str().unwrap();
        assert_eq!(names(folder_text), ["a.ndjson", "b.ndjson", "c.ndjson.gz"]);
        assert_eq!(names(&format!("{folder_text}/*.ndjson")), ["a.ndjson", "b.ndjson"]);
        assert_eq!(names(&format!("{folder_text}/notes.txt")), ["notes.txt"]);
        assert!(matches!(find(&format!("{folder_text}/*.xml")), Err(FilesError::None)));
        assert!(matches!(find("a.ndjson"), Err(FilesError::Relative)));
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn gzip_is_known_by_its_first_bytes_and_read_to_its_last_member() {
        let folder = folder("gzip");
        let path = folder.join("packed");
        let mut packed = Vec::new();
        for text in ["one\n", "two\n"] {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            encoder.write_all(text.as_bytes()).unwrap();
            packed.extend(encoder.finish().unwrap());
        }
        std::fs::write(&path, packed).unwrap();
        assert_eq!(unpacked(&path).unwrap(), "one\ntwo\n");
        std::fs::remove_dir_all(folder).unwrap();
    }

    fn unpacked(path: &Path) -> io::Result<String> {
        let (mut text, read) = (String::new(), Arc::default());
        open(path, &read).unwrap().read_to_string(&mut text)?;
        assert_eq!(read.load(Ordering::Relaxed), size(path).unwrap());
        Ok(text)
    }

    #[test]
    fn zstd_is_known_too_and_what_breaks_off_is_an_error() {
        let folder = folder("zstd");
        let packed = [zstd::encode_all(&b"one\n"[..], 1).unwrap(), zstd::encode_all(&b"two\n"[..], 1).unwrap()].concat();
        let path = folder.join("packed");
        std::fs::write(&path, &packed).unwrap();
        assert_eq!(unpacked(&path).unwrap(), "one\ntwo\n");
        std::fs::write(&path, &packed[..packed.len() - 3]).unwrap();
        assert!(unpacked(&path).is_err());
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(b"one\n").unwrap();
        let packed = encoder.finish().unwrap();
        std::fs::write(&path, &packed[..packed.len() - 5]).unwrap();
        assert!(unpacked(&path).is_err());
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_device_is_no_file() {
        assert!(matches!(open(Path::new("/dev/null"), &Arc::default()), Err(FilesError::NoFile(_))));
    }
}
