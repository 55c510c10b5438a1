//! Rows into the tables of a lake, in batches.
//!
//! A batch that the server refuses for what its rows say is divided until each row that is to blame stands alone and becomes a
//! rejected line; each try is a subtransaction.

use super::line::{self, Rejected};
use super::options::{OnError, Options};
use super::{current, versions};
use crate::model::TypeId;
use crate::pg::error::{Error, Told};
use crate::pg::memory::Scratch;
use crate::pg::spi::{Arg, connected};
use crate::pg::subtransaction::subtransaction;
use crate::store::{Stamped, table_of};
use std::collections::{BTreeMap, HashSet};
use std::rc::Rc;

/// Rows of one table and bytes of all that wait, whichever comes first.
const BATCH_ROWS: usize = 2000;
const BATCH_BYTES: usize = 16 * 1024 * 1024;

/// Where a row comes from.
#[derive(Clone, Copy, Debug)]
pub struct Origin {
    pub file: usize,
    pub line: u64,
    pub offset: u64,
}

/// What became of the rows of a file.
#[derive(Clone, Copy, Default)]
pub struct Written {
    /// New or changed.
    pub loaded: i64,
    pub unchanged: i64,
    pub deleted: i64,
}

/// What became of rows that were given to a writer.
#[derive(Default)]
pub struct Outcomes {
    pub written: BTreeMap<usize, Written>,
    pub rejected: Vec<(Origin, Rejected)>,
}

/// Rows of one table.
pub struct Batch {
    pub ty: TypeId,
    /// The table, qualified and quoted.
    pub table: String,
    pub rows: Rc<Vec<Stamped>>,
    origins: Vec<Origin>,
}

/// What a way of writing did with the rows it was given; the others it left as they were.
#[derive(Default)]
pub struct Effect {
    /// Numbers of the rows that are new or changed.
    pub loaded: Vec<usize>,
    pub rejected: Vec<(usize, Rejected)>,
}

/// Collects rows, and writes them where there are enough.
pub struct Writer {
    lake: String,
    options: Options,
    tables: BTreeMap<TypeId, Waiting>,
    bytes: usize,
    scratch: Scratch,
    outcomes: Outcomes,
}

#[derive(Default)]
struct Waiting {
    rows: Vec<Stamped>,
    origins: Vec<Origin>,
    ids: HashSet<String>,
}

impl Writer {
    /// `lake` is quoted.
    pub fn new(lake: String, options: Options) -> Writer {
        let scratch = Scratch::new(c"fhirlake load");
        Writer { lake, options, tables: BTreeMap::new(), bytes: 0, scratch, outcomes: Outcomes::default() }
    }

    /// Takes a row; later ones with the same id supersede it.
    pub fn add(&mut self, row: Stamped, origin: Origin) -> Result<(), Error> {
        let ty = row.ty;
        // Versions find their order by themselves.
        if !self.options.keep_versions && self.tables.get(&ty).is_some_and(|waiting| waiting.ids.contains(&row.id)) {
            self.flush_table(ty)?;
        }
        self.bytes += row.resource.len() + row.keys.len();
        let waiting = self.tables.entry(ty).or_default();
        if !self.options.keep_versions {
            waiting.ids.insert(row.id.clone());
        }
        waiting.rows.push(row);
        waiting.origins.push(origin);
        if waiting.rows.len() >= BATCH_ROWS {
            self.flush_table(ty)
        } else if self.bytes >= BATCH_BYTES {
            self.flush()
        } else {
            Ok(())
        }
    }

