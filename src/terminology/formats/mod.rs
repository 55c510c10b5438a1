//! Code systems in the forms that they are published in, read into concepts.
//!
//! [`delimited`] reads CSV and TSV with a header, [`order`] the order files of ICD-10-CM, [`rrf`] RxNorm; [`object`] reads rows of a query.

pub mod delimited;
pub mod lines;
pub mod object;
pub mod order;
pub mod rrf;
#[cfg(feature = "pg")]
mod sql;
#[cfg(test)]
mod tests;

use super::code_system::{CodeSystem, Kept};
use super::concepts::{Row, rows_of};
use super::error::DefinitionError;
use crate::json::{self, Item, JsonError};
use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

/// Concepts of one load.
const MAX_CONCEPTS: usize = 5_000_000;

/// A concept as a file has it.
#[derive(Debug, Default, PartialEq)]
pub struct Draft {
    /// The line that it stands in, or the number of its row, from 1.
    pub line: u64,
    pub code: String,
    pub display: Option<String>,
    pub definition: Option<String>,
    /// Codes of what it is directly below.
    pub parents: Vec<String>,
    pub properties: Vec<(String, Value)>,
    /// Further names.
    pub synonyms: Vec<String>,
}

#[derive(Debug, PartialEq, Clone)]
pub enum Value {
    Text(String),
    Flag(bool),
}

/// Why a file could not be read as a code system.
#[derive(Debug)]
pub enum FormatError {
    /// What is wrong with a line.
    Line { file: Option<String>, line: u64, reason: String },
    /// What is wrong with the whole.
    Whole(String),
    Unreadable { file: Option<String>, error: std::io::Error },
    Definition(DefinitionError),
    Json(JsonError),
}

impl fmt::Display for FormatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FormatError::Line { file: Some(file), line, reason } => write!(f, "{file}, line {line}: {reason}"),
            FormatError::Line { file: None, line, reason } => write!(f, "line {line}: {reason}"),
            FormatError::Whole(reason) => f.write_str(reason),
            FormatError::Unreadable { file: Some(file), error } => write!(f, "could not read \"{file}\": {error}"),
            FormatError::Unreadable { file: None, error } => write!(f, "could not read the file: {error}"),
            FormatError::Definition(error) => error.fmt(f),
            FormatError::Json(error) => f.write_str(&error.message),
        }
    }
}

impl FormatError {
    pub fn at(line: u64, reason: impl Into<String>) -> FormatError {
        FormatError::Line { file: None, line, reason: reason.into() }
    }

    /// The same error in that file.
    pub fn within(self, name: &str) -> FormatError {
        match self {
            FormatError::Line { file: None, line, reason } => FormatError::Line { file: Some(name.to_owned()), line, reason },
            FormatError::Unreadable { file: None, error } => FormatError::Unreadable { file: Some(name.to_owned()), error },
            other => other,
        }
    }
}

impl From<std::io::Error> for FormatError {
    fn from(error: std::io::Error) -> FormatError {
        FormatError::Unreadable { file: None, error }
    }
}

impl From<JsonError> for FormatError {
    fn from(error: JsonError) -> FormatError {
        FormatError::Json(error)
    }
}

/// The concepts of a load, no code twice.
#[derive(Default)]
pub struct Drafts {
    list: Vec<Draft>,
    by_code: HashMap<String, u32>,
}

impl Drafts {
    /// Errors: a code that FHIR does not allow, one that was there before, too many.
    pub fn add(&mut self, draft: Draft) -> Result<(), FormatError> {
        if !is_code(&draft.code) {
            return Err(FormatError::at(draft.line, if draft.code.is_empty() { "it has no code".to_owned() } else { format!("\"{}\" is no code", shown(&draft.code)) }));
        }
        if let Some(before) = self.get(&draft.code) {
            return Err(FormatError::at(draft.line, format!("code {} stands in line {} already", shown(&draft.code), before.line)));
        }
        let at = u32::try_from(self.list.len()).ok().filter(|at| (*at as usize) < MAX_CONCEPTS);
        let at = at.ok_or_else(|| FormatError::at(draft.line, format!("there are more than {MAX_CONCEPTS} concepts")))?;
        self.by_code.insert(draft.code.clone(), at);
        self.list.push(draft);
        Ok(())
    }

    pub fn get(&self, code: &str) -> Option<&Draft> {
        self.by_code.get(code).and_then(|at| self.list.get(*at as usize))
    }

    pub fn get_mut(&mut self, code: &str) -> Option<&mut Draft> {
        self.by_code.get(code).and_then(|at| self.list.get_mut(*at as usize))
    }

    pub fn list(&self) -> &[Draft] {
        &self.list
    }

