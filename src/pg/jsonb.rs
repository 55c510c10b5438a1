//! `jsonb` and `text` datums as byte slices, and back.

use pgrx::pg_sys;
use pgrx::pg_sys::Datum;

/// The container bytes of a jsonb datum: in place where it is stored plain, else a copy in the current memory context.
///
/// Never the packed form: entries are read at four-byte steps from the start, which a one-byte header would shift.
///
/// # Safety
/// `datum` is a jsonb, and neither its tuple nor the current memory context goes away within `'a`.
pub unsafe fn container<'a>(datum: Datum) -> &'a [u8] {
    // SAFETY: detoasting gives a four-byte header and that many bytes.
    unsafe {
        let plain = pg_sys::pg_detoast_datum(datum.cast_mut_ptr());
        std::slice::from_raw_parts(plain.cast::<u8>().add(4), pgrx::varsize_4b(plain) - 4)
    }
}

/// The bytes of a text, bytea or other varlena datum, packed or not.
///
/// # Safety
/// As [`container`], for any varlena.
pub unsafe fn bytes<'a>(datum: Datum) -> &'a [u8] {
    // SAFETY: the macros of postgres.h, in pgrx's translation.
    unsafe {
        let packed = pg_sys::pg_detoast_datum_packed(datum.cast_mut_ptr());
        std::slice::from_raw_parts(pgrx::vardata_any(packed).cast::<u8>(), pgrx::varsize_any_exhdr(packed))
    }
}

/// # Safety
/// As [`container`], for a text of a UTF-8 database.
pub unsafe fn text<'a>(datum: Datum) -> &'a str {
    // SAFETY: the server lets no other bytes into a text of a UTF-8 database, and the extension installs in no other.
    unsafe { std::str::from_utf8_unchecked(bytes(datum)) }
}

/// A new varlena in the current memory context.
pub fn varlena(body: &[u8]) -> Datum {
    // SAFETY: palloc gives the room or raises; the header is the size in the upper thirty bits on little-endian machines,
    // which SET_VARSIZE writes.
    unsafe {
        let start = pg_sys::palloc(body.len() + 4).cast::<pg_sys::varlena>();
        pgrx::set_varsize_4b(start, (body.len() + 4) as i32);
        std::ptr::copy_nonoverlapping(body.as_ptr(), start.cast::<u8>().add(4), body.len());
        Datum::from(start)
    }
}
