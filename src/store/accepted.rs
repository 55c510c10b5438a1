//! What is known of a resource on its way through the server to the trigger: that it has passed validation, that its id is new.
//!
//! The loader validates a line before it inserts it; the trigger need not do it again. What is remembered is the bytes, not
//! a state of the session: it cannot vouch for anything else, whatever happens in between.

use std::cell::RefCell;
use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};

#[derive(Default)]
struct Accepted {
    /// Its key is random, so that no two documents can be made to share a number.
    hasher: RandomState,
    hashes: HashSet<u64>,
}

thread_local! {
    static ACCEPTED: RefCell<Accepted> = RefCell::default();
}

/// Documents stay accepted until this is dropped.
pub struct Batch(());

impl Batch {
    pub fn begin() -> Batch {
        Batch(())
    }

    /// Remembers that these bytes are a valid resource.
    pub fn accept(&self, container: &[u8]) {
        ACCEPTED.with_borrow_mut(|accepted| {
            let hash = accepted.hasher.hash_one(container);
            accepted.hashes.insert(hash);
        });
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        ACCEPTED.with_borrow_mut(|accepted| accepted.hashes.clear());
    }
}

/// Whether these bytes are known to be a valid resource.
pub fn is_accepted(container: &[u8]) -> bool {
    ACCEPTED.with_borrow(|accepted| !accepted.hashes.is_empty() && accepted.hashes.contains(&accepted.hasher.hash_one(container)))
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

    #[test]
    fn only_the_bytes_that_were_accepted_are_and_only_in_the_batch() {
        let batch = Batch::begin();
        batch.accept(b"one");
        assert!(is_accepted(b"one"));
        assert!(!is_accepted(b"two"));
        drop(batch);
        assert!(!is_accepted(b"one"));
    }

    #[test]
    fn one_id_is_new_at_a_time() {
        let new = NewId::of("a");
        assert!(is_new("a") && !is_new("b") && !is_new(""));
        drop(new);
        assert!(!is_new("a") && !is_new(""));
    }
}
