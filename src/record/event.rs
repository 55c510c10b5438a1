//! One resource as one line of a record: when it happened and how exactly that is known, what it is about, its value and status.
//!
//! Which elements say so is data: [`model::occurred_paths`] and [`model::headline`].

use super::value::{self, Shown};
use crate::index::extract::interval;
use crate::index::time::{self, OPEN_HIGH, OPEN_LOW};
use crate::json::Node;
use crate::model::{self, TypeId};
use crate::path::reference::{self, Target};
use crate::path::{self, Compiled};
use std::borrow::Cow;
use std::sync::OnceLock;

/// How exactly a date is known: <https://hl7.org/fhir/R4/datatypes.html#dateTime>.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Precision {
    Year,
    Month,
    Day,
    Minute,
    Second,
    /// Finer than a second.
    Instant,
}

/// What a line about a resource says.
#[derive(Debug, PartialEq, Clone)]
pub struct Event<'a> {
    /// Where it begins, in microseconds since 2000-01-01 UTC: what the column `occurred` holds. [`OPEN_LOW`] if unknown.
    pub occurred: i64,
    /// Of its beginning; `None` where that is not known.
    pub precision: Option<Precision>,
    /// When it was over: the end of that day, month or year, or the moment itself. `None` for a point in time, where it goes
    /// on, and where that is not known.
    pub ended: Option<i64>,
    /// The first moment that it no longer reaches: [`OPEN_HIGH`] for what has no end. For a point, the end of its precision.
    pub until: i64,
    pub system: Option<&'a str>,
    pub code: Option<Cow<'a, str>>,
    pub display: Option<Cow<'a, str>>,
    pub value: Option<String>,
    pub unit: Option<String>,
    pub status: Option<Cow<'a, str>>,
    /// What it is about is told by this other resource, `Type/id`.
    pub refers: Option<(TypeId, &'a str)>,
}

impl Precision {
    pub fn name(self) -> &'static str {
        match self {
            Precision::Year => "year",
            Precision::Month => "month",
            Precision::Day => "day",
            Precision::Minute => "minute",
            Precision::Second => "second",
            Precision::Instant => "instant",
        }
    }

    pub fn named(name: &str) -> Option<Precision> {
        use Precision::*;
        [Year, Month, Day, Minute, Second, Instant].into_iter().find(|p| p.name() == name)
    }

    /// Of the text of a date that [`time::parse`] reads.
    pub fn of(date: &str) -> Precision {
        match date.split_once('T') {
            None if date.len() == 4 => Precision::Year,
            None if date.len() == 7 => Precision::Month,
            None => Precision::Day,
            Some((_, clock)) if clock.contains('.') => Precision::Instant,
            Some((_, clock)) if clock.as_bytes().get(5) == Some(&b':') => Precision::Second,
            Some(_) => Precision::Minute,
        }
    }
}

impl Event<'_> {
    /// Whether it goes on, as far as the resource says.
    pub fn is_open(&self) -> bool {
        self.until == OPEN_HIGH && self.occurred != OPEN_LOW
    }

    /// Whether the resource says nothing of when it happened.
    pub fn is_undated(&self) -> bool {
        self.occurred == OPEN_LOW && self.until == OPEN_HIGH
    }
}

/// The ways to what a line says, for one resource type.
struct Plan {
    occurred: Vec<Compiled>,
    what: Vec<Compiled>,
    value: Vec<Compiled>,
    parts: Vec<Compiled>,
    status: Vec<Compiled>,
    ended: Vec<Compiled>,
}

fn plan(ty: TypeId) -> &'static Plan {
    static PLANS: OnceLock<Vec<OnceLock<Plan>>> = OnceLock::new();
    let plans = PLANS.get_or_init(|| model::TYPES.iter().map(|_| OnceLock::new()).collect());
    plans[usize::from(ty.0)].get_or_init(|| {
        let ways = |paths: &[&str]| paths.iter().filter_map(|p| path::compile(&format!("{}.{p}", ty.name()), ty).ok()).collect();
        let headline = model::headline(ty);
        Plan {
            occurred: ways(model::occurred_paths(ty)),
            what: ways(headline.what),
            value: ways(headline.value),
            parts: ways(headline.parts),
            status: ways(headline.status),
            ended: ways(headline.ended),
        }
    })
}

