//! The concepts of a code system and how they subsume each other.
//! <https://hl7.org/fhir/R4/codesystem.html#hierarchy>

use super::Direction;
use crate::json::{self, Node};
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

/// A code system as it is stored. What of it is malformed is left out.
#[derive(Clone)]
pub struct CodeSystem {
    id: Box<str>,
    url: Box<str>,
    version: Option<Box<str>>,
    is_complete: bool,
    is_supplement: bool,
    /// In a hierarchy of parts nothing subsumes; where no meaning is given, it is taken for a taxonomy, as published ones are.
    subsumes: bool,
    /// Its concepts are not here, but under this id.
    apart: Option<Box<str>>,
    concepts: Vec<Concept>,
    by_code: HashMap<Box<str>, u32>,
    /// Codes are the same whatever their case.
    ignores_case: bool,
    declared: Vec<Declared>,
    /// Codes of the properties that concepts have.
    used: HashSet<Box<str>>,
}

/// One concept.
#[derive(Clone, Default)]
pub struct Concept {
    code: Box<str>,
    display: Option<Box<str>>,
    definition: Option<Box<str>>,
    /// Other ways to show it.
    designations: Vec<Box<str>>,
    /// Code of the property and its value as text; of a coding its code.
    properties: Vec<(Box<str>, Box<str>)>,
    parents: Vec<u32>,
    children: Vec<u32>,
}

/// A concept that is kept apart from its system.
pub struct Kept<'a> {
    pub code: &'a str,
    pub display: Option<&'a str>,
    pub definition: Option<&'a str>,
    /// `CodeSystem.concept.property`
    pub properties: Option<Node<'a>>,
    /// `CodeSystem.concept.designation`
    pub designations: Option<Node<'a>>,
    /// The number that others name it by.
    pub place: i32,
    pub parents: Vec<i32>,
}

/// A property that the system declares, and which of those that FHIR defines it is.
#[derive(Clone)]
struct Declared {
    code: Box<str>,
    meaning: Option<Box<str>>,
}

/// What the urls of the properties that FHIR defines begin with.
const MEANINGS: &str = "http://hl7.org/fhir/concept-properties#";

impl CodeSystem {
    /// `None` when the bytes are no object.
    pub fn read(container: &[u8]) -> Option<CodeSystem> {
        CodeSystem::read_each(container, &mut |_, _| {})
    }

    /// As [`CodeSystem::read`], telling of each concept its place and what the resource says of it.
    pub fn read_each<'a>(container: &'a [u8], each: &mut dyn FnMut(u32, Node<'a>)) -> Option<CodeSystem> {
        let mut system = CodeSystem::without_concepts(container)?;
        system.add_all(json::root(container)?, each);
        system.link();
        Some(system)
    }

    /// What the resource says of the system as a whole, for concepts that are kept apart from it under that id.
    pub fn head(container: &[u8], id: &str) -> Option<CodeSystem> {
        Some(CodeSystem { apart: Some(id.into()), ..CodeSystem::without_concepts(container)? })
    }

    fn without_concepts(container: &[u8]) -> Option<CodeSystem> {
        let root = json::root(container)?;
        root.as_object()?;
        Some(CodeSystem {
            id: text(root, "id").unwrap_or_default().into(),
            url: text(root, "url").unwrap_or_default().into(),
            version: text(root, "version").map(Into::into),
            is_complete: text(root, "content") == Some("complete"),
            is_supplement: text(root, "content") == Some("supplement") || root.get("supplements").is_some(),
            subsumes: text(root, "hierarchyMeaning") != Some("part-of"),
            apart: None,
            concepts: Vec::new(),
            by_code: HashMap::new(),
            ignores_case: root.get("caseSensitive").and_then(Node::as_bool) == Some(false),
            declared: declared(root),
            used: HashSet::new(),
        })
    }

