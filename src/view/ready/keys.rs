//! Primary and foreign keys of ready-made views: what joins with what.

use super::analysts::{Analyst, analysts};
use super::{Column, Key, Select, View, name_of, side_views, view};
use crate::model::{self, TypeId};
use std::collections::BTreeSet;

/// One column of a key.
#[derive(Debug, Clone, PartialEq)]
pub struct Relationship {
    pub view: String,
    pub column: String,
    pub is_primary: bool,
    /// Of keys with several columns, from 1.
    pub position: i32,
    /// For foreign keys: the view and the column that it points at.
    pub target: Option<(String, String)>,
    /// Where several types may be meant: the column that tells which, and what it holds.
    pub only_where: Option<(String, &'static str)>,
}

/// Of all ready-made views, in the order of the types.
pub fn relationships() -> Vec<Relationship> {
    let mut found = Vec::new();
    for resource in model::resource_types() {
        let views: Vec<View> = std::iter::once(None)
            .chain(side_views(resource).into_iter().map(Some))
            .filter_map(|element| view(resource.name(), element.as_deref()).ok())
            .collect();
        let names: BTreeSet<&str> = views.iter().map(|view| view.name.as_str()).collect();
        for view in &views {
            of_view(view, &names, &mut found);
        }
    }
    for view in analysts("") {
        of_analyst(&view, &mut found);
    }
    found
}

/// Of a view that says so in its comments: a column is `id of the Patient`, and nothing more.
fn of_analyst(view: &Analyst, found: &mut Vec<Relationship>) {
    for (column, position) in view.key.iter().zip(1..) {
        found.push(Relationship { view: view.name.into(), column: (*column).into(), is_primary: true, position, target: None, only_where: None });
    }
    for (column, comment) in &view.columns {
        let ty = comment.strip_prefix("id of the ").and_then(model::type_named).filter(|ty| ty.is_concrete_resource());
        if let Some(ty) = ty {
            let target = Some((name_of(ty), "id".into()));
            found.push(Relationship { view: view.name.into(), column: (*column).into(), is_primary: false, position: 1, target, only_where: None });
        }
    }
}

fn of_view(view: &View, names: &BTreeSet<&str>, found: &mut Vec<Relationship>) {
    let mut columns = Vec::new();
    gather(&view.select, &mut columns);
    let key: Vec<&Column> = columns.iter().copied().filter(|column| column.key == Some(Key::Row)).collect();
    for (column, position) in key.iter().zip(1..) {
        found.push(Relationship { view: view.name.clone(), column: column.name.clone(), is_primary: true, position, target: None, only_where: None });
    }
    let whole = name_of(view.resource);
    if view.name != whole
        && let Some(id) = key.first()
    {
        found.push(foreign(view, id, 1, (whole, "id".into()), None));
    }
    if let Some(outer) = view.outer.as_ref().filter(|outer| names.contains(outer.name.as_str())) {
        for (column, position) in key.iter().take(outer.key).zip(1..) {
            found.push(foreign(view, column, position, (outer.name.clone(), column.name.clone()), None));
        }
    }
    for column in &columns {
        if let Some(Key::Resource(types, tells)) = &column.key {
            for ty in types {
                let only_where = tells.clone().map(|tells| (tells, TypeId::name(*ty)));
                found.push(foreign(view, column, 1, (name_of(*ty), "id".into()), only_where));
            }
        }
    }
}

fn foreign(view: &View, column: &Column, position: i32, target: (String, String), only_where: Option<(String, &'static str)>) -> Relationship {
    Relationship { view: view.name.clone(), column: column.name.clone(), is_primary: false, position, target: Some(target), only_where }
}

fn gather<'a>(select: &'a Select, columns: &mut Vec<&'a Column>) {
    columns.extend(&select.columns);
    select.inner.iter().for_each(|inner| gather(inner, columns));
}
