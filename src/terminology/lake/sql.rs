//! Definitions out of a lake, read as the caller, and what a session remembers of them.
//!
//! A session keeps what it has read until the server tells of a change: the triggers of a lake send a message with the commit of whatever
//! writes definitions, and the server delivers it before the next statement. What was read by a snapshot that is older than the last
//! message serves that snapshot only. A caller who may not read all of what definitions are read from, by privileges or by policies, is
//! told what the queries of each call say: nothing is remembered beyond it.

use crate::pg::access;
use crate::pg::arrays;
use crate::pg::error::{self, Error};
use crate::pg::function;
use crate::pg::invalidation;
use crate::pg::plans::Lookups;
use crate::pg::snapshot::Age;
use crate::pg::spi::{Arg, Spi, connected};
use crate::json;
use crate::terminology::code_system::{CodeSystem, Kept};
use crate::terminology::membership::{self, Asked, Cache, Failure};
use crate::terminology::{Below, Finding, Limits, Membership, Shown, Source, Terminology};
use pgrx::pg_sys::Oid;
use std::any::Any;
use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt::Write;
use std::rc::Rc;
use std::sync::Arc;

const VALUE_SET: &str = "ValueSet";
const CODE_SYSTEM: &str = "CodeSystem";
const STRUCTURE_DEFINITION: &str = "StructureDefinition";
/// Everything that definitions are read from, beside the table of concepts. Who may not read all of it has nothing remembered for him.
const READ: [&str; 3] = [VALUE_SET, CODE_SYSTEM, STRUCTURE_DEFINITION];

/// A code system with more concepts than this is not read as a whole without need.
const LARGE: i64 = 2_000;
/// A compiled profile. What it is, only the validator knows.
pub type Made = Arc<dyn Any + Send + Sync>;

/// Compiled profiles that a session remembers for a lake; those of a package are some hundreds.
const MAX_PROFILES: usize = 4_000;
/// About how much memory whole code systems may take.
const MAX_BYTES: usize = 128 << 20;
/// Lakes, as users see them, that a session remembers definitions of.
const MAX_SESSIONS: usize = 4;

/// Definitions of a lake that were read before.
#[derive(Default)]
struct Known {
    systems: HashMap<(String, Option<String>), Option<Rc<CodeSystem>>>,
    /// Systems that are kept apart, with all their concepts.
    wholes: HashMap<String, Rc<CodeSystem>>,
    /// What others made of definitions, by canonical; `None` for one that the lake does not have.
    profiles: HashMap<String, Option<Made>>,
    bytes: usize,
}

/// What a session remembers for one lake and user.
#[derive(Default)]
struct Session {
    cache: Cache,
    known: Known,
}

struct Sessions {
    /// What holds as of the last change.
    current: HashMap<(Oid, Oid), (u64, Age, Session)>,
    /// What holds for one snapshot, or within one call.
    passing: Option<(Passing, Session)>,
}

#[derive(Clone, Copy, PartialEq)]
struct Passing {
    lake: Oid,
    user: Oid,
    age: Option<Age>,
    generation: u64,
    /// The call that it holds within; `None` where it holds for the snapshot.
    call: Option<u64>,
}

thread_local! {
    static SESSIONS: RefCell<Sessions> = RefCell::new(Sessions { current: HashMap::new(), passing: None });
}

