//! Queries read in steps, so that memory stays flat whatever they give.

use super::error::{Error, INTERNAL};
use super::guard::attempt;
use super::spi::{Arg, Spi};
use pgrx::pg_sys;
use pgrx::pg_sys::{Datum, Oid};
use std::ffi::{CString, c_char, c_int, c_long};

/// An open query. It reads with the snapshot that was active when it was opened, and the server closes it with the transaction.
pub struct Cursor(pg_sys::Portal);

impl Spi {
    /// Opens a query that changes nothing.
    pub fn open(&self, sql: &str, args: &[Arg]) -> Result<Cursor, Error> {
        let text = CString::new(sql).map_err(|_| Error::new(super::error::INVALID_PARAMETER, "the query holds a zero byte"))?;
        let mut types: Vec<Oid> = args.iter().map(Arg::type_oid).collect();
        let mut values: Vec<Datum> = args.iter().map(Arg::datum).collect();
        let nulls: Vec<c_char> = args.iter().map(Arg::null_flag).collect();
        let (text, count) = (text.as_ptr(), args.len() as c_int);
        let (types, values, nulls) = (types.as_mut_ptr(), values.as_mut_ptr(), nulls.as_ptr());
        let name = std::ptr::null();
        // SAFETY: as many types, values and flags as said, and they outlive the call, which copies what it keeps.
        let portal = unsafe { attempt(|| server::SPI_cursor_open_with_args(name, text, count, types, values, nulls, true, 0))? };
        if portal.is_null() {
            return Err(Error::new(INTERNAL, "a query could not be opened"));
        }
        Ok(Cursor(portal))
    }
}

impl Cursor {
    /// The next rows, at most `most`, in place of the ones before; they are the cells of `spi`. None at the end.
    pub fn fetch(&self, _spi: &Spi, most: usize) -> Result<usize, Error> {
        let portal = self.0;
        // SAFETY: the portal is open: nothing but `close` ends it within our call. The table of the step before is given back;
        // whoever read it was told so.
        unsafe {
            attempt(|| {
                let before = pg_sys::SPI_tuptable;
                if !before.is_null() {
                    server::SPI_freetuptable(before);
                    pg_sys::SPI_tuptable = std::ptr::null_mut();
                }
                server::SPI_cursor_fetch(portal, true, most as c_long)
            })?;
            Ok(pg_sys::SPI_processed as usize)
        }
    }

    /// Ends the query.
    pub fn close(self) -> Result<(), Error> {
        let portal = self.0;
        // SAFETY: as above; it is not used again.
        unsafe { attempt(|| server::SPI_cursor_close(portal)) }
    }

    /// The names and types of the columns.
    pub fn columns(&self) -> Vec<Column> {
        // SAFETY: an open portal of a query has a row type, whose columns are as many as it says.
        unsafe {
            let descriptor = (*self.0).tupDesc;
            (0..(*descriptor).natts as usize).map(|at| Column::of(descriptor, at)).collect()
        }
    }
}

/// A column of a query.
#[derive(Clone, Debug)]
pub struct Column {
    pub name: String,
    /// Without its domains.
    pub ty: Oid,
    /// What the type says about length or precision; -1 for nothing.
    pub modifier: i32,
}

impl Column {
    /// # Safety
    /// The row type has that column.
    unsafe fn of(descriptor: pg_sys::TupleDesc, at: usize) -> Column {
        // SAFETY: as the caller says; a look-up in the catalogue of types that are there.
        unsafe {
            let attribute = attribute(descriptor, at);
            let (ty, modifier) = base((*attribute).atttypid, (*attribute).atttypmod);
            let name = std::ffi::CStr::from_ptr((*attribute).attname.data.as_ptr()).to_string_lossy().into_owned();
            Column { name, ty, modifier }
        }
    }
}

/// The type that a domain is made of, and its modifier; another type itself.
pub fn base(ty: Oid, mut modifier: i32) -> (Oid, i32) {
    // SAFETY: a look-up in the catalogue of a type that is there.
    let ty = unsafe { pg_sys::getBaseTypeAndTypmod(ty, &mut modifier) };
    (ty, modifier)
}

#[cfg(not(feature = "pg18"))]
unsafe fn attribute(descriptor: pg_sys::TupleDesc, at: usize) -> *const pg_sys::FormData_pg_attribute {
    // SAFETY: see `Column::of`.
    unsafe { (*descriptor).attrs.as_ptr().add(at) }
}

#[cfg(feature = "pg18")]
unsafe fn attribute(descriptor: pg_sys::TupleDesc, at: usize) -> *const pg_sys::FormData_pg_attribute {
    // SAFETY: see `Column::of`; the attributes stand behind the compact ones.
    unsafe { pg_sys::TupleDescAttr(descriptor, at as i32) }
}

/// Without pgrx's guard: [`attempt`] keeps the whole error.
mod server {
    use super::*;
    unsafe extern "C-unwind" {
        pub fn SPI_cursor_open_with_args(
            name: *const c_char,
            sql: *const c_char,
            count: c_int,
            types: *mut Oid,
            values: *mut Datum,
            nulls: *const c_char,
            read_only: bool,
            options: c_int,
        ) -> pg_sys::Portal;
        pub fn SPI_cursor_fetch(portal: pg_sys::Portal, forward: bool, count: c_long);
        pub fn SPI_cursor_close(portal: pg_sys::Portal);
        pub fn SPI_freetuptable(table: *mut pg_sys::SPITupleTable);
    }
}
