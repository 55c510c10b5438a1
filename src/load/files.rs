//! Which files a load means, and their bytes.

use super::manifest::{self, Manifest, ManifestError};
use flate2::read::MultiGzDecoder;
use std::collections::HashSet;
use std::fmt;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// What a file in a folder ends in to be loaded with it, before what says how it is packed.
const LINES: [&str; 2] = [".ndjson", ".jsonl"];
const JSON: &str = ".json";
const PACKED: [&str; 3] = [".gz", ".zst", ".zstd"];
/// The manifest of an export, where a folder has one: it says what to load.
const MANIFEST: &str = "manifest.json";
const BUFFER: usize = 256 * 1024;

/// A file to load.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    pub path: PathBuf,
    /// Its lines are Bundles of deletions.
    pub are_deletions: bool,
}

#[derive(Debug)]
pub enum FilesError {
    Relative,
    BadPattern(String),
    None,
    /// A pipe, a device.
    NoFile(PathBuf),
    Unreadable { path: PathBuf, error: io::Error },
    Manifest { path: PathBuf, error: ManifestError },
}

impl fmt::Display for FilesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FilesError::Relative => write!(f, "path of a load must be absolute"),
            FilesError::BadPattern(reason) => write!(f, "path of a load is not a valid pattern: {reason}"),
            FilesError::None => write!(f, "no file to load"),
            FilesError::NoFile(path) => write!(f, "\"{}\" is not a regular file", path.display()),
            FilesError::Unreadable { path, error } => write!(f, "could not read \"{}\": {error}", path.display()),
            FilesError::Manifest { path, error: ManifestError::Remote(url) } => {
                write!(f, "manifest \"{}\" names an address of the net: {url}", path.display())
            }
            FilesError::Manifest { path, error: ManifestError::NoAddress } => {
                write!(f, "manifest \"{}\" lists a file without its url", path.display())
            }
        }
    }
}

/// The files that a path means, in the order of their names: a file, all of a folder, or what matches a pattern
/// (`*`, `?`, `[abc]`, `**` for folders of any depth). A manifest means the files that it lists, those of deletions last. Each file is
/// meant once.
pub fn find(path: &str) -> Result<Vec<Input>, FilesError> {
    if !Path::new(path).is_absolute() {
        return Err(FilesError::Relative);
    }
    // What exists under that very name is meant, whatever its letters mean in a pattern.
    let mut found = Vec::new();
    match Path::new(path).symlink_metadata() {
        Ok(_) => found.push(PathBuf::from(path)),
        // what is there and cannot be looked at is no pattern either
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(FilesError::Unreadable { path: PathBuf::from(path), error });
        }
        Err(_) => {
            for entry in glob::glob(path).map_err(|error| FilesError::BadPattern(error.to_string()))? {
                found.push(entry.map_err(|error| FilesError::Unreadable { path: error.path().to_owned(), error: error.into() })?);
            }
        }
    }
    let mut files = Vec::new();
    for path in found {
        if !path.is_dir() {
            files.push(path);
            continue;
        }
        let unreadable = |error| FilesError::Unreadable { path: path.clone(), error };
        let entries: Vec<PathBuf> =
            path.read_dir().map_err(unreadable)?.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<_>>().map_err(unreadable)?;
        let of_manifest = path.join(MANIFEST);
        if entries.contains(&of_manifest) && listed(&of_manifest)?.is_some() {
            files.push(of_manifest);
        } else {
            files.extend(entries.into_iter().filter(|entry| is_meant(entry) && entry.is_file()));
        }
    }
    files.sort();
    files.dedup();
    let (mut inputs, mut deletions) = (Vec::new(), Vec::new());
    for path in files {
        match listed(&path)? {
            None => inputs.push(path),
            Some(manifest) => {
                inputs.extend(manifest.output);
                deletions.extend(manifest.deleted);
            }
        }
    }
    let mut seen = HashSet::new();
    let inputs = inputs.into_iter().map(|path| Input { path, are_deletions: false });
    let deletions = deletions.into_iter().map(|path| Input { path, are_deletions: true });
    let all: Vec<Input> = inputs.chain(deletions).filter(|input| seen.insert(input.path.clone())).collect();
    if all.is_empty() { Err(FilesError::None) } else { Ok(all) }
}

