//! Decimals as bytes that sort like the numbers, the implicit range of a search value, and the buckets numbers fall into.
//!
//! <https://hl7.org/fhir/R4/search.html#number>: `100` stands for [99.5, 100.5), `100.00` for [99.995, 100.005).

use std::cmp::Ordering;

/// `0.d1d2d3… × 10^exponent`, negated if so; no digits is zero. Never has a leading or trailing zero digit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Decimal {
    negative: bool,
    exponent: i32,
    digits: Vec<u8>,
    /// Place of the last digit written, as a power of ten: 0 for `100`, -2 for `1.10`, 2 for `1e2`. No part of the value.
    scale: i32,
}

/// More digits than this are cut: they are far beyond any measurement, and bound what a key can cost.
const MAX_DIGITS: usize = 64;
const MAX_EXPONENT: i32 = 30_000;
/// Places of an implied range that are worked out.
const MAX_WIDTH: usize = 1_000;

impl Decimal {
    /// Reads `-?\d*(\.\d*)?([eE][+-]?\d+)?`. `None` if it is not that, or has an exponent beyond ±30,000.
    pub fn parse(text: &str) -> Option<Decimal> {
        let (negative, rest) = match text.as_bytes() {
            [b'-', rest @ ..] => (true, rest),
            [b'+', rest @ ..] => (false, rest),
            rest => (false, rest),
        };
        let (mantissa, power) = match rest.iter().position(|c| matches!(c, b'e' | b'E')) {
            Some(at) => {
                let text = std::str::from_utf8(&rest[at + 1..]).ok()?;
                (&rest[..at], text.parse::<i32>().ok().filter(|p| p.abs() <= MAX_EXPONENT)?)
            }
            None => (rest, 0),
        };
        let (whole, fraction) = match mantissa.iter().position(|&c| c == b'.') {
            Some(at) => (&mantissa[..at], &mantissa[at + 1..]),
            None => (mantissa, &b""[..]),
        };
        if whole.is_empty() && fraction.is_empty() || !whole.iter().chain(fraction).all(u8::is_ascii_digit) {
            return None;
        }
        if whole.len() > MAX_EXPONENT as usize || fraction.len() > MAX_EXPONENT as usize {
            return None;
        }
        let leading = whole.iter().chain(fraction).take_while(|&&c| c == b'0').count();
        let mut digits: Vec<u8> = whole.iter().chain(fraction).skip(leading).take(MAX_DIGITS).map(|c| c - b'0').collect();
        while digits.last() == Some(&0) {
            digits.pop();
        }
        let exponent = whole.len() as i32 - leading as i32 + power;
        let scale = power - fraction.len() as i32;
        if exponent.abs() > MAX_EXPONENT {
            return None;
        }
        Some(Decimal::normal(negative, exponent, digits, scale))
    }

    fn normal(negative: bool, exponent: i32, digits: Vec<u8>, scale: i32) -> Decimal {
        if digits.is_empty() {
            return Decimal { negative: false, exponent: 0, digits, scale };
        }
        Decimal { negative, exponent, digits, scale }
    }

    fn is_normal(&self) -> bool {
        self.digits.iter().all(|d| *d <= 9) && self.digits.first() != Some(&0) && self.digits.last() != Some(&0)
    }

    /// The range that the written precision implies: half a unit of the last place to either side.
    pub fn implied(&self) -> (Decimal, Decimal) {
        (self.shifted(true), self.shifted(false))
    }

    /// From nine to eleven tenths of the value: what `ap` takes as near.
    pub fn tenth_around(&self) -> (Decimal, Decimal) {
        let (a, b) = (self.tenths(9), self.tenths(11));
        if self.negative { (b, a) } else { (a, b) }
    }

    /// A tenth of the value, `factor` times.
    fn tenths(&self, factor: u32) -> Decimal {
        let mut carry = 0u32;
        let mut digits: Vec<u8> = Vec::with_capacity(self.digits.len() + 2);
        for d in self.digits.iter().rev() {
            carry += u32::from(*d) * factor;
            digits.push((carry % 10) as u8);
            carry /= 10;
        }
        while carry > 0 {
            digits.push((carry % 10) as u8);
            carry /= 10;
        }
        digits.reverse();
        let exponent = self.exponent - 1 + digits.len() as i32 - self.digits.len() as i32;
        while digits.last() == Some(&0) {
            digits.pop();
        }
        Decimal::normal(self.negative, exponent, digits, self.scale - 1)
    }

