//! The names of search arguments: plain parameters, chains and `_has`, each with the meaning that a resource type gives it.
//! <https://hl7.org/fhir/R4/search.html#chaining>, <https://hl7.org/fhir/R4/search.html#has>

use super::custom::CustomParameter;
use super::entity::{self, Asking};
use super::expression;
use super::filter::Filter;
use super::filter_language;
use crate::index::approximate::{self, approximate};
use crate::index::query::{self, Argument, ErrorKind, Leaf, Query, QueryError, Test};
use crate::model::{self, ParameterType, SearchParameter, TypeId};

type Result<T> = std::result::Result<T, QueryError>;

/// Where parameters come from that R4 does not define.
pub trait Catalog {
    fn parameter(&mut self, ty: TypeId, code: &str) -> Result<Option<CustomParameter>>;
}

/// Only what R4 defines.
pub struct Standard;

impl Catalog for Standard {
    fn parameter(&mut self, _: TypeId, _: &str) -> Result<Option<CustomParameter>> {
        Ok(None)
    }
}

/// Chains and `_has` nest no deeper.
pub const MAX_DEPTH: usize = 16;
/// A search has no more alternatives by target type than this: each step of a chain may multiply them.
const MAX_BRANCHES: usize = 2_000;

/// Reads arguments one by one.
pub struct Criteria<'a> {
    /// Microseconds since 2000-01-01 UTC: what `ap` on a date is measured from.
    pub now: i64,
    pub catalog: &'a mut dyn Catalog,
    branches: usize,
}

pub(super) fn refuse<T>(kind: ErrorKind, message: impl Into<String>, hint: &str) -> Result<T> {
    Err(QueryError { kind, message: message.into(), hint: (!hint.is_empty()).then(|| hint.to_owned()) })
}

pub(super) fn invalid<T>(message: impl Into<String>, hint: &str) -> Result<T> {
    refuse(ErrorKind::Invalid, message, hint)
}

/// The resource type of that name.
pub fn resource_type(name: &str) -> Result<TypeId> {
    match model::type_named(name).filter(|ty| ty.is_concrete_resource()) {
        Some(ty) => Ok(ty),
        None => invalid(format!("unknown resource type \"{}\"", query::shown(name)), "type names are case-sensitive, such as Patient"),
    }
}

/// The reference parameter of a type, whatever it may point at.
pub fn reference_parameter(ty: TypeId, code: &str) -> Result<&'static SearchParameter> {
    match model::search_parameter(ty, code) {
        Some(parameter) if parameter.ty == ParameterType::Reference => Ok(parameter),
        Some(_) => invalid(format!("search parameter \"{}\" of {} is no reference", query::shown(code), ty.name()), "only references can be followed"),
        None => {
            let references: Vec<&str> = model::search_parameters(ty).filter(|p| p.ty == ParameterType::Reference).map(|p| p.code).collect();
            let hint = format!("references of {}: {}", ty.name(), references.join(", "));
            refuse(ErrorKind::Unknown, format!("unknown search parameter \"{}\" for {}", query::shown(code), ty.name()), &hint)
        }
    }
}

/// Whether the parameter may point at resources of that type.
pub fn may_point_at(parameter: &SearchParameter, target: TypeId) -> bool {
    parameter.targets.is_empty() || parameter.targets.contains(&target)
}

