//! Small files in each form, and what is wrong with others.

use super::*;

fn csv(text: &str) -> Result<Drafts, String> {
    let mut drafts = Drafts::default();
    delimited::read(text.as_bytes(), ',', &mut drafts).map_err(|error| error.to_string())?;
    Ok(drafts)
}

fn rows(drafts: Drafts) -> Result<Vec<Row>, String> {
    let head = json::parse(br#"{"resourceType":"CodeSystem","url":"urn:x","content":"complete"}"#, &json::Limits::default()).unwrap();
    drafts.rows(&head).map_err(|error| error.to_string())
}

#[test]
fn a_table_has_a_header() {
    let drafts = csv("\u{FEFF}Code,display,parent,inactive,class\r\na,\"A, \"\"the\"\"\nfirst\",,,\r\nb,B,a,true,x\r\n\r\nc,,a|b,no,\r\n").unwrap();
    let [a, b, c] = drafts.list() else { panic!() };
    assert_eq!((a.line, a.code.as_str(), a.display.as_deref()), (2, "a", Some("A, \"the\"\nfirst")));
    assert_eq!((b.line, b.parents.as_slice()), (4, ["a".to_owned()].as_slice()));
    assert_eq!(b.properties, [("inactive".to_owned(), Value::Flag(true)), ("class".to_owned(), Value::Text("x".to_owned()))]);
    assert_eq!((c.line, c.parents.len(), c.properties.len(), &c.display), (6, 2, 0, &None));
    let rows = rows(drafts).unwrap();
    assert_eq!(rows.iter().map(|row| (row.place, row.code.as_str(), row.is_inactive)).collect::<Vec<_>>(), [(0, "a", false), (1, "b", true), (2, "c", false)]);
    assert_eq!((&rows[0].below, &rows[2].parents), (&vec![0, 2], &vec![0, 1]));
}

#[test]
fn errors_name_the_line() {
    let message = |text: &str| match csv(text).and_then(rows) {
        Ok(_) => "no error".to_owned(),
        Err(message) => message,
    };
    assert_eq!(message(""), "the file is empty");
    assert_eq!(message("kode\na"), "line 1: no column is named code");
    assert_eq!(message("code\na\nb\na"), "line 4: code a stands in line 2 already");
    assert_eq!(message("code,display\na,b,c"), "line 2: it has 3 values for 2 columns");
    assert_eq!(message("code,display\n,b"), "line 2: it has no code");
    assert_eq!(message("code,parent\na,\nb,x"), "line 3: the parent \"x\" of b is not among the codes");
    assert_eq!(message("code,inactive\na,maybe"), "line 2: \"maybe\" is neither true nor false");
    assert_eq!(message("code\n\"a"), "line 2: a quote is not closed");
    let mut drafts = Drafts::default();
    let error = delimited::read(b"code\n\xFF".as_slice(), ',', &mut drafts).unwrap_err().within("x.csv");
    assert_eq!(error.to_string(), "x.csv, line 2: it is not UTF-8");
}

#[test]
fn order_files_of_icd_10_cm() {
    let text = "\
00001 A00     0 Cholera                                                      Cholera
00002 A000    1 Cholera due to Vibrio cholerae 01, biovar cholerae           Cholera due to Vibrio cholerae 01, biovar cholerae
00003 T36     0 Poisoning by systemic antibiotics                            Poisoning by, adverse effect of and underdosing of systemic antibiotics
00004 T360X1A 1 Poisoning by penicillins, accidental, init                   Poisoning by penicillins, accidental (unintentional), initial encounter
";
    let mut drafts = Drafts::default();
    order::read(text.as_bytes(), &mut drafts).unwrap();
    let codes: Vec<(&str, &[String])> = drafts.list().iter().map(|draft| (draft.code.as_str(), draft.parents.as_slice())).collect();
    let (a00, t36) = (["A00".to_owned()], ["T36".to_owned()]);
    assert_eq!(codes, [("A00", [].as_slice()), ("A00.0", a00.as_slice()), ("T36", [].as_slice()), ("T36.0X1A", t36.as_slice())]);
    let last = drafts.get("T36.0X1A").unwrap();
    assert_eq!(last.display.as_deref(), Some("Poisoning by penicillins, accidental (unintentional), initial encounter"));
    assert_eq!((last.synonyms.as_slice(), &last.properties[0].1), (["Poisoning by penicillins, accidental, init".to_owned()].as_slice(), &Value::Flag(true)));
    let wrong = |text: &str| order::read(text.as_bytes(), &mut Drafts::default()).unwrap_err().to_string();
    assert_eq!(wrong("A00 Cholera"), "line 1: it does not begin with a number of five digits");
    assert_eq!(wrong("00001 A00     x Cholera"), "line 1: it has neither 0 nor 1 in column 15");
    assert_eq!(wrong("00001 A     0 Cholera"), "line 1: it has no code in the columns 7 to 13");
}

#[test]
fn rxnorm_files() {
    let concepts = "\
1191|ENG||||||1|||1191|RXNORM|IN|1191|Aspirin||N|4096|
1191|ENG||||||2|||1191|RXNORM|SY|1191|ASA||N|4096|
1191|ENG||||||3|||x|MTHSPL|SU|x|ASPIRIN||N||
7|ENG||||||4|||7|RXNORM|PSN|7|aspirin 81 MG tablet||N||
7|ENG||||||5|||7|RXNORM|SCD|7|Aspirin 81 MG Oral Tablet||N||
9|ENG||||||6|||9|RXNORM|BN|9|Old Aspirin||O||
";
    let relations = "\
1191||CUI|RO|7||CUI|has_ingredient|1||RXNORM||||||
1191||CUI|RB|9||CUI|isa|2||RXNORM||||||
9||CUI|RN|1191||CUI|inverse_isa|3||RXNORM||||||
404||CUI|RB|9||CUI|isa|4||RXNORM||||||
";
    let mut drafts = Drafts::default();
    rrf::read_concepts(concepts.as_bytes(), &mut drafts).unwrap();
    rrf::read_relations(relations.as_bytes(), &mut drafts).unwrap();
    assert_eq!(drafts.list().len(), 3);
    let (aspirin, tablet, old) = (drafts.get("1191").unwrap(), drafts.get("7").unwrap(), drafts.get("9").unwrap());
    assert_eq!((aspirin.display.as_deref(), aspirin.synonyms.as_slice()), (Some("Aspirin"), ["ASA".to_owned()].as_slice()));
    assert_eq!((tablet.display.as_deref(), &tablet.properties[0].1), (Some("Aspirin 81 MG Oral Tablet"), &Value::Text("SCD".to_owned())));
    assert_eq!((old.parents.as_slice(), old.properties.len()), (["1191".to_owned()].as_slice(), 2));
    assert!(rrf::read_concepts("1|2".as_bytes(), &mut Drafts::default()).is_err());
}

#[test]
fn rows_of_a_query() {
    let mut drafts = Drafts::default();
    for (number, text) in [r#"{"code":"a","display":"A","parent":null,"level":1}"#, r#"{"code":"b|c","parent":["a"],"billable":true,"inactive":false}"#].into_iter().enumerate() {
        let container = json::parse(text.as_bytes(), &json::Limits::default()).unwrap();
        object::read(json::root(&container).unwrap(), number as u64 + 1, &mut drafts).unwrap();
    }
    assert_eq!(drafts.get("a").unwrap().properties, [("level".to_owned(), Value::Text("1".to_owned()))]);
    assert_eq!(drafts.get("b|c").unwrap().properties, [("billable".to_owned(), Value::Flag(true))]);
    assert_eq!(rows(drafts).unwrap()[1].parents, [0]);
}
