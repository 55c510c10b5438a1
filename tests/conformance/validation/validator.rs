//! Do we call valid what HL7's own validator calls valid? Its test cases: <https://github.com/FHIR/fhir-test-cases>, in the folder that
//! `FHIR_TEST_CASES` names.

use crate::definitions::{Definitions, Standards};
use crate::kinds::Level;
use crate::listed::Listed;
use crate::{Counts, data};
use fhirlake::json::{self, Limits};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const LIST: &str = "validator-differences.tsv";
const CORE: &str = "r4/hl7.fhir.r4.core.tgz";

/// Modules that ask for something else than whether a resource of R4 is valid, and what that is.
const LEFT_OUT: &[(&str, &str)] = &[
    ("questionnaire", "whether a QuestionnaireResponse fits its Questionnaire"),
    ("matchetype", "patterns of another language"),
    ("cdshooks", "JSON that is not FHIR"),
    ("fmt", "broken JSON, and what a parser says of it"),
    ("json5", "JSON5"),
    ("shc", "SMART Health Cards"),
    ("dsig", "digital signatures"),
    ("package-versioning", "which version of a package counts"),
    ("xver", "extensions from other versions of FHIR"),
    ("logical", "logical models"),
    ("scoring", "scores"),
    ("measure", "whether a MeasureReport fits its Measure"),
    ("security", "checks that have to be asked for"),
    ("tx-advanced", "parameters of a terminology server"),
];

/// Options that change what is asked.
const OPTIONS: &[&str] = &["logical", "matchetype", "security-checks", "for-publication", "ips", "fhir-validator-cli-options", "package-map", "scoring", "certificate", "supporting5", "advisor", "bundle-param", "validateContains", "best-practice", "noHtmlInMarkdown"];

struct Case<'c> {
    name: String,
    file: &'c str,
    supporting: Vec<&'c str>,
    packages: Vec<&'c str>,
    profile: Option<&'c str>,
    outcome: &'c Value,
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value.get(name).and_then(Value::as_str).unwrap_or("")
}

fn list<'v>(value: &'v Value, name: &str) -> Vec<&'v str> {
    value.get(name).and_then(Value::as_array).map_or(Vec::new(), |items| items.iter().filter_map(Value::as_str).collect())
}

/// The cases of one entry: the resource as such, and against a profile.
fn cases(entry: &Value) -> Vec<Case<'_>> {
    let mut out = Vec::new();
    let supporting = [list(entry, "supporting"), list(entry, "profiles")].concat();
    if let Some(outcome) = entry.get("java") {
        out.push(Case { name: text(entry, "name").to_owned(), file: text(entry, "file"), supporting: supporting.clone(), packages: list(entry, "packages"), profile: None, outcome });
    }
    if let Some(profile) = entry.get("profile")
        && let Some(outcome) = profile.get("java")
    {
        let supporting = [supporting, list(profile, "supporting")].concat();
        let packages = [list(entry, "packages"), list(profile, "packages")].concat();
        out.push(Case { name: format!("{} (profile)", text(entry, "name")), file: text(entry, "file"), supporting, packages, profile: Some(text(profile, "source")), outcome });
    }
    out
}

/// Errors of the outcome that HL7's validator is expected to give.
fn expected(folder: &Path, outcome: &Value) -> Option<Vec<String>> {
    let read;
    let outcome = match outcome {
        Value::String(file) => {
            read = serde_json::from_str::<Value>(&std::fs::read_to_string(folder.join("outcomes").join(file)).ok()?).ok()?;
            &read
        }
        object => object.get("outcome").unwrap_or(object),
    };
    if let Some(count) = outcome.get("errorCount").and_then(Value::as_u64) {
        return Some(vec!["(not told)".to_owned(); usize::try_from(count).ok()?]);
    }
    // no issue at all where it found nothing
    let issues = outcome.get("issue").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let bad = issues.iter().filter(|issue| matches!(text(issue, "severity"), "error" | "fatal"));
    Some(bad.map(|issue| format!("{} {}", issue.pointer("/expression/0").and_then(Value::as_str).unwrap_or(""), issue.pointer("/details/text").and_then(Value::as_str).unwrap_or(""))).collect())
}

/// What could not be loaded.
fn load(folder: &Path, case: &Case<'_>, definitions: &mut Definitions) -> Result<(), String> {
    for package in &case.packages {
        let file = match *package {
            "hl7.fhir.us.core#3.1.1" => data::path("uscore/us_core_311.tgz"),
            "hl7.fhir.us.core#8.0.0" => data::path("uscore/us_core_800.tgz"),
            other => folder.join(other),
        };
        definitions.package(&file).ok_or(format!("needs the package {package}"))?;
    }
    for file in case.supporting.iter().chain(&case.profile) {
        if file.starts_with("http:") || file.starts_with("https:") {
            continue;
        }
        let Some(value) = std::fs::read_to_string(folder.join(file)).ok().and_then(|text| serde_json::from_str::<Value>(&text).ok()) else {
            return Err("needs a definition in XML".to_owned());
        };
        definitions.add(&value);
        for entry in value.get("entry").and_then(Value::as_array).into_iter().flatten() {
            entry.get("resource").into_iter().for_each(|resource| definitions.add(resource));
        }
    }
    Ok(())
}

