//! Addresses: streets, cities with their state, where somebody lives, hospitals by name.

use super::Found;
use super::words::{Cue, Reader};
use crate::nlp::entity::Kind;
use crate::nlp::token::{Case, Class};

fn address(begin: u32, end: u32) -> Option<Found> {
    Some(Found { begin, end, kind: Kind::Address, value: None })
}

fn is_capital_word(r: &Reader, at: u32) -> bool {
    r.is_capital(at) && r.note.word(at).len() > 1
}

/// "123 Main Street Apt 4, Boston, MA 02115": begins with the number of the house.
pub fn street(r: &Reader, at: u32) -> Option<Found> {
    if r.digits(at).is_none_or(|digits| digits > 5) || !r.is_capital(at + 1) && r.class(at + 1) != Class::Number {
        return None;
    }
    let mut end = at + 1;
    let mut found = None;
    while end < at + 6 {
        match r.class(end) {
            Class::Word if r.cue(end) == Cue::Street && end > at + 1 && r.is_capital(end) => {
                found = Some(end + 1);
                break;
            }
            Class::Word if r.is_capital(end) && r.note.word(end).len() < 20 => {}
            // "5th Avenue", "N. Main"
            Class::Number if end == at + 1 && ["st", "nd", "rd", "th"].iter().any(|e| r.note.is(end + 1, e)) && r.is_glued(end + 1) => end += 1,
            Class::Mark if r.is_mark(end, b'.') && r.is_glued(end) && end > at + 1 && r.note.word(end - 1).len() <= 2 => {}
            _ => break,
        }
        end += 1;
    }
    let mut end = found?;
    if r.is_mark(end, b'.') && r.is_glued(end) && matches!(r.note.word(end - 1).len(), 2..=4) && r.class(end + 1) != Class::Line {
        end += 1;
    }
    // Apt 4, Suite 200, #3
    let unit = if r.is_mark(end, b',') { end + 1 } else { end };
    let named = r.cue(unit) == Cue::Apartment;
    if named || r.is_mark(unit, b'#') {
        let number = if r.is_mark(unit + 1, b'.') || r.is_mark(unit + 1, b'#') { unit + 2 } else { unit + 1 };
        if matches!(r.class(number), Class::Number) || named && r.is_initial(number) {
            end = number + 1;
            if r.is_glued(end) && r.is_initial(end) {
                end += 1;
            }
        }
    }
    // , City, ST 12345
    let city = if r.is_mark(end, b',') { end + 1 } else { end };
    let city = if r.class(city) == Class::Line { city + 1 } else { city };
    if let Some(stop) = city_state(r, city, true) {
        end = stop;
    }
    address(at, end)
}

/// A city, a state and its number: the token behind. `free`: the state will do without the number.
fn city_state(r: &Reader, at: u32, free: bool) -> Option<u32> {
    let mut comma = at;
    while comma < at + 3 && is_capital_word(r, comma) && !matches!(r.cue(comma), Cue::Credential | Cue::Label | Cue::Title) {
        comma += 1;
    }
    if comma == at || !r.is_mark(comma, b',') {
        return None;
    }
    let state = comma + 1;
    let short = r.cue(state) == Cue::State || r.note.word(state) == "PA" || r.note.word(state) == "MD";
    let long = match r.cue(state) {
        Cue::StateName => state + 1,
        _ if r.note.is(state, "virginia") => state + 1,
        _ if ["new", "north", "south", "west", "rhode"].iter().any(|w| r.note.is(state, w)) && is_capital_word(r, state + 1) && r.is_capital(state) => state + 2,
        _ => 0,
    };
    if !(short && r.case(state) == Case::Upper || long > 0 && r.is_capital(state)) {
        return None;
    }
    let behind = if long > 0 { long } else { state + 1 };
    match zip(r, behind) {
        Some(end) => Some(end),
        // IN, OR and ME in capitals may be words
        None => (free && !matches!(r.note.word(state), "IN" | "OR" | "ME") || long > 0).then_some(behind),
    }
}

fn zip(r: &Reader, at: u32) -> Option<u32> {
    if r.digits(at) != Some(5) {
        return None;
    }
    let long = r.is_mark(at + 1, b'-') && r.digits(at + 2) == Some(4) && r.is_glued(at + 1);
    Some(if long { at + 3 } else { at + 1 })
}

