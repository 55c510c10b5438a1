//! `fhir.load_package`: the definitions of a package into the current lake, in one transaction.

use super::{Canonical, Chosen, Document, choose};
use crate::json::{self, Limits, Node, Parser};
use crate::load::files::FilesError;
use crate::load::journal::Journal;
use crate::load::line::{self, Rejected};
use crate::load::options::{Conflict, Format, OnError, Options};
use crate::load::sql::{MAX_LINE, existing_lake, may_read_files};
use crate::load::write::{Origin, Writer};
use crate::model::TypeId;
use crate::pg::access;
use crate::pg::error::{self, Error};
use crate::pg::function::{Call, Value};
use crate::pg::settings;
use crate::pg::spi::{Arg, connected};
use crate::pg::time::{self, check_for_interrupts};
use crate::sql_function;
use crate::store::interactions::tables;
use crate::store::{Refusal, Submitted, Version, stamp};
use std::path::Path;

sql_function!(fhir_load_package, load_package);

/// What a load does with definitions: those that are there under another version are left alone, and none is validated, as the
/// publisher answers for them.
const OPTIONS: Options = Options {
    on_error: OnError::Reject,
    max_errors: None,
    dry_run: false,
    conflict: Conflict::Upsert,
    keep_versions: false,
    format: Format::Json,
    resolve: false,
    count_dangling: false,
};

/// `fhir.load_package(path, examples)`
fn load_package(call: &Call) -> Result<Value, Error> {
    may_read_files()?;
    let (path, examples) = (Path::new(call.text(0)?), call.bool(1)?);
    if !path.is_absolute() {
        return Err(FilesError::Relative.into());
    }
    existing_lake()?;
    let mut load = Load::new(path)?;
    load.journal.read(0, super::files::size(path)?)?;
    let about = super::read(path, examples, |document| {
        check_for_interrupts();
        load.take(document)
    })?;
    load.writer.complete()?;
    load.journal.take(load.writer.take_outcomes())?;
    let mut rows = call.rows()?;
    // file, loaded, unchanged, rejected
    for row in load.journal.close()? {
        let counts = row.into_iter().skip(1).take(3);
        rows.add([about.name.as_str().into(), about.version.as_str().into()].into_iter().chain(counts));
    }
    Ok(Value::Null)
}

struct Load {
    lake: String,
    writer: Writer,
    journal: Journal,
    chosen: Chosen,
    parser: Parser,
    container: Vec<u8>,
    /// Files of the package so far.
    documents: u64,
    now: i64,
}

impl Load {
    fn new(path: &Path) -> Result<Load, Error> {
        let lake = settings::lake();
        Ok(Load {
            writer: Writer::new(lake.clone(), OPTIONS, None)?,
            journal: Journal::new(access::quoted(&lake), OPTIONS, [path.to_owned()]),
            lake,
            chosen: Chosen::default(),
            parser: Parser::new(Limits { max_bytes: MAX_LINE, ..Limits::default() }),
            container: Vec::new(),
            documents: 0,
            now: time::now(),
        })
    }

    fn take(&mut self, document: Document) -> Result<(), Error> {
        self.documents += 1;
        let origin = Origin { file: 0, line: self.documents, offset: 0 };
        let mut container = std::mem::take(&mut self.container);
        let taken = match self.parser.parse_into(&document.text, &mut container) {
            Ok(()) => self.resource(&container, &document.text, origin),
            Err(error) => Ok(Err(line::rejected(&document.text, &Refusal::from(error)))),
        };
        self.container = container;
        if let Err(mut rejected) = taken? {
            rejected.reason = format!("{}: {}", document.name, rejected.reason);
            self.journal.reject(origin, &rejected)?;
        }
        self.journal.take(self.writer.take_outcomes())
    }

    fn resource(&mut self, container: &[u8], text: &[u8], origin: Origin) -> Result<Result<(), Rejected>, Error> {
        let submitted = match Submitted::read(container, None) {
            Ok(submitted) => submitted,
            // a file that describes the package
            Err(Refusal::NoType) => return Ok(Ok(())),
            Err(refusal) => return Ok(Err(line::rejected(text, &refusal))),
        };
        let ty = submitted.ty;
        let refused = |reason: &str| Ok(Err(line::refused(text, reason)));
        let own = canonical(submitted.node);
        let id = match (submitted.id, &own) {
            (None, _) => {
                let random = time::random().ok_or_else(|| Error::new(error::INTERNAL, "no random numbers for an id"))?;
                submitted.id_or_new(self.now, random).into_owned()
            }
            (Some(id), Some(own)) => match choose(id, own, |id| self.taken(ty, id))? {
                Some(id) => id,
                None => return refused("the lake has too many definitions of that id"),
            },
            // an example: what somebody has stored under its id is not overwritten
            (Some(id), None) => match self.stored(ty, id)? {
                Some(stored) if !stamp::is_same(&stored, container) => return refused("the lake has another resource of that id"),
                _ => id.to_owned(),
            },
        };
        self.chosen.insert(ty.name(), id.clone(), own);
        match submitted.stamped(&id, Version::after(None, self.now)) {
            Ok(row) => self.writer.add(row, origin).map(Ok),
            Err(refusal) => Ok(Err(line::rejected(text, &refusal))),
        }
    }

    /// What stands under an id, in this package or in the lake.
    fn taken(&self, ty: TypeId, id: &str) -> Result<Option<Option<Canonical>>, Error> {
        if let Some(chosen) = self.chosen.get(ty.name(), id) {
            return Ok(Some(chosen.clone()));
        }
        Ok(self.stored(ty, id)?.map(|container| json::root(&container).and_then(canonical)))
    }

    fn stored(&self, ty: TypeId, id: &str) -> Result<Option<Vec<u8>>, Error> {
        let table = tables::of_type(&self.lake, ty)?;
        let select = format!(
            "SELECT r.resource FROM {table} AS r WHERE r.type OPERATOR(pg_catalog.=) $1 AND r.id OPERATOR(pg_catalog.=) $2"
        );
        connected(|sql| sql.jsonb(&select, &[Arg::Text(ty.name()), Arg::Text(id)]))
    }
}

fn canonical(resource: Node) -> Option<Canonical> {
    let text = |name: &str| resource.get(name).and_then(Node::as_str).map(str::to_owned);
    Some(Canonical { url: text("url")?, version: text("version") })
}
