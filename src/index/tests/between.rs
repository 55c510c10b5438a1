//! Two bounds of one date, asked at once: what the index finds, rechecked, is what matches.

use super::super::scan::Scan;
use super::posting::Index;
use super::{Numbers, keys_of, parse};

/// Moments of every precision, some on the edges of buckets.
const MOMENTS: &[&str] = &[
    "1999", "2000", "2009-12", "2010", "2014", "2014-12-31", "2015", "2015-01", "2015-01-01", "2015-01-01T00:00:00Z", "2015-01-31T23:59:59Z",
    "2015-02", "2015-03-14", "2015-03-14T10:00:00Z", "2015-03-14T10:00:00.5Z", "2015-03-15", "2015-04", "2015-12-31T23:30:00-02:00", "2016", "2016-01-01", "2020", "2101",
];

fn documents() -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    let mut put = |element: String| all.push(keys_of(&format!(r#"{{"resourceType":"Observation",{element}}}"#)));
    put(r#""status":"final""#.to_owned());
    for moment in MOMENTS {
        put(format!(r#""effectiveDateTime":"{moment}""#));
        put(format!(r#""effectivePeriod":{{"start":"{moment}"}}"#));
        put(format!(r#""effectivePeriod":{{"end":"{moment}"}}"#));
        for end in MOMENTS {
            put(format!(r#""effectivePeriod":{{"start":"{moment}","end":"{end}"}}"#));
            put(format!(r#""effectiveTiming":{{"event":["{moment}","{end}"]}}"#));
        }
    }
    all
}

#[test]
fn two_bounds_find_what_each_of_them_matches() {
    let index = Index::new(documents());
    let (mut asked, mut found, mut rechecked) = (0, 0, 0);
    for low in MOMENTS {
        for high in MOMENTS {
            for (lower, upper) in [("ge", "lt"), ("gt", "lt"), ("ge", "le"), ("gt", "le")] {
                let text = format!("Observation!?date={lower}{low}&date={upper}{high}");
                let query = parse(&text);
                let matching = index.matching(&query);
                let scan = Scan::of(&query);
                let hits = index.scan(&scan);
                assert_eq!(matching.beyond(&hits.possible), None, "{text} misses");
                assert_eq!(hits.certain.beyond(&matching), None, "{text} is wrongly sure");
                asked += 1;
                found += matching.len();
                rechecked += hits.possible.len() - hits.certain.len();
            }
        }
    }
    assert!(asked == 4 * MOMENTS.len() * MOMENTS.len() && found > asked, "{asked} {found} {rechecked}");
}

#[test]
fn a_range_of_points_needs_few_keys() {
    let scan = Scan::of(&parse("Observation!?date=ge2015-01-01&date=lt2015-04-01"));
    assert_eq!(scan.groups.len(), 1);
    assert!(scan.groups[0].keys.len() < 130, "{}", scan.groups[0].keys.len());
    // a third bound narrows it further
    let mut numbers = Numbers(7);
    let index = Index::new(documents());
    for _ in 0..200 {
        let text = format!("Observation!?date=ge{}&date=lt{}&date=le{}", numbers.pick(MOMENTS), numbers.pick(MOMENTS), numbers.pick(MOMENTS));
        let query = parse(&text);
        let hits = index.scan(&Scan::of(&query));
        let matching = index.matching(&query);
        assert!(matching.beyond(&hits.possible).is_none() && hits.certain.beyond(&matching).is_none(), "{text}");
    }
}
