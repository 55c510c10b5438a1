//! The statement that reads a record in the order of its index `(compartment, occurred DESC, id)`, partition beside partition.

use super::ask::Ask;
use crate::index::time::{OPEN_HIGH, OPEN_LOW};
use crate::model::{self, TypeId};
use crate::path::{self, Compiled};
use crate::search::quote::{identifier, literal};
use crate::search::statement::timestamp as moment;

/// What the lake holds that a statement has to read.
#[derive(Debug, Default)]
pub struct Holdings {
    /// Types that have rows, the caller's to see or not.
    pub types: Vec<TypeId>,
    /// Types of the resources of others that belong to this patient as well.
    pub shared: Vec<TypeId>,
    /// Types whose notes have findings that are lines as well.
    pub findings: Vec<TypeId>,
}

/// The columns of an event in the order of `fhir.timeline`.
pub const COLUMNS: &str = "r.occurred, e.precision, e.ended, r.type";

/// A list of type names as a constant array.
pub fn names(types: &[TypeId]) -> String {
    let names: Vec<String> = types.iter().map(|ty| literal(ty.name())).collect();
    format!("ARRAY[{}]::pg_catalog.text[]", names.join(", "))
}

/// The statement of `fhir.timeline`.
///
/// Both ways of reading are those of the index, so that rows of one moment come in the order of their ids, or against it. A bound
/// on the beginning is one on the index; what reaches into the time asked for from before is found by looking at it.
pub fn statement(lake: &str, ask: &Ask, holdings: &Holdings, newest_first: bool, count: Option<i64>) -> String {
    written(lake, ask, holdings, newest_first, count, ", NULL::pg_catalog.text AS source")
}

/// The same lines for a picture, the newest first, with one more column `until`.
pub fn drawn(lake: &str, ask: &Ask, holdings: &Holdings) -> String {
    written(lake, ask, holdings, true, None, ", e.until")
}

fn written(lake: &str, ask: &Ask, holdings: &Holdings, newest_first: bool, count: Option<i64>, more: &str) -> String {
    let (lake, focus) = (identifier(lake), literal(&ask.focus));
    let types: Vec<TypeId> = ask.members().into_iter().filter(|ty| holdings.types.contains(ty)).collect();
    let order = if newest_first { "r.occurred DESC, r.id" } else { "r.occurred, r.id DESC" };
    let shared: Vec<TypeId> = types.iter().copied().filter(|ty| holdings.shared.contains(ty)).collect();
    let at = ask.as_of.map(moment);
    let past = at.as_deref().map(|at| Past { at, focus: &focus, types: &types });
    let source = source(&lake, "resource", &shared, order, past.as_ref());
    let mut conditions = vec![
        format!("r.compartment OPERATOR(pg_catalog.=) {focus}"),
        format!("r.type OPERATOR(pg_catalog.=) ANY ({})", names(&types)),
    ];
    conditions.extend(past.as_ref().map(Past::condition));
    if ask.to != OPEN_HIGH {
        conditions.push(format!("r.occurred OPERATOR(pg_catalog.<) {}", moment(ask.to)));
    }
    if ask.from != OPEN_LOW {
        let from = moment(ask.from);
        conditions.push(format!("(r.occurred OPERATOR(pg_catalog.>=) {from} OR e.until OPERATOR(pg_catalog.>) {from})"));
    }
    if ask.from != OPEN_LOW || ask.to != OPEN_HIGH {
        let (low, high) = (moment(OPEN_LOW), moment(OPEN_HIGH));
        conditions.push(format!("(r.occurred OPERATOR(pg_catalog.>) {low} OR e.until OPERATOR(pg_catalog.<) {high})"));
    }
    let filter = conditions.join(" AND ");
    let limit = count.map(|count| format!(" LIMIT {count}")).unwrap_or_default();
    // What a line is about may be told by another resource, such as a Medication.
    let tellers: Vec<TypeId> = tellers(&ask.members()).into_iter().filter(|ty| holdings.types.contains(ty)).collect();
    let (told, system, code, display) = if tellers.is_empty() {
        (String::new(), "e.system", "e.code", "e.display")
    } else {
        let join = format!(
            " LEFT JOIN LATERAL (SELECT x.system, x.code, x.display FROM {} t CROSS JOIN LATERAL fhir.event(t.resource) x \
             WHERE e.code IS NULL AND t.type OPERATOR(pg_catalog.=) ANY ({}) AND t.type OPERATOR(pg_catalog.=) e.refers_type \
             AND t.id OPERATOR(pg_catalog.=) e.refers_id LIMIT 1) x ON true",
            versions(&lake, "resource", at.as_deref()),
            names(&tellers)
        );
        (join, "COALESCE(e.system, x.system)", "COALESCE(e.code, x.code)", "COALESCE(e.display, x.display)")
    };
    let lines = format!(
        "SELECT {COLUMNS}, {system} AS system, {code} AS code, {display} AS display, e.value, e.unit, e.status, r.id, r.version{more} \
         FROM {source} r CROSS JOIN LATERAL fhir.event(r.resource) e{told} WHERE {filter} ORDER BY {order}"
    );
    let noted: Vec<TypeId> = types.iter().copied().filter(|ty| holdings.findings.contains(ty)).collect();
    if noted.is_empty() || ask.as_of.is_some() {
        return format!("{lines}{limit}");
    }
    // Both are in this order already, so that a page needs no sort of the whole.
    let found = findings(&lake, &focus, ask, &noted);
    format!("SELECT r.* FROM (({lines}) UNION ALL ({found} ORDER BY {order})) r ORDER BY {order}{limit}")
}

