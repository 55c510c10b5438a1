//! `%name` in the paths of a ViewDefinition: each constant becomes the FHIRPath literal that it stands for, so that a view is complete in itself.
//! <https://sql-on-fhir.org/ig/2.0.0/StructureDefinition-ViewDefinition-definitions.html#ViewDefinition.constant>

use super::definition::MAX_CONSTANTS;
use super::error::ViewError;
use crate::json::Node;
use crate::path::PathError;
use crate::path::lexer::{Token, tokens};

/// What FHIRPath and SQL on FHIR define by themselves.
const KNOWN: &[&str] = &["resource", "rootResource", "context", "ucum", "sct", "loinc", ROW_INDEX];

/// The number of the row of the nearest forEach, from 0.
pub const ROW_INDEX: &str = "rowIndex";

/// Constants with the literals that they stand for.
#[derive(Default, Debug)]
pub struct Constants(Vec<(String, String)>);

impl Constants {
    /// Reads `ViewDefinition.constant`.
    pub fn read(node: Option<Node<'_>>, at: &str) -> Result<Constants, ViewError> {
        let mut constants = Vec::new();
        for (number, node) in node.into_iter().flat_map(Node::items).enumerate() {
            let at = format!("{at}[{number}]");
            if number >= MAX_CONSTANTS {
                return Err(ViewError::new(&at, format!("a view has at most {MAX_CONSTANTS} constants")));
            }
            let name = node.get("name").and_then(Node::as_str).ok_or_else(|| ViewError::new(&at, "name is missing"))?;
            if !super::definition::is_name(name) {
                return Err(ViewError::new(&format!("{at}.name"), "name must be letters, digits and _, beginning with a letter"));
            }
            if KNOWN.contains(&name) || constants.iter().any(|(known, _)| known == name) {
                return Err(ViewError::new(&format!("{at}.name"), format!("%{name} is defined already")));
            }
            constants.push((name.to_owned(), literal(node, &at)?));
        }
        Ok(Constants(constants))
    }

    /// The path with literals in the place of constants. What becomes longer than `most` is only begun.
    pub fn replaced(&self, path: &str, at: &str, most: usize) -> Result<String, ViewError> {
        let mut unknown = None;
        let replaced = replaced(path, most, &mut |name| {
            let found = self.0.iter().find(|(known, _)| known == name).map(|(_, literal)| literal.clone());
            if found.is_none() && !is_known(name) && !path.contains("defineVariable") {
                unknown = Some(name.to_owned());
            }
            found
        });
        let replaced = replaced.map_err(|error| ViewError::of_path(at, &error))?;
        match unknown {
            Some(name) => Err(ViewError::new(at, format!("unknown constant \"%{name}\"")).hint("constants stand in ViewDefinition.constant")),
            None => Ok(replaced),
        }
    }
}

fn is_known(name: &str) -> bool {
    KNOWN.contains(&name) || name.starts_with("vs-") || name.starts_with("ext-")
}

/// The path as it is where nothing repeats: `%rowIndex` is 0.
pub fn in_first_row(path: &str) -> Result<String, PathError> {
    replaced(path, usize::MAX, &mut |name| (name == ROW_INDEX).then(|| "0".to_owned()))
}

/// The path with other text in the place of the `%names` for which `f` has some.
fn replaced(path: &str, most: usize, f: &mut dyn FnMut(&str) -> Option<String>) -> Result<String, PathError> {
    let found = tokens(path)?;
    let mut out = String::new();
    let mut copied = 0;
    for (number, spanned) in found.iter().enumerate().filter(|(_, spanned)| spanned.token == Token::Symbol("%")) {
        let name = match found.get(number + 1).map(|spanned| &spanned.token) {
            Some(Token::Word(name)) => *name,
            Some(Token::Delimited(name) | Token::String(name)) => name.as_ref(),
            _ => continue,
        };
        let Some(text) = f(name) else { continue };
        let next = found.get(number + 2);
        out.push_str(path.get(copied..spanned.at).unwrap_or(""));
        out.push_str(&text);
        if out.len() > most {
            return Ok(out);
        }
        copied = next.map_or(path.len(), |next| next.at);
        let is_apart = path.get(..copied).is_some_and(|before| before.ends_with(char::is_whitespace));
        if matches!(next, Some(next) if is_apart || !matches!(next.token, Token::Symbol(_))) {
            out.push(' ');
        }
    }
    out.push_str(path.get(copied..).unwrap_or(""));
    Ok(out)
}

fn literal(node: Node<'_>, at: &str) -> Result<String, ViewError> {
    let Some(object) = node.as_object() else { return Err(ViewError::new(at, "an object is expected")) };
    let mut values = object.iter().filter_map(|(name, node)| Some((name.strip_prefix("value")?, node)));
    let (Some((kind, value)), None) = (values.next(), values.next()) else {
        return Err(ViewError::new(at, "one value[x] is expected").hint("for instance \"valueString\": \"official\""));
    };
    let literal = match (kind, value) {
        ("Boolean", Node::Bool(value)) => value.to_string(),
        ("Integer" | "PositiveInt" | "UnsignedInt" | "Integer64" | "Decimal", Node::Number(number)) => {
            let text = number.to_string();
            if text.starts_with('-') { format!("({text})") } else { text }
        }
        ("Integer64", Node::String(text)) if text.parse::<i64>().is_ok() => text.to_owned(),
        ("Date", Node::String(text)) => format!("@{text}"),
        ("DateTime" | "Instant", Node::String(text)) => format!("@{text}{}", if text.contains('T') { "" } else { "T" }),
        ("Time", Node::String(text)) => format!("@T{text}"),
        ("Base64Binary" | "Canonical" | "Code" | "Id" | "Oid" | "String" | "Uri" | "Url" | "Uuid" | "Markdown", Node::String(text)) => quoted(text),
        _ => return Err(ViewError::new(&format!("{at}.value{kind}"), "no value of that type")),
    };
    match crate::path::parse(&literal) {
        Ok(_) => Ok(literal),
        Err(PathError::Syntax { .. }) => Err(ViewError::new(&format!("{at}.value{kind}"), "no value of that type")),
        Err(error) => Err(ViewError::of_path(&format!("{at}.value{kind}"), &error)),
    }
}

/// A string literal of FHIRPath.
pub fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('\'');
    for c in text.chars() {
        match c {
            '\'' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c => out.push(c),
        }
    }
    out.push('\'');
    out
}
