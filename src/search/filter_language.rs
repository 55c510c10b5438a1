//! `_filter`: a logical expression over search parameters. <https://hl7.org/fhir/R4/search_filter.html>
//!
//! ```text
//! filter   := term (("and" | "or") term)*       from left to right; neither binds tighter
//! term     := test | "(" filter ")" | "not" "(" filter ")"
//! test     := path operator value
//! path     := name ("[" filter "]")? ("." path)?
//! value    := a JSON string, or anything up to a blank, ")" or "]"
//! ```
//!
//! Each test becomes an ordinary search argument, so that chains, stored parameters and terminology work as they do there.

use super::criteria::Criteria;
use super::entity;
use super::filter::Filter;
use crate::index::operand::spellings;
use crate::index::query::{ErrorKind, QueryError, shown};
use crate::index::time;
use crate::model::{self, ParameterType, TypeId};

mod parse;
#[cfg(test)]
mod tests;

pub use parse::parse;

type Result<T> = std::result::Result<T, QueryError>;

/// Brackets, `not` and changes between `and` and `or` nest no deeper.
pub const MAX_DEPTH: usize = 64;
/// More tests than this are refused.
pub const MAX_TESTS: usize = 1_000;

#[derive(Debug, PartialEq, Clone)]
pub enum Expression {
    All(Vec<Expression>),
    Any(Vec<Expression>),
    Not(Box<Expression>),
    Test { path: Vec<Segment>, operator: Operator, value: String },
}

/// One name of a path; of what it points at only that counts which meets the filter.
#[derive(Debug, PartialEq, Clone)]
pub struct Segment {
    pub name: String,
    pub filter: Option<Box<Expression>>,
}

/// <https://hl7.org/fhir/R4/search_filter.html#ops>
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub enum Operator {
    Eq,
    Ne,
    Co,
    Sw,
    Ew,
    Gt,
    Lt,
    Ge,
    Le,
    Ap,
    Sa,
    Eb,
    Pr,
    Po,
    Ss,
    Sb,
    In,
    Ni,
    Re,
}

impl Operator {
    const ALL: [(&'static str, Operator); 19] = [
        ("eq", Operator::Eq),
        ("ne", Operator::Ne),
        ("co", Operator::Co),
        ("sw", Operator::Sw),
        ("ew", Operator::Ew),
        ("gt", Operator::Gt),
        ("lt", Operator::Lt),
        ("ge", Operator::Ge),
        ("le", Operator::Le),
        ("ap", Operator::Ap),
        ("sa", Operator::Sa),
        ("eb", Operator::Eb),
        ("pr", Operator::Pr),
        ("po", Operator::Po),
        ("ss", Operator::Ss),
        ("sb", Operator::Sb),
        ("in", Operator::In),
        ("ni", Operator::Ni),
        ("re", Operator::Re),
    ];

    fn named(name: &str) -> Option<Operator> {
        Operator::ALL.iter().find(|(known, _)| *known == name).map(|(_, operator)| *operator)
    }

    pub fn text(self) -> &'static str {
        Operator::ALL.iter().find(|(_, operator)| *operator == self).map_or("", |(name, _)| name)
    }
}

/// How ordinary search arguments are read.
pub trait Arguments {
    /// What `name[:modifier]=value` asks of resources of these types; the name may be a chain.
    fn read(&mut self, types: &[TypeId], name: &str, value: &str) -> Result<Filter>;
    /// The type of a search parameter.
    fn parameter_type(&mut self, ty: TypeId, code: &str) -> Result<Option<ParameterType>>;
}

impl Arguments for Criteria<'_> {
    fn read(&mut self, types: &[TypeId], name: &str, value: &str) -> Result<Filter> {
        Criteria::read(self, types, name, value)
    }

    fn parameter_type(&mut self, ty: TypeId, code: &str) -> Result<Option<ParameterType>> {
        if let Some(parameter) = model::search_parameter(ty, code) {
            return Ok(Some(parameter.ty));
        }
        if let Some(ty) = entity::parameter_type(code) {
            return Ok(Some(ty));
        }
        Ok(self.catalog.parameter(ty, code)?.map(|parameter| parameter.ty.unwrap_or(ParameterType::Composite)))
    }
}

