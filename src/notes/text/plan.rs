//! Which elements carry text, from the definitions.

use std::sync::LazyLock;

use chrono::NaiveDate;

use crate::json::{Node, Object};
use crate::model::{self, BASE64_BINARY, CODE, EXTENSION, Kind, MARKDOWN, PERIOD, RESOURCE, TYPES, TypeId, XHTML};

/// A property on the way to texts.
#[derive(Debug)]
pub struct Step {
    /// as JSON names it
    pub property: &'static str,
    /// as FHIRPath names it
    pub element: &'static str,
    pub action: Action,
    pub content_type: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Action {
    /// goes on in the elements of a type
    Into(TypeId),
    /// goes on in a resource of any type
    Resource,
    /// a string or markdown
    Text,
    Xhtml,
    /// base64 of what the property `contentType` beside it says
    Data,
}

static PLANS: LazyLock<Vec<Vec<Step>>> = LazyLock::new(plans);

/// Strings that are read, one a line: `Type.property` and why.
const STRINGS: &str = include_str!("../../../fhir-schemas/texts.tsv");

/// The properties of a type that carry texts, or lead to some, in the order of the definition.
pub fn of(ty: TypeId) -> &'static [Step] {
    PLANS.get(usize::from(ty.0)).map_or(&[], Vec::as_slice)
}

fn strings() -> impl Iterator<Item = &'static str> {
    STRINGS.lines().skip(1).filter_map(|line| line.split('\t').next())
}

fn plans() -> Vec<Vec<Step>> {
    let strings: Vec<(&str, &str)> = strings().filter_map(|path| path.rsplit_once('.')).collect();
    let mut plans: Vec<Vec<(u16, Step)>> = TYPES.iter().map(|_| Vec::new()).collect();
    let mut carries = vec![false; TYPES.len()];
    for (number, ty) in TYPES.iter().enumerate() {
        let id = TypeId(number as u16);
        let is_typed = ty.field("contentType").is_some_and(|f| f.ty == CODE);
        for field in ty.fields {
            let content_type = if field.ty == MARKDOWN { "text/markdown" } else if field.ty == XHTML { "application/xhtml+xml" } else { "text/plain" };
            let action = if field.ty == XHTML {
                Action::Xhtml
            } else if field.ty == BASE64_BINARY && is_typed && field.name == "data" {
                Action::Data
            } else if strings.contains(&(ty.name, field.name)) {
                Action::Text
            } else if field.ty == RESOURCE {
                Action::Resource
            } else if field.ty != EXTENSION && field.ty.get().kind != Kind::Primitive {
                Action::Into(field.ty)
            } else {
                continue;
            };
            if id != EXTENSION {
                let element = ty.elements.get(usize::from(field.element)).map_or(field.name, |e| e.name);
                carries[number] |= !matches!(action, Action::Into(_));
                plans[number].push((field.element, Step { property: field.name, element, action, content_type }));
            }
        }
    }
    // what leads to a type that carries texts carries them
    loop {
        let mut is_same = true;
        for number in 0..plans.len() {
            let leads = plans[number].iter().any(|(_, step)| matches!(step.action, Action::Into(ty) if carries[usize::from(ty.0)]));
            if leads && !carries[number] {
                carries[number] = true;
                is_same = false;
            }
        }
        if is_same {
            break;
        }
    }
    plans
        .into_iter()
        .map(|mut steps| {
            steps.retain(|(_, step)| !matches!(step.action, Action::Into(ty) if !carries[usize::from(ty.0)]));
            steps.sort_by_key(|(element, _)| *element);
            steps.into_iter().map(|(_, step)| step).collect()
        })
        .collect()
}

/// The title of a section of a document, the question of an answer.
pub fn title<'a>(object: Object<'a>, ty: TypeId) -> Option<&'a str> {
    let name = match ty.get().name {
        "Composition.section" => "title",
        "QuestionnaireResponse.item" => "text",
        _ => return None,
    };
    object.get(name)?.as_str()
}

/// The section that a resource of a type is by itself: its conditions are a relative's, its drugs are not taken.
pub fn title_of(ty: TypeId) -> Option<&'static str> {
    match ty.get().name {
        "FamilyMemberHistory" => Some("Family history"),
        "AllergyIntolerance" => Some("Allergies"),
        _ => None,
    }
}

/// When an attachment or annotation was written, by what stands beside its text.
pub fn written(object: Object<'_>) -> Option<NaiveDate> {
    ["creation", "time"].into_iter().find_map(|name| day(object.get(name)?.as_str()?))
}

/// When what a resource tells was written down: of the elements that give its clinical time the first that is a point in time, or else the
/// begin of the first period.
pub fn date(resource: Object<'_>, ty: TypeId) -> Option<NaiveDate> {
    let paths = model::occurred_paths(ty);
    let find = |period: bool| paths.iter().find_map(|path| at(resource, ty, path, period));
    find(false).or_else(|| find(true))
}

fn at(object: Object<'_>, ty: TypeId, path: &str, period: bool) -> Option<NaiveDate> {
    let (name, rest) = path.split_once('.').map_or((path, None), |(name, rest)| (name, Some(rest)));
    ty.get().fields.iter().filter(|f| ty.get().elements.get(usize::from(f.element)).is_some_and(|e| e.name == name)).find_map(|field| {
        let value = object.get(field.name)?.items().next()?;
        match (rest, value) {
            (Some(rest), Node::Object(inner)) => at(inner, field.ty, rest, period),
            (None, Node::Object(inner)) if period && field.ty == PERIOD => day(inner.get("start").or_else(|| inner.get("end"))?.as_str()?),
            (None, Node::String(text)) if !period => day(text),
            _ => None,
        }
    })
}

/// The day of a date or time, as the place where it was written has it.
fn day(text: &str) -> Option<NaiveDate> {
    NaiveDate::parse_from_str(text.get(..10)?, "%Y-%m-%d").ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_of_the_file_names_a_string() {
        for path in strings() {
            let (ty, property) = path.rsplit_once('.').expect("a path");
            let field = model::type_named(ty).and_then(|ty| ty.get().field(property)).unwrap_or_else(|| panic!("no {path}"));
            assert!(field.ty == model::STRING || field.ty == MARKDOWN, "{path}");
        }
        let mut sorted: Vec<&str> = strings().skip(1).collect();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(sorted, strings().skip(1).collect::<Vec<_>>());
    }

    #[test]
    fn types_without_text_have_no_plan() {
        let of = |name| super::of(model::type_named(name).expect("a type"));
        assert!(of("Coding").is_empty());
        assert!(of("Extension").is_empty());
        assert!(of("Meta").is_empty());
        assert!(of("Binary").iter().any(|s| s.action == Action::Data));
        assert!(of("Signature").is_empty());
        assert!(of("Bundle").iter().any(|s| s.property == "entry"));
        assert_eq!(of("DocumentReference").iter().map(|s| s.property).collect::<Vec<_>>(), ["text", "contained", "description", "content"]);
    }
}
