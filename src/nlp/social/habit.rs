//! Tobacco, alcohol and drugs: what of them, how much, and what the words themselves say of never and formerly.

use super::words::{Cue, Reader};
use crate::nlp::cover::{CONDITION, MEDICATION};
use crate::nlp::entity::{Certainty, Kind, Temporality};
use crate::nlp::section::Role;
use crate::nlp::token::Class;

/// A habit that a text names.
#[derive(Clone, Debug)]
pub struct Habit {
    /// tokens from–to
    pub begin: u32,
    pub end: u32,
    pub kind: Kind,
    pub certainty: Certainty,
    pub temporality: Temporality,
}

/// How much and how often, of a habit.
#[derive(Clone, Debug)]
pub struct Amount {
    pub begin: u32,
    pub end: u32,
    pub kind: Kind,
    /// "per day", "/day", "daily" behind it
    pub often: Option<(u32, u32)>,
}

/// The habit whose name begins at a token.
pub fn named(r: &Reader, at: u32) -> Option<Habit> {
    let cue = r.cue(at);
    let mut end = at + 1;
    let kind = match cue {
        Cue::Tobacco | Cue::Nonsmoker | Cue::Exsmoker | Cue::Smoked => Kind::TobaccoUse,
        Cue::Smoke => {
            let other = ["inhalation", "exposure", "alarm", "detector", "detectors", "alarms"].iter().any(|w| r.is(end, w));
            let passive = r.before(at, 2).any(|t| ["second", "secondhand", "passive", "hand"].iter().any(|w| r.is(t, w)));
            if other || passive || follows_drug(r, end) {
                return None;
            }
            Kind::TobaccoUse
        }
        Cue::Etoh | Cue::Nondrinker => Kind::AlcoholConsumption,
        Cue::Alcohol => {
            if !is_habit(r, at) || ["swab", "swabs", "wipe", "wipes", "prep", "withdrawal", "level", "rub", "based"].iter().any(|w| r.is(end, w)) {
                return None;
            }
            if r.is(end, "beverages") || r.is(end, "beverage") {
                end += 1;
            } else if r.is(at, "alcoholic") {
                return None;
            }
            Kind::AlcoholConsumption
        }
        Cue::Drink | Cue::Drank if is_drinking(r, at) => Kind::AlcoholConsumption,
        Cue::Illicit => Kind::RecreationalDrugUse,
        Cue::Drug if is_habit(r, at) => Kind::RecreationalDrugUse,
        Cue::Kind => {
            // illicit drugs, IV drug use
            while r.cue(end) == Cue::Kind && end < at + 3 {
                end += 1;
            }
            let drugs = r.cue(end) == Cue::Drugs;
            if drugs {
                end += 1;
            }
            let plain = ["iv", "intravenous", "street", "injection"].iter().any(|w| r.is(at, w));
            if plain && (!drugs || (!r.is(at, "street") && r.cue(end) != Cue::Use)) || r.is(at, "recreational") && !drugs || !drugs && r.class(end) == Class::Word && r.is(at, "illicit") {
                return None;
            }
            Kind::RecreationalDrugUse
        }
        Cue::Drugs if r.cue(end) == Cue::Use || (r.is_mark(end, b':') || after_other_habit(r, at)) && r.is(at, "drugs") => Kind::RecreationalDrugUse,
        _ => return None,
    };
    // "tobacco use", "cigarette smoking", "marijuana smoking"
    if matches!(r.cue(end), Cue::Use | Cue::Smoke) && cue != Cue::Smoke {
        end += 1;
    }
    let (certainty, temporality) = state(r, at, end);
    Some(Habit { begin: at, end, kind, certainty, temporality })
}

/// "smokes marijuana" is no tobacco.
fn follows_drug(r: &Reader, end: u32) -> bool {
    r.cue(end) == Cue::Drug
}

/// Whether the words about a substance tell of a habit: the drug of a paper or a test has none of them.
fn is_habit(r: &Reader, at: u32) -> bool {
    if r.role(at) == Role::SocialHistory || matches!(r.cue(at + 1), Cue::Use | Cue::Rarely) || r.is_mark(at + 1, b':') && r.class(at + 2) != Class::Number {
        return true;
    }
    // a word that few but nurses write
    if !r.cover.has(at, MEDICATION | CONDITION) && ["marijuana", "heroin", "meth"].iter().any(|w| r.is(at, w)) {
        return true;
    }
    r.before(at, 6).any(|t| {
        matches!(r.cue(t), Cue::Habit | Cue::Denies | Cue::Never | Cue::Quit | Cue::Drink | Cue::Drank | Cue::Smoke | Cue::Smoked | Cue::Tobacco | Cue::Etoh | Cue::Illicit)
            || r.cue(t) == Cue::None && t + 3 >= at
            || r.cue(t) == Cue::Alcohol && t + 4 >= at
    })
}

