//! Value sets: the stored expansion where it is whole, else the composition.
//! <https://hl7.org/fhir/R4/valueset.html#compositions>

use super::code_system::CodeSystem;
use super::error::{DefinitionError, Held, TermError};
use super::filter::{Filter, FilterError};
use super::implied;
use super::members::Members;
use super::{Below, Coding, Limits, Member, Source};
use crate::json::{self, Node};
use std::collections::HashMap;
use std::rc::Rc;

/// The codes of a value set, named by its canonical url (`url|version` for one of its versions) or as `ValueSet/id`.
///
/// Codes that are only there to group others are left out, unless the value set lists them.
pub fn expand<S: Source>(source: &mut S, url: &str, limits: &Limits) -> Result<Vec<Member>, S> {
    Ok(expand_named(source, url, limits)?.0)
}

/// What value sets say of their codes beside that they have them.
#[derive(Default)]
pub struct Names {
    /// The names that they give to codes of a system.
    displays: HashMap<(Option<String>, String), String>,
    /// The version of a system that they all name.
    versions: HashMap<String, Option<String>>,
}

impl Names {
    pub fn display(&self, coding: &Coding) -> Option<&str> {
        self.displays.get(&(coding.system.clone(), coding.code.clone())).map(String::as_str)
    }

    pub fn version(&self, system: &str) -> Option<&str> {
        self.versions.get(system)?.as_deref()
    }

    /// An include names a version, or none.
    fn include(&mut self, system: &str, version: Option<&str>) {
        match self.versions.get_mut(system) {
            Some(known) if known.as_deref() == version => {}
            // of several, none is the one
            Some(known) => *known = None,
            None => {
                self.versions.insert(system.to_owned(), version.map(str::to_owned));
            }
        }
    }
}

/// As [`expand`], with what the value sets say of their codes.
pub fn expand_named<S: Source>(source: &mut S, url: &str, limits: &Limits) -> Result<(Vec<Member>, Names), S> {
    let mut expander =
        Expander { source, limits, steps: 0, open: Vec::new(), done: HashMap::new(), systems: HashMap::new(), names: Names::default() };
    let members = expander.value_set(url)?;
    let names = std::mem::take(&mut expander.names);
    drop(expander);
    if members.len() > limits.codes {
        return Err(DefinitionError::TooLarge { of: format!("value set {url}"), codes: limits.codes }.into());
    }
    Ok((Rc::unwrap_or_clone(members).into_vec(), names))
}

struct Expander<'s, S: Source> {
    source: &'s mut S,
    limits: &'s Limits,
    /// Taken so far.
    steps: usize,
    /// The value sets that are being expanded, the outermost first.
    open: Vec<String>,
    done: HashMap<String, Rc<Members>>,
    systems: HashMap<(String, Option<String>), Option<Rc<CodeSystem>>>,
    names: Names,
}

/// A stored value set, which may contain others.
#[derive(Clone, Copy)]
struct Stored<'a> {
    root: Node<'a>,
    /// What it was referred to as.
    name: &'a str,
}

type Result<T, S> = std::result::Result<T, TermError<<S as Source>::Error>>;

