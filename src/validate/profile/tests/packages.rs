//! The examples of US Core against the profiles that they claim.

use super::*;
use crate::terminology::{Checker, Source, code_system::CodeSystem};
use std::convert::Infallible;
use std::io::Read;
use std::rc::Rc;
use std::sync::OnceLock;

fn folder() -> String {
    std::env::var("FHIRLAKE_DATA").unwrap_or_else(|_| "../shared/data".to_owned())
}

/// A package of definitions and examples: the path of each JSON file, and what it holds.
pub(super) struct Package {
    pub name: &'static str,
    pub files: Vec<(String, Vec<u8>)>,
}

/// Reads a package once; `None` where the data is not there.
pub(super) fn package(name: &'static str) -> Option<&'static Package> {
    static READ: [OnceLock<Option<Package>>; 5] = [const { OnceLock::new() }; 5];
    let at = PACKAGES.iter().position(|package| *package == name).unwrap_or(PACKAGES.len());
    READ[at].get_or_init(|| read(name)).as_ref()
}

fn read(name: &'static str) -> Option<Package> {
    let path = format!("{}/{name}", folder());
    let Ok(file) = std::fs::File::open(&path) else {
        println!("skipped: there is no {path}");
        return None;
    };
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(file));
    let mut files = Vec::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let path = entry.path().unwrap().to_string_lossy().into_owned();
        let wanted = ["/StructureDefinition-", "/ValueSet-", "/CodeSystem-", "/example/"].iter().any(|part| path.contains(part));
        if wanted && path.ends_with(".json") && !path.contains("/openapi/") {
            let mut text = Vec::new();
            entry.read_to_end(&mut text).unwrap();
            files.push((path, json::parse(&text, &Limits::default()).unwrap()));
        }
    }
    Some(Package { name, files })
}

impl Package {
    pub fn of<'a>(&'a self, part: &'a str) -> impl Iterator<Item = (&'a str, &'a [u8])> {
        self.files.iter().filter(move |(path, _)| path.contains(part)).map(|(path, bytes)| (path.rsplit('/').next().unwrap(), bytes.as_slice()))
    }
}

/// The profiles of packages.
pub(super) fn profiles(packages: &[&Package]) -> Files {
    let mut all = Files::default();
    for (_, bytes) in packages.iter().flat_map(|package| package.of("package/StructureDefinition-")) {
        all.add_stored(bytes.to_vec());
    }
    all
}

