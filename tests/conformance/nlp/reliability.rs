//! Whether scores are probabilities: `calibrate DATA FOLDER` measures on the training sets and on our notes to tune on how often findings were
//! right and writes `scores.tsv`; the mode `reliability` tells how scores and truth agree where nothing was learnt.
//!
//! Right is a finding that shares text with an annotation of its category: the score says that there is one, and annotators of different
//! texts do not agree on where one begins.

use crate::measure::shared;
use crate::learn;
use crate::pubtator::{self, Doc, FILES, read_entities};
use crate::{Outcome, Work, annotated, read};
use fhirlake::nlp::entity::{Category, Entity};
use fhirlake::nlp::score::Size;
use fhirlake::nlp::{Lexicon, Options, detect};
use std::collections::BTreeMap;
use std::path::Path;

/// Findings of which the annotations tell whether they are right.
type Judged = Vec<(Entity, bool)>;

/// Judges what is found in one half of our notes.
fn notes(lexicon: &Lexicon, half: &str) -> Result<Judged, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(file!()).with_file_name("notes");
    let mut out = Vec::new();
    for number in 1.. {
        let file = folder.join(format!("{half}-{number}.txt"));
        if !file.is_file() {
            break;
        }
        for note in annotated::notes(&read(&file)?)? {
            let options = Options { date: note.date, ..Options::default() };
            for entity in detect(&note.text, lexicon, &options).map_err(|_| "stopped")? {
                let span = entity.begin..entity.end;
                let right = note.entities.iter().any(|gold| gold.category == entity.category && shared(&gold.span, &span) > 0);
                let open = note.open.iter().any(|open| shared(open, &span) > 0);
                if note.complete.contains(&entity.category) && (right || !open) {
                    out.push((entity, right));
                }
            }
        }
    }
    Ok(out)
}

/// Judges what is found in the abstracts of one part of the corpora; nothing where a file is not there.
fn abstracts(lexicon: &Lexicon, data: &Path, part: &str) -> Result<Judged, String> {
    let mut out = Vec::new();
    for (corpus, _, file) in FILES.iter().filter(|(_, name, _)| *name == part) {
        for doc in pubtator::read(&data.join(file))? {
            judge(lexicon, &doc, *corpus == "bc5cdr", &mut out);
        }
    }
    Ok(out)
}

fn judge(lexicon: &Lexicon, doc: &Doc, bc5cdr: bool, out: &mut Judged) {
    for entity in read_entities(lexicon, doc) {
        let known = entity.category == Category::MedicalCondition || entity.category == Category::Medication && bc5cdr;
        let right = doc.gold.iter().any(|g| g.category == entity.category && g.begin < entity.end && g.end > entity.begin);
        if known {
            out.push((entity, right));
        }
    }
}

/// The training sets, each part read with what was learnt from the others.
fn unlearnt(data: &str, folder: &str) -> Result<Judged, String> {
    let mut out = Vec::new();
    learn::each_part(data, folder, PARTS, |lexicon, held| {
        for (bc5cdr, doc) in held {
            judge(lexicon, doc, *bc5cdr, &mut out);
        }
    })?;
    Ok(out)
}

const PARTS: usize = 5;

/// How many findings the rate of the whole category counts as, for each of its kinds.
const PRIOR: f64 = 10.0;

/// `calibrate DATA FOLDER`: writes `scores.tsv`.
pub fn calibrate(arguments: &[String]) -> Result<(), String> {
    let [data, folder] = arguments else { return Err("usage: nlp-scores calibrate DATA FOLDER".to_owned()) };
    let lexicon = crate::lexicon::shipped()?;
    let mut out = String::from(
        "# Made by `nlp-scores calibrate DATA FOLDER`: how often findings share text with an annotation of their category. `note`: our own\n\
         # annotated notes, the half to tune on; `research`: the training sets of BC5CDR and the NCBI disease corpus, each fifth\n\
         # read with words and stops that were learnt from the other four. The score of a kind is drawn to the rate of its category\n\
         # as if 10 more had been seen, that of a category to one half as if 2 more.\n\
         # text, category, origin, size, score, right, found\n",
    );
    for (sort, judged) in [("note", notes(&lexicon, "tune")?), ("research", unlearnt(data, folder)?)] {
        let mut whole: BTreeMap<Category, (f64, f64)> = BTreeMap::new();
        let mut kinds: BTreeMap<(Category, &str, Size), (f64, f64)> = BTreeMap::new();
        for (entity, right) in &judged {
            let kind = (entity.category, entity.origin.name(), Size::of(entity));
            for (of, all) in [whole.entry(entity.category).or_default(), kinds.entry(kind).or_default()] {
                *of += f64::from(u8::from(*right));
                *all += 1.0;
            }
        }
        let rate = |(right, all): (f64, f64)| (right + 1.0) / (all + 2.0);
        for (category, counts) in &whole {
            out.push_str(&format!("{sort}\t{}\t*\t*\t{:.3}\t{}\t{}\n", category.name(), rate(*counts), counts.0, counts.1));
        }
        for ((category, origin, size), (right, all)) in &kinds {
            let prior = whole.get(category).map_or(0.5, |counts| rate(*counts));
            let score = ((right + PRIOR * prior) / (all + PRIOR)).clamp(0.001, 0.999);
            let size = Size::ALL.iter().find(|(s, _)| s == size).map_or("", |(_, name)| name);
            out.push_str(&format!("{sort}\t{}\t{origin}\t{size}\t{score:.3}\t{right}\t{all}\n", category.name()));
        }
    }
    std::fs::write(Path::new(folder).join("scores.tsv"), out).map_err(|e| e.to_string())
}

/// Lower ends of the bins.
const BINS: [f32; 6] = [0.0, 0.5, 0.6, 0.7, 0.8, 0.9];

/// Prints the bins of some findings; the expected calibration error.
fn bins(name: &str, judged: &Judged) -> f64 {
    let mut error = 0.0;
    for (at, low) in BINS.iter().enumerate() {
        let high = BINS.get(at + 1).copied().unwrap_or(1.01);
        let inside: Vec<_> = judged.iter().filter(|(e, _)| e.score >= *low && e.score < high).collect();
        if inside.is_empty() {
            continue;
        }
        let count = inside.len() as f64;
        let mean = inside.iter().map(|(e, _)| f64::from(e.score)).sum::<f64>() / count;
        let right = inside.iter().filter(|(_, right)| *right).count() as f64 / count;
        println!("bin: {name} | {low:.1}–{:.1} | {count} | {mean:.3} | {right:.3}", high.min(1.0));
        error += (mean - right).abs() * count / judged.len() as f64;
    }
    for gate in [0.5, 0.8] {
        let share = judged.iter().filter(|(e, _)| e.score >= gate).count() as f64 / judged.len().max(1) as f64;
        println!("gate: {name} | {gate} | {share:.3}");
    }
    error
}

/// One less the expected calibration error, on the halves of our notes and on the development sets.
pub fn run(work: &Work) -> Result<Outcome, String> {
    let mut figures = Vec::new();
    for half in ["tune", "held-out"] {
        figures.push((format!("notes.{half}"), 1.0 - bins(&format!("notes, {half}"), &notes(&work.lexicon, half)?)));
    }
    if FILES.iter().all(|(_, _, file)| work.file(file).is_ok()) {
        figures.push(("abstracts.development".to_owned(), 1.0 - bins("abstracts, development", &abstracts(&work.lexicon, &work.data, "development")?)));
    }
    Ok(Outcome::Measured(figures))
}
