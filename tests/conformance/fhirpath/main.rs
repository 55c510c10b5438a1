//! The official FHIRPath suite for R4 against the engine, and all invariants of R4 on the specification's examples.
//!
//! `fhirpath-suite suite FOLDER KNOWN` prints what passed and failed by group, and every failure. KNOWN lists failures with their reasons:
//! `group`, `name`, `reason`, parted by tabs. `fhirpath-suite invariants NDJSON` prints what does not hold, and fails where an evaluation does.

use fhirlake::json::{self, Limits, Node};
use fhirlake::model::{self, Kind, TypeId, is_a};
use fhirlake::path::eval::{Item, Program, Scope, System};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match arguments.as_slice() {
        ["suite", folder, known] => suite(folder, known),
        ["invariants", file] => invariants(file),
        _ => Err("usage: fhirpath-suite suite FOLDER KNOWN | invariants NDJSON".into()),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::from(2)
        }
    }
}

fn read(path: &str) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))
}

fn container(text: &str) -> Result<Vec<u8>, String> {
    json::parse(text.as_bytes(), &Limits::default()).map_err(|error| error.message.to_string())
}

fn suite(folder: &str, known: &str) -> Result<bool, String> {
    let tests: Vec<Value> = serde_json::from_str(&read(&format!("{folder}/fhirpath-r4.json"))?).map_err(|e| e.to_string())?;
    let mut known: BTreeMap<(String, String), String> = read(known)?
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
        .filter_map(|line| {
            let mut cells = line.splitn(3, '\t').map(str::to_owned);
            Some(((cells.next()?, cells.next()?), cells.next()?))
        })
        .collect();
    let mut inputs: HashMap<String, Vec<u8>> = HashMap::new();
    let mut groups: BTreeMap<String, [usize; 2]> = BTreeMap::new();
    let (mut passed, mut failed, mut unexpected) = (0, 0, 0);
    for test in &tests {
        let text = |key: &str| test[key].as_str().unwrap_or_default().to_owned();
        let input = text("inputJson");
        if !input.is_empty() && !inputs.contains_key(&input) {
            inputs.insert(input.clone(), container(&read(&format!("{folder}/{input}"))?)?);
        }
        let outcome = catch_unwind(AssertUnwindSafe(|| run(test, inputs.get(&input).map(Vec::as_slice))))
            .unwrap_or_else(|_| Err("crashed".into()));
        let group = groups.entry(text("group")).or_default();
        let reason = known.remove(&(text("group"), text("name")));
        match (outcome, reason) {
            (Ok(()), None) => {
                passed += 1;
                group[0] += 1;
            }
            (Ok(()), Some(_)) => {
                passed += 1;
                group[0] += 1;
                unexpected += 1;
                println!("PASSES, though listed as known to fail: {} {}", text("group"), text("name"));
            }
            (Err(problem), reason) => {
                failed += 1;
                group[1] += 1;
                unexpected += usize::from(reason.is_none());
                let reason = reason.map_or("NOT LISTED".into(), |reason| format!("known: {reason}"));
                println!("fails: {} {}: {}: {problem} ({reason})", text("group"), text("name"), text("expression").replace('\n', " "));
            }
        }
    }
    for (group, name) in known.keys() {
        unexpected += 1;
        println!("listed as known to fail, but not in the suite: {group} {name}");
    }
    for (group, [passed, failed]) in &groups {
        println!("{group}: {passed} passed, {failed} failed");
    }
    println!("{passed} of {} tests pass, {failed} fail, {unexpected} unexpected", tests.len());
    Ok(unexpected == 0)
}

fn run(test: &Value, input: Option<&[u8]>) -> Result<(), String> {
    let node = input.and_then(json::root);
    let focus = node.and_then(Item::resource);
    let is_invalid = test["invalid"].is_string();
    let expected = test["outputs"].as_array().map(Vec::as_slice).unwrap_or_default();
    let program = match Program::compile(test["expression"].as_str().unwrap_or_default(), focus.as_ref().and_then(Item::ty)) {
        Ok(program) => program,
        Err(_) if is_invalid => return Ok(()),
        Err(error) => return Err(error.to_string()),
    };
    let scope = Scope::of(node.unwrap_or(Node::Null));
    let found: Vec<(String, String)> = if test["predicate"] == Value::Bool(true) {
        match program.truth(focus, &scope) {
            Ok(truth) => truth.iter().map(|truth| ("boolean".into(), truth.to_string())).collect(),
            Err(error) => return Err(error.to_string()),
        }
    } else {
        match program.evaluate(focus, &scope) {
            Ok(items) => items.iter().map(told).collect(),
            Err(_) if is_invalid => return Ok(()),
            Err(error) => return Err(error.to_string()),
        }
    };
    let shown = || found.iter().map(|(ty, value)| format!("{ty} {value}")).collect::<Vec<_>>().join(", ");
    if is_invalid && expected.is_empty() {
        return Err(format!("an error is expected, found {}", shown()));
    }
    let fits = expected.len() == found.len()
        && expected.iter().zip(&found).all(|(expected, (ty, value))| {
            let wanted = expected["value"].as_str().unwrap_or_default();
            let wanted = wanted.strip_prefix("@T").or(wanted.strip_prefix('@')).unwrap_or(wanted);
            expected["type"].as_str().is_none_or(|wanted| wanted == ty) && wanted == value
        });
    if fits { Ok(()) } else { Err(format!("found {}, expected {}", shown(), test["outputs"])) }
}

