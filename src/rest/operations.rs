//! Operations by their names, each a function of schema `fhir`. <https://hl7.org/fhir/R4/operations.html>

use super::request::{Asked, Scope};
use crate::json::{self, Item, JsonError, Node};
#[cfg(any(feature = "pg", test))]
use crate::path::reference::is_id;
#[cfg(feature = "pg")]
use crate::pg::{
    error::Error,
    spi::Arg,
};

/// The operations that [`run`] knows, beside `$validate`: name, the types that have it (none: every type), and where it is called.
pub const OPERATIONS: &[Operation] = &[
    Operation { name: "$document", types: &["Composition"], on: &[On::Type, On::Instance], changes: false, definition: "http://hl7.org/fhir/OperationDefinition/Composition-document" },
    Operation { name: "$everything", types: &["Patient"], on: &[On::Instance], changes: false, definition: "http://hl7.org/fhir/OperationDefinition/Patient-everything" },
    Operation { name: "$lastn", types: &["Observation"], on: &[On::Type], changes: false, definition: "http://hl7.org/fhir/OperationDefinition/Observation-lastn" },
    Operation { name: "$match", types: &["Patient"], on: &[On::Type], changes: false, definition: "http://hl7.org/fhir/OperationDefinition/Patient-match" },
    Operation { name: "$meta", types: &[], on: &[On::System, On::Type, On::Instance], changes: false, definition: "http://hl7.org/fhir/OperationDefinition/Resource-meta" },
    Operation { name: "$meta-add", types: &[], on: &[On::Instance], changes: true, definition: "http://hl7.org/fhir/OperationDefinition/Resource-meta-add" },
    Operation { name: "$meta-delete", types: &[], on: &[On::Instance], changes: true, definition: "http://hl7.org/fhir/OperationDefinition/Resource-meta-delete" },
    Operation { name: "$expand", types: &["ValueSet"], on: &[On::Type, On::Instance], changes: false, definition: "http://hl7.org/fhir/OperationDefinition/ValueSet-expand" },
    Operation { name: "$lookup", types: &["CodeSystem"], on: &[On::Type], changes: false, definition: "http://hl7.org/fhir/OperationDefinition/CodeSystem-lookup" },
    Operation { name: "$subsumes", types: &["CodeSystem"], on: &[On::Type, On::Instance], changes: false, definition: "http://hl7.org/fhir/OperationDefinition/CodeSystem-subsumes" },
    Operation { name: "$translate", types: &["ConceptMap"], on: &[On::Type, On::Instance], changes: false, definition: "http://hl7.org/fhir/OperationDefinition/ConceptMap-translate" },
    Operation { name: "$validate-code", types: &["CodeSystem"], on: &[On::Type, On::Instance], changes: false, definition: "http://hl7.org/fhir/OperationDefinition/CodeSystem-validate-code" },
    Operation { name: "$validate-code", types: &["ValueSet"], on: &[On::Type, On::Instance], changes: false, definition: "http://hl7.org/fhir/OperationDefinition/ValueSet-validate-code" },
    Operation { name: "$validate", types: &[], on: &[On::Type, On::Instance], changes: false, definition: "http://hl7.org/fhir/OperationDefinition/Resource-validate" },
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
    /// Whether it changes what is stored: such a one is not called by GET. <https://hl7.org/fhir/R4/operations.html#request>
    pub changes: bool,
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

    /// The element of that name in a parameter of the body, such as a `valueMeta`.
    pub fn element(&self, name: &str, value: &str) -> Option<Node<'a>> {
        self.parts().filter(|part| part.get("name").and_then(Node::as_str) == Some(name)).find_map(|part| part.get(value))
    }

    /// The parameters as a search, without those of that name and those that shape the answer of HTTP.
    pub fn search(&self, without: &str) -> String {
        let names = |part: &&str| {
            let name = part.split('=').next().unwrap_or_default();
            !part.is_empty() && name != without && name != "_format" && name != "_pretty"
        };
        let mut search: Vec<String> = self.asked.query.split('&').filter(names).map(str::to_owned).collect();
        let mut seen = vec![without.to_owned()];
        for name in self.parts().filter_map(|part| part.get("name").and_then(Node::as_str)) {
            if !seen.iter().any(|known| known == name) {
                seen.push(name.to_owned());
                let own = Parameters { asked: &Asked { query: String::new(), ..self.asked.clone() }, body: self.body };
                search.extend(own.all(name).iter().map(|value| format!("{}={}", encoded(name), encoded(value))));
            }
        }
        search.join("&")
    }

    /// All of them as one Parameters resource: those of the query as strings, those of the body as they are. A body of another type is
    /// the parameter of that name, as `valueSet`.
    pub fn gathered(&self, ty: Option<&str>) -> Result<Vec<u8>, JsonError> {
        let mut parts: Vec<Item> = Vec::new();
        let mut seen: Vec<&str> = Vec::new();
        for name in self.asked.query.split('&').map(|part| part.split('=').next().unwrap_or_default()) {
            if !name.is_empty() && !seen.contains(&name) {
                seen.push(name);
                for value in self.asked.parameters(name) {
                    parts.push(Item::Object(vec![("name".into(), Item::String(name.to_owned().into())), ("valueString".into(), Item::String(value.into()))]));
                }
            }
        }
        parts.extend(self.parts().map(Item::Node));
        let other = self.body.filter(|body| body.get("resourceType").and_then(Node::as_str) == ty);
        if let (Some(resource), Some(ty)) = (other, ty) {
            let mut name = ty.to_owned();
            if let Some(first) = name.get_mut(0..1) {
                first.make_ascii_lowercase();
            }
            parts.push(Item::Object(vec![("name".into(), Item::String(name.into())), ("resource".into(), Item::Node(resource))]));
        }
        json::write(&Item::Object(vec![("resourceType".into(), Item::String("Parameters".into())), ("parameter".into(), Item::Array(parts))]))
    }

    /// The resource that came along: in a parameter of that name, or as the body.
    pub fn resource(&self, name: &str) -> Option<Node<'a>> {
        let mut parts = self.parts().filter(|part| part.get("name").and_then(Node::as_str) == Some(name));
        let body = self.body.filter(|body| body.get("resourceType").and_then(Node::as_str) != Some("Parameters"));
        parts.find_map(|part| part.get("resource")).or(body)
    }
}

