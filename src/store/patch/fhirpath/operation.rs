//! The operations in a Parameters resource.

use super::super::error::{PatchError, excerpt};
use crate::json::{Array, Node, Object};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Add,
    Insert,
    Delete,
    Replace,
    Move,
}

impl Kind {
    fn of(name: &str) -> Option<Kind> {
        [Kind::Add, Kind::Insert, Kind::Delete, Kind::Replace, Kind::Move].into_iter().find(|kind| kind.name() == name)
    }

    pub fn name(self) -> &'static str {
        match self {
            Kind::Add => "add",
            Kind::Insert => "insert",
            Kind::Delete => "delete",
            Kind::Replace => "replace",
            Kind::Move => "move",
        }
    }
}

/// One operation.
#[derive(Clone, Copy)]
pub struct Operation<'a> {
    pub kind: Kind,
    pub path: &'a str,
    parts: Array<'a>,
}

/// The parameters that are operations, which all must be.
pub fn list(parameters: Node<'_>) -> Result<Vec<Object<'_>>, PatchError> {
    if parameters.get("resourceType").and_then(Node::as_str) != Some("Parameters") {
        return Err(PatchError::malformed("a FHIRPath Patch is a Parameters resource")
            .hint("an array of operations is a JSON Patch: fhir.json_patch"));
    }
    let Some(list) = parameters.get("parameter") else { return Ok(Vec::new()) };
    let list = list.as_array().ok_or_else(|| PatchError::malformed("Parameters.parameter is not an array"))?;
    let operation = |(i, parameter): (usize, Node<'_>)| match parameter {
        Node::Object(object) if object.get("name").and_then(Node::as_str) == Some("operation") => Ok(i),
        _ => Err(PatchError::malformed(format!("parameter {} of {} is not named \"operation\"", i + 1, list.len()))),
    };
    list.iter().enumerate().try_for_each(|item| operation(item).map(drop))?;
    Ok(list.iter().filter_map(Node::as_object).collect())
}

impl<'a> Operation<'a> {
    pub fn read(parameter: Object<'a>) -> Result<Operation<'a>, PatchError> {
        let parts = match parameter.get("part") {
            Some(Node::Array(parts)) => parts,
            _ => return Err(PatchError::malformed("an operation has no parts")),
        };
        let mut seen: Vec<&str> = Vec::new();
        for part in parts.iter() {
            let name = part.get("name").and_then(Node::as_str).ok_or_else(|| PatchError::malformed("a part has no name"))?;
            if !matches!(name, "type" | "path" | "name" | "value" | "index" | "source" | "destination") {
                return Err(PatchError::malformed(format!("unknown part \"{}\"", excerpt(name)))
                    .hint("the parts are type, path, name, value, index, source and destination"));
            }
            if seen.contains(&name) {
                return Err(PatchError::malformed(format!("part \"{name}\" is given twice")));
            }
            seen.push(name);
        }
        let mut operation = Operation { kind: Kind::Add, path: "", parts };
        let kind = operation.text("type")?;
        operation.kind = Kind::of(kind).ok_or_else(|| {
            PatchError::malformed(format!("unknown type of operation \"{}\"", excerpt(kind))).hint("it is add, insert, delete, replace or move")
        })?;
        operation.path = operation.text("path")?;
        Ok(operation)
    }

    fn part(&self, name: &str) -> Result<Object<'a>, PatchError> {
        let found = self.parts.iter().find(|part| part.get("name").and_then(Node::as_str) == Some(name));
        found.and_then(Node::as_object).ok_or_else(|| PatchError::malformed(format!("part \"{name}\" is missing")))
    }

    /// `valueCode` and `valueString` are told apart by few clients.
    fn text(&self, name: &str) -> Result<&'a str, PatchError> {
        let part = self.part(name)?;
        ["valueString", "valueCode"]
            .into_iter()
            .find_map(|property| part.get(property).and_then(Node::as_str))
            .ok_or_else(|| PatchError::malformed(format!("part \"{name}\" is not a string")))
    }

    /// The name of the element to add.
    pub fn name(&self) -> Result<&'a str, PatchError> {
        self.text("name")
    }

    /// The part that holds the value.
    pub fn value(&self) -> Result<Object<'a>, PatchError> {
        self.part("value")
    }

    pub fn number(&self, name: &str) -> Result<i64, PatchError> {
        let part = self.part(name)?;
        let number = ["valueInteger", "valueUnsignedInt", "valuePositiveInt"].into_iter().find_map(|property| part.get(property));
        match number {
            Some(Node::Number(number)) => match number.as_i64() {
                Some(number) => Ok(number),
                None if number.to_decimal_string().trim_end_matches(['0', '.']).contains('.') => {
                    Err(PatchError::malformed(format!("part \"{name}\" is not a whole number")))
                }
                // past every end
                None => Ok(i64::MAX),
            },
            _ => Err(PatchError::malformed(format!("part \"{name}\" is not an integer"))),
        }
    }
}
