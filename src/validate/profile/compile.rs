//! From a StructureDefinition to rules.

use super::constraint::Expression;
use super::discriminator::{self, Expect, Step};
use super::element::{Binding as ElementBinding, Discriminator, DiscriminatorKind, Element, MANY, Rules, Slicing as ElementSlicing, Strength};
use super::extension::ExtensionContext;
use super::rule::{Binding, Invariant, Property, Rule, RuleId, Slice, Slicing, Target, TypeRule};
use super::tree::{Tree, fields};
use super::{Definitions, Profile, ProfileError, core_type, snapshot, unversioned};
use crate::json::{Node, reader::key_order};
use crate::model::{self, EXTENSION, Field, Kind, RESOURCE, TypeId, binding_at, invariants_at, is_a, value_set};
use std::collections::HashMap;

/// Most rules of one profile, slices and contained values counted.
const MAX_RULES: usize = 50_000;

impl Profile {
    /// Compiles a StructureDefinition: by its snapshot, or where it has none, by its differential and its base, which `definitions` must know
    /// unless it is a type of FHIR itself.
    ///
    /// # Errors
    /// What is not a profile of a type of FHIR R4 (logical models, new types), what is malformed or too large, and a base that is not known.
    pub fn compile(definition: Node<'_>, definitions: &dyn Definitions) -> Result<Profile, ProfileError> {
        let head = Head::read(definition)?;
        let tree = snapshot::tree(definition, &head, definitions)?;
        Profile::from_tree(definition, &head, tree)
    }

    /// Compiles what a differential says together with its base, also where there is a snapshot.
    pub(super) fn from_tree(definition: Node<'_>, head: &Head<'_>, tree: Tree) -> Result<Profile, ProfileError> {
        let mut compiler = Compiler { rules: Vec::new(), places: HashMap::new() };
        compiler.root(&tree, head.ty)?;
        compiler.link(&tree);
        let rules = compiler.finish();
        let items = |name: &str| definition.get(name).and_then(Node::as_array).into_iter().flat_map(|array| array.iter());
        let is_extension = head.ty == EXTENSION;
        Ok(Profile {
            url: head.url.into(),
            version: definition.get("version").and_then(Node::as_str).map(Box::from),
            name: definition.get("name").and_then(Node::as_str).unwrap_or_default().into(),
            ty: head.ty,
            is_abstract: definition.get("abstract").and_then(Node::as_bool) == Some(true),
            contexts: items("context").filter(|_| is_extension).filter_map(ExtensionContext::read).collect(),
            context_invariants: items("contextInvariant").filter_map(Node::as_str).map(|text| (text.into(), Expression::new(text, None))).collect(),
            is_modifier: is_extension && tree.element.is_modifier == Some(true),
            rules,
            tree,
        })
    }
}

/// What a StructureDefinition says about itself.
pub(super) struct Head<'a> {
    pub url: &'a str,
    pub ty: TypeId,
    pub base: Option<&'a str>,
}

impl<'a> Head<'a> {
    pub fn read(definition: Node<'a>) -> Result<Head<'a>, ProfileError> {
        let text = |name: &str| definition.get(name).and_then(Node::as_str);
        if text("resourceType") != Some("StructureDefinition") {
            return Err(ProfileError::NotADefinition);
        }
        if text("kind") == Some("logical") {
            return Err(ProfileError::Logical);
        }
        let url = text("url").ok_or_else(|| ProfileError::Malformed("the definition has no url".to_owned()))?;
        let name = text("type").unwrap_or_default();
        let ty = core_type(name).ok_or_else(|| ProfileError::UnknownType(name.chars().take(64).collect()))?;
        Ok(Head { url: unversioned(url), ty, base: text("baseDefinition") })
    }
}

/// Where an element comes from: the fields of the base types that have it.
#[derive(Clone, Default)]
struct Origin {
    fields: Vec<(TypeId, &'static Field)>,
    /// The types that its values can have.
    types: Vec<TypeId>,
}

struct Compiler {
    rules: Vec<Rule>,
    /// The rule of each element of the tree, by its address.
    places: HashMap<usize, RuleId>,
}

impl Compiler {
    fn root(&mut self, tree: &Tree, ty: TypeId) -> Result<RuleId, ProfileError> {
        let origin = Origin { fields: Vec::new(), types: vec![ty] };
        self.element(tree, None, &origin, false)
    }

