//! A part of a prescription at some tokens, before it is known whose it is.

use crate::nlp::entity::AttributeKind;
use crate::nlp::note::Note;

#[derive(Clone, Debug, PartialEq)]
pub struct Piece {
    pub kind: AttributeKind,
    /// tokens that were read, perhaps more than the span
    pub first: u32,
    pub last: u32,
    /// bytes of the span
    pub begin: usize,
    pub end: usize,
    pub value: Option<String>,
    pub score: f32,
}

impl Piece {
    /// A piece over whole tokens.
    pub fn new(note: &Note<'_>, kind: AttributeKind, first: u32, last: u32, value: String) -> Piece {
        Piece { kind, first, last, begin: note.begin(first), end: note.end(last), value: Some(value), score: 0.95 }
    }
}
