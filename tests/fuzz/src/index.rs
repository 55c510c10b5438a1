//! The index: any text as a search, any bytes as keys, and the promise that ties them: what a scan is sure of matches,
//! and what matches is found.

use fhirlake::index::decimal::{Bound, Decimal};
use fhirlake::index::derived;
use fhirlake::index::keys::{Entry, Value, among};
use fhirlake::index::query::{Comparison, Condition, Leaf, Range, Test, Unit};
use fhirlake::index::scan::{Group, MAX_KEYS, Scan};
use fhirlake::index::time::{self, Interval};
use fhirlake::index::ucum;
use fhirlake::index::{Keys, Query, stamp};
use fhirlake::json::{Limits, parse, root};
use fhirlake::model::{ParameterType, known_parameter_key, type_named};
use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::sync::LazyLock;

/// A keys body with its keys.
struct Document {
    body: Vec<u8>,
    keys: BTreeSet<Vec<u8>>,
}

impl Document {
    fn new(body: Vec<u8>) -> Option<Document> {
        let mut keys = BTreeSet::new();
        Keys::read(&body)?.for_each_key(&mut |key| {
            keys.insert(key.to_vec());
        });
        Some(Document { body, keys })
    }

    fn has(&self, group: &Group, exact_only: bool) -> bool {
        group.keys.iter().filter(|k| k.exact || !exact_only).any(|k| match k.partial {
            // as GIN walks: on while it is less, found where it is equal, an end where it is greater
            true => {
                let mut walk = self.keys.range(k.bytes.clone()..).map(|key| among(&k.bytes, key));
                walk.find(|order| *order != Ordering::Less) == Some(Ordering::Equal)
            }
            false => self.keys.contains(&k.bytes),
        })
    }

    fn check(&self, query: &Query, scan: &Scan) {
        let Some(keys) = Keys::read(&self.body) else { return };
        let matches = query.matches(keys);
        let possible = scan.groups.iter().all(|g| self.has(g, false));
        let certain = !scan.recheck && !scan.groups.is_empty() && scan.groups.iter().all(|g| self.has(g, true));
        assert!(possible || !matches, "not found: {query:?} {:?}", keys.entries().collect::<Vec<_>>());
        assert!(matches || !certain, "found for sure: {query:?} {:?}", keys.entries().collect::<Vec<_>>());
    }
}

/// Keys of a few resources.
pub fn bodies() -> &'static [Vec<u8>] {
    static BODIES: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| documents().iter().map(|d| d.body.clone()).collect());
    &BODIES
}

fn documents() -> &'static [Document] {
    static DOCUMENTS: LazyLock<Vec<Document>> = LazyLock::new(|| {
        let made = RESOURCES.iter().filter_map(|text| {
            let bytes = parse(text.as_bytes(), &Limits::default()).ok()?;
            Document::new(stamp(root(&bytes)?).keys)
        });
        made.collect()
    });
    &DOCUMENTS
}

/// Any bytes as a search: refused, or one whose scan is bounded and agrees with its match. Also as a date and as a number.
pub fn query(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Some(interval) = time::parse(text) {
        assert!(interval.low < interval.high);
    }
    if let Some(number) = Decimal::parse(text) {
        let value = number.encode();
        let (low, high) = number.implied();
        assert!(low.encode() <= value && value <= high.encode());
    }
    if text.contains('\0') {
        return; // no text of the server holds one
    }
    let Ok(query) = Query::parse(text) else { return };
    let scan = Scan::of(&query);
    assert!(scan.groups.iter().chain(&scan.excluded).map(|g| g.keys.len()).sum::<usize>() <= MAX_KEYS);
    documents().iter().for_each(|d| d.check(&query, &scan));
}

