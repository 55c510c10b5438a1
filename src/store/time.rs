//! Times as the store writes them.

/// Microseconds between 1970-01-01 and 2000-01-01, where Postgres counts from.
const EPOCH: i64 = 946_684_800_000_000;
const DAY: i64 = 86_400_000_000;

/// An [`instant`](https://hl7.org/fhir/R4/datatypes.html#instant) in UTC with all digits of a `timestamptz`.
pub fn instant(micros: i64) -> String {
    let (days, rest) = ((micros + EPOCH).div_euclid(DAY), (micros + EPOCH).rem_euclid(DAY));
    let (year, month, day) = civil(days);
    let seconds = rest / 1_000_000;
    format!(
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.{:06}Z",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60,
        rest % 1_000_000
    )
}

const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// A date of HTTP, [IMF-fixdate](https://www.rfc-editor.org/rfc/rfc9110#section-5.6.7), which has whole seconds.
pub fn http_date(micros: i64) -> String {
    let (days, rest) = ((micros + EPOCH).div_euclid(DAY), (micros + EPOCH).rem_euclid(DAY));
    let (year, month, day) = civil(days);
    let seconds = rest / 1_000_000;
    let (weekday, month) = (DAYS[days.rem_euclid(7) as usize], MONTHS[(month - 1).rem_euclid(12) as usize]);
    format!("{weekday}, {day:02} {month} {year:04} {:02}:{:02}:{:02} GMT", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// Reads what [`http_date`] writes, as microseconds since 2000-01-01 UTC.
pub fn read_http_date(text: &str) -> Option<i64> {
    let [_, day, month, year, clock, "GMT"] = text.split_ascii_whitespace().collect::<Vec<_>>()[..] else { return None };
    let month = MONTHS.iter().position(|name| *name == month)? + 1;
    crate::index::time::parse(&format!("{year}-{month:02}-{day:0>2}T{clock}Z")).map(|moment| moment.low)
}

/// A UUID of version 7 ([RFC 9562](https://www.rfc-editor.org/rfc/rfc9562#section-5.7)): ids made later sort later, also within
/// a millisecond, so that new rows go to the end of an index.
pub fn uuid(micros: i64, random: [u8; 8]) -> String {
    let micros = (micros + EPOCH).max(0) as u64;
    let (millis, fraction) = (micros / 1000, micros % 1000 * 4096 / 1000);
    let random = u64::from_be_bytes(random);
    format!(
        "{:08x}-{:04x}-7{fraction:03x}-{:04x}-{:012x}",
        millis >> 16 & 0xFFFF_FFFF,
        millis & 0xFFFF,
        0x8000 | random >> 50,
        random & 0xFFFF_FFFF_FFFF,
    )
}

/// Whether [`uuid`] made this id at that time.
pub fn is_uuid_of(id: &str, micros: i64) -> bool {
    const TIME: std::ops::Range<usize> = 0..18;
    id.get(TIME) == uuid(micros, [0; 8]).get(TIME) && id.len() == 36
}

/// Whether an id is a UUID of version 7 made within the hour before: the ids of a transaction are made before its resources are
/// written.
pub fn is_uuid_before(id: &str, micros: i64) -> bool {
    const HOUR: i64 = 3_600_000;
    let hex: String = id.split('-').take(2).collect();
    let (true, Some("7"), Ok(millis)) = (id.len() == 36 && hex.len() == 12, id.get(14..15), i64::from_str_radix(&hex, 16)) else { return false };
    (0..=HOUR).contains(&((micros + EPOCH) / 1000 - millis))
}

/// Year, month and day of a day counted from 1970-01-01, in the Gregorian calendar.
fn civil(days: i64) -> (i64, i64, i64) {
    // Years begin in March here, so that the leap day is the last of its year.
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    (era * 400 + year_of_era + i64::from(month <= 2), month, day_of_year - (153 * march_month + 2) / 5 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_has_all_digits_of_a_timestamptz() {
        assert_eq!(instant(0), "2000-01-01T00:00:00.000000Z");
        assert_eq!(instant(-1), "1999-12-31T23:59:59.999999Z");
        assert_eq!(instant(5_097_599_000_001), "2000-02-28T23:59:59.000001Z");
        assert_eq!(instant(5_097_600_000_000), "2000-02-29T00:00:00.000000Z");
    }

    #[test]
    fn dates_of_http_are_those_of_the_standard() {
        assert_eq!(http_date(-162_573_023_000_000), "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(read_http_date("Sun, 06 Nov 1994 08:49:37 GMT"), Some(-162_573_023_000_000));
        for odd in ["", "yesterday", "Sun, 06 Nov 1994 08:49:37", "Sun, 99 Nov 1994 08:49:37 GMT", "Sun, 06 Xxx 1994 08:49:37 GMT"] {
            assert_eq!(read_http_date(odd), None);
        }
    }

    #[test]
    fn ids_made_later_sort_later() {
        let ids: Vec<String> = (0..5000).map(|i| uuid(800_000_000_000_000 + i, [0xFF; 8])).collect();
        assert!(ids.windows(2).all(|pair| pair[0] <= pair[1]));
        assert!(is_uuid_of(&ids[7], 800_000_000_000_007) && !is_uuid_of(&ids[7], 800_000_000_000_008));
        assert!(is_uuid_before(&ids[0], 800_000_000_000_000) && is_uuid_before(&ids[0], 800_003_000_000_000));
        assert!(!is_uuid_before(&ids[0], 799_999_999_000_000) && !is_uuid_before(&ids[0], 804_000_000_000_000) && !is_uuid_before("a", 0));
        assert_eq!(ids[0].len(), 36);
        assert_eq!(&ids[0][14..15], "7");
        assert!("89ab".contains(&ids[0][19..20]));
    }
}
