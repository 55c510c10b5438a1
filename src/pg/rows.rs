//! Functions that return a table: the rows go into a tuplestore, the server reads them when the function is done.

use super::error::{Error, NOT_IN_STATE};
use super::function::{Call, Value};
use pgrx::pg_sys;
use pgrx::pg_sys::Datum;

/// The result of a set-returning function.
pub struct Rows {
    store: *mut pg_sys::Tuplestorestate,
    descriptor: pg_sys::TupleDesc,
    /// a row on its way into the store
    values: Vec<Datum>,
    nulls: Vec<bool>,
    /// its columns as they are written, and the bodies of those of variable length
    cells: Vec<Cell>,
    bodies: Vec<u8>,
}

/// A column that is written.
#[derive(Clone, Copy)]
enum Cell {
    Null,
    Word(Datum),
    /// from–to in the bodies, with its length word
    Body(usize, usize),
}

impl Call {
    /// Opens the result. `InitMaterializedSRF` of Postgres 15, spelled out because 14 has no such function.
    pub fn rows(&self) -> Result<Rows, Error> {
        // SAFETY: the frame of a set-returning call carries a ReturnSetInfo; the store and its row type go into the
        // per-query context, as the server asks of materialised results.
        unsafe {
            let result = (*self.info).resultinfo.cast::<pg_sys::ReturnSetInfo>();
            let allowed = !result.is_null()
                && (*result.cast::<pg_sys::Node>()).type_ == pg_sys::NodeTag::T_ReturnSetInfo
                && (*result).allowedModes & pg_sys::SetFunctionReturnMode::SFRM_Materialize as i32 != 0;
            if !allowed {
                return Err(Error::new(NOT_IN_STATE, "a function that returns a table was called where none is expected"));
            }
            // What the look-up leaves behind goes with this call: the per-query context would keep it for each row of a join.
            let mut looked_up = std::ptr::null_mut();
            let class = pg_sys::get_call_result_type(self.info, std::ptr::null_mut(), &mut looked_up);
            if class == pg_sys::TypeFuncClass::TYPEFUNC_SCALAR {
                looked_up = (*result).expectedDesc;
            } else if class != pg_sys::TypeFuncClass::TYPEFUNC_COMPOSITE {
                return Err(Error::new(NOT_IN_STATE, "the row type of the result is not known"));
            }
            let previous = pg_sys::MemoryContextSwitchTo((*(*result).econtext).ecxt_per_query_memory);
            let descriptor = pg_sys::CreateTupleDescCopy(looked_up);
            let random = (*result).allowedModes & pg_sys::SetFunctionReturnMode::SFRM_Materialize_Random as i32 != 0;
            let store = pg_sys::tuplestore_begin_heap(random, false, pg_sys::work_mem);
            (*result).returnMode = pg_sys::SetFunctionReturnMode::SFRM_Materialize;
            (*result).setResult = store;
            (*result).setDesc = descriptor;
            pg_sys::MemoryContextSwitchTo(previous);
            Ok(Rows { store, descriptor, values: Vec::new(), nulls: Vec::new(), cells: Vec::new(), bodies: Vec::new() })
        }
    }
}

impl Rows {
    /// The types of the columns.
    pub fn types(&self) -> Vec<pg_sys::Oid> {
        // SAFETY: the row type has as many attributes as it says.
        unsafe {
            (0..(*self.descriptor).natts).map(|at| pg_sys::SPI_gettypeid(self.descriptor, at + 1)).collect()
        }
    }

    /// Writes the next column: a value that is passed as it is.
    pub fn word(&mut self, datum: Datum) {
        self.cells.push(Cell::Word(datum));
    }

    /// Writes the next column: a whole number.
    pub fn int(&mut self, value: i64) {
        self.word(Datum::from(value));
    }

    /// Writes the next column: nothing.
    pub fn null(&mut self) {
        self.cells.push(Cell::Null);
    }

    /// Writes the next column: a text.
    pub fn text(&mut self, text: &str) {
        self.body(|out| out.extend_from_slice(text.as_bytes()));
    }

    /// Writes the next column: a value of variable length, whose bytes `write` appends.
    pub fn body<T>(&mut self, write: impl FnOnce(&mut Vec<u8>) -> T) -> T {
        const WORD: usize = 4;
        let begin = self.bodies.len().next_multiple_of(WORD);
        self.bodies.resize(begin + WORD, 0);
        let done = write(&mut self.bodies);
        self.cells.push(Cell::Body(begin, self.bodies.len()));
        done
    }

    /// Adds the row of the columns that were written; those that were not are NULL. The store copies it, so that its memory serves the next.
    pub fn end(&mut self) {
        // the length words need it; no allocator gives less
        debug_assert!(self.bodies.as_ptr().cast::<u32>().is_aligned());
        let start = self.bodies.as_mut_ptr();
        self.values.clear();
        self.nulls.clear();
        for cell in self.cells.drain(..) {
            self.nulls.push(matches!(cell, Cell::Null));
            self.values.push(match cell {
                Cell::Null => Datum::null(),
                Cell::Word(datum) => datum,
                // SAFETY: the body lies in the buffer, which nothing changes until the row is added.
                Cell::Body(from, to) => unsafe {
                    let body = start.add(from).cast::<pg_sys::varlena>();
                    pgrx::set_varsize_4b(body, (to - from) as i32);
                    Datum::from(body)
                },
            });
        }
        self.put();
        self.bodies.clear();
    }

    /// Takes back the columns that were written since the last row.
    pub fn forget(&mut self) {
        self.cells.clear();
        self.bodies.clear();
    }

    /// Adds a row; columns that are not given are NULL.
    pub fn add(&mut self, values: impl IntoIterator<Item = Value>) {
        self.values.clear();
        self.nulls.clear();
        for datum in values.into_iter().map(Value::into_datum) {
            self.values.push(datum.unwrap_or(Datum::null()));
            self.nulls.push(datum.is_none());
        }
        self.put();
    }

    fn put(&mut self) {
        // SAFETY: as many values as the row type has columns.
        unsafe {
            let columns = (*self.descriptor).natts as usize;
            self.values.resize(columns, Datum::null());
            self.nulls.resize(columns, true);
            pg_sys::tuplestore_putvalues(self.store, self.descriptor, self.values.as_mut_ptr(), self.nulls.as_mut_ptr());
        }
    }
}
