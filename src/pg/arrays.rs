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

/// An `integer[]` of these, in the current memory context.
pub fn int_array(numbers: &[i32]) -> Datum {
    let mut elements: Vec<Datum> = numbers.iter().map(|number| Datum::from(*number)).collect();
    // SAFETY: four bytes by value; the elements are as many as said.
    unsafe {
        let array = pg_sys::construct_array(elements.as_mut_ptr(), elements.len() as i32, pg_sys::INT4OID, 4, true, pg_sys::TYPALIGN_INT as std::ffi::c_char);
        Datum::from(array)
    }
}

/// The numbers of an `integer[]` that are not NULL.
///
/// # Safety
/// The datum is an `integer[]`.
pub unsafe fn ints(array: Datum) -> Vec<i32> {
    let Some(elements) = ElementType::of(pg_sys::INT4ARRAYOID) else { return Vec::new() };
    // SAFETY: by contract.
    unsafe { elements.elements(array) }.into_iter().flatten().map(|datum| datum.value() as i32).collect()
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

/// How the elements of arrays of a type lie in memory.
#[derive(Clone, Copy, Debug)]
pub struct ElementType {
    pub ty: Oid,
    length: i16,
    by_value: bool,
    alignment: std::ffi::c_char,
}

impl ElementType {
    /// The type of the elements, if that is a type of arrays.
    pub fn of(array: Oid) -> Option<ElementType> {
        let (mut length, mut by_value, mut alignment) = (0, false, 0);
        // SAFETY: look-ups in the catalogue of types.
        unsafe {
            let ty = pg_sys::get_element_type(array);
            if ty == Oid::INVALID {
                return None;
            }
            pg_sys::get_typlenbyvalalign(ty, &mut length, &mut by_value, &mut alignment);
            Some(ElementType { ty, length, by_value, alignment })
        }
    }

    /// The layout of a type itself.
    pub fn itself(ty: Oid) -> ElementType {
        let (mut length, mut by_value, mut alignment) = (0, false, 0);
        // SAFETY: a look-up in the catalogue of types.
        unsafe { pg_sys::get_typlenbyvalalign(ty, &mut length, &mut by_value, &mut alignment) };
        ElementType { ty, length, by_value, alignment }
    }

    /// An array of these values, in the current memory context; `None` stands for NULL.
    ///
    /// # Safety
    /// The values are of this type.
    pub unsafe fn array(self, values: Vec<Option<Datum>>) -> Datum {
        let mut nulls: Vec<bool> = values.iter().map(Option::is_none).collect();
        let mut elements: Vec<Datum> = values.into_iter().map(|value| value.unwrap_or(Datum::null())).collect();
        let (mut count, mut lower) = (elements.len() as i32, 1);
        // SAFETY: as many values and flags as said; they are copied.
        unsafe {
            let (length, alignment) = (i32::from(self.length), self.alignment);
            let array = if count == 0 {
                pg_sys::construct_empty_array(self.ty)
            } else {
                pg_sys::construct_md_array(elements.as_mut_ptr(), nulls.as_mut_ptr(), 1, &mut count, &mut lower, self.ty, length, self.by_value, alignment)
            };
            Datum::from(array)
        }
    }

    /// The elements of an array, of all its dimensions one after the other; `None` for NULL.
    ///
    /// # Safety
    /// The datum is an array of elements of this type, and the current memory context outlives the result.
    pub unsafe fn elements(self, array: Datum) -> Vec<Option<Datum>> {
        let (mut elements, mut nulls, mut count) = (std::ptr::null_mut(), std::ptr::null_mut(), 0);
        // SAFETY: the server sets all three to arrays of that many; elements point into the detoasted array.
        unsafe {
            let array = pg_sys::pg_detoast_datum(array.cast_mut_ptr()).cast();
            let (length, alignment) = (i32::from(self.length), self.alignment);
            pg_sys::deconstruct_array(array, self.ty, length, self.by_value, alignment, &mut elements, &mut nulls, &mut count);
            (0..usize::try_from(count).unwrap_or(0)).map(|i| (!*nulls.add(i)).then(|| *elements.add(i))).collect()
        }
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
