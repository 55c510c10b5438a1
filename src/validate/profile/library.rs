//! Profiles that are compiled when they are first asked for.

use super::{Definitions, MAX_BASES, Profile, ProfileError};
use crate::json;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::sync::Arc;

/// [`Definitions`] over StructureDefinitions as stored, each compiled once. Not for several threads at a time.
pub struct Library<F> {
    source: F,
    known: RefCell<HashMap<String, State>>,
    /// How many are being compiled, each as a base of the one before.
    open: Cell<usize>,
}

enum State {
    /// Being compiled: who asks for it now goes round in a circle of bases.
    Open,
    Known(Arc<Profile>),
    Unknown(Option<ProfileError>),
}

impl<F: Fn(&str, Option<&str>) -> Option<Vec<u8>>> Library<F> {
    /// `source` gives the bytes of the StructureDefinition with a url, of a version or the newest.
    pub fn new(source: F) -> Library<F> {
        Library { source, known: RefCell::new(HashMap::new()), open: Cell::new(0) }
    }

    /// The profile, or why it cannot be used; `Ok(None)` where there is none.
    pub fn profile(&self, url: &str, version: Option<&str>) -> Result<Option<Arc<Profile>>, ProfileError> {
        let key = version.map_or_else(|| url.to_owned(), |version| format!("{url}|{version}"));
        match self.known.borrow().get(&key) {
            Some(State::Known(profile)) => return Ok(Some(profile.clone())),
            Some(State::Open) => return Err(ProfileError::UnknownBase(url.to_owned())),
            Some(State::Unknown(error)) => return error.clone().map_or(Ok(None), Err),
            None => {}
        }
        let open = self.open.get();
        if open >= MAX_BASES {
            return Err(ProfileError::TooLarge { what: "bases", most: MAX_BASES });
        }
        let Some(bytes) = (self.source)(url, version) else {
            self.known.borrow_mut().insert(key, State::Unknown(None));
            return Ok(None);
        };
        self.known.borrow_mut().insert(key.clone(), State::Open);
        self.open.set(open + 1);
        let compiled = json::root(&bytes).ok_or(ProfileError::NotADefinition).and_then(|node| Profile::compile(node, self)).map(Arc::new);
        self.open.set(open);
        let state = match &compiled {
            Ok(profile) => State::Known(profile.clone()),
            Err(error) => State::Unknown(Some(error.clone())),
        };
        self.known.borrow_mut().insert(key, state);
        compiled.map(Some)
    }
}

impl<F: Fn(&str, Option<&str>) -> Option<Vec<u8>>> Definitions for Library<F> {
    fn structure(&self, url: &str, version: Option<&str>) -> Option<Arc<Profile>> {
        self.profile(url, version).ok().flatten()
    }
}
