//! Queries made from a value: at it, next to it, wider and narrower than it.

use super::super::decimal::{Bound, Decimal, Span};
use super::super::keys::{Keys, Target, Value};
use super::super::near::Position;
use super::super::text::normalise;
use super::super::time::{self, DAY, Interval};
use super::Numbers;
use crate::model::{self, ParameterType, TypeId};
use crate::path::reference as references;

/// One condition, and whether the resource that its value comes from must meet it, where that is certain.
#[derive(Clone, Debug)]
pub struct Asked {
    pub name: String,
    pub modifier: &'static str,
    /// Escaped and percent-encoded.
    pub value: String,
    pub source: Option<bool>,
}

impl Asked {
    pub fn text(&self) -> String {
        let colon = if self.modifier.is_empty() { "" } else { ":" };
        format!("{}{colon}{}={}", self.name, self.modifier, self.value)
    }
}

/// A single value as it stands in a search: the separators escaped.
pub fn escape(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if matches!(c, ',' | '|' | '$' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// As it stands in a URL.
pub fn encode(text: &str) -> String {
    let mut out = String::new();
    for b in text.bytes() {
        match b {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'/' | b':' | b'|' | b',' | b'$' | b'\\' => out.push(b as char),
            b' ' => out.push('+'),
            b => out.push_str(&format!("%{b:02X}")),
        }
    }
    out
}

struct List<'a> {
    name: &'a str,
    asked: Vec<Asked>,
}

impl List<'_> {
    /// `value` is escaped where it must be.
    fn put(&mut self, modifier: &'static str, value: &str, source: Option<bool>) {
        if !value.is_empty() {
            self.asked.push(Asked { name: self.name.to_owned(), modifier, value: encode(value), source });
        }
    }
}

pub fn of_value(name: &str, value: &Value) -> Vec<Asked> {
    let mut list = List { name, asked: Vec::new() };
    let l = &mut list;
    match *value {
        Value::Present => {}
        Value::Token { system, code } => token(l, system, code, system.is_none()),
        Value::Code { system, code } => token(l, Some(system), code, true),
        Value::Display(text) => display(l, text),
        Value::OfType { system, code, value } => {
            let (system, code, value) = (system.map(escape), escape(code), escape(value));
            l.put("of-type", &format!("{}|{code}|{value}", system.as_deref().unwrap_or("")), Some(true));
            l.put("of-type", &format!("|{code}|{value}"), Some(true));
            l.put("of-type", &format!("http://other|{code}|{value}"), None);
            l.put("of-type", &format!("|{code}x|{value}"), None);
            l.put("of-type", &format!("|{code}|{value}x"), None);
        }
        Value::String(s) => string(l, s),
        Value::Part(s) => string_starts(l, s),
        Value::Sound(s) => l.put("", s, None),
        Value::Reference(r) => {
            reference(l, r);
            if let references::Target::Literal { ty, id, .. } = references::target(r) {
                l.put("$to", &format!("{}/{id}", ty.name()), Some(true));
                l.put("$to", id, Some(true));
                l.put("$to", &format!("{}/{id}x", ty.name()), None);
            }
        }
        Value::Identifier { system, value } => {
            let value = escape(value);
            l.put("identifier", &value, Some(true));
            l.put("identifier", &format!("|{value}"), system.is_none().then_some(true));
            l.put("identifier", &format!("{value}x"), None);
            if let Some(system) = system {
                l.put("identifier", &format!("{}|{value}", escape(system)), Some(true));
            }
        }
        Value::Date(interval) => {
            date(l, interval);
            if interval.low != time::OPEN_LOW {
                l.put("$if-any", &format!("ge{}", time::shown(interval.low)), Some(true));
                l.put("$if-any", &format!("lt{}", time::shown(interval.low)), None);
            }
        }
        Value::Number(span) => number(l, span, &[("".to_owned(), true)]),
        Value::Quantity { span, system, code, unit } => {
            let mut units = vec![("".to_owned(), true), ("||nosuchunit".to_owned(), false)];
            units.extend(code.map(|c| (format!("||{}", escape(c)), true)));
            units.extend(unit.map(|u| (format!("||{}", escape(u)), true)));
            if let (Some(system), Some(code)) = (system, code) {
                units.push((format!("|{}|{}", escape(system), escape(code)), true));
                units.push((format!("|{}x|{}", escape(system), escape(code)), false));
            }
            number(l, span, &units);
        }
        Value::Uri(uri) => uris(l, uri),
        Value::Position(position) => near(l, position),
    }
    l.put("missing", "false", Some(true));
    l.put("missing", "true", Some(false));
    list.asked
}

