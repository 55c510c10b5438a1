//! Negation, time and person on the sentences of NegEx's authors (`negex-dev.jsonl`): an entity is put at each annotated
//! span, so that only its assertion is measured.
//!
//! The sentences are of many reports; figures are printed for all and for two halves of the reports, which should agree. Sentences
//! whose span is not known are left out.

use fhirlake::nlp::context;
use fhirlake::nlp::entity::{Category, Certainty, Conditionality, Entity, Kind, Origin, Subject, Temporality};
use fhirlake::nlp::note::Note;
use fhirlake::nlp::token::Token;
use fhirlake::nlp::{Lexicon, sentence};
use serde_json::Value;

use super::{Outcome, Work, read};

pub fn run(work: &Work) -> Result<Outcome, String> {
    match work.file("negex-dev.jsonl") {
        Ok(path) => Ok(Outcome::Measured(score(&work.lexicon, &read(&path)?, work.errors)?)),
        Err(skipped) => Ok(skipped),
    }
}

/// A text with entities at given spans (bytes), asserted.
pub fn asserted(lexicon: &Lexicon, text: &str, spans: &[(usize, usize, Category)]) -> Vec<Option<Entity>> {
    let mut tokens: Vec<Token> = Vec::new();
    lexicon.tokens(text, 0, text.len(), &mut tokens);
    let sentences = sentence::sentences(text, &tokens, lexicon, &mut sentence::Carry::default());
    let note = Note { text, tokens: &tokens, sentences: &sentences, lexicon, date: None, research: false };
    let mut entities = Vec::new();
    let mut places = Vec::new();
    for &(begin, end, category) in spans {
        let first = tokens.partition_point(|t| t.end as usize <= begin);
        let last = tokens.partition_point(|t| (t.begin as usize) < end);
        if first >= last {
            places.push(None);
            continue;
        }
        places.push(Some(entities.len()));
        let kind = match category {
            Category::Medication => Kind::GenericName,
            Category::TestTreatmentProcedure => Kind::ProcedureName,
            _ => Kind::Diagnosis,
        };
        entities.push(Entity::new(&note, category, kind, first as u32..last as u32, Origin::Term));
    }
    context::assert(&note, &mut entities);
    places.into_iter().map(|place| place.and_then(|p| entities.get(p).cloned())).collect()
}

#[derive(Clone, Copy, Default)]
pub struct Count {
    right: usize,
    gold: usize,
    found: usize,
}

impl Count {
    pub fn add(&mut self, gold: bool, found: bool) {
        self.right += usize::from(gold && found);
        self.gold += usize::from(gold);
        self.found += usize::from(found);
    }

    pub fn figures(&self, name: &str, out: &mut Vec<(String, f64)>) {
        let ratio = |a: usize, b: usize| if b == 0 { 0.0 } else { a as f64 / b as f64 };
        out.push((format!("{name}.precision"), ratio(self.right, self.found)));
        out.push((format!("{name}.recall"), ratio(self.right, self.gold)));
        out.push((format!("{name}.f1"), ratio(2 * self.right, self.gold + self.found)));
    }
}

/// Whether text says that it is not so.
pub fn is_negated(entity: &Entity) -> bool {
    entity.assertion.certainty == Certainty::Negative
}

/// Measures; `errors` prints what is wrong, of the first half of the reports only, so that the second stays unseen.
pub fn score(lexicon: &Lexicon, rows: &str, errors: bool) -> Result<Vec<(String, f64)>, String> {
    let rows = rows.lines().map(serde_json::from_str::<Value>).collect::<Result<Vec<_>, _>>().map_err(|e| e.to_string())?;
    let mut reports: Vec<i64> = rows.iter().map(|r| r["report"].as_i64().unwrap_or(0)).collect();
    reports.sort_unstable();
    reports.dedup();
    let (mut negation, mut historical, mut hypothetical) = ([Count::default(); 3], [Count::default(); 3], [Count::default(); 3]);
    let (mut persons, mut all) = (0, 0);
    for row in &rows {
        let (Some(sentence), Some(begin), Some(end)) = (row["sentence"].as_str(), row["begin"].as_u64(), row["end"].as_u64()) else { continue };
        // spans count characters
        let byte = |at: u64| sentence.char_indices().nth(at as usize).map_or(sentence.len(), |(b, _)| b);
        let found = asserted(lexicon, sentence, &[(byte(begin), byte(end), Category::MedicalCondition)]);
        let Some(Some(entity)) = found.first() else { continue };
        let half = 1 + reports.binary_search(&row["report"].as_i64().unwrap_or(0)).unwrap_or(0) % 2;
        let gold = (row["negation"] == "Negated", row["temporality"] == "Historical", row["temporality"] == "Not particular");
        let said = (
            is_negated(entity),
            entity.assertion.temporality == Temporality::Past,
            entity.assertion.conditionality != Conditionality::Unconditional,
        );
        for part in [0, half] {
            negation[part].add(gold.0, said.0);
            historical[part].add(gold.1, said.1);
            hypothetical[part].add(gold.2, said.2);
        }
        all += 1;
        persons += usize::from((row["experiencer"] == "Patient") == (entity.assertion.subject == Subject::Patient));
        if errors && half == 1 && (gold != said || entity.assertion.subject != Subject::Patient) {
            let of = |(n, p, h): (bool, bool, bool)| format!("{}{}{}", if n { "N" } else { "-" }, if p { "P" } else { "-" }, if h { "H" } else { "-" });
            let from = sentence.floor_char_boundary(entity.begin.saturating_sub(150));
            let to = sentence.floor_char_boundary(entity.end + 100);
            println!(
                "{} for {}{}: {} <<{}>> {}",
                of(said),
                of(gold),
                if entity.assertion.subject == Subject::Patient { "" } else { " !patient" },
                &sentence[from..entity.begin],
                &sentence[entity.begin..entity.end],
                &sentence[entity.end..to]
            );
        }
    }
    let mut out = Vec::new();
    for (part, name) in ["", "first-half.", "second-half."].iter().enumerate() {
        negation[part].figures(&format!("{name}negation"), &mut out);
        historical[part].figures(&format!("{name}historical"), &mut out);
        hypothetical[part].figures(&format!("{name}hypothetical"), &mut out);
    }
    out.push(("experiencer.accuracy".to_owned(), persons as f64 / all.max(1) as f64));
    Ok(out)
}
