//! Typed errors on their way to the client: SQLSTATE, message, detail, hint.
//!
//! pgrx turns what it reports into an enum of the SQLSTATEs of Postgres 12, and forgets constraint names and context.
//! Ours has SQLSTATEs of its own (`FH404`), and an error that the server raised inside our SQL passes on as it came.

use super::guard::Caught;
use pgrx::pg_sys;
use std::borrow::Cow;
use std::ffi::{CStr, c_char, c_int};

/// What a function of ours fails with.
#[derive(Debug)]
pub enum Error {
    Report(Box<Report>),
    /// Raised by the server while it ran something for us.
    Server(Caught),
}

#[derive(Debug)]
pub struct Report {
    /// Five characters; see [`error codes`](https://www.postgresql.org/docs/current/errcodes-appendix.html).
    pub sqlstate: Cow<'static, str>,
    /// Lower case, no full stop.
    pub message: String,
    pub detail: Option<String>,
    pub hint: Option<String>,
}

pub const INVALID_PARAMETER: &str = "22023";
pub const NULL_NOT_ALLOWED: &str = "22004";
pub const BAD_COPY_FORMAT: &str = "22P04";
pub const FOREIGN_KEY_VIOLATION: &str = "23503";
pub const CHECK_VIOLATION: &str = "23514";
pub const SERIALIZATION_FAILURE: &str = "40001";
pub const INSUFFICIENT_PRIVILEGE: &str = "42501";
pub const WRONG_OBJECT_TYPE: &str = "42809";
pub const UNDEFINED_TABLE: &str = "42P01";
pub const UNDEFINED_FILE: &str = "58P01";
pub const DUPLICATE_FILE: &str = "58P02";
pub const DISK_FULL: &str = "53100";
pub const OUT_OF_MEMORY: &str = "53200";
pub const IO_ERROR: &str = "58030";
pub const WRONG_TRIGGER: &str = "39P01";
pub const NOT_IN_STATE: &str = "55000";
pub const INTERNAL: &str = "XX000";

impl Error {
    pub fn new(sqlstate: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Error {
        Error::Report(Box::new(Report { sqlstate: sqlstate.into(), message: message.into(), detail: None, hint: None }))
    }

    pub fn detail(mut self, detail: impl Into<String>) -> Error {
        if let Error::Report(report) = &mut self {
            report.detail = Some(detail.into());
        }
        self
    }

    pub fn hint(mut self, hint: impl Into<String>) -> Error {
        if let Error::Report(report) = &mut self {
            report.hint = Some(hint.into());
        }
        self
    }

    /// What a client would be told.
    pub fn told(&self) -> Told {
        match self {
            Error::Report(report) => Told {
                sqlstate: report.sqlstate.to_string(),
                message: report.message.clone(),
                detail: report.detail.clone(),
                hint: report.hint.clone(),
                by_constraint: false,
            },
            // SAFETY: the copy lasts until the transaction ends; its strings are zero-ended or null.
            Error::Server(caught) => unsafe {
                let data = &*caught.0;
                let text = |text: *const c_char| (!text.is_null()).then(|| CStr::from_ptr(text).to_string_lossy().into_owned());
                Told {
                    sqlstate: sqlstate_text(data.sqlerrcode),
                    message: text(data.message).unwrap_or_default(),
                    detail: text(data.detail),
                    hint: text(data.hint),
                    by_constraint: !data.constraint_name.is_null(),
                }
            },
        }
    }

    /// The same error, told to be in that entry of a Bundle, from 0. What the server said of tables and constraints is lost.
    pub fn in_entry(self, at: usize) -> Error {
        let told = self.told();
        let place = format!("in Bundle.entry[{at}]");
        let detail = told.detail.map_or(place.clone(), |detail| format!("{place}: {detail}"));
        let error = Error::new(told.sqlstate, told.message).detail(detail);
        told.hint.into_iter().fold(error, Error::hint)
    }

    /// Moves everything into the server's memory, so that nothing of Rust's is left when the error jumps.
    pub(super) fn into_raw(self) -> Raw {
        match self {
            Error::Server(caught) => Raw { caught: caught.0, ..Raw::default() },
            Error::Report(report) => Raw {
                sqlstate: sqlstate_number(&report.sqlstate),
                message: server_string(&report.message),
                detail: report.detail.as_deref().map_or(std::ptr::null(), server_string),
                hint: report.hint.as_deref().map_or(std::ptr::null(), server_string),
                caught: std::ptr::null_mut(),
            },
        }
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.told().message)
    }
}

