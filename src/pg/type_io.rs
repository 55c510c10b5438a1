//! The four functions that move values of our own types between client and server.

use super::error::{Error, NULL_NOT_ALLOWED};
use super::function::{Call, Value};
use pgrx::pg_sys;
use std::ffi::CStr;

impl Call {
    /// The argument of an input function.
    pub fn cstring(&self, index: usize) -> Result<&str, Error> {
        let datum = self.datum(index).ok_or_else(|| Error::new(NULL_NOT_ALLOWED, "the text of a value must not be null"))?;
        // SAFETY: the SQL declaration says cstring, which the server ends with a zero byte
        let text = unsafe { CStr::from_ptr(datum.cast_mut_ptr()) };
        text.to_str().map_err(|_| Error::new("22021", "the text is not valid UTF-8"))
    }

    /// What is left of the message of a receive function.
    pub fn message(&self, index: usize) -> Result<&[u8], Error> {
        let datum = self.datum(index).ok_or_else(|| Error::new(NULL_NOT_ALLOWED, "the message must not be null"))?;
        // SAFETY: the SQL declaration says internal, and the server passes a StringInfo to receive functions
        unsafe {
            let buffer: pg_sys::StringInfo = datum.cast_mut_ptr();
            let (from, to) = ((*buffer).cursor.max(0), (*buffer).len.max(0));
            (*buffer).cursor = to;
            let start = (*buffer).data.cast::<u8>().add(from as usize);
            Ok(std::slice::from_raw_parts(start, (to - from).max(0) as usize))
        }
    }
}

impl Value {
    /// The result of an output function. A zero byte would end it, so there must be none inside.
    pub fn cstring(text: &str) -> Value {
        // SAFETY: palloc gives the room or raises
        unsafe {
            let copy = pg_sys::palloc(text.len() + 1).cast::<u8>();
            std::ptr::copy_nonoverlapping(text.as_ptr(), copy, text.len());
            *copy.add(text.len()) = 0;
            Value::Datum(pg_sys::Datum::from(copy))
        }
    }

    /// A value of variable length.
    pub fn varlena(body: &[u8]) -> Value {
        Value::Datum(super::jsonb::varlena(body))
    }
}