    /// The rule of an element, or of a slice of it; `above` says what holds for all of its occurrences.
    fn element(&mut self, tree: &Tree, above: Option<&Tree>, origin: &Origin, is_slice: bool) -> Result<RuleId, ProfileError> {
        if self.rules.len() >= MAX_RULES {
            return Err(ProfileError::TooLarge { what: "rules", most: MAX_RULES });
        }
        let id = self.rules.len();
        let element = &tree.element;
        let (allowed, types) = narrowed(element, origin);
        let over = above.map(|tree| &tree.element);
        self.places.insert(std::ptr::from_ref(tree) as usize, id);
        self.rules.push(Rule {
            id: if element.id.is_empty() { element.path.clone() } else { element.id.clone() },
            name: tree.name.clone(),
            min: least(element, over, origin, is_slice),
            max: most(element, over, origin),
            allowed,
            types: type_rules(element, over, origin),
            fixed: element.fixed.clone().filter(|value| over.is_none_or(|o| o.fixed.as_ref() != Some(value))),
            pattern: element.pattern.clone().filter(|value| over.is_none_or(|o| o.pattern.as_ref() != Some(value))),
            min_value: element.min_value.clone().filter(|value| over.is_none_or(|o| o.min_value.as_ref() != Some(value))),
            max_value: element.max_value.clone().filter(|value| over.is_none_or(|o| o.max_value.as_ref() != Some(value))),
            max_length: element.max_length.filter(|length| over.is_none_or(|o| o.max_length != Some(*length))),
            binding: element.binding.as_ref().filter(|binding| over.is_none_or(|o| o.binding.as_ref() != Some(binding))).and_then(|b| bound(b, origin)),
            constraints: invariants(element, over, origin, &types),
            properties: Box::default(),
            children: Box::default(),
            every: Box::default(),
            slicing: None,
            also: None,
            must_support: element.must_support == Some(true),
            is_active: false,
            is_supported: false,
        });
        let mut every = Vec::new();
        for child in &tree.children {
            let found: Vec<_> = fields(&types, &child.name).collect();
            if found.is_empty() {
                // What stands in any resource cannot be told, and `value` is what a primitive itself is.
                if types.iter().any(|ty| is_a(*ty, RESOURCE) && ty.get().is_abstract || ty.get().kind == Kind::Primitive) || types.is_empty() {
                    continue;
                }
                return Err(ProfileError::UnknownElement { path: child.element.path.to_string() });
            }
            let mut child_types: Vec<TypeId> = found.iter().map(|(_, field)| field.ty).collect();
            child_types.sort_unstable();
            child_types.dedup();
            let origin = Origin { fields: found, types: child_types };
            let above = above.and_then(|above| above.child(&child.name));
            every.push((self.element(child, above, &origin, false)?, origin));
        }
        if !tree.slices.is_empty() {
            for slice in &tree.slices {
                self.element(slice, Some(tree), &Origin { fields: origin.fields.clone(), types: types.clone() }, true)?;
            }
            let slicing = self.slicing(tree, &types)?;
            self.set(id, |rule| rule.slicing = Some(slicing));
        }
        // Whether the rules of another element hold here is not known yet.
        let repeats = tree.children.is_empty() && element.content_reference.as_deref().is_some_and(|reference| reference.starts_with('#'));
        self.activate(id, every, repeats);
        Ok(id)
    }

    fn set(&mut self, id: RuleId, change: impl FnOnce(&mut Rule)) {
        if let Some(rule) = self.rules.get_mut(id) {
            change(rule);
        }
    }

    fn is_active(&self, id: RuleId) -> bool {
        self.rules.get(id).is_some_and(|rule| rule.is_active)
    }

