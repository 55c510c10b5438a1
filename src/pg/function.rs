//! Raw V1 functions: the argument list as the server passes it, no conversion that copies.

use super::error::{Error, NULL_NOT_ALLOWED, Raw};
use pgrx::pg_sys;
use pgrx::pg_sys::Datum;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// Binds a Rust function to the symbol that `CREATE FUNCTION … AS 'MODULE_PATHNAME', 'symbol'` names.
///
/// ```ignore
/// sql_function!(fhir_is_valid, |call| Ok(is_valid(call.jsonb(0)?).into()));
/// ```
#[macro_export]
macro_rules! sql_function {
    ($symbol:ident, $body:expr) => {
        #[allow(unsafe_code)]
        const _: () = {
            #[unsafe(export_name = concat!("pg_finfo_", stringify!($symbol)))]
            pub extern "C" fn finfo() -> &'static ::pgrx::pg_sys::Pg_finfo_record {
                const V1: ::pgrx::pg_sys::Pg_finfo_record = ::pgrx::pg_sys::Pg_finfo_record { api_version: 1 };
                &V1
            }

            #[unsafe(no_mangle)]
            pub unsafe extern "C-unwind" fn $symbol(info: ::pgrx::pg_sys::FunctionCallInfo) -> ::pgrx::pg_sys::Datum {
                // SAFETY: the server calls this with a valid call frame, from its main thread.
                unsafe { $crate::pg::function::enter(info, $body) }
            }
        };
    };
}

/// As [`sql_function!`], for a function most of whose calls are answered at once: `$ready` may call nothing that raises.
#[macro_export]
macro_rules! ready_function {
    ($symbol:ident, $ready:expr, $body:expr) => {
        #[allow(unsafe_code)]
        const _: () = {
            #[unsafe(export_name = concat!("pg_finfo_", stringify!($symbol)))]
            pub extern "C" fn finfo() -> &'static ::pgrx::pg_sys::Pg_finfo_record {
                const V1: ::pgrx::pg_sys::Pg_finfo_record = ::pgrx::pg_sys::Pg_finfo_record { api_version: 1 };
                &V1
            }

            #[unsafe(no_mangle)]
            pub unsafe extern "C-unwind" fn $symbol(info: ::pgrx::pg_sys::FunctionCallInfo) -> ::pgrx::pg_sys::Datum {
                // SAFETY: the server calls this with a valid call frame, from its main thread.
                unsafe { $crate::pg::function::enter_ready(info, $ready, $body) }
            }
        };
    };
}

/// An answer that needs nothing of the server but memory.
#[derive(Clone, Copy)]
pub enum Ready {
    Null,
    /// A value that is passed as it is.
    Word(usize),
    /// The body of a value of variable length: where it begins, and its length.
    Body(*const u8, usize),
}

impl Ready {
    /// The body of a value of variable length, which must stay where it is until the function returns.
    pub fn of(body: &[u8]) -> Ready {
        Ready::Body(body.as_ptr(), body.len())
    }

    /// # Safety
    /// A body is still where it was.
    pub unsafe fn value(self) -> Value {
        match self {
            Ready::Null => Value::Null,
            Ready::Word(word) => Value::Datum(Datum::from(word)),
            // SAFETY: by contract.
            Ready::Body(start, length) => Value::Datum(super::jsonb::varlena(unsafe { std::slice::from_raw_parts(start, length) })),
        }
    }
}

/// # Safety
/// Only for [`ready_function!`]: as [`enter`], and `ready` calls nothing that raises.
pub unsafe fn enter_ready(info: pg_sys::FunctionCallInfo, ready: unsafe fn(pg_sys::FunctionCallInfo) -> Option<Ready>, body: fn(&Call) -> Result<Value, Error>) -> Datum {
    unsafe extern "C-unwind" {
        fn palloc(size: usize) -> *mut u8;
    }
    // SAFETY: what panics has done nothing yet, and the call begins anew under the guards. No Rust value is alive when palloc may jump.
    unsafe {
        match catch_unwind(|| ready(info)) {
            Ok(Some(Ready::Null)) => {
                (*info).isnull = true;
                Datum::null()
            }
            Ok(Some(Ready::Word(word))) => Datum::from(word),
            Ok(Some(Ready::Body(from, length))) => {
                let start = palloc(length + 4);
                pgrx::set_varsize_4b(start.cast(), (length + 4) as i32);
                std::ptr::copy_nonoverlapping(from, start.add(4), length);
                Datum::from(start)
            }
            Ok(None) | Err(_) => enter(info, body),
        }
    }
}

/// One call from the server.
pub struct Call {
    pub(super) info: pg_sys::FunctionCallInfo,
}

/// What a function gives back.
pub enum Value {
    Null,
    Void,
    Bool(bool),
    Int(i64),
    Text(String),
    /// The bytes of a container, without the length word.
    Jsonb(Vec<u8>),
    /// Already in the server's form.
    Datum(Datum),
}

