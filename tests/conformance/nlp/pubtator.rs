//! Annotated abstracts in the PubTator form: BC5CDR (diseases and chemicals) and the NCBI disease corpus.
//!
//! Strict spans: both ends must be right. Concepts: of the spans that are right, how many have the annotated MeSH code as the
//! first MeSH code of the entity (itself or through a mapping).

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use fhirlake::nlp::{Category, Entity, Lexicon, Options, detect};

use crate::{Outcome, Work};

/// An annotated abstract.
pub struct Doc {
    pub id: String,
    pub text: String,
    pub gold: Vec<Gold>,
}

pub struct Gold {
    pub begin: usize,
    pub end: usize,
    pub category: Category,
    pub codes: Vec<String>,
}

/// Reads a file of abstracts.
pub fn read(path: &Path) -> Result<Vec<Doc>, String> {
    let bytes = std::fs::read(path).map_err(|e| format!("{}: {e}", path.display()))?;
    let mut text = String::new();
    flate2::read::GzDecoder::new(&bytes[..]).read_to_string(&mut text).map_err(|e| format!("{}: {e}", path.display()))?;
    let mut docs: Vec<Doc> = Vec::new();
    for line in text.lines() {
        if let Some((id, title)) = line.split_once("|t|") {
            docs.push(Doc { id: id.to_owned(), text: title.to_owned(), gold: Vec::new() });
            continue;
        }
        let Some(doc) = docs.last_mut() else { continue };
        if let Some((id, body)) = line.split_once("|a|")
            && id == doc.id
        {
            doc.text.push('\n');
            doc.text.push_str(body);
            continue;
        }
        let fields: Vec<&str> = line.split('\t').collect();
        if fields.len() < 6 {
            continue;
        }
        let (Ok(begin), Ok(end)) = (fields[1].parse::<usize>(), fields[2].parse::<usize>()) else { continue };
        let mut places = doc.text.char_indices().map(|(at, _)| at).chain([doc.text.len()]);
        let Some(first) = places.nth(begin) else { continue };
        let Some(last) = places.nth(end - begin - 1) else { continue };
        let category = if fields[4] == "Chemical" { Category::Medication } else { Category::MedicalCondition };
        let codes = fields[5].split(['|', '+']).map(|c| c.trim().trim_start_matches("MESH:").to_owned()).collect();
        doc.gold.push(Gold { begin: first, end: last, category, codes });
    }
    Ok(docs)
}

#[derive(Default, Clone, Copy)]
pub struct Counts {
    pub right: usize,
    pub found: usize,
    pub gold: usize,
    pub concept_right: usize,
    pub concept_all: usize,
}

const MESH: &str = "mesh";

/// The first MeSH code of an entity.
pub fn mesh_code(lexicon: &Lexicon, entity: &Entity) -> Option<&'static str> {
    entity.concepts.iter().map(|found| lexicon.image.concept(found.concept)).find(|c| c.system.ends_with(MESH)).map(|c| c.code)
}

/// Whether the first MeSH concept of an entity is named as the text is.
pub fn named_so(lexicon: &Lexicon, entity: &Entity, text: &str) -> bool {
    let first = entity.concepts.iter().map(|found| lexicon.image.concept(found.concept)).find(|c| c.system.ends_with(MESH));
    first.is_some_and(|c| c.display.eq_ignore_ascii_case(text))
}

pub fn read_entities(lexicon: &Lexicon, doc: &Doc) -> Vec<Entity> {
    detect(&doc.text, lexicon, &Options::default()).unwrap_or_default()
}

type Misses = BTreeMap<(char, String), (usize, String)>;

/// Counts one category in some abstracts.
fn score<'d>(lexicon: &Lexicon, docs: impl Iterator<Item = &'d Doc>, category: Category, misses: &mut Misses) -> Counts {
    let mut counts = Counts::default();
    for doc in docs {
        let mut found: Vec<Entity> = read_entities(lexicon, doc);
        found.retain(|e| e.category == category);
        let gold: Vec<&Gold> = doc.gold.iter().filter(|g| g.category == category).collect();
        let around = |begin: usize, end: usize| {
            let from = doc.text.floor_char_boundary(begin.saturating_sub(40));
            let to = doc.text.ceil_char_boundary((end + 40).min(doc.text.len()));
            format!("{}[[{}]]{}", &doc.text[from..begin], &doc.text[begin..end], &doc.text[end..to]).replace('\n', " ")
        };
        let mut miss = |sign: char, begin: usize, end: usize, note: &str| {
            let entry = misses.entry((sign, format!("{}{note}", doc.text[begin..end].to_lowercase()))).or_insert((0, around(begin, end)));
            entry.0 += 1;
        };
        counts.found += found.len();
        counts.gold += gold.len();
        for g in &gold {
            match found.iter().find(|e| e.begin == g.begin && e.end == g.end) {
                Some(entity) => {
                    counts.right += 1;
                    if g.codes.iter().any(|c| c != "-1" && !c.starts_with("OMIM")) {
                        counts.concept_all += 1;
                        let code = mesh_code(lexicon, entity);
                        if code.is_some_and(|code| g.codes.iter().any(|c| c == code)) {
                            counts.concept_right += 1;
                        } else {
                            miss('c', g.begin, g.end, &format!(" {:?} not {:?}", code, g.codes));
                        }
                    }
                }
                None => {
                    let near = found.iter().find(|e| e.begin < g.end && e.end > g.begin);
                    let note = near.map_or(String::new(), |e| format!("  <- {}", doc.text[e.begin..e.end].to_lowercase()));
                    miss('-', g.begin, g.end, &note);
                }
            }
        }
        for e in &found {
            if !gold.iter().any(|g| g.begin == e.begin && g.end == e.end) {
                let near = gold.iter().any(|g| e.begin < g.end && e.end > g.begin);
                miss(if near { '~' } else { '+' }, e.begin, e.end, &format!("  ({})", e.origin.name()));
            }
        }
    }
    counts
}

