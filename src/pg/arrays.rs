//! Arrays as parameters and results.

use super::jsonb::varlena;
use pgrx::pg_sys;
use pgrx::pg_sys::{Datum, Oid};

/// A `jsonb[]` of these containers, in the current memory context.
pub fn jsonb_array<'a>(containers: impl Iterator<Item = &'a [u8]>) -> Datum {
    array(containers, pg_sys::JSONBOID)
}

/// A `text[]` of these, in the current memory context.
pub fn text_array(texts: &[&str]) -> Datum {
    array(texts.iter().map(|text| text.as_bytes()), pg_sys::TEXTOID)
}

/// An array of a type of variable length that is aligned to four bytes.
fn array<'a>(bodies: impl Iterator<Item = &'a [u8]>, ty: Oid) -> Datum {
    let mut elements: Vec<Datum> = bodies.map(varlena).collect();
    // SAFETY: both types above are such; the elements are as many as said and are copied.
    unsafe {
        let array = pg_sys::construct_array(elements.as_mut_ptr(), elements.len() as i32, ty, -1, false, pg_sys::TYPALIGN_INT as std::ffi::c_char);
        Datum::from(array)
    }
}

/// The elements of a `text[]` that are not NULL.
///
/// # Safety
/// The datum is a `text[]` of a UTF-8 database, and the current memory context outlives the result.
pub unsafe fn texts<'a>(array: Datum) -> Vec<&'a str> {
    let (mut elements, mut nulls, mut count) = (std::ptr::null_mut(), std::ptr::null_mut(), 0);
    // SAFETY: the server sets all three to arrays of that many; elements point into the detoasted array.
    unsafe {
        let array = pg_sys::pg_detoast_datum(array.cast_mut_ptr()).cast();
        pg_sys::deconstruct_array(array, pg_sys::TEXTOID, -1, false, pg_sys::TYPALIGN_INT as std::ffi::c_char, &mut elements, &mut nulls, &mut count);
        (0..usize::try_from(count).unwrap_or(0)).filter(|i| !*nulls.add(*i)).map(|i| super::jsonb::text(*elements.add(i))).collect()
    }
}
