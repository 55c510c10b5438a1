//! Dates by the calendar: "2 Feb 2010", "02/03/2010", "2010-02-03", "March 2019", "in 2010", "Q3 2021".

use super::Found;
use super::value::Calendar;
use super::words::{Cue, Reader};
use crate::nlp::entity::Kind;
use crate::nlp::token::{Case, Class};

fn date(begin: u32, end: u32, value: Option<Calendar>) -> Found {
    Found { begin, end, kind: Kind::Date, value: value.map(|v| v.to_string()) }
}

/// A date that begins with a number in digits: 2/3/2010, 2010-02-03, 02.03.2010, 2/2010, 2/3.
pub fn numeric(r: &Reader, at: u32) -> Option<Found> {
    if r.is_glued(at) && [b'/', b'-', b'.', b':', b'#'].iter().any(|&mark| r.is_mark_before(at, mark)) {
        return None;
    }
    dotted(r, at).or_else(|| three(r, at)).or_else(|| two(r, at))
}

/// 02.03.2010: the day first, as it is written where points are; the month first if the second is no month.
fn dotted(r: &Reader, at: u32) -> Option<Found> {
    let text = r.note.word(at);
    if !(6..=10).contains(&text.len()) || text.bytes().filter(|&b| b == b'.').count() != 2 {
        return None;
    }
    let mut parts = text.split('.').map(|part| part.parse::<u32>().ok().map(|n| (n, part.len())));
    let ((a, long_a), (b, _), (c, long_c)) = (parts.next()??, parts.next()??, parts.next()??);
    let day = match (long_a, long_c) {
        (4, 1 | 2) => Calendar::day(a as i32, b, c),
        (1 | 2, 4) if (1900..2200).contains(&c) => day_first(c as i32, a, b),
        (2, 2) if happened_before(r, at) => day_first(r.century(c), a, b),
        _ => None,
    }?;
    Some(date(at, at + 1, Some(day)))
}

fn day_first(year: i32, a: u32, b: u32) -> Option<Calendar> {
    Calendar::day(year, b, a).or_else(|| Calendar::day(year, a, b))
}

fn month_first(year: i32, a: u32, b: u32) -> Option<Calendar> {
    Calendar::day(year, a, b).or_else(|| Calendar::day(year, b, a))
}

/// Three numbers with the same mark between.
fn three(r: &Reader, at: u32) -> Option<Found> {
    let mark = [b'/', b'-'].into_iter().find(|&mark| r.is_mark(at + 1, mark) && r.is_mark(at + 3, mark))?;
    let ((a, long_a), (b, long_b), (c, long_c)) = (r.whole(at)?, r.whole(at + 2)?, r.whole(at + 4)?);
    if r.is_mark(at + 5, mark) && r.class(at + 6) == Class::Number || r.cue(at + 5) == Cue::Measure || long_b > 2 {
        return None;
    }
    let day = match (long_a, long_c) {
        (4, 1 | 2) if (1900..2200).contains(&a) => Calendar::day(a as i32, b, c),
        (1 | 2, 4) if (1900..2200).contains(&c) => month_first(c as i32, a, b),
        // with two digits for the year: 1-2-3 is more often something else
        (1 | 2, 2) if mark == b'/' || (long_a == 2 && long_b == 2) || happened_before(r, at) => month_first(r.century(c), a, b),
        _ => None,
    }?;
    // 2010-02-03T08:30:00Z
    let mut end = at + 5;
    if r.cue(end) == Cue::Coded && r.is_glued(end) && r.note.word(end).starts_with('T') {
        let first = end;
        while end < first + 9 && r.is_glued(end) && (matches!(r.class(end), Class::Number | Class::Word) || [b':', b'+', b'-'].iter().any(|&m| r.is_mark(end, m))) {
            end += 1;
        }
        let clock = r.note.words(first..end);
        return Some(Found { begin: at, end, kind: Kind::Date, value: Some(format!("{day}{clock}")) });
    }
    Some(date(at, end, Some(day)))
}

