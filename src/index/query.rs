//! The text of a search → conditions on one resource's keys.
//!
//! Takes `Type?parameter:modifier=prefixvalue,value&…` (<https://hl7.org/fhir/R4/search.html>) and keeps what a row can
//! answer by itself. What needs other rows, terminology or the clock is refused with a hint: the search functions resolve it first.

use super::compartment::{self, Member};
use super::decimal::{Bound, Span};
use super::near::Position;
use super::operand;
use super::reserved;
use super::time::Interval;
use crate::model::{self, ParameterKey, ParameterType, SearchParameter, TypeId};

/// All conditions must hold.
#[derive(Debug, PartialEq, Default)]
pub struct Query {
    /// The resource type asked for; none where the text leaves it out.
    pub resource_type: Option<TypeId>,
    /// The type that the parameters are read for; with no `resource_type`, all rows are known to be of it.
    pub parameters_of: Option<TypeId>,
    pub conditions: Vec<Condition>,
}

/// One of `any_of` must hold, or none of them.
#[derive(Debug, PartialEq)]
pub struct Condition {
    pub negated: bool,
    pub any_of: Vec<Leaf>,
}

/// What one value of a parameter must be; for a composite, what values of the same element must be.
#[derive(Debug, PartialEq)]
pub enum Leaf {
    One { parameter: ParameterKey, test: Test },
    Together(Vec<Component>),
    /// The resource belongs to a compartment.
    Member(Member),
}

/// One part of a composite; a value that meets any of the tests will do.
#[derive(Debug, PartialEq)]
pub struct Component {
    pub tests: Vec<(ParameterKey, Test)>,
    /// Its definition starts at the resource, so it need not lie in the element that holds the others.
    pub anywhere: bool,
}

#[derive(Debug, PartialEq, Clone)]
pub enum Test {
    Present,
    Code(String),
    CodeAndSystem { code: String, system: Option<String> },
    System(String),
    /// Display or text starts with this (normalised).
    Display(String),
    OfType { system: Option<String>, code: String, value: String },
    /// Normalised.
    StringStart(String),
    StringExact(String),
    /// Normalised.
    StringContains(String),
    Sound(String),
    /// The code begins with this (folded).
    CodeStart(String),
    /// A mime type, with or without parameters.
    Mime(String),
    /// A canonical of this address, whatever its version or of a version that begins so.
    ReferenceBelow { target: String, version: Option<String> },
    /// A canonical of this address, without version or with one that the searched version begins with.
    ReferenceAbove { target: String, version: Option<String> },
    Reference { target: String, version: Option<String> },
    /// A literal reference to a resource of that id and, where one is asked for, type: at whatever server, of whatever version.
    ReferenceTo { ty: Option<TypeId>, id: String },
    Identifier { system: Option<Option<String>>, value: String },
    Date(Comparison, Interval),
    Number(Comparison, Range),
    Quantity(Comparison, Range, Unit),
    Uri(String),
    UriBelow(String),
    UriAbove(String),
    /// Within that distance.
    Near { center: Position, metres: f64 },
    /// The whole string, normalised.
    StringIs(String),
    /// Ends with this (normalised).
    StringEnd(String),
    /// The first letter (normalised), by code point.
    StringOrder(Comparison, char),
    /// The date covers all of this interval.
    DateCovers(Interval),
    /// As `Date`, or the element is there and is no date: a period that ends before it starts.
    DateIfAny(Comparison, Interval),
    /// A value of the same kind that meets none of these.
    Other(Vec<Test>),
}

/// The prefixes of ordered values. <https://hl7.org/fhir/R4/search.html#prefix>
#[derive(Debug, PartialEq, Clone, Copy)]
pub enum Comparison {
    Eq,
    Ne,
    Gt,
    Lt,
    Ge,
    Le,
    Sa,
    Eb,
    Ap,
}

/// A searched number: as written, and the ends of what its precision (or `ap`) implies; all encoded.
#[derive(Debug, PartialEq, Clone)]
pub struct Range {
    pub value: Vec<u8>,
    pub low: Vec<u8>,
    pub high: Vec<u8>,
}

impl Range {
    /// What `eq` covers: where the precision is beyond what is kept, the number alone.
    pub fn implied(&self) -> Span<'_> {
        let high = if self.low == self.high { Bound::Closed(self.high.as_slice()) } else { Bound::Open(self.high.as_slice()) };
        Span { low: Bound::Closed(&self.low), high }
    }
}

#[derive(Debug, PartialEq, Clone)]
pub enum Unit {
    Any,
    /// `value||unit`: the code or the unit as text.
    Named(String),
    Coded { system: String, code: String },
    /// `value|system|`
    OfSystem(String),
    /// Any unit of UCUM that converts to these base units, in which the range is.
    Measured(String),
}

