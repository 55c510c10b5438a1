//! `_include` and `_revinclude`: which resources come along with the matches.
//! <https://hl7.org/fhir/R4/search.html#include>

use super::criteria::{invalid, may_point_at, reference_parameter, resource_type};
use crate::index::query::{Argument, ErrorKind, QueryError, shown};
use crate::model::{self, ParameterKey, ParameterType, TypeId};

#[derive(Debug, PartialEq, Clone)]
pub struct Include {
    /// Resources that point at what was found, instead of those that it points at.
    pub reverse: bool,
    /// Also from resources that were included themselves.
    pub iterate: bool,
    /// The type whose references are followed; any, if there is none.
    pub source: Option<TypeId>,
    /// The reference parameters that are followed; all of the source, if there are none.
    pub parameters: Vec<ParameterKey>,
    /// The code of the one parameter.
    pub code: Option<String>,
    /// Only to resources of this type.
    pub target: Option<TypeId>,
}

type Result<T> = std::result::Result<T, QueryError>;

impl Include {
    /// Reads `Type:parameter[:Target]`, `Type:*` or `*`.
    pub fn read(argument: &Argument) -> Result<Include> {
        let reverse = argument.name == "_revinclude";
        let iterate = match argument.modifier.as_deref() {
            None => false,
            Some("iterate" | "recurse") => true,
            Some(other) => return invalid(format!("modifier :{} does not apply to {}", shown(other), argument.name), "write :iterate"),
        };
        let mut include = Include { reverse, iterate, source: None, parameters: Vec::new(), code: None, target: None };
        if argument.value == "*" {
            if reverse {
                let message = "_revinclude=* would read every table";
                return Err(QueryError { kind: ErrorKind::NotSupported, message: message.into(), hint: Some("name the types that may point here: _revinclude=Provenance:target".into()) });
            }
            return Ok(include);
        }
        let mut parts = argument.value.split(':');
        let (source, code, target) = (parts.next().unwrap_or_default(), parts.next(), parts.next());
        let Some(code) = code.filter(|code| !code.is_empty() && parts.next().is_none()) else {
            return invalid(format!("\"{}\" is no value for {}", shown(&argument.value), argument.name), "write Type:parameter or Type:parameter:TargetType");
        };
        let source = resource_type(source)?;
        include.source = Some(source);
        include.target = target.map(resource_type).transpose()?;
        if code != "*" {
            let parameter = reference_parameter(source, code)?;
            if let Some(target) = include.target.filter(|target| !may_point_at(parameter, *target)) {
                return invalid(format!("\"{code}\" of {} does not point at {}", source.name(), target.name()), "");
            }
            include.parameters.push(parameter.key);
            include.code = Some(code.to_owned());
        }
        Ok(include)
    }

    /// Whether references of this type under this parameter are followed.
    pub fn follows(&self, source: &str, parameter: ParameterKey) -> bool {
        self.source.is_none_or(|ty| ty.name() == source) && (self.parameters.is_empty() || self.parameters.contains(&parameter))
    }

    /// The codes of the source's parameters through which something may point at resources of these types.
    pub fn codes_pointing_at(&self, types: &[TypeId]) -> Vec<&'static str> {
        let Some(source) = self.source else { return Vec::new() };
        let parameters = model::search_parameters(source).filter(|p| p.ty == ParameterType::Reference);
        let wanted = parameters.filter(|p| self.parameters.is_empty() || self.parameters.contains(&p.key));
        wanted.filter(|p| types.iter().any(|ty| may_point_at(p, *ty))).map(|p| p.code).collect()
    }
}