/// Works on the definitions of a lake with what the session knows of them.
pub fn with<T>(sql: &Spi, lake: &str, work: impl FnOnce(&mut Lake, &mut Cache) -> Result<T, Error>) -> Result<T, Error> {
    let Some(value_sets) = access::table_named(lake, &VALUE_SET.to_lowercase()) else {
        return Err(Error::new(error::UNDEFINED_TABLE, format!("there is no lake \"{lake}\""))
            .hint("SELECT fhir.create_lake() makes one, fhir.lakes() lists them, SET fhir.lake chooses one"));
    };
    let concepts = access::table_named(lake, "concept");
    let on = |session: Session| {
        let Session { mut cache, known } = session;
        let may_read_concepts = concepts.is_some_and(access::may_read);
        let mut lake = Lake { sql, name: access::quoted(lake), has_concepts: concepts.is_some(), may_read_concepts, known };
        let result = work(&mut lake, &mut cache);
        let mut known = lake.known;
        if known.bytes > MAX_BYTES {
            known = Known::default();
        }
        (result, Session { cache, known })
    };
    // A lake that an older version made tells nobody of changes.
    let Some(concepts) = concepts else { return on(Session::default()).0 };
    let (generation, user, age) = (invalidation::generation_of(concepts), access::user(), Age::of_statement());
    // Asked each time, as the server tells nobody of a change of privileges or of what a policy depends on.
    let is_limited = is_limited(lake, value_sets, concepts);
    let key = (concepts, user);
    // Taken out while it is worked on: a policy may come back here.
    let known = SESSIONS.with_borrow_mut(|sessions| sessions.current.remove(&key)).filter(|(known, ..)| *known == generation);
    let since = match &known {
        _ if is_limited => None,
        Some((_, since, _)) => Some(*since),
        None => Age::now()?,
    };
    let reaches = since.zip(age).filter(|(since, age)| age.reaches(*since));
    if let Some((since, _)) = reaches {
        let (result, session) = on(known.map(|(.., session)| session).unwrap_or_default());
        if result.is_ok() {
            SESSIONS.with_borrow_mut(|sessions| {
                if sessions.current.len() >= MAX_SESSIONS {
                    sessions.current.clear();
                }
                sessions.current.insert(key, (generation, since, session));
            });
        }
        return result;
    }
    let call = function::running();
    if is_limited && call.is_none() {
        return on(Session::default()).0;
    }
    let passing = Passing { lake: concepts, user, age, generation, call: call.filter(|_| is_limited) };
    let session = SESSIONS.with_borrow_mut(|sessions| {
        if let Some(known) = known {
            sessions.current.insert(key, known);
        }
        sessions.passing.take().filter(|(held, _)| *held == passing)
    });
    let (result, session) = on(session.map(|(_, session)| session).unwrap_or_default());
    if result.is_ok() {
        SESSIONS.with_borrow_mut(|sessions| sessions.passing = Some((passing, session)));
    }
    result
}

/// Whether privileges or policies keep the current user from anything that definitions are read from.
fn is_limited(lake: &str, value_sets: Oid, concepts: Oid) -> bool {
    let is_open = |table: Oid| access::may_read(table) && !access::has_policies(table);
    !(access::may_use_schema_of(value_sets) && is_open(concepts))
        || READ.iter().any(|ty| !access::table_named(lake, &ty.to_lowercase()).is_some_and(is_open))
}

/// [`Terminology`] of a lake.
pub struct OfLake {
    lake: String,
}

impl OfLake {
    pub fn new(lake: impl Into<String>) -> OfLake {
        OfLake { lake: lake.into() }
    }

    fn ask<T>(&self, work: impl FnOnce(&mut Lake, &mut Cache, &Limits) -> Result<T, Error>) -> Result<T, Failure> {
        Ok(connected(|sql| with(sql, &self.lake, |lake, cache| work(lake, cache, &Limits::default())))?)
    }
}

impl Terminology for OfLake {
    fn contains(&self, value_set: &str, system: Option<&str>, version: Option<&str>, code: &str) -> Result<Membership, Failure> {
        self.ask(|lake, cache, limits| membership::contains(lake, cache, limits, value_set, Asked { system, version, code }))
    }

    fn has_code(&self, system: &str, version: Option<&str>, code: &str) -> Result<Membership, Failure> {
        self.ask(|lake, cache, limits| membership::has_code(lake, cache, limits, system, version, code))
    }

    fn coding(&self, asked: Shown<'_>) -> Result<Finding, Failure> {
        self.ask(|lake, cache, limits| membership::coding(lake, cache, limits, asked))
    }

