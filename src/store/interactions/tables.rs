//! The tables of a lake as statements name them.

use crate::model::TypeId;
use crate::pg::access;
use crate::pg::error::{Error, UNDEFINED_TABLE};
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

thread_local! {
    /// Statements by type, each with the lake it was last written for.
    static READS: RefCell<HashMap<TypeId, (String, Rc<str>)>> = RefCell::default();
}

/// The statement that reads a resource of that type, as `write` makes it from the name of the table; kept, because to write it
/// takes a tenth of the time that reading takes.
pub fn read(lake: &str, ty: TypeId, write: impl FnOnce(&str) -> String) -> Result<Rc<str>, Error> {
    let kept = READS.with_borrow(|reads| reads.get(&ty).filter(|(of, _)| of == lake).map(|(_, statement)| statement.clone()));
    if let Some(statement) = kept {
        return Ok(statement);
    }
    let statement: Rc<str> = write(&of_type(lake, ty)?).into();
    READS.with_borrow_mut(|reads| reads.insert(ty, (lake.to_owned(), statement.clone())));
    Ok(statement)
}

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