/// Whether another habit stands before in a list: "tobacco, alcohol or drugs".
fn after_other_habit(r: &Reader, at: u32) -> bool {
    r.before(at, 4).any(|t| matches!(r.cue(t), Cue::Tobacco | Cue::Alcohol | Cue::Etoh | Cue::Drug | Cue::Smoke))
}

/// Whether "drinks" is of alcohol.
fn is_drinking(r: &Reader, at: u32) -> bool {
    let mut number = false;
    for t in r.from(at + 1, 7) {
        match r.cue(t) {
            Cue::Alcohol | Cue::Etoh | Cue::Beverage | Cue::Rarely => return true,
            Cue::Glass if number && !r.is(t, "drink") => return r.from(t, 4).any(|t| matches!(r.cue(t), Cue::Beverage | Cue::Alcohol)),
            _ if r.is(t, "water") || r.is(t, "coffee") || r.is(t, "fluids") || r.is(t, "milk") || r.is(t, "juice") || r.is(t, "soda") || r.is(t, "tea") => return false,
            _ => {}
        }
        number |= r.class(t) == Class::Number || r.cue(t) == Cue::Number;
    }
    // "does not smoke or drink", "never drinks"
    let closes = r.from(at + 1, 1).is_empty() || r.class(at + 1) != Class::Word || r.is(at + 1, "or") || r.is(at + 1, "and");
    let habit = r.before(at, 4).any(|t| matches!(r.cue(t), Cue::Not | Cue::Never | Cue::Smoke | Cue::Quit | Cue::Denies) || r.is(t, "binge"));
    closes && habit && !r.is(at.wrapping_sub(1), "a")
}

/// What the words themselves say of when and whether: "never smoker", "former smoker", "Tobacco: none", "smoked, quit 2005".
fn state(r: &Reader, begin: u32, end: u32) -> (Certainty, Temporality) {
    let mut state = match r.cue(begin) {
        Cue::Nonsmoker | Cue::Nondrinker => (Certainty::Negative, Temporality::Current),
        // "has smoked since 1990" goes on
        Cue::Smoked if r.before(begin, 2).any(|t| r.is(t, "has") || r.is(t, "have")) => (Certainty::Positive, Temporality::Current),
        Cue::Exsmoker | Cue::Smoked | Cue::Drank => (Certainty::Positive, Temporality::Past),
        _ => (Certainty::Positive, Temporality::Current),
    };
    for t in r.before(begin, 3) {
        match r.cue(t) {
            Cue::Never | Cue::Not => state.0 = Certainty::Negative,
            Cue::Former => state.1 = Temporality::Past,
            Cue::Quit if !is_wished(r, t) => state.1 = Temporality::Past,
            _ if r.class(t) == Class::Mark && !r.is_mark(t, b'-') && !r.is_mark(t, b'/') => break,
            _ => {}
        }
    }
    // "smoked until 2005", "smoking 1 ppd, quit in 2005"
    for t in r.from(end, 14) {
        match r.cue(t) {
            Cue::Quit if !is_wished(r, t) => {
                state.1 = Temporality::Past;
                break;
            }
            Cue::Alcohol | Cue::Etoh | Cue::Drug | Cue::Illicit | Cue::Drink => break,
            _ if r.is_mark(t, b';') => break,
            _ => {}
        }
    }
    if let Some(answer) = answer(r, end) {
        match r.cue(answer) {
            Cue::Never | Cue::None | Cue::Denies | Cue::Not | Cue::Nonsmoker | Cue::Nondrinker => state.0 = Certainty::Negative,
            Cue::Former | Cue::Quit | Cue::Exsmoker => state.1 = Temporality::Past,
            _ if r.is_mark(answer, b'-') && r.is_mark(answer + 1, b')') => state.0 = Certainty::Negative,
            _ => {}
        }
    }
    if state.0 == Certainty::Negative {
        state.1 = Temporality::Current;
    }
    state
}

/// "wants to quit", "has not quit", "ready to quit": is not done.
fn is_wished(r: &Reader, at: u32) -> bool {
    r.is(at + 1, "date") || r.before(at, 2).any(|t| ["to", "not", "never", "should", "cannot", "can't", "must", "will"].iter().any(|w| r.is(t, w)))
}

/// The first token behind the colon of "Tobacco use: …", "Smoking status: …", "Alcohol (…", "Tobacco/EtOH/drugs: …".
fn answer(r: &Reader, end: u32) -> Option<u32> {
    for t in r.from(end, 8) {
        if r.is_mark(t, b':') || r.is_mark(t, b'(') || r.is_mark(t, b'-') && !r.is_glued(t) {
            return Some(t + 1);
        }
        let listed = matches!(r.cue(t), Cue::Use | Cue::Status | Cue::Tobacco | Cue::Smoke | Cue::Etoh | Cue::Alcohol | Cue::Drugs | Cue::Drug | Cue::Illicit | Cue::Kind)
            || [b'/', b',', b'&'].iter().any(|&m| r.is_mark(t, m))
            || r.is(t, "and")
            || r.is(t, "or");
        if !listed {
            return None;
        }
    }
    None
}

