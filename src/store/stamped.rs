//! A resource with everything that its row holds, made from the resource alone: so a thread that knows nothing of the server can.

use super::membership;
use super::stamp::{Refusal, Submitted, Version};
use crate::index;
use crate::json;
use crate::model::TypeId;

/// A row of a lake's table, but for the number of the transaction.
#[derive(Debug)]
pub struct Stamped {
    pub ty: TypeId,
    pub id: String,
    pub version: Version,
    /// The first compartment it belongs to, `Patient/id`, else itself, `Type/id`.
    pub home: String,
    /// Further compartments, sorted: the rows of `membership`.
    pub others: Vec<String>,
    /// Clinical start in microseconds since 2000-01-01 UTC; [`index::time::OPEN_LOW`], the server's `-infinity`, if unknown.
    pub occurred: i64,
    /// The container to store: with this id and version.
    pub resource: Vec<u8>,
    /// The body of its `fhir.keys`.
    pub keys: Vec<u8>,
}

impl Submitted<'_> {
    /// The row of this resource under that id, as that version. Does not validate; errors only where the container with its id
    /// and `meta` would be larger than a `jsonb` may be.
    pub fn stamped(&self, id: &str, version: Version) -> Result<Stamped, Refusal> {
        let resource = self.stored(id, version)?;
        let stamp = json::root(&resource).map(index::stamp);
        let (home, is_in_several, occurred, keys) = match stamp {
            Some(stamp) => {
                let is_in_several = stamp.compartments.len() > 1;
                (stamp.compartments.into_iter().next(), is_in_several, stamp.occurred, stamp.keys)
            }
            None => (None, false, index::time::OPEN_LOW, Vec::new()),
        };
        let home = home.unwrap_or_else(|| format!("{}/{id}", self.ty.name()));
        let others = if is_in_several { membership::others(self.ty, &keys, &home).into_iter().collect() } else { Vec::new() };
        Ok(Stamped { ty: self.ty, id: id.to_owned(), version, home, others, occurred, resource, keys })
    }

    /// The row of a resource that the lake has not had: under its own id, or a new one made of `now` and `random`, as version 1 of
    /// `now`.
    pub fn first(&self, now: i64, random: [u8; 8]) -> Result<Stamped, Refusal> {
        self.stamped(&self.id_or_new(now, random), Version::after(None, now))
    }
}

impl Stamped {
    /// [`Submitted::first`] of a container as it was submitted; errors also where it is no resource.
    pub fn first(container: &[u8], now: i64, random: [u8; 8]) -> Result<Stamped, Refusal> {
        Submitted::read(container, None)?.first(now, random)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::time::is_uuid_of;

    const NOW: i64 = 800_000_000_000_000;

    fn first(text: &str) -> Stamped {
        let container = json::parse(text.as_bytes(), &json::Limits::default()).unwrap();
        Stamped::first(&container, NOW, [7; 8]).unwrap()
    }

    #[test]
    fn the_row_is_that_of_the_parts_it_is_made_of() {
        let text = r#"{"resourceType":"Appointment","id":"a","start":"2000-01-01T00:00:01Z","participant":[{"actor":{"reference":"Patient/2"}},{"actor":{"reference":"Patient/1"}},{"actor":{"reference":"Patient/3"}}]}"#;
        let row = first(text);
        assert_eq!((row.ty.name(), row.id.as_str(), row.version), ("Appointment", "a", Version { number: 1, last_updated: NOW }));
        assert_eq!(row.home, "Patient/2");
        assert_eq!(row.others, ["Patient/1", "Patient/3"]);
        assert_eq!(row.occurred, 1_000_000);
        let stored = json::root(&row.resource).unwrap();
        assert_eq!(row.keys, index::stamp(stored).keys);
        assert!(stored.to_json().contains(r#""versionId": "1""#));
    }

    #[test]
    fn what_belongs_to_nobody_is_at_home_with_itself_and_gets_an_id() {
        let row = first(r#"{"resourceType":"Location","name":"here"}"#);
        assert!(is_uuid_of(&row.id, NOW));
        assert_eq!(row.home, format!("Location/{}", row.id));
        assert!(row.others.is_empty());
        assert_eq!(row.occurred, i64::MIN);
    }

    #[test]
    fn what_is_no_resource_is_refused() {
        let container = json::parse(b"[]", &json::Limits::default()).unwrap();
        assert!(matches!(Stamped::first(&container, NOW, [7; 8]), Err(Refusal::NotAnObject)));
    }
}
