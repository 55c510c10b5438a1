//! What the base definitions forbid: <https://hl7.org/fhir/R4/json.html>, cardinality, formats, targets, required codes.

use super::{Kind, Level, replace, within};
use crate::places::{Key, Place, at, wrong_target};
use fhirlake::model::{self, CODEABLE_CONCEPT, CODING, EXTENSION, Kind as Of, REFERENCE};
use serde_json::{Value, json};

fn is_text(place: &Place) -> bool {
    place.primitive().is_some_and(|p| !matches!(p, "boolean" | "integer" | "unsignedInt" | "positiveInt" | "decimal"))
}

fn is_object(place: &Place) -> bool {
    place.field.is_some() && place.primitive().is_none()
}

/// A text that the format of a primitive forbids: one of several, by the length of the path to it.
fn misshapen(place: &Place) -> Option<Value> {
    let choice: &[&str] = match place.primitive()? {
        "date" => &["2021-02-29", "2021-13-01", "2021-1-1", "0000", "21", "2021-01-01T00:00:00Z", "2021-01-01 ", "January"],
        "dateTime" => &["2021-02-29T00:00:00Z", "2021-01-01T00:00:00", "2021-01-01T24:00:00Z", "2021-01-01T00:00Z", "2021-01-01 00:00:00Z"],
        "instant" => &["2021-02-29T00:00:00Z", "2021-01-01", "2021-01-01T00:00:00", "2021-01-01T00:00:00+15:00"],
        "time" => &["25:00:00", "12:00", "12:00:00Z", "noon"],
        "id" => &["a b", "a_b", "ä", "a/b", "0123456789012345678901234567890123456789012345678901234567890123456789"],
        "code" => &[" a", "a ", "a  b", "a\tb\n"],
        "uri" | "url" | "canonical" => &["a b", "http://a b", "a\tb"],
        "oid" => &["1.2.3", "urn:oid:3.1", "urn:oid:1.02"],
        "uuid" => &["urn:uuid:1", "urn:uuid:C757873D-EC9A-4326-A141-556F43239520"],
        "base64Binary" => &["QUJ", "Q=", "QUJ!", "QQ==QQ=="],
        "xhtml" => &["<p/>", "text", "<div>x</div>"],
        "boolean" => &["true", "false", "1"],
        "integer" | "unsignedInt" | "positiveInt" | "decimal" => &["1", "1.5", "one"],
        _ => return None,
    };
    Some(json!(choice[place.text().len() % choice.len()]))
}

