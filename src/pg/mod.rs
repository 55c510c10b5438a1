//! The Postgres face: the only home of `unsafe`.
//!
//! Pure modules know nothing of it. A file named `sql.rs` elsewhere binds a pure module to SQL through what stands here:
//! [`function`] (V1 functions), [`jsonb`] (datums), [`rows`] (set results), [`trigger`], [`spi`], [`error`], [`settings`].

pub mod access;
pub mod error;
pub mod function;
pub mod guard;
pub mod jsonb;
pub mod rows;
pub mod settings;
pub mod spi;
pub mod time;
pub mod trigger;

pub use error::Error;
