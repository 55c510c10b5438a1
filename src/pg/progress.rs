//! What `pg_stat_progress_copy` shows of a load or an export.

use pgrx::pg_sys;
use pgrx::pg_sys::Oid;

/// The view has a row for this backend until it is dropped; an error that ends the transaction takes it away too.
pub struct CopyProgress(());

impl CopyProgress {
    /// A load of so many bytes of files into that table.
    pub fn start(table: Oid, bytes: u64) -> CopyProgress {
        // SAFETY: writes into the backend's own entry of the shared statistics.
        unsafe { pg_sys::pgstat_progress_start_command(pg_sys::ProgressCommandType::PROGRESS_COMMAND_COPY, table) };
        set(pg_sys::PROGRESS_COPY_COMMAND, i64::from(pg_sys::PROGRESS_COPY_COMMAND_FROM));
        set(pg_sys::PROGRESS_COPY_TYPE, i64::from(pg_sys::PROGRESS_COPY_TYPE_FILE));
        set(pg_sys::PROGRESS_COPY_BYTES_TOTAL, i64::try_from(bytes).unwrap_or(i64::MAX));
        CopyProgress(())
    }

    /// An export of that table.
    pub fn start_export(table: Oid) -> CopyProgress {
        // SAFETY: as above.
        unsafe { pg_sys::pgstat_progress_start_command(pg_sys::ProgressCommandType::PROGRESS_COMMAND_COPY, table) };
        set(pg_sys::PROGRESS_COPY_COMMAND, i64::from(pg_sys::PROGRESS_COPY_COMMAND_TO));
        set(pg_sys::PROGRESS_COPY_TYPE, i64::from(pg_sys::PROGRESS_COPY_TYPE_FILE));
        CopyProgress(())
    }

    /// So many bytes of the files are read, so many resources stored and lines rejected.
    pub fn update(&self, bytes: u64, stored: i64, rejected: i64) {
        set(pg_sys::PROGRESS_COPY_BYTES_PROCESSED, i64::try_from(bytes).unwrap_or(i64::MAX));
        set(pg_sys::PROGRESS_COPY_TUPLES_PROCESSED, stored);
        set(pg_sys::PROGRESS_COPY_TUPLES_EXCLUDED, rejected);
    }
}

impl Drop for CopyProgress {
    fn drop(&mut self) {
        // SAFETY: as above.
        unsafe { pg_sys::pgstat_progress_end_command() };
    }
}

fn set(parameter: u32, value: i64) {
    // SAFETY: as above; the number is one of the server's own.
    unsafe { pg_sys::pgstat_progress_update_param(parameter as i32, value) };
}
