//! The bytes of one key of the index.

use super::{near, text};
use crate::model::{self, ParameterKey, TypeId};
use std::cmp::Ordering;

/// Under this the resource type is filed; no search parameter ever has it.
const TYPE_KEY: ParameterKey = ParameterKey(u16::MAX);

/// The level that stands for an end that is open.
pub const INFINITE: usize = 0x0F;

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

    /// A value that is not searched by its start: a UUID takes sixteen bytes instead of its letters.
    fn value(&mut self, value: &str) {
        match uuid(value) {
            Some(uuid) => {
                self.0.push(UUID);
                self.0.extend(uuid);
            }
            None => {
                if value.as_bytes().first().is_some_and(|b| *b <= LAST_MARK) {
                    self.0.push(PLAIN);
                }
                self.0.extend(value.as_bytes());
            }
        }
    }

    fn with_system(&mut self, p: ParameterKey, kind: u8, value: &str, system: Option<&str>) -> &[u8] {
        self.start(p, kind);
        self.value(value);
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
        self.start(p, b'c');
        self.value(code);
        self.finish()
    }

    pub fn code_and_system(&mut self, p: ParameterKey, code: &str, system: &str) -> &[u8] {
        self.with_system(p, b's', code, Some(system))
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

    /// Stands in a query for all strings that contain `needle` (normalised, not empty). It sorts before all but the empty
    /// one, for a string has no zero byte.
    pub fn containing(&mut self, p: ParameterKey, needle: &str) -> &[u8] {
        self.start(p, b'n');
        self.0.push(0);
        self.0.extend(text::prefix(needle, MAX_NEEDLE).as_bytes());
        &self.0
    }

    pub fn uri(&mut self, p: ParameterKey, value: &str) -> &[u8] {
        self.plain(p, b'v', text::prefix(value, MAX_PREFIX))
    }

    /// The type of a relative reference is a number: its place among the types of R4, which no version of 4.0 changes.
    pub fn reference(&mut self, p: ParameterKey, target: &str) -> &[u8] {
        self.start(p, b'r');
        match target.split_once('/').and_then(|(ty, id)| Some((model::type_named(ty)?, id))) {
            Some((ty, id)) => {
                self.0.push(TYPED);
                self.0.extend(ty.0.to_be_bytes());
                self.value(id);
            }
            None => self.value(target),
        }
        self.finish()
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
        self.start(p, b'i');
        self.value(value);
        self.finish()
    }

    pub fn unit(&mut self, p: ParameterKey, unit: &str) -> &[u8] {
        self.plain(p, b'u', unit)
    }

    pub fn unit_and_system(&mut self, p: ParameterKey, code: &str, system: Option<&str>) -> &[u8] {
        self.with_system(p, b'w', code, system)
    }

    /// The bucket of a date or a number.
    pub fn bucket(&mut self, p: ParameterKey, end: End, level: usize, number: i32) -> &[u8] {
        self.buckets(p, 0, end, level, number);
        &self.0
    }

    /// The bucket of a number, or of an amount of `measure`.
    pub fn amount(&mut self, p: ParameterKey, measure: Option<&str>, end: End, level: usize, number: i32) -> &[u8] {
        let Some(measure) = measure else { return self.bucket(p, end, level, number) };
        self.buckets(p, 0x80, end, level, number);
        self.0.extend(measure.as_bytes());
        self.finish()
    }

    /// Which end and which level in one byte, then the number in three.
    fn buckets(&mut self, p: ParameterKey, kind: u8, end: End, level: usize, number: i32) {
        let end = match end {
            End::Both => 0x10,
            End::Low => 0x20,
            End::High => 0x30,
        };
        self.start(p, kind | end | level as u8 & 0x0F);
        // beyond are only days that no search can name: its years have four digits
        let [_, number @ ..] = (number.clamp(-1 << 23, (1 << 23) - 1) + (1 << 23)).to_be_bytes();
        self.0.extend(number);
    }
}

/// What a value in a key begins with, where it is not simply its text.
const UUID: u8 = 1;
const TYPED: u8 = 2;
/// Before a text that would look like one of the others.
const PLAIN: u8 = 3;
const LAST_MARK: u8 = PLAIN;

