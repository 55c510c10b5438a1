//! Dates, date-times and times of day as far as they were said: <http://hl7.org/fhirpath/N1/#date>.
//!
//! What was left out is unknown, not zero: two moments of which one is too vague to decide are in no order.

use std::cmp::Ordering;
use std::fmt;

/// How far a moment is known. Fractions belong to the seconds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Precision {
    Year,
    Month,
    Day,
    Hour,
    Minute,
    Second,
}

/// A date, a date-time or a time of day; which of them, its [`super::Item`] tells.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Moment {
    pub(super) year: i16,
    pub(super) month: u8,
    pub(super) day: u8,
    pub(super) hour: u8,
    pub(super) minute: u8,
    pub(super) second: u8,
    pub(super) nanos: u32,
    /// How many digits of the fraction are known.
    pub(super) digits: u8,
    pub(super) precision: Precision,
    /// Minutes east of Greenwich.
    pub(super) zone: Option<i16>,
    pub(super) has_date: bool,
}

/// What a span of time is counted in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Calendar {
    Year,
    Month,
    Week,
    Day,
    Hour,
    Minute,
    Second,
    Millisecond,
}

const SECOND: i128 = 1_000_000_000;
const DAY: i128 = 86_400 * SECOND;
/// 2000-01-01 in days since 1970-01-01.
const EPOCH_DAYS: i64 = 10_957;
/// How far local times run ahead of and behind Greenwich.
const AHEAD: i16 = 14 * 60;
const BEHIND: i16 = -12 * 60;

impl Calendar {
    /// `year`, `years`, …
    pub fn named(word: &str) -> Option<Calendar> {
        use Calendar::*;
        Some(match word.strip_suffix('s').unwrap_or(word) {
            "year" => Year,
            "month" => Month,
            "week" => Week,
            "day" => Day,
            "hour" => Hour,
            "minute" => Minute,
            "second" => Second,
            "millisecond" => Millisecond,
            _ => return None,
        })
    }

    pub fn name(self) -> &'static str {
        use Calendar::*;
        match self {
            Year => "year",
            Month => "month",
            Week => "week",
            Day => "day",
            Hour => "hour",
            Minute => "minute",
            Second => "second",
            Millisecond => "millisecond",
        }
    }

    /// The span of a UCUM code that always has the same length.
    pub fn of_ucum(code: &str) -> Option<Calendar> {
        use Calendar::*;
        Some(match code {
            "wk" => Week,
            "d" => Day,
            "h" => Hour,
            "min" => Minute,
            "s" => Second,
            "ms" => Millisecond,
            _ => return None,
        })
    }

    /// Milliseconds in one, where that is always the same.
    pub fn milliseconds(self) -> Option<i64> {
        use Calendar::*;
        Some(match self {
            Year | Month => return None,
            Week => 7 * 86_400_000,
            Day => 86_400_000,
            Hour => 3_600_000,
            Minute => 60_000,
            Second => 1_000,
            Millisecond => 1,
        })
    }
}

/// Reads digits from the front.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn accept(&mut self, byte: u8) -> bool {
        match self.0.split_first() {
            Some((first, rest)) if *first == byte => {
                self.0 = rest;
                true
            }
            _ => false,
        }
    }

    fn number(&mut self, width: usize) -> Option<u16> {
        let (digits, rest) = self.0.split_at_checked(width)?;
        let mut value = 0u16;
        for digit in digits {
            value = value * 10 + u16::from(digit.checked_sub(b'0').filter(|d| *d <= 9)?);
        }
        self.0 = rest;
        Some(value)
    }

    fn within(&mut self, low: u8, high: u8) -> Option<u8> {
        let value = self.number(2)?;
        (u16::from(low)..=u16::from(high)).contains(&value).then_some(value as u8)
    }
}

