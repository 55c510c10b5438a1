//! What a transaction has deleted, so that many deletions are asked about at once.
//!
//! The server fires the check for one row after another and does not tell which is the last. So a trigger notes each deletion when
//! it happens; the first check asks for many, and the checks of those to whom nothing refers find that it has been answered. A
//! target to which something may refer is always asked about again when its own turn comes: then, and not before, it must be so.
//!
//! An answer holds while nobody goes back behind it. What comes later cannot undo it: whoever writes a reference looks for its
//! target himself. So it is dropped where the target is deleted anew, and where a savepoint was opened or rolled back since.

use crate::model::TypeId;
use std::collections::{HashMap, HashSet, VecDeque};
use std::rc::Rc;

/// Deletions that are noted; beyond these each is asked about alone.
const MAX: usize = 1_000_000;

type Key = (TypeId, Rc<str>);

/// A lake, by the number of its schema.
type Lake = u32;

/// Where a session is: numbers that are never given twice, of the transaction and within it of the innermost savepoint.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Moment {
    pub transaction: u64,
    pub savepoint: u32,
}

/// What is to be done about one deletion whose turn it is.
#[derive(PartialEq, Eq, Debug)]
pub enum Turn {
    /// Nothing refers to it, as was asked before.
    Unreferred,
    /// These are to be asked about, itself the first.
    Ask(Vec<Key>),
}

/// Deletions of the current transaction.
#[derive(Default)]
pub struct Deletions {
    moment: Moment,
    /// By lake, in the order in which they happened.
    order: HashMap<Lake, VecDeque<Key>>,
    /// Those of them that nobody has asked about.
    waiting: HashSet<(Lake, Key)>,
    /// Those to which nothing refers, and whose turn has not come.
    unreferred: HashSet<(Lake, Key)>,
}

impl Deletions {
    fn at(&mut self, now: Moment) {
        if self.moment.transaction != now.transaction {
            *self = Deletions::default();
        } else if self.moment.savepoint != now.savepoint {
            self.unreferred.clear();
        }
        self.moment = now;
    }

    /// A resource is about to be deleted.
    pub fn note(&mut self, now: Moment, lake: Lake, ty: TypeId, id: &str) {
        // an answer in another savepoint is looked at when its turn comes
        if self.moment.transaction != now.transaction {
            self.at(now);
        }
        let key: Key = (ty, id.into());
        let of_lake = (lake, key.clone());
        self.unreferred.remove(&of_lake);
        let order = self.order.entry(lake).or_default();
        if order.len() < MAX && self.waiting.insert(of_lake) {
            order.push_back(key);
        }
    }

    /// The check of a deletion is due. At most `max` are to be asked about.
    pub fn turn(&mut self, now: Moment, lake: Lake, ty: TypeId, id: &str, max: usize) -> Turn {
        self.at(now);
        let key: Key = (ty, id.into());
        let of_lake = (lake, key.clone());
        if self.unreferred.remove(&of_lake) {
            return Turn::Unreferred;
        }
        let mut batch = vec![key];
        if self.waiting.remove(&of_lake) {
            let order = self.order.entry(lake).or_default();
            while batch.len() < max
                && let Some(next) = order.pop_front()
            {
                let next = (lake, next);
                if self.waiting.remove(&next) {
                    batch.push(next.1);
                }
            }
        }
        if self.waiting.is_empty() && self.unreferred.is_empty() {
            // a session that goes on keeps no memory of them
            *self = Deletions { moment: now, ..Deletions::default() };
        }
        Turn::Ask(batch)
    }

