use super::*;
use crate::index::Keys;
use crate::index::stamp;
use crate::json::{self, Limits};
use crate::path::eval::{Item, Program, Scope};
use serde_json::Value;
use std::collections::HashMap;
use std::io::Read;

fn ty(name: &str) -> TypeId {
    type_named(name).unwrap()
}

fn text(name: &str, expression: &str, value: &str) -> Option<String> {
    column(ty(name), Function::Text, expression)?.any_of([value])
}

#[test]
fn columns_are_found_by_the_parameters_that_read_them() {
    for (name, expression, value, expected) in [
        ("Observation", "code.coding.first().code", "8480-6", "Observation!?code=8480-6"),
        ("Observation", "Observation.code.coding[0].code", "8480-6", "Observation!?code=8480-6"),
        ("Observation", "code.coding.where(system = 'http://loinc.org').code.first()", "8480-6", "Observation!?code=http://loinc.org|8480-6"),
        ("Observation", "code.coding.where(system = 'a|b' and userSelected).code", "x,y", "Observation!?code=a\\|b|x\\,y"),
        ("Observation", "category.first().coding.first().code", "laboratory", "Observation!?category=laboratory"),
        ("Observation", "code.coding.system.first()", "http://loinc.org", "Observation!?code=http://loinc.org|"),
        ("Observation", "status", "final", "Observation!?status=final"),
        ("Observation", "subject.getReferenceKey(Patient)", "x", "Observation!?patient:$to=Patient/x"),
        ("Observation", "subject.getReferenceKey()", "x", "Observation!?subject:$to=x"),
        ("Observation", "subject.reference", "Patient/x", "Observation!?subject=Patient/x"),
        ("Observation", "value.ofType(CodeableConcept).coding.first().code", "a b", "Observation!?value-concept=a%20b"),
        ("Encounter", "participant.individual.getReferenceKey(Practitioner).first()", "x", "Encounter!?participant:$to=Practitioner/x"),
        ("Patient", "gender", "male", "Patient!?gender=male"),
        ("Patient", "(name.family).single()", "Müller & Co", "Patient!?family:exact=Müller%20%26%20Co"),
        ("Patient", "name.where(use = 'official').given.first()", "Ann", "Patient!?given:exact=Ann"),
        ("Patient", "identifier.where(system = 'urn:mrn').value.first()", "7", "Patient!?identifier=urn:mrn|7"),
        ("Patient", "identifier.first().value", "7", "Patient!?identifier=7"),
        ("Patient", "telecom.where(system = 'email').value.first()", "a@b.c", "Patient!?telecom=a@b.c"),
        ("Patient", "address.first().city", "Bonn", "Patient!?address-city:exact=Bonn"),
        ("ValueSet", "url", "http://x.org/v|1", "ValueSet!?url=http://x.org/v\\|1"),
        ("Patient", "meta.profile.first()", "http://x.org/p", "Patient!?_profile=http://x.org/p"),
    ] {
        assert_eq!(text(name, expression, value).as_deref(), Some(expected), "{name} {expression}");
    }
}

#[test]
fn what_the_keys_cannot_tell_is_not_asked_for() {
    for (name, expression, value) in [
        ("Observation", "id", "x"),
        ("Observation", "code.text", "x"),
        ("Observation", "code.coding.first().display", "x"),
        ("Observation", "code", "x"),
        ("Observation", "code.coding.code.upper()", "x"),
        ("Observation", "value", "x"),
        ("Observation", "nonsense", "x"),
        ("Observation", "code.coding.first().code & 'x'", "x"),
        ("Observation", "code.coding.code | status", "x"),
        ("Observation", "iif(true, status, status)", "final"),
        ("Observation", "(", "x"),
        ("Observation", "effective", "2020"),
        ("Observation", "subject.getReferenceKey(Patient)", "a b"),
        ("Observation", "subject.reference", "#p"),
        ("Observation", "status", ""),
        ("Observation", "status", "{}"),
        ("Observation", "extension('x').value.ofType(code)", "x"),
        ("Patient", "active", "true"),
        ("Patient", "contained.code", "x"),
        ("Patient", "Observation.status", "x"),
        ("Patient", "multipleBirth.ofType(integer)", "1"),
    ] {
        assert_eq!(text(name, expression, value), None, "{name} {expression}");
    }
}

