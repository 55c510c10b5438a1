//! Arrays as parameters and results.

use super::jsonb::varlena;
use pgrx::pg_sys;
use pgrx::pg_sys::{Datum, Oid};

/// A `jsonb[]` of these containers, in the current memory context.
pub fn jsonb_array(containers: &[Vec<u8>]) -> Datum {
    array(containers.iter().map(Vec::as_slice), pg_sys::JSONBOID)
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
