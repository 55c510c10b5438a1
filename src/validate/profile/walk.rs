//! The walk along the rules of a profile.

use super::inside;
use super::rule::{Rule, RuleId};
use super::target::Place;
use super::value::{self, brief};
use super::{Context, Profile};
use crate::json::{Node, Object, reader::key_order};
use crate::model::{self, ELEMENT, Kind, QUANTITY, RESOURCE, TypeId, is_a};
use crate::path::compare::Atom;
use crate::path::eval::Item as PathItem;
use crate::path::reference::resource_type;
pub(super) use crate::validate::place::At;
use crate::validate::{Issue, Severity};
use std::cell::Cell;
use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::ControlFlow;
use std::sync::Arc;

pub(super) type Flow = ControlFlow<()>;
pub(super) const GO_ON: Flow = ControlFlow::Continue(());

/// Deepest nesting of elements and of profiles within each other.
const MAX_DEPTH: usize = 200;

/// Checks `resource` against one profile and hands each issue to `issues`, which may stop the check. It breaks where the check did not
/// reach its end.
///
/// The profiles that it refers to are checked too, but not what the resource itself says in `meta.profile`: see [`level`].
pub fn check<'a>(profile: &Profile, resource: Node<'a>, context: &Context<'a>, issues: &mut dyn FnMut(Issue) -> Flow) -> Flow {
    let Some(place) = Place::outermost(resource, context) else { return GO_ON };
    let mut walk = Walk::new(context, issues, place);
    let item = Item::resource(resource);
    let at = root(item.ty, context);
    let _ = walk.conform(profile, item, &at);
    walk.end()
}

/// The whole level of profiles: `resource` and those within it against what they say in `meta.profile`, the resource itself also against
/// `more`, and every extension against its definition.
pub fn level<'a>(resource: Node<'a>, more: &[Arc<Profile>], context: &Context<'a>, issues: &mut dyn FnMut(Issue) -> Flow) -> Flow {
    let Some(place) = Place::outermost(resource, context) else { return GO_ON };
    let at = root(Item::resource(resource).ty, context);
    super::definition::usable(resource, context, &at, issues)?;
    let mut walk = Walk::new(context, issues, place);
    let _ = inside::all(&mut walk, resource, more, &at);
    walk.end()
}

/// Where a resource stands: by itself under the name of its type.
pub(super) fn root<'a>(ty: TypeId, context: &Context<'a>) -> At<'a> {
    context.at.unwrap_or(At { parent: None, name: ty.name(), index: None })
}

/// One value of an element.
#[derive(Clone, Copy)]
pub(super) struct Item<'a> {
    pub value: Option<Node<'a>>,
    /// What stands under `_name` beside a primitive.
    pub sibling: Option<Object<'a>>,
    pub ty: TypeId,
}

impl<'a> Item<'a> {
    pub fn resource(node: Node<'a>) -> Item<'a> {
        let ty = node.get("resourceType").and_then(Node::as_str).and_then(resource_type).unwrap_or(RESOURCE);
        Item { value: Some(node), sibling: None, ty }
    }

    /// The object that holds the elements of this one.
    pub fn fields(&self) -> Option<Object<'a>> {
        match self.value {
            Some(Node::Object(object)) => Some(object),
            _ => self.sibling,
        }
    }

    /// The type whose elements stand there.
    pub fn fields_type(&self) -> TypeId {
        if self.ty.get().kind == Kind::Primitive { ELEMENT } else { self.ty }
    }

    fn new(value: Option<Node<'a>>, sibling: Option<Node<'a>>, ty: TypeId) -> Item<'a> {
        match value {
            Some(node) if ty == RESOURCE => Item::resource(node),
            value => Item { value: value.filter(|v| !v.is_null()), sibling: sibling.and_then(Node::as_object), ty },
        }
    }
}

/// All values of an element.
#[derive(Clone, Copy)]
pub(super) struct Found<'a> {
    pub value: Option<Node<'a>>,
    pub sibling: Option<Node<'a>>,
    pub ty: TypeId,
}

