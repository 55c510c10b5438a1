//! Row triggers in the server's raw protocol: the rows as they are, columns by number.

use super::error::{Error, WRONG_TRIGGER};
use super::function::{Call, Value};
use pgrx::pg_sys;
use pgrx::pg_sys::{Datum, Oid};
use std::ffi::{CStr, CString};

/// What made the trigger fire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    Insert,
    Update,
    Delete,
    Truncate,
}

/// One firing.
pub struct Trigger<'a> {
    data: &'a pg_sys::TriggerData,
    pub event: Event,
    pub is_before: bool,
    /// Of a view, in the place of what the statement would do to a row.
    pub is_instead: bool,
    pub is_row: bool,
}

/// A row of the table that fired.
#[derive(Clone, Copy)]
pub struct Row<'a> {
    tuple: pg_sys::HeapTuple,
    trigger: &'a Trigger<'a>,
}

impl Call {
    pub fn trigger(&self) -> Result<Trigger<'_>, Error> {
        // SAFETY: the context of a call by the trigger manager is a TriggerData that lives as long as the call.
        let data = unsafe {
            let context = (*self.info).context;
            if context.is_null() || (*context).type_ != pg_sys::NodeTag::T_TriggerData {
                return Err(Error::new(WRONG_TRIGGER, "a trigger function was called as if it were none"));
            }
            &*context.cast::<pg_sys::TriggerData>()
        };
        let event = match data.tg_event & pg_sys::TRIGGER_EVENT_OPMASK {
            pg_sys::TRIGGER_EVENT_INSERT => Event::Insert,
            pg_sys::TRIGGER_EVENT_UPDATE => Event::Update,
            pg_sys::TRIGGER_EVENT_DELETE => Event::Delete,
            _ => Event::Truncate,
        };
        let timing = data.tg_event & pg_sys::TRIGGER_EVENT_TIMINGMASK;
        let (is_before, is_instead) = (timing == pg_sys::TRIGGER_EVENT_BEFORE, timing == pg_sys::TRIGGER_EVENT_INSTEAD);
        Ok(Trigger { data, event, is_before, is_instead, is_row: data.tg_event & pg_sys::TRIGGER_EVENT_ROW != 0 })
    }

    /// Plain data kept at this call site: for a trigger, as long as the statement works on this table.
    pub fn kept<T: Copy>(&self, make: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
        // SAFETY: `fn_extra` is ours, and only this function with this `T` writes it; the block lives as long as it.
        unsafe {
            let site = (*self.info).flinfo;
            if (*site).fn_extra.is_null() {
                let made = make()?;
                let block = pg_sys::MemoryContextAlloc((*site).fn_mcxt, size_of::<T>().max(1)).cast::<T>();
                block.write(made);
                (*site).fn_extra = block.cast();
            }
            Ok(*(*site).fn_extra.cast::<T>())
        }
    }
}

impl<'a> Trigger<'a> {
    fn relation(&self) -> &pg_sys::RelationData {
        // SAFETY: the relation is open and locked while its trigger runs.
        unsafe { &*self.data.tg_relation }
    }

    pub fn table(&self) -> Oid {
        self.relation().rd_id
    }

    pub fn schema(&self) -> Oid {
        // SAFETY: an open relation has its row of pg_class.
        unsafe { (*self.relation().rd_rel).relnamespace }
    }

    pub fn table_name(&self) -> String {
        // SAFETY: the name is a zero-ended array.
        unsafe { CStr::from_ptr((*self.relation().rd_rel).relname.data.as_ptr()).to_string_lossy().into_owned() }
    }

    /// The number of a column of that type. Anybody may put our triggers on a table of his own, so the type is not taken on
    /// trust: a number read as a pointer would end the server.
    pub fn column(&self, name: &str, ty: Oid) -> Result<i32, Error> {
        let table = self.table_name();
        let wrong = |what: &str| {
            Error::new(WRONG_TRIGGER, format!("table \"{table}\" {what} \"{name}\"")).hint("fhir.create_lake makes the tables of a lake")
        };
        let missing = || wrong("has no column");
        let text = CString::new(name).map_err(|_| missing())?;
        // SAFETY: the row type of an open relation.
        let number = unsafe { pg_sys::SPI_fnumber(self.relation().rd_att, text.as_ptr()) };
        if number <= 0 {
            return Err(missing());
        }
        // SAFETY: the number is one of its columns.
        let found = unsafe { pg_sys::getBaseType(pg_sys::SPI_gettypeid(self.relation().rd_att, number)) };
        if found != ty {
            return Err(wrong("has another type in column"));
        }
        Ok(number)
    }

