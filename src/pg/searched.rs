//! The search index of a table, opened for one user.

use super::access;
use super::error::{Error, INTERNAL};
use super::guard::attempt;
use pgrx::pg_sys;

// in count.c
unsafe extern "C-unwind" {
    fn fhirlake_open_searched(
        table: pg_sys::Oid,
        query_type: pg_sys::Oid,
        opened: *mut pg_sys::Relation,
        index: *mut pg_sys::Relation,
        rows: *mut f64,
    ) -> bool;
    fn fhirlake_close_searched(table: pg_sys::Relation, index: pg_sys::Relation);
}

/// A table and its search index, both open; the server closes them where something raises.
pub struct Searched {
    table: pg_sys::Relation,
    pub index: pg_sys::Relation,
    /// The rows of the table, as the planner takes them.
    pub rows: f64,
}

impl Searched {
    /// `None` where the current user may not know of all rows, or the table has not one usable search index: see `fhir.index_count`.
    pub fn open(table: pg_sys::Oid) -> Result<Option<Searched>, Error> {
        let query_type = access::own_type(c"query").ok_or_else(|| Error::new(INTERNAL, "type fhir.query is missing"))?;
        let (mut opened, mut index, mut rows) = (std::ptr::null_mut(), std::ptr::null_mut(), 0.0);
        let (opened_at, index_at, rows_at) = (&raw mut opened, &raw mut index, &raw mut rows);
        // SAFETY: the places outlive the call.
        let is_open = unsafe { attempt(|| fhirlake_open_searched(table, query_type, opened_at, index_at, rows_at))? };
        Ok(is_open.then_some(Searched { table: opened, index, rows }))
    }

    /// The locks stay until the transaction ends, as those of any query do.
    pub fn close(self) -> Result<(), Error> {
        let (table, index) = (self.table, self.index);
        // SAFETY: both are open.
        unsafe { attempt(|| fhirlake_close_searched(table, index)) }
    }
}
