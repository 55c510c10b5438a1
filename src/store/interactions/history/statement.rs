//! A request for history as one SQL statement with constants.
//!
//! No table is read behind a condition of its own: the planner takes a plain union apart and reads each table by the index
//! that has the order, only as far as the page reaches.

use super::request::{Request, Scope};
use crate::model::TypeId;
use crate::search::list::Member;
use crate::search::quote::{identifier, literal};
use crate::search::statement::timestamp;

impl Request {
    /// Rows `type, id, version, last_updated, method, resource`, the latest first, up to `limit`; `method` is NULL for what is
    /// current. `present` are the types that the lake has resources of.
    pub fn rows(&self, lake: &str, present: &[TypeId], limit: u64) -> String {
        let order = match self.scope {
            // as the primary key has it
            Scope::Instance(..) => "v.version DESC",
            _ => "v.last_updated DESC, v.type, v.id",
        };
        format!(
            "SELECT v.type, v.id, v.version, v.last_updated, v.method, v.resource FROM {} ORDER BY {order} LIMIT {limit}",
            self.versions(lake, present)
        )
    }

    /// The number of versions.
    pub fn number(&self, lake: &str, present: &[TypeId]) -> String {
        format!("SELECT pg_catalog.count(*) FROM {}", self.versions(lake, present))
    }

    fn versions(&self, lake: &str, present: &[TypeId]) -> String {
        let current: Vec<TypeId> = match &self.scope {
            Scope::Instance(ty, _) | Scope::Type(ty) => vec![*ty],
            Scope::System => present.to_vec(),
        };
        let lake = identifier(lake);
        let mut tables: Vec<String> = current
            .iter()
            .map(|ty| {
                format!(
                    "SELECT r.type, r.id, r.version, r.last_updated, 'infinity'::pg_catalog.timestamptz AS superseded, \
                     NULL::pg_catalog.text AS method, r.resource FROM {lake}.{} AS r",
                    identifier(&ty.name().to_lowercase())
                )
            })
            .collect();
        tables.push(format!("SELECT h.type, h.id, h.version, h.last_updated, h.superseded, h.method, h.resource FROM {lake}.history AS h"));
        let conditions = self.conditions();
        let filter = if conditions.is_empty() { String::new() } else { format!(" WHERE {}", conditions.join(" AND ")) };
        format!("({}) AS v{filter}", tables.join(" UNION ALL "))
    }

    fn conditions(&self) -> Vec<String> {
        let mut all = Vec::new();
        match &self.scope {
            Scope::Instance(ty, id) => {
                all.push(equal("v.type", ty.name()));
                all.push(equal("v.id", id));
            }
            Scope::Type(ty) => all.push(equal("v.type", ty.name())),
            Scope::System => {}
        }
        all.extend(self.members.as_deref().map(among));
        all.extend(self.since.map(|since| compare("v.last_updated", ">=", &timestamp(since))));
        if let Some(at) = self.at {
            let (low, high) = (timestamp(at.low), timestamp(at.high));
            all.push(compare("v.last_updated", "<", &high));
            // A deletion is an event: nothing is current after it.
            all.push(format!(
                "({} OR {} AND v.resource IS NOT NULL)",
                compare("v.last_updated", ">=", &low),
                compare("v.superseded", ">", &low)
            ));
        }
        if let Some(cursor) = &self.cursor {
            let at = timestamp(cursor.last_updated);
            all.push(compare("v.last_updated", "<=", &at));
            let (ty, id) = (literal(&cursor.ty), literal(&cursor.id));
            all.push(format!(
                "({} OR {} OR {} AND {})",
                compare("v.last_updated", "<", &at),
                compare("v.type", ">", &ty),
                compare("v.type", "=", &ty),
                compare("v.id", ">", &id),
            ));
        }
        all
    }
}

