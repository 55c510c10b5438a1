//! The CapabilityStatement of a lake: <https://hl7.org/fhir/R4/capabilitystatement.html>. It is made from the same definitions and
//! tables that requests are answered by.

use super::operations::{OPERATIONS, On, Operation};
use crate::json::{self, Item, JsonError};
use crate::model::{self, ParameterType, SearchParameter, TypeId};
use crate::search::entity;
use crate::store::interactions::patch_kind::CONTENT_TYPES;
use std::borrow::Cow;

type Members<'a> = Vec<(Cow<'a, str>, Item<'a>)>;

/// What every type can do: <https://hl7.org/fhir/R4/valueset-type-restful-interaction.html>
const INTERACTIONS: &[&str] = &["read", "vread", "update", "patch", "delete", "history-instance", "history-type", "create", "search-type"];
/// What the lake can do as a whole: <https://hl7.org/fhir/R4/valueset-system-restful-interaction.html>
const SYSTEM_INTERACTIONS: &[&str] = &["transaction", "batch", "search-system", "history-system"];

/// The one parameter of all types that no search takes: the lake has no named queries.
const NAMED_QUERIES: &str = "_query";

/// What the parameters of findings are about.
const FINDINGS: &str = "of a finding in the text of the resource; parameters of one request speak of the same finding";

/// The statement as of that instant, for a client that asks below that base.
pub fn statement(date: &str, base: &str) -> Result<Vec<u8>, JsonError> {
    let types: Vec<TypeId> = model::resource_types().collect();
    let version = env!("CARGO_PKG_VERSION");
    let mut implementation = object([("description", text("a lake in PostgreSQL"))]);
    if !base.is_empty() {
        implementation.push(("url".into(), text(base)));
    }
    let mut rest = object([("mode", text("server")), ("resource", Item::Array(types.iter().map(|ty| resource(*ty, &types)).collect()))]);
    rest.push(("interaction".into(), codes(SYSTEM_INTERACTIONS)));
    let everywhere: Vec<Item> = OPERATIONS.iter().filter(|operation| operation.on.contains(&On::System)).map(operation).collect();
    if !everywhere.is_empty() {
        rest.push(("operation".into(), Item::Array(everywhere)));
    }
    let compartments: Vec<&str> = types.iter().map(|ty| ty.name()).filter(|name| is_compartment(name)).collect();
    let addresses = compartments.iter().map(|name| Item::String(format!("http://hl7.org/fhir/CompartmentDefinition/{}", name.to_lowercase()).into()));
    rest.push(("compartment".into(), Item::Array(addresses.collect())));
    let statement = object([
        ("resourceType", text("CapabilityStatement")),
        ("status", text("active")),
        ("date", text(date)),
        ("kind", text("instance")),
        ("fhirVersion", text("4.0.1")),
        ("format", Item::Array(vec![text("application/fhir+json"), text("json")])),
        ("patchFormat", Item::Array(CONTENT_TYPES.map(text).to_vec())),
        ("software", Item::Object(object([("name", text("fhirlake")), ("version", text(version))]))),
        ("implementation", Item::Object(implementation)),
        ("rest", Item::Array(vec![Item::Object(rest)])),
    ]);
    json::write(&Item::Object(statement))
}

