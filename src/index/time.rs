//! FHIR dates as intervals of microseconds since 2000-01-01 UTC (Postgres' own epoch), and the calendar buckets they fall into.
//!
//! <https://hl7.org/fhir/R4/search.html#date>: a date is the interval of its precision; a period lacking an end is open there.
//! A date without a time zone is read as UTC, so that what a key says never depends on a setting.

/// An interval `[low, high)`; [`OPEN_LOW`] and [`OPEN_HIGH`] stand for an end that is not known.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Interval {
    pub low: i64,
    pub high: i64,
}

pub const OPEN_LOW: i64 = i64::MIN;
pub const OPEN_HIGH: i64 = i64::MAX;

const SECOND: i64 = 1_000_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
pub const DAY: i64 = 24 * HOUR;
/// 2000-01-01 in days since 1970-01-01.
const EPOCH_DAYS: i64 = 10_957;

impl Interval {
    /// The last instant inside, or [`OPEN_HIGH`].
    pub fn last(self) -> i64 {
        if self.high == OPEN_HIGH { OPEN_HIGH } else { self.high.saturating_sub(1) }
    }

    /// Whether `other` lies wholly inside.
    pub fn contains(self, other: Interval) -> bool {
        other.low >= self.low && other.high <= self.high
    }
}

/// Reads `YYYY`, `YYYY-MM`, `YYYY-MM-DD` and date-times down to any fraction of a second, with or without a zone.
/// Minutes may stand without seconds, as search values allow. `None` if it is not such a date.
pub fn parse(text: &str) -> Option<Interval> {
    let b = text.as_bytes();
    let year = digits(b.get(0..4)?)?;
    if year == 0 {
        return None;
    }
    if b.len() == 4 {
        return Some(Interval { low: instant(year, 1, 1), high: instant(year + 1, 1, 1) });
    }
    let month = group(b, 4, b'-')?;
    if !(1..=12).contains(&month) {
        return None;
    }
    if b.len() == 7 {
        let (y, m) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
        return Some(Interval { low: instant(year, month, 1), high: instant(y, m, 1) });
    }
    let day = group(b, 7, b'-')?;
    if day < 1 || day > days_in_month(year, month) {
        return None;
    }
    let midnight = instant(year, month, day);
    if b.len() == 10 {
        return Some(Interval { low: midnight, high: midnight + DAY });
    }
    let (hour, minute) = (group(b, 10, b'T')?, group(b, 13, b':')?);
    if hour > 23 || minute > 59 {
        return None;
    }
    let mut low = midnight + hour * HOUR + minute * MINUTE;
    let mut width = MINUTE;
    let mut at = 16;
    if b.get(at) == Some(&b':') {
        let second = group(b, at, b':')?;
        if second > 60 {
            return None;
        }
        low += second * SECOND;
        width = SECOND;
        at += 3;
        if b.get(at) == Some(&b'.') {
            at += 1;
            let start = at;
            while let Some(d) = b.get(at).filter(|d| d.is_ascii_digit()) {
                // what is finer than a microsecond is below the resolution of timestamptz
                if width > 1 {
                    width /= 10;
                    low += i64::from(d - b'0') * width;
                }
                at += 1;
            }
            if at == start {
                return None;
            }
        }
    }
    let offset = match b.get(at..)? {
        b"" | b"Z" => 0,
        zone => {
            let sign = match zone[0] {
                b'+' | b' ' => 1, // an unescaped plus of a URL arrives as a space
                b'-' => -1,
                _ => return None,
            };
            if zone.len() != 6 || zone[3] != b':' {
                return None;
            }
            let (h, m) = (digits(&zone[1..3])?, digits(&zone[4..6])?);
            if h > 14 || m > 59 {
                return None;
            }
            sign * (h * HOUR + m * MINUTE)
        }
    };
    Some(Interval { low: low - offset, high: low - offset + width })
}

fn digits(b: &[u8]) -> Option<i64> {
    b.iter().try_fold(0, |n, d| d.is_ascii_digit().then(|| n * 10 + i64::from(d - b'0')))
}

