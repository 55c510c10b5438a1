//! Work that can fail by itself: its changes are taken back, and the transaction goes on.

use super::error::{Error, Told};
use super::guard::attempt;
use pgrx::pg_sys;
use std::ffi::c_char;

/// Runs `work` in a subtransaction. What it fails with comes back as data, after its changes are gone; but a cancelled statement, a
/// session that must end and an exhausted server go on as errors, for nobody may hold them up.
pub fn subtransaction<T>(work: impl FnOnce() -> Result<T, Error>) -> Result<Result<T, Told>, Error> {
    // SAFETY: as PL/pgSQL does around a block with EXCEPTION; the context and the owner of resources are put back on both ways out.
    unsafe {
        let (context, owner) = (pg_sys::CurrentMemoryContext, pg_sys::CurrentResourceOwner);
        let back = || {
            pg_sys::MemoryContextSwitchTo(context);
            pg_sys::CurrentResourceOwner = owner;
        };
        attempt(|| server::BeginInternalSubTransaction(std::ptr::null()))?;
        pg_sys::MemoryContextSwitchTo(context);
        let result = work();
        let failed = match result {
            Ok(value) => {
                attempt(|| server::ReleaseCurrentSubTransaction())?;
                back();
                return Ok(Ok(value));
            }
            Err(error) => error,
        };
        let told = failed.told();
        attempt(|| server::RollbackAndReleaseCurrentSubTransaction())?;
        back();
        // class 57 operator intervention, 53 resources, 58 and XX the server itself
        if ["57", "53", "58", "XX"].contains(&told.sqlstate.get(..2).unwrap_or_default()) { Err(failed) } else { Ok(Err(told)) }
    }
}

/// Without pgrx's guard: [`attempt`] keeps the whole error.
mod server {
    use super::*;
    unsafe extern "C-unwind" {
        pub fn BeginInternalSubTransaction(name: *const c_char);
        pub fn ReleaseCurrentSubTransaction();
        pub fn RollbackAndReleaseCurrentSubTransaction();
    }
}
