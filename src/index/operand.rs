//! One value of a search parameter → what a row's values must be, by the parameter's type.
//!
//! <https://hl7.org/fhir/R4/search.html#ptypes>

use super::approximate;
use super::decimal::Decimal;
use super::keys::Target;
use super::near;
use super::query::{Argument, Comparison, Component, ErrorKind, Leaf, Meaning, QueryError, Range, Result, Test, Unit, invalid, not_row_local, shown, split_unescaped, unescape};
use super::reserved;
use super::sound;
use super::text::{fold, normalise};
use super::time;
use super::ucum;
use crate::model::{self, ParameterType, SearchParameter, TypeId};
use crate::path::reference::is_id;

/// What one alternative of the argument asks for.
pub(super) fn leaves(meaning: &Meaning, argument: &Argument, value: &str) -> Result<Vec<Leaf>> {
    let modifier = argument.modifier.as_deref();
    if value.is_empty() {
        return invalid(format!("search parameter \"{}\" has an empty alternative", shown(&argument.name)), "write a comma inside a value as \\,");
    }
    if meaning.ty == ParameterType::Composite {
        return if meaning.definitions.is_empty() { reserved::composite(argument, value) } else { composite(meaning, argument, value) };
    }
    if meaning.definitions.is_empty() {
        return reserved::leaves(meaning, argument, value);
    }
    if let Some(found) = versioned(meaning, modifier, value) {
        return Ok(vec![found]);
    }
    let tests = tests(meaning.ty, &meaning.targets, &meaning.definitions, argument, modifier, value)?;
    Ok(tests.into_iter().map(|test| Leaf::One { parameter: meaning.key, test }).collect())
}

/// The parameter under which resources with a canonical address have their business version.
const VERSION: &str = "version";

/// `url|version`, where resources are searched by their own canonical address: both must hold.
/// <https://hl7.org/fhir/R4/search.html#uri>
fn versioned(meaning: &Meaning, modifier: Option<&str>, value: &str) -> Option<Leaf> {
    let (ParameterType::Uri, None, [url, version]) = (meaning.ty, modifier, &split_unescaped(value, '|')[..]) else { return None };
    let own = |ty: &TypeId| model::search_parameter(*ty, VERSION).filter(|p| p.ty == ParameterType::Token);
    let parameter = meaning.definitions.iter().flat_map(|definition| definition.bases).find_map(own)?;
    let component = |key, test| Component { tests: vec![(key, test)], anywhere: true };
    Some(Leaf::Together(vec![component(meaning.key, Test::Uri(unescape(url))), component(parameter.key, Test::Code(unescape(version)))]))
}

/// `a$b`: each component's value by the meaning of its own definition, all within one element.
/// <https://hl7.org/fhir/R4/search.html#composite>
fn composite(meaning: &Meaning, argument: &Argument, value: &str) -> Result<Vec<Leaf>> {
    if let Some(modifier) = &argument.modifier {
        return invalid(format!("modifier :{} does not apply to a composite parameter", shown(modifier)), "");
    }
    let parts = split_unescaped(value, '$');
    let mut leaves = Vec::new();
    for definition in &meaning.definitions {
        if definition.components.len() != parts.len() {
            let message = format!("composite parameter \"{}\" takes {} values", definition.code, definition.components.len());
            return invalid(message, "separate them with $");
        }
        let mut together = Vec::new();
        for ((url, expression), part) in definition.components.iter().zip(&parts) {
            let Some(component) = model::search_parameter_by_url(url) else {
                return invalid(format!("composite parameter \"{}\" has a component that is not defined", definition.code), "");
            };
            let found = tests(component.ty, component.targets, &[component], argument, None, part)?;
            let tests = found.into_iter().map(|test| (component.key, test)).collect();
            together.push(Component { tests, anywhere: expression.starts_with("%resource") });
        }
        together.sort_by_key(|c| c.anywhere);
        leaves.push(Leaf::Together(together));
    }
    Ok(leaves)
}