    /// The first argument that `CREATE TRIGGER` gave.
    pub fn argument(&self) -> Option<String> {
        self.arguments().into_iter().next()
    }

    /// The arguments that `CREATE TRIGGER` gave.
    pub fn arguments(&self) -> Vec<String> {
        // SAFETY: the trigger's definition lives as long as the firing and holds as many zero-ended arguments as it says.
        unsafe {
            let definition = &*self.data.tg_trigger;
            let argument = |n: i16| CStr::from_ptr(*definition.tgargs.add(n as usize)).to_string_lossy().into_owned();
            (0..definition.tgnargs).map(argument).collect()
        }
    }

    /// The row as it was, for UPDATE and DELETE.
    pub fn old(&'a self) -> Option<Row<'a>> {
        matches!(self.event, Event::Update | Event::Delete).then_some(Row { tuple: self.data.tg_trigtuple, trigger: self })
    }

    /// The row as it will be, for INSERT and UPDATE.
    pub fn new(&'a self) -> Option<Row<'a>> {
        match self.event {
            Event::Insert => Some(Row { tuple: self.data.tg_trigtuple, trigger: self }),
            Event::Update => Some(Row { tuple: self.data.tg_newtuple, trigger: self }),
            _ => None,
        }
    }

    /// What a BEFORE trigger returns to let `row` through, with other values in some columns.
    pub fn accept(&self, row: Row, changes: Vec<(i32, Value)>) -> Value {
        let (mut columns, datums): (Vec<i32>, Vec<Option<Datum>>) =
            changes.into_iter().map(|(column, value)| (column, value.into_datum())).unzip();
        let mut nulls: Vec<bool> = datums.iter().map(Option::is_none).collect();
        let mut values: Vec<Datum> = datums.into_iter().map(|datum| datum.unwrap_or(Datum::null())).collect();
        // SAFETY: the tuple belongs to the relation, and the three lists are as long as said.
        let tuple = unsafe {
            pg_sys::heap_modify_tuple_by_cols(
                row.tuple,
                self.relation().rd_att,
                columns.len() as i32,
                columns.as_mut_ptr(),
                values.as_mut_ptr(),
                nulls.as_mut_ptr(),
            )
        };
        Value::Datum(Datum::from(tuple))
    }

    /// What a BEFORE trigger returns to let `row` through as it is, and an INSTEAD OF trigger for a row that it has dealt with; for
    /// one that it has not, [`Trigger::done`].
    pub fn unchanged(&self, row: Row) -> Value {
        Value::Datum(Datum::from(row.tuple))
    }

    /// What an AFTER trigger returns.
    pub fn done(&self) -> Value {
        Value::Datum(Datum::null())
    }
}

impl<'a> Row<'a> {
    /// The value of a column; `None` for NULL.
    pub fn datum(&self, column: i32) -> Option<Datum> {
        let mut is_null = false;
        // SAFETY: the column number came from the same row type.
        let datum = unsafe { pg_sys::SPI_getbinval(self.tuple, self.trigger.relation().rd_att, column, &mut is_null) };
        (!is_null).then_some(datum)
    }

    /// The container of a jsonb column; a copy in the current memory context where it is stored out of line or packed.
    pub fn jsonb(&self, column: i32) -> Option<&'a [u8]> {
        // SAFETY: the caller names a jsonb column; the tuple lives as long as the firing.
        self.datum(column).map(|datum| unsafe { super::jsonb::container(datum) })
    }

    /// The body of any other varlena column.
    pub fn bytes(&self, column: i32) -> Option<&'a [u8]> {
        // SAFETY: the caller names a varlena column; as above.
        self.datum(column).map(|datum| unsafe { super::jsonb::bytes(datum) })
    }

    pub fn text(&self, column: i32) -> Option<&'a str> {
        // SAFETY: the caller names a text column; as above.
        self.datum(column).map(|datum| unsafe { super::jsonb::text(datum) })
    }

    pub fn int(&self, column: i32) -> Option<i64> {
        self.datum(column).map(|datum| datum.value() as i64)
    }
}
