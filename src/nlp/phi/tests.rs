use super::*;
use crate::nlp::testing::{read, soups, written};
use crate::nlp::time;

fn phi(text: &str) -> Vec<String> {
    let found = read(text, Some(written()), |note, entities| {
        time::find(note, entities);
        find(note, entities);
    });
    found
        .iter()
        .filter(|e| e.category == Category::ProtectedHealthInformation)
        .map(|e| format!("{} {}{}", e.kind.name(), &text[e.begin..e.end], e.value.as_deref().map(|v| format!("={v}")).unwrap_or_default()))
        .collect()
}

fn check(cases: &[(&str, &[&str])]) {
    let mut wrong = String::new();
    for (text, expected) in cases {
        let found = phi(text);
        if found != *expected {
            wrong.push_str(&format!("{text:?}\n  found    {found:?}\n  expected {expected:?}\n"));
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn names() {
    check(&[
        ("seen by Dr. Smith today", &["NAME Smith"]),
        ("Dr. Rash saw Mrs. Payne", &["NAME Rash", "NAME Payne"]),
        ("Mr. John Q. Public was", &["NAME John Q. Public"]),
        ("Mrs. Payne K 5.2", &["NAME Payne"]),
        ("Patient: John Smith", &["NAME John Smith"]),
        ("Patient: Stable", &[]),
        ("Name: SMITH, JOHN A", &["NAME SMITH, JOHN A"]),
        ("Patient Name: Zyxw Qrst", &["NAME Zyxw Qrst"]),
        ("Electronically signed by Jane Doe, MD", &["NAME Jane Doe"]),
        ("Attending: J. Smith, MD", &["NAME J. Smith"]),
        ("pt's wife Mary called", &["NAME Mary"]),
        ("his daughter Anne Jones", &["NAME Anne Jones"]),
        ("John Smith is well", &["NAME John Smith"]),
        ("Maria Garcia-Lopez", &["NAME Maria Garcia-Lopez"]),
        ("MR. SMITH PRESENTS WITH", &["NAME SMITH"]),
        ("Dr. O'Brien and Dr. van der Berg", &["NAME O'Brien", "NAME van der Berg"]),
        ("dr. smith", &["NAME smith"]),
        ("Crohn's disease, Parkinson's disease", &[]),
        ("Foley catheter placed", &[]),
        ("MS changes, MR severe, DR noted", &[]),
        ("Grace period, Will follow, Mark the site", &[]),
        ("call the doctor if", &[]),
        ("mother had cough", &[]),
        ("James Smith Hospital", &[]),
    ]);
    let left = read("Mrs. Payne has a rash", None, find);
    assert_eq!(left.iter().map(|e| e.kind).collect::<Vec<_>>(), [Kind::Name, Kind::Symptom]);
}

#[test]
fn ages() {
    check(&[
        ("66 yo F", &["AGE 66 yo=P66Y"]),
        ("66yoF with", &["AGE 66yoF=P66Y"]),
        ("a 72-year-old man", &["AGE 72-year-old=P72Y"]),
        ("6 month old", &["AGE 6 month old=P6M"]),
        ("sixty-six year old", &["AGE sixty-six year old=P66Y"]),
        ("66 y/o, 66 y.o.", &["AGE 66 y/o=P66Y", "AGE 66 y.o.=P66Y"]),
        ("Age: 45", &["AGE 45=P45Y"]),
        ("age 45 and aged 93", &["AGE 45=P45Y", "AGE 93=P93Y"]),
        ("12 years of age", &["AGE 12 years of age=P12Y"]),
        ("66F with cough", &["AGE 66=P66Y"]),
        ("Pt 8 mo M w/ fever", &["AGE 8 mo=P8M"]),
        ("6 mo male", &["AGE 6 mo=P6M"]),
        ("woman in her 60s", &["AGE 60s=P60Y"]),
        ("BP in the 90s", &[]),
        ("T 98.6 F", &[]),
        ("weighs 66 kg", &[]),
        ("for 3 weeks", &[]),
        ("Foley 16 F", &[]),
    ]);
}

#[test]
fn numbers() {
    check(&[
        ("(617) 555-1212", &["PHONE_OR_FAX (617) 555-1212"]),
        ("call 617-555-1212 x123", &["PHONE_OR_FAX 617-555-1212 x123"]),
        ("617.555.1212", &["PHONE_OR_FAX 617.555.1212"]),
        ("1-800-555-1212", &["PHONE_OR_FAX 1-800-555-1212"]),
        ("+44 20 7946 0958", &["PHONE_OR_FAX +44 20 7946 0958"]),
        ("Pager: 12345", &["PHONE_OR_FAX 12345"]),
        ("phone 555-1212", &["PHONE_OR_FAX 555-1212"]),
        ("SSN 123-45-6789", &["ID 123-45-6789"]),
        ("123-45-6789", &["ID 123-45-6789"]),
        ("MRN: 00123", &["ID 00123"]),
        ("MRN #A12-3456", &["ID A12-3456"]),
        ("Medical Record Number: 1234567", &["ID 1234567"]),
        ("Account #: 998877", &["ID 998877"]),
        ("MR# 1234567", &["ID 1234567"]),
        ("MR 2+", &[]),
        ("case 3 of 5", &[]),
        ("john.smith@example.org.", &["EMAIL john.smith@example.org"]),
        ("see https://example.org/a?b=1, ok", &["URL https://example.org/a?b=1"]),
        ("www.example.com", &["URL www.example.com"]),
        ("from 192.168.1.10", &["URL 192.168.1.10"]),
        ("BP 120/80, WBC 5.2, 1.2.3", &[]),
        ("platelets 150-400", &[]),
    ]);
}

#[test]
fn dates_and_placeholders() {
    check(&[
        ("on 02/03/2010", &["PHI_DATE 02/03/2010=2010-02-03"]),
        ("DOB: 2/3/40", &["PHI_DATE 2/3/40=1940-02-03"]),
        ("Feb 2, 2010", &["PHI_DATE Feb 2, 2010=2010-02-02"]),
        ("2010-02-03", &["PHI_DATE 2010-02-03=2010-02-03"]),
        ("03AUG2009", &["PHI_DATE 03AUG2009=2009-08-03"]),
        ("in 2010, 3 weeks ago, March 2009, 10 days ago", &[]),
        ("[**2012-3-4**]", &["PHI_DATE [**2012-3-4**]=2012-03-04"]),
        ("[**Known lastname 123**] of [**Hospital1 18**]", &["NAME [**Known lastname 123**]", "ADDRESS [**Hospital1 18**]"]),
        ("**NAME[ZZZ] is **AGE[in 60s]", &["NAME **NAME[ZZZ]", "AGE **AGE[in 60s]"]),
        ("[NAME] and [Phone Number]", &["NAME [NAME]", "PHONE_OR_FAX [Phone Number]"]),
        ("**ID-NUM", &["ID **ID-NUM"]),
    ]);
}

#[test]
fn places_and_professions() {
    check(&[
        ("123 Main Street, Boston, MA 02115", &["ADDRESS 123 Main Street, Boston, MA 02115"]),
        ("45 N. Elm Ave Apt 4B", &["ADDRESS 45 N. Elm Ave Apt 4B"]),
        ("Boston, MA 02115", &["ADDRESS Boston, MA 02115"]),
        ("lives in Boston", &["ADDRESS Boston"]),
        ("resident of Seattle, Washington", &["ADDRESS Seattle, Washington"]),
        ("lives in a house", &[]),
        ("transferred from St. Mary's Hospital", &["ADDRESS St. Mary's Hospital"]),
        ("at Massachusetts General Hospital", &["ADDRESS Massachusetts General Hospital"]),
        ("at Outside Hospital", &[]),
        ("Hospital Course", &[]),
        ("P.O. Box 123", &["ADDRESS P.O. Box 123"]),
        ("works as a teacher", &["PROFESSION teacher"]),
        ("a retired nurse", &["PROFESSION nurse"]),
        ("a 48-year-old truck driver", &["AGE 48-year-old=P48Y", "PROFESSION truck driver"]),
        ("Occupation: carpenter", &["PROFESSION carpenter"]),
        ("He is a farmer", &["PROFESSION farmer"]),
        ("She works as a glass blower", &["PROFESSION glass blower"]),
        ("called the nurse", &[]),
        ("retired", &[]),
        ("2 Drops in each eye", &[]),
    ]);
}

#[test]
fn any_text_is_read() {
    let words: Vec<&str> = "Dr. Mr Mrs MS John Smith SMITH wife daughter Patient: Name: signed by MD 617-555-1212 (617) +44 ext MRN # SSN @ a.b@c.org http:// www. com \
        Street Ave Apt Boston, MA 02115 lives in Hospital St. Box P.O. works as a teacher retired 66 yo y/o year-old sixty F M [** **] **NAME[ZZZ] [NAME] < > [ ] de van J. age his 60s"
        .split(' ')
        .collect();
    soups(&words, |text| {
        read(text, Some(written()), |note, entities| {
            time::find(note, entities);
            find(note, entities);
        });
    });
}
