//! Another order of the same words: "cancer of the breast" is breast cancer.

use super::super::entity::{Category, Origin};
use super::super::lexicon::Match;
use super::super::token::Class;
use super::Finder;
use super::meaning::Meaning;
use super::words::{ARTICLE, OF};

impl Finder<'_, '_, '_> {
    /// A condition, "of", and a body part that it names in another order.
    pub(super) fn of_site(&mut self, found: &Match, of: &Meaning) -> Option<u32> {
        if of.category != Category::MedicalCondition || found.end - found.begin > 3 {
            return None;
        }
        let mut at = found.end;
        if self.words.flags(self.token(at)?.id) & OF == 0 {
            return None;
        }
        at += 1;
        for _ in 0..2 {
            if self.words.flags(self.token(at)?.id) & ARTICLE != 0 {
                at += 1;
            }
        }
        let last = (at..at + 3).take_while(|t| self.token(*t).is_some_and(|t| t.class == Class::Word)).last()?;
        for end in (at + 1..=last + 1).rev() {
            let ids = (at..end).chain(found.begin..found.end).filter_map(|t| self.token(t)).filter(|t| t.class == Class::Word).map(|t| t.id);
            if let Some(meaning) = self.condition(ids) {
                self.push(found.begin, end, meaning, Origin::Variant);
                return Some(end);
            }
        }
        None
    }
}
