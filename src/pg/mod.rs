//! The Postgres face: the only home of `unsafe`.
//!
//! Pure modules know nothing of it. A file named `sql.rs` elsewhere binds a pure module to SQL through what stands here:
//! [`function`] (V1 functions), [`jsonb`] (datums), [`rows`] (set results), [`trigger`], [`spi`], [`error`], [`settings`].

pub mod access;
pub mod arrays;
pub mod bulk;
pub mod call_site;
mod count;
pub mod cursor;
mod document;
pub mod entries;
pub mod error;
pub mod exit;
pub mod function;
mod gin;
pub mod guard;
pub mod implied;
pub mod invalidation;
pub mod jsonb;
pub mod mapped;
pub mod memory;
pub mod output;
pub mod places;
pub mod plans;
pub mod progress;
pub mod rows;
pub mod running;
mod searched;
mod selectivity;
pub mod settings;
pub mod snapshot;
pub mod spi;
pub mod spill;
pub mod subtransaction;
pub mod threads;
pub mod time;
pub mod transaction;
pub mod trigger;
pub mod type_io;

pub use error::Error;
