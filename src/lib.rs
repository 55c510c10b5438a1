//! fhirlake: a healthcare data lake inside PostgreSQL.
//!
//! The modules stand in the order the data travels; a module may use those above it, never those below.
//! Files named `sql.rs` and everything in `pg/` face Postgres; all other files are pure and build without it.

#[cfg(feature = "pg")]
pub mod pg;

pub mod model;

pub mod json;

pub mod path;

pub mod validate;

pub mod index;

pub mod search;

pub mod store;

pub mod load;