/// Two numbers: a month of a year, or a day where the words about say so.
fn two(r: &Reader, at: u32) -> Option<Found> {
    let slash = r.is_mark(at + 1, b'/');
    let dash = r.is_mark(at + 1, b'-');
    if !(slash || dash) || !r.is_glued(at + 1) || !r.is_glued(at + 2) {
        return None;
    }
    let ((a, long_a), (b, long_b)) = (r.whole(at)?, r.whole(at + 2)?);
    let behind = at + 3;
    let goes_on = r.is_glued(behind) && ([b'/', b'-', b'%', b'+'].iter().any(|&m| r.is_mark(behind, m)) || r.is_mark(behind, b':') && r.class(behind + 1) == Class::Number);
    if goes_on || matches!(r.cue(behind), Cue::Measure | Cue::Scale | Cue::Unit(_)) || (r.is_glued(behind) && r.class(behind) == Class::Word) {
        return None;
    }
    if dash {
        return match (r.year(at), r.year(at + 2)) {
            // years from to
            (Some(from), Some(to)) if from < to => {
                Some(Found { begin: at, end: behind, kind: Kind::Date, value: Some(format!("{from}/{to}")) })
            }
            (Some(year), None) if long_b == 2 && (1..=12).contains(&b) => {
                // 2010-12 may be two years
                let years = year.rem_euclid(100) < b as i32 && year.rem_euclid(100) + 6 > b as i32;
                Some(date(at, behind, (!years).then(|| Calendar::month(year, b))))
            }
            _ if in_placeholder(r, at) => month_day(r, at, a, b),
            _ => None,
        };
    }
    if (1..=12).contains(&a) && r.year(at + 2).is_some() {
        return Some(date(at, behind, Some(Calendar::month(b as i32, a))));
    }
    if long_a > 2 || long_b > 2 || !(1..=12).contains(&a) || a == 0 {
        return None;
    }
    let before = at.checked_sub(1)?;
    let scale = |back: u32| at.checked_sub(back).is_some_and(|token| r.cue(token) == Cue::Scale);
    if scale(1) || scale(2) || scale(3) {
        return None;
    }
    let near = match r.cue(before) {
        Cue::In => return (b < 100 && long_b == 2).then(|| date(at, behind, Some(Calendar::month(r.century(b), a)))),
        Cue::On | Cue::Since | Cue::Happened | Cue::Weekday(..) | Cue::Last => true,
        // "from 3/10 to 7/10" is a pain, "to 6/24" an acuity: the other end must be a date as well
        Cue::To => before >= 3 && r.is_mark(before - 2, b'/') && !matches!(b, 5 | 6 | 10),
        Cue::Preposition => !matches!(b, 5 | 6 | 10),
        // a line that begins with a date: "2/3: afebrile"
        _ => in_placeholder(r, at) || (r.begins_line(at) && r.is_mark(behind, b':')) || (r.is_mark(before, b',') && weekday_at(r, at.wrapping_sub(2))),
    };
    if !near {
        return None;
    }
    if b > 31 {
        return (long_b == 2).then(|| date(at, behind, Some(Calendar::month(r.century(b), a))));
    }
    month_day(r, at, a, b)
}

fn weekday_at(r: &Reader, at: u32) -> bool {
    matches!(r.cue(at), Cue::Weekday(..))
}

/// Month and day in digits, `at` and `at + 2`.
fn month_day(r: &Reader, at: u32, month: u32, day: u32) -> Option<Found> {
    Calendar::day(2000, month, day)?;
    Some(date(at, at + 3, nearest(r, month, day)))
}

/// The day of that month that is nearest to the note.
fn nearest(r: &Reader, month: u32, day: u32) -> Option<Calendar> {
    use chrono::Datelike;
    let written = r.note.date?;
    let year = written.year();
    [year, year - 1, year + 1]
        .into_iter()
        .filter_map(|year| chrono::NaiveDate::from_ymd_opt(year, month, day))
        .min_by_key(|day| (*day - written).num_days().abs())
        .map(Calendar::from)
}

/// Behind `[**`, which marks what was taken out of a text.
fn in_placeholder(r: &Reader, at: u32) -> bool {
    r.is_mark_before(at, b'*') && at.checked_sub(2).is_some_and(|two| r.is_mark(two, b'*'))
}

fn happened_before(r: &Reader, at: u32) -> bool {
    let before = if r.is_mark_before(at, b':') { at.saturating_sub(1) } else { at };
    matches!(r.cue_before(before), Cue::On | Cue::Since | Cue::Happened | Cue::Weekday(..) | Cue::Preposition | Cue::To | Cue::In)
}

