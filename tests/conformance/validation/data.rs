//! The data folder: `FHIRLAKE_DATA`, or ../shared/data.

use std::io::Read;
use std::path::PathBuf;
use std::process::Command;

pub fn path(file: &str) -> PathBuf {
    let folder = std::env::var("FHIRLAKE_DATA").unwrap_or_else(|_| format!("{}/../shared/data", env!("CARGO_MANIFEST_DIR")));
    PathBuf::from(folder).join(file)
}

/// The examples of the specification, one a line.
pub fn examples() -> Option<String> {
    let file = std::fs::File::open(path("r4/r4-examples.ndjson.gz")).ok()?;
    let mut text = String::new();
    flate2::read::MultiGzDecoder::new(file).read_to_string(&mut text).ok()?;
    Some(text)
}

fn output(program: &str, arguments: &[&str], file: &str) -> Option<String> {
    let output = Command::new(program).args(arguments).arg(path(file)).output().ok()?;
    output.status.success().then(|| String::from_utf8(output.stdout).ok())?
}

/// Six patients of Synthea with profiles of US Core.
pub fn small() -> Option<String> {
    output("tar", &["xzOf"], "data/small.tgz")
}

/// The official JSON Schema.
pub fn schema() -> Option<String> {
    output("unzip", &["-p"], "r4/fhir.schema.json.zip")
}