/// A name or value as it stands in a query: what means something there is escaped.
fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b':' | b'/' | b'|' | b',' | b'$' | b'\\' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// The id of a resource of this server, from an id or its address: `Type/id`, or below the base that was asked.
#[cfg(any(feature = "pg", test))]
fn own_id<'t>(text: &'t str, ty: &str, base: &str) -> Option<&'t str> {
    let path = match base {
        "" => text,
        base => text.strip_prefix(base).map_or(text, |rest| rest.trim_start_matches('/')),
    };
    let id = path.strip_prefix(ty).and_then(|rest| rest.strip_prefix('/')).unwrap_or(path);
    is_id(id).then_some(id)
}

/// Calls an operation on a lake; the resource that it gives.
#[cfg(feature = "pg")]
pub fn run(lake: &str, scope: &Scope, name: &str, parameters: &Parameters) -> Result<Vec<u8>, Error> {
    let Some(operation) = Operation::named(name, scope) else {
        let shown: String = name.chars().take(64).collect();
        return Err(Error::new("FH404", format!("there is no operation {shown} here")).hint("GET /metadata lists the operations"));
    };
    if operation.changes && parameters.asked.method.reads() {
        return Err(Error::new("25006", format!("operation {} changes a resource", operation.name)).hint("it is called by POST"));
    }
    let (ty, id) = match scope {
        Scope::System => (None, None),
        Scope::Type(ty) => (Some(ty.name()), None),
        Scope::Instance(ty, id) => (Some(ty.name()), Some(id.as_str())),
    };
    let owned = |text: Option<&str>| text.map(str::to_owned);
    let (sql, values): (&str, Vec<Option<String>>) = match operation.name {
        "$document" => (
            "SELECT fhir.document($1, coalesce($2::pg_catalog.bool, false), $3, $4)",
            vec![Some(composition(id, parameters)?), parameters.text("persist"), Some(parameters.asked.base.clone()), parameters.text("graph")],
        ),
        "$everything" => (
            "SELECT fhir.everything($1, $2, $3, $4::pg_catalog.timestamptz, pg_catalog.string_to_array($5, ','), $6::pg_catalog.int4, $7, $8)",
            vec![
                owned(id),
                parameters.text("start"),
                parameters.text("end"),
                parameters.text("_since"),
                Some(parameters.all("_type").join(",")).filter(|types| !types.is_empty()),
                parameters.text("_count"),
                parameters.text("_cursor"),
                Some(lake.to_owned()),
            ],
        ),
        "$lastn" => ("SELECT fhir.lastn($1, coalesce($2::pg_catalog.int4, 1))", vec![Some(parameters.search("max")), parameters.text("max")]),
        "$match" => (
            "SELECT fhir.match(pg_catalog.jsonb_build_object('resourceType', 'Parameters', 'parameter', pg_catalog.jsonb_build_array(\
             pg_catalog.jsonb_build_object('name', 'resource', 'resource', $3), \
             pg_catalog.jsonb_build_object('name', 'count', 'valueInteger', $1::pg_catalog.int4), \
             pg_catalog.jsonb_build_object('name', 'onlyCertainMatches', 'valueBoolean', coalesce($2::pg_catalog.bool, false)))))",
            vec![parameters.text("count"), parameters.text("onlyCertainMatches")],
        ),
        "$meta" => ("SELECT fhir.meta_parameters(fhir.meta($1, $2))", vec![owned(ty), owned(id)]),
        "$meta-add" => ("SELECT fhir.meta_parameters(fhir.meta_add($1, $2, $3))", vec![owned(ty), owned(id)]),
        "$meta-delete" => ("SELECT fhir.meta_parameters(fhir.meta_delete($1, $2, $3))", vec![owned(ty), owned(id)]),
        "$expand" | "$lookup" | "$subsumes" | "$translate" | "$validate-code" => {
            ("SELECT fhir.terminology_operation($1, $2, $3, $4)", vec![Some(operation.name.to_owned()), owned(ty), owned(id)])
        }
        _ => return Err(Error::new("0A000", format!("operation {} is not supported here", operation.name))),
    };
    // the one value that is not a text stands behind the others
    let along = match operation.name {
        "$match" => Some(parameters.resource("resource")),
        "$meta-add" | "$meta-delete" => Some(parameters.element("meta", "valueMeta")),
        _ => None,
    };
    let mut container = along.flatten().map(|node| json::write(&Item::Node(node))).transpose()?;
    let takes_all = sql.contains("terminology_operation");
    if takes_all {
        container = Some(parameters.gathered(ty)?);
    }
    let mut args: Vec<Arg> = values.iter().map(|value| value.as_deref().map_or(Arg::Null(pgrx::pg_sys::TEXTOID), Arg::Text)).collect();
    if along.is_some() || takes_all {
        args.push(container.as_deref().map_or(Arg::Null(pgrx::pg_sys::JSONBOID), Arg::Jsonb));
    }
    super::dispatch::afresh(|spi| spi.jsonb(sql, &args))?.ok_or_else(|| Error::new("FH404", "the operation has no answer"))
}