/// Any bytes as keys: read without end or panic; where they are valid, searches next to each value agree.
pub fn keys(bytes: &[u8]) {
    let valid = Keys::is_valid(bytes);
    let Some(keys) = Keys::read(bytes) else { return };
    assert!(keys.entries().count() <= bytes.len() / 4);
    keys.for_each_key(&mut |key| assert!(key.len() <= 160));
    let Some(document) = Document::new(bytes.to_vec()).filter(|_| valid) else { return };
    let entries: Vec<Entry> = keys.entries().take(40).collect();
    for entry in entries {
        // what a parameter reads decides which keys it has; one derived from others has theirs
        let is_derived = type_named(keys.resource_type).and_then(derived::of_type).is_some_and(|derived| derived.contains_key(&entry.parameter));
        if is_derived || !fits(&entry) {
            continue;
        }
        for test in tests(&entry.value) {
            let condition = Condition { negated: false, any_of: vec![Leaf::One { parameter: entry.parameter, test }] };
            let query = Query { resource_type: None, parameters_of: type_named(keys.resource_type), conditions: vec![condition] };
            document.check(&query, &Scan::of(&query));
        }
    }
}

const COMPARISONS: [Comparison; 9] = [
    Comparison::Eq,
    Comparison::Ne,
    Comparison::Gt,
    Comparison::Lt,
    Comparison::Ge,
    Comparison::Le,
    Comparison::Sa,
    Comparison::Eb,
    Comparison::Ap,
];

/// Tests at a value and next to it.
fn tests(value: &Value) -> Vec<Test> {
    let system = |s: Option<&str>| s.map(str::to_owned);
    match *value {
        Value::Present => vec![Test::Present],
        Value::Token { system: s, code } => {
            let mut tests = vec![Test::Code(code.into()), Test::CodeAndSystem { code: code.into(), system: system(s) }];
            tests.push(Test::CodeAndSystem { code: code.into(), system: None });
            tests.extend(s.map(|s| Test::System(s.into())));
            tests
        }
        Value::Code { system: s, code } => {
            let coded = |system| Test::CodeAndSystem { code: code.into(), system };
            vec![Test::Code(code.into()), coded(Some(s.into())), coded(None), Test::System(s.into())]
        }
        Value::Display(text) => vec![Test::Display(text.into())],
        Value::OfType { system: s, code, value } => vec![Test::OfType { system: system(s), code: code.into(), value: value.into() }],
        Value::String(s) => {
            let start: String = s.chars().take(s.chars().count() / 2).collect();
            vec![Test::StringExact(s.into()), Test::StringStart(s.into()), Test::StringStart(start.clone()), Test::StringContains(start)]
        }
        Value::Reference(r) => vec![Test::Reference { target: r.into(), version: None }, Test::Reference { target: r.into(), version: Some("1".into()) }],
        Value::Identifier { system: s, value } => {
            vec![Test::Identifier { system: Some(system(s)), value: value.into() }, Test::Identifier { system: None, value: value.into() }]
        }
        Value::Date(i) => {
            let mut tests = Vec::new();
            // as far as searches reach: the years of four digits
            let near = [i.low, i.high, i.low.saturating_add(1), i.high.saturating_sub(1)];
            for at in near.into_iter().filter(|at| at.unsigned_abs() < 1 << 57) {
                for width in [1, time::DAY, 366 * time::DAY] {
                    let searched = Interval { low: at, high: at + width };
                    tests.extend(COMPARISONS.map(|c| Test::Date(c, searched)));
                }
            }
            tests
        }
        Value::Number(span) => ranges(&[span.low, span.high]).into_iter().map(|(c, r)| Test::Number(c, r)).collect(),
        Value::Quantity { span, system, code, unit } => {
            let mut units = vec![Unit::Any];
            units.extend(unit.or(code).map(|u| Unit::Named(u.into())));
            units.extend(system.zip(code).map(|(s, c)| Unit::Coded { system: s.into(), code: c.into() }));
            let ranges = ranges(&[span.low, span.high]);
            units.iter().flat_map(|u| ranges.iter().map(|(c, r)| quantity(*c, r, u)).collect::<Vec<_>>()).collect()
        }
        Value::Part(s) => vec![Test::StringStart(s.into()), Test::StringContains(s.into())],
        Value::Sound(s) => vec![Test::Sound(s.into())],
        Value::Position(center) => [0.0, 1.0, 1e3, 1e6, 1e8].map(|metres| Test::Near { center, metres }).into(),
        Value::Uri(uri) => vec![Test::Uri(uri.into()), Test::UriBelow(uri.into()), Test::UriAbove(uri.into()), Test::UriAbove(format!("{uri}/a/b"))],
    }
}