/// The line of a resource; `None` if it is of no known type. What is malformed in it is left out.
pub fn event(resource: Node<'_>) -> Option<Event<'_>> {
    let ty = resource.get("resourceType").and_then(Node::as_str).and_then(reference::resource_type)?;
    let plan = plan(ty);
    let when = when(plan, resource);
    let what = what(plan, resource, true).unwrap_or_default();
    let shown = shown(plan, resource).unwrap_or_default();
    let status = first(&plan.status, resource, &mut |node, ty| concept(node, ty).and_then(|c| c.code.or(c.display)));
    Some(Event {
        occurred: when.occurred,
        precision: when.precision,
        ended: when.ended,
        until: when.until,
        system: what.system,
        code: what.code,
        display: what.display,
        value: shown.text,
        unit: shown.unit,
        status,
        refers: what.refers,
    })
}

/// The first moment that the clinical time of a resource no longer reaches; [`OPEN_HIGH`] where it has no end, or no time.
pub fn until(resource: Node) -> i64 {
    let ty = resource.get("resourceType").and_then(Node::as_str).and_then(reference::resource_type);
    ty.map_or(OPEN_HIGH, |ty| when(plan(ty), resource).until)
}

struct When {
    occurred: i64,
    precision: Option<Precision>,
    ended: Option<i64>,
    until: i64,
}

/// As the stamp finds it: of the first way that leads to a date, the value that begins first.
fn when(plan: &Plan, resource: Node) -> When {
    let mut found: Option<(i64, Node, TypeId)> = None;
    for way in &plan.occurred {
        let mut latest = OPEN_LOW;
        way.for_each(resource, &mut |node, ty, _| {
            if let Some(at) = interval(ty, node) {
                latest = latest.max(at.high);
                if found.is_none_or(|(low, ..)| at.low < low) {
                    found = Some((at.low, node, ty));
                }
            }
        });
        if found.is_some() {
            break;
        }
    }
    let Some((occurred, node, ty)) = found else {
        return When { occurred: OPEN_LOW, precision: None, ended: None, until: OPEN_HIGH };
    };
    let start = start_text(ty, node);
    let own_end = end_text(ty, node);
    let mut other_end = None;
    for way in &plan.ended {
        way.for_each(resource, &mut |node, ty, _| {
            let text = end_text(ty, node).or_else(|| start_text(ty, node));
            other_end = other_end.or(text.filter(|text| time::parse(text).is_some_and(|end| end.high > occurred)));
        });
    }
    let precision = start.filter(|_| occurred != OPEN_LOW).map(Precision::of);
    let end = other_end.or(own_end).and_then(|text| Some((time::parse(text)?, Precision::of(text))));
    let (ended, until) = match end {
        Some((end, precision)) => (Some(if precision <= Precision::Day { end.high } else { end.low }), end.high),
        // it has an element for the end, or an end of its own, and neither is there
        None if !plan.ended.is_empty() || ty == model::PERIOD => (None, OPEN_HIGH),
        None => (None, interval(ty, node).map_or(OPEN_HIGH, |at| at.high)),
    };
    When { occurred, precision, ended, until }
}

fn start_text<'a>(ty: TypeId, node: Node<'a>) -> Option<&'a str> {
    match ty {
        model::PERIOD => node.get("start").and_then(Node::as_str),
        model::TIMING => {
            let events = node.get("event").into_iter().flat_map(Node::items).filter_map(Node::as_str);
            let first = events.min_by_key(|event| time::parse(event).map_or(OPEN_HIGH, |at| at.low));
            first.or_else(|| start_text(model::PERIOD, node.get("repeat")?.get("boundsPeriod")?))
        }
        _ => node.as_str(),
    }
}

fn end_text<'a>(ty: TypeId, node: Node<'a>) -> Option<&'a str> {
    match ty {
        model::PERIOD => node.get("end").and_then(Node::as_str),
        model::TIMING => {
            let mut events = node.get("event").into_iter().flat_map(Node::items).filter_map(Node::as_str);
            match node.get("repeat").and_then(|repeat| repeat.get("boundsPeriod")) {
                Some(bounds) => end_text(model::PERIOD, bounds),
                // of one moment there is no end
                None => events.next().and(events.max_by_key(|event| time::parse(event).map_or(OPEN_LOW, |at| at.high))),
            }
        }
        _ => None,
    }
}

/// What something is about, in code and in words.
#[derive(Default)]
pub(super) struct What<'a> {
    pub system: Option<&'a str>,
    pub code: Option<Cow<'a, str>>,
    pub display: Option<Cow<'a, str>>,
    pub refers: Option<(TypeId, &'a str)>,
}

