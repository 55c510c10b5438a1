//! What an export is asked for.

use crate::index::extract::HOME;
use crate::index::time;
use crate::model::{self, TypeId};
use crate::path::reference::is_id;
use crate::search::quote::query_part;
use std::fmt;

/// What the files hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Ndjson,
    Parquet,
}

/// How they are packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    None,
    Gzip,
    Zstd,
}

/// Whose resources.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subjects {
    /// Everything in the lake.
    All,
    /// What belongs to any patient.
    AnyPatient,
    /// What belongs to these, as `Patient/id`, and to the members of these groups, by their ids.
    Named { patients: Vec<String>, groups: Vec<String> },
}

#[derive(Debug, PartialEq, Eq)]
pub struct RequestError {
    pub message: String,
    pub hint: String,
}

impl RequestError {
    fn new(message: impl Into<String>, hint: impl Into<String>) -> RequestError {
        RequestError { message: message.into(), hint: hint.into() }
    }
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// The resource that lists patients, [Group](https://hl7.org/fhir/R4/group.html): `Group/[id]/$export` is an operation by itself.
pub const GROUP: &str = "Group";

impl Format {
    pub fn read(text: &str) -> Result<Format, RequestError> {
        match text.to_ascii_lowercase().as_str() {
            "ndjson" => Ok(Format::Ndjson),
            "parquet" => Ok(Format::Parquet),
            _ => Err(RequestError::new(format!("format \"{text}\" is not known"), "it is ndjson or parquet")),
        }
    }

    /// The MIME type that `_outputFormat` has for it.
    fn mime(self) -> &'static str {
        match self {
            Format::Ndjson => "application/fhir+ndjson",
            Format::Parquet => "application/vnd.apache.parquet",
        }
    }
}

impl Compression {
    /// None said: Parquet is packed by zstd, lines are not.
    pub fn read(text: Option<&str>, format: Format) -> Result<Compression, RequestError> {
        let found = match (text.map(str::to_ascii_lowercase).as_deref(), format) {
            (None, Format::Ndjson) | (Some("none"), _) => Compression::None,
            (None, Format::Parquet) | (Some("zstd"), _) => Compression::Zstd,
            (Some("gzip"), Format::Ndjson) => Compression::Gzip,
            (Some("gzip"), Format::Parquet) => {
                return Err(RequestError::new("Parquet files are not packed by gzip here", "compression is none or zstd for them"));
            }
            (Some(other), _) => {
                return Err(RequestError::new(format!("compression \"{other}\" is not known"), "it is none, gzip or zstd"));
            }
        };
        Ok(found)
    }
}

/// What a file is called behind the name of its type.
pub fn suffix(format: Format, compression: Compression) -> &'static str {
    match (format, compression) {
        (Format::Parquet, _) => ".parquet",
        (Format::Ndjson, Compression::None) => ".ndjson",
        (Format::Ndjson, Compression::Gzip) => ".ndjson.gz",
        (Format::Ndjson, Compression::Zstd) => ".ndjson.zst",
    }
}

/// All that a file of an export may be called behind the name of its type.
pub const SUFFIXES: [&str; 4] = [".parquet", ".ndjson", ".ndjson.gz", ".ndjson.zst"];

impl Subjects {
    /// Reads `Patient`, `Patient/1`, `Group/2`, or several with commas between; nothing means everything.
    pub fn read(text: Option<&str>) -> Result<Subjects, RequestError> {
        let Some(text) = text else { return Ok(Subjects::All) };
        if text.trim() == HOME {
            return Ok(Subjects::AnyPatient);
        }
        let (mut patients, mut groups) = (Vec::new(), Vec::new());
        for part in text.split(',').map(str::trim) {
            match part.split_once('/') {
                Some((HOME, id)) if is_id(id) => patients.push(part.to_owned()),
                Some((GROUP, id)) if is_id(id) => groups.push(id.to_owned()),
                _ => {
                    return Err(RequestError::new(
                        format!("\"{}\" is no patient and no group", shortened(part)),
                        format!("write {HOME} for all patients, or {HOME}/id, {GROUP}/id, or several of these with commas between"),
                    ));
                }
            }
        }
        Ok(Subjects::Named { patients, groups })
    }

    fn path(&self) -> String {
        match self {
            Subjects::All => String::new(),
            Subjects::AnyPatient => format!("{HOME}/"),
            Subjects::Named { patients, groups } => match (patients.as_slice(), groups.as_slice()) {
                ([one], []) => format!("{one}/"),
                ([], [one]) => format!("{GROUP}/{one}/"),
                _ => format!("{HOME}/"),
            },
        }
    }

