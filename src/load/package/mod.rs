//! Packages of definitions, as HL7 publishes them: an archive of JSON files under `package/`.
//! <https://hl7.org/fhir/packages.html>

#[cfg(feature = "pg")]
mod sql;

use super::files::{self, FilesError};
use std::collections::HashMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The longest file of a package that is read.
const MAX_FILE: u64 = 64 * 1024 * 1024;
/// Letters of an id: <https://hl7.org/fhir/R4/datatypes.html#id>.
const MAX_ID: usize = 64;

/// A file of a package.
pub struct Document {
    /// Its name in the archive.
    pub name: String,
    pub text: Vec<u8>,
}

/// What a package says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct About {
    pub name: String,
    pub version: String,
}

/// What a file in the archive is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    About,
    Definition,
    Example,
    Nothing,
}

fn part(path: &Path) -> Part {
    let names: Vec<_> = path.iter().map(|name| name.to_string_lossy()).filter(|name| name != ".").collect();
    let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
    match names.as_slice() {
        ["package", "package.json"] => Part::About,
        ["package", name] if is_document(name) => Part::Definition,
        ["package", "example" | "examples", name] if is_document(name) => Part::Example,
        _ => Part::Nothing,
    }
}

fn is_document(name: &str) -> bool {
    name.ends_with(".json") && !name.starts_with('.')
}

/// Hands each definition of a package, and each example where these are wanted, to `take`, in the order of the archive, and
/// tells what the package says of itself. Packed by gzip or zstd, or not at all.
pub fn read<E: From<FilesError>>(path: &Path, examples: bool, mut take: impl FnMut(Document) -> Result<(), E>) -> Result<About, E> {
    let unreadable = |error| FilesError::Unreadable { path: path.to_owned(), error };
    let mut archive = tar::Archive::new(files::open(path, &Arc::default())?);
    let mut about = About::default();
    for entry in archive.entries().map_err(unreadable)? {
        let mut entry = entry.map_err(unreadable)?;
        let name: PathBuf = entry.path().map_err(unreadable)?.into_owned();
        let part = part(&name);
        if !entry.header().entry_type().is_file() || part == Part::Nothing || part == Part::Example && !examples {
            continue;
        }
        if entry.size() > MAX_FILE {
            let error = std::io::Error::other(format!("{} in it is longer than {MAX_FILE} bytes", name.display()));
            return Err(unreadable(error).into());
        }
        let mut text = Vec::new();
        entry.by_ref().take(MAX_FILE).read_to_end(&mut text).map_err(unreadable)?;
        if part == Part::About {
            let told: serde_json::Value = serde_json::from_slice(&text).unwrap_or_default();
            let field = |name: &str| told.get(name).and_then(serde_json::Value::as_str).unwrap_or_default().replace('\0', "");
            about = About { name: field("name"), version: field("version") };
        } else {
            take(Document { name: name.to_string_lossy().into_owned(), text })?;
        }
    }
    Ok(about)
}

/// What a definition is known by, wherever it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Canonical {
    pub url: String,
    pub version: Option<String>,
}

/// The ids that a definition may be stored under, best first: its own, then with its version, then with a number. So two versions of
/// a package, which give their definitions the same ids, stand beside each other.
pub fn candidates<'a>(id: &'a str, version: Option<&'a str>) -> impl Iterator<Item = String> + 'a {
    let versioned = version.map(|version| joined(id, version));
    let last = versioned.clone().unwrap_or_else(|| id.to_owned());
    std::iter::once(id.to_owned()).chain(versioned).chain((2..100).map(move |n: u32| joined(&last, &n.to_string())))
}