fn token(l: &mut List, system: Option<&str>, code: &str, bare: bool) {
    let escaped = escape(code);
    if !code.is_empty() {
        l.put("", &escaped, Some(true));
        l.put("not", &escaped, Some(false));
        l.put("", &format!("|{escaped}"), bare.then_some(true));
        l.put("not", &format!("|{escaped}"), bare.then_some(false));
        l.put("", &format!("{escaped}x"), None);
        l.put("", &escape(&code.to_uppercase()), None);
        l.put("", &format!("http://nosuch.system|{escaped}"), None);
    }
    if let Some(system) = system {
        let system = escape(system);
        l.put("", &format!("{system}|"), Some(true));
        l.put("not", &format!("{system}|"), Some(false));
        if !code.is_empty() {
            l.put("", &format!("{system}|{escaped}"), Some(true));
            l.put("not", &format!("{system}|{escaped}"), Some(false));
            l.put("", &format!("{system}x|{escaped}"), None);
        }
    }
}

fn display(l: &mut List, text: &str) {
    l.put("text", &escape(text), Some(true));
    l.put("text", &escape(&text.to_uppercase()), None);
    l.put("text", &escape(&text.chars().take(3).collect::<String>()), None);
    l.put("text", &escape(&format!("{text}x")), None);
}

fn string(l: &mut List, s: &str) {
    let count = s.chars().count();
    let starting = |n: usize| s.chars().take(n).collect::<String>();
    l.put("", &escape(s), Some(true));
    l.put("exact", &escape(s), Some(true));
    l.put("contains", &escape(s), Some(true));
    l.put("exact", &escape(&s.to_uppercase()), None);
    l.put("", &escape(&s.to_uppercase()), None);
    l.put("", &escape(&normalise(s)), Some(true));
    l.put("", &escape(&format!("{s}x")), None);
    string_starts(l, s);
    for n in [1, 2, 3, count / 2, count.saturating_sub(1)] {
        l.put("exact", &escape(&starting(n)), None);
        for inside in [s.chars().skip(n).collect::<String>(), s.chars().skip(n / 2).take(n.max(2)).collect()] {
            // but for what is nothing but punctuation
            l.put("contains", &escape(&inside), inside.chars().any(char::is_alphanumeric).then_some(true));
        }
    }
}

fn string_starts(l: &mut List, s: &str) {
    let count = s.chars().count();
    for n in [1, 2, 3, count / 2, count.saturating_sub(1), count] {
        // the normal form of a start is the start of the normal form
        let start: String = s.chars().take(n).collect();
        l.put("", &escape(&start), start.chars().any(char::is_alphanumeric).then_some(true));
    }
}

fn reference(l: &mut List, r: &str) {
    let escaped = escape(r);
    let Some(target) = Target::read(r) else {
        // into the resource itself: nothing to be found by
        l.put("", &escaped, None);
        return;
    };
    l.put("", &escape(target.unversioned), Some(true));
    l.put("", &format!("{}x", escape(target.unversioned)), None);
    if let Some(version) = target.version {
        l.put("", r, Some(true)); // the bar before a version stands as it is
        l.put("", &format!("{}/_history/{version}x", target.unversioned), None);
    }
    if let Some((ty, id)) = target.local() {
        l.put("", &escape(id), None);
        l.put("Patient", &escape(id), (ty == "Patient").then_some(true));
        l.put("Patient", &escaped, (ty == "Patient" && target.version.is_none()).then_some(true));
        l.put("Organization", &escape(id), (ty == "Organization").then_some(true));
        l.put("", &format!("http://server.example/fhir/{}", escape(r)), None);
    }
}

