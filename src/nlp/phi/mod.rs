//! Protected health information: names, ages, dates, addresses, numbers and professions that identify a person.
//!
//! What is in doubt is left: a word is a name only where its neighbours or two lists say so, so that "Crohn", "Foley" or
//! "Grace" by themselves are none. The spans leave out titles ("Dr.") and labels ("MRN:").

mod name;
mod names;
mod net;
mod number;
mod place;
mod placeholder;
mod profession;
#[cfg(test)]
mod tests;
mod words;

use super::cover::Cover;
use super::entity::{Category, Entity, Kind, Origin};
use super::note::Note;
use super::token::Class;
use words::{Cue, Reader};

pub use words::cue_of;

/// A piece that was found.
#[derive(Clone, Debug, PartialEq)]
struct Found {
    /// tokens from–to
    begin: u32,
    end: u32,
    kind: Kind,
    value: Option<String>,
}

/// Adds what identifies a person to `entities`.
///
/// A condition, drug or test that stands wholly within a name, an address or a number goes: "Mrs. Payne" has no pain.
/// What one of them would be cut by stays out, but for what a label or placeholder leaves no doubt of.
pub fn find(note: &Note<'_>, entities: &mut Vec<Entity>) {
    let r = Reader::new(note);
    let mut cover = Cover::new(note, entities);
    let mut found: Vec<Found> = Vec::new();
    let mut at = 0;
    while let Some(token) = note.tokens.get(at as usize) {
        if token.class == Class::Word && token.known.phi == 0 {
            at += 1; // most words
            continue;
        }
        let last = found.last().map_or(0, |f| f.end);
        match at_token(&r, at).filter(|f| f.begin >= last && f.end as usize <= note.tokens.len() && f.end > f.begin) {
            Some(one) => {
                at = one.end.max(at + 1);
                found.push(one);
            }
            None => at += 1,
        }
    }
    let mut new = Vec::with_capacity(found.len());
    for one in found {
        let tokens = one.begin..one.end;
        if cover.cuts(&tokens) {
            continue;
        }
        if matches!(one.kind, Kind::Name | Kind::Address | Kind::Id | Kind::PhoneOrFax | Kind::Email | Kind::Url) {
            cover.take(tokens.clone());
        }
        let mut entity = Entity::new(note, Category::ProtectedHealthInformation, one.kind, tokens, Origin::Pattern);
        entity.value = one.value;
        new.push(entity);
    }
    // a telephone or a record number is no time
    let in_numbers = |e: &Entity| e.category == Category::TimeExpression;
    cover.remove_taken(entities, in_numbers);
    let dates = entities.iter().filter(|e| is_complete_date(note, e)).map(|date| Entity {
        category: Category::ProtectedHealthInformation,
        kind: Kind::PhiDate,
        attributes: Vec::new(),
        ..date.clone()
    });
    let dates: Vec<Entity> = dates.filter(|date| !new.iter().any(|e| e.kind == Kind::PhiDate && e.begin <= date.begin && date.end <= e.end)).collect();
    entities.append(&mut new);
    entities.extend(dates);
}

/// Whether a time is a day that is written with its year, so that it tells about a person.
fn is_complete_date(note: &Note<'_>, entity: &Entity) -> bool {
    if entity.category != Category::TimeExpression || entity.kind != Kind::Date {
        return false;
    }
    let Some(year) = entity.value.as_deref().filter(|v| v.len() >= 10 && v.as_bytes().get(7) == Some(&b'-')).and_then(|v| v.get(..4)) else { return false };
    // "3 weeks ago" has a day as its value, but no year in its text
    let is_year = |token: u32| {
        let word = note.word(token);
        word == year || word.len() == 2 && year.ends_with(word) || word.len() > 5 && (word.ends_with(year) || word.starts_with(year)) || word.len() > 4 && word.ends_with(&year[2..])
    };
    entity.tokens.len() > 1 && is_year(entity.tokens.end - 1) || is_year(entity.tokens.start) && note.word(entity.tokens.start).len() >= 4
}

fn at_token(r: &Reader, at: u32) -> Option<Found> {
    match r.class(at) {
        Class::Line => None,
        Class::Number => number::grouped(r, at)
            .or_else(|| net::machine(r, at))
            .or_else(|| number::age_from_number(r, at))
            .or_else(|| number::decade(r, at))
            .or_else(|| place::street(r, at)),
        Class::Mark => match r.note.tokens.get(at as usize).map_or(0, |t| t.mark) {
            b'(' | b'+' => number::bracketed(r, at),
            b'@' => net::email(r, at),
            b'[' | b'<' => placeholder::starred(r, at),
            b'*' => placeholder::labelled(r, at),
            b',' => place::city(r, at),
            _ => None,
        },
        Class::Word => match r.cue(at) {
            Cue::Nothing | Cue::Surname | Cue::Article => None,
            Cue::Given | Cue::Either => name::bare(r, at),
            Cue::Title if r.is_mark(at + 1, b'#') => number::identifier(r, at),
            Cue::Title => name::titled(r, at),
            Cue::Label => name::labelled(r, at, false)
                .or_else(|| if r.is_staff(at) { profession::named(r, at, true) } else { None })
                .or_else(|| if r.note.is(at, "resident") { place::home(r, at) } else { None }),
            Cue::Signed => name::labelled(r, at, true),
            Cue::Relative => name::relative(r, at),
            Cue::Credential => name::before_credential(r, at),
            Cue::Number(_) => number::age_from_number(r, at),
            Cue::Age => number::age_from_word(r, at),
            Cue::IdLabel | Cue::IdWord => number::identifier(r, at),
            Cue::Http | Cue::Www | Cue::Domain => net::url(r, at),
            Cue::Lives => place::home(r, at),
            Cue::Hospital | Cue::Center => place::hospital(r, at),
            Cue::Box => place::post_box(r, at),
            Cue::Works => profession::behind_work(r, at),
            Cue::Profession => profession::named(r, at, false),
            Cue::Staff => profession::named(r, at, true),
            _ => None,
        },
    }
}
