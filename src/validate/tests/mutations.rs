//! Valid resources, broken in one place: each break must be found, where it is and as what it is.

use super::*;
use crate::model::{self, EXTENSION, Field, Kind, REFERENCE, TypeId, type_named};
use std::collections::BTreeMap;

/// A JSON tree that can be changed.
#[derive(Clone, PartialEq, Debug)]
enum Tree {
    Leaf(String),
    Array(Vec<Tree>),
    Object(BTreeMap<String, Tree>),
}

impl Tree {
    fn of(node: Node<'_>) -> Tree {
        match node {
            Node::Array(a) => Tree::Array(a.iter().map(Tree::of).collect()),
            Node::Object(o) => Tree::Object(o.iter().map(|(k, v)| (k.to_owned(), Tree::of(v))).collect()),
            leaf => Tree::Leaf(leaf.to_json()),
        }
    }

    fn text(&self) -> String {
        match self {
            Tree::Leaf(text) => text.clone(),
            Tree::Array(items) => format!("[{}]", items.iter().map(Tree::text).collect::<Vec<_>>().join(",")),
            Tree::Object(o) => {
                format!("{{{}}}", o.iter().map(|(k, v)| format!("{}:{}", Node::String(k).to_json(), v.text())).collect::<Vec<_>>().join(","))
            }
        }
    }

    fn at(&mut self, place: &[Key]) -> &mut Tree {
        place.iter().fold(self, |tree, key| match (tree, key) {
            (Tree::Object(o), Key::Name(name)) => o.get_mut(name).unwrap(),
            (Tree::Array(a), Key::Item(i)) => &mut a[*i],
            _ => panic!("no such place"),
        })
    }
}

#[derive(Clone, PartialEq, Debug)]
enum Key {
    Name(String),
    Item(usize),
}

/// One value of an element: where it is, how the validator calls that place, and what the model says about it.
struct Place {
    keys: Vec<Key>,
    expression: String,
    parent: TypeId,
    field: &'static Field,
    /// Items of the array that holds it, when one does.
    items: Option<usize>,
}

/// Every value in the object that a rule of the model governs; contained and bundled resources are left out.
fn places(tree: &Tree, ty: TypeId, keys: &[Key], expression: &str, out: &mut Vec<Place>) {
    let Tree::Object(object) = tree else { return };
    for (name, value) in object {
        let Some(field) = ty.get().field(name) else { continue };
        let element = ty.get().elements[usize::from(field.element)].name;
        let mut keys = keys.to_vec();
        keys.push(Key::Name(name.clone()));
        let mut visit = |value: &Tree, keys: Vec<Key>, expression: String, items| {
            if !matches!(field.ty.get().kind, Kind::Primitive | Kind::Resource) {
                places(value, field.ty, &keys, &expression, out);
            }
            out.push(Place { keys, expression, parent: ty, field, items });
        };
        match value {
            Tree::Array(array) => {
                for (i, item) in array.iter().enumerate().filter(|(_, item)| **item != Tree::Leaf("null".to_owned())) {
                    let keys = [keys.clone(), vec![Key::Item(i)]].concat();
                    visit(item, keys, format!("{expression}.{element}[{i}]"), Some(array.len()));
                }
            }
            value => visit(value, keys, format!("{expression}.{element}"), None),
        }
    }
}

/// What a break changes, and the issue that must come of it: its expression and code.
type Broken = (Tree, String, &'static str);
type Break = fn(&Tree, &Place) -> Option<Broken>;

fn replaced(tree: &Tree, place: &Place, by: &str) -> Tree {
    let mut tree = tree.clone();
    *tree.at(&place.keys) = Tree::Leaf(by.to_owned());
    tree
}

fn primitive(place: &Place) -> Option<&'static str> {
    Some(place.field.ty.get()).filter(|t| t.kind == Kind::Primitive).map(|t| t.name)
}

fn is_text(place: &Place) -> bool {
    primitive(place).is_some_and(|p| !matches!(p, "boolean" | "integer" | "unsignedInt" | "positiveInt" | "decimal"))
}

/// The place without its index.
fn whole(expression: &str) -> String {
    expression.rsplit_once('[').map_or(expression, |(e, _)| e).to_owned()
}

fn bad_text(place: &Place) -> Option<&'static str> {
    Some(match primitive(place)? {
        "date" | "dateTime" | "instant" => "2021-02-29",
        "time" => "25:00:00",
        "id" => "a b",
        "code" => " a",
        "uri" | "url" | "canonical" => "a b",
        "oid" => "1.2.3",
        "uuid" => "urn:uuid:1",
        "base64Binary" => "QUJ",
        "xhtml" => "<p/>",
        "boolean" => "true",
        "integer" | "unsignedInt" | "positiveInt" | "decimal" => "1",
        _ => return None,
    })
}