impl<'a> Found<'a> {
    const NONE: Found<'static> = Found { value: None, sibling: None, ty: ELEMENT };

    pub fn count(&self) -> usize {
        let len = |node: Option<Node<'_>>| match node {
            None => 0,
            Some(Node::Array(array)) => array.len(),
            Some(_) => 1,
        };
        len(self.value).max(len(self.sibling))
    }

    /// Each with its place, where it is one of several.
    pub fn items(&self) -> impl Iterator<Item = (Option<usize>, Item<'a>)> + use<'a> {
        let found = *self;
        let repeats = matches!(found.value.or(found.sibling), Some(Node::Array(_)));
        let mut values = found.value.map(Node::items);
        let mut siblings = found.sibling.map(Node::items);
        (0..found.count()).map(move |i| {
            let value = values.as_mut().and_then(Iterator::next);
            let sibling = siblings.as_mut().and_then(Iterator::next);
            (repeats.then_some(i), Item::new(value, sibling, found.ty))
        })
    }
}

/// How many items a slice has.
#[derive(Clone, Copy, Default)]
pub(super) struct Tally {
    pub count: u32,
    /// Whether there are items of which nobody can tell if they belong to it.
    pub unsure: bool,
}

/// What is known of a value and a profile.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Conformance {
    /// Being looked at: a cycle, which counts as conforming.
    Open,
    Holds,
    /// And whether that was told, or only asked.
    Fails { told: bool },
}

pub(super) struct Walk<'a, 'c> {
    pub context: &'c Context<'a>,
    pub place: Place<'a>,
    sink: &'c mut dyn FnMut(Issue) -> Flow,
    /// Whether the walk only asks if something conforms; the first error then ends it and is kept.
    probing: bool,
    cause: Option<String>,
    errors: usize,
    told: HashSet<u64>,
    known: HashMap<(usize, usize), Conformance>,
    /// Profiles that `known` has by their address.
    kept: Vec<Arc<Profile>>,
    found: Vec<Found<'a>>,
    pub assigned: Vec<u32>,
    pub counts: Vec<Tally>,
    /// Whether the terminology could not tell what a discriminator asked.
    pub unsure: bool,
    pub entries: HashMap<usize, HashMap<String, (Option<&'a str>, Object<'a>)>>,
    pub steps: u64,
    depth: usize,
    stopped: bool,
}

impl<'a, 'c> Walk<'a, 'c> {
    pub fn new(context: &'c Context<'a>, sink: &'c mut dyn FnMut(Issue) -> Flow, place: Place<'a>) -> Walk<'a, 'c> {
        Walk {
            context,
            place,
            sink,
            probing: false,
            cause: None,
            errors: 0,
            told: HashSet::new(),
            known: HashMap::new(),
            kept: Vec::new(),
            found: Vec::new(),
            assigned: Vec::new(),
            counts: Vec::new(),
            unsure: false,
            entries: HashMap::new(),
            steps: context.spent.map_or(0, Cell::get),
            depth: 0,
            stopped: false,
        }
    }

    /// Reports; kept out of line, as valid input never comes here.
    #[cold]
    pub fn tell(&mut self, severity: Severity, code: &'static str, at: &At, rule: &str, profile: Option<&Profile>, details: String) -> Flow {
        let is_error = severity <= Severity::Error;
        if self.probing {
            if !is_error {
                return GO_ON;
            }
            self.errors += 1;
            self.cause = Some(format!("{}: {details}", at.expression()));
            return Flow::Break(());
        }
        self.errors += usize::from(is_error);
        let expression = at.expression();
        // An element and a slice of it may say the same.
        let mut hash = DefaultHasher::new();
        (&expression, code, &details).hash(&mut hash);
        if !self.told.insert(hash.finish()) {
            return GO_ON;
        }
        let issue = Issue { severity, code, expression, details, rule: rule.to_owned().into(), profile: profile.map(|p| p.url.clone()) };
        let flow = (self.sink)(issue);
        self.stopped |= flow.is_break();
        flow
    }

