//! Rows into the tables of a lake, in batches, through the triggers of the lake, which know these rows as made and valid.

use crate::model::TypeId;
use crate::pg::arrays::jsonb_array;
use crate::pg::error::Error;
use crate::pg::memory::Scratch;
use crate::pg::spi::{Arg, Spi, connected};
use crate::store::{Stamped, accepted, table_of};
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

/// Collects rows, and writes them where there are enough.
pub struct Writer {
    tables: BTreeMap<TypeId, Table>,
    bytes: usize,
    scratch: Scratch,
    written: Written,
}

#[derive(Default)]
struct Table {
    rows: Vec<Rc<Stamped>>,
    ids: HashSet<String>,
}

impl Writer {
    pub fn new() -> Writer {
        Writer { tables: BTreeMap::new(), bytes: 0, scratch: Scratch::new(c"fhirlake load"), written: Written::default() }
    }

    /// Takes a row; later ones with the same id supersede it.
    pub fn add(&mut self, row: Stamped) -> Result<(), Error> {
        let ty = row.ty;
        if self.tables.get(&ty).is_some_and(|table| table.ids.contains(&row.id)) {
            self.flush_table(ty)?;
        }
        self.bytes += row.resource.len() + row.keys.len();
        let table = self.tables.entry(ty).or_default();
        table.ids.insert(row.id.clone());
        table.rows.push(Rc::new(row));
        if table.rows.len() >= BATCH_ROWS {
            self.flush_table(ty)
        } else if self.bytes >= BATCH_BYTES {
            self.flush()
        } else {
            Ok(())
        }
    }

    /// Writes what waits.
    pub fn flush(&mut self) -> Result<(), Error> {
        while let Some(ty) = self.tables.keys().next().copied() {
            self.flush_table(ty)?;
        }
        Ok(())
    }

    /// What became of all rows since this was last asked; those that wait are not among them.
    pub fn take_written(&mut self) -> Written {
        std::mem::take(&mut self.written)
    }

    fn flush_table(&mut self, ty: TypeId) -> Result<(), Error> {
        let Some(Table { rows, .. }) = self.tables.remove(&ty) else { return Ok(()) };
        self.bytes -= rows.iter().map(|row| row.resource.len() + row.keys.len()).sum::<usize>();
        let _memory = self.scratch.enter();
        let loaded = connected(|sql| write(sql, ty, &rows))?;
        self.written.loaded += loaded;
        self.written.unchanged += rows.len() as i64 - loaded;
        Ok(())
    }
}

/// Writes the rows of one table; how many of them were new or changed.
fn write(sql: &Spi, ty: TypeId, rows: &[Rc<Stamped>]) -> Result<i64, Error> {
    let insert = format!(
        "INSERT INTO {} AS r (resource) SELECT u.resource FROM pg_catalog.unnest($1) AS u (resource) \
         ON CONFLICT (type, id) DO UPDATE SET resource = EXCLUDED.resource \
         WHERE NOT fhir.same_resource(r.resource, EXCLUDED.resource)",
        table_of(ty.name())?
    );
    let _accepted = accepted::Batch::begin(rows);
    let array = jsonb_array(rows.iter().map(|row| row.resource.as_slice()));
    Ok(sql.run(&insert, &[Arg::Datum(pg_sys::JSONBARRAYOID, array)])? as i64)
}