/// The id of the Composition whose document is asked for.
#[cfg(feature = "pg")]
fn composition(id: Option<&str>, parameters: &Parameters) -> Result<String, Error> {
    if parameters.text("persist").is_some_and(|value| value == "true") && parameters.asked.method.reads() {
        return Err(Error::new("25006", "a document is not stored by GET").hint("with persist=true it is called by POST"));
    }
    match (id, parameters.text("id")) {
        (Some(_), Some(_)) => Err(Error::new("22023", "the Composition is named twice").hint("without the parameter id, or without the id in the address")),
        (Some(id), None) => Ok(id.to_owned()),
        (None, None) => Err(Error::new("22023", "no Composition is named").hint("Composition/[id]/$document, or the parameter id")),
        (None, Some(named)) => match own_id(&named, "Composition", &parameters.asked.base) {
            Some(id) => Ok(id.to_owned()),
            None => Err(Error::new("0A000", "the Composition is not one of this server").hint("give its id")),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn all_parameters_are_gathered() {
        let text = r#"{"resourceType":"Parameters","parameter":[{"name":"coding","valueCoding":{"code":"a"}}]}"#;
        let container = json::parse(text.as_bytes(), &json::Limits::default()).unwrap();
        let asked = Asked::parse("POST", "/ValueSet/$validate-code?url=http://x.org/a%26b&url=c").unwrap();
        let gathered = Parameters { asked: &asked, body: json::root(&container) }.gathered(Some("ValueSet")).unwrap();
        let expected = r#"{"resourceType":"Parameters","parameter":[{"name":"url","valueString":"http://x.org/a&b"},{"name":"url","valueString":"c"},{"name":"coding","valueCoding":{"code":"a"}}]}"#;
        assert_eq!(gathered, json::parse(expected.as_bytes(), &json::Limits::default()).unwrap());
        let set = json::parse(br#"{"resourceType":"ValueSet","id":"v"}"#, &json::Limits::default()).unwrap();
        let asked = Asked::parse("POST", "/ValueSet/$expand").unwrap();
        let gathered = Parameters { asked: &asked, body: json::root(&set) }.gathered(Some("ValueSet")).unwrap();
        let expected = r#"{"resourceType":"Parameters","parameter":[{"name":"valueSet","resource":{"resourceType":"ValueSet","id":"v"}}]}"#;
        assert_eq!(gathered, json::parse(expected.as_bytes(), &json::Limits::default()).unwrap());
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
        assert!(called("GET", "/$meta") && called("GET", "/Condition/$meta") && called("GET", "/Condition/a/$meta"));
        assert!(called("POST", "/Condition/a/$meta-add") && !called("POST", "/Condition/$meta-add"));
        assert!(called("GET", "/Observation/$lastn") && !called("GET", "/Patient/$lastn"));
        assert!(called("GET", "/Composition/a/$document") && called("GET", "/Composition/$document"));
        assert!(called("GET", "/ValueSet/$expand") && called("GET", "/ValueSet/a/$expand") && !called("GET", "/CodeSystem/$expand"));
        assert!(called("GET", "/CodeSystem/$lookup") && !called("GET", "/CodeSystem/a/$lookup"));
        assert!(called("GET", "/CodeSystem/$validate-code") && called("POST", "/ValueSet/a/$validate-code") && !called("GET", "/ConceptMap/$validate-code"));
        assert!(called("GET", "/CodeSystem/a/$subsumes") && called("POST", "/ConceptMap/$translate"));
        assert!(called("POST", "/Patient/$match") && !called("POST", "/Patient/a/$match"));
    }

    #[test]
    fn what_changes_a_resource_is_named() {
        let changing: Vec<&str> = OPERATIONS.iter().filter(|operation| operation.changes).map(|operation| operation.name).collect();
        assert_eq!(changing, ["$meta-add", "$meta-delete"]);
    }

    #[test]
    fn a_search_comes_by_query_and_body() {
        let text = r#"{"resourceType":"Parameters","parameter":[{"name":"max","valuePositiveInt":3},{"name":"code","valueString":"a&b|c"},{"name":"code","valueString":"d"}]}"#;
        let container = json::parse(text.as_bytes(), &json::Limits::default()).unwrap();
        let asked = Asked::parse("POST", "/Observation/$lastn?patient=p&max=2&_format=json&category=x%26y").unwrap();
        let parameters = Parameters { asked: &asked, body: json::root(&container) };
        assert_eq!(parameters.search("max"), "patient=p&category=x%26y&code=a%26b|c&code=d");
        assert_eq!(parameters.text("max").as_deref(), Some("2"));
    }

    #[test]
    fn a_composition_is_named_by_id_or_address() {
        assert_eq!(own_id("a", "Composition", ""), Some("a"));
        assert_eq!(own_id("Composition/a", "Composition", "http://x.org/fhir"), Some("a"));
        assert_eq!(own_id("http://x.org/fhir/Composition/a", "Composition", "http://x.org/fhir"), Some("a"));
        assert_eq!(own_id("http://y.org/Composition/a", "Composition", "http://x.org/fhir"), None);
        assert_eq!(own_id("Patient/a", "Composition", ""), None);
    }
}
