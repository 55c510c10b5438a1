//! The triggers of the view `ndjson`: one function, fired before a statement, instead of each of its rows, and after it.
//!
//! What a statement has collected lies on a stack, for a statement may run within another. It goes with the subtransaction that the
//! statement runs in, whatever becomes of it; and nothing is committed while a statement is not through.

use crate::json::Limits;
use crate::load::line::{self, Rejected};
use crate::load::lines::MAX_LINE;
use crate::model::TypeId;
use crate::pg::access;
use crate::pg::arrays::jsonb_array;
use crate::pg::bulk::Tables;
use crate::pg::error::{self, Error};
use crate::pg::function::{Call, Value};
use crate::pg::memory::{self, Scratch};
use crate::pg::settings::{self, OnError, Validation};
use crate::pg::spi::{Arg, connected};
use crate::pg::time;
use crate::pg::transaction;
use crate::pg::trigger::{Event, Row, Trigger};
use crate::sql_function;
use crate::store::{Stamped, accepted};
use pgrx::pg_sys;
use pgrx::pg_sys::Oid;
use std::cell::RefCell;
use std::collections::{BTreeMap, HashSet};

/// Lines and bytes in a batch, whichever comes first.
const BATCH_LINES: usize = 1000;
const BATCH_BYTES: usize = 8 * 1024 * 1024;

sql_function!(fhir_take_lines, take_lines);

thread_local! {
    /// Statements under way, the innermost last.
    static STATEMENTS: RefCell<Vec<Statement>> = const { RefCell::new(Vec::new()) };
}

/// Lines of one statement on their way in.
struct Statement {
    /// Tells it from all others of the session.
    number: u64,
    view: Oid,
    lake: String,
    /// Its last column that is not dropped is the line.
    column: i32,
    validated: bool,
    on_error: OnError,
    lines: u64,
    bytes: u64,
    /// The row of `load`, from the first batch on.
    load: Option<i64>,
    count: Count,
    batch: Batch,
    tables: Tables,
}

#[derive(Clone, Copy, Default)]
struct Count {
    loaded: i64,
    unchanged: i64,
    rejected: i64,
}

#[derive(Default)]
struct Batch {
    rows: BTreeMap<TypeId, Vec<Stamped>>,
    rejected: Vec<(u64, u64, Rejected)>,
    lines: usize,
    bytes: usize,
}

fn take_lines(call: &Call) -> Result<Value, Error> {
    let trigger = call.trigger()?;
    match (trigger.event, trigger.is_row, trigger.is_before) {
        (Event::Insert, false, true) => begin(&trigger).map(|()| trigger.done()),
        (Event::Insert, true, _) if trigger.is_instead => {
            let mut statement = innermost(&trigger)?;
            let row = trigger.new().ok_or_else(wrong_trigger)?;
            let taken = statement.take(row);
            let taken = taken.and_then(|taken| statement.write_if_full().map(|()| taken));
            back(statement, taken).map(|taken| if taken { trigger.pass(row) } else { trigger.done() })
        }
        (Event::Insert, false, false) => innermost(&trigger)?.finish().map(|()| trigger.done()),
        _ => Err(wrong_trigger()),
    }
}

fn wrong_trigger() -> Error {
    Error::new(error::WRONG_TRIGGER, "fhir.take_lines() is a trigger of a view ndjson, for INSERT").hint("fhir.create_lake makes it")
}

fn begin(trigger: &Trigger) -> Result<(), Error> {
    let schema = access::schema_name(trigger.schema()).ok_or_else(wrong_trigger)?;
    let number = time::random().map(u64::from_ne_bytes).ok_or_else(|| Error::new(error::INTERNAL, "no random numbers"))?;
    let statement = Statement {
        number,
        view: trigger.table(),
        lake: schema,
        column: trigger.column("line", pg_sys::TEXTOID)?,
        validated: settings::validation() == Validation::structure,
        on_error: settings::load_on_error(),
        lines: 0,
        bytes: 0,
        load: None,
        count: Count::default(),
        batch: Batch::default(),
        tables: Tables::default(),
    };
    memory::at_end_of_subtransaction(move || STATEMENTS.with_borrow_mut(|stack| stack.retain(|statement| statement.number != number)));
    transaction::refuse_commit_while(|| STATEMENTS.with_borrow(|stack| !stack.is_empty()).then_some("lines for view \"ndjson\" were not all taken"));
    STATEMENTS.with_borrow_mut(|stack| stack.push(statement));
    Ok(())
}

