//! The server's signals belong to its own thread.

use std::ffi::c_int;

/// As large as the set of signals of any system.
type Set = [u64; 16];

/// Runs `start`, which starts a thread, with all signals blocked: the thread inherits that, and never runs a handler of the server.
pub fn blocked(start: &mut dyn FnMut()) {
    let (mut all, mut before): (Set, Set) = ([0; 16], [0; 16]);
    // SAFETY: both sets are large enough; the mask is that of this thread alone, and put back. If it cannot be changed no
    // thread is started.
    unsafe {
        if system::sigfillset(&mut all) == 0 && system::pthread_sigmask(SET_MASK, &all, &mut before) == 0 {
            start();
            system::pthread_sigmask(SET_MASK, &before, std::ptr::null_mut());
        }
    }
}

/// `SIG_SETMASK`.
const SET_MASK: c_int = if cfg!(target_os = "linux") { 2 } else { 3 };

mod system {
    use super::*;
    unsafe extern "C" {
        pub fn sigfillset(set: *mut Set) -> c_int;
        pub fn pthread_sigmask(how: c_int, set: *const Set, before: *mut Set) -> c_int;
    }
}
