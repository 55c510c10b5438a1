//! JSON text in, `jsonb` bytes out, and a reader that walks those bytes in place.
//!
//! Pure: it works on byte slices (the `JsonbContainer`, that is the varlena without its length word) and knows nothing of Postgres.
//!
//! `parse` (text → bytes) and `writer` (trees → bytes) make what the server's `jsonb` input makes, byte for byte;
//! `reader` walks such bytes, `text` prints them as the server does, `compact` without blanks and fast; `layout` is the format that all of them share.

mod compact;
mod error;
#[cfg(any(test, feature = "pg_test"))]
pub mod generate;
mod layout;
pub mod number;
pub mod parse;
pub mod reader;
mod scan;
#[cfg(test)]
mod tests;
mod text;
pub mod writer;

pub use compact::{Untold, compact};
pub use error::JsonError;
pub use number::Number;
pub use parse::{Limits, Parser, parse};
pub use reader::{Array, Node, Object, container_at, object_within, root};
pub use text::write_string;
pub use writer::{Item, compose_array, compose_fraction, compose_name, compose_object, compose_string, compose_whole, write};
