//! What is known of a resource on its way through the server to the trigger: its row, that its id is new.
//!
//! The loader validates a resource and makes its row before it inserts it; the trigger need not do it again. What is remembered is
//! the bytes, not a state of the session: it cannot vouch for anything else, whatever happens in between.

use super::stamped::Stamped;
use std::cell::RefCell;
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::ops::Deref;
use std::rc::Rc;

/// What the triggers make of an accepted row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum As {
    /// Its version where the lake has not had the resource; the next one where it has, if that differs.
    #[default]
    Resource,
    /// As before, but the next version also where it is the same.
    NextVersion,
    /// The version that it is, whatever is there.
    Version,
}

/// Rows that are about to be written.
#[derive(Default)]
struct Rows {
    /// Its key is random, so that nobody can make many documents share a number.
    hasher: RandomState,
    by_hash: HashMap<u64, usize>,
    rows: Rc<Vec<Stamped>>,
    how: As,
}

thread_local! {
    static ROWS: RefCell<Rows> = RefCell::default();
}

/// Rows stay accepted until this is dropped; then those that were before are again.
pub struct Batch(Rows);

impl Batch {
    /// The triggers take these rows as made and valid for resources with the same bytes.
    pub fn begin(rows: &Rc<Vec<Stamped>>, how: As) -> Batch {
        let hasher = RandomState::new();
        let by_hash = rows.iter().enumerate().map(|(at, row)| (hasher.hash_one(row.resource.as_slice()), at)).collect();
        Batch(ROWS.replace(Rows { hasher, by_hash, rows: rows.clone(), how }))
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        ROWS.replace(std::mem::take(&mut self.0));
    }
}

/// A row that is accepted.
pub struct Accepted {
    rows: Rc<Vec<Stamped>>,
    at: usize,
    pub how: As,
}

impl Deref for Accepted {
    type Target = Stamped;

    fn deref(&self) -> &Stamped {
        &self.rows[self.at]
    }
}

/// The row of the resource with exactly these bytes, if it is accepted.
pub fn row_of(container: &[u8]) -> Option<Accepted> {
    ROWS.with_borrow(|rows| {
        if rows.by_hash.is_empty() {
            return None;
        }
        let at = *rows.by_hash.get(&rows.hasher.hash_one(container))?;
        rows.rows.get(at).filter(|row| row.resource == container)?;
        Some(Accepted { rows: rows.rows.clone(), at, how: rows.how })
    })
}

thread_local! {
    static NEW_ID: RefCell<String> = RefCell::default();
}

/// An id that the server has just made, before its resource: nothing can have had it, so that history need not be asked. So
/// until this is dropped.
pub struct NewId(());

impl NewId {
    pub fn of(id: &str) -> NewId {
        NEW_ID.with_borrow_mut(|known| id.clone_into(known));
        NewId(())
    }
}

impl Drop for NewId {
    fn drop(&mut self) {
        NEW_ID.with_borrow_mut(String::clear);
    }
}

/// Whether the server has just made that id.
pub fn is_new(id: &str) -> bool {
    NEW_ID.with_borrow(|known| !known.is_empty() && known == id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str) -> Rc<Vec<Stamped>> {
        let container = crate::json::parse(text.as_bytes(), &crate::json::Limits::default()).unwrap();
        Rc::new(vec![Stamped::first(&container, 0, [0; 8]).unwrap()])
    }

    #[test]
    fn only_the_bytes_that_were_accepted_are_and_only_in_the_batch() {
        let (one, two) = (rows(r#"{"resourceType":"Patient","id":"1"}"#), rows(r#"{"resourceType":"Patient","id":"2"}"#));
        let known = |rows: &[Stamped]| row_of(&rows[0].resource).map(|row| row.id.clone());
        let outer = Batch::begin(&one, As::Resource);
        assert_eq!((known(&one).as_deref(), known(&two).as_deref()), (Some("1"), None));
        let inner = Batch::begin(&two, As::Version);
        assert_eq!(row_of(&two[0].resource).map(|row| row.how), Some(As::Version));
        assert_eq!((known(&one).as_deref(), known(&two).as_deref()), (None, Some("2")));
        drop(inner);
        assert_eq!(known(&one).as_deref(), Some("1"));
        drop(outer);
        assert_eq!(known(&one), None);
    }

    #[test]
    fn one_id_is_new_at_a_time() {
        let new = NewId::of("a");
        assert!(is_new("a") && !is_new("b") && !is_new(""));
        drop(new);
        assert!(!is_new("a") && !is_new(""));
    }
}
