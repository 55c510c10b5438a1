//! Findings as Amazon HealthLake appends them, for those whose queries read that tree.
//!
//! The groups of conditions have the URLs that its documentation shows; those of medications and of all entities are not shown anywhere and
//! are named alike. `raw-response` is left out, as it repeats what is there. What a text negates or tells of others has no place in the
//! groups of codes, where nothing could say so: it stands in the group of all entities, with its traits. Where a resource has several
//! texts, each has its groups.

use std::borrow::Cow;

use super::{EnrichError, Reading, ask, group, text, value};
use crate::json::{self, Item};
use crate::nlp::entity::{Certainty, Conditionality, Subject};
use crate::nlp::points::Points;
use crate::nlp::{Category, Entity, Interrupted, Lexicon};
use crate::notes::finding::comprehend::{trait_names, type_name};
use crate::notes::finding::{Coding, ICD10CM, RXNORM, codings, integer, score, slice, string};

/// URL of the extension.
pub const URL: &str = "http://healthlake.amazonaws.com/aws-cm/";

/// Concepts of an entity.
const MAX_CONCEPTS: usize = 5;

/// The URLs of a group of entities.
struct Group {
    url: &'static str,
    version: &'static str,
    entity: &'static str,
    id: &'static str,
    text: &'static str,
    begin: &'static str,
    end: &'static str,
    score: &'static str,
    concepts: &'static str,
    concept: &'static str,
    code: &'static str,
    description: &'static str,
    concept_score: &'static str,
}

macro_rules! group {
    ($group:literal, $entity:literal) => {
        Group {
            url: concat!("http://healthlake.amazonaws.com/aws-cm/", $group, "/"),
            version: concat!("http://healthlake.amazonaws.com/aws-cm/", $group, "/model-version"),
            entity: concat!("http://healthlake.amazonaws.com/aws-cm/", $group, "/", $entity),
            id: concat!("http://healthlake.amazonaws.com/aws-cm/", $group, "/", $entity, "-id"),
            text: concat!("http://healthlake.amazonaws.com/aws-cm/", $group, "/", $entity, "-text"),
            begin: concat!("http://healthlake.amazonaws.com/aws-cm/", $group, "/", $entity, "-begin-offset"),
            end: concat!("http://healthlake.amazonaws.com/aws-cm/", $group, "/", $entity, "-end-offset"),
            score: concat!("http://healthlake.amazonaws.com/aws-cm/", $group, "/", $entity, "-score"),
            concepts: concat!("http://healthlake.amazonaws.com/aws-cm/", $group, "/", $entity, "-ConceptList"),
            concept: concat!("http://healthlake.amazonaws.com/aws-cm/", $group, "/", $entity, "-Concept"),
            code: concat!("http://healthlake.amazonaws.com/aws-cm/", $group, "/", $entity, "-Concept-Code"),
            description: concat!("http://healthlake.amazonaws.com/aws-cm/", $group, "/", $entity, "-Concept-Description"),
            concept_score: concat!("http://healthlake.amazonaws.com/aws-cm/", $group, "/", $entity, "-Concept-Score"),
        }
    };
}

const ICD10: Group = group!("infer-icd10", "aws-cm-icd10-entity");
const RX_NORM: Group = group!("infer-rxnorm", "aws-cm-rxnorm-entity");
const ENTITIES: Group = group!("detect-entities", "aws-cm-detectEntities-entity");
const CATEGORY: &str = "http://healthlake.amazonaws.com/aws-cm/detect-entities/aws-cm-detectEntities-entity-category";
const TYPE: &str = "http://healthlake.amazonaws.com/aws-cm/detect-entities/aws-cm-detectEntities-entity-type";
const TRAIT: &str = "http://healthlake.amazonaws.com/aws-cm/detect-entities/aws-cm-detectEntities-entity-trait";
const STATUS: &str = "http://healthlake.amazonaws.com/aws-cm/status/";
const MESSAGE: &str = "http://healthlake.amazonaws.com/aws-cm/message/";

/// The extension as a container.
pub fn tree(readings: &[Reading<'_>], lexicon: &Lexicon, interrupted: &dyn Fn() -> bool) -> Result<Vec<u8>, EnrichError> {
    Ok(json::write(&item(readings, lexicon, interrupted)?)?)
}

fn item<'a>(readings: &'a [Reading<'_>], lexicon: &'a Lexicon, interrupted: &dyn Fn() -> bool) -> Result<Item<'a>, Interrupted> {
    let mut parts = Vec::new();
    for reading in readings {
        let points = Points::new(&reading.text.text);
        let one = |group: &'static Group, (id, entity): (usize, &'a Entity)| {
            let mut one = vec![value(group.id, "valueInteger", integer(id as i64))];
            one.extend(text(group.text, Cow::Borrowed(slice(&reading.text.text, entity.begin, entity.end))));
            one.extend([
                value(group.begin, "valueInteger", integer(points.before(entity.begin).into())),
                value(group.end, "valueInteger", integer(points.before(entity.end).into())),
                value(group.score, "valueDecimal", score(entity.score)),
            ]);
            one
        };
        for (names, category, system) in [(&ICD10, Category::MedicalCondition, ICD10CM), (&RX_NORM, Category::Medication, RXNORM)] {
            let mut found = vec![value(names.version, "valueString", string(lexicon.version()))];
            let stated = reading.found.iter().filter(|e| e.category == category && is_stated(e));
            let coded = stated.filter_map(|e| {
                let codes: Vec<Coding> = codings(e, lexicon).into_iter().filter(|c| c.system == system).take(MAX_CONCEPTS).collect();
                (!codes.is_empty()).then_some((e, codes))
            });
            for (id, (entity, codes)) in coded.enumerate() {
                ask(id, interrupted)?;
                let mut one = one(names, (id, entity));
                one.push(group(names.concepts, codes.iter().map(|coding| concept(names, coding)).collect()));
                found.push(group(names.entity, one));
            }
            if found.len() > 1 {
                parts.push(group(names.url, found));
            }
        }
        let mut found = vec![value(ENTITIES.version, "valueString", string(lexicon.version()))];
        for (id, entity) in reading.found.iter().enumerate() {
            ask(id, interrupted)?;
            let mut one = one(&ENTITIES, (id, entity));
            one.push(value(CATEGORY, "valueString", string(entity.category.name())));
            one.push(value(TYPE, "valueString", string(type_name(entity.kind))));
            one.extend(trait_names(entity).into_iter().map(|name| value(TRAIT, "valueString", string(name))));
            found.push(group(ENTITIES.entity, one));
        }
        if found.len() > 1 {
            parts.push(group(ENTITIES.url, found));
        }
    }
    parts.push(value(STATUS, "valueString", string("SUCCESS")));
    let problem = readings.iter().find_map(|reading| reading.text.problem).map_or("The texts of the resource were read", |problem| problem.message());
    parts.push(value(MESSAGE, "valueString", string(problem)));
    Ok(group(URL, parts))
}

/// Whether a text says it of its patient.
fn is_stated(entity: &Entity) -> bool {
    let assertion = entity.assertion;
    !matches!(assertion.certainty, Certainty::Negative | Certainty::Unlikely)
        && assertion.subject == Subject::Patient
        && assertion.conditionality != Conditionality::Hypothetical
}

fn concept(names: &Group, coding: &Coding) -> Item<'static> {
    let mut parts = vec![value(names.code, "valueString", string(coding.code))];
    parts.extend(text(names.description, Cow::Borrowed(coding.display)));
    parts.push(value(names.concept_score, "valueDecimal", score(coding.score)));
    group(names.concept, parts)
}