    /// The concepts as rows of a system of which `container` says what it is as a whole: its CodeSystem without concepts.
    ///
    /// Errors: a parent that is not among the codes; codes that differ in nothing but case where that does not count; a hierarchy that
    /// cannot be kept.
    pub fn rows(self, container: &[u8]) -> Result<Vec<Row>, FormatError> {
        let Some(head) = CodeSystem::head(container, "") else { return Err(FormatError::Whole("the code system is no object".to_owned())) };
        let mut listed: Vec<(Option<Vec<u8>>, Option<Vec<u8>>)> = Vec::with_capacity(self.list.len());
        let mut parents: Vec<Vec<i32>> = Vec::with_capacity(self.list.len());
        let mut keys: HashMap<Cow<str>, u64> = HashMap::new();
        for draft in &self.list {
            if let (Cow::Owned(key), line) = (head.key(&draft.code), draft.line)
                && let Some(before) = keys.insert(Cow::Owned(key), line)
            {
                return Err(FormatError::at(line, format!("code {} stands in line {before} already, in another case", shown(&draft.code))));
            }
            let mut of = Vec::new();
            for parent in &draft.parents {
                match self.by_code.get(parent) {
                    Some(at) => of.push(*at as i32),
                    None => return Err(FormatError::at(draft.line, format!("the parent \"{}\" of {} is not among the codes", shown(parent), shown(&draft.code)))),
                }
            }
            parents.push(of);
            listed.push((draft.properties()?, draft.designations()?));
        }
        let kept = self.list.iter().zip(&listed).zip(parents).enumerate().map(|(at, ((draft, (properties, designations)), parents))| Kept {
            code: &draft.code,
            display: draft.display.as_deref(),
            definition: draft.definition.as_deref(),
            properties: properties.as_deref().and_then(json::root),
            designations: designations.as_deref().and_then(json::root),
            place: at as i32,
            parents,
        });
        let system = head.with(kept);
        rows_of(&system, |at| listed.get_mut(at).map(std::mem::take).unwrap_or_default()).map_err(FormatError::Definition)
    }
}

impl Draft {
    fn properties(&self) -> Result<Option<Vec<u8>>, JsonError> {
        let items = self.properties.iter().map(|(code, value)| {
            let value = match value {
                Value::Text(text) => ("valueString".into(), Item::String(text.as_str().into())),
                Value::Flag(flag) => ("valueBoolean".into(), Item::Bool(*flag)),
            };
            Item::Object(vec![("code".into(), Item::String(code.as_str().into())), value])
        });
        array(items.collect())
    }

    fn designations(&self) -> Result<Option<Vec<u8>>, JsonError> {
        array(self.synonyms.iter().map(|name| Item::Object(vec![("value".into(), Item::String(name.as_str().into()))])).collect())
    }
}

fn array(items: Vec<Item>) -> Result<Option<Vec<u8>>, JsonError> {
    if items.is_empty() { Ok(None) } else { json::write(&Item::Array(items)).map(Some) }
}

/// <https://hl7.org/fhir/R4/datatypes.html#code>
fn is_code(text: &str) -> bool {
    !text.is_empty() && text.len() <= 1000 && !text.starts_with(char::is_whitespace) && !text.ends_with(char::is_whitespace) && !text.contains("  ") && !text.contains(['\t', '\r', '\n'])
}

/// As much of a text as an error repeats.
fn shown(text: &str) -> String {
    text.chars().take(64).collect()
}

/// What a column means. Those that are none of the others are properties, by their names.
#[derive(Clone, Debug, PartialEq)]
enum Column {
    Code,
    Display,
    Definition,
    Parent,
    Synonym,
    Flag(String),
    Property(String),
}

impl Column {
    fn named(name: &str) -> Column {
        match name.trim().to_lowercase().as_str() {
            "code" => Column::Code,
            "display" => Column::Display,
            "definition" => Column::Definition,
            "parent" | "parents" => Column::Parent,
            "designation" | "designations" | "synonym" | "synonyms" => Column::Synonym,
            "inactive" => Column::Flag("inactive".to_owned()),
            "notselectable" | "abstract" => Column::Flag("notSelectable".to_owned()),
            _ => Column::Property(name.trim().to_owned()),
        }
    }

    /// Puts a value where it belongs; nothing where it is empty.
    fn put(&self, draft: &mut Draft, value: &str) -> Result<(), String> {
        let value = value.trim();
        if value.is_empty() {
            return Ok(());
        }
        match self {
            Column::Code => draft.code = value.to_owned(),
            Column::Display => draft.display = Some(value.to_owned()),
            Column::Definition => draft.definition = Some(value.to_owned()),
            Column::Parent => draft.parents.extend(value.split(['|', ';']).map(str::trim).filter(|code| !code.is_empty()).map(str::to_owned)),
            Column::Synonym => draft.synonyms.extend(value.split('|').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned)),
            Column::Flag(name) => match value.to_lowercase().as_str() {
                "true" | "t" | "yes" | "y" | "1" => draft.properties.push((name.clone(), Value::Flag(true))),
                "false" | "f" | "no" | "n" | "0" => {}
                _ => return Err(format!("\"{}\" is neither true nor false", shown(value))),
            },
            Column::Property(name) => draft.properties.push((name.clone(), Value::Text(value.to_owned()))),
        }
        Ok(())
    }
}
