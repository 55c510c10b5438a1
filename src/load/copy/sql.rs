//! The triggers of the view `ndjson`: one function, fired before a statement, instead of each of its rows, and after it.
//!
//! What a statement has collected lies on a stack, for a statement may run within another. It goes with the subtransaction that the
//! statement runs in, whatever becomes of it; and nothing is committed while a statement is not through.

use crate::load::line::{self, Rejected};
use crate::load::sql::MAX_LINE;
use crate::load::work::{Ids, Work, Worker};
use crate::load::options::{self, Options};
use crate::load::write::{Origin, Outcomes, Writer};
use crate::path::sql::Server;
use crate::pg::access;
use crate::pg::error::{self, Error};
use crate::pg::function::{Call, Value};
use crate::pg::memory;
use crate::pg::settings::{self, OnError, Validation};
use crate::pg::spi::{Arg, connected};
use crate::pg::time;
use crate::pg::transaction;
use crate::pg::trigger::{Event, Row, Trigger};
use crate::sql_function;
use crate::validate::Level;
use pgrx::pg_sys;
use pgrx::pg_sys::Oid;
use std::cell::{Cell, RefCell};

/// What `load` and `load_error` call the file.
const FILE: &str = "ndjson";

sql_function!(fhir_take_lines, take_lines);

thread_local! {
    /// Statements under way, the innermost last.
    static STATEMENTS: RefCell<Vec<Statement>> = const { RefCell::new(Vec::new()) };
    /// The transaction that does not commit while there are any.
    static WATCHED: Cell<u64> = const { Cell::new(0) };
}

/// Lines of one statement on their way in.
struct Statement {
    /// Tells it from all others of the session.
    number: u64,
    view: Oid,
    lake: String,
    /// Where the line stands in a row of the view.
    column: i32,
    work: Work,
    worker: Worker,
    on_error: OnError,
    lines: u64,
    bytes: u64,
    /// The row of `load`, from the first line that is not blank on.
    load: Option<i64>,
    loaded: i64,
    unchanged: i64,
    rejected: i64,
    writer: Writer,
}

fn take_lines(call: &Call) -> Result<Value, Error> {
    let trigger = call.trigger()?;
    match (trigger.event, trigger.is_row, trigger.is_before) {
        (Event::Insert, false, true) => begin(&trigger).map(|()| trigger.done()),
        (Event::Insert, true, _) if trigger.is_instead => {
            let mut statement = innermost(&trigger)?;
            let row = trigger.new().ok_or_else(wrong_trigger)?;
            let is_good = statement.take(row)?;
            STATEMENTS.with_borrow_mut(|stack| stack.push(statement));
            Ok(if is_good { trigger.unchanged(row) } else { trigger.done() })
        }
        (Event::Insert, false, false) => innermost(&trigger)?.finish().map(|()| trigger.done()),
        _ => Err(wrong_trigger()),
    }
}

fn wrong_trigger() -> Error {
    Error::new(error::WRONG_TRIGGER, "fhir.take_lines() is a trigger of a view ndjson, for INSERT").hint("fhir.create_lake makes it")
}

fn begin(trigger: &Trigger) -> Result<(), Error> {
    let lake = access::schema_name(trigger.schema()).ok_or_else(wrong_trigger)?;
    let random = || time::random().map(u64::from_ne_bytes).ok_or_else(|| Error::new(error::INTERNAL, "no random numbers for ids"));
    let number = random()?;
    let level = (settings::validation() == Validation::structure).then_some(Level::Structure);
    let ids = Ids::new(time::now(), random()?);
    let work = Work { level, keeps_versions: false, resolves: false, sees_targets: false, max_line: MAX_LINE, ids };
    let on_error = match settings::load_on_error() {
        OnError::stop => options::OnError::Stop,
        OnError::reject => options::OnError::Reject,
    };
    let statement = Statement {
        number,
        view: trigger.table(),
        column: trigger.column("line", pg_sys::TEXTOID)?,
        worker: Worker::new(&work),
        work,
        on_error: settings::load_on_error(),
        lines: 0,
        bytes: 0,
        load: None,
        loaded: 0,
        unchanged: 0,
        rejected: 0,
        writer: Writer::new(lake.clone(), Options { on_error, ..Options::default() }, None)?,
        lake,
    };
    memory::at_end_of_subtransaction(move || STATEMENTS.with_borrow_mut(|stack| stack.retain(|statement| statement.number != number)));
    if WATCHED.replace(time::transaction()) != time::transaction() {
        transaction::refuse_commit_while(|| {
            STATEMENTS.with_borrow(|stack| (!stack.is_empty()).then_some("lines for a view \"ndjson\" were not all taken"))
        });
    }
    STATEMENTS.with_borrow_mut(|stack| stack.push(statement));
    Ok(())
}

