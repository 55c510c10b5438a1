//! Valid resources, broken in one place: which level finds it?

use crate::definitions::{Definitions, Standards};
use crate::kinds::{self, Level};
use crate::listed::Listed;
use crate::schema::container;
use crate::{Counts, data, places};
use fhirlake::json;
use serde_json::Value;
use std::collections::BTreeMap;

const LIST: &str = "mutations-missed.tsv";
const LEVELS: [Level; 4] = [Level::Structure, Level::Invariants, Level::Bindings, Level::Profile];
const CORE: &str = "r4/hl7.fhir.r4.core.tgz";
const US_CORE: &str = "uscore/us_core_311.tgz";

/// Resources of more text are left alone; a kind takes at most so many mutants from one resource, and altogether.
const LONGEST: usize = 20_000;
const EACH: usize = 2;
const MOST: usize = 300;

#[derive(Default)]
struct Row {
    mutants: usize,
    /// Found at each level and those before it.
    caught: [usize; 4],
    missed: usize,
    listed: usize,
}

struct Run {
    standards: Standards,
    listed: Listed,
    rows: BTreeMap<(Level, &'static str), Row>,
    unlisted: Vec<String>,
}

impl Run {
    fn valid(&self, value: &Value, level: Level) -> bool {
        container(value).as_deref().and_then(json::root).is_some_and(|node| self.standards.errors(node, level, &[]).is_empty())
    }

    fn mutant(&mut self, kind: &'static str, must: Level, mutant: &Value, what: &str, most: usize) -> bool {
        let row = self.rows.entry((must, kind)).or_default();
        if row.mutants >= most {
            return false;
        }
        let Some(bytes) = container(mutant) else { return false };
        let Some(node) = json::root(&bytes) else { return false };
        row.mutants += 1;
        let mut found = None;
        for level in LEVELS.into_iter().filter(|level| *level <= must) {
            if !self.standards.errors(node, level, &[]).is_empty() {
                found = Some(level);
                break;
            }
        }
        match found {
            Some(level) => LEVELS.iter().enumerate().filter(|(_, l)| **l >= level).for_each(|(i, _)| row.caught[i] += 1),
            None => {
                row.missed += 1;
                // the kind with the place, or the kind with the type alone
                let ty = what.split([' ', '/']).next().unwrap_or("");
                let keys = [format!("{kind}\t{what}"), format!("{kind}\t{ty}"), format!("{kind}\t*")];
                if keys.iter().any(|key| self.listed.has(key)) {
                    row.listed += 1;
                } else {
                    self.unlisted.push(format!("{kind}\t{what}"));
                }
            }
        }
        true
    }
}

/// A number that is always the same for the same text.
fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

fn name(resource: &Value) -> String {
    let text = |name: &str| resource.get(name).and_then(Value::as_str).unwrap_or("-").to_owned();
    format!("{}/{}", text("resourceType"), text("id"))
}

pub fn run() -> Counts {
    let (Some(examples), Some(small), Some(definitions)) = (data::examples(), data::small(), Definitions::of(&[CORE, US_CORE])) else {
        return Counts::skipped("the examples of the specification, the sample patients or the packages are not here (FHIRLAKE_DATA)");
    };
    let profiles = definitions.clone();
    let mut run = Run { standards: Standards::new(definitions), listed: Listed::read(LIST), rows: BTreeMap::new(), unlisted: Vec::new() };

    // Every third patient's resource of each type is plenty; the examples bring the variety.
    let mut resources: Vec<Value> = examples.lines().filter(|l| l.len() < LONGEST).filter_map(|l| serde_json::from_str(l).ok()).collect();
    resources.sort_by_key(|resource| hash(&name(resource)));
    let mut invalid: BTreeMap<Level, usize> = BTreeMap::new();
    for resource in &resources {
        let best = LEVELS.into_iter().filter(|level| *level < Level::Profile).take_while(|level| run.valid(resource, *level)).last();
        let all = places::places(resource);
        for kind in kinds::all() {
            if best.is_none_or(|best| best < kind.level) {
                *invalid.entry(kind.level).or_default() += 0;
                continue;
            }
            let mut fitting: Vec<_> = all.iter().filter(|place| (kind.on)(place)).collect();
            fitting.sort_by_key(|place| hash(&format!("{}{}", kind.name, place.text())));
            let mut made = 0;
            for place in fitting {
                let mut mutant = resource.clone();
                if !(kind.make)(&mut mutant, place) || mutant == *resource {
                    continue;
                }
                if !run.mutant(kind.name, kind.level, &mutant, &format!("{} {}", name(resource), place.text()), MOST) {
                    break;
                }
                made += 1;
                if made == EACH {
                    break;
                }
            }
        }
    }

    let mut patients: Vec<Value> = small.lines().filter(|l| l.len() < LONGEST).filter_map(|l| serde_json::from_str(l).ok()).collect();
    patients.sort_by_key(|resource| hash(&name(resource)));
    let mut at_fault: BTreeMap<String, usize> = BTreeMap::new();
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for resource in &patients {
        let Some(url) = resource.pointer("/meta/profile/0").and_then(Value::as_str).map(str::to_owned) else { continue };
        let times = seen.entry(url.clone()).or_default();
        *times += 1;
        if *times > 12 {
            continue;
        }
        let faults = container(resource).as_deref().and_then(json::root).map_or(Vec::new(), |node| run.standards.errors(node, Level::Profile, &[]));
        if let Some(fault) = faults.first() {
            *at_fault.entry(format!("{url}: {} [{}]", fault, fault.rule)).or_default() += 1;
            continue;
        }
        let Some(profile) = profiles.value("StructureDefinition", &url) else { continue };
        for broken in kinds::broken_profiles(resource, &profile) {
            run.mutant(broken.kind, Level::Profile, &broken.resource, &broken.place, 400);
        }
    }
    for (url, times) in &at_fault {
        println!("{times} sample resources do not conform themselves and are left out: {url}");
    }
    run.tell()
}

impl Run {
    fn tell(&self) -> Counts {
        let mut counts = Counts::default();
        println!("{:52} {:>8} {:>10} {:>10} {:>9} {:>8} {:>7}", "kind", "mutants", "structure", "invariants", "bindings", "profile", "missed");
        let line = |name: &str, row: &Row| {
            let [structure, invariants, bindings, profile] = row.caught;
            println!("{name:52} {:8} {structure:10} {invariants:10} {bindings:9} {profile:8} {:7}", row.mutants, row.missed);
        };
        let mut sum = Row::default();
        let mut level = None;
        for ((must, name), row) in &self.rows {
            if level != Some(*must) {
                println!("-- to be found at {must:?} or before");
                level = Some(*must);
            }
            line(name, row);
            sum.mutants += row.mutants;
            sum.missed += row.missed;
            (0..4).for_each(|i| sum.caught[i] += row.caught[i]);
            counts.passed += row.mutants - row.missed + row.listed;
        }
        line(&format!("{} kinds", self.rows.len()), &sum);
        println!("missed for these reasons:");
        counts.failed += self.listed.tell();
        for what in &self.unlisted {
            println!("FAILED: {LIST} does not list {what}");
        }
        counts.failed += self.unlisted.len();
        counts
    }
}
