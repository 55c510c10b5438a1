//! SQL from inside a function: plans kept for the session, errors as values.
//!
//! Statements are written once per table with every name quoted and qualified; values travel as parameters only.

use super::error::{Error, INTERNAL};
use super::guard::attempt;
use pgrx::pg_sys;
use pgrx::pg_sys::{Datum, Oid};
use std::cell::RefCell;
use std::collections::HashMap;
use std::ffi::{CString, c_char, c_int, c_long};

/// A connection to the server's SQL interface.
pub struct Spi(());

/// A parameter.
#[derive(Clone, Copy)]
pub enum Arg<'a> {
    Null(Oid),
    Text(&'a str),
    Int(i64),
    /// Microseconds since 2000-01-01 UTC.
    Time(i64),
    /// The bytes of a container.
    Jsonb(&'a [u8]),
    /// In the server's form, of that type.
    Datum(Oid, Datum),
}

thread_local! {
    /// Plans by their text. A plan follows its tables: the server plans it again when they change. There are a few per lake.
    static PLANS: RefCell<HashMap<String, Plan>> = RefCell::new(HashMap::new());
}

#[derive(Clone, Copy)]
struct Plan(pg_sys::SPIPlanPtr);

/// Connects for the length of `work`.
pub fn connected<T>(work: impl FnOnce(&Spi) -> Result<T, Error>) -> Result<T, Error> {
    // SAFETY: no frame between us and the server owns anything that the call could jump over.
    let code = unsafe { attempt(|| server::SPI_connect())? };
    checked(code, "connect")?;
    // After an error the server's abort closes the connection, and the error must go on to it.
    let result = work(&Spi(()))?;
    // SAFETY: closes what was opened above; the memory context becomes the caller's again.
    let code = unsafe { attempt(|| server::SPI_finish())? };
    checked(code, "finish")?;
    Ok(result)
}

impl Spi {
    /// Runs a statement that changes something; the number of rows it touched.
    pub fn run(&self, sql: &str, args: &[Arg]) -> Result<u64, Error> {
        self.execute(sql, args, false)
    }

    /// Runs a query that is not worth keeping a plan of; the number of its rows. They stay readable until the connection closes.
    pub fn query(&self, sql: &str) -> Result<usize, Error> {
        self.once(sql, true)
    }

    /// Runs a statement that changes something and is not worth keeping a plan of; the number of rows that it returns.
    pub fn write(&self, sql: &str) -> Result<usize, Error> {
        self.once(sql, false)
    }

    /// Runs a query whose plan is kept; the number of its rows.
    pub fn select(&self, sql: &str, args: &[Arg]) -> Result<usize, Error> {
        Ok(self.execute(sql, args, true)? as usize)
    }

    /// The plan of a query, TEXT in lines or JSON in one cell.
    pub fn explain(&self, sql: &str, format: &str) -> Result<usize, Error> {
        // a utility command, which the server takes for one that writes
        self.once(&format!("EXPLAIN (FORMAT {format}) {sql}"), false)
    }

    fn once(&self, sql: &str, read_only: bool) -> Result<usize, Error> {
        let text = CString::new(sql).map_err(|_| Error::new(INTERNAL, "a statement holds a zero byte"))?;
        let text = text.as_ptr();
        // SAFETY: the text is zero-ended and outlives the call.
        let code = unsafe { attempt(|| server::SPI_execute(text, read_only, 0))? };
        checked(code, "execute")?;
        // SAFETY: a plain variable.
        Ok(unsafe { pg_sys::SPI_processed } as usize)
    }

    /// A text cell of the last statement's rows; its memory is that of the connection.
    pub fn text(&self, row: usize, column: i32) -> Option<&str> {
        // SAFETY: the caller names a column of type text.
        self.cell(row, column).map(|datum| unsafe { super::jsonb::text(datum) })
    }

    /// A jsonb cell of the last statement's rows; its memory is that of the connection.
    pub fn container(&self, row: usize, column: i32) -> Option<&[u8]> {
        // SAFETY: the caller names a column of type jsonb.
        self.cell(row, column).map(|datum| unsafe { super::jsonb::container(datum) })
    }

    /// A cell of type bigint or timestamptz (in microseconds since 2000-01-01 UTC) of the last statement's rows.
    pub fn number(&self, row: usize, column: i32) -> Option<i64> {
        self.cell(row, column).map(|datum| datum.value() as i64)
    }

    /// A boolean cell of the last statement's rows; false for NULL.
    pub fn is_true(&self, row: usize, column: i32) -> bool {
        self.cell(row, column).is_some_and(|datum| datum.value() as u8 != 0)
    }

    /// Runs a query; the first column of its first row as a number, `None` for no row or NULL.
    pub fn int(&self, sql: &str, args: &[Arg], read_only: bool) -> Result<Option<i64>, Error> {
        self.execute(sql, args, read_only)?;
        Ok(self.cell(0, 1).map(|datum| datum.value() as i64))
    }

    /// As [`Spi::int`], but sees all that is committed now, also where the transaction's own snapshot is older: what the
    /// server's checks of foreign keys do under REPEATABLE READ.
    pub fn int_as_of_now(&self, sql: &str, args: &[Arg]) -> Result<Option<i64>, Error> {
        // SAFETY: as `SPI_execute_plan`; the snapshot is the server's static one, which SPI registers while it uses it.
        self.with_plan(sql, args, |plan, values, nulls| unsafe {
            pg_sys::CommandCounterIncrement();
            server::SPI_execute_snapshot(plan, values, nulls, server::GetLatestSnapshot(), std::ptr::null_mut(), false, true, 0)
        })?;
        Ok(self.cell(0, 1).map(|datum| datum.value() as i64))
    }

    /// Runs a query in the snapshot of the caller's statement; the first column of its first row, a jsonb, copied out.
    pub fn jsonb(&self, sql: &str, args: &[Arg]) -> Result<Option<Vec<u8>>, Error> {
        self.execute(sql, args, true)?;
        // SAFETY: the caller's statement gives a jsonb; the row stays until the connection closes.
        Ok(self.cell(0, 1).map(|datum| unsafe { super::jsonb::container(datum) }.to_vec()))
    }

    /// A cell of the last statement's rows; columns count from 1.
    pub fn cell(&self, row: usize, column: i32) -> Option<Datum> {
        // SAFETY: the table of the last statement, its rows counted by `numvals`.
        unsafe {
            let table = pg_sys::SPI_tuptable;
            if table.is_null() || row as u64 >= (*table).numvals {
                return None;
            }
            let mut is_null = false;
            let datum = pg_sys::SPI_getbinval(*(*table).vals.add(row), (*table).tupdesc, column, &mut is_null);
            (!is_null).then_some(datum)
        }
    }

    fn execute(&self, sql: &str, args: &[Arg], read_only: bool) -> Result<u64, Error> {
        // SAFETY: as many values and flags as the plan has parameters; the vectors outlive the call.
        self.with_plan(sql, args, |plan, values, nulls| unsafe { server::SPI_execute_plan(plan, values, nulls, read_only, 0) })
    }

    /// Runs `call`, which may raise, on the plan of the statement and its parameters.
    fn with_plan(
        &self,
        sql: &str,
        args: &[Arg],
        call: impl FnOnce(pg_sys::SPIPlanPtr, *mut Datum, *const c_char) -> c_int,
    ) -> Result<u64, Error> {
        let plan = self.plan(sql, args)?;
        let mut values: Vec<Datum> = args.iter().map(Arg::datum).collect();
        let nulls: Vec<c_char> = args.iter().map(Arg::null_flag).collect();
        let (values, nulls) = (values.as_mut_ptr(), nulls.as_ptr());
        // SAFETY: the closure owns nothing; what it may jump over lives in this frame, which goes on with the error as a value.
        let code = unsafe { attempt(|| call(plan.0, values, nulls))? };
        checked(code, "execute")?;
        // SAFETY: a plain variable.
        Ok(unsafe { pg_sys::SPI_processed })
    }

    fn plan(&self, sql: &str, args: &[Arg]) -> Result<Plan, Error> {
        if let Some(plan) = PLANS.with_borrow(|plans| plans.get(sql).copied()) {
            return Ok(plan);
        }
        let text = CString::new(sql).map_err(|_| Error::new(INTERNAL, "a statement holds a zero byte"))?;
        let mut types: Vec<Oid> = args.iter().map(Arg::type_oid).collect();
        let (text, types, count) = (text.as_ptr(), types.as_mut_ptr(), args.len() as c_int);
        // SAFETY: the text is zero-ended, the types are as many as said; both outlive the call.
        let plan = unsafe { attempt(|| server::SPI_prepare(text, count, types))? };
        if plan.is_null() {
            return Err(Error::new(INTERNAL, "a statement could not be prepared"));
        }
        // SAFETY: moves the plan out of this connection's memory.
        checked(unsafe { attempt(|| server::SPI_keepplan(plan))? }, "keep a plan")?;
        PLANS.with_borrow_mut(|plans| plans.insert(sql.to_owned(), Plan(plan)));
        Ok(Plan(plan))
    }
}

impl Arg<'_> {
    pub(super) fn type_oid(&self) -> Oid {
        match self {
            Arg::Null(ty) | Arg::Datum(ty, _) => *ty,
            Arg::Text(_) => pg_sys::TEXTOID,
            Arg::Int(_) => pg_sys::INT8OID,
            Arg::Time(_) => pg_sys::TIMESTAMPTZOID,
            Arg::Jsonb(_) => pg_sys::JSONBOID,
        }
    }

    /// How SPI marks whether this is NULL.
    pub(super) fn null_flag(&self) -> c_char {
        if matches!(self, Arg::Null(_)) { b'n' as c_char } else { b' ' as c_char }
    }

    pub(super) fn datum(&self) -> Datum {
        match self {
            Arg::Null(_) => Datum::null(),
            Arg::Datum(_, datum) => *datum,
            Arg::Text(text) => super::jsonb::varlena(text.as_bytes()),
            Arg::Jsonb(container) => super::jsonb::varlena(container),
            Arg::Int(value) | Arg::Time(value) => Datum::from(*value),
        }
    }
}

