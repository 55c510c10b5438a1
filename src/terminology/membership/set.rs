//! Value sets read into a form that questions are answered by.

use crate::json::{self, Node};
use crate::model;
use crate::terminology::error::DefinitionError;
use crate::terminology::filter::{Filter, FilterError};
use crate::terminology::value_set::{is_whole, items, text};
use std::cell::OnceCell;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

/// Nested contained value sets.
const MAX_CONTAINED: usize = 8;

pub struct Set {
    pub rule: Rule,
    /// About how many bytes it takes.
    pub size: usize,
}

pub enum Rule {
    /// The codes of a stored expansion.
    Listed(Codes),
    /// Compiled in.
    Bound(&'static model::ValueSet),
    Composed { include: Vec<Part>, exclude: Vec<Part>, active_only: bool },
    /// It cannot be told what is in it, and why.
    Broken(Rc<str>),
}

/// One include or exclude: what is in all that it names.
pub struct Part {
    pub chosen: Option<Chosen>,
    pub value_sets: Vec<Other>,
}

pub enum Other {
    Named(String),
    Contained(Rc<Set>),
}

/// Codes of one system.
pub struct Chosen {
    pub system: Box<str>,
    pub version: Option<Box<str>>,
    pub select: Select,
}

pub enum Select {
    All,
    Listed(HashSet<Box<str>>),
    Filtered {
        filters: Vec<Condition>,
        /// The keys of what the filters choose, once that has been worked out.
        found: OnceCell<Result<HashSet<Box<str>>, Rc<str>>>,
    },
}

/// A filter that owns its parts.
pub struct Condition {
    property: Box<str>,
    op: Box<str>,
    pub value: Box<str>,
}

/// Codes with their systems.
#[derive(Default)]
pub struct Codes {
    systems: Vec<Option<Box<str>>>,
    by_code: HashMap<Box<str>, Vec<u32>>,
}

impl Set {
    pub fn broken(error: DefinitionError) -> Set {
        Set { rule: Rule::Broken(error.to_string().into()), size: 100 }
    }

    /// Every code of a system.
    pub fn whole(system: &str) -> Set {
        Set::one(system, Select::All)
    }

    /// A code and what it subsumes.
    pub fn is_a(system: &str, code: &str) -> Set {
        let filter = Condition { property: "concept".into(), op: "is-a".into(), value: code.into() };
        Set::one(system, Select::Filtered { filters: vec![filter], found: OnceCell::new() })
    }

    fn one(system: &str, select: Select) -> Set {
        let chosen = Chosen { system: system.into(), version: None, select };
        let include = vec![Part { chosen: Some(chosen), value_sets: Vec::new() }];
        Set { rule: Rule::Composed { include, exclude: Vec::new(), active_only: false }, size: 300 + system.len() }
    }

    /// What a stored value set says; `name` is what it was referred to as.
    pub fn read(container: &[u8], name: &str) -> Set {
        let Some(root) = json::root(container) else { return Set::broken(invalid(name, "is no object")) };
        // codes are kept once more beside the text, and what filters choose is not known yet
        let size = 500 + 3 * container.len();
        let mut reading = Reading { root, name, contained: HashMap::new() };
        Set { rule: reading.defined(root, MAX_CONTAINED).unwrap_or_else(|error| Rule::Broken(error.to_string().into())), size }
    }
}

fn invalid(name: &str, reason: impl Into<String>) -> DefinitionError {
    DefinitionError::Invalid { value_set: name.to_owned(), reason: reason.into() }
}

/// A definition that is being read, with the sets that it contains: each is read once, however often it is referred to.
struct Reading<'a> {
    root: Node<'a>,
    name: &'a str,
    /// By id; `None` while one is being read.
    contained: HashMap<&'a str, Option<Rc<Set>>>,
}

impl<'a> Reading<'a> {
    fn defined(&mut self, set: Node<'a>, depth: usize) -> Result<Rule, DefinitionError> {
        let name = self.name;
        let expansion = set.get("expansion");
        if let Some(codes) = expansion.filter(|expansion| is_whole(*expansion)).and_then(listed) {
            return Ok(Rule::Listed(codes));
        }
        let compose = match (set.get("compose"), expansion) {
            (Some(compose), _) => compose,
            (None, Some(_)) => return Err(DefinitionError::Incomplete { value_set: name.to_owned() }),
            (None, None) => return Err(invalid(name, "has neither an expansion nor what composes it")),
        };
        if compose.get("include").is_none() {
            return Err(invalid(name, "includes nothing"));
        }
        let mut parts = |kind: &str| items(compose, kind).map(|node| self.part(node, depth)).collect::<Result<Vec<Part>, _>>();
        Ok(Rule::Composed {
            include: parts("include")?,
            exclude: parts("exclude")?,
            active_only: compose.get("inactive").and_then(Node::as_bool) == Some(false),
        })
    }