/// Type and value as the suite writes them.
fn told(item: &Item<'_>) -> (String, String) {
    let value = match item {
        Item::Element(element) => match element.node() {
            Node::String(text) => text.to_owned(),
            node => format!("{node:?}"),
        },
        Item::Boolean(value) => value.to_string(),
        Item::Integer(value) => value.to_string(),
        Item::Decimal(value) => value.to_string(),
        Item::String(text) => text.to_string(),
        Item::Date(moment) | Item::DateTime(moment) | Item::Time(moment) => moment.to_string(),
        Item::Quantity(quantity) => quantity.to_string(),
        Item::Type(name) => format!("{}.{}", name.namespace, name.name),
    };
    let ty = match item.system() {
        None => item.type_name().name.to_owned(),
        Some(System::Quantity) => "Quantity".to_owned(),
        Some(system) => {
            let name = system.name();
            name[..1].to_lowercase() + &name[1..]
        }
    };
    (ty, value)
}

struct Checker {
    programs: HashMap<(&'static str, &'static str), Program>,
    evaluated: usize,
    broken: BTreeMap<(&'static str, &'static str), Vec<String>>,
    failed: usize,
}

fn invariants(file: &str) -> Result<bool, String> {
    let mut programs = HashMap::new();
    for invariant in model::INVARIANTS {
        let ty = model::type_named(invariant.path);
        let program = Program::compile_lenient(invariant.expression, ty).map_err(|e| format!("{} {}: {e}", invariant.path, invariant.key))?;
        programs.insert((invariant.path, invariant.key), program);
    }
    let mut checker = Checker { programs, evaluated: 0, broken: BTreeMap::new(), failed: 0 };
    let mut documents = Vec::new();
    for line in read(file)?.lines() {
        documents.push(container(line)?);
    }
    let begun = std::time::Instant::now();
    for document in &documents {
        if let Some(node) = json::root(document) {
            checker.resource(node, node);
        }
    }
    let took = begun.elapsed();
    for ((path, key), places) in &checker.broken {
        println!("does not hold: {path} {key} on {} elements, such as those of {}", places.len(), places[0]);
    }
    println!("{} resources, {} evaluations in {took:?}, {} failed", documents.len(), checker.evaluated, checker.failed);
    Ok(checker.failed == 0)
}

impl Checker {
    fn resource(&mut self, node: Node<'_>, root: Node<'_>) {
        let Some(item) = Item::resource(node) else { return };
        let Some(ty) = item.ty() else { return };
        self.element(&item, ty.name(), ty, node, root);
    }

    fn element(&mut self, item: &Item<'_>, path: &str, ty: TypeId, resource: Node<'_>, root: Node<'_>) {
        let mut types = vec![ty];
        while let Some(base) = types.last().and_then(|ty| ty.get().base) {
            types.push(base);
        }
        let places = types.iter().map(|ty| ty.name()).chain([path].into_iter().filter(|path| *path != ty.name()));
        for place in places {
            for invariant in model::invariants_at(place) {
                let Some(program) = self.programs.get(&(invariant.path, invariant.key)) else { continue };
                let scope = Scope { root, ..Scope::of(resource) };
                self.evaluated += 1;
                let told = || format!("{}/{}", resource.get("resourceType").and_then(Node::as_str).unwrap_or(""), resource.get("id").and_then(Node::as_str).unwrap_or(""));
                match program.truth(item.clone(), &scope) {
                    Ok(Some(true) | None) => {}
                    Ok(_) => self.broken.entry((invariant.path, invariant.key)).or_default().push(told()),
                    Err(error) => {
                        self.failed += 1;
                        println!("FAILS: {} {} on {}: {error}", invariant.path, invariant.key, told());
                    }
                }
            }
        }
        let Some(Node::Object(object)) = item.node() else { return };
        for (key, node) in object.iter() {
            let Some(field) = ty.get().field(key) else { continue };
            for node in node.items().filter(|node| !node.is_null()) {
                if is_a(field.ty, model::RESOURCE) {
                    self.resource(node, root);
                } else {
                    let sibling = None;
                    let path = format!("{}.{key}", ty.name());
                    debug_assert!(field.ty.get().kind != Kind::Resource);
                    self.element(&Item::element(node, field.ty, sibling), &path, field.ty, resource, root);
                }
            }
        }
    }
}
