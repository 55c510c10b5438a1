//! A record as a picture: lanes by kind, each entry where it happened, in SVG 1.1 without scripts or outside resources.
//!
//! [`rows`] gathers lines into rows, [`axis`] chooses the ticks, [`paint`] lays out, [`marks`] draws a row,
//! [`text`] measures and escapes. The size of the result is bounded by its width and the number of rows, however many lines
//! there are: what falls on the same few points of the axis is drawn as one.

mod axis;
mod marks;
mod paint;
mod rows;
mod text;

use super::Precision;
use crate::model::TypeId;
pub use paint::draw;
use std::collections::BTreeMap;

/// One entry of a record.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    pub ty: TypeId,
    /// In microseconds since 2000-01-01 UTC; [`crate::index::time::OPEN_LOW`] if unknown.
    pub occurred: i64,
    /// How exactly that is known.
    pub precision: Option<Precision>,
    /// When it was over; `None` for a point in time and for what goes on.
    pub ended: Option<i64>,
    /// The first moment that it does not reach; [`crate::index::time::OPEN_HIGH`] for what goes on.
    pub until: i64,
    pub system: Option<String>,
    pub code: Option<String>,
    pub display: Option<String>,
    pub value: Option<String>,
    pub unit: Option<String>,
    pub status: Option<String>,
}

/// A record, and the part of time that is drawn.
#[derive(Debug, Default)]
pub struct Record {
    /// What stands over the picture: the name of the patient, or what else names the record.
    pub title: String,
    /// For the age below the axis: a FHIR date.
    pub born: Option<String>,
    pub lines: Vec<Line>,
    /// How many older ones of each type there are beyond those that are drawn.
    pub left_out: BTreeMap<TypeId, usize>,
    /// [`crate::index::time::OPEN_LOW`] for where the record begins.
    pub from: i64,
    /// [`crate::index::time::OPEN_HIGH`] for where it ends.
    pub to: i64,
}

/// How it is drawn.
#[derive(Debug, Clone, Copy)]
pub struct Frame {
    /// In pixels of the picture.
    pub width: u32,
    /// Most rows of a lane; what is beyond goes into the last of them.
    pub rows: usize,
}

/// What a frame may be.
pub const WIDTHS: std::ops::RangeInclusive<u32> = 640..=4_000;
pub const ROWS: std::ops::RangeInclusive<usize> = 1..=100;
/// Most lines of one type, the newest of them: what a picture holds in memory.
pub const LINES: std::ops::RangeInclusive<usize> = 1..=1_000_000;