impl Moment {
    const EMPTY: Moment = Moment {
        year: 0,
        month: 1,
        day: 1,
        hour: 0,
        minute: 0,
        second: 0,
        nanos: 0,
        digits: 0,
        precision: Precision::Year,
        zone: None,
        has_date: true,
    };

    /// `2015`, `2015-02`, `2015-02-04`
    pub fn date(text: &str) -> Option<Moment> {
        let mut reader = Reader(text.as_bytes());
        let moment = Moment::read_date(&mut reader)?;
        reader.0.is_empty().then_some(moment)
    }

    /// `2015T`, `2015-02-04T14:34:28.123+10:00`, also what [`Self::date`] reads.
    pub fn date_time(text: &str) -> Option<Moment> {
        let mut reader = Reader(text.as_bytes());
        let mut moment = Moment::read_date(&mut reader)?;
        if reader.accept(b'T') && !reader.0.is_empty() {
            if moment.precision != Precision::Day {
                return None;
            }
            moment.read_time(&mut reader)?;
            moment.zone = match reader.0 {
                [] => None,
                [b'Z'] => {
                    reader.0 = &[];
                    Some(0)
                }
                [sign @ (b'+' | b'-'), ..] => {
                    reader.0 = &reader.0[1..];
                    let hours = reader.within(0, 14)?;
                    let minutes = if reader.accept(b':') { reader.within(0, 59)? } else { return None };
                    let offset = i16::from(hours) * 60 + i16::from(minutes);
                    Some(if *sign == b'-' { -offset } else { offset })
                }
                _ => return None,
            };
        }
        reader.0.is_empty().then_some(moment)
    }

    /// `14`, `14:34`, `14:34:28.123`, with or without a `T` before it.
    pub fn time(text: &str) -> Option<Moment> {
        let mut reader = Reader(text.as_bytes());
        reader.accept(b'T');
        let mut moment = Moment { has_date: false, ..Moment::EMPTY };
        moment.read_time(&mut reader)?;
        reader.0.is_empty().then_some(moment)
    }

    fn read_date(reader: &mut Reader<'_>) -> Option<Moment> {
        let mut moment = Moment { year: reader.number(4).filter(|y| *y > 0)? as i16, ..Moment::EMPTY };
        if reader.accept(b'-') {
            moment.month = reader.within(1, 12)?;
            moment.precision = Precision::Month;
            if reader.accept(b'-') {
                moment.day = reader.within(1, days_in_month(moment.year, moment.month))?;
                moment.precision = Precision::Day;
            }
        }
        Some(moment)
    }

    fn read_time(&mut self, reader: &mut Reader<'_>) -> Option<()> {
        self.hour = reader.within(0, 23)?;
        self.precision = Precision::Hour;
        if !reader.accept(b':') {
            return Some(());
        }
        self.minute = reader.within(0, 59)?;
        self.precision = Precision::Minute;
        if !reader.accept(b':') {
            return Some(());
        }
        self.second = reader.within(0, 60)?;
        self.precision = Precision::Second;
        if reader.accept(b'.') {
            let count = reader.0.iter().take_while(|b| b.is_ascii_digit()).count();
            if count == 0 {
                return None;
            }
            let (digits, rest) = reader.0.split_at(count);
            self.digits = count.min(9) as u8;
            for place in 0..9 {
                self.nanos = self.nanos * 10 + digits.get(place).map_or(0, |d| u32::from(d - b'0'));
            }
            reader.0 = rest;
        }
        Some(())
    }

    /// An instant in microseconds since 1970-01-01 in UTC, told to the millisecond.
    pub fn of_instant(microseconds: i64) -> Option<Moment> {
        let nanos = i128::from(microseconds.div_euclid(1_000)) * 1_000_000;
        Some(Moment { digits: 3, precision: Precision::Second, zone: Some(0), ..Moment::of_nanos(nanos)? })
    }

    /// The date of a date-time.
    pub fn date_part(self) -> Moment {
        Moment { precision: self.precision.min(Precision::Day), zone: None, ..Moment { hour: 0, minute: 0, second: 0, nanos: 0, digits: 0, ..self } }
    }

