//! Times, what identifies a person, and habits, on our own sentences (`time.tsv`): each with all that should be found.
//!
//! `f1` counts kind and text; `value` the values of what was found right, among those that should have one.

use fhirlake::nlp::{Category, Options, detect};

use super::measure::{Counts, ratio};
use super::{Outcome, Work};

const SENTENCES: &str = include_str!("time.tsv");

pub fn run(work: &Work) -> Result<Outcome, String> {
    let options = Options { date: chrono::NaiveDate::from_ymd_opt(2010, 2, 2), ..Options::default() };
    let (mut counts, mut values, mut valued) = (Counts::default(), 0, 0);
    for line in SENTENCES.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        let mut fields = line.split('\t');
        let text = fields.next().unwrap_or("");
        let gold: Vec<(&str, Option<&str>)> = fields.map(|f| f.split_once(" = ").map_or((f, None), |(what, value)| (what, Some(value)))).collect();
        let entities = detect(text, &work.lexicon, &options).map_err(|_| "interrupted".to_owned())?;
        let of_these = |category: Category| matches!(category, Category::TimeExpression | Category::ProtectedHealthInformation | Category::BehavioralEnvironmentalSocial);
        let mut found: Vec<(String, Option<&str>)> = entities
            .iter()
            .filter(|e| of_these(e.category))
            .map(|e| (format!("{} {}", e.kind.name(), text.get(e.begin..e.end).unwrap_or("")), e.value.as_deref()))
            .collect();
        let (all, mut right, mut missed) = (found.len(), 0, Vec::new());
        for (what, value) in &gold {
            let Some(place) = found.iter().position(|(there, _)| there == what) else {
                missed.push(*what);
                continue;
            };
            let (_, has) = found.swap_remove(place);
            right += 1;
            valued += usize::from(value.is_some());
            values += usize::from(value.is_some() && has == *value);
            if has != *value && work.errors {
                println!("value {has:?} instead of {value:?}: {what} | {text}");
            }
        }
        counts.add(right, gold.len(), all);
        if work.errors {
            missed.iter().for_each(|what| println!("missed {what} | {text}"));
            found.iter().for_each(|(what, _)| println!("too many {what} | {text}"));
        }
    }
    counts.print("times, persons, habits");
    Ok(Outcome::Measured(vec![
        ("precision".to_owned(), counts.precision()),
        ("recall".to_owned(), counts.recall()),
        ("f1".to_owned(), counts.f1()),
        ("value".to_owned(), ratio(values, valued)),
    ]))
}