/// "Boston, MA 02115" with nothing before it, seen at its comma.
pub fn city(r: &Reader, comma: u32) -> Option<Found> {
    let state = comma + 1;
    let known = r.cue(state) == Cue::State && r.case(state) == Case::Upper || r.cue(state) == Cue::StateName || matches!(r.note.word(state), "PA" | "MD");
    if !known || zip(r, state + 1).is_none() {
        return None;
    }
    let mut begin = comma;
    while begin > 0 && comma - begin < 3 && is_capital_word(r, begin - 1) {
        begin -= 1;
    }
    let end = city_state(r, begin, false)?;
    (begin < comma).then(|| address(begin, end)).flatten()
}

/// "lives in Boston", "resident of Seattle, Washington", "moved to New York".
pub fn home(r: &Reader, at: u32) -> Option<Found> {
    let mut begin = at + 1;
    if r.is_mark(begin, b':') && r.note.is(at, "address") {
        return None; // the street has its own way
    }
    if r.note.is(begin, "here") {
        begin += 1;
    }
    if !["in", "of", "to", "from", "at"].iter().any(|w| r.note.is(begin, w)) {
        return None;
    }
    begin += 1;
    if let Some(end) = city_state(r, begin, true) {
        return address(begin, end);
    }
    let mut end = begin;
    while end < begin + 3 && r.case(end) == Case::Title && is_capital_word(r, end) && r.cue(end) != Cue::Label {
        end += 1;
    }
    // "lives in Assisted Living", "in Spanish" are no places
    const NONE: [&str; 16] =
        ["assisted", "nursing", "group", "section", "home", "shelter", "skilled", "independent", "senior", "apartment", "house", "hospital", "unit", "the", "room", "icu"];
    let generic = NONE.iter().any(|w| r.note.is(begin, w));
    (end > begin && !generic).then(|| address(begin, end)).flatten()
}

/// "at Massachusetts General Hospital", "from St. Mary's Hospital", "the Mayo Clinic": seen at the word for the house.
pub fn hospital(r: &Reader, at: u32) -> Option<Found> {
    let center = r.note.is(at, "center") || r.note.is(at, "centre");
    if r.case(at) != Case::Title || center && !r.note.is(at.wrapping_sub(1), "medical") {
        return None;
    }
    let mut begin = at;
    while begin > 0 && at - begin < 5 {
        let before = begin - 1;
        let saint = r.is_mark(before, b'.') && begin > 1 && ["st", "mt"].iter().any(|w| r.note.is(begin - 2, w));
        if saint {
            begin -= 2;
        } else if r.case(before) == Case::Title && r.class(before) == Class::Word && !is_preposition(r, before) {
            begin = before;
        } else {
            break;
        }
    }
    if begin == at {
        return None;
    }
    let mut before = begin.checked_sub(1);
    if before.is_some_and(|b| r.note.is(b, "the")) {
        before = before.and_then(|b| b.checked_sub(1));
    }
    let led = before.is_some_and(|b| is_preposition(r, b));
    // one of its words must be a name, not a service
    const SERVICES: [&str; 52] = [
        "outside", "community", "local", "general", "medical", "pain", "wound", "eye", "heart", "cardiology", "surgery", "surgical", "oncology", "cancer", "urgent", "care",
        "primary", "family", "outpatient", "inpatient", "psychiatric", "rehabilitation", "rehab", "children's", "women's", "veterans", "va", "county", "state", "city",
        "regional", "acute", "day", "our", "this", "another", "referring", "sleep", "dental", "renal", "liver", "gi", "hepatology", "neurology", "urology", "orthopedic",
        "dermatology", "pulmonary", "diabetes", "anticoagulation", "walk", "free",
    ];
    let named = (begin..at).any(|t| r.class(t) == Class::Word && !SERVICES.iter().any(|s| r.note.is(t, s)));
    let whole = (begin..at).filter(|&t| r.class(t) == Class::Word).count();
    (led && (named || whole >= 3)).then(|| address(begin, at + 1)).flatten()
}

fn is_preposition(r: &Reader, at: u32) -> bool {
    ["at", "from", "to", "of", "in", "by", "near", "via"].iter().any(|w| r.note.is(at, w))
}

/// "P.O. Box 123", seen at "Box".
pub fn post_box(r: &Reader, at: u32) -> Option<Found> {
    let back = |n: u32| at.checked_sub(n).map(|t| r.note.word(t)).unwrap_or("");
    let begin = match (back(1), back(2), back(3), back(4)) {
        (".", "O" | "o", ".", "P" | "p") => at - 4,
        ("PO" | "Po" | "po" | "POB", ..) => at - 1,
        _ => return None,
    };
    r.digits(at + 1).and_then(|_| address(begin, at + 2))
}