    /// The product, exactly; `None` where its exponent is out of bounds.
    pub fn times(&self, other: &Decimal) -> Option<Decimal> {
        let mut sums = vec![0u32; self.digits.len() + other.digits.len()];
        for (i, a) in self.digits.iter().enumerate() {
            for (j, b) in other.digits.iter().enumerate() {
                sums[i + j + 1] += u32::from(*a) * u32::from(*b);
            }
        }
        Decimal::of_sums(self.negative != other.negative, self.exponent.checked_add(other.exponent)?, sums)
    }

    /// The sum, exactly; the greater of the two where the other lies [`MAX_WIDTH`] places below it.
    pub fn plus(&self, other: &Decimal) -> Option<Decimal> {
        if other.digits.is_empty() {
            return Some(self.clone());
        }
        if self.digits.is_empty() {
            return Some(other.clone());
        }
        let size = |d: &Decimal| (d.exponent, d.digits.clone());
        let (great, small) = if size(self) >= size(other) { (self, other) } else { (other, self) };
        let last = |d: &Decimal| d.exponent - d.digits.len() as i32;
        let (top, place) = (great.exponent + 1, last(great).min(last(small)));
        let width = (top - place) as usize;
        if width > MAX_WIDTH {
            return Some(great.clone());
        }
        let mut sums = vec![0i32; width];
        for (d, sign) in [(great, 1), (small, if great.negative == small.negative { 1 } else { -1 })] {
            for (i, digit) in d.digits.iter().enumerate() {
                sums[i + (top - d.exponent) as usize] += sign * i32::from(*digit);
            }
        }
        // the greater comes first, so that what is borrowed is always there
        let mut borrowed = 0;
        for sum in sums.iter_mut().rev() {
            *sum += borrowed;
            borrowed = sum.div_euclid(10);
            *sum = sum.rem_euclid(10);
        }
        Decimal::of_sums(great.negative, top, sums.into_iter().map(|s| s as u32).collect())
    }

    /// To that many significant digits, halves away from zero; the order of numbers stays.
    pub fn rounded(mut self, count: usize) -> Decimal {
        if self.digits.len() <= count {
            return self;
        }
        let up = self.digits[count] >= 5;
        self.digits.truncate(count);
        let mut sums: Vec<u32> = self.digits.iter().map(|d| u32::from(*d)).collect();
        sums.insert(0, 0);
        if let Some(last) = sums.last_mut().filter(|_| up) {
            *last += 1;
        }
        let exponent = self.exponent + 1;
        Decimal::of_sums(self.negative, exponent, sums).unwrap_or(self)
    }

    /// `0.s1s2s3… × 10^exponent` where the places may hold more than a digit.
    fn of_sums(negative: bool, exponent: i32, mut sums: Vec<u32>) -> Option<Decimal> {
        let mut carry = 0;
        for sum in sums.iter_mut().rev() {
            *sum += carry;
            carry = *sum / 10;
            *sum %= 10;
        }
        let leading = sums.iter().take_while(|s| **s == 0).count();
        let mut digits: Vec<u8> = sums[leading..].iter().map(|s| *s as u8).collect();
        while digits.last() == Some(&0) {
            digits.pop();
        }
        let exponent = exponent.checked_sub(leading as i32)?;
        let scale = exponent.saturating_sub(digits.len() as i32);
        (exponent.abs() <= MAX_EXPONENT || digits.is_empty()).then(|| Decimal::normal(negative, exponent, digits, scale))
    }

