//! Numbers that tell of a person: ages, telephones, record numbers.

use super::Found;
use super::words::{Cue, Reader};
use crate::nlp::entity::Kind;
use crate::nlp::token::{Case, Class};

fn age(begin: u32, end: u32, number: u32, letter: char) -> Option<Found> {
    let longest = match letter {
        'Y' => 125,
        'M' => 240,
        'W' => 200,
        _ => 999,
    };
    let time = if letter == 'H' { "T" } else { "" };
    (number <= longest).then(|| Found { begin, end, kind: Kind::Age, value: Some(format!("P{time}{number}{letter}")) })
}

fn unit_letter(word: &str) -> char {
    match word.as_bytes().first().map(u8::to_ascii_lowercase) {
        Some(b'm') => 'M',
        Some(b'w') => 'W',
        Some(b'd') => 'D',
        Some(b'h') => 'H',
        _ => 'Y',
    }
}

/// "66 yo", "72-year-old", "6 month old", "66 y/o", "66F", "sixty-six years of age": an age that begins with its number.
pub fn age_from_number(r: &Reader, at: u32) -> Option<Found> {
    let mut number = r.number(at)?;
    let mut next = at + 1;
    // sixty-six
    if matches!(r.cue(at), Cue::Number(20..)) {
        let one = if r.is_mark(next, b'-') { next + 1 } else { next };
        if let Cue::Number(n @ 1..=9) = r.cue(one) {
            number += u32::from(n);
            next = one + 1;
        }
    }
    if r.is_glued(at) && (r.is_mark_before(at, b'/') || r.is_mark_before(at, b'.')) {
        return None;
    }
    let hyphen = r.is_mark(next, b'-') && r.is_glued(next);
    let unit = if hyphen { next + 1 } else { next };
    if r.cue(unit) == Cue::AgeWord {
        return age(at, unit + 1, number, 'Y');
    }
    let word = r.note.word(unit);
    // y/o, y.o., y o, yr/o
    if word.eq_ignore_ascii_case("y") || matches!(r.cue(unit), Cue::AgeUnit) && r.is_mark(unit + 1, b'/') {
        let slash = if r.is_mark(unit + 1, b'/') || r.is_mark(unit + 1, b'.') { unit + 2 } else { unit + 1 };
        let letter = if r.cue(unit) == Cue::AgeUnit { unit_letter(word) } else { 'Y' };
        let old = r.note.word(slash);
        if ["o", "of", "om"].iter().any(|o| old.eq_ignore_ascii_case(o)) {
            let end = if r.is_mark(slash + 1, b'.') && r.is_mark(unit + 1, b'.') { slash + 2 } else { slash + 1 };
            return age(at, end, number, letter);
        }
        if word.len() == 1 && r.is_glued(unit) && matches!(r.cue(slash), Cue::Male | Cue::Female) {
            return age(at, unit + 1, number, 'Y');
        }
        return None;
    }
    if r.cue(unit) == Cue::AgeUnit {
        let letter = unit_letter(word);
        let behind = unit + 1;
        let old = if r.is_mark(behind, b'-') || r.is_mark(behind, b'.') { behind + 1 } else { behind };
        if r.note.is(old, "old") || (r.note.is(old, "o") && r.class(old) == Class::Word) {
            return age(at, old + 1, number, letter);
        }
        if r.note.is(behind, "of") && r.note.is(behind + 1, "age") {
            return age(at, behind + 2, number, letter);
        }
        // "6 mo male", "45 year male"
        let sex = matches!(r.cue(behind), Cue::Male | Cue::Female);
        let letter_only = r.note.word(behind).len() == 1;
        let person = sex && (!letter_only || r.case(behind) == Case::Upper && (led_by_article(r, at) || begins_sentence(r, at)));
        return person.then(|| age(at, behind, number, letter)).flatten();
    }
    // "66F", "66M with", "66 M": at the begin of a statement
    let sex = (word == "F" || word == "M") && (r.is_glued(unit) || led_by_article(r, at)) && !hyphen;
    if sex && (led_by_article(r, at) || begins_sentence(r, at)) && (1..=110).contains(&number) && r.class(unit + 1) != Class::Number {
        return age(at, at + 1, number, 'Y');
    }
    // "a 66 male", "66 female"
    let person = matches!(r.cue(unit), Cue::Male | Cue::Female) && word.len() > 1 && !hyphen;
    if person && (led_by_article(r, at) || begins_sentence(r, at)) && number <= 110 {
        return age(at, next, number, 'Y');
    }
    None
}