#[test]
fn several_values_are_one_search() {
    let column = column(ty("Observation"), Function::Text, "code.coding.first().code").unwrap();
    assert_eq!(column.any_of(["a", "b", "a"]).as_deref(), Some("Observation!?code=a,b"));
    assert_eq!(column.any_of(["a", ""]), None);
    assert_eq!(column.any_of([]), None);
    assert!(column.takes_texts());
    assert_eq!(column.between(Function::Text, Some(0), None), None);
}

/// The bounds of a timing count only where it has no event.
const EFFECTIVE: &str = "(effective.ofType(dateTime) | effective.ofType(instant) | effective.ofType(Period).start | effective.ofType(Timing).event.first() | effective.ofType(Timing).repeat.bounds.ofType(Period).start).first()";

#[test]
fn the_bounds_of_a_timing_are_not_asked_for_beside_its_events() {
    let observation = ty("Observation");
    let known = |expression: &str| column(observation, Function::Timestamp, expression).is_some();
    let (event, start) = ("effective.ofType(Timing).event.first()", "effective.ofType(Timing).repeat.bounds.ofType(Period).start");
    assert!(known(event) && known(EFFECTIVE));
    assert!(!known(start) && !known(&format!("({start} | {event}).first()")) && !known(&format!("({event} | {start}).last()")));
    assert!(!known(&format!("({event} | {start} | effective.ofType(Timing).repeat.bounds.ofType(Period).end).first()")));
    assert!(!known(&format!("({event} | {start} | {start}.first()).first()")));
    // an event, and bounds that are no period
    for timing in [
        r#"{"event":["2020-05-01","2030"],"repeat":{"boundsPeriod":{"start":"2022","end":"2001"}}}"#,
        r#"{"event":["2020-05-01T10","2030"],"repeat":{"boundsPeriod":{"start":"2022","end":"2001"}}}"#,
        r#"{"event":[null],"repeat":{"boundsPeriod":{"start":"2022","end":"2001"}}}"#,
        r#"{"repeat":{"boundsPeriod":{"start":"2022"}}}"#,
    ] {
        let document: Value = serde_json::from_str(&format!(r#"{{"resourceType":"Observation","effectiveTiming":{timing}}}"#)).unwrap();
        let mut score = Score::default();
        judge_one(observation, EFFECTIVE, &document, &mut score);
        assert!(score.wrong.is_empty(), "{:?}", score.wrong);
    }
}

/// Asks for the instant that an expression gives, if any.
fn judge_one(ty: TypeId, expression: &str, document: &Value, score: &mut Score) {
    let bytes = json::parse(document.to_string().as_bytes(), &Limits::default()).unwrap();
    let node = json::root(&bytes).unwrap();
    let stamp = stamp(node);
    let (program, scope) = (Program::compile(expression, None).unwrap(), Scope::of(node));
    let found = program.evaluate(Item::any(node), &scope).unwrap();
    let (Some(at), Some(column)) = (found.first().and_then(Item::to_microseconds), column(ty, Function::Timestamp, expression)) else { return };
    for (low, high) in [(Some(at), None), (None, Some(at)), (Some(at), Some(at)), (Some(at - DAY), Some(at + 1))] {
        // at the ends of time nothing is bounded
        let Some(search) = column.between(Function::Timestamp, low, high) else { continue };
        score.found(&search, Keys::read(&stamp.keys).unwrap(), document, expression);
    }
}

#[test]
fn dates_are_bounded() {
    let search = |name: &str, function, expression: &str, low: Option<&str>, high: Option<&str>| {
        let at = |text: Option<&str>| text.map(|text| time::parse(text).unwrap().low);
        column(ty(name), function, expression)?.between(function, at(low), at(high))
    };
    let (day, instant) = (Function::Date, Function::Timestamp);
    for (name, function, expression, low, high, expected) in [
        ("Observation", instant, "effective.ofType(dateTime)", Some("2020"), None, "Observation!?date=ge2020-01-01"),
        ("Observation", instant, "effective.ofType(dateTime)", Some("2020"), Some("2020-02-01T10:00:00Z"), "Observation!?date=ge2020-01-01&date=lt2020-02-01T10:00:00.000001Z"),
        // the day of 2020-01-01T05:00+14:00 is the first of January there, and the last of December in UTC
        ("Observation", day, "effective.ofType(dateTime)", Some("2020"), None, "Observation!?date=ge2019-12-31T09:00:00Z"),
        ("Observation", day, "effective as dateTime", None, Some("2020"), "Observation!?date=lt2020-01-02T15:00:00Z"),
        ("Observation", instant, "effective.ofType(Period).start", Some("2020"), None, "Observation!?date:$if-any=ge2020-01-01"),
        ("Encounter", instant, "period.end", Some("2020"), None, "Encounter!?date:$if-any=gt2019-12-31T23:59:59.999999Z"),
        ("Encounter", instant, "period.end", None, Some("2020"), "Encounter!?date:$if-any=lt2021-01-02"),
        ("Patient", day, "birthDate", Some("1970-05-01"), Some("1970-05-01"), "Patient!?birthdate=ge1970-05-01&birthdate=lt1970-05-02"),
        ("Observation", instant, EFFECTIVE, Some("2020"), Some("2020-02-01"), "Observation!?date:$if-any=ap2020-01-01T00:00:00Z/2020-02-01T00:00:00.000001Z"),
        ("Observation", instant, "effective", Some("2020"), None, "Observation!?date=ge2020-01-01"),
    ] {
        assert_eq!(search(name, function, expression, low, high).as_deref(), Some(expected), "{name} {expression}");
    }
    assert_eq!(search("Patient", day, "birthDate", Some("0001"), None), None);
    assert_eq!(search("Patient", day, "name.period.start.first()", Some("2020"), None), None);
    let all = column(ty("Patient"), day, "birthDate").unwrap();
    assert_eq!(all.between(day, Some(i64::MIN), Some(i64::MAX)), None);
    assert!(all.between(day, Some(i64::MAX), Some(i64::MIN)).is_some_and(|search| is_readable(&search)));
}

#[test]
fn conditions_of_a_view_are_searches() {
    for (name, expression, expected) in [
        ("Observation", "code.coding.exists(system = 'http://loinc.org' and code = '85354-9')", "Observation!?code=http://loinc.org|85354-9"),
        ("Observation", "code.coding.where('85354-9' = code).exists() and status = 'final'", "Observation!?code=85354-9 Observation!?status=final"),
        ("Patient", "name.exists(use = 'official')", ""),
        ("Patient", "gender = 'male'", "Patient!?gender=male"),
        ("Patient", "'male' = gender", "Patient!?gender=male"),
        ("Patient", "gender = 'male' or active", ""),
        ("Patient", "gender != 'male'", ""),
        ("Patient", "active", ""),
        ("Patient", "(gender = 'male').not()", ""),
        ("Observation", "code.coding.exists(code = 'a' or code = 'b')", ""),
        ("Observation", "subject.getReferenceKey(Patient) = 'x'", "Observation!?patient:$to=Patient/x"),
    ] {
        assert_eq!(conditions(ty(name), expression).join(" "), expected, "{expression}");
    }
}

/// A stream of numbers that only depends on its seed.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) as usize % n.max(1)
    }
}

