//! What annotated abstracts teach: `nlp-scores learn DATA FOLDER` writes `stop.tsv` (terms of the lexicon that are more often wrong than
//! right) and `learnt.txt` (words of the annotations that the lexicon lacks); `crossvalidate` tells how well that does on parts of them.
//! Only the training sets are read.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use fhirlake::nlp::entity::Origin;
use fhirlake::nlp::token::{self, Class, Token};
use fhirlake::nlp::{Category, Lexicon};

use fhirlake::nlp::lexicon::source::Record;
use fhirlake::nlp::lexicon::{CompileError, Compiler, shipped};

use super::pubtator::{self, Doc, FILES, mesh_code, named_so, read, read_entities};

/// The words of a text by which terms are found, and the tokens they are.
fn key(text: &str) -> Vec<(String, Token)> {
    let mut tokens = Vec::new();
    let mut forms: Vec<String> = Vec::new();
    token::tokens(text, 0, text.len(), &mut tokens, |form| {
        forms.push(String::from_utf8_lossy(form).into_owned());
        forms.len() as u32 - 1
    });
    tokens
        .iter()
        .filter(|t| t.class != Class::Line && !matches!(t.mark, b'-' | b'/'))
        .map(|t| (forms.get(t.id as usize).cloned().unwrap_or_default(), *t))
        .collect()
}

fn joined(words: &[(String, Token)]) -> String {
    words.iter().map(|(w, _)| w.as_str()).collect::<Vec<_>>().join(" ")
}

#[derive(Default)]
struct Seen {
    gold: usize,
    all: usize,
    docs: BTreeSet<String>,
    surfaces: BTreeMap<String, usize>,
    codes: BTreeMap<String, usize>,
}

/// BC5CDR is about what drugs do: hepatitis is annotated as drug-induced liver injury there.
const THEME: &[&str] = &["D056486", "D004409", "D064420", "D056150", "D020258"];

/// `learn DATA FOLDER`: reads the training sets in DATA and writes into FOLDER.
pub fn run(arguments: &[String]) -> Result<(), String> {
    let [data, folder] = arguments else { return Err("usage: nlp-scores learn DATA FOLDER".to_owned()) };
    let docs = training(data)?;
    let docs: Vec<&(bool, Doc)> = docs.iter().collect();
    let taught = teach(&docs, folder)?;
    println!("{} stops, {} terms", taught.stop.lines().count(), taught.terms.lines().filter(|l| l.starts_with("T\t")).count());
    for (file, text) in [("stop.tsv", taught.stop), ("learnt.txt", taught.terms)] {
        std::fs::write(format!("{folder}/{file}"), text).map_err(|e| e.to_string())?;
    }
    Ok(())
}

/// `crossvalidate DATA FOLDER PARTS`: learns from all parts of the training sets but one, reads that one, and prints how well and what was wrong.
pub fn crossvalidate(arguments: &[String]) -> Result<(), String> {
    let [data, folder, parts] = arguments else { return Err("usage: nlp-scores crossvalidate DATA FOLDER PARTS".to_owned()) };
    let parts: usize = parts.parse().map_err(|_| "PARTS is a number")?;
    let mut totals = pubtator::Totals::default();
    each_part(data, folder, parts, |lexicon, held| totals.add(lexicon, held))?;
    totals.print();
    Ok(())
}

/// Learns from all parts of the training sets but one, for each; gives what was learnt with the part that it was not learnt from.
pub fn each_part(data: &str, folder: &str, parts: usize, mut each: impl FnMut(&Lexicon, &[&(bool, Doc)])) -> Result<(), String> {
    let docs = training(data)?;
    for part in 0..parts {
        let (mut rest, mut held) = (Vec::new(), Vec::new());
        for (n, doc) in docs.iter().enumerate() {
            if n % parts == part { held.push(doc) } else { rest.push(doc) }
        }
        let taught = teach(&rest, folder)?;
        each(&with(&taught.stop, &taught.terms)?, &held);
    }
    Ok(())
}

/// What abstracts teach: the texts of `stop.tsv` and of `learnt.txt`.
struct Taught {
    stop: String,
    terms: String,
}

/// Behind this line of `stop.tsv` stands what was learnt.
const LEARNT: &str = "# learnt:\n";

fn teach(docs: &[&(bool, Doc)], folder: &str) -> Result<Taught, String> {
    let stop = std::fs::read_to_string(format!("{folder}/stop.tsv")).map_err(|e| format!("stop.tsv: {e}"))?;
    let (own, _) = stop.split_once(LEARNT).ok_or("stop.tsv has no line that parts what was learnt")?;
    let mut stop = format!("{own}{LEARNT}");
    let mut known: BTreeSet<String> = own.lines().map(str::to_owned).collect();
    // what hid behind a term that is stopped now may be wrong as well
    for _ in 0..2 {
        for line in stops(&with(&stop, "")?, docs, folder) {
            if known.insert(line.clone()) {
                stop.push_str(&line);
                stop.push('\n');
            }
        }
    }
    let terms = terms(&with(&stop, "")?, docs);
    Ok(Taught { stop, terms })
}

