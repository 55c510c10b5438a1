//! JSON text in, `jsonb` bytes out, and a reader that walks those bytes in place.
//!
//! Pure: it works on byte slices (the `JsonbContainer`, that is the varlena without its length word) and knows nothing of Postgres.

pub mod number;
pub mod reader;
pub mod writer;
pub mod parse;

pub use number::Number;
pub use parse::{parse, JsonError, Limits};
pub use reader::{root, Array, Node, Object};
pub use writer::{write, Item};
