//! Question: does what only the backend can see of the store hold: memory, and the state after an error?

use crate::pg::error::Error;
use crate::pg::function::{Call, Value};
use crate::pg::spi::connected;
use crate::sql_function;
use crate::store::{Stamped, accepted};
use pgrx::pg_sys;
use std::rc::Rc;

sql_function!(pg_test_store_nothing_stays_accepted, nothing_stays_accepted);
sql_function!(pg_test_store_error_keeps_its_constraint, error_keeps_its_constraint);
sql_function!(pg_test_store_user_is_restored, user_is_restored);

fn failed(what: &str) -> Error {
    Error::new("XX000", what)
}

/// An error in the middle of a batch leaves nothing that a later write could pass for valid with.
fn nothing_stays_accepted(_: &Call) -> Result<Value, Error> {
    let container = crate::json::parse(br#"{"resourceType":"Patient","id":"p"}"#, &crate::json::Limits::default())?;
    let rows = Rc::new(vec![Stamped::first(&container, 0, [0; 8])?]);
    let result = (|| -> Result<(), Error> {
        let _batch = accepted::Batch::begin(&rows, accepted::As::Resource);
        Err(failed("on purpose"))
    })();
    if result.is_ok() || accepted::row_of(&rows[0].resource).is_some() {
        return Err(failed("still accepted"));
    }
    Ok(Value::Void)
}

/// The server's error comes through our SQL with all its fields.
fn error_keeps_its_constraint(_: &Call) -> Result<Value, Error> {
    connected(|sql| {
        sql.run("CREATE TEMP TABLE once (id int CONSTRAINT only_one PRIMARY KEY)", &[])?;
        sql.run(
            "DO $$ DECLARE name text; BEGIN INSERT INTO once VALUES (1), (1); \
             EXCEPTION WHEN unique_violation THEN GET STACKED DIAGNOSTICS name = CONSTRAINT_NAME; \
             IF name <> 'only_one' THEN RAISE 'constraint is %', name; END IF; END $$",
            &[],
        )
        .map(drop)
    })?;
    Ok(Value::Void)
}

/// A failure while we act for a table's owner gives the user back.
fn user_is_restored(_: &Call) -> Result<Value, Error> {
    connected(|sql| {
        sql.run("SELECT fhir.create_lake('restored')", &[])?;
        sql.run("CREATE ROLE test_writer", &[])?;
        sql.run("GRANT USAGE ON SCHEMA restored TO test_writer", &[])?;
        sql.run("GRANT SELECT, INSERT, DELETE ON restored.patient TO test_writer", &[])?;
        sql.run("ALTER TABLE restored.history ADD CHECK (method <> 'DELETE')", &[])?;
        sql.run("SET LOCAL ROLE test_writer", &[])?;
        sql.run("INSERT INTO restored.patient (resource) VALUES ('{\"resourceType\":\"Patient\"}')", &[])?;
        sql.run("DO $$ BEGIN DELETE FROM restored.patient; EXCEPTION WHEN check_violation THEN NULL; END $$", &[])?;
        sql.run("SELECT current_user", &[])?;
        let user = sql.cell(0, 1).map(|datum| datum.cast_mut_ptr::<pg_sys::NameData>());
        // SAFETY: a name is a zero-ended array.
        let user = user.map(|name| unsafe { std::ffi::CStr::from_ptr((*name).data.as_ptr()).to_string_lossy().into_owned() });
        sql.run("RESET ROLE", &[])?;
        match user.as_deref() {
            Some("test_writer") => Ok(()),
            other => Err(failed(&format!("the user is {other:?}"))),
        }
    })?;
    Ok(Value::Void)
}