/// The first value of the first way that gives something.
fn first<'a, T>(ways: &[Compiled], resource: Node<'a>, read: &mut dyn FnMut(Node<'a>, TypeId) -> Option<T>) -> Option<T> {
    ways.iter().find_map(|way| {
        let mut found = None;
        way.for_each(resource, &mut |node, ty, _| {
            if found.is_none() {
                found = read(node, ty);
            }
        });
        found
    })
}

/// Of the first way that gives something: of several values the first with words, else the first.
fn what<'a>(plan: &Plan, resource: Node<'a>, follow: bool) -> Option<What<'a>> {
    plan.what.iter().find_map(|way| {
        let mut found: Option<What> = None;
        way.for_each(resource, &mut |node, ty, _| {
            if found.as_ref().is_some_and(|found| found.display.is_some()) {
                return;
            }
            let next = match ty {
                model::REFERENCE => referred(node, resource, follow),
                _ => concept(node, ty),
            };
            if found.is_none() || next.as_ref().is_some_and(|next| next.display.is_some()) {
                found = next;
            }
        });
        found
    })
}

/// What a reference says of its target; a contained target tells it itself.
fn referred<'a>(node: Node<'a>, resource: Node<'a>, follow: bool) -> Option<What<'a>> {
    let display = text(node, "display").map(Cow::Borrowed);
    let target = text(node, "reference").map(reference::target);
    if let (true, Some(Target::Contained(id))) = (follow, target) {
        let contained = resource.get("contained").into_iter().flat_map(Node::items).find(|c| text(*c, "id") == Some(id));
        let inner = contained.and_then(|inner| {
            let ty = text(inner, "resourceType").and_then(reference::resource_type)?;
            what(self::plan(ty), inner, false)
        });
        if let Some(inner) = inner {
            return Some(What { display: inner.display.or(display), ..inner });
        }
    }
    let refers = match target {
        Some(Target::Literal { base: "", ty, id, .. }) => Some((ty, id)),
        _ => None,
    };
    (display.is_some() || refers.is_some()).then_some(What { display, refers, ..What::default() })
}

/// The code and the words of a coded or plain value.
pub(super) fn concept<'a>(node: Node<'a>, ty: TypeId) -> Option<What<'a>> {
    let found = match ty {
        model::CODEABLE_CONCEPT => {
            let codings = || node.get("coding").into_iter().flat_map(Node::items).filter(|c| c.get("code").is_some() || c.get("display").is_some());
            let chosen = codings().find(|c| c.get("userSelected").and_then(Node::as_bool) == Some(true)).or_else(|| codings().next());
            let coding = chosen.and_then(|coding| concept(coding, model::CODING)).unwrap_or_default();
            // what the clinician wrote or saw, before what the code system calls it
            What { display: text(node, "text").map(Cow::Borrowed).or(coding.display), ..coding }
        }
        model::CODING => What {
            system: text(node, "system"),
            code: text(node, "code").map(Cow::Borrowed),
            display: text(node, "display").map(Cow::Borrowed),
            refers: None,
        },
        model::CODE => What { code: Some(Cow::Borrowed(node.as_str()?)), ..What::default() },
        _ => What { display: value::shown(ty, node)?.text.map(Cow::Owned), ..What::default() },
    };
    (found.code.is_some() || found.display.is_some()).then_some(found)
}

fn text<'a>(node: Node<'a>, name: &str) -> Option<&'a str> {
    node.get(name).and_then(Node::as_str).filter(|text| !text.is_empty())
}