impl std::error::Error for Error {}

/// Back from where errors have any type: ours as it was.
impl From<Box<dyn std::error::Error>> for Error {
    fn from(error: Box<dyn std::error::Error>) -> Error {
        match error.downcast::<Error>() {
            Ok(error) => *error,
            Err(other) => Error::new(INTERNAL, other.to_string()),
        }
    }
}

/// An error as data.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    pub sqlstate: String,
    pub message: String,
    pub detail: Option<String>,
    pub hint: Option<String>,
    /// A named constraint of a table refused it.
    pub by_constraint: bool,
}

/// An error without destructors.
#[derive(Clone, Copy)]
pub(super) struct Raw {
    sqlstate: c_int,
    message: *const c_char,
    detail: *const c_char,
    hint: *const c_char,
    caught: *mut pg_sys::ErrorData,
}

impl Default for Raw {
    fn default() -> Raw {
        let null = std::ptr::null();
        Raw { sqlstate: 0, message: null, detail: null, hint: null, caught: std::ptr::null_mut() }
    }
}

impl Raw {
    /// # Safety
    /// No frame between the caller and the server may own anything: this jumps over it.
    pub(super) unsafe fn raise(self) -> ! {
        // SAFETY: the strings are zero-ended and live in a memory context of the server, which copies them; a caught error
        // was copied by `CopyErrorData` into a context that outlives the statement's failure.
        unsafe {
            if !self.caught.is_null() {
                server::ReThrowError(self.caught);
            }
            if server::errstart(pgrx::PgLogLevel::ERROR as c_int, std::ptr::null()) {
                server::errcode(self.sqlstate);
                server::errmsg_internal(c"%s".as_ptr(), self.message);
                if !self.detail.is_null() {
                    server::errdetail_internal(c"%s".as_ptr(), self.detail);
                }
                if !self.hint.is_null() {
                    server::errhint(c"%s".as_ptr(), self.hint);
                }
                server::errfinish(c"fhirlake".as_ptr(), 0, c"fhirlake".as_ptr());
            }
        }
        std::process::abort() // errfinish(ERROR) does not return
    }
}

/// The server's functions without pgrx's guard, which would turn the error into a panic on its way.
mod server {
    use super::*;
    unsafe extern "C-unwind" {
        pub fn errstart(level: c_int, domain: *const c_char) -> bool;
        pub fn errcode(sqlstate: c_int) -> c_int;
        pub fn errmsg_internal(format: *const c_char, ...) -> c_int;
        pub fn errdetail_internal(format: *const c_char, ...) -> c_int;
        pub fn errhint(format: *const c_char, ...) -> c_int;
        pub fn errfinish(file: *const c_char, line: c_int, function: *const c_char);
        pub fn ReThrowError(error: *mut pg_sys::ErrorData) -> !;
    }
}

/// Sends a notice to the client.
pub fn notice(message: &str) {
    pgrx::notice!("{message}");
}

/// Sends a warning to the client.
pub fn warning(message: &str) {
    pgrx::warning!("{message}");
}

/// `MAKE_SQLSTATE`: six bits a character.
fn sqlstate_number(sqlstate: &str) -> c_int {
    sqlstate.bytes().take(5).enumerate().fold(0, |sum, (i, c)| sum | ((c_int::from(c) - c_int::from(b'0')) & 0x3F) << (6 * i))
}

/// The reverse: five characters.
fn sqlstate_text(number: c_int) -> String {
    (0..5).map(|i| char::from(((number >> (6 * i)) & 0x3F) as u8 + b'0')).collect()
}

/// A zero-ended copy in the current memory context.
fn server_string(text: &str) -> *const c_char {
    // SAFETY: pnstrdup copies that many bytes and ends them; a zero byte inside only ends the message early.
    unsafe { pg_sys::pnstrdup(text.as_ptr().cast(), text.len() as pg_sys::Size) }
}

impl From<crate::json::JsonError> for Error {
    fn from(error: crate::json::JsonError) -> Error {
        Error::new(error.sqlstate, error.message).detail(format!("at byte {}", error.offset))
    }
}
