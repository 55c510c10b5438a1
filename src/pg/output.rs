//! Values of any type as text, by the type's own output function.

use super::error::Error;
use super::guard::attempt;
use pgrx::pg_sys::{Datum, Oid};
use std::ffi::{CStr, c_char};

/// The output function of a type.
#[derive(Clone, Copy, Debug)]
pub struct Output(Oid);

impl Output {
    pub fn of(ty: Oid) -> Result<Output, Error> {
        let (mut function, mut is_varlena) = (Oid::INVALID, false);
        let (to_function, to_is_varlena): (*mut Oid, *mut bool) = (&mut function, &mut is_varlena);
        // SAFETY: a look-up in the catalogue, into variables that outlive it.
        unsafe { attempt(|| server::getTypeOutputInfo(ty, to_function, to_is_varlena))? };
        Ok(Output(function))
    }

    /// The text of a value of the type; its memory is that of the current context.
    pub fn text<'a>(self, value: Datum) -> Result<&'a str, Error> {
        let function = self.0;
        // SAFETY: the value is of the type whose function this is, as the caller says by having made it for that column. The
        // text is zero-ended, and of the database's encoding, which is UTF-8.
        unsafe {
            let text = attempt(|| server::OidOutputFunctionCall(function, value))?;
            Ok(std::str::from_utf8_unchecked(CStr::from_ptr(text).to_bytes()))
        }
    }
}

/// Without pgrx's guard: [`attempt`] keeps the whole error.
mod server {
    use super::*;
    unsafe extern "C-unwind" {
        pub fn getTypeOutputInfo(ty: Oid, function: *mut Oid, is_varlena: *mut bool);
        pub fn OidOutputFunctionCall(function: Oid, value: Datum) -> *mut c_char;
    }
}
