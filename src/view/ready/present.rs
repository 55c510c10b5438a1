//! A view as JSON: <https://sql-on-fhir.org/ig/2.0.0/StructureDefinition-ViewDefinition.html>.

use super::{Column, Rows, Select, View};
use crate::json::Item;
use std::borrow::Cow;

/// The ViewDefinition.
pub fn view_definition(view: &View) -> Item<'_> {
    let mut select = Vec::new();
    // a select of the same rows need not stand around the others
    if !view.select.columns.is_empty() {
        select.push(object([("column", columns(&view.select.columns))]));
    }
    select.extend(view.select.inner.iter().map(nested));
    object([
        ("resourceType", text("ViewDefinition")),
        ("name", text(&view.name)),
        ("description", text(&view.description)),
        ("status", text("active")),
        ("resource", text(view.resource.name())),
        ("fhirVersion", Item::Array(vec![text("4.0.1")])),
        ("select", Item::Array(select)),
    ])
}

/// Selects are as deep as the element path that they were asked for with.
fn nested(select: &Select) -> Item<'_> {
    let mut members = Vec::new();
    match &select.rows {
        Rows::Same => {}
        Rows::Each(path) => members.push((Cow::Borrowed("forEach"), text(path))),
        Rows::Repeat(paths) => members.push((Cow::Borrowed("repeat"), Item::Array(paths.iter().map(|path| text(path)).collect()))),
    }
    if !select.columns.is_empty() {
        members.push((Cow::Borrowed("column"), columns(&select.columns)));
    }
    if !select.inner.is_empty() {
        members.push((Cow::Borrowed("select"), Item::Array(select.inner.iter().map(nested).collect())));
    }
    Item::Object(members)
}

fn columns(columns: &[Column]) -> Item<'_> {
    let column = |column: &'_ Column| {
        let of = |column: &Column| [("name", column.name.clone()), ("path", column.path.clone()), ("type", column.ty.name().to_owned()), ("description", column.description.clone())];
        Item::Object(of(column).into_iter().filter(|(_, text)| !text.is_empty()).map(|(name, text)| (Cow::Borrowed(name), Item::String(Cow::Owned(text)))).collect())
    };
    Item::Array(columns.iter().map(column).collect())
}

fn object<'a, const N: usize>(members: [(&'static str, Item<'a>); N]) -> Item<'a> {
    Item::Object(members.into_iter().map(|(name, item)| (Cow::Borrowed(name), item)).collect())
}

fn text(text: &str) -> Item<'_> {
    Item::String(Cow::Borrowed(text))
}