/// Takes the innermost statement from the stack, for what it does may begin another.
fn innermost(trigger: &Trigger) -> Result<Statement, Error> {
    STATEMENTS.with_borrow_mut(|stack| stack.pop_if(|statement| statement.view == trigger.table())).ok_or_else(|| {
        Error::new(error::NOT_IN_STATE, "view \"ndjson\" has lost a trigger").hint("fhir.upgrade_lake restores it")
    })
}

fn back<T>(statement: Statement, result: Result<T, Error>) -> Result<T, Error> {
    if result.is_ok() {
        STATEMENTS.with_borrow_mut(|stack| stack.push(statement));
    }
    result
}

impl Statement {
    /// Whether the line was good. An empty one is passed over.
    fn take(&mut self, row: Row) -> Result<bool, Error> {
        let text = row.text(self.column).unwrap_or_default().as_bytes();
        let offset = self.bytes;
        self.lines += 1;
        self.bytes += text.len() as u64 + 1;
        let text = if self.lines == 1 { text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(text) } else { text }.trim_ascii();
        if text.is_empty() {
            return Ok(false);
        }
        self.batch.lines += 1;
        match self.stamped(text)? {
            Ok(row) => {
                self.batch.bytes += row.resource.len() + row.keys.len();
                self.batch.rows.entry(row.ty).or_default().push(row);
                Ok(true)
            }
            Err(rejected) if self.on_error == OnError::stop => {
                let error = Error::new(error::BAD_COPY_FORMAT, format!("line {}: {}", self.lines, rejected.reason));
                Err(error.hint("with SET fhir.load_on_error = reject, such lines go to load_error and the others are loaded"))
            }
            Err(rejected) => {
                self.batch.bytes += rejected.text.len() + rejected.reason.len();
                self.batch.rejected.push((self.lines, offset, rejected));
                Ok(false)
            }
        }
    }

    fn stamped(&self, text: &[u8]) -> Result<Result<Stamped, Rejected>, Error> {
        if text.len() > MAX_LINE {
            return Ok(Err(line::too_long(text, MAX_LINE)));
        }
        let limits = Limits { max_bytes: MAX_LINE, ..Limits::default() };
        Ok(match line::read(text, &limits, self.validated) {
            Ok(accepted) => {
                let random = time::random().ok_or_else(|| Error::new(error::INTERNAL, "no random numbers for an id"))?;
                Ok(Stamped::first(&accepted.container, time::now(), random)?)
            }
            Err(rejected) => Err(rejected),
        })
    }

    fn write_if_full(&mut self) -> Result<(), Error> {
        if self.batch.lines >= BATCH_LINES || self.batch.bytes >= BATCH_BYTES { self.write() } else { Ok(()) }
    }

    fn write(&mut self) -> Result<(), Error> {
        let batch = std::mem::take(&mut self.batch);
        if batch.lines == 0 {
            return Ok(());
        }
        let scratch = Scratch::new(c"fhirlake lines");
        let _memory = scratch.enter();
        for (ty, rows) in &batch.rows {
            self.write_type(*ty, rows)?;
        }
        let load = self.load_number()?;
        self.count.rejected += batch.rejected.len() as i64;
        for (line, offset, rejected) in &batch.rejected {
            self.write_error(load, *line, *offset, rejected)?;
        }
        Ok(())
    }