impl<S: Source> Expander<'_, S> {
    fn value_set(&mut self, reference: &str) -> Result<Rc<Members>, S> {
        self.once(reference.to_owned(), |expander| expander.look_up(reference))
    }

    /// What `make` makes of the value set of that name, made once.
    fn once(&mut self, name: String, make: impl FnOnce(&mut Self) -> Result<Members, S>) -> Result<Rc<Members>, S> {
        if let Some(done) = self.done.get(&name) {
            return Ok(done.clone());
        }
        if self.open.contains(&name) {
            return Err(DefinitionError::Circular { value_set: name }.into());
        }
        if self.open.len() >= self.limits.depth {
            return Err(DefinitionError::TooDeep { value_set: name, depth: self.limits.depth }.into());
        }
        self.open.push(name.clone());
        let members = Rc::new(make(self)?);
        self.open.pop();
        self.done.insert(name, members.clone());
        Ok(members)
    }

    fn look_up(&mut self, reference: &str) -> Result<Members, S> {
        let (url, version) = split(reference);
        let found = match reference.strip_prefix("ValueSet/") {
            Some(id) => self.source.value_set_by_id(id),
            None => self.source.value_set(url, version),
        };
        if let Some(container) = found.map_err(TermError::Source)? {
            self.spend(container.len() / 8)?;
            let Some(root) = json::root(&container) else { return Err(self.invalid("is no object").into()) };
            return self.defined(root, Stored { root, name: reference });
        }
        if let Some((system, code)) = implied::is_a(url) {
            let filter = Filter { property: "concept", op: "is-a", value: code };
            return match self.code_system(system, None)? {
                Some(known) if known.is_complete() => self.selected(&known, system, &[filter], Left { abstracts: true, inactive: false }),
                _ => Err(self.unknown_system(system).into()),
            };
        }
        let unknown = || DefinitionError::UnknownValueSet { url: reference.to_owned() };
        let members = implied::value_set(url, version).ok_or_else(unknown)?;
        self.spend(members.len())?;
        Ok(members)
    }

    fn defined(&mut self, set: Node, within: Stored) -> Result<Members, S> {
        let expansion = set.get("expansion");
        if let Some(whole) = expansion.filter(|e| is_whole(*e))
            && let Some(members) = self.expansion(whole)?
        {
            return Ok(members);
        }
        match (set.get("compose"), expansion) {
            (Some(compose), _) => self.composed(compose, within),
            (None, Some(_)) => Err(DefinitionError::Incomplete { value_set: self.current() }.into()),
            (None, None) => Err(self.invalid("has neither an expansion nor what composes it").into()),
        }
    }

    /// A value set named by an include: one that the same resource contains, or another.
    fn referred(&mut self, reference: &str, within: Stored) -> Result<Rc<Members>, S> {
        let Some(id) = reference.strip_prefix('#') else { return self.value_set(reference) };
        let name = format!("{}{reference}", within.name);
        self.once(name, |expander| {
            let found = items(within.root, "contained").find(|inner| text(*inner, "id") == Some(id));
            match found {
                Some(set) => expander.defined(set, within),
                None => Err(DefinitionError::UnknownValueSet { url: expander.current() }.into()),
            }
        })
    }

    /// `None` where it has fewer codes than it says.
    fn expansion(&mut self, expansion: Node) -> Result<Option<Members>, S> {
        let mut members = Members::default();
        let mut entries = 0u64;
        let mut open: Vec<json::reader::Items> = expansion.get("contains").map(Node::items).into_iter().collect();
        while let Some(items) = open.last_mut() {
            let Some(entry) = items.next() else {
                open.pop();
                continue;
            };
            self.spend(1)?;
            entries += 1;
            let selectable = entry.get("abstract").and_then(Node::as_bool) != Some(true);
            if let Some(code) = text(entry, "code").filter(|_| selectable) {
                members.insert(text(entry, "system"), code);
                self.name(text(entry, "system"), code, entry);
            }
            open.extend(entry.get("contains").map(Node::items));
        }
        let total = expansion.get("total").and_then(Node::as_number).and_then(|n| n.to_string().parse::<u64>().ok());
        Ok((total.is_none_or(|total| total <= entries)).then_some(members))
    }

    /// Keeps the display that the value set gives to a code.
    fn name(&mut self, system: Option<&str>, code: &str, entry: Node) {
        if let Some(display) = text(entry, "display") {
            self.names.displays.insert((system.map(str::to_owned), code.to_owned()), display.to_owned());
        }
    }

    /// The union of what is included, without what is excluded.
    fn composed(&mut self, compose: Node, within: Stored) -> Result<Members, S> {
        let active_only = compose.get("inactive").and_then(Node::as_bool) == Some(false);
        if compose.get("include").is_none() {
            return Err(self.invalid("includes nothing").into());
        }
        let mut members = Members::default();
        for part in items(compose, "include") {
            let more = self.part(part, within, Left { abstracts: true, inactive: active_only })?;
            self.spend(more.len())?;
            members.unite(more);
        }
        for part in items(compose, "exclude") {
            let less = self.part(part, within, Left::default())?;
            self.spend(less.len())?;
            let unknown = members.subtract(&less);
            unknown.map_err(|u| self.unknown_system(&u.system))?;
        }
        Ok(members)
    }

    /// One include or exclude: what is in all that it names, its system and its value sets.
    ///
    /// The definition of `include.valueSet` in R4 speaks of a union, its rules of composition of codes that are in all value
    /// sets; R5 made the definition say so too.
    fn part(&mut self, part: Node, within: Stored, left: Left) -> Result<Members, S> {
        let mut members = match text(part, "system") {
            Some(system) => Some(self.of_system(part, system, left)?),
            None => None,
        };
        for reference in items(part, "valueSet").filter_map(Node::as_str) {
            let other = self.referred(reference, within)?;
            self.spend(other.len())?;
            match &mut members {
                Some(members) => members.intersect(&other),
                None => members = Some((*other).clone()),
            }
        }
        members.ok_or_else(|| self.invalid("includes or excludes neither a system nor a value set").into())
    }

    fn of_system(&mut self, part: Node, url: &str, left: Left) -> Result<Members, S> {
        let listed: Vec<&str> = items(part, "concept").filter_map(|concept| text(concept, "code")).collect();
        let filters = items(part, "filter").map(Filter::read).collect::<std::result::Result<Vec<Filter>, FilterError>>();
        let filters = filters.map_err(|error| self.filter_error("", "", error))?;
        let version = text(part, "version");
        if left.abstracts {
            self.names.include(url, version);
        }
        if part.get("concept").is_some() {
            for concept in items(part, "concept") {
                if let Some(code) = text(concept, "code") {
                    self.name(Some(url), code, concept);
                }
            }
            if !filters.is_empty() {
                return Err(self.invalid("names concepts and filters of one system").into());
            }
            self.spend(listed.len())?;
            let mut known = if left.inactive { self.code_system(url, version)? } else { None };
            if let Some(apart) = known.as_ref().filter(|system| system.apart().is_some()) {
                known = Some(self.source.part(apart, &listed).map_err(TermError::Source)?);
            }
            let is_active = |code: &&str| match known.as_deref().and_then(|system| Some((system, system.find(code)?))) {
                Some((system, at)) => !system.is_inactive(system.concept(at)),
                None => true,
            };
            return Ok(Members::of(Some(url), listed.into_iter().filter(is_active).map(str::to_owned)));
        }
        match self.code_system(url, version)? {
            Some(system) if system.is_complete() => self.selected(&system, url, &filters, left),
            _ if filters.is_empty() => Ok(Members::whole(url)),
            _ => Err(self.unknown_system(url).into()),
        }
    }

    /// The concepts that meet all filters.
    fn selected(&mut self, system: &Rc<CodeSystem>, url: &str, filters: &[Filter], left: Left) -> Result<Members, S> {
        if system.apart().is_some()
            && let [filter] = filters
            && let Some(with_itself) = filter.is_below()
        {
            let found = self.source.below(system, filter.value, self.limits.codes).map_err(TermError::Source)?;
            let found = found.ok_or_else(|| self.filter_error(filter.property, filter.op, filter.without_code()))?;
            self.spend(found.len())?;
            let itself = system.key(filter.value);
            let left_out = |below: &Below| {
                left.abstracts && below.is_abstract || left.inactive && below.is_inactive || !with_itself && system.key(&below.code) == itself
            };
            return Ok(Members::of(Some(url), found.into_iter().filter(|below| !left_out(below)).map(|below| below.code)));
        }
        let system = &*self.source.whole(system).map_err(TermError::Source)?;
        self.spend(system.len())?;
        let left_out = |concept| left.abstracts && system.is_abstract(concept) || left.inactive && system.is_inactive(concept);
        let mut chosen: Vec<bool> = system.concepts().map(|concept| !left_out(concept)).collect();
        for filter in filters {
            self.spend(system.len())?;
            let more = filter.select(system).map_err(|error| self.filter_error(filter.property, filter.op, error))?;
            for (chosen, more) in chosen.iter_mut().zip(more) {
                *chosen &= more;
            }
        }
        let codes = system.concepts().zip(chosen).filter(|(_, chosen)| *chosen).map(|(concept, _)| concept.code().to_owned());
        Ok(Members::of(Some(url), codes))
    }

    fn code_system(&mut self, url: &str, version: Option<&str>) -> Result<Option<Rc<CodeSystem>>, S> {
        let key = (url.to_owned(), version.map(str::to_owned));
        if let Some(known) = self.systems.get(&key) {
            return Ok(known.clone());
        }
        let known = self.source.code_system(url, version).map_err(TermError::Source)?;
        self.spend(known.as_ref().map_or(0, |known| known.len()))?;
        self.systems.insert(key, known.clone());
        Ok(known)
    }

    fn spend(&mut self, steps: usize) -> Result<(), S> {
        self.steps = self.steps.saturating_add(steps);
        if self.steps > self.limits.steps {
            return Err(DefinitionError::TooCostly { steps: self.limits.steps }.into());
        }
        Ok(())
    }

    /// The value set that is being read.
    fn current(&self) -> String {
        self.open.last().cloned().unwrap_or_default()
    }

    fn invalid(&self, reason: impl Into<String>) -> DefinitionError {
        DefinitionError::Invalid { value_set: self.current(), reason: reason.into() }
    }

    fn unknown_system(&self, url: &str) -> DefinitionError {
        let partly = self.systems.iter().any(|((system, _), known)| system == url && known.is_some());
        let held = if partly { Held::Part } else { Held::Nothing };
        DefinitionError::UnknownSystem { value_set: self.current(), system: url.to_owned(), held }
    }

    fn filter_error(&self, property: &str, op: &str, error: FilterError) -> DefinitionError {
        match error {
            FilterError::Invalid(reason) => self.invalid(reason),
            FilterError::Unsupported => {
                DefinitionError::UnsupportedFilter { value_set: self.current(), property: property.to_owned(), op: op.to_owned() }
            }
        }
    }
}