/// What a file lists, if it is the manifest of an export.
fn listed(path: &Path) -> Result<Option<Manifest>, FilesError> {
    let unreadable = |error| FilesError::Unreadable { path: path.to_owned(), error };
    if bare_name(path).1 || !is_json(path) || !path.is_file() {
        return Ok(None);
    }
    let file = File::open(path).map_err(unreadable)?;
    if file.metadata().map_err(unreadable)?.len() > manifest::MAX {
        return Ok(None);
    }
    let (mut text, mut file) = (Vec::new(), file.take(manifest::MAX));
    file.by_ref().take(manifest::START).read_to_end(&mut text).map_err(unreadable)?;
    if !manifest::may_be(&text) {
        return Ok(None);
    }
    file.read_to_end(&mut text).map_err(unreadable)?;
    let folder = path.parent().unwrap_or(Path::new("/"));
    Manifest::read(&text, folder).transpose().map_err(|error| FilesError::Manifest { path: path.to_owned(), error })
}

/// The name in lower case without what says that the file is packed, and whether it did.
fn bare_name(path: &Path) -> (String, bool) {
    let name = path.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
    match PACKED.iter().find_map(|suffix| name.strip_suffix(suffix)) {
        Some(bare) => (bare.to_owned(), true),
        None => (name, false),
    }
}

/// Whether a file in a folder is loaded with it.
fn is_meant(path: &Path) -> bool {
    let (name, _) = bare_name(path);
    name.ends_with(JSON) || LINES.iter().any(|suffix| name.ends_with(suffix))
}

/// Whether a file is JSON however it is laid out, by its name; any other is read by lines.
pub fn is_json(path: &Path) -> bool {
    bare_name(path).0.ends_with(JSON)
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
        for name in ["b.ndjson", "a.ndjson", "c.ndjson.gz", "notes.txt", "d.json", "e.jsonl.zst"] {
            std::fs::write(folder.join(name), "").unwrap();
        }
        let names = |path: &str| -> Vec<String> {
            let found = find(path).unwrap();
            found.iter().map(|input| input.path.file_name().unwrap().to_string_lossy().into_owned()).collect()
        };
        let folder_text = folder.to_str().unwrap();
        assert_eq!(names(folder_text), ["a.ndjson", "b.ndjson", "c.ndjson.gz", "d.json", "e.jsonl.zst"]);
        assert!(is_json(Path::new("/X.JSON.gz")) && !is_json(Path::new("/x.ndjson")));
        assert_eq!(names(&format!("{folder_text}/*.ndjson")), ["a.ndjson", "b.ndjson"]);
        assert_eq!(names(&format!("{folder_text}/notes.txt")), ["notes.txt"]);
        assert!(matches!(find(&format!("{folder_text}/*.xml")), Err(FilesError::None)));
        assert!(matches!(find("a.ndjson"), Err(FilesError::Relative)));
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_manifest_means_what_it_lists() {
        let folder = folder("manifest");
        for name in ["b.ndjson", "a.ndjson", "d.ndjson"] {
            std::fs::write(folder.join(name), "").unwrap();
        }
        let manifest = r#"{"output":[{"url":"b.ndjson"},{"url":"b.ndjson"}],"deleted":[{"url":"d.ndjson"}]}"#;
        std::fs::write(folder.join("manifest.json"), manifest).unwrap();
        let expected = [Input { path: folder.join("b.ndjson"), are_deletions: false }, Input { path: folder.join("d.ndjson"), are_deletions: true }];
        for path in [folder.clone(), folder.join("manifest.json")] {
            assert_eq!(find(path.to_str().unwrap()).unwrap(), expected);
        }
        std::fs::write(folder.join("manifest.json"), "{\"output\":[{\"url\":\"http://x\"}]}").unwrap();
        assert!(matches!(find(folder.to_str().unwrap()), Err(FilesError::Manifest { .. })));
        std::fs::write(folder.join("manifest.json"), "{}").unwrap();
        assert_eq!(find(folder.to_str().unwrap()).unwrap().len(), 4);
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
