//! Terms in columns, of a CSV or TSV file with a header or of a query: `code` and `term` (or `display`), and where known `system`, `display`,
//! `category`, `type` (of the finding), `term_type`, `case_sensitive`, `stop`, `target_system`, `target_code`.

use super::{Defaults, Row, What};
use crate::nlp::lexicon::source::TermKind;
use crate::nlp::{Category, Kind};
use std::collections::HashMap;

pub const COLUMNS: [&str; 11] =
    ["system", "code", "display", "term", "category", "type", "term_type", "case_sensitive", "stop", "target_system", "target_code"];

/// Tells the term, and the mapping, of a row. `values` has what the columns of the row have.
pub fn row(values: &HashMap<&str, &str>, defaults: Defaults<'_>, each: &mut dyn FnMut(Row<'_>)) -> Result<(), String> {
    let get = |name: &str| values.get(name).copied().map(str::trim).filter(|value| !value.is_empty());
    let code = get("code").unwrap_or("");
    let display = get("display").or(get("term")).ok_or("it has neither term nor display")?;
    let text = get("term").unwrap_or(display);
    let category = match get("category") {
        Some(name) => Category::from_name(&name.to_ascii_uppercase()).ok_or("there is no such category")?,
        None => defaults.category,
    };
    let kind = match get("type") {
        Some(name) => Kind::from_name(&name.to_ascii_uppercase()).ok_or("there is no such type")?,
        None => defaults.kind,
    };
    let term = match get("term_type") {
        Some(name) => TermKind::from_name(name).ok_or("there is no such type of term")?,
        None if get("term").is_none() || text == display => TermKind::Preferred,
        None => TermKind::Synonym,
    };
    let flag = |name: &str| get(name).map(|value| matches!(value.to_ascii_lowercase().as_str(), "t" | "true" | "1" | "yes" | "y"));
    let mut what = What::term(text, term);
    if let What::Term { case_sensitive, research, stop, .. } = &mut what {
        *case_sensitive = flag("case_sensitive").unwrap_or(*case_sensitive);
        *research = flag("research").unwrap_or(false);
        *stop = flag("stop").unwrap_or(false);
    }
    let system = get("system").unwrap_or(defaults.system);
    each(Row { system, code, category, kind, display, what });
    if let (Some(target), Some(target_code)) = (get("target_system"), get("target_code")) {
        each(Row { system, code, category, kind, display, what: What::Mapping { system: target, code: target_code } });
    }
    Ok(())
}
