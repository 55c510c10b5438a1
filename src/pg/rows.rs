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
            Ok(Rows { store, descriptor, values: Vec::new(), nulls: Vec::new() })
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

    /// Adds a row; columns that are not given are NULL.
    pub fn add(&mut self, values: impl IntoIterator<Item = Value>) {
        // SAFETY: as many values as the row type has columns.
        unsafe {
            let columns = (*self.descriptor).natts as usize;
            self.values.clear();
            self.nulls.clear();
            for datum in values.into_iter().map(Value::into_datum) {
                self.values.push(datum.unwrap_or(Datum::null()));
                self.nulls.push(datum.is_none());
            }
            self.values.resize(columns, Datum::null());
            self.nulls.resize(columns, true);
            pg_sys::tuplestore_putvalues(self.store, self.descriptor, self.values.as_mut_ptr(), self.nulls.as_mut_ptr());
        }
    }
}
