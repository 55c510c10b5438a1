//! A ViewDefinition for what a profile has seen: <https://sql-on-fhir.org/ig/2.0.0/StructureDefinition-ViewDefinition.html>.
//!
//! One row for each resource, or for each of a repeating element; one column for each element that occurs often enough. Of what
//! repeats, the first.

use super::{At, Profile, Step};
use crate::json::Item;
use crate::model::{
    AGE, BASE64_BINARY, CODEABLE_CONCEPT, CODING, COUNT, DISTANCE, DURATION, EXTENSION, IDENTIFIER, Kind, META, MONEY, NARRATIVE, QUANTITY, REFERENCE,
    TypeId, XHTML,
};
use std::borrow::Cow;
use std::collections::HashSet;

/// Columns of a proposal; a table of Postgres has room for 1,600.
pub const MAX_COLUMNS: usize = 400;

/// Elements within each other that columns are taken from.
const MAX_DEPTH: usize = 8;

/// The longest name that the server keeps.
const MAX_NAME: usize = 63;

/// What the view is to be like.
pub struct Asked<'a> {
    /// The share of resources that an element must be in, from 0 to 1.
    pub threshold: f64,
    /// The path of the element that has a row each, as [`super::Row::path`].
    pub for_each: Option<&'a str>,
}

/// Why there is no proposal.
#[derive(Debug, PartialEq)]
pub enum ProposeError {
    /// The resources have no such element, or it is one that the definitions do not have.
    NoSuchPath,
    /// That element has no elements itself.
    NothingInside,
}

/// The ViewDefinition.
pub fn propose(profile: &Profile, asked: &Asked<'_>) -> Result<Item<'static>, ProposeError> {
    let each = asked.for_each.map(|path| each(profile, path)).transpose()?;
    let mut columns = Columns { profile, least: asked.threshold.max(0.0) * profile.resources() as f64, each, found: Vec::new(), names: HashSet::new() };
    columns.push("getResourceKey()".to_owned(), "id", "id", "the id of the resource".to_owned());
    columns.of(0, "", "", MAX_DEPTH);
    let mut selects = vec![columns.select(None)];
    if let Some(at) = each {
        let prefix = profile.way(at).iter().fold(String::new(), |prefix, at| joined(&prefix, &columns.name(*at)));
        columns.inside(at, "", &prefix, MAX_DEPTH);
        let expression = profile.expression(at).ok_or(ProposeError::NoSuchPath)?;
        if columns.found.is_empty() {
            return Err(ProposeError::NothingInside);
        }
        selects.push(columns.select(Some(expression)));
    }
    let ty = profile.places[0].ty.map(TypeId::name).unwrap_or_default();
    let name = each.map_or(snake(ty), |at| joined(&snake(ty), &snake(&profile.path(at))));
    Ok(Item::Object(vec![
        ("resourceType".into(), text("ViewDefinition")),
        ("name".into(), text(short(&name, MAX_NAME).to_owned())),
        ("status".into(), text("draft")),
        ("resource".into(), text(ty)),
        ("description".into(), text(format!("what occurs in {} {ty} resources", profile.resources()))),
        ("select".into(), Item::Array(selects)),
    ]))
}

/// The place of that path.
fn each(profile: &Profile, path: &str) -> Result<At, ProposeError> {
    let at = (1..profile.places.len()).find(|at| profile.path(*at) == path).ok_or(ProposeError::NoSuchPath)?;
    match profile.places[at].ty {
        Some(ty) if ty.get().kind != Kind::Primitive => Ok(at),
        Some(_) => Err(ProposeError::NothingInside),
        None => Err(ProposeError::NoSuchPath),
    }
}

struct Columns<'a> {
    profile: &'a Profile,
    /// Resources that an element must be in.
    least: f64,
    /// What has rows of its own, and so no columns in those of the resource.
    each: Option<At>,
    found: Vec<Item<'static>>,
    names: HashSet<String>,
}

