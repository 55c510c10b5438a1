//! Is what the official JSON Schema of R4 refuses refused by our structure level too?

use crate::kinds::{self, Level};
use crate::listed::Listed;
use crate::{Counts, data, places};
use fhirlake::json::{self, Limits, Node};
use fhirlake::validate::is_valid;
use fhirlake::validate::schema::Schema;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

const LIST: &str = "schema-differences.tsv";

/// Mutants of one kind from one resource, and resources of more text are left alone.
const EACH: usize = 3;
const LONGEST: usize = 20_000;

pub fn go_on() {}

/// The official schema, with a look at the resourceType in front: its root asks 146 types one after the other.
pub fn dispatched(schema: &Value) -> Value {
    let types = schema.pointer("/discriminator/mapping").and_then(Value::as_object).cloned().unwrap_or_default();
    let branches: Vec<Value> = types
        .iter()
        .map(|(name, reference)| json!({"if": {"properties": {"resourceType": {"const": name}}}, "then": {"$ref": reference}}))
        .collect();
    let names: Vec<&String> = types.keys().collect();
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "type": "object", "required": ["resourceType"], "properties": {"resourceType": {"enum": names}},
        "allOf": branches, "definitions": schema["definitions"],
    })
}

/// A container of a tree of ours.
pub fn container(value: &Value) -> Option<Vec<u8>> {
    json::parse(value.to_string().as_bytes(), &Limits::default()).ok()
}

pub fn compile(schema: &Value) -> Result<Schema, String> {
    let bytes = container(schema).ok_or("not JSON")?;
    let node = json::root(&bytes).ok_or("not JSON")?;
    Schema::compile(node).map_err(|error| format!("{error:?}"))
}

/// What both say of many resources.
#[derive(Default)]
struct Tally {
    both: usize,
    neither: usize,
    ours_alone: usize,
    schema_alone: usize,
}

struct Comparison {
    quick: Schema,
    listed: Listed,
    unlisted: BTreeMap<String, (usize, String)>,
}

impl Comparison {
    fn one(&mut self, node: Node<'_>, what: &str, tally: &mut Tally) {
        let schema = self.quick.matches(node, go_on).unwrap_or(false);
        let ours = is_valid(node);
        match (ours, schema) {
            (true, true) => tally.neither += 1,
            (false, false) => tally.both += 1,
            (false, true) => tally.ours_alone += 1,
            (true, false) => {
                tally.schema_alone += 1;
                self.differs(node, what);
            }
        }
    }

    /// A difference is known by the keyword of the schema that makes it, with the definition that has it.
    fn differs(&mut self, node: Node<'_>, what: &str) {
        let found = self.quick.mismatches(node, go_on).unwrap_or_default();
        let last = found.iter().rev().find(|m| !matches!(m.keyword.as_str(), "oneOf" | "anyOf"));
        let rule = last.map_or("?".to_owned(), |m| {
            let value = m.path.split('/').skip(1).try_fold(node, |at, key| match at {
                Node::Array(array) => array.get(key.parse().ok()?),
                node => node.get(key),
            });
            match value.and_then(Node::as_str) {
                Some(text) if m.keyword == "pattern" && text.contains(|c: char| c.is_whitespace() && !" \t\r\n".contains(c)) => "pattern, other white space".to_owned(),
                _ => rule(&m.schema_path),
            }
        });
        if !self.listed.has(&rule) {
            let told = last.map_or(String::new(), |m| format!("{what}: {} {}", m.expression, m.details));
            self.unlisted.entry(rule).or_insert((0, told)).0 += 1;
        }
    }
}

/// `date/pattern` for `/definitions/date/pattern`; the property where it says more: `Patient/properties/gender/enum`.
fn rule(schema_path: &str) -> String {
    schema_path.rsplit_once("/definitions/").map_or(schema_path, |(_, rest)| rest).to_owned()
}

/// Values of primitives at the edge of what their formats allow.
fn edges(primitive: &str) -> &'static [&'static str] {
    match primitive {
        "date" | "dateTime" | "instant" => &[
            "\"0001\"", "\"1000\"", "\"2000\"", "\"2020\"", "\"9999\"", "\"0010\"", "\"2000-02-29\"", "\"2020-02-30\"", "\"2020-12-31\"",
            "\"2020-01-01T00:00:00Z\"", "\"2020-01-01T23:59:60Z\"", "\"2020-01-01T00:00:00.123456789+14:00\"", "\"2020-01-01T00:00:00-00:00\"",
            "\"2020-01-01T00:00:00+14:30\"", "\"2020-01-01T24:00:00Z\"", "\"2020-01-01t00:00:00z\"", "\" 2020\"", "\"2020\\n\"",
        ],
        "time" => &["\"00:00:00\"", "\"23:59:60\"", "\"12:00:00.5\"", "\"12:00\"", "\"12:00:00.\"", "\"1:00:00\""],
        "id" => &["\"a\"", "\"-\"", "\".\"", "\"A1\\n\""],
        "code" => &["\"a b\"", "\"a\\u00a0b\"", "\"\\u2003\"", "\"a\\u0085\"", "\"ä\"", "\"a\\u2028b\"", "\"a \\t b\""],
        "string" | "markdown" => &["\" \"", "\"\\t\"", "\"\\u00a0\"", "\"\\u0001\"", "\"\\u2028\"", "\"a\\u000bb\"", "\"\\ud83d\\ude00\""],
        "uri" | "url" | "canonical" => &["\"a\"", "\"\\u00a0\"", "\"a\\u2003b\"", "\"a|b\"", "\"#\"", "\"http://ä\""],
        "oid" => &["\"urn:oid:0.0\"", "\"urn:oid:2.999\"", "\"urn:oid:1.2.\""],
        "uuid" => &["\"urn:uuid:c757873d-ec9a-4326-a141-556f43239520\""],
        "base64Binary" => &["\"\"", "\"QUJD\"", "\"QUI=\"", "\"=\"", "\"ä\""],
        "boolean" => &["true", "false", "\"true\"", "0"],
        "integer" | "unsignedInt" | "positiveInt" => &["0", "1", "-1", "1.0", "1e2", "2147483647", "2147483648", "\"1\"", "1.5"],
        "decimal" => &["0", "-0", "1e400", "1E-400", "0.1000", "\"1\"", "123456789012345678901234567890"],
        _ => &[],
    }
}

