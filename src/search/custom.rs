//! Search parameters that a lake defines for itself: a stored SearchParameter works as soon as it is there.
//! <https://hl7.org/fhir/R4/searchparameter.html>
//!
//! Its *definition* is a small JSON document: `{"base": "Patient", "type": "token", "expression": "…"}`, and for a composite
//! `component` as well. `fhir.keys_of(resource, definition)` is the pure function behind both the search and the index that
//! `fhir.index_search_parameter` describes; so that the two agree, the definition is written in one place, here.

use super::filter::Filter;
use crate::index::extract::emit_value;
use crate::index::keys::{Entry, Writer};
use crate::index::query::{Argument, ErrorKind, Query, QueryError, shown, split_unescaped};
use crate::index::reads::binding;
use crate::index::reserved;
use crate::json::{self, Item, Node};
use crate::model::{self, ParameterKey, ParameterType, TypeId, ValueSetId};
use crate::path::{self, Branch, Compiled, Condition, PathError};

#[cfg(feature = "pg")]
pub mod sql;
#[cfg(test)]
mod tests;

type Result<T> = std::result::Result<T, QueryError>;

fn invalid<T>(message: impl Into<String>, hint: &str) -> Result<T> {
    Err(QueryError { kind: ErrorKind::Invalid, message: message.into(), hint: (!hint.is_empty()).then(|| hint.to_owned()) })
}

/// A stored SearchParameter.
#[derive(Clone, Debug, PartialEq)]
pub struct CustomParameter {
    pub url: String,
    pub code: String,
    /// `None` for a composite.
    pub ty: Option<ParameterType>,
    /// `Resource` and `DomainResource` stand for all that derive from them.
    pub bases: Vec<TypeId>,
    pub expression: String,
    /// For references: what they may point at; empty where anything.
    pub targets: Vec<TypeId>,
    pub components: Vec<Component>,
}

/// One part of a composite.
#[derive(Clone, Debug, PartialEq)]
pub struct Component {
    /// The url of the SearchParameter that says what it is.
    pub definition: String,
    /// Evaluated on what the expression of the composite leads to.
    pub expression: String,
    /// As the definition says.
    pub ty: ParameterType,
}

impl CustomParameter {
    /// Reads a SearchParameter; `component_type` gives the type of another by its url, which components refer to.
    pub fn read(resource: Node, component_type: &mut dyn FnMut(&str) -> Result<Option<ParameterType>>) -> Result<CustomParameter> {
        let text = |node: Node, name: &str| node.get(name).and_then(Node::as_str).unwrap_or_default().to_owned();
        let types = |name: &str| resource.get(name).into_iter().flat_map(Node::items).filter_map(Node::as_str).filter_map(model::type_named).collect();
        let code = text(resource, "code");
        let refuse = |problem: String, hint: &str| invalid(format!("stored search parameter \"{}\" {problem}", shown(&code)), hint);
        let kind = text(resource, "type");
        let ty = reserved::type_named(&kind);
        if ty.is_none() && kind != "composite" {
            return refuse(format!("is of type \"{}\", which cannot be searched", shown(&kind)), "");
        }
        let mut components = Vec::new();
        for component in resource.get("component").into_iter().flat_map(Node::items).take(reserved::MAX_COMPONENTS + 1) {
            let definition = text(component, "definition");
            let known = match model::search_parameter_by_url(&definition) {
                Some(parameter) => Some(parameter.ty),
                None => component_type(&definition)?,
            };
            match known.filter(|ty| reserved::type_name(*ty).is_some()) {
                Some(ty) => components.push(Component { expression: text(component, "expression"), ty, definition }),
                None => return refuse(format!("has a component that is not defined: \"{}\"", shown(&definition)), "store the SearchParameter that it names"),
            }
        }
        if ty.is_none() && !(1..=reserved::MAX_COMPONENTS).contains(&components.len()) {
            return refuse(format!("has {} components", components.len()), "a composite can have up to 3");
        }
        let expression = text(resource, "expression");
        if expression.is_empty() {
            return refuse("has no expression".into(), "only FHIRPath expressions are read, no XPath");
        }
        Ok(CustomParameter { url: text(resource, "url"), ty, bases: types("base"), expression, targets: types("target"), components, code })
    }

    /// The concrete resource types that it applies to.
    pub fn concrete_bases(&self) -> impl Iterator<Item = TypeId> {
        model::resource_types().filter(|ty| self.bases.iter().any(|base| model::is_a(*ty, *base)))
    }