    fn display(&self, system: &str, version: Option<&str>, code: &str) -> Result<Option<String>, Failure> {
        self.ask(|lake, cache, limits| membership::display(lake, cache, limits, system, version, code))
    }
}

/// The definitions that a lake stores.
pub struct Lake<'a> {
    pub sql: &'a Spi,
    /// Quoted.
    pub name: String,
    /// Whether it has a table of concepts, as one that an older version made has not.
    has_concepts: bool,
    may_read_concepts: bool,
    known: Known,
}

impl Lake<'_> {
    /// The rest of a query for the definition of that url: of several the highest version, of several with one version the latest
    /// written. `$1` is the search, `$2` the url, `$3` the version.
    pub fn newest(&self, ty: &str, version: Option<&str>) -> String {
        let versioned = if version.is_some() { "AND d.resource OPERATOR(pg_catalog.->>) 'version' OPERATOR(pg_catalog.=) $3" } else { "" };
        format!(
            "FROM {}.{} d WHERE d.search OPERATOR(fhir.|=) $1::fhir.query \
             AND d.resource OPERATOR(pg_catalog.->>) 'url' OPERATOR(pg_catalog.=) $2 {versioned} \
             ORDER BY d.resource OPERATOR(pg_catalog.->>) 'version' COLLATE \"C\" DESC NULLS LAST, d.last_updated DESC LIMIT 1",
            self.name,
            access::quoted(&ty.to_lowercase()),
        )
    }

    /// Runs a query that ends as [`Lake::newest`] says; the number of its rows.
    pub fn find(&self, select: &str, ty: &str, url: &str, version: Option<&str>) -> Result<usize, Error> {
        if !READ.contains(&ty) {
            return Err(Error::new(error::INTERNAL, "definitions of that type are not read with the rights of the caller"));
        }
        if url.is_empty() {
            return Ok(0); // as a search it would be malformed
        }
        let search = format!("{ty}?url={}", argument(url));
        let mut args = vec![Arg::Text(&search), Arg::Text(url)];
        args.extend(version.map(Arg::Text));
        self.sql.select(&format!("SELECT {select} {}", self.newest(ty, version)), &args)
    }

    /// The newest resource of that type and url, or of that version.
    pub fn definition(&self, ty: &str, url: &str, version: Option<&str>) -> Result<Option<Vec<u8>>, Error> {
        Ok(if self.find("d.resource", ty, url, version)? > 0 { self.sql.container(0, 1).map(<[u8]>::to_vec) } else { None })
    }

    /// The designations of codes of a system, where they have any: containers of `CodeSystem.concept.designation`.
    pub fn designations(&self, id: &str, codes: &[&str]) -> Result<Vec<(String, Vec<u8>)>, Error> {
        if !self.has_concepts {
            return Ok(Vec::new());
        }
        let select = format!(
            "SELECT c.code, c.designations FROM {}.concept c WHERE c.code_system OPERATOR(pg_catalog.=) $1 \
             AND c.key OPERATOR(pg_catalog.=) ANY (ARRAY(SELECT k FROM pg_catalog.unnest($2) u (k) UNION SELECT pg_catalog.lower(k) FROM pg_catalog.unnest($2) u (k))) \
             AND c.designations IS NOT NULL",
            self.name
        );
        let count = self.sql.select(&select, &[Arg::Text(id), Arg::Datum(pgrx::pg_sys::TEXTARRAYOID, arrays::text_array(codes))])?;
        Ok((0..count).filter_map(|row| Some((self.sql.text(row, 1)?.to_owned(), self.sql.container(row, 2)?.to_vec()))).collect())
    }

    /// What is known of a profile: that there is none, too.
    pub fn profile(&self, canonical: &str) -> Option<Option<Made>> {
        self.known.profiles.get(canonical).cloned()
    }

    pub fn keep_profile(&mut self, canonical: String, profile: Option<Made>) {
        if self.known.profiles.len() >= MAX_PROFILES {
            self.known.profiles.clear();
        }
        self.known.profiles.insert(canonical, profile);
    }

    fn read_system(&self, url: &str, version: Option<&str>) -> Result<Option<CodeSystem>, Error> {
        if !self.may_read_concepts {
            let found = self.definition(CODE_SYSTEM, url, version)?;
            let is_listed = |container: &[u8]| json::root(container).is_some_and(|root| root.get("concept").is_some());
            match found {
                // what is only in the table is asked for there, whatever comes of it
                Some(container) if self.has_concepts && !is_listed(&container) => {}
                found => return Ok(found.and_then(|container| CodeSystem::read(&container))),
            }
        }
        // whether it lists its concepts, and how many there are beside it
        let select = format!(
            "d.resource, d.id, (SELECT c.place FROM {}.concept c WHERE c.code_system OPERATOR(pg_catalog.=) d.id ORDER BY c.place DESC LIMIT 1)::pg_catalog.int8",
            self.name
        );
        if self.find(&select, CODE_SYSTEM, url, version)? == 0 {
            return Ok(None);
        }
        let (Some(container), Some(id)) = (self.sql.container(0, 1), self.sql.text(0, 2)) else { return Ok(None) };
        let is_listed = json::root(container).is_some_and(|root| root.get("concept").is_some());
        Ok(match self.sql.number(0, 3) {
            Some(last) if last >= LARGE || !is_listed => CodeSystem::head(container, id),
            _ => CodeSystem::read(container),
        })
    }

    /// The rows of the last query as concepts of a system: code, display, definition, properties, place, parents, designations.
    fn kept<'s>(&'s self, count: usize) -> impl Iterator<Item = Kept<'s>> {
        (0..count).filter_map(|row| {
            Some(Kept {
                code: self.sql.text(row, 1)?,
                display: self.sql.text(row, 2),
                definition: self.sql.text(row, 3),
                properties: self.sql.container(row, 4).and_then(json::root),
                designations: self.sql.container(row, 7).and_then(json::root),
                place: self.sql.cell(row, 5)?.value() as i32,
                // SAFETY: the column is an integer[].
                #[allow(unsafe_code)]
                parents: self.sql.cell(row, 6).map(|datum| unsafe { arrays::ints(datum) }).unwrap_or_default(),
            })
        })
    }
}

