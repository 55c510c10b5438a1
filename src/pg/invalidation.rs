//! Whether what was read from the catalogues of tables still holds.

use pgrx::pg_sys;
use pgrx::pg_sys::{Datum, Oid};
use std::cell::Cell;

thread_local! {
    static GENERATION: Cell<u64> = const { Cell::new(0) };
    static WATCHED: [Cell<(Oid, u64)>; WATCHED_TABLES] = const { [const { Cell::new((Oid::INVALID, 0)) }; WATCHED_TABLES] };
}

/// Tables that are watched one by one, in a session.
const WATCHED_TABLES: usize = 8;

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
unsafe extern "C-unwind" fn forget(_: Datum, table: Oid) {
    GENERATION.set(GENERATION.get() + 1);
    WATCHED.with(|watched| {
        for cell in watched {
            let (known, count) = cell.get();
            if known != Oid::INVALID && (table == known || table == Oid::INVALID) {
                cell.set((known, count + 1));
            }
        }
    });
}

/// Grows whenever the server tells this session that this table was changed, or some transaction that has committed called [`tell`] of
/// it. Where too many tables are watched, it grows with [`generation`].
pub fn generation_of(table: Oid) -> u64 {
    let all = generation();
    WATCHED.with(|watched| {
        let found = watched.iter().find(|cell| cell.get().0 == table).or_else(|| {
            let free = watched.iter().find(|cell| cell.get().0 == Oid::INVALID)?;
            free.set((table, 0));
            Some(free)
        });
        found.map_or(all, |cell| cell.get().1)
    })
}

/// Tells all sessions of a change to a table, when the transaction commits; this one at its next command, and when it rolls back.
pub fn tell(table: Oid) {
    // SAFETY: the server notes a message about a table that exists.
    unsafe { pg_sys::CacheInvalidateRelcacheByRelid(table) };
}