fn uris(l: &mut List, uri: &str) {
    l.put("", &escape(uri), Some(true));
    l.put("below", &escape(uri), Some(true));
    l.put("above", &escape(uri), Some(true));
    l.put("", &escape(&format!("{uri}x")), None);
    l.put("below", &escape(&format!("{uri}x")), None);
    l.put("above", &escape(&format!("{uri}/a/b")), Some(true));
    l.put("above", &escape(&format!("{uri}x")), None);
    for (at, _) in uri.char_indices().filter(|(_, c)| *c == '/') {
        l.put("below", &escape(&uri[..at]), Some(true));
        l.put("below", &escape(&uri[..at + 1]), Some(true));
        l.put("above", &escape(&uri[..at]), None);
    }
}

const COMPARISONS: [&str; 9] = ["", "eq", "ne", "gt", "lt", "ge", "le", "sa", "eb"];

/// An instant at a precision, if it has a year of four digits.
fn written(at: i64, precision: usize) -> Option<String> {
    if !(2..9990).contains(&(at.div_euclid(DAY) / 366 + 2000)) {
        return None; // about the years of four digits
    }
    let shown = time::shown(at);
    if shown.starts_with("0000") || shown.find('-') != Some(4) {
        return None;
    }
    let (day, of_day) = shown.split_once('T').unwrap_or((&shown, "00:00:00"));
    let mut full = format!("{day}T{}", of_day.trim_end_matches('Z'));
    if full.len() == 19 {
        full.push_str(".000000");
    }
    Some(match precision {
        0 => full[..4].to_owned(),
        1 => full[..7].to_owned(),
        2 => full[..10].to_owned(),
        3 => format!("{}Z", &full[..16]),
        4 => full[..19].to_owned(),
        5 => format!("{}+00:00", &full[..23]),
        _ => format!("{}-00:00", &full[..26]),
    })
}

fn date(l: &mut List, i: Interval) {
    approximately(l, i);
    for precision in 0..7 {
        let mut texts: Vec<String> = Vec::new();
        for at in [i.low, i.last()].into_iter().filter(|at| !matches!(*at, time::OPEN_LOW | time::OPEN_HIGH)) {
            let step = [366 * DAY, 31 * DAY, DAY, 60_000_000, 1_000_000, 1_000, 1][precision];
            for near in [-1, 0, 1] {
                texts.extend(written(at.saturating_add(near * step), precision));
            }
        }
        texts.dedup();
        for text in texts {
            let s = time::parse(&text).unwrap_or_else(|| panic!("{text}"));
            for comparison in COMPARISONS {
                l.put("", &format!("{comparison}{text}"), Some(holds(comparison, s, i)));
            }
        }
    }
}

fn near(l: &mut List, at: Position) {
    let Position { latitude, longitude } = at;
    for distance in ["", "|0", "|1|m", "|5", "|300|km", "|2000|[mi_us]", "|20100|km"] {
        l.put("", &format!("{latitude}|{longitude}{distance}"), Some(true));
        // a degree of latitude is 111 km
        let other = if latitude > 0.0 { latitude - 1.0 } else { latitude + 1.0 };
        l.put("", &format!("{other}|{longitude}{distance}"), Some(matches!(distance, "|300|km" | "|2000|[mi_us]" | "|20100|km")));
        l.put("", &format!("{}|{}{distance}", -latitude, (longitude + 360.0) % 360.0 - 180.0), None);
    }
}

/// Intervals about the ends of the date.
fn approximately(l: &mut List, i: Interval) {
    let ends: Vec<i64> = [i.low, i.last()].into_iter().filter(|at| !matches!(*at, time::OPEN_LOW | time::OPEN_HIGH) && written(*at, 6).is_some()).collect();
    for at in ends {
        for (before, after) in [(0, 1), (1, 0), (DAY, DAY), (40 * DAY, -DAY), (-DAY, 400 * DAY), (4_000 * DAY, 0), (-1, 2)] {
            let s = Interval { low: at.saturating_sub(before), high: at.saturating_add(after) };
            if let (Some(_), Some(_)) = (written(s.low, 0), written(s.high, 0))
                && s.low < s.high
            {
                let overlaps = i.low < s.high && s.low < i.high;
                l.put("", &format!("ap{}/{}", time::instant_text(s.low), time::instant_text(s.high)), Some(overlaps));
            }
        }
    }
}