pub const KINDS: &[Kind] = &[
    Kind {
        name: "unknown property",
        level: Level::Structure,
        on: |p| p.primitive().is_none(),
        make: |root, p| {
            within(root, p, |object| {
                object.insert("zzz".to_owned(), json!(1));
                true
            })
        },
    },
    Kind {
        name: "property of a sibling type",
        level: Level::Structure,
        on: |p| p.is("HumanName") || p.is("ContactPoint") || p.is("Coding") || p.is("Identifier"),
        make: |root, p| {
            within(root, p, |object| {
                object.insert("resourceType".to_owned(), json!(p.ty.name()));
                true
            })
        },
    },
    Kind {
        name: "missing required element",
        level: Level::Structure,
        on: |p| p.field.is_some_and(|f| p.parent.get().elements[usize::from(f.element)].min > 0),
        make: |root, p| {
            let Some(name) = p.name() else { return false };
            p.around(root).is_some_and(|object| object.remove(name).is_some() && !object.contains_key(&format!("_{name}")))
        },
    },
    Kind {
        name: "too many repetitions",
        level: Level::Structure,
        on: |p| p.field.is_some() && p.items.is_none(),
        make: |root, p| p.value(root).is_some_and(|value| {
            *value = json!([value.clone(), value.clone()]);
            true
        }),
    },
    Kind {
        name: "array for a single value",
        level: Level::Structure,
        on: |p| p.field.is_some() && p.items.is_none(),
        make: |root, p| p.value(root).is_some_and(|value| {
            *value = json!([value.clone()]);
            true
        }),
    },
    Kind {
        name: "single value for an array",
        level: Level::Structure,
        on: |p| p.items == Some(1),
        make: |root, p| {
            let Some(value) = p.value(root).cloned() else { return false };
            at(root, &p.keys[..p.keys.len() - 1]).is_some_and(|array| {
                *array = value;
                true
            })
        },
    },
    Kind {
        name: "empty array",
        level: Level::Structure,
        on: |p| p.items.is_some(),
        make: |root, p| at(root, &p.keys[..p.keys.len() - 1]).is_some_and(|array| {
            *array = json!([]);
            true
        }),
    },
    Kind { name: "empty object", level: Level::Structure, on: is_object, make: |root, p| replace(root, p, json!({})) },
    Kind { name: "null", level: Level::Structure, on: |p| p.field.is_some(), make: |root, p| replace(root, p, Value::Null) },
    Kind { name: "object for a primitive", level: Level::Structure, on: |p| p.primitive().is_some(), make: |root, p| replace(root, p, json!({"id": "a"})) },
    Kind { name: "string for an object", level: Level::Structure, on: is_object, make: |root, p| replace(root, p, json!("a")) },
    Kind { name: "number for a text", level: Level::Structure, on: is_text, make: |root, p| replace(root, p, json!(1)) },
    Kind { name: "boolean for a number", level: Level::Structure, on: |p| p.primitive().is_some() && !is_text(p) && p.primitive() != Some("boolean"), make: |root, p| replace(root, p, json!(true)) },
    Kind { name: "empty text", level: Level::Structure, on: is_text, make: |root, p| replace(root, p, json!("")) },
    Kind {
        name: "wrong format",
        level: Level::Structure,
        on: |p| p.primitive().is_some(),
        make: |root, p| misshapen(p).is_some_and(|bad| replace(root, p, bad)),
    },
    Kind {
        name: "number out of range",
        level: Level::Structure,
        on: |p| matches!(p.primitive(), Some("integer" | "unsignedInt" | "positiveInt")),
        make: |root, p| {
            let bad = match (p.primitive(), p.text().len() % 3) {
                (Some("positiveInt"), 0) => json!(0),
                (Some("integer"), 0) => json!(-2147483649i64),
                (_, 0) => json!(-1),
                (_, 1) => json!(1.5),
                _ => json!(2147483648u64),
            };
            replace(root, p, bad)
        },
    },
    Kind {
        name: "code outside a required binding",
        level: Level::Structure,
        on: |p| p.primitive() == Some("code") && p.field.is_some_and(|f| f.required.is_some()),
        make: |root, p| replace(root, p, json!("no-such-code")),
    },
    Kind {
        name: "concept outside a required binding",
        level: Level::Structure,
        on: |p| (p.ty == CODEABLE_CONCEPT || p.ty == CODING) && p.field.is_some_and(|f| f.required.is_some()),
        make: |root, p| {
            let coding = json!({"system": "http://example.org/none", "code": "no-such-code"});
            replace(root, p, if p.ty == CODING { coding } else { json!({"coding": [coding]}) })
        },
    },
    Kind {
        name: "two types of a choice",
        level: Level::Structure,
        on: |p| p.field.is_some_and(|f| p.parent.get().elements[usize::from(f.element)].is_choice),
        make: |root, p| {
            let Some(field) = p.field else { return false };
            let fields = p.parent.get().fields;
            let Some(other) = fields.iter().find(|f| f.element == field.element && f.name != field.name) else { return false };
            let value = match other.ty.name() {
                "boolean" => json!(true),
                "integer" | "decimal" | "positiveInt" | "unsignedInt" => json!(1),
                "date" | "dateTime" => json!("2020"),
                "time" => json!("12:00:00"),
                "instant" => json!("2020-01-01T00:00:00Z"),
                "base64Binary" => json!("QUJD"),
                _ if other.ty.get().kind == Of::Primitive => json!("a"),
                _ => json!({"id": "a"}),
            };
            p.around(root).is_some_and(|object| object.insert(other.name.to_owned(), value).is_none())
        },
    },
    Kind {
        name: "reference to a wrong type",
        level: Level::Structure,
        on: |p| p.ty == REFERENCE && p.field.is_some_and(|f| !f.targets.is_empty()),
        make: |root, p| p.field.and_then(wrong_target).is_some_and(|wrong| replace(root, p, json!({"reference": format!("{}/1", wrong.name())}))),
    },
    Kind {
        name: "dangling contained reference",
        level: Level::Structure,
        on: |p| p.ty == REFERENCE,
        make: |root, p| replace(root, p, json!({"reference": "#no-such-id"})),
    },
    Kind {
        name: "null that stands for nothing",
        level: Level::Structure,
        on: |p| p.items.is_some() && p.primitive().is_some(),
        make: |root, p| at(root, &p.keys[..p.keys.len() - 1]).and_then(Value::as_array_mut).is_some_and(|array| {
            array.push(Value::Null);
            true
        }),
    },
    Kind {
        name: "_x of another length",
        level: Level::Structure,
        on: |p| p.items.is_some() && p.primitive().is_some(),
        make: |root, p| {
            let Some((name, items)) = p.name().zip(p.items) else { return false };
            let mut siblings = vec![Value::Null; items];
            siblings.push(json!({"id": "a"}));
            p.around(root).is_some_and(|object| object.insert(format!("_{name}"), json!(siblings)).is_none())
        },
    },
    Kind {
        name: "_x of what is no primitive",
        level: Level::Structure,
        on: |p| is_object(p) && p.items.is_none(),
        make: |root, p| {
            let Some(name) = p.name() else { return false };
            p.around(root).is_some_and(|object| object.insert(format!("_{name}"), json!({"id": "a"})).is_none())
        },
    },
    Kind {
        name: "_x without id or extension",
        level: Level::Structure,
        on: |p| p.items.is_none() && p.primitive().is_some_and(|name| name != "xhtml"),
        make: |root, p| {
            let Some(name) = p.name() else { return false };
            // the id of an element or resource has no extensions
            name != "id" && p.around(root).is_some_and(|object| object.insert(format!("_{name}"), json!({})).is_none())
        },
    },
    Kind {
        name: "extension without a value",
        level: Level::Structure,
        on: |p| p.ty == EXTENSION,
        make: |root, p| replace(root, p, json!({"url": "http://example.org/extension"})),
    },
    Kind {
        name: "extension with a value and extensions",
        level: Level::Structure,
        on: |p| p.ty == EXTENSION,
        make: |root, p| {
            replace(root, p, json!({"url": "http://example.org/extension", "valueBoolean": true, "extension": [{"url": "a", "valueBoolean": true}]}))
        },
    },
    Kind {
        name: "contained within contained",
        level: Level::Structure,
        on: |p| p.field.is_some_and(|f| f.name == "contained") && model::is_a(p.ty, model::DOMAIN_RESOURCE),
        make: |root, p| within(root, p, |object| {
            object.insert("contained".to_owned(), json!([{"resourceType": "Basic", "id": "inner", "code": {"text": "a"}}]));
            true
        }),
    },
    Kind {
        name: "resource without a type",
        level: Level::Structure,
        on: |p| p.ty.get().kind == Of::Resource,
        make: |root, p| within(root, p, |object| object.remove("resourceType").is_some()),
    },
    Kind {
        name: "resource of no known type",
        level: Level::Structure,
        on: |p| p.ty.get().kind == Of::Resource && matches!(p.keys.last(), None | Some(Key::Name(_) | Key::Item(_))),
        make: |root, p| within(root, p, |object| object.insert("resourceType".to_owned(), json!("Patent")).is_some()),
    },
];
