//! Keys of search parameters that the specification does not define: their values lie in a `fhir.keys` of their own, one for
//! each stored SearchParameter, under a key that only says of which type they are.
//!
//! A query names such keys by their type: `$token=a|b`, `$date=ge2020`, `$string:exact=A`, and a composite by the types of
//! its components, `$token$quantity=a|b$gt5`.

use super::operand::tests;
use super::query::{Argument, Component, Leaf, Meaning, QueryError, Result, Test, invalid, shown, split_unescaped};
use super::text::fold;
use crate::model::{self, ParameterKey, ParameterType};
use std::sync::LazyLock;

/// What the name of a reserved key begins with; no search parameter of the specification does.
pub const MARK: char = '$';

/// Most components of a composite. The specification's own have up to three.
pub const MAX_COMPONENTS: usize = 3;

/// Strings behind a token parameter, which compare without case, are kept apart from codes.
const WORD: &str = "word";

/// The types that values can have, by their names in `SearchParameter.type`.
const TYPES: [(&str, ParameterType); 7] = [
    ("token", ParameterType::Token),
    ("string", ParameterType::String),
    ("reference", ParameterType::Reference),
    ("date", ParameterType::Date),
    ("number", ParameterType::Number),
    ("quantity", ParameterType::Quantity),
    ("uri", ParameterType::Uri),
];

/// The type of that name; none for `composite` and `special`, which have no values of their own.
pub fn type_named(name: &str) -> Option<ParameterType> {
    TYPES.iter().find(|(known, _)| *known == name).map(|(_, ty)| *ty)
}

/// The name of a type that has values.
pub fn type_name(ty: ParameterType) -> Option<&'static str> {
    TYPES.iter().find(|(_, known)| *known == ty).map(|(name, _)| *name)
}

/// The key of values of that type: of a parameter that is no composite at position 0, of a composite's components from 1.
/// `word` asks for that of strings behind a token.
pub fn key(position: usize, ty: ParameterType, word: bool) -> Option<ParameterKey> {
    type Row = [Option<ParameterKey>; TYPES.len() + 1];
    static KEYS: LazyLock<[Row; MAX_COMPONENTS + 1]> = LazyLock::new(|| {
        std::array::from_fn(|position| {
            let position = if position == 0 { String::new() } else { position.to_string() };
            std::array::from_fn(|i| {
                let name = TYPES.get(i).map_or(WORD, |(name, _)| name);
                model::keys_of_code(&format!("{MARK}{position}{name}")).next().map(|(key, _)| key)
            })
        })
    });
    let column = if word { TYPES.len() } else { TYPES.iter().position(|(_, known)| *known == ty)? };
    *KEYS.get(position)?.get(column)?
}

fn is_word(key: ParameterKey) -> bool {
    model::known_parameter_key(key).is_some_and(|(name, _)| name.ends_with(WORD))
}

/// The keys at a position that hold values of that type.
fn keys(position: usize, ty: ParameterType) -> impl Iterator<Item = ParameterKey> {
    let word = if ty == ParameterType::Token { key(position, ty, true) } else { None };
    key(position, ty, false).into_iter().chain(word)
}

/// The types that a name lists: one, or those of a composite's components.
pub(super) fn types(name: &str) -> Option<Vec<ParameterType>> {
    let types: Option<Vec<_>> = name.strip_prefix(MARK)?.split(MARK).map(type_named).collect();
    types.filter(|types| types.len() <= MAX_COMPONENTS)
}

pub(super) fn meanings(name: &str) -> Vec<Meaning> {
    let meaning = |key, ty| Meaning { key, ty, targets: Vec::new(), definitions: Vec::new() };
    match types(name).as_deref() {
        Some([ty]) => keys(0, *ty).map(|key| meaning(key, *ty)).collect(),
        Some([first, ..]) => key(1, *first, false).map(|key| meaning(key, ParameterType::Composite)).into_iter().collect(),
        _ => Vec::new(),
    }
}

pub(super) fn leaves(meaning: &Meaning, argument: &Argument, value: &str) -> Result<Vec<Leaf>> {
    let tests = tests(meaning.ty, &[], &[], argument, argument.modifier.as_deref(), value)?;
    Ok(tests.into_iter().map(|test| Leaf::One { parameter: meaning.key, test: folded(meaning.key, test) }).collect())
}

pub(super) fn composite(argument: &Argument, value: &str) -> Result<Vec<Leaf>> {
    if let Some(modifier) = &argument.modifier {
        return invalid(format!("modifier :{} does not apply to a composite parameter", shown(modifier)), "");
    }
    let (types, parts) = (types(&argument.name).unwrap_or_default(), split_unescaped(value, '$'));
    if types.len() != parts.len() {
        return invalid(format!("composite parameter \"{}\" takes {} values", shown(&argument.name), types.len()), "separate them with $");
    }
    let components: Result<Vec<Component>> = types
        .iter()
        .zip(parts)
        .enumerate()
        .map(|(i, (ty, part))| {
            let found = tests(*ty, &[], &[], argument, None, part)?;
            let of = |key| found.iter().map(move |test| (key, folded(key, test.clone())));
            Ok::<_, QueryError>(Component { tests: keys(i + 1, *ty).flat_map(of).collect(), anywhere: false })
        })
        .collect();
    Ok(vec![Leaf::Together(components?)])
}

/// Words are kept without case and accents, so they are searched so too.
fn folded(key: ParameterKey, test: Test) -> Test {
    let fold = |code: String| fold(&code).into_owned();
    match test {
        Test::Code(code) if is_word(key) => Test::Code(fold(code)),
        Test::CodeAndSystem { code, system } if is_word(key) => Test::CodeAndSystem { code: fold(code), system },
        test => test,
    }
}

#[cfg(test)]
mod tests_of_names {
    use super::*;
    use crate::index::Query;

    #[test]
    fn each_type_has_a_key_at_each_position() {
        let mut seen = Vec::new();
        for position in 0..=MAX_COMPONENTS {
            for (name, ty) in TYPES {
                let found = key(position, ty, false).unwrap_or_else(|| panic!("{position} {name}"));
                assert_eq!(model::parameter_key(found).1, ty);
                seen.push(found);
            }
            let word = key(position, ParameterType::Token, true).unwrap();
            assert!(is_word(word) && model::parameter_key(word).1 == ParameterType::Token);
            seen.push(word);
        }
        seen.dedup();
        assert_eq!(seen.len(), (MAX_COMPONENTS + 1) * (TYPES.len() + 1));
    }

    #[test]
    fn names_say_their_types() {
        for good in ["$token=a|b", "$token:not=a", "$string:exact=A,b", "$date=ge2020", "$quantity=lt5|s|u", "$token$quantity=a$gt5", "$uri:below=a", "$reference:missing=true"] {
            assert!(Query::parse(good).is_ok(), "{good} {:?}", Query::parse(good));
        }
        for bad in ["$=a", "$nothing=a", "$token$=a", "$token$token$token$token=a$b$c$d", "$token$date=a", "$date=x", "$token:exact=a", "$date=2020,x"] {
            assert!(Query::parse(bad).is_err(), "{bad}");
        }
    }
}