    /// Decides what is to be looked at, when all below is known.
    fn activate(&mut self, id: RuleId, every: Vec<(RuleId, Origin)>, repeats: bool) {
        let mut properties = Vec::new();
        let mut children = Vec::new();
        for (child, origin) in &every {
            if self.is_active(*child) {
                for (_, field) in &origin.fields {
                    let ty = field.ty;
                    properties.push(Property { name: field.name.into(), child: children.len() as u32, ty, is_sibling: false });
                    if ty.get().kind == Kind::Primitive {
                        properties.push(Property { name: format!("_{}", field.name).into(), child: children.len() as u32, ty, is_sibling: true });
                    }
                }
                children.push(*child);
            }
        }
        properties.sort_by(|a, b| key_order(a.name.as_bytes(), b.name.as_bytes()));
        properties.dedup_by(|a, b| a.name == b.name);
        let supported = every.iter().any(|(child, _)| self.rules.get(*child).is_some_and(|rule| rule.is_supported));
        let sliced = self.rules.get(id).and_then(|rule| rule.slicing.as_ref()).map(|slicing| {
            let inside = |f: fn(&Rule) -> bool| slicing.slices.iter().any(|slice| self.rules.get(slice.rule).is_some_and(f));
            (slicing.rules != Rules::Open || slicing.ordered || inside(|rule| rule.is_active), inside(|rule| rule.is_supported))
        });
        let (cuts, supports) = sliced.unwrap_or_default();
        self.set(id, |rule| {
            rule.is_active = rule.says_anything() || !children.is_empty() || cuts || repeats;
            rule.is_supported = rule.must_support || supported || supports;
            rule.properties = properties.into();
            rule.children = children.into();
            rule.every = every.into_iter().map(|(child, _)| child).collect();
        });
    }

    fn slicing(&mut self, tree: &Tree, types: &[TypeId]) -> Result<Slicing, ProfileError> {
        let implied;
        let slicing = match &tree.element.slicing {
            Some(slicing) => slicing,
            None => {
                implied = implied_slicing(tree, types);
                &implied
            }
        };
        let mut problem = None;
        let mut discriminators: Vec<(&Discriminator, Vec<Step>)> = Vec::new();
        for discriminator in &slicing.discriminators {
            match discriminator::steps(&discriminator.path) {
                Some(steps) => discriminators.push((discriminator, steps)),
                None => problem = Some(format!("the discriminator \"{}\" is not a simple path", discriminator.path).into()),
            }
        }
        let mut slices = Vec::new();
        for slice in &tree.slices {
            let rule = self.places.get(&(std::ptr::from_ref(slice) as usize)).copied().ok_or(ProfileError::Internal)?;
            let name = slice.element.slice_name.clone().unwrap_or_default();
            let mut tests: Vec<_> = discriminators.iter().filter_map(|(discriminator, steps)| discriminator::test(discriminator, steps, slice)).collect();
            for test in &mut tests {
                if let Expect::Conforms(place) = &mut test.expect {
                    *place = self.places.get(place).copied().ok_or(ProfileError::Internal)?;
                }
            }
            // Without a rule of its own that place decides nothing.
            tests.retain(|test| !matches!(test.expect, Expect::Conforms(rule) if !self.is_active(rule)));
            slices.push(Slice { is_default: &*name == "@default", name, rule, tests: tests.into() });
        }
        Ok(Slicing { rules: slicing.rules, ordered: slicing.ordered, slices: slices.into(), problem })
    }

    /// Sets the rules of other elements that hold for an element too.
    fn link(&mut self, tree: &Tree) {
        let mut targets = HashMap::new();
        let mut pending = vec![tree];
        let mut references = Vec::new();
        while let Some(node) = pending.pop() {
            if let Some(&rule) = self.places.get(&(std::ptr::from_ref(node) as usize)) {
                targets.insert(&*node.element.id, rule);
                if let Some(id) = node.element.content_reference.as_deref().and_then(|reference| reference.strip_prefix('#'))
                    && node.children.is_empty()
                {
                    references.push((rule, id));
                }
            }
            pending.extend(node.children.iter().chain(&node.slices));
        }
        for (rule, id) in references {
            if let Some(&target) = targets.get(id).filter(|target| self.is_active(**target)) {
                self.set(rule, |rule| rule.also = Some(target));
            }
        }
    }

