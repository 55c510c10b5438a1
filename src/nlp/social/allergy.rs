//! Allergies without a substance: "NKDA", "no known drug allergies", "Allergies: none".
//!
//! What somebody is allergic to is a substance of the lexicon; the step for context makes an allergy of it.

use super::words::{Cue, Reader};
use crate::nlp::token::Case;

/// The tokens of what is denied.
pub fn denied(r: &Reader, at: u32) -> Option<(u32, u32)> {
    match r.cue(at) {
        Cue::Nka if r.case(at) != Case::Lower || r.note.word(at).len() == 4 => Some((at, at + 1)),
        Cue::Allergies => {
            // the words between "no" and "allergies": known, drug, food
            let mut no = false;
            for t in r.before(at, 7) {
                match r.cue(t) {
                    Cue::Drugs | Cue::Allergen | Cue::Known => {}
                    Cue::None if r.is(t, "no") => no = true,
                    Cue::Denies | Cue::Not => no = true,
                    _ if r.is_mark(t, b'/') || r.is_mark(t, b',') || ["or", "and", "history", "of"].iter().any(|w| r.is(t, w)) => {}
                    _ => break,
                }
                if no {
                    break;
                }
            }
            // "no known food or drug allergies" begins with what is nearest
            let begin = first_word(r, at);
            if no {
                return Some((begin, at + 1));
            }
            // Allergies: none; allergies - none; Allergies (none)
            let mut next = at + 1;
            if r.is(next, "to") && (r.cue(next + 1) == Cue::Allergen || r.cue(next + 1) == Cue::Drugs) {
                next += 2;
            }
            let marked = r.is_mark(next, b':') || r.is_mark(next, b'-') || r.is_mark(next, b'(');
            let answer = if marked { next + 1 } else { next };
            let none = r.is(answer, "none") || marked && (r.is(answer, "nil") || r.is(answer, "negative") || r.cue(answer) == Cue::Denies && !r.is(answer + 1, "to") || r.is(answer, "no") && r.is_mark(answer + 1, b'.'));
            none.then_some((at, at + 1))
        }
        _ => None,
    }
}

/// The first of the words for allergens that stand without a gap before "allergies".
fn first_word(r: &Reader, at: u32) -> u32 {
    (at.saturating_sub(4)..at).rev().take_while(|&t| matches!(r.cue(t), Cue::Drugs | Cue::Allergen)).last().unwrap_or(at)
}