    /// The time of day of a date-time that has one.
    pub fn time_part(self) -> Option<Moment> {
        (self.precision >= Precision::Hour).then_some(Moment { year: 0, month: 1, day: 1, zone: None, has_date: false, ..self })
    }

    /// Days since 2000-01-01; of a month or year its first day.
    pub fn days(&self) -> Option<i32> {
        self.has_date.then(|| (days_since_1970(self.year.into(), self.month, self.day) - EPOCH_DAYS) as i32)
    }

    /// Microseconds since 2000-01-01 UTC of the first instant that is meant; without a zone it is read as UTC.
    pub fn microseconds(&self) -> Option<i64> {
        let zone = self.zone.filter(|_| self.has_time()).unwrap_or(0);
        let minutes = i64::from(self.hour) * 60 + i64::from(self.minute) - i64::from(zone);
        let seconds = i64::from(self.days()?) * 86_400 + minutes * 60 + i64::from(self.second);
        Some(seconds * 1_000_000 + i64::from(self.nanos / 1_000))
    }

    /// Microseconds since midnight, of a time.
    pub fn time_of_day(&self) -> Option<i64> {
        let time = self.time_part()?;
        Some(i64::try_from(time.nanos_since_1970().rem_euclid(DAY) / 1_000).unwrap_or(0))
    }

    fn has_time(&self) -> bool {
        self.precision >= Precision::Hour
    }

    /// Since 1970-01-01, as if in UTC; what is not known is the least.
    fn nanos_since_1970(&self) -> i128 {
        let seconds = i128::from(self.hour) * 3_600 + i128::from(self.minute) * 60 + i128::from(self.second);
        i128::from(days_since_1970(self.year.into(), self.month, self.day)) * DAY + seconds * SECOND + i128::from(self.nanos)
    }

    /// All parts, known to the nanosecond; `None` outside the years 1 to 9999.
    fn of_nanos(nanos: i128) -> Option<Moment> {
        let (days, rest) = (nanos.div_euclid(DAY), nanos.rem_euclid(DAY));
        let (year, month, day) = civil(i64::try_from(days).ok()?)?;
        let seconds = (rest / SECOND) as u32;
        Some(Moment {
            year,
            month,
            day,
            hour: (seconds / 3_600) as u8,
            minute: (seconds / 60 % 60) as u8,
            second: (seconds % 60) as u8,
            nanos: (rest % SECOND) as u32,
            digits: 9,
            precision: Precision::Second,
            zone: None,
            has_date: true,
        })
    }

    /// As [`Self::nanos_since_1970`], of a time with a zone in UTC. It may lie outside the years 1 to 9999.
    fn nanos_in_utc(&self) -> i128 {
        let zone = self.zone.filter(|_| self.has_time()).unwrap_or(0);
        self.nanos_since_1970() - i128::from(zone) * 60 * SECOND
    }

    /// The same for moments that are equal: how far it is known, whether in a zone, and its first instant.
    pub(super) fn identity(&self) -> (Precision, bool, i128) {
        (self.precision, self.zone.is_some() && self.has_time(), self.nanos_in_utc())
    }

    /// The first instant that is meant, and the first behind, in nanoseconds; of a time with a zone in UTC.
    fn span(&self) -> (i128, i128) {
        let low = self.nanos_in_utc();
        let width = match self.precision {
            Precision::Year => 366 * DAY,
            Precision::Month => 31 * DAY,
            Precision::Day => DAY,
            Precision::Hour => 3_600 * SECOND,
            Precision::Minute => 60 * SECOND,
            Precision::Second => 1,
        };
        (low, low + width)
    }