fn examples() -> Option<Vec<Value>> {
    let folder = std::env::var("FHIRLAKE_DATA").unwrap_or_else(|_| "../shared/data".to_owned());
    let Ok(file) = std::fs::File::open(format!("{folder}/r4/r4-examples.ndjson.gz")) else {
        println!("skipped: no examples of the specification in {folder}");
        return None;
    };
    let mut text = String::new();
    flate2::read::MultiGzDecoder::new(file).read_to_string(&mut text).unwrap();
    Some(text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect())
}

/// The expressions that lead to the leaves of a document, down to a depth.
fn expressions(ty: TypeId, value: &Value, path: &str, depth: usize, numbers: &mut Numbers, found: &mut Vec<String>) {
    let Some(object) = value.as_object().filter(|_| depth > 0) else { return };
    for (name, value) in object {
        let Some(field) = ty.get().field(name) else { continue };
        let element = &ty.get().elements[usize::from(field.element)];
        let mut step = element.name.to_owned();
        if element.is_choice {
            step = match numbers.below(4) {
                0 => step,
                1 => format!("{step}.as({})", field.ty.name()),
                _ => format!("{step}.ofType({})", field.ty.name()),
            };
        }
        let first = match value {
            Value::Array(items) => items.first().unwrap_or(&Value::Null),
            value => value,
        };
        let system = first.get("system").and_then(Value::as_str).filter(|_| numbers.below(2) == 0);
        step = match (system, numbers.below(8)) {
            (Some(system), _) => format!("{step}.where(system = '{}')", system.replace('\\', "\\\\").replace('\'', "\\'")),
            (None, 0) => format!("{step}[0]"),
            (None, 1 | 2) => format!("{step}.first()"),
            (None, 3) => format!("{step}.last()"),
            _ => step,
        };
        let whole = if path.is_empty() { step } else { format!("{path}.{step}") };
        match first {
            Value::Object(_) => {
                if field.ty == model::REFERENCE {
                    let target = first.get("reference").and_then(Value::as_str).and_then(|text| reference::target(text).ty());
                    found.push(format!("{whole}.getReferenceKey()"));
                    found.extend(target.map(|ty| format!("{whole}.getReferenceKey({})", ty.name())));
                }
                expressions(field.ty, first, &whole, depth - 1, numbers, found);
            }
            _ => found.push(whole),
        }
    }
}

