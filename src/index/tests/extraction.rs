//! The one walk over a resource finds what each parameter's expression finds by itself.

use super::super::extract;
use super::super::keys::Keys;
use super::{corpus, keys_of};
use crate::json::{self, Limits, Node};
use crate::model::{self, ParameterKey, ParameterType, TypeId};
use crate::path;
use std::collections::{BTreeMap, BTreeSet};

/// Parameters that give no values, by type of parameter: composites are matched on the values of their parts, and of those
/// of the kind special `_filter` and `_query` are languages of their own.
/// The others have no expression: `_content` and `_text` search the whole text, and two come from examples of extensions.
const WITHOUT_VALUES: [&str; 6] = ["_content", "_filter", "_query", "_text", "age", "birthOrderBoolean"];

fn has_values(parameter: &model::SearchParameter) -> bool {
    parameter.ty != ParameterType::Composite && !parameter.expression.is_empty()
}

#[test]
fn all_parameters_but_known_ones_have_a_plan() {
    let mut without = BTreeSet::new();
    for ty in model::resource_types() {
        let with: BTreeSet<ParameterKey> = extract::plan(ty).parameters().collect();
        for parameter in model::search_parameters(ty).filter(|p| p.ty != ParameterType::Composite) {
            if !with.contains(&parameter.key) {
                without.insert(parameter.code);
            }
            assert_eq!(with.contains(&parameter.key), has_values(parameter), "{} of {}", parameter.code, ty.name());
        }
    }
    assert_eq!(without.into_iter().collect::<Vec<_>>(), WITHOUT_VALUES);
}

/// The parameters of which the resource has an element, each parameter's expression followed by itself.
fn by_expression(ty: TypeId, resource: Node, compiled: &mut BTreeMap<(TypeId, &'static str), Option<path::Compiled>>) -> BTreeSet<(ParameterKey, u32)> {
    let mut found = BTreeSet::new();
    for parameter in model::search_parameters(ty).filter(|p| has_values(p)) {
        let compiled = compiled.entry((ty, parameter.url)).or_insert_with(|| path::compile(parameter.expression, ty).ok());
        if let Some(compiled) = compiled {
            compiled.for_each(resource, &mut |_, _, element| {
                found.insert((parameter.key, u32::from(element)));
            });
        }
    }
    found
}

#[test]
fn the_walk_finds_what_the_expressions_find() {
    let texts = corpus::example_texts().unwrap_or_default();
    let mut compiled = BTreeMap::new();
    let mut checked = 0;
    for text in texts.iter().map(String::as_str).chain(corpus::RESOURCES) {
        let bytes = json::parse(text.as_bytes(), &Limits::default()).unwrap();
        let root = json::root(&bytes).unwrap();
        let Some(ty) = root.get("resourceType").and_then(Node::as_str).and_then(model::type_named) else { continue };
        let body = keys_of(text);
        let walked: BTreeSet<_> = Keys::read(&body).unwrap().entries().map(|e| (e.parameter, e.element)).collect();
        assert_eq!(walked, by_expression(ty, root, &mut compiled), "{}", &text[..text.len().min(200)]);
        checked += 1;
    }
    println!("{checked} resources");
}
