//! Reads a ViewDefinition: <https://sql-on-fhir.org/ig/2.0.0/StructureDefinition-ViewDefinition-definitions.html>

use super::constant::Constants;
use super::error::ViewError;
use super::kind::ColumnType;
use crate::json::{Node, Object};
use crate::model::{TypeId, type_named};
use crate::path::scalar::Scalar;

/// Selects of one definition, columns of one view. Postgres has at most 1,600 columns in a row.
const MAX_SELECTS: usize = 500;
const MAX_COLUMNS: usize = 1_600;
/// Selects within selects.
const MAX_DEPTH: usize = 50;
/// Constants, and conditions.
pub const MAX_CONSTANTS: usize = 1_000;
const MAX_WHERES: usize = 1_000;
/// Bytes of all paths together, with literals in the place of constants: they are compiled in one go.
const MAX_TEXT: usize = 512 << 10;

/// A ViewDefinition, with literals in the place of its constants.
#[derive(Debug)]
pub struct Definition {
    pub resource: TypeId,
    pub name: Option<String>,
    pub title: Option<String>,
    pub description: Option<String>,
    pub wheres: Vec<Path>,
    pub selects: Vec<Select>,
}

/// A FHIRPath expression, and where it stands in the definition.
#[derive(Clone, Debug)]
pub struct Path {
    pub text: String,
    pub at: String,
}

#[derive(Debug)]
pub struct Select {
    pub at: String,
    pub each: Option<Each>,
    pub columns: Vec<Column>,
    pub selects: Vec<Select>,
    pub unions: Vec<Select>,
}

/// What makes rows.
#[derive(Debug)]
pub enum Each {
    ForEach(Path),
    ForEachOrNull(Path),
    Repeat(Vec<Path>),
}

#[derive(Debug)]
pub struct Column {
    pub name: String,
    pub path: Path,
    pub description: Option<String>,
    /// The type that the definition gives.
    pub declared: Option<ColumnType>,
    pub collection: bool,
}

/// Names of views, columns and constants: `[A-Za-z][A-Za-z0-9_]*`, at most 255 of them.
pub fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.len() <= 255 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

struct Reader {
    constants: Constants,
    selects: usize,
    columns: usize,
    /// Bytes that further paths may have.
    text: usize,
}

impl Definition {
    /// Reads a definition; what is wrong with it is told with its place.
    pub fn read(node: Node<'_>) -> Result<Definition, ViewError> {
        let at = "ViewDefinition";
        let Some(object) = node.as_object() else { return Err(ViewError::new(at, "an object is expected")) };
        if let Some(ty) = object.get("resourceType")
            && ty.as_str() != Some(at)
        {
            return Err(ViewError::new(at, "resourceType must be ViewDefinition"));
        }
        let Some(resource) = text(&object, "resource", at)? else {
            return Err(ViewError::new(at, "resource is missing").hint("the type of the resources that the view reads, such as \"Patient\""));
        };
        let Some(resource) = type_named(resource).filter(|ty| ty.is_concrete_resource()) else {
            return Err(ViewError::new("ViewDefinition.resource", format!("\"{}\" is no resource type of FHIR R4", shortened(resource))));
        };
        let name = text(&object, "name", at)?.map(str::to_owned);
        if let Some(name) = &name
            && !is_name(name)
        {
            return Err(ViewError::new("ViewDefinition.name", "name must be letters, digits and _, beginning with a letter"));
        }
        let constants = Constants::read(list(&object, "constant", at)?, "ViewDefinition.constant")?;
        let mut reader = Reader { constants, selects: 0, columns: 0, text: MAX_TEXT };
        let mut wheres = Vec::new();
        for (number, node) in list(&object, "where", at)?.into_iter().flat_map(Node::items).enumerate() {
            let at = format!("ViewDefinition.where[{number}]");
            if number >= MAX_WHERES {
                return Err(ViewError::new(&at, format!("a view has at most {MAX_WHERES} conditions")));
            }
            let object = known(node, &at, &["path", "description"])?;
            wheres.push(reader.required_path(&object, "path", &at)?);
        }
        let selects = reader.selects(list(&object, "select", at)?, "ViewDefinition.select", 0)?;
        if selects.is_empty() {
            return Err(ViewError::new(at, "select is missing").hint("for instance \"select\": [{\"column\": [{\"name\": \"id\", \"path\": \"id\"}]}]"));
        }
        let own = |name| Ok(text(&object, name, at)?.map(str::to_owned));
        let definition = Definition { resource, name, title: own("title")?, description: own("description")?, wheres, selects };
        definition.check_names()?;
        Ok(definition)
    }

