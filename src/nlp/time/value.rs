//! Values in the forms of ISO 8601.

use chrono::{Datelike, Days, Months, NaiveDate};

use super::words::Unit;

/// A day, a month or a year.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Calendar {
    pub year: i32,
    pub month: u32,
    pub day: u32,
}

impl Calendar {
    /// A day that exists.
    pub fn day(year: i32, month: u32, day: u32) -> Option<Calendar> {
        NaiveDate::from_ymd_opt(year, month, day).map(|_| Calendar { year, month, day })
    }

    pub fn month(year: i32, month: u32) -> Calendar {
        Calendar { year, month, day: 0 }
    }

    pub fn year(year: i32) -> Calendar {
        Calendar { year, month: 0, day: 0 }
    }
}

impl From<NaiveDate> for Calendar {
    fn from(date: NaiveDate) -> Calendar {
        Calendar { year: date.year(), month: date.month(), day: date.day() }
    }
}

impl std::fmt::Display for Calendar {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:04}", self.year)?;
        if self.month > 0 {
            write!(f, "-{:02}", self.month)?;
        }
        if self.day > 0 {
            write!(f, "-{:02}", self.day)?;
        }
        Ok(())
    }
}

/// Longest time that is counted in any unit.
const MOST: f64 = 100_000.0;

/// The date so many units after a date (before it if `number` is negative), as precise as the unit is.
pub fn shifted(from: NaiveDate, number: f64, unit: Unit) -> Option<Calendar> {
    let count = number.abs();
    if count > MOST || (count.fract() != 0.0 && !matches!(unit, Unit::Hour | Unit::Minute | Unit::Second)) {
        return None;
    }
    let days = |days: u64| if number < 0.0 { from.checked_sub_days(Days::new(days)) } else { from.checked_add_days(Days::new(days)) };
    let months = |months: u32| {
        if number < 0.0 { from.checked_sub_months(Months::new(months)) } else { from.checked_add_months(Months::new(months)) }
    };
    match unit {
        Unit::Second | Unit::Minute => (count < 60.0).then_some(from.into()),
        // the hour of the note is not known: some hours are the same day, a day's hours the one before
        Unit::Hour if count < 12.0 => Some(from.into()),
        Unit::Hour if count >= 24.0 => days((count / 24.0) as u64).map(Calendar::from),
        Unit::Hour => None,
        Unit::Day => days(count as u64).map(Calendar::from),
        Unit::Week => days(count as u64 * 7).map(Calendar::from),
        Unit::Month => months(count as u32).map(|d| Calendar::month(d.year(), d.month())),
        Unit::Year => months(count as u32 * 12).map(|d| Calendar::year(d.year())),
        Unit::Decade => None,
    }
}

/// A number without needless zeros.
pub fn number(number: f64) -> String {
    format!("{}", (number * 100.0).round() / 100.0)
}

/// `P3W`; a range is `P2D/P3D`.
pub fn duration(low: f64, high: Option<f64>, unit: Unit) -> Option<String> {
    if high.unwrap_or(low) > MOST {
        return None;
    }
    let one = |count: f64| {
        let (before, count, letter) = match unit {
            Unit::Second => ("PT", count, 'S'),
            Unit::Minute => ("PT", count, 'M'),
            Unit::Hour => ("PT", count, 'H'),
            Unit::Day => ("P", count, 'D'),
            Unit::Week => ("P", count, 'W'),
            Unit::Month => ("P", count, 'M'),
            Unit::Year => ("P", count, 'Y'),
            Unit::Decade => ("P", count * 10.0, 'Y'),
        };
        match (unit, count) {
            (Unit::Hour, 0.5) => "PT30M".to_owned(),
            _ => format!("{before}{}{letter}", number(count)),
        }
    };
    Some(match high {
        Some(high) => format!("{}/{}", one(low), one(high)),
        None => one(low),
    })
}

/// A week: `2010-W05`.
pub fn week(date: NaiveDate) -> String {
    let week = date.iso_week();
    format!("{:04}-W{:02}", week.year(), week.week())
}
