//! Definitions made to exhaust or to confuse.

use super::*;

fn outcome(url: &str, texts: &[String], limits: Limits) -> Result<usize, DefinitionError> {
    match expand(&mut Shelf::of(texts.iter().map(String::as_str)), url, &limits) {
        Ok(members) => Ok(members.len()),
        Err(TermError::Definition(error)) => Err(error),
        Err(TermError::Source(never)) => match never {},
    }
}

fn including(url: &str, others: &[String]) -> String {
    let others: Vec<String> = others.iter().map(|other| format!(r#"{{"valueSet":["{other}"]}}"#)).collect();
    format!(r#"{{"resourceType":"ValueSet","url":"{url}","compose":{{"include":[{}]}}}}"#, others.join(","))
}

#[test]
fn value_sets_that_include_each_other_are_an_error() {
    let circle = [including("urn:a", &["urn:b".into()]), including("urn:b", &["urn:a".into()])];
    assert_eq!(outcome("urn:a", &circle, Limits::default()), Err(DefinitionError::Circular { value_set: "urn:a".into() }));
    let itself = [including("urn:a", &["urn:a|".into()])];
    assert!(matches!(outcome("urn:a", &itself, Limits::default()), Err(DefinitionError::Circular { .. })));
}

#[test]
fn value_sets_nest_so_deep_and_no_deeper() {
    let leaf = r#"{"resourceType":"ValueSet","url":"urn:0","compose":{"include":[{"system":"urn:m","concept":[{"code":"x"}]}]}}"#;
    let mut chain = vec![leaf.to_owned()];
    chain.extend((1..100).map(|n| including(&format!("urn:{n}"), &[format!("urn:{}", n - 1)])));
    let depth = Limits::default().depth;
    assert_eq!(outcome(&format!("urn:{}", depth - 1), &chain, Limits::default()), Ok(1));
    let error = outcome(&format!("urn:{depth}"), &chain, Limits::default()).unwrap_err();
    assert_eq!(error.sqlstate(), "54000");
}

/// Each includes the one below twice: without remembering, 2^30 expansions.
#[test]
fn a_value_set_is_expanded_once() {
    let leaf = r#"{"resourceType":"ValueSet","url":"urn:0","compose":{"include":[{"system":"urn:m","concept":[{"code":"x"}]}]}}"#;
    let mut chain = vec![leaf.to_owned()];
    chain.extend((1..31).map(|n| including(&format!("urn:{n}"), &[format!("urn:{}", n - 1), format!("urn:{}", n - 1)])));
    assert_eq!(outcome("urn:30", &chain, Limits::default()), Ok(1));
}

#[test]
fn size_and_cost_are_bounded() {
    let concepts: Vec<String> = (0..1000).map(|n| format!(r#"{{"code":"c{n}"}}"#)).collect();
    let system = format!(r#"{{"resourceType":"CodeSystem","url":"urn:m","content":"complete","concept":[{}]}}"#, concepts.join(","));
    let set = r#"{"resourceType":"ValueSet","url":"urn:vs","compose":{"include":[{"system":"urn:m"}]}}"#.to_owned();
    let texts = [system, set];
    assert_eq!(outcome("urn:vs", &texts, Limits { codes: 1000, ..Limits::default() }), Ok(1000));
    let error = outcome("urn:vs", &texts, Limits { codes: 999, ..Limits::default() }).unwrap_err();
    assert_eq!((error.sqlstate(), error.to_string()), ("54000", "value set urn:vs stands for more than 999 codes".to_owned()));
    assert_eq!(outcome("urn:vs", &texts, Limits { steps: 1000, ..Limits::default() }), Err(DefinitionError::TooCostly { steps: 1000 }));
    // many filters over one system cost by its size each time
    let filters = vec![r#"{"property":"concept","op":"is-a","value":"c1"}"#; 100_000].join(",");
    let costly = format!(r#"{{"resourceType":"ValueSet","url":"urn:vs","compose":{{"include":[{{"system":"urn:m","filter":[{filters}]}}]}}}}"#);
    assert!(matches!(outcome("urn:vs", &[texts[0].clone(), costly], Limits::default()), Err(DefinitionError::TooCostly { .. })));
}

#[test]
fn hierarchies_may_go_round_and_deep() {
    let circle = r#"{"resourceType":"CodeSystem","url":"urn:r","content":"complete","concept":[{"code":"a","concept":[{"code":"b","concept":[{"code":"a"}]}]},
        {"code":"s","property":[{"code":"parent","valueCode":"s"}]}]}"#;
    let found = |code| below(&mut Shelf::of([circle]), Some("urn:r"), code, &Limits::default()).unwrap().len();
    assert_eq!((found("a"), found("b"), found("s")), (2, 2, 1));
    let depth = 400;
    let deep = format!("{}{}", r#"{"code":"x","concept":["#.repeat(depth), "]}".repeat(depth));
    let deep: String = deep.split("\"x\"").enumerate().map(|(n, part)| if n == 0 { part.to_owned() } else { format!("\"x{n}\"{part}") }).collect();
    let system = format!(r#"{{"resourceType":"CodeSystem","url":"urn:d","content":"complete","concept":[{deep}]}}"#);
    let found = below(&mut Shelf::of([system.as_str()]), Some("urn:d"), "x1", &Limits::default()).unwrap();
    assert_eq!(found.len(), depth);
}

#[test]
fn malformed_definitions_are_refused_or_read_as_far_as_they_go() {
    for (compose, expected) in [
        (r#"{"include":[{}]}"#, Err("22023")),
        (r#"{"include":[{"version":"1"}]}"#, Err("22023")),
        (r#"{"include":[{"system":"urn:m","concept":[{"code":"a"}],"filter":[{"property":"code","op":"=","value":"a"}]}]}"#, Err("22023")),
        (r#"{"include":[{"system":"urn:m","filter":[{"property":"code","op":"="}]}]}"#, Err("22023")),
        (r#"{"include":[{"system":"urn:m","filter":[7]}]}"#, Err("22023")),
        (r#"{"include":7}"#, Err("22023")),
        (r#"{"include":[{"system":"urn:m","concept":[{"code":"a"},{"code":7},8,null,{}]}]}"#, Ok(1)),
        (r#"{"include":[{"system":"urn:m","concept":[7]}]}"#, Ok(0)),
        (r#"{"exclude":[{"system":"urn:m"}]}"#, Err("22023")),
        (r#"{}"#, Err("22023")),
        (r#"7"#, Err("22023")),
    ] {
        let set = format!(r#"{{"resourceType":"ValueSet","url":"urn:vs","compose":{compose}}}"#);
        let system = r#"{"resourceType":"CodeSystem","url":"urn:m","content":"complete","concept":[{"code":"a","property":[{"code":"p"},{"code":"q","valueString":{}}]},7,{"code":null,"concept":[{"code":"lost"}]}]}"#;
        let found = outcome("urn:vs", &[set, system.to_owned()], Limits::default());
        assert_eq!(found.map_err(|error| error.sqlstate()), expected, "{compose}");
    }
    let bare = r#"{"resourceType":"ValueSet","url":"urn:vs"}"#.to_owned();
    assert_eq!(outcome("urn:vs", &[bare], Limits::default()).map_err(|e| e.sqlstate()), Err("22023"));
    let mut odd = Shelf::default();
    odd.code_systems.insert("urn:x".into(), vec![(None, vec![1, 2, 3])]);
    odd.value_sets.insert("urn:x".into(), vec![(None, vec![0xFF; 64])]);
    assert_eq!(below(&mut odd, Some("urn:x"), "a", &Limits::default()).unwrap().len(), 1);
    assert!(expand(&mut odd, "urn:x", &Limits::default()).is_err());
}

/// Expressions that blow up are refused when they are read, and matching takes time in proportion to the text.
#[test]
fn regular_expressions_are_bounded() {
    let set = |regex: &str| {
        format!(r#"{{"resourceType":"ValueSet","url":"urn:vs","compose":{{"include":[{{"system":"urn:m","filter":[{{"property":"code","op":"regex","value":"{regex}"}}]}}]}}}}"#)
    };
    let system = format!(r#"{{"resourceType":"CodeSystem","url":"urn:m","content":"complete","concept":[{{"code":"{}"}}]}}"#, "a".repeat(5000));
    assert_eq!(outcome("urn:vs", &[set("((((a*)*)*)*)*b"), system.clone()], Limits::default()), Ok(0));
    assert!(outcome("urn:vs", &[set("(((a{1000}){1000}){1000})"), system.clone()], Limits::default()).is_err());
    assert!(outcome("urn:vs", &[set(&"(".repeat(10_000)), system], Limits::default()).is_err());
}
