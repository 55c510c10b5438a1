//! Times validation of lines of NDJSON that are parsed already: ours at each level that needs no lake, and the crate `jsonschema` with the
//! official JSON Schema of R4. See README.md.
//!
//!     validate SCHEMA.json NAME=FILE.ndjson…
//!
//! Prints lines of columns with a tab between: data, way, resources, microseconds for each, how many are valid.

use fhirlake::json::{self, Limits};
use fhirlake::validate::schema::Schema;
use fhirlake::validate::{Level, Severity, World, check};
use serde_json::{Value, json};
use std::hint::black_box;
use std::ops::ControlFlow;
use std::time::Instant;

const ROUNDS: usize = 5;

fn go_on() {}

/// The official schema, with a look at the resourceType in front: its root asks 146 types one after the other.
fn dispatched(schema: &Value) -> Value {
    let types = schema.pointer("/discriminator/mapping").and_then(Value::as_object).cloned().unwrap_or_default();
    let branches: Vec<Value> =
        types.iter().map(|(name, reference)| json!({"if": {"properties": {"resourceType": {"const": name}}}, "then": {"$ref": reference}})).collect();
    let names: Vec<&String> = types.keys().collect();
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "type": "object", "required": ["resourceType"], "properties": {"resourceType": {"enum": names}},
        "allOf": branches, "definitions": schema["definitions"],
    })
}

/// The best of some rounds.
fn time(data: &str, way: &str, count: usize, mut valid: impl FnMut(usize) -> bool) {
    let mut best = f64::INFINITY;
    let mut right = 0;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        right = (0..count).filter(|i| black_box(valid(*i))).count();
        best = best.min(start.elapsed().as_secs_f64());
        if best > 20.0 {
            break;
        }
    }
    println!("{data}\t{way}\t{count}\t{:.3}\t{right}", best * 1e6 / count as f64);
}

fn main() -> Result<(), String> {
    let mut arguments = std::env::args().skip(1).filter(|a| !a.starts_with('-'));
    let Some(official) = arguments.next() else {
        println!("skipped: see benches/validate/run");
        return Ok(());
    };
    let official: Value = serde_json::from_str(&std::fs::read_to_string(official).map_err(|e| e.to_string())?).map_err(|e| e.to_string())?;
    let dispatched = dispatched(&official);
    let root = jsonschema::options().build(&official).map_err(|e| e.to_string())?;
    let by_type = jsonschema::options().build(&dispatched).map_err(|e| e.to_string())?;
    let bytes = json::parse(dispatched.to_string().as_bytes(), &Limits::default()).map_err(|e| format!("{e:?}"))?;
    let stored = Schema::compile(json::root(&bytes).ok_or("no schema")?).map_err(|e| e.to_string())?;

    for argument in arguments {
        let (data, file) = argument.split_once('=').ok_or("NAME=FILE")?;
        let text = std::fs::read_to_string(file).map_err(|e| e.to_string())?;
        let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
        let containers: Vec<Vec<u8>> = lines.iter().filter_map(|line| json::parse(line.as_bytes(), &Limits::default()).ok()).collect();
        let trees: Vec<Value> = lines.iter().filter_map(|line| serde_json::from_str(line).ok()).collect();
        let count = containers.len().min(trees.len());
        for level in [Level::Structure, Level::Invariants] {
            time(data, level.name(), count, |i| {
                let mut valid = true;
                if let Some(node) = json::root(&containers[i]) {
                    check(node, level, &World::default(), &mut |issue| {
                        valid &= issue.severity > Severity::Error;
                        if valid { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
                    });
                }
                valid
            });
        }
        time(data, "jsonschema, by type", count, |i| by_type.is_valid(&trees[i]));
        time(data, "fhir.matches_schema, by type", count, |i| json::root(&containers[i]).is_some_and(|node| stored.matches(node, go_on) == Ok(true)));
        time(data, "jsonschema, as published", count, |i| root.is_valid(&trees[i]));
    }
    Ok(())
}