fn led_by_article(r: &Reader, at: u32) -> bool {
    at.checked_sub(1).is_some_and(|before| r.cue(before) == Cue::Article || r.note.is(before, "is") || r.note.is(before, "pt"))
}

fn begins_sentence(r: &Reader, at: u32) -> bool {
    at.checked_sub(1).is_none_or(|before| r.class(before) == Class::Line || r.is_mark(before, b':') || r.is_mark(before, b'.'))
}

/// "age 45", "Age: 45", "aged 45", "age of 45".
pub fn age_from_word(r: &Reader, at: u32) -> Option<Found> {
    let mut number = at + 1;
    while number < at + 4 && (r.is_mark(number, b':') || r.is_mark(number, b'=') || r.note.is(number, "of") || r.note.is(number, "is")) {
        number += 1;
    }
    if let Some(found) = age_from_number(r, number) {
        return Some(found);
    }
    let years = r.number(number).filter(|&n| n <= 125)?;
    let next = number + 1;
    if r.is_mark(next, b'/') || r.is_mark(next, b'%') || r.cue(number) == Cue::Number(1) {
        return None;
    }
    if r.cue(next) == Cue::AgeUnit {
        return age(number, next + 1, years, unit_letter(r.note.word(next)));
    }
    age(number, next, years, 'Y')
}

/// "in his 60s", "in her late 70's": an age about.
pub fn decade(r: &Reader, at: u32) -> Option<Found> {
    let number = r.number(at).filter(|n| (20..=90).contains(n) && n % 10 == 0)?;
    let mut before = at.checked_sub(1)?;
    if ["early", "mid", "late"].iter().any(|w| r.note.is(before, w)) {
        before = before.checked_sub(1)?;
    }
    let apostrophe = r.is_mark(at + 1, b'\'');
    let s = if apostrophe { at + 2 } else { at + 1 };
    let whose = ["his", "her", "their"].iter().any(|w| r.note.is(before, w)) && before > 0 && r.note.is(before - 1, "in");
    (whose && r.note.word(s) == "s" && r.is_glued(s)).then_some(Found { begin: at, end: s + 1, kind: Kind::Age, value: Some(format!("P{number}Y")) })
}

/// Digits in groups: telephone numbers and social security numbers.
pub fn grouped(r: &Reader, at: u32) -> Option<Found> {
    let found = |end: u32, kind: Kind| Some(Found { begin: at, end, kind, value: None });
    if r.is_glued(at) && (r.is_mark_before(at, b'-') || r.is_mark_before(at, b'/') || r.is_mark_before(at, b'.')) {
        return None;
    }
    // 617.555.1212 is one number
    if r.class(at) == Class::Number {
        let text = r.note.word(at);
        if text.len() == 12 && text.split('.').map(str::len).eq([3, 3, 4]) {
            return found(extension(r, at + 1), Kind::PhoneOrFax);
        }
    }
    let separator = |at: u32| r.is_mark(at, b'-') || r.is_mark(at, b'.') || r.is_mark(at, b'/');
    let digits = r.digits(at)?;
    let end = match digits {
        3 => match (r.digits(at + 2), r.digits(at + 4)) {
            (Some(2), Some(4)) if r.is_mark(at + 1, b'-') && r.is_mark(at + 3, b'-') && !(r.is_mark(at + 5, b'-') && r.is_glued(at + 5)) => return found(at + 5, Kind::Id),
            (Some(3), Some(4)) if separator(at + 1) && separator(at + 3) && r.is_glued(at + 1) => at + 5,
            // 555-1212 behind "phone"
            (Some(4), _) if r.is_mark(at + 1, b'-') && labelled(r, at) => at + 3,
            _ => return None,
        },
        // 1-800-555-1212
        1 if r.note.word(at) == "1" && separator(at + 1) && (r.digits(at + 2), r.digits(at + 4), r.digits(at + 6)) == (Some(3), Some(3), Some(4)) => at + 7,
        _ if labelled(r, at) && (4..=15).contains(&digits) => at + 1,
        _ if labelled(r, at) && separator(at + 1) && r.is_glued(at + 2) && r.digits(at + 2).is_some_and(|d| d >= 4) => at + 3,
        _ => return None,
    };
    if r.is_mark(end, b'-') && r.is_glued(end) && r.class(end + 1) == Class::Number {
        return None;
    }
    found(extension(r, end), Kind::PhoneOrFax)
}

