//! Search parameters over the findings in the text of resources: `entity-code`, `entity-text`, `entity-certainty` and so on, and the names
//! that HealthLake has for them.
//!
//! Parameters of one request speak of one finding: `entity-code=…|I10&entity-certainty=positive` asks for a finding that is both.
//! Where a name comes again, another finding begins. Values joined by `$` under names joined by `-` are of one finding as well, which
//! also holds behind a chain: `_has:DocumentReference:subject:entity-code-certainty=…|I10$positive`.

use super::quote::literal;
use super::statement::row_search;
use crate::index::keys::{Entry, Value, Writer};
use crate::index::query::{Argument, ErrorKind, Query, QueryError, shown, split_unescaped, unescape};
use crate::index::reserved;
use crate::json::Node;
use crate::model::ParameterType;

mod number;
#[cfg(feature = "pg")]
mod sql;
#[cfg(test)]
mod tests;

use number::Bound;

type Result<T> = std::result::Result<T, QueryError>;

/// What all names of these parameters begin with.
const PREFIX: &str = "entity-";
const ICD_10_CM: &str = "http://hl7.org/fhir/sid/icd-10-cm";
const RXNORM: &str = "http://www.nlm.nih.gov/research/umls/rxnorm";

/// A parameter, by what it is of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Code,
    Text,
    Score,
    /// A column of words: its name, and whether the words are in capitals.
    Word { column: &'static str, capitals: bool },
}

/// The parameters, with what they are called behind [`PREFIX`], and their type for a CapabilityStatement.
pub const PARTS: &[(&str, Part, &str)] = &[
    ("category", Part::Word { column: "category", capitals: true }, "token"),
    ("certainty", Part::Word { column: "certainty", capitals: false }, "token"),
    ("code", Part::Code, "token"),
    ("conditionality", Part::Word { column: "conditionality", capitals: false }, "token"),
    ("score", Part::Score, "number"),
    ("section", Part::Word { column: "section", capitals: false }, "token"),
    ("subject", Part::Word { column: "subject", capitals: false }, "token"),
    ("temporality", Part::Word { column: "temporality", capitals: false }, "token"),
    ("text", Part::Text, "string"),
    ("type", Part::Word { column: "kind", capitals: true }, "token"),
];

/// What must hold of a finding.
#[derive(Clone, Debug, PartialEq)]
pub struct Test {
    part: Part,
    negated: bool,
    asked: Asked,
}

#[derive(Clone, Debug, PartialEq)]
enum Asked {
    Present,
    /// An argument of `|=` on its keys.
    Keys(Argument),
    Words(Vec<String>),
    Scores(Vec<Bound>),
    /// A concept of that code system with such a score.
    ConceptScores { system: &'static str, scores: Vec<Bound> },
}

/// What an argument asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum Asking {
    /// A finding that passes these tests; with `open`, other arguments may say more of the same finding.
    Finding { tests: Vec<Test>, open: bool },
    /// There is no finding that has this.
    None { tests: Vec<Test> },
}

fn refuse<T>(message: String, hint: &str) -> Result<T> {
    Err(QueryError { kind: ErrorKind::Invalid, message, hint: (!hint.is_empty()).then(|| hint.to_owned()) })
}

/// What the argument asks for, if its name is one of these parameters; else `None`.
pub fn read(argument: &Argument) -> Result<Option<Asking>> {
    let (name, modifier) = (argument.name.as_str(), argument.modifier.as_deref());
    if let Some(asking) = of_healthlake(argument)? {
        return Ok(Some(asking));
    }
    let Some(parts) = parts(name) else { return Ok(None) };
    if argument.value.is_empty() {
        return refuse(format!("search parameter \"{}\" has no value", shown(name)), "");
    }
    if let [part] = parts[..] {
        return single(name, part, modifier, &argument.value).map(Some);
    }
    together(name, modifier, &parts.iter().map(|part| (*part, None)).collect::<Vec<_>>(), &argument.value, '$').map(Some)
}

/// The type of a parameter of that name; a list of several is a composite.
pub fn parameter_type(name: &str) -> Option<ParameterType> {
    match parts(name)?.as_slice() {
        [Part::Score] => Some(ParameterType::Number),
        [Part::Text] => Some(ParameterType::String),
        [_] => Some(ParameterType::Token),
        _ => Some(ParameterType::Composite),
    }
}

