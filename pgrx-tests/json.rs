//! Question: are our builder's bytes those of the server's own jsonb input, and do both refuse the same texts?

use crate::json::{self, Limits, generate};
use crate::pg::error::Error;
use crate::pg::function::{Call, Value};
use crate::pg::jsonb;
use crate::pg::memory::Scratch;
use crate::pg::time::check_for_interrupts;
use crate::sql_function;
use pgrx::pg_sys;
use std::ffi::CString;

const DOCUMENTS: u64 = 100_000;
/// Of these most are refused, and an error of the server takes its time.
const DAMAGED: u64 = 20_000;
/// Documents between two resets of the memory.
const BATCH: u64 = 1000;

sql_function!(pg_test_json_documents, |_| every(DOCUMENTS, |seed| generate::document(seed).into_bytes()));
sql_function!(pg_test_json_damaged_documents, |_| every(DAMAGED, generate::damaged));
sql_function!(pg_test_json_reading_back, reading_back);
// Whether our parser makes of a text what the server does; for files, from SQL.
sql_function!(fhir_test_json_equal, |call| Ok(difference(call.text(0)?.as_bytes()).is_none().into()));

/// As function pointers for the server to call, which pgrx's guarded ones are not.
mod server {
    use pgrx::pg_sys;
    unsafe extern "C-unwind" {
        pub fn jsonb_in(info: pg_sys::FunctionCallInfo) -> pg_sys::Datum;
        pub fn jsonb_out(info: pg_sys::FunctionCallInfo) -> pg_sys::Datum;
    }
}

fn every(count: u64, make: fn(u64) -> Vec<u8>) -> Result<Value, Error> {
    let scratch = Scratch::new(c"json test");
    let (mut accepted, mut refused) = (0, 0);
    for first in (0..count).step_by(BATCH as usize) {
        let _memory = scratch.enter();
        check_for_interrupts();
        for seed in first..first + BATCH {
            let text = make(seed);
            if let Some(difference) = difference(&text) {
                return Err(Error::new("XX000", format!("seed {seed}: {difference}")).detail(String::from_utf8_lossy(&text)));
            }
            match json::parse(&text, &Limits::default()) {
                Ok(_) => accepted += 1,
                Err(_) => refused += 1,
            }
        }
    }
    crate::pg::error::notice(&format!("{accepted} accepted, {refused} refused, by both"));
    Ok(Value::Void)
}

/// How our answer to a text differs from the server's.
fn difference(text: &[u8]) -> Option<String> {
    match (json::parse(text, &Limits::default()), server_bytes(text)) {
        (Ok(ours), Some(theirs)) if ours == theirs => None,
        (Err(_), None) => None,
        (Ok(_), Some(_)) => Some("the bytes differ".to_owned()),
        (Ok(_), None) => Some("the server refuses it".to_owned()),
        (Err(error), Some(_)) => Some(format!("the server accepts it, we do not: {error}")),
    }
}

/// The container that the server's input function makes; `None` where it raises.
fn server_bytes(text: &[u8]) -> Option<Vec<u8>> {
    let zero_ended = CString::new(text).ok()?;
    // SAFETY: verifies that many bytes; what a client sends is verified before it reaches an input function.
    let is_utf8 = unsafe { pg_sys::pg_verify_mbstr(pg_sys::pg_enc::PG_UTF8 as i32, text.as_ptr().cast(), text.len() as i32, true) };
    if !is_utf8 {
        return None;
    }
    let start = pg_sys::Datum::from(zero_ended.as_ptr());
    // The input function holds nothing but memory, so its error may be dropped without a subtransaction.
    pgrx::PgTryBuilder::new(std::panic::AssertUnwindSafe(|| {
        // SAFETY: jsonb_in takes a zero-ended string and gives a jsonb.
        unsafe {
            let datum = pg_sys::DirectFunctionCall1Coll(Some(server::jsonb_in), pg_sys::Oid::INVALID, start);
            Some(jsonb::container(datum).to_vec())
        }
    }))
    .catch_others(|_| None)
    .execute()
}

/// What the server stored prints the same through our reader as through its own output function.
fn reading_back(_: &Call) -> Result<Value, Error> {
    let scratch = Scratch::new(c"json test");
    for first in (0..DOCUMENTS / 10).step_by(BATCH as usize) {
        let _memory = scratch.enter();
        for seed in first..first + BATCH {
            let Some(container) = server_bytes(generate::document(seed).as_bytes()) else { continue };
            let ours = json::root(&container).map(|node| node.to_json());
            // SAFETY: jsonb_out takes a jsonb and gives a zero-ended string.
            let theirs = unsafe {
                let datum = jsonb::varlena(&container);
                let text = pg_sys::DirectFunctionCall1Coll(Some(server::jsonb_out), pg_sys::Oid::INVALID, datum);
                std::ffi::CStr::from_ptr(text.cast_mut_ptr()).to_string_lossy().into_owned()
            };
            if ours.as_deref() != Some(theirs.as_str()) {
                return Err(Error::new("XX000", format!("seed {seed}: read differently")).detail(theirs));
            }
        }
    }
    Ok(Value::Void)
}
