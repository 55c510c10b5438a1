//! Lines gathered into the rows of a picture.

use super::Line;
use crate::index::time::{OPEN_HIGH, OPEN_LOW};
use crate::model::{self, LANES, LaneForm, TypeId};
use std::collections::HashMap;

/// A lane with its rows.
pub struct Band<'a> {
    /// Place in [`LANES`]; behind the last for types that stand in none.
    pub lane: usize,
    pub name: &'static str,
    pub form: LaneForm,
    pub rows: Vec<Row<'a>>,
}

/// What is drawn on one line.
pub struct Row<'a> {
    pub label: String,
    pub lines: Vec<&'a Line>,
    /// Several codes in one row: drawn as how many there are.
    pub is_mixed: bool,
}

/// Statuses of what was never so.
const IN_ERROR: &str = "entered-in-error";

/// Statuses after which nothing goes on, also where no end is told.
const OVER: &[&str] = &[
    "aborted", "cancelled", "completed", "ended", "failed", "finished", "fulfilled", "inactive", "noshow", "not-done", "rejected", "remission", "resolved",
    "revoked", "stopped", "superseded",
];

impl Line {
    /// Whether there is a place for it on the axis.
    pub fn is_dated(&self) -> bool {
        self.occurred != OPEN_LOW || self.until != OPEN_HIGH
    }

    /// Whether it goes on, as far as is told.
    pub fn goes_on(&self) -> bool {
        self.until == OPEN_HIGH && !self.status.as_deref().is_some_and(|status| OVER.contains(&status))
    }

    pub fn was_an_error(&self) -> bool {
        self.status.as_deref() == Some(IN_ERROR)
    }

    /// Where it begins, or ends where only that is known.
    pub fn start(&self) -> i64 {
        if self.occurred == OPEN_LOW { self.ended.unwrap_or(self.until) } else { self.occurred }
    }

    /// The last moment of it that is known.
    pub fn end(&self) -> i64 {
        if self.until == OPEN_HIGH { self.start() } else { self.until }
    }

    /// Its value, where that is a number; of a pair such as a blood pressure both.
    pub fn numbers(&self) -> Option<(f64, Option<f64>)> {
        let value = self.value.as_deref()?;
        let number = |text: &str| text.parse::<f64>().ok().filter(|n| n.is_finite());
        match value.split_once('/') {
            Some((first, second)) => Some((number(first)?, Some(number(second)?))),
            None => Some((number(value)?, None)),
        }
    }

    fn label(&self) -> &str {
        self.display.as_deref().or(self.code.as_deref()).unwrap_or(self.ty.name())
    }

    /// What makes two lines the same kind of thing.
    fn key(&self) -> (String, &str) {
        let unit = self.unit.as_deref().unwrap_or_default();
        match (&self.system, &self.code) {
            (Some(system), Some(code)) => (format!("{system}|{code}"), unit),
            _ => (self.label().to_lowercase(), unit),
        }
    }
}

/// The bands of a record from top to bottom; only dated lines, and none that was an error.
pub fn bands(lines: &[Line], most: usize) -> Vec<Band<'_>> {
    let mut by_lane: Vec<Vec<&Line>> = (0..=LANES.len()).map(|_| Vec::new()).collect();
    let mut lane_of: HashMap<TypeId, usize> = HashMap::new();
    for line in lines.iter().filter(|line| line.is_dated() && !line.was_an_error()) {
        let lane = *lane_of.entry(line.ty).or_insert_with(|| model::lane_of(line.ty).unwrap_or(LANES.len()));
        by_lane[lane].push(line);
    }
    let bands = by_lane.into_iter().enumerate().filter(|(_, lines)| !lines.is_empty()).map(|(lane, mut lines)| {
        let (name, form) = LANES.get(lane).map_or(("Other", LaneForm::Line), |lane| (lane.name, lane.form));
        lines.sort_by_key(|line| line.start());
        let rows = match form {
            LaneForm::Line => vec![Row { label: name.to_owned(), lines, is_mixed: true }],
            LaneForm::Codes | LaneForm::Series => by_code(lines, form, most),
        };
        Band { lane, name, form, rows }
    });
    bands.collect()
}

