use super::*;
use crate::nlp::entity::AttributeKind;
use crate::nlp::testing::{read, soups, written};

/// The times of a text as `kind text=value`, the texts of the times of a note that was written on 2010-02-02.
fn times(text: &str) -> Vec<String> {
    let found = read(text, Some(written()), find);
    let kind = |kind| match kind {
        Kind::Date => 'D',
        Kind::Time => 'T',
        Kind::Duration => 'L',
        _ => 'F',
    };
    let times = found.iter().filter(|e| e.category == Category::TimeExpression);
    times.map(|e| format!("{} {}={}", kind(e.kind), &text[e.begin..e.end], e.value.as_deref().unwrap_or("?"))).collect()
}

fn check(cases: &[(&str, &[&str])]) {
    let mut wrong = String::new();
    for (text, expected) in cases {
        let found = times(text);
        if found != *expected {
            wrong.push_str(&format!("{text:?}\n  found    {found:?}\n  expected {expected:?}\n"));
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn dates_of_the_calendar() {
    check(&[
        ("seen 2 Feb 2010 here", &["D 2 Feb 2010=2010-02-02"]),
        ("on 02/03/2010 and 23/03/2010", &["D 02/03/2010=2010-02-03", "D 23/03/2010=2010-03-23"]),
        ("2010-02-03: well", &["D 2010-02-03=2010-02-03"]),
        ("2010-02-03T08:30:00Z", &["D 2010-02-03T08:30:00Z=2010-02-03T08:30:00Z"]),
        ("in March 2019", &["D March 2019=2019-03"]),
        ("on February 2nd, 2010", &["D February 2nd, 2010=2010-02-02"]),
        ("Feb 2, 2010", &["D Feb 2, 2010=2010-02-02"]),
        ("2nd of February 2010", &["D 2nd of February 2010=2010-02-02"]),
        ("2-Feb-2010 and 2-Feb-10", &["D 2-Feb-2010=2010-02-02", "D 2-Feb-10=2010-02-02"]),
        ("03AUG2009", &["D 03AUG2009=2009-08-03"]),
        ("Feb-2009, Feb '09", &["D Feb-2009=2009-02", "D Feb '09=2009-02"]),
        ("born in 1950, since 2004", &["D 1950=1950", "D 2004=2004"]),
        ("MI 2005, CABG 2006, WBC 2006", &["D 2005=2005", "D 2006=2006"]),
        ("CABG (2006)", &["D 2006=2006"]),
        ("colonoscopy 2/2008", &["D 2/2008=2008-02"]),
        ("seen on 1/25 for cough", &["D 1/25=2010-01-25"]),
        ("Wed 5/3: better", &["D 5/3=2010-05-03"]),
        ("on 11/2", &["D 11/2=2009-11-02"]),
        ("Jan 20", &["D Jan 20=2010-01-20"]),
        ("02.03.2009", &["D 02.03.2009=2009-03-02"]),
        ("from 2005-2009 well", &["D 2005-2009=2005/2009"]),
        ("from 2005 to 2009, from 1/20 to 1/25", &["D 2005=2005", "D 2009=2009", "D 1/20=2010-01-20", "D 1/25=2010-01-25"]),
        ("early May 2009", &["D early May 2009=2009-05"]),
        ("in early May", &["D early May=2009-05"]),
        ("late 2008", &["D late 2008=2008"]),
        ("mid-March", &["D mid-March=2009-03"]),
        ("in the fall of 2008", &["D fall of 2008=2008"]),
        ("Q3 2009", &["D Q3 2009=2009-07/2009-09"]),
        ("third quarter of 2009", &["D third quarter of 2009=2009-07/2009-09"]),
        ("Feb 2-5, 2009", &["D Feb 2-5, 2009=2009-02-02/2009-02-05"]),
        ("the 1990s", &["D 1990s=?"]),
        ("[**2151-7-16**]", &["D 2151-7-16=2151-07-16"]),
        ("2/3/85", &["D 2/3/85=1985-02-03"]),
        ("In May she fell", &["D May=2009-05"]),
        ("in December", &["D December=2009-12"]),
    ]);
}

#[test]
fn what_is_no_date() {
    for text in [
        "BP 120/80",
        "take 1/2 tab",
        "Percocet 5/325",
        "strength 5/5 in all",
        "pain 3/10",
        "pain is 7/10 today-ish",
        "she may 2 times",
        "you may go",
        "patients march on",
        "sodium 2000 mg",
        "intake 2010 ml",
        "ANA 1:40",
        "123-45-6789",
        "617-555-1212",
        "31/31/2010",
        "02/30/2010",
        "version 1.2.3",
        "O2 sat 98%",
        "activities of daily living",
        "72 year old man",
        "72-year-old man",
        "66 yo",
        "3 years old",
        "24-hour urine protein",
        "2D echo",
        "HR 72",
        "BP 124/71 HR 70",
        "2/10min",
        "acuity improved to 6/24 by laser",
        "a mean of 40.8 +/- 12.1 years",
        "7 mcg kg-1 min-1",
        "admitted to 5w",
        "second opinion",
        "past medical history",
        "last name",
        "this patient",
        "MAY HAVE",
        "weight 5 lb",
        "half the dose",
        "T 98.6 P 72 R 18",
        "1/2/3/4",
    ] {
        let found: Vec<String> = times(text).into_iter().filter(|t| !t.contains("today")).collect();
        assert!(found.is_empty(), "{text:?} {found:?}");
    }
}

#[test]
fn times_that_count_from_the_note() {
    check(&[
        ("yesterday", &["D yesterday=2010-02-01"]),
        ("today and tomorrow morning", &["D today=2010-02-02", "D tomorrow morning=2010-02-03"]),
        ("3 weeks ago", &["D 3 weeks ago=2010-01-12"]),
        ("three weeks ago", &["D three weeks ago=2010-01-12"]),
        ("17 years ago", &["D 17 years ago=1993"]),
        ("2 months ago", &["D 2 months ago=2009-12"]),
        ("a week ago", &["D a week ago=2010-01-26"]),
        ("a few days ago", &["D a few days ago=?"]),
        ("couple of days ago", &["D couple of days ago=2010-01-31"]),
        ("2-3 days ago", &["D 2-3 days ago=2010-01-30/2010-01-31"]),
        ("one to two days ago", &["D one to two days ago=2010-01-31/2010-02-01"]),
        ("2 days prior", &["D 2 days prior=2010-01-31"]),
        ("2 days prior to admission", &["D 2 days prior to admission=?"]),
        ("3 days PTA", &["D 3 days PTA=?"]),
        ("3 days before surgery", &["D 3 days before surgery=?"]),
        ("last Tuesday", &["D last Tuesday=2010-01-26"]),
        ("since Monday", &["D Monday=2010-02-01"]),
        ("on Sat", &["D Sat=2010-01-30"]),
        ("this morning", &["D this morning=2010-02-02"]),
        ("last night", &["D last night=2010-02-01"]),
        ("last week", &["D last week=2010-W04"]),
        ("last month, next year", &["D last month=2010-01", "D next year=2011"]),
        ("last June", &["D last June=2009-06"]),
        ("follow up in 2 weeks", &["D 2 weeks=2010-02-16"]),
        ("return on Friday", &["D Friday=2010-02-05"]),
        ("next Friday", &["D next Friday=2010-02-05"]),
        ("2 weeks from now", &["D 2 weeks from now=2010-02-16"]),
        ("POD #2, POD 3, POD#4, POD5", &["D POD #2=?", "D POD 3=?", "D POD#4=?", "D POD5=?"]),
        ("post-op day 3", &["D post-op day 3=?"]),
        ("postoperative day #3", &["D postoperative day #3=?"]),
        ("hospital day 4", &["D hospital day 4=?"]),
        ("3 days post-op", &["D 3 days post-op=?"]),
        ("at age 40", &["D age 40=P40Y"]),
        ("at the age of 40", &["D age of 40=P40Y"]),
    ]);
    let found = read("yesterday, 3 weeks ago, 2 Feb, last Tuesday", None, find);
    assert!(found.len() == 4 && found.iter().all(|e| e.value.is_none()), "{found:?}");
}

#[test]
fn lengths() {
    check(&[
        ("for 2 weeks", &["L 2 weeks=P2W"]),
        ("x 3 days", &["L x 3 days=P3D"]),
        ("x3 days, x3d", &["L x3 days=P3D", "L x3d=P3D"]),
        ("s/p 3 months", &["L 3 months=P3M"]),
        ("the past 6 months", &["L past 6 months=P6M"]),
        ("over the last 2-3 weeks", &["L last 2-3 weeks=P2W/P3W"]),
        ("over the past year", &["L past year=P1Y"]),
        ("2-3 days", &["L 2-3 days=P2D/P3D"]),
        ("2-week history of cough", &["L 2-week=P2W"]),
        ("several hours", &["L several hours=?"]),
        ("half an hour", &["L half an hour=PT30M"]),
        ("1.5 years", &["L 1.5 years=P1.5Y"]),
        ("1 1/2 years", &["L 1 1/2 years=P1.5Y"]),
        ("twenty-five minutes", &["L twenty-five minutes=PT25M"]),
        ("two (2) weeks", &["L two (2) weeks=P2W"]),
        ("for a month", &["L a month=P1M"]),
        ("3d of fever", &["L 3d=P3D"]),
        ("at 25+1 weeks, 38 2/7 weeks, 32w4d", &["L 25+1 weeks=P176D", "L 38 2/7 weeks=P268D", "L 32w4d=P228D"]),
        ("10 yrs", &["L 10 yrs=P10Y"]),
        ("two decades", &["L two decades=P20Y"]),
        ("3 nights", &["L 3 nights=P3D"]),
        ("one and a half years", &["L one and a half years=P1.5Y"]),
    ]);
}

#[test]
fn how_often_and_when() {
    check(&[
        ("headaches twice a day", &["F twice a day=BID"]),
        ("3 times per week", &["F 3 times per week=3/WK"]),
        ("3x/day, 2x daily", &["F 3x/day=TID", "F 2x daily=BID"]),
        ("2-3 times a week", &["F 2-3 times a week=2-3/WK"]),
        ("daily", &["F daily=QD"]),
        ("every other day", &["F every other day=QOD"]),
        ("every 4-6 hours", &["F every 4-6 hours=Q4-6H"]),
        ("q6h, q 8 h, q4-6h, q8 hours", &["F q6h=Q6H", "F q 8 h=Q8H", "F q4-6h=Q4-6H", "F q8 hours=Q8H"]),
        ("every morning", &["F every morning=QAM"]),
        ("dialysis MWF", &["F MWF=?"]),
        ("on Mondays", &["F Mondays=?"]),
        ("once weekly", &["F once weekly=QWK"]),
        ("at 8:30 am", &["T 8:30 am=08:30"]),
        ("8:30 p.m. today", &["T 8:30 p.m.=20:30", "D today=2010-02-02"]),
        ("8pm, 12 am", &["T 8pm=20:00", "T 12 am=00:00"]),
        ("at 0830", &["T 0830=08:30"]),
        ("1530 hrs", &["T 1530 hrs=15:30"]),
        ("14:05", &["T 14:05=14:05"]),
        ("at noon", &["T noon=12:00"]),
        ("in the morning", &["T morning=?"]),
        ("2/3/10 @ 0830", &["D 2/3/10=2010-02-03", "T 0830=08:30"]),
    ]);
}

#[test]
fn a_time_belongs_to_what_it_tells_of() {
    let of = |text: &str| {
        let found = read(text, Some(written()), |note, entities| {
            find(note, entities);
            relate(note, entities);
        });
        let mut out = Vec::new();
        for entity in &found {
            for attribute in entity.attributes.iter().filter(|a| a.kind == AttributeKind::Time) {
                assert!((0.3..=0.97).contains(&attribute.relation_score));
                out.push(format!("{}: {}", &text[entity.begin..entity.end], &text[attribute.begin..attribute.end]));
            }
        }
        out
    };
    assert_eq!(of("Chest pain 3 days ago, fever since Monday."), ["Chest pain: 3 days ago", "fever: Monday"]);
    assert_eq!(of("In 2005 he had MI"), ["MI: 2005"]);
    assert_eq!(of("2-week history of cough"), ["cough: 2-week"]);
    assert_eq!(of("fever, 2-week history of cough"), ["cough: 2-week"]);
    assert_eq!(of("MI 2005, CABG 2006,"), ["MI: 2005", "CABG: 2006"]);
    assert_eq!(of("nausea, vomiting and fever for 3 days"), ["nausea: 3 days", "vomiting: 3 days", "fever: 3 days"]);
    assert_eq!(of("cough. Seen in 2005"), Vec::<String>::new());
    assert_eq!(of("COPD; fever for 2 days"), ["fever: 2 days"]);
    assert_eq!(of("had cough but chest pain began yesterday"), ["chest pain: yesterday"]);
}

#[test]
fn mentions_stay_or_go_whole() {
    let categories = |text: &str| read(text, None, find).iter().map(|e| (e.category, text[e.begin..e.end].to_owned())).collect::<Vec<_>>();
    assert_eq!(categories("in fall 2009"), [(Category::TimeExpression, "fall 2009".to_owned())]);
    assert_eq!(categories("a fall 2 days ago").len(), 2);
    assert_eq!(categories("24-hour urine protein").len(), 1);
}

#[test]
fn any_text_is_read() {
    let words: Vec<&str> = "Feb May march 2nd ago days weeks last past next this q6h x3 POD POD#2 post op age 1990s s am pm a.m. every other twice a day since in \
        Monday Sat Q3 quarter noon morning prior to admission half an couple of few two twenty mg T08:30 Z 03AUG2010 [**2010-2-3**] yo fever cough the"
        .split(' ')
        .collect();
    soups(&words, |text| {
        read(text, Some(written()), |note, entities| {
            find(note, entities);
            relate(note, entities);
        });
    });
}