/// Takes the innermost statement from the stack, for what it does may begin another.
fn innermost(trigger: &Trigger) -> Result<Statement, Error> {
    STATEMENTS.with_borrow_mut(|stack| stack.pop_if(|statement| statement.view == trigger.table())).ok_or_else(|| {
        Error::new(error::NOT_IN_STATE, "view \"ndjson\" has lost a trigger").hint("fhir.upgrade_lake restores it")
    })
}

impl Statement {
    /// Whether the line was good. A blank one is passed over.
    fn take(&mut self, row: Row) -> Result<bool, Error> {
        let text = row.text(self.column).unwrap_or_default().as_bytes();
        let offset = self.bytes;
        self.lines += 1;
        self.bytes += text.len() as u64 + 1;
        let text = if self.lines == 1 { text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(text) } else { text }.trim_ascii();
        if text.is_empty() {
            return Ok(false);
        }
        let taken = if text.len() > MAX_LINE {
            Err(line::too_long(text, MAX_LINE))
        } else {
            self.worker.line(text, offset, &self.work, &Server)
        };
        match taken {
            Ok(row) => {
                self.load_number()?;
                let origin = Origin { file: 0, line: self.lines, offset };
                self.writer.add(row, origin)?;
                self.settle()?;
                Ok(true)
            }
            Err(rejected) if self.on_error == OnError::stop => {
                let error = Error::new(rejected.sqlstate, format!("line {}: {}", self.lines, rejected.reason));
                Err(error.hint("with SET fhir.load_on_error = reject, such lines go to load_error and the others are loaded"))
            }
            Err(rejected) => {
                let load = self.load_number()?;
                self.rejected += 1;
                self.write_error(load, Origin { file: 0, line: self.lines, offset }, &rejected)?;
                Ok(false)
            }
        }
    }

    /// The row of `load` that stands for this statement.
    fn load_number(&mut self) -> Result<i64, Error> {
        if let Some(number) = self.load {
            return Ok(number);
        }
        let insert = format!("INSERT INTO {}.load (file) VALUES ($1) RETURNING id", access::quoted(&self.lake));
        let number = connected(|sql| sql.int(&insert, &[Arg::Text(FILE)], false))?
            .ok_or_else(|| Error::new(error::INTERNAL, "a load got no number"))?;
        self.load = Some(number);
        Ok(number)
    }

    /// Takes what became of rows: the server may have refused some.
    fn settle(&mut self) -> Result<(), Error> {
        let Outcomes { written, rejected } = self.writer.take_outcomes();
        for written in written.into_values() {
            self.loaded += written.loaded;
            self.unchanged += written.unchanged;
        }
        for (origin, rejected) in rejected {
            let load = self.load_number()?;
            self.rejected += 1;
            self.write_error(load, origin, &rejected)?;
        }
        Ok(())
    }

    fn write_error(&self, load: i64, origin: Origin, rejected: &Rejected) -> Result<(), Error> {
        let insert = format!(
            "INSERT INTO {}.load_error (load, line, byte_offset, file, expression, reason, text) VALUES ($1, $2, $3, $4, $5, $6, $7)",
            access::quoted(&self.lake)
        );
        let args = [
            Arg::Int(load),
            Arg::Int(origin.line as i64),
            Arg::Int(origin.offset as i64),
            Arg::Text(FILE),
            rejected.expression.as_deref().map_or(Arg::Null(pg_sys::TEXTOID), Arg::Text),
            Arg::Text(&rejected.reason),
            Arg::Text(&rejected.text),
        ];
        connected(|sql| sql.run(&insert, &args).map(drop))
    }

    fn finish(mut self) -> Result<(), Error> {
        self.writer.complete()?;
        self.settle()?;
        let Some(load) = self.load else { return Ok(()) };
        let update = format!(
            "UPDATE {}.load SET loaded = $2, unchanged = $3, rejected = $4, finished = pg_catalog.clock_timestamp() \
             WHERE id OPERATOR(pg_catalog.=) $1",
            access::quoted(&self.lake)
        );
        connected(|sql| sql.run(&update, &[load, self.loaded, self.unchanged, self.rejected].map(Arg::Int)))?;
        Ok(())
    }
}
