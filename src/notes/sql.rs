//! Texts, findings and enriched resources in SQL.

use super::enrich::{self, EnrichError, Form};
use super::finding::sql::{add, wanted};
use super::text::texts;
use crate::json::{self, Node};
use crate::nlp::Interrupted;
use crate::nlp::lexicon::sql::active;
use crate::nlp::points::Points;
use crate::pg::error::{self, Error};
use crate::pg::function::{Call, Value};
use crate::pg::time::check_for_interrupts;
use crate::sql_function;

impl From<Interrupted> for Error {
    fn from(_: Interrupted) -> Error {
        Error::new("57014", "reading was cancelled")
    }
}

impl From<EnrichError> for Error {
    fn from(error: EnrichError) -> Error {
        match error {
            EnrichError::Interrupted => Interrupted.into(),
            EnrichError::Json(error) => error.into(),
        }
    }
}

/// A cancelled query stops here, with the server's own error, which passes through.
fn interrupted() -> bool {
    check_for_interrupts();
    false
}

/// No resource has no texts.
fn resource(call: &Call) -> Result<Node<'_>, Error> {
    Ok(if call.datum(0).is_some() { json::root(call.document(0)?) } else { None }.unwrap_or(Node::Null))
}

// (resource) → rows: path, content_type, language, text, problem
sql_function!(fhir_resource_texts, |call| {
    let mut rows = call.rows()?;
    for text in texts(resource(call)?, &interrupted)? {
        rows.add([
            text.path.into(),
            Value::from(&*text.content_type),
            text.language.into(),
            (!text.text.is_empty()).then_some(&*text.text).into(),
            text.problem.map(|problem| problem.message()).into(),
        ]);
    }
    Ok(Value::Null)
});
// (resource, categories, min_score) → rows: path and the columns of fhir.detect_entities
sql_function!(fhir_resource_entities, |call| {
    let lexicon = active()?;
    let wanted = wanted(call, 1, 2)?;
    let mut rows = call.rows()?;
    let mut id = 0;
    for text in texts(resource(call)?, &interrupted)? {
        let points = Points::new(&text.text);
        let mut outcome = Ok(());
        text.entities(lexicon, &interrupted, &mut |part| {
            for entity in part.iter().filter(|e| wanted.takes(e)) {
                rows.text(&text.path);
                if let Err(error) = add(&mut rows, id, entity, &text.text, &points, lexicon) {
                    outcome = Err(error);
                }
                id += 1;
            }
            outcome.is_ok()
        })?;
        outcome?;
    }
    Ok(Value::Null)
});
// (resource, form, categories, min_score) → jsonb
sql_function!(fhir_enrich, |call| {
    let lexicon = active()?;
    let form = Form::from_name(call.text(1)?).ok_or_else(|| Error::new(error::INVALID_PARAMETER, "form must be fhirlake or healthlake"))?;
    let wanted = wanted(call, 2, 3)?;
    Ok(match enrich::enrich(resource(call)?, form, &wanted, lexicon, &interrupted)? {
        Some(enriched) => Value::Jsonb(enriched),
        None => call.datum(0).map_or(Value::Null, Value::Datum),
    })
});