/// The url of the profile in a file.
fn profile_url(folder: &Path, source: &str) -> String {
    if source.starts_with("http:") || source.starts_with("https:") {
        return source.to_owned();
    }
    let read = std::fs::read_to_string(folder.join(source)).ok().and_then(|text| serde_json::from_str::<Value>(&text).ok());
    read.map_or(String::new(), |value| text(&value, "url").to_owned())
}

pub fn run() -> Counts {
    let Some(folder) = std::env::var_os("FHIR_TEST_CASES").map(|folder| PathBuf::from(folder).join("validator")) else {
        return Counts::skipped("FHIR_TEST_CASES names no folder with FHIR/fhir-test-cases");
    };
    let manifest = std::fs::read_to_string(folder.join("manifest.json")).ok().and_then(|text| serde_json::from_str::<Value>(&text).ok());
    let (Some(manifest), Some(core)) = (manifest, Definitions::of(&[CORE])) else {
        return Counts::skipped("no validator/manifest.json in FHIR_TEST_CASES, or no package of R4 in FHIRLAKE_DATA");
    };
    let only = std::env::args().nth(2);
    let mut listed = Listed::read(LIST);
    let mut counts = Counts::default();
    let mut left_out: BTreeMap<String, usize> = BTreeMap::new();
    let (mut both_valid, mut both_invalid, mut ours_valid, mut ours_invalid) = (0, 0, 0, 0);
    let mut unlisted = Vec::new();
    let entries = manifest.get("test-cases").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    for entry in entries.iter().filter(|entry| text(entry, "version").starts_with("4.0")) {
        let module = text(entry, "module");
        let why = if !text(entry, "file").ends_with(".json") {
            Some("not JSON".to_owned())
        } else if entry.get("use-test") == Some(&Value::Bool(false)) {
            Some("not in use".to_owned())
        } else if let Some((_, why)) = LEFT_OUT.iter().find(|(name, _)| *name == module) {
            Some(format!("{module}: {why}"))
        } else {
            OPTIONS.iter().find(|option| entry.get(**option).is_some()).map(|option| format!("asks with the option {option}"))
        };
        if let Some(why) = why {
            *left_out.entry(why).or_default() += cases(entry).len().max(1);
            continue;
        }
        for case in cases(entry) {
            if only.as_ref().is_some_and(|only| *only != case.name) {
                continue;
            }
            let mut definitions = core.clone();
            if let Err(why) = load(&folder, &case, &mut definitions) {
                *left_out.entry(why).or_default() += 1;
                continue;
            }
            let Some(theirs) = expected(&folder, case.outcome) else {
                *left_out.entry("no outcome is told".to_owned()).or_default() += 1;
                continue;
            };
            let ours = judge(&folder, &case, definitions);
            match (ours.is_empty(), theirs.is_empty()) {
                (true, true) => both_valid += 1,
                (false, false) => both_invalid += 1,
                (true, false) => ours_valid += 1,
                (false, true) => ours_invalid += 1,
            }
            if only.is_some() {
                println!("ours: {ours:#?}\ntheirs: {theirs:#?}");
            }
            if ours.is_empty() == theirs.is_empty() {
                counts.passed += 1;
                continue;
            }
            let key = format!("{}\t{}", case.name, if ours.is_empty() { "valid" } else { "invalid" });
            if listed.has(&key) {
                counts.passed += 1;
            } else {
                let told = if ours.is_empty() { &theirs } else { &ours };
                unlisted.push(format!("{key}\t[{module}] {}", told.iter().take(3).map(|t| t.chars().take(200).collect::<String>()).collect::<Vec<_>>().join(" ;; ")));
            }
        }
    }
    let all = both_valid + both_invalid + ours_valid + ours_invalid;
    println!("left out:");
    for (why, times) in &left_out {
        println!("  {times} × {why}");
    }
    println!("{all} cases: we agree on {} ({both_valid} valid, {both_invalid} invalid), {:.1} %", both_valid + both_invalid, 100.0 * f64::from(both_valid + both_invalid) / f64::from(all.max(1)));
    println!("{ours_valid} are valid to us alone, {ours_invalid} invalid to us alone, for these reasons:");
    if only.is_none() {
        counts.failed += listed.tell();
    }
    for difference in &unlisted {
        println!("FAILED: {LIST} does not list {difference}");
    }
    counts.failed += unlisted.len();
    counts
}

/// Our errors.
fn judge(folder: &Path, case: &Case<'_>, definitions: Definitions) -> Vec<String> {
    let Ok(file) = std::fs::read_to_string(folder.join(case.file)) else { return vec!["no such file".to_owned()] };
    let bytes = match json::parse(file.trim_start_matches('\u{feff}').as_bytes(), &Limits::default()) {
        Ok(bytes) => bytes,
        Err(error) => return vec![format!("{error:?}")],
    };
    let Some(node) = json::root(&bytes) else { return vec!["no JSON".to_owned()] };
    let standards = Standards::new(definitions);
    let mut profiles = Vec::new();
    if let Some(source) = case.profile {
        match standards.profile(&profile_url(folder, source)) {
            Ok(profile) => profiles.push(profile),
            Err(why) => return vec![why],
        }
    }
    standards.errors(node, Level::Profile, &profiles).into_iter().map(|issue| format!("{issue} [{}]", issue.rule)).collect()
}
