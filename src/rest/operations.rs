//! Operations by their names, each a function of schema `fhir`. <https://hl7.org/fhir/R4/operations.html>

use super::request::{Asked, Scope};
use crate::json::Node;
#[cfg(feature = "pg")]
use crate::pg::{
    error::Error,
    spi::{Arg, connected},
};

/// The operations that [`run`] knows, beside `$validate`: name, the types that have it (none: every type), and where it is called.
pub const OPERATIONS: &[Operation] = &[
    Operation { name: "$everything", types: &["Patient"], on: &[On::Instance], definition: "http://hl7.org/fhir/OperationDefinition/Patient-everything" },
    Operation { name: "$validate", types: &[], on: &[On::Type, On::Instance], definition: "http://hl7.org/fhir/OperationDefinition/Resource-validate" },
];

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum On {
    System,
    Type,
    Instance,
}

pub struct Operation {
    pub name: &'static str,
    pub types: &'static [&'static str],
    pub on: &'static [On],
    pub definition: &'static str,
}

impl Operation {
    /// The operation of that name, where it can be called on that.
    pub fn named(name: &str, scope: &Scope) -> Option<&'static Operation> {
        let (on, ty) = match scope {
            Scope::System => (On::System, None),
            Scope::Type(ty) => (On::Type, Some(ty.name())),
            Scope::Instance(ty, _) => (On::Instance, Some(ty.name())),
        };
        let fits = |operation: &&Operation| {
            operation.name == name && operation.on.contains(&on) && (operation.types.is_empty() || ty.is_some_and(|ty| operation.types.contains(&ty)))
        };
        OPERATIONS.iter().find(fits)
    }
}

/// The parameters of a call: of the query, or of a Parameters resource.
pub struct Parameters<'a> {
    pub asked: &'a Asked,
    pub body: Option<Node<'a>>,
}

impl<'a> Parameters<'a> {
    fn parts(&self) -> impl Iterator<Item = Node<'a>> {
        let is_parameters = |body: &Node| body.get("resourceType").and_then(Node::as_str) == Some("Parameters");
        self.body.filter(is_parameters).and_then(|body| body.get("parameter")).into_iter().flat_map(Node::items)
    }

    /// The values of a parameter as text.
    pub fn all(&self, name: &str) -> Vec<String> {
        let mut found = self.asked.parameters(name);
        for part in self.parts().filter(|part| part.get("name").and_then(Node::as_str) == Some(name)) {
            let values = part.as_object().into_iter().flat_map(|object| object.iter());
            found.extend(values.filter(|(key, _)| key.starts_with("value")).filter_map(|(_, value)| match value {
                Node::String(text) => Some(text.to_owned()),
                Node::Number(number) => Some(number.to_decimal_string()),
                Node::Bool(value) => Some(value.to_string()),
                _ => None,
            }));
        }
        found
    }

    pub fn text(&self, name: &str) -> Option<String> {
        self.all(name).into_iter().next()
    }

    /// The resource that came along: in a parameter of that name, or as the body.
    pub fn resource(&self, name: &str) -> Option<Node<'a>> {
        let mut parts = self.parts().filter(|part| part.get("name").and_then(Node::as_str) == Some(name));
        let body = self.body.filter(|body| body.get("resourceType").and_then(Node::as_str) != Some("Parameters"));
        parts.find_map(|part| part.get("resource")).or(body)
    }
}

/// Calls an operation on a lake; the resource that it gives.
#[cfg(feature = "pg")]
pub fn run(lake: &str, scope: &Scope, name: &str, parameters: &Parameters) -> Result<Vec<u8>, Error> {
    let Some(operation) = Operation::named(name, scope) else {
        let shown: String = name.chars().take(64).collect();
        return Err(Error::new("FH404", format!("there is no operation {shown} here")).hint("GET /metadata lists the operations"));
    };
    let id = if let Scope::Instance(_, id) = scope { id.as_str() } else { "" };
    let (sql, values): (&str, Vec<Option<String>>) = match operation.name {
        "$everything" => (
            "SELECT fhir.everything($1, $2, $3, $4::pg_catalog.timestamptz, pg_catalog.string_to_array($5, ','), $6::pg_catalog.int4, $7, $8)",
            vec![
                Some(id.to_owned()),
                parameters.text("start"),
                parameters.text("end"),
                parameters.text("_since"),
                Some(parameters.all("_type").join(",")).filter(|types| !types.is_empty()),
                parameters.text("_count"),
                parameters.text("_cursor"),
                Some(lake.to_owned()),
            ],
        ),
        _ => return Err(Error::new("0A000", format!("operation {} is not supported here", operation.name))),
    };
    let args: Vec<Arg> = values.iter().map(|value| value.as_deref().map_or(Arg::Null(pgrx::pg_sys::TEXTOID), Arg::Text)).collect();
    connected(|spi| spi.jsonb(sql, &args))?.ok_or_else(|| Error::new("FH404", "the operation has no answer"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;

    #[test]
    fn parameters_come_by_query_or_body() {
        let text = r#"{"resourceType":"Parameters","parameter":[{"name":"count","valueInteger":3},{"name":"resource","resource":{"resourceType":"Patient"}},{"name":"_type","valueCode":"Observation"}]}"#;
        let container = json::parse(text.as_bytes(), &json::Limits::default()).unwrap();
        let asked = Asked::parse("POST", "/Patient/a/$everything?_type=Condition&start=2010").unwrap();
        let parameters = Parameters { asked: &asked, body: json::root(&container) };
        assert_eq!(parameters.all("_type"), ["Condition", "Observation"]);
        assert_eq!(parameters.text("count").as_deref(), Some("3"));
        assert_eq!(parameters.text("start").as_deref(), Some("2010"));
        assert!(parameters.resource("resource").is_some_and(|resource| resource.get("resourceType").is_some()));
        assert_eq!(parameters.text("end"), None);
    }

    #[test]
    fn operations_are_called_where_they_are_defined() {
        let called = |method: &str, url: &str| match Asked::parse(method, url).unwrap().interaction {
            super::super::request::Interaction::Operation(scope, name) => Operation::named(&name, &scope).is_some(),
            _ => false,
        };
        assert!(called("GET", "/Patient/a/$everything"));
        assert!(!called("GET", "/Patient/$everything"));
        assert!(!called("GET", "/Observation/a/$everything"));
        assert!(called("POST", "/Observation/$validate"));
        assert!(!called("POST", "/$nonsense"));
    }
}
