//! Every value set of HL7's R4 package, against the expansions that some of them carry and against the one that
//! `fhir-schemas/expansion.py` makes of the same definitions.

use super::*;
use crate::json::Node;
use std::io::Read;

/// The value sets and code systems of the package, where the folder of official data is at hand.
fn package() -> Option<Vec<String>> {
    let folder = std::env::var("FHIRLAKE_DATA").unwrap_or_else(|_| "../shared/data".to_owned());
    let Ok(file) = std::fs::File::open(format!("{folder}/r4/hl7.fhir.r4.core.tgz")) else {
        println!("skipped: no r4/hl7.fhir.r4.core.tgz in {folder}");
        return None;
    };
    let mut archive = Vec::new();
    flate2::read::MultiGzDecoder::new(file).read_to_end(&mut archive).unwrap();
    let mut texts = Vec::new();
    let mut rest = archive.as_slice();
    // tar: a header of 512 bytes, then the file in blocks of 512
    while let Some((header, after)) = rest.split_at_checked(512) {
        let field = |from: usize, to: usize| std::str::from_utf8(&header[from..to]).unwrap().trim_matches(['\0', ' ']);
        if field(0, 100).is_empty() {
            break;
        }
        let size = usize::from_str_radix(field(124, 136), 8).unwrap();
        let name = field(0, 100).strip_prefix("package/").unwrap_or_default();
        if name.starts_with("ValueSet-") || name.starts_with("CodeSystem-") {
            texts.push(String::from_utf8(after[..size].to_vec()).unwrap());
        }
        rest = &after[size.next_multiple_of(512)..];
    }
    Some(texts)
}

fn shelf() -> Option<Shelf> {
    Some(Shelf::of(package()?.iter().map(String::as_str)))
}

fn text<'a>(node: Node<'a>, key: &str) -> Option<&'a str> {
    node.get(key).and_then(Node::as_str)
}

/// Whether all that a value set draws on is in the package in full: only then it must be expanded to codes alone.
/// This reads the definition by itself, without the code under test.
fn is_closed(shelf: &Shelf, url: &str, depth: usize) -> bool {
    let Some(container) = Shelf::find(&shelf.value_sets, url.split('|').next().unwrap(), None) else { return false };
    let root = json::root(&container).unwrap();
    let parts = ["include", "exclude"].into_iter().flat_map(|kind| root.get("compose").and_then(|c| c.get(kind))).flat_map(Node::items);
    for part in parts {
        if let Some(system) = text(part, "system")
            && part.get("concept").is_none()
        {
            let version = text(part, "version");
            let Some(held) = Shelf::find(&shelf.code_systems, system, version) else { return false };
            // one filter is known to the example's own system only
            if part.get("filter").into_iter().flat_map(Node::items).any(|f| text(f, "property") == Some("acme-plasma")) {
                return false;
            }
            if text(json::root(&held).unwrap(), "content") != Some("complete") {
                return false;
            }
        }
        for other in part.get("valueSet").into_iter().flat_map(Node::items).filter_map(Node::as_str) {
            if depth == 0 || !is_closed(shelf, other, depth - 1) {
                return false;
            }
        }
    }
    true
}

#[test]
fn every_value_set_of_the_package_is_expanded_or_refused_with_a_reason() {
    let Some(mut shelf) = shelf() else { return };
    let urls: BTreeSet<String> = shelf.value_sets.keys().cloned().collect();
    assert_eq!(urls.len(), 1316);
    let (mut closed, mut codes, mut open, mut empty) = (0, 0, 0, Vec::new());
    let mut refused: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for url in &urls {
        let is_closed = is_closed(&shelf, url, 8);
        match expand(&mut shelf, url, &Limits::default()) {
            Ok(members) => {
                let wholes = members.iter().filter(|m| matches!(m, Member::WholeSystem(_))).count();
                assert!(wholes == 0 || !is_closed, "{url}");
                if members.is_empty() {
                    empty.push(url);
                }
                if is_closed { closed += 1 } else { open += 1 }
                codes += members.len() - wholes;
            }
            Err(TermError::Definition(error)) => {
                assert!(!is_closed, "{url}: {error}");
                let reason = match error {
                    DefinitionError::UnknownSystem { system, .. } => format!("system {system}"),
                    error => error.to_string(),
                };
                refused.entry(reason).or_default().push(url.clone());
            }
            Err(TermError::Source(never)) => match never {},
        }
    }
    let count: usize = refused.values().map(Vec::len).sum();
    assert_eq!(closed, 1216);
    println!("{closed} value sets expand to codes alone, {open} with parts that are not in the package; {codes} codes; {count} are refused");
    println!("without codes: {empty:?}");
    for (reason, urls) in &refused {
        println!("  {reason}: {urls:?}");
    }
    assert_eq!(closed + open + count, 1316);
}

