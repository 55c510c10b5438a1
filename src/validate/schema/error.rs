//! What can be wrong with a schema.

use std::fmt;

/// A schema that cannot be used.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SchemaError {
    pub message: String,
    /// Where in the schema, as a JSON Pointer; empty for the whole.
    pub place: String,
    pub hint: Option<&'static str>,
}

impl SchemaError {
    pub(super) fn new(message: impl Into<String>) -> SchemaError {
        SchemaError { message: message.into(), place: String::new(), hint: None }
    }

    pub(super) fn at(mut self, place: impl Into<String>) -> SchemaError {
        self.place = place.into();
        self
    }

    pub(super) fn hint(mut self, hint: &'static str) -> SchemaError {
        self.hint = Some(hint);
        self
    }
}

impl fmt::Display for SchemaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}
