//! How somebody lives and works: "lives with wife", "nursing home", "works as a teacher", "retired".

use super::words::{Cue, Reader};
use crate::nlp::entity::Kind;
use crate::nlp::section::Role;
use crate::nlp::token::Class;

type Span = (u32, u32, Kind);

fn is_little(r: &Reader, at: u32) -> bool {
    r.cue(at) == Cue::Article || ["his", "her", "their", "my", "own"].iter().any(|w| r.is(at, w))
}

/// "lives alone", "lives with his wife and son", "lives in an assisted living facility", "lives at home".
pub fn lives(r: &Reader, at: u32) -> Option<Span> {
    let found = |end: u32| Some((at, end, Kind::LivingStatus));
    let mut next = at + 1;
    if ["currently", "now", "independently", "here"].iter().any(|w| r.is(next, w)) {
        if r.is(next, "independently") {
            return found(next + 1);
        }
        next += 1;
    }
    if r.is(next, "alone") || r.is(next, "independently") || r.is(next, "together") {
        return found(next + 1);
    }
    if r.is(next, "by") && ["himself", "herself", "themselves", "themself"].iter().any(|w| r.is(next + 1, w)) {
        return found(next + 2);
    }
    let short = r.is(next, "w") && r.is_mark(next + 1, b'/');
    if short {
        next += 1;
    }
    if short || r.is(next, "with") {
        // up to the last person of "with his wife and 2 children", never "living with HIV"
        let mut end = None;
        for t in r.from(next + 1, 12) {
            match r.cue(t) {
                Cue::Person => end = Some(t + 1),
                Cue::Number => {}
                _ if is_little(r, t) || r.class(t) == Class::Number || r.is_mark(t, b',') || r.is_mark(t, b'&') || r.is(t, "and") => {}
                _ if ["adult", "young", "elderly", "younger", "older", "supportive", "ex"].iter().any(|w| r.is(t, w)) || r.is_mark(t, b'-') => {}
                _ => break,
            }
        }
        return end.and_then(found);
    }
    if !["in", "at", "on"].iter().any(|w| r.is(next, w)) {
        return None;
    }
    // up to the house: "in a 2 story house", "in a skilled nursing facility"
    for t in r.from(next + 1, 8) {
        match r.cue(t) {
            // "assisted living facility"
            Cue::House => {
                let more = r.cue(t + 1) == Cue::House;
                return found(if more { t + 2 } else { t + 1 });
            }
            Cue::Lives if r.is(t, "living") && r.is(t.wrapping_sub(1), "assisted") => {
                return found(if r.cue(t + 1) == Cue::House { t + 2 } else { t + 1 });
            }
            _ if r.class(t) == Class::Mark && !r.is_mark(t, b'-') || r.is(t, "with") || r.is(t, "and") => return None,
            _ => {}
        }
    }
    None
}

/// "nursing home", "assisted living facility", "group home", "homeless": without "lives in".
pub fn housed(r: &Reader, at: u32) -> Option<Span> {
    let next = at + 1;
    let end = if r.cue(at) == Cue::Homeless {
        if r.is(next, "shelter") { next + 1 } else { next }
    } else if r.is(at, "nursing") && r.is(next, "home") || r.is(at, "group") && r.is(next, "home") {
        if r.is(next + 1, "resident") { next + 2 } else { next + 1 }
    } else if r.is(at, "assisted") && r.is(next, "living") {
        if r.cue(next + 1) == Cue::House { next + 2 } else { next + 1 }
    } else {
        return None;
    };
    Some((at, end, Kind::LivingStatus))
}

/// "works as a teacher", "unemployed", "retired", "on disability", "employed full time".
pub fn works(r: &Reader, at: u32) -> Option<Span> {
    let next = at + 1;
    let found = |end: u32| Some((at, end, Kind::Employment));
    let social = r.role(at) == Role::SocialHistory;
    let is_any = |at: u32, words: &[&str]| words.iter().any(|w| r.is(at, w));
    let time = |at: u32| {
        let hyphen = if r.is_mark(at + 1, b'-') { at + 2 } else { at + 1 };
        (is_any(at, &["full", "part"]) && r.is(hyphen, "time")).then_some(hyphen + 1)
    };
    match r.cue(at) {
        Cue::Unemployed => found(next),
        // "retired to bed" is none
        Cue::Retired => (!is_any(next, &["to", "for"])).then(|| found(next)).flatten(),
        Cue::Employed => {
            let before = at.checked_sub(1);
            if before.is_some_and(|b| r.is_mark(b, b'-')) && at >= 2 && r.is(at - 2, "self") {
                return Some((at - 2, next, Kind::Employment));
            }
            if let Some(end) = time(next) {
                return found(end);
            }
            let person = before.is_some_and(|b| is_any(b, &["currently", "gainfully", "not"]));
            (social || person || is_any(next, &["as", "at", "by"]) && !is_any(before.unwrap_or(at), &["was", "were"])).then(|| found(next)).flatten()
        }
        Cue::Works => {
            let rest = if is_any(next, &["currently", "mainly", "pt", "ft"]) { next + 1 } else { next };
            if let Some(end) = time(rest) {
                return found(end);
            }
            if r.is(at, "working") && at.checked_sub(1).is_some_and(|b| is_any(b, &["not", "currently", "still"])) {
                return found(next);
            }
            if is_any(rest, &["nights", "days"]) {
                return found(rest + 1);
            }
            let place = is_any(rest, &["at", "in"]) && (social || r.is(at, "works")) && r.before(at, 4).any(|t| is_any(t, &["he", "she", "patient", "pt", "who", "they", "currently"])) || is_any(rest, &["at", "in", "for"]) && social;
            if !(r.is(rest, "as") && (is_little(r, rest + 1) || social) || place) {
                return None;
            }
            // up to four words more: "as a high school teacher"
            let mut end = rest + 1;
            while is_little(r, end) && end < rest + 3 {
                end += 1;
            }
            let words = end;
            let stops = ["and", "but", "with", "at", "in", "for", "since", "who", "until", "on", "lives", "denies"];
            while end < words + 4 && r.class(end) == Class::Word && !is_any(end, &stops) && !r.from(end, 1).is_empty() {
                end += 1;
            }
            (end > words).then(|| found(end)).flatten()
        }
        _ => None,
    }
}

/// "on disability", "out of work", "laid off".
pub fn idle(r: &Reader, at: u32) -> Option<Span> {
    let end = if r.is(at, "disability") && r.is(at.wrapping_sub(1), "on") {
        return Some((at - 1, at + 1, Kind::Employment));
    } else if r.is(at, "laid") && r.is(at + 1, "off") {
        at + 2
    } else if r.is(at, "homemaker") || r.is(at, "housewife") {
        at + 1
    } else {
        return None;
    };
    Some((at, end, Kind::Employment))
}