fn checked(code: c_int, what: &str) -> Result<(), Error> {
    if code < 0 {
        return Err(Error::new(INTERNAL, format!("could not {what} in SQL (code {code})")));
    }
    Ok(())
}

/// Without pgrx's guard: [`attempt`] keeps the whole error.
mod server {
    use super::*;
    unsafe extern "C-unwind" {
        pub fn SPI_connect() -> c_int;
        pub fn SPI_finish() -> c_int;
        pub fn SPI_prepare(sql: *const c_char, count: c_int, types: *mut Oid) -> pg_sys::SPIPlanPtr;
        pub fn SPI_execute(sql: *const c_char, read_only: bool, limit: c_long) -> c_int;
        pub fn SPI_keepplan(plan: pg_sys::SPIPlanPtr) -> c_int;
        pub fn GetLatestSnapshot() -> pg_sys::Snapshot;
        pub fn SPI_execute_snapshot(
            plan: pg_sys::SPIPlanPtr,
            values: *mut Datum,
            nulls: *const c_char,
            snapshot: pg_sys::Snapshot,
            crosscheck: pg_sys::Snapshot,
            read_only: bool,
            fire_triggers: bool,
            limit: c_long,
        ) -> c_int;
        pub fn SPI_execute_plan(
            plan: pg_sys::SPIPlanPtr,
            values: *mut Datum,
            nulls: *const c_char,
            read_only: bool,
            limit: c_long,
        ) -> c_int;
    }
}