impl Source for Lake<'_> {
    type Error = Error;

    fn value_set(&mut self, url: &str, version: Option<&str>) -> Result<Option<Vec<u8>>, Error> {
        self.definition(VALUE_SET, url, version)
    }

    fn value_set_by_id(&mut self, id: &str) -> Result<Option<Vec<u8>>, Error> {
        let table = access::quoted(&VALUE_SET.to_lowercase());
        let select = format!(
            "SELECT d.resource FROM {}.{table} d WHERE d.type OPERATOR(pg_catalog.=) '{VALUE_SET}' AND d.id OPERATOR(pg_catalog.=) $1",
            self.name
        );
        self.sql.jsonb(&select, &[Arg::Text(id)])
    }

    fn code_system(&mut self, url: &str, version: Option<&str>) -> Result<Option<Rc<CodeSystem>>, Error> {
        let key = (url.to_owned(), version.map(str::to_owned));
        if let Some(known) = self.known.systems.get(&key) {
            return Ok(known.clone());
        }
        let system = self.read_system(url, version)?.map(Rc::new);
        self.known.bytes += 200 + system.as_deref().map_or(0, CodeSystem::size);
        self.known.systems.insert(key, system.clone());
        Ok(system)
    }

    fn part(&mut self, system: &Rc<CodeSystem>, codes: &[&str]) -> Result<Rc<CodeSystem>, Error> {
        let Some(id) = system.apart() else { return Ok(system.clone()) };
        let table = format!("{}.concept", self.name);
        let select = format!(
            "WITH RECURSIVE above (place, parents) AS (SELECT c.place, c.parents FROM {table} c \
                 WHERE c.code_system OPERATOR(pg_catalog.=) $1 AND c.key OPERATOR(pg_catalog.=) ANY ($2) \
                 UNION SELECT c.place, c.parents FROM above a CROSS JOIN LATERAL pg_catalog.unnest(a.parents) p (place) \
                 JOIN {table} c ON c.code_system OPERATOR(pg_catalog.=) $1 AND c.place OPERATOR(pg_catalog.=) p.place) \
             SELECT c.code, c.display, c.definition, c.properties, c.place, c.parents, c.designations FROM above a \
             JOIN {table} c ON c.code_system OPERATOR(pg_catalog.=) $1 AND c.place OPERATOR(pg_catalog.=) a.place ORDER BY c.place"
        );
        let _plan = Lookups::begin();
        let keys: Vec<_> = codes.iter().map(|code| system.key(code)).collect();
        let keys: Vec<&str> = keys.iter().map(|key| &**key).collect();
        let count = self.sql.select(&select, &[Arg::Text(id), Arg::Datum(pgrx::pg_sys::TEXTARRAYOID, arrays::text_array(&keys))])?;
        Ok(Rc::new(system.with(self.kept(count))))
    }

    fn whole(&mut self, system: &Rc<CodeSystem>) -> Result<Rc<CodeSystem>, Error> {
        let Some(id) = system.apart() else { return Ok(system.clone()) };
        if let Some(known) = self.known.wholes.get(id) {
            return Ok(known.clone());
        }
        let select = format!(
            "SELECT c.code, c.display, c.definition, c.properties, c.place, c.parents, c.designations FROM {}.concept c \
             WHERE c.code_system OPERATOR(pg_catalog.=) $1 ORDER BY c.place",
            self.name
        );
        let count = self.sql.select(&select, &[Arg::Text(id)])?;
        let whole = Rc::new(system.with(self.kept(count)));
        self.known.bytes += whole.size();
        self.known.wholes.insert(id.to_owned(), whole.clone());
        Ok(whole)
    }

    fn below(&mut self, system: &Rc<CodeSystem>, code: &str, limit: usize) -> Result<Option<Vec<Below>>, Error> {
        let Some(id) = system.apart() else { return Ok(None) };
        let table = format!("{}.concept", self.name);
        // in the form of one statement for each range, which the index of places serves
        let select = format!(
            "SELECT c.code, c.is_abstract, c.is_inactive FROM {table} s \
             CROSS JOIN LATERAL (SELECT COALESCE(s.below, ARRAY[s.place, s.place]) AS below) r \
             CROSS JOIN LATERAL pg_catalog.generate_series(1, pg_catalog.array_length(r.below, 1), 2) i (i) \
             JOIN {table} c ON c.code_system OPERATOR(pg_catalog.=) $1 \
                 AND c.place OPERATOR(pg_catalog.>=) r.below[i.i] AND c.place OPERATOR(pg_catalog.<=) r.below[i.i OPERATOR(pg_catalog.+) 1] \
             WHERE s.code_system OPERATOR(pg_catalog.=) $1 AND s.key OPERATOR(pg_catalog.=) $2 LIMIT $3"
        );
        let _plan = Lookups::begin();
        let limit = i64::try_from(limit.saturating_add(1)).unwrap_or(i64::MAX);
        let count = self.sql.select(&select, &[Arg::Text(id), Arg::Text(&system.key(code)), Arg::Int(limit)])?;
        let found = (0..count).filter_map(|row| {
            Some(Below { code: self.sql.text(row, 1)?.to_owned(), is_abstract: self.sql.is_true(row, 2), is_inactive: self.sql.is_true(row, 3) })
        });
        let found: Vec<Below> = found.collect();
        Ok((!found.is_empty()).then_some(found))
    }
}

/// A value of a search that stands for exactly this text.
fn argument(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, ',' | '|' | '$' | '\\') {
            out.push_str("%5C");
        }
        for byte in c.encode_utf8(&mut [0; 4]).bytes() {
            if byte.is_ascii_alphanumeric() {
                out.push(byte as char);
            } else {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    out
}
