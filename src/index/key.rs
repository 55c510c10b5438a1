//! The bytes of one key of the index.

use super::{near, text};
use crate::model::{self, ParameterKey};

/// Under this the resource type is filed; no search parameter ever has it.
const TYPE_KEY: ParameterKey = ParameterKey(u16::MAX);

/// The level that stands for an end that is open.
pub const INFINITE: usize = 0xFF;

/// Which end of a value a bucket key speaks of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    Low,
    High,
    /// Both ends lie in the same bucket.
    Both,
}

/// Keys longer than this are cut and end in a hash, and what they find is rechecked.
const MAX_KEY: usize = 160;
/// Keys of strings and uris, which are searched by prefix, are cut here.
pub const MAX_PREFIX: usize = 96;

/// Builds the keys of the index. A key is the parameter (big endian, so that keys of one parameter stand together),
/// a letter for what it holds, and the value.
#[derive(Default)]
pub struct KeyBuffer(Vec<u8>);

impl KeyBuffer {
    fn start(&mut self, p: ParameterKey, kind: u8) {
        self.0.clear();
        self.0.extend(p.0.to_be_bytes());
        self.0.push(kind);
    }

    fn system_bytes(&mut self, system: Option<&str>) {
        if let Some(system) = system {
            match model::system_number(system) {
                Some(n) => {
                    self.0.push(1);
                    self.0.extend(n.to_be_bytes());
                }
                None => {
                    self.0.push(2);
                    self.0.extend(system.as_bytes());
                }
            }
        }
    }

    fn finish(&mut self) -> &[u8] {
        if self.0.len() > MAX_KEY {
            let hash = fnv(&self.0);
            self.0.truncate(MAX_KEY - 8);
            self.0.extend(hash.to_be_bytes());
        }
        &self.0
    }

    fn plain(&mut self, p: ParameterKey, kind: u8, value: &str) -> &[u8] {
        self.start(p, kind);
        self.0.extend(value.as_bytes());
        self.finish()
    }

    fn with_system(&mut self, p: ParameterKey, kind: u8, value: &str, system: Option<&str>) -> &[u8] {
        self.start(p, kind);
        self.0.extend(value.as_bytes());
        self.0.push(0);
        self.system_bytes(system);
        self.finish()
    }

    pub fn of_type(&mut self, name: &str) -> &[u8] {
        self.plain(TYPE_KEY, b'c', name)
    }

    pub fn presence(&mut self, p: ParameterKey) -> &[u8] {
        self.plain(p, b'p', "")
    }

    pub fn code(&mut self, p: ParameterKey, code: &str) -> &[u8] {
        self.plain(p, b'c', code)
    }

    pub fn code_and_system(&mut self, p: ParameterKey, code: &str, system: Option<&str>) -> &[u8] {
        self.with_system(p, b's', code, system)
    }

    pub fn system(&mut self, p: ParameterKey, system: &str) -> &[u8] {
        self.start(p, b'y');
        self.system_bytes(Some(system));
        self.finish()
    }

    /// `value` must be normalised.
    pub fn string(&mut self, p: ParameterKey, value: &str) -> &[u8] {
        self.plain(p, b'n', text::prefix(value, MAX_PREFIX))
    }

    /// A word's sound.
    pub fn sound(&mut self, p: ParameterKey, sound: &str) -> &[u8] {
        self.plain(p, b'x', sound)
    }

    pub fn uri(&mut self, p: ParameterKey, value: &str) -> &[u8] {
        self.plain(p, b'v', text::prefix(value, MAX_PREFIX))
    }

    pub fn reference(&mut self, p: ParameterKey, target: &str) -> &[u8] {
        self.plain(p, b'r', target)
    }

    /// A cell of a grid of places.
    pub fn cell(&mut self, p: ParameterKey, grid: usize, (row, column): near::Cell) -> &[u8] {
        self.start(p, b'g');
        self.0.push(grid as u8);
        self.0.extend(row.to_be_bytes());
        self.0.extend(column.to_be_bytes());
        &self.0
    }

    pub fn identifier(&mut self, p: ParameterKey, value: &str) -> &[u8] {
        self.plain(p, b'i', value)
    }

    pub fn identifier_and_system(&mut self, p: ParameterKey, value: &str, system: Option<&str>) -> &[u8] {
        self.with_system(p, b'j', value, system)
    }

    pub fn unit(&mut self, p: ParameterKey, unit: &str) -> &[u8] {
        self.plain(p, b'u', unit)
    }

    pub fn unit_and_system(&mut self, p: ParameterKey, code: &str, system: Option<&str>) -> &[u8] {
        self.with_system(p, b'w', code, system)
    }

    /// The bucket of a number, or of an amount of `measure`.
    pub fn amount(&mut self, p: ParameterKey, measure: Option<&str>, end: End, level: usize, number: i32) -> &[u8] {
        let Some(measure) = measure else { return self.bucket(p, end, level, number) };
        self.start(p, match end {
            End::Low => b'l',
            End::High => b'h',
            End::Both => b'b',
        });
        self.0.extend(measure.as_bytes());
        self.0.push(0);
        self.0.push(level as u8);
        self.0.extend((number ^ i32::MIN).to_be_bytes());
        self.finish()
    }

    pub fn bucket(&mut self, p: ParameterKey, end: End, level: usize, number: i32) -> &[u8] {
        self.start(p, match end {
            End::Low => b'L',
            End::High => b'H',
            End::Both => b'B',
        });
        self.0.push(level as u8);
        self.0.extend((number ^ i32::MIN).to_be_bytes());
        &self.0
    }
}

/// Whether a key may stand for more than the value it was made from.
pub fn is_cut(key: &[u8]) -> bool {
    key.len() >= MAX_KEY || matches!(key.get(2), Some(b'n' | b'v')) && key.len() > MAX_PREFIX - 1
}

/// FNV-1a: part of the format, so it must never change.
fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |h, b| (h ^ u64::from(*b)).wrapping_mul(0x100_0000_01b3))
}
