//! SNOMED CT in release format 2: a snapshot of descriptions. <https://confluence.ihtsdotools.org/display/DOCRELFMT>
//!
//! The semantic tag of a fully specified name, such as `(disorder)`, says what a concept is; it is no part of the term.

use super::{Row, What};
use crate::nlp::lexicon::source::TermKind;
use crate::nlp::{Category, Kind};
use crate::terminology::formats::FormatError;
use crate::terminology::formats::lines::Lines;
use std::collections::HashMap;
use std::io::BufRead;

pub const SYSTEM: &str = "http://snomed.info/sct";

const FULLY_SPECIFIED: &str = "900000000000003001";
const SYNONYM: &str = "900000000000013009";
const CASE_SENSITIVE: &str = "900000000000017005";

/// What concepts with a semantic tag are; those of other tags are no findings.
const TAGS: &[(&str, Category, Kind)] = &[
    ("disorder", Category::MedicalCondition, Kind::Diagnosis),
    ("finding", Category::MedicalCondition, Kind::Sign),
    ("morphologic abnormality", Category::MedicalCondition, Kind::Sign),
    ("procedure", Category::TestTreatmentProcedure, Kind::ProcedureName),
    ("regime/therapy", Category::TestTreatmentProcedure, Kind::TreatmentName),
    ("observable entity", Category::TestTreatmentProcedure, Kind::TestName),
    ("body structure", Category::Anatomy, Kind::SystemOrganSite),
    ("cell structure", Category::Anatomy, Kind::SystemOrganSite),
    ("substance", Category::Medication, Kind::Substance),
    ("product", Category::Medication, Kind::GenericName),
    ("medicinal product", Category::Medication, Kind::GenericName),
];

/// Reads a file of descriptions; `open` gives it twice: what a concept is may stand behind its synonyms.
pub fn read<R: BufRead>(open: impl Fn() -> Result<R, FormatError>, mut each: impl FnMut(Row<'_>)) -> Result<(), FormatError> {
    let mut concepts: HashMap<u64, (usize, String)> = HashMap::new();
    walk(open()?, |code, kind, term, _| {
        if kind == FULLY_SPECIFIED
            && let Some((name, tag)) = tagged(term)
            && let Some(place) = TAGS.iter().position(|(known, ..)| *known == tag)
            && let Ok(code) = code.parse()
        {
            concepts.insert(code, (place, name.to_owned()));
        }
    })?;
    walk(open()?, |code, kind, term, case| {
        let Some((place, display)) = code.parse().ok().and_then(|code: u64| concepts.get(&code)) else { return };
        let Some((_, category, entity)) = TAGS.get(*place) else { return };
        let (text, term) = match kind {
            FULLY_SPECIFIED => (display.as_str(), TermKind::Preferred),
            SYNONYM => (term, TermKind::Synonym),
            _ => return,
        };
        let mut what = What::term(text, term);
        if let What::Term { case_sensitive, .. } = &mut what {
            // the file marks names of persons too, whose case need not be kept
            *case_sensitive |= case == CASE_SENSITIVE && text.len() <= 6;
        }
        each(Row { system: SYSTEM, code, category: *category, kind: *entity, display, what });
    })
}

fn walk<R: BufRead>(input: R, mut each: impl FnMut(&str, &str, &str, &str)) -> Result<(), FormatError> {
    let mut lines = Lines::new(input);
    while let Some((line, text)) = lines.next_line()? {
        let fields: Vec<&str> = text.split('\t').collect();
        let [_, _, active, _, code, language, kind, term, case, ..] = fields[..] else {
            return Err(FormatError::at(line, "it has fewer than 9 fields: this is no file of descriptions"));
        };
        if active == "1" && language == "en" {
            each(code, kind, term, case);
        }
    }
    Ok(())
}

/// `Asthma (disorder)` → `Asthma`, `disorder`.
fn tagged(term: &str) -> Option<(&str, &str)> {
    let (name, tag) = term.strip_suffix(')')?.rsplit_once(" (")?;
    Some((name, tag))
}
