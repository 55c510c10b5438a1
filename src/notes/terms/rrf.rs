//! RxNorm in its rich release format: `RXNCONSO.RRF`. <https://www.nlm.nih.gov/research/umls/rxnorm/docs/techdoc.html>
//!
//! Ingredients (IN, PIN, MIN) are generic names, brand names (BN) are those; clinical and branded drugs (SCD, SBD) carry doses that a
//! note tells in its own words, so they are left out. Names that are suppressed are too.

use super::{Row, What};
use crate::nlp::lexicon::source::TermKind;
use crate::nlp::{Category, Kind};
use crate::terminology::formats::FormatError;
use crate::terminology::formats::lines::Lines;
use std::collections::HashMap;
use std::io::BufRead;

pub const SYSTEM: &str = "http://www.nlm.nih.gov/research/umls/rxnorm";

pub fn read<R: BufRead>(input: R, mut each: impl FnMut(Row<'_>)) -> Result<(), FormatError> {
    let mut lines = Lines::new(input);
    // synonyms stand before or behind the name that says what the concept is
    let mut concepts: HashMap<String, (Kind, String)> = HashMap::new();
    let mut synonyms: Vec<(String, String)> = Vec::new();
    while let Some((line, text)) = lines.next_line()? {
        let fields: Vec<&str> = text.split('|').collect();
        let [code, _, _, _, _, _, _, _, _, _, _, source, kind, _, name, _, suppressed, ..] = fields[..] else {
            return Err(FormatError::at(line, "it has fewer than 17 fields"));
        };
        if source != "RXNORM" || matches!(suppressed, "O" | "E" | "Y") {
            continue;
        }
        let kind = match kind {
            "IN" | "PIN" | "MIN" => Kind::GenericName,
            "BN" => Kind::BrandName,
            "SY" | "TMSY" | "ET" => {
                synonyms.push((code.to_owned(), name.to_owned()));
                continue;
            }
            _ => continue,
        };
        concepts.insert(code.to_owned(), (kind, name.to_owned()));
        let term = if kind == Kind::BrandName { TermKind::Brand } else { TermKind::Preferred };
        each(Row { system: SYSTEM, code, category: Category::Medication, kind, display: name, what: What::term(name, term) });
    }
    for (code, name) in &synonyms {
        if let Some((kind, display)) = concepts.get(code) {
            let what = What::term(name, TermKind::Synonym);
            each(Row { system: SYSTEM, code, category: Category::Medication, kind: *kind, display, what });
        }
    }
    Ok(())
}
