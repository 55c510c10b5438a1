//! The statements that an export reads by.
//!
//! Their values are SQL expressions: parameters where we run them, constants where a client does.

use super::request::{GROUP, Subjects};
use crate::index::extract::HOME;
use crate::index::time;
use crate::model::TypeId;
use crate::search::quote::{identifier, literal};

/// What restricts an export.
pub struct Scope<'a> {
    pub lake: &'a str,
    pub subjects: &'a Subjects,
    /// The first `last_updated` that counts, a timestamptz.
    pub since: Option<String>,
    /// A snapshot whose rows do not count, a pg_snapshot.
    pub after: Option<String>,
    /// The compartments of the named subjects, a text[].
    pub compartments: String,
}

/// The parameters of a statement that we run, in the order of the fields of [`Scope`].
pub const PARAMETERS: [&str; 3] = ["$1", "$2", "$3"];

/// A moment as a constant.
pub fn moment(at: i64) -> String {
    format!("{}::pg_catalog.timestamptz", literal(&time::instant_text(at)))
}

/// A list of compartments as a constant.
pub fn list(compartments: &[String]) -> String {
    let items: Vec<String> = compartments.iter().map(|one| literal(one)).collect();
    format!("ARRAY[{}]::pg_catalog.text[]", items.join(", "))
}

/// The columns of every statement of resources.
pub const COLUMNS: &str = "resource, id, version, last_updated, compartment";

