//! References that lead nowhere once everything is there.
//!
//! What references name is remembered until it is found. Where that grows large, what the lake has by now is forgotten: so memory
//! depends on how many references lead nowhere yet, not on how much is loaded.

use crate::model::TypeId;
use crate::pg::arrays::text_array;
use crate::pg::error::Error;
use crate::pg::memory::Scratch;
use crate::pg::snapshot::View;
use crate::pg::spi::{Arg, connected};
use crate::pg::time::check_for_interrupts;
use crate::store::table_of;
use pgrx::pg_sys;
use std::collections::{BTreeMap, HashMap};

/// Targets after which the lake is asked for the first time, and beyond which nobody counts any more.
const FIRST: usize = 250_000;
const MOST: usize = 2_000_000;
/// Ids that one statement looks up.
const STEP: usize = 10_000;

/// What references name, each with the file that did so first.
pub struct Targets {
    wanted: BTreeMap<TypeId, HashMap<String, usize>>,
    count: usize,
    limit: usize,
    is_given_up: bool,
    scratch: Scratch,
}

impl Targets {
    pub fn new() -> Targets {
        Targets { wanted: BTreeMap::new(), count: 0, limit: FIRST, is_given_up: false, scratch: Scratch::new(c"fhirlake references") }
    }

    pub fn add(&mut self, file: usize, targets: Vec<(TypeId, String)>) -> Result<(), Error> {
        if self.is_given_up {
            return Ok(());
        }
        for (ty, id) in targets {
            let ids = self.wanted.entry(ty).or_default();
            let before = ids.len();
            ids.entry(id).or_insert(file);
            self.count += ids.len() - before;
        }
        if self.count >= self.limit {
            self.forget_found()?;
            self.limit = (self.count * 2).max(FIRST);
            if self.count >= MOST {
                self.is_given_up = true;
                self.wanted = BTreeMap::new();
            }
        }
        Ok(())
    }

    /// How many targets are not there, by file; `None` where they were too many.
    pub fn missing(mut self) -> Result<Option<Vec<(usize, i64)>>, Error> {
        if self.is_given_up {
            return Ok(None);
        }
        self.forget_found()?;
        let mut counts: BTreeMap<usize, i64> = BTreeMap::new();
        for file in self.wanted.values().flat_map(HashMap::values) {
            *counts.entry(*file).or_default() += 1;
        }
        Ok(Some(counts.into_iter().collect()))
    }

    fn forget_found(&mut self) -> Result<(), Error> {
        self.count = 0;
        for (ty, ids) in &mut self.wanted {
            let select = format!(
                "SELECT u.id FROM pg_catalog.unnest($1) AS u (id) WHERE NOT EXISTS ( \
                 SELECT FROM {} AS r WHERE r.type OPERATOR(pg_catalog.=) $2 AND r.id OPERATOR(pg_catalog.=) u.id)",
                table_of(ty.name())?
            );
            let all: Vec<&str> = ids.keys().map(String::as_str).collect();
            let mut missing: HashMap<String, usize> = HashMap::new();
            for some in all.chunks(STEP) {
                check_for_interrupts();
                let _memory = self.scratch.enter();
                connected(|sql| {
                    sql.afresh(View::OfTransaction, |sql| {
                        let count = sql.select(&select, &[Arg::Datum(pg_sys::TEXTARRAYOID, text_array(some)), Arg::Text(ty.name())])?;
                        for id in (0..count).filter_map(|row| sql.text(row, 1)) {
                            missing.insert(id.to_owned(), ids.get(id).copied().unwrap_or(0));
                        }
                        Ok(())
                    })
                })?;
            }
            *ids = missing;
            self.count += ids.len();
        }
        Ok(())
    }
}
