//! Of many values of a parameter, those that any row has at all: a value set names a hundred thousand codes, of which a table knows a
//! few thousand. The index has each key once, in order, so that both lists are read side by side.

use super::statement::Place;
use crate::index::scan::ValueKeys;
use crate::model::TypeId;
use crate::pg::access;
use crate::pg::entries::Entries;
use crate::pg::error::Error;
use crate::pg::snapshot::is_serializable;

/// Fewer values are asked for as they are.
const MANY: usize = 256;
/// More types than this are not looked through.
const MAX_TYPES: usize = 16;
/// All keys of a parameter that hold the same kind of value begin with so many bytes.
const PREFIX: usize = 3;

/// The values that a resource of one of the types may have under the parameter; all where that cannot be told: where row-level security
/// hides rows from the caller, where rows wait in the pending list of the index, and for what was at another time. In SERIALIZABLE all are asked
/// for too: the search then locks the places where the others would stand.
pub fn present(place: Place, types: &[TypeId], name: &str, values: Vec<String>) -> Result<Vec<String>, Error> {
    if values.len() < MANY || types.is_empty() || types.len() > MAX_TYPES || place.as_of.is_some() || is_serializable() {
        return Ok(values);
    }
    let mut is_present = vec![false; values.len()];
    for ty in types {
        let Some(mut keys) = ValueKeys::of(*ty, name) else { return Ok(values) };
        let table = access::table_named(place.lake, &ty.name().to_lowercase());
        let Some(entries) = table.map(Entries::try_open).transpose()?.flatten() else { return Ok(values) };
        let mut wanted: Vec<(Vec<u8>, usize)> = Vec::with_capacity(values.len());
        for ((at, value), known) in values.iter().enumerate().zip(&mut is_present).filter(|(_, known)| !**known) {
            match keys.of_value(value) {
                Some(keys) => wanted.extend(keys.map(|key| (key.to_vec(), at))),
                None => *known = true,
            }
        }
        wanted.sort_unstable();
        for alike in wanted.chunk_by(|(a, _), (b, _)| a.get(..PREFIX) == b.get(..PREFIX)) {
            let prefix = alike.first().and_then(|(key, _)| key.get(..PREFIX)).unwrap_or_default();
            entries.among(prefix, alike, &mut |at| is_present[at] = true)?;
        }
        entries.close()?;
    }
    Ok(values.into_iter().zip(is_present).filter(|(_, is_present)| *is_present).map(|(value, _)| value).collect())
}
