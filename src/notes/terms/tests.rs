use super::*;
use std::collections::HashMap;

const DEFAULTS: Defaults<'static> = Defaults { system: "urn:x", category: Category::MedicalCondition, kind: Kind::Sign };

fn shown(row: &Row<'_>) -> String {
    match &row.what {
        What::Term { text, kind, case_sensitive, .. } => format!("{} {} {:?} {text} {kind:?} {case_sensitive}", row.code, row.display, row.kind),
        What::Mapping { system, code } => format!("{} -> {system}|{code}", row.code),
    }
}

#[test]
fn ingredients_and_brands_of_rxnorm() {
    let line = |code: &str, kind: &str, name: &str, suppressed: &str| format!("{code}|ENG||||||1|1|{code}||RXNORM|{kind}|{code}|{name}||{suppressed}|4096|\n");
    let text = [
        line("5640", "SY", "brufen", "N"),
        line("5640", "IN", "ibuprofen", "N"),
        line("153010", "BN", "Advil", "N"),
        line("1", "BN", "Old", "O"),
        line("310965", "SCD", "ibuprofen 200 MG Oral Tablet", "N"),
    ]
    .concat();
    let mut found = Vec::new();
    rrf::read(text.as_bytes(), |row| found.push(shown(&row))).unwrap();
    assert_eq!(
        found,
        [
            "5640 ibuprofen GenericName ibuprofen Preferred false",
            "153010 Advil BrandName Advil Brand false",
            "5640 ibuprofen GenericName brufen Synonym false",
        ]
    );
    assert!(rrf::read(&b"a|b\n"[..], |_| {}).is_err());
}

#[test]
fn descriptions_of_snomed_without_their_tags() {
    let line = |active: &str, code: &str, kind: &str, term: &str| format!("1\t20240101\t{active}\t9\t{code}\ten\t{kind}\t{term}\t900000000000448009\n");
    let text = [
        "id\teffectiveTime\tactive\tmoduleId\tconceptId\tlanguageCode\ttypeId\tterm\tcaseSignificanceId\n".to_owned(),
        line("1", "11", "900000000000013009", "Bronze illness"),
        line("1", "11", "900000000000003001", "Bronze disease (disorder)"),
        line("1", "12", "900000000000003001", "Bronze owner (occupation)"),
        line("0", "11", "900000000000013009", "Gone"),
    ]
    .concat();
    let mut found = Vec::new();
    rf2::read(|| Ok(text.as_bytes()), |row| found.push(shown(&row))).unwrap();
    assert_eq!(found, ["11 Bronze disease Diagnosis Bronze illness Synonym false", "11 Bronze disease Diagnosis Bronze disease Preferred false"]);
}

#[test]
fn terms_of_an_ontology() {
    let text = "format-version: 1.2\n\n[Term]\nid: X:1\nname: Kidney cyst ! a comment\nsynonym: \"Cyst \\\"of\\\" kidney\" EXACT []\nsynonym: \"RCY\" RELATED []\n\
                xref: ICD10CM:N28.1\nxref: UMLS:C0\n\n[Term]\nid: X:2\nname: gone\nis_obsolete: true\n\n[Typedef]\nid: part_of\nname: part of\n";
    let mut found = Vec::new();
    obo::read(text.as_bytes(), DEFAULTS, |row| found.push(shown(&row))).unwrap();
    assert_eq!(
        found,
        [
            "X:1 Kidney cyst Sign Kidney cyst Preferred false",
            "X:1 Kidney cyst Sign Cyst \"of\" kidney Synonym false",
            "X:1 Kidney cyst Sign RCY Related true",
            "X:1 -> http://hl7.org/fhir/sid/icd-10-cm|N28.1",
        ]
    );
}

#[test]
fn rows_of_columns() {
    let row = |values: &[(&'static str, &'static str)]| {
        let values: HashMap<&str, &str> = values.iter().copied().collect();
        let mut found = Vec::new();
        columns::row(&values, DEFAULTS, &mut |row| found.push(format!("{} {}", row.system, shown(&row)))).map(|()| found)
    };
    assert_eq!(row(&[("code", "1"), ("display", "Cold")]).unwrap(), ["urn:x 1 Cold Sign Cold Preferred false"]);
    assert_eq!(
        row(&[("system", "s"), ("code", "1"), ("display", "Cold"), ("term", "URI"), ("type", "dx_name"), ("target_system", "t"), ("target_code", "2")]).unwrap(),
        ["s 1 Cold Diagnosis URI Synonym true", "s 1 -> t|2"]
    );
    assert!(row(&[("code", "1")]).is_err());
    assert!(row(&[("term", "x"), ("category", "nonsense")]).is_err());
}