/// The two digits that follow `mark` at `at`.
fn group(b: &[u8], at: usize, mark: u8) -> Option<i64> {
    if *b.get(at)? != mark {
        return None;
    }
    digits(b.get(at + 1..at + 3)?)
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 => 28 + i64::from(is_leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 2000-01-01 of a civil date (proleptic Gregorian).
const fn days(year: i64, month: i64, day: i64) -> i64 {
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let of_era = y.rem_euclid(400);
    let of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468 - EPOCH_DAYS
}

fn instant(year: i64, month: i64, day: i64) -> i64 {
    days(year, month, day) * DAY
}

/// Year and month of an instant.
fn civil(at: i64) -> (i64, i64) {
    let z = at.div_euclid(DAY) + EPOCH_DAYS + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1_460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    (yoe + era * 400 + i64::from(month <= 2), month)
}

/// An instant as ISO 8601 in UTC, for people to read.
pub fn shown(at: i64) -> String {
    let (year, month) = civil(at);
    let day = at.div_euclid(DAY) - days(year, month, 1) + 1;
    let of_day = at.rem_euclid(DAY);
    let (hour, minute, second) = (of_day / HOUR, of_day / MINUTE % 60, of_day / SECOND % 60);
    let date = format!("{year:04}-{month:02}-{day:02}");
    match (of_day, at.rem_euclid(SECOND)) {
        (0, _) => date,
        (_, 0) => format!("{date}T{hour:02}:{minute:02}:{second:02}Z"),
        (_, micros) => format!("{date}T{hour:02}:{minute:02}:{second:02}.{micros:06}Z"),
    }
}

/// The first and the last instant of the years that FHIR has, 0001 to 9999.
pub const FIRST: i64 = days(1, 1, 1) * DAY;
pub const LAST: i64 = days(10_000, 1, 1) * DAY - 1;

/// An instant as a FHIR instant in UTC, which reads back as itself; for years of four digits.
pub fn instant_text(at: i64) -> String {
    let shown = shown(at);
    if shown.contains('T') { shown } else { format!("{shown}T00:00:00Z") }
}

/// The calendar levels of the buckets, coarse to fine.
pub const LEVELS: usize = 5;
const CENTURY: usize = 0;
const DECADE: usize = 1;
const YEAR: usize = 2;
const MONTH: usize = 3;

/// Centuries outside 1800–2099 share one bucket at each end: such dates are rare, and an open range stays a short list.
const FIRST_CENTURY: i64 = 17;
const LAST_CENTURY: i64 = 21;

/// The number of the bucket that an instant falls into at a level.
pub fn bucket(at: i64, level: usize) -> i32 {
    let n = match level {
        CENTURY => civil(at).0.div_euclid(100).clamp(FIRST_CENTURY, LAST_CENTURY),
        DECADE => civil(at).0.div_euclid(10),
        YEAR => civil(at).0,
        MONTH => {
            let (y, m) = civil(at);
            y * 12 + m - 1
        }
        _ => at.div_euclid(DAY),
    };
    n as i32
}

/// All buckets of level 0.
pub fn coarsest() -> impl Iterator<Item = i32> {
    (FIRST_CENTURY..=LAST_CENTURY).map(|n| n as i32)
}

/// Where the bucket that holds `at` begins and ends.
fn span(at: i64, level: usize) -> Interval {
    let (y, m) = civil(at);
    match level {
        CENTURY => {
            let c = y.div_euclid(100);
            Interval {
                low: if c <= FIRST_CENTURY { OPEN_LOW } else { instant(c * 100, 1, 1) },
                high: if c >= LAST_CENTURY { OPEN_HIGH } else { instant((c + 1) * 100, 1, 1) },
            }
        }
        DECADE => {
            let first = y.div_euclid(10) * 10;
            Interval { low: instant(first, 1, 1), high: instant(first + 10, 1, 1) }
        }
        YEAR => Interval { low: instant(y, 1, 1), high: instant(y + 1, 1, 1) },
        MONTH if m == 12 => Interval { low: instant(y, 12, 1), high: instant(y + 1, 1, 1) },
        MONTH => Interval { low: instant(y, m, 1), high: instant(y, m + 1, 1) },
        _ => {
            let low = at.div_euclid(DAY) * DAY;
            Interval { low, high: low + DAY }
        }
    }
}

/// A bucket of a covering.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bucket {
    pub level: usize,
    pub number: i32,
    /// Whether all that falls into it lies in the range that was covered.
    pub exact: bool,
}

/// The fewest buckets that cover the finite instants of `range`.
pub fn cover(range: Interval) -> Vec<Bucket> {
    let mut out = Vec::new();
    if range.low >= range.high {
        return out;
    }
    // the shared buckets at either end of time
    let (first, last) = (instant((FIRST_CENTURY + 1) * 100, 1, 1), instant(LAST_CENTURY * 100, 1, 1));
    if range.low < first {
        let exact = range.low == OPEN_LOW && range.high >= first;
        out.push(Bucket { level: CENTURY, number: FIRST_CENTURY as i32, exact });
    }
    let mut at = range.low.max(first);
    let end = range.high.min(last);
    while at < end {
        let level = (0..LEVELS)
            .find(|&level| {
                let s = span(at, level);
                s.low == at && s.high <= end
            })
            .unwrap_or(LEVELS - 1);
        let s = span(at, level);
        out.push(Bucket { level, number: bucket(at, level), exact: s.low >= range.low && s.high <= range.high });
        at = s.high;
    }
    if range.high > last {
        let exact = range.high == OPEN_HIGH && range.low <= last;
        out.push(Bucket { level: CENTURY, number: LAST_CENTURY as i32, exact });
    }
    out
}

/// The single bucket that is exactly `range`, if there is one; else the finest that holds it all, if there is one.
pub fn enclosing(range: Interval) -> Option<Bucket> {
    if range.low == OPEN_LOW || range.high == OPEN_HIGH {
        return None;
    }
    (0..LEVELS).rev().find_map(|level| {
        let s = span(range.low, level);
        (range.high <= s.high).then(|| Bucket { level, number: bucket(range.low, level), exact: s == range })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partial_dates_are_intervals_of_their_precision() {
        let day = parse("2000-01-01").unwrap();
        assert_eq!(day, Interval { low: 0, high: DAY });
        assert_eq!(parse("2000").unwrap().high, 366 * DAY);
        assert_eq!(parse("1999-12").unwrap().high, 0);
        assert_eq!(parse("2000-01-01T00:00:00.5Z").unwrap(), Interval { low: 500_000, high: 600_000 });
        assert_eq!(parse("2000-01-01T02:00:00+02:00").unwrap(), Interval { low: 0, high: SECOND });
        assert_eq!(parse("2000-01-01T02:00 02:00").unwrap(), Interval { low: 0, high: MINUTE });
        assert_eq!(parse("1970-01-01").unwrap().low, -EPOCH_DAYS * DAY);
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for bad in ["", "20", "2000-13", "2001-02-29", "2000-01-01T25:00", "2000-01-01T10", "abcd", "2000-1-1", "0000", "2000-01-01T10:00:00."] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn civil_is_the_inverse_of_days() {
        for year in [1, 1582, 1600, 1899, 1900, 1970, 2000, 2023, 2024, 9999] {
            for month in 1..=12 {
                assert_eq!(civil(instant(year, month, 1)), (year, month));
                assert_eq!(civil(instant(year, month, days_in_month(year, month)) + DAY - 1), (year, month));
            }
        }
    }

    #[test]
    fn a_cover_holds_each_instant_of_its_range_once_and_marks_what_is_ragged() {
        let ranges = [
            ("2013-03-14", OPEN_HIGH),
            ("1700", OPEN_HIGH),
            ("2013-03-14T10:00:00", instant(2014, 7, 3) + 17),
            ("2150", OPEN_HIGH),
            ("2013", parse("2013").unwrap().high),
        ];
        let probes: Vec<i64> = (1750..2250).flat_map(|y| (1..=12).map(move |m| instant(y, m, 1 + (y + m) % 28) + (m * HOUR))).collect();
        for (low, high) in ranges {
            let range = Interval { low: parse(low).unwrap().low, high };
            let cover = cover(range);
            assert!(cover.len() < 110, "{} buckets", cover.len());
            for &at in &probes {
                let hits: Vec<_> = cover.iter().filter(|b| bucket(at, b.level) == b.number).collect();
                let inside = at >= range.low && at < range.high;
                assert!(hits.len() <= 1, "{low} {at} {hits:?}");
                if inside {
                    assert_eq!(hits.len(), 1, "{low} {at}");
                } else {
                    assert!(hits.iter().all(|b| !b.exact), "{low} {at} {hits:?}");
                }
            }
        }
        assert_eq!(enclosing(parse("2013").unwrap()), Some(Bucket { level: YEAR, number: 2013, exact: true }));
        assert!(!enclosing(parse("2013-01-01T10:00").unwrap()).unwrap().exact);
    }
}
