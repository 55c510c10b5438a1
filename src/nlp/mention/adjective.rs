//! Conditions that a text about research writes as adjectives: "acromegalic patients", "hemolytic effect".

use super::super::entity::Category;
use super::super::token::{Class, Token, UNKNOWN};
use super::Finder;
use super::meaning::{Meaning, meaning};

/// Ends of adjectives, and of the nouns that they are made of.
const ENDS: &[(&str, &str)] = &[
    ("emic", "emia"),
    ("aemic", "emia"),
    ("oxic", "oxia"),
    ("toxic", "toxicity"),
    ("otic", "osis"),
    ("lytic", "lysis"),
    ("static", "stasis"),
    ("trophic", "trophy"),
    ("pathic", "pathy"),
    ("plegic", "plegia"),
    ("phrenic", "phrenia"),
    ("leptic", "lepsy"),
    ("leptic", "lepsis"),
    ("otophobic", "otophobia"),
    ("megalic", "megaly"),
    ("cephalic", "cephaly"),
    ("tensive", "tension"),
    ("kinetic", "kinesia"),
    ("kinetic", "kinesis"),
    ("tonic", "tonia"),
    ("active", "activity"),
    ("ergic", "ergy"),
    ("matic", "ma"),
    ("matous", "ma"),
    ("nesic", "nesia"),
    ("nestic", "nesia"),
    ("axic", "axia"),
    ("lexic", "lexia"),
    ("phasic", "phasia"),
    ("thymic", "thymia"),
    ("cardic", "cardia"),
    ("thermic", "thermia"),
    ("uric", "uria"),
    ("pressive", "pression"),
    ("nvulsive", "nvulsion"),
    ("penic", "penia"),
    ("iatic", "iasis"),
    ("roidal", "rhoid"),
];

const LONGEST: usize = 28;

impl Finder<'_, '_, '_> {
    /// What the noun means that an adjective is made of.
    pub(super) fn adjective(&self, at: u32, token: &Token) -> Option<Meaning> {
        let word = self.note.word(at);
        if !self.note.research || token.class != Class::Word || !(7..LONGEST).contains(&word.len()) {
            return None;
        }
        let lower = word.to_ascii_lowercase();
        ENDS.iter().filter_map(|(adjective, noun)| Some((lower.strip_suffix(adjective)?, noun))).find_map(|(stem, noun)| {
            let id = self.image.word(format!("{stem}{noun}").as_bytes());
            let node = if id == UNKNOWN { 0 } else { self.image.root(id) };
            meaning(self.image, self.outputs(node).filter(|o| !o.not_in_research)).filter(|m| m.category == Category::MedicalCondition)
        })
    }
}