fn resource<'a>(ty: TypeId, types: &[TypeId]) -> Item<'a> {
    let parameters: Vec<&SearchParameter> = model::search_parameters(ty).filter(|parameter| parameter.code != NAMED_QUERIES).collect();
    let mut members = object([
        ("type", text(ty.name())),
        ("profile", Item::String(format!("http://hl7.org/fhir/StructureDefinition/{}", ty.name()).into())),
        ("interaction", codes(INTERACTIONS)),
        ("versioning", text("versioned-update")),
        ("readHistory", Item::Bool(true)),
        ("updateCreate", Item::Bool(true)),
        ("conditionalCreate", Item::Bool(true)),
        ("conditionalRead", text("full-support")),
        ("conditionalUpdate", Item::Bool(true)),
        ("conditionalDelete", text("single")),
        ("referencePolicy", Item::Array(["literal", "logical", "local"].map(text).to_vec())),
    ]);
    let includes = parameters.iter().filter(|p| p.ty == ParameterType::Reference).map(|p| Item::String(format!("{}:{}", ty.name(), p.code).into()));
    push_some(&mut members, "searchInclude", includes.collect());
    let points_here = |p: &&SearchParameter| p.ty == ParameterType::Reference && (p.targets.is_empty() || p.targets.contains(&ty));
    let from = |source: &TypeId| {
        let own = model::search_parameters(*source).filter(points_here);
        own.map(|p| Item::String(format!("{}:{}", source.name(), p.code).into())).collect::<Vec<_>>()
    };
    push_some(&mut members, "searchRevInclude", types.iter().flat_map(from).collect());
    let findings = entity::PARTS.iter().map(|(name, _, ty)| (format!("entity-{name}"), *ty)).filter(|(name, _)| !parameters.iter().any(|p| p.code == name));
    let findings = findings.map(|(name, ty)| {
        Item::Object(vec![("name".into(), Item::String(name.into())), ("type".into(), text(ty)), ("documentation".into(), text(FINDINGS))])
    });
    push_some(&mut members, "searchParam", parameters.iter().map(|p| parameter(p)).chain(findings).collect());
    let fits = |operation: &&Operation| (operation.types.is_empty() || operation.types.contains(&ty.name())) && operation.on.iter().any(|on| *on != On::System);
    push_some(&mut members, "operation", OPERATIONS.iter().filter(fits).map(operation).collect());
    Item::Object(members)
}

fn parameter<'a>(parameter: &SearchParameter) -> Item<'a> {
    Item::Object(object([("name", text(parameter.code)), ("definition", text(parameter.url)), ("type", text(parameter.ty.code()))]))
}

fn operation<'a>(operation: &'static Operation) -> Item<'a> {
    Item::Object(object([("name", text(operation.name.trim_start_matches('$'))), ("definition", text(operation.definition))]))
}

fn is_compartment(name: &str) -> bool {
    model::COMPARTMENTS.iter().any(|rule| rule.compartment.name() == name)
}

fn codes<'a>(codes: &[&'static str]) -> Item<'a> {
    Item::Array(codes.iter().map(|code| Item::Object(object([("code", text(code))]))).collect())
}

/// FHIR knows no empty arrays.
fn push_some<'a>(members: &mut Members<'a>, name: &'static str, items: Vec<Item<'a>>) {
    if !items.is_empty() {
        members.push((name.into(), Item::Array(items)));
    }
}

fn object<'a, const N: usize>(members: [(&'static str, Item<'a>); N]) -> Members<'a> {
    members.into_iter().map(|(name, item)| (Cow::Borrowed(name), item)).collect()
}

fn text(text: &str) -> Item<'_> {
    Item::String(Cow::Borrowed(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Node;
    use crate::validate;

    #[test]
    fn the_statement_is_valid_and_tells_of_every_type() {
        let statement = statement("2026-01-01T00:00:00Z", "http://x.org/fhir").unwrap();
        let node = json::root(&statement).unwrap();
        assert_eq!(validate::issues(node), []);
        let resources = node.get("rest").unwrap().items().next().unwrap().get("resource").unwrap();
        assert_eq!(resources.items().count(), model::resource_types().count());
        let patient = resources.items().find(|r| r.get("type").and_then(Node::as_str) == Some("Patient")).unwrap();
        let has = |list: &str, key: &str, value: &str| patient.get(list).unwrap().items().any(|item| item.get(key).and_then(Node::as_str) == Some(value));
        assert!(has("searchParam", "name", "birthdate") && has("searchParam", "name", "_lastUpdated") && has("operation", "name", "everything"));
        assert!(patient.get("searchRevInclude").unwrap().items().any(|item| item.as_str() == Some("Observation:subject")));
    }
}
