//! The end of a transaction, and where in it we are.

use pgrx::pg_sys;
use pgrx::{PgXactCallbackEvent, register_xact_callback};

/// Runs `work` when this transaction is about to commit, behind all deferred triggers; not at all if it fails.
pub fn before_commit(work: fn()) {
    register_xact_callback(PgXactCallbackEvent::PreCommit, work);
}

/// Whether no savepoint or exception block is open: then what we do here can only be undone with the whole transaction.
pub fn is_outermost() -> bool {
    // SAFETY: a plain variable.
    unsafe { pg_sys::GetCurrentTransactionNestLevel() == 1 }
}

/// From now on in this transaction: it does not commit (55000) while `reason` gives one.
pub fn refuse_commit_while(reason: fn() -> Option<&'static str>) {
    register_xact_callback(PgXactCallbackEvent::PreCommit, move || {
        if let Some(reason) = reason() {
            pgrx::ereport!(pgrx::PgLogLevel::ERROR, pgrx::PgSqlErrorCode::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE, reason);
        }
    });
}

/// The number of the innermost savepoint or exception block that is open, never given twice in a transaction.
pub fn savepoint() -> u32 {
    // SAFETY: a plain variable.
    unsafe { pg_sys::GetCurrentSubTransactionId() }
}