/// "1 ppd", "1/2 pack per day", "20 pack-years", "2 beers/day", "a couple of glasses of wine", "3 drinks a week".
pub fn amount(r: &Reader, at: u32) -> Option<Amount> {
    let mut unit = match (r.class(at), r.cue(at)) {
        (Class::Number, _) => {
            let before = at.checked_sub(1);
            if r.is_glued(at) && before.is_some_and(|b| r.is_mark(b, b'/') || r.is_mark(b, b'-') || r.is_mark(b, b'.')) {
                return None;
            }
            let mut next = at + 1;
            // 1/2, 1-2, 1 1/2
            for _ in 0..2 {
                let joined = r.is_mark(next, b'/') || r.is_mark(next, b'-') || r.is(next, "to");
                if joined && r.class(next + 1) == Class::Number {
                    next += 2;
                } else if r.class(next) == Class::Number {
                    next += 1;
                }
            }
            next
        }
        (_, Cue::Number) => at + if r.is(at + 1, "to") && r.cue(at + 2) == Cue::Number { 3 } else { 1 },
        (_, Cue::Half) => at + if r.cue(at + 1) == Cue::Article { 2 } else { 1 },
        (_, Cue::Couple) => at + if r.is(at + 1, "of") { 2 } else { 1 },
        (_, Cue::Article) if !r.is(at, "the") && matches!(r.cue(at + 1), Cue::Pack | Cue::Glass | Cue::Couple | Cue::Number) => {
            at + match r.cue(at + 1) {
                Cue::Pack | Cue::Glass => 1,
                _ if r.is(at + 2, "of") => 3,
                _ => 2,
            }
        }
        _ => return None,
    };
    if r.is_mark(unit, b'-') || r.is_mark(unit, b'+') {
        unit += 1;
    }
    let mut end = unit + 1;
    let kind = match r.cue(unit) {
        Cue::Ppd => Kind::TobaccoUse,
        Cue::Pack => {
            let year = if r.is_mark(end, b'-') || r.is_mark(end, b'/') { end + 1 } else { end };
            if r.cue(year) == Cue::Year && !r.is_mark(end, b'/') {
                return Some(Amount { begin: at, end: year + 1, kind: Kind::TobaccoUse, often: None });
            }
            let of = if r.is(end, "of") { end + 1 } else { end };
            match r.cue(of) {
                Cue::Beverage => {
                    end = of + 1;
                    Kind::AlcoholConsumption
                }
                Cue::Tobacco => {
                    end = of + 1;
                    Kind::TobaccoUse
                }
                _ if of > end => return None,
                _ => Kind::TobaccoUse,
            }
        }
        Cue::Tobacco if !r.is(unit, "tobacco") && !r.is(unit, "smoker") && !r.is(unit, "smokers") => Kind::TobaccoUse,
        Cue::Beverage => Kind::AlcoholConsumption,
        Cue::Drink if r.is(unit, "drinks") => Kind::AlcoholConsumption,
        Cue::Glass => {
            let of = if r.is(end, "of") { end + 1 } else { end };
            let alcohol = matches!(r.cue(of), Cue::Beverage | Cue::Alcohol | Cue::Etoh);
            if alcohol {
                end = of + 1;
            } else if !(r.cue(unit) == Cue::Drink || r.is(unit, "drink")) {
                return None;
            }
            Kind::AlcoholConsumption
        }
        Cue::Joint if r.cue(end) == Cue::Per || r.is(end, "of") && r.cue(end + 1) == Cue::Drug => Kind::RecreationalDrugUse,
        Cue::Alcohol if r.is(unit, "alcoholic") && r.cue(end) == Cue::Drink => {
            end += 1;
            Kind::AlcoholConsumption
        }
        _ => return None,
    };
    Some(Amount { begin: at, end, kind, often: often(r, end) })
}

/// "per day", "/day", "a day", "daily", "weekly", "on weekends", "socially".
fn often(r: &Reader, at: u32) -> Option<(u32, u32)> {
    let slash = r.is_mark(at, b'/');
    if (slash || matches!(r.cue(at), Cue::Per | Cue::Article)) && r.cue(at + 1) == Cue::Day {
        return Some((if slash { at + 1 } else { at }, at + 2));
    }
    (r.cue(at) == Cue::Rarely || r.is(at, "daily") || r.is(at, "weekly") || r.is(at, "monthly")).then_some((at, at + 1))
}

/// A word of how often near a habit: "drinks socially", "occasional alcohol".
pub fn vaguely(r: &Reader, habit: &Habit) -> Option<(u32, u32)> {
    let behind = r.from(habit.end, 4).find(|&t| r.cue(t) == Cue::Rarely && !r.is(t, "weekends"));
    let before = || habit.begin.checked_sub(1).filter(|&t| ["occasional", "rare", "social", "daily", "weekly"].iter().any(|w| r.is(t, w)));
    behind.or_else(before).map(|t| (t, t + 1))
}