/// The value sets that carry an expansion: it is taken as it is stored, and the definition gives the same codes where it is of
/// the same time.
#[test]
fn stored_expansions_agree_with_their_definitions() {
    let Some(texts) = package() else { return };
    let mut shelf = Shelf::of(texts.iter().map(String::as_str));
    let (mut taken, mut agreed) = (0, Vec::new());
    for definition in texts {
        let container = json::parse(definition.as_bytes(), &json::Limits::default()).unwrap();
        let root = json::root(&container).unwrap();
        let (Some(expansion), Some(url)) = (root.get("expansion"), text(root, "url")) else { continue };
        let mut stored = Vec::new();
        contained(expansion, &mut stored);
        stored.sort();
        stored.dedup();
        assert_eq!(shown(&expand(&mut shelf, url, &Limits::default()).unwrap()), stored, "{url}");
        taken += 1;
        let held = shelf.value_sets.remove(url).unwrap();
        let defined = definition.replace("\"expansion\"", "\"_expansion\"");
        shelf.add(json::parse(defined.as_bytes(), &json::Limits::default()).unwrap());
        let by_definition = expand(&mut shelf, url, &Limits::default());
        match by_definition {
            Ok(members) if shown(&members) == stored => agreed.push(url.rsplit('/').next().unwrap().to_owned()),
            Ok(members) => println!("{url}: {} codes stored, {} by definition", stored.len(), members.len()),
            Err(error) => println!("{url}: {error:?}"),
        }
        shelf.value_sets.insert(url.to_owned(), held);
    }
    println!("{taken} stored expansions; agreeing with the definition: {agreed:?}");
    // One draws on LOINC; one writes its system in two ways; one is older than six codes of its system.
    assert_eq!((taken, agreed), (4, vec!["yesnodontknow".to_owned()]));
}

/// What can be chosen of an expansion.
fn contained(node: Node, into: &mut Vec<String>) {
    for entry in node.get("contains").into_iter().flat_map(Node::items) {
        if let Some(code) = text(entry, "code").filter(|_| entry.get("abstract").is_none()) {
            into.push(format!("{}|{code}", text(entry, "system").unwrap_or("")));
        }
        contained(entry, into);
    }
}

/// The generator expands the value sets of required bindings from the same package, with code of its own.
#[test]
fn expansions_are_those_of_the_generator() {
    let Some(mut shelf) = shelf() else { return };
    let mut expected: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for line in include_str!("../../../fhir-schemas/value-sets.tsv").lines().skip(1) {
        let [url, system, codes] = line.split('\t').collect::<Vec<_>>()[..] else { panic!("{line}") };
        expected.entry(url).or_default().extend(codes.split(' ').map(|code| format!("{system}|{code}")));
    }
    for (url, codes) in &mut expected {
        codes.sort();
        let mut found = shown(&expand(&mut shelf, url, &Limits::default()).unwrap());
        found.sort();
        assert_eq!(&found, codes, "{url}");
        // and those that are compiled in are the same
        let mut implied = shown(&expand(&mut Shelf::default(), url, &Limits::default()).unwrap());
        implied.sort();
        assert_eq!(&implied, codes, "{url}");
    }
    println!("{} value sets expand as the generator expands them", expected.len());
}

/// Membership agrees with the list, for every set of the package that can be listed.
#[test]
fn membership_agrees_with_expansion() {
    let Some(mut shelf) = shelf() else { return };
    let urls: Vec<String> = shelf.value_sets.keys().cloned().collect();
    let mut lists = Vec::new();
    for url in urls {
        if let Ok(members) = expand(&mut shelf, &url, &Limits::default()) {
            lists.push((url, members));
        }
    }
    let systems: BTreeSet<String> = shelf.code_systems.keys().cloned().collect();
    let (checker, mut asked) = (Checker::new(shelf), 0);
    for (url, members) in &lists {
        let open: BTreeSet<&str> = members.iter().filter_map(|m| if let Member::WholeSystem(system) = m { Some(system.as_str()) } else { None }).collect();
        for member in members {
            let Member::Code(Coding { system, code }) = member else { continue };
            let found = checker.contains(url, system.as_deref(), None, code).unwrap();
            assert_eq!(found, Membership::Member, "{url} {system:?}|{code}");
            asked += 1;
        }
        for system in systems.iter().filter(|system| !open.contains(system.as_str())) {
            let found = checker.contains(url, Some(system), None, "no code has this name").unwrap();
            assert_eq!(found, Membership::NotMember, "{url} {system}");
            asked += 1;
        }
    }
    println!("{asked} questions about {} value sets", lists.len());
}
