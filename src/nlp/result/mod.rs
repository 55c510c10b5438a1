//! Tests and their results: values, units, flags, reference ranges; vital signs.
//!
//! [`list`] knows analytes and vital signs by their names, [`read`] reads what stands behind a name, [`value`] and [`unit`]
//! its parts.

mod list;
mod read;
mod unit;
mod value;

#[cfg(test)]
mod tests;

use std::sync::LazyLock;

use super::entity::{Attribute, AttributeKind, Category, Entity, Kind, Origin};
use super::known::{DIGITS, RESULT};
use super::note::Note;
use super::token::{Case, Class};
use super::words::Words;
use list::{Shape, Test};
use read::Found;
use value::Value;

pub use list::Tests;

/// Adds what it finds to `entities`.
pub fn find(note: &Note<'_>, entities: &mut Vec<Entity>) {
    let mut order: Vec<(u32, u32, u32)> =
        entities.iter().enumerate().map(|(number, e)| (e.tokens.start, e.tokens.end, number as u32)).collect();
    order.sort_unstable_by_key(|o| (o.0, std::cmp::Reverse(o.1)));
    let mut state = State { note, entities, order, dead: Vec::new() };
    let mut place = 0;
    let mut at = 0;
    let length = note.tokens.len() as u32;
    while at < length {
        if note.class(at) != Some(Class::Word) {
            at += 1;
            continue;
        }
        while state.order.get(place).is_some_and(|o| o.0 < at) {
            place += 1;
        }
        at = state.step(at, place).max(at + 1);
    }
    let mut dead = state.dead;
    if !dead.is_empty() {
        dead.sort_unstable();
        let mut number = 0;
        entities.retain(|_| {
            number += 1;
            dead.binary_search(&(number - 1)).is_err()
        });
    }
}

struct State<'a, 'n> {
    note: &'a Note<'n>,
    entities: &'a mut Vec<Entity>,
    /// begin, end and number of the entities by begin; those that are added are not in it
    order: Vec<(u32, u32, u32)>,
    dead: Vec<u32>,
}

/// What is said before a test: elevated troponin, negative blood cultures.
fn before(note: &Note<'_>, at: u32) -> Option<(&'static str, &'static str)> {
    let before = at.checked_sub(1)?;
    if !note.tokens.get(before as usize)?.known.has(RESULT) {
        return None;
    }
    BEFORE.get(note.word(before)).copied()
}

/// Whether a word tells the result of a test that stands behind it.
pub fn is_said_before(word: &str) -> bool {
    BEFORE.get(word).is_some()
}

static BEFORE: LazyLock<Words<(&'static str, &'static str)>> = LazyLock::new(|| {
    [
        ("elevated", ("elevated", "H")),
        ("raised", ("elevated", "H")),
        ("increased", ("elevated", "H")),
        ("high", ("high", "H")),
        ("low", ("low", "L")),
        ("decreased", ("low", "L")),
        ("reduced", ("low", "L")),
        ("normal", ("normal", "N")),
        ("unremarkable", ("normal", "N")),
        ("abnormal", ("abnormal", "A")),
        ("negative", ("negative", "NEG")),
        ("positive", ("positive", "POS")),
    ]
    .into_iter()
    .collect()
});

