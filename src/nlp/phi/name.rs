//! Names of persons: behind a title, a label or a signature, behind "wife", before a degree, and two that are common together.

use super::Found;
use super::words::{Cue, Reader};
use crate::nlp::entity::Kind;
use crate::nlp::token::{Case, Class};

fn name(begin: u32, end: u32) -> Option<Found> {
    (end > begin).then_some(Found { begin, end, kind: Kind::Name, value: None })
}

fn is_known(r: &Reader, at: u32) -> bool {
    matches!(r.cue(at), Cue::Given | Cue::Surname | Cue::Either)
}

fn is_particle(r: &Reader, at: u32) -> bool {
    ["van", "von", "de", "der", "den", "la", "del", "della", "di", "da", "dos", "bin", "al", "st", "ben", "mac", "le"].iter().any(|p| r.note.is(at, p))
}

/// Whether a capital word stands behind one or two particles.
fn may_be_name_behind(r: &Reader, at: u32) -> bool {
    may_be_name(r, at + 1) || is_particle(r, at + 1) && may_be_name(r, at + 2)
}

/// A word that may be a name where one is expected.
fn may_be_name(r: &Reader, at: u32) -> bool {
    let word = r.note.word(at);
    r.is_capital(at) && word.len() > 1 && !word.bytes().any(|b| b.is_ascii_digit()) && matches!(r.cue(at), Cue::Nothing | Cue::Given | Cue::Surname | Cue::Either | Cue::State | Cue::StateName | Cue::Profession | Cue::Street | Cue::Male | Cue::Box)
}

/// Title-case words that begin what follows a name in a form or a sentence.
fn is_stop(r: &Reader, at: u32) -> bool {
    const STOPS: [&str; 38] = [
        "the", "on", "in", "at", "is", "was", "has", "had", "he", "she", "his", "her", "date", "dob", "sex", "gender", "and", "of", "with", "for", "from", "who",
        "this", "that", "will", "see", "seen", "time", "history", "presents", "admission", "service", "unit", "room", "reason", "chief", "department", "by",
    ];
    STOPS.iter().any(|s| r.note.is(at, s))
}

/// The token behind a name that begins at `at`, of up to four words; nothing if there is none.
/// `trusted`: the words before leave no doubt, so that one word will do that no list knows.
fn run(r: &Reader, at: u32, trusted: bool) -> Option<u32> {
    let mut end = at;
    let mut words = 0;
    let mut known = false;
    while words < 4 {
        let mut next = end;
        let mut particles = 0;
        while is_particle(r, next) && particles < 2 && (words + particles > 0 || trusted) && may_be_name_behind(r, next) {
            next += 1;
            particles += 1;
        }
        if r.class(next) != Class::Word || is_stop(r, next) {
            break;
        }
        if r.is_initial(next) {
            // an initial counts only with another word behind
            let behind = if r.is_mark(next + 1, b'.') { next + 2 } else { next + 1 };
            if !may_be_name(r, behind) && !r.is_initial(behind) {
                break; // the K of "Mrs. Payne K 5.2"
            }
            end = behind;
            words += 1;
            continue;
        }
        if !may_be_name(r, next) {
            break;
        }
        let listed = is_known(r, next);
        let shouted = r.case(next) == Case::Upper;
        // the first word may be any, the next ones must look like names
        // "Jane Doe" behind a label, though DOE is a symptom
        let second = trusted && words == 1 && end > 0 && matches!(r.cue(end - 1), Cue::Given | Cue::Either) && !shouted;
        if words > 0 && !listed && !second && (shouted || r.is_clinical(next)) || (words == 0 && !trusted && !listed) {
            break;
        }
        known |= listed;
        words += 1;
        end = next + 1;
        // Smith-Jones
        if r.is_mark(end, b'-') && r.is_glued(end) && r.is_glued(end + 1) && may_be_name(r, end + 1) {
            end += 2;
        }
    }
    (end > at && (known || trusted)).then_some(end)
}

/// "Dr. John Smith", "Mrs. Payne", "Mr Smith": the name behind the title.
pub fn titled(r: &Reader, at: u32) -> Option<Found> {
    let point = r.is_mark(at + 1, b'.') && r.is_glued(at + 1);
    let begin = if point { at + 2 } else { at + 1 };
    let begin = if r.is_mark(begin, b'*') { return None } else { begin };
    if r.is_glued(begin) && !point || r.class(begin) != Class::Word {
        return None;
    }
    let shouted = r.case(at) == Case::Upper;
    // MS, MR and DR in capitals are diseases as well; "miss" and "doctor" are words
    let trusted = match (point, shouted) {
        (true, false) => true,
        (true, true) => !r.is_clinical(begin) || is_known(r, begin),
        (false, true) => return is_known(r, begin).then(|| run(r, begin, false)).flatten().and_then(|end| name(begin, end)),
        (false, false) => r.case(at) == Case::Title && !(r.note.word(at).len() > 3 && r.is_clinical(begin)),
    };
    if r.note.is(at, "miss") && !is_known(r, begin) || is_stop(r, begin) {
        return None;
    }
    // "dr. smith" in small letters
    if r.case(begin) == Case::Lower && !(trusted && is_particle(r, begin)) {
        return (matches!(r.cue(begin), Cue::Surname | Cue::Either) && r.note.word(begin).len() > 3).then(|| name(begin, begin + 1)).flatten();
    }
    // "123 Elm Dr. Boston"
    if !trusted && !is_known(r, begin) {
        return None;
    }
    run(r, begin, trusted).and_then(|end| name(begin, end))
}