    /// All columns, in their order: those of a select itself, of selects within it, of its unions.
    pub fn columns(&self) -> Vec<&Column> {
        let mut columns = Vec::new();
        self.selects.iter().for_each(|select| select.gather(&mut columns));
        columns
    }

    fn check_names(&self) -> Result<(), ViewError> {
        let columns = self.columns();
        let mut names: Vec<(&str, &str)> = columns.iter().map(|column| (column.name.as_str(), column.path.at.as_str())).collect();
        names.sort_unstable();
        match names.windows(2).find(|pair| matches!(pair, [a, b] if a.0 == b.0)) {
            Some([_, (name, at)]) => Err(ViewError::new(at.trim_end_matches(".path"), format!("there are two columns \"{name}\""))),
            _ => Ok(()),
        }
    }
}

impl Select {
    pub fn gather<'s>(&'s self, columns: &mut Vec<&'s Column>) {
        columns.extend(&self.columns);
        self.selects.iter().for_each(|select| select.gather(columns));
        if let Some(first) = self.unions.first() {
            first.gather(columns);
        }
    }

    fn all_columns(&self) -> Vec<&Column> {
        let mut columns = Vec::new();
        self.gather(&mut columns);
        columns
    }
}

impl Reader {
    fn selects(&mut self, node: Option<Node<'_>>, at: &str, depth: usize) -> Result<Vec<Select>, ViewError> {
        node.into_iter().flat_map(Node::items).enumerate().map(|(number, node)| self.select(node, format!("{at}[{number}]"), depth)).collect()
    }

    fn select(&mut self, node: Node<'_>, at: String, depth: usize) -> Result<Select, ViewError> {
        self.selects += 1;
        if self.selects > MAX_SELECTS || depth > MAX_DEPTH {
            return Err(ViewError::new(&at, format!("more than {MAX_SELECTS} selects, or nested deeper than {MAX_DEPTH}")));
        }
        let object = known(node, &at, &["column", "select", "forEach", "forEachOrNull", "repeat", "unionAll"])?;
        let each = self.each(&object, &at)?;
        let mut columns = Vec::new();
        for (number, node) in list(&object, "column", &at)?.into_iter().flat_map(Node::items).enumerate() {
            columns.push(self.column(node, &format!("{at}.column[{number}]"))?);
        }
        let selects = self.selects(list(&object, "select", &at)?, &format!("{at}.select"), depth + 1)?;
        let unions = self.selects(list(&object, "unionAll", &at)?, &format!("{at}.unionAll"), depth + 1)?;
        if columns.is_empty() && selects.is_empty() && unions.is_empty() {
            return Err(ViewError::new(&at, "column, select or unionAll is missing"));
        }
        let of = |select: &Select| select.all_columns().into_iter().map(|c| (c.name.clone(), c.declared, c.collection)).collect::<Vec<_>>();
        if let Some((first, rest)) = unions.split_first()
            && let Some(other) = rest.iter().find(|select| of(select) != of(first))
        {
            return Err(ViewError::new(&other.at, "unionAll must have the same columns in each part")
                .hint("the same names and types in the same order"));
        }
        Ok(Select { at, each, columns, selects, unions })
    }

    fn each(&mut self, object: &Object<'_>, at: &str) -> Result<Option<Each>, ViewError> {
        let given: Vec<&str> = ["forEach", "forEachOrNull", "repeat"].into_iter().filter(|name| object.get(name).is_some()).collect();
        Ok(match given.as_slice() {
            [] => None,
            ["forEach"] => Some(Each::ForEach(self.required_path(object, "forEach", at)?)),
            ["forEachOrNull"] => Some(Each::ForEachOrNull(self.required_path(object, "forEachOrNull", at)?)),
            ["repeat"] => {
                let mut paths = Vec::new();
                for (number, node) in list(object, "repeat", at)?.into_iter().flat_map(Node::items).enumerate() {
                    let at = format!("{at}.repeat[{number}]");
                    let Some(path) = node.as_str() else { return Err(ViewError::new(&at, "a FHIRPath expression is expected")) };
                    paths.push(self.path(path, at)?);
                }
                if paths.is_empty() {
                    return Err(ViewError::new(&format!("{at}.repeat"), "at least one path is expected"));
                }
                Some(Each::Repeat(paths))
            }
            _ => return Err(ViewError::new(at, format!("only one of {} can stand here", given.join(", ")))),
        })
    }