impl Scope<'_> {
    /// The resources of a type as they are now, with the [`COLUMNS`]; each once, in no order.
    pub fn current(&self, ty: TypeId) -> String {
        let (lake, table) = (identifier(self.lake), identifier(&ty.name().to_lowercase()));
        let select = format!("SELECT r.resource, r.id, r.version, r.last_updated, r.compartment FROM {lake}.{table} r");
        let recent = self.recent();
        match self.subjects {
            Subjects::All | Subjects::AnyPatient => format!("{select} WHERE {}{recent}", self.belongs("r")),
            // those of other homes come by their further compartments
            Subjects::Named { .. } => format!(
                "{select} WHERE {}{recent} UNION ALL {select} WHERE NOT {0}{recent} AND r.type OPERATOR(pg_catalog.=) {ty} \
                 AND r.id OPERATOR(pg_catalog.=) ANY (ARRAY(SELECT m.id FROM {lake}.membership m \
                 WHERE m.compartment OPERATOR(pg_catalog.=) ANY ({compartments}) AND m.type OPERATOR(pg_catalog.=) {ty}))",
                self.belongs("r"),
                ty = literal(ty.name()),
                compartments = self.compartments,
            ),
        }
    }

    /// The superseded versions of a type, with the [`COLUMNS`].
    pub fn superseded(&self, ty: TypeId) -> String {
        format!(
            "SELECT r.resource, r.id, r.version, r.last_updated, r.compartment FROM {}.history r \
             WHERE r.type OPERATOR(pg_catalog.=) {} AND r.resource IS NOT NULL AND {}{}",
            identifier(self.lake),
            literal(ty.name()),
            self.belongs("r"),
            self.recent()
        )
    }

    /// The types of which resources were deleted.
    pub fn deleted_types(&self) -> String {
        format!("SELECT r.type FROM {}.history r WHERE {} GROUP BY 1 ORDER BY 1", identifier(self.lake), self.tombstone())
    }

    /// The ids of a type that were deleted and not written again, as `id`.
    pub fn deleted(&self, ty: TypeId) -> String {
        let (lake, table) = (identifier(self.lake), identifier(&ty.name().to_lowercase()));
        let ty = literal(ty.name());
        format!(
            "SELECT r.id FROM {lake}.history r WHERE r.type OPERATOR(pg_catalog.=) {ty} AND {} \
             AND NOT EXISTS (SELECT FROM {lake}.{table} c WHERE c.type OPERATOR(pg_catalog.=) {ty} AND c.id OPERATOR(pg_catalog.=) r.id) \
             GROUP BY 1 ORDER BY 1",
            self.tombstone()
        )
    }

    /// The Group resources of the ids in `$1`, as `id, resource`.
    pub fn groups(&self) -> String {
        format!(
            "SELECT r.id, r.resource FROM {}.{} r WHERE r.type OPERATOR(pg_catalog.=) {} AND r.id OPERATOR(pg_catalog.=) ANY ($1)",
            identifier(self.lake),
            identifier(&GROUP.to_lowercase()),
            literal(GROUP)
        )
    }

    fn tombstone(&self) -> String {
        format!("r.resource IS NULL AND {}{}", self.belongs("r"), self.recent())
    }

    fn belongs(&self, row: &str) -> String {
        match self.subjects {
            Subjects::All => "true".to_owned(),
            // the home is a patient where the resource belongs to any
            Subjects::AnyPatient => format!(
                "({row}.compartment OPERATOR(pg_catalog.>=) {} AND {row}.compartment OPERATOR(pg_catalog.<) {})",
                literal(&format!("{HOME}/")),
                literal(&format!("{HOME}0")) // the character behind the slash
            ),
            Subjects::Named { .. } => format!("({row}.compartment OPERATOR(pg_catalog.=) ANY ({}))", self.compartments),
        }
    }

    fn recent(&self) -> String {
        let mut text = String::new();
        if let Some(since) = &self.since {
            text.push_str(&format!(" AND r.last_updated OPERATOR(pg_catalog.>=) {since}"));
        }
        if let Some(after) = &self.after {
            text.push_str(&format!(" AND NOT pg_catalog.pg_visible_in_snapshot(r.xid, {after})"));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model;

    fn observation() -> TypeId {
        model::type_named("Observation").unwrap()
    }

    fn scope(subjects: &Subjects) -> Scope<'_> {
        Scope { lake: "l\"x", subjects, since: None, after: None, compartments: "$3".into() }
    }

    #[test]
    fn everything_is_read_without_conditions() {
        let sql = scope(&Subjects::All).current(observation());
        assert!(sql.ends_with("FROM \"l\"\"x\".\"observation\" r WHERE true"), "{sql}");
    }

    #[test]
    fn what_belongs_to_two_patients_is_read_once() {
        let subjects = Subjects::read(Some("Patient/1,Patient/2")).unwrap();
        let sql = scope(&subjects).current(observation());
        let (own, shared) = sql.split_once("UNION ALL").unwrap();
        assert!(own.contains("WHERE (r.compartment OPERATOR(pg_catalog.=) ANY ($3))"), "{own}");
        assert!(shared.contains("NOT (r.compartment OPERATOR(pg_catalog.=) ANY ($3))"), "{shared}");
        assert!(shared.contains("membership") && !own.contains("membership"), "{sql}");
    }

    #[test]
    fn a_time_and_a_snapshot_restrict_every_branch() {
        let subjects = Subjects::read(Some("Patient/1")).unwrap();
        let scope = Scope { since: Some("$1".into()), after: Some("$2".into()), ..scope(&subjects) };
        assert_eq!(scope.current(observation()).matches("last_updated OPERATOR(pg_catalog.>=) $1").count(), 2);
        assert_eq!(scope.current(observation()).matches("pg_visible_in_snapshot(r.xid, $2)").count(), 2);
        for sql in [scope.superseded(observation()), scope.deleted(observation()), scope.deleted_types()] {
            assert!(sql.contains("$1") && sql.contains("$2") && sql.contains("$3"), "{sql}");
        }
    }

    #[test]
    fn constants_are_quoted() {
        assert_eq!(moment(0), "'2000-01-01T00:00:00Z'::pg_catalog.timestamptz");
        assert_eq!(list(&["Patient/1".into(), "Patient/2".into()]), "ARRAY['Patient/1', 'Patient/2']::pg_catalog.text[]");
        assert_eq!(list(&[]), "ARRAY[]::pg_catalog.text[]");
    }

    #[test]
    fn any_patient_is_a_range_of_the_index() {
        let sql = scope(&Subjects::AnyPatient).current(observation());
        assert!(sql.contains(">=) 'Patient/' AND r.compartment OPERATOR(pg_catalog.<) 'Patient0'"), "{sql}");
    }
}