/// Codes of a system that are not taken: by an include those that only group others, by an exclude none.
#[derive(Clone, Copy, Default)]
pub(super) struct Left {
    pub abstracts: bool,
    pub inactive: bool,
}

/// Not one page of several, not narrowed by what its request asked, and not marked as open or cut off.
pub(super) fn is_whole(expansion: Node) -> bool {
    let is_number = |node: Node, text: &str| node.as_number().is_some_and(|n| n.to_string() == text);
    let from_start = expansion.get("offset").is_none_or(|offset| is_number(offset, "0"));
    let narrowing = |parameter| matches!(text(parameter, "name"), Some("filter" | "offset" | "count" | "limitedExpansion" | "activeOnly"));
    let open = |extension| {
        text(extension, "url").is_some_and(|url| url.ends_with("/valueset-unclosed") || url.ends_with("/valueset-toocostly"))
    };
    from_start && !items(expansion, "parameter").any(narrowing) && !items(expansion, "extension").any(open)
}

/// `url|version` in two.
pub(super) fn split(canonical: &str) -> (&str, Option<&str>) {
    match canonical.split_once('|') {
        Some((url, "")) => (url, None),
        Some((url, version)) => (url, Some(version)),
        None => (canonical, None),
    }
}

pub(super) fn items<'a>(node: Node<'a>, key: &str) -> impl Iterator<Item = Node<'a>> {
    node.get(key).into_iter().flat_map(Node::items)
}

pub(super) fn text<'a>(node: Node<'a>, key: &str) -> Option<&'a str> {
    node.get(key).and_then(Node::as_str)
}