/// "Patient: John Smith", "Name: Smith, John", "Attending: J. Smith, MD", "Electronically signed by John Smith".
pub fn labelled(r: &Reader, at: u32, signed: bool) -> Option<Found> {
    let mut begin = at + 1;
    let strong;
    if signed {
        // signed electronically by, signed by:
        if r.note.is(begin, "electronically") {
            begin += 1;
        }
        if r.note.is(begin, "by") {
            begin += 1;
            strong = true;
        } else {
            strong = r.is_mark(begin, b':');
        }
        if r.is_mark(begin, b':') {
            begin += 1;
        }
    } else {
        // "Patient Name:", "Attending Physician:"
        let is_name = r.note.is(at, "name") || r.note.is(begin, "name");
        if r.note.is(begin, "name") || matches!(r.cue(begin), Cue::Label) {
            begin += 1;
        }
        if !r.is_mark(begin, b':') {
            return None;
        }
        begin += 1;
        strong = is_name;
    }
    // the title has its own way
    if matches!(r.cue(begin), Cue::Title) || r.class(begin) == Class::Line || !strong && r.cue(begin) == Cue::Nothing && r.is_clinical(begin) {
        return None;
    }
    // SMITH, JOHN A
    if (is_known(r, begin) || strong)
        && may_be_name(r, begin)
        && r.is_mark(begin + 1, b',')
        && r.is_glued(begin + 1)
        && (r.cue(begin + 2) != Cue::Credential && may_be_name(r, begin + 2) && (is_known(r, begin + 2) || strong && !r.is_clinical(begin + 2)))
    {
        let mut end = begin + 3;
        if r.is_initial(end) || is_known(r, end) && r.is_capital(end) {
            end += 1;
        }
        return name(begin, end);
    }
    let end = run(r, begin, strong)?;
    // a lone word behind "Patient:" is a state of the patient, not a name
    let known = (begin..end).any(|at| is_known(r, at));
    let lone = end == begin + 1;
    if lone && !strong || !known && (lone && r.is_clinical(begin)) {
        return None;
    }
    name(begin, end)
}

/// "wife Mary", "his daughter Anne Smith": a common given name behind a word for a relative.
pub fn relative(r: &Reader, at: u32) -> Option<Found> {
    let begin = if r.is_mark(at + 1, b',') || r.is_mark(at + 1, b'(') { at + 2 } else { at + 1 };
    let given = matches!(r.cue(begin), Cue::Given | Cue::Either) && r.case(begin) == Case::Title;
    if !given || r.cue(at) == Cue::Title {
        return None;
    }
    let mut end = begin + 1;
    if matches!(r.cue(end), Cue::Surname | Cue::Either) && r.case(end) == Case::Title {
        end += 1;
    }
    name(begin, end)
}

/// "John Smith", "Mary O'Brien": a given name and a surname with nothing to lead to them.
pub fn bare(r: &Reader, at: u32) -> Option<Found> {
    let shouted = r.case(at) == Case::Upper;
    if !(shouted || r.case(at) == Case::Title) || r.note.word(at).len() < 3 && r.cue(at) == Cue::Given && shouted {
        return None;
    }
    let mut next = at + 1;
    if r.is_initial(next) {
        next += if r.is_mark(next + 1, b'.') { 2 } else { 1 };
    }
    if !r.is_capital(next) || (r.case(next) == Case::Upper) != shouted {
        return None;
    }
    let listed = matches!(r.cue(next), Cue::Surname | Cue::Either);
    let fits = listed || !shouted && r.cue(next) == Cue::Nothing && !r.is_clinical(next) && !is_stop(r, next) && next > at + 1;
    if !fits || r.note.word(next).len() < 2 {
        return None;
    }
    let mut end = next + 1;
    if r.is_mark(end, b'-') && r.is_glued(end) && r.is_glued(end + 1) && r.is_capital(end + 1) && matches!(r.cue(end + 1), Cue::Surname | Cue::Either) {
        end += 2;
    }
    // a name of a house or a street, or a disease: "John Smith Hospital"
    if matches!(r.cue(end), Cue::Hospital | Cue::Street) && r.is_capital(end) || r.note.is(end, "syndrome") || r.note.is(end, "disease") {
        return None;
    }
    name(at, end)
}

/// "Jane Doe, MD": the two or three capital words before a degree.
pub fn before_credential(r: &Reader, at: u32) -> Option<Found> {
    let end = at.checked_sub(1).filter(|&comma| r.is_mark(comma, b','))?;
    if r.case(at) == Case::Lower {
        return None;
    }
    let mut begin = end;
    let mut words = 0;
    while words < 3
        && let Some(before) = begin.checked_sub(1)
    {
        if r.is_mark(before, b'.') && before > 0 && r.is_initial(before - 1) {
            begin = before - 1;
        } else if r.is_initial(before) || may_be_name(r, before) && !is_stop(r, before) && (is_known(r, before) || !r.is_clinical(before)) {
            begin = before;
        } else {
            break;
        }
        words += 1;
    }
    // two words, or one that is known
    (words >= 2 || words == 1 && is_known(r, begin)).then(|| name(begin, end)).flatten()
}