fn refuse<T>(kind: ErrorKind, message: impl Into<String>, hint: &str) -> Result<T> {
    Err(QueryError { kind, message: message.into(), hint: (!hint.is_empty()).then(|| hint.to_owned()) })
}

/// Reads the value of `_filter` for resources of these types.
pub fn read(types: &[TypeId], text: &str, arguments: &mut dyn Arguments) -> Result<Filter> {
    Ok(to_filter(types, &parse(text)?, arguments)?.simplify())
}

/// What an expression asks of resources of these types.
pub fn to_filter(types: &[TypeId], expression: &Expression, arguments: &mut dyn Arguments) -> Result<Filter> {
    // the parser bounds the depth
    let mut each = |parts: &[Expression]| parts.iter().map(|part| to_filter(types, part, arguments)).collect::<Result<Vec<_>>>();
    Ok(match expression {
        Expression::All(parts) => Filter::All(each(parts)?),
        Expression::Any(parts) => Filter::Any(each(parts)?),
        Expression::Not(part) => Filter::Not(Box::new(to_filter(types, part, arguments)?)),
        Expression::Test { path, operator, value } => test(types, path, *operator, value, arguments)?,
    })
}

fn test(types: &[TypeId], path: &[Segment], operator: Operator, value: &str, arguments: &mut dyn Arguments) -> Result<Filter> {
    if types.is_empty() {
        return refuse(ErrorKind::Invalid, "_filter needs a resource type", "write a search as Type?_filter=…, or name types with _type=");
    }
    let Some((last, before)) = path.split_last() else { return refuse(ErrorKind::Invalid, "_filter has a test without a path", "") };
    if last.filter.is_some() {
        return refuse(ErrorKind::Invalid, format!("\"{}\" has a filter but no parameter behind it", shown(&last.name)), "write name[filter].name");
    }
    if let Some(at) = before.iter().position(|segment| segment.filter.is_some()) {
        return filtered(types, &path[..=at], &path[at + 1..], operator, value, arguments);
    }
    let name = path.iter().map(|segment| segment.name.as_str()).collect::<Vec<_>>().join(".");
    let (leaf_types, code) = pointed_from(targets(types, before), &last.name);
    if code.contains(':') {
        let message = format!("modifier in \"{}\" is not supported in _filter", shown(&last.name));
        return refuse(ErrorKind::NotSupported, message, "operators stand for the modifiers, such as co for :contains");
    }
    let mut kinds = Vec::new();
    for ty in leaf_types {
        kinds.extend(arguments.parameter_type(ty, code)?.filter(|kind| !kinds.contains(kind)));
    }
    if kinds.is_empty() {
        // reading it says what is wrong, and what there is
        arguments.read(types, &name, "x")?;
        return refuse(ErrorKind::NotSupported, format!("\"{}\" is not supported in _filter", shown(&name)), "give it as an argument beside _filter");
    }
    let (mut any, mut refused) = (Vec::new(), None);
    for kind in &kinds {
        let asked = asked(*kind, operator, code, value).and_then(|asked| match asked {
            Asked::Argument { modifier: "", value } => arguments.read(types, &name, &value),
            Asked::Argument { modifier, value } => arguments.read(types, &format!("{name}:{modifier}"), &value),
            Asked::Not { value } => arguments.read(types, &name, &value).map(|filter| Filter::Not(Box::new(filter))),
        });
        match asked {
            Ok(filter) => any.push(filter),
            // where a name means several things, those that can be asked so are
            Err(error) => refused = Some(error),
        }
    }
    match refused {
        Some(error) if any.is_empty() => Err(error),
        _ => Ok(if any.len() == 1 { any.remove(0) } else { Filter::Any(any) }),
    }
}

