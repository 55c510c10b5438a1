//! What is drawn for the lines of one row: bars, dots, counts and curves. What falls on the same few pixels is one mark.

use super::axis::Axis;
use super::paint::Canvas;
use super::rows::Row;
use super::Line;
use crate::index::time::{OPEN_HIGH, OPEN_LOW};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// Pixels that one mark stands for.
const CELL: f64 = 3.0;

/// Stretches of a row, joined where they touch.
struct Bar {
    from: f64,
    to: f64,
    goes_on: bool,
    was_before: bool,
}

impl Canvas {
    /// Periods of a row as stretches at least `least` pixels long, and the rest as points.
    fn placed<'l>(&self, row: &Row<'l>, least: f64) -> (Vec<Bar>, Vec<&'l Line>) {
        let (mut bars, mut points): (Vec<Bar>, Vec<&Line>) = (Vec::new(), Vec::new());
        for line in &row.lines {
            let open = line.goes_on();
            let from = if line.occurred == OPEN_LOW { self.axis.left } else { self.axis.x(line.occurred) };
            let to = if open { self.axis.right } else { self.axis.x(line.ended.unwrap_or(line.start())) };
            if to - from < least && !open {
                points.push(line);
                continue;
            }
            let bar = Bar {
                from,
                to,
                goes_on: open || line.ended.is_some_and(|ended| ended > self.axis.high),
                was_before: line.occurred < self.axis.low,
            };
            match bars.last_mut().filter(|last| last.to + 1.0 >= bar.from) {
                Some(last) => {
                    last.goes_on |= bar.goes_on;
                    last.to = last.to.max(bar.to);
                }
                None => bars.push(bar),
            }
        }
        (bars, points)
    }

    fn bars(&mut self, bars: &[Bar], middle: f64, thickness: f64, opacity: f64) {
        let mut path = String::new();
        let mut heads = String::new();
        for bar in bars {
            let (half, to) = (thickness / 2.0, bar.to.max(bar.from + 2.0));
            let _ = write!(path, "M{:.1} {middle:.1}H{to:.1}", bar.from);
            if bar.goes_on {
                let _ = write!(heads, "M{to:.1} {:.1}l{:.1} {half:.1}l-{:.1} {half:.1}z", middle - half, half + 1.0, half + 1.0);
            }
            if bar.was_before {
                let _ = write!(heads, "M{:.1} {:.1}l-{:.1} {half:.1}l{:.1} {half:.1}z", bar.from, middle - half, half + 1.0, half + 1.0);
            }
        }
        if !path.is_empty() {
            let _ = write!(self.out, "<path d=\"{path}\" stroke-width=\"{thickness}\" stroke-linecap=\"butt\" stroke-opacity=\"{opacity}\"/>");
        }
        if !heads.is_empty() {
            let _ = write!(self.out, "<path d=\"{heads}\" stroke=\"none\" fill=\"{}\" fill-opacity=\"{opacity}\"/>", self.colour);
        }
    }

    /// Bars and dots of one code.
    pub fn marks(&mut self, row: &Row, middle: f64) {
        let (bars, points) = self.placed(row, 5.0);
        let mut xs: BTreeSet<i64> = BTreeSet::new();
        let mut rough: BTreeSet<(i64, i64)> = BTreeSet::new();
        for point in &points {
            let from = self.axis.x(point.start());
            // of what is known to the month or year only, all of it
            let to = if point.ended.is_none() && point.until != OPEN_HIGH { self.axis.x(point.until) } else { from };
            if to - from > 9.0 {
                rough.insert((from.round() as i64, to.round() as i64));
            } else {
                xs.insert(((from + to) / 4.0).round() as i64 * 2);
            }
        }
        if let (Some(first), Some(last)) = (xs.first(), xs.last())
            && last - first > 6
        {
            let _ = write!(self.out, "<path d=\"M{first} {middle:.1}H{last}\" stroke-width=\"1\" stroke-opacity=\".4\"/>");
        }
        for (from, to) in &rough {
            let _ = write!(
                self.out,
                "<rect x=\"{from}\" y=\"{:.1}\" width=\"{}\" height=\"8\" rx=\"4\" stroke-width=\".8\" stroke-dasharray=\"2 2\" fill=\"#fff\" fill-opacity=\".6\"/>",
                middle - 4.0,
                to - from
            );
        }
        self.bars(&bars, middle, 8.0, 0.78);
        self.dots(xs.iter().map(|x| (*x as f64, middle)), 6.4);
    }

    fn dots(&mut self, at: impl Iterator<Item = (f64, f64)>, size: f64) {
        let path: String = at.map(|(x, y)| format!("M{x:.1} {y:.1}h0")).collect();
        if !path.is_empty() {
            let _ = write!(self.out, "<path d=\"{path}\" stroke-width=\"{size}\"/>");
        }
    }

    /// How many entries there are at a time; longer ones as bars behind them.
    pub fn strip(&mut self, row: &Row, middle: f64, height: f64) {
        let (bars, points) = self.placed(row, 8.0);
        self.bars(&bars, middle, (height * 0.5).round(), 0.4);
        let mut cells: BTreeMap<i64, usize> = BTreeMap::new();
        for point in points {
            let x = self.axis.x(point.start());
            *cells.entry(((x - self.axis.left) / CELL).round() as i64).or_default() += 1;
        }
        let most = cells.values().copied().max().unwrap_or(1) as f64;
        let path: String = cells
            .iter()
            .map(|(cell, count)| {
                let tall = if most <= 1.0 { height * 0.6 } else { height * (0.3 + 0.7 * (*count as f64).ln_1p() / most.ln_1p()) };
                format!("M{:.1} {:.1}v{tall:.1}", self.axis.left + *cell as f64 * CELL, middle - tall / 2.0)
            })
            .collect();
        if !path.is_empty() {
            let _ = write!(self.out, "<path d=\"{path}\" stroke-width=\"{:.1}\" stroke-linecap=\"butt\"/>", CELL - 0.8);
        }
    }

    /// The numbers of one code as a curve between their own least and greatest; what has no number as dots.
    pub fn series(&mut self, row: &Row, middle: f64, height: f64) {
        struct Cell {
            count: f64,
            first: f64,
            second: f64,
            low: f64,
            high: f64,
        }
        let mut cells: BTreeMap<i64, Cell> = BTreeMap::new();
        let mut dots: BTreeSet<i64> = BTreeSet::new();
        for line in &row.lines {
            let cell = ((self.axis.x(line.start()) - self.axis.left) / CELL).round() as i64;
            let Some((first, second)) = line.numbers() else {
                dots.insert(cell);
                continue;
            };
            let other = second.unwrap_or(first);
            let here = cells.entry(cell).or_insert(Cell { count: 0.0, first: 0.0, second: 0.0, low: f64::MAX, high: f64::MIN });
            here.count += 1.0;
            here.first += first;
            here.second += other;
            here.low = here.low.min(first).min(other);
            here.high = here.high.max(first).max(other);
        }
        let (low, high) = cells.values().fold((f64::MAX, f64::MIN), |(low, high), cell| (low.min(cell.low), high.max(cell.high)));
        let x = |cell: i64, axis: &Axis| axis.left + cell as f64 * CELL;
        let y = |value: f64| if high > low { middle + height / 2.0 - (value - low) / (high - low) * height } else { middle };
        let axis = self.axis;
        let pairs = cells.values().any(|cell| cell.first != cell.second);
        let spans: String = cells
            .iter()
            .filter(|(_, cell)| cell.high > cell.low)
            .map(|(at, cell)| format!("M{:.1} {:.1}V{:.1}", x(*at, &axis), y(cell.high), y(cell.low)))
            .collect();
        if !spans.is_empty() {
            let _ = write!(self.out, "<path d=\"{spans}\" stroke-width=\"2\" stroke-opacity=\".28\"/>");
        }
        let mut curve = |value: fn(&Cell) -> f64| {
            let points: Vec<(f64, f64)> = cells.iter().map(|(at, cell)| (x(*at, &axis), y(value(cell) / cell.count))).collect();
            let path: String = points.iter().enumerate().map(|(n, (x, y))| format!("{}{x:.1} {y:.1}", if n == 0 { 'M' } else { 'L' })).collect();
            if points.len() > 1 {
                let _ = write!(self.out, "<path d=\"{path}\" stroke-width=\"1.1\" stroke-opacity=\".75\"/>");
            }
            self.dots(points.iter().copied(), 3.2);
            self.dots(points.last().copied().into_iter(), 5.6);
        };
        curve(|cell| cell.first);
        if pairs {
            curve(|cell| cell.second);
        }
        self.dots(dots.iter().map(|cell| (x(*cell, &axis), middle)), 5.0);
    }
}
