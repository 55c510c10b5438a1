//! Codes that only a terminology can judge.

use super::{Kind, Level, replace};
use crate::places::Place;
use serde_json::{Value, json};

fn is(place: &Place, paths: &[&str]) -> bool {
    paths.contains(&place.path().as_str())
}

pub const KINDS: &[Kind] = &[
    Kind {
        name: "a currency that is none",
        level: Level::Bindings,
        on: |p| is(p, &["Money.currency"]),
        make: |root, p| replace(root, p, json!("ZZQ")),
    },
    Kind {
        name: "a language that is none",
        level: Level::Bindings,
        on: |p| p.primitive() == Some("code") && p.name() == Some("language") && !p.parent.name().starts_with("Expression"),
        make: |root, p| replace(root, p, json!("no_such_language")),
    },
    Kind {
        name: "a content type that is none",
        level: Level::Bindings,
        on: |p| is(p, &["Attachment.contentType", "Binary.contentType", "Signature.targetFormat", "Signature.sigFormat"]),
        make: |root, p| replace(root, p, json!("nothing")),
    },
    Kind {
        name: "an age in metres",
        level: Level::Bindings,
        on: |p| p.is("Age") || p.is("Duration"),
        make: |root, p| p.value(root).and_then(Value::as_object_mut).is_some_and(|o| {
            o.contains_key("code") && {
                o.insert("code".to_owned(), json!("m"));
                o.insert("unit".to_owned(), json!("metre"));
                true
            }
        }),
    },
];