pub fn run() -> Counts {
    let (Some(examples), Some(official)) = (data::examples(), data::schema()) else {
        return Counts::skipped("the examples of the specification, or its JSON Schema, are not here (FHIRLAKE_DATA)");
    };
    let official: Value = serde_json::from_str(&official).unwrap_or_default();
    let start = std::time::Instant::now();
    let (root, quick) = match (compile(&official), compile(&dispatched(&official))) {
        (Ok(root), Ok(quick)) => (root, quick),
        (Err(error), _) | (_, Err(error)) => {
            println!("FAILED: the official schema does not compile: {error}");
            return Counts { failed: 1, ..Counts::default() };
        }
    };
    println!("the official schema, twice, compiled in {:.1} s", start.elapsed().as_secs_f64());
    let mut compared = Comparison { quick, listed: Listed::read(LIST), unlisted: BTreeMap::new() };
    let mut counts = Counts::default();

    let (mut tally, mut forms_differ) = (Tally::default(), 0);
    let mut mutants: BTreeMap<&str, Tally> = BTreeMap::new();
    for line in examples.lines().filter(|line| !line.trim().is_empty()) {
        let Ok(bytes) = json::parse(line.as_bytes(), &Limits::default()) else { continue };
        let Some(node) = json::root(&bytes) else { continue };
        compared.one(node, "example", &mut tally);
        forms_differ += usize::from(root.matches(node, go_on) != compared.quick.matches(node, go_on));
        if line.len() > LONGEST {
            continue;
        }
        let resource: Value = serde_json::from_str(line).unwrap_or_default();
        let all = places::places(&resource);
        for kind in kinds::all().filter(|kind| kind.level == Level::Structure) {
            let mut made = 0;
            for place in all.iter().filter(|place| (kind.on)(place)) {
                let mut mutant = resource.clone();
                if !(kind.make)(&mut mutant, place) {
                    continue;
                }
                if let Some(bytes) = container(&mutant)
                    && let Some(node) = json::root(&bytes)
                {
                    compared.one(node, &format!("{} at {}", kind.name, place.text()), mutants.entry(kind.name).or_default());
                }
                made += 1;
                if made == EACH {
                    break;
                }
            }
        }
        // each primitive type once in a resource
        let mut seen = Map::new();
        for place in &all {
            let Some(primitive) = place.primitive().filter(|primitive| seen.insert((*primitive).to_owned(), Value::Null).is_none()) else { continue };
            for edge in edges(primitive) {
                let mut mutant = resource.clone();
                let Some(value) = place.value(&mut mutant) else { continue };
                *value = serde_json::from_str(edge).unwrap_or_default();
                if let Some(bytes) = container(&mutant)
                    && let Some(node) = json::root(&bytes)
                {
                    compared.one(node, &format!("{edge} for {primitive} at {}", place.text()), mutants.entry("values at the edge").or_default());
                }
            }
        }
    }

    println!("{:38} {:>8} {:>8} {:>8} {:>8}", "refused by", "both", "neither", "ours", "schema");
    let line = |name: &str, t: &Tally| println!("{name:38} {:8} {:8} {:8} {:8}", t.both, t.neither, t.ours_alone, t.schema_alone);
    line("examples", &tally);
    let mut sum = Tally::default();
    for (name, t) in &mutants {
        line(name, t);
        sum = Tally { both: sum.both + t.both, neither: sum.neither + t.neither, ours_alone: sum.ours_alone + t.ours_alone, schema_alone: sum.schema_alone + t.schema_alone };
        counts.passed += t.both + t.neither + t.ours_alone;
    }
    line("all mutants", &sum);
    counts.passed += tally.both + tally.neither + tally.ours_alone;
    println!("the schema with its own root says something else of {forms_differ} examples");
    counts.failed += forms_differ;
    println!("refused by the schema alone, for these reasons:");
    counts.failed += compared.listed.tell();
    for (rule, (times, first)) in &compared.unlisted {
        println!("FAILED: {LIST} does not list {rule} ({times} times): {first}");
        counts.failed += times;
    }
    counts
}