/// The parts that a name lists: `entity-code-certainty`.
fn parts(name: &str) -> Option<Vec<Part>> {
    let named = |name: &str| PARTS.iter().find(|(known, ..)| *known == name).map(|(_, part, _)| *part);
    let parts: Option<Vec<Part>> = name.strip_prefix(PREFIX)?.split('-').map(named).collect();
    parts.filter(|parts| (1..=4).contains(&parts.len()))
}

fn single(name: &str, part: Part, modifier: Option<&str>, value: &str) -> Result<Asking> {
    match modifier {
        Some("missing") => match value {
            "true" => Ok(Asking::None { tests: vec![Test { part, negated: false, asked: Asked::Present }] }),
            "false" => Ok(Asking::Finding { tests: vec![Test { part, negated: false, asked: Asked::Present }], open: true }),
            _ => refuse(format!("\"{}\" is no value for :missing", shown(value)), "write true or false"),
        },
        Some("not") if !matches!(part, Part::Text | Part::Score) => {
            Ok(Asking::Finding { tests: vec![Test { negated: true, ..test(name, part, None, value)? }], open: true })
        }
        modifier => Ok(Asking::Finding { tests: vec![test(name, part, modifier, value)?], open: true }),
    }
}

/// Values of one finding, parted by a character. Of several alternatives one must be met: so each is a finding of its own.
fn together(name: &str, modifier: Option<&str>, parts: &[(Part, Option<&'static str>)], value: &str, separator: char) -> Result<Asking> {
    if modifier.is_some() {
        return refuse(format!("search parameter \"{}\" takes no modifier", shown(name)), "");
    }
    let values = split_unescaped(value, separator);
    // a code may itself be system|code
    let values: Vec<String> = match (separator, values.len().checked_sub(parts.len())) {
        ('$', Some(0)) | ('|', Some(0)) => values.iter().map(|v| (*v).to_owned()).collect(),
        _ => return refuse(format!("search parameter \"{}\" takes {} values", shown(name), parts.len()), &format!("separate them with {separator}")),
    };
    let tests = parts.iter().zip(&values).map(|((part, system), value)| match (part, system) {
        (Part::Code, Some(system)) => test(name, Part::Code, None, &format!("{system}|{value}")),
        (Part::Score, Some(system)) => Ok(Test { part: Part::Score, negated: false, asked: Asked::ConceptScores { system, scores: Bound::read_all(name, value)? } }),
        (part, _) => test(name, *part, None, value),
    });
    Ok(Asking::Finding { tests: tests.collect::<Result<_>>()?, open: false })
}

fn test(name: &str, part: Part, modifier: Option<&str>, value: &str) -> Result<Test> {
    let asked = match part {
        Part::Score if modifier.is_none() => Asked::Scores(Bound::read_all(name, value)?),
        Part::Word { capitals, .. } if modifier.is_none() => Asked::Words(words(name, value, capitals)?),
        Part::Score | Part::Word { .. } => {
            return refuse(format!("modifier :{} does not apply to parameter \"{}\"", shown(modifier.unwrap_or_default()), shown(name)), "");
        }
        Part::Code | Part::Text => Asked::Keys(keys_argument(name, part, modifier, value)?),
    };
    Ok(Test { part, negated: false, asked })
}

/// The argument that asks the keys of a finding.
fn keys_argument(name: &str, part: Part, modifier: Option<&str>, value: &str) -> Result<Argument> {
    let ty = if part == Part::Code { "token" } else { "string" };
    let renamed = format!("{}{ty}", reserved::MARK);
    let argument = Argument { name: renamed.clone(), modifier: modifier.map(str::to_owned), value: value.to_owned() };
    match Query::from_arguments(None, std::slice::from_ref(&argument)) {
        Ok(_) => Ok(argument),
        // the client knows the parameter by its own name
        Err(error) => Err(QueryError { message: error.message.replace(&renamed, &shown(name)), ..error }),
    }
}

/// Words have no system: `|word` is the same as `word`.
fn words(name: &str, value: &str, capitals: bool) -> Result<Vec<String>> {
    let word = |alternative: &str| {
        let word = unescape(alternative.strip_prefix('|').unwrap_or(alternative));
        match word.as_str() {
            "" => refuse(format!("search parameter \"{}\" has an empty alternative", shown(name)), ""),
            _ => Ok(if capitals { word.to_uppercase() } else { word.to_lowercase() }),
        }
    };
    split_unescaped(value, ',').into_iter().map(word).collect()
}

/// The names of HealthLake for searches of the findings of its integrated NLP, as its developer guide lists them.
fn of_healthlake(argument: &Argument) -> Result<Option<Asking>> {
    const CATEGORY: Part = Part::Word { column: "category", capitals: true };
    const KIND: Part = Part::Word { column: "kind", capitals: true };
    let (name, modifier, value) = (argument.name.as_str(), argument.modifier.as_deref(), argument.value.as_str());
    let (group, rest) = match name.split_once("-entity-") {
        Some(parts) => parts,
        None => return Ok(None),
    };
    let (system, category) = match group {
        "detectEntities" => (None, None),
        "infer-icd10cm" => (Some(ICD_10_CM), Some("MEDICAL_CONDITION")),
        "infer-rxnorm" => (Some(RXNORM), Some("MEDICATION")),
        _ => return Ok(None),
    };
    if value.is_empty() {
        return refuse(format!("search parameter \"{}\" has no value", shown(name)), "");
    }
    let one = |part: Part| -> Result<Asking> {
        let mut asking = single(name, part, modifier, value)?;
        if let (Asking::Finding { tests, open }, Some(category)) = (&mut asking, category) {
            tests.push(Test { part: CATEGORY, negated: false, asked: Asked::Words(vec![category.to_owned()]) });
            *open = false;
        }
        Ok(asking)
    };
    let both = |parts: &[(Part, Option<&'static str>)]| together(name, modifier, parts, value, '|');
    let concept = |part: Part| (part, system);
    Ok(Some(match (system, rest) {
        (None, "category") => one(CATEGORY)?,
        (None, "type") => one(KIND)?,
        (_, "text") => one(Part::Text)?,
        (_, "score") => one(Part::Score)?,
        (None, "text-category") => both(&[(Part::Text, None), (CATEGORY, None)])?,
        (None, "type-score") => both(&[(KIND, None), (Part::Score, None)])?,
        (None, "text-score") => both(&[(Part::Text, None), (Part::Score, None)])?,
        (None, "text-type") => both(&[(Part::Text, None), (KIND, None)])?,
        (None, "category-score") => both(&[(CATEGORY, None), (Part::Score, None)])?,
        (Some(system), "concept-code") if modifier.is_none() => {
            let codes: Vec<String> = split_unescaped(value, ',').into_iter().map(|code| format!("{system}|{code}")).collect();
            Asking::Finding { tests: vec![test(name, Part::Code, None, &codes.join(","))?], open: false }
        }
        (Some(_), "concept-description") if modifier.is_none() => Asking::Finding { tests: described(name, value, category)?, open: false },
        (Some(system), "concept-score") if modifier.is_none() => {
            let asked = Asked::ConceptScores { system, scores: Bound::read_all(name, value)? };
            Asking::Finding { tests: vec![Test { part: Part::Score, negated: false, asked }], open: false }
        }
        (Some(_), "text-concept-code") => both(&[(Part::Text, None), concept(Part::Code)])?,
        (Some(_), "text-concept-score") => both(&[(Part::Text, None), concept(Part::Score)])?,
        (Some(system), "concept-description-concept-score") => match split_unescaped(value, '|')[..] {
            [description, score] if modifier.is_none() => {
                let mut tests = described(name, description, category)?;
                tests.push(Test { part: Part::Score, negated: false, asked: Asked::ConceptScores { system, scores: Bound::read_all(name, score)? } });
                Asking::Finding { tests, open: false }
            }
            _ => return refuse(format!("search parameter \"{}\" takes 2 values", shown(name)), "separate them with |"),
        },
        _ => return Ok(None),
    }))
}

/// The display of a concept begins so.
fn described(name: &str, value: &str, category: Option<&str>) -> Result<Vec<Test>> {
    let mut tests = vec![test(name, Part::Code, Some("text"), value)?];
    tests.extend(category.map(|category| Test {
        part: Part::Word { column: "category", capitals: true },
        negated: false,
        asked: Asked::Words(vec![category.to_owned()]),
    }));
    Ok(tests)
}

/// Adds tests to findings, the last of which may still be asked more of: where a part comes again, another finding begins. A score may
/// be bounded twice, and what must not hold may be said as often as one likes.
pub fn join(findings: &mut Vec<Vec<Test>>, tests: Vec<Test>) {
    for test in tests {
        let again = |known: &Test| known.part == test.part && !known.negated && !test.negated && test.part != Part::Score;
        match findings.last_mut() {
            Some(last) if !last.iter().any(again) => last.push(test),
            _ => findings.push(vec![test]),
        }
    }
}

/// What is asked of a finding in the row of that alias, as SQL. The caller has tied it to its resource.
pub fn conditions(finding: &str, tests: &[Test]) -> Vec<String> {
    tests.iter().map(|test| if test.negated { format!("NOT ({})", test.condition(finding)) } else { test.condition(finding) }).collect()
}

/// Whether nothing is asked but what must not be: then no finding may be so, and there need not be any.
pub fn only_negated(tests: &[Test]) -> bool {
    tests.iter().all(|test| test.negated)
}

/// The opposite of what a test asks.
pub fn affirmed(test: &Test) -> Test {
    Test { negated: false, ..test.clone() }
}

impl Test {
    fn condition(&self, finding: &str) -> String {
        let any = |bounds: &[Bound], value: &str| {
            let all: Vec<String> = bounds.iter().map(|bound| bound.condition(value)).collect();
            if all.len() == 1 { all.concat() } else { format!("({})", all.join(" OR ")) }
        };
        match (&self.asked, self.part) {
            (Asked::Present, Part::Code) => format!("{finding}.search OPERATOR(fhir.|=) '{}token:missing=false'::fhir.query", reserved::MARK),
            (Asked::Present, Part::Word { column, .. }) => format!("{finding}.{column} OPERATOR(pg_catalog.<>) ''"),
            (Asked::Present, _) => "true".to_owned(),
            (Asked::Keys(argument), _) => {
                format!("{finding}.search OPERATOR(fhir.|=) {}::fhir.query", literal(row_search(None, "", std::slice::from_ref(argument)).trim_start_matches('?')))
            }
            (Asked::Words(words), Part::Word { column, .. }) => match words.as_slice() {
                [word] => format!("{finding}.{column} OPERATOR(pg_catalog.=) {}", literal(word)),
                words => format!("{finding}.{column} OPERATOR(pg_catalog.=) ANY (ARRAY[{}])", words.iter().map(|word| literal(word)).collect::<Vec<_>>().join(", ")),
            },
            (Asked::Words(_), _) => "false".to_owned(),
            (Asked::Scores(bounds), _) => any(bounds, &format!("{finding}.score")),
            (Asked::ConceptScores { system, scores }, _) => format!(
                "EXISTS (SELECT FROM pg_catalog.jsonb_array_elements({finding}.concepts) c WHERE c OPERATOR(pg_catalog.->>) 'system' OPERATOR(pg_catalog.=) {} AND {})",
                literal(system),
                any(scores, "(c OPERATOR(pg_catalog.->>) 'score')::pg_catalog.float4")
            ),
        }
    }
}

/// What a finding can be found by: its words, and of each concept `{system, code, display}` code and display.
pub fn keys(text: &str, concepts: Node) -> Vec<u8> {
    let mut writer = Writer::new("");
    let keys = (reserved::key(0, ParameterType::String, false), reserved::key(0, ParameterType::Token, false));
    if let (Some(string), _) = keys
        && !text.is_empty()
    {
        writer.push(&Entry { parameter: string, element: 0, value: Value::String(text) });
    }
    let Some(token) = keys.1 else { return writer.finish() };
    let text = |node: Node<'_>, name: &str| node.get(name).and_then(Node::as_str).filter(|s| !s.is_empty()).map(str::to_owned);
    for concept in concepts.items() {
        if let Some(code) = text(concept, "code") {
            writer.push(&Entry { parameter: token, element: 0, value: Value::Token { system: text(concept, "system").as_deref(), code: &code } });
        }
        if let Some(display) = text(concept, "display") {
            writer.push(&Entry { parameter: token, element: 0, value: Value::Display(&display) });
        }
    }
    writer.finish()
}

/// The codes of concepts as `system|code`, in their order.
pub fn codes(concepts: Node) -> Vec<String> {
    let text = |node: Node<'_>, name: &str| node.get(name).and_then(Node::as_str).map(str::to_owned);
    concepts.items().filter_map(|concept| Some(format!("{}|{}", text(concept, "system").unwrap_or_default(), text(concept, "code")?))).collect()
}
