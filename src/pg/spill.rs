//! Records in a temporary file of the server: its limits and tablespaces hold, and it goes with the statement, however that ends.

use super::error::{Error, INTERNAL};
use super::guard::attempt;
use pgrx::pg_sys;
use std::ffi::{c_int, c_void};

/// Written from first to last, then read in the same order.
pub struct Spill {
    file: *mut pg_sys::BufFile,
    records: u64,
}

impl Spill {
    /// A file of the current resource owner and memory context.
    pub fn new() -> Result<Spill, Error> {
        // SAFETY: the closure owns nothing.
        let file = unsafe { attempt(|| server::BufFileCreateTemp(false))? };
        Ok(Spill { file, records: 0 })
    }

    pub fn write(&mut self, record: &[u8]) -> Result<(), Error> {
        self.put(&(record.len() as u64).to_ne_bytes())?;
        self.put(record)?;
        self.records += 1;
        Ok(())
    }

    pub fn len(&self) -> u64 {
        self.records
    }

    /// Goes back to the first record, for reading.
    pub fn rewind(&mut self) -> Result<(), Error> {
        let file = self.file;
        // SAFETY: an open file.
        let failed = unsafe { attempt(|| server::BufFileSeek(file, 0, 0, 0))? };
        if failed != 0 { Err(broken()) } else { Ok(()) }
    }

    /// Replaces the contents of `record` by the next one.
    pub fn read(&mut self, record: &mut Vec<u8>) -> Result<(), Error> {
        let mut length = [0; 8];
        self.get(&mut length)?;
        let length = usize::try_from(u64::from_ne_bytes(length)).map_err(|_| broken())?;
        record.clear();
        record.try_reserve(length).map_err(|_| Error::new("53200", "out of memory"))?;
        record.resize(length, 0);
        self.get(record)
    }

    pub fn close(self) -> Result<(), Error> {
        let file = self.file;
        // SAFETY: an open file, and nobody has it from now on.
        unsafe { attempt(|| server::BufFileClose(file)) }
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let (file, start, length) = (self.file, bytes.as_ptr().cast::<c_void>(), bytes.len());
        // SAFETY: an open file; so many bytes are there. The server only reads them.
        unsafe { attempt(|| server::BufFileWrite(file, start, length)) }
    }

    fn get(&mut self, to: &mut [u8]) -> Result<(), Error> {
        let (file, start, length) = (self.file, to.as_mut_ptr().cast::<c_void>(), to.len());
        // SAFETY: an open file; there is room for so many bytes.
        let read = unsafe { attempt(|| server::BufFileRead(file, start, length))? };
        if read == length { Ok(()) } else { Err(broken()) }
    }
}

fn broken() -> Error {
    Error::new(INTERNAL, "could not read a temporary file")
}

/// Without pgrx's guard: [`attempt`] keeps the whole error.
mod server {
    use super::*;
    unsafe extern "C-unwind" {
        pub fn BufFileCreateTemp(over_transactions: bool) -> *mut pg_sys::BufFile;
        pub fn BufFileClose(file: *mut pg_sys::BufFile);
        pub fn BufFileRead(file: *mut pg_sys::BufFile, to: *mut c_void, size: usize) -> usize;
        pub fn BufFileWrite(file: *mut pg_sys::BufFile, from: *const c_void, size: usize);
        pub fn BufFileSeek(file: *mut pg_sys::BufFile, number: c_int, offset: pg_sys::off_t, whence: c_int) -> c_int;
    }
}