    fn column(&mut self, node: Node<'_>, at: &str) -> Result<Column, ViewError> {
        self.columns += 1;
        if self.columns > MAX_COLUMNS {
            return Err(ViewError::new(at, format!("a view has at most {MAX_COLUMNS} columns")));
        }
        let object = known(node, at, &["path", "name", "description", "collection", "type", "tag"])?;
        let Some(name) = text(&object, "name", at)? else { return Err(ViewError::new(at, "name is missing")) };
        if !is_name(name) {
            return Err(ViewError::new(&format!("{at}.name"), "name must be letters, digits and _, beginning with a letter"));
        }
        // what is longer the server would cut
        if name.len() > 63 {
            return Err(ViewError::new(&format!("{at}.name"), "a column's name has at most 63 characters"));
        }
        let collection = match object.get("collection") {
            None => false,
            Some(Node::Bool(value)) => value,
            Some(_) => return Err(ViewError::new(&format!("{at}.collection"), "true or false is expected")),
        };
        let mut declared = match text(&object, "type", at)? {
            None => None,
            Some(name) => Some(ColumnType::of_fhir(name).ok_or_else(|| {
                ViewError::new(&format!("{at}.type"), format!("\"{}\" is no type of FHIR", shortened(name))).hint("such as string, code, date, dateTime, decimal, Quantity")
            })?),
        };
        for (number, tag) in list(&object, "tag", at)?.into_iter().flat_map(Node::items).enumerate() {
            if tag.get("name").and_then(Node::as_str) == Some("ansi/type") {
                let wanted = tag.get("value").and_then(Node::as_str).and_then(Scalar::of_ansi);
                let Some(scalar) = wanted else {
                    return Err(ViewError::new(&format!("{at}.tag[{number}].value"), "no type of SQL that is known here")
                        .hint("BOOLEAN, INTEGER, BIGINT, DECIMAL, DATE, TIMESTAMP, TIME or CHARACTER VARYING"));
                };
                declared = Some(ColumnType { scalar, ..declared.unwrap_or_default() });
            }
        }
        let description = text(&object, "description", at)?.map(str::to_owned);
        Ok(Column { name: name.to_owned(), path: self.required_path(&object, "path", at)?, description, declared, collection })
    }

    fn required_path(&mut self, object: &Object<'_>, name: &str, at: &str) -> Result<Path, ViewError> {
        match text(object, name, at)? {
            Some(path) => self.path(path, format!("{at}.{name}")),
            None => Err(ViewError::new(at, format!("{name} is missing"))),
        }
    }

    fn path(&mut self, text: &str, at: String) -> Result<Path, ViewError> {
        let text = self.constants.replaced(text, &at, self.text)?;
        match self.text.checked_sub(text.len()) {
            Some(left) => self.text = left,
            None => return Err(ViewError::new(&at, format!("the paths of a view have at most {MAX_TEXT} bytes together"))),
        }
        Ok(Path { text, at })
    }
}

/// An object that has no other members than these, and what every element of FHIR may have.
fn known<'a>(node: Node<'a>, at: &str, names: &[&str]) -> Result<Object<'a>, ViewError> {
    let Some(object) = node.as_object() else { return Err(ViewError::new(at, "an object is expected")) };
    match object.iter().find(|(name, _)| !names.contains(name) && !matches!(*name, "id" | "extension" | "modifierExtension") && !name.starts_with('_')) {
        Some((name, _)) => Err(ViewError::new(at, format!("there is no \"{}\" here", shortened(name)))),
        None => Ok(object),
    }
}

fn text<'a>(object: &Object<'a>, name: &str, at: &str) -> Result<Option<&'a str>, ViewError> {
    match object.get(name) {
        None => Ok(None),
        Some(Node::String(text)) => Ok(Some(text)),
        Some(_) => Err(ViewError::new(&format!("{at}.{name}"), "a string is expected")),
    }
}

fn list<'a>(object: &Object<'a>, name: &str, at: &str) -> Result<Option<Node<'a>>, ViewError> {
    match object.get(name) {
        None => Ok(None),
        Some(node @ Node::Array(_)) => Ok(Some(node)),
        Some(_) => Err(ViewError::new(&format!("{at}.{name}"), "an array is expected")),
    }
}

fn shortened(text: &str) -> String {
    text.chars().take(60).collect()
}
