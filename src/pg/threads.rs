//! Threads beside the one that the server knows. They must never call the server.

use super::error::{Error, INTERNAL};

/// Runs `start`, which may start threads: they are born with all signals blocked, so that the server's handlers run in its own
/// thread. `start` must neither raise an error of the server nor call it.
pub fn with_signals_blocked<T>(start: impl FnOnce() -> T) -> Result<T, Error> {
    struct Blocked;
    impl Drop for Blocked {
        fn drop(&mut self) {
            // SAFETY: puts back the mask that was kept, in the thread that kept it.
            unsafe { server::fhirlake_unblock_signals() };
        }
    }
    // SAFETY: changes the mask of this thread and keeps the former.
    if !unsafe { server::fhirlake_block_signals() } {
        return Err(Error::new(INTERNAL, "could not block signals"));
    }
    let _blocked = Blocked;
    Ok(start())
}

mod server {
    unsafe extern "C" {
        pub fn fhirlake_block_signals() -> bool;
        pub fn fhirlake_unblock_signals();
    }
}
