//! Sets of codes, by system.

use super::{Coding, Member};
use std::collections::btree_map::{BTreeMap, Entry};
use std::collections::BTreeSet;

/// What is known of a set: of each system some codes, or all of them without knowing which.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Members(BTreeMap<Option<String>, Group>);

#[derive(Clone, Debug, PartialEq)]
enum Group {
    All,
    Codes(BTreeSet<String>),
}

/// Codes were to be taken out of a system whose codes are not known.
#[derive(Debug, PartialEq)]
pub struct NotKnown {
    pub system: String,
}

impl Members {
    /// Every code of a system.
    pub fn whole(system: &str) -> Members {
        Members(BTreeMap::from([(Some(system.to_owned()), Group::All)]))
    }

    /// Some codes of a system.
    pub fn of(system: Option<&str>, codes: impl IntoIterator<Item = String>) -> Members {
        let codes: BTreeSet<String> = codes.into_iter().collect();
        let mut members = Members::default();
        if !codes.is_empty() {
            members.0.insert(system.map(str::to_owned), Group::Codes(codes));
        }
        members
    }

    pub fn insert(&mut self, system: Option<&str>, code: &str) {
        // the look-up by reference would need a borrowed form of Option<String>
        match self.0.entry(system.map(str::to_owned)).or_insert_with(|| Group::Codes(BTreeSet::new())) {
            Group::All => {}
            Group::Codes(codes) => {
                codes.insert(code.to_owned());
            }
        }
    }

    /// Codes and whole systems.
    pub fn len(&self) -> usize {
        let of = |group: &Group| match group {
            Group::All => 1,
            Group::Codes(codes) => codes.len(),
        };
        self.0.values().map(of).sum()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn unite(&mut self, other: Members) {
        for (system, theirs) in other.0 {
            match self.0.entry(system) {
                Entry::Vacant(place) => {
                    place.insert(theirs);
                }
                Entry::Occupied(mut place) => match (place.get_mut(), theirs) {
                    (Group::All, _) => {}
                    (ours, Group::All) => *ours = Group::All,
                    (Group::Codes(ours), Group::Codes(mut theirs)) => ours.append(&mut theirs),
                },
            }
        }
    }

    pub fn intersect(&mut self, other: &Members) {
        self.0.retain(|system, ours| match (&mut *ours, other.0.get(system)) {
            (_, None) => false,
            (_, Some(Group::All)) => true,
            (Group::All, Some(theirs)) => {
                *ours = theirs.clone();
                true
            }
            (Group::Codes(ours), Some(Group::Codes(theirs))) => {
                ours.retain(|code| theirs.contains(code));
                !ours.is_empty()
            }
        });
    }

    /// Takes out what the other holds. Fails where some of a whole system are to go: what is left then cannot be listed.
    pub fn subtract(&mut self, other: &Members) -> Result<(), NotKnown> {
        for (system, theirs) in &other.0 {
            let Entry::Occupied(mut place) = self.0.entry(system.clone()) else { continue };
            let emptied = match (place.get_mut(), theirs) {
                (_, Group::All) => true,
                (Group::All, Group::Codes(codes)) if codes.is_empty() => false,
                (Group::All, Group::Codes(_)) => return Err(NotKnown { system: system.clone().unwrap_or_default() }),
                (Group::Codes(ours), Group::Codes(theirs)) => {
                    ours.retain(|code| !theirs.contains(code));
                    ours.is_empty()
                }
            };
            if emptied {
                place.remove();
            }
        }
        Ok(())
    }

    /// In the order of systems, then codes.
    pub fn into_vec(self) -> Vec<Member> {
        let mut all = Vec::new();
        for (system, group) in self.0 {
            match (group, system) {
                (Group::All, Some(system)) => all.push(Member::WholeSystem(system)),
                (Group::All, None) => {}
                (Group::Codes(codes), system) => {
                    all.extend(codes.into_iter().map(|code| Member::Code(Coding { system: system.clone(), code })));
                }
            }
        }
        all
    }
}