/// The words of the table at <https://hl7.org/fhir/R4/search.html#prefix>, put another way than in `matches`:
/// `s` is the range of the search value, `t` that of the target.
fn holds(comparison: &str, s: Interval, t: Interval) -> bool {
    let t_last = t.high.saturating_sub(i64::from(t.high != time::OPEN_HIGH));
    let s_last = s.high - 1;
    let inside = s.low <= t.low && t_last <= s_last;
    let overlaps = t.low <= s_last && s.low <= t_last;
    let some_above = t_last > s_last;
    let some_below = t.low < s.low;
    match comparison {
        "" | "eq" => inside,
        "ne" => !inside,
        "gt" => some_above,
        "lt" => some_below,
        "ge" => some_above || inside,
        "le" => some_below || inside,
        "sa" => !overlaps && t.low > s_last,
        "eb" => !overlaps && t_last < s.low,
        other => panic!("{other}"),
    }
}

fn number(l: &mut List, span: Span, units: &[(String, bool)]) {
    let ends = [span.low, span.high].into_iter().filter_map(|b| match b {
        Bound::Infinite => None,
        Bound::Open(b) | Bound::Closed(b) => Decimal::decode(b).map(|d| d.to_string()),
    });
    let point = matches!((span.low, span.high), (Bound::Closed(a), Bound::Closed(b)) if a == b);
    let mut ends: Vec<String> = ends.collect();
    ends.dedup();
    for text in ends {
        let fraction = text.split_once('.').map_or(0, |(_, f)| f.len());
        let with_zero = if text.contains('e') { text.clone() } else { format!("{text}{}0", if fraction == 0 { "." } else { "" }) };
        let mut texts = vec![text.clone(), with_zero.clone(), format!("{with_zero}1"), format!("-{text}").replace("--", "")];
        if !text.contains('e') {
            texts.push(format!("{text}e0"));
            texts.push(format!("{text}e1"));
            texts.push(format!("{text}e-1"));
            if fraction > 0 {
                texts.push(text[..text.len() - 1].trim_end_matches('.').to_owned());
            }
        }
        for (n, value) in texts.iter().enumerate() {
            if Decimal::parse(value).is_none() {
                continue;
            }
            for comparison in COMPARISONS.into_iter().chain(["ap"]) {
                for (unit, fits) in units {
                    // the value itself, or itself written longer
                    let same = n < 2 && point && *fits;
                    let source = match comparison {
                        "" | "eq" | "ge" | "le" | "ap" if same => Some(true),
                        "ne" | "gt" | "lt" | "sa" | "eb" if same => Some(false),
                        _ => None,
                    };
                    l.put("", &format!("{comparison}{value}{unit}"), source);
                }
            }
        }
    }
}

/// Queries of composite parameters out of the values of one resource.
pub fn composites(ty: TypeId, keys: Keys, numbers: &mut Numbers) -> Vec<Asked> {
    let mut out = Vec::new();
    for parameter in model::search_parameters(ty).filter(|p| p.ty == ParameterType::Composite) {
        // for each component: value and element
        let parts: Vec<Vec<(String, u32)>> = parameter
            .components
            .iter()
            .filter_map(|(url, _)| model::search_parameter_by_url(url))
            .map(|component| {
                let values = keys.of(component.key).flat_map(|e| {
                    let asked = of_value("x", &e.value).into_iter().filter(|a| a.modifier.is_empty() && a.source == Some(true));
                    asked.map(move |a| (a.value, e.element))
                });
                values.take(300).collect()
            })
            .collect();
        if parts.is_empty() || parts.iter().any(Vec::is_empty) {
            continue;
        }
        for _ in 0..6 {
            let chosen: Vec<&(String, u32)> = parts.iter().map(|part| numbers.pick(part)).collect();
            let together = chosen.iter().all(|(_, element)| *element == chosen[0].1);
            let value = chosen.iter().map(|(value, _)| value.as_str()).collect::<Vec<_>>().join("$");
            out.push(Asked { name: parameter.code.to_owned(), modifier: "", value, source: together.then_some(true) });
        }
    }
    out
}