    /// Deletes a resource, as of now in the order of what was added.
    pub fn delete(&mut self, ty: TypeId, id: &str, origin: Origin) -> Result<(), Error> {
        self.flush_table(ty)?;
        let (what, condition) = (table_of(ty.name())?, "r.type OPERATOR(pg_catalog.=) $1 AND r.id OPERATOR(pg_catalog.=) $2");
        let statement = if self.options.dry_run {
            format!("SELECT FROM {what} AS r WHERE {condition}")
        } else {
            format!("DELETE FROM {what} AS r WHERE {condition}")
        };
        let _memory = self.scratch.enter();
        let deleted = connected(|sql| sql.run(&statement, &[Arg::Text(ty.name()), Arg::Text(id)]))?;
        self.outcomes.written.entry(origin.file).or_default().deleted += deleted as i64;
        Ok(())
    }

    /// Writes what waits.
    pub fn flush(&mut self) -> Result<(), Error> {
        while let Some(ty) = self.tables.keys().next().copied() {
            self.flush_table(ty)?;
        }
        Ok(())
    }

    /// Makes what is written findable by searches.
    pub fn complete(&mut self) -> Result<(), Error> {
        Ok(())
    }

    /// What became of rows since this was last asked; those that wait are not among them.
    pub fn take_outcomes(&mut self) -> Outcomes {
        std::mem::take(&mut self.outcomes)
    }

    fn flush_table(&mut self, ty: TypeId) -> Result<(), Error> {
        let Some(Waiting { rows, origins, .. }) = self.tables.remove(&ty) else { return Ok(()) };
        self.bytes -= rows.iter().map(|row| row.resource.len() + row.keys.len()).sum::<usize>();
        let batch = Batch { ty, table: table_of(ty.name())?, rows: Rc::new(rows), origins };
        let all: Vec<usize> = (0..batch.rows.len()).collect();
        self.write(&batch, &all)
    }

    fn write(&mut self, batch: &Batch, which: &[usize]) -> Result<(), Error> {
        let write = || {
            let _memory = self.scratch.enter();
            connected(|sql| match () {
                () if self.options.keep_versions => versions::write(sql, &self.lake, batch, which, self.options.dry_run),
                () if self.options.dry_run => current::compare(sql, batch, which, self.options.conflict),
                () => current::write(sql, batch, which, self.options.conflict),
            })
        };
        if self.options.on_error == OnError::Stop {
            let effect = write()?;
            self.note(batch, which, effect);
            return Ok(());
        }
        match (subtransaction(write)?, which) {
            (Ok(effect), _) => self.note(batch, which, effect),
            (Err(told), _) if !is_of_a_row(&told) => return Err(raised(told)),
            (Err(told), [one]) => {
                let reason = told.detail.map_or(told.message.clone(), |detail| format!("{}\n{detail}", told.message));
                let rejected = line::unwritten(&batch.rows[*one].resource, reason, told.sqlstate);
                self.outcomes.rejected.push((batch.origins[*one], rejected));
            }
            (Err(_), which) => {
                let (first, second) = which.split_at(which.len() / 2);
                self.write(batch, first)?;
                self.write(batch, second)?;
            }
        }
        Ok(())
    }

    fn note(&mut self, batch: &Batch, which: &[usize], effect: Effect) {
        for at in which {
            self.outcomes.written.entry(batch.origins[*at].file).or_default().unchanged += 1;
        }
        for at in effect.loaded {
            let written = self.outcomes.written.entry(batch.origins[at].file).or_default();
            written.unchanged -= 1;
            written.loaded += 1;
        }
        for (at, rejected) in effect.rejected {
            self.outcomes.written.entry(batch.origins[at].file).or_default().unchanged -= 1;
            self.outcomes.rejected.push((batch.origins[at], rejected));
        }
    }
}

/// Whether an error is about what a row says: data, constraints, what a trigger of the user raises, sizes. Rights, locks and lost races
/// concern the whole load.
fn is_of_a_row(told: &Told) -> bool {
    ["22", "23", "54", "P0"].contains(&told.sqlstate.get(..2).unwrap_or_default())
}

fn raised(told: Told) -> Error {
    let error = Error::new(told.sqlstate, told.message);
    let error = told.detail.into_iter().fold(error, Error::detail);
    told.hint.into_iter().fold(error, Error::hint)
}
