//! Numbers as the server's `numeric` stores them: every digit kept, base 10,000.
//!
//! ```text
//! short header  10 s ddddddd wwwwwww            sign, scale 0–63, weight −64–63       u16
//! long header   0s dddddddddddddd, weight       scale 0–16383, weight as i16         u16, i16
//! special       11 …                            NaN, ±Infinity                       u16
//! then the digits, each 0–9999 in an i16, without leading and trailing zeros
//! ```
//! The weight is the power of 10,000 of the first digit; the scale is the count of decimals that are shown (`1.10` has two).

use super::error::{Fallible, JsonError, NUMBER_OUT_OF_RANGE};
use std::fmt;

const KIND_MASK: u16 = 0xC000;
const SHORT: u16 = 0x8000;
const SPECIAL: u16 = 0xC000;
const NEGATIVE: u16 = 0x4000;
const INFINITY_SIGN: u16 = 0x2000;
const INFINITE: u16 = 0x1000;
const MAX_SCALE: i64 = 0x3FFF;
const SHORT_NEGATIVE: u16 = 0x2000;
const SHORT_MAX_SCALE: i64 = 0x3F;
const SHORT_SCALE_SHIFT: u32 = 7;
const SHORT_WEIGHT_NEGATIVE: u16 = 0x0040;
const SHORT_WEIGHT_MASK: u16 = 0x003F;
/// Stored digits that surely fit 64 bits.
const FEW: i64 = 4;
/// Decimal digits in one stored digit.
const WIDTH: i64 = 4;
/// The server refuses exponents from here on, whatever the digits are.
const MAX_EXPONENT: i64 = (i32::MAX / 2) as i64;

/// A `numeric` datum without its length word.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Number<'a>(&'a [u8]);

#[derive(Clone, Copy)]
enum Shape {
    Finite { negative: bool, weight: i64, scale: i64, header: usize },
    NaN,
    Infinity { negative: bool },
}

impl<'a> Number<'a> {
    /// `None` when the bytes are not such a datum.
    pub fn new(bytes: &'a [u8]) -> Option<Number<'a>> {
        let number = Number(bytes);
        match number.shape()? {
            Shape::Finite { header, .. } => bytes.len().checked_sub(header)?.is_multiple_of(2).then_some(number),
            _ => Some(number),
        }
    }

    /// The datum without its length word.
    pub fn bytes(&self) -> &'a [u8] {
        self.0
    }

    /// What the server prints: every decimal kept.
    pub fn to_decimal_string(&self) -> String {
        self.to_string()
    }

    /// How many decimals are shown: 2 for `1.10`.
    pub fn scale(&self) -> u16 {
        match self.shape() {
            Some(Shape::Finite { scale, .. }) => scale as u16,
            _ => 0,
        }
    }

    /// The value where it is a whole number in range, however many decimals are shown.
    pub fn as_i64(&self) -> Option<i64> {
        let Some(Shape::Finite { negative, weight, header, .. }) = self.shape() else { return None };
        let count = self.digit_count(header) as i64;
        if count > weight + 1 {
            return None;
        }
        let mut value = 0i64;
        for place in 0..=weight {
            // Subtracting reaches i64::MIN, adding does not. A zero has no digits, and at most five digits fit.
            value = value.checked_mul(10_000)?.checked_sub(self.digit(header, place).into())?;
        }
        if negative { Some(value) } else { value.checked_neg() }
    }

    /// Every digit as one whole number, and how many of them stand behind the point; `None` where that does not fit.
    pub fn as_scaled(&self) -> Option<(i128, u32)> {
        let Some(Shape::Finite { negative, weight, scale, header }) = self.shape() else { return None };
        if !(-8..=7).contains(&weight) || scale > 36 {
            return None;
        }
        let last = (scale + WIDTH - 1) / WIDTH;
        if (0..FEW).contains(&(weight + last)) {
            // as most numbers are: nothing overflows
            let value = (0..=weight + last).fold(0, |value, place| value * 10_000 + i64::from(self.digit(header, place)));
            let value = value / 10i64.pow((last * WIDTH - scale) as u32);
            return Some((if negative { -value } else { value }.into(), scale as u32));
        }
        let mut value = 0i128;
        for place in 0..=weight + last {
            value = value.checked_mul(10_000)?.checked_add(self.digit(header, place).into())?;
        }
        // A digit before the first is zero; where the number begins behind the digits that are shown, it is zero too.
        let value = if weight + last < 0 { 0 } else { value / 10i128.pow((last * WIDTH - scale) as u32) };
        Some((if negative { -value } else { value }, scale as u32))
    }

    /// The nearest double.
    pub fn as_f64(&self) -> f64 {
        self.to_string().parse().unwrap_or(f64::NAN)
    }

