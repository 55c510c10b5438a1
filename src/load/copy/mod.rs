//! Lines that a client sends: `COPY lake.ndjson FROM STDIN`, or `INSERT INTO lake.ndjson`.
//!
//! The view `ndjson` of a lake has one column, `line`, and shows nothing. Its triggers collect the lines of a statement and write
//! them in batches, as `fhir.load` writes those of a file.

#[cfg(feature = "pg")]
mod sql;