    /// What `fhir.keys_of` takes for resources of a type, as JSON; an error if the expression does not compile for it.
    pub fn definition(&self, base: TypeId) -> Result<String> {
        let text = |text: &str| Item::String(text.to_owned().into());
        let mut members = vec![
            ("base".into(), text(base.name())),
            ("type".into(), text(self.type_name())),
            ("expression".into(), text(&self.expression)),
        ];
        if !self.components.is_empty() {
            let component = |c: &Component| {
                let ty = reserved::type_name(c.ty).unwrap_or_default();
                Item::Object(vec![("type".into(), text(ty)), ("expression".into(), text(&c.expression))])
            };
            members.push(("component".into(), Item::Array(self.components.iter().map(component).collect())));
        }
        let container = match json::write(&Item::Object(members)) {
            Ok(container) => container,
            Err(error) => return invalid(error.message, ""),
        };
        let Some(node) = json::root(&container) else { return invalid("definition is no JSON", "") };
        match Reader::read(node) {
            Ok(_) => Ok(node.to_json()),
            Err(error) => Err(QueryError { message: format!("stored search parameter \"{}\" cannot be used: {}", shown(&self.code), error.message), ..error }),
        }
    }

    fn type_name(&self) -> &'static str {
        self.ty.and_then(reserved::type_name).unwrap_or("composite")
    }

    /// An argument that names this parameter, as `|=` reads it on the keys of `fhir.keys_of`.
    pub fn argument(&self, argument: &Argument) -> Result<Argument> {
        let name: String = match self.ty {
            Some(_) => format!("{}{}", reserved::MARK, self.type_name()),
            None => self.components.iter().map(|c| format!("{}{}", reserved::MARK, reserved::type_name(c.ty).unwrap_or_default())).collect(),
        };
        let value = match self.ty {
            Some(ParameterType::Reference) if argument.modifier.is_none() => self.with_types(&argument.value),
            _ => argument.value.clone(),
        };
        let renamed = Argument { name: name.clone(), modifier: argument.modifier.clone(), value };
        match Query::from_arguments(None, std::slice::from_ref(&renamed)) {
            Ok(_) => Ok(renamed),
            // the client knows the parameter by its code
            Err(error) => Err(QueryError { message: error.message.replace(&format!("\"{name}\""), &format!("\"{}\"", shown(&self.code))), ..error }),
        }
    }

    /// What a row must satisfy.
    pub fn filter(&self, base: TypeId, argument: &Argument) -> Result<Filter> {
        Ok(Filter::Custom { definition: self.definition(base)?, argument: self.argument(argument)? })
    }

    /// An id alone stands for a resource of any of the targets.
    fn with_types(&self, value: &str) -> String {
        let mut all = Vec::new();
        for value in split_unescaped(value, ',') {
            if !value.contains(['/', ':', '|']) && !value.is_empty() {
                all.extend(self.targets.iter().map(|ty| format!("{}/{value}", ty.name())));
            }
            if self.targets.is_empty() || value.contains(['/', ':', '|']) || value.is_empty() {
                all.push(value.to_owned());
            }
        }
        all.join(",")
    }
}

/// A compiled definition: gives the keys of a resource.
pub struct Reader {
    base: TypeId,
    rule: Rule,
}

enum Rule {
    Plain(Values),
    /// Values of one tuple come from one node: each branch to such nodes with the components compiled for its type.
    Composite(Vec<(Branch, Vec<Part>)>),
}

struct Part {
    values: Values,
    /// Its expression starts at the resource.
    anywhere: bool,
}

/// The values of one expression.
struct Values {
    position: usize,
    ty: ParameterType,
    ways: Vec<(Branch, Option<ValueSetId>)>,
    truth: Option<Condition>,
}

