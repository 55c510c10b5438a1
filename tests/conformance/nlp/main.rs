//! How well texts are read: the engine against annotated texts, with the lexicon that is shipped.
//!
//! `nlp-scores [MODE...] [--data FOLDER] [--floors FILE] [--errors]` runs the modes (all without a name) and prints what each measures, a
//! line for each figure: name, tab, figure. `--errors` prints what is missed, too many, or otherwise meant. In the half of
//! our notes that nobody tunes on `--held-out-errors` does: only to mend annotations. `--floors` compares with a
//! table of lowest figures (name, tab, floor) and ends with a line that counts what passed; it fails when a figure is below its floor.
//! Data that is not in the folder is skipped with a line that says so.

mod annotated;
mod ctakes;
mod learn;
mod lexicon;
mod measure;
mod negex;
mod notes;
mod problems;
mod pubtator;
mod reliability;
mod speed;
mod times;

use fhirlake::nlp::Lexicon;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What a mode works with.
pub struct Work {
    pub lexicon: Lexicon,
    /// the folder of corpora, which need not be there
    pub data: PathBuf,
    /// print what is wrong
    pub errors: bool,
    /// also in the half of our notes that nobody tunes on
    pub held_out_errors: bool,
}

pub enum Outcome {
    /// names of figures and their values
    Measured(Vec<(String, f64)>),
    /// why not
    Skipped(String),
}

type Mode = fn(&Work) -> Result<Outcome, String>;

/// Name, what it measures on.
const MODES: &[(&str, Mode)] = &[
    ("notes", notes::run),   // our own notes, tests/conformance/nlp/notes
    ("ctakes", problems::run), // the notes that come with Apache cTAKES
    ("ctakes-assertion", ctakes::run), // what is said of their problems, at the annotated spans
    ("time", times::run),       // our own sentences on times, persons and habits
    ("negex", negex::run),     // the same on the sentences of NegEx's authors
    ("bc5cdr", pubtator::bc5cdr), // diseases and chemicals in abstracts
    ("ncbi", pubtator::ncbi),  // diseases in abstracts
    ("reliability", reliability::run), // whether scores are probabilities
];

type Tool = fn(&[String]) -> Result<(), String>;

/// What else the program does: name, and what takes the arguments behind it.
const TOOLS: &[(&str, Tool)] = &[
    ("learn", learn::run),               // stop.tsv and learnt.txt from the training sets
    ("crossvalidate", learn::crossvalidate), // the same on parts that it did not learn from
    ("calibrate", reliability::calibrate), // scores.tsv: how often findings of each kind are right
    ("speed", speed::run),               // what each step takes
];

impl Work {
    /// A file of the data folder, or the outcome of a mode without it.
    pub fn file(&self, name: &str) -> Result<PathBuf, Outcome> {
        let path = self.data.join(name);
        if path.is_file() { Ok(path) } else { Err(Outcome::Skipped(format!("{name} is not in the data folder (set FHIRLAKE_DATA)"))) }
    }
}

pub fn read(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::from(2)
        }
    }
}

fn run() -> Result<bool, String> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Some((_, tool)) = TOOLS.iter().find(|(name, _)| arguments.first().is_some_and(|first| first == name)) {
        return tool(&arguments[1..]).map(|()| true);
    }
    let data = std::env::var_os("FHIRLAKE_DATA").map_or_else(|| PathBuf::from("none"), |folder| Path::new(&folder).join("nlp"));
    let (mut names, mut data, mut floors, mut errors, mut held_out_errors) = (Vec::new(), data, None, false, false);
    let mut arguments = arguments.into_iter();
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or(format!("{argument} needs a value"));
        match argument.as_str() {
            "--data" => data = PathBuf::from(value()?),
            "--floors" => floors = Some(read(Path::new(&value()?))?),
            "--errors" => errors = true,
            "--held-out-errors" => held_out_errors = true,
            name if MODES.iter().any(|(mode, _)| *mode == name) => names.push(argument),
            _ => {
                let modes: Vec<&str> = MODES.iter().map(|(name, _)| *name).collect();
                return Err(format!("usage: nlp-scores [{}]... [--data FOLDER] [--floors FILE] [--errors]", modes.join("|")));
            }
        }
    }
    let work = Work { lexicon: lexicon::shipped()?, data, errors, held_out_errors };
    let (mut measured, mut skipped) = (Vec::new(), 0);
    for (name, mode) in MODES.iter().filter(|(name, _)| names.is_empty() || names.iter().any(|n| n == name)) {
        match mode(&work)? {
            Outcome::Measured(figures) => {
                for (figure, value) in figures {
                    println!("{name}.{figure}\t{value:.4}");
                    measured.push((format!("{name}.{figure}"), value));
                }
            }
            Outcome::Skipped(reason) => {
                println!("skipped: {name}: {reason}");
                skipped += 1;
            }
        }
    }
    let Some(floors) = floors else { return Ok(true) };
    let (passed, failed) = compare(&floors, &measured)?;
    println!("{passed} passed, {failed} failed, {skipped} skipped");
    Ok(failed == 0)
}

/// Compares figures with their floors; a floor of a mode that was skipped does not count.
fn compare(floors: &str, measured: &[(String, f64)]) -> Result<(usize, usize), String> {
    let (mut passed, mut failed) = (0, 0);
    for line in floors.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (name, floor) = line.split_once('\t').ok_or(format!("no tab in the line of floors: {line}"))?;
        let floor: f64 = floor.trim().parse().map_err(|_| format!("no floor in the line: {line}"))?;
        let mode = |name: &str| name.split('.').next().map(str::to_owned);
        match measured.iter().find(|(measure, _)| measure == name) {
            // Figures are printed with four digits.
            Some((_, value)) if *value + 0.000_05 >= floor => passed += 1,
            Some((_, value)) => {
                failed += 1;
                println!("FAILED: {name} is {value:.4}, below its floor {floor}");
            }
            None if measured.iter().any(|(measure, _)| mode(measure) == mode(name)) => {
                failed += 1;
                println!("FAILED: {name} was not measured");
            }
            None => {}
        }
    }
    Ok((passed, failed))
}
