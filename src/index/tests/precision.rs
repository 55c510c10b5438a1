//! Dates, numbers and quantities at the edges of what can be written.

use super::spec::{check, dates, observation};

#[test]
fn the_examples_of_dates() {
    // https://hl7.org/fhir/R4/search.html#date
    let at = |date: &str| observation(&format!(r#""effectiveDateTime":"{date}""#));
    check(&at("2013-01-14T00:00:00Z"), &[("date=eq2013-01-14", true), ("date=ne2013-01-14", false)]);
    check(&at("2013-01-14T10:00:00Z"), &[("date=eq2013-01-14", true), ("date=ne2013-01-14", false)]);
    check(&at("2013-01-15T00:00:00Z"), &[("date=eq2013-01-14", false), ("date=ne2013-01-14", true)]);
    check(&at("2013-01-14"), &[("date=lt2013-01-14T10:00", true), ("date=gt2013-01-14T10:00", true)]);
    let from = observation(r#""effectivePeriod":{"start":"2013-01-21"}"#);
    check(&from, &[("date=ge2013-03-14", true), ("date=le2013-03-14", true), ("date=sa2013-03-14", false), ("date=eb2013-03-14", false)]);
    let later = observation(r#""effectivePeriod":{"start":"2013-03-15"}"#);
    check(&later, &[("date=sa2013-03-14", true), ("date=eb2013-03-14", false)]);
    let until = observation(r#""effectivePeriod":{"end":"2013-01-21"}"#);
    check(&until, &[("date=sa2013-03-14", false), ("date=eb2013-03-14", true)]);
    check(&at("2011-12-31"), &[("date=ge2010-01-01&date=le2011-12-31", true)]);
    check(&at("2009-12-31"), &[("date=ge2010-01-01&date=le2011-12-31", false)]);
    // 2000 is [2000-01-01T00:00, 2000-12-31T23:59], 2000-04 is [2000-04-01T00:00, 2000-04-30T23:59]
    check(&at("2000-12-31T23:59:59.999Z"), &[("date=2000", true), ("date=2000-12", true), ("date=2001", false)]);
    check(&at("2000-04-30T23:59:00Z"), &[("date=2000-04", true), ("date=2000-05", false)]);
}

#[test]
fn a_colon_may_be_percent_encoded() {
    check(&observation(r#""effectiveDateTime":"2013-01-14T10:00:00Z""#), &[("date=2013-01-14T10%3A00%3A00Z", true), ("date=2013-01-14T12%3A00%3A00%2B02%3A00", true)]);
}

#[test]
fn a_leap_second_is_the_first_of_the_next_minute() {
    dates(r#""effectiveDateTime":"2016-12-31T23:59:60Z""#, &[("2017", "+--- ++--"), ("2016", "-++- +-+-"), ("2016-12-31T23:59:60Z", "+--- ++--"), ("2017-01-01T00:00:00Z", "+--- ++--")]);
}

#[test]
fn the_first_and_last_years_and_far_zones() {
    dates(r#""effectiveDateTime":"0001""#, &[("0001", "+--- ++--"), ("0002", "-+-+ -+-+"), ("1900", "-+-+ -+-+")]);
    dates(r#""effectiveDateTime":"9999-12-31""#, &[("9999", "+--- ++--"), ("9999-12-31", "+--- ++--"), ("9998", "-++- +-+-")]);
    dates(r#""effectiveDateTime":"2013-01-01T00:00:00+14:00""#, &[("2012-12-31T10:00Z", "+--- ++--"), ("2013", "-+-+ -+-+")]);
    dates(r#""effectiveDateTime":"2012-12-31T23:59:59-12:00""#, &[("2013-01-01T11:59:59Z", "+--- ++--")]);
    dates(r#""effectiveDateTime":"2012-02-29""#, &[("2012-02", "+--- ++--"), ("2012-03-01", "-+-+ -+-+")]);
    for no in ["0000", "2013-02-29", "2013-1", "10000", "2013-01-14T24:00", "2013-01-14T10", "2013-01-14T10:00:61Z", "2013-01-14T10:00+25:00", "2013-01-14Z", "+2013", "-2013"] {
        assert!(crate::index::Query::parse(&format!("Observation?date={no}")).is_err(), "{no}");
    }
}

#[test]
fn the_outer_limits_of_a_timing_with_all_its_parts() {
    // every second day between 31-Jan 2013 and 24-Mar 2013 includes 1-Feb 2013
    dates(r#""effectiveTiming":{"repeat":{"boundsPeriod":{"start":"2013-01-31","end":"2013-03-24"},"period":2,"periodUnit":"d"}}"#, &[
        ("2013-02-01", "-+++ ++--"),
        ("2013", "+--- ++--"),
        ("2013-03-25", "-+-+ -+-+"),
        ("2013-01-30", "-++- +-+-"),
    ]);
    // events beyond the bounds widen them; a duration or a range says nothing of when
    dates(r#""effectiveTiming":{"event":["2013-05-01"],"repeat":{"boundsPeriod":{"start":"2013-01-31","end":"2013-03-24"}}}"#, &[("2013-04", "-+++ ++--"), ("2013-05-02", "-+-+ -+-+")]);
    check(&observation(r#""effectiveTiming":{"repeat":{"boundsDuration":{"value":3,"code":"d"}}}"#), &[("date=ge1900", false), ("date:missing=false", true)]);
    check(&observation(r#""effectiveTiming":{"event":["no date","2013"]}"#), &[("date=2013", true)]);
}

#[test]
fn significant_figures_say_how_near_a_number_must_be() {
    let of = |value: &str| format!(r#"{{"resourceType":"RiskAssessment","prediction":[{{"probabilityDecimal":{value}}}]}}"#);
    // https://hl7.org/fhir/R4/search.html#number: 100 and 1.00e2 have the same number of significant digits. Its table has
    // [95, 105) for 1e2, which by this rule is 1.0e2; 1e2 has one digit, so [50, 150)
    for (searched, inside, outside) in [
        ("100", ["99.5", "100.49"], ["99.49", "100.5"]),
        ("1.00e2", ["99.5", "100.49"], ["99.49", "100.5"]),
        ("100.00", ["99.995", "100.0049"], ["99.9949", "100.005"]),
        ("1.0e2", ["95", "104.9"], ["94.9", "105"]),
        ("1e2", ["50", "149.9"], ["49.9", "150"]),
        ("0.8", ["0.75", "0.849"], ["0.749", "0.85"]),
        ("8e-1", ["0.75", "0.849"], ["0.749", "0.85"]),
        ("-0.8", ["-0.849", "-0.751"], ["-0.86", "-0.749"]),
        ("1E2", ["50", "149.9"], ["49.9", "150"]),
        ("+2", ["1.5", "2.4"], ["1.4", "2.5"]),
    ] {
        let searched = searched.replace('+', "%2B");
        for value in inside {
            check(&of(value), &[(&format!("probability={searched}"), true), (&format!("probability=ne{searched}"), false)]);
        }
        for value in outside {
            check(&of(value), &[(&format!("probability={searched}"), false), (&format!("probability=ne{searched}"), true)]);
        }
    }
    // with these prefixes precision does not count
    check(&of("100.4"), &[("probability=gt100", true), ("probability=le100", false), ("probability=sa100", true), ("probability=gt1e2", true)]);
    check(&of("0.81"), &[("probability=gt0.8", true), ("probability=gt8e-1", true), ("probability=lt0.8", false)]);
    // integers that are searched for as decimals
    let sequence = r#"{"resourceType":"MolecularSequence","referenceSeq":{"windowStart":2}}"#;
    check(sequence, &[("MolecularSequence?window-start=2", true), ("window-start=2.0", true), ("window-start=2.1", false), ("window-start=1", false)]);
}
