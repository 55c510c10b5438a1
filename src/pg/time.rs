//! The server's clock and transaction number.

use pgrx::pg_sys;
use std::cell::RefCell;

/// `clock_timestamp()`: microseconds since 2000-01-01 UTC.
pub fn now() -> i64 {
    // SAFETY: reads the clock.
    unsafe { pg_sys::GetCurrentTimestamp() }
}

/// `statement_timestamp()`.
pub fn statement() -> i64 {
    // SAFETY: a plain variable.
    unsafe { pg_sys::GetCurrentStatementStartTimestamp() }
}

/// `statement_timestamp()`: microseconds since 2000-01-01 UTC.
pub fn of_statement() -> i64 {
    // SAFETY: reads a variable.
    unsafe { pg_sys::GetCurrentStatementStartTimestamp() }
}

/// `pg_current_xact_id()`.
pub fn transaction() -> u64 {
    // SAFETY: assigns a number where the transaction has none; refused by the server in recovery.
    unsafe { pg_sys::GetTopFullTransactionId().value }
}

/// Random bytes that were fetched together: each call of the generator has a price of its own.
struct Random {
    bytes: [u8; 512],
    used: usize,
}

thread_local! {
    static RANDOM: RefCell<Random> = const { RefCell::new(Random { bytes: [0; 512], used: 512 }) };
}

/// Bytes nobody can guess; none are given twice.
pub fn random<const N: usize>() -> Option<[u8; N]> {
    const { assert!(N <= 512) };
    RANDOM.with_borrow_mut(|random| {
        if random.bytes.len() - random.used < N {
            let bytes = &mut random.bytes;
            // SAFETY: fills that many bytes.
            unsafe { pg_sys::pg_strong_random(bytes.as_mut_ptr().cast(), bytes.len() as pg_sys::Size) }.then_some(())?;
            random.used = 0;
        }
        let taken = random.bytes.get_mut(random.used..random.used + N)?;
        let fresh = (&*taken).try_into().ok()?;
        taken.fill(0);
        random.used += N;
        Some(fresh)
    })
}

/// Whether somebody wants the backend to do something else; [`check_for_interrupts`] then does it.
pub fn is_interrupted() -> bool {
    // SAFETY: a plain variable, which signal handlers set.
    unsafe { std::ptr::read_volatile(&raw const pg_sys::InterruptPending) != 0 }
}

/// Lets the user cancel a long loop. What it raises passes through pgrx's guard.
pub fn check_for_interrupts() {
    pgrx::check_for_interrupts!();
}
