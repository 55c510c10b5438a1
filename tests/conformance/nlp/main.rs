//! Scores of the reading of notes on annotated texts: `nlp-scores MODE [--errors] [--data DIR] [--lexicon FILE]`.

mod learn;
mod pubtator;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let mode = arguments.first().map_or("", String::as_str);
    let done = match mode {
        "bc5cdr" | "ncbi" | "learn" | "calibrate" | "speed" => pubtator::run(mode, &arguments[1..]),
        _ => Err(format!("unknown mode: {mode}")),
    };
    if let Err(error) = done {
        eprintln!("{error}");
        std::process::exit(1);
    }
}
