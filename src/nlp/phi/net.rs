//! Addresses of the net: e-mail, pages, machines.

use super::Found;
use super::words::{Cue, Reader};
use crate::nlp::entity::Kind;
use crate::nlp::token::Class;

/// So many tokens an address has at most.
const LONGEST: u32 = 60;

fn is_part(r: &Reader, at: u32, marks: &[u8]) -> bool {
    match r.class(at) {
        Class::Word | Class::Number => true,
        Class::Mark => marks.iter().any(|&m| r.is_mark(at, m)),
        Class::Line => false,
    }
}

/// The token behind what is glued together from `at` on; a mark at its end that closes a sentence is no part.
fn glued_end(r: &Reader, at: u32, marks: &[u8]) -> u32 {
    let mut end = at;
    while end < at + LONGEST && (end == at || r.is_glued(end)) && is_part(r, end, marks) {
        end += 1;
    }
    while end > at && r.class(end - 1) == Class::Mark && !r.is_mark(end - 1, b'/') {
        end -= 1;
    }
    end
}

/// "john.smith@x.org", seen at its "@".
pub fn email(r: &Reader, at: u32) -> Option<Found> {
    if !r.is_glued(at) || !r.is_glued(at + 1) {
        return None;
    }
    let mut begin = at;
    while let Some(before) = begin.checked_sub(1)
        && at - before < LONGEST
        && is_part(r, before, b"._-+%")
        && r.is_glued(begin)
    {
        begin = before;
    }
    while begin < at && r.class(begin) == Class::Mark {
        begin += 1;
    }
    let end = glued_end(r, at + 1, b".-");
    let points = (at + 1..end).any(|t| r.is_mark(t, b'.'));
    (begin < at && end > at + 1 && points && r.class(end - 1) == Class::Word).then_some(Found { begin, end, kind: Kind::Email, value: None })
}

/// "https://x.org/y", "www.x.org", "x.org".
pub fn url(r: &Reader, at: u32) -> Option<Found> {
    const MARKS: &[u8] = b"./:-_?=&%#~+@";
    let found = |begin: u32, end: u32| (end > begin + 2).then_some(Found { begin, end, kind: Kind::Url, value: None });
    match r.cue(at) {
        Cue::Http => (r.is_mark(at + 1, b':') && r.is_mark(at + 2, b'/')).then(|| found(at, glued_end(r, at, MARKS))).flatten(),
        Cue::Www => (r.is_mark(at + 1, b'.') && r.is_glued(at + 1)).then(|| found(at, glued_end(r, at, MARKS))).flatten(),
        Cue::Domain => {
            // mayo.org: words and points before, all glued
            let mut begin = at;
            while let Some(before) = begin.checked_sub(1)
                && at - before < 12
                && r.is_glued(begin)
                && is_part(r, before, b".-")
            {
                begin = before;
            }
            let points = begin < at && r.is_mark(at - 1, b'.') && r.class(begin) == Class::Word;
            let slash = r.is_mark(at + 1, b'/') && r.is_glued(at + 1);
            let ends = !r.is_glued(at + 1) || r.class(at + 1) == Class::Mark && !r.is_mark(at + 1, b'@');
            (points && ends).then(|| found(begin, if slash { glued_end(r, begin, MARKS) } else { at + 1 })).flatten()
        }
        _ => None,
    }
}

/// 192.168.1.10, which is one number.
pub fn machine(r: &Reader, at: u32) -> Option<Found> {
    let text = r.note.word(at);
    if !(7..=15).contains(&text.len()) || r.is_glued(at) {
        return None;
    }
    let mut parts = 0;
    for part in text.split('.') {
        part.parse::<u8>().ok()?;
        parts += 1;
    }
    (parts == 4).then_some(Found { begin: at, end: at + 1, kind: Kind::Url, value: None })
}