    /// Counts a step, and ends the check when there were too many.
    pub fn step(&mut self, at: &At) -> Flow {
        self.steps += 1;
        if self.depth > MAX_DEPTH {
            return self.too_costly(at, format!("nested deeper than {MAX_DEPTH} levels"));
        }
        if self.steps > self.context.steps {
            return self.too_costly(at, format!("more than {} steps", self.context.steps));
        }
        if self.steps.is_multiple_of(4096) && self.context.services.is_some_and(|services| !services.go_on()) {
            return self.stop();
        }
        GO_ON
    }

    /// What the check comes to: a break if it was stopped. Those who wait for it are told the steps it took.
    fn end(self) -> Flow {
        if let Some(spent) = self.context.spent {
            spent.set(self.steps);
        }
        if self.stopped { Flow::Break(()) } else { GO_ON }
    }

    /// Ends the check, which asks too much.
    pub fn too_costly(&mut self, at: &At, details: String) -> Flow {
        self.probing = false;
        let _ = self.tell(Severity::Fatal, "too-costly", at, "structure", None, details);
        self.stop()
    }

    /// Ends the check.
    pub fn stop(&mut self) -> Flow {
        self.stopped = true;
        Flow::Break(())
    }

    /// Whether no error comes of `ask`, without telling any. Breaks when the whole check ends.
    pub fn probe(&mut self, ask: impl FnOnce(&mut Self) -> Flow) -> ControlFlow<(), bool> {
        let (probing, errors, depth) = (self.probing, self.errors, self.depth);
        let (found, assigned, counts, place) = (self.found.len(), self.assigned.len(), self.counts.len(), self.place);
        self.probing = true;
        let _ = ask(self);
        let holds = self.errors == errors;
        (self.probing, self.errors, self.depth) = (probing, errors, depth);
        self.place = place;
        self.found.truncate(found);
        self.assigned.truncate(assigned);
        self.counts.truncate(counts);
        if self.stopped { ControlFlow::Break(()) } else { ControlFlow::Continue(holds) }
    }

    /// What the last probe failed for.
    pub fn cause(&mut self) -> String {
        self.cause.take().unwrap_or_default()
    }

    /// A value against a profile.
    pub fn conform(&mut self, profile: &Profile, item: Item<'a>, at: &At) -> Flow {
        self.step(at)?;
        if !is_a(item.ty, profile.ty) {
            let details = format!("the profile {} is for {}, not for {}", profile.url, profile.ty.name(), item.ty.name());
            return self.tell(Severity::Error, "structure", at, "structure", Some(profile), details);
        }
        if profile.is_abstract && profile.ty != model::EXTENSION {
            let details = format!("the profile {} is abstract: only profiles derived from it are for use", profile.url);
            return self.tell(Severity::Error, "structure", at, "structure", Some(profile), details);
        }
        let key = (item.fields().map_or(0, |object| object.address()), std::ptr::from_ref(profile) as usize);
        if key.0 != 0 {
            match self.known.get(&key) {
                Some(Conformance::Open | Conformance::Holds) => return GO_ON,
                Some(Conformance::Fails { told: true }) if !self.probing => return GO_ON,
                Some(Conformance::Fails { .. }) if self.probing && self.cause.is_some() => {
                    self.errors += 1;
                    return Flow::Break(());
                }
                _ => {}
            }
            self.known.insert(key, Conformance::Open);
        }
        let errors = self.errors;
        self.depth += 1;
        let flow = self.item(profile, 0, item, at);
        self.depth = self.depth.saturating_sub(1);
        if key.0 != 0 {
            self.known.insert(key, if self.errors == errors { Conformance::Holds } else { Conformance::Fails { told: !self.probing } });
        }
        flow
    }

    /// A value against a profile that is named by a canonical. What is not known is told, once, and counts as conforming.
    pub fn conform_to(&mut self, canonical: &str, item: Item<'a>, at: &At, by: &Profile, rule: &Rule) -> Flow {
        match self.profile(canonical) {
            Some(profile) => self.conform(&profile, item, at),
            None => self.tell(Severity::Warning, "not-found", at, &rule.id, Some(by), format!("the profile {canonical} is not known, so it was not checked")),
        }
    }