    /// `self - half` or `self + half`, where half is 5 units of the place after the last.
    fn shifted(&self, down: bool) -> Decimal {
        // An integer of the place after the last, as digits; small enough because digits are bounded.
        let place = self.scale - 1;
        let width = (self.exponent - place).max(1);
        if width as usize > MAX_WIDTH {
            return self.clone(); // finer than any measurement: nothing but the value itself
        }
        let mut units = vec![0u8; width as usize + 1];
        for (i, d) in self.digits.iter().enumerate() {
            if let Some(slot) = units.get_mut(i + 1 + (width - (self.exponent - place)) as usize) {
                *slot = *d;
            }
        }
        let last = units.len() - 1;
        let outward = self.negative == down; // away from zero
        let mut negative = self.negative;
        if outward || self.digits.is_empty() {
            if self.digits.is_empty() {
                negative = down;
            }
            let mut at = last;
            let mut carry = 5;
            loop {
                let sum = units[at] + carry;
                units[at] = sum % 10;
                carry = sum / 10;
                if carry == 0 || at == 0 {
                    break;
                }
                at -= 1;
            }
        } else {
            // toward zero: the value is at least one unit of the place before, so it never crosses
            let mut at = last;
            let mut borrow = 5i8;
            loop {
                let rest = units[at] as i8 - borrow;
                units[at] = rest.rem_euclid(10) as u8;
                borrow = i8::from(rest < 0);
                if borrow == 0 || at == 0 {
                    break;
                }
                at -= 1;
            }
        }
        let leading = units.iter().take_while(|&&d| d == 0).count();
        let exponent = place + units.len() as i32 - leading as i32;
        let mut digits: Vec<u8> = units[leading..].to_vec();
        while digits.last() == Some(&0) {
            digits.pop();
        }
        Decimal::normal(negative, exponent, digits, place)
    }

    /// Bytes that compare as the numbers do.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.digits.len() + 4);
        if self.digits.is_empty() {
            out.push(0x80);
            return out;
        }
        let exponent = ((self.exponent + 0x8000) as u16).to_be_bytes();
        if self.negative {
            out.push(0x7F);
            out.extend(exponent.map(|b| !b));
            out.extend(self.digits.iter().map(|d| 0xF0 - d));
            out.push(0xFF);
        } else {
            out.push(0x81);
            out.extend(exponent);
            out.extend(self.digits.iter().map(|d| d + 1));
        }
        out
    }

    pub fn decode(bytes: &[u8]) -> Option<Decimal> {
        let (&sign, rest) = bytes.split_first()?;
        if sign == 0x80 {
            return Some(Decimal { negative: false, exponent: 0, digits: Vec::new(), scale: 0 });
        }
        let negative = sign == 0x7F;
        let (e, digits) = rest.split_at_checked(2)?;
        let flip = if negative { 0xFF } else { 0 };
        let exponent = i32::from(u16::from_be_bytes([e[0] ^ flip, e[1] ^ flip])) - 0x8000;
        let digits = match negative {
            true => digits.iter().take_while(|&&d| d != 0xFF).map(|d| 0xF0u8.wrapping_sub(*d)).collect(),
            false => digits.iter().map(|d| d.wrapping_sub(1)).collect(),
        };
        Some(Decimal { negative, exponent, digits, scale: 0 })
    }
}

impl std::fmt::Display for Decimal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.digits.is_empty() {
            return f.write_str("0");
        }
        if self.negative {
            f.write_str("-")?;
        }
        let digit = |f: &mut std::fmt::Formatter<'_>, d: u8| write!(f, "{}", d.min(9));
        if !(-6..=20).contains(&self.exponent) {
            f.write_str("0.")?;
            self.digits.iter().try_for_each(|&d| digit(f, d))?;
            return write!(f, "e{}", self.exponent);
        }
        if self.exponent <= 0 {
            f.write_str("0.")?;
            (self.exponent..0).try_for_each(|_| f.write_str("0"))?;
            return self.digits.iter().try_for_each(|&d| digit(f, d));
        }
        for place in 0..self.exponent.max(self.digits.len() as i32) {
            if place == self.exponent {
                f.write_str(".")?;
            }
            digit(f, self.digits.get(place as usize).copied().unwrap_or(0))?;
        }
        Ok(())
    }
}