    /// The same system with these of its concepts. Parents that are not among them are left out.
    pub fn with<'n>(&self, kept: impl IntoIterator<Item = Kept<'n>>) -> CodeSystem {
        let mut system = CodeSystem { apart: None, concepts: Vec::new(), by_code: HashMap::new(), used: HashSet::new(), ..self.clone() };
        let mut places = HashMap::new();
        let mut parents = Vec::new();
        for concept in kept {
            let Some(at) = system.push(concept.code, concept.display, concept.definition, concept.properties, concept.designations) else { continue };
            places.insert(concept.place, at);
            parents.push((at, concept.parents));
        }
        for (child, places_of_parents) in parents {
            for parent in places_of_parents.iter().filter_map(|place| places.get(place).copied()) {
                system.join(parent, child);
            }
        }
        system.tidy();
        system
    }

    /// The id under which the concepts are kept, where they are not here.
    pub fn apart(&self) -> Option<&str> {
        self.apart.as_deref()
    }

    /// Of the resource.
    pub fn id(&self) -> &str {
        &self.id
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    pub fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }

    /// What a code is found by: the code itself, or in small letters where its case does not count.
    pub fn key<'c>(&self, code: &'c str) -> Cow<'c, str> {
        if self.ignores_case { Cow::Owned(code.to_lowercase()) } else { Cow::Borrowed(code) }
    }

    /// About how many bytes of memory it takes.
    pub fn size(&self) -> usize {
        let text = |text: &Option<Box<str>>| text.as_ref().map_or(0, |text| text.len());
        let of = |concept: &Concept| {
            let properties: usize = concept.properties.iter().map(|(code, value)| 48 + code.len() + value.len()).sum();
            let designations: usize = concept.designations.iter().map(|text| 16 + text.len()).sum();
            264 + designations + 2 * concept.code.len() + text(&concept.display) + text(&concept.definition) + properties + 4 * (concept.parents.len() + concept.children.len())
        };
        1000 + self.concepts.iter().map(of).sum::<usize>()
    }

    /// Whether it lists all its codes.
    pub fn is_complete(&self) -> bool {
        self.is_complete
    }

    /// Whether it only adds to the concepts of another system.
    pub fn is_supplement(&self) -> bool {
        self.is_supplement
    }

    /// How many concepts.
    pub fn len(&self) -> usize {
        self.concepts.len()
    }

    pub fn is_empty(&self) -> bool {
        self.concepts.is_empty()
    }

    /// The place of a code.
    pub fn find(&self, code: &str) -> Option<u32> {
        self.by_code.get(&*self.key(code)).copied()
    }

    /// The concept at a place that this system gave.
    pub fn concept(&self, at: u32) -> &Concept {
        &self.concepts[at as usize]
    }

    pub fn concepts(&self) -> impl Iterator<Item = &Concept> {
        self.concepts.iter()
    }

    /// The concept and all that are reached from it. A circle ends where it began.
    pub fn related(&self, start: u32, direction: Direction) -> Vec<u32> {
        let mut seen = vec![false; self.concepts.len()];
        let mut found = vec![start];
        seen[start as usize] = true;
        let mut next = 0;
        while let Some(at) = found.get(next).copied() {
            next += 1;
            for near in self.near(at, direction) {
                if !std::mem::replace(&mut seen[*near as usize], true) {
                    found.push(*near);
                }
            }
        }
        found
    }

    /// The parents or children of a concept.
    pub fn near(&self, at: u32, direction: Direction) -> &[u32] {
        match direction {
            Direction::Above => &self.concept(at).parents,
            Direction::Below => &self.concept(at).children,
        }
    }

    /// Abstract: made to group others, not to be used. <https://hl7.org/fhir/R4/codesystem-concept-properties.html>
    pub fn is_abstract(&self, concept: &Concept) -> bool {
        self.has(concept, "notSelectable", "true")
    }

    /// Retired or inactive by any of the properties that say so.
    pub fn is_inactive(&self, concept: &Concept) -> bool {
        self.has(concept, "inactive", "true") || self.has(concept, "status", "retired") || self.has(concept, "status", "inactive")
    }

    fn has(&self, concept: &Concept, meaning: &str, value: &str) -> bool {
        concept.properties.iter().any(|(code, found)| self.means(code, meaning) && &**found == value)
    }

    /// Whether a property is the one that FHIR defines: by its declaration, else by its name.
    fn means(&self, code: &str, meaning: &str) -> bool {
        code == meaning || self.declared.iter().any(|d| &*d.code == code && d.meaning.as_deref() == Some(meaning))
    }

    /// Nested concepts, level by level from the inside out, without recursion.
    fn add_all<'a>(&mut self, root: Node<'a>, each: &mut dyn FnMut(u32, Node<'a>)) {
        let Some(top) = root.get("concept") else { return };
        let mut open = vec![(top.items(), None)];
        while let Some((items, parent)) = open.last_mut() {
            let parent = *parent;
            let Some(node) = items.next() else {
                open.pop();
                continue;
            };
            let before = self.concepts.len();
            let Some(at) = self.add(node) else { continue };
            if self.concepts.len() > before {
                each(at, node);
            }
            if let Some(parent) = parent
                && self.subsumes
            {
                self.join(parent, at);
            }
            if let Some(nested) = node.get("concept") {
                open.push((nested.items(), Some(at)));
            }
        }
    }

    fn add(&mut self, node: Node) -> Option<u32> {
        self.push(text(node, "code")?, text(node, "display"), text(node, "definition"), node.get("property"), node.get("designation"))
    }

    /// The place of a code, which is made where it is new.
    fn push(&mut self, code: &str, display: Option<&str>, definition: Option<&str>, listed: Option<Node>, designations: Option<Node>) -> Option<u32> {
        if let Some(at) = self.find(code) {
            return Some(at);
        }
        let at = u32::try_from(self.concepts.len()).ok()?;
        let mut properties = Vec::new();
        for property in listed.into_iter().flat_map(Node::items) {
            if let (Some(code), Some(value)) = (text(property, "code"), property_value(property)) {
                properties.push((code.into(), value));
                if !self.used.contains(code) {
                    self.used.insert(code.into());
                }
            }
        }
        self.concepts.push(Concept {
            code: code.into(),
            display: display.map(Into::into),
            definition: definition.map(Into::into),
            designations: designations.into_iter().flat_map(Node::items).filter_map(|designation| text(designation, "value")).map(Into::into).collect(),
            properties,
            ..Concept::default()
        });
        let key = self.key(code).into();
        self.by_code.insert(key, at);
        Some(at)
    }

    fn join(&mut self, parent: u32, child: u32) {
        self.concepts[parent as usize].children.push(child);
        self.concepts[child as usize].parents.push(parent);
    }

    /// The relations that properties state. `parent` and `child` mean what the hierarchy means.
    fn link(&mut self) {
        let subsumes = self.subsumes;
        let mut joins = Vec::new();
        for (at, concept) in self.concepts.iter().enumerate() {
            for (property, value) in &concept.properties {
                let Some(other) = self.find(value) else { continue };
                if &**property == "subsumedBy" || subsumes && self.means(property, "parent") {
                    joins.push((other, at as u32));
                } else if subsumes && self.means(property, "child") {
                    joins.push((at as u32, other));
                }
            }
        }
        for (parent, child) in joins {
            self.join(parent, child);
        }
        self.tidy();
    }

    fn tidy(&mut self) {
        for concept in &mut self.concepts {
            for near in [&mut concept.parents, &mut concept.children] {
                near.sort_unstable();
                near.dedup();
            }
        }
    }

    /// The values of a property of a concept, those that the concept has without listing them among them.
    pub fn values<'a>(&'a self, concept: &'a Concept, property: &'a str) -> impl Iterator<Item = &'a str> {
        let own = match property {
            "code" | "concept" => Some(&*concept.code),
            "display" => concept.display.as_deref(),
            "definition" => concept.definition.as_deref(),
            _ => None,
        };
        let near: &[u32] = if self.means(property, "parent") {
            &concept.parents
        } else if self.means(property, "child") {
            &concept.children
        } else {
            &[]
        };
        let listed = concept.properties.iter().filter(move |(code, _)| &**code == property).map(|(_, value)| &**value);
        own.into_iter().chain(near.iter().map(|at| self.concept(*at).code())).chain(listed)
    }

    /// Whether concepts of this system can have that property.
    pub fn has_property(&self, property: &str) -> bool {
        const OWN: &[&str] = &["code", "concept", "display", "definition", "parent", "child", "inactive", "notSelectable"];
        OWN.contains(&property) || self.used.contains(property) || self.declared.iter().any(|d| &*d.code == property)
    }

    /// Whether the property names what is directly below.
    pub fn is_child(&self, property: &str) -> bool {
        self.means(property, "child")
    }

    /// Whether leaving the property out says `false`.
    pub fn is_false_by_absence(&self, property: &str) -> bool {
        self.means(property, "inactive") || self.means(property, "notSelectable")
    }
}

