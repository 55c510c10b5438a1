//! Where a page ended: the values that its last row is ordered by, so that the next page begins right behind it, whatever
//! was written in between.

use super::criteria::invalid;
use super::sort::{Sort, SortKey};
use crate::index::query::QueryError;
use std::fmt::Write;

/// The last row of a page: a value for each key of the order.
#[derive(Debug, PartialEq, Clone)]
pub struct Cursor(pub Vec<Position>);

#[derive(Debug, PartialEq, Clone)]
pub enum Position {
    Text(String),
    /// Microseconds since 2000-01-01 UTC.
    Time(i64),
    /// As `fhir.sort_key` gives it.
    Key(Option<Vec<u8>>),
    Score(f32),
}

const SEPARATOR: char = '~';

impl Cursor {
    /// Reads what [`Cursor::write`] wrote, for this order.
    pub fn read(text: &str, order: &[Sort]) -> Result<Cursor, QueryError> {
        let parts: Vec<&str> = text.split(SEPARATOR).collect();
        let positions = (parts.len() == order.len())
            .then(|| parts.iter().zip(order).map(|(part, sort)| Position::read(part, &sort.by)).collect::<Option<Vec<Position>>>())
            .flatten();
        match positions {
            Some(positions) => Ok(Cursor(positions)),
            None => invalid("that is no cursor of this search", "follow the next link of a searchset as it is"),
        }
    }

    pub fn write(&self) -> String {
        let mut out = String::new();
        for (at, position) in self.0.iter().enumerate() {
            if at > 0 {
                out.push(SEPARATOR);
            }
            let _ = match position {
                Position::Text(text) => write!(out, "{text}"),
                Position::Time(at) => write!(out, "{at}"),
                Position::Score(score) => write!(out, "{:08x}", score.to_bits()),
                Position::Key(None) => write!(out, "-"),
                Position::Key(Some(bytes)) => bytes.iter().try_for_each(|byte| write!(out, "{byte:02x}")),
            };
        }
        out
    }
}

impl Position {
    fn read(text: &str, by: &SortKey) -> Option<Position> {
        Some(match by {
            // ids and type names
            SortKey::Type | SortKey::Id => {
                let plain = text.len() <= 64 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.');
                Position::Text(plain.then(|| text.to_owned())?)
            }
            SortKey::LastUpdated | SortKey::Occurred => Position::Time(text.parse().ok()?),
            SortKey::Score => Position::Score(f32::from_bits(u32::from_str_radix(text, 16).ok()?)).finite()?,
            SortKey::Parameter(_) if text == "-" => Position::Key(None),
            SortKey::Parameter(_) => Position::Key(Some(unhex(text)?)),
        })
    }

    fn finite(self) -> Option<Position> {
        match self {
            Position::Score(score) if !score.is_finite() => None,
            other => Some(other),
        }
    }
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |b: u8| (b as char).to_digit(16).map(|d| d as u8);
    let pairs = text.as_bytes();
    (pairs.len().is_multiple_of(2) && pairs.len() <= 2_000)
        .then(|| pairs.chunks_exact(2).map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?)).collect())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back_as_it_was_written() {
        let by = |by| Sort { by, descending: false };
        let order = [by(SortKey::Occurred), by(SortKey::Parameter("family".into())), by(SortKey::Parameter("given".into())), by(SortKey::Score), by(SortKey::Id)];
        let cursor = Cursor(vec![
            Position::Time(-7),
            Position::Key(Some(b"smi~th".to_vec())),
            Position::Key(None),
            Position::Score(0.25),
            Position::Text("a-1.b".into()),
        ]);
        assert_eq!(Cursor::read(&cursor.write(), &order), Ok(cursor));
        for nonsense in ["", "1", "1~2~3~4~5", "a~00~00~00000000~x", "1~0~-~00000000~x", "1~00~-~00000000~x'y", "1~00~-~7f800000~x"] {
            assert!(Cursor::read(nonsense, &order).is_err(), "{nonsense}");
        }
    }
}
