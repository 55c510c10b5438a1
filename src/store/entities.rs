//! Findings in the notes of a lake: the statements that keep them and say which count, and the triggers that run them.

use crate::pg::access::{self, AsOwner};
use crate::pg::error::{self, Error};
use crate::pg::function::{Call, Value};
use crate::pg::spi::{Arg, connected};
use crate::search::quote::{identifier, literal};
use crate::sql_function;
use pgrx::pg_sys;

sql_function!(fhir_read_note, read_note);
sql_function!(fhir_heed_review, heed_review);
sql_function!(fhir_keep_entities_sql, |call| Ok(keep(call.text(0)?, call.text(1)?, ["$1", "$2", "$3"]).into()));
sql_function!(fhir_restate_entities_sql, |call| Ok(restate(call.text(0)?, call.text(1)?).into()));

/// What a trigger of `fhir.set_notes` has for "all".
const ALL: &str = "*";

/// The statement that reads the notes of the rows `compartment, type, id, version, resource` of a query and keeps what is found; it gives
/// how many resources and findings. What was read with this lexicon before stays as it is. The three others are SQL: the least score,
/// and arrays of the categories and certainties that are kept, or NULL.
fn keep(lake: &str, source: &str, [min_score, categories, certainty]: [&str; 3]) -> String {
    let lake = identifier(lake);
    let same = |a: &str, b: &str| ["type", "id", "version"].map(|column| format!("{a}.{column} OPERATOR(pg_catalog.=) {b}.{column}")).join(" AND ");
    let (run_of_waiting, run_of_found, entity_of_waiting, counted) = (same("o", "w"), same("n", "f"), same("x", "w"), same("c", "w"));
    let rejected = rejected(&lake, "f");
    format!(
        "WITH waiting AS MATERIALIZED ({source}), \
         found AS MATERIALIZED (SELECT w.compartment, w.type, w.id, w.version, \
             pg_catalog.row_number() OVER (PARTITION BY w.type, w.id ORDER BY e.ordinality)::pg_catalog.int4 AS number, \
             e.path, e.begin AS first, e.\"end\" AS last, e.text, e.category, e.type AS kind, e.section, e.score, e.certainty, e.temporality, e.subject, \
             e.conditionality, e.value, e.attributes, e.concepts, fhir.entity_codes(COALESCE(e.concepts, '[]')) AS codes, e.origin \
             FROM waiting w CROSS JOIN LATERAL fhir.resource_entities(w.resource, {categories}, {min_score}) WITH ORDINALITY e \
             WHERE ({certainty})::pg_catalog.text[] IS NULL OR e.certainty OPERATOR(pg_catalog.=) ANY ({certainty})), \
         run AS (INSERT INTO {lake}.entity_run (compartment, type, id, version, lexicon, min_score, found) \
             SELECT w.compartment, w.type, w.id, w.version, fhir.lexicon_version(), {min_score}, COALESCE(c.found, 0) FROM waiting w \
             LEFT JOIN (SELECT f.type, f.id, f.version, pg_catalog.count(*)::pg_catalog.int4 AS found FROM found f GROUP BY 1, 2, 3) c ON {counted} \
             ON CONFLICT (type, id, version, lexicon) DO NOTHING RETURNING type, id, version), \
         old_run AS (UPDATE {lake}.entity_run o SET is_current = false FROM run w WHERE {run_of_waiting} AND o.is_current), \
         old AS (UPDATE {lake}.entity x SET status = 'old' FROM run w WHERE {entity_of_waiting} AND x.status OPERATOR(pg_catalog.<>) 'old'), \
         made AS (INSERT INTO {lake}.entity (compartment, type, id, version, lexicon, number, path, first, last, text, category, kind, section, score, \
             certainty, temporality, subject, conditionality, value, attributes, concepts, codes, origin, status, search) \
             SELECT f.compartment, f.type, f.id, f.version, fhir.lexicon_version(), f.number, f.path, f.first, f.last, f.text, f.category, f.kind, \
             COALESCE(f.section, ''), f.score, f.certainty, f.temporality, f.subject, f.conditionality, f.value, COALESCE(f.attributes, '[]'), \
             COALESCE(f.concepts, '[]'), f.codes, f.origin, CASE WHEN {rejected} THEN 'rejected' ELSE 'current' END, \
             fhir.entity_keys(f.text, COALESCE(f.concepts, '[]')) \
             FROM found f JOIN run n ON {run_of_found} RETURNING 1) \
         SELECT (SELECT pg_catalog.count(*) FROM run), (SELECT pg_catalog.count(*) FROM made)"
    )
}

/// Whether a reviewer has rejected the same words with the same meaning at the same place.
fn rejected(lake: &str, found: &str) -> String {
    let same = ["type", "id", "path", "first", "last", "text", "category"].map(|column| format!("v.{column} OPERATOR(pg_catalog.=) {found}.{column}")).join(" AND ");
    format!(
        "EXISTS (SELECT FROM {lake}.entity_review v WHERE v.verdict OPERATOR(pg_catalog.=) 'reject' AND {same} \
         AND (v.codes OPERATOR(pg_catalog.&&) {found}.codes OR v.codes OPERATOR(pg_catalog.=) {found}.codes))"
    )
}

