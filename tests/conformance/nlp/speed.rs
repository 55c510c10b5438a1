//! `nlp-scores speed FILE`: what each step of reading takes, on notes of a file (one JSON object a line, its `text`).

use std::time::Instant;

use fhirlake::nlp::note::Note;
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
    let kilo = bytes as f64 / 4096.0;
    // of several rounds the fastest: others work on this machine, too
    let mut took = [u128::MAX; 4];
    let mut research = 0;
    for _ in 0..20 {
        let mut round = [0u128; 4];
        research = 0;
        // all texts in turn: what a step remembers of words is then what the texts before have left
        for text in &texts {
            let start = Instant::now();
            let _ = detect(text, &lexicon, &Options::default());
            round[3] += start.elapsed().as_nanos();
        }
        for text in &texts {
            let mut tokens = Vec::new();
            let start = Instant::now();
            lexicon.tokens(text, 0, text.len(), &mut tokens);
            round[0] += start.elapsed().as_nanos();
            let start = Instant::now();
            let sentences = sentence::sentences(text, &tokens, &lexicon, &mut sentence::Carry::default());
            round[1] += start.elapsed().as_nanos();
            let note = Note { text, tokens: &tokens, sentences: &sentences, lexicon: &lexicon, date: None, research: mention::is_research(&tokens) };
            let mut entities = Vec::new();
            let start = Instant::now();
            mention::find(&note, &mut mention::Carry::default(), &mut entities);
            round[2] += start.elapsed().as_nanos();
            research += usize::from(note.research);
        }
        for (least, now) in took.iter_mut().zip(round) {
            *least = now.min(*least);
        }
    }
    println!("{} texts, {bytes} bytes, {research} about research", texts.len());
    for (name, nanos) in ["tokens", "sentences", "mentions", "all steps"].iter().zip(took) {
        let each = nanos as f64 / 1000.0 / kilo;
        println!("{name:<12} {each:8.1} microseconds for 4 kB");
    }
    Ok(())
}
