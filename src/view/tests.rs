//! ViewDefinitions without a server: what is read, written and made.

use super::rows::{Cell, Rows};
use super::statement::{json_statement, statement};
use super::{Definition, ViewError};
use crate::json;
use crate::path::eval::{Item, Limits, NoServices, Scope, Services, Static};
use std::ops::ControlFlow;

fn stored(text: &str) -> Vec<u8> {
    json::parse(text.as_bytes(), &json::Limits::default()).unwrap()
}

fn read(text: &str) -> Result<Definition, ViewError> {
    Definition::read(json::root(&stored(text)).unwrap())
}

fn sql(text: &str) -> String {
    statement(&read(text).unwrap(), "lake").unwrap().sql
}

/// The rows of a view of one resource, a line each.
fn rows_of(view: &str, resource: &str, services: &'static dyn Services) -> Result<Vec<String>, String> {
    let definition = read(view).map_err(|error| error.to_string())?;
    let rows = Rows::compile(&definition.selects, Static::Fhir(definition.resource)).map_err(|error| error.to_string())?;
    let resource = stored(resource);
    let node = json::root(&resource).unwrap();
    let scope = Scope { resource: node, root: node, constants: &[], services, limits: Limits::default() };
    let mut lines = Vec::new();
    let text = |item: &Item| item.to_text().unwrap_or_default().into_owned();
    let made = rows.each(Item::any(node), &scope, &mut |cells| {
        let cells = cells.iter().map(|cell| match cell {
            Cell::One(item) => item.as_ref().map_or("-".to_owned(), text),
            Cell::Many(items) => format!("[{}]", items.iter().map(text).collect::<Vec<_>>().join(",")),
        });
        lines.push(cells.collect::<Vec<_>>().join(" "));
        if lines.len() < 10_000 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    made.map(|()| lines).map_err(|error| format!("{}: {}", error.at, error.error))
}

const PATIENT: &str = r#"{"resourceType": "Patient", "id": "p", "name": [{"family": "A", "given": ["x", "y"]}, {"family": "B"}],
    "telecom": [{"value": "1"}, {"value": "2"}]}"#;

#[test]
fn constants_become_literals() {
    let path = |constant: &str, path: &str| {
        let view = format!(r#"{{"resource": "Patient", "constant": [{{"name": "c", {constant}}}], "select": [{{"column": [{{"name": "a", "path": {path:?}}}]}}]}}"#);
        sql(&view).split_once("SELECT ").unwrap().1.split_once(" AS ").unwrap().0.to_owned()
    };
    assert_eq!(path(r#""valueCode": "o'x""#, "gender = %c"), r"fhir.path_boolean(r.resource,  E'gender = ''o\\''x''')");
    assert_eq!(path(r#""valueInteger": -3"#, "multipleBirth.ofType(integer)-%c"), "fhir.path_text(r.resource, 'multipleBirth.ofType(integer)-(-3)')");
    assert_eq!(path(r#""valueDateTime": "2016-11-12""#, "%`c` = %'c'"), "fhir.path_boolean(r.resource, '@2016-11-12T = @2016-11-12T')");
    assert_eq!(path(r#""valueTime": "18:12:00""#, "%c/* c */and true"), "fhir.path_boolean(r.resource, '@T18:12:00 and true')");
    assert_eq!(path(r#""valueDecimal": 1.20"#, "1 < %c"), "fhir.path_boolean(r.resource, '1 < 1.20')");
    assert_eq!(path(r#""valueString": "%c""#, "'%c' & %c"), "fhir.path_text(r.resource, '''%c'' & ''%c''')");
}

#[test]
fn what_may_be_several_is_asked_for_one() {
    let column = |path: &str| sql(&format!(r#"{{"resource": "Patient", "select": [{{"column": [{{"name": "a", "path": {path:?}, "type": "string"}}]}}]}}"#));
    for single in ["gender", "maritalStatus.text", "name.first().family", "name[0].period.start", "contact.count()", "deceased.ofType(boolean)", "name.family.join(',')",
        "managingOrganization.getReferenceKey()", "name.exists()", "birthDate.toString()", "iif(active, 'a', 'b').upper()", "(name.where(use = 'official') | name).first().family"] {
        assert!(column(single).contains(&format!("(r.resource, {})", crate::search::quote::literal(single))), "{}", column(single));
    }
    for several in ["name.family", "name.where(use = 'official').family", "gender | id", "name.first().given", "maritalStatus.coding.code", "link.other.getReferenceKey()",
        "extension('x').value", "name.given.upper().toChars()"] {
        assert!(column(several).contains(".single()"), "{}", column(several));
    }
}

#[test]
fn selects_side_by_side_multiply() {
    let view = r#"{"resource": "Patient", "select": [
        {"column": [{"name": "id", "path": "id"}]},
        {"forEach": "name", "column": [{"name": "family", "path": "family"}], "select": [{"forEachOrNull": "given", "column": [{"name": "given", "path": "$this"}, {"name": "n", "path": "%rowIndex"}]}]},
        {"forEach": "telecom", "column": [{"name": "phone", "path": "value"}]}]}"#;
    assert_eq!(rows_of(view, PATIENT, &NoServices).unwrap(), ["p A x 0 1", "p A x 0 2", "p A y 1 1", "p A y 1 2", "p B - 0 1", "p B - 0 2"]);
    assert_eq!(rows_of(view, r#"{"resourceType": "Patient", "id": "q", "name": [{"family": "A"}]}"#, &NoServices).unwrap(), [""; 0]);
}

#[test]
fn parts_of_a_union_fill_the_same_columns() {
    let view = r#"{"resource": "Patient", "select": [{"column": [{"name": "id", "path": "id"}], "unionAll": [
        {"forEach": "name", "column": [{"name": "kind", "path": "'name'"}, {"name": "all", "path": "family | given", "collection": true}]},
        {"forEachOrNull": "photo", "column": [{"name": "kind", "path": "'photo'"}, {"name": "all", "path": "title", "collection": true}]}]},
        {"column": [{"name": "last", "path": "telecom.first().value"}]}]}"#;
    assert_eq!(rows_of(view, PATIENT, &NoServices).unwrap(), ["p name [A,x,y] 1", "p name [B] 1", "p - - 1"]);
}

#[test]
fn what_does_not_end_is_an_error() {
    let endless = r#"{"resource": "Patient", "select": [{"repeat": ["$this.where(true)"], "select": [{"repeat": ["$this"], "column": [{"name": "a", "path": "'x'"}]}]}]}"#;
    assert!(rows_of(endless, PATIENT, &NoServices).unwrap_err().contains("nested too deep"), "the stack is watched");

    struct Gone;
    impl Services for Gone {
        fn go_on(&self) -> bool {
            false
        }
    }
    let item = r#"{"forEach": "telecom | name | telecom", "column": []}"#;
    let mut selects: Vec<String> = (0..12).map(|n| item.replace("\"column\": []", &format!(r#""column": [{{"name": "c{n}", "path": "'x'"}}]"#))).collect();
    selects.push(r#"{"column": [{"name": "id", "path": "id"}]}"#.to_owned());
    let product = format!(r#"{{"resource": "Patient", "select": [{}]}}"#, selects.join(","));
    assert_eq!(rows_of(&product, PATIENT, &NoServices).unwrap().len(), 10_000, "rows are made one by one");
    assert!(rows_of(&product, PATIENT, &Gone).unwrap_err().contains("interrupted"));
    let deep = format!(r#"{{"resource": "Patient", "select": [{}{{"column": [{{"name": "id", "path": "id"}}]}}{}]}}"#, r#"{"select": ["#.repeat(60), "]}".repeat(60));
    assert!(read(&deep).unwrap_err().problem.contains("nested deeper"));
}

#[test]
fn the_size_of_a_definition_is_bounded() {
    let problem = |view: String| read(&view).unwrap_err().to_string();
    let many = |one: &str, count: usize| (0..count).map(|n| one.replace('#', &n.to_string())).collect::<Vec<_>>().join(",");
    let id = r#""select": [{"column": [{"name": "id", "path": "id"}]}]"#;
    let constants = many(r#"{"name": "c#", "valueString": "x"}"#, 2_000);
    assert!(problem(format!(r#"{{"resource": "Patient", "constant": [{constants}], {id}}}"#)).contains("at most 1000 constants"));
    let conditions = many(r#"{"path": "active"}"#, 2_000);
    assert!(problem(format!(r#"{{"resource": "Patient", "where": [{conditions}], {id}}}"#)).contains("at most 1000 conditions"));
    let columns = many(r##"{"name": "c#", "path": "id"}"##, 2_000);
    assert!(problem(format!(r#"{{"resource": "Patient", "select": [{{"column": [{columns}]}}]}}"#)).contains("at most 1600 columns"));
    let long = "'x' & ".repeat(1_000) + "'x'";
    let columns = many(&format!(r##"{{"name": "c#", "path": "{long}"}}"##), 1_000);
    assert!(problem(format!(r#"{{"resource": "Patient", "select": [{{"column": [{columns}]}}]}}"#)).contains("bytes together"));
    // what constants make counts
    let constant = format!(r#"{{"name": "c", "valueString": "{}"}}"#, "x".repeat(50_000));
    let path = "%c & ".repeat(1_000) + "%c";
    assert!(problem(format!(r#"{{"resource": "Patient", "constant": [{constant}], "select": [{{"column": [{{"name": "a", "path": "{path}"}}]}}]}}"#)).contains("bytes together"));
}

#[test]
fn a_lake_and_a_name_cannot_leave_their_quotes() {
    let definition = read(r#"{"resource": "Patient", "select": [{"column": [{"name": "select", "path": "'a''' & id"}]}]}"#);
    assert!(definition.is_ok());
    let definition = read(r#"{"resource": "Patient", "select": [{"forEach": "name", "column": [{"name": "order", "path": "'\\'' & family"}]}]}"#).unwrap();
    let sql = statement(&definition, "la\"ke").unwrap().sql;
    assert!(sql.contains("FROM \"la\"\"ke\".\"patient\" r"), "{sql}");
    assert!(sql.contains(r"E'{") && sql.contains(r#"f("order" text)"#), "{sql}");
    assert!(json_statement(&definition, "lake").unwrap().contains("row_to_json(f.*)"));
}