/// The shipped lexicon with other learnt parts.
fn with(stop: &str, learnt: &str) -> Result<Lexicon, String> {
    let error = |e: CompileError| format!("{e:?}");
    let mut compiler = Compiler::new();
    let [clinical, terminologies, _] = shipped::records().map_err(|e| e.to_string())?;
    for text in [&clinical, &terminologies, learnt] {
        compiler.add_text(text).map_err(error)?;
    }
    for (name, text) in shipped::LISTS {
        compiler.add(Record::List { name, text: if name == "stop" { stop } else { text } }).map_err(error)?;
    }
    let bytes = compiler.finish(shipped::VERSION).map_err(error)?;
    Lexicon::open(bytes.leak()).map_err(|e| format!("{e:?}"))
}

/// The training sets, and whether chemicals are annotated in them.
fn training(data: &str) -> Result<Vec<(bool, Doc)>, String> {
    let mut docs: Vec<(bool, Doc)> = Vec::new();
    for (corpus, part, file) in FILES {
        if part == "training" {
            docs.extend(read(&Path::new(data).join(file))?.into_iter().map(|d| (corpus == "bc5cdr", d)));
        }
    }
    Ok(docs)
}

/// Terms that are more often wrong than right.
fn stops(lexicon: &Lexicon, docs: &[&(bool, Doc)], folder: &str) -> Vec<String> {
    let mut judged: BTreeMap<(String, Category), (usize, usize, usize)> = BTreeMap::new();
    for (chemicals, doc) in docs {
        for e in read_entities(lexicon, doc) {
            let known = e.category == Category::MedicalCondition || e.category == Category::Medication && *chemicals;
            if !known {
                // a term of another category that hides an annotated condition
                let hides = doc.gold.iter().any(|g| g.begin >= e.begin && g.end <= e.end || g.begin < e.begin && g.end > e.begin && g.end < e.end);
                let other = matches!(e.category, Category::TestTreatmentProcedure | Category::Anatomy | Category::BehavioralEnvironmentalSocial);
                if other && e.origin == Origin::Term {
                    let entry = judged.entry((joined(&key(&doc.text[e.begin..e.end])), e.category)).or_default();
                    if hides {
                        entry.1 += 1;
                    } else {
                        entry.0 += 1;
                    }
                }
                continue;
            }
            let gold = || doc.gold.iter().filter(|g| g.category == e.category && g.begin < e.end && g.end > e.begin);
            if !matches!(e.origin, Origin::Term | Origin::Abbreviation) {
                continue;
            }
            let words = joined(&key(&doc.text[e.begin..e.end]));
            let entry = judged.entry((words, e.category)).or_default();
            match gold().next() {
                Some(_) if gold().any(|g| g.begin == e.begin && g.end == e.end) => entry.0 += 1,
                Some(_) => entry.2 += 1,
                None => entry.1 += 1,
            }
        }
    }
    let mut found = Vec::new();
    let clinical = clinical(folder);
    for ((words, category), (right, wrong, partly)) in &judged {
        if *wrong > *right && *wrong * 2 > *partly {
            // what we wrote for notes is a finding in notes
            let place = if clinical.contains(&(words.clone(), category.name().to_owned())) { "\tresearch" } else { "" };
            found.push(format!("{words}\t{}{place}", category.name()));
        }
    }
    found
}

/// The words of our own terms and abbreviations.
fn clinical(folder: &str) -> BTreeSet<(String, String)> {
    let mut out = BTreeSet::new();
    let mut category = String::new();
    for line in std::fs::read_to_string(format!("{folder}/clinical.txt")).unwrap_or_default().lines() {
        if line.starts_with("C\t") {
            category = line.split('\t').nth(3).unwrap_or("").to_owned();
        }
        if let Some(term) = line.strip_prefix("T\t").and_then(|l| l.split('\t').nth(2)) {
            out.insert((joined(&key(term)), category.clone()));
        }
    }
    for line in std::fs::read_to_string(format!("{folder}/abbreviations.tsv")).unwrap_or_default().lines() {
        let category = line.split('\t').nth(2).unwrap_or("");
        for term in line.split('\t').take(2) {
            out.insert((joined(&key(term)), category.to_owned()));
        }
    }
    out
}

