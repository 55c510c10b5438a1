//! Since when a snapshot may miss what others have written.

use super::time;
use pgrx::pg_sys;

/// A transaction takes its number at its first write, just behind the time that it writes. One without a number is trusted to
/// be no further behind than this.
const NUMBERING: i64 = 10_000_000;

/// An instant such that what a snapshot taken next does not show was written then or later, and will say so: the beginning of
/// the oldest transaction of this database that has written something, or now.
///
/// Not known to it: transactions that were prepared. A standby knows when the last transaction that it shows was committed, but
/// not which others the primary had then.
pub fn horizon() -> i64 {
    let mut now = time::now();
    // SAFETY: both read shared variables.
    unsafe {
        if pg_sys::RecoveryInProgress() {
            let committed = pg_sys::GetLatestXTime();
            now = if committed == 0 { now } else { now.min(committed) };
        }
    }
    // SAFETY: the server's own copy of the states of its backends, made anew; entries count from 1 and stay until the copy goes.
    unsafe {
        pg_sys::pgstat_clear_snapshot();
        let mut horizon = now;
        for number in 1..=pg_sys::pgstat_fetch_stat_numbackends() {
            let entry = entry(number);
            if entry.is_null() || (*entry).backendStatus.st_databaseid != pg_sys::MyDatabaseId {
                continue;
            }
            let began = (*entry).backendStatus.st_xact_start_timestamp;
            if began != 0 && (*entry).backendStatus.st_procpid != pg_sys::MyProcPid {
                let has_written = (*entry).backend_xid != pg_sys::TransactionId::from(pg_sys::InvalidTransactionId);
                horizon = horizon.min(if has_written { began } else { began.max(now - NUMBERING) });
            }
        }
        horizon
    }
}

#[cfg(any(feature = "pg14", feature = "pg15"))]
unsafe fn entry(number: i32) -> *mut pg_sys::LocalPgBackendStatus {
    // SAFETY: null where there is none.
    unsafe { pg_sys::pgstat_fetch_stat_local_beentry(number) }
}

#[cfg(not(any(feature = "pg14", feature = "pg15")))]
unsafe fn entry(number: i32) -> *mut pg_sys::LocalPgBackendStatus {
    // SAFETY: null where there is none.
    unsafe { pg_sys::pgstat_get_local_beentry_by_index(number) }
}

/// When this transaction began.
pub fn transaction_start() -> i64 {
    // SAFETY: reads a variable.
    unsafe { pg_sys::GetCurrentTransactionStartTimestamp() }
}