impl State<'_, '_> {
    /// Looks for a test at a token; gives the token to go on with.
    fn step(&mut self, at: u32, place: usize) -> u32 {
        let note = self.note;
        let known = self.order.get(place).filter(|o| o.0 == at).copied();
        let category = known.and_then(|k| self.entities.get(k.2 as usize)).map(|e| e.category);
        let is_test = category == Some(Category::TestTreatmentProcedure);
        let named = note.lexicon.tests.at(note, at);
        let (mut end, mut test) = match named {
            Some((end, test)) => (end, Some(*test)),
            None => (at, None),
        };
        if let Some((_, known_end, _)) = known {
            if is_test {
                if known_end > end {
                    // "serum potassium level": the analyte stands within
                    test = test.or_else(|| (at..known_end).find_map(|t| note.lexicon.tests.at(note, t)).filter(|(e, _)| *e <= known_end).map(|(_, t)| *t));
                    end = known_end;
                }
            } else if known_end > end {
                // a longer term of another kind: "potassium chloride"
                return if named.is_some() { known_end } else { at + 1 };
            }
        }
        if test.is_none() && !is_test {
            return self.attached(at).unwrap_or(at + 1);
        }
        // within an entity that began before: "left lower lobe CT"
        let inside = place.checked_sub(1).and_then(|p| self.order.get(p)).is_some_and(|o| o.1 > at && o.0 < at);
        if inside {
            return end;
        }
        let short = end == at + 1 && note.word(at).len() <= 2;
        // 500 mg, 12 K
        if short && at > 0 && note.class(at - 1) == Some(Class::Number) && note.tokens.get(at as usize).is_some_and(|t| !t.spaced || t.case != Case::Title) {
            return end;
        }
        if note.mark(end, b'/')
            && let Some(next) = self.several(at, end, known)
        {
            return next;
        }
        let said = before(note, at);
        if let Some(found) = read::read(note, end, test.as_ref()) {
            // a letter alone is a test only right before a number
            let single = note.word(at).len() == 1 && (found.gap > 0 || found.values.first().is_none_or(|v| v.number.is_none()));
            let condition = category == Some(Category::MedicalCondition) && found.gap > 1;
            if !single && !condition {
                let next = found.end;
                let numeric = found.values.iter().any(|v| v.number.is_some());
                let entity = self.entity(at, end, known);
                self.attach(entity, found);
                if let Some((_, flag)) = said.filter(|_| numeric) {
                    self.push(entity, AttributeKind::Interpretation, at - 1, at, Some(flag.to_owned()), 0.85);
                }
                return next.max(end);
            }
        }
        if let Some((value, _)) = said
            && (is_test || test.is_some_and(|t| matches!(t.shape, Shape::Lab | Shape::Quality | Shape::Pressure | Shape::Study)))
            && category != Some(Category::MedicalCondition)
            && !(short && !is_test)
            && !["diet", "supplement", "supplements", "supplementation", "saline", "intake"].iter().any(|w| note.is(end, w))
        {
            let entity = self.entity(at, end, known);
            self.push(entity, AttributeKind::TestValue, at - 1, at, Some(value.to_owned()), 0.85);
        }
        end
    }

    /// The longest entity that begins at a token.
    fn known(&self, at: u32) -> Option<(u32, u32, u32)> {
        let first = self.order.partition_point(|o| o.0 < at);
        self.order.get(first).filter(|o| o.0 == at).copied()
    }

