//! Professions: "works as a teacher", "retired nurse", "Occupation: carpenter", "a 48-year-old teacher".

use super::Found;
use super::words::{Cue, Reader};
use crate::nlp::entity::Kind;
use crate::nlp::token::Class;

fn profession(begin: u32, end: u32) -> Option<Found> {
    (end > begin).then_some(Found { begin, end, kind: Kind::Profession, value: None })
}

/// Words that go with a profession: "truck driver", "school teacher", "registered nurse".
fn is_part(r: &Reader, at: u32) -> bool {
    const PARTS: [&str; 44] = [
        "truck", "bus", "taxi", "cab", "delivery", "high", "school", "elementary", "middle", "registered", "auto", "car", "software", "civil", "mechanical",
        "electrical", "police", "construction", "office", "retail", "store", "sales", "bank", "real", "estate", "highschool", "college", "university", "law",
        "math", "science", "music", "english", "social", "factory", "postal", "steel", "coal", "computer", "part", "time", "full", "project", "insurance",
    ];
    PARTS.iter().any(|p| r.note.is(at, p))
}

/// Behind "works as", "worked as", "employed as", "retired", "occupation:".
pub fn behind_work(r: &Reader, at: u32) -> Option<Found> {
    let retired = r.note.is(at, "retired");
    let mut begin = at + 1;
    let label = r.is_mark(begin, b':') || r.note.is(begin, "is");
    let mut as_a = false;
    if label {
        begin += 1;
    }
    if r.note.is(begin, "as") || (r.note.is(begin, "from") && retired) {
        as_a = r.note.is(begin, "as");
        begin += 1;
        // "retired from work as"
    }
    if label && !["occupation", "profession", "job", "career"].iter().any(|w| r.note.is(at, w)) {
        return None;
    }
    while matches!(r.cue(begin), Cue::Article) || ["the", "retired", "former"].iter().any(|w| r.note.is(begin, w)) {
        begin += 1;
        if begin > at + 6 {
            return None;
        }
    }
    let mut end = begin;
    while end < begin + 4 && is_part(r, end) {
        end += 1;
    }
    if r.cue(end) == Cue::Profession || r.is_staff(end) {
        end += 1;
        if r.cue(end) == Cue::Profession {
            end += 1;
        }
        return profession(begin, end);
    }
    // "works as a glassblower": any one or two words will do there
    if as_a || label {
        let article = r.cue(begin.saturating_sub(1)) == Cue::Article;
        end = begin;
        const ENDS: [&str; 14] = ["in", "at", "for", "and", "with", "of", "on", "but", "who", "until", "since", "none", "unknown", "retired"];
        while end < begin + 2 && r.class(end) == Class::Word && !ENDS.iter().any(|w| r.note.is(end, w)) {
            end += 1;
        }
        return if article || label && !r.note.is(begin, "unemployed") && !r.note.is(begin, "disabled") { profession(begin, end) } else { None };
    }
    None
}

/// "a 48-year-old teacher", "is a truck driver", "a teacher".
pub fn named(r: &Reader, at: u32, of_staff: bool) -> Option<Found> {
    let mut begin = at;
    while begin > 0 && at - begin < 3 && is_part(r, begin - 1) {
        begin -= 1;
    }
    let before = begin.checked_sub(1)?;
    let two = before.checked_sub(1);
    let is = |t: Option<u32>, words: &[&str]| t.is_some_and(|t| words.iter().any(|w| r.note.is(t, w)));
    let article = r.cue(before) == Cue::Article;
    let led = article && is(two, &["is", "was", "as", "being"])
        || is(Some(before), &["old", "retired", "former", "yo"])
        || matches!(r.cue(before), Cue::AgeWord)
        || matches!(r.cue(before), Cue::Male | Cue::Female) && r.note.word(before).len() > 1;
    // "was a nurse" tells who was there; "she is a nurse" tells of a person
    let who = two.and_then(|t| t.checked_sub(1));
    let person = is(who, &["he", "she", "patient", "pt", "who", "wife", "husband", "mother", "father"]);
    if !led || of_staff && !(person || is(Some(before), &["retired", "former", "old"])) {
        return None;
    }
    if r.class(at + 1) == Class::Word && (r.cue(at + 1) == Cue::Profession || r.is_staff(at + 1)) {
        return profession(begin, at + 2);
    }
    profession(begin, at + 1)
}
