//! What makes the index large, by the kind of key and by the parameter:
//!
//!     cargo test --release --no-default-features index::tests::size -- --ignored --nocapture
//!
//! A model of GIN's entry tree: a key costs its bytes, 8 of a tuple's head, 4 of a line pointer, and 6 for its first row; a
//! further row costs one byte for each 7 bits of the distance to the one before, in the order of loading.

use super::super::keys::Keys;
use super::keys_of;
use crate::model::{self, ParameterKey};
use std::collections::{BTreeMap, HashMap};
use std::process::Command;

#[derive(Default, Clone, Copy)]
struct Share {
    keys: usize,
    rows: usize,
    heads: usize,
    rest: usize,
}

impl Share {
    fn add(&mut self, other: Share) {
        self.keys += other.keys;
        self.rows += other.rows;
        self.heads += other.heads;
        self.rest += other.rest;
    }
}

#[test]
#[ignore = "a measurement"]
fn kinds_of_keys() {
    let folder = std::env::var("FHIRLAKE_DATA").unwrap_or_else(|_| "../shared/data".to_owned());
    let Ok(output) = Command::new("xz").args(["-dc", &format!("{folder}/data/synthea-100.ndjson.xz")]).output() else { return };
    let mut postings: HashMap<Vec<u8>, (usize, usize, usize)> = HashMap::new(); // rows, last row, bytes of rows
    for (row, line) in String::from_utf8_lossy(&output.stdout).lines().enumerate() {
        let row = (row / 16) << 11 | row % 16; // about as many rows on a page
        Keys::read(&keys_of(line)).unwrap().for_each_key(&mut |key| {
            let (rows, last, bytes) = postings.entry(key.to_vec()).or_insert((0, usize::MAX, 0));
            if *last == row {
                return;
            }
            *bytes += if *rows == 0 { 6 } else { (usize::BITS - (row - *last).leading_zeros()).div_ceil(7) as usize };
            (*rows, *last) = (*rows + 1, row);
        });
    }
    let mut kinds: BTreeMap<String, Share> = BTreeMap::new();
    let mut parameters: BTreeMap<String, Share> = BTreeMap::new();
    for (key, (rows, _, bytes)) in &postings {
        let head = (8 + 1 + key.len()).div_ceil(2) * 2 + 6;
        let whole = (head + bytes - 6).div_ceil(8) * 8 + 4;
        let share = Share { keys: 1, rows: *rows, heads: head.min(whole), rest: whole - head.min(whole) };
        let kind = match key[2] {
            kind @ ..=0x3F => {
                let date = model::known_parameter_key(ParameterKey(u16::from_be_bytes([key[0], key[1]]))).is_some_and(|(_, ty)| ty == model::ParameterType::Date);
                format!("{} {} level {}", if date { "date" } else { "number" }, [' ', 'B', 'L', 'H'][usize::from(kind >> 4)], kind & 15)
            }
            kind @ 0x90.. => format!("measured {} level {}", ["B", "L", "H"][usize::from(kind >> 4) - 9], kind & 15),
            kind => (kind as char).to_string(),
        };
        kinds.entry(kind).or_default().add(share);
        let p = ParameterKey(u16::from_be_bytes([key[0], key[1]]));
        let letter = if key[2] < 0x40 { '#' } else { key[2] as char };
        let name = model::known_parameter_key(p).map_or("type".to_owned(), |(code, ty)| format!("{code} {ty:?} {letter}"));
        parameters.entry(name).or_default().add(share);
    }
    let total: usize = kinds.values().map(|s| s.heads + s.rest).sum();
    let show = |shares: BTreeMap<String, Share>, most: usize| {
        let mut shares: Vec<_> = shares.into_iter().collect();
        shares.sort_by_key(|(_, s)| std::cmp::Reverse(s.heads + s.rest));
        for (name, s) in shares.into_iter().take(most) {
            let bytes = s.heads + s.rest;
            println!("{name:36} {:7} keys {:8} rows {:9} bytes of keys {:9} of rows {:5.1} %", s.keys, s.rows, s.heads, s.rest, bytes as f64 * 100.0 / total as f64);
        }
    };
    show(kinds, 60);
    println!();
    show(parameters, 60);
    println!("{total} bytes");
}