/// A day of a month: one or two digits, perhaps with "st" or "th", or an ordinal. The day and the token behind.
fn day(r: &Reader, at: u32) -> Option<(u32, u32)> {
    match r.cue(at) {
        Cue::Ordinal(day) => Some((day.into(), at + 1)),
        _ => {
            let (day, digits) = r.whole(at)?;
            if digits > 2 || !(1..=31).contains(&day) {
                return None;
            }
            let behind = at + 1;
            match r.cue(behind) {
                Cue::OrdinalEnding if r.is_glued(behind) => Some((day, behind + 1)),
                _ if r.is_glued(behind) && (r.class(behind) == Class::Word || r.is_mark(behind, b'%') || r.is_mark(behind, b':')) => None,
                _ => Some((day, behind)),
            }
        }
    }
}

/// A year behind a month or a day, perhaps with a comma or "of" before it: 2010, '10. The year and the token behind.
fn year_behind(r: &Reader, at: u32) -> Option<(i32, u32)> {
    let at = if r.is_mark(at, b',') || r.cue(at) == Cue::Of || (r.is_mark(at, b'.') && r.is_glued(at)) { r.next(at) } else { at };
    if let Some(year) = r.year(at) {
        return (!matches!(r.cue(at + 1), Cue::Measure)).then_some((year, at + 1));
    }
    let quoted = r.is_mark(at, b'\'');
    let (short, digits) = r.whole(at + u32::from(quoted))?;
    (quoted && digits == 2).then(|| (r.century(short), at + 2))
}

/// A year of two digits behind a dash or slash: the 10 of 2-Feb-10.
fn short_year_behind(r: &Reader, at: u32) -> Option<(i32, u32)> {
    if !(r.is_mark(at, b'-') || r.is_mark(at, b'/')) || !r.is_glued(at + 1) {
        return None;
    }
    let (short, digits) = r.whole(at + 1)?;
    match digits {
        4 => r.year(at + 1).map(|year| (year, at + 2)),
        2 => Some((r.century(short), at + 2)),
        _ => None,
    }
}

/// A date that begins with a day: 2 Feb 2010, 2nd of February, 2-Feb-10, 03AUG2010.
pub fn day_month(r: &Reader, at: u32) -> Option<Found> {
    let (number, mut behind) = match day(r, at) {
        Some(found) => found,
        None => (r.whole(at).filter(|&(day, digits)| digits <= 2 && (1..=31).contains(&day))?.0, at + 1),
    };
    let dashed = r.is_mark(behind, b'-') || r.is_mark(behind, b'/');
    if dashed || r.cue(behind) == Cue::Of {
        behind = r.next(behind);
    }
    // 03AUG2010 is a number and a word with digits
    if r.cue(behind) == Cue::Coded && r.is_glued(behind) {
        let (month, year) = month_and_year(r.note.word(behind))?;
        let value = Calendar::day(year.map_or(0, |y| if y < 100 { r.century(y as u32) } else { y }), month, number)?;
        return year.map(|_| date(at, behind + 1, Some(value)));
    }
    let Cue::Month(month, _) = r.cue(behind) else { return None };
    if r.case(behind) == Case::Lower && matches!(month, 3 | 5) && !dashed {
        return None; // "2 may", "5 march"
    }
    let month = u32::from(month);
    let end = dot_behind(r, behind + 1);
    let (value, end) = match year_behind(r, end).or_else(|| if dashed { short_year_behind(r, end) } else { None }) {
        Some((year, end)) => (Some(Calendar::day(year, month, number)?), end),
        None => {
            Calendar::day(2000, month, number)?;
            (nearest(r, month, number), behind + 1)
        }
    };
    Some(date(at, end, value))
}

/// Past the point of "Feb.".
fn dot_behind(r: &Reader, at: u32) -> u32 {
    if r.is_mark(at, b'.') && r.is_glued(at) && matches!(r.class(at + 1), Class::Number) || (r.is_mark(at, b'.') && r.is_mark(at + 1, b',')) {
        at + 1
    } else {
        at
    }
}

/// AUG2010: a month in letters with a year of two or four digits behind.
fn month_and_year(word: &str) -> Option<(u32, Option<i32>)> {
    const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    let (letters, digits) = word.split_at_checked(3)?;
    let month = MONTHS.iter().position(|m| letters.eq_ignore_ascii_case(m))? as u32 + 1;
    if !matches!(digits.len(), 2 | 4) || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    Some((month, digits.parse().ok()))
}