    fn part(&mut self, node: Node<'a>, depth: usize) -> Result<Part, DefinitionError> {
        let mut value_sets = Vec::new();
        for reference in items(node, "valueSet").filter_map(Node::as_str) {
            value_sets.push(match reference.strip_prefix('#') {
                None => Other::Named(reference.to_owned()),
                Some(id) => Other::Contained(self.contained(id, depth)?),
            });
        }
        let chosen = text(node, "system").map(|system| chosen(node, system, self.name)).transpose()?;
        if chosen.is_none() && value_sets.is_empty() {
            return Err(invalid(self.name, "includes or excludes neither a system nor a value set"));
        }
        Ok(Part { chosen, value_sets })
    }

    fn contained(&mut self, id: &'a str, depth: usize) -> Result<Rc<Set>, DefinitionError> {
        let inner = || format!("{}#{id}", self.name);
        match self.contained.get(id) {
            Some(Some(known)) => return Ok(known.clone()),
            Some(None) => return Err(DefinitionError::Circular { value_set: inner() }),
            None => {}
        }
        let Some(deeper) = depth.checked_sub(1) else {
            return Err(DefinitionError::TooDeep { value_set: inner(), depth: MAX_CONTAINED });
        };
        let found = items(self.root, "contained").find(|contained| text(*contained, "id") == Some(id));
        let Some(found) = found else { return Err(DefinitionError::UnknownValueSet { url: inner() }) };
        self.contained.insert(id, None);
        let set = Rc::new(Set { rule: self.defined(found, deeper)?, size: 0 });
        self.contained.insert(id, Some(set.clone()));
        Ok(set)
    }
}

fn chosen(node: Node, system: &str, name: &str) -> Result<Chosen, DefinitionError> {
    let mut filters = Vec::new();
    for filter in items(node, "filter") {
        let filter = Filter::read(filter).map_err(|error| match error {
            FilterError::Invalid(reason) => invalid(name, reason),
            FilterError::Unsupported => invalid(name, "has a filter that cannot be read"),
        })?;
        filters.push(Condition { property: filter.property.into(), op: filter.op.into(), value: filter.value.into() });
    }
    let select = match (node.get("concept").is_some(), filters.is_empty()) {
        (true, false) => return Err(invalid(name, "names concepts and filters of one system")),
        (true, true) => Select::Listed(items(node, "concept").filter_map(|concept| text(concept, "code")).map(Into::into).collect()),
        (false, true) => Select::All,
        (false, false) => Select::Filtered { filters, found: OnceCell::new() },
    };
    Ok(Chosen { system: system.into(), version: text(node, "version").map(Into::into), select })
}

/// `None` where it has fewer codes than it says.
fn listed(expansion: Node) -> Option<Codes> {
    let mut codes = Codes::default();
    let mut entries = 0u64;
    let mut open: Vec<json::reader::Items> = expansion.get("contains").map(Node::items).into_iter().collect();
    while let Some(items) = open.last_mut() {
        let Some(entry) = items.next() else {
            open.pop();
            continue;
        };
        entries += 1;
        let selectable = entry.get("abstract").and_then(Node::as_bool) != Some(true);
        if let Some(code) = text(entry, "code").filter(|_| selectable) {
            codes.insert(text(entry, "system"), code);
        }
        open.extend(entry.get("contains").map(Node::items));
    }
    let total = expansion.get("total").and_then(Node::as_number).and_then(|n| n.to_string().parse::<u64>().ok());
    total.is_none_or(|total| total <= entries).then_some(codes)
}

impl Codes {
    fn insert(&mut self, system: Option<&str>, code: &str) {
        // an expansion names few systems, one after the other
        let at = self.systems.iter().rposition(|known| known.as_deref() == system).unwrap_or_else(|| {
            self.systems.push(system.map(Into::into));
            self.systems.len() - 1
        });
        match self.by_code.get_mut(code) {
            Some(of) if of.contains(&(at as u32)) => {}
            Some(of) => of.push(at as u32),
            None => {
                self.by_code.insert(code.into(), vec![at as u32]);
            }
        }
    }

    /// Whether the code is there: of that system or of none, or of any where none is asked for.
    pub fn has(&self, system: Option<&str>, code: &str) -> bool {
        let fits = |at: &u32| {
            let listed = self.systems.get(*at as usize).and_then(Option::as_deref);
            system.is_none() || listed.is_none() || listed == system
        };
        self.by_code.get(code).is_some_and(|of| of.iter().any(fits))
    }

    pub fn systems(&self) -> impl Iterator<Item = &str> {
        self.systems.iter().filter_map(Option::as_deref)
    }
}

impl Condition {
    pub fn as_filter(&self) -> Filter<'_> {
        Filter { property: &self.property, op: &self.op, value: &self.value }
    }

    pub fn property(&self) -> &str {
        &self.property
    }

    /// Whether the value is a code of the system.
    pub fn names_code(&self) -> bool {
        matches!(&*self.op, "is-a" | "descendent-of" | "is-not-a" | "generalizes")
    }

    pub fn refused(&self, error: &FilterError) -> Rc<str> {
        match error {
            FilterError::Invalid(reason) => format!("the value set {reason}").into(),
            FilterError::Unsupported => format!("the value set has a filter that is not supported: {} {}", self.property, self.op).into(),
        }
    }
}