    /// The order of two moments, as far as both are known.
    pub fn order(&self, other: &Moment) -> Option<Ordering> {
        if self.has_date != other.has_date {
            return None;
        }
        if self.zone != other.zone && self.has_time() && other.has_time() {
            return match (self.zone, other.zone) {
                (Some(_), None) => self.order_unzoned(other),
                (None, Some(_)) => other.order_unzoned(self).map(Ordering::reverse),
                _ => self.order_spans(other),
            };
        }
        self.order_parts(other)
    }

    /// Against a time of which the zone is not known: only where it does not matter.
    fn order_unzoned(&self, other: &Moment) -> Option<Ordering> {
        let (low, high) = self.span();
        let (other_low, other_high) = other.span();
        let minute = 60 * SECOND;
        if high <= other_low - i128::from(AHEAD) * minute {
            Some(Ordering::Less)
        } else if low >= other_high - i128::from(BEHIND) * minute {
            Some(Ordering::Greater)
        } else {
            None
        }
    }

    /// Of two zones: hours of zones that are half an hour apart overlap, and are in no order then.
    fn order_spans(&self, other: &Moment) -> Option<Ordering> {
        let ((low, high), (other_low, other_high)) = (self.span(), other.span());
        if self.precision == other.precision && low == other_low {
            Some(Ordering::Equal)
        } else if high <= other_low {
            Some(Ordering::Less)
        } else if low >= other_high {
            Some(Ordering::Greater)
        } else {
            None
        }
    }

    fn order_parts(&self, other: &Moment) -> Option<Ordering> {
        let parts = |m: &Moment| [m.year as u32, m.month.into(), m.day.into(), m.hour.into(), m.minute.into(), m.second.into(), m.nanos];
        let shared = self.precision.min(other.precision);
        let known = if shared == Precision::Second { 7 } else { shared as usize + 1 };
        let order = parts(self)[..known].cmp(&parts(other)[..known]);
        (order.is_ne() || self.precision == other.precision).then_some(order)
    }

    /// Whether they are the same, known equally far.
    pub fn is_equivalent(&self, other: &Moment) -> bool {
        self.precision == other.precision && self.order(other) == Some(Ordering::Equal)
    }

    /// Later, or earlier, by a whole count of units: <http://hl7.org/fhirpath/N1/#datetime-arithmetic>.
    ///
    /// What is finer than the moment is known counts in its own unit as far as it is whole: 24 months are two years, 365 days one.
    /// `None` outside the years 1 to 9999.
    pub fn plus(self, count: i64, unit: Calendar) -> Option<Moment> {
        use Calendar::*;
        if !self.has_date {
            let moved = (self.nanos_since_1970() - days_since_1970(0, 1, 1) as i128 * DAY) + self.steps(count, unit)?;
            let day = Moment::of_nanos(moved.rem_euclid(DAY))?;
            return Some(Moment { digits: self.digits, precision: self.precision, has_date: false, year: 0, month: 1, day: 1, ..day });
        }
        match (self.precision, unit) {
            (_, Year) => self.plus_months(count.checked_mul(12)?),
            (Precision::Year, Month) => self.plus_months(count / 12 * 12),
            (_, Month) => self.plus_months(count),
            (Precision::Year | Precision::Month, unit) => {
                let days = count.checked_mul(unit.milliseconds()?)? / 86_400_000;
                self.plus_months(if self.precision == Precision::Year { days / 365 * 12 } else { days / 30 })
            }
            (_, unit) => {
                let moved = Moment::of_nanos(self.nanos_since_1970().checked_add(self.steps(count, unit)?)?)?;
                Some(Moment { digits: self.digits, precision: self.precision, zone: self.zone, ..moved })
            }
        }
    }

    /// Nanoseconds, in whole units of what is known.
    fn steps(&self, count: i64, unit: Calendar) -> Option<i128> {
        let step: i128 = match self.precision {
            Precision::Year | Precision::Month | Precision::Day => DAY,
            Precision::Hour => 3_600 * SECOND,
            Precision::Minute => 60 * SECOND,
            Precision::Second => 1,
        };
        Some(i128::from(count) * i128::from(unit.milliseconds()?) * 1_000_000 / step * step)
    }