    /// The profile that a canonical names.
    pub fn profile(&mut self, canonical: &str) -> Option<Arc<Profile>> {
        let (url, version) = super::parts(canonical);
        let definitions = self.context.definitions;
        let profile = definitions.structure(url, version).or_else(|| definitions.structure(url, None)).or_else(|| super::snapshot::built_in(url))?;
        if !self.kept.iter().any(|kept| Arc::ptr_eq(kept, &profile)) {
            self.kept.push(profile.clone());
        }
        Some(profile)
    }

    /// One value against the rules of an element.
    pub fn item(&mut self, profile: &Profile, id: RuleId, item: Item<'a>, at: &At) -> Flow {
        let Some(rule) = profile.rules.get(id).filter(|rule| rule.is_active || rule.also.is_some()) else { return GO_ON };
        self.step(at)?;
        if let Some(allowed) = &rule.allowed
            && !allowed.iter().any(|ty| *ty == item.ty || ty.get().is_abstract && is_a(item.ty, *ty))
        {
            let names: Vec<_> = allowed.iter().map(|ty| ty.name()).collect();
            let details = format!("may not be of type {}, only of {}", item.ty.name(), names.join(", "));
            return self.tell(Severity::Error, "structure", at, &rule.id, Some(profile), details);
        }
        self.value(profile, rule, item, at)?;
        if let Some(binding) = &rule.binding {
            self.binding(profile, rule, binding, item, at)?;
        }
        if !rule.types.is_empty() {
            self.types(profile, rule, item, at)?;
        }
        if !rule.constraints.is_empty() {
            self.constraints(profile, rule, item, at)?;
        }
        self.depth += 1;
        self.children(profile, rule, item, at)?;
        if let Some(also) = rule.also {
            self.item(profile, also, item, at)?;
        }
        self.depth = self.depth.saturating_sub(1);
        GO_ON
    }

    /// Fixed value, pattern, bounds and length.
    fn value(&mut self, profile: &Profile, rule: &Rule, item: Item<'a>, at: &At) -> Flow {
        if let Some(fixed) = &rule.fixed {
            let expected = fixed.node();
            if !item.value.is_some_and(|value| value::equal(expected, value)) {
                let details = format!("must be exactly {}", brief(expected));
                self.tell(Severity::Error, "value", at, &rule.id, Some(profile), details)?;
            }
        }
        if let Some(pattern) = &rule.pattern {
            let expected = pattern.node();
            if !item.value.is_some_and(|value| value::matches(expected, value)) {
                let details = format!("must have all of {}", brief(expected));
                self.tell(Severity::Error, "value", at, &rule.id, Some(profile), details)?;
            }
        }
        let Some(value) = item.value else { return GO_ON };
        if let Some(most) = rule.max_length
            && value.as_str().is_some_and(|text| text.len() > most as usize && text.chars().count() > most as usize)
        {
            self.tell(Severity::Error, "too-long", at, &rule.id, Some(profile), format!("longer than {most} characters"))?;
        }
        for (bound, wrong, word) in [(&rule.min_value, Ordering::Less, "at least"), (&rule.max_value, Ordering::Greater, "at most")] {
            let Some(bound) = bound else { continue };
            let bound_node = bound.node();
            let order = match is_a(item.ty, QUANTITY) {
                // in whatever units they are
                true => PathItem::element(value, item.ty, None).order(&PathItem::element(bound_node, item.ty, None)),
                false => Atom::of(value, item.ty).zip(Atom::of(bound_node, item.ty)).and_then(|(value, bound)| value.order(&bound)),
            };
            if order == Some(wrong) {
                let details = format!("must be {word} {}", brief(bound.node()));
                self.tell(Severity::Error, "value", at, &rule.id, Some(profile), details)?;
            }
        }
        GO_ON
    }

