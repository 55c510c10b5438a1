//! Times validation of lines of NDJSON that are parsed already: ours at each level that needs no lake, and the crate `jsonschema` with the
//! official JSON Schema of R4. See README.md.
//!
//!     validate SCHEMA.json NAME=FILE.ndjson…
//!
//! Prints lines of columns with a tab between: data, way, resources, microseconds for each, how many are valid.

use fhirlake::json::{self, Limits};
use fhirlake::validate::schema::Schema;
use fhirlake::validate::{Level, Severity, World, check};
use serde_json::Value;
use std::hint::black_box;
use std::ops::ControlFlow;

const ROUNDS: usize = 5;

fn go_on() {}

/// Nanoseconds that this thread had a processor: what else runs on the machine does not count.
fn cpu() -> u64 {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    told.split(' ').next().and_then(|first| first.parse().ok()).unwrap_or_default()
}

/// A way to validate the resource of a number.
type Way<'w> = (&'w str, Box<dyn Fn(usize) -> bool + 'w>);

/// The best of some rounds of each, all in turn.
fn time(data: &str, count: usize, ways: &[Way<'_>]) {
    let mut best = vec![(u64::MAX, 0); ways.len()];
    for _ in 0..ROUNDS {
        for ((_, valid), best) in ways.iter().zip(&mut best) {
            let start = cpu();
            let right = (0..count).filter(|i| black_box(valid(*i))).count();
            *best = (*best).min((cpu() - start, right));
        }
    }
    for ((way, _), (nanoseconds, right)) in ways.iter().zip(best) {
        println!("{data}\t{way}\t{count}\t{:.3}\t{right}", nanoseconds as f64 / 1e3 / count as f64);
    }
}

/// Whether ours finds no error.
fn is_valid(container: &[u8], level: Level) -> bool {
    let Some(node) = json::root(container) else { return false };
    let mut valid = true;
    let _ = check(node, level, &World::default(), &mut |issue| {
        valid &= issue.severity > Severity::Error;
        if valid { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    valid
}

fn main() -> Result<(), String> {
    let mut arguments = std::env::args().skip(1).filter(|a| !a.starts_with('-'));
    let Some(official) = arguments.next() else {
        println!("skipped: see benches/validate/run");
        return Ok(());
    };
    let text = std::fs::read_to_string(official).map_err(|e| e.to_string())?;
    let official: Value = serde_json::from_str(&text).map_err(|e| e.to_string())?;
    let root = jsonschema::options().build(&official).map_err(|e| e.to_string())?;
    let by_type = jsonschema::options().build_map(&official).map_err(|e| e.to_string())?;
    let bytes = json::parse(text.as_bytes(), &Limits::default()).map_err(|e| format!("{e:?}"))?;
    let stored = Schema::compile(json::root(&bytes).ok_or("no schema")?).map_err(|e| e.to_string())?;

    for argument in arguments {
        let (data, file) = argument.split_once('=').ok_or("NAME=FILE")?;
        let text = std::fs::read_to_string(file).map_err(|e| e.to_string())?;
        let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
        let containers: Vec<Vec<u8>> = lines.iter().filter_map(|line| json::parse(line.as_bytes(), &Limits::default()).ok()).collect();
        let trees: Vec<Value> = lines.iter().filter_map(|line| serde_json::from_str(line).ok()).collect();
        let definition = |tree: &Value| tree.get("resourceType").and_then(Value::as_str).and_then(|ty| by_type.get(&format!("#/definitions/{ty}")));
        let count = containers.len().min(trees.len());
        time(data, count, &[
            ("structure", Box::new(|i| is_valid(&containers[i], Level::Structure))),
            ("invariants", Box::new(|i| is_valid(&containers[i], Level::Invariants))),
            ("jsonschema", Box::new(|i| root.is_valid(&trees[i]))),
            ("jsonschema, asked for the type", Box::new(|i| definition(&trees[i]).is_some_and(|validator| validator.is_valid(&trees[i])))),
            ("fhir.matches_schema", Box::new(|i| json::root(&containers[i]).is_some_and(|node| stored.matches(node, go_on) == Ok(true)))),
        ]);
    }
    Ok(())
}
