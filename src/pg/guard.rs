//! Calls into the server that may raise, with the error as a value.
//!
//! pgrx's own guard keeps only a part of the error (no constraint name, no context, no SQLSTATE of a later Postgres or of a
//! user's `RAISE`). This one keeps the server's `ErrorData`, which [`super::error`] throws again unchanged.

use super::error::Error;
use pgrx::pg_sys;
use std::mem::MaybeUninit;

/// The server's own copy of an error, kept until the transaction ends.
#[derive(Debug)]
pub struct Caught(pub(super) *mut pg_sys::ErrorData);

/// Runs `call`; an error of the server becomes `Err`.
///
/// The error must be raised again, or the caller must end a subtransaction: the server has not cleaned up behind it.
///
/// # Safety
/// `call` owns nothing and calls only functions declared without pgrx's guard: an error jumps out of it.
pub unsafe fn attempt<T: Copy>(call: impl FnOnce() -> T) -> Result<T, Error> {
    // SAFETY: this is PG_TRY: the globals are put back on both ways out.
    unsafe {
        let context = pg_sys::CurrentMemoryContext;
        let exception_stack = pg_sys::PG_exception_stack;
        let error_context = pg_sys::error_context_stack;
        let mut result = MaybeUninit::<T>::uninit();
        let jumped = cee_scape::call_with_sigsetjmp(false, |target| {
            pg_sys::PG_exception_stack = target as *const cee_scape::SigJmpBufFields as *mut _;
            result.write(call());
            0
        });
        pg_sys::PG_exception_stack = exception_stack;
        pg_sys::error_context_stack = error_context;
        if jumped == 0 {
            return Ok(result.assume_init());
        }
        // The copy must outlive what the callers give back on their way out.
        pg_sys::CurrentMemoryContext = pg_sys::TopTransactionContext;
        let caught = pg_sys::CopyErrorData();
        pg_sys::FlushErrorState();
        pg_sys::CurrentMemoryContext = context;
        Err(Error::Server(Caught(caught)))
    }
}