const BREAKS: &[(&str, Break)] = &[
    ("unknown property", |tree, place| {
        if place.field.ty.get().kind != Kind::Complex {
            return None;
        }
        let mut tree = tree.clone();
        let Tree::Object(object) = tree.at(&place.keys) else { return None };
        object.insert("zzz".to_owned(), Tree::Leaf("1".to_owned()));
        Some((tree, format!("{}.zzz", place.expression), "structure"))
    }),
    ("required element removed", |tree, place| {
        let element = &place.parent.get().elements[usize::from(place.field.element)];
        let (parent, _) = place.expression.rsplit_once('.')?;
        let mut tree = tree.clone();
        let Some(Key::Name(name)) = place.keys.iter().rfind(|k| matches!(k, Key::Name(_))) else { return None };
        let depth = place.keys.len() - 1 - usize::from(place.items.is_some());
        let Tree::Object(object) = tree.at(&place.keys[..depth]) else { return None };
        object.remove(name);
        let left = object.keys().any(|k| k != "resourceType") && !object.contains_key(&format!("_{name}"));
        (element.min > 0 && left).then(|| (tree, parent.to_owned(), "required"))
    }),
    ("single value in an array", |tree, place| {
        let mut tree = tree.clone();
        let value = tree.at(&place.keys);
        *value = Tree::Array(vec![value.clone()]);
        place.items.is_none().then(|| (tree, place.expression.clone(), "structure"))
    }),
    ("array taken away", |tree, place| {
        let mut tree = tree.clone();
        let value = tree.at(&place.keys).clone();
        *tree.at(&place.keys[..place.keys.len() - 1]) = value;
        (place.items == Some(1)).then(|| (tree, whole(&place.expression), "structure"))
    }),
    ("array emptied", |tree, place| {
        let mut tree = tree.clone();
        if place.items.is_some() {
            *tree.at(&place.keys[..place.keys.len() - 1]) = Tree::Array(Vec::new());
        }
        place.items.map(|_| (tree, whole(&place.expression), "structure"))
    }),
    ("null", |tree, place| Some((replaced(tree, place, "null"), place.expression.clone(), "structure"))),
    ("object emptied", |tree, place| {
        primitive(place).is_none().then(|| (replaced(tree, place, "{}"), place.expression.clone(), "structure"))
    }),
    ("object for a primitive", |tree, place| {
        primitive(place).map(|_| (replaced(tree, place, r#"{"id":"a"}"#), place.expression.clone(), "value"))
    }),
    ("string for an object", |tree, place| {
        primitive(place).is_none().then(|| (replaced(tree, place, r#""a""#), place.expression.clone(), "structure"))
    }),
    ("number for a text", |tree, place| is_text(place).then(|| (replaced(tree, place, "1"), place.expression.clone(), "value"))),
    ("empty text", |tree, place| is_text(place).then(|| (replaced(tree, place, r#""""#), place.expression.clone(), "value"))),
    ("wrong format", |tree, place| {
        bad_text(place).map(|bad| (replaced(tree, place, &format!("\"{bad}\"")), place.expression.clone(), "value"))
    }),
    ("fraction for a whole number", |tree, place| {
        matches!(primitive(place)?, "integer" | "unsignedInt" | "positiveInt")
            .then(|| (replaced(tree, place, "1.5"), place.expression.clone(), "value"))
    }),
    ("unknown code", |tree, place| {
        (primitive(place)? == "code" && place.field.required.is_some())
            .then(|| (replaced(tree, place, r#""no-such-code""#), place.expression.clone(), "code-invalid"))
    }),
    ("reference to a wrong type", |tree, place| {
        if place.field.ty != REFERENCE || place.field.targets.is_empty() {
            return None;
        }
        let wrong = model::resource_types().find(|ty| !place.field.targets.iter().any(|t| model::is_a(*ty, *t)))?;
        let by = format!(r#"{{"reference":"{}/1"}}"#, wrong.name());
        Some((replaced(tree, place, &by), place.expression.clone(), "value"))
    }),
    ("reference to nothing contained", |tree, place| {
        (place.field.ty == REFERENCE)
            .then(|| (replaced(tree, place, r##"{"reference":"#no-such-id"}"##), place.expression.clone(), "not-found"))
    }),
    ("second type of a choice", |tree, place| {
        let ty = place.parent.get();
        let other = ty.fields.iter().find(|f| f.element == place.field.element && f.name != place.field.name)?;
        let mut tree = tree.clone();
        let Tree::Object(object) = tree.at(&place.keys[..place.keys.len() - 1]) else { return None };
        object.insert(other.name.to_owned(), Tree::Leaf(r#"{"id":"a"}"#.to_owned()));
        Some((tree, place.expression.clone(), "structure"))
    }),
    ("extension without a value", |tree, place| {
        (place.field.ty == EXTENSION).then(|| (replaced(tree, place, r#"{"url":"http://x"}"#), place.expression.clone(), "invariant"))
    }),
    ("sibling of a complex element", |tree, place| {
        if primitive(place).is_some() || place.items.is_some() {
            return None;
        }
        let mut tree = tree.clone();
        let Tree::Object(object) = tree.at(&place.keys[..place.keys.len() - 1]) else { return None };
        let name = format!("_{}", place.field.name);
        object.insert(name.clone(), Tree::Leaf(r#"{"id":"a"}"#.to_owned()));
        let parent = place.expression.rsplit_once('.')?.0;
        Some((tree, format!("{parent}.{name}"), "structure"))
    }),
    ("resource type changed", |tree, _| {
        let mut tree = tree.clone();
        let Tree::Object(object) = &mut tree else { return None };
        object.insert("resourceType".to_owned(), Tree::Leaf(r#""Nothing""#.to_owned()));
        Some((tree, String::new(), "structure"))
    }),
];

/// Applies every break to the first places of each kind that it applies to; returns how often each was tried.
fn break_everywhere(texts: &[String], most: usize) -> BTreeMap<&'static str, usize> {
    let mut tried: BTreeMap<&'static str, usize> = BTreeMap::new();
    for text in texts {
        let bytes = json::parse(text.as_bytes(), &Limits::default()).unwrap();
        let root = json::root(&bytes).unwrap();
        assert_eq!(issues(root), [], "{text}");
        let name = root.get("resourceType").and_then(Node::as_str).unwrap();
        let tree = Tree::of(root);
        let mut all = Vec::new();
        places(&tree, type_named(name).unwrap(), &[], name, &mut all);
        for (what, make) in BREAKS {
            for (broken, expression, code) in all.iter().filter_map(|p| make(&tree, p)).take(most) {
                let text = broken.text();
                let found = issues_of(&text);
                assert!(
                    found.iter().any(|i| i.expression == expression && i.code == code),
                    "{what}: expected {code} at {expression}, found {found:#?} in\n{text}"
                );
                *tried.entry(what).or_default() += 1;
            }
        }
    }
    tried
}

#[test]
fn every_break_of_a_small_patient_is_found() {
    let patient = r##"{"resourceType":"Patient","id":"a","meta":{"lastUpdated":"2020-01-01T00:00:00Z","profile":["http://x"]},
        "text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">a</div>"},
        "extension":[{"url":"http://x","valueInteger":1}],"active":true,"birthDate":"1970-01-01","deceasedBoolean":false,
        "name":[{"use":"official","family":"f","given":["a","b"]}],"gender":"male","multipleBirthInteger":2,
        "contact":[{"relationship":[{"coding":[{"system":"http://x","code":"y"}]}],"name":{"text":"c"}}],
        "link":[{"type":"refer","other":{"reference":"Patient/2"}}],"photo":[{"contentType":"image/png","data":"QUJD","size":3}],
        "managingOrganization":{"reference":"Organization/1"}}"##;
    let tried = break_everywhere(&[patient.to_owned()], usize::MAX);
    for (what, _) in BREAKS {
        assert!(tried.contains_key(what), "{what} was never tried");
    }
}

#[test]
fn every_break_of_the_examples_is_found() {
    let Some(text) = data::examples() else { return };
    let exceptions = data::EXCEPTIONS;
    let texts: Vec<String> = text
        .lines()
        .filter(|l| !l.trim().is_empty() && l.len() < 20_000)
        .filter(|l| {
            let bytes = json::parse(l.as_bytes(), &Limits::default()).unwrap();
            let root = json::root(&bytes).unwrap();
            let name = |n: &str| root.get(n).and_then(Node::as_str).unwrap_or("").to_owned();
            !exceptions.iter().any(|(e, _)| *e == format!("{}/{}", name("resourceType"), name("id")))
        })
        .map(str::to_owned)
        .collect();
    let tried = break_everywhere(&texts, 3);
    println!("{} breaks of {} examples are found: {tried:?}", tried.values().sum::<usize>(), texts.len());
    assert_eq!(tried.len(), BREAKS.len());
}
