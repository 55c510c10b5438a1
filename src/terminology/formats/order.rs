//! The order files of ICD-10-CM (`icd10cm-order-2026.txt`, of CMS and CDC): a number of five digits, the code without its dot in the columns
//! 7 to 13, in column 15 whether it is valid for billing (1) or a header (0), a short description from column 17 to 76, a long one from 78.
//! A code stands below the longest other one that it begins with.

use super::lines::Lines;
use super::{Draft, Drafts, FormatError, Value};
use std::io::BufRead;

/// Letters before the dot.
const CATEGORY: usize = 3;

pub fn read<R: BufRead>(input: R, drafts: &mut Drafts) -> Result<(), FormatError> {
    let mut lines = Lines::new(input);
    while let Some((line, text)) = lines.next_line()? {
        if text.trim().is_empty() {
            continue;
        }
        let wrong = |reason: &str| FormatError::at(line, reason);
        let part = |from: usize, to: usize| text.get(from..to.min(text.len())).map(str::trim).unwrap_or_default();
        if part(0, 5).len() != 5 || !part(0, 5).bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(wrong("it does not begin with a number of five digits"));
        }
        let code = part(6, 13);
        if code.len() < CATEGORY || !code.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(wrong("it has no code in the columns 7 to 13"));
        }
        let billable = match part(14, 15) {
            "0" => false,
            "1" => true,
            _ => return Err(wrong("it has neither 0 nor 1 in column 15")),
        };
        let (short, long) = (part(16, 76), text.get(77..).map(str::trim).unwrap_or_default());
        let display = if long.is_empty() { short } else { long };
        let parents = (CATEGORY..code.len()).rev().map(|end| dotted(&code[..end])).find(|above| drafts.get(above).is_some());
        drafts.add(Draft {
            line,
            code: dotted(code),
            display: Some(display.to_owned()).filter(|display| !display.is_empty()),
            parents: parents.into_iter().collect(),
            properties: vec![("billable".to_owned(), Value::Flag(billable))],
            synonyms: Some(short.to_owned()).filter(|short| !short.is_empty() && short != display).into_iter().collect(),
            ..Draft::default()
        })?;
    }
    Ok(())
}

/// FHIR writes the dot: <https://hl7.org/fhir/R4/icd.html>
fn dotted(code: &str) -> String {
    match code.split_at_checked(CATEGORY) {
        Some((category, rest)) if !rest.is_empty() => format!("{category}.{rest}"),
        _ => code.to_owned(),
    }
}