/// `id-suffix`, with only what an id may have, and cut where it would be too long.
fn joined(id: &str, suffix: &str) -> String {
    let suffix: String = suffix.chars().map(|c| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' }).take(MAX_ID / 2).collect();
    let start: String = id.chars().take(MAX_ID - 1 - suffix.len()).collect();
    format!("{start}-{suffix}")
}

/// The id for a definition: the first candidate that is free, or has that very definition. `taken` tells what stands under an
/// id: nothing, a definition, or something without a url.
pub fn choose<E>(
    id: &str,
    own: &Canonical,
    mut taken: impl FnMut(&str) -> Result<Option<Option<Canonical>>, E>,
) -> Result<Option<String>, E> {
    for candidate in candidates(id, own.version.as_deref()) {
        match taken(&candidate)? {
            None => return Ok(Some(candidate)),
            Some(there) if there.as_ref() == Some(own) => return Ok(Some(candidate)),
            Some(_) => {}
        }
    }
    Ok(None)
}

/// What the ids of a package that is being loaded stand for, by type.
#[derive(Default)]
pub struct Chosen(HashMap<(&'static str, String), Option<Canonical>>);

impl Chosen {
    pub fn get(&self, ty: &'static str, id: &str) -> Option<&Option<Canonical>> {
        self.0.get(&(ty, id.to_owned()))
    }

    pub fn insert(&mut self, ty: &'static str, id: String, what: Option<Canonical>) {
        self.0.insert((ty, id), what);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;

    fn package(files: &[(&str, &str)]) -> PathBuf {
        static NUMBER: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("fhirlake-package-{number}-{}", std::process::id()));
        let mut archive = tar::Builder::new(flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast()));
        for (name, text) in files {
            let mut header = tar::Header::new_gnu();
            header.set_size(text.len() as u64);
            header.set_mode(0o644);
            archive.append_data(&mut header, name, text.as_bytes()).unwrap();
        }
        std::fs::write(&path, archive.into_inner().unwrap().finish().unwrap()).unwrap();
        path
    }

    fn names(path: &Path, examples: bool) -> (About, Vec<String>) {
        let mut names = Vec::new();
        let about = read::<FilesError>(path, examples, |document| {
            names.push(document.name);
            Ok(())
        });
        (about.unwrap(), names)
    }

    #[test]
    fn definitions_of_a_package_are_its_files_of_json() {
        let path = package(&[
            ("package/package.json", r#"{"name":"a.b","version":"1.0.0"}"#),
            ("package/.index.json", "{}"),
            ("package/ValueSet-x.json", "{}"),
            ("package/other/readme.json", "{}"),
            ("package/readme.md", ""),
            ("package/example/Patient-x.json", "{}"),
        ]);
        let about = About { name: "a.b".into(), version: "1.0.0".into() };
        assert_eq!(names(&path, false), (about.clone(), vec!["package/ValueSet-x.json".into()]));
        assert_eq!(names(&path, true).1, ["package/ValueSet-x.json", "package/example/Patient-x.json"]);
        let packed = std::fs::read(&path).unwrap();
        std::fs::write(&path, &packed[..packed.len() / 2]).unwrap();
        assert!(matches!(read::<FilesError>(&path, false, |_| Ok(())), Err(FilesError::Unreadable { .. })));
        std::fs::remove_file(path).unwrap();
    }

    #[test]
    fn versions_of_a_definition_stand_beside_each_other() {
        let canonical = |version: &str| Canonical { url: "http://x/p".into(), version: Some(version.into()) };
        let id = |own: &str, there: &[(&str, &str)]| {
            let found = choose::<Infallible>("p", &canonical(own), |id| {
                Ok(there.iter().find(|(name, _)| *name == id).map(|(_, version)| Some(canonical(version))))
            });
            found.unwrap().unwrap()
        };
        assert_eq!(id("1", &[]), "p");
        assert_eq!(id("1", &[("p", "1")]), "p");
        assert_eq!(id("2.0+x", &[("p", "1")]), "p-2.0-x");
        assert_eq!(id("2", &[("p", "1"), ("p-2", "3")]), "p-2-2");
        let long = "x".repeat(64);
        let cut = candidates(&long, Some("1.0")).nth(1).unwrap();
        assert!(cut.len() == 64 && cut.ends_with("-1.0"));
        assert!(candidates("p", None).take(5).all(|id| crate::path::reference::is_id(&id)));
    }
}
