//! Files that appear whole or not at all: written under another name, synced, then renamed.

use std::fmt;
use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The temporary files of this process, for an end of it that drops nothing.
static TEMPORARY: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

fn temporary() -> MutexGuard<'static, Vec<PathBuf>> {
    TEMPORARY.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Removes what files on their way have written: for a process that ends at once.
pub fn abandon() {
    for path in temporary().drain(..) {
        // Nothing can be told from here, and what is left is named as temporary.
        let _ = std::fs::remove_file(path);
    }
}

#[derive(Debug)]
pub enum FileError {
    Relative,
    NoFolder(PathBuf),
    NotAFolder(PathBuf),
    Exists(PathBuf),
    Io { doing: &'static str, path: PathBuf, error: io::Error },
}

impl FileError {
    fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> FileError {
        move |error| FileError::Io { doing, path: path.to_owned(), error }
    }
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FileError::Relative => f.write_str("path of an export must be absolute"),
            FileError::NoFolder(path) => write!(f, "there is no folder \"{}\"", path.display()),
            FileError::NotAFolder(path) => write!(f, "\"{}\" is not a folder", path.display()),
            FileError::Exists(path) => write!(f, "\"{}\" exists", path.display()),
            FileError::Io { doing, path, error } => write!(f, "could not {doing} \"{}\": {error}", path.display()),
        }
    }
}

/// The folder, which must be there.
pub fn folder(path: &str) -> Result<PathBuf, FileError> {
    let path = PathBuf::from(path);
    if !path.is_absolute() {
        return Err(FileError::Relative);
    }
    match path.metadata() {
        Ok(found) if found.is_dir() => Ok(path),
        Ok(_) => Err(FileError::NotAFolder(path)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(FileError::NoFolder(path)),
        Err(error) => Err(FileError::io("read", &path)(error)),
    }
}

/// Whether something has that name, even a link to nowhere.
pub fn exists(path: &Path) -> Result<bool, FileError> {
    match path.symlink_metadata() {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(FileError::io("read", path)(error)),
    }
}

/// A file on its way. Unless it is published, dropping it removes what was written.
#[derive(Debug)]
pub struct Outgoing {
    file: Option<File>,
    path: PathBuf,
    temporary: PathBuf,
    bytes: u64,
}

impl Outgoing {
    /// Begins the file `path`; until it is published it is beside it, with `mark` in its name.
    pub fn create(path: PathBuf, mark: &str) -> Result<Outgoing, FileError> {
        let mut name = path.clone().into_os_string();
        name.push(format!(".{mark}.tmp"));
        let temporary = PathBuf::from(name);
        // never through what somebody else has put there
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary).map_err(FileError::io("create", &path))?;
        self::temporary().push(temporary.clone());
        let outgoing = Outgoing { file: Some(file), path, temporary, bytes: 0 };
        if let Some(file) = &outgoing.file {
            // as COPY does: the folder decides who reads
            file.set_permissions(Permissions::from_mode(0o644)).map_err(FileError::io("create", &outgoing.path))?;
        }
        Ok(outgoing)
    }

    /// Where it will be.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Written so far.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    pub fn put(&mut self, bytes: &[u8]) -> Result<(), FileError> {
        self.write_all(bytes).map_err(FileError::io("write to", &self.path))
    }

    /// On disk, and closed.
    pub fn sync(&mut self) -> Result<(), FileError> {
        match self.file.take() {
            Some(file) => file.sync_all().map_err(FileError::io("write to", &self.path)),
            None => Ok(()),
        }
    }

    /// Gives it its name, in place of what has it.
    pub fn publish(mut self) -> Result<(), FileError> {
        self.sync()?;
        std::fs::rename(&self.temporary, &self.path).map_err(FileError::io("create", &self.path))?;
        self.forget();
        Ok(())
    }

    /// The temporary file is nobody's any more.
    fn forget(&mut self) {
        let path = std::mem::take(&mut self.temporary);
        temporary().retain(|other| *other != path);
    }
}

impl Write for Outgoing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Some(file) = &mut self.file else { return Err(io::Error::from(io::ErrorKind::BrokenPipe)) };
        let written = file.write(bytes)?;
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Outgoing {
    fn drop(&mut self) {
        if !self.temporary.as_os_str().is_empty() {
            // Nothing can be told from here, and what is left is named as temporary.
            let _ = std::fs::remove_file(&self.temporary);
            self.forget();
        }
    }
}

/// Removes a file if it is there.
pub fn remove(path: &Path) -> Result<(), FileError> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(FileError::io("remove", path)(error)),
        _ => Ok(()),
    }
}

/// The names in a folder are on disk.
pub fn sync_folder(path: &Path) -> Result<(), FileError> {
    let synced = File::open(path).and_then(|folder| folder.sync_all());
    synced.map_err(FileError::io("write to", path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scratch(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("fhirlake-export-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        folder
    }

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = folder.read_dir().unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_appears_when_it_is_published() {
        let folder = scratch("publish");
        let mut outgoing = Outgoing::create(folder.join("a.ndjson"), "1").unwrap();
        outgoing.put(b"one\n").unwrap();
        assert_eq!(names(&folder), ["a.ndjson.1.tmp"]);
        assert_eq!(outgoing.bytes(), 4);
        outgoing.publish().unwrap();
        assert_eq!(names(&folder), ["a.ndjson"]);
        assert_eq!(std::fs::read(folder.join("a.ndjson")).unwrap(), b"one\n");
        assert_eq!(std::fs::metadata(folder.join("a.ndjson")).unwrap().permissions().mode() & 0o777, 0o644);
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn what_is_not_published_leaves_no_trace() {
        let folder = scratch("drop");
        std::fs::write(folder.join("a"), "old").unwrap();
        let mut outgoing = Outgoing::create(folder.join("a"), "1").unwrap();
        outgoing.put(b"new").unwrap();
        drop(outgoing);
        assert_eq!(names(&folder), ["a"]);
        assert_eq!(std::fs::read(folder.join("a")).unwrap(), b"old");
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_temporary_name_that_is_taken_is_not_written_through() {
        let folder = scratch("taken");
        std::os::unix::fs::symlink(folder.join("target"), folder.join("a.1.tmp")).unwrap();
        assert!(matches!(Outgoing::create(folder.join("a"), "1"), Err(FileError::Io { .. })));
        assert!(!folder.join("target").exists());
        assert!(exists(&folder.join("a.1.tmp")).unwrap() && !exists(&folder.join("a")).unwrap());
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_folder_must_be_absolute_and_there() {
        assert!(matches!(folder("tmp"), Err(FileError::Relative)));
        assert!(matches!(folder("/no/such/folder"), Err(FileError::NoFolder(_))));
        assert!(matches!(folder("/dev/null"), Err(FileError::NotAFolder(_))));
        assert!(folder("/tmp").is_ok());
    }
}
