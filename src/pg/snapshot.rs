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