    fn plus_months(self, months: i64) -> Option<Moment> {
        let all = i64::from(self.year).checked_mul(12)?.checked_add(i64::from(self.month) - 1)?.checked_add(months)?;
        let year = i16::try_from(all.div_euclid(12)).ok().filter(|y| (1..=9999).contains(y))?;
        let month = all.rem_euclid(12) as u8 + 1;
        Some(Moment { year, month, day: self.day.min(days_in_month(year, month)), ..self })
    }

    /// How many digits its parts have: 4, 6, 8, 10, 12, 14 or 17; for a time of day 2, 4, 6 or 9.
    pub fn digits(&self) -> i64 {
        let upto = match self.precision {
            Precision::Year => 4,
            Precision::Month => 6,
            Precision::Day => 8,
            Precision::Hour => 10,
            Precision::Minute => 12,
            Precision::Second => 14 + i64::from(self.digits),
        };
        if self.has_date { upto } else { upto - 8 }
    }

    /// The first or last moment that is meant, told with that many digits; `None` for a count that no moment has.
    ///
    /// Without a zone it may be anywhere on earth: first east of all, last west of all.
    pub fn boundary(self, is_high: bool, digits: i64) -> Option<Moment> {
        let precision = match if self.has_date { digits } else { digits.checked_add(8)? } {
            4 if self.has_date => Precision::Year,
            6 if self.has_date => Precision::Month,
            8 if self.has_date => Precision::Day,
            10 => Precision::Hour,
            12 => Precision::Minute,
            14 | 17 => Precision::Second,
            _ => return None,
        };
        let milliseconds = digits == if self.has_date { 17 } else { 9 };
        let mut out = Moment { precision, digits: if milliseconds { 3 } else { 0 }, ..self };
        if is_high {
            if self.precision < Precision::Month {
                out.month = 12;
            }
            if self.precision < Precision::Day {
                out.day = days_in_month(out.year, out.month);
            }
            if self.precision < Precision::Hour {
                out.hour = 23;
            }
            if self.precision < Precision::Minute {
                out.minute = 59;
            }
            if self.precision < Precision::Second {
                out.second = 59;
            }
            let known = 10u32.pow(9 - u32::from(self.digits.min(9)));
            out.nanos = if self.precision < Precision::Second { 999_999_999 } else { self.nanos / known * known + (known - 1) };
        }
        out.nanos = if milliseconds { out.nanos / 1_000_000 * 1_000_000 } else { 0 };
        if precision < Precision::Hour {
            out.zone = None;
        } else if self.has_date && self.zone.is_none() {
            out.zone = Some(if is_high { BEHIND } else { AHEAD });
        }
        Some(out)
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.has_date {
            write!(f, "{:04}", self.year)?;
            if self.precision >= Precision::Month {
                write!(f, "-{:02}", self.month)?;
            }
            if self.precision >= Precision::Day {
                write!(f, "-{:02}", self.day)?;
            }
        }
        if self.precision < Precision::Hour {
            return Ok(());
        }
        write!(f, "{}{:02}", if self.has_date { "T" } else { "" }, self.hour)?;
        if self.precision >= Precision::Minute {
            write!(f, ":{:02}", self.minute)?;
        }
        if self.precision >= Precision::Second {
            write!(f, ":{:02}", self.second)?;
            if self.digits > 0 {
                write!(f, ".{:0width$}", self.nanos / 10u32.pow(9 - u32::from(self.digits.min(9))), width = usize::from(self.digits.min(9)))?;
            }
        }
        match self.zone {
            None => Ok(()),
            Some(0) => f.write_str("Z"),
            Some(zone) => write!(f, "{}{:02}:{:02}", if zone < 0 { '-' } else { '+' }, zone.abs() / 60, zone.abs() % 60),
        }
    }
}

