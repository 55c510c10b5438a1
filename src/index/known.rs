//! What is worked out from the definitions once in the life of the process. There are as many answers as definitions ask for.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{LazyLock, Mutex};

pub struct Known<K, V>(LazyLock<Mutex<HashMap<K, V>>>);

impl<K: Eq + Hash, V: Copy> Known<K, V> {
    #[allow(clippy::new_without_default)] // a const, for statics
    pub const fn new() -> Known<K, V> {
        Known(LazyLock::new(Mutex::default))
    }

    /// The answer for the key, by `work` if it is not known yet.
    pub fn of(&self, key: K, work: impl FnOnce() -> V) -> V {
        match self.0.lock() {
            Ok(mut known) => *known.entry(key).or_insert_with(work),
            Err(_) => work(),
        }
    }
}
