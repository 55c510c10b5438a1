//! The end of a session, also one that no error leads to: `pg_terminate_backend`, a lost client, a shutdown.

use pgrx::pg_sys;
use std::sync::Once;

/// Runs `work` when this session ends, but not if it crashes or is killed. The first call counts: one place asks for it.
pub fn at_exit(work: fn()) {
    static REGISTERED: Once = Once::new();
    // SAFETY: the callback stays valid: the library is never unloaded. The argument is the function itself.
    REGISTERED.call_once(|| unsafe { pg_sys::on_proc_exit(Some(run), pg_sys::Datum::from(work as usize)) });
}

/// # Safety
/// The server calls it with what `at_exit` registered.
#[pgrx::pg_guard]
unsafe extern "C-unwind" fn run(_code: std::ffi::c_int, work: pg_sys::Datum) {
    // SAFETY: `at_exit` made the datum of a function of this type.
    let work: fn() = unsafe { std::mem::transmute::<usize, fn()>(work.value()) };
    work();
}