    fn finish(self) -> Box<[Rule]> {
        self.rules.into()
    }
}

impl Rule {
    pub(super) fn says_anything(&self) -> bool {
        self.min > 0
            || self.max < MANY
            || self.allowed.is_some()
            || !self.types.is_empty()
            || self.fixed.is_some()
            || self.pattern.is_some()
            || self.min_value.is_some()
            || self.max_value.is_some()
            || self.max_length.is_some()
            || self.binding.is_some()
            || !self.constraints.is_empty()
    }
}

/// The least number of occurrences, where the base does not ask for as many.
fn least(element: &Element, over: Option<&Element>, origin: &Origin, is_slice: bool) -> u32 {
    let min = element.min.unwrap_or(0);
    let base = origin.fields.iter().filter_map(|(ty, field)| ty.get().elements.get(usize::from(field.element))).map(|e| u32::from(e.min)).min();
    let known = if is_slice { 0 } else { base.unwrap_or(0).max(over.and_then(|o| o.min).unwrap_or(0)) };
    // The root of a profile stands where something else says how often.
    if origin.fields.is_empty() || min <= known { 0 } else { min }
}

/// The greatest number of occurrences, where the base allows more.
fn most(element: &Element, over: Option<&Element>, origin: &Origin) -> u32 {
    let max = element.max.unwrap_or(MANY);
    let base = origin.fields.iter().filter_map(|(ty, field)| ty.get().elements.get(usize::from(field.element))).map(|e| if e.max == u16::MAX { MANY } else { u32::from(e.max) }).max();
    let known = base.unwrap_or(MANY).min(over.and_then(|o| o.max).unwrap_or(MANY));
    if origin.fields.is_empty() || max >= known { MANY } else { max }
}

/// The types that are allowed, where they are fewer than the base allows, and those that a value can have.
fn narrowed(element: &Element, origin: &Origin) -> (Option<Box<[TypeId]>>, Vec<TypeId>) {
    let same = (None, origin.types.clone());
    let Some(types) = &element.types else { return same };
    if origin.fields.is_empty() || origin.types.iter().all(|ty| ty.get().kind == Kind::Backbone) {
        return same;
    }
    let codes: Vec<TypeId> = types.iter().filter_map(|ty| core_type(&ty.code)).collect();
    if codes.is_empty() || origin.types.iter().all(|ty| codes.contains(ty)) {
        return same;
    }
    let values = match origin.types.as_slice() {
        [ty] if ty.get().is_abstract => codes.clone(),
        types => types.iter().copied().filter(|ty| codes.contains(ty)).collect(),
    };
    // A profile may name a type by one that it is made of: what FHIR's own types say is not for a profile to widen.
    if values.is_empty() || values.len() == origin.types.len() && values == origin.types {
        return same;
    }
    (Some(values.clone().into()), values)
}

fn type_rules(element: &Element, over: Option<&Element>, origin: &Origin) -> Box<[TypeRule]> {
    let Some(types) = &element.types else { return Box::default() };
    if over.is_some_and(|o| o.types.as_ref() == Some(types)) {
        return Box::default();
    }
    let mut rules: Vec<TypeRule> = Vec::new();
    for (i, ty) in types.iter().enumerate() {
        let Some(id) = core_type(&ty.code) else { continue };
        if types.iter().take(i).any(|before| before.code == ty.code) {
            continue;
        }
        let same: Vec<_> = types.iter().filter(|other| other.code == ty.code).collect();
        // One without a profile lets everything pass.
        let free = same.iter().any(|t| t.profiles.is_empty() || t.profiles.iter().any(|p| core_type(p).is_some_and(|core| is_a(id, core))));
        let profiles: Box<[Box<str>]> = if free { Box::default() } else { same.iter().flat_map(|t| t.profiles.iter().cloned()).filter(|p| !known_profile(p, origin)).collect() };
        let open = same.iter().any(|t| t.targets.is_empty());
        let targets: Vec<Target> = same.iter().flat_map(|t| t.targets.iter()).map(|url| Target { url: url.clone(), ty: core_type(url) }).collect();
        let base = origin.fields.iter().find(|(_, field)| field.ty == id).map(|(_, field)| field.targets);
        let wide = |known: TypeId| targets.iter().any(|target| target.ty.is_some_and(|ty| is_a(known, ty)));
        let same_targets = match base {
            Some([]) => wide(RESOURCE),
            Some(base) => base.iter().all(|ty| wide(*ty)),
            None => false,
        };
        let targets = if open || same_targets { Vec::new() } else { targets };
        if !profiles.is_empty() || !targets.is_empty() {
            rules.push(TypeRule { ty: id, profiles, targets: targets.into() });
        }
    }
    rules.into()
}

/// Whether the base type has that profile too: its one rule is among the invariants of the element.
fn known_profile(profile: &str, origin: &Origin) -> bool {
    unversioned(profile).strip_prefix(super::CORE) == Some("SimpleQuantity")
        && origin.fields.iter().any(|(ty, field)| base_path(*ty, field).is_some_and(|path| invariants_at(&path).any(|i| i.key == "sqty-1")))
}

/// The path under which an element's constraints are listed.
fn base_path(ty: TypeId, field: &Field) -> Option<String> {
    // An inherited element is listed under the type that first has it.
    let name = ty.get().elements.get(usize::from(field.element))?.name;
    let mut owner = ty;
    while let Some(base) = owner.get().base
        && base.get().elements.iter().any(|e| e.name == name)
    {
        owner = base;
    }
    Some(format!("{}.{name}", owner.name()))
}

fn bound(binding: &ElementBinding, origin: &Origin) -> Option<Binding> {
    if binding.strength < Strength::Extensible && binding.max_value_set.is_none() {
        return None;
    }
    let value_set_url = binding.value_set.clone().unwrap_or_default();
    let same = |set: &str| unversioned(set) == unversioned(&value_set_url);
    let listed = |path: &str| {
        binding_at(path).is_some_and(|known| {
            same(known.value_set) && is_as_strong(known.strength, binding.strength) && known.max.map(unversioned) == binding.max_value_set.as_deref().map(unversioned)
        })
    };
    let of_field = |(ty, field): &(TypeId, &'static Field)| {
        field.required.is_some_and(|set| same(value_set(set).url)) || base_path(*ty, field).is_some_and(|path| listed(&path))
    };
    let of_types = !origin.types.is_empty() && origin.types.iter().all(|ty| listed(ty.name()));
    let is_known = of_types || !origin.fields.is_empty() && origin.fields.iter().all(of_field);
    if is_known || value_set_url.is_empty() && binding.max_value_set.is_none() {
        return None;
    }
    Some(Binding { strength: binding.strength, value_set: value_set_url, max_value_set: binding.max_value_set.clone() })
}

fn is_as_strong(known: model::Strength, asked: Strength) -> bool {
    known == model::Strength::Required || known == model::Strength::Extensible && asked <= Strength::Extensible || asked < Strength::Extensible
}

/// The constraints that neither the base type has nor what stands above.
fn invariants(element: &Element, over: Option<&Element>, origin: &Origin, types: &[TypeId]) -> Box<[Invariant]> {
    let mut paths: Vec<String> = origin.fields.iter().filter_map(|(ty, field)| base_path(*ty, field)).collect();
    for ty in types {
        let mut current = Some(*ty);
        while let Some(id) = current {
            paths.push(id.name().to_owned());
            current = id.get().base;
        }
    }
    let is_known = |key: &str| paths.iter().any(|path| invariants_at(path).any(|i| i.key == key)) || model::INVARIANTS.iter().any(|i| i.key == key && i.path == "Element");
    let context = match types {
        [ty] if ty.get().kind != Kind::Resource || !ty.get().is_abstract => Some(*ty),
        _ => None,
    };
    element
        .constraints
        .iter()
        .filter(|c| over.is_none_or(|o| !o.constraints.iter().any(|other| other.key == c.key)))
        .filter(|c| !is_known(&c.key) && c.source.as_deref().is_none_or(|source| core_type(source).is_none()))
        .map(|c| Invariant { key: c.key.clone(), is_error: c.is_error, human: c.human.clone(), expression: Expression::new(&c.expression, context) })
        .collect()
}

/// "Extensions are always sliced by url", and a choice by its type; otherwise the rules of the slices must tell.
fn implied_slicing(tree: &Tree, types: &[TypeId]) -> ElementSlicing {
    let by = |kind, path: &str| vec![Discriminator { kind, path: path.into() }];
    let discriminators = if types == [EXTENSION] {
        by(DiscriminatorKind::Value, "url")
    } else if tree.slices.iter().all(|slice| matches!(slice.element.types.as_deref(), Some([_]))) && types.len() > 1 {
        by(DiscriminatorKind::Type, "$this")
    } else {
        Vec::new()
    };
    ElementSlicing { discriminators, rules: Rules::Open, ordered: false }
}
