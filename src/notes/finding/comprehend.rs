//! Findings in the shapes of Amazon Comprehend Medical's answers, for those who migrate: `DetectEntitiesV2`, `DetectPHI`,
//! `InferICD10CM`, `InferRxNorm`, `InferSNOMEDCT`.

use super::{Coding, ICD10CM, RXNORM, SNOMED, codings, integer, member, score, slice, string};
use crate::json::Item;
use crate::nlp::entity::{Attribute, AttributeKind, Certainty, Conditionality, Kind, Subject, Temporality};
use crate::nlp::points::Points;
use crate::nlp::{Category, Entity, Lexicon};

/// Which of the service's calls is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    DetectEntities,
    DetectPhi,
    InferIcd10Cm,
    InferRxNorm,
    InferSnomedCt,
}

impl Action {
    pub fn from_name(name: &str) -> Option<Action> {
        Some(match name {
            "entities" => Action::DetectEntities,
            "phi" => Action::DetectPhi,
            "icd10cm" => Action::InferIcd10Cm,
            "rxnorm" => Action::InferRxNorm,
            "snomedct" => Action::InferSnomedCt,
            _ => return None,
        })
    }

    fn takes(self, category: Category) -> bool {
        match self {
            Action::DetectEntities => true,
            Action::DetectPhi => category == Category::ProtectedHealthInformation,
            Action::InferIcd10Cm => category == Category::MedicalCondition,
            Action::InferRxNorm => category == Category::Medication,
            Action::InferSnomedCt => {
                matches!(category, Category::MedicalCondition | Category::TestTreatmentProcedure | Category::Anatomy)
            }
        }
    }

    /// The member that has the concepts, and their system.
    fn concepts(self) -> Option<(&'static str, &'static str)> {
        Some(match self {
            Action::InferIcd10Cm => ("ICD10CMConcepts", ICD10CM),
            Action::InferRxNorm => ("RxNormConcepts", RXNORM),
            Action::InferSnomedCt => ("SNOMEDCTConcepts", SNOMED),
            _ => return None,
        })
    }
}

/// `{"Entities": […], "ModelVersion": …}`: the service's answer to an action.
pub fn answer<'a>(action: Action, text: &'a str, entities: &'a [Entity], lexicon: &'a Lexicon) -> Item<'a> {
    let points = Points::new(text);
    let found = entities.iter().filter(|e| action.takes(e.category)).enumerate();
    let mut members = vec![
        member("Entities", Item::Array(found.map(|(id, entity)| one(action, id, entity, text, &points, lexicon)).collect())),
        member("ModelVersion", string(lexicon.version())),
    ];
    if action == Action::DetectEntities {
        members.insert(1, member("UnmappedAttributes", Item::Array(Vec::new())));
    }
    Item::Object(members)
}

fn one<'a>(action: Action, id: usize, entity: &'a Entity, text: &'a str, points: &Points<'_>, lexicon: &Lexicon) -> Item<'a> {
    let mut members = vec![member("Id", integer(id as i64))];
    place(&mut members, entity.begin, entity.end, text, points);
    members.extend([
        member("Score", score(entity.score)),
        member("Category", string(entity.category.name())),
        member("Type", string(type_name(entity.kind))),
        member("Traits", traits(entity)),
        member("Attributes", Item::Array(entity.attributes.iter().enumerate().map(|(n, a)| attribute(n, a, entity, text, points)).collect())),
    ]);
    if let Some((name, system)) = action.concepts() {
        let concepts = codings(entity, lexicon).into_iter().filter(|c| c.system == system).take(5);
        members.push(member(name, Item::Array(concepts.map(concept).collect())));
    }
    Item::Object(members)
}

fn place<'a>(members: &mut Vec<(std::borrow::Cow<'a, str>, Item<'a>)>, begin: usize, end: usize, text: &'a str, points: &Points<'_>) {
    members.extend([
        member("BeginOffset", integer(points.before(begin).into())),
        member("EndOffset", integer(points.before(end).into())),
        member("Text", string(slice(text, begin, end))),
    ]);
}

fn concept(coding: Coding) -> Item<'static> {
    Item::Object(vec![member("Code", string(coding.code)), member("Description", string(coding.display)), member("Score", score(coding.score))])
}

/// The service tells signs, symptoms and diagnoses by traits, and has other names for what it does not tell apart.
pub fn type_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Diagnosis | Kind::Sign | Kind::Symptom => "DX_NAME",
        Kind::Substance => "GENERIC_NAME",
        Kind::PhiDate => "DATE",
        other => other.name(),
    }
}

/// The traits of an entity.
pub fn trait_names(entity: &Entity) -> Vec<&'static str> {
    let mut names = Vec::new();
    match entity.kind {
        Kind::Diagnosis => names.push("DIAGNOSIS"),
        Kind::Sign => names.push("SIGN"),
        Kind::Symptom => names.push("SYMPTOM"),
        _ => {}
    }
    let assertion = entity.assertion;
    match assertion.certainty {
        Certainty::Negative => names.push("NEGATION"),
        Certainty::Positive => {}
        Certainty::Probable | Certainty::Possible | Certainty::Unlikely => names.push("LOW_CONFIDENCE"),
    }
    match assertion.temporality {
        Temporality::Past => names.push("PAST_HISTORY"),
        Temporality::Future => names.push("FUTURE"),
        Temporality::Current => {}
    }
    if assertion.subject == Subject::Family {
        names.push("PERTAINS_TO_FAMILY");
    }
    if assertion.conditionality != Conditionality::Unconditional {
        names.push("HYPOTHETICAL");
    }
    names
}

fn traits(entity: &Entity) -> Item<'static> {
    let score_of = entity.score;
    Item::Array(trait_names(entity).into_iter().map(|name| Item::Object(vec![member("Name", string(name)), member("Score", score(score_of))])).collect())
}

fn attribute<'a>(id: usize, attribute: &Attribute, entity: &Entity, text: &'a str, points: &Points<'_>) -> Item<'a> {
    let (name, relation) = match attribute.kind {
        AttributeKind::BodySite => ("SYSTEM_ORGAN_SITE", "SYSTEM_ORGAN_SITE"),
        AttributeKind::Severity => ("QUALITY", "QUALITY"),
        AttributeKind::Time => (
            match entity.category {
                Category::Medication => "TIME_TO_MEDICATION_NAME",
                Category::TestTreatmentProcedure => match entity.kind {
                    Kind::TestName => "TIME_TO_TEST_NAME",
                    Kind::TreatmentName => "TIME_TO_TREATMENT_NAME",
                    _ => "TIME_TO_PROCEDURE_NAME",
                },
                _ => "TIME_TO_DX_NAME",
            },
            "OVERLAP",
        ),
        AttributeKind::TestValue => ("TEST_VALUE", "TEST_VALUE"),
        AttributeKind::TestUnit => ("TEST_UNIT", "TEST_UNIT"),
        AttributeKind::Interpretation | AttributeKind::ReferenceRange | AttributeKind::Reason => ("QUALITY", "QUALITY"),
        kind => (kind.name(), kind.name()),
    };
    let mut members = vec![
        member("Type", string(name)),
        member("Score", score(attribute.score)),
        member("RelationshipScore", score(attribute.relation_score)),
        member("RelationshipType", string(relation)),
        member("Id", integer(id as i64)),
    ];
    place(&mut members, attribute.begin, attribute.end, text, points);
    members.push(member("Category", string(if attribute.kind == AttributeKind::Time { Category::TimeExpression } else { entity.category }.name())));
    members.push(member("Traits", Item::Array(Vec::new())));
    Item::Object(members)
}