/// A date that begins with the name of a month: Feb 2, 2010; February of 2010; Feb-2010; Feb 2-5; May.
pub fn month(r: &Reader, at: u32, number: u8, sure: bool) -> Option<Found> {
    let month = u32::from(number);
    let lower = r.case(at) == Case::Lower;
    let doubtful = matches!(number, 3 | 5) && lower;
    let mut behind = dot_behind(r, at + 1);
    // Feb-2010, Feb/10
    if r.is_glued(behind)
        && (r.is_mark(behind, b'-') || r.is_mark(behind, b'/'))
        && let Some((value, end)) = dashed_behind(r, behind, month)
    {
        return Some(date(at, end, Some(value)));
    }
    if let Some((year, end)) = year_behind(r, behind) {
        return Some(date(at, end, Some(Calendar::month(year, month))));
    }
    if r.is_mark(behind, b',') {
        behind += 1;
    }
    let spelled_day = if r.cue(behind) == Cue::The { behind + 1 } else { behind };
    if !doubtful
        && let Some((first, end)) = day(r, spelled_day)
        && Calendar::day(2000, month, first).is_some()
        && !matches!(r.cue(end), Cue::Measure | Cue::Unit(_) | Cue::X)
        && !(r.is_mark(end, b'/') && r.is_glued(end))
        && !(matches!(r.cue(spelled_day), Cue::Ordinal(_)) && r.class(end) == Class::Word && lower)
    {
        return Some(with_day(r, at, month, first, end));
    }
    let before = r.cue_before(at);
    let led = matches!(before, Cue::In | Cue::Since | Cue::Last | Cue::Next | Cue::This | Cue::Preposition | Cue::Of | Cue::Past | Cue::To | Cue::Happened);
    let stands = (sure && !lower) || (led && !(matches!(number, 3 | 5) && lower)) && !may_verb(r, at, number);
    stands.then(|| date(at, at + 1, month_nearest(r, month)))
}

/// "in May" is a month, "of MAY HAVE" is none.
fn may_verb(r: &Reader, at: u32, month: u8) -> bool {
    month == 5 && r.case(at) == Case::Upper && r.class(at + 1) == Class::Word && !matches!(r.cue_before(at), Cue::In | Cue::Since | Cue::Last)
}

/// The year, or the day and year, behind the dash of a month: Feb-2010, Feb-02-2010, Feb-10.
fn dashed_behind(r: &Reader, at: u32, month: u32) -> Option<(Calendar, u32)> {
    if let Some(year) = r.year(at + 1) {
        return Some((Calendar::month(year, month), at + 2));
    }
    let (number, digits) = r.whole(at + 1)?;
    if let Some((year, end)) = short_year_behind(r, at + 2) {
        return Calendar::day(year, month, number).map(|day| (day, end));
    }
    (digits == 2 && r.is_glued(at + 1)).then(|| (Calendar::month(r.century(number), month), at + 2))
}

/// A month with a day, perhaps to another day, perhaps with a year.
fn with_day(r: &Reader, at: u32, month: u32, first: u32, end: u32) -> Found {
    let last = (r.is_mark(end, b'-') && r.class(end + 1) == Class::Number).then(|| day(r, end + 1)).flatten().filter(|(last, _)| *last > first);
    let stop = last.map_or(end, |(_, stop)| stop);
    let (year, stop) = match year_behind(r, stop) {
        Some((year, stop)) => (Some(year), stop),
        None => (None, stop),
    };
    let value = |day: u32| match year {
        Some(year) => Calendar::day(year, month, day),
        None => nearest(r, month, day),
    };
    match last {
        Some((last, _)) => {
            let value = value(first).zip(value(last)).map(|(from, to)| format!("{from}/{to}"));
            Found { begin: at, end: stop, kind: Kind::Date, value }
        }
        None => date(at, stop, value(first)),
    }
}

/// A month without a year: the last one that has begun when the note is written, or the next one if the words say so.
fn month_nearest(r: &Reader, month: u32) -> Option<Calendar> {
    use chrono::Datelike;
    let written = r.note.date?;
    Some(Calendar::month(if month <= written.month() { written.year() } else { written.year() - 1 }, month))
}