/// The statement that says anew of findings `x` that meet a condition whether they are current.
fn restate(lake: &str, condition: &str) -> String {
    let lake = identifier(lake);
    let rejected = rejected(&lake, "x");
    format!(
        "UPDATE {lake}.entity e SET status = s.status FROM (SELECT x.type, x.id, x.version, x.lexicon, x.number, \
             CASE WHEN NOT n.is_current THEN 'old' WHEN {rejected} THEN 'rejected' ELSE 'current' END AS status \
             FROM {lake}.entity x JOIN {lake}.entity_run n ON n.type OPERATOR(pg_catalog.=) x.type AND n.id OPERATOR(pg_catalog.=) x.id \
             AND n.version OPERATOR(pg_catalog.=) x.version AND n.lexicon OPERATOR(pg_catalog.=) x.lexicon WHERE {condition}) s \
         WHERE e.type OPERATOR(pg_catalog.=) s.type AND e.id OPERATOR(pg_catalog.=) s.id AND e.version OPERATOR(pg_catalog.=) s.version \
         AND e.lexicon OPERATOR(pg_catalog.=) s.lexicon AND e.number OPERATOR(pg_catalog.=) s.number AND e.status OPERATOR(pg_catalog.<>) s.status"
    )
}

/// An array in SQL, as an argument of the trigger has it.
fn array(word: &str) -> String {
    if word == ALL { "NULL::pg_catalog.text[]".to_owned() } else { format!("{}::pg_catalog.text[]", literal(word)) }
}

/// AFTER INSERT OR UPDATE, each row: reads the notes of the resource and keeps what they say.
fn read_note(call: &Call) -> Result<Value, Error> {
    let trigger = call.trigger()?;
    let (false, true, Some(new)) = (trigger.is_before, trigger.is_row, trigger.new()) else {
        return Err(Error::new(error::WRONG_TRIGGER, "fhir.read_note() is a trigger AFTER INSERT OR UPDATE FOR EACH ROW"));
    };
    let words = trigger.arguments();
    let [min_score, categories, certainty] = words.as_slice() else {
        return Err(Error::new(error::WRONG_TRIGGER, "fhir.read_note() needs a score, categories and certainties").hint("fhir.set_notes makes this trigger"));
    };
    let version = trigger.column("version", pg_sys::INT8OID)?;
    if trigger.old().is_some_and(|old| old.int(version) == new.int(version)) {
        return Ok(trigger.done()); // nothing was changed
    }
    let text = |name: &str| Ok::<_, Error>(new.text(trigger.column(name, pg_sys::TEXTOID)?));
    let (Some(compartment), Some(ty), Some(id), Some(number), Some(resource)) =
        (text("compartment")?, text("type")?, text("id")?, new.int(version), new.datum(trigger.column("resource", pg_sys::JSONBOID)?))
    else {
        return Ok(trigger.done());
    };
    let (schema, target) = lake_of(trigger.schema())?;
    let source = "SELECT $1::pg_catalog.text COLLATE \"C\" AS compartment, $2::pg_catalog.text AS type, $3::pg_catalog.text COLLATE \"C\" AS id, \
         $4::pg_catalog.int8 AS version, $5::pg_catalog.jsonb AS resource";
    let statement = keep(&schema, source, [&format!("{}::pg_catalog.float4", literal(min_score)), &array(categories), &array(certainty)]);
    let _owner = AsOwner::for_check(trigger.table(), target)?;
    let args = [Arg::Text(compartment), Arg::Text(ty), Arg::Text(id), Arg::Int(number), Arg::Datum(pg_sys::JSONBOID, resource)];
    connected(|sql| sql.run(&statement, &args))?;
    Ok(trigger.done())
}

/// AFTER INSERT OR UPDATE OR DELETE on the reviews of a lake, each row.
fn heed_review(call: &Call) -> Result<Value, Error> {
    let trigger = call.trigger()?;
    if trigger.is_before || !trigger.is_row {
        return Err(Error::new(error::WRONG_TRIGGER, "fhir.heed_review() is a trigger AFTER INSERT OR UPDATE OR DELETE FOR EACH ROW"));
    }
    let (schema, target) = lake_of(trigger.schema())?;
    let statement = restate(&schema, "x.type OPERATOR(pg_catalog.=) $1 AND x.id OPERATOR(pg_catalog.=) $2");
    let _owner = AsOwner::for_check(trigger.table(), target)?;
    for row in [trigger.old(), trigger.new()].into_iter().flatten() {
        let (ty, id) = (row.text(trigger.column("type", pg_sys::TEXTOID)?), row.text(trigger.column("id", pg_sys::TEXTOID)?));
        if let (Some(ty), Some(id)) = (ty, id) {
            connected(|sql| sql.run(&statement, &[Arg::Text(ty), Arg::Text(id)]))?;
        }
    }
    Ok(trigger.done())
}

/// The name of the schema of a lake, and its table of findings.
fn lake_of(schema: pg_sys::Oid) -> Result<(String, pg_sys::Oid), Error> {
    let name = access::schema_name(schema).ok_or_else(|| Error::new(error::INTERNAL, "a table without a schema fired a trigger"))?;
    let target = access::table(schema, c"entity").ok_or_else(|| {
        Error::new(error::UNDEFINED_TABLE, "the lake has no table \"entity\"").hint("the tables of a lake stay in one schema; fhir.create_lake makes them all")
    })?;
    Ok((name, target))
}