/// One end of a range of numbers, its value in the encoded form.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Bound<'a> {
    Infinite,
    Open(&'a [u8]),
    Closed(&'a [u8]),
}

impl<'a> Bound<'a> {
    fn at(self) -> Option<(&'a [u8], bool)> {
        match self {
            Bound::Infinite => None,
            Bound::Open(b) => Some((b, true)),
            Bound::Closed(b) => Some((b, false)),
        }
    }
}

/// A range of numbers; a plain number has both ends closed on itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Span<'a> {
    pub low: Bound<'a>,
    pub high: Bound<'a>,
}

impl Span<'_> {
    /// Whether its ends are numbers in their one encoding and some number lies between or on them.
    pub fn is_sound(self) -> bool {
        let is_number = |bound: Bound| bound.at().is_none_or(|(bytes, _)| Decimal::decode(bytes).is_some_and(|d| d.is_normal() && d.encode() == bytes));
        let in_order = match (self.low.at(), self.high.at()) {
            (Some((a, a_open)), Some((b, b_open))) => a < b || a == b && !a_open && !b_open,
            _ => true,
        };
        is_number(self.low) && is_number(self.high) && in_order
    }

    pub fn contains(self, other: Span) -> bool {
        let low = match (self.low.at(), other.low.at()) {
            (None, _) => true,
            (_, None) => false,
            (Some((a, open)), Some((b, other_open))) => match b.cmp(a) {
                Ordering::Greater => true,
                Ordering::Equal => !open || other_open,
                Ordering::Less => false,
            },
        };
        let high = match (self.high.at(), other.high.at()) {
            (None, _) => true,
            (_, None) => false,
            (Some((a, open)), Some((b, other_open))) => match b.cmp(a) {
                Ordering::Less => true,
                Ordering::Equal => !open || other_open,
                Ordering::Greater => false,
            },
        };
        low && high
    }

    /// Whether some number beyond `value` (encoded) lies inside.
    pub fn reaches_above(self, value: &[u8]) -> bool {
        self.high.at().is_none_or(|(b, _)| b > value)
    }

    pub fn reaches_below(self, value: &[u8]) -> bool {
        self.low.at().is_none_or(|(b, _)| b < value)
    }

    /// Whether `value` is the greatest number inside.
    pub fn ends_at(self, value: &[u8]) -> bool {
        self.high == Bound::Closed(value)
    }

    pub fn begins_at(self, value: &[u8]) -> bool {
        self.low == Bound::Closed(value)
    }

    /// Whether every number inside lies beyond `value`.
    pub fn is_above(self, value: &[u8]) -> bool {
        self.low.at().is_some_and(|(b, open)| b > value || open && b == value)
    }

    pub fn is_below(self, value: &[u8]) -> bool {
        self.high.at().is_some_and(|(b, open)| b < value || open && b == value)
    }
}

/// Levels of the number buckets: the exponent, then one, two and three significant digits.
pub const LEVELS: usize = 4;
const WIDTH: [i32; LEVELS] = [900, 100, 10, 1];
/// Numbers beyond these exponents share the outermost buckets.
const MIN_EXPONENT: i32 = -5;
const MAX_BUCKET_EXPONENT: i32 = 10;

/// The place of a number on the axis of three-digit buckets, and whether the bucket begins exactly there.
/// Positive numbers: 900 buckets for each exponent, from 900 on; zero 0; negative numbers mirrored.
fn place(d: &Decimal) -> (i32, bool) {
    if d.digits.is_empty() {
        return (0, true);
    }
    let digit = |i: usize| i32::from(d.digits.get(i).copied().unwrap_or(0));
    let mantissa = digit(0) * 100 + digit(1) * 10 + digit(2) - 100;
    let magnitude = if d.exponent < MIN_EXPONENT {
        900
    } else if d.exponent > MAX_BUCKET_EXPONENT {
        (MAX_BUCKET_EXPONENT - MIN_EXPONENT + 1) * 900 + 899
    } else {
        (d.exponent - MIN_EXPONENT + 1) * 900 + mantissa
    };
    // the first bucket also holds all that is smaller
    let clean = d.digits.len() <= 3 && magnitude > 900 && d.exponent <= MAX_BUCKET_EXPONENT;
    // a negative bucket holds (-next, -start]: it ends, not begins, at its clean number
    if d.negative { (-1 - magnitude, false) } else { (magnitude, clean) }
}