/// A year that stands alone where only a year can: "in 2010", "MI 2005,", "(2010)".
pub fn year(r: &Reader, at: u32) -> Option<Found> {
    let year = r.year(at)?;
    let behind = at + 1;
    if matches!(r.cue(behind), Cue::Measure | Cue::Unit(_) | Cue::OclockWord | Cue::Half24(_)) {
        return None;
    }
    // the 1990s
    let plural = r.note.word(behind) == "s" && r.is_glued(behind) || (r.is_mark(behind, b'\'') && r.note.word(behind + 1) == "s" && r.is_glued(behind + 1));
    if plural {
        let end = if r.is_mark(behind, b'\'') { behind + 2 } else { behind + 1 };
        return (year % 10 == 0).then(|| date(at, end, None));
    }
    if r.is_glued(behind) && (r.class(behind) != Class::Mark || r.is_mark(behind, b'/') || r.is_mark(behind, b'%')) {
        return None;
    }
    let found = Some(date(at, behind, Some(Calendar::year(year))));
    let likely = (1930..=r.note.date.map_or(2045, |d| chrono::Datelike::year(&d) + 10)).contains(&year) || in_placeholder(r, at);
    if !likely {
        return None;
    }
    match r.cue_before(at) {
        Cue::In | Cue::Since | Cue::Happened | Cue::Portion | Cue::Season => return found,
        // "to 2010", "of 2010", "at 2000" may be a number or an hour
        Cue::Preposition if !r.note.is(at.wrapping_sub(1), "about") && !r.note.is(at.wrapping_sub(1), "over") => return found,
        Cue::To if at >= 2 && r.year(at - 2).is_some() => return found,
        Cue::Last | Cue::Past | Cue::At | Cue::X | Cue::Measure => return None,
        _ => {}
    }
    if in_placeholder(r, at) || (r.is_mark_before(at, b'(') && [b')', b',', b';'].iter().any(|&m| r.is_mark(behind, m))) {
        return found;
    }
    // behind a condition or an operation, with nothing more to it
    let closes = matches!(r.class(behind), Class::Line) || [b',', b';', b')', b'.', b'('].iter().any(|&m| r.is_mark(behind, m)) || matches!(r.cue(behind), Cue::And | Cue::For);
    let mut owner = at.checked_sub(1)?;
    if r.is_mark(owner, b',') || r.is_mark(owner, b'-') || r.cue(owner) == Cue::Portion {
        owner = owner.checked_sub(1)?;
    }
    use crate::nlp::cover::{CONDITION, TEST};
    (closes && r.cover.has(owner, CONDITION | TEST)).then_some(found).flatten()
}

/// "early May 2010", "late 2019", "mid-March", "the end of 2010", "summer of 2010", "fall 2019".
pub fn portion(r: &Reader, at: u32) -> Option<Found> {
    let mut behind = at + 1;
    if r.is_mark(behind, b'-') || r.is_mark(behind, b',') {
        behind += 1;
    }
    if r.cue(behind) == Cue::Of {
        behind += 1;
    }
    if r.cue(behind) == Cue::The {
        behind += 1;
    }
    if behind == at + 1 && r.cue(at) == Cue::Season && r.case(behind) != Case::Lower {
        return None;
    }
    let inner = match r.cue(behind) {
        Cue::Month(number, _) if r.case(behind) != Case::Lower || !matches!(number, 3 | 5) => match month(r, behind, number, true) {
            Some(inner) => inner,
            None => date(behind, behind + 1, month_nearest(r, number.into())),
        },
        Cue::Season if r.cue(at) == Cue::Portion => portion(r, behind)?,
        Cue::Last if r.cue(at) == Cue::Portion => super::relative::determined(r, behind)?,
        _ => {
            let year = r.year(behind).filter(|_| !matches!(r.cue(behind + 1), Cue::Measure | Cue::Unit(_)))?;
            if r.note.word(behind + 1) == "s" && r.is_glued(behind + 1) { date(behind, behind + 2, None) } else { date(behind, behind + 1, Some(Calendar::year(year))) }
        }
    };
    Some(Found { begin: at, ..inner })
}

/// "Q3 2021", "Q3 of 2021", "third quarter of 2021": the three months as an interval.
pub fn quarter(r: &Reader, at: u32, number: u8) -> Option<Found> {
    let mut behind = at + 1;
    if r.note.is(behind, "quarter") {
        behind += 1;
    }
    let (year, end) = year_behind(r, behind)?;
    let first = u32::from(number) * 3 - 2;
    let value = format!("{}/{}", Calendar::month(year, first), Calendar::month(year, first + 2));
    Some(Found { begin: at, end, kind: Kind::Date, value: Some(value) })
}
