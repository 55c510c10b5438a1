//! The server's clock and transaction number.

use pgrx::pg_sys;

/// `clock_timestamp()`: microseconds since 2000-01-01 UTC.
pub fn now() -> i64 {
    // SAFETY: reads the clock.
    unsafe { pg_sys::GetCurrentTimestamp() }
}

/// `pg_current_xact_id()`.
pub fn transaction() -> u64 {
    // SAFETY: assigns a number where the transaction has none; refused by the server in recovery.
    unsafe { pg_sys::GetTopFullTransactionId().value }
}

/// Bytes nobody can guess.
pub fn random<const N: usize>() -> Option<[u8; N]> {
    let mut bytes = [0u8; N];
    // SAFETY: fills that many bytes.
    unsafe { pg_sys::pg_strong_random(bytes.as_mut_ptr().cast(), N as pg_sys::Size) }.then_some(bytes)
}

/// Lets the user cancel a long loop. What it raises passes through pgrx's guard.
pub fn check_for_interrupts() {
    pgrx::check_for_interrupts!();
}
