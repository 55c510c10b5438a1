//! The folder of an export: nothing in it is touched until every file is complete.

use super::file::{self, FileError, Outgoing};
use super::request::SUFFIXES;
use crate::model;
use std::path::{Path, PathBuf};

/// The names of the files that tell about the others.
pub const MANIFEST: &str = "manifest.json";
pub const DELETED: &str = "deleted";

/// A folder that files are to go into.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    mark: String,
    overwrite: bool,
    complete: Vec<Outgoing>,
}

impl Folder {
    /// The folder of that path; `mark` tells its temporary files from those of others. Unless `overwrite`, no export may be in it.
    pub fn open(path: &str, mark: String, overwrite: bool) -> Result<Folder, FileError> {
        let path = file::folder(path)?;
        let folder = Folder { path, mark, overwrite, complete: Vec::new() };
        if !overwrite {
            for name in names() {
                let path = folder.path.join(name);
                if file::exists(&path)? {
                    return Err(FileError::Exists(path));
                }
            }
        }
        Ok(folder)
    }

    /// Begins a file.
    pub fn create(&self, name: &str) -> Result<Outgoing, FileError> {
        Outgoing::create(self.path.join(name), &self.mark)
    }

    /// Takes a complete file.
    pub fn add(&mut self, outgoing: Outgoing) {
        self.complete.push(outgoing);
    }

    /// Gives all files their names, the one that was added last at the end; what an export before has left is gone then. After an
    /// error no file has its name.
    pub fn publish(mut self) -> Result<(), FileError> {
        let complete = std::mem::take(&mut self.complete);
        let mut published: Vec<PathBuf> = Vec::new();
        let result = self.publish_all(complete, &mut published);
        if result.is_err() {
            for path in published {
                // The first error is the one to tell.
                let _ = file::remove(&path);
            }
        }
        result
    }

    fn publish_all(&self, complete: Vec<Outgoing>, published: &mut Vec<PathBuf>) -> Result<(), FileError> {
        if self.overwrite {
            // first what tells of the others: a mixture of two exports has no manifest
            file::remove(&self.path.join(MANIFEST))?;
            for path in names().map(|name| self.path.join(name)) {
                if !complete.iter().any(|outgoing| outgoing.path() == path) {
                    file::remove(&path)?;
                }
            }
        }
        for outgoing in complete {
            let path = outgoing.path().to_owned();
            if !self.overwrite && file::exists(&path)? {
                return Err(FileError::Exists(path));
            }
            outgoing.publish()?;
            published.push(path);
        }
        file::sync_folder(&self.path)
    }

    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// All names that files of an export can have, the manifest first.
fn names() -> impl Iterator<Item = String> {
    let stems = model::resource_types().map(|ty| ty.name()).chain([DELETED]);
    let files = stems.flat_map(|stem| SUFFIXES.iter().map(move |suffix| format!("{stem}{suffix}")));
    std::iter::once(MANIFEST.to_owned()).chain(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scratch(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("fhirlake-export-folder-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        folder
    }

    fn write(folder: &mut Folder, name: &str, text: &str) {
        let mut outgoing = folder.create(name).unwrap();
        outgoing.put(text.as_bytes()).unwrap();
        folder.add(outgoing);
    }

    fn listed(path: &Path) -> Vec<String> {
        let mut names: Vec<String> = path.read_dir().unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn files_of_an_export_before_are_refused_or_replaced() {
        let path = scratch("replace");
        let text = path.to_str().unwrap();
        for name in ["Patient.ndjson", "Observation.ndjson.gz", "manifest.json", "notes.txt"] {
            std::fs::write(path.join(name), "old").unwrap();
        }
        assert!(matches!(Folder::open(text, "1".into(), false), Err(FileError::Exists(path)) if path.ends_with("manifest.json")));
        std::fs::remove_file(path.join("manifest.json")).unwrap();
        assert!(matches!(Folder::open(text, "1".into(), false), Err(FileError::Exists(_))));
        let mut folder = Folder::open(text, "1".into(), true).unwrap();
        write(&mut folder, "Patient.ndjson", "new");
        write(&mut folder, "manifest.json", "new");
        assert_eq!(std::fs::read(path.join("Patient.ndjson")).unwrap(), b"old");
        folder.publish().unwrap();
        assert_eq!(listed(&path), ["Patient.ndjson", "manifest.json", "notes.txt"]);
        assert_eq!(std::fs::read(path.join("Patient.ndjson")).unwrap(), b"new");
        std::fs::remove_dir_all(path).unwrap();
    }

    #[test]
    fn a_file_that_came_meanwhile_is_not_overwritten_and_nothing_is_left() {
        let path = scratch("meanwhile");
        let mut folder = Folder::open(path.to_str().unwrap(), "1".into(), false).unwrap();
        write(&mut folder, "Observation.ndjson", "new");
        write(&mut folder, "Patient.ndjson", "new");
        std::fs::write(path.join("Patient.ndjson"), "theirs").unwrap();
        assert!(matches!(folder.publish(), Err(FileError::Exists(_))));
        assert_eq!(listed(&path), ["Patient.ndjson"]);
        assert_eq!(std::fs::read(path.join("Patient.ndjson")).unwrap(), b"theirs");
        std::fs::remove_dir_all(path).unwrap();
    }
}
