//! The examples of US Core against the profiles that they claim.

use super::*;
use std::io::Read;

fn folder() -> String {
    std::env::var("FHIRLAKE_DATA").unwrap_or_else(|_| "../shared/data".to_owned())
}

/// Path and text of each JSON file of a package.
pub(super) fn files(name: &str) -> Option<Vec<(String, String)>> {
    let path = format!("{}/{name}", folder());
    let Ok(file) = std::fs::File::open(&path) else {
        println!("skipped: there is no {path}");
        return None;
    };
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(file));
    let mut found = Vec::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let path = entry.path().unwrap().to_string_lossy().into_owned();
        if path.ends_with(".json") && !path.contains("/openapi/") && !path.contains("/other/") {
            let mut text = String::new();
            entry.read_to_string(&mut text).unwrap();
            found.push((path, text));
        }
    }
    Some(found)
}

pub(super) fn definitions(files: &[(String, String)], into: &mut Files) {
    for (path, text) in files {
        if path.contains("/StructureDefinition-") && !path.contains("/example/") {
            into.add(text);
        }
    }
}

pub(super) const PACKAGES: [&str; 4] = ["uscore/us_core_311.tgz", "uscore/us_core_610.tgz", "uscore/us_core_700.tgz", "uscore/us_core_800.tgz"];

#[test]
fn examples_conform_to_their_profiles() {
    let Some(core) = files("r4/hl7.fhir.r4.core.tgz") else { return };
    for package in PACKAGES {
        let Some(package_files) = files(package) else { return };
        let mut all = Files::default();
        definitions(&core, &mut all);
        definitions(&package_files, &mut all);
        let library = all.library();
        let context = Context::new(&library);
        let (mut valid, mut invalid, mut lines) = (0, 0, Vec::new());
        for (path, text) in package_files.iter().filter(|(path, _)| path.contains("/example/")) {
            let bytes = stored(text);
            let root = json::root(&bytes).unwrap();
            let issues = gather(|sink| level(root, &[], &context, sink));
            let wrong = errors(issues.clone());
            if wrong.is_empty() { valid += 1 } else { invalid += 1 }
            lines.extend(wrong.iter().map(|issue| format!("{} {issue} [{}] {:?}", path.rsplit('/').next().unwrap(), issue.rule, issue.profile)));
            if std::env::var("WARNINGS").is_ok() {
                lines.extend(issues.iter().filter(|i| i.severity > Severity::Error).map(|issue| format!("{} {issue}", path.rsplit('/').next().unwrap())));
            }
        }
        println!("{package}: {valid} valid, {invalid} not");
        for line in lines {
            println!("    {line}");
        }
    }
}

#[test]
fn published_definitions_compile() {
    for package in PACKAGES.into_iter().chain(["r4/hl7.fhir.r4.core.tgz"]) {
        let Some(files) = files(package) else { return };
        let mut all = Files::default();
        definitions(&files, &mut all);
        let library = all.library();
        let (mut count, mut rules) = (0, 0);
        let mut wrong = Vec::new();
        for url in all.0.keys() {
            let (url, version) = super::super::parts(url);
            match library.profile(url, version) {
                Ok(Some(profile)) => {
                    count += 1;
                    rules += profile.rules();
                }
                Ok(None) => {}
                Err(error) => wrong.push(format!("{url}: {error}")),
            }
        }
        println!("{package}: {count} compiled, {rules} rules");
        wrong.iter().for_each(|line| println!("    {line}"));
    }
}

/// A definition of a type of FHIR itself says nothing that the base definitions do not say already.
#[test]
fn types_of_fhir_have_no_rules_of_their_own() {
    let Some(core) = files("r4/hl7.fhir.r4.core.tgz") else { return };
    let mut count = 0;
    for (path, text) in core.iter().filter(|(path, _)| path.contains("/StructureDefinition-")) {
        let bytes = stored(text);
        let node = json::root(&bytes).unwrap();
        let text = |name: &str| node.get(name).and_then(Node::as_str);
        if text("derivation") == Some("constraint") || text("kind") == Some("logical") {
            continue;
        }
        let profile = Profile::compile(node, &Files::default().library()).unwrap();
        count += 1;
        // Bindings that are not required are not among the base definitions, and nor is it that xhtml has no extensions.
        let more: Vec<_> = profile.rules.iter().filter(|rule| rule.says_anything() && rule.binding.is_none() && &*rule.id != "xhtml.extension").collect();
        assert!(more.is_empty(), "{path}: {more:?}");
    }
    assert_eq!(count, 209);
}
