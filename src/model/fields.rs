//! The fields of each type by a hash of their names.

use super::{Field, TYPES, TypeId};
use std::sync::LazyLock;

/// For each type twice as many places as fields, at least: a field's number and one, or zero.
static PLACES: LazyLock<Vec<Box<[u16]>>> = LazyLock::new(|| TYPES.iter().map(|ty| places(ty.fields)).collect());

fn places(fields: &[Field]) -> Box<[u16]> {
    let mut places = vec![0; (2 * fields.len() + 1).next_power_of_two()];
    for (number, field) in fields.iter().enumerate() {
        let mut place = hash(field.name.as_bytes());
        while places[place % places.len()] != 0 {
            place += 1;
        }
        let count = places.len();
        places[place % count] = number as u16 + 1;
    }
    places.into()
}

/// The number of the field of that name.
#[inline]
pub(super) fn find(ty: TypeId, name: &[u8]) -> Option<usize> {
    let places = PLACES.get(usize::from(ty.0))?;
    let mut place = hash(name);
    loop {
        // half of them are empty, so that it ends
        let number = usize::from(places.get(place & (places.len() - 1))?.checked_sub(1)?);
        if ty.get().fields.get(number)?.name.as_bytes() == name {
            return Some(number);
        }
        place += 1;
    }
}

#[inline]
fn hash(name: &[u8]) -> usize {
    let (first, last) = match (name.first_chunk(), name.last_chunk()) {
        (Some(first), Some(last)) => (u32::from_le_bytes(*first), u32::from_le_bytes(*last)),
        _ => (name.iter().fold(0, |all, byte| all << 8 | u32::from(*byte)), 0),
    };
    let mixed = (u64::from(first) << 32 | u64::from(last.wrapping_add(name.len() as u32))).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> 40) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_is_found_and_nothing_else() {
        for (number, ty) in TYPES.iter().enumerate() {
            let id = TypeId(number as u16);
            for (number, field) in ty.fields.iter().enumerate() {
                assert_eq!(find(id, field.name.as_bytes()), Some(number), "{}.{}", ty.name, field.name);
                assert!(find(id, format!("_{}", field.name).as_bytes()).is_none());
            }
            for other in ["", "x", "resourceTyp", "valueNothing", "nothing of the kind"] {
                assert!(find(id, other.as_bytes()).is_none());
            }
        }
    }
}