/// Only the versions, and all versions of the resources, that are in a List.
fn among(members: &[Member]) -> String {
    let mut types: Vec<TypeId> = members.iter().map(|member| member.ty).collect();
    types.sort();
    types.dedup();
    let list = |texts: Vec<String>| format!("(ARRAY[{}]::pg_catalog.text[])", texts.iter().map(|text| literal(text)).collect::<Vec<_>>().join(", "));
    let of_type = |ty: &TypeId| {
        let of = || members.iter().filter(|member| member.ty == *ty);
        let ids = |all: bool| of().filter(|member| all || member.version.is_none()).map(|member| member.id.clone()).collect();
        let versions: Vec<String> = of().filter_map(|member| Some(format!("{}/{}", member.id, member.version.as_ref()?))).collect();
        let mut condition = format!("{} AND {}", equal("v.type", ty.name()), compare("v.id", "=", &format!("ANY {}", list(ids(true)))));
        if !versions.is_empty() {
            let version = "pg_catalog.concat(v.id, '/', v.version)";
            let one = compare(version, "=", &format!("ANY {}", list(versions)));
            condition.push_str(&format!(" AND ({} OR {one})", compare("v.id", "=", &format!("ANY {}", list(ids(false))))));
        }
        condition
    };
    if types.is_empty() { "false".to_owned() } else { format!("({})", types.iter().map(of_type).collect::<Vec<_>>().join(" OR ")) }
}

fn compare(column: &str, operator: &str, constant: &str) -> String {
    format!("{column} OPERATOR(pg_catalog.{operator}) {constant}")
}

fn equal(column: &str, text: &str) -> String {
    compare(column, "=", &literal(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model;

    fn written(text: &str) -> String {
        let present = [model::type_named("Patient").unwrap()];
        Request::parse(text).unwrap().rows("o'lake", &present, 3)
    }

    #[test]
    fn a_page_is_bounded_and_ordered() {
        let sql = written("Patient/a/_history");
        assert!(sql.contains("\"o'lake\".\"patient\" AS r") && sql.contains("\"o'lake\".history AS h"), "{sql}");
        assert!(sql.ends_with("WHERE v.type OPERATOR(pg_catalog.=) 'Patient' AND v.id OPERATOR(pg_catalog.=) 'a' ORDER BY v.version DESC LIMIT 3"), "{sql}");
        assert!(written("_history").ends_with("AS v ORDER BY v.last_updated DESC, v.type, v.id LIMIT 3"));
    }

    #[test]
    fn a_list_names_resources_and_versions() {
        let member = |id: &str, version: Option<&str>| Member { ty: model::type_named("Patient").unwrap(), id: id.to_owned(), version: version.map(str::to_owned) };
        let listed = |members: Vec<Member>| Request { members: Some(members), ..Request::parse("_history?_list=l").unwrap() }.rows("lake", &[], 3);
        let all = listed(vec![member("a", None), member("b", None)]);
        assert!(all.contains("WHERE (v.type OPERATOR(pg_catalog.=) 'Patient' AND v.id OPERATOR(pg_catalog.=) ANY (ARRAY['a', 'b']::pg_catalog.text[])) ORDER"), "{all}");
        let one = listed(vec![member("a", None), member("b", Some("2"))]);
        assert!(one.contains("AND (v.id OPERATOR(pg_catalog.=) ANY (ARRAY['a']::pg_catalog.text[]) OR pg_catalog.concat(v.id, '/', v.version) OPERATOR(pg_catalog.=) ANY (ARRAY['b/2']::pg_catalog.text[]))"), "{one}");
        assert!(listed(Vec::new()).contains("WHERE false ORDER"));
    }

    #[test]
    fn a_page_begins_behind_its_cursor() {
        let sql = written("_history?_cursor=0~Patient~a");
        let expected = "WHERE v.last_updated OPERATOR(pg_catalog.<=) '2000-01-01T00:00:00Z'::pg_catalog.timestamptz AND \
            (v.last_updated OPERATOR(pg_catalog.<) '2000-01-01T00:00:00Z'::pg_catalog.timestamptz OR v.type OPERATOR(pg_catalog.>) 'Patient' \
            OR v.type OPERATOR(pg_catalog.=) 'Patient' AND v.id OPERATOR(pg_catalog.>) 'a') ORDER BY";
        assert!(sql.contains(expected), "{sql}");
    }

    #[test]
    fn what_was_current_in_a_time_began_before_its_end_and_ended_after_its_beginning() {
        let sql = written("_history?_at=2000-01-02");
        assert!(sql.contains("v.last_updated OPERATOR(pg_catalog.<) '2000-01-03T00:00:00Z'::pg_catalog.timestamptz AND (v.last_updated"), "{sql}");
        assert!(sql.contains("v.superseded OPERATOR(pg_catalog.>) '2000-01-02T00:00:00Z'::pg_catalog.timestamptz AND v.resource IS NOT NULL)"), "{sql}");
    }
}