    /// What the path does not say, as the parameter `patient`.
    fn listed(&self) -> Vec<String> {
        match self {
            Subjects::Named { patients, groups } if patients.len() + groups.len() > 1 => {
                patients.iter().cloned().chain(groups.iter().map(|id| format!("{GROUP}/{id}"))).collect()
            }
            _ => Vec::new(),
        }
    }
}

/// What a caller sent, in a message.
fn shortened(text: &str) -> String {
    text.chars().take(64).collect()
}

/// The types of these names, in the order of the names, each once; all if none are named.
pub fn types(names: Option<Vec<&str>>) -> Result<Vec<TypeId>, RequestError> {
    let Some(names) = names else { return Ok(model::resource_types().collect()) };
    if names.is_empty() {
        return Err(RequestError::new("the list of types is empty", "leave it out for all types"));
    }
    let mut types = Vec::new();
    for name in names {
        let ty = model::type_named(name).filter(|ty| ty.is_concrete_resource()).ok_or_else(|| {
            let name = shortened(name);
            RequestError::new(format!("there is no resource type \"{name}\""), "SELECT fhir.resource_types() lists them; case counts")
        })?;
        types.push(ty);
    }
    types.sort_by_key(|ty| ty.name());
    types.dedup();
    Ok(types)
}

/// The request as the URL that asks the same of a server of Bulk Data, for the manifest.
pub fn url(subjects: &Subjects, types: Option<&[TypeId]>, since: Option<i64>, format: Format) -> String {
    let mut parts = vec![format!("_outputFormat={}", query_part(format.mime()))];
    if let Some(types) = types {
        parts.push(format!("_type={}", types.iter().map(|ty| ty.name()).collect::<Vec<_>>().join(",")));
    }
    parts.extend(since.map(|since| format!("_since={}", time::instant_text(since))));
    parts.extend(subjects.listed().iter().map(|one| format!("patient={one}")));
    format!("{}$export?{}", subjects.path(), parts.join("&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_are_patients_and_groups() {
        let named = |patients: &[&str], groups: &[&str]| Subjects::Named {
            patients: patients.iter().map(|text| text.to_string()).collect(),
            groups: groups.iter().map(|text| text.to_string()).collect(),
        };
        assert_eq!(Subjects::read(None), Ok(Subjects::All));
        assert_eq!(Subjects::read(Some("Patient")), Ok(Subjects::AnyPatient));
        assert_eq!(Subjects::read(Some("Patient/1")), Ok(named(&["Patient/1"], &[])));
        assert_eq!(Subjects::read(Some("Patient/1, Group/g,Patient/2")), Ok(named(&["Patient/1", "Patient/2"], &["g"])));
        for odd in ["", "1", "Patient/", "Patient/a b", "Observation/1", "Group", "Patient/1,", "patient/1", "Patient/1/x"] {
            assert!(Subjects::read(Some(odd)).is_err(), "{odd}");
        }
    }

    #[test]
    fn types_are_sorted_and_known() {
        let names = |names: &[&str]| types(Some(names.to_vec())).map(|types| types.into_iter().map(TypeId::name).collect::<Vec<_>>());
        assert_eq!(names(&["Patient", "Observation", "Patient"]), Ok(vec!["Observation", "Patient"]));
        assert!(types(None).unwrap().len() > 140);
        for odd in ["patient", "Resource", "HumanName", "", "a'b"] {
            assert!(names(&[odd]).is_err(), "{odd}");
        }
        assert!(names(&[]).is_err());
    }

    #[test]
    fn a_format_says_how_it_may_be_packed() {
        assert_eq!(Compression::read(None, Format::Ndjson), Ok(Compression::None));
        assert_eq!(Compression::read(None, Format::Parquet), Ok(Compression::Zstd));
        assert_eq!(Compression::read(Some("GZIP"), Format::Ndjson), Ok(Compression::Gzip));
        assert!(Compression::read(Some("gzip"), Format::Parquet).is_err());
        assert!(Compression::read(Some("lz4"), Format::Ndjson).is_err());
        assert!(Format::read("csv").is_err());
    }

    #[test]
    fn the_manifest_tells_the_request_as_a_url() {
        let types = types(Some(vec!["Patient", "Observation"])).unwrap();
        assert_eq!(
            url(&Subjects::AnyPatient, Some(&types), Some(0), Format::Ndjson),
            "Patient/$export?_outputFormat=application/fhir%2Bndjson&_type=Observation,Patient&_since=2000-01-01T00:00:00Z"
        );
        assert!(url(&Subjects::read(Some("Group/g")).unwrap(), None, None, Format::Ndjson).starts_with("Group/g/$export?"));
        assert!(url(&Subjects::read(Some("Patient/1,Patient/2")).unwrap(), None, None, Format::Ndjson).ends_with("&patient=Patient/1&patient=Patient/2"));
    }
}