pub(super) fn tests(
    ty: ParameterType,
    targets: &[TypeId],
    definitions: &[&'static SearchParameter],
    argument: &Argument,
    modifier: Option<&str>,
    value: &str,
) -> Result<Vec<Test>> {
    let one = |test| Ok(vec![test]);
    let wrong = |modifier: &str| {
        if matches!(modifier, "in" | "not-in" | "below" | "above") {
            return not_row_local(format!("modifier :{modifier} on \"{}\"", shown(&argument.name)));
        }
        if matches!((modifier, ty), ("text", ParameterType::String) | ("text-advanced", ParameterType::String | ParameterType::Token | ParameterType::Reference)) {
            let message = format!("modifier :{modifier} on \"{}\" is not supported", shown(&argument.name));
            let hint = if ty == ParameterType::String { "use :contains, or _content for the whole text" } else { "use :text" };
            return Err(QueryError { kind: ErrorKind::NotSupported, message, hint: Some(hint.into()) });
        }
        invalid(format!("modifier :{} does not apply to parameter \"{}\"", shown(modifier), shown(&argument.name)), "")
    };
    if let Some(modifier) = modifier.filter(|m| m.starts_with(reserved::MARK)) {
        return filter_tests(ty, targets, definitions, argument, modifier, value);
    }
    match ty {
        ParameterType::Token => match modifier {
            None | Some("not") => Ok(tokens(definitions, value)),
            Some("text") => one(Test::Display(normalise(&unescape(value)).into_owned())),
            Some("code-text") => one(Test::CodeStart(fold(&unescape(value)).into_owned())),
            Some("below") if definitions.iter().any(|definition| super::extract::reads_mime_types(definition)) => one(Test::Mime(unescape(value))),
            Some("of-type") => match split_unescaped(value, '|')[..] {
                [system, code, value] => one(Test::OfType {
                    system: (!system.is_empty()).then(|| unescape(system)),
                    code: unescape(code),
                    value: unescape(value),
                }),
                _ => invalid(":of-type takes system|code|value", ""),
            },
            Some(other) => wrong(other),
        },
        ParameterType::String => {
            let value = unescape(value);
            if definitions.iter().any(|definition| definition.code == sound::PHONETIC) {
                return match (modifier, sound::sounds(&value).as_slice()) {
                    (None, [sound]) => one(Test::Sound(sound.clone())),
                    (None, []) => invalid(format!("\"{}\" has no word to compare by its sound", shown(&value)), ""),
                    (None, _) => invalid("a search by sound takes one word at a time".to_owned(), "repeat the parameter for each word"),
                    (Some(other), _) => wrong(other),
                };
            }
            match modifier {
                None => one(Test::StringStart(normalise(&value).into_owned())),
                Some("exact") => one(Test::StringExact(value)),
                Some("contains") => one(Test::StringContains(normalise(&value).into_owned())),
                Some(other) => wrong(other),
            }
        }
        ParameterType::Uri => {
            let value = unescape(value);
            match modifier {
                None => one(Test::Uri(value)),
                Some("below") => one(Test::UriBelow(value)),
                Some("above") => one(Test::UriAbove(value)),
                Some(other) => wrong(other),
            }
        }
        ParameterType::Reference => match modifier {
            Some("text") => one(Test::Display(normalise(&unescape(value)).into_owned())),
            Some("text-advanced") => wrong("text-advanced"),
            modifier => reference(targets, argument, modifier, value),
        },
        ParameterType::Date | ParameterType::Number | ParameterType::Quantity => {
            if let Some(modifier) = modifier {
                return wrong(modifier);
            }
            let (comparison, rest) = prefix(value);
            match ty {
                ParameterType::Date => {
                    if comparison == Comparison::Ap {
                        return match approximate::read(rest) {
                            Some(interval) => one(Test::Date(comparison, interval)),
                            None => Err(QueryError {
                                kind: ErrorKind::NotRowLocal,
                                message: "prefix ap on a date depends on the clock and cannot be decided from one row".into(),
                                hint: Some("use fhir.search, which knows the time, or a range of dates with ge and le".into()),
                            }),
                        };
                    }
                    match time::parse(rest) {
                        Some(interval) => one(Test::Date(comparison, interval)),
                        None => invalid(
                            format!("\"{}\" is no date for parameter \"{}\"", shown(rest), shown(&argument.name)),
                            "write YYYY, YYYY-MM, YYYY-MM-DD or YYYY-MM-DDThh:mm[:ss[.sss]][Z|±hh:mm], after an optional eq ne gt lt ge le sa eb",
                        ),
                    }
                }
                ParameterType::Number => one(Test::Number(comparison, range(comparison, argument, rest)?)),
                _ => {
                    let parts = split_unescaped(rest, '|');
                    let range = range(comparison, argument, parts[0])?;
                    let unit = match parts[1..] {
                        [] | [""] | ["", ""] => Unit::Any,
                        [unit] => Unit::Named(unescape(unit)),
                        ["", unit] => Unit::Named(unescape(unit)),
                        [system, ""] => Unit::OfSystem(unescape(system)),
                        [system, code] => Unit::Coded { system: unescape(system), code: unescape(code) },
                        _ => return invalid(format!("\"{}\" is no quantity", shown(rest)), "write [prefix]number|system|code or [prefix]number||unit"),
                    };
                    if let Unit::Coded { system, code } = &unit
                        && let Some(known) = ucum::unit(Some(system), Some(code))
                        && let Some(range) = known.range(&range)
                    {
                        return one(Test::Quantity(comparison, range, Unit::Measured(known.measure.clone())));
                    }
                    one(Test::Quantity(comparison, range, unit))
                }
            }
        }
        ParameterType::Special if definitions.iter().any(|definition| super::extract::reads_positions(definition)) => match modifier {
            None => one(near::test(argument, value)?),
            Some(other) => wrong(other),
        },
        ParameterType::Special | ParameterType::Composite => not_row_local(format!("parameter \"{}\"", shown(&argument.name))),
    }
}

/// Operators of `_filter` that no modifier of search stands for: <https://hl7.org/fhir/R4/search_filter.html#ops>. Their
/// names begin as those of reserved keys do.
fn filter_tests(
    ty: ParameterType,
    targets: &[TypeId],
    definitions: &[&'static SearchParameter],
    argument: &Argument,
    modifier: &str,
    value: &str,
) -> Result<Vec<Test>> {
    let string = || normalise(unescape(value).trim()).into_owned();
    let order = |comparison| match string().chars().next() {
        Some(first) => Ok(vec![Test::StringOrder(comparison, first)]),
        None => invalid("an empty string has no order", ""),
    };
    match (ty, modifier) {
        (ParameterType::String, "$is") => Ok(vec![Test::StringIs(string())]),
        (ParameterType::String, "$other") => Ok(vec![Test::Other(vec![Test::StringIs(string())])]),
        (ParameterType::String, "$ends") => Ok(vec![Test::StringEnd(string())]),
        (ParameterType::String, "$gt") => order(Comparison::Gt),
        (ParameterType::String, "$ge") => order(Comparison::Ge),
        (ParameterType::String, "$lt") => order(Comparison::Lt),
        (ParameterType::String, "$le") => order(Comparison::Le),
        (ParameterType::Date, "$covers") => match time::parse(value) {
            Some(interval) => Ok(vec![Test::DateCovers(interval)]),
            None => invalid(format!("\"{}\" is no date for parameter \"{}\"", shown(value), shown(&argument.name)), ""),
        },
        // not of the specification: what conditions on the columns of a view imply
        (ParameterType::Date, "$if-any") => {
            let (comparison, rest) = prefix(value);
            let interval = if comparison == Comparison::Ap { approximate::read(rest) } else { time::parse(rest) };
            match interval {
                Some(interval) => Ok(vec![Test::DateIfAny(comparison, interval)]),
                None => invalid(format!("\"{}\" is no date for parameter \"{}\"", shown(value), shown(&argument.name)), ""),
            }
        }
        (ParameterType::Reference, "$to") => {
            let value = unescape(value);
            let (ty, id) = match value.split_once('/') {
                Some((name, id)) => (model::type_named(name).filter(|ty| super::is_resource(*ty)), id),
                None => (None, value.as_str()),
            };
            match is_id(id) && (ty.is_some() || id.len() == value.len()) {
                true => Ok(vec![Test::ReferenceTo { ty, id: id.to_owned() }]),
                false => invalid(format!("\"{}\" is no Type/id", shown(&value)), ""),
            }
        }
        (ParameterType::Token | ParameterType::Reference | ParameterType::Uri, "$other") => {
            let spellings = if ty == ParameterType::Token { spellings(value) } else { vec![value.to_owned()] };
            let equal = spellings.iter().map(|value| tests(ty, targets, definitions, argument, None, value)).collect::<Result<Vec<_>>>()?;
            Ok(vec![Test::Other(equal.concat())])
        }
        _ => invalid(format!("modifier :{} does not apply to parameter \"{}\"", shown(modifier), shown(&argument.name)), ""),
    }
}

/// A token `[system|]code` in the cases that its code is likely to be written in: as it is, lower, upper, and a capital first.
pub fn spellings(token: &str) -> Vec<String> {
    let (system, code) = match token.rsplit_once('|') {
        Some((system, code)) => (format!("{system}|"), code),
        None => (String::new(), token),
    };
    let lower = code.to_lowercase();
    let mut first = lower.chars();
    let capital = first.next().map_or(String::new(), |c| c.to_uppercase().chain(first).collect());
    let mut all = vec![token.to_owned()];
    for code in [lower, code.to_uppercase(), capital] {
        let spelling = format!("{system}{code}");
        if !all.contains(&spelling) {
            all.push(spelling);
        }
    }
    all
}

/// A token, and without its case where the parameter also reads elements of type string.
fn tokens(definitions: &[&'static SearchParameter], value: &str) -> Vec<Test> {
    let written = token(value);
    if !definitions.iter().any(|definition| super::extract::reads_strings(definition)) {
        return vec![written];
    }
    let folded = match &written {
        Test::Code(code) => Test::Code(fold(code).into_owned()),
        Test::CodeAndSystem { code, system } => Test::CodeAndSystem { code: fold(code).into_owned(), system: system.clone() },
        other => other.clone(),
    };
    if folded == written { vec![written] } else { vec![written, folded] }
}

fn token(value: &str) -> Test {
    match split_unescaped(value, '|')[..] {
        [code] => Test::Code(unescape(code)),
        [system, ""] => Test::System(unescape(system)),
        ["", code] => Test::CodeAndSystem { code: unescape(code), system: None },
        [system, code] => Test::CodeAndSystem { code: unescape(code), system: Some(unescape(system)) },
        // a bar that should have been escaped: what follows the first one is the code
        _ => {
            let (system, code) = value.split_once('|').unwrap_or(("", value));
            Test::CodeAndSystem { code: unescape(code), system: (!system.is_empty()).then(|| unescape(system)) }
        }
    }
}

fn reference(targets: &[TypeId], argument: &Argument, modifier: Option<&str>, value: &str) -> Result<Vec<Test>> {
    let full = |text: &str| match Target::read(text) {
        Some(t) => vec![Test::Reference { target: t.unversioned.to_owned(), version: t.version.map(str::to_owned) }],
        None => Vec::new(),
    };
    let of = |ty: &str, id: &str| Test::Reference { target: format!("{ty}/{id}"), version: None };
    match modifier {
        None => {}
        Some("identifier") => {
            let test = match token(value) {
                Test::Code(value) => Test::Identifier { system: None, value },
                Test::CodeAndSystem { code, system } => Test::Identifier { system: Some(system), value: code },
                _ => return invalid(":identifier takes system|value", ""),
            };
            return Ok(vec![test]);
        }
        Some(modifier @ ("below" | "above")) if unescape(value).contains(':') => {
            let (target, version) = match split_unescaped(value, '|')[..] {
                [target, version] => (unescape(target), Some(unescape(version))),
                _ => (unescape(value), None),
            };
            let below = modifier == "below";
            return Ok(vec![if below { Test::ReferenceBelow { target, version } } else { Test::ReferenceAbove { target, version } }]);
        }
        Some(name) => {
            return match model::type_named(name).filter(|ty| super::is_resource(*ty)) {
                Some(ty) => {
                    let value = unescape(value);
                    let id = value.strip_prefix(ty.name()).and_then(|rest| rest.strip_prefix('/')).unwrap_or(&value);
                    Ok(full(&format!("{}/{id}", ty.name())))
                }
                None if matches!(name, "in" | "not-in" | "below" | "above") => not_row_local(format!("modifier :{name} on a reference")),
                None => invalid(format!("modifier :{} does not apply to parameter \"{}\"", shown(name), shown(&argument.name)), ""),
            };
        }
    }
    let value = unescape(value);
    if value.contains(['/', ':', '|']) {
        return Ok(full(&value));
    }
    // an id alone: any type that the parameter may point at, and a canonical that looks like this
    let any: Vec<TypeId> = if targets.is_empty() { model::resource_types().collect() } else { targets.to_vec() };
    let mut tests: Vec<Test> = any.into_iter().filter(|ty| super::is_resource(*ty)).map(|ty| of(ty.name(), &value)).collect();
    tests.push(Test::Reference { target: value, version: None });
    Ok(tests)
}

pub(super) fn prefix(value: &str) -> (Comparison, &str) {
    let comparison = match value.as_bytes() {
        [b'e', b'q', ..] => Comparison::Eq,
        [b'n', b'e', ..] => Comparison::Ne,
        [b'g', b't', ..] => Comparison::Gt,
        [b'l', b't', ..] => Comparison::Lt,
        [b'g', b'e', ..] => Comparison::Ge,
        [b'l', b'e', ..] => Comparison::Le,
        [b's', b'a', ..] => Comparison::Sa,
        [b'e', b'b', ..] => Comparison::Eb,
        [b'a', b'p', ..] => Comparison::Ap,
        _ => return (Comparison::Eq, value),
    };
    (comparison, &value[2..])
}

/// A number as it may stand in a search, in binary.
pub(super) fn number_of(text: &str) -> Option<f64> {
    let text = text.trim();
    Decimal::parse(text).and_then(|_| text.parse().ok())
}

fn range(comparison: Comparison, argument: &Argument, text: &str) -> Result<Range> {
    let Some(number) = Decimal::parse(text.trim()) else {
        return invalid(
            format!("\"{}\" is no number for parameter \"{}\"", shown(text), shown(&argument.name)),
            "write a decimal number after an optional eq ne gt lt ge le sa eb ap",
        );
    };
    let (low, high) = if comparison == Comparison::Ap { number.tenth_around() } else { number.implied() };
    Ok(Range { value: number.encode(), low: low.encode(), high: high.encode() })
}

