//! The text form of a lexicon: one record a line, fields with a tab between.
//!
//! ```text
//! S <source> <version> <licence> <url>                      where what follows is from
//! C <system> <code> <category> <kind> <display>             a concept
//! T <type> <flags> <text>                                   a term of the concept above
//! M <system> <code>                                         a code in another system for the concept above
//! L <list>                                                  a list begins; its lines are as they are, up to a line with a lone dot
//! ```
//! Type of a term: `preferred`, `synonym`, `brand`, `abbreviation`, `related` (names something near: counts less).
//! Flags: `-`, or letters of `c` (as it is written only), `r` (only in texts about research), `x` (never a finding: a stop word).
//! Category and kind are the names of [`Category`] and [`Kind`] in SQL: `MEDICAL_CONDITION`, `SIGN`.

use crate::nlp::entity::{Category, Kind};

/// A record.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Record<'a> {
    Source { name: &'a str, version: &'a str, licence: &'a str, url: &'a str },
    Concept { system: &'a str, code: &'a str, category: Category, kind: Kind, display: &'a str },
    Term { kind: TermKind, case_sensitive: bool, research: bool, stop: bool, text: &'a str },
    Mapping { system: &'a str, code: &'a str },
    List { name: &'a str, text: &'a str },
}

/// What a term is to its concept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum TermKind {
    Preferred = 0,
    Synonym = 1,
    Brand = 2,
    Abbreviation = 3,
    Related = 4,
}

impl TermKind {
    pub const ALL: [(TermKind, &'static str); 5] = [
        (TermKind::Preferred, "preferred"),
        (TermKind::Synonym, "synonym"),
        (TermKind::Brand, "brand"),
        (TermKind::Abbreviation, "abbreviation"),
        (TermKind::Related, "related"),
    ];

    pub fn from_name(name: &str) -> Option<TermKind> {
        Self::ALL.iter().find(|(_, n)| *n == name).map(|(kind, _)| *kind)
    }

    pub fn from_number(number: u8) -> TermKind {
        Self::ALL.get(number as usize).map_or(TermKind::Related, |(kind, _)| *kind)
    }
}

/// A line that is no record, with its number from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadLine {
    pub line: usize,
    pub reason: &'static str,
}

/// Reads records and gives them to `each`, in order.
pub fn read<'a>(text: &'a str, mut each: impl FnMut(Record<'a>)) -> Result<(), BadLine> {
    let mut rest = text;
    let mut number = 0;
    while !rest.is_empty() {
        let (line, behind) = rest.split_once('\n').unwrap_or((rest, ""));
        number += 1;
        let bad = |reason| BadLine { line: number, reason };
        rest = behind;
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let mut fields = line.split('\t');
        let tag = fields.next().unwrap_or("");
        let mut field = || fields.next().ok_or(bad("has too few fields"));
        match tag {
            "S" => each(Record::Source { name: field()?, version: field()?, licence: field()?, url: field()? }),
            "C" => each(Record::Concept {
                system: field()?,
                code: field()?,
                category: Category::from_name(field()?).ok_or(bad("has a category that does not exist"))?,
                kind: Kind::from_name(field()?).ok_or(bad("has a kind that does not exist"))?,
                display: field()?,
            }),
            "T" => {
                let kind = TermKind::from_name(field()?).ok_or(bad("has a type of term that does not exist"))?;
                let flags = field()?;
                each(Record::Term { kind, case_sensitive: flags.contains('c'), research: flags.contains('r'), stop: flags.contains('x'), text: field()? });
            }
            "M" => each(Record::Mapping { system: field()?, code: field()? }),
            "L" => {
                let name = field()?;
                let end = if rest.starts_with(".\n") { 0 } else { rest.find("\n.\n").ok_or(bad("begins a list that does not end"))? + 1 };
                each(Record::List { name, text: &rest[..end] });
                number += rest[..end].bytes().filter(|&b| b == b'\n').count() + 1;
                rest = &rest[end + 2..];
            }
            _ => return Err(bad("begins with none of S, C, T, M, L")),
        }
    }
    Ok(())
}
