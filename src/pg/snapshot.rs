//! What of other transactions a statement of ours sees.

use super::error::Error;
use super::guard::attempt;
use super::spi::Spi;
use pgrx::pg_sys;
use std::ffi::c_int;

/// The state of the database that queries read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    /// What the isolation level of the transaction shows to a new statement.
    OfTransaction,
    /// All that is committed now, whatever the isolation level: what the server's checks of foreign keys read.
    Latest,
}

/// How new a snapshot is. Of two, the greater one sees what the other sees and maybe more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Age {
    xmax: u32,
    running: u32,
    /// Of the transaction that began then, the commands before this one are seen.
    transaction: i64,
    command: u32,
}

impl Age {
    /// Of the snapshot that queries of a function read by; `None` outside of any.
    pub fn of_statement() -> Option<Age> {
        // SAFETY: the active snapshot is valid as long as the statement.
        unsafe { if pg_sys::ActiveSnapshotSet() { Some(Age::of(pg_sys::GetActiveSnapshot())) } else { None } }
    }

    /// Of a snapshot taken now; `None` where parallel work forbids to take one.
    pub fn now() -> Result<Option<Age>, Error> {
        // SAFETY: a plain variable; then as in `afresh`.
        unsafe {
            if pg_sys::IsInParallelMode() {
                return Ok(None);
            }
            attempt(|| {
                let mut age = Age::of(server::GetLatestSnapshot());
                age.command = pg_sys::GetCurrentCommandId(false);
                age
            })
            .map(Some)
        }
    }

    /// # Safety
    /// A valid snapshot.
    unsafe fn of(snapshot: pg_sys::Snapshot) -> Age {
        // SAFETY: by contract.
        unsafe {
            Age {
                xmax: (*snapshot).xmax.into_inner(),
                running: (*snapshot).xcnt,
                transaction: pg_sys::GetCurrentTransactionStartTimestamp(),
                command: (*snapshot).curcid,
            }
        }
    }

    /// Whether this sees all that `other` sees.
    pub fn reaches(self, other: Age) -> bool {
        // numbers of transactions go round
        let ahead = self.xmax.wrapping_sub(other.xmax) as i32;
        let as_new = ahead > 0 || ahead == 0 && self.running <= other.running;
        as_new && (self.transaction != other.transaction || self.command >= other.command)
    }
}

/// Whether what is read must be locked against what others write.
pub fn is_serializable() -> bool {
    // SAFETY: plain data of this backend.
    unsafe { pg_sys::XactIsoLevel == pg_sys::XACT_SERIALIZABLE as c_int }
}

/// Whether all statements of the transaction see the same: REPEATABLE READ and SERIALIZABLE.
pub fn is_fixed() -> bool {
    // SAFETY: a plain variable, set when the transaction begins.
    unsafe { pg_sys::XactIsoLevel >= pg_sys::XACT_REPEATABLE_READ as c_int }
}

impl Spi {
    /// Runs queries that see what this command has written so far, and of other transactions what is committed now.
    ///
    /// Queries of a connection otherwise see what the caller's statement sees, which began before us.
    pub fn afresh<T>(&self, view: View, work: impl FnOnce(&Spi) -> Result<T, Error>) -> Result<T, Error> {
        // SAFETY: the closure owns nothing. The active snapshot is a copy that the server keeps until it is popped; after an
        // error its abort pops it.
        unsafe {
            attempt(|| {
                server::CommandCounterIncrement();
                server::PushActiveSnapshot(match view {
                    View::OfTransaction => server::GetTransactionSnapshot(),
                    View::Latest => server::GetLatestSnapshot(),
                });
            })?;
        }
        let result = work(self)?;
        // SAFETY: pushed above.
        unsafe { attempt(|| server::PopActiveSnapshot())? };
        Ok(result)
    }
}

/// Without pgrx's guard: [`attempt`] keeps the whole error.
mod server {
    use super::*;
    unsafe extern "C-unwind" {
        pub fn CommandCounterIncrement();
        pub fn GetTransactionSnapshot() -> pg_sys::Snapshot;
        pub fn GetLatestSnapshot() -> pg_sys::Snapshot;
        pub fn PushActiveSnapshot(snapshot: pg_sys::Snapshot);
        pub fn PopActiveSnapshot();
    }
}
