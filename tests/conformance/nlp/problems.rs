//! The 15 notes that come with Apache cTAKES, whose clinicians marked problems, anatomy and procedures.

use crate::measure::{Counts, around, pairs};
use crate::{Outcome, Work, read};
use fhirlake::nlp::entity::{Category, Entity};
use fhirlake::nlp::{Options, detect};
use serde_json::Value;
use std::ops::Range;

/// One of the annotations.
pub struct Gold {
    pub kind: String,
    /// bytes; from the begin of the first to the end of the last where it has several parts
    pub span: Range<usize>,
}

/// A note with its annotations.
pub struct CtakesNote {
    pub text: String,
    pub gold: Vec<Gold>,
}

/// What is scored: its name, the types of the annotations, and our category.
const SCORED: [(&str, &[&str], Category); 4] = [
    ("problems", &["Disease_Disorder", "Sign_symptom"], Category::MedicalCondition),
    ("anatomy", &["Anatomical_site"], Category::Anatomy),
    ("procedures", &["Procedure", "Lab"], Category::TestTreatmentProcedure),
    ("medications", &["Medications/Drugs"], Category::Medication),
];

pub fn run(work: &Work) -> Result<Outcome, String> {
    let file = match work.file("ctakes-notes.jsonl") {
        Ok(file) => file,
        Err(skipped) => return Ok(skipped),
    };
    let notes = notes(&read(&file)?)?;
    let mut figures = Vec::new();
    let mut found_in = Vec::new();
    for note in &notes {
        found_in.push(detect(&note.text, &work.lexicon, &Options::default()).map_err(|_| "stopped")?);
    }
    for (name, kinds, category) in SCORED {
        let (mut overlap, mut exact) = (Counts::default(), Counts::default());
        for (note, found) in notes.iter().zip(&found_in) {
            let gold: Vec<Range<usize>> =
                note.gold.iter().filter(|g| kinds.contains(&g.kind.as_str())).map(|g| g.span.clone()).collect();
            let found: Vec<Range<usize>> =
                found.iter().filter(|e| e.category == category).map(|e: &Entity| e.begin..e.end).collect();
            let same = pairs(&gold, &found, |g, f| gold[g] == found[f]);
            exact.add(same.len(), gold.len(), found.len());
            let matched = pairs(&gold, &found, |_, _| true);
            overlap.add(matched.len(), gold.len(), found.len());
            if work.errors && category == Category::MedicalCondition {
                for (number, span) in gold.iter().enumerate().filter(|(n, _)| !matched.iter().any(|(g, _)| g == n)) {
                    println!("missed {name} {number}: {}", around(&note.text, span));
                }
                for (_, span) in found.iter().enumerate().filter(|(n, _)| !matched.iter().any(|(_, f)| f == n)) {
                    println!("extra {name}: {}", around(&note.text, span));
                }
            }
        }
        overlap.print(&format!("ctakes {name}, overlap"));
        exact.print(&format!("ctakes {name}, exact"));
        figures.push((format!("{name}.overlap"), overlap.f1()));
        figures.push((format!("{name}.exact"), exact.f1()));
    }
    Ok(Outcome::Measured(figures))
}

/// The notes of the file: one a line, offsets in characters.
fn notes(file: &str) -> Result<Vec<CtakesNote>, String> {
    file.lines().map(|line| note(line).ok_or("a line of the cTAKES notes is not as it should be".to_owned())).collect()
}

fn note(line: &str) -> Option<CtakesNote> {
    let value: Value = serde_json::from_str(line).ok()?;
    let text = value["text"].as_str()?.to_owned();
    let mut offsets: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
    offsets.push(text.len());
    let byte = |at: &Value| offsets.get(at.as_u64()? as usize).copied();
    let mut gold = Vec::new();
    for entity in value["entities"].as_array()? {
        let spans = entity["spans"].as_array()?;
        let begin = byte(&spans.first()?[0])?;
        let end = byte(&spans.last()?[1])?;
        gold.push(Gold { kind: entity["type"].as_str()?.to_owned(), span: begin..end });
    }
    Some(CtakesNote { text, gold })
}