    /// HR88, BP120/80, T98.6: the value without a space.
    fn attached(&mut self, at: u32) -> Option<u32> {
        let note = self.note;
        if !note.tokens.get(at as usize)?.known.has(DIGITS) {
            return None; // most words
        }
        let word = note.word(at);
        let digits = word.find(|c: char| c.is_ascii_digit())?;
        let (name, rest) = word.split_at(digits);
        if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphabetic()) || !rest.bytes().all(|b| b.is_ascii_digit()) || rest.len() > 4 {
            return None;
        }
        if name.len() == 1 && self.known(at).is_some() {
            return None;
        }
        let test = *note.lexicon.tests.named(name)?;
        let mut end = at + 1;
        let mut text = rest.to_owned();
        let mut parts = false;
        let separator = if test.shape == Shape::Pressure { b'/' } else { b'.' };
        if note.mark(end, separator) && note.glued(end) && note.class(end + 1) == Some(Class::Number) && note.glued(end + 1) {
            text.push(separator as char);
            text.push_str(note.word(end + 1));
            parts = separator == b'/';
            end += 2;
        }
        let number: f64 = text.split('/').next()?.parse().ok()?;
        if number < test.low || number > test.high || (test.shape == Shape::Pressure && !parts) || matches!(test.shape, Shape::Study | Shape::Quality) {
            return None;
        }
        // letters with a number are names as well: B12, T4, P2: only what can hardly be something else
        if name.len() == 1 && number < 20.0 && !text.contains('.') {
            return None;
        }
        let mut entity = Entity::new(note, Category::TestTreatmentProcedure, Kind::TestName, at..at + 1, Origin::Pattern);
        entity.end = entity.begin + digits;
        entity.score = 0.85;
        let begin = entity.end;
        self.entities.push(entity);
        let number_of = self.entities.len() - 1;
        let mut found = Found { end, values: vec![Value { begin: at, end, text, number: Some(number), parts }], ..Found::default() };
        if let Some((after, ucum)) = unit::unit(note, end, test.units) {
            found.units.push((end, after, ucum));
            found.end = after;
        }
        read::behind(note, &mut found, Some(&test));
        let next = found.end;
        self.attach(number_of, found);
        if let Some(value) = self.entities.get_mut(number_of).and_then(|e| e.attributes.first_mut()) {
            value.begin = begin;
        }
        Some(next)
    }

    /// AST/ALT 45/60, BUN/Cr of 15 and 0.9.
    fn several(&mut self, at: u32, first_end: u32, known: Option<(u32, u32, u32)>) -> Option<u32> {
        let note = self.note;
        let mut names = vec![(at, first_end)];
        let mut tests: Vec<Test> = vec![note.lexicon.tests.at(note, at).map(|(_, t)| *t)?];
        let mut end = first_end;
        while names.len() < 8 && note.mark(end, b'/') {
            let Some((next, test)) = note.lexicon.tests.at(note, end + 1) else { break };
            names.push((end + 1, next));
            tests.push(*test);
            end = next;
        }
        if names.len() < 2 {
            return None;
        }
        let mut next = end;
        for _ in 0..4 {
            if note.mark(next, b':') || note.mark(next, b'=') || ["of", "was", "were", "is", "are", "at"].iter().any(|w| note.is(next, w)) {
                next += 1;
            }
        }
        let mut values = Vec::new();
        for (number, test) in tests.iter().enumerate() {
            if number > 0 {
                if !(note.mark(next, b'/') || note.is(next, "and") || note.mark(next, b',')) {
                    return None;
                }
                next += 1;
            }
            if note.class(next) != Some(Class::Number) {
                return None;
            }
            let low = super::number::digits(note.word(next))?;
            if low < test.low || low > test.high {
                return None;
            }
            values.push(Value { begin: next, end: next + 1, text: low.to_string(), number: Some(low), parts: false });
            next += 1;
        }
        if note.mark(next, b'/') {
            return None;
        }
        for (number, (name, value)) in names.iter().zip(values).enumerate() {
            let known = if number == 0 { known } else { self.known(name.0) };
            let entity = self.entity(name.0, name.1, known);
            self.attach(entity, Found { end: value.end, values: vec![value], ..Found::default() });
        }
        Some(next)
    }

    /// The number of the entity of a test: the one that is there, or a new one.
    fn entity(&mut self, at: u32, end: u32, known: Option<(u32, u32, u32)>) -> usize {
        let note = self.note;
        // what begins within the name is part of it
        let first = self.order.partition_point(|o| o.0 < at);
        let inner: Vec<u32> = self.order.iter().skip(first).take_while(|o| o.0 < end).filter(|o| Some(o.2) != known.map(|k| k.2)).map(|o| o.2).collect();
        for number in inner {
            self.dead.push(number);
        }
        if let Some(entity) = known.and_then(|k| self.entities.get_mut(k.2 as usize)) {
            if entity.category != Category::TestTreatmentProcedure {
                // a substance or a part of blood that is measured
                entity.category = Category::TestTreatmentProcedure;
                entity.kind = Kind::TestName;
                entity.concepts.clear();
            }
            if entity.tokens.end < end {
                entity.tokens.end = end;
                entity.end = note.end(end);
            }
            return known.map_or(0, |k| k.2 as usize);
        }
        let mut entity = Entity::new(note, Category::TestTreatmentProcedure, Kind::TestName, at..end, Origin::Pattern);
        entity.score = if note.word(at).len() == 1 { 0.75 } else { 0.9 };
        self.entities.push(entity);
        self.entities.len() - 1
    }

    fn push(&mut self, entity: usize, kind: AttributeKind, begin: u32, end: u32, value: Option<String>, relation: f32) {
        let (begin, end) = (self.note.begin(begin), self.note.end(end));
        if let Some(entity) = self.entities.get_mut(entity)
            && begin < end
        {
            entity.attributes.push(Attribute { kind, begin, end, value, score: 0.95, relation_score: relation });
        }
    }

    fn attach(&mut self, entity: usize, found: Found) {
        let relation = 0.97 - 0.03 * found.gap as f32;
        for (number, value) in found.values.into_iter().enumerate() {
            let less = if number > 0 { 0.05 } else { 0.0 };
            self.push(entity, AttributeKind::TestValue, value.begin, value.end, Some(value.text), relation - less);
        }
        for (begin, end, ucum) in found.units {
            self.push(entity, AttributeKind::TestUnit, begin, end, Some(ucum.to_owned()), relation);
        }
        for (begin, end, name) in found.flags {
            self.push(entity, AttributeKind::Interpretation, begin, end, Some(name.to_owned()), relation);
        }
        if let Some((begin, end, text)) = found.range {
            self.push(entity, AttributeKind::ReferenceRange, begin, end, Some(text), relation);
        }
    }
}
