//! The list `context` (`fhir-schemas/lexicon/context.tsv`, whose head tells the form of its rows) → rules.

use crate::nlp::entity::{Category, Certainty, Conditionality, Subject, Temporality};
use crate::nlp::phrases::{Builder, Phrases, Word};

/// What is asserted, each by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Dimension {
    Certainty = 0,
    Temporality = 1,
    Subject = 2,
    Condition = 3,
    Allergy = 4,
}

pub const DIMENSIONS: usize = 5;
pub const ALL: u8 = (1 << DIMENSIONS) - 1;

impl Dimension {
    pub fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// What a phrase does to what stands in its scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    Certainty(Certainty),
    Temporality(Temporality),
    Subject(Subject),
    Condition(Conditionality),
    /// it is not tolerated
    Allergy,
    /// a relative: family, if something is said of them
    Kin,
    /// a relative before it only tells of the patient: "mother reports"
    Telling,
    /// ends scopes of these dimensions
    End(u8),
    /// keeps shorter phrases from being read
    Nothing,
}

impl Effect {
    pub fn dimension(self) -> Option<Dimension> {
        Some(match self {
            Effect::Certainty(_) => Dimension::Certainty,
            Effect::Temporality(_) => Dimension::Temporality,
            Effect::Subject(_) | Effect::Kin => Dimension::Subject,
            Effect::Condition(_) => Dimension::Condition,
            Effect::Allergy => Dimension::Allergy,
            Effect::End(_) | Effect::Telling | Effect::Nothing => return None,
        })
    }

    fn from_name(name: &str) -> Option<Effect> {
        if let Some(value) = Certainty::from_name(name) {
            return Some(Effect::Certainty(value));
        }
        if let Some(value) = Temporality::from_name(name) {
            return Some(Effect::Temporality(value));
        }
        if let Some(value) = Subject::from_name(name) {
            return Some(Effect::Subject(value));
        }
        if let Some(value) = Conditionality::from_name(name) {
            return Some(Effect::Condition(value));
        }
        Some(match name {
            "allergy" => Effect::Allergy,
            "kin" => Effect::Kin,
            "telling" => Effect::Telling,
            "end" => Effect::End(ALL),
            "end-certainty" => Effect::End(Dimension::Certainty.bit()),
            "end-temporality" => Effect::End(Dimension::Temporality.bit()),
            "end-subject" => Effect::End(Dimension::Subject.bit()),
            "end-condition" => Effect::End(Dimension::Condition.bit()),
            "end-allergy" => Effect::End(Dimension::Allergy.bit()),
            "nothing" => Effect::Nothing,
            _ => return None,
        })
    }
}

/// How far a rule reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// to the end of the sentence
    Sentence,
    /// to the next comma, or over a list that an "or" ends
    Clause,
    /// to the next comma, or further from the begin of a sentence: "In 2010, …"
    Opening,
    Tokens(u8),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    pub effect: Effect,
    pub forward: bool,
    pub backward: bool,
    /// it is the value of a label: "fever: no"
    pub value: bool,
    pub reach: Reach,
    /// what it is said of: bits of [`target`]
    pub to: u8,
    /// its phrase has a year, which must be before that of the note
    pub year: bool,
}

/// The bit of a category in [`Rule::to`]; 0 if nothing is asserted of it.
pub fn target(category: Category) -> u8 {
    match category {
        Category::MedicalCondition => 1,
        Category::Medication => 2,
        Category::TestTreatmentProcedure => 4,
        Category::BehavioralEnvironmentalSocial => 8,
        Category::Anatomy | Category::TimeExpression | Category::ProtectedHealthInformation => 0,
    }
}

/// The triggers of a lexicon.
#[derive(Debug, Default)]
pub struct Rules {
    pub(crate) phrases: Phrases,
    rules: Vec<Rule>,
    /// verbs behind which a phrase reaches back to the subject, and conjunctions and articles
    pub(super) verbs: Vec<Word>,
    pub(super) joints: Vec<Word>,
}

const VERBS: [&str; 12] = ["is", "are", "was", "were", "has", "have", "had", "been", "be", "being", "remains", "remained"];
const JOINTS: [&str; 7] = ["or", "and", "nor", "a", "the", ",", "/"];

impl Rules {
    /// Reads the list `context`. A row that cannot be read is left out.
    pub fn new(list: &'static str) -> Rules {
        let mut builder = Builder::default();
        let mut rules: Vec<Rule> = Vec::new();
        // rows of one rule usually follow each other
        let mut last = ("", false, 0);
        for line in list.lines() {
            let Some((phrase, fields)) = line.split_once('\t') else { continue };
            let year = phrase.contains("####");
            if (fields, year) == (last.0, last.1) {
                builder.add(phrase, last.2);
                continue;
            }
            let mut parts = fields.split('\t').map(str::trim);
            let effect = parts.next().unwrap_or("");
            if effect == "filler" {
                builder.filler(phrase);
                continue;
            }
            let Some(mut rule) = rule(effect, [parts.next(), parts.next(), parts.next()]) else { continue };
            rule.year = year;
            let number = rules.iter().position(|known| *known == rule).unwrap_or_else(|| {
                rules.push(rule);
                rules.len() - 1
            });
            last = (fields, year, number as u32);
            builder.add(phrase, last.2);
        }
        let mut words = |words: &[&str]| words.iter().filter_map(|word| builder.known(word)).collect();
        let (verbs, joints) = (words(&VERBS), words(&JOINTS));
        Rules { phrases: builder.finish(), rules, verbs, joints }
    }

    /// The dimensions in which some rules do anything.
    pub fn dimensions(&self, numbers: &[u32]) -> u8 {
        numbers.iter().filter_map(|&n| self.get(n)).fold(0, |all, rule| {
            all | match rule.effect {
                Effect::End(dimensions) => dimensions,
                effect => effect.dimension().map_or(0, Dimension::bit),
            }
        })
    }

    pub fn get(&self, number: u32) -> Option<&Rule> {
        self.rules.get(number as usize)
    }
}

fn rule(effect: &str, [direction, reach, to]: [Option<&str>; 3]) -> Option<Rule> {
    let effect = Effect::from_name(effect)?;
    let direction = direction.unwrap_or("");
    let (forward, backward, value) = match direction {
        "forward" => (true, false, false),
        "backward" => (false, true, false),
        "both" => (true, true, false),
        "value" => (false, false, true),
        // what has no scope
        "" | "-" if effect.dimension().is_none() => (true, true, false),
        _ => return None,
    };
    let reach = match reach.unwrap_or("") {
        "" | "-" => Reach::Sentence,
        "clause" => Reach::Clause,
        "opening" => Reach::Opening,
        number => Reach::Tokens(number.parse().ok()?),
    };
    let mut mask = 0;
    for letter in to.unwrap_or("").chars() {
        mask |= match letter {
            'c' => 1,
            'm' => 2,
            't' => 4,
            's' => 8,
            _ => return None,
        };
    }
    Some(Rule { effect, forward, backward, value, reach, to: if mask == 0 { 15 } else { mask }, year: false })
}
