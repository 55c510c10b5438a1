//! Memory of the server for work in batches, so that a long call stays flat.

use pgrx::pg_sys;
use std::ffi::CStr;

/// A memory context of its own below the current one; it goes when this is dropped, or with its parent after an error.
pub struct Scratch(pg_sys::MemoryContext);

/// The scratch is the current context until this is dropped; what was allocated in it is gone then.
pub struct Entered {
    scratch: pg_sys::MemoryContext,
    previous: pg_sys::MemoryContext,
}

impl Scratch {
    pub fn new(name: &'static CStr) -> Scratch {
        // SAFETY: the name is a constant, as the server wants it.
        let context = unsafe {
            pg_sys::AllocSetContextCreateInternal(
                pg_sys::CurrentMemoryContext,
                name.as_ptr(),
                pg_sys::ALLOCSET_DEFAULT_MINSIZE as pg_sys::Size,
                pg_sys::ALLOCSET_DEFAULT_INITSIZE as pg_sys::Size,
                pg_sys::ALLOCSET_DEFAULT_MAXSIZE as pg_sys::Size,
            )
        };
        Scratch(context)
    }

    pub fn enter(&self) -> Entered {
        // SAFETY: a valid context, and what was current is put back.
        let previous = unsafe { pg_sys::MemoryContextSwitchTo(self.0) };
        Entered { scratch: self.0, previous }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // SAFETY: nobody is in it: `Entered` borrows nothing but ends within the function that made it.
        unsafe { pg_sys::MemoryContextDelete(self.0) };
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        // SAFETY: as above.
        unsafe {
            pg_sys::MemoryContextSwitchTo(self.previous);
            pg_sys::MemoryContextReset(self.scratch);
        }
    }
}

/// Runs `work` when the memory of the current subtransaction goes: when it is rolled back, or at the latest when the transaction
/// ends. It must not call the server.
pub fn at_end_of_subtransaction(work: impl FnOnce() + 'static) {
    struct AtEnd<F: FnOnce()>(Option<F>);
    impl<F: FnOnce()> Drop for AtEnd<F> {
        fn drop(&mut self) {
            if let Some(work) = self.0.take() {
                work();
            }
        }
    }
    // SAFETY: the context is valid while a transaction is under way.
    unsafe { pgrx::PgMemoryContexts::For(pg_sys::CurTransactionContext).leak_and_drop_on_delete(AtEnd(Some(work))) };
}