impl Reader {
    /// Compiles a definition.
    pub fn read(definition: Node) -> Result<Reader> {
        let text = |node: Node, name: &str| node.get(name).and_then(Node::as_str).unwrap_or_default().to_owned();
        let base = text(definition, "base");
        let Some(base) = model::type_named(&base).filter(|ty| ty.is_concrete_resource()) else {
            return invalid(format!("unknown resource type \"{}\" in the definition of a search parameter", shown(&base)), "");
        };
        let (kind, expression) = (text(definition, "type"), text(definition, "expression"));
        if let Some(ty) = reserved::type_named(&kind) {
            return Ok(Reader { base, rule: Rule::Plain(Values::compile(0, ty, &expression, base)?) });
        }
        let mut parts = Vec::new();
        for component in definition.get("component").into_iter().flat_map(Node::items).take(reserved::MAX_COMPONENTS) {
            match reserved::type_named(&text(component, "type")) {
                Some(ty) => parts.push((ty, text(component, "expression"))),
                None => return invalid("a component of a search parameter has no type", ""),
            }
        }
        if kind != "composite" || parts.is_empty() {
            return invalid(format!("\"{}\" is no type of search parameter", shown(&kind)), "");
        }
        let Compiled::Values(branches) = compile(&expression, base)? else {
            return invalid(format!("expression of a composite leads to no element: {}", shown(&expression)), "");
        };
        let mut rule = Vec::new();
        for branch in branches {
            let mut components = Vec::new();
            for (i, (ty, expression)) in parts.iter().enumerate() {
                let of_resource = expression.strip_prefix("%resource.");
                let values = Values::compile(i + 1, *ty, of_resource.unwrap_or(expression), if of_resource.is_some() { base } else { branch.ty })?;
                components.push(Part { values, anywhere: of_resource.is_some() });
            }
            rule.push((branch, components));
        }
        Ok(Reader { base, rule: Rule::Composite(rule) })
    }

    /// The body of a `fhir.keys`: no values for a resource of another type.
    pub fn keys(&self, resource: Node) -> Vec<u8> {
        let name = resource.get("resourceType").and_then(Node::as_str).unwrap_or_default();
        let mut writer = Writer::new(name);
        if name != self.base.name() {
            return writer.finish();
        }
        match &self.rule {
            Rule::Plain(values) => values.for_each(resource, 0, &mut |entry| writer.push(&entry)),
            Rule::Composite(branches) => {
                let mut element = 0;
                for (branch, components) in branches {
                    branch.for_each(resource, &mut |node, _, _| {
                        element += 1;
                        for component in components {
                            let from = if component.anywhere { resource } else { node };
                            component.values.for_each(from, element, &mut |entry| writer.push(&entry));
                        }
                    });
                }
            }
        }
        writer.finish()
    }
}

impl Values {
    fn compile(position: usize, ty: ParameterType, expression: &str, root: TypeId) -> Result<Values> {
        Ok(match compile(expression, root)? {
            Compiled::Truth(condition) => Values { position, ty, ways: Vec::new(), truth: Some(condition) },
            Compiled::Values(branches) => {
                let ways = branches.into_iter().map(|branch| (binding(root, &branch), branch)).map(|(required, branch)| (branch, required));
                Values { position, ty, ways: ways.collect(), truth: None }
            }
        })
    }

    fn for_each(&self, node: Node, element: u32, emit: &mut dyn FnMut(Entry)) {
        for (branch, required) in &self.ways {
            let Some(key) = self.key(branch.ty) else { continue };
            branch.for_each(node, &mut |node, ty, _| emit_value((key, self.ty), (ty, *required), node, element, emit));
        }
        if let Some(truth) = self.truth.as_ref().and_then(|condition| condition.holds(node, node))
            && let Some(key) = self.key(model::BOOLEAN)
        {
            emit_value((key, self.ty), (model::BOOLEAN, None), Node::Bool(truth), element, emit);
        }
    }

    fn key(&self, ty: TypeId) -> Option<ParameterKey> {
        reserved::key(self.position, self.ty, self.ty == ParameterType::Token && ty == model::STRING)
    }
}

fn compile(expression: &str, root: TypeId) -> Result<Compiled> {
    path::compile(expression, root).map_err(refused)
}

/// An expression that does not compile, as an error of the search.
pub fn refused(error: PathError) -> QueryError {
    let (kind, hint) = match error {
        PathError::Unsupported { .. } => (ErrorKind::NotSupported, Some(SUPPORTED.to_owned())),
        PathError::TooLong | PathError::TooDeep { .. } | PathError::TooBroad { .. } => (ErrorKind::TooLarge, None),
        _ => (ErrorKind::Invalid, None),
    };
    QueryError { kind, message: format!("FHIRPath: {error}"), hint }
}

/// What expressions may use.
const SUPPORTED: &str = "supported are paths, where, exists, all, empty, count, not, select, first, [n], |, extension, ofType, as, is, \
    resolve() is, and, or, xor, implies, in, = != < <= > >= between single values, and startsWith, endsWith, contains, matches with a string";