/// # Safety
/// Only for [`sql_function!`]: `info` is the server's call frame, and the frame of the caller owns nothing.
pub unsafe fn enter(info: pg_sys::FunctionCallInfo, body: fn(&Call) -> Result<Value, Error>) -> Datum {
    enum Outcome {
        Value(Datum, bool),
        Error(Raw),
    }
    // SAFETY: a panic, and what pgrx caught from the server, leave through pgrx's guard as an error. Our own errors come out
    // of it as plain data, and jump when no Rust value is alive.
    unsafe {
        let outcome = pg_sys::panic::pgrx_extern_c_guard(|| {
            let _within = Within::a_new_call();
            let result = catch_unwind(AssertUnwindSafe(|| body(&Call { info }))).unwrap_or_else(|payload| match payload.downcast::<Leaving>() {
                Ok(leaving) => Err(leaving.0),
                Err(other) => resume_unwind(other),
            });
            match result {
                Ok(value) => {
                    let datum = value.into_datum();
                    Outcome::Value(datum.unwrap_or(Datum::null()), datum.is_none())
                }
                Err(error) => Outcome::Error(error.into_raw()),
            }
        });
        match outcome {
            Outcome::Value(datum, is_null) => {
                (*info).isnull = is_null;
                datum
            }
            Outcome::Error(raw) => raw.raise(),
        }
    }
}

/// An error on its way out of the function that is running.
struct Leaving(Error);

// SAFETY: it is made and taken apart by the server's one thread.
unsafe impl Send for Leaving {}

/// Ends the function that is running with an error, through whatever cannot pass one on. For errors after which the server must clean up:
/// who called may not go on as if nothing had happened.
pub fn leave(error: Error) -> ! {
    resume_unwind(Box::new(Leaving(error)))
}

thread_local! {
    /// How many calls there were, and which of them is running: 0 for none.
    static CALLS: Cell<(u64, u64)> = const { Cell::new((0, 0)) };
}

/// A number that no other call of a function in this session has had or will have; `None` outside of any. Calls that this one leads to
/// have their own.
pub fn running() -> Option<u64> {
    let (_, running) = CALLS.get();
    (running != 0).then_some(running)
}

/// A call is running until this is dropped; then the one that led to it is again.
struct Within {
    outer: u64,
}

impl Within {
    fn a_new_call() -> Within {
        let (count, outer) = CALLS.get();
        CALLS.set((count + 1, count + 1));
        Within { outer }
    }
}

impl Drop for Within {
    fn drop(&mut self) {
        let (count, _) = CALLS.get();
        CALLS.set((count, self.outer));
    }
}

impl Call {
    pub fn count(&self) -> usize {
        // SAFETY: see `enter`.
        unsafe { (*self.info).nargs as usize }
    }

    /// The argument as the server passed it; `None` for NULL or where there is none.
    pub fn datum(&self, index: usize) -> Option<Datum> {
        if index >= self.count() {
            return None;
        }
        // SAFETY: the frame holds `nargs` arguments.
        let argument = unsafe { *(*self.info).args.as_ptr().add(index) };
        (!argument.isnull).then_some(argument.value)
    }

    fn required(&self, index: usize) -> Result<Datum, Error> {
        self.datum(index).ok_or_else(|| Error::new(NULL_NOT_ALLOWED, format!("argument {} must not be null", index + 1)))
    }

    /// The container of a jsonb argument. It lives as long as the call.
    pub fn jsonb(&self, index: usize) -> Result<&[u8], Error> {
        // SAFETY: the SQL declaration says that this argument is a jsonb; the detoasted copy lives in the call's context.
        Ok(unsafe { super::jsonb::container(self.required(index)?) })
    }

    pub fn text(&self, index: usize) -> Result<&str, Error> {
        // SAFETY: the SQL declaration says that this argument is a text, and the database is UTF-8.
        Ok(unsafe { super::jsonb::text(self.required(index)?) })
    }

    /// The body of an argument of variable length.
    pub fn bytes(&self, index: usize) -> Result<&[u8], Error> {
        // SAFETY: the SQL declaration says that this argument has a length word.
        Ok(unsafe { super::jsonb::bytes(self.required(index)?) })
    }

    pub fn optional_text(&self, index: usize) -> Result<Option<&str>, Error> {
        if self.datum(index).is_some() { self.text(index).map(Some) } else { Ok(None) }
    }

    pub fn int(&self, index: usize) -> Result<i64, Error> {
        Ok(self.required(index)?.value() as i64)
    }

    pub fn bool(&self, index: usize) -> Result<bool, Error> {
        Ok(self.required(index)?.value() as u8 != 0)
    }
}

impl Value {
    /// The value in the server's form, in the current memory context; `None` for NULL.
    pub fn into_datum(self) -> Option<Datum> {
        match self {
            Value::Null => None,
            Value::Void => Some(Datum::from(0usize)),
            Value::Bool(value) => Some(Datum::from(value)),
            Value::Int(value) => Some(Datum::from(value)),
            Value::Text(text) => Some(super::jsonb::varlena(text.as_bytes())),
            Value::Jsonb(container) => Some(super::jsonb::varlena(&container)),
            Value::Datum(datum) => Some(datum),
        }
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Value {
        Value::Bool(value)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Value {
        Value::Int(value)
    }
}

impl From<String> for Value {
    fn from(value: String) -> Value {
        Value::Text(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Value {
        Value::Text(value.to_owned())
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Value {
        value.map_or(Value::Null, Into::into)
    }
}
