//! What any query gives, as a table of Parquet.

#[cfg(feature = "pg")]
pub(super) mod sql;

/// Days between 1970-01-01, where the file counts from, and 2000-01-01, where the server does.
const EPOCH_DAYS: i64 = 10_957;
const EPOCH_MICROS: i64 = EPOCH_DAYS * 86_400_000_000;

/// A date as the file has it; none for infinity.
pub fn date(days: i32) -> Option<i64> {
    (days != i32::MIN && days != i32::MAX).then(|| i64::from(days) + EPOCH_DAYS)
}

/// A moment as the file has it; none for infinity.
pub fn timestamp(micros: i64) -> Option<i64> {
    if micros == i64::MIN || micros == i64::MAX { None } else { micros.checked_add(EPOCH_MICROS) }
}

/// Precision and scale of `numeric(precision, scale)`, from what the server keeps of them.
pub fn precision(modifier: i32) -> Option<(i32, i32)> {
    let modifier = modifier.checked_sub(4).filter(|modifier| *modifier >= 0)?;
    // eleven bits with a sign, since version 15
    let scale = ((modifier & 0x7FF) ^ 1024) - 1024;
    Some((modifier >> 16 & 0xFFFF, scale))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_servers_times_are_counted_from_1970() {
        assert_eq!((date(0), date(-10_957), date(i32::MAX), date(i32::MIN)), (Some(10_957), Some(0), None, None));
        assert_eq!((timestamp(0), timestamp(i64::MAX), timestamp(i64::MIN)), (Some(946_684_800_000_000), None, None));
        assert_eq!(timestamp(i64::MAX - 1), None);
    }

    #[test]
    fn a_modifier_tells_precision_and_scale() {
        assert_eq!(precision(-1), None);
        assert_eq!(precision((10 << 16 | 2) + 4), Some((10, 2)));
        assert_eq!(precision((38 << 16) + 4), Some((38, 0)));
        assert_eq!(precision((2 << 16 | (-3i32 & 0x7FF)) + 4), Some((2, -3)));
    }
}
