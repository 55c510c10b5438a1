//! Concepts kept as rows say what the resource says.

use super::rules::METALS;
use super::*;
use code_system::Kept;
use std::cell::Cell;

/// A shelf whose code systems are kept apart from their resources, as rows.
pub struct Apart {
    pub shelf: Shelf,
    /// How often a whole system was read.
    pub wholes: Cell<usize>,
}

impl Apart {
    pub fn new(shelf: Shelf) -> Apart {
        Apart { shelf, wholes: Cell::new(0) }
    }

    fn container(&self, system: &CodeSystem) -> Vec<u8> {
        Shelf::find(&self.shelf.code_systems, system.apart().unwrap(), system.version()).unwrap()
    }

    fn some(&self, system: &CodeSystem, wanted: impl Fn(&concepts::Row, &[concepts::Row]) -> bool) -> Rc<CodeSystem> {
        let container = self.container(system);
        let rows = concepts::rows(&container).unwrap();
        let kept = rows.iter().filter(|row| wanted(row, &rows)).map(|row| Kept {
            code: &row.code,
            display: row.display.as_deref(),
            definition: row.definition.as_deref(),
            properties: row.properties.as_deref().and_then(json::root),
            designations: row.designations.as_deref().and_then(json::root),
            place: row.place,
            parents: row.parents.clone(),
        });
        Rc::new(system.with(kept))
    }
}

fn is_below(above: &concepts::Row, place: i32) -> bool {
    place == above.place || above.below.chunks(2).any(|range| (range[0]..=range[1]).contains(&place))
}

impl Source for Apart {
    type Error = Infallible;

    fn value_set(&mut self, url: &str, version: Option<&str>) -> Result<Option<Vec<u8>>, Infallible> {
        self.shelf.value_set(url, version)
    }

    fn value_set_by_id(&mut self, id: &str) -> Result<Option<Vec<u8>>, Infallible> {
        self.shelf.value_set_by_id(id)
    }

    fn code_system(&mut self, url: &str, version: Option<&str>) -> Result<Option<Rc<CodeSystem>>, Infallible> {
        Ok(Shelf::find(&self.shelf.code_systems, url, version).and_then(|container| CodeSystem::head(&container, url)).map(Rc::new))
    }

    fn part(&mut self, system: &Rc<CodeSystem>, codes: &[&str]) -> Result<Rc<CodeSystem>, Infallible> {
        let is_named = |row: &concepts::Row| codes.iter().any(|code| *system.key(code) == row.key);
        Ok(self.some(system, |row, all| {
            all.iter().filter(|other| is_named(other)).any(|named| is_below(row, named.place))
        }))
    }

    fn whole(&mut self, system: &Rc<CodeSystem>) -> Result<Rc<CodeSystem>, Infallible> {
        self.wholes.set(self.wholes.get() + 1);
        Ok(self.some(system, |_, _| true))
    }

    fn below(&mut self, system: &Rc<CodeSystem>, code: &str, limit: usize) -> Result<Option<Vec<Below>>, Infallible> {
        let container = self.container(system);
        let rows = concepts::rows(&container).unwrap();
        let Some(start) = rows.iter().find(|row| row.key == *system.key(code)) else { return Ok(None) };
        let below = |row: &concepts::Row| Below { code: row.code.clone(), is_abstract: row.is_abstract, is_inactive: row.is_inactive };
        Ok(Some(rows.iter().filter(|row| is_below(start, row.place)).take(limit + 1).map(below).collect()))
    }
}

/// Each concept with what its ranges hold.
fn ranges(text: &str) -> Vec<(String, Vec<String>)> {
    let container = json::parse(text.as_bytes(), &json::Limits::default()).unwrap();
    let rows = concepts::rows(&container).unwrap();
    let mut out: Vec<(String, Vec<String>)> = rows
        .iter()
        .map(|row| {
            let mut below: Vec<String> = rows.iter().filter(|other| is_below(row, other.place)).map(|other| other.code.clone()).collect();
            below.sort();
            (row.code.clone(), below)
        })
        .collect();
    out.sort();
    out
}

/// What a walk through the resource reaches.
fn reached(text: &str) -> Vec<(String, Vec<String>)> {
    let container = json::parse(text.as_bytes(), &json::Limits::default()).unwrap();
    let system = CodeSystem::read(&container).unwrap();
    let of = |at: u32| {
        let mut below: Vec<String> = system.related(at, Direction::Below).into_iter().map(|at| system.concept(at).code().to_owned()).collect();
        below.sort();
        (system.concept(at).code().to_owned(), below)
    };
    let mut out: Vec<_> = (0..system.len() as u32).map(of).collect();
    out.sort();
    out
}