    fn write_type(&mut self, ty: TypeId, rows: &[Stamped]) -> Result<(), Error> {
        let name = ty.name().to_lowercase();
        let table = access::table_named(&self.lake, &name)
            .ok_or_else(|| Error::new(error::UNDEFINED_TABLE, format!("lake \"{}\" has no table \"{name}\"", self.lake)))?;
        let mut rest: Vec<&Stamped> = match self.tables.insert(table, rows)? {
            Some(refused) => {
                self.count.loaded += (rows.len() - refused.len()) as i64;
                refused.into_iter().filter_map(|number| rows.get(number)).collect()
            }
            None => rows.iter().collect(),
        };
        // An id may stand only once in a statement; the later one comes in the next, so that it supersedes the earlier.
        while !rest.is_empty() {
            let mut seen = HashSet::new();
            let (now, later): (Vec<&Stamped>, Vec<&Stamped>) = rest.into_iter().partition(|row| seen.insert(row.id.as_str()));
            let changed = self.insert(&name, &now)?;
            self.count.loaded += changed;
            self.count.unchanged += now.len() as i64 - changed;
            rest = later;
        }
        Ok(())
    }

    /// Through the executor and the triggers; how many rows were new or changed.
    fn insert(&self, table: &str, rows: &[&Stamped]) -> Result<i64, Error> {
        let insert = format!(
            "INSERT INTO {}.{} AS r (resource) SELECT u.resource FROM pg_catalog.unnest($1) AS u (resource) \
             ON CONFLICT (type, id) DO UPDATE SET resource = EXCLUDED.resource \
             WHERE NOT fhir.same_resource(r.resource, EXCLUDED.resource)",
            access::quoted(&self.lake),
            access::quoted(table)
        );
        let valid = accepted::Batch::begin();
        if self.validated {
            rows.iter().for_each(|row| valid.accept(&row.resource));
        }
        let containers: Vec<Vec<u8>> = rows.iter().map(|row| row.resource.clone()).collect();
        let array = jsonb_array(&containers);
        connected(|sql| Ok(sql.run(&insert, &[Arg::Datum(pg_sys::JSONBARRAYOID, array)])? as i64))
    }

    /// The row of `load` that stands for this statement.
    fn load_number(&mut self) -> Result<i64, Error> {
        if let Some(number) = self.load {
            return Ok(number);
        }
        let insert = format!("INSERT INTO {}.load (file) VALUES ($1) RETURNING id", access::quoted(&self.lake));
        let number = connected(|sql| sql.int(&insert, &[Arg::Text("ndjson")], false))?
            .ok_or_else(|| Error::new(error::INTERNAL, "a load got no number"))?;
        self.load = Some(number);
        Ok(number)
    }

    fn write_error(&self, load: i64, line: u64, offset: u64, rejected: &Rejected) -> Result<(), Error> {
        let insert = format!(
            "INSERT INTO {}.load_error (load, line, byte_offset, file, expression, reason, text) VALUES ($1, $2, $3, $4, $5, $6, $7)",
            access::quoted(&self.lake)
        );
        let expression = rejected.expression.as_deref().map_or(Arg::Null(pg_sys::TEXTOID), Arg::Text);
        let args = [
            Arg::Int(load),
            Arg::Int(line as i64),
            Arg::Int(offset as i64),
            Arg::Text("ndjson"),
            expression,
            Arg::Text(&rejected.reason),
            Arg::Text(&rejected.text),
        ];
        connected(|sql| sql.run(&insert, &args).map(drop))
    }

    fn finish(mut self) -> Result<(), Error> {
        self.write()?;
        self.tables.finish()?;
        let Some(load) = self.load else { return Ok(()) };
        let update = format!(
            "UPDATE {}.load SET loaded = $2, unchanged = $3, rejected = $4, finished = pg_catalog.clock_timestamp() \
             WHERE id OPERATOR(pg_catalog.=) $1",
            access::quoted(&self.lake)
        );
        connected(|sql| sql.run(&update, &[load, self.count.loaded, self.count.unchanged, self.count.rejected].map(Arg::Int)))?;
        Ok(())
    }
}
