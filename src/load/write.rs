//! Rows into the tables of a lake, in batches: in bulk where nothing of the user's is passed by, else through the triggers of the
//! lake, which know these rows as made and valid.
//!
//! A batch that the server refuses for what its rows say is divided until each row that is to blame stands alone and becomes a
//! rejected line; each try is a subtransaction.

use super::line::{self, Rejected};
use super::options::{OnError, Options};
use super::{current, versions};
use crate::model::TypeId;
use crate::pg::access;
use crate::pg::bulk::Tables;
use crate::pg::error::{self, Error, Told};
use crate::pg::memory::Scratch;
use crate::pg::spi::{Arg, connected};
use crate::pg::subtransaction::subtransaction;
use crate::store::{Demands, Stamped};
use crate::store::interactions::tables;
use crate::validate::Level;
use std::collections::{BTreeMap, HashMap, HashSet};
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

/// Collects rows, and writes them where there are enough. It must come to [`Writer::complete`], or an error must end the
/// transaction: until then searches do not find all that was written.
pub struct Writer {
    lake: String,
    options: Options,
    waiting: BTreeMap<TypeId, Waiting>,
    bytes: usize,
    bulk: Tables,
    demands: Demands,
    outcomes: Outcomes,
}

#[derive(Default)]
struct Waiting {
    rows: Vec<Stamped>,
    origins: Vec<Origin>,
}

impl Writer {
    /// Beside what the lake demands, `level` is demanded of each row.
    pub fn new(lake: String, options: Options, level: Option<Level>) -> Result<Writer, Error> {
        let demands = Demands::of(&lake, level)?;
        Ok(Writer { lake, options, waiting: BTreeMap::new(), bytes: 0, bulk: Tables::default(), demands, outcomes: Outcomes::default() })
    }

    /// The name of the lake.
    pub fn lake(&self) -> &str {
        &self.lake
    }

    /// Takes a row; later ones with the same id supersede it.
    pub fn add(&mut self, row: Stamped, origin: Origin) -> Result<(), Error> {
        let ty = row.ty;
        if let Some(refusal) = self.demands.refusal(ty, &row.id, &row.resource)? {
            self.outcomes.rejected.push((origin, line::invalid(&row.resource, &refusal)));
            return Ok(());
        }
        self.bytes += size(&row);
        let waiting = self.waiting.entry(ty).or_default();
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
        let table = tables::of_type(&self.lake, ty)?;
        let what = if self.options.dry_run { "SELECT" } else { "DELETE" };
        let statement = format!("{what} FROM {table} AS r WHERE r.type OPERATOR(pg_catalog.=) $1 AND r.id OPERATOR(pg_catalog.=) $2");
        let scratch = Scratch::new(c"fhirlake load");
        let _memory = scratch.enter();
        let deleted = connected(|sql| sql.run(&statement, &[Arg::Text(ty.name()), Arg::Text(id)]))?;
        self.outcomes.written.entry(origin.file).or_default().deleted += deleted as i64;
        Ok(())
    }

    /// Writes what waits.
    pub fn flush(&mut self) -> Result<(), Error> {
        while let Some(ty) = self.waiting.keys().next().copied() {
            self.flush_table(ty)?;
        }
        Ok(())
    }

    /// Writes what waits, also what is gathered for the indexes: then searches find it.
    pub fn complete(&mut self) -> Result<(), Error> {
        self.flush()?;
        std::mem::take(&mut self.bulk).finish()
    }

    /// What became of rows since this was last asked; those that wait are not among them.
    pub fn take_outcomes(&mut self) -> Outcomes {
        std::mem::take(&mut self.outcomes)
    }

    fn flush_table(&mut self, ty: TypeId) -> Result<(), Error> {
        let Some(Waiting { rows, origins }) = self.waiting.remove(&ty) else { return Ok(()) };
        self.bytes -= rows.iter().map(size).sum::<usize>();
        let batch = Batch { ty, table: tables::of_type(&self.lake, ty)?, rows: Rc::new(rows), origins };
        let mut rest = self.write_in_bulk(&batch)?;
        if self.options.keep_versions {
            return if rest.is_empty() { Ok(()) } else { self.write(&batch, &rest) };
        }
        // An id may stand only once in a statement; the later one comes in the next, so that it supersedes the earlier.
        while !rest.is_empty() {
            let mut ids = HashSet::new();
            let (now, later): (Vec<usize>, Vec<usize>) = rest.into_iter().partition(|at| ids.insert(batch.rows[*at].id.as_str()));
            self.write(&batch, &now)?;
            rest = later;
        }
        Ok(())
    }

    /// Writes the rows that nothing but their table is to be asked about; the numbers of the others.
    fn write_in_bulk(&mut self, batch: &Batch) -> Result<Vec<usize>, Error> {
        let all = 0..batch.rows.len();
        if self.options.dry_run {
            return Ok(all.collect());
        }
        let (first, mut rest) = if self.options.keep_versions { newest(batch) } else { (all.collect(), Vec::new()) };
        let rows: Vec<&Stamped> = first.iter().map(|at| &batch.rows[*at]).collect();
        let name = batch.ty.name().to_lowercase();
        let table = access::table_named(&self.lake, &name).ok_or_else(|| Error::new(error::UNDEFINED_TABLE, format!("there is no table \"{name}\"")))?;
        let scratch = Scratch::new(c"fhirlake load");
        let _memory = scratch.enter();
        let left: Vec<usize> = match self.bulk.insert(table, &rows)? {
            Some(left) => left.into_iter().filter_map(|number| first.get(number).copied()).collect(),
            None => first.clone(),
        };
        let is_left: HashSet<usize> = left.iter().copied().collect();
        for at in first.iter().filter(|at| !is_left.contains(at)) {
            self.outcomes.written.entry(batch.origins[*at].file).or_default().loaded += 1;
        }
        rest.extend(left);
        rest.sort_unstable();
        Ok(rest)
    }

    fn write(&mut self, batch: &Batch, which: &[usize]) -> Result<(), Error> {
        let scratch = Scratch::new(c"fhirlake load");
        let write = || {
            let _memory = scratch.enter();
            connected(|sql| match () {
                () if self.options.keep_versions => versions::write(sql, &access::quoted(&self.lake), batch, which, self.options.dry_run),
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

/// Of each id the newest version, and all others.
fn newest(batch: &Batch) -> (Vec<usize>, Vec<usize>) {
    let mut newest: HashMap<&str, usize> = HashMap::new();
    for (at, row) in batch.rows.iter().enumerate() {
        let known = newest.entry(&row.id).or_insert(at);
        if batch.rows[*known].version.number < row.version.number {
            *known = at;
        }
    }
    let (first, rest) = (0..batch.rows.len()).partition(|at| newest.get(batch.rows[*at].id.as_str()) == Some(at));
    (first, rest)
}

fn size(row: &Stamped) -> usize {
    row.resource.len() + row.keys.len()
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