/// Whether values like that are what the parameter has.
fn fits(entry: &Entry) -> bool {
    known_parameter_key(entry.parameter).is_some_and(|(_, ty)| match entry.value {
        Value::Date(_) => ty == ParameterType::Date,
        Value::Number(_) => ty == ParameterType::Number,
        Value::Quantity { .. } => ty == ParameterType::Quantity,
        Value::Position(_) => ty == ParameterType::Special,
        _ => true,
    })
}

/// The test that the parser makes: in base units, where the unit converts.
fn quantity(comparison: Comparison, range: &Range, unit: &Unit) -> Test {
    if let Unit::Coded { system, code } = unit
        && let Some(known) = ucum::unit(Some(system), Some(code))
        && let Some(range) = known.range(range)
    {
        return Test::Quantity(comparison, range, Unit::Measured(known.measure.clone()));
    }
    Test::Quantity(comparison, range.clone(), unit.clone())
}

fn ranges(bounds: &[Bound]) -> Vec<(Comparison, Range)> {
    let mut out = Vec::new();
    for bound in bounds {
        let (Bound::Open(bytes) | Bound::Closed(bytes)) = *bound else { continue };
        let Some(number) = Decimal::decode(bytes) else { continue };
        let longer = number.to_string().split_once('e').is_none().then(|| Decimal::parse(&format!("{number}{}01", if number.to_string().contains('.') { "" } else { "." })));
        for number in [Some(number), longer.flatten()].into_iter().flatten() {
            for comparison in COMPARISONS {
                let (low, high) = if comparison == Comparison::Ap { number.tenth_around() } else { number.implied() };
                out.push((comparison, Range { value: number.encode(), low: low.encode(), high: high.encode() }));
            }
        }
    }
    out
}

const RESOURCES: [&str; 7] = [
    r#"{"resourceType":"Patient","active":true,"gender":"male","birthDate":"1970-02-28","name":[{"family":"Müller","given":["Eve","a b"]}],
        "identifier":[{"system":"http://a","value":"1","type":{"coding":[{"system":"a","code":"b"}]}},{"value":"2"}],"generalPractitioner":[{"reference":"Practitioner/1/_history/2"}],
        "managingOrganization":{"identifier":{"system":"http://a","value":"b"}},"telecom":[{"system":"phone","value":"555"}]}"#,
    r#"{"resourceType":"Observation","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"1-8","display":"One"},{"code":"a"}],"text":"T"},"subject":{"reference":"Patient/1"},
        "effectivePeriod":{"start":"2013-01-14T10:00:00.5Z"},"valueQuantity":{"value":5.4,"unit":"mg","system":"http://unitsofmeasure.org","code":"mg"},
        "component":[{"code":{"coding":[{"system":"http://loinc.org","code":"8480-6"}]},"valueQuantity":{"value":-12.50,"comparator":"<","code":"mg"}}]}"#,
    r#"{"resourceType":"Observation","effectiveDateTime":"2013-01","valueQuantity":{"value":0},"subject":{"reference":"http://x/Patient/1|2"},"valueString":"x"}"#,
    r#"{"resourceType":"Observation","effectiveTiming":{"event":["1799","2150"]},"valueQuantity":{"value":1e-12,"comparator":">="},"valuePeriod":{"end":"2020"}}"#,
    r#"{"resourceType":"RiskAssessment","prediction":[{"probabilityDecimal":0.1},{"probabilityRange":{"low":{"value":2},"high":{"value":1e21}}},{"probabilityRange":{"high":{"value":-3}}}]}"#,
    r#"{"resourceType":"ValueSet","url":"http://a/b/c","name":"a","identifier":[{"value":"0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"}]}"#,
    r#"{"resourceType":"DocumentReference","relatesTo":[{"code":"replaces","target":{"reference":"DocumentReference/1"}},{"code":"appends","target":{"reference":"DocumentReference/2"}}]}"#,
];