/// A row for each code; those that matter least share the last.
fn by_code<'a>(lines: Vec<&'a Line>, form: LaneForm, most: usize) -> Vec<Row<'a>> {
    let mut places: HashMap<(String, &str), usize> = HashMap::new();
    let mut rows: Vec<Row<'a>> = Vec::new();
    for line in lines {
        let place = *places.entry(line.key()).or_insert_with(|| {
            rows.push(Row { label: line.label().to_owned(), lines: Vec::new(), is_mixed: false });
            rows.len() - 1
        });
        rows[place].lines.push(line);
    }
    let latest = |row: &Row| row.lines.iter().map(|line| line.end()).max().unwrap_or(OPEN_LOW);
    // what goes on or was measured often says most, then what is recent
    match form {
        LaneForm::Series => rows.sort_by_cached_key(|row| {
            let numbers = row.lines.iter().filter(|line| line.numbers().is_some()).count();
            (std::cmp::Reverse(numbers), std::cmp::Reverse(row.lines.len()), std::cmp::Reverse(latest(row)))
        }),
        _ => rows.sort_by_cached_key(|row| (!row.lines.iter().any(|line| line.goes_on()), std::cmp::Reverse(latest(row)))),
    }
    let rest = if rows.len() > most { rows.split_off(most - 1) } else { Vec::new() };
    if form == LaneForm::Codes {
        rows.sort_by_cached_key(|row| row.lines.first().map_or(OPEN_HIGH, |line| line.start()));
    }
    if !rest.is_empty() {
        let label = format!("{} others", rest.len());
        let mut lines: Vec<&Line> = rest.into_iter().flat_map(|row| row.lines).collect();
        lines.sort_by_key(|line| line.start());
        rows.push(Row { label, lines, is_mixed: true });
    }
    rows
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::index::time;
    use crate::record::Precision;

    pub fn line(ty: &str, text: &str, display: &str) -> Line {
        let at = time::parse(text).unwrap();
        Line {
            ty: model::type_named(ty).unwrap(),
            occurred: at.low,
            precision: Some(Precision::of(text)),
            ended: None,
            until: at.high,
            system: None,
            code: None,
            display: Some(display.to_owned()),
            value: None,
            unit: None,
            status: None,
        }
    }

    fn labels(lines: &[Line], most: usize) -> Vec<String> {
        let bands = bands(lines, most);
        bands.iter().map(|band| format!("{}: {}", band.name, band.rows.iter().map(|row| format!("{} {}", row.label, row.lines.len())).collect::<Vec<_>>().join(", "))).collect()
    }

    #[test]
    fn lanes_stand_in_their_order_and_rows_by_their_beginning() {
        let lines = [line("Condition", "2015", "B"), line("Basic", "2015", "x"), line("Condition", "2010", "A"), line("Condition", "2016", "B"), line("Encounter", "2015", "e")];
        assert_eq!(labels(&lines, 9), ["Encounters: Encounters 1", "Conditions: A 1, B 2", "Other: Other 1"]);
    }

    #[test]
    fn what_goes_on_keeps_its_row_when_there_are_too_many() {
        let mut old = line("Condition", "1990", "old and going on");
        old.until = OPEN_HIGH;
        let mut over = line("Condition", "1980", "old and over");
        (over.until, over.status) = (OPEN_HIGH, Some("resolved".into()));
        let lines = [old, over, line("Condition", "2015", "new"), line("Condition", "2014", "less new")];
        assert_eq!(labels(&lines, 3), ["Conditions: old and going on 1, new 1, 2 others 2"]);
        assert_eq!(labels(&lines, 1), ["Conditions: 4 others 4"]);
    }

    #[test]
    fn errors_and_undated_lines_are_not_drawn() {
        let mut error = line("Condition", "2015", "never");
        error.status = Some("entered-in-error".into());
        let mut undated = line("Condition", "2015", "sometime");
        (undated.occurred, undated.until) = (OPEN_LOW, OPEN_HIGH);
        assert!(labels(&[error, undated], 5).is_empty());
    }

    #[test]
    fn one_code_is_one_row_but_not_in_two_units() {
        let measured = |at: &str, display: &str, unit: &str| Line { system: Some("s".into()), code: Some("c".into()), unit: Some(unit.into()), value: Some("1.5".into()), ..line("Observation", at, display) };
        let lines = [measured("2015", "Weight", "kg"), measured("2016", "weight (old name)", "kg"), measured("2017", "Weight", "lb")];
        assert_eq!(labels(&lines, 5), ["Measurements: Weight 2, Weight 1"]);
        assert_eq!(lines[0].numbers(), Some((1.5, None)));
        assert_eq!(Line { value: Some("120/80".into()), ..lines[0].clone() }.numbers(), Some((120.0, Some(80.0))));
        for text in ["<5", "1:128", "NaN", "inf", "Never smoker", "1/2/3"] {
            assert_eq!(Line { value: Some(text.into()), ..lines[0].clone() }.numbers(), None, "{text}");
        }
    }
}