/// Why a search cannot be read.
#[derive(Debug, PartialEq)]
pub struct QueryError {
    pub kind: ErrorKind,
    pub message: String,
    pub hint: Option<String>,
}

#[derive(Debug, PartialEq, Clone, Copy)]
pub enum ErrorKind {
    /// Not a search: SQLSTATE 22023.
    Invalid,
    /// A search parameter that the type does not have: SQLSTATE 22023.
    Unknown,
    /// A search that a row cannot answer by itself: SQLSTATE 0A000.
    NotRowLocal,
    /// Part of FHIR search, but not yet of ours: SQLSTATE 0A000.
    NotSupported,
    /// Too large: SQLSTATE 54000.
    TooLarge,
}

pub(super) type Result<T> = std::result::Result<T, QueryError>;

pub(super) fn invalid<T>(message: impl Into<String>, hint: impl Into<String>) -> Result<T> {
    let hint = hint.into();
    Err(QueryError { kind: ErrorKind::Invalid, message: message.into(), hint: (!hint.is_empty()).then_some(hint) })
}

pub(super) fn not_row_local<T>(what: impl std::fmt::Display) -> Result<T> {
    Err(QueryError {
        kind: ErrorKind::NotRowLocal,
        message: format!("{what} cannot be decided from one row"),
        hint: Some("search what it points at by itself, and join the two in SQL".into()),
    })
}

fn too_many<T>() -> Result<T> {
    let message = format!("search has more than {MAX_LEAVES} alternatives");
    Err(QueryError { kind: ErrorKind::TooLarge, message, hint: Some("join with a table of values instead".into()) })
}

/// Longer texts are refused.
pub const MAX_TEXT: usize = 1 << 20;
/// More alternatives than this in one search are refused.
pub const MAX_LEAVES: usize = 50_000;

/// More conditions than this are refused.
pub const MAX_CONDITIONS: usize = 1_000;

/// One `name[:modifier]=value` of the text, percent-decoding done.
#[derive(Debug, PartialEq, Clone)]
pub struct Argument {
    pub name: String,
    pub modifier: Option<String>,
    pub value: String,
}

/// Splits `Type?a=b&c=d` into the type and its arguments. Both parts may be missing.
pub fn arguments(text: &str) -> Result<(Option<TypeId>, Vec<Argument>)> {
    if text.len() > MAX_TEXT {
        return Err(QueryError { kind: ErrorKind::TooLarge, message: format!("search is longer than {MAX_TEXT} bytes"), hint: None });
    }
    let text = text.trim();
    let (type_name, rest) = match text.find(['?', '=', '&']) {
        Some(at) if text.as_bytes()[at] == b'?' => (&text[..at], &text[at + 1..]),
        Some(_) => ("", text),
        None => (text, ""),
    };
    let resource_type = match type_name {
        "" => None,
        name => match model::type_named(name).filter(|ty| super::is_resource(*ty)) {
            Some(ty) => Some(ty),
            None => return invalid(format!("unknown resource type \"{}\"", shown(name)), "write a search as Type?parameter=value; type names are case-sensitive"),
        },
    };
    let mut arguments = Vec::new();
    for part in rest.split('&').filter(|p| !p.is_empty()) {
        let Some((name, value)) = part.split_once('=') else {
            return invalid(format!("search parameter \"{}\" has no value", shown(part)), "write parameter=value");
        };
        if arguments.len() == MAX_CONDITIONS {
            let message = format!("search has more than {MAX_CONDITIONS} parameters");
            return Err(QueryError { kind: ErrorKind::TooLarge, message, hint: None });
        }
        let (name, value) = (decode(name)?, decode(value)?);
        let (name, modifier) = match name.split_once(':') {
            Some((name, modifier)) => (name.to_owned(), Some(modifier.to_owned())),
            None => (name, None),
        };
        arguments.push(Argument { name, modifier, value });
    }
    Ok((resource_type, arguments))
}

/// What may stand in a message: bounded, and without line breaks.
pub fn shown(text: &str) -> String {
    text.chars().take(60).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Percent-decoding; a plus is a space, as browsers and client libraries send it.
pub fn decode(text: &str) -> Result<String> {
    if !text.contains(['%', '+']) {
        return Ok(text.to_owned());
    }
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(b) = bytes.next() {
        match b {
            b'+' => out.push(b' '),
            b'%' => {
                let mut digit = || bytes.next().and_then(|b| (b as char).to_digit(16));
                match (digit(), digit()) {
                    (Some(a), Some(b)) => out.push((a * 16 + b) as u8),
                    _ => return invalid("malformed percent-encoding in search", "write % itself as %25"),
                }
            }
            b => out.push(b),
        }
    }
    match String::from_utf8(out) {
        Ok(text) if !text.contains('\0') => Ok(text),
        _ => invalid("percent-encoding in search is not valid UTF-8 text", ""),
    }
}

/// Splits at the separator where no backslash stands before it.
pub fn split_unescaped(text: &str, separator: char) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut escaped) = (0, false);
    for (at, c) in text.char_indices() {
        if escaped {
            escaped = false;
        } else if c == '\\' {
            escaped = true;
        } else if c == separator {
            parts.push(&text[start..at]);
            start = at + c.len_utf8();
        }
    }
    parts.push(&text[start..]);
    parts
}

