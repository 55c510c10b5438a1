//! Rows into the tables of a lake, in batches: in bulk where nothing of the user's is passed by, else through the triggers of the
//! lake, which know these rows as made and valid.

use crate::model::TypeId;
use crate::pg::access;
use crate::pg::arrays::jsonb_array;
use crate::pg::bulk::Tables;
use crate::pg::error::{self, Error};
use crate::pg::memory::Scratch;
use crate::pg::spi::{Arg, connected};
use crate::store::{Stamped, accepted};
use pgrx::pg_sys;
use std::collections::{BTreeMap, HashSet};
use std::rc::Rc;

/// Rows of one table and bytes of all that wait, whichever comes first.
const BATCH_ROWS: usize = 2000;
const BATCH_BYTES: usize = 16 * 1024 * 1024;

/// What became of rows.
#[derive(Clone, Copy, Default)]
pub struct Written {
    /// New or changed.
    pub loaded: i64,
    pub unchanged: i64,
}

/// Collects rows, and writes them where there are enough. It must come to [`Writer::finish`], or an error must end the
/// transaction: until then searches do not find all that was written.
pub struct Writer {
    lake: String,
    waiting: BTreeMap<TypeId, Vec<Rc<Stamped>>>,
    bytes: usize,
    written: Written,
    bulk: Tables,
}

impl Writer {
    pub fn new(lake: &str) -> Writer {
        Writer {
            lake: lake.to_owned(),
            waiting: BTreeMap::new(),
            bytes: 0,
            written: Written::default(),
            bulk: Tables::default(),
        }
    }

    /// Takes a row; later ones with the same id supersede it.
    pub fn add(&mut self, row: Stamped) -> Result<(), Error> {
        let ty = row.ty;
        self.bytes += size(&row);
        let rows = self.waiting.entry(ty).or_default();
        rows.push(Rc::new(row));
        if rows.len() >= BATCH_ROWS {
            self.flush_table(ty)
        } else if self.bytes >= BATCH_BYTES {
            self.flush()
        } else {
            Ok(())
        }
    }

    /// Writes what waits.
    pub fn flush(&mut self) -> Result<(), Error> {
        while let Some(ty) = self.waiting.keys().next().copied() {
            self.flush_table(ty)?;
        }
        Ok(())
    }

    /// What became of all rows since this was last asked; those that wait are not among them.
    pub fn take_written(&mut self) -> Written {
        std::mem::take(&mut self.written)
    }

    /// Writes what waits, also what is gathered for the indexes, and tells as [`Writer::take_written`].
    pub fn finish(mut self) -> Result<Written, Error> {
        self.flush()?;
        self.bulk.finish()?;
        Ok(self.written)
    }

    fn flush_table(&mut self, ty: TypeId) -> Result<(), Error> {
        let Some(rows) = self.waiting.remove(&ty) else { return Ok(()) };
        self.bytes -= rows.iter().map(|row| size(row)).sum::<usize>();
        let scratch = Scratch::new(c"fhirlake load");
        let _memory = scratch.enter();
        let name = ty.name().to_lowercase();
        let table = access::table_named(&self.lake, &name)
            .ok_or_else(|| Error::new(error::UNDEFINED_TABLE, format!("lake \"{}\" has no table \"{name}\"", self.lake)))?;
        let mut rest: Vec<&Rc<Stamped>> = match self.bulk.insert(table, &rows)? {
            Some(left) => {
                self.written.loaded += (rows.len() - left.len()) as i64;
                left.into_iter().filter_map(|number| rows.get(number)).collect()
            }
            None => rows.iter().collect(),
        };
        // An id may stand only once in a statement; the later one comes in the next, so that it supersedes the earlier.
        while !rest.is_empty() {
            let mut ids = HashSet::new();
            let (now, later): (Vec<_>, Vec<_>) = rest.into_iter().partition(|row| ids.insert(row.id.as_str()));
            let loaded = self.insert(&name, &now)?;
            self.written.loaded += loaded;
            self.written.unchanged += now.len() as i64 - loaded;
            rest = later;
        }
        Ok(())
    }

    /// Writes rows of one table through its triggers; how many of them were new or changed.
    fn insert(&self, table: &str, rows: &[&Rc<Stamped>]) -> Result<i64, Error> {
        let insert = format!(
            "INSERT INTO {}.{} AS r (resource) SELECT u.resource FROM pg_catalog.unnest($1) AS u (resource) \
             ON CONFLICT (type, id) DO UPDATE SET resource = EXCLUDED.resource \
             WHERE NOT fhir.same_resource(r.resource, EXCLUDED.resource)",
            access::quoted(&self.lake),
            access::quoted(table)
        );
        let _accepted = accepted::Batch::begin(rows.iter().copied());
        let array = jsonb_array(rows.iter().map(|row| row.resource.as_slice()));
        connected(|sql| Ok(sql.run(&insert, &[Arg::Datum(pg_sys::JSONBARRAYOID, array)])? as i64))
    }
}

fn size(row: &Stamped) -> usize {
    row.resource.len() + row.keys.len()
}
