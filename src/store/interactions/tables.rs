//! The tables of a lake as statements name them.

use crate::model::TypeId;
use crate::pg::access;
use crate::pg::error::{Error, UNDEFINED_TABLE};

/// The table of a type, qualified and quoted; an error if there is no such lake.
pub fn of_type(lake: &str, ty: TypeId) -> Result<String, Error> {
    let table = ty.name().to_lowercase();
    if !access::has_table(lake, &table) {
        return Err(Error::new(UNDEFINED_TABLE, format!("there is no lake \"{lake}\""))
            .hint("SELECT fhir.create_lake() makes one, fhir.lakes() lists them, SET fhir.lake chooses one"));
    }
    Ok(format!("{}.{}", access::quoted(lake), access::quoted(&table)))
}

/// The history of a lake, qualified and quoted.
pub fn history(lake: &str) -> String {
    format!("{}.history", access::quoted(lake))
}