/// Words of the annotations that the lexicon lacks.
fn terms(lexicon: &Lexicon, docs: &[&(bool, Doc)]) -> String {
    let mut seen: HashMap<(String, Category), Seen> = HashMap::new();
    for (_, doc) in docs {
        for g in &doc.gold {
            let words = key(&doc.text[g.begin..g.end]);
            if words.is_empty() || words.len() > 6 {
                continue;
            }
            let entry = seen.entry((joined(&words), g.category)).or_default();
            entry.gold += 1;
            entry.docs.insert(doc.id.clone());
            *entry.surfaces.entry(doc.text[g.begin..g.end].to_owned()).or_default() += 1;
            if let [code] = g.codes.as_slice()
                && (code.starts_with('D') || code.starts_with('C'))
            {
                *entry.codes.entry(code.clone()).or_default() += 1;
            }
        }
    }
    // where else the same words stand
    for (chemicals, doc) in docs {
        let words = key(&doc.text);
        for from in 0..words.len() {
            for to in from + 1..=(from + 6).min(words.len()) {
                let form = joined(&words[from..to]);
                for category in [Category::MedicalCondition, Category::Medication] {
                    if category == Category::Medication && !chemicals {
                        continue;
                    }
                    if let Some(entry) = seen.get_mut(&(form.clone(), category)) {
                        let (begin, end) = (words[from].1.begin as usize, words[to - 1].1.end as usize);
                        let in_longer = doc.gold.iter().any(|g| g.begin <= begin && g.end >= end && g.end - g.begin > end - begin);
                        entry.all += usize::from(!in_longer);
                    }
                }
            }
        }
    }
    let mut found: BTreeMap<(String, String, String), Vec<(String, bool, bool)>> = BTreeMap::new();
    for ((words, category), entry) in &seen {
        let surface = entry.surfaces.iter().max_by_key(|(s, n)| (**n, std::cmp::Reverse(s.as_str()))).map_or("", |(s, _)| s.as_str());
        let letters = words.chars().filter(|c| c.is_alphabetic()).count();
        let short = surface.chars().any(char::is_uppercase) && !surface.contains(' ') && letters <= 5 && !surface[1..].chars().all(char::is_lowercase);
        let enough = entry.gold * 10 > entry.all * 6 && letters > 3
            && (!short || entry.docs.len() > 1 && letters > 3 || entry.docs.len() > 2)
            && !surface.contains(['(', ')', '[', ',']);
        if !enough {
            continue;
        }
        let test = Doc { id: String::new(), text: surface.to_owned(), gold: Vec::new() };
        let now = read_entities(lexicon, &test);
        let whole = now.iter().find(|e| e.begin == 0 && e.end == surface.len() && e.category == *category);
        let code = entry.codes.iter().max_by_key(|(_, n)| **n).map_or(String::new(), |(c, _)| c.clone());
        let mut preferred = false;
        if let Some(e) = whole
            && let Some(known) = mesh_code(lexicon, e)
        {
            // another code than most annotations have: only if none is named so, and none that the corpus has for its theme
            let sure = entry.docs.len() > 1 && entry.codes.get(&code).is_some_and(|n| n * 10 >= entry.gold * 8);
            if known == code || !sure || named_so(lexicon, e, surface) || THEME.contains(&code.as_str()) {
                continue;
            }
            preferred = true;
        }
        if whole.is_some() && code.is_empty() {
            continue;
        }
        let display = String::new();
        let kind = category.name().to_owned();
        let text = if short { surface.to_owned() } else { surface.to_lowercase() };
        found.entry((code, kind, display)).or_default().push((text, short, preferred));
    }
    let mut out = String::from(
        "# Made by `nlp-scores learn` from the training sets of BC5CDR and the NCBI disease corpus: words that were annotated there\n\
         # and that the terminologies lack, with the MeSH code of the annotation.\n\
         S\tBC5CDR and NCBI disease corpus, training sets\t2016, 2014\tpublic domain\thttps://www.ncbi.nlm.nih.gov/research/bionlp/Data/\n",
    );
    for ((code, category, display), mut terms) in found {
        let kind = if category == "MEDICATION" { "SUBSTANCE" } else { "DX_NAME" };
        let system = if code.is_empty() { "" } else { "https://www.nlm.nih.gov/mesh" };
        terms.sort();
        let display = if display.is_empty() { terms.first().map_or(String::new(), |(t, _, _)| t.clone()) } else { display };
        out.push_str(&format!("C\t{system}\t{code}\t{category}\t{kind}\t{display}\n"));
        for (text, exact, preferred) in terms {
            out.push_str(&format!("T\t{}\t{}\t{text}\n", if preferred { "preferred" } else if exact { "abbreviation" } else { "synonym" }, if exact { "c" } else { "-" }));
        }
    }
    out
}
