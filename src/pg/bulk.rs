//! Rows past the executor: many at a time into a table of a lake, its indexes served in batches (`bulk.c`).
//!
//! It takes no lock that readers or writers of single rows would notice, and works on full tables as well as on empty ones. What an
//! INSERT would do that it does not, it leaves to INSERT: see [`Table::open`].

use super::access;
use super::error::{Error, INTERNAL};
use super::guard::attempt;
use crate::model::TypeId;
use crate::sql_function;
use crate::store::Stamped;
use pgrx::pg_sys;
use pgrx::pg_sys::Oid;
use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::ffi::{c_char, c_int, c_void};

type Handle = *mut c_void;

sql_function!(fhir_loads_in_bulk, |call| {
    let table = Table::open(Oid::from(call.int(0)? as u32))?;
    let answer = table.is_some();
    table.map_or(Ok(()), Table::finish)?;
    Ok(answer.into())
});

#[repr(C)]
#[derive(Clone, Copy)]
struct Text {
    start: *const c_char,
    length: i32,
}

#[repr(C)]
struct Row {
    id: Text,
    home: Text,
    resource: Text,
    keys: Text,
    version: i64,
    last_updated: i64,
    occurred: i64,
    others: *const Text,
    nothers: i32,
}

unsafe extern "C-unwind" {
    fn fhirlake_bulk_open(table: Oid, keys_type: Oid) -> Handle;
    fn fhirlake_bulk_insert(bulk: Handle, ty: Text, rows: *const Row, nrows: c_int, refused: *mut c_int) -> c_int;
    fn fhirlake_bulk_memory(bulk: Handle) -> i64;
    fn fhirlake_bulk_flush(bulk: Handle);
    fn fhirlake_bulk_finish(bulk: Handle);
}

/// The table of one resource type, open for a load.
///
/// It must come to [`Table::finish`] within the subtransaction and the function call or statement that opened it, or an error must
/// end that: a transaction that would commit without is refused by the server (55000), for the indexes would not know its rows.
pub struct Table {
    handle: Handle,
}

impl Table {
    /// `None` where it would pass by anything of the user's that an INSERT obeys. It answers only where
    /// - the table is as `fhir.create_lake` made it: a plain table of the heap with the columns of a lake, the stamp and the keeper as the
    ///   only triggers of an INSERT, no rule, CHECK, computed column, further unique index or exclusion; so are its `membership` and `history`;
    /// - the current user has SELECT, INSERT and UPDATE on it, USAGE on its schema, and no row-level security applies to them;
    /// - the server is not in recovery, the transaction not read-only, and triggers are not off (`session_replication_role`).
    pub fn open(table: Oid) -> Result<Option<Table>, Error> {
        let keys = access::own_type(c"keys").ok_or_else(|| Error::new(INTERNAL, "type fhir.keys is missing"))?;
        // SAFETY: both are plain numbers; what it opens belongs to the subtransaction.
        let handle = unsafe { attempt(|| fhirlake_bulk_open(table, keys))? };
        Ok((!handle.is_null()).then_some(Table { handle }))
    }

    /// Writes rows, all of the type that the table holds. Returns the numbers, ascending, of those that it left out because their id is
    /// there already, was once there (so that history has it), or stands twice among the rows; they are for INSERT … ON CONFLICT.
    ///
    /// Until [`Table::finish`] only the primary key finds what was written.
    pub fn insert<R: Borrow<Stamped>>(&mut self, rows: &[R]) -> Result<Vec<usize>, Error> {
        let rows: Vec<&Stamped> = rows.iter().map(Borrow::borrow).collect();
        let Some(first) = rows.first() else { return Ok(Vec::new()) };
        let ty = text(first.ty.name().as_bytes());
        let others: Vec<Text> = rows.iter().flat_map(|row| row.others.iter().map(|other| text(other.as_bytes()))).collect();
        let mut others_left = others.as_slice();
        let mut given = Vec::with_capacity(rows.len());
        for row in &rows {
            let (own, rest) = others_left.split_at(row.others.len());
            others_left = rest;
            given.push(Row {
                id: text(row.id.as_bytes()),
                home: text(row.home.as_bytes()),
                resource: text(&row.resource),
                keys: text(&row.keys),
                version: row.version.number,
                last_updated: row.version.last_updated,
                occurred: row.occurred,
                others: own.as_ptr(),
                nothers: own.len() as i32,
            });
        }
        let mut refused: Vec<c_int> = vec![0; rows.len()];
        let (handle, given, n, out) = (self.handle, given.as_ptr(), rows.len() as c_int, refused.as_mut_ptr());
        // SAFETY: the handle is open; rows, and what they point at, outlive the call; there is room for as many numbers as rows.
        let n = unsafe { attempt(|| fhirlake_bulk_insert(handle, ty, given, n, out))? };
        refused.truncate(n as usize);
        Ok(refused.into_iter().map(|number| number as usize).collect())
    }

    /// Bytes of index keys that wait to be written; [`Table::flush`] writes them.
    pub fn memory(&self) -> usize {
        // SAFETY: the handle is open; it only adds numbers.
        unsafe { fhirlake_bulk_memory(self.handle) as usize }
    }

    pub fn flush(&mut self) -> Result<(), Error> {
        let handle = self.handle;
        // SAFETY: the handle is open.
        unsafe { attempt(|| fhirlake_bulk_flush(handle)) }
    }

    /// Writes what is left to the indexes, and closes the table.
    pub fn finish(self) -> Result<(), Error> {
        let handle = self.handle;
        // SAFETY: the handle is open, and nobody has it from now on.
        unsafe { attempt(|| fhirlake_bulk_finish(handle)) }
    }
}

/// The tables that one load writes, each opened when its first row comes; together they keep to `maintenance_work_mem`.
#[derive(Default)]
pub struct Tables {
    open: BTreeMap<TypeId, Option<Table>>,
}

impl Tables {
    /// [`Table::insert`] of rows of one type into its table; `None`, and nothing written, where that table must be written by INSERT.
    pub fn insert<R: Borrow<Stamped>>(&mut self, table: Oid, rows: &[R]) -> Result<Option<Vec<usize>>, Error> {
        let Some(ty) = rows.first().map(|row| row.borrow().ty) else { return Ok(Some(Vec::new())) };
        if !self.open.contains_key(&ty) {
            self.open.insert(ty, Table::open(table)?);
        }
        let Some(Some(table)) = self.open.get_mut(&ty) else { return Ok(None) };
        let refused = table.insert(rows)?;
        self.keep_within(memory_limit())?;
        Ok(Some(refused))
    }

    fn keep_within(&mut self, limit: usize) -> Result<(), Error> {
        loop {
            let open = || self.open.values().flatten();
            if open().map(Table::memory).sum::<usize>() <= limit {
                return Ok(());
            }
            let Some(largest) = self.open.values_mut().flatten().max_by_key(|table| table.memory()) else { return Ok(()) };
            largest.flush()?;
        }
    }

    /// [`Table::finish`] of all.
    pub fn finish(self) -> Result<(), Error> {
        self.open.into_values().flatten().try_for_each(Table::finish)
    }
}

fn memory_limit() -> usize {
    // SAFETY: a plain variable of the session, in kilobytes.
    unsafe { pg_sys::maintenance_work_mem as usize * 1024 }
}

fn text(bytes: &[u8]) -> Text {
    Text { start: bytes.as_ptr().cast(), length: bytes.len() as i32 }
}