impl Columns<'_> {
    /// The columns that were found since the last time.
    fn select(&mut self, for_each: Option<String>) -> Item<'static> {
        let mut select = vec![("column".into(), Item::Array(std::mem::take(&mut self.found)))];
        if let Some(expression) = for_each {
            select.insert(0, ("forEach".into(), text(expression)));
        }
        Item::Object(select)
    }

    /// Columns for what is within a place that itself is at `path`.
    fn of(&mut self, at: At, path: &str, prefix: &str, depth: usize) {
        for child in self.profile.inside(at) {
            self.element(child, path, prefix, depth);
        }
    }

    /// Columns for an element, if it is there often enough.
    fn element(&mut self, at: At, path: &str, prefix: &str, depth: usize) {
        let place = &self.profile.places[at];
        let Some(ty) = place.ty else { return };
        if !self.is_frequent(at) || self.each == Some(at) || depth == 0 || [NARRATIVE, XHTML, BASE64_BINARY].contains(&ty) {
            return;
        }
        // the resource has its key, and those of elements mean nothing outside
        if matches!(&place.step, Step::Property(key) if &**key == "id") {
            return;
        }
        let step = self.profile.in_fhirpath(at);
        let dot = if path.is_empty() || step.starts_with('(') { "" } else { "." };
        let own = format!("{path}{dot}{step}");
        // Parts are told apart behind this step.
        if !place.parts.is_empty() {
            let name = if ty == EXTENSION { prefix.to_owned() } else { joined(prefix, &self.name(at)) };
            for part in self.profile.inside(at) {
                if matches!(self.profile.places[part].step, Step::Url(_)) {
                    self.element(part, &own, &name, depth - 1);
                }
            }
            return;
        }
        if ty.get().kind == Kind::Resource {
            return;
        }
        let own = if self.profile.repeats(at) { format!("{own}.first()") } else { own };
        self.inside(at, &own, &joined(prefix, &self.name(at)), depth);
    }

    /// The columns of one element that is at `path`, `name` being what it is called.
    fn inside(&mut self, at: At, path: &str, name: &str, depth: usize) {
        let Some(ty) = self.profile.places[at].ty else { return };
        match ty {
            CODEABLE_CONCEPT => {
                if let Some(coding) = self.member(at, "coding") {
                    self.coding(coding, &behind(path, "coding.first()"), name);
                }
                self.one(at, "text", path, &joined(name, "text"));
            }
            CODING => self.coding(at, path, name),
            QUANTITY | AGE | COUNT | DISTANCE | DURATION | MONEY => {
                self.one(at, "value", path, name);
                for part in ["comparator", "unit", "code", "currency"] {
                    self.one(at, part, path, &joined(name, part));
                }
            }
            IDENTIFIER => {
                self.one(at, "value", path, name);
                self.one(at, "system", path, &joined(name, "system"));
            }
            META => self.one(at, "lastUpdated", path, "last_updated"),
            REFERENCE => self.reference(at, path, name),
            ty if ty.get().kind == Kind::Primitive => {
                self.column(at, path.to_owned(), name, ty.name());
            }
            _ => self.of(at, path, name, depth.saturating_sub(1)),
        }
    }

    /// Code, display and system of a coding.
    fn coding(&mut self, at: At, path: &str, name: &str) {
        self.one(at, "code", path, name);
        self.one(at, "display", path, &joined(name, "display"));
        self.one(at, "system", path, &joined(name, "system"));
    }

    /// A foreign key for each type that is pointed at.
    fn reference(&mut self, at: At, path: &str, name: &str) {
        if let Some(literal) = self.member(at, "reference") {
            let targets = self.profile.places[literal].values.as_ref().map(|values| values.targets.clone()).unwrap_or_default();
            let often: Vec<TypeId> = targets.iter().filter(|(_, count)| *count as f64 >= self.least).map(|(ty, _)| *ty).collect();
            for ty in &often {
                let key = behind(path, &format!("getReferenceKey({})", ty.name()));
                let name = if targets.len() == 1 { name.to_owned() } else { joined(name, &snake(ty.name())) };
                self.column(literal, key, &joined(&name, "id"), "id");
            }
            if often.is_empty() {
                self.one(at, "reference", path, &joined(name, "reference"));
            }
        }
        self.one(at, "display", path, &joined(name, "display"));
    }

    /// A column for a primitive of an element, if it is there often enough.
    fn one(&mut self, at: At, property: &str, path: &str, name: &str) {
        if let Some(member) = self.member(at, property)
            && let Some(ty) = self.profile.places[member].ty
        {
            self.column(member, behind(path, property), name, ty.name());
        }
    }

    /// A property of a place that is there often enough.
    fn member(&self, at: At, property: &str) -> Option<At> {
        self.profile.places[at].children.get(property).copied().filter(|member| self.is_frequent(*member))
    }

    fn is_frequent(&self, at: At) -> bool {
        self.profile.places[at].resources as f64 >= self.least
    }

    fn column(&mut self, at: At, path: String, name: &str, ty: &str) {
        let place = &self.profile.places[at];
        let first = if place.most > 1 && path.contains(".first()") { format!("; the first of up to {}", place.most) } else { String::new() };
        let description = format!("{}: in {} of resources{first}", self.profile.path(at), percent(place.resources, self.profile.resources()));
        self.push(path, name, ty, description);
    }

    fn push(&mut self, path: String, name: &str, ty: &str, description: String) {
        if self.names.len() >= MAX_COLUMNS {
            return;
        }
        let name = if name.is_empty() { "element" } else { name };
        let mut unique = short(name, MAX_NAME).to_owned();
        let mut number = 1;
        while !self.names.insert(unique.clone()) {
            number += 1;
            let suffix = format!("_{number}");
            unique = format!("{}{suffix}", short(name, MAX_NAME - suffix.len()));
        }
        self.found.push(Item::Object(vec![
            ("name".into(), text(unique)),
            ("path".into(), text(path)),
            ("type".into(), text(ty.to_owned())),
            ("description".into(), text(description)),
        ]));
    }

    /// What a place adds to the name of a column.
    fn name(&self, at: At) -> String {
        let place = &self.profile.places[at];
        match &place.step {
            Step::Resource | Step::Type(_) => String::new(),
            Step::Property(key) => {
                let of_extension = self.profile.places[place.within].ty == Some(EXTENSION);
                let is_value = |key: &str| key.strip_prefix("value").is_some_and(|ty| ty.starts_with(|c: char| c.is_ascii_uppercase()));
                // the value of an extension is what the extension is called
                if of_extension && is_value(key) && self.profile.places[place.within].children.keys().filter(|key| is_value(key)).count() == 1 {
                    return String::new();
                }
                snake(key)
            }
            Step::Url(url) => snake(url.trim_end_matches('/').rsplit(['/', '#', ':']).next().unwrap_or(url)),
        }
    }
}

