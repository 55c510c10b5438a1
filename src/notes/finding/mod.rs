//! Findings as others see them: offsets in code points, codings with those of mapped systems, JSON.

pub mod comprehend;
pub mod highlight;
#[cfg(feature = "pg")]
pub mod sql;

use std::borrow::Cow;

use crate::json::{Item, number};
use crate::nlp::entity::Attribute;
use crate::nlp::points::Points;
use crate::nlp::{Category, Entity, Lexicon};

/// The system of ICD-10-CM in FHIR.
pub const ICD10CM: &str = "http://hl7.org/fhir/sid/icd-10-cm";
/// The system of RxNorm in FHIR.
pub const RXNORM: &str = "http://www.nlm.nih.gov/research/umls/rxnorm";
/// The system of SNOMED CT in FHIR.
pub const SNOMED: &str = "http://snomed.info/sct";

/// Codings that a finding names at most.
const MAX_CODINGS: usize = 12;
/// Codings of one system.
const MAX_OF_SYSTEM: usize = 5;

/// One of the codings of a finding.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Coding {
    pub system: &'static str,
    pub code: &'static str,
    pub display: &'static str,
    pub score: f32,
}

/// The codings of an entity, best first, with what they are mapped to behind the last of their kind; none without a code.
pub fn codings(entity: &Entity, lexicon: &Lexicon) -> Vec<Coding> {
    let mut codings: Vec<Coding> = Vec::new();
    let mut add = |concept: u32, score: f32| {
        let concept = lexicon.image.concept(concept);
        let known = codings.iter().any(|c| c.system == concept.system && c.code == concept.code);
        let same = codings.iter().filter(|c| c.system == concept.system).count();
        if !concept.code.is_empty() && !known && same < MAX_OF_SYSTEM && codings.len() < MAX_CODINGS {
            codings.push(Coding { system: concept.system, code: concept.code, display: concept.display, score });
        }
    };
    for found in &entity.concepts {
        add(found.concept, found.score);
    }
    for found in &entity.concepts {
        for target in lexicon.image.mapped(found.concept) {
            add(target, found.score * MAPPED);
        }
    }
    codings.sort_by(|a, b| b.score.total_cmp(&a.score));
    codings
}

/// What a mapping leaves of the score of a concept.
const MAPPED: f32 = 0.95;

/// The text that an entity or attribute stands for.
pub fn slice(text: &str, begin: usize, end: usize) -> &str {
    text.get(begin..end).unwrap_or("")
}

fn number_of(text: &str) -> Item<'static> {
    number::encode(text).and_then(Result::ok).map_or(Item::Null, |datum| Item::Number(Cow::Owned(datum)))
}

/// A number of JSON.
pub fn integer(value: i64) -> Item<'static> {
    number_of(&value.to_string())
}

/// A score, with four digits behind the point.
pub fn score(value: f32) -> Item<'static> {
    let text = format!("{:.4}", value.clamp(0.0, 1.0));
    number_of(text.trim_end_matches('0').trim_end_matches('.'))
}

pub fn string(text: &str) -> Item<'_> {
    Item::String(Cow::Borrowed(text))
}

/// A member of an object.
pub fn member<'a>(name: &'static str, value: Item<'a>) -> (Cow<'a, str>, Item<'a>) {
    (Cow::Borrowed(name), value)
}

/// `[{"type", "text", "begin", "end", "value", "score", "relation_score"}]`
pub fn attributes<'a>(attributes: &'a [Attribute], text: &'a str, points: &Points<'_>) -> Item<'a> {
    Item::Array(
        attributes
            .iter()
            .map(|a| {
                let mut object = vec![
                    member("type", string(a.kind.name())),
                    member("text", string(slice(text, a.begin, a.end))),
                    member("begin", integer(points.before(a.begin).into())),
                    member("end", integer(points.before(a.end).into())),
                    member("score", score(a.score)),
                    member("relation_score", score(a.relation_score)),
                ];
                if let Some(value) = &a.value {
                    object.push(member("value", string(value)));
                }
                Item::Object(object)
            })
            .collect(),
    )
}

/// `[{"system", "code", "display", "score"}]`
pub fn concepts(codings: &[Coding]) -> Item<'static> {
    Item::Array(
        codings
            .iter()
            .map(|c| {
                let mut object = vec![member("system", string(c.system)), member("code", string(c.code)), member("score", score(c.score))];
                if !c.display.is_empty() {
                    object.push(member("display", string(c.display)));
                }
                Item::Object(object)
            })
            .collect(),
    )
}

/// Which findings are wanted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Wanted {
    /// all if empty
    pub categories: Vec<Category>,
    pub min_score: f32,
}

impl Wanted {
    pub fn takes(&self, entity: &Entity) -> bool {
        entity.score >= self.min_score && (self.categories.is_empty() || self.categories.contains(&entity.category))
    }
}