/// Counts over several readings of abstracts: diseases of BC5CDR, chemicals of BC5CDR, diseases of the NCBI corpus.
#[derive(Default)]
pub struct Totals([(Counts, Misses); 3]);

const TOTALS: [(bool, Category, &str); 3] = [
    (true, Category::MedicalCondition, "bc5cdr.disease"),
    (true, Category::Medication, "bc5cdr.chemical"),
    (false, Category::MedicalCondition, "ncbi.disease"),
];

impl Totals {
    /// Adds abstracts, each with whether it is of BC5CDR.
    pub fn add(&mut self, lexicon: &Lexicon, docs: &[&(bool, Doc)]) {
        for ((bc5cdr, category, _), (counts, misses)) in TOTALS.iter().zip(&mut self.0) {
            let more = score(lexicon, docs.iter().filter(|(of, _)| of == bc5cdr).map(|(_, doc)| doc), *category, misses);
            counts.right += more.right;
            counts.found += more.found;
            counts.gold += more.gold;
            counts.concept_right += more.concept_right;
            counts.concept_all += more.concept_all;
        }
    }

    pub fn print(&self) {
        for ((_, _, name), (_, misses)) in TOTALS.iter().zip(&self.0) {
            println!("errors of {name}");
            print(misses);
            let many = |sign: char| misses.iter().filter(|((s, text), _)| *s == sign && !text.contains("  <- ")).map(|(_, (n, _))| n).sum::<usize>();
            println!("{name}: {} unseen, {} too many, {} with other ends", many('-'), many('+'), many('~'));
        }
        for ((_, _, name), (counts, _)) in TOTALS.iter().zip(&self.0) {
            println!("{name}.precision\t{:.4}", ratio(counts.right, counts.found));
            println!("{name}.recall\t{:.4}", ratio(counts.right, counts.gold));
            println!("{name}.f1\t{:.4}", ratio(2 * counts.right, counts.found + counts.gold));
            println!("{name}.concepts\t{:.4}", ratio(counts.concept_right, counts.concept_all));
        }
    }
}

fn print(misses: &Misses) {
    for sign in ['-', '+', '~', 'c'] {
        let mut all: Vec<_> = misses.iter().filter(|(k, _)| k.0 == sign).collect();
        all.sort_by_key(|(k, v)| (std::cmp::Reverse(v.0), k.1.clone()));
        for ((_, text), (count, around)) in all {
            println!("{sign} {count:>4} {text}\t\t{around}");
        }
    }
}

/// Corpus, part, file.
pub const FILES: [(&str, &str, &str); 4] = [
    ("bc5cdr", "training", "CDR_TrainingSet.PubTator.txt.gz"),
    ("bc5cdr", "development", "CDR_DevelopmentSet.PubTator.txt.gz"),
    ("ncbi", "training", "NCBItrainset_corpus.txt.gz"),
    ("ncbi", "development", "NCBIdevelopset_corpus.txt.gz"),
];

pub fn bc5cdr(work: &Work) -> Result<Outcome, String> {
    run(work, "bc5cdr", &[(Category::MedicalCondition, "disease"), (Category::Medication, "chemical")])
}

pub fn ncbi(work: &Work) -> Result<Outcome, String> {
    run(work, "ncbi", &[(Category::MedicalCondition, "disease")])
}

/// The words and stops of the lexicon are learnt from the training sets, so that their figures are higher; errors are printed
/// of them alone.
fn run(work: &Work, corpus: &str, categories: &[(Category, &str)]) -> Result<Outcome, String> {
    let mut figures = Vec::new();
    for (_, part, file) in FILES.iter().filter(|(name, _, _)| *name == corpus) {
        let path = match work.file(file) {
            Ok(path) => path,
            Err(skipped) => return Ok(skipped),
        };
        let docs = read(&path)?;
        let (mut right, mut all) = (0, 0);
        for (category, name) in categories {
            let mut misses = Misses::new();
            let counts = score(&work.lexicon, docs.iter(), *category, &mut misses);
            let mut figure = |what: &str, value: f64| figures.push((format!("{part}.{name}.{what}"), value));
            figure("precision", ratio(counts.right, counts.found));
            figure("recall", ratio(counts.right, counts.gold));
            figure("f1", ratio(2 * counts.right, counts.found + counts.gold));
            figure("concepts", ratio(counts.concept_right, counts.concept_all));
            right += counts.concept_right;
            all += counts.concept_all;
            if work.errors && *part == "training" {
                print(&misses);
            }
        }
        figures.push((format!("{part}.concepts"), ratio(right, all)));
    }
    Ok(Outcome::Measured(figures))
}

fn ratio(a: usize, b: usize) -> f64 {
    if b == 0 { 0.0 } else { a as f64 / b as f64 }
}
