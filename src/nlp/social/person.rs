//! Gender, race and ethnicity.

use super::words::{Cue, Reader};
use crate::nlp::entity::Kind;
use crate::nlp::token::{Case, Class};

/// What was found: tokens, kind, value; whether only the last letter of the token is meant ("yoF").
pub struct Person {
    pub begin: u32,
    pub end: u32,
    pub kind: Kind,
    pub value: Option<&'static str>,
    pub last_letter: bool,
}

fn gender(begin: u32, female: bool, last_letter: bool) -> Option<Person> {
    Some(Person { begin, end: begin + 1, kind: Kind::Gender, value: Some(if female { "female" } else { "male" }), last_letter })
}

/// "male", "66 yo F", "Sex: M", "woman".
pub fn sex(r: &Reader, at: u32) -> Option<Person> {
    match r.cue(at) {
        Cue::Male | Cue::Female => {
            const PARTS: [&str; 22] = [
                "pattern", "genital", "genitalia", "external", "breast", "urethra", "condom", "catheter", "reproductive", "pelvic", "partner", "partners", "infertility",
                "hormone", "nurse", "relative", "relatives", "sexual", "organs", "factor", "to", "rats",
            ];
            let thing = (r.is(at, "male") || r.is(at, "female")) && PARTS.iter().any(|w| r.is(at + 1, w));
            // "with a female friend", "no man", "first lady": another person
            let other = at.checked_sub(1).is_some_and(|b| ["his", "her", "another", "no", "every", "any", "little", "young", "baby"].iter().any(|w| r.is(b, w)) && !r.is(at, "boy") && !r.is(at, "girl") && !r.is(b, "young"));
            if thing || other || r.is_mark(at + 1, b'-') && r.is(at + 2, "to") {
                return None;
            }
            gender(at, r.cue(at) == Cue::Female, false)
        }
        Cue::OldSex => gender(at, r.note.word(at).ends_with(['f', 'F']), true),
        Cue::Letter => {
            let upper = r.case(at) == Case::Upper;
            let before = at.checked_sub(1)?;
            let female = r.is(at, "f");
            // Sex: F
            if upper && r.is_mark(before, b':') && before > 0 && (r.is(before - 1, "sex") || r.is(before - 1, "gender")) {
                return gender(at, female, false);
            }
            // 66 yo F, 66 y.o. M, 66 yo AA F, 66F
            let age = matches!(r.cue(before), Cue::Old | Cue::Colour | Cue::Race) && after_age(r, before)
                || r.is_mark(before, b'.') && before > 0 && r.is(before - 1, "o") && after_age(r, before - 1)
                || matches!(r.cue(before), Cue::Race | Cue::Colour) && before > 0 && r.cue(before - 1) == Cue::Old;
            let ends = !r.is_glued(at + 1) || r.is_mark(at + 1, b',') || r.is_mark(at + 1, b'.') || r.is_mark(at + 1, b';');
            if age && ends && (upper || r.cue(before) == Cue::Old) {
                return gender(at, female, false);
            }
            // "Pt 8 mo M"
            let months = ["mo", "month", "yr", "year", "wk", "week"].iter().any(|w| r.is(before, w)) && before > 0 && r.class(before - 1) == Class::Number;
            if months && upper && ends && before >= 2 && (r.is(before - 2, "pt") || r.cue(before - 2) == Cue::Article) {
                return gender(at, female, false);
            }
            let glued = r.class(before) == Class::Number && r.is_glued(at) && upper && r.note.word(before).len() <= 3 && r.note.word(before).bytes().all(|b| b.is_ascii_digit());
            let begins = before == 0 || matches!(r.class(before - 1), Class::Line) || r.cue(before - 1) == Cue::Article || r.is_mark(before - 1, b':') || r.is_mark(before - 1, b'.') || r.is(before - 1, "is") || r.is(before - 1, "pt");
            (glued && begins && ends).then(|| gender(at, female, false)).flatten()
        }
        _ => None,
    }
}

/// Whether a number stands a few tokens before: "66 y/o", "66 yo AA".
fn after_age(r: &Reader, at: u32) -> bool {
    r.before(at, 5).any(|t| r.class(t) == Class::Number)
}

fn is_person(r: &Reader, at: u32) -> bool {
    matches!(r.cue(at), Cue::Male | Cue::Female) || r.cue(at) == Cue::Letter && r.case(at) == Case::Upper
}

/// "African-American", "caucasian", "white female", "Race: black"; no "white count", no "black stool".
pub fn race(r: &Reader, at: u32) -> Option<Person> {
    let found = |end: u32| Some(Person { begin: at, end, kind: Kind::RaceEthnicity, value: None, last_letter: false });
    let hyphen = |at: u32| if r.is_mark(at, b'-') { at + 1 } else { at };
    let labelled = || {
        let colon = at.checked_sub(1).filter(|&b| r.is_mark(b, b':'));
        colon.is_some_and(|c| c > 0 && ["race", "ethnicity", "race/ethnicity"].iter().any(|w| r.is(c - 1, w)))
    };
    // of a person: "a pleasant white female", "66 yo black M", "Hispanic woman"
    let person = |end: u32| is_person(r, end) && (!r.is(end, "m") || r.before(at, 5).any(|t| r.class(t) == Class::Number));
    match r.cue(at) {
        Cue::Race => {
            let second = hyphen(at + 1);
            if r.cue(second) == Cue::RaceFirst && r.is(second, "american") {
                return found(second + 1);
            }
            found(at + 1)
        }
        Cue::Colour => {
            let second = hyphen(at + 1);
            if r.is(second, "american") && !r.is(at, "white") && !r.is(at, "aa") {
                return found(second + 1);
            }
            (person(at + 1) || labelled() || r.is(at + 1, "race")).then(|| found(at + 1)).flatten().filter(|_| !r.is(at, "aa") || r.case(at) == Case::Upper)
        }
        Cue::RaceFirst => {
            let second = hyphen(at + 1);
            let two = match (r.note.word(at).as_bytes().first().map(u8::to_ascii_lowercase), r.note.word(second)) {
                (Some(b'a'), word) => word.eq_ignore_ascii_case("indian") || word.eq_ignore_ascii_case("native") && !r.is(at, "american"),
                (Some(b'p'), word) => word.eq_ignore_ascii_case("islander"),
                (Some(b'n'), word) => word.eq_ignore_ascii_case("american") || word.eq_ignore_ascii_case("hawaiian"),
                (Some(b'm'), word) => word.eq_ignore_ascii_case("eastern"),
                _ => false,
            };
            (two && second <= at + 2 && (r.case(at) != Case::Lower || person(second + 1))).then(|| found(second + 1)).flatten()
        }
        _ => None,
    }
}