/// What notes say of the patient as of their own time, as lines: what is so, or probably. The last column tells where it stands.
fn findings(lake: &str, focus: &str, ask: &Ask, types: &[TypeId]) -> String {
    let same = ["type", "id", "version"].map(|column| format!("r.{column} OPERATOR(pg_catalog.=) f.{column}")).join(" AND ");
    let attribute = |name: &str| {
        format!("(SELECT a OPERATOR(pg_catalog.->>) 'text' FROM pg_catalog.jsonb_array_elements(f.attributes) a WHERE a OPERATOR(pg_catalog.->>) 'type' OPERATOR(pg_catalog.=) '{name}' LIMIT 1)")
    };
    // a code that is hardly meant is none
    let concept = |name: &str| {
        let first = "f.concepts OPERATOR(pg_catalog.->) 0 OPERATOR(pg_catalog.->>)";
        format!("CASE WHEN COALESCE(({first} 'score')::pg_catalog.float4, 1) OPERATOR(pg_catalog.>=) 0.5 THEN {first} '{name}' END")
    };
    let mut conditions = vec![
        // the index of the record leads, and each note's findings are looked up by its key
        format!("r.compartment OPERATOR(pg_catalog.=) {focus} AND r.type OPERATOR(pg_catalog.=) ANY ({})", names(types)),
        "f.status OPERATOR(pg_catalog.=) 'current' AND f.certainty OPERATOR(pg_catalog.=) ANY (ARRAY['positive', 'probable'])".to_owned(),
        "f.temporality OPERATOR(pg_catalog.=) 'current' AND f.subject OPERATOR(pg_catalog.=) 'patient' AND f.conditionality OPERATOR(pg_catalog.=) 'unconditional'".to_owned(),
        "(f.category OPERATOR(pg_catalog.=) ANY (ARRAY['MEDICAL_CONDITION', 'MEDICATION', 'TEST_TREATMENT_PROCEDURE']) OR f.kind OPERATOR(pg_catalog.=) 'ALLERGIES')".to_owned(),
    ];
    if ask.from != OPEN_LOW {
        conditions.push(format!("r.occurred OPERATOR(pg_catalog.>=) {}", moment(ask.from)));
    }
    if ask.to != OPEN_HIGH {
        conditions.push(format!("r.occurred OPERATOR(pg_catalog.<) {} AND r.occurred OPERATOR(pg_catalog.>) {}", moment(ask.to), moment(OPEN_LOW)));
    }
    format!(
        "SELECT r.occurred, NULL::pg_catalog.text, NULL::pg_catalog.timestamptz, r.type, {}, {}, COALESCE({}, f.text), {}, {}, f.certainty, r.id, r.version, \
         pg_catalog.format('%s/%s/_history/%s#%s:%s-%s', r.type, r.id, r.version, f.path, f.first, f.last) \
         FROM {lake}.entity f JOIN {lake}.resource r ON {same} WHERE {}",
        concept("system"),
        concept("code"),
        concept("display"),
        attribute("TEST_VALUE"),
        attribute("TEST_UNIT"),
        conditions.join(" AND ")
    )
}

/// A past moment that a statement reads: what was current then.
pub struct Past<'a> {
    /// The moment, as SQL.
    pub at: &'a str,
    /// The compartment, as SQL.
    pub focus: &'a str,
    /// Types of which superseded versions are read.
    pub types: &'a [TypeId],
}