    fn shape(&self) -> Option<Shape> {
        let first = u16::from_ne_bytes(*self.0.first_chunk()?);
        Some(match first & KIND_MASK {
            SHORT => {
                let weight = i64::from(first & SHORT_WEIGHT_MASK);
                Shape::Finite {
                    negative: first & SHORT_NEGATIVE != 0,
                    weight: if first & SHORT_WEIGHT_NEGATIVE != 0 { weight - 64 } else { weight },
                    scale: i64::from(first >> SHORT_SCALE_SHIFT) & SHORT_MAX_SCALE,
                    header: 2,
                }
            }
            SPECIAL if first & INFINITE != 0 => Shape::Infinity { negative: first & INFINITY_SIGN != 0 },
            SPECIAL => Shape::NaN,
            sign => Shape::Finite {
                negative: sign == NEGATIVE,
                weight: i16::from_ne_bytes(*self.0.get(2..)?.first_chunk()?).into(),
                scale: i64::from(first) & MAX_SCALE,
                header: 4,
            },
        })
    }

    fn digit_count(&self, header: usize) -> usize {
        (self.0.len() - header) / 2
    }

    /// The digit at a place, counted from the first; zero outside, and kept in range whatever the bytes say.
    fn digit(&self, header: usize, place: i64) -> u16 {
        let digit = usize::try_from(place)
            .ok()
            .and_then(|place| self.0.get(header + 2 * place..)?.first_chunk())
            .map_or(0, |digit| u16::from_ne_bytes(*digit));
        digit.min(9_999)
    }
}

/// The datum of a small number, without its length word.
#[derive(Clone, Copy)]
pub struct Short {
    bytes: [u8; 8],
    length: usize,
}

impl Short {
    /// Without digits and weight it is zero.
    fn new(scale: u16, weight: i8, digits: [u16; 3], count: usize) -> Short {
        let sign = if weight < 0 { SHORT_WEIGHT_NEGATIVE } else { 0 };
        let header = SHORT | scale << SHORT_SCALE_SHIFT | sign | weight as u16 & SHORT_WEIGHT_MASK;
        let mut bytes = [0; 8];
        for (place, word) in bytes.as_chunks_mut::<2>().0.iter_mut().zip([header].into_iter().chain(digits)) {
            *place = word.to_ne_bytes();
        }
        Short { bytes, length: 2 + 2 * count }
    }

    pub fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}

/// A whole number.
pub fn whole(value: u32) -> Short {
    let digits = [value / 100_000_000, value / 10_000 % 10_000, value % 10_000].map(|digit| digit as u16);
    match digits {
        [0, 0, 0] => Short::new(0, 0, digits, 0),
        [0, 0, last] => Short::new(0, 0, [last, 0, 0], 1),
        [0, first, last] => Short::new(0, 1, [first, last, 0], if last == 0 { 1 } else { 2 }),
        [_, middle, last] => Short::new(0, 2, digits, if last != 0 { 3 } else if middle != 0 { 2 } else { 1 }),
    }
}

/// A number of ten-thousandths, at most 10,000 of them, with no more decimals than it needs.
pub fn fraction(ten_thousandths: u16) -> Short {
    match ten_thousandths {
        0 => whole(0),
        10_000.. => whole(1),
        digit => {
            let zeros = [1_000, 100, 10].into_iter().zip([3, 2, 1]).find(|(power, _)| digit % power == 0).map_or(0, |(_, zeros)| zeros);
            Short::new(4 - zeros, -1, [digit, 0, 0], 1)
        }
    }
}

impl fmt::Display for Number<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (negative, weight, scale, header) = match self.shape() {
            Some(Shape::Finite { negative, weight, scale, header }) => (negative, weight, scale, header),
            Some(Shape::Infinity { negative }) => return f.write_str(if negative { "-Infinity" } else { "Infinity" }),
            Some(Shape::NaN) | None => return f.write_str("NaN"),
        };
        if negative {
            f.write_str("-")?;
        }
        write!(f, "{}", if weight < 0 { 0 } else { self.digit(header, 0) })?;
        for place in 1..=weight {
            write!(f, "{:04}", self.digit(header, place))?;
        }
        if scale == 0 {
            return Ok(());
        }
        f.write_str(".")?;
        let mut place = weight + 1;
        let mut left = scale;
        while left >= WIDTH {
            write!(f, "{:04}", self.digit(header, place))?;
            place += 1;
            left -= WIDTH;
        }
        match (left, self.digit(header, place)) {
            (1, digit) => write!(f, "{}", digit / 1000),
            (2, digit) => write!(f, "{:02}", digit / 100),
            (3, digit) => write!(f, "{:03}", digit / 10),
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for Number<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The datum, without its length word, of a number in JSON's notation (RFC 8259 section 6); `None` for any other text.
pub fn encode(text: &str) -> Option<Result<Vec<u8>, JsonError>> {
    let bytes = text.as_bytes();
    let token = super::scan::number(bytes, 0).ok()?;
    if token.end != bytes.len() {
        return None;
    }
    let mut out = Vec::new();
    Some(append(&token, &mut out).map(|()| out).map_err(|error| *error))
}

/// A number in a JSON text, taken apart.
pub(super) struct Token<'a> {
    pub negative: bool,
    pub whole: &'a [u8],
    pub fraction: &'a [u8],
    pub exponent: &'a [u8],
    pub start: usize,
    pub end: usize,
}

