//! Findings as others see them: offsets in code points, codings with those of mapped systems, JSON.

pub mod comprehend;
pub mod highlight;
#[cfg(feature = "pg")]
pub mod sql;

use std::borrow::Cow;

use crate::json::{Item, JsonError, compose_array, compose_fraction, compose_name, compose_object, compose_string, compose_whole, number};
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
    // what was looked at once changes nothing the second time
    let mut seen: Vec<u32> = Vec::with_capacity(2 * MAX_CODINGS);
    let mut add = |concept: u32, score: f32| {
        if seen.contains(&concept) || codings.len() >= MAX_CODINGS {
            return;
        }
        seen.push(concept);
        let concept = lexicon.image.concept(concept);
        let known = codings.iter().any(|c| c.system == concept.system && c.code == concept.code);
        let same = codings.iter().filter(|c| c.system == concept.system).count();
        if !concept.code.is_empty() && !known && same < MAX_OF_SYSTEM {
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
    match u32::try_from(value) {
        Ok(value) => Item::Number(Cow::Owned(number::whole(value).bytes().to_vec())),
        Err(_) => number_of(&value.to_string()),
    }
}

/// A score, with four digits behind the point.
pub fn score(value: f32) -> Item<'static> {
    Item::Number(Cow::Owned(number::fraction(ten_thousandths(value)).bytes().to_vec()))
}

/// A score in ten-thousandths; of two that are as near the even one. The product is exact.
pub fn ten_thousandths(score: f32) -> u16 {
    (f64::from(score.clamp(0.0, 1.0)) * 10_000.0).round_ties_even() as u16
}

pub fn string(text: &str) -> Item<'_> {
    Item::String(Cow::Borrowed(text))
}

/// A member of an object.
pub fn member<'a>(name: &'static str, value: Item<'a>) -> (Cow<'a, str>, Item<'a>) {
    (Cow::Borrowed(name), value)
}

/// `[{"type", "text", "begin", "end", "value", "score", "relation_score"}]` as a container.
pub fn attributes(attributes: &[Attribute], text: &str, points: &Points<'_>, out: &mut Vec<u8>) -> Result<(), JsonError> {
    compose_array(attributes.len(), out, |place, out| {
        let Some(a) = attributes.get(place) else { return compose_whole(0, out) };
        let member = |place: usize, out: &mut Vec<u8>| match place {
            0 => compose_whole(points.before(a.end), out),
            1 => compose_string(slice(text, a.begin, a.end), out),
            2 => compose_name(a.kind.name(), out),
            3 => compose_whole(points.before(a.begin), out),
            4 => compose_fraction(ten_thousandths(a.score), out),
            5 => compose_string(a.value.as_deref().unwrap_or_default(), out),
            _ => compose_fraction(ten_thousandths(a.relation_score), out),
        };
        if a.value.is_some() {
            compose_object(["end", "text", "type", "begin", "score", "value", "relation_score"], out, member)
        } else {
            compose_object(["end", "text", "type", "begin", "score", "relation_score"], out, |place, out| member(place + usize::from(place == 5), out))
        }
    })?;
    Ok(())
}

/// `[{"system", "code", "display", "score"}]` as a container.
pub fn concepts(codings: &[Coding], out: &mut Vec<u8>) -> Result<(), JsonError> {
    compose_array(codings.len(), out, |place, out| {
        let Some(c) = codings.get(place) else { return compose_whole(0, out) };
        let member = |place: usize, out: &mut Vec<u8>| match place {
            0 => compose_string(c.code, out),
            1 => compose_fraction(ten_thousandths(c.score), out),
            2 => compose_string(c.system, out),
            _ => compose_string(c.display, out),
        };
        if c.display.is_empty() {
            compose_object(["code", "score", "system"], out, member)
        } else {
            compose_object(["code", "score", "system", "display"], out, member)
        }
    })?;
    Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_are_rounded_as_they_are_printed() {
        let halves = (0..=1 << 16).map(|n| n as f32 / 65_536.0);
        for score in halves.chain((0..100_000).map(|n| n as f32 / 100_000.0)).chain([-1.0, 2.0, f32::MIN_POSITIVE]) {
            let printed = format!("{:.4}", score.clamp(0.0, 1.0)).replace('.', "");
            assert_eq!(u32::from(ten_thousandths(score)), printed.parse::<u32>().unwrap(), "{score}");
        }
    }
}
