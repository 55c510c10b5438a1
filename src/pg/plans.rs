//! How statements of ours are planned.

use pgrx::pg_sys;
use std::ffi::CStr;

/// Until this is dropped, kept statements run one plan whatever their parameters, and it uses indexes wherever it can: for look-ups that
/// are repeated for many values, each of which is rare. The server undoes it where an error jumps.
pub struct Lookups(i32);

impl Lookups {
    pub fn begin() -> Lookups {
        // SAFETY: opens a level of settings, which is closed below.
        let lookups = Lookups(unsafe { pg_sys::NewGUCNestLevel() });
        set(c"plan_cache_mode", c"force_generic_plan");
        set(c"enable_seqscan", c"off");
        lookups
    }
}

impl Drop for Lookups {
    fn drop(&mut self) {
        // SAFETY: the level that `begin` opened.
        unsafe { pg_sys::AtEOXact_GUC(true, self.0) };
    }
}

fn set(name: &CStr, value: &CStr) {
    // SAFETY: zero-ended texts; any user may set these two.
    unsafe {
        pg_sys::set_config_option(
            name.as_ptr(),
            value.as_ptr(),
            pg_sys::GucContext::PGC_USERSET,
            pg_sys::GucSource::PGC_S_SESSION,
            pg_sys::GucAction::GUC_ACTION_SAVE,
            true,
            0,
            false,
        );
    }
}
