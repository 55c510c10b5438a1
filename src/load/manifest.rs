//! The manifest of a bulk export, whose files are at hand.
//! <https://hl7.org/fhir/uv/bulkdata/STU2/export.html#response---complete-status>

use super::balance::{items, member, string};
use std::path::{Path, PathBuf};

/// The largest one that is read.
pub const MAX: u64 = 64 * 1024 * 1024;

/// Bytes that tell whether the rest is worth reading: a folder may hold thousands of large Bundles.
pub const START: u64 = 16 * 1024;

/// Whether a file that begins so may be a manifest.
pub fn may_be(start: &[u8]) -> bool {
    ["\"transactionTime\"", "\"output\""].iter().any(|name| memchr::memmem::find(start, name.as_bytes()).is_some())
}

/// The files that a manifest lists.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Manifest {
    pub output: Vec<PathBuf>,
    /// Bundles of deletions.
    pub deleted: Vec<PathBuf>,
}

/// Why a manifest names no file.
#[derive(Debug, PartialEq, Eq)]
pub enum ManifestError {
    /// An address of the net.
    Remote(String),
    /// An item without an address.
    NoAddress,
}

impl Manifest {
    /// Reads a text that lies in `folder`; none if it is something else: a manifest is no resource and has a list of `output`.
    pub fn read(text: &[u8], folder: &Path) -> Option<Result<Manifest, ManifestError>> {
        let text = text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(text);
        if member(text, "resourceType").is_some() || !member(text, "output")?.starts_with(b"[") {
            return None;
        }
        let list = |name| -> Result<Vec<PathBuf>, ManifestError> { member(text, name).into_iter().flat_map(items).map(|item| path(item, folder)).collect() };
        Some(list("output").and_then(|output| Ok(Manifest { output, deleted: list("deleted")? })))
    }
}

fn path(item: &[u8], folder: &Path) -> Result<PathBuf, ManifestError> {
    let url = member(item, "url").and_then(|url| string(url, 4096)).filter(|url| !url.is_empty()).ok_or(ManifestError::NoAddress)?;
    let local = match url.split_once("://") {
        None => url.as_str(),
        Some((scheme, path)) if scheme.eq_ignore_ascii_case("file") && path.starts_with('/') => path,
        Some(_) => return Err(ManifestError::Remote(url.chars().take(200).collect())),
    };
    // an absolute path stays what it is
    Ok(folder.join(local))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<Result<Manifest, ManifestError>> {
        Manifest::read(text.as_bytes(), Path::new("/data"))
    }

    #[test]
    fn names_lie_beside_the_manifest() {
        let text = r#"{"transactionTime":"2021-01-01T00:00:00Z","request":"https://x.org/$export","requiresAccessToken":true,
            "output":[{"type":"Patient","url":"a.ndjson"},{"type":"Patient","url":"/other/b.ndjson"},{"type":"X","url":"file:///c.ndjson"}],
            "deleted":[{"type":"Bundle","url":"sub/d.ndjson"}],"error":[{"type":"OperationOutcome","url":"e.ndjson"}]}"#;
        let paths = |paths: &[&str]| paths.iter().map(PathBuf::from).collect();
        let expected = Manifest { output: paths(&["/data/a.ndjson", "/other/b.ndjson", "/c.ndjson"]), deleted: paths(&["/data/sub/d.ndjson"]) };
        assert_eq!(read(text), Some(Ok(expected)));
        assert!(may_be(text.as_bytes()) && !may_be(br#"{"resourceType":"Bundle","entry":[]}"#));
    }

    #[test]
    fn what_is_elsewhere_or_nowhere_is_an_error() {
        assert_eq!(read(r#"{"output":[{"url":"https://x.org/a"}]}"#), Some(Err(ManifestError::Remote("https://x.org/a".into()))));
        assert_eq!(read(r#"{"output":[{"type":"Patient"}]}"#), Some(Err(ManifestError::NoAddress)));
    }

    #[test]
    fn what_is_no_manifest_is_none() {
        for text in ["", "[]", r#"{"resourceType":"Patient","output":[]}"#, r#"{"name":"x"}"#, r#"{"output":"x"}"#] {
            assert_eq!(read(text), None);
        }
    }
}
