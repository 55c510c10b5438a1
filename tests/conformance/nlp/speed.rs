//! `nlp-scores speed FILE`: what each step of reading takes, on notes of a file (one JSON object a line, its `text`).

use std::time::Instant;

use fhirlake::nlp::note::Note;
use fhirlake::nlp::token::{self, UNKNOWN};
use fhirlake::nlp::{Options, detect, mention, sentence};

pub fn run(arguments: &[String]) -> Result<(), String> {
    let [path] = arguments else { return Err("usage: nlp-scores speed FILE".to_owned()) };
    let lexicon = crate::lexicon::shipped()?;
    let mut texts: Vec<String> = Vec::new();
    for line in crate::read(std::path::Path::new(path))?.lines() {
        let value: serde_json::Value = serde_json::from_str(line).map_err(|e| e.to_string())?;
        texts.push(value["text"].as_str().unwrap_or("").to_owned());
    }
    let bytes: usize = texts.iter().map(String::len).sum();
    let rounds = 2_000_000 / bytes.max(1) + 1;
    let kilo = bytes as f64 * rounds as f64 / 4096.0;
    let mut took = [0u128; 4];
    for _ in 0..rounds {
        for text in &texts {
            let start = Instant::now();
            let mut tokens = Vec::new();
            let mut id = |form: &[u8]| if form.is_empty() { UNKNOWN } else { lexicon.image.word(form) };
            token::tokens(text, 0, text.len(), &mut tokens, &mut id);
            took[0] += start.elapsed().as_nanos();
            let start = Instant::now();
            let sentences = sentence::sentences(text, &tokens, &lexicon, &mut sentence::Carry::default());
            took[1] += start.elapsed().as_nanos();
            let note = Note { text, tokens: &tokens, sentences: &sentences, lexicon: &lexicon, date: None };
            let mut entities = Vec::new();
            let start = Instant::now();
            mention::find(&note, &mut mention::Carry::default(), &mut entities);
            took[2] += start.elapsed().as_nanos();
            let start = Instant::now();
            let _ = detect(text, &lexicon, &Options::default());
            took[3] += start.elapsed().as_nanos();
        }
    }
    for (name, nanos) in ["tokens", "sentences", "mentions", "all steps"].iter().zip(took) {
        let each = nanos as f64 / 1000.0 / kilo;
        println!("{name:<12} {each:8.1} microseconds for 4 kB");
    }
    Ok(())
}
