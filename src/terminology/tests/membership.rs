//! Whether a code is in a set, against the listed set and where listing is impossible.

use super::rules::{METALS, value_set};
use super::*;

fn checker<'a>(texts: impl IntoIterator<Item = &'a str>) -> Checker<Shelf> {
    Checker::new(Shelf::of(texts))
}

/// `+` in, `-` not in, `?` not known.
fn sign(checker: &Checker<Shelf>, set: &str, coding: &str) -> char {
    let (system, code) = match coding.split_once('|') {
        Some((system, code)) => (Some(system), code),
        None => (None, coding),
    };
    match checker.contains(set, system, None, code).unwrap() {
        Membership::Member => '+',
        Membership::NotMember => '-',
        Membership::Unknown(_) => '?',
    }
}

fn signs(compose: &str, others: &[&str], codings: &[&str]) -> String {
    let set = value_set("urn:vs", compose);
    let checker = checker([METALS, &set].into_iter().chain(others.iter().copied()));
    codings.iter().map(|coding| sign(&checker, "urn:vs", coding)).collect()
}

#[test]
fn what_is_listed_is_in() {
    let listed = r#"{"include":[{"system":"urn:m","concept":[{"code":"metal"},{"code":"tin"}]},{"system":"urn:none","concept":[{"code":"x"}]}]}"#;
    let asked = ["urn:m|metal", "urn:m|tin", "urn:m|iron", "urn:n|tin", "tin", "iron", "urn:none|x", "urn:none|y"];
    assert_eq!(signs(listed, &[], &asked), "++--+-+-");
}

#[test]
fn a_system_decides_what_it_holds_and_an_unknown_one_nothing() {
    let fragment = r#"{"resourceType":"CodeSystem","url":"urn:f","content":"fragment","concept":[{"code":"a"}]}"#;
    let all = r#"{"include":[{"system":"urn:m"},{"system":"urn:f"},{"system":"urn:none"}]}"#;
    let asked = ["urn:m|iron", "urn:m|metal", "urn:m|tin", "urn:f|a", "urn:f|b", "urn:none|a", "urn:other|a"];
    assert_eq!(signs(all, &[fragment], &asked), "+--+??-");
    let checker = checker([METALS, fragment]);
    let has = |system: &str, code: &str| checker.has_code(system, None, code).unwrap();
    assert_eq!(has("urn:m", "metal"), Membership::Member);
    assert_eq!(has("urn:m", "tin"), Membership::NotMember);
    assert_eq!(has("urn:none", "tin"), Membership::Unknown("code system urn:none is not in the lake".into()));
    assert_eq!(has("urn:f", "tin"), Membership::Unknown("of code system urn:f the lake has only a part".into()));
    assert_eq!(has("urn:ietf:bcp:47", "de-CH"), Membership::Member);
    assert_eq!(has("urn:ietf:bcp:47", "de_CH"), Membership::NotMember);
    assert_eq!(checker.has_code("urn:m", Some("2"), "iron").unwrap(), Membership::Unknown("code system urn:m|2 is not in the lake".into()));
    assert_eq!(checker.display("urn:m", None, "iron").unwrap().as_deref(), Some("Iron"));
    assert_eq!(checker.display("urn:none", None, "iron").unwrap(), None);
}

