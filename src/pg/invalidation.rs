//! Whether what was read from the catalogues of tables still holds.

use pgrx::pg_sys;
use pgrx::pg_sys::{Datum, Oid};
use std::cell::Cell;

thread_local! {
    static GENERATION: Cell<u64> = const { Cell::new(0) };
}

/// Grows whenever the server tells this session that some table was changed, made, renamed or removed. What was read under one
/// number holds as long as the number does, on a table that is locked.
pub fn generation() -> u64 {
    let generation = GENERATION.get();
    if generation > 0 {
        return generation;
    }
    // SAFETY: the function below keeps to what such a callback may do; the server has a slot for each of ten.
    unsafe { pg_sys::CacheRegisterRelcacheCallback(Some(forget), Datum::null()) };
    GENERATION.set(1);
    1
}

/// Called in the middle of anything, so it only counts.
unsafe extern "C-unwind" fn forget(_: Datum, _: Oid) {
    GENERATION.set(GENERATION.get() + 1);
}
