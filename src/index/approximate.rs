//! The prefix `ap` on dates: what is near depends on how long ago it is, so the clock comes in here, once, before any row is read.
//!
//! <https://hl7.org/fhir/R4/search.html#prefix>: a date is approximately another within 10 % of the gap between now and that
//! date, and the two ranges must overlap. What rows are asked is the widened range itself, as `apSTART/END`: two instants, the second outside.

use super::operand::prefix;
use super::query::{Argument, Comparison, meanings, split_unescaped};
use super::reserved;
use super::time::{self, Interval};
use crate::model::{self, ParameterType, SearchParameter, TypeId};

/// The argument with every `ap` on a date made into the interval that it means at `now` (microseconds since 2000-01-01 UTC).
/// What is no such date stays as it is.
pub fn resolve(resource_type: Option<TypeId>, argument: &Argument, now: i64) -> Argument {
    let mut resolved = argument.clone();
    if !argument.value.contains("ap") {
        return resolved;
    }
    let meanings = meanings(resource_type, &argument.name);
    let types: Vec<ParameterType> = match meanings.first() {
        Some(first) if first.ty == ParameterType::Composite => match first.definitions.first() {
            Some(definition) => components(definition),
            None => reserved::types(&argument.name).unwrap_or_default(),
        },
        Some(_) if meanings.iter().any(|m| m.ty == ParameterType::Date) => vec![ParameterType::Date],
        _ => return resolved,
    };
    let alternatives = split_unescaped(&argument.value, ',').into_iter().map(|alternative| {
        let parts = split_unescaped(alternative, '$').into_iter().enumerate().map(|(n, part)| match types.get(n) {
            Some(ParameterType::Date) => approximate(part, now).unwrap_or_else(|| part.to_owned()),
            _ => part.to_owned(),
        });
        parts.collect::<Vec<_>>().join("$")
    });
    resolved.value = alternatives.collect::<Vec<_>>().join(",");
    resolved
}

fn components(composite: &SearchParameter) -> Vec<ParameterType> {
    let ty = |(url, _): &(&str, &str)| model::search_parameter_by_url(url).map_or(ParameterType::Special, |p| p.ty);
    composite.components.iter().map(ty).collect()
}

/// `ap2020-01` as the interval that it means at `now`; `None` if it is not `ap` and a date, or has been resolved already.
pub fn approximate(value: &str, now: i64) -> Option<String> {
    let (Comparison::Ap, date) = prefix(value) else { return None };
    let date = time::parse(date)?;
    let gap = if now < date.low { date.low.saturating_sub(now) } else { now.saturating_sub(date.high).max(0) };
    // years of four digits: what is beyond cannot be written, and no data is there
    let (first, last) = (time::parse("0001")?.low, time::parse("9999")?.high - 1);
    let low = date.low.saturating_sub(gap / 10).clamp(first, last - 1);
    let high = date.high.saturating_add(gap / 10).clamp(low + 1, last);
    Some(format!("ap{}/{}", time::instant_text(low), time::instant_text(high)))
}

/// Reads `START/END`, both full instants.
pub(super) fn read(text: &str) -> Option<Interval> {
    let instant = |text: &str| (text.contains('T') && text.ends_with('Z')).then(|| time::parse(text)).flatten();
    let (low, high) = text.split_once('/')?;
    let interval = Interval { low: instant(low)?.low, high: instant(high)?.low };
    (interval.low < interval.high).then_some(interval)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::query::Query;

    fn at(text: &str) -> i64 {
        time::parse(text).unwrap().low
    }

    fn resolved(search: &str, now: &str) -> String {
        let (ty, arguments) = crate::index::query::arguments(search).unwrap();
        resolve(ty, &arguments[0], at(now)).value
    }

    #[test]
    fn a_date_is_widened_by_a_tenth_of_its_distance_from_now() {
        // 100 days before the day, 10 days to either side
        let now = time::instant_text(at("2020-01-01") + 101 * time::DAY);
        assert_eq!(approximate("ap2020-01-01", at(&now)).unwrap(), "ap2019-12-22T00:00:00Z/2020-01-12T00:00:00Z");
        // and from the future the same
        let now = time::instant_text(at("2020-01-01") - 100 * time::DAY);
        assert_eq!(approximate("ap2020-01-01", at(&now)).unwrap(), "ap2019-12-22T00:00:00Z/2020-01-12T00:00:00Z");
        // now lies inside: nothing to widen
        assert_eq!(approximate("ap2020", at("2020-05-05")).unwrap(), "ap2020-01-01T00:00:00Z/2021-01-01T00:00:00Z");
        assert_eq!(approximate("ap0001", at("2020")).unwrap().split('/').next(), Some("ap0001-01-01T00:00:00Z"));
        for no in ["2020", "apx", "ap", "ge2020", "ap2020-01-01T00:00:00Z/2021-01-01T00:00:00Z"] {
            assert_eq!(approximate(no, 0), None, "{no}");
        }
    }

    #[test]
    fn only_the_dates_of_an_argument_are_resolved() {
        let now = "2020-06-01";
        assert_eq!(resolved("Patient?birthdate=ge2019,ap2020", now), "ge2019,ap2020-01-01T00:00:00Z/2021-01-01T00:00:00Z");
        assert_eq!(resolved("Observation?value-quantity=ap2020", now), "ap2020");
        assert_eq!(resolved("Patient?name=ap2020", now), "ap2020");
        assert_eq!(resolved("Observation?code-value-date=a$ap2020", now), "a$ap2020-01-01T00:00:00Z/2021-01-01T00:00:00Z");
        assert_eq!(resolved("$token$date=a$ap2020", now), "a$ap2020-01-01T00:00:00Z/2021-01-01T00:00:00Z");
        assert_eq!(resolved("Observation?code-value-quantity=a$ap2020", now), "a$ap2020");
    }

    #[test]
    fn what_was_resolved_can_be_asked_of_a_row_and_what_was_not_is_refused() {
        assert!(Query::parse("Patient?birthdate=ap2020-01-01T00:00:00Z/2021-01-01T00:00:00Z").is_ok());
        for bad in ["ap2020", "ap2020-01-01T00:00:00Z", "ap2021-01-01T00:00:00Z/2020-01-01T00:00:00Z", "ap2020/2021", "2020-01-01T00:00:00Z/2021-01-01T00:00:00Z"] {
            assert!(Query::parse(&format!("Patient?birthdate={bad}")).is_err(), "{bad}");
        }
    }
}