#[test]
fn filters_decide_code_by_code() {
    let of = |property: &str, op: &str, value: &str| {
        let part = format!(r#"{{"include":[{{"system":"urn:m","filter":[{{"property":"{property}","op":"{op}","value":"{value}"}}]}}]}}"#);
        signs(&part, &[], &["urn:m|metal", "urn:m|iron", "urn:m|steel", "urn:m|glass", "urn:m|tin", "urn:n|iron"])
    };
    assert_eq!(of("concept", "is-a", "iron"), "-++---");
    assert_eq!(of("concept", "descendent-of", "iron"), "--+---");
    assert_eq!(of("concept", "is-not-a", "iron"), "---+--");
    assert_eq!(of("concept", "generalizes", "steel"), "-++---");
    assert_eq!(of("symbol", "=", "Fe"), "-+----");
    assert_eq!(of("symbol", "exists", "false"), "--++--");
    assert_eq!(of("code", "regex", "[is].*"), "-++---");
    // a filter that nobody can read says nothing
    assert_eq!(of("colour", "=", "red"), "-???--");
    assert_eq!(of("concept", "is-a", "tin"), "-???--");
}

#[test]
fn unknown_parts_do_not_spread() {
    let unknown = r#"{"system":"urn:none"}"#;
    let iron = r#"{"system":"urn:m","concept":[{"code":"iron"}]}"#;
    let asked = ["urn:m|iron", "urn:m|lead", "urn:none|x"];
    assert_eq!(signs(&format!(r#"{{"include":[{iron},{unknown}]}}"#), &[], &asked), "+-?");
    assert_eq!(signs(&format!(r#"{{"include":[{iron}],"exclude":[{unknown}]}}"#), &[], &asked), "+--");
    assert_eq!(signs(r#"{"include":[{"system":"urn:m","valueSet":["urn:unheard"]}]}"#, &[], &asked), "??-");
    assert_eq!(signs(r#"{"include":[{"valueSet":["urn:unheard"]},{"system":"urn:m"}]}"#, &[], &asked), "++?");
    assert_eq!(signs(r#"{"include":[{"valueSet":["urn:vs"]}]}"#, &[], &asked), "???");
    let checker = checker([METALS]);
    let why = |set: &str| checker.contains(set, Some("urn:m"), None, "iron").unwrap();
    assert_eq!(why("urn:unheard"), Membership::Unknown("value set urn:unheard is not in the lake".into()));
    assert_eq!(why("urn:m?fhir_vs"), Membership::Member);
    assert_eq!(why("urn:m?fhir_vs=isa/metal"), Membership::Member);
    assert_eq!(why("urn:m?fhir_vs=isa/lead"), Membership::NotMember);
    assert_eq!(why("http://hl7.org/fhir/ValueSet/administrative-gender|4.0.1"), Membership::NotMember);
    assert!(matches!(why("http://hl7.org/fhir/ValueSet/administrative-gender|5.0.0"), Membership::Unknown(_)));
    assert_eq!(checker.contains("http://hl7.org/fhir/ValueSet/administrative-gender", None, None, "female").unwrap(), Membership::Member);
    let other = checker.contains("http://hl7.org/fhir/ValueSet/administrative-gender", Some("urn:m"), None, "female").unwrap();
    assert_eq!(other, Membership::NotMember);
}

#[test]
fn contained_and_versioned_sets_are_found() {
    let set = r##"{"resourceType":"ValueSet","url":"urn:vs","contained":[{"resourceType":"ValueSet","id":"in","compose":{"include":[{"system":"urn:m","concept":[{"code":"lead"}]}]}}],
        "compose":{"include":[{"valueSet":["#in"]},{"system":"urn:m","version":"1","concept":[{"code":"iron"}]}]}}"##;
    let checker = checker([METALS, set]);
    assert_eq!(["urn:m|lead", "urn:m|iron", "urn:m|steel"].map(|coding| sign(&checker, "urn:vs", coding)), ['+', '+', '-']);
    let versioned = |version: &str| checker.contains("urn:vs", Some("urn:m"), Some(version), "iron").unwrap();
    assert_eq!(versioned("1"), Membership::Member);
    assert!(matches!(versioned("2"), Membership::Unknown(_)));
}

#[test]
fn case_counts_only_where_the_system_says_so() {
    let system = r#"{"resourceType":"CodeSystem","url":"urn:c","content":"complete","caseSensitive":false,"concept":[{"code":"Ab","concept":[{"code":"Abc"}]}]}"#;
    for compose in [
        r#"{"include":[{"system":"urn:c"}]}"#,
        r#"{"include":[{"system":"urn:c","concept":[{"code":"Ab"}]}]}"#,
        r#"{"include":[{"system":"urn:c","filter":[{"property":"concept","op":"is-a","value":"AB"}]}]}"#,
    ] {
        assert_eq!(signs(compose, &[system], &["urn:c|aB", "urn:c|Ab", "urn:c|x"]), "++-", "{compose}");
    }
    let expansion = r#"{"resourceType":"ValueSet","url":"urn:e","expansion":{"contains":[{"system":"urn:c","code":"Ab"},{"code":"any"}]}}"#;
    let checker = checker([system, expansion]);
    assert_eq!(["urn:c|ab", "ab", "urn:x|any", "urn:c|abc"].map(|coding| sign(&checker, "urn:e", coding)), ['+', '+', '+', '-']);
}

/// 2^30 paths through the same sets.
#[test]
fn a_set_is_asked_once() {
    let leaf = value_set("urn:0", r#"{"include":[{"system":"urn:m","concept":[{"code":"x"}]}]}"#);
    let mut chain = vec![leaf];
    chain.extend((1..31).map(|n| value_set(&format!("urn:{n}"), &format!(r#"{{"include":[{{"valueSet":["urn:{0}"]}},{{"valueSet":["urn:{0}"]}}]}}"#, n - 1))));
    let checker = checker(chain.iter().map(String::as_str));
    assert_eq!((sign(&checker, "urn:30", "urn:m|x"), sign(&checker, "urn:30", "urn:m|y")), ('+', '-'));
}

/// Seven contained sets, each of which names the next one many times: read one by one there would be billions.
#[test]
fn contained_sets_are_read_once_however_often_they_are_named() {
    let named: Vec<String> = (1..7)
        .map(|n| {
            let includes = vec![format!(r##"{{"valueSet":["#a{}"]}}"##, n + 1); 40].join(",");
            format!(r#"{{"resourceType":"ValueSet","id":"a{n}","compose":{{"include":[{includes}]}}}}"#)
        })
        .collect();
    let last = r#"{"resourceType":"ValueSet","id":"a7","compose":{"include":[{"system":"urn:m","concept":[{"code":"tin"}]}]}}"#;
    let set = |first: &str| {
        format!(
            r##"{{"resourceType":"ValueSet","url":"urn:vs","contained":[{},{last}],"compose":{{"include":[{{"valueSet":["#{first}"]}}]}}}}"##,
            named.join(",")
        )
    };
    let many = set("a1");
    let known = checker([METALS, &many]);
    assert_eq!(["urn:m|tin", "urn:m|iron"].map(|coding| sign(&known, "urn:vs", coding)), ['+', '-']);
    let circle = set("a1").replace("\"#a7\"", "\"#a1\"");
    assert_eq!(sign(&checker([METALS, &circle]), "urn:vs", "urn:m|tin"), '?');
}

/// What only groups others is left out of an include by rules, but not out of an exclude: it may have been listed.
#[test]
fn an_exclude_takes_abstract_codes_away() {
    let include = r#""include":[{"system":"urn:m","concept":[{"code":"metal"},{"code":"iron"}]}]"#;
    for exclude in [r#"{"system":"urn:m","filter":[{"property":"concept","op":"is-a","value":"metal"}]}"#, r#"{"system":"urn:m"}"#] {
        let compose = format!(r#"{{{include},"exclude":[{exclude}]}}"#);
        assert_eq!(signs(&compose, &[], &["urn:m|metal", "urn:m|iron"]), "--", "{exclude}");
        let set = value_set("urn:vs", &compose);
        let members = expand(&mut Shelf::of([METALS, set.as_str()]), "urn:vs", &Limits::default());
        assert_eq!(members.map(|members| members.len()).unwrap_or(99), 0, "{exclude}");
    }
}

#[test]
fn a_regular_expression_stands_for_itself() {
    let compose = r#"{"include":[{"system":"urn:m","filter":[{"property":"code","op":"regex","value":"tin)|(?:iro.*"}]}]}"#;
    assert_eq!(signs(compose, &[], &["urn:m|iron", "urn:m|lead"]), "??");
}

/// Two versions of a system: what a set pins is what it means, and shows.
#[test]
fn versions_of_a_system_are_told_apart() {
    let version = |n: u8, codes: &str| {
        format!(r#"{{"resourceType":"CodeSystem","url":"urn:cs","version":"{n}","content":"complete","property":[{{"code":"status","type":"code"}}],"concept":[{codes}]}}"#)
    };
    let one = version(1, r#"{"code":"a","display":"Alpha one","designation":[{"value":"Alef"}],"property":[{"code":"status","valueCode":"retired"}]},{"code":"old","display":"Old"}"#);
    let two = version(2, r#"{"code":"a","display":"Alpha TWO"},{"code":"new","display":"New"}"#);
    let pinned = value_set("urn:v1", r#"{"include":[{"system":"urn:cs","version":"1"}]}"#);
    let any = value_set("urn:vn", r#"{"include":[{"system":"urn:cs"}]}"#);
    let own = value_set("urn:vd", r#"{"include":[{"system":"urn:cs","concept":[{"code":"a","display":"My Alpha"}]}]}"#);
    let shelf = || Shelf::of([&one, &two, &pinned, &any, &own].map(String::as_str));
    let shown = page::page(&mut shelf(), "urn:v1", &page::Wanted::default(), &Limits::default()).map(|page| page.entries).unwrap_or_default();
    let shown: Vec<_> = shown.iter().map(|entry| (entry.coding.code.as_str(), entry.display.as_deref(), entry.is_inactive)).collect();
    assert_eq!(shown, [("a", Some("Alpha one"), true), ("old", Some("Old"), false)]);
    let said = |set: &str, version: Option<&str>, code: &str, display: Option<&str>| {
        let question = verdict::Question { value_set: Some(set), system: Some("urn:cs"), version, code, display };
        verdict::verdict(&mut shelf(), &mut super::super::membership::Cache::default(), &Limits::default(), &question).unwrap().and_then(|verdict| verdict.result)
    };
    assert_eq!(said("urn:v1", None, "a", Some("Alpha one")), Some(true));
    assert_eq!(said("urn:v1", None, "a", Some("Alef")), Some(true));
    assert_eq!(said("urn:v1", None, "a", Some("Alpha TWO")), Some(false));
    assert_eq!(said("urn:vd", None, "a", Some("My Alpha")), Some(true));
    assert_eq!(said("urn:vd", None, "a", Some("Beta")), Some(false));
    assert_eq!([("1", "new"), ("1", "old"), ("2", "new"), ("2", "old"), ("3", "new")].map(|(version, code)| said("urn:vn", Some(version), code, None)),
        [Some(false), Some(true), Some(true), Some(false), Some(true)]);
}