/// `head[filter].rest`: what the head points at meets the filter and the rest.
fn filtered(types: &[TypeId], head: &[Segment], rest: &[Segment], operator: Operator, value: &str, arguments: &mut dyn Arguments) -> Result<Filter> {
    let Some((first, inner)) = head.split_first() else { return refuse(ErrorKind::Invalid, "_filter has a test without a path", "") };
    let (code, wanted) = match first.name.split_once(':') {
        Some((code, wanted)) => (code, Some(wanted)),
        None => (first.name.as_str(), None),
    };
    let (mut any, mut refused) = (Vec::new(), None);
    for ty in types {
        let Some(parameter) = model::search_parameter(*ty, code) else {
            refused = refused.or(Some(arguments.read(&[*ty], code, "x")));
            continue;
        };
        if parameter.ty != ParameterType::Reference {
            let message = format!("[…] behind \"{}\", which is no reference, is not supported in _filter", shown(code));
            return refuse(ErrorKind::NotSupported, message, "use a composite parameter, or _fhirpath");
        }
        for target in parameter.targets.iter().filter(|target| target.is_concrete_resource() && wanted.is_none_or(|w| w == target.name())) {
            let meets = match &first.filter {
                Some(filter) => to_filter(&[*target], filter, arguments),
                None => Ok(Filter::EVERYTHING),
            };
            let meets = meets.and_then(|meets| {
                let behind = if inner.is_empty() { test(&[*target], rest, operator, value, arguments)? } else { filtered(&[*target], inner, rest, operator, value, arguments)? };
                Ok(Filter::All(vec![meets, behind]))
            });
            match meets {
                Ok(inner) => {
                    let chain = Filter::Chain { parameter: code.to_owned(), target: *target, inner: Box::new(inner.simplify()) };
                    any.push(if types.len() == 1 { chain } else { Filter::All(vec![Filter::Types(vec![*ty]), chain]) });
                }
                Err(error) => refused = Some(Err(error)),
            }
        }
    }
    match refused {
        Some(error) if any.is_empty() => error,
        _ => Ok(Filter::Any(any)),
    }
}

/// The types that a chain leads to from these.
fn targets(types: &[TypeId], chain: &[Segment]) -> Vec<TypeId> {
    let mut types = types.to_vec();
    for segment in chain {
        let (from, name) = pointed_from(types, &segment.name);
        types = from;
        let (code, wanted) = match name.split_once(':') {
            Some((code, wanted)) => (code, Some(wanted)),
            None => (name, None),
        };
        let mut next: Vec<TypeId> = Vec::new();
        for parameter in types.iter().filter_map(|ty| model::search_parameter(*ty, code)) {
            match wanted {
                Some(name) => next.extend(model::type_named(name)),
                None => next.extend(parameter.targets),
            }
        }
        next.sort();
        next.dedup();
        types = next;
    }
    types
}

/// Behind `_has:Type:reference:name` stands a name of that type.
fn pointed_from(mut types: Vec<TypeId>, mut name: &str) -> (Vec<TypeId>, &str) {
    while let Some(rest) = name.strip_prefix("_has:") {
        let mut parts = rest.splitn(3, ':');
        let (Some(source), Some(_), Some(inner)) = (parts.next(), parts.next(), parts.next()) else { break };
        types = model::type_named(source).into_iter().collect();
        name = inner;
    }
    (types, name)
}