impl Concept {
    pub fn code(&self) -> &str {
        &self.code
    }

    pub fn display(&self) -> Option<&str> {
        self.display.as_deref()
    }

    pub fn definition(&self) -> Option<&str> {
        self.definition.as_deref()
    }

    /// All ways to show it, its own first.
    pub fn displays(&self) -> impl Iterator<Item = &str> {
        self.display.iter().chain(&self.designations).map(|text| &**text)
    }
}

fn declared(root: Node) -> Vec<Declared> {
    let of = |property| {
        let meaning = text(property, "uri").and_then(|uri| uri.strip_prefix(MEANINGS)).map(Into::into);
        Some(Declared { code: text(property, "code")?.into(), meaning })
    };
    root.get("property").into_iter().flat_map(Node::items).filter_map(of).collect()
}

fn text<'a>(node: Node<'a>, key: &str) -> Option<&'a str> {
    node.get(key).and_then(Node::as_str)
}

fn property_value(property: Node) -> Option<Box<str>> {
    for (key, value) in property.as_object()?.iter() {
        if key.starts_with("value") {
            return Some(match value {
                Node::String(text) => text.into(),
                Node::Bool(value) => value.to_string().into(),
                Node::Number(number) => number.to_string().into(),
                Node::Object(_) => text(value, "code")?.into(),
                Node::Null | Node::Array(_) => return None,
            });
        }
    }
    None
}