    /// The elements of a value.
    fn children(&mut self, profile: &Profile, rule: &Rule, item: Item<'a>, at: &At) -> Flow {
        if rule.children.is_empty() {
            return GO_ON;
        }
        let base = self.found.len();
        self.found.resize(base + rule.children.len(), Found::NONE);
        let fields = item.fields();
        if let Some(object) = fields {
            let mut properties = rule.properties.iter();
            let mut next = properties.next();
            for (key, node) in object.iter() {
                while let Some(property) = next
                    && key_order(property.name.as_bytes(), key.as_bytes()).is_lt()
                {
                    next = properties.next();
                }
                let Some(property) = next else { break };
                if &*property.name == key
                    && let Some(found) = self.found.get_mut(base + property.child as usize)
                {
                    if property.is_sibling {
                        found.sibling = Some(node);
                    } else {
                        found.value = Some(node);
                    }
                    found.ty = property.ty;
                }
            }
        }
        for (i, child) in rule.children.iter().enumerate() {
            let Some(found) = self.found.get(base + i).copied() else { break };
            let Some(rule) = profile.rules.get(*child) else { break };
            if found.ty == RESOURCE {
                let place = self.place;
                if let Some(object) = fields {
                    self.place = place.within(object, item.ty, found.value);
                }
                self.occurrences(profile, *child, rule, found, at)?;
                self.place = place;
            } else {
                self.occurrences(profile, *child, rule, found, at)?;
            }
        }
        self.found.truncate(base);
        GO_ON
    }

    /// All values of one element of one parent, which stands at `at`.
    fn occurrences(&mut self, profile: &Profile, id: RuleId, rule: &Rule, found: Found<'a>, at: &At) -> Flow {
        self.count(profile, rule, found.count(), at)?;
        for (index, item) in found.items() {
            if item.ty != found.ty
                && let Some(object) = item.fields()
            {
                self.place.resource = object;
                if !self.place.is_contained {
                    self.place.container = object;
                }
            }
            let at = At { parent: Some(at), name: &rule.name, index };
            self.item(profile, id, item, &at)?;
        }
        match &rule.slicing {
            Some(slicing) => self.slices(profile, rule, slicing, found, None, at),
            None => GO_ON,
        }
    }

    /// Cardinality of an element or slice.
    pub fn count(&mut self, profile: &Profile, rule: &Rule, count: usize, at: &At) -> Flow {
        if count < rule.min as usize {
            let details = match (rule.min, count) {
                (1, _) => format!("the element \"{}\" is missing ({})", rule.name, rule.id),
                (min, count) => format!("the element \"{}\" has {count} items where at least {min} are needed ({})", rule.name, rule.id),
            };
            self.tell(Severity::Error, "required", at, &rule.id, Some(profile), details)?;
        }
        if count > rule.max as usize {
            let details = match rule.max {
                0 => format!("the element \"{}\" is not allowed ({})", rule.name, rule.id),
                max => format!("the element \"{}\" has {count} items where {max} are allowed ({})", rule.name, rule.id),
            };
            self.tell(Severity::Error, "structure", at, &rule.id, Some(profile), details)?;
        }
        GO_ON
    }

    /// Profiles of a value's type, and what a reference points at.
    fn types(&mut self, profile: &Profile, rule: &Rule, item: Item<'a>, at: &At) -> Flow {
        let Some(ty) = rule.types.iter().find(|ty| ty.ty == item.ty).or_else(|| rule.types.iter().find(|ty| is_a(item.ty, ty.ty))) else { return GO_ON };
        match &*ty.profiles {
            [] => {}
            [one] => self.conform_to(one, item, at, profile, rule)?,
            several => {
                let mut holds = false;
                let mut unknown = false;
                for canonical in several {
                    match self.profile(canonical) {
                        Some(other) => holds = self.probe(|walk| walk.conform(&other, item, at))?,
                        None => unknown = true,
                    }
                    if holds {
                        break;
                    }
                }
                if !holds && !unknown {
                    let details = format!("conforms to none of {} ({})", several.join(", "), self.cause());
                    self.tell(Severity::Error, "structure", at, &rule.id, Some(profile), details)?;
                }
            }
        }
        if ty.targets.is_empty() { GO_ON } else { self.reference(profile, rule, &ty.targets, item, at) }
    }
}