/// A value where none belongs, too many of them, or one that is not quite right.
fn spoil(value: &mut Value, numbers: &mut Numbers) {
    match value {
        Value::Object(object) if !object.is_empty() && numbers.below(9) > 0 => {
            let at = numbers.below(object.len());
            let name = object.keys().nth(at).unwrap().clone();
            if name == "resourceType" {
                return;
            }
            if name == "effectiveDateTime" && numbers.below(2) == 0 {
                object.insert("effectivePeriod".into(), serde_json::json!({"start": "2030", "end": "2000"}));
            }
            spoil(object.get_mut(&name).unwrap(), numbers);
        }
        Value::Array(items) if !items.is_empty() && numbers.below(9) > 0 => {
            let at = numbers.below(items.len());
            spoil(&mut items[at], numbers);
        }
        value => {
            const ODD: [&str; 22] = [
                "7", "1.50", "true", "null", "\"\"", "\" a \"", "\"A,b|c$d\\\\e\"", "[\"x\"]", "[]", "{}", "\"2015T\"", "\"2015-02-04T10\"", "\"2015-02-04T10:00Z\"",
                "\"2015-02-30\"", "\"2015-02\"", "\"9999-12-31T23:59:60-14:00\"", "\"0001-01-01T00:00:00+14:00\"", "\"Patient/a/_history/2\"",
                "\"http://x.org/Patient/a\"", "\"Patient/a|2\"", "\"#a\"", "{\"start\":\"2020\",\"end\":\"2019\"}",
            ];
            *value = match numbers.below(ODD.len() + 4) {
                n if n < ODD.len() => serde_json::from_str(ODD[n]).unwrap(),
                n if n < ODD.len() + 2 => Value::Array(vec![value.take()]),
                _ => match value.take() {
                    Value::String(text) => text.parse::<i64>().map_or(Value::String(text + "é &"), |number| number.into()),
                    other => Value::Array(vec![other.clone(), other]),
                },
            };
        }
    }
}

#[derive(Default)]
struct Score {
    conditions: usize,
    implied: usize,
    texts: HashMap<String, usize>,
    wrong: Vec<String>,
}

impl Score {
    fn found(&mut self, search: &str, keys: Keys, document: &Value, why: &str) {
        self.implied += 1;
        *self.texts.entry(search.split('=').next().unwrap_or_default().to_owned()).or_default() += 1;
        match Query::parse(search) {
            Ok(query) if query.matches(keys) => {}
            Ok(_) => self.wrong.push(format!("{why}: {search} misses {document}")),
            Err(error) => self.wrong.push(format!("{why}: {search}: {error:?}")),
        }
    }
}

