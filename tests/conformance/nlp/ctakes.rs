//! Negation, history, doubt and person on the notes that come with Apache cTAKES (`ctakes-notes.jsonl`): entities are put at the
//! annotated spans, so that only their assertions are measured.

use super::negex::{Count, asserted, is_negated};
use fhirlake::nlp::Lexicon;
use fhirlake::nlp::entity::{Category, Certainty, Subject, Temporality};
use serde_json::Value;

use super::{Outcome, Work, read};

pub fn run(work: &Work) -> Result<Outcome, String> {
    match work.file("ctakes-notes.jsonl") {
        Ok(path) => Ok(Outcome::Measured(score(&work.lexicon, &read(&path)?, work.errors)?)),
        Err(skipped) => Ok(skipped),
    }
}

/// Measures; `errors` prints what is wrong in every second note, so that the others stay unseen.
pub fn score(lexicon: &Lexicon, notes: &str, errors: bool) -> Result<Vec<(String, f64)>, String> {
    let notes = notes.lines().map(serde_json::from_str::<Value>).collect::<Result<Vec<_>, _>>().map_err(|e| e.to_string())?;
    let (mut negation, mut history, mut doubt) = ([Count::default(); 3], [Count::default(); 3], Count::default());
    let (mut right, mut problems, mut persons) = (0, 0, 0);
    for (number, note) in notes.iter().enumerate() {
        let text = note["text"].as_str().ok_or("a note has no text")?;
        let mut bytes: Vec<usize> = text.char_indices().map(|(b, _)| b).collect();
        bytes.push(text.len());
        let byte = |at: &Value| at.as_u64().and_then(|at| bytes.get(at as usize).copied()).unwrap_or(text.len());
        let entities: Vec<&Value> = note["entities"].as_array().ok_or("a note has no entities")?.iter().collect();
        let mut spans = Vec::new();
        let mut gold = Vec::new();
        for entity in entities {
            let category = match entity["type"].as_str() {
                Some("Disease_Disorder" | "Sign_symptom") => Category::MedicalCondition,
                Some("Procedure" | "Lab") => Category::TestTreatmentProcedure,
                Some("Medications/Drugs") => Category::Medication,
                _ => continue,
            };
            let Some(span) = entity["spans"].get(0) else { continue };
            spans.push((byte(&span[0]), byte(&span[1]), category));
            gold.push(&entity["props"]);
        }
        let half = 1 + number % 2;
        for ((found, props), (begin, end, category)) in asserted(lexicon, text, &spans).iter().zip(gold).zip(spans) {
            let Some(found) = found else { continue };
            let has = |name: &str| props.get(name).is_some();
            let said = (is_negated(found), found.assertion.temporality == Temporality::Past);
            let meant = (has("negation_indicator"), has("historyOf"));
            let problem = category == Category::MedicalCondition;
            if problem {
                problems += 1;
                right += usize::from(said.0 == meant.0);
                persons += usize::from(has("subject") == (found.assertion.subject != Subject::Patient));
                doubt.add(has("uncertainty_indicator"), !matches!(found.assertion.certainty, Certainty::Positive | Certainty::Negative));
            }
            for part in [0, half] {
                if problem {
                    negation[part].add(meant.0, said.0);
                }
                if category != Category::Medication {
                    history[part].add(meant.1, said.1);
                }
            }
            if errors && half == 1 && (problem && said.0 != meant.0 || category != Category::Medication && said.1 != meant.1) {
                let from = text.floor_char_boundary(begin.saturating_sub(120));
                let to = text.floor_char_boundary(end + 80);
                println!(
                    "{}{} for {}{} [{}] {} <<{}>> {}",
                    if said.0 { "N" } else { "-" },
                    if said.1 { "P" } else { "-" },
                    if meant.0 { "N" } else { "-" },
                    if meant.1 { "P" } else { "-" },
                    found.section,
                    text[from..begin].replace(['\r', '\n'], "¶"),
                    &text[begin..end],
                    text[end..to].replace(['\r', '\n'], "¶")
                );
            }
        }
    }
    let mut out = vec![("negation.accuracy".to_owned(), right as f64 / problems.max(1) as f64)];
    for (part, name) in ["", "first-half.", "second-half."].iter().enumerate() {
        negation[part].figures(&format!("{name}negation"), &mut out);
        history[part].figures(&format!("{name}history"), &mut out);
    }
    doubt.figures("uncertainty", &mut out);
    out.push(("subject.accuracy".to_owned(), persons as f64 / problems.max(1) as f64));
    Ok(out)
}