const FIRST: i32 = -1 - LAST;
const LAST: i32 = (MAX_BUCKET_EXPONENT - MIN_EXPONENT + 1) * 900 + 899;

/// The number of the bucket that an encoded number falls into at a level.
pub fn bucket(encoded: &[u8], level: usize) -> Option<i32> {
    Some(place(&Decimal::decode(encoded)?).0.div_euclid(WIDTH[level]))
}

/// All buckets of level 0.
pub fn coarsest() -> impl Iterator<Item = i32> {
    FIRST.div_euclid(WIDTH[0])..=LAST.div_euclid(WIDTH[0])
}

/// A bucket of a covering.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bucket {
    pub level: usize,
    pub number: i32,
    /// Whether all that falls into it lies in the range that was covered.
    pub exact: bool,
}

/// The fewest buckets that cover the numbers of `range`; those at ragged ends are not exact.
pub fn cover(range: Span) -> Vec<Bucket> {
    cover_with(LEVELS, range)
}

/// The same with the first `levels` levels alone.
pub fn cover_with(levels: usize, range: Span) -> Vec<Bucket> {
    let finest = levels.clamp(1, LEVELS) - 1;
    let unit = WIDTH[finest];
    let end = |bound: Bound, otherwise: i32| match bound.at() {
        None => Some((otherwise.div_euclid(unit), true, false)),
        Some((bytes, open)) => Decimal::decode(bytes).map(|d| {
            let (at, clean) = place(&d);
            (at.div_euclid(unit), clean && at.rem_euclid(unit) == 0, open)
        }),
    };
    let (Some(low), Some(high)) = (end(range.low, FIRST), end(range.high, LAST)) else { return Vec::new() };
    let low_ragged = range.low != Bound::Infinite && (!low.1 || low.2);
    // a high end that is open and begins its bucket leaves that bucket out
    let (last, high_ragged) = match range.high {
        Bound::Infinite => (high.0, false),
        _ if high.1 && high.2 => (high.0 - 1, false),
        _ => (high.0, true),
    };
    let mut out = Vec::new();
    let mut at = low.0;
    while at <= last {
        // the ragged ends stand alone, at the finest level
        let alone = at == low.0 && low_ragged || at == last && high_ragged;
        let fits = |level: usize| {
            let width = WIDTH[level] / unit;
            let end = at + width - 1;
            at.rem_euclid(width) == 0 && end <= last && !(high_ragged && end >= last)
        };
        let level = (0..finest).find(|&level| !alone && fits(level)).unwrap_or(finest);
        out.push(Bucket { level, number: at.div_euclid(WIDTH[level] / unit), exact: !alone });
        at += WIDTH[level] / unit;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn d(text: &str) -> Decimal {
        Decimal::parse(text).unwrap()
    }

    #[test]
    fn bytes_sort_as_numbers() {
        let sorted = ["-1e300", "-120", "-12.5", "-12", "-1.1", "-1", "-0.5", "-0.0001", "0", "1e-20", "0.5", "0.99", "1", "1.0001", "1.1", "9", "10", "99.5", "100", "1e20", "1e300"];
        for pair in sorted.windows(2) {
            assert!(d(pair[0]).encode() < d(pair[1]).encode(), "{pair:?}");
        }
        assert_eq!(d("1.10").encode(), d("1.1").encode());
        assert_eq!(d("0.00").encode(), d("-0").encode());
        for text in sorted {
            assert_eq!(Decimal::decode(&d(text).encode()).unwrap().encode(), d(text).encode());
        }
    }

    #[test]
    fn precision_implies_a_range() {
        for (text, low, high) in [
            ("100", "99.5", "100.5"),
            ("100.00", "99.995", "100.005"),
            ("5.4", "5.35", "5.45"),
            ("0", "-0.5", "0.5"),
            ("0.0", "-0.05", "0.05"),
            ("-7", "-7.5", "-6.5"),
            ("1e2", "50", "150"),
            ("1.5e-3", "0.00145", "0.00155"),
            ("999.9", "999.85", "999.95"),
            ("1", "0.5", "1.5"),
        ] {
            let (a, b) = d(text).implied();
            assert_eq!((a.encode(), b.encode()), (d(low).encode(), d(high).encode()), "{text}: {a} {b}");
        }
    }

    #[test]
    fn approximately_is_a_tenth_to_either_side() {
        for (text, low, high) in [("100", "90", "110"), ("-5", "-5.5", "-4.5"), ("0", "0", "0"), ("1.5", "1.35", "1.65")] {
            let (a, b) = d(text).tenth_around();
            assert_eq!((a.encode(), b.encode()), (d(low).encode(), d(high).encode()), "{text}");
        }
    }

    #[test]
    fn products_sums_and_rounding_are_decimal() {
        let shown = |n: Decimal| n.to_string();
        for (a, b, product, sum) in [
            ("2.5", "4", "10", "6.5"),
            ("-0.001", "1e3", "-1", "999.999"),
            ("0", "7.5", "0", "7.5"),
            ("99.9", "0.1", "9.99", "100"),
            ("-273.15", "273.15", "-74610.9225", "0"),
            ("-1", "0.0001", "-0.0001", "-0.9999"),
            ("1e19", "-1", "-10000000000000000000", "9999999999999999999"),
        ] {
            assert_eq!(shown(d(a).times(&d(b)).unwrap()), product, "{a} {b}");
            assert_eq!(shown(d(a).plus(&d(b)).unwrap()), sum, "{a} {b}");
            assert_eq!(shown(d(b).plus(&d(a)).unwrap()), sum, "{a} {b}");
        }
        assert_eq!(shown(d("1e25000").plus(&d("1")).unwrap()), shown(d("1e25000")));
        assert_eq!(d("1e25000").times(&d("1e25000")), None);
        for (text, digits, rounded) in [("999.96", 4, "1000"), ("1.2345", 4, "1.235"), ("-1.2344", 4, "-1.234"), ("12", 4, "12"), ("0.00099996", 4, "0.001")] {
            assert_eq!(shown(d(text).rounded(digits)), rounded, "{text}");
        }
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for bad in ["", "-", ".", "abc", "1.2.3", "1e", "1e999999", "--1", "1 "] {
            assert_eq!(Decimal::parse(bad), None, "{bad}");
        }
        assert!(Decimal::parse(&"9".repeat(20_000)).is_some());
    }

    #[test]
    fn a_cover_holds_each_number_of_its_range_once_and_marks_what_is_ragged() {
        let numbers: Vec<Vec<u8>> = (-3000..3000)
            .map(|i| d(&format!("{}.{:02}", i / 7, (i * 37i32).rem_euclid(100))).encode())
            .chain(["1e-15", "3e-15", "1e25", "-1e25", "0", "99.5", "100.5", "5.35", "5.449", "5.45"].map(|t| d(t).encode()))
            .collect();
        let texts = [("99.5", "100.5"), ("5.35", "5.45"), ("-7.5", "-6.5"), ("-0.5", "0.5"), ("0", "300"), ("12.345", "77.7777"), ("1e-14", "1e24")];
        for (low, high) in texts {
            let (low, high) = (d(low).encode(), d(high).encode());
            let spans = [
                Span { low: Bound::Closed(&low), high: Bound::Open(&high) },
                Span { low: Bound::Open(&low), high: Bound::Closed(&high) },
                Span { low: Bound::Open(&low), high: Bound::Infinite },
                Span { low: Bound::Infinite, high: Bound::Open(&high) },
            ];
            for (levels, span) in (2..=LEVELS).flat_map(|levels| spans.map(|span| (levels, span))) {
                let cover = cover_with(levels, span);
                assert!(cover.len() < 120, "{} buckets", cover.len());
                for n in &numbers {
                    let hits: Vec<_> = cover.iter().filter(|b| bucket(n, b.level) == Some(b.number)).collect();
                    let inside = span.contains(Span { low: Bound::Closed(n), high: Bound::Closed(n) });
                    assert!(hits.len() <= 1);
                    if inside {
                        assert_eq!(hits.len(), 1, "{span:?} {n:?}");
                    } else {
                        assert!(hits.iter().all(|b| !b.exact), "{span:?} {}", Decimal::decode(n).unwrap());
                    }
                }
            }
        }
    }
}