fn judge(document: &Value, numbers: &mut Numbers, programs: &mut HashMap<String, Option<Program>>, score: &mut Score) {
    let Some(ty) = document.get("resourceType").and_then(Value::as_str).and_then(type_named).filter(|ty| ty.is_concrete_resource()) else { return };
    let Ok(bytes) = json::parse(document.to_string().as_bytes(), &Limits::default()) else { return };
    let node = json::root(&bytes).unwrap();
    let stamp = stamp(node);
    let keys = Keys::read(&stamp.keys).unwrap();
    let scope = Scope::of(node);
    let mut all = Vec::new();
    expressions(ty, document, "", 4, numbers, &mut all);
    for expression in all {
        let program = programs.entry(expression.clone()).or_insert_with(|| Program::compile(&expression, None).ok());
        let Some(program) = program else { continue };
        let mut first = None;
        let outcome = program.for_each(Item::any(node), &scope, &mut |item| {
            first = Some(item);
            false
        });
        let (Ok(_), Some(item)) = (outcome, first) else { continue };
        score.conditions += 1;
        if let Some(value) = item.to_text().map(|text| text.into_owned()) {
            if let Some(search) = column(ty, Function::Text, &expression).and_then(|column| column.any_of([value.as_str(), "other"])) {
                score.found(&search, keys, document, &format!("{expression} = {value}"));
            }
            let literal = value.replace('\\', "\\\\").replace('\'', "\\'");
            let conditions = match expression.rsplit_once('.') {
                Some((of, "code")) => vec![format!("{expression} = '{literal}'"), format!("{of}.exists(code = '{literal}')"), format!("{of}.where(code = '{literal}').exists() and true")],
                _ => vec![format!("{expression} = '{literal}'")],
            };
            for condition in conditions {
                let Ok(program) = Program::compile(&condition, None) else { continue };
                if program.truth(Item::any(node), &scope) == Ok(Some(true)) {
                    for search in super::conditions(ty, &condition) {
                        score.found(&search, keys, document, &condition);
                    }
                }
            }
        }
        const OFF: [i64; 7] = [0, 1, 999_999, 1_000_000, HOUR, DAY, 400 * DAY];
        let values = [(Function::Date, item.to_days().map(|days| i64::from(days) * DAY)), (Function::Timestamp, item.to_microseconds())];
        for (function, value) in values {
            let (Some(value), Some(column)) = (value, column(ty, function, &expression)) else { continue };
            let (low, high) = (value - OFF[numbers.below(OFF.len())], value + OFF[numbers.below(OFF.len())]);
            for (low, high) in [(Some(value), Some(value)), (Some(low), None), (None, Some(high)), (Some(low), Some(high)), (Some(value), None), (None, Some(value))] {
                if let Some(search) = column.between(function, low, high) {
                    score.found(&search, keys, document, &format!("{function:?} {expression} {low:?} {high:?}"));
                }
            }
        }
    }
}

fn verdict(score: Score, least: usize) {
    let mut texts: Vec<_> = score.texts.iter().collect();
    texts.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    println!("{} conditions, {} implied, by {} parameters: {:?}", score.conditions, score.implied, texts.len(), &texts[..texts.len().min(40)]);
    assert!(score.wrong.is_empty(), "{} wrong:\n{}", score.wrong.len(), score.wrong[..score.wrong.len().min(8)].join("\n"));
    assert!(score.implied >= least);
}

#[test]
fn what_is_implied_finds_what_the_condition_holds_of() {
    let Some(examples) = examples() else { return };
    let (mut numbers, mut programs, mut score) = (Numbers(7), HashMap::new(), Score::default());
    for document in &examples {
        judge(document, &mut numbers, &mut programs, &mut score);
        if document["resourceType"] == "Observation" {
            judge_one(ty("Observation"), EFFECTIVE, document, &mut score);
        }
    }
    verdict(score, 10_000);
}

#[test]
fn so_it_does_in_resources_that_are_not_valid() {
    let Some(examples) = examples() else { return };
    let (mut numbers, mut programs, mut score) = (Numbers(8), HashMap::new(), Score::default());
    for round in 0..3 {
        for document in &examples {
            let mut document = document.clone();
            for _ in 0..=2 + 4 * round {
                spoil(&mut document, &mut numbers);
            }
            judge(&document, &mut numbers, &mut programs, &mut score);
            if document["resourceType"] == "Observation" {
                judge_one(ty("Observation"), EFFECTIVE, &document, &mut score);
            }
        }
    }
    verdict(score, 10_000);
}