/// The value sets and code systems of packages.
pub(super) struct Shelf(HashMap<String, &'static [u8]>);

impl Shelf {
    pub fn of(packages: &[&'static Package]) -> Shelf {
        let mut all = HashMap::new();
        for (_, bytes) in packages.iter().flat_map(|p| p.of("package/ValueSet-").chain(p.of("package/CodeSystem-"))) {
            let node = json::root(bytes).unwrap();
            if let Some(url) = node.get("url").and_then(Node::as_str) {
                all.insert(url.to_owned(), bytes);
            }
        }
        Shelf(all)
    }
}

impl Source for Shelf {
    type Error = Infallible;

    fn value_set(&mut self, url: &str, _: Option<&str>) -> Result<Option<Vec<u8>>, Infallible> {
        Ok(self.0.get(url).map(|bytes| bytes.to_vec()))
    }

    fn value_set_by_id(&mut self, _: &str) -> Result<Option<Vec<u8>>, Infallible> {
        Ok(None)
    }

    fn code_system(&mut self, url: &str, _: Option<&str>) -> Result<Option<Rc<CodeSystem>>, Infallible> {
        Ok(self.0.get(url).and_then(|bytes| CodeSystem::read(bytes)).map(Rc::new))
    }
}

pub(super) const CORE_PACKAGE: &str = "r4/hl7.fhir.r4.core.tgz";
pub(super) const PACKAGES: [&str; 4] = ["uscore/us_core_311.tgz", "uscore/us_core_610.tgz", "uscore/us_core_700.tgz", "uscore/us_core_800.tgz"];

/// Examples that break the profiles they claim: package, file, expression and rule of the issue, and why it is right to say so.
const EXCEPTIONS: &str = include_str!("../../../../tests/conformance/profile-exceptions.tsv");

fn is_exception(package: &str, file: &str, issue: &Issue) -> bool {
    let expected = [package, file, &issue.expression, &issue.rule];
    EXCEPTIONS.lines().any(|line| line.split('\t').take(4).eq(expected))
}

#[test]
fn examples_conform_to_their_profiles() {
    let Some(core) = package(CORE_PACKAGE) else { return };
    let mut surprises = Vec::new();
    for name in PACKAGES {
        let Some(package) = package(name) else { return };
        let all = profiles(&[core, package]);
        let library = all.library();
        let terminology = Checker::new(Shelf::of(&[core, package]));
        let mut context = Context::new(&library);
        context.terminology = Some(&terminology);
        let (mut valid, mut known, mut warnings) = (0, 0, 0);
        let mut codes: HashMap<(&str, String), usize> = HashMap::new();
        for (file, bytes) in package.of("/example/") {
            let root = json::root(bytes).unwrap();
            let issues = gather(|sink| level(root, &[], &context, sink));
            let mut wrong = false;
            for issue in issues {
                if issue.severity > Severity::Error {
                    warnings += 1;
                    *codes.entry((issue.code, issue.details.chars().take(100).collect())).or_default() += 1;
                    continue;
                }
                wrong = true;
                if !is_exception(name, file, &issue) {
                    surprises.push(format!("{} {file} {issue} [{} of {}]", package.name, issue.rule, issue.profile.as_deref().unwrap_or("FHIR")));
                }
            }
            if wrong { known += 1 } else { valid += 1 }
        }
        println!("{name}: {valid} examples valid, {known} invalid, {warnings} warnings");
        if std::env::var("WARNINGS").is_ok() {
            let mut codes: Vec<_> = codes.into_iter().collect();
            codes.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
            codes.iter().for_each(|((code, details), count)| println!("    {count} {code} {details}"));
        }
    }
    assert!(surprises.is_empty(), "{}:\n{}", surprises.len(), surprises.join("\n"));
}

#[test]
fn published_definitions_compile() {
    for name in PACKAGES.into_iter().chain([CORE_PACKAGE]) {
        let Some(package) = package(name) else { return };
        let (mut count, mut rules, mut logical) = (0, 0, 0);
        for (file, bytes) in package.of("package/StructureDefinition-") {
            match Profile::compile(json::root(bytes).unwrap(), &Files::default().library()) {
                Ok(profile) => {
                    count += 1;
                    rules += profile.rules();
                }
                Err(ProfileError::Logical) => logical += 1,
                // Two of the specification come without a snapshot.
                Err(ProfileError::UnknownBase(_)) if file.contains("-example-") => {}
                Err(error) => panic!("{file}: {error}"),
            }
        }
        println!("{name}: {count} profiles with {rules} rules, and {logical} logical models");
    }
}

/// A definition of a type of FHIR itself says nothing that the base definitions do not say already.
#[test]
fn types_of_fhir_have_no_rules_of_their_own() {
    let Some(core) = package(CORE_PACKAGE) else { return };
    let mut count = 0;
    for (file, bytes) in core.of("package/StructureDefinition-") {
        let node = json::root(bytes).unwrap();
        let text = |name: &str| node.get(name).and_then(Node::as_str);
        if text("derivation") == Some("constraint") || text("kind") == Some("logical") {
            continue;
        }
        let profile = Profile::compile(node, &Files::default().library()).unwrap();
        count += 1;
        // That xhtml has no extensions is not among the base definitions.
        let more: Vec<_> = profile.rules.iter().filter(|rule| rule.says_anything() && &*rule.id != "xhtml.extension").collect();
        assert!(more.is_empty(), "{file}: {more:?}");
    }
    assert_eq!(count, 209);
}