impl Past<'_> {
    /// What holds for rows `r` of [`source`] that were current then.
    pub fn condition(&self) -> String {
        Past::current("r", self.at)
    }

    fn current(row: &str, at: &str) -> String {
        format!("{row}.last_updated OPERATOR(pg_catalog.<=) {at} AND {row}.superseded OPERATOR(pg_catalog.>) {at} AND {row}.resource IS NOT NULL")
    }
}

/// The resources of a table of the lake, as a table expression with the columns `type, id, version, last_updated, resource`: as they
/// are, or as they were at a moment (SQL).
pub fn versions(lake: &str, table: &str, at: Option<&str>) -> String {
    let Some(at) = at else { return format!("{lake}.{table}") };
    format!(
        "(SELECT c.type, c.id, c.version, c.last_updated, c.resource FROM {lake}.{table} c WHERE c.last_updated OPERATOR(pg_catalog.<=) {at} \
         UNION ALL SELECT h.type, h.id, h.version, h.last_updated, h.resource FROM {lake}.history h WHERE {})",
        Past::current("h", at)
    )
}

/// The rows of a table of the lake by compartment, as a table expression with the columns `compartment, occurred, type, id, version,
/// last_updated, resource`; of the `shared` types those of second compartments as well, in that order. Of the past also the superseded
/// versions, with a column `superseded` for [`Past::condition`].
///
/// Conditions stand outside: only a branch without any can be merged in the order of its index. Of the other branch the membership
/// leads, and each resource is looked up by its key. Memberships are those of now: to which other patients a superseded version
/// belonged is told by its keys.
pub fn source(lake: &str, table: &str, shared: &[TypeId], order: &str, past: Option<&Past>) -> String {
    let forever = if past.is_some() { ", 'infinity'::pg_catalog.timestamptz AS superseded" } else { "" };
    let mut branches = vec![format!("SELECT r.compartment, r.occurred, r.type, r.id, r.version, r.last_updated, r.resource{forever} FROM {lake}.{table} r")];
    if !shared.is_empty() {
        branches.push(format!(
            "(SELECT r.compartment, r.occurred, r.type, r.id, x.version, x.last_updated, x.resource{forever} FROM {lake}.membership r \
             CROSS JOIN LATERAL (SELECT t.version, t.last_updated, t.resource FROM {lake}.{table} t \
             WHERE t.type OPERATOR(pg_catalog.=) ANY ({}) AND t.type OPERATOR(pg_catalog.=) r.type AND t.id OPERATOR(pg_catalog.=) r.id \
             OFFSET 0) x ORDER BY {order})",
            names(shared)
        ));
    }
    if let Some(Past { at, focus, types }) = past {
        let columns = "fhir.occurred(h.resource), h.type, h.id, h.version, h.last_updated, h.resource, h.superseded";
        branches.push(format!("SELECT h.compartment, {columns} FROM {lake}.history h"));
        branches.push(format!(
            "SELECT {focus}, {columns} FROM {lake}.history h WHERE {} AND h.type OPERATOR(pg_catalog.=) ANY ({}) \
             AND h.compartment OPERATOR(pg_catalog.<>) {focus} \
             AND fhir.keys(h.resource) OPERATOR(fhir.|=) (SELECT fhir.query('_compartment=' OPERATOR(pg_catalog.||) {focus}))",
            Past::current("h", at),
            names(types)
        ));
    }
    format!("({})", branches.join(" UNION ALL "))
}

/// The types of the resources that can tell what resources of `types` are about.
pub fn tellers(types: &[TypeId]) -> Vec<TypeId> {
    let mut found = Vec::new();
    for ty in types {
        for way in model::headline(*ty).what {
            let Ok(Compiled::Values(branches)) = path::compile(&format!("{}.{way}", ty.name()), *ty) else { continue };
            for branch in branches.iter().filter(|branch| branch.ty == model::REFERENCE) {
                found.extend(targets(*ty, branch));
            }
        }
    }
    found.sort();
    found.dedup();
    found
}

