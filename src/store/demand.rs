//! What a lake demands of what is written into it: `fhir.set_validation`.

use super::{Refusal, accepted};
use crate::json;
use crate::model::TypeId;
use crate::path::reference::resource_type;
use crate::pg::access::{self, AsOwner};
use crate::pg::arrays::texts;
use crate::pg::error::{self, Error, warning};
use crate::pg::function::{Call, Value};
use crate::pg::spi::{Arg, connected};
use crate::pg::trigger::Event;
use crate::sql_function;
use crate::validate::{Level, MAX_ISSUES, refused};
use pgrx::pg_sys;
use pgrx::pg_sys::Oid;
use std::collections::HashMap;

sql_function!(fhir_check_validity, check_validity);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    Warn,
    Enforce,
}

/// What is demanded of resources of one type.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Demand {
    pub mode: Mode,
    pub level: Level,
    pub profiles: Vec<String>,
}

impl Demand {
    fn read(words: impl IntoIterator<Item = String>) -> Option<Demand> {
        let mut words = words.into_iter();
        let mode = match words.next()?.as_str() {
            "warn" => Mode::Warn,
            "enforce" => Mode::Enforce,
            _ => return None,
        };
        Some(Demand { mode, level: Level::named(&words.next()?)?, profiles: words.collect() })
    }

    /// The refusal of a resource that does not meet it; what is only to be warned of is told.
    fn refusal(&self, lake: &str, ty: TypeId, id: &str, resource: &[u8]) -> Result<Option<Refusal>, Error> {
        let Some(node) = json::root(resource) else { return Ok(None) };
        let issues = refused(lake, node, self.level, &self.profiles, MAX_ISSUES)?;
        if issues.is_empty() {
            return Ok(None);
        }
        let refusal = Refusal::Invalid { ty: ty.name(), issues };
        if self.mode == Mode::Warn {
            warning(&format!("{}/{id} is not valid: {}", ty.name(), refusal.listed().unwrap_or_default()));
            return Ok(None);
        }
        Ok(Some(refusal))
    }
}

/// BEFORE INSERT OR UPDATE, each row, behind the stamp.
fn check_validity(call: &Call) -> Result<Value, Error> {
    let trigger = call.trigger()?;
    let (true, true, Some(new)) = (trigger.is_before, trigger.is_row, trigger.new()) else {
        return Err(Error::new(error::WRONG_TRIGGER, "fhir.check_validity() is a trigger BEFORE INSERT OR UPDATE FOR EACH ROW"));
    };
    let wrong = || Error::new(error::WRONG_TRIGGER, "fhir.check_validity() needs a mode and a level").hint("fhir.set_validation makes this trigger");
    let demand = Demand::read(trigger.arguments()).ok_or_else(wrong)?;
    let column = trigger.column("resource", pg_sys::JSONBOID)?;
    let (Some(resource), Some(schema)) = (new.jsonb(column), access::schema_name(trigger.schema())) else { return Ok(trigger.unchanged(new)) };
    let is_same = trigger.event == Event::Update && trigger.old().and_then(|old| old.jsonb(column)) == Some(resource);
    if is_same || accepted::row_of(resource).is_some() {
        return Ok(trigger.unchanged(new));
    }
    let (ty, id) = (new.text(trigger.column("type", pg_sys::TEXTOID)?), new.text(trigger.column("id", pg_sys::TEXTOID)?));
    let ty = resource_type(ty.unwrap_or_default()).ok_or_else(wrong)?;
    let _owner = definitions_of(&schema).map(|definitions| AsOwner::for_check(trigger.table(), definitions)).transpose()?;
    match demand.refusal(&schema, ty, id.unwrap_or_default(), resource)? {
        Some(refusal) => {
            let level = demand.level.name();
            Err(Error::from(refusal).hint(format!("SELECT * FROM fhir.issues(resource, '{level}', …) lists everything that is wrong; fhir.validation() shows what is demanded")))
        }
        None => Ok(trigger.unchanged(new)),
    }
}

/// A table of definitions: it belongs to the role that may read them all.
fn definitions_of(lake: &str) -> Option<Oid> {
    access::table_named(lake, "structuredefinition")
}

/// What is demanded of the rows of a load: by the lake, and by the load itself.
pub struct Demands {
    lake: String,
    of_lake: HashMap<TypeId, Demand>,
    of_load: Option<Demand>,
}

impl Demands {
    /// `level` is what the load asks for beyond what its threads have checked.
    pub fn of(lake: &str, level: Option<Level>) -> Result<Demands, Error> {
        let mut of_lake = HashMap::new();
        connected(|sql| {
            let query = "SELECT v.type, v.mode, v.level, v.profiles FROM fhir.validation($1) v WHERE v.mode OPERATOR(pg_catalog.<>) 'off'";
            for row in 0..sql.select(query, &[Arg::Text(lake)])? {
                let words = [sql.text(row, 2), sql.text(row, 3)].into_iter().flatten().map(str::to_owned);
                // SAFETY: the column is a text[].
                let profiles = sql.cell(row, 4).map(|array| unsafe { texts(array) }).unwrap_or_default().into_iter().map(str::to_owned);
                if let Some((ty, demand)) = sql.text(row, 1).and_then(resource_type).zip(Demand::read(words.chain(profiles))) {
                    of_lake.insert(ty, demand);
                }
            }
            Ok(())
        })?;
        let of_load = level.map(|level| Demand { mode: Mode::Enforce, level, profiles: Vec::new() });
        Ok(Demands { lake: lake.to_owned(), of_lake, of_load })
    }

    /// Why a resource is not stored; `None` where nothing is against it.
    pub fn refusal(&self, ty: TypeId, id: &str, resource: &[u8]) -> Result<Option<Refusal>, Error> {
        let of_lake = self.of_lake.get(&ty);
        if of_lake.is_none() && self.of_load.is_none() {
            return Ok(None);
        }
        if let Some(demand) = &self.of_load
            && let Some(refusal) = demand.refusal(&self.lake, ty, id, resource)?
        {
            return Ok(Some(refusal));
        }
        let Some(demand) = of_lake else { return Ok(None) };
        let table = access::table_named(&self.lake, &ty.name().to_lowercase());
        let _owner = table.zip(definitions_of(&self.lake)).map(|(table, definitions)| AsOwner::for_check(table, definitions)).transpose()?;
        demand.refusal(&self.lake, ty, id, resource)
    }
}