enum Asked {
    /// Without a modifier it is empty.
    Argument { modifier: &'static str, value: String },
    /// Of what has one value always, unequal is not equal.
    Not { value: String },
}

/// The search argument that a test stands for: <https://hl7.org/fhir/R4/search_filter.html#ops>, second table.
fn asked(kind: ParameterType, operator: Operator, code: &str, value: &str) -> Result<Asked> {
    use Operator::*;
    let ask = |modifier, value: String| Ok(Asked::Argument { modifier, value });
    let prefixed = |value: &str| ask("", format!("{}{value}", operator.text()));
    if operator == Pr {
        return match value.to_ascii_lowercase().as_str() {
            "true" => ask("missing", "false".into()),
            "false" => ask("missing", "true".into()),
            _ => refuse(ErrorKind::Invalid, format!("\"{}\" is no value for pr", shown(value)), "write pr true or pr false"),
        };
    }
    if value.is_empty() {
        return refuse(ErrorKind::Invalid, format!("\"{} {}\" has no value", shown(code), operator.text()), "");
    }
    let text = escaped(value, &[',', '|', '$']);
    let token = || escaped(&namespaced(value), &[',', '$']);
    match (kind, operator) {
        (ParameterType::String, Eq) => ask("$is", text),
        (ParameterType::String, Ne) => ask("$other", text),
        (ParameterType::String, Co) => ask("contains", text),
        (ParameterType::String, Sw) => ask("", text),
        (ParameterType::String, Ew) => ask("$ends", text),
        (ParameterType::String, Gt) => ask("$gt", text),
        (ParameterType::String, Lt) => ask("$lt", text),
        (ParameterType::String, Ge) => ask("$ge", text),
        (ParameterType::String, Le) => ask("$le", text),
        (ParameterType::Token, Eq) if code == "_id" => ask("", token()),
        (ParameterType::Token, Ne) if code == "_id" => Ok(Asked::Not { value: token() }),
        (ParameterType::Token, Eq) => ask("", spellings(&token()).join(",")),
        (ParameterType::Token, Ne) => ask("$other", token()),
        (ParameterType::Token, Ss) => ask("below", token()),
        (ParameterType::Token, Sb) => ask("above", token()),
        (ParameterType::Token, In) => ask("in", text),
        (ParameterType::Token, Ni) => ask("not-in", text),
        (ParameterType::Reference | ParameterType::Uri, Eq) | (ParameterType::Reference, Re) => ask("", escaped(value, &[','])),
        (ParameterType::Reference | ParameterType::Uri, Ne) => ask("$other", escaped(value, &[','])),
        (ParameterType::Composite, Eq) => ask("", escaped(value, &[','])),
        (ParameterType::Date, Co) => ask("$covers", value.to_owned()),
        (ParameterType::Date, Po) => match time::parse(value) {
            Some(interval) => ask("", format!("ap{}/{}", time::instant_text(interval.low), time::instant_text(interval.high))),
            None => refuse(ErrorKind::Invalid, format!("\"{}\" is no date for parameter \"{}\"", shown(value), shown(code)), ""),
        },
        (ParameterType::Date, Eq | Ne | Gt | Lt | Ge | Le | Ap | Sa | Eb) => prefixed(value),
        (ParameterType::Number, Eq | Ne | Gt | Lt | Ge | Le | Ap | Sa | Eb) => prefixed(&text),
        (ParameterType::Quantity, Eq | Ne | Gt | Lt | Ge | Le | Ap | Sa | Eb) => prefixed(&token()),
        _ => {
            let message = format!("operator {} of _filter is not supported on \"{}\"", operator.text(), shown(code));
            refuse(ErrorKind::NotSupported, message, "https://hl7.org/fhir/R4/search_filter.html lists which operator goes with which type")
        }
    }
}

/// A value in which none of these characters parts it.
fn escaped(value: &str, special: &[char]) -> String {
    let mut out = String::with_capacity(value.len());
    for c in value.chars() {
        if c == '\\' || special.contains(&c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// Names that stand for a code system: the last note under the tables of operators.
const NAMESPACES: [(&str, &str); 4] = [
    ("loinc", "http://loinc.org"),
    ("snomed", "http://snomed.info/sct"),
    ("rxnorm", "http://www.nlm.nih.gov/research/umls/rxnorm"),
    ("ucum", "http://unitsofmeasure.org"),
];

/// A token or quantity with the system that such a name stands for.
fn namespaced(value: &str) -> String {
    let parts = value.split('|').map(|part| NAMESPACES.iter().find(|(name, _)| *name == part).map_or(part, |(_, url)| *url));
    match value.rsplit_once('|') {
        // the last part is a code
        Some((_, code)) => {
            let mut parts: Vec<&str> = parts.collect();
            parts.pop();
            parts.push(code);
            parts.join("|")
        }
        None => value.to_owned(),
    }
}
