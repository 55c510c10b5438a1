//! RxNorm in its rich release format: `RXNCONSO.RRF` (concepts and their names) and `RXNREL.RRF` (relations).
//! <https://www.nlm.nih.gov/research/umls/rxnorm/docs/techdoc.html>
//!
//! A concept is an RXCUI with names of the source RXNORM. Its display is the name of the most telling term type, other names are
//! designations, the term type is the property `TTY`. `isa` puts a concept below another.

use super::lines::Lines;
use super::{Draft, Drafts, FormatError, Value};
use std::collections::HashSet;
use std::io::BufRead;

const SOURCE: &str = "RXNORM";

/// Term types whose name is that of a concept, the most telling first; others are synonyms.
const NAMES: &[&str] = &["IN", "PIN", "MIN", "BN", "SCD", "SBD", "GPCK", "BPCK", "SCDC", "SBDC", "SCDF", "SBDF", "SCDFP", "SBDFP", "SCDG", "SBDG", "SCDGP", "DF", "DFG", "ET"];

pub fn read_concepts<R: BufRead>(input: R, drafts: &mut Drafts) -> Result<(), FormatError> {
    let mut lines = Lines::new(input);
    while let Some((line, text)) = lines.next_line()? {
        let fields: Vec<&str> = text.split('|').collect();
        let [code, _, _, _, _, _, _, _, _, _, _, source, kind, _, name, _, suppressed, ..] = fields[..] else {
            return Err(FormatError::at(line, "it has fewer than 17 fields"));
        };
        if source != SOURCE {
            continue;
        }
        let rank = |kind: &str| NAMES.iter().position(|known| *known == kind);
        let inactive = matches!(suppressed, "O" | "E" | "Y");
        let Some(draft) = drafts.get_mut(code) else {
            let mut properties = vec![("TTY".to_owned(), Value::Text(kind.to_owned()))];
            if inactive {
                properties.push(("inactive".to_owned(), Value::Flag(true)));
            }
            drafts.add(Draft { line, code: code.to_owned(), display: Some(name.to_owned()), properties, ..Draft::default() })?;
            continue;
        };
        let held = draft.properties.iter().find_map(|(_, value)| if let Value::Text(kind) = value { rank(kind) } else { None });
        let replaces = rank(kind).is_some_and(|rank| held.is_none_or(|held| rank < held));
        let other = if replaces { draft.display.replace(name.to_owned()) } else { Some(name.to_owned()) };
        if replaces && let Some((_, value)) = draft.properties.first_mut() {
            *value = Value::Text(kind.to_owned());
        }
        // a concept with a name that is in use is in use
        if !inactive {
            draft.properties.retain(|(name, _)| name != "inactive");
        }
        draft.synonyms.extend(other.filter(|other| draft.display.as_ref() != Some(other) && !draft.synonyms.contains(other)));
    }
    Ok(())
}

pub fn read_relations<R: BufRead>(input: R, drafts: &mut Drafts) -> Result<(), FormatError> {
    let mut lines = Lines::new(input);
    let mut seen: HashSet<(String, String)> = HashSet::new();
    while let Some((line, text)) = lines.next_line()? {
        let fields: Vec<&str> = text.split('|').collect();
        let [above, _, _, _, below, _, _, kind, _, _, source, ..] = fields[..] else {
            return Err(FormatError::at(line, "it has fewer than 11 fields"));
        };
        // the relation is read from the second to the first
        if kind == "isa" && source == SOURCE && drafts.get(above).is_some() && seen.insert((above.to_owned(), below.to_owned())) && let Some(draft) = drafts.get_mut(below) {
            draft.parents.push(above.to_owned());
        }
    }
    Ok(())
}