/// Puts the escapes in that [`unescape`] takes out.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, ',' | '|' | '$' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// Takes the escapes `\,` `\|` `\$` `\\` out of a single value.
pub fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => out.extend(chars.next()),
            c => out.push(c),
        }
    }
    out
}

/// Parameters that shape the answer instead of choosing resources.
const RESULT_PARAMETERS: [&str; 12] = [
    "_sort", "_count", "_include", "_revinclude", "_summary", "_total", "_elements", "_contained", "_containedType", "_format", "_pretty", "_score",
];

pub fn is_result_parameter(name: &str) -> bool {
    RESULT_PARAMETERS.contains(&name)
}

impl Query {
    /// Reads a search that a row can answer by itself. `Type!?…` means the parameters as that type has them without asking
    /// for the type: for a table that holds no other.
    pub fn parse(text: &str) -> Result<Query> {
        if let Some((name, rest)) = text.split_once("!?").filter(|(name, _)| name.bytes().all(|b| b.is_ascii_alphanumeric())) {
            let (_, arguments) = arguments(&format!("?{rest}"))?;
            let (resource_type, _) = self::arguments(name)?;
            return Ok(Query { resource_type: None, ..Query::from_arguments(resource_type, &arguments)? });
        }
        let (resource_type, arguments) = arguments(text)?;
        Query::from_arguments(resource_type, &arguments)
    }

    pub fn from_arguments(resource_type: Option<TypeId>, arguments: &[Argument]) -> Result<Query> {
        let mut query = Query { resource_type, parameters_of: resource_type, conditions: Vec::new() };
        let mut leaves = 0;
        for argument in arguments {
            let condition = condition(resource_type, argument)?;
            leaves += condition.any_of.len();
            if leaves > MAX_LEAVES {
                return too_many();
            }
            query.conditions.push(condition);
        }
        Ok(query)
    }
}

/// What a parameter's name stands for: one meaning where the resource type is known, else all that the name has.
pub(super) struct Meaning {
    pub key: ParameterKey,
    pub ty: ParameterType,
    pub targets: Vec<TypeId>,
    pub definitions: Vec<&'static SearchParameter>,
}

pub(super) fn meanings(resource_type: Option<TypeId>, name: &str) -> Vec<Meaning> {
    if name.starts_with(reserved::MARK) {
        return reserved::meanings(name);
    }
    if let Some(ty) = resource_type {
        return model::search_parameter(ty, name)
            .map(|p| Meaning { key: p.key, ty: p.ty, targets: p.targets.to_vec(), definitions: vec![p] })
            .into_iter()
            .collect();
    }
    // sorted by code
    let first = model::SEARCH_PARAMETERS.partition_point(|p| p.code < name);
    let definitions = || model::SEARCH_PARAMETERS[first..].iter().take_while(|p| p.code == name);
    model::keys_of_code(name)
        .map(|(key, ty)| {
            let definitions: Vec<_> = definitions().filter(|p| p.key == key).collect();
            let open = definitions.iter().any(|p| p.targets.is_empty());
            let mut targets: Vec<TypeId> = definitions.iter().flat_map(|p| p.targets.iter().copied()).collect();
            targets.sort();
            targets.dedup();
            if open {
                targets.clear();
            }
            Meaning { key, ty, targets, definitions }
        })
        .filter(|m| !m.definitions.is_empty())
        .collect()
}