/// Whether "phone", "pager:" or the like stands before.
fn labelled(r: &Reader, at: u32) -> bool {
    let mut before = at;
    for _ in 0..4 {
        let Some(one) = before.checked_sub(1) else { return false };
        if r.cue(one) == Cue::PhoneLabel || r.cue(one) == Cue::Extension {
            return true;
        }
        let passes = [b':', b'#', b'.', b'('].iter().any(|&m| r.is_mark(one, m)) || r.cue(one) == Cue::IdWord || r.note.is(one, "at") || r.note.is(one, "is");
        if !passes {
            return false;
        }
        before = one;
    }
    false
}

/// Past "ext. 123", "x1234".
fn extension(r: &Reader, end: u32) -> u32 {
    let word = r.note.word(end);
    if r.cue(end) == Cue::Extension || word == "x" {
        let number = if r.is_mark(end + 1, b'.') || r.is_mark(end + 1, b':') { end + 2 } else { end + 1 };
        return if r.digits(number).is_some() { number + 1 } else { end };
    }
    let coded = word.len() > 2 && word.len() < 8 && (word.starts_with('x') || word.starts_with('X')) && word.bytes().skip(1).all(|b| b.is_ascii_digit());
    if coded { end + 1 } else { end }
}

/// "(617) 555-1212" at its bracket, "+44 20 7946 0958" at its plus.
pub fn bracketed(r: &Reader, at: u32) -> Option<Found> {
    if r.is_mark(at, b'(') {
        let closes = r.digits(at + 1) == Some(3) && r.is_mark(at + 2, b')');
        let first = if r.is_mark(at + 3, b'-') { at + 4 } else { at + 3 };
        let fits = closes && r.digits(first) == Some(3) && (r.is_mark(first + 1, b'-') || r.is_mark(first + 1, b'.')) && r.digits(first + 2) == Some(4);
        return fits.then(|| Found { begin: at, end: extension(r, first + 3), kind: Kind::PhoneOrFax, value: None });
    }
    // a plus, the country, and at least seven digits more in groups
    let country = r.digits(at + 1).filter(|&d| d <= 3 && r.is_glued(at + 1))?;
    let mut end = at + 2;
    let mut digits = 0;
    let mut groups = 0;
    while groups < 6 {
        let mark = if [b'-', b'.', b'(', b')'].iter().any(|&m| r.is_mark(end, m)) { end + 1 } else { end };
        let mark = if r.is_mark(mark, b'(') { mark + 1 } else { mark };
        let Some(more) = r.digits(mark).filter(|&d| (2..=4).contains(&d)) else { break };
        digits += more;
        groups += 1;
        end = mark + 1;
    }
    (country + digits >= 9 && country + digits <= 15 && groups >= 2).then_some(Found { begin: at, end, kind: Kind::PhoneOrFax, value: None })
}

/// "MRN: 00123", "Account #4567", "medical record number 12-34-56", "SSN 123456789".
pub fn identifier(r: &Reader, at: u32) -> Option<Found> {
    let strong = r.cue(at) == Cue::IdLabel;
    let mut next = at + 1;
    let mut words = 0;
    let mut marked = false;
    while words < 4 {
        if matches!(r.cue(next), Cue::IdWord | Cue::IdLabel) {
            words += 1;
        } else if r.is_mark(next, b'#') || r.is_mark(next, b':') || r.is_mark(next, b'.') && r.is_glued(next) {
            marked = true;
            words += 1;
        } else {
            break;
        }
        next += 1;
    }
    if !strong {
        // "medical record number", "record #", "unit no", "MR #"
        let record = r.note.is(at, "record") || r.note.is(at + 1, "record") || r.note.is(at, "unit") || r.note.is(at, "mr");
        if !record || !(marked || words > 0) {
            return None;
        }
    }
    // "case 3", "lot of", "id consult": such labels need a mark
    let loose = ["case", "id", "lot", "policy", "account", "accession", "serial", "claim", "plate", "specimen", "member", "encounter", "license", "licence", "visa", "fin", "unit"];
    if !marked && words == 0 && loose.iter().any(|w| r.note.is(at, w)) {
        return None;
    }
    let begin = next;
    let mut end = begin;
    let mut digits = 0;
    while end < begin + 9 {
        let piece = match r.class(end) {
            Class::Number | Class::Word => true,
            Class::Mark => (r.is_mark(end, b'-') || r.is_mark(end, b'/')) && r.is_glued(end + 1) && matches!(r.class(end + 1), Class::Number | Class::Word),
            Class::Line => false,
        };
        if !piece || end > begin && !r.is_glued(end) {
            break;
        }
        digits += r.note.word(end).bytes().filter(u8::is_ascii_digit).count();
        end += 1;
    }
    let shouted = r.case(begin) != Case::Lower || r.class(begin) == Class::Number;
    (digits >= 3 && shouted).then_some(Found { begin, end, kind: Kind::Id, value: None })
}