/// The types that the last reference of a branch may point at.
fn targets(ty: TypeId, branch: &path::Branch) -> Vec<TypeId> {
    let mut holder = ty;
    let mut targets: &[TypeId] = &[];
    for step in &branch.steps {
        if let path::Step::Field { name, ty } = step {
            targets = holder.get().field(name).map_or(&[], |field| field.targets);
            holder = *ty;
        }
    }
    targets.to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(from: Option<&str>, to: Option<&str>, types: &[&str]) -> Ask {
        Ask::read("x", from, to, types.iter().copied()).unwrap()
    }

    fn holdings(types: &[&str], shared: bool) -> Holdings {
        Holdings { types: types.iter().map(|name| model::type_named(name).unwrap()).collect(), shared: if shared { vec![model::type_named("MedicationRequest").unwrap()] } else { Vec::new() }, findings: Vec::new() }
    }

    #[test]
    fn other_resources_tell_what_some_are_about() {
        let names = |ty: &str| tellers(&[model::type_named(ty).unwrap()]).into_iter().map(TypeId::name).collect::<Vec<_>>();
        assert_eq!(names("MedicationRequest"), ["Medication"]);
        assert_eq!(names("SupplyDelivery"), ["Device", "Medication", "Substance"]);
        assert!(names("Observation").is_empty());
    }

    #[test]
    fn a_statement_reads_no_more_than_it_must() {
        let plain = statement("l\"x", &ask(None, None, &["Observation", "Encounter"]), &holdings(&["Observation", "Medication"], false), true, Some(20));
        assert!(plain.contains("ARRAY['Observation']"), "{plain}");
        assert!(plain.contains("\"l\"\"x\".resource"), "{plain}");
        assert!(!plain.contains("membership") && !plain.contains("e.refers_type") && !plain.contains("e.until"), "{plain}");
        assert!(plain.ends_with("ORDER BY r.occurred DESC, r.id LIMIT 20"), "{plain}");
        let bounded = statement("lake", &ask(Some("2015"), Some("2016"), &[]), &holdings(&["MedicationRequest", "Medication"], true), false, None);
        for part in ["membership", "r.occurred OPERATOR(pg_catalog.<) '2017-01-01T00:00:00Z'", "e.until OPERATOR(pg_catalog.>) '2015-01-01T00:00:00Z'", "e.refers_type"] {
            assert!(bounded.contains(part), "{bounded}");
        }
        assert!(bounded.ends_with("ORDER BY r.occurred, r.id DESC"), "{bounded}");
        assert!(![plain, bounded].iter().any(|sql| sql.contains("history") || sql.contains("superseded")));
    }

    #[test]
    fn the_past_is_what_was_current_then() {
        let then = ask(None, None, &["Observation", "MedicationRequest"]).of(Some(0));
        let sql = statement("lake", &then, &holdings(&["Observation", "MedicationRequest", "Medication"], true), true, Some(20));
        for part in [
            // what is current and was so then, and of what was superseded since, the version of then: also of the drug
            "r.last_updated OPERATOR(pg_catalog.<=) '2000-01-01T00:00:00Z'",
            "r.superseded OPERATOR(pg_catalog.>) '2000-01-01T00:00:00Z'",
            "c.last_updated OPERATOR(pg_catalog.<=) '2000-01-01T00:00:00Z'",
            "SELECT h.compartment, fhir.occurred(h.resource)",
            // of others that were this patient's as well
            "SELECT 'Patient/x', fhir.occurred(h.resource)",
            "h.type OPERATOR(pg_catalog.=) ANY (ARRAY['MedicationRequest', 'Observation']::pg_catalog.text[])",
        ] {
            assert!(sql.contains(part), "{part}: {sql}");
        }
        // a deletion is no line
        assert_eq!(sql.matches("resource IS NOT NULL").count(), 3, "{sql}");
    }

    #[test]
    fn findings_of_notes_are_lines_of_now() {
        let ask = Ask::read("x", Some("2015"), None, ["Observation"].into_iter()).unwrap();
        let with = Holdings { findings: vec![model::type_named("Observation").unwrap()], ..holdings(&["Observation"], false) };
        let sql = statement("lake", &ask, &with, true, Some(3));
        for part in [
            "UNION ALL (SELECT r.occurred, NULL::pg_catalog.text",
            "r.compartment OPERATOR(pg_catalog.=) 'Patient/x' AND r.type OPERATOR(pg_catalog.=) ANY (ARRAY['Observation']::pg_catalog.text[])",
            "f.status OPERATOR(pg_catalog.=) 'current' AND f.certainty OPERATOR(pg_catalog.=) ANY (ARRAY['positive', 'probable'])",
            "r.occurred OPERATOR(pg_catalog.>=) '2015-01-01T00:00:00Z'",
        ] {
            assert!(sql.contains(part), "{part}: {sql}");
        }
        assert!(sql.ends_with("ORDER BY r.occurred DESC, r.id LIMIT 3"), "{sql}");
        let past = statement("lake", &ask.of(Some(0)), &with, true, None);
        assert!(!past.contains(".entity "), "{past}");
    }
}