fn condition(resource_type: Option<TypeId>, argument: &Argument) -> Result<Condition> {
    let name = argument.name.as_str();
    if is_result_parameter(name) {
        return invalid(format!("{name} shapes an answer and cannot filter rows"), "give it to fhir.search, or use ORDER BY and LIMIT");
    }
    if name.contains('.') || argument.modifier.as_deref().is_some_and(|m| m.contains('.')) {
        return not_row_local(format!("the chained parameter \"{}\"", shown(name)));
    }
    if matches!(name, "_has" | "_list" | "_filter" | "_query" | "_text" | "_content" | "_type") {
        return not_row_local(format!("parameter \"{name}\""));
    }
    if argument.value.is_empty() {
        return invalid(format!("search parameter \"{}\" has no value", shown(name)), "leave the parameter out, or use :missing");
    }
    if name == "_compartment" {
        return compartment::condition(resource_type, argument);
    }
    let meanings = meanings(resource_type, name);
    if meanings.is_empty() {
        let of = resource_type.map_or("any resource type".to_owned(), |ty| ty.name().to_owned());
        let message = format!("unknown search parameter \"{}\" for {of}", shown(name));
        return Err(QueryError { kind: ErrorKind::Unknown, message, hint: Some(suggestion(resource_type, name)) });
    }
    if let Some("missing") = argument.modifier.as_deref() {
        let negated = match argument.value.as_str() {
            "true" => true,
            "false" => false,
            other => return invalid(format!("\"{}\" is no value for :missing", shown(other)), "use :missing=true or :missing=false"),
        };
        if meanings.iter().all(|m| m.ty == ParameterType::Composite) {
            return invalid(format!("modifier :missing does not apply to the composite parameter \"{}\"", shown(name)), "ask it of the parameters that it combines");
        }
        let any_of = meanings.iter().filter(|m| m.ty != ParameterType::Composite).map(|m| Leaf::One { parameter: m.key, test: Test::Present }).collect();
        return Ok(Condition { negated, any_of });
    }
    let values = split_unescaped(&argument.value, ',');
    if values.len() > MAX_LEAVES {
        return too_many();
    }
    let mut any_of = Vec::new();
    let mut refused = None;
    for meaning in &meanings {
        for &value in &values {
            match operand::leaves(meaning, argument, value) {
                Ok(found) => any_of.extend(found),
                // a name with several meanings is fine as long as one of them can read the value
                Err(error) => refused = Some(error),
            }
            if any_of.len() > MAX_LEAVES {
                break;
            }
        }
    }
    match refused {
        Some(error) if any_of.is_empty() || meanings.len() == 1 || name.starts_with(reserved::MARK) => Err(error),
        _ => Ok(Condition { negated: argument.modifier.as_deref() == Some("not"), any_of }),
    }
}

/// The parameters of the type that look like the one that was meant.
fn suggestion(resource_type: Option<TypeId>, name: &str) -> String {
    let Some(ty) = resource_type else { return "write a search as Type?parameter=value".into() };
    let wanted = name.to_ascii_lowercase().replace(['_', '-'], "");
    let near: Vec<&str> = model::search_parameters(ty)
        .map(|p| p.code)
        .filter(|code| {
            let code = code.to_ascii_lowercase().replace(['_', '-'], "");
            code == wanted || wanted.len() > 2 && (code.starts_with(&wanted) || wanted.starts_with(&code) && code.len() > 2)
        })
        .collect();
    match near.is_empty() {
        true => format!("{} has: {}", ty.name(), model::search_parameters(ty).map(|p| p.code).collect::<Vec<_>>().join(", ")),
        false => format!("did you mean {}", near.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_and_encodings_are_taken_out_in_their_order() {
        assert_eq!(split_unescaped(r"a\,b,c\\,d", ','), [r"a\,b", r"c\\", "d"]);
        assert_eq!(unescape(r"a\,b\\c\|d"), r"a,b\c|d");
        assert_eq!(decode("a%2Cb+c%C3%A9").unwrap(), "a,b cé");
        assert!(decode("%").is_err() && decode("%ff").is_err() && decode("%00").is_err());
    }

    #[test]
    fn odd_texts_are_refused_with_a_reason() {
        for (text, kind) in [
            ("Nonsense?name=a", ErrorKind::Invalid),
            ("Patient?nosuch=a", ErrorKind::Unknown),
            ("Patient?name", ErrorKind::Invalid),
            ("Patient?name=", ErrorKind::Invalid),
            ("Patient?birthdate=yesterday", ErrorKind::Invalid),
            ("Patient?name:above=x", ErrorKind::NotRowLocal),
            ("Patient?name:nonsense=x", ErrorKind::Invalid),
            ("Observation?subject.name=x", ErrorKind::NotRowLocal),
            ("Patient?_has:Observation:subject:code=x", ErrorKind::NotRowLocal),
            ("Patient?_count=3", ErrorKind::Invalid),
            ("Patient?active:missing=maybe", ErrorKind::Invalid),
            ("Observation?code-value-quantity=a", ErrorKind::Invalid),
        ] {
            assert_eq!(Query::parse(text).map_err(|e| e.kind), Err(kind), "{text}");
        }
    }

    #[test]
    fn the_type_may_be_left_out() {
        assert_eq!(Query::parse("Patient").unwrap().conditions.len(), 0);
        assert_eq!(Query::parse("name=a&birthdate=ge1970").unwrap().conditions.len(), 2);
        assert_eq!(Query::parse("").unwrap(), Query::default());
    }
}
