//! Times FHIRPath expressions on resources: see README.md.
//!
//! `cargo bench --no-default-features --bench fhirpath -- expressions FILE NDJSON` prints one JSON line for each expression: µs for a
//! resource, and how much all results weigh, so that a peer's can be compared. `-- invariants NDJSON` times all invariants of R4 on each
//! resource as a whole, beside the official JSON schema where SCHEMA names its file.

use fhirlake::json::{self, Limits, Node};
use fhirlake::model::{self, Kind, TypeId};
use fhirlake::path::eval::{Item, Program, Scope};
use std::collections::HashMap;
use std::hint::black_box;
use std::time::Instant;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["expressions", file, resources] => expressions(file, resources),
        ["invariants", resources] => invariants(resources),
        _ => println!("skipped: nothing asked for (expressions FILE NDJSON | invariants NDJSON)"),
    }
}

fn read(path: &str) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| {
        eprintln!("{path}: {error}");
        std::process::exit(2)
    })
}

/// The containers of each resource type.
fn resources(path: &str) -> HashMap<String, Vec<Vec<u8>>> {
    let mut by_type: HashMap<String, Vec<Vec<u8>>> = HashMap::new();
    for line in read(path).lines() {
        let Ok(container) = json::parse(line.as_bytes(), &Limits::default()) else { continue };
        let Some(ty) = json::root(&container).and_then(|node| node.get("resourceType")).and_then(Node::as_str).map(str::to_owned) else { continue };
        by_type.entry(ty).or_default().push(container);
    }
    by_type
}

/// The least of several rounds, in seconds.
fn best(mut round: impl FnMut()) -> f64 {
    let once = |round: &mut dyn FnMut()| {
        let begin = Instant::now();
        round();
        begin.elapsed().as_secs_f64()
    };
    let first = once(&mut round);
    let rounds = (0.3 / first.max(1e-6)).clamp(4.0, 400.0) as usize;
    (0..rounds).map(|_| once(&mut round)).fold(first, f64::min)
}

fn expressions(file: &str, path: &str) {
    let by_type = resources(path);
    for line in read(file).lines() {
        let cells: Vec<&str> = line.splitn(3, '\t').collect();
        let [group, ty, expression] = cells[..] else { continue };
        let Some(documents) = by_type.get(ty) else { continue };
        let program = Program::compile(expression, model::type_named(ty)).unwrap_or_else(|error| panic!("{expression}: {error}"));
        let (mut items, mut failed) = (0usize, 0usize);
        let mut run = |count: &mut dyn FnMut(usize)| {
            for document in documents {
                let Some(node) = json::root(document) else { continue };
                match program.evaluate(Item::resource(node), &Scope::of(node)) {
                    Ok(found) => count(black_box(found).len()),
                    Err(_) => failed += 1,
                }
            }
        };
        run(&mut |found| items += found);
        let seconds = best(|| run(&mut |_| {}));
        assert_eq!(failed, 0, "{expression}");
        let us = seconds * 1e6 / documents.len() as f64;
        println!("{}", serde_json::json!({"group": group, "type": ty, "expression": expression, "resources": documents.len(), "items": items, "us": us}));
    }
}

/// Every invariant of a type of element with the type, its bases, and the paths that lead to it.
struct Invariants {
    by_place: HashMap<&'static str, Vec<Program>>,
}

fn invariants(path: &str) {
    let mut by_place: HashMap<&'static str, Vec<Program>> = HashMap::new();
    for invariant in model::INVARIANTS {
        let program = Program::compile_lenient(invariant.expression, model::type_named(invariant.path));
        by_place.entry(invariant.path).or_default().push(program.unwrap_or_else(|error| panic!("{}: {error}", invariant.key)));
    }
    let invariants = Invariants { by_place };
    // The programs of each type of element are looked up once, as a validator does.
    let mut of_type: Vec<Vec<&Program>> = Vec::new();
    for (number, _) in model::TYPES.iter().enumerate() {
        let ty = TypeId(number as u16);
        let mut programs = Vec::new();
        let mut next = Some(ty);
        while let Some(ty) = next {
            programs.extend(invariants.by_place.get(ty.name()).into_iter().flatten());
            next = ty.get().base;
        }
        of_type.push(programs);
    }
    let by_type = resources(path);
    let count: usize = by_type.values().map(Vec::len).sum();
    let mut evaluations = 0usize;
    let all = |evaluations: &mut usize| {
        for document in by_type.values().flatten() {
            let Some(node) = json::root(document) else { continue };
            let Some(item) = Item::resource(node) else { continue };
            walk(&item, &of_type, node, evaluations);
        }
    };
    all(&mut evaluations);
    let seconds = best(|| all(&mut 0));
    let none: Vec<Vec<&Program>> = Vec::new();
    let walking = best(|| {
        for node in by_type.values().flatten().filter_map(|document| json::root(document)) {
            if let Some(item) = Item::resource(node) {
                walk(&item, &none, node, &mut 0);
            }
        }
    });
    println!(
        "all invariants: {:.2} µs a resource with the walk to each element, {:.2} without, {:.3} µs an evaluation ({count} resources, {evaluations} evaluations)",
        seconds * 1e6 / count as f64,
        (seconds - walking) * 1e6 / count as f64,
        (seconds - walking) * 1e6 / evaluations as f64
    );
    if let Ok(schema) = std::env::var("SCHEMA") {
        schema_of(&schema, path, count);
    }
}

fn walk(item: &Item<'_>, of_type: &[Vec<&Program>], resource: Node<'_>, evaluations: &mut usize) {
    let Some(ty) = item.ty() else { return };
    for program in of_type.get(usize::from(ty.0)).into_iter().flatten() {
        *evaluations += 1;
        let _ = black_box(program.truth(item.clone(), &Scope::of(resource)));
    }
    let Some(Node::Object(object)) = item.node() else { return };
    for (key, node) in object.iter() {
        let Some(field) = ty.get().field(key) else { continue };
        for node in node.items() {
            let item = Item::element(node, field.ty, None);
            let resource = if item.ty().is_some_and(|ty| ty.get().kind == Kind::Resource) { node } else { resource };
            walk(&item, of_type, resource, evaluations);
        }
    }
}

/// The jsonschema crate with the official schema, on the same resources.
fn schema_of(schema: &str, path: &str, count: usize) {
    let schema: serde_json::Value = serde_json::from_str(&read(schema)).unwrap_or_default();
    let Ok(validator) = jsonschema::validator_for(&schema) else {
        println!("the schema does not compile");
        return;
    };
    let documents: Vec<serde_json::Value> = read(path).lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let begin = Instant::now();
    let valid = documents.iter().filter(|document| black_box(validator.is_valid(document))).count();
    println!("jsonschema: {:.2} µs a resource ({valid} valid)", begin.elapsed().as_secs_f64() * 1e6 / count as f64);
}
