//! Definitions that were read, bounded in memory.

use super::set::Set;
use crate::terminology::code_system::CodeSystem;
use std::collections::HashMap;
use std::rc::Rc;

/// About how much is kept; beyond it all is read anew.
const MAX_BYTES: usize = 64 << 20;

type SystemKey = (String, Option<String>);

#[derive(Default)]
pub struct Cache {
    sets: HashMap<String, Rc<Set>>,
    systems: HashMap<SystemKey, Option<Rc<CodeSystem>>>,
    /// Of systems that are kept apart: what is around some codes.
    parts: HashMap<String, Rc<CodeSystem>>,
    /// Of urls that codes name as their system: whether they are those of value sets.
    value_sets: HashMap<String, bool>,
    bytes: usize,
}

impl Cache {
    /// Forgets everything where it has become too much.
    pub fn make_room(&mut self) {
        if self.bytes > MAX_BYTES {
            *self = Cache::default();
        }
    }

    pub fn set(&self, name: &str) -> Option<Rc<Set>> {
        self.sets.get(name).cloned()
    }

    pub fn keep_set(&mut self, name: &str, set: Rc<Set>) {
        self.bytes += 200 + name.len() + set.size;
        self.sets.insert(name.to_owned(), set);
    }

    /// The inner `None` says that there is no such system.
    pub fn system(&self, url: &str, version: Option<&str>) -> Option<Option<Rc<CodeSystem>>> {
        // the look-up by reference would need a borrowed form of the pair
        self.systems.get(&(url.to_owned(), version.map(str::to_owned))).cloned()
    }

    pub fn keep_system(&mut self, url: &str, version: Option<&str>, system: Option<Rc<CodeSystem>>) {
        self.bytes += 200 + url.len() + system.as_deref().map_or(0, CodeSystem::size);
        self.systems.insert((url.to_owned(), version.map(str::to_owned)), system);
    }

    pub fn is_value_set(&self, url: &str) -> Option<bool> {
        self.value_sets.get(url).copied()
    }

    pub fn keep_whether_value_set(&mut self, url: &str, is_one: bool) {
        self.bytes += 100 + url.len();
        self.value_sets.insert(url.to_owned(), is_one);
    }

    pub fn part(&self, id: &str, codes: &[&str]) -> Option<Rc<CodeSystem>> {
        self.parts.get(&key(id, codes)).cloned()
    }

    pub fn keep_part(&mut self, id: &str, codes: &[&str], part: Rc<CodeSystem>) {
        let key = key(id, codes);
        self.bytes += 100 + key.len() + part.size();
        self.parts.insert(key, part);
    }
}

/// No code has a line break.
fn key(id: &str, codes: &[&str]) -> String {
    let mut key = id.to_owned();
    for code in codes {
        key.push('\n');
        key.push_str(code);
    }
    key
}
