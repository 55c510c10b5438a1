//! Profiles that go round in circles, and resources and definitions of any size and shape.

use super::super::tree::MAX_ELEMENTS;
use super::packages::{package, profiles};
use super::*;

#[test]
fn profiles_may_refer_to_each_other() {
    let person = |name: &str, target: &str| lines(name, "Person", &format!(r#"Person.name {{"min":1}}
        Person.link.target {{"type":[{{"code":"Reference","targetProfile":["http://x/{target}"]}}]}}"#));
    let world = World::of(&[&person("a", "b"), &person("b", "a")]);
    let entry = |id: &str, other: &str, name: &str| format!(r#"{{"fullUrl":"http://s/Person/{id}","resource":{{"resourceType":"Person","meta":{{"profile":["http://x/a"]}},"id":"{id}",{name}"link":[{{"target":{{"reference":"Person/{other}"}}}}]}}}}"#);
    let bundle = |name: &str| format!(r#"{{"resourceType":"Bundle","type":"collection","entry":[{},{}]}}"#, entry("1", "2", r#""name":[{"text":"x"}],"#), entry("2", "1", name));
    world.right("", &bundle(r#""name":[{"text":"x"}],"#));
    let found = world.issues(&[], &bundle(""));
    assert!(found.iter().any(|i| i.expression == "Bundle.entry[1].resource" && i.code == "required"), "{found:#?}");
    assert!(found.iter().any(|i| i.expression == "Bundle.entry[0].resource.link[0].target"), "{found:#?}");
}

#[test]
fn a_profile_may_refer_to_itself() {
    let world = World::of(&[
        &lines("e", "Extension", r#"Extension.extension:e {"type":[{"code":"Extension","profile":["http://x/e"]}]}
            Extension.url {"fixedUri":"http://x/e"}"#),
        &lines("n", "HumanName", r#"HumanName {"type":[{"code":"HumanName","profile":["http://x/n"]}]}"#),
        &lines("p", "Patient", r#"Patient.name {"type":[{"code":"HumanName","profile":["http://x/n"]}]}"#),
        &lines("q", "Patient", r#"Patient {"constraint":[{"key":"k","severity":"error","human":"x","expression":"conformsTo('http://x/q')"}]}"#),
        &lines("item", "Questionnaire", r##"Questionnaire.item {"contentReference":"#Questionnaire.item"}"##),
    ]);
    let e = |inner: &str| format!(r#"{{"url":"http://x/e","extension":[{inner}]}}"#);
    world.right("", &format!(r#"{{"resourceType":"Patient","extension":[{}]}}"#, e(&e(r#"{"url":"http://x/e","valueCode":"x"}"#))));
    world.right("p", r#"{"resourceType":"Patient","name":[{"text":"x"}]}"#);
    let found = world.issues(&["q"], r#"{"resourceType":"Patient","active":true}"#);
    assert!(errors(found.clone()).is_empty(), "{found:#?}");
    let found = world.issues(&["item"], r#"{"resourceType":"Questionnaire","status":"draft","item":[{"linkId":"1","type":"group"}]}"#);
    assert!(found.iter().all(|i| i.code == "too-costly"), "{found:#?}");
}

#[test]
fn bases_may_not_go_round_in_a_circle() {
    let on = |name: &str, base: &str| lines(name, "Patient", "").replace("http://hl7.org/fhir/StructureDefinition/Patient", &format!("http://x/{base}"));
    let world = World::of(&[&on("a", "b"), &on("b", "c"), &on("c", "a"), &on("self", "self")]);
    let library = world.files.library();
    for name in ["a", "b", "c", "self"] {
        assert!(matches!(library.profile(&format!("http://x/{name}"), None), Err(ProfileError::UnknownBase(_))), "{name}");
    }
}

#[test]
fn a_long_chain_of_bases_ends() {
    let mut files = Files::default();
    files.add(&lines("0", "Patient", ""));
    for i in 1..2_000 {
        files.add(&lines(&i.to_string(), "Patient", "").replace("http://hl7.org/fhir/StructureDefinition/Patient", &format!("http://x/{}", i - 1)));
    }
    let library = files.library();
    assert!(library.profile("http://x/20", None).is_ok());
    assert!(library.profile("http://x/1999", None).is_err());
}

#[test]
fn definitions_are_bounded() {
    let many: Vec<String> = (0..=MAX_ELEMENTS).map(|_| r#"{"path":"Patient.name"}"#.to_owned()).collect();
    let refused = |text: &str| {
        let bytes = stored(text);
        Profile::compile(json::root(&bytes).unwrap(), &Files::default().library()).err()
    };
    assert!(matches!(refused(&profile("p", "Patient", &many.join(","), "")), Some(ProfileError::TooLarge { .. })));
    let deep = format!("Questionnaire{}", ".item".repeat(100));
    assert!(matches!(refused(&profile("p", "Questionnaire", &format!(r#"{{"path":"{deep}"}}"#), "")), Some(ProfileError::TooLarge { .. })));
    let deep = format!("Questionnaire{}", ".item".repeat(40));
    assert_eq!(refused(&profile("p", "Questionnaire", &format!(r#"{{"path":"{deep}"}}"#), "")), None);
    // Each new slice begins as a copy of the element: they may not multiply without end.
    let mut slices = String::from(r#"{"path":"Questionnaire.item"}"#);
    for depth in 1..30 {
        let path = format!("Questionnaire{}", ".item".repeat(depth));
        for slice in ["a", "b"] {
            slices.push_str(&format!(r#",{{"path":"{path}","sliceName":"{slice}"}}"#));
        }
    }
    let _ = refused(&profile("p", "Questionnaire", &slices, ""));
}

#[test]
fn deep_resources_end_with_an_issue() {
    let world = World::of(&[&lines("p", "Questionnaire", r##"
        Questionnaire.item.text {"min":1}
        Questionnaire.item.item {"contentReference":"#Questionnaire.item"}"##)]);
    let deep = |n: usize| {
        let open = r#"{"linkId":"1","type":"group","text":"x","item":["#.repeat(n);
        format!(r#"{{"resourceType":"Questionnaire","status":"draft","item":[{open}{{"linkId":"1","type":"group","text":"x"}}{}]}}"#, "]}".repeat(n))
    };
    world.right("p", &deep(40));
    let found = world.issues(&["p"], &deep(300));
    assert_eq!(found.iter().map(|i| (i.severity, i.code)).collect::<Vec<_>>(), [(Severity::Fatal, "too-costly")]);
}

#[test]
fn ten_megabytes_are_checked() {
    let Some(package) = package("uscore/us_core_610.tgz") else { return };
    let files = profiles(&[package]);
    let library = files.library();
    let (_, bytes_of_one) = package.of("/example/").find(|(file, _)| *file == "Patient-example.json").unwrap();
    let one = format!("{:?}", json::root(bytes_of_one).unwrap());
    let size: usize = std::env::var("BUNDLE").ok().and_then(|s| s.parse().ok()).unwrap_or(10_000_000);
    let count = size / one.len();
    let entries: Vec<String> = (0..count).map(|i| format!(r#"{{"fullUrl":"http://s/Patient/{i}","resource":{one}}}"#)).collect();
    let bytes = stored(&format!(r#"{{"resourceType":"Bundle","type":"collection","entry":[{}]}}"#, entries.join(",")));
    let context = Context::new(&library);
    let _ = gather(|sink| level(json::root(bytes_of_one).unwrap(), &[], &context, sink));
    let begun = std::time::Instant::now();
    let found = gather(|sink| level(json::root(&bytes).unwrap(), &[], &context, sink));
    println!("{count} patients of US Core in one Bundle of {} bytes: {:?}", bytes.len(), begun.elapsed());
    assert!(errors(found).is_empty());
    let mut few = Context::new(&library);
    few.steps = 1_000;
    let found = gather(|sink| level(json::root(&bytes).unwrap(), &[], &few, sink));
    assert_eq!(found.last().map(|i| (i.severity, i.code)), Some((Severity::Fatal, "too-costly")));
}

/// Many items, each compared with many slices.
#[test]
fn many_items_and_slices_stay_within_the_steps() {
    let slices: Vec<String> = (0..500).map(|i| format!("Patient.identifier:s{i} {{}}\nPatient.identifier:s{i}.system {{\"fixedUri\":\"{i}\"}}")).collect();
    let slicing = r#"Patient.identifier {"slicing":{"discriminator":[{"type":"value","path":"system"}],"rules":"closed"}}"#;
    let world = World::of(&[&lines("p", "Patient", &format!("{slicing}\n{}", slices.join("\n")))]);
    let items: Vec<String> = (0..2_004).map(|i| format!(r#"{{"system":"{}"}}"#, i % 501)).collect();
    let found = world.issues(&["p"], &format!(r#"{{"resourceType":"Patient","identifier":[{}]}}"#, items.join(",")));
    assert_eq!(found.len(), 4);
}

#[test]
fn damaged_bytes_give_an_answer() {
    let world = World::of(&[
        &lines("org", "Organization", r#"Organization.name {"min":1}"#),
        &lines("p", "Patient", r#"
            Patient {"constraint":[{"key":"k","severity":"error","human":"x","expression":"name.given.count() < 3"}]}
            Patient.identifier {"slicing":{"discriminator":[{"type":"value","path":"system"}],"rules":"closed"}}
            Patient.identifier:a {"min":1}
            Patient.identifier:a.system {"fixedUri":"a"}
            Patient.managingOrganization {"type":[{"code":"Reference","targetProfile":["http://x/org"]}]}
            Patient.birthDate {"min":1}"#),
    ]);
    let library = world.files.library();
    let profile = library.profile("http://x/p", None).unwrap().unwrap();
    let bytes = stored(
        r##"{"resourceType":"Patient","id":"a","birthDate":"1970-01-01","_birthDate":{"extension":[{"url":"http://x/y","valueCode":"z"}]},"identifier":[{"system":"a"},{"system":"b"}],
        "contained":[{"resourceType":"Organization","id":"o","name":"x"}],"managingOrganization":{"reference":"#o"},"name":[{"given":["a",null],"_given":[null,{"id":"x"}]}]}"##,
    );
    let mut random = 1u64;
    for _ in 0..3_000 {
        let mut damaged = bytes.clone();
        for _ in 0..3 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let at = (random >> 33) as usize % damaged.len();
            damaged[at] = (random >> 24) as u8;
        }
        if let Some(root) = json::root(&damaged) {
            let context = Context::new(&library);
            let _ = gather(|sink| level(root, std::slice::from_ref(&profile), &context, sink));
            let _ = must_support(&profile, root, &context);
            let _ = resources(root);
        }
    }
    let definition = stored(&lines("p", "Patient", r#"Patient.identifier {"slicing":{"discriminator":[{"type":"value","path":"system"}],"rules":"closed"}}
        Patient.identifier:a.system {"fixedUri":"a"}"#));
    for _ in 0..3_000 {
        let mut damaged = definition.clone();
        for _ in 0..3 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let at = (random >> 33) as usize % damaged.len();
            damaged[at] = (random >> 24) as u8;
        }
        if let Some(root) = json::root(&damaged) {
            let _ = Profile::compile(root, &library);
        }
    }
}

/// `conformsTo()` of a profile within itself, of many elements: the steps of all checks are counted together.
#[test]
fn checks_within_checks_share_their_steps() {
    let world = World::of(&[&lines("p", "Patient", r#"
        Patient {"constraint":[{"key":"k","severity":"error","human":"x","expression":"descendants().select(%resource).all(conformsTo('http://x/p'))"}]}"#)]);
    let names: Vec<String> = (0..100).map(|i| format!(r#"{{"family":"{i}","given":["a"]}}"#)).collect();
    let bytes = stored(&format!(r#"{{"resourceType":"Patient","name":[{}]}}"#, names.join(",")));
    let library = world.files.library();
    let profile = library.profile("http://x/p", None).unwrap().unwrap();
    let mut context = Context::new(&library);
    context.steps = 20_000;
    let found = gather(|sink| level(json::root(&bytes).unwrap(), std::slice::from_ref(&profile), &context, sink));
    assert_eq!(found.last().map(|i| (i.severity, i.code)), Some((Severity::Fatal, "too-costly")));
}

/// Who waits no longer gets no answer that looks like one.
#[test]
fn a_check_that_is_interrupted_breaks() {
    struct Impatient;
    impl crate::path::eval::Services for Impatient {
        fn go_on(&self) -> bool {
            false
        }
    }
    let entries = vec![r#"{"resource":{"resourceType":"Patient","name":[{"family":"a"}]}}"#; 3_000];
    let bytes = stored(&format!(r#"{{"resourceType":"Bundle","type":"collection","entry":[{}]}}"#, entries.join(",")));
    let root = json::root(&bytes).unwrap();
    for asked in [crate::validate::Level::Structure, crate::validate::Level::Invariants] {
        let mut ignore = |_| ControlFlow::Continue(());
        assert!(crate::validate::check(root, asked, &crate::validate::World::asking(&Impatient), &mut ignore).is_break());
        assert!(crate::validate::check(root, asked, &crate::validate::World::default(), &mut ignore).is_continue());
    }
}
