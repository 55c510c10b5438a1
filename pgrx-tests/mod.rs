//! Tests inside the server, one file per module. Each `pg_test_*` symbol is one test: `tests/run backend` finds it by its name.

mod json;
mod store;