fn system(edges: &[(u32, u32)], count: u32) -> String {
    let concept = |at: u32| {
        let parents: Vec<String> = edges.iter().filter(|(_, child)| *child == at).map(|(parent, _)| format!(r#"{{"code":"parent","valueCode":"c{parent}"}}"#)).collect();
        let properties = if parents.is_empty() { String::new() } else { format!(r#","property":[{}]"#, parents.join(",")) };
        format!(r#"{{"code":"c{at}"{properties}}}"#)
    };
    let concepts: Vec<String> = (0..count).map(concept).collect();
    format!(r#"{{"resourceType":"CodeSystem","url":"urn:g","content":"complete","concept":[{}]}}"#, concepts.join(","))
}

#[test]
fn ranges_hold_what_a_walk_reaches() {
    assert_eq!(ranges(METALS), reached(METALS));
    let circle = system(&[(0, 1), (1, 2), (2, 0), (2, 3), (4, 4)], 6);
    assert_eq!(ranges(&circle), reached(&circle));
    // hierarchies of every kind: trees, several parents, circles
    let mut seed = 7u32;
    let mut random = |below: u32| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 8) % below
    };
    for round in 0..200 {
        let count = 2 + random(30);
        let edges: Vec<(u32, u32)> = (0..random(2 * count)).map(|_| (random(count), random(count))).filter(|(a, b)| round % 3 == 0 || a < b).collect();
        let text = system(&edges, count);
        assert_eq!(ranges(&text), reached(&text), "{edges:?}");
    }
}

#[test]
fn a_tree_has_one_range_each() {
    let edges: Vec<(u32, u32)> = (1..1000).map(|at| (at / 3, at)).collect();
    let text = system(&edges, 1000);
    let container = json::parse(text.as_bytes(), &json::Limits::default()).unwrap();
    let rows = concepts::rows(&container).unwrap();
    assert!(rows.iter().all(|row| row.below.len() <= 2));
    assert!(rows.iter().enumerate().all(|(at, row)| row.place == at as i32));
    // as deep as it is long
    let chain: Vec<(u32, u32)> = (1..50_000).map(|at| (at - 1, at)).collect();
    let text = system_of_chain(&chain);
    let container = json::parse(text.as_bytes(), &json::Limits::default()).unwrap();
    assert_eq!(concepts::rows(&container).unwrap()[0].below, [0, 49_999]);
}

fn system_of_chain(edges: &[(u32, u32)]) -> String {
    let concepts: Vec<String> = edges.iter().map(|(parent, child)| format!(r#"{{"code":"c{child}","property":[{{"code":"parent","valueCode":"c{parent}"}}]}}"#)).collect();
    format!(r#"{{"resourceType":"CodeSystem","url":"urn:g","content":"complete","concept":[{{"code":"c0"}},{}]}}"#, concepts.join(","))
}

/// Sixty concepts, each above its own choice of sixty others, so that few of them lie in a row.
#[test]
fn a_hierarchy_of_too_many_ranges_is_refused() {
    let edges: Vec<(u32, u32)> = (0..60u32).flat_map(|above| (60..120u32).filter(move |below| (above ^ below).count_ones() % 2 == 0).map(move |below| (above, below))).collect();
    let text = system(&edges, 120);
    assert_eq!(ranges(&text), reached(&text));
    let container = json::parse(text.as_bytes(), &json::Limits::default()).unwrap();
    let system = CodeSystem::read(&container).unwrap();
    let count: usize = crate::terminology::closure::Closure::of(&system).unwrap().below.iter().map(|ranges: &Rc<[(i32, i32)]>| ranges.len()).sum();
    assert!(crate::terminology::closure::Closure::within(&system, count).is_some() && crate::terminology::closure::Closure::within(&system, count - 1).is_none());
}

#[test]
fn systems_kept_apart_answer_as_others_do() {
    let compose = |filters: &str| format!(r#"{{"include":[{{"system":"urn:m"{filters}}}]}}"#);
    let filter = |property: &str, op: &str, value: &str| compose(&format!(r#","filter":[{{"property":"{property}","op":"{op}","value":"{value}"}}]"#));
    let codes = ["metal", "iron", "steel", "lead", "glass", "alloy", "brass", "tin"];
    for (text, whole) in [
        (compose(""), true),
        (filter("concept", "is-a", "iron"), false),
        (filter("concept", "is-a", "metal"), false),
        (filter("concept", "descendent-of", "metal"), false),
        (filter("concept", "is-not-a", "iron"), true),
        (filter("concept", "generalizes", "steel"), true),
        (filter("symbol", "=", "Fe"), true),
        (filter("child", "=", "steel"), true),
        (filter("parent", "=", "metal"), true),
        (filter("code", "regex", "[is].*"), true),
        (filter("concept", "is-a", "tin"), false),
    ] {
        let set = rules::value_set("urn:vs", &text);
        let shelf = || Shelf::of([METALS, &set]);
        let here = expand(&mut shelf(), "urn:vs", &Limits::default());
        let mut apart = Apart::new(shelf());
        assert_eq!(expand(&mut apart, "urn:vs", &Limits::default()), here, "{text}");
        assert_eq!(apart.wholes.get() > 0, whole, "{text}");
        let (by_walk, by_rows) = (Checker::new(shelf()), Checker::new(Apart::new(shelf())));
        for code in codes {
            let asked = |checker: &dyn Terminology| checker.contains("urn:vs", Some("urn:m"), None, code).unwrap();
            assert_eq!(asked(&by_rows), asked(&by_walk), "{text} {code}");
            for direction in [Direction::Below, Direction::Above] {
                let walk = related(&mut shelf(), Some("urn:m"), code, direction, &Limits::default());
                assert_eq!(related(&mut Apart::new(shelf()), Some("urn:m"), code, direction, &Limits::default()), walk, "{code}");
            }
        }
        assert!(!by_rows.contains("urn:vs", Some("urn:n"), None, "iron").unwrap().eq(&Membership::Member));
    }
}