pub(super) fn days_in_month(year: i16, month: u8) -> u8 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01 in the proleptic Gregorian calendar.
fn days_since_1970(year: i64, month: u8, day: u8) -> i64 {
    let (year, month) = if month <= 2 { (year - 1, i64::from(month) + 9) } else { (year, i64::from(month) - 3) };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * month + 2) / 5 + i64::from(day) - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// The reverse, for the years 1 to 9999.
fn civil(days: i64) -> Option<(i16, u8, u8)> {
    let days = days.checked_add(719_468)?;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = (of_year - (153 * month + 2) / 5 + 1) as u8;
    let month = if month < 10 { month + 3 } else { month - 9 } as u8;
    let year = i16::try_from(era * 400 + year + i64::from(month <= 2)).ok().filter(|y| (1..=9999).contains(y))?;
    Some((year, month, day))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(text: &str) -> Moment {
        Moment::date_time(text).unwrap()
    }

    #[test]
    fn what_is_written_is_read_and_printed_again() {
        for text in ["2015", "2015-02", "2016-02-29", "2015-02-04T14", "2015-02-04T14:34", "2015-02-04T14:34:28.123+10:00", "0001-01-01T00:00:00Z"] {
            assert_eq!(moment(text).to_string(), text);
        }
        assert_eq!(Moment::time("T14:34:28.5").unwrap().to_string(), "14:34:28.5");
        for bad in ["", "15", "2015-13", "2015-02-29", "0000", "2015-02-04T24", "2015-02-04T14:34:28.", "2015T14", "2015-02-04T14:60", "2015-02-04T10+15:00", "2015-02-04 10:00"] {
            assert_eq!(Moment::date_time(bad), None, "{bad}");
        }
        assert_eq!(Moment::date("2015T"), None);
        assert_eq!(Moment::time("14:34Z"), None);
    }

    #[test]
    fn the_order_needs_precision_and_zone() {
        let order = |a, b| moment(a).order(&moment(b));
        assert_eq!(order("2018-03", "2018-03-01"), None);
        assert_eq!(order("2018-03", "2018-04-01"), Some(Ordering::Less));
        assert_eq!(order("2018-03-01T10:30:00", "2018-03-01T10:30:00.0"), Some(Ordering::Equal));
        assert_eq!(order("2012-04-15T15:00:00+02:00", "2012-04-15T16:00:00+03:00"), Some(Ordering::Equal));
        assert_eq!(order("2012-04-15T15:00:00Z", "2012-04-15T10:00:00"), None);
        assert_eq!(order("2012-04-15T15:00:00Z", "2012-04-17T10:00:00"), Some(Ordering::Less));
        assert_eq!(order("2012-04-15T23:30-01:00", "2012-04-16T00:30Z"), Some(Ordering::Equal));
    }

    #[test]
    fn hours_that_overlap_are_in_no_order() {
        let order = |a, b| moment(a).order(&moment(b));
        assert_eq!(order("2012-04-15T10+05:30", "2012-04-15T04Z"), None);
        assert_eq!(order("2012-04-15T10+05:30", "2012-04-15T05Z"), None);
        assert_eq!(order("2012-04-15T10+05:30", "2012-04-15T06Z"), Some(Ordering::Less));
        assert_eq!(order("2012-04-15T10+05:30", "2012-04-15T03Z"), Some(Ordering::Greater));
        assert_eq!(order("2012-04-15T10+05:30", "2012-04-15T09+04:30"), Some(Ordering::Equal));
        assert_eq!(order("2012-04-15T10+05:00", "2012-04-15T05Z"), Some(Ordering::Equal));
        assert_eq!(order("2012-04-15T10+05:30", "2012-04-15T04:15Z"), Some(Ordering::Greater));
        assert_eq!(order("2012-04-15T10+05:30", "2012-04-15T04:45Z"), None);
    }

    #[test]
    fn zones_lead_beyond_the_first_and_last_year() {
        let order = |a, b| moment(a).order(&moment(b));
        assert_eq!(order("9999-12-31T23:59:59.999-14:00", "9999-12-31T23:59:59.999Z"), Some(Ordering::Greater));
        assert_eq!(order("0001-01-01T00:00:00+14:00", "0001-01-01T00:00:00Z"), Some(Ordering::Less));
        assert_eq!(order("0001-01-01T00:00:00+14:00", "0001-01-01T01:00:00+14:00"), Some(Ordering::Less));
        assert_eq!(order("9999-12-31T23:00:00-14:00", "9999-12-31T22:00:00-13:00"), Some(Ordering::Greater));
        assert_eq!(order("9999-12-31T23:00:00-13:00", "9999-12-31T22:00:00-14:00"), Some(Ordering::Equal));
        assert_eq!(moment("9999-12-31T23:59:59.999-14:00").microseconds(), moment("9999-12-31T23:59:59.999Z").microseconds().map(|us| us + 14 * 3_600_000_000));
        assert_eq!(moment("0001-01-01T00:00:00+14:00").microseconds(), moment("0001-01-01T00:00:00Z").microseconds().map(|us| us - 14 * 3_600_000_000));
    }

    #[test]
    fn units_of_the_calendar_are_added() {
        let plus = |text, count, unit| moment(text).plus(count, unit).map(|m| m.to_string());
        assert_eq!(plus("2016-02-29", 1, Calendar::Year).unwrap(), "2017-02-28");
        assert_eq!(plus("2016-01-31", 1, Calendar::Month).unwrap(), "2016-02-29");
        assert_eq!(plus("2016-03-31", -1, Calendar::Month).unwrap(), "2016-02-29");
        assert_eq!(plus("2014", 24, Calendar::Month).unwrap(), "2016");
        assert_eq!(plus("2014", 365, Calendar::Day).unwrap(), "2015");
        assert_eq!(plus("2014-01", 59, Calendar::Day).unwrap(), "2014-02");
        assert_eq!(plus("2014-01-01", 47, Calendar::Hour).unwrap(), "2014-01-02");
        assert_eq!(plus("2014-01-01T00:00:00.000+10:00", -1, Calendar::Second).unwrap(), "2013-12-31T23:59:59.000+10:00");
        assert_eq!(plus("9999", 1, Calendar::Year), None);
        assert_eq!(plus("2014-01-01", i64::MAX, Calendar::Week), None);
        assert_eq!(Moment::time("23:30").unwrap().plus(45, Calendar::Minute).unwrap().to_string(), "00:15");
    }

    #[test]
    fn days_are_counted_as_the_calendar_does() {
        for days in -719_162..2_932_896i64 {
            if days % 97 == 0 {
                let (year, month, day) = civil(days).unwrap();
                assert_eq!(days_since_1970(year.into(), month, day), days);
            }
        }
        assert_eq!(civil(0), Some((1970, 1, 1)));
        assert_eq!(civil(11_016), Some((2000, 2, 29)));
    }

    #[test]
    fn boundaries_are_the_first_and_last_that_are_meant() {
        let boundary = |text, is_high, digits| moment(text).boundary(is_high, digits).map(|m| m.to_string());
        assert_eq!(boundary("2014", false, 6).unwrap(), "2014-01");
        assert_eq!(boundary("2014", true, 8).unwrap(), "2014-12-31");
        assert_eq!(boundary("2014-02", true, 17).unwrap(), "2014-02-28T23:59:59.999-12:00");
        assert_eq!(boundary("2014-01-01T08:05+08:00", false, 17).unwrap(), "2014-01-01T08:05:00.000+08:00");
        assert_eq!(boundary("2014-01-01T08", false, 8).unwrap(), "2014-01-01");
        assert_eq!(boundary("2014", false, 5), None);
    }
}
