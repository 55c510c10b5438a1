//! Detection in SQL.

use super::comprehend::{Action, answer};
use super::highlight::{Style, marked};
use super::{Wanted, attributes, codings, concepts, slice};
use crate::json;
use crate::nlp::lexicon::sql::active;
use crate::nlp::points::Points;
use crate::nlp::{Category, Entity, Lexicon, Options, detect_each};
use crate::pg::arrays;
use crate::pg::error::{self, Error};
use crate::pg::function::{Call, Value};
use crate::pg::rows::Rows;
use crate::pg::time::check_for_interrupts;
use crate::sql_function;

// (note, date, categories, min_score) → rows
sql_function!(fhir_detect_entities, |call| {
    let mut rows = call.rows()?;
    let Some(text) = call.optional_text(0)? else { return Ok(Value::Null) };
    let lexicon = active()?;
    let wanted = wanted(call, 2, 3)?;
    let points = Points::new(text);
    let (mut id, mut failed) = (0, None);
    each(text, date(call, 1), lexicon, &mut |found| {
        for entity in found.drain(..).filter(|entity| wanted.takes(entity)) {
            if let Err(error) = add(&mut rows, id, &entity, text, &points, lexicon) {
                failed = Some(error);
            }
            id += 1;
        }
        failed.is_none()
    });
    failed.map_or(Ok(Value::Null), Err)
});
// (note, action) → jsonb
sql_function!(fhir_comprehend, |call| {
    let lexicon = active()?;
    let (text, action) = (call.text(0)?, call.text(1)?);
    let action = Action::from_name(action).ok_or_else(|| Error::new(error::INVALID_PARAMETER, "action must be entities, phi, icd10cm, rxnorm or snomedct"))?;
    let found = read(text, None, lexicon)?;
    Ok(Value::Jsonb(json::write(&answer(action, text, &found, lexicon))?))
});
// (note, style, categories, min_score) → text
sql_function!(fhir_highlight, |call| {
    let Some(text) = call.optional_text(0)? else { return Ok(Value::Null) };
    let lexicon = active()?;
    let style = match call.text(1)? {
        "html" => Style::Html,
        "ansi" => Style::Ansi,
        _ => return Err(Error::new(error::INVALID_PARAMETER, "style must be html or ansi")),
    };
    let wanted = wanted(call, 2, 3)?;
    let mut found = read(text, None, lexicon)?;
    found.retain(|e| wanted.takes(e));
    Ok(Value::Text(marked(text, &found, style)))
});

/// Findings that are held in memory at once.
const MOST: usize = 500_000;

/// Reads a text; a cancelled query stops here. What is found is given away part by part, until `found` wants no more.
fn each(text: &str, date: Option<chrono::NaiveDate>, lexicon: &Lexicon, found: &mut dyn FnMut(&mut Vec<Entity>) -> bool) {
    let interrupted = || {
        check_for_interrupts();
        false
    };
    // an interrupt that ends the query passes through as the server's error
    let _ = detect_each(text, lexicon, &Options { date, interrupted: &interrupted, ..Options::default() }, found);
}

/// All that a text says; a cancelled query stops here.
pub fn read(text: &str, date: Option<chrono::NaiveDate>, lexicon: &Lexicon) -> Result<Vec<Entity>, Error> {
    let mut all = Vec::new();
    each(text, date, lexicon, &mut |found| {
        all.append(found);
        all.len() <= MOST
    });
    if all.len() > MOST {
        return Err(Error::new("54000", format!("the text has more than {MOST} findings")).hint("fhir.detect_entities gives them as rows, whatever their number"));
    }
    Ok(all)
}

/// Writes the columns of a finding, as `fhir.detect_entities` has them, into a row, and adds it.
pub fn add(rows: &mut Rows, id: usize, entity: &Entity, text: &str, points: &Points<'_>, lexicon: &Lexicon) -> Result<(), Error> {
    let assertion = entity.assertion;
    rows.int(id as i64);
    rows.text(entity.category.name());
    rows.text(entity.kind.name());
    rows.text(slice(text, entity.begin, entity.end));
    rows.int(points.before(entity.begin).into());
    rows.int(points.before(entity.end).into());
    if entity.section.is_empty() { rows.null() } else { rows.text(entity.section) }
    rows.word(pgrx::pg_sys::Datum::from(entity.score.to_bits()));
    rows.text(assertion.certainty.name());
    rows.text(assertion.temporality.name());
    rows.text(assertion.subject.name());
    rows.text(assertion.conditionality.name());
    match &entity.value {
        Some(value) => rows.text(value),
        None => rows.null(),
    }
    let told = rows.body(|out| attributes(&entity.attributes, text, points, out)).and_then(|()| rows.body(|out| concepts(&codings(entity, lexicon), out)));
    rows.text(entity.origin.name());
    match told {
        Ok(()) => rows.end(),
        // half a row must not become the begin of the next
        Err(_) => rows.forget(),
    }
    Ok(told?)
}

/// The arguments that say which findings are wanted.
pub fn wanted(call: &Call, categories: usize, min_score: usize) -> Result<Wanted, Error> {
    let mut wanted = Wanted::default();
    // SAFETY: the SQL declaration says that this argument is a text[].
    let names = call.datum(categories).map(|datum| unsafe { arrays::texts(datum) });
    for name in names.unwrap_or_default() {
        let category = Category::from_name(&name.to_ascii_uppercase()).ok_or_else(|| {
            let known = Category::ALL.iter().map(|(_, name)| *name).collect::<Vec<_>>().join(", ");
            Error::new(error::INVALID_PARAMETER, "there is no such category").hint(format!("it is one of {known}"))
        })?;
        wanted.categories.push(category);
    }
    if let Some(datum) = call.datum(min_score) {
        wanted.min_score = f32::from_bits(datum.value() as u32);
    }
    Ok(wanted)
}

/// A date argument.
fn date(call: &Call, index: usize) -> Option<chrono::NaiveDate> {
    let days = call.datum(index)?.value() as i32;
    chrono::NaiveDate::from_ymd_opt(2000, 1, 1)?.checked_add_signed(chrono::TimeDelta::try_days(days.into())?)
}
