//! What subsumes what, as ranges of numbers.
//!
//! Concepts are numbered in the order in which a walk down the hierarchy first meets them. Then what a concept subsumes is one range in
//! a tree, and few in a hierarchy where concepts have several parents, so that all that is below a code is a look-up in an index.

use super::Direction;
use super::code_system::CodeSystem;
use std::rc::Rc;

/// Ranges of one system, and ranges looked at while they are made.
const MAX_RANGES: usize = 8_000_000;
const MAX_STEPS: usize = 64_000_000;

/// The first and last number of a range.
pub type Range = (i32, i32);

pub struct Closure {
    /// The number of each concept.
    pub places: Vec<i32>,
    /// The numbers of what each concept subsumes, itself among them: in order, not touching each other.
    pub below: Vec<Rc<[Range]>>,
}

/// What a walk knows of a concept.
#[derive(Clone, Copy)]
struct Visit {
    place: i32,
    /// The lowest number that it reaches among those that are not done.
    low: i32,
    is_open: bool,
}

impl Closure {
    /// `None` where the ranges would be too many. Concepts that subsume each other have the same ranges.
    pub fn of(system: &CodeSystem) -> Option<Closure> {
        Closure::within(system, MAX_RANGES)
    }

    /// As [`Closure::of`] with another limit.
    pub fn within(system: &CodeSystem, max_ranges: usize) -> Option<Closure> {
        let count = system.len();
        let mut visits: Vec<Option<Visit>> = vec![None; count];
        let empty: Rc<[Range]> = Rc::from([]);
        let mut below = vec![empty; count];
        let (mut next, mut ranges, mut steps) = (0i32, 0usize, 0usize);
        let mut waiting: Vec<u32> = Vec::new();
        let roots = (0..count as u32).filter(|at| system.near(*at, Direction::Above).is_empty());
        // those after the roots are reached from no root: they go in circles
        for start in roots.chain(0..count as u32) {
            if visits[start as usize].is_some() {
                continue;
            }
            let mut path: Vec<(u32, usize)> = vec![(start, 0)];
            while let Some((at, child)) = path.last_mut() {
                let here = *at as usize;
                if *child == 0 && visits[here].is_none() {
                    visits[here] = Some(Visit { place: next, low: next, is_open: true });
                    waiting.push(*at);
                    next += 1;
                }
                let children = system.near(*at, Direction::Below);
                if let Some(to) = children.get(*child).copied() {
                    *child += 1;
                    match visits[to as usize] {
                        None => path.push((to, 0)),
                        Some(seen) if seen.is_open => lower(&mut visits, here, seen.place),
                        Some(_) => {}
                    }
                    continue;
                }
                path.pop();
                let Some(visit) = visits[here] else { continue };
                if let Some((parent, _)) = path.last() {
                    lower(&mut visits, *parent as usize, visit.low);
                }
                if visit.low < visit.place {
                    continue;
                }
                // Here ends a group of concepts that subsume each other, mostly a group of one.
                let from = waiting.iter().rposition(|member| *member as usize == here).unwrap_or(0);
                let members = waiting.split_off(from);
                let mut all: Vec<Range> = Vec::new();
                for member in &members {
                    if let Some(visit) = &mut visits[*member as usize] {
                        visit.is_open = false;
                        all.push((visit.place, visit.place));
                    }
                }
                for member in &members {
                    for child in system.near(*member, Direction::Below) {
                        all.extend(below[*child as usize].iter());
                        steps += below[*child as usize].len();
                    }
                    if steps > MAX_STEPS || all.len() > max_ranges {
                        return None;
                    }
                }
                let all: Rc<[Range]> = united(all).into();
                ranges += all.len();
                if ranges > max_ranges {
                    return None;
                }
                for member in members {
                    below[member as usize] = all.clone();
                }
            }
        }
        let places = visits.into_iter().map(|visit| visit.map_or(0, |visit| visit.place)).collect();
        Some(Closure { places, below })
    }
}

fn lower(visits: &mut [Option<Visit>], at: usize, place: i32) {
    if let Some(visit) = &mut visits[at] {
        visit.low = visit.low.min(place);
    }
}

/// The same numbers in as few ranges as there can be.
fn united(mut ranges: Vec<Range>) -> Vec<Range> {
    ranges.sort_unstable();
    let mut out: Vec<Range> = Vec::new();
    for (first, last) in ranges {
        match out.last_mut() {
            Some(previous) if first <= previous.1.saturating_add(1) => previous.1 = previous.1.max(last),
            _ => out.push((first, last)),
        }
    }
    out
}
