//! Rows of a query as objects: the names of the columns are those of a header; see [`super::delimited`].

use super::{Column, Draft, Drafts, FormatError, Value};
use crate::json::Node;

pub fn read(row: Node, number: u64, drafts: &mut Drafts) -> Result<(), FormatError> {
    let mut draft = Draft { line: number, ..Draft::default() };
    for (name, value) in row.as_object().into_iter().flat_map(|object| object.iter()) {
        let column = Column::named(name);
        let wrong = |reason: String| FormatError::at(number, reason);
        match (&column, value) {
            (_, Node::Null) => {}
            // a code or a name is taken as it is: what separates codes in a file may be part of one here
            (Column::Parent, Node::String(text)) => draft.parents.push(text.to_owned()),
            (Column::Synonym, Node::String(text)) => draft.synonyms.push(text.to_owned()),
            (Column::Parent, list @ Node::Array(_)) => draft.parents.extend(list.items().filter_map(Node::as_str).map(str::to_owned)),
            (Column::Synonym, list @ Node::Array(_)) => draft.synonyms.extend(list.items().filter_map(Node::as_str).map(str::to_owned)),
            (Column::Flag(name), Node::Bool(flag)) => draft.properties.extend(flag.then(|| (name.clone(), Value::Flag(true)))),
            (Column::Property(name), Node::Bool(flag)) => draft.properties.push((name.clone(), Value::Flag(flag))),
            (_, Node::String(text)) => column.put(&mut draft, text).map_err(wrong)?,
            (_, Node::Number(number)) => column.put(&mut draft, &number.to_decimal_string()).map_err(wrong)?,
            _ => return Err(wrong(format!("column {} is neither a text nor a number", super::shown(name)))),
        }
    }
    drafts.add(draft)
}
