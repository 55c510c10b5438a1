//! fhirlake: a healthcare data lake inside PostgreSQL.
//!
//! The modules stand in the order the data travels; a module may use those above it, never those below.
//! Files named `sql.rs` and everything in `pg/` face Postgres; all other files are pure and build without it.

#[cfg(feature = "pg")]
pub mod pg;

pub mod model;

pub mod json;

pub mod pattern;

pub mod path;

pub mod index;

pub mod terminology;

pub mod validate;

pub mod search;

pub mod store;

pub mod load;

pub mod record;

pub mod view;

pub mod nlp;

pub mod notes;

pub mod export;

pub mod rest;

#[cfg(all(feature = "pg", feature = "pg_test"))]
#[path = "../pgrx-tests/mod.rs"]
mod pgrx_tests;

#[cfg(feature = "pg")]
pgrx::pg_module_magic!();

/// Called by the server when it loads the library.
#[cfg(feature = "pg")]
#[allow(non_snake_case)]
#[pgrx::pg_guard]
pub extern "C-unwind" fn _PG_init() {
    pg::settings::define();
    pg::implied::install();
}