/// The bytes of a UUID in its usual form, in lower case; from them that text can be made again.
fn uuid(text: &str) -> Option<[u8; 16]> {
    let text: &[u8; 36] = text.as_bytes().try_into().ok()?;
    let mut bytes = [0; 16];
    let mut at = 0;
    for byte in &mut bytes {
        if matches!(at, 8 | 13 | 18 | 23) {
            if text[at] != b'-' {
                return None;
            }
            at += 1;
        }
        let digit = |b: u8| match b {
            b'0'..=b'9' => Some(b - b'0'),
            b'a'..=b'f' => Some(b - b'a' + 10),
            _ => None,
        };
        *byte = digit(text[at])? << 4 | digit(text[at + 1])?;
        at += 2;
    }
    Some(bytes)
}

/// The bytes that all keys of relative references of a parameter begin with.
pub fn start_of_references(p: ParameterKey) -> [u8; 4] {
    let [high, low] = p.0.to_be_bytes();
    [high, low, b'r', TYPED]
}

/// The bytes that those to resources of one type begin with.
pub fn start_of_references_to(p: ParameterKey, ty: TypeId) -> [u8; 6] {
    let ([a, b, c, d], [high, low]) = (start_of_references(p), ty.0.to_be_bytes());
    [a, b, c, d, high, low]
}

/// Stands in a query for all references that are not relative: whole addresses, which are behind all that has a mark.
pub fn start_of_addresses(p: ParameterKey) -> [u8; 4] {
    let [high, low] = p.0.to_be_bytes();
    [high, low, b'r', LAST_MARK + 1]
}

/// Whether these bytes of a query stand for all references that are not relative.
pub fn is_addresses(asked: &[u8]) -> bool {
    matches!(asked, [_, _, b'r', mark] if *mark == LAST_MARK + 1)
}

/// Type and id that such a key stands for; `None` for any other key, and for one that was cut.
pub fn referenced(key: &[u8]) -> Option<(TypeId, String)> {
    let [_, _, b'r', TYPED, high, low, value @ ..] = key else { return None };
    let ty = TypeId(u16::from_be_bytes([*high, *low]));
    if is_cut(key) || usize::from(ty.0) >= model::TYPES.len() {
        return None;
    }
    let id = match value {
        [UUID, bytes @ ..] if bytes.len() == 16 => {
            let digits: String = bytes.iter().map(|b| format!("{b:02x}")).collect();
            [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]].join("-")
        }
        [PLAIN, text @ ..] | text => std::str::from_utf8(text).ok()?.to_owned(),
    };
    Some((ty, id))
}

/// What is searched for inside strings is cut here; the rest is left to the recheck.
const MAX_NEEDLE: usize = 256;

/// Whether these bytes of a query stand for strings that contain something.
pub fn is_containing(asked: &[u8]) -> bool {
    asked.get(2) == Some(&b'n') && asked.get(3) == Some(&0)
}

/// Where a key stands to a query for many keys: `Equal` if it is one of them, `Less` if one may come behind it, `Greater` if not.
pub fn among(asked: &[u8], key: &[u8]) -> Ordering {
    if is_addresses(asked) {
        let is_one = key.starts_with(&asked[..3]) && key.get(3).is_some_and(|first| *first > LAST_MARK);
        return if is_one { Ordering::Equal } else { Ordering::Greater };
    }
    if !is_containing(asked) {
        return if key.starts_with(asked) { Ordering::Equal } else { Ordering::Greater };
    }
    match (asked.split_at_checked(4), key.split_at_checked(3)) {
        (Some((head, needle)), Some((start, text))) if start == &head[..3] => {
            if is_cut(key) || memchr::memmem::find(text, needle).is_some() { Ordering::Equal } else { Ordering::Less }
        }
        _ => Ordering::Greater,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_can_be_read_from_its_key() {
        let p = ParameterKey(7);
        for target in ["Patient/1", "Observation/0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0", "Patient/0C3151BD-1cbf-4d64-b04d-cd9187a4c6e0", "Group/-.a"] {
            let mut buffer = KeyBuffer::default();
            let key = buffer.reference(p, target);
            assert!(key.starts_with(&start_of_references(p)));
            let ty = model::type_named(target.split('/').next().unwrap_or_default()).unwrap();
            assert!(key.starts_with(&start_of_references_to(p, ty)));
            assert_eq!(referenced(key).map(|(ty, id)| format!("{}/{id}", ty.name())).as_deref(), Some(target));
        }
        let mut buffer = KeyBuffer::default();
        assert_eq!(referenced(buffer.reference(p, "http://x.org/Patient/1")), None);
        assert_eq!(referenced(buffer.code(p, "Patient/1")), None);
        assert_eq!(referenced(&[0, 7, b'r', TYPED, 0xFF, 0xFF, b'1']), None);
        assert_eq!(referenced(&[]), None);
    }
}