/// A path behind another.
fn behind(path: &str, step: &str) -> String {
    if path.is_empty() { step.to_owned() } else { format!("{path}.{step}") }
}

/// A name behind another.
fn joined(prefix: &str, name: &str) -> String {
    match (prefix, name) {
        ("", name) => name.to_owned(),
        (prefix, "") => prefix.to_owned(),
        (prefix, name) => format!("{prefix}_{name}"),
    }
}

/// `birthDate` as `birth_date`; what no name of SQL has as `_`.
fn snake(name: &str) -> String {
    let mut snake = String::with_capacity(name.len() + 8);
    let mut was_small = false;
    for c in name.chars() {
        if c.is_ascii_alphanumeric() {
            if c.is_ascii_uppercase() && was_small {
                snake.push('_');
            }
            snake.push(c.to_ascii_lowercase());
        } else if !snake.is_empty() && !snake.ends_with('_') {
            snake.push('_');
        }
        was_small = c.is_ascii_lowercase() || c.is_ascii_digit();
    }
    let snake = snake.trim_end_matches('_');
    if snake.starts_with(|c: char| c.is_ascii_digit()) { format!("n{snake}") } else { snake.to_owned() }
}

/// The first bytes of a name in ASCII.
fn short(name: &str, most: usize) -> &str {
    name.get(..most).unwrap_or(name)
}

fn percent(part: u64, whole: u64) -> String {
    let share = 100.0 * part as f64 / whole.max(1) as f64;
    match share {
        _ if part == whole => "100 %".to_owned(),
        99.5.. => "over 99 %".to_owned(),
        10.0.. => format!("{share:.0} %"),
        _ => format!("{share:.1} %"),
    }
}

fn text(text: impl Into<Cow<'static, str>>) -> Item<'static> {
    Item::String(text.into())
}