/// The value, or else its parts.
fn shown(plan: &Plan, resource: Node) -> Option<Shown> {
    for way in &plan.value {
        let mut found: Vec<Shown> = Vec::new();
        way.for_each(resource, &mut |node, ty, _| found.extend(value::shown(ty, node)));
        if let Some(all) = value::listed(found) {
            return Some(all);
        }
    }
    let mut parts = Vec::new();
    for way in &plan.parts {
        way.for_each(resource, &mut |node, ty, _| parts.extend(value::part(ty, node)));
    }
    value::joined(parts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{index, json};

    fn with<T>(text: &str, f: impl FnOnce(Event) -> T) -> T {
        let container = json::parse(text.as_bytes(), &json::Limits::default()).unwrap();
        f(event(json::root(&container).unwrap()).unwrap())
    }

    /// Beginning, its precision, end and where it reaches.
    fn when(text: &str) -> String {
        let at = |at: i64| match at {
            OPEN_LOW => "-".to_owned(),
            OPEN_HIGH => "+".to_owned(),
            at => time::shown(at),
        };
        with(text, |e| format!("{} {} {} {}", at(e.occurred), e.precision.map_or("?", Precision::name), e.ended.map_or("?".into(), at), at(e.until)))
    }

    fn observation(effective: &str) -> String {
        when(&format!(r#"{{"resourceType":"Observation",{effective}}}"#))
    }

    #[test]
    fn a_date_is_as_exact_as_it_is_written() {
        for (date, expected) in [
            ("2015", "2015-01-01 year ? 2016-01-01"),
            ("2015-03", "2015-03-01 month ? 2015-04-01"),
            ("2015-03-14", "2015-03-14 day ? 2015-03-15"),
            ("2015-03-14T01:00:00+02:00", "2015-03-13T23:00:00Z second ? 2015-03-13T23:00:01Z"),
            ("2015-03-14T01:00:00.5Z", "2015-03-14T01:00:00.500000Z instant ? 2015-03-14T01:00:00.600000Z"),
            ("soon", "- ? ? +"),
        ] {
            assert_eq!(observation(&format!(r#""effectiveDateTime":"{date}""#)), expected, "{date}");
        }
        assert_eq!(observation(r#""issued":"2015-03-14T01:00:00Z""#), "2015-03-14T01:00:00Z second ? 2015-03-14T01:00:01Z");
    }

    #[test]
    fn a_period_may_lack_an_end() {
        assert_eq!(observation(r#""effectivePeriod":{"start":"2015","end":"2015-03"}"#), "2015-01-01 year 2015-04-01 2015-04-01");
        assert_eq!(observation(r#""effectivePeriod":{"start":"2015"}"#), "2015-01-01 year ? +");
        assert_eq!(observation(r#""effectivePeriod":{"end":"2015-03-01T10:00:00Z"}"#), "- ? 2015-03-01T10:00:00Z 2015-03-01T10:00:01Z");
        assert_eq!(observation(r#""effectivePeriod":{}"#), "- ? ? +");
        assert_eq!(observation(r#""effectiveTiming":{"event":["2016","2015-02","2018-01-01"]}"#), "2015-02-01 month 2018-01-02 2018-01-02");
        assert_eq!(observation(r#""effectiveTiming":{"event":["2016"]}"#), "2016-01-01 year ? 2017-01-01");
        assert_eq!(observation(r#""effectiveTiming":{"repeat":{"boundsPeriod":{"start":"2016","end":"2017"}}}"#), "2016-01-01 year 2018-01-01 2018-01-01");
    }

    #[test]
    fn an_end_may_be_an_element_of_its_own() {
        let condition = |body: &str| when(&format!(r#"{{"resourceType":"Condition",{body}}}"#));
        assert_eq!(condition(r#""onsetDateTime":"2015-03","abatementDateTime":"2016-01-05""#), "2015-03-01 month 2016-01-06 2016-01-06");
        assert_eq!(condition(r#""onsetDateTime":"2015-03""#), "2015-03-01 month ? +");
        assert_eq!(condition(r#""recordedDate":"2015-03-04""#), "2015-03-04 day ? +");
        assert_eq!(condition(r#""onsetPeriod":{"start":"2015","end":"2016"},"abatementString":"later""#), "2015-01-01 year 2017-01-01 2017-01-01");
        // an end before the beginning says nothing
        assert_eq!(condition(r#""onsetDateTime":"2015-03","abatementDateTime":"2014""#), "2015-03-01 month ? +");
        assert_eq!(when(r#"{"resourceType":"Patient","birthDate":"1950"}"#), "- ? ? +");
    }

    #[test]
    fn it_begins_where_the_stamp_says() {
        for text in [
            r#"{"resourceType":"Observation","effectivePeriod":{"end":"2015"}}"#,
            r#"{"resourceType":"Observation","effectiveTiming":{"event":["2016","2015-02"]}}"#,
            r#"{"resourceType":"Claim","item":[{"servicedDate":"2016"},{"servicedPeriod":{"start":"2014-05"}}]}"#,
            r#"{"resourceType":"Condition","abatementDateTime":"2016","recordedDate":"2015"}"#,
            r#"{"resourceType":"DocumentReference","date":"2016-01-01T00:00:00Z","context":{"period":{"start":"2015"}}}"#,
            r#"{"resourceType":"Encounter","period":{"start":"2016","end":"2015"}}"#,
            r#"{"resourceType":"Goal","startCodeableConcept":{"text":"x"},"statusDate":"2015"}"#,
        ] {
            let container = json::parse(text.as_bytes(), &json::Limits::default()).unwrap();
            let node = json::root(&container).unwrap();
            assert_eq!(event(node).unwrap().occurred, index::stamp(node).occurred, "{text}");
        }
    }

    #[test]
    fn what_it_is_about() {
        let what = |text: &str| {
            with(text, |e| {
                let part = |text: Option<Cow<str>>| text.unwrap_or_default().into_owned();
                format!("{}|{}|{}|{}", e.system.unwrap_or_default(), part(e.code), part(e.display), e.refers.map_or(String::new(), |(ty, id)| format!("{}/{id}", ty.name())))
            })
        };
        assert_eq!(what(r#"{"resourceType":"Observation","code":{"coding":[{"system":"s","code":"c","display":"d"}],"text":"t"}}"#), "s|c|t|");
        assert_eq!(what(r#"{"resourceType":"Encounter","class":{"system":"s","code":"AMB"}}"#), "s|AMB||");
        assert_eq!(what(r#"{"resourceType":"Encounter","type":[{"text":"first"},{"text":"second"}],"class":{"code":"AMB"}}"#), "||first|");
        assert_eq!(what(r#"{"resourceType":"CarePlan","category":[{"coding":[{"system":"s","code":"assess-plan"}]},{"text":"Self care"}]}"#), "||Self care|");
        assert_eq!(what(r#"{"resourceType":"CarePlan","category":[{"coding":[{"code":"a"}]},{"coding":[{"code":"b"}]}]}"#), "|a||");
        assert_eq!(what(r#"{"resourceType":"MedicationRequest","medicationReference":{"reference":"Medication/m"}}"#), "|||Medication/m");
        let contained = r##"{"resourceType":"MedicationRequest","contained":[{"resourceType":"Medication","id":"m","code":{"text":"aspirin"}}],"medicationReference":{"reference":"#m"}}"##;
        assert_eq!(what(contained), "||aspirin|");
        assert_eq!(what(r##"{"resourceType":"MedicationRequest","medicationReference":{"reference":"#nothing","display":"d"}}"##), "||d|");
        assert_eq!(what(r#"{"resourceType":"Patient","name":[{"given":["A"],"family":"B"}]}"#), "||A B|");
        assert_eq!(what(r#"{"resourceType":"Observation","code":7}"#), "|||");
    }

    #[test]
    fn nothing_in_a_resource_can_stop_it() {
        for seed in 0..400 {
            let text = String::from_utf8_lossy(&json::generate::damaged(seed)).into_owned();
            for ty in ["Observation", "MedicationRequest", "Condition", "Encounter", "Patient"] {
                let whole = format!(r#"{{"resourceType":"{ty}","code":{text},"component":[{{"code":{text},"value{ty}":{text}}}],"period":{text},"name":{text}}}"#);
                let Ok(mut container) = json::parse(whole.as_bytes(), &json::Limits::default()) else { continue };
                let at = (seed as usize * 7919) % container.len();
                for damage in [None, Some(0xff), Some(0x80), Some(0)] {
                    if let Some(byte) = damage {
                        container[at] = byte;
                    }
                    let Some(node) = json::root(&container) else { continue };
                    let _ = (event(node), until(node), super::super::references::references(node));
                }
            }
        }
    }

    #[test]
    fn a_status_may_be_coded() {
        let status = |text: &str| with(text, |e| e.status.map(Cow::into_owned));
        assert_eq!(status(r#"{"resourceType":"Observation","status":"final"}"#).as_deref(), Some("final"));
        assert_eq!(status(r#"{"resourceType":"Condition","clinicalStatus":{"coding":[{"code":"active"}]}}"#).as_deref(), Some("active"));
        assert_eq!(status(r#"{"resourceType":"Condition","verificationStatus":{"text":"refuted"}}"#).as_deref(), Some("refuted"));
        assert_eq!(status(r#"{"resourceType":"Patient","active":true}"#), None);
    }

    #[test]
    fn blood_pressure_is_read_as_its_profile_says() {
        let part = |code: &str, value: &str| format!(r#"{{"code":{{"coding":[{{"system":"http://loinc.org","code":"{code}"}}]}},"valueQuantity":{{"value":{value},"unit":"mmHg"}}}}"#);
        let said = |parts: &[String]| with(&format!(r#"{{"resourceType":"Observation","component":[{}]}}"#, parts.join(",")), |e| (e.value, e.unit));
        assert_eq!(said(&[part("8462-4", "80"), part("8480-6", "120.5")]), (Some("120.5/80".into()), Some("mmHg".into())));
        assert_eq!(said(&[part("8480-6", "120")]), (Some("8480-6: 120 mmHg".into()), None));
        assert_eq!(said(&[part("8480-6", "120"), part("1", "80")]), (Some("8480-6: 120 mmHg; 1: 80 mmHg".into()), None));
    }
}
