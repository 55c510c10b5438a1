//! What does it cost to validate a resource, to make, index and match its keys, to take its summary and to read a request?
//!
//!     cargo bench --no-default-features --bench engines [-- file.ndjson]
//!
//! On two shared cores, 27,861 Synthea resources of 1.7 kB: validate 4.5 µs, stamp 4.5 µs, keys of the index 1.7 µs (466 bytes,
//! 13 values, 40 keys), one match 0.1 µs. With other work on the same cores (validate 9.6 µs): `_summary=true` 12.1 µs,
//! `_elements=code` 3.3 µs, the whole resource 0.5 µs, its text 8.9 µs; a request of up to five arguments is read in 2 to 21 µs.
//!
//! Reads $FHIRLAKE_DATA/data/synthea-100.ndjson.xz (../shared/data) unless a file is named. One thread; the best of five rounds.

use fhirlake::index::scan::Scan;
use fhirlake::index::{Keys, Query, stamp};
use fhirlake::json::{self, Limits};
use fhirlake::search::content::content;
use fhirlake::search::criteria::Standard;
use fhirlake::search::project::{Shape, project};
use fhirlake::search::request::{Handling, Request, Setting};
use fhirlake::validate::is_valid;
use std::hint::black_box;
use std::process::Command;
use std::time::Instant;

fn lines() -> Option<String> {
    if let Some(file) = std::env::args().skip(1).find(|a| !a.starts_with('-')) {
        return std::fs::read_to_string(file).ok();
    }
    let folder = std::env::var("FHIRLAKE_DATA").unwrap_or_else(|_| "../shared/data".to_owned());
    let output = Command::new("xz").args(["-dc", &format!("{folder}/data/synthea-100.ndjson.xz")]).output().ok()?;
    String::from_utf8(output.stdout).ok().filter(|text| !text.is_empty())
}

/// The best of five rounds, in µs for each of `count`.
fn time(what: &str, count: usize, mut round: impl FnMut()) {
    let best = (0..5)
        .map(|_| {
            let start = Instant::now();
            round();
            start.elapsed()
        })
        .min()
        .unwrap_or_default();
    println!("{what:32} {:8.3} µs", best.as_secs_f64() * 1e6 / count as f64);
}

fn main() {
    let Some(text) = lines() else {
        println!("skipped: no file of resources");
        return;
    };
    let containers: Vec<Vec<u8>> = text.lines().filter_map(|line| json::parse(line.as_bytes(), &Limits::default()).ok()).collect();
    let count = containers.len();
    let bodies: Vec<Vec<u8>> = containers.iter().filter_map(|c| json::root(c)).map(|root| stamp(root).keys).collect();
    let mean = |total: usize| total as f64 / count as f64;
    let (mut keys, mut key_bytes, mut values) = (0, 0, 0);
    for body in &bodies {
        let Some(read) = Keys::read(body) else { continue };
        values += read.entries().count();
        read.for_each_key(&mut |key| {
            keys += 1;
            key_bytes += key.len();
        });
    }
    println!("{count} resources of {:.0} bytes of jsonb", mean(containers.iter().map(Vec::len).sum()));
    println!("{:.0} bytes of keys, {:.1} values; {:.1} index keys of {:.1} bytes", mean(bodies.iter().map(Vec::len).sum()), mean(values), mean(keys), key_bytes as f64 / keys.max(1) as f64);

    time("validate the structure", count, || {
        for container in &containers {
            black_box(json::root(container).is_some_and(is_valid));
        }
    });
    time("stamp", count, || {
        for container in &containers {
            if let Some(root) = json::root(container) {
                black_box(stamp(root));
            }
        }
    });
    time("keys of the index", count, || {
        for body in &bodies {
            if let Some(keys) = Keys::read(body) {
                keys.for_each_key(&mut |key| {
                    black_box(key);
                });
            }
        }
    });
    for text in [
        "Observation?code=http://loinc.org|8302-2",
        "Observation?code=8302-2&date=ge2015",
        "Observation?value-quantity=gt150||cm",
        "Observation?code-value-quantity=8302-2$gt150",
        "Patient?name=sm&birthdate=lt1970",
        "patient=Patient/1",
    ] {
        let Ok(query) = Query::parse(text) else { continue };
        time(&format!("match {}", &text[..text.len().min(25)]), count, || {
            for body in &bodies {
                black_box(Keys::read(body).is_some_and(|keys| query.matches(keys)));
            }
        });
        time("  parse and scan", 100, || {
            for _ in 0..100 {
                black_box(Query::parse(text).map(|q| Scan::of(&q)).ok());
            }
        });
    }
    for (what, shape) in [("project: _summary=true", Shape::Summary), ("project: _elements", Shape::Elements(vec!["code".into()])), ("project: whole", Shape::Whole)] {
        time(what, count, || {
            for root in containers.iter().filter_map(|c| json::root(c)) {
                black_box(project(root, &shape).ok());
            }
        });
    }
    time("content", count, || {
        for root in containers.iter().filter_map(|c| json::root(c)) {
            black_box(content(root));
        }
    });
    for text in [
        "Patient?identifier=http://a|1",
        "Observation?patient=Patient/1&category=vital-signs&date=ge2015&_sort=-date&_count=20",
        "Observation?subject:Patient.organization.name=smith&_include=Observation:subject&_total=accurate",
        "Patient?_has:Observation:patient:code=8302-2",
    ] {
        time(&format!("request {}", &text[..text.len().min(24)]), 100, || {
            for _ in 0..100 {
                black_box(Request::parse(text, Setting { now: 0, handling: Handling::Strict, catalog: &mut Standard }).ok());
            }
        });
    }
}
