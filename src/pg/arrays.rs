//! Arrays as parameters and results.

use super::jsonb::varlena;
use pgrx::pg_sys;
use pgrx::pg_sys::Datum;

/// A `jsonb[]` of these containers, in the current memory context.
pub fn jsonb_array(containers: &[Vec<u8>]) -> Datum {
    let mut elements: Vec<Datum> = containers.iter().map(|container| varlena(container)).collect();
    // SAFETY: jsonb is a varlena aligned to four bytes; the elements are as many as said and are copied.
    unsafe {
        let array = pg_sys::construct_array(
            elements.as_mut_ptr(),
            elements.len() as i32,
            pg_sys::JSONBOID,
            -1,
            false,
            pg_sys::TYPALIGN_INT as std::ffi::c_char,
        );
        Datum::from(array)
    }
}

/// A `text[]` of these, in the current memory context.
pub fn text_array(texts: &[&str]) -> Datum {
    let mut elements: Vec<Datum> = texts.iter().map(|text| varlena(text.as_bytes())).collect();
    // SAFETY: text is a varlena aligned to four bytes; the elements are as many as said and are copied.
    unsafe {
        let array = pg_sys::construct_array(
            elements.as_mut_ptr(),
            elements.len() as i32,
            pg_sys::TEXTOID,
            -1,
            false,
            pg_sys::TYPALIGN_INT as std::ffi::c_char,
        );
        Datum::from(array)
    }
}
