//! The axis of time: which moments are drawn where, and which of them carry a tick.

use crate::index::time::{self, DAY};

const HOUR: i64 = DAY / 24;
const MINUTE: i64 = HOUR / 60;

/// From a stretch of time to a stretch of the picture.
#[derive(Debug, Clone, Copy)]
pub struct Axis {
    /// The stretch of time.
    pub low: i64,
    pub high: i64,
    /// Where it is drawn.
    pub left: f64,
    pub right: f64,
}

/// A line across the picture.
#[derive(Debug, PartialEq)]
pub struct Tick {
    pub at: i64,
    pub label: String,
    /// The year that begins here, where one does.
    pub year: Option<i64>,
}

#[derive(Clone, Copy)]
enum Step {
    Years(i64),
    Months(i64),
    /// A whole number of them makes a day, or they are days.
    Span(i64),
}

const STEPS: &[Step] = &[
    Step::Span(MINUTE),
    Step::Span(5 * MINUTE),
    Step::Span(15 * MINUTE),
    Step::Span(HOUR),
    Step::Span(3 * HOUR),
    Step::Span(6 * HOUR),
    Step::Span(12 * HOUR),
    Step::Span(DAY),
    Step::Span(2 * DAY),
    Step::Span(7 * DAY),
    Step::Months(1),
    Step::Months(3),
    Step::Months(6),
    Step::Years(1),
    Step::Years(2),
    Step::Years(5),
    Step::Years(10),
    Step::Years(20),
    Step::Years(50),
    Step::Years(100),
    Step::Years(500),
    Step::Years(1_000),
];

impl Step {
    fn length(self) -> i64 {
        match self {
            Step::Years(n) => n * 365 * DAY,
            Step::Months(n) => n * 30 * DAY,
            Step::Span(n) => n,
        }
    }
}

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Least pixels from one tick to the next.
const GAP: f64 = 64.0;

/// The beginning of a month, which may lie beyond the twelfth; `None` outside of the years that FHIR has.
fn month_start(year: i64, month: i64) -> Option<i64> {
    let (year, month) = (year + (month - 1).div_euclid(12), (month - 1).rem_euclid(12) + 1);
    (1..=9999).contains(&year).then(|| time::parse(&format!("{year:04}-{month:02}")))?.map(|at| at.low)
}

/// Year, month and day of an instant.
pub fn date(at: i64) -> (i64, i64, i64) {
    let shown = time::shown(at);
    let mut parts = shown.get(..10).unwrap_or_default().split('-').map(|part| part.parse().unwrap_or(1));
    (parts.next().unwrap_or(1), parts.next().unwrap_or(1), parts.next().unwrap_or(1))
}

impl Axis {
    /// Where a moment is drawn; what lies outside, at the edge.
    pub fn x(&self, at: i64) -> f64 {
        let (low, high) = (self.low as f64, self.high as f64);
        let part = (at as f64 - low) / (high - low).max(1.0);
        self.left + part.clamp(0.0, 1.0) * (self.right - self.left)
    }

    /// The ticks: as many as have room, on round moments.
    pub fn ticks(&self) -> Vec<Tick> {
        let most = ((self.right - self.left) / GAP).max(1.0);
        let span = self.high.saturating_sub(self.low);
        let step = STEPS.iter().copied().find(|step| span as f64 / step.length() as f64 <= most).unwrap_or(Step::Years(1_000));
        let mut ticks = Vec::new();
        let (year, month, _) = date(self.low);
        match step {
            Step::Years(n) => {
                let mut at = year.div_euclid(n) * n;
                while let Some(start) = month_start(at.max(1), 1).filter(|start| *start <= self.high) {
                    ticks.push(Tick { at: start, label: format!("{}", at.max(1)), year: Some(at.max(1)) });
                    at += n;
                }
            }
            Step::Months(n) => {
                let mut at = (month - 1).div_euclid(n) * n + 1;
                while let Some(start) = month_start(year, at).filter(|start| *start <= self.high) {
                    let (year, month, _) = date(start);
                    let name = MONTHS.get(month as usize - 1).copied().unwrap_or_default();
                    ticks.push(Tick { at: start, label: format!("{name} {year}"), year: None });
                    at += n;
                }
            }
            Step::Span(n) => {
                let mut at = self.low.div_euclid(n) * n;
                while at <= self.high {
                    let (_, month, day) = date(at);
                    let name = MONTHS.get(month as usize - 1).copied().unwrap_or_default();
                    let clock = time::shown(at);
                    let label = match clock.get(11..16) {
                        Some(clock) if n < DAY => clock.to_owned(),
                        _ => format!("{day} {name}"),
                    };
                    ticks.push(Tick { at, label, year: None });
                    at += n;
                }
            }
        }
        ticks.retain(|tick| tick.at >= self.low);
        ticks
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axis(low: &str, high: &str) -> Axis {
        Axis { low: time::parse(low).unwrap().low, high: time::parse(high).unwrap().high, left: 0.0, right: 640.0 }
    }

    fn labels(low: &str, high: &str) -> String {
        axis(low, high).ticks().into_iter().map(|tick| tick.label).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn ticks_stand_on_round_moments() {
        assert_eq!(labels("1953", "2016"), "1960 1970 1980 1990 2000 2010");
        assert_eq!(labels("2010-05", "2016"), "2011 2012 2013 2014 2015 2016 2017");
        assert_eq!(labels("2015-02", "2015-10"), "Feb 2015 Mar 2015 Apr 2015 May 2015 Jun 2015 Jul 2015 Aug 2015 Sep 2015 Oct 2015 Nov 2015");
        assert_eq!(labels("2015-03-01", "2015-03-06"), "1 Mar 2 Mar 3 Mar 4 Mar 5 Mar 6 Mar 7 Mar");
        assert_eq!(labels("2015-03-01", "2015-03-01"), "1 Mar 03:00 06:00 09:00 12:00 15:00 18:00 21:00 2 Mar");
        assert_eq!(labels("0001", "9999"), "1 1000 2000 3000 4000 5000 6000 7000 8000 9000");
    }

    #[test]
    fn ticks_leave_room_for_their_labels_whatever_the_stretch() {
        for high in ["1950", "1950-02-03", "1951", "1960", "1999-12-31T10:11:12.5Z", "2400", "9999"] {
            let axis = axis("1950", high);
            let at: Vec<f64> = axis.ticks().iter().map(|tick| axis.x(tick.at)).collect();
            assert!(at.windows(2).all(|pair| pair[1] - pair[0] > 48.0), "{high} {at:?}");
            assert!(!at.is_empty() && at.len() < 15, "{high} {at:?}");
        }
    }

    #[test]
    fn what_lies_outside_is_at_the_edge() {
        let axis = axis("2000", "2009");
        assert_eq!((axis.x(i64::MIN), axis.x(i64::MAX)), (0.0, 640.0));
    }
}