/// Appends the datum of a number, without its length word.
pub(super) fn append(token: &Token<'_>, out: &mut Vec<u8>) -> Fallible<()> {
    let overflow = || JsonError::new(NUMBER_OUT_OF_RANGE, token.start, "value overflows numeric format");
    let exponent = exponent(token.exponent);
    if exponent.abs() >= MAX_EXPONENT {
        return Err(overflow());
    }
    let scale = (token.fraction.len() as i64 - exponent).max(0);
    let mut whole = token.whole;
    let mut fraction = token.fraction;
    let mut power = whole.len() as i64 - 1 + exponent;
    // Leading zeros go, so that the first stored digit is not zero. Trailing ones go here too: they cost room only.
    let zeros = whole.iter().take_while(|digit| **digit == b'0').count();
    whole = whole.get(zeros..).unwrap_or_default();
    power -= zeros as i64;
    if whole.is_empty() {
        let zeros = fraction.iter().take_while(|digit| **digit == b'0').count();
        fraction = fraction.get(zeros..).unwrap_or_default();
        power -= zeros as i64;
    }
    let is_zero = whole.is_empty() && fraction.is_empty();
    let (negative, weight) = if is_zero { (false, 0) } else { (token.negative, power.div_euclid(WIDTH)) };
    if scale > MAX_SCALE {
        return Err(overflow());
    }
    if scale <= SHORT_MAX_SCALE && (-64..=63).contains(&weight) {
        let sign = if negative { SHORT_NEGATIVE } else { 0 };
        let weight_sign = if weight < 0 { SHORT_WEIGHT_NEGATIVE } else { 0 };
        let header =
            SHORT | sign | (scale as u16) << SHORT_SCALE_SHIFT | weight_sign | weight as u16 & SHORT_WEIGHT_MASK;
        out.extend_from_slice(&header.to_ne_bytes());
    } else {
        let weight = i16::try_from(weight).map_err(|_| overflow())?;
        let sign = if negative { NEGATIVE } else { 0 };
        out.extend_from_slice(&(sign | scale as u16).to_ne_bytes());
        out.extend_from_slice(&weight.to_ne_bytes());
    }
    append_digits(whole, fraction, (WIDTH - 1 - power.rem_euclid(WIDTH)) as usize, out);
    Ok(())
}

/// Groups decimal digits by four; `missing` zeros stand before the first one.
fn append_digits(whole: &[u8], fraction: &[u8], missing: usize, out: &mut Vec<u8>) {
    let mut end = out.len();
    let mut group = 0u16;
    let mut filled = missing;
    for digit in whole.iter().chain(fraction) {
        group = group * 10 + u16::from(digit - b'0');
        filled += 1;
        if filled == WIDTH as usize {
            out.extend_from_slice(&group.to_ne_bytes());
            if group != 0 {
                end = out.len();
            }
            group = 0;
            filled = 0;
        }
    }
    if group != 0 {
        for _ in filled..WIDTH as usize {
            group *= 10;
        }
        out.extend_from_slice(&group.to_ne_bytes());
        end = out.len();
    }
    out.truncate(end);
}

/// The value of `+12`, `-3` or nothing, held within what is refused anyway.
fn exponent(text: &[u8]) -> i64 {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    let value = digits.iter().fold(0i64, |value, digit| (value * 10 + i64::from(digit - b'0')).min(MAX_EXPONENT));
    if negative { -value } else { value }
}

#[cfg(test)]
mod small {
    use super::*;

    #[test]
    fn small_numbers_are_what_their_text_is() {
        for value in (0..=20_001).chain([99_990_000, 100_000_000, 100_010_000, 100_000_001, 123_456_789, u32::MAX]) {
            assert_eq!(whole(value).bytes(), encode(&value.to_string()).unwrap().unwrap(), "{value}");
        }
        for value in 0..=10_000 {
            let text = format!("{:.4}", f64::from(value) / 10_000.0);
            let text = text.trim_end_matches('0').trim_end_matches('.');
            assert_eq!(fraction(value).bytes(), encode(text).unwrap().unwrap(), "{text}");
        }
    }
}