    /// Nothing refers to these now.
    pub fn found_unreferred(&mut self, now: Moment, lake: Lake, keys: impl Iterator<Item = Key>) {
        self.at(now);
        self.unreferred.extend(keys.map(|key| (lake, key)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAKE: Lake = 7;
    const T: TypeId = TypeId(3);

    fn at(transaction: u64, savepoint: u32) -> Moment {
        Moment { transaction, savepoint }
    }

    fn key(id: &str) -> Key {
        (T, id.into())
    }

    fn noted(now: Moment, ids: &[&str]) -> Deletions {
        let mut deletions = Deletions::default();
        ids.iter().for_each(|id| deletions.note(now, LAKE, T, id));
        deletions
    }

    fn asked(ids: &[&str]) -> Turn {
        Turn::Ask(ids.iter().map(|id| key(id)).collect())
    }

    #[test]
    fn the_first_asks_for_all_and_the_others_know() {
        let now = at(1, 1);
        let mut d = noted(now, &["a", "b", "c", "d"]);
        assert_eq!(d.turn(now, LAKE, T, "b", 3), asked(&["b", "a", "c"]));
        d.found_unreferred(now, LAKE, [key("a"), key("b")].into_iter());
        assert_eq!(d.turn(now, LAKE, T, "a", 3), Turn::Unreferred);
        // something may refer to c: it is asked about alone, and d with whoever is left
        assert_eq!(d.turn(now, LAKE, T, "c", 3), asked(&["c"]));
        assert_eq!(d.turn(now, LAKE, T, "d", 3), asked(&["d"]));
        // an answer serves one turn
        assert_eq!(d.turn(now, LAKE, T, "b", 3), Turn::Unreferred);
        assert_eq!(d.turn(now, LAKE, T, "b", 3), asked(&["b"]));
    }

    #[test]
    fn what_nobody_noted_is_asked_about_alone() {
        let now = at(1, 1);
        let mut d = noted(now, &["a"]);
        assert_eq!(d.turn(now, LAKE, T, "x", 9), asked(&["x"]));
        assert_eq!(d.turn(now, LAKE + 1, T, "a", 9), asked(&["a"]));
        assert_eq!(d.turn(now, LAKE, TypeId(4), "a", 9), Turn::Ask(vec![(TypeId(4), "a".into())]));
        assert_eq!(d.turn(now, LAKE, T, "a", 9), asked(&["a"]));
    }

    #[test]
    fn lakes_are_apart() {
        let now = at(1, 1);
        let mut d = noted(now, &["a", "b"]);
        d.note(now, LAKE + 1, T, "c");
        assert_eq!(d.turn(now, LAKE, T, "a", 9), asked(&["a", "b"]));
        d.found_unreferred(now, LAKE, [key("c")].into_iter());
        assert_eq!(d.turn(now, LAKE + 1, T, "c", 9), asked(&["c"]));
    }

    #[test]
    fn an_answer_ends_where_the_target_is_deleted_anew() {
        let now = at(1, 1);
        let mut d = noted(now, &["a", "b"]);
        assert_eq!(d.turn(now, LAKE, T, "a", 9), asked(&["a", "b"]));
        d.found_unreferred(now, LAKE, [key("b")].into_iter());
        d.note(now, LAKE, T, "b");
        assert_eq!(d.turn(now, LAKE, T, "b", 9), asked(&["b"]));
    }

    #[test]
    fn an_answer_ends_with_the_savepoint_in_which_it_was_given() {
        let mut d = noted(at(1, 1), &["a", "b", "c"]);
        assert_eq!(d.turn(at(1, 2), LAKE, T, "a", 2), asked(&["a", "b"]));
        d.found_unreferred(at(1, 2), LAKE, [key("b")].into_iter());
        assert_eq!(d.turn(at(1, 1), LAKE, T, "b", 9), asked(&["b"]));
        // what was noted stays noted: whether it is gone is asked first
        assert_eq!(d.turn(at(1, 1), LAKE, T, "c", 9), asked(&["c"]));
    }

    #[test]
    fn nothing_is_known_of_another_transaction() {
        let mut d = noted(at(1, 1), &["a", "b"]);
        assert_eq!(d.turn(at(1, 1), LAKE, T, "a", 9), asked(&["a", "b"]));
        d.found_unreferred(at(1, 1), LAKE, [key("b")].into_iter());
        assert_eq!(d.turn(at(2, 1), LAKE, T, "b", 9), asked(&["b"]));
        d.note(at(2, 1), LAKE, T, "c");
        assert_eq!(d.turn(at(3, 1), LAKE, T, "c", 9), asked(&["c"]));
    }
}