impl<'a> Criteria<'a> {
    pub fn new(now: i64, catalog: &'a mut dyn Catalog) -> Criteria<'a> {
        Criteria { now, catalog, branches: 0 }
    }

    /// What `name=value` asks of resources of these types; of any type, if there are none.
    pub fn read(&mut self, types: &[TypeId], name: &str, value: &str) -> Result<Filter> {
        self.nested(types, name, value, 0)
    }

    fn nested(&mut self, types: &[TypeId], name: &str, value: &str, depth: usize) -> Result<Filter> {
        self.branches += 1;
        if depth > MAX_DEPTH || self.branches > MAX_BRANCHES {
            return refuse(ErrorKind::TooLarge, "search has too many chained parameters", "name the type at each step: subject:Patient.name");
        }
        let ty = match types {
            [ty] => *ty,
            [] => return self.of_any_type(name, value),
            _ => {
                let mut each = Vec::with_capacity(types.len());
                for ty in types {
                    each.push((*ty, self.nested(&[*ty], name, value, depth)?));
                }
                // most often they all ask the same
                if each.iter().all(|(_, filter)| *filter == each[0].1) {
                    return Ok(each.remove(0).1);
                }
                return Ok(Filter::Any(each.into_iter().map(|(ty, filter)| Filter::All(vec![Filter::Types(vec![ty]), filter])).collect()));
            }
        };
        if let Some(rest) = name.strip_prefix("_has:") {
            return self.has(ty, rest, value, depth);
        }
        match name.split_once('.') {
            Some((head, rest)) => self.chain(ty, head, rest, value, depth),
            None => self.plain(ty, name, value),
        }
    }

    /// Without a type only what any row can answer.
    fn of_any_type(&mut self, name: &str, value: &str) -> Result<Filter> {
        if name.starts_with("_has:") || name.contains('.') {
            return invalid(format!("\"{}\" needs a resource type", query::shown(name)), "write a search as Type?parameter=value, or name types with _type=");
        }
        let argument = argument(name, value);
        if let Some(filter) = self.of_every_resource(None, &argument)? {
            return Ok(filter);
        }
        if let Some(filter) = finding(&argument)? {
            return Ok(filter);
        }
        let argument = approximate::resolve(None, &argument, self.now);
        Query::from_arguments(None, std::slice::from_ref(&argument))?;
        Ok(Filter::Row(vec![argument]))
    }

    /// `_has:Type:parameter:name`, what stands behind the prefix.
    fn has(&mut self, ty: TypeId, rest: &str, value: &str, depth: usize) -> Result<Filter> {
        let mut parts = rest.splitn(3, ':');
        let (Some(source), Some(code), Some(inner)) = (parts.next(), parts.next(), parts.next()) else {
            return invalid(format!("\"_has:{}\" is not whole", query::shown(rest)), "write _has:Type:reference:parameter=value");
        };
        let source = resource_type(source)?;
        let parameter = reference_parameter(source, code)?;
        if !may_point_at(parameter, ty) {
            return invalid(format!("\"{}\" of {} does not point at {}", code, source.name(), ty.name()), "");
        }
        let inner = self.nested(&[source], inner, value, depth + 1)?;
        Ok(Filter::Has { here: ty, ty: source, parameter: code.to_owned(), inner: Box::new(inner) })
    }

    /// `head.rest`, where the head is a reference parameter, perhaps with the type it is to point at.
    fn chain(&mut self, ty: TypeId, head: &str, rest: &str, value: &str, depth: usize) -> Result<Filter> {
        let (code, target) = match head.split_once(':') {
            Some((code, target)) => (code, Some(resource_type(target)?)),
            None => (head, None),
        };
        let parameter = reference_parameter(ty, code)?;
        let step = |target, inner| Filter::Chain { parameter: code.to_owned(), target, inner: Box::new(inner) };
        if let Some(target) = target {
            if !may_point_at(parameter, target) {
                return invalid(format!("\"{code}\" of {} does not point at {}", ty.name(), target.name()), "");
            }
            let inner = self.nested(&[target], rest, value, depth + 1)?;
            return Ok(step(target, inner));
        }
        if parameter.targets.is_empty() {
            return invalid(format!("\"{code}\" may point at any type"), &format!("name the type: {code}:Patient.{}", query::shown(rest)));
        }
        // all target types that know the next parameter are followed
        let (mut any, mut refused) = (Vec::new(), None);
        for target in parameter.targets.iter().filter(|target| target.is_concrete_resource()) {
            match self.nested(&[*target], rest, value, depth + 1) {
                Ok(inner) => any.push(step(*target, inner)),
                Err(error) if error.kind == ErrorKind::TooLarge => return Err(error),
                Err(error) => refused = Some(error),
            }
        }
        match refused {
            Some(error) if any.is_empty() => Err(error),
            _ => Ok(if any.len() == 1 { any.remove(0) } else { Filter::Any(any) }),
        }
    }

    fn plain(&mut self, ty: TypeId, name: &str, value: &str) -> Result<Filter> {
        let mut argument = argument(name, value);
        if let Some(filter) = self.of_every_resource(Some(ty), &argument)? {
            return Ok(filter);
        }
        let modifier = argument.modifier.as_deref();
        let Some(parameter) = model::search_parameter(ty, &argument.name) else {
            if let Some(filter) = finding(&argument)? {
                return Ok(filter);
            }
            if let Some(custom) = self.catalog.parameter(ty, &argument.name)? {
                if custom.ty == Some(ParameterType::Date) {
                    argument.value = self.dates(&argument.value);
                }
                return custom.filter(ty, &argument);
            }
            // names what there is
            Query::from_arguments(Some(ty), std::slice::from_ref(&argument))?;
            return Ok(Filter::Row(vec![argument]));
        };
        // what a row decides by itself, as of mime types, needs no terminology
        let by_codes = parameter.ty == ParameterType::Token && matches!(modifier, Some("in" | "not-in" | "above" | "below"));
        if by_codes && Query::from_arguments(Some(ty), std::slice::from_ref(&argument)).is_err() {
            return codes(argument);
        }
        argument = approximate::resolve(Some(ty), &argument, self.now);
        Query::from_arguments(Some(ty), std::slice::from_ref(&argument))?;
        Ok(Filter::Row(vec![argument]))
    }

    /// Parameters that every resource has and that are not decided by its keys.
    fn of_every_resource(&mut self, ty: Option<TypeId>, argument: &Argument) -> Result<Option<Filter>> {
        let plain = argument.modifier.is_none();
        let value = argument.value.as_str();
        Ok(Some(match argument.name.as_str() {
            "_id" if plain => column(ty, argument)?,
            "_lastUpdated" if plain => column(ty, &Argument { value: self.dates(value), ..argument.clone() })?,
            "_list" if plain => Filter::Any(query::split_unescaped(value, ',').into_iter().map(|list| Filter::Member { list: query::unescape(list) }).collect()),
            "_text" | "_content" if plain => match value.trim() {
                "" => return invalid(format!("search parameter \"{}\" has no value", argument.name), ""),
                words => Filter::Text { narrative_only: argument.name == "_text", words: words.to_owned() },
            },
            "_fhirpath" if plain => match ty {
                Some(ty) => {
                    expression::check(value, ty)?;
                    Filter::Path(value.to_owned())
                }
                None => return invalid("_fhirpath needs a resource type", "write a search as Type?_fhirpath=expression"),
            },
            "_filter" if plain => filter_language::read(ty.as_slice(), value, self)?,
            "_query" => return refuse(ErrorKind::NotSupported, "there are no named queries", "write the search out with parameters"),
            "_list" | "_text" | "_content" | "_fhirpath" | "_filter" => {
                return invalid(format!("{} takes no modifier", argument.name), "");
            }
            _ => return Ok(None),
        }))
    }

    /// The value with each `ap` replaced by the interval that it means now.
    fn dates(&self, value: &str) -> String {
        if !value.contains("ap") {
            return value.to_owned();
        }
        let alternatives = query::split_unescaped(value, ',').into_iter();
        alternatives.map(|part| approximate(part, self.now).unwrap_or_else(|| part.to_owned())).collect::<Vec<_>>().join(",")
    }
}

/// What an argument asks of the findings in a row's text, if it is such a one.
fn finding(argument: &Argument) -> Result<Option<Filter>> {
    Ok(entity::read(argument)?.map(|asking| match asking {
        Asking::Finding { tests, open } => Filter::Finding { tests, open },
        Asking::None { tests } => Filter::Not(Box::new(Filter::Finding { tests, open: false })),
    }))
}

/// `name[:modifier]` with its value.
pub fn argument(name: &str, value: &str) -> Argument {
    let (name, modifier) = match name.split_once(':') {
        Some((name, modifier)) => (name, Some(modifier.to_owned())),
        None => (name, None),
    };
    Argument { name: name.to_owned(), modifier, value: value.to_owned() }
}

/// A condition on a column of the lake.
fn column(ty: Option<TypeId>, argument: &Argument) -> Result<Filter> {
    let query = Query::from_arguments(ty, std::slice::from_ref(argument))?;
    let tests = query.conditions.into_iter().flat_map(|c| c.any_of).filter_map(|leaf| match leaf {
        Leaf::One { test, .. } => Some(test),
        Leaf::Together(_) | Leaf::Member(_) => None,
    });
    let (mut ids, mut times) = (Vec::new(), Vec::new());
    for test in tests {
        match test {
            Test::Code(id) => ids.push(id),
            Test::Date(comparison, interval) => times.push((comparison, interval)),
            _ => return invalid(format!("{} takes plain values", argument.name), ""),
        }
    }
    Ok(if argument.name == "_id" { Filter::Id(ids) } else { Filter::LastUpdated(times) })
}

/// Which codes are meant is for terminology to say; each alternative must at least be there.
fn codes(argument: Argument) -> Result<Filter> {
    if query::split_unescaped(&argument.value, ',').iter().any(|part| part.is_empty()) {
        return invalid(format!("search parameter \"{}\" has an empty alternative", query::shown(&argument.name)), "");
    }
    Ok(Filter::Codes(argument))
}
