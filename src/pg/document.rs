//! Documents that several functions of a query look into: taken out of their compressed or stored form once, not once for each column.
//!
//! What is kept is found by the very bytes that the row has, so a hit has the same content whatever row it comes from. Where a row only
//! has a pointer into the TOAST table, the pointer stands for the content within one statement, as nobody can take away what the statement
//! may see.

use super::error::Error;
use super::function::Call;
use super::time;
use pgrx::pg_sys;
use pgrx::pg_sys::Datum;
use std::cell::RefCell;

/// Documents kept: a query joins about so many tables.
const SLOTS: usize = 4;
/// Bytes that all but the latest may take together.
const MOST: usize = 8 << 20;

/// One document: its own memory context holds the bytes that the row has, and the plain ones.
struct Slot {
    context: pg_sys::MemoryContext,
    stored: *const u8,
    length: usize,
    plain: Datum,
    size: usize,
}

/// The documents of a statement.
#[derive(Default)]
struct Opened {
    /// The statement and the transaction that they belong to.
    of: (i64, i64),
    parent: Option<pg_sys::MemoryContext>,
    slots: Vec<Slot>,
    /// The slot that is replaced next.
    next: usize,
}

thread_local! {
    static OPENED: RefCell<Opened> = RefCell::default();
}

/// Forgets all when the transaction's memory goes.
struct AtEnd;

impl Drop for AtEnd {
    fn drop(&mut self) {
        OPENED.with_borrow_mut(|opened| *opened = Opened::default());
    }
}

impl Call {
    /// The container of a jsonb argument that other functions of the query probably look into as well. It lives as long as the call, as no
    /// other document is opened within it.
    pub fn document(&self, index: usize) -> Result<&[u8], Error> {
        let Some(datum) = self.datum(index) else { return self.jsonb(index) };
        // SAFETY: the SQL declaration says that this argument is a jsonb.
        unsafe {
            let value = datum.cast_mut_ptr::<pg_sys::varlena>();
            if pgrx::varatt_is_4b_u(value) || !is_toasted(value) {
                return self.jsonb(index);
            }
            let stored = std::slice::from_raw_parts(value.cast::<u8>(), pgrx::varsize_any(value));
            let plain = OPENED.with_borrow_mut(|opened| opened.plain(stored, datum));
            Ok(super::jsonb::container(plain))
        }
    }
}

/// `VARTAG_ONDISK`
const ON_DISK: u8 = 18;

/// Compressed, or stored in the TOAST table; not merely with a short header, and no pointer into memory.
unsafe fn is_toasted(value: *const pg_sys::varlena) -> bool {
    // SAFETY: a valid varlena; the tag is the second byte of a pointer.
    unsafe { pgrx::varatt_is_4b_c(value) || (pgrx::varatt_is_1b_e(value) && *value.cast::<u8>().add(1) == ON_DISK) }
}

impl Opened {
    /// The plain form of a datum that consists of these bytes.
    ///
    /// # Safety
    /// `stored` are the bytes of `datum`, a valid toasted jsonb.
    unsafe fn plain(&mut self, stored: &[u8], datum: Datum) -> Datum {
        // SAFETY: contexts are below one that lasts as long as the transaction; when that goes, everything is forgotten.
        unsafe {
            let now = (time::statement(), pg_sys::GetCurrentTransactionStartTimestamp());
            if self.of != now {
                self.of = now;
                while let Some(slot) = self.slots.pop() {
                    pg_sys::MemoryContextDelete(slot.context);
                }
            }
            if let Some(slot) = self.slots.iter().find(|slot| slot.length == stored.len() && std::slice::from_raw_parts(slot.stored, slot.length) == stored) {
                return slot.plain;
            }
            let parent = match self.parent {
                Some(parent) => parent,
                None => {
                    let parent = context(pg_sys::TopTransactionContext);
                    pgrx::PgMemoryContexts::For(parent).leak_and_drop_on_delete(AtEnd);
                    *self.parent.insert(parent)
                }
            };
            self.make_room(stored.len());
            let own = context(parent);
            let previous = pg_sys::MemoryContextSwitchTo(own);
            let key = pg_sys::palloc(stored.len()).cast::<u8>();
            std::ptr::copy_nonoverlapping(stored.as_ptr(), key, stored.len());
            let plain = Datum::from(pg_sys::pg_detoast_datum(datum.cast_mut_ptr()));
            pg_sys::MemoryContextSwitchTo(previous);
            let size = stored.len() + pgrx::varsize_4b(plain.cast_mut_ptr::<pg_sys::varlena>());
            self.slots.push(Slot { context: own, stored: key, length: stored.len(), plain, size });
            plain
        }
    }

    /// Leaves out documents until there is room for one more.
    fn make_room(&mut self, size: usize) {
        while self.slots.len() >= SLOTS || (!self.slots.is_empty() && self.slots.iter().map(|slot| slot.size).sum::<usize>() + size > MOST) {
            self.next = (self.next + 1) % self.slots.len();
            let slot = self.slots.swap_remove(self.next);
            // SAFETY: nobody looks into it any more: results were copied out of it.
            unsafe { pg_sys::MemoryContextDelete(slot.context) };
        }
    }
}

fn context(parent: pg_sys::MemoryContext) -> pg_sys::MemoryContext {
    // SAFETY: the name is a constant, as the server wants it.
    unsafe {
        pg_sys::AllocSetContextCreateInternal(parent, c"fhir documents".as_ptr(), 0, pg_sys::ALLOCSET_SMALL_INITSIZE as pg_sys::Size, pg_sys::ALLOCSET_DEFAULT_MAXSIZE as pg_sys::Size)
    }
}
