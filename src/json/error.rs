//! What can be wrong with a JSON text, and the SQLSTATE the server gives it.

use std::borrow::Cow;
use std::fmt;

/// A refusal: the message, where in the text it happened, and its SQLSTATE.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonError {
    /// Lower case, no full stop, nothing of the text in it.
    pub message: Cow<'static, str>,
    /// Byte offset in the text; 0 where no text is involved.
    pub offset: usize,
    /// What the server gives for the same text.
    pub sqlstate: &'static str,
}

/// Not JSON.
pub const INVALID_TEXT: &str = "22P02";
/// Not UTF-8, or a zero byte.
pub const INVALID_BYTES: &str = "22021";
/// `\u0000`, which a text datum cannot hold.
pub const UNTRANSLATABLE: &str = "22P05";
/// A number that `numeric` cannot hold.
pub const NUMBER_OUT_OF_RANGE: &str = "22003";
/// Larger than `jsonb` can hold, or than the caller allows.
pub const LIMIT_EXCEEDED: &str = "54000";
/// Nested too deep.
pub const TOO_DEEP: &str = "54001";
/// No memory.
pub const OUT_OF_MEMORY: &str = "53200";

/// Boxed inside: the results of small steps then travel in registers.
pub(super) type Fallible<T> = Result<T, Box<JsonError>>;

impl From<Box<JsonError>> for JsonError {
    fn from(error: Box<JsonError>) -> JsonError {
        *error
    }
}

impl JsonError {
    #[cold]
    pub(super) fn new(sqlstate: &'static str, offset: usize, message: impl Into<Cow<'static, str>>) -> Box<JsonError> {
        Box::new(JsonError { message: message.into(), offset, sqlstate })
    }

    #[cold]
    pub(super) fn out_of_memory() -> Box<JsonError> {
        JsonError::new(OUT_OF_MEMORY, 0, "out of memory")
    }

    #[cold]
    pub(super) fn too_deep(offset: usize, max_depth: usize) -> Box<JsonError> {
        JsonError::new(TOO_DEEP, offset, format!("json is nested deeper than {max_depth} levels"))
    }

    #[cold]
    pub(super) fn too_large(offset: usize, what: &str, max: usize) -> Box<JsonError> {
        JsonError::new(LIMIT_EXCEEDED, offset, format!("{what} exceeds the maximum of {max} bytes"))
    }
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (byte {})", self.message, self.offset)
    }
}

impl std::error::Error for JsonError {}
