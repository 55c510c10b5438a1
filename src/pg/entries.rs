//! Walking the keys of a table's search index, each once however many rows have it.

use super::error::{Error, INSUFFICIENT_PRIVILEGE, NOT_IN_STATE};
use super::guard::attempt;
use super::jsonb;
use super::memory::Scratch;
use super::searched::Searched;
use pgrx::pg_sys;
use std::ffi::c_char;

unsafe extern "C-unwind" {
    fn index_close(index: pg_sys::Relation, mode: pg_sys::LOCKMODE);
    fn fhirlake_open_texts(oid: pg_sys::Oid) -> pg_sys::Relation;
    fn fhirlake_pending_rows(index: pg_sys::Relation) -> f64;
    fn fhirlake_keys_behind(
        index: pg_sys::Relation,
        from: pg_sys::Datum,
        inclusive: bool,
        prefix: *const c_char,
        length: i32,
        keys: *mut pg_sys::Datum,
        max: i32,
    ) -> i32;
}

/// Keys read at a time: those of one page are fewer.
const BATCH: usize = 2048;

/// The search index of a table, open for the current user, who may know of all its rows: [`Entries::open`] refuses others.
pub struct Entries(Searched);

impl Entries {
    /// Errors: 42501 where the user has no SELECT on the table or row-level security hides rows of it from them; 55000 where
    /// the table has no such index, or rows wait in its pending list.
    pub fn open(table: pg_sys::Oid, name: &str) -> Result<Entries, Error> {
        let Some(searched) = Searched::open(table)? else {
            return Err(Error::new(INSUFFICIENT_PRIVILEGE, format!("the index of table \"{name}\" cannot be read as a whole"))
                .hint("it needs SELECT on that very table, no row-level security that applies, and one index on column search"));
        };
        nothing_pending(searched.index, name)?;
        Ok(Entries(searched))
    }

    /// As [`Entries::open`], but `None` where the keys of all rows cannot be read.
    pub fn try_open(table: pg_sys::Oid) -> Result<Option<Entries>, Error> {
        let Some(searched) = Searched::open(table)? else { return Ok(None) };
        let index = searched.index;
        // SAFETY: the index is open; where this fails, the server closes it.
        if unsafe { attempt(|| fhirlake_pending_rows(index))? } > 0.0 {
            searched.close()?;
            return Ok(None);
        }
        Ok(Some(Entries(searched)))
    }

    /// As [`Entries::each`] with no prefix, of another GIN index on the same table, whose keys are texts.
    pub fn each_of(&self, other: pg_sys::Oid, name: &str, take: &mut dyn FnMut(&[u8])) -> Result<(), Error> {
        // SAFETY: opens it with a lock that readers take.
        let index = unsafe { attempt(|| fhirlake_open_texts(other))? };
        if index.is_null() {
            return Err(Error::new(NOT_IN_STATE, format!("an index of table \"{name}\" cannot be used")).hint("REINDEX it, or call fhir.set_integrity anew"));
        }
        nothing_pending(index, name)?;
        walk(index, &[], take)?;
        // SAFETY: it is open; the lock stays until the transaction ends.
        unsafe { attempt(|| index_close(index, pg_sys::NoLock as pg_sys::LOCKMODE)) }
    }

    /// Calls `take` with each key that begins with the prefix, in order.
    pub fn each(&self, prefix: &[u8], take: &mut dyn FnMut(&[u8])) -> Result<(), Error> {
        walk(self.0.index, prefix, take)
    }

    /// Calls `take` with what stands beside each wanted key that the index has. The wanted keys are sorted and begin with the prefix. No more
    /// places are sought in the index than there are wanted keys, and no more than the keys with the prefix have pages.
    pub fn among(&self, prefix: &[u8], wanted: &[(Vec<u8>, usize)], take: &mut dyn FnMut(usize)) -> Result<(), Error> {
        let mut rest = wanted;
        while let Some((from, _)) = rest.first() {
            let scratch = Scratch::new(c"fhirlake entries");
            let entered = scratch.enter();
            let mut keys = vec![pg_sys::Datum::null(); BATCH];
            let keys = behind(self.0.index, from, true, prefix, &mut keys)?;
            if keys.is_empty() {
                return Ok(());
            }
            for key in keys {
                // SAFETY: plain datums of variable length, made above.
                let key = unsafe { jsonb::bytes(*key) };
                rest = &rest[rest.partition_point(|(wanted, _)| wanted.as_slice() < key)..];
                while let Some(((_, what), more)) = rest.split_first().filter(|((wanted, _), _)| wanted == key) {
                    take(*what);
                    rest = more;
                }
                if rest.is_empty() {
                    return Ok(());
                }
            }
            drop(entered);
        }
        Ok(())
    }

    /// Whether any key begins with the prefix. Its rows may all be gone.
    pub fn any(&self, prefix: &[u8]) -> Result<bool, Error> {
        Ok(!behind(self.0.index, prefix, true, prefix, &mut [pg_sys::Datum::null()])?.is_empty())
    }

    /// The locks stay until the transaction ends, as those of any query do.
    pub fn close(self) -> Result<(), Error> {
        self.0.close()
    }
}

/// What waits there is not in the tree yet.
fn nothing_pending(index: pg_sys::Relation, name: &str) -> Result<(), Error> {
    // SAFETY: the index is open; where this fails, the server closes it.
    if unsafe { attempt(|| fhirlake_pending_rows(index))? } > 0.0 {
        return Err(Error::new(NOT_IN_STATE, format!("rows of table \"{name}\" wait in the pending list of its index"))
            .hint("VACUUM the table, or call gin_clean_pending_list"));
    }
    Ok(())
}

fn walk(index: pg_sys::Relation, prefix: &[u8], take: &mut dyn FnMut(&[u8])) -> Result<(), Error> {
    let mut from = prefix.to_vec();
    let mut inclusive = true;
    loop {
        let scratch = Scratch::new(c"fhirlake entries");
        let entered = scratch.enter();
        let mut keys = vec![pg_sys::Datum::null(); BATCH];
        let keys = behind(index, &from, inclusive, prefix, &mut keys)?;
        let Some(last) = keys.last() else { return Ok(()) };
        for key in keys {
            // SAFETY: plain datums of variable length, made above.
            take(unsafe { jsonb::bytes(*key) });
        }
        // SAFETY: as above.
        from = unsafe { jsonb::bytes(*last) }.to_vec();
        inclusive = false;
        drop(entered);
    }
}

/// The next keys with the prefix, behind `from` or with it, as many as a page has and the array holds; in the current memory context.
fn behind<'a>(index: pg_sys::Relation, from: &[u8], inclusive: bool, prefix: &[u8], keys: &'a mut [pg_sys::Datum]) -> Result<&'a [pg_sys::Datum], Error> {
    let (start, at) = (jsonb::varlena(from), prefix.as_ptr().cast::<c_char>());
    let (length, into, max) = (prefix.len() as i32, keys.as_mut_ptr(), keys.len() as i32);
    // SAFETY: the array holds as many datums as said.
    let n = unsafe { attempt(|| fhirlake_keys_behind(index, start, inclusive, at, length, into, max))? };
    Ok(keys.get(..n as usize).unwrap_or_default())
}
